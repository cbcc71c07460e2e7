/* SPDX-License-Identifier: Apache-2.0 */
/* Direct boot: kernel formats, where kernel, initrd and device tree go, and files that are wrong. */
#include "dev/component.h"
#include "dev/loader.h"
#include "util/err.h"
#include "util/xalloc.h"

#include <elf.h>
#include <endian.h>
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#define MIB	 (1ULL << 20)
#define RAM	 0x40000000ULL
#define RAM_SIZE (16 * MIB)

enum { TREE_SIZE = 1024 };

extern const struct component linux_component;

struct rig {
	struct mem_region ram, secure;
	struct dev_host host;
	struct dev *d;
	struct dev_boot boot;
	struct err e;
	uint8_t tree[TREE_SIZE];
	char dir[32];
	char path[64];
};

static int setup(void **state)
{
	struct rig *r = xcalloc(1, sizeof(*r));
	void *p = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	r->ram = (struct mem_region){
		.name = "ram", .base = RAM, .size = RAM_SIZE, .kind = MEM_RAM, .host = p};
	r->host.mem = mem_space_create();
	assert_int_equal(mem_add(r->host.mem, &r->ram, &r->e), 0);
	strcpy(r->dir, "/tmp/linux.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	r->d = dev_create(&linux_component, "linux", "x.board:1", &r->host);
	assert_int_equal(dev_defaults(r->d, &r->e), 0);
	assert_int_equal(fdt_create_empty_tree(r->tree, TREE_SIZE), 0);
	r->boot = (struct dev_boot){.dtb = r->tree, .dtb_size = TREE_SIZE};
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;
	char *command = xasprintf("rm -rf '%s'", r->dir);

	assert_int_equal(system(command), 0);
	free(command);
	dev_destroy(r->d);
	mem_space_destroy(r->host.mem);
	munmap(r->ram.host, RAM_SIZE);
	err_free(&r->e);
	free(r);
	return 0;
}

/* A PROP_PATH or PROP_STR keeps the pointer it is given, so both live as long as the rig. */
static const char *in_folder(struct rig *r, const char *name)
{
	snprintf(r->path, sizeof(r->path), "%s/%s", r->dir, name);
	return r->path;
}

static void set(struct rig *r, const char *name, const char *value)
{
	const struct prop *p = component_prop(&linux_component, name);

	assert_non_null(p);
	*(const char **)((char *)r->d + p->offset) = value;
}

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	fclose(f);
}

static int boot(struct rig *r)
{
	return linux_component.boot(r->d, &r->boot, &r->e);
}

static void assert_boots(struct rig *r)
{
	int code = boot(r);

	err_print(&r->e, stderr);
	assert_int_equal(code, 0);
	assert_true(r->boot.found);
}

/* It fails with one message, which is about @path and mentions @text. */
static void assert_refused(struct rig *r, const char *path, const char *text)
{
	assert_true(boot(r) < 0);
	assert_false(r->boot.found);
	assert_int_equal(r->e.count, 1);
	assert_non_null(r->e.items[0].where);
	assert_string_equal(r->e.items[0].where, path);
	if (!strstr(r->e.items[0].text, text))
		fail_msg("\"%s\" does not mention \"%s\"", r->e.items[0].text, text);
	err_free(&r->e);
}

static const uint8_t *ram(const struct rig *r, uint64_t gpa)
{
	const uint8_t *p = mem_ptr(r->host.mem, gpa, 1, false);

	assert_non_null(p);
	return p;
}

/* A property of /chosen in the tree that the kernel is given. */
static const void *chosen(const struct rig *r, const char *name, int *len)
{
	const void *fdt = ram(r, r->boot.x[0]);

	return fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), name, len);
}

static uint64_t chosen_u64(const struct rig *r, const char *name)
{
	int len;
	const fdt64_t *p = chosen(r, name, &len);

	assert_non_null(p);
	assert_int_equal(len, 8);
	return fdt64_ld(p);
}

/* An arm64 Image of @size bytes; all but its header is 0xa5. */
static uint8_t *image(size_t size, uint64_t text_offset, uint64_t image_size)
{
	uint8_t *p = xcalloc(1, size);

	memset(p, 0xa5, size);
	memset(p, 0, 64);
	text_offset = htole64(text_offset);
	image_size = htole64(image_size);
	memcpy(p + 8, &text_offset, 8);
	memcpy(p + 16, &image_size, 8);
	memcpy(p + 56, "ARM\x64", 4);
	return p;
}

static void write_image(const char *path, size_t size, uint64_t text_offset, uint64_t image_size)
{
	uint8_t *p = image(size, text_offset, image_size);

	write_file(path, p, size);
	free(p);
}

/* ---- Image ---- */

static void test_no_kernel(void **state)
{
	struct rig *r = *state;

	set(r, "cmdline", "quiet");
	assert_int_equal(boot(r), 0);
	assert_false(r->boot.found);
}

static void test_image(void **state)
{
	struct rig *r = *state;

	write_image(in_folder(r, "Image"), 100000, 0, 3 * MIB);
	set(r, "kernel", r->path);
	assert_boots(r);
	assert_int_equal(r->boot.pc, RAM);
	assert_int_equal(r->boot.image_start, RAM);
	assert_int_equal(r->boot.image_end, RAM + 3 * MIB);
	assert_int_equal(r->boot.x[0] % (2 * MIB), 0);
	assert_true(r->boot.x[0] >= RAM + 3 * MIB);
	assert_int_equal(r->boot.x[1] | r->boot.x[2] | r->boot.x[3], 0);
	assert_memory_equal(ram(r, RAM + 56), "ARM\x64", 4);
	assert_int_equal(*ram(r, RAM + 99999), 0xa5);
	assert_int_equal(*ram(r, RAM + 100000), 0);
	assert_int_equal(fdt_check_full(ram(r, r->boot.x[0]), 2 * MIB), 0);
	assert_null(chosen(r, "bootargs", NULL));
	assert_null(chosen(r, "linux,initrd-start", NULL));
}

static void test_text_offset(void **state)
{
	struct rig *r = *state;

	write_image(in_folder(r, "Image"), 4096, 0x80000, MIB);
	set(r, "kernel", r->path);
	assert_boots(r);
	assert_int_equal(r->boot.pc, RAM + 0x80000);
	/* Before Linux 3.17: no image_size, and text_offset means nothing. */
	write_image(r->path, 4096, 0x1234, 0);
	assert_boots(r);
	assert_int_equal(r->boot.pc, RAM + 0x80000);
}

static void test_does_not_fit(void **state)
{
	static const uint64_t cases[][2] = {
		{0, RAM_SIZE + 1},	     {RAM_SIZE, MIB},
		{RAM_SIZE - MIB, 2 * MIB},   {0, UINT64_MAX},
		{UINT64_MAX, MIB},	     {0x80000, UINT64_MAX - 0x7ffff},
		{UINT64_MAX - RAM, RAM + 2},
	};
	struct rig *r = *state;

	set(r, "kernel", in_folder(r, "Image"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_image(r->path, 4096, cases[i][0], cases[i][1]);
		assert_refused(r, r->path, "\"ram\"");
	}
}

/* At every reset the files are read again. */
static void test_again(void **state)
{
	struct rig *r = *state;

	set(r, "kernel", in_folder(r, "Image"));
	write_image(r->path, 4096, 0, MIB);
	assert_boots(r);
	memset(r->ram.host, 0xff, 8192);
	write_image(r->path, 8192, 0, 2 * MIB);
	assert_boots(r);
	assert_int_equal(r->boot.image_end, RAM + 2 * MIB);
	assert_int_equal(*ram(r, RAM + 8191), 0xa5);
	unlink(r->path);
	r->boot.found = false;
	assert_refused(r, r->path, "kernel");
}

static void test_not_a_kernel(void **state)
{
	struct rig *r = *state;

	set(r, "kernel", in_folder(r, "none"));
	assert_refused(r, r->path, "kernel");
	set(r, "kernel", r->dir);
	assert_refused(r, r->dir, "kernel");
	set(r, "kernel", in_folder(r, "f"));
	write_file(r->path, "", 0);
	assert_refused(r, r->path, "empty");
	write_file(r->path, "x", 1);
	assert_refused(r, r->path, "not an arm64 kernel");
	write_file(r->path, "MZ", 2);
	assert_refused(r, r->path, "not an arm64 kernel");
}

/* The PE/COFF header of an Image with an EFI stub says how long the file is. */
static void test_truncated_image(void **state)
{
	struct rig *r = *state;
	uint8_t *p = image(8192, 0, MIB);
	static const uint8_t coff[24] = "PE\0\0\x64\xaa\1\0",
			     section[40] = {[17] = 0x10, [21] = 0x10};

	memcpy(p, "MZ", 2);
	p[60] = 64;
	memcpy(p + 64, coff, sizeof(coff));
	memcpy(p + 88, section, sizeof(section));
	set(r, "kernel", in_folder(r, "Image"));
	write_file(r->path, p, 8192);
	assert_boots(r);
	r->boot.found = false;
	write_file(r->path, p, 8191);
	assert_refused(r, r->path, "truncated: 8191 of 8192");
	free(p);
}

/* ---- compressed ---- */

static void *gzip(const void *data, size_t size, size_t *out_size)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)size};
	uint8_t *out = xcalloc(1, size + 1024);

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY),
			 Z_OK);
	z.next_out = out;
	z.avail_out = (uInt)size + 1024;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	*out_size = z.total_out;
	deflateEnd(&z);
	return out;
}

static void test_gzip(void **state)
{
	struct rig *r = *state;
	uint8_t *p = image(200000, 0, MIB), *z;
	size_t size;

	z = gzip(p, 200000, &size);
	set(r, "kernel", in_folder(r, "Image.gz"));
	write_file(r->path, z, size);
	assert_boots(r);
	assert_memory_equal(ram(r, RAM), p, 200000);
	r->boot.found = false;
	write_file(r->path, z, size - 9);
	assert_refused(r, r->path, "truncated");
	z[size / 2] ^= 0x55;
	z[size / 2 + 1] ^= 0xaa;
	write_file(r->path, z, size);
	assert_refused(r, r->path, "compressed kernel");
	write_file(r->path, z, 3);
	assert_refused(r, r->path, "truncated");
	free(z);
	free(p);
}

/* A small file that unpacks to more than the RAM ends early, with the right message. */
static void test_bomb(void **state)
{
	struct rig *r = *state;
	size_t size, len = RAM_SIZE + MIB;
	uint8_t *p = image(len, 0, MIB), *z = gzip(p, len, &size);

	set(r, "kernel", in_folder(r, "Image.gz"));
	write_file(r->path, z, size);
	assert_refused(r, r->path, "larger than the RAM");
	free(z);
	free(p);
}

static void test_zboot(void **state)
{
	struct rig *r = *state;
	uint8_t *p = image(200000, 0, MIB), *z, *file;
	uint32_t word;
	size_t size;

	z = gzip(p, 200000, &size);
	file = xcalloc(1, size + 512);
	memcpy(file, "MZ\0\0zimg", 8);
	word = htole32(256);
	memcpy(file + 8, &word, 4);
	word = htole32((uint32_t)size);
	memcpy(file + 12, &word, 4);
	strcpy((char *)file + 24, "gzip");
	memcpy(file + 256, z, size);
	set(r, "kernel", in_folder(r, "vmlinuz"));
	write_file(r->path, file, size + 512);
	assert_boots(r);
	assert_memory_equal(ram(r, RAM), p, 200000);
	r->boot.found = false;
	write_file(r->path, file, size);
	assert_refused(r, r->path, "truncated");
	memcpy(file + 24, "zstd22", 6);
	write_file(r->path, file, size + 512);
	assert_refused(r, r->path, "zstd22");
	free(file);
	free(z);
	free(p);
}

/* ---- initrd and command line ---- */

/* A kernel of 1 MiB and an initrd of @size bytes of 0x5a. */
static void kernel_and_initrd(struct rig *r, char **initrd, size_t size)
{
	uint8_t *p = xcalloc(1, size);

	*initrd = xasprintf("%s/initrd", r->dir);
	memset(p, 0x5a, size);
	write_file(*initrd, p, size);
	free(p);
	write_image(in_folder(r, "Image"), 4096, 0, MIB);
	set(r, "kernel", r->path);
	set(r, "initrd", *initrd);
}

static void test_initrd(void **state)
{
	struct rig *r = *state;
	char *initrd;
	uint64_t start, end;

	kernel_and_initrd(r, &initrd, 70000);
	set(r, "cmdline", "console=ttyAMA0 root=/dev/vda");
	assert_boots(r);
	start = chosen_u64(r, "linux,initrd-start");
	end = chosen_u64(r, "linux,initrd-end");
	assert_int_equal(start, RAM + RAM_SIZE / 2);
	assert_int_equal(end - start, 70000);
	assert_int_equal(*ram(r, start), 0x5a);
	assert_int_equal(*ram(r, end - 1), 0x5a);
	assert_int_equal(*ram(r, end), 0);
	assert_true(r->boot.x[0] >= end);
	assert_int_equal(r->boot.x[0] % (2 * MIB), 0);
	assert_string_equal(chosen(r, "bootargs", NULL), "console=ttyAMA0 root=/dev/vda");
	free(initrd);
}

/* Kernel, initrd and tree never overlap, however much of the RAM they fill. */
static void test_tight(void **state)
{
	struct rig *r = *state;
	unsigned booted = 0;
	char *initrd;

	for (size_t size = MIB; size <= RAM_SIZE; size += MIB) {
		uint64_t start, end;

		r->boot.found = false;
		kernel_and_initrd(r, &initrd, size);
		if (!boot(r)) {
			start = chosen_u64(r, "linux,initrd-start");
			end = chosen_u64(r, "linux,initrd-end");
			assert_int_equal(end - start, size);
			assert_true(start >= r->boot.image_end && end <= RAM + RAM_SIZE);
			assert_true(r->boot.x[0] >= end || r->boot.x[0] + 4096 <= start);
			assert_true(r->boot.x[0] >= r->boot.image_end);
			booted++;
		}
		err_free(&r->e);
		free(initrd);
	}
	assert_true(booted >= 12);
}

static void test_bad_initrd(void **state)
{
	struct rig *r = *state;
	char *initrd;

	kernel_and_initrd(r, &initrd, RAM_SIZE);
	assert_refused(r, initrd, "initrd");
	write_file(initrd, "", 0);
	assert_refused(r, initrd, "empty");
	unlink(initrd);
	assert_refused(r, initrd, "initrd");
	free(initrd);
}

/* ---- device tree ---- */

static void test_own_tree(void **state)
{
	struct rig *r = *state;
	uint8_t fdt[TREE_SIZE];
	char *initrd, *tree = xasprintf("%s/my.dtb", r->dir);

	kernel_and_initrd(r, &initrd, 4096);
	assert_int_equal(fdt_create_empty_tree(fdt, TREE_SIZE), 0);
	assert_int_equal(fdt_setprop_string(fdt, 0, "model", "mine"), 0);
	assert_true(fdt_add_subnode(fdt, 0, "chosen") > 0);
	assert_int_equal(
		fdt_setprop_string(fdt, fdt_path_offset(fdt, "/chosen"), "bootargs", "old"), 0);
	write_file(tree, fdt, TREE_SIZE);
	set(r, "dtb", tree);
	assert_boots(r);
	assert_string_equal(fdt_getprop(ram(r, r->boot.x[0]), 0, "model", NULL), "mine");
	assert_string_equal(chosen(r, "bootargs", NULL), "old");
	assert_int_equal(chosen_u64(r, "linux,initrd-end") - chosen_u64(r, "linux,initrd-start"),
			 4096);
	set(r, "cmdline", "new");
	assert_boots(r);
	assert_string_equal(chosen(r, "bootargs", NULL), "new");
	free(tree);
	free(initrd);
}

static void test_bad_tree(void **state)
{
	struct rig *r = *state;
	uint8_t fdt[TREE_SIZE];
	char *tree = xasprintf("%s/my.dtb", r->dir);

	write_image(in_folder(r, "Image"), 4096, 0, MIB);
	set(r, "kernel", r->path);
	set(r, "dtb", tree);
	assert_refused(r, tree, "device tree");
	assert_int_equal(fdt_create_empty_tree(fdt, TREE_SIZE), 0);
	write_file(tree, fdt, TREE_SIZE - 1);
	assert_refused(r, tree, "not all of it");
	write_file(tree, fdt, 7);
	assert_refused(r, tree, "device tree");
	fdt[0] ^= 1;
	write_file(tree, fdt, TREE_SIZE);
	assert_refused(r, tree, "not a device tree");
	assert_int_equal(fdt_create_empty_tree(fdt, TREE_SIZE), 0);
	memset(fdt + fdt_off_dt_struct(fdt), 0xff, fdt_size_dt_struct(fdt));
	write_file(tree, fdt, TREE_SIZE);
	assert_refused(r, tree, "device tree");
	free(tree);
}

/* ---- ELF ---- */

struct elf {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[2];
	uint8_t data[256];
};

/* 256 bytes at 1 MiB with as many zeroes behind them, and a segment of zeroes at 2 MiB. */
static struct elf elf(void)
{
	struct elf f = {
		.eh = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		       .e_type = ET_EXEC,
		       .e_machine = EM_AARCH64,
		       .e_entry = 0xffff000000000010,
		       .e_phoff = offsetof(struct elf, ph),
		       .e_phentsize = sizeof(Elf64_Phdr),
		       .e_phnum = 2},
		.ph[0] = {.p_type = PT_LOAD,
			  .p_offset = offsetof(struct elf, data),
			  .p_vaddr = 0xffff000000000000,
			  .p_paddr = RAM + MIB,
			  .p_filesz = 256,
			  .p_memsz = 512},
		.ph[1] = {.p_type = PT_LOAD, .p_paddr = RAM + 2 * MIB, .p_memsz = 4096},
	};

	memset(f.data, 0xe1, sizeof(f.data));
	return f;
}

static void test_elf(void **state)
{
	struct rig *r = *state;
	struct elf f = elf();

	memset(r->ram.host, 0xff, 4 * MIB);
	write_file(in_folder(r, "a.elf"), &f, sizeof(f));
	set(r, "kernel", r->path);
	assert_boots(r);
	assert_int_equal(r->boot.pc, RAM + MIB + 0x10);
	assert_int_equal(r->boot.image_start, RAM + MIB);
	assert_int_equal(r->boot.image_end, RAM + 2 * MIB + 4096);
	assert_int_equal(*ram(r, RAM + MIB - 1), 0xff);
	assert_int_equal(*ram(r, RAM + MIB), 0xe1);
	assert_int_equal(*ram(r, RAM + MIB + 255), 0xe1);
	assert_int_equal(*ram(r, RAM + MIB + 256), 0);
	assert_int_equal(*ram(r, RAM + MIB + 511), 0);
	assert_int_equal(*ram(r, RAM + MIB + 512), 0xff);
	assert_int_equal(*ram(r, RAM + 2 * MIB + 4095), 0);
	assert_int_equal(*ram(r, RAM + 2 * MIB + 4096), 0xff);
	assert_true(r->boot.x[0] >= r->boot.image_end);
}

/* Unpacked, it is read from memory. */
static void test_elf_gzip(void **state)
{
	struct rig *r = *state;
	struct elf f = elf();
	gzFile z = gzopen(in_folder(r, "a.elf.gz"), "wb");

	assert_int_equal(gzwrite(z, &f, sizeof(f)), sizeof(f));
	gzclose(z);
	set(r, "kernel", r->path);
	assert_boots(r);
	assert_int_equal(r->boot.pc, RAM + MIB + 0x10);
	assert_int_equal(*ram(r, RAM + MIB + 255), 0xe1);
}

static void refuse_elf(struct rig *r, const struct elf *f, size_t size)
{
	write_file(in_folder(r, "a.elf"), f, size);
	set(r, "kernel", r->path);
	assert_refused(r, r->path, "");
}

static void test_bad_elf(void **state)
{
	struct rig *r = *state;
	struct elf f;

#define REFUSE(change)                                                                             \
	do {                                                                                       \
		f = elf();                                                                         \
		change;                                                                            \
		refuse_elf(r, &f, sizeof(f));                                                      \
	} while (0)
	REFUSE(f.eh.e_ident[EI_CLASS] = ELFCLASS32);
	REFUSE(f.eh.e_ident[EI_DATA] = ELFDATA2MSB);
	REFUSE(f.eh.e_machine = EM_X86_64);
	REFUSE(f.eh.e_type = ET_REL);
	REFUSE(f.eh.e_phentsize = 8);
	REFUSE(f.eh.e_phnum = 0);
	REFUSE(f.eh.e_phnum = 0xffff);
	REFUSE(f.eh.e_phoff = sizeof(f) - 8);
	REFUSE(f.eh.e_phoff = UINT64_MAX - 8);
	REFUSE(f.ph[0].p_type = f.ph[1].p_type = PT_NOTE);
	REFUSE(f.ph[0].p_filesz = 513);
	REFUSE(f.ph[0].p_offset = sizeof(f) - 255);
	REFUSE(f.ph[0].p_offset = UINT64_MAX - 100);
	REFUSE(f.ph[0].p_paddr = RAM - 1);
	REFUSE(f.ph[0].p_paddr = RAM + RAM_SIZE - 511);
	REFUSE(f.ph[0].p_paddr = UINT64_MAX - 100);
	REFUSE(f.ph[0].p_memsz = UINT64_MAX);
	REFUSE(f.ph[1].p_memsz = UINT64_MAX - RAM);
	REFUSE(f.ph[1].p_memsz = RAM_SIZE);
	f = elf();
	for (size_t size = 4; size < sizeof(f); size += 4)
		refuse_elf(r, &f, size);
#undef REFUSE
}

/* ---- which RAM ---- */

static void test_largest_ram(void **state)
{
	struct rig *r = *state;
	static uint8_t small[4096];
	struct mem_region sram = {
		.name = "sram", .base = 0x1000, .size = 4096, .kind = MEM_RAM, .host = small};

	r->secure = (struct mem_region){.name = "secure",
					.base = 0x2000000,
					.size = 2 * RAM_SIZE,
					.kind = MEM_RAM,
					.secure_only = true,
					.host = r->ram.host};
	assert_int_equal(mem_add(r->host.mem, &sram, &r->e), 0);
	assert_int_equal(mem_add(r->host.mem, &r->secure, &r->e), 0);
	write_image(in_folder(r, "Image"), 4096, 0, MIB);
	set(r, "kernel", r->path);
	assert_boots(r);
	assert_int_equal(r->boot.pc, RAM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_no_kernel),
					   TEST(test_image),
					   TEST(test_text_offset),
					   TEST(test_does_not_fit),
					   TEST(test_again),
					   TEST(test_not_a_kernel),
					   TEST(test_truncated_image),
					   TEST(test_gzip),
					   TEST(test_bomb),
					   TEST(test_zboot),
					   TEST(test_initrd),
					   TEST(test_tight),
					   TEST(test_bad_initrd),
					   TEST(test_own_tree),
					   TEST(test_bad_tree),
					   TEST(test_elf),
					   TEST(test_elf_gzip),
					   TEST(test_bad_elf),
					   TEST(test_largest_ram)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
