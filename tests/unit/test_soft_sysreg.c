/* SPDX-License-Identifier: Apache-2.0 */
/* System registers and timers of the soft engine, at every level of a bare machine. */
#include "soft_machine.h"

#include "arm/exc.h"
#include "arm/route.h"
#include "util/bits.h"

#define RAM	 0x40000000ULL
#define HINT_127 0xd5032fffU /* ends a run */
#define E2H	 (1ULL << ARM_HCR_E2H)
#define TGE	 (1ULL << ARM_HCR_TGE)
#define SCR_NS	 1ULL

enum {
	RAM_SIZE = 0x10000,
	VECTORS1 = 0x1000,
	VECTORS2 = 0x2000,
	VECTORS3 = 0x3000,
	CODE = 0x4000,
	EL1_ONLY = 3,
	TO_EL2 = 7,
	NO_EL2 = 0xb,
	TO_EL3 = 0xf,
};

static uint8_t wants(void *opaque, uint32_t word)
{
	return word == HINT_127 ? 0xf : 0;
}

static void vectors(struct machine *m)
{
	SET(m, VBAR_EL1, RAM + VECTORS1);
	SET(m, VBAR_EL2, RAM + VECTORS2);
	SET(m, VBAR_EL3, RAM + VECTORS3);
	SET(m, CPACR_EL1, 3 << 20);
	SET(m, OSLAR_EL1, 0);
}

static void create(struct machine *m, uint32_t els)
{
	machine_create(m, &(struct hv_vm_config){.ipa_bits = 40, .els = els}, RAM, RAM_SIZE);
	ops->set_intercept(m->vm, wants, NULL);
	for (unsigned i = 0; i < RAM_SIZE; i += 4)
		put(m, i, HINT_127);
	vectors(m);
}

/* ---- one MRS or MSR, of X1 ---- */

enum { DONE = -1 };

/* DONE, or the level that took an exception. */
static int execute_at(struct machine *m, uint64_t pstate, uint16_t code, bool is_read)
{
	struct hv_exit x;
	uint64_t pc;

	put(m, CODE, 0xd5000001U | (uint32_t)is_read << 21 | (uint32_t)code << 5);
	set(m, REG_PSTATE, ARM_PSTATE_DAIF | pstate);
	set(m, REG_PC, RAM + CODE);
	do
		ops->run(m->cpu, &x);
	while (x.kind == HV_EXIT_KICK);
	assert_int_equal(x.kind, HV_EXIT_INTERCEPT);
	pc = get(m, REG_PC) - RAM;
	return pc == CODE + 4 ? DONE : (int)(pc / 0x1000);
}

static int execute(struct machine *m, unsigned el, uint16_t code, bool is_read)
{
	return execute_at(m, el << 2 | (el ? 1 : 0), code, is_read);
}

static uint64_t mrs(struct machine *m, unsigned el, uint16_t code)
{
	set(m, REG_X(1), 0x5555);
	assert_int_equal(execute(m, el, code, true), DONE);
	return get(m, REG_X(1));
}

static void msr(struct machine *m, unsigned el, uint16_t code, uint64_t value)
{
	set(m, REG_X(1), value);
	assert_int_equal(execute(m, el, code, false), DONE);
}

static void is_undefined(struct machine *m, unsigned el, uint16_t code, bool is_read)
{
	static const uint16_t syndromes[] = {0, SYS_ESR_EL1, SYS_ESR_EL2, SYS_ESR_EL3};
	int taken = execute(m, el, code, is_read);

	assert_int_equal(taken, el ? el : 1);
	assert_int_equal(get(m, REG_SYS(syndromes[taken])), arm_esr_undef());
}

/* ---- traps ---- */

static void test_trap_el2(void **state)
{
	struct machine m;

	create(&m, TO_EL2);
	SET(&m, HCR_EL2, 1ULL << ARM_HCR_TVM);
	assert_int_equal(execute(&m, 1, SYS_TCR_EL1, false), 2);
	assert_int_equal(GET(&m, ESR_EL2), arm_esr_sysreg(SYS_TCR_EL1, 1, false));
	assert_int_equal(GET(&m, ELR_EL2), RAM + CODE);
	mrs(&m, 1, SYS_TCR_EL1);
	msr(&m, 2, SYS_TCR_EL1, 0);
	SET(&m, HCR_EL2, 1ULL << ARM_HCR_TID3);
	assert_int_equal(execute(&m, 1, SYSREG(3, 0, 0, 7, 6), true), 2);
	SET(&m, HCR_EL2, 0);
	assert_int_equal(mrs(&m, 1, SYSREG(3, 0, 0, 7, 6)), 0);
	is_undefined(&m, 1, SYSREG(3, 0, 15, 0, 0), true);
	SET(&m, HCR_EL2, 1ULL << ARM_HCR_TIDCP);
	assert_int_equal(execute(&m, 1, SYSREG(3, 0, 15, 0, 0), true), 2);
	is_undefined(&m, 2, SYSREG(3, 0, 15, 0, 0), true);
	machine_destroy(&m);
}

static void test_trap_el3(void **state)
{
	struct machine m;

	create(&m, TO_EL3);
	SET(&m, SCR_EL3, SCR_NS);
	SET(&m, CPTR_EL3, 1ULL << 31);
	assert_int_equal(execute(&m, 2, SYS_CPTR_EL2, true), 3);
	assert_int_equal(GET(&m, ESR_EL3), arm_esr_sysreg(SYS_CPTR_EL2, 1, true));
	mrs(&m, 3, SYS_CPTR_EL2);
	SET(&m, SCR_EL3, 0);
	assert_int_equal(execute(&m, 1, SYS_CNTPS_CTL_EL1, true), 3);
	SET(&m, SCR_EL3, 1 << ARM_SCR_ST);
	mrs(&m, 1, SYS_CNTPS_CTL_EL1);
	machine_destroy(&m);
}

static void test_trap_el0(void **state)
{
	struct machine m;

	create(&m, TO_EL2);
	SET(&m, CNTKCTL_EL1, 2);
	mrs(&m, 0, SYS_CNTVCT_EL0);
	assert_int_equal(execute(&m, 0, SYS_CNTPCT_EL0, true), 1);
	SET(&m, HCR_EL2, TGE);
	assert_int_equal(execute(&m, 0, SYS_CNTPCT_EL0, true), 2);
	SET(&m, HCR_EL2, TGE | E2H);
	SET(&m, CNTHCTL_EL2, 1);
	mrs(&m, 0, SYS_CNTPCT_EL0);
	assert_int_equal(execute(&m, 0, SYS_CNTVCT_EL0, true), 2);
	machine_destroy(&m);
}

/* DCZID_EL0.DZP follows the traps of DC ZVA. */
static void test_zero_block(void **state)
{
	struct machine m;

	create(&m, TO_EL2);
	SET(&m, SCTLR_EL1, GET(&m, SCTLR_EL1) | 1 << 14);
	assert_int_equal(mrs(&m, 0, SYS_DCZID_EL0), 4);
	SET(&m, HCR_EL2, 1ULL << ARM_HCR_TDZ);
	assert_int_equal(mrs(&m, 0, SYS_DCZID_EL0), 0x14);
	assert_int_equal(mrs(&m, 1, SYS_DCZID_EL0), 0x14);
	assert_int_equal(mrs(&m, 2, SYS_DCZID_EL0), 4);
	SET(&m, HCR_EL2, 0);
	SET(&m, SCTLR_EL1, GET(&m, SCTLR_EL1) & ~(1ULL << 14));
	assert_int_equal(mrs(&m, 0, SYS_DCZID_EL0), 0x14);
	assert_int_equal(mrs(&m, 1, SYS_DCZID_EL0), 4);
	machine_destroy(&m);
}

/* ---- FEAT_VHE ---- */

static void test_vhe(void **state)
{
	struct machine m;

	create(&m, TO_EL2);
	assert_int_equal(bits(mrs(&m, 2, SYS_ID_AA64MMFR1_EL1), 11, 8), 1);
	is_undefined(&m, 2, SYS_TTBR0_EL12, true);
	msr(&m, 2, SYS_HCR_EL2, E2H);
	assert_int_equal(mrs(&m, 2, SYS_HCR_EL2) & E2H, E2H);
	msr(&m, 2, SYS_TTBR0_EL1, 0x2000);
	msr(&m, 2, SYS_TTBR0_EL12, 0x1000);
	msr(&m, 2, SYS_CONTEXTIDR_EL1, 7);
	assert_int_equal(GET(&m, TTBR0_EL2), 0x2000);
	assert_int_equal(GET(&m, TTBR0_EL1), 0x1000);
	assert_int_equal(GET(&m, CONTEXTIDR_EL2), 7);
	assert_int_equal(mrs(&m, 2, SYS_TTBR0_EL1), 0x2000);
	assert_int_equal(mrs(&m, 2, SYS_TTBR0_EL12), 0x1000);
	assert_int_equal(mrs(&m, 1, SYS_TTBR0_EL1), 0x1000);
	is_undefined(&m, 1, SYS_TTBR0_EL12, true);
	msr(&m, 2, SYS_CPACR_EL1, ~0ULL); /* CPTR_EL2, with no bit RES1 */
	assert_int_equal(GET(&m, CPTR_EL2), 1ULL << 31 | 3 << 20);
	msr(&m, 2, SYS_HCR_EL2, 0);
	msr(&m, 2, SYS_CPTR_EL2, 0);
	assert_int_equal(mrs(&m, 2, SYS_CPTR_EL2), 0x33ff);
	msr(&m, 2, SYS_ELR_EL1, 0x1234);
	assert_int_equal(GET(&m, ELR_EL1), 0x1234);
	machine_destroy(&m);
	create(&m, EL1_ONLY);
	assert_int_equal(bits(mrs(&m, 1, SYS_ID_AA64MMFR1_EL1), 11, 8), 0);
	machine_destroy(&m);
}

/* ---- timers ---- */

static uint32_t levels(struct machine *m, unsigned el)
{
	mrs(m, el, SYS_CurrentEL); /* an exit looks at them */
	mrs(m, el, SYS_CurrentEL);
	return ops->timer_levels(m->cpu);
}

/* Bits that only the other layout has stay as they were written. */
static void test_two_layouts(void **state)
{
	static const struct {
		uint16_t code;
		uint64_t only_e2h, only_plain; /* bits */
		uint64_t res1;		       /* plain */
	} rows[] = {
		{SYS_TCR_EL2, 0x3ULL << 41 | 7ULL << 32, 1ULL << 20, 0x80800000},
		{SYS_CPTR_EL2, 3 << 20, 1 << 10, 0x33ff & ~(1 << 10)},
		{SYS_CNTHCTL_EL2, 1 << 10, 0, 0},
		{SYS_SCTLR_EL2, 1 << 26 | 1 << 15, 0, 0x30c50830},
	};
	struct machine m;

	create(&m, TO_EL2);
	for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
		uint16_t code = rows[i].code;
		uint64_t e2h = rows[i].only_e2h;

		msr(&m, 2, SYS_HCR_EL2, 0);
		msr(&m, 2, code, e2h);
		assert_int_equal(mrs(&m, 2, code) & e2h, e2h);
		/* They mean nothing yet. */
		assert_int_equal(get(&m, REG_SYS(code)) & e2h & ~rows[i].only_plain, 0);
		msr(&m, 2, SYS_HCR_EL2, E2H);
		assert_int_equal(mrs(&m, 2, code) & e2h, e2h);
		assert_int_equal(get(&m, REG_SYS(code)) & e2h, e2h);
		msr(&m, 2, code, rows[i].only_plain);
		msr(&m, 2, SYS_HCR_EL2, 0);
		assert_int_equal(get(&m, REG_SYS(code)) & rows[i].only_plain, rows[i].only_plain);
		assert_int_equal(mrs(&m, 2, code) & e2h & ~rows[i].res1, rows[i].only_plain & e2h);
		assert_int_equal(mrs(&m, 2, code) & rows[i].res1, rows[i].res1);
	}
	ops->vcpu_reset(m.cpu);
	msr(&m, 2, SYS_TCR_EL2, ~0ULL);
	ops->vcpu_reset(m.cpu);
	msr(&m, 2, SYS_HCR_EL2, E2H);
	assert_int_equal(mrs(&m, 2, SYS_TCR_EL2) >> 32, 0);
	machine_destroy(&m);
}

static void test_timers(void **state)
{
	static const struct {
		uint8_t els, el;
		uint16_t cval, ctl;
		enum hv_timer line;
		uint64_t hcr;
	} c[] = {
		{EL1_ONLY, 1, SYS_CNTV_CVAL_EL0, SYS_CNTV_CTL_EL0, HV_TIMER_VIRT, 0},
		{EL1_ONLY, 1, SYS_CNTP_CVAL_EL0, SYS_CNTP_CTL_EL0, HV_TIMER_PHYS, 0},
		{TO_EL2, 2, SYS_CNTHP_CVAL_EL2, SYS_CNTHP_CTL_EL2, HV_TIMER_HYP, 0},
		{TO_EL2, 2, SYS_CNTHV_CVAL_EL2, SYS_CNTHV_CTL_EL2, HV_TIMER_HYP_VIRT, 0},
		{TO_EL3, 3, SYS_CNTPS_CVAL_EL1, SYS_CNTPS_CTL_EL1, HV_TIMER_SEC, 0},
		{TO_EL2, 2, SYS_CNTV_CVAL_EL0, SYS_CNTV_CTL_EL0, HV_TIMER_HYP_VIRT, E2H},
		{TO_EL2, 2, SYS_CNTP_CVAL_EL0, SYS_CNTP_CTL_EL0, HV_TIMER_HYP, E2H},
		{TO_EL2, 2, SYS_CNTV_CVAL_EL02, SYS_CNTV_CTL_EL02, HV_TIMER_VIRT, E2H},
		{TO_EL2, 2, SYS_CNTP_CVAL_EL02, SYS_CNTP_CTL_EL02, HV_TIMER_PHYS, E2H},
	};
	struct machine m;

	for (unsigned i = 0; i < ARRAY_COUNT(c); i++) {
		create(&m, c[i].els);
		if (c[i].hcr)
			SET(&m, HCR_EL2, c[i].hcr);
		msr(&m, c[i].el, c[i].cval, ~0ULL);
		msr(&m, c[i].el, c[i].ctl, 1);
		assert_int_equal(levels(&m, c[i].el), 0);
		assert_int_equal(mrs(&m, c[i].el, c[i].ctl), 1);
		msr(&m, c[i].el, c[i].cval, 0);
		assert_int_equal(levels(&m, c[i].el), 1U << c[i].line);
		assert_int_equal(mrs(&m, c[i].el, c[i].ctl), 5);
		msr(&m, c[i].el, c[i].ctl, 3);
		assert_int_equal(levels(&m, c[i].el), 0);
		machine_destroy(&m);
	}
}

static void test_counters(void **state)
{
	const uint64_t offset = 1ULL << 60;
	struct machine m;

	create(&m, TO_EL2);
	msr(&m, 2, SYS_CNTVOFF_EL2, offset);
	assert_in_range(mrs(&m, 1, SYS_CNTVCT_EL0), 0 - offset, 0 - offset / 2);
	assert_in_range(mrs(&m, 2, SYS_CNTVCT_EL0), 0 - offset, 0 - offset / 2);
	msr(&m, 2, SYS_HCR_EL2, E2H);
	assert_in_range(mrs(&m, 2, SYS_CNTVCT_EL0), 0, offset);
	assert_in_range(mrs(&m, 1, SYS_CNTVCT_EL0), 0 - offset, 0 - offset / 2);
	msr(&m, 2, SYS_CNTHCTL_EL2, 3);
	SET(&m, CNTKCTL_EL1, 3);
	assert_in_range(mrs(&m, 0, SYS_CNTVCT_EL0), 0 - offset, 0 - offset / 2);
	msr(&m, 2, SYS_HCR_EL2, E2H | TGE);
	assert_in_range(mrs(&m, 0, SYS_CNTVCT_EL0), 0, offset);
	assert_in_range(mrs(&m, 2, SYS_CNTPCT_EL0), 0, offset);
	msr(&m, 2, SYS_CNTFRQ_EL0, 1000);
	assert_int_equal(mrs(&m, 1, SYS_CNTFRQ_EL0), 1000);
	is_undefined(&m, 1, SYS_CNTFRQ_EL0, false);
	machine_destroy(&m);
}

/* ---- who a PE is, and registers of levels that do not exist ---- */

static void test_identity(void **state)
{
	struct machine m;

	create(&m, TO_EL3);
	SET(&m, SCR_EL3, SCR_NS);
	assert_int_equal(GET(&m, VPIDR_EL2), GET(&m, MIDR_EL1));
	msr(&m, 2, SYS_VPIDR_EL2, 0x12345678);
	msr(&m, 2, SYS_VMPIDR_EL2, 0x80000102);
	assert_int_equal(mrs(&m, 1, SYS_MIDR_EL1), 0x12345678);
	assert_int_equal(mrs(&m, 1, SYS_MPIDR_EL1), 0x80000102);
	assert_int_equal(mrs(&m, 2, SYS_MIDR_EL1), GET(&m, MIDR_EL1));
	SET(&m, SCR_EL3, 0);
	assert_int_equal(mrs(&m, 1, SYS_MIDR_EL1), GET(&m, MIDR_EL1));
	assert_int_equal(bits(mrs(&m, 3, SYS_ID_AA64PFR0_EL1), 15, 0), 0x1111);
	machine_destroy(&m);
}

static void test_no_el2(void **state)
{
	struct machine m;

	create(&m, NO_EL2);
	assert_int_equal(bits(mrs(&m, 3, SYS_ID_AA64PFR0_EL1), 15, 0), 0x1011);
	msr(&m, 3, SYS_HCR_EL2, ~0ULL);
	msr(&m, 3, SYS_SCTLR_EL2, ~0ULL);
	msr(&m, 3, SYS_VPIDR_EL2, 1);
	assert_int_equal(mrs(&m, 3, SYS_HCR_EL2), 0);
	assert_int_equal(mrs(&m, 3, SYS_SCTLR_EL2), 0);
	assert_int_equal(mrs(&m, 3, SYS_VPIDR_EL2), GET(&m, MIDR_EL1));
	assert_int_equal(mrs(&m, 3, SYS_VMPIDR_EL2), GET(&m, MPIDR_EL1));
	msr(&m, 3, SYS_SCR_EL3, ~0ULL);
	assert_int_equal(mrs(&m, 3, SYS_SCR_EL3) & 1 << ARM_SCR_HCE, 0);
	is_undefined(&m, 3, SYS_SCTLR_EL12, true);
	is_undefined(&m, 3, SYS_CNTHV_CTL_EL2, true);
	mrs(&m, 1, SYS_TCR_EL1); /* HCR_EL2 has no effect */
	machine_destroy(&m);
}

/* SP_EL0 has a name only while it is not the stack pointer. */
static void test_current_sp(void **state)
{
	struct machine m;

	create(&m, TO_EL3);
	for (unsigned el = 1; el <= 3; el++) {
		assert_int_equal(execute_at(&m, el << 2, SYS_SP_EL0, true), el);
		assert_int_equal(execute_at(&m, el << 2, SYS_SP_EL0, false), el);
		msr(&m, el, SYS_SP_EL0, 0x1000 * el);
		assert_int_equal(mrs(&m, el, SYS_SP_EL0), 0x1000 * el);
	}
	assert_int_equal(execute_at(&m, 3 << 2, SYS_SP_EL1, true), DONE);
	machine_destroy(&m);
}

static void test_reset(void **state)
{
	struct machine m;

	create(&m, TO_EL3);
	assert_int_equal(mrs(&m, 3, SYS_SCR_EL3), 0x430);
	assert_int_equal(mrs(&m, 3, SYS_HCR_EL2), 1ULL << ARM_HCR_RW);
	assert_int_equal(mrs(&m, 3, SYS_MDCR_EL3), 0);
	assert_int_equal(mrs(&m, 3, SYS_CPTR_EL3), 0);
	assert_int_equal(mrs(&m, 3, SYS_CPTR_EL2), 0x33ff);
	assert_int_equal(mrs(&m, 3, SYS_MDCR_EL2), 0);
	assert_int_equal(mrs(&m, 3, SYS_SCTLR_EL3) & 0x30c50831, 0x30c50830);
	machine_destroy(&m);
}

/* ---- every encoding ---- */

static uint64_t next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed ^ *seed >> 29;
}

/* What keeps the machine running, whatever was written; other registers stay as they are for a while. */
static void again(struct machine *m, uint64_t *seed, uint32_t els)
{
	const uint64_t hcr = E2H | TGE | 1ULL << ARM_HCR_TVM | 1ULL << ARM_HCR_TIDCP | 7 << 15;

	vectors(m);
	SET(m, MDCR_EL2, next(seed));
	SET(m, CPTR_EL2, next(seed));
	SET(m, CPTR_EL3, next(seed));
	SET(m, CNTHCTL_EL2, next(seed));
	SET(m, PMUSERENR_EL0, next(seed));
	if (els & 8)
		SET(m, SCR_EL3, (next(seed) & 0x801) | 0x430);
	if (els & 4)
		SET(m, HCR_EL2, (next(seed) & hcr) | 1ULL << ARM_HCR_RW);
}

static bool is_sctlr(uint16_t code)
{
	return SYSREG_OP0(code) == 3 && SYSREG_CRN(code) == 1 && SYSREG_CRM(code) == 0 &&
	       SYSREG_OP2(code) == 0;
}

static void every_encoding(uint32_t els, uint64_t seed)
{
	struct machine m;

	create(&m, els);
	for (unsigned n = 0; n < 0x10000; n++) {
		uint16_t code = (uint16_t)(0x8000 | n >> 1);
		const struct sysreg_desc *d = sysreg_lookup(code);
		unsigned el = (unsigned)(next(&seed) >> 40 & 3);
		bool is_read = n & 1;
		int taken;

		while (!(els >> el & 1))
			el--;
		if (!d && n % 8 > 1) /* enough of those that there are not */
			continue;
		if (n % 256 == 0)
			ops->vcpu_reset(m.cpu);
		again(&m, &seed, els);
		if (el == 2 && els & 8) /* there is no Secure EL2 */
			SET(&m, SCR_EL3, 0x431);
		/* With the MMU on there would be no code. */
		set(&m, REG_X(1), next(&seed) & (is_sctlr(code) ? ~1ULL : ~0ULL));
		taken = execute(&m, el, code, is_read);
		if (taken == DONE && !d)
			assert_true(is_read && el && sysreg_is_id(code));
		else if (taken == DONE)
			assert_true((is_read ? d->read : d->write) >> el & 1);
		else
			assert_true(els >> taken & 1 && taken >= (int)el);
	}
	machine_destroy(&m);
}

static void test_every_encoding(void **state)
{
	every_encoding(EL1_ONLY, 1);
	every_encoding(TO_EL2, 2);
	every_encoding(NO_EL2, 3);
	every_encoding(TO_EL3, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trap_el2),
		cmocka_unit_test(test_trap_el3),
		cmocka_unit_test(test_trap_el0),
		cmocka_unit_test(test_zero_block),
		cmocka_unit_test(test_vhe),
		cmocka_unit_test(test_timers),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_no_el2),
		cmocka_unit_test(test_current_sp),
		cmocka_unit_test(test_two_layouts),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_every_encoding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
