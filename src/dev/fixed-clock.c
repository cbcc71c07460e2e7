/* SPDX-License-Identifier: Apache-2.0 */
/* A clock of constant frequency. Binding: clock/fixed-clock.yaml. */
#include "dev/component.h"
#include "dev/dt.h"

struct fixed_clock {
	struct dev dev;
	uint64_t frequency;
};

static uint64_t fixed_clock_rate(const struct dev *d)
{
	return ((const struct fixed_clock *)d)->frequency;
}

static int fixed_clock_dt(struct dev *d, struct dt *dt)
{
	struct fixed_clock *c = (struct fixed_clock *)d;
	int n = dt_node(dt, d->name, NULL);

	dt_str(dt, n, "compatible", "fixed-clock");
	dt_u32(dt, n, "#clock-cells", 0);
	dt_u32(dt, n, "clock-frequency", c->frequency);
	dt_str(dt, n, "clock-output-names", d->name);
	dt_phandle(dt, n, d);
	return 0;
}

static const struct prop fixed_clock_props[] = {
	{.name = "frequency",
	 .kind = PROP_FREQ,
	 .offset = offsetof(struct fixed_clock, frequency),
	 .required = true,
	 .min = 1,
	 .max = UINT32_MAX,
	 .help = "frequency in Hz; k, M, G may follow"},
	{0},
};

const struct component fixed_clock_component = {
	.type = "CLOCK",
	.doc = "clock of constant frequency",
	.size = sizeof(struct fixed_clock),
	.props = fixed_clock_props,
	.clk_rate = fixed_clock_rate,
	.dt = fixed_clock_dt,
};
