/* SPDX-License-Identifier: Apache-2.0 */
/* Instances of a board and their order; overlaps; the device tree of the boards that come with it. */
#include "board/ir.h"
#include "obverse-config.h"
#include "pe/set.h"
#include "util/err.h"
#include "util/xalloc.h"

#include <errno.h>
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define CPU_LINE   "CPU#name=cpu;count=2"
#define RAM_LINE   "RAM#name=ram;address=0x40000000;size=16"
#define GIC_LINE   "GICV3#name=gic;dist=0x8000000;redist=0x80a0000;root=true"
#define CLOCK_LINE "CLOCK#name=clk;frequency=24MHz"
#define UART	   "PL011#name=uart0;address=0x9000000;irq=spi:1@gic;uartclk=clk;apb_pclk=clk"

struct rig {
	struct board *b;
	struct err e;
	struct dev_host host;
	void *dtb;
	size_t dtb_size;
};

static int setup(void **state)
{
	struct rig *r = xcalloc(1, sizeof(*r));

	r->b = board_create();
	r->host.mem = mem_space_create();
	r->host.loop = loop_create();
	r->host.pes = pe_set_create(2, 3);
	r->host.seed = 1;
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	board_destroy(r->b);
	pe_set_destroy(r->host.pes);
	mem_space_destroy(r->host.mem);
	loop_destroy(r->host.loop);
	err_free(&r->e);
	free(r->dtb);
	free(r);
	return 0;
}

static void line(struct rig *r, const char *text)
{
	assert_int_equal(board_line(r->b, text, text, &r->e), 0);
}

static void assert_fine(const struct rig *r, int result)
{
	if (result)
		err_print(&r->e, stderr);
	assert_int_equal(result, 0);
	assert_false(err_any(&r->e));
}

static void build(struct rig *r)
{
	assert_fine(r, board_check(r->b, &r->e));
	assert_fine(r, board_build(r->b, &r->host, &r->e));
}

/* ---- instances ---- */

static unsigned position(const struct rig *r, const char *name)
{
	for (unsigned i = 0; i < r->b->dev_count; i++)
		if (!strcmp(r->b->order[i]->name, name))
			return i;
	fail_msg("no instance \"%s\"", name);
	return 0;
}

/* However the objects are ordered, what a wire or a clock leads to is initialised first. */
static void test_order(void **state)
{
	struct rig *r = *state;

	line(r, "GPIO-KEYS#name=keys;poweroff=gpio:3@gpio");
	line(r, "PL061#name=gpio;address=0x9030000;irq=spi:7@gic;apb_pclk=clk");
	line(r, UART);
	line(r, CLOCK_LINE);
	line(r, GIC_LINE);
	line(r, RAM_LINE);
	line(r, CPU_LINE);
	build(r);
	assert_true(position(r, "gic") < position(r, "gpio"));
	assert_true(position(r, "gpio") < position(r, "keys"));
	assert_true(position(r, "clk") < position(r, "uart0"));
	assert_true(position(r, "gic") < position(r, "uart0"));
	assert_int_equal(r->b->dev_count, 7);
}

static void test_instances(void **state)
{
	struct rig *r = *state;
	unsigned count;
	struct dev *uart;

	line(r, CPU_LINE);
	line(r, RAM_LINE);
	line(r, GIC_LINE);
	line(r, CLOCK_LINE);
	line(r, UART);
	build(r);
	assert_string_equal(board_devs(r->b, &count)[0]->name, "cpu");
	assert_int_equal(count, 5);
	uart = board_dev(r->b, "uart0");
	assert_non_null(uart->backend);
	assert_ptr_equal(uart->backend->owner, uart);
	assert_string_equal(uart->backend->c->type, "null");
	assert_null(board_dev(r->b, "uart1"));
	assert_string_equal(board_find_type(r->b, "PL011", 0), "uart0");
	assert_null(board_find_type(r->b, "PL011", 1));
	assert_string_equal(board_find_class(r->b, DEV_MEMORY, 0), "ram");
	assert_null(board_find_class(r->b, DEV_MEMORY, 1));
	board_destroy_devs(r->b);
	assert_null(board_dev(r->b, "uart0"));
}

static void test_life(void **state)
{
	struct rig *r = *state;

	line(r, UART);
	line(r, CPU_LINE);
	line(r, RAM_LINE);
	line(r, GIC_LINE);
	line(r, CLOCK_LINE);
	for (int i = 0; i < 2; i++) { /* the objects outlive the instances */
		build(r);
		assert_fine(r, board_init(r->b, &r->e));
		assert_true(board_dev(r->b, "uart0")->ready);
		assert_true(board_dev(r->b, "uart0")->backend->ready);
		assert_non_null(mem_ptr(r->host.mem, 0x40000000, 16 << 20, true));
		assert_null(mem_ptr(r->host.mem, 0x40000000, (16 << 20) + 1, true));
		assert_non_null(mem_find(r->host.mem, 0x9000000));
		board_reset(r->b);
		board_destroy_devs(r->b);
		mem_space_destroy(r->host.mem);
		r->host.mem = mem_space_create();
	}
}

/* Both objects are named with their places. */
static void test_overlap(void **state)
{
	struct rig *r = *state;

	line(r, CPU_LINE);
	line(r, RAM_LINE);
	line(r, "PL031#name=a;address=0x9000000");
	line(r, "PL031#name=b;address=0x9000800");
	line(r, "PL031#name=c;address=0x40fff000");
	build(r);
	assert_true(board_map(r->b, &r->e) < 0);
	assert_int_equal(r->e.count, 2);
	assert_non_null(strstr(r->e.items[0].where, "PL031#name=b"));
	assert_non_null(strstr(r->e.items[0].text, "\"a\""));
	assert_non_null(strstr(r->e.items[0].hint, "PL031#name=a"));
	assert_non_null(strstr(r->e.items[1].text, "ram"));
}

/* Flash, ROM and what a check() says are seen without init(), which takes resources of the host. */
static void test_overlap_of_memory(void **state)
{
	struct rig *r = *state;

	line(r, CPU_LINE);
	line(r, RAM_LINE);
	line(r, "CFI-FLASH#name=flash;address=0;size=1M;image=/nowhere/flash");
	line(r, "PL031#name=a;address=0xff000");
	line(r, "ROM#name=rom;address=0x40fff000;size=8K;image=/nowhere/rom");
	line(r, "CFI-FLASH#name=odd;address=0x10000000;size=3M");
	line(r, "GICV3#name=gic;dist=0x8000000;redist=0x80a0000;spis=40");
	build(r);
	assert_true(board_map(r->b, &r->e) < 0);
	assert_int_equal(r->e.count, 4);
	assert_non_null(strstr(r->e.items[0].text, "overlaps \"flash\" at 0x0-0xfffff"));
	assert_non_null(strstr(r->e.items[1].text, "overlaps \"ram\""));
	assert_non_null(strstr(r->e.items[2].text, "odd.size is not a power of two"));
	assert_non_null(strstr(r->e.items[3].text, "spis=40"));
	assert_true(board_init(r->b, &r->e) < 0);
	assert_int_equal(r->e.count, 6); /* two images that are not there, nothing twice */
}

/* What init() refuses does not stop the others; taking apart works. */
static void test_init_fails(void **state)
{
	struct rig *r = *state;

	line(r, CPU_LINE);
	line(r, RAM_LINE);
	line(r, GIC_LINE);
	line(r, "VIRTIO-BLK#name=d1;address=0xa000000;irq=spi:9@gic||rawfile#path=/nowhere/1");
	line(r, "VIRTIO-BLK#name=d2;address=0xa000200;irq=spi:8@gic||rawfile#path=/nowhere/2");
	build(r);
	assert_true(board_init(r->b, &r->e) < 0);
	assert_int_equal(r->e.count, 2);
	assert_false(board_dev(r->b, "d1")->ready);
	assert_true(board_dev(r->b, "gic")->ready);
}

/* A file is looked for beside the board that names it; one in an option, where the user stands. */
static void test_paths(void **state)
{
	struct rig *r = *state;
	char dir[] = "/tmp/board.XXXXXX", *name;
	const struct board_object *o;
	FILE *f;

	assert_non_null(mkdtemp(dir));
	name = xasprintf("%s/a.board", dir);
	f = fopen(name, "w");
	assert_non_null(f);
	fprintf(f, "%s\n%s\n%s\n", CPU_LINE, RAM_LINE,
		"CFI-FLASH#name=flash;address=0;image=a/b.img");
	fclose(f);
	assert_fine(r, board_load(r->b, name, &r->e));
	line(r, "CFI-FLASH#name=other;address=0x4000000;image=a/b.img");
	build(r);
	o = board_object_find(r->b, "flash");
	assert_int_equal(strncmp(board_part_prop(&o->self, "image")->path, dir, strlen(dir)), 0);
	o = board_object_find(r->b, "other");
	assert_null(board_part_prop(&o->self, "image")->path);
	unlink(name);
	rmdir(dir);
	free(name);
}

static struct dev *reference(const struct rig *r, const char *name, const char *prop)
{
	struct dev *d = board_dev(r->b, name);

	return *(struct dev **)((char *)d + component_prop(d->c, prop)->offset);
}

/* A reference that is not written leads to the board's first object of its type, where that is the
 * default. */
static void test_default_reference(void **state)
{
	struct rig *r = *state;

	line(r, CPU_LINE);
	line(r, RAM_LINE);
	line(r, "FIRMWARE#name=a");
	line(r, "LINUX#name=one");
	line(r, "LINUX#name=two");
	line(r, "FIRMWARE#name=b;linux=two");
	line(r, "MACHINE#name=machine");
	build(r);
	assert_ptr_equal(reference(r, "a", "linux"), board_dev(r->b, "one"));
	assert_ptr_equal(reference(r, "b", "linux"), board_dev(r->b, "two"));
	assert_null(reference(r, "a", "fw_cfg"));
	assert_null(reference(r, "machine", "console"));
}

/* ---- device trees ---- */

static void tree(struct rig *r)
{
	build(r);
	assert_fine(r, board_map(r->b, &r->e));
	r->dtb = board_dtb(r->b, &r->dtb_size, &r->e);
	assert_fine(r, r->dtb ? 0 : -1);
	assert_int_equal(fdt_check_full(r->dtb, r->dtb_size), 0);
}

static int node(const struct rig *r, const char *path)
{
	int n = fdt_path_offset(r->dtb, path);

	if (n < 0)
		fail_msg("no node %s", path);
	return n;
}

static uint32_t cell(const struct rig *r, const char *path, const char *name, unsigned i)
{
	int len;
	const fdt32_t *p = fdt_getprop(r->dtb, node(r, path), name, &len);

	if (!p || len < (int)(4 * (i + 1)))
		fail_msg("%s has no %s[%u]", path, name, i);
	return fdt32_to_cpu(p[i]);
}

static void assert_cells(const struct rig *r, const char *path, const char *name, unsigned count,
			 const uint32_t *want)
{
	for (unsigned i = 0; i < count; i++)
		if (cell(r, path, name, i) != want[i])
			fail_msg("%s: %s[%u] is 0x%x, not 0x%x", path, name, i,
				 cell(r, path, name, i), want[i]);
}

#define ASSERT_CELLS(r, path, name, ...)                                                           \
	assert_cells(r, path, name, sizeof((uint32_t[]){__VA_ARGS__}) / 4,                         \
		     (const uint32_t[]){__VA_ARGS__})

static void assert_string(const struct rig *r, const char *path, const char *name, const char *want)
{
	const char *s = fdt_getprop(r->dtb, node(r, path), name, NULL);

	assert_non_null(s);
	assert_string_equal(s, want);
}

/* Every phandle is unique, and those that are referred to exist. */
static void assert_phandles(const struct rig *r)
{
	static const char *const refs[] = {"interrupt-parent", "clocks", "gpios"};
	int n = 0;

	for (n = fdt_next_node(r->dtb, -1, NULL); n >= 0; n = fdt_next_node(r->dtb, n, NULL)) {
		uint32_t phandle = fdt_get_phandle(r->dtb, n);

		if (phandle)
			assert_int_equal(fdt_node_offset_by_phandle(r->dtb, phandle), n);
		for (unsigned i = 0; i < sizeof(refs) / sizeof(refs[0]); i++) {
			const fdt32_t *p = fdt_getprop(r->dtb, n, refs[i], NULL);

			if (p)
				assert_true(fdt_node_offset_by_phandle(r->dtb, fdt32_to_cpu(*p)) >
					    0);
		}
	}
}

static void load_board(struct rig *r, const char *name)
{
	char *path = xasprintf("%s/%s.board", OBVERSE_SOURCE_BOARDS, name);

	assert_fine(r, board_load(r->b, path, &r->e));
	free(path);
	line(r, "RAM#name=ram||hostmem#size=16");
	line(r, "CPU#name=cpu;count=2");
	tree(r);
}

/* Addresses and interrupts that software for QEMU's virt board has built in. */
static void assert_virt(const struct rig *r)
{
	assert_phandles(r);
	ASSERT_CELLS(r, "/memory", "reg", 0, 0x40000000, 0, 16 << 20);
	ASSERT_CELLS(r, "/pl011@9000000", "reg", 0, 0x9000000, 0, 0x1000);
	ASSERT_CELLS(r, "/pl011@9000000", "interrupts", 0, 1, 4);
	ASSERT_CELLS(r, "/pl031@9010000", "interrupts", 0, 2, 4);
	ASSERT_CELLS(r, "/pl061@9030000", "interrupts", 0, 7, 4);
	ASSERT_CELLS(r, "/fw-cfg@9020000", "reg", 0, 0x9020000, 0, 0x18);
	ASSERT_CELLS(r, "/virtio_mmio@a000000", "reg", 0, 0xa000000, 0, 0x200);
	ASSERT_CELLS(r, "/virtio_mmio@a000000", "interrupts", 0, 16, 1);
	ASSERT_CELLS(r, "/virtio_mmio@a003e00", "interrupts", 0, 47, 1);
	assert_string(r, "/chosen", "stdout-path", "/pl011@9000000");
	assert_string(r, "/aliases", "serial0", "/pl011@9000000");
	assert_string(r, "/", "compatible", "linux,dummy-virt");
	assert_string(r, "/cpus/cpu@1", "enable-method", "psci");
	assert_int_equal(cell(r, "/", "interrupt-parent", 0),
			 fdt_get_phandle(r->dtb, node(r, "/intc@8000000")));
}

static void test_virt(void **state)
{
	struct rig *r = *state;

	load_board(r, "virt");
	assert_virt(r);
	assert_string(r, "/intc@8000000", "compatible", "arm,gic-v3");
	ASSERT_CELLS(r, "/intc@8000000", "reg", 0, 0x8000000, 0, 0x10000, 0, 0x80a0000, 0,
		     2 * 0x20000);
	ASSERT_CELLS(r, "/timer", "interrupts", 1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4);
}

static void test_virt_gicv2(void **state)
{
	struct rig *r = *state;

	load_board(r, "virt-gicv2");
	assert_virt(r);
	assert_string(r, "/intc@8000000", "compatible", "arm,cortex-a15-gic");
	ASSERT_CELLS(r, "/intc@8000000", "reg", 0, 0x8000000, 0, 0x1000, 0, 0x8010000, 0, 0x2000);
}

static void test_virt_secure(void **state)
{
	static const char *const secure[] = {"/secram@e000000", "/secflash@0",	  "/pl011@9040000",
					     "/pl061@90b0000",	"/gpio-poweroff", "/gpio-restart"};
	struct rig *r = *state;

	load_board(r, "virt-secure");
	for (unsigned i = 0; i < sizeof(secure) / sizeof(secure[0]); i++) {
		assert_string(r, secure[i], "status", "disabled");
		assert_string(r, secure[i], "secure-status", "okay");
	}
	ASSERT_CELLS(r, "/secram@e000000", "reg", 0, 0xe000000, 0, 0x1000000);
	ASSERT_CELLS(r, "/pl011@9040000", "interrupts", 0, 8, 4);
	assert_string(r, "/chosen", "stdout-path", "/pl011@9000000");
	assert_string(r, "/secure-chosen", "stdout-path", "/pl011@9040000");
	assert_string(r, "/flash@4000000", "compatible", "cfi-flash");
}

/* The same seed gives the same tree; without one no two are alike. */
static void test_seed(void **state)
{
	struct rig *r = *state;
	void *again;
	size_t size;

	line(r, CPU_LINE);
	line(r, RAM_LINE);
	tree(r);
	again = board_dtb(r->b, &size, &r->e);
	assert_int_equal(size, r->dtb_size);
	assert_memory_equal(again, r->dtb, size);
	free(again);
	r->host.seed = 0;
	again = board_dtb(r->b, &size, &r->e);
	assert_int_equal(size, r->dtb_size);
	assert_memory_not_equal(again, r->dtb, size);
	free(again);
}

static void test_machine(void **state)
{
	struct rig *r = *state;
	int len;
	const char *s;

	line(r, CPU_LINE);
	line(r, RAM_LINE);
	line(r, UART);
	line(r, "PL011#name=uart1;address=0x9040000;irq=spi:8@gic;uartclk=clk;apb_pclk=clk");
	line(r, CLOCK_LINE);
	line(r, GIC_LINE);
	line(r, "MACHINE#compatible=maker,board maker,soc;model=A board;console=uart1");
	tree(r);
	s = fdt_getprop(r->dtb, 0, "compatible", &len);
	assert_int_equal(len, sizeof("maker,board\0maker,soc"));
	assert_memory_equal(s, "maker,board\0maker,soc", (size_t)len);
	assert_string(r, "/", "model", "A board");
	assert_string(r, "/chosen", "stdout-path", "/pl011@9040000");
	assert_string(r, "/aliases", "serial0", "/pl011@9000000");
	assert_string(r, "/aliases", "serial1", "/pl011@9040000");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order),	TEST(test_instances), TEST(test_default_reference),
		TEST(test_life),	TEST(test_overlap),   TEST(test_overlap_of_memory),
		TEST(test_init_fails),	TEST(test_paths),     TEST(test_virt),
		TEST(test_virt_gicv2),	TEST(test_seed),      TEST(test_machine),
		TEST(test_virt_secure), TEST(test_seed),      TEST(test_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
