/* SPDX-License-Identifier: Apache-2.0 */
#include "debug/names.h"

#include "arm/insn.h"
#include "util/bits.h"

#include <ctype.h>
#include <stdio.h>

const char *name_exit(enum hv_exit_kind kind)
{
	static const char *const names[HV_EXIT_COUNT] = {
		[HV_EXIT_KICK] = "kick",
		[HV_EXIT_MMIO] = "mmio",
		[HV_EXIT_DABT] = "mmio_nosyndrome",
		[HV_EXIT_BRK] = "brk",
		[HV_EXIT_HVC] = "hvc",
		[HV_EXIT_SMC] = "smc",
		[HV_EXIT_STEP] = "step",
		[HV_EXIT_HWBP] = "hwbp",
		[HV_EXIT_WATCH] = "watchpoint",
		[HV_EXIT_INTERCEPT] = "intercept",
		[HV_EXIT_WAKE] = "wake",
		[HV_EXIT_TURN] = "turn",
		[HV_EXIT_WAIT] = "wait",
		[HV_EXIT_SYSTEM] = "system",
		[HV_EXIT_FAIL] = "fail",
	};

	return names[kind];
}

void name_insn(const struct policy_row *row, uint32_t word, char out[NAME_INSN_MAX])
{
	bool system = (word & 0xffd00000) == 0xd5100000; /* MRS, MSR (register) */
	uint16_t sysreg = SYSREG(2 + bit(word, 19), bits(word, 18, 16), bits(word, 15, 12),
				 bits(word, 11, 8), bits(word, 7, 5));
	char name[INSN_SYSREG_NAME_MAX];
	size_t i;

	if (system) {
		snprintf(out, NAME_INSN_MAX, "%s %s", bit(word, 21) ? "mrs" : "msr",
			 insn_sysreg_name(sysreg, name));
		return;
	}
	for (i = 0; row->name[i] && i < NAME_INSN_MAX - 1; i++)
		out[i] = row->name[i] == '_' ? ' ' : tolower((unsigned char)row->name[i]);
	out[i] = '\0';
}
