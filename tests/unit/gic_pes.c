// SPDX-License-Identifier: Apache-2.0
#include "gic_pes.h"

#include "util/xalloc.h"

#include <stdlib.h>

enum { PES_MAX = 16, SYSREGS_MAX = 128, LINES = HV_LINE_COUNT };

struct pe_set {
	unsigned count, highest_el;
	bool line[PES_MAX][LINES];
	unsigned line_changes;
	struct {
		uint16_t code;
		const struct pe_sysreg_ops *ops;
		void *opaque;
	} sysregs[SYSREGS_MAX];
	unsigned sysreg_count;
	uint16_t id_reg;
	unsigned id_hi, id_lo;
	int id_value;
};

struct pe_set *gic_pes_create(unsigned count, unsigned highest_el)
{
	struct pe_set *s = xcalloc(1, sizeof(*s));

	CHECK(count <= PES_MAX);
	s->count = count;
	s->highest_el = highest_el;
	s->id_value = -1;
	return s;
}

void gic_pes_destroy(struct pe_set *s)
{
	free(s);
}

bool gic_pes_line(const struct pe_set *s, unsigned n, enum hv_line line)
{
	return s->line[n][line];
}

unsigned gic_pes_line_changes(const struct pe_set *s)
{
	return s->line_changes;
}

int gic_pes_id_field(const struct pe_set *s, uint16_t sysreg, unsigned hi, unsigned lo)
{
	return s->id_reg == sysreg && s->id_hi == hi && s->id_lo == lo ? s->id_value : -1;
}

static int find(const struct pe_set *s, uint16_t code)
{
	for (unsigned n = 0; n < s->sysreg_count; n++)
		if (s->sysregs[n].code == code)
			return (int)n;
	return -1;
}

enum pe_sysreg_result gic_pes_try_mrs(struct pe_set *s, const struct pe_access *a, uint16_t sysreg,
				      uint64_t *value)
{
	int n = find(s, sysreg);

	return n < 0 ? PE_SYSREG_UNDEF
		     : s->sysregs[n].ops->read(s->sysregs[n].opaque, a, sysreg, value);
}

enum pe_sysreg_result gic_pes_try_msr(struct pe_set *s, const struct pe_access *a, uint16_t sysreg,
				      uint64_t value)
{
	int n = find(s, sysreg);

	return n < 0 ? PE_SYSREG_UNDEF
		     : s->sysregs[n].ops->write(s->sysregs[n].opaque, a, sysreg, value);
}

bool gic_pes_mrs(struct pe_set *s, const struct pe_access *a, uint16_t sysreg, uint64_t *value)
{
	return gic_pes_try_mrs(s, a, sysreg, value) == PE_SYSREG_OK;
}

bool gic_pes_msr(struct pe_set *s, const struct pe_access *a, uint16_t sysreg, uint64_t value)
{
	return gic_pes_try_msr(s, a, sysreg, value) == PE_SYSREG_OK;
}

/* ---- pe/pe.h ---- */

unsigned pe_count(const struct pe_set *s)
{
	return s->count;
}

uint64_t pe_mpidr(const struct pe_set *s, unsigned n)
{
	return 1ULL << 31 | n;
}

unsigned pe_highest_el(const struct pe_set *s)
{
	return s->highest_el;
}

uint32_t pe_els(const struct pe_set *s)
{
	return (2U << s->highest_el) - 1;
}

void pe_irq(struct pe_set *s, unsigned n, enum hv_line line, bool level)
{
	s->line[n][line] = level;
	s->line_changes++;
}

void pe_sysreg_add(struct pe_set *s, uint16_t sysreg, const struct pe_sysreg_ops *ops, void *opaque)
{
	CHECK(s->sysreg_count < SYSREGS_MAX && find(s, sysreg) < 0);
	s->sysregs[s->sysreg_count].code = sysreg;
	s->sysregs[s->sysreg_count].ops = ops;
	s->sysregs[s->sysreg_count++].opaque = opaque;
}

void pe_timer_listen(struct pe_set *s, pe_timer_fn *fn, void *opaque)
{
}

void pe_id_field(struct pe_set *s, uint16_t sysreg, unsigned hi, unsigned lo, uint64_t value)
{
	s->id_reg = sysreg;
	s->id_hi = hi;
	s->id_lo = lo;
	s->id_value = (int)value;
}
