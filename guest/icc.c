/* SPDX-License-Identifier: Apache-2.0 */
/* The GICv3 CPU interface through its system registers (IHI 0069, 12.2), with SGIs to oneself. */
#include "lib/guest.h"

const char guest_name[] = "icc";

#define ICC_PMR_EL1	"S3_0_C4_C6_0"
#define ICC_AP1R0_EL1	"S3_0_C12_C9_0"
#define ICC_DIR_EL1	"S3_0_C12_C11_1"
#define ICC_RPR_EL1	"S3_0_C12_C11_3"
#define ICC_SGI1R_EL1	"S3_0_C12_C11_5"
#define ICC_IAR1_EL1	"S3_0_C12_C12_0"
#define ICC_EOIR1_EL1	"S3_0_C12_C12_1"
#define ICC_HPPIR1_EL1	"S3_0_C12_C12_2"
#define ICC_BPR1_EL1	"S3_0_C12_C12_3"
#define ICC_CTLR_EL1	"S3_0_C12_C12_4"
#define ICC_SRE_EL1	"S3_0_C12_C12_5"
#define ICC_IGRPEN1_EL1 "S3_0_C12_C12_7"

enum {
	CTLR_EOIMODE = 2,
	GICR_SGI = 0x10000,
	ISPENDR = 0x200,
	ISACTIVER = 0x300,
	IPRIORITYR = 0x400,
	IDLE = 0xff,
};

static volatile unsigned last_irq;

static uint64_t sgi_frame(void)
{
	return gic_redist() + GICR_SGI;
}

static void self(unsigned intid)
{
	gic_send_sgi(0, intid);
}

static void set_priority(unsigned intid, uint8_t priority)
{
	write8(sgi_frame() + IPRIORITYR + intid, priority);
	dsb();
}

static uint64_t ack(void)
{
	return mrs(ICC_IAR1_EL1);
}

static void eoi(unsigned intid)
{
	msr(ICC_EOIR1_EL1, intid);
	isb();
}

static void test_registers(void)
{
	uint64_t ctlr = mrs(ICC_CTLR_EL1), pmr;

	ok_eq(mrs(ICC_SRE_EL1) & 1, 1, "ICC_SRE_EL1.SRE");
	msr(ICC_SRE_EL1, 7);
	isb();
	ok_eq(mrs(ICC_SRE_EL1) & 1, 1, "ICC_SRE_EL1.SRE after a write");
	ok((ctlr >> 8 & 7) >= 3, "at least 16 priorities", "ICC_CTLR_EL1 0x%lx", ctlr);
	msr(ICC_CTLR_EL1, ctlr | CTLR_EOIMODE);
	isb();
	ok_eq(mrs(ICC_CTLR_EL1), ctlr | CTLR_EOIMODE, "ICC_CTLR_EL1.EOImode set");
	msr(ICC_CTLR_EL1, ctlr);
	isb();
	ok_eq(mrs(ICC_CTLR_EL1), ctlr, "ICC_CTLR_EL1 restored");
	msr(ICC_PMR_EL1, 0x80);
	ok_eq(mrs(ICC_PMR_EL1), 0x80, "ICC_PMR_EL1");
	msr(ICC_PMR_EL1, 0xff);
	pmr = mrs(ICC_PMR_EL1);
	ok((pmr & 0xf0) == 0xf0 && pmr <= 0xff, "ICC_PMR_EL1, implemented bits", "0x%lx", pmr);
	asm volatile("msr " ICC_PMR_EL1 ", xzr" ::: "memory");
	ok_eq(mrs(ICC_PMR_EL1), 0, "ICC_PMR_EL1 from XZR");
	msr(ICC_PMR_EL1, 0xf0);
	msr(ICC_BPR1_EL1, 7);
	ok_eq(mrs(ICC_BPR1_EL1), 7, "ICC_BPR1_EL1");
	msr(ICC_BPR1_EL1, 0);
	ok(mrs(ICC_BPR1_EL1) <= 4, "ICC_BPR1_EL1, minimum", "%lu", mrs(ICC_BPR1_EL1));
	msr(ICC_IGRPEN1_EL1, 0);
	isb();
	ok_eq(mrs(ICC_IGRPEN1_EL1), 0, "ICC_IGRPEN1_EL1 off");
	msr(ICC_IGRPEN1_EL1, 1);
	isb();
	ok_eq(mrs(ICC_IGRPEN1_EL1), 1, "ICC_IGRPEN1_EL1 on");
}

static void test_idle(void)
{
	ok_eq(ack(), SPURIOUS, "ICC_IAR1_EL1 with nothing pending");
	ok_eq(mrs(ICC_HPPIR1_EL1), SPURIOUS, "ICC_HPPIR1_EL1 with nothing pending");
	ok_eq(mrs(ICC_RPR_EL1), IDLE, "ICC_RPR_EL1 idle");
	ok_eq(mrs(ICC_AP1R0_EL1), 0, "ICC_AP1R0_EL1 idle");
	ok_eq(mrs("isr_el1") & 0x80, 0, "ISR_EL1.I with nothing pending");
}

#define READ_TO(n)                                                                                 \
	({                                                                                         \
		register uint64_t r asm("x" #n);                                                   \
		asm volatile("mrs %0, " ICC_PMR_EL1 : "=r"(r));                                    \
		ok_eq(r, 0xf0, "MRS to X" #n);                                                     \
	})

/* Whatever the register, and without touching another. */
static void test_every_register(void)
{
	uint64_t a, b;

	READ_TO(0);
	READ_TO(1);
	READ_TO(7);
	READ_TO(15);
	READ_TO(16);
	READ_TO(17);
	READ_TO(18);
	READ_TO(20);
	READ_TO(28);
	asm volatile("mrs x30, " ICC_PMR_EL1 "\n\tmov %0, x30" : "=r"(a)::"x30");
	ok_eq(a, 0xf0, "MRS to X30");
	asm volatile("mov %0, #5\n\tcmp %0, #5\n\tmrs xzr, " ICC_PMR_EL1 "\n\tcset %1, eq"
		     : "=&r"(a), "=r"(b)::"cc");
	ok(a == 5 && b == 1, "MRS to XZR; flags stay", "%lu %lu", a, b);
}

static void test_acknowledge(void)
{
	self(3);
	ok_eq(mrs("isr_el1") & 0x80, 0x80, "ISR_EL1.I with an SGI pending");
	ok_eq(mrs(ICC_HPPIR1_EL1), 3, "ICC_HPPIR1_EL1");
	ok_eq(ack(), 3, "ICC_IAR1_EL1");
	ok_eq(mrs(ICC_RPR_EL1), 0xa0, "ICC_RPR_EL1, active");
	ok_eq(read32(sgi_frame() + ISACTIVER), 1 << 3, "GICR_ISACTIVER0");
	ok(mrs(ICC_AP1R0_EL1), "ICC_AP1R0_EL1, active", "0");
	self(4);
	ok_eq(mrs(ICC_HPPIR1_EL1), 4, "another of the same priority is pending");
	ok_eq(ack(), SPURIOUS, "and does not preempt");
	eoi(3);
	ok_eq(mrs(ICC_RPR_EL1), IDLE, "ICC_RPR_EL1 after EOI");
	ok_eq(ack(), 4, "and is next");
	eoi(4);
	ok_eq(read32(sgi_frame() + ISACTIVER), 0, "nothing active");
}

static void test_priorities(void)
{
	set_priority(1, 0xc0);
	set_priority(2, 0x40);
	self(1);
	self(2);
	ok_eq(ack(), 2, "the higher priority first");
	eoi(2);
	ok_eq(ack(), 1, "then the lower");
	self(2);
	ok_eq(ack(), 2, "preemption");
	ok_eq(mrs(ICC_RPR_EL1), 0x40, "running priority is the highest active");
	eoi(2);
	ok_eq(mrs(ICC_RPR_EL1), 0xc0, "and drops again");
	eoi(1);
	msr(ICC_PMR_EL1, 0x80);
	self(1);
	ok_eq(ack(), SPURIOUS, "ICC_PMR_EL1 holds back");
	msr(ICC_PMR_EL1, 0xf0);
	ok_eq(ack(), 1, "until it is raised");
	eoi(1);
	msr(ICC_IGRPEN1_EL1, 0);
	isb();
	self(1);
	ok_eq(ack(), SPURIOUS, "group disabled");
	msr(ICC_IGRPEN1_EL1, 1);
	isb();
	ok_eq(ack(), 1, "group enabled");
	eoi(1);
	set_priority(1, 0xa0);
	set_priority(2, 0xa0);
}

static void test_eoi_mode(void)
{
	uint64_t ctlr = mrs(ICC_CTLR_EL1);

	msr(ICC_CTLR_EL1, ctlr | CTLR_EOIMODE);
	isb();
	self(5);
	ok_eq(ack(), 5, "EOImode 1: acknowledged");
	eoi(5);
	ok_eq(mrs(ICC_RPR_EL1), IDLE, "EOImode 1: EOI drops the priority");
	ok_eq(read32(sgi_frame() + ISACTIVER), 1 << 5, "EOImode 1: still active");
	self(5);
	ok_eq(ack(), SPURIOUS, "EOImode 1: active is not taken again");
	msr(ICC_DIR_EL1, 5);
	isb();
	ok_eq(read32(sgi_frame() + ISACTIVER), 0, "EOImode 1: ICC_DIR_EL1 deactivates");
	ok_eq(ack(), 5, "EOImode 1: then it is");
	eoi(5);
	msr(ICC_DIR_EL1, 5);
	msr(ICC_CTLR_EL1, ctlr);
	isb();
}

static void on_irq(unsigned intid)
{
	last_irq = intid;
}

static void test_delivery(void)
{
	struct cpu *c = this_cpu();
	unsigned before = c->irqs;

	c->irq = on_irq;
	self(7);
	ok_eq(c->irqs, before, "masked by PSTATE.I");
	irq_on();
	ok(wait_for(&c->irqs, before + 1, 1000000) && last_irq == 7, "taken once unmasked",
	   "%u interrupts, last %u", c->irqs - before, last_irq);
	for (unsigned i = 0; i < 1000; i++) {
		self(i & 15);
		if (!wait_for(&c->irqs, before + 2 + i, 1000000) || last_irq != (i & 15))
			break;
	}
	irq_off();
	ok_eq(c->irqs - before, 1001, "1000 SGIs to oneself");
	/* To all others: none of it arrives here. */
	msr(ICC_SGI1R_EL1, 1ULL << 40 | 9ULL << 24);
	isb();
	ok_eq(ack(), SPURIOUS, "SGI to all others");
}

static void test_pending_bit(void)
{
	write32(sgi_frame() + ISPENDR, 1 << 6);
	dsb();
	ok_eq(ack(), 6, "set pending by GICR_ISPENDR0");
	eoi(6);
}

static void nothing(void)
{
}

static void lower_priority(void)
{
	asm volatile("msr s3_0_c4_c6_0, %0" ::"r"(0x50UL)); /* ICC_PMR_EL1 */
}

/* Of a branch that has gone to the same place many times, a new target is not foreseen. */
static void test_new_target(void)
{
	for (unsigned i = 0; i < 100; i++) {
		void (*volatile fn)(void) = i < 99 ? nothing : lower_priority;

		fn();
	}
	ok(mrs("s3_0_c4_c6_0") == 0x50, "ICC_PMR_EL1 written behind a pointer", " ");
	asm volatile("msr s3_0_c4_c6_0, %0" ::"r"(0xf0UL));
}

static void test_all(void)
{
	test_registers();
	test_idle();
	test_every_register();
	test_acknowledge();
	test_priorities();
	test_eoi_mode();
	test_delivery();
	test_pending_bit();
	test_new_target();
	test_idle();
}

void guest_main(void)
{
	if (gic_version != 3) {
		note("skipped: GICv2");
		ok(true, "skipped", " ");
		return;
	}
	gic_init();
	gic_init_cpu();
	test_all();
	note("MMU on");
	mmu_on();
	test_all();
}
