/* SPDX-License-Identifier: Apache-2.0 */
/* Patching, discovery, scan and giving back, on words of memory that nobody executes. */
#include "intercept/intercept.h"

#include "mem/mem.h"
#include "util/bits.h"
#include "util/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	EVERY = POLICY_ALWAYS | POLICY_UNSETTLED | POLICY_TABLES,
	BASE = 0x40000000,
	SIZE = 0x100000,
	WORDS = SIZE / 4,
	PAGE = 4096,
	ROM_BASE = 0x8000, /* no region reaches it */
	ROM_SIZE = 0x1800, /* ends within a page */
	HVC = 0xd4000002,
	SMC = 0xd4000003,
	NOP = 0xd503201f,
	RET = 0xd65f03c0,
	UDF = 0,
	BRK0 = 0xd4380000,  /* brk #0xc000 */
	CBZ_8 = 0xb4000040, /* cbz x0, .+8 */
	TBZ_8 = 0x36000040, /* tbz w0, #0, .+8 */
	BCC_8 = 0x54000043, /* b.cc .+8 */
};

struct rig {
	struct mem_space *mem;
	struct mem_region ram, rom;
	uint32_t *word, *rom_word;
	struct intercept *ic;
};

static uint32_t brk(unsigned imm)
{
	return 0xd4200000 | imm << 5;
}

static uint32_t b(int words)
{
	return 0x14000000 | (words & 0x3ffffff);
}

static uint32_t bl(int words)
{
	return 0x94000000 | (words & 0x3ffffff);
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct err e = {0};

	r->word = aligned_alloc(4096, SIZE);
	memset(r->word, 0, SIZE);
	r->rom_word = aligned_alloc(4096, 0x2000);
	memset(r->rom_word, 0, 0x2000);
	r->ram = (struct mem_region){.name = "ram",
				     .base = BASE,
				     .size = SIZE,
				     .kind = MEM_RAM,
				     .host = (uint8_t *)r->word};
	r->rom = (struct mem_region){.name = "rom",
				     .base = ROM_BASE,
				     .size = ROM_SIZE,
				     .kind = MEM_ROM,
				     .direct = true,
				     .min_width = 1,
				     .max_width = 8,
				     .host = (uint8_t *)r->rom_word};
	r->mem = mem_space_create();
	assert_int_equal(mem_add(r->mem, &r->ram, &e), 0);
	assert_int_equal(mem_add(r->mem, &r->rom, &e), 0);
	mem_freeze(r->mem);
	r->ic = intercept_create(r->mem);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	intercept_destroy(r->ic);
	mem_space_destroy(r->mem);
	free(r->word);
	free(r->rom_word);
	free(r);
	return 0;
}

static uint64_t at(unsigned n)
{
	return BASE + 4 * n;
}

static bool identity(void *opaque, uint64_t va, uint64_t *gpa)
{
	*gpa = va;
	return true;
}

/* A high mapping of RAM, and nothing else. */
static const uint64_t high = 0xffff000000000000;

static bool high_half(void *opaque, uint64_t va, uint64_t *gpa)
{
	*gpa = va - high + BASE;
	return va >= high && va - high < SIZE;
}

static unsigned discover(struct rig *r, unsigned n)
{
	return intercept_discover(r->ic, at(n), identity, NULL, EVERY);
}

static bool keep_none(void *opaque, uint64_t gpa, const struct policy_row *row, bool followed)
{
	return false;
}

static struct intercept_counts counts(const struct rig *r)
{
	struct intercept_counts c;

	intercept_counts(r->ic, &c);
	return c;
}

static uint32_t slot_word(const struct rig *r, uint32_t word)
{
	const struct intercept_slot *s = intercept_slot(r->ic, word >> 5 & 0xffff);

	return s && (word & 0xffe0001f) == 0xd4200000 ? s->word : 0;
}

/* ---- slots ---- */

static void test_slots_stand_for_words(void **state)
{
	struct rig *r = *state;

	r->word[0] = HVC;
	r->word[1] = SMC;
	r->word[2] = HVC;
	intercept_scan(r->ic, at(0), 12, EVERY);
	assert_int_equal(r->word[0], r->word[2]);
	assert_int_not_equal(r->word[0], r->word[1]);
	assert_int_equal(slot_word(r, r->word[0]), HVC);
	assert_int_equal(slot_word(r, r->word[1]), SMC);
	assert_int_equal(counts(r).slots, 2);
	assert_int_equal(counts(r).sites, 3);
	assert_null(intercept_slot(r->ic, 0));
	assert_null(intercept_slot(r->ic, INTERCEPT_SLOT_FIRST + 2));
	assert_null(intercept_slot(r->ic, INTERCEPT_SLOT_LAST));
}

/* BRK immediates of an image, at any alignment, stay the guest's. */
static void test_reserved_immediates(void **state)
{
	struct rig *r = *state;

	r->word[8] = brk(INTERCEPT_SLOT_FIRST);
	r->word[9] = brk(INTERCEPT_SLOT_FIRST + 2);
	r->word[10] = brk(0xe000);
	intercept_reserve(r->ic, at(0) + 1, 4 * 11);
	intercept_reserve(r->ic, at(0) + 1, 2); /* shorter than the way to an instruction */
	r->word[0] = HVC;
	r->word[1] = SMC;
	intercept_scan(r->ic, at(0), 4 * 11, EVERY);
	assert_int_equal(r->word[0], brk(INTERCEPT_SLOT_FIRST + 1));
	assert_int_equal(r->word[1], brk(INTERCEPT_SLOT_FIRST + 3));
	assert_int_equal(r->word[8], brk(INTERCEPT_SLOT_FIRST));
	assert_int_equal(r->word[9], brk(INTERCEPT_SLOT_FIRST + 2));
	assert_int_equal(r->word[10], brk(0xe000));
	assert_int_equal(intercept_slot(r->ic, INTERCEPT_SLOT_FIRST + 2)->row->what,
			 INTERCEPT_GUEST_BRK);
}

static void test_slots_run_out(void **state)
{
	struct rig *r = *state;
	unsigned slots = INTERCEPT_SLOT_LAST - INTERCEPT_SLOT_FIRST + 1;

	for (unsigned i = 0; i < slots + 5; i++)
		r->word[i] = HVC | i << 5;
	intercept_scan(r->ic, at(0), 4 * (slots + 5), EVERY);
	assert_int_equal(counts(r).slots, slots);
	assert_int_equal(counts(r).slots_short, 5);
	assert_int_equal(slot_word(r, r->word[slots - 1]), HVC | (slots - 1) << 5);
	for (unsigned i = slots; i < slots + 5; i++)
		assert_int_equal(r->word[i], HVC | i << 5);
	r->word[slots] = HVC; /* known words still have theirs */
	intercept_scan(r->ic, at(slots), 4, EVERY);
	assert_int_equal(r->word[slots], r->word[0]);
	intercept_restore(r->ic, keep_none, NULL);
	assert_int_equal(r->word[slots - 1], HVC | (slots - 1) << 5);
}

/* ---- scan ---- */

static void test_scan_passes_over_holes(void **state)
{
	struct rig *r = *state;

	r->rom_word[0] = HVC;
	r->rom_word[ROM_SIZE / 4 - 1] = HVC; /* in a page that is memory in part only */
	r->word[0] = HVC;
	r->word[WORDS - 1] = HVC;
	intercept_scan(r->ic, BASE - 0x10000, 0x10000 + 4, EVERY);
	intercept_scan(r->ic, at(WORDS - 1), 0x10000, EVERY);
	assert_int_equal(slot_word(r, r->word[0]), HVC);
	assert_int_equal(slot_word(r, r->word[WORDS - 1]), HVC);
	intercept_scan(r->ic, ROM_BASE, ROM_SIZE, EVERY);
	assert_int_equal(slot_word(r, r->rom_word[0]), HVC);
	assert_int_equal(slot_word(r, r->rom_word[ROM_SIZE / 4 - 1]), HVC);
	intercept_scan(r->ic, at(0), 0, EVERY);
	intercept_scan(r->ic, at(0), 3, EVERY);
	intercept_scan(r->ic, UINT64_MAX - 4095, 4096, EVERY);
}

static void test_scan_asks_when(void **state)
{
	struct rig *r = *state;

	r->word[0] = RET;
	r->word[1] = HVC;
	intercept_scan(r->ic, at(0), 8, POLICY_ALWAYS);
	assert_int_equal(r->word[0], RET);
	assert_int_equal(slot_word(r, r->word[1]), HVC);
}

/* ---- discovery ---- */

static void test_follows_direct_branches(void **state)
{
	struct rig *r = *state;
	static const uint32_t conditional[] = {CBZ_8, TBZ_8, BCC_8};

	for (unsigned i = 0; i < ARRAY_COUNT(conditional); i++) {
		unsigned n = 100 * i;

		r->word[n] = conditional[i];
		r->word[n + 1] = b(50); /* not taken */
		r->word[n + 2] = HVC;	/* taken */
		r->word[n + 3] = b(60);
		r->word[n + 4] = HVC; /* data behind an unconditional branch */
		r->word[n + 51] = SMC;
		r->word[n + 52] = bl(20);
		r->word[n + 53] = HVC; /* behind a call */
		r->word[n + 54] = RET;
		r->word[n + 55] = HVC; /* data */
		r->word[n + 63] = SMC;
		r->word[n + 64] = b(0);
		r->word[n + 72] = HVC;
		r->word[n + 73] = UDF;
		r->word[n + 74] = HVC; /* data */
		assert_true(discover(r, n) > 0);
		assert_int_equal(slot_word(r, r->word[n + 2]), HVC);
		assert_int_equal(slot_word(r, r->word[n + 51]), SMC);
		assert_int_equal(slot_word(r, r->word[n + 53]), HVC);
		assert_int_equal(slot_word(r, r->word[n + 54]), RET);
		assert_int_equal(slot_word(r, r->word[n + 63]), SMC);
		assert_int_equal(slot_word(r, r->word[n + 72]), HVC);
		assert_int_equal(r->word[n + 4], HVC);
		assert_int_equal(r->word[n + 55], HVC);
		assert_int_equal(r->word[n + 74], HVC);
		assert_int_equal(discover(r, n), 0); /* nothing new */
	}
}

static void test_backward_and_far_branches(void **state)
{
	struct rig *r = *state;

	r->word[5000] = bl(-4000);
	r->word[5001] = b(-0x2000000); /* out of memory */
	r->word[1000] = HVC;
	r->word[1001] = b(-1); /* a loop */
	discover(r, 5000);
	assert_int_equal(slot_word(r, r->word[1000]), HVC);
}

/* A BLR, unlike BR, comes back. */
static void test_indirect_branches(void **state)
{
	struct rig *r = *state;

	r->word[0] = 0xd63f0020; /* blr x1 */
	r->word[1] = 0xd73f0843; /* blraa x2, x3 */
	r->word[2] = HVC;
	r->word[3] = 0xd61f0220; /* br x17 */
	r->word[4] = HVC;
	r->word[8] = 0xd71f0801; /* braa x0, x1 */
	r->word[9] = HVC;
	r->word[16] = 0xd69f03e0; /* eret */
	r->word[17] = HVC;
	discover(r, 0);
	discover(r, 8);
	discover(r, 16);
	assert_int_equal(slot_word(r, r->word[2]), HVC);
	assert_int_equal(r->word[4], HVC);
	assert_int_equal(r->word[9], HVC);
	assert_int_equal(r->word[17], HVC);
}

static void test_odd_starts(void **state)
{
	struct rig *r = *state;

	r->word[0] = HVC;
	assert_int_equal(intercept_discover(r->ic, at(0) + 2, identity, NULL, EVERY), 0);
	assert_int_equal(intercept_discover(r->ic, 0, identity, NULL, EVERY), 0);
	assert_int_equal(intercept_discover(r->ic, UINT64_MAX - 3, identity, NULL, EVERY), 0);
	assert_int_equal(intercept_discover(r->ic, at(0), high_half, NULL, EVERY), 0);
	assert_int_equal(r->word[0], HVC);
	r->word[WORDS - 1] = NOP; /* runs off the end */
	assert_int_equal(discover(r, WORDS - 1), 1);
	r->rom_word[ROM_SIZE / 4 - 1] = NOP;
	assert_int_equal(intercept_discover(r->ic, ROM_BASE + ROM_SIZE - 4, identity, NULL, EVERY),
			 1);
}

static void test_rewritten_code_is_looked_at_again(void **state)
{
	struct rig *r = *state;

	r->word[0] = NOP;
	r->word[1] = HVC;
	r->word[2] = b(0);
	r->word[10] = SMC;
	r->word[11] = b(0);
	r->word[3] = HVC; /* data */
	discover(r, 0);
	r->word[0] = b(10);
	r->word[3] = SMC; /* data still */
	intercept_recheck(r->ic, at(0), identity, NULL, EVERY);
	assert_int_equal(slot_word(r, r->word[10]), SMC);
	assert_int_equal(r->word[3], SMC);
	r->word[1] = SMC; /* over a patch */
	intercept_recheck_all(r->ic, identity, NULL, EVERY);
	assert_int_equal(slot_word(r, r->word[1]), SMC);
	r->word[1] = HVC;
	discover(r, 0); /* looks at the page as well */
	assert_int_equal(slot_word(r, r->word[1]), HVC);
	intercept_recheck(r->ic, 0x1000, identity, NULL, EVERY); /* a page it does not know */
}

/* Code that was followed at other virtual than physical addresses is followed there again. */
static void test_recheck_uses_virtual_addresses(void **state)
{
	struct rig *r = *state;

	r->word[0] = NOP;
	r->word[1] = b(0);
	r->word[2000] = HVC;
	r->word[2001] = b(0);
	assert_int_equal(intercept_discover(r->ic, high, high_half, NULL, EVERY), 2);
	r->word[0] = bl(2000);
	intercept_recheck(r->ic, at(0), high_half, NULL, EVERY);
	assert_int_equal(slot_word(r, r->word[2000]), HVC);
	r->word[2000] = SMC;
	intercept_recheck_all(r->ic, high_half, NULL, EVERY);
	assert_int_equal(slot_word(r, r->word[2000]), SMC);
}

/* Every word a branch, to far-off pages: ends, and ends soon. */
static void test_a_forest_of_branches(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < WORDS; i++)
		r->word[i] = bl((int)((i * 40503U) % WORDS) - (int)i);
	assert_int_equal(discover(r, 0), WORDS);
	assert_int_equal(counts(r).patches, 0);
}

/* ---- lift, lower, release ---- */

static void test_lift_and_lower(void **state)
{
	struct rig *r = *state;
	uint32_t patched;

	r->word[0] = HVC;
	r->word[1] = b(0);
	discover(r, 0);
	patched = r->word[0];
	assert_true(intercept_is_site(r->ic, at(0)));
	assert_false(intercept_is_site(r->ic, at(1)));
	assert_true(intercept_lift(r->ic, at(0)));
	assert_int_equal(r->word[0], HVC);
	assert_false(intercept_lift(r->ic, at(0))); /* there is no patch now */
	intercept_lower(r->ic, at(0));
	assert_int_equal(r->word[0], patched);
	assert_true(intercept_lift(r->ic, at(0)));
	r->word[0] = NOP; /* another PE's store wins */
	intercept_lower(r->ic, at(0));
	assert_int_equal(r->word[0], NOP);
	assert_false(intercept_lift(r->ic, at(1)));
	assert_false(intercept_lift(r->ic, 0x1000));
	intercept_lower(r->ic, 0x1000);
	intercept_release(r->ic, 0x1000);
	intercept_release(r->ic, at(1));
	assert_int_equal(counts(r).releases, 0);
}

static void test_release_is_for_good(void **state)
{
	struct rig *r = *state;

	r->word[0] = RET;
	discover(r, 0);
	intercept_release(r->ic, at(0));
	assert_int_equal(r->word[0], RET);
	assert_false(intercept_is_site(r->ic, at(0)));
	intercept_recheck_all(r->ic, identity, NULL, EVERY);
	assert_int_equal(discover(r, 0), 0);
	assert_int_equal(r->word[0], RET);
	assert_int_equal(counts(r).releases, 1);
	assert_int_equal(counts(r).sites, 0);
}

/* What an indirect branch may lead to once nobody looks at it any more. */
static void test_scan_known(void **state)
{
	struct rig *r = *state;

	r->word[0] = RET;
	r->word[10] = HVC;
	r->word[11] = RET;
	r->word[PAGE / 4] = HVC; /* in a page without code that was followed */
	discover(r, 0);
	assert_int_equal(r->word[10], HVC);
	intercept_scan_known(r->ic, POLICY_ALWAYS);
	assert_int_not_equal(r->word[10], HVC);
	assert_true(intercept_is_site(r->ic, at(10)));
	assert_int_equal(r->word[11], RET); /* only followed, not always */
	assert_int_equal(r->word[PAGE / 4], HVC);
	/* Once per page, unless it changes. */
	r->word[20] = HVC;
	intercept_scan_known(r->ic, POLICY_ALWAYS);
	assert_int_equal(r->word[20], HVC);
	intercept_recheck_all(r->ic, identity, NULL, EVERY);
	intercept_scan_known(r->ic, POLICY_ALWAYS);
	assert_true(intercept_is_site(r->ic, at(20)));
}

static void test_rearm(void **state)
{
	struct rig *r = *state;

	r->word[0] = RET;
	discover(r, 0);
	intercept_release(r->ic, at(0));
	intercept_rearm(r->ic, at(0), EVERY);
	assert_true(intercept_is_site(r->ic, at(0)));
	assert_int_not_equal(r->word[0], RET);
	intercept_recheck_all(r->ic, identity, NULL,
			      EVERY); /* the patch is no change of the guest's */
	assert_true(intercept_is_site(r->ic, at(0)));
	intercept_rearm(r->ic, at(PAGE / 4), EVERY); /* a page that is not known */
	assert_false(intercept_is_site(r->ic, at(PAGE / 4)));
}

/* ---- copies ---- */

static void test_copies_work(void **state)
{
	struct rig *r = *state;

	r->word[0] = HVC;
	r->word[1] = b(0);
	discover(r, 0);
	r->word[100] = r->word[0]; /* the guest moves its code */
	r->word[101] = b(0);
	assert_false(intercept_is_site(r->ic, at(100)));
	assert_true(intercept_lift(r->ic, at(100)));
	assert_int_equal(r->word[100], HVC);
	intercept_lower(r->ic, at(100));
	assert_int_equal(r->word[100], r->word[0]);
	assert_true(intercept_is_site(r->ic, at(100)));
	r->word[200] = r->word[0];
	r->word[201] = b(0);
	discover(r, 200);
	assert_int_equal(r->word[200], r->word[0]);
	intercept_restore(r->ic, keep_none, NULL);
	assert_int_equal(r->word[0], HVC);
	assert_int_equal(r->word[100], HVC);
	assert_int_equal(r->word[200], HVC);
}

/* Patched code copied to where other patched code was. */
static void test_copies_over_sites(void **state)
{
	struct rig *r = *state;
	uint32_t smc;

	r->word[0] = HVC;
	r->word[1] = SMC;
	r->word[2] = b(0);
	discover(r, 0);
	smc = r->word[1];
	r->word[0] = smc;
	assert_true(intercept_lift(r->ic, at(0)));
	assert_int_equal(r->word[0], SMC);
	intercept_lower(r->ic, at(0));
	assert_int_equal(r->word[0], smc);
	r->word[1] = r->word[0] - (1 << 5); /* HVC's, unseen by anybody */
	assert_int_equal(slot_word(r, r->word[1]), HVC);
	intercept_restore(r->ic, keep_none, NULL);
	assert_int_equal(r->word[0], SMC);
	assert_int_equal(r->word[1], HVC);
}

/* ---- restore ---- */

static bool keep_some(void *opaque, uint64_t gpa, const struct policy_row *row, bool followed)
{
	return gpa < *(uint64_t *)opaque && row->when == POLICY_ALWAYS;
}

static void test_restore_asks(void **state)
{
	struct rig *r = *state;
	uint64_t end = at(10);

	r->word[0] = HVC;
	r->word[1] = RET;
	r->word[20] = HVC;
	r->word[21] = NOP;
	intercept_scan(r->ic, at(0), 4 * 22, EVERY);
	r->word[1] = NOP; /* overwritten: must stay */
	intercept_restore(r->ic, keep_some, &end);
	assert_int_equal(slot_word(r, r->word[0]), HVC);
	assert_int_equal(r->word[1], NOP);
	assert_int_equal(r->word[20], HVC);
	assert_int_equal(counts(r).sites, 1);
	assert_int_equal(counts(r).restores, 1);
	assert_true(discover(r, 20) > 0); /* what was known is forgotten */
	intercept_reset(r->ic);
	assert_int_equal(counts(r).sites, 0);
	assert_true(intercept_slot(r->ic, INTERCEPT_SLOT_FIRST) != NULL); /* slots stay */
}

/* ---- guests that are too large ---- */

/* 8 MiB of one word: more than is followed at once, and more places than are kept. */
static void test_bounds(void **state)
{
	enum { MANY = 1 << 21, FOLLOWED = 1 << 20, SITES = 1 << 20 };
	struct rig big = {.word = calloc(MANY, 4)};
	struct err e = {0};
	unsigned patched = 0;

	big.ram = (struct mem_region){.name = "ram",
				      .base = BASE,
				      .size = 4 * MANY,
				      .kind = MEM_RAM,
				      .host = (uint8_t *)big.word};
	big.mem = mem_space_create();
	assert_int_equal(mem_add(big.mem, &big.ram, &e), 0);
	mem_freeze(big.mem);
	big.ic = intercept_create(big.mem);
	for (unsigned i = 0; i < MANY; i++)
		big.word[i] = NOP;
	assert_int_equal(discover(&big, 0), FOLLOWED);
	for (unsigned i = 0; i < MANY; i++)
		big.word[i] = HVC;
	intercept_scan(big.ic, at(0), 4 * MANY, EVERY);
	for (unsigned i = 0; i < MANY; i++)
		patched += big.word[i] != HVC;
	assert_int_equal(patched, SITES);
	assert_int_equal(counts(&big).sites, SITES);
	assert_int_equal(counts(&big).slots_short, MANY - SITES);
	big.word[MANY - 1] = big.word[0]; /* a copy, with no room to remember it */
	assert_true(intercept_lift(big.ic, at(MANY - 1)));
	assert_int_equal(big.word[MANY - 1], HVC);
	big.word[MANY - 1] = big.word[0];
	intercept_release(big.ic, at(MANY - 1));
	intercept_restore(big.ic, keep_none, NULL);
	for (unsigned i = patched = 0; i < MANY; i++)
		patched += big.word[i] != HVC;
	assert_int_equal(patched, 0);
	intercept_destroy(big.ic);
	mem_space_destroy(big.mem);
	free(big.word);
}

/* ---- whatever the memory holds ---- */

static uint32_t random_word(uint64_t *seed)
{
	static const uint32_t likely[] = {HVC, SMC, RET, NOP, CBZ_8, TBZ_8, 0xd538cc00, 0xd5181000};
	uint32_t v;

	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	v = *seed >> 32;
	switch (v & 7) {
	case 0:
		return v; /* also UDF, rarely */
	case 1:
		return bl((int)(v >> 20) - 2048);
	case 2:
		return b((int)(v >> 20) - 2048);
	default:
		return likely[v >> 8 & 7];
	}
}

/* The guest's writes in between are ordinary words; a BRK of a slot counts as a copy (docs). */
static uint32_t guest_word(uint64_t *seed)
{
	uint32_t w;

	do
		w = random_word(seed);
	while ((w & 0xffe0001f) == 0xd4200000);
	return w;
}

static void disturb(struct rig *r, uint32_t *model, uint64_t *seed)
{
	for (unsigned i = 0; i < 200; i++) {
		unsigned n = guest_word(seed) % WORDS;

		*seed += n;
		model[n] = r->word[n] = guest_word(seed);
	}
}

static void act(struct rig *r, uint64_t *seed)
{
	unsigned n = guest_word(seed) % WORDS, m = (*seed >> 40) % WORDS;

	switch (*seed >> 36 & 7) {
	case 0:
		intercept_scan(r->ic, at(n), 4 * (uint64_t)(m > n ? m - n : 1), EVERY);
		break;
	case 1:
		intercept_recheck_all(r->ic, identity, NULL, EVERY);
		break;
	case 2:
		intercept_recheck(r->ic, at(n), identity, NULL, EVERY);
		break;
	case 3:
		intercept_release(r->ic, at(n));
		break;
	case 4:
		if (intercept_lift(r->ic, at(n)))
			intercept_lower(r->ic, at(n));
		break;
	default:
		discover(r, n);
	}
}

static void test_restore_gives_everything_back(void **state)
{
	struct rig *r = *state;
	uint32_t *model = malloc(SIZE);

	for (uint64_t seed = 1, round = 0; round < 6; round++) {
		for (unsigned i = 0; i < WORDS; i++)
			model[i] = r->word[i] = guest_word(&seed);
		for (unsigned i = 0; i < 40; i++) {
			act(r, &seed);
			disturb(r, model, &seed);
		}
		intercept_restore(r->ic, keep_none, NULL);
		assert_memory_equal(r->word, model, SIZE);
		assert_int_equal(counts(r).sites, 0);
	}
	assert_true(counts(r).patches > 1000);
	free(model);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_slots_stand_for_words),
		TEST(test_reserved_immediates),
		TEST(test_slots_run_out),
		TEST(test_scan_passes_over_holes),
		TEST(test_scan_asks_when),
		TEST(test_follows_direct_branches),
		TEST(test_backward_and_far_branches),
		TEST(test_indirect_branches),
		TEST(test_odd_starts),
		TEST(test_rewritten_code_is_looked_at_again),
		TEST(test_recheck_uses_virtual_addresses),
		TEST(test_a_forest_of_branches),
		TEST(test_lift_and_lower),
		TEST(test_release_is_for_good),
		TEST(test_scan_known),
		TEST(test_rearm),
		TEST(test_copies_work),
		TEST(test_copies_over_sites),
		TEST(test_restore_asks),
		cmocka_unit_test(test_bounds),
		TEST(test_restore_gives_everything_back),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
