// SPDX-License-Identifier: Apache-2.0
/*
 * Advanced SIMD floating point with one operand: two-register miscellaneous, conversions, fixed-point, with
 * the scalar forms. Arm ARM (DDI 0487), C4.1.96, and the instructions' pages in C7.2.
 */
#include "hv/soft/fp_lane.h"

static void vector1(struct soft_cpu *c, uint32_t w, unsigned size, lane1_fn *fn,
		    const struct lane_arg *g)
{
	const union soft_v *n = &c->v[a64_Rn(w)];
	unsigned count = vector_count(c, w, size);
	union soft_v d = {0};

	for (unsigned i = 0; i < count; i++)
		lane_set(&d, size, i, fn(size, lane_get(n, size, i), g, &c->fp));
	if (count)
		c->v[a64_Rd(w)] = d;
}

/* ---- comparisons with zero ---- */

static uint64_t equal(unsigned size, uint64_t a, const struct lane_arg *g, struct fp_env *e)
{
	return -lane_eq(size, a, 0, e);
}

static uint64_t greater(unsigned size, uint64_t a, const struct lane_arg *g, struct fp_env *e)
{
	return -lane_gt(size, a, 0, e);
}

static uint64_t greater_equal(unsigned size, uint64_t a, const struct lane_arg *g, struct fp_env *e)
{
	return -lane_ge(size, a, 0, e);
}

static uint64_t less(unsigned size, uint64_t a, const struct lane_arg *g, struct fp_env *e)
{
	return -lane_gt(size, 0, a, e);
}

static uint64_t less_equal(unsigned size, uint64_t a, const struct lane_arg *g, struct fp_env *e)
{
	return -lane_ge(size, 0, a, e);
}

SOFT_FP_ROW(FCMEQ0_v, vector1(c, w, lane_size(w), equal, NULL))
SOFT_FP_ROW(FCMEQ0_vh, vector1(c, w, 16, equal, NULL))
SOFT_FP_ROW(FCMEQ0_s, scalar1(c, w, lane_size(w), equal, NULL))
SOFT_FP_ROW(FCMEQ0_sh, scalar1(c, w, 16, equal, NULL))
SOFT_FP_ROW(FCMGT0_v, vector1(c, w, lane_size(w), greater, NULL))
SOFT_FP_ROW(FCMGT0_vh, vector1(c, w, 16, greater, NULL))
SOFT_FP_ROW(FCMGT0_s, scalar1(c, w, lane_size(w), greater, NULL))
SOFT_FP_ROW(FCMGT0_sh, scalar1(c, w, 16, greater, NULL))
SOFT_FP_ROW(FCMGE0_v, vector1(c, w, lane_size(w), greater_equal, NULL))
SOFT_FP_ROW(FCMGE0_vh, vector1(c, w, 16, greater_equal, NULL))
SOFT_FP_ROW(FCMGE0_s, scalar1(c, w, lane_size(w), greater_equal, NULL))
SOFT_FP_ROW(FCMGE0_sh, scalar1(c, w, 16, greater_equal, NULL))
SOFT_FP_ROW(FCMLT0_v, vector1(c, w, lane_size(w), less, NULL))
SOFT_FP_ROW(FCMLT0_vh, vector1(c, w, 16, less, NULL))
SOFT_FP_ROW(FCMLT0_s, scalar1(c, w, lane_size(w), less, NULL))
SOFT_FP_ROW(FCMLT0_sh, scalar1(c, w, 16, less, NULL))
SOFT_FP_ROW(FCMLE0_v, vector1(c, w, lane_size(w), less_equal, NULL))
SOFT_FP_ROW(FCMLE0_vh, vector1(c, w, 16, less_equal, NULL))
SOFT_FP_ROW(FCMLE0_s, scalar1(c, w, lane_size(w), less_equal, NULL))
SOFT_FP_ROW(FCMLE0_sh, scalar1(c, w, 16, less_equal, NULL))

SOFT_FP_ROW(FABS_v, vector1(c, w, lane_size(w), lane_abs, NULL))
SOFT_FP_ROW(FABS_vh, vector1(c, w, 16, lane_abs, NULL))
SOFT_FP_ROW(FNEG_v, vector1(c, w, lane_size(w), lane_neg, NULL))
SOFT_FP_ROW(FNEG_vh, vector1(c, w, 16, lane_neg, NULL))
SOFT_FP_ROW(FSQRT_v, vector1(c, w, lane_size(w), lane_sqrt, NULL))
SOFT_FP_ROW(FSQRT_vh, vector1(c, w, 16, lane_sqrt, NULL))
SOFT_FP_ROW(FRECPE_v, vector1(c, w, lane_size(w), lane_recpe, NULL))
SOFT_FP_ROW(FRECPE_vh, vector1(c, w, 16, lane_recpe, NULL))
SOFT_FP_ROW(FRECPE_s, scalar1(c, w, lane_size(w), lane_recpe, NULL))
SOFT_FP_ROW(FRECPE_sh, scalar1(c, w, 16, lane_recpe, NULL))
SOFT_FP_ROW(FRSQRTE_v, vector1(c, w, lane_size(w), lane_rsqrte, NULL))
SOFT_FP_ROW(FRSQRTE_vh, vector1(c, w, 16, lane_rsqrte, NULL))
SOFT_FP_ROW(FRSQRTE_s, scalar1(c, w, lane_size(w), lane_rsqrte, NULL))
SOFT_FP_ROW(FRSQRTE_sh, scalar1(c, w, 16, lane_rsqrte, NULL))
SOFT_FP_ROW(FRECPX_s, scalar1(c, w, lane_size(w), lane_recpx, NULL))
SOFT_FP_ROW(FRECPX_sh, scalar1(c, w, 16, lane_recpx, NULL))

/* ---- rounding and conversion: N, P, M, Z by two bits as in FPCR.RMode ---- */

static inline enum fp_rounding directed(uint32_t w)
{
	return (enum fp_rounding)(a64_o12(w) << 1 | a64_A23(w));
}

static void vector_round(struct soft_cpu *c, uint32_t w, unsigned size, enum fp_rounding mode,
			 bool exact)
{
	vector1(c, w, size, lane_round_int, &(struct lane_arg){.mode = mode, .exact = exact});
}

static struct lane_arg conversion(unsigned size, enum fp_rounding mode, bool is_unsigned,
				  unsigned fbits)
{
	return (struct lane_arg){.mode = mode,
				 .is_unsigned = is_unsigned,
				 .fbits = (uint8_t)fbits,
				 .width = (uint8_t)size};
}

static void vector_to(struct soft_cpu *c, uint32_t w, unsigned size, enum fp_rounding mode,
		      bool is_unsigned)
{
	struct lane_arg g = conversion(size, mode, is_unsigned, 0);

	vector1(c, w, size, lane_to_fixed, &g);
}

static void scalar_to(struct soft_cpu *c, uint32_t w, unsigned size, enum fp_rounding mode,
		      bool is_unsigned)
{
	struct lane_arg g = conversion(size, mode, is_unsigned, 0);

	scalar1(c, w, size, lane_to_fixed, &g);
}

static void vector_from(struct soft_cpu *c, uint32_t w, unsigned size, bool is_unsigned)
{
	struct lane_arg g = conversion(size, fp_rounding_mode(&c->fp), is_unsigned, 0);

	vector1(c, w, size, lane_from_fixed, &g);
}

static void scalar_from(struct soft_cpu *c, uint32_t w, unsigned size, bool is_unsigned)
{
	struct lane_arg g = conversion(size, fp_rounding_mode(&c->fp), is_unsigned, 0);

	scalar1(c, w, size, lane_from_fixed, &g);
}

SOFT_FP_ROW(FRINT_v, vector_round(c, w, lane_size(w), directed(w), false))
SOFT_FP_ROW(FRINT_vh, vector_round(c, w, 16, directed(w), false))
SOFT_FP_ROW(FRINTA_v, vector_round(c, w, lane_size(w), FP_TIEAWAY, false))
SOFT_FP_ROW(FRINTA_vh, vector_round(c, w, 16, FP_TIEAWAY, false))
SOFT_FP_ROW(FRINTX_v, vector_round(c, w, lane_size(w), fp_rounding_mode(&c->fp), true))
SOFT_FP_ROW(FRINTX_vh, vector_round(c, w, 16, fp_rounding_mode(&c->fp), true))
SOFT_FP_ROW(FRINTI_v, vector_round(c, w, lane_size(w), fp_rounding_mode(&c->fp), false))
SOFT_FP_ROW(FRINTI_vh, vector_round(c, w, 16, fp_rounding_mode(&c->fp), false))
SOFT_FP_ROW(FCVTS_v, vector_to(c, w, lane_size(w), directed(w), false))
SOFT_FP_ROW(FCVTS_vh, vector_to(c, w, 16, directed(w), false))
SOFT_FP_ROW(FCVTU_v, vector_to(c, w, lane_size(w), directed(w), true))
SOFT_FP_ROW(FCVTU_vh, vector_to(c, w, 16, directed(w), true))
SOFT_FP_ROW(FCVTAS_v, vector_to(c, w, lane_size(w), FP_TIEAWAY, false))
SOFT_FP_ROW(FCVTAS_vh, vector_to(c, w, 16, FP_TIEAWAY, false))
SOFT_FP_ROW(FCVTAU_v, vector_to(c, w, lane_size(w), FP_TIEAWAY, true))
SOFT_FP_ROW(FCVTAU_vh, vector_to(c, w, 16, FP_TIEAWAY, true))
SOFT_FP_ROW(SCVTF_v, vector_from(c, w, lane_size(w), false))
SOFT_FP_ROW(SCVTF_vh, vector_from(c, w, 16, false))
SOFT_FP_ROW(UCVTF_v, vector_from(c, w, lane_size(w), true))
SOFT_FP_ROW(UCVTF_vh, vector_from(c, w, 16, true))
SOFT_FP_ROW(FCVTS_s, scalar_to(c, w, lane_size(w), directed(w), false))
SOFT_FP_ROW(FCVTS_sh, scalar_to(c, w, 16, directed(w), false))
SOFT_FP_ROW(FCVTU_s, scalar_to(c, w, lane_size(w), directed(w), true))
SOFT_FP_ROW(FCVTU_sh, scalar_to(c, w, 16, directed(w), true))
SOFT_FP_ROW(FCVTAS_s, scalar_to(c, w, lane_size(w), FP_TIEAWAY, false))
SOFT_FP_ROW(FCVTAS_sh, scalar_to(c, w, 16, FP_TIEAWAY, false))
SOFT_FP_ROW(FCVTAU_s, scalar_to(c, w, lane_size(w), FP_TIEAWAY, true))
SOFT_FP_ROW(FCVTAU_sh, scalar_to(c, w, 16, FP_TIEAWAY, true))
SOFT_FP_ROW(SCVTF_s, scalar_from(c, w, lane_size(w), false))
SOFT_FP_ROW(SCVTF_sh, scalar_from(c, w, 16, false))
SOFT_FP_ROW(UCVTF_s, scalar_from(c, w, lane_size(w), true))
SOFT_FP_ROW(UCVTF_sh, scalar_from(c, w, 16, true))

void soft_FRINT32_64_v(struct soft_cpu *c, uint32_t w)
{
	struct lane_arg g = {.mode = a64_U(w) ? fp_rounding_mode(&c->fp) : FP_TOZERO,
			     .width = a64_o12(w) ? 64 : 32};

	vector1(c, w, lane_size(w), lane_round_int_n, &g);
}

/* ---- fixed-point: immh says the size, immh:immb the fraction bits ---- */

static inline unsigned fixed_size(uint32_t w)
{
	return a64_immh(w) & 8 ? 64 : a64_immh(w) & 4 ? 32 : 16;
}

static inline struct lane_arg fixed(uint32_t w, enum fp_rounding mode, bool is_unsigned)
{
	unsigned size = fixed_size(w);

	return conversion(size, mode, is_unsigned, 2 * size - (a64_immh(w) << 3 | a64_immb(w)));
}

static void vector_to_fixed(struct soft_cpu *c, uint32_t w, bool is_unsigned)
{
	struct lane_arg g = fixed(w, FP_TOZERO, is_unsigned);

	vector1(c, w, fixed_size(w), lane_to_fixed, &g);
}

static void scalar_to_fixed(struct soft_cpu *c, uint32_t w, bool is_unsigned)
{
	struct lane_arg g = fixed(w, FP_TOZERO, is_unsigned);

	scalar1(c, w, fixed_size(w), lane_to_fixed, &g);
}

static void vector_from_fixed(struct soft_cpu *c, uint32_t w, bool is_unsigned)
{
	struct lane_arg g = fixed(w, fp_rounding_mode(&c->fp), is_unsigned);

	vector1(c, w, fixed_size(w), lane_from_fixed, &g);
}

static void scalar_from_fixed(struct soft_cpu *c, uint32_t w, bool is_unsigned)
{
	struct lane_arg g = fixed(w, fp_rounding_mode(&c->fp), is_unsigned);

	scalar1(c, w, fixed_size(w), lane_from_fixed, &g);
}

SOFT_FP_ROW(SCVTF_fix_v, vector_from_fixed(c, w, false))
SOFT_FP_ROW(SCVTF_fix_vh, vector_from_fixed(c, w, false))
SOFT_FP_ROW(UCVTF_fix_v, vector_from_fixed(c, w, true))
SOFT_FP_ROW(UCVTF_fix_vh, vector_from_fixed(c, w, true))
SOFT_FP_ROW(FCVTZS_fix_v, vector_to_fixed(c, w, false))
SOFT_FP_ROW(FCVTZS_fix_vh, vector_to_fixed(c, w, false))
SOFT_FP_ROW(FCVTZU_fix_v, vector_to_fixed(c, w, true))
SOFT_FP_ROW(FCVTZU_fix_vh, vector_to_fixed(c, w, true))
SOFT_FP_ROW(SCVTF_fix_s, scalar_from_fixed(c, w, false))
SOFT_FP_ROW(SCVTF_fix_sh, scalar_from_fixed(c, w, false))
SOFT_FP_ROW(UCVTF_fix_s, scalar_from_fixed(c, w, true))
SOFT_FP_ROW(UCVTF_fix_sh, scalar_from_fixed(c, w, true))
SOFT_FP_ROW(FCVTZS_fix_s, scalar_to_fixed(c, w, false))
SOFT_FP_ROW(FCVTZS_fix_sh, scalar_to_fixed(c, w, false))
SOFT_FP_ROW(FCVTZU_fix_s, scalar_to_fixed(c, w, true))
SOFT_FP_ROW(FCVTZU_fix_sh, scalar_to_fixed(c, w, true))

/* ---- integer estimates ---- */

static uint64_t unsigned_recpe(unsigned size, uint64_t a, const struct lane_arg *g,
			       struct fp_env *e)
{
	return fp_unsigned_recpe((uint32_t)a);
}

static uint64_t unsigned_rsqrte(unsigned size, uint64_t a, const struct lane_arg *g,
				struct fp_env *e)
{
	return fp_unsigned_rsqrte((uint32_t)a);
}

SOFT_FP_ROW(URECPE, vector1(c, w, 32, unsigned_recpe, NULL))
SOFT_FP_ROW(URSQRTE, vector1(c, w, 32, unsigned_rsqrte, NULL))

/* ---- between precisions: Q is the half of the narrow vector ---- */

void soft_FCVTL(struct soft_cpu *c, uint32_t w)
{
	union soft_v n = c->v[a64_Rn(w)], *d = &c->v[a64_Rd(w)];

	if (!soft_fp_check(c))
		return;
	n.d[0] = n.d[a64_Q(w)];
	if (a64_sz22(w))
		for (unsigned i = 0; i < 2; i++)
			d->d[i] = fp32_to_fp64(n.s[i], &c->fp);
	else
		for (unsigned i = 0; i < 4; i++)
			d->s[i] = fp16_to_fp32(n.h[i], &c->fp);
}

static void set_half(struct soft_cpu *c, uint32_t w, uint64_t value)
{
	union soft_v *d = &c->v[a64_Rd(w)];

	d->d[a64_Q(w)] = value;
	if (!a64_Q(w))
		d->d[1] = 0;
}

void soft_FCVTN(struct soft_cpu *c, uint32_t w)
{
	union soft_v n = c->v[a64_Rn(w)], d = {0};

	if (!soft_fp_check(c))
		return;
	if (a64_sz22(w))
		for (unsigned i = 0; i < 2; i++)
			d.s[i] = fp64_to_fp32(n.d[i], &c->fp);
	else
		for (unsigned i = 0; i < 4; i++)
			d.h[i] = fp32_to_fp16(n.s[i], &c->fp);
	set_half(c, w, d.d[0]);
}

void soft_FCVTXN_v(struct soft_cpu *c, uint32_t w)
{
	const union soft_v *n = &c->v[a64_Rn(w)];
	union soft_v d = {0};

	if (!soft_fp_check(c))
		return;
	d.s[0] = fp64_to_fp32_odd(n->d[0], &c->fp);
	d.s[1] = fp64_to_fp32_odd(n->d[1], &c->fp);
	set_half(c, w, d.d[0]);
}

void soft_FCVTXN_s(struct soft_cpu *c, uint32_t w)
{
	if (soft_fp_check(c))
		scalar_set(c, a64_Rd(w), 32, fp64_to_fp32_odd(c->v[a64_Rn(w)].d[0], &c->fp));
}
