/* SPDX-License-Identifier: Apache-2.0 */
/* The board's processing elements, as configuration and device tree; src/pe runs them. Bindings:
 * arm/cpus.yaml, arm/psci.yaml. */
#include "dev/cpu.h"

#include "arm/model.h"
#include "arm/sysreg.h"
#include "dev/component.h"
#include "dev/dt.h"
#include "pe/pe.h"
#include "util/bits.h"
#include "util/xalloc.h"

#include <stdio.h>

enum { COUNT_MAX = 8 };
enum method { METHOD_HVC, METHOD_SMC };

static const char *const methods[] = {"hvc", "smc", NULL};

enum { IMPDEF_MAX = 20 };

static const char *const model_names[] = {
#define ARM_MODEL(symbol, name, mt) name,
#include "arm/model.def"
	"host",
	NULL,
};

enum { MODEL_HOST = ARRAY_COUNT(model_names) - 2 };

struct cpu;

/* One of the core's IMPLEMENTATION DEFINED registers. */
struct impdef {
	const struct cpu *cpu;
	const struct arm_model_impdef *desc;
	uint64_t value[COUNT_MAX];
};

struct cpu {
	struct dev dev;
	uint32_t count;
	int model;
	int method;
	bool el2, el3;
	struct impdef reg[IMPDEF_MAX];
	unsigned reg_count;
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

const struct arm_model *cpu_model(const struct dev *d)
{
	return arm_model_at((unsigned)((const struct cpu *)d)->model); /* host: none */
}

/* ---- the core's own registers ---- */

/* The lowest level that has it: R_SHJNG, as far as op1 says it. */
static unsigned lowest_el(uint16_t sysreg)
{
	static const uint8_t el[8] = {1, 1, 1, 0, 2, 2, 3, 1};

	return el[SYSREG_OP1(sysreg)];
}

/* The PE's own, so without a lock. */
static enum pe_sysreg_result read_impdef(void *opaque, const struct pe_access *a, uint16_t sysreg,
					 uint64_t *value)
{
	const struct impdef *r = opaque;

	if (a->el < lowest_el(sysreg))
		return PE_SYSREG_UNDEF;
	*value = r->value[a->pe];
	return PE_SYSREG_OK;
}

/* ACTLR_EL3 and ACTLR_EL2 say what lower levels may write. */
static enum pe_sysreg_result check_write(const struct cpu *c, const struct impdef *r,
					 const struct pe_access *a)
{
	uint8_t control = r->desc->control;

	if (a->el < lowest_el(r->desc->code) || r->desc->kind == ARM_MODEL_READ_ONLY)
		return PE_SYSREG_UNDEF;
	if (control == ARM_MODEL_ANY)
		return PE_SYSREG_OK;
	if (a->el < 2 && c->el2 && !a->secure && !bit(a->actlr_el2, control))
		return PE_SYSREG_TRAP_EL2;
	if (a->el < 3 && c->el3 && !bit(a->actlr_el3, control))
		return PE_SYSREG_TRAP_EL3;
	return PE_SYSREG_OK;
}

static enum pe_sysreg_result write_impdef(void *opaque, const struct pe_access *a, uint16_t sysreg,
					  uint64_t value)
{
	struct impdef *r = opaque;
	enum pe_sysreg_result result = check_write(r->cpu, r, a);

	if (result == PE_SYSREG_OK)
		r->value[a->pe] = value;
	return result;
}

static const struct pe_sysreg_ops impdef_ops = {read_impdef, write_impdef};

static int cpu_init(struct dev *d, struct err *e)
{
	struct cpu *c = (struct cpu *)d;
	const struct arm_model *m = cpu_model(d);
	const struct arm_model_impdef *descs;
	size_t count;

	if (!m)
		return 0;
	descs = arm_model_impdefs(m, &count);
	CHECK(count <= IMPDEF_MAX);
	for (c->reg_count = 0; c->reg_count < count; c->reg_count++) {
		struct impdef *r = &c->reg[c->reg_count];

		r->cpu = c;
		r->desc = &descs[c->reg_count];
		pe_sysreg_add(d->host->pes, r->desc->code, &impdef_ops, r);
	}
	return 0;
}

static uint64_t reset_value(const struct cpu *c, const struct arm_model_impdef *i)
{
	return i->kind == ARM_MODEL_CORES_24 ? bits_set(i->reset, 25, 24, c->count - 1) : i->reset;
}

static void cpu_reset(struct dev *d)
{
	struct cpu *c = (struct cpu *)d;

	for (unsigned i = 0; i < c->reg_count; i++) {
		for (unsigned n = 0; n < COUNT_MAX; n++)
			c->reg[i].value[n] = reset_value(c, c->reg[i].desc);
	}
}

/* ---- device tree ---- */

/* "reg" of a cpu node: affinity fields, Aff3 in the upper cell when there are two. */
static void cpu_node(struct dev *d, struct dt *dt, int cpus, unsigned i)
{
	const struct arm_model *m = cpu_model(d);
	uint32_t reg = bits(pe_mpidr(d->host->pes, i), 23, 0);
	char name[32], compatible[32] = "arm,armv8";
	int n;

	snprintf(name, sizeof(name), "cpu@%x", reg);
	if (m && !arm_model_is_whole(m))
		snprintf(compatible, sizeof(compatible), "arm,%s", arm_model_name(m));
	n = dt_subnode(dt, cpus, name);
	dt_str(dt, n, "device_type", "cpu");
	dt_str(dt, n, "compatible", compatible);
	dt_u32(dt, n, "reg", reg);
	if (!((const struct cpu *)d)->el3) /* else what PSCI there is, firmware adds */
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
	if (c->el3)
		return 0;
	psci = dt_node(dt, "psci", NULL);
	dt_strs(dt, psci, "compatible", "arm,psci-1.0\0arm,psci-0.2\0arm,psci", 3);
	dt_str(dt, psci, "method", methods[c->el2 ? METHOD_SMC : c->method]); /* HVC is EL2's */
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
	 .choices = model_names,
	 .help = "which core they show; host: the host's own"},
	{.name = "method",
	 .kind = PROP_ENUM,
	 .offset = offsetof(struct cpu, method),
	 .def = "hvc",
	 .choices = methods,
	 .help = "how the device tree says PSCI is called; with EL2 always smc"},
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
	.init = cpu_init,
	.reset = cpu_reset,
	.dt = cpu_dt,
};
