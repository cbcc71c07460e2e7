/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arm generic timer: wires from the PEs' timers to the interrupt controller. The timers themselves
 * (Arm ARM D12) are the back end's. Binding: timer/arm,arch_timer.yaml.
 */
#include "dev/component.h"
#include "dev/dt.h"
#include "pe/pe.h"
#include "util/bits.h"

enum { PES_MAX = 8 };

struct arm_timer {
	struct dev dev;
	struct irq sec, phys, virt, hyp, hyp_virt; /* as the board wires them: PE 0's */
	struct irq out[PES_MAX][HV_TIMER_COUNT];
};

/* In the PE's own thread; each PE has wires of its own, so no lock is needed for them. */
static void on_timer(void *opaque, unsigned pe, enum hv_timer timer, bool level)
{
	struct arm_timer *t = opaque;

	irq_set(&t->out[pe][timer], level);
}

static int arm_timer_init(struct dev *d, struct err *e)
{
	struct arm_timer *t = (struct arm_timer *)d;
	const struct irq *const wires[HV_TIMER_COUNT] = {
		[HV_TIMER_VIRT] = &t->virt,	    [HV_TIMER_PHYS] = &t->phys,
		[HV_TIMER_HYP] = &t->hyp,	    [HV_TIMER_SEC] = &t->sec,
		[HV_TIMER_HYP_VIRT] = &t->hyp_virt,
	};

	for (unsigned i = 0; i < pe_count(d->host->pes) && i < PES_MAX; i++) {
		for (unsigned n = 0; n < HV_TIMER_COUNT; n++)
			t->out[i][n] = irq_of_pe(wires[n], i);
	}
	pe_timer_listen(d->host->pes, on_timer, t);
	return 0;
}

static void arm_timer_reset(struct dev *d)
{
	struct arm_timer *t = (struct arm_timer *)d;

	for (unsigned i = 0; i < PES_MAX; i++) {
		for (unsigned n = 0; n < HV_TIMER_COUNT; n++)
			irq_set(&t->out[i][n], false);
	}
}

static int arm_timer_dt(struct dev *d, struct dt *dt)
{
	struct arm_timer *t = (struct arm_timer *)d;
	const struct irq *wires[] = {&t->sec, &t->phys, &t->virt, &t->hyp, &t->hyp_virt};
	int n = dt_node(dt, "timer", NULL);

	dt_strs(dt, n, "compatible", "arm,armv8-timer\0arm,armv7-timer", 2);
	dt_empty(dt, n, "always-on");
	dt_irqs(dt, n, wires, ARRAY_COUNT(wires));
	return 0;
}

#define WIRE(field, what)                                                                          \
	{                                                                                          \
		.name = #field "_irq", .kind = PROP_IRQ,                                           \
		.offset = offsetof(struct arm_timer, field), .required = true,                     \
		.help = "interrupt of the " what " timer: ppi:N@gic"                               \
	}

static const struct prop arm_timer_props[] = {
	WIRE(sec, "secure physical"),
	WIRE(phys, "non-secure physical"),
	WIRE(virt, "virtual"),
	WIRE(hyp, "EL2 physical"),
	{.name = "hyp_virt_irq",
	 .kind = PROP_IRQ,
	 .offset = offsetof(struct arm_timer, hyp_virt),
	 .help = "interrupt of the EL2 virtual timer, where EL2 has one (FEAT_VHE): ppi:N@gic"},
	{0},
};

const struct component arm_timer_component = {
	.type = "TIMER",
	.vendor = "ARM",
	.doc = "Arm generic timer",
	.size = sizeof(struct arm_timer),
	.props = arm_timer_props,
	.init = arm_timer_init,
	.reset = arm_timer_reset,
	.dt = arm_timer_dt,
};
