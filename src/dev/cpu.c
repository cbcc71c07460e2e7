/* SPDX-License-Identifier: Apache-2.0 */
/* The board's processing elements, as configuration and device tree; src/pe runs them. Bindings:
 * arm/cpus.yaml, arm/psci.yaml. */
#include "dev/cpu.h"

#include "dev/component.h"
#include "dev/dt.h"
#include "pe/pe.h"
#include "util/bits.h"

#include <stdio.h>

enum { COUNT_MAX = 8 };
enum method { METHOD_HVC, METHOD_SMC };

static const char *const methods[] = {"hvc", "smc", NULL};
static const char *const models[] = {"host", NULL};

struct cpu {
	struct dev dev;
	uint32_t count;
	int model;
	int method;
	bool el2, el3;
};

unsigned cpu_count(const struct dev *d)
{
	return ((const struct cpu *)d)->count;
}

uint32_t cpu_els(const struct dev *d)
{
	const struct cpu *c = (const struct cpu *)d;

	return 1 << 0 | 1 << 1 | (c->el2 ? 1 << 2 : 0) | (c->el3 ? 1 << 3 : 0);
}

static void cpu_reset(struct dev *d)
{
}

/* "reg" of a cpu node: affinity fields, Aff3 in the upper cell when there are two. */
static void cpu_node(struct dev *d, struct dt *dt, int cpus, unsigned i)
{
	uint32_t reg = bits(pe_mpidr(d->host->pes, i), 23, 0);
	char name[32];
	int n;

	snprintf(name, sizeof(name), "cpu@%x", reg);
	n = dt_subnode(dt, cpus, name);
	dt_str(dt, n, "device_type", "cpu");
	dt_str(dt, n, "compatible", "arm,armv8");
	dt_u32(dt, n, "reg", reg);
	dt_str(dt, n, "enable-method", "psci");
}

static int cpu_dt(struct dev *d, struct dt *dt)
{
	struct cpu *c = (struct cpu *)d;
	int cpus = dt_node(dt, "cpus", NULL);
	int psci;

	dt_u32(dt, cpus, "#address-cells", 1);
	dt_u32(dt, cpus, "#size-cells", 0);
	/* libfdt puts new subnodes first: last PE first gives them in order. */
	for (unsigned i = c->count; i-- > 0;)
		cpu_node(d, dt, cpus, i);
	psci = dt_node(dt, "psci", NULL);
	dt_strs(dt, psci, "compatible", "arm,psci-1.0\0arm,psci-0.2\0arm,psci", 3);
	dt_str(dt, psci, "method", methods[c->method]);
	dt_u32(dt, psci, "cpu_suspend", 0xc4000001);
	dt_u32(dt, psci, "cpu_off", 0x84000002);
	dt_u32(dt, psci, "cpu_on", 0xc4000003);
	return 0;
}

static const struct prop cpu_props[] = {
	{.name = "count",
	 .kind = PROP_U32,
	 .offset = offsetof(struct cpu, count),
	 .def = "1",
	 .min = 1,
	 .max = COUNT_MAX,
	 .help = "number of PEs, 1 to 8"},
	{.name = "model",
	 .kind = PROP_ENUM,
	 .offset = offsetof(struct cpu, model),
	 .def = "host",
	 .choices = models,
	 .help = "which core they show; host: the host's own"},
	{.name = "method",
	 .kind = PROP_ENUM,
	 .offset = offsetof(struct cpu, method),
	 .def = "hvc",
	 .choices = methods,
	 .help = "how the device tree says PSCI is called"},
	{.name = "el2",
	 .kind = PROP_BOOL,
	 .offset = offsetof(struct cpu, el2),
	 .def = "false",
	 .help = "the PEs have EL2, for hypervisors"},
	{.name = "el3",
	 .kind = PROP_BOOL,
	 .offset = offsetof(struct cpu, el3),
	 .def = "false",
	 .help = "the PEs have EL3 and the Secure state; firmware provides PSCI"},
	{0},
};

const struct component cpu_component = {
	.type = "CPU",
	.vendor = "ARM",
	.doc = "the board's processing elements",
	.cls = DEV_CPU,
	.size = sizeof(struct cpu),
	.props = cpu_props,
	.reset = cpu_reset,
	.dt = cpu_dt,
};
