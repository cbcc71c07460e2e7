/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of Arm floating point that IEEE 754 leaves open or that are easily got wrong, case by case.
 * tests/fp/ compares whole ranges with MPFR.
 */
#include "arm/fp/fp.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum {
	IOC = FPSR_IOC,
	DZC = FPSR_DZC,
	OFC = FPSR_OFC,
	UFC = FPSR_UFC,
	IXC = FPSR_IXC,
	IDC = FPSR_IDC,
	DN = FPCR_DN,
	FZ = FPCR_FZ,
	FZ16 = FPCR_FZ16,
	AHP = FPCR_AHP,
	RP = FP_POSINF << FPCR_RMODE_SHIFT,
	RM = FP_NEGINF << FPCR_RMODE_SHIFT,
	RZ = FP_TOZERO << FPCR_RMODE_SHIFT,
};

/* Single precision; S...: signalling, Q...: quiet, D...: denormal. */
#define ONE  0x3f800000U
#define TWO  0x40000000U
#define INF  0x7f800000U
#define MAX  0x7f7fffffU
#define MIN  0x00800000U /* normal */
#define DMAX 0x007fffffU
#define DMIN 0x00000001U
#define SNAN 0x7f800001U
#define QNAN 0x7fc00000U /* also the default NaN */
#define NEG  0x80000000U

static void check(const char *what, unsigned line, uint64_t got, uint32_t fpsr, uint64_t want,
		  uint32_t want_fpsr)
{
	if (got != want || fpsr != want_fpsr)
		fail_msg("line %u: %s: %llx, FPSR %x; should be %llx, FPSR %x", line, what,
			 (unsigned long long)got, fpsr, (unsigned long long)want, want_fpsr);
}

#define CASE(control, call, want, status)                                                          \
	do {                                                                                       \
		struct fp_env e = {(control), 0}, *env = &e;                                       \
		uint64_t got = (call);                                                             \
                                                                                                   \
		check(#call, __LINE__, got, e.fpsr, (want), (status));                             \
		assert_int_equal(e.fpcr, (control));                                               \
	} while (0)

static void test_nans(void **state)
{
	/* Signalling before quiet, then in the order of the operands. */
	CASE(0, fp32_add(0x7fc00001, 0x7fc00002, env), 0x7fc00001, 0);
	CASE(0, fp32_add(0x7fc00001, 0x7f800002, env), 0x7fc00002, IOC);
	CASE(0, fp32_mul(0x7f800003, 0x7f800002, env), 0x7fc00003, IOC);
	CASE(0, fp32_div(ONE, 0xffc12345, env), 0xffc12345, 0);
	CASE(0, fp32_sub(ONE, 0xff812345, env), 0xffc12345, IOC); /* not negated */
	CASE(0, fp32_sqrt(0xff800001, env), 0xffc00001, IOC);
	CASE(0, fp64_add(0x7ff0000000000001, 0x3ff0000000000000, env), 0x7ff8000000000001, IOC);
	CASE(0, fp16_mul(0xfc01, 0x7e00, env), 0xfe01, IOC);
	CASE(DN, fp32_add(0xffc00001, ONE, env), QNAN, 0);
	CASE(DN, fp32_add(0xff800001, ONE, env), QNAN, IOC);
	CASE(DN, fp16_sqrt(0xfe01, env), 0x7e00, 0);
	CASE(0, fp32_add(INF, NEG | INF, env), QNAN, IOC);
	CASE(0, fp32_sub(INF, INF, env), QNAN, IOC);
	CASE(0, fp32_mul(0, NEG | INF, env), QNAN, IOC);
	CASE(0, fp32_div(0, NEG, env), QNAN, IOC);
	CASE(0, fp32_div(INF, INF, env), QNAN, IOC);
	CASE(0, fp64_sqrt(0xbff0000000000000, env), 0x7ff8000000000000, IOC);
	/* The denormal is still noticed. */
	CASE(FZ, fp32_add(QNAN, DMIN, env), QNAN, IDC);
	CASE(FZ, fp32_add(SNAN, DMIN, env), SNAN | QNAN, IOC | IDC);
}

static void test_muladd_nans(void **state)
{
	/* The addend is the first operand. */
	CASE(0, fp32_muladd(0x7fc00001, 0x7fc00002, 0x7fc00003, env), 0x7fc00001, 0);
	CASE(0, fp32_muladd(0x7fc00001, 0x7fc00002, 0x7f800003, env), 0x7fc00003, IOC);
	CASE(0, fp32_muladd(0x7fc00001, 0x7f800002, 0x7f800003, env), 0x7fc00002, IOC);
	CASE(0, fp32_muladd(ONE, 0x7fc00002, 0x7fc00003, env), 0x7fc00002, 0);
	/* Infinity times zero with a NaN as the addend. */
	CASE(0, fp32_muladd(0x7fc00001, INF, 0, env), QNAN, IOC);
	CASE(0, fp32_muladd(0xffc00001, 0, NEG | INF, env), QNAN, IOC);
	CASE(0, fp32_muladd(0x7f800001, 0, INF, env), 0x7fc00001, IOC);
	CASE(FZ, fp32_muladd(0x7fc00001, INF, DMIN, env), QNAN, IOC | IDC);
	CASE(0, fp32_muladd(0x7fc00001, INF, DMIN, env), 0x7fc00001, 0);
	CASE(0, fp32_muladd(INF, NEG | INF, ONE, env), QNAN, IOC);
	CASE(0, fp32_muladd(INF, INF, ONE, env), INF, 0);
	CASE(0, fp32_muladd(NEG | INF, ONE, ONE, env), NEG | INF, 0);
	CASE(0, fp16_muladd(0x7e01, 0x7c00, 0x0000, env), 0x7e00, IOC);
	CASE(0, fp64_muladd(0x7ff8000000000001, 0, 0x7ff0000000000000, env), 0x7ff8000000000000,
	     IOC);
}

static void test_muladd_h(void **state)
{
	CASE(0, fp32_muladd_h(ONE, 0x4000, 0x4200, env), 0x40e00000, 0); /* 1 + 2 * 3 */
	CASE(0, fp32_muladd_h(0, 0x0001, 0x0001, env), 0x27800000, 0);
	CASE(FZ16, fp32_muladd_h(ONE, 0x0001, 0xfbff, env), ONE, 0);
	CASE(FZ, fp32_muladd_h(DMIN, 0x0001, 0x3c00, env), 0x33800000, IDC);
	CASE(AHP, fp32_muladd_h(0, 0x7c00, 0x3c00, env), INF, 0);
	CASE(0, fp32_muladd_h(QNAN, 0x7c00, 0x8000, env), QNAN, IOC);
	CASE(0, fp32_muladd_h(0x7fc00001, 0xfc01, 0x7e01, env), 0xffc02000, IOC);
	CASE(0, fp32_muladd_h(ONE, 0x3c00, 0x7e01, env), 0x7fc02000, 0);
	CASE(DN, fp32_muladd_h(ONE, 0x3c00, 0xfe01, env), QNAN, 0);
}

static void test_zero_signs(void **state)
{
	CASE(0, fp32_add(ONE, NEG | ONE, env), 0, 0);
	CASE(RM, fp32_add(ONE, NEG | ONE, env), NEG, 0);
	CASE(0, fp32_add(NEG, NEG, env), NEG, 0);
	CASE(RM, fp32_add(0, 0, env), 0, 0);
	CASE(RM, fp32_add(0, NEG, env), NEG, 0);
	CASE(0, fp32_sub(NEG, 0, env), NEG, 0);
	CASE(0, fp32_sub(NEG, NEG, env), 0, 0);
	CASE(0, fp32_sub(0, ONE, env), NEG | ONE, 0);
	CASE(0, fp32_muladd(NEG, NEG, ONE, env), NEG, 0);
	CASE(RM, fp32_muladd(NEG, ONE, 0, env), NEG, 0);
	CASE(RP, fp32_muladd(NEG, ONE, 0, env), 0, 0);
	CASE(RM, fp32_muladd(NEG | ONE, ONE, ONE, env), NEG, 0);
	CASE(0, fp32_sqrt(NEG, env), NEG, 0);
	CASE(0, fp32_mul(NEG, TWO, env), NEG, 0);
	CASE(RM, fp32_from_fixed(0, 0, false, 32, FP_NEGINF, env), 0, 0);
	CASE(RM, fp32_recps(TWO, ONE, env), NEG, 0);
	CASE(0, fp32_round_int(0xbe800000, FP_POSINF, false, env), NEG, 0);
}

static void test_flush(void **state)
{
	/* Inputs. */
	CASE(FZ, fp32_add(DMAX, NEG | DMAX, env), 0, IDC);
	CASE(FZ, fp32_add(NEG | DMIN, NEG | DMIN, env), NEG, IDC);
	CASE(FZ, fp32_mul(NEG | DMIN, INF, env), QNAN, IOC | IDC);
	CASE(FZ, fp32_div(ONE, NEG | DMIN, env), NEG | INF, DZC | IDC);
	CASE(FZ, fp64_sqrt(0x8000000000000001, env), 0x8000000000000000, IDC);
	CASE(FZ, fp32_max(NEG | DMIN, NEG, env), NEG, IDC);
	CASE(FZ, fp32_max(DMIN, NEG | DMIN, env), 0, IDC);
	CASE(FZ, fp32_maxnum(QNAN, NEG | DMIN, env), NEG, IDC);
	CASE(FZ, fp32_eq(DMIN, NEG | DMAX, env), 1, IDC);
	CASE(FZ, fp32_to_fp64(NEG | DMIN, env), 1ULL << 63, IDC);
	CASE(FZ, fp32_to_fixed(DMAX, 0, false, 32, FP_POSINF, env), 0, IDC);
	CASE(FZ, fp32_round_int(DMAX, FP_POSINF, true, env), 0, IDC);
	CASE(FZ, fp32_recpx(DMIN, env), 0x7f000000, IDC);
	/* Half precision: its own bit, and no IDC. */
	CASE(FZ, fp16_add(0x0001, 0x0001, env), 0x0002, 0);
	CASE(FZ16, fp16_add(0x0001, 0x0001, env), 0x0000, 0);
	CASE(FZ16, fp32_add(DMIN, DMIN, env), 2, 0);
	CASE(FZ16, fp16_div(0x3c00, 0x0001, env), 0x7c00, DZC);
	CASE(FZ16, fp16_to_fixed(0x0001, 0, false, 32, FP_POSINF, env), 0, 0);
	CASE(FZ16 | FZ, fp16_to_fp32(0x0001, env), 0x33800000, 0); /* FPUnpackCV */
	CASE(FZ16 | FZ, fp32_to_fp16(0x33800000, env), 0x0001, 0);
	/* Results: before rounding, whatever the rounding mode; no IXC. */
	CASE(FZ, fp32_mul(MIN, 0x3f000000, env), 0, UFC);
	CASE(FZ | RM, fp32_mul(NEG | MIN, 0x3f7fffff, env), NEG, UFC);
	CASE(FZ | RP, fp32_mul(MIN, 0x3f7fffff, env), 0, UFC);
	CASE(FZ, fp32_sub(0x00800001, MIN, env), 0, UFC);
	CASE(FZ, fp64_to_fp32(0x3800000000000000, env), 0, UFC);
	CASE(FZ16, fp16_mul(0x0400, 0x3800, env), 0, UFC);
	CASE(FZ16, fp16_from_fixed(1, 20, true, 32, FP_TIEEVEN, env), 0, UFC);
	CASE(FZ, fp32_recpe(0x7e800000, env), 0, UFC);
	CASE(FZ, fp32_recpe(0xff000000, env), NEG, UFC);
}

static void test_underflow(void **state)
{
	CASE(0, fp32_mul(MIN, 0x3f000000, env), 0x00400000, 0); /* exact */
	CASE(0, fp32_mul(DMIN, 0x3f000000, env), 0, UFC | IXC);
	CASE(RP, fp32_mul(DMIN, 0x3f000000, env), DMIN, UFC | IXC);
	/* Tiny before rounding, though the result is normal. */
	CASE(0, fp32_mul(0x00ffffff, 0x3f000000, env), MIN, UFC | IXC);
	CASE(RP, fp32_mul(0x3f7fffff, MIN, env), MIN, UFC | IXC);
	CASE(RZ, fp32_mul(0x3f7fffff, 0x00800001, env), MIN, IXC);
	CASE(0, fp64_mul(0x3fefffffffffffff, 0x0010000000000000, env), 0x0010000000000000,
	     UFC | IXC);
}

static void test_overflow(void **state)
{
	CASE(0, fp32_add(MAX, MAX, env), INF, OFC | IXC);
	CASE(RZ, fp32_add(MAX, MAX, env), MAX, OFC | IXC);
	CASE(RP, fp32_add(MAX, MAX, env), INF, OFC | IXC);
	CASE(RM, fp32_add(MAX, MAX, env), MAX, OFC | IXC);
	CASE(RP, fp32_add(NEG | MAX, NEG | MAX, env), NEG | MAX, OFC | IXC);
	CASE(RM, fp32_add(NEG | MAX, NEG | MAX, env), NEG | INF, OFC | IXC);
	CASE(RP, fp32_add(MAX, DMIN, env), INF, OFC | IXC);
	CASE(0, fp32_add(MAX, DMIN, env), MAX, IXC);
	CASE(0, fp16_mul(0x7bff, 0x7bff, env), 0x7c00, OFC | IXC);
	CASE(0, fp16_from_fixed(65520, 0, true, 64, FP_TIEEVEN, env), 0x7c00, OFC | IXC);
	CASE(0, fp16_from_fixed(65519, 0, true, 64, FP_TIEEVEN, env), 0x7bff, IXC);
	CASE(0, fp64_to_fp32_odd(0x47f0000000000000, env), MAX, OFC | IXC);
	CASE(0, fp32_div(ONE, 0, env), INF, DZC);
	CASE(0, fp32_div(INF, NEG, env), NEG | INF, 0);
}

static void test_extremes(void **state)
{
	CASE(0, fp32_max(0, NEG, env), 0, 0);
	CASE(0, fp32_max(NEG, 0, env), 0, 0);
	CASE(0, fp32_min(0, NEG, env), NEG, 0);
	CASE(0, fp32_min(NEG | ONE, DMIN, env), NEG | ONE, 0);
	CASE(0, fp32_max(ONE, QNAN, env), QNAN, 0);
	CASE(0, fp32_maxnum(ONE, 0x7fc00001, env), ONE, 0);
	CASE(0, fp32_minnum(0x7fc00001, ONE, env), ONE, 0);
	CASE(0, fp32_maxnum(0x7fc00001, NEG | INF, env), NEG | INF, 0);
	CASE(0, fp32_minnum(0x7fc00001, INF, env), INF, 0);
	CASE(0, fp32_maxnum(0x7fc00001, 0x7fc00002, env), 0x7fc00001, 0);
	CASE(0, fp32_maxnum(ONE, 0x7f800001, env), 0x7fc00001, IOC);
	CASE(0, fp32_minnum(0x7fc00002, 0x7f800001, env), 0x7fc00001, IOC);
	CASE(DN, fp32_minnum(0xffc00002, 0xff800001, env), QNAN, IOC);
	CASE(0, fp16_maxnum(0x7e00, 0x8000, env), 0x8000, 0);
}

static void test_compare(void **state)
{
	CASE(0, fp32_compare(ONE, TWO, false, env), 8, 0);
	CASE(0, fp32_compare(0, NEG, false, env), 6, 0);
	CASE(0, fp32_compare(NEG | ONE, NEG | TWO, true, env), 2, 0);
	CASE(0, fp32_compare(QNAN, ONE, false, env), 3, 0);
	CASE(0, fp32_compare(QNAN, ONE, true, env), 3, IOC);
	CASE(0, fp32_compare(ONE, SNAN, false, env), 3, IOC);
	CASE(0, fp64_compare(0xfff0000000000000, 0x7ff0000000000000, false, env), 8, 0);
	CASE(0, fp16_compare(0xfc00, 0xfbff, false, env), 8, 0);
	CASE(0, fp32_eq(QNAN, QNAN, env), 0, 0);
	CASE(0, fp32_eq(SNAN, QNAN, env), 0, IOC);
	CASE(0, fp32_ge(QNAN, ONE, env), 0, IOC);
	CASE(0, fp32_gt(ONE, QNAN, env), 0, IOC);
	CASE(0, fp32_ge(0, NEG, env), 1, 0);
	CASE(0, fp32_gt(0, NEG, env), 0, 0);
}

static void test_between_precisions(void **state)
{
	/* The payload keeps its high bits. */
	CASE(0, fp32_to_fp64(0xff812345, env), 0xfff82468a0000000, IOC);
	CASE(0, fp64_to_fp32(0x7ff0000000000001, env), QNAN, IOC);
	CASE(0, fp64_to_fp16(0xfffdffffffffffff, env), 0xff7f, 0);
	CASE(DN, fp64_to_fp16(0xfffdffffffffffff, env), 0x7e00, 0);
	CASE(0, fp16_to_fp32(0x7c01, env), 0x7fc02000, IOC);
	CASE(0, fp32_to_fp16(0x477fefff, env), 0x7bff, IXC);
	CASE(0, fp32_to_fp16(0x477ff000, env), 0x7c00, OFC | IXC);
	CASE(0, fp32_to_fp16(0x33000000, env), 0x0000, UFC | IXC);
	CASE(RP, fp32_to_fp16(DMIN, env), 0x0001, UFC | IXC);
	CASE(FZ | RP, fp32_to_fp16(DMIN, env), 0x0000, IDC);
	/* Alternative half precision has neither infinities nor NaNs. */
	CASE(AHP, fp16_to_fp32(0x7fff, env), 0x47ffe000, 0);
	CASE(AHP, fp16_to_fp64(0xfc00, env), 0xc0f0000000000000, 0);
	CASE(AHP, fp32_to_fp16(INF, env), 0x7fff, IOC);
	CASE(AHP, fp32_to_fp16(NEG | QNAN, env), 0x8000, IOC);
	CASE(AHP | DN, fp32_to_fp16(SNAN, env), 0x0000, IOC);
	CASE(AHP, fp32_to_fp16(0x47800000, env), 0x7c00, 0);
	CASE(AHP, fp32_to_fp16(0xc7fff000, env), 0xffff, IOC);
	CASE(AHP | RZ, fp32_to_fp16(0xc7fff000, env), 0xffff, IXC);
	CASE(AHP, fp16_add(0x7c00, 0x3c00, env), 0x7c00, 0); /* arithmetic: no difference */
	/* To odd. */
	CASE(RP, fp64_to_fp32_odd(0x3ff0000000000001, env), 0x3f800001, IXC);
	CASE(0, fp64_to_fp32_odd(0x3ff0000020000000, env), 0x3f800001, 0);
	CASE(0, fp64_to_fp32_odd(0x3ff000003fffffff, env), 0x3f800001, IXC);
	CASE(0, fp64_to_fp32_odd(0x0000000000000001, env), DMIN, UFC | IXC);
	CASE(FZ, fp64_to_fp32_odd(0x380fffffffffffff, env), 0, UFC);
	CASE(0, fp64_to_fp32_odd(0xfff0000000000000, env), NEG | INF, 0);
}

static void test_round_int(void **state)
{
	static const struct {
		uint32_t op, want[5]; /* by enum fp_rounding */
	} cases[] = {
		{0x3f000000, {0, ONE, 0, 0, ONE}},	 /* 0.5 */
		{0x3fc00000, {TWO, TWO, ONE, ONE, TWO}}, /* 1.5 */
		{0x40200000, {TWO, 0x40400000, TWO, TWO, 0x40400000}},
		{0xbf000000, {NEG, NEG, NEG | ONE, NEG, NEG | ONE}},
		{0xbfa00000, {0xbf800000, 0xbf800000, 0xc0000000, 0xbf800000, 0xbf800000}},
		{DMIN, {0, ONE, 0, 0, 0}},
		{0x4b000001, {0x4b000001, 0x4b000001, 0x4b000001, 0x4b000001, 0x4b000001}},
	};

	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
		uint32_t inexact = i == ARRAY_COUNT(cases) - 1 ? 0 : IXC;

		for (unsigned mode = 0; mode < 5; mode++) {
			CASE(0, fp32_round_int(cases[i].op, mode, true, env), cases[i].want[mode],
			     inexact);
			CASE(0, fp32_round_int(cases[i].op, mode, false, env), cases[i].want[mode],
			     0);
		}
	}
	CASE(0, fp32_round_int(SNAN, FP_TOZERO, false, env), SNAN | QNAN, IOC);
	CASE(0, fp32_round_int(NEG | INF, FP_TOZERO, true, env), NEG | INF, 0);
	CASE(0, fp32_round_int_n(0x4effffff, FP_TOZERO, 32, env), 0x4effffff, 0);
	CASE(0, fp32_round_int_n(0x4f000000, FP_TOZERO, 32, env), 0xcf000000, IOC);
	CASE(0, fp32_round_int_n(0xcf000000, FP_TOZERO, 32, env), 0xcf000000, 0);
	CASE(0, fp32_round_int_n(QNAN, FP_TOZERO, 64, env), 0xdf000000, IOC);
	CASE(0, fp64_round_int_n(0x41dfffffffe00000, FP_TIEEVEN, 32, env), 0xc1e0000000000000, IOC);
	CASE(0, fp64_round_int_n(0x41dfffffffd00000, FP_TIEEVEN, 32, env), 0x41dfffffffc00000, IXC);
	CASE(0, fp64_round_int_n(0xc1e0000000100000, FP_TOZERO, 32, env), 0xc1e0000000000000, IXC);
	CASE(0, fp64_round_int_n(0xc3e0000000000000, FP_TOZERO, 64, env), 0xc3e0000000000000, 0);
	CASE(0, fp64_round_int_n(0x43e0000000000000, FP_TOZERO, 64, env), 0xc3e0000000000000, IOC);
	CASE(0, fp64_round_int_n(0x7ff0000000000000, FP_TOZERO, 64, env), 0xc3e0000000000000, IOC);
}

static void test_fixed(void **state)
{
	CASE(0, fp32_to_fixed(QNAN, 0, false, 32, FP_TOZERO, env), 0, IOC);
	CASE(0, fp32_to_fixed(SNAN, 0, true, 64, FP_TOZERO, env), 0, IOC);
	CASE(0, fp32_to_fixed(INF, 0, false, 32, FP_TOZERO, env), 0x7fffffff, IOC);
	CASE(0, fp32_to_fixed(NEG | INF, 0, false, 64, FP_TOZERO, env), 1ULL << 63, IOC);
	CASE(0, fp32_to_fixed(NEG | INF, 0, true, 64, FP_TOZERO, env), 0, IOC);
	CASE(0, fp32_to_fixed(0x5f800000, 0, true, 64, FP_TOZERO, env), ~0ULL, IOC);
	CASE(0, fp32_to_fixed(0x5f7fffff, 0, true, 64, FP_TOZERO, env), 0xffffff0000000000, 0);
	CASE(0, fp64_to_fixed(0xc1e0000000000000, 0, false, 32, FP_TOZERO, env), 0x80000000, 0);
	CASE(0, fp64_to_fixed(0xc1e0000000100000, 0, false, 32, FP_TOZERO, env), 0x80000000, IXC);
	CASE(0, fp64_to_fixed(0xc1e0000000100000, 0, false, 32, FP_NEGINF, env), 0x80000000, IOC);
	/* Not invalid if it rounds to zero. */
	CASE(0, fp32_to_fixed(0xbf400000, 0, true, 32, FP_TOZERO, env), 0, IXC);
	CASE(0, fp32_to_fixed(0xbf400000, 0, true, 32, FP_TIEEVEN, env), 0, IOC);
	CASE(0, fp32_to_fixed(0xbf000000, 0, true, 32, FP_TIEEVEN, env), 0, IXC);
	CASE(0, fp32_to_fixed(0xbf000000, 0, false, 32, FP_TIEAWAY, env), 0xffffffff, IXC);
	CASE(0, fp16_to_fixed(0x7bff, 0, false, 16, FP_TOZERO, env), 0x7fff, IOC);
	CASE(0, fp16_to_fixed(0xf800, 0, false, 16, FP_TOZERO, env), 0x8000, 0);
	CASE(0, fp16_to_fixed(0x7c00, 0, true, 16, FP_TOZERO, env), 0xffff, IOC);
	CASE(0, fp16_to_fixed(0x3c00, 15, true, 16, FP_TOZERO, env), 0x8000, 0);
	CASE(0, fp64_to_fixed(0x3fe0000000000000, 64, true, 64, FP_TOZERO, env), 1ULL << 63, 0);
	CASE(0, fp64_to_fixed(0x3ff0000000000000, 64, true, 64, FP_TOZERO, env), ~0ULL, IOC);

	CASE(0, fp32_from_fixed(0xffffffff, 0, false, 32, FP_TIEEVEN, env), 0xbf800000, 0);
	CASE(0, fp32_from_fixed(0xffffffff, 0, true, 32, FP_TIEEVEN, env), 0x4f800000, IXC);
	CASE(RZ, fp32_from_fixed(0xffffffff, 0, true, 32, FP_TOZERO, env), 0x4f7fffff, IXC);
	CASE(0, fp32_from_fixed(1ULL << 63, 0, false, 64, FP_TIEEVEN, env), 0xdf000000, 0);
	CASE(0, fp64_from_fixed(1ULL << 63, 64, true, 64, FP_TIEEVEN, env), 0x3fe0000000000000, 0);
	CASE(0, fp64_from_fixed(~0ULL, 0, true, 64, FP_TIEEVEN, env), 0x43f0000000000000, IXC);
	CASE(0, fp16_from_fixed(0xffff8000, 0, false, 16, FP_TIEEVEN, env), 0xf800, 0);
	CASE(0, fp16_from_fixed(1, 26, true, 32, FP_TIEEVEN, env), 0, UFC | IXC);
}

static void test_js(void **state)
{
	static const struct {
		uint64_t op;
		uint32_t fpcr, want, fpsr;
		bool exact;
	} cases[] = {
		{0, 0, 0, 0, true},
		{1ULL << 63, 0, 0, 0, false},
		{0x3ff0000000000000, 0, 1, 0, true},
		{0xbff8000000000000, 0, 0xffffffff, IXC, false},
		{0x41dfffffffc00000, 0, 0x7fffffff, 0, true},
		{0x41e0000000000000, 0, 0x80000000, IOC, false},
		{0xc1e0000000000000, 0, 0x80000000, 0, true},
		{0xc1e0000000080000, 0, 0x80000000, IXC, false},
		{0x41f0000000100000, 0, 1, IOC, false},
		{0xc1f0000000100000, 0, 0xffffffff, IOC, false},
		{0x43f8000000000001, 0, 0x00001000, IOC, false}, /* 1.5 * 2^64 + 2^12 */
		{0x4520000000000001, 0, 0x80000000, IOC, false}, /* 2^83 + 2^31 */
		{0x4530000000000001, 0, 0, IOC, false},
		{0x7ff0000000000000, 0, 0, IOC, false},
		{0x7ff8000000000000, 0, 0, IOC, false},
		{1, 0, 0, IXC, false},
		{1, FZ, 0, IDC, false},
	};

	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
		bool exact = !cases[i].exact;

		CASE(cases[i].fpcr, fp64_to_int32_js(cases[i].op, &exact, env), cases[i].want,
		     cases[i].fpsr);
		assert_int_equal(exact, cases[i].exact);
	}
}

static void test_steps(void **state)
{
	CASE(0, fp32_mulx(0, NEG | INF, env), 0xc0000000, 0);
	CASE(0, fp32_mulx(NEG | INF, NEG, env), TWO, 0);
	CASE(0, fp64_mulx(0x7ff0000000000000, 0, env), 0x4000000000000000, 0);
	CASE(FZ, fp32_mulx(INF, DMIN, env), TWO, IDC);
	CASE(0, fp32_recps(INF, 0, env), TWO, 0);
	CASE(0, fp32_recps(0, NEG, env), TWO, 0);
	CASE(0, fp32_recps(INF, ONE, env), NEG | INF, 0);
	CASE(0, fp32_rsqrts(INF, NEG, env), 0x3fc00000, 0);
	CASE(0, fp32_rsqrts(ONE, ONE, env), ONE, 0);
	CASE(0, fp16_rsqrts(0, 0x7c00, env), 0x3e00, 0);
	/* The first operand is negated, as a NaN too. */
	CASE(0, fp32_recps(QNAN, ONE, env), NEG | QNAN, 0);
	CASE(0, fp32_recps(ONE, QNAN, env), QNAN, 0);
	CASE(0, fp32_rsqrts(0xff800001, ONE, env), 0x7fc00001, IOC);
	/* Rounded once: 3 - MAX * 2 does not overflow before it is halved. */
	CASE(0, fp32_rsqrts(MAX, TWO, env), NEG | MAX, IXC);
}

static void test_estimates(void **state)
{
	CASE(0, fp32_recpe(ONE, env), 0x3f7f8000, 0);
	CASE(0, fp32_recpe(0, env), INF, DZC);
	CASE(0, fp32_recpe(NEG | INF, env), NEG, 0);
	CASE(0, fp32_recpe(0x001fffff, env), INF, OFC | IXC);
	CASE(RZ, fp32_recpe(0x801fffff, env), NEG | MAX, OFC | IXC);
	CASE(0, fp32_recpe(0x00200000, env), 0x7f7f8000, 0);
	CASE(FZ, fp32_recpe(0x00200000, env), INF, DZC | IDC);
	CASE(0, fp32_recpe(MAX, env), 0x00200000, 0); /* denormal, nothing signalled */
	CASE(0, fp32_recpe(0x7e800000, env), 0x003fe000 << 1, 0);
	CASE(0, fp16_recpe(0x7bff, env), 0x0100, 0);
	CASE(FZ16, fp16_recpe(0x7bff, env), 0, UFC);
	CASE(0, fp32_recpe(SNAN, env), SNAN | QNAN, IOC);

	CASE(0, fp32_rsqrte(ONE, env), 0x3f7f8000, 0);
	CASE(0, fp32_rsqrte(NEG, env), NEG | INF, DZC);
	CASE(0, fp32_rsqrte(NEG | ONE, env), QNAN, IOC);
	CASE(0, fp32_rsqrte(NEG | INF, env), QNAN, IOC);
	CASE(0, fp32_rsqrte(INF, env), 0, 0);
	CASE(FZ, fp32_rsqrte(NEG | DMIN, env), NEG | INF, DZC | IDC);
	CASE(0, fp64_rsqrte(0x3ff0000000000000, env), 0x3feff00000000000, 0);

	CASE(0, fp32_recpx(NEG, env), 0xff000000, 0);
	CASE(0, fp32_recpx(INF, env), 0, 0);
	CASE(0, fp32_recpx(0x3fc00000, env), 0x40000000, 0);
	CASE(0, fp16_recpx(0x0001, env), 0x7800, 0);
	CASE(0, fp64_recpx(0xfff0000000000001, env), 0xfff8000000000001, IOC);

	assert_int_equal(fp_unsigned_recpe(0x7fffffff), UINT32_MAX);
	assert_int_equal(fp_unsigned_recpe(0x80000000), 0xff800000);
	assert_int_equal(fp_unsigned_recpe(0xffffffff), 0x80000000);
	assert_int_equal(fp_unsigned_rsqrte(0x3fffffff), UINT32_MAX);
	assert_int_equal(fp_unsigned_rsqrte(0x40000000), 0xff800000);
	assert_int_equal(fp_unsigned_rsqrte(0xffffffff), 0x80000000);
}

/* The whole table, by the search of the pseudocode RecipSqrtEstimate. */
static void test_rsqrt_table(void **state)
{
	for (uint32_t i = 128; i < 512; i++) {
		uint64_t a = i < 256 ? 2 * i + 1 : ((i >> 1 << 1) + 1) * 2, b = 512;

		while (a * (b + 1) * (b + 1) < 1U << 28)
			b++;
		assert_int_equal(fp_unsigned_rsqrte(i << 23) >> 23, (b + 1) / 2);
	}
}

static void test_cumulative(void **state)
{
	struct fp_env e = {0, FPSR_QC | FPSR_DZC};

	assert_int_equal(fp32_add(ONE, ONE, &e), TWO);
	assert_int_equal(e.fpsr, FPSR_QC | FPSR_DZC);
	fp32_add(SNAN, ONE, &e);
	fp32_add(MAX, MAX, &e);
	assert_int_equal(e.fpsr, FPSR_QC | FPSR_DZC | FPSR_IOC | FPSR_OFC | FPSR_IXC);
	assert_int_equal(fp16_neg(0x7c01), 0xfc01);
	assert_int_equal(fp32_abs(NEG | SNAN), SNAN);
	assert_int_equal(fp64_neg(0), 1ULL << 63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nans),	   cmocka_unit_test(test_muladd_nans),
		cmocka_unit_test(test_muladd_h),   cmocka_unit_test(test_zero_signs),
		cmocka_unit_test(test_flush),	   cmocka_unit_test(test_underflow),
		cmocka_unit_test(test_overflow),   cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_compare),	   cmocka_unit_test(test_between_precisions),
		cmocka_unit_test(test_round_int),  cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_js),	   cmocka_unit_test(test_steps),
		cmocka_unit_test(test_estimates),  cmocka_unit_test(test_rsqrt_table),
		cmocka_unit_test(test_cumulative),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
