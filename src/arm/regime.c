/* SPDX-License-Identifier: Apache-2.0 */
/* Translation regimes: Arm ARM (DDI 0487), D8.1.2 "Translation regimes" and the pseudocode that regime.h names. */
#include "arm/regime.h"

#include "arm/sysreg.h"
#include "util/bits.h"

enum {
	SCTLR_M = 0,
	SCTLR_E0E = 24,
	SCTLR_EE = 25,
	HPFAR_FIPA = 4,
};

#define READ(s, name) ((s)->reg((s)->opaque, SYS_##name, SYSREG_IX_##name))

static bool in_host(uint64_t hcr)
{
	return bit(hcr, ARM_HCR_E2H) && bit(hcr, ARM_HCR_TGE);
}

enum arm_translation arm_translation_of(const struct arm_route *r, unsigned el)
{
	if (el == 3)
		return ARM_EL3;
	if (el == 2)
		return bit(arm_effective_hcr(r), ARM_HCR_E2H) ? ARM_EL20 : ARM_EL2;
	return el == 0 && in_host(arm_effective_hcr(r)) ? ARM_EL20 : ARM_EL10;
}

unsigned arm_translation_el(enum arm_translation t)
{
	static const uint8_t el[] = {[ARM_EL10] = 1, [ARM_EL20] = 2, [ARM_EL2] = 2, [ARM_EL3] = 3};

	return el[t];
}

bool arm_translation_is_secure(const struct arm_route *r, enum arm_translation t)
{
	return t == ARM_EL3 || (t == ARM_EL10 && arm_secure_below_el3(r));
}

uint64_t arm_guest_hcr(const struct arm_route *r)
{
	uint64_t hcr = arm_effective_hcr(r);

	return in_host(hcr) ? hcr & ~(1ULL << ARM_HCR_VM | 1ULL << ARM_HCR_DC) : hcr;
}

/* ---- registers ---- */

static void get_el1(const struct arm_regime_state *s, struct arm_regime *r)
{
	r->kind = ARM_REGIME_EL10;
	r->sctlr = READ(s, SCTLR_EL1);
	r->tcr = READ(s, TCR_EL1);
	r->mair = s->no_attributes ? 0 : READ(s, MAIR_EL1);
	r->ttbr[0] = READ(s, TTBR0_EL1);
	r->ttbr[1] = READ(s, TTBR1_EL1);
}

static void get_el2(const struct arm_regime_state *s, bool two, struct arm_regime *r)
{
	r->kind = two ? ARM_REGIME_EL10 : ARM_REGIME_EL2;
	r->sctlr = READ(s, SCTLR_EL2);
	r->tcr = READ(s, TCR_EL2);
	r->mair = s->no_attributes ? 0 : READ(s, MAIR_EL2);
	r->ttbr[0] = READ(s, TTBR0_EL2);
	r->ttbr[1] = two ? READ(s, TTBR1_EL2) : 0;
}

static void get_el3(const struct arm_regime_state *s, struct arm_regime *r)
{
	r->kind = ARM_REGIME_EL3;
	r->sctlr = READ(s, SCTLR_EL3);
	r->tcr = READ(s, TCR_EL3);
	r->mair = s->no_attributes ? 0 : READ(s, MAIR_EL3);
	r->ttbr[0] = READ(s, TTBR0_EL3);
	r->ttbr[1] = 0;
}

static void get_stage2(const struct arm_regime_state *s, uint64_t hcr, struct arm_stage2 *stage2)
{
	*stage2 = (struct arm_stage2){
		.vtcr = READ(s, VTCR_EL2),
		/* The VMID is none of the walk's. */
		.vttbr = bits(READ(s, VTTBR_EL2), 47, 0),
		.big_endian = bit(READ(s, SCTLR_EL2), SCTLR_EE),
		.xnx = bits(READ(s, ID_AA64MMFR1_EL1), 31, 28),
		.ptw = bit(hcr, ARM_HCR_PTW),
	};
}

/* What EL2 has to say about EL1&0. */
static void confine(const struct arm_regime_state *s, struct arm_regime *r,
		    struct arm_stage2 *stage2)
{
	uint64_t hcr = arm_guest_hcr(&s->route);

	if (arm_hcr_stage1_off(hcr))
		r->sctlr &= ~(1ULL << SCTLR_M);
	r->dc = bit(hcr, ARM_HCR_DC);
	if (!stage2 || !arm_hcr_stage2_on(hcr))
		return;
	get_stage2(s, hcr, stage2);
	r->stage2 = stage2;
}

void arm_regime_get(const struct arm_regime_state *s, enum arm_translation t, struct arm_regime *r,
		    struct arm_stage2 *stage2)
{
	r->secure = arm_translation_is_secure(&s->route, t);
	r->sif = arm_have_el(&s->route, 3) && bit(s->route.scr_el3, ARM_SCR_SIF);
	r->dc = false;
	r->stage2 = NULL;
	switch (t) {
	case ARM_EL3:
		get_el3(s, r);
		break;
	case ARM_EL20:
	case ARM_EL2:
		get_el2(s, t == ARM_EL20, r);
		break;
	case ARM_EL10:
		get_el1(s, r);
		confine(s, r, stage2);
		break;
	}
}

/* ---- accesses ---- */

bool arm_access_is_user(const struct arm_route *r, uint64_t pstate, bool unpriv)
{
	if (r->el == 0)
		return true;
	if (!unpriv || pstate & ARM_PSTATE_UAO)
		return false;
	return r->el == 1 || (r->el == 2 && arm_el_is_in_host(r, 0));
}

bool arm_regime_big_endian(const struct arm_regime *r, unsigned el)
{
	return bit(r->sctlr, el ? SCTLR_EE : SCTLR_E0E);
}

unsigned arm_abort_target(const struct arm_route *r, const struct arm_xlat *x)
{
	if (arm_fsc_is_external(x->fsc))
		return arm_route_external_abort(r, x->fault_stage2);
	return x->fault_stage2 ? 2 : arm_route_sync(r);
}

uint64_t arm_abort_hpfar(const struct arm_xlat *x)
{
	return x->ipa >> 12 << HPFAR_FIPA;
}
