/* SPDX-License-Identifier: Apache-2.0 */
/* Stage 1 translation on tables built here, with hostile ones among them. */
#include "arm/exc.h"
#include "arm/walk.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { RAM_SIZE = 0x80000, MAX_LEAVES = 16 };
static const uint64_t RAM_BASE = 0x40000000;

/* Bits of descriptors. */
#define TABLE	 3ULL
#define BLOCK	 1ULL
#define PAGE	 3ULL
#define AF	 (1ULL << 10)
#define NG	 (1ULL << 11)
#define USER	 (1ULL << 6)
#define RO	 (1ULL << 7)
#define DBM	 (1ULL << 51)
#define PXN	 (1ULL << 53)
#define UXN	 (1ULL << 54)
#define PXN_T	 (1ULL << 59)
#define UXN_T	 (1ULL << 60)
#define NOUSER_T (1ULL << 61)
#define RO_T	 (1ULL << 62)
#define WXN	 (1ULL << 19)
#define TCR_HA	 (1ULL << 39)
#define TCR_HD	 (1ULL << 40)
#define TCR_HPD0 (1ULL << 41)
#define TCR_TBI0 (1ULL << 37)
#define TCR_TBI1 (1ULL << 38)
#define TCR_EPD0 (1ULL << 7)
#define TCR_EPD1 (1ULL << 23)
#define TCR_DS	 (1ULL << 59)
#define IPS(n)	 ((uint64_t)(n) << 32)

struct ram {
	uint64_t word[RAM_SIZE / 8];
	uint64_t reads;
	struct arm_xlat leaf[MAX_LEAVES];
	unsigned leaves, stop_after;
};

static struct ram ram;

static bool read_ram(void *opaque, uint64_t pa, bool secure, uint64_t *value)
{
	struct ram *m = opaque;

	assert_int_equal(pa & 7, 0);
	m->reads++;
	if (pa < RAM_BASE || pa - RAM_BASE >= RAM_SIZE)
		return false;
	*value = m->word[(pa - RAM_BASE) / 8];
	return true;
}

static void put(uint64_t table, unsigned index, uint64_t desc)
{
	ram.word[(table - RAM_BASE) / 8 + index] = desc;
}

/* 4 KiB granule, 39 bits in each half, tables at RAM_BASE (TTBR0) and RAM_BASE + 64K (TTBR1). */
static struct arm_regime regime(void)
{
	memset(&ram, 0, sizeof(ram));
	ram.stop_after = MAX_LEAVES;
	return (struct arm_regime){
		.sctlr = 1,
		.tcr = 25 | 25 << 16 | 2U << 30 | IPS(5),
		.ttbr = {RAM_BASE, RAM_BASE + 0x10000},
		.pa_bits = 48,
		.read = read_ram,
		.opaque = &ram,
	};
}

#define T(n) (RAM_BASE + (n)*0x10000)

static void expect(const struct arm_regime *r, uint64_t va, uint64_t pa, uint64_t size)
{
	struct arm_xlat x;

	assert_int_equal(arm_walk(r, va, &x), ARM_WALK_OK);
	assert_int_equal(x.pa, pa);
	assert_int_equal(x.size, size);
	assert_int_equal(x.pa - x.pa_base, va - x.va_base);
}

static void expect_fault(const struct arm_regime *r, uint64_t va, enum walk_result what,
			 unsigned fsc)
{
	struct arm_xlat x;

	assert_int_equal(arm_walk(r, va, &x), what);
	assert_int_equal(x.fsc, fsc);
}

static void test_mmu_off(void **state)
{
	struct arm_regime r = regime();

	r.sctlr = 0;
	expect(&r, 0x12345678, 0x12345678, 4096);
	expect_fault(&r, 1ULL << 48, ARM_WALK_ADDRESS_SIZE, 0);
	r.tcr |= TCR_TBI0;
	expect(&r, 0xab00000012345678, 0x12345678, 4096);
	assert_int_equal(ram.reads, 0);
}

static void test_pages_and_blocks_4k(void **state)
{
	struct arm_regime r = regime();

	put(T(0), 1, 0x80000000 | BLOCK | AF); /* 1 GiB at 0x40000000 */
	put(T(0), 2, T(2) | TABLE);	       /* 0x80000000 */
	put(T(2), 3, 0x90000000 | BLOCK | AF); /* 2 MiB */
	put(T(2), 4, T(3) | TABLE);
	put(T(3), 5, 0xa0001000 | PAGE | AF);	 /* 4 KiB */
	put(T(1), 511, 0xc0000000 | BLOCK | AF); /* top of the upper half */
	expect(&r, 0x7fffffff, 0xbfffffff, 1 << 30);
	expect(&r, 0x80601234, 0x90001234, 1 << 21);
	expect(&r, 0x80805678, 0xa0001678, 4096);
	expect(&r, 0xffffffffffffffff, 0xffffffff, 1 << 30);
}

static void test_faults(void **state)
{
	struct arm_regime r = regime();

	put(T(0), 0, 0x80000000 | BLOCK); /* AF clear */
	put(T(0), 1, T(2) | TABLE);
	put(T(2), 0, 0);
	put(T(2), 1, T(3) | TABLE);
	put(T(3), 0, 0x80000000 | BLOCK | AF); /* reserved at level 3 */
	put(T(3), 1, 0x80000000 | PAGE);
	put(T(2), 2, 0x10000000 | TABLE); /* no memory there */
	put(T(0), 2, (1ULL << 44) | BLOCK | AF);
	put(T(0), 3, (1ULL << 44) | TABLE);
	expect_fault(&r, 0, ARM_WALK_ACCESS_FLAG, ARM_FSC_ACCESS_FLAG + 1);
	expect_fault(&r, 0x40000000, ARM_WALK_TRANSLATION, ARM_FSC_TRANSLATION + 2);
	expect_fault(&r, 0x40200000, ARM_WALK_TRANSLATION, ARM_FSC_TRANSLATION + 3);
	expect_fault(&r, 0x40201000, ARM_WALK_ACCESS_FLAG, ARM_FSC_ACCESS_FLAG + 3);
	expect_fault(&r, 0x40400000, ARM_WALK_EXTERNAL, ARM_FSC_EXTERNAL_WALK + 3);
	expect_fault(&r, 0x100000000, ARM_WALK_TRANSLATION, ARM_FSC_TRANSLATION + 1);
	expect_fault(&r, 1ULL << 39, ARM_WALK_TRANSLATION, ARM_FSC_TRANSLATION);
	expect_fault(&r, 0xff00000000000000, ARM_WALK_TRANSLATION, ARM_FSC_TRANSLATION);
	r.tcr = (r.tcr & ~IPS(7)) | IPS(4); /* 44 bits */
	expect_fault(&r, 0x80000000, ARM_WALK_ADDRESS_SIZE, ARM_FSC_ADDRESS_SIZE + 1);
	expect_fault(&r, 0xc0000000, ARM_WALK_ADDRESS_SIZE, ARM_FSC_ADDRESS_SIZE + 1);
	r.tcr |= TCR_HA;
	expect(&r, 0, 0x80000000, 1 << 30);
	r.ttbr[0] = 1ULL << 45;
	expect_fault(&r, 0, ARM_WALK_ADDRESS_SIZE, ARM_FSC_ADDRESS_SIZE);
	r.ttbr[0] = 0;
	expect_fault(&r, 0, ARM_WALK_EXTERNAL, ARM_FSC_EXTERNAL_WALK + 1);
	r.tcr |= TCR_EPD0;
	expect_fault(&r, 0, ARM_WALK_TRANSLATION, ARM_FSC_TRANSLATION);
}

static void test_halves(void **state)
{
	struct arm_regime r = regime();

	put(T(0), 0, 0x80000000 | BLOCK | AF);
	put(T(1), 0, 0xc0000000 | BLOCK | AF);
	expect(&r, 0x1234, 0x80001234, 1 << 30);
	expect(&r, 0xffffff8000001234, 0xc0001234, 1 << 30);
	expect_fault(&r, 0xab00000000001234, ARM_WALK_TRANSLATION, ARM_FSC_TRANSLATION);
	r.tcr |= TCR_EPD1;
	expect_fault(&r, 0xffffff8000001234, ARM_WALK_TRANSLATION, ARM_FSC_TRANSLATION);
	assert_int_equal(ram.reads, 2);
}

static void test_tbi(void **state)
{
	struct arm_regime r = regime();
	struct arm_xlat x;

	put(T(0), 0, 0x80000000 | BLOCK | AF);
	put(T(1), 0, 0xc0000000 | BLOCK | AF);
	r.tcr |= TCR_TBI0;
	assert_int_equal(arm_walk(&r, 0xab00000000001234, &x), ARM_WALK_OK);
	assert_int_equal(x.pa, 0x80001234);
	assert_int_equal(arm_walk(&r, 0xabffff8000001234, &x), ARM_WALK_TRANSLATION);
	r.tcr |= TCR_TBI1;
	assert_int_equal(arm_walk(&r, 0xabffff8000001234, &x), ARM_WALK_OK);
	assert_int_equal(x.pa, 0xc0001234);
	assert_int_equal(arm_walk(&r, 0xab00008000001234, &x), ARM_WALK_TRANSLATION);
}

static void test_permissions(void **state)
{
	enum { R = ARM_PROT_READ, W = ARM_PROT_WRITE, X = ARM_PROT_EXEC };
	static const struct {
		uint64_t table, leaf, sctlr, tcr;
		uint8_t priv, user;
	} cases[] = {
		{0, 0, 0, 0, R | W | X, X},
		{0, RO, 0, 0, R | X, X},
		{0, USER, 0, 0, R | W, R | W | X}, /* EL0-writable is never executable at EL1 */
		{0, USER | RO, 0, 0, R | X, R | X},
		{0, PXN, 0, 0, R | W, X},
		{0, UXN, 0, 0, R | W | X, 0},
		{0, USER | UXN | PXN, 0, 0, R | W, R | W},
		{0, 0, WXN, 0, R | W, X},
		{0, RO, WXN, 0, R | X, X},
		{0, USER, WXN, 0, R | W, R | W},
		{0, USER | RO, WXN, 0, R | X, R | X},
		{RO_T, USER, 0, 0, R | X, R | X},
		{NOUSER_T, USER, 0, 0, R | W | X, X},
		{UXN_T | PXN_T, USER | RO, 0, 0, R, R},
		{UXN_T | PXN_T | RO_T | NOUSER_T, USER, 0, TCR_HPD0, R | W, R | W | X},
		{0, RO | DBM, 0, TCR_HA | TCR_HD, R | W | X, X},
		{0, RO | DBM, 0, TCR_HD, R | X, X},
		{0, RO | DBM, 0, 0, R | X, X},
	};

	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
		struct arm_regime r = regime();
		struct arm_xlat x;

		r.sctlr |= cases[i].sctlr;
		r.tcr |= cases[i].tcr;
		put(T(0), 0, T(2) | TABLE | cases[i].table);
		put(T(2), 0, 0x80000000 | BLOCK | AF | cases[i].leaf);
		assert_int_equal(arm_walk(&r, 0, &x), ARM_WALK_OK);
		if (x.priv != cases[i].priv || x.user != cases[i].user)
			fail_msg("case %u: priv %x user %x", i, x.priv, x.user);
	}
}

static void test_attributes(void **state)
{
	struct arm_regime r = regime();
	struct arm_xlat x;

	put(T(0), 0, 0x80000000 | BLOCK | AF | NG | 3 << 8 | 5 << 2 | 1 << 5);
	assert_int_equal(arm_walk(&r, 0, &x), ARM_WALK_OK);
	assert_int_equal(x.attr_index, 5);
	assert_int_equal(x.sh, 3);
	assert_true(x.ng && x.ns);
	assert_int_equal(x.level, 1);
}

static void test_single_range_regimes(void **state)
{
	struct arm_regime r = regime();
	struct arm_xlat x;

	put(T(0), 0, 0x80000000 | BLOCK | AF | USER | PXN);
	put(T(0), 1, 0x80000000 | BLOCK | AF | USER | UXN);
	r.kind = ARM_REGIME_EL3;
	r.tcr = 25 | 5 << 16;
	assert_int_equal(arm_walk(&r, 0, &x), ARM_WALK_OK);
	assert_int_equal(x.priv, ARM_PROT_READ | ARM_PROT_WRITE | ARM_PROT_EXEC);
	assert_int_equal(x.user, 0);
	assert_int_equal(arm_walk(&r, 0x40000000, &x), ARM_WALK_OK);
	assert_int_equal(x.priv, ARM_PROT_READ | ARM_PROT_WRITE);
	expect_fault(&r, 0xffffff8000000000, ARM_WALK_TRANSLATION, ARM_FSC_TRANSLATION);
	expect_fault(&r, 0xab00000000000000, ARM_WALK_TRANSLATION, ARM_FSC_TRANSLATION);
	r.tcr |= 1 << 20; /* TBI */
	assert_int_equal(arm_walk(&r, 0xab00000000000000, &x), ARM_WALK_OK);
}

static void test_granule_16k(void **state)
{
	struct arm_regime r = regime();

	r.tcr = 17 | 2 << 14 | IPS(5); /* 47 bits: levels 1 to 3 */
	put(T(0), 0, T(2) | TABLE);
	put(T(2), 1, 0x82000000 | BLOCK | AF);
	put(T(2), 2, T(3) | TABLE);
	put(T(3), 2047, 0x90004000 | PAGE | AF);
	expect(&r, 0x2001234, 0x82001234, 1 << 25);
	expect(&r, 0x5ffffff, 0x90007fff, 1 << 14);
	put(T(0), 0, 0x80000000 | BLOCK | AF);
	expect_fault(&r, 0, ARM_WALK_TRANSLATION, ARM_FSC_TRANSLATION + 1);
	r.tcr = 16 | 2 << 14 | IPS(5); /* 48 bits: two entries at level 0 */
	put(T(0), 1, T(2) | TABLE);
	put(T(2), 0, T(3) | TABLE);
	put(T(3), 1, 0x82000000 | BLOCK | AF);
	expect(&r, 0x800002000000, 0x82000000, 1 << 25);
}

/* A core without it takes it for 4 KiB, in both stages. */
static void test_no_granule_16k(void **state)
{
	struct arm_regime r = regime();
	struct arm_stage2 s2 = {.vtcr = 25 | 1 << 6 | 2 << 14 | 5 << 16, .vttbr = T(4)};

	r.no_granule16 = true;
	r.tcr = 25 | 25 << 16 | 2 << 14 | 1U << 30 | IPS(5);
	put(T(0), 1, 0x40000000 | BLOCK | AF);
	put(T(1), 511, 0x80000000 | BLOCK | AF);
	expect(&r, 0x40001234, 0x40001234, 1 << 30);
	expect(&r, 0xffffffffc0001234, 0x80001234, 1 << 30);
	r.stage2 = &s2;
	put(T(4), 1, 0x40000000 | BLOCK | AF | 0xfc);
	expect(&r, 0x40001234, 0x40001234, 1 << 30);
}

static void test_granule_64k(void **state)
{
	struct arm_regime r = regime();
	uint64_t high = 0xaULL << 48;

	r.tcr = 22 | 1 << 14 | IPS(5); /* 42 bits: levels 2 and 3 */
	put(T(0), 1, 0xa0000000 | BLOCK | AF);
	put(T(0), 0, T(2) | TABLE);
	put(T(2), 1, 0x90010000 | PAGE | AF | 0xaULL << 12);
	expect(&r, 0x20001234, 0xa0001234, 1 << 29);
	expect(&r, 0x11234, 0x90011234, 1 << 16);
	r.pa_bits = 52;
	expect_fault(&r, 0x11234, ARM_WALK_ADDRESS_SIZE, ARM_FSC_ADDRESS_SIZE + 3);
	r.tcr = 22 | 1 << 14 | IPS(6);
	expect(&r, 0x11234, high | 0x90011234, 1 << 16);
	r.tcr = 12 | 1 << 14 | IPS(6); /* 52 bits */
	put(T(0), 1023, T(2) | TABLE);
	put(T(2), 8191, 0x80000000 | BLOCK | AF);
	expect(&r, 0xfffffe0000000 | 0x1234, 0x80001234, 1 << 29);
	r.ttbr[0] |= 1 << 2; /* bit 48 of the address */
	expect_fault(&r, 0, ARM_WALK_EXTERNAL, ARM_FSC_EXTERNAL_WALK + 1);
}

static void test_lpa2(void **state)
{
	struct arm_regime r = regime();

	r.pa_bits = 52;
	r.tcr = 12 | IPS(6) | TCR_DS; /* 4 KiB, 52 bits: levels -1 to 3 */
	put(T(0), 15, T(2) | TABLE);
	put(T(2), 511, T(3) | TABLE);
	put(T(3), 511, T(4) | TABLE);
	put(T(4), 511, T(5) | TABLE);
	put(T(5), 511, 0x90000000 | PAGE | AF | 1ULL << 49 | 2ULL << 8);
	expect(&r, 0xffffffffff123, (1ULL << 49 | 1ULL << 51) + 0x90000123, 4096);
	expect_fault(&r, 0, ARM_WALK_TRANSLATION, 0x2b);
	put(T(0), 0, 0x10000000 | TABLE);
	expect_fault(&r, 0, ARM_WALK_EXTERNAL, ARM_FSC_EXTERNAL_WALK);
	r.ttbr[0] = 0;
	expect_fault(&r, 0, ARM_WALK_EXTERNAL, 0x13);
	r.tcr &= ~TCR_DS; /* TxSZ is out of range then */
	expect_fault(&r, 0, ARM_WALK_TRANSLATION, ARM_FSC_TRANSLATION);
}

static void test_big_endian_tables(void **state)
{
	struct arm_regime r = regime();

	r.sctlr |= 1 << 25;
	put(T(0), 0, __builtin_bswap64(0x80000000 | BLOCK | AF));
	expect(&r, 0x1234, 0x80001234, 1 << 30);
}

static bool collect(void *opaque, const struct arm_xlat *leaf)
{
	struct ram *m = opaque;

	if (m->leaves < MAX_LEAVES)
		m->leaf[m->leaves] = *leaf;
	return ++m->leaves < m->stop_after;
}

static void test_enumerate(void **state)
{
	struct arm_regime r = regime();

	put(T(0), 0, 0x80000000 | BLOCK | AF | RO);
	put(T(0), 1, 0x80000000 | BLOCK | AF | PXN);
	put(T(0), 2, T(2) | TABLE | PXN_T);
	put(T(2), 0, 0x80000000 | BLOCK | AF);
	put(T(0), 3, 0x10000000 | TABLE); /* unreadable: passed over */
	put(T(0), 4, 0x80000000 | BLOCK | AF | USER);
	put(T(0), 5, 0x80000000 | BLOCK);
	put(T(1), 0, T(3) | TABLE);
	put(T(3), 1, T(4) | TABLE);
	put(T(4), 2, 0x90003000 | PAGE | AF);
	assert_int_equal(arm_walk_exec(&r, 1 << 20, collect, &ram), ARM_WALK_OK);
	assert_int_equal(ram.leaves, 2);
	assert_int_equal(ram.leaf[0].va_base, 0);
	assert_int_equal(ram.leaf[0].size, 1 << 30);
	assert_int_equal(ram.leaf[0].priv, ARM_PROT_READ | ARM_PROT_EXEC);
	assert_int_equal(ram.leaf[1].va_base, 0xffffff8000202000);
	assert_int_equal(ram.leaf[1].pa, 0x90003000);
	assert_int_equal(ram.leaf[1].size, 4096);
	assert_true(ram.leaf[1].priv & ARM_PROT_WRITE);
}

static void test_enumerate_stops(void **state)
{
	struct arm_regime r = regime();

	for (unsigned i = 0; i < 8; i++)
		put(T(0), i, 0x80000000 | BLOCK | AF);
	ram.stop_after = 3;
	assert_int_equal(arm_walk_exec(&r, 1 << 20, collect, &ram), ARM_WALK_STOPPED);
	assert_int_equal(ram.leaves, 3);
	r.tcr |= TCR_EPD0 | TCR_EPD1;
	ram.leaves = 0;
	assert_int_equal(arm_walk_exec(&r, 1 << 20, collect, &ram), ARM_WALK_OK);
	r.sctlr = 0;
	assert_int_equal(arm_walk_exec(&r, 1 << 20, collect, &ram), ARM_WALK_OK);
	assert_int_equal(ram.leaves, 0);
}

/* A table all of whose entries lead to itself: 2^27 leaves if one were to follow it. */
static void test_enumerate_is_bounded(void **state)
{
	struct arm_regime r = regime();

	for (unsigned i = 0; i < 512; i++)
		put(T(0), i, T(0) | TABLE | AF);
	ram.stop_after = ~0U;
	assert_int_equal(arm_walk_exec(&r, 10000, collect, &ram), ARM_WALK_BUDGET);
	assert_int_equal(ram.reads, 10000);
	assert_int_equal(arm_walk_exec(&r, 0, collect, &ram), ARM_WALK_BUDGET);
}

static uint64_t next(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static void test_random_registers(void **state)
{
	uint64_t seed = 88172645463325252;
	struct arm_regime r = regime();

	for (unsigned i = 0; i < RAM_SIZE / 8; i++)
		ram.word[i] = (next(&seed) & 0xfff0000000000fff) | T(next(&seed) & 7);
	ram.stop_after = ~0U;
	for (unsigned i = 0; i < 100000; i++) {
		struct arm_xlat x;

		r.kind = next(&seed) % 3;
		r.sctlr = next(&seed) | 1;
		r.tcr = next(&seed);
		r.pa_bits = 32 + next(&seed) % 21;
		r.ttbr[0] = i & 1 ? next(&seed) : T(0);
		r.ttbr[1] = i & 2 ? next(&seed) : T(1);
		if (arm_walk(&r, next(&seed), &x) == ARM_WALK_OK)
			assert_int_equal(x.pa >> r.pa_bits, 0);
		if (i % 64 == 0)
			arm_walk_exec(&r, 1000, collect, &ram);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mmu_off),
		cmocka_unit_test(test_pages_and_blocks_4k),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_tbi),
		cmocka_unit_test(test_halves),
		cmocka_unit_test(test_permissions),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_single_range_regimes),
		cmocka_unit_test(test_granule_16k),
		cmocka_unit_test(test_no_granule_16k),
		cmocka_unit_test(test_granule_64k),
		cmocka_unit_test(test_lpa2),
		cmocka_unit_test(test_big_endian_tables),
		cmocka_unit_test(test_enumerate),
		cmocka_unit_test(test_enumerate_stops),
		cmocka_unit_test(test_enumerate_is_bounded),
		cmocka_unit_test(test_random_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
