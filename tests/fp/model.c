/* SPDX-License-Identifier: Apache-2.0 */
#define MPFR_USE_INTMAX_T
#include "model.h"

#include "format.h"

#include <math.h>
#include <string.h>

/* Operands, and one number to work with; exact for everything of all three formats. */
static mpfr_t x[3], work;

void model_setup(void)
{
	for (unsigned i = 0; i < 3; i++)
		mpfr_init2(x[i], 64);
	mpfr_init2(work, 128);
	format_setup();
}

void model_teardown(void)
{
	for (unsigned i = 0; i < 3; i++)
		mpfr_clear(x[i]);
	mpfr_clear(work);
	format_teardown();
	mpfr_free_cache();
}

static enum fp_rounding mode_of(const struct config *c)
{
	return (enum fp_rounding)((c->fpcr & FPCR_RMODE) >> FPCR_RMODE_SHIFT);
}

/* Operands into x[]; IDC, except for half precision. */
static void take(const struct config *c, const uint64_t *v, unsigned count, uint32_t *fpsr)
{
	struct format f = format_of(c->width);

	for (unsigned i = 0; i < count; i++) {
		if (decode(x[i], f, v[i], flushes(f, c->fpcr)) && c->width != 16)
			*fpsr |= FPSR_IDC;
	}
}

static uint64_t quieten(const struct config *c, uint64_t v, uint32_t *fpsr)
{
	struct format f = format_of(c->width);

	if (is_snan(f, v))
		*fpsr |= FPSR_IOC;
	return c->fpcr & FPCR_DN ? make_nan(f) : v | 1ULL << (f.frac - 1);
}

/* If an operand is a NaN, the one that is the result. */
static bool nan_result(const struct config *c, const uint64_t *v, unsigned count, uint64_t *out,
		       uint32_t *fpsr)
{
	struct format f = format_of(c->width);
	const uint64_t *chosen = NULL;

	for (unsigned i = 0; i < count; i++) {
		bool better = is_nan(f, v[i]) &&
			      (!chosen || (is_snan(f, v[i]) && !is_snan(f, *chosen)));

		if (better)
			chosen = &v[i];
	}
	if (chosen)
		*out = quieten(c, *chosen, fpsr);
	return chosen;
}

static uint64_t arithmetic(const struct config *c, const uint64_t *v, unsigned count,
			   compute_fn compute, uint32_t *fpsr)
{
	struct format f = format_of(c->width);
	uint64_t out;

	take(c, v, count, fpsr);
	if (nan_result(c, v, count, &out, fpsr))
		return out;
	return round_to(f, compute, x, mode_of(c), flushes(f, c->fpcr), fpsr);
}

static int do_add(mpfr_t r, mpfr_t *in, mpfr_rnd_t rnd)
{
	return mpfr_add(r, in[0], in[1], rnd);
}

static int do_sub(mpfr_t r, mpfr_t *in, mpfr_rnd_t rnd)
{
	return mpfr_sub(r, in[0], in[1], rnd);
}

static int do_mul(mpfr_t r, mpfr_t *in, mpfr_rnd_t rnd)
{
	return mpfr_mul(r, in[0], in[1], rnd);
}

static int do_div(mpfr_t r, mpfr_t *in, mpfr_rnd_t rnd)
{
	return mpfr_div(r, in[0], in[1], rnd);
}

static int do_sqrt(mpfr_t r, mpfr_t *in, mpfr_rnd_t rnd)
{
	return mpfr_sqrt(r, in[0], rnd);
}

static int do_fma(mpfr_t r, mpfr_t *in, mpfr_rnd_t rnd)
{
	return mpfr_fma(r, in[1], in[2], in[0], rnd);
}

static int do_set(mpfr_t r, mpfr_t *in, mpfr_rnd_t rnd)
{
	return mpfr_set(r, in[0], rnd);
}

uint64_t model_add(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	return arithmetic(c, v, 2, do_add, fpsr);
}

uint64_t model_sub(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	return arithmetic(c, v, 2, do_sub, fpsr);
}

uint64_t model_mul(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	return arithmetic(c, v, 2, do_mul, fpsr);
}

uint64_t model_div(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	return arithmetic(c, v, 2, do_div, fpsr);
}

uint64_t model_sqrt(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	return arithmetic(c, v, 1, do_sqrt, fpsr);
}

/* One of the numbers infinite, the other zero? */
static bool infinity_by_zero(mpfr_t a, mpfr_t b)
{
	return (mpfr_inf_p(a) && mpfr_zero_p(b)) || (mpfr_zero_p(a) && mpfr_inf_p(b));
}

static uint64_t small_number(struct format f, double value)
{
	mpfr_set_d(work, value, MPFR_RNDN);
	return encode(work, f);
}

uint64_t model_mulx(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	take(c, v, 2, fpsr);
	if (infinity_by_zero(x[0], x[1]))
		return small_number(format_of(c->width),
				    mpfr_signbit(x[0]) == mpfr_signbit(x[1]) ? 2 : -2);
	return model_mul(c, v, fpsr);
}

uint64_t model_muladd(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	struct format f = format_of(c->width);

	take(c, v, 3, fpsr);
	if (is_nan(f, v[0]) && !is_snan(f, v[0]) && infinity_by_zero(x[1], x[2])) {
		*fpsr |= FPSR_IOC;
		return make_nan(f);
	}
	return arithmetic(c, v, 3, do_fma, fpsr);
}

/* As muladd of the factors in single precision, but flushed as half precision. */
uint64_t model_muladd_h(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	struct format half = format_of(16);
	struct config single = {.width = 32, .fpcr = c->fpcr};
	uint64_t wide[3] = {v[0]};

	for (unsigned i = 1; i < 3; i++) {
		decode(x[0], half, v[i], c->fpcr & FPCR_FZ16);
		if (is_nan(half, v[i]))
			wide[i] = (v[i] >> 15) << 31 | 0x7f800000 | (v[i] & 0x3ff) << 13;
		else
			wide[i] = encode(x[0], format_of(32));
	}
	return model_muladd(&single, wide, fpsr);
}

/* @start minus the product, times a power of two that is already in @start and x[0]. */
static uint64_t step(const struct config *c, const uint64_t *v, double start, unsigned halvings,
		     uint32_t *fpsr)
{
	struct format f = format_of(c->width);
	uint64_t in[2] = {v[0] ^ make_zero(f, true), v[1]}, out;

	take(c, in, 2, fpsr);
	if (nan_result(c, in, 2, &out, fpsr))
		return out;
	if (infinity_by_zero(x[0], x[1]))
		return small_number(f, start);
	mpfr_div_2ui(work, x[0], halvings, MPFR_RNDN);
	mpfr_swap(x[2], x[1]);
	mpfr_set(x[1], work, MPFR_RNDN);
	mpfr_set_d(x[0], start, MPFR_RNDN);
	return round_to(f, do_fma, x, mode_of(c), flushes(f, c->fpcr), fpsr);
}

uint64_t model_recps(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	return step(c, v, 2, 0, fpsr);
}

uint64_t model_rsqrts(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	return step(c, v, 1.5, 1, fpsr);
}

/* The one of two numbers that is greater; +0 is greater than -0. */
static uint64_t greater(struct format f, mpfr_t a, mpfr_t b)
{
	if (mpfr_zero_p(a) && mpfr_zero_p(b))
		return make_zero(f, mpfr_signbit(a) && mpfr_signbit(b));
	return mpfr_greater_p(a, b) ? encode(a, f) : encode(b, f);
}

static uint64_t less(struct format f, mpfr_t a, mpfr_t b)
{
	if (mpfr_zero_p(a) && mpfr_zero_p(b))
		return make_zero(f, mpfr_signbit(a) || mpfr_signbit(b));
	return mpfr_less_p(a, b) ? encode(a, f) : encode(b, f);
}

uint64_t model_max(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	uint64_t out;

	take(c, v, 2, fpsr);
	return nan_result(c, v, 2, &out, fpsr) ? out : greater(format_of(c->width), x[0], x[1]);
}

uint64_t model_min(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	uint64_t out;

	take(c, v, 2, fpsr);
	return nan_result(c, v, 2, &out, fpsr) ? out : less(format_of(c->width), x[0], x[1]);
}

/* A quiet NaN beside a number: the number. */
static bool number_beside_nan(const struct config *c, const uint64_t *v, uint64_t *out,
			      uint32_t *fpsr)
{
	struct format f = format_of(c->width);

	take(c, v, 2, fpsr);
	for (unsigned i = 0; i < 2; i++) {
		if (is_nan(f, v[i]) && !is_snan(f, v[i]) && !is_nan(f, v[!i])) {
			*out = encode(x[!i], f);
			return true;
		}
	}
	return false;
}

uint64_t model_maxnum(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	uint64_t out;

	return number_beside_nan(c, v, &out, fpsr) ? out : model_max(c, v, fpsr);
}

uint64_t model_minnum(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	uint64_t out;

	return number_beside_nan(c, v, &out, fpsr) ? out : model_min(c, v, fpsr);
}

/* Operands taken; false and IOC as of a comparison with NaNs. */
static bool comparable(const struct config *c, const uint64_t *v, bool signal, uint32_t *fpsr)
{
	struct format f = format_of(c->width);

	take(c, v, 2, fpsr);
	if (!is_nan(f, v[0]) && !is_nan(f, v[1]))
		return true;
	if (signal || is_snan(f, v[0]) || is_snan(f, v[1]))
		*fpsr |= FPSR_IOC;
	return false;
}

uint64_t model_compare(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	if (!comparable(c, v, c->flag, fpsr))
		return 3;
	return mpfr_equal_p(x[0], x[1]) ? 6 : mpfr_less_p(x[0], x[1]) ? 8 : 2;
}

uint64_t model_eq(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	return comparable(c, v, false, fpsr) && mpfr_equal_p(x[0], x[1]);
}

uint64_t model_ge(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	return comparable(c, v, true, fpsr) && mpfr_greaterequal_p(x[0], x[1]);
}

uint64_t model_gt(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	return comparable(c, v, true, fpsr) && mpfr_greater_p(x[0], x[1]);
}

/*
 * The estimates as the editions of the Arm ARM up to ARM DDI 0487A define them, in double
 * precision; the library has the integer forms of the later ones.
 */
static double recip_estimate(double a)
{
	double r = 1.0 / ((floor(a * 512.0) + 0.5) / 512.0);

	return floor(256.0 * r + 0.5) / 256.0;
}

static double recip_sqrt_estimate(double a)
{
	double scale = a < 0.5 ? 512.0 : 256.0;
	double r = 1.0 / sqrt((floor(a * scale) + 0.5) / scale);

	return floor(256.0 * r + 0.5) / 256.0;
}

static uint64_t overflow(struct format f, bool sign, enum fp_rounding mode, uint32_t *fpsr)
{
	bool max = mode == FP_TOZERO || mode == (sign ? FP_POSINF : FP_NEGINF);

	*fpsr |= FPSR_OFC | FPSR_IXC;
	return make_inf(f, sign) - max;
}

uint64_t model_recpe(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	struct format f = format_of(c->width);
	bool sign = sign_of(f, v[0]);
	uint64_t out;
	int exp;

	take(c, v, 1, fpsr);
	if (nan_result(c, v, 1, &out, fpsr))
		return out;
	if (mpfr_inf_p(x[0]))
		return make_zero(f, sign);
	if (mpfr_zero_p(x[0])) {
		*fpsr |= FPSR_DZC;
		return make_inf(f, sign);
	}

	double a = mpfr_get_d(x[0], MPFR_RNDN), m = frexp(fabs(a), &exp);

	if (fabs(a) < ldexp(1, -f.bias - 1))
		return overflow(f, sign, mode_of(c), fpsr);
	if (flushes(f, c->fpcr) && fabs(a) >= ldexp(1, f.bias - 1)) {
		*fpsr |= FPSR_UFC;
		return make_zero(f, sign);
	}
	return small_number(f, copysign(ldexp(recip_estimate(m), -exp), a));
}

uint64_t model_rsqrte(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	struct format f = format_of(c->width);
	uint64_t out;
	int exp;

	take(c, v, 1, fpsr);
	if (nan_result(c, v, 1, &out, fpsr))
		return out;
	if (mpfr_zero_p(x[0])) {
		*fpsr |= FPSR_DZC;
		return make_inf(f, sign_of(f, v[0]));
	}
	if (sign_of(f, v[0])) {
		*fpsr |= FPSR_IOC;
		return make_nan(f);
	}
	if (mpfr_inf_p(x[0]))
		return 0;

	double m = frexp(mpfr_get_d(x[0], MPFR_RNDN), &exp);

	if (exp & 1) {
		m /= 2;
		exp++;
	}
	return small_number(f, ldexp(recip_sqrt_estimate(m), -exp / 2));
}

/* Fractions of 2^32; out of range is all ones. */
uint64_t model_unsigned_recpe(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	double a = ldexp((double)v[0], -32);

	return a < 0.5 ? UINT32_MAX : (uint64_t)ldexp(recip_estimate(a), 31);
}

uint64_t model_unsigned_rsqrte(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	double a = ldexp((double)v[0], -32);

	return a < 0.25 ? UINT32_MAX : (uint64_t)ldexp(recip_sqrt_estimate(a), 31);
}

/* The exponent field with every bit inverted; that of the highest numbers for zero. */
uint64_t model_recpx(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	struct format f = format_of(c->width);
	uint64_t out, highest = 2 * (uint64_t)f.bias, field;

	take(c, v, 1, fpsr);
	if (nan_result(c, v, 1, &out, fpsr))
		return out;
	field = v[0] >> f.frac & (highest + 1);
	field = field ? highest + 1 - field : highest;
	return make_zero(f, sign_of(f, v[0])) | field << f.frac;
}

/* x[0] rounded to an integer into `work`; is it another number? */
static bool to_integer(enum fp_rounding mode)
{
	if (mode == FP_TIEAWAY)
		mpfr_round(work, x[0]);
	else
		mpfr_rint(work, x[0], mpfr_mode(mode));
	return mpfr_cmp(work, x[0]);
}

uint64_t model_round_int(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	uint64_t out;

	take(c, v, 1, fpsr);
	if (nan_result(c, v, 1, &out, fpsr))
		return out;
	if (to_integer(c->mode) && c->flag)
		*fpsr |= FPSR_IXC;
	return encode(work, format_of(c->width));
}

/* Is `work` outside the integers of the width? */
static bool misfits(unsigned width, bool is_unsigned)
{
	if (is_unsigned)
		return mpfr_sgn(work) < 0 || mpfr_cmp_ui_2exp(work, 1, width) >= 0;
	return mpfr_cmp_si_2exp(work, -1, width - 1) < 0 ||
	       mpfr_cmp_si_2exp(work, 1, width - 1) >= 0;
}

uint64_t model_round_int_n(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	struct format f = format_of(c->width);
	bool inexact;

	take(c, v, 1, fpsr);
	inexact = !mpfr_nan_p(x[0]) && to_integer(c->mode);
	if (mpfr_nan_p(x[0]) || misfits(c->int_width, false)) {
		*fpsr |= FPSR_IOC;
		return small_number(f, -ldexp(1, (int)c->int_width - 1));
	}
	if (inexact)
		*fpsr |= FPSR_IXC;
	return encode(work, f);
}

uint64_t model_to_fixed(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	uint64_t ones = ~0ULL >> (64 - c->int_width);
	bool inexact;

	take(c, v, 1, fpsr);
	if (mpfr_nan_p(x[0])) {
		*fpsr |= FPSR_IOC;
		return 0;
	}
	mpfr_mul_2ui(x[0], x[0], v[1], MPFR_RNDN);
	inexact = to_integer(c->mode);
	if (!misfits(c->int_width, c->is_unsigned)) {
		if (inexact)
			*fpsr |= FPSR_IXC;
		return ones & (c->is_unsigned ? mpfr_get_uj(work, MPFR_RNDN)
					      : (uint64_t)mpfr_get_sj(work, MPFR_RNDN));
	}
	*fpsr |= FPSR_IOC;
	if (c->is_unsigned)
		return mpfr_sgn(work) < 0 ? 0 : ones;
	return mpfr_sgn(work) < 0 ? ones - (ones >> 1) : ones >> 1;
}

uint64_t model_from_fixed(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	struct format f = format_of(c->width);
	unsigned unused = 64 - c->int_width;

	if (c->is_unsigned)
		mpfr_set_uj(x[0], v[0] << unused >> unused, MPFR_RNDN);
	else
		mpfr_set_sj(x[0], (int64_t)(v[0] << unused) >> unused, MPFR_RNDN);
	mpfr_div_2ui(x[0], x[0], v[1], MPFR_RNDN);
	return round_to(f, do_set, x, c->mode, flushes(f, c->fpcr), fpsr);
}

static uint64_t convert_nan(const struct config *c, struct format from, struct format to,
			    uint64_t v, uint32_t *fpsr)
{
	uint64_t payload = v << (64 - from.frac) >> (64 - to.frac); /* its high bits */

	if (is_snan(from, v) || to.no_specials)
		*fpsr |= FPSR_IOC;
	if (to.no_specials)
		return make_zero(to, sign_of(from, v));
	if (c->fpcr & FPCR_DN)
		return make_nan(to);
	return make_zero(to, sign_of(from, v)) | make_nan(to) | payload;
}

/* Half precision is never flushed here, neither as operand nor as result. */
uint64_t model_convert(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	struct format from = format_of(c->width), to = format_of(c->to);
	bool ahp = c->fpcr & FPCR_AHP;

	from.no_specials = ahp && c->width == 16;
	to.no_specials = ahp && c->to == 16;
	if (is_nan(from, v[0]))
		return convert_nan(c, from, to, v[0], fpsr);
	if (decode(x[0], from, v[0], c->width != 16 && c->fpcr & FPCR_FZ))
		*fpsr |= FPSR_IDC;
	if (mpfr_inf_p(x[0]) && to.no_specials) {
		*fpsr |= FPSR_IOC;
		return make_zero(to, sign_of(from, v[0])) | 0x7fff;
	}
	return round_to(to, do_set, x, c->mode, c->to != 16 && c->fpcr & FPCR_FZ, fpsr);
}

uint64_t model_js(const struct config *c, const uint64_t *v, uint32_t *fpsr)
{
	mpz_t whole;
	bool inexact;
	uint64_t low;

	take(c, v, 1, fpsr);
	if (!mpfr_number_p(x[0])) {
		*fpsr |= FPSR_IOC;
		return 0;
	}
	inexact = to_integer(FP_TOZERO);
	mpz_init(whole);
	mpfr_get_z(whole, work, MPFR_RNDN);
	mpz_fdiv_r_2exp(whole, whole, 32);
	low = mpz_get_ui(whole);
	mpz_clear(whole);
	if (misfits(32, false))
		*fpsr |= FPSR_IOC;
	else if (inexact)
		*fpsr |= FPSR_IXC;
	else if (!mpfr_zero_p(x[0]) || v[0] == 0)
		low |= 1ULL << 32;
	return low;
}
