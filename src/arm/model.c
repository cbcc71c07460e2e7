/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of arm/model/, and how they are combined with what there is: Arm ARM (DDI 0487), D24.1 "Principles of the
 * ID scheme for fields in ID registers", D24.2 for each register.
 */
#include "arm/model.h"

#include "arm/sysreg.h"
#include "util/bits.h"

#include <string.h>

#define PMCR_IDENTITY 0xffff0000 /* IMP, IDCODE */

struct reg {
	uint16_t code, index;
	uint64_t value;
};

struct ccsidr {
	uint8_t csselr;
	uint32_t value;
};

struct arm_model {
	const char *name;
	bool mt;
	const struct reg *regs;
	const struct ccsidr *ccsidrs;
	const struct arm_model_impdef *impdefs;
	uint8_t reg_count, ccsidr_count, impdef_count;
};

/* ---- the tables: each is read for its registers, its caches and its own ones ---- */

enum { DATA, INSTRUCTION };

#define AS_REG(name, value)	      {SYS_##name, SYSREG_IX_##name, value},
#define AS_CCSIDR(level, type, value) {((level)-1) << 1 | (type), value},
#define AS_IMPDEF(name, code, reset, control, kind)                                                \
	{#name, reset, code, CONTROL_##control, ARM_MODEL_##kind},

enum {
	CONTROL_0,
	CONTROL_1,
	CONTROL_4 = 4,
	CONTROL_5,
	CONTROL_6,
	CONTROL_7,
	CONTROL_ANY = ARM_MODEL_ANY,
};

#define MODEL_REG AS_REG
#define MODEL_CCSIDR(...)
#define MODEL_IMPDEF(...)
static const struct reg regs_A53[] = {
#include "arm/model/cortex-a53.def"
};
static const struct reg regs_A57[] = {
#include "arm/model/cortex-a57.def"
};
static const struct reg regs_A72[] = {
#include "arm/model/cortex-a72.def"
};
static const struct reg regs_A76[] = {
#include "arm/model/cortex-a76.def"
};
static const struct reg regs_N1[] = {
#include "arm/model/neoverse-n1.def"
};
static const struct reg regs_MAX[] = {
#include "arm/model/max.def"
};
#undef MODEL_REG
#undef MODEL_CCSIDR
#define MODEL_REG(...)
#define MODEL_CCSIDR AS_CCSIDR
static const struct ccsidr ccsidrs_A53[] = {
#include "arm/model/cortex-a53.def"
};
static const struct ccsidr ccsidrs_A57[] = {
#include "arm/model/cortex-a57.def"
};
static const struct ccsidr ccsidrs_A72[] = {
#include "arm/model/cortex-a72.def"
};
static const struct ccsidr ccsidrs_A76[] = {
#include "arm/model/cortex-a76.def"
};
static const struct ccsidr ccsidrs_N1[] = {
#include "arm/model/neoverse-n1.def"
};
static const struct ccsidr ccsidrs_MAX[] = {
#include "arm/model/max.def"
};
#undef MODEL_CCSIDR
#undef MODEL_IMPDEF
#define MODEL_CCSIDR(...)
#define MODEL_IMPDEF AS_IMPDEF
static const struct arm_model_impdef impdefs_A53[] = {
#include "arm/model/cortex-a53.def"
};
static const struct arm_model_impdef impdefs_A57[] = {
#include "arm/model/cortex-a57.def"
};
static const struct arm_model_impdef impdefs_A72[] = {
#include "arm/model/cortex-a72.def"
};
static const struct arm_model_impdef impdefs_A76[] = {
#include "arm/model/cortex-a76.def"
};
static const struct arm_model_impdef impdefs_N1[] = {
#include "arm/model/neoverse-n1.def"
};
static const struct arm_model_impdef impdefs_MAX[] = {
#include "arm/model/max.def"
};

#define ARM_MODEL(symbol, name, mt)                                                                \
	{name,                                                                                     \
	 mt,                                                                                       \
	 regs_##symbol,                                                                            \
	 ccsidrs_##symbol,                                                                         \
	 impdefs_##symbol,                                                                         \
	 ARRAY_COUNT(regs_##symbol),                                                               \
	 ARRAY_COUNT(ccsidrs_##symbol),                                                            \
	 ARRAY_COUNT(impdefs_##symbol)},
static const struct arm_model models[] = {
#include "arm/model.def"
};

/* ---- queries ---- */

const struct arm_model *arm_model_find(const char *name)
{
	for (unsigned i = 0; i < ARRAY_COUNT(models); i++) {
		if (!strcmp(models[i].name, name))
			return &models[i];
	}
	return NULL;
}

const struct arm_model *arm_model_at(unsigned n)
{
	return n < ARRAY_COUNT(models) ? &models[n] : NULL;
}

const char *arm_model_name(const struct arm_model *m)
{
	return m->name;
}

bool arm_model_reg(const struct arm_model *m, uint16_t code, uint64_t *value)
{
	for (unsigned i = 0; i < m->reg_count; i++) {
		if (m->regs[i].code == code) {
			*value = m->regs[i].value;
			return true;
		}
	}
	return false;
}

uint64_t arm_model_ccsidr(const struct arm_model *m, uint64_t csselr)
{
	for (unsigned i = 0; i < m->ccsidr_count; i++) {
		if (m->ccsidrs[i].csselr == csselr)
			return m->ccsidrs[i].value;
	}
	return 0;
}

unsigned arm_model_pa_bits(const struct arm_model *m)
{
	static const uint8_t sizes[8] = {32, 36, 40, 42, 44, 48, 52, 56};
	uint64_t v;

	if (!arm_model_reg(m, SYS_ID_AA64MMFR0_EL1, &v))
		return 48;
	return sizes[sysreg_get(v, SYSF_ID_AA64MMFR0_EL1_PARange) & 7];
}

/* MPIDR_EL1.MT: Aff0 is the thread, of which there is one, and Aff1 the core. */
uint64_t arm_model_mpidr(const struct arm_model *m, unsigned n)
{
	return m->mt ? 1ULL << 24 | (uint64_t)n << 8 : n;
}

const struct arm_model_impdef *arm_model_impdefs(const struct arm_model *m, size_t *count)
{
	*count = m->impdef_count;
	return m->impdefs;
}

uint64_t arm_model_actlr(const struct arm_model *m)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < m->impdef_count; i++) {
		if (m->impdefs[i].control != ARM_MODEL_ANY)
			bits |= 1ULL << m->impdefs[i].control;
	}
	return bits;
}

/* ---- the lesser of two ---- */

/* Fields where 0b1111 means that it is not there. */
static bool has_none(uint16_t code, const struct sysreg_field *f)
{
	static const uint16_t fields[] = {
		SYSF_ID_AA64PFR0_EL1_FP,	 SYSF_ID_AA64PFR0_EL1_AdvSIMD,
		SYSF_ID_AA64MMFR0_EL1_TGran4,	 SYSF_ID_AA64MMFR0_EL1_TGran64,
		SYSF_ID_AA64DFR0_EL1_DoubleLock, SYSF_ID_AA64DFR0_EL1_PMUVer,
	};
	static const uint16_t codes[] = {
		SYS_ID_AA64PFR0_EL1,  SYS_ID_AA64PFR0_EL1, SYS_ID_AA64MMFR0_EL1,
		SYS_ID_AA64MMFR0_EL1, SYS_ID_AA64DFR0_EL1, SYS_ID_AA64DFR0_EL1,
	};

	for (unsigned i = 0; i < ARRAY_COUNT(fields); i++) {
		if (codes[i] == code && fields[i] == SYSREG_BITS(f->hi, f->lo))
			return true;
	}
	return false;
}

static uint64_t lesser(uint64_t a, uint64_t b, bool none)
{
	if (none && (a == 15 || b == 15))
		return 15;
	return a < b ? a : b;
}

uint64_t arm_id_lesser(uint16_t code, uint64_t a, uint64_t b)
{
	const struct sysreg_desc *d = sysreg_lookup(code);
	const struct sysreg_field *f;
	uint64_t v = 0;
	size_t count = 0;

	f = d ? sysreg_fields((enum sysreg_layout)d->layout, &count) : NULL;
	for (size_t i = 0; i < count; i++) {
		enum sysreg_bits field = (enum sysreg_bits)SYSREG_BITS(f[i].hi, f[i].lo);

		v = sysreg_put(
			v, field,
			lesser(sysreg_get(a, field), sysreg_get(b, field), has_none(code, &f[i])));
	}
	return v;
}

uint64_t arm_ctr_lesser(uint64_t a, uint64_t b)
{
	/* The write-back and exclusives granules are upper bounds; 0 is the largest. */
	static const uint16_t bounds[] = {SYSF_CTR_EL0_CWG, SYSF_CTR_EL0_ERG};
	uint64_t v = arm_id_lesser(SYS_CTR_EL0, a, b) | 1ULL << 31;

	for (unsigned i = 0; i < ARRAY_COUNT(bounds); i++) {
		enum sysreg_bits field = (enum sysreg_bits)bounds[i];
		uint64_t x = sysreg_get(a, field), y = sysreg_get(b, field);

		v = sysreg_put(v, field, !x || !y ? 0 : x > y ? x : y);
	}
	return v;
}

/* ---- what a PE shows ---- */

/* CRm 4 to 7: of AArch64; max has nothing of its own in there. */
static bool is_combined(uint16_t code)
{
	return sysreg_is_id(code) && SYSREG_CRM(code) >= 4;
}

bool arm_model_is_whole(const struct arm_model *m)
{
	uint64_t v;

	return !arm_model_reg(m, SYS_ID_AA64PFR0_EL1, &v);
}

uint64_t arm_model_id(const struct arm_model *m, uint16_t code, uint64_t has)
{
	uint64_t v = 0;
	bool listed = arm_model_reg(m, code, &v);

	if (is_combined(code))
		return arm_model_is_whole(m) ? has : arm_id_lesser(code, v, has);
	return listed ? v : has;
}

void arm_model_apply(const struct arm_model *m, uint64_t *reg)
{
	size_t count;
	const struct sysreg_desc *d = sysreg_table(&count);

	for (size_t i = 0; i < count; i++) {
		if (is_combined(d[i].code) && d[i].index < SYSREG_INDEX_COUNT)
			reg[d[i].index] = arm_model_id(m, d[i].code, reg[d[i].index]);
	}
	for (unsigned i = 0; i < m->reg_count; i++) {
		const struct reg *r = &m->regs[i];

		if (r->code == SYS_CTR_EL0)
			reg[r->index] = arm_ctr_lesser(r->value, reg[r->index]);
		else if (r->code == SYS_PMCR_EL0) /* no event counters: N is 0 */
			reg[r->index] = (r->value & PMCR_IDENTITY) | (reg[r->index] & 0xffff);
		else if (!is_combined(r->code))
			reg[r->index] = r->value;
	}
}
