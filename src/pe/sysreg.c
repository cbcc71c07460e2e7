/* SPDX-License-Identifier: Apache-2.0 */
/* Intercepted MRS and MSR: registers that devices implement, and fields of ID registers. */
#include "pe/pe_int.h"

#include "arm/exc.h"
#include "arm/model.h"
#include "arm/sysreg.h"
#include "util/bits.h"
#include "util/buf.h"
#include "util/log.h"
#include "util/xalloc.h"

#include <stdlib.h>
#include <string.h>

enum { SCR_EL3_NS = 0 };

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

/* The register that an MRS or MSR names. */
uint16_t pe_sysreg_of(uint32_t word)
{
	return SYSREG(2 + bit(word, 19), bits(word, 18, 16), bits(word, 15, 12), bits(word, 11, 8),
		      bits(word, 7, 5));
}

static const struct pe_handler *find_handler(const struct pe_set *s, uint16_t sysreg)
{
	struct pe_handler key = {.sysreg = sysreg};

	return s->handler_count
		       ? bsearch(&key, s->handlers, s->handler_count, sizeof(*s->handlers), compare)
		       : NULL;
}

/* ID registers: op0 = 3, op1 = 0, CRn = 0, CRm = 1..7. */
bool pe_is_id_register(uint16_t sysreg)
{
	return SYSREG_OP0(sysreg) == 3 && SYSREG_OP1(sysreg) == 0 && SYSREG_CRN(sysreg) == 0 &&
	       SYSREG_CRM(sysreg) >= 1 && SYSREG_CRM(sysreg) <= 7;
}

static bool is_name(uint16_t sysreg)
{
	return sysreg == SYS_MIDR_EL1 || sysreg == SYS_REVIDR_EL1;
}

#define PFR0_INSTRUCTIONS 0xff0000ULL /* AdvSIMD, FP */

/* Hosts say that there are levels below which they have put us. */
static uint64_t without_levels(const struct pe_set *s, uint64_t pfr0)
{
	if (!(s->els & 1 << 2))
		pfr0 = sysreg_put(pfr0, SYSF_ID_AA64PFR0_EL1_EL2, 0);
	if (!(s->els & 1 << 3))
		pfr0 = sysreg_put(pfr0, SYSF_ID_AA64PFR0_EL1_EL3, 0);
	return pfr0;
}

/* Does the back end have the host's core, and the board another? */
static bool shows_core(const struct pe_set *s)
{
	return s->model && !s->cfg.caps->translate_intercept;
}

static uint64_t read_id(struct pe *pe, uint16_t sysreg)
{
	const struct pe_set *s = pe->set;
	uint64_t v = 0;

	if (!pe_try_get(pe, REG_SYS(sysreg), &v) && !shows_core(s))
		v = pe_get(pe, REG_SYS(sysreg)); /* says what is wrong */
	if (shows_core(s))
		v = arm_model_id(s->model, sysreg, v);

	if (sysreg == SYS_ID_AA64PFR0_EL1)
		v = without_levels(s, v);
	for (unsigned i = 0; i < s->id_field_count; i++) {
		const struct pe_id_field *f = &s->id_field[i];

		if (f->sysreg == sysreg)
			v = bits_set(v, f->hi, f->lo, f->value);
	}
	return v;
}

/* Only instructions: that translation is not what the core's is, a system finds out and lives with. */
void pe_report_core(struct pe *pe)
{
	static const uint16_t registers[][2] = {
		{SYS_ID_AA64PFR0_EL1, SYSREG_IX_ID_AA64PFR0_EL1},
		{SYS_ID_AA64ISAR0_EL1, SYSREG_IX_ID_AA64ISAR0_EL1},
		{SYS_ID_AA64ISAR1_EL1, SYSREG_IX_ID_AA64ISAR1_EL1},
	};
	const struct pe_set *s = pe->set;
	uint64_t core[SYSREG_INDEX_COUNT] = {0}, shown[SYSREG_INDEX_COUNT] = {0};
	struct arm_features has, shows;
	struct buf names = {0};

	if (pe->number || !shows_core(s) || arm_model_is_whole(s->model))
		return;
	for (unsigned i = 0; i < ARRAY_COUNT(registers); i++) {
		uint64_t mask = i ? ~0ULL : PFR0_INSTRUCTIONS, v = 0;

		pe_try_get(pe, REG_SYS(registers[i][0]), &v);
		shown[registers[i][1]] = arm_model_id(s->model, registers[i][0], v) & mask;
		if (arm_model_reg(s->model, registers[i][0], &v))
			core[registers[i][1]] = v & mask;
	}
	arm_features_from_id(&has, core);
	arm_features_from_id(&shows, shown);
	for (unsigned f = 0; f < ARM_FEAT_COUNT; f++) {
		if (arm_has(&has, f) && !arm_has(&shows, f))
			buf_fmt(&names, " FEAT_%s", arm_feature_name(f));
	}
	if (names.len)
		LOG(vm, "%s without%.*s, which this host's CPUs do not have",
		    arm_model_name(s->model), (int)names.len, names.data);
	buf_free(&names);
}

void pe_put_id_fields(struct pe *pe)
{
	const struct pe_set *s = pe->set;

	for (unsigned i = 0; s->cfg.caps->translate_intercept && i < s->id_field_count; i++)
		pe_put(pe, REG_SYS(s->id_field[i].sysreg), read_id(pe, s->id_field[i].sysreg));
}

/* Registers of levels that the PE has not got are not asked for: back ends need not know them. */
static struct pe_access access_of(struct pe *pe, uint16_t sysreg)
{
	bool impdef = SYSREG_CRN(sysreg) == 11 || SYSREG_CRN(sysreg) == 15;
	struct pe_access a = {.pe = pe->number, .el = (uint8_t)pe_el(pe)};
	uint32_t els = pe->set->els;

	if (els & 1 << 3) {
		a.scr_el3 = pe_get(pe, REG_SYS(SYS_SCR_EL3));
		a.secure = !bit(a.scr_el3, SCR_EL3_NS);
		a.actlr_el3 = impdef ? pe_get(pe, REG_SYS(SYS_ACTLR_EL3)) : 0;
	}
	if (els & 1 << 2) {
		a.hcr_el2 = pe_get(pe, REG_SYS(SYS_HCR_EL2));
		a.actlr_el2 = impdef ? pe_get(pe, REG_SYS(SYS_ACTLR_EL2)) : 0;
	}
	return a;
}

static enum pe_sysreg_result read_sysreg(struct pe *pe, uint16_t sysreg, uint64_t *value)
{
	const struct pe_handler *h = find_handler(pe->set, sysreg);
	struct pe_access a;

	if (h) {
		a = access_of(pe, sysreg);
		return h->ops->read(h->opaque, &a, sysreg, value);
	}
	if (!pe_is_id_register(sysreg) && !is_name(sysreg))
		return PE_SYSREG_UNDEF;
	*value = read_id(pe, sysreg);
	return PE_SYSREG_OK;
}

static enum pe_sysreg_result write_sysreg(struct pe *pe, uint16_t sysreg, uint64_t value)
{
	const struct pe_handler *h = find_handler(pe->set, sysreg);
	struct pe_access a;

	if (!h)
		return PE_SYSREG_UNDEF;
	a = access_of(pe, sysreg);
	return h->ops->write(h->opaque, &a, sysreg, value);
}

static void undefined(struct pe *pe, uint32_t word)
{
	guest_error(pe->name, "UNDEFINED: 0x%08x at 0x%llx", word,
		    (unsigned long long)pe_get(pe, REG_PC));
	pe_inject_undef(pe);
}

void pe_sysreg(struct pe *pe, uint32_t word)
{
	uint16_t sysreg = pe_sysreg_of(word);
	bool is_read = bit(word, 21); /* MRS */
	unsigned rt = bits(word, 4, 0);
	enum pe_sysreg_result r;
	uint64_t value = 0;

	r = is_read ? read_sysreg(pe, sysreg, &value) : write_sysreg(pe, sysreg, pe_get_x(pe, rt));
	switch (r) {
	case PE_SYSREG_OK:
		if (is_read)
			pe_put_x(pe, rt, value);
		pe_skip(pe);
		break;
	case PE_SYSREG_TRAP_EL2:
	case PE_SYSREG_TRAP_EL3:
		pe_inject_at(pe, r == PE_SYSREG_TRAP_EL2 ? 2 : 3,
			     arm_esr_sysreg(sysreg, rt, is_read), 0);
		break;
	default:
		undefined(pe, word);
	}
}
