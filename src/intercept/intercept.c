/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patching, linear scan and discovery.
 *
 * Writes go through the host's mapping as aligned 32-bit stores. Exchanging an arbitrary instruction
 * for BRK is not among the modifications another CPU may execute through (Arm ARM B2.2.5), which is why
 * every PE is stopped; leaving the guest is a context synchronisation event for each.
 */
#include "intercept/intercept.h"

#include "host/icache.h"
#include "intercept/slots.h"
#include "mem/mem.h"
#include "util/bits.h"
#include "util/log.h"
#include "util/xalloc.h"

#include <stdlib.h>
#include <string.h>

enum {
	PAGE_SIZE = 4096,
	PAGE_WORDS = PAGE_SIZE / 4,
	PAGE_BUCKETS_LOG2 = 10,
	PAGE_BUCKETS = 1 << PAGE_BUCKETS_LOG2,
	/* A guest may fill its memory with branches. Boot loaders and firmware stay far below both: pages
	 * of code remembered (64 MiB), and words followed for one event (a second at worst). */
	PAGES_MAX = 1 << 14,
	FOLLOW_MAX = 1 << 20,
};

/* What discovery knows of a page: which words it has followed, and what they were afterwards. */
struct code_page {
	struct code_page *next; /* in the bucket */
	uint64_t gpa;
	uint64_t va; /* where it was last followed */
	bool whole;  /* every word has been looked at, intercept_scan_known() */
	uint64_t seen[PAGE_WORDS / 64];
	uint32_t word[PAGE_WORDS]; /* its contents when last looked at */
};

struct intercept {
	struct mem_space *mem;
	struct slots slots;
	struct sites sites;
	struct code_page *pages[PAGE_BUCKETS];
	unsigned page_count;
	bool told_too_large;
	struct intercept_counts counts;
};

struct intercept *intercept_create(struct mem_space *mem)
{
	struct intercept *ic = xcalloc(1, sizeof(*ic));
	int a, b;

	CHECK(policy_check(&a, &b));
	ic->mem = mem;
	return ic;
}

static void forget_pages(struct intercept *ic)
{
	for (unsigned i = 0; i < PAGE_BUCKETS; i++) {
		while (ic->pages[i]) {
			struct code_page *p = ic->pages[i];

			ic->pages[i] = p->next;
			free(p);
		}
	}
	ic->page_count = 0;
}

void intercept_reset(struct intercept *ic)
{
	forget_pages(ic);
	sites_free(&ic->sites);
}

void intercept_destroy(struct intercept *ic)
{
	if (!ic)
		return;
	intercept_reset(ic);
	free(ic);
}

const struct intercept_slot *intercept_slot(const struct intercept *ic, uint16_t imm)
{
	int n = slots_of_brk(&ic->slots, 0xd4200000 | (uint32_t)imm << 5);

	return n < 0 ? NULL : &ic->slots.slot[n];
}

void intercept_reserve(struct intercept *ic, uint64_t gpa, uint64_t len)
{
	uint64_t skip = -gpa % 4; /* instructions are aligned, wherever the image was put */

	gpa += skip;
	len -= len < skip ? len : skip;
	while (len >= 4) {
		uint64_t part = PAGE_SIZE - gpa % PAGE_SIZE;
		const uint32_t *p;

		part = part < len ? part : len;
		p = (const uint32_t *)(const void *)mem_ptr(ic->mem, gpa, part, false);
		for (uint64_t i = 0; p && i < part / 4; i++) {
			if ((p[i] & 0xffe0001f) == 0xd4200000)
				slots_reserve(&ic->slots, bits(p[i], 20, 5));
		}
		gpa += part;
		len -= part;
	}
}

/* ---- words of guest memory ---- */

/* Host address of a word of code, or NULL if there is no memory at @gpa. Code may lie in ROM. */
static uint32_t *word_at(const struct intercept *ic, uint64_t gpa)
{
	return (uint32_t *)(void *)mem_ptr(ic->mem, gpa, 4, false);
}

/* Guests begin with caches off, so what we write must reach the point of coherency as well. */
static void write_word(uint32_t *p, uint32_t word)
{
	__atomic_store_n(p, word, __ATOMIC_RELAXED);
	host_icache_sync(p, 4);
	host_dcache_flush_poc(p, 4);
}

/* Patch the word at @p (address @gpa) if a row names it. Returns the word as it stands then. */
static uint32_t patch(struct intercept *ic, uint64_t gpa, uint32_t *p, unsigned when)
{
	uint32_t word = *p;
	const struct policy_row *row;
	int slot = slots_of_brk(&ic->slots, word);

	if (slot >= 0) { /* ours, or a copy of ours: keep it, and know the place */
		sites_add(&ic->sites, gpa, slot);
		return word;
	}
	row = policy_match(word, when);
	if (!row)
		return word;
	slot = slots_get(&ic->slots, word, row);
	if (slot < 0 || !sites_add(&ic->sites, gpa, slot)) {
		if (!ic->counts.slots_short++)
			LOG(vm,
			    "interception: all %d slots or all %d sites are taken; 0x%08x at "
			    "0x%llx "
			    "stays as it is",
			    SLOT_COUNT, SITES_MAX, word, (unsigned long long)gpa);
		return word;
	}
	write_word(p, slots_brk(slot));
	ic->counts.patches++;
	LOG(intercept, "patch %s (0x%08x) at 0x%llx", row->name, word, (unsigned long long)gpa);
	return slots_brk(slot);
}

/* The original word at a patched place, for following the flow of control. */
static uint32_t original(const struct intercept *ic, uint32_t word)
{
	int slot = slots_of_brk(&ic->slots, word);

	return slot < 0 ? word : ic->slots.slot[slot].word;
}

static bool put_back(struct intercept *ic, struct site *site)
{
	uint32_t *p = word_at(ic, site->gpa);
	int slot = p ? slots_of_brk(&ic->slots, *p) : -1;

	/* Not always the site's slot: the guest may have copied other patched code there. */
	if (slot < 0)
		return false; /* the guest has overwritten it: nothing to give back */
	write_word(p, ic->slots.slot[slot].word);
	return true;
}

/* ---- discovery ---- */

static struct code_page **bucket(struct intercept *ic, uint64_t page_gpa)
{
	uint64_t h = page_gpa / PAGE_SIZE * 0x9e3779b97f4a7c15ULL;

	return &ic->pages[h >> (64 - PAGE_BUCKETS_LOG2)];
}

static struct code_page *find_page(struct intercept *ic, uint64_t page_gpa)
{
	struct code_page *p = *bucket(ic, page_gpa);

	while (p && p->gpa != page_gpa)
		p = p->next;
	return p;
}

/* NULL if there are too many. */
static struct code_page *get_page(struct intercept *ic, uint64_t page_gpa)
{
	struct code_page *p = find_page(ic, page_gpa);
	uint8_t *mem;

	if (p || ic->page_count == PAGES_MAX)
		return p;
	ic->page_count++;
	p = xcalloc(1, sizeof(*p));
	p->gpa = page_gpa;
	p->next = *bucket(ic, page_gpa);
	*bucket(ic, page_gpa) = p;
	/* The guest may have written this code with its caches off: drop what ours hold of it. */
	mem = mem_ptr(ic->mem, page_gpa, PAGE_SIZE, false);
	if (mem) {
		host_dcache_flush_poc(mem, PAGE_SIZE);
		memcpy(p->word, mem, PAGE_SIZE);
	}
	return p;
}

/* Addresses still to be followed. */
struct worklist {
	uint64_t *va;
	size_t count, capacity;
};

static void push(struct worklist *w, uint64_t va)
{
	if (w->count == w->capacity) {
		w->capacity = w->capacity ? w->capacity * 2 : 64;
		w->va = xrealloc(w->va, w->capacity, sizeof(*w->va));
	}
	w->va[w->count++] = va;
}

/* Direct branches (Arm ARM C4.1.66). Sets @target and returns true for a branch; @falls_through says
 * whether the next instruction may follow. */
static bool direct_branch(uint32_t w, uint64_t pc, uint64_t *target, bool *falls_through)
{
	*falls_through = true;
	if ((w & 0x7c000000) == 0x14000000) { /* B, BL */
		*target = pc + sign_extend(bits(w, 25, 0), 26) * 4;
		*falls_through = w >> 31;
		return true;
	}
	if ((w & 0xff000000) == 0x54000000 || (w & 0x7e000000) == 0x34000000) { /* B.cond, CBZ */
		*target = pc + sign_extend(bits(w, 23, 5), 19) * 4;
		return true;
	}
	if ((w & 0x7e000000) == 0x36000000) { /* TBZ, TBNZ */
		*target = pc + sign_extend(bits(w, 18, 5), 14) * 4;
		return true;
	}
	return false;
}

/* Does the flow of control end here? BR, RET, ERET and their kin; UDF and unallocated zero words. */
static bool ends_flow(uint32_t w)
{
	if ((w & 0xffff0000) == 0) /* UDF */
		return true;
	if ((w & 0xfe000000) != 0xd6000000)
		return false;
	return (w >> 21 & 7) != 1; /* opc<24:21> = x001: BLR, BLRA */
}

/* Follow one straight line of code from @va until it ends or joins what is known, at most @max words. */
static unsigned follow(struct intercept *ic, uint64_t va, intercept_translate_fn *translate,
		       void *opaque, unsigned when, unsigned max, struct worklist *todo)
{
	struct code_page *page = NULL;
	uint64_t page_va = 1;
	unsigned fresh = 0;

	for (; fresh < max; va += 4) {
		uint64_t gpa, target;
		bool falls_through;
		uint32_t *p, w;
		unsigned n = (va % PAGE_SIZE) / 4;

		if (align_down(va, PAGE_SIZE) != page_va) {
			if (!translate(opaque, align_down(va, PAGE_SIZE), &gpa) ||
			    !word_at(ic, gpa))
				return fresh;
			page = get_page(ic, align_down(gpa, PAGE_SIZE));
			if (!page)
				return fresh;
			page_va = align_down(va, PAGE_SIZE);
			page->va = page_va;
		}
		if (bit(page->seen[n / 64], n % 64))
			return fresh;
		gpa = page->gpa + 4 * n;
		p = word_at(ic, gpa);
		if (!p)
			return fresh;
		page->seen[n / 64] |= 1ULL << (n % 64);
		page->word[n] = patch(ic, gpa, p, when);
		fresh++;
		w = original(ic, page->word[n]);
		if (direct_branch(w, va, &target, &falls_through)) {
			push(todo, target);
			if (!falls_through)
				return fresh;
		} else if (ends_flow(w)) {
			return fresh;
		}
	}
	return fresh;
}

static unsigned follow_all(struct intercept *ic, struct worklist *todo,
			   intercept_translate_fn *translate, void *opaque, unsigned when)
{
	unsigned fresh = 0;

	while (todo->count && fresh < FOLLOW_MAX)
		fresh += follow(ic, todo->va[--todo->count], translate, opaque, when,
				FOLLOW_MAX - fresh, todo);
	if (!ic->told_too_large && (fresh == FOLLOW_MAX || ic->page_count == PAGES_MAX)) {
		ic->told_too_large = true;
		LOG(vm, "interception: the guest's code is too large to be followed whole");
	}
	ic->counts.words_scanned += fresh;
	free(todo->va);
	return fresh;
}

/* Unmark words of a page that are no longer what they were, and note them for following. */
static void find_changes(struct intercept *ic, struct code_page *page, struct worklist *todo)
{
	uint32_t *mem = (uint32_t *)(void *)mem_ptr(ic->mem, page->gpa, PAGE_SIZE, false);

	if (!mem)
		return;
	host_dcache_flush_poc(mem, PAGE_SIZE);
	if (!memcmp(mem, page->word, PAGE_SIZE))
		return;
	page->whole = false;
	for (unsigned n = 0; n < PAGE_WORDS; n++) {
		if (mem[n] == page->word[n])
			continue;
		page->word[n] = mem[n];
		if (!bit(page->seen[n / 64], n % 64))
			continue;
		page->seen[n / 64] &= ~(1ULL << (n % 64));
		push(todo, page->va + 4 * n);
	}
}

unsigned intercept_discover(struct intercept *ic, uint64_t va, intercept_translate_fn *translate,
			    void *opaque, unsigned when)
{
	struct worklist todo = {0};
	struct code_page *page;
	uint64_t gpa;

	if (va % 4 || !translate(opaque, align_down(va, PAGE_SIZE), &gpa))
		return 0;
	page = find_page(ic, align_down(gpa, PAGE_SIZE));
	if (page)
		find_changes(ic, page, &todo);
	push(&todo, va);
	return follow_all(ic, &todo, translate, opaque, when);
}

void intercept_recheck(struct intercept *ic, uint64_t gpa, intercept_translate_fn *translate,
		       void *opaque, unsigned when)
{
	struct worklist todo = {0};
	struct code_page *page = find_page(ic, align_down(gpa, PAGE_SIZE));

	if (page)
		find_changes(ic, page, &todo);
	follow_all(ic, &todo, translate, opaque, when);
}

void intercept_recheck_all(struct intercept *ic, intercept_translate_fn *translate, void *opaque,
			   unsigned when)
{
	struct worklist todo = {0};

	for (unsigned i = 0; i < PAGE_BUCKETS; i++) {
		for (struct code_page *p = ic->pages[i]; p; p = p->next)
			find_changes(ic, p, &todo);
	}
	follow_all(ic, &todo, translate, opaque, when);
}

/* ---- linear scan ---- */

void intercept_scan(struct intercept *ic, uint64_t gpa, uint64_t len, unsigned when)
{
	while (len >= 4) {
		uint64_t part = PAGE_SIZE - gpa % PAGE_SIZE;
		uint32_t *p;

		if (part > len)
			part = len;
		p = (uint32_t *)(void *)mem_ptr(ic->mem, gpa, part, false);
		for (uint64_t i = 0; p && i < part / 4; i++) {
			if (p[i] >> 26 == 0xd4 >> 2)
				patch(ic, gpa + 4 * i, &p[i], when);
		}
		ic->counts.words_scanned += p ? part / 4 : 0;
		gpa += part;
		len -= part;
	}
}

static void scan_page(struct intercept *ic, struct code_page *page, unsigned when)
{
	uint32_t *p = (uint32_t *)(void *)mem_ptr(ic->mem, page->gpa, PAGE_SIZE, false);

	page->whole = true;
	for (unsigned n = 0; p && n < PAGE_WORDS; n++)
		page->word[n] = patch(ic, page->gpa + 4 * n, &p[n], when);
	ic->counts.words_scanned += p ? PAGE_WORDS : 0;
}

void intercept_scan_known(struct intercept *ic, unsigned when)
{
	for (unsigned i = 0; i < PAGE_BUCKETS; i++) {
		for (struct code_page *p = ic->pages[i]; p; p = p->next) {
			if (!p->whole)
				scan_page(ic, p, when);
		}
	}
}

void intercept_rearm(struct intercept *ic, uint64_t gpa, unsigned when)
{
	struct code_page *page = find_page(ic, align_down(gpa, PAGE_SIZE));
	uint32_t *p = word_at(ic, gpa);

	if (page && p)
		page->word[gpa % PAGE_SIZE / 4] = patch(ic, gpa, p, when);
}

/* ---- giving back ---- */

static bool was_followed(struct intercept *ic, uint64_t gpa)
{
	const struct code_page *p = find_page(ic, align_down(gpa, PAGE_SIZE));
	unsigned n = gpa % PAGE_SIZE / 4;

	return p && bit(p->seen[n / 64], n % 64);
}

void intercept_restore(struct intercept *ic, intercept_keep_fn *keep, void *opaque)
{
	struct site *s;
	size_t i = 0;

	while ((s = sites_next(&ic->sites, &i))) {
		if (keep(opaque, s->gpa, ic->slots.slot[s->slot].row, was_followed(ic, s->gpa)))
			continue;
		ic->counts.restores += put_back(ic, s);
		sites_del(&ic->sites, s);
	}
	forget_pages(ic);
}

bool intercept_is_site(const struct intercept *ic, uint64_t gpa)
{
	return sites_find(&ic->sites, gpa);
}

bool intercept_lift(struct intercept *ic, uint64_t gpa)
{
	uint32_t *p = word_at(ic, gpa);
	int slot = p ? slots_of_brk(&ic->slots, *p) : -1;

	if (slot < 0)
		return false;
	/* A copy the guest made may be new here, or replace what was. With no room for one more site
	 * the word is given back for good. */
	sites_add(&ic->sites, gpa, slot);
	write_word(p, ic->slots.slot[slot].word);
	return true;
}

void intercept_lower(struct intercept *ic, uint64_t gpa)
{
	struct site *s = sites_find(&ic->sites, gpa);
	uint32_t *p = word_at(ic, gpa);

	if (s && p && *p == ic->slots.slot[s->slot].word)
		write_word(p, slots_brk(s->slot));
}

void intercept_release(struct intercept *ic, uint64_t gpa)
{
	struct code_page *page = find_page(ic, align_down(gpa, PAGE_SIZE));
	struct site *s;

	if (!intercept_lift(ic, gpa))
		return;
	ic->counts.releases++;
	ic->counts.restores++;
	if (page) /* or recheck would take it for a change of the guest's */
		page->word[gpa % PAGE_SIZE / 4] = *word_at(ic, gpa);
	s = sites_find(&ic->sites, gpa);
	if (s)
		sites_del(&ic->sites, s);
}

void intercept_counts(const struct intercept *ic, struct intercept_counts *c)
{
	*c = ic->counts;
	c->slots = atomic_load(&ic->slots.count);
	c->sites = ic->sites.live;
}
