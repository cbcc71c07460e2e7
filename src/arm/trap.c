/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traps of system registers: Arm ARM (DDI 0487), D24, accessibility pseudocode of each register; the bits that
 * trap are described in D24.2.53 HCR_EL2, D24.2.34 CPTR_EL2, D24.3.17 MDCR_EL2, D24.10.2 CNTHCTL_EL2 and their like.
 *
 * Left out: the GIC's CPU interface, which its device knows about; registers of the trace unit and of extensions
 * after Armv8.2. IMPLEMENTATION DEFINED registers are UNDEFINED at EL0 whatever HCR_EL2.TIDCP says, which the
 * manual allows.
 */
#include "arm/trap.h"

#include "arm/exc.h"
#include "util/bits.h"

/* ---- which group a register belongs to ---- */

enum {
	ANY_OP2 = 7,
	ANY_CRM = 15 << 3,
	ANY_CRN = 15 << 7,
	ANY_OP1 = 7 << 11,
};

static const struct pattern {
	uint16_t code, any; /* bits of the code that do not matter */
	uint8_t group;
} patterns[] = {
	{SYS_SCTLR_EL1, 0, ARM_TRAP_GROUP_VM},
	{SYS_TTBR0_EL1, 0, ARM_TRAP_GROUP_VM},
	{SYS_TTBR1_EL1, 0, ARM_TRAP_GROUP_VM},
	{SYS_TCR_EL1, 0, ARM_TRAP_GROUP_VM},
	{SYS_ESR_EL1, 0, ARM_TRAP_GROUP_VM},
	{SYS_FAR_EL1, 0, ARM_TRAP_GROUP_VM},
	{SYS_AFSR0_EL1, 0, ARM_TRAP_GROUP_VM},
	{SYS_AFSR1_EL1, 0, ARM_TRAP_GROUP_VM},
	{SYS_MAIR_EL1, 0, ARM_TRAP_GROUP_VM},
	{SYS_AMAIR_EL1, 0, ARM_TRAP_GROUP_VM},
	{SYS_CONTEXTIDR_EL1, 0, ARM_TRAP_GROUP_VM},
	{SYS_ACTLR_EL1, 0, ARM_TRAP_GROUP_ACTLR},
	{SYS_CPACR_EL1, 0, ARM_TRAP_GROUP_CPACR},
	{SYS_CPACR_EL12, 0, ARM_TRAP_GROUP_CPACR},
	{SYS_CPTR_EL2, 0, ARM_TRAP_GROUP_CPACR},
	{SYS_REVIDR_EL1, 0, ARM_TRAP_GROUP_ID1},
	{SYS_AIDR_EL1, 0, ARM_TRAP_GROUP_ID1},
	{SYS_CCSIDR_EL1, 0, ARM_TRAP_GROUP_ID2},
	{SYS_CCSIDR2_EL1, 0, ARM_TRAP_GROUP_ID2},
	{SYS_CLIDR_EL1, 0, ARM_TRAP_GROUP_ID2},
	{SYS_CSSELR_EL1, 0, ARM_TRAP_GROUP_ID2},
	{SYS_CTR_EL0, 0, ARM_TRAP_GROUP_CTR},
	/* CRm 1 to 7; reserved ones are trapped as the others are. 0 is MIDR_EL1 and its like. */
	{SYS_MIDR_EL1, ANY_OP2, ARM_TRAP_GROUP_NONE},
	{SYS_MIDR_EL1, 7 << 3 | ANY_OP2, ARM_TRAP_GROUP_ID3},
	{SYS_DAIF, 0, ARM_TRAP_GROUP_DAIF},
	{SYS_FPCR, 0, ARM_TRAP_GROUP_FP},
	{SYS_FPSR, 0, ARM_TRAP_GROUP_FP},
	{SYSREG(3, 0, 11, 0, 0), ANY_OP1 | ANY_CRM | ANY_OP2, ARM_TRAP_GROUP_IMPDEF},
	{SYSREG(3, 0, 15, 0, 0), ANY_OP1 | ANY_CRM | ANY_OP2, ARM_TRAP_GROUP_IMPDEF},
	{SYS_ERRIDR_EL1, 7, ARM_TRAP_GROUP_ERR}, /* CRm 3: ERRIDR_EL1, ERRSELR_EL1 */
	{SYSREG(3, 0, 5, 4, 0), 1 << 3 | ANY_OP2, ARM_TRAP_GROUP_ERR}, /* ERX*_EL1 */
	{SYSREG(3, 0, 10, 4, 0), 3, ARM_TRAP_GROUP_LOR},	       /* LORSA, EA, N, C */
	{SYS_LORID_EL1, 0, ARM_TRAP_GROUP_LOR},

	{SYS_CNTFRQ_EL0, 0, ARM_TRAP_GROUP_CNTFRQ},
	{SYS_CNTPCT_EL0, 0, ARM_TRAP_GROUP_CNTPCT},
	{SYS_CNTVCT_EL0, 0, ARM_TRAP_GROUP_CNTVCT},
	{SYS_CNTP_TVAL_EL0, ANY_OP2, ARM_TRAP_GROUP_CNTP},
	{SYS_CNTV_TVAL_EL0, ANY_OP2, ARM_TRAP_GROUP_CNTV},
	{SYS_CNTPS_TVAL_EL1, ANY_OP2, ARM_TRAP_GROUP_CNTPS},

	{SYSREG(2, 0, 0, 0, 0), ANY_CRM | ANY_OP2, ARM_TRAP_GROUP_DEBUG},
	{SYSREG(2, 0, 7, 0, 0), ANY_CRM | ANY_OP2, ARM_TRAP_GROUP_DEBUG}, /* DBGCLAIM... */
	{SYSREG(2, 3, 0, 0, 0), ANY_CRM | ANY_OP2, ARM_TRAP_GROUP_DEBUG_EL0},
	{SYS_MDRAR_EL1, 0, ARM_TRAP_GROUP_DEBUG_ROM},
	{SYSREG(2, 0, 1, 0, 0), ANY_CRM | ANY_OP2, ARM_TRAP_GROUP_DEBUG_OS},

	{SYS_PMCR_EL0, 0, ARM_TRAP_GROUP_PMCR},
	{SYS_PMSWINC_EL0, 0, ARM_TRAP_GROUP_PMSWINC},
	{SYS_PMSELR_EL0, 0, ARM_TRAP_GROUP_PMSELR},
	{SYS_PMCCNTR_EL0, 0, ARM_TRAP_GROUP_PMCCNTR},
	{SYS_PMXEVCNTR_EL0, 0, ARM_TRAP_GROUP_PMEVCNTR},
	{SYS_PMEVCNTR0_EL0, 3 << 3 | ANY_OP2, ARM_TRAP_GROUP_PMEVCNTR},
	{SYS_PMUSERENR_EL0, 0, ARM_TRAP_GROUP_PMUSERENR},
	{SYSREG(3, 3, 9, 12, 0), 3 << 3 | ANY_OP2, ARM_TRAP_GROUP_PM},
	{SYSREG(3, 3, 14, 8, 0), 7 << 3 | ANY_OP2, ARM_TRAP_GROUP_PM},
	{SYSREG(3, 0, 9, 14, 0), ANY_OP2, ARM_TRAP_GROUP_PM},
};

enum arm_trap_group arm_trap_group(uint16_t code)
{
	for (size_t i = 0; i < ARRAY_COUNT(patterns); i++) {
		if (!((code ^ patterns[i].code) & ~patterns[i].any))
			return (enum arm_trap_group)patterns[i].group;
	}
	return ARM_TRAP_GROUP_NONE;
}

/* ---- what traps a group: the first rule that applies ---- */

enum when {
	ALWAYS,
	GUEST,	    /* not HOST: EL1's controls count */
	HOST,	    /* EL2 is enabled and HCR_EL2.{E2H,TGE} are {1,1} */
	EL2,	    /* it is enabled */
	EL2_GUEST,  /* ... and not HOST */
	EL2_NO_E2H, /* ... and HCR_EL2.E2H is 0 */
	EL2_E2H,    /* ... and it is 1, but not HOST */
	EL3,	    /* the PE has it */
};

enum direction { R = 1, W = 2, RW = 3 };
enum { E0 = 1, E1 = 2, E01 = 3, E2 = 4, E12 = 6, E012 = 7 }; /* from these levels */
enum polarity {
	SET,   /* any of the bits is 1 */
	CLEAR, /* all are 0 */
};

/* Bits of HCR_EL2 and SCR_EL3 are in route.h. */
#define B(n) (1U << (n))
enum {
	SCTLR_UMA = B(9),
	SCTLR_UCT = B(15),
	TCPAC = B(31),
	CNT_EL0PCTEN = B(0),
	CNT_EL0VCTEN = B(1),
	CNT_EL0VTEN = B(8),
	CNT_EL0PTEN = B(9),
	CNTHCTL_EL1PCTEN = B(0),
	CNTHCTL_EL1PCEN = B(1),
	CNTHCTL_E2H_EL1PCTEN = B(10),
	CNTHCTL_E2H_EL1PTEN = B(11),
	MDSCR_TDCC = B(12),
	MDCR_TPMCR = B(5),
	MDCR_TPM = B(6),
	MDCR_TDE = B(8),
	MDCR_TDA = B(9),
	MDCR_TDOSA = B(10),
	MDCR_TDRA = B(11),
	USER_EN = B(0),
	USER_SW = B(1),
	USER_CR = B(2),
	USER_ER = B(3),
	SCR_TLOR = B(14),
	SCR_TERR = B(15),
};
#define HCR_TLOR (1ULL << 35)
#define HCR_TERR (1ULL << 36)

enum { LOWEST }; /* where arm_route_sync() says */

struct rule {
	uint8_t direction; /* 0: no more rules */
	uint8_t from;
	uint8_t when; /* enum when */
	uint8_t polarity;
	uint16_t reg;
	uint8_t to;
	uint64_t bits;
};

/* HCR_EL2.TGE is as good as MDCR_EL2.TDE; only EL0 can see it. */
#define DEBUG_RULES(levels, bit2, bit3)                                                            \
	{RW, (levels)&E0, EL2, SET, SYS_HCR_EL2, 2, B(ARM_HCR_TGE)},                               \
		{RW, (levels)&E01, EL2, SET, SYS_MDCR_EL2, 2, MDCR_TDE | (bit2)},                  \
		{RW, (levels)&E012, EL3, SET, SYS_MDCR_EL3, 3, bit3},

#define PM_USER(direction, bits) {direction, E0, ALWAYS, CLEAR, SYS_PMUSERENR_EL0, LOWEST, bits},

/* After what PMUSERENR_EL0 says. */
#define PM_RULES(bits2)                                                                            \
	{RW, E01, EL2, SET, SYS_MDCR_EL2, 2, bits2},                                               \
		{RW, E012, EL3, SET, SYS_MDCR_EL3, 3, MDCR_TPM},

/* EL0 by the bit of CNTKCTL_EL1, or in a host the same bit of CNTHCTL_EL2. */
#define CNT_USER(bits)                                                                             \
	{RW, E0, GUEST, CLEAR, SYS_CNTKCTL_EL1, LOWEST, bits},                                     \
		{RW, E0, HOST, CLEAR, SYS_CNTHCTL_EL2, 2, bits},

#define CNT_EL2(bits, bits_e2h)                                                                    \
	{RW, E01, EL2_NO_E2H, CLEAR, SYS_CNTHCTL_EL2, 2, bits},                                    \
		{RW, E01, EL2_E2H, CLEAR, SYS_CNTHCTL_EL2, 2, bits_e2h},

#define FROM_EL1(direction, reg, bits) {direction, E1, EL2, SET, reg, 2, bits},
#define TO_EL3(reg, bits)	       {RW, E12, EL3, SET, reg, 3, bits},

static const struct rule rules[ARM_TRAP_GROUP_COUNT][6] = {
	[ARM_TRAP_GROUP_VM] = {FROM_EL1(R, SYS_HCR_EL2, B(ARM_HCR_TRVM))
				       FROM_EL1(W, SYS_HCR_EL2, B(ARM_HCR_TVM))},
	[ARM_TRAP_GROUP_ACTLR] = {FROM_EL1(RW, SYS_HCR_EL2, B(ARM_HCR_TACR))},
	[ARM_TRAP_GROUP_CPACR] = {FROM_EL1(RW, SYS_CPTR_EL2, TCPAC) TO_EL3(SYS_CPTR_EL3, TCPAC)},
	[ARM_TRAP_GROUP_ID1] = {FROM_EL1(RW, SYS_HCR_EL2, B(ARM_HCR_TID1))},
	[ARM_TRAP_GROUP_ID2] = {FROM_EL1(RW, SYS_HCR_EL2, B(ARM_HCR_TID2))},
	[ARM_TRAP_GROUP_ID3] = {FROM_EL1(RW, SYS_HCR_EL2, B(ARM_HCR_TID3))},
	[ARM_TRAP_GROUP_CTR] = {{RW, E0, GUEST, CLEAR, SYS_SCTLR_EL1, LOWEST, SCTLR_UCT},
				{RW, E0, HOST, CLEAR, SYS_SCTLR_EL2, 2, SCTLR_UCT},
				{RW, E01, EL2_GUEST, SET, SYS_HCR_EL2, 2, B(ARM_HCR_TID2)}},
	/* SCTLR_EL2 has no UMA: a host's EL0 never may. */
	[ARM_TRAP_GROUP_DAIF] = {{RW, E0, HOST, SET, SYS_HCR_EL2, 2, B(ARM_HCR_TGE)},
				 {RW, E0, ALWAYS, CLEAR, SYS_SCTLR_EL1, LOWEST, SCTLR_UMA}},
	[ARM_TRAP_GROUP_IMPDEF] = {FROM_EL1(RW, SYS_HCR_EL2, B(ARM_HCR_TIDCP))},
	[ARM_TRAP_GROUP_ERR] = {FROM_EL1(RW, SYS_HCR_EL2, HCR_TERR) TO_EL3(SYS_SCR_EL3, SCR_TERR)},
	[ARM_TRAP_GROUP_LOR] = {FROM_EL1(RW, SYS_HCR_EL2, HCR_TLOR) TO_EL3(SYS_SCR_EL3, SCR_TLOR)},

	[ARM_TRAP_GROUP_CNTFRQ] = {CNT_USER(CNT_EL0PCTEN | CNT_EL0VCTEN)},
	[ARM_TRAP_GROUP_CNTPCT] = {CNT_USER(CNT_EL0PCTEN)
					   CNT_EL2(CNTHCTL_EL1PCTEN, CNTHCTL_E2H_EL1PCTEN)},
	[ARM_TRAP_GROUP_CNTVCT] = {CNT_USER(CNT_EL0VCTEN)},
	[ARM_TRAP_GROUP_CNTP] = {CNT_USER(CNT_EL0PTEN)
					 CNT_EL2(CNTHCTL_EL1PCEN, CNTHCTL_E2H_EL1PTEN)},
	[ARM_TRAP_GROUP_CNTV] = {CNT_USER(CNT_EL0VTEN)},
	[ARM_TRAP_GROUP_CNTPS] = {{RW, E1, EL3, CLEAR, SYS_SCR_EL3, 3, B(ARM_SCR_ST)}},

	[ARM_TRAP_GROUP_DEBUG] = {DEBUG_RULES(E12, MDCR_TDA, MDCR_TDA)},
	[ARM_TRAP_GROUP_DEBUG_EL0] = {{RW, E0, ALWAYS, SET, SYS_MDSCR_EL1, LOWEST, MDSCR_TDCC},
				      DEBUG_RULES(E012, MDCR_TDA, MDCR_TDA)},
	[ARM_TRAP_GROUP_DEBUG_ROM] = {DEBUG_RULES(E12, MDCR_TDRA, MDCR_TDA)},
	[ARM_TRAP_GROUP_DEBUG_OS] = {DEBUG_RULES(E12, MDCR_TDOSA, MDCR_TDOSA)},

	[ARM_TRAP_GROUP_PM] = {PM_USER(RW, USER_EN) PM_RULES(MDCR_TPM)},
	[ARM_TRAP_GROUP_PMCR] = {PM_USER(RW, USER_EN) PM_RULES(MDCR_TPM | MDCR_TPMCR)},
	[ARM_TRAP_GROUP_PMSWINC] = {PM_USER(RW, USER_EN | USER_SW) PM_RULES(MDCR_TPM)},
	[ARM_TRAP_GROUP_PMSELR] = {PM_USER(RW, USER_EN | USER_ER) PM_RULES(MDCR_TPM)},
	[ARM_TRAP_GROUP_PMCCNTR] = {PM_USER(R, USER_EN | USER_CR) PM_USER(W, USER_EN)
					    PM_RULES(MDCR_TPM)},
	[ARM_TRAP_GROUP_PMEVCNTR] = {PM_USER(R, USER_EN | USER_ER) PM_USER(W, USER_EN)
					     PM_RULES(MDCR_TPM)},
	[ARM_TRAP_GROUP_PMUSERENR] = {PM_RULES(MDCR_TPM)},
};

static bool applies(const struct arm_route *r, enum when when)
{
	uint64_t hcr = arm_effective_hcr(r);
	bool e2h = bit(hcr, ARM_HCR_E2H), host = e2h && bit(hcr, ARM_HCR_TGE);

	switch (when) {
	case GUEST:
		return !host;
	case HOST:
		return host;
	case EL2:
		return arm_el2_enabled(r);
	case EL2_GUEST:
		return arm_el2_enabled(r) && !host;
	case EL2_NO_E2H:
		return arm_el2_enabled(r) && !e2h;
	case EL2_E2H:
		return e2h && !host;
	case EL3:
		return arm_have_el(r, 3);
	default:
		return true;
	}
}

static struct arm_trap trap(enum arm_trap_kind kind, unsigned el)
{
	return (struct arm_trap){kind, (uint8_t)el};
}

static struct arm_trap trap_fp(const struct arm_trap_state *s)
{
	const struct arm_route *r = &s->route;

	return arm_trap_fp(r, s->reg(s->opaque, SYS_CPACR_EL1),
			   arm_have_el(r, 2) ? s->reg(s->opaque, SYS_CPTR_EL2) : 0,
			   arm_have_el(r, 3) ? s->reg(s->opaque, SYS_CPTR_EL3) : 0);
}

struct arm_trap arm_trap_sysreg(const struct arm_trap_state *s, enum arm_trap_group group,
				bool is_read)
{
	const struct arm_route *r = &s->route;

	if (group == ARM_TRAP_GROUP_FP)
		return trap_fp(s);
	for (const struct rule *u = rules[group]; u->direction; u++) {
		bool is_set;

		if (!(u->direction & (is_read ? R : W)) || !bit(u->from, r->el) ||
		    !applies(r, (enum when)u->when))
			continue;
		is_set = s->reg(s->opaque, u->reg) & u->bits;
		if (is_set == (u->polarity == SET))
			return trap(ARM_TRAP_TO, u->to == LOWEST ? arm_route_sync(r) : u->to);
	}
	return trap(ARM_TRAP_NONE, 0);
}

uint32_t arm_trap_esr(enum arm_trap_group group, struct arm_trap t, uint16_t code, unsigned rt,
		      bool is_read)
{
	enum { ISS_CV = 1 << 24, ISS_COND_ALWAYS = 14 << 20 };

	if (t.kind == ARM_TRAP_UNDEF)
		return arm_esr_undef();
	if (group == ARM_TRAP_GROUP_FP)
		return arm_esr(ARM_EC_FP, ISS_CV | ISS_COND_ALWAYS);
	return arm_esr_sysreg(code, rt, is_read);
}

/* ---- FEAT_VHE ---- */

uint16_t arm_sysreg_redirect(const struct arm_route *r, const struct sysreg_desc *d)
{
	uint64_t hcr = arm_effective_hcr(r);

	if (d->target != SYS_NONE)
		return d->target;
	if (d->e2h == SYS_NONE || !bit(hcr, ARM_HCR_E2H))
		return d->code;
	if (r->el == 2 || (r->el == 0 && bit(hcr, ARM_HCR_TGE)))
		return d->e2h;
	return d->code;
}

/* ---- all of it ---- */

static unsigned highest_el(const struct arm_route *r)
{
	return arm_have_el(r, 3) ? 3 : arm_have_el(r, 2) ? 2 : 1;
}

static bool exists(const struct arm_route *r, const struct arm_features *f,
		   const struct sysreg_desc *d, bool is_read)
{
	struct sysreg_env env = {
		.features = f,
		.highest_el = (uint8_t)highest_el(r),
		.e2h = bit(arm_effective_hcr(r), ARM_HCR_E2H),
		.secure = arm_secure_below_el3(r),
	};

	return d && sysreg_allowed(d, r->el, !is_read, &env);
}

struct arm_mrs arm_check_mrs(const struct arm_trap_state *s, const struct arm_features *f,
			     uint16_t code, unsigned rt, bool is_read)
{
	const struct sysreg_desc *d = sysreg_lookup(code);
	enum arm_trap_group group = arm_trap_group(code);
	bool reserved_id = !d && sysreg_is_id(code) && is_read && s->route.el;
	struct arm_mrs m = {.trap = trap(ARM_TRAP_NONE, 0)};

	if (reserved_id || group == ARM_TRAP_GROUP_IMPDEF || exists(&s->route, f, d, is_read))
		m.trap = arm_trap_sysreg(s, group, is_read);
	else
		m.trap = trap(ARM_TRAP_UNDEF, 0);
	if (m.trap.kind == ARM_TRAP_NONE && group == ARM_TRAP_GROUP_IMPDEF)
		m.trap = trap(ARM_TRAP_UNDEF, 0);
	if (m.trap.kind != ARM_TRAP_NONE)
		m.esr = arm_trap_esr(group, m.trap, code, rt, is_read);
	else if (!reserved_id)
		m.reg = sysreg_lookup(arm_sysreg_redirect(&s->route, d));
	return m;
}
