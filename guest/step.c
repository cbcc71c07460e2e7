/* SPDX-License-Identifier: Apache-2.0 */
/* Software step as the guest's own affair: Arm ARM (DDI 0487), D2.12; syndromes in D24.2.40 ESR_EL1. */
#include "lib/debug.h"

const char guest_name[] = "step";

static uint64_t data;

FRAGMENT(nops, "nop\nnop\nnop");
FRAGMENT(load_x, "ldr x1, [x0]");
FRAGMENT(load_exclusive, "ldxr x1, [x0]");
FRAGMENT(branch, "b 1f\nnop\n1: nop");
FRAGMENT(to_itself, "1: b 1b");
FRAGMENT(svc_1, "svc #1\nnop");
FRAGMENT(brk_1, "brk #1");
FRAGMENT(undefined, "udf #0");
FRAGMENT(unmask, "msr daifclr, #8\nnop");

/* SPSR.SS of what was interrupted. */
static void expect_step(const char *what, trap_fn *fn, uint64_t arg, uint64_t spsr, uint64_t esr,
			unsigned instruction, bool ss)
{
	struct trap t;

	expect(what, fn, arg, spsr, esr, instruction);
	run(fn, arg, spsr, &t);
	if (!(t.spsr & SPSR_SS) == ss)
		ok(false, what, "SPSR 0x%lx", t.spsr);
}

static void test_step_el0(void)
{
	uint64_t spsr = SPSR_EL0 | SPSR_SS, at = user_address(&data);

	expect("step, SS is 0", nops, 0, spsr, ESR_END, 0);
	mdscr = MDSCR_SS;
	expect_step("step", nops, 0, spsr, ESR_STEP | ISV, 1, false);
	expect_step("step, pending at once", nops, 0, SPSR_EL0, ESR_STEP, 0, false);
	expect_step("step, D is ignored", nops, 0, spsr | D_MASKED, ESR_STEP | ISV, 1, false);
	expect_step("step over a branch", branch, 0, spsr, ESR_STEP | ISV, 2, false);
	expect_step("step over B .", to_itself, 0, spsr, ESR_STEP | ISV, 0, false);
	expect_step("step over LDR", load_x, at, spsr, ESR_STEP | ISV, 1, false);
	expect_step("step over LDXR", load_exclusive, at, spsr, ESR_STEP | ISV | EX, 1, false);
	expect_step("step SVC", svc_1, 0, spsr, 0x56000001, 1, false);
	expect_step("step UDF", undefined, 0, spsr, 0x02000000, 0, true);
	expect_step("step BRK", brk_1, 0, spsr, 0xf2000001, 0, true);
	expect_step("step into an abort", load_x, 0, spsr, 0x9200000d, 0, true);
	debug_off();
}

static void test_step_el1(void)
{
	uint64_t spsr = SPSR_EL1 | SPSR_SS;

	mdscr = MDSCR_SS;
	expect("step EL1, KDE is 0", nops, 0, spsr, ESR_END, 0);
	mdscr = MDSCR_SS | MDSCR_KDE;
	expect_step("step EL1", nops, 0, spsr, ESR_STEP | ISV, 1, false);
	expect_step("step EL1, pending at once", nops, 0, SPSR_EL1, ESR_STEP, 0, false);
	expect("step EL1, D masks", nops, 0, spsr | D_MASKED, ESR_END, 0);
	expect_step("step EL1, D is cleared", unmask, 0, spsr | D_MASKED, ESR_STEP, 1, false);
	expect_step("step EL1 into SVC", svc_1, 0, spsr, 0x56000001, 1, false);
	debug_off();
}

/* Many steps in a row, as a debugger goes. */
static void test_walk(void)
{
	uint64_t pc = user_address((void *)nops);
	unsigned steps = 0;
	struct trap t;

	mdscr = MDSCR_SS;
	for (;;) {
		msr("mdscr_el1", mdscr);
		trap_at((trap_fn *)pc, 0, SPSR_EL0 | SPSR_SS, &t);
		if ((uint32_t)t.esr != (ESR_STEP | ISV) || steps == 100)
			break;
		steps++;
		pc = t.elr;
	}
	ok(steps == 3 && (uint32_t)t.esr == ESR_END, "three steps and the SVC",
	   "%u steps, ESR 0x%lx", steps, t.esr);
	debug_off();
}

/* A breakpoint on what is to be stepped comes first. */
static void test_step_and_break(void)
{
	mdscr = MDSCR_SS | MDSCR_MDE;
	set_break(nops, 0, SPSR_EL0, E_EL0 | BAS_INSN);
	expect_step("breakpoint on a step", nops, 0, SPSR_EL0 | SPSR_SS, ESR_BREAK, 0, true);
	debug_off();
}

void guest_main(void)
{
	mmu_on();
	msr("oslar_el1", 0);
	msr("osdlr_el1", 0);
	debug_off();
	test_step_el0();
	test_step_el1();
	test_walk();
	test_step_and_break();
}
