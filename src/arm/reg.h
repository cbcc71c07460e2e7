/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Architectural register ids.
 *
 * 32 bits: class in the top byte, number below. System registers carry the 16-bit code
 * op0<<14 | op1<<11 | CRn<<7 | CRm<<3 | op2, which is also what KVM and HVF use.
 */
#ifndef ARM_REG_H
#define ARM_REG_H

#include <stdint.h>

#define REG_CLASS(id)  ((id) >> 24)
#define REG_NUMBER(id) ((id)&0xffffff)

enum reg_class { REG_CLASS_X = 1, REG_CLASS_CORE = 2, REG_CLASS_SYS = 3 };

#define REG_X(n) ((uint32_t)REG_CLASS_X << 24 | (n)) /* 0..30 */
enum reg_core {
	REG_PC = REG_CLASS_CORE << 24,
	REG_PSTATE, /* as in SPSR_ELx */
	REG_SP_EL0,
	REG_SP_EL1,
	REG_ELR_EL1,
	REG_SPSR_EL1,
	REG_FPSR,
	REG_FPCR,
	REG_SP_EL2, /* where there is the level */
	REG_SP_EL3,
};

#define SYSREG(op0, op1, crn, crm, op2)                                                            \
	((uint16_t)((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2)))
#define SYSREG_OP0(s) (((s) >> 14) & 3)
#define SYSREG_OP1(s) (((s) >> 11) & 7)
#define SYSREG_CRN(s) (((s) >> 7) & 15)
#define SYSREG_CRM(s) (((s) >> 3) & 15)
#define SYSREG_OP2(s) ((s)&7)
#define REG_SYS(code) ((uint32_t)REG_CLASS_SYS << 24 | (uint16_t)(code))

#endif
