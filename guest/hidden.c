/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing of patches is visible: at every level code reads as it was written, before it is executed and after, also when
 * it is copied elsewhere and executed there, and when it changes itself; exceptions tell of the instruction that is
 * there. Runs from EL3.
 */
#include "lib/below.h"

const char guest_name[] = "hidden";

#define SCR_NS	  BIT(0)
#define SCR_BASE  (3 << 4 | BIT(8) | BIT(10))
#define HCR_BASE  BIT(31)
#define SCTLR_MMU (BIT(0) | BIT(2) | BIT(12))
#define SCTLR_1	  (0x30500800ULL | BIT(14) | BIT(15) | BIT(16) | BIT(18) | BIT(9) | BIT(26))
#define SCTLR_23  0x30c50830ULL
#define TCR_12	  (25 | 1 << 8 | 1 << 10 | 3 << 12)

static const struct place {
	const char *name;
	unsigned el;
	uint64_t scr;
	bool mmu;
} places[] = {
	{"EL3", 3, 0, false},	     {"EL3, MMU on", 3, 0, true},
	{"Secure EL1", 1, 0, false}, {"Secure EL1, MMU on", 1, 0, true},
	{"EL2", 2, SCR_NS, false},   {"EL2, MMU on", 2, SCR_NS, true},
	{"EL1", 1, SCR_NS, false},   {"EL1, MMU on", 1, SCR_NS, true},
};

/* ---- a piece of code full of what is caught, and its words once more as data ---- */

#define BLOCK_CODE                                                                                 \
	"	mrs	x1, currentel\n"                                                                     \
	"	mrs	x2, midr_el1\n"                                                                      \
	"	msr	tpidr_el0, x0\n"                                                                     \
	"	add	x0, x0, #1\n"                                                                        \
	"	mrs	x3, tpidr_el0\n"                                                                     \
	"	mrs	x4, ctr_el0\n"                                                                       \
	"	dc	civac, x30\n"                                                                         \
	"	dsb	sy\n"                                                                                \
	"	ic	iallu\n"                                                                              \
	"	isb\n"                                                                                   \
	"	mrs	x5, mpidr_el1\n"                                                                     \
	"	tlbi	vmalle1\n"                                                                          \
	"	dsb	sy\n"                                                                                \
	"	mrs	x6, daif\n"                                                                          \
	"	b	1f\n"                                                                                  \
	"	brk	#1\n"                                                                                \
	"	smc	#2\n"                                                                                \
	"	eret\n"                                                                                  \
	"	wfi\n"                                                                                   \
	"1:	lsr	x1, x1, #2\n"                                                                      \
	"	eor	x3, x3, x0\n"                                                                        \
	"	orr	x0, x1, x3, lsl #8\n"                                                                \
	"	ret\n"

enum { BLOCK_WORDS = 23 };

asm(".pushsection .text\n.balign 64\n.globl block\nblock:\n" BLOCK_CODE
    ".popsection\n.pushsection .rodata\n.balign 64\n.globl reference\nreference:\n" BLOCK_CODE
    ".popsection\n");
extern const uint32_t block[], reference[];

/* With an even argument: the level, and ((x ^ (x + 1)) << 8). */
typedef uint64_t block_fn(uint64_t x);

static uint64_t block_result(uint64_t x, unsigned el)
{
	return el | (x ^ (x + 1)) << 8;
}

/* ---- C at any level ---- */

struct call {
	unsigned (*fn)(unsigned el);
	uint64_t el;
};
static uint8_t level_stack[8192] __attribute__((aligned(16), used));

FRAGMENT(call_c, "adrp x1, level_stack\n add x1, x1, :lo12:level_stack\n add x1, x1, #8192\n"
		 "mov sp, x1\n ldp x1, x0, [x0]\n blr x1");

/* ---- reading ---- */

enum { SAME = 0, READS_32 = 1, READS_8 = 2, READS_64 = 4, READS_PAIR = 8, RESULT = 16 };

/* How words and reference differ, by the way to look. */
static unsigned differences(const volatile uint32_t *words)
{
	const volatile uint8_t *b = (const volatile uint8_t *)words;
	const uint8_t *want = (const uint8_t *)reference;
	unsigned bad = SAME;

	for (unsigned i = 0; i < BLOCK_WORDS; i++) {
		if (words[i] != reference[i])
			bad |= READS_32;
	}
	for (unsigned i = 0; i < 4 * BLOCK_WORDS; i++) {
		if (b[i] != want[i])
			bad |= READS_8;
	}
	for (unsigned i = 0; i + 4 <= BLOCK_WORDS; i += 4) {
		uint64_t x, y;

		asm volatile("ldp %0, %1, [%2]" : "=r"(x), "=r"(y) : "r"(words + i) : "memory");
		if ((uint32_t)x != reference[i] || y >> 32 != reference[i + 3])
			bad |= READS_PAIR;
		x = *(const volatile uint64_t *)(words + i);
		if (x >> 32 != reference[i + 1])
			bad |= READS_64;
	}
	return bad;
}

/* Read, execute, and read again, often enough that whoever hides something has to give up. */
static unsigned own_code(unsigned el)
{
	unsigned bad = differences(block);

	for (uint64_t i = 0; i < 20; i++) {
		if (((block_fn *)block)(2 * i) != block_result(2 * i, el))
			bad |= RESULT;
		bad |= differences(block);
	}
	return bad;
}

/* ---- copies ---- */

static uint32_t room[4096] __attribute__((aligned(4096)));

static void copy(uint32_t *to, const volatile uint32_t *from)
{
	for (unsigned i = 0; i < BLOCK_WORDS; i++)
		to[i] = from[i];
	code_sync(to, 4 * BLOCK_WORDS);
}

/* Also copies of copies that have been executed, and such that cross pages. */
static unsigned copied_code(unsigned el)
{
	static const unsigned at[] = {0, 64, 1024 - 10, 2048 + 6, 3072 - 2};
	const volatile uint32_t *from = block;
	unsigned bad = SAME;

	for (unsigned i = 0; i < ARRAY_COUNT(at); i++) {
		uint32_t *to = room + at[i];

		copy(to, from);
		bad |= differences(to);
		if (((block_fn *)to)(2 * i) != block_result(2 * i, el))
			bad |= RESULT;
		bad |= differences(to);
		from = to;
	}
	return bad;
}

/* ---- code that changes ---- */

enum {
	RET = 0xd65f03c0,
	MRS_CURRENTEL = 0xd5384240,
	MOVZ_X0 = 0xd2800000, /* imm << 5 */
	MRS_MIDR = 0xd5380000,
};

static uint64_t call(uint32_t *code)
{
	return ((uint64_t(*)(void))code)();
}

/* What is caught and what is not, in turns, with data in the same page. */
static unsigned changing_code(unsigned el)
{
	uint32_t *code = room + 128;
	volatile uint32_t *data = room + 900;
	unsigned bad = SAME;

	code[1] = RET;
	for (unsigned i = 0; i < 100; i++) {
		static const uint32_t words[] = {MRS_CURRENTEL, MOVZ_X0, MRS_MIDR};
		uint64_t want[] = {el << 2, i, mrs("midr_el1")};

		code[0] = words[i % 3] | (i % 3 == 1 ? i << 5 : 0);
		*data = i;
		code_sync(code, 8);
		bad |= call(code) != want[i % 3] ? RESULT : SAME;
		bad |= *(volatile uint32_t *)code != (words[i % 3] | (i % 3 == 1 ? i << 5 : 0))
			       ? READS_32
			       : SAME;
		bad |= *data != i ? READS_64 : SAME;
	}
	return bad;
}

/* Stores a word right in front of itself: X0 from the old instruction, then from the new one. */
asm(".pushsection .text\n"
    ".balign 64\n"
    ".globl change_ahead\n"
    "change_ahead:\n"
    "	adr	x2, 1f\n"
    "	str	w0, [x2]\n"
    "	dc	cvau, x2\n"
    "	dsb	ish\n"
    "	ic	ivau, x2\n"
    "	dsb	ish\n"
    "	isb\n"
    "1:	brk	#3\n"
    "	ret\n"
    ".popsection\n");
uint64_t change_ahead(uint32_t word);

static unsigned change_itself(unsigned el)
{
	unsigned bad = SAME;

	for (unsigned i = 0; i < 30; i++) {
		bad |= change_ahead(MOVZ_X0 | i << 5) != i ? RESULT : SAME;
		bad |= change_ahead(MRS_CURRENTEL) != el << 2 ? RESULT : SAME;
	}
	return bad;
}

/* ---- the whole program ---- */

extern const uint32_t image_start[], data_start[];
static uint64_t sum_at_first;

static uint64_t checksum(void)
{
	const volatile uint32_t *end = (const volatile uint32_t *)change_ahead;
	uint64_t sum = 0;

	for (const volatile uint32_t *p = image_start; p < data_start; p++) {
		if (p < end || p >= end + 16) /* it changes */
			sum = (sum << 7 | sum >> 57) ^ *p;
	}
	return sum;
}

static unsigned whole_program(unsigned el)
{
	return checksum() == sum_at_first ? SAME : READS_32;
}

/* ---- exceptions ---- */

FRAGMENT(do_brk, "nop\n nop\n nop\n nop\n brk #0x1234");
FRAGMENT(do_udf, "nop\n nop\n nop\n nop\n udf #7");
FRAGMENT(do_svc, "nop\n nop\n nop\n nop\n svc #0x77");
FRAGMENT(do_smc, "nop\n nop\n nop\n nop\n .inst 0xd4000003 | 0x55 << 5");
FRAGMENT(do_hlt, "nop\n nop\n nop\n nop\n hlt #9");
FRAGMENT(do_impdef, "nop\n nop\n nop\n nop\n mrs x0, s3_7_c15_c15_7");
FRAGMENT(do_load, "nop\n nop\n nop\n nop\n ldr x1, [x0]");
FRAGMENT(do_jump, "nop\n nop\n nop\n nop\n br x0");
FRAGMENT(do_level, "nop\n nop\n nop\n nop\n mrs x0, currentel");
FRAGMENT(do_spsel, "nop\n nop\n msr spsel, #0\n mrs x0, spsel\n msr spsel, #1");
FRAGMENT(do_flags, "mov x1, #0xa0000000\n msr nzcv, x1\n msr daifset, #15\n nop\n udf #0");

enum { ANYWHERE = 1, HIGHEST = 2, HOLE = 4, AFTER = 8 };

static const struct exception {
	const char *what;
	trap_fn *fn;
	uint64_t esr;
	unsigned flags;
} exceptions[] = {
	{"BRK", do_brk, EC(0x3c) | 0x1234, 0},
	{"UDF", do_udf, EC(0), 0},
	{"SVC", do_svc, EC(0x15) | 0x77, AFTER},
	{"SMC", do_smc, EC(0x17) | 0x55, AFTER | HIGHEST},
	{"HLT", do_hlt, EC(0), 0},
	{"a register that is not there", do_impdef, EC(0), 0},
	{"load from nowhere", do_load, EC(0x25) | 0x10, HOLE},
	{"jump to nowhere", do_jump, EC(0x21) | 0x10, HOLE | ANYWHERE},
	{"UDF with flags", do_flags, EC(0), 0},
};

static struct tables {
	uint64_t l1[512];
} tables __attribute__((aligned(4096)));

static char text[96];

static const char *name(const struct place *a, const char *what)
{
	char *p = text;

	for (const char *s = a->name; *s; s++)
		*p++ = *s;
	*p++ = ':';
	*p++ = ' ';
	for (const char *s = what; *s && p < text + sizeof(text) - 1; s++)
		*p++ = *s;
	*p = '\0';
	return text;
}

static void run_at(const struct place *a, trap_fn *fn, uint64_t arg)
{
	uint64_t mmu = a->mmu ? SCTLR_MMU : 0;

	msr("scr_el3", SCR_BASE | a->scr);
	isb();
	msr("sctlr_el1", SCTLR_1 | mmu);
	msr("sctlr_el2", SCTLR_23 | mmu);
	cache_flush(&tables, sizeof(tables));
	msr("sctlr_el3", SCTLR_23 | (a->el == 3 ? mmu : 0));
	isb();
	run_spsr(0x3c1 | a->el << 2, fn, arg);
	msr("sctlr_el3", SCTLR_23);
	isb();
}

static void test_exception(const struct place *a, const struct exception *e)
{
	unsigned to = e->flags & HIGHEST ? 3 : a->el;
	uint64_t arg = e->flags & HOLE ? HOLE_BASE : 0, elr = (uint64_t)e->fn + 16;
	uint64_t spsr = e->fn == do_flags ? 0xa00003c1 : 0x3c1;

	elr = e->flags & ANYWHERE ? arg : e->flags & AFTER ? elr + 4 : elr;
	run_at(a, e->fn, arg);
	ok(event.level == to && event.esr == e->esr && event.elr == elr &&
		   event.vector == (a->el < to ? 8 : 4) &&
		   (event.spsr & 0xf00003df) == (spsr | a->el << 2) &&
		   (!(e->flags & HOLE) || event.far == arg),
	   name(a, e->what),
	   "EL%lu vector %lu ESR 0x%lx ELR 0x%lx, not 0x%lx; SPSR 0x%lx FAR 0x%lx", event.level,
	   event.vector, event.esr, event.elr, elr, event.spsr, event.far);
}

static void test_state(const struct place *a)
{
	run_at(a, do_level, 0);
	ok_eq(event.x0, a->el << 2, name(a, "CurrentEL"));
	run_at(a, do_spsel, 0);
	ok_eq(event.x0, 0, name(a, "SPSel"));
}

/* ---- */

static void test_code(const struct place *a, unsigned (*fn)(unsigned el), const char *what)
{
	struct call c = {fn, a->el};

	cache_flush(&c, sizeof(c));
	cache_flush(level_stack, sizeof(level_stack));
	run_at(a, call_c, (uint64_t)&c);
	if (event.esr != (EC(0x15) | NOTHING))
		ok(false, name(a, what), "EL%lu ESR 0x%lx ELR 0x%lx FAR 0x%lx", event.level,
		   event.esr, event.elr, event.far);
	else
		ok_eq((uint32_t)event.x0, SAME, name(a, what));
}

static void off(void)
{
	write32(0x090b0400, 1);
	write32(0x090b0004, 0);
	write32(0x090b0004, 1);
}

static void begin(void)
{
	event.top = 3;
	guest_off = off;
	ok_eq(mrs("currentel") >> 2, 3, "begins at EL3");
	msr("cptr_el3", 0);
	msr("mdcr_el3", 0);
	msr("vbar_el3", levels_vectors_el3);
	msr("scr_el3", SCR_BASE | SCR_NS);
	isb();
	msr("hcr_el2", HCR_BASE);
	msr("vbar_el2", levels_vectors_el2);
	msr("vbar_el1", levels_vectors_el1);
	msr("cptr_el2", 0x33ff);
	msr("mdcr_el2", 0);
	msr("cnthctl_el2", 3);
	msr("vttbr_el2", 0);
	msr("vpidr_el2", mrs("midr_el1"));
	msr("vmpidr_el2", mrs("mpidr_el1"));
	msr("cpacr_el1", 3 << 20);
	msr("mair_el1", 0x00ff);
	msr("mair_el2", 0x00ff);
	msr("mair_el3", 0x00ff);
	msr("tcr_el1", TCR_12 | 1 << 23 | 1ULL << 32);
	msr("tcr_el2", TCR_12 | 1 << 16 | 1ULL << 31 | 1 << 23);
	msr("tcr_el3", TCR_12 | 1 << 16 | 1ULL << 31 | 1 << 23);
	tables.l1[0] = 1 | 1 << 10 | 1 << 2;
	tables.l1[1] = RAM_BASE | 1 | 1 << 10 | 3 << 8;
	msr("ttbr0_el1", &tables);
	msr("ttbr0_el2", &tables);
	msr("ttbr0_el3", &tables);
	asm volatile("dsb sy\n tlbi alle1\n tlbi alle2\n tlbi alle3\n dsb sy\n isb" ::: "memory");
}

void guest_main(void)
{
	begin();
	sum_at_first = checksum();
	for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
		const struct place *a = &places[i];

		test_code(a, own_code, "own code as data");
		test_code(a, copied_code, "copied code");
		test_code(a, changing_code, "changing code");
		test_code(a, change_itself, "code that changes itself");
		test_code(a, whole_program, "the whole program");
		test_state(a);
		for (size_t e = 0; e < ARRAY_COUNT(exceptions); e++)
			test_exception(a, &exceptions[e]);
	}
}
