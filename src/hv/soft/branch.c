// SPDX-License-Identifier: Apache-2.0
/*
 * Branches. Arm ARM (DDI 0487), C4.1.93 and shared/functions/registers BranchTo().
 *
 * A misaligned target faults when it is fetched.
 */
#include "hv/soft/flags.h"

static inline void jump(struct soft_cpu *c, bool taken, int64_t offset)
{
	if (taken)
		c->next_pc = c->pc + (uint64_t)offset;
}

static inline int64_t offset26(uint32_t w)
{
	return sign_extend(a64_imm26(w), 26) * 4;
}

static inline int64_t offset19(uint32_t w)
{
	return sign_extend(a64_imm19(w), 19) * 4;
}

static inline int64_t offset14(uint32_t w)
{
	return sign_extend(a64_imm14(w), 14) * 4;
}

static inline bool is_zero(const struct soft_cpu *c, uint32_t w)
{
	uint64_t v = soft_x(c, a64_Rt(w));

	return (a64_sf(w) ? v : (uint32_t)v) == 0;
}

static inline bool tested_bit(const struct soft_cpu *c, uint32_t w)
{
	return bit(soft_x(c, a64_Rt(w)), a64_b5(w) << 5 | a64_b40(w));
}

void soft_B(struct soft_cpu *c, uint32_t w)
{
	jump(c, true, offset26(w));
}

void soft_BL(struct soft_cpu *c, uint32_t w)
{
	c->x[30] = c->pc + 4;
	jump(c, true, offset26(w));
}

void soft_B_cond(struct soft_cpu *c, uint32_t w)
{
	jump(c, soft_condition(c, a64_cond0(w)), offset19(w));
}

void soft_CBZ(struct soft_cpu *c, uint32_t w)
{
	jump(c, is_zero(c, w), offset19(w));
}

void soft_CBNZ(struct soft_cpu *c, uint32_t w)
{
	jump(c, !is_zero(c, w), offset19(w));
}

void soft_TBZ(struct soft_cpu *c, uint32_t w)
{
	jump(c, !tested_bit(c, w), offset14(w));
}

void soft_TBNZ(struct soft_cpu *c, uint32_t w)
{
	jump(c, tested_bit(c, w), offset14(w));
}

void soft_BR(struct soft_cpu *c, uint32_t w)
{
	c->next_pc = soft_branch_address(c, soft_x(c, a64_Rn(w)));
}

/* The target is read before X30 is written: BLR X30. */
void soft_BLR(struct soft_cpu *c, uint32_t w)
{
	c->next_pc = soft_branch_address(c, soft_x(c, a64_Rn(w)));
	c->x[30] = c->pc + 4;
}

void soft_RET(struct soft_cpu *c, uint32_t w)
{
	soft_BR(c, w);
}
