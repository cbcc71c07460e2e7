/* SPDX-License-Identifier: Apache-2.0 */
#include "host/clock.h"

#include "util/xalloc.h"

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

uint64_t clock_now_ns(const struct virtual_clock *c)
{
	return c ? c->ns : clock_mono_ns();
}

uint64_t clock_date_ns(const struct virtual_clock *c)
{
	return c ? CLOCK_VIRTUAL_EPOCH_S * NS_PER_S + c->ns : clock_real_ns();
}

void clock_hold(struct virtual_clock *c)
{
	c->holds++;
}

void clock_release(struct virtual_clock *c)
{
	CHECK(c->holds);
	c->holds--;
}

bool clock_held(const struct virtual_clock *c)
{
	return c->holds;
}
