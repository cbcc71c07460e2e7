/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv3 distributor, Arm IHI 0069H 12.9. What is not implemented reads as zero and ignores writes;
 * GICD_STATUSR and the legacy registers (ITARGETSR, SGIR, CPENDSGIR, SPENDSGIR) are among it.
 * Writes take effect at once, so GICD_CTLR.RWP is always 0.
 */
#include "dev/gic/gicv3_int.h"

#include "util/bits.h"
#include "util/log.h"

enum {
	GICD_CTLR = 0x000,
	GICD_TYPER = 0x004,
	GICD_IIDR = 0x008,
	GICD_TYPER2 = 0x00c,
	GICD_STATUSR = 0x010,
	GICD_SETSPI_NSR = 0x040,
	GICD_CLRSPI_NSR = 0x048,
	GICD_SETSPI_SR = 0x050,
	GICD_CLRSPI_SR = 0x058,
	GICD_IGROUPR = 0x080,
	GICD_IPRIORITYR = 0x400,
	GICD_ITARGETSR = 0x800,
	GICD_ICFGR = 0xc00,
	GICD_IGRPMODR = 0xd00,
	GICD_NSACR = 0xe00,
	GICD_SGIR = 0xf00,
	GICD_IROUTER = 0x6000,
	GICD_PIDR4 = 0xffd0,

	GICD_PART = 0x92, /* PIDR0 */
};

static uint32_t typer(const struct gicv3 *g)
{
	/* ITLinesNumber; SecurityExtn; IDbits: 10; A3V. No LPIs, MBIS, RSS or extended ranges. */
	return g->spis / 32 | (uint32_t)!gicv3_ds(g) << 10 | 9 << 19 | 1 << 24;
}

/* ---- GICD_CTLR: stored as Secure software sees it ---- */

static uint32_t ctlr_read(const struct gicv3 *g, bool secure)
{
	if (secure || gicv3_ds(g))
		return g->ctlr;
	/* EnableGrp1A keeps its place, ARE_NS moves to bit 4. */
	return (g->ctlr & GICD_CTLR_ENABLE_G1NS) | (g->ctlr & GICD_CTLR_ARE_NS) >> 1;
}

static void ctlr_write(struct gicv3 *g, uint32_t value, bool secure)
{
	uint32_t mask = GICD_CTLR_ENABLE_G1NS;

	if (gicv3_ds(g))
		mask |= GICD_CTLR_ENABLE_G0;
	else if (secure)
		mask |= GICD_CTLR_ENABLE_G0 | GICD_CTLR_ENABLE_G1S | GICD_CTLR_DS;
	g->ctlr = (g->ctlr & ~mask) | (value & mask);
	if (value & mask & GICD_CTLR_DS) {
		/* Until the next reset. What a single Security state has not becomes RES0. */
		g->ctlr &= ~(uint32_t)(GICD_CTLR_ENABLE_G1S | GICD_CTLR_ARE_NS);
		for (unsigned row = 0; row < GIC_ROWS; row++)
			g->core.irqs.grpmod[row] = 0;
	}
	gicv3_refresh_groups(g);
}

/* ---- message-based SPIs: an edge, or a level until it is cleared ---- */

static void message(struct gicv3 *g, unsigned intid, bool set, bool secure)
{
	struct gic_irqs *i = &g->core.irqs;
	unsigned row = gic_row(0, intid / 32);
	uint32_t b = 1U << intid % 32;

	if (intid < 32 || intid >= 32 * g->core.words ||
	    !(gicv3_visible(g, 0, intid / 32, secure, set ? GICV3_NSACR_PEND : GICV3_NSACR_CLEAR) &
	      b))
		return;
	if (!set) {
		i->latch[row] &= ~b;
		i->level[row] &= ~b;
	} else if (i->edge[row] & b) {
		i->latch[row] |= b;
	} else {
		i->level[row] |= b;
	}
	gicv3_refresh(g, 0, intid / 32);
}

static bool message_write(struct gicv3 *g, uint64_t offset, uint32_t value, bool secure)
{
	switch (offset) {
	case GICD_SETSPI_NSR:
	case GICD_CLRSPI_NSR:
		message(g, value & 0x3ff, offset == GICD_SETSPI_NSR, secure);
		return true;
	case GICD_SETSPI_SR:
	case GICD_CLRSPI_SR:
		if (secure && !gicv3_ds(g))
			message(g, value & 0x3ff, offset == GICD_SETSPI_SR, true);
		return true;
	default:
		return false;
	}
}

/* ---- GICD_IROUTER ---- */

/* The SPI whose register this is; false: none that the access may see. */
static bool irouter_intid(struct gicv3 *g, uint64_t offset, bool secure, unsigned *intid)
{
	if (offset < GICD_IROUTER || offset >= GICD_IROUTER + 1024 * 8)
		return false;
	*intid = (unsigned)(offset - GICD_IROUTER) / 8;
	return *intid >= 32 && *intid < 32 * g->core.words &&
	       gicv3_visible(g, 0, *intid / 32, secure, GICV3_NSACR_ROUTE) >> *intid % 32 & 1;
}

static void irouter_write(struct gicv3 *g, unsigned intid, uint64_t value)
{
	g->irouter[intid - 32] = value & (GICV3_AFFINITY | GICD_IROUTER_IRM);
	gicv3_route(g, intid);
	gicv3_refresh(g, 0, intid / 32);
}

/* ---- 32-bit registers by range; an SPI range starts after the private interrupts ---- */

/* @per: interrupts per 32-bit register. False: of no implemented SPI. */
static bool spi_range(const struct gicv3 *g, uint64_t offset, unsigned base, unsigned per,
		      unsigned *intid)
{
	*intid = (unsigned)(offset - base) / 4 * per;
	return *intid >= 32 && *intid < 32 * g->core.words;
}

static uint32_t read_spis(struct gicv3 *g, uint64_t offset, bool secure)
{
	unsigned n;
	uint32_t v = 0;

	if (offset >= GICD_NSACR && offset < GICD_SGIR)
		return spi_range(g, offset, GICD_NSACR, 16, &n) && secure && !gicv3_ds(g)
			       ? g->nsacr[(n - 32) / 16]
			       : 0;
	if (offset >= GICD_ICFGR && offset < GICD_IGRPMODR)
		return spi_range(g, offset, GICD_ICFGR, 16, &n)
			       ? gic_icfgr_read(
					 &g->core, gic_row(0, n / 32), n / 16 % 2,
					 gicv3_visible(g, 0, n / 32, secure, GICV3_NSACR_NEVER))
			       : 0;
	if (spi_range(g, offset & 0x7f, 0, 32, &n))
		gicv3_bits_read(g, (struct gicv3_at){0, n / 32, secure}, offset, &v);
	return v;
}

static void write_spis(struct gicv3 *g, uint64_t offset, uint32_t value, bool secure)
{
	unsigned n;

	if (offset >= GICD_NSACR && offset < GICD_SGIR) {
		if (spi_range(g, offset, GICD_NSACR, 16, &n) && secure && !gicv3_ds(g))
			g->nsacr[(n - 32) / 16] = value;
	} else if (offset >= GICD_ICFGR && offset < GICD_IGRPMODR) {
		if (!spi_range(g, offset, GICD_ICFGR, 16, &n))
			return;
		gic_icfgr_write(&g->core, gic_row(0, n / 32), n / 16 % 2, value,
				gicv3_visible(g, 0, n / 32, secure, GICV3_NSACR_NEVER));
		gicv3_refresh(g, 0, n / 32);
	} else if (spi_range(g, offset & 0x7f, 0, 32, &n)) {
		gicv3_bits_write(g, (struct gicv3_at){0, n / 32, secure}, offset, value);
	}
}

static bool is_spis(uint64_t offset)
{
	return (offset >= GICD_IGROUPR && offset < GICD_IPRIORITYR) ||
	       (offset >= GICD_ICFGR && offset < GICD_IGRPMODR + 0x80) ||
	       (offset >= GICD_NSACR && offset < GICD_SGIR);
}

/* Byte-accessible: IPRIORITYR, and ITARGETSR (zero with affinity routing). */
static bool is_bytes(uint64_t offset)
{
	return offset >= GICD_IPRIORITYR && offset < GICD_ICFGR;
}

static bool has_prio(const struct gicv3 *g, uint64_t offset)
{
	uint64_t n = offset - GICD_IPRIORITYR;

	return offset < GICD_ITARGETSR && n >= 32 && n < 32 * g->core.words;
}

static bool read32(struct gicv3 *g, uint64_t offset, bool secure, uint32_t *value)
{
	unsigned n;

	if (irouter_intid(g, offset, secure, &n)) {
		*value = (uint32_t)(g->irouter[n - 32] >> offset % 8 * 8);
		return true;
	}
	if (is_spis(offset)) {
		*value = read_spis(g, offset, secure);
		return true;
	}
	switch (offset) {
	case GICD_CTLR:
		*value = ctlr_read(g, secure);
		return true;
	case GICD_TYPER:
		*value = typer(g);
		return true;
	case GICD_IIDR:
		*value = GICV3_IIDR;
		return true;
	default:
		*value = gicv3_id_read(offset, GICD_PART);
		return offset == GICD_TYPER2 || offset == GICD_STATUSR || offset >= GICD_PIDR4 ||
		       (offset >= GICD_IROUTER && offset < GICD_IROUTER + 1024 * 8);
	}
}

static bool write32(struct gicv3 *g, uint64_t offset, uint32_t value, bool secure)
{
	unsigned n;

	if (irouter_intid(g, offset, secure, &n)) {
		unsigned lo = offset % 8 * 8;

		irouter_write(g, n, bits_set(g->irouter[n - 32], lo + 31, lo, value));
		return true;
	}
	if (is_spis(offset)) {
		write_spis(g, offset, value, secure);
		return true;
	}
	if (offset == GICD_CTLR) {
		ctlr_write(g, value, secure);
		return true;
	}
	return message_write(g, offset, value, secure) || offset == GICD_STATUSR ||
	       (offset >= GICD_IROUTER && offset < GICD_IROUTER + 1024 * 8);
}

enum mem_result gicv3_dist_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value,
				struct mem_attrs attrs)
{
	struct gicv3 *g = opaque;
	uint32_t v = 0;
	unsigned n;
	bool ok = false;

	*value = 0;
	if (is_bytes(offset) && size <= 4) {
		ok = true;
		if (has_prio(g, offset))
			v = gicv3_prio_read(g, 0, (unsigned)(offset - GICD_IPRIORITYR), size,
					    attrs.secure);
		*value = v;
	} else if (size == 8) {
		ok = offset >= GICD_IROUTER && offset < GICD_IROUTER + 1024 * 8;
		if (irouter_intid(g, offset, attrs.secure, &n))
			*value = g->irouter[n - 32];
	} else if (size == 4) {
		ok = read32(g, offset, attrs.secure, &v);
		*value = v;
	}
	if (!ok)
		guest_error(g->dev.name, "GICD: no register for a %u-byte read at 0x%x", size,
			    (unsigned)offset);
	return MEM_OK;
}

enum mem_result gicv3_dist_write(void *opaque, uint64_t offset, unsigned size, uint64_t value,
				 struct mem_attrs attrs)
{
	struct gicv3 *g = opaque;
	unsigned n;
	bool ok = false;

	if (is_bytes(offset) && size <= 4) {
		ok = true;
		if (has_prio(g, offset))
			gicv3_prio_write(g, 0, (unsigned)(offset - GICD_IPRIORITYR), size,
					 (uint32_t)value, attrs.secure);
	} else if (size == 8) {
		ok = offset >= GICD_IROUTER && offset < GICD_IROUTER + 1024 * 8;
		if (irouter_intid(g, offset, attrs.secure, &n))
			irouter_write(g, n, value);
	} else if (size == 4) {
		ok = write32(g, offset, (uint32_t)value, attrs.secure);
	} else if (size == 2) {
		ok = message_write(g, offset, (uint32_t)value, attrs.secure);
	}
	if (!ok)
		guest_error(g->dev.name, "GICD: no register for a %u-byte write at 0x%x", size,
			    (unsigned)offset);
	return MEM_OK;
}
