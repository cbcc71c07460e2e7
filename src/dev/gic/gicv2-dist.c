/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv2 distributor, Arm IHI 0048B.b 4.3. What is not implemented reads as zero and ignores writes.
 * Registers of INTIDs 0-31 are banked by the accessing PE; a device (DMA) has no bank and gets an
 * abort.
 */
#include "dev/gic/gicv2_int.h"

#include "util/bits.h"
#include "util/log.h"

enum {
	GICD_CTLR = 0x000,
	GICD_TYPER = 0x004,
	GICD_IIDR = 0x008,
	GICD_IGROUPR = 0x080,
	GICD_IPRIORITYR = 0x400,
	GICD_ITARGETSR = 0x800,
	GICD_ICFGR = 0xc00,
	GICD_SGIR = 0xf00,
	GICD_CPENDSGIR = 0xf10,
	GICD_SPENDSGIR = 0xf20,
	GICD_PIDR4 = 0xfd0,

	GIC400_GICD_IIDR = 0x0200143b,
	CTLR_ENABLE_GRP0 = 1 << 0,
	CTLR_ENABLE_GRP1 = 1 << 1,
};

/* One access. */
struct access {
	struct gicv2 *g;
	unsigned pe;
	bool secure;
};

/* Interrupts of a word that the access may see. */
static uint32_t open_of(const struct access *a, unsigned word)
{
	return a->secure ? ~0U : a->g->core.irqs.group[gic_row(a->pe, word)];
}

/* ---- registers by interrupt ---- */

/* An access to @per interrupts per 32 bits at @offset from the start of a range: the first INTID;
 * false if there are no such interrupts. */
static bool intid_at(const struct access *a, uint64_t offset, unsigned per, unsigned *intid)
{
	*intid = (unsigned)offset * per / 4;
	return *intid < 32 * a->g->core.words;
}

static uint32_t bits_read(const struct access *a, uint64_t offset)
{
	enum gic_bits reg = (enum gic_bits)(offset / 0x80);
	unsigned n;

	if (!intid_at(a, offset & 0x7f, 32, &n) || (reg == GIC_IGROUPR && !a->secure))
		return 0;
	return gic_bits_read(&a->g->core, gic_row(a->pe, n / 32), reg, open_of(a, n / 32));
}

static void bits_write(const struct access *a, uint64_t offset, uint32_t value)
{
	enum gic_bits reg = (enum gic_bits)(offset / 0x80);
	struct gicv2 *g = a->g;
	uint32_t open;
	unsigned n;

	if (!intid_at(a, offset & 0x7f, 32, &n) || (reg == GIC_IGROUPR && !a->secure))
		return;
	open = open_of(a, n / 32);
	/* SGIs are always enabled and made pending only by GICD_SGIR and GICD_SPENDSGIR. */
	if (n == 0 && reg >= GIC_ISENABLER && reg <= GIC_ICPENDR)
		open &= 0xffff0000;
	gic_bits_write(&g->core, gic_row(a->pe, n / 32), reg, value, open);
	gicv2_refresh(g, a->pe, n / 32);
	if (reg == GIC_IGROUPR) /* the HPPI may be of another group now */
		gicv2_signal(g, (1U << g->core.pe_count) - 1);
}

static uint32_t prio_read(const struct access *a, uint64_t offset, unsigned size)
{
	unsigned n;

	if (!intid_at(a, offset - GICD_IPRIORITYR, 4, &n))
		return 0;
	return gic_prio_read(&a->g->core, a->pe, n, size, open_of(a, n / 32), !a->secure);
}

static void prio_write(const struct access *a, uint64_t offset, unsigned size, uint32_t value)
{
	unsigned n;

	if (!intid_at(a, offset - GICD_IPRIORITYR, 4, &n))
		return;
	gic_prio_write(&a->g->core, a->pe, n, size, value, open_of(a, n / 32), !a->secure);
	gicv2_signal(a->g, gic_refresh_prio(&a->g->core, a->pe, n / 32));
}

/* ITARGETSR0-7 are read-only and say which PE is asking. */
static uint32_t targets_read(const struct access *a, uint64_t offset, unsigned size)
{
	uint32_t value = 0;
	unsigned n;

	if (!intid_at(a, offset - GICD_ITARGETSR, 4, &n) || a->g->core.pe_count == 1)
		return 0;
	for (unsigned i = 0; i < size; i++) {
		uint8_t t = n < 32 ? (uint8_t)(1U << a->pe) : a->g->targets[n + i - 32];

		if (open_of(a, n / 32) >> (n + i) % 32 & 1)
			value |= (uint32_t)t << 8 * i;
	}
	return value;
}

static void targets_write(const struct access *a, uint64_t offset, unsigned size, uint32_t value)
{
	uint8_t all = (uint8_t)((1U << a->g->core.pe_count) - 1);
	unsigned n;

	if (!intid_at(a, offset - GICD_ITARGETSR, 4, &n) || n < 32 || a->g->core.pe_count == 1)
		return;
	for (unsigned i = 0; i < size; i++) {
		if (!(open_of(a, n / 32) >> (n + i) % 32 & 1))
			continue;
		a->g->targets[n + i - 32] = (uint8_t)(value >> 8 * i) & all;
		gicv2_route(a->g, n + i);
	}
	gicv2_refresh(a->g, a->pe, n / 32);
}

static uint32_t icfgr_read(const struct access *a, uint64_t offset)
{
	unsigned n;

	if (!intid_at(a, offset - GICD_ICFGR, 16, &n))
		return 0;
	return gic_icfgr_read(&a->g->core, gic_row(a->pe, n / 32), n / 16 % 2, open_of(a, n / 32));
}

static void icfgr_write(const struct access *a, uint64_t offset, uint32_t value)
{
	unsigned n;

	if (!intid_at(a, offset - GICD_ICFGR, 16, &n) || n < 16) /* SGIs are edge triggered */
		return;
	gic_icfgr_write(&a->g->core, gic_row(a->pe, n / 32), n / 16 % 2, value, open_of(a, n / 32));
	gicv2_refresh(a->g, a->pe, n / 32);
}

/* ---- SGIs ---- */

static void set_sgi(struct gicv2 *g, unsigned pe, unsigned intid, uint8_t sources)
{
	uint32_t b = 1U << intid;

	g->pe[pe].sgi_source[intid] = sources;
	g->core.irqs.latch[pe] = sources ? g->core.irqs.latch[pe] | b : g->core.irqs.latch[pe] & ~b;
	gicv2_refresh(g, pe, 0);
}

/* 4.3.15: with Security Extensions a Secure writer says by NSATT for which group the request is, a
 * Non-secure one reaches group 1 only. */
static bool accepts_sgi(const struct access *a, unsigned pe, unsigned intid, bool nsatt)
{
	bool group1 = gic_group_of(&a->g->core, pe, intid) != GIC_G0;

	if (!a->g->security)
		return true;
	return a->secure ? nsatt == group1 : group1;
}

static void sgir_write(const struct access *a, uint32_t value)
{
	struct gicv2 *g = a->g;
	unsigned intid = value & 15;
	uint8_t targets = 0;

	switch (bits(value, 25, 24)) {
	case 0:
		targets = (uint8_t)(value >> 16);
		break;
	case 1:
		targets = (uint8_t) ~(1U << a->pe);
		break;
	case 2:
		targets = (uint8_t)(1U << a->pe);
		break;
	default:
		guest_error(g->dev.name, "GICD_SGIR: reserved TargetListFilter 3");
		break;
	}
	for (unsigned p = 0; p < g->core.pe_count; p++)
		if (targets >> p & 1 && accepts_sgi(a, p, intid, bit(value, 15)))
			set_sgi(g, p, intid, (uint8_t)(g->pe[p].sgi_source[intid] | 1U << a->pe));
}

static uint32_t pendsgir_read(const struct access *a, uint64_t offset, unsigned size)
{
	unsigned n = offset % 16;
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++)
		if (open_of(a, 0) >> (n + i) & 1)
			value |= (uint32_t)a->g->pe[a->pe].sgi_source[n + i] << 8 * i;
	return value;
}

static void pendsgir_write(const struct access *a, uint64_t offset, unsigned size, uint32_t value)
{
	uint8_t all = (uint8_t)((1U << a->g->core.pe_count) - 1);
	unsigned n = offset % 16;

	for (unsigned i = 0; i < size; i++) {
		uint8_t now = a->g->pe[a->pe].sgi_source[n + i];
		uint8_t b = (uint8_t)(value >> 8 * i) & all;

		if (!(open_of(a, 0) >> (n + i) & 1))
			continue;
		set_sgi(a->g, a->pe, n + i, offset >= GICD_SPENDSGIR ? now | b : now & (uint8_t)~b);
	}
}

/* ---- the rest ---- */

static uint32_t ctlr_read(const struct access *a)
{
	return a->secure ? a->g->ctlr : a->g->ctlr >> 1 & 1;
}

static void ctlr_write(const struct access *a, uint32_t value)
{
	if (a->secure)
		a->g->ctlr = value & (CTLR_ENABLE_GRP0 | CTLR_ENABLE_GRP1);
	else
		a->g->ctlr = (a->g->ctlr & CTLR_ENABLE_GRP0) | (value & 1) << 1;
	gicv2_refresh_groups(a->g);
}

static uint32_t id_read(uint64_t offset)
{
	/* GIC-400: PIDR4-7, PIDR0-3, CIDR0-3 */
	static const uint8_t id[] = {4, 0, 0, 0, 0x90, 0xb4, 0x2b, 0, 0x0d, 0xf0, 0x05, 0xb1};

	return id[(offset - GICD_PIDR4) / 4];
}

static bool read32(const struct access *a, uint64_t offset, uint32_t *value)
{
	const struct gicv2 *g = a->g;

	if (offset >= GICD_IGROUPR && offset < GICD_IPRIORITYR)
		*value = bits_read(a, offset);
	else if (offset >= GICD_ICFGR && offset < GICD_ICFGR + 0x100)
		*value = icfgr_read(a, offset);
	else if (offset == GICD_CTLR)
		*value = ctlr_read(a);
	else if (offset == GICD_TYPER)
		*value = g->spis / 32 | (g->core.pe_count - 1) << 5 | (uint32_t)g->security << 10;
	else if (offset == GICD_IIDR)
		*value = GIC400_GICD_IIDR;
	else if (offset >= GICD_PIDR4)
		*value = id_read(offset);
	else
		return false;
	return true;
}

static bool write32(const struct access *a, uint64_t offset, uint32_t value)
{
	if (offset >= GICD_IGROUPR && offset < GICD_IPRIORITYR)
		bits_write(a, offset, value);
	else if (offset >= GICD_ICFGR && offset < GICD_ICFGR + 0x100)
		icfgr_write(a, offset, value);
	else if (offset == GICD_CTLR)
		ctlr_write(a, value);
	else if (offset == GICD_SGIR)
		sgir_write(a, value);
	else
		return false;
	return true;
}

/* The registers with byte access. */
typedef uint32_t bytes_read_fn(const struct access *a, uint64_t offset, unsigned size);
typedef void bytes_write_fn(const struct access *a, uint64_t offset, unsigned size, uint32_t value);
static const struct {
	uint16_t first, end;
	bytes_read_fn *read;
	bytes_write_fn *write;
} bytes_regs[] = {
	{GICD_IPRIORITYR, GICD_ITARGETSR, prio_read, prio_write},
	{GICD_ITARGETSR, GICD_ICFGR, targets_read, targets_write},
	{GICD_CPENDSGIR, GICD_SPENDSGIR + 16, pendsgir_read, pendsgir_write},
};

enum mem_result gicv2_dist_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value,
				struct mem_attrs attrs)
{
	struct gicv2 *g = opaque;
	struct access a = {g, attrs.pe, gicv2_secure(g, attrs)};
	uint32_t v = 0;

	*value = 0;
	if (attrs.dma || a.pe >= g->core.pe_count)
		return MEM_ERROR;
	for (unsigned n = 0; n < ARRAY_COUNT(bytes_regs); n++)
		if (offset >= bytes_regs[n].first && offset < bytes_regs[n].end) {
			*value = bytes_regs[n].read(&a, offset, size);
			return MEM_OK;
		}
	if (size != 4 || !read32(&a, offset, &v))
		guest_error(g->dev.name, "GICD: no register for a %u-byte read at 0x%x", size,
			    (unsigned)offset);
	*value = v;
	return MEM_OK;
}

enum mem_result gicv2_dist_write(void *opaque, uint64_t offset, unsigned size, uint64_t value,
				 struct mem_attrs attrs)
{
	struct gicv2 *g = opaque;
	struct access a = {g, attrs.pe, gicv2_secure(g, attrs)};

	if (attrs.dma || a.pe >= g->core.pe_count)
		return MEM_ERROR;
	for (unsigned n = 0; n < ARRAY_COUNT(bytes_regs); n++)
		if (offset >= bytes_regs[n].first && offset < bytes_regs[n].end) {
			bytes_regs[n].write(&a, offset, size, (uint32_t)value);
			return MEM_OK;
		}
	if (size != 4 || !write32(&a, offset, (uint32_t)value))
		guest_error(g->dev.name, "GICD: no register for a %u-byte write at 0x%x", size,
			    (unsigned)offset);
	return MEM_OK;
}
