/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What kind of A64 instruction a word is, as far as interception and the following of code need to
 * know. Loads and stores are in arm/ldst.h.
 *
 * Pure; any thread.
 */
#ifndef ARM_INSN_H
#define ARM_INSN_H

#include "arm/sysreg.h"

#include <stdbool.h>
#include <stdint.h>

enum insn_kind {
	INSN_OTHER,
	INSN_MRS,     /* sysreg, rt */
	INSN_MSR,     /* sysreg, rt */
	INSN_MSR_IMM, /* sysreg: op1 and op2 of the PSTATE field, op0 0, CRn 4; imm: CRm */
	INSN_IC,      /* sysreg (op0 1), rt; so for AT, DC, TLBI, SYS and SYSL */
	INSN_AT,
	INSN_DC,
	INSN_TLBI,
	INSN_SYS,
	INSN_SYSL,
	INSN_SVC, /* imm; so for HVC, SMC, BRK, HLT */
	INSN_HVC,
	INSN_SMC,
	INSN_BRK,
	INSN_HLT,
	INSN_ERET, /* also ERETAA, ERETAB: auth */
	INSN_WFI,
	INSN_WFE,
	INSN_WFIT, /* rt */
	INSN_WFET, /* rt */
	INSN_ISB,
	INSN_B, /* offset; so for BL, B_COND, CBZ, TBZ */
	INSN_BL,
	INSN_B_COND, /* also BC.cond */
	INSN_CBZ,    /* also CBNZ; rt */
	INSN_TBZ,    /* also TBNZ; rt */
	INSN_BR,     /* rt: the register branched to; auth: with a pointer code. So for BLR, RET */
	INSN_BLR,
	INSN_RET,
	INSN_LDR_LITERAL, /* rt, offset; all sizes, SIMD&FP and PRFM included */
	INSN_ADR,	  /* rt, offset */
	INSN_ADRP,	  /* rt, offset from the start of the 4 KiB page */
	INSN_KIND_COUNT
};

struct insn {
	enum insn_kind kind;
	bool auth;
	uint8_t rt;
	uint16_t imm;
	uint16_t sysreg;
	int64_t offset; /* from the instruction, bytes */
};

struct insn insn_decode(uint32_t word);

/* Target of a direct branch at @pc. False: not a direct branch. */
bool insn_branch_target(uint32_t word, uint64_t pc, uint64_t *target);

/* Can execution go on at the next word, by itself or by a return? No for B, BR, RET, ERET. */
bool insn_falls_through(uint32_t word);

/* Name of a system register, as MRS takes it: "ICC_IAR1_EL1", or "S3_0_C12_C12_0" for those not in
 * the table. @buf holds the latter; the result is @buf or a constant. */
#define INSN_SYSREG_NAME_MAX 24
const char *insn_sysreg_name(uint16_t code, char buf[INSN_SYSREG_NAME_MAX]);

#endif
