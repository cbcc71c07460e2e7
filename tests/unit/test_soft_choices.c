/* SPDX-License-Identifier: Apache-2.0 */
/* What instructions of the soft engine do that are CONSTRAINED UNPREDICTABLE: docs/unpredictable.md, row by row. */
#include "soft_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { BASE = SOFT_RIG_MEM + 64 };

#define A  0xa7a6a5a4a3a2a1a0ULL /* at BASE */
#define B  0xb7b6b5b4b3b2b1b0ULL /* behind it */
#define X1 0x1111111111111111ULL
#define X2 0x2222222222222222ULL

#define REGS(word, rs, rt2, rn, rt)                                                                \
	(((word) & ~(31U << 16 | 31U << 10 | 31U << 5 | 31U)) | (rs) << 16 | (rt2) << 10 |         \
	 (rn) << 5 | (rt))
/* Pairs, and single registers, without Rs. */
#define PAIR(word, rt2, rn, rt)                                                                    \
	(((word) & ~(31U << 10 | 31U << 5 | 31U)) | (rt2) << 10 | (rn) << 5 | (rt))
#define ONE(word, rn, rt) (((word) & ~(31U << 5 | 31U)) | (rn) << 5 | (rt))

enum {
	LDR_POST = 0xf8408400, /* #8 */
	LDR_PRE = 0xf8408c00,
	STR_POST = 0xf8008400,
	STR_PRE = 0xf8008c00,
	LDP = 0xa9400000,
	LDNP = 0xa8400000,
	LDP_POST = 0xa8c10000, /* #16 */
	STP_POST = 0xa8810000,
	LDPSW = 0x69400000,
	LDP_Q = 0xad400000,
	LDXR = 0xc85f7c00,
	LDXR_W = 0x885f7c00,
	LDXP = 0xc87f0000,
	STXR = 0xc8000000,
	STXP = 0xc8200000,
	LDAR = 0xc8c08000,
	STLR = 0xc8808000,
	LDAPR = 0xf8a0c000,
	CASP = 0x48207c00,
};

static struct soft_rig *make(void **state)
{
	struct soft_rig *r = *state = soft_rig_make();
	uint64_t values[2] = {A, B};

	memcpy(r->mem + 64, values, sizeof(values));
	r->c.x[1] = X1;
	r->c.x[2] = X2;
	r->c.x[4] = BASE;
	return r;
}

static int teardown(void **state)
{
	soft_rig_drop(*state);
	return 0;
}

static uint64_t memory(const struct soft_rig *r, uint64_t at)
{
	uint64_t v;

	memcpy(&v, r->mem + (at - SOFT_RIG_MEM), 8);
	return v;
}

static const struct row {
	const char *what;
	uint32_t word;
	unsigned reg; /* afterwards register @reg is @value... */
	uint64_t value;
	uint64_t at, memory; /* ...and there is @memory, if not 0 */
} plain[] = {
	{"LDR with write-back to Rt, after", ONE(LDR_POST, 4, 4), 4, BASE + 8, 0, 0},
	{"LDR with write-back to Rt, before", ONE(LDR_PRE, 4, 4), 4, BASE + 8, 0, 0},
	{"LDP with write-back to Rt", PAIR(LDP_POST, 1, 4, 4), 4, BASE + 16, 0, 0},
	{"LDP with write-back to Rt2", PAIR(LDP_POST, 4, 4, 1), 4, BASE + 16, 0, 0},
	{"STR with write-back to Rt, after", ONE(STR_POST, 4, 4), 4, BASE + 8, BASE, BASE},
	{"STR with write-back to Rt, before", ONE(STR_PRE, 4, 4), 4, BASE + 8, BASE + 8, BASE},
	{"STP with write-back to Rt", PAIR(STP_POST, 1, 4, 4), 4, BASE + 16, BASE, BASE},
	{"STP with write-back to Rt2", PAIR(STP_POST, 4, 4, 1), 4, BASE + 16, BASE + 8, BASE},
	{"LDP of one register", PAIR(LDP, 1, 4, 1), 1, A, 0, 0},
	{"LDNP of one register", PAIR(LDNP, 1, 4, 1), 1, A, 0, 0},
	{"LDPSW of one register", PAIR(LDPSW, 1, 4, 1), 1, 0xffffffffa3a2a1a0, 0, 0},
	{"LDXP of one register", REGS(LDXP, 31, 1, 4, 1), 1, B, 0, 0},
	{"LDXR, ones are zeros", REGS(LDXR, 0, 0, 4, 1), 1, A, 0, 0},
	{"LDXP, ones are zeros", REGS(LDXP, 0, 1, 4, 2), 2, A, 0, 0},
	{"LDAR, ones are zeros", REGS(LDAR, 0, 0x20, 4, 1), 1, A, 0, 0},
	{"STLR, ones are zeros", REGS(STLR, 0, 0x20, 4, 1), 1, X1, BASE, X1},
};

static void check(struct soft_rig *r, const struct row *row)
{
	if (r->event != SOFT_RIG_OK || r->c.x[row->reg] != row->value)
		fail_msg("%s: event %d, X%u is 0x%llx", row->what, r->event, row->reg,
			 (unsigned long long)r->c.x[row->reg]);
	if (row->at && memory(r, row->at) != row->memory)
		fail_msg("%s: memory is 0x%llx", row->what, (unsigned long long)memory(r, row->at));
}

static void test_plain(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(plain); i++) {
		struct soft_rig *r = make(state);

		soft_rig_run(r, plain[i].word);
		check(r, &plain[i]);
		if (i + 1 < ARRAY_COUNT(plain))
			soft_rig_drop(r);
	}
}

/* After a load-exclusive of BASE. */
static const struct {
	uint32_t load;
	struct row row;
} exclusive[] = {
	{LDXR, {"STXR, Rs is Rt", REGS(STXR, 1, 31, 4, 1), 1, 0, BASE, X1}},
	{LDXR, {"STXR, Rs is Rn", REGS(STXR, 4, 31, 4, 1), 4, 0, BASE, X1}},
	{LDXP, {"STXP, Rs is Rt2", REGS(STXP, 2, 2, 4, 1), 2, 0, BASE + 8, X2}},
	{LDXR, {"STXR elsewhere", REGS(STXR, 3, 31, 5, 1), 3, 1, BASE + 8, B}},
	{LDXR_W, {"STXR of another size", REGS(STXR, 3, 31, 4, 1), 3, 1, BASE, A}},
	{LDXP, {"STXR of one of a pair", REGS(STXR, 3, 31, 4, 1), 3, 1, BASE, A}},
	{LDXR, {"STXR, ones are zeros", REGS(STXR, 3, 0, 4, 1), 3, 0, BASE, X1}},
};

static void test_exclusive(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(exclusive); i++) {
		struct soft_rig *r = make(state);

		r->c.x[5] = BASE + 8;
		assert_int_equal(soft_rig_run(r, REGS(exclusive[i].load, 31, 31, 4, 31)),
				 SOFT_RIG_OK);
		soft_rig_run(r, exclusive[i].row.word);
		check(r, &exclusive[i].row);
		if (i + 1 < ARRAY_COUNT(exclusive))
			soft_rig_drop(r);
	}
}

static void test_simd_pair(void **state)
{
	struct soft_rig *r = make(state);
	uint64_t more[2] = {0xc0, 0xd0};

	memcpy(r->mem + 80, more, sizeof(more));
	assert_int_equal(soft_rig_run(r, PAIR(LDP_Q, 1, 4, 1)), SOFT_RIG_OK);
	assert_int_equal(r->c.v[1].d[0], 0xc0);
	assert_int_equal(r->c.v[1].d[1], 0xd0);
}

static void test_undefined(void **state)
{
	static const uint32_t words[] = {
		REGS(CASP, 1, 31, 4, 2), /* registers have to be even */
		REGS(CASP, 2, 31, 4, 1),
	};
	struct soft_rig *r = make(state);

	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		assert_int_equal(soft_rig_run(r, words[i]), SOFT_RIG_UNDEFINED);
	assert_int_equal(memory(r, BASE), A);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_plain, teardown),
		cmocka_unit_test_teardown(test_exclusive, teardown),
		cmocka_unit_test_teardown(test_simd_pair, teardown),
		cmocka_unit_test_teardown(test_undefined, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
