/* SPDX-License-Identifier: Apache-2.0 */
/* The device tree at the start: the board's with command line and initrd, a file brought in line with the
 * machine, and files that cannot be. */
#include "dev/component.h"
#include "dev/loader.h"
#include "util/bits.h"
#include "util/err.h"
#include "util/xalloc.h"

#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LOW  0x40000000ULL
#define HIGH 0x8080000000ULL

enum { TREE_SIZE = 4096, SIZE = 64 << 10 };

struct rig {
	uint8_t bytes[3][SIZE];
	struct mem_region low, secure, high;
	struct mem_space *mem;
	uint8_t board[TREE_SIZE], file[TREE_SIZE];
	struct dev_boot boot;
	struct boot_tree tree;
	char path[32];
	void *fdt; /* what was made */
	struct err e;
};

static void add_ram(struct rig *r, struct mem_region *m, unsigned n, uint64_t base)
{
	*m = (struct mem_region){
		.name = "ram", .base = base, .size = SIZE, .kind = MEM_RAM, .host = r->bytes[n]};
	m->secure_only = m == &r->secure;
	assert_int_equal(mem_add(r->mem, m, &r->e), 0);
}

/* Node of a root's child, made if need be. */
static int child(void *fdt, const char *name)
{
	int n = fdt_subnode_offset(fdt, 0, name);

	n = n >= 0 ? n : fdt_add_subnode(fdt, 0, name);
	assert_true(n >= 0);
	return n;
}

static void cells(void *fdt, unsigned address, unsigned size)
{
	assert_int_equal(fdt_setprop_u32(fdt, 0, "#address-cells", address), 0);
	assert_int_equal(fdt_setprop_u32(fdt, 0, "#size-cells", size), 0);
}

static int setup(void **state)
{
	struct rig *r = xcalloc(1, sizeof(*r));
	int fd;

	r->mem = mem_space_create();
	add_ram(r, &r->low, 0, LOW);
	add_ram(r, &r->secure, 1, LOW + SIZE);
	add_ram(r, &r->high, 2, HIGH);
	assert_int_equal(fdt_create_empty_tree(r->board, TREE_SIZE), 0);
	fdt_setprop_string(r->board, child(r->board, "psci"), "method", "hvc");
	fdt_setprop_u32(r->board, child(r->board, "psci"), "cpu_on", 3);
	fdt_setprop_string(r->board, child(r->board, "chosen"), "rng-seed", "new seed");
	assert_int_equal(fdt_create_empty_tree(r->file, TREE_SIZE), 0);
	cells(r->file, 2, 2);
	strcpy(r->path, "/tmp/boot-tree.XXXXXX");
	fd = mkstemp(r->path);
	assert_true(fd >= 0);
	close(fd);
	r->boot = (struct dev_boot){.dtb = r->board, .dtb_size = TREE_SIZE};
	r->tree = (struct boot_tree){.boot = &r->boot, .mem = r->mem};
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	unlink(r->path);
	free(r->fdt);
	mem_space_destroy(r->mem);
	err_free(&r->e);
	free(r);
	return 0;
}

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	fclose(f);
}

static int make(struct rig *r)
{
	if (r->tree.path)
		write_file(r->path, r->file, TREE_SIZE);
	free(r->fdt);
	r->fdt = NULL;
	return boot_tree_make(&r->tree, &r->fdt, &r->e);
}

static void assert_made(struct rig *r)
{
	int code = make(r);

	err_print(&r->e, stderr);
	assert_int_equal(code, 0);
	assert_int_equal(fdt_check_header(r->fdt), 0);
}

/* Refused with one message about the file. */
static void assert_refused(struct rig *r, const char *text)
{
	assert_true(make(r) < 0);
	assert_null(r->fdt);
	assert_int_equal(r->e.count, 1);
	assert_string_equal(r->e.items[0].where, r->path);
	if (!strstr(r->e.items[0].text, text))
		fail_msg("\"%s\" does not mention \"%s\"", r->e.items[0].text, text);
	err_free(&r->e);
}

static const void *prop(const struct rig *r, const char *node, const char *name, int *len)
{
	return fdt_getprop(r->fdt, fdt_path_offset(r->fdt, node), name, len);
}

static void expect_reg(const struct rig *r, const char *node, const uint32_t *want, unsigned count)
{
	int len = 0;
	const fdt32_t *reg = prop(r, node, "reg", &len);

	assert_non_null(reg);
	assert_int_equal(len, 4 * count);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(fdt32_to_cpu(reg[i]), want[i]);
	assert_string_equal(prop(r, node, "device_type", NULL), "memory");
}

/* ---- the board's ---- */

static void test_board(void **state)
{
	struct rig *r = *state;

	assert_made(r);
	assert_null(prop(r, "/chosen", "bootargs", NULL));
	assert_null(prop(r, "/chosen", "linux,initrd-end", NULL));
	assert_string_equal(prop(r, "/chosen", "rng-seed", NULL), "new seed");
	assert_true(fdt_path_offset(r->fdt, "/memory@40000000") < 0); /* the board's matter */
	assert_true(fdt_totalsize(r->fdt) < 400);		      /* packed */
	r->tree.cmdline = "quiet";
	r->tree.initrd_start = 0x48000000;
	r->tree.initrd_end = 0x1234567890;
	assert_made(r);
	assert_string_equal(prop(r, "/chosen", "bootargs", NULL), "quiet");
	assert_memory_equal(prop(r, "/chosen", "linux,initrd-start", NULL), "\0\0\0\0\x48\0\0\0",
			    8);
	assert_memory_equal(prop(r, "/chosen", "linux,initrd-end", NULL),
			    "\0\0\0\x12\x34\x56\x78\x90", 8);
}

/* ---- a file ---- */

static void test_memory(void **state)
{
	static const uint32_t low[] = {0, LOW, 0, SIZE}, high[] = {HIGH >> 32, 0x80000000, 0, SIZE};
	struct rig *r = *state;

	r->tree.path = r->path;
	fdt_setprop_u32(r->file, child(r->file, "memory@80000000"), "reg", 1);
	fdt_setprop_u32(r->file, child(r->file, "memory"), "reg", 1);
	child(r->file, "memory-controller@1000");
	child(r->file, "reserved-memory");
	assert_made(r);
	assert_true(fdt_path_offset(r->fdt, "/memory@80000000") < 0);
	expect_reg(r, "/memory@40000000", low, 4);
	expect_reg(r, "/memory@8080000000", high, 4);
	assert_true(fdt_path_offset(r->fdt, "/memory@40010000") < 0); /* secure */
	assert_true(fdt_path_offset(r->fdt, "/memory-controller@1000") > 0);
	assert_true(fdt_path_offset(r->fdt, "/reserved-memory") > 0);
}

static void test_cells(void **state)
{
	static const uint32_t three[] = {0, 0, LOW, SIZE};
	struct rig *r = *state;

	r->tree.path = r->path;
	cells(r->file, 3, 1);
	assert_made(r);
	expect_reg(r, "/memory@40000000", three, 4);
	cells(r->file, 1, 1);
	assert_refused(r, "cannot express 0x10000 bytes of memory at 0x8080000000");
	cells(r->file, 0, 2);
	assert_refused(r, "cannot express");
	cells(r->file, 2, 0);
	assert_refused(r, "cannot express");
	cells(r->file, 2, 5);
	assert_refused(r, "cannot express");
}

static void test_chosen(void **state)
{
	struct rig *r = *state;
	int chosen = child(r->file, "chosen");

	r->tree.path = r->path;
	fdt_setprop_string(r->file, chosen, "bootargs", "mine");
	fdt_setprop_string(r->file, chosen, "stdout-path", "/uart");
	assert_made(r);
	assert_string_equal(prop(r, "/chosen", "bootargs", NULL), "mine");
	assert_null(prop(r, "/chosen", "rng-seed", NULL)); /* it wants none */
	r->tree.cmdline = "";
	assert_made(r);
	assert_string_equal(prop(r, "/chosen", "bootargs", NULL), "mine");
	r->tree.cmdline = "quiet";
	r->tree.initrd_end = 0x48000000;
	fdt_setprop_string(r->file, chosen, "rng-seed", "old");
	assert_made(r);
	assert_string_equal(prop(r, "/chosen", "bootargs", NULL), "quiet");
	assert_string_equal(prop(r, "/chosen", "stdout-path", NULL), "/uart");
	assert_string_equal(prop(r, "/chosen", "rng-seed", NULL), "new seed");
	assert_non_null(prop(r, "/chosen", "linux,initrd-start", NULL));
}

static void test_psci(void **state)
{
	struct rig *r = *state;

	r->tree.path = r->path;
	assert_made(r);
	assert_string_equal(prop(r, "/psci", "method", NULL), "hvc");
	assert_memory_equal(prop(r, "/psci", "cpu_on", NULL), "\0\0\0\x03", 4);
	fdt_setprop_string(r->file, child(r->file, "psci"), "method", "smc");
	assert_made(r);
	assert_string_equal(prop(r, "/psci", "method", NULL), "smc");
	assert_null(prop(r, "/psci", "cpu_on", NULL));
}

/* With EL3 the board leaves PSCI to firmware; without firmware it is Obverse's. */
static void test_stand_in(void **state)
{
	struct rig *r = *state;
	int cpus = child(r->board, "cpus"), cpu;

	assert_int_equal(fdt_del_node(r->board, child(r->board, "psci")), 0);
	cpus = child(r->board, "cpus");
	cpu = fdt_add_subnode(r->board, cpus, "cpu@0");
	fdt_setprop_string(r->board, cpu, "device_type", "cpu");
	fdt_add_subnode(r->board, cpus, "cpu-map");
	assert_made(r);
	assert_int_equal(fdt_path_offset(r->fdt, "/psci"), -FDT_ERR_NOTFOUND);
	r->tree.stand_in = true;
	assert_made(r);
	assert_string_equal(prop(r, "/psci", "method", NULL), "smc");
	assert_string_equal(prop(r, "/psci", "compatible", NULL), "arm,psci-1.0");
	assert_string_equal(prop(r, "/cpus/cpu@0", "enable-method", NULL), "psci");
	assert_null(prop(r, "/cpus/cpu-map", "enable-method", NULL));
}

/* Every word of the structure, one after the other: no access outside, and no tree after an error. */
static void test_damaged(void **state)
{
	struct rig *r = *state;
	uint32_t start = fdt_off_dt_struct(r->file);

	r->tree.path = r->path;
	child(r->file, "memory@0");
	child(r->file, "chosen");
	for (uint32_t at = start; at < start + fdt_size_dt_struct(r->file); at += 4) {
		static const uint32_t words[] = {0, 1, 3, 9, 0x7fffffff, 0xffffffff};
		uint8_t old[4];

		memcpy(old, r->file + at, 4);
		for (unsigned i = 0; i < ARRAY_COUNT(words); i++) {
			fdt32_t word = cpu_to_fdt32(words[i]);
			int code;

			memcpy(r->file + at, &word, 4);
			code = make(r);
			assert_int_equal(code == 0, r->fdt != NULL);
			assert_int_equal(r->fdt != NULL, !err_any(&r->e));
			err_free(&r->e);
		}
		memcpy(r->file + at, old, 4);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_board), TEST(test_memory),   TEST(test_cells),  TEST(test_chosen),
		TEST(test_psci),  TEST(test_stand_in), TEST(test_damaged)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
