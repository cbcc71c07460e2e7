/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv2: routing and signalling; distributor and CPU interface are in files of their own.
 *
 * Models Arm IHI 0048B.b (GIC architecture version 2) as the GIC-400 implements it: grouping, with
 * or without Security Extensions, 5 bits of priority, 1 to 8 PEs. Not modelled: virtualization
 * (GICH, GICV), GICD_NSACR, lockable SPIs, bypass of the CPU interface by legacy interrupt inputs.
 */
#include "dev/gic/gicv2_int.h"

#include "arm/sysreg.h"
#include "dev/dt.h"
#include "util/err.h"

#include <errno.h>
#include <string.h>

/* ---- signalling ---- */

static void signal_pe(struct gicv2 *g, unsigned pe)
{
	struct gicv2_pe *p = &g->pe[pe];
	const struct gic_pe *s = &g->core.pe[pe];
	bool fiq = false, irq = false;

	if (s->hppi != GIC_SPURIOUS && gic_preempts(s, p->pmr, gicv2_hppi_mask(g, pe))) {
		fiq = p->ctlr & GICC_CTLR_FIQEN && gic_group_of(&g->core, pe, s->hppi) == GIC_G0;
		irq = !fiq;
	}
	if (irq != p->irq)
		pe_irq(g->dev.host->pes, pe, HV_IRQ, irq);
	if (fiq != p->fiq)
		pe_irq(g->dev.host->pes, pe, HV_FIQ, fiq);
	p->irq = irq;
	p->fiq = fiq;
}

void gicv2_signal(struct gicv2 *g, unsigned pes)
{
	for (; pes; pes &= pes - 1)
		signal_pe(g, (unsigned)__builtin_ctz(pes));
}

void gicv2_refresh(struct gicv2 *g, unsigned pe, unsigned word)
{
	gicv2_signal(g, gic_refresh(&g->core, pe, word));
}

void gicv2_refresh_groups(struct gicv2 *g)
{
	for (unsigned p = 0; p < g->core.pe_count; p++) {
		/* The enables of groups 0 and 1 are bits 0 and 1 in both registers. */
		uint32_t both = g->ctlr & g->pe[p].ctlr;

		g->core.pe[p].groups = (uint8_t)((both & 1) << GIC_G0 | (both >> 1 & 1)
										<< GIC_G1NS);
	}
	gic_refresh_all(&g->core);
	gicv2_signal(g, (1U << g->core.pe_count) - 1);
}

void gicv2_route(struct gicv2 *g, unsigned intid)
{
	/* With one PE there is nothing to choose, and ITARGETSR is RAZ/WI (4.3.12). */
	uint8_t targets = g->core.pe_count == 1 ? 1 : g->targets[intid - 32];
	uint32_t b = 1U << intid % 32;

	for (unsigned p = 0; p < g->core.pe_count; p++) {
		uint32_t *route = &g->core.pe[p].route[intid / 32];

		*route = targets >> p & 1 ? *route | b : *route & ~b;
	}
}

/* ---- component ---- */

static void gicv2_irq_input(struct dev *d, uint32_t input, bool level)
{
	struct gicv2 *g = gicv2_of(d);
	unsigned pe, intid;

	if (!gic_input_decode(&g->core, input, &pe, &intid))
		return;
	gic_input(&g->core, pe, intid, level);
	gicv2_refresh(g, pe, intid / 32);
}

/* PPIs carry the set of PEs in bits 15:8 of the flags. */
static unsigned gicv2_dt_cells(const struct dev *sink, const struct irq *w, uint32_t cells[4])
{
	const struct gicv2 *g = (const struct gicv2 *)sink;
	unsigned count = g->dev.host->pes ? pe_count(g->dev.host->pes) : 1;

	cells[0] = w->kind && !strcmp(w->kind, "ppi");
	cells[1] = w->number;
	cells[2] = w->dt_flags;
	if (cells[0])
		cells[2] |= ((1U << count) - 1) << 8;
	return 3;
}

static int gicv2_dt(struct dev *d, struct dt *dt)
{
	const struct gicv2 *g = gicv2_of(d);
	int node = dt_node(dt, "intc", &g->dist_base);

	dt_str(dt, node, "compatible", "arm,cortex-a15-gic");
	dt_empty(dt, node, "interrupt-controller");
	dt_u32(dt, node, "#interrupt-cells", 3);
	dt_reg_of(dt, node, d);
	dt_u32(dt, node, "#address-cells", 2);
	dt_u32(dt, node, "#size-cells", 2);
	dt_empty(dt, node, "ranges");
	dt_phandle(dt, node, d);
	return dt->error;
}

static void route_all(struct gicv2 *g)
{
	for (unsigned n = 0; n < g->spis; n++)
		gicv2_route(g, 32 + n);
}

static void gicv2_reset(struct dev *d)
{
	struct gicv2 *g = gicv2_of(d);

	dev_state_reset(d);
	gic_reset(&g->core);
	route_all(g);
	for (unsigned p = 0; p < g->core.pe_count; p++) {
		g->core.irqs.enable[gic_row(p, 0)] = 0xffff; /* SGIs always are */
		g->pe[p].irq = g->pe[p].fiq = false;
		pe_irq(d->host->pes, p, HV_IRQ, false);
		pe_irq(d->host->pes, p, HV_FIQ, false);
	}
	gicv2_refresh_groups(g);
}

/* Linux, Documentation/arch/arm64/booting.rst. While GICC_PMR is below 0x80, Non-secure writes do not change it
 * (IHI 0048B, 3.8.1). */
static void gicv2_hand_over(struct dev *d)
{
	struct gicv2 *g = gicv2_of(d);

	if (!g->security)
		return;
	gic_hand_over(&g->core);
	for (unsigned p = 0; p < g->core.pe_count; p++)
		g->pe[p].pmr = GIC_PRIO_MASK;
	gicv2_refresh_groups(g);
}

/* Before the PEs run the state may have been written from outside (a snapshot): build the caches
 * from it. */
static void gicv2_running(struct dev *d, bool run)
{
	struct gicv2 *g = gicv2_of(d);

	if (!run)
		return;
	route_all(g);
	gic_reselect_all(&g->core);
	gicv2_refresh_groups(g);
}

static int gicv2_check(struct dev *d, struct err *e)
{
	return gic_check(d, gicv2_of(d)->spis, e);
}

static int gicv2_init(struct dev *d, struct err *e)
{
	struct gicv2 *g = gicv2_of(d);

	/* Some hosts show their own GIC's system registers otherwise. */
	if (d->host->pes)
		pe_id_field(d->host->pes, SYS_ID_AA64PFR0_EL1, 27, 24, 0);
	return gic_init(&g->core, d, g->spis, e);
}

#define PROP(n, k, m, ...)                                                                         \
	{                                                                                          \
		.name = n, .kind = k, .offset = offsetof(struct gicv2, m), __VA_ARGS__             \
	}
static const struct prop gicv2_props[] = {
	PROP("dist", PROP_U64, dist_base, .required = true,
	     .help = "address of the distributor, 4 KiB"),
	PROP("cpu", PROP_U64, cpu_base, .required = true,
	     .help = "address of the CPU interface, 8 KiB"),
	PROP("spis", PROP_U32, spis, .def = "256", .min = 32, .max = GIC_SPI_MAX,
	     .help = "number of shared peripheral interrupts, a multiple of 32"),
	PROP("security", PROP_BOOL, security, .def = "false",
	     .help = "Security Extensions: group 0 belongs to the Secure world"),
	PROP("root", PROP_BOOL, root, .def = "false",
	     .help = "interrupt parent of the whole device tree"),
	{.name = NULL},
};

static const struct dev_region gicv2_regions[] = {
	{.name = "dist",
	 .address_offset = offsetof(struct gicv2, dist_base),
	 .size = 0x1000,
	 .min_width = 1,
	 .max_width = 4,
	 .read = gicv2_dist_read,
	 .write = gicv2_dist_write},
	{.name = "cpu",
	 .address_offset = offsetof(struct gicv2, cpu_base),
	 .size = 0x2000,
	 .min_width = 1,
	 .max_width = 4,
	 .read = gicv2_cpuif_read,
	 .write = gicv2_cpuif_write},
	{.name = NULL},
};

static const struct dev_irq_in gicv2_irq_in[] = {
	{.kind = "spi",
	 .first = GIC_INPUT_SPI,
	 .count = GIC_SPI_MAX,
	 .count_prop = "spis",
	 .dt_cells = gicv2_dt_cells},
	{.kind = "ppi", .first = GIC_INPUT_PPI, .count = 16, .dt_cells = gicv2_dt_cells},
	{.kind = NULL},
};

#define STATE(n, m, s, c, r)                                                                       \
	{                                                                                          \
		.name = n, .offset = offsetof(struct gicv2, m), .size = s, .count = c, .reset = r  \
	}
#define STATE_PE(p)                                                                                \
	STATE("PE" #p ".GICC_CTLR", pe[p].ctlr, 4, 1, 0),                                          \
		STATE("PE" #p ".GICC_PMR", pe[p].pmr, 1, 1, 0),                                    \
		STATE("PE" #p ".GICC_BPR", pe[p].bpr, 1, 1, GIC_BPR_MIN),                          \
		STATE("PE" #p ".GICC_ABPR", pe[p].abpr, 1, 1, GIC_BPR_MIN + 1),                    \
		STATE("PE" #p ".GICD_SPENDSGIR", pe[p].sgi_source, 1, 16, 0),                      \
		STATE("PE" #p ".GICC_APR", core.pe[p].apr, 4, GIC_GROUPS, 0)

static const struct dev_state gicv2_state[] = {
	STATE("GICD_CTLR", ctlr, 4, 1, 0),
	GIC_STATE(struct gicv2, core),
	STATE("GICD_ITARGETSR", targets, 1, GIC_SPI_MAX, 0),
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

const struct component gicv2_component = {
	.type = "GICV2",
	.doc = "Arm Generic Interrupt Controller, version 2",
	.size = sizeof(struct gicv2),
	.props = gicv2_props,
	.regions = gicv2_regions,
	.irq_in = gicv2_irq_in,
	.state = gicv2_state,
	.check = gicv2_check,
	.init = gicv2_init,
	.reset = gicv2_reset,
	.hand_over = gicv2_hand_over,
	.irq_input = gicv2_irq_input,
	.dt = gicv2_dt,
	.running = gicv2_running,
};
