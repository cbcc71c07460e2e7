/* SPDX-License-Identifier: Apache-2.0 */
#include "host/clock.h"

#include <time.h>

static uint64_t now(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

uint64_t clock_mono_ns(void)
{
	return now(CLOCK_MONOTONIC);
}

uint64_t clock_real_ns(void)
{
	return now(CLOCK_REALTIME);
}

uint64_t clock_cpu_ns(void)
{
	return now(CLOCK_PROCESS_CPUTIME_ID);
}
