/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of MRS and MSR (register): allowed, UNDEFINED, or trapped. Arm ARM (DDI 0487), the accessibility
 * pseudocode of each register in D24, without debug state, AArch32, Secure EL2 and fine-grained traps.
 *
 * Pure functions on values; any thread.
 */
#ifndef ARM_TRAP_H
#define ARM_TRAP_H

#include "arm/route.h"
#include "arm/sysreg.h"

/* Registers that are trapped alike. */
enum arm_trap_group {
	ARM_TRAP_GROUP_NONE, /* never */
	ARM_TRAP_GROUP_VM,
	ARM_TRAP_GROUP_ACTLR,
	ARM_TRAP_GROUP_CPACR,
	ARM_TRAP_GROUP_ID1,
	ARM_TRAP_GROUP_ID2,
	ARM_TRAP_GROUP_ID3,
	ARM_TRAP_GROUP_CTR,
	ARM_TRAP_GROUP_DAIF,
	ARM_TRAP_GROUP_FP,
	ARM_TRAP_GROUP_IMPDEF,
	ARM_TRAP_GROUP_ERR,
	ARM_TRAP_GROUP_LOR,
	ARM_TRAP_GROUP_CNTFRQ,
	ARM_TRAP_GROUP_CNTPCT,
	ARM_TRAP_GROUP_CNTVCT,
	ARM_TRAP_GROUP_CNTP,
	ARM_TRAP_GROUP_CNTV,
	ARM_TRAP_GROUP_CNTPS,
	ARM_TRAP_GROUP_DEBUG,
	ARM_TRAP_GROUP_DEBUG_EL0,
	ARM_TRAP_GROUP_DEBUG_ROM,
	ARM_TRAP_GROUP_DEBUG_OS,
	ARM_TRAP_GROUP_PM,
	ARM_TRAP_GROUP_PMCR,
	ARM_TRAP_GROUP_PMSWINC,
	ARM_TRAP_GROUP_PMSELR,
	ARM_TRAP_GROUP_PMCCNTR,
	ARM_TRAP_GROUP_PMEVCNTR,
	ARM_TRAP_GROUP_PMUSERENR,
	ARM_TRAP_GROUP_COUNT
};

/* Of any encoding with op0 2 or 3, whether there is a register or not: IMPLEMENTATION DEFINED and reserved ones
 * may be trapped, too. */
enum arm_trap_group arm_trap_group(uint16_t code);

/* What decides. */
struct arm_trap_state {
	struct arm_route route;
	/* The value of a register of a level that the PE has. */
	uint64_t (*reg)(const void *opaque, uint16_t code);
	const void *opaque;
};

/* What traps an access of a group, once it is known not to be UNDEFINED. UNDEF: FP&SIMD only. */
struct arm_trap arm_trap_sysreg(const struct arm_trap_state *s, enum arm_trap_group group,
				bool is_read);

struct arm_mrs {
	struct arm_trap trap;
	uint32_t esr; /* if trap.kind is not NONE */
	/* Else the register that is meant. NULL: a reserved ID register, which reads as zero. */
	const struct sysreg_desc *reg;
};

/* All of it, on a PE with @f: an MRS, or MSR (register), of @code with register @rt. What the number of breakpoints,
 * counters ... makes UNDEFINED, and SP_EL0 while it is SP, are the caller's. */
struct arm_mrs arm_check_mrs(const struct arm_trap_state *s, const struct arm_features *f,
			     uint16_t code, unsigned rt, bool is_read);

/* FEAT_VHE: the code of the register that the one with this description stands for. */
uint16_t arm_sysreg_redirect(const struct arm_route *r, const struct sysreg_desc *d);

/* The syndrome of what arm_trap_sysreg() returned. */
uint32_t arm_trap_esr(enum arm_trap_group group, struct arm_trap trap, uint16_t code, unsigned rt,
		      bool is_read);

#endif
