/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power-off and reset by GPIO lines, for firmware that has no other way. Bindings: power/reset/gpio-poweroff.yaml,
 * power/reset/gpio-restart.yaml. A rising line asks for it.
 */
#include "dev/component.h"
#include "dev/dt.h"

enum { POWEROFF, RESTART, LINES };

struct gpio_power {
	struct dev dev;
	struct dev *gpio;
	uint32_t number[LINES]; /* of the line at the GPIO block, for the device tree */
	bool secure;
	bool level[LINES];
};

static void gpio_power_input(struct dev *d, uint32_t input, bool level)
{
	struct gpio_power *p = (struct gpio_power *)d;
	bool rises = level && !p->level[input];

	p->level[input] = level;
	if (!rises)
		return;
	if (input == POWEROFF)
		d->host->power_off(d->host->opaque, d->name);
	else
		d->host->reset(d->host->opaque, d->name);
}

static void line_node(const struct gpio_power *p, struct dt *dt, const char *what, unsigned line)
{
	uint32_t gpios[] = {p->gpio->phandle, p->number[line], 0};
	int n = dt_node(dt, what, NULL);

	dt_str(dt, n, "compatible", what);
	dt_cells(dt, n, "gpios", gpios, 3);
	if (p->secure)
		dt_secure(dt, n);
}

static int gpio_power_dt(struct dev *d, struct dt *dt)
{
	const struct gpio_power *p = (const struct gpio_power *)d;

	line_node(p, dt, "gpio-poweroff", POWEROFF);
	line_node(p, dt, "gpio-restart", RESTART);
	return 0;
}

static const struct prop gpio_power_props[] = {
	{.name = "gpio",
	 .kind = PROP_REF,
	 .offset = offsetof(struct gpio_power, gpio),
	 .ref = "PL061",
	 .required = true,
	 .help = "GPIO block whose outputs are wired to this (out0=poweroff:0@NAME), for the "
		 "device tree"},
	{.name = "poweroff",
	 .kind = PROP_U32,
	 .offset = offsetof(struct gpio_power, number[POWEROFF]),
	 .def = "0",
	 .max = 7,
	 .help = "number of the line that powers off"},
	{.name = "restart",
	 .kind = PROP_U32,
	 .offset = offsetof(struct gpio_power, number[RESTART]),
	 .def = "1",
	 .max = 7,
	 .help = "number of the line that resets"},
	{.name = "secure",
	 .kind = PROP_BOOL,
	 .offset = offsetof(struct gpio_power, secure),
	 .def = "false",
	 .help = "for the Secure world, as the GPIO block is"},
	{.name = NULL},
};

static const struct dev_irq_in gpio_power_inputs[] = {
	{.kind = "poweroff", .first = POWEROFF, .count = 1},
	{.kind = "restart", .first = RESTART, .count = 1},
	{.kind = NULL},
};

static const struct dev_state gpio_power_state[] = {
	{.name = "lines", .offset = offsetof(struct gpio_power, level), .size = 1, .count = LINES},
	{.name = NULL},
};

const struct component gpio_power_component = {
	.type = "GPIO-POWER",
	.doc = "power-off and reset by GPIO lines",
	.size = sizeof(struct gpio_power),
	.props = gpio_power_props,
	.irq_in = gpio_power_inputs,
	.state = gpio_power_state,
	.irq_input = gpio_power_input,
	.dt = gpio_power_dt,
};
