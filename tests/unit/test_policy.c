/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the interception policy matches its encodings (Arm ARM C6.2), and no neighbour's. */
#include "intercept/policy.h"

#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { EVERY = POLICY_ALWAYS | POLICY_UNSETTLED | POLICY_TABLES | POLICY_UPPER | POLICY_CORE };

static const struct {
	uint32_t word;
	const char *row;
	enum policy_when when;
	enum intercept_what what;
} caught[] = {
	{0xd4000002, "HVC", POLICY_ALWAYS, INTERCEPT_HVC},	      /* hvc #0 */
	{0xd41fffe2, "HVC", POLICY_ALWAYS, INTERCEPT_HVC},	      /* hvc #0xffff */
	{0xd4000003, "SMC", POLICY_ALWAYS, INTERCEPT_SMC},	      /* smc #0 */
	{0xd4024683, "SMC", POLICY_ALWAYS, INTERCEPT_SMC},	      /* smc #0x1234 */
	{0xd4380000, "BRK_SLOT", POLICY_ALWAYS, INTERCEPT_GUEST_BRK}, /* brk #0xc000 */
	{0xd43bffe0, "BRK_SLOT", POLICY_ALWAYS, INTERCEPT_GUEST_BRK}, /* brk #0xdfff */
	{0xd538cc00, "MRS_ICC", POLICY_ALWAYS, INTERCEPT_MRS},	      /* mrs x0, icc_iar1_el1 */
	{0xd538cca5, "MRS_ICC", POLICY_ALWAYS, INTERCEPT_MRS},	      /* mrs x5, icc_sre_el1 */
	{0xd538c800, "MRS_ICC", POLICY_ALWAYS, INTERCEPT_MRS},	      /* mrs x0, icc_iar0_el1 */
	{0xd518cc23, "MSR_ICC", POLICY_ALWAYS, INTERCEPT_MSR},	      /* msr icc_eoir1_el1, x3 */
	{0xd518cba0, "MSR_ICC", POLICY_ALWAYS, INTERCEPT_MSR},	      /* msr icc_sgi1r_el1, x0 */
	{0xd518ccff, "MSR_ICC", POLICY_ALWAYS, INTERCEPT_MSR},	      /* msr icc_igrpen1_el1, xzr */
	{0xd53ccba0, "MRS_ICC_EL2", POLICY_UPPER, INTERCEPT_MRS},     /* mrs x0, ich_vmcr_el2 */
	{0xd53cc9a0, "MRS_ICC_EL2", POLICY_UPPER, INTERCEPT_MRS},     /* mrs x0, icc_sre_el2 */
	{0xd51ccc00, "MSR_ICC_EL2", POLICY_UPPER, INTERCEPT_MSR},     /* msr ich_lr0_el2, x0 */
	{0xd539f203, "MRS_IMPDEF", POLICY_UPPER_CORE, INTERCEPT_MRS}, /* mrs x3, s3_1_c15_c2_0 */
	{0xd519b043, "MSR_IMPDEF", POLICY_UPPER_CORE, INTERCEPT_MSR}, /* msr s3_1_c11_c0_2, x3 */
	{0xd51eccbf, "MSR_ICC_EL3", POLICY_UPPER, INTERCEPT_MSR},     /* msr icc_sre_el3, xzr */
	{0xd53ecc80, "MRS_ICC_EL3", POLICY_UPPER, INTERCEPT_MRS},     /* mrs x0, icc_ctlr_el3 */
	{0xd5384601, "MRS_ICC_PMR", POLICY_ALWAYS, INTERCEPT_MRS},    /* mrs x1, icc_pmr_el1 */
	{0xd5184602, "MSR_ICC_PMR", POLICY_ALWAYS, INTERCEPT_MSR},    /* msr icc_pmr_el1, x2 */
	{0xd5380001, "MRS_MIDR", POLICY_CORE, INTERCEPT_MRS},	      /* mrs x1, midr_el1 */
	{0xd53800c1, "MRS_REVIDR", POLICY_CORE, INTERCEPT_MRS},	      /* mrs x1, revidr_el1 */
	{0xd5380160, "MRS_ID_CRM1", POLICY_CORE, INTERCEPT_MRS},      /* mrs x0, id_afr0_el1 */
	{0xd5380200, "MRS_ID_CRM23", POLICY_CORE, INTERCEPT_MRS},     /* mrs x0, id_isar0_el1 */
	{0xd5380340, "MRS_ID_CRM23", POLICY_CORE, INTERCEPT_MRS},     /* mrs x0, mvfr2_el1 */
	{0xd5380420, "MRS_ID_CRM4_1", POLICY_CORE, INTERCEPT_MRS},    /* mrs x0, id_aa64pfr1_el1 */
	{0xd5380440, "MRS_ID_CRM4_2", POLICY_CORE, INTERCEPT_MRS},    /* mrs x0, id_aa64pfr2_el1 */
	{0xd5380480, "MRS_ID_CRM4_4", POLICY_CORE, INTERCEPT_MRS},    /* mrs x0, id_aa64zfr0_el1 */
	{0xd5380500, "MRS_ID_CRM5", POLICY_CORE, INTERCEPT_MRS},      /* mrs x0, id_aa64dfr0_el1 */
	{0xd5380607, "MRS_ID_CRM67", POLICY_CORE, INTERCEPT_MRS},     /* mrs x7, id_aa64isar0_el1 */
	{0xd5380740, "MRS_ID_CRM67", POLICY_CORE, INTERCEPT_MRS},     /* mrs x0, id_aa64mmfr2_el1 */
	{0xd5380407, "MRS_ID_AA64PFR0", POLICY_ALWAYS, INTERCEPT_MRS}, /* mrs x7, id_aa64pfr0_el1 */
	{0xd5181000, "MSR_SCTLR", POLICY_ALWAYS, INTERCEPT_WATCH_MMU}, /* msr sctlr_el1, x0 */
	{0xd5182001, "MSR_TTBR0", POLICY_TABLES, INTERCEPT_WATCH_TABLES}, /* msr ttbr0_el1, x1 */
	{0xd518203e, "MSR_TTBR1", POLICY_TABLES, INTERCEPT_WATCH_TABLES}, /* msr ttbr1_el1, x30 */
	{0xd518c004, "MSR_VBAR", POLICY_UNSETTLED, INTERCEPT_WATCH_VECTORS}, /* msr vbar_el1, x4 */
	{0xd508711f, "IC_IALLUIS", POLICY_UNSETTLED, INTERCEPT_WATCH_CODE},  /* ic ialluis */
	{0xd508751f, "IC_IALLU", POLICY_UNSETTLED, INTERCEPT_WATCH_CODE},    /* ic iallu */
	{0xd50b7529, "IC_IVAU", POLICY_UNSETTLED, INTERCEPT_WATCH_CODE},     /* ic ivau, x9 */
	{0xd61f0220, "BR", POLICY_UNSETTLED, INTERCEPT_BRANCH},		     /* br x17 */
	{0xd63f0020, "BLR", POLICY_UNSETTLED, INTERCEPT_BRANCH},	     /* blr x1 */
	{0xd65f03c0, "RET", POLICY_UNSETTLED, INTERCEPT_BRANCH},	     /* ret */
	{0xd65f0060, "RET", POLICY_UNSETTLED, INTERCEPT_BRANCH},	     /* ret x3 */
	{0xd71f0801, "BRA", POLICY_UNSETTLED, INTERCEPT_WATCH_FLOW},	     /* braa x0, x1 */
	{0xd61f081f, "BRA", POLICY_UNSETTLED, INTERCEPT_WATCH_FLOW},	     /* braaz x0 */
	{0xd61f0c1f, "BRA", POLICY_UNSETTLED, INTERCEPT_WATCH_FLOW},	     /* brabz x0 */
	{0xd73f0843, "BLRA", POLICY_UNSETTLED, INTERCEPT_WATCH_FLOW},	     /* blraa x2, x3 */
	{0xd63f08bf, "BLRA", POLICY_UNSETTLED, INTERCEPT_WATCH_FLOW},	     /* blraaz x5 */
	{0xd65f0bff, "RETA", POLICY_UNSETTLED, INTERCEPT_WATCH_FLOW},	     /* retaa */
	{0xd65f0fff, "RETA", POLICY_UNSETTLED, INTERCEPT_WATCH_FLOW},	     /* retab */
	{0xd69f03e0, "ERET", POLICY_UNSETTLED, INTERCEPT_WATCH_FLOW},	     /* eret */
	{0xd69f0bff, "ERETA", POLICY_UNSETTLED, INTERCEPT_WATCH_FLOW},	     /* eretaa */
	{0xd69f0fff, "ERETA", POLICY_UNSETTLED, INTERCEPT_WATCH_FLOW},	     /* eretab */
};

static const uint32_t left_alone[] = {
	0x00000000,		/* udf #0 */
	0xffffffff, 0xd4000000, /* unallocated, beside svc */
	0xd4000001,		/* svc #0 */
	0xd4200000,		/* brk #0 */
	0xd437ffe0,		/* brk #0xbfff */
	0xd43c0000,		/* brk #0xe000 */
	0xd4380001,		/* unallocated, beside brk #0xc000 */
	0xd4580000,		/* hlt #0xc000 */
	0xd538c000,		/* mrs x0, vbar_el1 */
	0xd538c100,		/* mrs x0, isr_el1 */
	0xd53cc000,		/* mrs x0, vbar_el2 */
	0xd51ec000,		/* msr vbar_el3, x0 */
	0xd53dcc80,		/* mrs x0, s3_5_c12_c12_4 */
	0xd5384100,		/* mrs x0, sp_el0 */
	0xd53800a0,		/* mrs x0, mpidr_el1 */
	0xd5390000,		/* mrs x0, ccsidr_el1 */
	0xd53b0020,		/* mrs x0, ctr_el0 */
	0xd5381000,		/* mrs x0, sctlr_el1 */
	0xd5181020,		/* msr actlr_el1, x0 */
	0xd5382000,		/* mrs x0, ttbr0_el1 */
	0xd5182040,		/* msr tcr_el1, x0 */
	0xd5184000,		/* msr spsr_el1, x0 */
	0xd5184020,		/* msr elr_el1, x0 */
	0xd50b7b20,		/* dc cvau, x0 */
	0xd50b7420,		/* dc zva, x0 */
	0xd508871f,		/* tlbi vmalle1 */
	0xd5033fdf,		/* isb */
	0xd503201f,		/* nop */
	0xd503245f,		/* bti c */
	0xd50343df,		/* msr daifset, #3 */
	0xd6bf03e0,		/* drps */
	0x14000000,		/* b . */
	0x94000000,		/* bl . */
	0xb4000000,		/* cbz x0, . */
};

static void test_table_is_sound(void **state)
{
	int a = 0, b = 0;
	unsigned count;
	const struct policy_row *r = policy_rows(&count);

	assert_true(policy_check(&a, &b));
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(r[i].value & ~r[i].mask, 0);
		assert_true(r[i].what < INTERCEPT_WHAT_COUNT);
		/* policy_match() looks at no other words. */
		assert_int_equal(r[i].mask >> 26, 0x3f);
		assert_int_equal(r[i].value >> 26, 0xd4 >> 2);
		assert_true(strlen(r[i].reference) > 0);
		/* What is always needed must not be given back. */
		assert_true(r[i].when != POLICY_ALWAYS || !r[i].release);
	}
}

static void test_rows_match_their_encodings(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(caught); i++) {
		const struct policy_row *r = policy_match(caught[i].word, EVERY);

		assert_non_null(r);
		assert_string_equal(r->name, caught[i].row);
		assert_int_equal(r->when, caught[i].when);
		assert_int_equal(r->what, caught[i].what);
	}
}

static void test_every_row_has_an_example(void **state)
{
	unsigned count;
	const struct policy_row *rows = policy_rows(&count);

	for (unsigned i = 0; i < count; i++) {
		bool found = false;

		for (size_t j = 0; j < ARRAY_COUNT(caught); j++)
			found |= !strcmp(caught[j].row, rows[i].name);
		assert_true(found);
	}
}

static void test_neighbours_do_not_match(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(left_alone); i++)
		assert_null(policy_match(left_alone[i], EVERY));
}

static void test_when_selects(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(caught); i++) {
		assert_null(policy_match(caught[i].word, EVERY & ~caught[i].when));
		assert_non_null(policy_match(caught[i].word, caught[i].when));
		assert_null(policy_match(caught[i].word, 0));
	}
}

/* No word is claimed by two rows, over the whole space the rows lie in. */
static void test_no_word_has_two_rows(void **state)
{
	unsigned count;
	const struct policy_row *rows = policy_rows(&count);

	for (unsigned i = 0; i < count; i++) {
		for (unsigned j = 0; j < i; j++) {
			uint32_t both = rows[i].value |
					rows[j].value; /* the one word both could take */

			assert_false((both & rows[i].mask) == rows[i].value &&
				     (both & rows[j].mask) == rows[j].value);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_is_sound),
		cmocka_unit_test(test_rows_match_their_encodings),
		cmocka_unit_test(test_every_row_has_an_example),
		cmocka_unit_test(test_neighbours_do_not_match),
		cmocka_unit_test(test_when_selects),
		cmocka_unit_test(test_no_word_has_two_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
