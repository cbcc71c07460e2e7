/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The translation regime that a PE is in, from its registers: what arm_translate() needs. Arm ARM (DDI 0487), D8.1.2
 * and the pseudocode named below. AArch64 only; there is no Secure EL2 (FEAT_SEL2).
 *
 * Pure functions on values; any thread.
 */
#ifndef ARM_REGIME_H
#define ARM_REGIME_H

#include "arm/exc.h"
#include "arm/route.h"
#include "arm/walk.h"

enum arm_translation {
	ARM_EL10, /* EL1&0 */
	ARM_EL20, /* EL2&0: EL2 with HCR_EL2.E2H, and EL0 with TGE besides */
	ARM_EL2,
	ARM_EL3,
};

/* TranslationRegime(): the one of the level @el. EL1 is never in a host. */
enum arm_translation arm_translation_of(const struct arm_route *r, unsigned el);
/* S1TranslationRegime(): the level whose registers control it. */
unsigned arm_translation_el(enum arm_translation t);
bool arm_translation_is_secure(const struct arm_route *r, enum arm_translation t);

/* HCR_EL2 as far as it concerns EL1&0: nothing of it does where EL2 is not enabled, nor VM and DC in a host. */
uint64_t arm_guest_hcr(const struct arm_route *r);

/* AArch64.S1Enabled(): stage 1 of EL1&0 is off, whatever SCTLR_EL1 says. @hcr: arm_guest_hcr(). */
static inline bool arm_hcr_stage1_off(uint64_t hcr)
{
	return hcr >> ARM_HCR_DC & 1 || hcr >> ARM_HCR_TGE & 1;
}

static inline bool arm_hcr_stage2_on(uint64_t hcr)
{
	return hcr >> ARM_HCR_VM & 1 || hcr >> ARM_HCR_DC & 1;
}

struct arm_regime_state {
	struct arm_route route;
	/* The value of a register of a level that the PE has: by its code (SYS_...), or by its place in an array of all
	 * registers (SYSREG_IX_...), as is convenient. */
	uint64_t (*reg)(void *opaque, uint16_t code, unsigned index);
	void *opaque;
	bool no_attributes; /* nobody wants to know memory attributes: MAIR_ELx is not read */
};

/* Fills in all that registers say; what is there of memory and of the implementation (`read`, `update`, `opaque`,
 * `pa_bits`) stays. @stage2: where to put stage 2, if it is on. NULL: leave it out. */
void arm_regime_get(const struct arm_regime_state *s, enum arm_translation t, struct arm_regime *r,
		    struct arm_stage2 *stage2);

/* Does an access to data at the current level have the rights of EL0? @unpriv: LDTR, STTR and the like:
 * AArch64.IsUnprivAccessPriv(). */
bool arm_access_is_user(const struct arm_route *r, uint64_t pstate, bool unpriv);
/* BigEndian(): of data, at the level @el in this regime. */
bool arm_regime_big_endian(const struct arm_regime *r, unsigned el);

/* Synchronous external aborts, those of tables included. */
static inline bool arm_fsc_is_external(unsigned fsc)
{
	return (fsc & ~7U) == ARM_FSC_EXTERNAL;
}

/* The level that takes the fault of a failed arm_translate() (AArch64.Abort). */
unsigned arm_abort_target(const struct arm_route *r, const struct arm_xlat *x);
/* ... what is in HPFAR_EL2, if it is one of stage 2 and goes to EL2. */
uint64_t arm_abort_hpfar(const struct arm_xlat *x);

#endif
