/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Symbol tables of ELF files (System V ABI, chapter 4 "Symbol Table"; ELF for the Arm 64-bit
 * Architecture, 5.5 "Symbol Table") and text as `nm` prints it.
 */
#include "util/symtab.h"

#include "util/elf64.h"
#include "util/err.h"
#include "util/xalloc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of several names for one address the best is shown: functions, then what has no type (labels in
 * assembler code), then data; global before local; then the first of the file. */
enum { RANK_LOCAL = 1, RANK_NOTYPE = 2, RANK_DATA = 4 };

struct symbol {
	uint64_t addr;
	unsigned rank;
	size_t order; /* in the file */
	char *name;
};

struct symtab {
	struct symbol *sym;
	size_t count, capacity;
};

static void add(struct symtab *t, uint64_t addr, unsigned rank, const char *name)
{
	/* Mapping symbols ($x, $d) say nothing. */
	if (!name[0] || name[0] == '$')
		return;
	if (t->count == t->capacity) {
		t->capacity = t->capacity ? 2 * t->capacity : 1024;
		t->sym = xrealloc(t->sym, t->capacity, sizeof(*t->sym));
	}
	t->sym[t->count] = (struct symbol){addr, rank, t->count, xstrdup(name)};
	t->count++;
}

/* ---- text ---- */

static unsigned rank_of_letter(char type)
{
	unsigned local = type >= 'a' && type <= 'z' && type != 'w' ? RANK_LOCAL : 0;

	return local | (strchr("tTwWi", type) ? 0 : RANK_DATA);
}

static void read_text(struct symtab *t, FILE *f)
{
	size_t capacity = 0;
	char *line = NULL;

	while (getline(&line, &capacity, f) > 0) {
		int name = 0, end = 0;
		uint64_t addr;
		char type;

		/* A name may be followed by the module it is from. */
		if (sscanf(line, "%" SCNx64 " %c %n%*s%n", &addr, &type, &name, &end) != 2 || !end)
			continue;
		line[end] = '\0';
		if (type == 'a' || type == 'A') /* a number, not a place */
			continue;
		add(t, addr, rank_of_letter(type), line + name);
	}
	free(line);
}

/* ---- ELF ---- */

/* The first section of a type; NULL: there is none. */
static Elf_Scn *find_section(const struct elf64 *f, uint32_t type, GElf_Shdr *header)
{
	Elf_Scn *s = NULL;

	while ((s = elf_nextscn(f->elf, s)))
		if (gelf_getshdr(s, header) && header->sh_type == type)
			return s;
	return NULL;
}

static void add_elf(struct symtab *t, const GElf_Sym *s, const char *name)
{
	static const uint8_t ranks[] = {
		[STT_FUNC] = 0, [STT_NOTYPE] = RANK_NOTYPE, [STT_OBJECT] = RANK_DATA};
	unsigned type = GELF_ST_TYPE(s->st_info);
	unsigned local = GELF_ST_BIND(s->st_info) == STB_LOCAL ? RANK_LOCAL : 0;

	if (name && type <= STT_FUNC && s->st_shndx != SHN_UNDEF && s->st_shndx != SHN_ABS)
		add(t, s->st_value, ranks[type] | local, name);
}

/* False: the section is damaged. */
static bool read_symbols(struct symtab *t, const struct elf64 *f, Elf_Scn *section,
			 const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Sym s;

	for (int i = 0; data && gelf_getsym(data, i, &s); i++)
		add_elf(t, &s, elf_strptr(f->elf, header->sh_link, s.st_name));
	return data != NULL;
}

static int read_elf(struct symtab *t, FILE *file, const char *path, struct err *e)
{
	struct elf64 f;
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	bool ok = elf64_open(&f, fileno(file));

	if (ok)
		section = find_section(&f, SHT_SYMTAB, &header);
	if (ok && !section)
		section = find_section(&f, SHT_DYNSYM, &header);
	if (section)
		ok = read_symbols(t, &f, section, &header);
	elf64_close(&f);
	return ok ? 0
		  : err_set(e, -EINVAL, "--symbols", "%s is no 64-bit ELF file or is damaged",
			    path);
}

/* ---- the table ---- */

static int compare(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr > y->addr ? 1 : -1;
	if (x->rank != y->rank)
		return x->rank > y->rank ? 1 : -1;
	return x->order > y->order ? 1 : -1;
}

static int read_file(struct symtab *t, FILE *f, const char *path, struct err *e)
{
	char magic[SELFMAG];
	size_t n = fread(magic, 1, sizeof(magic), f);
	int r = 0;

	rewind(f); /* also the descriptor, where libelf reads */
	if (n == SELFMAG && !memcmp(magic, ELFMAG, SELFMAG))
		r = read_elf(t, f, path, e);
	else
		read_text(t, f);
	if (!r && !t->count) {
		r = err_set(e, -EINVAL, "--symbols", "%s holds no symbols", path);
		err_hint(e,
			 "give an ELF file that is not stripped, a System.map or the output of nm");
	}
	return r;
}

struct symtab *symtab_load(const char *path, struct err *e)
{
	struct symtab *t;
	FILE *f = fopen(path, "re");

	if (!f) {
		err_set(e, -errno, "--symbols", "cannot read %s: %s", path, strerror(errno));
		return NULL;
	}
	t = xcalloc(1, sizeof(*t));
	if (read_file(t, f, path, e)) {
		symtab_free(t);
		t = NULL;
	} else {
		qsort(t->sym, t->count, sizeof(*t->sym), compare);
	}
	fclose(f);
	return t;
}

const char *symtab_find(const struct symtab *t, uint64_t addr, uint64_t *offset)
{
	size_t lo = 0, hi = t->count;

	/* Number of symbols at or below @addr ... */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->sym[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return NULL;
	/* ... and the best name of the last one's address. */
	while (--lo && t->sym[lo - 1].addr == t->sym[lo].addr)
		;
	*offset = addr - t->sym[lo].addr;
	return t->sym[lo].name;
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
