/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hardware breakpoints and watchpoints as the guest's own affair. Arm ARM (DDI 0487), D2; syndromes in D24.2.40
 * ESR_EL1. Where the architecture leaves a choice there is no check, nor of the OS lock, which QEMU 7.2 does
 * not heed.
 */
#include "lib/debug.h"

const char guest_name[] = "debug";

static uint8_t data[3 * 4096] __attribute__((aligned(4096)));

FRAGMENT(nops, "nop\nnop\nnop");
FRAGMENT(load_x, "ldr x1, [x0]");
FRAGMENT(load_b, "ldrb w1, [x0]");
FRAGMENT(store_x, "str x1, [x0]");
FRAGMENT(store_b, "strb w1, [x0]");
FRAGMENT(store_pair, "stp x1, x2, [x0]");
FRAGMENT(zero, "dc zva, x0");

/* ---- breakpoints ---- */

static void test_breakpoints(void)
{
	set_break(nops, 1, SPSR_EL0, E_EL0 | BAS_INSN);
	expect("breakpoint, MDE is 0", nops, 0, SPSR_EL0, ESR_END, 0);
	mdscr = MDSCR_MDE;
	expect("breakpoint at EL0", nops, 0, SPSR_EL0, ESR_BREAK, 1);
	expect("breakpoint at EL0, D is ignored", nops, 0, SPSR_EL0 | D_MASKED, ESR_BREAK, 1);
	set_break(nops, 1, SPSR_EL0, (E_EL0 | BAS_INSN) & ~1ULL);
	expect("breakpoint, not enabled", nops, 0, SPSR_EL0, ESR_END, 0);
	set_break(nops, 1, SPSR_EL0, E_EL1 | BAS_INSN);
	expect("breakpoint for EL1 at EL0", nops, 0, SPSR_EL0, ESR_END, 0);
	set_break(nops, 1, SPSR_EL1, E_EL1 | BAS_INSN);
	expect("breakpoint at EL1, KDE is 0", nops, 0, SPSR_EL1, ESR_END, 0);
	mdscr = MDSCR_MDE | MDSCR_KDE;
	expect("breakpoint at EL1", nops, 0, SPSR_EL1, ESR_BREAK, 1);
	expect("breakpoint at EL1, D masks", nops, 0, SPSR_EL1 | D_MASKED, ESR_END, 0);
	set_break(nops, 0, SPSR_EL1, E_EL1 | E_EL0 | BAS_INSN);
	expect("breakpoint on a function", nops, 0, SPSR_EL1, ESR_BREAK, 0);
	debug_off();
}

/* The last breakpoints can compare contexts. */
static void test_linked(void)
{
	unsigned last = mrs("id_aa64dfr0_el1") >> 12 & 15;

	if (last != 5) {
		note("%u breakpoints, linking is not looked at", last + 1);
		return;
	}
	msr("contextidr_el1", 0x4321);
	msr("dbgbvr5_el1", 0x4321);
	msr("dbgbcr5_el1", 3ULL << 20 | BAS_INSN | E_EL0 | E_EL1);
	set_break(nops, 2, SPSR_EL0, E_EL0 | BAS_INSN | LINKED_TO(5));
	mdscr = MDSCR_MDE;
	expect("linked breakpoint", nops, 0, SPSR_EL0, ESR_BREAK, 2);
	msr("contextidr_el1", 0x4322);
	expect("linked breakpoint, another context", nops, 0, SPSR_EL0, ESR_END, 0);
	msr("dbgbcr5_el1", 0);
	msr("contextidr_el1", 0);
	debug_off();
}

/* ---- watchpoints ---- */

static void test_watchpoint_kinds(void)
{
	uint64_t at = user_address(data) + 0x100;

	watch(at, BAS(0xff) | LOAD | E_EL0);
	expect_watch("watchpoint, MDE is 0", load_x, at, 0, 0, SPSR_EL0);
	mdscr = MDSCR_MDE;
	expect_watch("watchpoint, load", load_x, at, at, 0, SPSR_EL0);
	expect_watch("watchpoint on loads, store", store_x, at, 0, 0, SPSR_EL0);
	watch(at, BAS(0xff) | STORE | E_EL0);
	expect_watch("watchpoint, store", store_x, at, at, WNR, SPSR_EL0);
	expect_watch("watchpoint on stores, load", load_x, at, 0, 0, SPSR_EL0);
	watch(at, BAS(0xff) | LOAD | STORE | E_EL0);
	expect_watch("watchpoint on both, load", load_x, at, at, 0, SPSR_EL0);
	expect_watch("watchpoint on both, store", store_x, at, at, WNR, SPSR_EL0);
	/* Anew: QEMU's WnR stays 1 after a store. */
	watch(at, BAS(0xff) | LOAD | STORE | E_EL0);
	expect_watch("watchpoint, the next word", load_x, at + 8, 0, 0, SPSR_EL0);
	expect_watch("watchpoint, the word before", load_x, at - 8, 0, 0, SPSR_EL0);
	expect_watch("watchpoint, last byte", load_b, at + 7, at + 7, 0, SPSR_EL0);
	expect_watch("watchpoint, overlap", load_x, at - 1, at, 0, SPSR_EL0);
	expect_watch("watchpoint, the second of a pair", store_pair, at - 8, at, WNR, SPSR_EL0);
	debug_off();
}

static void test_watchpoint_bytes(void)
{
	uint64_t at = user_address(data) + 0x200;

	mdscr = MDSCR_MDE;
	watch(at, BAS(0x3c) | STORE | E_EL0);
	expect_watch("watchpoint, BAS 0x3c, byte 1", store_b, at + 1, 0, 0, SPSR_EL0);
	expect_watch("watchpoint, BAS 0x3c, byte 2", store_b, at + 2, at + 2, WNR, SPSR_EL0);
	expect_watch("watchpoint, BAS 0x3c, byte 5", store_b, at + 5, at + 5, WNR, SPSR_EL0);
	expect_watch("watchpoint, BAS 0x3c, byte 6", store_b, at + 6, 0, 0, SPSR_EL0);
	expect_watch("watchpoint, BAS 0x3c, all", store_x, at, at + 2, WNR, SPSR_EL0);
	watch(at + 4, BAS(0x3) | STORE | E_EL0);
	expect_watch("watchpoint, word, BAS 3, byte 1", store_b, at + 5, at + 5, WNR, SPSR_EL0);
	expect_watch("watchpoint, word, BAS 3, byte 2", store_b, at + 6, 0, 0, SPSR_EL0);
	expect_watch("watchpoint, word, BAS 3, below", store_b, at + 1, 0, 0, SPSR_EL0);
	watch(at, BAS(0) | STORE | E_EL0);
	expect_watch("watchpoint, BAS 0", store_x, at, 0, 0, SPSR_EL0);
	debug_off();
}

static void test_watchpoint_mask(void)
{
	uint64_t at = user_address(data) + 0x1000;

	mdscr = MDSCR_MDE;
	watch(at, BAS(0xff) | STORE | E_EL0 | MASK(12));
	expect_watch("watchpoint, page, first", store_x, at, at, WNR, SPSR_EL0);
	expect_watch("watchpoint, page, last", store_b, at + 0xfff, at + 0xfff, WNR, SPSR_EL0);
	expect_watch("watchpoint, page, before", store_x, at - 8, 0, 0, SPSR_EL0);
	expect_watch("watchpoint, page, behind", store_x, at + 0x1000, 0, 0, SPSR_EL0);
	expect_watch("watchpoint, across pages", store_x, at - 4, at, WNR, SPSR_EL0);
	watch(at, BAS(0xff) | STORE | E_EL0 | MASK(5));
	expect_watch("watchpoint, 32 bytes, last", store_b, at + 31, at + 31, WNR, SPSR_EL0);
	expect_watch("watchpoint, 32 bytes, behind", store_b, at + 32, 0, 0, SPSR_EL0);
	debug_off();
}

static void test_watchpoint_el1(void)
{
	uint64_t at = (uint64_t)data + 0x300, user = user_address(data) + 0x300;

	mdscr = MDSCR_MDE | MDSCR_KDE;
	watch(at, BAS(0xff) | STORE | LOAD | E_EL1);
	expect_watch("watchpoint at EL1", load_x, at, at, 0, SPSR_EL1);
	expect_watch("watchpoint at EL1, D masks", load_x, at, 0, 0, SPSR_EL1 | D_MASKED);
	expect_watch("watchpoint at EL1, DC ZVA", zero, at, at, WNR, SPSR_EL1);
	watch(user, BAS(0xff) | LOAD | E_EL0);
	expect_watch("watchpoint for EL0, LDR at EL1", load_x, user, 0, 0, SPSR_EL1);
	mdscr = MDSCR_MDE;
	watch(at, BAS(0xff) | LOAD | E_EL1);
	expect_watch("watchpoint at EL1, KDE is 0", load_x, at, 0, 0, SPSR_EL1);
	debug_off();
}

void guest_main(void)
{
	mmu_on();
	msr("oslar_el1", 0);
	msr("osdlr_el1", 0);
	debug_off();
	ok((mrs("id_aa64dfr0_el1") & 15) >= 6, "ID_AA64DFR0_EL1.DebugVer", " ");
	test_breakpoints();
	test_linked();
	test_watchpoint_kinds();
	test_watchpoint_bytes();
	test_watchpoint_mask();
	test_watchpoint_el1();
}
