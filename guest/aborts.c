/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions that are the guest's own affair arrive with the architecture's syndrome. */
#include "lib/guest.h"

const char guest_name[] = "aborts";

enum { EL0 = 0, EL1 = 1 };

static const char *name(unsigned el, const char *what)
{
	static char buf[80];
	char *p = buf;

	for (const char *s = el ? "EL1 " : "EL0 "; *s; s++)
		*p++ = *s;
	while (*what && p < buf + sizeof(buf) - 1)
		*p++ = *what++;
	*p = '\0';
	return buf;
}

/* Run fn(arg) at @el and compare. @elr and @far: ~0 is not looked at. */
static void expect(unsigned el, const char *what, trap_fn *fn, uint64_t arg, uint64_t esr,
		   uint64_t elr, uint64_t far)
{
	struct trap t;

	if (el == EL0)
		trap_el0(fn, arg, &t);
	else if (!trap_el1(fn, arg, &t)) {
		ok(false, name(el, what), "no exception");
		return;
	}
	/* KVM before 6.2 writes ones into the upper half when it injects an abort by itself, as it does
	 * for instruction fetches: nothing that Obverse could see. */
	ok((uint32_t)t.esr == esr && t.vector == (el ? 4 : 8) && (elr == ~0ULL || t.elr == elr) &&
		   (far == ~0ULL || t.far == far) && (t.spsr & 0x3df) == (el ? 0x3c5 : 0x3c0),
	   name(el, what), "ESR 0x%lx, not 0x%lx; vector %u ELR 0x%lx FAR 0x%lx SPSR 0x%lx", t.esr,
	   esr, t.vector, t.elr, t.far, t.spsr);
}

/* One instruction, at the symbol's own address, then RET. */
#define FRAGMENT(symbol, code)                                                                     \
	void symbol(uint64_t arg);                                                                 \
	asm(".pushsection .text\n.balign 4\n.globl " #symbol "\n" #symbol ":\n" code               \
	    "\n\tret\n.popsection\n")

FRAGMENT(load_x, "ldr x1, [x0]");
FRAGMENT(load_b, "ldrb w1, [x0]");
FRAGMENT(store_w, "str w0, [x0]");
FRAGMENT(load_pair, "ldp x1, x2, [x0]");
FRAGMENT(store_pair, "stp x1, x2, [x0]");
FRAGMENT(load_post, "ldr x1, [x0], #8");
FRAGMENT(load_exclusive, "ldxr x1, [x0]");
FRAGMENT(branch, "br x0");
FRAGMENT(undefined, "udf #1");
FRAGMENT(read_scr_el3, "mrs x1, scr_el3");
FRAGMENT(read_hcr_el2, "mrs x1, hcr_el2");
FRAGMENT(svc_0, "svc #0");
FRAGMENT(svc_beef, "svc #0xbeef");
FRAGMENT(read_sctlr, "mrs x1, sctlr_el1");

static const struct {
	const char *what;
	trap_fn *fn;
	unsigned write;
} accesses[] = {
	{"load from nothing", load_x, 0},
	{"byte load from nothing", load_b, 0},
	{"store to nothing", store_w, 1},
	{"LDP from nothing", load_pair, 0},
	{"STP to nothing", store_pair, 1},
	{"LDR with write-back from nothing", load_post, 0},
	{"LDXR from nothing", load_exclusive, 0},
};

static uint64_t address_at(unsigned el, void *p)
{
	return el ? (uint64_t)p : user_address(p);
}

static void test_accesses(unsigned el, uint64_t hole)
{
	for (unsigned i = 0; i < ARRAY_COUNT(accesses); i++)
		expect(el, accesses[i].what, accesses[i].fn, hole,
		       (el ? 0x96000010 : 0x92000010) | accesses[i].write << 6,
		       address_at(el, (void *)accesses[i].fn), hole);
}

/* Registers as before the access, in particular the base. */
static void test_write_back_is_undone(void)
{
	struct trap t;

	trap_el1(load_post, HOLE_BASE + 8, &t);
	ok_eq(t.x[0], HOLE_BASE + 8, "base register after an aborted LDR with write-back");
}

static void test_fetch(unsigned el, uint64_t hole)
{
	expect(el, "instruction fetch from nothing", branch, hole, el ? 0x86000010 : 0x82000010,
	       hole, hole);
}

/* BRK with several immediates, those of patch slots among them. */
#define BRK(n) FRAGMENT(brk_##n, "brk #0x" #n)
#define BRKS(do)                                                                                   \
	do                                                                                         \
	(0) do(1) do(100) do(800) do(c000) do(c001) do(dfff) do(f000) do(f003) do(ffff)
#define DECLARE(n) BRK(n);
#define LIST(n)	   {0x##n, brk_##n},
BRKS(DECLARE)

static const struct {
	unsigned imm;
	trap_fn *fn;
} brks[] = {BRKS(LIST)};

static void test_brk(unsigned el)
{
	for (unsigned i = 0; i < ARRAY_COUNT(brks); i++)
		expect(el, "BRK", brks[i].fn, 0, 0xf2000000 | brks[i].imm,
		       address_at(el, (void *)brks[i].fn), ~0ULL);
}

/* Words a process has written itself: a hypervisor that uses BRK for its own ends must not take them for
 * its, nor stumble over many. */
static void test_written_brks(void)
{
	static uint32_t word[16] __attribute__((aligned(64)));
	unsigned good = 0;
	struct trap t;

	for (uint32_t imm = 0xc000; imm < 0xc040; imm++) {
		word[0] = 0xd4200000 | imm << 5;
		code_sync(word, sizeof(word[0]));
		trap_el0((trap_fn *)word, 0, &t);
		good += (uint32_t)t.esr == (0xf2000000 | imm) && t.elr == user_address(word);
	}
	ok_eq(good, 64, "EL0 BRKs of its own");
}

static void test_others(unsigned el)
{
	expect(el, "UDF", undefined, 0, 0x02000000, address_at(el, (void *)undefined), ~0ULL);
	expect(el, "MRS SCR_EL3", read_scr_el3, 0, 0x02000000, address_at(el, (void *)read_scr_el3),
	       ~0ULL);
	expect(el, "MRS HCR_EL2", read_hcr_el2, 0, 0x02000000, address_at(el, (void *)read_hcr_el2),
	       ~0ULL);
	expect(el, "SVC #0", svc_0, 0, 0x56000000, address_at(el, (void *)svc_0) + 4, ~0ULL);
	expect(el, "SVC #0xbeef", svc_beef, 0, 0x5600beef, address_at(el, (void *)svc_beef) + 4,
	       ~0ULL);
}

static void test_smccc(uint32_t function, bool smc)
{
	uint64_t x[18];
	bool kept = true;

	for (unsigned i = 0; i < 18; i++)
		x[i] = 0x1111111111111111U * (i & 7) + i;
	x[0] = function;
	(smc ? smccc_smc : smccc_hvc)(x);
	for (unsigned i = 4; i < 18; i++)
		kept &= x[i] == 0x1111111111111111U * (i & 7) + i;
	ok((int32_t)x[0] == -1 && kept, smc ? "SMC, unknown function" : "HVC, unknown function",
	   "function 0x%x: x0 0x%lx, x4 to x17 %s", function, x[0], kept ? "kept" : "changed");
}

static void smc_unknown(uint64_t arg)
{
	test_smccc((uint32_t)arg, true);
}

/* Of OEM, SiP and vendor hypervisor ranges, and a PSCI number that does not exist. */
static void test_unknown_functions(void)
{
	static const uint32_t functions[] = {0xc6000042, 0xc2000000, 0x83000001, 0x8400ffff};
	struct trap t;

	for (unsigned i = 0; i < ARRAY_COUNT(functions); i++)
		test_smccc(functions[i], false);
	for (unsigned i = 0; i < ARRAY_COUNT(functions); i++) {
		/* Without EL3 and without a hypervisor that answers, SMC is UNDEFINED. */
		if (trap_el1(smc_unknown, functions[i], &t))
			note("SMC is UNDEFINED here (ESR 0x%lx)", t.esr);
	}
}

void guest_main(void)
{
	test_accesses(EL1, HOLE_BASE);
	test_fetch(EL1, HOLE_BASE);
	test_write_back_is_undone();
	test_brk(EL1);
	test_others(EL1);
	test_unknown_functions();
	note("MMU on");
	mmu_on();
	test_accesses(EL1, HOLE_BASE);
	test_accesses(EL0, USER_DEVICE_BASE + HOLE_BASE);
	test_fetch(EL0, USER_DEVICE_BASE + HOLE_BASE);
	test_brk(EL1);
	test_brk(EL0);
	test_written_brks();
	test_others(EL1);
	test_others(EL0);
	expect(EL0, "MRS SCTLR_EL1", read_sctlr, 0, 0x02000000, user_address((void *)read_sctlr),
	       ~0ULL);
	test_unknown_functions();
}
