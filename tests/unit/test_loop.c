/* SPDX-License-Identifier: Apache-2.0 */
/* Also to be run under ThreadSanitizer. */
#include "host/loop.h"

#include "host/clock.h"
#include "util/bits.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MS (NS_PER_S / 1000)

static void stop(void *opaque)
{
	loop_stop(opaque);
}

static void nap(void)
{
	struct timespec t = {.tv_nsec = MS};

	nanosleep(&t, NULL);
}

/* ---- in one thread ---- */

static void test_stop_before_run(void **state)
{
	struct loop *l = loop_create();

	loop_stop(l);
	loop_run(l);
	loop_defer(l, stop, l); /* the first stop is used up */
	loop_run(l);
	loop_destroy(l);
}

struct list {
	struct loop *loop;
	char text[64];
};

static void add_a(void *opaque)
{
	strcat(((struct list *)opaque)->text, "a");
}

static void add_b(void *opaque)
{
	struct list *list = opaque;

	strcat(list->text, "b");
	loop_defer(list->loop, add_a, list);
	loop_defer(list->loop, stop, list->loop);
}

static void test_defer_order(void **state)
{
	struct list list = {.loop = loop_create()};

	loop_defer(list.loop, add_a, &list);
	loop_defer(list.loop, add_b, &list);
	loop_defer(list.loop, add_a, &list);
	loop_run(list.loop);
	assert_string_equal(list.text, "abaa");
	loop_defer(list.loop, add_a, &list); /* freed, not run */
	loop_destroy(list.loop);
	assert_string_equal(list.text, "abaa");
}

enum { TIMERS = 200 };

struct timers {
	struct loop *loop;
	struct loop_timer t[TIMERS];
	uint64_t last;
	unsigned fired, expected;
};

struct timer_ref {
	struct timers *all;
	unsigned n;
};

static void fired(void *opaque)
{
	struct timer_ref *ref = opaque;
	struct timers *all = ref->all;
	struct loop_timer *t = &all->t[ref->n];

	assert_false(t->armed);
	assert_true(t->deadline_ns >= all->last);
	assert_true(clock_mono_ns() >= t->deadline_ns);
	all->last = t->deadline_ns;
	if (++all->fired == all->expected)
		loop_stop(all->loop);
}

/* In order of their deadlines, however they were armed, moved and cancelled before. */
static void test_timer_order(void **state)
{
	static struct timers all;
	static struct timer_ref ref[TIMERS];
	uint64_t s = 12345, start = clock_mono_ns();

	all.loop = loop_create();
	for (unsigned i = 0; i < TIMERS; i++) {
		ref[i] = (struct timer_ref){&all, i};
		loop_timer_init(&all.t[i], all.loop, fired, &ref[i]);
	}
	for (unsigned i = 0; i < 5000; i++) {
		struct loop_timer *t;

		s = s * 6364136223846793005ULL + 1442695040888963407ULL;
		t = &all.t[(s >> 33) % TIMERS];
		if (s >> 62)
			loop_timer_arm(t, start + (s >> 20) % (20 * MS));
		else
			loop_timer_cancel(t);
	}
	for (unsigned i = 0; i < TIMERS; i++)
		all.expected += all.t[i].armed;
	assert_in_range(all.expected, TIMERS / 4, TIMERS - 1);
	loop_run(all.loop);
	assert_int_equal(all.fired, all.expected);
	assert_true(clock_mono_ns() - start < 5 * NS_PER_S);
	loop_destroy(all.loop);
}

struct again {
	struct loop_timer t, other;
	unsigned count;
	bool other_ran;
};

static void rearm(void *opaque)
{
	struct again *a = opaque;

	a->count++;
	loop_timer_arm(&a->t, 0);
}

static void other(void *opaque)
{
	struct again *a = opaque;

	a->other_ran = true;
	loop_timer_fini(&a->t); /* from a callback */
	loop_stop(a->t.loop);
}

/* A timer that is always due does not keep the others from running. */
static void test_timer_greedy(void **state)
{
	struct loop *l = loop_create();
	struct again a = {0};

	loop_timer_init(&a.t, l, rearm, &a);
	loop_timer_init(&a.other, l, other, &a);
	loop_timer_arm(&a.t, 0);
	loop_timer_arm(&a.other, clock_mono_ns() + MS);
	loop_run(l);
	assert_true(a.other_ran);
	assert_true(a.count > 0);
	assert_false(a.t.armed);
	loop_destroy(l);
}

static void fini_self(void *opaque)
{
	struct again *a = opaque;

	a->count++;
	loop_timer_arm(&a->t, 0);
	loop_timer_fini(&a->t);
	memset(&a->t, 0xee, sizeof(a->t)); /* as if freed */
}

static void test_timer_fini_in_itself(void **state)
{
	struct loop *l = loop_create();
	struct again a = {0};
	struct loop_timer end, never = {0};

	loop_timer_init(&a.t, l, fini_self, &a);
	loop_timer_arm(&a.t, 0);
	loop_timer_init(&end, l, stop, l);
	loop_timer_arm(&end, clock_mono_ns() + 2 * MS);
	loop_run(l);
	assert_int_equal(a.count, 1);
	loop_timer_fini(&never); /* never set up */
	loop_destroy(l);
}

/* A deadline at the end of time neither fires nor overflows. */
static void test_timer_far(void **state)
{
	struct loop *l = loop_create();
	struct again a = {0};
	struct loop_timer end;

	loop_timer_init(&a.t, l, rearm, &a);
	loop_timer_arm(&a.t, UINT64_MAX);
	loop_timer_init(&end, l, stop, l);
	loop_timer_arm(&end, clock_mono_ns() + MS);
	loop_run(l);
	assert_int_equal(a.count, 0);
	loop_destroy(l);
}

struct pipe_watch {
	struct loop *loop;
	struct loop_fd *watch;
	int fd[2];
	unsigned calls, events;
	bool del;
};

static void on_pipe(void *opaque, int fd, unsigned events)
{
	struct pipe_watch *w = opaque;
	char c;

	w->calls++;
	w->events = events;
	if (events & LOOP_IN)
		assert_int_equal(read(fd, &c, 1), 1);
	if (w->del) {
		loop_fd_del(w->watch);
		w->watch = NULL;
	}
	loop_stop(w->loop);
}

static struct pipe_watch watch_pipe(struct loop *l)
{
	struct pipe_watch w = {.loop = l};

	assert_int_equal(pipe2(w.fd, O_NONBLOCK | O_CLOEXEC), 0);
	return w;
}

static void run_for(struct loop *l, unsigned ms)
{
	struct loop_timer end;

	loop_timer_init(&end, l, stop, l);
	loop_timer_arm(&end, clock_mono_ns() + ms * MS);
	loop_run(l);
	loop_timer_fini(&end);
}

static void test_fd_events(void **state)
{
	struct loop *l = loop_create();
	struct pipe_watch w = watch_pipe(l);

	w.watch = loop_fd_add(l, w.fd[0], LOOP_IN, on_pipe, &w);
	assert_int_equal(write(w.fd[1], "xy", 2), 2);
	loop_run(l);
	assert_int_equal(w.calls, 1);
	assert_int_equal(w.events, LOOP_IN);
	loop_fd_set(w.watch, 0); /* not interested in the second byte */
	run_for(l, 2);
	assert_int_equal(w.calls, 1);
	loop_fd_set(w.watch, LOOP_IN);
	loop_run(l);
	assert_int_equal(w.calls, 2);
	loop_fd_set(w.watch, 0);
	close(w.fd[1]);
	loop_run(l); /* hang-up comes even so */
	assert_int_equal(w.events, LOOP_HUP);
	loop_fd_del(w.watch);
	run_for(l, 2);
	assert_int_equal(w.calls, 3);
	loop_fd_del(NULL);
	close(w.fd[0]);
	loop_destroy(l);
}

static void test_fd_del_in_itself(void **state)
{
	struct loop *l = loop_create();
	struct pipe_watch w = watch_pipe(l);

	w.del = true;
	w.watch = loop_fd_add(l, w.fd[0], LOOP_IN, on_pipe, &w);
	assert_int_equal(write(w.fd[1], "xyz", 3), 3);
	loop_run(l);
	run_for(l, 2);
	assert_int_equal(w.calls, 1);
	w.watch = loop_fd_add(l, w.fd[1], LOOP_OUT, on_pipe, &w);
	loop_run(l);
	assert_int_equal(w.events, LOOP_OUT);
	(void)loop_fd_add(l, w.fd[0], LOOP_IN, on_pipe, &w); /* left for loop_destroy() */
	loop_destroy(l);
	close(w.fd[0]);
	close(w.fd[1]);
}

/* Two are ready in one round; the one served first deletes both. */
struct both {
	struct loop *loop;
	struct loop_fd *watch[2];
	unsigned calls;
};

static void on_both(void *opaque, int fd, unsigned events)
{
	struct both *b = opaque;

	b->calls++;
	loop_fd_del(b->watch[0]);
	loop_fd_del(b->watch[1]);
	loop_stop(b->loop);
}

static void test_fd_del_other(void **state)
{
	struct loop *l = loop_create();
	struct pipe_watch p = watch_pipe(l), q = watch_pipe(l);
	struct both b = {.loop = l};

	b.watch[0] = loop_fd_add(l, p.fd[1], LOOP_OUT, on_both, &b);
	b.watch[1] = loop_fd_add(l, q.fd[1], LOOP_OUT, on_both, &b);
	loop_run(l);
	run_for(l, 1);
	assert_int_equal(b.calls, 1);
	for (unsigned i = 0; i < 2; i++) {
		close(p.fd[i]);
		close(q.fd[i]);
	}
	loop_destroy(l);
}

/* The one served first is no longer interested in the other, which was ready, too. */
static void on_either(void *opaque, int fd, unsigned events)
{
	struct both *b = opaque;

	b->calls++;
	loop_fd_set(b->watch[0], 0);
	loop_fd_set(b->watch[1], 0);
	loop_stop(b->loop);
}

static void test_fd_set_other(void **state)
{
	struct loop *l = loop_create();
	struct pipe_watch p = watch_pipe(l), q = watch_pipe(l);
	struct both b = {.loop = l};

	b.watch[0] = loop_fd_add(l, p.fd[1], LOOP_OUT, on_either, &b);
	b.watch[1] = loop_fd_add(l, q.fd[1], LOOP_OUT, on_either, &b);
	loop_run(l);
	run_for(l, 1);
	assert_int_equal(b.calls, 1);
	for (unsigned i = 0; i < 2; i++) {
		loop_fd_del(b.watch[i]);
		close(p.fd[i]);
		close(q.fd[i]);
	}
	loop_destroy(l);
}

static struct loop *signalled;

static void on_signal(int sig)
{
	loop_stop(signalled);
}

static void test_stop_from_signal(void **state)
{
	struct sigaction sa = {.sa_handler = on_signal}, old;
	timer_t timer;
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec in = {.it_value = {.tv_nsec = 2 * MS}};

	signalled = loop_create();
	assert_int_equal(sigaction(SIGUSR1, &sa, &old), 0);
	assert_int_equal(timer_create(CLOCK_MONOTONIC, &ev, &timer), 0);
	assert_int_equal(timer_settime(timer, 0, &in, NULL), 0);
	loop_run(signalled);
	timer_delete(timer);
	sigaction(SIGUSR1, &old, NULL);
	loop_destroy(signalled);
}

/* ---- between threads ---- */

static void *runner(void *opaque)
{
	loop_run(opaque);
	return NULL;
}

struct running {
	struct loop *loop;
	pthread_t thread;
};

static struct running start_loop(void)
{
	struct running r = {.loop = loop_create()};

	assert_int_equal(pthread_create(&r.thread, NULL, runner, r.loop), 0);
	return r;
}

static void end_loop(struct running *r)
{
	loop_stop(r->loop);
	pthread_join(r->thread, NULL);
	loop_destroy(r->loop);
}

static void count_up(void *opaque)
{
	atomic_fetch_add((atomic_uint *)opaque, 1);
}

enum { DEFERRERS = 4, DEFERS = 2000 };

struct deferrer {
	struct loop *loop;
	atomic_uint *count;
};

static void *defer_many(void *opaque)
{
	struct deferrer *d = opaque;

	for (unsigned i = 0; i < DEFERS; i++)
		loop_defer(d->loop, count_up, d->count);
	return NULL;
}

static bool reaches(atomic_uint *count, unsigned want)
{
	for (unsigned i = 0; i < 5000 && atomic_load(count) < want; i++)
		nap();
	return atomic_load(count) == want;
}

static void test_defer_threads(void **state)
{
	struct running r = start_loop();
	atomic_uint count = 0;
	struct deferrer d = {r.loop, &count};
	pthread_t t[DEFERRERS];

	for (unsigned i = 0; i < DEFERRERS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, defer_many, &d), 0);
	for (unsigned i = 0; i < DEFERRERS; i++)
		pthread_join(t[i], NULL);
	assert_true(reaches(&count, DEFERRERS * DEFERS));
	end_loop(&r);
}

/* Each wake-up is seen, also when the loop is just going to sleep. */
static void test_no_lost_wakeup(void **state)
{
	struct running r = start_loop();
	atomic_uint count = 0;

	for (unsigned i = 1; i <= 1000; i++) {
		loop_defer(r.loop, count_up, &count);
		while (atomic_load(&count) != i)
			;
	}
	end_loop(&r);
}

static void test_arm_from_outside(void **state)
{
	struct running r = start_loop();
	struct loop_timer far, t;
	atomic_uint count = 0;
	uint64_t start = clock_mono_ns();

	loop_timer_init(&far, r.loop, count_up, &count);
	loop_timer_arm(&far, start + 3600 * NS_PER_S);
	nap(); /* sleeping for an hour by now */
	loop_timer_init(&t, r.loop, count_up, &count);
	loop_timer_arm(&t, start + 2 * MS);
	assert_true(reaches(&count, 1));
	assert_true(clock_mono_ns() - start >= 2 * MS);
	loop_timer_fini(&t);
	loop_timer_fini(&far);
	end_loop(&r);
}

/* A callback that takes its time and re-arms: after fini nothing touches the timer. */
struct slow {
	struct loop_timer t;
	atomic_uint inside, calls;
	atomic_bool gone;
};

static void slow_timer(void *opaque)
{
	struct slow *s = opaque;

	assert_false(atomic_load(&s->gone));
	atomic_store(&s->inside, 1);
	nap();
	loop_timer_arm(&s->t, 0);
	atomic_fetch_add(&s->calls, 1);
	atomic_store(&s->inside, 0);
}

static void test_timer_fini_waits(void **state)
{
	struct running r = start_loop();

	for (unsigned i = 0; i < 20; i++) {
		struct slow *s = calloc(1, sizeof(*s));

		loop_timer_init(&s->t, r.loop, slow_timer, s);
		loop_timer_arm(&s->t, 0);
		while (!atomic_load(&s->inside))
			;
		loop_timer_fini(&s->t);
		assert_int_equal(atomic_load(&s->inside), 0);
		assert_true(atomic_load(&s->calls) > 0);
		assert_false(s->t.armed);
		atomic_store(&s->gone, true);
		nap();
		free(s);
	}
	end_loop(&r);
}

struct slow_fd {
	int fd[2];
	atomic_uint inside, calls;
	atomic_bool gone;
};

static void slow_watch(void *opaque, int fd, unsigned events)
{
	struct slow_fd *s = opaque;

	assert_false(atomic_load(&s->gone));
	atomic_store(&s->inside, 1);
	nap();
	atomic_fetch_add(&s->calls, 1);
	atomic_store(&s->inside, 0);
}

/* The descriptor is always ready, so its callback runs again and again until deleted. */
static void test_fd_del_waits(void **state)
{
	struct running r = start_loop();

	for (unsigned i = 0; i < 20; i++) {
		struct slow_fd *s = calloc(1, sizeof(*s));
		struct loop_fd *w;

		assert_int_equal(pipe2(s->fd, O_CLOEXEC), 0);
		w = loop_fd_add(r.loop, s->fd[1], LOOP_OUT, slow_watch, s);
		while (!atomic_load(&s->inside))
			;
		loop_fd_del(w);
		assert_int_equal(atomic_load(&s->inside), 0);
		atomic_store(&s->gone, true);
		close(s->fd[0]);
		close(s->fd[1]);
		nap();
		free(s);
	}
	end_loop(&r);
}

/* Everything at once, from several threads; the sanitizers judge. */
enum { STORM = 300 };

struct storm {
	struct loop *loop;
	struct loop_timer t;
	uint64_t seed;
	atomic_uint count, deferred;
};

static void on_storm(void *opaque, int fd, unsigned events)
{
	count_up(opaque);
}

static void *storm(void *opaque)
{
	struct storm *s = opaque;
	int fd[2];

	assert_int_equal(pipe2(fd, O_CLOEXEC | O_NONBLOCK), 0);
	for (unsigned i = 0; i < STORM; i++) {
		struct loop_fd *w = loop_fd_add(s->loop, fd[1], LOOP_OUT, on_storm, &s->count);

		s->seed = s->seed * 6364136223846793005ULL + 1442695040888963407ULL;
		loop_timer_arm(&s->t, clock_mono_ns() + (s->seed >> 40) % 100000);
		loop_fd_set(w, s->seed >> 63 ? 0 : LOOP_OUT);
		if (s->seed >> 61 & 1)
			loop_timer_cancel(&s->t);
		loop_defer(s->loop, count_up, &s->deferred);
		loop_fd_del(w);
	}
	loop_timer_fini(&s->t);
	close(fd[0]);
	close(fd[1]);
	return NULL;
}

static void test_storm(void **state)
{
	struct running r = start_loop();
	struct storm s[3];
	pthread_t t[3];

	for (unsigned i = 0; i < 3; i++) {
		s[i] = (struct storm){.loop = r.loop, .seed = i + 1};
		loop_timer_init(&s[i].t, r.loop, count_up, &s[i].count);
		assert_int_equal(pthread_create(&t[i], NULL, storm, &s[i]), 0);
	}
	for (unsigned i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	/* Before the stop, which may leave calls undone. */
	for (unsigned i = 0; i < 3; i++)
		assert_true(reaches(&s[i].deferred, STORM));
	end_loop(&r);
}

/* ---- a machine with its own time ---- */

static void test_machine_timers(void **state)
{
	struct virtual_clock clock = {.ns = 1000};
	struct list list = {.loop = loop_create()};
	struct loop_timer a, b;

	loop_set_clock(list.loop, &clock);
	loop_timer_init_machine(&a, list.loop, add_a, &list);
	loop_timer_init_machine(&b, list.loop, add_b, &list);
	loop_timer_arm(&a, 3000);
	loop_timer_arm(&b, 2000);
	assert_int_equal(loop_next_machine_ns(list.loop), 2000);
	assert_true(loop_poll(list.loop, false)); /* host's timers alone */
	clock.ns = 1999;
	loop_run_due(list.loop);
	assert_string_equal(list.text, "");
	clock.ns = 2000;
	loop_run_due(list.loop);
	assert_string_equal(list.text, "b");
	loop_timer_cancel(&a);
	assert_int_equal(loop_next_machine_ns(list.loop), UINT64_MAX);
	loop_timer_arm(&a, 10); /* in the past: now */
	assert_int_equal(loop_next_machine_ns(list.loop), 2000);
	loop_run_due(list.loop); /* and what add_b() has deferred, which comes first */
	assert_string_equal(list.text, "baa");
	assert_true(loop_stopping(list.loop));
	assert_false(loop_poll(list.loop, true));
	assert_false(loop_stopping(list.loop));
	loop_timer_fini(&a);
	loop_timer_fini(&b);
	loop_destroy(list.loop);
}

/* Timers of both kinds in one loop do not mix. */
static void test_timers_of_two_clocks(void **state)
{
	struct virtual_clock clock = {0};
	struct list list = {.loop = loop_create()};
	struct loop_timer host, machine;

	loop_set_clock(list.loop, &clock);
	loop_timer_init(&host, list.loop, add_b, &list);
	loop_timer_init_machine(&machine, list.loop, add_a, &list);
	loop_timer_arm(&machine, 0);
	loop_timer_arm(&host, clock_mono_ns() + MS);
	while (!*list.text)
		loop_poll(list.loop, true);
	assert_string_equal(list.text, "b"); /* what it defers may be noticed: not here */
	loop_run_due(list.loop);
	assert_string_equal(list.text, "baa");
	loop_timer_fini(&host);
	loop_timer_fini(&machine);
	loop_destroy(list.loop);
}

/* Without a clock of its own the machine has the host's. */
static void test_machine_timer_without_clock(void **state)
{
	struct loop *l = loop_create();
	struct loop_timer t;

	loop_timer_init_machine(&t, l, stop, l);
	loop_timer_arm(&t, clock_mono_ns() + MS);
	loop_run(l);
	loop_timer_fini(&t);
	loop_destroy(l);
}

static void test_virtual_clock(void **state)
{
	struct virtual_clock c = {.ns = 5};
	uint64_t now = clock_mono_ns();

	assert_int_equal(clock_now_ns(&c), 5);
	assert_int_equal(clock_date_ns(&c), CLOCK_VIRTUAL_EPOCH_S * NS_PER_S + 5);
	assert_true(clock_now_ns(NULL) >= now);
	assert_true(clock_date_ns(NULL) >= 1500000000 * NS_PER_S);
	clock_hold(&c);
	clock_hold(&c);
	clock_release(&c);
	assert_true(clock_held(&c));
	clock_release(&c);
	assert_false(clock_held(&c));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stop_before_run),
		cmocka_unit_test(test_defer_order),
		cmocka_unit_test(test_timer_order),
		cmocka_unit_test(test_timer_greedy),
		cmocka_unit_test(test_timer_fini_in_itself),
		cmocka_unit_test(test_timer_far),
		cmocka_unit_test(test_fd_events),
		cmocka_unit_test(test_fd_del_in_itself),
		cmocka_unit_test(test_fd_del_other),
		cmocka_unit_test(test_fd_set_other),
		cmocka_unit_test(test_stop_from_signal),
		cmocka_unit_test(test_defer_threads),
		cmocka_unit_test(test_no_lost_wakeup),
		cmocka_unit_test(test_arm_from_outside),
		cmocka_unit_test(test_timer_fini_waits),
		cmocka_unit_test(test_fd_del_waits),
		cmocka_unit_test(test_storm),
		cmocka_unit_test(test_machine_timers),
		cmocka_unit_test(test_timers_of_two_clocks),
		cmocka_unit_test(test_machine_timer_without_clock),
		cmocka_unit_test(test_virtual_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
