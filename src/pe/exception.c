/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions that Obverse takes on the guest's behalf, to EL1. */
#include "pe/pe_int.h"

#include "arm/exc.h"
#include "util/bits.h"

#define ESR_EL1		 SYSREG(3, 0, 5, 2, 0)
#define FAR_EL1		 SYSREG(3, 0, 6, 0, 0)
#define SCTLR_EL1	 SYSREG(3, 0, 1, 0, 0)
#define VBAR_EL1	 SYSREG(3, 0, 12, 0, 0)
#define ID_AA64MMFR1_EL1 SYSREG(3, 0, 0, 7, 1)
#define ID_AA64PFR1_EL1	 SYSREG(3, 0, 0, 4, 1)

/* A process may take exceptions in a loop; what never changes is read once. */
static void identify(struct pe *pe)
{
	if (pe->id.known)
		return;
	pe->id.mmfr1 = pe_get(pe, REG_SYS(ID_AA64MMFR1_EL1));
	pe->id.pfr1 = pe_get(pe, REG_SYS(ID_AA64PFR1_EL1));
	pe->id.known = true;
}

static struct arm_exc_env environment(struct pe *pe)
{
	identify(pe);
	return (struct arm_exc_env){
		.vbar = pe_get(pe, REG_SYS(VBAR_EL1)),
		.sctlr = pe_get(pe, REG_SYS(SCTLR_EL1)),
		.pan = bits(pe->id.mmfr1, 23, 20),
		.ssbs = bits(pe->id.pfr1, 7, 4),
		.mte = bits(pe->id.pfr1, 11, 8),
		.nmi = bits(pe->id.pfr1, 39, 36),
	};
}

void pe_inject(struct pe *pe, uint32_t esr, uint64_t far)
{
	struct arm_exc exc = {.kind = ARM_EXC_SYNC, .target_el = 1, .esr = esr, .far = far};
	struct arm_exc_env env = environment(pe);
	struct arm_exc_entry in;

	arm_take_exception(&exc, &env, pe_get(pe, REG_PSTATE), pe_get(pe, REG_PC), &in);
	pe_put(pe, REG_ELR_EL1, in.elr);
	pe_put(pe, REG_SPSR_EL1, in.spsr);
	if (in.esr_valid)
		pe_put(pe, REG_SYS(ESR_EL1), in.esr);
	if (in.far_valid)
		pe_put(pe, REG_SYS(FAR_EL1), in.far);
	pe_put(pe, REG_PSTATE, in.pstate);
	pe_put(pe, REG_PC, in.pc);
}

void pe_inject_undef(struct pe *pe)
{
	pe_inject(pe, arm_esr_undef(), 0);
}
