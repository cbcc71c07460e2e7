/* SPDX-License-Identifier: Apache-2.0 */
/* Armed timers of one clock, by deadline: a binary heap of pointers. For the loop, under its lock. */
#ifndef HOST_TIMERS_H
#define HOST_TIMERS_H

#include "host/loop.h"

struct timers {
	struct loop_timer **heap; /* heap[0] is next */
	unsigned count, capacity;
};

/* @t is not armed; its deadline_ns is set. */
void timers_add(struct timers *h, struct loop_timer *t);
/* @t is armed. */
void timers_remove(struct timers *h, struct loop_timer *t);
/* UINT64_MAX: none. */
uint64_t timers_next_ns(const struct timers *h);
void timers_free(struct timers *h);

#endif
