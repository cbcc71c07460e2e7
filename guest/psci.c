/* SPDX-License-Identifier: Apache-2.0 */
/* PSCI 1.1 (DEN 0022): versions, features, errors. */
#include "lib/guest.h"

const char guest_name[] = "psci";

enum { NOT_SUPPORTED = -1, INVALID_PARAMETERS = -2, ALREADY_ON = -4 };

static volatile unsigned entered;

static void nothing(void *arg)
{
	entered++;
}

static void test_features(void)
{
	static const uint32_t present[] = {PSCI_VERSION,       PSCI_CPU_OFF,	PSCI_CPU_ON,
					   PSCI_AFFINITY_INFO, PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET,
					   PSCI_FEATURES,      0x84000003};

	for (unsigned i = 0; i < ARRAY_COUNT(present); i++) {
		int64_t r = psci(PSCI_FEATURES, present[i], 0, 0);

		ok(r >= 0, "PSCI_FEATURES of a mandatory function", "0x%x: %ld", present[i], r);
	}
	ok_eq((uint64_t)psci(PSCI_FEATURES, 0x8400ffff, 0, 0), (uint64_t)NOT_SUPPORTED,
	      "PSCI_FEATURES of an unknown function");
}

static void test_smccc_version(void)
{
	uint64_t x[18] = {0x80000000};

	smccc_hvc(x);
	if ((int32_t)x[0] == NOT_SUPPORTED) {
		note("no SMCCC_VERSION");
		return;
	}
	ok(x[0] >= 0x10000 && x[0] < 0x20000, "SMCCC_VERSION", "0x%lx", x[0]);
	ok_eq((uint64_t)psci(PSCI_FEATURES, 0x80000000, 0, 0), 0, "PSCI_FEATURES of SMCCC_VERSION");
	ok_eq((uint64_t)psci(PSCI_FEATURES, 0x80000001, 0, 0), (uint64_t)NOT_SUPPORTED,
	      "PSCI_FEATURES of SMCCC_ARCH_FEATURES");
}

static void test_errors(void)
{
	uint64_t entry = (uint64_t)secondary_entry;

	ok_eq((uint64_t)psci(PSCI_CPU_ON, cpus[0].mpidr, entry, 0), (uint64_t)ALREADY_ON,
	      "CPU_ON of this CPU");
	ok_eq((uint64_t)psci(PSCI_CPU_ON, 0x00ffffff, entry, 0), (uint64_t)INVALID_PARAMETERS,
	      "CPU_ON of a CPU that does not exist");
	ok_eq((uint64_t)psci(PSCI_CPU_ON, 0xff00000000, entry, 0), (uint64_t)INVALID_PARAMETERS,
	      "CPU_ON, other Aff3");
	ok_eq((uint64_t)psci(PSCI_AFFINITY_INFO, cpus[0].mpidr, 0, 0), 0, "AFFINITY_INFO: on");
	ok_eq((uint64_t)psci(PSCI_AFFINITY_INFO, 0x00ffffff, 0, 0), (uint64_t)INVALID_PARAMETERS,
	      "AFFINITY_INFO of a CPU that does not exist");
	ok_eq((uint64_t)psci(0x8400ffff, 0, 0, 0), (uint64_t)NOT_SUPPORTED, "unknown function");
	ok_eq((uint64_t)psci(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0), 2, "MIGRATE_INFO_TYPE");
}

static void test_secondary(void)
{
	if (cpu_count < 2)
		return;
	ok_eq((uint64_t)psci(PSCI_AFFINITY_INFO, cpus[1].mpidr, 0, 0), 1, "AFFINITY_INFO: off");
	for (unsigned i = 0; i < 3; i++) {
		ok_eq((uint64_t)cpu_start(1, nothing, NULL), 0, "CPU_ON");
		ok(cpu_wait_off(1), "CPU_OFF", "timeout");
	}
	cache_flush((void *)&entered, sizeof(entered));
	ok_eq(entered, 3, "entered once each");
}

void guest_main(void)
{
	int64_t version = psci(PSCI_VERSION, 0, 0, 0);

	ok(version >= 0x10000 && version < 0x20000, "PSCI_VERSION is 1.x", "0x%lx", version);
	test_features();
	test_smccc_version();
	test_errors();
	test_secondary();
}
