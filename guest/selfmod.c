/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code that is written, copied and rewritten at run time, with instructions in it that a hypervisor
 * under the guest may have to intercept, on one CPU and on several.
 *
 * What a guest sees when it reads its own code is noted, not judged: an intercepted instruction may
 * read as BRK.
 */
#include "lib/guest.h"

const char guest_name[] = "selfmod";

enum {
	RET = 0xd65f03c0,
	NOP = 0xd503201f,
	MRS_PFR0 = 0xd5380400, /* mrs x0, id_aa64pfr0_el1 */
	MRS_PMR = 0xd5384600,  /* mrs x0, icc_pmr_el1 */
	MSR_PMR = 0xd5184600,  /* msr icc_pmr_el1, x0 */
	HVC_0 = 0xd4000002,
	MOVZ_X0 = 0xd2800000, /* mov x0, #imm16 << 5 */
	BUFFERS = 4,
	WORDS = 1024,
};

typedef uint64_t code_fn(uint64_t x0);

/* Each in a page of its own. */
static uint32_t buffer[BUFFERS][WORDS] __attribute__((aligned(4096)));
static uint32_t mixed[WORDS] __attribute__((aligned(4096)));

/* Read where intercepted words would stand if they were code. */
static const uint32_t not_code[] = {MRS_PFR0, MRS_PMR, MSR_PMR, HVC_0, 0xd4380000, RET};
extern const uint32_t inline_data[];
uint64_t over_inline_data(uint64_t x0);
asm(".pushsection .text\n.balign 4\n.globl over_inline_data\nover_inline_data:\n"
    "	mrs	x0, id_aa64pfr0_el1\n	b	1f\n"
    ".globl inline_data\ninline_data:\n"
    "	.inst	0xd5380400, 0xd5384600, 0xd5184600, 0xd4000002, 0xd4380000, 0xd65f03c0\n"
    "1:	ret\n.popsection\n");

/* Assembled code to copy. */
extern const uint32_t template_begin[], template_end[];
uint64_t template_begin_fn(uint64_t x0);
asm(".pushsection .text\n.balign 4\n.globl template_begin, template_end, template_begin_fn\n"
    "template_begin:\ntemplate_begin_fn:\n"
    "	mrs	x1, id_aa64pfr0_el1\n"
    "	cbz	x0, 1f\n"
    "	mrs	x2, id_aa64pfr0_el1\n"
    "	cmp	x1, x2\n"
    "	b.ne	2f\n"
    "1:	mov	x0, x1\n"
    "	ret\n"
    "2:	mov	x0, #0\n"
    "	ret\n"
    "template_end:\n.popsection\n");

static void put(uint32_t *at, uint32_t a, uint32_t b)
{
	*(volatile uint32_t *)&at[0] = a;
	*(volatile uint32_t *)&at[1] = b;
	code_sync(at, 8);
}

static uint64_t call(const uint32_t *at, uint64_t x0)
{
	return ((code_fn *)at)(x0);
}

static uint64_t pfr0(void)
{
	return mrs("id_aa64pfr0_el1");
}

static void test_rewrite(void)
{
	unsigned bad = 0;

	for (unsigned i = 0; i < 100; i++) {
		put(buffer[0], MOVZ_X0 | (i + 1) << 5, RET);
		bad += call(buffer[0], 0) != i + 1;
		put(buffer[0], MRS_PFR0, RET);
		bad += call(buffer[0], 0) != pfr0();
		put(buffer[0], NOP, RET);
		bad += call(buffer[0], 1234) != 1234;
	}
	ok_eq(bad, 0, "code rewritten in place");
}

/* Rd from 0 to 30: the result moved to x0 by a second instruction. */
static void test_generated(void)
{
	for (unsigned rt = 0; rt < 18; rt++) {
		uint32_t *at = &buffer[1][rt * 4];

		at[0] = MRS_PFR0 | rt;
		at[1] = 0xaa0003e0 | rt << 16; /* mov x0, xRT */
		at[2] = RET;
		code_sync(at, 12);
		if (call(at, 0) != pfr0())
			ok(false, "generated MRS", "to X%u", rt);
	}
	ok(true, "generated MRS", " ");
}

static void copy(uint32_t *to)
{
	for (unsigned i = 0; template_begin + i < template_end; i++)
		to[i] = ((const volatile uint32_t *)template_begin)[i];
	code_sync(to, (size_t)((const char *)template_end - (const char *)template_begin));
}

/* Copied before it has run, after it has run, and a copy of a copy. */
static void test_copy(void)
{
	copy(buffer[2]);
	ok_eq(call(buffer[2], 1), pfr0(), "copied code");
	ok_eq(template_begin_fn(1), pfr0(), "the original");
	copy(&buffer[2][256]);
	ok_eq(call(&buffer[2][256], 1), pfr0(), "copied after it ran");
	for (unsigned i = 0; i < 16; i++)
		buffer[2][512 + i] = ((volatile uint32_t *)buffer[2])[256 + i];
	code_sync(&buffer[2][512], 64);
	ok_eq(call(&buffer[2][512], 1), pfr0(), "a copy of a copy");
	ok_eq(call(&buffer[2][512], 0), pfr0(), "its other path");
	note("MRS ID_AA64PFR0_EL1 (0x%x) reads as 0x%x", MRS_PFR0 | 1, template_begin[0]);
}

static void test_gic_code(void)
{
	if (gic_version != 3)
		return;
	put(buffer[3], MSR_PMR, RET);
	call(buffer[3], 0x90);
	put(&buffer[3][8], MRS_PMR, RET);
	ok_eq(call(&buffer[3][8], 0), 0x90, "written ICC access");
	put(buffer[3], MRS_PMR, RET);
	ok_eq(call(buffer[3], 0), 0x90, "MSR overwritten by MRS");
	put(&buffer[3][8], MSR_PMR, RET);
	call(&buffer[3][8], 0xf0);
	ok_eq(call(buffer[3], 0), 0xf0, "MRS overwritten by MSR");
}

/* BRK #0xc000: see imms below. */
asm(".pushsection .text\n	brk	#0xc000\n	.popsection");

static void brk_fn(uint64_t arg)
{
	call((const uint32_t *)arg, 0);
}

static void test_written_brk(void)
{
	/* A BRK with the immediate of a slot in use, written at run time, is taken for a copy of patched
	 * code: docs/interception.md, limits. 0xc000 stands in this image, so no slot has it. */
	static const uint16_t imms[] = {0, 0x800, 0xc000, 0xdffe, 0xf000};
	struct trap t;

	for (unsigned i = 0; i < ARRAY_COUNT(imms); i++) {
		put(&buffer[3][16], 0xd4200000 | (uint32_t)imms[i] << 5, RET);
		ok(trap_el1(brk_fn, (uint64_t)&buffer[3][16], &t) &&
			   t.esr == (0xf2000000 | imms[i]) && t.elr == (uint64_t)&buffer[3][16],
		   "written BRK", "imm 0x%x: ESR 0x%lx ELR 0x%lx", imms[i], t.esr, t.elr);
	}
}

static void test_data(void)
{
	unsigned bad = 0;

	for (unsigned i = 0; i < ARRAY_COUNT(not_code); i++) {
		bad += ((volatile const uint32_t *)not_code)[i] != not_code[i];
		mixed[256 + i] = not_code[i];
	}
	put(mixed, MRS_PFR0, RET);
	ok_eq(call(mixed, 0), pfr0(), "code in a page with data");
	for (unsigned i = 0; i < ARRAY_COUNT(not_code); i++)
		bad += ((volatile uint32_t *)mixed)[256 + i] != not_code[i];
	ok_eq(bad, 0, "data that looks like code stays");
	ok_eq(over_inline_data(0), pfr0(), "code around data");
	for (unsigned i = 0; i < ARRAY_COUNT(not_code); i++)
		bad += ((volatile const uint32_t *)inline_data)[i] != not_code[i];
	ok_eq(bad, 0, "data between code stays");
}

/* ---- several CPUs ---- */

static struct {
	volatile unsigned round, answered, bad;
	volatile uint64_t want;
} shared __attribute__((aligned(2048)));

static void run_rounds(void *arg)
{
	unsigned seen = 0;

	while (seen < 50) {
		while (shared.round == seen)
			;
		seen++;
		asm volatile("dmb ish; isb" ::: "memory");
		if (call(buffer[0], 0) != shared.want)
			shared.bad++;
		asm volatile("1: ldaxr w0, [%0]\n\tadd w0, w0, #1\n\tstlxr w1, w0, [%0]\n\tcbnz "
			     "w1, 1b" ::"r"(&shared.answered)
			     : "x0", "x1", "memory");
	}
}

static void test_several_cpus(void)
{
	shared.round = shared.answered = shared.bad = 0;
	cache_flush(&shared, sizeof(shared));
	for (unsigned n = 1; n < cpu_count; n++)
		ok_eq((uint64_t)cpu_start(n, run_rounds, NULL), 0, "CPU_ON");
	for (unsigned i = 0; i < 50; i++) {
		if (i & 1)
			put(buffer[0], MRS_PFR0, RET);
		else
			put(buffer[0], MOVZ_X0 | i << 5, RET);
		shared.want = i & 1 ? pfr0() : i;
		asm volatile("dmb ish" ::: "memory");
		shared.round = i + 1;
		if (!wait_for(&shared.answered, (i + 1) * (cpu_count - 1), 5000000))
			break;
	}
	ok(!shared.bad && shared.answered == 50 * (cpu_count - 1), "rewritten under other CPUs",
	   "%u answers, %u of them wrong", shared.answered, shared.bad);
	for (unsigned n = 1; n < cpu_count; n++)
		ok(cpu_wait_off(n), "goes off", "CPU %u", n);
}

static void test_all(void)
{
	test_rewrite();
	test_generated();
	test_copy();
	test_gic_code();
	test_written_brk();
	test_data();
}

void guest_main(void)
{
	gic_init();
	gic_init_cpu();
	test_all();
	note("MMU on");
	mmu_on();
	test_all();
	test_several_cpus();
}
