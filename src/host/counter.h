/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counter that a VM's guests see as CNTPCT_EL0 if nothing offsets it: on arm64 hosts the system counter, elsewhere
 * CLOCK_MONOTONIC at a usual frequency. All VMs and vCPUs agree on it.
 */
#ifndef HOST_COUNTER_H
#define HOST_COUNTER_H

#include <stdint.h>

uint64_t host_counter(void);
uint64_t host_counter_hz(void);

#endif
