/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every form of load and store on device registers, above all those for which an abort has no
 * instruction syndrome.
 *
 * Memory-like registers that every board here has: the PL031's RTCMR and RTCLR, two words side by
 * side (8-byte aligned: RTCLR and RTCCR, which reads 1), and the bytes of GICD_IPRIORITYR (values are
 * multiples of 0x10, which every GIC implements). On GICv3 also GICD_IROUTER, of 8 bytes.
 */
#include "lib/guest.h"

const char guest_name[] = "mmio";

enum {
	RTCDR = 0x0,
	RTCMR = 0x4,
	RTCLR = 0x8,
	PRIO = GICD_BASE + 0x400 + 64, /* SPIs from INTID 64 */
	ROUTER = GICD_BASE + 0x6000 + 8 * 64,
	A = 0x11223344,
	B = 0x8899aabb, /* negative as a word */
};

static const uint64_t MR = RTC_BASE + RTCMR, LR = RTC_BASE + RTCLR;

/* What the current form did: base register after, results, vector result. */
static uint64_t base, r1, r2, v[4];

/* CODE sees the address in x9, inputs in x1 and x2 (also in the words of v0 and v1) and leaves results in
 * x1 and x2 or v0 and v1. */
#define RUN(address, in1, in2, code)                                                               \
	do {                                                                                       \
		register uint64_t x9 asm("x9") = (address);                                        \
		register uint64_t x1 asm("x1") = (in1);                                            \
		register uint64_t x2 asm("x2") = (in2);                                            \
		asm volatile(".arch armv8.4-a+simd\n\t"                                            \
			     "movi v0.2d, #0\n\tmovi v1.2d, #0\n\t"                                \
			     "mov v0.d[0], x1\n\tmov v1.d[0], x2\n\t"                              \
			     "mov x3, #4\n\tmov x4, #-4\n\t" code "\n\t"                           \
			     "str q0, [%3]\n\tstr q1, [%3, #16]\n\t"                               \
			     ".arch armv8-a"                                                       \
			     : "+r"(x9), "+r"(x1), "+r"(x2)                                        \
			     : "r"(v)                                                              \
			     : "x3", "x4", "x5", "x6", "x7", "memory");                            \
		base = x9;                                                                         \
		r1 = x1;                                                                           \
		r2 = x2;                                                                           \
	} while (0)

static void set_words(uint32_t a, uint32_t b)
{
	write32(MR, a);
	write32(LR, b);
}

static void loaded(const char *name, uint64_t w1, uint64_t w2, uint64_t want_base)
{
	ok(r1 == w1 && r2 == w2 && base == want_base, name, "0x%lx 0x%lx base 0x%lx", r1, r2, base);
}

static void stored(const char *name, uint32_t a, uint32_t b, uint64_t want_base)
{
	uint32_t ga = read32(MR), gb = read32(LR);

	ok(ga == a && gb == b && base == want_base, name, "0x%x 0x%x base 0x%lx", ga, gb, base);
}

static void vector(const char *name, uint64_t v0, uint64_t v1, uint64_t want_base)
{
	ok(v[0] == v0 && v[2] == v1 && base == want_base, name, "0x%lx 0x%lx base 0x%lx", v[0],
	   v[2], base);
}

static void test_pairs(void)
{
	set_words(A, B);
	RUN(MR, 0, 0, "ldp w1, w2, [x9]");
	loaded("LDP W", A, B, MR);
	RUN(MR - 4, 0, 0, "ldp w1, w2, [x9, #4]!");
	loaded("LDP W, pre-index", A, B, MR);
	RUN(MR, 0, 0, "ldp w1, w2, [x9], #-16");
	loaded("LDP W, post-index", A, B, MR - 16);
	RUN(MR, 0, 0, "ldpsw x1, x2, [x9]");
	loaded("LDPSW", A, 0xffffffff00000000 | (uint32_t)B, MR);
	RUN(MR, 0, 0, "ldnp w1, w2, [x9]");
	loaded("LDNP W", A, B, MR);
	RUN(MR, 7, 0, "ldp wzr, w2, [x9]");
	loaded("LDP with WZR", 7, B, MR);
	RUN(MR, 1, 2, "stp w1, w2, [x9]");
	stored("STP W", 1, 2, MR);
	RUN(MR + 8, 3, 4, "stp w1, w2, [x9, #-8]!");
	stored("STP W, pre-index", 3, 4, MR);
	RUN(MR, 5, 6, "stp w1, w2, [x9], #8");
	stored("STP W, post-index", 5, 6, MR + 8);
	RUN(MR, 7, 8, "stnp w1, w2, [x9]");
	stored("STNP W", 7, 8, MR);
	RUN(MR, 7, 8, "stp wzr, w2, [x9]");
	stored("STP with WZR", 0, 8, MR);
}

static void test_doublewords(void)
{
	set_words(A, B);
	RUN(LR, 0, 0, "ldr x1, [x9]");
	loaded("LDR X", 1ULL << 32 | (uint32_t)B, 0, LR);
	RUN(LR - 8, 0, 0, "ldr x1, [x9, #8]!");
	loaded("LDR X, pre-index", 1ULL << 32 | (uint32_t)B, 0, LR);
	RUN(LR, 0, 0, "ldr x1, [x9], #8");
	loaded("LDR X, post-index", 1ULL << 32 | (uint32_t)B, 0, LR + 8);
	RUN(LR, 0x100000055, 0, "str x1, [x9]");
	stored("STR X", A, 0x55, LR);
	RUN(LR, 0x100000066, 0, "str x1, [x9], #-8");
	stored("STR X, post-index", A, 0x66, LR - 8);
	/* RTCDR runs; RTCMR; RTCLR; RTCCR */
	RUN(LR - 8, 0, 0, "ldp x1, x2, [x9]\n\tlsr x1, x1, #32");
	loaded("LDP X", A, 1ULL << 32 | 0x66, LR - 8);
	RUN(LR - 8, 0x7700000000, 0x100000088, "stp x1, x2, [x9]");
	stored("STP X", 0x77, 0x88, LR - 8);
}

static void test_write_back(void)
{
	uint64_t user = mrs("sctlr_el1") & 1 ? USER_DEVICE_BASE + MR : MR;

	set_words(A, B);
	RUN(MR, 0, 0, "ldr w1, [x9], #4");
	loaded("LDR W, post-index", A, 0, MR + 4);
	RUN(MR, 0, 0, "ldr w1, [x9, #4]!");
	loaded("LDR W, pre-index", (uint32_t)B, 0, LR);
	RUN(LR, 0, 0, "ldrsw x1, [x9], #255");
	loaded("LDRSW, post-index", 0xffffffff00000000 | (uint32_t)B, 0, LR + 255);
	RUN(MR, 9, 0, "str w1, [x9], #-256");
	stored("STR W, post-index", 9, (uint32_t)B, MR - 256);
	RUN(MR, 10, 0, "str w1, [x9, #4]!");
	stored("STR W, pre-index", 9, 10, LR);
	RUN(MR, 0, 0, "ldr w1, [x9, x3]");
	loaded("LDR W, register offset", 10, 0, MR);
	RUN(LR, 0, 0, "ldr w1, [x9, w4, sxtw]");
	loaded("LDR W, SXTW offset", 9, 0, LR);
	RUN(MR, 0, 0, "ldur w1, [x9, #4]");
	loaded("LDUR W", 10, 0, MR);
	RUN(user, 0, 0, "ldtr w1, [x9, #4]");
	loaded("LDTR W", 10, 0, user);
	RUN(user, 11, 0, "sttr w1, [x9]");
	stored("STTR W", 11, 10, user);
}

static void test_bytes(void)
{
	write32(PRIO, 0x90a0b0c0);
	write32(PRIO + 4, 0x10203040);
	RUN(PRIO + 1, 0, 0, "ldrb w1, [x9], #1\n\tldrb w2, [x9, #1]!");
	loaded("LDRB with write-back", 0xb0, 0x90, PRIO + 3);
	RUN(PRIO, 0, 0, "ldrsb w1, [x9], #4\n\tldrsb x2, [x9]");
	loaded("LDRSB", 0xffffffc0, 0x40, PRIO + 4);
	RUN(PRIO, 0, 0, "ldrsb x1, [x9, #2]!");
	loaded("LDRSB X, pre-index", 0xffffffffffffffa0, 0, PRIO + 2);
	RUN(PRIO, 0x50, 0x60, "strb w1, [x9], #1\n\tstrb w2, [x9]");
	ok_eq(read32(PRIO), 0x90a06050, "STRB, post-index");
	RUN(PRIO, 0x70, 0, "str b0, [x9, #3]");
	ok_eq(read32(PRIO), 0x70a06050, "STR B");
	RUN(PRIO, 0, 0, "ldr b0, [x9, #2]");
	vector("LDR B", 0xa0, 0, PRIO);
	RUN(PRIO, 0, 0, "ld1 {v0.b}[3], [x9], #1\n\tld1 {v0.b}[0], [x9]");
	vector("LD1, lane of B", 0x50000060, 0, PRIO + 1);
}

static void test_simd(void)
{
	set_words(A, B);
	RUN(MR, 0, 0, "ldr s0, [x9]\n\tldr s1, [x9, #4]");
	vector("LDR S", A, (uint32_t)B, MR);
	RUN(MR, 0, 0, "ldr s0, [x9], #4\n\tldr s1, [x9], #4");
	vector("LDR S, post-index", A, (uint32_t)B, MR + 8);
	RUN(MR, 0, 0, "ldp s0, s1, [x9]");
	vector("LDP S", A, (uint32_t)B, MR);
	RUN(LR, 0, 0, "ldr d0, [x9]");
	vector("LDR D", 1ULL << 32 | (uint32_t)B, 0, LR);
	RUN(LR - 8, 0, 0, "ldp d0, d1, [x9]\n\tushr d0, d0, #32");
	vector("LDP D", A, 1ULL << 32 | (uint32_t)B, LR - 8);
	RUN(LR - 8, 0, 0, "ldr q0, [x9]\n\tmov v1.d[0], v0.d[1]\n\tushr d0, d0, #32");
	vector("LDR Q", A, 1ULL << 32 | (uint32_t)B, LR - 8);
	RUN(LR - 8, 0, 0, "ldr q0, [x9], #16\n\tmov v1.d[0], v0.d[1]\n\tushr d0, d0, #32");
	vector("LDR Q, post-index", A, 1ULL << 32 | (uint32_t)B, LR + 8);
	RUN(MR, 21, 22, "str s0, [x9]\n\tstr s1, [x9, #4]");
	stored("STR S", 21, 22, MR);
	RUN(MR, 23, 24, "stp s0, s1, [x9], #8");
	stored("STP S, post-index", 23, 24, MR + 8);
	RUN(LR, 0x100000019, 0, "str d0, [x9]");
	stored("STR D", 23, 25, LR);
	RUN(LR - 8, 26ULL << 32, 1ULL << 32 | 27, "mov v0.d[1], v1.d[0]\n\tstr q0, [x9, #0]!");
	stored("STR Q, pre-index", 26, 27, LR - 8);
	RUN(LR - 8, 28ULL << 32, 1ULL << 32 | 29, "stp d0, d1, [x9]");
	stored("STP D", 28, 29, LR - 8);
}

static void test_structures(void)
{
	set_words(A, B);
	RUN(MR, 0, 0, "ld1 {v0.s}[0], [x9], #4\n\tld1 {v1.s}[1], [x9]");
	vector("LD1, lane of S", A, (uint64_t)(uint32_t)B << 32, LR);
	RUN(MR, 0, 0, "ld2 {v0.s, v1.s}[0], [x9]");
	vector("LD2, lane of S", A, (uint32_t)B, MR);
	RUN(MR, 0, 0, "ld1r {v0.2s}, [x9], x3");
	vector("LD1R", (uint64_t)A << 32 | A, 0, MR + 4);
	RUN(LR - 8, 0, 0, "ld1 {v0.4s}, [x9]\n\tmov v1.d[0], v0.d[1]\n\tushr d0, d0, #32");
	vector("LD1 of 4S", A, 1ULL << 32 | (uint32_t)B, LR - 8);
	RUN(LR - 8, 0, 0, "ld2 {v0.2s, v1.2s}, [x9], #16\n\tushr d0, d0, #32");
	vector("LD2 of 2S", (uint32_t)B, 1ULL << 32 | A, LR + 8);
	RUN(MR, 31, 32, "st2 {v0.s, v1.s}[0], [x9], #8");
	stored("ST2, lane of S", 31, 32, MR + 8);
	RUN(MR, 33, 34, "st1 {v0.s}[0], [x9], #4\n\tst1 {v1.s}[0], [x9]");
	stored("ST1, lane of S", 33, 34, LR);
	RUN(LR - 8, 35ULL << 32, 1ULL << 32 | 36, "st1 {v0.2s, v1.2s}, [x9]");
	stored("ST1 of two 2S", 35, 36, LR - 8);
}

static void test_ordered(void)
{
	set_words(A, B);
	RUN(MR, 0, 0, "ldar w1, [x9]");
	loaded("LDAR W", A, 0, MR);
	RUN(MR, 41, 0, "stlr w1, [x9]");
	stored("STLR W", 41, (uint32_t)B, MR);
	RUN(PRIO, 0x80, 0, "stlrb w1, [x9]\n\tldarb w2, [x9]");
	loaded("STLRB, LDARB", 0x80, 0x80, PRIO);
	if ((mrs("id_aa64isar1_el1") >> 20 & 15) >= 1) {
		RUN(MR, 0, 0, "ldapr w1, [x9]");
		loaded("LDAPR W", 41, 0, MR);
	}
	if ((mrs("id_aa64isar1_el1") >> 20 & 15) >= 2) {
		/* Not LDAPURSW: it comes with a syndrome, and emulated hosts leave out its SSE bit. */
		RUN(MR, 0, 0, "ldapur w1, [x9, #4]\n\tldapurh w2, [x9, #4]");
		loaded("LDAPUR", (uint32_t)B, (uint16_t)B, MR);
		RUN(MR, 42, 0, "stlur w1, [x9, #4]");
		stored("STLUR", 41, 42, MR);
	}
}

/* Store-exclusive to Device memory may always fail; it must not lie about it. */
static void test_exclusives(void)
{
	uint32_t lr;

	set_words(A, B);
	RUN(MR, 0, 0, "ldxr w1, [x9]\n\tclrex");
	loaded("LDXR W", A, 0, MR);
	RUN(MR, 0, 0, "ldaxr w1, [x9]\n\tclrex");
	loaded("LDAXR W", A, 0, MR);
	RUN(PRIO + 4, 0, 0, "ldxrb w1, [x9]\n\tclrex");
	loaded("LDXRB", 0x40, 0, PRIO + 4);
	RUN(LR, 0, 0, "ldxp w1, w2, [x9]\n\tclrex");
	loaded("LDXP W", (uint32_t)B, 1, LR);
	RUN(LR, 0, 0, "ldxr x1, [x9]\n\tclrex");
	loaded("LDXR X", 1ULL << 32 | (uint32_t)B, 0, LR);
	RUN(LR, 51, 9, "ldxr w5, [x9]\n\tstxr w2, w1, [x9]");
	lr = read32(LR);
	ok(r2 == 0 ? lr == 51 : r2 == 1 && lr == (uint32_t)B, "STXR W", "status %lu, 0x%x", r2, lr);
	RUN(LR, 52, 9, "ldaxr w5, [x9]\n\tstlxr w2, w1, [x9]");
	lr = read32(LR);
	ok(r2 == 0 ? lr == 52 : r2 == 1 && lr != 52, "STLXR W", "status %lu, 0x%x", r2, lr);
}

#define ATOMIC(name, insn, memory, operand, want)                                                  \
	do {                                                                                       \
		set_words((memory), B);                                                            \
		RUN(MR, (operand), 0, insn " w1, w2, [x9]");                                       \
		ok(r2 == (uint32_t)(memory) && read32(MR) == (uint32_t)(want) &&                   \
			   read32(LR) == (uint32_t)B,                                              \
		   name, "old 0x%lx new 0x%x", r2, read32(MR));                                    \
	} while (0)

static void test_lse(void)
{
	if ((mrs("id_aa64isar0_el1") >> 20 & 15) < 2) {
		note("no FEAT_LSE");
		return;
	}
	ATOMIC("LDADD", "ldadd", 10, 5, 15);
	ATOMIC("LDADDAL", "ldaddal", 10, 0xfffffffe, 8);
	ATOMIC("LDCLR", "ldclr", 0xff, 0x0f, 0xf0);
	ATOMIC("LDEOR", "ldeora", 0xff, 0x0f, 0xf0);
	ATOMIC("LDSET", "ldsetl", 0xf0, 0x0f, 0xff);
	ATOMIC("LDSMAX", "ldsmax", 0xffffffff, 1, 1);
	ATOMIC("LDSMIN", "ldsmin", 0xffffffff, 1, 0xffffffff);
	ATOMIC("LDUMAX", "ldumax", 0xffffffff, 1, 0xffffffff);
	ATOMIC("LDUMIN", "ldumin", 0xffffffff, 1, 1);
	ATOMIC("SWP", "swpal", A, 77, 77);
	set_words(61, B);
	RUN(MR, 61, 62, "cas w1, w2, [x9]");
	ok(r1 == 61 && read32(MR) == 62, "CAS, equal", "0x%lx 0x%x", r1, read32(MR));
	RUN(MR, 61, 63, "casal w1, w2, [x9]");
	ok(r1 == 62 && read32(MR) == 62, "CAS, unequal", "0x%lx 0x%x", r1, read32(MR));
	RUN(LR, (uint32_t)B, 64,
	    "mov x4, x1\n\tmov x5, #1\n\tmov x6, x2\n\tmov x7, #1\n\tcaspal w4, w5, w6, w7, "
	    "[x9]\n\t"
	    "mov x1, x4\n\tmov x2, x5");
	ok(r1 == (uint32_t)B && r2 == 1 && read32(LR) == 64, "CASP, equal", "0x%lx 0x%lx 0x%x", r1,
	   r2, read32(LR));
}

static void test_router(void)
{
	if (gic_version != 3)
		return;
	write64(ROUTER, 1);
	write64(ROUTER + 8, 2);
	RUN(ROUTER, 0, 0, "ldp x1, x2, [x9], #16");
	loaded("LDP X of 8-byte registers", 1, 2, ROUTER + 16);
	RUN(ROUTER, 3, 4, "stp x1, x2, [x9]");
	ok(read64(ROUTER) == 3 && read64(ROUTER + 8) == 4, "STP X of 8-byte registers",
	   "0x%lx 0x%lx", read64(ROUTER), read64(ROUTER + 8));
	RUN(ROUTER, 0, 0, "ldr q0, [x9]\n\tmov v1.d[0], v0.d[1]");
	vector("LDR Q of 8-byte registers", 3, 4, ROUTER);
	RUN(ROUTER, 5, 6, "stp d0, d1, [x9]");
	RUN(ROUTER, 0, 0, "ldp d0, d1, [x9]");
	vector("STP D, LDP D of 8-byte registers", 5, 6, ROUTER);
	write64(ROUTER, 0);
	write64(ROUTER + 8, 0);
}

/* SP as the base is not XZR. */
static void test_stack_pointer_base(void)
{
	set_words(A, B);
	RUN(MR, 0, 0,
	    "mov x5, sp\n\tadd x6, x9, #12\n\tmov sp, x6\n\tldr w1, [sp], #0\n\t"
	    "mov x6, sp\n\tmov sp, x5\n\tmov x2, x6");
	loaded("SP as the base", read32(RTC_BASE + 0x10), RTC_BASE + 0x10, MR);
}

static void test_prefetch(void)
{
	RUN(HOLE_BASE, 1, 2, "prfm pldl1keep, [x9]");
	loaded("PRFM of nothing", 1, 2, HOLE_BASE);
}

static void test_all(void)
{
	test_pairs();
	test_doublewords();
	test_write_back();
	test_bytes();
	test_simd();
	test_structures();
	test_ordered();
	test_exclusives();
	test_lse();
	test_router();
	test_stack_pointer_base();
	test_prefetch();
}

void guest_main(void)
{
	gic_init();
	test_all();
	note("MMU on");
	mmu_on();
	test_all();
}
