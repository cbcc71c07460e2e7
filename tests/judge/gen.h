/* SPDX-License-Identifier: Apache-2.0 */
/* Makes cases from the rows of the decoder's tables. The same seed makes the same cases. */
#ifndef JUDGE_GEN_H
#define JUDGE_GEN_H

#include "judge.h"
#include "known.h"
#include "random.h"
#include "rig.h"

#include <stdbool.h>

enum judge_group {
	JUDGE_IMM,
	JUDGE_BRANCH,
	JUDGE_SYSTEM,
	JUDGE_LDST,
	JUDGE_REG,
	JUDGE_SIMD,
	JUDGE_NONE, /* never made */
	JUDGE_GROUPS = JUDGE_NONE
};

struct judge_gen {
	struct judge_random random;
	struct judge_rig *rig; /* to ask what is UNDEFINED */
	const struct judge_known *known;
	bool blocks;
	bool defined_only; /* no UNDEFINED words one by one either */
	unsigned count[JUDGE_GROUPS], total;
	uint16_t row[JUDGE_GROUPS][A64_OP_COUNT];
	uint64_t *left_out; /* words per row that `known` kept out */
};

enum judge_group judge_group(enum a64_op op);

/* Which rows to make: those that are there and whose names begin with one of @only (with commas). False: none. */
bool judge_gen_init(struct judge_gen *g, uint64_t seed, const char *only, bool blocks,
		    const struct judge_known *known, struct judge_rig *rig, uint64_t *left_out);

/* New words for @slot, and a first state for them. */
void judge_gen_case(struct judge_gen *g, unsigned slot, struct judge_case *c);

/* Another state for the words of @c. */
void judge_gen_state(struct judge_gen *g, struct judge_case *c);

/* A random word of the row. */
uint32_t judge_gen_word(struct judge_random *r, enum a64_op op);

#endif
