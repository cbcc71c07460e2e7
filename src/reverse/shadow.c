/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shadow tables: stage 1 of a managed view, with the 4 KiB granule and 48 bits. Arm ARM (DDI 0487), D8.3.
 *
 * Only the thread of the PE touches them while the vCPU is outside the guest; the walker of the host's MMU reads them.
 */
#include "reverse/reverse_int.h"

#include "util/bits.h"

#include <string.h>

enum {
	ENTRIES = 512,
	LEVEL_BITS = 9,
	ROOT_SHIFT = 39,
	ROOTS = 2,
	MAIR_NORMAL = 0,
	MAIR_DEVICE = 1,
	SH_INNER = 3 << 8,
	DESC_TABLE = 3,
	DESC_PAGE = 3,
	DESC_AF = 1 << 10,
	DESC_EL0 = 1 << 6, /* AP[1] */
	DESC_RO = 1 << 7,  /* AP[2] */
	SIZE_BIT = 55,
	BLOCK_BITS = 21,
};

#define DESC_PXN   (1ULL << 53)
#define DESC_UXN   (1ULL << 54)
#define DESC_ADDR  0x0000fffffffff000ULL
#define VA_MASK	   0x0000ffffffffffffULL
#define VA_TAGLESS 0x00ffffffffffffffULL

static uint64_t *host_of(const struct hidden *h, uint64_t desc)
{
	return (uint64_t *)(h->host + ((desc & DESC_ADDR) - h->gpa));
}

static void set(uint64_t *entry, uint64_t value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

/* A table that is all zero; NULL: none left. */
static uint64_t *new_table(struct shadow *s, uint64_t *gpa, bool leaf)
{
	if (s->count == REVERSE_TABLES)
		return NULL;
	if (s->count == s->allocated) {
		s->table[s->count].host = hidden_page(s->hidden, &s->table[s->count].gpa);
		if (!s->table[s->count].host)
			return NULL;
		s->allocated++;
	}
	s->table[s->count].leaf = leaf;
	*gpa = s->table[s->count].gpa;
	return s->table[s->count++].host;
}

static unsigned index_at(uint64_t va, unsigned shift)
{
	return va >> shift & (ENTRIES - 1);
}

/* The entry of the last level; NULL: there is none, or none can be made. */
static uint64_t *leaf_entry(struct shadow *s, uint64_t va, bool make)
{
	uint64_t *table = s->table[bit(va, 55)].host;

	for (unsigned shift = ROOT_SHIFT; shift > REVERSE_PAGE_BITS; shift -= LEVEL_BITS) {
		uint64_t *entry = &table[index_at(va, shift)], gpa;

		if (*entry) {
			table = host_of(s->hidden, *entry);
			continue;
		}
		table = make ? new_table(s, &gpa, shift == REVERSE_PAGE_BITS + LEVEL_BITS) : NULL;
		if (!table)
			return NULL;
		set(entry, gpa | DESC_TABLE);
	}
	return &table[index_at(va, REVERSE_PAGE_BITS)];
}

static uint64_t page(uint64_t pa, unsigned prot, enum shadow_attr attr)
{
	return (pa & DESC_ADDR) | DESC_PAGE | DESC_AF | SH_INNER | DESC_UXN |
	       (attr == SHADOW_DEVICE ? MAIR_DEVICE : MAIR_NORMAL) << 2 |
	       (prot & SHADOW_WRITE ? 0 : DESC_RO) | (prot & SHADOW_XONLY ? DESC_EL0 : 0) |
	       (prot & SHADOW_EXEC ? 0 : DESC_PXN);
}

/* The size of the guest's block is in bits that the MMU ignores. */
static unsigned size_of(uint64_t desc)
{
	return REVERSE_PAGE_BITS + (unsigned)bits(desc, SIZE_BIT + 3, SIZE_BIT);
}

static uint64_t with_size(struct shadow *s, uint64_t desc, uint64_t va, unsigned size_bits)
{
	uint64_t mask;

	if (size_bits > BLOCK_BITS) {
		mask = size_bits < 64 ? (1ULL << size_bits) - 1 : ~0ULL;
		s->large_first = (va & ~mask) < s->large_first ? va & ~mask : s->large_first;
		s->large_last = (va | mask) > s->large_last ? va | mask : s->large_last;
		size_bits = BLOCK_BITS;
	}
	return desc | (uint64_t)(size_bits - REVERSE_PAGE_BITS) << SIZE_BIT;
}

bool shadow_map(struct shadow *s, uint64_t va, uint64_t pa, unsigned prot, enum shadow_attr attr,
		unsigned size_bits)
{
	uint64_t *entry = leaf_entry(s, va, true), desc;

	if (!entry) {
		shadow_flush(s);
		return false;
	}
	desc = with_size(s, page(pa, prot, attr), va, size_bits);
	if (*entry && *entry != desc) {
		set(entry, 0); /* break before make */
		s->stale = true;
	}
	set(entry, desc);
	return true;
}

bool shadow_is_xonly(const struct shadow *s, uint64_t va)
{
	const uint64_t *entry = leaf_entry((struct shadow *)s, va, false);

	return entry && *entry & DESC_EL0;
}

bool shadow_allows(const struct shadow *s, uint64_t va, bool write)
{
	const uint64_t *entry = leaf_entry((struct shadow *)s, va, false);

	return entry && *entry && (!write || !(*entry & DESC_RO));
}

void shadow_forget_va(struct shadow *s, uint64_t va)
{
	uint64_t *entry, first;

	va = bit(va, 55) ? va | ~VA_MASK : va & VA_TAGLESS;
	if (va >= REVERSE_UPPER || (!bit(va, 55) && va & ~VA_MASK))
		return;
	if (va >= s->large_first && va <= s->large_last) {
		shadow_flush(s);
		return;
	}
	first = va & ~((1ULL << BLOCK_BITS) - 1);
	entry = leaf_entry(s, first, false);
	for (unsigned i = 0; entry && i < ENTRIES; i++) {
		uint64_t at = first + ((uint64_t)i << REVERSE_PAGE_BITS);

		if (!entry[i] || (at ^ va) >> size_of(entry[i]))
			continue;
		set(&entry[i], 0);
		s->stale = true;
	}
}

void shadow_forget(struct shadow *s, uint64_t first, uint64_t last)
{
	for (unsigned t = ROOTS; t < s->count; t++) {
		uint64_t *entry = s->table[t].host;

		for (unsigned i = 0; s->table[t].leaf && i < ENTRIES; i++) {
			if (!entry[i] || (entry[i] & DESC_ADDR) < first ||
			    (entry[i] & DESC_ADDR) > last)
				continue;
			set(&entry[i], 0);
			s->stale = true;
		}
	}
}

/* The first tables that are made after the roots; there is always room for them. */
static void map_own(struct shadow *s)
{
	for (unsigned i = 0; i < SHADOW_OWN; i++) {
		const struct shadow_own *o = &s->own[i];

		for (unsigned n = 0; n < o->pages; n++)
			*leaf_entry(s, o->va + n * REVERSE_PAGE,
				    true) = page(o->pa + n * REVERSE_PAGE, o->prot, o->attr);
	}
}

bool shadow_init(struct shadow *s, struct hidden *h, const struct shadow_own own[SHADOW_OWN])
{
	uint64_t gpa;

	*s = (struct shadow){.hidden = h, .context = {~0ULL, ~0ULL}, .large_first = ~0ULL};
	memcpy(s->own, own, sizeof(s->own));
	if (!new_table(s, &gpa, false) || !new_table(s, &gpa, false) ||
	    !leaf_entry(s, REVERSE_UPPER, true))
		return false;
	map_own(s);
	return true;
}

void shadow_flush(struct shadow *s)
{
	for (unsigned i = 0; i < s->count; i++)
		memset(s->table[i].host, 0, REVERSE_PAGE);
	s->count = ROOTS;
	s->large_first = ~0ULL;
	s->large_last = 0;
	map_own(s);
	s->stale = true;
}
