/* SPDX-License-Identifier: Apache-2.0 */
/* Start, exceptions, PSCI, secondary CPUs, time. */
#include "lib/guest.h"

const void *guest_dtb;
struct cpu cpus[MAX_CPUS];
unsigned cpu_count;
/* Named by start.S. */
char stacks[MAX_CPUS][STACK_SIZE] __attribute__((aligned(4096)));
void secondary_start(struct cpu *c);
void exception(struct frame *f, unsigned vector);
bool trap_enter(trap_fn *fn, uint64_t arg, uint64_t spsr, uint64_t *resume_sp);
void trap_leave(uint64_t resume_sp) __attribute__((noreturn));

_Static_assert(offsetof(struct cpu, stack) == CPU_STACK, "start.S");
_Static_assert(sizeof(struct frame) <= FRAME_SIZE, "start.S");

void guest_start(const void *dtb)
{
	uint64_t mpidr[MAX_CPUS];

	guest_dtb = dtb ? dtb : (const void *)RAM_BASE; /* as firmware is given it */
	cpu_count = dt_cpus(mpidr, MAX_CPUS);
	for (unsigned i = 0; i < cpu_count; i++) {
		cpus[i].stack = (uint64_t)stacks[i] + STACK_SIZE;
		cpus[i].number = i;
		cpus[i].mpidr = mpidr[i];
	}
	print("guest: %s, %u CPUs\n", guest_name, cpu_count);
	gic_version = (mrs("id_aa64pfr0_el1") >> 24 & 15) ? 3 : 2;
	guest_main();
	guest_finish();
}

/* ---- exceptions ---- */

static void unexpected(const struct frame *f, unsigned vector)
{
	ok(false, "no unexpected exception", "vector 0x%x ESR 0x%lx ELR 0x%lx FAR 0x%lx SPSR 0x%lx",
	   vector * 0x80, f->esr, f->elr, f->far, f->spsr);
	guest_finish();
}

static void interrupt(void)
{
	struct cpu *c = this_cpu();
	unsigned intid = gic_ack();

	if (intid == SPURIOUS)
		return;
	if (c->irq)
		c->irq(intid);
	gic_eoi(intid);
	c->irqs++;
}

void exception(struct frame *f, unsigned vector)
{
	struct cpu *c = this_cpu();

	if ((vector & 3) == 1) {
		interrupt();
		return;
	}
	if (!c->expecting || (vector & 3))
		unexpected(f, vector);
	c->expecting = false;
	c->trap = (struct trap){
		.vector = vector, .elr = f->elr, .spsr = f->spsr, .esr = f->esr, .far = f->far};
	for (unsigned i = 0; i < 31; i++)
		c->trap.x[i] = f->x[i];
	trap_leave(c->resume_sp);
}

bool trap_at(trap_fn *fn, uint64_t arg, uint64_t spsr, struct trap *t)
{
	struct cpu *c = this_cpu();
	bool taken;

	c->expecting = true;
	taken = trap_enter(fn, arg, spsr, &c->resume_sp);
	c->expecting = false;
	*t = taken ? c->trap : (struct trap){0};
	return taken;
}

bool trap_el1(trap_fn *fn, uint64_t arg, struct trap *t)
{
	return trap_at(fn, arg, 0x3c5, t);
}

uint64_t user_address(const void *p)
{
	return (uint64_t)p - RAM_BASE + USER_RAM_BASE;
}

void trap_el0(trap_fn *fn, uint64_t arg, struct trap *t)
{
	trap_at((trap_fn *)user_address((void *)fn), arg, 0x3c0, t);
}

/* ---- PSCI ---- */

int64_t psci(uint32_t function, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t x[18] = {function, a, b, c};

	if (mrs("currentel") >> 2 > 1)
		smccc_smc(x);
	else
		smccc_hvc(x);
	return function & 1 << 30 ? (int64_t)x[0] : (int32_t)x[0];
}

void secondary_start(struct cpu *c)
{
	if (c->mmu)
		mmu_on();
	c->fn(c->arg);
	c->finished = 1;
	cache_flush(c, sizeof(*c));
	psci(PSCI_CPU_OFF, 0, 0, 0);
	for (;;)
		wfi();
}

int64_t cpu_start(unsigned n, void (*fn)(void *arg), void *arg)
{
	struct cpu *c = &cpus[n];

	c->fn = fn;
	c->arg = arg;
	c->mmu = mrs("sctlr_el1") & 1;
	c->finished = 0;
	c->expecting = false;
	cache_flush(c, sizeof(*c));
	return psci(PSCI_CPU_ON, c->mpidr, (uint64_t)secondary_entry, (uint64_t)c);
}

bool cpu_wait_off(unsigned n)
{
	/* AFFINITY_INFO alone could still mean the time before. */
	for (unsigned i = 0; i < 100000; i++) {
		cache_flush(&cpus[n], sizeof(cpus[n]));
		if (cpus[n].finished && psci(PSCI_AFFINITY_INFO, cpus[n].mpidr, 0, 0) == 1)
			return true;
		delay_us(10);
	}
	return false;
}

/* ---- time ---- */

uint64_t ticks(void)
{
	isb();
	return mrs("cntvct_el0");
}

uint64_t ticks_per_us(void)
{
	return (mrs("cntfrq_el0") + 999999) / 1000000;
}

void delay_us(unsigned us)
{
	uint64_t end = ticks() + us * ticks_per_us();

	while ((int64_t)(ticks() - end) < 0)
		;
}

bool wait_for(volatile unsigned *flag, unsigned want, unsigned us)
{
	uint64_t end = ticks() + us * ticks_per_us();

	while (*flag < want) {
		if ((int64_t)(ticks() - end) >= 0)
			return false;
	}
	return true;
}
