/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions that Obverse takes on the guest's behalf. */
#include "pe/pe_int.h"

#include "arm/exc.h"
#include "arm/route.h"
#include "arm/sysreg.h"
#include "util/bits.h"

/* Registers of the levels that take exceptions. */
static const struct level {
	uint32_t vbar, sctlr, elr, spsr, esr, far;
} levels[] = {
	[1] = {REG_SYS(SYS_VBAR_EL1), REG_SYS(SYS_SCTLR_EL1), REG_ELR_EL1, REG_SPSR_EL1,
	       REG_SYS(SYS_ESR_EL1), REG_SYS(SYS_FAR_EL1)},
	[2] = {REG_SYS(SYS_VBAR_EL2), REG_SYS(SYS_SCTLR_EL2), REG_SYS(SYS_ELR_EL2),
	       REG_SYS(SYS_SPSR_EL2), REG_SYS(SYS_ESR_EL2), REG_SYS(SYS_FAR_EL2)},
	[3] = {REG_SYS(SYS_VBAR_EL3), REG_SYS(SYS_SCTLR_EL3), REG_SYS(SYS_ELR_EL3),
	       REG_SYS(SYS_SPSR_EL3), REG_SYS(SYS_ESR_EL3), REG_SYS(SYS_FAR_EL3)},
};

/* A process may take exceptions in a loop; what never changes is read once. */
static void identify(struct pe *pe)
{
	if (pe->id.known)
		return;
	pe->id.mmfr1 = pe_get(pe, REG_SYS(SYS_ID_AA64MMFR1_EL1));
	pe->id.pfr1 = pe_get(pe, REG_SYS(SYS_ID_AA64PFR1_EL1));
	pe->id.known = true;
}

/* Back ends need not know the registers of levels that the PE has not got. */
struct arm_route pe_route(struct pe *pe)
{
	uint32_t els = pe->set->els;

	return (struct arm_route){
		.els = (uint8_t)els,
		.el = (uint8_t)pe_el(pe),
		.scr_el3 = bit(els, 3) ? pe_get(pe, REG_SYS(SYS_SCR_EL3)) : 0,
		.hcr_el2 = bit(els, 2) ? pe_get(pe, REG_SYS(SYS_HCR_EL2)) : 0,
	};
}

static struct arm_exc_env environment(struct pe *pe, const struct level *l)
{
	struct arm_route r = pe_route(pe);

	identify(pe);
	return (struct arm_exc_env){
		.vbar = pe_get(pe, l->vbar),
		.sctlr = pe_get(pe, l->sctlr),
		.el2_is_host = arm_el_is_in_host(&r, 0),
		.pan = bits(pe->id.mmfr1, 23, 20),
		.ssbs = bits(pe->id.pfr1, 7, 4),
		.mte = bits(pe->id.pfr1, 11, 8),
		.nmi = bits(pe->id.pfr1, 39, 36),
	};
}

void pe_inject_at(struct pe *pe, unsigned el, uint32_t esr, uint64_t far)
{
	struct arm_exc exc = {.kind = ARM_EXC_SYNC, .target_el = el, .esr = esr, .far = far};
	const struct level *l = &levels[el];
	struct arm_exc_env env = environment(pe, l);
	struct arm_exc_entry in;

	arm_take_exception(&exc, &env, pe_get(pe, REG_PSTATE), pe_get(pe, REG_PC), &in);
	pe_put(pe, l->elr, in.elr);
	pe_put(pe, l->spsr, in.spsr);
	if (in.esr_valid)
		pe_put(pe, l->esr, in.esr);
	if (in.far_valid)
		pe_put(pe, l->far, in.far);
	pe_put(pe, REG_PSTATE, in.pstate);
	pe_put(pe, REG_PC, in.pc);
}

unsigned pe_sync_target(struct pe *pe)
{
	struct arm_route r = pe_route(pe);

	return arm_route_sync(&r);
}

void pe_inject(struct pe *pe, uint32_t esr, uint64_t far)
{
	pe_inject_at(pe, pe_sync_target(pe), esr, far);
}

void pe_inject_undef(struct pe *pe)
{
	pe_inject(pe, arm_esr_undef(), 0);
}
