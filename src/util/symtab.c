/* SPDX-License-Identifier: Apache-2.0 */
/* Text only: `nm FILE` makes it from an ELF file, and System.map already is. */
#include "util/symtab.h"

#include "util/err.h"
#include "util/xalloc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct symbol {
	uint64_t addr;
	char *name;
};

struct symtab {
	struct symbol *sym;
	size_t count, capacity;
};

static void add(struct symtab *t, uint64_t addr, const char *name)
{
	if (t->count == t->capacity) {
		t->capacity = t->capacity ? 2 * t->capacity : 1024;
		t->sym = xrealloc(t->sym, t->capacity, sizeof(*t->sym));
	}
	t->sym[t->count++] = (struct symbol){addr, xstrdup(name)};
}

static int compare(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

struct symtab *symtab_load(const char *path, struct err *e)
{
	struct symtab *t;
	char line[1024], name[512], type;
	uint64_t addr;
	FILE *f = fopen(path, "re");

	if (!f) {
		err_set(e, -errno, "--symbols", "cannot read %s: %s", path, strerror(errno));
		return NULL;
	}
	t = xcalloc(1, sizeof(*t));
	while (fgets(line, sizeof(line), f)) {
		/* Mapping symbols ($x, $d) say nothing. */
		if (sscanf(line, "%" SCNx64 " %c %511s", &addr, &type, name) == 3 && name[0] != '$')
			add(t, addr, name);
	}
	fclose(f);
	if (!t->count) {
		err_set(e, -EINVAL, "--symbols", "%s holds no symbols in the format of nm", path);
		err_hint(e, "make it with: nm FILE > %s.map", path);
		symtab_free(t);
		return NULL;
	}
	qsort(t->sym, t->count, sizeof(*t->sym), compare);
	return t;
}

const char *symtab_find(const struct symtab *t, uint64_t addr, uint64_t *offset)
{
	size_t lo = 0, hi = t->count;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (t->sym[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return NULL;
	*offset = addr - t->sym[lo - 1].addr;
	return t->sym[lo - 1].name;
}

void symtab_free(struct symtab *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++)
		free(t->sym[i].name);
	free(t->sym);
	free(t);
}
