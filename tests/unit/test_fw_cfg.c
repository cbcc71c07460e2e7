/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_pe.h"
#include "fixture.h"

#include "dev/dt.h"

#include <errno.h>
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct component fw_cfg_component;

enum { BASE = 0x09020000, DATA = BASE, SELECT = BASE + 8, DMA = BASE + 16 };
enum { KEY_ID = 1, KEY_CPUS = 5, KEY_DIR = 0x19 };
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };
enum { CONTROL = FIXTURE_RAM + 0x100, TARGET = FIXTURE_RAM + 0x1000 };

static char path[] = "/tmp/obverse-fw-XXXXXX";
static const char content[] = "0123456789";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	return fd < 0 || write(fd, content, 10) != 10 || close(fd);
}

static int remove_file(void **state)
{
	return unlink(path);
}

static int start_with(struct fixture *f, const char *files)
{
	const struct fixture_prop props[] = {{"address", "0x09020000"}, {"files", files}, {0}};

	fixture_make(f, &fw_cfg_component, props);
	f->host.pes = fake_pe_create(3, 1);
	return fixture_start(f);
}

static void start(struct fixture *f)
{
	char files[128];

	snprintf(files, sizeof(files), "opt/a=%s,etc/b=/dev/null,opt/c=%s", path, path);
	assert_int_equal(start_with(f, files), 0);
}

static void drop(struct fixture *f)
{
	fake_pe_destroy(f->host.pes);
	fixture_drop(f);
}

static void select_key(struct fixture *f, uint16_t key)
{
	fixture_write(f, SELECT, 2, __builtin_bswap16(key));
}

static void expect(struct fixture *f, const char *bytes, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		assert_int_equal(fixture_read(f, DATA, 1), (uint8_t)bytes[i]);
}

static void test_items(void **state)
{
	struct fixture f;

	start(&f);
	select_key(&f, 0);
	expect(&f, "QEMU\0\0", 6);
	select_key(&f, 0);
	assert_int_equal(fixture_read(&f, DATA, 4), 0x554d4551); /* a byte stream */
	select_key(&f, KEY_ID);
	assert_int_equal(fixture_read(&f, DATA, 8), 3);
	select_key(&f, KEY_CPUS);
	assert_int_equal(fixture_read(&f, DATA, 2), 3);
	select_key(&f, 0x4000);
	assert_int_equal(fixture_read(&f, DATA, 8), 0);
	fixture_write(&f, DATA, 1, 0x55); /* items cannot be written */
	select_key(&f, 0);
	expect(&f, "QEMU", 4);
	assert_true(fixture_read(&f, DMA, 8) ==
		    __builtin_bswap64(0x51454d5520434647)); /* QEMU CFG */
	assert_int_equal(fixture_read(&f, DMA, 4), 0x554d4551);
	drop(&f);
}

static void test_files(void **state)
{
	struct fixture f;
	uint8_t entry[64];

	start(&f);
	select_key(&f, KEY_DIR);
	assert_int_equal(fixture_read(&f, DATA, 4), __builtin_bswap32(3));
	for (unsigned i = 0; i < sizeof(entry); i++)
		entry[i] = fixture_read(&f, DATA, 1);
	assert_memory_equal(entry, "\0\0\0\x0a\0\x20\0\0opt/a\0", 14);
	for (unsigned i = 0; i < sizeof(entry); i++)
		entry[i] = fixture_read(&f, DATA, 1);
	assert_memory_equal(entry, "\0\0\0\0\0\x21\0\0etc/b\0", 14);
	select_key(&f, 0x20);
	expect(&f, "0123456789\0", 11);
	select_key(&f, 0x22);
	expect(&f, "0123", 4);
	drop(&f);
}

static void test_files_refused(void **state)
{
	char name[80], many[2048] = "";
	struct fixture f;

	assert_int_equal(start_with(&f, "opt/a=/nowhere/file"), -ENOENT);
	drop(&f);
	assert_int_equal(start_with(&f, "opt/a"), -EINVAL);
	drop(&f);
	memset(name, 'n', 56);
	strcpy(name + 56, "=/dev/null");
	assert_int_equal(start_with(&f, name), -EINVAL);
	drop(&f);
	assert_int_equal(start_with(&f, name + 1), 0);
	drop(&f);
	for (unsigned i = 0; i < 33; i++)
		strcat(many, "a=/dev/null,");
	assert_int_equal(start_with(&f, many), -E2BIG);
	drop(&f);
	assert_int_equal(start_with(&f, "opt/a=/tmp"), -EISDIR);
	assert_string_equal(f.err.items[0].text, "dut.files: cannot read /tmp: Is a directory");
	drop(&f);
	assert_int_equal(start_with(&f, "opt/a=/dev/zero"), -EFBIG);
	drop(&f);
}

/* ---- DMA ---- */

static void put_be32(struct fixture *f, uint64_t gpa, uint32_t v)
{
	fixture_write(f, gpa, 4, __builtin_bswap32(v));
}

static uint32_t dma(struct fixture *f, uint32_t control, uint32_t len, uint64_t target)
{
	put_be32(f, CONTROL, control);
	put_be32(f, CONTROL + 4, len);
	put_be32(f, CONTROL + 8, target >> 32);
	put_be32(f, CONTROL + 12, target);
	fixture_write(f, DMA, 8, __builtin_bswap64(CONTROL));
	return __builtin_bswap32(fixture_read(f, CONTROL, 4));
}

static void test_dma(void **state)
{
	struct fixture f;

	start(&f);
	memset(f.ram + 0x1000, 0xee, 32);
	assert_int_equal(dma(&f, 0x20 << 16 | DMA_SELECT | DMA_READ, 4, TARGET), 0);
	assert_memory_equal(f.ram + 0x1000, "0123\xee", 5);
	assert_int_equal(dma(&f, DMA_SKIP, 2, 0), 0);
	assert_int_equal(dma(&f, DMA_READ, 8, TARGET), 0); /* over the end: zeroes */
	assert_memory_equal(f.ram + 0x1000, "6789\0\0\0\0\xee", 9);
	assert_int_equal(dma(&f, 0x20 << 16 | DMA_SELECT, 0, 0), 0);
	expect(&f, "01", 2); /* one position for both ways */
	assert_int_equal(dma(&f, 0x999 << 16 | DMA_SELECT | DMA_READ, 3, TARGET), 0);
	assert_memory_equal(f.ram + 0x1000, "\0\0\0", 3);
	assert_int_equal(dma(&f, DMA_READ, 0, 0), 0);
	drop(&f);
}

static void test_dma_halves(void **state)
{
	struct fixture f;

	start(&f);
	put_be32(&f, CONTROL, DMA_SELECT | DMA_READ);
	put_be32(&f, CONTROL + 4, 4);
	put_be32(&f, CONTROL + 8, 0);
	put_be32(&f, CONTROL + 12, TARGET);
	put_be32(&f, DMA, 0);
	put_be32(&f, DMA + 4, CONTROL);
	assert_memory_equal(f.ram + 0x1000, "QEMU", 4);
	drop(&f);
}

static void test_dma_hostile(void **state)
{
	static const uint64_t places[] = {0, DMA, FIXTURE_RAM + FIXTURE_RAM_SIZE - 8, UINT64_MAX,
					  UINT64_MAX - 7};
	struct fixture f;

	start(&f);
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		fixture_write(&f, DMA, 8, __builtin_bswap64(places[i]));
		assert_int_equal(dma(&f, 0x20 << 16 | DMA_SELECT | DMA_READ, 10, places[i]),
				 DMA_ERROR);
	}
	assert_int_equal(dma(&f, DMA_WRITE, 4, TARGET), DMA_ERROR);
	assert_int_equal(dma(&f, DMA_READ, UINT32_MAX, TARGET), DMA_ERROR);
	assert_int_equal(dma(&f, DMA_SKIP, UINT32_MAX, 0), 0);
	assert_int_equal(dma(&f, DMA_SKIP, UINT32_MAX, 0), 0);
	expect(&f, "\0", 1);
	drop(&f);
}

static void test_dt(void **state)
{
	struct fixture f;
	void *fdt = malloc(4096);
	struct dt dt = {.fdt = fdt};
	int n, len;

	start(&f);
	assert_int_equal(fdt_create_empty_tree(fdt, 4096), 0);
	assert_int_equal(f.dev->c->dt(f.dev, &dt), 0);
	assert_int_equal(dt.error, 0);
	n = fdt_path_offset(fdt, "/fw-cfg@9020000");
	assert_int_equal(fdt_node_check_compatible(fdt, n, "qemu,fw-cfg-mmio"), 0);
	assert_non_null(fdt_getprop(fdt, n, "dma-coherent", &len));
	free(fdt);
	drop(&f);
}

static void test_hammer(void **state)
{
	struct fixture f;

	start(&f);
	for (unsigned i = 1; i < 50; i++) {
		fixture_hammer(&f, BASE, 24, 400, i);
		fixture_hammer(&f, FIXTURE_RAM, 64, 50, i);
		fixture_write(&f, DMA, 8, __builtin_bswap64(FIXTURE_RAM + i));
	}
	drop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_files_refused),
		cmocka_unit_test(test_dma),
		cmocka_unit_test(test_dma_halves),
		cmocka_unit_test(test_dma_hostile),
		cmocka_unit_test(test_dt),
		cmocka_unit_test(test_hammer),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
