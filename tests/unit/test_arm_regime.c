/* SPDX-License-Identifier: Apache-2.0 */
/* Translation regimes, against the pseudocode of the Arm ARM (DDI 0487) that arm/regime.h names. */
#include "arm/regime.h"

#include "arm/sysreg.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define B(name) (1ULL << ARM_##name)
#define NS	B(SCR_NS)
#define TGE	B(HCR_TGE)
#define E2H	B(HCR_E2H)
#define HOST	(TGE | E2H)
#define VM	B(HCR_VM)
#define DC	B(HCR_DC)
#define ALL	0xf
#define NO_EL2	0xb
#define NO_EL3	7
#define EL1_EL0 3

/* Every register has a value of its own: its code, and what a case adds. */
struct regs {
	uint8_t els;
	uint64_t sctlr, mmfr1; /* bits of every SCTLR_ELx; ID_AA64MMFR1_EL1 */
	unsigned reads;
};

static uint64_t value_of(uint16_t code)
{
	return (uint64_t)code << 4;
}

static uint64_t read_reg(void *opaque, uint16_t code, unsigned index)
{
	struct regs *r = opaque;
	unsigned op1 = SYSREG_OP1(code);

	assert_true(op1 != 4 || r->els & 4); /* only registers of levels that exist */
	assert_true(op1 != 6 || r->els & 8);
	assert_int_equal(sysreg_lookup(code)->index, index);
	r->reads++;
	switch (code) {
	case SYS_SCTLR_EL1:
	case SYS_SCTLR_EL2:
	case SYS_SCTLR_EL3:
		return r->sctlr | (uint64_t)SYSREG_OP1(code) << 40;
	case SYS_ID_AA64MMFR1_EL1:
		return r->mmfr1;
	case SYS_VTTBR_EL2:
		return value_of(code) | 0x1234ULL << 48;
	default:
		return value_of(code);
	}
}

static void test_translation(void **state)
{
	/* Of EL0, EL1, EL2. */
	static const struct {
		struct arm_route r;
		enum arm_translation of[3];
		bool secure; /* EL1&0 */
	} cases[] = {
		{{EL1_EL0, 0, 0, HOST}, {ARM_EL10, ARM_EL10, ARM_EL2}, false},
		{{NO_EL2, 0, NS, HOST}, {ARM_EL10, ARM_EL10, ARM_EL2}, false},
		{{NO_EL2, 0, 0, 0}, {ARM_EL10, ARM_EL10, ARM_EL2}, true},
		{{NO_EL3, 0, 0, 0}, {ARM_EL10, ARM_EL10, ARM_EL2}, false},
		{{NO_EL3, 0, 0, TGE}, {ARM_EL10, ARM_EL10, ARM_EL2}, false},
		{{NO_EL3, 0, 0, E2H}, {ARM_EL10, ARM_EL10, ARM_EL20}, false},
		{{NO_EL3, 0, 0, HOST}, {ARM_EL20, ARM_EL10, ARM_EL20}, false},
		{{ALL, 0, NS, HOST}, {ARM_EL20, ARM_EL10, ARM_EL20}, false},
		{{ALL, 0, 0, HOST}, {ARM_EL10, ARM_EL10, ARM_EL2}, true},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const struct arm_route *r = &cases[i].r;

		for (unsigned el = 0; el < 3; el++)
			assert_int_equal(arm_translation_of(r, el), cases[i].of[el]);
		assert_int_equal(arm_translation_of(r, 3), ARM_EL3);
		assert_int_equal(arm_translation_is_secure(r, ARM_EL10), cases[i].secure);
		assert_false(arm_translation_is_secure(r, ARM_EL2));
		assert_false(arm_translation_is_secure(r, ARM_EL20));
		assert_true(arm_translation_is_secure(r, ARM_EL3));
	}
	assert_int_equal(arm_translation_el(ARM_EL10), 1);
	assert_int_equal(arm_translation_el(ARM_EL20), 2);
	assert_int_equal(arm_translation_el(ARM_EL2), 2);
	assert_int_equal(arm_translation_el(ARM_EL3), 3);
}

static void test_registers(void **state)
{
	static const struct {
		enum arm_translation t;
		enum arm_regime_kind kind;
		uint16_t tcr, mair, ttbr0, ttbr1;
		uint8_t op1;
	} cases[] = {
		{ARM_EL10, ARM_REGIME_EL10, SYS_TCR_EL1, SYS_MAIR_EL1, SYS_TTBR0_EL1, SYS_TTBR1_EL1,
		 0},
		{ARM_EL20, ARM_REGIME_EL10, SYS_TCR_EL2, SYS_MAIR_EL2, SYS_TTBR0_EL2, SYS_TTBR1_EL2,
		 4},
		{ARM_EL2, ARM_REGIME_EL2, SYS_TCR_EL2, SYS_MAIR_EL2, SYS_TTBR0_EL2, 0, 4},
		{ARM_EL3, ARM_REGIME_EL3, SYS_TCR_EL3, SYS_MAIR_EL3, SYS_TTBR0_EL3, 0, 6},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct regs regs = {.els = ALL, .sctlr = 1};
		struct arm_regime_state s = {
			.route = {ALL, 3, NS | B(SCR_SIF), 0}, .reg = read_reg, .opaque = &regs};
		struct arm_regime r;
		struct arm_stage2 stage2;

		memset(&r, 0xff, sizeof(r));
		r.pa_bits = 44;
		r.opaque = &regs;
		arm_regime_get(&s, cases[i].t, &r, &stage2);
		assert_int_equal(r.kind, cases[i].kind);
		assert_int_equal(r.sctlr, 1 | (uint64_t)cases[i].op1 << 40);
		assert_int_equal(r.tcr, value_of(cases[i].tcr));
		assert_int_equal(r.mair, value_of(cases[i].mair));
		assert_int_equal(r.ttbr[0], value_of(cases[i].ttbr0));
		assert_int_equal(r.ttbr[1], value_of(cases[i].ttbr1));
		assert_true(r.sif);
		assert_false(r.dc);
		assert_null(r.stage2);
		assert_int_equal(r.pa_bits, 44);
		assert_ptr_equal(r.opaque, &regs);
		s.no_attributes = true;
		arm_regime_get(&s, cases[i].t, &r, &stage2);
		assert_int_equal(r.mair, 0);
	}
}

/* What HCR_EL2 makes of the regime EL1&0, with SCTLR_EL1.M set. */
static void test_stages(void **state)
{
	static const struct {
		struct arm_route r;
		bool stage1, stage2, dc;
	} cases[] = {
		{{EL1_EL0, 1, 0, VM | DC}, true, false, false},
		{{NO_EL3, 1, 0, 0}, true, false, false},
		{{NO_EL3, 1, 0, VM}, true, true, false},
		{{NO_EL3, 1, 0, DC}, false, true, true},
		{{NO_EL3, 0, 0, TGE}, false, false, false},
		{{NO_EL3, 0, 0, TGE | VM}, false, true, false},
		{{NO_EL3, 1, 0, E2H | VM}, true, true, false},
		{{NO_EL3, 1, 0, HOST | VM | DC}, false, false, false},
		{{ALL, 1, NS, VM}, true, true, false},
		{{ALL, 1, 0, VM | DC | TGE}, true, false, false}, /* no Secure EL2 */
		{{NO_EL2, 1, NS, VM | DC}, true, false, false},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct regs regs = {.els = cases[i].r.els, .sctlr = 1};
		struct arm_regime_state s = {.route = cases[i].r, .reg = read_reg, .opaque = &regs};
		struct arm_stage2 stage2;
		struct arm_regime r;

		memset(&r, 0, sizeof(r));
		arm_regime_get(&s, ARM_EL10, &r, &stage2);
		assert_int_equal(bit(r.sctlr, 0), cases[i].stage1);
		assert_int_equal(r.dc, cases[i].dc);
		assert_int_equal(r.stage2 != NULL, cases[i].stage2);
		arm_regime_get(&s, ARM_EL10, &r, NULL);
		assert_null(r.stage2);
		/* Of nobody else. */
		if (bit(s.route.els, 2)) {
			arm_regime_get(&s, ARM_EL2, &r, &stage2);
			assert_true(bit(r.sctlr, 0));
			assert_null(r.stage2);
		}
	}
}

static void test_stage2_registers(void **state)
{
	struct regs regs = {.els = NO_EL3, .sctlr = 1 | 1 << 25, .mmfr1 = 1 << 28};
	struct arm_regime_state s = {
		.route = {NO_EL3, 1, 0, VM | B(HCR_PTW)}, .reg = read_reg, .opaque = &regs};
	struct arm_regime r = {0};
	struct arm_stage2 stage2;

	arm_regime_get(&s, ARM_EL10, &r, &stage2);
	assert_ptr_equal(r.stage2, &stage2);
	assert_int_equal(stage2.vtcr, value_of(SYS_VTCR_EL2));
	assert_int_equal(stage2.vttbr, value_of(SYS_VTTBR_EL2)); /* no VMID */
	assert_true(stage2.big_endian && stage2.xnx && stage2.ptw);
	regs.sctlr = regs.mmfr1 = 0;
	s.route.hcr_el2 = VM;
	arm_regime_get(&s, ARM_EL10, &r, &stage2);
	assert_false(stage2.big_endian || stage2.xnx || stage2.ptw);
}

/* AArch64.IsUnprivAccessPriv() */
static void test_unprivileged(void **state)
{
	static const struct {
		struct arm_route r;
		bool plain, unpriv, unpriv_uao;
	} cases[] = {
		{{NO_EL3, 0, 0, 0}, true, true, true},
		{{NO_EL3, 1, 0, 0}, false, true, false},
		{{NO_EL3, 1, 0, E2H}, false, true, false},
		{{NO_EL3, 2, 0, 0}, false, false, false},
		{{NO_EL3, 2, 0, TGE}, false, false, false},
		{{NO_EL3, 2, 0, E2H}, false, false, false},
		{{NO_EL3, 2, 0, HOST}, false, true, false},
		{{ALL, 3, NS, HOST}, false, false, false},
		{{ALL, 1, 0, HOST}, false, true, false},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const struct arm_route *r = &cases[i].r;

		assert_int_equal(arm_access_is_user(r, 0, false), cases[i].plain);
		assert_int_equal(arm_access_is_user(r, 0, true), cases[i].unpriv);
		assert_int_equal(arm_access_is_user(r, ARM_PSTATE_UAO, true), cases[i].unpriv_uao);
	}
}

static void test_endianness(void **state)
{
	struct arm_regime e0e = {.sctlr = 1 << 24}, ee = {.sctlr = 1 << 25};

	for (unsigned el = 0; el < 4; el++) {
		assert_int_equal(arm_regime_big_endian(&e0e, el), el == 0);
		assert_int_equal(arm_regime_big_endian(&ee, el), el != 0);
	}
}

static void test_aborts(void **state)
{
	static const struct {
		struct arm_route r;
		uint8_t fsc;
		bool stage2;
		uint8_t target;
	} cases[] = {
		{{ALL, 0, NS, 0}, ARM_FSC_TRANSLATION, false, 1},
		{{ALL, 0, NS, TGE}, ARM_FSC_TRANSLATION, false, 2},
		{{ALL, 1, NS, VM}, ARM_FSC_PERMISSION + 3, false, 1},
		{{ALL, 1, NS, VM}, ARM_FSC_PERMISSION + 3, true, 2},
		{{ALL, 2, NS, VM}, ARM_FSC_PERMISSION + 3, false, 2},
		{{ALL, 3, 0, 0}, ARM_FSC_ACCESS_FLAG + 2, false, 3},
		{{ALL, 1, NS, 0}, ARM_FSC_EXTERNAL_WALK + 1, false, 1},
		{{ALL, 1, NS, B(HCR_TEA)}, ARM_FSC_EXTERNAL_WALK + 1, false, 2},
		{{ALL, 1, NS, VM}, ARM_FSC_EXTERNAL_WALK + 1, true, 2},
		{{ALL, 1, NS | B(SCR_EA), VM}, ARM_FSC_EXTERNAL, true, 3},
		{{ALL, 1, NS | B(SCR_EA), VM}, ARM_FSC_TRANSLATION, true, 2},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct arm_xlat x = {.fsc = cases[i].fsc, .fault_stage2 = cases[i].stage2};

		assert_int_equal(arm_abort_target(&cases[i].r, &x), cases[i].target);
	}
	assert_int_equal(arm_abort_hpfar(&(struct arm_xlat){.ipa = 0x9011ffc}), 0x90110);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_translation),  cmocka_unit_test(test_registers),
		cmocka_unit_test(test_stages),	     cmocka_unit_test(test_stage2_registers),
		cmocka_unit_test(test_unprivileged), cmocka_unit_test(test_endianness),
		cmocka_unit_test(test_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
