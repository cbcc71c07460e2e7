/* SPDX-License-Identifier: Apache-2.0 */
#include "dev/dt.h"

#include "util/bits.h"

#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TREE = 16384 };

static struct dt make(size_t size)
{
	struct dt dt = {.fdt = malloc(size)};

	assert_non_null(dt.fdt);
	assert_int_equal(fdt_create_empty_tree(dt.fdt, (int)size), 0);
	return dt;
}

static void expect(const struct dt *dt, int node, const char *prop, const void *want, int len)
{
	int got;
	const void *p = fdt_getprop(dt->fdt, node, prop, &got);

	if (!p)
		fail_msg("no property %s", prop);
	assert_int_equal(got, len);
	if (len)
		assert_memory_equal(p, want, len);
}

static void expect_none(const struct dt *dt, int node, const char *prop)
{
	assert_null(fdt_getprop(dt->fdt, node, prop, NULL));
}

/* Cells as the guest reads them. */
static void expect_cells(const struct dt *dt, int node, const char *prop, const uint32_t *cells,
			 unsigned count)
{
	fdt32_t want[64];

	for (unsigned i = 0; i < count; i++)
		want[i] = cpu_to_fdt32(cells[i]);
	expect(dt, node, prop, want, (int)(count * sizeof(want[0])));
}
#define EXPECT_CELLS(dt, node, prop, ...)                                                          \
	expect_cells(dt, node, prop, (const uint32_t[]){__VA_ARGS__},                              \
		     sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

static void test_nodes(void **state)
{
	struct dt dt = make(TREE);
	uint64_t high = 0x123456789a;
	int n = dt_node(&dt, "uart", &high), sub = dt_subnode(&dt, n, "port"), chosen;

	assert_true(n > 0);
	n = fdt_path_offset(dt.fdt, "/uart@123456789a");
	assert_true(n > 0);
	assert_int_equal(sub, fdt_path_offset(dt.fdt, "/uart@123456789a/port"));
	dt_node(&dt, "psci", NULL);
	assert_true(fdt_path_offset(dt.fdt, "/psci") > 0);
	chosen = dt_well_known(&dt, "chosen");
	assert_int_equal(dt_well_known(&dt, "chosen"), chosen);
	assert_int_equal(chosen, fdt_path_offset(dt.fdt, "/chosen"));
	assert_int_equal(dt.error, 0);
	free(dt.fdt);
}

static void test_properties(void **state)
{
	struct dt dt = make(TREE);
	struct dev d = {.phandle = 0x42};
	int n = dt_node(&dt, "x", NULL);

	dt_str(&dt, n, "status", "okay");
	dt_strs(&dt, n, "compatible", "arm,pl011\0arm,primecell", 2);
	dt_u32(&dt, n, "u32", 0x11223344);
	dt_u64(&dt, n, "u64", 0x1122334455667788);
	dt_cells(&dt, n, "cells", (const uint32_t[]){1, 0xfffffffe}, 2);
	dt_cells(&dt, n, "nothing", NULL, 0);
	dt_empty(&dt, n, "dma-coherent");
	dt_reg(&dt, n, (const uint64_t[]){0x140000000, 0x1000, 0x2000, 0x100000000}, 2);
	dt_phandle(&dt, n, &d);
	assert_int_equal(dt.error, 0);
	expect(&dt, n, "status", "okay", 5);
	expect(&dt, n, "compatible", "arm,pl011\0arm,primecell", 24);
	expect(&dt, n, "u32", "\x11\x22\x33\x44", 4);
	expect(&dt, n, "u64", "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
	EXPECT_CELLS(&dt, n, "cells", 1, 0xfffffffe);
	expect(&dt, n, "nothing", NULL, 0);
	expect(&dt, n, "dma-coherent", NULL, 0);
	EXPECT_CELLS(&dt, n, "reg", 1, 0x40000000, 0, 0x1000, 0, 0x2000, 1, 0);
	assert_int_equal(fdt_node_offset_by_phandle(dt.fdt, 0x42), n);
	free(dt.fdt);
}

/* A full tree: the first error stays, nothing more is written, nothing crashes. */
static void test_no_space(void **state)
{
	struct dt dt = make(512);
	char big[400] = "";
	struct irq open = {0};
	int n = dt_node(&dt, "x", NULL);

	memset(big, 'b', sizeof(big) - 1);
	dt_u32(&dt, n, "before", 1);
	dt_str(&dt, n, "big", big);
	assert_int_equal(dt.error, -FDT_ERR_NOSPACE);
	assert_int_equal(dt_node(&dt, "y", NULL), -1);
	assert_int_equal(dt_well_known(&dt, "chosen"), -1);
	dt_u32(&dt, -1, "after", 1);
	dt_u32(&dt, n, "after", 1);
	dt_irq(&dt, n, &open);
	assert_int_equal(dt.error, -FDT_ERR_NOSPACE);
	EXPECT_CELLS(&dt, n, "before", 1);
	expect_none(&dt, n, "after");
	assert_int_equal(fdt_check_full(dt.fdt, 512), 0);
	free(dt.fdt);
}

static void test_bad_parent(void **state)
{
	struct dt dt = make(TREE);

	assert_true(dt_subnode(&dt, 0x7ffffff0, "x") < 0);
	assert_true(dt.error < 0);
	free(dt.fdt);
}

static void test_reg_of(void **state)
{
	struct mem_region regions[] = {{.base = 0x1000, .size = 0x100},
				       {.base = 0x2000, .size = 0}, /* absent */
				       {.base = 0x180000000, .size = 0x20000}};
	struct dev d = {.region = regions, .region_count = 3};
	struct dt dt = make(TREE);
	int n = dt_node(&dt, "x", NULL);

	dt_reg_of(&dt, n, &d);
	EXPECT_CELLS(&dt, n, "reg", 0, 0x1000, 0, 0x100, 1, 0x80000000, 0, 0x20000);
	n = dt_node(&dt, "y", NULL);
	d.region_count = 0;
	dt_reg_of(&dt, n, &d);
	expect_none(&dt, n, "reg");
	assert_int_equal(dt.error, 0);
	free(dt.fdt);
}

/* ---- wires ---- */

static unsigned spi_cells(const struct dev *sink, const struct irq *w, uint32_t cells[4])
{
	cells[0] = 0;
	cells[1] = w->number;
	cells[2] = w->dt_flags;
	return 3;
}

static unsigned ppi_cells(const struct dev *sink, const struct irq *w, uint32_t cells[4])
{
	cells[0] = 1;
	cells[1] = w->number;
	cells[2] = 0xf04;
	return 3;
}

static const struct dev_irq_in gic_in[] = {
	{.kind = "spi", .count = 32, .dt_cells = spi_cells},
	{.kind = "ppi", .first = 32, .count = 16, .dt_cells = ppi_cells},
	{.kind = "silent", .first = 48, .count = 1}, /* nothing to tell the guest */
	{0},
};
static const struct component gic = {.type = "GIC", .irq_in = gic_in};
static const struct component deaf = {.type = "DEAF"};

static struct irq wire(struct dev *sink, const char *kind, uint32_t number)
{
	return (struct irq){.sink = sink, .kind = kind, .number = number, .dt_flags = 4};
}

static void test_irqs(void **state)
{
	struct dev main_gic = {.c = &gic, .phandle = 5}, other = {.c = &gic, .phandle = 6};
	struct irq a = wire(&main_gic, "spi", 33), b = wire(&main_gic, "ppi", 13), open = {0};
	struct irq c = wire(&other, "spi", 1);
	const struct irq *wires[] = {&open, &a, &b};
	struct dt dt = make(TREE);
	int n;

	dt_u32(&dt, 0, "interrupt-parent", 5);
	n = dt_node(&dt, "x", NULL);
	dt_irqs(&dt, n, wires, 3);
	EXPECT_CELLS(&dt, n, "interrupts", 0, 33, 4, 1, 13, 0xf04);
	expect_none(&dt, n, "interrupt-parent");
	n = dt_node(&dt, "y", NULL);
	dt_irq(&dt, n, &c);
	EXPECT_CELLS(&dt, n, "interrupts", 0, 1, 4);
	EXPECT_CELLS(&dt, n, "interrupt-parent", 6);
	n = dt_node(&dt, "z", NULL);
	dt_irq(&dt, n, &open);
	dt_irqs(&dt, n, wires, 0);
	expect_none(&dt, n, "interrupts");
	assert_int_equal(dt.error, 0);
	free(dt.fdt);
}

static void test_irqs_without_root(void **state)
{
	struct dev sink = {.c = &gic, .phandle = 5}, no_inputs = {.c = &deaf, .phandle = 7};
	struct irq a = wire(&sink, "spi", 33), unknown = wire(&sink, "lpi", 1);
	struct irq silent = wire(&sink, "silent", 0), lost = wire(&no_inputs, "spi", 1);
	const struct irq *wires[] = {&unknown, &silent, &lost};
	struct dt dt = make(TREE);
	int n = dt_node(&dt, "x", NULL);

	dt_irq(&dt, n, &a);
	EXPECT_CELLS(&dt, n, "interrupt-parent", 5);
	n = dt_node(&dt, "y", NULL);
	dt_irqs(&dt, n, wires, 3);
	expect_none(&dt, n, "interrupts");
	expect_none(&dt, n, "interrupt-parent");
	assert_int_equal(dt.error, 0);
	free(dt.fdt);
}

static void test_irqs_of_two_sinks(void **state)
{
	struct dev one = {.c = &gic, .phandle = 5}, two = {.c = &gic, .phandle = 6};
	struct irq a = wire(&one, "spi", 1), b = wire(&two, "spi", 2);
	const struct irq *wires[] = {&a, &b};
	struct dt dt = make(TREE);
	int n = dt_node(&dt, "x", NULL);

	dt_irqs(&dt, n, wires, 2);
	assert_int_equal(dt.error, -FDT_ERR_BADVALUE);
	expect_none(&dt, n, "interrupts");
	dt.error = -FDT_ERR_NOSPACE; /* an earlier error stays */
	dt_irqs(&dt, n, wires, 2);
	assert_int_equal(dt.error, -FDT_ERR_NOSPACE);
	free(dt.fdt);
}

/* More than anyone has: it is cut at a whole specifier. */
static void test_many_irqs(void **state)
{
	struct dev sink = {.c = &gic, .phandle = 5};
	struct irq a = wire(&sink, "spi", 3);
	const struct irq *wires[200];
	struct dt dt = make(TREE);
	int n = dt_node(&dt, "x", NULL), len;

	for (unsigned i = 0; i < ARRAY_COUNT(wires); i++)
		wires[i] = &a;
	dt_irqs(&dt, n, wires, ARRAY_COUNT(wires));
	assert_non_null(fdt_getprop(dt.fdt, n, "interrupts", &len));
	assert_int_equal(len % 12, 0);
	free(dt.fdt);
}

static void test_clocks(void **state)
{
	struct dev osc = {.phandle = 9}, pll = {.phandle = 10};
	struct clk a = {.source = &osc}, b = {.source = &pll}, open = {0};
	const struct clk *both[] = {&a, &b}, *first_open[] = {&open, &b}, *none[] = {&open, &open};
	struct dt dt = make(TREE);
	int n = dt_node(&dt, "x", NULL);

	dt_clocks(&dt, n, both, "uartclk\0apb_pclk", 2);
	EXPECT_CELLS(&dt, n, "clocks", 9, 10);
	expect(&dt, n, "clock-names", "uartclk\0apb_pclk", 17);
	n = dt_node(&dt, "y", NULL);
	dt_clocks(&dt, n, first_open, "uartclk\0apb_pclk", 2);
	EXPECT_CELLS(&dt, n, "clocks", 10);
	expect(&dt, n, "clock-names", "apb_pclk", 9);
	n = dt_node(&dt, "z", NULL);
	dt_clocks(&dt, n, none, "uartclk\0apb_pclk", 2);
	expect_none(&dt, n, "clocks");
	expect_none(&dt, n, "clock-names");
	assert_int_equal(dt.error, 0);
	free(dt.fdt);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_no_space),
		cmocka_unit_test(test_bad_parent),
		cmocka_unit_test(test_reg_of),
		cmocka_unit_test(test_irqs),
		cmocka_unit_test(test_irqs_without_root),
		cmocka_unit_test(test_irqs_of_two_sinks),
		cmocka_unit_test(test_many_irqs),
		cmocka_unit_test(test_clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
