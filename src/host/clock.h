/* SPDX-License-Identifier: Apache-2.0 */
/* Host time. */
#ifndef HOST_CLOCK_H
#define HOST_CLOCK_H

#include <stdint.h>

#define NS_PER_S 1000000000ULL

uint64_t clock_mono_ns(void); /* CLOCK_MONOTONIC */
uint64_t clock_real_ns(void); /* CLOCK_REALTIME, since 1970 */
uint64_t clock_cpu_ns(void);  /* CPU time of the whole process */

#endif
