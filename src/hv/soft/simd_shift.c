// SPDX-License-Identifier: Apache-2.0
/*
 * Advanced SIMD shifts by immediate, vector and scalar. Arm ARM (DDI 0487), C4.1.96 "Advanced SIMD shift by
 * immediate", "scalar shift by immediate".
 */
#include "hv/soft/simd_lane.h"

#include "util/bits.h"

/* immh:immb is the element's width plus a left shift, or twice the width minus a right shift. */
static unsigned imm_of(uint32_t w)
{
	return bits(w, 22, 16);
}

/* Width of the elements: 8 << the highest bit of immh. */
static unsigned width_of(uint32_t w)
{
	return 8U << (31 - (unsigned)__builtin_clz((unsigned)bits(w, 22, 19)));
}

static unsigned right(uint32_t w)
{
	return 2 * width_of(w) - imm_of(w);
}

static unsigned left(uint32_t w)
{
	return imm_of(w) - width_of(w);
}

/* One element: @d the destination's old one, @n the operand, both zero-extended. Shifts right are by 1 to
 * @width, shifts left by 0 to @width - 1. */
typedef uint64_t shift_fn(uint64_t d, uint64_t n, unsigned width, unsigned shift, uint32_t *fpsr);

static uint64_t sshr(uint64_t d, uint64_t n, unsigned width, unsigned shift, uint32_t *fpsr)
{
	return (uint64_t)(sign_extend(n, width) >> (shift > 63 ? 63 : shift));
}

static uint64_t ushr(uint64_t d, uint64_t n, unsigned width, unsigned shift, uint32_t *fpsr)
{
	return shift > 63 ? 0 : n >> shift;
}

static uint64_t srshr(uint64_t d, uint64_t n, unsigned width, unsigned shift, uint32_t *fpsr)
{
	return (uint64_t)(((__int128)sign_extend(n, width) + ((__int128)1 << (shift - 1))) >>
			  shift);
}

static uint64_t urshr(uint64_t d, uint64_t n, unsigned width, unsigned shift, uint32_t *fpsr)
{
	return (uint64_t)(((unsigned __int128)n + ((unsigned __int128)1 << (shift - 1))) >> shift);
}

static uint64_t ssra(uint64_t d, uint64_t n, unsigned width, unsigned shift, uint32_t *fpsr)
{
	return d + sshr(d, n, width, shift, fpsr);
}

static uint64_t usra(uint64_t d, uint64_t n, unsigned width, unsigned shift, uint32_t *fpsr)
{
	return d + ushr(d, n, width, shift, fpsr);
}

static uint64_t srsra(uint64_t d, uint64_t n, unsigned width, unsigned shift, uint32_t *fpsr)
{
	return d + srshr(d, n, width, shift, fpsr);
}

static uint64_t ursra(uint64_t d, uint64_t n, unsigned width, unsigned shift, uint32_t *fpsr)
{
	return d + urshr(d, n, width, shift, fpsr);
}

static uint64_t sri(uint64_t d, uint64_t n, unsigned width, unsigned shift, uint32_t *fpsr)
{
	uint64_t mask = ushr(0, int_ones(width), width, shift, fpsr);

	return (d & ~mask) | ushr(0, n, width, shift, fpsr);
}

static uint64_t shl(uint64_t d, uint64_t n, unsigned width, unsigned shift, uint32_t *fpsr)
{
	return n << shift;
}

static uint64_t sli(uint64_t d, uint64_t n, unsigned width, unsigned shift, uint32_t *fpsr)
{
	return (d & ((1ULL << shift) - 1)) | n << shift;
}

static uint64_t sqshl(uint64_t d, uint64_t n, unsigned width, unsigned shift, uint32_t *fpsr)
{
	return signed_sat((__int128)sign_extend(n, width) * ((__int128)1 << shift), width, fpsr);
}

static uint64_t uqshl(uint64_t d, uint64_t n, unsigned width, unsigned shift, uint32_t *fpsr)
{
	return unsigned_sat((__int128)((unsigned __int128)n << shift), width, fpsr);
}

static uint64_t sqshlu(uint64_t d, uint64_t n, unsigned width, unsigned shift, uint32_t *fpsr)
{
	return unsigned_sat((__int128)sign_extend(n, width) * ((__int128)1 << shift), width, fpsr);
}

static void vector(struct soft_cpu *c, uint32_t w, unsigned shift, shift_fn *fn)
{
	unsigned width = width_of(w);
	union soft_v d = c->v[a64_Rd(w)], n = c->v[a64_Rn(w)];

	if (width == 64 && !a64_Q(w)) {
		soft_undefined(c);
		return;
	}
	if (!soft_fp_check(c))
		return;
	for (unsigned i = 0; i < (a64_Q(w) ? 128 : 64) / width; i++)
		int_set(&d, width, i,
			fn(int_get(&d, width, i), int_get(&n, width, i), width, shift,
			   &c->fp.fpsr));
	vector_set(c, w, d);
}

static void scalar(struct soft_cpu *c, uint32_t w, unsigned shift, shift_fn *fn)
{
	unsigned width = width_of(w);
	uint64_t d = int_get(&c->v[a64_Rd(w)], width, 0), n = int_get(&c->v[a64_Rn(w)], width, 0);

	if (soft_fp_check(c))
		scalar_int_set(c, w, fn(d, n, width, shift, &c->fp.fpsr) & int_ones(width));
}

SIMD_ROW(SSHR_vi, vector(c, w, right(w), sshr))
SIMD_ROW(USHR_vi, vector(c, w, right(w), ushr))
SIMD_ROW(SSRA_vi, vector(c, w, right(w), ssra))
SIMD_ROW(USRA_vi, vector(c, w, right(w), usra))
SIMD_ROW(SRSHR_vi, vector(c, w, right(w), srshr))
SIMD_ROW(URSHR_vi, vector(c, w, right(w), urshr))
SIMD_ROW(SRSRA_vi, vector(c, w, right(w), srsra))
SIMD_ROW(URSRA_vi, vector(c, w, right(w), ursra))
SIMD_ROW(SRI_vi, vector(c, w, right(w), sri))
SIMD_ROW(SHL_vi, vector(c, w, left(w), shl))
SIMD_ROW(SLI_vi, vector(c, w, left(w), sli))
SIMD_ROW(SQSHLU_vi, vector(c, w, left(w), sqshlu))
SIMD_ROW(SQSHL_vi, vector(c, w, left(w), sqshl))
SIMD_ROW(UQSHL_vi, vector(c, w, left(w), uqshl))
SIMD_ROW(SSHR_si, scalar(c, w, right(w), sshr))
SIMD_ROW(USHR_si, scalar(c, w, right(w), ushr))
SIMD_ROW(SSRA_si, scalar(c, w, right(w), ssra))
SIMD_ROW(USRA_si, scalar(c, w, right(w), usra))
SIMD_ROW(SRSHR_si, scalar(c, w, right(w), srshr))
SIMD_ROW(URSHR_si, scalar(c, w, right(w), urshr))
SIMD_ROW(SRSRA_si, scalar(c, w, right(w), srsra))
SIMD_ROW(URSRA_si, scalar(c, w, right(w), ursra))
SIMD_ROW(SRI_si, scalar(c, w, right(w), sri))
SIMD_ROW(SHL_si, scalar(c, w, left(w), shl))
SIMD_ROW(SLI_si, scalar(c, w, left(w), sli))
SIMD_ROW(SQSHLU_si, scalar(c, w, left(w), sqshlu))
SIMD_ROW(SQSHL_si, scalar(c, w, left(w), sqshl))
SIMD_ROW(UQSHL_si, scalar(c, w, left(w), uqshl))

/* ---- narrowing ---- */

enum saturation { SAT_NONE, SAT_SIGNED, SAT_UNSIGNED, SAT_SIGNED_TO_UNSIGNED };

/* @n has twice @width bits. */
static uint64_t narrowed(uint64_t n, unsigned width, unsigned shift, enum saturation sat,
			 bool round, uint32_t *fpsr)
{
	bool is_signed = sat == SAT_SIGNED || sat == SAT_SIGNED_TO_UNSIGNED;
	__int128 v = is_signed ? (__int128)sign_extend(n, 2 * width) : (__int128)n;

	if (round)
		v += (__int128)1 << (shift - 1);
	v >>= shift;
	switch (sat) {
	case SAT_SIGNED:
		return signed_sat(v, width, fpsr);
	case SAT_UNSIGNED:
	case SAT_SIGNED_TO_UNSIGNED:
		return unsigned_sat(v, width, fpsr);
	default:
		return (uint64_t)v & int_ones(width);
	}
}

static void narrow(struct soft_cpu *c, uint32_t w, enum saturation sat, bool round)
{
	unsigned width = width_of(w);
	union soft_v n = c->v[a64_Rn(w)];
	uint64_t half = 0;

	if (!soft_fp_check(c))
		return;
	for (unsigned i = 0; i < 64 / width; i++)
		half |= narrowed(int_get(&n, 2 * width, i), width, right(w), sat, round,
				 &c->fp.fpsr)
			<< (i * width);
	narrow_set(c, w, half);
}

static void narrow_scalar(struct soft_cpu *c, uint32_t w, enum saturation sat, bool round)
{
	unsigned width = width_of(w);

	if (soft_fp_check(c))
		scalar_int_set(c, w,
			       narrowed(int_get(&c->v[a64_Rn(w)], 2 * width, 0), width, right(w),
					sat, round, &c->fp.fpsr));
}

SIMD_ROW(SHRN_vi, narrow(c, w, SAT_NONE, false))
SIMD_ROW(RSHRN_vi, narrow(c, w, SAT_NONE, true))
SIMD_ROW(SQSHRN_vi, narrow(c, w, SAT_SIGNED, false))
SIMD_ROW(UQSHRN_vi, narrow(c, w, SAT_UNSIGNED, false))
SIMD_ROW(SQRSHRN_vi, narrow(c, w, SAT_SIGNED, true))
SIMD_ROW(UQRSHRN_vi, narrow(c, w, SAT_UNSIGNED, true))
SIMD_ROW(SQSHRUN_vi, narrow(c, w, SAT_SIGNED_TO_UNSIGNED, false))
SIMD_ROW(SQRSHRUN_vi, narrow(c, w, SAT_SIGNED_TO_UNSIGNED, true))
SIMD_ROW(SQSHRN_si, narrow_scalar(c, w, SAT_SIGNED, false))
SIMD_ROW(UQSHRN_si, narrow_scalar(c, w, SAT_UNSIGNED, false))
SIMD_ROW(SQRSHRN_si, narrow_scalar(c, w, SAT_SIGNED, true))
SIMD_ROW(UQRSHRN_si, narrow_scalar(c, w, SAT_UNSIGNED, true))
SIMD_ROW(SQSHRUN_si, narrow_scalar(c, w, SAT_SIGNED_TO_UNSIGNED, false))
SIMD_ROW(SQRSHRUN_si, narrow_scalar(c, w, SAT_SIGNED_TO_UNSIGNED, true))

/* ---- widening ---- */

static void lengthen(struct soft_cpu *c, uint32_t w, bool is_signed)
{
	unsigned width = width_of(w), first = a64_Q(w) ? 64 / width : 0;
	union soft_v n = c->v[a64_Rn(w)], d;

	if (!soft_fp_check(c))
		return;
	for (unsigned i = 0; i < 64 / width; i++) {
		uint64_t v = int_get(&n, width, first + i);

		if (is_signed)
			v = (uint64_t)sign_extend(v, width);
		int_set(&d, 2 * width, i, v << left(w));
	}
	c->v[a64_Rd(w)] = d;
}

SIMD_ROW(SSHLL_vi, lengthen(c, w, true))
SIMD_ROW(USHLL_vi, lengthen(c, w, false))
