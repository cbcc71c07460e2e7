/* SPDX-License-Identifier: Apache-2.0 */
/* PrimeCell Real Time Clock PL031. Arm DDI 0224C. Seconds come from the host's real-time clock, or
 * from the machine's virtual one. */
#include "dev/component.h"
#include "dev/dt.h"
#include "util/log.h"

enum {
	RTCDR = 0x000,
	RTCMR = 0x004,
	RTCLR = 0x008,
	RTCCR = 0x00c,
	RTCIMSC = 0x010,
	RTCRIS = 0x014,
	RTCMIS = 0x018,
	RTCICR = 0x01c,
	RTCPeriphID0 = 0xfe0,
};

struct pl031 {
	struct dev dev;
	uint64_t address;
	uint64_t base; /* property: seconds at start; 0: the host's time */
	struct irq irq;
	struct clk apb_pclk;
	uint32_t offset; /* RTCDR = offset + seconds of the machine's time */
	uint32_t mr, lr, imsc, ris;
	struct dev_timer match;
};

static uint32_t seconds(const struct pl031 *s)
{
	return dev_now_ns(&s->dev) / NS_PER_S;
}

static uint32_t now(const struct pl031 *s)
{
	return s->offset + seconds(s);
}

static void update(struct pl031 *s)
{
	irq_set(&s->irq, s->ris & s->imsc);
}

static void on_match(struct dev *d, void *opaque)
{
	struct pl031 *s = (struct pl031 *)d;

	s->ris = 1;
	update(s);
}

/* The interrupt comes when RTCDR becomes equal to RTCMR (3.3.2). */
static void arm_match(struct pl031 *s)
{
	uint32_t in = s->mr - now(s);

	dev_timer_cancel(&s->match); /* of earlier values */
	if (in == 0)
		on_match(&s->dev, NULL);
	else
		dev_timer_arm(&s->match, (dev_now_ns(&s->dev) / NS_PER_S + in) * NS_PER_S);
}

static enum mem_result pl031_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value,
				  struct mem_attrs attrs)
{
	static const uint8_t id[8] = {0x31, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
	struct pl031 *s = opaque;

	if (offset >= RTCPeriphID0) {
		*value = id[(offset - RTCPeriphID0) / 4];
		return MEM_OK;
	}
	switch (offset) {
	case RTCDR:
		*value = now(s);
		break;
	case RTCMR:
		*value = s->mr;
		break;
	case RTCLR:
		*value = s->lr;
		break;
	case RTCCR:
		*value = 1; /* always running */
		break;
	case RTCIMSC:
		*value = s->imsc;
		break;
	case RTCRIS:
		*value = s->ris;
		break;
	case RTCMIS:
		*value = s->ris & s->imsc;
		break;
	default:
		guest_error(s->dev.name, "read of offset 0x%x", (unsigned)offset);
		*value = 0;
	}
	return MEM_OK;
}

static enum mem_result pl031_write(void *opaque, uint64_t offset, unsigned size, uint64_t value,
				   struct mem_attrs attrs)
{
	struct pl031 *s = opaque;

	switch (offset) {
	case RTCMR:
		s->mr = value;
		arm_match(s);
		break;
	case RTCLR:
		s->lr = value;
		s->offset = s->lr - seconds(s);
		arm_match(s);
		break;
	case RTCCR:
		break;
	case RTCIMSC:
		s->imsc = value & 1;
		break;
	case RTCICR:
		s->ris &= ~value;
		break;
	default:
		guest_error(s->dev.name, "write of offset 0x%x", (unsigned)offset);
	}
	update(s);
	return MEM_OK;
}

static int pl031_init(struct dev *d, struct err *e)
{
	struct pl031 *s = (struct pl031 *)d;
	uint64_t start = s->base ? s->base : clock_date_ns(d->host->clock) / NS_PER_S;

	s->offset = start - seconds(s);
	dev_timer_init(&s->match, d, on_match, NULL);
	return 0;
}

/* The clock itself is battery-backed: a reset does not touch it. */
static void pl031_reset(struct dev *d)
{
	struct pl031 *s = (struct pl031 *)d;

	dev_state_reset(d);
	dev_timer_cancel(&s->match);
	update(s);
}

static void pl031_fini(struct dev *d)
{
	dev_timer_fini(&((struct pl031 *)d)->match);
}

static int pl031_dt(struct dev *d, struct dt *dt)
{
	struct pl031 *s = (struct pl031 *)d;
	const struct clk *clocks[] = {&s->apb_pclk};
	int n = dt_node(dt, "pl031", &s->address);

	dt_strs(dt, n, "compatible", "arm,pl031\0arm,primecell", 2);
	dt_reg_of(dt, n, d);
	dt_irq(dt, n, &s->irq);
	dt_clocks(dt, n, clocks, "apb_pclk", 1);
	return 0;
}

static const struct prop pl031_props[] = {
	{.name = "address",
	 .kind = PROP_U64,
	 .offset = offsetof(struct pl031, address),
	 .required = true,
	 .help = "first physical address (4 KiB)"},
	{.name = "irq",
	 .kind = PROP_IRQ,
	 .offset = offsetof(struct pl031, irq),
	 .help = "RTCINTR: spi:N@gic"},
	{.name = "apb_pclk",
	 .kind = PROP_CLOCK,
	 .offset = offsetof(struct pl031, apb_pclk),
	 .help = "PCLK of the bus"},
	{.name = "base",
	 .kind = PROP_U64,
	 .offset = offsetof(struct pl031, base),
	 .max = UINT32_MAX,
	 .help = "seconds since 1970 at start; 0: the host's time"},
	{0},
};

static const struct dev_region pl031_regions[] = {
	{.address_offset = offsetof(struct pl031, address),
	 .size = 0x1000,
	 .read = pl031_read,
	 .write = pl031_write},
	{0},
};

#define REG(reg, field, saved)                                                                     \
	{                                                                                          \
		.name = reg, .offset = offsetof(struct pl031, field), .size = 4, .keep = saved     \
	}

static const struct dev_state pl031_state[] = {
	REG("RTCDR-offset", offset, true), REG("RTCMR", mr, false),   REG("RTCLR", lr, false),
	REG("RTCIMSC", imsc, false),	   REG("RTCRIS", ris, false), {0},
};

const struct component pl031_component = {
	.type = "PL031",
	.vendor = "ARM",
	.doc = "PrimeCell real-time clock",
	.size = sizeof(struct pl031),
	.props = pl031_props,
	.regions = pl031_regions,
	.state = pl031_state,
	.init = pl031_init,
	.reset = pl031_reset,
	.fini = pl031_fini,
	.dt = pl031_dt,
};
