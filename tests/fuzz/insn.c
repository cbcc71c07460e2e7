/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: decode arbitrary words, and execute those that are loads and stores on a small
 * memory, some of which aborts. Input: 8 bytes of settings, then words.
 */
#include "arm/insn.h"
#include "arm/ldst.h"

#include <stdlib.h>
#include <string.h>

enum { MEM_SIZE = 4096 };

struct cpu {
	uint64_t x[32];
	uint64_t v[32][2];
	uint8_t mem[MEM_SIZE];
	bool monitor;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static uint64_t get_x(void *opaque, unsigned n)
{
	require(n < 32);
	return ((struct cpu *)opaque)->x[n] % (2 * MEM_SIZE);
}

static void set_x(void *opaque, unsigned n, uint64_t value)
{
	require(n < 32);
	((struct cpu *)opaque)->x[n] = value;
}

static void get_v(void *opaque, unsigned n, uint64_t value[2])
{
	require(n < 32);
	memcpy(value, ((struct cpu *)opaque)->v[n], 16);
}

static void set_v(void *opaque, unsigned n, const uint64_t value[2])
{
	require(n < 32);
	memcpy(((struct cpu *)opaque)->v[n], value, 16);
}

static bool mem_read(void *opaque, uint64_t addr, unsigned size, uint64_t *value)
{
	require(size == 1 || size == 2 || size == 4 || size == 8);
	*value = ~0ULL; /* an untidy device */
	if (addr > MEM_SIZE - size)
		return false;
	memcpy(value, ((struct cpu *)opaque)->mem + addr, size);
	return true;
}

static bool mem_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
	require(size == 1 || size == 2 || size == 4 || size == 8);
	require(size == 8 || value >> size * 8 == 0);
	if (addr > MEM_SIZE - size)
		return false;
	memcpy(((struct cpu *)opaque)->mem + addr, &value, size);
	return true;
}

static bool exclusive_store(void *opaque, uint64_t addr, unsigned size)
{
	require(size >= 1 && size <= 16);
	return ((struct cpu *)opaque)->monitor;
}

/* An abort must leave the registers alone. */
static void execute(struct cpu *c, struct a64_ldst_ctx *ctx, const struct a64_mem_op *op)
{
	static struct cpu before;

	memcpy(&before, c, sizeof(before));
	if (a64_ldst_execute(op, ctx) == A64_LDST_OK)
		return;
	require(!memcmp(c->x, before.x, sizeof(c->x)) && !memcmp(c->v, before.v, sizeof(c->v)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cpu c = {.monitor = size && data[0] & 1};
	struct a64_ldst_ctx ctx = {
		.opaque = &c,
		.get_x = get_x,
		.set_x = set_x,
		.get_v = get_v,
		.set_v = set_v,
		.read = mem_read,
		.write = mem_write,
		.exclusive_store = exclusive_store,
	};

	if (size < 8)
		return 0;
	ctx.big_endian = data[0] & 2;
	ctx.zva_bytes = 4U << (data[0] >> 4);
	ctx.pc = data[1] << 4;
	for (unsigned i = 0; i < 32; i++)
		c.x[i] = data[2 + i % 6] * (i + 1) * 8;
	for (size_t at = 8; at + 4 <= size; at += 4) {
		char name[INSN_SYSREG_NAME_MAX];
		struct a64_mem_op op;
		uint32_t word;
		uint64_t target;

		memcpy(&word, data + at, 4);
		insn_sysreg_name(insn_decode(word).sysreg, name);
		insn_branch_target(word, ctx.pc, &target);
		if (a64_ldst_decode(word, &op))
			execute(&c, &ctx, &op);
	}
	return 0;
}
