/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations of the SYS space (AT, CFP, CPP, DC, DVP, IC, TLBI ...) and of MSR (immediate),
 * which are encoded like registers: names, levels and features, from sysop.def. Arm ARM
 * (DDI 0487), C5.3 to C5.5, and "MSR (immediate)" in C6.2.
 *
 * SYSOP_<group>_<name> is the SYSREG() code: op0 is 1, and 0 for PSTATE. Constant data; any thread.
 */
#ifndef ARM_SYSOP_H
#define ARM_SYSOP_H

#include "arm/feature.h"
#include "arm/reg.h"

#include <stddef.h>
#include <stdint.h>

enum sysop_code {
#define SYSOP_ROW(group, name, op0, op1, crn, crm, op2, ...)                                       \
	SYSOP_##group##_##name = SYSREG(op0, op1, crn, crm, op2),
#include "arm/sysop.def"
};

enum sysop_flags {
	SYSOP_RT = 1,	      /* takes a register */
	SYSOP_IS = 2,	      /* TLBI: broadcast, Inner Shareable */
	SYSOP_OS = 4,	      /* TLBI: broadcast, Outer Shareable */
	SYSOP_NXS = 8,	      /* TLBI: nXS */
	SYSOP_RANGE = 16,     /* TLBI: a range of addresses */
	SYSOP_LAST_LEVEL = 32 /* TLBI: last level of the tables only */
};

struct sysop_desc {
	const char *group, *name; /* "TLBI", "VAE1IS" */
	uint16_t code;
	uint8_t levels; /* bit n: from ELn; all else is UNDEFINED */
	uint8_t flags;
	uint8_t feature; /* enum arm_feature */
};

/* All of them, in ascending order of codes. */
const struct sysop_desc *sysop_table(size_t *count);
/* NULL: none. For MSR (immediate), what of CRm is the operand does not count. */
const struct sysop_desc *sysop_lookup(uint16_t code);
/* "TLBI VAE1IS", in any case. */
const struct sysop_desc *sysop_find(const char *name);

#endif
