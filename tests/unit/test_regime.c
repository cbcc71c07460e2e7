/* SPDX-License-Identifier: Apache-2.0 */
/* Settling (pe/regime.c) where PEs have tables of their own for the upper half. */
#include "pe/pe.h"

#include "arm/sysreg.h"
#include "pe_rig.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define UPPER 0xffffff8000000000ULL

enum {
	MSR_SCTLR = 0xd5181000,
	/* Of PE n: three pages of tables, and the page they map at UPPER. */
	TABLES_0 = BASE + 0xa000,
	TABLES_1 = BASE + 0xd000,
	TABLES_2 = BASE + 0x5000,
	CODE_0 = BASE + 0x3000,
	CODE_1 = BASE + 0x4000,
	CODE_2 = BASE + 0x9000,
};

static const struct {
	uint64_t tables, code;
} own[PES] = {{TABLES_0, CODE_0}, {TABLES_1, CODE_1}, {TABLES_2, CODE_2}};

static uint64_t *ram(struct rig *r, uint64_t gpa)
{
	return (uint64_t *)(void *)((uint8_t *)r->word + (gpa - BASE));
}

static uint32_t *code(struct rig *r, unsigned pe)
{
	return (uint32_t *)(void *)ram(r, own[pe].code);
}

/* One page, executable at EL1; @ap: 2 for read-only. */
static void make_tables(struct rig *r, unsigned pe, unsigned ap)
{
	uint64_t t = own[pe].tables;

	ram(r, t)[0] = (t + 0x1000) | 3;
	ram(r, t + 0x1000)[0] = (t + 0x2000) | 3;
	ram(r, t + 0x2000)[0] = own[pe].code | 1ULL << 54 | 1 << 10 | ap << 6 | 3;
	code(r, pe)[5] = HVC;
}

static void use_tables(struct rig *r, unsigned pe)
{
	fake_set(r->vm, pe, REG_SYS(SYS_TTBR1_EL1), own[pe].tables | 1ULL << 48);
	fake_set(r->vm, pe, REG_SYS(SYS_TCR_EL1), 25 << 16 | 2ULL << 30 | 1 << 7 | 2ULL << 32);
	fake_set(r->vm, pe, REG_SYS(SYS_SCTLR_EL1), 1);
}

static void start(struct rig *r)
{
	for (unsigned i = 0; i < PES; i++)
		make_tables(r, i, 2);
	r->word[0] = MSR_SCTLR;
	r->word[1] = BR_X1;
	rig_start(r);
}

/* PE 0 goes to the upper half. */
static void enter_upper(struct rig *r)
{
	struct hv_exit e = {.kind = HV_EXIT_BRK, .brk = {r->word[1] >> 5}};
	struct fake_reg regs[] = {{REG_PC, BASE + 4}, {REG_PSTATE, EL1H}, {REG_X(1), UPPER}};

	use_tables(r, 0);
	fake_queue(r->vm, 0, &e, regs, ARRAY_COUNT(regs));
	assert_true(fake_wait_idle(r->vm, 0));
	assert_int_equal(rig_reg(r, 0, REG_PC), UPPER);
}

static void switch_on(struct rig *r, unsigned pe)
{
	assert_int_equal(rig_call(r, PSCI_CPU_ON, pe, BASE, 0), PSCI_SUCCESS);
	assert_true(fake_wait_idle(r->vm, pe));
}

/* The code of another PE's tables is found when the first settles. */
static void test_settle_looks_at_all(void **state)
{
	struct rig *r = *state;

	start(r);
	switch_on(r, 1);
	use_tables(r, 1);
	enter_upper(r);
	assert_int_equal(r->word[1], BR_X1); /* settled: given back */
	assert_int_not_equal(code(r, 0)[5], HVC);
	assert_int_not_equal(code(r, 1)[5], HVC);
	assert_int_equal(code(r, 2)[5], HVC); /* of a PE that is off */
}

/* While another PE can write its code, the guest has not settled. */
static void test_another_is_not_ready(void **state)
{
	struct rig *r = *state;

	start(r);
	make_tables(r, 1, 0);
	switch_on(r, 1);
	use_tables(r, 1);
	enter_upper(r);
	assert_int_not_equal(r->word[0], MSR_SCTLR);
	assert_int_not_equal(code(r, 1)[5], HVC);
	/* Left over from discovery: a settled guest would have had it back. */
	assert_int_not_equal(r->word[1], BR_X1);
}

/* A PE that comes later, with tables of its own. */
static void test_late_tables(void **state)
{
	struct rig *r = *state;
	struct hv_exit step = {.kind = HV_EXIT_STEP};

	start(r);
	enter_upper(r);
	switch_on(r, 2);
	assert_int_equal(code(r, 2)[5], HVC);
	rig_queue_brk(r, 2, r->word[0] >> 5, BASE, EL1H);
	assert_true(fake_wait_idle(r->vm, 2));
	use_tables(r, 2); /* what the step does */
	fake_queue(r->vm, 2, &step, &(struct fake_reg){REG_PC, BASE + 4}, 1);
	assert_true(fake_wait_idle(r->vm, 2));
	assert_int_not_equal(code(r, 2)[5], HVC);
	assert_int_equal(rig_reg(r, 2, REG_PC), BASE + 4);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_settle_looks_at_all),
		TEST(test_another_is_not_ready),
		TEST(test_late_tables),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
