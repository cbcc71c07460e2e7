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

#include <string.h>

/* ---- signalling ---- */

/* IHI 0069H 4.6.2 "Interrupt assignment to IRQ and FIQ signals", AArch64 EL3. Where it depends on what the PE
 * does, the PE decides. */
static enum hv_line line_of(const struct gicv3 *g, enum gic_group grp)
{
	if (grp == GIC_G0)
		return HV_FIQ;
	if (gicv3_ds(g))
		return HV_IRQ;
	if (grp == GIC_G1S)
		return g->el3 ? HV_G1S : HV_FIQ;
	return g->el3 ? HV_G1NS : HV_IRQ;
}

void gicv3_drive(struct gicv3 *g, unsigned pe, uint8_t lines, uint8_t which)
{
	struct gicv3_pe *p = &g->pe[pe];
	uint8_t changed = (p->lines ^ lines) & which;

	for (unsigned l = 0; l < HV_LINE_COUNT; l++)
		if (changed & 1U << l)
			pe_irq(g->dev.host->pes, pe, (enum hv_line)l, lines & 1U << l);
	p->lines ^= changed;
}

static void signal_pe(struct gicv3 *g, unsigned pe)
{
	struct gicv3_pe *p = &g->pe[pe];
	const struct gic_pe *s = &g->core.pe[pe];
	uint8_t lines = 0;

	if (s->hppi != GIC_SPURIOUS && gic_preempts(s, p->pmr, gicv3_hppi_mask(g, pe)))
		lines = (uint8_t)(1U << line_of(g, gic_group_of(&g->core, pe, s->hppi)));
	gicv3_drive(g, pe, lines, GICV3_PHYSICAL);
}

void gicv3_signal(struct gicv3 *g, unsigned pes)
{
	for (; pes; pes &= pes - 1)
		signal_pe(g, (unsigned)__builtin_ctz(pes));
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
		if (s->route[intid / 32] & s->ready[intid / 32] & 1U << intid % 32)
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
		       enum gicv3_nsacr_level level)
{
	uint32_t v = g->core.irqs.group[gic_row(pe, word)];

	if (secure || gicv3_ds(g))
		return ~0U;
	for (unsigned n = 0; n < 32 && level < GICV3_NSACR_NEVER; n++)
		if (gicv3_nsacr(g, pe, word * 32 + n) >= level)
			v |= 1U << n;
	return v;
}

/* From which NSACR value on a register is open to the Non-secure world: reads, writes. */
static const uint8_t bits_nsacr[GIC_BITS_COUNT][2] = {
	[GIC_IGROUPR] = {GICV3_NSACR_NEVER, GICV3_NSACR_NEVER},
	[GIC_ISENABLER] = {GICV3_NSACR_NEVER, GICV3_NSACR_NEVER},
	[GIC_ICENABLER] = {GICV3_NSACR_NEVER, GICV3_NSACR_NEVER},
	[GIC_ISPENDR] = {GICV3_NSACR_PEND, GICV3_NSACR_PEND},
	[GIC_ICPENDR] = {GICV3_NSACR_CLEAR, GICV3_NSACR_CLEAR},
	[GIC_ISACTIVER] = {GICV3_NSACR_CLEAR, GICV3_NSACR_NEVER},
	[GIC_ICACTIVER] = {GICV3_NSACR_CLEAR, GICV3_NSACR_NEVER},
	[GIC_IGRPMODR] = {GICV3_NSACR_NEVER, GICV3_NSACR_NEVER},
};

static uint32_t bits_open(const struct gicv3 *g, struct gicv3_at at, enum gic_bits reg, bool write)
{
	bool grouping = reg == GIC_IGROUPR || reg == GIC_IGRPMODR;

	if (gicv3_ds(g))
		return reg == GIC_IGRPMODR ? 0 : ~0U;
	if (grouping && !at.secure)
		return 0;
	return gicv3_visible(g, at.pe, at.word, at.secure, bits_nsacr[reg][write]);
}

bool gicv3_bits_read(struct gicv3 *g, struct gicv3_at at, uint64_t offset, uint32_t *value)
{
	enum gic_bits reg = (enum gic_bits)(offset / 0x80);

	if (!gic_is_bits(offset))
		return false;
	*value = gic_bits_read(&g->core, gic_row(at.pe, at.word), reg,
			       bits_open(g, at, reg, false));
	return true;
}

bool gicv3_bits_write(struct gicv3 *g, struct gicv3_at at, uint64_t offset, uint32_t value)
{
	enum gic_bits reg = (enum gic_bits)(offset / 0x80);

	if (!gic_is_bits(offset))
		return false;
	gic_bits_write(&g->core, gic_row(at.pe, at.word), reg, value, bits_open(g, at, reg, true));
	gicv3_refresh(g, at.pe, at.word);
	if (reg == GIC_IGROUPR || reg == GIC_IGRPMODR) /* the HPPI may be of another group now */
		gicv3_signal(g, (1U << g->core.pe_count) - 1);
	return true;
}

uint32_t gicv3_prio_read(struct gicv3 *g, unsigned pe, unsigned intid, unsigned size, bool secure)
{
	return gic_prio_read(&g->core, pe, intid, size,
			     gicv3_visible(g, pe, intid / 32, secure, GICV3_NSACR_NEVER),
			     !secure && !gicv3_ds(g));
}

void gicv3_prio_write(struct gicv3 *g, unsigned pe, unsigned intid, unsigned size, uint32_t value,
		      bool secure)
{
	gic_prio_write(&g->core, pe, intid, size, value,
		       gicv3_visible(g, pe, intid / 32, secure, GICV3_NSACR_NEVER),
		       !secure && !gicv3_ds(g));
	gicv3_signal(g, gic_refresh_prio(&g->core, pe, intid / 32));
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
	unsigned pe, intid;

	if (!gic_input_decode(&g->core, input, &pe, &intid))
		return;
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
	if (d->host->pes && pe_els(d->host->pes) & 1 << 2) /* maintenance */
		dt_cells(dt, node, "interrupts", (const uint32_t[]){1, GICV3_MAINTENANCE - 16, 4},
			 3);
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
	gicv3_virt_reset(g);
	for (unsigned p = 0; p < g->core.pe_count; p++) {
		g->pe[p].lines = (uint8_t)~0U; /* whatever they were */
		gicv3_drive(g, p, 0, (1U << HV_LINE_COUNT) - 1);
		g->pe[p].lines = 0;
	}
	gicv3_refresh_groups(g);
}

/* Linux, Documentation/arch/arm64/booting.rst. SCR_EL3.FIQ is 0, so ICC_PMR_EL1 is the Non-secure world's own. */
static void gicv3_hand_over(struct dev *d)
{
	struct gicv3 *g = gicv3_of(d);

	if (!g->security)
		return;
	gic_hand_over(&g->core);
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
	gic_reselect_all(&g->core);
	gicv3_refresh_groups(g);
}

static int gicv3_check(struct dev *d, struct err *e)
{
	return gic_check(d, gicv3_of(d)->spis, e);
}

static int gicv3_init(struct dev *d, struct err *e)
{
	struct gicv3 *g = gicv3_of(d);
	struct pe_set *pes = d->host->pes;
	int r = gic_init(&g->core, d, g->spis, e);

	if (r)
		return r;
	g->el3 = pe_highest_el(pes) == 3;
	for (unsigned p = 0; p < g->core.pe_count; p++)
		g->pe[p].affinity = pe_mpidr(pes, p) & GICV3_AFFINITY;
	gicv3_cpuif_init(g);
	gicv3_virt_init(g);
	pe_id_field(pes, SYS_ID_AA64PFR0_EL1, 27, 24, 1); /* GIC */
	return 0;
}

static uint64_t redist_size(const struct dev *d)
{
	return (d->host->pes ? pe_count(d->host->pes) : 1) * (uint64_t)GICR_STRIDE;
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
	{.name = NULL},
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
	{.name = NULL},
};

static const struct dev_irq_in gicv3_irq_in[] = {
	{.kind = "spi",
	 .first = GIC_INPUT_SPI,
	 .count = GIC_SPI_MAX,
	 .count_prop = "spis",
	 .dt_cells = gicv3_dt_cells},
	{.kind = "ppi", .first = GIC_INPUT_PPI, .count = 16, .dt_cells = gicv3_dt_cells},
	{.kind = NULL},
};

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
		STATE("PE" #p ".ICC_APR_EL1", core.pe[p].apr, 4, GIC_GROUPS),                      \
		STATE("PE" #p ".ICH_HCR_EL2", pe[p].virt.hcr, 4, 1),                               \
		STATE("PE" #p ".ICH_VMCR_EL2", pe[p].virt.vmcr, 4, 1),                             \
		STATE("PE" #p ".ICH_APR_EL2", pe[p].virt.apr, 4, 2),                               \
		STATE("PE" #p ".ICH_LR_EL2", pe[p].virt.lr, 8, GICV3_LRS),                         \
		STATE("PE" #p ".maintenance", pe[p].virt.maintenance, 1, 1)

static const struct dev_state gicv3_state[] = {
	STATE("GICD_CTLR", ctlr, 4, 1),
	GIC_STATE(struct gicv3, core),
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
	{.name = NULL},
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
	.check = gicv3_check,
	.init = gicv3_init,
	.reset = gicv3_reset,
	.hand_over = gicv3_hand_over,
	.irq_input = gicv3_irq_input,
	.dt = gicv3_dt,
	.running = gicv3_running,
};
