/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the GICv2 model share. */
#ifndef DEV_GIC_GICV2_INT_H
#define DEV_GIC_GICV2_INT_H

#include "dev/component.h"
#include "dev/gic/gic.h"
#include "pe/pe.h"

enum {
	/* GICC_CTLR as Secure software sees it; kept in this layout. */
	GICC_CTLR_ENABLE_GRP0 = 1 << 0,
	GICC_CTLR_ENABLE_GRP1 = 1 << 1,
	GICC_CTLR_ACKCTL = 1 << 2,
	GICC_CTLR_FIQEN = 1 << 3,
	GICC_CTLR_CBPR = 1 << 4,
	GICC_CTLR_EOIMODE_S = 1 << 9, /* the only one without Security Extensions */
	GICC_CTLR_EOIMODE_NS = 1 << 10,
};

struct gicv2_pe {
	uint32_t ctlr; /* GICC_CTLR */
	uint8_t pmr;
	uint8_t bpr, abpr;
	uint8_t sgi_source[16]; /* per SGI: the PEs that wait for it to be taken here */
	/* Outputs as driven. */
	bool irq, fiq;
};

/* Group 1 is GIC_G1NS of the common part, also without Security Extensions. */
struct gicv2 {
	struct dev dev;
	/* properties */
	uint64_t dist_base, cpu_base;
	uint32_t spis;
	bool security, root;

	struct gic core;
	uint32_t ctlr;		      /* GICD_CTLR */
	uint8_t targets[GIC_SPI_MAX]; /* GICD_ITARGETSR */
	struct gicv2_pe pe[GIC_PE_MAX];
};

static inline struct gicv2 *gicv2_of(struct dev *d)
{
	return (struct gicv2 *)d;
}

/* Without Security Extensions every access sees what Secure ones do. */
static inline bool gicv2_secure(const struct gicv2 *g, struct mem_attrs attrs)
{
	return !g->security || attrs.secure;
}

/* ---- gicv2.c ---- */

/* After a change of @word (0: of PE @pe): caches and interrupt lines. */
void gicv2_refresh(struct gicv2 *g, unsigned pe, unsigned word);
/* After a change of a group enable. */
void gicv2_refresh_groups(struct gicv2 *g);
void gicv2_signal(struct gicv2 *g, unsigned pes);
/* Direct an SPI as its GICD_ITARGETSR says. The caller refreshes its word. */
void gicv2_route(struct gicv2 *g, unsigned intid);

/* ---- the frames ---- */

mem_read_fn gicv2_dist_read, gicv2_cpuif_read;
mem_write_fn gicv2_dist_write, gicv2_cpuif_write;
/* Mask of the group priority bits for the HPPI's group of a PE. */
uint8_t gicv2_hppi_mask(const struct gicv2 *g, unsigned pe);

#endif
