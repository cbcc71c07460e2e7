/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code that an operating system makes executable when it has been running for a while, as for a module: written as
 * data, then its mapping is changed and the TLBs are told. What it holds must work like all other code.
 */
#include "lib/guest.h"

const char guest_name[] = "late";

#define UPPER		 0xffffff8000000000ULL
#define PAGE		 3ULL
#define TABLE		 3ULL
#define RO		 (1ULL << 7)
#define INNER		 (3ULL << 8)
#define AF		 (1ULL << 10)
#define PXN		 (1ULL << 53)
#define UXN		 (1ULL << 54)
#define NORMAL		 (1ULL << 2)
#define HCR_RW		 (1ULL << 31)
#define SCTLR_RES1	 0x30d00800
#define ICC_SRE_EL2	 "S3_4_C12_C9_5"
#define ICC_PMR_EL1	 "S3_0_C4_C6_0"
#define EL1H_MASKED	 0x3c5
#define RET		 0xd65f03c0U
#define NOP		 0xd503201fU
#define SMC		 0xd4000003U
#define MRS_MIDR	 0xd5380000U
#define MRS_PFR0	 0xd5380400U
#define MRS_MMFR0	 0xd5380700U
#define MRS_OSLSR	 0xd5301180U
#define MRS_PMR		 0xd5384600U
#define TLBI_OPERAND(va) ((va) >> 12 & 0xfffffffffffULL)

enum { PAGES = 512, PAGE_SIZE = 4096, GIB = 1 << 30, MIB_2 = 1 << 21, AREA = 8, QUIET = 100 };

static uint64_t level1[PAGES] __attribute__((aligned(4096)));
static uint64_t level2[PAGES] __attribute__((aligned(4096)));
static uint64_t level3[PAGES] __attribute__((aligned(4096)));
/* Where late code is; its mapping in the upper half changes. */
static uint32_t area[AREA][PAGE_SIZE / 4] __attribute__((aligned(4096)));
extern char image_start[], data_start[], image_end[], vectors[];

uint64_t call_high(uint64_t (*fn)(uint64_t), uint64_t arg, uint64_t offset);
asm(".pushsection .text\n.globl call_high\n"
    "call_high:\n	add	x3, x0, x2\n	mov	x0, x1\n	br	x3\n.popsection\n");
uint64_t call(uint64_t x0, uint64_t pc);
asm(".pushsection .text\n.globl call\ncall:	br	x1\n.popsection\n");

/* From EL2 to EL1, with the same stack. */
void drop(void);
asm(".pushsection .text\n.globl drop\n"
    "drop:	mov	x0, sp\n"
    "	msr	sp_el1, x0\n"
    "	msr	elr_el2, x30\n"
    "	eret\n.popsection\n");

/* EL2: HVC returns CNTP_CVAL_EL0 and CNTP_CTL_EL0, and writes X0 and X1 to them. */
extern char el2_vectors[];
asm(".pushsection .text\n.balign 0x800\n.globl el2_vectors\n"
    "el2_vectors:\n	.skip	0x400\n"
    "	mrs	x2, cntp_cval_el0\n"
    "	mrs	x3, cntp_ctl_el0\n"
    "	msr	cntp_cval_el0, x0\n"
    "	msr	cntp_ctl_el0, x1\n"
    "	mov	x0, x2\n"
    "	mov	x1, x3\n"
    "	eret\n.popsection\n");

static void to_el1(void)
{
	if (mrs("currentel") != 8)
		return;
	msr("hcr_el2", HCR_RW);
	msr("cnthctl_el2", 3);
	msr("cntvoff_el2", 0);
	msr("cptr_el2", 0x33ff);
	msr("hstr_el2", 0);
	msr("mdcr_el2", 0);
	msr("vpidr_el2", mrs("midr_el1"));
	msr("vmpidr_el2", mrs("mpidr_el1"));
	msr("sctlr_el1", SCTLR_RES1);
	if (gic_version == 3)
		msr(ICC_SRE_EL2, 0xf);
	msr("vbar_el2", (uint64_t)el2_vectors);
	msr("spsr_el2", EL1H_MASKED);
	isb();
	drop();
}

static void build(void)
{
	uint64_t start = (uint64_t)image_start;

	for (uint64_t i = 0; i < PAGES; i++) {
		uint64_t a = (start & ~(MIB_2 - 1ULL)) + i * PAGE_SIZE;
		bool text = a >= start && a < (uint64_t)data_start;

		level3[i] = a | PAGE | AF | INNER | NORMAL | UXN | (text ? RO : PXN);
	}
	level2[start / MIB_2 % PAGES] = (uint64_t)level3 | TABLE;
	level1[start / GIB] = (uint64_t)level2 | TABLE;
	cache_flush(image_start, (size_t)(image_end - image_start));
}

static void enable_upper_half(void)
{
	uint64_t tcr = mrs("tcr_el1") & ~(0xffffULL << 16);

	/* T1SZ 25, write-back, inner shareable, 4 KiB */
	msr("tcr_el1", tcr | 25ULL << 16 | 1ULL << 24 | 1ULL << 26 | 3ULL << 28 | 2ULL << 30);
	msr("ttbr1_el1", (uint64_t)level1);
	isb();
	asm volatile("tlbi vmalle1; dsb nsh; isb" ::: "memory");
	msr("vbar_el1", (uint64_t)vectors + UPPER);
	isb();
}

/* The following run at their upper addresses, and so see everything there. */

static uint64_t low(const void *p)
{
	return (uint64_t)p & 0xffffffff;
}

static volatile uint64_t *entry(unsigned page)
{
	return &level3[low(area[page]) / PAGE_SIZE % PAGES];
}

/* Each way to tell the TLBs has a barrier of its own. */
static void change_page(unsigned page, uint64_t set, uint64_t clear)
{
	*entry(page) = (*entry(page) & ~clear) | set;
	asm volatile("dsb ishst; tlbi vaale1is, %0; dsb ish; isb" ::"r"(
			     TLBI_OPERAND(low(area[page]) + UPPER))
		     : "memory");
}

static void change_range(uint64_t set, uint64_t clear)
{
	uint64_t at = TLBI_OPERAND(low(area) + UPPER), end = at + AREA;

	for (unsigned i = 0; i < AREA; i++)
		*entry(i) = (*entry(i) & ~clear) | set;
	asm volatile("dsb ishst\n1: tlbi vaale1is, %0; nop; nop; add %0, %0, #1; cmp %0, %1; b.lo "
		     "1b; dsb "
		     "ish; isb"
		     : "+r"(at)
		     : "r"(end)
		     : "memory", "cc");
}

static void change_all(uint64_t set, uint64_t clear)
{
	for (unsigned i = 0; i < AREA; i++)
		*entry(i) = (*entry(i) & ~clear) | set;
	asm volatile("dsb ishst; tlbi vmalle1is; dsb ish; isb" ::: "memory");
}

/* A mapping that comes and goes. */
static void poke(unsigned page)
{
	uint64_t old = *entry(page);

	*entry(page) = 0;
	asm volatile("dsb ishst; tlbi vaae1is, %0; dsb ish; isb" ::"r"(
			     TLBI_OPERAND(low(area[page]) + UPPER))
		     : "memory");
	*entry(page) = old;
	asm volatile("dsb ishst; isb" ::: "memory");
}

static void write_code(unsigned page, uint32_t word)
{
	uint32_t *p = (uint32_t *)low(area[page]);

	for (unsigned i = 0; i < PAGE_SIZE / 4; i++)
		p[i] = NOP;
	p[0] = word;
	p[1] = RET;
	/* At the end of the page, too. */
	p[PAGE_SIZE / 4 - 2] = word;
	p[PAGE_SIZE / 4 - 1] = RET;
	code_sync(p, PAGE_SIZE);
}

static uint64_t run_page(unsigned page, uint64_t x0)
{
	uint64_t at = low(area[page]) + UPPER;
	uint64_t first = call(x0, at), last = call(x0, at + PAGE_SIZE - 8);

	return first == last ? first : 0xbad;
}

static uint64_t one_page(uint64_t word)
{
	uint64_t v;

	write_code(0, (uint32_t)word);
	change_page(0, RO, PXN);
	v = run_page(0, PSCI_VERSION);
	change_page(0, PXN, RO);
	return v;
}

static uint64_t use_pmr(uint64_t word)
{
	uint64_t v;

	msr(ICC_PMR_EL1, 0x70);
	v = one_page(MRS_PMR);
	msr(ICC_PMR_EL1, 0xf0);
	return v;
}

/* How many of the pages of the area give @word's result. */
static uint64_t all_pages(uint64_t how)
{
	uint64_t want = mrs("id_aa64mmfr0_el1"), good = 0;

	for (unsigned i = 0; i < AREA; i++)
		write_code(i, MRS_MMFR0);
	(how ? change_all : change_range)(RO, PXN);
	for (unsigned i = 0; i < AREA; i++)
		good += run_page(i, 0) == want;
	(how ? change_all : change_range)(PXN, RO);
	return good;
}

/* Many changes that make nothing executable. */
static uint64_t quiet(uint64_t unused)
{
	for (unsigned i = 0; i < QUIET; i++) {
		poke(1);
		change_page(1, RO, 0);
		change_page(1, 0, RO);
	}
	return one_page(MRS_PFR0);
}

/* The mapping is there, one of its kinds after the other: no TLB entry may be left. */
static uint64_t faults(uint64_t unused)
{
	uint64_t at = low(area[0]) + UPPER, good = 0;
	struct trap t;

	for (unsigned i = 0; i < QUIET; i++) {
		write_code(0, MRS_MIDR);
		change_page(0, RO, PXN);
		good += !trap_el1((trap_fn *)at, 0, &t);
		change_page(0, PXN, RO);
		good += trap_el1((trap_fn *)at, 0, &t) && t.esr == 0x8600000f;
	}
	return good;
}

/* The physical timer, at EL1 and as EL2 sees it. */
static uint64_t timer(uint64_t at)
{
	register uint64_t x0 asm("x0") = at + 1, x1 asm("x1") = 3;
	bool good;

	msr("cntp_cval_el0", at);
	msr("cntp_ctl_el0", 1);
	isb();
	asm volatile("hvc #0" : "+r"(x0), "+r"(x1)::"x2", "x3", "memory");
	good = x0 == at && x1 == 1 && mrs("cntp_cval_el0") == at + 1 && mrs("cntp_ctl_el0") == 3;
	msr("cntp_ctl_el0", 0);
	return good;
}

/* EL2 arms it, EL1 gets the interrupt. */
static volatile unsigned fired;

static void on_irq(unsigned intid)
{
	msr("cntp_ctl_el0", 0);
	isb();
	fired += intid == PPI_PTIMER;
}

static void hvc(uint64_t cval, uint64_t ctl)
{
	register uint64_t x0 asm("x0") = cval, x1 asm("x1") = ctl;

	asm volatile("hvc #0" : "+r"(x0), "+r"(x1)::"x2", "x3", "memory");
}

static uint64_t timer_interrupt(uint64_t unused)
{
	this_cpu()->irq = on_irq;
	gic_enable(PPI_PTIMER);
	hvc(mrs("cntpct_el0") + 200 * ticks_per_us(), 1);
	irq_on();
	wait_for(&fired, 1, 1000000);
	irq_off();
	return fired;
}

/* HVC is EL2's here. */
static void off(void)
{
	uint64_t x[18] = {PSCI_SYSTEM_OFF};

	smccc_smc(x);
}

void guest_main(void)
{
	uint64_t midr = mrs("midr_el1"), pfr0 = mrs("id_aa64pfr0_el1"), oslsr = mrs("oslsr_el1");

	guest_off = off;
	to_el1();
	gic_init();
	gic_init_cpu();
	mmu_on();
	build();
	enable_upper_half();
	ok_eq(call_high(one_page, MRS_MIDR, UPPER), midr, "MIDR_EL1");
	ok_eq(call_high(one_page, MRS_PFR0, UPPER), pfr0, "ID_AA64PFR0_EL1, page used again");
	ok_eq(call_high(one_page, MRS_OSLSR, UPPER), oslsr, "OSLSR_EL1");
	ok(call_high(one_page, SMC, UPPER) >= 0x10000, "PSCI_VERSION", " ");
	ok_eq(call_high(use_pmr, 0, UPPER), 0x70, "ICC_PMR_EL1");
	ok_eq(call_high(all_pages, 0, UPPER), AREA, "a range of pages");
	ok_eq(call_high(all_pages, 1, UPPER), AREA, "pages after TLBI VMALLE1IS");
	ok_eq(call_high(quiet, 0, UPPER), pfr0, "after other changes");
	ok_eq(call_high(faults, 0, UPPER), 2 * QUIET, "not executable any more");
	ok_eq(call_high(one_page, MRS_MIDR, UPPER), midr, "MIDR_EL1 again");
	ok_eq(call_high(timer, 1ULL << 60, UPPER), 1, "the physical timer is the same at EL2");
	ok_eq(call_high(timer_interrupt, 0, UPPER), 1, "the physical timer's interrupt");
}
