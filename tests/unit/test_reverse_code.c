/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of code: what is in them, and when they follow the original. */
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

enum {
	WORDS = REVERSE_PAGE / 4,
	PAGES = 16,
	NOP = 0xd503201f,
	SMC = 0xd4000003,
	SVC = 0xd4000001,
	ERET = 0xd69f03e0,
	MRS_X0_SCR = 0xd53e1100,
	DC_CISW = 0xd5087e40,
	DC_ISW = 0xd5087640,
};

struct rig {
	struct hidden hidden;
	struct code code;
	uint32_t *memory; /* of the guest: PAGES */
};

static int create(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	pthread_mutex_init(&r->hidden.lock, NULL);
	r->hidden.gpa = HIDDEN;
	r->hidden.host = mmap(NULL, REVERSE_HIDDEN, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(r->hidden.host != MAP_FAILED);
	code_init(&r->code, &r->hidden);
	r->code.recode = true;
	r->memory = aligned_alloc(REVERSE_PAGE, PAGES * REVERSE_PAGE);
	for (unsigned i = 0; i < PAGES * WORDS; i++)
		r->memory[i] = NOP;
	*state = r;
	return 0;
}

static int destroy(void **state)
{
	struct rig *r = *state;

	code_fini(&r->code);
	munmap(r->hidden.host, REVERSE_HIDDEN);
	free(r->memory);
	free(r);
	return 0;
}

static uint32_t *page(struct rig *r, unsigned n)
{
	return r->memory + n * WORDS;
}

static const uint8_t *original(struct rig *r, unsigned n)
{
	return (const uint8_t *)page(r, n);
}

static const uint32_t *copy_at(struct rig *r, uint64_t gpa)
{
	assert_in_range(gpa, HIDDEN, HIDDEN + REVERSE_HIDDEN - REVERSE_PAGE);
	return (const uint32_t *)(const void *)(r->hidden.host + (gpa - HIDDEN));
}

/* Activates it; NULL: there can be no copy. */
static const uint32_t *get(struct rig *r, unsigned n, bool *activated, bool *patched)
{
	bool a, p;
	uint64_t gpa = code_get(&r->code, original(r, n), activated ? activated : &a,
				patched ? patched : &p);

	return gpa ? copy_at(r, gpa) : NULL;
}

static bool is_slot(struct rig *r, uint32_t copy, uint32_t word)
{
	return slots_of_brk(&r->code.slots, copy) >= 0 && code_original(&r->code, copy) == word;
}

/* ---- what is in a copy ---- */

static void test_copy(void **state)
{
	struct rig *r = *state;
	static const uint32_t caught[] = {SMC, ERET, MRS_X0_SCR, SVC, 0xd4200000};
	bool activated, patched;
	const uint32_t *copy;

	for (unsigned i = 0; i < ARRAY_COUNT(caught); i++)
		page(r, 0)[2 * i] = caught[i];
	page(r, 0)[WORDS - 1] = MRS_X0_SCR;
	copy = get(r, 0, &activated, &patched);
	assert_non_null(copy);
	assert_true(activated && patched);
	for (unsigned i = 0; i < ARRAY_COUNT(caught); i++) {
		assert_true(is_slot(r, copy[2 * i], caught[i]));
		assert_int_equal(copy[2 * i + 1], NOP);
		assert_int_equal(page(r, 0)[2 * i], caught[i]); /* the guest's is left alone */
	}
	assert_int_equal(copy[WORDS - 1], copy[4]); /* one slot for a word, wherever it stands */
	assert_ptr_equal(get(r, 0, &activated, &patched), copy);
	assert_true(!activated && patched);
}

static void test_plain(void **state)
{
	struct rig *r = *state;
	bool activated, patched;

	assert_memory_equal(get(r, 1, &activated, &patched), page(r, 1), REVERSE_PAGE);
	assert_true(activated && !patched);
}

/* Nothing comes of set and way in a cache that the guest cannot see. */
static void test_set_way(void **state)
{
	struct rig *r = *state;
	const uint32_t *copy;

	page(r, 0)[0] = DC_CISW;
	page(r, 0)[1] = DC_ISW | 7;
	page(r, 0)[2] = 0xd5087a45; /* CSW */
	page(r, 0)[3] = 0xd508751f; /* IC IALLU */
	copy = get(r, 0, NULL, NULL);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(copy[i], NOP);
	assert_true(is_slot(r, copy[3], 0xd508751f));
}

/* With --intercept brk it exits like all else. */
static void test_no_recoding(void **state)
{
	struct rig *r = *state;

	r->code.recode = false;
	page(r, 0)[0] = DC_CISW;
	assert_true(is_slot(r, get(r, 0, NULL, NULL)[0], DC_CISW));
}

static void test_active_within(void **state)
{
	struct rig *r = *state;
	const uint8_t *first = (const uint8_t *)page(r, 1);

	assert_false(code_is_active_within(&r->code, first, REVERSE_PAGE));
	get(r, 1, NULL, NULL);
	assert_true(code_is_active_within(&r->code, first, REVERSE_PAGE));
	assert_true(code_is_active_within(&r->code, first - REVERSE_PAGE, 2 * REVERSE_PAGE));
	assert_false(code_is_active_within(&r->code, first - REVERSE_PAGE, REVERSE_PAGE));
	assert_false(code_is_active_within(&r->code, first + REVERSE_PAGE, REVERSE_PAGE));
}

/* A patch that a guest has copied (in a native system) stands for the same word at every level. */
static void test_copied_patch(void **state)
{
	struct rig *r = *state;
	const uint32_t *copy;
	uint32_t brk;

	page(r, 0)[0] = SMC;
	brk = get(r, 0, NULL, NULL)[0];
	page(r, 1)[5] = brk;
	copy = get(r, 1, NULL, NULL);
	assert_int_equal(copy[5], brk);
	assert_int_equal(code_original(&r->code, copy[5]), SMC);
	page(r, 2)[0] = 0xd4200000 | 0xdfff << 5; /* a slot that is not in use */
	copy = get(r, 2, NULL, NULL);
	assert_true(is_slot(r, copy[0], page(r, 2)[0]));
}

/* ---- following ---- */

static void test_write(void **state)
{
	struct rig *r = *state;
	const uint32_t *copy;

	page(r, 0)[0] = SMC;
	copy = get(r, 0, NULL, NULL);
	page(r, 0)[0] = NOP;
	page(r, 0)[1] = ERET;
	assert_int_equal(code_written(&r->code, original(r, 0)), 0);
	assert_int_equal(copy[0], NOP);
	assert_true(is_slot(r, copy[1], ERET));
	assert_true(code_is_active(&r->code, original(r, 0)));
	assert_false(code_is_active(&r->code, original(r, 1)));
}

/* What could be read as it was cannot any more: mappings have to go. */
static void test_first_patch(void **state)
{
	struct rig *r = *state;
	bool activated, patched;
	uint64_t gpa = code_get(&r->code, original(r, 0), &activated, &patched);

	assert_false(patched);
	page(r, 0)[7] = SMC;
	assert_int_equal(code_written(&r->code, original(r, 0)), gpa);
	page(r, 0)[8] = SMC;
	assert_int_equal(code_written(&r->code, original(r, 0)), 0);
	assert_true(is_slot(r, copy_at(r, gpa)[8], SMC));
}

/* Data beside code: after so many writes it is no code, until it is executed again. */
static void test_demotion(void **state)
{
	struct rig *r = *state;
	bool activated, patched;
	uint64_t gpa = code_get(&r->code, original(r, 0), &activated, &patched), gone = 0;
	unsigned n;

	for (n = 0; n < 100 && !gone; n++) {
		page(r, 0)[n] = 0x11000000 + n;
		gone = code_written(&r->code, original(r, 0));
	}
	assert_int_equal(gone, gpa);
	assert_in_range(n, 2, 99);
	assert_false(code_is_active(&r->code, original(r, 0)));
	page(r, 0)[0] = SMC; /* unseen now */
	assert_int_equal(code_written(&r->code, original(r, 0)), 0);
	assert_int_equal(code_get(&r->code, original(r, 0), &activated, &patched), gpa);
	assert_true(activated && patched);
	assert_true(is_slot(r, copy_at(r, gpa)[0], SMC));
	assert_int_equal(code_written(&r->code, original(r, 0)), 0); /* counted anew */
}

static void test_refresh(void **state)
{
	struct rig *r = *state;
	const uint32_t *a = get(r, 0, NULL, NULL), *b = get(r, 1, NULL, NULL);

	page(r, 0)[3] = SMC;
	page(r, 1)[3] = ERET;
	code_refresh(&r->code, original(r, 0));
	assert_true(is_slot(r, a[3], SMC));
	assert_int_equal(b[3], NOP);
	code_refresh(&r->code, NULL);
	assert_true(is_slot(r, b[3], ERET));
	code_refresh(&r->code, original(r, 9)); /* never executed */
	assert_false(code_is_active(&r->code, original(r, 9)));
}

/* ---- limits ---- */

static void test_out_of_slots(void **state)
{
	struct rig *r = *state;
	uint32_t n = 0;
	bool activated, patched;

	for (unsigned p = 0; p < SLOT_COUNT / WORDS; p++) {
		for (unsigned i = 0; i < WORDS; i++)
			page(r, p)[i] = SVC | n++ << 5;
		assert_non_null(get(r, p, NULL, NULL));
	}
	page(r, 10)[0] = SMC;
	page(r, 10)[1] = SVC;
	/* No copy: soft executes it. What is written there still counts. */
	assert_int_equal(code_get(&r->code, original(r, 10), &activated, &patched), 0);
	assert_int_equal(code_get(&r->code, original(r, 10), &activated, &patched), 0);
	assert_non_null(get(r, 0, NULL, NULL));
	page(r, 10)[0] = NOP;
	code_written(&r->code, original(r, 10));
	assert_non_null(get(r, 10, NULL, NULL));
	assert_true(is_slot(r, get(r, 10, NULL, NULL)[1], SVC));
}

static void test_out_of_memory(void **state)
{
	struct rig *r = *state;
	bool activated, patched;
	uint64_t gpa;

	assert_non_null(get(r, 0, NULL, NULL));
	while (hidden_page(&r->hidden, &gpa))
		;
	assert_int_equal(code_get(&r->code, original(r, 1), &activated, &patched), 0);
	assert_false(activated);
	assert_false(code_is_active(&r->code, original(r, 1)));
	assert_int_equal(code_written(&r->code, original(r, 1)), 0);
	code_refresh(&r->code, NULL);
	assert_non_null(get(r, 0, NULL, NULL));
}

/* The table grows; addresses that collide are told apart. */
static void test_many_pages(void **state)
{
	struct rig *r = *state;
	enum { MANY = 2000 };
	uint8_t *memory = aligned_alloc(REVERSE_PAGE, MANY * REVERSE_PAGE);
	uint64_t *gpa = calloc(MANY, sizeof(*gpa));
	bool activated, patched;

	memset(memory, 0, MANY * REVERSE_PAGE);
	for (unsigned i = 0; i < MANY; i++) {
		memcpy(memory + (size_t)i * REVERSE_PAGE, &i, 4);
		gpa[i] = code_get(&r->code, memory + (size_t)i * REVERSE_PAGE, &activated,
				  &patched);
		assert_true(gpa[i] && activated);
	}
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(
			code_get(&r->code, memory + (size_t)i * REVERSE_PAGE, &activated, &patched),
			gpa[i]);
		assert_false(activated);
		assert_int_equal(copy_at(r, gpa[i])[0], i);
	}
	free(gpa);
	free(memory);
}

/* ---- native systems ---- */

enum { TLBI = 0xd508871f };

static void test_patch_in_place(void **state)
{
	struct rig *r = *state;
	unsigned window = 0;
	uint32_t *p = page(r, 0);

	p[0] = SMC;
	p[1] = SVC; /* the system's own */
	p[2] = ERET;
	p[3] = 0xd5380000;  /* MRS X0, MIDR_EL1 */
	p[4] = 0xd5381000;  /* MRS X0, SCTLR_EL1 */
	p[20] = 0xd5033fdf; /* ISB */
	p[30] = TLBI;
	p[32] = 0xd5033fdf;
	assert_int_equal(code_patch(&r->code, (uint8_t *)p, &window, false), 3);
	assert_int_equal(p[0], SMC);
	window = 0;
	assert_int_equal(code_patch(&r->code, (uint8_t *)p, &window, true), 3);
	assert_true(is_slot(r, p[0], SMC) && is_slot(r, p[3], 0xd5380000));
	assert_true(is_slot(r, p[32], 0xd5033fdf));
	assert_int_equal(p[1], SVC);
	assert_int_equal(p[2], ERET);
	assert_int_equal(p[4], 0xd5381000);
	assert_int_equal(p[20], 0xd5033fdf);
	window = 0;
	assert_int_equal(code_patch(&r->code, (uint8_t *)p, &window, true), 0);
	code_lift(&r->code, &p[32]);
	assert_int_equal(p[32], 0xd5033fdf);
	code_lift(&r->code, &p[1]); /* no patch: nothing happens */
	assert_int_equal(p[1], SVC);
}

/* From one page to the next, as far as the window goes. */
static void test_window(void **state)
{
	struct rig *r = *state;
	unsigned window = 0;

	page(r, 0)[WORDS - 1] = TLBI;
	page(r, 1)[CODE_WINDOW - 1] = 0xd5033fdf;
	page(r, 1)[CODE_WINDOW] = 0xd5033fdf;
	code_patch(&r->code, (uint8_t *)page(r, 0), &window, true);
	assert_int_equal(code_patch(&r->code, (uint8_t *)page(r, 1), &window, true), 1);
	assert_true(is_slot(r, page(r, 1)[CODE_WINDOW - 1], 0xd5033fdf));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, create, destroy)
	const struct CMUnitTest tests[] = {
		TEST(test_copy),	  TEST(test_plain),	  TEST(test_set_way),
		TEST(test_copied_patch),  TEST(test_write),	  TEST(test_first_patch),
		TEST(test_demotion),	  TEST(test_refresh),	  TEST(test_out_of_slots),
		TEST(test_out_of_memory), TEST(test_many_pages),  TEST(test_patch_in_place),
		TEST(test_window),	  TEST(test_no_recoding), TEST(test_active_within),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
