/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_pe.h"

#include "util/bits.h"
#include "util/xalloc.h"

#include <stdlib.h>

enum { PES = 8, LINES = HV_LINE_COUNT, REGS = 256, LISTENERS = 4, IDS = 16 };

struct reg {
	uint16_t sysreg;
	const struct pe_sysreg_ops *ops;
	void *opaque;
};

struct id {
	uint16_t sysreg;
	uint64_t mask, value;
};

struct pe_set {
	unsigned count, highest_el;
	bool line[PES][LINES]; /* atomic */
	unsigned rises[PES][LINES];
	struct reg reg[REGS];
	unsigned reg_count;
	struct {
		pe_timer_fn *fn;
		void *opaque;
	} listener[LISTENERS];
	unsigned listener_count;
	struct id id[IDS];
	unsigned id_count;
};

struct pe_set *fake_pe_create(unsigned count, unsigned highest_el)
{
	struct pe_set *s = xcalloc(1, sizeof(*s));

	CHECK(count && count <= PES);
	s->count = count;
	s->highest_el = highest_el;
	return s;
}

void fake_pe_destroy(struct pe_set *s)
{
	free(s);
}

/* ---- what devices call ---- */

unsigned pe_count(const struct pe_set *s)
{
	return s->count;
}

uint64_t pe_mpidr(const struct pe_set *s, unsigned n)
{
	CHECK(n < s->count);
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
	CHECK(n < s->count);
	if (!__atomic_exchange_n(&s->line[n][line], level, __ATOMIC_SEQ_CST) && level)
		__atomic_fetch_add(&s->rises[n][line], 1, __ATOMIC_SEQ_CST);
}

void pe_sysreg_add(struct pe_set *s, uint16_t sysreg, const struct pe_sysreg_ops *ops, void *opaque)
{
	CHECK(s->reg_count < REGS);
	s->reg[s->reg_count++] = (struct reg){sysreg, ops, opaque};
}

void pe_timer_listen(struct pe_set *s, pe_timer_fn *fn, void *opaque)
{
	CHECK(s->listener_count < LISTENERS);
	s->listener[s->listener_count].fn = fn;
	s->listener[s->listener_count++].opaque = opaque;
}

void pe_id_field(struct pe_set *s, uint16_t sysreg, unsigned hi, unsigned lo, uint64_t value)
{
	struct id *id = s->id;

	while (id < s->id + s->id_count && id->sysreg != sysreg)
		id++;
	if (id == s->id + s->id_count) {
		CHECK(s->id_count < IDS);
		s->id_count++;
		id->sysreg = sysreg;
	}
	id->mask = bits_set(id->mask, hi, lo, ~0ULL);
	id->value = bits_set(id->value, hi, lo, value);
}

/* ---- what tests call ---- */

bool fake_pe_line(const struct pe_set *s, unsigned n, enum hv_line line)
{
	return __atomic_load_n(&s->line[n][line], __ATOMIC_SEQ_CST);
}

unsigned fake_pe_rises(const struct pe_set *s, unsigned n, enum hv_line line)
{
	return __atomic_load_n(&s->rises[n][line], __ATOMIC_SEQ_CST);
}

static const struct reg *find(const struct pe_set *s, uint16_t sysreg)
{
	for (unsigned i = 0; i < s->reg_count; i++) {
		if (s->reg[i].sysreg == sysreg)
			return &s->reg[i];
	}
	return NULL;
}

bool fake_pe_sysreg_read(struct pe_set *s, const struct pe_access *a, uint16_t sysreg,
			 uint64_t *value)
{
	const struct reg *r = find(s, sysreg);

	return r && r->ops->read && r->ops->read(r->opaque, a, sysreg, value) == PE_SYSREG_OK;
}

bool fake_pe_sysreg_write(struct pe_set *s, const struct pe_access *a, uint16_t sysreg,
			  uint64_t value)
{
	const struct reg *r = find(s, sysreg);

	return r && r->ops->write && r->ops->write(r->opaque, a, sysreg, value) == PE_SYSREG_OK;
}

void fake_pe_timer(struct pe_set *s, unsigned n, enum hv_timer timer, bool level)
{
	CHECK(n < s->count);
	for (unsigned i = 0; i < s->listener_count; i++)
		s->listener[i].fn(s->listener[i].opaque, n, timer, level);
}

uint64_t fake_pe_id(const struct pe_set *s, uint16_t sysreg, uint64_t *mask)
{
	*mask = 0;
	for (unsigned i = 0; i < s->id_count; i++) {
		if (s->id[i].sysreg == sysreg) {
			*mask = s->id[i].mask;
			return s->id[i].value;
		}
	}
	return 0;
}
