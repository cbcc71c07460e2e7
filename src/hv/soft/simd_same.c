// SPDX-License-Identifier: Apache-2.0
/*
 * Advanced SIMD integer instructions with operands and result of one size: three same, three same extra,
 * pairwise, and their scalar forms. Arm ARM (DDI 0487), C4.1.96, and the instructions' pages in C7.2.
 */
#include "hv/soft/simd_ops.h"

/* ---- logical ---- */

/* Called with the values of Vd, Vn and Vm; the result in Vd. */
#define LOGICAL_ROW(name, expr)                                                                    \
	void soft_##name(struct soft_cpu *c, uint32_t w)                                           \
	{                                                                                          \
		__uint128_t n = c->v[a64_Rn(w)].q, m = c->v[a64_Rm(w)].q, d = c->v[a64_Rd(w)].q;   \
                                                                                                   \
		if (soft_fp_check(c))                                                              \
			set_vector(c, w, (union soft_v){.q = (expr)});                             \
		(void)d;                                                                           \
	}

/* The vector is 64 or 128 bits long; the rest of the register becomes zero. */
static inline void set_vector(struct soft_cpu *c, uint32_t w, union soft_v v)
{
	if (!a64_Q(w))
		v.d[1] = 0;
	c->v[a64_Rd(w)] = v;
}

LOGICAL_ROW(AND_v, n &m)
LOGICAL_ROW(BIC_v, n & ~m)
LOGICAL_ROW(ORR_v, n | m)
LOGICAL_ROW(ORN_v, n | ~m)
LOGICAL_ROW(EOR_v, n ^ m)
LOGICAL_ROW(BSL_v, m ^ ((m ^ n) & d))
LOGICAL_ROW(BIT_v, d ^ ((d ^ n) & m))
LOGICAL_ROW(BIF_v, d ^ ((d ^ n) & ~m))

/* ---- vectors ---- */

/* There is no vector 1D. Whether to go on. */
static bool vector_check(struct soft_cpu *c, uint32_t w)
{
	if (a64_size(w) == 3 && !a64_Q(w)) {
		soft_undefined(c);
		return false;
	}
	return soft_fp_check(c);
}

static void vector(struct soft_cpu *c, uint32_t w, simd_fn *fn)
{
	union soft_v d = c->v[a64_Rd(w)], n = c->v[a64_Rn(w)], m = c->v[a64_Rm(w)];

	if (!vector_check(c, w))
		return;
	if (!a64_Q(w))
		n.d[1] = m.d[1] = d.d[1] = 0;
	fn(a64_size(w), &d, &n, &m, &c->fp.fpsr);
	set_vector(c, w, d);
}

SIMD_ROW(SHADD_v, vector(c, w, simd_shadd))
SIMD_ROW(UHADD_v, vector(c, w, simd_uhadd))
SIMD_ROW(SRHADD_v, vector(c, w, simd_srhadd))
SIMD_ROW(URHADD_v, vector(c, w, simd_urhadd))
SIMD_ROW(SHSUB_v, vector(c, w, simd_shsub))
SIMD_ROW(UHSUB_v, vector(c, w, simd_uhsub))
SIMD_ROW(SQADD_v, vector(c, w, simd_sqadd))
SIMD_ROW(UQADD_v, vector(c, w, simd_uqadd))
SIMD_ROW(SQSUB_v, vector(c, w, simd_sqsub))
SIMD_ROW(UQSUB_v, vector(c, w, simd_uqsub))
SIMD_ROW(CMGT_v, vector(c, w, simd_cmgt))
SIMD_ROW(CMHI_v, vector(c, w, simd_cmhi))
SIMD_ROW(CMGE_v, vector(c, w, simd_cmge))
SIMD_ROW(CMHS_v, vector(c, w, simd_cmhs))
SIMD_ROW(CMTST_v, vector(c, w, simd_cmtst))
SIMD_ROW(CMEQ_v, vector(c, w, simd_cmeq))
SIMD_ROW(SSHL_v, vector(c, w, simd_sshl))
SIMD_ROW(USHL_v, vector(c, w, simd_ushl))
SIMD_ROW(SQSHL_v, vector(c, w, simd_sqshl))
SIMD_ROW(UQSHL_v, vector(c, w, simd_uqshl))
SIMD_ROW(SRSHL_v, vector(c, w, simd_srshl))
SIMD_ROW(URSHL_v, vector(c, w, simd_urshl))
SIMD_ROW(SQRSHL_v, vector(c, w, simd_sqrshl))
SIMD_ROW(UQRSHL_v, vector(c, w, simd_uqrshl))
SIMD_ROW(SMAX_v, vector(c, w, simd_smax))
SIMD_ROW(UMAX_v, vector(c, w, simd_umax))
SIMD_ROW(SMIN_v, vector(c, w, simd_smin))
SIMD_ROW(UMIN_v, vector(c, w, simd_umin))
SIMD_ROW(SABD_v, vector(c, w, simd_sabd))
SIMD_ROW(UABD_v, vector(c, w, simd_uabd))
SIMD_ROW(SABA_v, vector(c, w, simd_saba))
SIMD_ROW(UABA_v, vector(c, w, simd_uaba))
SIMD_ROW(ADD_v, vector(c, w, simd_add))
SIMD_ROW(SUB_v, vector(c, w, simd_sub))
SIMD_ROW(MLA_v, vector(c, w, simd_mla))
SIMD_ROW(MLS_v, vector(c, w, simd_mls))
SIMD_ROW(MUL_v, vector(c, w, simd_mul))
SIMD_ROW(PMUL_v, vector(c, w, simd_pmul))
SIMD_ROW(SQDMULH_v, vector(c, w, simd_sqdmulh))
SIMD_ROW(SQRDMULH_v, vector(c, w, simd_sqrdmulh))
SIMD_ROW(SQRDMLAH_v, vector(c, w, simd_sqrdmlah))
SIMD_ROW(SQRDMLSH_v, vector(c, w, simd_sqrdmlsh))
SIMD_ROW(SDOT_v, vector(c, w, simd_sdot))
SIMD_ROW(UDOT_v, vector(c, w, simd_udot))

/* ---- pairs ---- */

/* The elements of Vn and then of Vm: those with even numbers, and those with odd ones. */
static void split(unsigned size, bool full, const union soft_v *n, const union soft_v *m,
		  union soft_v *even, union soft_v *odd)
{
	unsigned bytes = 1U << size, half = full ? 8 : 4;

	for (unsigned i = 0; i < half; i++) {
		unsigned from = (i >> size << (size + 1)) | (i & (bytes - 1));

		even->b[i] = n->b[from];
		odd->b[i] = n->b[from + bytes];
		even->b[half + i] = m->b[from];
		odd->b[half + i] = m->b[from + bytes];
	}
}

static void pairs(struct soft_cpu *c, uint32_t w, simd_fn *fn)
{
	union soft_v even = {0}, odd = {0}, d = {0};

	if (!vector_check(c, w))
		return;
	split(a64_size(w), a64_Q(w), &c->v[a64_Rn(w)], &c->v[a64_Rm(w)], &even, &odd);
	fn(a64_size(w), &d, &even, &odd, &c->fp.fpsr);
	set_vector(c, w, d);
}

SIMD_ROW(ADDP_v, pairs(c, w, simd_add))
SIMD_ROW(SMAXP_v, pairs(c, w, simd_smax))
SIMD_ROW(UMAXP_v, pairs(c, w, simd_umax))
SIMD_ROW(SMINP_v, pairs(c, w, simd_smin))
SIMD_ROW(UMINP_v, pairs(c, w, simd_umin))

void soft_ADDP_s(struct soft_cpu *c, uint32_t w)
{
	const union soft_v *n = &c->v[a64_Rn(w)];

	if (soft_fp_check(c))
		c->v[a64_Rd(w)] = (union soft_v){.d = {n->d[0] + n->d[1]}};
}

/* ---- scalars ---- */

static union soft_v lowest(unsigned size, const union soft_v *v)
{
	return (union soft_v){.d = {v->d[0] & ~0ULL >> (64 - (8U << size))}};
}

static void scalar(struct soft_cpu *c, uint32_t w, simd_fn *fn)
{
	unsigned size = a64_size(w);
	union soft_v d = lowest(size, &c->v[a64_Rd(w)]), n = lowest(size, &c->v[a64_Rn(w)]);
	union soft_v m = lowest(size, &c->v[a64_Rm(w)]);

	if (!soft_fp_check(c))
		return;
	fn(size, &d, &n, &m, &c->fp.fpsr);
	c->v[a64_Rd(w)] = lowest(size, &d);
}

SIMD_ROW(SQADD_s, scalar(c, w, simd_sqadd))
SIMD_ROW(UQADD_s, scalar(c, w, simd_uqadd))
SIMD_ROW(SQSUB_s, scalar(c, w, simd_sqsub))
SIMD_ROW(UQSUB_s, scalar(c, w, simd_uqsub))
SIMD_ROW(CMGT_s, scalar(c, w, simd_cmgt))
SIMD_ROW(CMHI_s, scalar(c, w, simd_cmhi))
SIMD_ROW(CMGE_s, scalar(c, w, simd_cmge))
SIMD_ROW(CMHS_s, scalar(c, w, simd_cmhs))
SIMD_ROW(CMTST_s, scalar(c, w, simd_cmtst))
SIMD_ROW(CMEQ_s, scalar(c, w, simd_cmeq))
SIMD_ROW(SSHL_s, scalar(c, w, simd_sshl))
SIMD_ROW(USHL_s, scalar(c, w, simd_ushl))
SIMD_ROW(SQSHL_s, scalar(c, w, simd_sqshl))
SIMD_ROW(UQSHL_s, scalar(c, w, simd_uqshl))
SIMD_ROW(SRSHL_s, scalar(c, w, simd_srshl))
SIMD_ROW(URSHL_s, scalar(c, w, simd_urshl))
SIMD_ROW(SQRSHL_s, scalar(c, w, simd_sqrshl))
SIMD_ROW(UQRSHL_s, scalar(c, w, simd_uqrshl))
SIMD_ROW(ADD_s, scalar(c, w, simd_add))
SIMD_ROW(SUB_s, scalar(c, w, simd_sub))
SIMD_ROW(SQDMULH_s, scalar(c, w, simd_sqdmulh))
SIMD_ROW(SQRDMULH_s, scalar(c, w, simd_sqrdmulh))
SIMD_ROW(SQRDMLAH_s, scalar(c, w, simd_sqrdmlah))
SIMD_ROW(SQRDMLSH_s, scalar(c, w, simd_sqrdmlsh))
