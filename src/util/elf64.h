/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 64-bit little-endian ELF files (System V ABI, chapter 4), read through libelf of elfutils. Files may be
 * damaged: what does not lie in them is not found. One thread at a time.
 */
#ifndef UTIL_ELF64_H
#define UTIL_ELF64_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>

struct elf64 {
	Elf *elf;
	GElf_Ehdr header;
};

/* False: this is no such file. @fd stays the caller's, and open as long as the file is read. */
bool elf64_open(struct elf64 *f, int fd);
/* The same with a file's contents, which stay the caller's. */
bool elf64_open_memory(struct elf64 *f, void *data, size_t size);
/* Accepts one that could not be opened. */
void elf64_close(struct elf64 *f);

#endif
