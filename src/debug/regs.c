/* SPDX-License-Identifier: Apache-2.0 */
#include "debug/regs.h"

#include "arm/reg.h"
#include "arm/sysreg.h"
#include "util/bits.h"
#include "util/buf.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Those that are system registers as well are asked for by the id that every back end knows. */
static const struct {
	const char *name;
	uint32_t id;
} core[] = {
	{"PC", REG_PC},		{"PSTATE", REG_PSTATE},	  {"SP_EL0", REG_SP_EL0},
	{"SP_EL1", REG_SP_EL1}, {"ELR_EL1", REG_ELR_EL1}, {"SPSR_EL1", REG_SPSR_EL1},
	{"FPSR", REG_FPSR},	{"FPCR", REG_FPCR},
};

static bool find_x(const char *name, uint32_t *id)
{
	char *end;
	unsigned long n;

	if ((name[0] != 'x' && name[0] != 'X') || name[1] < '0' || name[1] > '9')
		return false;
	n = strtoul(name + 1, &end, 10);
	*id = REG_X((uint32_t)n);
	return !*end && n <= 30;
}

bool regs_find(const char *name, uint32_t *id)
{
	const struct sysreg_desc *d;

	if (find_x(name, id))
		return true;
	for (size_t i = 0; i < ARRAY_COUNT(core); i++) {
		*id = core[i].id;
		if (!strcasecmp(core[i].name, name))
			return true;
	}
	d = sysreg_find(name);
	*id = d ? REG_SYS(d->code) : 0;
	return d;
}

/* The core ids of system registers have fields, too. */
static const struct sysreg_desc *describe(uint32_t id)
{
	if (REG_CLASS(id) == REG_CLASS_SYS)
		return sysreg_lookup((uint16_t)REG_NUMBER(id));
	for (size_t i = 0; i < ARRAY_COUNT(core); i++) {
		if (core[i].id == id)
			return sysreg_find(core[i].name);
	}
	return NULL;
}

void regs_fields(struct buf *out, uint32_t id, uint64_t value)
{
	const struct sysreg_desc *d = describe(id);
	const struct sysreg_field *f;
	size_t count;

	if (!d)
		return;
	f = sysreg_fields(d->layout, &count);
	for (size_t i = 0; i < count; i++) {
		uint64_t v = bits(value, f[i].hi, f[i].lo);

		if (v && strcmp(f[i].name, "RES1") != 0)
			buf_fmt(out, "%s%s=%s%llx", out->len ? " " : "", f[i].name,
				v > 9 ? "0x" : "", (unsigned long long)v);
	}
}
