/* SPDX-License-Identifier: Apache-2.0 */
/* What boot components share: reading image files and putting them into guest RAM. */
#ifndef DEV_LOADER_H
#define DEV_LOADER_H

#include "mem/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dev_boot;
struct err;

/* A file, or its unpacked contents. */
struct image {
	const char *path; /* the caller's */
	const char *what; /* "kernel", "initrd" ... for messages */
	int fd;
	uint64_t size;
	uint8_t *data; /* NULL: still in the file */
};

/* @im is closed with image_close() even after a failure. */
int image_open(struct image *im, const char *path, const char *what, struct err *e);
void image_close(struct image *im);
/* Bytes [offset, offset+len), which must exist: -EINVAL "truncated" otherwise. */
int image_read(const struct image *im, uint64_t offset, void *buf, uint64_t len, struct err *e);
/* All of it in memory, malloc()ed; the caller frees. */
int image_load(const struct image *im, uint8_t **data, struct err *e);
/* Replace the contents by what the gzip stream at [offset, offset+len) holds, at most @limit bytes. */
int image_unzip(struct image *im, uint64_t offset, uint64_t len, uint64_t limit, struct err *e);

/* The normal world's largest RAM region; NULL after an error. */
const struct mem_region *loader_ram(const struct mem_space *mem, struct err *e);
/* Copy bytes of an image to guest RAM and make them visible to a guest with caches off. The place must
 * be RAM: an error otherwise. */
int loader_put(const struct mem_space *mem, const struct image *im, uint64_t offset, uint64_t gpa,
	       uint64_t len, struct err *e);
/* The same with a device tree. */
int loader_put_dtb(const struct mem_space *mem, const void *dtb, size_t size, uint64_t gpa,
		   struct err *e);

/* ---- device tree (boot-tree.c) ---- */

struct boot_tree {
	const struct dev_boot *boot; /* the board's tree */
	const struct mem_space *mem;
	const char *path;		   /* a file to use instead; NULL: none */
	const char *cmdline;		   /* NULL: none */
	uint64_t initrd_start, initrd_end; /* end 0: none */
	bool stand_in; /* with EL3, but nothing there: Obverse does what firmware would */
};

/* The tree to give to a guest; the caller frees *@out. */
int boot_tree_make(const struct boot_tree *t, void **out, struct err *e);

/* ---- kernel formats (kernel.c) ---- */

struct kernel {
	uint64_t start, end; /* memory it occupies, including what it clears itself */
	uint64_t entry;
};

/* Load an arm64 Image (also compressed with gzip, or in an EFI zboot wrapper) at the beginning of
 * @ram, or an ELF file where it says. */
int kernel_load(struct kernel *k, const char *path, const struct mem_space *mem,
		const struct mem_region *ram, struct err *e);

#endif
