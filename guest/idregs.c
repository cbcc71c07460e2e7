/* SPDX-License-Identifier: Apache-2.0 */
/* Identification registers tell of the board. */
#include "lib/guest.h"

const char guest_name[] = "idregs";

static void check_mpidr(void *arg)
{
	*(volatile uint64_t *)arg = mrs("mpidr_el1");
	cache_flush(arg, 8);
}

static void test_secondary(unsigned n)
{
	static volatile uint64_t mpidr __attribute__((aligned(128)));

	mpidr = 0;
	cache_flush((void *)&mpidr, 8);
	if (!ok_eq((uint64_t)cpu_start(n, check_mpidr, (void *)&mpidr), 0, "CPU_ON"))
		return;
	ok(cpu_wait_off(n), "secondary CPU goes off", "timeout");
	cache_flush((void *)&mpidr, 8);
	ok_eq(mpidr & 0xff00ffffff, cpus[n].mpidr, "MPIDR_EL1 of a secondary CPU");
}

void guest_main(void)
{
	uint64_t pfr0 = mrs("id_aa64pfr0_el1");

	ok_eq(pfr0 >> 24 & 15, dt_compatible("arm,gic-v3"), "ID_AA64PFR0_EL1.GIC is the board's");
	ok(pfr0 & 15, "EL0 in AArch64", "PFR0 0x%lx", pfr0);
	ok(pfr0 >> 4 & 15, "EL1 in AArch64", "PFR0 0x%lx", pfr0);
	ok_eq(mrs("id_aa64pfr0_el1"), pfr0, "ID_AA64PFR0_EL1 does not change");
	ok_eq(mrs("currentel"), 4, "CurrentEL");
	ok_eq(mrs("mpidr_el1") & 0xff00ffffff, cpus[0].mpidr, "MPIDR_EL1 is the device tree's");
	ok(mrs("mpidr_el1") >> 31 & 1, "MPIDR_EL1 bit 31", "clear");
	ok(mrs("cntfrq_el0") >= 1000000, "CNTFRQ_EL0", "%lu", mrs("cntfrq_el0"));
	for (unsigned n = 1; n < cpu_count; n++)
		test_secondary(n);
	mmu_on();
	ok_eq(mrs("id_aa64pfr0_el1"), pfr0, "ID_AA64PFR0_EL1 with the MMU on");
}
