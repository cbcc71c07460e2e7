/* SPDX-License-Identifier: Apache-2.0 */
#include "intercept/policy.h"

#include "util/bits.h"

#include <stddef.h>

static const struct policy_row rows[] = {
#define POLICY(name, value, mask, when, what, release, reference)                                  \
	{#name, value, mask, POLICY_##when, INTERCEPT_##what, release, reference, __LINE__},
#include "intercept/policy.def"
#undef POLICY
};

const struct policy_row *policy_match(uint32_t word, unsigned when)
{
	/* Every row lies in 0xd4000000-0xd7ffffff: most words end here. */
	if (word >> 26 != 0xd4 >> 2)
		return NULL;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if ((word & rows[i].mask) == rows[i].value && (rows[i].when & when))
			return &rows[i];
	}
	return NULL;
}

const struct policy_row *policy_rows(unsigned *count)
{
	*count = ARRAY_COUNT(rows);
	return rows;
}

bool policy_check(int *line_a, int *line_b)
{
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		for (size_t j = i + 1; j < ARRAY_COUNT(rows); j++) {
			uint32_t common = rows[i].mask & rows[j].mask;

			if ((rows[i].value & common) != (rows[j].value & common))
				continue;
			*line_a = rows[i].line;
			*line_b = rows[j].line;
			return false;
		}
	}
	return true;
}
