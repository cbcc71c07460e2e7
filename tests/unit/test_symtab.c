/* SPDX-License-Identifier: Apache-2.0 */
#include "util/symtab.h"

#include "util/bits.h"
#include "util/err.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/obverse-test-symtab-XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	return fd < 0 || close(fd);
}

static int remove_file(void **state)
{
	return unlink(path);
}

static void put(const void *data, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void expect(const struct symtab *t, uint64_t addr, const char *name, uint64_t offset)
{
	uint64_t got = ~0ULL;
	const char *s = symtab_find(t, addr, &got);

	if (!name) {
		assert_null(s);
		return;
	}
	assert_non_null(s);
	assert_string_equal(s, name);
	assert_int_equal(got, offset);
}

static void expect_failure(const char *text)
{
	struct err e = ERR_INIT;

	assert_null(symtab_load(path, &e));
	assert_int_equal(e.count, 1);
	assert_non_null(strstr(e.items[0].text, text));
	assert_non_null(strstr(e.items[0].text, path));
	err_free(&e);
}

/* ---- text ---- */

static void test_text(void **state)
{
	static const char map[] = "0000000000000000 A _kernel_flags\n"
				  "ffff800080000000 d .head\n"
				  "ffff800080000000 T _text\n"
				  "ffff800080000000 t also\n"
				  "ffff800080010000 t $x\n"
				  "ffff800080010800 T vectors\n"
				  "                 U undefined\n"
				  "ffff800080010000 T _stext\n"
				  "ffff800079000000 t in_module\t[virtio_net]\n"
				  "nonsense\n"
				  "\n"
				  "ffff8000 T\n"
				  "ffffffffffffffff D last";
	struct symtab *t;

	put(map, sizeof(map) - 1);
	t = symtab_load(path, NULL);
	assert_non_null(t);
	expect(t, 0, NULL, 0);
	expect(t, 0xffff8000, NULL, 0);
	expect(t, 0xffff800078ffffff, NULL, 0);
	expect(t, 0xffff800079000010, "in_module", 0x10);
	expect(t, 0xffff800080000000, "_text", 0);
	expect(t, 0xffff80008000ffff, "_text", 0xffff);
	expect(t, 0xffff800080010000, "_stext", 0);
	expect(t, 0xffff800080010804, "vectors", 4);
	expect(t, 0xfffffffffffffffe, "vectors", 0xfffffffffffffffe - 0xffff800080010800);
	expect(t, UINT64_MAX, "last", 0);
	symtab_free(t);
	symtab_free(NULL);
}

static void test_long_name(void **state)
{
	char text[5000];
	uint64_t offset;
	struct symtab *t;

	memset(text, 'n', sizeof(text));
	memcpy(text, "1000 T ", 7);
	put(text, sizeof(text));
	t = symtab_load(path, NULL);
	assert_non_null(t);
	assert_int_equal(strlen(symtab_find(t, 0x1000, &offset)), sizeof(text) - 7);
	symtab_free(t);
}

static void test_bad_files(void **state)
{
	struct err e = ERR_INIT;

	assert_null(symtab_load("/nonexistent", &e));
	assert_non_null(strstr(e.items[0].text, "/nonexistent"));
	err_free(&e);
	put("", 0);
	expect_failure("no symbols");
	put("hello\nworld\n", 12);
	expect_failure("no symbols");
	put("\0\0\0\0\xff\xfe\xfd", 7);
	expect_failure("no symbols");
	put("\x7f"
	    "ELF",
	    4);
	expect_failure("damaged");
}

/* ---- ELF ---- */

enum { SYMS = 10 };

struct file {
	Elf64_Ehdr header;
	Elf64_Shdr sections[3]; /* null, table, strings */
	Elf64_Sym sym[SYMS];
	char names[64];
};

#define SYM(bind, type, shndx, value, at)                                                          \
	{                                                                                          \
		.st_name = (at), .st_info = ELF64_ST_INFO(bind, type), .st_shndx = (shndx),        \
		.st_value = (value)                                                                \
	}

static const struct file sample = {
	.header = {.e_ident = "\x7f"
			      "ELF\x02\x01\x01",
		   .e_machine = EM_AARCH64,
		   .e_shoff = offsetof(struct file, sections),
		   .e_shentsize = sizeof(Elf64_Shdr),
		   .e_shnum = 3},
	.sections = {[1] = {.sh_type = SHT_SYMTAB,
			    .sh_offset = offsetof(struct file, sym),
			    .sh_size = sizeof(Elf64_Sym) * SYMS,
			    .sh_link = 2},
		     [2] = {.sh_type = SHT_STRTAB,
			    .sh_offset = offsetof(struct file, names),
			    .sh_size = 64}},
	/*        123456789012345678901234567890123456789 */
	.names = "\0func\0label\0data\0file.c\0$x\0undef\0abs\0",
	.sym = {SYM(STB_LOCAL, STT_NOTYPE, 0, 0, 0), SYM(STB_LOCAL, STT_FILE, SHN_ABS, 0, 17),
		SYM(STB_LOCAL, STT_NOTYPE, 1, 0x1000, 24), /* $x */
		SYM(STB_GLOBAL, STT_OBJECT, 1, 0x1000, 12),
		SYM(STB_LOCAL, STT_NOTYPE, 1, 0x1000, 6), SYM(STB_LOCAL, STT_FUNC, 1, 0x1000, 1),
		SYM(STB_GLOBAL, STT_NOTYPE, 1, 0x2000, 6),
		SYM(STB_GLOBAL, STT_OBJECT, 2, 0x3000, 12),
		SYM(STB_GLOBAL, STT_FUNC, SHN_UNDEF, 0x10, 27),
		SYM(STB_GLOBAL, STT_NOTYPE, SHN_ABS, 0x20, 33)},
};

static void test_elf(void **state)
{
	struct file f = sample;
	struct symtab *t;

	for (unsigned i = 0; i < 2; i++) {
		f.sections[1].sh_type = i ? SHT_DYNSYM : SHT_SYMTAB;
		put(&f, sizeof(f));
		t = symtab_load(path, NULL);
		assert_non_null(t);
		expect(t, 0xfff, NULL, 0);
		expect(t, 0x1004, "func", 4);
		expect(t, 0x2000, "label", 0);
		expect(t, 0x3001, "data", 1);
		symtab_free(t);
	}
}

static void test_elf_damaged(void **state)
{
	static const struct {
		size_t offset;
		unsigned size;
		uint64_t value;
	} damage[] = {
		{EI_CLASS, 1, ELFCLASS32},
		{EI_DATA, 1, ELFDATA2MSB},
		{offsetof(struct file, header.e_shoff), 8, ~0ULL},
		{offsetof(struct file, header.e_shoff), 8, sizeof(struct file)},
		{offsetof(struct file, header.e_shnum), 2, 0xffff},
		{offsetof(struct file, header.e_shnum), 2, 0},
		{offsetof(struct file, header.e_shentsize), 2, 1},
		{offsetof(struct file, sections[1].sh_type), 4, SHT_NOTE},
		{offsetof(struct file, sections[1].sh_link), 4, 3},
		{offsetof(struct file, sections[1].sh_link), 4, ~0U},
		{offsetof(struct file, sections[1].sh_offset), 8, ~0ULL},
		{offsetof(struct file, sections[1].sh_size), 8, ~0ULL},
		{offsetof(struct file, sections[1].sh_size), 8, 0},
		{offsetof(struct file, sections[2].sh_offset), 8, ~0ULL - 63},
		{offsetof(struct file, sections[2].sh_size), 8, 1ULL << 40},
		{offsetof(struct file, sections[2].sh_size), 8, 0},
	};

	for (size_t i = 0; i < ARRAY_COUNT(damage); i++) {
		struct file f = sample;
		struct err e = ERR_INIT;

		memcpy((char *)&f + damage[i].offset, &damage[i].value, damage[i].size);
		put(&f, sizeof(f));
		if (symtab_load(path, &e))
			fail_msg("damage %zu was not seen", i);
		assert_int_equal(e.count, 1);
		err_free(&e);
	}
}

/* Whatever the file says: no access outside, which the sanitizer would see. */
static void test_elf_noise(void **state)
{
	uint64_t s = 88172645463325252;

	for (unsigned i = 0; i < 3000; i++) {
		struct file f = sample;
		struct symtab *t;
		uint64_t offset;

		for (unsigned n = 0; n < 3; n++) {
			s ^= s << 13;
			s ^= s >> 7;
			s ^= s << 17;
			((uint8_t *)&f)[(s >> 8) % sizeof(f)] = s;
		}
		put(&f, sizeof(f) - s % 7 * 50);
		t = symtab_load(path, NULL);
		if (t)
			symtab_find(t, s, &offset);
		symtab_free(t);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),	    cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_bad_files),   cmocka_unit_test(test_elf),
		cmocka_unit_test(test_elf_damaged), cmocka_unit_test(test_elf_noise),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
