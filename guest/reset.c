/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SYSTEM_RESET once. A mark in RAM, where no image is loaded, tells the second run from the first;
 * RAM keeps its contents, devices do not.
 */
#include "lib/guest.h"

const char guest_name[] = "reset";

#define MARK 0x0b5e54e5e7000000ULL

enum { GICD_ISENABLER1 = 0x104, SPI_40 = 1 << 8, FAR_RAM = RAM_BASE + 0x7000000 };

static uint32_t enables(void)
{
	return read32(GICD_BASE + GICD_ISENABLER1);
}

void guest_main(void)
{
	uint64_t mark = read64(FAR_RAM);

	if (mark != MARK + 1) {
		ok_eq(enables(), 0, "interrupts disabled at first");
		write32(GICD_BASE + GICD_ISENABLER1, SPI_40);
		ok_eq(enables(), SPI_40, "interrupt enabled");
		write64(FAR_RAM, MARK + 1);
		cache_flush((void *)(uint64_t)FAR_RAM, 8);
		note("resetting");
		psci(PSCI_SYSTEM_RESET, 0, 0, 0);
		ok(false, "SYSTEM_RESET", "returned");
		return;
	}
	write64(FAR_RAM, 0);
	ok(true, "SYSTEM_RESET", " ");
	ok_eq(enables(), 0, "interrupts disabled after the reset");
	ok_eq(mrs("currentel"), 4, "CurrentEL after the reset");
	ok_eq(mrs("sctlr_el1") & 1, 0, "MMU off after the reset");
	ok_eq(mrs("daif"), 0x3c0, "interrupts masked after the reset");
}
