/* SPDX-License-Identifier: Apache-2.0 */
/* PEs on a back end that only plays back exits. */
#include "pe/pe.h"

#include "arm/model.h"
#include "arm/sysreg.h"
#include "pe_rig.h"
#include "util/bits.h"
#include "util/err.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- start ---- */

static void test_start(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	assert_int_equal(rig_reg(r, 0, REG_PC), BASE);
	assert_int_equal(rig_reg(r, 0, REG_PSTATE), EL1H);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_MPIDR_EL1)), 0x80000000);
	assert_int_equal(rig_x(r, 0, 0), 0x77);
	assert_int_equal(rig_x(r, 0, 3), 3);
	assert_int_equal(rig_runs(r, 1), 0);
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
	assert_int_equal(rig_runs(r, 0), 0);
}

/* ---- system registers ---- */

static void test_sysreg_handlers(void **state)
{
	struct rig *r = *state;

	r->word[0] = 0xd538cca5; /* mrs x5, icc_sre_el1 */
	r->word[1] = 0xd5184602; /* msr icc_pmr_el1, x2 */
	r->word[2] = 0xd518461f; /* msr icc_pmr_el1, xzr */
	r->word[3] = 0xd538ccbf; /* mrs xzr, icc_sre_el1 */
	rig_start(r);
	rig_execute(r, 0, EL1H);
	assert_int_equal(rig_x(r, 0, 5), 0x1234567800000000 | SYS_ICC_SRE_EL1);
	assert_int_equal(rig_reg(r, 0, REG_PC), BASE + 4);
	rig_execute(r, 1, EL1H);
	assert_int_equal(r->written, 2);
	rig_execute(r, 2, EL1H);
	assert_int_equal(r->written, 0);
	rig_execute(r, 3, EL1H);
	assert_int_equal(rig_reg(r, 0, REG_PC), BASE + 16);
}

/* What is emulated leaves PSTATE as an executed instruction does: BTYPE 0, and one software step done. */
static void test_completed_instruction(void **state)
{
	const uint64_t before = EL1H | ARM_PSTATE_Z | ARM_PSTATE_BTYPE | ARM_PSTATE_SS;
	struct rig *r = *state;

	r->word[0] = 0xd538cca5; /* mrs x5, icc_sre_el1 */
	r->word[1] = HVC;
	r->word[2] = BR_X1;
	rig_start(r);
	for (unsigned i = 0; i < 3; i++) {
		fake_set(r->vm, 0, REG_X(1), BASE + 12);
		rig_execute(r, i, before);
		assert_int_equal(rig_reg(r, 0, REG_PC), BASE + 4 * i + 4);
		assert_int_equal(rig_reg(r, 0, REG_PSTATE), EL1H | ARM_PSTATE_Z);
	}
	/* One that takes an exception has not completed: that goes to SPSR. */
	rig_queue_brk(r, 0, 1, BASE + 16, before);
	assert_true(fake_wait_idle(r->vm, 0));
	rig_assert_exception(r, 0x200, arm_esr_brk(1), BASE + 16, before);
	assert_int_equal(rig_reg(r, 0, REG_PSTATE), EL1H | ARM_PSTATE_Z);
}

static void test_sysreg_undefined(void **state)
{
	struct rig *r = *state;

	r->word[0] = 0xd538c904; /* mrs x4, icc_ap1r0_el1: its device refuses */
	r->word[1] = 0xd518c904; /* msr icc_ap1r0_el1, x4 */
	r->word[2] = 0xd538cc04; /* mrs x4, icc_iar1_el1: nobody's */
	rig_start(r);
	for (unsigned i = 0; i < 3; i++) {
		rig_execute(r, i, EL1H);
		rig_assert_exception(r, 0x200, arm_esr_undef(), BASE + 4 * i, EL1H);
		assert_int_equal(rig_x(r, 0, 4), 0);
	}
}

/* Without firmware a PE begins at EL2 with NS, HCE and RW in SCR_EL3, and the others wait for CPU_ON. */
static void test_start_at_el2(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	assert_int_equal(rig_reg(r, 0, REG_PSTATE), 0x3c9);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_SCR_EL3)), 0x531);
	assert_int_equal(rig_runs(r, 1), 0);
	assert_int_equal(rig_call(r, PSCI_CPU_ON | SMCCC_64, 1, BASE + 0x100, 5), PSCI_SUCCESS);
	assert_true(fake_wait_idle(r->vm, 1));
	assert_int_equal(rig_reg(r, 1, REG_PSTATE), 0x3c9);
	assert_int_equal(rig_reg(r, 1, REG_PC), BASE + 0x100);
	assert_int_equal(rig_x(r, 1, 0), 5);
}

/* Firmware gets all PEs, at EL3, in the state after a reset. */
static void test_start_at_el3(void **state)
{
	struct rig *r = *state;

	r->entry.at_reset = true;
	rig_start(r);
	for (unsigned i = 0; i < PES; i++) {
		assert_true(fake_wait_idle(r->vm, i));
		assert_int_equal(rig_reg(r, i, REG_PSTATE), 0x3cd);
		assert_int_equal(rig_reg(r, i, REG_PC), BASE);
		assert_int_equal(rig_reg(r, i, REG_SYS(SYS_SCR_EL3)), 0);
	}
}

/* What no level takes from another: the current one, from EL0 EL1, with HCR_EL2.TGE EL2. */
static void test_inject_levels(void **state)
{
	static const struct {
		uint64_t pstate, hcr;
		uint32_t elr;
		uint64_t pstate_after;
	} cases[] = {
		{EL0T, 0, REG_ELR_EL1, 0x4003c5}, /* SCTLR_EL1.SPAN is 0 */
		{EL0T, 1 << 27, REG_SYS(SYS_ELR_EL2), 0x3c9},
		{EL0T, 1 << 27 | 1ULL << 34, REG_SYS(SYS_ELR_EL2), 0x4003c9},
		{EL1H, 1 << 27, REG_ELR_EL1, 0x4003c5},
		{0x3c9, 0, REG_SYS(SYS_ELR_EL2), 0x3c9},
		{0x3cd, 1 << 27, REG_SYS(SYS_ELR_EL3), 0x3cd},
	};
	struct rig *r = *state;

	rig_start(r);
	fake_set(r->vm, 0, REG_SYS(SYS_SCR_EL3), 1);
	fake_set(r->vm, 0, REG_SYS(SYS_ID_AA64MMFR1_EL1), 2 << 20); /* PAN */
	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
		fake_set(r->vm, 0, REG_SYS(SYS_HCR_EL2), cases[i].hcr);
		rig_queue_brk(r, 0, 1, BASE + 16 * i, cases[i].pstate);
		assert_true(fake_wait_idle(r->vm, 0));
		assert_int_equal(rig_reg(r, 0, cases[i].elr), BASE + 16 * i);
		assert_int_equal(rig_reg(r, 0, REG_PSTATE), cases[i].pstate_after);
	}
}

/* What a PE with all levels says of itself, and where its traps go. The back end has found the words. */
static void queue_sysreg(struct rig *r, uint32_t word, uint64_t pstate, uint64_t scr)
{
	struct hv_exit e = {.kind = HV_EXIT_INTERCEPT, .intercept.word = word};
	struct fake_reg regs[] = {{REG_PC, BASE},
				  {REG_PSTATE, pstate},
				  {REG_SYS(SYS_SCR_EL3), scr},
				  {REG_SYS(SYS_HCR_EL2), 0x30},
				  {REG_SYS(SYS_VBAR_EL2), 0x2000},
				  {REG_SYS(SYS_VBAR_EL3), 0x3000}};

	fake_queue(r->vm, 0, &e, regs, ARRAY_COUNT(regs));
	assert_true(fake_wait_idle(r->vm, 0));
}

static void test_sysreg_levels(void **state)
{
	static const struct {
		uint64_t pstate, scr;
		uint8_t el;
		bool secure;
	} table[] = {
		{0x3cd, 0, 3, true}, {0x3cd, 1, 3, false}, {0x3c9, 1, 2, false},
		{0x3c5, 0, 1, true}, {0x3c5, 5, 1, false},
	};
	struct rig *r = *state;
	uint32_t esr;

	rig_start(r);
	for (unsigned i = 0; i < ARRAY_COUNT(table); i++) {
		queue_sysreg(r, 0xd538cca5, table[i].pstate, table[i].scr); /* icc_sre_el1 */
		assert_int_equal(r->access.el, table[i].el);
		assert_int_equal(r->access.secure, table[i].secure);
		assert_int_equal(r->access.scr_el3, table[i].scr);
		assert_int_equal(r->access.hcr_el2, 0x30);
		assert_int_equal(rig_reg(r, 0, REG_PC), BASE + 4);
	}
	queue_sysreg(r, 0xd538c884, 0x3c5, 1); /* mrs x4, icc_ap0r0_el1: to EL3 */
	esr = arm_esr_sysreg(SYS_ICC_AP0R0_EL1, 4, true);
	assert_int_equal(rig_reg(r, 0, REG_PC), 0x3400);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_ESR_EL3)), esr);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_ELR_EL3)), BASE);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_SPSR_EL3)), 0x3c5);
	assert_int_equal(rig_reg(r, 0, REG_PSTATE) & 0xf, 0xd);
	queue_sysreg(r, 0xd538cb64, 0x3c5, 1); /* mrs x4, icc_rpr_el1: to EL2 */
	assert_int_equal(rig_reg(r, 0, REG_PC), 0x2400);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_ELR_EL2)), BASE);
	queue_sysreg(r, 0xd538c904, 0x3cd, 1); /* mrs x4, icc_ap1r0_el1: UNDEFINED at EL3 */
	assert_int_equal(rig_reg(r, 0, REG_PC), 0x3200);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_ESR_EL3)), arm_esr_undef());
}

static void test_id_fields(void **state)
{
	struct rig *r = *state;
	uint32_t id = REG_SYS(SYS_ID_AA64PFR0_EL1);

	r->word[0] = 0xd5380407; /* mrs x7, id_aa64pfr0_el1 */
	rig_start(r);
	fake_set(r->vm, 0, id, 0x1100000022221111);
	rig_execute(r, 0, EL1H);
	assert_int_equal(rig_x(r, 0, 7),
			 0x1100000023220011); /* the host's EL2 and EL3 are hidden */
}

/* On a back end that has another core: MRS of identification is patched. */
static void test_core(void **state)
{
	static const struct {
		uint32_t word; /* of X7 */
		uint16_t reg;
		uint64_t host, shown;
	} rows[] = {
		{0xd5380007, SYS_MIDR_EL1, 0x410fd083, 0x414fd0c1},
		{0xd53800c7, SYS_REVIDR_EL1, 0x80, 0},
		{0xd5380407, SYS_ID_AA64PFR0_EL1, 0x2222, 0x03000012}, /* GIC: the board's */
		{0xd5380427, SYS_ID_AA64PFR1_EL1, 0x21, 0x20},	       /* no BTI */
		{0xd5380607, SYS_ID_AA64ISAR0_EL1, 0x11120, 0x11120},
		{0xd5380627, SYS_ID_AA64ISAR1_EL1, 0x10211ffff, 0x100001},
		{0xd5380107, SYS_ID_PFR0_EL1, 0, 0x10010131},
		{0xd53807e7, SYSREG(3, 0, 0, 7, 7), 0x1234, 0}, /* reserved */
	};
	struct rig *r = *state;

	pe_set_model(r->s, arm_model_find("neoverse-n1"));
	for (unsigned i = 0; i < ARRAY_COUNT(rows); i++)
		r->word[i] = rows[i].word;
	rig_start(r);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_MPIDR_EL1)), 0x81000000);
	for (unsigned i = 0; i < ARRAY_COUNT(rows); i++)
		fake_set(r->vm, 0, REG_SYS(rows[i].reg), rows[i].host);
	for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
		rig_execute(r, i, EL1H);
		assert_int_equal(rig_x(r, 0, 7), rows[i].shown);
	}
}

/* Without a core of the board's, nobody touches them. */
static void test_no_core(void **state)
{
	struct rig *r = *state;

	r->word[0] = 0xd5380007; /* mrs x7, midr_el1 */
	r->word[1] = 0xd5380607; /* mrs x7, id_aa64isar0_el1 */
	rig_start(r);
	assert_int_equal(r->word[0], 0xd5380007);
	assert_int_equal(r->word[1], 0xd5380607);
}

/* ---- BRK ---- */

static void test_brk_is_the_guests(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	rig_queue_brk(r, 0, 0x1234, BASE + 0x40, EL1H);
	assert_true(fake_wait_idle(r->vm, 0));
	rig_assert_exception(r, 0x200, arm_esr_brk(0x1234), BASE + 0x40, EL1H);
	rig_queue_brk(r, 0, 0, BASE + 0x44, EL0T);
	assert_true(fake_wait_idle(r->vm, 0));
	rig_assert_exception(r, 0x400, arm_esr_brk(0), BASE + 0x44, EL0T);
	rig_queue_brk(r, 0, INTERCEPT_SLOT_FIRST, BASE + 0x48, EL1H); /* no such slot */
	assert_true(fake_wait_idle(r->vm, 0));
	rig_assert_exception(r, 0x200, arm_esr_brk(INTERCEPT_SLOT_FIRST), BASE + 0x48, EL1H);
}

#define MDSCR_KDE_MDE (1ULL << 13 | 1ULL << 15)

static void queue_debug(struct rig *r, const struct hv_exit *e, uint64_t pstate, uint64_t mdscr)
{
	struct fake_reg regs[] = {{REG_PC, BASE + 0x40},
				  {REG_PSTATE, pstate},
				  {REG_SYS(SYS_VBAR_EL1), VBAR},
				  {REG_SYS(SYS_MDSCR_EL1), mdscr}};

	fake_queue(r->vm, 0, e, regs, ARRAY_COUNT(regs));
	assert_true(fake_wait_idle(r->vm, 0));
}

static void test_debug_events_are_the_guests(void **state)
{
	const struct hv_exit hwbp = {.kind = HV_EXIT_HWBP};
	const struct hv_exit watch = {.kind = HV_EXIT_WATCH, .watch = {0x1234, true}};
	struct rig *r = *state;

	rig_start(r);
	queue_debug(r, &hwbp, EL0T, 0);
	rig_assert_exception(r, 0x400, arm_esr(ARM_EC_BREAKPOINT_LOWER, 0x22), BASE + 0x40, EL0T);
	queue_debug(r, &hwbp, EL1H & ~ARM_PSTATE_D, MDSCR_KDE_MDE);
	rig_assert_exception(r, 0x200, arm_esr(ARM_EC_BREAKPOINT_SAME, 0x22), BASE + 0x40,
			     EL1H & ~ARM_PSTATE_D);
	queue_debug(r, &watch, EL0T, 0);
	rig_assert_exception(r, 0x400, arm_esr(ARM_EC_WATCHPOINT_LOWER, 0x62), BASE + 0x40, EL0T);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_FAR_EL1)), 0x1234);
	/* Masked: the guest goes on, and the next is none. */
	queue_debug(r, &watch, EL1H, MDSCR_KDE_MDE);
	assert_int_equal(rig_reg(r, 0, REG_PC), BASE + 0x40);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_MDSCR_EL1)), 1 << 13);
}

/* A host that has the step even where the guest is not stepped: it loses it, and goes on. */
static void test_the_guests_step(void **state)
{
	const struct hv_exit step = {.kind = HV_EXIT_STEP};
	struct rig *r = *state;

	rig_start(r);
	queue_debug(r, &step, EL1H, 1 | 1 << 15);
	assert_int_equal(rig_reg(r, 0, REG_PC), BASE + 0x40);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_MDSCR_EL1)), 1 << 15);
}

/* A host traps what no row of the policy names: UNDEFINED, and no site. */
static void test_trapped_by_the_host(void **state)
{
	struct rig *r = *state;
	struct pe_stats stats;

	rig_start(r);
	for (unsigned i = 0; i < 20; i++) {
		struct hv_exit e = {.kind = HV_EXIT_INTERCEPT,
				    .intercept.word = 0xd53b9c01}; /* mrs x1, pmcr_el0 */

		queue_debug(r, &e, EL1H, 0);
		rig_assert_exception(r, 0x200, arm_esr_undef(), BASE + 0x40, EL1H);
	}
	pe_set_pause(r->s);
	pe_set_stats(r->s, 0, &stats);
	for (size_t i = 0; i < stats.site_count; i++)
		assert_non_null(stats.sites[i].row);
	assert_true(stats.site_count < 10);
	pe_set_resume(r->s);
}

static void test_slots_at_el0(void **state)
{
	struct rig *r = *state;

	r->word[0] = HVC;
	rig_start(r);
	rig_execute(r, 0, EL0T); /* code of both levels: HVC is UNDEFINED at EL0 */
	rig_assert_exception(r, 0x400, arm_esr_undef(), BASE, EL0T);
	r->word[0x10] = r->word[0];
	rig_queue_brk(r, 0, r->word[0] >> 5, BASE + 0x40, EL0T); /* not our place */
	assert_true(fake_wait_idle(r->vm, 0));
	rig_assert_exception(r, 0x400, arm_esr_brk(r->word[0] >> 5), BASE + 0x40, EL0T);
	assert_int_equal(r->offs + r->resets, 0);
}

static unsigned kicks(struct rig *r, unsigned pe)
{
	return fake_calls(r->vm, pe, FAKE_KICK, NULL, 0);
}

static unsigned sites_known(struct rig *r)
{
	struct pe_stats stats;
	unsigned n = 0;

	pe_set_pause(r->s);
	pe_set_stats(r->s, 0, &stats);
	for (size_t i = 0; i < stats.site_count; i++)
		n += stats.sites[i].row != NULL;
	pe_set_resume(r->s);
	return n;
}

/* A process that executes BRK with a slot's immediate disturbs nobody and makes nothing grow. */
static void test_brk_loop_at_el0(void **state)
{
	struct rig *r = *state;
	unsigned before, sites;

	r->word[0] = HVC;
	rig_start(r);
	assert_int_equal(rig_call(r, PSCI_CPU_ON, 1, BASE + 0x100, 0), PSCI_SUCCESS);
	assert_true(fake_wait_idle(r->vm, 1));
	sites = sites_known(r);
	before = kicks(r, 1);
	for (unsigned i = 0; i < 50; i++) {
		r->word[0x40 + i] = r->word[0];
		rig_queue_brk(r, 0, r->word[0] >> 5, BASE + 0x100 + 4 * i, EL0T);
		assert_true(fake_wait_idle(r->vm, 0));
		rig_assert_exception(r, 0x400, arm_esr_brk(r->word[0] >> 5), BASE + 0x100 + 4 * i,
				     EL0T);
	}
	assert_int_equal(kicks(r, 1), before);
	assert_int_equal(sites_known(r), sites);
}

/* A BRK of the guest's in code it was caught in is reflected with its own immediate, at both levels; one that
 * has the immediate of that slot by accident, at EL0, with that. */
static void test_guests_brk_with_a_slot(void **state)
{
	const uint32_t original = 0xd4200000 | (INTERCEPT_SLOT_LAST << 5);
	struct rig *r = *state;
	uint16_t slot;

	r->word[0] = original;
	rig_start(r);
	assert_int_not_equal(r->word[0], original);
	slot = r->word[0] >> 5;
	rig_execute(r, 0, EL1H);
	rig_assert_exception(r, 0x200, arm_esr_brk(INTERCEPT_SLOT_LAST), BASE, EL1H);
	rig_execute(r, 0, EL0T);
	rig_assert_exception(r, 0x400, arm_esr_brk(INTERCEPT_SLOT_LAST), BASE, EL0T);
	r->word[0x40] = r->word[0];
	rig_queue_brk(r, 0, slot, BASE + 0x100, EL0T);
	assert_true(fake_wait_idle(r->vm, 0));
	rig_assert_exception(r, 0x400, arm_esr_brk(slot), BASE + 0x100, EL0T);
}

/* The patch was given back between its execution and our look: nothing is reflected. */
static void test_brk_is_gone_at_el0(void **state)
{
	struct rig *r = *state;
	uint16_t slot;

	r->word[0] = HVC;
	rig_start(r);
	slot = r->word[0] >> 5;
	rig_queue_brk(r, 0, slot, BASE + 0x100, EL0T); /* another word is there */
	assert_true(fake_wait_idle(r->vm, 0));
	assert_int_equal(rig_reg(r, 0, REG_PC), BASE + 0x100);
	assert_int_equal(rig_reg(r, 0, REG_PSTATE), EL0T);
}

/* BR does what it does wherever it leads, and is given back when it teaches nothing. */
static void test_branches(void **state)
{
	struct rig *r = *state;
	struct hv_exit e = {.kind = HV_EXIT_BRK};
	const uint64_t targets[] = {BASE + 0x400, BASE + 0x402, 0, UINT64_MAX, 1ULL << 55, DEVICE};

	r->word[0] = BR_X1;
	r->word[0x100] = HVC;
	rig_start(r);
	e.brk.imm = r->word[0] >> 5;
	for (unsigned i = 0; i < 40; i++) {
		struct fake_reg regs[] = {{REG_PC, BASE},
					  {REG_PSTATE, EL1H},
					  {REG_X(1), targets[i % ARRAY_COUNT(targets)]}};

		fake_queue(r->vm, 0, &e, regs, ARRAY_COUNT(regs));
		assert_true(fake_wait_idle(r->vm, 0));
		assert_int_equal(rig_reg(r, 0, REG_PC), targets[i % ARRAY_COUNT(targets)]);
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
	rig_start(r);
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

	rig_start(r);
	queue_mmio(r, DEVICE, 4, true, 0x55aa);
	assert_int_equal(r->device_value, 0x55aa);
	queue_mmio(r, DEVICE, 2, false, 0);
	assert_int_equal(fake_calls(r->vm, 0, FAKE_MMIO_DONE, c, 2), 2);
	assert_int_equal(c[1].a, 0x55aa);
	assert_int_equal(fake_calls(r->vm, 0, FAKE_MMIO_ABORT, c, 2), 0);
	queue_mmio(r, DEVICE + 4, 4, false, 0); /* refused */
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_ESR_EL1)), 0x96000010);
	queue_mmio(r, DEVICE + 4, 4, true, 1);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_ESR_EL1)), 0x96000050);
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

static void test_timers_are_forwarded(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	fake_set_timers(r->vm, 0, 1U << HV_TIMER_PHYS);
	rig_kick_once(r, 0);
	rig_kick_once(r, 0);
	assert_int_equal(r->timer_calls[HV_TIMER_PHYS][1], 1);
	assert_int_equal(r->timer_calls[HV_TIMER_VIRT][1], 0);
	fake_set_timers(r->vm, 0, 1U << HV_TIMER_VIRT);
	rig_kick_once(r, 0);
	assert_int_equal(r->timer_calls[HV_TIMER_PHYS][0], 1);
	assert_int_equal(r->timer_calls[HV_TIMER_VIRT][1], 1);
}

/* A PE that goes off with its timer's line high comes back with it low, and says so. */
static void test_timers_fall_at_reset(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	rig_call(r, PSCI_CPU_ON, 1, BASE + 0x100, 0);
	assert_true(fake_wait_idle(r->vm, 1));
	fake_set_timers(r->vm, 1, 1U << HV_TIMER_VIRT);
	rig_queue_call(r, 1, PSCI_CPU_OFF, 0, 0, 0);
	rig_wait_off(r, 1);
	assert_int_equal(r->timer_calls[HV_TIMER_VIRT][1], 1);
	fake_set_timers(r->vm, 1, 0);
	rig_call(r, PSCI_CPU_ON, 1, BASE + 0x100, 0);
	assert_true(fake_wait_idle(r->vm, 1));
	rig_kick_once(r, 1);
	assert_int_equal(r->timer_calls[HV_TIMER_VIRT][0], 1);
}

/* A line raised while its PE is off is there when the PE comes on: its vCPU is reset in between. */
static void test_lines_survive_cpu_on(void **state)
{
	struct rig *r = *state;
	struct fake_call c[4];

	pe_irq(r->s, 0, HV_FIQ, true); /* before there are vCPUs */
	rig_start(r);
	assert_int_equal(fake_calls(r->vm, 0, FAKE_IRQ, c, 4), 1);
	assert_int_equal(c[0].a, HV_FIQ);
	assert_int_equal(c[0].b, true);
	pe_irq(r->s, 1, HV_IRQ, true);
	rig_call(r, PSCI_CPU_ON, 1, BASE + 0x100, 0);
	assert_true(fake_wait_idle(r->vm, 1));
	assert_int_equal(fake_calls(r->vm, 1, FAKE_IRQ, c, 4), 1);
	assert_int_equal(c[0].b, true);
	rig_queue_call(r, 1, PSCI_CPU_OFF, 0, 0, 0);
	rig_wait_off(r, 1);
	rig_call(r, PSCI_CPU_ON, 1, BASE + 0x100, 0);
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
			rig_queue_brk(r, pe, r->word[0x40] >> 5, BASE + 0x100, EL1H);
	}
}

static void start_all(struct rig *r)
{
	r->word[0] = 0x14000040; /* b .+0x100 */
	r->word[0x40] = BR_X1;
	r->word[0x41] = HVC;
	rig_start(r);
	for (unsigned n = 1; n < PES; n++) {
		assert_int_equal(rig_call(r, PSCI_CPU_ON, n, BASE + 0x100, 0), PSCI_SUCCESS);
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
			before += rig_runs(r, n);
		sched_yield();
		for (unsigned n = 0; n < PES; n++)
			after += rig_runs(r, n);
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

/* Ask PE @n for an exit that it takes only if it executes; has it? */
static bool executes(struct rig *r, unsigned n)
{
	struct hv_exit kick = {.kind = HV_EXIT_KICK};
	struct fake_reg mark = {REG_X(20), rig_x(r, n, 20) + 1};

	fake_queue(r->vm, n, &kick, &mark, 1);
	for (unsigned i = 0; i < 50 && rig_x(r, n, 20) != mark.value; i++)
		rig_nap();
	return rig_x(r, n, 20) == mark.value;
}

/* A device asks for a reset: neither the PE that wrote to it nor another one goes on, however late it comes. */
static void test_hold(void **state)
{
	struct hv_exit write = {.kind = HV_EXIT_MMIO,
				.mmio = {.ipa = DEVICE, .size = 4, .is_write = true}};
	struct rig *r = *state;

	start_all(r);
	for (unsigned round = 0; round < 3; round++) {
		assert_true(executes(r, 0) && executes(r, 1));
		r->device_holds = true;
		fake_queue(r->vm, 0, &write, NULL, 0);
		assert_false(executes(r, 0));
		assert_false(executes(r, 1));
		r->device_holds = false;
		pe_set_pause(r->s);
		pe_set_reset(r->s, &r->entry);
		pe_set_resume(r->s);
		assert_true(fake_wait_idle(r->vm, 0));
		assert_true(executes(r, 0));
		assert_int_equal(rig_call(r, PSCI_CPU_ON, 1, BASE + 0x100, 0), PSCI_SUCCESS);
		assert_true(fake_wait_idle(r->vm, 1));
	}
	pe_set_hold(r->s); /* nor does it keep anybody from stopping */
	pe_set_stop(r->s);
}

/* A PE that has paused the others, to execute one instruction, may be the one that asks. */
static void test_hold_while_stepping(void **state)
{
	struct rig *r = *state;

	r->word[0] = 0xd518c004; /* msr vbar_el1, x4: is stepped */
	rig_start(r);
	rig_execute(r, 0, EL1H);
	pe_set_hold(r->s);
	fake_queue(r->vm, 0, &(struct hv_exit){.kind = HV_EXIT_STEP}, NULL, 0);
	pe_set_pause(r->s); /* has its turn when the step is done */
	assert_false(executes(r, 0));
	pe_set_reset(r->s, &r->entry);
	pe_set_resume(r->s);
	assert_true(fake_wait_idle(r->vm, 0));
	assert_true(executes(r, 0));
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
	rig_start(r);
	rig_execute(r, 0, EL1H);
	assert_int_equal(r->word[0], 0xd5181000); /* lifted */
	pe_set_stop(r->s);
}

static void *ask_often(void *opaque)
{
	struct rig *r = opaque;

	for (unsigned i = 0; i < 60; i++) {
		for (unsigned n = 0; n < PES; n++) {
			uint64_t value = 0;

			if (pe_set_get_reg(r->s, n, REG_SYS(SYS_MPIDR_EL1), &value) ||
			    value != (0x80000000 | n))
				return (void *)"another register";
		}
	}
	return NULL;
}

/* Registers are read by the PE's own thread (the back end checks that), whatever it is doing. */
static void test_questions(void **state)
{
	struct rig *r = *state;
	pthread_t t[2];
	uint64_t value;
	void *complaint;

	assert_int_equal(pe_set_get_reg(r->s, 0, REG_PC, &value), -ENODEV);
	start_all(r);
	make_busy(r, 40);
	pe_set_pause(r->s); /* some wait for their turn to pause */
	assert_null(ask_often(r));
	pe_set_resume(r->s);
	for (unsigned i = 0; i < ARRAY_COUNT(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, ask_often, r), 0);
	assert_null(ask_often(r));
	for (unsigned i = 0; i < ARRAY_COUNT(t); i++) {
		pthread_join(t[i], &complaint);
		assert_null(complaint);
	}
	assert_true(fake_wait_idle(r->vm, 0));
	assert_null(ask_often(r));
	rig_queue_call(r, 1, PSCI_CPU_OFF, 0, 0, 0);
	rig_wait_off(r, 1);
	assert_int_equal(pe_set_get_reg(r->s, 1, REG_SYS(SYS_MPIDR_EL1), &value), 0);
	assert_int_equal(value, 0x80000001);
	pe_set_stop(r->s);
	assert_int_equal(pe_set_get_reg(r->s, 0, REG_PC, &value), -ENODEV);
}

static void *toggle_lines(void *opaque)
{
	struct rig *r = opaque;

	for (unsigned i = 0; i < 300; i++) {
		pe_irq(r->s, i % PES, i / PES % 2 ? HV_IRQ : HV_FIQ, i % 5 < 3);
		if (i % 16 == 0)
			sched_yield();
	}
	return NULL;
}

static void *reset_often(void *opaque)
{
	struct rig *r = opaque;

	for (unsigned i = 0; i < 12; i++) {
		pe_set_pause(r->s);
		if (i % 3 == 0)
			pe_set_reset(r->s, &r->entry);
		pe_set_resume(r->s);
		sched_yield();
	}
	return NULL;
}

static bool line_is(struct rig *r, enum hv_line line, bool level)
{
	struct fake_call c[FAKE_CALLS];
	unsigned n = fake_calls(r->vm, 0, FAKE_IRQ, c, FAKE_CALLS);

	while (n-- && c[n].a != line)
		;
	return n < FAKE_CALLS && c[n].b == level;
}

/* Everything that other threads may do, at once. No lines are lost. */
static void test_storm(void **state)
{
	static void *(*const deeds[])(void *) = {toggle_lines, toggle_lines, ask_often, reset_often,
						 pause_often};
	pthread_t t[ARRAY_COUNT(deeds)];
	struct rig *r = *state;

	start_all(r);
	make_busy(r, 20);
	for (unsigned i = 0; i < ARRAY_COUNT(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, deeds[i], r), 0);
	for (unsigned i = 0; i < ARRAY_COUNT(t); i++)
		pthread_join(t[i], NULL);
	pe_irq(r->s, 0, HV_IRQ, true);
	pe_irq(r->s, 0, HV_FIQ, true);
	rig_kick_once(r, 0);
	assert_true(line_is(r, HV_IRQ, true) && line_is(r, HV_FIQ, true));
	pe_irq(r->s, 0, HV_IRQ, false);
	rig_kick_once(r, 0);
	assert_true(line_is(r, HV_IRQ, false) && line_is(r, HV_FIQ, true));
	assert_int_equal(r->failures, 0);
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
	rig_start(r);
	patched = r->word[0];
	rig_execute(r, 0, EL1H);
	assert_int_equal(r->word[0], 0xd518c004);
	rig_kick_once(r, 0); /* still alone */
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

/* ---- a call that the host's PSCI took ---- */

static void queue_system(struct rig *r, enum hv_system what)
{
	struct hv_exit e = {.kind = HV_EXIT_SYSTEM, .system = {what}};

	fake_queue(r->vm, 0, &e, NULL, 0);
}

static void test_system_exits(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	queue_system(r, HV_SYSTEM_RESET);
	while (!r->resets)
		rig_nap();
	pe_set_pause(r->s);
	assert_string_equal(pe_set_power_state(r->s, 0), "off");
	pe_set_reset(r->s, &r->entry);
	pe_set_resume(r->s);
	assert_true(fake_wait_idle(r->vm, 0));
	queue_system(r, HV_SYSTEM_OFF);
	while (!r->offs)
		rig_nap();
	assert_int_equal(r->failures, 0);
	assert_int_equal(r->resets, 1);
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

	rig_start(r);
	pe_set_pause(r->s);
	r->ops.get_reg = broken_get;
	pe_set_resume(r->s);
	rig_queue_brk(r, 0, 0x1234, BASE + 0x40, EL1H);
	while (!r->failures)
		rig_nap();
	pe_set_pause(r->s); /* until the PE has come to rest */
	assert_int_equal(r->failures, 1);
	assert_string_equal(pe_set_power_state(r->s, 0), "off");
	pe_set_resume(r->s);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_start),
		TEST(test_start_fails),
		TEST(test_sysreg_handlers),
		TEST(test_completed_instruction),
		TEST(test_sysreg_undefined),
		cmocka_unit_test_setup_teardown(test_start_at_el2, rig_setup_levels, rig_teardown),
		cmocka_unit_test_setup_teardown(test_start_at_el3, rig_setup_levels, rig_teardown),
		cmocka_unit_test_setup_teardown(test_inject_levels, rig_setup_levels, rig_teardown),
		cmocka_unit_test_setup_teardown(test_sysreg_levels, rig_setup_levels, rig_teardown),
		TEST(test_id_fields),
		TEST(test_core),
		TEST(test_no_core),
		TEST(test_brk_is_the_guests),
		TEST(test_debug_events_are_the_guests),
		TEST(test_the_guests_step),
		TEST(test_trapped_by_the_host),
		TEST(test_slots_at_el0),
		TEST(test_brk_loop_at_el0),
		TEST(test_guests_brk_with_a_slot),
		TEST(test_brk_is_gone_at_el0),
		TEST(test_branches),
		TEST(test_release_counts_from_reset),
		TEST(test_mmio),
		TEST(test_timers_are_forwarded),
		TEST(test_timers_fall_at_reset),
		TEST(test_lines_survive_cpu_on),
		TEST(test_pause_from_several_threads),
		TEST(test_hold),
		TEST(test_hold_while_stepping),
		TEST(test_reset_while_running),
		TEST(test_stop_while_paused),
		TEST(test_stop_while_stepping),
		TEST(test_questions),
		TEST(test_storm),
		TEST(test_watch),
		TEST(test_system_exits),
		TEST(test_failure_is_reported_once),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
