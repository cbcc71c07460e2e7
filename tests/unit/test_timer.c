/* SPDX-License-Identifier: Apache-2.0 */
/* dev_timer: in the loop's thread, with the instance's lock, and only when still wanted. */
#include "fixture.h"

#include "host/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define MS (NS_PER_S / 1000)

struct ticker {
	struct dev dev;
	struct dev_timer timer;
	unsigned fired;
	uint64_t period_ns;
};

static void on_tick(struct dev *d, void *opaque)
{
	struct ticker *t = (struct ticker *)d;

	assert_int_equal(pthread_mutex_trylock(&d->lock), EBUSY);
	assert_ptr_equal(opaque, &t->period_ns);
	t->fired++;
	if (t->period_ns)
		dev_timer_arm(&t->timer, clock_mono_ns() + t->period_ns);
}

static int ticker_init(struct dev *d, struct err *e)
{
	struct ticker *t = (struct ticker *)d;

	dev_timer_init(&t->timer, d, on_tick, &t->period_ns);
	return 0;
}

static void ticker_fini(struct dev *d)
{
	dev_timer_fini(&((struct ticker *)d)->timer);
}

static const struct component ticker_component = {
	.type = "TICKER",
	.size = sizeof(struct ticker),
	.init = ticker_init,
	.fini = ticker_fini,
};

static struct ticker *make(struct fixture *f)
{
	fixture_make(f, &ticker_component, NULL);
	assert_int_equal(fixture_start(f), 0);
	return (struct ticker *)f->dev;
}

static void arm(struct ticker *t, uint64_t deadline_ns)
{
	dev_lock(&t->dev);
	dev_timer_arm(&t->timer, deadline_ns);
	dev_unlock(&t->dev);
}

static void test_fires_once(void **state)
{
	struct fixture f;
	struct ticker *t = make(&f);

	arm(t, clock_mono_ns() + MS);
	fixture_run(&f, 5);
	assert_int_equal(t->fired, 1);
	arm(t, 0); /* long ago */
	fixture_run(&f, 2);
	assert_int_equal(t->fired, 2);
	arm(t, UINT64_MAX);
	fixture_run(&f, 2);
	assert_int_equal(t->fired, 2);
	fixture_drop(&f); /* still armed */
}

static void test_cancel(void **state)
{
	struct fixture f;
	struct ticker *t = make(&f);

	arm(t, clock_mono_ns() + MS);
	dev_lock(&t->dev);
	dev_timer_cancel(&t->timer);
	dev_timer_cancel(&t->timer);
	dev_unlock(&t->dev);
	fixture_run(&f, 4);
	assert_int_equal(t->fired, 0);
	arm(t, clock_mono_ns() + MS);
	arm(t, clock_mono_ns() + 3600 * NS_PER_S); /* later after all */
	fixture_run(&f, 4);
	assert_int_equal(t->fired, 0);
	fixture_drop(&f);
}

static void test_periodic(void **state)
{
	struct fixture f;
	struct ticker *t = make(&f);

	t->period_ns = MS / 10;
	arm(t, clock_mono_ns());
	fixture_run(&f, 10);
	assert_in_range(t->fired, 2, 101);
	fixture_drop(&f);
}

static void *runner(void *opaque)
{
	loop_run(opaque);
	return NULL;
}

/* The loop has picked the timer and waits for the lock, whose owner changes its mind. */
static void raced(bool rearm)
{
	struct timespec nap = {.tv_nsec = 2 * MS};
	struct fixture f;
	struct ticker *t = make(&f);
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, runner, f.host.loop), 0);
	dev_lock(&t->dev);
	dev_timer_arm(&t->timer, 1);
	nanosleep(&nap, NULL);
	if (rearm)
		dev_timer_arm(&t->timer, clock_mono_ns() + 3600 * NS_PER_S);
	else
		dev_timer_cancel(&t->timer);
	dev_unlock(&t->dev);
	nanosleep(&nap, NULL);
	dev_lock(&t->dev);
	assert_int_equal(t->fired, 0);
	dev_unlock(&t->dev);
	dev_timer_fini(&t->timer);
	loop_stop(f.host.loop);
	pthread_join(thread, NULL);
	fixture_drop(&f);
}

static void test_raced(void **state)
{
	for (unsigned i = 0; i < 5; i++) {
		raced(true);
		raced(false);
	}
}

/* Fini while the callback runs and re-arms, in another thread. */
static void test_fini(void **state)
{
	struct timespec nap = {.tv_nsec = MS / 5};

	for (unsigned i = 0; i < 20; i++) {
		struct fixture f;
		struct ticker *t = make(&f);
		pthread_t thread;

		t->period_ns = 1;
		arm(t, 1);
		assert_int_equal(pthread_create(&thread, NULL, runner, f.host.loop), 0);
		nanosleep(&nap, NULL);
		dev_timer_fini(&t->timer);
		memset(&t->timer, 0xee, sizeof(t->timer));
		nanosleep(&nap, NULL);
		loop_stop(f.host.loop);
		pthread_join(thread, NULL);
		t->timer.dev = NULL; /* for the second fini */
		fixture_drop(&f);
	}
}

static void test_never_set_up(void **state)
{
	struct dev_timer t = {0};

	dev_timer_fini(&t); /* fini() accepts a half-built instance */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fires_once), cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_periodic),   cmocka_unit_test(test_raced),
		cmocka_unit_test(test_fini),	   cmocka_unit_test(test_never_set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
