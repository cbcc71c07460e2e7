/* SPDX-License-Identifier: Apache-2.0 */
/* Boot from firmware: where PE 0 starts, the image in RAM, the device tree at its beginning, and the
 * kernel that it is offered. */
#include "fake_pe.h"

#include "dev/component.h"
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
#include <zlib.h>

#define RAM    0x40000000ULL
#define FW_CFG 0x09020000ULL

enum { RAM_SIZE = 64 << 10, TREE_SIZE = 1024 };

extern const struct component firmware_component, fw_cfg_component, linux_component;

struct rig {
	uint8_t bytes[RAM_SIZE];
	struct mem_region ram;
	struct dev_host host;
	struct dev *d, *linux_object, *fw_cfg;
	struct dev_boot boot;
	struct err e;
	uint8_t tree[TREE_SIZE];
	char image[32], kernel[32], initrd[32], own_tree[32];
};

static void write_file(char *path, const char *name, const void *data, size_t size)
{
	int fd;

	strcpy(path, name);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

static void set_of(struct rig *r, struct dev *d, const char *name, const char *value)
{
	const struct prop *p = component_prop(d->c, name);

	assert_non_null(p);
	assert_int_equal(dev_set(d, p, value, "x.board:1", &r->e), 0);
}

static void make_others(struct rig *r)
{
	r->linux_object = dev_create(&linux_component, "linux", "x.board:2", &r->host);
	assert_int_equal(dev_defaults(r->linux_object, &r->e), 0);
	r->host.pes = fake_pe_create(1, 1);
	r->fw_cfg = dev_create(&fw_cfg_component, "fw-cfg", "x.board:3", &r->host);
	set_of(r, r->fw_cfg, "address", "0x09020000");
	assert_int_equal(dev_map(r->fw_cfg, &r->e), 0);
	assert_int_equal(dev_init(r->fw_cfg, &r->e), 0);
}

static int setup(void **state)
{
	struct rig *r = xcalloc(1, sizeof(*r));

	r->ram = (struct mem_region){
		.name = "ram", .base = RAM, .size = RAM_SIZE, .kind = MEM_RAM, .host = r->bytes};
	r->host.mem = mem_space_create();
	assert_int_equal(mem_add(r->host.mem, &r->ram, &r->e), 0);
	r->d = dev_create(&firmware_component, "firmware", "x.board:1", &r->host);
	assert_int_equal(dev_defaults(r->d, &r->e), 0);
	make_others(r);
	assert_int_equal(fdt_create_empty_tree(r->tree, TREE_SIZE), 0);
	assert_int_equal(fdt_setprop_string(r->tree, 0, "model", "generated"), 0);
	r->boot = (struct dev_boot){.dtb = r->tree, .dtb_size = TREE_SIZE};
	write_file(r->image, "/tmp/firmware.XXXXXX", "firmware", 8);
	write_file(r->kernel, "/tmp/kernel.XXXXXX", "kernel", 6);
	write_file(r->initrd, "/tmp/initrd.XXXXXX", "initial RAM disk", 16);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	unlink(r->image);
	unlink(r->kernel);
	unlink(r->initrd);
	unlink(r->own_tree);
	dev_destroy(r->d);
	dev_destroy(r->fw_cfg);
	dev_destroy(r->linux_object);
	fake_pe_destroy(r->host.pes);
	mem_space_destroy(r->host.mem);
	err_free(&r->e);
	free(r);
	return 0;
}

static void set(struct rig *r, const char *name, const char *value)
{
	set_of(r, r->d, name, value);
}

static void set_ref(struct rig *r, const char *name, struct dev *d)
{
	*(struct dev **)((char *)r->d + component_prop(r->d->c, name)->offset) = d;
}

/* Bytes of the tree in RAM, having seen that it is the one with this model. */
static size_t expect_tree(const struct rig *r, uint64_t gpa, const char *model)
{
	const void *fdt = r->bytes + (gpa - RAM);

	assert_int_equal(fdt_check_header(fdt), 0);
	assert_string_equal(fdt_getprop(fdt, 0, "model", NULL), model);
	return fdt_totalsize(fdt);
}

static int boot(struct rig *r)
{
	return firmware_component.boot(r->d, &r->boot, &r->e);
}

static void test_disabled(void **state)
{
	struct rig *r = *state;

	assert_int_equal(boot(r), 0);
	assert_false(r->boot.found);
	assert_int_equal(r->bytes[0], 0);
}

/* In flash: nothing to load. */
static void test_entry(void **state)
{
	struct rig *r = *state;

	set(r, "enabled", "on");
	set(r, "entry", "0x1000");
	assert_int_equal(boot(r), 0);
	assert_true(r->boot.found);
	assert_int_equal(r->boot.pc, 0x1000);
	assert_int_equal(r->bytes[expect_tree(r, RAM, "generated")], 0);
}

static void test_image(void **state)
{
	struct rig *r = *state;

	set(r, "enabled", "on");
	set(r, "image", r->image);
	set(r, "address", "0x40008000");
	set(r, "entry", "0x40008004");
	assert_int_equal(boot(r), 0);
	assert_int_equal(r->boot.pc, RAM + 0x8004);
	assert_int_equal(r->boot.image_start, RAM + 0x8000);
	assert_int_equal(r->boot.image_end, RAM + 0x8008);
	assert_memory_equal(r->bytes + 0x8000, "firmware", 8);
	expect_tree(r, RAM, "generated");
}

static void test_bad_image(void **state)
{
	static const char *const addresses[] = {"0x4000fff9", "0", "0x3fffffff",
						"0xfffffffffffffffc"};
	struct rig *r = *state;

	set(r, "enabled", "on");
	set(r, "image", r->image);
	for (int i = 0; i < 4; i++) {
		set(r, "address", addresses[i]);
		assert_true(boot(r) < 0);
		assert_int_equal(r->e.count, i + 1);
		assert_string_equal(r->e.items[i].where, r->image);
	}
	unlink(r->image);
	assert_true(boot(r) < 0);
	assert_string_equal(r->e.items[4].where, r->image);
	assert_false(r->boot.found);
}

/* The image never lies over the device tree, nor the tree over the image. */
static void test_image_over_tree(void **state)
{
	struct rig *r = *state;
	char address[32];
	size_t size;

	set(r, "enabled", "on");
	assert_int_equal(boot(r), 0);
	size = expect_tree(r, RAM, "generated");
	r->boot.found = false;
	set(r, "image", r->image);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(address, sizeof(address), "0x%llx", RAM + i * (size - 1) / 2);
		set(r, "address", address);
		assert_true(boot(r) < 0);
		assert_int_equal(r->e.count, i + 1);
		assert_non_null(strstr(r->e.items[i].text, "covers the device tree at "
							   "0x40000000-0x400000"));
		assert_non_null(strstr(r->e.items[i].hint, "firmware.dtb_address"));
	}
	assert_false(r->boot.found);
	snprintf(address, sizeof(address), "0x%llx", RAM + size);
	set(r, "address", address);
	assert_int_equal(boot(r), 0);
}

static void test_tree_elsewhere(void **state)
{
	struct rig *r = *state;

	set(r, "enabled", "on");
	set(r, "image", r->image);
	set(r, "address", "0x40000000");
	set(r, "dtb_address", "0x40000008");
	assert_int_equal(boot(r), 0);
	assert_memory_equal(r->bytes, "firmware", 8);
	expect_tree(r, RAM + 8, "generated");
	set(r, "dtb_address", "0x40000007");
	assert_true(boot(r) < 0);
	set(r, "dtb_address", "0x4000fff8"); /* not enough RAM behind it */
	assert_true(boot(r) < 0);
	assert_int_equal(r->e.count, 2);
}

static void test_tree_does_not_fit(void **state)
{
	struct rig *r = *state;
	uint8_t *big = xcalloc(1, 2 * RAM_SIZE);

	set(r, "enabled", "on");
	assert_int_equal(fdt_create_empty_tree(big, 2 * RAM_SIZE), 0);
	assert_int_equal(fdt_setprop(big, 0, "model", r->bytes, RAM_SIZE), 0);
	r->boot.dtb = big;
	r->boot.dtb_size = 2 * RAM_SIZE;
	assert_true(boot(r) < 0);
	assert_int_equal(r->e.count, 1);
	free(big);
}

/* ---- what is offered ---- */

static void offer_all(struct rig *r)
{
	set(r, "enabled", "on");
	set_ref(r, "linux", r->linux_object);
	set_ref(r, "fw_cfg", r->fw_cfg);
	set_of(r, r->linux_object, "kernel", r->kernel);
	set_of(r, r->linux_object, "initrd", r->initrd);
	set_of(r, r->linux_object, "cmdline", "quiet");
}

/* The first bytes of an item, and that behind them are zeroes. */
static void expect_item(const struct rig *r, uint16_t key, const void *want, size_t len)
{
	struct mem_attrs attrs = {0};
	uint64_t v;

	mem_write(r->host.mem, FW_CFG + 8, 2, __builtin_bswap16(key), attrs);
	for (size_t i = 0; i < len + 4; i++) {
		assert_int_equal(mem_read(r->host.mem, FW_CFG, 1, &v, attrs), MEM_OK);
		assert_int_equal(v, i < len ? ((const uint8_t *)want)[i] : 0);
	}
}

static const char *bootargs(const struct rig *r)
{
	return fdt_getprop(r->bytes, fdt_path_offset(r->bytes, "/chosen"), "bootargs", NULL);
}

static void test_offer(void **state)
{
	struct rig *r = *state;

	offer_all(r);
	for (int i = 0; i < 2; i++) { /* again at a reset */
		assert_int_equal(boot(r), 0);
		expect_item(r, 0x08, "\x06\0\0\0", 4);
		expect_item(r, 0x11, "kernel", 6);
		expect_item(r, 0x0b, "\x10\0\0\0", 4);
		expect_item(r, 0x12, "initial RAM disk", 16);
		expect_item(r, 0x14, "\x06\0\0\0", 4);
		expect_item(r, 0x15, "quiet", 6);
		expect_item(r, 0x07, "", 0); /* no address: firmware chooses */
		expect_item(r, 0x0a, "", 0);
	}
	assert_string_equal(bootargs(r), "quiet");
	/* firmware tells the kernel where it put the initrd */
	assert_null(fdt_getprop(r->bytes, fdt_path_offset(r->bytes, "/chosen"), "linux,initrd-end",
				NULL));
	for (size_t i = fdt_totalsize(r->bytes); i < RAM_SIZE; i++)
		assert_int_equal(r->bytes[i], 0); /* nothing but the tree is loaded */
}

static void test_offer_kernel_only(void **state)
{
	struct rig *r = *state;

	offer_all(r);
	set_of(r, r->linux_object, "initrd", NULL);
	set_of(r, r->linux_object, "cmdline", NULL);
	assert_int_equal(boot(r), 0);
	expect_item(r, 0x11, "kernel", 6);
	expect_item(r, 0x0b, "", 0);
	expect_item(r, 0x14, "\x01\0\0\0", 4);
	expect_item(r, 0x15, "", 1);
	assert_null(bootargs(r));
}

static void test_offer_gzip(void **state)
{
	struct rig *r = *state;
	gzFile z = gzopen(r->kernel, "wb");

	assert_int_equal(gzwrite(z, "unpacked kernel", 15), 15);
	gzclose(z);
	offer_all(r);
	assert_int_equal(boot(r), 0);
	expect_item(r, 0x08, "\x0f\0\0\0", 4);
	expect_item(r, 0x11, "unpacked kernel", 15);
	assert_int_equal(truncate(r->kernel, 20), 0);
	assert_true(boot(r) < 0);
	assert_string_equal(r->e.items[0].where, r->kernel);
}

static void test_offer_refused(void **state)
{
	struct rig *r = *state;

	offer_all(r);
	unlink(r->initrd);
	assert_true(boot(r) < 0);
	assert_string_equal(r->e.items[0].where, r->initrd);
	assert_int_equal(truncate(r->kernel, 0), 0);
	assert_true(boot(r) < 0);
	assert_string_equal(r->e.items[1].where, r->kernel);
	assert_false(r->boot.found);
	set_of(r, r->linux_object, "kernel", NULL); /* nothing to offer */
	assert_int_equal(boot(r), 0);
}

/* Seen before anything is started. */
static void test_no_fw_cfg(void **state)
{
	struct rig *r = *state;

	offer_all(r);
	set_ref(r, "fw_cfg", NULL);
	set(r, "enabled", "off");
	assert_int_equal(firmware_component.check(r->d, &r->e), 0);
	set(r, "enabled", "on");
	assert_true(firmware_component.check(r->d, &r->e) < 0);
	assert_int_equal(r->e.count, 1);
	assert_non_null(strstr(r->e.items[0].text, "no fw_cfg device"));
	set_of(r, r->linux_object, "kernel", NULL);
	assert_int_equal(firmware_component.check(r->d, &r->e), 0);
	assert_int_equal(boot(r), 0); /* a device tree is all it needs */
}

/* Whichever object comes first: with firmware the kernel is not started as well. */
static void test_linux_yields(void **state)
{
	struct rig *r = *state;

	offer_all(r);
	assert_int_equal(dev_init(r->d, &r->e), 0);
	assert_int_equal(linux_component.boot(r->linux_object, &r->boot, &r->e), 0);
	assert_false(r->boot.found);
}

static void test_disabled_offers_nothing(void **state)
{
	struct rig *r = *state;

	offer_all(r);
	set(r, "enabled", "off");
	assert_int_equal(dev_init(r->d, &r->e), 0);
	assert_int_equal(boot(r), 0);
	expect_item(r, 0x11, "", 0);
	assert_true(linux_component.boot(r->linux_object, &r->boot, &r->e) < 0); /* it tries */
}

static void test_own_tree(void **state)
{
	struct rig *r = *state;
	uint8_t fdt[TREE_SIZE];

	offer_all(r);
	assert_int_equal(fdt_create_empty_tree(fdt, TREE_SIZE), 0);
	assert_int_equal(fdt_setprop_string(fdt, 0, "model", "own"), 0);
	write_file(r->own_tree, "/tmp/tree.XXXXXX", fdt, TREE_SIZE);
	set_of(r, r->linux_object, "dtb", r->own_tree);
	assert_int_equal(boot(r), 0);
	expect_tree(r, RAM, "own");
	assert_true(fdt_path_offset(r->bytes, "/memory@40000000") > 0);
	assert_string_equal(bootargs(r), "quiet");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_disabled),
		TEST(test_entry),
		TEST(test_image),
		TEST(test_bad_image),
		TEST(test_image_over_tree),
		TEST(test_tree_elsewhere),
		TEST(test_tree_does_not_fit),
		TEST(test_offer),
		TEST(test_offer_kernel_only),
		TEST(test_offer_gzip),
		TEST(test_offer_refused),
		TEST(test_no_fw_cfg),
		TEST(test_linux_yields),
		TEST(test_disabled_offers_nothing),
		TEST(test_own_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
