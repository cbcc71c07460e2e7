/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which words are kept from running natively: every system instruction and every exception-generating one, against
 * lists told here by name. Encodings: Arm ARM (DDI 0487), C4.1.
 */
#include "reverse/reverse_int.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SYSTEM = 0xd5000000, FIELDS = 1 << 17 }; /* L, op0, op1, CRn, CRm, op2 */

enum { WRITE = 1, READ = 2, ANY = -1 };

struct rule {
	const char *what;
	int access, op0, op1, crn, crm, op2;
};

/* All that a managed view may execute by itself. */
static const struct rule harmless[] = {
	{"barriers, CLREX, SB", WRITE, 0, 3, 3, ANY, ANY},
	{"hints", WRITE, 0, 3, 2, ANY, ANY},
	{"MSR SPSel", WRITE, 0, 0, 4, ANY, 5},
	{"MSR DAIFSet", WRITE, 0, 3, 4, ANY, 6},
	{"MSR DAIFClr", WRITE, 0, 3, 4, ANY, 7},
	{"DC IVAC", WRITE, 1, 0, 7, 6, 1},
	{"DC ZVA", WRITE, 1, 3, 7, 4, 1},
	{"DC CVAC", WRITE, 1, 3, 7, 10, 1},
	{"DC CVAU", WRITE, 1, 3, 7, 11, 1},
	{"DC CIVAC", WRITE, 1, 3, 7, 14, 1},
	{"SP_EL0", READ | WRITE, 3, 0, 4, 1, 0},
	{"SPSel", READ | WRITE, 3, 0, 4, 2, 0},
	{"NZCV", READ | WRITE, 3, 3, 4, 2, 0},
	{"DAIF", READ | WRITE, 3, 3, 4, 2, 1},
	{"FPCR", READ | WRITE, 3, 3, 4, 4, 0},
	{"FPSR", READ | WRITE, 3, 3, 4, 4, 1},
	{"CNTFRQ_EL0", READ, 3, 3, 14, 0, 0},
	{"CNTPCT_EL0", READ | WRITE, 3, 3, 14, 0, 1},
};

/* ... but for these among them. */
static const struct rule harmful[] = {
	{"WFE", WRITE, 0, 3, 2, 0, 2},
	{"WFI", WRITE, 0, 3, 2, 0, 3},
	{"SEV", WRITE, 0, 3, 2, 0, 4},
	{"SEVL", WRITE, 0, 3, 2, 0, 5},
};

static bool same(int want, unsigned got)
{
	return want == ANY || (unsigned)want == got;
}

static bool matches(const struct rule *r, uint32_t word)
{
	int access = bit(word, 21) ? READ : WRITE;

	return r->access & access && same(r->op0, bits(word, 20, 19)) &&
	       same(r->op1, bits(word, 18, 16)) && same(r->crn, bits(word, 15, 12)) &&
	       same(r->crm, bits(word, 11, 8)) && same(r->op2, bits(word, 7, 5));
}

static bool is_in(const struct rule *list, size_t count, uint32_t word)
{
	for (size_t i = 0; i < count; i++) {
		if (matches(&list[i], word))
			return true;
	}
	return false;
}

#define IS_IN(list, word) is_in(list, ARRAY_COUNT(list), word)

static uint32_t system_word(unsigned fields, unsigned rt)
{
	return SYSTEM | fields << 5 | rt;
}

static void test_system(void **state)
{
	for (unsigned f = 0; f < FIELDS; f++) {
		uint32_t word = system_word(f, 0);
		bool want = !IS_IN(harmless, word) || IS_IN(harmful, word);

		for (unsigned rt = 0; rt < 32; rt++) {
			if (sensitive(word | rt) != want)
				fail_msg("0x%08x: not %d", word | rt, want);
		}
	}
}

/* Bits 23:22 of the class are 0 in all that the manual allocates, but for SYSP, MSRR and MRRS. */
static void test_system_of_the_future(void **state)
{
	for (uint32_t word = 0xd5400000; word <= 0xd5ffffff; word += 0x101)
		assert_true(sensitive(word));
}

static void test_exceptions(void **state)
{
	for (uint32_t word = 0xd4000000; word <= 0xd4ffffff; word += 0x1f)
		assert_true(sensitive(word));
}

static void test_branches(void **state)
{
	static const uint32_t returns[] = {0xd69f03e0, 0xd69f0bff, 0xd69f0fff, 0xd6bf03e0};
	static const uint32_t others[] = {0xd61f0000, 0xd61f03c0, 0xd63f0200, 0xd65f03c0,
					  0xd65f0bff, 0xd71f0801, 0xd73f0c1e, 0xd61f081f};

	for (unsigned i = 0; i < ARRAY_COUNT(returns); i++) /* ERET, ERETAA, ERETAB, DRPS */
		assert_true(sensitive(returns[i]));
	for (unsigned i = 0; i < ARRAY_COUNT(others); i++) /* BR, BLR, RET, with keys */
		assert_false(sensitive(others[i]));
}

/* Loads with the rights of EL0, which could read the copies of code; not the stores. */
static void test_unprivileged(void **state)
{
	static const uint32_t loads[] = {0xf8400820, 0xb8400820, 0x38400820, 0x78400820,
					 0x38800820, 0x78c00820, 0xb8800820, 0xf85ff841};
	static const uint32_t others[] = {0xf8000820, 0xb8000820, 0x38000820, 0x78000820,
					  0xf8400420, 0xf8400c20, 0xf8400020, 0xfc400020};

	for (unsigned i = 0; i < ARRAY_COUNT(loads); i++)
		assert_true(sensitive(loads[i]));
	for (unsigned i = 0; i < ARRAY_COUNT(others); i++)
		assert_false(sensitive(others[i]));
}

static bool is_unprivileged_load(uint32_t word)
{
	return (word >> 24 & 0x3f) == 0x38 && !bit(word, 21) && bits(word, 11, 10) == 2 &&
	       bits(word, 23, 22) != 0;
}

/* Nothing else: code would be slow for no reason. */
static void test_everything_else(void **state)
{
	uint32_t word = 1;

	for (unsigned i = 0; i < 1000000; i++) {
		word = word * 1664525 + 1013904223;
		if (word >> 24 < 0xd4 || word >> 24 > 0xd7) {
			assert_int_equal(sensitive(word), is_unprivileged_load(word));
			assert_false(sensitive_to_os(word));
		}
	}
}

/* ---- native systems ---- */

static bool is_register_access(uint32_t word)
{
	return bit(word, 20);
}

static uint16_t register_of(uint32_t word)
{
	return (uint16_t)(1U << 15 | bits(word, 19, 5));
}

/* What a vCPU has of its own, beside what native_has() names. */
static const struct rule own[] = {
	{"SP_EL0", READ | WRITE, 3, 0, 4, 1, 0},
	{"SPSel, CurrentEL, PAN, UAO", READ | WRITE, 3, 0, 4, 2, ANY},
	{"NZCV, DAIF, DIT, SSBS", READ | WRITE, 3, 3, 4, 2, ANY},
	{"FPCR, FPSR", READ | WRITE, 3, 3, 4, 4, ANY},
	{"ISR_EL1", READ | WRITE, 3, 0, 12, 1, 0},
	{"CTR_EL0", READ | WRITE, 3, 3, 0, 0, 1},
	{"DCZID_EL0", READ | WRITE, 3, 3, 0, 0, 7},
	{"CNTPCT_EL0, CNTVCT_EL0", READ | WRITE, 3, 3, 14, 0, ANY},
	{"CNTP_*_EL0", READ | WRITE, 3, 3, 14, 2, ANY},
	{"CNTV_*_EL0", READ | WRITE, 3, 3, 14, 3, ANY},
};

static void test_registers_of_systems(void **state)
{
	for (unsigned f = 0; f < FIELDS; f++) {
		uint32_t word = system_word(f, f & 31);

		if (!is_register_access(word)) {
			assert_false(sensitive_to_os(word));
		} else if (native_has(register_of(word))) {
			if (sensitive_to_os(word))
				fail_msg("0x%08x: is moved, and yet patched", word);
		} else if (!IS_IN(own, word) && !sensitive_to_os(word)) {
			fail_msg("0x%08x: is neither moved nor patched", word);
		}
	}
}

/* Registers by name, of which a native system must not see the host's. */
static void test_host_registers(void **state)
{
	static const char *const names[] = {
		"MIDR_EL1",	    "MPIDR_EL1",       "REVIDR_EL1",	"ID_AA64PFR0_EL1",
		"ID_AA64MMFR1_EL1", "CLIDR_EL1",       "CCSIDR_EL1",	"CSSELR_EL1",
		"ACTLR_EL1",	    "ICC_IAR1_EL1",    "ICC_EOIR1_EL1", "ICC_PMR_EL1",
		"ICC_SGI1R_EL1",    "PMCCNTR_EL0",     "PMCR_EL0",	"MDSCR_EL1",
		"DBGBVR0_EL1",	    "CNTFRQ_EL0",      "SCR_EL3",	"HCR_EL2",
		"VBAR_EL2",	    "CNTHP_CTL_EL2",   "CNTPS_CTL_EL1", "SCTLR_EL12",
		"OSLAR_EL1",	    "ICC_IGRPEN1_EL1", "RVBAR_EL3",	"VMPIDR_EL2",
	};

	for (unsigned i = 0; i < ARRAY_COUNT(names); i++) {
		const struct sysreg_desc *d = sysreg_find(names[i]);
		uint32_t word;

		if (!d)
			fail_msg("%s is not known", names[i]);
		word = 0xd5100000 | (d->code & 0x7fffU) << 5;
		assert_true(sensitive_to_os(word));
		assert_true(sensitive_to_os(word | 1 << 21));
	}
}

static void test_calls_of_systems(void **state)
{
	for (uint32_t low = 0; low < 1 << 21; low++) {
		uint32_t word = 0xd4000000 | low;
		bool call = (low & 31) == 2 || (low & 31) == 3;

		if (sensitive_to_os(word) != call)
			fail_msg("0x%08x: not %d", word, call);
	}
	for (uint32_t opc = 1; opc < 8; opc++) {
		for (uint32_t ll = 0; ll < 32; ll++) /* BRK, HLT, DCPSn */
			assert_false(sensitive_to_os(0xd4000000 | opc << 21 | ll));
	}
	assert_false(sensitive_to_os(0xd69f03e0)); /* ERET */
}

static void test_kernel_tlbi(void **state)
{
	static const struct {
		uint32_t word;
		bool yes;
	} rows[] = {
		{0xd508871f, true},  {0xd508831f, true},  {0xd5088720, false}, {0xd5088360, true},
		{0xd5088760, true},  {0xd50883e0, true},  {0xd508811f, true},  {0xd5088740, false},
		{0xd5088340, false},			  /* ASIDE1: of one process */
		{0xd50c871f, false}, {0xd50e871f, false}, /* ALLE2, ALLE3 */
		{0xd508751f, false}, {0xd5033fdf, false}, {0xd503201f, false},
	};

	for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
		if (is_kernel_tlbi(rows[i].word) != rows[i].yes)
			fail_msg("0x%08x", rows[i].word);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_system),
		cmocka_unit_test(test_system_of_the_future),
		cmocka_unit_test(test_exceptions),
		cmocka_unit_test(test_branches),
		cmocka_unit_test(test_unprivileged),
		cmocka_unit_test(test_everything_else),
		cmocka_unit_test(test_registers_of_systems),
		cmocka_unit_test(test_host_registers),
		cmocka_unit_test(test_calls_of_systems),
		cmocka_unit_test(test_kernel_tlbi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
