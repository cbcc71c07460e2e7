/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addition, multiplication, division, square root and the fused forms.
 * Arm ARM (DDI 0487), appendix J1, shared/functions/float: FPAdd, FPSub, FPMul, FPMulX, FPDiv,
 * FPSqrt, FPMulAdd, FPMulAddH, FPRecipStepFused, FPRSqrtStepFused.
 */
#include "arm/fp/num.h"

/*
 * FPAdd where an operand is not a finite number other than zero. @b is the term added, @op2 what it
 * was made of: a NaN keeps its sign in a subtraction.
 */
static uint64_t add_special(const struct fp_format *f, struct fp_num a, struct fp_num b,
			    uint64_t op1, uint64_t op2, struct fp_env *env)
{
	if ((a.kind | b.kind) & KIND_NAN)
		return fp_process_nans(f, op1, op2, env);
	if (a.kind == KIND_INF && b.kind == KIND_INF && a.sign != b.sign)
		return fp_invalid(f, env);
	if (a.kind == KIND_INF)
		return op1;
	if (b.kind == KIND_INF)
		return fp_infinity(f, b.sign);
	if (a.kind == KIND_ZERO && b.kind == KIND_ZERO)
		return fp_zero(f, a.sign == b.sign ? a.sign : fp_zero_sum_sign(env));
	return a.kind == KIND_ZERO ? fp_magnitude(f, op2) | fp_zero(f, b.sign) : op1;
}

FP_INLINE uint64_t add_terms(const struct fp_format *f, struct fp_num a, struct fp_num b,
			     uint64_t op1, uint64_t op2, struct fp_env *env)
{
	if (FP_UNLIKELY((a.kind | b.kind) != KIND_FINITE))
		return add_special(f, a, b, op1, op2, env);
	if (a.exp < b.exp || (a.exp == b.exp && a.sig < b.sig)) {
		struct fp_num t = a;

		a = b;
		b = t;
	}

	uint64_t low = fp_jam(b.sig, (unsigned)(a.exp - b.exp));

	if (a.sign == b.sign)
		return fp_round_carry(f, a.sign, a.exp, a.sig + low, fp_rounding_mode(env), env);

	uint64_t sig = a.sig - low;

	if (!sig)
		return fp_zero(f, fp_zero_sum_sign(env));

	int shift = __builtin_clzll(sig) - (63 - FP_SIG_TOP);

	return fp_round(f, a.sign, a.exp - shift, sig << shift, fp_rounding_mode(env), env);
}

FP_INLINE uint64_t fp_add(const struct fp_format *f, uint64_t op1, uint64_t op2, struct fp_env *env)
{
	return add_terms(f, fp_unpack(f, op1, env), fp_unpack(f, op2, env), op1, op2, env);
}

FP_INLINE uint64_t fp_sub(const struct fp_format *f, uint64_t op1, uint64_t op2, struct fp_env *env)
{
	struct fp_num b = fp_unpack(f, op2, env);

	b.sign = !b.sign;
	return add_terms(f, fp_unpack(f, op1, env), b, op1, op2, env);
}

FP_DEFINE2(add)
FP_DEFINE2(sub)

/* @extended: infinity times zero is two, as FMULX has it. */
static uint64_t mul_special(const struct fp_format *f, struct fp_num a, struct fp_num b,
			    uint64_t op1, uint64_t op2, bool extended, struct fp_env *env)
{
	unsigned kinds = a.kind | b.kind;
	bool sign = a.sign ^ b.sign;

	if (kinds & KIND_NAN)
		return fp_process_nans(f, op1, op2, env);
	if (kinds == (KIND_INF | KIND_ZERO))
		return extended ? fp_power(f, sign, 1) : fp_invalid(f, env);
	return kinds & KIND_INF ? fp_infinity(f, sign) : fp_zero(f, sign);
}

FP_INLINE uint64_t multiply(const struct fp_format *f, uint64_t op1, uint64_t op2, bool extended,
			    struct fp_env *env)
{
	struct fp_num a = fp_unpack(f, op1, env), b = fp_unpack(f, op2, env);

	if (FP_UNLIKELY((a.kind | b.kind) != KIND_FINITE))
		return mul_special(f, a, b, op1, op2, extended, env);

	/* 2^126 <= product < 2^128 */
	unsigned __int128 product = (unsigned __int128)(a.sig << 1) * (b.sig << 1);
	uint64_t sig = (uint64_t)(product >> 64) | ((uint64_t)product != 0);

	return fp_round_carry(f, a.sign ^ b.sign, a.exp + b.exp, sig, fp_rounding_mode(env), env);
}

FP_INLINE uint64_t fp_mul(const struct fp_format *f, uint64_t op1, uint64_t op2, struct fp_env *env)
{
	return multiply(f, op1, op2, false, env);
}

FP_INLINE uint64_t fp_mulx(const struct fp_format *f, uint64_t op1, uint64_t op2,
			   struct fp_env *env)
{
	return multiply(f, op1, op2, true, env);
}

FP_DEFINE2(mul)
FP_DEFINE2(mulx)

static uint64_t div_special(const struct fp_format *f, struct fp_num a, struct fp_num b,
			    uint64_t op1, uint64_t op2, struct fp_env *env)
{
	bool sign = a.sign ^ b.sign;

	if ((a.kind | b.kind) & KIND_NAN)
		return fp_process_nans(f, op1, op2, env);
	if (a.kind == b.kind)
		return fp_invalid(f, env);
	if (a.kind == KIND_ZERO || b.kind == KIND_INF)
		return fp_zero(f, sign);
	if (a.kind != KIND_INF)
		env->fpsr |= FPSR_DZC;
	return fp_infinity(f, sign);
}

FP_INLINE uint64_t fp_div(const struct fp_format *f, uint64_t op1, uint64_t op2, struct fp_env *env)
{
	struct fp_num a = fp_unpack(f, op1, env), b = fp_unpack(f, op2, env);
	uint64_t sig, rest;

	if (FP_UNLIKELY((a.kind | b.kind) != KIND_FINITE))
		return div_special(f, a, b, op1, op2, env);
	/* sig: the quotient times 2^63, so 2^62 < sig < 2^64. */
	if (f->frac_bits <= fp_single.frac_bits) {
		uint64_t divisor = b.sig >> 39;

		sig = a.sig / divisor << 24;
		rest = a.sig % divisor;
	} else {
		unsigned __int128 dividend = (unsigned __int128)a.sig << 63;

		sig = (uint64_t)(dividend / b.sig);
		rest = (uint64_t)dividend - sig * b.sig;
	}
	return fp_round_carry(f, a.sign ^ b.sign, a.exp - b.exp - 1, sig | (rest != 0),
			      fp_rounding_mode(env), env);
}

FP_DEFINE2(div)

/* A square root cut to an integer, and the remainder: root^2 + rest, rest <= 2 * root. */
struct root {
	uint64_t root;
	uint64_t rest;
};

/*
 * The root of 2^30 <= n < 2^32. The estimate is good to 8 bits, so Heron's step ends at most one
 * too high.
 */
static inline struct root root32(uint64_t n)
{
	uint64_t reciprocal = 256 + fp_rsqrt_estimates[(n >> 23) - 128];
	uint64_t estimate = (n >> 8) * reciprocal >> 16;
	uint64_t root = (estimate + n / estimate) / 2;

	root -= root * root > n;
	return (struct root){root, n - root * root};
}

/*
 * From the root of n to that of n * 2^(2 * more) + low, at most doubling its bits (P. Zimmermann,
 * "Karatsuba Square Root", INRIA RR-3805, 1999): the quotient is at most one too high.
 */
static inline struct root root_extend(struct root n, unsigned more, uint64_t low)
{
	uint64_t dividend = n.rest << more | low >> more;
	uint64_t quotient = dividend / (2 * n.root);
	uint64_t root = (n.root << more) + quotient;
	int64_t rest = (int64_t)(dividend % (2 * n.root) << more | (low & ((1ULL << more) - 1)));

	rest -= (int64_t)(quotient * quotient);
	if (rest < 0) {
		rest += (int64_t)(2 * root - 1);
		root--;
	}
	return (struct root){root, (uint64_t)rest};
}

static uint64_t sqrt_special(const struct fp_format *f, struct fp_num a, uint64_t op,
			     struct fp_env *env)
{
	if (a.kind & KIND_NAN)
		return fp_process_nan(f, op, env);
	if (a.kind == KIND_ZERO)
		return fp_zero(f, a.sign);
	return a.sign ? fp_invalid(f, env) : op;
}

FP_INLINE uint64_t fp_sqrt(const struct fp_format *f, uint64_t op, struct fp_env *env)
{
	struct fp_num a = fp_unpack(f, op, env);

	if (FP_UNLIKELY(a.kind != KIND_FINITE || a.sign))
		return sqrt_special(f, a, op, env);

	unsigned odd = a.exp & 1;
	uint64_t n = a.sig << odd;
	struct root r = root32(n >> 32);
	unsigned root_bits = 16; /* as many as needed for the fraction and two more */

	if (f->frac_bits > fp_half.frac_bits) {
		r = root_extend(r, 16, n & UINT32_MAX);
		root_bits = 32;
	}
	if (f->frac_bits > fp_single.frac_bits) {
		r = root_extend(r, 28, 0);
		root_bits = 60;
	}
	return fp_round(f, false, (a.exp - (int)odd) / 2,
			r.root << (FP_SIG_TOP + 1 - root_bits) | (r.rest != 0),
			fp_rounding_mode(env), env);
}

FP_DEFINE1(sqrt)

FP_INLINE unsigned __int128 jam128(unsigned __int128 v, unsigned n)
{
	if (n > 127)
		return v != 0;
	return v >> n | ((v & (((unsigned __int128)1 << n) - 1)) != 0);
}

/*
 * (c + a * b) * 2^scale rounded once; a and b are finite and not zero, c finite or zero.
 *
 * The product and c are compared at bit 124. Whichever is shifted has low zero bits enough to lose
 * none, or differs so much in its exponent that the sum keeps all its high bits.
 */
FP_INLINE uint64_t fused(const struct fp_format *f, struct fp_num c, struct fp_num a,
			 struct fp_num b, int scale, struct fp_env *env)
{
	unsigned __int128 product = (unsigned __int128)a.sig * b.sig, sum;
	unsigned __int128 addend = (unsigned __int128)c.sig << FP_SIG_TOP;
	bool product_sign = a.sign ^ b.sign, sign = product_sign;
	int exp = a.exp + b.exp;

	if (exp >= c.exp || !c.sig) {
		addend = jam128(addend, (unsigned)(exp - c.exp));
	} else {
		product = jam128(product, (unsigned)(c.exp - exp));
		exp = c.exp;
	}
	if (product_sign == c.sign) {
		sum = product + addend;
	} else if (product >= addend) {
		sum = product - addend;
	} else {
		sum = addend - product;
		sign = c.sign;
	}
	if (!sum)
		return fp_zero(f, fp_zero_sum_sign(env));

	uint64_t high = (uint64_t)(sum >> 64);
	int shift = high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)sum);

	sum = sum << shift >> 1;
	return fp_round(f, sign, exp + 127 - 124 - shift + scale,
			(uint64_t)(sum >> 64) | ((uint64_t)sum != 0), fp_rounding_mode(env), env);
}

static uint64_t muladd_special(const struct fp_format *f, const struct fp_num n[3],
			       const uint64_t op[3], struct fp_env *env)
{
	unsigned product = n[1].kind | n[2].kind;
	bool sign = n[1].sign ^ n[2].sign;

	/* Even if the addend is a quiet NaN; a signalling one comes first. */
	if (product == (KIND_INF | KIND_ZERO) && n[0].kind != KIND_SNAN)
		return fp_invalid(f, env);
	if ((n[0].kind | product) & KIND_NAN)
		return fp_process_nans3(f, op[0], op[1], op[2], env);
	if (n[0].kind == KIND_INF && product & KIND_INF && n[0].sign != sign)
		return fp_invalid(f, env);
	if (n[0].kind == KIND_INF)
		return op[0];
	if (product & KIND_INF)
		return fp_infinity(f, sign);
	/* The product is zero. */
	if (n[0].kind == KIND_ZERO)
		return fp_zero(f, n[0].sign == sign ? sign : fp_zero_sum_sign(env));
	return op[0];
}

FP_INLINE uint64_t fp_muladd(const struct fp_format *f, uint64_t addend, uint64_t op1, uint64_t op2,
			     struct fp_env *env)
{
	struct fp_num c = fp_unpack(f, addend, env);
	struct fp_num a = fp_unpack(f, op1, env), b = fp_unpack(f, op2, env);

	if (FP_UNLIKELY((a.kind | b.kind) != KIND_FINITE || c.kind > KIND_ZERO)) {
		const struct fp_num n[] = {c, a, b};
		const uint64_t op[] = {addend, op1, op2};

		return muladd_special(f, n, op, env);
	}
	return fused(f, c, a, b, 0, env);
}

uint16_t fp16_muladd(uint16_t addend, uint16_t a, uint16_t b, struct fp_env *env)
{
	return (uint16_t)fp_muladd(&fp_half, addend, a, b, env);
}

uint32_t fp32_muladd(uint32_t addend, uint32_t a, uint32_t b, struct fp_env *env)
{
	return (uint32_t)fp_muladd(&fp_single, addend, a, b, env);
}

uint64_t fp64_muladd(uint64_t addend, uint64_t a, uint64_t b, struct fp_env *env)
{
	return fp_muladd(&fp_double, addend, a, b, env);
}

/* A half precision NaN in single precision, as signalling as it is. */
static uint64_t widen_nan(uint64_t op)
{
	unsigned more = fp_single.frac_bits - fp_half.frac_bits;

	return fp_infinity(&fp_single, fp_sign(&fp_half, op)) | (op & fp_frac_mask(&fp_half))
									<< more;
}

uint32_t fp32_muladd_h(uint32_t addend, uint16_t op1, uint16_t op2, struct fp_env *env)
{
	struct fp_num c = fp_unpack(&fp_single, addend, env);
	struct fp_num a = fp_unpack(&fp_half, op1, env), b = fp_unpack(&fp_half, op2, env);

	if (FP_UNLIKELY((a.kind | b.kind) != KIND_FINITE || c.kind > KIND_ZERO)) {
		const struct fp_num n[] = {c, a, b};
		const uint64_t op[] = {addend, a.kind & KIND_NAN ? widen_nan(op1) : 0,
				       b.kind & KIND_NAN ? widen_nan(op2) : 0};

		return (uint32_t)muladd_special(&fp_single, n, op, env);
	}
	return (uint32_t)fused(&fp_single, c, a, b, 0, env);
}

/* @limit: the result if the product is zero, also that of an infinity. */
static uint64_t step_special(const struct fp_format *f, struct fp_num a, struct fp_num b,
			     uint64_t op1, uint64_t op2, uint64_t limit, struct fp_env *env)
{
	unsigned kinds = a.kind | b.kind;

	if (kinds & KIND_NAN)
		return fp_process_nans(f, op1, op2, env);
	if (kinds & KIND_ZERO)
		return limit;
	return fp_infinity(f, a.sign ^ b.sign);
}

/* 2 - op1 * op2. The first operand is negated also if it is a NaN. */
FP_INLINE uint64_t fp_recps(const struct fp_format *f, uint64_t op1, uint64_t op2,
			    struct fp_env *env)
{
	static const struct fp_num two = {1ULL << FP_SIG_TOP, 1, KIND_FINITE, false};
	uint64_t minus = fp_negate(f, op1);
	struct fp_num a = fp_unpack(f, minus, env), b = fp_unpack(f, op2, env);

	if (FP_UNLIKELY((a.kind | b.kind) != KIND_FINITE))
		return step_special(f, a, b, minus, op2, fp_power(f, false, 1), env);
	return fused(f, two, a, b, 0, env);
}

/* (3 - op1 * op2) / 2 */
FP_INLINE uint64_t fp_rsqrts(const struct fp_format *f, uint64_t op1, uint64_t op2,
			     struct fp_env *env)
{
	static const struct fp_num three = {3ULL << (FP_SIG_TOP - 1), 1, KIND_FINITE, false};
	uint64_t minus = fp_negate(f, op1);
	struct fp_num a = fp_unpack(f, minus, env), b = fp_unpack(f, op2, env);

	if (FP_UNLIKELY((a.kind | b.kind) != KIND_FINITE))
		return step_special(f, a, b, minus, op2, fp_power(f, false, 0) | fp_quiet_bit(f),
				    env);
	return fused(f, three, a, b, -1, env);
}

FP_DEFINE2(recps)
FP_DEFINE2(rsqrts)
