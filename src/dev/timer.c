/* SPDX-License-Identifier: Apache-2.0 */
/* Timers of models: a loop timer whose callback takes the instance's lock. */
#include "dev/component.h"

static void fire(void *opaque)
{
	struct dev_timer *t = opaque;

	dev_lock(t->dev);
	/* Cancelled or re-armed for later since the loop picked it: not now. */
	if (t->deadline_ns && t->deadline_ns <= dev_now_ns(t->dev)) {
		t->deadline_ns = 0;
		t->fn(t->dev, t->opaque);
	}
	dev_unlock(t->dev);
}

void dev_timer_init(struct dev_timer *t, struct dev *d, void (*fn)(struct dev *, void *),
		    void *opaque)
{
	*t = (struct dev_timer){.dev = d, .fn = fn, .opaque = opaque};
	loop_timer_init_machine(&t->timer, d->host->loop, fire, t);
}

void dev_timer_arm(struct dev_timer *t, uint64_t deadline_ns)
{
	t->deadline_ns = deadline_ns ? deadline_ns : 1;
	loop_timer_arm(&t->timer, deadline_ns);
}

void dev_timer_cancel(struct dev_timer *t)
{
	t->deadline_ns = 0;
	loop_timer_cancel(&t->timer);
}

void dev_timer_fini(struct dev_timer *t)
{
	if (t->dev)
		loop_timer_fini(&t->timer);
}
