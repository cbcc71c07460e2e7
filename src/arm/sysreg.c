/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queries on the table of system registers. Rules of access: Arm ARM (DDI 0487), the accessibility
 * pseudocode of each register in D24, as far as it says UNDEFINED.
 *
 * Not covered: AArch32 forms, and that EL2 registers read as zero at EL3 of a PE without EL2.
 */
#include "arm/sysreg.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const struct sysreg_field fields[] = {
#define SYSREG_FIELD(layout, name, hi, lo, feature, kind)                                          \
	{#name, hi, lo, SYSREG_FIELD_##kind, ARM_FEAT_##feature},
#define SYSREG_RES1(layout, hi, lo) {"RES1", hi, lo, SYSREG_FIELD_RES1, ARM_FEAT_NONE},
#include "arm/sysreg-field.def"
};

static const struct layout {
	uint64_t raw; /* plain storage, whatever the fields say */
	uint16_t first, count;
} layouts[SYSREG_LAYOUT_COUNT] = {
#define SYSREG_LAYOUT(name, first, count, raw) [SYSREG_LAYOUT_##name] = {raw, first, count},
#include "arm/sysreg-field.def"
};

static const struct sysreg_desc table[] = {
#define SYSREG_ROW(name, op0, op1, crn, crm, op2, read, write, flags, feature, layout, layout_e2h, \
		   storage, target, e2h, reset)                                                    \
	{#name,                                                                                    \
	 reset,                                                                                    \
	 SYS_##name,                                                                               \
	 SYSREG_IX_##storage,                                                                      \
	 SYS_##target,                                                                             \
	 SYS_##e2h,                                                                                \
	 SYSREG_LAYOUT_##layout,                                                                   \
	 SYSREG_LAYOUT_##layout_e2h,                                                               \
	 read,                                                                                     \
	 write,                                                                                    \
	 flags,                                                                                    \
	 ARM_FEAT_##feature},
#include "arm/sysreg.def"
};

_Static_assert(SYSREG_LAYOUT_COUNT < 256 && ARM_FEAT_COUNT < 256, "they are stored in bytes");

const struct sysreg_field *sysreg_fields(enum sysreg_layout layout, size_t *count)
{
	*count = layouts[layout].count;
	return &fields[layouts[layout].first];
}

const struct sysreg_desc *sysreg_table(size_t *count)
{
	*count = ARRAY_COUNT(table);
	return table;
}

static int compare(const void *key, const void *row)
{
	uint16_t code = *(const uint16_t *)key;
	const struct sysreg_desc *d = row;

	return (code > d->code) - (code < d->code);
}

const struct sysreg_desc *sysreg_lookup(uint16_t code)
{
	return bsearch(&code, table, ARRAY_COUNT(table), sizeof(table[0]), compare);
}

/* S3_0_C1_C0_0 */
static uint16_t generic_code(const char *name)
{
	unsigned op0, op1, crn, crm, op2;
	int end = 0;

	if ((*name != 'S' && *name != 's') ||
	    sscanf(name + 1, "%1u_%1u_%*1[Cc]%2u_%*1[Cc]%2u_%1u%n", &op0, &op1, &crn, &crm, &op2,
		   &end) != 5 ||
	    name[1 + end] || op0 > 3 || op1 > 7 || crn > 15 || crm > 15 || op2 > 7)
		return SYS_NONE;
	return SYSREG(op0, op1, crn, crm, op2);
}

const struct sysreg_desc *sysreg_find(const char *name)
{
	static const struct {
		const char *name;
		uint16_t code;
	} also[] = {
#define SYSREG_ALSO(name, other) {#other, SYS_##name},
#include "arm/sysreg.def"
	};

	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		if (!strcasecmp(table[i].name, name))
			return &table[i];
	}
	for (size_t i = 0; i < ARRAY_COUNT(also); i++) {
		if (!strcasecmp(also[i].name, name))
			return sysreg_lookup(also[i].code);
	}
	return sysreg_lookup(generic_code(name));
}

bool sysreg_exists(const struct sysreg_desc *d, const struct arm_features *features, uint32_t els)
{
	return arm_has(features, d->feature) && ((d->read | d->write) & els);
}

bool sysreg_allowed(const struct sysreg_desc *d, unsigned el, bool write,
		    const struct sysreg_env *env)
{
	if (!((write ? d->write : d->read) >> el & 1) || !arm_has(env->features, d->feature))
		return false;
	if ((d->flags & SYSREG_HIGHEST || (write && d->flags & SYSREG_W_HIGHEST)) &&
	    el != env->highest_el)
		return false;
	if (d->flags & SYSREG_E2H && !env->e2h)
		return false;
	return !(d->flags & SYSREG_SECURE) || el == 3 || env->secure;
}

static void add_field(struct sysreg_masks *m, const struct sysreg_field *f, bool has_feature)
{
	uint64_t mask = sysreg_mask(SYSREG_BITS(f->hi, f->lo));

	if (f->kind == SYSREG_FIELD_RES1 && (f->feature == ARM_FEAT_NONE || !has_feature))
		m->res1 |= mask;
	else if (!has_feature)
		return;
	else if (f->kind == SYSREG_FIELD_RO)
		m->kept |= mask;
	else if (f->kind != SYSREG_FIELD_WO)
		m->writable |= mask;
}

struct sysreg_masks sysreg_masks(const struct sysreg_desc *d, const struct arm_features *features,
				 bool e2h)
{
	const struct layout *l = &layouts[e2h ? d->layout_e2h : d->layout];
	struct sysreg_masks m = {.writable = l->raw};

	if (!l->count && !l->raw)
		m.writable = ~0ULL;
	for (unsigned i = 0; i < l->count; i++) {
		const struct sysreg_field *f = &fields[l->first + i];

		add_field(&m, f, arm_has(features, f->feature));
	}
	if (!d->write) {
		m.kept |= m.writable;
		m.writable = 0;
	}
	return m;
}

uint64_t sysreg_reset_value(const struct sysreg_desc *d, const struct arm_features *features)
{
	struct sysreg_masks m = sysreg_masks(d, features, false);

	return (d->reset & (m.writable | m.kept)) | m.res1;
}
