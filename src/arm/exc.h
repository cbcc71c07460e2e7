/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking an exception to AArch64 state: the pseudocode AArch64.TakeException of the Arm ARM
 * (DDI 0487), J1.1.2, and the syndromes of D24.2.40 "ESR_EL1".
 *
 * Pure functions on values; any thread.
 */
#ifndef ARM_EXC_H
#define ARM_EXC_H

#include <stdbool.h>
#include <stdint.h>

/* PSTATE in the layout of SPSR_ELx for AArch64. */
#define ARM_PSTATE_N	   (1ULL << 31)
#define ARM_PSTATE_Z	   (1ULL << 30)
#define ARM_PSTATE_C	   (1ULL << 29)
#define ARM_PSTATE_V	   (1ULL << 28)
#define ARM_PSTATE_NZCV	   (0xfULL << 28)
#define ARM_PSTATE_TCO	   (1ULL << 25)
#define ARM_PSTATE_DIT	   (1ULL << 24)
#define ARM_PSTATE_UAO	   (1ULL << 23)
#define ARM_PSTATE_PAN	   (1ULL << 22)
#define ARM_PSTATE_SS	   (1ULL << 21)
#define ARM_PSTATE_IL	   (1ULL << 20)
#define ARM_PSTATE_ALLINT  (1ULL << 13)
#define ARM_PSTATE_SSBS	   (1ULL << 12)
#define ARM_PSTATE_BTYPE   (3ULL << 10)
#define ARM_PSTATE_D	   (1ULL << 9)
#define ARM_PSTATE_A	   (1ULL << 8)
#define ARM_PSTATE_I	   (1ULL << 7)
#define ARM_PSTATE_F	   (1ULL << 6)
#define ARM_PSTATE_DAIF	   (0xfULL << 6)
#define ARM_PSTATE_nRW	   (1ULL << 4)
#define ARM_PSTATE_EL_MASK (3ULL << 2)
#define ARM_PSTATE_SP	   (1ULL << 0)
#define ARM_PSTATE_EL0t	   0x0
#define ARM_PSTATE_EL1t	   0x4
#define ARM_PSTATE_EL1h	   0x5
#define ARM_PSTATE_EL2h	   0x9
#define ARM_PSTATE_EL3h	   0xd

/* Exception level. AArch32: User mode is EL0, Monitor EL3, Hyp EL2, the others EL1. */
unsigned arm_pstate_el(uint64_t pstate);

enum arm_exc_kind { ARM_EXC_SYNC, ARM_EXC_IRQ, ARM_EXC_FIQ, ARM_EXC_SERROR };

struct arm_exc {
	enum arm_exc_kind kind;
	uint8_t target_el; /* 1..3, not below the current level */
	uint64_t esr;	   /* not for IRQ and FIQ */
	uint64_t far;	   /* used if the syndrome's class defines FAR_ELx */
};

/* What else decides. */
struct arm_exc_env {
	uint64_t vbar;	     /* VBAR_ELx of the target level */
	uint64_t sctlr;	     /* SCTLR_ELx of the target level */
	bool next_lower_a32; /* the level below the target (EL3: EL2, or EL1 without it) is AArch32 */
	bool el2_is_host;    /* HCR_EL2.{E2H,TGE} = {1,1} */
	bool pan, ssbs, mte, nmi; /* the PE has FEAT_PAN, FEAT_SSBS, FEAT_MTE, FEAT_NMI */
};

struct arm_exc_entry {
	uint64_t pc;
	uint64_t pstate;
	uint64_t elr;
	uint64_t spsr;
	uint64_t esr;
	uint64_t far;
	bool esr_valid; /* ESR_ELx is written */
	bool far_valid; /* FAR_ELx is written */
};

/* @pc: the preferred return address, which the caller knows: the instruction itself for faults and
 * BRK, the next one for SVC, HVC, SMC and interrupts. */
void arm_take_exception(const struct arm_exc *e, const struct arm_exc_env *env, uint64_t pstate,
			uint64_t pc, struct arm_exc_entry *out);

/* ---- syndromes; the instruction is always taken to be 32 bits long ---- */

enum arm_ec {
	ARM_EC_UNKNOWN = 0x00,
	ARM_EC_WFX = 0x01,
	ARM_EC_FP = 0x07,
	ARM_EC_ILLEGAL_STATE = 0x0e,
	ARM_EC_SVC64 = 0x15,
	ARM_EC_HVC64 = 0x16,
	ARM_EC_SMC64 = 0x17,
	ARM_EC_SYSREG = 0x18,
	ARM_EC_IABT_LOWER = 0x20,
	ARM_EC_IABT_SAME = 0x21,
	ARM_EC_PC_ALIGN = 0x22,
	ARM_EC_DABT_LOWER = 0x24,
	ARM_EC_DABT_SAME = 0x25,
	ARM_EC_SP_ALIGN = 0x26,
	ARM_EC_SERROR = 0x2f,
	ARM_EC_BREAKPOINT_LOWER = 0x30,
	ARM_EC_BREAKPOINT_SAME = 0x31,
	ARM_EC_STEP_LOWER = 0x32,
	ARM_EC_STEP_SAME = 0x33,
	ARM_EC_WATCHPOINT_LOWER = 0x34,
	ARM_EC_WATCHPOINT_SAME = 0x35,
	ARM_EC_BRK64 = 0x3c,
};

#define ARM_ESR_EC(esr)	 (((esr) >> 26) & 0x3f)
#define ARM_ESR_ISS(esr) ((esr)&0x1ffffff)
#define ARM_ESR_IL	 (1U << 25)

/* Fault status codes (IFSC, DFSC). Those per level are for level 0; level -1 is not covered. */
enum arm_fsc {
	ARM_FSC_ADDRESS_SIZE = 0x00,
	ARM_FSC_TRANSLATION = 0x04,
	ARM_FSC_ACCESS_FLAG = 0x08,
	ARM_FSC_PERMISSION = 0x0c,
	ARM_FSC_EXTERNAL = 0x10,
	ARM_FSC_EXTERNAL_WALK = 0x14,
	ARM_FSC_ALIGNMENT = 0x21,
};

uint32_t arm_esr(enum arm_ec ec, uint32_t iss);
uint32_t arm_esr_undef(void);
uint32_t arm_esr_brk(uint16_t imm);
uint32_t arm_esr_svc(uint16_t imm);
uint32_t arm_esr_hvc(uint16_t imm);
uint32_t arm_esr_smc(uint16_t imm);
uint32_t arm_esr_wfx(bool is_wfe);
/* Trapped MRS (@is_read) or MSR of SYSREG() code @sysreg; also SYS instructions. */
uint32_t arm_esr_sysreg(uint16_t sysreg, unsigned rt, bool is_read);
/* Aborts without instruction syndrome (ISV 0), from @from_el to @target_el. @fsc includes the level. */
uint32_t arm_esr_iabt(unsigned from_el, unsigned target_el, unsigned fsc);
uint32_t arm_esr_dabt(unsigned from_el, unsigned target_el, unsigned fsc, bool is_write,
		      bool is_cache);
uint32_t arm_esr_pc_align(void);
uint32_t arm_esr_illegal_state(void);

#endif
