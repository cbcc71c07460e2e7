/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life of a machine.
 *
 *  1. vm_pick_backend   can this host run it?
 *  2. build             instances from the board, their regions into one address space, init
 *  3. connect           a VM of the back end, guest memory mapped into it
 *  4. load              reset of all devices, images into memory, where PE 0 begins
 *  5. pe_set_start      PE threads; the caller's thread serves the main loop until something calls finish()
 *  6. take apart, in reverse order
 *
 * Requests from PE threads (power-off, reset) are deferred to the main loop's thread, which alone
 * changes the machine.
 */
#include "vm/vm.h"

#include "arm/model.h"
#include "dev/cpu.h"
#include "host/clock.h"
#include "host/signals.h"
#include "reverse/reverse.h"
#include "util/bits.h"
#include "util/err.h"
#include "util/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IPA_BITS_USUAL = 40, SEED_USUAL = 1 };

/* ---- ending ---- */

const char *vm_end_name(enum vm_end end)
{
	static const char *const names[] = {"power-off", "reset",	  "timeout",	 "quit",
					    "signal",	 "configuration", "host failure"};

	return names[end];
}

/* First reason wins. Any thread. */
static void finish(struct vm *vm, enum vm_end end)
{
	if (__atomic_exchange_n(&vm->ending, true, __ATOMIC_ACQ_REL))
		return;
	vm->end = end;
	vm->end_ns = clock_mono_ns();
	loop_stop(vm->loop);
}

/* PEs report failures at any time, and the main loop's thread those of a reset. Empties @e. */
static void add_errors(struct vm *vm, struct err *e)
{
	pthread_mutex_lock(&vm->err_lock);
	err_move(vm->err, e);
	pthread_mutex_unlock(&vm->err_lock);
}

void vm_quit(struct vm *vm)
{
	finish(vm, VM_END_QUIT);
}

/* ---- requests of devices and PEs ---- */

static void on_power_off(void *opaque, const char *what)
{
	struct vm *vm = opaque;
	bool user = !strcmp(what, "user quit");

	LOG(pe, "%s", what);
	pe_set_hold(vm->pes);
	finish(vm, user ? VM_END_QUIT : VM_END_POWEROFF);
}

static int load(struct vm *vm, struct err *e);

static void do_reset(void *opaque)
{
	struct vm *vm = opaque;
	struct err e = ERR_INIT;

	if (__atomic_load_n(&vm->ending, __ATOMIC_ACQUIRE))
		return;
	if (!vm->paused)
		pe_set_pause(vm->pes);
	if (load(vm, &e)) {
		finish(vm, VM_END_CONFIG);
	} else {
		pe_set_reset(vm->pes, &vm->entry);
		vm->resets++;
	}
	if (!vm->paused)
		pe_set_resume(vm->pes);
	add_errors(vm, &e);
}

static void on_reset(void *opaque, const char *what)
{
	struct vm *vm = opaque;

	LOG(pe, "%s", what);
	pe_set_hold(vm->pes);
	if (vm->cfg->no_reboot)
		finish(vm, VM_END_RESET);
	else
		loop_defer(vm->loop, do_reset, vm);
}

void vm_request_reset(struct vm *vm, const char *what)
{
	on_reset(vm, what);
}

static void on_console_byte(void *opaque)
{
	struct vm *vm = opaque;

	if (!__atomic_load_n(&vm->console_ns, __ATOMIC_RELAXED))
		__atomic_store_n(&vm->console_ns, clock_mono_ns(), __ATOMIC_RELAXED);
}

static void on_monitor(void *opaque, const char *line, int fd)
{
	struct vm *vm = opaque;

	if (vm->cfg->monitor)
		vm->cfg->monitor(vm->cfg->opaque, vm, line, fd);
}

static void on_failed(void *opaque, unsigned pe, const char *text)
{
	struct vm *vm = opaque;
	char where[16];
	struct err e = ERR_INIT;

	snprintf(where, sizeof(where), "pe%u", pe);
	err_set(&e, -EIO, where, "%s", text);
	add_errors(vm, &e);
	finish(vm, VM_END_HOST_FAILURE);
}

static void on_timeout(void *opaque)
{
	finish(opaque, VM_END_TIMEOUT);
}

static void on_signal(void *opaque, int signal)
{
	struct vm *vm = opaque;

	vm->signal = signal;
	finish(vm, VM_END_SIGNAL);
}

void vm_pause(struct vm *vm)
{
	if (!vm->paused)
		pe_set_pause(vm->pes);
	vm->paused = true;
}

void vm_resume(struct vm *vm)
{
	if (vm->paused)
		pe_set_resume(vm->pes);
	vm->paused = false;
}

/* ---- choosing a back end ---- */

static const struct hv_ops *pick_named(const char *name, const char *options, struct hv_caps *caps,
				       struct err *e)
{
	const struct hv_ops *hv = hv_find(name);

	if (hv)
		return hv->probe(options, caps, e) ? NULL : hv;
	err_set(e, -EINVAL, "--hv", "there is no back end \"%s\" in this build", name);
	err_hint(e, "`obverse list backends` shows what there is");
	return NULL;
}

const struct hv_ops *vm_pick_backend(const char *name, const char *options, struct hv_caps *caps,
				     struct err *e)
{
	if (name && strcmp(name, "auto"))
		return pick_named(name, options, caps, e);
	if (!hv_backends[0]) {
		err_set(e, -ENODEV, "--hv", "this build has no back end for this kind of host");
		err_hint(e, "run it on an arm64 Linux host, or through tools/armhost");
		return NULL;
	}
	for (unsigned i = 0; hv_backends[i]; i++) {
		if (!hv_backends[i]->probe(options, caps, e)) {
			err_free(e); /* of better ones that did not work */
			return hv_backends[i];
		}
	}
	return NULL;
}

/* ---- building ---- */

static struct dev *find_class(const struct board *b, enum dev_class cls, unsigned index)
{
	unsigned count;
	struct dev *const *devs = board_devs(b, &count);

	for (unsigned i = 0; i < count; i++) {
		if (devs[i]->c->cls == cls && !index--)
			return devs[i];
	}
	return NULL;
}

/* Exception levels that the host's vCPUs have not got. */
static int reverse(struct vm *vm, const struct dev *cpu, struct err *e)
{
	struct hv_caps inner = vm->caps;
	int r;

	if (!(cpu_els(cpu) & ~inner.native_els))
		return 0;
	if (!inner.views) {
		r = err_set(e, -ENOTSUP, cpu->where,
			    "%s: the board has EL2 or EL3, which %s on this host does not execute, "
			    "and it has one "
			    "VM for a machine where several are needed",
			    cpu->name, vm->hv->name);
		err_hint(e, "use --hv soft, or a board without");
		return r;
	}
	vm->inner = vm->hv;
	vm->hv = &hv_reverse_ops;
	reverse_caps(&inner, &vm->caps);
	return 0;
}

static int check_cpus(struct vm *vm, const struct dev *cpu, struct err *e)
{
	unsigned count = cpu_count(cpu);
	int r;

	if (count <= vm->caps.max_vcpus)
		return 0;
	r = err_set(e, -EINVAL, cpu->where, "%s: this host runs at most %u CPUs in one machine",
		    cpu->name, vm->caps.max_vcpus);
	err_hint(e, "lower --smp");
	return r;
}

/* What comes from a network comes at any time. */
static int check_deterministic(const struct vm *vm, struct err *e)
{
	unsigned count;
	struct dev *const *devs = board_devs(vm->board, &count);
	int r = 0;

	if (!vm->caps.virtual_time) {
		r = err_set(e, -ENOTSUP, "--deterministic", "%s executes in the host's time",
			    vm->hv->name);
		err_hint(e, "use --hv soft");
	}
	for (unsigned i = 0; i < count; i++) {
		const struct dev *be = devs[i]->backend;

		if (!be || be->c->backend != BACKEND_NET)
			continue;
		r = err_set(e, -ENOTSUP, be->where,
			    "%s: a network is not possible with --deterministic", be->name);
		err_hint(e, "leave out --net, or --deterministic");
	}
	return r;
}

static int build(struct vm *vm, struct err *e)
{
	struct dev *cpu;
	int r;

	vm->host = (struct dev_host){
		.mem = vm->mem,
		.loop = vm->loop,
		.seed = vm->cfg->seed,
		.clock = vm->cfg->deterministic ? &vm->clock : NULL,
		.opaque = vm,
		.power_off = on_power_off,
		.reset = on_reset,
		.console_byte = on_console_byte,
		.monitor = on_monitor,
	};
	if (vm->cfg->deterministic && !vm->host.seed)
		vm->host.seed = SEED_USUAL;
	r = board_build(vm->board, &vm->host, e);
	if (!r && vm->cfg->deterministic)
		r = check_deterministic(vm, e);
	if (r)
		return r;
	cpu = find_class(vm->board, DEV_CPU, 0);
	r = reverse(vm, cpu, e);
	if (!r)
		r = check_cpus(vm, cpu, e);
	if (r)
		return r;
	vm->pes = pe_set_create(cpu_count(cpu), cpu_els(cpu));
	if (cpu_model(cpu))
		pe_set_model(vm->pes, cpu_model(cpu));
	vm->host.pes = vm->pes;
	r = board_init(vm->board, e);
	if (!r)
		mem_freeze(vm->mem);
	return r;
}

/* ---- connecting ---- */

static int map_region(void *opaque, const struct mem_region *r, bool map)
{
	static const unsigned prot[] = {
		[MEM_RAM] = HV_READ | HV_WRITE | HV_EXEC,
		[MEM_ROM] = HV_READ | HV_EXEC,
		[MEM_MMIO] = HV_READ | HV_DEVICE,
	};
	struct vm *vm = opaque;
	bool aligned = !(r->base % vm->caps.page_size) && !(r->size % vm->caps.page_size);

	if (!aligned)
		return r->kind == MEM_RAM ? -EINVAL : 0; /* others: served access by access */
	if (r->kind == MEM_MMIO && !vm->caps.maps_devices)
		return 0;
	if (!map)
		return vm->hv->mem_unmap(vm->hv_vm, r->base, r->size);
	return vm->hv->mem_map(vm->hv_vm, r->base, r->host, r->size,
			       prot[r->kind] | (mem_is_secret(r) ? HV_SECURE : 0));
}

static unsigned needed_ipa_bits(const struct vm *vm)
{
	size_t count;
	struct mem_region *const *r = mem_regions(vm->mem, &count);
	uint64_t last = count ? r[count - 1]->base + r[count - 1]->size - 1 : 0;
	unsigned need = last ? 64 - __builtin_clzll(last) : 1;

	if (need < IPA_BITS_USUAL)
		need = IPA_BITS_USUAL < vm->caps.ipa_bits ? IPA_BITS_USUAL : vm->caps.ipa_bits;
	return need;
}

static unsigned core_pa_bits(const struct vm *vm)
{
	const struct arm_model *m = cpu_model(find_class(vm->board, DEV_CPU, 0));

	return m ? arm_model_pa_bits(m) : 64;
}

static int connect_memory(struct vm *vm, struct err *e)
{
	const struct hv_watch *watch = vm->cfg->stages ? pe_set_count_stages(vm->pes) : NULL;
	unsigned ipa_bits = needed_ipa_bits(vm);
	int r;

	if (core_pa_bits(vm) < ipa_bits) {
		r = err_set(e, -ERANGE, NULL,
			    "the board needs %u bits of physical address, its core has %u",
			    ipa_bits, core_pa_bits(vm));
		err_hint(e, "less memory (--mem), a board with lower addresses, or --cpu max");
		return r;
	}
	if (ipa_bits > vm->caps.ipa_bits) {
		r = err_set(e, -ERANGE, NULL,
			    "the board needs %u bits of physical address, this host offers %u",
			    ipa_bits, vm->caps.ipa_bits);
		err_hint(e, "less memory (--mem), or a board with lower addresses");
		return r;
	}
	r = vm->hv->vm_create(
		&(struct hv_vm_config){.inner = vm->inner,
				       .options = vm->cfg->hv_options,
				       .ipa_bits = ipa_bits,
				       .els = pe_els(vm->pes),
				       .model = cpu_model(find_class(vm->board, DEV_CPU, 0)),
				       .strategy = vm->cfg->strategy,
				       .watch = watch,
				       .clock = vm->host.clock},
		&vm->hv_vm, e);
	if (r)
		return r;
	r = mem_listen(vm->mem, map_region, vm);
	if (r == -EINVAL) {
		err_set(e, r, NULL,
			"RAM must begin and end at multiples of the host's %u KiB pages",
			vm->caps.page_size / 1024);
		err_hint(e, "choose a rounder --mem and address");
	} else if (r) {
		err_set(e, r, NULL, "cannot give the guest its memory: %s", strerror(-r));
	}
	return r;
}

static void connect_pes(struct vm *vm)
{
	struct pe_set_config cfg = {
		.hv = vm->hv,
		.caps = &vm->caps,
		.vm = vm->hv_vm,
		.mem = vm->mem,
		.clock = vm->host.clock,
		.loop = vm->loop,
		.opaque = vm,
		.power_off = on_power_off,
		.reset = on_reset,
		.failed = on_failed,
	};

	pe_set_configure(vm->pes, &cfg);
}

/* ---- loading ---- */

static int boot_from(struct vm *vm, struct dev *d, const struct dev_boot *in, struct err *e)
{
	struct dev_boot b = *in;
	int r = d->c->boot(d, &b, e);

	if (r || !b.found)
		return r;
	vm->entry = (struct pe_entry){
		.pc = b.pc, .code = b.image_start, .code_end = b.image_end, .at_reset = b.at_reset};
	memcpy(vm->entry.x, b.x, sizeof(vm->entry.x));
	if (!b.at_reset)
		board_hand_over(vm->board);
	return 1;
}

/* Devices to reset, images to memory; sets vm->entry. */
static int load(struct vm *vm, struct err *e)
{
	struct dev_boot b = {0};
	struct dev *d;
	void *dtb;
	int r = 0;

	board_reset(vm->board);
	dtb = board_dtb(vm->board, &b.dtb_size, e);
	if (!dtb)
		return -EINVAL;
	b.dtb = dtb;
	for (unsigned i = 0; !r && (d = find_class(vm->board, DEV_BOOT, i)); i++)
		r = boot_from(vm, d, &b, e);
	free(dtb);
	if (!r) {
		r = err_set(e, -EINVAL, NULL, "nothing to boot");
		err_hint(e, "give a kernel (--kernel FILE) or firmware (--bios FILE)");
	}
	return r < 0 ? r : 0;
}

/* ---- running ---- */

static void tell_running(struct dev *d, bool run)
{
	if (d && d->c->running)
		d->c->running(d, run);
}

static void set_running(struct vm *vm, bool run)
{
	unsigned count;
	struct dev *const *devs = board_devs(vm->board, &count);

	for (unsigned i = 0; i < count; i++) {
		tell_running(devs[i], run);
		tell_running(devs[i]->backend, run);
	}
}

static void run(struct vm *vm, struct err *e)
{
	loop_timer_init(&vm->timeout, vm->loop, on_timeout, vm);
	if (vm->cfg->timeout_ns)
		loop_timer_arm(&vm->timeout, clock_mono_ns() + vm->cfg->timeout_ns);
	set_running(vm, true);
	if (!pe_set_start(vm->pes, &vm->entry, e)) {
		if (vm->cfg->deterministic)
			pe_set_run(vm->pes);
		else
			loop_run(vm->loop);
	}
	vm_resume(vm);
	pe_set_stop(vm->pes);
	set_running(vm, false);
	loop_timer_fini(&vm->timeout);
}

static void prepare_and_run(struct vm *vm, struct err *e)
{
	vm->hv = vm_pick_backend(vm->cfg->hv, vm->cfg->hv_options, &vm->caps, e);
	if (!vm->hv || build(vm, e) || connect_memory(vm, e))
		return;
	connect_pes(vm);
	if (load(vm, e))
		return;
	vm->end = VM_END_HOST_FAILURE;
	run(vm, e);
	if (!vm->end_ns)
		vm->end_ns = clock_mono_ns();
	if (vm->cfg->report)
		vm->cfg->report(vm->cfg->opaque, vm);
}

/* Devices first: they hold wires to the PEs, regions of the space and timers of the loop. */
static void take_apart(struct vm *vm)
{
	board_destroy_devs(vm->board);
	pe_set_destroy(vm->pes);
	if (vm->hv_vm) {
		mem_unlisten(vm->mem, map_region, vm);
		vm->hv->vm_destroy(vm->hv_vm);
	}
	mem_space_destroy(vm->mem);
}

enum vm_end vm_run(struct board *b, const struct vm_config *cfg, int *signal, struct err *e)
{
	struct vm vm = {.cfg = cfg, .board = b, .end = VM_END_CONFIG, .err = e};
	struct signals *sig = NULL;

	vm.start_ns = cfg->start_ns ? cfg->start_ns : clock_mono_ns();
	pthread_mutex_init(&vm.err_lock, NULL);
	vm.mem = mem_space_create();
	vm.loop = loop_create();
	if (vm.loop && cfg->deterministic)
		loop_set_clock(vm.loop, &vm.clock);
	if (vm.loop)
		sig = signals_watch(vm.loop, on_signal, &vm);
	if (sig)
		prepare_and_run(&vm, e);
	else
		err_set(e, -errno, NULL, "cannot create the event loop: %s", strerror(errno));
	take_apart(&vm);
	signals_unwatch(sig);
	if (vm.loop)
		loop_destroy(vm.loop);
	pthread_mutex_destroy(&vm.err_lock);
	if (signal)
		*signal = vm.signal;
	return vm.end;
}
