/* SPDX-License-Identifier: Apache-2.0 */
/* Address to symbol, from an ELF file's symbol table or from text as `nm` and System.map print it. */
#ifndef UTIL_SYMTAB_H
#define UTIL_SYMTAB_H

#include <stdint.h>

struct err;
struct symtab;

/* NULL with an item on @e if the file cannot be read or holds no symbols. Free with symtab_free(). */
struct symtab *symtab_load(const char *path, struct err *e);
/* Name of the last symbol at or below @addr, and the distance; NULL if there is none. */
const char *symtab_find(const struct symtab *t, uint64_t addr, uint64_t *offset);
void symtab_free(struct symtab *t);

#endif
