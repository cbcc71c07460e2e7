/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLBI and AT: Arm ARM (DDI 0487), C5.4 and C5.5, D8.16 "TLB maintenance".
 *
 * More may be invalidated than was asked for: by address all ASIDs and also what is global, by intermediate
 * physical address all of the VMID. Ranges (FEAT_TLBIRANGE) and the Outer Shareable domain (FEAT_TLBIOS) do not
 * exist.
 */
#include "hv/soft/sys.h"

#include "util/bits.h"

enum { ASID_SHIFT = 48 };

#define OP(op1, crn, crm, op2) SYSREG(1, op1, crn, crm, op2)

/* ---- TLBI ---- */

enum scope {
	SCOPE_EL1,	/* the regime of EL1, current VMID; in a host (HCR_EL2.{E2H,TGE}) EL2&0 */
	SCOPE_EL1_VA,	/* ... by address */
	SCOPE_EL1_ASID, /* ... by ASID */
	SCOPE_VMID,	/* EL1&0, current VMID */
	SCOPE_IPA,	/* ... by intermediate physical address */
	SCOPE_ALLE1,	/* EL1&0, all VMIDs */
	SCOPE_EL2,
	SCOPE_EL2_VA,
	SCOPE_EL3,
	SCOPE_EL3_VA,
};

static const struct tlbi {
	uint16_t code;
	uint8_t scope, el; /* the lowest level that has it */
	bool broadcast;
} tlbis[] = {
	{OP(0, 8, 3, 0), SCOPE_EL1, 1, true},	   /* VMALLE1IS */
	{OP(0, 8, 3, 1), SCOPE_EL1_VA, 1, true},   /* VAE1IS */
	{OP(0, 8, 3, 2), SCOPE_EL1_ASID, 1, true}, /* ASIDE1IS */
	{OP(0, 8, 3, 3), SCOPE_EL1_VA, 1, true},   /* VAAE1IS */
	{OP(0, 8, 3, 5), SCOPE_EL1_VA, 1, true},   /* VALE1IS */
	{OP(0, 8, 3, 7), SCOPE_EL1_VA, 1, true},   /* VAALE1IS */
	{OP(0, 8, 7, 0), SCOPE_EL1, 1, false},
	{OP(0, 8, 7, 1), SCOPE_EL1_VA, 1, false},
	{OP(0, 8, 7, 2), SCOPE_EL1_ASID, 1, false},
	{OP(0, 8, 7, 3), SCOPE_EL1_VA, 1, false},
	{OP(0, 8, 7, 5), SCOPE_EL1_VA, 1, false},
	{OP(0, 8, 7, 7), SCOPE_EL1_VA, 1, false},
	{OP(4, 8, 0, 1), SCOPE_IPA, 2, true},	 /* IPAS2E1IS */
	{OP(4, 8, 0, 5), SCOPE_IPA, 2, true},	 /* IPAS2LE1IS */
	{OP(4, 8, 3, 0), SCOPE_EL2, 2, true},	 /* ALLE2IS */
	{OP(4, 8, 3, 1), SCOPE_EL2_VA, 2, true}, /* VAE2IS */
	{OP(4, 8, 3, 4), SCOPE_ALLE1, 2, true},	 /* ALLE1IS */
	{OP(4, 8, 3, 5), SCOPE_EL2_VA, 2, true}, /* VALE2IS */
	{OP(4, 8, 3, 6), SCOPE_VMID, 2, true},	 /* VMALLS12E1IS */
	{OP(4, 8, 4, 1), SCOPE_IPA, 2, false},
	{OP(4, 8, 4, 5), SCOPE_IPA, 2, false},
	{OP(4, 8, 7, 0), SCOPE_EL2, 2, false},
	{OP(4, 8, 7, 1), SCOPE_EL2_VA, 2, false},
	{OP(4, 8, 7, 4), SCOPE_ALLE1, 2, false},
	{OP(4, 8, 7, 5), SCOPE_EL2_VA, 2, false},
	{OP(4, 8, 7, 6), SCOPE_VMID, 2, false},
	{OP(6, 8, 3, 0), SCOPE_EL3, 3, true},	 /* ALLE3IS */
	{OP(6, 8, 3, 1), SCOPE_EL3_VA, 3, true}, /* VAE3IS */
	{OP(6, 8, 3, 5), SCOPE_EL3_VA, 3, true}, /* VALE3IS */
	{OP(6, 8, 7, 0), SCOPE_EL3, 3, false},
	{OP(6, 8, 7, 1), SCOPE_EL3_VA, 3, false},
	{OP(6, 8, 7, 5), SCOPE_EL3_VA, 3, false},
};

static struct soft_tlbi request(const struct soft_cpu *c, enum arm_translation regime)
{
	return (struct soft_tlbi){.context = soft_context_of(c, regime),
				  .mask = SOFT_CONTEXT_REGIME | SOFT_CONTEXT_VMID};
}

static struct soft_tlbi by_va(struct soft_tlbi t, uint64_t x)
{
	t.va = (uint64_t)sign_extend(x << SOFT_PAGE_BITS, 56);
	t.by_va = true;
	return t;
}

static struct soft_tlbi by_asid(struct soft_tlbi t, uint64_t x)
{
	t.context |= x >> ASID_SHIFT;
	t.mask |= SOFT_CONTEXT_ASID;
	return t;
}

static struct soft_tlbi any_vmid(struct soft_tlbi t)
{
	t.context &= ~SOFT_CONTEXT_VMID;
	t.mask &= ~SOFT_CONTEXT_VMID;
	return t;
}

void soft_tlb_flush_el10(struct soft_cpu *c)
{
	struct soft_tlbi t = any_vmid(request(c, ARM_EL10));

	soft_tlb_flush_some(c, &t);
}

static struct soft_tlbi make(const struct soft_cpu *c, enum scope scope, uint64_t x)
{
	switch (scope) {
	case SCOPE_EL1:
		return request(c, soft_regime_of(c, 1));
	case SCOPE_EL1_VA:
		return by_va(request(c, soft_regime_of(c, 1)), x);
	case SCOPE_EL1_ASID:
		return by_asid(request(c, soft_regime_of(c, 1)), x);
	case SCOPE_ALLE1:
		return any_vmid(request(c, ARM_EL10));
	case SCOPE_EL2:
		return request(c, soft_regime_of(c, 2));
	case SCOPE_EL2_VA:
		return by_va(request(c, soft_regime_of(c, 2)), x);
	case SCOPE_EL3:
		return request(c, ARM_EL3);
	case SCOPE_EL3_VA:
		return by_va(request(c, ARM_EL3), x);
	default:
		return request(c, ARM_EL10);
	}
}

static void tlbi(struct soft_cpu *c, const struct tlbi *op, uint64_t x)
{
	bool broadcast = op->broadcast;
	struct soft_tlbi t;

	if (op->scope == SCOPE_IPA && !soft_el2_enabled(c))
		return; /* no stage 2, nothing to do */
	t = make(c, op->scope, x);
	if (soft_el(c) == 1 && bit(soft_hcr(c), ARM_HCR_FB))
		broadcast = true;
	if (broadcast)
		soft_tlb_flush_all_cpus(c, &t);
	else
		soft_tlb_flush_some(c, &t);
}

static bool tlbi_exists(const struct soft_cpu *c, const struct tlbi *op)
{
	bool of_el2 = op->scope == SCOPE_EL2 || op->scope == SCOPE_EL2_VA;

	return soft_el(c) >= op->el && (!of_el2 || soft_el2_enabled(c));
}

/* ---- AT ---- */

enum { STAGE1, BOTH };

static const struct at {
	uint16_t code;
	uint8_t el; /* the lowest level that has it */
	uint8_t regime_el;
	bool both, user, write, pan;
} ats[] = {
	{OP(0, 7, 8, 0), 1, 1, STAGE1, false, false, false}, /* S1E1R */
	{OP(0, 7, 8, 1), 1, 1, STAGE1, false, true, false},  /* S1E1W */
	{OP(0, 7, 8, 2), 1, 1, STAGE1, true, false, false},  /* S1E0R */
	{OP(0, 7, 8, 3), 1, 1, STAGE1, true, true, false},   /* S1E0W */
	{OP(0, 7, 9, 0), 1, 1, STAGE1, false, false, true},  /* S1E1RP */
	{OP(0, 7, 9, 1), 1, 1, STAGE1, false, true, true},   /* S1E1WP */
	{OP(4, 7, 8, 0), 2, 2, STAGE1, false, false, false}, /* S1E2R */
	{OP(4, 7, 8, 1), 2, 2, STAGE1, false, true, false},  /* S1E2W */
	{OP(4, 7, 8, 4), 2, 1, BOTH, false, false, false},   /* S12E1R */
	{OP(4, 7, 8, 5), 2, 1, BOTH, false, true, false},    /* S12E1W */
	{OP(4, 7, 8, 6), 2, 1, BOTH, true, false, false},    /* S12E0R */
	{OP(4, 7, 8, 7), 2, 1, BOTH, true, true, false},     /* S12E0W */
	{OP(6, 7, 8, 0), 3, 3, STAGE1, false, false, false}, /* S1E3R */
	{OP(6, 7, 8, 1), 3, 3, STAGE1, false, true, false},  /* S1E3W */
};

static void at(struct soft_cpu *c, const struct at *op, uint64_t x)
{
	struct arm_access a = {
		.need = op->write ? ARM_PROT_WRITE : ARM_PROT_READ,
		.user = op->user,
		.pan = op->pan && c->pstate & ARM_PSTATE_PAN,
		.no_update = true,
		.stage1_only = !op->both,
	};

	soft_at(c, x, op->regime_el, &a);
}

static bool at_exists(const struct soft_cpu *c, const struct at *op)
{
	return soft_el(c) >= op->el && (op->regime_el != 2 || soft_el2_enabled(c));
}

static const struct tlbi *find_tlbi(uint16_t code)
{
	for (size_t i = 0; i < ARRAY_COUNT(tlbis); i++) {
		if (tlbis[i].code == code)
			return &tlbis[i];
	}
	return NULL;
}

static const struct at *find_at(uint16_t code)
{
	for (size_t i = 0; i < ARRAY_COUNT(ats); i++) {
		if (ats[i].code == code)
			return &ats[i];
	}
	return NULL;
}

bool soft_mmu_op_exists(const struct soft_cpu *c, uint16_t code)
{
	const struct tlbi *t = find_tlbi(code);
	const struct at *a = find_at(code);

	return t ? tlbi_exists(c, t) : a && at_exists(c, a);
}

void soft_mmu_op(struct soft_cpu *c, uint16_t code, uint64_t x)
{
	const struct tlbi *t = find_tlbi(code);

	if (t)
		tlbi(c, t, x);
	else
		at(c, find_at(code), x);
}
