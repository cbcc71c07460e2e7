/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "dev/dt.h"
#include "host/clock.h"

#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

extern const struct component pl031_component;

enum { BASE = 0x09010000, IRQ = 2, EPOCH = 1000000000 };
enum { DR = 0, MR = 4, LR = 8, CR = 0xc, IMSC = 0x10, RIS = 0x14, MIS = 0x18, ICR = 0x1c };

static void start(struct fixture *f, const char *base)
{
	const struct fixture_prop props[] = {{"address", "0x09010000"},
					     {"irq", "2"},
					     {"apb_pclk", "24MHz"},
					     {"base", base},
					     {0}};

	fixture_make(f, &pl031_component, props);
	assert_int_equal(fixture_start(f), 0);
}

static uint32_t get(struct fixture *f, uint32_t reg)
{
	return fixture_read(f, BASE + reg, 4);
}

static void put(struct fixture *f, uint32_t reg, uint32_t value)
{
	fixture_write(f, BASE + reg, 4, value);
}

/* The test may be slow, not quick. */
static void expect_time(struct fixture *f, uint32_t at_least)
{
	uint32_t dr = get(f, DR);

	assert_true(dr - at_least <= 2);
}

static void test_time(void **state)
{
	static const uint8_t id[8] = {0x31, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
	uint32_t before = clock_real_ns() / NS_PER_S;
	struct fixture f;

	start(&f, "0");
	expect_time(&f, before - 1); /* seconds of two clocks do not begin together */
	put(&f, LR, EPOCH);
	expect_time(&f, EPOCH);
	assert_int_equal(get(&f, LR), EPOCH);
	dev_reset(f.dev); /* does not touch the clock itself */
	expect_time(&f, EPOCH);
	put(&f, DR, 5); /* read-only */
	expect_time(&f, EPOCH);
	assert_int_equal(get(&f, CR), 1);
	put(&f, CR, 0);
	assert_int_equal(get(&f, CR), 1);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(get(&f, 0xfe0 + 4 * i), id[i]);
	assert_int_equal(get(&f, 0x20), 0);
	put(&f, 0x20, 1);
	fixture_drop(&f);
	start(&f, "1000000000");
	expect_time(&f, EPOCH);
	fixture_drop(&f);
}

static bool is_high(void *opaque)
{
	return fixture_level(opaque, IRQ);
}

static void test_match(void **state)
{
	struct fixture f;

	start(&f, "1000000000");
	put(&f, IMSC, 0xffffffff);
	assert_int_equal(get(&f, IMSC), 1);
	put(&f, LR, EPOCH);
	put(&f, MR, EPOCH + 2); /* at least a second away, wherever this one began */
	assert_int_equal(get(&f, MR), EPOCH + 2);
	assert_false(is_high(&f));
	put(&f, MR, EPOCH + 1);
	assert_true(fixture_run_until(&f, is_high, &f, 3000));
	expect_time(&f, EPOCH + 1);
	assert_int_equal(get(&f, MIS), 1);
	put(&f, IMSC, 0);
	assert_false(is_high(&f));
	assert_int_equal(get(&f, RIS), 1);
	assert_int_equal(get(&f, MIS), 0);
	put(&f, IMSC, 1);
	put(&f, ICR, 1);
	assert_false(is_high(&f));
	fixture_drop(&f);
}

/* Setting either to the other's value is a match; one in the past is 136 years away. */
static void test_match_at_once(void **state)
{
	struct fixture f;

	start(&f, "1000000000");
	put(&f, IMSC, 1);
	put(&f, MR, EPOCH - 5);
	assert_false(is_high(&f));
	put(&f, LR, EPOCH - 5);
	assert_true(is_high(&f));
	put(&f, ICR, 1);
	put(&f, LR, 0xffffffff);
	put(&f, MR, 5); /* over the end of the counter */
	fixture_run(&f, 2);
	assert_false(is_high(&f));
	dev_reset(f.dev);
	assert_int_equal(get(&f, MR), 0);
	assert_int_equal(get(&f, IMSC), 0);
	fixture_drop(&f);
}

/* A match that has been replaced by one at once does not come as well. */
static void test_match_replaced(void **state)
{
	struct fixture f;

	start(&f, "1000000000");
	put(&f, IMSC, 1);
	put(&f, LR, EPOCH);
	put(&f, MR, EPOCH + 1); /* within a second */
	put(&f, LR, EPOCH + 1);
	put(&f, ICR, 1);
	assert_false(fixture_run_until(&f, is_high, &f, 1010));
	fixture_drop(&f);
}

static void test_dt(void **state)
{
	struct fixture f;
	void *fdt = malloc(4096);
	struct dt dt = {.fdt = fdt};
	int n;

	start(&f, "0");
	assert_int_equal(fdt_create_empty_tree(fdt, 4096), 0);
	assert_int_equal(f.dev->c->dt(f.dev, &dt), 0);
	assert_int_equal(dt.error, 0);
	n = fdt_path_offset(fdt, "/pl031@9010000");
	assert_int_equal(fdt_node_check_compatible(fdt, n, "arm,pl031"), 0);
	assert_int_equal(fdt_node_check_compatible(fdt, n, "arm,primecell"), 0);
	free(fdt);
	fixture_drop(&f);
}

static void test_hammer(void **state)
{
	struct fixture f;

	start(&f, "0");
	for (unsigned i = 1; i < 20; i++) {
		fixture_hammer(&f, BASE, i % 2 ? 0x20 : 0x1000, 500, i);
		fixture_run(&f, 0);
	}
	fixture_drop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_match_at_once),
		cmocka_unit_test(test_match_replaced),
		cmocka_unit_test(test_dt),
		cmocka_unit_test(test_hammer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
