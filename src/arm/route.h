/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which exception level takes an exception: Arm ARM (DDI 0487), D1.3.6 and the pseudocode named below. AArch64
 * only; there is no Secure EL2 (FEAT_SEL2).
 *
 * Pure functions on values; any thread.
 */
#ifndef ARM_ROUTE_H
#define ARM_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

/* What decides, besides the exception. */
struct arm_route {
	uint8_t els;		   /* bit n: the PE has ELn */
	uint8_t el;		   /* where it is */
	uint64_t scr_el3, hcr_el2; /* not looked at without the level */
};

/* Bits of SCR_EL3 (D24.2.130). */
enum {
	ARM_SCR_NS = 0,
	ARM_SCR_IRQ = 1,
	ARM_SCR_FIQ = 2,
	ARM_SCR_EA = 3,
	ARM_SCR_SMD = 7,
	ARM_SCR_HCE = 8,
	ARM_SCR_SIF = 9,
	ARM_SCR_RW = 10,
	ARM_SCR_ST = 11,
	ARM_SCR_TWI = 12,
	ARM_SCR_TWE = 13,
};

/* Bits of HCR_EL2 (D24.2.53). */
enum {
	ARM_HCR_VM = 0,
	ARM_HCR_PTW = 2,
	ARM_HCR_FMO = 3,
	ARM_HCR_IMO = 4,
	ARM_HCR_AMO = 5,
	ARM_HCR_VF = 6,
	ARM_HCR_VI = 7,
	ARM_HCR_VSE = 8,
	ARM_HCR_FB = 9,
	ARM_HCR_DC = 12,
	ARM_HCR_TWI = 13,
	ARM_HCR_TWE = 14,
	ARM_HCR_TID0 = 15,
	ARM_HCR_TID1 = 16,
	ARM_HCR_TID2 = 17,
	ARM_HCR_TID3 = 18,
	ARM_HCR_TSC = 19,
	ARM_HCR_TIDCP = 20,
	ARM_HCR_TACR = 21,
	ARM_HCR_TSW = 22,
	ARM_HCR_TPCP = 23,
	ARM_HCR_TPU = 24,
	ARM_HCR_TTLB = 25,
	ARM_HCR_TVM = 26,
	ARM_HCR_TGE = 27,
	ARM_HCR_TDZ = 28,
	ARM_HCR_HCD = 29,
	ARM_HCR_TRVM = 30,
	ARM_HCR_RW = 31,
	ARM_HCR_E2H = 34,
	ARM_HCR_TEA = 37,
};

/* HaveEL() */
static inline bool arm_have_el(const struct arm_route *r, unsigned el)
{
	return r->els >> el & 1;
}

/* IsSecureBelowEL3(); a PE without EL3 is Non-secure. */
bool arm_secure_below_el3(const struct arm_route *r);
/* IsSecure(): of the current level. */
bool arm_is_secure(const struct arm_route *r);
/* EL2Enabled() */
bool arm_el2_enabled(const struct arm_route *r);
/* HCR_EL2 where EL2 is enabled, else 0: then it has no effect. */
uint64_t arm_effective_hcr(const struct arm_route *r);
/* ELIsInHost(): the EL2&0 regime is that of @el. */
bool arm_el_is_in_host(const struct arm_route *r, unsigned el);

/* Synchronous exceptions that nothing routes: to the current level, from EL0 to EL1, or with HCR_EL2.TGE to EL2. */
unsigned arm_route_sync(const struct arm_route *r);
/* Synchronous external aborts: AArch64.InstructionAbort, AArch64.DataAbort. @stage2: on a stage 2 walk. */
unsigned arm_route_external_abort(const struct arm_route *r, bool stage2);

enum arm_interrupt { ARM_IRQ, ARM_FIQ, ARM_SERROR };

/* The level that takes a physical interrupt (AArch64.PhysicalInterruptTarget...), 0: none, now, whatever the masks
 * say. @pstate: SPSR's layout; it may be masked there. */
unsigned arm_route_physical(const struct arm_route *r, enum arm_interrupt i, uint64_t pstate);
/* The same of a virtual one that is pending: EL1, or 0. */
unsigned arm_route_virtual(const struct arm_route *r, enum arm_interrupt i, uint64_t pstate);

/* IllegalExceptionReturn(): does ERET with this SPSR set PSTATE.IL? */
bool arm_illegal_return(const struct arm_route *r, uint64_t spsr);

/* ---- instructions that may be trapped ---- */

enum arm_trap_kind {
	ARM_TRAP_NONE,
	ARM_TRAP_UNDEF, /* UNDEFINED: to arm_route_sync() */
	ARM_TRAP_TO,	/* with the instruction's syndrome to .el */
};

struct arm_trap {
	uint8_t kind; /* enum arm_trap_kind */
	uint8_t el;
};

/* HVC: where EL2 takes it .kind is NONE and .el the level; AArch64.CallHypervisor. */
struct arm_trap arm_trap_hvc(const struct arm_route *r);
/* SMC: AArch64.CheckForSMCUndefOrTrap. NONE: .el is 3, or 0 if there is no EL3. */
struct arm_trap arm_trap_smc(const struct arm_route *r);
/* WFI, WFE: AArch64.CheckForWFxTrap. @sctlr: SCTLR_EL1, or SCTLR_EL2 for EL0 in a host. */
struct arm_trap arm_trap_wfx(const struct arm_route *r, uint64_t sctlr, bool is_wfe);
/* FP&SIMD: CheckFPAdvSIMDEnabled64. UNDEF: to EL2, HCR_EL2.TGE being 1. */
struct arm_trap arm_trap_fp(const struct arm_route *r, uint64_t cpacr_el1, uint64_t cptr_el2,
			    uint64_t cptr_el3);

enum arm_maintenance {
	ARM_OP_POINT_COHERENCY,	  /* DC to the points of coherency and persistence, IVAC */
	ARM_OP_POINT_UNIFICATION, /* DC CVAU, IC */
	ARM_OP_SET_WAY,
	ARM_OP_ZERO, /* DC ZVA */
	ARM_OP_TLB,
	ARM_OP_OTHER, /* AT */
};

/* Cache and TLB maintenance: @el0: from EL0 it is allowed in principle. @sctlr as for WFI. */
struct arm_trap arm_trap_maintenance(const struct arm_route *r, enum arm_maintenance op, bool el0,
				     uint64_t sctlr);

#endif
