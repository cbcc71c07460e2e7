/* SPDX-License-Identifier: Apache-2.0 */
/* Watchpoints and the loads and stores of EL1 that access memory as EL0 would: Arm ARM (DDI 0487), D2.10. */
#include "lib/debug.h"

const char guest_name[] = "unpriv";

static uint8_t data[4096] __attribute__((aligned(4096)));

FRAGMENT(load_x, "ldr x1, [x0]");
FRAGMENT(store_x, "str x1, [x0]");
FRAGMENT(load_user, "ldtr x1, [x0]");
FRAGMENT(store_user, "sttr x1, [x0]");

void guest_main(void)
{
	uint64_t at = user_address(data) + 0x100;

	mmu_on();
	msr("oslar_el1", 0);
	msr("osdlr_el1", 0);
	debug_off();
	mdscr = MDSCR_MDE | MDSCR_KDE;
	watch(at, BAS(0xff) | LOAD | STORE | E_EL0);
	expect_watch("watchpoint for EL0, LDTR", load_user, at, at, 0, SPSR_EL1);
	expect_watch("watchpoint for EL0, LDR", load_x, at, 0, 0, SPSR_EL1);
	expect_watch("watchpoint for EL0, STR", store_x, at, 0, 0, SPSR_EL1);
	expect_watch("watchpoint for EL0, STTR", store_user, at, at, WNR, SPSR_EL1);
	watch(at, BAS(0xff) | LOAD | STORE | E_EL1);
	expect_watch("watchpoint for EL1, LDTR", load_user, at, 0, 0, SPSR_EL1);
	expect_watch("watchpoint for EL1, STTR", store_user, at, 0, 0, SPSR_EL1);
	debug_off();
}
