/* SPDX-License-Identifier: Apache-2.0 */
/* Loads and stores: every form against recorded results, order and size of accesses, aborts. */
#include "arm/ldst.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MEM_BASE = 0x10000000, MEM_SIZE = 1024, SP = 31 };

struct cpu {
	struct a64_ldst_ctx ctx;
	uint64_t x[32];
	uint64_t v[32][2];
	uint8_t mem[MEM_SIZE];
	uint64_t abort_at; /* an access to this byte aborts; 0: none */
	bool monitor;	   /* what exclusive_store answers */
	char trace[1200];
};

static void trace(struct cpu *c, char what, uint64_t addr, unsigned size)
{
	size_t n = strlen(c->trace);

	snprintf(c->trace + n, sizeof(c->trace) - n, "%s%c%u@%lx", n ? " " : "", what, size,
		 (unsigned long)(addr - MEM_BASE));
}

static uint64_t get_x(void *opaque, unsigned n)
{
	assert_in_range(n, 0, 31);
	return ((struct cpu *)opaque)->x[n];
}

static void set_x(void *opaque, unsigned n, uint64_t value)
{
	assert_in_range(n, 0, 31);
	((struct cpu *)opaque)->x[n] = value;
}

static void get_v(void *opaque, unsigned n, uint64_t value[2])
{
	assert_in_range(n, 0, 31);
	memcpy(value, ((struct cpu *)opaque)->v[n], 16);
}

static void set_v(void *opaque, unsigned n, const uint64_t value[2])
{
	assert_in_range(n, 0, 31);
	memcpy(((struct cpu *)opaque)->v[n], value, 16);
}

static bool reachable(const struct cpu *c, uint64_t addr, unsigned size)
{
	assert_true(size == 1 || size == 2 || size == 4 || size == 8);
	return addr - MEM_BASE <= MEM_SIZE - size &&
	       (c->abort_at < addr || c->abort_at >= addr + size);
}

static bool mem_read(void *opaque, uint64_t addr, unsigned size, uint64_t *value)
{
	struct cpu *c = opaque;

	trace(c, 'r', addr, size);
	*value = 0;
	if (!reachable(c, addr, size))
		return false;
	memcpy(value, c->mem + (addr - MEM_BASE), size);
	return true;
}

static bool mem_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
	struct cpu *c = opaque;

	trace(c, 'w', addr, size);
	if (!reachable(c, addr, size))
		return false;
	assert_true(size == 8 || value >> size * 8 == 0);
	memcpy(c->mem + (addr - MEM_BASE), &value, size);
	return true;
}

static bool exclusive_store(void *opaque, uint64_t addr, unsigned size)
{
	return ((struct cpu *)opaque)->monitor;
}

/* The state in which the vectors were recorded. */
static void fill(struct cpu *c)
{
	memset(c, 0, sizeof(*c));
	c->monitor = true;
	for (unsigned i = 0; i < MEM_SIZE; i++)
		c->mem[i] = (uint8_t)(i * 37 + 11);
	for (unsigned n = 0; n < 32; n++) {
		c->x[n] = 0x8877665544332211U + n * 0x0101010101010101U;
		c->v[n][0] = 0x0706050403020100U + n * 0x1010101010101010U;
		c->v[n][1] = 0x0f0e0d0c0b0a0908U + n * 0x1010101010101010U;
	}
	c->x[2] = MEM_BASE + 512;
	c->x[3] = 0xffffffff00000010;
	c->x[4] = 16;
	c->x[5] = 0xfffffffc;
	memcpy(&c->x[6], c->mem + 512, 8);
	memcpy(&c->x[7], c->mem + 520, 8);
	c->x[10] = (uint32_t)c->x[6] | 0xabcdULL << 32;
	c->x[11] = c->x[6] >> 32;
	c->x[26] = 2;
	c->x[SP] = MEM_BASE + 576;
	c->ctx = (struct a64_ldst_ctx){
		.opaque = c,
		.get_x = get_x,
		.set_x = set_x,
		.get_v = get_v,
		.set_v = set_v,
		.read = mem_read,
		.write = mem_write,
		.exclusive_store = exclusive_store,
		.pc = MEM_BASE + 256,
		.zva_bytes = 64,
	};
}

static enum a64_ldst_result run(struct cpu *c, uint32_t word)
{
	struct a64_mem_op op;

	assert_true(a64_ldst_decode(word, &op));
	return a64_ldst_execute(&op, &c->ctx);
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

static void describe(const struct cpu *before, const struct cpu *after, char *out, size_t size)
{
	*out = '\0';
	for (unsigned n = 0; n < 32; n++) {
		if (after->x[n] == before->x[n])
			continue;
		if (n == SP)
			add(out, size, "sp=%lx", (unsigned long)after->x[n]);
		else
			add(out, size, "x%u=%lx", n, (unsigned long)after->x[n]);
	}
	for (unsigned n = 0; n < 32; n++) {
		if (memcmp(after->v[n], before->v[n], 16))
			add(out, size, "v%u=%016lx%016lx", n, (unsigned long)after->v[n][1],
			    (unsigned long)after->v[n][0]);
	}
	for (unsigned i = 0; i < MEM_SIZE; i += 8) {
		uint64_t m;

		memcpy(&m, after->mem + i, 8);
		if (memcmp(after->mem + i, before->mem + i, 8))
			add(out, size, "m%x=%016lx", i, (unsigned long)m);
	}
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

static void test_vectors(void **state)
{
	static struct cpu before, after;
	char effect[1024];

	for (unsigned i = 0; i < ARRAY_COUNT(vectors); i++) {
		fill(&before);
		fill(&after);
		if (run(&after, vectors[i].word) != A64_LDST_OK)
			fail_msg("%s: aborted", vectors[i].assembly);
		describe(&before, &after, effect, sizeof(effect));
		if (strcmp(effect, vectors[i].effect))
			fail_msg("%s:\n  got  %s\n  want %s", vectors[i].assembly, effect,
				 vectors[i].effect);
	}
}

/* Whatever the form: an abort of its first or of any later access leaves all registers alone. */
static void test_abort_changes_no_register(void **state)
{
	static struct cpu before, after;

	for (unsigned i = 0; i < ARRAY_COUNT(vectors); i++) {
		unsigned aborts = 0;

		for (unsigned at = 256; at < 1000; at++) {
			fill(&before);
			fill(&after);
			after.abort_at = MEM_BASE + at;
			if (run(&after, vectors[i].word) == A64_LDST_OK)
				continue;
			aborts++;
			assert_memory_equal(after.x, before.x, sizeof(after.x));
			assert_memory_equal(after.v, before.v, sizeof(after.v));
			assert_in_range(after.abort_at - after.ctx.fault_addr, 0, 7);
		}
		fill(&after);
		run(&after, vectors[i].word);
		assert_int_equal(aborts != 0, *after.trace != '\0');
	}
}

static void test_order_and_size(void **state)
{
	static const struct {
		uint32_t word;
		const char *trace;
	} cases[] = {
		{0xa9400440, "r8@200 r8@208"},		     /* ldp x0, x1, [x2] */
		{0xa9020440, "w8@220 w8@228"},		     /* stp x0, x1, [x2, #32] */
		{0x28810440, "w4@200 w4@204"},		     /* stp w0, w1, [x2], #8 */
		{0x3dc00440, "r8@210 r8@218"},		     /* ldr q0, [x2, #16] */
		{0x3d800441, "w8@210 w8@218"},		     /* str q1, [x2, #16] */
		{0x887f0440, "r8@200"},			     /* ldxp w0, w1, [x2] */
		{0xc87f0440, "r8@200 r8@208"},		     /* ldxp x0, x1, [x2] */
		{0xf8210040, "r8@200 w8@200"},		     /* ldadd x1, x0, [x2] */
		{0x38e18040, "r1@200 w1@200"},		     /* swpalb w1, w0, [x2] */
		{0xc8a87c41, "r8@200"},			     /* cas x8, x1, [x2]: unequal */
		{0xc8a67c41, "r8@200 w8@200"},		     /* cas x6, x1, [x2]: equal */
		{0x0c408840, "r4@200 r4@204 r4@208 r4@20c"}, /* ld2 {v0.2s, v1.2s}, [x2] */
		{0xf9800040, ""},			     /* prfm pldl1keep, [x2] */
	};
	static struct cpu c;

	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
		fill(&c);
		run(&c, cases[i].word);
		assert_string_equal(c.trace, cases[i].trace);
	}
}

static void test_store_pair_aborts_at_second(void **state)
{
	static struct cpu c;

	fill(&c);
	c.abort_at = MEM_BASE + 520;
	assert_int_equal(run(&c, 0xa8810440), A64_LDST_ABORT); /* stp x0, x1, [x2], #16 */
	assert_string_equal(c.trace, "w8@200 w8@208");
	assert_int_equal(c.ctx.fault_addr, MEM_BASE + 520);
	assert_true(c.ctx.fault_write);
	assert_int_equal(c.x[2], MEM_BASE + 512);
	assert_memory_equal(c.mem + 512, &c.x[0], 8); /* the first half has been stored */
}

static void test_atomic_abort_is_a_read(void **state)
{
	static struct cpu c;

	fill(&c);
	c.abort_at = MEM_BASE + 512;
	assert_int_equal(run(&c, 0xf8210040), A64_LDST_ABORT); /* ldadd x1, x0, [x2] */
	assert_false(c.ctx.fault_write);
}

static void test_literal(void **state)
{
	static struct cpu c;
	uint64_t want;

	fill(&c);
	run(&c, 0x58000040); /* ldr x0, .+8 */
	memcpy(&want, c.mem + 264, 8);
	assert_int_equal(c.x[0], want);
	fill(&c);
	run(&c, 0x18ffffe0); /* ldr w0, .-4 */
	memcpy(&want, c.mem + 252, 8);
	assert_int_equal(c.x[0], (uint32_t)want);
	fill(&c);
	run(&c, 0x980000a0); /* ldrsw x0, .+20 */
	memcpy(&want, c.mem + 276, 8);
	assert_int_equal(c.x[0], (int64_t)(int32_t)want);
	fill(&c);
	run(&c, 0x9c000081); /* ldr q1, .+16 */
	assert_memory_equal(c.v[1], c.mem + 272, 16);
	fill(&c);
	run(&c, 0x1c000081); /* ldr s1, .+16 */
	memcpy(&want, c.mem + 272, 8);
	assert_int_equal(c.v[1][0], (uint32_t)want);
	assert_int_equal(c.v[1][1], 0);
	fill(&c);
	run(&c, 0xd8000040); /* prfm pldl1keep, .+8 */
	assert_string_equal(c.trace, "");
}

static void test_exclusive_store(void **state)
{
	static struct cpu c;

	fill(&c);
	run(&c, 0xc8007c41); /* stxr w0, x1, [x2] */
	assert_int_equal(c.x[0], 0);
	assert_memory_equal(c.mem + 512, &c.x[1], 8);
	fill(&c);
	run(&c, 0x88202041); /* stxp w0, w1, w8, [x2] */
	assert_int_equal(c.x[0], 0);
	assert_string_equal(c.trace, "w8@200");
	assert_memory_equal(c.mem + 512, &c.x[1], 4);
	assert_memory_equal(c.mem + 516, &c.x[8], 4);
	fill(&c);
	c.monitor = false;
	run(&c, 0xc8007c41);
	assert_int_equal(c.x[0], 1);
	assert_string_equal(c.trace, "");
	fill(&c);
	c.abort_at = MEM_BASE + 512;
	assert_int_equal(run(&c, 0xc8007c41), A64_LDST_ABORT);
	assert_int_equal(c.x[0], 0x8877665544332211); /* no status */
}

static void test_big_endian(void **state)
{
	static struct cpu c;
	uint64_t m;

	fill(&c);
	c.ctx.big_endian = true;
	run(&c, 0xf9400040); /* ldr x0, [x2] */
	memcpy(&m, c.mem + 512, 8);
	assert_int_equal(c.x[0], __builtin_bswap64(m));
	run(&c, 0x3dc00040); /* ldr q0, [x2] */
	assert_int_equal(c.v[0][1], __builtin_bswap64(m));
	run(&c, 0x887f2040); /* ldxp w0, w8, [x2] */
	assert_int_equal(c.x[0], __builtin_bswap32((uint32_t)m));
	assert_int_equal(c.x[8], __builtin_bswap32(m >> 32));
	run(&c, 0x79000041); /* strh w1, [x2] */
	assert_int_equal(c.mem[512], c.x[1] >> 8 & 0xff);
	assert_int_equal(c.mem[513], c.x[1] & 0xff);
	run(&c, 0x3d800041); /* str q1, [x2] */
	assert_int_equal(c.mem[512], c.v[1][1] >> 56);
	assert_int_equal(c.mem[527], c.v[1][0] & 0xff);
}

static void test_zva(void **state)
{
	static const struct {
		unsigned bytes, done;
	} cases[] = {{8, 8},  {64, 64}, {128, 128}, {0, 64},
		     {3, 64}, {4, 64},	{4096, 64}, {~0U, 64}};
	static const uint8_t zeros[128];
	static struct cpu c;

	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
		fill(&c);
		c.ctx.zva_bytes = cases[i].bytes;
		c.x[2] += cases[i].done - 1;
		run(&c, 0xd50b7422); /* dc zva, x2 */
		assert_memory_equal(c.mem + 512, zeros, cases[i].done);
		assert_int_not_equal(c.mem[511], 0);
		assert_int_not_equal(c.mem[512 + cases[i].done], 0);
	}
	fill(&c);
	assert_int_equal(run(&c, 0xd50b743f), A64_LDST_ABORT); /* dc zva, xzr */
	assert_int_equal(c.ctx.fault_addr, 0);
}

static void test_not_decoded(void **state)
{
	static const uint32_t words[] = {
		0x00000000,		 /* udf #0 */
		0xd503201f,		 /* nop */
		0x8b010000,		 /* add x0, x0, x1 */
		0x69000440,		 /* stgp */
		0x68400440,		 /* opc 01 of the non-temporal pairs */
		0xe9400440,		 /* opc 11 of pairs */
		0xf8200440,		 /* ldraa x0, [x2] */
		0xd9600840,		 /* ldg x0, [x2] */
		0x48617c43,		 /* casp x1, ...: odd register */
		0x0c408c40,		 /* ld2 {.1d}: reserved */
		0x0c401040,		 /* multiple structures, opcode 1 */
		0x0d404440,		 /* single, .h with size<0> set */
		0x0d408840,		 /* single, .s/.d with size 2 */
		0x0d409440,		 /* single, .d with S set */
		0x0d00c040,		 /* st1r does not exist */
		0x7d800040 | 0x80000000, /* V, size 3, opc 2 */
		0xb8c00840 | 0x40000000, /* ldtr, size 3, opc 3 */
		0x38200840,		 /* register offset, option<1> clear */
		0xdc000040,		 /* literal, V, opc 3 */
		0x38209040,		 /* atomic, o3 set, opc 1 */
		0x3c200040,		 /* atomic, V set */
		0xd9800040,		 /* ldapursw of 64 bits */
	};
	struct a64_mem_op op;

	for (unsigned i = 0; i < ARRAY_COUNT(words); i++) {
		if (a64_ldst_decode(words[i], &op))
			fail_msg("%08x decodes", words[i]);
	}
}

static uint32_t next(uint64_t *s)
{
	*s = *s * 6364136223846793005 + 1442695040888963407;
	return *s >> 32;
}

static void test_random_words(void **state)
{
	static struct cpu c;
	uint64_t seed = 1;
	unsigned decoded = 0;

	fill(&c);
	for (unsigned i = 0; i < 300000; i++) {
		uint32_t word = next(&seed);
		struct a64_mem_op op;

		if (i & 1) /* into the encoding group */
			word = (word & ~0x0a000000U) | 0x08000000;
		if (!a64_ldst_decode(word, &op))
			continue;
		decoded++;
		c.trace[0] = '\0';
		c.monitor = i & 2;
		c.ctx.big_endian = i & 4;
		if (i & 8)
			c.x[op.rn] = MEM_BASE + next(&seed) % MEM_SIZE;
		a64_ldst_execute(&op, &c.ctx);
	}
	assert_in_range(decoded, 50000, 300000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_abort_changes_no_register),
		cmocka_unit_test(test_order_and_size),
		cmocka_unit_test(test_store_pair_aborts_at_second),
		cmocka_unit_test(test_atomic_abort_is_a_read),
		cmocka_unit_test(test_literal),
		cmocka_unit_test(test_exclusive_store),
		cmocka_unit_test(test_big_endian),
		cmocka_unit_test(test_zva),
		cmocka_unit_test(test_not_decoded),
		cmocka_unit_test(test_random_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
