/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instructions of a scenario. X0 to X15 hold addresses, X16 to X26 numbers, X27 the address of the code; X29 and
 * X30 are for the sequences here; X28 holds the slot where to go on after a jump to somewhere else.
 */
#include "image.h"

enum { SLOTS = 200, X_CODE = 27, X_LANDMARK = 28, X_TEMP = 29, X_TEMP2 = 30 };

static void emit(uint32_t w)
{
	((volatile uint32_t *)CODE)[now.words++] = w;
}

static unsigned number_register(void)
{
	return one_in(12) ? 31 : 16 + below(11);
}

static unsigned address_register(void)
{
	return one_in(16) ? 31 : below(16);
}

static void mov(unsigned rd, uint64_t v)
{
	bool first = true;

	for (unsigned i = 0; i < 4; i++) {
		uint32_t part = v >> 16 * i & 0xffff;

		if (!part && (!first || i < 3))
			continue;
		emit((first ? 0xd2800000 : 0xf2800000) | i << 21 | part << 5 | rd);
		first = false;
	}
}

/* ---- loads and stores ---- */

enum { NO_OFFSET, IMM12, IMM9, IMM7 };
struct access {
	uint32_t word;
	uint8_t offset;
	bool two;      /* Rt2 */
	bool rs;       /* Rs: a number */
	bool load_two; /* two different destinations */
};

static const struct access accesses[] = {
	{0xf9400000, IMM12, false, false, false},     /* LDR Xt */
	{0xf9000000, IMM12, false, false, false},     /* STR Xt */
	{0xb9400000, IMM12, false, false, false},     /* LDR Wt */
	{0xb9000000, IMM12, false, false, false},     /* STR Wt */
	{0x79400000, IMM12, false, false, false},     /* LDRH */
	{0x79000000, IMM12, false, false, false},     /* STRH */
	{0x39400000, IMM12, false, false, false},     /* LDRB */
	{0x39000000, IMM12, false, false, false},     /* STRB */
	{0x39c00000, IMM12, false, false, false},     /* LDRSB Wt */
	{0x79800000, IMM12, false, false, false},     /* LDRSH Xt */
	{0xb9800000, IMM12, false, false, false},     /* LDRSW */
	{0xf8400000, IMM9, false, false, false},      /* LDUR Xt */
	{0xf8000000, IMM9, false, false, false},      /* STUR Xt */
	{0xb8000000, IMM9, false, false, false},      /* STUR Wt */
	{0x78400000, IMM9, false, false, false},      /* LDURH */
	{0xf8400800, IMM9, false, false, false},      /* LDTR Xt */
	{0xf8000800, IMM9, false, false, false},      /* STTR Xt */
	{0x38400800, IMM9, false, false, false},      /* LDTRB */
	{0xb8800800, IMM9, false, false, false},      /* LDTRSW */
	{0x78000800, IMM9, false, false, false},      /* STTRH */
	{0xf84007e0, IMM9, false, false, false},      /* LDR Xt, [SP], post */
	{0xf8400fe0, IMM9, false, false, false},      /* LDR Xt, [SP], pre */
	{0xa9400000, IMM7, true, false, true},	      /* LDP Xt */
	{0xa9000000, IMM7, true, false, false},	      /* STP Xt */
	{0x29400000, IMM7, true, false, true},	      /* LDP Wt */
	{0x69400000, IMM7, true, false, true},	      /* LDPSW */
	{0xc8dffc00, NO_OFFSET, false, false, false}, /* LDAR Xt */
	{0xc89ffc00, NO_OFFSET, false, false, false}, /* STLR Xt */
	{0x88dffc00, NO_OFFSET, false, false, false}, /* LDAR Wt */
	{0x089ffc00, NO_OFFSET, false, false, false}, /* STLRB */
	{0xf8200000, NO_OFFSET, false, true, false},  /* LDADD Xt */
	{0xb8e08000, NO_OFFSET, false, true, false},  /* SWPAL Wt */
	{0x38203000, NO_OFFSET, false, true, false},  /* LDSETB */
	{0xc8a07c00, NO_OFFSET, false, true, false},  /* CAS Xt */
	{0x3dc00000, IMM12, false, false, false},     /* LDR Qt */
	{0x3d800000, IMM12, false, false, false},     /* STR Qt */
	{0xfd400000, IMM12, false, false, false},     /* LDR Dt */
	{0xf9800000, IMM12, false, false, false},     /* PRFM */
};

static uint32_t offset(const struct access *a)
{
	switch (a->offset) {
	case IMM12:
		return below(4) << 10;
	case IMM9:
		return ((below(32) - 16) & 0x1ff) << 12;
	case IMM7:
		return ((below(8) - 4) & 0x7f) << 15;
	default:
		return 0;
	}
}

static bool may_store(const struct access *a)
{
	return a->rs || !(a->word & 0xc00000) || a->word == 0x3d800000 || a->word == 0xc89ffc00 ||
	       a->word == 0x089ffc00;
}

/* Nothing that is near enough to an end of the page to get over it. */
static bool inside(unsigned rn)
{
	unsigned at = context.x[rn] & 0xfff;

	return rn < 16 && at >= 0x20 && at < 0x800;
}

static void load_store(void)
{
	const struct access *a = &accesses[below(ARRAY_COUNT(accesses))];
	unsigned rt = number_register(), rt2 = number_register();
	unsigned rn = address_register();
	uint32_t w = a->word | offset(a);

	w |= rn << 5;
	if (known(KNOWN_PARTIAL_STORE) && a->word != 0xf9800000 && may_store(a) && !inside(rn))
		return;

	if (a->load_two && rt == rt2)
		rt2 = rt == 31 ? 16 : 31;
	w |= rt;
	if (a->two)
		w |= rt2 << 10;
	if (a->rs)
		w |= number_register() << 16;
	emit(w);
}

/* A load-exclusive and its store. Whether a store without a load faults is IMPLEMENTATION DEFINED (B2.12.5): it is left out
 * if the load has faulted, and so has not changed its register. */
static void exclusive(void)
{
	static const struct {
		uint32_t load, store;
	} words[] = {
		{0xc85f7c00, 0xc8007c00}, /* LDXR Xt, STXR */
		{0xc85ffc00, 0xc800fc00}, /* LDAXR Xt, STLXR */
		{0x885f7c00, 0x88007c00}, /* Wt */
		{0x485ffc00, 0x48007c00}, /* LDAXRH, STXRH */
		{0x085f7c00, 0x0800fc00}, /* LDXRB, STLXRB */
	};
	unsigned n = below(ARRAY_COUNT(words)), rn = below(16);

	if (known(KNOWN_EXCLUSIVES))
		return;
	mov(X_TEMP, 0x5a5b5c5d5e5f6a6bULL);
	emit(0xaa0003e0 | X_TEMP << 16 | X_TEMP2); /* MOV X30, X29 */
	emit(words[n].load | rn << 5 | X_TEMP2);
	emit(0xca000000 | X_TEMP << 16 | X_TEMP2 << 5 | X_TEMP); /* EOR X29, X30, X29 */
	if (one_in(8) && !(known(KNOWN_CLREX) && context.x[rn] << 8 == ~0ULL << 8))
		emit(0xd5033f5f);	    /* CLREX */
	emit(0xb4000000 | 2 << 5 | X_TEMP); /* CBZ X29, over it */
	emit(words[n].store | X_TEMP << 16 | rn << 5 | number_register());
	emit(0xaa0003e0 | X_TEMP << 16 | (16 + below(11))); /* MOV Xn, X29 */
}

/* ---- system registers ---- */

#define SYSREG(op0, op1, crn, crm, op2)                                                            \
	((op0) << 19 | (op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5)

static void mrs(uint32_t reg, unsigned rt)
{
	emit(0xd5200000 | reg | rt);
}

/* What is not compared: NS of translations of Non-secure state is UNKNOWN, bit 10 IMPLEMENTATION DEFINED. */
static void mrs_par(unsigned rt)
{
	mrs(SYSREG(3, 0, 7, 4, 0), rt);
	emit(0x9275f400 | rt << 5 | rt); /* AND Xt, Xt, #~0x600: bits 9, 10 */
	if (known(KNOWN_PAR_SH))
		emit(0x9277f400 | rt << 5 | rt); /* AND Xt, Xt, #~0x180: SH, PTW */
}

static void msr(uint32_t reg, unsigned rt)
{
	emit(0xd5000000 | reg | rt);
}

/* Storage and PSTATE: read and written with any value. */
static const uint32_t plain[] = {
	SYSREG(3, 0, 4, 2, 0),	/* SPSel */
	SYSREG(3, 3, 4, 2, 1),	/* DAIF */
	SYSREG(3, 3, 4, 2, 0),	/* NZCV */
	SYSREG(3, 0, 4, 2, 3),	/* PAN */
	SYSREG(3, 0, 4, 2, 4),	/* UAO */
	SYSREG(3, 0, 4, 0, 1),	/* ELR_EL1 */
	SYSREG(3, 0, 6, 0, 0),	/* FAR_EL1 */
	SYSREG(3, 3, 13, 0, 2), /* TPIDR_EL0 */
	SYSREG(3, 0, 13, 0, 4), /* TPIDR_EL1 */
	SYSREG(3, 4, 4, 0, 1),	/* ELR_EL2 */
	SYSREG(3, 4, 6, 0, 0),	/* FAR_EL2 */
	SYSREG(3, 0, 4, 1, 0),	/* SP_EL0 */
	SYSREG(3, 4, 4, 1, 0),	/* SP_EL1 */
	SYSREG(3, 6, 4, 1, 0),	/* SP_EL2 */
};

/* Read only, or not written because it would be the end. */
static const uint32_t readable[] = {
	SYSREG(3, 0, 4, 2, 2),	/* CurrentEL */
	SYSREG(3, 0, 5, 2, 0),	/* ESR_EL1 */
	SYSREG(3, 0, 12, 1, 0), /* ISR_EL1 */
	SYSREG(3, 0, 12, 0, 0), /* VBAR_EL1 */
	SYSREG(3, 0, 1, 0, 2),	/* CPACR_EL1 */
	SYSREG(3, 0, 14, 1, 0), /* CNTKCTL_EL1 */
	SYSREG(3, 3, 14, 0, 0), /* CNTFRQ_EL0 */
	SYSREG(3, 0, 10, 2, 0), /* MAIR_EL1 */
	SYSREG(3, 4, 10, 2, 0), /* MAIR_EL2 */
	SYSREG(3, 6, 10, 2, 0), /* MAIR_EL3 */
	SYSREG(3, 4, 5, 2, 0),	/* ESR_EL2 */
	SYSREG(3, 6, 5, 2, 0),	/* ESR_EL3 */
	SYSREG(3, 4, 12, 0, 0), /* VBAR_EL2 */
	SYSREG(3, 4, 1, 1, 0),	/* HCR_EL2 */
	SYSREG(3, 6, 1, 1, 0),	/* SCR_EL3 */
	SYSREG(3, 6, 13, 0, 2), /* TPIDR_EL3 */
	SYSREG(3, 0, 0, 0, 0),	/* MIDR_EL1 */
};

static bool is_elr(uint32_t r)
{
	return r == SYSREG(3, 0, 4, 0, 1) || r == SYSREG(3, 4, 4, 0, 1);
}

/* An ERET to a misaligned address is KNOWN_PC_ALIGNMENT. */
static void write_plain(uint32_t r)
{
	if (is_elr(r)) {
		emit(0x927ef400 | number_register() << 5 | X_TEMP); /* AND X29, Xn, #~3 */
		msr(r, X_TEMP);
	} else {
		msr(r, number_register());
	}
}

static bool is_far(uint32_t r)
{
	return r == SYSREG(3, 0, 6, 0, 0) || r == SYSREG(3, 4, 6, 0, 0);
}

static void read_plain(uint32_t r, unsigned rt)
{
	mrs(r, rt);
	if ((is_elr(r) || is_far(r)) && known(KNOWN_ILLEGAL_RETURN))
		emit(0x9240dc00 | rt << 5 | rt); /* AND Xt, Xt, #(1 << 56) - 1 */
}

static void special(void)
{
	uint32_t r;

	if (one_in(2)) {
		r = plain[below(ARRAY_COUNT(plain))];
		if (one_in(2))
			read_plain(r, 16 + below(11));
		else
			write_plain(r);
		return;
	}
	r = readable[below(ARRAY_COUNT(readable))];
	/* Not the values: cores differ; with E2H ESR_EL1 may mean EL2's. */
	mrs(r, r == SYSREG(3, 0, 0, 0, 0) ||
			       (r == SYSREG(3, 0, 5, 2, 0) && now.e2h && known(KNOWN_ISV)) ||
			       r >= SYSREG(3, 4, 0, 0, 0)
		       ? 31
		       : 16 + below(11));
}

/* What one of the cores has and the other has not. */
static bool of_other_feature(uint32_t r)
{
	static const uint32_t others[] = {
		SYSREG(3, 3, 4, 2, 6),	/* SSBS */
		SYSREG(3, 6, 1, 1, 1),	/* SDER32_EL3 */
		SYSREG(3, 6, 12, 0, 2), /* RMR_EL3 */
		SYSREG(3, 4, 3, 0, 0),	/* DACR32_EL2: AArch32 */
		SYSREG(3, 4, 5, 0, 1),	/* IFSR32_EL2 */
		SYSREG(3, 4, 5, 3, 0),	/* FPEXC32_EL2 */
		SYSREG(3, 0, 12, 1, 1), /* DISR_EL1: FEAT_RAS */
		SYSREG(3, 4, 12, 1, 1), /* VDISR_EL2 */
		SYSREG(3, 4, 5, 2, 3),	/* VSESR_EL2 */
		SYSREG(3, 4, 2, 0, 1),	/* TTBR1_EL2: FEAT_VHE */
		SYSREG(3, 4, 13, 0, 1), /* CONTEXTIDR_EL2 */
	};
	static const struct {
		uint32_t mask, value;
	} groups[] = {
		{SYSREG(3, 7, 0, 0, 0), SYSREG(3, 5, 0, 0, 0)},	   /* _EL12, _EL02: FEAT_VHE */
		{SYSREG(3, 7, 15, 15, 0), SYSREG(3, 4, 14, 3, 0)}, /* CNTHV */
		{SYSREG(3, 7, 15, 15, 0), SYSREG(3, 0, 10, 4, 0)}, /* LORegions: FEAT_LOR */
		{SYSREG(3, 7, 15, 15, 0), SYSREG(3, 0, 5, 3, 0)},  /* FEAT_RAS */
		{SYSREG(3, 7, 15, 15, 0), SYSREG(3, 0, 5, 4, 0)},
		{SYSREG(3, 7, 15, 15, 0), SYSREG(3, 0, 5, 5, 0)},
	};

	for (unsigned i = 0; i < ARRAY_COUNT(others); i++) {
		if (others[i] == r)
			return true;
	}
	for (unsigned i = 0; i < ARRAY_COUNT(groups); i++) {
		if ((r & groups[i].mask) == groups[i].value)
			return true;
	}
	return false;
}

/* Read any register, existing or not. Not: what is IMPLEMENTATION DEFINED (CRn 11, 15), the PMU (9), the interrupt
 * controller's, of which reads do something (12, CRm 8 and up), event counters (14, CRm 8 and up: their number). */
static void any_register(void)
{
	unsigned crn, crm = below(16);
	uint32_t r;

	do
		crn = below(15);
	while (crn == 11 || crn == 9 || ((crn == 12 || crn == 14) && crm >= 8));
	r = SYSREG(3, below(8), crn, crm, below(8));
	if (!of_other_feature(r))
		mrs(r, 31);
}

/* Debug registers that all cores have: who is trapped, not the values. */
static void debug_register(void)
{
	static const uint32_t regs[] = {
		SYSREG(2, 0, 0, 2, 2), /* MDSCR_EL1 */
		SYSREG(2, 0, 0, 0, 4), /* DBGBVR0_EL1 */
		SYSREG(2, 0, 0, 0, 5), /* DBGBCR0_EL1 */
		SYSREG(2, 0, 0, 0, 6), /* DBGWVR0_EL1 */
		SYSREG(2, 0, 0, 0, 7), /* DBGWCR0_EL1 */
		SYSREG(2, 0, 1, 0, 0), /* MDRAR_EL1 */
		SYSREG(2, 0, 1, 1, 4), /* OSLSR_EL1 */
		SYSREG(2, 0, 1, 3, 4), /* OSDLR_EL1 */
		SYSREG(2, 3, 0, 1, 0), /* MDCCSR_EL0 */
	};

	mrs(regs[below(ARRAY_COUNT(regs))], 31);
}

static void msr_immediate(void)
{
	static const uint32_t words[] = {
		0xd50340df, 0xd50340ff, /* DAIFSet, DAIFClr */
		0xd50040bf,		/* SPSel */
		0xd500409f,		/* PAN */
		0xd500407f,		/* UAO */
	};

	emit(words[below(ARRAY_COUNT(words))] | below(16) << 8);
}

/* ---- translation ---- */

static void address_translation(void)
{
	static const uint32_t words[] = {
		0xd5087800, 0xd5087820, 0xd5087840, 0xd5087860, /* S1E1R, S1E1W, S1E0R, S1E0W */
		0xd5087900, 0xd5087920,				/* S1E1RP, S1E1WP */
		0xd50c7800, 0xd50c7820,				/* S1E2R, S1E2W */
		0xd50c7880, 0xd50c78a0, 0xd50c78c0, 0xd50c78e0, /* S12E1R.. */
		0xd50e7800, 0xd50e7820,				/* S1E3R, S1E3W */
	};

	if (now.access_flag && known(KNOWN_AT_UPDATES))
		return;
	emit(words[below(ARRAY_COUNT(words))] | below(16));
	emit(0xd5033fdf); /* ISB */
	mrs_par(16 + below(11));
}

static void tlb_maintenance(void)
{
	static const uint32_t words[] = {
		0xd508831f, 0xd508871f, 0xd5088320, 0xd5088720, 0xd5088740, 0xd5088760,
		0xd50887a0, 0xd50887e0, 0xd50c8720, 0xd50c871f, 0xd50c879f, 0xd50c87df,
		0xd50c8420, 0xd50e8720, 0xd50e871f, 0xd50e83a0,
	};
	uint32_t w = words[below(ARRAY_COUNT(words))];

	if (now.level == 3 && !now.ns && known(KNOWN_TLBI_EL2) && (w >> 16 & 7) == 4)
		return;
	emit(w | ((w & 31) ? 0 : number_register()));
	emit(0xd5033b9f); /* DSB ISH */
}

static void any_tlb_maintenance(void)
{
	unsigned op1 = below(8);

	if (op1 != 4 || now.level != 3 || now.ns || !known(KNOWN_TLBI_EL2))
		emit(0xd5000000 | SYSREG(1, op1, 8, below(16), below(8)) | 31);
}

/* Other rights and traps for EL1 and EL0. The TLB may hold what SCTLR_EL1 and MAIR_EL1 said. */
static void change_control(void)
{
	/* With HCR_EL2.E2H SCTLR_EL1 and MAIR_EL1 may mean EL2's. */
	switch (now.e2h ? 1 + below(2) : below(4)) {
	case 0:
		mov(X_TEMP, random_sctlr());
		msr(SYSREG(3, 0, 1, 0, 0), X_TEMP);
		emit(0xd508871f); /* TLBI VMALLE1 */
		emit(0xd5033b9f);
		break;
	case 1:
		mov(X_TEMP, below(4) << 20);
		msr(SYSREG(3, 0, 1, 0, 2), X_TEMP); /* CPACR_EL1 */
		break;
	case 2:
		mov(X_TEMP, random64() & 0x303);
		msr(SYSREG(3, 0, 14, 1, 0), X_TEMP); /* CNTKCTL_EL1 */
		break;
	default:
		mov(X_TEMP, random_mair());
		msr(SYSREG(3, 0, 10, 2, 0), X_TEMP); /* MAIR_EL1 */
		emit(0xd508871f);
		emit(0xd5033b9f);
		break;
	}
	emit(0xd5033fdf);
}

static void cache_maintenance(void)
{
	static const uint32_t words[] = {
		0xd50b7a20, 0xd50b7b20, 0xd50b7e20, 0xd50b7520, /* CVAC, CVAU, CIVAC, IC IVAU */
		0xd50b7c20,					/* CVAP */
		0xd508751f, 0xd508711f,				/* IC IALLU, IALLUIS */
		0xd50b7420,					/* DC ZVA */
	};
	unsigned n = below(now.zero ? 8 : 7);
	bool readable = n < 5 && known(KNOWN_CACHE_FAULT);

	if (n < 5 && readable && now.access_flag)
		return;
	if (n == 4 && readable)
		n = 0;

	emit(words[n] | ((words[n] & 31) ? 0 : readable ? X_CODE : below(16)));
}

static void set_way(void)
{
	static const uint32_t words[] = {0xd5087640, 0xd5087a40, 0xd5087e40}; /* ISW, CSW, CISW */

	emit(words[below(ARRAY_COUNT(words))] | 31);
}

static void change(void)
{
	emit(0xd4000003 | (SMC_CHANGE + below(now.stage2 ? VAS + FRAMES : VAS)) << 5);
}

/* ---- exceptions ---- */

static void call(void)
{
	static const uint32_t words[] = {0xd4000001, 0xd4000002, 0xd4000003, 0xd4200000};

	if (one_in(6))
		emit(one_in(2) ? below(0x10000) : 0xd4400000 | below(0x10000) << 5);
	else
		emit(words[known(KNOWN_HVC) && (!now.ns || now.level == 3) ? below(2) * 3
									   : below(4)] |
		     below(0x1000) << 5);
}

static void landmark(unsigned behind)
{
	emit(0xd2800000 | (now.words + 1 + behind) << 5 | X_LANDMARK);
}

static unsigned odd_start(void)
{
	return one_in(2) ? 0 : one_in(2) || known(KNOWN_PC_ALIGNMENT) ? 0x10 : 2;
}

/* The register may hold something else, if what sets it was skipped. */
static void align(unsigned rd)
{
	if (known(KNOWN_PC_ALIGNMENT))
		emit(0x927ef400 | rd << 5 | rd); /* AND Xd, Xd, #~3 */
}

static uint64_t random_spsr(void)
{
	uint64_t m = PICK(0, 4, 5, 4, 5, 8, 9, 12, 13, 1, 2, 6, 14);
	uint64_t v = m | (uint64_t)below(16) << 28 | (uint64_t)below(16) << 6;

	v |= one_in(4) ? (uint64_t)below(4) << 22 : 0;
	return v | (one_in(8) ? 1 << 20 : 0);
}

/* ERET to the instruction behind it, or to somewhere else. */
static void exception_return(void)
{
	unsigned el = now.level;
	static const uint32_t elr[] = {SYSREG(3, 0, 4, 0, 1), SYSREG(3, 0, 4, 0, 1),
				       SYSREG(3, 4, 4, 0, 1), SYSREG(3, 6, 4, 0, 1)};
	static const uint32_t spsr[] = {SYSREG(3, 0, 4, 0, 0), SYSREG(3, 0, 4, 0, 0),
					SYSREG(3, 4, 4, 0, 0), SYSREG(3, 6, 4, 0, 0)};
	uint64_t v = random_spsr();

	mov(X_TEMP, v);
	msr(spsr[el], X_TEMP);
	if (one_in(6))
		mov(X_TEMP2, (now.va[below(VAS)] & ~3ULL) + odd_start());
	else /* a place a little behind: the mov() here takes two words */
		mov(X_TEMP2, CODE + 4 * (now.words + 5 + known(KNOWN_PC_ALIGNMENT)));
	align(X_TEMP2);
	msr(elr[el], X_TEMP2);
	landmark(1);
	emit(0xd69f03e0);
	emit(0xd503201f); /* NOP: an illegal return costs the instruction behind it */
}

static void jump(void)
{
	if (one_in(3) && !now.stage2) { /* ADR: misaligned, but executable */
		emit(0x10000000 | (1 + below(3)) << 29 | below(16) << 5 | X_TEMP);
	} else {
		mov(X_TEMP, (now.va[below(VAS)] & ~3ULL) + odd_start());
		align(X_TEMP);
	}
	landmark(1);
	emit(0xd61f0000 | X_TEMP << 5);
}

static void pending(void)
{
	emit(0xd4000003 | (SMC_PENDING + (below(16) << 4 * below(3) & 0xfff)) << 5);
}

static void arithmetic(void)
{
	emit(0x8b000000 | number_register() | number_register() << 5 | number_register() << 16);
}

static void align_sp(void)
{
	emit(0x9100001f | below(16) << 5); /* MOV SP, Xn */
}

static void barrier(void)
{
	emit(one_in(2) ? 0xd5033fdf : 0xd5033f9f);
}

static void fp(void)
{
	emit(0x9e660000 | below(32) << 5 | (16 + below(11))); /* FMOV Xd, Dn */
}

/* ---- all ---- */

static const struct {
	void (*fn)(void);
	unsigned weight;
} kinds[] = {
	{load_store, 40},
	{exclusive, 5},
	{debug_register, 3},
	{set_way, 1},
	{special, 10},
	{any_register, 6},
	{any_tlb_maintenance, 2},
	{change_control, 3},
	{msr_immediate, 6},
	{address_translation, 8},
	{tlb_maintenance, 4},
	{cache_maintenance, 5},
	{change, 8},
	{call, 6},
	{exception_return, 4},
	{jump, 2},
	{pending, 3},
	{arithmetic, 2},
	{align_sp, 2},
	{barrier, 2},
	{fp, 1},
};

static void one(void)
{
	unsigned total = 0, n;

	for (unsigned i = 0; i < ARRAY_COUNT(kinds); i++)
		total += kinds[i].weight;
	n = below(total);
	for (unsigned i = 0;; i++) {
		if (n < kinds[i].weight) {
			kinds[i].fn();
			return;
		}
		n -= kinds[i].weight;
	}
}

void make_code(void)
{
	unsigned n = 16 + below(48);

	now.words = 0;
	for (unsigned i = 0; i < n && now.words < SLOTS - 20; i++)
		one();
	/* The last one ends it, at EL0 too: SMC is UNDEFINED there, and there is nothing behind it. */
	emit(0xd4000003 | SMC_END << 5);
}
