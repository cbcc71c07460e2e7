// SPDX-License-Identifier: Apache-2.0
/* Integer data processing and branches: recorded results, edges, and what is UNDEFINED. */
#include "soft_states.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
	*state = soft_rig_make();
	return 0;
}

static int teardown(void **state)
{
	soft_rig_drop(*state);
	return 0;
}

static void recorded_results(void **state)
{
	static const struct soft_digest list[] = {
#include "soft_int_digests.def"
	};

	soft_check_digests(list, ARRAY_COUNT(list));
}

/* X0 after @word with these operands. */
static uint64_t result(struct soft_rig *r, uint32_t word, uint64_t x1, uint64_t x2)
{
	r->c.x[0] = 0xdeaddeaddeaddead;
	r->c.x[1] = x1;
	r->c.x[2] = x2;
	assert_int_equal(soft_rig_run(r, word), SOFT_RIG_OK);
	return r->c.x[0];
}

static void divides_at_the_limits(void **state)
{
	struct soft_rig *r = *state;

	/* udiv x0, x1, x2; sdiv x0, x1, x2; sdiv w0, w1, w2 */
	assert_int_equal(result(r, 0x9ac20820, 5, 0), 0);
	assert_int_equal(result(r, 0x9ac20c20, 5, 0), 0);
	assert_int_equal(result(r, 0x9ac20c20, 1ULL << 63, ~0ULL), 1ULL << 63);
	assert_int_equal(result(r, 0x9ac20c20, -7ULL, 2), -3ULL);
	assert_int_equal(result(r, 0x1ac20c20, 0x80000000, ~0ULL), 0x80000000);
	assert_int_equal(result(r, 0x1ac20c20, 0xffffffff00000007, 0xfffffffe), 0xfffffffd);
}

/* Check values of the two polynomials: "123456789" with the usual inversions. */
static void crcs_are_the_known_ones(void **state)
{
	struct soft_rig *r = *state;
	uint64_t text, ieee, castagnoli;

	memcpy(&text, "12345678", 8);
	ieee = result(r, 0x9ac24c20, 0xffffffff, text);	      /* crc32x w0, w1, x2 */
	ieee = result(r, 0x1ac24020, ieee, '9');	      /* crc32b w0, w1, w2 */
	castagnoli = result(r, 0x9ac25c20, 0xffffffff, text); /* crc32cx w0, w1, x2 */
	castagnoli = result(r, 0x1ac25020, castagnoli, '9');  /* crc32cb w0, w1, w2 */
	assert_int_equal(ieee ^ 0xffffffff, 0xcbf43926);
	assert_int_equal(castagnoli ^ 0xffffffff, 0xe3069283);
}

static void addresses_are_relative_to_pc(void **state)
{
	struct soft_rig *r = *state;

	r->c.pc = 0x12345678;
	assert_int_equal(result(r, 0x70ffffe0, 0, 0), 0x12345677); /* adr x0, .-1 */
	r->c.pc = 0x12345678;
	assert_int_equal(result(r, 0xb0000000, 0, 0), 0x12346000); /* adrp x0, .+1 page */
	r->c.pc = 0x10;
	assert_int_equal(result(r, 0xf0ffffe0, 0, 0), -0x1000ULL); /* adrp x0, .-1 page */
}

/* Register 31 is XZR or SP, by instruction. */
static void register_31(void **state)
{
	struct soft_rig *r = *state;

	r->c.sp = 0x1000;
	assert_int_equal(result(r, 0x910043e0, 0, 0), 0x1010); /* add x0, sp, #16 */
	assert_int_equal(result(r, 0x8b0203e0, 0, 7), 7);      /* add x0, xzr, x2 */
	result(r, 0xb24003ff, 0, 0);			       /* orr sp, xzr, #1 */
	assert_int_equal(r->c.sp, 1);
	result(r, 0xf100043f, 1, 0); /* subs xzr, x1, #1 */
	assert_int_equal(r->c.sp, 1);
	assert_int_equal(r->c.nzcv >> 28, 6);
	result(r, 0x11000bff, 0, 0); /* add wsp, wsp, #2 */
	assert_int_equal(r->c.sp, 3);
}

/* All immediates of logical instructions against the definition, bit by bit. */
static bool expected_mask(unsigned n, unsigned imms, unsigned immr, uint64_t *mask)
{
	unsigned size = 64;

	if (!n)
		for (size = 32; size > 1 && imms & size; size /= 2)
			;
	if (size < 2 || (imms & (size - 1)) == size - 1)
		return false;
	*mask = 0;
	for (unsigned i = 0; i < 64; i++) {
		unsigned from = (i + immr) % size; /* before the rotation to the right */

		if (from <= (imms & (size - 1)))
			*mask |= 1ULL << i;
	}
	return true;
}

static void logical_immediates(void **state)
{
	struct soft_rig *r = *state;

	for (unsigned i = 0; i < 1 << 14; i++) {
		bool sf = i >> 13;
		uint32_t w = 0x32000020 | (uint32_t)sf << 31 | (i & 0x1fff) << 10; /* orr x0, x1 */
		uint64_t mask;
		bool ok = expected_mask(i >> 12 & 1, i & 63, i >> 6 & 63, &mask) &&
			  (sf || !(i >> 12 & 1));

		r->c.x[1] = 0;
		assert_int_equal(soft_rig_run(r, w), ok ? SOFT_RIG_OK : SOFT_RIG_UNDEFINED);
		if (ok)
			assert_int_equal(r->c.x[0], sf ? mask : (uint32_t)mask);
	}
}

static void undefined_words(void **state)
{
	static const uint32_t words[] = {
		0x0b028020,	       /* add w0, w1, w2, lsl #32 */
		0x0a428020,	       /* and w0, w1, w2, lsr #32 */
		0x8bc20020,	       /* add x0, x1, x2, shift 3 */
		0x8b221420,	       /* add x0, x1, w2, uxtb #5 */
		0x52c00000,	       /* movz w0, #0, lsl #32 */
		0x12c00000,	       /* movn w0, lsl #32 */
		0x72e00000,	       /* movk w0, lsl #48 */
		0x53400000,	       /* ubfm with N != sf */
		0xd3000000,	       /* ... */
		0x53200000,	       /* ubfm w0, w0, #32, #0 */
		0x53008000,	       /* ubfm w0, w0, #0, #32 */
		0x13828020,	       /* extr w0, w1, w2, #32 */
		0x93820020,	       /* extr with N != sf */
		0x9ac24020,	       /* crc32b with sf */
		0x1ac24c20,	       /* crc32x without */
		0x5ac00c00,	       /* rev of 64 bits, w0 */
		0x32000000 | 63 << 10, /* a mask of all ones */
		0x9ac23020,	       /* pacga x0, x1, x2 */
		0x6b1f0000 | 3 << 22,
	};
	struct soft_rig *r = *state;

	for (unsigned i = 0; i < ARRAY_COUNT(words); i++) {
		struct soft_cpu before = r->c;

		assert_int_equal(soft_rig_run(r, words[i]), SOFT_RIG_UNDEFINED);
		assert_memory_equal(before.x, r->c.x, sizeof(before.x));
		assert_int_equal(before.pc, r->c.pc);
	}
}

/* ---- branches ---- */

static uint64_t target(struct soft_rig *r, uint32_t word)
{
	r->c.pc = 0x10000000;
	assert_int_equal(soft_rig_run(r, word), SOFT_RIG_OK);
	return r->c.pc;
}

static void direct_branches(void **state)
{
	struct soft_rig *r = *state;

	assert_int_equal(target(r, 0x15ffffff), 0x17fffffc); /* b, farthest forward */
	assert_int_equal(target(r, 0x16000000), 0x08000000); /* b, farthest back */
	assert_int_equal(target(r, 0x97ffffff), 0x0ffffffc); /* bl .-4 */
	assert_int_equal(r->c.x[30], 0x10000004);
	r->c.nzcv = 1U << 30;
	assert_int_equal(target(r, 0x54800000), 0x0ff00000); /* b.eq, farthest back */
	assert_int_equal(target(r, 0x54800001), 0x10000004); /* b.ne */
	assert_int_equal(target(r, 0x5480000f), 0x0ff00000); /* b.nv: always */
}

static void compare_and_test_branches(void **state)
{
	struct soft_rig *r = *state;

	r->c.x[1] = 0x8000000100000000;
	assert_int_equal(target(r, 0x34000041), 0x10000008); /* cbz w1, .+8 */
	assert_int_equal(target(r, 0xb4000041), 0x10000004); /* cbz x1 */
	assert_int_equal(target(r, 0x35000041), 0x10000004); /* cbnz w1 */
	assert_int_equal(target(r, 0xb5000041), 0x10000008); /* cbnz x1 */
	assert_int_equal(target(r, 0xb7ffffe1), 0x0ffffffc); /* tbnz x1, #63, .-4 */
	assert_int_equal(target(r, 0xb6ffffe1), 0x10000004); /* tbz x1, #63 */
	assert_int_equal(target(r, 0x37f80041), 0x10000004); /* tbnz w1, #31, .+8 */
	assert_int_equal(target(r, 0xb7000041), 0x10000008); /* tbnz x1, #32, .+8 */
}

static void branches_to_registers(void **state)
{
	struct soft_rig *r = *state;

	r->c.x[30] = 0x2002; /* misaligned: the fetch faults, not the branch */
	assert_int_equal(target(r, 0xd63f03c0), 0x2002); /* blr x30 */
	assert_int_equal(r->c.x[30], 0x10000004);
	assert_int_equal(target(r, 0xd65f03c0), 0x10000004); /* ret */
	assert_int_equal(target(r, 0xd61f03e0), 0);	     /* br xzr */
}

static void tags_do_not_reach_pc(void **state)
{
	struct soft_rig *r = *state;

	r->c.x[1] = 0xab00123456789ab0;
	r->c.x[2] = 0xabff800000000010;
	assert_int_equal(target(r, 0xd61f0020), 0xab00123456789ab0); /* br x1 */
	r->c.tbi_mask[0] = r->c.tbi_mask[1] = ~0ULL >> 8;
	assert_int_equal(target(r, 0xd61f0020), 0x123456789ab0);
	assert_int_equal(target(r, 0xd61f0040), 0xffff800000000010); /* br x2 */
	r->c.pstate = 3 << 2;
	assert_int_equal(target(r, 0xd61f0040), 0x00ff800000000010); /* at EL3 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_results),
		cmocka_unit_test_setup_teardown(divides_at_the_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(crcs_are_the_known_ones, setup, teardown),
		cmocka_unit_test_setup_teardown(addresses_are_relative_to_pc, setup, teardown),
		cmocka_unit_test_setup_teardown(register_31, setup, teardown),
		cmocka_unit_test_setup_teardown(logical_immediates, setup, teardown),
		cmocka_unit_test_setup_teardown(undefined_words, setup, teardown),
		cmocka_unit_test_setup_teardown(direct_branches, setup, teardown),
		cmocka_unit_test_setup_teardown(compare_and_test_branches, setup, teardown),
		cmocka_unit_test_setup_teardown(branches_to_registers, setup, teardown),
		cmocka_unit_test_setup_teardown(tags_do_not_reach_pc, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
