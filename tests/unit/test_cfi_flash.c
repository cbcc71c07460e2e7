/* SPDX-License-Identifier: Apache-2.0 */
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

extern const struct component cfi_flash_component;

enum { BASE = 0x4000000, SIZE = 1 << 20, BLOCK = 256 << 10, BUFFER = 2048 };
enum { READY = 0x00800080, ERASE_ERROR = 0x00200020, PROGRAM_ERROR = 0x00100010 };

static char path[] = "/tmp/obverse-flash-XXXXXX";

static void make(struct fixture *f, const char *image, const char *prop, const char *value)
{
	const struct fixture_prop props[] = {
		{"address", "0x4000000"}, {"size", "1M"}, {image, path}, {prop, value}, {0}};
	const struct fixture_prop blank[] = {
		{"address", "0x4000000"}, {"size", "1M"}, {prop, value}, {0}};

	fixture_make(f, &cfi_flash_component, image ? props : blank);
}

static void start(struct fixture *f)
{
	make(f, NULL, NULL, NULL);
	assert_int_equal(fixture_start(f), 0);
}

static uint32_t get(struct fixture *f, uint32_t at)
{
	return fixture_read(f, BASE + at, 4);
}

static void put(struct fixture *f, uint32_t at, uint32_t v)
{
	fixture_write(f, BASE + at, 4, v);
}

static void command(struct fixture *f, uint32_t at, uint8_t cmd)
{
	put(f, at, cmd << 16 | cmd);
}

static uint32_t finish(struct fixture *f)
{
	uint32_t status = get(f, 0);

	command(f, 0, 0x50);
	command(f, 0, 0xff);
	return status;
}

static uint32_t erase(struct fixture *f, uint32_t at)
{
	command(f, at, 0x20);
	command(f, at, 0xd0);
	return finish(f);
}

static uint32_t program(struct fixture *f, uint32_t at, uint32_t v)
{
	command(f, at, 0x40);
	put(f, at, v);
	return finish(f);
}

static bool direct(struct fixture *f)
{
	return mem_ptr(f->host.mem, BASE, 4, false) != NULL;
}

/* ---- reading ---- */

/* Both chips answer alike. */
static uint8_t query(struct fixture *f, unsigned word)
{
	uint32_t v = get(f, 4 * word);

	assert_int_equal(v >> 16, v & 0xffff);
	return v;
}

static void test_query(void **state)
{
	struct fixture f;
	unsigned blocks, block, chip;

	start(&f);
	assert_true(direct(&f));
	command(&f, 0x55 * 4, 0x98);
	assert_false(direct(&f));
	assert_int_equal(query(&f, 0x10), 'Q');
	assert_int_equal(query(&f, 0x11), 'R');
	assert_int_equal(query(&f, 0x12), 'Y');
	assert_int_equal(query(&f, 0x13), 1);
	chip = 1 << query(&f, 0x27);
	assert_int_equal(chip, SIZE / 2);
	blocks = (query(&f, 0x2d) | query(&f, 0x2e) << 8) + 1;
	block = (query(&f, 0x2f) | query(&f, 0x30) << 8) * 256;
	assert_int_equal(blocks * block, chip);
	assert_int_equal(block, BLOCK / 2);
	assert_int_equal(1 << query(&f, 0x2a), BUFFER / 2);
	assert_int_equal(query(&f, query(&f, 0x15)), 'P');
	assert_int_equal(query(&f, 0x15) + 3 < 0x40 && query(&f, 0x34) == '1', 1);
	assert_int_equal(query(&f, 0x1000), 0); /* behind the table */
	assert_int_equal(fixture_read(&f, BASE + 0x10 * 4, 1), 'Q');
	assert_int_equal(fixture_read(&f, BASE + 0x10 * 4 + 1, 1), 0);
	assert_true(fixture_read(&f, BASE + 0x10 * 4, 8) == 0x0052005200510051);
	command(&f, 0, 0x90);
	assert_int_equal(query(&f, 0), 0x89);
	assert_int_equal(query(&f, 2), 0); /* unlocked */
	command(&f, 0, 0x70);
	assert_int_equal(get(&f, 0x1234), READY);
	command(&f, 0, 0xff);
	assert_true(direct(&f));
	assert_int_equal(get(&f, 0), 0);
	fixture_drop(&f);
}

/* ---- programming ---- */

static void test_program(void **state)
{
	struct fixture f;

	start(&f);
	assert_int_equal(program(&f, 0x100, 0x12345678), READY);
	assert_int_equal(get(&f, 0x100), 0); /* no bit can be set without erasing */
	assert_int_equal(erase(&f, 0x3fffc), READY);
	assert_int_equal(get(&f, 0), 0xffffffff);
	assert_int_equal(get(&f, BLOCK - 4), 0xffffffff);
	assert_int_equal(get(&f, BLOCK), 0);
	assert_int_equal(program(&f, 0x100, 0x12345678), READY);
	assert_int_equal(get(&f, 0x100), 0x12345678);
	assert_int_equal(program(&f, 0x100, 0xffff0000), READY);
	assert_int_equal(get(&f, 0x100), 0x12340000);
	command(&f, 0, 0x10); /* one byte */
	fixture_write(&f, BASE + 0x203, 1, 0xa5);
	assert_int_equal(finish(&f), READY);
	assert_int_equal(get(&f, 0x200), 0xa5ffffff);
	erase(&f, SIZE - 4);
	assert_int_equal(program(&f, SIZE - 4, 7), READY);
	assert_int_equal(get(&f, SIZE - 4), 7);
	fixture_drop(&f);
}

static void write_buffer(struct fixture *f, uint32_t at, unsigned words)
{
	command(f, at, 0xe8);
	assert_int_equal(get(f, at), READY);
	put(f, at, (words - 1) << 16 | (words - 1));
	for (unsigned i = 0; i < words; i++)
		put(f, at + 4 * i, at + i);
}

static void test_buffer(void **state)
{
	struct fixture f;

	start(&f);
	erase(&f, 0);
	write_buffer(&f, 0x800, BUFFER / 4);
	command(&f, 0x800, 0xd0);
	assert_int_equal(finish(&f), READY);
	for (unsigned i = 0; i < BUFFER / 4; i++)
		assert_int_equal(get(&f, 0x800 + 4 * i), 0x800 + i);
	assert_int_equal(get(&f, 0x7fc), 0xffffffff);
	assert_int_equal(get(&f, 0x1000), 0xffffffff);
	write_buffer(&f, 0x2010, 3); /* a part */
	command(&f, 0x2010, 0xd0);
	assert_int_equal(finish(&f), READY);
	assert_int_equal(get(&f, 0x200c), 0xffffffff);
	assert_int_equal(get(&f, 0x2018), 0x2012);
	assert_int_equal(get(&f, 0x201c), 0xffffffff);
	fixture_drop(&f);
}

static void test_buffer_misused(void **state)
{
	struct fixture f;

	start(&f);
	erase(&f, 0);
	write_buffer(&f, 0x2000, 2); /* not confirmed */
	command(&f, 0x2000, 0xff);
	assert_int_equal(get(&f, 0), READY | PROGRAM_ERROR);
	finish(&f);
	assert_int_equal(get(&f, 0x2000), 0xffffffff);
	write_buffer(&f, 0x27f8, 4); /* over the end of the buffer's reach */
	command(&f, 0x27f8, 0xd0);
	assert_int_equal(finish(&f), READY | PROGRAM_ERROR);
	command(&f, 0, 0xe8);
	put(&f, 0, 0);
	put(&f, BLOCK, 0); /* another block */
	command(&f, 0, 0xd0);
	assert_int_equal(finish(&f), READY | PROGRAM_ERROR);
	assert_int_equal(get(&f, BLOCK), 0);
	command(&f, 0, 0xe8);
	put(&f, 0, 0xffffffff); /* 65536 words */
	for (unsigned i = 0; i < 65536; i++)
		put(&f, 4 * i % BLOCK, 0);
	command(&f, 0, 0xd0);
	assert_int_equal(finish(&f), READY | PROGRAM_ERROR);
	assert_int_equal(get(&f, 0x8000), 0xffffffff);
	write_buffer(&f, 0x2000, 2); /* the error does not stick */
	command(&f, 0x2000, 0xd0);
	assert_int_equal(finish(&f), READY);
	fixture_drop(&f);
}

static void test_commands(void **state)
{
	struct fixture f;

	start(&f);
	command(&f, 0, 0x20); /* erase, not confirmed */
	command(&f, 0, 0xff);
	assert_int_equal(finish(&f), READY | ERASE_ERROR | PROGRAM_ERROR);
	command(&f, 0, 0x60); /* unlock a block */
	command(&f, 0, 0xd0);
	assert_int_equal(finish(&f), READY);
	command(&f, 0, 0xaa); /* unknown */
	assert_true(direct(&f));
	command(&f, 0, 0x40);
	dev_reset(f.dev);
	assert_true(direct(&f));
	put(&f, 0, 0xffffffff); /* a command, no data */
	assert_int_equal(get(&f, 0), 0);
	fixture_drop(&f);
}

/* ---- images ---- */

static int new_image(const void *data, size_t len)
{
	int fd;

	strcpy(path, "/tmp/obverse-flash-XXXXXX");
	fd = mkstemp(path);
	assert_int_equal(write(fd, data, len), len);
	return fd;
}

/* In the file as soon as the status says so, without any good-bye. */
static void test_image(void **state)
{
	int fd = new_image("image", 5);
	uint8_t got[8];
	struct fixture f;
	struct stat st;

	make(&f, "image", NULL, NULL);
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(get(&f, 0), 0x67616d69);
	assert_int_equal(get(&f, 4), 'e');
	assert_int_equal(get(&f, SIZE - 4), 0);
	assert_int_equal(program(&f, 0, 0xffffff00), READY);
	assert_int_equal(pread(fd, got, 5, 0), 5);
	assert_memory_equal(got, "\0mage", 5);
	erase(&f, BLOCK);
	assert_int_equal(pread(fd, got, 4, 2 * BLOCK - 4), 4);
	assert_memory_equal(got, "\xff\xff\xff\xff", 4);
	write_buffer(&f, BLOCK, 2);
	command(&f, BLOCK, 0xd0);
	assert_int_equal(get(&f, 0), READY);
	assert_int_equal(pread(fd, got, 8, BLOCK), 8);
	assert_memory_equal(got, "\0\0\4\0\1\0\4\0", 8);
	fixture_drop(&f);
	fstat(fd, &st);
	assert_int_equal(st.st_size, 2 * BLOCK);
	unlink(path);
	close(fd);
}

static void test_read_only(void **state)
{
	int fd = new_image("image", 5);
	struct fixture f;
	struct stat st;

	fchmod(fd, 0400);
	make(&f, "image", "readonly", "true");
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(program(&f, 0, 0), READY | PROGRAM_ERROR);
	assert_int_equal(erase(&f, 0), READY | ERASE_ERROR);
	write_buffer(&f, 0, 1);
	command(&f, 0, 0xd0);
	assert_int_equal(finish(&f), READY | PROGRAM_ERROR);
	assert_int_equal(get(&f, 0), 0x67616d69);
	fixture_drop(&f);
	fstat(fd, &st);
	assert_int_equal(st.st_size, 5);
	unlink(path);
	close(fd);
}

static void test_refused(void **state)
{
	int fd = new_image("image", 5);
	struct fixture f;

	assert_int_equal(ftruncate(fd, SIZE + 1), 0);
	make(&f, "image", NULL, NULL);
	assert_int_equal(fixture_start(&f), -EFBIG);
	fixture_drop(&f);
	unlink(path);
	close(fd);
	make(&f, "image", NULL, NULL);
	assert_int_equal(fixture_start(&f), -ENOENT);
	fixture_drop(&f);
	make(&f, NULL, "size", "768K");
	assert_int_equal(fixture_start(&f), -EINVAL);
	fixture_drop(&f);
	make(&f, NULL, "size", "256K");
	assert_int_equal(fixture_start(&f), -EINVAL);
	fixture_drop(&f);
}

static void test_dt(void **state)
{
	struct fixture f;
	void *fdt = malloc(4096);
	struct dt dt = {.fdt = fdt};
	const fdt32_t *p;
	int n, len;

	start(&f);
	assert_int_equal(fdt_create_empty_tree(fdt, 4096), 0);
	assert_int_equal(f.dev->c->dt(f.dev, &dt), 0);
	assert_int_equal(dt.error, 0);
	n = fdt_path_offset(fdt, "/flash@4000000");
	assert_int_equal(fdt_node_check_compatible(fdt, n, "cfi-flash"), 0);
	p = fdt_getprop(fdt, n, "bank-width", &len);
	assert_int_equal(fdt32_to_cpu(*p), 4);
	free(fdt);
	fixture_drop(&f);
}

static void test_hammer(void **state)
{
	struct fixture f;

	start(&f);
	for (unsigned i = 1; i < 40; i++) {
		fixture_hammer(&f, BASE, i % 2 ? SIZE : 64, 200, i);
		for (unsigned cmd = 0; cmd < 256; cmd++) {
			command(&f, (cmd * i) & (SIZE - 4), cmd);
			get(&f, (cmd + i) * 4);
		}
	}
	fixture_drop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query),	  cmocka_unit_test(test_program),
		cmocka_unit_test(test_buffer),	  cmocka_unit_test(test_buffer_misused),
		cmocka_unit_test(test_commands),  cmocka_unit_test(test_image),
		cmocka_unit_test(test_read_only), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_dt),	  cmocka_unit_test(test_hammer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
