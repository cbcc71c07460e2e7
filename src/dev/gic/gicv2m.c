/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv2m: MSI frame in front of the SPIs of a GIC. Arm Server Base System Architecture (DEN 0029),
 * appendix "GICv2m Architecture". A write of an INTID to MSI_SETSPI_NS pulses that SPI, which
 * software configures as edge triggered.
 */
#include "dev/component.h"
#include "dev/dt.h"
#include "util/err.h"
#include "util/log.h"

#include <errno.h>
#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>

enum {
	MSI_TYPER = 0x008,
	MSI_SETSPI_NS = 0x040,
	MSI_IIDR = 0xfcc,

	ARM_IIDR = 0x43b,
	SPI_INTID = 32, /* INTID of SPI 0 */
};

struct gicv2m {
	struct dev dev;
	uint64_t address;
	uint32_t spi_count;
	struct irq first;
};

static struct gicv2m *gicv2m_of(struct dev *d)
{
	return (struct gicv2m *)d;
}

static enum mem_result gicv2m_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value,
				   struct mem_attrs attrs)
{
	const struct gicv2m *m = opaque;

	*value = 0;
	switch (size == 4 ? offset : ~0ULL) {
	case MSI_TYPER:
		*value = (m->first.number + SPI_INTID) << 16 | m->spi_count;
		break;
	case MSI_IIDR:
		*value = ARM_IIDR;
		break;
	default: /* no identification registers: RAZ */
		if (offset < MSI_IIDR)
			guest_error(m->dev.name, "no register for a %u-byte read at 0x%x", size,
				    (unsigned)offset);
		break;
	}
	return MEM_OK;
}

static enum mem_result gicv2m_write(void *opaque, uint64_t offset, unsigned size, uint64_t value,
				    struct mem_attrs attrs)
{
	struct gicv2m *m = opaque;
	uint64_t n = (value & 0x3ff) - (m->first.number + SPI_INTID);
	struct irq wire = m->first;

	if (offset != MSI_SETSPI_NS || size < 2) {
		guest_error(m->dev.name, "no register for a %u-byte write at 0x%x", size,
			    (unsigned)offset);
	} else if (n >= m->spi_count) {
		guest_error(m->dev.name, "MSI for INTID %u, which is not of this frame",
			    (unsigned)(value & 0x3ff));
	} else {
		wire.input += (uint32_t)n;
		wire.level = false;
		irq_pulse(&wire);
	}
	return MEM_OK;
}

/* SPIs that the controller has, from its property; 0: it does not say. */
static uint32_t spis_of(const struct dev *gic)
{
	const struct prop *p = component_prop(gic->c, "spis");
	uint32_t n = 0;

	if (p && p->kind == PROP_U32)
		memcpy(&n, (const char *)gic + p->offset, sizeof(n));
	return n;
}

static int gicv2m_check(struct dev *d, struct err *e)
{
	struct gicv2m *m = gicv2m_of(d);
	uint32_t spis;
	int r;

	if (!m->first.sink || !m->first.kind || strcmp(m->first.kind, "spi")) {
		err_set(e, -EINVAL, d->where, "%s: irq is not an SPI", d->name);
		err_hint(e, "irq=spi:FIRST@GIC names the first of the frame's SPIs");
		return -EINVAL;
	}
	spis = spis_of(m->first.sink);
	if (!spis || (uint64_t)m->first.number + m->spi_count <= spis)
		return 0;
	r = err_set(e, -EINVAL, d->where, "%s: SPIs %u to %u, but %s has %u", d->name,
		    m->first.number, m->first.number + m->spi_count - 1, m->first.sink->name, spis);
	err_hint(e, "fewer (spi_count), or more in the controller (%s.spis)", m->first.sink->name);
	return r;
}

/* A child of the controller's node, which the binding wants (and Linux looks there only). */
static int gicv2m_dt(struct dev *d, struct dt *dt)
{
	const struct gicv2m *m = gicv2m_of(d);
	char name[32];
	int node;

	if (dt->error)
		return dt->error;
	node = fdt_node_offset_by_phandle(dt->fdt, m->first.sink->phandle);
	if (node < 0) { /* the board must list the controller first */
		dt->error = node;
		return node;
	}
	snprintf(name, sizeof(name), "v2m@%" PRIx64, m->address);
	node = dt_subnode(dt, node, name);
	dt_str(dt, node, "compatible", "arm,gic-v2m-frame");
	dt_empty(dt, node, "msi-controller");
	dt_reg_of(dt, node, d);
	dt_phandle(dt, node, d);
	return dt->error;
}

static const struct prop gicv2m_props[] = {
	{.name = "address",
	 .kind = PROP_U64,
	 .offset = offsetof(struct gicv2m, address),
	 .required = true,
	 .help = "address of the frame, 4 KiB"},
	{.name = "irq",
	 .kind = PROP_IRQ,
	 .offset = offsetof(struct gicv2m, first),
	 .required = true,
	 .help = "first SPI of the frame; the next ones follow it"},
	{.name = "spi_count",
	 .kind = PROP_U32,
	 .offset = offsetof(struct gicv2m, spi_count),
	 .def = "64",
	 .min = 1,
	 .max = 960,
	 .help = "number of SPIs"},
	{.name = NULL},
};

static const struct dev_region gicv2m_regions[] = {
	{.address_offset = offsetof(struct gicv2m, address),
	 .size = 0x1000,
	 .min_width = 1,
	 .max_width = 4,
	 .read = gicv2m_read,
	 .write = gicv2m_write},
	{.name = NULL},
};

const struct component gicv2m_component = {
	.type = "GICV2M",
	.doc = "MSI frame of a GIC",
	.size = sizeof(struct gicv2m),
	.props = gicv2m_props,
	.regions = gicv2m_regions,
	.check = gicv2m_check,
	.dt = gicv2m_dt,
};
