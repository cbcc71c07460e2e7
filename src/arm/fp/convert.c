/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between precisions, to integers and from them.
 * Arm ARM (DDI 0487), appendix J1, shared/functions/float: FPConvert, FPRoundInt, FPRoundIntN,
 * FPToFixed, FPToFixedJS, FixedToFP.
 */
#include "arm/fp/num.h"

static uint64_t convert_nan(const struct fp_format *from, const struct fp_format *to, uint64_t op,
			    struct fp_env *env)
{
	uint64_t frac = (op & fp_frac_mask(from)) << (FP_SIG_TOP - from->frac_bits);

	if (to->alternative || fp_is_snan(from, op))
		env->fpsr |= FPSR_IOC;
	if (to->alternative)
		return fp_zero(to, fp_sign(from, op));
	if (env->fpcr & FPCR_DN)
		return fp_default_nan(to);
	return fp_infinity(to, fp_sign(from, op)) | fp_quiet_bit(to) |
	       frac >> (FP_SIG_TOP - to->frac_bits);
}

static uint64_t convert_special(const struct fp_format *from, const struct fp_format *to,
				struct fp_num a, uint64_t op, struct fp_env *env)
{
	if (a.kind & KIND_NAN)
		return convert_nan(from, to, op, env);
	if (a.kind == KIND_ZERO)
		return fp_zero(to, a.sign);
	/* Without infinities the result is that of an overflow. */
	return to->alternative ? fp_overflow(to, a.sign, FP_TIEEVEN, env) : fp_infinity(to, a.sign);
}

FP_INLINE uint64_t convert(const struct fp_format *from, const struct fp_format *to, uint64_t op,
			   enum fp_rounding mode, struct fp_env *env)
{
	struct fp_num a = fp_unpack(from, op, env);

	if (FP_UNLIKELY(a.kind != KIND_FINITE))
		return convert_special(from, to, a, op, env);
	return fp_round(to, a.sign, a.exp, a.sig, mode, env);
}

/* FPUnpackCV, FPRoundCV */
static inline const struct fp_format *half_format(const struct fp_env *env)
{
	return env->fpcr & FPCR_AHP ? &fp_half_alt : &fp_half_cv;
}

uint32_t fp16_to_fp32(uint16_t a, struct fp_env *env)
{
	return (uint32_t)convert(half_format(env), &fp_single, a, FP_TIEEVEN, env);
}

uint64_t fp16_to_fp64(uint16_t a, struct fp_env *env)
{
	return convert(half_format(env), &fp_double, a, FP_TIEEVEN, env);
}

uint16_t fp32_to_fp16(uint32_t a, struct fp_env *env)
{
	return (uint16_t)convert(&fp_single, half_format(env), a, fp_rounding_mode(env), env);
}

uint64_t fp32_to_fp64(uint32_t a, struct fp_env *env)
{
	return convert(&fp_single, &fp_double, a, FP_TIEEVEN, env);
}

uint16_t fp64_to_fp16(uint64_t a, struct fp_env *env)
{
	return (uint16_t)convert(&fp_double, half_format(env), a, fp_rounding_mode(env), env);
}

uint32_t fp64_to_fp32(uint64_t a, struct fp_env *env)
{
	return (uint32_t)convert(&fp_double, &fp_single, a, fp_rounding_mode(env), env);
}

uint32_t fp64_to_fp32_odd(uint64_t a, struct fp_env *env)
{
	return (uint32_t)convert(&fp_double, &fp_single, a, FP_ODD, env);
}

/* The magnitude of a finite number below 2^63 as an integer. */
FP_INLINE uint64_t round_magnitude(struct fp_num a, enum fp_rounding mode, bool *error)
{
	unsigned cut = (unsigned)(FP_SIG_TOP - a.exp);

	*error = false;
	if (!cut)
		return a.sig;
	if (cut > 63) {
		cut = 63;
		a.sig = 1;
	}
	*error = a.sig & ((1ULL << cut) - 1);
	return (a.sig + fp_round_up(mode, a.sign, a.sig >> cut & 1, 1ULL << (cut - 1))) >> cut;
}

/* An integer of no more bits than the format has. */
FP_INLINE uint64_t from_magnitude(const struct fp_format *f, bool sign, uint64_t magnitude,
				  struct fp_env *env)
{
	if (!magnitude)
		return fp_zero(f, sign);

	int shift = __builtin_clzll(magnitude) - (63 - FP_SIG_TOP);

	return fp_round(f, sign, FP_SIG_TOP - shift, magnitude << shift, FP_TOZERO, env);
}

FP_INLINE uint64_t round_int(const struct fp_format *f, uint64_t op, enum fp_rounding mode,
			     bool exact, struct fp_env *env)
{
	struct fp_num a = fp_unpack(f, op, env);
	bool error;

	if (FP_UNLIKELY(a.kind != KIND_FINITE)) {
		if (a.kind & KIND_NAN)
			return fp_process_nan(f, op, env);
		return a.kind == KIND_ZERO ? fp_zero(f, a.sign) : op;
	}
	if (a.exp >= f->frac_bits)
		return op;

	uint64_t magnitude = round_magnitude(a, mode, &error);

	if (error && exact)
		env->fpsr |= FPSR_IXC;
	return from_magnitude(f, a.sign, magnitude, env);
}

uint16_t fp16_round_int(uint16_t a, enum fp_rounding mode, bool exact, struct fp_env *env)
{
	return (uint16_t)round_int(&fp_half, a, mode, exact, env);
}

uint32_t fp32_round_int(uint32_t a, enum fp_rounding mode, bool exact, struct fp_env *env)
{
	return (uint32_t)round_int(&fp_single, a, mode, exact, env);
}

uint64_t fp64_round_int(uint64_t a, enum fp_rounding mode, bool exact, struct fp_env *env)
{
	return round_int(&fp_double, a, mode, exact, env);
}

/* What is no integer of the width, a NaN too, becomes the most negative one. */
FP_INLINE uint64_t round_int_n(const struct fp_format *f, uint64_t op, enum fp_rounding mode,
			       unsigned width, struct fp_env *env)
{
	struct fp_num a = fp_unpack(f, op, env);
	uint64_t magnitude = 0;
	bool error = false, fits = false;

	if (a.kind == KIND_ZERO)
		return fp_zero(f, a.sign);
	if (a.kind == KIND_FINITE && a.exp < 64) {
		magnitude = a.exp == 63 ? a.sig << 1 : round_magnitude(a, mode, &error);
		fits = magnitude <= (1ULL << (width - 1)) - !a.sign;
	}
	if (!fits) {
		env->fpsr |= FPSR_IOC;
		return fp_power(f, true, (int)width - 1);
	}
	if (error)
		env->fpsr |= FPSR_IXC;
	return a.exp >= f->frac_bits ? op : from_magnitude(f, a.sign, magnitude, env);
}

uint32_t fp32_round_int_n(uint32_t a, enum fp_rounding mode, unsigned width, struct fp_env *env)
{
	return (uint32_t)round_int_n(&fp_single, a, mode, width, env);
}

uint64_t fp64_round_int_n(uint64_t a, enum fp_rounding mode, unsigned width, struct fp_env *env)
{
	return round_int_n(&fp_double, a, mode, width, env);
}

/* The nearest integer of the width to what is outside: SatQ. */
static uint64_t saturate(bool sign, bool is_unsigned, unsigned width, struct fp_env *env)
{
	uint64_t ones = ~0ULL >> (64 - width);

	env->fpsr |= FPSR_IOC;
	if (is_unsigned)
		return sign ? 0 : ones;
	return sign ? ones ^ ones >> 1 : ones >> 1;
}

FP_INLINE uint64_t to_fixed(const struct fp_format *f, uint64_t op, unsigned fbits,
			    bool is_unsigned, unsigned width, enum fp_rounding mode,
			    struct fp_env *env)
{
	struct fp_num a = fp_unpack(f, op, env);
	uint64_t ones = ~0ULL >> (64 - width), limit, magnitude;
	bool error = false;

	if (FP_UNLIKELY(a.kind != KIND_FINITE)) {
		if (a.kind == KIND_INF)
			return saturate(a.sign, is_unsigned, width, env);
		if (a.kind & KIND_NAN)
			env->fpsr |= FPSR_IOC;
		return 0;
	}
	a.exp += (int)fbits;
	if (a.exp > 63)
		return saturate(a.sign, is_unsigned, width, env);
	magnitude = a.exp == 63 ? a.sig << 1 : round_magnitude(a, mode, &error);
	if (is_unsigned)
		limit = a.sign ? 0 : ones;
	else
		limit = (ones >> 1) + a.sign;
	if (magnitude > limit)
		return saturate(a.sign, is_unsigned, width, env);
	if (error)
		env->fpsr |= FPSR_IXC;
	return (a.sign ? -magnitude : magnitude) & ones;
}

FP_INLINE uint64_t from_fixed(const struct fp_format *f, uint64_t op, unsigned fbits,
			      bool is_unsigned, unsigned width, enum fp_rounding mode,
			      struct fp_env *env)
{
	unsigned unused = 64 - width;
	uint64_t value = op << unused;
	bool sign = !is_unsigned && value >> 63;

	value = is_unsigned ? value >> unused : (uint64_t)((int64_t)value >> unused);
	if (sign)
		value = -value;
	if (!value)
		return 0;

	int top = 63 - __builtin_clzll(value);
	uint64_t sig = top == 63 ? value >> 1 | (value & 1) : value << (FP_SIG_TOP - top);

	return fp_round(f, sign, top - (int)fbits, sig, mode, env);
}

#define DEFINE_FIXED(n, T, format)                                                                 \
	uint64_t fp##n##_to_fixed(T a, unsigned fbits, bool is_unsigned, unsigned width,           \
				  enum fp_rounding mode, struct fp_env *env)                       \
	{                                                                                          \
		return to_fixed(&(format), a, fbits, is_unsigned, width, mode, env);               \
	}                                                                                          \
	T fp##n##_from_fixed(uint64_t a, unsigned fbits, bool is_unsigned, unsigned width,         \
			     enum fp_rounding mode, struct fp_env *env)                            \
	{                                                                                          \
		return (T)from_fixed(&(format), a, fbits, is_unsigned, width, mode, env);          \
	}

DEFINE_FIXED(16, uint16_t, fp_half)
DEFINE_FIXED(32, uint32_t, fp_single)
DEFINE_FIXED(64, uint64_t, fp_double)

/* Toward zero and modulo 2^32; what does not fit 32 bits is invalid all the same. */
uint32_t fp64_to_int32_js(uint64_t op, bool *exact, struct fp_env *env)
{
	struct fp_num a = fp_unpack(&fp_double, op, env);
	uint64_t magnitude = 0;
	bool error = false, fits = false;

	*exact = op == 0;
	if (a.kind == KIND_ZERO)
		return 0;
	if (a.kind == KIND_FINITE && a.exp <= FP_SIG_TOP) {
		magnitude = round_magnitude(a, FP_TOZERO, &error);
		fits = magnitude <= (1ULL << 31) - !a.sign;
	} else if (a.kind == KIND_FINITE && a.exp < FP_SIG_TOP + 32) {
		magnitude = a.sig << (a.exp - FP_SIG_TOP);
	}
	*exact = fits && !error;
	if (!*exact)
		env->fpsr |= fits ? FPSR_IXC : FPSR_IOC;
	return (uint32_t)(a.sign ? -magnitude : magnitude);
}
