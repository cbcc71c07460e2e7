/* SPDX-License-Identifier: Apache-2.0 */
/* Loads and stores of the soft engine: recorded results, comparison with arm/ldst.c, faults, syndromes. */
#include "arm/ldst.h"
#include "soft_rig.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MEM = SOFT_RIG_MEM, SP = 31 };

static struct soft_rig *make(void **state)
{
	struct soft_rig *r = soft_rig_make();

	*state = r;
	for (unsigned i = 0; i < SOFT_RIG_MEM_SIZE; i++)
		r->mem[i] = (uint8_t)(i * 37 + 11);
	return r;
}

static int teardown(void **state)
{
	soft_rig_drop(*state);
	return 0;
}

static uint64_t peek(const struct soft_rig *r, unsigned at)
{
	uint64_t v;

	memcpy(&v, r->mem + at, 8);
	return v;
}

static void poke(struct soft_rig *r, unsigned at, uint64_t v)
{
	memcpy(r->mem + at, &v, 8);
}

/* ---- recorded results: those of test_ldst.c ---- */

static void vector_state(struct soft_rig *r)
{
	for (unsigned n = 0; n < 31; n++)
		r->c.x[n] = 0x8877665544332211U + n * 0x0101010101010101U;
	for (unsigned n = 0; n < 32; n++) {
		r->c.v[n].d[0] = 0x0706050403020100U + n * 0x1010101010101010U;
		r->c.v[n].d[1] = 0x0f0e0d0c0b0a0908U + n * 0x1010101010101010U;
	}
	r->c.x[2] = MEM + 512;
	r->c.x[3] = 0xffffffff00000010;
	r->c.x[4] = 16;
	r->c.x[5] = 0xfffffffc;
	r->c.x[6] = peek(r, 512);
	r->c.x[7] = peek(r, 520);
	r->c.x[10] = (uint32_t)r->c.x[6] | 0xabcdULL << 32;
	r->c.x[11] = r->c.x[6] >> 32;
	r->c.x[26] = 2;
	r->c.sp = MEM + 576;
}

/* A store-exclusive finds the monitor as its load would have left it. */
static void arm_monitor(struct soft_rig *r, uint32_t word, bool pass)
{
	struct a64_mem_op op;
	uint64_t va;

	if (!a64_ldst_decode(word, &op) || op.kind != A64_MEM_STORE_EXCL)
		return;
	va = op.rn == SP ? r->c.sp : r->c.x[op.rn];
	r->c.excl_valid = pass;
	r->c.excl_addr = va;
	r->c.excl_size = op.size * op.count;
	memset(r->c.excl_value, 0, sizeof(r->c.excl_value));
	memcpy(r->c.excl_value, r->mem + (va - MEM), r->c.excl_size);
}

static void add(char *out, size_t size, const char *fmt, ...)
{
	size_t n = strlen(out);
	va_list ap;

	if (n && n + 1 < size) {
		strcpy(out + n, " ");
		n++;
	}
	va_start(ap, fmt);
	vsnprintf(out + n, size - n, fmt, ap);
	va_end(ap);
}

static void describe(const struct soft_rig *before, const struct soft_rig *after, char *out,
		     size_t size)
{
	*out = '\0';
	for (unsigned n = 0; n < 31; n++)
		if (after->c.x[n] != before->c.x[n])
			add(out, size, "x%u=%lx", n, (unsigned long)after->c.x[n]);
	if (after->c.sp != before->c.sp)
		add(out, size, "sp=%lx", (unsigned long)after->c.sp);
	for (unsigned n = 0; n < 32; n++)
		if (memcmp(&after->c.v[n], &before->c.v[n], 16))
			add(out, size, "v%u=%016lx%016lx", n, (unsigned long)after->c.v[n].d[1],
			    (unsigned long)after->c.v[n].d[0]);
	for (unsigned i = 0; i < SOFT_RIG_MEM_SIZE; i += 8)
		if (peek(after, i) != peek(before, i))
			add(out, size, "m%x=%016lx", i, (unsigned long)peek(after, i));
}

static const struct vector {
	uint32_t word;
	const char *assembly;
	const char *effect;
} vectors[] = {
#define VECTOR(word, assembly, effect) {word, assembly, effect},
#include "ldst_vectors.def"
#undef VECTOR
};

/* DC ZVA is among the vectors, but no business of these files. */
static bool is_ldst(uint32_t word)
{
	struct a64_mem_op op;

	return a64_ldst_decode(word, &op) && op.kind != A64_MEM_ZERO;
}

static void test_vectors(void **state)
{
	char effect[1024];

	for (unsigned i = 0; i < 2 * ARRAY_COUNT(vectors); i++) {
		const struct vector *v = &vectors[i / 2];
		struct soft_rig *r = make(state), *before = soft_rig_make();

		if (i % 2)
			soft_rig_fill_tlb(r);
		vector_state(r);
		arm_monitor(r, v->word, true);
		*before = *r;
		if (is_ldst(v->word) && soft_rig_run(r, v->word) != SOFT_RIG_OK)
			fail_msg("%s: event %d", v->assembly, r->event);
		describe(before, r, effect, sizeof(effect));
		if (is_ldst(v->word) && strcmp(effect, v->effect))
			fail_msg("%s:\n  got  %s\n  want %s", v->assembly, effect, v->effect);
		soft_rig_drop(before);
		soft_rig_drop(r);
	}
	make(state);
}

/* Whatever the form: an abort of its first or of any later access leaves all registers alone. */
static void test_abort_changes_no_register(void **state)
{
	struct soft_rig *r = make(state);
	struct soft_cpu before;

	vector_state(r);
	for (unsigned i = 0; i < ARRAY_COUNT(vectors); i++) {
		unsigned aborts = 0;

		if (!is_ldst(vectors[i].word))
			continue;
		arm_monitor(r, vectors[i].word, true);
		before = r->c;
		for (unsigned at = 256; at < 1000; at++) {
			r->abort_at = MEM + at;
			if (soft_rig_run(r, vectors[i].word) == SOFT_RIG_ABORT) {
				aborts++;
				assert_memory_equal(r->c.x, before.x, sizeof(before.x));
				assert_memory_equal(r->c.v, before.v, sizeof(before.v));
				assert_int_equal(r->c.sp, before.sp);
				assert_int_equal(r->c.excl_valid, before.excl_valid);
			}
			r->c = before;
		}
		assert_int_equal(aborts != 0, !!strncmp(vectors[i].assembly, "prf", 3));
	}
}

/* ---- comparison with arm/ldst.c ---- */

struct other {
	struct a64_ldst_ctx ctx;
	uint64_t x[32];
	union soft_v v[32];
	uint8_t mem[SOFT_RIG_MEM_SIZE];
	bool monitor;
};

static void get_v(void *opaque, unsigned n, uint64_t value[2])
{
	memcpy(value, &((struct other *)opaque)->v[n], 16);
}

static void set_v(void *opaque, unsigned n, const uint64_t value[2])
{
	memcpy(&((struct other *)opaque)->v[n], value, 16);
}

static uint64_t get_x(void *opaque, unsigned n)
{
	return ((struct other *)opaque)->x[n];
}

static void set_x(void *opaque, unsigned n, uint64_t value)
{
	((struct other *)opaque)->x[n] = value;
}

static bool mem_read(void *opaque, uint64_t addr, unsigned size, uint64_t *value)
{
	struct other *o = opaque;

	*value = 0;
	if (addr - MEM > sizeof(o->mem) - size)
		return false;
	memcpy(value, o->mem + (addr - MEM), size);
	return true;
}

static bool mem_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
	struct other *o = opaque;

	if (addr - MEM > sizeof(o->mem) - size)
		return false;
	memcpy(o->mem + (addr - MEM), &value, size);
	return true;
}

static bool exclusive_store(void *opaque, uint64_t addr, unsigned size)
{
	return ((struct other *)opaque)->monitor;
}

static void copy_state(struct other *o, const struct soft_rig *r)
{
	memcpy(o->x, r->c.x, sizeof(r->c.x));
	o->x[SP] = r->c.sp;
	memcpy(o->v, r->c.v, sizeof(o->v));
	memcpy(o->mem, r->mem, sizeof(o->mem));
	o->ctx = (struct a64_ldst_ctx){
		.opaque = o,
		.get_x = get_x,
		.set_x = set_x,
		.get_v = get_v,
		.set_v = set_v,
		.read = mem_read,
		.write = mem_write,
		.exclusive_store = exclusive_store,
		.pc = r->c.pc,
		.zva_bytes = 64,
		.big_endian = r->c.big_endian,
	};
}

static bool same_state(const struct other *o, const struct soft_rig *r)
{
	return !memcmp(o->x, r->c.x, sizeof(r->c.x)) && o->x[SP] == r->c.sp &&
	       !memcmp(o->v, r->c.v, sizeof(o->v)) && !memcmp(o->mem, r->mem, sizeof(o->mem));
}

static uint64_t random_number(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* A word among the loads and stores: bits 27 and 25 are 1 and 0. */
static uint32_t random_word(uint64_t *seed)
{
	uint32_t w = random_number(seed);

	w = (w & ~(1U << 25)) | 1U << 27;
	if (bits(w, 29, 24) >> 1 == 0x1c && bit(w, 24) && bit(random_number(seed), 0))
		w &= ~0x3e0000U; /* unsigned immediate: not too far */
	if (bits(w, 29, 24) == 8 && bit(random_number(seed), 0))
		w |= 0x7c00;
	return w;
}

/* Registers with addresses and numbers in them. */
static void random_state(struct soft_rig *r, uint32_t w, uint64_t *seed)
{
	uint64_t mode = random_number(seed);
	unsigned rn = w >> 5 & 31, rm = w >> 16 & 31;
	uint64_t base = MEM + 1024 + random_number(seed) % 6144;

	for (unsigned n = 0; n < 31; n++)
		r->c.x[n] = random_number(seed);
	for (unsigned n = 0; n < 64; n++)
		r->c.v[n / 2].d[n % 2] = random_number(seed);
	if (mode & 1 && rm != 31) /* an offset; UXTW wants it positive */
		r->c.x[rm] = bits(w, 15, 13) == 2 ? mode >> 58
						  : (uint64_t)sign_extend(mode >> 57, 7);
	if (mode & 14)
		base &= ~15ULL;
	if (rn == 31)
		r->c.sp = base;
	else
		r->c.x[rn] = base;
	/* Comparisons of CAS and STXR that succeed. */
	if (mode & 16 && rn != rm && rn != rm + 1)
		for (unsigned i = 0; i < 2 && rm < 30; i++)
			r->c.x[rm + i] = bit(w, 30) ? peek(r, (base & ~7ULL) - MEM + 8 * i)
						    : peek(r, base - MEM) >> 32 * i;
	r->c.big_endian = mode & 32;
}

/* CONSTRAINED UNPREDICTABLE: the two choose differently. */
static bool overlaps(const struct a64_mem_op *op)
{
	bool back = op->mode == A64_MEM_PRE || op->mode == A64_MEM_POST;
	bool pair = op->count == 2 && op->kind == A64_MEM_LOAD;

	if (op->vector)
		return false;
	return (back && (op->rn == op->rt || (op->count == 2 && op->rn == op->rt2))) ||
	       (pair && op->rt == op->rt2);
}

static bool checks_alignment(const struct a64_mem_op *op)
{
	return op->acquire || op->release || op->kind == A64_MEM_LOAD_EXCL ||
	       op->kind == A64_MEM_STORE_EXCL || op->kind == A64_MEM_ATOMIC ||
	       op->kind == A64_MEM_CAS;
}

static void compare(struct soft_rig *r, struct other *o, uint32_t w, const struct a64_mem_op *op)
{
	enum soft_rig_event event = soft_rig_run(r, w);

	if (event == SOFT_RIG_ALIGNMENT) {
		assert_true(checks_alignment(op));
		return;
	}
	if (event == SOFT_RIG_SP_ALIGNMENT)
		fail_msg("%08x: SP", w);
	if (a64_ldst_execute(op, &o->ctx) == A64_LDST_ABORT) {
		if (event != SOFT_RIG_ABORT)
			fail_msg("%08x: event %d, not an abort", w, event);
		memcpy(r->mem, o->mem, sizeof(r->mem)); /* partial stores */
	} else if (event != SOFT_RIG_OK) {
		fail_msg("%08x: event %d", w, event);
	}
	if (!same_state(o, r))
		fail_msg("%08x: other results", w);
}

static void test_random_words(void **state)
{
	enum { WORDS = 150000 };
	static struct other o;
	struct soft_rig *r = make(state), *fresh = soft_rig_make();
	unsigned executed = 0;
	uint64_t seed = 1;

	*fresh = *r;
	for (unsigned i = 0; i < WORDS; i++) {
		uint32_t w = random_word(&seed);
		struct a64_mem_op op;
		bool known = a64_ldst_decode(w, &op) && op.kind != A64_MEM_ZERO;

		random_state(r, w, &seed);
		r->c.tlb = r->tlb;
		if (!r->c.big_endian && i & 1)
			soft_rig_fill_tlb(r);
		else
			memcpy(r->tlb, fresh->tlb, sizeof(r->tlb));
		if (!known) {
			if (soft_rig_run(r, w) != SOFT_RIG_UNDEFINED)
				fail_msg("%08x: not UNDEFINED", w);
			continue;
		}
		if (overlaps(&op))
			continue;
		o.monitor = i & 2;
		arm_monitor(r, w, o.monitor);
		copy_state(&o, r);
		compare(r, &o, w, &op);
		executed += r->event == SOFT_RIG_OK;
		if (executed % 256 == 0)
			memcpy(r->mem, fresh->mem, sizeof(r->mem));
	}
	soft_rig_drop(fresh);
	assert_in_range(executed, WORDS / 5, WORDS);
}

/* ---- faults ---- */

static void test_sp_alignment(void **state)
{
	static const uint32_t words[] = {
		0xf94003e0, /* ldr x0, [sp] */
		0xa9bf7bfd, /* stp x29, x30, [sp, #-16]! */
		0xf81f0fe1, /* str x1, [sp, #-16]! */
		0xc85f7fe0, /* ldxr x0, [sp] */
		0xc8007fe1, /* stxr w0, x1, [sp] */
		0xf82103e0, /* ldadd x1, x0, [sp] */
		0xc8dfffe0, /* ldar x0, [sp] */
		0x4c407fe0, /* ld1 {v0.2d}, [sp] */
		0x3dc003e0, /* ldr q0, [sp] */
	};
	struct soft_rig *r = make(state);

	for (unsigned i = 0; i < ARRAY_COUNT(words); i++) {
		r->c.sp = MEM + 1032;
		r->c.sp_align_check = true;
		assert_int_equal(soft_rig_run(r, words[i]), SOFT_RIG_SP_ALIGNMENT);
		assert_int_equal(r->c.sp, MEM + 1032);
		r->c.sp_align_check = false;
		assert_int_equal(soft_rig_run(r, words[i]), SOFT_RIG_OK);
	}
	r->c.sp = MEM + 1032;
	r->c.sp_align_check = true;
	assert_int_equal(soft_rig_run(r, 0xf98003e0), SOFT_RIG_OK); /* prfm pldl1keep, [sp] */
}

/* With and without a TLB. 1 byte is never misaligned; pairs count as one access if exclusive. */
static void test_alignment_of_ordered_accesses(void **state)
{
	static const struct {
		uint32_t word;
		unsigned bytes;
	} cases[] = {
		{0xc85f7c40, 8},  /* ldxr x0, [x2] */
		{0x885f7c40, 4},  /* ldxr w0, [x2] */
		{0x485ffc40, 2},  /* ldaxrh w0, [x2] */
		{0x085ffc40, 1},  /* ldaxrb w0, [x2] */
		{0xc87f0440, 16}, /* ldxp x0, x1, [x2] */
		{0x887f0440, 8},  /* ldxp w0, w1, [x2] */
		{0xc8007c41, 8},  /* stxr w0, x1, [x2]: although the monitor is open */
		{0x88202041, 8},  /* stxp w0, w1, w8, [x2] */
		{0xc8dffc40, 8},  /* ldar x0, [x2] */
		{0x489ffc41, 2},  /* stlrh w1, [x2] */
		{0xc89f7c41, 8},  /* stllr x1, [x2] */
		{0xf8bfc040, 8},  /* ldapr x0, [x2] */
		{0x99400040, 4},  /* ldapur w0, [x2] */
		{0xd9000041, 8},  /* stlur x1, [x2] */
		{0xf8210040, 8},  /* ldadd x1, x0, [x2] */
		{0x78e18040, 2},  /* swpalh w1, w0, [x2] */
		{0xc8a87c41, 8},  /* cas x8, x1, [x2] */
		{0x48207c80, 16}, /* casp x0, x1, x0, x1, [x4] */
	};
	struct soft_rig *r = make(state);

	for (unsigned i = 0; i < 2 * ARRAY_COUNT(cases); i++) {
		unsigned bytes = cases[i / 2].bytes;

		if (i % 2)
			soft_rig_fill_tlb(r);
		for (unsigned off = 0; off <= 16; off++) {
			r->c.x[2] = r->c.x[4] = MEM + 64 + off;
			assert_int_equal(soft_rig_run(r, cases[i / 2].word),
					 off % bytes ? SOFT_RIG_ALIGNMENT : SOFT_RIG_OK);
			if (off % bytes)
				assert_int_equal(r->arg, MEM + 64 + off);
		}
	}
}

/* A pair is two accesses; structures are as aligned as their elements. */
static void test_alignment_check(void **state)
{
	static const struct {
		uint32_t word;
		unsigned bytes;
	} cases[] = {
		{0xf9400040, 8},  /* ldr x0, [x2] */
		{0x79000041, 2},  /* strh w1, [x2] */
		{0x3dc00040, 16}, /* ldr q0, [x2] */
		{0xa9400440, 8},  /* ldp x0, x1, [x2] */
		{0x29000440, 4},  /* stp w0, w1, [x2] */
		{0xad000440, 16}, /* stp q0, q1, [x2] */
		{0x0c408840, 4},  /* ld2 {v0.2s, v1.2s}, [x2] */
		{0x4c007040, 1},  /* st1 {v0.16b}, [x2] */
		{0x4d40cc40, 8},  /* ld1r {v0.2d}, [x2] */
	};
	struct soft_rig *r = make(state);

	r->c.align_check = true;
	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
		for (unsigned off = 0; off <= 16; off++) {
			r->c.x[2] = MEM + 64 + off;
			assert_int_equal(soft_rig_run(r, cases[i].word),
					 off % cases[i].bytes ? SOFT_RIG_ALIGNMENT : SOFT_RIG_OK);
		}
	}
}

/* Stores of several registers over a page boundary: none if one of them faults. */
static void test_stores_are_probed(void **state)
{
	static const uint32_t words[] = {
		0xa9000440, /* stp x0, x1, [x2] */
		0x29000440, /* stp w0, w1, [x2] */
		0xad000440, /* stp q0, q1, [x2] */
		0x6d000440, /* stp d0, d1, [x2] */
		0x4c002040, /* st1 {v0.16b-v3.16b}, [x2] */
		0x4c008040, /* st2 {v0.16b, v1.16b}, [x2] */
		0x4d20a040, /* st4 {v0.s-v3.s}[2], [x2] */
	};
	struct soft_rig *r = make(state);
	static uint8_t before[SOFT_RIG_MEM_SIZE];

	memcpy(before, r->mem, sizeof(before));
	soft_rig_fill_tlb(r);
	r->abort_at = MEM + SOFT_PAGE;
	for (unsigned i = 0; i < ARRAY_COUNT(words); i++) {
		for (unsigned n = 0; n < 32; n++)
			r->c.v[n].d[0] = r->c.v[n].d[1] = ~0ULL;
		r->c.x[2] = MEM + SOFT_PAGE - 4;
		/* The second page has left the TLB. */
		r->tlb[(r->abort_at >> SOFT_PAGE_BITS & (ARRAY_COUNT(r->tlb) - 1))]
			.tag[SOFT_WRITE] = 0;
		assert_int_equal(soft_rig_run(r, words[i]), SOFT_RIG_ABORT);
		assert_int_equal(r->arg, r->abort_at);
		assert_memory_equal(before, r->mem, sizeof(before));
		r->c.align_check = true;
		r->c.x[2]++; /* nothing is probed before the alignment check */
		if (i != 4 && i != 5)
			assert_int_equal(soft_rig_run(r, words[i]), SOFT_RIG_ALIGNMENT);
		r->c.align_check = false;
	}
}

static void test_fp_trap(void **state)
{
	static const uint32_t words[] = {
		0x3dc00040, /* ldr q0, [x2] */
		0x3c400440, /* ldr b0, [x2], #0 */
		0xbd000041, /* str s1, [x2] */
		0x1c000081, /* ldr s1, .+16 */
		0xad400440, /* ldp q0, q1, [x2] */
		0x6c800440, /* stp d0, d1, [x2], #0 */
		0x0c408840, /* ld2 {v0.2s, v1.2s}, [x2] */
		0x0d40c040, /* ld1r {v0.8b}, [x2] */
		0x0d400040, /* ld1 {v0.b}[0], [x2] */
		0x0d000040, /* st1 {v0.b}[0], [x2] */
	};
	struct soft_rig *r = make(state);

	r->fp_off = true;
	r->c.x[2] = 0; /* the trap comes before the abort */
	for (unsigned i = 0; i < ARRAY_COUNT(words); i++)
		assert_int_equal(soft_rig_run(r, words[i]), SOFT_RIG_FP_TRAP);
	assert_int_equal(soft_rig_run(r, 0x0c40dc40), SOFT_RIG_UNDEFINED); /* opcode 13 */
	assert_int_equal(soft_rig_run(r, 0x0c408c40), SOFT_RIG_UNDEFINED); /* ld2 {.1d} */
	assert_int_equal(soft_rig_run(r, 0x0d408c40), SOFT_RIG_UNDEFINED); /* size 3 */
}

/* ---- syndromes and views ---- */

static void test_syndromes(void **state)
{
	enum {
		I = SOFT_MEM_ISV,
		S = SOFT_MEM_SIGN,
		D = SOFT_MEM_DST64,
		A = SOFT_MEM_AR | SOFT_MEM_ALIGNED,
	};
	static const struct {
		uint32_t word;
		unsigned flags, rt;
	} cases[] = {
		{0xf9400043, I | D, 3},		   /* ldr x3, [x2] */
		{0xb9400043, I, 3},		   /* ldr w3, [x2] */
		{0x39400043, I, 3},		   /* ldrb w3, [x2] */
		{0x39c00043, I | S, 3},		   /* ldrsb w3, [x2] */
		{0x39800043, I | S | D, 3},	   /* ldrsb x3, [x2] */
		{0x79c00043, I | S, 3},		   /* ldrsh w3, [x2] */
		{0xb9800043, I | S | D, 3},	   /* ldrsw x3, [x2] */
		{0xb980005f, I | S | D, 31},	   /* ldrsw xzr, [x2] */
		{0xf9000043, I | D, 3},		   /* str x3, [x2] */
		{0xb9000043, I, 3},		   /* str w3, [x2] */
		{0xf8400043, I | D, 3},		   /* ldur x3, [x2] */
		{0xf87f6843, I | D, 3},		   /* ldr x3, [x2, xzr] */
		{0x38400843, I, 3},		   /* ldtrb w3, [x2] */
		{0xb8800843, I | S | D, 3},	   /* ldtrsw x3, [x2] */
		{0xf8000843, I | D, 3},		   /* sttr x3, [x2] */
		{0xc8dffc43, I | D | A, 3},	   /* ldar x3, [x2] */
		{0x089ffc43, I | A, 3},		   /* stlrb w3, [x2] */
		{0xb8bfc043, I | A, 3},		   /* ldapr w3, [x2] */
		{0x59c00043, I | S | A, 3},	   /* ldapursh w3, [x2] */
		{0x59800043, I | S | D | A, 3},	   /* ldapursh x3, [x2] */
		{0xf8400443, 0, 0},		   /* ldr x3, [x2], #0 */
		{0xf8000c43, 0, 0},		   /* str x3, [x2, #0]! */
		{0xa9401043, 0, 0},		   /* ldp x3, x4, [x2] */
		{0xfd400043, 0, 0},		   /* ldr d3, [x2] */
		{0xc85f7c43, SOFT_MEM_ALIGNED, 0}, /* ldxr x3, [x2] */
		{0xf8240043, SOFT_MEM_ALIGNED, 0}, /* ldadd x4, x3, [x2] */
	};
	struct soft_rig *r = make(state);

	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
		r->c.x[2] = MEM;
		r->flags = ~0U;
		assert_int_equal(soft_rig_run(r, cases[i].word), SOFT_RIG_OK);
		if (r->flags != (cases[i].flags | cases[i].rt << SOFT_MEM_RT_SHIFT))
			fail_msg("%08x: flags %x", cases[i].word, r->flags);
	}
}

static void test_unprivileged(void **state)
{
	static const struct {
		unsigned el;
		bool uao, want;
	} cases[] = {{0, 0, 0}, {1, 0, 1}, {1, 1, 0}, {2, 0, 0}, {3, 0, 0}};
	struct soft_rig *r = make(state);

	soft_rig_fill_tlb(r);
	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
		r->c.pstate = (uint64_t)cases[i].uao << 23 | cases[i].el << 2;
		r->c.x[2] = MEM;
		r->flags = 0;
		assert_int_equal(soft_rig_run(r, 0xf8400843), SOFT_RIG_OK); /* ldtr x3, [x2] */
		assert_int_equal(r->flags & SOFT_MEM_UNPRIV, cases[i].want ? SOFT_MEM_UNPRIV : 0);
		r->flags = 0;
		assert_int_equal(soft_rig_run(r, 0x38000843), SOFT_RIG_OK); /* sttrb w3, [x2] */
		assert_int_equal(r->flags & SOFT_MEM_UNPRIV, cases[i].want ? SOFT_MEM_UNPRIV : 0);
	}
}

/* ---- exclusives ---- */

static void test_exclusive(void **state)
{
	struct soft_rig *r = make(state);

	r->c.x[1] = 0x1234;
	r->c.x[2] = MEM;
	soft_rig_run(r, 0xc8007c41); /* stxr w0, x1, [x2]: nothing loaded */
	assert_int_equal(r->c.x[0], 1);
	soft_rig_run(r, 0xc85f7c43); /* ldxr x3, [x2] */
	assert_int_equal(r->c.x[3], peek(r, 0));
	soft_rig_run(r, 0xc8007c41);
	assert_int_equal(r->c.x[0], 0);
	assert_int_equal(peek(r, 0), 0x1234);
	soft_rig_run(r, 0xc8007c41); /* the monitor is open again */
	assert_int_equal(r->c.x[0], 1);
	soft_rig_run(r, 0xc85f7c43);
	soft_rig_run(r, 0xd5033f5f); /* clrex */
	soft_rig_run(r, 0xc8007c41);
	assert_int_equal(r->c.x[0], 1);
	soft_rig_run(r, 0xc85f7c43);
	poke(r, 0, 0x4321); /* another CPU */
	soft_rig_run(r, 0xc8007c41);
	assert_int_equal(r->c.x[0], 1);
	assert_int_equal(peek(r, 0), 0x4321);
}

/* Another address or size fails, and needs no memory that could be written. */
static void test_exclusive_mismatch(void **state)
{
	struct soft_rig *r = make(state);
	uint64_t was = peek(r, 0);

	r->c.x[2] = MEM;
	soft_rig_run(r, 0xc85f7c43);				    /* ldxr x3, [x2] */
	assert_int_equal(soft_rig_run(r, 0x88007c41), SOFT_RIG_OK); /* stxr w0, w1, [x2] */
	assert_int_equal(r->c.x[0], 1);
	soft_rig_run(r, 0xc85f7c43);
	r->c.x[2] = 0x800;
	assert_int_equal(soft_rig_run(r, 0xc8007c41), SOFT_RIG_OK); /* stxr w0, x1, [x2] */
	assert_int_equal(r->c.x[0], 1);
	assert_int_equal(peek(r, 0), was);
}

static void test_exclusive_pair(void **state)
{
	struct soft_rig *r = make(state);

	r->c.x[2] = MEM;
	for (unsigned i = 0; i < 3; i++) {
		soft_rig_run(r, 0xc87f1043); /* ldxp x3, x4, [x2] */
		assert_int_equal(r->c.x[3], peek(r, 0));
		assert_int_equal(r->c.x[4], peek(r, 8));
		r->c.x[5] = 0x55 + i;
		r->c.x[6] = 0x66 + i;
		if (i == 1)
			poke(r, 0, 1); /* each half counts */
		if (i == 2)
			poke(r, 8, 1);
		soft_rig_run(r, 0xc8201845); /* stxp w0, x5, x6, [x2] */
		assert_int_equal(r->c.x[0], i != 0);
	}
	assert_int_equal(peek(r, 0), 1);
	assert_int_equal(peek(r, 8), 1);
}

static void test_casp(void **state)
{
	struct soft_rig *r = make(state);

	poke(r, 16, 0x1111);
	poke(r, 24, 0x2222);
	r->c.x[10] = MEM + 16;
	r->c.x[2] = 0x1111;
	r->c.x[3] = 0x2223;
	r->c.x[4] = 0x4444;
	r->c.x[5] = 0x5555;
	soft_rig_run(r, 0x48227d44); /* casp x2, x3, x4, x5, [x10] */
	assert_int_equal(r->c.x[2], 0x1111);
	assert_int_equal(r->c.x[3], 0x2222);
	assert_int_equal(peek(r, 16), 0x1111);
	soft_rig_run(r, 0x48227d44);
	assert_int_equal(peek(r, 16), 0x4444);
	assert_int_equal(peek(r, 24), 0x5555);
	assert_int_equal(soft_rig_run(r, 0x48237d44), SOFT_RIG_UNDEFINED); /* odd Rs */
	assert_int_equal(soft_rig_run(r, 0x48227d45), SOFT_RIG_UNDEFINED); /* odd Rt */
}

/* As the head of ldst.c and ldst_excl.c says. */
static void test_constrained_unpredictable(void **state)
{
	struct soft_rig *r = make(state);

	r->c.x[2] = MEM;
	soft_rig_run(r, 0xf8408442); /* ldr x2, [x2], #8 */
	assert_int_equal(r->c.x[2], MEM + 8);
	soft_rig_run(r, 0xf8008c42); /* str x2, [x2, #8]! */
	assert_int_equal(r->c.x[2], MEM + 16);
	assert_int_equal(peek(r, 16), MEM + 8);
	soft_rig_run(r, 0xa9400040); /* ldp x0, x0, [x2] */
	assert_int_equal(r->c.x[0], peek(r, 16));
	soft_rig_run(r, 0xad400040); /* ldp q0, q0, [x2] */
	assert_int_equal(r->c.v[0].d[0], peek(r, 32));
	soft_rig_run(r, 0xc87f0040); /* ldxp x0, x0, [x2] */
	assert_int_equal(r->c.x[0], peek(r, 24));
	soft_rig_run(r, 0xc85f7c40); /* ldxr x0, [x2] */
	r->c.x[0] = 77;
	soft_rig_run(r, 0xc8007c40); /* stxr w0, x0, [x2] */
	assert_int_equal(r->c.x[0], 0);
	assert_int_equal(peek(r, 16), 77);
	soft_rig_run(r, 0xc85f7c40); /* ldxr x0, [x2] */
	soft_rig_run(r, 0xc8027c40); /* stxr w2, x0, [x2] */
	assert_int_equal(r->c.x[2], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_vectors, teardown),
		cmocka_unit_test_teardown(test_abort_changes_no_register, teardown),
		cmocka_unit_test_teardown(test_random_words, teardown),
		cmocka_unit_test_teardown(test_sp_alignment, teardown),
		cmocka_unit_test_teardown(test_alignment_of_ordered_accesses, teardown),
		cmocka_unit_test_teardown(test_alignment_check, teardown),
		cmocka_unit_test_teardown(test_stores_are_probed, teardown),
		cmocka_unit_test_teardown(test_fp_trap, teardown),
		cmocka_unit_test_teardown(test_syndromes, teardown),
		cmocka_unit_test_teardown(test_unprivileged, teardown),
		cmocka_unit_test_teardown(test_exclusive, teardown),
		cmocka_unit_test_teardown(test_exclusive_mismatch, teardown),
		cmocka_unit_test_teardown(test_exclusive_pair, teardown),
		cmocka_unit_test_teardown(test_casp, teardown),
		cmocka_unit_test_teardown(test_constrained_unpredictable, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
