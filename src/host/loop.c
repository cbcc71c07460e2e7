/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event loop on ppoll(2). A pipe wakes the loop's thread when another thread changed something while it
 * sleeps; at other times it will look by itself before it sleeps again.
 *
 * `lock` guards everything below it. Callbacks run without it; `current` names the watch or timer whose
 * callback is running, so that loop_fd_del() and loop_timer_fini() can wait for it.
 */
#include "host/loop.h"

#include "host/clock.h"
#include "host/timers.h"
#include "util/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct loop_fd {
	struct loop *loop;
	struct loop_fd *next;
	int fd;
	unsigned events;
	bool dead;
	loop_fd_fn *fn;
	void *opaque;
};

struct deferred {
	struct deferred *next;
	loop_fn *fn;
	void *opaque;
};

/* What is asked of ppoll(). */
struct round {
	struct pollfd *p;
	struct loop_fd **f;
	unsigned capacity, count;
};

struct loop {
	int wake[2];
	atomic_bool stop;
	pthread_mutex_t lock;
	pthread_cond_t idle; /* `current` has changed */
	pthread_t thread;
	bool running;
	bool asleep; /* in ppoll(), or about to be, and nobody has woken it */
	const void *current;
	struct loop_fd *fds;
	unsigned fd_count;
	struct deferred *first, **last;
	const struct virtual_clock *clock; /* of machine timers; NULL: as all others */
	struct timers timers, machine;
	struct round round; /* of loop_poll() alone */
};

struct loop *loop_create(void)
{
	struct loop *l = xcalloc(1, sizeof(*l));

	if (pipe2(l->wake, O_CLOEXEC | O_NONBLOCK)) {
		free(l);
		return NULL;
	}
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->idle, NULL);
	l->last = &l->first;
	return l;
}

void loop_destroy(struct loop *l)
{
	while (l->fds) {
		struct loop_fd *f = l->fds;

		l->fds = f->next;
		free(f);
	}
	while (l->first) {
		struct deferred *d = l->first;

		l->first = d->next;
		free(d);
	}
	timers_free(&l->timers);
	timers_free(&l->machine);
	free(l->round.p);
	free(l->round.f);
	close(l->wake[0]);
	close(l->wake[1]);
	pthread_cond_destroy(&l->idle);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

void loop_set_clock(struct loop *l, const struct virtual_clock *c)
{
	l->clock = c;
}

/* Async-signal-safe. A full pipe is fine: the loop will wake. */
static void wake(struct loop *l)
{
	int saved = errno;
	ssize_t n = write(l->wake[1], "", 1);

	(void)n;
	errno = saved;
}

/* Under the lock, after a change that the sleeping thread has not seen. */
static void notice(struct loop *l)
{
	if (!l->asleep)
		return;
	l->asleep = false;
	wake(l);
}

static bool in_loop_thread(const struct loop *l)
{
	return l->running && pthread_equal(l->thread, pthread_self());
}

/* Under the lock: must the caller wait for the callback of @who? Not for itself. */
static bool busy(const struct loop *l, const void *who)
{
	return l->current == who && !in_loop_thread(l);
}

static void call_begin(struct loop *l, const void *who)
{
	l->current = who;
	pthread_mutex_unlock(&l->lock);
}

static void call_end(struct loop *l)
{
	pthread_mutex_lock(&l->lock);
	l->current = NULL;
	pthread_cond_broadcast(&l->idle);
}

/* ---- descriptors ---- */

struct loop_fd *loop_fd_add(struct loop *l, int fd, unsigned events, loop_fd_fn *fn, void *opaque)
{
	struct loop_fd *f = xcalloc(1, sizeof(*f));

	*f = (struct loop_fd){.loop = l, .fd = fd, .events = events, .fn = fn, .opaque = opaque};
	pthread_mutex_lock(&l->lock);
	f->next = l->fds;
	l->fds = f;
	l->fd_count++;
	notice(l);
	pthread_mutex_unlock(&l->lock);
	return f;
}

void loop_fd_set(struct loop_fd *f, unsigned events)
{
	struct loop *l = f->loop;

	pthread_mutex_lock(&l->lock);
	if (f->events != events)
		notice(l);
	f->events = events;
	pthread_mutex_unlock(&l->lock);
}

/* Under the lock: free the dead ones. */
static void bury(struct loop *l)
{
	for (struct loop_fd **p = &l->fds; *p;) {
		struct loop_fd *f = *p;

		if (!f->dead) {
			p = &f->next;
			continue;
		}
		*p = f->next;
		l->fd_count--;
		free(f);
	}
}

/* The running loop buries between rounds, because a round holds pointers to its watches. */
void loop_fd_del(struct loop_fd *f)
{
	struct loop *l;

	if (!f)
		return;
	l = f->loop;
	pthread_mutex_lock(&l->lock);
	f->dead = true;
	while (busy(l, f)) /* meanwhile the loop may bury it: only the pointer counts */
		pthread_cond_wait(&l->idle, &l->lock);
	if (l->running)
		notice(l);
	else
		bury(l);
	pthread_mutex_unlock(&l->lock);
}

/* ---- timers ---- */

void loop_timer_init(struct loop_timer *t, struct loop *l, loop_fn *fn, void *opaque)
{
	*t = (struct loop_timer){.loop = l, .fn = fn, .opaque = opaque};
}

void loop_timer_init_machine(struct loop_timer *t, struct loop *l, loop_fn *fn, void *opaque)
{
	loop_timer_init(t, l, fn, opaque);
	t->machine = true;
}

static struct timers *timers_of(const struct loop_timer *t)
{
	return t->machine && t->loop->clock ? &t->loop->machine : &t->loop->timers;
}

/* A deadline in the past becomes now, or a timer that keeps asking for the past would always be first. */
void loop_timer_arm(struct loop_timer *t, uint64_t deadline_ns)
{
	struct loop *l = t->loop;
	struct timers *h = timers_of(t);
	uint64_t now = clock_now_ns(t->machine ? l->clock : NULL);

	pthread_mutex_lock(&l->lock);
	if (t->armed)
		timers_remove(h, t);
	t->deadline_ns = deadline_ns > now ? deadline_ns : now;
	timers_add(h, t);
	if (h == &l->timers && t->heap_index == 0)
		notice(l);
	pthread_mutex_unlock(&l->lock);
}

void loop_timer_cancel(struct loop_timer *t)
{
	pthread_mutex_lock(&t->loop->lock);
	if (t->armed)
		timers_remove(timers_of(t), t);
	pthread_mutex_unlock(&t->loop->lock);
}

void loop_timer_fini(struct loop_timer *t)
{
	struct loop *l = t->loop;

	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	for (;;) { /* again after waiting: the callback may have re-armed it */
		if (t->armed)
			timers_remove(timers_of(t), t);
		if (!busy(l, t))
			break;
		pthread_cond_wait(&l->idle, &l->lock);
	}
	pthread_mutex_unlock(&l->lock);
}

/* Under the lock. A timer that re-arms itself must not starve the rest: one round fires at most what was
 * there when it began. */
static void fire_timers(struct loop *l, struct timers *h, uint64_t now)
{
	unsigned most = h->count;

	while (most-- && timers_next_ns(h) <= now) {
		struct loop_timer *t = h->heap[0];
		loop_fn *fn = t->fn;
		void *opaque = t->opaque;

		timers_remove(h, t);
		call_begin(l, t);
		fn(opaque);
		call_end(l);
	}
}

/* ---- deferred calls ---- */

void loop_defer(struct loop *l, loop_fn *fn, void *opaque)
{
	struct deferred *d = xcalloc(1, sizeof(*d));

	d->fn = fn;
	d->opaque = opaque;
	pthread_mutex_lock(&l->lock);
	*l->last = d;
	l->last = &d->next;
	notice(l);
	pthread_mutex_unlock(&l->lock);
}

static void run_deferred(struct loop *l)
{
	struct deferred *d = l->first;

	l->first = NULL;
	l->last = &l->first;
	while (d) {
		struct deferred *next = d->next;

		call_begin(l, d);
		d->fn(d->opaque);
		call_end(l);
		free(d);
		d = next;
	}
}

/* ---- the loop ---- */

/* How long to sleep; NULL: until something happens. */
static const struct timespec *sleep_time(const struct loop *l, struct timespec *t)
{
	uint64_t now = clock_mono_ns(), ns = 0;

	if (!l->first && !l->timers.count)
		return NULL;
	if (!l->first && timers_next_ns(&l->timers) > now)
		ns = timers_next_ns(&l->timers) - now;
	t->tv_sec = ns / NS_PER_S;
	t->tv_nsec = ns % NS_PER_S;
	return t;
}

static void collect(struct loop *l, struct round *r)
{
	r->count = 1;
	if (r->capacity < l->fd_count + 1) {
		r->capacity = l->fd_count + 8;
		r->p = xrealloc(r->p, r->capacity, sizeof(*r->p));
		r->f = xrealloc(r->f, r->capacity, sizeof(struct loop_fd *));
	}
	r->p[0] = (struct pollfd){.fd = l->wake[0], .events = POLLIN};
	for (struct loop_fd *f = l->fds; f; f = f->next) {
		r->f[r->count] = f;
		r->p[r->count++] = (struct pollfd){
			.fd = f->fd,
			.events = (f->events & LOOP_IN ? POLLIN : 0) |
				  (f->events & LOOP_OUT ? POLLOUT : 0),
		};
	}
}

static unsigned events_of(const struct loop_fd *f, short revents)
{
	unsigned got = (revents & POLLIN ? LOOP_IN : 0) | (revents & POLLOUT ? LOOP_OUT : 0);

	got &= f->events; /* what has been switched off meanwhile is not reported */
	return got | (revents & (POLLHUP | POLLERR | POLLNVAL) ? LOOP_HUP : 0);
}

static void serve_fds(struct loop *l, struct round *r)
{
	for (unsigned i = 1; i < r->count; i++) {
		struct loop_fd *f = r->f[i];
		unsigned events = events_of(f, r->p[i].revents);

		if (f->dead || !events)
			continue;
		call_begin(l, f);
		f->fn(f->opaque, f->fd, events);
		call_end(l);
	}
}

static void drain(struct loop *l)
{
	char junk[64];

	while (read(l->wake[0], junk, sizeof(junk)) == sizeof(junk))
		;
}

static void wait_events(struct round *r, const struct timespec *ts)
{
	if (ppoll(r->p, r->count, ts, NULL) >= 0)
		return;
	for (unsigned i = 0; i < r->count; i++) /* EINTR */
		r->p[i].revents = 0;
}

/* Under the lock: this thread serves the loop from now on. */
static void begin(struct loop *l)
{
	pthread_mutex_lock(&l->lock);
	l->thread = pthread_self();
	l->running = true;
}

static void end(struct loop *l)
{
	bury(l);
	l->running = false;
	pthread_mutex_unlock(&l->lock);
}

bool loop_poll(struct loop *l, bool sleep)
{
	static const struct timespec at_once;
	const struct timespec *ts;
	struct timespec t;

	if (atomic_exchange(&l->stop, false))
		return false;
	begin(l);
	bury(l);
	collect(l, &l->round);
	ts = sleep ? sleep_time(l, &t) : &at_once;
	l->asleep = true;
	pthread_mutex_unlock(&l->lock);
	wait_events(&l->round, ts);
	pthread_mutex_lock(&l->lock);
	l->asleep = false;
	if (l->round.p[0].revents)
		drain(l);
	if (!l->clock)
		run_deferred(l);
	fire_timers(l, &l->timers, clock_mono_ns());
	serve_fds(l, &l->round);
	end(l);
	return true;
}

void loop_run(struct loop *l)
{
	while (loop_poll(l, true))
		;
}

void loop_run_due(struct loop *l)
{
	begin(l);
	run_deferred(l);
	if (l->clock)
		fire_timers(l, &l->machine, clock_now_ns(l->clock));
	end(l);
}

uint64_t loop_next_machine_ns(struct loop *l)
{
	uint64_t ns;

	pthread_mutex_lock(&l->lock);
	ns = timers_next_ns(&l->machine);
	pthread_mutex_unlock(&l->lock);
	return ns;
}

bool loop_stopping(const struct loop *l)
{
	return atomic_load(&l->stop);
}

void loop_stop(struct loop *l)
{
	atomic_store(&l->stop, true);
	wake(l);
}
