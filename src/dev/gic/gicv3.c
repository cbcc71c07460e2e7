/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv3: routing, signalling and the parts that distributor and redistributors share.
 *
 * Models Arm IHI 0069H (GICv3 and GICv4 architecture) without LPIs, ITS and virtualization:
 * affinity routing always on, 5 bits of priority, one or two Security states (GICD_CTLR.DS),
 * 1 of N routing, GICD_NSACR, system registers only. Not modelled: extended SPIs and PPIs, NMIs,
 * GICR_TYPER.DPGS, wake requests, the range selector of SGIs.
 *
 * GICR_WAKER.ProcessorSleep reads back but does not hold interrupts off: as on QEMU's and KVM's
 * GICs, software that never clears it still gets its interrupts.
 */
#include "dev/gic/gicv3_int.h"

#include "arm/sysreg.h"
#include "dev/dt.h"
#include "dev/gic/gicv3.h"
#include "util/bits.h"
#include "util/err.h"
#include "util/log.h"

#include <errno.h>
#include <string.h>

/* ---- signalling ---- */

/* IHI 0069H 4.6.2 "Interrupt assignment to IRQ and FIQ signals", AArch64 EL3. */
static bool group_is_fiq(const struct gicv3 *g, const struct gicv3_pe *p, enum gic_group grp)
{
	if (grp == GIC_G0)
		return true;
	if (gicv3_ds(g))
		return false;
	if (p->el == 3)
		return true;
	return p->secure != (grp == GIC_G1S);
}

static void signal_pe(struct gicv3 *g, unsigned pe)
{
	struct gicv3_pe *p = &g->pe[pe];
	const struct gic_pe *s = &g->core.pe[pe];
	bool fiq = false, irq = false;

	if (s->hppi != GIC_SPURIOUS && gic_preempts(s, p->pmr, gicv3_hppi_mask(g, pe))) {
		fiq = group_is_fiq(g, p, gic_group_of(&g->core, pe, s->hppi));
		irq = !fiq;
	}
	if (irq != p->irq)
		pe_irq(g->dev.host->pes, pe, HV_IRQ, irq);
	if (fiq != p->fiq)
		pe_irq(g->dev.host->pes, pe, HV_FIQ, fiq);
	p->irq = irq;
	p->fiq = fiq;
}

void gicv3_signal(struct gicv3 *g, unsigned pes)
{
	for (; pes; pes &= pes - 1)
		signal_pe(g, (unsigned)__builtin_ctz(pes));
}

void gicv3_set_pe_state(struct dev *d, unsigned pe, uint8_t el, bool secure, bool scr_fiq)
{
	struct gicv3 *g = gicv3_of(d);

	if (pe >= g->core.pe_count)
		return;
	dev_lock(d);
	g->pe[pe].el = el;
	g->pe[pe].secure = secure;
	g->pe[pe].scr_fiq = scr_fiq;
	signal_pe(g, pe);
	dev_unlock(d);
}

/* ---- routing ---- */

static void route_to(struct gicv3 *g, unsigned intid, unsigned pes)
{
	uint32_t b = 1U << intid % 32;

	for (unsigned p = 0; p < g->core.pe_count; p++) {
		uint32_t *route = &g->core.pe[p].route[intid / 32];

		*route = pes & 1U << p ? *route | b : *route & ~b;
	}
}

void gicv3_route(struct gicv3 *g, unsigned intid)
{
	uint64_t r = g->irouter[intid - 32];
	uint32_t b = 1U << intid % 32;
	unsigned pes = 0;

	g->any[intid / 32] &= ~b;
	if (r & GICD_IROUTER_IRM)
		g->any[intid / 32] |= b;
	else
		for (unsigned p = 0; p < g->core.pe_count; p++)
			if (g->pe[p].affinity == (r & GICV3_AFFINITY))
				pes |= 1U << p;
	route_to(g, intid, pes);
}

/* How badly a PE is placed to take an interrupt of priority @prio now. */
static unsigned busyness(const struct gicv3 *g, unsigned pe, uint8_t prio)
{
	uint8_t run = gic_running(&g->core.pe[pe]);

	return (prio >= g->pe[pe].pmr) * 512U + (run == GIC_PRIO_IDLE ? 0 : 256U - run);
}

/* A 1 of N interrupt stays with its PE as long as that one takes its group; else it goes to the
 * least busy PE that does. IHI 0069H 3.4.1 leaves the choice to the implementation. */
static void pick_pe(struct gicv3 *g, unsigned intid)
{
	unsigned group = 1U << gic_group_of(&g->core, 0, intid);
	uint8_t prio = *gic_prio(&g->core, 0, intid);
	unsigned best = 0, cost = ~0U;

	for (unsigned p = 0; p < g->core.pe_count; p++) {
		const struct gic_pe *s = &g->core.pe[p];
		unsigned c = busyness(g, p, prio);

		if (!(s->groups & group))
			continue;
		if (s->ready[intid / 32] >> intid % 32 & 1)
			return;
		if (c < cost) {
			cost = c;
			best = 1U << p;
		}
	}
	route_to(g, intid, best);
}

static void pick_pes(struct gicv3 *g, unsigned word)
{
	const struct gic_irqs *i = &g->core.irqs;
	unsigned row = gic_row(0, word);
	uint32_t b = g->any[word] & gic_pending(i, row) & i->enable[row] & ~i->active[row];

	for (; b; b &= b - 1)
		pick_pe(g, word * 32 + (unsigned)__builtin_ctz(b));
}

void gicv3_refresh(struct gicv3 *g, unsigned pe, unsigned word)
{
	if (g->any[word])
		pick_pes(g, word);
	gicv3_signal(g, gic_refresh(&g->core, pe, word));
}

void gicv3_refresh_prio(struct gicv3 *g, unsigned pe, unsigned word)
{
	gicv3_signal(g, gic_refresh_prio(&g->core, pe, word));
}

void gicv3_refresh_groups(struct gicv3 *g)
{
	static const uint32_t enables[GIC_GROUPS] = {
		[GIC_G0] = GICD_CTLR_ENABLE_G0,
		[GIC_G1S] = GICD_CTLR_ENABLE_G1S,
		[GIC_G1NS] = GICD_CTLR_ENABLE_G1NS,
	};

	for (unsigned p = 0; p < g->core.pe_count; p++) {
		g->core.pe[p].groups = 0;
		for (unsigned grp = 0; grp < GIC_GROUPS; grp++)
			if (g->pe[p].grpen[grp] && g->ctlr & enables[grp])
				g->core.pe[p].groups |= (uint8_t)(1U << grp);
	}
	for (unsigned w = 1; w < g->core.words; w++)
		if (g->any[w])
			pick_pes(g, w);
	gic_refresh_all(&g->core);
	gicv3_signal(g, (1U << g->core.pe_count) - 1);
}

/* ---- registers of distributor and redistributors ---- */

unsigned gicv3_nsacr(const struct gicv3 *g, unsigned pe, unsigned intid)
{
	if (intid < 16)
		return g->pe[pe].nsacr >> 2 * intid & 3;
	return intid < 32 ? 0 : g->nsacr[(intid - 32) / 16] >> 2 * (intid % 16) & 3;
}

uint32_t gicv3_visible(const struct gicv3 *g, unsigned pe, unsigned word, bool secure,
		       unsigned level)
{
	uint32_t v = g->core.irqs.group[gic_row(pe, word)];

	if (secure || gicv3_ds(g))
		return ~0U;
	for (unsigned n = 0; n < 32 && level <= 3; n++)
		if (gicv3_nsacr(g, pe, word * 32 + n) >= level)
			v |= 1U << n;
	return v;
}

enum { NSACR_PEND = 1, NSACR_CLEAR = 2, NSACR_NEVER = 4 };

/* One bit per interrupt: which array, what a write does, from which GICD_NSACR value on it is open
 * to the Non-secure world. Indexed by offset / 0x80. */
enum bits_op { BITS_NONE, BITS_ASSIGN, BITS_SET, BITS_CLEAR };
static const struct {
	enum bits_op op;
	size_t array; /* in struct gic_irqs */
	uint8_t nsacr_read, nsacr_write;
	bool secure;
} bits_regs[] = {
#define IRQS(member) offsetof(struct gic_irqs, member)
	[0x080 / 0x80] = {BITS_ASSIGN, IRQS(group), NSACR_NEVER, NSACR_NEVER, true},
	[0x100 / 0x80] = {BITS_SET, IRQS(enable), NSACR_NEVER, NSACR_NEVER, false},
	[0x180 / 0x80] = {BITS_CLEAR, IRQS(enable), NSACR_NEVER, NSACR_NEVER, false},
	[0x200 / 0x80] = {BITS_SET, IRQS(latch), NSACR_PEND, NSACR_PEND, false},
	[0x280 / 0x80] = {BITS_CLEAR, IRQS(latch), NSACR_CLEAR, NSACR_CLEAR, false},
	[0x300 / 0x80] = {BITS_SET, IRQS(active), NSACR_CLEAR, NSACR_NEVER, false},
	[0x380 / 0x80] = {BITS_CLEAR, IRQS(active), NSACR_CLEAR, NSACR_NEVER, false},
	[0xd00 / 0x80] = {BITS_ASSIGN, IRQS(grpmod), NSACR_NEVER, NSACR_NEVER, true},
#undef IRQS
};

static uint32_t *bits_row(struct gicv3 *g, struct gicv3_at at, unsigned reg)
{
	if (reg >= ARRAY_COUNT(bits_regs) || bits_regs[reg].op == BITS_NONE)
		return NULL;
	return (uint32_t *)((char *)&g->core.irqs + bits_regs[reg].array) + gic_row(at.pe, at.word);
}

static uint32_t bits_open(const struct gicv3 *g, struct gicv3_at at, unsigned reg, bool write)
{
	if (bits_regs[reg].array == offsetof(struct gic_irqs, grpmod) && gicv3_ds(g))
		return 0;
	if (bits_regs[reg].secure && !at.secure && !gicv3_ds(g))
		return 0;
	return gicv3_visible(g, at.pe, at.word, at.secure,
			     write ? bits_regs[reg].nsacr_write : bits_regs[reg].nsacr_read);
}

bool gicv3_bits_read(struct gicv3 *g, struct gicv3_at at, uint64_t offset, uint32_t *value)
{
	unsigned reg = (unsigned)offset / 0x80;
	const uint32_t *row = bits_row(g, at, reg);

	if (!row)
		return false;
	*value = *row;
	if (bits_regs[reg].array == offsetof(struct gic_irqs, latch))
		*value = gic_pending(&g->core.irqs, gic_row(at.pe, at.word));
	*value &= bits_open(g, at, reg, false);
	return true;
}

bool gicv3_bits_write(struct gicv3 *g, struct gicv3_at at, uint64_t offset, uint32_t value)
{
	unsigned reg = (unsigned)offset / 0x80;
	uint32_t *row = bits_row(g, at, reg);
	uint32_t open;

	if (!row)
		return false;
	open = bits_open(g, at, reg, true);
	switch (bits_regs[reg].op) {
	case BITS_SET:
		*row |= value & open;
		break;
	case BITS_CLEAR:
		*row &= ~(value & open);
		break;
	default:
		*row = (*row & ~open) | (value & open);
		break;
	}
	gicv3_refresh(g, at.pe, at.word);
	if (bits_regs[reg].op == BITS_ASSIGN) /* the group of a HPPI may have changed */
		gicv3_signal(g, (1U << g->core.pe_count) - 1);
	return true;
}

uint32_t gicv3_prio_read(struct gicv3 *g, unsigned pe, unsigned intid, unsigned size, bool secure)
{
	uint32_t open = gicv3_visible(g, pe, intid / 32, secure, NSACR_NEVER);
	bool ns = !secure && !gicv3_ds(g);
	uint32_t value = 0;

	for (unsigned n = 0; n < size; n++) {
		uint8_t prio = *gic_prio(&g->core, pe, intid + n);

		if (open >> (intid + n) % 32 & 1)
			value |= (uint32_t)(ns ? gic_prio_to_ns(prio) : prio) << 8 * n;
	}
	return value;
}

void gicv3_prio_write(struct gicv3 *g, unsigned pe, unsigned intid, unsigned size, uint32_t value,
		      bool secure)
{
	uint32_t open = gicv3_visible(g, pe, intid / 32, secure, NSACR_NEVER);
	bool ns = !secure && !gicv3_ds(g);

	for (unsigned n = 0; n < size; n++) {
		uint8_t prio = (uint8_t)(value >> 8 * n);

		if (open >> (intid + n) % 32 & 1)
			*gic_prio(&g->core, pe, intid + n) = ns ? gic_prio_from_ns(prio)
								: prio & GIC_PRIO_MASK;
	}
	gicv3_refresh_prio(g, pe, intid / 32);
}

uint32_t gicv3_id_read(uint64_t offset, uint8_t part)
{
	/* PIDR4-7, PIDR0-3, CIDR0-3: JEP106 code of Arm, architecture revision 3 in PIDR2. */
	static const uint8_t id[] = {0x44, 0, 0, 0, 0, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1};

	if (offset < 0xffd0 || offset > 0xfffc)
		return 0;
	return offset == 0xffe0 ? part : id[(offset - 0xffd0) / 4];
}

/* ---- component ---- */

static void gicv3_irq_input(struct dev *d, uint32_t input, bool level)
{
	struct gicv3 *g = gicv3_of(d);
	uint32_t ppi = input - GIC_INPUT_PPI;
	unsigned pe = 0, intid = 32 + input;

	if (input >= GIC_INPUT_PPI) {
		pe = ppi / IRQ_PPI_STRIDE;
		intid = 16 + ppi % IRQ_PPI_STRIDE;
		if (pe >= g->core.pe_count || intid >= 32)
			return;
	} else if (input >= g->spis) {
		return;
	}
	gic_input(&g->core, pe, intid, level);
	gicv3_refresh(g, pe, intid / 32);
}

static unsigned gicv3_dt_cells(const struct dev *sink, const struct irq *w, uint32_t cells[4])
{
	cells[0] = w->kind && !strcmp(w->kind, "ppi");
	cells[1] = w->number;
	cells[2] = w->dt_flags;
	return 3;
}

static int gicv3_dt(struct dev *d, struct dt *dt)
{
	const struct gicv3 *g = gicv3_of(d);
	int node = dt_node(dt, "intc", &g->dist_base);

	dt_str(dt, node, "compatible", "arm,gic-v3");
	dt_empty(dt, node, "interrupt-controller");
	dt_u32(dt, node, "#interrupt-cells", 3);
	dt_u32(dt, node, "#redistributor-regions", 1);
	dt_reg_of(dt, node, d);
	dt_u32(dt, node, "#address-cells", 2);
	dt_u32(dt, node, "#size-cells", 2);
	dt_empty(dt, node, "ranges");
	dt_phandle(dt, node, d);
	return dt->error;
}

static void gicv3_reset(struct dev *d)
{
	struct gicv3 *g = gicv3_of(d);

	dev_state_reset(d);
	gic_reset(&g->core);
	g->ctlr = g->security ? GICD_CTLR_ARE_S | GICD_CTLR_ARE_NS : GICD_CTLR_ARE_S | GICD_CTLR_DS;
	memset(g->any, 0, sizeof(g->any));
	for (unsigned n = 0; n < g->spis; n++)
		gicv3_route(g, 32 + n);
	gicv3_cpuif_reset(g);
	for (unsigned p = 0; p < g->core.pe_count; p++) {
		g->pe[p].irq = g->pe[p].fiq = false;
		pe_irq(d->host->pes, p, HV_IRQ, false);
		pe_irq(d->host->pes, p, HV_FIQ, false);
	}
	gicv3_refresh_groups(g);
}

/* Before the PEs run the state may have been written from outside (a snapshot): build the caches
 * from it. */
static void gicv3_running(struct dev *d, bool run)
{
	struct gicv3 *g = gicv3_of(d);

	if (!run)
		return;
	for (unsigned n = 0; n < g->spis; n++)
		gicv3_route(g, 32 + n);
	for (unsigned w = 0; w < g->core.words; w++)
		for (unsigned p = 0; p < g->core.pe_count; p++)
			gic_refresh_prio(&g->core, p, w);
	gicv3_refresh_groups(g);
}

static int gicv3_init(struct dev *d, struct err *e)
{
	struct gicv3 *g = gicv3_of(d);
	struct pe_set *pes = d->host->pes;

	if (!pes)
		return err_set(e, -EINVAL, d->where, "%s: no PEs", d->name);
	if (pe_count(pes) > GIC_PE_MAX)
		return err_set(e, -EINVAL, d->where, "%s: %u PEs, at most %d can be served",
			       d->name, pe_count(pes), GIC_PE_MAX);
	if (g->spis % 32)
		return err_set(e, -EINVAL, d->where, "%s: spis=%u is not a multiple of 32", d->name,
			       g->spis);
	g->core.pe_count = pe_count(pes);
	g->core.words = 1 + g->spis / 32;
	g->el3 = pe_highest_el(pes) == 3;
	for (unsigned p = 0; p < g->core.pe_count; p++) {
		g->pe[p].affinity = pe_mpidr(pes, p) & GICV3_AFFINITY;
		g->pe[p].el = (uint8_t)pe_highest_el(pes);
		g->pe[p].secure = g->el3;
		/* Without EL3 of their own they see a GIC with Secure interrupts from outside. */
		g->pe[p].scr_fiq = !g->el3;
	}
	gicv3_cpuif_init(g);
	pe_id_field(pes, SYS_ID_AA64PFR0_EL1, 27, 24, 1); /* GIC */
	return 0;
}

static uint64_t redist_size(const struct dev *d)
{
	return (d->host->pes ? pe_count(d->host->pes) : 1) * (uint64_t)GICR_STRIDE;
}

bool gicv3_check(struct dev *d)
{
	struct gicv3 *g = gicv3_of(d);

	if (!gic_check(&g->core))
		return false;
	for (unsigned p = 0; p < g->core.pe_count; p++) {
		struct gicv3_pe *s = &g->pe[p];
		bool irq = s->irq, fiq = s->fiq;

		signal_pe(g, p);
		if (irq != s->irq || fiq != s->fiq)
			return false;
	}
	return true;
}

#define PROP(n, k, m, ...)                                                                         \
	{                                                                                          \
		.name = n, .kind = k, .offset = offsetof(struct gicv3, m), __VA_ARGS__             \
	}
static const struct prop gicv3_props[] = {
	PROP("dist", PROP_U64, dist_base, .required = true,
	     .help = "address of the distributor, 64 KiB"),
	PROP("redist", PROP_U64, redist_base, .required = true,
	     .help = "address of the redistributors, 128 KiB for each PE"),
	PROP("spis", PROP_U32, spis, .def = "256", .min = 32, .max = GIC_SPI_MAX,
	     .help = "number of shared peripheral interrupts, a multiple of 32"),
	PROP("security", PROP_BOOL, security, .def = "false",
	     .help = "two Security states (else GICD_CTLR.DS is fixed to 1)"),
	PROP("root", PROP_BOOL, root, .def = "false",
	     .help = "interrupt parent of the whole device tree"),
	{0},
};

static const struct dev_region gicv3_regions[] = {
	{.name = "dist",
	 .address_offset = offsetof(struct gicv3, dist_base),
	 .size = GICD_SIZE,
	 .min_width = 1,
	 .max_width = 8,
	 .read = gicv3_dist_read,
	 .write = gicv3_dist_write},
	{.name = "redist",
	 .address_offset = offsetof(struct gicv3, redist_base),
	 .size_fn = redist_size,
	 .min_width = 1,
	 .max_width = 8,
	 .read = gicv3_redist_read,
	 .write = gicv3_redist_write},
	{0},
};

static const struct dev_irq_in gicv3_irq_in[] = {
	{.kind = "spi", .first = GIC_INPUT_SPI, .count = GIC_SPI_MAX, .dt_cells = gicv3_dt_cells},
	{.kind = "ppi", .first = GIC_INPUT_PPI, .count = 16, .dt_cells = gicv3_dt_cells},
	{0},
};

/* Rows are the private ones of each PE, then the SPIs (gic.h). */
#define STATE(n, m, s, c)                                                                          \
	{                                                                                          \
		.name = n, .offset = offsetof(struct gicv3, m), .size = s, .count = c              \
	}
#define STATE_RESET(n, m, s, r)                                                                    \
	{                                                                                          \
		.name = n, .offset = offsetof(struct gicv3, m), .size = s, .reset = r              \
	}
#define STATE_PE(p)                                                                                \
	STATE_RESET("PE" #p ".GICR_WAKER", pe[p].waker, 4,                                         \
		    GICR_WAKER_PROCESSOR_SLEEP | GICR_WAKER_CHILDREN_ASLEEP),                      \
		STATE("PE" #p ".GICR_NSACR", pe[p].nsacr, 4, 1),                                   \
		STATE("PE" #p ".ICC_PMR_EL1", pe[p].pmr, 1, 1),                                    \
		STATE("PE" #p ".ICC_BPR_EL1", pe[p].bpr, 1, GIC_GROUPS),                           \
		STATE("PE" #p ".ICC_IGRPEN_EL1", pe[p].grpen, 1, GIC_GROUPS),                      \
		STATE("PE" #p ".ICC_CTLR_EL1", pe[p].ctlr, 1, GICV3_BANKS),                        \
		STATE("PE" #p ".ICC_CTLR_EL3.EOImode_EL3", pe[p].eoimode_el3, 1, 1),               \
		STATE("PE" #p ".ICC_APR_EL1", core.pe[p].apr, 4, GIC_GROUPS)

static const struct dev_state gicv3_state[] = {
	STATE("GICD_CTLR", ctlr, 4, 1),
	STATE("IGROUPR", core.irqs.group, 4, GIC_ROWS),
	STATE("IGRPMODR", core.irqs.grpmod, 4, GIC_ROWS),
	STATE("ISENABLER", core.irqs.enable, 4, GIC_ROWS),
	STATE("ISPENDR", core.irqs.latch, 4, GIC_ROWS),
	{.name = "level",
	 .offset = offsetof(struct gicv3, core.irqs.level),
	 .size = 4,
	 .count = GIC_ROWS,
	 .keep = true},
	STATE("ISACTIVER", core.irqs.active, 4, GIC_ROWS),
	STATE("ICFGR", core.irqs.edge, 4, GIC_ROWS),
	STATE("IPRIORITYR", core.irqs.prio, 1, GIC_ROWS * 32),
	STATE("GICD_NSACR", nsacr, 4, GIC_SPI_MAX / 16),
	STATE("GICD_IROUTER", irouter, 8, GIC_SPI_MAX),
	STATE_PE(0),
	STATE_PE(1),
	STATE_PE(2),
	STATE_PE(3),
	STATE_PE(4),
	STATE_PE(5),
	STATE_PE(6),
	STATE_PE(7),
	{0},
};
_Static_assert(GIC_PE_MAX == 8, "one STATE_PE for each");

const struct component gicv3_component = {
	.type = "GICV3",
	.doc = "Arm Generic Interrupt Controller, version 3",
	.size = sizeof(struct gicv3),
	.props = gicv3_props,
	.regions = gicv3_regions,
	.irq_in = gicv3_irq_in,
	.state = gicv3_state,
	.init = gicv3_init,
	.reset = gicv3_reset,
	.irq_input = gicv3_irq_input,
	.dt = gicv3_dt,
	.running = gicv3_running,
};
