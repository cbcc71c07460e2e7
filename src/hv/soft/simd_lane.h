/* SPDX-License-Identifier: Apache-2.0 */
/* Advanced SIMD integer elements of 8, 16, 32 and 64 bits, one at a time; saturation. */
#ifndef SOFT_SIMD_LANE_H
#define SOFT_SIMD_LANE_H

#include "hv/soft/simd_ops.h"

static inline uint64_t int_get(const union soft_v *v, unsigned bits_each, unsigned i)
{
	switch (bits_each) {
	case 8:
		return v->b[i];
	case 16:
		return v->h[i];
	case 32:
		return v->s[i];
	default:
		return v->d[i];
	}
}

static inline void int_set(union soft_v *v, unsigned bits_each, unsigned i, uint64_t value)
{
	switch (bits_each) {
	case 8:
		v->b[i] = (uint8_t)value;
		break;
	case 16:
		v->h[i] = (uint16_t)value;
		break;
	case 32:
		v->s[i] = (uint32_t)value;
		break;
	default:
		v->d[i] = value;
	}
}

static inline uint64_t int_ones(unsigned width)
{
	return ~0ULL >> (64 - width);
}

/* SignedSat(), UnsignedSat(). */
static inline uint64_t signed_sat(__int128 v, unsigned width, uint32_t *fpsr)
{
	__int128 max = (__int128)int_ones(width - 1), min = -max - 1;

	if (v <= max && v >= min)
		return (uint64_t)v & int_ones(width);
	*fpsr |= FPSR_QC;
	return (uint64_t)(v > max ? max : min) & int_ones(width);
}

static inline uint64_t unsigned_sat(__int128 v, unsigned width, uint32_t *fpsr)
{
	__int128 max = (__int128)int_ones(width);

	if (v <= max && v >= 0)
		return (uint64_t)v;
	*fpsr |= FPSR_QC;
	return v > max ? (uint64_t)max : 0;
}

/* The vector is 64 or 128 bits long; the rest of the register becomes zero. */
static inline void vector_set(struct soft_cpu *c, uint32_t w, union soft_v v)
{
	if (!a64_Q(w))
		v.d[1] = 0;
	c->v[a64_Rd(w)] = v;
}

/* A result of half the width goes to the lower half, and clears the upper, or to the upper half (Q). */
static inline void narrow_set(struct soft_cpu *c, uint32_t w, uint64_t half)
{
	union soft_v *d = &c->v[a64_Rd(w)];

	if (a64_Q(w))
		d->d[1] = half;
	else
		*d = (union soft_v){.d = {half, 0}};
}

static inline void scalar_int_set(struct soft_cpu *c, uint32_t w, uint64_t value)
{
	c->v[a64_Rd(w)] = (union soft_v){.d = {value, 0}};
}

#endif
