/* SPDX-License-Identifier: Apache-2.0 */
/* Classification of instructions; the words are those of aarch64-linux-gnu-as. */
#include "arm/insn.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_kinds(void **state)
{
	static const struct {
		uint32_t word;
		const char *assembly;
		struct insn want;
	} cases[] = {
#define INSN(word, assembly, ...) {word, assembly, {__VA_ARGS__}},
#include "insn_vectors.def"
#undef INSN
	};

	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
		struct insn in = insn_decode(cases[i].word), want = cases[i].want;

		if (in.kind != want.kind || in.auth != want.auth || in.imm != want.imm ||
		    in.sysreg != want.sysreg || in.offset != want.offset)
			fail_msg("%s: kind %d auth %d imm %x sysreg %x offset %ld",
				 cases[i].assembly, in.kind, in.auth, in.imm, in.sysreg,
				 (long)in.offset);
		if (want.rt && in.rt != want.rt)
			fail_msg("%s: register %u", cases[i].assembly, in.rt);
	}
}

static void test_branch_target(void **state)
{
	uint64_t t;

	assert_true(insn_branch_target(0x14000001, 0x1000, &t)); /* b .+4 */
	assert_int_equal(t, 0x1004);
	assert_true(insn_branch_target(0x17ffffff, 0x1000, &t)); /* b .-4 */
	assert_int_equal(t, 0xffc);
	assert_true(insn_branch_target(0x96000000, 0, &t)); /* bl .-128M: wraps */
	assert_int_equal(t, 0xfffffffff8000000);
	assert_true(insn_branch_target(0x54fffff0 & ~0x10U, 0x1000, &t)); /* b.eq .-4 */
	assert_int_equal(t, 0xffc);
	assert_true(insn_branch_target(0xb5000040, 0x1000, &t)); /* cbnz x0, .+8 */
	assert_int_equal(t, 0x1008);
	assert_true(insn_branch_target(0x37f80040, 0x1000, &t)); /* tbnz w0, #31, .+8 */
	assert_int_equal(t, 0x1008);
	assert_true(insn_branch_target(0x36040000, 0x10000, &t)); /* tbz w0, #0, .-32K */
	assert_int_equal(t, 0x8000);
	assert_false(insn_branch_target(0xd65f03c0, 0x1000, &t)); /* ret */
	assert_false(insn_branch_target(0x10000040, 0x1000, &t)); /* adr */
	assert_false(insn_branch_target(0x58000040, 0x1000, &t)); /* ldr literal */
	assert_false(insn_branch_target(0xd503201f, 0x1000, &t)); /* nop */
}

static void test_falls_through(void **state)
{
	assert_false(insn_falls_through(0x14000001)); /* b */
	assert_false(insn_falls_through(0xd61f0000)); /* br x0 */
	assert_false(insn_falls_through(0xd65f03c0)); /* ret */
	assert_false(insn_falls_through(0xd65f0bff)); /* retaa */
	assert_false(insn_falls_through(0xd69f03e0)); /* eret */
	assert_true(insn_falls_through(0x94000001));  /* bl */
	assert_true(insn_falls_through(0xd63f0000));  /* blr x0 */
	assert_true(insn_falls_through(0x54000000));  /* b.eq */
	assert_true(insn_falls_through(0xd4000001));  /* svc #0 */
	assert_true(insn_falls_through(0xd4200000));  /* brk #0 */
}

static void test_sysreg_names(void **state)
{
	char buf[INSN_SYSREG_NAME_MAX];

	assert_string_equal(insn_sysreg_name(SYS_ICC_IAR1_EL1, buf), "ICC_IAR1_EL1");
	assert_string_equal(insn_sysreg_name(SYSREG(3, 0, 0, 4, 0), buf), "ID_AA64PFR0_EL1");
	assert_string_equal(insn_sysreg_name(SYSREG(3, 3, 14, 0, 2), buf), "CNTVCT_EL0");
	assert_string_equal(insn_sysreg_name(SYSREG(3, 6, 1, 1, 0), buf), "SCR_EL3");
	assert_string_equal(insn_sysreg_name(SYSREG(3, 7, 15, 15, 7), buf), "S3_7_C15_C15_7");
	assert_string_equal(insn_sysreg_name(0xffff, buf), "S3_7_C15_C15_7");
	assert_string_equal(insn_sysreg_name(0, buf), "S0_0_C0_C0_0");
}

static void test_every_top_halfword(void **state)
{
	unsigned other = 0;

	for (uint32_t i = 0; i < 1 << 20; i++) {
		struct insn in = insn_decode(i << 12 | (i * 2654435761U & 0xfff));

		assert_in_range(in.kind, 0, INSN_KIND_COUNT - 1);
		assert_in_range(in.rt, 0, 31);
		other += in.kind == INSN_OTHER;
	}
	assert_in_range(other, 1 << 19, 1 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_branch_target),
		cmocka_unit_test(test_falls_through),
		cmocka_unit_test(test_sysreg_names),
		cmocka_unit_test(test_every_top_halfword),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
