/* SPDX-License-Identifier: Apache-2.0 */
/* RAM with its back end, and ROM. */
#include "fixture.h"

#include "dev/dt.h"

#include <errno.h>
#include <fcntl.h>
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct component ram_component, rom_component, hostmem_component;

enum { BASE = 0x80000000, MIB = 1 << 20 };
static const struct mem_attrs normal = {.pe = 0}, secure = {.secure = true};

static void make(struct fixture *f, const char *prop, const char *value,
		 const struct fixture_prop *backend)
{
	const struct fixture_prop props[] = {{"address", "0x80000000"}, {prop, value}, {0}};

	fixture_make(f, &ram_component, props);
	fixture_backend(f, &hostmem_component, backend);
}

static void test_sizes(void **state)
{
	static const struct fixture_prop four[] = {{"size", "4"}, {0}};
	struct fixture f;

	make(&f, NULL, NULL, four); /* the back end's, MiB */
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(mem_find(f.host.mem, BASE)->size, 4 * MIB);
	fixture_write(&f, BASE + 4 * MIB - 8, 8, 0x1122334455667788);
	assert_true(fixture_read(&f, BASE + 4 * MIB - 8, 8) == 0x1122334455667788);
	assert_null(mem_find(f.host.mem, BASE + 4 * MIB));
	fixture_drop(&f);

	make(&f, "size", "64K", four); /* the component's own wins */
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(mem_find(f.host.mem, BASE)->size, 64 << 10);
	fixture_drop(&f);
}

static void test_refused(void **state)
{
	static const struct {
		const char *size;
		int code;
	} bad[] = {{"0", -EINVAL}, {"12345B", -EINVAL}, {"16000000T", -ENOMEM}, {"8191T", -ENOMEM}};
	struct fixture f;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		make(&f, "size", bad[i].size, NULL);
		assert_int_equal(fixture_start(&f), bad[i].code);
		assert_int_equal(f.err.count, 1);
		fixture_drop(&f);
	}
}

static void test_secure(void **state)
{
	struct fixture f;
	uint64_t v;

	make(&f, "secure", "true", NULL);
	dev_set(f.dev, component_prop(&ram_component, "size"), "1", "test", NULL);
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(mem_read(f.host.mem, BASE, 4, &v, normal), MEM_UNHANDLED);
	assert_int_equal(mem_read(f.host.mem, BASE, 4, &v, secure), MEM_OK);
	assert_false(dma_read(f.dev, BASE, &v, 4));
	assert_false(dma_write(f.dev, BASE, &v, 4));
	assert_null(dma_ptr(f.dev, BASE, 4, false));
	fixture_drop(&f);
}

/* The normal world is told that it is not for it. */
static void test_secure_dt(void **state)
{
	struct fixture f;
	void *fdt = malloc(4096);
	struct dt dt = {.fdt = fdt};
	int n;

	make(&f, "secure", "true", NULL);
	dev_set(f.dev, component_prop(&ram_component, "size"), "1", "test", NULL);
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(fdt_create_empty_tree(fdt, 4096), 0);
	assert_int_equal(f.dev->c->dt(f.dev, &dt), 0);
	n = fdt_path_offset(fdt, "/secram@80000000");
	assert_string_equal(fdt_getprop(fdt, n, "status", NULL), "disabled");
	assert_string_equal(fdt_getprop(fdt, n, "secure-status", NULL), "okay");
	assert_true(fdt_path_offset(fdt, "/memory@80000000") < 0);
	free(fdt);
	fixture_drop(&f);
}

/* A file is the memory; it grows, but never shrinks. */
static void test_file(void **state)
{
	char path[] = "/tmp/obverse-ram-XXXXXX", got[8] = {0};
	const struct fixture_prop backend[] = {{"path", path}, {"prealloc", "true"}, {0}};
	int fd = mkstemp(path);
	struct fixture f;
	struct stat st;

	assert_int_equal(write(fd, "before", 6), 6);
	for (unsigned i = 0; i < 2; i++) {
		make(&f, "size", i ? "64K" : "128K", backend);
		assert_int_equal(fixture_start(&f), 0);
		assert_int_equal(fixture_read(&f, BASE, 4), 0x6f666562);
		fixture_write(&f, BASE + 0x1000, 4, 0x64636261);
		assert_int_equal(pread(fd, got, 4, 0x1000), 4);
		assert_string_equal(got, "abcd");
		fixture_drop(&f);
		fstat(fd, &st);
		assert_int_equal(st.st_size, 128 << 10);
	}
	unlink(path);
	close(fd);
	make(&f, "size", "64K", (const struct fixture_prop[]){{"path", "/nowhere/ram"}, {0}});
	assert_true(fixture_start(&f) < 0);
	fixture_drop(&f);
}

static void test_dt(void **state)
{
	struct fixture f;
	void *fdt = malloc(4096);
	struct dt dt = {.fdt = fdt};
	static const uint8_t reg[16] = {[4] = 0x80, [13] = 0x10};
	const void *p;
	int n, len;

	make(&f, "size", "1", NULL);
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(fdt_create_empty_tree(fdt, 4096), 0);
	assert_int_equal(f.dev->c->dt(f.dev, &dt), 0);
	n = fdt_path_offset(fdt, "/memory@80000000");
	p = fdt_getprop(fdt, n, "reg", &len);
	assert_int_equal(len, 16);
	assert_memory_equal(p, reg, 16);
	assert_string_equal(fdt_getprop(fdt, n, "device_type", &len), "memory");
	free(fdt);
	fixture_drop(&f);
}

/* ---- ROM ---- */

static char rom_path[] = "/tmp/obverse-rom-XXXXXX";

static void make_rom(struct fixture *f, const char *prop, const char *value)
{
	const struct fixture_prop props[] = {
		{"address", "0x80000000"}, {"image", rom_path}, {prop, value}, {0}};

	fixture_make(f, &rom_component, props);
}

static int rom_file(void **state)
{
	int fd = mkstemp(rom_path);

	return fd < 0 || write(fd, "read-only", 9) != 9 || close(fd);
}

static int rom_file_gone(void **state)
{
	return unlink(rom_path);
}

static void test_rom(void **state)
{
	struct fixture f;
	char got[16];

	make_rom(&f, NULL, NULL);
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(mem_find(f.host.mem, BASE)->size, 4096);
	assert_true(dma_read(f.dev, BASE, got, 10));
	assert_memory_equal(got, "read-only", 10);
	assert_int_equal(fixture_read(&f, BASE + 4088, 8), 0);
	fixture_write(&f, BASE, 4, 0); /* ignored */
	assert_int_equal(fixture_read(&f, BASE, 4), 0x64616572);
	assert_false(dma_write(f.dev, BASE, got, 4));
	dev_reset(f.dev);
	fixture_drop(&f);
}

static void test_rom_options(void **state)
{
	struct fixture f;
	uint64_t v;

	make_rom(&f, "size", "1");
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(mem_find(f.host.mem, BASE)->size, MIB);
	fixture_drop(&f);
	make_rom(&f, "secure", "true");
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(mem_read(f.host.mem, BASE, 4, &v, normal), MEM_UNHANDLED);
	assert_int_equal(mem_read(f.host.mem, BASE, 4, &v, secure), MEM_OK);
	fixture_drop(&f);
	make_rom(&f, "size", "8B");
	assert_int_equal(fixture_start(&f), -EFBIG);
	fixture_drop(&f);
	make_rom(&f, "image", "/nowhere/rom");
	assert_int_equal(fixture_start(&f), -ENOENT);
	fixture_drop(&f);
	make_rom(&f, "image", "/tmp");
	assert_int_equal(fixture_start(&f), -EINVAL);
	fixture_drop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),  cmocka_unit_test(test_refused),
		cmocka_unit_test(test_secure), cmocka_unit_test(test_secure_dt),
		cmocka_unit_test(test_file),   cmocka_unit_test(test_dt),
		cmocka_unit_test(test_rom),    cmocka_unit_test(test_rom_options),
	};

	return cmocka_run_group_tests(tests, rom_file, rom_file_gone);
}
