/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparisons, minimum and maximum, on encodings: as sign and magnitude they are in the order of
 * the numbers.
 * Arm ARM (DDI 0487), appendix J1, shared/functions/float: FPCompare, FPCompareEQ, FPCompareGE,
 * FPCompareGT, FPMax, FPMin, FPMaxNum, FPMinNum.
 */
#include "arm/fp/num.h"

/* PSTATE.NZCV of FPCompare */
enum { NZCV_LESS = 8, NZCV_EQUAL = 6, NZCV_GREATER = 2, NZCV_UNORDERED = 3 };

/* The operand, or the zero FPUnpack makes of it. */
FP_INLINE uint64_t flush(const struct fp_format *f, uint64_t op, struct fp_env *env)
{
	uint64_t magnitude = fp_magnitude(f, op);

	if (FP_LIKELY(!(env->fpcr & f->flush)) || !magnitude || magnitude > fp_frac_mask(f))
		return op;
	env->fpsr |= f->flush_flag;
	return fp_zero(f, fp_sign(f, op));
}

/* Orders numbers; both zeros are 0. */
FP_INLINE int64_t order(const struct fp_format *f, uint64_t op)
{
	int64_t magnitude = (int64_t)fp_magnitude(f, op);

	return fp_sign(f, op) ? -magnitude : magnitude;
}

/* Is any a NaN? IOC for a signalling one, and for every one if @signal_nans. */
FP_INLINE bool unordered(const struct fp_format *f, uint64_t op1, uint64_t op2, bool signal_nans,
			 struct fp_env *env)
{
	if (FP_LIKELY(!fp_is_nan(f, op1) && !fp_is_nan(f, op2)))
		return false;
	if (signal_nans || fp_is_snan(f, op1) || fp_is_snan(f, op2))
		env->fpsr |= FPSR_IOC;
	return true;
}

FP_INLINE unsigned compare(const struct fp_format *f, uint64_t op1, uint64_t op2, bool signal_nans,
			   struct fp_env *env)
{
	int64_t a = order(f, flush(f, op1, env)), b = order(f, flush(f, op2, env));

	if (unordered(f, op1, op2, signal_nans, env))
		return NZCV_UNORDERED;
	if (a == b)
		return NZCV_EQUAL;
	return a < b ? NZCV_LESS : NZCV_GREATER;
}

/* The functions of one precision; all are the same comparison. */
#define DEFINE_COMPARE(n, T, format)                                                               \
	unsigned fp##n##_compare(T a, T b, bool signal_nans, struct fp_env *env)                   \
	{                                                                                          \
		return compare(&(format), a, b, signal_nans, env);                                 \
	}                                                                                          \
	bool fp##n##_eq(T a, T b, struct fp_env *env)                                              \
	{                                                                                          \
		return compare(&(format), a, b, false, env) == NZCV_EQUAL;                         \
	}                                                                                          \
	bool fp##n##_ge(T a, T b, struct fp_env *env)                                              \
	{                                                                                          \
		unsigned nzcv = compare(&(format), a, b, true, env);                               \
                                                                                                   \
		return nzcv == NZCV_EQUAL || nzcv == NZCV_GREATER;                                 \
	}                                                                                          \
	bool fp##n##_gt(T a, T b, struct fp_env *env)                                              \
	{                                                                                          \
		return compare(&(format), a, b, true, env) == NZCV_GREATER;                        \
	}

DEFINE_COMPARE(16, uint16_t, fp_half)
DEFINE_COMPARE(32, uint32_t, fp_single)
DEFINE_COMPARE(64, uint64_t, fp_double)

/* No operand is a NaN. Of two zeros, the maximum is the positive one, the minimum the negative. */
FP_INLINE uint64_t larger(const struct fp_format *f, uint64_t a, uint64_t b)
{
	int64_t x = order(f, a), y = order(f, b);

	return x == y ? a & b : x > y ? a : b;
}

FP_INLINE uint64_t smaller(const struct fp_format *f, uint64_t a, uint64_t b)
{
	int64_t x = order(f, a), y = order(f, b);

	return x == y ? a | b : x < y ? a : b;
}

FP_INLINE uint64_t extreme(const struct fp_format *f, uint64_t op1, uint64_t op2, bool max,
			   struct fp_env *env)
{
	uint64_t a = flush(f, op1, env), b = flush(f, op2, env);

	if (FP_UNLIKELY(fp_is_nan(f, a) || fp_is_nan(f, b)))
		return fp_process_nans(f, a, b, env);
	return max ? larger(f, a, b) : smaller(f, a, b);
}

FP_INLINE bool is_qnan(const struct fp_format *f, uint64_t op)
{
	return fp_is_nan(f, op) && !fp_is_snan(f, op);
}

/* A lone quiet NaN counts as the infinity that loses. */
FP_INLINE uint64_t extreme_num(const struct fp_format *f, uint64_t op1, uint64_t op2, bool max,
			       struct fp_env *env)
{
	bool quiet1 = is_qnan(f, op1), quiet2 = is_qnan(f, op2);

	if (FP_UNLIKELY(quiet1 && !quiet2))
		op1 = fp_infinity(f, max);
	else if (FP_UNLIKELY(quiet2 && !quiet1))
		op2 = fp_infinity(f, max);
	return extreme(f, op1, op2, max, env);
}

FP_INLINE uint64_t fp_max(const struct fp_format *f, uint64_t op1, uint64_t op2, struct fp_env *env)
{
	return extreme(f, op1, op2, true, env);
}

FP_INLINE uint64_t fp_min(const struct fp_format *f, uint64_t op1, uint64_t op2, struct fp_env *env)
{
	return extreme(f, op1, op2, false, env);
}

FP_INLINE uint64_t fp_maxnum(const struct fp_format *f, uint64_t op1, uint64_t op2,
			     struct fp_env *env)
{
	return extreme_num(f, op1, op2, true, env);
}

FP_INLINE uint64_t fp_minnum(const struct fp_format *f, uint64_t op1, uint64_t op2,
			     struct fp_env *env)
{
	return extreme_num(f, op1, op2, false, env);
}

FP_DEFINE2(max)
FP_DEFINE2(min)
FP_DEFINE2(maxnum)
FP_DEFINE2(minnum)
