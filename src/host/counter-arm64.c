/* SPDX-License-Identifier: Apache-2.0 */
/* Arm ARM (DDI 0487), D12.1: user space of Linux and macOS may read the virtual counter, whose offset is 0 on a host. */
#include "host/counter.h"

uint64_t host_counter(void)
{
	uint64_t v;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(v)::"memory");
	return v;
}

uint64_t host_counter_hz(void)
{
	uint64_t v;

	__asm__("mrs %0, cntfrq_el0" : "=r"(v));
	return v;
}
