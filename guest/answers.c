/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every system register and system instruction answers, at EL1 and EL0: one line each,
 *
 *   = S3_0_C12_C12_5 7 ok u u      read and written at EL1, read and written at EL0
 *
 * ok: done, with some value; a number: that value, where all machines of this board have the same; u: UNDEFINED;
 * EC:ISS: another exception; -: there is no such access. Encodings that are UNDEFINED throughout have no line.
 * Registers are written with what was read. tests/conform/compare compares machines.
 */
#include "lib/guest.h"

const char guest_name[] = "answers";

enum { SNIPPETS = 512, MARK = 0x77, EC_SVC = 0x15 };
#define SVC_MARK    (0xd4000001U | MARK << 5)
#define RET	    0xd65f03c0U
#define ESR_MARK    ((uint64_t)EC_SVC << 26 | 1U << 25 | MARK)
#define ESR_UNDEF   0x2000000ULL
#define SCRATCH_LEN 4096

/* Words to probe. What comes before makes them known to whoever looks for code by following branches. */
static struct {
	uint32_t lead[SNIPPETS + 1];
	uint32_t word[SNIPPETS][2];
} code __attribute__((aligned(4096)));
static uint8_t scratch[SCRATCH_LEN] __attribute__((aligned(4096)));
static unsigned count, probed, printed;

/* ---- one execution ---- */

static void *at(unsigned n)
{
	return code.word[n];
}

struct answer {
	bool done;
	uint64_t value; /* of X0 */
	uint64_t esr;
};

/* X0 is the argument of what is run; the word uses it, and so the answer is there as well. */
static struct answer ask(unsigned n, unsigned el, uint64_t x0)
{
	struct trap t;

	if (el)
		trap_el1((trap_fn *)at(n), x0, &t);
	else
		trap_el0((trap_fn *)at(n), x0, &t);
	return (struct answer){t.esr == ESR_MARK, t.x[0], t.esr};
}

/* As code_sync(), with one instruction for all instruction caches: each may be intercepted. */
static void sync(void)
{
	for (uint64_t a = (uint64_t)&code; a < (uint64_t)(&code + 1); a += 16)
		asm volatile("dc cvau, %0" ::"r"(a) : "memory");
	asm volatile("dsb ish; ic ialluis; dsb ish; isb" ::: "memory");
}

static void generate(void)
{
	for (unsigned n = 0; n < count; n++)
		code.lead[n] = 0xb500001fU | /* CBNZ XZR */
			       (uint32_t)(((uint8_t *)at(n) - (uint8_t *)&code.lead[n]) / 4) << 5;
	code.lead[count] = RET;
	sync();
	((void (*)(void))(void *)code.lead)();
}

static void add(uint32_t word)
{
	code.word[count][0] = word;
	code.word[count][1] = SVC_MARK;
	count++;
}

/* ---- printing ---- */

#define SYSREG(op0, op1, crn, crm, op2)                                                            \
	((unsigned)((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2)))

/* Bits of values that are the board's, or Obverse's: the same on every host. */
static uint64_t same_bits(unsigned reg)
{
	if ((reg & ~0x3fU) == SYSREG(3, 0, 12, 8, 0)) /* ICC_*_EL1 */
		return ~0ULL;
	switch (reg) {
	case SYSREG(3, 0, 0, 0, 5): /* MPIDR_EL1 */
	case SYSREG(3, 0, 4, 6, 0): /* ICC_PMR_EL1 */
	case SYSREG(3, 0, 4, 2, 2): /* CurrentEL */
	case SYSREG(3, 0, 4, 2, 0): /* SPSel */
		return ~0ULL;
	case SYSREG(3, 0, 0, 4, 0): /* ID_AA64PFR0_EL1: EL2, EL3, GIC */
		return 0x0f00ff00;
	case SYSREG(3, 0, 0, 5, 0): /* ID_AA64DFR0_EL1: PMUVer */
		return 0xf00;
	default:
		return 0;
	}
}

static void print_answer(const struct answer *a, uint64_t bits)
{
	if (a->done && bits)
		print(" %lx", a->value & bits);
	else if (a->done)
		print(" ok");
	else if (a->esr == ESR_UNDEF)
		print(" u");
	else
		print(" %lx:%lx", a->esr >> 26, a->esr & 0x1ffffff);
}

static bool undefined(const struct answer *a)
{
	return !a->done && a->esr == ESR_UNDEF;
}

static void print_name(unsigned reg)
{
	print("= S%u_%u_C%u_C%u_%u", reg >> 14, reg >> 11 & 7, reg >> 7 & 15, reg >> 3 & 15,
	      reg & 7);
	printed++;
}

/* ---- registers ---- */

static uint32_t system_word(unsigned reg, bool read)
{
	return 0xd5000000U | (uint32_t)read << 21 | reg << 5;
}

/* What is in op1 = 3 may be EL0's alone. */
static bool has_el0(unsigned reg)
{
	return (reg >> 11 & 7) == 3;
}

/* Two snippets each: read, write. */
static void probe_registers(unsigned first, unsigned n)
{
	count = 0;
	for (unsigned i = 0; i < n; i++) {
		add(system_word(first + i, true));
		add(system_word(first + i, false));
	}
	generate();
	for (unsigned i = 0; i < n; i++) {
		struct answer r = ask(2 * i, 1, 0);
		uint64_t value = r.done ? r.value : 0;
		struct answer w = ask(2 * i + 1, 1, value), r0, w0;
		uint64_t bits = same_bits(first + i);

		probed += 4;
		if (undefined(&r) && undefined(&w) && !has_el0(first + i))
			continue;
		r0 = ask(2 * i, 0, 0);
		w0 = ask(2 * i + 1, 0, value);
		if (undefined(&r) && undefined(&w) && undefined(&r0) && undefined(&w0))
			continue;
		print_name(first + i);
		print_answer(&r, bits);
		print_answer(&w, 0);
		print_answer(&r0, bits);
		print_answer(&w0, 0);
		print("\n");
	}
}

/* ---- operations: with an address that EL0 can use ---- */

static void probe_operations(unsigned first, unsigned n)
{
	uint64_t address = user_address(scratch);

	count = 0;
	for (unsigned i = 0; i < n; i++)
		add(system_word(first + i, false));
	generate();
	for (unsigned i = 0; i < n; i++) {
		struct answer w = ask(i, 1, address), w0;

		probed += 2;
		if (undefined(&w) && !has_el0(first + i))
			continue;
		w0 = ask(i, 0, address);
		if (undefined(&w) && undefined(&w0))
			continue;
		print_name(first + i);
		print(" -");
		print_answer(&w, 0);
		print(" -");
		print_answer(&w0, 0);
		print("\n");
	}
}

/* ---- other instructions ---- */

static const struct {
	const char *name;
	uint32_t word;
	uint64_t x0;
	bool value;
} others[] = {
	{"HVC_0_VERSION", 0xd4000002, PSCI_VERSION, true},
	{"HVC_0_UNKNOWN", 0xd4000002, 0x8600ff7f, true},
	{"HVC_0_ARCH_FEATURES", 0xd4000002, 0x80000001, true},
	{"HVC_0_RESERVED", 0xd4000002, 0xc000ff00, true},
	{"HVC_0_C1", 0xd4000002, 0xc1000001, true},
	{"HVC_1", 0xd4000022, 0x8600ff7f, true},
	{"HVC_ffff", 0xd41fffe2, 0x8600ff7f, true},
	{"SMC_0_VERSION", 0xd4000003, PSCI_VERSION, true},
	{"SMC_0_UNKNOWN", 0xd4000003, 0x8600ff7f, true},
	{"SMC_1", 0xd4000023, 0x8600ff7f, true},
	{"BRK_0", 0xd4200000, 0, false},
	{"BRK_c000", 0xd4380000, 0, false},
	{"BRK_ffff", 0xd43fffe0, 0, false},
	{"HLT_0", 0xd4400000, 0, false},
	{"DCPS1", 0xd4a00001, 0, false},
	{"DCPS2", 0xd4a00002, 0, false},
	{"DCPS3", 0xd4a00003, 0, false},
	{"DRPS", 0xd6bf03e0, 0, false},
	{"UDF_0", 0x00000000, 0, false},
	{"SVC_0", 0xd4000001, 0, false},
	{"YIELD", 0xd503203f, 0, false},
	{"SEV", 0xd503209f, 0, false},
	{"DGH", 0xd50320df, 0, false},
	{"ESB", 0xd503221f, 0, false},
	{"PSB_CSYNC", 0xd503223f, 0, false},
	{"HINT_127", 0xd5032fff, 0, false},
	{"CLREX", 0xd5033f5f, 0, false},
	{"MSR_PAN_0", 0xd500409f, 0, false},
	{"MSR_UAO_0", 0xd500407f, 0, false},
	{"MSR_SPSel_1", 0xd50041bf, 0, false},
	{"MSR_DIT_0", 0xd503405f, 0, false},
	{"MSR_SSBS_0", 0xd503403f, 0, false},
	{"MSR_TCO_0", 0xd503409f, 0, false},
	{"MSR_DAIFSet_0", 0xd50340df, 0, false},
	{"MSR_DAIFClr_0", 0xd50340ff, 0, false},
};

static void probe_others(void)
{
	count = 0;
	for (unsigned i = 0; i < ARRAY_COUNT(others); i++)
		add(others[i].word);
	generate();
	for (unsigned i = 0; i < ARRAY_COUNT(others); i++) {
		uint64_t bits = others[i].value ? ~0ULL : 0;
		struct answer el1 = ask(i, 1, others[i].x0), el0 = ask(i, 0, others[i].x0);

		probed += 2;
		printed++;
		print("= %s -", others[i].name);
		print_answer(&el1, bits);
		print(" -");
		print_answer(&el0, bits);
		print("\n");
	}
}

/* ---- all ---- */

static void probe_space(unsigned op0, unsigned op1s, unsigned crns)
{
	for (unsigned op1 = 0; op1 < 8; op1++) {
		for (unsigned crn = 0; crn < 16; crn++) {
			unsigned first = SYSREG(op0, op1, crn, 0, 0);

			if (!(op1s >> op1 & 1) || !(crns >> crn & 1))
				continue;
			if (op0 == 1)
				probe_operations(first, 128);
			else
				probe_registers(first, 128);
		}
	}
}

void guest_main(void)
{
	mmu_on();
	probe_others();
	probe_space(1, 0xff, 1 << 7 | 1 << 8 | 1 << 9 | 1 << 11 | 1 << 15);
	probe_space(2, 0xff, 0xff);
	probe_space(3, 0xff, 0xffff);
	note("%u probes, %u answers", probed, printed);
	ok(printed > 100, "answers", "%u", printed);
}
