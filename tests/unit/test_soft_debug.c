/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Breakpoints, watchpoints and software step of the soft engine, in a bare machine. Expected syndromes: Arm
 * ARM (DDI 0487), D24.2.40 ESR_EL1; step: the tables of D2.12.
 */
#include "soft_machine.h"

#include "arm/exc.h"

/* The same memory at two addresses: for EL0 and data, and for the privileged levels' code. */
#define USER	  0x40000000ULL
#define KERNEL	  0x80000000ULL
#define BLOCK	  (1ULL | 3ULL << 8 | 1ULL << 10)
#define AP_EL0	  (1ULL << 6)
#define UXN	  (1ULL << 54)

#define NOP	  0xd503201fU
#define LDR	  0xf9400001U /* LDR X1, [X0] */
#define STR	  0xf9000001U
#define LDRB	  0x39400001U
#define STRB	  0x39000001U
#define LDTR	  0xf8400801U
#define STP	  0xa9000801U /* STP X1, X2, [X0] */
#define LDXR	  0xc85f7c01U
#define LDAXP	  0xc87f8801U
#define LDADD	  0xf8210002U /* LDADD X1, X2, [X0] */
#define STR_Q	  0x3d800000U
#define DC_ZVA	  0xd50b7420U /* X0 */
#define DC_IVAC	  0xd5087620U
#define DC_CIVAC  0xd50b7e20U
#define SVC	  0xd4000001U
#define BRK	  0xd4200000U
#define ERET	  0xd69f03e0U
#define DAIFCLR_D 0xd50348ffU
#define HINT_127  0xd5032fffU /* ends a run */
#define ISS_STEP  (1U << 24 | 0x22)

#define MDSCR_SS  1ULL
#define MDSCR_KDE (1ULL << 13)
#define MDSCR_MDE (1ULL << 15)
#define E_EL0	  (2U << 1 | 0xfU << 5 | 1)
#define E_EL1	  (1U << 1 | 0xfU << 5 | 1)
#define W_LOAD	  (1U << 3)
#define W_STORE	  (2U << 3)
#define W_ALL	  (0xffU << 5)

enum {
	RAM_SIZE = 0x40000,
	TABLE = 0,
	VECTORS = 0x8000,
	CODE = 0x10000,
	DATA = 0x20000, /* three pages */
	EL0T = 0,
	EL1H = 5,
	EL2H = 9,
};

static uint8_t wants(void *opaque, uint32_t word)
{
	return word == HINT_127 ? 0xf : 0;
}

static void set_up(struct machine *m, uint32_t els)
{
	uint64_t l1[3] = {0, USER | BLOCK | AP_EL0, USER | BLOCK | UXN};

	machine_create(m, &(struct hv_vm_config){.ipa_bits = 40, .els = els}, USER, RAM_SIZE);
	ops->set_intercept(m->vm, wants, NULL);
	memcpy(m->ram + TABLE, l1, sizeof(l1));
	for (unsigned i = 0; i < 0x800; i += 4)
		put(m, VECTORS + i, HINT_127);
	for (unsigned i = 0; i < 64; i++)
		put(m, CODE + i * 4, HINT_127);
	SET(m, MAIR_EL1, 0xff);
	SET(m, TCR_EL1, 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23);
	SET(m, TTBR0_EL1, USER + TABLE);
	SET(m, SCTLR_EL1, 0x30d00801 | 1 << 14);
	SET(m, VBAR_EL1, KERNEL + VECTORS);
	SET(m, CPACR_EL1, 3 << 20);
	SET(m, OSLAR_EL1, 0);
	set(m, REG_X(0), USER + DATA);
}

static int create(void **state)
{
	static struct machine m;

	set_up(&m, 3);
	*state = &m;
	return 0;
}

/* All levels; Non-secure, with EL1 as in the other machine. */
static int create_all(void **state)
{
	static struct machine m;

	set_up(&m, 0xf);
	SET(&m, SCR_EL3, 1 | 1 << 10);
	SET(&m, HCR_EL2, 1ULL << 31);
	SET(&m, VBAR_EL2, USER + VECTORS);
	SET(&m, VBAR_EL3, USER + VECTORS);
	*state = &m;
	return 0;
}

static int destroy(void **state)
{
	machine_destroy(*state);
	return 0;
}

/* Returns PC at the next HINT_127. */
static uint64_t run(struct machine *m)
{
	struct hv_exit x;

	for (unsigned i = 0; i < 10; i++) {
		ops->run(m->cpu, &x);
		if (x.kind != HV_EXIT_KICK)
			break;
	}
	assert_int_equal(x.kind, HV_EXIT_INTERCEPT);
	return get(m, REG_PC);
}

static uint64_t code_at(unsigned level, unsigned n)
{
	return (level == EL0T ? USER : KERNEL) + CODE + 4 * n;
}

/* Runs from the beginning of the code, at @level (PSTATE.M). */
static uint64_t run_at(struct machine *m, uint64_t level)
{
	set(m, REG_PSTATE, level);
	set(m, REG_PC, code_at(level & 0xf, 0));
	return run(m);
}

static void words(struct machine *m, unsigned count, const uint32_t *w)
{
	for (unsigned i = 0; i < count; i++)
		put(m, CODE + i * 4, w[i]);
	put(m, CODE + count * 4, HINT_127);
}

#define WORDS(m, ...) words(m, sizeof((uint32_t[]){__VA_ARGS__}) / 4, (uint32_t[]){__VA_ARGS__})

static uint32_t esr(enum arm_ec ec, uint32_t iss)
{
	return (uint32_t)ec << 26 | ARM_ESR_IL | iss;
}

/* ---- breakpoints ---- */

static void no_break(struct machine *m, uint64_t level)
{
	assert_int_equal(run_at(m, level), code_at(level & 0xf, 3));
}

static void breaks(struct machine *m, uint64_t level)
{
	bool el0 = (level & 0xf) == EL0T;

	assert_int_equal(run_at(m, level), KERNEL + VECTORS + (el0 ? 0x400 : 0x200));
	assert_int_equal(GET(m, ESR_EL1),
			 esr(el0 ? ARM_EC_BREAKPOINT_LOWER : ARM_EC_BREAKPOINT_SAME, 0x22));
	assert_int_equal(GET(m, ELR_EL1), code_at(level & 0xf, 1));
}

static void test_breakpoint_el0(void **state)
{
	struct machine *m = *state;

	WORDS(m, NOP, NOP, NOP);
	SET(m, DBGBVR3_EL1, code_at(EL0T, 1));
	SET(m, DBGBCR3_EL1, E_EL0);
	no_break(m, EL0T); /* MDE is 0 */
	SET(m, MDSCR_EL1, MDSCR_MDE);
	breaks(m, EL0T);
	SET(m, OSLAR_EL1, 1);
	no_break(m, EL0T);
	SET(m, OSLAR_EL1, 0);
	breaks(m, EL0T);
	SET(m, DBGBCR3_EL1, E_EL1);
	no_break(m, EL0T);
	SET(m, DBGBCR3_EL1, E_EL0 & ~1U);
	no_break(m, EL0T);
	SET(m, DBGBCR3_EL1, E_EL0 | 1U << 13); /* HMC without EL2 and EL3: reserved */
	no_break(m, EL0T);
	SET(m, DBGBCR3_EL1, E_EL0 | 4U << 20); /* mismatch: AArch32 only */
	no_break(m, EL0T);
	SET(m, DBGBCR3_EL1, E_EL0);
	SET(m, DBGBVR3_EL1, code_at(EL0T, 1) + 0x1000);
	no_break(m, EL0T);
	SET(m, DBGBVR3_EL1, code_at(EL0T, 1) ^ 3ULL << 40); /* RESS: bits above are looked at */
	no_break(m, EL0T);
}

static void test_breakpoint_el1(void **state)
{
	struct machine *m = *state;

	WORDS(m, NOP, NOP, NOP);
	SET(m, DBGBVR0_EL1, code_at(EL1H, 1));
	SET(m, DBGBCR0_EL1, E_EL1);
	SET(m, MDSCR_EL1, MDSCR_MDE);
	no_break(m, EL1H);
	SET(m, MDSCR_EL1, MDSCR_MDE | MDSCR_KDE);
	breaks(m, EL1H);
	no_break(m, EL1H | ARM_PSTATE_D);
}

/* Between two breakpoints, or at one that was disabled by the guest itself, code goes on. */
static void test_breakpoint_on_one_page(void **state)
{
	struct machine *m = *state;

	WORDS(m, NOP, 0xd51005a0 /* MSR DBGBCR5_EL1, X0 */, NOP, NOP);
	SET(m, DBGBVR5_EL1, code_at(EL1H, 3));
	SET(m, DBGBCR5_EL1, E_EL1);
	SET(m, MDSCR_EL1, MDSCR_MDE | MDSCR_KDE);
	set(m, REG_X(0), E_EL1);
	assert_int_equal(run_at(m, EL1H), KERNEL + VECTORS + 0x200);
	assert_int_equal(GET(m, ELR_EL1), code_at(EL1H, 3));
	set(m, REG_X(0), 0);
	assert_int_equal(run_at(m, EL1H), code_at(EL1H, 4));
}

static void test_breakpoint_linked(void **state)
{
	struct machine *m = *state;

	WORDS(m, NOP, NOP, NOP);
	SET(m, MDSCR_EL1, MDSCR_MDE);
	SET(m, CONTEXTIDR_EL1, 0x1234);
	SET(m, DBGBVR1_EL1, code_at(EL0T, 1));
	SET(m, DBGBCR1_EL1, E_EL0 | 1U << 20 | 4U << 16);
	no_break(m, EL0T); /* number 4 is not enabled */
	SET(m, DBGBVR4_EL1, 0x1234);
	SET(m, DBGBCR4_EL1, E_EL0 | 3U << 20);
	breaks(m, EL0T);
	SET(m, CONTEXTIDR_EL1, 0x1235);
	no_break(m, EL0T);
	SET(m, CONTEXTIDR_EL1, 0x1234);
	SET(m, DBGBCR1_EL1, E_EL0 | 1U << 20 | 3U << 16); /* not context-aware */
	SET(m, DBGBVR3_EL1, 0x1234);
	SET(m, DBGBCR3_EL1, E_EL0 | 3U << 20);
	no_break(m, EL0T);
}

/* A context alone: any instruction. */
static void test_breakpoint_context(void **state)
{
	struct machine *m = *state;

	WORDS(m, NOP, NOP, NOP);
	SET(m, MDSCR_EL1, MDSCR_MDE);
	SET(m, CONTEXTIDR_EL1, 7);
	SET(m, DBGBVR5_EL1, 7);
	SET(m, DBGBCR5_EL1, E_EL0 | 2U << 20);
	assert_int_equal(run_at(m, EL0T), KERNEL + VECTORS + 0x400);
	assert_int_equal(GET(m, ELR_EL1), code_at(EL0T, 0));
	SET(m, CONTEXTIDR_EL1, 8);
	no_break(m, EL0T);
}

static void test_numbers(void **state)
{
	struct machine *m = *state;

	assert_int_equal(GET(m, ID_AA64DFR0_EL1) >> 12 & 15, 5);
	assert_int_equal(GET(m, ID_AA64DFR0_EL1) >> 20 & 15, 3);
	assert_int_equal(GET(m, ID_AA64DFR0_EL1) >> 28 & 15, 1);
	WORDS(m, 0xd5300580 /* MRS X0, DBGBVR5_EL1 */, 0xd53003e0 /* MRS X0, DBGWCR3_EL1 */);
	assert_int_equal(run_at(m, EL1H), code_at(EL1H, 2));
	WORDS(m, 0xd5300680 /* MRS X0, DBGBVR6_EL1 */);
	assert_int_equal(run_at(m, EL1H), KERNEL + VECTORS + 0x200);
	WORDS(m, 0xd53004e0 /* MRS X0, DBGWCR4_EL1 */);
	assert_int_equal(run_at(m, EL1H), KERNEL + VECTORS + 0x200);
	assert_int_equal(GET(m, ESR_EL1), esr(ARM_EC_UNKNOWN, 0));
}

/* ---- watchpoints ---- */

/* One instruction at @level with X0; is there a watchpoint's exception, with this FAR and WnR? */
static void watch(struct machine *m, uint64_t level, uint32_t word, uint64_t x0, uint64_t far,
		  uint32_t iss)
{
	bool el0 = (level & 0xf) == EL0T;

	/* The second time, the first access of the page has gone through the TLB. */
	for (unsigned i = 0; i < 2; i++) {
		WORDS(m, i ? NOP : STRB, word);
		set(m, REG_X(0), i ? x0 : USER + DATA + 0x800);
		if (!i) {
			run_at(m, level);
			continue;
		}
		assert_int_equal(run_at(m, level), KERNEL + VECTORS + (el0 ? 0x400 : 0x200));
		assert_int_equal(
			GET(m, ESR_EL1),
			esr(el0 ? ARM_EC_WATCHPOINT_LOWER : ARM_EC_WATCHPOINT_SAME, iss | 0x22));
		assert_int_equal(GET(m, ELR_EL1), code_at(level & 0xf, 1));
		assert_int_equal(GET(m, FAR_EL1), far);
	}
}

static void no_watch(struct machine *m, uint64_t level, uint32_t word, uint64_t x0)
{
	WORDS(m, word);
	set(m, REG_X(0), x0);
	assert_int_equal(run_at(m, level), code_at(level & 0xf, 1));
}

enum { WNR = 1 << 6, CM = 1 << 8 };

static void test_watchpoint(void **state)
{
	struct machine *m = *state;
	uint64_t at = USER + DATA + 0x100;

	SET(m, DBGWVR1_EL1, at);
	SET(m, DBGWCR1_EL1, W_ALL | W_LOAD | E_EL0);
	no_watch(m, EL0T, LDR, at); /* MDE is 0 */
	SET(m, MDSCR_EL1, MDSCR_MDE);
	watch(m, EL0T, LDR, at, at, 0);
	watch(m, EL0T, LDRB, at + 7, at + 7, 0);
	watch(m, EL0T, LDR, at - 1, at, 0); /* overlaps */
	no_watch(m, EL0T, LDRB, at - 1);
	no_watch(m, EL0T, LDR, at + 8);
	no_watch(m, EL0T, STR, at);
	SET(m, DBGWCR1_EL1, W_ALL | W_STORE | E_EL0);
	watch(m, EL0T, STR, at, at, WNR);
	watch(m, EL0T, STP, at - 8, at, WNR);
	watch(m, EL0T, STR_Q, at - 15, at, WNR);
	no_watch(m, EL0T, LDR, at);
	SET(m, DBGWCR1_EL1, W_ALL | W_STORE | W_LOAD | E_EL0);
	watch(m, EL0T, LDADD, at, at, 0); /* reads first */
	watch(m, EL0T, STR, at, at, WNR);
	SET(m, OSLAR_EL1, 1);
	no_watch(m, EL0T, STR, at);
}

static void test_watchpoint_bytes(void **state)
{
	struct machine *m = *state;
	uint64_t at = USER + DATA + 0x200;

	SET(m, MDSCR_EL1, MDSCR_MDE);
	SET(m, DBGWVR0_EL1, at);
	SET(m, DBGWCR0_EL1, 0x18U << 5 | W_STORE | (E_EL0 & 7));
	watch(m, EL0T, STR, at, at + 3, WNR);
	watch(m, EL0T, STRB, at + 4, at + 4, WNR);
	no_watch(m, EL0T, STRB, at + 2);
	no_watch(m, EL0T, STRB, at + 5);
	SET(m, DBGWVR0_EL1, at + 4); /* bit 2: BAS is for four bytes */
	SET(m, DBGWCR0_EL1, 0xf1U << 5 | W_STORE | (E_EL0 & 7));
	watch(m, EL0T, STRB, at + 4, at + 4, WNR);
	no_watch(m, EL0T, STRB, at);
	no_watch(m, EL0T, STRB, at + 5);
	SET(m, DBGWCR0_EL1, W_STORE | (E_EL0 & 7)); /* BAS 0 */
	no_watch(m, EL0T, STRB, at + 4);
}

static void test_watchpoint_mask(void **state)
{
	struct machine *m = *state;
	uint64_t at = USER + DATA + 0x1000;

	SET(m, MDSCR_EL1, MDSCR_MDE);
	SET(m, DBGWVR2_EL1, at);
	SET(m, DBGWCR2_EL1, W_ALL | W_STORE | E_EL0 | 12U << 24);
	watch(m, EL0T, STR, at, at, WNR);
	watch(m, EL0T, STR, at + 0xff8, at + 0xff8, WNR);
	watch(m, EL0T, STR, at - 4, at, WNR); /* across the page */
	no_watch(m, EL0T, STR, at - 8);
	no_watch(m, EL0T, STR, at + 0x1000);
	SET(m, DBGWCR2_EL1, W_ALL | W_STORE | E_EL0 | 31U << 24);
	watch(m, EL0T, STR, at - 8, at - 8, WNR);
	SET(m, DBGWCR2_EL1, W_ALL | W_STORE | E_EL0 | 2U << 24); /* reserved */
	no_watch(m, EL0T, STR, at);
}

/* A store of one register that overlaps with what is watched, also across pages. */
static void test_watchpoint_stores_nothing(void **state)
{
	struct machine *m = *state;

	SET(m, MDSCR_EL1, MDSCR_MDE);
	SET(m, DBGWCR0_EL1, W_ALL | W_STORE | E_EL0);
	memset(m->ram + DATA, 0x55, 0x2000);
	set(m, REG_X(1), 0);
	WORDS(m, STR);
	for (unsigned at = 0x100; at <= 0x1000; at += 0xf00) {
		SET(m, DBGWVR0_EL1, USER + DATA + at);
		set(m, REG_X(0), USER + DATA + at - 4);
		assert_int_equal(run_at(m, EL0T), KERNEL + VECTORS + 0x400);
		for (unsigned i = 0; i < 0x2000; i++)
			assert_int_equal(m->ram[DATA + i], 0x55);
	}
}

static void test_watchpoint_privilege(void **state)
{
	struct machine *m = *state;
	uint64_t at = USER + DATA + 0x300;

	SET(m, MDSCR_EL1, MDSCR_MDE | MDSCR_KDE);
	SET(m, DBGWVR3_EL1, at);
	SET(m, DBGWCR3_EL1, W_ALL | W_LOAD | E_EL0);
	no_watch(m, EL1H, LDR, at);
	watch(m, EL1H, LDTR, at, at, 0);
	no_watch(m, EL1H | ARM_PSTATE_D, LDTR, at);
	SET(m, DBGWCR3_EL1, W_ALL | W_LOAD | E_EL1);
	watch(m, EL1H, LDR, at, at, 0);
	no_watch(m, EL0T, LDR, at);
	no_watch(m, EL1H, LDTR, at);
	SET(m, MDSCR_EL1, MDSCR_MDE);
	no_watch(m, EL1H, LDR, at);
}

static void test_watchpoint_cache(void **state)
{
	struct machine *m = *state;
	uint64_t at = USER + DATA + 0x428;

	SET(m, MDSCR_EL1, MDSCR_MDE | MDSCR_KDE);
	SET(m, DBGWVR0_EL1, at);
	SET(m, DBGWCR0_EL1, W_ALL | W_STORE | W_LOAD | E_EL1);
	watch(m, EL1H, DC_ZVA, at & ~63ULL, at, WNR);
	watch(m, EL1H, DC_IVAC, at & ~63ULL, at, WNR | CM);
	no_watch(m, EL1H, DC_CIVAC, at);
	no_watch(m, EL1H, DC_ZVA, at + 64);
}

/* ---- software step ---- */

/* ERET from EL1 to EL0 with SPSR_EL1.SS; the code of EL1 is at word 32. */
static uint64_t step_el0(struct machine *m, bool ss)
{
	put(m, CODE + 32 * 4, ERET);
	SET(m, SPSR_EL1, ss ? ARM_PSTATE_SS : 0);
	SET(m, ELR_EL1, code_at(EL0T, 0));
	set(m, REG_PSTATE, EL1H | ARM_PSTATE_D);
	set(m, REG_PC, code_at(EL1H, 32));
	return run(m);
}

static void stepped(struct machine *m, uint64_t next, uint32_t iss)
{
	assert_int_equal(GET(m, ESR_EL1), esr(ARM_EC_STEP_LOWER, iss));
	assert_int_equal(GET(m, ELR_EL1), next);
	assert_int_equal(GET(m, SPSR_EL1) & ARM_PSTATE_SS, 0);
}

static void test_step_el0(void **state)
{
	struct machine *m = *state;

	WORDS(m, NOP, NOP);
	SET(m, MDSCR_EL1, MDSCR_SS);
	assert_int_equal(step_el0(m, true), KERNEL + VECTORS + 0x400);
	stepped(m, code_at(EL0T, 1), ISS_STEP);
	/* Pending at once. */
	assert_int_equal(step_el0(m, false), KERNEL + VECTORS + 0x400);
	stepped(m, code_at(EL0T, 0), 0x22);
	SET(m, OSLAR_EL1, 1);
	assert_int_equal(step_el0(m, true), code_at(EL0T, 2));
	SET(m, OSLAR_EL1, 0);
	SET(m, MDSCR_EL1, 0);
	assert_int_equal(step_el0(m, true), code_at(EL0T, 2));
}

static void test_step_syndrome(void **state)
{
	struct machine *m = *state;

	SET(m, MDSCR_EL1, MDSCR_SS);
	WORDS(m, LDXR);
	step_el0(m, true);
	stepped(m, code_at(EL0T, 1), ISS_STEP | 1 << 6);
	WORDS(m, LDAXP);
	step_el0(m, true);
	stepped(m, code_at(EL0T, 1), ISS_STEP | 1 << 6);
	WORDS(m, 0x14000004 /* B +16 */);
	step_el0(m, true);
	stepped(m, code_at(EL0T, 4), ISS_STEP);
	WORDS(m, 0x14000000 /* B . */);
	step_el0(m, true);
	stepped(m, code_at(EL0T, 0), ISS_STEP);
}

static void test_step_into_exceptions(void **state)
{
	struct machine *m = *state;

	SET(m, MDSCR_EL1, MDSCR_SS);
	WORDS(m, SVC, NOP);
	step_el0(m, true);
	assert_int_equal(GET(m, ESR_EL1), esr(ARM_EC_SVC64, 0));
	assert_int_equal(GET(m, SPSR_EL1) & ARM_PSTATE_SS, 0);
	WORDS(m, LDR);
	set(m, REG_X(0), 0);
	step_el0(m, true);
	assert_int_equal(GET(m, ESR_EL1) >> 26, ARM_EC_DABT_LOWER);
	assert_int_equal(GET(m, SPSR_EL1) & ARM_PSTATE_SS, ARM_PSTATE_SS);
	WORDS(m, 0);
	step_el0(m, true);
	assert_int_equal(GET(m, ESR_EL1), esr(ARM_EC_UNKNOWN, 0));
	assert_int_equal(GET(m, SPSR_EL1) & ARM_PSTATE_SS, ARM_PSTATE_SS);
	WORDS(m, BRK);
	step_el0(m, true);
	assert_int_equal(GET(m, ESR_EL1), esr(ARM_EC_BRK64, 0));
	assert_int_equal(GET(m, SPSR_EL1) & ARM_PSTATE_SS, ARM_PSTATE_SS);
}

/* A breakpoint on what would be stepped comes first, and the step is still to be made. */
static void test_step_breakpoint(void **state)
{
	struct machine *m = *state;

	WORDS(m, NOP, NOP);
	SET(m, MDSCR_EL1, MDSCR_SS | MDSCR_MDE);
	SET(m, DBGBVR0_EL1, code_at(EL0T, 0));
	SET(m, DBGBCR0_EL1, E_EL0);
	step_el0(m, true);
	assert_int_equal(GET(m, ESR_EL1), esr(ARM_EC_BREAKPOINT_LOWER, 0x22));
	assert_int_equal(GET(m, SPSR_EL1) & ARM_PSTATE_SS, ARM_PSTATE_SS);
	step_el0(m, false);
	stepped(m, code_at(EL0T, 0), 0x22);
}

/* EL1 steps itself: PSTATE.SS is 0 when D is cleared, so the exception is pending. */
static void test_step_el1(void **state)
{
	struct machine *m = *state;

	WORDS(m, DAIFCLR_D, NOP);
	SET(m, MDSCR_EL1, MDSCR_SS);
	assert_int_equal(run_at(m, EL1H | ARM_PSTATE_D), code_at(EL1H, 2));
	SET(m, MDSCR_EL1, MDSCR_SS | MDSCR_KDE);
	assert_int_equal(run_at(m, EL1H | ARM_PSTATE_D), KERNEL + VECTORS + 0x200);
	assert_int_equal(GET(m, ESR_EL1), esr(ARM_EC_STEP_SAME, 0x22));
	assert_int_equal(GET(m, ELR_EL1), code_at(EL1H, 1));
	/* By ERET to EL1: one instruction. */
	put(m, CODE + 32 * 4, ERET);
	WORDS(m, NOP, NOP);
	SET(m, SPSR_EL1, EL1H | ARM_PSTATE_SS);
	SET(m, ELR_EL1, code_at(EL1H, 0));
	set(m, REG_PSTATE, EL1H | ARM_PSTATE_D);
	set(m, REG_PC, code_at(EL1H, 32));
	assert_int_equal(run(m), KERNEL + VECTORS + 0x200);
	assert_int_equal(GET(m, ESR_EL1), esr(ARM_EC_STEP_SAME, ISS_STEP));
	assert_int_equal(GET(m, ELR_EL1), code_at(EL1H, 1));
	/* Enabled at the source already: SPSR.SS is ignored. */
	SET(m, SPSR_EL1, EL1H | ARM_PSTATE_SS);
	SET(m, ELR_EL1, code_at(EL1H, 0));
	set(m, REG_PSTATE, EL1H | ARM_PSTATE_SS);
	set(m, REG_PC, code_at(EL1H, 32));
	assert_int_equal(run(m), KERNEL + VECTORS + 0x200);
	assert_int_equal(GET(m, ELR_EL1), code_at(EL1H, 0));
}

/* ---- EL2, EL3 ---- */

#define TDE (1ULL << 8)
#define TGE (1ULL << 27)

static void at_el2(struct machine *m, uint32_t syndrome, uint64_t elr)
{
	assert_int_equal(GET(m, ESR_EL2), syndrome);
	assert_int_equal(GET(m, ELR_EL2), elr);
}

static void test_el2_takes_debug_exceptions(void **state)
{
	struct machine *m = *state;

	SET(m, MDCR_EL2, TDE);
	SET(m, MDSCR_EL1, MDSCR_MDE);
	WORDS(m, NOP, BRK, NOP);
	assert_int_equal(run_at(m, EL1H), USER + VECTORS + 0x400);
	at_el2(m, esr(ARM_EC_BRK64, 0), code_at(EL1H, 1));
	/* From EL1 whatever KDE and D are. */
	SET(m, DBGBVR0_EL1, code_at(EL1H, 1));
	SET(m, DBGBCR0_EL1, E_EL1);
	assert_int_equal(run_at(m, EL1H | ARM_PSTATE_D), USER + VECTORS + 0x400);
	at_el2(m, esr(ARM_EC_BREAKPOINT_LOWER, 0x22), code_at(EL1H, 1));
	/* Secure state has no EL2: EL1 takes them. */
	SET(m, SCR_EL3, 1 << 10);
	SET(m, MDSCR_EL1, MDSCR_MDE | MDSCR_KDE);
	breaks(m, EL1H);
	SET(m, MDCR_EL3, 1 << 16); /* SDD */
	WORDS(m, NOP, NOP, NOP);
	no_break(m, EL1H);
}

static void test_el2_debugs_itself(void **state)
{
	struct machine *m = *state;

	WORDS(m, NOP, NOP, NOP);
	SET(m, MDCR_EL2, TDE);
	SET(m, MDSCR_EL1, MDSCR_MDE | MDSCR_KDE);
	SET(m, DBGBVR0_EL1, USER + CODE + 4);
	SET(m, DBGBCR0_EL1, E_EL1 | 1 << 13); /* HMC: EL1 to EL3 */
	set(m, REG_PC, USER + CODE);
	set(m, REG_PSTATE, EL2H);
	assert_int_equal(run(m), USER + VECTORS + 0x200);
	at_el2(m, esr(ARM_EC_BREAKPOINT_SAME, 0x22), USER + CODE + 4);
	set(m, REG_PC, USER + CODE);
	set(m, REG_PSTATE, EL2H | ARM_PSTATE_D);
	assert_int_equal(run(m), USER + CODE + 12);
	SET(m, DBGBCR0_EL1, E_EL1);
	set(m, REG_PC, USER + CODE);
	set(m, REG_PSTATE, EL2H);
	assert_int_equal(run(m), USER + CODE + 12);
	/* Nothing comes from EL3. */
	SET(m, DBGBCR0_EL1, E_EL1 | 1 << 13);
	set(m, REG_PC, USER + CODE);
	set(m, REG_PSTATE, 0xd);
	assert_int_equal(run(m), USER + CODE + 12);
}

static void el2_steps(struct machine *m, uint64_t spsr, uint64_t elr)
{
	put(m, CODE + 32 * 4, ERET);
	SET(m, SPSR_EL2, spsr);
	SET(m, ELR_EL2, elr);
	set(m, REG_PSTATE, EL2H | ARM_PSTATE_D);
	set(m, REG_PC, USER + CODE + 32 * 4);
	assert_int_equal(run(m), USER + VECTORS + 0x400);
}

/* EL2 steps EL0 into an exception that EL1 takes: pending at the vector. */
static void test_el2_steps_el1(void **state)
{
	struct machine *m = *state;

	SET(m, MDCR_EL2, TDE);
	SET(m, MDSCR_EL1, MDSCR_SS);
	WORDS(m, NOP, NOP);
	el2_steps(m, EL1H | ARM_PSTATE_SS | ARM_PSTATE_D, code_at(EL1H, 0));
	at_el2(m, esr(ARM_EC_STEP_LOWER, ISS_STEP), code_at(EL1H, 1));
	WORDS(m, SVC, NOP);
	el2_steps(m, EL0T | ARM_PSTATE_SS, code_at(EL0T, 0));
	at_el2(m, esr(ARM_EC_STEP_LOWER, 0x22), KERNEL + VECTORS + 0x400);
	assert_int_equal(GET(m, ESR_EL1), esr(ARM_EC_SVC64, 0));
	assert_int_equal(GET(m, SPSR_EL1) & ARM_PSTATE_SS, 0);
	/* An undefined instruction has not been stepped. */
	WORDS(m, 0);
	el2_steps(m, EL0T | ARM_PSTATE_SS, code_at(EL0T, 0));
	at_el2(m, esr(ARM_EC_STEP_LOWER, 0x22), KERNEL + VECTORS + 0x400);
	assert_int_equal(GET(m, SPSR_EL1) & ARM_PSTATE_SS, ARM_PSTATE_SS);
}

#define TEST(f)	    cmocka_unit_test_setup_teardown(f, create, destroy)
#define TEST_ALL(f) cmocka_unit_test_setup_teardown(f, create_all, destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_breakpoint_el0),
		TEST(test_breakpoint_el1),
		TEST(test_breakpoint_on_one_page),
		TEST(test_breakpoint_linked),
		TEST(test_breakpoint_context),
		TEST(test_numbers),
		TEST(test_watchpoint),
		TEST(test_watchpoint_bytes),
		TEST(test_watchpoint_mask),
		TEST(test_watchpoint_stores_nothing),
		TEST(test_watchpoint_privilege),
		TEST(test_watchpoint_cache),
		TEST(test_step_el0),
		TEST(test_step_syndrome),
		TEST(test_step_into_exceptions),
		TEST(test_step_breakpoint),
		TEST(test_step_el1),
		TEST_ALL(test_el2_takes_debug_exceptions),
		TEST_ALL(test_el2_debugs_itself),
		TEST_ALL(test_el2_steps_el1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
