/* SPDX-License-Identifier: Apache-2.0 */
/* Shadow tables, read back by the walker of arm/walk.h as the host's MMU reads them. */
#include "reverse/reverse_int.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define HIDDEN 0x7c000000ULL

enum { PAGES = 96, STEPS = 4000 };

struct model {
	uint64_t va, pa;
	unsigned prot;
	enum shadow_attr attr;
	bool mapped;
};

struct rig {
	struct hidden hidden;
	struct shadow shadow;
	struct model page[PAGES];
	uint32_t seed;
};

static uint32_t random_number(struct rig *r)
{
	r->seed = r->seed * 1664525 + 1013904223;
	return r->seed >> 8;
}

static bool read_hidden(void *opaque, uint64_t pa, bool secure, uint64_t *value)
{
	const struct rig *r = opaque;

	if (pa < HIDDEN || pa - HIDDEN >= REVERSE_HIDDEN)
		return false;
	memcpy(value, r->hidden.host + (pa - HIDDEN), 8);
	return true;
}

/* 4 KiB pages and 48 bits in both halves. */
static enum walk_result walk(struct rig *r, uint64_t va, struct arm_xlat *x)
{
	struct arm_regime regime = {
		.kind = ARM_REGIME_EL10,
		.sctlr = 1,
		.tcr = 16 | 16 << 16 | 2ULL << 30 | 5ULL << 32,
		.ttbr = {r->shadow.table[0].gpa, r->shadow.table[1].gpa},
		.mair = 0x00ff,
		.pa_bits = 48,
		.read = read_hidden,
		.opaque = r,
	};

	return arm_walk(&regime, va, x);
}

/* What a view has for itself. */
static const struct shadow_own own[SHADOW_OWN] = {
	{REVERSE_VECTORS, HIDDEN - 0x100000, 1, SHADOW_EXEC, SHADOW_NORMAL},
	{REVERSE_EXIT, HIDDEN - 0x90000, 1, SHADOW_WRITE, SHADOW_DEVICE},
	{REVERSE_BANK, HIDDEN - 0x80000, BANK_PAGES, SHADOW_WRITE, SHADOW_NORMAL},
	{REVERSE_HANDLERS, HIDDEN - 0x70000, 3, SHADOW_EXEC, SHADOW_NORMAL},
	{REVERSE_ACTIONS, HIDDEN - 0x60000, 5, SHADOW_READ, SHADOW_NORMAL},
};

static bool init_shadow(struct rig *r)
{
	return shadow_init(&r->shadow, &r->hidden, own);
}

static int create(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	pthread_mutex_init(&r->hidden.lock, NULL);
	r->hidden.gpa = HIDDEN;
	r->hidden.host = mmap(NULL, REVERSE_HIDDEN, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(r->hidden.host != MAP_FAILED);
	assert_true(init_shadow(r));
	*state = r;
	return 0;
}

static int destroy(void **state)
{
	struct rig *r = *state;

	munmap(r->hidden.host, REVERSE_HIDDEN);
	free(r);
	return 0;
}

/* ---- checks ---- */

static void check_mapped(struct rig *r, const struct model *m)
{
	unsigned want = ARM_PROT_READ | (m->prot & SHADOW_WRITE ? ARM_PROT_WRITE : 0) |
			(m->prot & SHADOW_EXEC ? ARM_PROT_EXEC : 0);
	struct arm_xlat x;

	assert_int_equal(walk(r, m->va + 0x123, &x), ARM_WALK_OK);
	assert_int_equal(x.pa, m->pa + 0x123);
	assert_int_equal(x.size, REVERSE_PAGE);
	assert_int_equal(arm_xlat_prot(&x, false, false), want);
	assert_int_equal(x.attr, m->attr == SHADOW_DEVICE ? 0 : 0xff);
	if (m->prot & SHADOW_XONLY)
		assert_int_equal(arm_xlat_prot(&x, false, true), ARM_PROT_EXEC);
	else
		assert_int_equal(arm_xlat_prot(&x, false, true), want);
	assert_false(x.user & ARM_PROT_EXEC);
	assert_true(x.user == 0 || m->prot & SHADOW_XONLY);
	assert_true(shadow_allows(&r->shadow, m->va, false));
	assert_int_equal(shadow_allows(&r->shadow, m->va, true), (m->prot & SHADOW_WRITE) != 0);
	assert_int_equal(shadow_is_xonly(&r->shadow, m->va), (m->prot & SHADOW_XONLY) != 0);
}

static void check_unmapped(struct rig *r, uint64_t va)
{
	struct arm_xlat x;

	assert_int_equal(walk(r, va, &x), ARM_WALK_TRANSLATION);
	assert_false(shadow_allows(&r->shadow, va, false));
	assert_false(shadow_is_xonly(&r->shadow, va));
}

static void check_own_page(struct rig *r, const struct shadow_own *o, uint64_t offset)
{
	unsigned want = ARM_PROT_READ | (o->prot & SHADOW_WRITE ? ARM_PROT_WRITE : 0) |
			(o->prot & SHADOW_EXEC ? ARM_PROT_EXEC : 0);
	struct arm_xlat x;

	assert_int_equal(walk(r, o->va + offset, &x), ARM_WALK_OK);
	assert_int_equal(x.pa, o->pa + offset);
	assert_int_equal(x.priv, want);
	assert_int_equal(x.user, 0);
	assert_int_equal(x.attr, o->attr == SHADOW_DEVICE ? 0 : 0xff);
}

static void check_own(struct rig *r)
{
	for (unsigned i = 0; i < ARRAY_COUNT(own); i++) {
		for (unsigned page = 0; page < own[i].pages; page++)
			check_own_page(r, &own[i], page * REVERSE_PAGE);
	}
}

static void check_all(struct rig *r)
{
	for (unsigned i = 0; i < PAGES; i++) {
		if (r->page[i].mapped)
			check_mapped(r, &r->page[i]);
		else
			check_unmapped(r, r->page[i].va);
	}
	check_own(r);
}

/* ---- random maps ---- */

/* Some side by side, some that share only the higher levels, some in the upper half. */
static uint64_t some_va(struct rig *r, unsigned i)
{
	static const uint64_t area[] = {
		0, 0x40000000, 0x401ff000, 0x7fffffe00000, 0xffff000000000000, 0xffff800040000000};
	uint64_t stride = i & 1 ? REVERSE_PAGE : 0x200000;

	return area[i % ARRAY_COUNT(area)] + (uint64_t)(i / ARRAY_COUNT(area)) * stride;
}

static struct model *find(struct rig *r, uint64_t va)
{
	for (unsigned i = 0; i < PAGES; i++) {
		if (r->page[i].va == va)
			return &r->page[i];
	}
	return NULL;
}

static void map_some(struct rig *r)
{
	static const unsigned prots[] = {SHADOW_READ, SHADOW_WRITE, SHADOW_EXEC,
					 SHADOW_EXEC | SHADOW_XONLY};
	struct model *m = &r->page[random_number(r) % PAGES], before = *m;
	bool same;

	m->pa = 0x40000000 + (uint64_t)(random_number(r) % 16) * REVERSE_PAGE;
	m->prot = prots[random_number(r) % ARRAY_COUNT(prots)];
	m->attr = m->prot & SHADOW_EXEC || random_number(r) & 1 ? SHADOW_NORMAL : SHADOW_DEVICE;
	m->mapped = true;
	same = !before.mapped || !memcmp(&before, m, sizeof(before));
	r->shadow.stale = false;
	assert_true(shadow_map(&r->shadow, m->va, m->pa, m->prot, m->attr, 12));
	assert_int_equal(r->shadow.stale, !same); /* only what a TLB may hold has to go */
}

static void forget_some(struct rig *r)
{
	uint64_t pa = 0x40000000 + (uint64_t)(random_number(r) % 20) * REVERSE_PAGE;
	uint64_t last = pa + (uint64_t)(random_number(r) % 3) * REVERSE_PAGE;
	bool any = false;

	for (unsigned i = 0; i < PAGES; i++) {
		if (!r->page[i].mapped || r->page[i].pa < pa || r->page[i].pa > last)
			continue;
		r->page[i].mapped = false;
		any = true;
	}
	r->shadow.stale = false;
	shadow_forget(&r->shadow, pa, last);
	assert_int_equal(r->shadow.stale, any);
}

static void flush(struct rig *r)
{
	for (unsigned i = 0; i < PAGES; i++)
		r->page[i].mapped = false;
	r->shadow.stale = false;
	shadow_flush(&r->shadow);
	assert_true(r->shadow.stale);
}

/* What was part of the same block goes, and nothing else. */
static void test_forget_va(void **state)
{
	struct rig *r = *state;
	const uint64_t block = 0x40200000, upper = 0xffff800000400000;

	for (unsigned i = 0; i < 4; i++) {
		shadow_map(&r->shadow, block + i * 0x40000, 0x1000, 0, SHADOW_NORMAL, 21);
		shadow_map(&r->shadow, upper + i * 0x4000, 0x1000, 0, SHADOW_NORMAL, 16);
		shadow_map(&r->shadow, 0x40000000 + i * REVERSE_PAGE, 0x1000, 0, SHADOW_NORMAL, 12);
	}
	r->shadow.stale = false;
	shadow_forget_va(&r->shadow, 0x40006000);
	shadow_forget_va(&r->shadow, 0x80000000);
	shadow_forget_va(&r->shadow, REVERSE_VECTORS);
	shadow_forget_va(&r->shadow, 0x00ff000040001000);
	assert_false(r->shadow.stale);
	shadow_forget_va(&r->shadow, 0x40001000);
	assert_true(r->shadow.stale);
	assert_true(shadow_allows(&r->shadow, 0x40000000, false));
	assert_false(shadow_allows(&r->shadow, 0x40001000, false));
	shadow_forget_va(&r->shadow, block + 0x1ff000);
	shadow_forget_va(&r->shadow,
			 (upper + 0x8000) & 0x00ffffffffffffff); /* bits 63:56 do not count */
	for (unsigned i = 0; i < 4; i++) {
		assert_false(shadow_allows(&r->shadow, block + i * 0x40000, false));
		assert_int_equal(shadow_allows(&r->shadow, upper + i * 0x4000, false), 0);
	}
	check_own(r);
}

/* Of a block that is larger than a table everything goes. */
static void test_forget_large(void **state)
{
	struct rig *r = *state;

	shadow_map(&r->shadow, 0x40000000, 0x1000, 0, SHADOW_NORMAL, 30);
	shadow_map(&r->shadow, 0x80000000, 0x1000, 0, SHADOW_NORMAL, 12);
	shadow_forget_va(&r->shadow, 0x80001000);
	assert_true(shadow_allows(&r->shadow, 0x40000000, false));
	shadow_forget_va(&r->shadow, 0x7ffff000);
	assert_false(shadow_allows(&r->shadow, 0x40000000, false));
	check_own(r);
}

static void test_random(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < PAGES; i++) {
		uint64_t va = some_va(r, i);

		assert_null(va ? find(r, va) : NULL);
		r->page[i].va = va;
	}
	check_all(r);
	for (unsigned i = 0; i < STEPS; i++) {
		unsigned what = random_number(r) % 256;

		if (what == 0)
			flush(r);
		else if (what < 32)
			forget_some(r);
		else
			map_some(r);
		if (i % 16 == 0)
			check_all(r);
	}
	check_all(r);
}

static void test_neighbours(void **state)
{
	struct rig *r = *state;

	assert_true(shadow_map(&r->shadow, 0x40001000, 0x1000, SHADOW_WRITE, SHADOW_NORMAL, 12));
	check_unmapped(r, 0x40000fff);
	check_unmapped(r, 0x40002000);
	check_unmapped(r, 0xffff000040001000);
}

/* Obverse's own pages do not go with the guest's. */
static void test_forget_own(void **state)
{
	struct rig *r = *state;

	shadow_forget(&r->shadow, 0x40000000, 0x40000000);
	check_own(r);
}

/* ---- running out ---- */

static void test_out_of_tables(void **state)
{
	struct rig *r = *state;
	unsigned n = 0;

	while (n < 2 * REVERSE_TABLES &&
	       shadow_map(&r->shadow, (uint64_t)n << 21, 0x1000, SHADOW_WRITE, SHADOW_NORMAL, 12))
		n++;
	assert_in_range(n, REVERSE_TABLES / 2, REVERSE_TABLES);
	for (unsigned i = 0; i <= n; i++)
		check_unmapped(r, (uint64_t)i << 21);
	check_own(r);
	assert_true(r->shadow.stale);
	/* And it works again, without more memory. */
	n = r->hidden.used;
	assert_true(shadow_map(&r->shadow, 0x1000, 0x1000, SHADOW_WRITE, SHADOW_NORMAL, 12));
	assert_true(shadow_allows(&r->shadow, 0x1000, true));
	assert_int_equal(r->hidden.used, n);
}

static void test_out_of_memory(void **state)
{
	struct rig *r = *state;
	struct shadow another;
	uint64_t gpa;

	while (hidden_page(&r->hidden, &gpa))
		;
	assert_int_equal(r->hidden.used, REVERSE_HIDDEN / REVERSE_PAGE);
	assert_null(hidden_page(&r->hidden, &gpa));
	assert_false(shadow_map(&r->shadow, 0x1000, 0x1000, SHADOW_WRITE, SHADOW_NORMAL, 12));
	check_own(r);
	another = r->shadow;
	assert_false(init_shadow(r));
	r->shadow = another;
}

/* Pages are handed out once, are zero, and lie where they are said to lie. */
static void test_hidden(void **state)
{
	struct rig *r = *state;
	uint64_t a, b;
	uint8_t *p = hidden_page(&r->hidden, &a), *q = hidden_page(&r->hidden, &b);

	assert_non_null(p);
	assert_non_null(q);
	assert_true(a != b && p != q);
	assert_int_equal(a & (REVERSE_PAGE - 1), 0);
	assert_ptr_equal(p, r->hidden.host + (a - HIDDEN));
	for (unsigned i = 0; i < REVERSE_PAGE; i++)
		assert_int_equal(q[i], 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, create, destroy)
	const struct CMUnitTest tests[] = {
		TEST(test_forget_va),	  TEST(test_forget_large), TEST(test_random),
		TEST(test_neighbours),	  TEST(test_forget_own),   TEST(test_out_of_tables),
		TEST(test_out_of_memory), TEST(test_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
