// SPDX-License-Identifier: Apache-2.0
/*
 * Advanced SIMD floating point with two or three operands: three same, pairwise, across lanes, by element,
 * with the scalar forms. Arm ARM (DDI 0487), C4.1.96, and the instructions' pages in C7.2.
 */
#include "hv/soft/fp_lane.h"

/* ---- comparisons: all ones or zero ---- */

static uint64_t equal(unsigned size, uint64_t a, uint64_t b, struct fp_env *e)
{
	return -lane_eq(size, a, b, e);
}

static uint64_t greater_equal(unsigned size, uint64_t a, uint64_t b, struct fp_env *e)
{
	return -lane_ge(size, a, b, e);
}

static uint64_t greater(unsigned size, uint64_t a, uint64_t b, struct fp_env *e)
{
	return -lane_gt(size, a, b, e);
}

static uint64_t abs_greater_equal(unsigned size, uint64_t a, uint64_t b, struct fp_env *e)
{
	return -lane_ge(size, lane_abs(size, a, NULL, e), lane_abs(size, b, NULL, e), e);
}

static uint64_t abs_greater(unsigned size, uint64_t a, uint64_t b, struct fp_env *e)
{
	return -lane_gt(size, lane_abs(size, a, NULL, e), lane_abs(size, b, NULL, e), e);
}

/* ---- three same ---- */

static void vector2(struct soft_cpu *c, uint32_t w, unsigned size, lane2_fn *fn)
{
	const union soft_v *n = &c->v[a64_Rn(w)], *m = &c->v[a64_Rm(w)];
	unsigned count = vector_count(c, w, size);
	union soft_v d = {0};

	for (unsigned i = 0; i < count; i++)
		lane_set(&d, size, i, fn(size, lane_get(n, size, i), lane_get(m, size, i), &c->fp));
	if (count)
		c->v[a64_Rd(w)] = d;
}

static void vector3(struct soft_cpu *c, uint32_t w, unsigned size, lane3_fn *fn)
{
	const union soft_v *n = &c->v[a64_Rn(w)], *m = &c->v[a64_Rm(w)], *a = &c->v[a64_Rd(w)];
	unsigned count = vector_count(c, w, size);
	union soft_v d = {0};

	for (unsigned i = 0; i < count; i++)
		lane_set(&d, size, i,
			 fn(size, lane_get(a, size, i), lane_get(n, size, i), lane_get(m, size, i),
			    &c->fp));
	if (count)
		c->v[a64_Rd(w)] = d;
}

SOFT_FP_ROW(FADD_v, vector2(c, w, lane_size(w), lane_add))
SOFT_FP_ROW(FADD_vh, vector2(c, w, 16, lane_add))
SOFT_FP_ROW(FSUB_v, vector2(c, w, lane_size(w), lane_sub))
SOFT_FP_ROW(FSUB_vh, vector2(c, w, 16, lane_sub))
SOFT_FP_ROW(FMUL_v, vector2(c, w, lane_size(w), lane_mul))
SOFT_FP_ROW(FMUL_vh, vector2(c, w, 16, lane_mul))
SOFT_FP_ROW(FMULX_v, vector2(c, w, lane_size(w), lane_mulx))
SOFT_FP_ROW(FMULX_vh, vector2(c, w, 16, lane_mulx))
SOFT_FP_ROW(FDIV_v, vector2(c, w, lane_size(w), lane_div))
SOFT_FP_ROW(FDIV_vh, vector2(c, w, 16, lane_div))
SOFT_FP_ROW(FABD_v, vector2(c, w, lane_size(w), lane_abd))
SOFT_FP_ROW(FABD_vh, vector2(c, w, 16, lane_abd))
SOFT_FP_ROW(FMAX_v, vector2(c, w, lane_size(w), lane_max))
SOFT_FP_ROW(FMAX_vh, vector2(c, w, 16, lane_max))
SOFT_FP_ROW(FMIN_v, vector2(c, w, lane_size(w), lane_min))
SOFT_FP_ROW(FMIN_vh, vector2(c, w, 16, lane_min))
SOFT_FP_ROW(FMAXNM_v, vector2(c, w, lane_size(w), lane_maxnum))
SOFT_FP_ROW(FMAXNM_vh, vector2(c, w, 16, lane_maxnum))
SOFT_FP_ROW(FMINNM_v, vector2(c, w, lane_size(w), lane_minnum))
SOFT_FP_ROW(FMINNM_vh, vector2(c, w, 16, lane_minnum))
SOFT_FP_ROW(FRECPS_v, vector2(c, w, lane_size(w), lane_recps))
SOFT_FP_ROW(FRECPS_vh, vector2(c, w, 16, lane_recps))
SOFT_FP_ROW(FRSQRTS_v, vector2(c, w, lane_size(w), lane_rsqrts))
SOFT_FP_ROW(FRSQRTS_vh, vector2(c, w, 16, lane_rsqrts))
SOFT_FP_ROW(FCMEQ_v, vector2(c, w, lane_size(w), equal))
SOFT_FP_ROW(FCMEQ_vh, vector2(c, w, 16, equal))
SOFT_FP_ROW(FCMGE_v, vector2(c, w, lane_size(w), greater_equal))
SOFT_FP_ROW(FCMGE_vh, vector2(c, w, 16, greater_equal))
SOFT_FP_ROW(FCMGT_v, vector2(c, w, lane_size(w), greater))
SOFT_FP_ROW(FCMGT_vh, vector2(c, w, 16, greater))
SOFT_FP_ROW(FACGE_v, vector2(c, w, lane_size(w), abs_greater_equal))
SOFT_FP_ROW(FACGE_vh, vector2(c, w, 16, abs_greater_equal))
SOFT_FP_ROW(FACGT_v, vector2(c, w, lane_size(w), abs_greater))
SOFT_FP_ROW(FACGT_vh, vector2(c, w, 16, abs_greater))
SOFT_FP_ROW(FMLA_v, vector3(c, w, lane_size(w), lane_muladd))
SOFT_FP_ROW(FMLA_vh, vector3(c, w, 16, lane_muladd))
SOFT_FP_ROW(FMLS_v, vector3(c, w, lane_size(w), lane_mulsub))
SOFT_FP_ROW(FMLS_vh, vector3(c, w, 16, lane_mulsub))

SOFT_FP_ROW(FMULX_s, scalar2(c, w, lane_size(w), lane_mulx))
SOFT_FP_ROW(FMULX_sh, scalar2(c, w, 16, lane_mulx))
SOFT_FP_ROW(FABD_s, scalar2(c, w, lane_size(w), lane_abd))
SOFT_FP_ROW(FABD_sh, scalar2(c, w, 16, lane_abd))
SOFT_FP_ROW(FRECPS_s, scalar2(c, w, lane_size(w), lane_recps))
SOFT_FP_ROW(FRECPS_sh, scalar2(c, w, 16, lane_recps))
SOFT_FP_ROW(FRSQRTS_s, scalar2(c, w, lane_size(w), lane_rsqrts))
SOFT_FP_ROW(FRSQRTS_sh, scalar2(c, w, 16, lane_rsqrts))
SOFT_FP_ROW(FCMEQ_s, scalar2(c, w, lane_size(w), equal))
SOFT_FP_ROW(FCMEQ_sh, scalar2(c, w, 16, equal))
SOFT_FP_ROW(FCMGE_s, scalar2(c, w, lane_size(w), greater_equal))
SOFT_FP_ROW(FCMGE_sh, scalar2(c, w, 16, greater_equal))
SOFT_FP_ROW(FCMGT_s, scalar2(c, w, lane_size(w), greater))
SOFT_FP_ROW(FCMGT_sh, scalar2(c, w, 16, greater))
SOFT_FP_ROW(FACGE_s, scalar2(c, w, lane_size(w), abs_greater_equal))
SOFT_FP_ROW(FACGE_sh, scalar2(c, w, 16, abs_greater_equal))
SOFT_FP_ROW(FACGT_s, scalar2(c, w, lane_size(w), abs_greater))
SOFT_FP_ROW(FACGT_sh, scalar2(c, w, 16, abs_greater))

/* ---- pairs and reductions ---- */

/* The pairs of Vn, then those of Vm. */
static void pairs(struct soft_cpu *c, uint32_t w, unsigned size, lane2_fn *fn)
{
	const union soft_v *n = &c->v[a64_Rn(w)], *m = &c->v[a64_Rm(w)];
	unsigned count = vector_count(c, w, size);
	union soft_v d = {0};

	for (unsigned i = 0; i < count; i++) {
		const union soft_v *from = i < count / 2 ? n : m;
		unsigned at = 2 * i % count;

		lane_set(&d, size, i,
			 fn(size, lane_get(from, size, at), lane_get(from, size, at + 1), &c->fp));
	}
	if (count)
		c->v[a64_Rd(w)] = d;
}

static void scalar_pair(struct soft_cpu *c, uint32_t w, unsigned size, lane2_fn *fn)
{
	const union soft_v *n = &c->v[a64_Rn(w)];

	if (soft_fp_check(c))
		scalar_set(c, a64_Rd(w), size,
			   fn(size, lane_get(n, size, 0), lane_get(n, size, 1), &c->fp));
}

/* Reduce() halves the vector again and again, which decides between NaNs. */
static void across(struct soft_cpu *c, uint32_t w, unsigned size, lane2_fn *fn)
{
	union soft_v v = c->v[a64_Rn(w)];
	unsigned count = vector_count(c, w, size);

	if (!count)
		return;
	for (; count > 1; count /= 2)
		for (unsigned i = 0; i < count / 2; i++)
			lane_set(&v, size, i,
				 fn(size, lane_get(&v, size, 2 * i), lane_get(&v, size, 2 * i + 1),
				    &c->fp));
	scalar_set(c, a64_Rd(w), size, lane_get(&v, size, 0));
}

SOFT_FP_ROW(FADDP_v, pairs(c, w, lane_size(w), lane_add))
SOFT_FP_ROW(FADDP_vh, pairs(c, w, 16, lane_add))
SOFT_FP_ROW(FMAXP_v, pairs(c, w, lane_size(w), lane_max))
SOFT_FP_ROW(FMAXP_vh, pairs(c, w, 16, lane_max))
SOFT_FP_ROW(FMINP_v, pairs(c, w, lane_size(w), lane_min))
SOFT_FP_ROW(FMINP_vh, pairs(c, w, 16, lane_min))
SOFT_FP_ROW(FMAXNMP_v, pairs(c, w, lane_size(w), lane_maxnum))
SOFT_FP_ROW(FMAXNMP_vh, pairs(c, w, 16, lane_maxnum))
SOFT_FP_ROW(FMINNMP_v, pairs(c, w, lane_size(w), lane_minnum))
SOFT_FP_ROW(FMINNMP_vh, pairs(c, w, 16, lane_minnum))
SOFT_FP_ROW(FADDP_s, scalar_pair(c, w, lane_size(w), lane_add))
SOFT_FP_ROW(FADDP_sh, scalar_pair(c, w, 16, lane_add))
SOFT_FP_ROW(FMAXP_s, scalar_pair(c, w, lane_size(w), lane_max))
SOFT_FP_ROW(FMAXP_sh, scalar_pair(c, w, 16, lane_max))
SOFT_FP_ROW(FMINP_s, scalar_pair(c, w, lane_size(w), lane_min))
SOFT_FP_ROW(FMINP_sh, scalar_pair(c, w, 16, lane_min))
SOFT_FP_ROW(FMAXNMP_s, scalar_pair(c, w, lane_size(w), lane_maxnum))
SOFT_FP_ROW(FMAXNMP_sh, scalar_pair(c, w, 16, lane_maxnum))
SOFT_FP_ROW(FMINNMP_s, scalar_pair(c, w, lane_size(w), lane_minnum))
SOFT_FP_ROW(FMINNMP_sh, scalar_pair(c, w, 16, lane_minnum))
SOFT_FP_ROW(FMAXV, across(c, w, 32, lane_max))
SOFT_FP_ROW(FMAXV_h, across(c, w, 16, lane_max))
SOFT_FP_ROW(FMINV, across(c, w, 32, lane_min))
SOFT_FP_ROW(FMINV_h, across(c, w, 16, lane_min))
SOFT_FP_ROW(FMAXNMV, across(c, w, 32, lane_maxnum))
SOFT_FP_ROW(FMAXNMV_h, across(c, w, 16, lane_maxnum))
SOFT_FP_ROW(FMINNMV, across(c, w, 32, lane_minnum))
SOFT_FP_ROW(FMINNMV_h, across(c, w, 16, lane_minnum))

/* ---- by element ---- */

static void element2(struct soft_cpu *c, uint32_t w, unsigned size, lane2_fn *fn)
{
	const union soft_v *n = &c->v[a64_Rn(w)];
	unsigned m, index, count;
	union soft_v d = {0};

	if (!indexed(c, w, size, &m, &index))
		return;
	count = vector_count(c, w, size);
	for (unsigned i = 0; i < count; i++)
		lane_set(&d, size, i,
			 fn(size, lane_get(n, size, i), lane_get(&c->v[m], size, index), &c->fp));
	if (count)
		c->v[a64_Rd(w)] = d;
}

static void element3(struct soft_cpu *c, uint32_t w, unsigned size, lane3_fn *fn)
{
	const union soft_v *n = &c->v[a64_Rn(w)], *a = &c->v[a64_Rd(w)];
	unsigned m, index, count;
	union soft_v d = {0};

	if (!indexed(c, w, size, &m, &index))
		return;
	count = vector_count(c, w, size);
	for (unsigned i = 0; i < count; i++)
		lane_set(&d, size, i,
			 fn(size, lane_get(a, size, i), lane_get(n, size, i),
			    lane_get(&c->v[m], size, index), &c->fp));
	if (count)
		c->v[a64_Rd(w)] = d;
}

static void scalar_element2(struct soft_cpu *c, uint32_t w, unsigned size, lane2_fn *fn)
{
	unsigned m, index;

	if (!indexed(c, w, size, &m, &index) || !soft_fp_check(c))
		return;
	scalar_set(
		c, a64_Rd(w), size,
		fn(size, scalar_get(c, a64_Rn(w), size), lane_get(&c->v[m], size, index), &c->fp));
}

static void scalar_element3(struct soft_cpu *c, uint32_t w, unsigned size, lane3_fn *fn)
{
	unsigned m, index;

	if (!indexed(c, w, size, &m, &index) || !soft_fp_check(c))
		return;
	scalar_set(c, a64_Rd(w), size,
		   fn(size, scalar_get(c, a64_Rd(w), size), scalar_get(c, a64_Rn(w), size),
		      lane_get(&c->v[m], size, index), &c->fp));
}

SOFT_FP_ROW(FMUL_e, element2(c, w, lane_size(w), lane_mul))
SOFT_FP_ROW(FMUL_eh, element2(c, w, 16, lane_mul))
SOFT_FP_ROW(FMULX_e, element2(c, w, lane_size(w), lane_mulx))
SOFT_FP_ROW(FMULX_eh, element2(c, w, 16, lane_mulx))
SOFT_FP_ROW(FMLA_e, element3(c, w, lane_size(w), lane_muladd))
SOFT_FP_ROW(FMLA_eh, element3(c, w, 16, lane_muladd))
SOFT_FP_ROW(FMLS_e, element3(c, w, lane_size(w), lane_mulsub))
SOFT_FP_ROW(FMLS_eh, element3(c, w, 16, lane_mulsub))
SOFT_FP_ROW(FMUL_se, scalar_element2(c, w, lane_size(w), lane_mul))
SOFT_FP_ROW(FMUL_seh, scalar_element2(c, w, 16, lane_mul))
SOFT_FP_ROW(FMULX_se, scalar_element2(c, w, lane_size(w), lane_mulx))
SOFT_FP_ROW(FMULX_seh, scalar_element2(c, w, 16, lane_mulx))
SOFT_FP_ROW(FMLA_se, scalar_element3(c, w, lane_size(w), lane_muladd))
SOFT_FP_ROW(FMLA_seh, scalar_element3(c, w, 16, lane_muladd))
SOFT_FP_ROW(FMLS_se, scalar_element3(c, w, lane_size(w), lane_mulsub))
SOFT_FP_ROW(FMLS_seh, scalar_element3(c, w, 16, lane_mulsub))
