/* SPDX-License-Identifier: Apache-2.0 */
#include "intercept/slots.h"

#include "util/xalloc.h"

#include <stdlib.h>
#include <string.h>

#define SITE_FREE 1ULL /* not multiples of 4, so never addresses */
#define SITE_GONE 2ULL

static uint32_t hash32(uint32_t v)
{
	v *= 0x9e3779b1U;
	return v ^ v >> 15;
}

/* ---- slots ---- */

uint32_t slots_brk(unsigned slot)
{
	return 0xd4200000 | (INTERCEPT_SLOT_FIRST + slot) << 5;
}

void slots_reserve(struct slots *s, uint16_t imm)
{
	if (imm >= INTERCEPT_SLOT_FIRST && imm <= INTERCEPT_SLOT_LAST)
		s->reserved[imm - INTERCEPT_SLOT_FIRST] = true;
}

static uint32_t find(const struct slots *s, uint32_t word)
{
	uint32_t h = hash32(word) % SLOT_HASH;

	while (s->hash[h] && s->slot[s->hash[h] - 1].word != word)
		h = (h + 1) % SLOT_HASH;
	return h;
}

static void append(struct slots *s, uint32_t word, const struct policy_row *row)
{
	unsigned n = atomic_load_explicit(&s->count, memory_order_relaxed);

	s->slot[n] = (struct intercept_slot){word, row};
	s->hash[find(s, word)] = n + 1;
	/* Pairs with slots_of_brk(): the entry is complete before it counts. */
	atomic_store_explicit(&s->count, n + 1, memory_order_release);
}

int slots_get(struct slots *s, uint32_t word, const struct policy_row *row)
{
	unsigned n = atomic_load_explicit(&s->count, memory_order_relaxed);
	uint32_t h = find(s, word);

	if (s->hash[h])
		return s->hash[h] - 1;
	/* A reserved immediate stands for itself: the guest's BRK. */
	while (n < SLOT_COUNT && s->reserved[n]) {
		append(s, slots_brk(n), policy_match(slots_brk(n), POLICY_ALWAYS));
		n++;
	}
	h = find(s, word);
	if (s->hash[h])
		return s->hash[h] - 1;
	if (n == SLOT_COUNT)
		return -1;
	append(s, word, row);
	return n;
}

int slots_of_brk(const struct slots *s, uint32_t word)
{
	uint32_t imm = word >> 5 & 0xffff;

	if ((word & 0xffe0001f) != 0xd4200000 || imm < INTERCEPT_SLOT_FIRST ||
	    imm - INTERCEPT_SLOT_FIRST >= atomic_load_explicit(&s->count, memory_order_acquire))
		return -1;
	return imm - INTERCEPT_SLOT_FIRST;
}

/* ---- sites ---- */

static size_t place(const struct sites *s, uint64_t gpa)
{
	return hash32(gpa >> 2 ^ gpa >> 32) & (s->capacity - 1);
}

struct site *sites_find(const struct sites *s, uint64_t gpa)
{
	if (!s->capacity)
		return NULL;
	for (size_t i = place(s, gpa);; i = (i + 1) & (s->capacity - 1)) {
		if (s->table[i].gpa == gpa)
			return &s->table[i];
		if (s->table[i].gpa == SITE_FREE)
			return NULL;
	}
}

static void insert(struct sites *s, uint64_t gpa, unsigned slot)
{
	size_t i = place(s, gpa);

	while (s->table[i].gpa != SITE_FREE)
		i = (i + 1) & (s->capacity - 1);
	s->table[i] = (struct site){gpa, slot};
	s->used++;
	s->live++;
}

static void grow(struct sites *s)
{
	struct sites old = *s;

	/* Filled to a quarter at most, so that the next time is far off even if all that goes on is
	 * sites being deleted and added. */
	s->capacity = 1024;
	while (s->capacity < old.live * 4)
		s->capacity *= 2;
	s->table = xcalloc(s->capacity, sizeof(*s->table));
	s->used = 0;
	s->live = 0;
	for (size_t i = 0; i < s->capacity; i++)
		s->table[i].gpa = SITE_FREE;
	for (size_t i = 0; i < old.capacity; i++) {
		if (old.table[i].gpa != SITE_FREE && old.table[i].gpa != SITE_GONE)
			insert(s, old.table[i].gpa, old.table[i].slot);
	}
	free(old.table);
}

bool sites_add(struct sites *s, uint64_t gpa, unsigned slot)
{
	struct site *old = sites_find(s, gpa);

	if (old) {
		old->slot = slot;
		return true;
	}
	if (s->live == SITES_MAX)
		return false;
	if ((s->used + 1) * 2 > s->capacity)
		grow(s);
	insert(s, gpa, slot);
	return true;
}

void sites_del(struct sites *s, struct site *site)
{
	site->gpa = SITE_GONE;
	s->live--;
}

struct site *sites_next(const struct sites *s, size_t *i)
{
	while (*i < s->capacity) {
		struct site *t = &s->table[(*i)++];

		if (t->gpa != SITE_FREE && t->gpa != SITE_GONE)
			return t;
	}
	return NULL;
}

void sites_free(struct sites *s)
{
	free(s->table);
	memset(s, 0, sizeof(*s));
}
