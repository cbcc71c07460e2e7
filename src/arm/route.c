/* SPDX-License-Identifier: Apache-2.0 */
/* Routing and trapping: Arm ARM (DDI 0487), D1.3.6 "Asynchronous exception types, routing, masking and
 * priorities", and the pseudocode that route.h names. */
#include "arm/route.h"

#include "arm/exc.h"
#include "util/bits.h"

enum {
	SCTLR_DZE = 14,
	SCTLR_NTWI = 16,
	SCTLR_NTWE = 18,
	SCTLR_UCI = 26,
	CPTR_EL2_TFP = 10,
	CPTR_EL3_TFP = 10,
};

/* ---- state ---- */

bool arm_secure_below_el3(const struct arm_route *r)
{
	return arm_have_el(r, 3) && !bit(r->scr_el3, ARM_SCR_NS);
}

bool arm_is_secure(const struct arm_route *r)
{
	return r->el == 3 || arm_secure_below_el3(r);
}

bool arm_el2_enabled(const struct arm_route *r)
{
	return arm_have_el(r, 2) && !arm_secure_below_el3(r);
}

uint64_t arm_effective_hcr(const struct arm_route *r)
{
	return arm_el2_enabled(r) ? r->hcr_el2 : 0;
}

bool arm_el_is_in_host(const struct arm_route *r, unsigned el)
{
	uint64_t hcr = arm_effective_hcr(r);

	return bit(hcr, ARM_HCR_E2H) && (el == 2 || (el == 0 && bit(hcr, ARM_HCR_TGE)));
}

/* ---- synchronous ---- */

unsigned arm_route_sync(const struct arm_route *r)
{
	if (r->el)
		return r->el;
	return bit(arm_effective_hcr(r), ARM_HCR_TGE) ? 2 : 1;
}

unsigned arm_route_external_abort(const struct arm_route *r, bool stage2)
{
	uint64_t hcr = arm_effective_hcr(r);

	if (arm_have_el(r, 3) && bit(r->scr_el3, ARM_SCR_EA))
		return 3;
	if (r->el < 2 && (stage2 || bit(hcr, ARM_HCR_TGE) || bit(hcr, ARM_HCR_TEA)))
		return 2;
	return arm_route_sync(r);
}

/* ---- interrupts ---- */

static bool masked(enum arm_interrupt i, uint64_t pstate)
{
	static const uint64_t masks[] = {
		[ARM_IRQ] = ARM_PSTATE_I, [ARM_FIQ] = ARM_PSTATE_F, [ARM_SERROR] = ARM_PSTATE_A};

	return pstate & masks[i];
}

unsigned arm_route_physical(const struct arm_route *r, enum arm_interrupt i, uint64_t pstate)
{
	static const uint8_t scr[] = {ARM_SCR_IRQ, ARM_SCR_FIQ, ARM_SCR_EA};
	static const uint8_t hcr_bits[] = {ARM_HCR_IMO, ARM_HCR_FMO, ARM_HCR_AMO};
	uint64_t hcr = arm_effective_hcr(r);
	bool host = bit(hcr, ARM_HCR_E2H) && bit(hcr, ARM_HCR_TGE);
	unsigned target = 1;

	if (arm_have_el(r, 3) && bit(r->scr_el3, scr[i]))
		target = 3;
	else if (bit(hcr, hcr_bits[i]) || bit(hcr, ARM_HCR_TGE))
		target = 2;
	if (target < r->el)
		return 0;
	/* From below, EL3 and EL2 take it whatever PSTATE says; EL0 in a host can mask what EL2 would take. */
	if (target > r->el && (target == 3 || (target == 2 && !host)))
		return target;
	return masked(i, pstate) ? 0 : target;
}

unsigned arm_route_virtual(const struct arm_route *r, enum arm_interrupt i, uint64_t pstate)
{
	static const uint8_t hcr_bits[] = {ARM_HCR_IMO, ARM_HCR_FMO, ARM_HCR_AMO};
	uint64_t hcr = arm_effective_hcr(r);

	if (r->el > 1 || bit(hcr, ARM_HCR_TGE) || !bit(hcr, hcr_bits[i]) || masked(i, pstate))
		return 0;
	return 1;
}

/* ---- return ---- */

bool arm_illegal_return(const struct arm_route *r, uint64_t spsr)
{
	unsigned target = bits(spsr, 3, 2);

	if (spsr & ARM_PSTATE_nRW || bit(spsr, 1))
		return true;
	if (target > r->el || !arm_have_el(r, target) || (target == 0 && bit(spsr, 0)))
		return true;
	if (target == 2 && !arm_el2_enabled(r))
		return true;
	return target == 1 && bit(arm_effective_hcr(r), ARM_HCR_TGE);
}

/* ---- instructions ---- */

static struct arm_trap trap(enum arm_trap_kind kind, unsigned el)
{
	return (struct arm_trap){kind, (uint8_t)el};
}

struct arm_trap arm_trap_hvc(const struct arm_route *r)
{
	bool enabled = arm_have_el(r, 3) ? bit(r->scr_el3, ARM_SCR_HCE)
					 : !bit(r->hcr_el2, ARM_HCR_HCD);

	if (!arm_have_el(r, 2) || r->el == 0 || (r->el == 1 && arm_secure_below_el3(r)) || !enabled)
		return trap(ARM_TRAP_UNDEF, 0);
	return trap(ARM_TRAP_NONE, r->el == 3 ? 3 : 2);
}

struct arm_trap arm_trap_smc(const struct arm_route *r)
{
	if (r->el == 0)
		return trap(ARM_TRAP_UNDEF, 0);
	if (r->el == 1 && bit(arm_effective_hcr(r), ARM_HCR_TSC))
		return trap(ARM_TRAP_TO, 2);
	if (!arm_have_el(r, 3))
		return trap(ARM_TRAP_NONE, 0);
	return bit(r->scr_el3, ARM_SCR_SMD) ? trap(ARM_TRAP_UNDEF, 0) : trap(ARM_TRAP_NONE, 3);
}

struct arm_trap arm_trap_wfx(const struct arm_route *r, uint64_t sctlr, bool is_wfe)
{
	uint64_t hcr = arm_effective_hcr(r);

	if (r->el == 0 && !bit(sctlr, is_wfe ? SCTLR_NTWE : SCTLR_NTWI))
		return trap(ARM_TRAP_TO, arm_route_sync(r));
	if (r->el < 2 && !arm_el_is_in_host(r, r->el) &&
	    bit(hcr, is_wfe ? ARM_HCR_TWE : ARM_HCR_TWI))
		return trap(ARM_TRAP_TO, 2);
	if (r->el < 3 && arm_have_el(r, 3) && bit(r->scr_el3, is_wfe ? ARM_SCR_TWE : ARM_SCR_TWI))
		return trap(ARM_TRAP_TO, 3);
	return trap(ARM_TRAP_NONE, 0);
}

/* FPEN of CPACR_EL1, and of CPTR_EL2 in a host: 0b11 is open, 0b01 is open to all but EL0. */
static bool fpen_closed(uint64_t reg, bool el0)
{
	unsigned fpen = bits(reg, 21, 20);

	return fpen != 3 && (fpen != 1 || el0);
}

struct arm_trap arm_trap_fp(const struct arm_route *r, uint64_t cpacr_el1, uint64_t cptr_el2,
			    uint64_t cptr_el3)
{
	uint64_t hcr = arm_effective_hcr(r);
	bool tge = bit(hcr, ARM_HCR_TGE);

	if (r->el < 2 && !arm_el_is_in_host(r, r->el) && fpen_closed(cpacr_el1, r->el == 0))
		return tge ? trap(ARM_TRAP_UNDEF, 2) : trap(ARM_TRAP_TO, 1);
	if (r->el < 3 && arm_el2_enabled(r)) {
		bool closed = bit(hcr, ARM_HCR_E2H) ? fpen_closed(cptr_el2, r->el == 0 && tge)
						    : bit(cptr_el2, CPTR_EL2_TFP);
		if (closed)
			return trap(ARM_TRAP_TO, 2);
	}
	if (arm_have_el(r, 3) && bit(cptr_el3, CPTR_EL3_TFP))
		return trap(ARM_TRAP_TO, 3);
	return trap(ARM_TRAP_NONE, 0);
}

struct arm_trap arm_trap_maintenance(const struct arm_route *r, enum arm_maintenance op, bool el0,
				     uint64_t sctlr)
{
	static const uint8_t hcr_bits[] = {
		[ARM_OP_POINT_COHERENCY] = ARM_HCR_TPCP,
		[ARM_OP_POINT_UNIFICATION] = ARM_HCR_TPU,
		[ARM_OP_SET_WAY] = ARM_HCR_TSW,
		[ARM_OP_ZERO] = ARM_HCR_TDZ,
		[ARM_OP_TLB] = ARM_HCR_TTLB,
	};
	uint64_t hcr = arm_effective_hcr(r);

	if (r->el == 0 && !el0)
		return trap(ARM_TRAP_UNDEF, 0);
	if (r->el == 0 && !bit(sctlr, op == ARM_OP_ZERO ? SCTLR_DZE : SCTLR_UCI))
		return trap(ARM_TRAP_TO, arm_route_sync(r));
	if (r->el < 2 && op != ARM_OP_OTHER && !arm_el_is_in_host(r, r->el) &&
	    bit(hcr, hcr_bits[op]))
		return trap(ARM_TRAP_TO, 2);
	return trap(ARM_TRAP_NONE, 0);
}
