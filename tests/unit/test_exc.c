/* SPDX-License-Identifier: Apache-2.0 */
/* Exception entry and syndromes. */
#include "arm/exc.h"
#include "arm/sysreg.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { VBAR = 0x80000 };

#define EL1H_MASKED (ARM_PSTATE_EL1h | ARM_PSTATE_DAIF)

static struct arm_exc_entry enter(struct arm_exc e, struct arm_exc_env env, uint64_t pstate)
{
	struct arm_exc_entry out;

	env.vbar = env.vbar ? env.vbar : VBAR;
	arm_take_exception(&e, &env, pstate, 0x4000, &out);
	return out;
}

static void test_vectors(void **state)
{
	static const struct {
		const char *what;
		struct arm_exc e;
		struct arm_exc_env env;
		uint64_t pstate;
		unsigned offset;
	} cases[] = {
		{"EL1t sync", {ARM_EXC_SYNC, 1, 0, 0}, {0}, ARM_PSTATE_EL1t, 0x000},
		{"EL1t IRQ", {ARM_EXC_IRQ, 1, 0, 0}, {0}, ARM_PSTATE_EL1t, 0x080},
		{"EL1h sync", {ARM_EXC_SYNC, 1, 0, 0}, {0}, ARM_PSTATE_EL1h, 0x200},
		{"EL1h IRQ", {ARM_EXC_IRQ, 1, 0, 0}, {0}, ARM_PSTATE_EL1h, 0x280},
		{"EL1h FIQ", {ARM_EXC_FIQ, 1, 0, 0}, {0}, ARM_PSTATE_EL1h, 0x300},
		{"EL1h SError", {ARM_EXC_SERROR, 1, 0, 0}, {0}, ARM_PSTATE_EL1h, 0x380},
		{"EL0 sync", {ARM_EXC_SYNC, 1, 0, 0}, {0}, ARM_PSTATE_EL0t, 0x400},
		{"EL0 SError", {ARM_EXC_SERROR, 1, 0, 0}, {0}, ARM_PSTATE_EL0t, 0x580},
		{"EL0 A32 sync", {ARM_EXC_SYNC, 1, 0, 0}, {0}, ARM_PSTATE_nRW, 0x600},
		{"EL0 A32 IRQ", {ARM_EXC_IRQ, 1, 0, 0}, {0}, ARM_PSTATE_nRW, 0x680},
		{"EL1 A32 to EL2", {ARM_EXC_SYNC, 2, 0, 0}, {0}, ARM_PSTATE_nRW | 3, 0x600},
		{"EL0 A32 below A64 EL1 to EL2",
		 {ARM_EXC_SYNC, 2, 0, 0},
		 {0},
		 ARM_PSTATE_nRW,
		 0x400},
		{"EL0 A32 below A32 EL1 to EL2",
		 {ARM_EXC_SYNC, 2, 0, 0},
		 {.next_lower_a32 = true},
		 ARM_PSTATE_nRW,
		 0x600},
		{"EL0 A32 to host EL2",
		 {ARM_EXC_SYNC, 2, 0, 0},
		 {.el2_is_host = true},
		 ARM_PSTATE_nRW,
		 0x600},
		{"EL0 to EL3", {ARM_EXC_FIQ, 3, 0, 0}, {0}, ARM_PSTATE_EL0t, 0x500},
		{"EL3 to EL3", {ARM_EXC_IRQ, 3, 0, 0}, {0}, ARM_PSTATE_EL3h, 0x280},
		{"monitor mode to EL3", {ARM_EXC_IRQ, 3, 0, 0}, {0}, ARM_PSTATE_nRW | 6, 0x080},
	};

	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
		struct arm_exc_entry out = enter(cases[i].e, cases[i].env, cases[i].pstate);

		if (out.pc != VBAR + cases[i].offset)
			fail_msg("%s: offset 0x%lx", cases[i].what, (unsigned long)out.pc - VBAR);
		assert_int_equal(arm_pstate_el(out.pstate), cases[i].e.target_el);
	}
}

static void test_vbar_low_bits_are_ignored(void **state)
{
	struct arm_exc_entry out = enter((struct arm_exc){ARM_EXC_SYNC, 1, 0, 0},
					 (struct arm_exc_env){.vbar = 0xffffffffffff8fff},
					 ARM_PSTATE_EL1h);

	assert_int_equal(out.pc, 0xffffffffffff8a00);
}

static void test_pstate(void **state)
{
	const uint64_t sctlr_span = 1ULL << 23, dssbs = 1ULL << 44, spintmask = 1ULL << 62;
	static const struct arm_exc irq = {ARM_EXC_IRQ, 1, 0, 0};
	const struct {
		const char *what;
		struct arm_exc_env env;
		uint64_t before, after;
	} cases[] = {
		{"plain", {0}, 0, EL1H_MASKED},
		{"flags and DIT stay",
		 {0},
		 ARM_PSTATE_NZCV | ARM_PSTATE_DIT,
		 ARM_PSTATE_NZCV | ARM_PSTATE_DIT | EL1H_MASKED},
		{"UAO, SS, IL, BTYPE, SSBS, TCO and ALLINT go",
		 {0},
		 ARM_PSTATE_UAO | ARM_PSTATE_SS | ARM_PSTATE_IL | ARM_PSTATE_BTYPE |
			 ARM_PSTATE_SSBS | ARM_PSTATE_TCO | ARM_PSTATE_ALLINT,
		 EL1H_MASKED},
		{"PAN is set", {.pan = true}, 0, ARM_PSTATE_PAN | EL1H_MASKED},
		{"PAN left clear by SPAN", {.pan = true, .sctlr = sctlr_span}, 0, EL1H_MASKED},
		{"PAN left set by SPAN",
		 {.pan = true, .sctlr = sctlr_span},
		 ARM_PSTATE_PAN,
		 ARM_PSTATE_PAN | EL1H_MASKED},
		{"no FEAT_PAN", {0}, ARM_PSTATE_PAN, EL1H_MASKED},
		{"DSSBS", {.ssbs = true, .sctlr = dssbs}, 0, ARM_PSTATE_SSBS | EL1H_MASKED},
		{"DSSBS clear", {.ssbs = true}, ARM_PSTATE_SSBS, EL1H_MASKED},
		{"no FEAT_SSBS", {.sctlr = dssbs}, 0, EL1H_MASKED},
		{"TCO", {.mte = true}, 0, ARM_PSTATE_TCO | EL1H_MASKED},
		{"ALLINT", {.nmi = true}, 0, ARM_PSTATE_ALLINT | EL1H_MASKED},
		{"SPINTMASK", {.nmi = true, .sctlr = spintmask}, 0, EL1H_MASKED},
		{"from AArch32", {0}, ARM_PSTATE_nRW | 0x0600ffe0, EL1H_MASKED},
	};

	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
		struct arm_exc_entry out = enter(irq, cases[i].env, cases[i].before);

		if (out.pstate != cases[i].after)
			fail_msg("%s: %lx", cases[i].what, (unsigned long)out.pstate);
		assert_int_equal(out.spsr, cases[i].before);
		assert_int_equal(out.elr, 0x4000);
	}
}

static void test_pan_at_el2(void **state)
{
	struct arm_exc e = {ARM_EXC_SYNC, 2, 0, 0};

	assert_false(enter(e, (struct arm_exc_env){.pan = true}, 0).pstate & ARM_PSTATE_PAN);
	assert_true(enter(e, (struct arm_exc_env){.pan = true, .el2_is_host = true}, 0).pstate &
		    ARM_PSTATE_PAN);
}

static void test_syndrome_registers(void **state)
{
	struct arm_exc e = {ARM_EXC_SYNC, 1, arm_esr_dabt(1, 1, ARM_FSC_EXTERNAL, false, false),
			    0x1234};
	struct arm_exc_entry out = enter(e, (struct arm_exc_env){0}, ARM_PSTATE_EL1h);

	assert_true(out.esr_valid && out.far_valid);
	assert_int_equal(out.esr, 0x96000010);
	assert_int_equal(out.far, 0x1234);
	e.esr = arm_esr_brk(7);
	out = enter(e, (struct arm_exc_env){0}, ARM_PSTATE_EL1h);
	assert_true(out.esr_valid);
	assert_false(out.far_valid);
	e.kind = ARM_EXC_IRQ;
	out = enter(e, (struct arm_exc_env){0}, ARM_PSTATE_EL1h);
	assert_false(out.esr_valid || out.far_valid);
	e.kind = ARM_EXC_SERROR;
	e.esr = arm_esr(ARM_EC_SERROR, 0);
	out = enter(e, (struct arm_exc_env){0}, ARM_PSTATE_EL1h);
	assert_true(out.esr_valid);
	assert_false(out.far_valid);
}

/* Values as Linux prints them in its reports of such exceptions. */
static void test_syndromes(void **state)
{
	assert_int_equal(arm_esr_undef(), 0x02000000);
	assert_int_equal(arm_esr_brk(0x800), 0xf2000800);
	assert_int_equal(arm_esr_brk(0xffff), 0xf200ffff);
	assert_int_equal(arm_esr_svc(0), 0x56000000);
	assert_int_equal(arm_esr_hvc(1), 0x5a000001);
	assert_int_equal(arm_esr_smc(0), 0x5e000000);
	assert_int_equal(arm_esr_wfx(false), 0x07e00000);
	assert_int_equal(arm_esr_wfx(true), 0x07e00001);
	/* mrs x3, ICC_IAR1_EL1; msr ICC_PMR_EL1, x30 */
	assert_int_equal(arm_esr_sysreg(SYS_ICC_IAR1_EL1, 3, true), 0x62303079);
	assert_int_equal(arm_esr_sysreg(SYS_ICC_PMR_EL1, 30, false), 0x623013cc);
	assert_int_equal(arm_esr_iabt(0, 1, ARM_FSC_EXTERNAL), 0x82000010);
	assert_int_equal(arm_esr_iabt(1, 1, ARM_FSC_TRANSLATION + 3), 0x86000007);
	assert_int_equal(arm_esr_dabt(0, 1, ARM_FSC_EXTERNAL, true, false), 0x92000050);
	assert_int_equal(arm_esr_dabt(1, 1, ARM_FSC_ALIGNMENT, false, false), 0x96000021);
	assert_int_equal(arm_esr_dabt(1, 1, ARM_FSC_EXTERNAL, false, true), 0x96000150);
	assert_int_equal(arm_esr_pc_align(), 0x8a000000);
	assert_int_equal(arm_esr_illegal_state(), 0x3a000000);
}

static void test_levels(void **state)
{
	assert_int_equal(arm_pstate_el(ARM_PSTATE_EL0t), 0);
	assert_int_equal(arm_pstate_el(ARM_PSTATE_EL1h), 1);
	assert_int_equal(arm_pstate_el(ARM_PSTATE_EL2h), 2);
	assert_int_equal(arm_pstate_el(ARM_PSTATE_EL3h), 3);
	assert_int_equal(arm_pstate_el(0x10), 0); /* User */
	assert_int_equal(arm_pstate_el(0x13), 1); /* Supervisor */
	assert_int_equal(arm_pstate_el(0x1f), 1); /* System */
	assert_int_equal(arm_pstate_el(0x1a), 2); /* Hyp */
	assert_int_equal(arm_pstate_el(0x16), 3); /* Monitor */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_vbar_low_bits_are_ignored),
		cmocka_unit_test(test_pstate),
		cmocka_unit_test(test_pan_at_el2),
		cmocka_unit_test(test_syndrome_registers),
		cmocka_unit_test(test_syndromes),
		cmocka_unit_test(test_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
