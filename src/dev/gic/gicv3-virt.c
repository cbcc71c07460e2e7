/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv3 virtual CPU interface: the ICH_* registers of EL2, and what ICC_* are at EL1 while HCR_EL2.IMO or FMO says
 * so (ICV_*). Arm IHI 0069H chapter 6, 12.3 (ICV_*), 12.4 (ICH_*); the order of traps as in the Arm ARM's pseudocode
 * of each register.
 *
 * Left out: direct injection (GICv4), virtual SErrors from the interface (ICH_HCR_EL2.TSEI).
 */
#include "dev/gic/gicv3_int.h"

#include "arm/route.h"
#include "arm/sysreg.h"
#include "util/bits.h"
#include "util/log.h"

enum {
	SPURIOUS = 1023,
	FIRST_SPECIAL = 1020,
	FIRST_LPI = 8192,
	PRIO_BITS = 0xf8, /* 5 bits */
	BPR0_MIN = 2,
	BPR1_MIN = 3,
	VIRTUAL = 1 << HV_VIRQ | 1 << HV_VFIQ,

	HCR_EN = 0,
	HCR_UIE = 1,
	HCR_LRENPIE = 2,
	HCR_NPIE = 3,
	HCR_VGRP_IE = 4, /* group 0 enabled, disabled, group 1 enabled, disabled */
	HCR_TC = 10,
	HCR_TALL0 = 11,
	HCR_TALL1 = 12,
	HCR_TDIR = 14,
	HCR_EOICOUNT = 27,

	VMCR_VENG0 = 0, /* VENG1 follows */
	VMCR_VFIQEN = 3,
	VMCR_VCBPR = 4,
	VMCR_VEOIM = 9,
	VMCR_VBPR1 = 18,
	VMCR_VBPR0 = 21,
	VMCR_VPMR = 24,

	LR_PINTID = 32, /* 13 bits */
	LR_EOI = 41,	/* without HW */
	LR_PRIORITY = 48,
	LR_GROUP = 60,
	LR_HW = 61,
	LR_PENDING = 62,
	LR_ACTIVE = 63,
};

#define HCR_WRITABLE  0xf8005cffU
#define VMCR_WRITABLE 0xf8fc0213U
#define LR_WRITABLE   0xf0f81fff0000ffffULL
#define LR_STATE(lr)  ((lr) >> LR_PENDING)
#define ICV_CTLR_PRIO (4U << 8) /* PRIbits */
#define ICV_CTLR_A3V  (1U << 15)
/* PRIbits, PREbits; A3V, nV4, TDS; ListRegs */
#define ICH_VTR (4U << 29 | 4U << 26 | 7U << 19 | (GICV3_LRS - 1))

/* One access. */
struct icv {
	struct gicv3 *g;
	struct gicv3_virt *v;
	unsigned pe;
};

/* ---- priorities, IHI 0069H 4.8 ---- */

static unsigned bpr_of(const struct gicv3_virt *v, unsigned grp)
{
	return grp ? bits(v->vmcr, VMCR_VBPR1 + 2, VMCR_VBPR1)
		   : bits(v->vmcr, VMCR_VBPR0 + 2, VMCR_VBPR0);
}

static uint8_t mask_of(const struct gicv3_virt *v, unsigned grp)
{
	if (grp && !bit(v->vmcr, VMCR_VCBPR))
		return gic_group_mask(bpr_of(v, 1) - 1);
	return gic_group_mask(bpr_of(v, 0));
}

static unsigned running(const struct gicv3_virt *v)
{
	uint32_t all = v->apr[0] | v->apr[1];

	return all ? (unsigned)__builtin_ctz(all) << 3 : GIC_PRIO_IDLE;
}

static unsigned prio_of(uint64_t lr)
{
	return bits(lr, LR_PRIORITY + 7, LR_PRIORITY);
}

/* The list register of the highest priority pending virtual interrupt; -1: none. */
static int hppvi(const struct gicv3_virt *v)
{
	int best = -1;

	for (int i = 0; i < GICV3_LRS; i++) {
		uint64_t lr = v->lr[i];

		if (LR_STATE(lr) != 1 || !bit(v->vmcr, VMCR_VENG0 + bit(lr, LR_GROUP)))
			continue;
		if (best < 0 || prio_of(lr) < prio_of(v->lr[best]))
			best = i;
	}
	return best;
}

static bool preempts(const struct gicv3_virt *v, uint64_t lr)
{
	uint8_t mask = mask_of(v, bit(lr, LR_GROUP));
	unsigned run = running(v);

	return run == GIC_PRIO_IDLE || (prio_of(lr) & mask) < (run & mask);
}

/* The same, if it interrupts what runs. */
static int signalled(const struct gicv3_virt *v)
{
	int i = hppvi(v);

	if (i < 0 || !bit(v->hcr, HCR_EN) || prio_of(v->lr[i]) >= v->vmcr >> VMCR_VPMR)
		return -1;
	return preempts(v, v->lr[i]) ? i : -1;
}

/* ---- what EL2 is told ---- */

static bool ended(uint64_t lr)
{
	return !LR_STATE(lr) && !bit(lr, LR_HW) && bit(lr, LR_EOI);
}

static uint32_t eisr(const struct gicv3_virt *v)
{
	uint32_t r = 0;

	for (unsigned i = 0; i < GICV3_LRS; i++)
		r |= (uint32_t)ended(v->lr[i]) << i;
	return r;
}

static uint32_t elrsr(const struct gicv3_virt *v)
{
	uint32_t r = 0;

	for (unsigned i = 0; i < GICV3_LRS; i++)
		r |= (uint32_t)(!LR_STATE(v->lr[i]) && !ended(v->lr[i])) << i;
	return r;
}

/* List registers in use, and those that are pending only. */
static void count(const struct gicv3_virt *v, unsigned *used, unsigned *pending)
{
	*used = *pending = 0;
	for (unsigned i = 0; i < GICV3_LRS; i++) {
		*used += LR_STATE(v->lr[i]) != 0;
		*pending += LR_STATE(v->lr[i]) == 1;
	}
}

static uint32_t misr(const struct gicv3_virt *v)
{
	unsigned used, pending, g0 = bit(v->vmcr, VMCR_VENG0), g1 = bit(v->vmcr, VMCR_VENG0 + 1);
	unsigned groups = g0 | !g0 << 1 | g1 << 2 | !g1 << 3;

	count(v, &used, &pending);
	return (eisr(v) != 0) | (bit(v->hcr, HCR_UIE) && used <= 1) << 1 |
	       (bit(v->hcr, HCR_LRENPIE) && v->hcr >> HCR_EOICOUNT) << 2 |
	       (bit(v->hcr, HCR_NPIE) && !pending) << 3 |
	       (groups << HCR_VGRP_IE & v->hcr & 0xfU << HCR_VGRP_IE);
}

void gicv3_virt_update(struct gicv3 *g, unsigned pe)
{
	struct gicv3_virt *v = &g->pe[pe].virt;
	int i = signalled(v);
	bool maintenance = bit(v->hcr, HCR_EN) && misr(v);
	uint8_t lines = 0;

	if (i >= 0)
		lines = 1U << (bit(v->lr[i], LR_GROUP) ? HV_VIRQ : HV_VFIQ);
	gicv3_drive(g, pe, lines, VIRTUAL);
	if (maintenance == v->maintenance)
		return;
	v->maintenance = maintenance;
	gic_input(&g->core, pe, GICV3_MAINTENANCE, maintenance);
	gicv3_refresh(g, pe, 0);
}

/* ---- ICV_*: acknowledge and end ---- */

static uint64_t acknowledge(const struct icv *c, unsigned grp)
{
	int i = signalled(c->v);
	uint64_t *lr;
	unsigned intid;

	if (i < 0 || bit(c->v->lr[i], LR_GROUP) != grp)
		return SPURIOUS;
	lr = &c->v->lr[i];
	intid = (uint16_t)*lr;
	c->v->apr[grp] |= 1U << ((prio_of(*lr) & mask_of(c->v, grp)) >> 3);
	*lr &= ~(1ULL << LR_PENDING);
	if (intid < FIRST_LPI)
		*lr |= 1ULL << LR_ACTIVE;
	return intid;
}

static uint64_t iar0_read(const struct icv *c)
{
	return acknowledge(c, 0);
}

static uint64_t iar1_read(const struct icv *c)
{
	return acknowledge(c, 1);
}

static uint64_t highest(const struct icv *c, unsigned grp)
{
	int i = hppvi(c->v);

	return i >= 0 && bit(c->v->lr[i], LR_GROUP) == grp ? (uint16_t)c->v->lr[i] : SPURIOUS;
}

static uint64_t hppir0_read(const struct icv *c)
{
	return highest(c, 0);
}

static uint64_t hppir1_read(const struct icv *c)
{
	return highest(c, 1);
}

static void deactivate_physical(const struct icv *c, uint64_t lr)
{
	unsigned intid = bits(lr, LR_PINTID + 9, LR_PINTID);

	if (intid >= 32 + c->g->spis)
		return;
	gic_deactivate(&c->g->core, c->pe, intid);
	gicv3_refresh(c->g, c->pe, intid / 32);
}

/* No list register has it: EL2 may know it, and is told how often that happened. */
static void deactivate(const struct icv *c, unsigned intid)
{
	for (unsigned i = 0; i < GICV3_LRS; i++) {
		uint64_t *lr = &c->v->lr[i];

		if (!bit(*lr, LR_ACTIVE) || (uint16_t)*lr != intid)
			continue;
		*lr &= ~(1ULL << LR_ACTIVE);
		if (bit(*lr, LR_HW))
			deactivate_physical(c, *lr);
		return;
	}
	c->v->hcr += 1U << HCR_EOICOUNT;
}

static bool is_special(uint64_t intid)
{
	return (intid >= FIRST_SPECIAL && intid < FIRST_LPI) || intid > UINT16_MAX;
}

static void end(const struct icv *c, uint64_t value, unsigned grp)
{
	unsigned intid = value & 0xffffff;

	if (is_special(intid))
		return;
	c->v->apr[grp] &= c->v->apr[grp] - 1;
	if (intid < FIRST_LPI && !bit(c->v->vmcr, VMCR_VEOIM))
		deactivate(c, intid);
}

static void eoir0_write(const struct icv *c, uint64_t value)
{
	end(c, value, 0);
}

static void eoir1_write(const struct icv *c, uint64_t value)
{
	end(c, value, 1);
}

static void dir_write(const struct icv *c, uint64_t value)
{
	unsigned intid = value & 0xffffff;

	if (!is_special(intid) && intid < FIRST_LPI && bit(c->v->vmcr, VMCR_VEOIM))
		deactivate(c, intid);
}

/* ---- ICV_*: control; all of it is in ICH_VMCR_EL2 and the active priorities ---- */

static void set_vmcr(const struct icv *c, unsigned hi, unsigned lo, uint64_t value)
{
	c->v->vmcr = (uint32_t)bits_set(c->v->vmcr, hi, lo, value);
}

static uint64_t pmr_read(const struct icv *c)
{
	return c->v->vmcr >> VMCR_VPMR;
}

static void pmr_write(const struct icv *c, uint64_t value)
{
	set_vmcr(c, 31, VMCR_VPMR, value & PRIO_BITS);
}

static uint64_t rpr_read(const struct icv *c)
{
	return running(c->v);
}

static uint64_t bpr0_read(const struct icv *c)
{
	return bpr_of(c->v, 0);
}

static void bpr0_write(const struct icv *c, uint64_t value)
{
	unsigned v = value & 7;

	set_vmcr(c, VMCR_VBPR0 + 2, VMCR_VBPR0, v < BPR0_MIN ? BPR0_MIN : v);
}

static uint64_t bpr1_read(const struct icv *c)
{
	unsigned common = bpr_of(c->v, 0) + 1;

	return !bit(c->v->vmcr, VMCR_VCBPR) ? bpr_of(c->v, 1) : common > 7 ? 7 : common;
}

static void bpr1_write(const struct icv *c, uint64_t value)
{
	unsigned v = value & 7;

	if (!bit(c->v->vmcr, VMCR_VCBPR))
		set_vmcr(c, VMCR_VBPR1 + 2, VMCR_VBPR1, v < BPR1_MIN ? BPR1_MIN : v);
}

static uint64_t ctlr_read(const struct icv *c)
{
	return bit(c->v->vmcr, VMCR_VCBPR) | (uint64_t)bit(c->v->vmcr, VMCR_VEOIM) << 1 |
	       ICV_CTLR_PRIO | ICV_CTLR_A3V;
}

static void ctlr_write(const struct icv *c, uint64_t value)
{
	set_vmcr(c, VMCR_VCBPR, VMCR_VCBPR, bit(value, 0));
	set_vmcr(c, VMCR_VEOIM, VMCR_VEOIM, bit(value, 1));
}

static uint64_t igrpen0_read(const struct icv *c)
{
	return bit(c->v->vmcr, VMCR_VENG0);
}

static void igrpen0_write(const struct icv *c, uint64_t value)
{
	set_vmcr(c, VMCR_VENG0, VMCR_VENG0, bit(value, 0));
}

static uint64_t igrpen1_read(const struct icv *c)
{
	return bit(c->v->vmcr, VMCR_VENG0 + 1);
}

static void igrpen1_write(const struct icv *c, uint64_t value)
{
	set_vmcr(c, VMCR_VENG0 + 1, VMCR_VENG0 + 1, bit(value, 0));
}

static uint64_t ap0r_read(const struct icv *c)
{
	return c->v->apr[0];
}

static void ap0r_write(const struct icv *c, uint64_t value)
{
	c->v->apr[0] = (uint32_t)value;
}

static uint64_t ap1r_read(const struct icv *c)
{
	return c->v->apr[1];
}

static void ap1r_write(const struct icv *c, uint64_t value)
{
	c->v->apr[1] = (uint32_t)value;
}

/* ---- ICH_* ---- */

static uint64_t hcr_read(const struct icv *c)
{
	return c->v->hcr;
}

static void hcr_write(const struct icv *c, uint64_t value)
{
	c->v->hcr = value & HCR_WRITABLE;
}

static uint64_t vtr_read(const struct icv *c)
{
	return ICH_VTR;
}

static uint64_t misr_read(const struct icv *c)
{
	return misr(c->v);
}

static uint64_t eisr_read(const struct icv *c)
{
	return eisr(c->v);
}

static uint64_t elrsr_read(const struct icv *c)
{
	return elrsr(c->v);
}

static uint64_t vmcr_read(const struct icv *c)
{
	return c->v->vmcr;
}

static void vmcr_write(const struct icv *c, uint64_t value)
{
	c->v->vmcr = (value & VMCR_WRITABLE) | 1U << VMCR_VFIQEN;
	bpr0_write(c, bpr_of(c->v, 0));
	if (bpr_of(c->v, 1) < BPR1_MIN)
		set_vmcr(c, VMCR_VBPR1 + 2, VMCR_VBPR1, BPR1_MIN);
}

#define LR(n)                                                                                      \
	static uint64_t lr##n##_read(const struct icv *c)                                          \
	{                                                                                          \
		return c->v->lr[n];                                                                \
	}                                                                                          \
	static void lr##n##_write(const struct icv *c, uint64_t value)                             \
	{                                                                                          \
		c->v->lr[n] = value & LR_WRITABLE;                                                 \
	}
LR(0)
LR(1)
LR(2)
LR(3)
_Static_assert(GICV3_LRS == 4, "one LR() for each");

/* ---- dispatch ---- */

struct icv_reg {
	uint16_t sysreg;
	uint64_t (*read)(const struct icv *c); /* NULL: UNDEFINED */
	void (*write)(const struct icv *c, uint64_t value);
};

static const struct icv_reg icv_regs[] = {
	{SYS_ICC_PMR_EL1, pmr_read, pmr_write},
	{SYS_ICC_IAR0_EL1, iar0_read, NULL},
	{SYS_ICC_EOIR0_EL1, NULL, eoir0_write},
	{SYS_ICC_HPPIR0_EL1, hppir0_read, NULL},
	{SYS_ICC_BPR0_EL1, bpr0_read, bpr0_write},
	{SYS_ICC_AP0R0_EL1, ap0r_read, ap0r_write},
	{SYS_ICC_AP1R0_EL1, ap1r_read, ap1r_write},
	{SYS_ICC_DIR_EL1, NULL, dir_write},
	{SYS_ICC_RPR_EL1, rpr_read, NULL},
	{SYS_ICC_IAR1_EL1, iar1_read, NULL},
	{SYS_ICC_EOIR1_EL1, NULL, eoir1_write},
	{SYS_ICC_HPPIR1_EL1, hppir1_read, NULL},
	{SYS_ICC_BPR1_EL1, bpr1_read, bpr1_write},
	{SYS_ICC_CTLR_EL1, ctlr_read, ctlr_write},
	{SYS_ICC_IGRPEN0_EL1, igrpen0_read, igrpen0_write},
	{SYS_ICC_IGRPEN1_EL1, igrpen1_read, igrpen1_write},
};

static const struct icv_reg ich_regs[] = {
	{SYS_ICH_AP0R0_EL2, ap0r_read, ap0r_write}, {SYS_ICH_AP1R0_EL2, ap1r_read, ap1r_write},
	{SYS_ICH_HCR_EL2, hcr_read, hcr_write},	    {SYS_ICH_VTR_EL2, vtr_read, NULL},
	{SYS_ICH_MISR_EL2, misr_read, NULL},	    {SYS_ICH_EISR_EL2, eisr_read, NULL},
	{SYS_ICH_ELRSR_EL2, elrsr_read, NULL},	    {SYS_ICH_VMCR_EL2, vmcr_read, vmcr_write},
	{SYS_ICH_LR0_EL2, lr0_read, lr0_write},	    {SYS_ICH_LR1_EL2, lr1_read, lr1_write},
	{SYS_ICH_LR2_EL2, lr2_read, lr2_write},	    {SYS_ICH_LR3_EL2, lr3_read, lr3_write},
};

static const struct icv_reg *find(const struct icv_reg *regs, size_t n, uint16_t sysreg)
{
	for (size_t i = 0; i < n; i++) {
		if (regs[i].sysreg == sysreg)
			return &regs[i];
	}
	return NULL;
}

static enum pe_sysreg_result access(struct gicv3 *g, unsigned pe, const struct icv_reg *r,
				    bool is_read, uint64_t *value)
{
	struct icv c = {g, &g->pe[pe].virt, pe};

	if (!r || !(is_read ? r->read != NULL : r->write != NULL))
		return PE_SYSREG_UNDEF;
	dev_lock(&g->dev);
	if (is_read)
		*value = r->read(&c);
	else
		r->write(&c, *value);
	gicv3_virt_update(g, pe);
	dev_unlock(&g->dev);
	return PE_SYSREG_OK;
}

enum pe_sysreg_result gicv3_virt_icv(struct gicv3 *g, const struct pe_access *a, uint16_t sysreg,
				     bool is_read, uint64_t *value)
{
	return access(g, a->pe, find(icv_regs, ARRAY_COUNT(icv_regs), sysreg), is_read, value);
}

static enum pe_sysreg_result ich(struct gicv3 *g, const struct pe_access *a, uint16_t sysreg,
				 bool is_read, uint64_t *value)
{
	/* EL2 is not there in Secure state; EL3 always gets at its registers. */
	if (a->pe >= g->core.pe_count || a->el < 2 || (a->el == 2 && a->secure))
		return PE_SYSREG_UNDEF;
	return access(g, a->pe, find(ich_regs, ARRAY_COUNT(ich_regs), sysreg), is_read, value);
}

static enum pe_sysreg_result ich_read(void *opaque, const struct pe_access *a, uint16_t sysreg,
				      uint64_t *value)
{
	return ich(opaque, a, sysreg, true, value);
}

static enum pe_sysreg_result ich_write(void *opaque, const struct pe_access *a, uint16_t sysreg,
				       uint64_t value)
{
	return ich(opaque, a, sysreg, false, &value);
}

static const struct pe_sysreg_ops ich_ops = {.read = ich_read, .write = ich_write};

/* ICH_HCR_EL2's traps, then HCR_EL2. */
enum gicv3_virt_path gicv3_virt_path(const struct gicv3 *g, const struct pe_access *a,
				     enum icc_traps traps, uint16_t sysreg)
{
	static const uint8_t trap_bit[] = {[TRAP_G0] = HCR_TALL0,
					   [TRAP_G1] = HCR_TALL1,
					   [TRAP_COMMON] = HCR_TC,
					   [TRAP_SGI] = HCR_TC};
	bool fmo = bit(a->hcr_el2, ARM_HCR_FMO), imo = bit(a->hcr_el2, ARM_HCR_IMO);
	uint32_t hcr;

	if (!g->el2 || a->el != 1 || a->secure || traps == TRAP_NEVER)
		return GICV3_VIRT_NO;
	hcr = g->pe[a->pe].virt.hcr;
	if (bit(hcr, trap_bit[traps]) || (sysreg == SYS_ICC_DIR_EL1 && bit(hcr, HCR_TDIR)))
		return GICV3_VIRT_TRAP;
	switch (traps) {
	case TRAP_G0:
		return fmo ? GICV3_VIRT_YES : GICV3_VIRT_NO;
	case TRAP_G1:
		return imo ? GICV3_VIRT_YES : GICV3_VIRT_NO;
	case TRAP_SGI:
		return fmo || imo ? GICV3_VIRT_TRAP : GICV3_VIRT_NO;
	default:
		return fmo || imo ? GICV3_VIRT_YES : GICV3_VIRT_NO;
	}
}

void gicv3_virt_init(struct gicv3 *g)
{
	struct pe_set *pes = g->dev.host->pes;

	g->el2 = pe_els(pes) & 1 << 2;
	for (size_t i = 0; g->el2 && i < ARRAY_COUNT(ich_regs); i++)
		pe_sysreg_add(pes, ich_regs[i].sysreg, &ich_ops, g);
}

void gicv3_virt_reset(struct gicv3 *g)
{
	for (unsigned p = 0; p < g->core.pe_count; p++) {
		struct icv c = {g, &g->pe[p].virt, p};

		*c.v = (struct gicv3_virt){0};
		vmcr_write(&c, 0);
		gic_input(&g->core, p, GICV3_MAINTENANCE, false);
	}
}
