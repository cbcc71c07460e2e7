/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As an operating system does: text read-only and executable, data not executable, both mapped in the
 * upper half of the address space, vectors there, EL0 below. Then interrupts, intercepted
 * instructions, system calls from EL0, and a second translation table.
 */
#include "lib/guest.h"

const char guest_name[] = "upper";

#define UPPER	    0xffffff8000000000ULL
#define PAGE	    3ULL
#define TABLE	    3ULL
#define RO	    (1ULL << 7)
#define INNER	    (3ULL << 8)
#define AF	    (1ULL << 10)
#define PXN	    (1ULL << 53)
#define UXN	    (1ULL << 54)
#define NORMAL	    (1ULL << 2)
#define ICC_PMR_EL1 "S3_0_C4_C6_0"

enum { PAGES = 512, PAGE_SIZE = 4096, GIB = 1 << 30, MIB_2 = 1 << 21 };

static uint64_t level1[2][PAGES] __attribute__((aligned(4096)));
static uint64_t level2[PAGES] __attribute__((aligned(4096)));
static uint64_t level3[PAGES] __attribute__((aligned(4096)));
extern char image_start[], data_start[], image_end[], vectors[];
static volatile unsigned sgis, ticks_seen;

uint64_t call_high(uint64_t (*fn)(void), uint64_t offset);
asm(".pushsection .text\n.globl call_high\n"
    "call_high:\n	add	x0, x0, x1\n	br	x0\n.popsection\n");

static void build(uint64_t *l1)
{
	uint64_t start = (uint64_t)image_start;

	for (uint64_t i = 0; i < PAGES; i++) {
		uint64_t a = (start & ~(MIB_2 - 1ULL)) + i * PAGE_SIZE;
		bool text = a >= start && a < (uint64_t)data_start;

		level3[i] = a | PAGE | AF | INNER | NORMAL | UXN | (text ? RO : PXN);
	}
	level2[start / MIB_2 % PAGES] = (uint64_t)level3 | TABLE;
	l1[start / GIB] = (uint64_t)level2 | TABLE;
	cache_flush(image_start, (size_t)(image_end - image_start));
}

static void set_ttbr1(const uint64_t *l1)
{
	msr("ttbr1_el1", (uint64_t)l1);
	isb();
	asm volatile("tlbi vmalle1; dsb nsh; isb" ::: "memory");
}

static void enable_upper_half(void)
{
	uint64_t tcr = mrs("tcr_el1") & ~(0xffffULL << 16);

	/* T1SZ 25, write-back, inner shareable, 4 KiB */
	msr("tcr_el1", tcr | 25ULL << 16 | 1ULL << 24 | 1ULL << 26 | 3ULL << 28 | 2ULL << 30);
	set_ttbr1(level1[0]);
	msr("vbar_el1", (uint64_t)vectors + UPPER);
	isb();
}

static void on_irq(unsigned intid)
{
	if (intid == PPI_VTIMER) {
		msr("cntv_ctl_el0", 0);
		isb();
		ticks_seen++;
	} else {
		sgis++;
	}
}

/* The following run at their upper addresses, and so see everything there. */

static uint64_t low(const void *p)
{
	return (uint64_t)p & 0xffffffff;
}

static uint64_t where(void)
{
	uint64_t pc;

	asm volatile("adr %0, ." : "=r"(pc));
	return pc;
}

static uint64_t read_pfr0(void)
{
	return mrs("id_aa64pfr0_el1");
}

static uint64_t send_sgis(void)
{
	struct cpu *c = this_cpu();
	unsigned before = sgis;

	c->irq = on_irq;
	irq_on();
	for (unsigned i = 0; i < 200; i++) {
		gic_send_sgi(c->number, i & 7);
		if (!wait_for(&sgis, before + i + 1, 1000000))
			break;
	}
	irq_off();
	return sgis - before;
}

static uint64_t run_timer(void)
{
	unsigned before = ticks_seen;

	this_cpu()->irq = on_irq;
	gic_enable(PPI_VTIMER);
	for (unsigned i = 0; i < 50; i++) {
		msr("cntv_tval_el0", 100 * ticks_per_us());
		msr("cntv_ctl_el0", 1);
		while (ticks_seen == before + i) {
			wfi();
			irq_on();
			isb();
			irq_off();
		}
	}
	gic_disable(PPI_VTIMER);
	return ticks_seen - before;
}

static uint64_t use_pmr(void)
{
	uint64_t v;

	msr(ICC_PMR_EL1, 0x70);
	v = mrs(ICC_PMR_EL1);
	msr(ICC_PMR_EL1, 0xf0);
	return v;
}

static uint64_t psci_version(void)
{
	return (uint64_t)psci(PSCI_VERSION, 0, 0, 0);
}

void svc_fragment(uint64_t arg);
void brk_fragment(uint64_t arg);
asm(".pushsection .text\n.globl svc_fragment, brk_fragment\n"
    "svc_fragment:\n	svc	#7\n"
    "brk_fragment:\n	brk	#0xc005\n.popsection\n");

static uint64_t system_calls(void)
{
	unsigned good = 0;
	struct trap t;

	for (unsigned i = 0; i < 100; i++) {
		trap_el0((trap_fn *)low(svc_fragment), 0, &t);
		good += t.esr == 0x56000007 && t.vector == 8;
	}
	trap_el0((trap_fn *)low(brk_fragment), 0, &t);
	good += t.esr == 0xf200c005 && t.elr == user_address((void *)low(brk_fragment));
	return good;
}

static uint64_t kernel_brk(void)
{
	struct trap t;

	return trap_el1(brk_fragment, 0, &t) ? t.elr : 0;
}

/* A data abort and a permission fault stay the guest's own. */
static void store(uint64_t arg)
{
	*(volatile uint32_t *)arg = 0;
}

static void test_faults(void)
{
	struct trap t;

	trap_el1(store, (uint64_t)image_start + UPPER, &t);
	ok_eq(t.esr, 0x9600004f, "store to text: permission fault, level 3");
	trap_el1(store, UPPER, &t);
	ok_eq(t.esr, 0x96000045, "store to unmapped: translation fault, level 1");
	trap_el1((trap_fn *)((uint64_t)level3 + UPPER), 0, &t);
	ok_eq(t.esr, 0x8600000f, "execution of data: permission fault, level 3");
}

static void test_upper(void)
{
	ok(call_high(where, UPPER) >> 32 == UPPER >> 32, "runs in the upper half", " ");
	ok_eq(call_high(read_pfr0, UPPER), mrs("id_aa64pfr0_el1"), "ID_AA64PFR0_EL1");
	if (gic_version == 3)
		ok_eq(call_high(use_pmr, UPPER), 0x70, "ICC_PMR_EL1");
	ok_eq(call_high(send_sgis, UPPER), 200, "SGIs to oneself");
	ok_eq(call_high(run_timer, UPPER), 50, "timer interrupts");
	ok(call_high(psci_version, UPPER) >= 0x10000, "PSCI_VERSION", " ");
	ok_eq(call_high(system_calls, UPPER), 101, "system calls from EL0");
	ok_eq(call_high(kernel_brk, UPPER), (uint64_t)brk_fragment + UPPER, "BRK");
	test_faults();
}

void guest_main(void)
{
	gic_init();
	gic_init_cpu();
	ok(read_pfr0() != 0, "ID_AA64PFR0_EL1 before", " ");
	mmu_on();
	build(level1[0]);
	build(level1[1]);
	enable_upper_half();
	test_upper();
	note("second table");
	set_ttbr1(level1[1]);
	test_upper();
	/* As kexec: back to the lower half, the MMU off. */
	note("MMU off");
	msr("vbar_el1", (uint64_t)vectors);
	isb();
	mmu_off();
	ok_eq(send_sgis(), 200, "SGIs to oneself, MMU off");
	ok(psci_version() >= 0x10000, "PSCI_VERSION, MMU off", " ");
}
