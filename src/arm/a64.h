/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The A64 instruction set as a table: which row a word belongs to, and its fields. Generated from
 * the tables in a64/ by tools/gen-a64 (a64/README.md has the format); a64_FIELD(word) extracts a field.
 *
 * Pure; any thread.
 */
#ifndef ARM_A64_H
#define ARM_A64_H

#include "src/arm/a64-gen.h"

#include <stdint.h>

enum a64_op {
#define A64_OP(name) A64_##name,
	A64_OPS(A64_OP)
#undef A64_OP
		A64_OP_COUNT
};

struct a64_row {
	const char *name;
	uint32_t value, mask;
	enum a64_feature feature;
};

extern const struct a64_row a64_rows[A64_OP_COUNT];
/* As the Arm ARM has them, without FEAT_; "BASE": Armv8.0. */
extern const char *const a64_feature_names[A64_FEAT_COUNT];

/* A64_UNDEFINED: no row matches. A row's code may find further words UNDEFINED. */
enum a64_op a64_decode(uint32_t word);

#endif
