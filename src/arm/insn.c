/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classification of A64 instructions: Arm ARM (DDI 0487), C4.1 "Branches, Exception Generating and
 * System instructions" and "Data Processing -- Immediate".
 *
 * Unknown words, and among them CB<cc> (FEAT_CMPBR), are INSN_OTHER.
 */
#include "arm/insn.h"

#include "util/bits.h"

#include <stdio.h>

/* Which fields a word of a kind has. */
enum form {
	FORM_NONE,
	FORM_SYS,    /* op0..op2 in bits 20:5, Rt */
	FORM_PSTATE, /* the same, CRm is the operand */
	FORM_IMM16,  /* bits 20:5 */
	FORM_RT,
	FORM_RN, /* the register is in bits 9:5 */
	FORM_RN_AUTH,
	FORM_AUTH,
	FORM_IMM26,
	FORM_IMM19,
	FORM_IMM14,
	FORM_ADR,
	FORM_ADRP,
};

/* The first match counts: special cases stand before the general. */
static const struct pattern {
	uint32_t mask;
	uint32_t value;
	enum insn_kind kind;
	enum form form;
} patterns[] = {
	{0xfff00000, 0xd5300000, INSN_MRS, FORM_SYS},
	{0xfff00000, 0xd5100000, INSN_MSR, FORM_SYS},
	{0xffffffff, 0xd503205f, INSN_WFE, FORM_NONE},
	{0xffffffff, 0xd503207f, INSN_WFI, FORM_NONE},
	{0xffffffe0, 0xd5031000, INSN_WFET, FORM_RT},
	{0xffffffe0, 0xd5031020, INSN_WFIT, FORM_RT},
	{0xfffff0ff, 0xd50330df, INSN_ISB, FORM_NONE},
	{0xfff8f01f, 0xd500401f, INSN_MSR_IMM, FORM_PSTATE},
	{0xfff8ff00, 0xd5087100, INSN_IC, FORM_SYS},  /* IALLUIS */
	{0xfff8ff00, 0xd5087500, INSN_IC, FORM_SYS},  /* IALLU, IVAU */
	{0xfff8fe00, 0xd5087800, INSN_AT, FORM_SYS},  /* CRm 8, 9 */
	{0xfff8fe00, 0xd5087200, INSN_SYS, FORM_SYS}, /* CFP RCTX and the like */
	{0xfff8ff00, 0xd5087700, INSN_SYS, FORM_SYS}, /* FEAT_GCS */
	{0xfff8f000, 0xd5087000, INSN_DC, FORM_SYS},
	{0xfff8e000, 0xd5088000, INSN_TLBI, FORM_SYS}, /* CRn 8 and, nXS, 9 */
	{0xfff80000, 0xd5080000, INSN_SYS, FORM_SYS},
	{0xfff80000, 0xd5280000, INSN_SYSL, FORM_SYS},
	{0xffe0001f, 0xd4000001, INSN_SVC, FORM_IMM16},
	{0xffe0001f, 0xd4000002, INSN_HVC, FORM_IMM16},
	{0xffe0001f, 0xd4000003, INSN_SMC, FORM_IMM16},
	{0xffe0001f, 0xd4200000, INSN_BRK, FORM_IMM16},
	{0xffe0001f, 0xd4400000, INSN_HLT, FORM_IMM16},
	{0xffffffff, 0xd69f03e0, INSN_ERET, FORM_NONE},
	{0xfffffbff, 0xd69f0bff, INSN_ERET, FORM_AUTH},
	{0xfffffc1f, 0xd61f0000, INSN_BR, FORM_RN},
	{0xfffffc1f, 0xd63f0000, INSN_BLR, FORM_RN},
	{0xfffffc1f, 0xd65f0000, INSN_RET, FORM_RN},
	{0xfffff81f, 0xd61f081f, INSN_BR, FORM_RN_AUTH},  /* BRAAZ, BRABZ */
	{0xfffff81f, 0xd63f081f, INSN_BLR, FORM_RN_AUTH}, /* BLRAAZ, BLRABZ */
	{0xfffffbff, 0xd65f0bff, INSN_RET, FORM_RN_AUTH}, /* RETAA, RETAB; see rt_of() */
	{0xfffff800, 0xd71f0800, INSN_BR, FORM_RN_AUTH},  /* BRAA, BRAB */
	{0xfffff800, 0xd73f0800, INSN_BLR, FORM_RN_AUTH}, /* BLRAA, BLRAB */
	{0xfc000000, 0x14000000, INSN_B, FORM_IMM26},
	{0xfc000000, 0x94000000, INSN_BL, FORM_IMM26},
	{0xff000000, 0x54000000, INSN_B_COND, FORM_IMM19},
	{0x7e000000, 0x34000000, INSN_CBZ, FORM_IMM19},
	{0x7e000000, 0x36000000, INSN_TBZ, FORM_IMM14},
	{0xff000000, 0xdc000000, INSN_OTHER, FORM_NONE}, /* unallocated literal form */
	{0x3b000000, 0x18000000, INSN_LDR_LITERAL, FORM_IMM19},
	{0x9f000000, 0x10000000, INSN_ADR, FORM_ADR},
	{0x9f000000, 0x90000000, INSN_ADRP, FORM_ADRP},
};

static int64_t adr_offset(uint32_t word)
{
	return sign_extend(bits(word, 23, 5) << 2 | bits(word, 30, 29), 21);
}

/* RETAA and RETAB have all ones where others name the register: they use X30. */
static uint8_t rn_of(const struct insn *in, uint32_t word)
{
	return in->kind == INSN_RET && in->auth ? 30 : bits(word, 9, 5);
}

static void set_fields(struct insn *in, enum form form, uint32_t word)
{
	in->rt = bits(word, 4, 0);
	switch (form) {
	case FORM_NONE:
	case FORM_RT:
		break;
	case FORM_AUTH:
		in->auth = true;
		break;
	case FORM_PSTATE:
		in->imm = bits(word, 11, 8);
		in->sysreg = bits(word & ~0xf00U, 20, 5);
		break;
	case FORM_SYS:
		in->sysreg = bits(word, 20, 5);
		break;
	case FORM_IMM16:
		in->imm = bits(word, 20, 5);
		break;
	case FORM_RN_AUTH:
		in->auth = true;
		/* fall through */
	case FORM_RN:
		in->rt = rn_of(in, word);
		break;
	case FORM_IMM26:
		in->offset = sign_extend(bits(word, 25, 0), 26) * 4;
		break;
	case FORM_IMM19:
		in->offset = sign_extend(bits(word, 23, 5), 19) * 4;
		break;
	case FORM_IMM14:
		in->offset = sign_extend(bits(word, 18, 5), 14) * 4;
		break;
	case FORM_ADR:
		in->offset = adr_offset(word);
		break;
	case FORM_ADRP:
		in->offset = adr_offset(word) * 4096;
		break;
	}
}

struct insn insn_decode(uint32_t word)
{
	struct insn in = {.kind = INSN_OTHER};

	for (unsigned i = 0; i < ARRAY_COUNT(patterns); i++) {
		if ((word & patterns[i].mask) != patterns[i].value)
			continue;
		in.kind = patterns[i].kind;
		set_fields(&in, patterns[i].form, word);
		break;
	}
	return in;
}

bool insn_branch_target(uint32_t word, uint64_t pc, uint64_t *target)
{
	struct insn in = insn_decode(word);

	if (in.kind < INSN_B || in.kind > INSN_TBZ)
		return false;
	*target = pc + (uint64_t)in.offset;
	return true;
}

bool insn_falls_through(uint32_t word)
{
	enum insn_kind kind = insn_decode(word).kind;

	return kind != INSN_B && kind != INSN_BR && kind != INSN_RET && kind != INSN_ERET;
}

const char *insn_sysreg_name(uint16_t code, char buf[INSN_SYSREG_NAME_MAX])
{
	const struct sysreg_desc *d = sysreg_lookup(code);

	if (d)
		return d->name;
	snprintf(buf, INSN_SYSREG_NAME_MAX, "S%u_%u_C%u_C%u_%u", SYSREG_OP0(code), SYSREG_OP1(code),
		 SYSREG_CRN(code), SYSREG_CRM(code), SYSREG_OP2(code));
	return buf;
}
