/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Architectural features (FEAT_...) as a set, worked out from the ID registers of a PE
 * (feature.def): these alone say what it has. Pure; any thread.
 */
#ifndef ARM_FEATURE_H
#define ARM_FEATURE_H

#include <stdbool.h>
#include <stdint.h>

enum arm_feature {
	ARM_FEAT_NONE, /* every PE has it */
#define ARM_FEATURE(name, ...)	     ARM_FEAT_##name,
#define ARM_FEATURE_NOT15(name, ...) ARM_FEAT_##name,
#include "arm/feature.def"
	ARM_FEAT_COUNT
};

struct arm_features {
	uint64_t set[(ARM_FEAT_COUNT + 63) / 64];
};

static inline bool arm_has(const struct arm_features *f, enum arm_feature feature)
{
	return f->set[feature / 64] >> (feature % 64) & 1;
}

/* @reg: an array by enum sysreg_index, of which the ID registers are looked at. */
void arm_features_from_id(struct arm_features *f, const uint64_t *reg);

/* Name without FEAT_. */
const char *arm_feature_name(enum arm_feature feature);
/* With or without FEAT_, in any case. ARM_FEAT_COUNT: unknown. */
enum arm_feature arm_feature_find(const char *name);

#endif
