/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PrimeCell General Purpose Input/Output PL061. Arm DDI 0190B.
 *
 * Eight lines. A line configured as input follows the wire that drives it; outputs can be wired on
 * (out0..out7). Left out: hardware control mode (GPIOAFSEL is stored only).
 */
#include "dev/component.h"
#include "dev/dt.h"
#include "util/bits.h"
#include "util/log.h"

enum { LINES = 8 };

enum {
	GPIODATA_END = 0x3fc,
	GPIODIR = 0x400,
	GPIOIS = 0x404,
	GPIOIBE = 0x408,
	GPIOIEV = 0x40c,
	GPIOIE = 0x410,
	GPIORIS = 0x414,
	GPIOMIS = 0x418,
	GPIOIC = 0x41c,
	GPIOAFSEL = 0x420,
	GPIOPeriphID0 = 0xfe0,
};

struct pl061 {
	struct dev dev;
	uint64_t address;
	struct irq irq;
	struct irq out[LINES];
	struct clk apb_pclk;
	bool secure;
	uint32_t data; /* output latch */
	uint32_t dir, is, ibe, iev, ie, ris, afsel;
	uint32_t wires;	    /* levels of the wires that lead here */
	uint32_t last_seen; /* input levels at the last look, for edges */
};

/* What reading GPIODATA with all address bits set would give (3.3.1). */
static uint32_t levels(const struct pl061 *s)
{
	return (s->data & s->dir) | (s->wires & ~s->dir);
}

/* Interrupt sources of 2.3: edges are remembered, levels are not. */
static void update(struct pl061 *s)
{
	uint32_t now = s->wires & ~s->dir;
	uint32_t changed = (now ^ s->last_seen) & ~s->dir & ~s->is & 0xff;
	uint32_t edges = changed & (s->ibe | ~(now ^ s->iev));
	uint32_t level = s->is & ~(now ^ s->iev) & ~s->dir & 0xff;

	s->last_seen = now;
	s->ris = (s->ris & ~s->is) | (edges & 0xff) | level;
	for (unsigned i = 0; i < LINES; i++)
		irq_set(&s->out[i], bit(s->data & s->dir, i));
	irq_set(&s->irq, s->ris & s->ie);
}

static void pl061_input(struct dev *d, uint32_t input, bool level)
{
	struct pl061 *s = (struct pl061 *)d;

	s->wires = bits_set(s->wires, input, input, level);
	update(s);
}

static uint32_t *plain_register(struct pl061 *s, uint64_t offset)
{
	switch (offset) {
	case GPIODIR:
		return &s->dir;
	case GPIOIS:
		return &s->is;
	case GPIOIBE:
		return &s->ibe;
	case GPIOIEV:
		return &s->iev;
	case GPIOIE:
		return &s->ie;
	case GPIOAFSEL:
		return &s->afsel;
	default:
		return NULL;
	}
}

static enum mem_result pl061_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value,
				  struct mem_attrs attrs)
{
	static const uint8_t id[8] = {0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
	struct pl061 *s = opaque;
	uint32_t *reg = plain_register(s, offset);

	if (offset <= GPIODATA_END)
		*value = levels(s) & (offset >> 2);
	else if (offset >= GPIOPeriphID0)
		*value = id[(offset - GPIOPeriphID0) / 4];
	else if (reg)
		*value = *reg;
	else if (offset == GPIORIS)
		*value = s->ris;
	else if (offset == GPIOMIS)
		*value = s->ris & s->ie;
	else
		guest_error(s->dev.name, "read of offset 0x%x", (unsigned)offset);
	return MEM_OK;
}

static enum mem_result pl061_write(void *opaque, uint64_t offset, unsigned size, uint64_t value,
				   struct mem_attrs attrs)
{
	struct pl061 *s = opaque;
	uint32_t *reg = plain_register(s, offset);
	uint32_t mask = offset >> 2;

	if (offset <= GPIODATA_END)
		s->data = (s->data & ~mask) | (value & mask & s->dir);
	else if (reg)
		*reg = value & 0xff;
	else if (offset == GPIOIC)
		s->ris &= ~value;
	else
		guest_error(s->dev.name, "write of offset 0x%x", (unsigned)offset);
	update(s);
	return MEM_OK;
}

static void pl061_reset(struct dev *d)
{
	struct pl061 *s = (struct pl061 *)d;

	dev_state_reset(d);
	s->last_seen = s->wires;
	update(s);
}

/* Binding: two cells, line and flags. */
static unsigned pl061_cells(const struct dev *sink, const struct irq *w, uint32_t cells[4])
{
	cells[0] = w->number;
	cells[1] = 0; /* active high */
	return 2;
}

static int pl061_dt(struct dev *d, struct dt *dt)
{
	struct pl061 *s = (struct pl061 *)d;
	const struct clk *clocks[] = {&s->apb_pclk};
	int n = dt_node(dt, "pl061", &s->address);

	dt_strs(dt, n, "compatible", "arm,pl061\0arm,primecell", 2);
	dt_reg_of(dt, n, d);
	dt_irq(dt, n, &s->irq);
	dt_empty(dt, n, "gpio-controller");
	dt_u32(dt, n, "#gpio-cells", 2);
	dt_clocks(dt, n, clocks, "apb_pclk", 1);
	dt_phandle(dt, n, d);
	if (s->secure)
		dt_secure(dt, n);
	return 0;
}

#define OUT(n)                                                                                     \
	{                                                                                          \
		.name = "out" #n, .kind = PROP_IRQ, .offset = offsetof(struct pl061, out[n]),      \
		.help = "what line " #n " drives as an output"                                     \
	}

static const struct prop pl061_props[] = {
	{.name = "address",
	 .kind = PROP_U64,
	 .offset = offsetof(struct pl061, address),
	 .required = true,
	 .help = "first physical address (4 KiB)"},
	{.name = "irq",
	 .kind = PROP_IRQ,
	 .offset = offsetof(struct pl061, irq),
	 .help = "GPIOINTR: spi:N@gic"},
	{.name = "apb_pclk",
	 .kind = PROP_CLOCK,
	 .offset = offsetof(struct pl061, apb_pclk),
	 .help = "PCLK of the bus"},
	{.name = "secure",
	 .kind = PROP_BOOL,
	 .offset = offsetof(struct pl061, secure),
	 .def = "false",
	 .help = "absent from the normal world"},
	OUT(0),
	OUT(1),
	OUT(2),
	OUT(3),
	OUT(4),
	OUT(5),
	OUT(6),
	OUT(7),
	{0},
};

static const struct dev_region pl061_regions[] = {
	{.address_offset = offsetof(struct pl061, address),
	 .size = 0x1000,
	 .secure_offset = offsetof(struct pl061, secure),
	 .read = pl061_read,
	 .write = pl061_write},
	{0},
};

static const struct dev_irq_in pl061_inputs[] = {
	{.kind = "gpio", .first = 0, .count = LINES, .dt_cells = pl061_cells},
	{0},
};

#define REG(reg, field)                                                                            \
	{                                                                                          \
		.name = reg, .offset = offsetof(struct pl061, field), .size = 4                    \
	}

static const struct dev_state pl061_state[] = {
	REG("GPIODATA", data), REG("GPIODIR", dir),	REG("GPIOIS", is),
	REG("GPIOIBE", ibe),   REG("GPIOIEV", iev),	REG("GPIOIE", ie),
	REG("GPIORIS", ris),   REG("GPIOAFSEL", afsel), {0},
};

const struct component pl061_component = {
	.type = "PL061",
	.vendor = "ARM",
	.doc = "PrimeCell general-purpose I/O",
	.size = sizeof(struct pl061),
	.props = pl061_props,
	.regions = pl061_regions,
	.irq_in = pl061_inputs,
	.state = pl061_state,
	.reset = pl061_reset,
	.irq_input = pl061_input,
	.dt = pl061_dt,
};
