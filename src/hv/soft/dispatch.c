/* SPDX-License-Identifier: Apache-2.0 */
/* From instruction words to the functions that carry them out. */
#include "hv/soft/sys.h"

static soft_fn *const functions[A64_OP_COUNT] = {
#define A64_OP(name) [A64_##name] = soft_##name,
	A64_OPS(A64_OP)
#undef A64_OP
};

void soft_UNDEFINED(struct soft_cpu *c, uint32_t w)
{
	soft_undefined(c);
}

/* The architectural feature that the tables name. */
static bool has(const struct arm_features *f, enum a64_feature feature)
{
	enum arm_feature needed;

	if (feature == A64_FEAT_BASE)
		return true;
	needed = arm_feature_find(a64_feature_names[feature]);
	return needed < ARM_FEAT_COUNT && arm_has(f, needed);
}

soft_fn *soft_function(const struct arm_features *f, uint32_t word)
{
	enum a64_op op = a64_decode(word);

	return has(f, a64_rows[op].feature) ? functions[op] : soft_UNDEFINED;
}
