/* SPDX-License-Identifier: Apache-2.0 */
#include "format.h"

#include <math.h>

/* Result and work space of round_to(), one for each precision. */
static mpfr_t rounded[3];

struct format format_of(unsigned width)
{
	switch (width) {
	case 16:
		return (struct format){16, 10, 15, false};
	case 32:
		return (struct format){32, 23, 127, false};
	default:
		return (struct format){64, 52, 1023, false};
	}
}

void format_setup(void)
{
	mpfr_init2(rounded[0], 11);
	mpfr_init2(rounded[1], 24);
	mpfr_init2(rounded[2], 53);
}

void format_teardown(void)
{
	for (unsigned i = 0; i < 3; i++)
		mpfr_clear(rounded[i]);
}

static uint64_t frac_of(struct format f, uint64_t v)
{
	return v & ((1ULL << f.frac) - 1);
}

static int field_of(struct format f, uint64_t v)
{
	return v >> f.frac & (2 * f.bias + 1);
}

bool is_nan(struct format f, uint64_t v)
{
	return !f.no_specials && field_of(f, v) == 2 * f.bias + 1 && frac_of(f, v);
}

bool is_snan(struct format f, uint64_t v)
{
	return is_nan(f, v) && frac_of(f, v) < 1ULL << (f.frac - 1);
}

bool sign_of(struct format f, uint64_t v)
{
	return v >> (f.width - 1);
}

uint64_t make_zero(struct format f, bool sign)
{
	return (uint64_t)sign << (f.width - 1);
}

uint64_t make_inf(struct format f, bool sign)
{
	return make_zero(f, sign) | (uint64_t)(2 * f.bias + 1) << f.frac;
}

uint64_t make_nan(struct format f)
{
	return make_inf(f, false) | 1ULL << (f.frac - 1);
}

bool flushes(struct format f, uint32_t fpcr)
{
	return fpcr & (f.width == 16 ? FPCR_FZ16 : FPCR_FZ);
}

mpfr_rnd_t mpfr_mode(enum fp_rounding mode)
{
	switch (mode) {
	case FP_POSINF:
		return MPFR_RNDU;
	case FP_NEGINF:
		return MPFR_RNDD;
	case FP_TOZERO:
	case FP_ODD:
		return MPFR_RNDZ;
	default:
		return MPFR_RNDN;
	}
}

bool decode(mpfr_t x, struct format f, uint64_t v, bool flush)
{
	uint64_t frac = frac_of(f, v);
	int field = field_of(f, v);
	bool flushed = false;

	if (field == 2 * f.bias + 1 && !f.no_specials) {
		if (frac)
			mpfr_set_nan(x);
		else
			mpfr_set_inf(x, 1);
	} else if (field) {
		mpfr_set_ui_2exp(x, frac + (1ULL << f.frac), field - f.bias - (int)f.frac,
				 MPFR_RNDN);
	} else {
		flushed = frac && flush;
		mpfr_set_ui_2exp(x, flushed ? 0 : frac, 1 - f.bias - (int)f.frac, MPFR_RNDN);
	}
	if (sign_of(f, v))
		mpfr_neg(x, x, MPFR_RNDN);
	return flushed;
}

uint64_t encode(mpfr_t x, struct format f)
{
	bool sign = mpfr_signbit(x);
	long exp;

	if (mpfr_zero_p(x))
		return make_zero(f, sign);
	if (mpfr_inf_p(x))
		return make_inf(f, sign);

	/* |x| = m * 2^(exp - 53), 2^52 <= m < 2^53 */
	uint64_t m = (uint64_t)ldexp(fabs(mpfr_get_d_2exp(&exp, x, MPFR_RNDN)), 53);
	int field = (int)exp - 1 + f.bias;

	m >>= 52 - f.frac;
	if (field < 1)
		return make_zero(f, sign) | m >> (1 - field);
	return make_zero(f, sign) | ((uint64_t)field << f.frac) | frac_of(f, m);
}

/* Is the exact result, of which @r with ternary value @t is the rounded one, below the normal ones? */
static bool is_tiny(mpfr_t r, int t, struct format f)
{
	mpfr_exp_t lowest = 1 - f.bias + 1; /* MPFR's exponent of the lowest normal number */

	if (mpfr_get_exp(r) != lowest)
		return mpfr_get_exp(r) < lowest;
	return !mpfr_cmp_si_2exp(r, mpfr_signbit(r) ? -1 : 1, 1 - f.bias) &&
	       (mpfr_signbit(r) ? t < 0 : t > 0);
}

uint64_t round_to(struct format f, compute_fn compute, mpfr_t *x, enum fp_rounding mode, bool flush,
		  uint32_t *fpsr)
{
	mpfr_t *r = &rounded[f.frac == 10 ? 0 : f.frac == 23 ? 1 : 2];
	mpfr_rnd_t rnd = mpfr_mode(mode);
	mpfr_exp_t emin = mpfr_get_emin(), emax = mpfr_get_emax();
	uint64_t out;

	mpfr_clear_flags();

	int t = compute(*r, x, rnd);

	if (mpfr_nan_p(*r)) {
		*fpsr |= FPSR_IOC;
		return make_nan(f);
	}
	if (mpfr_divby0_p())
		*fpsr |= FPSR_DZC;
	if (mpfr_inf_p(*r) || mpfr_zero_p(*r))
		return encode(*r, f);

	bool tiny = is_tiny(*r, t, f);

	if (tiny && flush) {
		*fpsr |= FPSR_UFC;
		return make_zero(f, mpfr_signbit(*r));
	}
	mpfr_set_emin(1 - f.bias - (int)f.frac + 1);
	mpfr_set_emax(f.bias + 1 + f.no_specials);
	mpfr_clear_flags();
	t = mpfr_check_range(*r, t, rnd);
	t = mpfr_subnormalize(*r, t, rnd);
	if (mpfr_overflow_p()) {
		*fpsr |= f.no_specials ? FPSR_IOC : FPSR_OFC | FPSR_IXC;
		out = f.no_specials ? make_zero(f, mpfr_signbit(*r)) | 0x7fff : encode(*r, f);
	} else {
		if (t)
			*fpsr |= tiny ? FPSR_IXC | FPSR_UFC : FPSR_IXC;
		out = encode(*r, f);
	}
	if (mode == FP_ODD && t)
		out |= 1;
	mpfr_set_emin(emin);
	mpfr_set_emax(emax);
	return out;
}
