/* SPDX-License-Identifier: Apache-2.0 */
/* The next timer of each PE, while its code runs natively and soft does not look: a thread that interrupts it. */
#include "reverse/reverse_int.h"

#include "host/clock.h"
#include "host/thread.h"

#include <time.h>

static uint64_t next_deadline(struct reverse *r, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < SOFT_MAX_CPUS; i++) {
		struct reverse_pe *p = &r->pe[i];

		if (!p->deadline_ns)
			continue;
		if (p->deadline_ns > now) {
			next = p->deadline_ns < next ? p->deadline_ns : next;
			continue;
		}
		p->deadline_ns = 0;
		soft_event(&p->soft->c, SOFT_EVENT_TIME);
		reverse_notify(p->soft);
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

/* The thread is not woken for what comes later than what it waits for: it will see then. */
static void set(struct reverse_pe *p, uint64_t ns)
{
	struct reverse *r = p->r;

	if (__atomic_load_n(&p->deadline_ns, __ATOMIC_RELAXED) == ns)
		return;
	pthread_mutex_lock(&r->deadline_lock);
	__atomic_store_n(&p->deadline_ns, ns, __ATOMIC_RELAXED);
	if (ns && ns < r->deadline_next)
		pthread_cond_signal(&r->deadline_changed);
	pthread_mutex_unlock(&r->deadline_lock);
}

/* Called before each entry: mostly nothing has changed. */
void deadline_set(struct reverse_pe *p, uint64_t ns, uint64_t within_ns)
{
	uint64_t now, was;

	if (within_ns) {
		now = clock_mono_ns();
		was = __atomic_load_n(&p->deadline_ns, __ATOMIC_RELAXED);
		if (was > now && was < now + within_ns && (!ns || was <= ns))
			return; /* soon enough */
		ns = ns && ns < now + within_ns ? ns : now + within_ns;
	}
	set(p, ns);
}
