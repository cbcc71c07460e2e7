/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Integer operations on whole Advanced SIMD registers. Elements are of 8 << @size bits; all 128 bits are
 * calculated, so callers clear what does not count in the operands first: zeros never saturate.
 */
#ifndef SOFT_SIMD_OPS_H
#define SOFT_SIMD_OPS_H

#include "hv/soft/cpu.h"

/* @d: the destination's old value in, the result out. Saturation sets QC in @fpsr. */
typedef void simd_fn(unsigned size, union soft_v *restrict d, const union soft_v *restrict n,
		     const union soft_v *restrict m, uint32_t *restrict fpsr);

simd_fn simd_add, simd_sub, simd_mul, simd_mla, simd_mls, simd_pmul;
simd_fn simd_shadd, simd_uhadd, simd_srhadd, simd_urhadd, simd_shsub, simd_uhsub;
simd_fn simd_sqadd, simd_uqadd, simd_sqsub, simd_uqsub;
simd_fn simd_cmgt, simd_cmhi, simd_cmge, simd_cmhs, simd_cmeq, simd_cmtst;
simd_fn simd_sshl, simd_ushl, simd_srshl, simd_urshl, simd_sqshl, simd_uqshl, simd_sqrshl,
	simd_uqrshl;
simd_fn simd_smax, simd_umax, simd_smin, simd_umin, simd_sabd, simd_uabd, simd_saba, simd_uaba;
simd_fn simd_sqdmulh, simd_sqrdmulh, simd_sqrdmlah, simd_sqrdmlsh;

/* 16 or 32 bits that were extended to 32 or 64, which is @size. */
simd_fn simd_sqdmull, simd_sqdmlal, simd_sqdmlsl;

/* Four bytes make one element. */
simd_fn simd_sdot, simd_udot;

/* The low 8 << @size bits of @v at all places. */
union soft_v simd_replicate(unsigned size, uint64_t v);

/* Most rows differ in what they call only. */
#define SIMD_ROW(name, call)                                                                       \
	void soft_##name(struct soft_cpu *c, uint32_t w)                                           \
	{                                                                                          \
		call;                                                                              \
	}

#endif
