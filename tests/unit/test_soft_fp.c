// SPDX-License-Identifier: Apache-2.0
/*
 * Floating point: recorded results of the scalar group and of Advanced SIMD, what qemu-aarch64 7.2 gets
 * wrong, what is UNDEFINED, traps.
 */
#include "soft_states.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct soft_digest scalar_list[] = {
#include "soft_fp_digests.def"
};
static const struct soft_digest vector_list[] = {
#include "soft_fpv_digests.def"
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

static void recorded_scalar_results(void **state)
{
	soft_check_digests(scalar_list, ARRAY_COUNT(scalar_list));
}

static void recorded_vector_results(void **state)
{
	soft_check_digests(vector_list, ARRAY_COUNT(vector_list));
}

/*
 * FPToFixedJS(): Z says that the result is the operand. qemu-aarch64 7.2 sets it for a denormal that is
 * flushed to zero, too.
 */
static void javascript_conversion(void **state)
{
	static const struct {
		uint64_t d;
		uint32_t fpcr, w, nzcv, fpsr;
	} cases[] = {
		{0, 0, 0, 0x40000000, 0},
		{1ULL << 63, 0, 0, 0, 0},			    /* -0.0 */
		{0x3ff0000000000000, 0, 1, 0x40000000, 0},	    /* 1.0 */
		{0xbff8000000000000, 0, 0xffffffff, 0, FPSR_IXC},   /* -1.5 */
		{0x41f0000000100000, 0, 1, 0, FPSR_IOC},	    /* 2^32 + 1 */
		{0xc1e0000000000000, 0, 0x80000000, 0x40000000, 0}, /* -2^31 */
		{0x41e0000000000000, 0, 0x80000000, 0, FPSR_IOC},   /* 2^31 */
		{0x7ff0000000000000, 0, 0, 0, FPSR_IOC},	    /* infinity */
		{0x7ff8000000000000, 0, 0, 0, FPSR_IOC},	    /* NaN */
		{1, 0, 0, 0, FPSR_IXC},				    /* denormal */
		{1, FPCR_FZ, 0, 0, FPSR_IDC},			    /* flushed */
		{0x7fefffffffffffff, 0, 0, 0, FPSR_IOC},	    /* far away */
	};
	struct soft_rig *r = *state;

	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
		r->c.v[1].d[0] = cases[i].d;
		r->c.fp = (struct fp_env){.fpcr = cases[i].fpcr};
		r->c.nzcv = 0xf0000000;
		r->c.x[0] = ~0ULL;
		assert_int_equal(soft_rig_run(r, 0x1e7e0020), SOFT_RIG_OK); /* fjcvtzs w0, d1 */
		assert_int_equal(r->c.x[0], cases[i].w);
		assert_int_equal(r->c.nzcv, cases[i].nzcv);
		assert_int_equal(r->c.fp.fpsr, cases[i].fpsr);
	}
}

/* The result has 16 bits and the rest of the register is zero; qemu-aarch64 7.2 extends the sign to 32. */
static void fixed_point_of_half_precision(void **state)
{
	struct soft_rig *r = *state;

	memset(r->c.v, 0xff, sizeof(r->c.v));
	r->c.v[1].h[0] = 0xbc00;				    /* -1.0 */
	assert_int_equal(soft_rig_run(r, 0x5f1ffc20), SOFT_RIG_OK); /* fcvtzs h0, h1, #1 */
	assert_int_equal(r->c.v[0].d[0], 0xfffe);
	assert_int_equal(r->c.v[0].d[1], 0);
	assert_int_equal(soft_rig_run(r, 0x5f10fc20), SOFT_RIG_OK); /* fcvtzs h0, h1, #16 */
	assert_int_equal(r->c.v[0].d[0], 0x8000);
	assert_int_equal(r->c.fp.fpsr, FPSR_IOC);
}

/* All 8-bit immediates: sign, three bits of exponent, four of fraction. */
static void immediates(void **state)
{
	static const struct {
		uint32_t word, bits, fraction;
	} forms[] = {
		{0x1ee01000, 16, 10}, /* fmov h0, #imm */
		{0x1e201000, 32, 23},
		{0x1e601000, 64, 52},
	};
	struct soft_rig *r = *state;

	for (unsigned i = 0; i < 3 * 256; i++) {
		unsigned f = forms[i / 256].fraction, size = forms[i / 256].bits, imm = i % 256;
		/* (16 + efgh) / 16 * 2^(exponent), with exponent -3 to 4 */
		int exponent = (int)((imm >> 4 & 7) ^ 4) - 3;
		uint64_t biased = (uint64_t)((1 << (size - 2 - f)) - 1 + exponent);
		uint64_t want = (uint64_t)(imm >> 7) << (size - 1) | biased << f |
				(uint64_t)(imm & 15) << (f - 4);

		assert_int_equal(soft_rig_run(r, forms[i / 256].word | imm << 13), SOFT_RIG_OK);
		assert_true(r->c.v[0].d[0] == want && r->c.v[0].d[1] == 0);
	}
}

static void undefined_words(void **state)
{
	static const uint32_t words[] = {
		0x1e224020, /* fcvt s0, s1 */
		0x1e62c020, /* fcvt d0, d1 */
		0x1ee3c020, /* fcvt h0, h1 */
		0x1ea04020, /* fmov with ftype 10 */
		0x1ea22820, /* fadd with ftype 10 */
		0x1e027c20, /* scvtf s0, w1, #33 */
		0x1e180020, /* fcvtzs w0, s1, #64 */
		0x1e660020, /* fmov w0, d1 */
		0x9e260020, /* fmov x0, s1 */
		0x1eae0020, /* fmov, sf 0, of the upper half */
		0x9e7e0020, /* fjcvtzs x0, d1 */
		0x0e62d420, /* fadd v0.1d, ... */
		0x2e62fc20, /* fdiv 1d */
		0x0e62cc20, /* fmla 1d */
		0x2e62d420, /* faddp v0.1d */
		0x0fc29020, /* fmul v0.1d, v1.1d, v2.d[0] */
		0x4fe29020, /* fmul v0.2d, v1.2d, v2.d[] with L */
		0x5fe29020, /* fmul d0, d1, v2.d[] with L */
		0x0ee0f820, /* fabs 1d */
		0x0e61d820, /* scvtf 1d */
		0x0f40e420, /* scvtf 1d, #64 */
		0x0f08e420, /* scvtf with immh 0001 */
		0x2e30c820, /* fmaxnmv of 2s */
		0x2ec2c420, /* fcmla 1d */
		0x2e02c420, /* fcmla with size 00 */
		0x2f821020, /* fcmla v0.2s by element */
		0x6fa21020, /* fcmla v0.4s by element with L */
		0x2f421820, /* fcmla v0.4h by element 2 */
		0x2e216820, /* fcvtxn to half precision */
		0x0ee1c820, /* urecpe of double precision */
	};
	struct soft_rig *r = *state;

	r->fp_off = true; /* UNDEFINED comes first */
	for (unsigned i = 0; i < ARRAY_COUNT(words); i++)
		assert_int_equal(soft_rig_run(r, words[i]), SOFT_RIG_UNDEFINED);
}

static void traps_change_nothing(void **state)
{
	soft_check_traps(scalar_list, ARRAY_COUNT(scalar_list));
	soft_check_traps(vector_list, ARRAY_COUNT(vector_list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_scalar_results),
		cmocka_unit_test(recorded_vector_results),
		cmocka_unit_test_setup_teardown(javascript_conversion, setup, teardown),
		cmocka_unit_test_setup_teardown(fixed_point_of_half_precision, setup, teardown),
		cmocka_unit_test_setup_teardown(immediates, setup, teardown),
		cmocka_unit_test_setup_teardown(undefined_words, setup, teardown),
		cmocka_unit_test(traps_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
