/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Execution of A64 loads and stores: Arm ARM (DDI 0487), C6.2 and C7.2.
 *
 * Where an operation is CONSTRAINED UNPREDICTABLE (write-back to a transferred register, pairs of
 * the same register), the write-back happens first and the later register wins.
 */
#include "arm/ldst.h"

#include "util/bits.h"

struct v128 {
	uint64_t d[2];
};

static uint64_t get_xzr(const struct a64_ldst_ctx *ctx, unsigned n)
{
	return n == 31 ? 0 : ctx->get_x(ctx->opaque, n);
}

static void set_xzr(const struct a64_ldst_ctx *ctx, unsigned n, uint64_t value)
{
	if (n != 31)
		ctx->set_x(ctx->opaque, n, value);
}

static uint64_t truncate(uint64_t v, unsigned size)
{
	return size >= 8 ? v : bits(v, size * 8 - 1, 0);
}

static uint64_t to_memory_order(const struct a64_ldst_ctx *ctx, uint64_t v, unsigned size)
{
	return ctx->big_endian ? __builtin_bswap64(v) >> (64 - size * 8) : v;
}

static bool aborted(struct a64_ldst_ctx *ctx, uint64_t addr, bool write)
{
	ctx->fault_addr = addr;
	ctx->fault_write = write;
	return false;
}

static bool read_8(struct a64_ldst_ctx *ctx, uint64_t addr, unsigned size, uint64_t *v)
{
	if (!ctx->read(ctx->opaque, addr, size, v))
		return aborted(ctx, addr, false);
	*v = to_memory_order(ctx, truncate(*v, size), size);
	return true;
}

static bool write_8(struct a64_ldst_ctx *ctx, uint64_t addr, unsigned size, uint64_t v)
{
	v = to_memory_order(ctx, truncate(v, size), size);
	return ctx->write(ctx->opaque, addr, size, v) || aborted(ctx, addr, true);
}

static bool read_element(struct a64_ldst_ctx *ctx, uint64_t addr, unsigned size, struct v128 *v)
{
	unsigned first = ctx->big_endian;

	v->d[1] = 0;
	if (size < 16)
		return read_8(ctx, addr, size, &v->d[0]);
	return read_8(ctx, addr, 8, &v->d[first]) && read_8(ctx, addr + 8, 8, &v->d[!first]);
}

static bool write_element(struct a64_ldst_ctx *ctx, uint64_t addr, unsigned size,
			  const struct v128 *v)
{
	unsigned first = ctx->big_endian;

	if (size < 16)
		return write_8(ctx, addr, size, v->d[0]);
	return write_8(ctx, addr, 8, v->d[first]) && write_8(ctx, addr + 8, 8, v->d[!first]);
}

/* Exclusive pairs and CASP of 32-bit registers are one access of 64 bits. */
static bool is_single_copy(const struct a64_mem_op *op)
{
	return op->size == 4 && op->count == 2 &&
	       (op->kind == A64_MEM_LOAD_EXCL || op->kind == A64_MEM_STORE_EXCL ||
		op->kind == A64_MEM_CAS);
}

static bool read_elements(const struct a64_mem_op *op, struct a64_ldst_ctx *ctx, uint64_t addr,
			  struct v128 v[2])
{
	if (is_single_copy(op)) {
		unsigned low = ctx->big_endian;
		uint64_t both;

		if (!read_8(ctx, addr, 8, &both))
			return false;
		v[low] = (struct v128){{(uint32_t)both, 0}};
		v[!low] = (struct v128){{both >> 32, 0}};
		return true;
	}
	for (unsigned i = 0; i < op->count; i++) {
		if (!read_element(ctx, addr + i * op->size, op->size, &v[i]))
			return false;
	}
	return true;
}

static bool write_elements(const struct a64_mem_op *op, struct a64_ldst_ctx *ctx, uint64_t addr,
			   const struct v128 v[2])
{
	if (is_single_copy(op)) {
		unsigned low = ctx->big_endian;

		return write_8(ctx, addr, 8, v[!low].d[0] << 32 | (uint32_t)v[low].d[0]);
	}
	for (unsigned i = 0; i < op->count; i++) {
		if (!write_element(ctx, addr + i * op->size, op->size, &v[i]))
			return false;
	}
	return true;
}

static uint64_t offset_of(const struct a64_mem_op *op, const struct a64_ldst_ctx *ctx)
{
	uint64_t m;

	if (!op->rm_used)
		return op->imm;
	m = get_xzr(ctx, op->rm);
	if (op->extend == 2)
		m = (uint32_t)m;
	else if (op->extend == 6)
		m = (int32_t)m;
	return m << op->shift;
}

static unsigned zva_bytes(const struct a64_ldst_ctx *ctx)
{
	return is_pow2(ctx->zva_bytes) && ctx->zva_bytes >= 8 && ctx->zva_bytes <= 2048
		       ? ctx->zva_bytes
		       : 64;
}

uint64_t a64_ldst_address(const struct a64_mem_op *op, const struct a64_ldst_ctx *ctx)
{
	if (op->mode == A64_MEM_LITERAL)
		return ctx->pc + op->imm;
	if (op->kind == A64_MEM_ZERO)
		return align_down(get_xzr(ctx, op->rn), zva_bytes(ctx));
	return ctx->get_x(ctx->opaque, op->rn) +
	       (op->mode == A64_MEM_POST ? 0 : offset_of(op, ctx));
}

/* @offset was computed before the transfer, which may overwrite Rm. */
static void write_back(const struct a64_mem_op *op, struct a64_ldst_ctx *ctx, uint64_t addr,
		       uint64_t offset)
{
	if (op->mode == A64_MEM_PRE)
		ctx->set_x(ctx->opaque, op->rn, addr);
	else if (op->mode == A64_MEM_POST)
		ctx->set_x(ctx->opaque, op->rn, addr + offset);
}

static void get_data(const struct a64_mem_op *op, struct a64_ldst_ctx *ctx, struct v128 v[2])
{
	for (unsigned i = 0; i < op->count; i++) {
		unsigned r = i ? op->rt2 : op->rt;

		v[i] = (struct v128){{0, 0}};
		if (op->vector)
			ctx->get_v(ctx->opaque, r, v[i].d);
		else
			v[i].d[0] = get_xzr(ctx, r);
	}
}

static void set_data(const struct a64_mem_op *op, struct a64_ldst_ctx *ctx, const struct v128 v[2])
{
	for (unsigned i = 0; i < op->count; i++) {
		unsigned r = i ? op->rt2 : op->rt;
		uint64_t x = v[i].d[0];

		if (op->vector) {
			ctx->set_v(ctx->opaque, r, v[i].d);
			continue;
		}
		if (op->sign)
			x = sign_extend(x, op->size * 8);
		set_xzr(ctx, r, op->dst64 ? x : (uint32_t)x);
	}
}

static bool execute_load(const struct a64_mem_op *op, struct a64_ldst_ctx *ctx)
{
	uint64_t addr = a64_ldst_address(op, ctx), offset = offset_of(op, ctx);
	struct v128 v[2];

	if (!read_elements(op, ctx, addr, v))
		return false;
	write_back(op, ctx, addr, offset);
	set_data(op, ctx, v);
	return true;
}

static bool execute_store(const struct a64_mem_op *op, struct a64_ldst_ctx *ctx)
{
	uint64_t addr = a64_ldst_address(op, ctx), offset = offset_of(op, ctx);
	bool exclusive = op->kind == A64_MEM_STORE_EXCL;
	struct v128 v[2];

	if (exclusive && !ctx->exclusive_store(ctx->opaque, addr, a64_ldst_bytes(op))) {
		set_xzr(ctx, op->rs, 1);
		return true;
	}
	get_data(op, ctx, v);
	if (!write_elements(op, ctx, addr, v))
		return false;
	if (exclusive)
		set_xzr(ctx, op->rs, 0);
	write_back(op, ctx, addr, offset);
	return true;
}

static uint64_t atomic_result(const struct a64_mem_op *op, uint64_t mem, uint64_t reg)
{
	int64_t smem = sign_extend(mem, op->size * 8), sreg = sign_extend(reg, op->size * 8);

	switch (op->atomic) {
	case A64_ATOMIC_ADD:
		return mem + reg;
	case A64_ATOMIC_CLR:
		return mem & ~reg;
	case A64_ATOMIC_EOR:
		return mem ^ reg;
	case A64_ATOMIC_SET:
		return mem | reg;
	case A64_ATOMIC_SMAX:
		return smem > sreg ? mem : reg;
	case A64_ATOMIC_SMIN:
		return smem > sreg ? reg : mem;
	case A64_ATOMIC_UMAX:
		return mem > reg ? mem : reg;
	case A64_ATOMIC_UMIN:
		return mem > reg ? reg : mem;
	case A64_ATOMIC_SWP:
		break;
	}
	return reg;
}

static bool execute_atomic(const struct a64_mem_op *op, struct a64_ldst_ctx *ctx)
{
	uint64_t addr = a64_ldst_address(op, ctx);
	uint64_t reg = truncate(get_xzr(ctx, op->rs), op->size), mem;

	if (!read_8(ctx, addr, op->size, &mem) ||
	    !write_8(ctx, addr, op->size, atomic_result(op, mem, reg)))
		return false;
	set_xzr(ctx, op->rt, mem);
	return true;
}

static bool execute_cas(const struct a64_mem_op *op, struct a64_ldst_ctx *ctx)
{
	uint64_t addr = a64_ldst_address(op, ctx);
	struct v128 old[2], new[2];
	bool equal = true;

	if (!read_elements(op, ctx, addr, old))
		return false;
	for (unsigned i = 0; i < op->count; i++)
		equal &= truncate(get_xzr(ctx, op->rs + i), op->size) == old[i].d[0];
	get_data(op, ctx, new);
	if (equal && !write_elements(op, ctx, addr, new))
		return false;
	for (unsigned i = 0; i < op->count; i++)
		set_xzr(ctx, op->rs + i, old[i].d[0]);
	return true;
}

static uint64_t lane_get(const struct v128 *v, unsigned lane, unsigned size)
{
	return truncate(v->d[lane * size / 8] >> (lane * size % 8 * 8), size);
}

static void lane_set(struct v128 *v, unsigned lane, unsigned size, uint64_t value)
{
	unsigned low = lane * size % 8 * 8;
	uint64_t *d = &v->d[lane * size / 8];

	*d = bits_set(*d, low + size * 8 - 1, low, value);
}

static void lane_replicate(const struct a64_mem_op *op, struct v128 *v)
{
	for (unsigned lane = 1; lane < (op->q ? 16u : 8u) / op->size; lane++)
		lane_set(v, lane, op->size, lane_get(v, 0, op->size));
}

/* Transfer between memory and v[0..], in the order of the structures in memory. */
static bool transfer_struct(const struct a64_mem_op *op, struct a64_ldst_ctx *ctx, uint64_t addr,
			    struct v128 *v)
{
	bool load = op->kind == A64_MEM_LOAD_STRUCT;
	unsigned total = op->rpt * op->lanes * op->selem;

	for (unsigned i = 0; i < total; i++, addr += op->size) {
		unsigned reg = i / (op->lanes * op->selem) + i % op->selem;
		unsigned lane = op->index + i / op->selem % op->lanes;
		uint64_t value = lane_get(&v[reg], lane, op->size);

		if (load ? !read_8(ctx, addr, op->size, &value)
			 : !write_8(ctx, addr, op->size, value))
			return false;
		lane_set(&v[reg], lane, op->size, value);
	}
	return true;
}

static bool execute_struct(const struct a64_mem_op *op, struct a64_ldst_ctx *ctx)
{
	uint64_t addr = a64_ldst_address(op, ctx), offset = offset_of(op, ctx);
	unsigned regs = op->rpt * op->selem; /* one of the two is 1 */
	bool load = op->kind == A64_MEM_LOAD_STRUCT;
	struct v128 v[4] = {0};

	for (unsigned r = 0; r < regs && (!load || op->single); r++)
		ctx->get_v(ctx->opaque, (op->rt + r) % 32, v[r].d);
	if (!transfer_struct(op, ctx, addr, v))
		return false;
	for (unsigned r = 0; r < regs && load; r++) {
		if (op->replicate)
			lane_replicate(op, &v[r]);
		ctx->set_v(ctx->opaque, (op->rt + r) % 32, v[r].d);
	}
	write_back(op, ctx, addr, offset);
	return true;
}

static bool execute_zero(const struct a64_mem_op *op, struct a64_ldst_ctx *ctx)
{
	uint64_t addr = a64_ldst_address(op, ctx);

	for (unsigned i = 0; i < zva_bytes(ctx); i += 8) {
		if (!write_8(ctx, addr + i, 8, 0))
			return false;
	}
	return true;
}

static bool execute(const struct a64_mem_op *op, struct a64_ldst_ctx *ctx)
{
	switch (op->kind) {
	case A64_MEM_LOAD:
	case A64_MEM_LOAD_EXCL:
		return execute_load(op, ctx);
	case A64_MEM_STORE:
	case A64_MEM_STORE_EXCL:
		return execute_store(op, ctx);
	case A64_MEM_ATOMIC:
		return execute_atomic(op, ctx);
	case A64_MEM_CAS:
		return execute_cas(op, ctx);
	case A64_MEM_LOAD_STRUCT:
	case A64_MEM_STORE_STRUCT:
		return execute_struct(op, ctx);
	case A64_MEM_ZERO:
		return execute_zero(op, ctx);
	case A64_MEM_PREFETCH:
		break;
	}
	return true;
}

enum a64_ldst_result a64_ldst_execute(const struct a64_mem_op *op, struct a64_ldst_ctx *ctx)
{
	return execute(op, ctx) ? A64_LDST_OK : A64_LDST_ABORT;
}
