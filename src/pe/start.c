/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How code begins on a PE: after a reset at the highest level; what is started without firmware at the highest
 * Non-secure one, where firmware would have brought it (Linux, Documentation/arch/arm64/booting.rst; Arm DEN 0022,
 * 6.4). With EL3 that means doing what firmware has to do there first.
 */
#include "pe/pe_int.h"

#include "arm/exc.h"
#include "arm/route.h"
#include "arm/sysreg.h"
#include "util/bits.h"
#include "util/log.h"

enum { SCTLR_EE = 25 };
#define MPIDR_RES1 (1ULL << 31)

/* EL1 is AArch64 whatever SCR_EL3 and HCR_EL2 say, but registers that are read back should say so, too. */
#define SCR_EL3_BEGIN                                                                              \
	(1ULL << ARM_SCR_NS | 3ULL << 4 /* RES1 */ | 1ULL << ARM_SCR_HCE | 1ULL << ARM_SCR_RW)

static bool has(const struct pe *pe, unsigned el)
{
	return bit(pe->set->els, el);
}

/* Stands in for the firmware that is not there. No trap is set: those are 0 after a reset, as ICC_SRE_EL3 always has
 * all its bits; CNTFRQ_EL0 is set. */
static void leave_el3(struct pe *pe)
{
	pe_put(pe, REG_SYS(SYS_SCR_EL3), SCR_EL3_BEGIN);
}

static unsigned first_level(const struct pe *pe, const struct pe_entry *entry)
{
	if (entry->at_reset && has(pe, 3))
		return 3;
	return has(pe, 2) ? 2 : 1;
}

static const uint16_t sctlr[] = {0, SYS_SCTLR_EL1, SYS_SCTLR_EL2, SYS_SCTLR_EL3};

static void enter(struct pe *pe, const struct pe_entry *entry)
{
	uint64_t pstate = ARM_PSTATE_DAIF | (uint64_t)pe->begin_el << 2 | ARM_PSTATE_SP;

	for (unsigned i = 0; i < ARRAY_COUNT(entry->x); i++)
		pe_put_x(pe, i, entry->x[i]);
	pe_put(pe, REG_PC, entry->pc);
	pe_put(pe, REG_PSTATE, pstate);
	LOG(pe, "%s: begins at 0x%llx, EL%u", pe->name, (unsigned long long)entry->pc,
	    pe->begin_el);
	regime_begin(pe, entry->pc);
	stages_begin(pe, entry->pc);
}

void pe_begin(struct pe *pe, const struct pe_entry *entry)
{
	unsigned el = first_level(pe, entry);

	pe->begin_el = (uint8_t)el;
	pe_put(pe, REG_SYS(SYS_MPIDR_EL1), pe->mpidr | pe->set->mpidr_bits | MPIDR_RES1);
	pe_put_id_fields(pe);
	if (has(pe, 2)) { /* what EL1 sees of it; D24.2 VPIDR_EL2, VMPIDR_EL2 */
		pe_put(pe, REG_SYS(SYS_VPIDR_EL2), pe_get(pe, REG_SYS(SYS_MIDR_EL1)));
		pe_put(pe, REG_SYS(SYS_VMPIDR_EL2), pe_get(pe, REG_SYS(SYS_MPIDR_EL1)));
	}
	if (has(pe, 3) && el < 3)
		leave_el3(pe);
	enter(pe, entry);
}

/* ---- after a power-down ---- */

/* What the power-down of a core leaves on, as far as the back end shows it (KVM before 6.4 does not show CNTP_*: that timer
 * is off then). CNTVOFF_EL2 comes first, and controls last. */
static const struct {
	uint16_t sysreg;
	uint8_t el; /* is there with this level */
} always_on[] = {
	{SYS_CNTVOFF_EL2, 2},	 {SYS_CNTV_CVAL_EL0, 1}, {SYS_CNTP_CVAL_EL0, 1},
	{SYS_CNTHP_CVAL_EL2, 2}, {SYS_CNTV_CTL_EL0, 1},	 {SYS_CNTP_CTL_EL0, 1},
	{SYS_CNTHP_CTL_EL2, 2},
};

/* DEN 0022, 6.4: as CPU_ON, but with the endianness of whoever called. */
void pe_wake(struct pe *pe)
{
	uint32_t id = REG_SYS(sctlr[pe->begin_el]);
	uint64_t kept[ARRAY_COUNT(always_on)], endianness;
	bool have[ARRAY_COUNT(always_on)];

	if (!pe->down)
		return;
	endianness = pe_get(pe, id) & 1ULL << SCTLR_EE;
	for (unsigned i = 0; i < ARRAY_COUNT(always_on); i++)
		have[i] = has(pe, always_on[i].el) &&
			  pe_try_get(pe, REG_SYS(always_on[i].sysreg), &kept[i]);
	pe_reset_vcpu(pe);
	pe_begin(pe, &pe->wake_entry);
	pe_put(pe, id, (pe_get(pe, id) & ~(1ULL << SCTLR_EE)) | endianness);
	for (unsigned i = 0; i < ARRAY_COUNT(always_on); i++) {
		if (have[i])
			pe_put(pe, REG_SYS(always_on[i].sysreg), kept[i]);
	}
}
