/* SPDX-License-Identifier: Apache-2.0 */
/* What was compared, and how results differ. */
#ifndef JUDGE_REPORT_H
#define JUDGE_REPORT_H

#include "judge.h"

#include "arm/a64.h"

#include <stdbool.h>
#include <stdio.h>

/* Per row. */
struct judge_stat {
	uint64_t compared, undefined, mismatches, left_out, wild;
};

/* One side's answer. */
struct judge_answer {
	struct judge_result r;
	unsigned char changed[JUDGE_SCRATCH_BYTES];
};

bool judge_differ(const struct judge_case *c, const struct judge_answer *a,
		  const struct judge_answer *b);

/* In full: words with their disassembly, operands, and what differs. */
void judge_print(FILE *f, const struct judge_case *c, const struct judge_answer *soft,
		 const struct judge_answer *reference);

/* "row NAME COMPARED UNDEFINED MISMATCHES LEFT_OUT WILD", for the script that adds up. */
void judge_print_stats(FILE *f, const struct judge_stat stats[A64_OP_COUNT]);

#endif
