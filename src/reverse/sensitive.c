/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may run natively in a managed view. The answer does not depend on the host: whatever names the system is not
 * let through, but for the few things below, so nothing of it can be silently wrong. Arm ARM (DDI 0487), C4.1.
 */
#include "reverse/reverse_int.h"

#include "util/bits.h"

#define DC_IVAC	   0xd5087620U
#define CNTFRQ_EL0 SYSREG(3, 3, 14, 0, 0)

enum { HINT_WFE = 2, HINT_WFI = 3, HINT_SEV = 4, HINT_SEVL = 5 };

/* Registers that are the guest's in the vCPU as well. */
static bool register_is_plain(uint32_t word)
{
	static const uint16_t plain[] = {
		SYSREG(3, 0, 4, 1, 0),	/* SP_EL0 */
		SYSREG(3, 0, 4, 2, 0),	/* SPSel */
		SYSREG(3, 3, 4, 2, 0),	/* NZCV */
		SYSREG(3, 3, 4, 2, 1),	/* DAIF */
		SYSREG(3, 3, 4, 4, 0),	/* FPCR */
		SYSREG(3, 3, 4, 4, 1),	/* FPSR */
		SYSREG(3, 3, 14, 0, 1), /* CNTPCT_EL0 */
	};
	uint16_t code = (uint16_t)(1U << 15 | bits(word, 19, 5));

	if (code ==
	    CNTFRQ_EL0) /* of the host, unless firmware has written another, which is reported */
		return bit(word, 21);
	for (unsigned i = 0; i < ARRAY_COUNT(plain); i++) {
		if (plain[i] == code)
			return true;
	}
	return false;
}

/* MSR (immediate): op1 in 18:16, op2 in 7:5. */
static bool pstate_is_plain(uint32_t word)
{
	unsigned op1 = bits(word, 18, 16), op2 = bits(word, 7, 5);

	return (op1 == 3 && op2 >= 6) || (op1 == 0 && op2 == 5); /* DAIFSet, DAIFClr, SPSel */
}

/* Maintenance of data caches by address, and zeroing. */
static bool operation_is_plain(uint32_t word)
{
	unsigned crm = bits(word, 11, 8);

	if ((word & 0xffffffe0) == DC_IVAC) /* with stage 2 on it cleans first */
		return true;
	return bits(word, 18, 16) == 3 && bits(word, 15, 12) == 7 && bits(word, 7, 5) == 1 &&
	       (crm == 4 || crm == 10 || crm == 11 || crm == 14);
}

static bool hint_waits(uint32_t word)
{
	unsigned hint = bits(word, 11, 5);

	return hint >= HINT_WFE && hint <= HINT_SEVL;
}

static bool system_is_sensitive(uint32_t word)
{
	bool is_read = bit(word, 21);

	switch (bits(word, 20, 19)) {
	case 0:
		if (is_read)
			return true;
		if (bits(word, 15, 12) == 4)
			return !pstate_is_plain(word);
		if (bits(word, 18, 12) == 0x32) /* op1 3, CRn 2 */
			return hint_waits(word);
		return bits(word, 18, 12) != 0x33; /* barriers, CLREX */
	case 1:
		return is_read || !operation_is_plain(word);
	default:
		return !register_is_plain(word);
	}
}

/* LDTR and the like: PSTATE.PAN does not keep them from reading a copy. */
static bool is_unprivileged_load(uint32_t word)
{
	return (word & 0x3f200c00) == 0x38000800 && bits(word, 23, 22);
}

bool sensitive(uint32_t word)
{
	switch (word >> 24) {
	case 0xd4: /* exception generation */
		return true;
	case 0xd5:
		return bits(word, 23, 22) || system_is_sensitive(word);
	case 0xd6: /* ERET, DRPS */
	case 0xd7: /* ERETAA and the like */
		return bits(word, 23, 21) == 4 || bits(word, 23, 21) == 5;
	default:
		return is_unprivileged_load(word);
	}
}

/* ---- an operating system at EL1 ---- */

/* Registers that the vCPU has as the guest's CPU has them: all of them are moved when the level changes. The others,
 * identification and performance monitors among them, are soft's. */
static const uint16_t os_registers[] = {
	SYSREG(3, 0, 1, 0, 0),	/* SCTLR_EL1 */
	SYSREG(3, 0, 1, 0, 2),	/* CPACR_EL1 */
	SYSREG(3, 0, 2, 0, 0),	/* TTBR0_EL1 */
	SYSREG(3, 0, 2, 0, 1),	/* TTBR1_EL1 */
	SYSREG(3, 0, 2, 0, 2),	/* TCR_EL1 */
	SYSREG(3, 0, 4, 0, 0),	/* SPSR_EL1 */
	SYSREG(3, 0, 4, 0, 1),	/* ELR_EL1 */
	SYSREG(3, 0, 4, 1, 0),	/* SP_EL0 */
	SYSREG(3, 0, 4, 2, 0),	/* SPSel */
	SYSREG(3, 0, 4, 2, 2),	/* CurrentEL */
	SYSREG(3, 0, 4, 2, 3),	/* PAN */
	SYSREG(3, 0, 4, 2, 4),	/* UAO */
	SYSREG(3, 0, 5, 1, 0),	/* AFSR0_EL1 */
	SYSREG(3, 0, 5, 1, 1),	/* AFSR1_EL1 */
	SYSREG(3, 0, 5, 2, 0),	/* ESR_EL1 */
	SYSREG(3, 0, 6, 0, 0),	/* FAR_EL1 */
	SYSREG(3, 0, 7, 4, 0),	/* PAR_EL1 */
	SYSREG(3, 0, 10, 2, 0), /* MAIR_EL1 */
	SYSREG(3, 0, 10, 3, 0), /* AMAIR_EL1 */
	SYSREG(3, 0, 12, 0, 0), /* VBAR_EL1 */
	SYSREG(3, 0, 12, 1, 0), /* ISR_EL1 */
	SYSREG(3, 0, 13, 0, 1), /* CONTEXTIDR_EL1 */
	SYSREG(3, 0, 13, 0, 4), /* TPIDR_EL1 */
	SYSREG(3, 0, 14, 1, 0), /* CNTKCTL_EL1 */
	SYSREG(3, 3, 0, 0, 1),	/* CTR_EL0 */
	SYSREG(3, 3, 0, 0, 7),	/* DCZID_EL0 */
	SYSREG(3, 3, 4, 2, 0),	/* NZCV */
	SYSREG(3, 3, 4, 2, 1),	/* DAIF */
	SYSREG(3, 3, 4, 2, 5),	/* DIT */
	SYSREG(3, 3, 4, 2, 6),	/* SSBS */
	SYSREG(3, 3, 4, 4, 0),	/* FPCR */
	SYSREG(3, 3, 4, 4, 1),	/* FPSR */
	SYSREG(3, 3, 13, 0, 2), /* TPIDR_EL0 */
	SYSREG(3, 3, 13, 0, 3), /* TPIDRRO_EL0 */
	SYSREG(3, 3, 14, 0, 1), /* CNTPCT_EL0 */
	SYSREG(3, 3, 14, 0, 2), /* CNTVCT_EL0 */
	SYSREG(3, 3, 14, 2, 0), /* CNTP_TVAL_EL0 */
	SYSREG(3, 3, 14, 2, 1), /* CNTP_CTL_EL0 */
	SYSREG(3, 3, 14, 2, 2), /* CNTP_CVAL_EL0 */
	SYSREG(3, 3, 14, 3, 0), /* CNTV_TVAL_EL0 */
	SYSREG(3, 3, 14, 3, 1), /* CNTV_CTL_EL0 */
	SYSREG(3, 3, 14, 3, 2), /* CNTV_CVAL_EL0 */
};

bool sensitive_to_os(uint32_t word)
{
	uint16_t code = (uint16_t)(1U << 15 | bits(word, 19, 5));

	if (bits(word, 31, 24) == 0xd4) /* HVC, SMC: LL 2, 3 */
		return bits(word, 23, 21) == 0 && bits(word, 4, 2) == 0 && bits(word, 1, 0) >= 2;
	if (bits(word, 31, 22) != 0xd5000000U >> 22 || !bit(word, 20)) /* MRS, MSR (register) */
		return false;
	for (unsigned i = 0; i < ARRAY_COUNT(os_registers); i++) {
		if (os_registers[i] == code)
			return false;
	}
	return true;
}

bool is_kernel_tlbi(uint32_t word)
{
	unsigned crn = bits(word, 15, 12), op2 = bits(word, 7, 5);

	/* TLBI at EL1 (op1 0): VMALLE1, V[A]AE1, VAALE1, their IS and OS, ranges, nXS; of ranges there is no op2 0. */
	return (word & 0xffff0000) == 0xd5080000 && (crn == 8 || crn == 9) &&
	       (op2 == 0 || op2 == 3 || op2 == 7);
}
