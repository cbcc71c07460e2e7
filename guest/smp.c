/* SPDX-License-Identifier: Apache-2.0 */
/* Several CPUs: power, inter-processor interrupts, exclusives, events. */
#include "lib/guest.h"

const char guest_name[] = "smp";

enum { PINGS = 500, LOCKED_ADDS = 20000, EVENTS = 1000, ON_OFF = 20 };

static struct shared {
	volatile unsigned started[MAX_CPUS];
	volatile unsigned told[MAX_CPUS];
	volatile unsigned go;
	volatile unsigned stop;
	volatile unsigned lock;
	volatile unsigned locked_sum;
	volatile unsigned exclusive_sum;
	volatile unsigned done;
	volatile unsigned turn;
} shared __attribute__((aligned(2048)));

static void share(void)
{
	cache_flush(&shared, sizeof(shared));
}

static void atomic_add(volatile unsigned *p, unsigned n)
{
	unsigned v, status;

	asm volatile(
		"1: ldaxr %w0, [%2]\n\tadd %w0, %w0, %w3\n\tstlxr %w1, %w0, [%2]\n\tcbnz %w1, 1b"
		: "=&r"(v), "=&r"(status)
		: "r"(p), "r"(n)
		: "memory");
}

static void lock(volatile unsigned *l)
{
	unsigned v;

	/* Sleep while it is taken: the unlocking store clears the monitor, which is an event. */
	asm volatile("sevl\n1: wfe\n2: ldaxr %w0, [%1]\n\tcbnz %w0, 1b\n\t"
		     "stxr %w0, %w2, [%1]\n\tcbnz %w0, 2b"
		     : "=&r"(v)
		     : "r"(l), "r"(1)
		     : "memory");
}

static void unlock(volatile unsigned *l)
{
	asm volatile("stlr wzr, [%0]" ::"r"(l) : "memory");
}

/* ---- power ---- */

static void record_start(void *arg)
{
	shared.started[this_cpu()->number]++;
	share();
}

static void test_power(void)
{
	for (unsigned round = 0; round < ON_OFF; round++) {
		for (unsigned n = 1; n < cpu_count; n++) {
			int64_t r = cpu_start(n, record_start, NULL);

			if (r)
				ok(false, "CPU_ON", "CPU %u, round %u: %ld", n, round, r);
		}
		for (unsigned n = 1; n < cpu_count; n++) {
			if (!cpu_wait_off(n))
				ok(false, "CPU_OFF", "CPU %u, round %u", n, round);
		}
	}
	share();
	for (unsigned n = 1; n < cpu_count; n++) {
		ok_eq(shared.started[n], ON_OFF, "on and off again");
		shared.started[n] = 0;
	}
	share();
}

static void stay(void *arg)
{
	shared.started[this_cpu()->number] = 1;
	sev();
	while (!shared.stop)
		wfe();
}

static void start_all(void (*fn)(void *), const char *name)
{
	shared.stop = shared.go = shared.done = 0;
	for (unsigned n = 0; n < cpu_count; n++)
		shared.started[n] = 0;
	share();
	for (unsigned n = 1; n < cpu_count; n++) {
		ok_eq((uint64_t)cpu_start(n, fn, NULL), 0, "CPU_ON");
		ok(wait_for(&shared.started[n], 1, 2000000), name, "CPU %u does not start", n);
	}
}

static void stop_all(void)
{
	shared.stop = 1;
	sev();
	for (unsigned n = 1; n < cpu_count; n++)
		ok(cpu_wait_off(n), "goes off", "CPU %u", n);
}

static void test_states(void)
{
	start_all(stay, "waits in WFE");
	for (unsigned n = 1; n < cpu_count; n++) {
		ok_eq((uint64_t)psci(PSCI_AFFINITY_INFO, cpus[n].mpidr, 0, 0), 0,
		      "AFFINITY_INFO: on");
		ok_eq((uint64_t)psci(PSCI_CPU_ON, cpus[n].mpidr, (uint64_t)secondary_entry, 0),
		      (uint64_t)-4, "CPU_ON: ALREADY_ON");
	}
	stop_all();
}

/* ---- interrupts ---- */

static void pong(unsigned intid)
{
	if (intid == 1)
		gic_send_sgi(0, 2);
	else if (intid == 3)
		shared.told[this_cpu()->number] = 1;
}

static void idle(void *arg)
{
	struct cpu *c = this_cpu();

	gic_init_cpu();
	c->irq = pong;
	shared.told[c->number] = 0;
	shared.started[c->number] = 1;
	/* Each waits for its own last interrupt: one left pending would be taken after the next CPU_ON. */
	while (!shared.told[c->number]) {
		/* The look and the WFI are not torn apart: the interrupt stays pending. */
		wfi();
		irq_on();
		isb();
		irq_off();
	}
}

static void test_ping_pong(bool sleep)
{
	struct cpu *me = this_cpu();

	start_all(idle, "waits in WFI");
	for (unsigned n = 1; n < cpu_count; n++) {
		unsigned before = me->irqs, i;

		for (i = 0; i < PINGS; i++) {
			gic_send_sgi(n, 1);
			if (!sleep) {
				irq_on();
				if (!wait_for(&me->irqs, before + i + 1, 2000000))
					break;
				irq_off();
				continue;
			}
			while (me->irqs == before + i) {
				wfi();
				irq_on();
				isb();
				irq_off();
			}
		}
		irq_off();
		ok(i == PINGS, sleep ? "SGI ping-pong, sleeping" : "SGI ping-pong",
		   "CPU %u: %u of %u", n, i, PINGS);
	}
	for (unsigned n = 1; n < cpu_count; n++)
		gic_send_sgi(n, 3);
	stop_all();
}

/* ---- memory ---- */

static void add_up(void *arg)
{
	shared.started[this_cpu()->number] = 1;
	while (!shared.go)
		;
	for (unsigned i = 0; i < LOCKED_ADDS; i++) {
		lock(&shared.lock);
		shared.locked_sum++;
		unlock(&shared.lock);
		atomic_add(&shared.exclusive_sum, 3);
	}
	atomic_add(&shared.done, 1);
}

static void test_locks(void)
{
	shared.locked_sum = shared.exclusive_sum = 0;
	start_all(add_up, "ready to add");
	shared.go = 1;
	add_up(NULL);
	ok(wait_for(&shared.done, cpu_count, 60000000), "all have added up", "%u", shared.done);
	ok_eq(shared.locked_sum, LOCKED_ADDS * cpu_count, "spinlock with WFE");
	ok_eq(shared.exclusive_sum, 3 * LOCKED_ADDS * cpu_count, "exclusives");
	stop_all();
}

static void take_turns(void *arg)
{
	unsigned me = this_cpu()->number;

	shared.started[me] = 1;
	for (unsigned i = 0; i < EVENTS; i++) {
		while (shared.turn % cpu_count != me)
			wfe();
		shared.turn++;
		sev();
	}
}

static void test_events(void)
{
	shared.turn = 0;
	start_all(take_turns, "waits for its turn");
	take_turns(NULL);
	ok(wait_for(&shared.turn, EVENTS * cpu_count, 60000000), "WFE and SEV in turn", "%u",
	   shared.turn);
	stop_all();
}

void guest_main(void)
{
	gic_init();
	gic_init_cpu();
	test_power();
	note("MMU on");
	mmu_on();
	test_power();
	test_states();
	test_ping_pong(false);
	test_ping_pong(true);
	test_locks();
	test_events();
}
