// SPDX-License-Identifier: Apache-2.0
/*
 * Advanced SIMD floating point whose lanes are not alike: complex numbers (FEAT_FCMA) and products of half
 * precision added to single precision (FEAT_FHM). Arm ARM (DDI 0487), C7.2 and appendix J1.
 */
#include "hv/soft/fp_lane.h"

/* size 01, 10, 11 of FCMLA and FCADD; a double takes the whole register. */
static inline unsigned complex_size(uint32_t w)
{
	return 8U << a64_size(w);
}

static inline uint64_t negate_if(bool negate, unsigned size, uint64_t v)
{
	return negate ? v ^ 1ULL << (size - 1) : v;
}

/*
 * One step of a complex multiplication: what of @n and @m is multiplied depends on the rotation by
 * 0, 90, 180 or 270 degrees. Even elements are real parts. @m is the pair of Vm.
 */
static void multiply_pair(struct soft_cpu *c, unsigned size, unsigned rot, union soft_v *d,
			  const union soft_v *n, const uint64_t m[2], unsigned i)
{
	bool cross = rot & 1;
	uint64_t factor = lane_get(n, size, i + cross);
	uint64_t real = negate_if(rot == 1 || rot == 2, size, m[cross]);
	uint64_t imaginary = negate_if(rot >= 2, size, m[!cross]);

	real = lane_muladd(size, lane_get(d, size, i), factor, real, &c->fp);
	imaginary = lane_muladd(size, lane_get(d, size, i + 1), factor, imaginary, &c->fp);
	lane_set(d, size, i, real);
	lane_set(d, size, i + 1, imaginary);
}

void soft_FCMLA_v(struct soft_cpu *c, uint32_t w)
{
	unsigned size = complex_size(w), count = vector_count(c, w, size);
	union soft_v d = c->v[a64_Rd(w)], n = c->v[a64_Rn(w)], m = c->v[a64_Rm(w)];

	if (!count)
		return;
	if (!a64_Q(w))
		d.d[1] = 0;
	for (unsigned i = 0; i < count; i += 2) {
		uint64_t pair[2] = {lane_get(&m, size, i), lane_get(&m, size, i + 1)};

		multiply_pair(c, size, a64_rot11(w), &d, &n, pair, i);
	}
	c->v[a64_Rd(w)] = d;
}

/* The index counts pairs. 2S has one pair only: single precision is 4S; and half precision in 4H has two. */
void soft_FCMLA_e(struct soft_cpu *c, uint32_t w)
{
	unsigned size = complex_size(w), count;
	unsigned at = 2 * (size == 16 ? a64_H11(w) << 1 | a64_L21(w) : a64_H11(w));
	union soft_v d = c->v[a64_Rd(w)], n = c->v[a64_Rn(w)];
	const union soft_v *m = &c->v[a64_M20(w) << 4 | a64_rm4(w)];

	if (size == 32 ? a64_L21(w) || !a64_Q(w) : a64_H11(w) && !a64_Q(w)) {
		soft_undefined(c);
		return;
	}
	count = vector_count(c, w, size);
	if (!count)
		return;
	if (!a64_Q(w))
		d.d[1] = 0;

	uint64_t pair[2] = {lane_get(m, size, at), lane_get(m, size, at + 1)};

	for (unsigned i = 0; i < count; i += 2)
		multiply_pair(c, size, a64_rot13(w), &d, &n, pair, i);
	c->v[a64_Rd(w)] = d;
}

/* Add Vm rotated by 90 or 270 degrees. */
void soft_FCADD_v(struct soft_cpu *c, uint32_t w)
{
	unsigned size = complex_size(w), count = vector_count(c, w, size);
	union soft_v d = {0}, n = c->v[a64_Rn(w)], m = c->v[a64_Rm(w)];
	bool by_270 = a64_rot12(w);

	if (!count)
		return;
	for (unsigned i = 0; i < count; i += 2) {
		uint64_t real = negate_if(!by_270, size, lane_get(&m, size, i + 1));
		uint64_t imaginary = negate_if(by_270, size, lane_get(&m, size, i));

		lane_set(&d, size, i, lane_add(size, lane_get(&n, size, i), real, &c->fp));
		lane_set(&d, size, i + 1,
			 lane_add(size, lane_get(&n, size, i + 1), imaginary, &c->fp));
	}
	c->v[a64_Rd(w)] = d;
}

/* ---- half by half to single ---- */

/* The operands' halves are the lower or the upper ones. @m, @index: Vm's element; index -1: all of them. */
static void widening(struct soft_cpu *c, uint32_t w, bool subtract, bool upper, unsigned m,
		     int index)
{
	unsigned count = vector_count(c, w, 32), first = upper ? count : 0;
	union soft_v d = {0}, n = c->v[a64_Rn(w)], by = c->v[m];

	if (!count)
		return;
	for (unsigned i = 0; i < count; i++) {
		uint16_t a = n.h[first + i] ^ (subtract ? 0x8000 : 0);
		uint16_t b = by.h[index < 0 ? first + i : (unsigned)index];

		d.s[i] = fp32_muladd_h(c->v[a64_Rd(w)].s[i], a, b, &c->fp);
	}
	c->v[a64_Rd(w)] = d;
}

static void widening_element(struct soft_cpu *c, uint32_t w, bool upper)
{
	unsigned m, index;

	if (indexed(c, w, 16, &m, &index))
		widening(c, w, a64_o14(w), upper, m, (int)index);
}

SOFT_FP_ROW(FMLAL_v, widening(c, w, a64_A23(w), false, a64_Rm(w), -1))
SOFT_FP_ROW(FMLAL2_v, widening(c, w, a64_A23(w), true, a64_Rm(w), -1))
SOFT_FP_ROW(FMLAL_e, widening_element(c, w, false))
SOFT_FP_ROW(FMLAL2_e, widening_element(c, w, true))
