/* SPDX-License-Identifier: Apache-2.0 */
/* Features from ID registers: Arm ARM (DDI 0487), "Principles of the ID scheme for fields in ID
 * registers" in D24.1. */
#include "arm/feature.h"

#include "arm/sysreg.h"

#include <strings.h>

static const struct condition {
	uint16_t reg; /* enum sysreg_index */
	uint16_t field;
	uint8_t feature;
	uint8_t minimum;
	bool not15; /* 0b1111 does not count */
} conditions[] = {
#define ARM_FEATURE(name, reg, field, minimum)                                                     \
	{SYSREG_IX_##reg, SYSF_##reg##_##field, ARM_FEAT_##name, minimum, false},
#define ARM_FEATURE_NOT15(name, reg, field, minimum)                                               \
	{SYSREG_IX_##reg, SYSF_##reg##_##field, ARM_FEAT_##name, minimum, true},
#define ARM_FEATURE_OR(name, reg, field, minimum)                                                  \
	{SYSREG_IX_##reg, SYSF_##reg##_##field, ARM_FEAT_##name, minimum, false},
#include "arm/feature.def"
};

static const char *const names[ARM_FEAT_COUNT] = {
	[ARM_FEAT_NONE] = "NONE",
#define ARM_FEATURE(name, ...)	     [ARM_FEAT_##name] = #name,
#define ARM_FEATURE_NOT15(name, ...) [ARM_FEAT_##name] = #name,
#include "arm/feature.def"
};

static void add(struct arm_features *f, enum arm_feature feature)
{
	f->set[feature / 64] |= 1ULL << (feature % 64);
}

void arm_features_from_id(struct arm_features *f, const uint64_t *reg)
{
	*f = (struct arm_features){{0}};
	add(f, ARM_FEAT_NONE);
	for (unsigned i = 0; i < ARRAY_COUNT(conditions); i++) {
		const struct condition *c = &conditions[i];
		uint64_t v = sysreg_get(reg[c->reg], c->field);

		if (v >= c->minimum && !(c->not15 && v == 15))
			add(f, c->feature);
	}
}

const char *arm_feature_name(enum arm_feature feature)
{
	return names[feature];
}

enum arm_feature arm_feature_find(const char *name)
{
	if (!strncasecmp(name, "FEAT_", 5))
		name += 5;
	for (unsigned i = 0; i < ARM_FEAT_COUNT; i++) {
		if (!strcasecmp(names[i], name))
			return i;
	}
	return ARM_FEAT_COUNT;
}
