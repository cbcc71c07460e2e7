/* SPDX-License-Identifier: Apache-2.0 */
/* Boot from firmware: where PE 0 starts, the image in RAM, the device tree at its beginning. */
#include "dev/component.h"
#include "util/err.h"
#include "util/xalloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define RAM 0x40000000ULL

enum { RAM_SIZE = 64 << 10, TREE_SIZE = 256 };

extern const struct component firmware_component;

struct rig {
	uint8_t bytes[RAM_SIZE];
	struct mem_region ram;
	struct dev_host host;
	struct dev *d;
	struct dev_boot boot;
	struct err e;
	uint8_t tree[TREE_SIZE];
	char image[32];
};

static int setup(void **state)
{
	struct rig *r = xcalloc(1, sizeof(*r));
	int fd;

	r->ram = (struct mem_region){
		.name = "ram", .base = RAM, .size = RAM_SIZE, .kind = MEM_RAM, .host = r->bytes};
	r->host.mem = mem_space_create();
	assert_int_equal(mem_add(r->host.mem, &r->ram, &r->e), 0);
	r->d = dev_create(&firmware_component, "firmware", "x.board:1", &r->host);
	assert_int_equal(dev_defaults(r->d, &r->e), 0);
	memset(r->tree, 0xdd, TREE_SIZE);
	r->boot = (struct dev_boot){.dtb = r->tree, .dtb_size = TREE_SIZE};
	strcpy(r->image, "/tmp/firmware.XXXXXX");
	fd = mkstemp(r->image);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "firmware", 8), 8);
	close(fd);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	unlink(r->image);
	dev_destroy(r->d);
	mem_space_destroy(r->host.mem);
	err_free(&r->e);
	free(r);
	return 0;
}

static void set(struct rig *r, const char *name, const char *value)
{
	const struct prop *p = component_prop(&firmware_component, name);

	assert_non_null(p);
	assert_int_equal(dev_set(r->d, p, value, "x.board:1", &r->e), 0);
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
	assert_memory_equal(r->bytes, r->tree, TREE_SIZE);
	assert_int_equal(r->bytes[TREE_SIZE], 0);
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
	assert_memory_equal(r->bytes, r->tree, TREE_SIZE);
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
	static const char *const refused[] = {"0x40000000", "0x400000ff", "0x40000001"};
	struct rig *r = *state;

	set(r, "enabled", "on");
	set(r, "image", r->image);
	for (int i = 0; i < 3; i++) {
		set(r, "address", refused[i]);
		assert_true(boot(r) < 0);
		assert_int_equal(r->e.count, i + 1);
		assert_non_null(strstr(r->e.items[i].text, "covers the device tree at "
							   "0x40000000-0x400000ff"));
		assert_non_null(strstr(r->e.items[i].hint, "firmware.dtb_address"));
	}
	assert_false(r->boot.found);
	set(r, "address", "0x40000100");
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
	assert_memory_equal(r->bytes + 8, r->tree, TREE_SIZE);
	set(r, "dtb_address", "0x40000007");
	assert_true(boot(r) < 0);
	set(r, "dtb_address", "0x4000ff01"); /* not enough RAM behind it */
	assert_true(boot(r) < 0);
	assert_int_equal(r->e.count, 2);
}

static void test_tree_does_not_fit(void **state)
{
	struct rig *r = *state;

	set(r, "enabled", "on");
	r->boot.dtb = r->bytes; /* not read */
	r->boot.dtb_size = RAM_SIZE + 1;
	assert_true(boot(r) < 0);
	assert_int_equal(r->e.count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_disabled),	      TEST(test_entry),		  TEST(test_image),
		TEST(test_bad_image),	      TEST(test_image_over_tree), TEST(test_tree_elsewhere),
		TEST(test_tree_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
