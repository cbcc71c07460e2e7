/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The unpacked number the operations of arm/fp work on, and the way into it and out of it: FPUnpack,
 * FPRound, FPProcessNaN of the Arm ARM (DDI 0487), appendix J1.
 *
 * Every operation is written once, as an inline function with a format as its first argument, and
 * compiled for each precision with that format constant. What is rare is out of line, in num.c.
 *
 * Internal to arm/fp.
 */
#ifndef ARM_FP_NUM_H
#define ARM_FP_NUM_H

#include "arm/fp/fp.h"

#define FP_INLINE      static inline __attribute__((always_inline))
#define FP_LIKELY(x)   __builtin_expect(!!(x), 1)
#define FP_UNLIKELY(x) __builtin_expect(!!(x), 0)

struct fp_format {
	uint8_t width;
	uint8_t frac_bits;
	uint16_t bias;
	uint16_t exp_mask; /* also the exponent field of infinities and NaNs */
	bool alternative;  /* half precision without these two (FPCR.AHP) */
	uint32_t flush;	   /* the bit of FPCR that flushes denormals, inputs and results; 0: none */
	uint32_t flush_flag; /* what flushing an input sets in FPSR */
};

static const struct fp_format fp_half = {16, 10, 15, 0x1f, false, FPCR_FZ16, 0};
static const struct fp_format fp_single = {32, 23, 127, 0xff, false, FPCR_FZ, FPSR_IDC};
static const struct fp_format fp_double = {64, 52, 1023, 0x7ff, false, FPCR_FZ, FPSR_IDC};
/* Half precision as the conversions see it: FPUnpackCV and FPRoundCV never flush it. */
static const struct fp_format fp_half_cv = {16, 10, 15, 0x1f, false, 0, 0};
static const struct fp_format fp_half_alt = {16, 10, 15, 0x1f, true, 0, 0};

/* One bit each, so that the kinds of all operands can be tested at once. */
enum fp_kind {
	KIND_FINITE = 1, /* not zero */
	KIND_ZERO = 2,
	KIND_INF = 4,
	KIND_QNAN = 8,
	KIND_SNAN = 16,
	KIND_NAN = KIND_QNAN | KIND_SNAN,
};

/*
 * A finite number is sig * 2^(exp - 62), with bit 62 of sig its highest. Results on their way to
 * fp_round() have all they lost below ORed into bit 0 ("jammed").
 */
struct fp_num {
	uint64_t sig; /* 0 unless finite */
	int32_t exp;  /* 0 unless finite */
	uint8_t kind;
	bool sign;
};

#define FP_SIG_TOP 62

struct fp_num fp_unpack_special(const struct fp_format *f, uint64_t op, struct fp_env *env);
uint64_t fp_overflow(const struct fp_format *f, bool sign, enum fp_rounding mode,
		     struct fp_env *env);

/* FPProcessNaN, FPProcessNaNs, FPProcessNaNs3. At least one operand is a NaN. */
uint64_t fp_process_nan(const struct fp_format *f, uint64_t op, struct fp_env *env);
uint64_t fp_process_nans(const struct fp_format *f, uint64_t op1, uint64_t op2, struct fp_env *env);
uint64_t fp_process_nans3(const struct fp_format *f, uint64_t op1, uint64_t op2, uint64_t op3,
			  struct fp_env *env);

/* RecipSqrtEstimate(128 + index) - 256 */
extern const uint8_t fp_rsqrt_estimates[384];

FP_INLINE uint64_t fp_frac_mask(const struct fp_format *f)
{
	return (1ULL << f->frac_bits) - 1;
}

FP_INLINE uint64_t fp_quiet_bit(const struct fp_format *f)
{
	return 1ULL << (f->frac_bits - 1);
}

/* FPZero(sign) */
FP_INLINE uint64_t fp_zero(const struct fp_format *f, bool sign)
{
	return sign ? 1ULL << (f->width - 1) : 0;
}

/* A power of two that is a normal number of the format. */
FP_INLINE uint64_t fp_power(const struct fp_format *f, bool sign, int exp)
{
	return fp_zero(f, sign) | (uint64_t)(exp + f->bias) << f->frac_bits;
}

FP_INLINE uint64_t fp_infinity(const struct fp_format *f, bool sign)
{
	return fp_zero(f, sign) | (uint64_t)f->exp_mask << f->frac_bits;
}

FP_INLINE uint64_t fp_default_nan(const struct fp_format *f)
{
	return fp_infinity(f, false) | fp_quiet_bit(f);
}

FP_INLINE uint64_t fp_invalid(const struct fp_format *f, struct fp_env *env)
{
	env->fpsr |= FPSR_IOC;
	return fp_default_nan(f);
}

FP_INLINE bool fp_sign(const struct fp_format *f, uint64_t op)
{
	return op >> (f->width - 1) & 1;
}

FP_INLINE uint64_t fp_negate(const struct fp_format *f, uint64_t op)
{
	return op ^ fp_zero(f, true);
}

FP_INLINE uint64_t fp_magnitude(const struct fp_format *f, uint64_t op)
{
	return op & (fp_zero(f, true) - 1);
}

FP_INLINE bool fp_is_nan(const struct fp_format *f, uint64_t op)
{
	return fp_magnitude(f, op) > fp_infinity(f, false);
}

FP_INLINE bool fp_is_snan(const struct fp_format *f, uint64_t op)
{
	return fp_is_nan(f, op) && !(op & fp_quiet_bit(f));
}

/* The sign of a sum of exactly zero whose terms differ in sign. */
FP_INLINE bool fp_zero_sum_sign(const struct fp_env *env)
{
	return fp_rounding_mode(env) == FP_NEGINF;
}

/* @v shifted right by @n, jammed; v < 2^63. */
FP_INLINE uint64_t fp_jam(uint64_t v, unsigned n)
{
	if (FP_UNLIKELY(n > FP_SIG_TOP))
		return v != 0;
	return v >> n | ((v & ((1ULL << n) - 1)) != 0);
}

/* FPUnpack */
FP_INLINE struct fp_num fp_unpack(const struct fp_format *f, uint64_t op, struct fp_env *env)
{
	unsigned biased = op >> f->frac_bits & f->exp_mask;

	if (FP_UNLIKELY(biased - 1 >= f->exp_mask - 1U))
		return fp_unpack_special(f, op, env);
	return (struct fp_num){
		.sig = (op & fp_frac_mask(f)) << (FP_SIG_TOP - f->frac_bits) | 1ULL << FP_SIG_TOP,
		.exp = (int)biased - f->bias,
		.kind = KIND_FINITE,
		.sign = fp_sign(f, op),
	};
}

/*
 * What to add to a magnitude so that cutting it below `2 * half` rounds it; @odd: the lowest bit
 * that is kept. FP_ODD is left to the caller.
 */
FP_INLINE uint64_t fp_round_up(enum fp_rounding mode, bool sign, bool odd, uint64_t half)
{
	switch (mode) {
	case FP_TIEEVEN:
		return half - 1 + odd;
	case FP_TIEAWAY:
		return half;
	case FP_POSINF:
		return sign ? 0 : 2 * half - 1;
	case FP_NEGINF:
		return sign ? 2 * half - 1 : 0;
	default:
		return 0;
	}
}

/*
 * FPRound of a number that is not zero. Tininess is detected before rounding; a result that is
 * flushed sets UFC and nothing else.
 */
FP_INLINE uint64_t fp_round(const struct fp_format *f, bool sign, int exp, uint64_t sig,
			    enum fp_rounding mode, struct fp_env *env)
{
	const unsigned cut = FP_SIG_TOP - f->frac_bits;
	int biased = exp + f->bias;
	bool tiny = biased < 1;

	if (FP_UNLIKELY(tiny)) {
		if (env->fpcr & f->flush) {
			env->fpsr |= FPSR_UFC;
			return fp_zero(f, sign);
		}
		sig = fp_jam(sig, (unsigned)(1 - biased));
		biased = 1;
	}

	bool error = sig & ((1ULL << cut) - 1);
	uint64_t up = fp_round_up(mode, sign, sig >> cut & 1, 1ULL << (cut - 1));
	/* The highest bit of sig, if still at its place, counts one in the exponent field. */
	uint64_t out = ((uint64_t)(biased - 1) << f->frac_bits) + ((sig + up) >> cut);

	if (mode == FP_ODD)
		out |= error;
	if (FP_UNLIKELY(out >> f->frac_bits >= f->exp_mask + (unsigned)f->alternative))
		return fp_overflow(f, sign, mode, env);
	if (error)
		env->fpsr |= tiny ? FPSR_UFC | FPSR_IXC : FPSR_IXC;
	return out | fp_zero(f, sign);
}

/* The same for a number of 1 <= sig * 2^-62 < 4. */
FP_INLINE uint64_t fp_round_carry(const struct fp_format *f, bool sign, int exp, uint64_t sig,
				  enum fp_rounding mode, struct fp_env *env)
{
	unsigned carry = sig >> 63;

	return fp_round(f, sign, exp + (int)carry, sig >> carry | (sig & carry), mode, env);
}

/* The functions of the three precisions from `fp_name(format, operands..., env)`. */
#define FP_DEFINE1(name)                                                                           \
	uint16_t fp16_##name(uint16_t a, struct fp_env *env)                                       \
	{                                                                                          \
		return (uint16_t)fp_##name(&fp_half, a, env);                                      \
	}                                                                                          \
	uint32_t fp32_##name(uint32_t a, struct fp_env *env)                                       \
	{                                                                                          \
		return (uint32_t)fp_##name(&fp_single, a, env);                                    \
	}                                                                                          \
	uint64_t fp64_##name(uint64_t a, struct fp_env *env)                                       \
	{                                                                                          \
		return fp_##name(&fp_double, a, env);                                              \
	}

#define FP_DEFINE2(name)                                                                           \
	uint16_t fp16_##name(uint16_t a, uint16_t b, struct fp_env *env)                           \
	{                                                                                          \
		return (uint16_t)fp_##name(&fp_half, a, b, env);                                   \
	}                                                                                          \
	uint32_t fp32_##name(uint32_t a, uint32_t b, struct fp_env *env)                           \
	{                                                                                          \
		return (uint32_t)fp_##name(&fp_single, a, b, env);                                 \
	}                                                                                          \
	uint64_t fp64_##name(uint64_t a, uint64_t b, struct fp_env *env)                           \
	{                                                                                          \
		return fp_##name(&fp_double, a, b, env);                                           \
	}

#endif
