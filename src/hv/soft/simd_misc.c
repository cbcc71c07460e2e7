// SPDX-License-Identifier: Apache-2.0
/*
 * Advanced SIMD integer instructions of one operand: two-register miscellaneous, vector and scalar, and across
 * lanes. Arm ARM (DDI 0487), C4.1.96, and the instructions' pages in C7.2.
 */
#include "hv/soft/simd_lane.h"

#include "util/bits.h"

/* One element: @d the destination's old one, @n the operand, both zero-extended; the result may have more
 * bits than count. */
typedef uint64_t one_fn(uint64_t d, uint64_t n, unsigned width, uint32_t *fpsr);

static unsigned width_of(uint32_t w)
{
	return 8U << a64_size(w);
}

static void each(struct soft_cpu *c, uint32_t w, unsigned width, one_fn *fn)
{
	union soft_v d = c->v[a64_Rd(w)], n = c->v[a64_Rn(w)];
	unsigned count = (a64_Q(w) ? 128 : 64) / width;

	if (width == 64 && !a64_Q(w)) {
		soft_undefined(c);
		return;
	}
	if (!soft_fp_check(c))
		return;
	for (unsigned i = 0; i < count; i++)
		int_set(&d, width, i,
			fn(int_get(&d, width, i), int_get(&n, width, i), width, &c->fp.fpsr));
	vector_set(c, w, d);
}

static void scalar(struct soft_cpu *c, uint32_t w, one_fn *fn)
{
	unsigned width = width_of(w);
	uint64_t d = int_get(&c->v[a64_Rd(w)], width, 0), n = int_get(&c->v[a64_Rn(w)], width, 0);

	if (soft_fp_check(c))
		scalar_int_set(c, w, fn(d, n, width, &c->fp.fpsr) & int_ones(width));
}

/* ---- the operations ---- */

static uint64_t cls(uint64_t d, uint64_t n, unsigned width, uint32_t *fpsr)
{
	int64_t s = sign_extend(n, width);
	uint64_t x = (uint64_t)(s ^ s >> 63);

	return (x ? (unsigned)__builtin_clzll(x) : 64) - (64 - width) - 1;
}

static uint64_t clz(uint64_t d, uint64_t n, unsigned width, uint32_t *fpsr)
{
	return (n ? (unsigned)__builtin_clzll(n) : 64) - (64 - width);
}

static uint64_t cnt(uint64_t d, uint64_t n, unsigned width, uint32_t *fpsr)
{
	return (unsigned)__builtin_popcountll(n);
}

static uint64_t not_(uint64_t d, uint64_t n, unsigned width, uint32_t *fpsr)
{
	return ~n;
}

static uint64_t rbit(uint64_t d, uint64_t n, unsigned width, uint32_t *fpsr)
{
	uint64_t r = 0;

	for (unsigned i = 0; i < width; i++)
		r |= (uint64_t)bit(n, i) << (width - 1 - i);
	return r;
}

/* Elements of @unit bits in reverse order within containers of @width. */
static uint64_t reverse(uint64_t n, unsigned width, unsigned unit)
{
	uint64_t r = 0;

	for (unsigned i = 0; i < width; i += unit)
		r |= (n >> i & int_ones(unit)) << (width - unit - i);
	return r;
}

static uint64_t abs_(uint64_t d, uint64_t n, unsigned width, uint32_t *fpsr)
{
	return bit(n, width - 1) ? 0 - n : n;
}

static uint64_t neg(uint64_t d, uint64_t n, unsigned width, uint32_t *fpsr)
{
	return 0 - n;
}

static uint64_t sqabs(uint64_t d, uint64_t n, unsigned width, uint32_t *fpsr)
{
	__int128 v = sign_extend(n, width);

	return signed_sat(v < 0 ? -v : v, width, fpsr);
}

static uint64_t sqneg(uint64_t d, uint64_t n, unsigned width, uint32_t *fpsr)
{
	return signed_sat(-(__int128)sign_extend(n, width), width, fpsr);
}

static uint64_t suqadd(uint64_t d, uint64_t n, unsigned width, uint32_t *fpsr)
{
	return signed_sat((__int128)sign_extend(d, width) + n, width, fpsr);
}

static uint64_t usqadd(uint64_t d, uint64_t n, unsigned width, uint32_t *fpsr)
{
	return unsigned_sat((__int128)d + sign_extend(n, width), width, fpsr);
}

static uint64_t all_if(bool yes)
{
	return yes ? ~0ULL : 0;
}

static uint64_t cmgt(uint64_t d, uint64_t n, unsigned width, uint32_t *fpsr)
{
	return all_if(sign_extend(n, width) > 0);
}

static uint64_t cmge(uint64_t d, uint64_t n, unsigned width, uint32_t *fpsr)
{
	return all_if(sign_extend(n, width) >= 0);
}

static uint64_t cmeq(uint64_t d, uint64_t n, unsigned width, uint32_t *fpsr)
{
	return all_if(n == 0);
}

static uint64_t cmle(uint64_t d, uint64_t n, unsigned width, uint32_t *fpsr)
{
	return all_if(sign_extend(n, width) <= 0);
}

static uint64_t cmlt(uint64_t d, uint64_t n, unsigned width, uint32_t *fpsr)
{
	return all_if(sign_extend(n, width) < 0);
}

SIMD_ROW(CLS_v, each(c, w, width_of(w), cls))
SIMD_ROW(CLZ_v, each(c, w, width_of(w), clz))
SIMD_ROW(CNT_v, each(c, w, 8, cnt))
SIMD_ROW(NOT_v, each(c, w, 8, not_))
SIMD_ROW(RBIT_v, each(c, w, 8, rbit))
SIMD_ROW(ABS_v, each(c, w, width_of(w), abs_))
SIMD_ROW(NEG_v, each(c, w, width_of(w), neg))
SIMD_ROW(SQABS_v, each(c, w, width_of(w), sqabs))
SIMD_ROW(SQNEG_v, each(c, w, width_of(w), sqneg))
SIMD_ROW(SUQADD_v, each(c, w, width_of(w), suqadd))
SIMD_ROW(USQADD_v, each(c, w, width_of(w), usqadd))
SIMD_ROW(CMGT_vz, each(c, w, width_of(w), cmgt))
SIMD_ROW(CMGE_vz, each(c, w, width_of(w), cmge))
SIMD_ROW(CMEQ_vz, each(c, w, width_of(w), cmeq))
SIMD_ROW(CMLE_vz, each(c, w, width_of(w), cmle))
SIMD_ROW(CMLT_vz, each(c, w, width_of(w), cmlt))
SIMD_ROW(ABS_s, scalar(c, w, abs_))
SIMD_ROW(NEG_s, scalar(c, w, neg))
SIMD_ROW(SQABS_s, scalar(c, w, sqabs))
SIMD_ROW(SQNEG_s, scalar(c, w, sqneg))
SIMD_ROW(SUQADD_s, scalar(c, w, suqadd))
SIMD_ROW(USQADD_s, scalar(c, w, usqadd))
SIMD_ROW(CMGT_sz, scalar(c, w, cmgt))
SIMD_ROW(CMGE_sz, scalar(c, w, cmge))
SIMD_ROW(CMEQ_sz, scalar(c, w, cmeq))
SIMD_ROW(CMLE_sz, scalar(c, w, cmle))
SIMD_ROW(CMLT_sz, scalar(c, w, cmlt))

/* ---- REV ---- */

static void rev(struct soft_cpu *c, uint32_t w, unsigned container)
{
	union soft_v n = c->v[a64_Rn(w)];

	if (!soft_fp_check(c))
		return;
	for (unsigned i = 0; i < 128 / container; i++)
		int_set(&n, container, i,
			reverse(int_get(&n, container, i), container, width_of(w)));
	vector_set(c, w, n);
}

SIMD_ROW(REV64_v, rev(c, w, 64))
SIMD_ROW(REV32_v, rev(c, w, 32))
SIMD_ROW(REV16_v, rev(c, w, 16))

/* ---- adding pairs ---- */

static uint64_t extend(uint64_t v, unsigned width, bool is_signed)
{
	return is_signed ? (uint64_t)sign_extend(v, width) : v;
}

static void add_pairs(struct soft_cpu *c, uint32_t w, bool is_signed, bool accumulate)
{
	unsigned width = width_of(w);
	union soft_v d = c->v[a64_Rd(w)], n = c->v[a64_Rn(w)];

	if (!soft_fp_check(c))
		return;
	for (unsigned i = 0; i < 128 / (2 * width); i++) {
		uint64_t sum = extend(int_get(&n, width, 2 * i), width, is_signed) +
			       extend(int_get(&n, width, 2 * i + 1), width, is_signed);

		if (accumulate)
			sum += int_get(&d, 2 * width, i);
		int_set(&d, 2 * width, i, sum);
	}
	vector_set(c, w, d);
}

SIMD_ROW(SADDLP_v, add_pairs(c, w, true, false))
SIMD_ROW(UADDLP_v, add_pairs(c, w, false, false))
SIMD_ROW(SADALP_v, add_pairs(c, w, true, true))
SIMD_ROW(UADALP_v, add_pairs(c, w, false, true))

/* ---- narrowing ---- */

/* From twice @width to @width. */
typedef uint64_t narrow_fn(uint64_t n, unsigned width, uint32_t *fpsr);

static uint64_t xtn(uint64_t n, unsigned width, uint32_t *fpsr)
{
	return n & int_ones(width);
}

static uint64_t sqxtn(uint64_t n, unsigned width, uint32_t *fpsr)
{
	return signed_sat(sign_extend(n, 2 * width), width, fpsr);
}

static uint64_t uqxtn(uint64_t n, unsigned width, uint32_t *fpsr)
{
	return unsigned_sat((__int128)n, width, fpsr);
}

static uint64_t sqxtun(uint64_t n, unsigned width, uint32_t *fpsr)
{
	return unsigned_sat(sign_extend(n, 2 * width), width, fpsr);
}

static void narrow(struct soft_cpu *c, uint32_t w, narrow_fn *fn)
{
	unsigned width = width_of(w);
	union soft_v n = c->v[a64_Rn(w)];
	uint64_t half = 0;

	if (!soft_fp_check(c))
		return;
	for (unsigned i = 0; i < 64 / width; i++)
		half |= fn(int_get(&n, 2 * width, i), width, &c->fp.fpsr) << (i * width);
	narrow_set(c, w, half);
}

static void narrow_scalar(struct soft_cpu *c, uint32_t w, narrow_fn *fn)
{
	unsigned width = width_of(w);

	if (soft_fp_check(c))
		scalar_int_set(c, w,
			       fn(int_get(&c->v[a64_Rn(w)], 2 * width, 0), width, &c->fp.fpsr));
}

SIMD_ROW(XTN_v, narrow(c, w, xtn))
SIMD_ROW(SQXTN_v, narrow(c, w, sqxtn))
SIMD_ROW(UQXTN_v, narrow(c, w, uqxtn))
SIMD_ROW(SQXTUN_v, narrow(c, w, sqxtun))
SIMD_ROW(SQXTN_s, narrow_scalar(c, w, sqxtn))
SIMD_ROW(UQXTN_s, narrow_scalar(c, w, uqxtn))
SIMD_ROW(SQXTUN_s, narrow_scalar(c, w, sqxtun))

void soft_SHLL_v(struct soft_cpu *c, uint32_t w)
{
	unsigned width = width_of(w), first = a64_Q(w) ? 64 / width : 0;
	union soft_v n = c->v[a64_Rn(w)], d;

	if (!soft_fp_check(c))
		return;
	for (unsigned i = 0; i < 64 / width; i++)
		int_set(&d, 2 * width, i, int_get(&n, width, first + i) << width);
	c->v[a64_Rd(w)] = d;
}

/* ---- across lanes ---- */

typedef int64_t pick_fn(int64_t a, int64_t b);

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t sum(int64_t a, int64_t b)
{
	return a + b;
}

/* Elements of up to 32 bits fit int64_t, signed or not. @out: width of the result. */
static void across(struct soft_cpu *c, uint32_t w, bool is_signed, unsigned out, pick_fn *fn)
{
	unsigned width = width_of(w), count = (a64_Q(w) ? 128 : 64) / width;
	const union soft_v *n = &c->v[a64_Rn(w)];
	int64_t r;

	if (width == 32 && !a64_Q(w)) {
		soft_undefined(c);
		return;
	}
	if (!soft_fp_check(c))
		return;
	r = (int64_t)extend(int_get(n, width, 0), width, is_signed);
	for (unsigned i = 1; i < count; i++)
		r = fn(r, (int64_t)extend(int_get(n, width, i), width, is_signed));
	scalar_int_set(c, w, (uint64_t)r & int_ones(out));
}

SIMD_ROW(SADDLV, across(c, w, true, 2 * width_of(w), sum))
SIMD_ROW(UADDLV, across(c, w, false, 2 * width_of(w), sum))
SIMD_ROW(ADDV, across(c, w, false, width_of(w), sum))
SIMD_ROW(SMAXV, across(c, w, true, width_of(w), larger))
SIMD_ROW(UMAXV, across(c, w, false, width_of(w), larger))
SIMD_ROW(SMINV, across(c, w, true, width_of(w), smaller))
SIMD_ROW(UMINV, across(c, w, false, width_of(w), smaller))
