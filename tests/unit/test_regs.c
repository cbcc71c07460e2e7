/* SPDX-License-Identifier: Apache-2.0 */
/* Registers by name, and their fields as text. */
#include "debug/regs.h"

#include "arm/reg.h"
#include "util/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_name(const char *name, uint32_t want)
{
	uint32_t id = 0;

	assert_true(regs_find(name, &id));
	assert_int_equal(id, want);
}

static void test_names(void **state)
{
	uint32_t id;

	assert_name("x0", REG_X(0));
	assert_name("X30", REG_X(30));
	assert_name("pc", REG_PC);
	assert_name("ELR_EL1", REG_ELR_EL1);
	assert_name("sctlr_el1", REG_SYS(SYSREG(3, 0, 1, 0, 0)));
	assert_name("SCR_EL3", REG_SYS(SYSREG(3, 6, 1, 1, 0)));
	assert_name("S3_0_C1_C0_0", REG_SYS(SYSREG(3, 0, 1, 0, 0)));
	assert_false(regs_find("X31", &id));
	assert_false(regs_find("x1x", &id));
	assert_false(regs_find("x", &id));
	assert_false(regs_find("", &id));
	assert_false(regs_find("SCTLR", &id));
}

static void assert_fields(uint32_t id, uint64_t value, const char *want)
{
	struct buf b = BUF_INIT;

	regs_fields(&b, id, value);
	assert_string_equal(b.len ? b.data : "", want);
	buf_free(&b);
}

static void test_fields(void **state)
{
	/* Fields that are zero, and RES1 bits, are left out. */
	assert_fields(REG_SYS(SYSREG(3, 6, 1, 1, 0)), 0x431, "RW=1 NS=1");
	assert_fields(REG_SYS(SYSREG(3, 0, 5, 2, 0)), 0x3cULL << 26 | 1 << 25 | 0x123,
		      "EC=0x3c IL=1 ISS=0x123");
	assert_fields(REG_PC, 0x1234, "");
	assert_fields(REG_X(3), ~0ULL, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
