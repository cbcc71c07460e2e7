/* SPDX-License-Identifier: Apache-2.0 */
/* Executions per intercepted site, of one PE. */
#include "pe/pe_int.h"

#include "util/xalloc.h"

#include <stdlib.h>
#include <string.h>

/* A guest that executes copies of patched code at ever new addresses must not grow us without end:
 * beyond this many, sites are counted together at PC 0. */
enum { SITES_MAX = 1 << 15 };

static size_t place(const struct site_table *t, uint64_t pc, uint32_t word)
{
	uint64_t h = (pc >> 2 ^ (uint64_t)word << 20) * 0x9e3779b97f4a7c15ULL;

	return h >> 32 & (t->capacity - 1);
}

static struct pe_site *find(const struct site_table *t, uint64_t pc, uint32_t word)
{
	size_t i = place(t, pc, word);

	while (t->site[i].row && (t->site[i].pc != pc || t->site[i].word != word))
		i = (i + 1) & (t->capacity - 1);
	return &t->site[i];
}

static void grow(struct site_table *t)
{
	struct site_table old = *t;

	t->capacity = old.capacity ? old.capacity * 2 : 256;
	t->site = xcalloc(t->capacity, sizeof(*t->site));
	for (size_t i = 0; i < old.capacity; i++) {
		if (old.site[i].row)
			*find(t, old.site[i].pc, old.site[i].word) = old.site[i];
	}
	free(old.site);
}

struct pe_site *site_count(struct site_table *t, uint64_t pc, const struct intercept_slot *slot)
{
	struct pe_site *s;

	if (2 * t->count >= t->capacity)
		grow(t);
	s = find(t, pc, slot->word);
	if (!s->row && t->count >= SITES_MAX) {
		pc = 0;
		s = find(t, pc, slot->word);
	}
	if (!s->row) {
		*s = (struct pe_site){.pc = pc, .word = slot->word, .row = slot->row};
		t->count++;
	}
	s->count++;
	return s;
}

void sites_rebase(struct site_table *t)
{
	for (size_t i = 0; i < t->capacity; i++)
		t->site[i].base = t->site[i].count;
}

void site_table_free(struct site_table *t)
{
	free(t->site);
	memset(t, 0, sizeof(*t));
}
