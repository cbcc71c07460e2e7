/* SPDX-License-Identifier: Apache-2.0 */
/* PL061, and the keys on its lines. */
#include "fixture.h"

#include "dev/dt.h"
#include "dev/gpio-keys.h"

#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

extern const struct component pl061_component, gpio_keys_component, gpio_power_component;

enum { BASE = 0x09030000, IRQ = 7, OUT2 = 22 };
enum { ALL = 0x3fc, DIR = 0x400, IS = 0x404, IBE = 0x408, IEV = 0x40c, IE = 0x410, RIS = 0x414 };
enum { MIS = 0x418, IC = 0x41c, AFSEL = 0x420 };

static void start(struct fixture *f)
{
	static const struct fixture_prop props[] = {{"address", "0x09030000"},
						    {"irq", "7"},
						    {"out2", "22"},
						    {"apb_pclk", "24MHz"},
						    {0}};

	fixture_make(f, &pl061_component, props);
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

static void line(struct fixture *f, unsigned n, bool level)
{
	dev_lock(f->dev);
	f->dev->c->irq_input(f->dev, n, level);
	dev_unlock(f->dev);
}

static void test_reset_values(void **state)
{
	static const uint8_t id[8] = {0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
	struct fixture f;

	start(&f);
	for (uint32_t reg = DIR; reg <= AFSEL; reg += 4) {
		assert_int_equal(get(&f, reg), 0);
		put(&f, reg, 0xffffffff);
	}
	assert_int_equal(get(&f, DIR), 0xff);
	assert_int_equal(get(&f, AFSEL), 0xff);
	assert_int_equal(get(&f, RIS), 0); /* all are outputs */
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(get(&f, 0xfe0 + 4 * i), id[i]);
	assert_int_equal(get(&f, 0x500), 0);
	dev_reset(f.dev);
	assert_int_equal(get(&f, DIR), 0);
	fixture_drop(&f);
}

/* Address bits 9:2 choose the lines. */
static void test_data(void **state)
{
	struct fixture f;

	start(&f);
	put(&f, DIR, 0x0f);
	put(&f, ALL, 0xff);
	assert_int_equal(get(&f, ALL), 0x0f);
	put(&f, 0x5 << 2, 0);
	assert_int_equal(get(&f, ALL), 0x0a);
	assert_int_equal(get(&f, 0x2 << 2), 0x02);
	assert_int_equal(get(&f, 0), 0);
	line(&f, 7, true);
	line(&f, 1, true); /* an output: not seen */
	assert_int_equal(get(&f, ALL), 0x8a);
	put(&f, DIR, 0);
	assert_int_equal(get(&f, ALL), 0x82);
	fixture_drop(&f);
}

static void test_outputs(void **state)
{
	struct fixture f;

	start(&f);
	put(&f, ALL, 0xff); /* inputs: nothing is kept */
	put(&f, DIR, 0x04);
	assert_false(fixture_level(&f, OUT2));
	put(&f, ALL, 0xff);
	assert_true(fixture_level(&f, OUT2));
	put(&f, DIR, 0);
	assert_false(fixture_level(&f, OUT2));
	put(&f, DIR, 0x04);
	assert_true(fixture_level(&f, OUT2));
	dev_reset(f.dev);
	assert_false(fixture_level(&f, OUT2));
	fixture_drop(&f);
}

static void test_edges(void **state)
{
	static const struct {
		uint32_t ibe, iev;
		bool rising, falling;
	} kinds[] = {{0, 8, true, false}, {0, 0, false, true}, {8, 0, true, true}};
	struct fixture f;

	for (unsigned i = 0; i < 3; i++) {
		start(&f);
		put(&f, IBE, kinds[i].ibe);
		put(&f, IEV, kinds[i].iev);
		put(&f, IE, 0xff);
		line(&f, 3, true);
		assert_int_equal(fixture_level(&f, IRQ), kinds[i].rising);
		assert_int_equal(get(&f, RIS), kinds[i].rising ? 8 : 0);
		put(&f, IC, 8);
		assert_int_equal(get(&f, RIS), 0);
		assert_false(fixture_level(&f, IRQ));
		line(&f, 3, false);
		assert_int_equal(get(&f, MIS), kinds[i].falling ? 8 : 0);
		put(&f, IC, 0xf7); /* others only */
		assert_int_equal(fixture_level(&f, IRQ), kinds[i].falling);
		fixture_drop(&f);
	}
}

static void test_levels(void **state)
{
	struct fixture f;

	start(&f);
	put(&f, IEV, 0x01); /* line 0 high, line 1 low */
	put(&f, IS, 0x03);
	assert_int_equal(get(&f, RIS), 0x02);
	assert_false(fixture_level(&f, IRQ));
	put(&f, IE, 0x01);
	line(&f, 0, true);
	assert_true(fixture_level(&f, IRQ));
	put(&f, IC, 0xff); /* stays while the line does */
	assert_true(fixture_level(&f, IRQ));
	line(&f, 0, false);
	assert_false(fixture_level(&f, IRQ));
	line(&f, 1, true);
	assert_int_equal(get(&f, RIS), 0);
	fixture_drop(&f);
}

/* A line that is high when the machine is reset makes no edge then. */
static void test_reset_while_high(void **state)
{
	struct fixture f;

	start(&f);
	put(&f, IBE, 0xff);
	line(&f, 3, true);
	assert_int_equal(get(&f, RIS), 8);
	dev_reset(f.dev);
	assert_int_equal(get(&f, RIS), 0);
	put(&f, IBE, 0xff);
	assert_int_equal(get(&f, RIS), 0);
	assert_int_equal(get(&f, ALL), 8);
	fixture_drop(&f);
}

static void test_hammer(void **state)
{
	struct fixture f;

	start(&f);
	for (unsigned i = 1; i < 30; i++) {
		fixture_hammer(&f, BASE + (i % 2 ? DIR : 0), i % 2 ? 0x24 : 0x1000, 300, i);
		line(&f, i % 8, i % 3);
	}
	fixture_drop(&f);
}

/* ---- keys ---- */

static void start_keys(struct fixture *f)
{
	static const struct fixture_prop props[] = {{"poweroff", "3"}, {0}};

	fixture_make(f, &gpio_keys_component, props);
	assert_int_equal(fixture_start(f), 0);
}

static bool released(void *opaque)
{
	return fixture_input(opaque, 3).falls == 1;
}

static void test_keys(void **state)
{
	struct fixture f;

	start_keys(&f);
	assert_false(gpio_keys_press(f.dev, GPIO_KEYS_RESTART)); /* not wired */
	assert_false(gpio_keys_press(f.recorder, GPIO_KEYS_POWEROFF));
	assert_true(gpio_keys_press(f.dev, GPIO_KEYS_POWEROFF));
	assert_true(fixture_level(&f, 3));
	assert_true(gpio_keys_press(f.dev, GPIO_KEYS_POWEROFF));
	assert_true(fixture_run_until(&f, released, &f, 2000));
	assert_int_equal(fixture_input(&f, 3).rises, 1);
	assert_true(gpio_keys_press(f.dev, GPIO_KEYS_POWEROFF));
	dev_reset(f.dev);
	assert_false(fixture_level(&f, 3));
	fixture_drop(&f);
}

/* ---- device tree ---- */

static uint32_t cell(const void *fdt, int n, const char *prop, unsigned i)
{
	int len;
	const fdt32_t *p = fdt_getprop(fdt, n, prop, &len);

	assert_true(p && len > (int)(4 * i));
	return fdt32_to_cpu(p[i]);
}

static void test_dt(void **state)
{
	struct fixture f;
	void *fdt = malloc(4096);
	struct dt dt = {.fdt = fdt};
	int n, len;

	assert_int_equal(fdt_create_empty_tree(fdt, 4096), 0);
	start(&f);
	assert_int_equal(f.dev->c->dt(f.dev, &dt), 0);
	n = fdt_path_offset(fdt, "/pl061@9030000");
	assert_non_null(fdt_getprop(fdt, n, "gpio-controller", &len));
	assert_int_equal(cell(fdt, n, "#gpio-cells", 0), 2);
	assert_int_equal(cell(fdt, n, "phandle", 0), f.dev->phandle);
	fixture_drop(&f);

	start_keys(&f);
	assert_int_equal(f.dev->c->dt(f.dev, &dt), 0);
	assert_int_equal(dt.error, 0);
	n = fdt_path_offset(fdt, "/dut/poweroff");
	assert_int_equal(cell(fdt, n, "linux,code", 0), 116);
	assert_int_equal(cell(fdt, n, "gpios", 0), f.recorder->phandle);
	assert_int_equal(cell(fdt, n, "gpios", 1), 3);
	assert_true(fdt_path_offset(fdt, "/dut/restart") < 0); /* not wired */
	free(fdt);
	fixture_drop(&f);
}

static void test_secure(void **state)
{
	static const struct fixture_prop props[] = {
		{"address", "0x09030000"}, {"secure", "true"}, {0}};
	struct fixture f;
	void *fdt = malloc(4096);
	struct dt dt = {.fdt = fdt};
	uint64_t v;

	fixture_make(&f, &pl061_component, props);
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(mem_read(f.host.mem, BASE + DIR, 4, &v, (struct mem_attrs){.pe = 0}),
			 MEM_UNHANDLED);
	assert_int_equal(mem_write(f.host.mem, BASE + DIR, 4, 1, (struct mem_attrs){.pe = 0}),
			 MEM_UNHANDLED);
	assert_int_equal(
		mem_write(f.host.mem, BASE + DIR, 4, 1, (struct mem_attrs){.secure = true}),
		MEM_OK);
	assert_int_equal(fdt_create_empty_tree(fdt, 4096), 0);
	assert_int_equal(f.dev->c->dt(f.dev, &dt), 0);
	assert_string_equal(
		fdt_getprop(fdt, fdt_path_offset(fdt, "/pl061@9030000"), "secure-status", NULL),
		"okay");
	free(fdt);
	fixture_drop(&f);
}

static void start_power(struct fixture *f, const char *secure)
{
	const struct fixture_prop props[] = {{"secure", secure}, {"restart", "5"}, {0}};

	fixture_make(f, &gpio_power_component, props);
	*(struct dev **)((char *)f->dev + component_prop(f->dev->c, "gpio")->offset) = f->recorder;
	assert_int_equal(fixture_start(f), 0);
}

/* Rising lines ask, once. */
static void test_power(void **state)
{
	struct fixture f;

	start_power(&f, "false");
	line(&f, 0, false);
	line(&f, 1, false);
	assert_int_equal(f.power_offs + f.resets, 0);
	line(&f, 0, true);
	line(&f, 0, true);
	assert_int_equal(f.power_offs, 1);
	assert_int_equal(f.resets, 0);
	line(&f, 1, true);
	assert_int_equal(f.resets, 1);
	dev_reset(f.dev);
	line(&f, 1, true); /* high again after the reset */
	assert_int_equal(f.resets, 2);
	assert_int_equal(f.power_offs, 1);
	fixture_drop(&f);
}

static void test_power_dt(void **state)
{
	struct fixture f;
	void *fdt = malloc(4096);
	struct dt dt = {.fdt = fdt};
	int n;

	for (unsigned secure = 0; secure < 2; secure++) {
		start_power(&f, secure ? "true" : "false");
		assert_int_equal(fdt_create_empty_tree(fdt, 4096), 0);
		assert_int_equal(f.dev->c->dt(f.dev, &dt), 0);
		n = fdt_path_offset(fdt, "/gpio-poweroff");
		assert_int_equal(cell(fdt, n, "gpios", 0), f.recorder->phandle);
		assert_int_equal(cell(fdt, n, "gpios", 1), 0);
		n = fdt_path_offset(fdt, "/gpio-restart");
		assert_int_equal(cell(fdt, n, "gpios", 1), 5);
		assert_int_equal(fdt_getprop(fdt, n, "secure-status", NULL) != NULL, secure);
		fixture_drop(&f);
	}
	free(fdt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset_values), cmocka_unit_test(test_data),
		cmocka_unit_test(test_outputs),	     cmocka_unit_test(test_edges),
		cmocka_unit_test(test_levels),	     cmocka_unit_test(test_reset_while_high),
		cmocka_unit_test(test_hammer),	     cmocka_unit_test(test_keys),
		cmocka_unit_test(test_dt),	     cmocka_unit_test(test_secure),
		cmocka_unit_test(test_power),	     cmocka_unit_test(test_power_dt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
