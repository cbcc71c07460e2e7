// SPDX-License-Identifier: Apache-2.0
/* Advanced SIMD copy, permute, table lookup, modified immediate: recorded results, edges, UNDEFINED. */
#include "soft_states.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct soft_digest list[] = {
#include "soft_perm_digests.def"
};

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
	soft_check_digests(list, ARRAY_COUNT(list));
}

static void traps_change_nothing(void **state)
{
	soft_check_traps(list, ARRAY_COUNT(list));
}

/* All indices, in a table of 1 to 4 registers from V30 on. Its registers go on with V0, and Vd is one. */
static void table_lookup(void **state)
{
	struct soft_rig *r = *state;

	for (unsigned i = 0; i < 1024; i++) {
		unsigned len = i >> 8, index = i & 255;
		uint8_t found = (uint8_t)(index + 1), kept = 0xdd;

		for (unsigned b = 0; b < 16; b++) {
			r->c.v[30].b[b] = (uint8_t)(b + 1);
			r->c.v[31].b[b] = (uint8_t)(b + 17);
			r->c.v[0].b[b] = (uint8_t)(b + 33);
			r->c.v[1].b[b] = (uint8_t)(b + 49);
			r->c.v[3].b[b] = (uint8_t)index;
			r->c.v[4].b[b] = kept;
		}
		/* tbx v4.16b, { v30... }, v3.16b; tbl v0.16b, ...; tbl v1.8b, ... */
		assert_int_equal(soft_rig_run(r, 0x4e0313c4 | len << 13), SOFT_RIG_OK);
		assert_int_equal(r->c.v[4].b[15], index < 16 * (len + 1) ? found : kept);
		assert_int_equal(soft_rig_run(r, 0x4e0303c0 | len << 13), SOFT_RIG_OK);
		assert_int_equal(r->c.v[0].b[0], index < 16 * (len + 1) ? found : 0);
		assert_int_equal(soft_rig_run(r, 0x0e0303c1), SOFT_RIG_OK);
		assert_int_equal(r->c.v[1].b[7], index < 16 ? found : 0);
		assert_int_equal(r->c.v[1].b[8], 0);
	}
}

/* What cmode 1110 with op 1 and the forms that shift in ones make of every immediate. */
static void immediates(void **state)
{
	struct soft_rig *r = *state;

	for (unsigned imm = 0; imm < 256; imm++) {
		uint32_t fields = (imm >> 5) << 16 | (imm & 31) << 5;

		assert_int_equal(soft_rig_run(r, 0x6f00e400 | fields), SOFT_RIG_OK); /* movi .2d */
		for (unsigned i = 0; i < 16; i++)
			assert_int_equal(r->c.v[0].b[i], imm >> i % 8 & 1 ? 0xff : 0);
		assert_int_equal(soft_rig_run(r, 0x2f00d400 | fields), SOFT_RIG_OK);
		assert_int_equal(r->c.v[0].s[1], ~(imm << 16 | 0xffff)); /* mvni .2s, msl #16 */
		assert_int_equal(r->c.v[0].d[1], 0);
		assert_int_equal(soft_rig_run(r, 0x4f00c400 | fields), SOFT_RIG_OK);
		assert_int_equal(r->c.v[0].s[3], imm << 8 | 0xff); /* movi .4s, msl #8 */
	}
}

static void undefined_words(void **state)
{
	static const uint32_t words[] = {
		0x4e000420, /* dup with imm5 x0000 */
		0x4e100420, /* ... */
		0x0e080420, /* dup v0.1d, v1.d[0] */
		0x0e080c20, /* dup v0.1d, x1 */
		0x5e100420, /* dup, scalar, with imm5 x0000 */
		0x4e101c20, /* ins of a general register with imm5 x0000 */
		0x6e100420, /* ins of an element with imm5 x0000 */
		0x0e081c20, /* ins with Q 0 */
		0x2e040420, /* ... */
		0x0e042c20, /* smov w0, v1.s[0] */
		0x4e082c20, /* smov x0, v1.d[0] */
		0x0e083c20, /* umov w0, v1.d[0] */
		0x4e043c20, /* umov x0, v1.s[0] */
		0x4e103c20, /* umov with imm5 x0000 */
		0x0ec23820, /* zip1 v0.1d */
		0x0ec21820, /* uzp1 v0.1d */
		0x0ec22820, /* trn1 v0.1d */
		0x4e020820, /* permute, opcode 000 */
		0x4e024820, /* permute, opcode 100 */
		0x2e024020, /* ext v0.8b, ..., #8 */
		0x6e420820, /* ext, op2 01 */
		0x2f00f400, /* fmov v0.1d, #imm */
		0x2f00fc00, /* fmov of half precision with op 1 */
		0x0f00ec00, /* modified immediate, o2 1, cmode 1110 */
	};
	struct soft_rig *r = *state;

	r->fp_off = true; /* UNDEFINED comes first */
	for (unsigned i = 0; i < ARRAY_COUNT(words); i++)
		assert_int_equal(soft_rig_run(r, words[i]), SOFT_RIG_UNDEFINED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_results),
		cmocka_unit_test(traps_change_nothing),
		cmocka_unit_test_setup_teardown(table_lookup, setup, teardown),
		cmocka_unit_test_setup_teardown(immediates, setup, teardown),
		cmocka_unit_test_setup_teardown(undefined_words, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
