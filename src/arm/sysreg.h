/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AArch64 system registers: names, encodings, access rules, layouts and reset values, from the
 * tables that tools/gen-sysregs writes (sysreg.def, sysreg-field.def). Arm ARM (DDI 0487), D24;
 * GIC: IHI 0069, 12.2.
 *
 *   SYS_<name>               encoding, the SYSREG() code of arm/reg.h
 *   SYSREG_IX_<name>         where an array of all registers with storage has it
 *   SYSF_<layout>_<field>    a field, for sysreg_get() and its like
 *
 * What depends on more than the level, the direction and the features of the PE is code elsewhere:
 * traps, and the registers without storage. Constant data and pure functions: any thread.
 */
#ifndef ARM_SYSREG_H
#define ARM_SYSREG_H

#include "arm/feature.h"
#include "arm/reg.h"
#include "util/bits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum arm_sysreg {
	SYS_NONE = 0, /* op0 is 0: no register */
#define SYSREG_ROW(name, op0, op1, crn, crm, op2, ...) SYS_##name = SYSREG(op0, op1, crn, crm, op2),
#define SYSREG_ALSO(name, other)		       SYS_##other = SYS_##name,
#include "arm/sysreg.def"
};

enum sysreg_index {
#define SYSREG_STORED(name) SYSREG_IX_##name,
#include "arm/sysreg.def"
	SYSREG_INDEX_COUNT,
	SYSREG_IX_NONE = SYSREG_INDEX_COUNT, /* no storage: computed, or an action */
};

/* ---- fields ---- */

#define SYSREG_BITS(hi, lo) ((hi) << 6 | (lo))
enum sysreg_bits {
#define SYSREG_FIELD(layout, name, hi, lo, ...) SYSF_##layout##_##name = SYSREG_BITS(hi, lo),
#include "arm/sysreg-field.def"
};

static inline uint64_t sysreg_get(uint64_t value, enum sysreg_bits field)
{
	return bits(value, field >> 6, field & 63);
}

static inline uint64_t sysreg_put(uint64_t value, enum sysreg_bits field, uint64_t content)
{
	return bits_set(value, field >> 6, field & 63, content);
}

static inline uint64_t sysreg_mask(enum sysreg_bits field)
{
	return bits_set(0, field >> 6, field & 63, ~0ULL);
}

enum sysreg_field_kind {
	SYSREG_FIELD_RW,
	SYSREG_FIELD_RO,
	SYSREG_FIELD_WO,   /* reads as zero: an action */
	SYSREG_FIELD_RES1, /* RES1; with a feature: only without that */
};

struct sysreg_field {
	const char *name; /* "RES1" if it has none */
	uint8_t hi, lo;
	uint8_t kind;	 /* enum sysreg_field_kind */
	uint8_t feature; /* without it: RES0, or RES1 for that kind */
};

enum sysreg_layout {
	SYSREG_LAYOUT_NONE, /* not described: 64 bits of storage */
#define SYSREG_LAYOUT(name, ...) SYSREG_LAYOUT_##name,
#include "arm/sysreg-field.def"
	SYSREG_LAYOUT_COUNT
};

/* From the highest bit down. */
const struct sysreg_field *sysreg_fields(enum sysreg_layout layout, size_t *count);

/* ---- registers ---- */

enum sysreg_flags {
	SYSREG_MODEL = 1,     /* constant, from the CPU model or the place in the machine */
	SYSREG_HIGHEST = 2,   /* only at the highest implemented exception level */
	SYSREG_W_HIGHEST = 4, /* writable only there */
	SYSREG_SECURE = 8,    /* below EL3: only in Secure state */
	SYSREG_E2H = 16,      /* _EL12, _EL02: only if HCR_EL2.E2H is 1 */
	SYSREG_FP = 32,	      /* subject to CPACR_EL1.FPEN, CPTR_EL2, CPTR_EL3 */
};

struct sysreg_desc {
	const char *name;
	uint64_t reset;	 /* before RES0 and RES1; a choice where the Arm ARM says UNKNOWN */
	uint16_t code;	 /* SYSREG() */
	uint16_t index;	 /* enum sysreg_index; may be that of another register */
	uint16_t target; /* _EL12, _EL02: code of the register that it names, else SYS_NONE */
	/* At EL2 with HCR_EL2.E2H = 1: code of the register that is accessed, or SYS_NONE. The
	 * timers' also at EL0 if TGE is 1, too; in Secure state, it is CNTHPS_ or CNTHVS_ then. */
	uint16_t e2h;
	uint8_t layout, layout_e2h; /* enum sysreg_layout, for HCR_EL2.E2H 0 and 1 */
	uint8_t read, write;	    /* bit n: from ELn; all else is UNDEFINED */
	uint8_t flags;
	uint8_t feature; /* enum arm_feature that brings it */
};

/* All of them, in ascending order of codes. */
const struct sysreg_desc *sysreg_table(size_t *count);
/* NULL: none is known at this encoding. */
const struct sysreg_desc *sysreg_lookup(uint16_t code);
/* By name in any case, also as S<op0>_<op1>_C<n>_C<m>_<op2>. NULL: unknown. */
const struct sysreg_desc *sysreg_find(const char *name);

/* The space of the ID registers, where reserved encodings read as zero from EL1. */
static inline bool sysreg_is_id(uint16_t code)
{
	return (code & ~0x7f) == SYSREG(3, 0, 0, 0, 0) && SYSREG_CRM(code) >= 1 &&
	       SYSREG_CRM(code) <= 7;
}

/* Does a PE with these features and levels (bit n: ELn) have it? */
bool sysreg_exists(const struct sysreg_desc *d, const struct arm_features *features, uint32_t els);

/* What decides on access beside the level. */
struct sysreg_env {
	const struct arm_features *features;
	uint8_t highest_el;
	bool e2h;    /* HCR_EL2.E2H */
	bool secure; /* Secure state */
};

/* False: UNDEFINED. Traps come after. */
bool sysreg_allowed(const struct sysreg_desc *d, unsigned el, bool write,
		    const struct sysreg_env *env);

/* What a write does to the bits: those in none of the masks are RES0. */
struct sysreg_masks {
	uint64_t writable;
	uint64_t kept; /* read-only */
	uint64_t res1;
};

struct sysreg_masks sysreg_masks(const struct sysreg_desc *d, const struct arm_features *features,
				 bool e2h);

static inline uint64_t sysreg_written(const struct sysreg_masks *m, uint64_t old, uint64_t value)
{
	return (value & m->writable) | (old & m->kept) | m->res1;
}

uint64_t sysreg_reset_value(const struct sysreg_desc *d, const struct arm_features *features);

#endif
