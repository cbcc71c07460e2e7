// SPDX-License-Identifier: Apache-2.0
/*
 * Advanced SIMD integer instructions with elements of two sizes, and those with one element of Vm for all:
 * three different, vector and scalar x indexed element. Arm ARM (DDI 0487), C4.1.96, and the instructions'
 * pages in C7.2.
 *
 * Long and wide forms extend their operands and go on with the operation of the larger elements.
 */
#include "hv/soft/fp_lane.h"
#include "hv/soft/simd_ops.h"

/* ---- extend and narrow ---- */

/* A half of a vector, its elements of 8 << size bits extended to twice that. */
static union soft_v extend(unsigned size, uint64_t half, bool is_signed)
{
	union soft_v from = {.d = {half}}, to;

	switch (size) {
	case 0:
		for (unsigned i = 0; i < 8; i++)
			to.h[i] = is_signed ? (uint16_t)(int8_t)from.b[i] : from.b[i];
		break;
	case 1:
		for (unsigned i = 0; i < 4; i++)
			to.s[i] = is_signed ? (uint32_t)(int16_t)from.h[i] : from.h[i];
		break;
	default:
		for (unsigned i = 0; i < 2; i++)
			to.d[i] = is_signed ? (uint64_t)(int32_t)from.s[i] : from.s[i];
	}
	return to;
}

/* The high halves of elements of 16 << size bits. */
static uint64_t high_halves(unsigned size, const union soft_v *from)
{
	unsigned bytes = 1U << size;
	union soft_v to;

	for (unsigned i = 0; i < 8; i++)
		to.b[i] = from->b[(i >> size << (size + 1)) + bytes + (i & (bytes - 1))];
	return to.d[0];
}

/* ---- three different ---- */

static void longer(struct soft_cpu *c, uint32_t w, bool is_signed, simd_fn *fn)
{
	unsigned size = a64_size(w), part = a64_Q(w);
	union soft_v n = extend(size, c->v[a64_Rn(w)].d[part], is_signed);
	union soft_v m = extend(size, c->v[a64_Rm(w)].d[part], is_signed);

	if (soft_fp_check(c))
		fn(size + 1, &c->v[a64_Rd(w)], &n, &m, &c->fp.fpsr);
}

static void wide(struct soft_cpu *c, uint32_t w, bool is_signed, simd_fn *fn)
{
	union soft_v n = c->v[a64_Rn(w)];
	union soft_v m = extend(a64_size(w), c->v[a64_Rm(w)].d[a64_Q(w)], is_signed);

	if (soft_fp_check(c))
		fn(a64_size(w) + 1, &c->v[a64_Rd(w)], &n, &m, &c->fp.fpsr);
}

/* The lower half of Vd is kept if the result goes to the upper one. */
static void narrow(struct soft_cpu *c, uint32_t w, bool round, simd_fn *fn)
{
	unsigned size = a64_size(w);
	union soft_v sum = {0}, *d = &c->v[a64_Rd(w)];
	union soft_v result = {0},
		     half = simd_replicate(size + 1, round ? 1ULL << ((8U << size) - 1) : 0);

	if (!soft_fp_check(c))
		return;
	fn(size + 1, &sum, &c->v[a64_Rn(w)], &c->v[a64_Rm(w)], &c->fp.fpsr);
	simd_add(size + 1, &result, &sum, &half, &c->fp.fpsr);
	d->d[a64_Q(w)] = high_halves(size, &result);
	if (!a64_Q(w))
		d->d[1] = 0;
}

SIMD_ROW(SADDL_v, longer(c, w, true, simd_add))
SIMD_ROW(UADDL_v, longer(c, w, false, simd_add))
SIMD_ROW(SSUBL_v, longer(c, w, true, simd_sub))
SIMD_ROW(USUBL_v, longer(c, w, false, simd_sub))
SIMD_ROW(SABAL_v, longer(c, w, true, simd_saba))
SIMD_ROW(UABAL_v, longer(c, w, false, simd_saba)) /* nothing is negative */
SIMD_ROW(SABDL_v, longer(c, w, true, simd_sabd))
SIMD_ROW(UABDL_v, longer(c, w, false, simd_sabd))
SIMD_ROW(SMLAL_v, longer(c, w, true, simd_mla))
SIMD_ROW(UMLAL_v, longer(c, w, false, simd_mla))
SIMD_ROW(SMLSL_v, longer(c, w, true, simd_mls))
SIMD_ROW(UMLSL_v, longer(c, w, false, simd_mls))
SIMD_ROW(SMULL_v, longer(c, w, true, simd_mul))
SIMD_ROW(UMULL_v, longer(c, w, false, simd_mul))
SIMD_ROW(SQDMULL_v, longer(c, w, true, simd_sqdmull))
SIMD_ROW(SQDMLAL_v, longer(c, w, true, simd_sqdmlal))
SIMD_ROW(SQDMLSL_v, longer(c, w, true, simd_sqdmlsl))
SIMD_ROW(PMULL_v, longer(c, w, false, simd_pmul))
SIMD_ROW(SADDW_v, wide(c, w, true, simd_add))
SIMD_ROW(UADDW_v, wide(c, w, false, simd_add))
SIMD_ROW(SSUBW_v, wide(c, w, true, simd_sub))
SIMD_ROW(USUBW_v, wide(c, w, false, simd_sub))
SIMD_ROW(ADDHN_v, narrow(c, w, false, simd_add))
SIMD_ROW(RADDHN_v, narrow(c, w, true, simd_add))
SIMD_ROW(SUBHN_v, narrow(c, w, false, simd_sub))
SIMD_ROW(RSUBHN_v, narrow(c, w, true, simd_sub))

/* PolynomialMult() of 64 bits */
void soft_PMULL_v64(struct soft_cpu *c, uint32_t w)
{
	__uint128_t a = c->v[a64_Rn(w)].d[a64_Q(w)], product = 0;
	uint64_t b = c->v[a64_Rm(w)].d[a64_Q(w)];

	if (!soft_fp_check(c))
		return;
	for (unsigned i = 0; i < 64; i++)
		product ^= -(__uint128_t)(b >> i & 1) & a << i;
	c->v[a64_Rd(w)].q = product;
}

/* ---- scalar: of the lowest elements ---- */

/* @b: Vm's element, in its low bits. Long multiplications. */
static void scalar_long(struct soft_cpu *c, uint32_t w, uint64_t b, simd_fn *fn)
{
	unsigned size = a64_size(w), bits = size == 1 ? 16 : 32;
	union soft_v n = extend(size, scalar_get(c, a64_Rn(w), bits), true);
	union soft_v m = extend(size, b & ~0ULL >> (64 - bits), true), d = {0};

	if (!soft_fp_check(c))
		return;
	d.d[0] = scalar_get(c, a64_Rd(w), 2 * bits);
	fn(size + 1, &d, &n, &m, &c->fp.fpsr);
	scalar_set(c, a64_Rd(w), 2 * bits, d.d[0]);
}

SIMD_ROW(SQDMULL_s, scalar_long(c, w, c->v[a64_Rm(w)].d[0], simd_sqdmull))
SIMD_ROW(SQDMLAL_s, scalar_long(c, w, c->v[a64_Rm(w)].d[0], simd_sqdmlal))
SIMD_ROW(SQDMLSL_s, scalar_long(c, w, c->v[a64_Rm(w)].d[0], simd_sqdmlsl))

/* ---- by element ---- */

/* Elements of 16 or 32 bits; the rows leave no other. */
static uint64_t element_of(struct soft_cpu *c, uint32_t w)
{
	unsigned bits = 8U << a64_size(w), m, index;

	indexed(c, w, bits, &m, &index);
	return lane_get(&c->v[m], bits, index);
}

static void by_element(struct soft_cpu *c, uint32_t w, simd_fn *fn)
{
	union soft_v d = c->v[a64_Rd(w)], n = c->v[a64_Rn(w)];
	union soft_v m = simd_replicate(a64_size(w), element_of(c, w));

	if (!soft_fp_check(c))
		return;
	if (!a64_Q(w))
		n.d[1] = d.d[1] = 0;
	fn(a64_size(w), &d, &n, &m, &c->fp.fpsr);
	if (!a64_Q(w))
		d.d[1] = 0;
	c->v[a64_Rd(w)] = d;
}

static void by_element_long(struct soft_cpu *c, uint32_t w, bool is_signed, simd_fn *fn)
{
	unsigned size = a64_size(w);
	union soft_v n = extend(size, c->v[a64_Rn(w)].d[a64_Q(w)], is_signed);
	union soft_v m = extend(size, simd_replicate(size, element_of(c, w)).d[0], is_signed);

	if (soft_fp_check(c))
		fn(size + 1, &c->v[a64_Rd(w)], &n, &m, &c->fp.fpsr);
}

static void scalar_by_element(struct soft_cpu *c, uint32_t w, simd_fn *fn)
{
	unsigned bits = 8U << a64_size(w);
	union soft_v n = {.d = {scalar_get(c, a64_Rn(w), bits)}}, m = {.d = {element_of(c, w)}};
	union soft_v d = {.d = {scalar_get(c, a64_Rd(w), bits)}};

	if (!soft_fp_check(c))
		return;
	fn(a64_size(w), &d, &n, &m, &c->fp.fpsr);
	scalar_set(c, a64_Rd(w), bits, d.d[0]);
}

SIMD_ROW(MLA_e, by_element(c, w, simd_mla))
SIMD_ROW(MLS_e, by_element(c, w, simd_mls))
SIMD_ROW(MUL_e, by_element(c, w, simd_mul))
SIMD_ROW(SQDMULH_e, by_element(c, w, simd_sqdmulh))
SIMD_ROW(SQRDMULH_e, by_element(c, w, simd_sqrdmulh))
SIMD_ROW(SQRDMLAH_e, by_element(c, w, simd_sqrdmlah))
SIMD_ROW(SQRDMLSH_e, by_element(c, w, simd_sqrdmlsh))
SIMD_ROW(SDOT_e, by_element(c, w, simd_sdot))
SIMD_ROW(UDOT_e, by_element(c, w, simd_udot))

SIMD_ROW(SMLAL_e, by_element_long(c, w, true, simd_mla))
SIMD_ROW(UMLAL_e, by_element_long(c, w, false, simd_mla))
SIMD_ROW(SMLSL_e, by_element_long(c, w, true, simd_mls))
SIMD_ROW(UMLSL_e, by_element_long(c, w, false, simd_mls))
SIMD_ROW(SMULL_e, by_element_long(c, w, true, simd_mul))
SIMD_ROW(UMULL_e, by_element_long(c, w, false, simd_mul))
SIMD_ROW(SQDMULL_e, by_element_long(c, w, true, simd_sqdmull))
SIMD_ROW(SQDMLAL_e, by_element_long(c, w, true, simd_sqdmlal))
SIMD_ROW(SQDMLSL_e, by_element_long(c, w, true, simd_sqdmlsl))

SIMD_ROW(SQDMULL_se, scalar_long(c, w, element_of(c, w), simd_sqdmull))
SIMD_ROW(SQDMLAL_se, scalar_long(c, w, element_of(c, w), simd_sqdmlal))
SIMD_ROW(SQDMLSL_se, scalar_long(c, w, element_of(c, w), simd_sqdmlsl))
SIMD_ROW(SQDMULH_se, scalar_by_element(c, w, simd_sqdmulh))
SIMD_ROW(SQRDMULH_se, scalar_by_element(c, w, simd_sqrdmulh))
SIMD_ROW(SQRDMLAH_se, scalar_by_element(c, w, simd_sqrdmlah))
SIMD_ROW(SQRDMLSH_se, scalar_by_element(c, w, simd_sqrdmlsh))
