/* SPDX-License-Identifier: Apache-2.0 */
/* PSCI (pe/psci.c). */
#include "pe/pe.h"

#include "arm/sysreg.h"
#include "pe_rig.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_psci_table(void **state)
{
	static const struct {
		uint64_t x[4];
		int64_t result;
	} calls[] = {
		{{PSCI_VERSION}, PSCI_1_1},
		{{0xffffffff00000000 | PSCI_VERSION}, PSCI_1_1}, /* W0 alone counts */
		{{PSCI_VERSION | SMCCC_64}, PSCI_NOT_SUPPORTED},
		{{0}, PSCI_NOT_SUPPORTED},
		{{0xffffffff}, PSCI_NOT_SUPPORTED},
		{{PSCI_SYSTEM_SUSPEND}, PSCI_NOT_SUPPORTED},
		{{SMCCC_VERSION}, SMCCC_1_1},
		{{SMCCC_ARCH_FEATURES, SMCCC_VERSION}, 0},
		{{SMCCC_ARCH_FEATURES, SMCCC_ARCH_FEATURES}, 0},
		{{SMCCC_ARCH_FEATURES, SMCCC_ARCH_WORKAROUND_1}, SMCCC_NOT_SUPPORTED},
		{{SMCCC_ARCH_FEATURES, SMCCC_ARCH_SOC_ID}, SMCCC_NOT_SUPPORTED},
		{{SMCCC_ARCH_FEATURES, PSCI_VERSION}, SMCCC_NOT_SUPPORTED},
		{{SMCCC_VERSION | SMCCC_64}, SMCCC_NOT_SUPPORTED},
		{{PSCI_FEATURES, PSCI_CPU_ON}, 0},
		{{PSCI_FEATURES, PSCI_CPU_ON | SMCCC_64}, 0},
		{{PSCI_FEATURES, PSCI_CPU_OFF}, 0},
		{{PSCI_FEATURES, PSCI_CPU_OFF | SMCCC_64}, PSCI_NOT_SUPPORTED},
		{{PSCI_FEATURES, PSCI_VERSION}, 0},
		{{PSCI_FEATURES, PSCI_AFFINITY_INFO}, 0},
		{{PSCI_FEATURES, PSCI_SYSTEM_OFF}, 0},
		{{PSCI_FEATURES, PSCI_SYSTEM_RESET}, 0},
		{{PSCI_FEATURES, PSCI_SYSTEM_RESET2 | SMCCC_64}, 0},
		{{PSCI_FEATURES, PSCI_FEATURES}, 0},
		{{PSCI_FEATURES, SMCCC_VERSION}, 0},
		{{PSCI_FEATURES, SMCCC_ARCH_FEATURES}, PSCI_NOT_SUPPORTED},
		{{PSCI_FEATURES, SMCCC_VERSION | SMCCC_64}, PSCI_NOT_SUPPORTED},
		{{PSCI_FEATURES, PSCI_MIGRATE}, PSCI_NOT_SUPPORTED},
		{{PSCI_FEATURES, PSCI_MEM_PROTECT}, PSCI_NOT_SUPPORTED},
		{{PSCI_MIGRATE_INFO_TYPE}, PSCI_TOS_NOT_PRESENT},
		{{PSCI_MIGRATE}, PSCI_NOT_SUPPORTED},
		{{PSCI_MIGRATE_INFO_UP_CPU | SMCCC_64}, PSCI_NOT_SUPPORTED},
		{{PSCI_FEATURES, PSCI_CPU_SUSPEND | SMCCC_64}, 0},
		{{PSCI_CPU_SUSPEND, 1 << 17}, PSCI_INVALID_PARAMETERS},
		{{PSCI_CPU_SUSPEND, 1 << 24}, PSCI_INVALID_PARAMETERS}, /* level 1 */
		{{PSCI_CPU_SUSPEND | SMCCC_64, 1 << 31}, PSCI_INVALID_PARAMETERS},
		{{PSCI_CPU_SUSPEND, PSCI_STATE_POWERDOWN, DEVICE}, PSCI_INVALID_ADDRESS},
		{{PSCI_CPU_SUSPEND, PSCI_STATE_POWERDOWN, BASE + 1}, PSCI_INVALID_ADDRESS},
		{{PSCI_AFFINITY_INFO, 0, 0}, PSCI_AFFINITY_ON},
		{{PSCI_AFFINITY_INFO, 1, 0}, PSCI_AFFINITY_OFF},
		{{PSCI_AFFINITY_INFO, PES, 0}, PSCI_INVALID_PARAMETERS},
		{{PSCI_AFFINITY_INFO, 0, 1}, PSCI_INVALID_PARAMETERS},
		{{PSCI_AFFINITY_INFO, 1ULL << 32, 0}, PSCI_AFFINITY_ON}, /* W1 alone counts */
		{{PSCI_AFFINITY_INFO | SMCCC_64, 1ULL << 32, 0}, PSCI_INVALID_PARAMETERS},
		{{PSCI_AFFINITY_INFO, 0x80000000, 0}, PSCI_INVALID_PARAMETERS},
		{{PSCI_CPU_ON, 0, BASE}, PSCI_ALREADY_ON},
		{{PSCI_CPU_ON, PES, BASE}, PSCI_INVALID_PARAMETERS},
		{{PSCI_CPU_ON, 1, DEVICE}, PSCI_INVALID_ADDRESS},
		{{PSCI_CPU_ON, 1, BASE + 2}, PSCI_INVALID_ADDRESS},
		{{PSCI_CPU_ON | SMCCC_64, 1, BASE | 1ULL << 40}, PSCI_INVALID_ADDRESS},
		{{PSCI_SYSTEM_RESET2, 1}, PSCI_INVALID_PARAMETERS},
		{{PSCI_SYSTEM_RESET2 | SMCCC_64, PSCI_RESET2_VENDOR}, PSCI_INVALID_PARAMETERS},
	};
	struct rig *r = *state;

	rig_start(r);
	for (unsigned i = 0; i < ARRAY_COUNT(calls); i++) {
		const uint64_t *a = calls[i].x;

		assert_int_equal(rig_call(r, a[0], a[1], a[2], a[3]), calls[i].result);
		for (unsigned n = 1; n < 4; n++)
			assert_int_equal(rig_x(r, 0, n), a[n]);
	}
	assert_int_equal(rig_runs(r, 1), 0);
	assert_int_equal(r->offs + r->resets, 0);
}

static void test_cpu_on_and_off(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	for (unsigned round = 0; round < 3; round++) {
		uint64_t fid = round % 2 ? PSCI_CPU_ON : PSCI_CPU_ON | SMCCC_64;
		uint64_t context = 0x123456789abcdef0;
		int64_t again;

		assert_int_equal(rig_call(r, fid, 1, BASE + 0x100, context), PSCI_SUCCESS);
		again = rig_call(r, fid, 1, BASE + 0x200, 0);
		assert_true(again == PSCI_ALREADY_ON || again == PSCI_ON_PENDING);
		assert_true(fake_wait_idle(r->vm, 1));
		assert_int_equal(rig_reg(r, 1, REG_PC), BASE + 0x100);
		assert_int_equal(rig_reg(r, 1, REG_PSTATE), EL1H);
		assert_int_equal(rig_reg(r, 1, REG_SYS(SYS_MPIDR_EL1)), 0x80000001);
		assert_int_equal(rig_x(r, 1, 0), round % 2 ? (uint32_t)context : context);
		assert_int_equal(rig_call(r, PSCI_AFFINITY_INFO, 1, 0, 0), PSCI_AFFINITY_ON);
		assert_int_equal(rig_call(r, fid, 1, BASE, 0), PSCI_ALREADY_ON);
		rig_queue_call(r, 1, PSCI_CPU_OFF, 0, 0, 0);
		rig_wait_off(r, 1);
	}
}

/* Another PE that has been switched on but not begun. */
static void test_on_pending(void **state)
{
	struct rig *r = *state;

	r->word[0] = 0xd518c004; /* msr vbar_el1, x4: while it is stepped, nobody else runs */
	rig_start(r);
	rig_execute(r, 0, EL1H);
	assert_int_equal(rig_call(r, PSCI_CPU_ON, 1, BASE + 0x100, 7), PSCI_SUCCESS);
	assert_int_equal(rig_call(r, PSCI_AFFINITY_INFO, 1, 0, 0), PSCI_AFFINITY_ON_PENDING);
	assert_int_equal(rig_call(r, PSCI_CPU_ON, 1, BASE + 0x200, 8), PSCI_ON_PENDING);
	fake_queue(r->vm, 0, &(struct hv_exit){.kind = HV_EXIT_STEP}, NULL, 0);
	assert_true(fake_wait_idle(r->vm, 1));
	assert_int_equal(rig_reg(r, 1, REG_PC), BASE + 0x100);
	assert_int_equal(rig_x(r, 1, 0), 7);
	assert_int_equal(rig_call(r, PSCI_AFFINITY_INFO, 1, 0, 0), PSCI_AFFINITY_ON);
}

static unsigned waits(struct rig *r)
{
	return fake_calls(r->vm, 0, FAKE_WAIT, NULL, 0);
}

/* Wake PE 0, and see that it runs again. */
static void wake(struct rig *r)
{
	struct hv_exit kick = {.kind = HV_EXIT_KICK};
	struct fake_reg woken = {REG_X(20), 1};

	fake_queue(r->vm, 0, &kick, &woken, 1);
	assert_true(fake_wait_idle(r->vm, 0));
	assert_int_equal(rig_x(r, 0, 20), 0); /* not before there is an interrupt */
	pe_irq(r->s, 0, HV_IRQ, true);
	for (unsigned i = 0; i < 20000 && !rig_x(r, 0, 20); i++)
		rig_nap();
	assert_int_equal(rig_x(r, 0, 20), 1);
	assert_true(fake_wait_idle(r->vm, 0));
}

static void test_standby(void **state)
{
	struct rig *r = *state;
	uint64_t pc = BASE + 0x20;

	rig_start(r);
	fake_set(r->vm, 0, REG_PC, pc);
	assert_int_equal(rig_call(r, PSCI_CPU_SUSPEND, PSCI_STATE_ID, 0, 0), PSCI_SUCCESS);
	assert_int_equal(waits(r), 1);
	pe_set_pause(r->s); /* does not end it */
	pe_set_resume(r->s);
	wake(r);
	assert_int_equal(rig_x(r, 0, 0), PSCI_SUCCESS);
	assert_int_equal(rig_reg(r, 0, REG_PC), pc);
	assert_int_equal(fake_calls(r->vm, 0, FAKE_RESET, NULL, 0), 1);
	/* With the interrupt still pending the wait is over at once. */
	assert_int_equal(rig_call(r, PSCI_CPU_SUSPEND, 0, 0, 0), PSCI_SUCCESS);
	assert_int_equal(rig_call(r, PSCI_VERSION, 0, 0, 0), PSCI_1_1);
}

static void test_power_down(void **state)
{
	const uint64_t context = 0x123456789abcdef0, big_endian = 1 << 25;
	struct rig *r = *state;

	rig_start(r);
	fake_set(r->vm, 0, REG_SYS(SYS_SCTLR_EL1), big_endian | 0x1005);
	fake_set(r->vm, 0, REG_PSTATE, ARM_PSTATE_EL1t);
	fake_set(r->vm, 0, REG_SYS(SYS_VBAR_EL1), VBAR);
	fake_set(r->vm, 0, REG_SYS(SYS_CNTV_CVAL_EL0), 0x1234);
	fake_set(r->vm, 0, REG_SYS(SYS_CNTV_CTL_EL0), 3);
	rig_call(r, PSCI_CPU_SUSPEND | SMCCC_64, PSCI_STATE_POWERDOWN, BASE + 0x800, context);
	assert_int_equal(waits(r), 1);
	wake(r);
	assert_int_equal(rig_x(r, 0, 0), context);
	assert_int_equal(rig_reg(r, 0, REG_PC), BASE + 0x800);
	assert_int_equal(rig_reg(r, 0, REG_PSTATE), EL1H);
	/* The MMU is off; the byte order is the caller's. */
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_SCTLR_EL1)), big_endian);
	/* The core has lost its state, but for the timers; its interrupt is still there. */
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_VBAR_EL1)), 0);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_MPIDR_EL1)), 0x80000000);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_CNTV_CVAL_EL0)), 0x1234);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_CNTV_CTL_EL0)), 3);
	assert_int_equal(fake_calls(r->vm, 0, FAKE_RESET, NULL, 0), 2);
	assert_int_equal(fake_calls(r->vm, 0, FAKE_IRQ, NULL, 0), 2);
}

/* With EL2 and EL3 it begins at EL2, and what firmware sets at EL3 is set. */
static void test_power_down_at_el2(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	fake_set(r->vm, 0, REG_SYS(SYS_HCR_EL2), 1ULL << 34); /* E2H */
	fake_set(r->vm, 0, REG_SYS(SYS_CNTVOFF_EL2), 0x77);
	fake_set(r->vm, 0, REG_SYS(SYS_CNTHP_CTL_EL2), 1);
	rig_call(r, PSCI_CPU_SUSPEND | SMCCC_64, PSCI_STATE_POWERDOWN, BASE + 0x800, 5);
	wake(r);
	assert_int_equal(rig_reg(r, 0, REG_PC), BASE + 0x800);
	assert_int_equal(rig_reg(r, 0, REG_PSTATE), 0x3c9);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_HCR_EL2)), 0);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_SCR_EL3)), 0x531);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_VMPIDR_EL2)), 0x80000000);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_CNTVOFF_EL2)), 0x77);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_CNTHP_CTL_EL2)), 1);
}

/* A reset ends the wait, and what was to come after it. */
static void test_reset_while_suspended(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	rig_call(r, PSCI_CPU_SUSPEND, PSCI_STATE_POWERDOWN, BASE + 0x800, 5);
	pe_set_pause(r->s);
	pe_set_reset(r->s, &r->entry);
	pe_set_resume(r->s);
	assert_true(fake_wait_idle(r->vm, 0));
	assert_int_equal(rig_reg(r, 0, REG_PC), BASE);
	rig_call(r, PSCI_CPU_SUSPEND, 0, 0, 0);
	wake(r);
	assert_int_equal(rig_reg(r, 0, REG_PC), BASE);
}

static void test_suspend_without_wait(void **state)
{
	struct rig *r = *state;

	r->caps.wait_for_interrupt = false;
	rig_start(r);
	fake_set(r->vm, 0, REG_PC, BASE + 4);
	assert_int_equal(rig_call(r, PSCI_CPU_SUSPEND, 0, 0, 0), PSCI_SUCCESS);
	assert_int_equal(rig_call(r, PSCI_CPU_SUSPEND, PSCI_STATE_POWERDOWN, BASE, 0),
			 PSCI_SUCCESS);
	assert_int_equal(rig_reg(r, 0, REG_PC), BASE + 4);
	assert_int_equal(waits(r), 0);
	assert_int_equal(rig_call(r, PSCI_VERSION, 0, 0, 0), PSCI_1_1);
}

static void test_system_calls(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	rig_queue_call(r, 0, PSCI_SYSTEM_RESET2, 0, 0, 0);
	while (!r->resets)
		rig_nap();
	assert_string_equal(r->what, "PSCI SYSTEM_RESET");
	/* What the machine does then. */
	pe_set_pause(r->s);
	pe_set_reset(r->s, &r->entry);
	pe_set_resume(r->s);
	assert_true(fake_wait_idle(r->vm, 0));
	rig_queue_call(r, 0, PSCI_SYSTEM_OFF, 0, 0, 0);
	while (!r->offs)
		rig_nap();
	assert_string_equal(r->what, "PSCI SYSTEM_OFF");
	pe_set_pause(r->s);
	assert_string_equal(pe_set_power_state(r->s, 0), "off");
	pe_set_resume(r->s);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_psci_table),
		TEST(test_cpu_on_and_off),
		TEST(test_on_pending),
		TEST(test_standby),
		TEST(test_power_down),
		TEST(test_reset_while_suspended),
		TEST(test_suspend_without_wait),
		TEST(test_system_calls),
		cmocka_unit_test_setup_teardown(test_power_down_at_el2, rig_setup_levels,
						rig_teardown),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
