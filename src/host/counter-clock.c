/* SPDX-License-Identifier: Apache-2.0 */
#include "host/counter.h"

#include "host/clock.h"

enum { HZ = 62500000 }; /* as QEMU's: firmware for its boards writes this into CNTFRQ_EL0 */

uint64_t host_counter(void)
{
	return clock_mono_ns() / (NS_PER_S / HZ);
}

uint64_t host_counter_hz(void)
{
	return HZ;
}
