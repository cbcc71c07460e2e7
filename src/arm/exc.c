/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exception entry: Arm ARM (DDI 0487), AArch64.TakeException and AArch64.ReportException.
 *
 * Left out, because nothing above runs a guest with them: FEAT_NV (SPSR.M under HCR_EL2.{NV,NV1}),
 * FEAT_TME (failing the transaction), FEAT_GCS (EXLOCK), FEAT_SEBEP (PPEND), FEAT_EBEP (PM),
 * FEAT_DoubleFault (the vector of SError can be that of synchronous exceptions), FEAT_SME and
 * FEAT_SVE (clearing the upper parts of registers), and the syndrome details of trapped A32
 * instructions. SPSR.BTYPE is kept where clearing it is CONSTRAINED UNPREDICTABLE.
 */
#include "arm/exc.h"

#include "arm/reg.h"
#include "util/bits.h"

enum {
	SCTLR_SPAN = 23,
	SCTLR_DSSBS = 44,
	SCTLR_SPINTMASK = 62,

	VECTOR_SAME_SPX = 0x200,
	VECTOR_LOWER_A64 = 0x400,
	VECTOR_LOWER_A32 = 0x600,
	VECTOR_KIND = 0x80, /* sync, IRQ, FIQ, SError */
};

enum { MODE32_USR = 0, MODE32_MON = 6, MODE32_HYP = 10 };

unsigned arm_pstate_el(uint64_t pstate)
{
	if (!(pstate & ARM_PSTATE_nRW))
		return bits(pstate, 3, 2);
	switch (bits(pstate, 3, 0)) {
	case MODE32_USR:
		return 0;
	case MODE32_MON:
		return 3;
	case MODE32_HYP:
		return 2;
	default:
		return 1;
	}
}

static unsigned vector_offset(const struct arm_exc *e, const struct arm_exc_env *env,
			      uint64_t pstate)
{
	unsigned from = arm_pstate_el(pstate), base = 0;

	if (e->target_el > from) {
		bool lower_a32 = env->next_lower_a32;

		if (from + 1 == e->target_el ||
		    (from == 0 && e->target_el == 2 && env->el2_is_host))
			lower_a32 = pstate & ARM_PSTATE_nRW;
		base = lower_a32 ? VECTOR_LOWER_A32 : VECTOR_LOWER_A64;
	} else if (pstate & ARM_PSTATE_SP) {
		base = VECTOR_SAME_SPX;
	}
	return base + VECTOR_KIND * e->kind;
}

static uint64_t entry_pstate(const struct arm_exc *e, const struct arm_exc_env *env,
			     uint64_t pstate)
{
	uint64_t keep = ARM_PSTATE_NZCV | ARM_PSTATE_DIT;
	uint64_t p = 0;

	if (env->pan)
		keep |= ARM_PSTATE_PAN;
	p = (pstate & keep) | ARM_PSTATE_DAIF | ARM_PSTATE_SP | (uint64_t)e->target_el << 2;
	if (env->nmi && !bit(env->sctlr, SCTLR_SPINTMASK))
		p |= ARM_PSTATE_ALLINT;
	if (env->pan && !bit(env->sctlr, SCTLR_SPAN) &&
	    (e->target_el == 1 || (e->target_el == 2 && env->el2_is_host)))
		p |= ARM_PSTATE_PAN;
	if (env->ssbs && bit(env->sctlr, SCTLR_DSSBS))
		p |= ARM_PSTATE_SSBS;
	if (env->mte)
		p |= ARM_PSTATE_TCO;
	return p;
}

/* D24.2.45 "FAR_EL1": which exception classes write it. For an abort with FnV it is UNKNOWN, here
 * what the caller gives. */
static bool writes_far(uint64_t esr)
{
	switch (ARM_ESR_EC(esr)) {
	case ARM_EC_IABT_LOWER:
	case ARM_EC_IABT_SAME:
	case ARM_EC_DABT_LOWER:
	case ARM_EC_DABT_SAME:
	case ARM_EC_PC_ALIGN:
	case ARM_EC_WATCHPOINT_LOWER:
	case ARM_EC_WATCHPOINT_SAME:
		return true;
	default:
		return false;
	}
}

void arm_take_exception(const struct arm_exc *e, const struct arm_exc_env *env, uint64_t pstate,
			uint64_t pc, struct arm_exc_entry *out)
{
	uint64_t vector = align_down(env->vbar, 0x800) + vector_offset(e, env, pstate);

	*out = (struct arm_exc_entry){
		.pc = vector,
		.pstate = entry_pstate(e, env, pstate),
		.elr = pc,
		.spsr = pstate,
		.esr_valid = e->kind == ARM_EXC_SYNC || e->kind == ARM_EXC_SERROR,
	};
	if (out->esr_valid)
		out->esr = e->esr;
	out->far_valid = e->kind == ARM_EXC_SYNC && writes_far(e->esr);
	if (out->far_valid)
		out->far = e->far;
}

uint32_t arm_esr(enum arm_ec ec, uint32_t iss)
{
	return (uint32_t)ec << 26 | ARM_ESR_IL | ARM_ESR_ISS(iss);
}

uint32_t arm_esr_undef(void)
{
	return arm_esr(ARM_EC_UNKNOWN, 0);
}

uint32_t arm_esr_brk(uint16_t imm)
{
	return arm_esr(ARM_EC_BRK64, imm);
}

uint32_t arm_esr_svc(uint16_t imm)
{
	return arm_esr(ARM_EC_SVC64, imm);
}

uint32_t arm_esr_hvc(uint16_t imm)
{
	return arm_esr(ARM_EC_HVC64, imm);
}

uint32_t arm_esr_smc(uint16_t imm)
{
	return arm_esr(ARM_EC_SMC64, imm);
}

uint32_t arm_esr_wfx(bool is_wfe)
{
	/* CV set, COND "always" as for every A64 instruction. */
	return arm_esr(ARM_EC_WFX, 1U << 24 | 0xeU << 20 | is_wfe);
}

uint32_t arm_esr_sysreg(uint16_t sysreg, unsigned rt, bool is_read)
{
	uint32_t iss = (uint32_t)SYSREG_OP0(sysreg) << 20 | SYSREG_OP2(sysreg) << 17 |
		       SYSREG_OP1(sysreg) << 14 | SYSREG_CRN(sysreg) << 10 | (rt & 31) << 5 |
		       SYSREG_CRM(sysreg) << 1 | is_read;

	return arm_esr(ARM_EC_SYSREG, iss);
}

uint32_t arm_esr_iabt(unsigned from_el, unsigned target_el, unsigned fsc)
{
	return arm_esr(from_el < target_el ? ARM_EC_IABT_LOWER : ARM_EC_IABT_SAME, fsc & 0x3f);
}

uint32_t arm_esr_dabt(unsigned from_el, unsigned target_el, unsigned fsc, bool is_write,
		      bool is_cache)
{
	/* Cache maintenance and address translation report WnR as 1. */
	uint32_t iss = (uint32_t)is_cache << 8 | (uint32_t)(is_write || is_cache) << 6 |
		       (fsc & 0x3f);

	return arm_esr(from_el < target_el ? ARM_EC_DABT_LOWER : ARM_EC_DABT_SAME, iss);
}

uint32_t arm_esr_pc_align(void)
{
	return arm_esr(ARM_EC_PC_ALIGN, 0);
}

uint32_t arm_esr_illegal_state(void)
{
	return arm_esr(ARM_EC_ILLEGAL_STATE, 0);
}
