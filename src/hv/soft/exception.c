/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions: who takes them, entry and return. Arm ARM (DDI 0487), D1.3; pseudocode
 * AArch64.TakeException (in arm/exc.c), ELFromSPSR, IllegalExceptionReturn.
 */
#include "hv/soft/sys.h"

#include "util/bits.h"
#include "util/log.h"

enum {
	SCR_NS = 0,
	SCR_IRQ = 1,
	SCR_FIQ = 2,
	SCR_EA = 3,
	SCR_RW = 10,
	HCR_FMO = 3,
	HCR_IMO = 4,
	HCR_TGE = 27,
	MDSCR_SS = 0,
};

/* ---- state that hangs on the level ---- */

uint64_t soft_get_pstate(const struct soft_cpu *c)
{
	return c->pstate | c->nzcv;
}

static unsigned sp_bank(uint64_t pstate)
{
	return bit(pstate, 0) ? bits(pstate, 3, 2) : 0;
}

void soft_set_pstate(struct soft_cpu *c, uint64_t pstate)
{
	c->sys->sp_el[sp_bank(c->pstate)] = c->sp;
	c->nzcv = pstate & ARM_PSTATE_NZCV;
	c->pstate = pstate & ~ARM_PSTATE_NZCV & 0xffffffff;
	c->sp = c->sys->sp_el[sp_bank(c->pstate)];
	soft_context_changed(c);
}

static enum soft_view current_view(const struct soft_cpu *c)
{
	if (soft_el(c) == 0)
		return SOFT_VIEW_USER;
	return c->pstate & ARM_PSTATE_PAN ? SOFT_VIEW_PRIV_PAN : SOFT_VIEW_PRIV;
}

uint64_t soft_sctlr(const struct soft_cpu *c, unsigned el)
{
	return el == 3	 ? SOFT_REG(c, SCTLR_EL3)
	       : el == 2 ? SOFT_REG(c, SCTLR_EL2)
			 : SOFT_REG(c, SCTLR_EL1);
}

/* AddrTop(): without the tag, if TCR_ELx.TBI says that there is one. */
static uint64_t address_mask(const struct soft_cpu *c, unsigned half)
{
	unsigned el = soft_el(c);
	bool tagged = el == 3	? bit(SOFT_REG(c, TCR_EL3), 20)
		      : el == 2 ? bit(SOFT_REG(c, TCR_EL2), 20)
				: bit(SOFT_REG(c, TCR_EL1), 37 + half);

	return tagged ? ~0ULL >> 8 : ~0ULL;
}

void soft_context_changed(struct soft_cpu *c)
{
	unsigned el = soft_el(c);
	uint64_t sctlr = soft_sctlr(c, el);
	bool stepping = bit(SOFT_REG(c, MDSCR_EL1), MDSCR_SS) || c->pstate & ARM_PSTATE_IL ||
			c->sys->debug_flags & HV_DEBUG_STEP;

	c->tlb = c->sys->tlb[current_view(c)];
	c->context[0] = soft_context_id(c, 0);
	c->context[1] = soft_context_id(c, 1);
	c->tbi_mask[0] = address_mask(c, 0);
	c->tbi_mask[1] = address_mask(c, 1);
	c->big_endian = bit(sctlr, el ? 25 : 24);
	c->align_check = bit(sctlr, 1);
	c->sp_align_check = bit(sctlr, el ? 3 : 4);
	c->fetch_page = 1;
	if (stepping)
		soft_event(c, SOFT_EVENT_STEP);
	if (c->sys->lines)
		soft_event(c, SOFT_EVENT_LINE);
}

/* ---- routing ---- */

static bool have(const struct soft_cpu *c, unsigned el)
{
	return c->sys->vm->highest_el >= el;
}

static bool secure(const struct soft_cpu *c)
{
	return have(c, 3) && !bit(SOFT_REG(c, SCR_EL3), SCR_NS);
}

/* EL2Enabled(); Secure EL2 does not exist here. */
static bool el2_enabled(const struct soft_cpu *c)
{
	return have(c, 2) && !secure(c);
}

unsigned soft_sync_target(const struct soft_cpu *c)
{
	unsigned el = soft_el(c);

	if (el == 0 && el2_enabled(c) && bit(SOFT_REG(c, HCR_EL2), HCR_TGE))
		return 2;
	return el ? el : 1;
}

static unsigned irq_target(const struct soft_cpu *c, bool fiq)
{
	uint64_t hcr = SOFT_REG(c, HCR_EL2);

	if (have(c, 3) && bit(SOFT_REG(c, SCR_EL3), fiq ? SCR_FIQ : SCR_IRQ))
		return 3;
	if (el2_enabled(c) && (bit(hcr, fiq ? HCR_FMO : HCR_IMO) || bit(hcr, HCR_TGE)))
		return 2;
	return soft_el(c) >= 2 && el2_enabled(c) ? 2 : 1;
}

/* D1.3.6 "Asynchronous exception types, routing, masking and priorities". */
static bool irq_taken(const struct soft_cpu *c, bool fiq)
{
	unsigned el = soft_el(c), target = irq_target(c, fiq);

	if (target < el)
		return false;
	if (target > el && target > 1)
		return true;
	return !(c->pstate & (fiq ? ARM_PSTATE_F : ARM_PSTATE_I));
}

unsigned soft_lines(const struct soft_cpu *c)
{
	unsigned lines = c->sys->lines, mine = secure(c) ? HV_G1S : HV_G1NS;
	bool el3 = soft_el(c) == 3;

	for (unsigned l = HV_G1S; l <= HV_G1NS; l++) {
		if (bit(lines, l))
			lines |= 1U << (l == mine && !el3 ? HV_IRQ : HV_FIQ);
	}
	return lines;
}

bool soft_interrupt_waiting(const struct soft_cpu *c)
{
	return c->sys->lines != 0;
}

bool soft_interrupts(struct soft_cpu *c)
{
	unsigned lines = soft_lines(c);

	/* FIQ first: the order is IMPLEMENTATION DEFINED. */
	for (unsigned fiq = 1; fiq <= 1; fiq--) {
		if (!bit(lines, fiq ? HV_FIQ : HV_IRQ) || !irq_taken(c, fiq))
			continue;
		soft_take(c, fiq ? ARM_EXC_FIQ : ARM_EXC_IRQ, irq_target(c, fiq), 0, 0, c->pc);
		c->pc = c->next_pc;
		return true;
	}
	return false;
}

/* ---- entry ---- */

static void store_entry(struct soft_cpu *c, unsigned el, const struct arm_exc_entry *e)
{
	static const uint16_t elr[] = {SYSREG_IX_ELR_EL1, SYSREG_IX_ELR_EL2, SYSREG_IX_ELR_EL3};
	static const uint16_t spsr[] = {SYSREG_IX_SPSR_EL1, SYSREG_IX_SPSR_EL2, SYSREG_IX_SPSR_EL3};
	static const uint16_t esr[] = {SYSREG_IX_ESR_EL1, SYSREG_IX_ESR_EL2, SYSREG_IX_ESR_EL3};
	static const uint16_t far[] = {SYSREG_IX_FAR_EL1, SYSREG_IX_FAR_EL2, SYSREG_IX_FAR_EL3};
	uint64_t *reg = c->sys->reg;

	reg[elr[el - 1]] = e->elr;
	reg[spsr[el - 1]] = e->spsr;
	if (e->esr_valid)
		reg[esr[el - 1]] = e->esr;
	if (e->far_valid)
		reg[far[el - 1]] = e->far;
}

static uint64_t vbar(const struct soft_cpu *c, unsigned el)
{
	return el == 3	 ? SOFT_REG(c, VBAR_EL3)
	       : el == 2 ? SOFT_REG(c, VBAR_EL2)
			 : SOFT_REG(c, VBAR_EL1);
}

void soft_take(struct soft_cpu *c, enum arm_exc_kind kind, unsigned target_el, uint64_t esr,
	       uint64_t far, uint64_t pc)
{
	static const char *const kinds[] = {"sync", "IRQ", "FIQ", "SError"};
	struct arm_exc exc = {.kind = kind, .target_el = target_el, .esr = esr, .far = far};
	struct arm_exc_env env = {
		.vbar = vbar(c, target_el),
		.sctlr = soft_sctlr(c, target_el),
		.pan = true,
		.ssbs = true,
	};
	struct arm_exc_entry entry;

	soft_step_exception(c, pc);
	arm_take_exception(&exc, &env, soft_get_pstate(c), pc, &entry);
	LOG(exception, "cpu%u: %s from EL%u to EL%u, PC 0x%llx ESR 0x%llx FAR 0x%llx, to 0x%llx",
	    c->sys->index, kinds[kind], soft_el(c), target_el, (unsigned long long)pc,
	    (unsigned long long)esr, (unsigned long long)far, (unsigned long long)entry.pc);
	store_entry(c, target_el, &entry);
	soft_set_pstate(c, entry.pstate);
	c->next_pc = entry.pc;
}

void soft_take_sync(struct soft_cpu *c, uint64_t esr, uint64_t far, uint64_t pc)
{
	soft_take(c, ARM_EXC_SYNC, soft_sync_target(c), esr, far, pc);
}

void soft_undefined(struct soft_cpu *c)
{
	soft_take_sync(c, arm_esr_undef(), 0, c->pc);
}

void soft_raise_svc(struct soft_cpu *c, uint16_t imm)
{
	soft_take_sync(c, arm_esr_svc(imm), 0, c->pc + 4);
}

void soft_raise_brk(struct soft_cpu *c, uint16_t imm)
{
	unsigned el = soft_el(c);

	soft_take(c, ARM_EXC_SYNC, el < 2 ? soft_debug_target(c) : el, arm_esr_brk(imm), 0, c->pc);
}

void soft_raise_alignment(struct soft_cpu *c, uint64_t va, bool is_write)
{
	soft_take_sync(
		c,
		arm_esr_dabt(soft_el(c), soft_sync_target(c), ARM_FSC_ALIGNMENT, is_write, false),
		va, c->pc);
}

void soft_raise_sp_alignment(struct soft_cpu *c)
{
	soft_take_sync(c, arm_esr(ARM_EC_SP_ALIGN, 0), 0, c->pc);
}

void soft_raise_pc_alignment(struct soft_cpu *c, uint64_t pc)
{
	soft_take_sync(c, arm_esr_pc_align(), pc, pc);
}

/* ---- return ---- */

/* ELFromSPSR() and IllegalExceptionReturn(), for a PE without AArch32. */
static bool return_is_legal(const struct soft_cpu *c, uint64_t spsr)
{
	unsigned target = bits(spsr, 3, 2);

	if (spsr & ARM_PSTATE_nRW || bit(spsr, 1))
		return false;
	if (target > soft_el(c) || !have(c, target))
		return false;
	if (target == 0 && bit(spsr, 0))
		return false;
	if (target == 2 && !el2_enabled(c))
		return false;
	if (target == 1 && el2_enabled(c) && bit(SOFT_REG(c, HCR_EL2), HCR_TGE))
		return false;
	return true;
}

/* Bits of SPSR_ELx that PSTATE has here: no AArch32, no MTE, no NMI; BTYPE is RES0 without FEAT_BTI. */
#define SPSR_KEPT                                                                                  \
	(ARM_PSTATE_NZCV | ARM_PSTATE_DIT | ARM_PSTATE_UAO | ARM_PSTATE_PAN | ARM_PSTATE_SS |      \
	 ARM_PSTATE_IL | ARM_PSTATE_SSBS | ARM_PSTATE_DAIF | 0x1f)

void soft_eret(struct soft_cpu *c)
{
	unsigned el = soft_el(c);
	uint64_t spsr = el == 3	  ? SOFT_REG(c, SPSR_EL3)
			: el == 2 ? SOFT_REG(c, SPSR_EL2)
				  : SOFT_REG(c, SPSR_EL1);
	uint64_t target = el == 3   ? SOFT_REG(c, ELR_EL3)
			  : el == 2 ? SOFT_REG(c, ELR_EL2)
				    : SOFT_REG(c, ELR_EL1);
	uint64_t pstate = spsr & SPSR_KEPT;

	bool legal = return_is_legal(c, spsr);

	if (!legal)
		pstate = (pstate & ~0x1fULL) | (c->pstate & 0x1f) | ARM_PSTATE_IL;
	if (!soft_debug_return_ss(c, spsr, legal))
		pstate &= ~ARM_PSTATE_SS;
	c->excl_valid = false;
	soft_set_pstate(c, pstate);
	c->next_pc = soft_branch_address(c, target);
	soft_event(c, SOFT_EVENT_LINE);
}
