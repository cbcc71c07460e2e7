/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Not a test but a measurement, for tools/bench: what an access to a device register costs. Runs on QEMU's
 * virt machine as well. Prints "cost: NAME TICKS ACCESSES FREQUENCY": ticks of CNTVCT_EL0 (at FREQUENCY Hz)
 * for ACCESSES accesses, the quickest of several tries.
 */
#include "lib/guest.h"

const char guest_name[] = "mmiocost";

enum {
	ACCESSES = 500,
	TRIES = 5,
	UARTFR = UART_BASE + 0x18,
	UARTIBRD = UART_BASE + 0x24,
	RTCDR = RTC_BASE + 0x00,
	RTCMR = RTC_BASE + 0x04,
};

static void read_uartfr(void)
{
	read32(UARTFR);
}

static void read_rtcdr(void)
{
	read32(RTCDR);
}

static void read_rtcmr(void)
{
	read32(RTCMR);
}

static void write_rtcmr(void)
{
	write32(RTCMR, 0xffffffff);
}

static void empty(void)
{
	asm volatile("" ::: "memory");
}

static const struct access {
	const char *name;
	void (*fn)(void);
} accesses[] = {
	{"none", empty},	      /* the loop itself */
	{"read-uartfr", read_uartfr}, /* the UART's flags */
	{"read-rtcdr", read_rtcdr},   /* the time: needs the host's clock */
	{"read-rtcmr", read_rtcmr},   /* a plain register */
	{"write-rtcmr", write_rtcmr},
};

static uint64_t try(const struct access *a)
{
	uint64_t start = ticks();

	for (unsigned i = 0; i < ACCESSES; i++)
		a->fn();
	return ticks() - start;
}

static void measure(const struct access *a)
{
	uint64_t best = UINT64_MAX;

	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t t = try(a);

		best = t < best ? t : best;
	}
	print("cost: %s %lu %u %lu\n", a->name, best, ACCESSES, mrs("cntfrq_el0"));
}

void guest_main(void)
{
	mmu_on();
	for (unsigned i = 0; i < ARRAY_COUNT(accesses); i++)
		measure(&accesses[i]);
}
