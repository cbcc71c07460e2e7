/* SPDX-License-Identifier: Apache-2.0 */
/* Generic timers: interrupts through the GIC, wake-up from WFI, counters. */
#include "lib/guest.h"

const char guest_name[] = "timer";

enum { ENABLE = 1, IMASK = 2, ISTATUS = 4, REARMS = 1000 };

struct timer {
	const char *name;
	unsigned intid;
	bool phys;
};

static const struct timer timers[] = {
	{"CNTV", PPI_VTIMER, false},
	{"CNTP", PPI_PTIMER, true},
};

static const struct timer *current;
static volatile unsigned fired, wrong;

static void set_ctl(const struct timer *t, uint64_t v)
{
	if (t->phys)
		msr("cntp_ctl_el0", v);
	else
		msr("cntv_ctl_el0", v);
	isb();
}

static uint64_t get_ctl(const struct timer *t)
{
	return t->phys ? mrs("cntp_ctl_el0") : mrs("cntv_ctl_el0");
}

static void set_tval(const struct timer *t, uint64_t v)
{
	if (t->phys)
		msr("cntp_tval_el0", v);
	else
		msr("cntv_tval_el0", v);
	isb();
}

static uint64_t counter(const struct timer *t)
{
	isb();
	return t->phys ? mrs("cntpct_el0") : mrs("cntvct_el0");
}

static void on_irq(unsigned intid)
{
	if (intid != current->intid || !(get_ctl(current) & ISTATUS))
		wrong++;
	set_ctl(current, 0);
	fired++;
}

static void begin(const struct timer *t)
{
	current = t;
	fired = wrong = 0;
	this_cpu()->irq = on_irq;
	set_ctl(t, 0);
	gic_enable(t->intid);
}

static void test_fires(const struct timer *t)
{
	uint64_t start;

	begin(t);
	irq_on();
	start = counter(t);
	set_tval(t, 2000 * ticks_per_us());
	set_ctl(t, ENABLE);
	ok(wait_for(&fired, 1, 1000000), t->name, "no interrupt");
	ok(counter(t) - start >= 2000 * ticks_per_us(), "not before its time", "%lu ticks",
	   counter(t) - start);
	ok_eq(wrong, 0, "right INTID and ISTATUS");
	irq_off();
}

static void test_wfi(const struct timer *t)
{
	uint64_t start;

	begin(t);
	start = counter(t);
	set_tval(t, 20000 * ticks_per_us());
	set_ctl(t, ENABLE);
	for (unsigned i = 0; i < 100 && !(get_ctl(t) & ISTATUS); i++)
		wfi(); /* masked: the interrupt wakes, but is not taken */
	ok(counter(t) - start >= 20000 * ticks_per_us() && !fired, "WFI waits for the timer",
	   "%lu ticks, %u interrupts", counter(t) - start, fired);
	irq_on();
	isb();
	ok(wait_for(&fired, 1, 100000), "taken once unmasked", "not taken");
	irq_off();
}

static void test_masked(const struct timer *t)
{
	begin(t);
	irq_on();
	set_tval(t, 0);
	set_ctl(t, ENABLE | IMASK);
	delay_us(2000);
	ok(!fired && get_ctl(t) & ISTATUS, "IMASK holds it back", "fired %u CTL 0x%lx", fired,
	   get_ctl(t));
	set_ctl(t, ENABLE);
	ok(wait_for(&fired, 1, 100000), "and clearing it lets go", "not taken");
	irq_off();
}

static void test_rearm(const struct timer *t)
{
	unsigned i;

	begin(t);
	irq_on();
	for (i = 0; i < REARMS; i++) {
		set_tval(t, (i % 7) * 10 * ticks_per_us());
		set_ctl(t, ENABLE);
		if (!wait_for(&fired, i + 1, 1000000))
			break;
	}
	irq_off();
	ok(i == REARMS && !wrong && fired == REARMS, "re-armed 1000 times",
	   "%u of 1000, %u interrupts, %u wrong", i, fired, wrong);
}

static void test_rearm_wfi(const struct timer *t)
{
	unsigned i;

	begin(t);
	for (i = 0; i < 100; i++) {
		set_tval(t, 200 * ticks_per_us());
		set_ctl(t, ENABLE);
		while (fired == i) {
			/* Nothing is lost between the look and the WFI: the interrupt is masked. */
			wfi();
			irq_on();
			isb();
			irq_off();
		}
	}
	ok_eq(fired, 100, "100 idle periods");
}

static void test_monotonic(const struct timer *t)
{
	uint64_t last = counter(t), now;
	unsigned back = 0;

	for (unsigned i = 0; i < 100000; i++) {
		now = counter(t);
		back += now < last;
		last = now;
	}
	ok_eq(back, 0, "counter never goes back");
}

/* Disabling after expiry must not leave a stale interrupt behind. */
static void test_disable_withdraws(const struct timer *t)
{
	begin(t);
	set_tval(t, 0);
	set_ctl(t, ENABLE);
	delay_us(1000);
	set_ctl(t, 0);
	irq_on();
	delay_us(1000);
	irq_off();
	ok_eq(fired, 0, "disabled in time");
}

static void test_all(void)
{
	for (unsigned i = 0; i < ARRAY_COUNT(timers); i++) {
		const struct timer *t = &timers[i];

		test_fires(t);
		test_wfi(t);
		test_masked(t);
		test_rearm(t);
		test_rearm_wfi(t);
		test_monotonic(t);
		test_disable_withdraws(t);
		gic_disable(t->intid);
	}
}

void guest_main(void)
{
	gic_init();
	gic_init_cpu();
	test_all();
	note("MMU on");
	mmu_on();
	test_all();
}
