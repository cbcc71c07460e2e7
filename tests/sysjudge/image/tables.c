/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translation tables, DDI 0487 D8.3. All descriptors that are written are noted: to clear them for the next
 * scenario, and because the hardware may update them.
 */
#include "image.h"

enum { NOTED = 1024, TABLE = 3, BLOCK = 1 };
#define OA_MASK 0x0000fffffffff000ULL
#define AF	(1ULL << 10)
#define DBM	(1ULL << 51)

static uint64_t next_table, noted[NOTED];
static bool noted_be[NOTED];
static unsigned noted_count;

static uint64_t get(const struct tables *t, uint64_t place)
{
	uint64_t v = *(volatile uint64_t *)place;

	return t->big_endian ? __builtin_bswap64(v) : v;
}

static void put(const struct tables *t, uint64_t place, uint64_t v)
{
	*(volatile uint64_t *)place = t->big_endian ? __builtin_bswap64(v) : v;
}

static void put_new(const struct tables *t, uint64_t place, uint64_t v)
{
	put(t, place, v);
	if (noted_count == NOTED) {
		print("too many descriptors\n");
		return;
	}
	noted_be[noted_count] = t->big_endian;
	noted[noted_count++] = place;
}

void tables_reset(void)
{
	for (unsigned i = 0; i < noted_count; i++)
		*(volatile uint64_t *)noted[i] = 0;
	noted_count = 0;
	next_table = TABLES;
}

uint64_t tables_end(void)
{
	return next_table;
}

static uint64_t new_table(uint64_t bytes)
{
	uint64_t a;

	if (bytes < 64)
		bytes = 64;
	a = (next_table + bytes - 1) & ~(bytes - 1);
	next_table = a + bytes;
	return a;
}

static unsigned low_bit(const struct tables *t, unsigned level)
{
	return t->bits + (3 - level) * (t->bits - 3);
}

uint64_t block_size(const struct tables *t, unsigned level)
{
	return 1ULL << low_bit(t, level);
}

void tables_begin(struct tables *t)
{
	t->root = new_table(8ULL << (t->size - low_bit(t, t->start)));
}

bool in_range(const struct tables *t, uint64_t va)
{
	uint64_t top = va >> t->size;

	return t->upper ? top == ~0ULL >> t->size : top == 0;
}

static uint64_t table_attributes(const struct tables *t)
{
	if (t->stage2 || !one_in(4))
		return 0;
	/* NSTable, APTable, XNTable, PXNTable; EL2 and EL3 have but one bit of AP and no PXN. */
	return random64() & (t->el1 ? 0xf8ULL << 56 : 0xd0ULL << 56);
}

/* The place of the descriptor of @va at @level; 0: a block is above it. */
static uint64_t find(struct tables *t, uint64_t va, unsigned level, bool clean)
{
	uint64_t table = t->root, place;
	unsigned size = t->size;

	for (unsigned l = t->start;; l++) {
		uint64_t index = va >> low_bit(t, l);
		uint64_t d;

		index &= (1ULL << (size - low_bit(t, l))) - 1;
		place = table + 8 * index;
		if (l == level)
			return place;
		d = get(t, place);
		if (d && ((d & 3) != TABLE || (d & OA_MASK) - TABLES >= next_table - TABLES))
			return 0;
		if (!d) {
			d = new_table(1ULL << t->bits) | TABLE;
			d |= clean ? 0 : table_attributes(t);
			put_new(t, place, d);
		}
		table = d & OA_MASK;
		size = low_bit(t, l);
	}
}

void map_page(struct tables *t, uint64_t va, uint64_t pa, bool read_only)
{
	uint64_t place = find(t, va, 3, true), d = pa | TABLE | AF | 3 << 8;

	if (!place || get(t, place))
		return;
	if (t->stage2)
		d |= 0xf << 2 | (read_only ? 1 << 6 : 3 << 6);
	else if (t->el1) /* executable at EL1 and EL0: not writable by EL0 */
		d |= read_only ? 3 << 6 : 1 << 6;
	else
		d |= 1 << 6 | (read_only ? 1 << 7 : 0);
	put_new(t, place, d);
}

static uint64_t stage2_attributes(void)
{
	uint64_t d = PICK(5, 6, 7, 9, 10, 11, 13, 14, 15) << 2;

	if (now.device && one_in(3))
		d = below(4) << 2;
	d |= (one_in(3) ? below(4) : 3) << 6 | below(4) << 8;
	if (one_in(4))
		d |= (uint64_t)below(4) << 53; /* XN */
	return d | (one_in(8) ? 0 : AF) | (one_in(4) ? DBM : 0);
}

static uint64_t attributes(const struct tables *t)
{
	uint64_t d;

	if (t->stage2)
		return stage2_attributes();
	d = below(8) << 2 | below(4) << 6 | below(4) << 8 | (one_in(8) ? 0 : AF);
	d |= (one_in(4) ? DBM : 0) | (one_in(8) ? 1 << 5 : 0); /* NS */
	if (one_in(3) || (d & DBM && known(KNOWN_DIRTY_EXECUTE)))
		d |= 1ULL << 54;
	if (t->el1)
		d |= (uint64_t)below(2) << 11 |
		     (one_in(3) || (d & DBM && known(KNOWN_DIRTY_EXECUTE)) ? 1ULL << 53 : 0);
	else
		d |= 1 << 6; /* AP[1] is RES1 */
	if (one_in(8))
		d |= 15ULL << 55 & random64(); /* for software */
	return d;
}

/* Blocks: DDI 0487 D8.3.1. */
static bool has_blocks(const struct tables *t, unsigned level)
{
	return level == 2 || (level == 1 && t->bits == 12);
}

static uint64_t new_leaf(const struct tables *t, uint64_t pa, unsigned level)
{
	uint64_t mask = block_size(t, level) - 1, d = attributes(t) | (pa & ~mask);

	if (one_in(12) && t->output < 48)
		d |= 1ULL << (t->output + below(48 - t->output)); /* too large */
	if (one_in(24)) /* reserved, or a table without valid descriptors */
		return level == 3 ? d | BLOCK : DATA | TABLE;
	if (one_in(16))
		return d & ~1ULL;
	return d | (level == 3 ? TABLE : BLOCK);
}

struct leaf map_random(struct tables *t, uint64_t va, uint64_t pa, unsigned level)
{
	struct leaf l = {.tables = t, .va = va, .level = level};

	if (!in_range(t, va))
		return l;
	if (level < t->start || !has_blocks(t, level))
		l.level = 3;
	l.place = find(t, va, l.level, false);
	if (l.place && get(t, l.place))
		l.place = 0;
	if (l.place)
		put_new(t, l.place, new_leaf(t, pa, l.level));
	return l;
}

void change_leaf(struct leaf *l)
{
	uint64_t d = get(l->tables, l->place);

	if (one_in(4))
		d ^= 1;
	else if (one_in(4))
		d ^= AF;
	else if (one_in(4))
		d ^= (uint64_t)below(4) << 6;
	else if (one_in(3) && !(d & DBM && known(KNOWN_DIRTY_EXECUTE)))
		d ^= 3ULL << 53 & random64();
	else
		d = new_leaf(l->tables, DATA + below(FRAMES) * FRAME, l->level);
	put(l->tables, l->place, d);
}

unsigned count_descriptors(void)
{
	return noted_count;
}

void each_descriptor(unsigned from, unsigned to, void (*fn)(uint64_t place, void *opaque),
		     void *opaque)
{
	for (unsigned i = from; i < to; i++)
		fn(noted[i], opaque);
}

uint64_t hash_tables(uint64_t hash)
{
	for (unsigned i = 0; i < noted_count; i++)
		hash = (hash ^ *(volatile uint64_t *)noted[i]) * 0x100000001b3ULL;
	return hash;
}

void print_tables(void)
{
	for (unsigned i = 0; i < noted_count; i++) {
		uint64_t v = *(volatile uint64_t *)noted[i];

		print("descriptor %x %x\n", noted[i], noted_be[i] ? __builtin_bswap64(v) : v);
	}
}
