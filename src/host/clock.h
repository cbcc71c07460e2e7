/* SPDX-License-Identifier: Apache-2.0 */
/* Host time, and the time of a machine that has its own. */
#ifndef HOST_CLOCK_H
#define HOST_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_S 1000000000ULL

uint64_t clock_mono_ns(void); /* CLOCK_MONOTONIC */
uint64_t clock_real_ns(void); /* CLOCK_REALTIME, since 1970 */
uint64_t clock_cpu_ns(void);  /* CPU time of the whole process */

/*
 * Virtual time: moves on only when whoever executes the machine says so, in one thread. While it is held,
 * the machine is not executed: somebody waits for the host, and the machine must not notice. All zero at
 * first. Where a pointer to it may be NULL, that means the host's time.
 */
struct virtual_clock {
	uint64_t ns;
	unsigned holds;
};

enum { CLOCK_VIRTUAL_EPOCH_S = 1767225600 }; /* 2026-01-01: the date when virtual time begins */

uint64_t clock_now_ns(const struct virtual_clock *c);
/* Date, as clock_real_ns(). */
uint64_t clock_date_ns(const struct virtual_clock *c);
void clock_hold(struct virtual_clock *c);
void clock_release(struct virtual_clock *c);
bool clock_held(const struct virtual_clock *c);

#endif
