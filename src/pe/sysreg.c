/* SPDX-License-Identifier: Apache-2.0 */
/* Intercepted MRS and MSR: registers that devices implement, and fields of ID registers. */
#include "pe/pe_int.h"

#include "util/bits.h"
#include "util/log.h"
#include "util/xalloc.h"

#include <stdlib.h>
#include <string.h>

/* ---- registration ---- */

static int compare(const void *a, const void *b)
{
	const struct pe_handler *x = a, *y = b;

	return (x->sysreg > y->sysreg) - (x->sysreg < y->sysreg);
}

void pe_sysreg_add(struct pe_set *s, uint16_t sysreg, const struct pe_sysreg_ops *ops, void *opaque)
{
	s->handlers = xrealloc(s->handlers, s->handler_count + 1, sizeof(*s->handlers));
	s->handlers[s->handler_count++] = (struct pe_handler){sysreg, ops, opaque};
	qsort(s->handlers, s->handler_count, sizeof(*s->handlers), compare);
}

void pe_id_field(struct pe_set *s, uint16_t sysreg, unsigned hi, unsigned lo, uint64_t value)
{
	CHECK(s->id_field_count < PE_ID_FIELDS);
	s->id_field[s->id_field_count++] = (struct pe_id_field){sysreg, hi, lo, value};
}

/* ---- emulation ---- */

static const struct pe_handler *find_handler(const struct pe_set *s, uint16_t sysreg)
{
	struct pe_handler key = {.sysreg = sysreg};

	return s->handler_count
		       ? bsearch(&key, s->handlers, s->handler_count, sizeof(*s->handlers), compare)
		       : NULL;
}

/* ID registers: op0 = 3, op1 = 0, CRn = 0, CRm = 1..7. */
static bool is_id_register(uint16_t sysreg)
{
	return SYSREG_OP0(sysreg) == 3 && SYSREG_OP1(sysreg) == 0 && SYSREG_CRN(sysreg) == 0 &&
	       SYSREG_CRM(sysreg) >= 1 && SYSREG_CRM(sysreg) <= 7;
}

static uint64_t read_id(struct pe *pe, uint16_t sysreg)
{
	const struct pe_set *s = pe->set;
	uint64_t v = pe_get(pe, REG_SYS(sysreg));

	for (unsigned i = 0; i < s->id_field_count; i++) {
		const struct pe_id_field *f = &s->id_field[i];

		if (f->sysreg == sysreg)
			v = bits_set(v, f->hi, f->lo, f->value);
	}
	return v;
}

static bool read_sysreg(struct pe *pe, uint16_t sysreg, uint64_t *value)
{
	const struct pe_handler *h = find_handler(pe->set, sysreg);
	struct pe_access a = {.pe = pe->number, .el = 1};

	if (h)
		return h->ops->read(h->opaque, &a, sysreg, value);
	if (!is_id_register(sysreg))
		return false;
	*value = read_id(pe, sysreg);
	return true;
}

static bool write_sysreg(struct pe *pe, uint16_t sysreg, uint64_t value)
{
	const struct pe_handler *h = find_handler(pe->set, sysreg);
	struct pe_access a = {.pe = pe->number, .el = 1};

	return h && h->ops->write(h->opaque, &a, sysreg, value);
}

void pe_sysreg(struct pe *pe, uint32_t word)
{
	uint16_t sysreg = SYSREG(2 + bit(word, 19), bits(word, 18, 16), bits(word, 15, 12),
				 bits(word, 11, 8), bits(word, 7, 5));
	unsigned rt = bits(word, 4, 0);
	uint64_t value = 0;
	bool ok;

	if (bit(word, 21)) { /* MRS */
		ok = read_sysreg(pe, sysreg, &value);
		if (ok)
			pe_put_x(pe, rt, value);
	} else {
		ok = write_sysreg(pe, sysreg, pe_get_x(pe, rt));
	}
	if (ok) {
		pe_skip(pe);
		return;
	}
	guest_error(pe->name, "UNDEFINED: 0x%08x at 0x%llx", word,
		    (unsigned long long)pe_get(pe, REG_PC));
	pe_inject_undef(pe);
}
