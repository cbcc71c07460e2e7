/* SPDX-License-Identifier: Apache-2.0 */
/* Encodings to MPFR numbers and back; rounding by MPFR with the flags of Arm. */
#ifndef TESTS_FP_FORMAT_H
#define TESTS_FP_FORMAT_H

#include "model.h"

#include <mpfr.h>

struct format {
	unsigned width, frac; /* bits of the encoding and of its fraction field */
	int bias;
	bool no_specials; /* FPCR.AHP: the highest exponent is one more, of numbers */
};

struct format format_of(unsigned width);

bool is_nan(struct format f, uint64_t v);
bool is_snan(struct format f, uint64_t v);
bool sign_of(struct format f, uint64_t v);
uint64_t make_zero(struct format f, bool sign);
uint64_t make_inf(struct format f, bool sign);
uint64_t make_nan(struct format f);

/* If @flush, a denormal is read as zero; true if it was. */
bool decode(mpfr_t x, struct format f, uint64_t v, bool flush);
/* @x is a number of the format. */
uint64_t encode(mpfr_t x, struct format f);

/* Does FPCR flush operands and results of the format? */
bool flushes(struct format f, uint32_t fpcr);
mpfr_rnd_t mpfr_mode(enum fp_rounding mode);

/* x[0..2] rounded once to the precision of @r; the ternary value as of the MPFR functions. */
typedef int (*compute_fn)(mpfr_t r, mpfr_t *x, mpfr_rnd_t rnd);

/* The result of @compute in the format, with all its flags. */
uint64_t round_to(struct format f, compute_fn compute, mpfr_t *x, enum fp_rounding mode, bool flush,
		  uint32_t *fpsr);

void format_setup(void);
void format_teardown(void);

#endif
