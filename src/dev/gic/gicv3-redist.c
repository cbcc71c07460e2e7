/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv3 redistributors, Arm IHI 0069H 12.11: for each PE the frames RD_base and SGI_base, one PE
 * after the other. No LPIs: their registers read as zero and ignore writes.
 */
#include "dev/gic/gicv3_int.h"

#include "util/bits.h"
#include "util/log.h"

enum {
	GICR_CTLR = 0x0000,
	GICR_IIDR = 0x0004,
	GICR_TYPER = 0x0008,
	GICR_STATUSR = 0x0010,
	GICR_WAKER = 0x0014,
	GICR_PROPBASER = 0x0070,
	GICR_PENDBASER = 0x0078,
	GICR_PIDR4 = 0xffd0,

	SGI_BASE = 0x10000,
	GICR_IPRIORITYR = SGI_BASE + 0x400,
	GICR_ICFGR0 = SGI_BASE + 0xc00,
	GICR_ICFGR1 = SGI_BASE + 0xc04,
	GICR_NSACR = SGI_BASE + 0xe00,

	GICR_PART = 0x93, /* PIDR0 */
};

static uint64_t typer(const struct gicv3 *g, unsigned pe)
{
	uint64_t aff = g->pe[pe].affinity;
	bool last = pe + 1 == g->core.pe_count;

	return ((aff & 0xffffff) | (aff >> 32 << 24)) << 32 | (uint64_t)pe << 8 |
	       (uint64_t)last << 4;
}

static bool read32(struct gicv3 *g, unsigned pe, uint64_t offset, bool secure, uint32_t *value)
{
	bool open = secure || gicv3_ds(g);

	*value = 0;
	switch (offset) {
	case GICR_IIDR:
		*value = GICV3_IIDR;
		return true;
	case GICR_TYPER:
	case GICR_TYPER + 4:
		*value = (uint32_t)(typer(g, pe) >> offset % 8 * 8);
		return true;
	case GICR_WAKER:
		*value = open ? g->pe[pe].waker : 0;
		return true;
	case GICR_CTLR:
	case GICR_STATUSR:
	case GICR_PROPBASER:
	case GICR_PROPBASER + 4:
	case GICR_PENDBASER:
	case GICR_PENDBASER + 4:
		return true;
	case GICR_ICFGR0:
	case GICR_ICFGR1:
		*value = gic_icfgr_read(&g->core, pe, offset == GICR_ICFGR1,
					gicv3_visible(g, pe, 0, secure, GICV3_NSACR_NEVER));
		return true;
	case GICR_NSACR:
		*value = secure && !gicv3_ds(g) ? g->pe[pe].nsacr : 0;
		return true;
	default:
		break;
	}
	if (offset >= GICR_PIDR4 && offset < SGI_BASE) {
		*value = gicv3_id_read(offset, GICR_PART);
		return true;
	}
	return offset >= SGI_BASE && offset % 0x80 == 0 &&
	       gicv3_bits_read(g, (struct gicv3_at){pe, 0, secure}, offset - SGI_BASE, value);
}

static bool write32(struct gicv3 *g, unsigned pe, uint64_t offset, uint32_t value, bool secure)
{
	switch (offset) {
	case GICR_WAKER:
		if (secure || gicv3_ds(g))
			g->pe[pe].waker = value & GICR_WAKER_PROCESSOR_SLEEP
						  ? GICR_WAKER_PROCESSOR_SLEEP |
							    GICR_WAKER_CHILDREN_ASLEEP
						  : 0;
		return true;
	case GICR_CTLR:
	case GICR_STATUSR:
	case GICR_PROPBASER:
	case GICR_PROPBASER + 4:
	case GICR_PENDBASER:
	case GICR_PENDBASER + 4:
	case GICR_ICFGR0: /* SGIs are edge triggered */
		return true;
	case GICR_ICFGR1:
		gic_icfgr_write(&g->core, pe, 1, value,
				gicv3_visible(g, pe, 0, secure, GICV3_NSACR_NEVER));
		gicv3_refresh(g, pe, 0);
		return true;
	case GICR_NSACR:
		if (secure && !gicv3_ds(g))
			g->pe[pe].nsacr = value;
		return true;
	default:
		break;
	}
	return offset >= SGI_BASE && offset % 0x80 == 0 &&
	       gicv3_bits_write(g, (struct gicv3_at){pe, 0, secure}, offset - SGI_BASE, value);
}

/* GICR_IPRIORITYR0-7 can be accessed by byte. */
static bool is_prio(uint64_t offset, unsigned size)
{
	return offset >= GICR_IPRIORITYR && offset < GICR_IPRIORITYR + 32 && size <= 4;
}

enum mem_result gicv3_redist_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value,
				  struct mem_attrs attrs)
{
	struct gicv3 *g = opaque;
	unsigned pe = (unsigned)(offset / GICR_STRIDE);
	uint32_t v = 0;
	bool ok = false;

	*value = 0;
	if (pe >= g->core.pe_count)
		return MEM_UNHANDLED;
	offset %= GICR_STRIDE;
	if (is_prio(offset, size)) {
		ok = true;
		v = gicv3_prio_read(g, pe, (unsigned)(offset - GICR_IPRIORITYR), size,
				    attrs.secure);
		*value = v;
	} else if (size == 8) {
		ok = offset == GICR_TYPER || offset == GICR_PROPBASER || offset == GICR_PENDBASER;
		*value = offset == GICR_TYPER ? typer(g, pe) : 0;
	} else if (size == 4) {
		ok = read32(g, pe, offset, attrs.secure, &v);
		*value = v;
	}
	if (!ok)
		guest_error(g->dev.name, "GICR of PE %u: no register for a %u-byte read at 0x%x",
			    pe, size, (unsigned)offset);
	return MEM_OK;
}

enum mem_result gicv3_redist_write(void *opaque, uint64_t offset, unsigned size, uint64_t value,
				   struct mem_attrs attrs)
{
	struct gicv3 *g = opaque;
	unsigned pe = (unsigned)(offset / GICR_STRIDE);
	bool ok = false;

	if (pe >= g->core.pe_count)
		return MEM_UNHANDLED;
	offset %= GICR_STRIDE;
	if (is_prio(offset, size)) {
		ok = true;
		gicv3_prio_write(g, pe, (unsigned)(offset - GICR_IPRIORITYR), size, (uint32_t)value,
				 attrs.secure);
	} else if (size == 8) {
		ok = offset == GICR_PROPBASER || offset == GICR_PENDBASER;
	} else if (size == 4) {
		ok = write32(g, pe, offset, (uint32_t)value, attrs.secure);
	}
	if (!ok)
		guest_error(g->dev.name, "GICR of PE %u: no register for a %u-byte write at 0x%x",
			    pe, size, (unsigned)offset);
	return MEM_OK;
}
