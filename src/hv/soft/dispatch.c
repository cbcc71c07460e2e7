/* SPDX-License-Identifier: Apache-2.0 */
/* From instruction words to the functions that carry them out. */
#include "arm/sysop.h"
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

/* MSR (immediate) and SYS: what they do has its own feature. */
static bool has_operation(const struct arm_features *f, enum a64_op op, uint32_t word)
{
	unsigned op0 = op == A64_SYS;
	const struct sysop_desc *d;

	if (op != A64_SYS && op != A64_MSR_imm)
		return true;
	d = sysop_lookup(
		SYSREG(op0, a64_op1(word), op0 ? a64_CRn(word) : 4, a64_CRm(word), a64_op2(word)));
	return !d || arm_has(f, d->feature);
}

soft_fn *soft_function(const struct arm_features *f, uint32_t word)
{
	enum a64_op op = a64_decode(word);

	return has(f, a64_rows[op].feature) && has_operation(f, op, word) ? functions[op]
									  : soft_UNDEFINED;
}
