// SPDX-License-Identifier: Apache-2.0
/* Advanced SIMD integer arithmetic: recorded results, all 8-bit operands, edges of 64 bits, UNDEFINED. */
#include "soft_states.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct soft_digest list[] = {
#include "soft_same_digests.def"
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

/* ---- saturation, with numbers that are large enough for the pseudocode as it stands ---- */

static __int128 sat(__int128 v, unsigned bits, bool is_signed, bool *qc)
{
	__int128 max = ((__int128)1 << (bits - is_signed)) - 1, min = is_signed ? -max - 1 : 0;

	*qc = v < min || v > max;
	return v < min ? min : v > max ? max : v;
}

static __int128 number(uint64_t v, unsigned bits, bool is_signed)
{
	return is_signed ? (__int128)((int64_t)(v << (64 - bits)) >> (64 - bits))
			 : (__int128)(v & ~0ULL >> (64 - bits));
}

/* v * 2^n, n from -128 to 127. From 64 on, anything that is too large will do. */
static __int128 shifted(__int128 v, int n, bool round)
{
	const __int128 large = (__int128)1 << 126;

	if (n >= 64)
		return v > 0 ? large : v < 0 ? -large : 0;
	if (n >= 0)
		return v * ((__int128)1 << n);
	if (n < -65)
		return round || v >= 0 ? 0 : -1;
	return (v + (round ? (__int128)1 << (-n - 1) : 0)) >> -n;
}

enum op { ADD, SUB, SHL, RSHL };

static __int128 result(enum op op, __int128 a, __int128 b)
{
	switch (op) {
	case ADD:
		return a + b;
	case SUB:
		return a - b;
	default:
		return shifted(a, (int8_t)b, op == RSHL);
	}
}

/* SQADD, SQSUB, SQSHL, SQRSHL and the unsigned ones, scalar: v0, v1, v2. */
static const uint32_t words[] = {0x5e220c20, 0x5e222c20, 0x5e224c20, 0x5e225c20};

static void check_one(struct soft_rig *r, enum op op, unsigned size, bool is_signed, uint64_t a,
		      uint64_t b)
{
	unsigned bits = 8U << size;
	__int128 y = op < SHL ? number(b, bits, is_signed) : (__int128)(int8_t)b;
	bool qc;
	__int128 want = sat(result(op, number(a, bits, is_signed), y), bits, is_signed, &qc);

	r->c.v[0] = r->c.v[3];
	r->c.v[1].d[0] = a;
	r->c.v[2].d[0] = b;
	r->c.fp.fpsr = 0;
	assert_int_equal(soft_rig_run(r, words[op] | size << 22 | !is_signed << 29), SOFT_RIG_OK);
	assert_int_equal(r->c.v[0].d[0], (uint64_t)want & ~0ULL >> (64 - bits));
	assert_int_equal(r->c.v[0].d[1], 0);
	assert_int_equal(r->c.fp.fpsr, qc ? FPSR_QC : 0);
}

static void bytes(void **state)
{
	for (unsigned i = 0; i < 4 * 65536; i++) {
		check_one(*state, i >> 16, 0, true, i & 255, i >> 8 & 255);
		check_one(*state, i >> 16, 0, false, i & 255, i >> 8 & 255);
	}
}

static void doublewords(void **state)
{
	static const uint64_t values[] = {0,
					  1,
					  2,
					  0x3fffffffffffffff,
					  0x4000000000000000,
					  0x7fffffffffffffff,
					  0x8000000000000000,
					  0x8000000000000001,
					  0xbfffffffffffffff,
					  0xc000000000000000,
					  0xfffffffffffffffe,
					  0xffffffffffffffff};
	unsigned n = ARRAY_COUNT(values);

	for (unsigned i = 0; i < 2 * 2 * n * n; i++)
		check_one(*state, i & 1, 3, i >> 1 & 1, values[i / 4 % n], values[i / 4 / n]);
	for (unsigned i = 0; i < 2 * 2 * 256 * n; i++)
		check_one(*state, SHL + (i & 1), 3, i >> 1 & 1, values[i / 1024], i / 4 % 256);
}

/* The only product that does not fit, and that the upper half of a short vector does not count. */
static void smallest_squared(void **state)
{
	struct soft_rig *r = *state;

	r->c.v[1].d[0] = r->c.v[2].d[0] = 0;
	r->c.v[1].d[1] = r->c.v[2].d[1] = 0x8000000080008000;
	r->c.fp.fpsr = 0;
	assert_int_equal(soft_rig_run(r, 0x0e62b420),
			 SOFT_RIG_OK); /* sqdmulh v0.4h, v1.4h, v2.4h */
	assert_int_equal(soft_rig_run(r, 0x0e62d020),
			 SOFT_RIG_OK); /* sqdmull v0.4s, v1.4h, v2.4h */
	assert_int_equal(r->c.fp.fpsr, 0);
	assert_int_equal(soft_rig_run(r, 0x4ea2d020),
			 SOFT_RIG_OK); /* sqdmull2 v0.2d, v1.4s, v2.4s */
	assert_int_equal(r->c.v[0].d[1], INT64_MAX);
	assert_int_equal(r->c.fp.fpsr, FPSR_QC);
	assert_int_equal(soft_rig_run(r, 0x4ea2d020), SOFT_RIG_OK); /* stays */
	assert_int_equal(r->c.fp.fpsr, FPSR_QC);
}

/* Vd is Vn and Vm, too. */
static void same_register(void **state)
{
	struct soft_rig *r = *state;

	for (unsigned i = 0; i < 16; i++)
		r->c.v[1].b[i] = (uint8_t)(i + 1);
	assert_int_equal(soft_rig_run(r, 0x4e21bc21),
			 SOFT_RIG_OK); /* addp v1.16b, v1.16b, v1.16b */
	assert_int_equal(r->c.v[1].d[0], 0x1f1b17130f0b0703);
	assert_int_equal(r->c.v[1].d[1], 0x1f1b17130f0b0703);
	assert_int_equal(soft_rig_run(r, 0x4e214021),
			 SOFT_RIG_OK); /* addhn2 v1.16b, v1.8h, v1.8h */
	assert_int_equal(r->c.v[1].d[0], 0x1f1b17130f0b0703);
	assert_int_equal(r->c.v[1].d[1], 0x3e2e1e0e3e2e1e0e);
	assert_int_equal(soft_rig_run(r, 0x2e21c021), SOFT_RIG_OK); /* umull v1.8h, v1.8b, v1.8b */
	assert_int_equal(r->c.v[1].h[7], 0x1f * 0x1f);
	assert_int_equal(r->c.v[1].h[0], 9);
}

static void undefined_words(void **state)
{
	static const uint32_t undefined[] = {
		0x0ee28420, /* add v0.1d */
		0x0ee23c20, /* cmge v0.1d */
		0x4ee20420, /* shadd v0.2d */
		0x4ee29c20, /* mul v0.2d */
		0x6e629c20, /* pmul of halfwords */
		0x4e22b420, /* sqdmulh of bytes */
		0x4ee2b420, /* sqdmulh of doublewords */
		0x6e22bc20, /* addp with U 1 */
		0x5e628420, /* add, scalar, of halfwords */
		0x5e22b420, /* sqdmulh, scalar, of bytes */
		0x6e028420, /* sqrdmlah of bytes */
		0x4e429420, /* sdot of halfwords */
		0x4ee20020, /* saddl of doublewords */
		0x4e22d020, /* sqdmull of bytes */
		0x6e629020, /* sqdmlal with U 1 */
		0x0e62e020, /* pmull of halfwords */
		0x5e22d020, /* sqdmull, scalar, of bytes */
		0x6f020020, /* mla of bytes by element */
		0x4fc28020, /* mul of doublewords by element */
		0x4f42e020, /* sdot of halfwords by element */
		0x5f02b020, /* sqdmull of bytes by element, scalar */
	};
	struct soft_rig *r = *state;

	r->fp_off = true; /* UNDEFINED comes first */
	for (unsigned i = 0; i < ARRAY_COUNT(undefined); i++)
		assert_int_equal(soft_rig_run(r, undefined[i]), SOFT_RIG_UNDEFINED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_results),
		cmocka_unit_test(traps_change_nothing),
		cmocka_unit_test_setup_teardown(bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(doublewords, setup, teardown),
		cmocka_unit_test_setup_teardown(smallest_squared, setup, teardown),
		cmocka_unit_test_setup_teardown(same_register, setup, teardown),
		cmocka_unit_test_setup_teardown(undefined_words, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
