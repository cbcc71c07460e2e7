/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs: a page of words, biased to what is valid, to system instructions and to stores into the page itself. Every
 * exception is noted by the vectors of its level, which go on behind the instruction; after 32 of them, or at the end of
 * the page, comes END.
 *
 * Left out is what two machines need not agree about: code that is written without maintenance, time, waiting,
 * performance monitors, whether a store-exclusive succeeds, CTR_EL0.
 */
#include "reverse_pair.h"

#include "arm/sysreg.h"
#include "hv/hv.h"
#include "hv/soft/soft.h"
#include "reverse/reverse.h"
#include "util/bits.h"
#include "util/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAM	0x40000000ULL
#define TABLES	(RAM + 0x0000)
#define VECTORS (RAM + 0x4000) /* a page for each level from 1 */
#define CODE	(RAM + 0x10000)
#define DATA	(RAM + 0x20000)
#define LOG	(RAM + 0x30000)
#define SECRET	0x0e000000ULL
#define DEVICE	0x09000000ULL
#define USER	0x80000000ULL /* added: as EL0 sees it */

enum {
	RAM_SIZE = 0x40000,
	SECRET_SIZE = 0x4000,
	PAGE = 4096,
	WORDS = PAGE / 4,
	PROGRAM = 96, /* words; the rest of the page is END */
	STEPS = 4000,
	EXITS = 4000,
	END = 0xd4000003 | 0x7ff << 5, /* SMC */
	NOP = 0xd503201f,
};

struct machine {
	const struct hv_ops *ops;
	struct hv_vm *vm;
	struct hv_vcpu *cpu;
	uint8_t *ram, *secret;
	uint64_t devices; /* a hash of what devices have seen */
};

struct state {
	uint32_t level; /* 0: EL3, 1: EL2, 2: EL1, 3: Secure EL1, 4: EL0 */
	bool mmu, spx;
	uint64_t hcr, tbi, daif;
	uint64_t x[31];
};

struct source {
	const uint8_t *at;
	size_t left;
};

struct reverse_pair {
	struct machine soft, reverse;
	struct state state;
	uint32_t program[PROGRAM];
};

/* ---- bytes ---- */

static uint32_t take(struct source *s, unsigned bytes)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < bytes && s->left; i++, s->left--)
		v |= (uint32_t)*s->at++ << 8 * i;
	return v;
}

static uint32_t below(struct source *s, uint32_t limit)
{
	return take(s, limit > 256 ? 2 : 1) % limit;
}

/* ---- machines ---- */

static uint8_t wants(void *opaque, uint32_t word)
{
	return word == END ? 0xf : 0;
}

static void require(bool ok)
{
	if (!ok)
		abort();
}

static uint8_t *map(struct machine *m, uint64_t gpa, uint64_t size, unsigned prot)
{
	uint8_t *p = aligned_alloc(65536, align_up(size, 65536));

	require(p && !m->ops->mem_map(m->vm, gpa, p, size, prot));
	return p;
}

static void create(struct machine *m, const struct hv_ops *ops)
{
	struct hv_vm_config config = {.ipa_bits = 40, .els = 0xf};
	struct err e = ERR_INIT;

	m->ops = ops;
	if (ops == &hv_reverse_ops) {
		config.inner = &hv_soft_ops;
		config.options = "els=1";
	}
	require(!ops->vm_create(&config, &m->vm, &e));
	ops->set_intercept(m->vm, wants, NULL);
	m->ram = map(m, RAM, RAM_SIZE, HV_READ | HV_WRITE | HV_EXEC);
	m->secret = map(m, SECRET, SECRET_SIZE, HV_READ | HV_WRITE | HV_EXEC | HV_SECURE);
	require(!ops->vcpu_create(m->vm, 0, &m->cpu, &e));
}

static void destroy(struct machine *m)
{
	m->ops->vcpu_destroy(m->cpu);
	m->ops->vm_destroy(m->vm);
	free(m->ram);
	free(m->secret);
}

struct reverse_pair *reverse_pair_create(void)
{
	struct reverse_pair *p = calloc(1, sizeof(*p));

	require(p);
	create(&p->soft, &hv_soft_ops);
	create(&p->reverse, &hv_reverse_ops);
	return p;
}

void reverse_pair_destroy(struct reverse_pair *p)
{
	destroy(&p->soft);
	destroy(&p->reverse);
	free(p);
}

/* ---- programs ---- */

static const uint16_t left_out[] = {
	SYSREG(3, 3, 0, 0, 1), /* CTR_EL0 */
	SYSREG(3, 3, 2, 4, 0), /* RNDR */
	SYSREG(3, 3, 2, 4, 1), /* RNDRRS */
};

/* Timers and their controls, performance monitors. */
static bool is_left_out(uint16_t code)
{
	for (unsigned i = 0; i < ARRAY_COUNT(left_out); i++) {
		if (left_out[i] == code)
			return true;
	}
	return (code & 0xc000) == 0xc000 && (SYSREG_CRN(code) == 14 || SYSREG_CRN(code) == 9);
}

/* Loads and stores of all kinds at X16 to X19. */
static uint32_t access_word(struct source *s)
{
	static const uint32_t kinds[] = {
		0xf9400000, 0xf9000000, 0xb9400000, 0xb9000000, 0x39400000, 0x39000000, 0x79400000,
		0x79000000, 0xa9400000, 0xa9000000, 0x29400000, 0x29000000, 0xf8400c00, 0xf8008400,
		0xf8400800, 0xf8000800, 0x3dc00000, 0x3d800000, 0xad400000, 0xad000000, 0x4c402000,
		0x4c002000, 0xc8dffc00, 0xc89ffc00, 0xf8200000, 0xf8208000, 0xc8a07c00, 0xf9800000,
		0xc85f7c00, 0x08df7c00, 0xb8800c00, 0xd9600000,
	};
	uint32_t word = kinds[below(s, ARRAY_COUNT(kinds))];

	return word | (16 + below(s, 4)) << 5 | below(s, 16);
}

static uint32_t register_word(struct source *s)
{
	size_t count;
	const struct sysreg_desc *d = sysreg_table(&count);
	uint16_t code = d[below(s, (uint32_t)count)].code;

	if (is_left_out(code))
		return NOP;
	return 0xd5100000 | (code & 0x7fffU) << 5 | (take(s, 1) & 3 ? 1 << 21 : 0) | below(s, 16);
}

static uint32_t system_word(struct source *s)
{
	static const uint32_t words[] = {
		0xd4000001, 0xd4000002, 0xd4000003, 0xd4200000, 0xd4400000, 0x00000000, 0xd69f03e0,
		0xd50340df, 0xd50340ff, 0xd50342df, 0xd50343ff, 0xd50041bf, 0xd50040bf, 0xd5033f9f,
		0xd5033fdf, 0xd508751f, 0xd508711f, 0xd50b7b30, 0xd50b7e31, 0xd50b7a32, 0xd50b7532,
		0xd5087632, 0xd5087640, 0xd50b7430, 0xd508871f, 0xd50c871f, 0xd50e871f, 0xd5087810,
		0xd5087831, 0xd50c7812, 0xd50e7813, 0xd50320bf, 0xd503203f, 0xd5384240, 0xd5384020,
		0xd5184020, 0xd53c4020, 0xd51e4020, 0xd5184000, 0xd51e4000, 0xd5384100, 0xd5184101,
		0xd503305f, 0xd500409f, 0xd500419f, 0xd500417f, 0xd61f0280, 0xd63f0280, 0xd61f0260,
	};

	return words[below(s, ARRAY_COUNT(words))];
}

/* Forward, by up to 16 words. */
static uint32_t branch_word(struct source *s)
{
	static const uint32_t kinds[] = {0x54000000, 0xb4000000, 0x35000000, 0x10000000};
	unsigned kind = below(s, 6), words = 1 + below(s, 16);

	if (kind == 4)
		return 0x14000000 | words;
	if (kind == 5)
		return 0x36000000 | below(s, 32) << 19 | words << 5 | below(s, 16);
	return kinds[kind] | words << 5 | below(s, 16);
}

static uint32_t integer_word(struct source *s)
{
	static const uint32_t kinds[] = {0x8b000000, 0xcb000000, 0xeb000000, 0xaa000000,
					 0xca000000, 0x9b000000, 0x9ac00800, 0xd2800000,
					 0xf2a00000, 0x91000000, 0xf1000000, 0xd3400000,
					 0x9a800000, 0xdac00000, 0xd10003ff};
	uint32_t word = kinds[below(s, ARRAY_COUNT(kinds))];

	return word | below(s, 16) | below(s, 20) << 5 | below(s, 16) << 16;
}

/* Waiting, exclusives that store, and time: see above. */
static bool is_excluded(uint32_t word)
{
	if ((word & 0xfffff01f) == 0xd503201f && bits(word, 11, 5) >= 2 && bits(word, 11, 5) <= 3)
		return true;
	if ((word & 0xffffff00) == 0xd5031000) /* WFET, WFIT */
		return true;
	if ((word & 0x3f400000) == 0x08000000 && !bit(word, 23))
		return true;
	return (word & 0xffd00000) == 0xd5100000 &&
	       is_left_out((uint16_t)(1U << 15 | bits(word, 19, 5)));
}

static uint32_t word_of(struct source *s)
{
	unsigned kind = below(s, 16);
	uint32_t word;

	if (kind < 4)
		word = access_word(s);
	else if (kind < 6)
		word = register_word(s);
	else if (kind < 9)
		word = system_word(s);
	else if (kind < 10)
		word = branch_word(s);
	else if (kind < 11) /* FP&SIMD */
		word = (take(s, 4) & ~0x1e000000U) | (take(s, 1) & 1 ? 0x0e000000 : 0x1e000000);
	else if (kind < 12)
		word = take(s, 4);
	else
		word = integer_word(s);
	return is_excluded(word) ? NOP : word;
}

uint32_t reverse_pair_word(const uint8_t bytes[PAIR_WORD_BYTES])
{
	struct source s = {bytes, PAIR_WORD_BYTES};

	return word_of(&s);
}

/* Store into the code ahead, and make it count. X8 and X9 are lost. */
static unsigned patch_ahead(uint32_t *to, unsigned left, struct source *s)
{
	const uint32_t words[] = {
		0x10000008 | (8 + below(s, 6)) << 5, /* ADR X8 */
		0x58000009 | below(s, 16) << 5,	     /* LDR X9, literal */
		0xb9000109,
		0xd50b7b28,
		0xd5033f9f,
		0xd50b7528,
		0xd5033f9f,
		0xd5033fdf,
	};

	if (left < ARRAY_COUNT(words))
		return 0;
	memcpy(to, words, sizeof(words));
	return ARRAY_COUNT(words);
}

static void make_program(struct reverse_pair *p, struct source *s)
{
	for (unsigned i = 0; i < PROGRAM;) {
		unsigned n = below(s, 24) == 0 ? patch_ahead(p->program + i, PROGRAM - i, s) : 0;

		if (!n)
			p->program[i] = s->left ? word_of(s) : END, n = 1;
		i += n;
	}
}

static void make_state(struct state *t, struct source *s)
{
	memset(t, 0, sizeof(*t));
	t->level = below(s, 9) % 5;
	t->mmu = take(s, 1) & 1;
	t->spx = take(s, 1) & 1;
	t->tbi = take(s, 1) & 3;
	t->hcr = take(s, 1) & 7 ? 0 : take(s, 4);
	t->daif = take(s, 1) & 1 ? 0x3c0 : 0;
	for (unsigned i = 0; i < 31; i++)
		t->x[i] = i & 1 ? take(s, 1) : (uint64_t)take(s, 4) << 32 | take(s, 2);
	t->x[16] = DATA + (take(s, 2) & 0x1ff8);
	t->x[17] = (take(s, 1) & 1 ? SECRET : DEVICE) + (take(s, 1) & 0xf8);
	t->x[18] = CODE + 0xc00 + (take(s, 2) & 0x1f8); /* data beside code */
	t->x[20] = CODE + (take(s, 2) & 0x1fc);
	t->x[19] = take(s, 1) & 1 ? DATA + 0x1000 - (take(s, 1) & 31) : 0x0b000000;
}

/* ---- loading ---- */

static const uint32_t handler[] = {
	0xd518d09e, /* msr tpidr_el1, x30 */
	0xd2a8007e, /* mov x30, #LOG */
	0xa90007c0, /* stp x0, x1, [x30] */
	0xa9010fc2, /* stp x2, x3, [x30, #16] */
	0xa90217c4, /* stp x4, x5, [x30, #32] */
	0xf9401bc4, /* ldr x4, [x30, #48] */
	0x8b041bc5, /* add x5, x30, x4, lsl #6 */
	0xd5385200, /* mrs x0, esr_el1 */
	0xd5384021, /* mrs x1, elr_el1 */
	0xd5384002, /* mrs x2, spsr_el1 */
	0xd5386003, /* mrs x3, far_el1 */
	0xa90404a0, /* stp x0, x1, [x5, #64] */
	0xa9050ca2, /* stp x2, x3, [x5, #80] */
	0x10000002, /* adr x2, . */
	0xf90030a2, /* str x2, [x5, #96] */
	0x91000484, /* add x4, x4, #1 */
	0xf9001bc4, /* str x4, [x30, #48] */
	0xf100809f, /* cmp x4, #32 */
	0x54000002, /* b.hs END */
	0xd2a80022, /* mov x2, #CODE */
	0xcb020023, /* sub x3, x1, x2 */
	0xd34cfc63, /* lsr x3, x3, #12 */
	0xb4000063, /* cbz x3, 1f */
	0x8b041041, /* add x1, x2, x4, lsl #4 */
	0xd1001021, /* sub x1, x1, #4 */
	0x91001021, /* 1: add x1, x1, #4 */
	0xd5184021, /* msr elr_el1, x1 */
	0xa94217c4, /* ldp x4, x5, [x30, #32] */
	0xa9410fc2, /* ldp x2, x3, [x30, #16] */
	0xa94007c0, /* ldp x0, x1, [x30] */
	0xd538d09e, /* mrs x30, tpidr_el1 */
	0xd69f03e0, /* eret */
};

enum { TO_END = 18, VECTOR_WORDS = 32 };
_Static_assert(ARRAY_COUNT(handler) == VECTOR_WORDS, "a vector is full");

/* _EL1 to _ELn */
static uint32_t at_level(uint32_t word, unsigned el)
{
	bool names_el1 = (word & 0xffdf0000) == 0xd5180000;

	return names_el1 && el > 1 ? word + ((el == 2 ? 4U : 6U) << 16) : word;
}

static void load_vectors(struct machine *m, unsigned el)
{
	uint32_t *page = (uint32_t *)(void *)(m->ram + (VECTORS - RAM) + (el - 1) * PAGE);

	for (unsigned v = 0; v < 16; v++) {
		for (unsigned i = 0; i < VECTOR_WORDS; i++)
			page[v * VECTOR_WORDS + i] = at_level(handler[i], el);
		page[v * VECTOR_WORDS + TO_END] |= ((16 - v) * VECTOR_WORDS - TO_END) << 5;
	}
	page[16 * VECTOR_WORDS] = END;
}

static void load_memory(struct machine *m, const struct reverse_pair *p)
{
	uint64_t block = 1 | 1 << 10 | 3 << 8;
	uint64_t l1[] = {block, RAM | block, 0 | block | 1 << 6 | 1 << 2, RAM | block | 1 << 6};
	uint32_t *code = (uint32_t *)(void *)(m->ram + (CODE - RAM));

	memset(m->ram, 0, RAM_SIZE);
	memset(m->secret, 0x5e, SECRET_SIZE);
	memcpy(m->ram + (TABLES - RAM), l1, sizeof(l1));
	for (unsigned el = 1; el <= 3; el++)
		load_vectors(m, el);
	for (unsigned i = 0; i < 2 * WORDS; i++)
		code[i] = END;
	memcpy(code, p->program, sizeof(p->program));
	for (unsigned i = 0; i < 2 * PAGE; i++)
		m->ram[DATA - RAM + i] = (uint8_t)(i * 7);
}

static void set_sys(struct machine *m, uint16_t code, uint64_t value)
{
	require(!m->ops->set_reg(m->cpu, REG_SYS(code), value));
}

#define SET(m, name, value) set_sys(m, SYS_##name, value)

static void load_el1(struct machine *m, const struct state *t)
{
	uint64_t mmu = t->mmu ? 0x1005 : 0;

	SET(m, TCR_EL1, 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | 1ULL << 32 | t->tbi << 37);
	SET(m, TTBR0_EL1, TABLES);
	SET(m, MAIR_EL1, 0x00ff);
	SET(m, VBAR_EL1, VECTORS);
	SET(m, CPACR_EL1, 3 << 20);
	SET(m, SCTLR_EL1, 0x30d04800ULL | mmu);
}

static void load_higher(struct machine *m, const struct state *t)
{
	uint64_t mmu = t->mmu ? 0x1005 : 0,
		 tcr = 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1ULL << 31 | 1 << 23;

	SET(m, TCR_EL2, tcr | 1 << 16 | (t->tbi & 1) << 20);
	SET(m, TTBR0_EL2, TABLES);
	SET(m, MAIR_EL2, 0x00ff);
	SET(m, VBAR_EL2, VECTORS + PAGE);
	SET(m, CPTR_EL2, 0x33ff);
	SET(m, CNTHCTL_EL2, 3);
	SET(m, SCTLR_EL2, 0x30c50830ULL | mmu);
	SET(m, HCR_EL2, (t->hcr & ~(uint64_t)1) | 1ULL << 31);
	SET(m, TCR_EL3, tcr | 1 << 16 | (t->tbi & 1) << 20);
	SET(m, TTBR0_EL3, TABLES);
	SET(m, MAIR_EL3, 0x00ff);
	SET(m, VBAR_EL3, VECTORS + 2 * PAGE);
	SET(m, CPTR_EL3, 0);
	SET(m, SCTLR_EL3, 0x30c50830ULL | mmu);
	SET(m, SCR_EL3, (t->level == 3 ? 0 : 1) | 1 << 8 | 1 << 10 | 3 << 4);
}

static void load(struct machine *m, const struct reverse_pair *p)
{
	static const uint8_t el_of[] = {3, 2, 1, 1, 0};
	const struct state *t = &p->state;
	unsigned el = el_of[t->level];
	uint64_t zero[2] = {0, 0};

	load_memory(m, p);
	require(!m->ops->vcpu_reset(m->cpu));
	load_el1(m, t);
	load_higher(m, t);
	for (unsigned n = 0; n < 31; n++)
		m->ops->set_reg(m->cpu, REG_X(n), t->x[n] + (el || n < 16 || n > 20 ? 0 : USER));
	for (unsigned n = 0; n < 32; n++)
		m->ops->set_vreg(m->cpu, n, zero);
	for (unsigned sp = 0; sp < 4; sp++)
		m->ops->set_reg(m->cpu,
				(uint32_t[]){REG_SP_EL0, REG_SP_EL1, REG_SP_EL2, REG_SP_EL3}[sp],
				DATA + 0x800 + sp * 0x100);
	m->ops->set_reg(m->cpu, REG_FPCR, 0);
	m->ops->set_reg(m->cpu, REG_FPSR, 0);
	m->ops->set_reg(m->cpu, REG_PC, CODE + (el || !t->mmu ? 0 : USER));
	m->ops->set_reg(m->cpu, REG_PSTATE, t->daif | el << 2 | (el && t->spx));
	m->devices = 0;
}

/* ---- running ---- */

static void note(struct machine *m, uint64_t value)
{
	m->devices = (m->devices ^ value) * 0x9e3779b97f4a7c15ULL;
	m->devices ^= m->devices >> 29;
}

static void device(struct machine *m, const struct hv_exit *x)
{
	if (align_down(x->mmio.ipa, 0x10000) != DEVICE) {
		m->ops->mmio_abort(m->cpu);
		return;
	}
	note(m, x->mmio.ipa << 8 | x->mmio.size << 1 | x->mmio.is_write);
	if (x->mmio.is_write)
		note(m, x->mmio.value);
	m->ops->mmio_done(m->cpu, x->mmio.ipa * 0x1234567 >> (64 - 8 * x->mmio.size) % 64);
}

/* NULL: END was reached. */
static const char *run(struct machine *m, unsigned limit)
{
	static const char *const names[HV_EXIT_COUNT] = {
		[HV_EXIT_BRK] = "exit for BRK",	       [HV_EXIT_HVC] = "exit for HVC",
		[HV_EXIT_SMC] = "exit for SMC",	       [HV_EXIT_HWBP] = "exit for a breakpoint",
		[HV_EXIT_FAIL] = "the back end fails",
	};
	struct hv_exit x;

	for (unsigned i = 0; i < limit; i++) {
		m->ops->run(m->cpu, &x);
		switch (x.kind) {
		case HV_EXIT_KICK:
		case HV_EXIT_STEP:
			break;
		case HV_EXIT_MMIO:
			device(m, &x);
			break;
		case HV_EXIT_DABT:
			m->ops->mmio_abort(m->cpu);
			break;
		case HV_EXIT_INTERCEPT:
			return NULL;
		default:
			if (x.kind == HV_EXIT_FAIL)
				fprintf(stderr, "%s\n", x.fail.text);
			return names[x.kind] ? names[x.kind] : "an unexpected exit";
		}
	}
	return "no end";
}

/* ---- comparing ---- */

static uint64_t get(struct machine *m, uint32_t id)
{
	uint64_t v = 0;

	return m->ops->get_reg(m->cpu, id, &v) ? ~0ULL : v;
}

static bool same_reg(struct reverse_pair *p, uint32_t id, const char *name, unsigned n,
		     char text[256])
{
	uint64_t a = get(&p->soft, id), b = get(&p->reverse, id);

	if (a != b)
		snprintf(text, 256, "%s%u: soft 0x%llx, reverse 0x%llx", name, n,
			 (unsigned long long)a, (unsigned long long)b);
	return a == b;
}

static bool same_memory(const uint8_t *a, const uint8_t *b, size_t size, const char *name,
			char text[256])
{
	for (size_t i = 0; i < size; i += 8) {
		uint64_t x, y;

		memcpy(&x, a + i, 8);
		memcpy(&y, b + i, 8);
		if (x == y)
			continue;
		snprintf(text, 256, "%s + 0x%zx: soft 0x%llx, reverse 0x%llx", name, i,
			 (unsigned long long)x, (unsigned long long)y);
		return false;
	}
	return true;
}

static bool same_sysregs(struct reverse_pair *p, char text[256])
{
	size_t count;
	const struct sysreg_desc *d = sysreg_table(&count);

	for (size_t i = 0; i < count; i++) {
		if (!is_left_out(d[i].code) && d[i].target == SYS_NONE &&
		    !same_reg(p, REG_SYS(d[i].code), d[i].name, 0, text))
			return false;
	}
	return true;
}

static bool same_vregs(struct reverse_pair *p, char text[256])
{
	for (unsigned n = 0; n < 32; n++) {
		uint64_t a[2], b[2];

		p->soft.ops->get_vreg(p->soft.cpu, n, a);
		p->reverse.ops->get_vreg(p->reverse.cpu, n, b);
		if (a[0] == b[0] && a[1] == b[1])
			continue;
		snprintf(text, 256, "V%u: soft 0x%llx, reverse 0x%llx", n, (unsigned long long)a[0],
			 (unsigned long long)b[0]);
		return false;
	}
	return true;
}

static bool same(struct reverse_pair *p, char text[256])
{
	static const struct {
		uint32_t id;
		const char *name;
	} others[] = {{REG_PC, "PC "},	       {REG_PSTATE, "PSTATE "}, {REG_SP_EL0, "SP_EL0 "},
		      {REG_SP_EL1, "SP_EL1 "}, {REG_SP_EL2, "SP_EL2 "}, {REG_SP_EL3, "SP_EL3 "},
		      {REG_FPCR, "FPCR "},     {REG_FPSR, "FPSR "}};

	if (!same_memory(p->soft.ram, p->reverse.ram, RAM_SIZE, "memory", text) ||
	    !same_memory(p->soft.secret, p->reverse.secret, SECRET_SIZE, "secure memory", text))
		return false;
	for (unsigned i = 0; i < ARRAY_COUNT(others); i++) {
		if (!same_reg(p, others[i].id, others[i].name, 0, text))
			return false;
	}
	for (unsigned n = 0; n < 31; n++) {
		if (!same_reg(p, REG_X(n), "X", n, text))
			return false;
	}
	if (p->soft.devices != p->reverse.devices) {
		snprintf(text, 256, "what devices have seen");
		return false;
	}
	return same_sysregs(p, text) && same_vregs(p, text);
}

enum pair_result reverse_pair_run(struct reverse_pair *p, const uint8_t *bytes, size_t size,
				  char text[256])
{
	struct source s = {bytes, size};
	const char *why;

	make_state(&p->state, &s);
	make_program(p, &s);
	load(&p->soft, p);
	p->soft.ops->debug(p->soft.cpu, HV_DEBUG_STEP);
	if (run(&p->soft, STEPS))
		return PAIR_ENDLESS;
	p->soft.ops->debug(p->soft.cpu, 0);
	load(&p->reverse, p);
	p->reverse.ops->debug(p->reverse.cpu, 0);
	why = run(&p->reverse, EXITS);
	if (why)
		snprintf(text, 256, "reverse: %s", why);
	return !why && same(p, text) ? PAIR_SAME : PAIR_DIFFERS;
}

/* The exceptions, as the vectors have noted them. */
static void print_log(const struct machine *m, const char *name)
{
	const uint64_t *log = (const uint64_t *)(const void *)(m->ram + (LOG - RAM));

	for (unsigned i = 0; i < log[6] && i < 32; i++) {
		const uint64_t *e = log + 8 + 8 * i;

		printf("%s: ESR 0x%llx ELR 0x%llx SPSR 0x%llx FAR 0x%llx at 0x%llx\n", name,
		       (unsigned long long)e[0], (unsigned long long)e[1], (unsigned long long)e[2],
		       (unsigned long long)e[3], (unsigned long long)e[4]);
	}
}

void reverse_pair_print(const struct reverse_pair *p)
{
	const struct state *t = &p->state;

	printf("level %u mmu %d spx %d hcr 0x%llx tbi %llu daif 0x%llx\n", t->level, t->mmu, t->spx,
	       (unsigned long long)t->hcr, (unsigned long long)t->tbi, (unsigned long long)t->daif);
	for (unsigned i = 0; i < PROGRAM; i++)
		printf(".inst 0x%08x\n", p->program[i]);
	print_log(&p->soft, "soft");
	print_log(&p->reverse, "reverse");
}
