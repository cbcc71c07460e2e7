/* SPDX-License-Identifier: Apache-2.0 */
/* Accesses without syndrome (pe/mmio.c): the rights of stage 1, which each access of an instruction needs. */
#include "pe/pe.h"

#include "arm/sysreg.h"
#include "pe_rig.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Pages of the rig's RAM. Addresses are their own, with 4 KiB granule and 39 bits. */
enum {
	CODE = BASE,
	RW = BASE + 0x1000,	 /* EL1 alone */
	RO = BASE + 0x2000,	 /* EL1 alone */
	USER = BASE + 0x3000,	 /* EL0 and EL1 */
	MISSING = BASE + 0x4000, /* not mapped */
	USER_RO = BASE + 0x5000,
	EXEC = BASE + 0x7000, /* EL0 may execute, not read */
	LEVEL1 = BASE + 0xa000,
	LEVEL2 = BASE + 0xb000,
	LEVEL3 = BASE + 0xc000,
};

enum {
	AF = 1 << 10,
	AP_USER = 1 << 6,
	AP_RO = 1 << 7,
	LDP = 0xa9400801,   /* ldp x1, x2, [x0] */
	STP = 0xa9000801,   /* stp x1, x2, [x0] */
	LDTR = 0xf8400801,  /* ldtr x1, [x0] */
	STTR = 0xf8000801,  /* sttr x1, [x0] */
	LDADD = 0xf8230001, /* ldadd x3, x1, [x0] */
	CAS = 0xc8a37c01,   /* cas x3, x1, [x0] */
	PERMISSION = ARM_FSC_PERMISSION + 3,
	TRANSLATION = ARM_FSC_TRANSLATION + 3,
};

#define UXN  (1ULL << 54)
#define EPAN (1ULL << 57)

static uint64_t *ram(struct rig *r, uint64_t gpa)
{
	return (uint64_t *)(void *)((uint8_t *)r->word + (gpa - BASE));
}

static void map(struct rig *r, uint64_t page, uint64_t attrs)
{
	ram(r, LEVEL3)[(page - BASE) / 4096] = page | attrs | AF | 3;
}

static void make_tables(struct rig *r)
{
	ram(r, LEVEL1)[1] = LEVEL2 | 3;
	ram(r, LEVEL2)[0] = LEVEL3 | 3;
	map(r, CODE, AP_RO | AP_USER);
	map(r, RW, UXN);
	map(r, RO, AP_RO | UXN);
	map(r, USER, AP_USER | UXN);
	map(r, USER_RO, AP_USER | AP_RO | UXN);
	map(r, EXEC, 0);
}

static void start(struct rig *r)
{
	make_tables(r);
	rig_start(r);
	fake_set(r->vm, 0, REG_SYS(SYS_VBAR_EL1), VBAR);
	fake_set(r->vm, 0, REG_SYS(SYS_TTBR0_EL1), LEVEL1);
	fake_set(r->vm, 0, REG_SYS(SYS_TCR_EL1), 25 | 1 << 23 | 2ULL << 32);
	fake_set(r->vm, 0, REG_SYS(SYS_SCTLR_EL1), 1);
}

/* PE 0 executes @word in the first page on address @x0. */
static void execute(struct rig *r, uint32_t word, uint64_t pstate, uint64_t x0)
{
	struct hv_exit e = {.kind = HV_EXIT_DABT, .dabt = {.ipa = x0}};
	struct fake_reg regs[] = {{REG_PC, CODE},	    {REG_PSTATE, pstate}, {REG_X(0), x0},
				  {REG_X(1), 0x1111},	    {REG_X(2), 0x2222},	  {REG_X(3), 0},
				  {REG_SYS(SYS_FAR_EL1), 0}};

	r->word[0] = word;
	fake_queue(r->vm, 0, &e, regs, ARRAY_COUNT(regs));
	assert_true(fake_wait_idle(r->vm, 0));
}

static void test_permissions(void **state)
{
	static const struct {
		uint32_t word;
		uint64_t pstate, x0;
		unsigned fsc; /* 0: no fault */
		bool is_write;
		uint64_t far;
	} cases[] = {
		/* The second of a pair lies in another page. */
		{STP, EL1H, RO - 8, PERMISSION, true, RO},
		{LDP, EL1H, RO - 8, 0, false, 0},
		{STP, EL1H, MISSING - 8, TRANSLATION, true, MISSING},
		{LDP, EL1H, MISSING - 8, TRANSLATION, false, MISSING},
		{LDP, EL0T, USER - 8, PERMISSION, false, USER - 8},
		{STP, EL0T, MISSING - 8, TRANSLATION, true, MISSING},
		{STP, EL0T, USER, 0, false, 0},
		{STP, EL0T, USER_RO, PERMISSION, true, USER_RO},
		{LDP, EL0T, USER_RO, 0, false, 0},
		{LDP, EL0T, EXEC, PERMISSION, false, EXEC},
		/* In the middle of one. */
		{LDP, EL1H, RO - 4, 0, false, 0},
		{STP, EL1H, RO - 4, PERMISSION, true, RO},
		/* Privileged access never. */
		{LDP, EL1H, USER - 8, 0, false, 0},
		{LDP, EL1H | ARM_PSTATE_PAN, USER - 8, PERMISSION, false, USER},
		{STP, EL1H | ARM_PSTATE_PAN, USER, PERMISSION, true, USER},
		{STP, EL1H | ARM_PSTATE_PAN, RW, 0, false, 0},
		{LDP, EL1H | ARM_PSTATE_PAN, EXEC, 0, false, 0},
		{LDP, EL0T | ARM_PSTATE_PAN, USER, 0, false, 0},
		/* Unprivileged loads and stores. */
		{LDTR, EL1H, RW, PERMISSION, false, RW},
		{STTR, EL1H, RW, PERMISSION, true, RW},
		{STTR, EL1H, USER_RO, PERMISSION, true, USER_RO},
		{LDTR, EL1H | ARM_PSTATE_PAN, USER, 0, false, 0},
		{STTR, EL1H | ARM_PSTATE_PAN, USER, 0, false, 0},
		{STTR, EL1H | ARM_PSTATE_UAO, RW, 0, false, 0},
		{LDTR, EL1H | ARM_PSTATE_UAO | ARM_PSTATE_PAN, USER, PERMISSION, false, USER},
		/* An atomic reads and writes. */
		{LDADD, EL1H, RO, PERMISSION, true, RO},
		{LDADD, EL1H, RW, 0, false, 0},
		{LDADD, EL0T, RO, PERMISSION, false, RO},
		{LDADD, EL0T, USER_RO, PERMISSION, true, USER_RO},
		{CAS, EL1H, RO, PERMISSION, true, RO},
	};
	struct rig *r = *state;

	start(r);
	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
		unsigned el = bits(cases[i].pstate, 3, 2);

		execute(r, cases[i].word, cases[i].pstate, cases[i].x0);
		if (!cases[i].fsc) {
			assert_int_equal(rig_reg(r, 0, REG_PC), CODE + 4);
			continue;
		}
		rig_assert_exception(r, el ? 0x200 : 0x400,
				     arm_esr_dabt(el, 1, cases[i].fsc, cases[i].is_write, false),
				     CODE, cases[i].pstate);
		assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_FAR_EL1)), cases[i].far);
	}
	assert_int_equal(fake_calls(r->vm, 0, FAKE_MMIO_ABORT, NULL, 0), 0);
}

/* What came before the fault has happened; registers are as before. */
static void test_fault_in_the_middle(void **state)
{
	struct rig *r = *state;

	start(r);
	execute(r, STP, EL1H, RO - 4);
	assert_int_equal(ram(r, RO - 8)[0], 0x1111ULL << 32);
	assert_int_equal(ram(r, RO)[0], 0);
	execute(r, LDP, EL1H, RO - 12);
	assert_int_equal(rig_x(r, 0, 2), 0x1111);
	execute(r, LDP, EL1H, MISSING - 8);
	assert_int_equal(rig_x(r, 0, 1), 0x1111);
	assert_int_equal(rig_x(r, 0, 2), 0x2222);
}

static void test_controls(void **state)
{
	struct rig *r = *state;

	start(r);
	fake_set(r->vm, 0, REG_SYS(SYS_SCTLR_EL1), 1 | EPAN);
	execute(r, LDP, EL1H | ARM_PSTATE_PAN, EXEC);
	rig_assert_exception(r, 0x200, arm_esr_dabt(1, 1, PERMISSION, false, false), CODE,
			     EL1H | ARM_PSTATE_PAN);
	fake_set(r->vm, 0, REG_SYS(SYS_SCTLR_EL1), 0); /* nothing is checked */
	execute(r, STP, EL1H | ARM_PSTATE_PAN, RO);
	assert_int_equal(rig_reg(r, 0, REG_PC), CODE + 4);
	execute(r, LDTR, EL1H, RW);
	assert_int_equal(rig_reg(r, 0, REG_PC), CODE + 4);
}

/* Nothing answers at the second of a pair: FAR_EL1 says so. */
static void test_external_abort(void **state)
{
	struct rig *r = *state;

	start(r);
	fake_set(r->vm, 0, REG_SYS(SYS_SCTLR_EL1), 0);
	execute(r, STP, EL1H, BASE + SIZE - 8);
	assert_int_equal(fake_calls(r->vm, 0, FAKE_MMIO_ABORT, NULL, 0), 1);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_FAR_EL1)), BASE + SIZE);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_ESR_EL1)) & 1 << 6, 1 << 6);
}

/* Security of an access goes with it, with and without syndrome. */
static void test_security(void **state)
{
	struct hv_exit mmio = {.kind = HV_EXIT_MMIO, .mmio = {.ipa = DEVICE, .size = 4}};
	struct hv_exit dabt = {.kind = HV_EXIT_DABT, .dabt = {.ipa = DEVICE}};
	struct fake_reg regs[] = {{REG_PC, BASE}, {REG_PSTATE, EL1H}, {REG_X(0), DEVICE}};
	struct rig *r = *state;

	r->word[0] = 0xb8404401; /* ldr w1, [x0], #4 */
	rig_start(r);
	for (unsigned secure = 0; secure < 2; secure++) {
		r->attrs.secure = !secure;
		mmio.mmio.secure = secure;
		fake_queue(r->vm, 0, &mmio, NULL, 0);
		assert_true(fake_wait_idle(r->vm, 0));
		assert_int_equal(r->attrs.secure, secure);
		r->attrs.secure = !secure;
		dabt.dabt.secure = secure;
		fake_set(r->vm, 0, REG_SYS(SYS_SCR_EL3), !secure);
		fake_queue(r->vm, 0, &dabt, regs, ARRAY_COUNT(regs));
		assert_true(fake_wait_idle(r->vm, 0));
		assert_int_equal(r->attrs.secure, secure);
	}
}

int main(void)
{
#define TEST(fn)   cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)
#define LEVELS(fn) cmocka_unit_test_setup_teardown(fn, rig_setup_levels, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_permissions),	   TEST(test_fault_in_the_middle), TEST(test_controls),
		TEST(test_external_abort), LEVELS(test_security),
	};
#undef LEVELS
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
