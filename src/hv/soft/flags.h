/* SPDX-License-Identifier: Apache-2.0 */
/* PSTATE.NZCV of the `soft` engine: conditions and the flags of sums. Arm ARM (DDI 0487), appendix J1. */
#ifndef SOFT_FLAGS_H
#define SOFT_FLAGS_H

#include "hv/soft/cpu.h"

#define SOFT_N (1U << 31)
#define SOFT_Z (1U << 30)
#define SOFT_C (1U << 29)
#define SOFT_V (1U << 28)

/* ConditionHolds(): bit NZCV of entry `cond`. */
static inline bool soft_condition(const struct soft_cpu *c, unsigned cond)
{
	static const uint16_t holds[16] = {
		0xf0f0, 0x0f0f, 0xcccc, 0x3333, 0xff00, 0x00ff, 0xaaaa, 0x5555, /* EQ .. VC */
		0x0c0c, 0xf3f3, 0xaa55, 0x55aa, 0x0a05, 0xf5fa, 0xffff, 0xffff, /* HI .. NV */
	};

	return holds[cond] >> (c->nzcv >> 28) & 1;
}

/* AddWithCarry() of 64 or 32 bits, with its flags. */
static inline uint64_t soft_add_flags64(struct soft_cpu *c, uint64_t a, uint64_t b, bool carry)
{
	uint64_t r;
	bool out = __builtin_add_overflow(a, b, &r);

	out |= __builtin_add_overflow(r, (uint64_t)carry, &r);
	c->nzcv = (uint32_t)(r >> 63) << 31 | (r ? 0 : SOFT_Z) | (out ? SOFT_C : 0) |
		  (uint32_t)(((a ^ r) & (b ^ r)) >> 63) << 28;
	return r;
}

static inline uint64_t soft_add_flags32(struct soft_cpu *c, uint32_t a, uint32_t b, bool carry)
{
	uint32_t r;
	bool out = __builtin_add_overflow(a, b, &r);

	out |= __builtin_add_overflow(r, (uint32_t)carry, &r);
	c->nzcv = (r & SOFT_N) | (r ? 0 : SOFT_Z) | (out ? SOFT_C : 0) |
		  ((a ^ r) & (b ^ r)) >> 31 << 28;
	return r;
}

static inline uint64_t soft_add_flags(struct soft_cpu *c, bool sf, uint64_t a, uint64_t b,
				      bool carry)
{
	if (sf)
		return soft_add_flags64(c, a, b, carry);
	return soft_add_flags32(c, (uint32_t)a, (uint32_t)b, carry);
}

#endif
