/* SPDX-License-Identifier: Apache-2.0 */
/* PSCI CPU_SUSPEND (DEN 0022, 5.4): waits until there is an interrupt; power-down states begin anew. */
#include "lib/guest.h"

const char guest_name[] = "suspend";

enum {
	ENABLE = 1,
	ISTATUS = 4,
	POWERDOWN = 1 << 16,
	SGI = 3,
	INVALID_PARAMETERS = -2,
};

static volatile unsigned came_back, began_anew, mmu_was_on, state_was_lost;
static uint64_t context_at_first;

static void arm_timer(unsigned us)
{
	gic_enable(PPI_VTIMER);
	msr("cntv_tval_el0", us * ticks_per_us());
	msr("cntv_ctl_el0", ENABLE);
	isb();
}

static bool timer_is_due(void)
{
	return mrs("cntv_ctl_el0") & ISTATUS;
}

static void stop_timer(void)
{
	msr("cntv_ctl_el0", 0);
	isb();
	gic_disable(PPI_VTIMER);
}

static int64_t suspend(uint32_t power_state, uint64_t entry, uint64_t context)
{
	return psci(PSCI_CPU_SUSPEND, power_state, entry, context);
}

static void test_errors(void)
{
	ok_eq((uint64_t)suspend(1U << 31, 0, 0), (uint64_t)INVALID_PARAMETERS, "reserved bits");
	ok_eq((uint64_t)suspend(1 << 26, 0, 0), (uint64_t)INVALID_PARAMETERS, "no such level");
}

/* Interrupts are masked: what wakes is that one is pending. */
static void test_standby_timer(void)
{
	uint64_t start = ticks();
	unsigned calls = 0;
	int64_t r = 0;

	arm_timer(20000);
	while (!timer_is_due() && calls < 100 && !r) {
		r = suspend(0, 0, 0);
		calls++;
	}
	ok_eq((uint64_t)r, 0, "standby");
	ok(timer_is_due() && ticks() - start >= 20000 * ticks_per_us(), "waits for the timer",
	   "%u calls, %lu ticks", calls, ticks() - start);
	/* It is still pending. */
	start = ticks();
	ok_eq((uint64_t)suspend(0, 0, 0), 0, "standby with an interrupt pending");
	ok(ticks() - start < 1000000 * ticks_per_us(), "does not wait", "%lu ticks",
	   ticks() - start);
	stop_timer();
}

static void send_later(void *arg)
{
	delay_us(20000);
	gic_send_sgi(0, SGI);
}

static void test_standby_sgi(void)
{
	uint64_t start = ticks();

	if (cpu_count < 2)
		return;
	gic_enable(SGI);
	ok_eq((uint64_t)cpu_start(1, send_later, NULL), 0, "CPU_ON");
	ok_eq((uint64_t)suspend(0, 0, 0), 0, "standby");
	ok(ticks() - start >= 20000 * ticks_per_us(), "waits for another CPU's interrupt",
	   "%lu ticks", ticks() - start);
	ok_eq(gic_ack() & 0x3ff, SGI, "that interrupt");
	gic_eoi(SGI);
	ok(cpu_wait_off(1), "CPU_OFF", "timeout");
}

static void after(void *arg)
{
	began_anew = timer_is_due() ? 1 : 2;
	mmu_was_on = mrs("sctlr_el1") & 1;
	state_was_lost = mrs("contextidr_el1") == context_at_first;
	stop_timer();
	cache_flush((void *)&state_was_lost, sizeof(state_was_lost));
	cache_flush((void *)&began_anew, sizeof(began_anew));
	cache_flush((void *)&mmu_was_on, sizeof(mmu_was_on));
}

static void go_down(void *arg)
{
	struct cpu *c = this_cpu();

	context_at_first = mrs("contextidr_el1");
	cache_flush(&context_at_first, sizeof(context_at_first));
	msr("contextidr_el1", ~context_at_first & 0xffffffff);
	gic_init_cpu();
	c->fn = after;
	cache_flush(c, sizeof(*c));
	mmu_on();
	arm_timer(5000);
	suspend(POWERDOWN, (uint64_t)secondary_entry, (uint64_t)c);
	mmu_off();
	came_back = 1;
	cache_flush((void *)&came_back, sizeof(came_back));
	stop_timer();
}

static void test_power_down(void)
{
	if (cpu_count < 2)
		return;
	ok_eq((uint64_t)cpu_start(1, go_down, NULL), 0, "CPU_ON");
	ok(cpu_wait_off(1), "wakes", "timeout");
	cache_flush((void *)&came_back, sizeof(came_back));
	cache_flush((void *)&began_anew, sizeof(began_anew));
	cache_flush((void *)&mmu_was_on, sizeof(mmu_was_on));
	cache_flush((void *)&state_was_lost, sizeof(state_was_lost));
	if (came_back) {
		note("power-down is taken as standby, as is permitted");
		return;
	}
	ok_eq(began_anew, 1, "begins at its entry when the timer is due");
	ok_eq(mmu_was_on, 0, "with the MMU off");
	ok_eq(state_was_lost, 1, "registers as after CPU_ON");
}

void guest_main(void)
{
	gic_init();
	gic_init_cpu();
	test_errors();
	test_standby_timer();
	test_standby_sgi();
	test_power_down();
}
