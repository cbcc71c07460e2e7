/* SPDX-License-Identifier: Apache-2.0 */
#include "host/timers.h"

#include "util/xalloc.h"

#include <stdlib.h>

static void put(struct timers *h, unsigned i, struct loop_timer *t)
{
	h->heap[i] = t;
	t->heap_index = i;
}

static void up(struct timers *h, unsigned i)
{
	struct loop_timer *t = h->heap[i];

	for (; i && h->heap[(i - 1) / 2]->deadline_ns > t->deadline_ns; i = (i - 1) / 2)
		put(h, i, h->heap[(i - 1) / 2]);
	put(h, i, t);
}

static void down(struct timers *h, unsigned i)
{
	struct loop_timer *t = h->heap[i];

	for (;;) {
		unsigned c = 2 * i + 1;

		if (c >= h->count)
			break;
		if (c + 1 < h->count && h->heap[c + 1]->deadline_ns < h->heap[c]->deadline_ns)
			c++;
		if (h->heap[c]->deadline_ns >= t->deadline_ns)
			break;
		put(h, i, h->heap[c]);
		i = c;
	}
	put(h, i, t);
}

void timers_add(struct timers *h, struct loop_timer *t)
{
	t->armed = true;
	if (h->count == h->capacity) {
		h->capacity = h->capacity ? 2 * h->capacity : 16;
		h->heap = xrealloc(h->heap, h->capacity, sizeof(struct loop_timer *));
	}
	put(h, h->count++, t);
	up(h, t->heap_index);
}

void timers_remove(struct timers *h, struct loop_timer *t)
{
	unsigned i = t->heap_index;
	struct loop_timer *moved = h->heap[--h->count];

	t->armed = false;
	if (moved == t)
		return;
	put(h, i, moved);
	up(h, i);
	down(h, moved->heap_index);
}

uint64_t timers_next_ns(const struct timers *h)
{
	return h->count ? h->heap[0]->deadline_ns : UINT64_MAX;
}

void timers_free(struct timers *h)
{
	free(h->heap);
}
