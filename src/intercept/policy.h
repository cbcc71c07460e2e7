/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interception policy: which instruction words are caught, and what is done about each. A table
 * (policy.def) and a look-up; it knows no addresses and no pages.
 */
#ifndef INTERCEPT_POLICY_H
#define INTERCEPT_POLICY_H

#include <stdbool.h>
#include <stdint.h>

enum intercept_what {
	INTERCEPT_HVC,
	INTERCEPT_SMC,
	INTERCEPT_MRS,
	INTERCEPT_MSR,
	INTERCEPT_GUEST_BRK,
	INTERCEPT_BRANCH,	 /* BR, BLR, RET: the PE does it, then looks at the target */
	INTERCEPT_WATCH_FLOW,	 /* executed natively, then the new PC is looked at */
	INTERCEPT_WATCH_MMU,	 /* ... then SCTLR_EL1.M */
	INTERCEPT_WATCH_TABLES,	 /* ... then the translation tables */
	INTERCEPT_WATCH_VECTORS, /* ... then the vectors */
	INTERCEPT_WATCH_CODE,	 /* ... then what changed in known code */
	INTERCEPT_WHAT_COUNT
};

enum policy_when {
	POLICY_ALWAYS = 1,
	POLICY_UNSETTLED = 2,
	POLICY_TABLES = 4,
	POLICY_UPPER = 8,
	POLICY_CORE = 16,
	POLICY_UPPER_CORE = POLICY_UPPER | POLICY_CORE,
};

struct policy_row {
	const char *name;
	uint32_t value;
	uint32_t mask;
	enum policy_when when;
	enum intercept_what what;
	unsigned release;
	const char *reference;
	int line;
};

/* Row for an instruction word, or NULL: let it run. @when: the set of enum policy_when that applies. */
const struct policy_row *policy_match(uint32_t word, unsigned when);

/* The table, for reports and tests. */
const struct policy_row *policy_rows(unsigned *count);

/* Are two rows at odds? Returns true if the table is sound, else the lines of the first clash. */
bool policy_check(int *line_a, int *line_b);

#endif
