/* SPDX-License-Identifier: Apache-2.0 */
/* Queries on the table of SYS and MSR (immediate) operations: Arm ARM (DDI 0487), C5.3 to C5.5. */
#include "arm/sysop.h"

#include "util/bits.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct sysop_desc table[] = {
#define SYSOP_ROW(group, name, op0, op1, crn, crm, op2, levels, flags, feature)                    \
	{#group, #name, SYSOP_##group##_##name, levels, flags, ARM_FEAT_##feature},
#include "arm/sysop.def"
};

const struct sysop_desc *sysop_table(size_t *count)
{
	*count = ARRAY_COUNT(table);
	return table;
}

static int compare(const void *key, const void *row)
{
	uint16_t code = *(const uint16_t *)key;
	const struct sysop_desc *d = row;

	return (code > d->code) - (code < d->code);
}

/* MSR (immediate): CRm is the operand; of ALLINT and its like, and of SVCR, only bit 0. */
static uint16_t without_operand(uint16_t code)
{
	bool one_bit = (SYSREG_OP1(code) == 1 && SYSREG_OP2(code) == 0) ||
		       (SYSREG_OP1(code) == 3 && SYSREG_OP2(code) == 3);

	return code & ~(one_bit ? 1U << 3 : 15U << 3);
}

const struct sysop_desc *sysop_lookup(uint16_t code)
{
	if (SYSREG_OP0(code) == 0)
		code = without_operand(code);
	return bsearch(&code, table, ARRAY_COUNT(table), sizeof(table[0]), compare);
}

const struct sysop_desc *sysop_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		size_t n = strlen(table[i].group);

		if (!strncasecmp(table[i].group, name, n) && name[n] == ' ' &&
		    !strcasecmp(table[i].name, name + n + 1))
			return &table[i];
	}
	return NULL;
}
