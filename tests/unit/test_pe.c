/* SPDX-License-Identifier: Apache-2.0 */
/* PEs on a back end that only plays back exits. */
#include "pe/pe.h"

#include "arm/exc.h"
#include "arm/smccc.h"
#include "arm/sysreg.h"
#include "hv/fake/fake.h"
#include "mem/mem.h"
#include "pe/set.h"
#include "util/bits.h"
#include "util/err.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum {
	PES = 3,
	BASE = 0x40000000,
	SIZE = 0x10000,
	DEVICE = 0x9000000,
	VBAR = BASE + 0x8000,
	EL1H = 0x3c5,
	EL0T = 0,
	HVC = 0xd4000002,
	BR_X1 = 0xd61f0020,
	UNKNOWN_REG = 0x42,
};

struct rig {
	struct mem_space *mem;
	struct mem_region ram, device;
	pthread_mutex_t device_lock;
	uint32_t *word;
	struct hv_ops ops;
	struct hv_caps caps;
	struct hv_vm *vm;
	struct pe_set *s;
	struct pe_entry entry;
	atomic_uint offs, resets, failures;
	_Atomic(const char *) what;
	atomic_uint timer_calls[HV_TIMER_COUNT][2];
	atomic_ullong device_value, written;
	atomic_uint access_pe;
};

/* ---- what PEs call ---- */

static void on_power_off(void *opaque, const char *what)
{
	struct rig *r = opaque;

	r->what = what;
	r->offs++;
}

static void on_reset(void *opaque, const char *what)
{
	struct rig *r = opaque;

	r->what = what;
	r->resets++;
}

static void on_failed(void *opaque, unsigned pe, const char *text)
{
	((struct rig *)opaque)->failures++;
}

static void on_timer(void *opaque, unsigned pe, enum hv_timer timer, bool level)
{
	((struct rig *)opaque)->timer_calls[timer][level]++;
}

static bool sysreg_read(void *opaque, const struct pe_access *a, uint16_t reg, uint64_t *value)
{
	struct rig *r = opaque;

	r->access_pe = a->pe;
	*value = 0x1234567800000000 | reg;
	return reg != SYS_ICC_AP1R0_EL1;
}

static bool sysreg_write(void *opaque, const struct pe_access *a, uint16_t reg, uint64_t value)
{
	struct rig *r = opaque;

	r->access_pe = a->pe;
	r->written = value;
	return reg != SYS_ICC_AP1R0_EL1;
}

static const struct pe_sysreg_ops sysreg_ops = {sysreg_read, sysreg_write};

static enum mem_result device_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value,
				   struct mem_attrs attrs)
{
	struct rig *r = opaque;

	*value = r->device_value;
	return offset ? MEM_ERROR : MEM_OK;
}

static enum mem_result device_write(void *opaque, uint64_t offset, unsigned size, uint64_t value,
				    struct mem_attrs attrs)
{
	struct rig *r = opaque;

	r->device_value = value;
	r->access_pe = attrs.pe;
	return offset ? MEM_ERROR : MEM_OK;
}

/* ---- the rig ---- */

static void add_memory(struct rig *r)
{
	struct err e = {0};

	r->word = aligned_alloc(4096, SIZE);
	memset(r->word, 0, SIZE);
	pthread_mutex_init(&r->device_lock, NULL);
	r->ram = (struct mem_region){.name = "ram",
				     .base = BASE,
				     .size = SIZE,
				     .kind = MEM_RAM,
				     .host = (uint8_t *)r->word};
	r->device = (struct mem_region){.name = "device",
					.base = DEVICE,
					.size = 0x1000,
					.kind = MEM_MMIO,
					.min_width = 4,
					.max_width = 4,
					.read = device_read,
					.write = device_write,
					.opaque = r,
					.lock = &r->device_lock};
	r->mem = mem_space_create();
	assert_int_equal(mem_add(r->mem, &r->ram, &e), 0);
	assert_int_equal(mem_add(r->mem, &r->device, &e), 0);
	mem_freeze(r->mem);
}

static int setup(void **state)
{
	static const uint16_t regs[] = {SYS_ICC_SRE_EL1, SYS_ICC_PMR_EL1, SYS_ICC_AP1R0_EL1};
	struct rig *r = calloc(1, sizeof(*r));
	struct pe_set_config cfg;
	struct err e = {0};

	add_memory(r);
	r->ops = hv_fake_ops;
	assert_int_equal(r->ops.probe(&r->caps, &e), 0);
	assert_int_equal(r->ops.vm_create(NULL, 40, &r->vm, &e), 0);
	r->s = pe_set_create(PES);
	for (unsigned i = 0; i < ARRAY_COUNT(regs); i++)
		pe_sysreg_add(r->s, regs[i], &sysreg_ops, r);
	pe_timer_listen(r->s, on_timer, r);
	pe_id_field(r->s, SYS_ID_AA64PFR0_EL1, 27, 24, 3);
	cfg = (struct pe_set_config){.hv = &r->ops,
				     .caps = &r->caps,
				     .vm = r->vm,
				     .mem = r->mem,
				     .opaque = r,
				     .power_off = on_power_off,
				     .reset = on_reset,
				     .failed = on_failed};
	pe_set_configure(r->s, &cfg);
	r->entry = (struct pe_entry){.pc = BASE, .x = {0x77, 1, 2, 3}};
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	pe_set_destroy(r->s);
	r->ops.vm_destroy(r->vm);
	mem_space_destroy(r->mem);
	pthread_mutex_destroy(&r->device_lock);
	free(r->word);
	free(r);
	return 0;
}

static void start(struct rig *r)
{
	struct err e = {0};

	assert_int_equal(pe_set_start(r->s, &r->entry, &e), 0);
	assert_true(fake_wait_idle(r->vm, 0));
}

static uint64_t reg(struct rig *r, unsigned pe, uint32_t id)
{
	return fake_get(r->vm, pe, id);
}

static uint64_t x(struct rig *r, unsigned pe, unsigned n)
{
	return reg(r, pe, REG_X(n));
}

static unsigned runs(struct rig *r, unsigned pe)
{
	return fake_calls(r->vm, pe, FAKE_RUN, NULL, 0);
}

static void queue_call(struct rig *r, unsigned pe, uint64_t x0, uint64_t x1, uint64_t x2,
		       uint64_t x3)
{
	struct hv_exit e = {.kind = HV_EXIT_HVC};
	struct fake_reg regs[] = {{REG_X(0), x0}, {REG_X(1), x1}, {REG_X(2), x2}, {REG_X(3), x3}};

	fake_queue(r->vm, pe, &e, regs, ARRAY_COUNT(regs));
}

/* A PSCI call by PE 0, which stays on. */
static int64_t call(struct rig *r, uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3)
{
	queue_call(r, 0, x0, x1, x2, x3);
	assert_true(fake_wait_idle(r->vm, 0));
	return x(r, 0, 0);
}

static void queue_brk(struct rig *r, unsigned pe, uint16_t imm, uint64_t pc, uint64_t pstate)
{
	struct hv_exit e = {.kind = HV_EXIT_BRK, .brk = {imm}};
	struct fake_reg regs[] = {
		{REG_PC, pc}, {REG_PSTATE, pstate}, {REG_SYS(SYS_VBAR_EL1), VBAR}};

	fake_queue(r->vm, pe, &e, regs, ARRAY_COUNT(regs));
}

/* PE 0 executes the patched word @n. */
static void execute(struct rig *r, unsigned n, uint64_t pstate)
{
	assert_int_equal(r->word[n] & 0xffe0001f, 0xd4200000);
	queue_brk(r, 0, r->word[n] >> 5, BASE + 4 * n, pstate);
	assert_true(fake_wait_idle(r->vm, 0));
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

/* Until PE @n is seen off by PE 0; some seconds at most. */
static void wait_off(struct rig *r, unsigned n)
{
	for (unsigned i = 0; i < 150; i++) {
		if (call(r, PSCI_AFFINITY_INFO, n, 0, 0) == PSCI_AFFINITY_OFF)
			return;
		nap();
	}
	fail_msg("PE %u does not go off", n);
}

static void assert_exception(struct rig *r, uint64_t offset, uint32_t esr, uint64_t elr,
			     uint64_t spsr)
{
	assert_int_equal(reg(r, 0, REG_PC), VBAR + offset);
	assert_int_equal(reg(r, 0, REG_SYS(SYS_ESR_EL1)), esr);
	assert_int_equal(reg(r, 0, REG_ELR_EL1), elr);
	assert_int_equal(reg(r, 0, REG_SPSR_EL1), spsr);
	assert_int_equal(reg(r, 0, REG_PSTATE) & 0xf, 5);
}

/* ---- start ---- */

static void test_start(void **state)
{
	struct rig *r = *state;

	start(r);
	assert_int_equal(reg(r, 0, REG_PC), BASE);
	assert_int_equal(reg(r, 0, REG_PSTATE), EL1H);
	assert_int_equal(reg(r, 0, REG_SYS(SYS_MPIDR_EL1)), 0x80000000);
	assert_int_equal(x(r, 0, 0), 0x77);
	assert_int_equal(x(r, 0, 3), 3);
	assert_int_equal(runs(r, 1), 0);
	assert_true(pe_set_first_run_ns(r->s) > 0);
	pe_set_stop(r->s);
	pe_set_stop(r->s); /* idempotent */
	assert_string_equal(pe_set_power_state(r->s, 0), "on");
	assert_string_equal(pe_set_power_state(r->s, 1), "off");
}

static int no_vcpu(struct hv_vm *vm, unsigned index, struct hv_vcpu **out, struct err *e)
{
	return index < 2 ? hv_fake_ops.vcpu_create(vm, index, out, e)
			 : err_set(e, -ENOMEM, NULL, "no more");
}

/* The second of three fails: the others end without a guest instruction. */
static void test_start_fails(void **state)
{
	struct rig *r = *state;
	struct err e = {0};

	r->ops.vcpu_create = no_vcpu;
	assert_int_equal(pe_set_start(r->s, &r->entry, &e), -ENOMEM);
	err_free(&e);
	assert_int_equal(runs(r, 0), 0);
}

/* ---- PSCI ---- */

static void test_psci_table(void **state)
{
	static const struct {
		uint64_t x[4];
		int64_t result;
	} calls[] = {
		{{PSCI_VERSION}, PSCI_1_1},
		{{0xffffffff00000000 | PSCI_VERSION}, PSCI_1_1}, /* W0 alone counts */
		{{PSCI_VERSION | SMCCC_64}, PSCI_NOT_SUPPORTED},
		{{0}, PSCI_NOT_SUPPORTED},
		{{0xffffffff}, PSCI_NOT_SUPPORTED},
		{{PSCI_SYSTEM_SUSPEND}, PSCI_NOT_SUPPORTED},
		{{SMCCC_VERSION}, SMCCC_1_1},
		{{SMCCC_ARCH_FEATURES, SMCCC_VERSION}, 0},
		{{SMCCC_ARCH_FEATURES, SMCCC_ARCH_WORKAROUND_1}, SMCCC_NOT_SUPPORTED},
		{{PSCI_FEATURES, PSCI_CPU_ON}, 0},
		{{PSCI_FEATURES, PSCI_CPU_ON | SMCCC_64}, 0},
		{{PSCI_FEATURES, PSCI_CPU_OFF}, 0},
		{{PSCI_FEATURES, PSCI_CPU_OFF | SMCCC_64}, PSCI_NOT_SUPPORTED},
		{{PSCI_FEATURES, SMCCC_VERSION}, 0},
		{{PSCI_FEATURES, PSCI_MEM_PROTECT}, PSCI_NOT_SUPPORTED},
		{{PSCI_MIGRATE_INFO_TYPE}, PSCI_TOS_NOT_PRESENT},
		{{PSCI_CPU_SUSPEND}, PSCI_SUCCESS},
		{{PSCI_AFFINITY_INFO, 0, 0}, PSCI_AFFINITY_ON},
		{{PSCI_AFFINITY_INFO, 1, 0}, PSCI_AFFINITY_OFF},
		{{PSCI_AFFINITY_INFO, PES, 0}, PSCI_INVALID_PARAMETERS},
		{{PSCI_AFFINITY_INFO, 0, 1}, PSCI_INVALID_PARAMETERS},
		{{PSCI_AFFINITY_INFO, 1ULL << 32, 0}, PSCI_AFFINITY_ON}, /* W1 alone counts */
		{{PSCI_AFFINITY_INFO | SMCCC_64, 1ULL << 32, 0}, PSCI_INVALID_PARAMETERS},
		{{PSCI_AFFINITY_INFO, 0x80000000, 0}, PSCI_INVALID_PARAMETERS},
		{{PSCI_CPU_ON, 0, BASE}, PSCI_ALREADY_ON},
		{{PSCI_CPU_ON, PES, BASE}, PSCI_INVALID_PARAMETERS},
		{{PSCI_CPU_ON, 1, DEVICE}, PSCI_INVALID_ADDRESS},
		{{PSCI_CPU_ON, 1, BASE + 2}, PSCI_INVALID_ADDRESS},
		{{PSCI_CPU_ON | SMCCC_64, 1, BASE | 1ULL << 40}, PSCI_INVALID_ADDRESS},
		{{PSCI_SYSTEM_RESET2, 1}, PSCI_INVALID_PARAMETERS},
		{{PSCI_SYSTEM_RESET2 | SMCCC_64, PSCI_RESET2_VENDOR}, PSCI_INVALID_PARAMETERS},
	};
	struct rig *r = *state;

	start(r);
	for (unsigned i = 0; i < ARRAY_COUNT(calls); i++) {
		const uint64_t *a = calls[i].x;

		assert_int_equal(call(r, a[0], a[1], a[2], a[3]), calls[i].result);
		for (unsigned n = 1; n < 4; n++)
			assert_int_equal(x(r, 0, n), a[n]);
	}
	assert_int_equal(runs(r, 1), 0);
	assert_int_equal(r->offs + r->resets, 0);
}

static void test_cpu_on_and_off(void **state)
{
	struct rig *r = *state;

	start(r);
	for (unsigned round = 0; round < 3; round++) {
		uint64_t fid = round % 2 ? PSCI_CPU_ON : PSCI_CPU_ON | SMCCC_64;
		uint64_t context = 0x123456789abcdef0;
		int64_t again;

		assert_int_equal(call(r, fid, 1, BASE + 0x100, context), PSCI_SUCCESS);
		again = call(r, fid, 1, BASE + 0x200, 0);
		assert_true(again == PSCI_ALREADY_ON || again == PSCI_ON_PENDING);
		assert_true(fake_wait_idle(r->vm, 1));
		assert_int_equal(reg(r, 1, REG_PC), BASE + 0x100);
		assert_int_equal(reg(r, 1, REG_PSTATE), EL1H);
		assert_int_equal(reg(r, 1, REG_SYS(SYS_MPIDR_EL1)), 0x80000001);
		assert_int_equal(x(r, 1, 0), round % 2 ? (uint32_t)context : context);
		assert_int_equal(call(r, PSCI_AFFINITY_INFO, 1, 0, 0), PSCI_AFFINITY_ON);
		assert_int_equal(call(r, fid, 1, BASE, 0), PSCI_ALREADY_ON);
		queue_call(r, 1, PSCI_CPU_OFF, 0, 0, 0);
		wait_off(r, 1);
	}
}

static void test_system_calls(void **state)
{
	struct rig *r = *state;

	start(r);
	queue_call(r, 0, PSCI_SYSTEM_RESET2, 0, 0, 0);
	while (!r->resets)
		nap();
	assert_string_equal(r->what, "PSCI SYSTEM_RESET");
	/* What the machine does then. */
	pe_set_pause(r->s);
	pe_set_reset(r->s, &r->entry);
	pe_set_resume(r->s);
	assert_true(fake_wait_idle(r->vm, 0));
	queue_call(r, 0, PSCI_SYSTEM_OFF, 0, 0, 0);
	while (!r->offs)
		nap();
	assert_string_equal(r->what, "PSCI SYSTEM_OFF");
	pe_set_pause(r->s);
	assert_string_equal(pe_set_power_state(r->s, 0), "off");
	pe_set_resume(r->s);
}

/* ---- system registers ---- */

static void test_sysreg_handlers(void **state)
{
	struct rig *r = *state;

	r->word[0] = 0xd538cca5; /* mrs x5, icc_sre_el1 */
	r->word[1] = 0xd5184602; /* msr icc_pmr_el1, x2 */
	r->word[2] = 0xd518461f; /* msr icc_pmr_el1, xzr */
	r->word[3] = 0xd538ccbf; /* mrs xzr, icc_sre_el1 */
	start(r);
	execute(r, 0, EL1H);
	assert_int_equal(x(r, 0, 5), 0x1234567800000000 | SYS_ICC_SRE_EL1);
	assert_int_equal(reg(r, 0, REG_PC), BASE + 4);
	execute(r, 1, EL1H);
	assert_int_equal(r->written, 2);
	execute(r, 2, EL1H);
	assert_int_equal(r->written, 0);
	execute(r, 3, EL1H);
	assert_int_equal(reg(r, 0, REG_PC), BASE + 16);
}

static void test_sysreg_undefined(void **state)
{
	struct rig *r = *state;

	r->word[0] = 0xd538c904; /* mrs x4, icc_ap1r0_el1: its device refuses */
	r->word[1] = 0xd518c904; /* msr icc_ap1r0_el1, x4 */
	r->word[2] = 0xd538cc04; /* mrs x4, icc_iar1_el1: nobody's */
	start(r);
	for (unsigned i = 0; i < 3; i++) {
		execute(r, i, EL1H);
		assert_exception(r, 0x200, arm_esr_undef(), BASE + 4 * i, EL1H);
		assert_int_equal(x(r, 0, 4), 0);
	}
}

static void test_id_fields(void **state)
{
	struct rig *r = *state;
	uint32_t id = REG_SYS(SYS_ID_AA64PFR0_EL1);

	r->word[0] = 0xd5380407; /* mrs x7, id_aa64pfr0_el1 */
	start(r);
	fake_set(r->vm, 0, id, 0x1100000022221111);
	execute(r, 0, EL1H);
	assert_int_equal(x(r, 0, 7), 0x1100000023221111);
}

/* ---- BRK ---- */

static void test_brk_is_the_guests(void **state)
{
	struct rig *r = *state;

	start(r);
	queue_brk(r, 0, 0x1234, BASE + 0x40, EL1H);
	assert_true(fake_wait_idle(r->vm, 0));
	assert_exception(r, 0x200, arm_esr_brk(0x1234), BASE + 0x40, EL1H);
	queue_brk(r, 0, 0, BASE + 0x44, EL0T);
	assert_true(fake_wait_idle(r->vm, 0));
	assert_exception(r, 0x400, arm_esr_brk(0), BASE + 0x44, EL0T);
	queue_brk(r, 0, INTERCEPT_SLOT_FIRST, BASE + 0x48, EL1H); /* no such slot */
	assert_true(fake_wait_idle(r->vm, 0));
	assert_exception(r, 0x200, arm_esr_brk(INTERCEPT_SLOT_FIRST), BASE + 0x48, EL1H);
}

static void test_slots_at_el0(void **state)
{
	struct rig *r = *state;

	r->word[0] = HVC;
	start(r);
	execute(r, 0, EL0T); /* code of both levels: HVC is UNDEFINED at EL0 */
	assert_exception(r, 0x400, arm_esr_undef(), BASE, EL0T);
	queue_brk(r, 0, r->word[0] >> 5, BASE + 0x40, EL0T); /* not our place */
	assert_true(fake_wait_idle(r->vm, 0));
	assert_exception(r, 0x400, arm_esr_brk(r->word[0] >> 5), BASE + 0x40, EL0T);
	assert_int_equal(r->offs + r->resets, 0);
}

/* BR does what it does wherever it leads, and is given back when it teaches nothing. */
static void test_branches(void **state)
{
	struct rig *r = *state;
	struct hv_exit e = {.kind = HV_EXIT_BRK};
	const uint64_t targets[] = {BASE + 0x400, BASE + 0x402, 0, UINT64_MAX, 1ULL << 55, DEVICE};

	r->word[0] = BR_X1;
	r->word[0x100] = HVC;
	start(r);
	e.brk.imm = r->word[0] >> 5;
	for (unsigned i = 0; i < 40; i++) {
		struct fake_reg regs[] = {{REG_PC, BASE},
					  {REG_PSTATE, EL1H},
					  {REG_X(1), targets[i % ARRAY_COUNT(targets)]}};

		fake_queue(r->vm, 0, &e, regs, ARRAY_COUNT(regs));
		assert_true(fake_wait_idle(r->vm, 0));
		assert_int_equal(reg(r, 0, REG_PC), targets[i % ARRAY_COUNT(targets)]);
		assert_int_not_equal(r->word[0x100], HVC);
		if (i < 30)
			assert_int_not_equal(r->word[0], BR_X1);
	}
	assert_int_equal(r->word[0], BR_X1);
}

static void queue_branch(struct rig *r, uint64_t target)
{
	struct hv_exit e = {.kind = HV_EXIT_BRK, .brk = {r->word[0] >> 5}};
	struct fake_reg regs[] = {{REG_PC, BASE}, {REG_PSTATE, EL1H}, {REG_X(1), target}};

	fake_queue(r->vm, 0, &e, regs, ARRAY_COUNT(regs));
	assert_true(fake_wait_idle(r->vm, 0));
}

/* After a reset a site has everything to teach again. */
static void test_release_counts_from_reset(void **state)
{
	struct rig *r = *state;

	r->word[0] = BR_X1;
	start(r);
	for (unsigned i = 0; r->word[0] != BR_X1; i++) {
		assert_true(i < 100);
		queue_branch(r, BASE + 0x400);
	}
	pe_set_pause(r->s);
	pe_set_reset(r->s, &r->entry);
	pe_set_resume(r->s);
	assert_true(fake_wait_idle(r->vm, 0));
	assert_int_not_equal(r->word[0], BR_X1);
	queue_branch(r, BASE + 0x400);
	queue_branch(r, BASE + 0x400);
	assert_int_not_equal(r->word[0], BR_X1);
}

/* ---- MMIO ---- */

static void queue_mmio(struct rig *r, uint64_t ipa, unsigned size, bool is_write, uint64_t value)
{
	struct hv_exit e = {
		.kind = HV_EXIT_MMIO,
		.mmio = {.ipa = ipa, .size = size, .is_write = is_write, .value = value}};
	struct fake_reg esr = {REG_SYS(SYS_ESR_EL1), 0xffffffff96000010 & ~(1ULL << 6)};

	fake_queue(r->vm, 0, &e, &esr, 1);
	assert_true(fake_wait_idle(r->vm, 0));
}

static void test_mmio(void **state)
{
	struct rig *r = *state;
	struct fake_call c[2];
	struct pe_stats stats;

	start(r);
	queue_mmio(r, DEVICE, 4, true, 0x55aa);
	assert_int_equal(r->device_value, 0x55aa);
	queue_mmio(r, DEVICE, 2, false, 0);
	assert_int_equal(fake_calls(r->vm, 0, FAKE_MMIO_DONE, c, 2), 2);
	assert_int_equal(c[1].a, 0x55aa);
	assert_int_equal(fake_calls(r->vm, 0, FAKE_MMIO_ABORT, c, 2), 0);
	queue_mmio(r, DEVICE + 4, 4, false, 0); /* refused */
	assert_int_equal(reg(r, 0, REG_SYS(SYS_ESR_EL1)), 0x96000010);
	queue_mmio(r, DEVICE + 4, 4, true, 1);
	assert_int_equal(reg(r, 0, REG_SYS(SYS_ESR_EL1)), 0x96000050);
	queue_mmio(r, 0x1000, 4, true, 1);	   /* nothing there */
	queue_mmio(r, UINT64_MAX, 8, false, 0);	   /* past the end of everything */
	queue_mmio(r, DEVICE + 0xffe, 4, true, 1); /* over the end */
	assert_int_equal(fake_calls(r->vm, 0, FAKE_MMIO_ABORT, c, 2), 5);
	pe_set_stop(r->s);
	pe_set_stats(r->s, 0, &stats);
	assert_int_equal(stats.aborts, 5);
	assert_int_equal(stats.exits[HV_EXIT_MMIO], 7);
}

/* ---- timers and lines ---- */

static void kick_once(struct rig *r, unsigned pe)
{
	struct hv_exit e = {.kind = HV_EXIT_KICK};

	fake_queue(r->vm, pe, &e, NULL, 0);
	assert_true(fake_wait_idle(r->vm, pe));
}

static void test_timers_are_forwarded(void **state)
{
	struct rig *r = *state;

	start(r);
	fake_set_timers(r->vm, 0, 1U << HV_TIMER_PHYS);
	kick_once(r, 0);
	kick_once(r, 0);
	assert_int_equal(r->timer_calls[HV_TIMER_PHYS][1], 1);
	assert_int_equal(r->timer_calls[HV_TIMER_VIRT][1], 0);
	fake_set_timers(r->vm, 0, 1U << HV_TIMER_VIRT);
	kick_once(r, 0);
	assert_int_equal(r->timer_calls[HV_TIMER_PHYS][0], 1);
	assert_int_equal(r->timer_calls[HV_TIMER_VIRT][1], 1);
}

/* A PE that goes off with its timer's line high comes back with it low, and says so. */
static void test_timers_fall_at_reset(void **state)
{
	struct rig *r = *state;

	start(r);
	call(r, PSCI_CPU_ON, 1, BASE + 0x100, 0);
	assert_true(fake_wait_idle(r->vm, 1));
	fake_set_timers(r->vm, 1, 1U << HV_TIMER_VIRT);
	queue_call(r, 1, PSCI_CPU_OFF, 0, 0, 0);
	wait_off(r, 1);
	assert_int_equal(r->timer_calls[HV_TIMER_VIRT][1], 1);
	fake_set_timers(r->vm, 1, 0);
	call(r, PSCI_CPU_ON, 1, BASE + 0x100, 0);
	assert_true(fake_wait_idle(r->vm, 1));
	kick_once(r, 1);
	assert_int_equal(r->timer_calls[HV_TIMER_VIRT][0], 1);
}

/* A line raised while its PE is off is there when the PE comes on: its vCPU is reset in between. */
static void test_lines_survive_cpu_on(void **state)
{
	struct rig *r = *state;
	struct fake_call c[4];

	pe_irq(r->s, 0, HV_FIQ, true); /* before there are vCPUs */
	start(r);
	assert_int_equal(fake_calls(r->vm, 0, FAKE_IRQ, c, 4), 1);
	assert_int_equal(c[0].a, HV_FIQ);
	assert_int_equal(c[0].b, true);
	pe_irq(r->s, 1, HV_IRQ, true);
	call(r, PSCI_CPU_ON, 1, BASE + 0x100, 0);
	assert_true(fake_wait_idle(r->vm, 1));
	assert_int_equal(fake_calls(r->vm, 1, FAKE_IRQ, c, 4), 1);
	assert_int_equal(c[0].b, true);
	queue_call(r, 1, PSCI_CPU_OFF, 0, 0, 0);
	wait_off(r, 1);
	call(r, PSCI_CPU_ON, 1, BASE + 0x100, 0);
	assert_true(fake_wait_idle(r->vm, 1));
	assert_int_equal(fake_calls(r->vm, 1, FAKE_IRQ, c, 4), 2);
	assert_int_equal(c[1].b, true);
}

/* ---- pausing ---- */

/* Keep every PE busy with branches, each of which pauses the others. */
static void make_busy(struct rig *r, unsigned count)
{
	for (unsigned pe = 0; pe < PES; pe++) {
		for (unsigned i = 0; i < count; i++)
			queue_brk(r, pe, r->word[0x40] >> 5, BASE + 0x100, EL1H);
	}
}

static void start_all(struct rig *r)
{
	r->word[0] = 0x14000040; /* b .+0x100 */
	r->word[0x40] = BR_X1;
	r->word[0x41] = HVC;
	start(r);
	for (unsigned n = 1; n < PES; n++) {
		assert_int_equal(call(r, PSCI_CPU_ON, n, BASE + 0x100, 0), PSCI_SUCCESS);
		assert_true(fake_wait_idle(r->vm, n));
	}
}

static void *pause_often(void *opaque)
{
	struct rig *r = opaque;

	for (unsigned i = 0; i < 20; i++) {
		unsigned before = 0, after = 0;

		pe_set_pause(r->s);
		for (unsigned n = 0; n < PES; n++)
			before += runs(r, n);
		sched_yield();
		for (unsigned n = 0; n < PES; n++)
			after += runs(r, n);
		pe_set_resume(r->s);
		if (before != after)
			return (void *)"a PE ran";
	}
	return NULL;
}

static void test_pause_from_several_threads(void **state)
{
	struct rig *r = *state;
	pthread_t t[3];
	void *complaint;

	start_all(r);
	make_busy(r, 60);
	for (unsigned i = 0; i < ARRAY_COUNT(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, pause_often, r), 0);
	for (unsigned i = 0; i < ARRAY_COUNT(t); i++) {
		pthread_join(t[i], &complaint);
		assert_null(complaint);
	}
	for (unsigned n = 0; n < PES; n++)
		assert_true(fake_wait_idle(r->vm, n));
}

static void test_reset_while_running(void **state)
{
	struct rig *r = *state;

	start_all(r);
	for (unsigned i = 0; i < 8; i++) {
		make_busy(r, 8);
		if (i % 2)
			sched_yield();
		pe_set_pause(r->s);
		for (unsigned n = 0; n < SIZE / 4; n++)
			r->word[n] = HVC; /* another image: data, but for its first words */
		r->word[0] = 0xd5380407;  /* mrs x7, id_aa64pfr0_el1 */
		r->word[1] = 0x14000000;  /* b . */
		pe_set_reset(r->s, &r->entry);
		pe_set_resume(r->s);
		/* The rest of what was queued is executed by nobody but PE 0. */
		assert_true(fake_wait_idle(r->vm, 0));
		pe_set_pause(r->s);
		assert_string_equal(pe_set_power_state(r->s, 0), "on");
		assert_string_equal(pe_set_power_state(r->s, 1), "off");
		for (unsigned n = 2; n < SIZE / 4; n++)
			assert_int_equal(r->word[n], HVC);
		pe_set_resume(r->s);
	}
}

static void test_stop_while_paused(void **state)
{
	struct rig *r = *state;

	start_all(r);
	make_busy(r, 20);
	pe_set_pause(r->s);
	pe_set_stop(r->s);
}

static void test_stop_while_stepping(void **state)
{
	struct rig *r = *state;

	r->word[0] = 0xd5181000; /* msr sctlr_el1, x0 */
	r->word[1] = 0x14000000;
	start(r);
	execute(r, 0, EL1H);
	assert_int_equal(r->word[0], 0xd5181000); /* lifted */
	pe_set_stop(r->s);
}

/* A watched instruction: lifted, stepped, lowered. */
static void test_watch(void **state)
{
	struct rig *r = *state;
	struct hv_exit step = {.kind = HV_EXIT_STEP};
	struct fake_reg regs[] = {{REG_PC, BASE + 4}, {REG_SYS(SYS_VBAR_EL1), BASE + 0x800}};
	uint32_t patched;

	r->word[0] = 0xd518c004; /* msr vbar_el1, x4 */
	r->word[1] = 0x14000000; /* b . */
	for (unsigned i = 0; i < 16; i++)
		r->word[0x200 + 0x20 * i] = HVC;
	start(r);
	patched = r->word[0];
	execute(r, 0, EL1H);
	assert_int_equal(r->word[0], 0xd518c004);
	kick_once(r, 0); /* still alone */
	fake_queue(r->vm, 0, &step, regs, 2);
	assert_true(fake_wait_idle(r->vm, 0));
	assert_int_equal(r->word[0], patched);
	for (unsigned i = 0; i < 16; i++)
		assert_int_not_equal(r->word[0x200 + 0x20 * i], HVC);
	fake_queue(r->vm, 0, &step, NULL, 0); /* one that nobody asked for */
	pe_set_pause(r->s);
	pe_set_resume(r->s);
	assert_true(fake_wait_idle(r->vm, 0));
}

/* ---- failures of the host ---- */

static int broken_get(struct hv_vcpu *v, uint32_t id, uint64_t *value)
{
	return id == REG_SYS(SYS_VBAR_EL1) || id == REG_SYS(SYS_SCTLR_EL1)
		       ? -EIO
		       : hv_fake_ops.get_reg(v, id, value);
}

static void test_failure_is_reported_once(void **state)
{
	struct rig *r = *state;

	start(r);
	pe_set_pause(r->s);
	r->ops.get_reg = broken_get;
	pe_set_resume(r->s);
	queue_brk(r, 0, 0x1234, BASE + 0x40, EL1H);
	while (!r->failures)
		nap();
	pe_set_pause(r->s); /* until the PE has come to rest */
	assert_int_equal(r->failures, 1);
	assert_string_equal(pe_set_power_state(r->s, 0), "off");
	pe_set_resume(r->s);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_start),
		TEST(test_start_fails),
		TEST(test_psci_table),
		TEST(test_cpu_on_and_off),
		TEST(test_system_calls),
		TEST(test_sysreg_handlers),
		TEST(test_sysreg_undefined),
		TEST(test_id_fields),
		TEST(test_brk_is_the_guests),
		TEST(test_slots_at_el0),
		TEST(test_branches),
		TEST(test_release_counts_from_reset),
		TEST(test_mmio),
		TEST(test_timers_are_forwarded),
		TEST(test_timers_fall_at_reset),
		TEST(test_lines_survive_cpu_on),
		TEST(test_pause_from_several_threads),
		TEST(test_reset_while_running),
		TEST(test_stop_while_paused),
		TEST(test_stop_while_stepping),
		TEST(test_watch),
		TEST(test_failure_is_reported_once),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
