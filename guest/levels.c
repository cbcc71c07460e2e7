/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who takes what: exceptions, traps and interrupts at every level that the machine has, seen from its highest one
 * (EL2, or EL3 when started as firmware).
 *
 * Each row runs a piece of code at a level. It ends in an exception, at whichever level; that level's vectors note it
 * in `event` and go back to the top. Stage 1 is off everywhere.
 */
#include "lib/below.h"

const char guest_name[] = "levels";

FRAGMENT(do_svc, "svc #1");
FRAGMENT(do_udf, "udf #1");
FRAGMENT(do_brk, "brk #7");
FRAGMENT(do_hvc, "hvc #5");
FRAGMENT(do_smc, ".inst 0xd40000c3"); /* SMC #6 */
FRAGMENT(do_wfi, "wfi");
FRAGMENT(do_wfe, "sevl\n wfe\n wfe");
FRAGMENT(do_fp, "fmov d0, xzr");
FRAGMENT(do_civac, "dc civac, x0");
FRAGMENT(do_zva, "dc zva, x0");
FRAGMENT(do_isw, "dc isw, xzr");
FRAGMENT(do_iallu, "ic iallu");
FRAGMENT(do_ivau, "ic ivau, x0");
FRAGMENT(do_tlbi, "tlbi vmalle1\n dsb nsh");
FRAGMENT(do_tlbi_el2, "tlbi alle2\n dsb nsh");
FRAGMENT(do_at, "at s1e1r, x0");
FRAGMENT(do_daif, "msr daifset, #2");
FRAGMENT(do_load, "ldr w3, [x0]");
FRAGMENT(do_nothing, "nop\n isb");
FRAGMENT(do_read_sp, "mov x0, sp");
FRAGMENT(do_midr, "mrs x0, midr_el1");
FRAGMENT(do_mpidr, "mrs x0, mpidr_el1");
FRAGMENT(do_isr, "mrs x0, isr_el1");
FRAGMENT(do_hcr, "mrs x0, hcr_el2");
FRAGMENT(do_scr, "mrs x0, scr_el3");
#define RETURN(n) "adr x1, 1f\n msr elr_el" #n ", x1\n msr spsr_el" #n ", x0\n isb\n eret\n 1: nop"
FRAGMENT(do_eret1, RETURN(1));
FRAGMENT(do_eret2, RETURN(2));
FRAGMENT(do_eret3, RETURN(3));

#define SYS(op0, op2, op1, crn, rt, crm)                                                           \
	(EC(0x18) | (op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (rt) << 5 | (crm) << 1)
#define WFX  (EC(1) | 1 << 24 | 0xe << 20)
#define FP   (EC(7) | 1 << 24 | 0xe << 20)
#define NONE (EC(0x15) | NOTHING)

/* Flags of rows; E3: with EL3 only, NO3: without it only, W: the way back is WFI, U: PSTATE does not mask. */
enum { E3 = 1, NO3 = 2, W = 4, U = 8, S = 16, SGI0 = 32, SGI1 = 64, SPT = 128 };

#define SCR_IRQ	 BIT(1)
#define SCR_FIQ	 BIT(2)
#define SCR_SMD	 BIT(7)
#define SCR_HCE	 BIT(8)
#define SCR_TWI	 BIT(12)
#define SCR_TWE	 BIT(13)
#define HCR_VM	 BIT(0)
#define HCR_FMO	 BIT(3)
#define HCR_IMO	 BIT(4)
#define HCR_AMO	 BIT(5)
#define HCR_VF	 BIT(6)
#define HCR_VI	 BIT(7)
#define HCR_VSE	 BIT(8)
#define HCR_TWI	 BIT(13)
#define HCR_TWE	 BIT(14)
#define HCR_TSC	 BIT(19)
#define HCR_TSW	 BIT(22)
#define HCR_TPCP BIT(23)
#define HCR_TPU	 BIT(24)
#define HCR_TTLB BIT(25)
#define HCR_TGE	 BIT(27)
#define HCR_TDZ	 BIT(28)
#define HCR_HCD	 BIT(29)
#define HCR_E2H	 BIT(34)
/* SCTLR_EL1 */
#define DZE  BIT(14)
#define NTWI BIT(16)
#define NTWE BIT(18)
#define UMA  BIT(9)
#define UCI  BIT(26)
#define OPEN (DZE | NTWI | NTWE | UMA | UCI)

static const struct row {
	const char *what;
	unsigned flags;
	unsigned from;
	uint64_t scr, hcr; /* besides the usual; HCE is turned over */
	uint64_t sctlr;	   /* of OPEN, what is closed */
	trap_fn *fn;
	unsigned level, kind;
	uint64_t esr;
} rows[] = {
	{"SVC at EL0", 0, 0, 0, 0, 0, do_svc, 1, SYNC, EC(0x15) | 1},
	{"SVC at EL0, TGE", 0, 0, 0, HCR_TGE, 0, do_svc, 2, SYNC, EC(0x15) | 1},
	{"SVC at EL1", 0, 1, 0, 0, 0, do_svc, 1, SYNC, EC(0x15) | 1},
	{"SVC at EL2", 0, 2, 0, 0, 0, do_svc, 2, SYNC, EC(0x15) | 1},
	{"SVC at EL3", E3, 3, 0, 0, 0, do_svc, 3, SYNC, EC(0x15) | 1},
	{"SVC at Secure EL0, TGE", E3 | S, 0, 0, HCR_TGE, 0, do_svc, 1, SYNC, EC(0x15) | 1},
	{"UNDEFINED at EL0, TGE", 0, 0, 0, HCR_TGE, 0, do_udf, 2, SYNC, EC(0)},
	{"UNDEFINED at EL1", 0, 1, 0, 0, 0, do_udf, 1, SYNC, EC(0)},
	{"BRK at EL0, TGE", 0, 0, 0, HCR_TGE, 0, do_brk, 2, SYNC, EC(0x3c) | 7},
	{"BRK at EL1", 0, 1, 0, 0, 0, do_brk, 1, SYNC, EC(0x3c) | 7},
	{"BRK at EL2", 0, 2, 0, 0, 0, do_brk, 2, SYNC, EC(0x3c) | 7},
	{"HCR_EL2 at EL1", 0, 1, 0, 0, 0, do_hcr, 1, SYNC, EC(0)},
	{"SCR_EL3 at EL2", 0, 2, 0, 0, 0, do_scr, 2, SYNC, EC(0)},

	{"HVC at EL0", 0, 0, 0, 0, 0, do_hvc, 1, SYNC, EC(0)},
	{"HVC at EL1", 0, 1, 0, 0, 0, do_hvc, 2, SYNC, EC(0x16) | 5},
	{"HVC at EL2", 0, 2, 0, 0, 0, do_hvc, 2, SYNC, EC(0x16) | 5},
	{"HVC at EL3", E3, 3, 0, 0, 0, do_hvc, 3, SYNC, EC(0x16) | 5},
	{"HVC at Secure EL1", E3 | S, 1, 0, 0, 0, do_hvc, 1, SYNC, EC(0)},
	{"HVC at EL1, no HCE", E3, 1, SCR_HCE, 0, 0, do_hvc, 1, SYNC, EC(0)},
	{"HVC at EL2, no HCE", E3, 2, SCR_HCE, 0, 0, do_hvc, 2, SYNC, EC(0)},
	{"HVC at EL1, HCD", NO3 | W, 1, 0, HCR_HCD, 0, do_hvc, 1, SYNC, EC(0)},
	{"HVC at EL1, HCD but EL3", E3, 1, 0, HCR_HCD, 0, do_hvc, 2, SYNC, EC(0x16) | 5},
	{"SMC at EL0", 0, 0, 0, 0, 0, do_smc, 1, SYNC, EC(0)},
	{"SMC at EL1", E3, 1, 0, 0, 0, do_smc, 3, SYNC, EC(0x17) | 6},
	{"SMC at EL2", E3, 2, 0, 0, 0, do_smc, 3, SYNC, EC(0x17) | 6},
	{"SMC at EL3", E3, 3, 0, 0, 0, do_smc, 3, SYNC, EC(0x17) | 6},
	{"SMC at Secure EL1", E3 | S, 1, 0, 0, 0, do_smc, 3, SYNC, EC(0x17) | 6},
	{"SMC at EL1, TSC", 0, 1, 0, HCR_TSC, 0, do_smc, 2, SYNC, EC(0x17) | 6},
	{"SMC at Secure EL1, TSC", E3 | S, 1, 0, HCR_TSC, 0, do_smc, 3, SYNC, EC(0x17) | 6},
	{"SMC at EL1, SMD", E3 | W, 1, SCR_SMD, 0, 0, do_smc, 1, SYNC, EC(0)},
	{"SMC at EL1, TSC and SMD", E3 | W, 1, SCR_SMD, HCR_TSC, 0, do_smc, 2, SYNC, EC(0x17) | 6},
	{"SMC at EL2, SMD", E3 | W, 2, SCR_SMD, 0, 0, do_smc, 2, SYNC, EC(0)},

	{"WFI at EL0, no nTWI", 0, 0, 0, 0, NTWI, do_wfi, 1, SYNC, WFX},
	{"WFI at EL0, no nTWI, TGE", 0, 0, 0, HCR_TGE, NTWI, do_wfi, 2, SYNC, WFX},
	{"WFI at EL1, TWI", 0, 1, 0, HCR_TWI, 0, do_wfi, 2, SYNC, WFX},
	{"WFI at EL0, no nTWI before TWI", 0, 0, 0, HCR_TWI, NTWI, do_wfi, 1, SYNC, WFX},
	{"WFI at EL0, TWI", 0, 0, 0, HCR_TWI, 0, do_wfi, 2, SYNC, WFX},
	{"WFI at EL2, SCR_EL3.TWI", E3, 2, SCR_TWI, HCR_TWI, 0, do_wfi, 3, SYNC, WFX},
	{"WFI at EL1, both TWI", E3, 1, SCR_TWI, HCR_TWI, 0, do_wfi, 2, SYNC, WFX},
	{"WFI at Secure EL1, both TWI", E3 | S, 1, SCR_TWI, HCR_TWI, 0, do_wfi, 3, SYNC, WFX},
	{"WFE at EL0, no nTWE", 0, 0, 0, 0, NTWE, do_wfe, 1, SYNC, WFX | 1},
	{"WFE at EL1, TWE", 0, 1, 0, HCR_TWE, 0, do_wfe, 2, SYNC, WFX | 1},
	{"WFE at EL2, SCR_EL3.TWE", E3, 2, SCR_TWE, 0, 0, do_wfe, 3, SYNC, WFX | 1},

	{"DC CIVAC at EL0, no UCI", 0, 0, 0, 0, UCI, do_civac, 1, SYNC, SYS(1, 1, 3, 7, 0, 14)},
	{"DC CIVAC at EL0, no UCI, TGE", 0, 0, 0, HCR_TGE, UCI, do_civac, 2, SYNC,
	 SYS(1, 1, 3, 7, 0, 14)},
	{"DC CIVAC at EL0", 0, 0, 0, 0, 0, do_civac, 1, SYNC, NONE},
	{"DC CIVAC at EL0, TPCP", 0, 0, 0, HCR_TPCP, 0, do_civac, 2, SYNC, SYS(1, 1, 3, 7, 0, 14)},
	{"DC CIVAC at EL1, TPCP", 0, 1, 0, HCR_TPCP, 0, do_civac, 2, SYNC, SYS(1, 1, 3, 7, 0, 14)},
	{"DC CIVAC at EL2, TPCP", 0, 2, 0, HCR_TPCP, 0, do_civac, 2, SYNC, NONE},
	{"DC ISW at EL0", 0, 0, 0, 0, 0, do_isw, 1, SYNC, EC(0)},
	{"DC ISW at EL1, TSW", 0, 1, 0, HCR_TSW, 0, do_isw, 2, SYNC, SYS(1, 2, 0, 7, 31, 6)},
	{"IC IALLU at EL1, TPU", 0, 1, 0, HCR_TPU, 0, do_iallu, 2, SYNC, SYS(1, 0, 0, 7, 31, 5)},
	{"IC IVAU at EL0, TPU", 0, 0, 0, HCR_TPU, 0, do_ivau, 2, SYNC, SYS(1, 1, 3, 7, 0, 5)},
	{"IC IVAU at Secure EL1, TPU", E3 | S, 1, 0, HCR_TPU, 0, do_ivau, 1, SYNC, NONE},
	{"DC ZVA at EL0, no DZE", 0, 0, 0, 0, DZE, do_zva, 1, SYNC, SYS(1, 1, 3, 7, 0, 4)},
	{"DC ZVA at EL1, TDZ", 0, 1, 0, HCR_TDZ, 0, do_zva, 2, SYNC, SYS(1, 1, 3, 7, 0, 4)},
	{"TLBI at EL0", 0, 0, 0, 0, 0, do_tlbi, 1, SYNC, EC(0)},
	{"TLBI at EL1, TTLB", 0, 1, 0, HCR_TTLB, 0, do_tlbi, 2, SYNC, SYS(1, 0, 0, 8, 31, 7)},
	{"TLBI at EL1", 0, 1, 0, 0, 0, do_tlbi, 1, SYNC, NONE},
	{"TLBI of EL2 at EL1", 0, 1, 0, 0, 0, do_tlbi_el2, 1, SYNC, EC(0)},
	{"AT at EL0", 0, 0, 0, 0, 0, do_at, 1, SYNC, EC(0)},
	{"DAIFSet at EL0", 0, 0, 0, 0, 0, do_daif, 1, SYNC, NONE},
	{"DAIFSet at EL0, no UMA", 0, 0, 0, 0, UMA, do_daif, 1, SYNC, SYS(0, 6, 3, 4, 31, 2)},
	{"DAIFSet at EL0, no UMA, TGE", 0, 0, 0, HCR_TGE, UMA, do_daif, 2, SYNC,
	 SYS(0, 6, 3, 4, 31, 2)},

	{"VI at EL1", U, 1, 0, HCR_VI | HCR_IMO, 0, do_nothing, 1, IRQ, 0},
	{"VI at EL0", U, 0, 0, HCR_VI | HCR_IMO, 0, do_nothing, 1, IRQ, 0},
	{"VI at EL1, masked", 0, 1, 0, HCR_VI | HCR_IMO, 0, do_nothing, 1, SYNC, NONE},
	{"VI at EL1, no IMO", U, 1, 0, HCR_VI, 0, do_nothing, 1, SYNC, NONE},
	{"VI at EL2", U, 2, 0, HCR_VI | HCR_IMO, 0, do_nothing, 2, SYNC, NONE},
	{"VI at EL0, TGE", U, 0, 0, HCR_VI | HCR_IMO | HCR_TGE, 0, do_nothing, 2, SYNC, NONE},
	{"VI at Secure EL1", E3 | S | U, 1, 0, HCR_VI | HCR_IMO, 0, do_nothing, 1, SYNC, NONE},
	{"VF at EL1", U, 1, 0, HCR_VF | HCR_FMO, 0, do_nothing, 1, FIQ, 0},
	{"VF and VI at EL1, no IMO", U, 1, 0, HCR_VF | HCR_VI | HCR_FMO, 0, do_nothing, 1, FIQ, 0},

	{"IRQ at EL1", U | SGI1, 1, 0, 0, 0, do_nothing, 1, IRQ, 0},
	{"IRQ at EL1, masked", SGI1, 1, 0, 0, 0, do_nothing, 1, SYNC, NONE},
	{"IRQ at EL0, TGE", SGI1, 0, 0, HCR_TGE, 0, do_nothing, 2, IRQ, 0},
	{"IRQ at EL1, IMO, masked", SGI1, 1, 0, HCR_IMO, 0, do_nothing, 2, IRQ, 0},
	{"IRQ at EL2, IMO", U | SGI1, 2, 0, HCR_IMO, 0, do_nothing, 2, IRQ, 0},
	{"IRQ at EL2, IMO, masked", SGI1, 2, 0, HCR_IMO, 0, do_nothing, 2, SYNC, NONE},
	{"IRQ at EL2 for EL1", U | SGI1, 2, 0, 0, 0, do_nothing, 2, SYNC, NONE},
	{"IRQ at EL1, SCR_EL3.IRQ, masked", E3 | SGI1, 1, SCR_IRQ, HCR_IMO, 0, do_nothing, 3, IRQ,
	 0},
	{"FIQ at EL1, masked", SGI0, 1, 0, 0, 0, do_nothing, 1, SYNC, NONE},
	{"FIQ at EL1", U | SGI0, 1, 0, 0, 0, do_nothing, 1, FIQ, 0},
	{"FIQ at EL1, FMO, masked", SGI0, 1, 0, HCR_FMO, 0, do_nothing, 2, FIQ, 0},
	{"FIQ at EL2, SCR_EL3.FIQ, masked", E3 | SGI0, 2, SCR_FIQ, HCR_FMO, 0, do_nothing, 3, FIQ,
	 0},
	{"FIQ at EL3 for EL1", E3 | U | SGI0, 3, 0, 0, 0, do_nothing, 3, SYNC, NONE},
	{"FIQ at EL3, SCR_EL3.FIQ", E3 | U | SGI0, 3, SCR_FIQ, 0, 0, do_nothing, 3, FIQ, 0},
	{"FIQ at Secure EL1, FMO", E3 | S | U | SGI0, 1, 0, HCR_FMO, 0, do_nothing, 1, FIQ, 0},
	/* Group 1 of the other world. */
	{"Non-secure IRQ at Secure EL1", E3 | S | U | SGI1, 1, 0, 0, 0, do_nothing, 1, FIQ, 0},
	{"Non-secure IRQ at Secure EL1, SCR_EL3.FIQ", E3 | S | SGI1, 1, SCR_FIQ, 0, 0, do_nothing,
	 3, FIQ, 0},
};

#define SCR_BASE       (BIT(0) | 3 << 4 | SCR_HCE | BIT(10))
#define HCR_BASE       BIT(31)
#define SCTLR_EL1_BASE 0x30500800ULL

static uint64_t top;

/* Everything that a row may change, as it is without. */
static void set_up(uint64_t scr, uint64_t hcr, uint64_t sctlr)
{
	if (top == 3)
		msr("scr_el3", scr);
	isb();
	msr("hcr_el2", hcr);
	msr("sctlr_el1", sctlr);
	isb();
}

static void run_at(unsigned from, uint64_t flags, trap_fn *fn, uint64_t arg)
{
	uint64_t spsr = flags & U ? 0 : 0x3c0;

	if (from)
		spsr |= from << 2 | !(flags & SPT);
	event.by_wfi = (flags & W) != 0;
	run_spsr(spsr, fn, arg);
}

static unsigned vector_of(const struct row *r)
{
	return (r->from < r->level ? 8 : 4) + r->kind;
}

enum { GICR_SGI_BASE = GICR_BASE + 0x10000, ISPENDR = 0x200, ICPENDR = 0x280 };

static void interrupt(unsigned flags, bool pend)
{
	unsigned mask = (flags & SGI0 ? 1 : 0) | (flags & SGI1 ? 2 : 0);

	if (!mask)
		return;
	write32(GICR_SGI_BASE + (pend ? ISPENDR : ICPENDR), mask);
	dsb();
	for (unsigned i = 0; i < 100; i++) /* it may take a while to get through */
		(void)read32(GICR_SGI_BASE + ISPENDR);
}

static uint64_t buffer[16] __attribute__((aligned(64)));

static void check(const struct row *r)
{
	uint64_t scr = SCR_BASE ^ r->scr ^ (r->flags & S ? 1 : 0), hcr = HCR_BASE | r->hcr;
	bool good;

	/* The way back where calls are closed; SCR_EL3 is not there without EL3. */
	if (r->flags & W && top == 3)
		scr |= SCR_TWI;
	else if (r->flags & W)
		hcr |= HCR_TWI;
	set_up(scr, hcr, SCTLR_EL1_BASE | (OPEN & ~r->sctlr));
	interrupt(r->flags, true);
	run_at(r->from, r->flags, r->fn, (uint64_t)buffer);
	interrupt(r->flags, false);
	set_up(SCR_BASE, HCR_BASE, SCTLR_EL1_BASE | OPEN);
	good = event.level == r->level && event.vector == vector_of(r) &&
	       (r->kind != SYNC || event.esr == r->esr) && (event.spsr >> 2 & 3) == r->from;
	ok(good, r->what,
	   "EL%lu vector %lu ESR 0x%lx SPSR 0x%lx ELR 0x%lx, not EL%u vector %u ESR 0x%lx",
	   event.level, event.vector, event.esr, event.spsr, event.elr, r->level, vector_of(r),
	   r->esr);
}

/* ---- what does not fit into a row ---- */

static bool took(unsigned level, uint64_t esr, const char *what)
{
	return ok(event.level == level && event.esr == esr, what,
		  "EL%lu ESR 0x%lx, not EL%u ESR 0x%lx", event.level, event.esr, level, esr);
}

static void test_fp(void)
{
	msr("cpacr_el1", 0);
	run_at(1, 0, do_fp, 0);
	took(1, FP, "FP at EL1, FPEN 0");
	set_up(SCR_BASE, HCR_BASE | HCR_TGE, SCTLR_EL1_BASE | OPEN);
	run_at(0, 0, do_fp, 0);
	took(2, EC(0), "FP at EL0, FPEN 0, TGE");
	set_up(SCR_BASE, HCR_BASE, SCTLR_EL1_BASE | OPEN);
	run_at(2, 0, do_fp, 0);
	took(2, NONE, "FP at EL2, FPEN 0");
	msr("cpacr_el1", 1 << 20);
	run_at(0, 0, do_fp, 0);
	took(1, FP, "FP at EL0, FPEN 1");
	run_at(1, 0, do_fp, 0);
	took(1, NONE, "FP at EL1, FPEN 1");
	msr("cpacr_el1", 3 << 20);
	msr("cptr_el2", 0x33ff | 1 << 10);
	run_at(1, 0, do_fp, 0);
	took(2, FP, "FP at EL1, TFP of EL2");
	run_at(2, 0, do_fp, 0);
	took(2, FP, "FP at EL2, TFP of EL2");
	if (top == 3) {
		set_up(SCR_BASE & ~1ULL, HCR_BASE, SCTLR_EL1_BASE | OPEN);
		run_at(1, 0, do_fp, 0);
		took(1, NONE, "FP at Secure EL1, TFP of EL2");
		msr("cptr_el3", 1 << 10);
		run_at(0, 0, do_fp, 0);
		took(3, FP, "FP at Secure EL0, TFP of EL3");
		run_at(3, 0, do_fp, 0);
		took(3, FP, "FP at EL3, TFP of EL3");
		msr("cptr_el3", 0);
		set_up(SCR_BASE, HCR_BASE, SCTLR_EL1_BASE | OPEN);
	}
	msr("cptr_el2", 0x33ff);
}

/* ERET to where it must not go: PSTATE.IL is set and the level stays. */
static void illegal(unsigned from, trap_fn *fn, uint64_t spsr, bool bad, const char *what)
{
	unsigned to = bad ? from : spsr >> 2 & 3;

	run_at(from, 0, fn, spsr);
	ok(event.level == (to ? to : 1) && event.esr == (bad ? EC(0xe) : NONE) &&
		   (event.spsr >> 20 & 1) == bad && (event.spsr >> 2 & 3) == to,
	   what, "EL%lu ESR 0x%lx SPSR 0x%lx", event.level, event.esr, event.spsr);
}

static void test_return(void)
{
	illegal(1, do_eret1, 0x3c0, false, "return from EL1 to EL0");
	illegal(1, do_eret1, 0x3c5, false, "return from EL1 to EL1");
	illegal(1, do_eret1, 0x3c9, true, "return from EL1 to EL2");
	illegal(1, do_eret1, 0x3c1, true, "return from EL1 to EL0 with its own SP");
	illegal(1, do_eret1, 0x3c7, true, "return from EL1 with M[1]");
	illegal(2, do_eret2, 0x3c0, false, "return from EL2 to EL0");
	illegal(2, do_eret2, 0x3c5, false, "return from EL2 to EL1");
	illegal(2, do_eret2, 0x3cd, true, "return from EL2 to EL3");
	set_up(SCR_BASE, HCR_BASE | HCR_TGE, SCTLR_EL1_BASE | OPEN);
	illegal(2, do_eret2, 0x3c5, true, "return from EL2 to EL1, TGE");
	if (top == 3) {
		illegal(3, do_eret3, 0x3c5, true, "return from EL3 to EL1, TGE");
		set_up(SCR_BASE & ~1ULL, HCR_BASE | HCR_TGE, SCTLR_EL1_BASE | OPEN);
		illegal(3, do_eret3, 0x3c5, false, "return from EL3 to Secure EL1, TGE");
		illegal(3, do_eret3, 0x3c9, true, "return from EL3 to Secure EL2");
		set_up(SCR_BASE, HCR_BASE, SCTLR_EL1_BASE | OPEN);
		illegal(3, do_eret3, 0x3c9, false, "return from EL3 to EL2");
		illegal(3, do_eret3, 0x3c0, false, "return from EL3 to EL0");
	}
	set_up(SCR_BASE, HCR_BASE, SCTLR_EL1_BASE | OPEN);
}

static void test_entry(void)
{
	run_at(1, 0, do_svc, 0);
	ok_eq(event.pan, event.has_pan ? 1 << 22 : 0, "PAN is set without SPAN");
	msr("sctlr_el1", SCTLR_EL1_BASE | OPEN | BIT(23));
	isb();
	run_at(1, 0, do_svc, 0);
	ok_eq(event.pan, 0, "PAN stays with SPAN");
	run_at(2, 0, do_svc, 0);
	ok_eq(event.pan, 0, "PAN stays at EL2");
	msr("sp_el1", 0x1110);
	msr("sp_el0", 0x2220);
	run_at(1, 0, do_read_sp, 0);
	ok_eq(event.x0, 0x1110, "SP_EL1");
	run_at(1, SPT, do_read_sp, 0);
	ok_eq(event.x0, 0x2220, "SP_EL0 at EL1");
	ok_eq(event.vector, 0, "vector of EL1t");
	run_at(2, SPT, do_read_sp, 0);
	ok_eq(event.x0, 0x2220, "SP_EL0 at EL2");
	run_at(0, 0, do_read_sp, 0);
	ok_eq(event.x0, 0x2220, "SP_EL0 at EL0");
}

static void test_virtual(void)
{
	uint64_t midr = mrs("midr_el1"), mpidr = mrs("mpidr_el1");

	msr("vpidr_el2", 0x12345678);
	msr("vmpidr_el2", 0x80000042);
	run_at(1, 0, do_midr, 0);
	ok_eq(event.x0, 0x12345678, "MIDR_EL1 at EL1");
	run_at(1, 0, do_mpidr, 0);
	ok_eq(event.x0, 0x80000042, "MPIDR_EL1 at EL1");
	run_at(2, 0, do_midr, 0);
	ok_eq(event.x0, midr, "MIDR_EL1 at EL2");
	msr("vpidr_el2", midr);
	msr("vmpidr_el2", mpidr);
	set_up(SCR_BASE, HCR_BASE | HCR_VI | HCR_IMO | HCR_VF, SCTLR_EL1_BASE | OPEN);
	run_at(1, 0, do_isr, 0);
	ok_eq(event.x0, 1 << 7, "ISR_EL1 shows VI");
	run_at(2, 0, do_isr, 0);
	ok_eq(event.x0, 0, "ISR_EL1 at EL2 does not");
	set_up(SCR_BASE, HCR_BASE | HCR_VSE | HCR_AMO, SCTLR_EL1_BASE | OPEN);
	run_at(1, U, do_nothing, 0);
	ok(event.level == 1 && event.vector == 7, "VSE at EL1", "EL%lu vector %lu", event.level,
	   event.vector);
	ok_eq(mrs("hcr_el2") & HCR_VSE, 0, "VSE is taken once");
	set_up(SCR_BASE, HCR_BASE, SCTLR_EL1_BASE | OPEN);
}

#define SCTLR_EL2_BASE 0x30c50830ULL /* nTWI, nTWE, SPAN */
#define FPEN(n)	       ((uint64_t)(n) << 20)

/* EL0 of a host: HCR_EL2.{E2H,TGE}. Only around the run: the names of EL1's registers mean EL2's meanwhile. */
static void run_in_host(uint64_t sctlr, uint64_t cptr, unsigned flags, trap_fn *fn)
{
	interrupt(flags, true);
	msr("hcr_el2", HCR_BASE | HCR_TGE | HCR_E2H);
	isb();
	msr("sctlr_el2", sctlr);
	msr("cptr_el2", cptr);
	isb();
	run_at(0, flags, fn, (uint64_t)buffer);
	msr("hcr_el2", HCR_BASE);
	isb();
	msr("cptr_el2", 0x33ff);
	msr("sctlr_el2", SCTLR_EL2_BASE);
	isb();
	interrupt(flags, false);
}

static void test_host(void)
{
	const uint64_t open = SCTLR_EL2_BASE | OPEN;

	if (!(mrs("id_aa64mmfr1_el1") >> 8 & 0xf)) {
		note("no FEAT_VHE");
		return;
	}
	run_in_host(open, FPEN(3), 0, do_svc);
	took(2, EC(0x15) | 1, "SVC at EL0 of a host");
	ok_eq(event.pan, 0, "PAN stays with SPAN of SCTLR_EL2");
	run_in_host(open & ~BIT(23), FPEN(3), 0, do_svc);
	ok_eq(event.pan, event.has_pan ? 1 << 22 : 0, "PAN is set without");
	run_in_host(open & ~DZE, FPEN(3), 0, do_zva);
	took(2, SYS(1, 1, 3, 7, 0, 4), "DC ZVA at EL0 of a host, no DZE");
	run_in_host(open & ~UCI, FPEN(3), 0, do_ivau);
	took(2, SYS(1, 1, 3, 7, 0, 5), "IC IVAU at EL0 of a host, no UCI");
	run_in_host(open, FPEN(3), 0, do_civac);
	took(2, NONE, "DC CIVAC at EL0 of a host");
	run_in_host(open, FPEN(1), 0, do_fp);
	took(2, FP, "FP at EL0 of a host, FPEN 1");
	run_in_host(open, FPEN(3), 0, do_fp);
	took(2, NONE, "FP at EL0 of a host, FPEN 3");
	run_in_host(open, FPEN(3), SGI1, do_nothing);
	took(2, NONE, "IRQ at EL0 of a host, masked");
	run_in_host(open, FPEN(3), U | SGI1, do_nothing);
	ok(event.level == 2 && event.vector == 9, "IRQ at EL0 of a host", "EL%lu vector %lu",
	   event.level, event.vector);
}

FRAGMENT(do_iar, "mrs x0, s3_0_c12_c12_0");
FRAGMENT(do_eoir, "mov x0, #42\n msr s3_0_c12_c12_1, x0");
FRAGMENT(do_sgi, "mov x0, #1\n msr s3_0_c12_c11_5, x0");

/* The GIC's virtual interface: an interrupt from a list register, to its end. */
static void test_vgic(void)
{
	set_up(SCR_BASE, HCR_BASE | HCR_IMO | HCR_FMO, SCTLR_EL1_BASE | OPEN);
	msr("s3_4_c12_c11_7", 0xffULL << 24 | 2); /* ICH_VMCR_EL2: VPMR, VENG1 */
	msr("s3_4_c12_c12_0", 1ULL << 62 | 1ULL << 60 | 0x80ULL << 48 | 42); /* ICH_LR0_EL2 */
	run_at(1, U, do_nothing, 0);
	took(1, NONE, "virtual interface off");
	msr("s3_4_c12_c11_0", 1); /* ICH_HCR_EL2.En */
	isb();
	run_at(1, U, do_nothing, 0);
	ok(event.level == 1 && event.vector == 5, "IRQ of a list register", "EL%lu vector %lu",
	   event.level, event.vector);
	run_at(2, U, do_nothing, 0);
	took(2, NONE, "IRQ of a list register at EL2");
	run_at(1, 0, do_iar, 0);
	ok_eq(event.x0, 42, "ICC_IAR1_EL1 at EL1");
	ok_eq(mrs("s3_4_c12_c12_0") >> 62, 2, "list register is active");
	run_at(1, U, do_nothing, 0);
	took(1, NONE, "no more IRQ");
	run_at(1, 0, do_eoir, 0);
	ok_eq(mrs("s3_4_c12_c12_0") >> 62, 0, "list register is free");
	run_at(1, 0, do_sgi, 0);
	took(2, EC(0x18) | 3 << 20 | 5 << 17 | 12 << 10 | 0 << 5 | 11 << 1,
	     "ICC_SGI1R_EL1 is trapped");
	msr("s3_4_c12_c11_0", 1 | 1 << 12); /* TALL1 */
	isb();
	run_at(1, 0, do_iar, 0);
	took(2, EC(0x18) | 3 << 20 | 12 << 10 | 12 << 1 | 1, "ICC_IAR1_EL1 is trapped");
	msr("s3_4_c12_c11_0", 0);
	set_up(SCR_BASE, HCR_BASE, SCTLR_EL1_BASE | OPEN);
}

static uint64_t stage2[512] __attribute__((aligned(4096)));

/* Level 1, 1 GiB each: devices and RAM, no more. */
static void test_stage2(void)
{
	const uint64_t esr = EC(0x24) | 1 << 24 /* ISV */ | 2 << 22 /* SAS */ | 3 << 16 /* SRT */;

	stage2[0] = 0ULL << 30 | 1 << 10 | 3 << 6 | 0 << 2 | 1; /* AF, RW, Device */
	stage2[1] = 1ULL << 30 | 1 << 10 | 3 << 8 | 3 << 6 | 0xf << 2 | 1;
	stage2[3] = 1ULL << 30 | 1 << 10 | 3 << 8 | 0 << 6 | 0xf << 2 | 1; /* no access */
	msr("vtcr_el2", 25 | 1 << 6 | 1U << 31 | 2 << 16);
	msr("vttbr_el2", (uint64_t)stage2);
	isb();
	asm volatile("tlbi alle1\n dsb nsh\n isb" ::: "memory");
	set_up(SCR_BASE, HCR_BASE | HCR_VM, SCTLR_EL1_BASE | OPEN);
	run_at(1, 0, do_load, (uint64_t)buffer);
	took(1, NONE, "load through stage 2");
	run_at(1, 0, do_load, 0x81234568);
	took(2, esr | 5, "stage 2 translation fault, level 1");
	ok_eq(event.hpfar, 0x81234 << 4, "HPFAR_EL2");
	ok_eq(event.far, 0x81234568, "FAR_EL2");
	run_at(0, 0, do_load, 0xc0000000);
	took(2, esr | 0xd, "stage 2 permission fault, level 1");
	run_at(2, 0, do_load, (uint64_t)buffer);
	took(2, NONE, "load at EL2");
	set_up(SCR_BASE, HCR_BASE, SCTLR_EL1_BASE | OPEN);
}

/* ---- loads and stores without syndrome on devices, which Obverse carries out itself ---- */

uint64_t done[9];
/* x0: the PL031. SP is a base, too. */
FRAGMENT(do_device, ".arch armv8.1-a\n"
		    "adrp x9, done\n add x9, x9, :lo12:done\n"
		    "ldr x15, [x9, #64]\n" /* FEAT_LSE */
		    "mov x10, sp\n mov sp, x0\n"
		    "mov w1, #0x11\n mov w2, #0x22\n"
		    "stp w1, w2, [sp, #4]\n"
		    "ldp w3, w4, [sp, #4]!\n"
		    "mov x5, sp\n mov sp, x10\n"
		    "add x6, x0, #4\n mov w1, #0x33\n"
		    "str w1, [x6], #4\n"
		    "ldr w7, [x6, #-4]!\n"
		    "ldxr w8, [x6]\n clrex\n"
		    "mov w11, #0x44\n"
		    "cbz x15, 1f\n"
		    "swp w11, w12, [x6]\n"
		    "b 2f\n"
		    "1: ldr w12, [x6]\n str w11, [x6]\n"
		    "2:\n"
		    "ldp w13, w14, [x6]\n"
		    "stp x3, x4, [x9]\n stp x5, x6, [x9, #16]\n stp x7, x8, [x9, #32]\n"
		    "stp x12, x13, [x9, #48]\n str x14, [x9, #64]\n"
		    ".arch armv8-a");
FRAGMENT(do_ldp, "ldp w1, w2, [x0]");
FRAGMENT(do_ldp_back, "ldp w1, w2, [x0], #8");
FRAGMENT(do_stp, "stp w1, w2, [x0]");

/* Level 1, for stage 1 and (without [1] and [3] of its own) stage 2 alike: devices and RAM as they are, devices again at
 * 2 GiB, at 3 GiB the PL031's page alone, which stage 2 lets nobody write. */
static uint64_t windows[4][512] __attribute__((aligned(4096)));
enum { S1_EL1, S1_TOP, S2, WINDOW_L2 };
static uint64_t window_l3[512] __attribute__((aligned(4096)));
#define WINDOW 0x80000000ULL
#define PAGE   0xc0000000ULL

static void make_windows(void)
{
	static const uint64_t attrs[] = {[S1_EL1] = 0, [S1_TOP] = 1 << 6, [S2] = 3 << 8 | 3 << 6};

	for (unsigned i = S1_EL1; i <= S2; i++) {
		windows[i][0] = attrs[i] | 1 << 10 | 1;
		windows[i][1] = 1ULL << 30 | attrs[i] | 1 << 10 | 3 << 8 |
				(i == S2 ? 0xf << 2 : 1 << 2) | 1;
		windows[i][2] = windows[i][0];
		windows[i][3] = (uint64_t)windows[WINDOW_L2] | 3;
	}
	windows[S1_EL1][4] = 2ULL << 30 | 1 << 10 | 1; /* what stage 2 makes the devices */
	windows[S1_EL1][5] = 3ULL << 30 | 1 << 10 | 1;
	windows[WINDOW_L2][RTC_BASE >> 21] = (uint64_t)window_l3 | 3;
	window_l3[RTC_BASE >> 12 & 511] = RTC_BASE | 1 << 10 | 1 << 6 | 3;
}

static void flush_tlbs(void)
{
	asm volatile("dsb sy\n isb\n tlbi alle2\n tlbi alle1\n dsb nsh\n isb" ::: "memory");
	if (top == 3)
		asm volatile("tlbi alle3\n dsb nsh\n isb" ::: "memory");
}

/* Stage 1 of a level on or off; 39 bits, 4 KiB, MAIR: Device and Normal. */
#define SWITCH(el, table, tcr, on)                                                                 \
	do {                                                                                       \
		msr("mair_el" el, 0xff00);                                                         \
		msr("tcr_el" el, (tcr));                                                           \
		msr("ttbr0_el" el, (uint64_t)(table));                                             \
		flush_tlbs();                                                                      \
		msr("sctlr_el" el, (mrs("sctlr_el" el) & ~1ULL) | (on));                           \
		isb();                                                                             \
	} while (0)

static void stage1(unsigned el, bool on)
{
	const uint64_t tcr = 25 | 1U << 31 | 1 << 23 | 2 << 16;

	if (el == 1)
		SWITCH("1", windows[S1_EL1], 25 | 1 << 23 | 2ULL << 32, on);
	else if (el == 2)
		SWITCH("2", windows[S1_TOP], tcr, on);
	else
		SWITCH("3", windows[S1_TOP], tcr, on);
}

static void used_device(unsigned from, unsigned flags, uint64_t rtc, const char *what)
{
	for (size_t i = 0; i < ARRAY_COUNT(done); i++)
		done[i] = 0;
	done[8] = mrs("id_aa64isar0_el1") >> 20 & 0xf;
	run_at(from, flags, do_device, rtc);
	took(from ? from : 1, NONE, what);
	ok(done[0] == 0x11 && done[1] == 0x22 && done[2] == rtc + 4, "... STP, LDP by SP",
	   "0x%lx 0x%lx SP 0x%lx", done[0], done[1], done[2]);
	ok(done[3] == rtc + 4 && done[4] == 0x33, "... STR and LDR, write-back", "0x%lx base 0x%lx",
	   done[4], done[3]);
	ok(done[5] == 0x33 && done[6] == 0x33 && done[7] == 0x44 && done[8] == 0x22,
	   "... LDXR, SWP", "0x%lx 0x%lx 0x%lx 0x%lx", done[5], done[6], done[7], done[8]);
}

static void faulted(unsigned from, trap_fn *fn, uint64_t va, unsigned level, uint64_t esr,
		    uint64_t far, const char *what)
{
	run_at(from, 0, fn, va);
	ok(event.level == level && event.esr == esr && event.far == far && event.x0 == va, what,
	   "EL%lu ESR 0x%lx FAR 0x%lx X0 0x%lx, not EL%u ESR 0x%lx FAR 0x%lx", event.level,
	   event.esr, event.far, event.x0, level, esr, far);
}

/* The first of a pair is a device's last register, the second is not there. */
static void test_devices_at(unsigned el)
{
	const uint64_t last = PAGE + RTC_BASE + 0xffc;

	note("devices at EL%u", el);
	used_device(el, 0, RTC_BASE, "device, stage 1 off");
	stage1(el, true);
	used_device(el, 0, WINDOW + RTC_BASE, "device, stage 1 on");
	used_device(el, SPT, WINDOW + RTC_BASE, "device, SP_EL0");
	faulted(el, do_ldp, last, el, EC(0x25) | 7, last + 4, "LDP into what is not mapped");
	faulted(el, do_ldp_back, last, el, EC(0x25) | 7, last + 4, "the same with write-back");
	faulted(el, do_ldp, WINDOW + HOLE_BASE, el, EC(0x25) | 0x10, WINDOW + HOLE_BASE,
		"LDP of nothing");
	faulted(el, do_stp, WINDOW + HOLE_BASE, el, EC(0x25) | 1 << 6 | 0x10, WINDOW + HOLE_BASE,
		"STP to nothing");
	stage1(el, false);
}

static void behind_stage2(uint64_t far, uint64_t ipa, const char *how)
{
	const uint64_t last = far + RTC_BASE + 0xffc;

	faulted(1, do_ldp, last, 2, EC(0x24) | 7, last + 4, how);
	ok_eq(event.hpfar, (ipa + RTC_BASE + 0x1000) >> 12 << 4, "... HPFAR_EL2");
	faulted(1, do_ldp_back, last, 2, EC(0x24) | 7, last + 4, "... with write-back");
	faulted(1, do_stp, last - 4, 2, EC(0x24) | 1 << 6 | 0xf, last - 4, "... STP, read-only");
}

static void test_devices_stage2(void)
{
	note("devices behind stage 2");
	msr("vtcr_el2", 25 | 1 << 6 | 1U << 31 | 2 << 16);
	msr("vttbr_el2", (uint64_t)windows[S2]);
	flush_tlbs();
	set_up(SCR_BASE, HCR_BASE | HCR_VM, SCTLR_EL1_BASE | OPEN);
	used_device(1, 0, WINDOW + RTC_BASE, "device, stage 2 alone");
	used_device(0, 0, WINDOW + RTC_BASE, "device, stage 2 alone, EL0");
	behind_stage2(PAGE, PAGE, "LDP into what stage 2 does not map");
	stage1(1, true);
	used_device(1, 0, 0x100000000 + RTC_BASE, "device, both stages");
	used_device(1, SPT, 0x100000000 + RTC_BASE, "device, both stages, SP_EL0");
	behind_stage2(0x140000000, PAGE, "LDP into what stage 2 does not map, both stages");
	faulted(1, do_ldp, PAGE + RTC_BASE + 0xffc, 1, EC(0x25) | 7, PAGE + RTC_BASE + 0x1000,
		"stage 1 comes first");
	faulted(1, do_ldp, 0x100000000 + HOLE_BASE, 1, EC(0x25) | 0x10, 0x100000000 + HOLE_BASE,
		"LDP of nothing, both stages");
	stage1(1, false);
	set_up(SCR_BASE, HCR_BASE, SCTLR_EL1_BASE | OPEN);
}

static void test_devices(void)
{
	make_windows();
	for (unsigned el = 1; el <= top; el++)
		test_devices_at(el);
	test_devices_stage2();
}

/* ---- start ---- */

static void gic(void)
{
	write32(GICD_BASE, 0x37); /* all groups, affinity routing */
	write32(GICR_BASE + 0x14, read32(GICR_BASE + 0x14) & ~2U);
	while (read32(GICR_BASE + 0x14) & 4)
		;
	write32(GICR_SGI_BASE + 0x80, 2); /* SGI 1 is of group 1, Non-secure; SGI 0 of group 0 */
	write32(GICR_SGI_BASE + 0x100, 3);
	write32(GICR_SGI_BASE + 0x400, 0x2020); /* priorities */
	if (top == 3) {
		msr("s3_6_c12_c12_5", 0xf); /* ICC_SRE_EL3 */
		isb();
		msr("s3_6_c12_c12_7", 3); /* ICC_IGRPEN1_EL3 */
	}
	msr("s3_4_c12_c9_5", 0xf); /* ICC_SRE_EL2 */
	isb();
	msr("s3_0_c12_c12_5", 7); /* ICC_SRE_EL1 */
	isb();
	msr("s3_0_c4_c6_0", 0xff); /* ICC_PMR_EL1 */
	msr("s3_0_c12_c12_6", 1);  /* ICC_IGRPEN0_EL1 */
	msr("s3_0_c12_c12_7", 1);  /* ICC_IGRPEN1_EL1 */
	isb();
}

/* Through the secure PL061, as firmware does. */
static void off_el3(void)
{
	write32(0x090b0400, 1);
	write32(0x090b0004, 0);
	write32(0x090b0004, 1);
}

static void begin(void)
{
	top = event.top = mrs("currentel") >> 2;
	event.has_pan = mrs("id_aa64mmfr1_el1") >> 20 & 0xf;
	ok(top >= 2, "begins at EL2 or EL3", "EL%lu", top);
	if (top < 2)
		guest_finish();
	if (top == 3) {
		guest_off = off_el3;
		msr("scr_el3", SCR_BASE);
		msr("cptr_el3", 0);
		msr("mdcr_el3", 0);
		msr("vbar_el3", levels_vectors_el3);
		isb();
	}
	msr("vbar_el2", levels_vectors_el2);
	msr("vbar_el1", levels_vectors_el1);
	msr("cptr_el2", 0x33ff);
	msr("mdcr_el2", 0);
	msr("sctlr_el2", SCTLR_EL2_BASE);
	msr("cnthctl_el2", 3);
	msr("vpidr_el2", mrs("midr_el1"));
	msr("vmpidr_el2", mrs("mpidr_el1"));
	msr("vttbr_el2", 0);
	msr("cpacr_el1", 3 << 20);
	set_up(SCR_BASE, HCR_BASE, SCTLR_EL1_BASE | OPEN);
}

void guest_main(void)
{
	begin();
	gic();
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (rows[i].flags & (top == 3 ? NO3 : E3))
			continue;
		check(&rows[i]);
	}
	test_fp();
	test_return();
	test_entry();
	test_virtual();
	test_host();
	test_vgic();
	test_stage2();
	test_devices();
}
