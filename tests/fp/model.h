/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Arm floating point should give: the numbers by MPFR, the Arm rules (NaNs, flushing, flags)
 * written down a second time. Shares no code with src/arm/fp.
 */
#ifndef TESTS_FP_MODEL_H
#define TESTS_FP_MODEL_H

#include "arm/fp/fp.h" /* bits of FPCR and FPSR, enum fp_rounding */

struct config {
	unsigned width;	       /* of the operands: 16, 32 or 64 */
	unsigned to;	       /* conversions between precisions: width of the result */
	unsigned int_width;    /* integers: 16, 32 or 64 */
	bool is_unsigned;      /* integers */
	bool flag;	       /* compare: signal quiet NaNs; round_int: signal Inexact */
	enum fp_rounding mode; /* round_int and conversions to integers and to odd */
	uint32_t fpcr;
};

/* Integers and conditions come back as they are. ORs into @fpsr. */
typedef uint64_t (*model_fn)(const struct config *c, const uint64_t *v, uint32_t *fpsr);

void model_setup(void);
void model_teardown(void);

uint64_t model_add(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_sub(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_mul(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_mulx(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_div(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_sqrt(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_muladd(const struct config *c, const uint64_t *v, uint32_t *fpsr);
/* v[1] and v[2] of 16 bits */
uint64_t model_muladd_h(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_recps(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_rsqrts(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_max(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_min(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_maxnum(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_minnum(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_compare(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_eq(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_ge(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_gt(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_recpe(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_rsqrte(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_recpx(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_round_int(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_round_int_n(const struct config *c, const uint64_t *v, uint32_t *fpsr);
/* v[1]: the fraction bits */
uint64_t model_to_fixed(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_from_fixed(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_convert(const struct config *c, const uint64_t *v, uint32_t *fpsr);
/* Bit 32: exact */
uint64_t model_js(const struct config *c, const uint64_t *v, uint32_t *fpsr);
/* The low 32 bits of v[0] */
uint64_t model_unsigned_recpe(const struct config *c, const uint64_t *v, uint32_t *fpsr);
uint64_t model_unsigned_rsqrte(const struct config *c, const uint64_t *v, uint32_t *fpsr);

#endif
