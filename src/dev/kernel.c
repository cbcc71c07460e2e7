/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats of kernels and bare-metal programs.
 *
 * arm64 Image: Linux, Documentation/arch/arm64/booting.rst. EFI zboot wrapper: the fields described in
 * Linux, drivers/firmware/efi/libstub/zboot-header.S (magic "zimg" at 4, offset, size and kind of the
 * payload at 8, 12 and 24). ELF: System V ABI, chapter 5; PE/COFF headers only to see that a
 * kernel is complete. Left out: zboot with other compressions than gzip.
 */
#include "dev/loader.h"

#include "util/bits.h"
#include "util/elf64.h"
#include "util/err.h"
#include "util/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KERNEL_ALIGN (2ULL << 20)

enum {
	HEAD_BYTES = 4096,
	SEGMENTS_MAX = 256,
	/* of kernels before 3.17, which do not say their size */
	TEXT_OFFSET_OLD = 0x80000,
};

/* A kernel being loaded. */
struct job {
	struct kernel *k;
	struct image im;
	uint8_t head[HEAD_BYTES]; /* the file's beginning, zero-filled */
	const struct mem_space *mem;
	const struct mem_region *ram;
	struct err *e;
};

static uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t le32(const uint8_t *p)
{
	return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static uint64_t le64(const uint8_t *p)
{
	return le32(p) | (uint64_t)le32(p + 4) << 32;
}

static int read_head(struct job *j)
{
	uint64_t len = j->im.size < HEAD_BYTES ? j->im.size : HEAD_BYTES;

	memset(j->head, 0, sizeof(j->head));
	return image_read(&j->im, 0, j->head, len, j->e);
}

/* ---- arm64 Image ---- */

/* The end of the last section in the file, if there is a PE/COFF header; else 0. */
static uint64_t pe_end(const uint8_t *head)
{
	enum { SECTION = 40, COFF = 24 };
	uint32_t pe = le32(head + 60);
	uint64_t end = 0;
	uint32_t sections, at;

	if (memcmp(head, "MZ", 2) || pe > HEAD_BYTES - COFF || memcmp(head + pe, "PE\0\0", 4))
		return 0;
	sections = le16(head + pe + 6);
	at = pe + COFF + le16(head + pe + 20);
	for (; sections && at + SECTION <= HEAD_BYTES; sections--, at += SECTION) {
		uint64_t stop = (uint64_t)le32(head + at + 16) + le32(head + at + 20);

		end = stop > end ? stop : end;
	}
	return end;
}

static int too_large(const struct job *j, uint64_t start, uint64_t len)
{
	uint64_t ram_end = j->ram->base + j->ram->size;
	int r = err_set(j->e, -ENOSPC, j->im.path,
			"the kernel needs %llu MiB from 0x%llx, but \"%s\" ends at 0x%llx",
			(unsigned long long)((len >> 20) + 1), (unsigned long long)start,
			j->ram->name, (unsigned long long)ram_end);

	err_hint(j->e, "give the machine more memory (--mem)");
	return r;
}

static int load_image(struct job *j)
{
	uint64_t ram_end = j->ram->base + j->ram->size;
	uint64_t start = align_up(j->ram->base, KERNEL_ALIGN);
	uint64_t text_offset = le64(j->head + 8);
	uint64_t size = le64(j->head + 16);
	uint64_t complete = pe_end(j->head);
	int r;

	if (complete > j->im.size) {
		r = err_set(j->e, -EINVAL, j->im.path,
			    "the kernel is truncated: %llu of %llu bytes are there",
			    (unsigned long long)j->im.size, (unsigned long long)complete);
		err_hint(j->e, "copy or download it again");
		return r;
	}
	if (!size)
		text_offset = TEXT_OFFSET_OLD;
	size = size > j->im.size ? size : j->im.size;
	if (start > ram_end || text_offset > ram_end - start ||
	    size > ram_end - start - text_offset)
		return too_large(j, start, size);
	start += text_offset;
	*j->k = (struct kernel){.start = start, .end = start + size, .entry = start};
	return loader_put(j->mem, &j->im, 0, start, j->im.size, j->e);
}

/* ---- ELF ---- */

static int bad_elf(const struct job *j, const char *why)
{
	return err_set(j->e, -EINVAL, j->im.path, "this ELF file cannot be booted: %s", why);
}

static int clear(const struct job *j, uint64_t gpa, uint64_t len)
{
	uint8_t *p = mem_ptr(j->mem, gpa, len, true);

	if (!p)
		return bad_elf(j, "a segment is longer than the RAM at its address");
	memset(p, 0, len);
	return 0;
}

static int load_segment(struct job *j, const GElf_Phdr *ph, uint64_t entry, bool first)
{
	uint64_t pa = ph->p_paddr;
	int r;

	if (ph->p_filesz > ph->p_memsz)
		return bad_elf(j, "a segment is larger in the file than in memory");
	if (!mem_ptr(j->mem, pa, ph->p_memsz, true)) {
		r = err_set(j->e, -EINVAL, j->im.path,
			    "a segment wants 0x%llx bytes at 0x%llx, where there is no RAM",
			    (unsigned long long)ph->p_memsz, (unsigned long long)pa);
		err_hint(j->e, "link it for the board's RAM at 0x%llx; of Linux, use the Image",
			 (unsigned long long)j->ram->base);
		return r;
	}
	r = ph->p_filesz ? loader_put(j->mem, &j->im, ph->p_offset, pa, ph->p_filesz, j->e) : 0;
	if (!r && ph->p_memsz > ph->p_filesz)
		r = clear(j, pa + ph->p_filesz, ph->p_memsz - ph->p_filesz);
	if (first || pa < j->k->start)
		j->k->start = pa;
	if (first || pa + ph->p_memsz > j->k->end)
		j->k->end = pa + ph->p_memsz;
	/* The entry is a virtual address; the MMU is off. */
	if (entry >= ph->p_vaddr && entry - ph->p_vaddr < ph->p_memsz)
		j->k->entry = entry - ph->p_vaddr + pa;
	return r;
}

/* What can be started at all? */
static const char *elf_unsuitable(const struct elf64 *f)
{
	const GElf_Ehdr *eh = &f->header;
	size_t segments;

	if (eh->e_machine != EM_AARCH64)
		return "it is not for AArch64";
	if (eh->e_type != ET_EXEC && eh->e_type != ET_DYN)
		return "it is not linked";
	if (elf_getphdrnum(f->elf, &segments) || segments > SEGMENTS_MAX)
		return "it has too many segments";
	return NULL;
}

static int load_segments(struct job *j, const struct elf64 *f)
{
	uint64_t entry = f->header.e_entry;
	bool first = true;
	size_t count = 0;
	GElf_Phdr ph;
	int r;

	j->k->entry = entry;
	elf_getphdrnum(f->elf, &count);
	for (size_t i = 0; i < count; i++) {
		if (!gelf_getphdr(f->elf, (int)i, &ph))
			return bad_elf(j, "it is truncated");
		if (ph.p_type != PT_LOAD || !ph.p_memsz)
			continue;
		r = load_segment(j, &ph, entry, first);
		if (r)
			return r;
		first = false;
	}
	return first ? bad_elf(j, "it has nothing to load") : 0;
}

static int load_elf(struct job *j)
{
	const char *why;
	struct elf64 f;
	int r;

	if (j->im.data ? elf64_open_memory(&f, j->im.data, j->im.size) : elf64_open(&f, j->im.fd))
		why = elf_unsuitable(&f);
	else
		why = "it is truncated, or not for little-endian AArch64";
	r = why ? bad_elf(j, why) : load_segments(j, &f);
	elf64_close(&f);
	return r;
}

/* ---- which ---- */

static bool is_gzip(const uint8_t *head)
{
	return head[0] == 0x1f && head[1] == 0x8b;
}

static bool is_zboot(const uint8_t *head)
{
	return !memcmp(head, "MZ\0\0zimg", 8);
}

static int unpack(struct job *j)
{
	uint64_t limit = j->ram->size;
	int r;

	if (is_gzip(j->head)) {
		r = image_unzip(&j->im, 0, j->im.size, limit, j->e);
	} else if (!strncmp((const char *)j->head + 24, "gzip", 8)) {
		r = image_unzip(&j->im, le32(j->head + 8), le32(j->head + 12), limit, j->e);
	} else {
		r = err_set(j->e, -ENOTSUP, j->im.path,
			    "this EFI zboot kernel is compressed with %.8s, which is not supported",
			    (const char *)j->head + 24);
		err_hint(j->e, "use the plain Image, or one compressed with gzip");
	}
	return r ? r : read_head(j);
}

static int unknown(const struct job *j)
{
	int r;

	if (!memcmp(j->head, "MZ", 2))
		r = err_set(j->e, -EINVAL, j->im.path, "this EFI program is not an arm64 kernel");
	else
		r = err_set(j->e, -EINVAL, j->im.path, "this is not an arm64 kernel");
	err_hint(j->e, "it can be an arm64 Image, one compressed with gzip, or an ELF file");
	return r;
}

static int load(struct job *j)
{
	int r = read_head(j);

	if (!r && (is_gzip(j->head) || is_zboot(j->head)))
		r = unpack(j);
	if (r)
		return r;
	if (!memcmp(j->head, ELFMAG, SELFMAG))
		return load_elf(j);
	if (!memcmp(j->head + 56, "ARM\x64", 4))
		return load_image(j);
	return unknown(j);
}

int kernel_load(struct kernel *k, const char *path, const struct mem_space *mem,
		const struct mem_region *ram, struct err *e)
{
	struct job *j = xcalloc(1, sizeof(*j));
	int r;

	*j = (struct job){.k = k, .mem = mem, .ram = ram, .e = e};
	memset(k, 0, sizeof(*k));
	r = image_open(&j->im, path, "kernel", e);
	if (!r)
		r = load(j);
	image_close(&j->im);
	free(j);
	return r;
}
