/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv3 CPU interface: the ICC_* system registers. Arm IHI 0069H 4.8 (priorities), 12.2 (registers);
 * banking as in the Arm ARM (DDI 0487) chapter D.
 *
 * "Secure" below is false in a system with one Security state, so that everything of group 1 lives
 * in the Non-secure bank there.
 */
#include "dev/gic/gicv3_int.h"

#include "arm/sysreg.h"
#include "util/bits.h"
#include "util/log.h"

enum {
	INTID_SECURE = 1020,	/* at EL3: for Secure EL1 */
	INTID_NONSECURE = 1021, /* at EL3: for the Non-secure world */

	ICC_CTLR_PRIBITS = 4 << 8, /* 5 bits */
	ICC_CTLR_A3V = 1 << 15,
	ICC_CTLR_EL3_CBPR_EL1S = 1 << 0,
	ICC_CTLR_EL3_CBPR_EL1NS = 1 << 1,
	ICC_CTLR_EL3_EOIMODE_EL3 = 1 << 2,
	ICC_CTLR_EL3_EOIMODE_EL1S = 1 << 3,
	ICC_CTLR_EL3_EOIMODE_EL1NS = 1 << 4,

	ICC_SRE_SRE_DFB_DIB = 7,
	ICC_SRE_ENABLE = 8,

	SCR_EL3_IRQ = 1 << 1,
	SCR_EL3_FIQ = 1 << 2,
};

/* One access. */
struct icc {
	struct gicv3 *g;
	struct gicv3_pe *p;
	struct gic_pe *s;
	unsigned pe;
	bool secure; /* bank; also see the top */
	bool el3;
	bool ns_prio; /* priorities in the Non-secure view */
};

static enum gic_group group1(const struct icc *c)
{
	return c->secure ? GIC_G1S : GIC_G1NS;
}

static uint8_t *ctlr_of(const struct icc *c)
{
	return &c->p->ctlr[c->secure ? GICV3_S : GICV3_NS];
}

static void resignal(const struct icc *c)
{
	gicv3_signal(c->g, 1U << c->pe);
}

/* ---- binary points ---- */

/* IHI 0069H 4.8.4: ICC_BPR1 of the Non-secure bank counts one more bit than the others. */
static uint8_t group_mask(const struct gicv3_pe *p, enum gic_group grp)
{
	if (grp == GIC_G1S && !(p->ctlr[GICV3_S] & ICC_CTLR_CBPR))
		return gic_group_mask(p->bpr[GIC_G1S]);
	if (grp == GIC_G1NS && !(p->ctlr[GICV3_NS] & ICC_CTLR_CBPR))
		return gic_group_mask(p->bpr[GIC_G1NS] - 1U);
	return gic_group_mask(p->bpr[GIC_G0]);
}

uint8_t gicv3_hppi_mask(const struct gicv3 *g, unsigned pe)
{
	return group_mask(&g->pe[pe], gic_group_of(&g->core, pe, g->core.pe[pe].hppi));
}

static uint8_t bpr_min(enum gic_group grp)
{
	return grp == GIC_G1NS ? GIC_BPR_MIN + 1 : GIC_BPR_MIN;
}

static void set_bpr(const struct icc *c, enum gic_group grp, uint64_t value)
{
	uint8_t v = value & 7;

	c->p->bpr[grp] = v < bpr_min(grp) ? bpr_min(grp) : v;
	resignal(c);
}

static uint64_t bpr0_read(const struct icc *c)
{
	return c->p->bpr[GIC_G0];
}

static void bpr0_write(const struct icc *c, uint64_t value)
{
	set_bpr(c, GIC_G0, value);
}

static uint64_t bpr1_read(const struct icc *c)
{
	uint8_t bpr0 = c->p->bpr[GIC_G0];

	if (!(*ctlr_of(c) & ICC_CTLR_CBPR) || (c->el3 && !c->secure))
		return c->p->bpr[group1(c)];
	if (c->secure)
		return bpr0;
	return bpr0 < 7 ? bpr0 + 1U : 7;
}

static void bpr1_write(const struct icc *c, uint64_t value)
{
	if (!(*ctlr_of(c) & ICC_CTLR_CBPR) || (c->el3 && !c->secure))
		set_bpr(c, group1(c), value);
	else if (c->secure)
		set_bpr(c, GIC_G0, value);
}

/* ---- priorities ---- */

static uint64_t pmr_read(const struct icc *c)
{
	return c->ns_prio ? gic_prio_to_ns(c->p->pmr) : c->p->pmr;
}

static void pmr_write(const struct icc *c, uint64_t value)
{
	uint8_t v = value & GIC_PRIO_MASK;

	if (c->ns_prio) {
		/* A mask in the Secure half is not for the Non-secure world to change. */
		if (!(c->p->pmr & 0x80))
			return;
		v = gic_prio_from_ns((uint8_t)value);
	}
	c->p->pmr = v;
	resignal(c);
}

static uint64_t rpr_read(const struct icc *c)
{
	uint8_t v = gic_running(c->s);

	return c->ns_prio && v != GIC_PRIO_IDLE ? gic_prio_to_ns(v) : v;
}

static uint64_t ap0r_read(const struct icc *c)
{
	return c->s->apr[GIC_G0];
}

static void ap0r_write(const struct icc *c, uint64_t value)
{
	c->s->apr[GIC_G0] = (uint32_t)value;
	resignal(c);
}

static uint64_t ap1r_read(const struct icc *c)
{
	return c->s->apr[group1(c)];
}

static void ap1r_write(const struct icc *c, uint64_t value)
{
	c->s->apr[group1(c)] = (uint32_t)value;
	resignal(c);
}

/* ---- acknowledge ---- */

static bool is_secure_group(const struct icc *c, enum gic_group grp)
{
	return !gicv3_ds(c->g) && grp != GIC_G1NS;
}

/* ICC_HPPIR0: IHI 0069H 4.6.3 "special INTIDs" for what EL3 is shown of the other groups. */
static unsigned hppi0(const struct icc *c)
{
	enum gic_group grp;

	if (c->s->hppi == GIC_SPURIOUS)
		return GIC_SPURIOUS;
	grp = gic_group_of(&c->g->core, c->pe, c->s->hppi);
	if (grp != GIC_G0) {
		if (!c->el3)
			return GIC_SPURIOUS;
		return is_secure_group(c, grp) ? INTID_SECURE : INTID_NONSECURE;
	}
	if (is_secure_group(c, grp) && !c->secure && !c->el3)
		return GIC_SPURIOUS;
	return c->s->hppi;
}

static unsigned hppi1(const struct icc *c)
{
	enum gic_group grp;

	if (c->s->hppi == GIC_SPURIOUS)
		return GIC_SPURIOUS;
	grp = gic_group_of(&c->g->core, c->pe, c->s->hppi);
	if (grp == GIC_G0 || (!c->el3 && grp != group1(c)))
		return GIC_SPURIOUS;
	return c->s->hppi;
}

static uint64_t hppir0_read(const struct icc *c)
{
	return hppi0(c);
}

static uint64_t hppir1_read(const struct icc *c)
{
	return hppi1(c);
}

static uint64_t acknowledge(const struct icc *c, unsigned intid)
{
	uint8_t mask;

	if (intid == GIC_SPURIOUS)
		return GIC_SPURIOUS;
	mask = gicv3_hppi_mask(c->g, c->pe);
	if (!gic_preempts(c->s, c->p->pmr, mask))
		return GIC_SPURIOUS;
	if (intid >= INTID_SECURE)
		return intid;
	gic_activate(&c->g->core, c->pe, mask);
	gicv3_refresh(c->g, c->pe, intid / 32);
	resignal(c);
	LOG(irq, "%s: PE %u takes INTID %u", c->g->dev.name, c->pe, intid);
	return intid;
}

static uint64_t iar0_read(const struct icc *c)
{
	return acknowledge(c, hppi0(c));
}

static uint64_t iar1_read(const struct icc *c)
{
	return acknowledge(c, hppi1(c));
}

/* ---- end of interrupt ---- */

static bool eoi_split(const struct icc *c)
{
	return c->el3 ? c->p->eoimode_el3 : *ctlr_of(c) & ICC_CTLR_EOIMODE;
}

static bool implemented(const struct icc *c, uint64_t value, const char *reg, unsigned *intid)
{
	*intid = value & 0xffffff;
	if (*intid < 32 * c->g->core.words)
		return true;
	/* Writing back a special INTID is common and harmless. */
	if (*intid < INTID_SECURE || *intid > GIC_SPURIOUS)
		guest_error(c->g->dev.name, "PE %u: %s of INTID %u, which is not there", c->pe, reg,
			    *intid);
	return false;
}

/* The state of the interrupts of another world is not the accessing one's to change. */
static void deactivate(const struct icc *c, unsigned intid)
{
	enum gic_group grp = gic_group_of(&c->g->core, c->pe, intid);

	if (is_secure_group(c, grp) && !c->secure && !c->el3)
		return;
	gic_deactivate(&c->g->core, c->pe, intid);
	gicv3_refresh(c->g, c->pe, intid / 32);
}

/* May EOIR0 or EOIR1, written by this access, end a group? */
static bool may_end(const struct icc *c, bool eoir0, enum gic_group grp)
{
	if (eoir0 != (grp == GIC_G0))
		return false;
	if (c->el3)
		return true;
	return grp == GIC_G0 ? c->secure || gicv3_ds(c->g) : grp == group1(c);
}

static void end(const struct icc *c, uint64_t value, bool eoir0)
{
	enum gic_group grp;
	unsigned intid;

	if (!implemented(c, value, eoir0 ? "ICC_EOIR0_EL1" : "ICC_EOIR1_EL1", &intid))
		return;
	if (!gic_running_group(c->s, &grp) || !may_end(c, eoir0, grp)) {
		guest_error(c->g->dev.name, "PE %u: end of INTID %u, which is not running", c->pe,
			    intid);
		return;
	}
	gic_drop(c->s, grp);
	if (!eoi_split(c))
		deactivate(c, intid);
	resignal(c);
}

static void eoir0_write(const struct icc *c, uint64_t value)
{
	end(c, value, true);
}

static void eoir1_write(const struct icc *c, uint64_t value)
{
	end(c, value, false);
}

static void dir_write(const struct icc *c, uint64_t value)
{
	unsigned intid;

	if (!implemented(c, value, "ICC_DIR_EL1", &intid))
		return;
	if (!eoi_split(c))
		guest_error(c->g->dev.name, "PE %u: ICC_DIR_EL1 with EOImode 0", c->pe);
	else
		deactivate(c, intid);
}

/* ---- control ---- */

static uint64_t ctlr_read(const struct icc *c)
{
	return *ctlr_of(c) | ICC_CTLR_PRIBITS | ICC_CTLR_A3V;
}

static void ctlr_write(const struct icc *c, uint64_t value)
{
	/* Where EL3 rules a system with two Security states, CBPR is its alone. */
	uint8_t mask = c->g->el3 && !gicv3_ds(c->g) ? ICC_CTLR_EOIMODE
						    : ICC_CTLR_EOIMODE | ICC_CTLR_CBPR;

	*ctlr_of(c) = (uint8_t)((*ctlr_of(c) & ~mask) | (value & mask));
	resignal(c);
}

/* The fields of ICC_CTLR_EL3 are aliases. */
static const struct {
	uint16_t el3;
	uint8_t bank, field;
} ctlr_el3[] = {
	{ICC_CTLR_EL3_CBPR_EL1S, GICV3_S, ICC_CTLR_CBPR},
	{ICC_CTLR_EL3_CBPR_EL1NS, GICV3_NS, ICC_CTLR_CBPR},
	{ICC_CTLR_EL3_EOIMODE_EL1S, GICV3_S, ICC_CTLR_EOIMODE},
	{ICC_CTLR_EL3_EOIMODE_EL1NS, GICV3_NS, ICC_CTLR_EOIMODE},
};

static uint64_t ctlr_el3_read(const struct icc *c)
{
	uint64_t v = ICC_CTLR_PRIBITS | ICC_CTLR_A3V;

	if (c->p->eoimode_el3)
		v |= ICC_CTLR_EL3_EOIMODE_EL3;
	for (unsigned n = 0; n < ARRAY_COUNT(ctlr_el3); n++)
		if (c->p->ctlr[ctlr_el3[n].bank] & ctlr_el3[n].field)
			v |= ctlr_el3[n].el3;
	return v;
}

static void ctlr_el3_write(const struct icc *c, uint64_t value)
{
	c->p->eoimode_el3 = (value & ICC_CTLR_EL3_EOIMODE_EL3) != 0;
	for (unsigned n = 0; n < ARRAY_COUNT(ctlr_el3); n++) {
		uint8_t *ctlr = &c->p->ctlr[ctlr_el3[n].bank];

		*ctlr &= (uint8_t)~ctlr_el3[n].field;
		if (value & ctlr_el3[n].el3)
			*ctlr |= ctlr_el3[n].field;
	}
	resignal(c);
}

static uint64_t igrpen0_read(const struct icc *c)
{
	return c->p->grpen[GIC_G0];
}

static void igrpen0_write(const struct icc *c, uint64_t value)
{
	c->p->grpen[GIC_G0] = value & 1;
	gicv3_refresh_groups(c->g);
}

static uint64_t igrpen1_read(const struct icc *c)
{
	return c->p->grpen[group1(c)];
}

static void igrpen1_write(const struct icc *c, uint64_t value)
{
	c->p->grpen[group1(c)] = value & 1;
	gicv3_refresh_groups(c->g);
}

static uint64_t igrpen1_el3_read(const struct icc *c)
{
	return c->p->grpen[GIC_G1NS] | (uint64_t)c->p->grpen[GIC_G1S] << 1;
}

static void igrpen1_el3_write(const struct icc *c, uint64_t value)
{
	c->p->grpen[GIC_G1NS] = value & 1;
	c->p->grpen[GIC_G1S] = value >> 1 & 1;
	gicv3_refresh_groups(c->g);
}

/* There is no memory-mapped CPU interface, so the system registers cannot be turned off. */
static uint64_t sre_el1_read(const struct icc *c)
{
	return ICC_SRE_SRE_DFB_DIB;
}

static uint64_t sre_read(const struct icc *c)
{
	return ICC_SRE_SRE_DFB_DIB | ICC_SRE_ENABLE;
}

static void ignore_write(const struct icc *c, uint64_t value)
{
}

/* ---- SGIs ---- */

/* IHI 0069H 12.1.10, table of forwarding: a Secure request for group 1 may also raise a group 0
 * SGI; a Non-secure request for a Secure group needs GICR_NSACR. */
static bool accepts_sgi(const struct icc *c, unsigned pe, enum gic_group grp, unsigned intid)
{
	enum gic_group is = gic_group_of(&c->g->core, pe, intid);

	if (grp == GIC_G1S && is == GIC_G0)
		grp = GIC_G0;
	if (grp != is)
		return false;
	if (c->secure || is == GIC_G1NS || gicv3_ds(c->g))
		return true;
	return gicv3_nsacr(c->g, pe, intid) >= (is == GIC_G0 ? 1U : 2U);
}

static bool sgi_targets(const struct icc *c, unsigned pe, uint64_t value)
{
	uint64_t aff = c->g->pe[pe].affinity;
	uint64_t cluster = bits(value, 55, 48) << 32 | bits(value, 39, 32) << 16 |
			   bits(value, 23, 16) << 8;

	if (bit(value, 40)) /* IRM: everyone else */
		return pe != c->pe;
	return (aff & ~0xffULL) == cluster && bits(aff, 7, 4) == bits(value, 47, 44) &&
	       bit(value, aff & 15);
}

static void send_sgi(const struct icc *c, enum gic_group grp, uint64_t value)
{
	unsigned intid = bits(value, 27, 24);

	for (unsigned pe = 0; pe < c->g->core.pe_count; pe++) {
		if (!sgi_targets(c, pe, value) || !accepts_sgi(c, pe, grp, intid))
			continue;
		c->g->core.irqs.latch[pe] |= 1U << intid;
		gicv3_refresh(c->g, pe, 0);
	}
}

static void sgi0r_write(const struct icc *c, uint64_t value)
{
	send_sgi(c, GIC_G0, value);
}

static void sgi1r_write(const struct icc *c, uint64_t value)
{
	send_sgi(c, group1(c), value);
}

/* Group 1 of the other Security state. */
static void asgi1r_write(const struct icc *c, uint64_t value)
{
	send_sgi(c, c->secure || gicv3_ds(c->g) ? GIC_G1NS : GIC_G1S, value);
}

/* ---- dispatch ---- */

struct icc_reg {
	uint16_t sysreg;
	uint8_t min_el;
	uint8_t traps;			       /* enum icc_traps */
	uint64_t (*read)(const struct icc *c); /* NULL: UNDEFINED */
	void (*write)(const struct icc *c, uint64_t value);
};

static const struct icc_reg icc_regs[] = {
	{SYS_ICC_PMR_EL1, 1, TRAP_COMMON, pmr_read, pmr_write},
	{SYS_ICC_IAR0_EL1, 1, TRAP_G0, iar0_read, NULL},
	{SYS_ICC_EOIR0_EL1, 1, TRAP_G0, NULL, eoir0_write},
	{SYS_ICC_HPPIR0_EL1, 1, TRAP_G0, hppir0_read, NULL},
	{SYS_ICC_BPR0_EL1, 1, TRAP_G0, bpr0_read, bpr0_write},
	{SYS_ICC_AP0R0_EL1, 1, TRAP_G0, ap0r_read, ap0r_write},
	{SYS_ICC_AP1R0_EL1, 1, TRAP_G1, ap1r_read, ap1r_write},
	{SYS_ICC_DIR_EL1, 1, TRAP_COMMON, NULL, dir_write},
	{SYS_ICC_RPR_EL1, 1, TRAP_COMMON, rpr_read, NULL},
	{SYS_ICC_SGI1R_EL1, 1, TRAP_SGI, NULL, sgi1r_write},
	{SYS_ICC_ASGI1R_EL1, 1, TRAP_SGI, NULL, asgi1r_write},
	{SYS_ICC_SGI0R_EL1, 1, TRAP_SGI, NULL, sgi0r_write},
	{SYS_ICC_IAR1_EL1, 1, TRAP_G1, iar1_read, NULL},
	{SYS_ICC_EOIR1_EL1, 1, TRAP_G1, NULL, eoir1_write},
	{SYS_ICC_HPPIR1_EL1, 1, TRAP_G1, hppir1_read, NULL},
	{SYS_ICC_BPR1_EL1, 1, TRAP_G1, bpr1_read, bpr1_write},
	{SYS_ICC_CTLR_EL1, 1, TRAP_COMMON, ctlr_read, ctlr_write},
	{SYS_ICC_SRE_EL1, 1, TRAP_NEVER, sre_el1_read, ignore_write},
	{SYS_ICC_IGRPEN0_EL1, 1, TRAP_G0, igrpen0_read, igrpen0_write},
	{SYS_ICC_IGRPEN1_EL1, 1, TRAP_G1, igrpen1_read, igrpen1_write},
	{SYS_ICC_SRE_EL2, 2, TRAP_NEVER, sre_read, ignore_write},
	{SYS_ICC_CTLR_EL3, 3, TRAP_NEVER, ctlr_el3_read, ctlr_el3_write},
	{SYS_ICC_SRE_EL3, 3, TRAP_NEVER, sre_read, ignore_write},
	{SYS_ICC_IGRPEN1_EL3, 3, TRAP_NEVER, igrpen1_el3_read, igrpen1_el3_write},
};
_Static_assert(ARRAY_COUNT(icc_regs) == ICC_REGS, "ICC_REGS counts the registers");

static bool traps_at_el3(const struct icc_reg *r, const struct pe_access *a)
{
	bool irq = a->scr_el3 & SCR_EL3_IRQ, fiq = a->scr_el3 & SCR_EL3_FIQ;

	switch (r->traps) {
	case TRAP_G0:
		return fiq;
	case TRAP_G1:
		return irq;
	case TRAP_COMMON:
	case TRAP_SGI:
		return irq && fiq;
	default:
		return false;
	}
}

/* The pseudocode of each register in the Arm ARM; virtualization comes before EL3. */
static enum pe_sysreg_result may_access(const struct icc_binding *b, const struct pe_access *a)
{
	if (a->pe >= b->g->core.pe_count || a->el < b->reg->min_el)
		return PE_SYSREG_UNDEF;
	if (b->reg->sysreg == SYS_ICC_SRE_EL2 && a->secure) /* EL2 is not enabled */
		return PE_SYSREG_UNDEF;
	if (a->el < 3 && traps_at_el3(b->reg, a))
		return PE_SYSREG_TRAP_EL3;
	return PE_SYSREG_OK;
}

static struct icc access_of(struct gicv3 *g, const struct pe_access *a)
{
	bool two = !gicv3_ds(g);
	struct icc c = {
		.g = g,
		.p = &g->pe[a->pe],
		.s = &g->core.pe[a->pe],
		.pe = a->pe,
		.secure = two && a->secure,
		.el3 = a->el == 3,
		.ns_prio = two && !a->secure && a->el < 3 && (a->scr_el3 & SCR_EL3_FIQ),
	};

	return c;
}

static enum gicv3_virt_path path_of(const struct icc_binding *b, const struct pe_access *a)
{
	if (a->pe >= b->g->core.pe_count)
		return GICV3_VIRT_NO;
	return gicv3_virt_path(b->g, a, (enum icc_traps)b->reg->traps, b->reg->sysreg);
}

static enum pe_sysreg_result icc_read(void *opaque, const struct pe_access *a, uint16_t sysreg,
				      uint64_t *value)
{
	const struct icc_binding *b = opaque;
	enum pe_sysreg_result r = b->reg->read ? may_access(b, a) : PE_SYSREG_UNDEF;
	enum gicv3_virt_path path = path_of(b, a);
	struct icc c;

	if (b->reg->read && path != GICV3_VIRT_NO)
		return path == GICV3_VIRT_TRAP ? PE_SYSREG_TRAP_EL2
					       : gicv3_virt_icv(b->g, a, sysreg, true, value);
	if (r != PE_SYSREG_OK)
		return r;
	dev_lock(&b->g->dev);
	c = access_of(b->g, a);
	*value = b->reg->read(&c);
	dev_unlock(&b->g->dev);
	return PE_SYSREG_OK;
}

static enum pe_sysreg_result icc_write(void *opaque, const struct pe_access *a, uint16_t sysreg,
				       uint64_t value)
{
	const struct icc_binding *b = opaque;
	enum pe_sysreg_result r = b->reg->write ? may_access(b, a) : PE_SYSREG_UNDEF;
	enum gicv3_virt_path path = path_of(b, a);
	struct icc c;

	if (b->reg->write && path != GICV3_VIRT_NO)
		return path == GICV3_VIRT_TRAP ? PE_SYSREG_TRAP_EL2
					       : gicv3_virt_icv(b->g, a, sysreg, false, &value);
	if (r != PE_SYSREG_OK)
		return r;
	dev_lock(&b->g->dev);
	c = access_of(b->g, a);
	b->reg->write(&c, value);
	dev_unlock(&b->g->dev);
	return PE_SYSREG_OK;
}

static const struct pe_sysreg_ops icc_ops = {.read = icc_read, .write = icc_write};

void gicv3_cpuif_init(struct gicv3 *g)
{
	for (unsigned n = 0; n < ARRAY_COUNT(icc_regs); n++) {
		g->icc[n] = (struct icc_binding){g, &icc_regs[n]};
		pe_sysreg_add(g->dev.host->pes, icc_regs[n].sysreg, &icc_ops, &g->icc[n]);
	}
}

void gicv3_cpuif_reset(struct gicv3 *g)
{
	for (unsigned p = 0; p < g->core.pe_count; p++)
		for (enum gic_group grp = 0; grp < GIC_GROUPS; grp++)
			g->pe[p].bpr[grp] = bpr_min(grp);
}
