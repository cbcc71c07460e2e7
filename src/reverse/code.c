/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of the pages that are executed in managed views, with BRK #slot in place of each sensitive instruction. The
 * guest's memory itself stays as the guest has made it: other masters, other levels and the debugger see nothing of it.
 *
 * While a page is active, nobody in a managed view can write the original without a fault (shadow.c), after which
 * code_written() brings the copy up to date; so code and data in one page are both right. Writers that are not seen,
 * devices and operating systems that run natively, have to invalidate the instruction cache, as on hardware.
 */
#include "reverse/reverse_int.h"

#include "host/icache.h"
#include "util/xalloc.h"

#include <stdlib.h>
#include <string.h>

#define NOP 0xd503201fU

enum {
	WORDS = REVERSE_PAGE / 4,
	WRITES_MAX = 16, /* a page that is written more often is data */
};

void code_init(struct code *c, struct hidden *h)
{
	pthread_mutex_init(&c->lock, NULL);
	c->hidden = h;
}

void code_fini(struct code *c)
{
	pthread_mutex_destroy(&c->lock);
	for (size_t i = 0; i < c->capacity; i++)
		free(c->page[i].seen);
	free(c->page);
}

uint32_t code_original(const struct code *c, uint32_t word)
{
	int slot = slots_of_brk(&c->slots, word);

	return slot < 0 ? word : c->slots.slot[slot].word;
}

/* ---- the table ---- */

static size_t place(const struct code *c, const uint8_t *original)
{
	uint64_t h = (uintptr_t)original >> REVERSE_PAGE_BITS;

	return (h * 0x9e3779b97f4a7c15ULL >> 32) & (c->capacity - 1);
}

static struct code_page *find(const struct code *c, const uint8_t *original)
{
	if (!c->capacity)
		return NULL;
	for (size_t i = place(c, original);; i = (i + 1) & (c->capacity - 1)) {
		if (!c->page[i].original)
			return NULL;
		if (c->page[i].original == original)
			return &c->page[i];
	}
}

static struct code_page *insert(struct code *c, const struct code_page *page)
{
	size_t i = place(c, page->original);

	while (c->page[i].original)
		i = (i + 1) & (c->capacity - 1);
	c->page[i] = *page;
	return &c->page[i];
}

static void grow(struct code *c)
{
	struct code_page *old = c->page;
	size_t capacity = c->capacity;

	c->capacity = capacity ? 2 * capacity : 256;
	c->page = xcalloc(c->capacity, sizeof(*c->page));
	for (size_t i = 0; i < capacity; i++) {
		if (old[i].original)
			insert(c, &old[i]);
	}
	free(old);
}

static struct code_page *add(struct code *c, const uint8_t *original)
{
	struct code_page page = {.original = original};

	if (2 * (c->count + 1) > c->capacity)
		grow(c);
	c->count++;
	page.copy = hidden_page(c->hidden, &page.gpa);
	return insert(c, &page);
}

/* ---- copying ---- */

/* DC ISW, CSW, CISW: firmware does it in long loops, and nothing comes of it in a cache that it cannot see. */
static bool is_set_way(uint32_t word)
{
	unsigned crm = word >> 8 & 15;

	return (word & 0xfffff0e0) == 0xd5087040 && (crm == 6 || crm == 10 || crm == 14);
}

/* What the copy has for @word; @ok false: no slot is left. */
static uint32_t executed(struct code *c, uint32_t word, bool *ok)
{
	int slot;

	word = code_original(c, word);
	if (c->recode && is_set_way(word))
		return NOP;
	if (!sensitive(word))
		return word;
	slot = slots_get(&c->slots, word, NULL);
	if (slot < 0) {
		*ok = false;
		return 0; /* UDF */
	}
	if (c->divert)
		divert_slot(c->divert, c->stub, (unsigned)slot, word);
	return slots_brk((unsigned)slot);
}

/* Other PEs may be executing the copy. Changing a word under them is what the guest itself did when it wrote the
 * original, with the same consequences. */
static bool update(struct code *c, struct code_page *p)
{
	const uint32_t *from = (const uint32_t *)p->original;
	bool changed = false, ok = true;

	if (p->seen && !memcmp(p->seen, from, REVERSE_PAGE))
		return p->ok;
	if (!p->seen)
		p->seen = xcalloc(1, REVERSE_PAGE);
	memcpy(p->seen, from, REVERSE_PAGE);
	p->patched = 0;
	for (unsigned i = 0; i < WORDS; i++) {
		uint32_t word = p->seen[i], copy = executed(c, word, &ok);

		p->patched += copy != word;

		if (copy == p->copy[i])
			continue;
		__atomic_store_n(&p->copy[i], copy, __ATOMIC_RELAXED);
		changed = true;
		atomic_fetch_add_explicit(&c->patched, copy != word, memory_order_relaxed);
	}
	atomic_fetch_add_explicit(&c->scanned, WORDS, memory_order_relaxed);
	if (changed)
		host_icache_sync(p->copy, REVERSE_PAGE);
	p->ok = ok;
	return ok;
}

uint64_t code_get(struct code *c, const uint8_t *original, bool *activated, bool *patched)
{
	struct code_page *p;
	uint64_t gpa = 0;

	pthread_mutex_lock(&c->lock);
	p = find(c, original);
	if (!p)
		p = add(c, original);
	*activated = p->copy && !p->active;
	if (*activated)
		p->writes = 0;
	p->active = p->copy;
	if (p->active && update(c, p))
		gpa = p->gpa;
	*patched = p->patched;
	pthread_mutex_unlock(&c->lock);
	return gpa;
}

/* Is @word to be a patch in a native system? @window: see code_patch(). */
static bool is_patched(uint32_t word, unsigned *window)
{
	if (is_kernel_tlbi(word)) {
		*window = CODE_WINDOW + 1;
		return false;
	}
	*window -= *window > 0;
	return (word == ISB && *window) || sensitive_to_os(word);
}

/* Other PEs are out of the guest, unless nothing but barriers and calls is patched: those may be replaced while they
 * are executed (Arm ARM B2.2.5). */
unsigned code_patch(struct code *c, uint8_t *page, unsigned *window, bool write)
{
	uint32_t *at = (uint32_t *)page;
	unsigned count = 0;

	pthread_mutex_lock(&c->lock);
	for (unsigned i = 0; i < WORDS; i++) {
		uint32_t word = __atomic_load_n(&at[i], __ATOMIC_RELAXED);
		int slot = is_patched(word, window) ? slots_get(&c->slots, word, NULL) : -1;

		if (slot < 0)
			continue;
		count++;
		if (write)
			__atomic_store_n(&at[i], slots_brk((unsigned)slot), __ATOMIC_RELAXED);
	}
	if (write && count)
		host_icache_sync(page, REVERSE_PAGE);
	if (write) {
		atomic_fetch_add_explicit(&c->patched, count, memory_order_relaxed);
		atomic_fetch_add_explicit(&c->scanned, WORDS, memory_order_relaxed);
	}
	pthread_mutex_unlock(&c->lock);
	return count;
}

void code_lift(struct code *c, uint32_t *at)
{
	uint32_t word = __atomic_load_n(at, __ATOMIC_RELAXED);

	/* Unless the guest has written something else meanwhile. */
	if (slots_of_brk(&c->slots, word) >= 0 &&
	    __atomic_compare_exchange_n(at, &word, code_original(c, word), false, __ATOMIC_RELAXED,
					__ATOMIC_RELAXED))
		host_icache_sync(at, sizeof(*at));
}

bool code_is_active(struct code *c, const uint8_t *original)
{
	const struct code_page *p;
	bool active;

	pthread_mutex_lock(&c->lock);
	p = find(c, original);
	active = p && p->active;
	pthread_mutex_unlock(&c->lock);
	return active;
}

bool code_is_active_within(struct code *c, const uint8_t *first, uint64_t len)
{
	bool any = false;

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->capacity && !any; i++)
		any = c->page[i].original && c->page[i].active &&
		      (uintptr_t)c->page[i].original - (uintptr_t)first < len;
	pthread_mutex_unlock(&c->lock);
	return any;
}

uint64_t code_written(struct code *c, const uint8_t *original)
{
	struct code_page *p;
	uint64_t gone = 0;

	pthread_mutex_lock(&c->lock);
	p = find(c, original);
	if (p && p->active) {
		unsigned patched = p->patched;

		p->active = p->writes++ < WRITES_MAX;
		update(c, p);
		if (!p->active || (!patched && p->patched))
			gone = p->gpa;
	}
	pthread_mutex_unlock(&c->lock);
	return gone;
}

void code_refresh(struct code *c, const uint8_t *original)
{
	struct code_page *one;

	pthread_mutex_lock(&c->lock);
	one = original ? find(c, original) : NULL;
	if (one && one->active)
		update(c, one);
	for (size_t i = 0; i < c->capacity && !original; i++) {
		if (c->page[i].original && c->page[i].active)
			update(c, &c->page[i]);
	}
	pthread_mutex_unlock(&c->lock);
}
