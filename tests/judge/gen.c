// SPDX-License-Identifier: Apache-2.0
/*
 * Which words: Arm ARM (DDI 0487) C4.1 for the groups and the places of registers and offsets in them.
 * Loads and stores get addresses around the border of the scratch pages, from few base and index registers that
 * the other words of a block rarely change; branches of blocks go forward within the block.
 */
#include "gen.h"

#include "rig.h"

#include <string.h>

#define NOP 0xd503201fu

enum { RETRIES = 64, SPREAD = 1024 };
#define FIRST_BASE (JUDGE_SCRATCH + (JUDGE_SCRATCH_BYTES - SPREAD) / 2)

static bool is(uint32_t word, uint32_t mask, uint32_t value)
{
	return (word & mask) == value;
}

/* ---- rows ---- */

static enum judge_group system_group(enum a64_op op)
{
	static const char *const good[] = {"MSR", "MRS", "HINT", "CLREX", "DSB",    "DMB",
					   "ISB", "SB",	 "BRK",	 "CFINV", "XAFLAG", "AXFLAG"};

	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (strcmp(a64_rows[op].name, good[i]) == 0)
			return JUDGE_SYSTEM;
	return JUDGE_NONE;
}

enum judge_group judge_group(enum a64_op op)
{
	uint32_t v = a64_rows[op].value;

	if (is(v, 0x1c000000, 0x10000000))
		return JUDGE_IMM;
	if (is(v, 0xff000000, 0xd4000000) || is(v, 0xff000000, 0xd5000000) ||
	    strcmp(a64_rows[op].name, "ERET") == 0 || strcmp(a64_rows[op].name, "DRPS") == 0)
		return system_group(op);
	if (is(v, 0x1c000000, 0x14000000))
		return JUDGE_BRANCH;
	if (is(v, 0x0a000000, 0x08000000))
		return JUDGE_LDST;
	if (is(v, 0x0e000000, 0x0a000000))
		return JUDGE_REG;
	return is(v, 0x0e000000, 0x0e000000) ? JUDGE_SIMD : JUDGE_NONE;
}

/* @only: beginnings of names, with commas between them. */
static bool is_chosen(const char *name, const char *only)
{
	while (*only) {
		size_t n = strcspn(only, ",");

		if (strncmp(name, only, n) == 0)
			return true;
		only += n + (only[n] == ',');
	}
	return false;
}

bool judge_gen_init(struct judge_gen *g, uint64_t seed, const char *only, bool blocks,
		    const struct judge_known *known, struct judge_rig *rig, uint64_t *left_out)
{
	memset(g, 0, sizeof(*g));
	g->random.s = judge_mix(seed);
	g->known = known;
	g->blocks = blocks;
	g->left_out = left_out;
	g->rig = rig;
	for (enum a64_op op = A64_UNDEFINED + 1; op < A64_OP_COUNT; op++) {
		enum judge_group group = judge_group(op);

		if (group == JUDGE_NONE || !judge_rig_has(rig, op) ||
		    (*only && !is_chosen(a64_rows[op].name, only)))
			continue;
		g->row[group][g->count[group]++] = op;
		g->total++;
	}
	return g->total > 0;
}

static enum a64_op random_row(struct judge_gen *g)
{
	static const unsigned char weight[JUDGE_GROUPS] = {10, 4, 1, 25, 20, 40};
	unsigned sum = 0, n;

	for (unsigned i = 0; i < JUDGE_GROUPS; i++)
		sum += g->count[i] ? weight[i] : 0;
	n = judge_below(&g->random, sum);
	for (unsigned i = 0; i < JUDGE_GROUPS; i++) {
		unsigned w = g->count[i] ? weight[i] : 0;

		if (n < w)
			return g->row[i][judge_below(&g->random, g->count[i])];
		n -= w;
	}
	return A64_UNDEFINED;
}

/* ---- words ---- */

/* MSR and MRS of NZCV, FPCR, FPSR; HINT as NOP or without a meaning yet. */
static uint32_t system_word(struct judge_random *r, enum a64_op op, uint32_t w)
{
	static const uint32_t regs[] = {0x1b4200, 0x1b4400, 0x1b4420};
	const char *name = a64_rows[op].name;

	if (strcmp(name, "MSR") == 0 || strcmp(name, "MRS") == 0)
		return (w & 0xffe0001f) | regs[judge_below(r, 3)];
	if (strcmp(name, "HINT") == 0)
		return judge_one_in(r, 2) ? 0xd503201f : (w | 0x800);
	return w;
}

uint32_t judge_gen_word(struct judge_random *r, enum a64_op op)
{
	const struct a64_row *row = &a64_rows[op];

	for (unsigned i = 0; i < RETRIES; i++) {
		uint32_t w = row->value | (judge_u64(r) & ~row->mask);

		if (judge_group(op) == JUDGE_SYSTEM)
			w = system_word(r, op, w);
		if (a64_decode(w) == op)
			return w;
	}
	return 0;
}

static uint32_t insert(uint32_t w, unsigned low, unsigned width, uint32_t value)
{
	uint32_t mask = (uint32_t)((1ull << width) - 1) << low;

	return (w & ~mask) | (value << low & mask);
}

static unsigned rn(uint32_t w)
{
	return w >> 5 & 31;
}

static unsigned rm(uint32_t w)
{
	return w >> 16 & 31;
}

static bool is_literal(uint32_t w)
{
	return is(w, 0x3b000000, 0x18000000);
}

/* Loads and stores whose Rm is an offset: register offset, and SIMD structures with post-index. */
static bool has_index(uint32_t w)
{
	return is(w, 0x3b200c00, 0x38200800) || is(w, 0xbe800000, 0x0c800000);
}

/* Offsets small enough for the scratch memory. */
static uint32_t limit_offset(struct judge_random *r, uint32_t w)
{
	if (is(w, 0x3b000000, 0x39000000))
		return insert(w, 15, 7, 0);
	if (is(w, 0x3a000000, 0x28000000))
		return insert(w, 19, 3, w >> 18 & 1 ? 7 : 0);
	return w;
}

/* What a case is built with. */
struct plan {
	struct judge_case *c;
	unsigned base[4], index[2], target; /* registers; base may be 31, SP */
	uint32_t keep;			    /* registers that words should not change */
	bool sets_fpcr, wants_fz_0;
	uint32_t exclusive; /* the block's first load- or store-exclusive; 0: none yet */
};

static unsigned free_register(struct judge_random *r, struct plan *p)
{
	unsigned n;

	do
		n = judge_below(r, 31);
	while (p->keep >> n & 1);
	p->keep |= 1u << n;
	return n;
}

static void make_plan(struct judge_random *r, struct plan *p, struct judge_case *c)
{
	memset(p, 0, sizeof(*p));
	p->c = c;
	for (unsigned i = 0; i < 4; i++)
		p->base[i] = free_register(r, p);
	p->base[0] = 31;
	for (unsigned i = 0; i < 2; i++)
		p->index[i] = free_register(r, p);
	p->target = free_register(r, p);
}

static uint32_t place_memory(struct judge_random *r, const struct plan *p, uint32_t w)
{
	if (is_literal(w)) {
		uint64_t at = JUDGE_CODE + p->c->slot * JUDGE_SLOT_BYTES + JUDGE_PROLOGUE_BYTES +
			      p->c->count * 4;

		return insert(w, 5, 19, (FIRST_BASE + judge_below(r, SPREAD) - at) / 4);
	}
	w = insert(limit_offset(r, w), 5, 5, p->base[judge_below(r, 4)]);
	if (has_index(w) && rm(w) != 31)
		w = insert(w, 16, 5, p->index[judge_below(r, 2)]);
	return w;
}

/* Branches of a block of @n words go forward, to its end at most. */
static uint32_t place_branch(struct judge_random *r, struct plan *p, uint32_t w, unsigned n)
{
	unsigned left = n - p->c->count, words = 1 + judge_below(r, left);
	bool near = n > 1 || judge_one_in(r, 4);

	if (is(w, 0xfe000000, 0xd6000000))
		return n > 1 ? insert(w, 5, 5, p->target) : w;
	if (is(w, 0x7c000000, 0x14000000))
		return near ? insert(w, 0, 26, words) : w;
	if (is(w, 0x7e000000, 0x36000000))
		return insert(w, 5, 14, words);
	return near ? insert(w, 5, 19, words) : w;
}

/* Where a branch of a single word goes to, if it is direct. */
static bool goes_wild(const struct judge_case *c, uint32_t w)
{
	uint64_t pc = JUDGE_CODE + c->slot * JUDGE_SLOT_BYTES + JUDGE_PROLOGUE_BYTES;
	int64_t offset = 4;

	if (is(w, 0x7c000000, 0x14000000))
		offset = (int32_t)(w << 6) >> 4;
	else if (is(w, 0x7e000000, 0x34000000) || is(w, 0xff000000, 0x54000000))
		offset = (int32_t)(w << 8) >> 11 & ~3;
	if (offset > 0 && offset < 64)
		return false;
	pc += offset;
	return pc - JUDGE_CODE < JUDGE_CODE_BYTES ||
	       pc - JUDGE_PROGRAM < JUDGE_PROGRAM_END - JUDGE_PROGRAM;
}

/* Does the word's last field name a general register that others of the block need? */
static bool spoils(struct judge_random *r, const struct plan *p, enum judge_group group, uint32_t w)
{
	bool general = group == JUDGE_IMM || group == JUDGE_REG || group == JUDGE_LDST;

	return general && (w & 31) != 31 && p->keep >> (w & 31) & 1 && !judge_one_in(r, 32);
}

/* A store-exclusive of another size than the load-exclusive before it may fail or not (B2.12). */
static bool is_exclusive(uint32_t w)
{
	return is(w, 0x3f800000, 0x08000000) && (w & 0x80200000) != 0x00200000;
}

static bool other_size(const struct plan *p, uint32_t w)
{
	return is_exclusive(w) && p->exclusive && (p->exclusive ^ w) & 0xc0200000;
}

static bool known(const struct judge_gen *g, enum judge_known_kind kind, uint32_t w)
{
	return judge_known_find(g->known, kind, a64_rows[a64_decode(w)].name, w);
}

/* MSR of FPCR together with a word that is known to differ if FZ is 1. */
static bool sets_fpcr(uint32_t w)
{
	return is(w, 0xffffffe0, 0xd51b4400);
}

static bool fz_clash(const struct judge_gen *g, const struct plan *p, uint32_t w)
{
	return (p->wants_fz_0 && sets_fpcr(w)) || (p->sets_fpcr && known(g, JUDGE_KNOWN_FZ, w));
}

static void append(struct judge_gen *g, struct plan *p, uint32_t w)
{
	p->sets_fpcr |= sets_fpcr(w);
	p->wants_fz_0 |= known(g, JUDGE_KNOWN_FZ, w);
	if (is_exclusive(w))
		p->exclusive = w;
	p->c->word[p->c->count++] = w;
}

/* MRS of FPCR: JUDGE_FPCR_AARCH32 would come into a general register. */
static bool reads_fpcr(uint32_t w)
{
	return is(w, 0xffffffe0, 0xd53b4400);
}

/* Results that are compared in part cannot go on into other words. */
static bool known_result(const struct judge_gen *g, uint32_t w)
{
	for (unsigned kind = JUDGE_KNOWN_LOW16; kind <= JUDGE_KNOWN_HALVED; kind++)
		if (known(g, kind, w))
			return true;
	return false;
}

static bool is_good(struct judge_gen *g, enum a64_op op, uint32_t w, bool block)
{
	if (a64_decode(w) != op)
		return false;
	if (known(g, JUDGE_KNOWN_WORD, w) || (block && known_result(g, w))) {
		g->left_out[op]++;
		return false;
	}
	if (block && reads_fpcr(w))
		return false;
	if (g->defined_only)
		return !judge_rig_undefined(g->rig, w);
	return !block || judge_one_in(&g->random, 64) || !judge_rig_undefined(g->rig, w);
}

/* One word of a case that will have @n. */
static bool try_word(struct judge_gen *g, struct plan *p, enum a64_op op, unsigned n)
{
	enum judge_group group = judge_group(op);
	uint32_t w = judge_gen_word(&g->random, op);

	if (group == JUDGE_LDST)
		w = place_memory(&g->random, p, w);
	else if (group == JUDGE_BRANCH)
		w = place_branch(&g->random, p, w, n);
	if (!is_good(g, op, w, n > 1) || (group == JUDGE_LDST && has_index(w) && rn(w) == rm(w)))
		return false;
	if (other_size(p, w) || fz_clash(g, p, w))
		return false;
	if (n > 1 ? spoils(&g->random, p, group, w) : goes_wild(p->c, w))
		return false;
	append(g, p, w);
	return true;
}

static void add_word(struct judge_gen *g, struct plan *p, unsigned n)
{
	enum a64_op op = random_row(g);

	for (unsigned i = 0; i < RETRIES; i++)
		if (try_word(g, p, op, n))
			return;
}

/* After a load-exclusive, often the store-exclusive that belongs to it. */
static void add_exclusive(struct judge_gen *g, struct plan *p)
{
	uint32_t w = p->c->word[p->c->count - 1];

	if (!is_exclusive(w) || !(w >> 22 & 1))
		return;
	w = insert(insert(w, 22, 1, 0), 16, 5, judge_below(&g->random, 31));
	w = insert(w, 0, 5, judge_below(&g->random, 32));
	if (judge_one_in(&g->random, 4))
		w = insert(w, 5, 5, p->base[judge_below(&g->random, 4)]);
	if (judge_rig_has(g->rig, a64_decode(w)) && is_good(g, a64_decode(w), w, true) &&
	    !judge_one_in(&g->random, 4))
		append(g, p, w);
}

/* ---- states ---- */

static uint64_t random_address(struct judge_random *r, unsigned n)
{
	uint64_t a = FIRST_BASE + judge_below(r, SPREAD);

	if (n == 31 || !judge_one_in(r, 4))
		a &= ~15ull;
	if (judge_one_in(r, 8))
		a |= judge_u64(r) << 56;
	return a;
}

/* Extended from 32 bits, the upper ones are anything. */
static uint64_t random_index(struct judge_random *r, uint32_t w)
{
	uint64_t v = judge_below(r, 16);
	bool sign = is(w, 0x3b20cc00, 0x3820c800), word = is(w, 0x3b202c00, 0x38200800);

	if (sign && judge_one_in(r, 2))
		v = -v;
	return word ? (v & 0xffffffff) | judge_u64(r) << 32 : v;
}

static void set_base(struct judge_state *s, unsigned n, uint64_t value)
{
	if (n == 31)
		s->sp = value;
	else
		s->x[n] = value;
}

/* Compare-and-swap of what is in memory. */
static void set_expected(struct judge_state *s, uint32_t w)
{
	uint64_t at = rn(w) == 31 ? s->sp : s->x[rn(w)];
	unsigned n = rm(w), word = ((at & UINT64_MAX >> 8) - JUDGE_SCRATCH) / 8;
	bool pair = is(w, 0xbfa07c00, 0x08207c00), half = pair && !(w >> 30 & 1);
	uint64_t value = judge_fill(word);

	if (n > 29 || n == rn(w) || (pair && n + 1 == rn(w)))
		return;
	s->x[n] = at & 4 ? value >> 32 : value;
	if (pair)
		s->x[n + 1] = half ? value >> 32 : judge_fill(word + 1);
}

static void state_for_word(struct judge_gen *g, struct judge_case *c, uint32_t w)
{
	struct judge_random *r = &g->random;
	struct judge_state *s = &c->state;

	if (judge_group(a64_decode(w)) != JUDGE_LDST || is_literal(w))
		return;
	set_base(s, rn(w), random_address(r, rn(w)));
	if (has_index(w) && rm(w) != 31)
		s->x[rm(w)] = random_index(r, w);
	if ((is(w, 0x3fa07c00, 0x08a07c00) || is(w, 0xbfa07c00, 0x08207c00)) && judge_one_in(r, 2))
		set_expected(s, w);
}

static void state_for_branch(struct judge_gen *g, struct judge_case *c, unsigned i)
{
	struct judge_random *r = &g->random;
	uint64_t at = JUDGE_CODE + c->slot * JUDGE_SLOT_BYTES + JUDGE_PROLOGUE_BYTES + i * 4;
	uint32_t w = c->word[i];
	unsigned words = 1 + judge_below(r, c->count - i);

	if (!is(w, 0xfe000000, 0xd6000000) || rn(w) == 31)
		return;
	if (c->count == 1 && judge_one_in(r, 2))
		return;
	c->state.x[rn(w)] = at + 4 * words + (judge_one_in(r, 16) ? judge_below(r, 4) : 0);
}

/* Two words of a block use one address, perhaps with different tags. */
static void share_address(struct judge_gen *g, struct judge_case *c)
{
	uint32_t a = c->word[judge_below(&g->random, c->count)];
	uint32_t b = c->word[judge_below(&g->random, c->count)];
	uint64_t from = rn(a) == 31 ? c->state.sp : c->state.x[rn(a)];

	if (rn(b) == 31 || judge_group(a64_decode(a)) != JUDGE_LDST ||
	    judge_group(a64_decode(b)) != JUDGE_LDST || is_literal(a) || is_literal(b))
		return;
	if (judge_one_in(&g->random, 2))
		from = (from & UINT64_MAX >> 8) | judge_u64(&g->random) << 56;
	c->state.x[rn(b)] = from;
}

void judge_gen_state(struct judge_gen *g, struct judge_case *c)
{
	judge_random_state(&g->random, &c->state);
	for (unsigned i = 0; i < c->count; i++) {
		state_for_word(g, c, c->word[i]);
		state_for_branch(g, c, i);
		if (known(g, JUDGE_KNOWN_FZ, c->word[i]))
			c->state.fpcr &= ~JUDGE_FPCR_FZ;
	}
	for (unsigned i = 0; i < 4 && c->count > 1; i++)
		share_address(g, c);
}

void judge_gen_case(struct judge_gen *g, unsigned slot, struct judge_case *c)
{
	unsigned n = g->blocks ? 2 + judge_below(&g->random, JUDGE_MAX_WORDS - 1) : 1;
	struct plan p;

	memset(c, 0, sizeof(*c));
	c->slot = slot;
	make_plan(&g->random, &p, c);
	for (unsigned tries = 0; c->count < n && tries < RETRIES; tries++) {
		add_word(g, &p, n);
		if (g->blocks && c->count && c->count < n)
			add_exclusive(g, &p);
	}
	if (!c->count)
		c->word[c->count++] = NOP;
	judge_gen_state(g, c);
}
