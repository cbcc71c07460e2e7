/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions: who takes them, entry and return. Arm ARM (DDI 0487), D1.3; pseudocode
 * AArch64.TakeException (in arm/exc.c); who takes them is in arm/route.c.
 */
#include "hv/soft/sys.h"

#include "util/bits.h"
#include "util/log.h"

enum { MDSCR_SS = 0 };

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

unsigned soft_ruling_el(const struct soft_cpu *c)
{
	unsigned el = soft_el(c);
	struct arm_route r = soft_route(c);

	return el ? el : arm_el_is_in_host(&r, 0) ? 2 : 1;
}

uint64_t soft_current_sctlr(const struct soft_cpu *c)
{
	return soft_sctlr(c, soft_ruling_el(c));
}

/* AddrTop(): without the tag, if TCR_ELx.TBI says that there is one. */
static uint64_t address_mask(const struct soft_cpu *c, unsigned el, unsigned half)
{
	uint64_t tcr = el == 3	 ? SOFT_REG(c, TCR_EL3)
		       : el == 2 ? SOFT_REG(c, TCR_EL2)
				 : SOFT_REG(c, TCR_EL1);
	bool two = el == 1 || (el == 2 && bit(soft_hcr(c), ARM_HCR_E2H));

	return bit(tcr, two ? 37 + half : 20) ? ~0ULL >> 8 : ~0ULL;
}

/* CheckFPAdvSIMDEnabled64(). */
static struct arm_trap fp_trap(const struct soft_cpu *c)
{
	struct arm_route r = soft_route(c);

	return arm_trap_fp(&r, SOFT_REG(c, CPACR_EL1), SOFT_REG(c, CPTR_EL2),
			   SOFT_REG(c, CPTR_EL3));
}

bool soft_fp_is_trapped(const struct soft_cpu *c)
{
	return fp_trap(c).kind != ARM_TRAP_NONE;
}

void soft_context_changed(struct soft_cpu *c)
{
	unsigned el = soft_el(c), control = soft_ruling_el(c);
	uint64_t sctlr = soft_sctlr(c, control);
	bool stepping = bit(SOFT_REG(c, MDSCR_EL1), MDSCR_SS) || c->pstate & ARM_PSTATE_IL ||
			c->sys->debug_flags & HV_DEBUG_STEP;

	c->tlb = c->sys->tlb[current_view(c)];
	c->context[0] = soft_context_id(c, 0);
	c->context[1] = soft_context_id(c, 1);
	c->tbi_mask[0] = address_mask(c, control, 0);
	c->tbi_mask[1] = address_mask(c, control, 1);
	c->el2_upper = el == 2 && bit(soft_hcr(c), ARM_HCR_E2H);
	c->el2_host = c->el2_upper && bit(soft_hcr(c), ARM_HCR_TGE);
	c->big_endian = bit(sctlr, el ? 25 : 24);
	c->align_check = bit(sctlr, 1);
	c->sp_align_check = bit(sctlr, el ? 3 : 4);
	c->fp_trapped = c->fp_elsewhere || soft_fp_is_trapped(c);
	c->fetch_page = 1;
	if (stepping)
		soft_event(c, SOFT_EVENT_STEP);
	if (soft_interrupt_pending(c))
		soft_event(c, SOFT_EVENT_LINE);
}

/* ---- routing ---- */

unsigned soft_sync_target(const struct soft_cpu *c)
{
	struct arm_route r = soft_route(c);

	return arm_route_sync(&r);
}

unsigned soft_lines(const struct soft_cpu *c)
{
	unsigned lines = c->sys->lines, mine = soft_secure_below_el3(c) ? HV_G1S : HV_G1NS;
	bool el3 = soft_el(c) == 3;

	for (unsigned l = HV_G1S; l <= HV_G1NS; l++) {
		if (bit(lines, l))
			lines |= 1U << (l == mine && !el3 ? HV_IRQ : HV_FIQ);
	}
	return lines;
}

static const uint8_t virtual_line[] = {[ARM_IRQ] = HV_VIRQ, [ARM_FIQ] = HV_VFIQ};
static const uint8_t virtual_bit[] = {
	[ARM_IRQ] = ARM_HCR_VI, [ARM_FIQ] = ARM_HCR_VF, [ARM_SERROR] = ARM_HCR_VSE};

static bool virtual_pending(const struct soft_cpu *c, enum arm_interrupt i)
{
	return bit(SOFT_REG(c, HCR_EL2), virtual_bit[i]) ||
	       (i != ARM_SERROR && bit(c->sys->lines, virtual_line[i]));
}

/* D24.2.74 ISR_EL1: at EL1 it shows a virtual interrupt in the place of the physical one that EL2 takes. */
uint64_t soft_isr(const struct soft_cpu *c)
{
	static const uint8_t hcr_bits[] = {ARM_HCR_IMO, ARM_HCR_FMO, ARM_HCR_AMO};
	static const uint64_t shown[] = {ARM_PSTATE_I, ARM_PSTATE_F, ARM_PSTATE_A};
	static const uint8_t physical[] = {HV_IRQ, HV_FIQ, HV_LINE_COUNT};
	uint64_t isr = 0, hcr = soft_hcr(c);
	unsigned lines = soft_lines(c);

	for (enum arm_interrupt i = ARM_IRQ; i <= ARM_SERROR; i++) {
		bool virtual = soft_el(c) == 1 && bit(hcr, hcr_bits[i]);

		if (virtual ? virtual_pending(c, i) : bit(lines, physical[i]))
			isr |= shown[i];
	}
	return isr;
}

/* D1.6.2: a physical interrupt wakes wherever it goes, a virtual one only those that could take it. */
bool soft_interrupt_waiting(const struct soft_cpu *c)
{
	const unsigned physical = 1 << HV_IRQ | 1 << HV_FIQ | 1 << HV_G1S | 1 << HV_G1NS;
	struct arm_route r = soft_route(c);

	if (c->sys->lines & physical)
		return true;
	for (enum arm_interrupt i = ARM_IRQ; i <= ARM_SERROR; i++) {
		if (virtual_pending(c, i) && arm_route_virtual(&r, i, 0))
			return true;
	}
	return false;
}

static bool take_interrupt(struct soft_cpu *c, enum arm_interrupt i, unsigned target)
{
	static const uint8_t kinds[] = {
		[ARM_IRQ] = ARM_EXC_IRQ, [ARM_FIQ] = ARM_EXC_FIQ, [ARM_SERROR] = ARM_EXC_SERROR};

	if (!target)
		return false;
	soft_take(c, kinds[i], target, i == ARM_SERROR ? arm_esr(ARM_EC_SERROR, 0) : 0, 0, c->pc);
	c->pc = c->next_pc;
	return true;
}

/* The order is IMPLEMENTATION DEFINED: FIQ first, physical ones first. */
bool soft_interrupts(struct soft_cpu *c)
{
	unsigned lines = soft_lines(c);
	struct arm_route r = soft_route(c);

	if (bit(lines, HV_FIQ) &&
	    take_interrupt(c, ARM_FIQ, arm_route_physical(&r, ARM_FIQ, c->pstate)))
		return true;
	if (bit(lines, HV_IRQ) &&
	    take_interrupt(c, ARM_IRQ, arm_route_physical(&r, ARM_IRQ, c->pstate)))
		return true;
	for (unsigned i = ARM_SERROR; i <= ARM_SERROR; i--) {
		if (!virtual_pending(c, i) ||
		    !take_interrupt(c, i, arm_route_virtual(&r, i, c->pstate)))
			continue;
		if (i == ARM_SERROR)
			SOFT_REG(c, HCR_EL2) &= ~(1ULL << ARM_HCR_VSE);
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

#define HOST (1ULL << ARM_HCR_E2H | 1ULL << ARM_HCR_TGE)

void soft_take(struct soft_cpu *c, enum arm_exc_kind kind, unsigned target_el, uint64_t esr,
	       uint64_t far, uint64_t pc)
{
	static const char *const kinds[] = {"sync", "IRQ", "FIQ", "SError"};
	struct arm_exc exc = {.kind = kind, .target_el = target_el, .esr = esr, .far = far};
	struct arm_exc_env env = {
		.vbar = vbar(c, target_el),
		.sctlr = soft_sctlr(c, target_el),
		.pan = c->sys->vm->pstate_bits & ARM_PSTATE_PAN,
		.ssbs = c->sys->vm->pstate_bits & ARM_PSTATE_SSBS,
		.el2_is_host = (soft_hcr(c) & HOST) == HOST,
	};
	struct arm_exc_entry entry;
	unsigned from = soft_ruling_el(c);

	soft_step_exception(c, pc);
	arm_take_exception(&exc, &env, soft_get_pstate(c), pc, &entry);
	LOG(exception, "cpu%u: %s from EL%u to EL%u, PC 0x%llx ESR 0x%llx FAR 0x%llx, to 0x%llx",
	    c->sys->index, kinds[kind], soft_el(c), target_el, (unsigned long long)pc,
	    (unsigned long long)esr, (unsigned long long)far, (unsigned long long)entry.pc);
	store_entry(c, target_el, &entry);
	soft_set_pstate(c, entry.pstate);
	c->next_pc = entry.pc;
	soft_watch_level(c, from, entry.pc);
}

void soft_take_sync(struct soft_cpu *c, uint64_t esr, uint64_t far, uint64_t pc)
{
	soft_take(c, ARM_EXC_SYNC, soft_sync_target(c), esr, far, pc);
}

bool soft_take_trap(struct soft_cpu *c, struct arm_trap trap, uint64_t esr)
{
	switch (trap.kind) {
	case ARM_TRAP_TO:
		soft_take(c, ARM_EXC_SYNC, trap.el, esr, 0, c->pc);
		return true;
	case ARM_TRAP_UNDEF:
		soft_undefined(c);
		return true;
	default:
		return false;
	}
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

bool soft_fp_check(struct soft_cpu *c)
{
	if (!c->fp_trapped)
		return true;
	if (!soft_fp_is_trapped(c)) {
		c->sys->vm->fetch_fp(c);
		return true;
	}
	soft_take_trap(c, fp_trap(c), arm_esr(ARM_EC_FP, 1U << 24 | 0xeU << 20));
	return false;
}

/* ---- return ---- */

void soft_eret(struct soft_cpu *c)
{
	unsigned el = soft_el(c), from = soft_ruling_el(c);
	uint64_t spsr = el == 3	  ? SOFT_REG(c, SPSR_EL3)
			: el == 2 ? SOFT_REG(c, SPSR_EL2)
				  : SOFT_REG(c, SPSR_EL1);
	uint64_t target = el == 3   ? SOFT_REG(c, ELR_EL3)
			  : el == 2 ? SOFT_REG(c, ELR_EL2)
				    : SOFT_REG(c, ELR_EL1);
	uint64_t pstate = spsr & c->sys->vm->pstate_bits;

	struct arm_route r = soft_route(c);
	bool legal = !arm_illegal_return(&r, spsr);

	if (!legal)
		pstate = (pstate & ~0x1fULL) | (c->pstate & 0x1f) | ARM_PSTATE_IL;
	if (!soft_debug_return_ss(c, spsr, legal))
		pstate &= ~ARM_PSTATE_SS;
	c->excl_valid = false;
	__atomic_store_n(&c->sys->event_register, true, __ATOMIC_RELAXED); /* SendEventLocal() */
	soft_set_pstate(c, pstate);
	c->next_pc = soft_branch_address(c, target);
	soft_event(c, SOFT_EVENT_LINE);
	soft_watch_level(c, from, c->next_pc);
}
