/* SPDX-License-Identifier: Apache-2.0 */
/* The board's processing elements, as configuration and device tree; src/pe runs them. Bindings:
 * arm/cpus.yaml, arm/psci.yaml. */
#include "dev/cpu.h"

#include "arm/sysreg.h"
#include "dev/component.h"
#include "dev/dt.h"
#include "pe/pe.h"
#include "util/bits.h"

#include <stdio.h>

enum { COUNT_MAX = 8 };
enum method { METHOD_HVC, METHOD_SMC };

static const char *const methods[] = {"hvc", "smc", NULL};

enum {
#define CPU_MODEL(name, symbol, midr) MODEL_##symbol,
#define CPU_REG(models, sysreg, reset)
#include "dev/cpu-model.def"
#undef CPU_MODEL
	MODEL_HOST,
	MODEL_COUNT,
};

enum {
#define CPU_MODEL(name, symbol, midr) CPU_##symbol = 1 << MODEL_##symbol,
#include "dev/cpu-model.def"
#undef CPU_MODEL
};

enum { ARMV8_0 = CPU_A53 | CPU_A57 | CPU_A72 };

static const char *const model_names[] = {
#define CPU_MODEL(name, symbol, midr) name,
#include "dev/cpu-model.def"
#undef CPU_MODEL
	"host",
	NULL,
};

static const uint32_t midrs[] = {
#define CPU_MODEL(name, symbol, midr) midr,
#include "dev/cpu-model.def"
#undef CPU_MODEL
#undef CPU_REG
};

/* IMPLEMENTATION DEFINED registers. */
static const struct impdef {
	unsigned models; /* bit n: model n */
	uint16_t sysreg;
	uint64_t reset;
} impdefs[] = {
#define CPU_MODEL(name, symbol, midr)
#define CPU_REG(models, sysreg, reset) {models, sysreg, reset},
#include "dev/cpu-model.def"
#undef CPU_MODEL
#undef CPU_REG
};

enum { IMPDEF_COUNT = ARRAY_COUNT(impdefs) };
#define L2CTLR_EL1 SYSREG(3, 1, 11, 0, 2)

struct impdef_reg {
	uint64_t value[COUNT_MAX];
};

struct cpu {
	struct dev dev;
	uint32_t count;
	int model;
	int method;
	bool el2, el3;
	struct impdef_reg reg[IMPDEF_COUNT];
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

bool cpu_is_host(const struct dev *d)
{
	return ((const struct cpu *)d)->model == MODEL_HOST;
}

/* ---- models ---- */

/* The PE's own, so without a lock. */
static enum pe_sysreg_result read_impdef(void *opaque, const struct pe_access *a, uint16_t sysreg,
					 uint64_t *value)
{
	const struct impdef_reg *r = opaque;

	*value = r->value[a->pe];
	return PE_SYSREG_OK;
}

static enum pe_sysreg_result write_impdef(void *opaque, const struct pe_access *a, uint16_t sysreg,
					  uint64_t value)
{
	struct impdef_reg *r = opaque;

	r->value[a->pe] = value;
	return PE_SYSREG_OK;
}

static const struct pe_sysreg_ops impdef_ops = {read_impdef, write_impdef};

static bool has(const struct cpu *c, const struct impdef *i)
{
	return i->models & 1U << c->model;
}

static int cpu_init(struct dev *d, struct err *e)
{
	struct cpu *c = (struct cpu *)d;

	if (c->model == MODEL_HOST)
		return 0;
	pe_id_field(d->host->pes, SYS_MIDR_EL1, 31, 0, midrs[c->model]);
	/* Kernels that know one of these cores do not expect it to have FEAT_VHE, and Linux stops at it. */
	if (1U << c->model & ARMV8_0)
		pe_id_field(d->host->pes, SYS_ID_AA64MMFR1_EL1, 11, 8, 0);
	for (unsigned i = 0; i < IMPDEF_COUNT; i++) {
		if (has(c, &impdefs[i]))
			pe_sysreg_add(d->host->pes, impdefs[i].sysreg, &impdef_ops, &c->reg[i]);
	}
	return 0;
}

static uint64_t reset_value(const struct cpu *c, const struct impdef *i)
{
	return i->sysreg == L2CTLR_EL1 ? bits_set(i->reset, 25, 24, c->count - 1) : i->reset;
}

static void cpu_reset(struct dev *d)
{
	struct cpu *c = (struct cpu *)d;

	for (unsigned i = 0; i < IMPDEF_COUNT; i++) {
		for (unsigned n = 0; n < COUNT_MAX; n++)
			c->reg[i].value[n] = reset_value(c, &impdefs[i]);
	}
}

/* ---- device tree ---- */

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
