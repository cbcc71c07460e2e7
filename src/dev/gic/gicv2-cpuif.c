/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv2 CPU interface, Arm IHI 0048B.b 4.4, banked by the accessing PE; a device (DMA) gets an abort.
 * Registers are 32 bits wide; narrower accesses have no effect.
 */
#include "dev/gic/gicv2_int.h"

#include "util/bits.h"
#include "util/log.h"

enum {
	GICC_CTLR = 0x0000,
	GICC_PMR = 0x0004,
	GICC_BPR = 0x0008,
	GICC_IAR = 0x000c,
	GICC_EOIR = 0x0010,
	GICC_RPR = 0x0014,
	GICC_HPPIR = 0x0018,
	GICC_ABPR = 0x001c,
	GICC_AIAR = 0x0020,
	GICC_AEOIR = 0x0024,
	GICC_AHPPIR = 0x0028,
	GICC_APR0 = 0x00d0,
	GICC_NSAPR0 = 0x00e0,
	GICC_IIDR = 0x00fc,
	GICC_DIR = 0x1000,

	GIC400_GICC_IIDR = 0x0202143b,
	INTID_GROUP1 = 1022, /* a group 1 interrupt, to be read from GICC_AIAR */

	CTLR_BYPASS = 0xf << 5,
	CTLR_MASK = 0x1f | CTLR_BYPASS | GICC_CTLR_EOIMODE_S,
	/* The Non-secure view: EnableGrp1, the bypass bits of group 1, EOImodeNS, each moved. */
	CTLR_NS_ENABLE = 1 << 0,
	CTLR_NS_BYPASS = 3 << 5,
	CTLR_NS_EOIMODE = 1 << 9,
};

/* One access. */
struct access {
	struct gicv2 *g;
	struct gicv2_pe *p;
	struct gic_pe *s;
	unsigned pe;
	bool secure;
};

static void resignal(const struct access *a)
{
	gicv2_signal(a->g, 1U << a->pe);
}

/* ---- GICC_CTLR ---- */

static uint32_t ctlr_read(const struct access *a)
{
	uint32_t c = a->p->ctlr;

	if (a->secure)
		return c;
	return (c >> 1 & CTLR_NS_ENABLE) | (c >> 2 & CTLR_NS_BYPASS) | (c >> 1 & CTLR_NS_EOIMODE);
}

static void ctlr_write(const struct access *a, uint32_t value)
{
	uint32_t mask = CTLR_MASK;

	if (a->g->security)
		mask |= GICC_CTLR_EOIMODE_NS;
	if (!a->secure) {
		mask = CTLR_NS_ENABLE << 1 | CTLR_NS_BYPASS << 2 | CTLR_NS_EOIMODE << 1;
		value = (value & CTLR_NS_ENABLE) << 1 | (value & CTLR_NS_BYPASS) << 2 |
			(value & CTLR_NS_EOIMODE) << 1;
	}
	a->p->ctlr = (a->p->ctlr & ~mask) | (value & mask);
	gicv2_refresh_groups(a->g);
}

/* ---- priorities ---- */

/* 3.3.3: GICC_ABPR, and GICC_BPR as Non-secure software sees it, counts one more bit. */
uint8_t gicv2_hppi_mask(const struct gicv2 *g, unsigned pe)
{
	const struct gicv2_pe *p = &g->pe[pe];

	if (p->ctlr & GICC_CTLR_CBPR || gic_group_of(&g->core, pe, g->core.pe[pe].hppi) == GIC_G0)
		return gic_group_mask(p->bpr);
	return gic_group_mask(p->abpr - 1U);
}

static uint32_t pmr_read(const struct access *a)
{
	return a->secure ? a->p->pmr : gic_prio_to_ns(a->p->pmr);
}

static void pmr_write(const struct access *a, uint32_t value)
{
	if (a->secure)
		a->p->pmr = value & GIC_PRIO_MASK;
	else if (a->p->pmr & 0x80)
		a->p->pmr = gic_prio_from_ns((uint8_t)value);
	resignal(a);
}

static uint32_t abpr_read(const struct access *a)
{
	return a->secure ? a->p->abpr : 0;
}

static void set_abpr(const struct access *a, uint32_t value)
{
	uint8_t v = value & 7;

	a->p->abpr = v < GIC_BPR_MIN + 1 ? GIC_BPR_MIN + 1 : v;
	resignal(a);
}

static void abpr_write(const struct access *a, uint32_t value)
{
	if (a->secure)
		set_abpr(a, value);
}

static uint32_t bpr_read(const struct access *a)
{
	if (a->secure)
		return a->p->bpr;
	if (!(a->p->ctlr & GICC_CTLR_CBPR))
		return a->p->abpr;
	return a->p->bpr < 7 ? a->p->bpr + 1U : 7;
}

static void bpr_write(const struct access *a, uint32_t value)
{
	uint8_t v = value & 7;

	if (!a->secure) {
		if (!(a->p->ctlr & GICC_CTLR_CBPR))
			set_abpr(a, value);
		return;
	}
	a->p->bpr = v < GIC_BPR_MIN ? GIC_BPR_MIN : v;
	resignal(a);
}

static uint32_t rpr_read(const struct access *a)
{
	uint8_t v = gic_running(a->s);

	return a->secure || v == GIC_PRIO_IDLE ? v : gic_prio_to_ns(v);
}

/* Non-secure software sees the lower half of the priorities, which are the upper bits. */
static uint32_t apr_read(const struct access *a)
{
	return a->secure ? a->s->apr[GIC_G0] : a->s->apr[GIC_G1NS] >> 16;
}

static void apr_write(const struct access *a, uint32_t value)
{
	if (a->secure)
		a->s->apr[GIC_G0] = value;
	else
		a->s->apr[GIC_G1NS] = (a->s->apr[GIC_G1NS] & 0xffff) | value << 16;
	resignal(a);
}

static uint32_t nsapr_read(const struct access *a)
{
	return a->secure ? a->s->apr[GIC_G1NS] : 0;
}

static void nsapr_write(const struct access *a, uint32_t value)
{
	if (!a->secure)
		return;
	a->s->apr[GIC_G1NS] = value;
	resignal(a);
}

/* ---- acknowledge ---- */

/* INTID that GICC_IAR and GICC_HPPIR show (4.4.4, 4.4.8), or with @alias GICC_AIAR and GICC_AHPPIR. */
static unsigned visible_hppi(const struct access *a, bool alias)
{
	bool group1;

	if (a->s->hppi == GIC_SPURIOUS || (alias && !a->secure))
		return GIC_SPURIOUS;
	group1 = gic_group_of(&a->g->core, a->pe, a->s->hppi) != GIC_G0;
	if (alias || !a->secure)
		return group1 ? a->s->hppi : GIC_SPURIOUS;
	return group1 && !(a->p->ctlr & GICC_CTLR_ACKCTL) ? INTID_GROUP1 : a->s->hppi;
}

/* With the PE that sent it, if it is an SGI: one source at a time, the lowest first. */
static uint32_t with_source(const struct access *a, unsigned intid)
{
	uint8_t sources = intid < 16 ? a->p->sgi_source[intid] : 0;

	return sources ? intid | (uint32_t)__builtin_ctz(sources) << 10 : intid;
}

static uint32_t acknowledge(const struct access *a, bool alias)
{
	unsigned intid = visible_hppi(a, alias);
	uint8_t mask;
	uint32_t iar;

	if (intid == GIC_SPURIOUS)
		return GIC_SPURIOUS;
	mask = gicv2_hppi_mask(a->g, a->pe);
	if (!gic_preempts(a->s, a->p->pmr, mask))
		return GIC_SPURIOUS;
	if (intid == INTID_GROUP1)
		return intid;
	iar = with_source(a, intid);
	gic_activate(&a->g->core, a->pe, mask);
	if (intid < 16) {
		a->p->sgi_source[intid] &= a->p->sgi_source[intid] - 1;
		if (a->p->sgi_source[intid])
			a->g->core.irqs.latch[a->pe] |= 1U << intid;
	}
	gicv2_refresh(a->g, a->pe, intid / 32);
	resignal(a);
	LOG(irq, "%s: PE %u takes INTID %u", a->g->dev.name, a->pe, intid);
	return iar;
}

static uint32_t iar_read(const struct access *a)
{
	return acknowledge(a, false);
}

static uint32_t aiar_read(const struct access *a)
{
	return acknowledge(a, true);
}

static uint32_t hppir_read(const struct access *a)
{
	return with_source(a, visible_hppi(a, false));
}

static uint32_t ahppir_read(const struct access *a)
{
	return with_source(a, visible_hppi(a, true));
}

/* ---- end of interrupt ---- */

static bool eoi_split(const struct access *a)
{
	return a->p->ctlr & (a->secure ? GICC_CTLR_EOIMODE_S : GICC_CTLR_EOIMODE_NS);
}

/* The INTID, if there is such an interrupt and its group is one the access may end. */
static bool may_end(const struct access *a, uint32_t value, bool alias, unsigned *intid)
{
	*intid = value & 0x3ff;
	if (*intid >= 32 * a->g->core.words) {
		if (*intid < 1020)
			guest_error(a->g->dev.name, "PE %u: end of INTID %u, which is not there",
				    a->pe, *intid);
		return false;
	}
	if (a->secure && !alias)
		return true; /* group 1, too: with AckCtl 0 that is left open */
	return gic_group_of(&a->g->core, a->pe, *intid) != GIC_G0;
}

static void deactivate(const struct access *a, unsigned intid)
{
	gic_deactivate(&a->g->core, a->pe, intid);
	gicv2_refresh(a->g, a->pe, intid / 32);
}

static void end(const struct access *a, uint32_t value, bool alias)
{
	enum gic_group grp;
	unsigned intid;

	if (!may_end(a, value, alias, &intid))
		return;
	grp = gic_group_of(&a->g->core, a->pe, intid);
	if (!a->s->apr[grp]) {
		guest_error(a->g->dev.name, "PE %u: end of INTID %u, which is not running", a->pe,
			    intid);
		return;
	}
	gic_drop(a->s, grp);
	if (!eoi_split(a))
		deactivate(a, intid);
	resignal(a);
}

static void eoir_write(const struct access *a, uint32_t value)
{
	end(a, value, false);
}

static void aeoir_write(const struct access *a, uint32_t value)
{
	if (a->secure)
		end(a, value, true);
}

static void dir_write(const struct access *a, uint32_t value)
{
	unsigned intid;

	if (!may_end(a, value, false, &intid))
		return;
	if (!eoi_split(a))
		guest_error(a->g->dev.name, "PE %u: GICC_DIR with EOImode 0", a->pe);
	else
		deactivate(a, intid);
}

/* ---- dispatch ---- */

static uint32_t iidr_read(const struct access *a)
{
	return GIC400_GICC_IIDR;
}

static const struct reg {
	uint16_t offset;
	uint32_t (*read)(const struct access *a);
	void (*write)(const struct access *a, uint32_t value);
} regs[] = {
	{GICC_IAR, iar_read, NULL},	    {GICC_EOIR, NULL, eoir_write},
	{GICC_DIR, NULL, dir_write},	    {GICC_CTLR, ctlr_read, ctlr_write},
	{GICC_PMR, pmr_read, pmr_write},    {GICC_BPR, bpr_read, bpr_write},
	{GICC_RPR, rpr_read, NULL},	    {GICC_HPPIR, hppir_read, NULL},
	{GICC_ABPR, abpr_read, abpr_write}, {GICC_AIAR, aiar_read, NULL},
	{GICC_AEOIR, NULL, aeoir_write},    {GICC_AHPPIR, ahppir_read, NULL},
	{GICC_APR0, apr_read, apr_write},   {GICC_NSAPR0, nsapr_read, nsapr_write},
	{GICC_IIDR, iidr_read, NULL},
};

static const struct reg *find(const struct access *a, uint64_t offset, unsigned size)
{
	for (unsigned n = 0; n < ARRAY_COUNT(regs) && size == 4; n++)
		if (regs[n].offset == offset)
			return &regs[n];
	return NULL;
}

static struct access access_of(struct gicv2 *g, struct mem_attrs attrs)
{
	return (struct access){
		.g = g,
		.p = &g->pe[attrs.pe],
		.s = &g->core.pe[attrs.pe],
		.pe = attrs.pe,
		.secure = gicv2_secure(g, attrs),
	};
}

enum mem_result gicv2_cpuif_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value,
				 struct mem_attrs attrs)
{
	struct gicv2 *g = opaque;
	const struct reg *r;
	struct access a;

	*value = 0;
	if (attrs.dma || attrs.pe >= g->core.pe_count)
		return MEM_ERROR;
	a = access_of(g, attrs);
	r = find(&a, offset, size);
	if (r && r->read)
		*value = r->read(&a);
	else
		guest_error(g->dev.name, "GICC: no register for a %u-byte read at 0x%x", size,
			    (unsigned)offset);
	return MEM_OK;
}

enum mem_result gicv2_cpuif_write(void *opaque, uint64_t offset, unsigned size, uint64_t value,
				  struct mem_attrs attrs)
{
	struct gicv2 *g = opaque;
	const struct reg *r;
	struct access a;

	if (attrs.dma || attrs.pe >= g->core.pe_count)
		return MEM_ERROR;
	a = access_of(g, attrs);
	r = find(&a, offset, size);
	if (r && r->write)
		r->write(&a, (uint32_t)value);
	else
		guest_error(g->dev.name, "GICC: no register for a %u-byte write at 0x%x", size,
			    (unsigned)offset);
	return MEM_OK;
}
