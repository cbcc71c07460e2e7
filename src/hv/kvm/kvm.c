/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Back end on Linux KVM for arm64, kernels 6.1 and newer, without an in-kernel GIC.
 *
 * What is used: interrupt lines straight into HCR_EL2.VI/VF (KVM_IRQ_LINE of type CPU), timer outputs
 * through kvm_run.s.regs.device_irq_level (KVM_CAP_ARM_USER_IRQ), guest debugging so that BRK exits,
 * KVM_CAP_ARM_NISV_TO_USER for accesses without a syndrome and, where the kernel has it (6.4 on),
 * the SMCCC filter so that HVC and SMC exit by themselves.
 *
 * A vCPU file descriptor is only ever used by the thread that created it: KVM pays for a change of
 * thread with a grace period.
 */
#include "hv/kvm/kvm.h"

#include "arm/reg.h"
#include "host/counter.h"
#include "hv/hv.h"
#include "hv/kvm/abi.h"
#include "util/bits.h"
#include "util/err.h"
#include "util/log.h"
#include "util/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#define KICK_SIGNAL SIGUSR1
#define CNTVCT_EL0  SYSREG(3, 3, 14, 0, 2)

enum { SLOT_COUNT = 256 };

struct slot {
	uint64_t gpa;
	uint64_t len; /* 0: free */
};

struct hv_vm {
	int kvm_fd;
	int fd;
	size_t run_size;
	pthread_mutex_t slots_lock;
	struct slot slots[SLOT_COUNT];
	uint32_t vcpu_features;
	bool host_counter;
};

struct hv_vcpu {
	struct hv_vm *vm;
	unsigned index;
	int fd;
	struct kvm_run *run;
	struct kvm_vcpu_init init;
	pthread_t thread;
	atomic_bool kicked;
	atomic_bool running; /* in KVM_RUN, or about to look at `kicked` before it */
	bool mmio_pending;   /* an MMIO completion waits for the next KVM_RUN */
	unsigned debug_flags;
};

/* ---- probing ---- */

static int open_kvm(struct err *e)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int r = -errno;

	if (fd >= 0)
		return fd;
	err_set(e, r, "--hv kvm", "cannot open /dev/kvm: %s", strerror(-r));
	if (r == -EACCES || r == -EPERM)
		err_hint(e, "add yourself to the group that owns it (usually `sudo adduser $USER "
			    "kvm`), then log in again");
	else if (r == -ENOENT || r == -ENODEV)
		err_hint(e,
			 "this needs an arm64 Linux host that was started at EL2, with KVM in its "
			 "kernel; `tools/armhost` gives one on other machines");
	return r;
}

static int extension(int fd, long cap)
{
	int r = ioctl(fd, KVM_CHECK_EXTENSION, cap);

	return r < 0 ? 0 : r;
}

static const struct {
	long cap;
	const char *name;
} needed[] = {
	{KVM_CAP_ONE_REG, "KVM_CAP_ONE_REG"},
	{KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT"},
	{KVM_CAP_ARM_USER_IRQ, "KVM_CAP_ARM_USER_IRQ"},
	{KVM_CAP_ARM_NISV_TO_USER, "KVM_CAP_ARM_NISV_TO_USER"},
	{KVM_CAP_ARM_INJECT_EXT_DABT, "KVM_CAP_ARM_INJECT_EXT_DABT"},
	{KVM_CAP_SET_GUEST_DEBUG, "KVM_CAP_SET_GUEST_DEBUG"},
	{KVM_CAP_READONLY_MEM, "KVM_CAP_READONLY_MEM"},
};

static int check_host(int fd, struct err *e)
{
	struct utsname u;
	int r = 0;

	if (ioctl(fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return err_set(e, -ENOTSUP, "--hv kvm", "/dev/kvm speaks another API version");
	uname(&u);
	for (size_t i = 0; i < ARRAY_COUNT(needed); i++) {
		if (extension(fd, needed[i].cap))
			continue;
		r = err_set(e, -ENOTSUP, "--hv kvm", "this host's kernel (%s) lacks %s", u.release,
			    needed[i].name);
		err_hint(e, "Obverse needs Linux 6.1 or newer on arm64");
	}
	return r;
}

static bool has_smccc_filter(int vm_fd)
{
	struct kvm_device_attr a = {.group = KVM_ARM_VM_SMCCC_CTRL,
				    .attr = KVM_ARM_VM_SMCCC_FILTER};

	return ioctl(vm_fd, KVM_HAS_DEVICE_ATTR, &a) == 0;
}

static int kvm_probe(const char *options, struct hv_caps *caps, struct err *e)
{
	struct utsname u;
	uint64_t dczid;
	int vm_fd;
	int r;
	int fd = open_kvm(e);

	if (fd < 0)
		return fd;
	r = check_host(fd, e);
	if (r)
		goto out;
	memset(caps, 0, sizeof(*caps));
	caps->native_els = 1 << 0 | 1 << 1;
	caps->max_vcpus = extension(fd, KVM_CAP_MAX_VCPUS);
	caps->ipa_bits = extension(fd, KVM_CAP_ARM_VM_IPA_SIZE);
	caps->page_size = sysconf(_SC_PAGESIZE);
	caps->views = true;
	caps->maps_devices = true;
	caps->hw_breakpoints = extension(fd, KVM_CAP_GUEST_DEBUG_HW_BPS);
	caps->hw_watchpoints = extension(fd, KVM_CAP_GUEST_DEBUG_HW_WPS);
	__asm__("mrs %0, cntfrq_el0" : "=r"(caps->counter_hz));
	__asm__("mrs %0, dczid_el0" : "=r"(dczid));
	caps->zva_bytes = 4U << bits(dczid, 3, 0);
	uname(&u);
	snprintf(caps->host, sizeof(caps->host), "Linux %s, %u KiB pages", u.release,
		 caps->page_size / 1024);
	/* The filter hangs on a VM, so a short-lived one answers. */
	vm_fd = ioctl(fd, KVM_CREATE_VM, caps->ipa_bits);
	if (vm_fd < 0) {
		r = err_set(e, -errno, "--hv kvm", "cannot create a VM: %s", strerror(errno));
		goto out;
	}
	caps->smccc_exits = has_smccc_filter(vm_fd);
	/* What we use of it came with it, in Linux 6.0: vCPUs that userspace may suspend. */
	caps->wait_for_interrupt = extension(fd, KVM_CAP_ARM_SYSTEM_SUSPEND);
	close(vm_fd);
out:
	close(fd);
	return r;
}

/* ---- VM ---- */

static void on_kick(int sig)
{
	/* Nothing to do: its arrival ends KVM_RUN with EINTR. */
}

static int install_kick_signal(struct err *e)
{
	struct sigaction sa = {.sa_handler = on_kick}; /* no SA_RESTART */

	if (sigaction(KICK_SIGNAL, &sa, NULL))
		return err_set(e, -errno, NULL, "cannot install a signal handler");
	return 0;
}

/* Everything but the ranges 0x80000000-0x8000ffff and 0xc0000000-0xc000ffff, which KVM keeps. */
static const struct {
	uint32_t base, count;
} smccc_ranges[] = {
	{0, 0x80000000},
	{0x80010000, 0x3fff0000},
	{0xc0010000, 0x3fff0000},
};

static int forward_smccc(int vm_fd, struct err *e)
{
	for (size_t i = 0; i < ARRAY_COUNT(smccc_ranges); i++) {
		struct kvm_smccc_filter f = {.base = smccc_ranges[i].base,
					     .nr_functions = smccc_ranges[i].count,
					     .action = KVM_SMCCC_FILTER_FWD_TO_USER};
		struct kvm_device_attr a = {.group = KVM_ARM_VM_SMCCC_CTRL,
					    .attr = KVM_ARM_VM_SMCCC_FILTER,
					    .addr = (uintptr_t)&f};

		if (ioctl(vm_fd, KVM_SET_DEVICE_ATTR, &a))
			return err_set(e, -errno, "--hv kvm", "cannot set the SMCCC filter: %s",
				       strerror(errno));
	}
	return 0;
}

static uint32_t pick_features(int fd)
{
	uint32_t f = 0;

	if (extension(fd, KVM_CAP_ARM_PTRAUTH_ADDRESS) &&
	    extension(fd, KVM_CAP_ARM_PTRAUTH_GENERIC))
		f |= 1U << KVM_ARM_VCPU_PTRAUTH_ADDRESS | 1U << KVM_ARM_VCPU_PTRAUTH_GENERIC;
	return f;
}

static void kvm_vm_destroy(struct hv_vm *vm)
{
	if (!vm)
		return;
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->kvm_fd >= 0)
		close(vm->kvm_fd);
	pthread_mutex_destroy(&vm->slots_lock);
	free(vm);
}

/* From 6.4 on both counters can be had without an offset. Before, CNTPCT_EL0 has none anyway, and that of CNTVCT_EL0 is
 * set from a value that was current a moment ago. */
static int use_host_counter(struct hv_vm *vm)
{
	struct kvm_arm_counter_offset none = {0};

	if (!extension(vm->kvm_fd, KVM_CAP_COUNTER_OFFSET))
		return 0;
	return ioctl(vm->fd, KVM_ARM_SET_COUNTER_OFFSET, &none) ? -errno : 0;
}

static int set_up_vm(struct hv_vm *vm, unsigned ipa_bits, struct err *e)
{
	struct kvm_enable_cap nisv = {.cap = KVM_CAP_ARM_NISV_TO_USER};
	int r;

	vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, ipa_bits);
	if (vm->fd < 0)
		return err_set(e, -errno, "--hv kvm",
			       "cannot create a VM with %u-bit guest physical addresses: %s",
			       ipa_bits, strerror(errno));
	if (ioctl(vm->fd, KVM_ENABLE_CAP, &nisv))
		return err_set(e, -errno, "--hv kvm", "cannot enable KVM_CAP_ARM_NISV_TO_USER: %s",
			       strerror(errno));
	if (vm->host_counter && use_host_counter(vm))
		return err_set(e, -EIO, "--hv kvm", "cannot set the offset of the counters");
	if (has_smccc_filter(vm->fd)) {
		r = forward_smccc(vm->fd, e);
		if (r)
			return r;
	}
	r = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (r < (int)sizeof(struct kvm_run))
		return err_set(e, -EIO, "--hv kvm", "KVM reports a kvm_run of %d bytes", r);
	vm->run_size = r;
	vm->vcpu_features = pick_features(vm->kvm_fd);
	return install_kick_signal(e);
}

static int kvm_vm_create(const struct hv_vm_config *cfg, struct hv_vm **out, struct err *e)
{
	const char *options = cfg->options;
	struct hv_vm *vm;
	int r;
	int fd;

	if (options && *options) {
		r = err_set(e, -EINVAL, "--hv", "kvm takes no options, but got \"%s\"", options);
		err_hint(e, "use plain --hv kvm");
		return r;
	}
	fd = open_kvm(e);
	if (fd < 0)
		return fd;
	vm = xcalloc(1, sizeof(*vm));
	vm->kvm_fd = fd;
	vm->fd = -1;
	vm->host_counter = cfg->host_counter;
	pthread_mutex_init(&vm->slots_lock, NULL);
	r = set_up_vm(vm, cfg->ipa_bits, e);
	if (r) {
		kvm_vm_destroy(vm);
		return r;
	}
	*out = vm;
	return 0;
}

static int set_slot(struct hv_vm *vm, unsigned n, uint64_t gpa, void *host, uint64_t len,
		    unsigned prot)
{
	struct kvm_userspace_memory_region m = {
		.slot = n,
		.flags = prot & HV_WRITE ? 0 : KVM_MEM_READONLY,
		.guest_phys_addr = gpa,
		.memory_size = len,
		.userspace_addr = (uintptr_t)host,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &m) ? -errno : 0;
}

static int kvm_mem_map(struct hv_vm *vm, uint64_t gpa, void *host, uint64_t len, unsigned prot)
{
	int r = -ENOSPC;

	pthread_mutex_lock(&vm->slots_lock);
	for (unsigned i = 0; i < SLOT_COUNT; i++) {
		if (vm->slots[i].len)
			continue;
		r = set_slot(vm, i, gpa, host, len, prot);
		if (!r)
			vm->slots[i] = (struct slot){gpa, len};
		break;
	}
	pthread_mutex_unlock(&vm->slots_lock);
	return r;
}

static int kvm_mem_unmap(struct hv_vm *vm, uint64_t gpa, uint64_t len)
{
	int r = -ENOENT;

	pthread_mutex_lock(&vm->slots_lock);
	for (unsigned i = 0; i < SLOT_COUNT; i++) {
		if (vm->slots[i].gpa != gpa || vm->slots[i].len != len)
			continue;
		r = set_slot(vm, i, gpa, NULL, 0, HV_WRITE);
		if (!r)
			vm->slots[i].len = 0;
		break;
	}
	pthread_mutex_unlock(&vm->slots_lock);
	return r;
}

/* ---- vCPU ---- */

static int kvm_debug(struct hv_vcpu *v, unsigned flags)
{
	struct kvm_guest_debug d = {0};

	if (flags)
		d.control = KVM_GUESTDBG_ENABLE;
	if (flags & HV_DEBUG_BRK)
		d.control |= KVM_GUESTDBG_USE_SW_BP;
	if (flags & HV_DEBUG_STEP)
		d.control |= KVM_GUESTDBG_SINGLESTEP;
	if (flags == v->debug_flags)
		return 0;
	if (ioctl(v->fd, KVM_SET_GUEST_DEBUG, &d))
		return -errno;
	v->debug_flags = flags;
	return 0;
}

static int kvm_vcpu_reset(struct hv_vcpu *v)
{
	/* KVM would complete a load or store from before the reset, into a register and the PC of after
	 * it; the exit reason is what tells it to. */
	v->mmio_pending = false;
	v->run->exit_reason = KVM_EXIT_UNKNOWN;
	/* A second KVM_ARM_VCPU_INIT resets registers to the architecture's values, EL1h masked, and makes
	 * the vCPU runnable. */
	return ioctl(v->fd, KVM_ARM_VCPU_INIT, &v->init) ? -errno : 0;
}

static void kvm_vcpu_destroy(struct hv_vcpu *v)
{
	if (!v)
		return;
	if (v->run)
		munmap(v->run, v->vm->run_size);
	if (v->fd >= 0)
		close(v->fd);
	free(v);
}

static int kvm_set_reg(struct hv_vcpu *v, uint32_t id, uint64_t value);

static int set_up_vcpu(struct hv_vcpu *v, struct err *e)
{
	struct hv_vm *vm = v->vm;
	void *run;

	v->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)v->index);
	if (v->fd < 0)
		return err_set(e, -errno, "--hv kvm", "cannot create vCPU %u: %s", v->index,
			       strerror(errno));
	run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	if (run == MAP_FAILED)
		return err_set(e, -errno, "--hv kvm", "cannot map kvm_run of vCPU %u: %s", v->index,
			       strerror(errno));
	v->run = run;
	if (ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &v->init))
		return err_set(e, -errno, "--hv kvm", "no preferred vCPU target: %s",
			       strerror(errno));
	v->init.features[0] |= vm->vcpu_features;
	if (kvm_vcpu_reset(v))
		return err_set(e, -errno, "--hv kvm", "cannot initialise vCPU %u: %s", v->index,
			       strerror(errno));
	if (vm->host_counter && !extension(vm->kvm_fd, KVM_CAP_COUNTER_OFFSET) &&
	    kvm_set_reg(v, REG_SYS(CNTVCT_EL0), host_counter()))
		return err_set(e, -EIO, "--hv kvm", "cannot set CNTVCT_EL0 of vCPU %u", v->index);
	if (kvm_debug(v, HV_DEBUG_BRK))
		return err_set(e, -errno, "--hv kvm", "cannot route BRK of vCPU %u to us: %s",
			       v->index, strerror(errno));
	return 0;
}

static void unblock_kick_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, KICK_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static int kvm_vcpu_create(struct hv_vm *vm, unsigned index, struct hv_vcpu **out, struct err *e)
{
	struct hv_vcpu *v = xcalloc(1, sizeof(*v));
	int r;

	v->vm = vm;
	v->index = index;
	v->fd = -1;
	v->thread = pthread_self();
	r = set_up_vcpu(v, e);
	if (r) {
		kvm_vcpu_destroy(v);
		return r;
	}
	unblock_kick_signal();
	*out = v;
	return 0;
}

/* ---- running ---- */

static void fail(struct hv_exit *x, int error, const char *what)
{
	x->kind = HV_EXIT_FAIL;
	x->fail.error = error;
	snprintf(x->fail.text, sizeof(x->fail.text), "%s", what);
}

static uint64_t mmio_value(const struct kvm_run *run)
{
	uint64_t v = 0;

	/* kvm_run holds the bytes in the guest's order; guests here are little-endian. */
	memcpy(&v, run->mmio.data, run->mmio.len);
	return v;
}

static void exit_mmio(struct hv_vcpu *v, struct hv_exit *x)
{
	x->kind = HV_EXIT_MMIO;
	x->mmio.ipa = v->run->mmio.phys_addr;
	x->mmio.size = v->run->mmio.len;
	x->mmio.is_write = v->run->mmio.is_write;
	x->mmio.secure = false;
	x->mmio.value = x->mmio.is_write ? mmio_value(v->run) : 0;
}

enum {
	ESR_EC_STEP_LOWER = 0x32,
	ESR_EC_BP_LOWER = 0x30,
	ESR_EC_WP_LOWER = 0x34,
	ESR_EC_BRK = 0x3c
};

static void exit_debug(struct hv_vcpu *v, struct hv_exit *x)
{
	uint32_t esr = v->run->debug.arch.hsr;

	switch (esr >> 26) {
	case ESR_EC_BRK:
		x->kind = HV_EXIT_BRK;
		x->brk.imm = esr & 0xffff;
		break;
	case ESR_EC_STEP_LOWER:
		x->kind = HV_EXIT_STEP;
		break;
	case ESR_EC_BP_LOWER:
		x->kind = HV_EXIT_HWBP;
		break;
	case ESR_EC_WP_LOWER:
		x->kind = HV_EXIT_WATCH;
		x->watch.far = v->run->debug.arch.far;
		x->watch.is_write = bit(esr, 6);
		break;
	default: {
		char text[80];

		snprintf(text, sizeof(text), "debug exit with unexpected ESR 0x%08x", esr);
		fail(x, -EIO, text);
	}
	}
}

static void exit_nisv(struct hv_vcpu *v, struct hv_exit *x)
{
	uint64_t iss = v->run->arm_nisv.esr_iss;

	x->kind = HV_EXIT_DABT;
	x->dabt.ipa = v->run->arm_nisv.fault_ipa;
	x->dabt.is_write = bit(iss, 6);
	x->dabt.is_cache = bit(iss, 8);
	x->dabt.secure = false;
}

static int set_mp_state(struct hv_vcpu *v, uint32_t state)
{
	struct kvm_mp_state s = {state};

	return ioctl(v->fd, KVM_SET_MP_STATE, &s) ? -errno : 0;
}

/* A suspended vCPU waits in KVM_RUN as in WFI. With an interrupt line high that exits as
 * KVM_SYSTEM_EVENT_WAKEUP; for everything else it is an ordinary KVM_RUN. */
static int kvm_wait_for_interrupt(struct hv_vcpu *v)
{
	return set_mp_state(v, KVM_MP_STATE_SUSPENDED);
}

/* KVM's own PSCI, which a guest reaches by HVC or SMC that was not intercepted; and what else KVM wants to
 * tell. */
static void exit_system(struct hv_vcpu *v, struct hv_exit *x)
{
	uint32_t type = v->run->system_event.type;
	char text[100];

	switch (type) {
	case KVM_SYSTEM_EVENT_WAKEUP:
		x->kind = HV_EXIT_WAKE;
		/* KVM would go on waiting. */
		if (set_mp_state(v, KVM_MP_STATE_RUNNABLE))
			fail(x, -EIO, "cannot make a suspended vCPU runnable");
		break;
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		x->kind = HV_EXIT_SYSTEM;
		x->system.what = HV_SYSTEM_OFF;
		break;
	case KVM_SYSTEM_EVENT_RESET:
		x->kind = HV_EXIT_SYSTEM;
		x->system.what = HV_SYSTEM_RESET;
		break;
	default:
		snprintf(text, sizeof(text), "KVM system event %u is not known", type);
		fail(x, -EIO, text);
	}
}

static void decode_exit(struct hv_vcpu *v, struct hv_exit *x)
{
	char text[100];

	switch (v->run->exit_reason) {
	case KVM_EXIT_MMIO:
		exit_mmio(v, x);
		break;
	case KVM_EXIT_ARM_NISV:
		exit_nisv(v, x);
		break;
	case KVM_EXIT_DEBUG:
		exit_debug(v, x);
		break;
	case KVM_EXIT_HYPERCALL:
		/* `longmode` shares its place with the newer name, `flags`. */
		x->kind = v->run->hypercall.longmode & KVM_HYPERCALL_EXIT_SMC ? HV_EXIT_SMC
									      : HV_EXIT_HVC;
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		exit_system(v, x);
		break;
	case KVM_EXIT_INTR:
		x->kind = HV_EXIT_KICK;
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		snprintf(text, sizeof(text), "KVM internal error, suberror %u",
			 v->run->internal.suberror);
		fail(x, -EIO, text);
		break;
	default:
		snprintf(text, sizeof(text), "KVM exit reason %u is not known",
			 v->run->exit_reason);
		fail(x, -EIO, text);
	}
}

static void run_error(int error, struct hv_exit *x)
{
	char text[120];

	if (error == EINTR || error == EAGAIN) {
		x->kind = HV_EXIT_KICK;
		return;
	}
	snprintf(text, sizeof(text), "KVM_RUN: %s%s", strerror(error),
		 error == EFAULT ? " (guest memory is gone: truncated file or failed page?)" : "");
	fail(x, -error, text);
}

/* Order against kvm_kick(), which sets `kicked` and then looks at `running`: either we see the kick
 * before KVM_RUN, or the kicker sees us running, and then its immediate_exit and signal come after our
 * clearing of immediate_exit and end KVM_RUN. */
static void kvm_vcpu_run(struct hv_vcpu *v, struct hv_exit *x)
{
	int r, error;

	__atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	atomic_store(&v->running, true);
	if (atomic_exchange(&v->kicked, false)) {
		atomic_store(&v->running, false);
		x->kind = HV_EXIT_KICK;
		return;
	}
	r = ioctl(v->fd, KVM_RUN, 0);
	error = errno;
	atomic_store(&v->running, false);
	/* MMIO completion comes first in KVM_RUN: it has been carried out, even in case of an error. */
	v->mmio_pending = false;
	if (r)
		run_error(error, x);
	else
		decode_exit(v, x);
}

static void kvm_kick(struct hv_vcpu *v)
{
	atomic_store(&v->kicked, true);
	if (!atomic_load(&v->running))
		return;
	__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	pthread_kill(v->thread, KICK_SIGNAL);
}

/* KVM finishes an MMIO load (register, sign extension, PC) at the next KVM_RUN; make that happen now,
 * before registers are looked at. As long as the access has no answer they are as before the instruction. */
static int settle(struct hv_vcpu *v)
{
	if (!v->mmio_pending)
		return 0;
	__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	if (ioctl(v->fd, KVM_RUN, 0) && errno != EINTR)
		return -errno;
	v->mmio_pending = false;
	return 0;
}

static int kvm_mmio_done(struct hv_vcpu *v, uint64_t value)
{
	if (!v->run->mmio.is_write)
		memcpy(v->run->mmio.data, &value, v->run->mmio.len);
	v->mmio_pending = true;
	return 0;
}

static int kvm_mmio_abort(struct hv_vcpu *v)
{
	struct kvm_vcpu_events ev = {.exception.ext_dabt_pending = 1};
	int r;

	if (ioctl(v->fd, KVM_SET_VCPU_EVENTS, &ev))
		return -errno;
	/* Take the abort now. KVM sees the pending exception and leaves the access alone, but keeps in mind
	 * that it is to be completed; the exit reason is what makes it do so the next time. */
	v->mmio_pending = true;
	r = settle(v);
	v->run->exit_reason = KVM_EXIT_UNKNOWN;
	return r;
}

/* ---- registers ---- */

/* Offsets within struct kvm_regs, in 32-bit words. */
enum {
	CORE_SP_EL0 = 0x3e,
	CORE_PC = 0x40,
	CORE_PSTATE = 0x42,
	CORE_SP_EL1 = 0x44,
	CORE_ELR_EL1 = 0x46,
	CORE_SPSR_EL1 = 0x48,
	CORE_V0 = 0x54,
	CORE_FPSR = 0xd4,
	CORE_FPCR = 0xd5,
};

static uint64_t core_id(uint32_t id)
{
	switch (id) {
	case REG_PC:
		return KVM_ID_CORE64(CORE_PC);
	case REG_PSTATE:
		return KVM_ID_CORE64(CORE_PSTATE);
	case REG_SP_EL0:
		return KVM_ID_CORE64(CORE_SP_EL0);
	case REG_SP_EL1:
		return KVM_ID_CORE64(CORE_SP_EL1);
	case REG_ELR_EL1:
		return KVM_ID_CORE64(CORE_ELR_EL1);
	case REG_SPSR_EL1:
		return KVM_ID_CORE64(CORE_SPSR_EL1);
	case REG_FPSR:
		return KVM_ID_CORE32(CORE_FPSR);
	case REG_FPCR:
		return KVM_ID_CORE32(CORE_FPCR);
	default:
		return 0;
	}
}

/* Registers that KVM keeps in struct kvm_regs, and the two timer registers whose ids are swapped. */
static uint64_t sys_id(uint16_t code)
{
	switch (code) {
	case SYSREG(3, 0, 4, 1, 0):
		return KVM_ID_CORE64(CORE_SP_EL0);
	case SYSREG(3, 0, 4, 0, 0):
		return KVM_ID_CORE64(CORE_SPSR_EL1);
	case SYSREG(3, 0, 4, 0, 1):
		return KVM_ID_CORE64(CORE_ELR_EL1);
	case SYSREG(3, 3, 14, 3, 2): /* CNTV_CVAL_EL0 */
		return KVM_ID_SYS(SYSREG(3, 3, 14, 0, 2));
	case CNTVCT_EL0:
		return KVM_ID_SYS(SYSREG(3, 3, 14, 3, 2));
	default:
		return KVM_ID_SYS(code);
	}
}

static uint64_t reg_id(uint32_t id)
{
	switch (REG_CLASS(id)) {
	case REG_CLASS_X:
		return KVM_ID_CORE64(2 * REG_NUMBER(id));
	case REG_CLASS_CORE:
		return core_id(id);
	case REG_CLASS_SYS:
		return sys_id(REG_NUMBER(id));
	default:
		return 0;
	}
}

static int one_reg(struct hv_vcpu *v, unsigned long request, uint64_t id, void *value)
{
	struct kvm_one_reg r = {.id = id, .addr = (uintptr_t)value};
	int error = settle(v);

	if (error)
		return error;
	return ioctl(v->fd, request, &r) ? -errno : 0;
}

static int kvm_get_reg(struct hv_vcpu *v, uint32_t id, uint64_t *value)
{
	*value = 0; /* FPSR and FPCR are 32 bits wide */
	return one_reg(v, KVM_GET_ONE_REG, reg_id(id), value);
}

static int kvm_set_reg(struct hv_vcpu *v, uint32_t id, uint64_t value)
{
	return one_reg(v, KVM_SET_ONE_REG, reg_id(id), &value);
}

static int kvm_get_vreg(struct hv_vcpu *v, unsigned n, uint64_t value[2])
{
	return one_reg(v, KVM_GET_ONE_REG, KVM_ID_CORE128(CORE_V0 + 4 * n), value);
}

static int kvm_set_vreg(struct hv_vcpu *v, unsigned n, const uint64_t value[2])
{
	return one_reg(v, KVM_SET_ONE_REG, KVM_ID_CORE128(CORE_V0 + 4 * n), (void *)value);
}

/* ---- lines ---- */

static int kvm_irq(struct hv_vcpu *v, enum hv_line line, bool level)
{
	struct kvm_irq_level l = {
		.irq = KVM_ARM_IRQ_TYPE_CPU << KVM_ARM_IRQ_TYPE_SHIFT |
		       v->index << KVM_ARM_IRQ_VCPU_SHIFT |
		       (line == HV_FIQ ? KVM_ARM_IRQ_CPU_FIQ : KVM_ARM_IRQ_CPU_IRQ),
		.level = level,
	};

	return ioctl(v->vm->fd, KVM_IRQ_LINE, &l) ? -errno : 0;
}

static uint32_t kvm_timer_levels(struct hv_vcpu *v)
{
	uint64_t l = v->run->s.regs.device_irq_level;

	return (l & KVM_ARM_DEV_EL1_VTIMER ? 1U << HV_TIMER_VIRT : 0) |
	       (l & KVM_ARM_DEV_EL1_PTIMER ? 1U << HV_TIMER_PHYS : 0);
}

const struct hv_ops hv_kvm_ops = {
	.name = "kvm",
	.doc = "Linux KVM on arm64 hosts, kernel 6.1 or newer",
	.probe = kvm_probe,
	.vm_create = kvm_vm_create,
	.vm_destroy = kvm_vm_destroy,
	.mem_map = kvm_mem_map,
	.mem_unmap = kvm_mem_unmap,
	.vcpu_create = kvm_vcpu_create,
	.vcpu_destroy = kvm_vcpu_destroy,
	.vcpu_reset = kvm_vcpu_reset,
	.run = kvm_vcpu_run,
	.wait_for_interrupt = kvm_wait_for_interrupt,
	.kick = kvm_kick,
	.mmio_done = kvm_mmio_done,
	.mmio_abort = kvm_mmio_abort,
	.get_reg = kvm_get_reg,
	.set_reg = kvm_set_reg,
	.get_vreg = kvm_get_vreg,
	.set_vreg = kvm_set_vreg,
	.irq = kvm_irq,
	.timer_levels = kvm_timer_levels,
	.debug = kvm_debug,
};
