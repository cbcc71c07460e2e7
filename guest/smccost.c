/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Not a test but a measurement, for tools/bench: what calls to firmware cost. Started by U-Boot behind TF-A and OP-TEE,
 * at EL2; runs on QEMU's virt machine as well. Makes the calls that its boot arguments name, and prints "cost: NAME
 * TICKS CALLS FREQUENCY": ticks of CNTPCT_EL0 for all CALLS calls.
 */
#include "lib/guest.h"

const char guest_name[] = "smccost";

enum {
	CALLS = 2000,
	TEE_UID = 0xbf00ff01, /* Trusted OS, Call UID (DEN 0028) */
};

static uint64_t call(uint64_t function)
{
	uint64_t x[18] = {function};

	smccc_smc(x);
	return x[0];
}

static const struct kind {
	const char *name;
	uint64_t function;
} kinds[] = {
	{"smc-psci", PSCI_VERSION}, /* to EL3 and back */
	{"smc-tee", TEE_UID},	    /* to Secure EL1 and back */
};

static void measure(const struct kind *k)
{
	uint64_t first = call(k->function), start = ticks();
	bool same = true;

	for (unsigned i = 0; i < CALLS; i++)
		same &= call(k->function) == first;
	print("cost: %s %lu %u %lu\n", k->name, ticks() - start, CALLS, mrs("cntfrq_el0"));
	ok(same && (int32_t)first != -1, k->name, "X0 0x%lx", first);
}

static void off(void)
{
	call(PSCI_SYSTEM_OFF);
}

void guest_main(void)
{
	guest_off = off;
	for (unsigned i = 0; i < ARRAY_COUNT(kinds); i++) {
		if (dt_bootargs(kinds[i].name))
			measure(&kinds[i]);
	}
}
