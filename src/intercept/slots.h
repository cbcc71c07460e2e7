/* SPDX-License-Identifier: Apache-2.0 */
/* Slots (original word <-> BRK immediate) and sites (address -> slot). Private to this folder. */
#ifndef INTERCEPT_SLOTS_H
#define INTERCEPT_SLOTS_H

#include "intercept/intercept.h"

#include <stdatomic.h>

enum {
	SLOT_COUNT = INTERCEPT_SLOT_LAST - INTERCEPT_SLOT_FIRST + 1,
	SLOT_HASH = 4 * SLOT_COUNT,
	/* A guest may fill its memory with what is intercepted; a system has a few thousand. */
	SITES_MAX = 1 << 20,
};

/* Entries below `count` never change, so readers need no lock. */
struct slots {
	struct intercept_slot slot[SLOT_COUNT];
	atomic_uint count;
	uint16_t hash[SLOT_HASH];  /* word -> slot number + 1 */
	bool reserved[SLOT_COUNT]; /* the guest uses this immediate itself */
};

/* Keep BRK immediate @imm for the guest. No effect on a slot that exists. */
void slots_reserve(struct slots *s, uint16_t imm);

/* Slot number for a word, made if need be; -1 if all are taken. */
int slots_get(struct slots *s, uint32_t word, const struct policy_row *row);

/* BRK word of a slot, and back: -1 if the word is not the BRK of an existing slot. */
uint32_t slots_brk(unsigned slot);
int slots_of_brk(const struct slots *s, uint32_t word);

struct site {
	uint64_t gpa; /* multiple of 4; SITE_FREE or SITE_GONE */
	uint32_t slot;
};

struct sites {
	struct site *table; /* open addressing, capacity a power of two */
	size_t capacity;
	size_t used; /* with deleted ones */
	size_t live;
};

struct site *sites_find(const struct sites *s, uint64_t gpa);
/* Add, or change the slot. False if there are SITES_MAX others. */
bool sites_add(struct sites *s, uint64_t gpa, unsigned slot);
void sites_del(struct sites *s, struct site *site);
/* Next live site after @i (start with 0); NULL at the end. */
struct site *sites_next(const struct sites *s, size_t *i);
void sites_free(struct sites *s);

#endif
