/* SPDX-License-Identifier: Apache-2.0 */
#include "debug/names.h"

#include "arm/a64.h"
#include "arm/insn.h"
#include "arm/sysop.h"
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

const char *name_inner(enum hv_inner kind)
{
	static const char *const names[HV_INNER_COUNT] = {
		[HV_INNER_TABLE] = "page_fault", [HV_INNER_CODE] = "code_fault",
		[HV_INNER_READ] = "read_fault",	 [HV_INNER_WRITE] = "write_fault",
		[HV_INNER_FP] = "fp_fault",	 [HV_INNER_LINE] = "interrupt",
		[HV_INNER_KICK] = "kick_below",
	};

	return names[kind];
}

static bool is_register_move(uint32_t word)
{
	return (word & 0xffd00000) == 0xd5100000; /* MRS, MSR (register) */
}

static void name_register_move(uint32_t word, char out[NAME_INSN_MAX])
{
	uint16_t sysreg = SYSREG(2 + bit(word, 19), bits(word, 18, 16), bits(word, 15, 12),
				 bits(word, 11, 8), bits(word, 7, 5));
	char name[INSN_SYSREG_NAME_MAX];

	snprintf(out, NAME_INSN_MAX, "%s %s", bit(word, 21) ? "mrs" : "msr",
		 insn_sysreg_name(sysreg, name));
}

/* Tables have "TLBI_ALLE3" where people write "tlbi alle3". */
static void lower(const char *name, char out[NAME_INSN_MAX])
{
	size_t i;

	for (i = 0; name[i] && i < NAME_INSN_MAX - 1; i++)
		out[i] = name[i] == '_' ? ' ' : tolower((unsigned char)name[i]);
	out[i] = '\0';
}

void name_insn(const struct policy_row *row, uint32_t word, char out[NAME_INSN_MAX])
{
	if (is_register_move(word))
		name_register_move(word, out);
	else
		lower(row->name, out);
}

void name_word(uint32_t word, char out[NAME_INSN_MAX])
{
	struct insn insn = insn_decode(word);
	const struct sysop_desc *op = insn.sysreg ? sysop_lookup(insn.sysreg) : NULL;
	enum a64_op row = a64_decode(word);
	char text[NAME_INSN_MAX];

	if (is_register_move(word)) {
		name_register_move(word, out);
	} else if (op && insn.kind == INSN_MSR_IMM) {
		snprintf(out, NAME_INSN_MAX, "msr %s", op->name);
	} else if (op) {
		snprintf(text, sizeof(text), "%s_%s", op->group, op->name);
		lower(text, out);
	} else if (insn.kind == INSN_WFI || insn.kind == INSN_WFE) {
		snprintf(out, NAME_INSN_MAX, insn.kind == INSN_WFI ? "wfi" : "wfe");
	} else if (!word || row == A64_UNDEFINED) {
		snprintf(out, NAME_INSN_MAX, "other");
	} else {
		lower(a64_rows[row].name, out);
	}
}
