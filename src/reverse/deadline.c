/* SPDX-License-Identifier: Apache-2.0 */
/* The next timer of each PE, while its code runs natively and soft does not look: a thread that interrupts it. */
#include "reverse/reverse_int.h"

#include "host/clock.h"
#include "host/thread.h"

#include <time.h>

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t check_deadline(struct reverse_pe *p, uint64_t now)
{
	if (!p->deadline_ns)
		return UINT64_MAX;
	if (p->deadline_ns > now)
		return p->deadline_ns;
	p->deadline_ns = 0;
	soft_event(&p->soft->c, SOFT_EVENT_TIME);
	reverse_notify(p->soft);
	return UINT64_MAX;
}

/* Has the guest written a timer? Only a handler can have, and it leaves a trace in the bank. While the PE is not in the
 * guest nobody looks; pairs with enter(), which says so before deadline_set() looks at looked_at. */
static uint64_t check_bank(struct reverse_pe *p, uint64_t now)
{
	const struct bank *b = atomic_load(&p->looked_at);

	if (!b)
		return UINT64_MAX;
	if (p->look_ns > now)
		return p->look_ns;
	p->look_ns = now + DIVERT_TIMER_NS;
	atomic_store(&p->looked_at, NULL);
	if (!atomic_load(&p->running))
		return UINT64_MAX;
	atomic_store(&p->looked_at, b);
	if (__atomic_load_n(&b->timers, __ATOMIC_RELAXED))
		reverse_notify(p->soft);
	return p->look_ns;
}

static uint64_t next_deadline(struct reverse *r, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < SOFT_MAX_CPUS; i++) {
		next = earlier(next, check_deadline(&r->pe[i], now));
		next = earlier(next, check_bank(&r->pe[i], now));
	}
	return next;
}

static void *deadline_thread(void *opaque)
{
	struct reverse *r = opaque;

	pthread_mutex_lock(&r->deadline_lock);
	while (!r->thread_stop) {
		uint64_t next = next_deadline(r, clock_mono_ns());
		struct timespec t = {(time_t)(next / NS_PER_S), (long)(next % NS_PER_S)};

		r->deadline_next = next;
		if (next == UINT64_MAX)
			pthread_cond_wait(&r->deadline_changed, &r->deadline_lock);
		else
			pthread_cond_timedwait(&r->deadline_changed, &r->deadline_lock, &t);
	}
	pthread_mutex_unlock(&r->deadline_lock);
	return NULL;
}

int deadline_start(struct reverse *r)
{
	pthread_condattr_t monotonic;
	int e;

	pthread_mutex_init(&r->deadline_lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&r->deadline_changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	e = thread_start(&r->thread, "deadlines", deadline_thread, r);
	r->thread_started = !e;
	return e;
}

void deadline_stop(struct reverse *r)
{
	pthread_mutex_lock(&r->deadline_lock);
	r->thread_stop = true;
	pthread_cond_signal(&r->deadline_changed);
	pthread_mutex_unlock(&r->deadline_lock);
	if (r->thread_started)
		pthread_join(r->thread, NULL);
	pthread_cond_destroy(&r->deadline_changed);
	pthread_mutex_destroy(&r->deadline_lock);
}

/* Called before each entry: mostly nothing has changed. The thread is not woken for what comes later than what it waits
 * for: it will see then. */
void deadline_set(struct reverse_pe *p, uint64_t ns, const struct bank *look_at)
{
	struct reverse *r = p->r;
	uint64_t next = ns ? ns : UINT64_MAX;

	if (__atomic_load_n(&p->deadline_ns, __ATOMIC_RELAXED) == ns &&
	    atomic_load(&p->looked_at) == look_at)
		return;
	pthread_mutex_lock(&r->deadline_lock);
	__atomic_store_n(&p->deadline_ns, ns, __ATOMIC_RELAXED);
	if (look_at && !atomic_load(&p->looked_at))
		p->look_ns = clock_mono_ns() + DIVERT_TIMER_NS;
	atomic_store(&p->looked_at, look_at);
	if (look_at)
		next = earlier(next, p->look_ns);
	if (next < r->deadline_next)
		pthread_cond_signal(&r->deadline_changed);
	pthread_mutex_unlock(&r->deadline_lock);
}
