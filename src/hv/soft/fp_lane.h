/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floating point of the `soft` engine, one element at a time: the functions of arm/fp with the precision as
 * an argument (16, 32 or 64 bits), and the elements of registers. Shared by the fp_*.c files.
 */
#ifndef SOFT_FP_LANE_H
#define SOFT_FP_LANE_H

#include "hv/soft/cpu.h"

/* Most rows differ in what they call only. */
#define SOFT_FP_ROW(name, call)                                                                    \
	void soft_##name(struct soft_cpu *c, uint32_t w)                                           \
	{                                                                                          \
		call;                                                                              \
	}

/* What a function of one element has to know beside its operand. */
struct lane_arg {
	enum fp_rounding mode;
	bool exact;	  /* FRINTX */
	bool is_unsigned; /* conversions */
	uint8_t fbits, width;
};

typedef uint64_t lane1_fn(unsigned size, uint64_t a, const struct lane_arg *g, struct fp_env *e);
typedef uint64_t lane2_fn(unsigned size, uint64_t a, uint64_t b, struct fp_env *e);
typedef uint64_t lane3_fn(unsigned size, uint64_t addend, uint64_t a, uint64_t b, struct fp_env *e);

/* ---- registers ---- */

/* Single or double precision: sz, the low bit of ftype and size. */
static inline unsigned lane_size(uint32_t w)
{
	return a64_sz22(w) ? 64 : 32;
}

static inline uint64_t lane_get(const union soft_v *v, unsigned size, unsigned i)
{
	switch (size) {
	case 64:
		return v->d[i];
	case 32:
		return v->s[i];
	default:
		return v->h[i];
	}
}

static inline void lane_set(union soft_v *v, unsigned size, unsigned i, uint64_t value)
{
	switch (size) {
	case 64:
		v->d[i] = value;
		break;
	case 32:
		v->s[i] = (uint32_t)value;
		break;
	default:
		v->h[i] = (uint16_t)value;
	}
}

static inline uint64_t scalar_get(const struct soft_cpu *c, unsigned n, unsigned size)
{
	return lane_get(&c->v[n], size, 0);
}

/* The rest of the register becomes zero. */
static inline void scalar_set(struct soft_cpu *c, unsigned n, unsigned size, uint64_t value)
{
	c->v[n].d[0] = value & ~0ULL >> (64 - size);
	c->v[n].d[1] = 0;
}

/* Elements of a vector; 2D is a vector, 1D is not: 0 after UNDEFINED. 0 also if FP is trapped. */
static inline unsigned vector_count(struct soft_cpu *c, uint32_t w, unsigned size)
{
	if (size == 64 && !a64_Q(w)) {
		soft_undefined(c);
		return 0;
	}
	return soft_fp_check(c) ? (a64_Q(w) ? 128 : 64) / size : 0;
}

/* Number and element of the register of a by-element instruction. False: UNDEFINED. */
static inline bool indexed(struct soft_cpu *c, uint32_t w, unsigned size, unsigned *m,
			   unsigned *index)
{
	*m = a64_M20(w) << 4 | a64_rm4(w);
	*index = a64_H11(w) << 1 | a64_L21(w);
	if (size == 16) {
		*m = a64_rm4(w);
		*index = *index << 1 | a64_M20(w);
	} else if (size == 64) {
		*index = a64_H11(w);
		if (a64_L21(w)) {
			soft_undefined(c);
			return false;
		}
	}
	return true;
}

/* VFPExpandImm() */
static inline uint64_t lane_immediate(unsigned size, unsigned imm)
{
	unsigned frac = size == 64 ? 52 : size == 32 ? 23 : 10;
	uint64_t top = 1ULL << (size - 2 - frac); /* highest bit of the exponent */
	uint64_t exp = (imm & 0x40 ? top - 4 : top) | (imm >> 4 & 3);

	return (uint64_t)(imm >> 7) << (size - 1) | exp << frac |
	       (uint64_t)(imm & 15) << (frac - 4);
}

/* ---- operations ---- */

#define LANE1(op)                                                                                  \
	static inline uint64_t lane_##op(unsigned size, uint64_t a, const struct lane_arg *g,      \
					 struct fp_env *e)                                         \
	{                                                                                          \
		return size == 64   ? fp64_##op(a, e)                                              \
		       : size == 32 ? fp32_##op((uint32_t)a, e)                                    \
				    : fp16_##op((uint16_t)a, e);                                   \
	}
#define LANE2(op)                                                                                  \
	static inline uint64_t lane_##op(unsigned size, uint64_t a, uint64_t b, struct fp_env *e)  \
	{                                                                                          \
		return size == 64   ? fp64_##op(a, b, e)                                           \
		       : size == 32 ? fp32_##op((uint32_t)a, (uint32_t)b, e)                       \
				    : fp16_##op((uint16_t)a, (uint16_t)b, e);                      \
	}

LANE1(sqrt)
LANE1(recpe)
LANE1(rsqrte)
LANE1(recpx)
LANE2(add)
LANE2(sub)
LANE2(mul)
LANE2(mulx)
LANE2(div)
LANE2(max)
LANE2(min)
LANE2(maxnum)
LANE2(minnum)
LANE2(recps)
LANE2(rsqrts)
LANE2(eq)
LANE2(ge)
LANE2(gt)
#undef LANE1
#undef LANE2

static inline uint64_t lane_copy(unsigned size, uint64_t a, const struct lane_arg *g,
				 struct fp_env *e)
{
	return a;
}

static inline uint64_t lane_neg(unsigned size, uint64_t a, const struct lane_arg *g,
				struct fp_env *e)
{
	return a ^ 1ULL << (size - 1);
}

static inline uint64_t lane_abs(unsigned size, uint64_t a, const struct lane_arg *g,
				struct fp_env *e)
{
	return a & ~(1ULL << (size - 1));
}

static inline uint64_t lane_round_int(unsigned size, uint64_t a, const struct lane_arg *g,
				      struct fp_env *e)
{
	return size == 64   ? fp64_round_int(a, g->mode, g->exact, e)
	       : size == 32 ? fp32_round_int((uint32_t)a, g->mode, g->exact, e)
			    : fp16_round_int((uint16_t)a, g->mode, g->exact, e);
}

/* FRINT32, FRINT64: no half precision. */
static inline uint64_t lane_round_int_n(unsigned size, uint64_t a, const struct lane_arg *g,
					struct fp_env *e)
{
	return size == 64 ? fp64_round_int_n(a, g->mode, g->width, e)
			  : fp32_round_int_n((uint32_t)a, g->mode, g->width, e);
}

static inline uint64_t lane_to_fixed(unsigned size, uint64_t a, const struct lane_arg *g,
				     struct fp_env *e)
{
	switch (size) {
	case 64:
		return fp64_to_fixed(a, g->fbits, g->is_unsigned, g->width, g->mode, e);
	case 32:
		return fp32_to_fixed((uint32_t)a, g->fbits, g->is_unsigned, g->width, g->mode, e);
	default:
		return fp16_to_fixed((uint16_t)a, g->fbits, g->is_unsigned, g->width, g->mode, e);
	}
}

static inline uint64_t lane_from_fixed(unsigned size, uint64_t a, const struct lane_arg *g,
				       struct fp_env *e)
{
	switch (size) {
	case 64:
		return fp64_from_fixed(a, g->fbits, g->is_unsigned, g->width, g->mode, e);
	case 32:
		return fp32_from_fixed(a, g->fbits, g->is_unsigned, g->width, g->mode, e);
	default:
		return fp16_from_fixed(a, g->fbits, g->is_unsigned, g->width, g->mode, e);
	}
}

static inline uint64_t lane_muladd(unsigned size, uint64_t addend, uint64_t a, uint64_t b,
				   struct fp_env *e)
{
	switch (size) {
	case 64:
		return fp64_muladd(addend, a, b, e);
	case 32:
		return fp32_muladd((uint32_t)addend, (uint32_t)a, (uint32_t)b, e);
	default:
		return fp16_muladd((uint16_t)addend, (uint16_t)a, (uint16_t)b, e);
	}
}

static inline uint64_t lane_mulsub(unsigned size, uint64_t addend, uint64_t a, uint64_t b,
				   struct fp_env *e)
{
	return lane_muladd(size, addend, lane_neg(size, a, NULL, e), b, e);
}

static inline uint64_t lane_abd(unsigned size, uint64_t a, uint64_t b, struct fp_env *e)
{
	return lane_abs(size, lane_sub(size, a, b, e), NULL, e);
}

/* ---- one result ---- */

static inline void scalar1(struct soft_cpu *c, uint32_t w, unsigned size, lane1_fn *fn,
			   const struct lane_arg *g)
{
	if (soft_fp_check(c))
		scalar_set(c, a64_Rd(w), size, fn(size, scalar_get(c, a64_Rn(w), size), g, &c->fp));
}

static inline void scalar2(struct soft_cpu *c, uint32_t w, unsigned size, lane2_fn *fn)
{
	if (soft_fp_check(c))
		scalar_set(c, a64_Rd(w), size,
			   fn(size, scalar_get(c, a64_Rn(w), size), scalar_get(c, a64_Rm(w), size),
			      &c->fp));
}

#endif
