/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding of A64 loads and stores: Arm ARM (DDI 0487), C4.1 "Loads and Stores", one function per
 * encoding class (similar classes share one).
 */
#include "arm/ldst.h"

#include "util/bits.h"

#include <string.h>

struct encoding {
	uint32_t mask;
	uint32_t value;
	bool (*decode)(uint32_t insn, struct a64_mem_op *op);
	enum a64_mem_mode mode;
};

static void set_imm9(uint32_t insn, struct a64_mem_op *op)
{
	op->imm = sign_extend(bits(insn, 20, 12), 9);
}

/* size, V and opc of "load/store register": what is transferred. */
static bool register_type(uint32_t insn, bool prefetch_allowed, struct a64_mem_op *op)
{
	unsigned size = bits(insn, 31, 30), opc = bits(insn, 23, 22);

	op->vector = bit(insn, 26);
	op->count = 1;
	if (op->vector) {
		if (opc & 2) {
			if (size)
				return false;
			size = 4;
		}
		op->kind = opc & 1 ? A64_MEM_LOAD : A64_MEM_STORE;
	} else if (size == 3 && opc == 2) {
		op->kind = A64_MEM_PREFETCH;
		if (!prefetch_allowed)
			return false;
	} else {
		if (opc == 3 && size >= 2)
			return false;
		op->kind = opc ? A64_MEM_LOAD : A64_MEM_STORE;
		op->sign = opc & 2;
		op->dst64 = opc == 2 || size == 3;
	}
	op->size = 1 << size;
	return true;
}

static bool decode_unsigned(uint32_t insn, struct a64_mem_op *op)
{
	if (!register_type(insn, true, op))
		return false;
	op->imm = bits(insn, 21, 10) * op->size;
	return true;
}

static bool decode_unscaled(uint32_t insn, struct a64_mem_op *op)
{
	set_imm9(insn, op);
	return register_type(insn, true, op);
}

static bool decode_indexed(uint32_t insn, struct a64_mem_op *op)
{
	set_imm9(insn, op);
	return register_type(insn, false, op);
}

static bool decode_unprivileged(uint32_t insn, struct a64_mem_op *op)
{
	set_imm9(insn, op);
	op->unpriv = true;
	return !bit(insn, 26) && register_type(insn, false, op);
}

static bool decode_register_offset(uint32_t insn, struct a64_mem_op *op)
{
	if (!bit(insn, 14) || !register_type(insn, true, op))
		return false;
	op->rm_used = true;
	op->rm = bits(insn, 20, 16);
	op->extend = bits(insn, 15, 13);
	op->shift = bit(insn, 12) ? __builtin_ctz(op->size) : 0;
	return true;
}

static bool decode_literal(uint32_t insn, struct a64_mem_op *op)
{
	unsigned opc = bits(insn, 31, 30);

	op->vector = bit(insn, 26);
	if (op->vector && opc == 3)
		return false;
	op->kind = opc == 3 ? A64_MEM_PREFETCH : A64_MEM_LOAD;
	op->count = 1;
	op->sign = !op->vector && opc == 2;
	op->dst64 = opc != 0;
	if (op->vector)
		op->size = 4 << opc;
	else
		op->size = opc == 1 ? 8 : 4;
	op->imm = sign_extend(bits(insn, 23, 5), 19) * 4;
	return true;
}

/* Non-temporal pairs have their own class but differ only in what is unallocated. */
static bool decode_pair(uint32_t insn, struct a64_mem_op *op)
{
	unsigned opc = bits(insn, 31, 30);
	bool load = bit(insn, 22), no_alloc = bits(insn, 24, 23) == 0;

	op->vector = bit(insn, 26);
	if (opc == 3)
		return false;
	if (op->vector) {
		op->size = 4 << opc;
	} else {
		if (opc == 1 && (!load || no_alloc)) /* STGP is MTE's */
			return false;
		op->size = opc == 2 ? 8 : 4;
		op->sign = opc == 1;
		op->dst64 = opc != 0;
	}
	op->kind = load ? A64_MEM_LOAD : A64_MEM_STORE;
	op->count = 2;
	op->rt2 = bits(insn, 14, 10);
	op->imm = sign_extend(bits(insn, 21, 15), 7) * op->size;
	return true;
}

static bool decode_compare_and_swap(uint32_t insn, bool pair, struct a64_mem_op *op)
{
	if (op->rt2 != 31 || (pair && ((op->rs | op->rt) & 1)))
		return false;
	op->kind = A64_MEM_CAS;
	op->count = pair ? 2 : 1;
	if (pair) {
		op->size = bit(insn, 30) ? 8 : 4;
		op->rt2 = op->rt + 1;
	}
	op->acquire = bit(insn, 22);
	op->release = bit(insn, 15);
	return true;
}

static bool decode_exclusive(uint32_t insn, struct a64_mem_op *op)
{
	bool o2 = bit(insn, 23), load = bit(insn, 22), o1 = bit(insn, 21), o0 = bit(insn, 15);

	op->size = 1 << bits(insn, 31, 30);
	op->count = 1;
	op->rs = bits(insn, 20, 16);
	op->rt2 = bits(insn, 14, 10);
	if (o1 && (o2 || !bit(insn, 31)))
		return decode_compare_and_swap(insn, !o2, op);
	if (o2) {
		/* LDLAR and STLLR (o0 clear) order less than LDAR and STLR; taken as those. */
		op->kind = load ? A64_MEM_LOAD : A64_MEM_STORE;
		op->acquire = load;
		op->release = !load;
	} else {
		op->kind = load ? A64_MEM_LOAD_EXCL : A64_MEM_STORE_EXCL;
		op->count = o1 ? 2 : 1;
		op->acquire = load && o0;
		op->release = !load && o0;
	}
	op->dst64 = op->size == 8;
	return true;
}

static bool decode_rcpc_unscaled(uint32_t insn, struct a64_mem_op *op)
{
	set_imm9(insn, op);
	if (!register_type(insn, false, op))
		return false;
	op->acquire = op->kind == A64_MEM_LOAD;
	op->release = !op->acquire;
	return true;
}

static bool decode_atomic(uint32_t insn, struct a64_mem_op *op)
{
	unsigned opc = bits(insn, 14, 12);

	op->size = 1 << bits(insn, 31, 30);
	op->dst64 = op->size == 8;
	op->count = 1;
	op->rs = bits(insn, 20, 16);
	op->acquire = bit(insn, 23);
	op->release = bit(insn, 22);
	op->kind = A64_MEM_ATOMIC;
	op->atomic = (enum a64_mem_atomic)opc;
	if (!bit(insn, 15))
		return true;
	if (opc == 0) {
		op->atomic = A64_ATOMIC_SWP;
		return true;
	}
	op->kind = A64_MEM_LOAD;
	return opc == 4 && op->acquire && !op->release && op->rs == 31; /* LDAPR */
}

static bool decode_zva(uint32_t insn, struct a64_mem_op *op)
{
	op->kind = A64_MEM_ZERO;
	op->rn = op->rt;
	return true;
}

/* Offset of structures: none, or Rm after the access; Rm 31 stands for the size of the transfer. */
static void struct_offset(uint32_t insn, struct a64_mem_op *op)
{
	if (op->mode != A64_MEM_POST)
		return;
	op->rm = bits(insn, 20, 16);
	op->extend = 3;
	op->rm_used = op->rm != 31;
	op->imm = a64_ldst_bytes(op);
}

static bool decode_struct_multiple(uint32_t insn, struct a64_mem_op *op)
{
	/* Repeats and elements per structure, by opcode; 0 is unallocated. */
	static const uint8_t shape[16][2] = {
		[0x0] = {1, 4}, [0x2] = {4, 1}, [0x4] = {1, 3}, [0x6] = {3, 1},
		[0x7] = {1, 1}, [0x8] = {1, 2}, [0xa] = {2, 1},
	};
	const uint8_t *s = shape[bits(insn, 15, 12)];

	op->q = bit(insn, 30);
	op->vector = true;
	op->size = 1 << bits(insn, 11, 10);
	op->rpt = s[0];
	op->selem = s[1];
	op->lanes = (op->q ? 16 : 8) / op->size;
	op->kind = bit(insn, 22) ? A64_MEM_LOAD_STRUCT : A64_MEM_STORE_STRUCT;
	if (!op->rpt || (op->lanes == 1 && op->selem != 1))
		return false;
	struct_offset(insn, op);
	return true;
}

/* Element size and lane number of the single-structure forms. */
static bool single_lane(uint32_t insn, struct a64_mem_op *op)
{
	unsigned scale = bits(insn, 15, 14), size = bits(insn, 11, 10);
	unsigned index = bit(insn, 30) << 3 | bit(insn, 12) << 2 | size; /* Q:S:size */

	if (scale == 1 && (size & 1))
		return false;
	if (scale == 2 && size) {
		if (size != 1 || bit(insn, 12))
			return false;
		scale = 3;
	}
	if (op->replicate)
		scale = size;
	op->size = 1 << scale;
	op->index = op->replicate ? 0 : index >> scale;
	return true;
}

static bool decode_struct_single(uint32_t insn, struct a64_mem_op *op)
{
	bool load = bit(insn, 22);

	op->q = bit(insn, 30);
	op->vector = true;
	op->rpt = 1;
	op->lanes = 1;
	op->selem = (bit(insn, 13) << 1 | bit(insn, 21)) + 1;
	op->replicate = bits(insn, 15, 14) == 3;
	op->single = !op->replicate;
	op->kind = load ? A64_MEM_LOAD_STRUCT : A64_MEM_STORE_STRUCT;
	if (op->replicate && (!load || bit(insn, 12)))
		return false;
	if (!single_lane(insn, op))
		return false;
	struct_offset(insn, op);
	return true;
}

static const struct encoding encodings[] = {
	{0xbfbf0000, 0x0c000000, decode_struct_multiple, A64_MEM_OFFSET},
	{0xbfa00000, 0x0c800000, decode_struct_multiple, A64_MEM_POST},
	{0xbf9f0000, 0x0d000000, decode_struct_single, A64_MEM_OFFSET},
	{0xbf800000, 0x0d800000, decode_struct_single, A64_MEM_POST},
	{0x3f000000, 0x08000000, decode_exclusive, A64_MEM_OFFSET},
	{0x3f200c00, 0x19000000, decode_rcpc_unscaled, A64_MEM_OFFSET},
	{0x3b000000, 0x18000000, decode_literal, A64_MEM_LITERAL},
	{0x3b800000, 0x28000000, decode_pair, A64_MEM_OFFSET}, /* LDNP, STNP */
	{0x3b800000, 0x28800000, decode_pair, A64_MEM_POST},
	{0x3b800000, 0x29000000, decode_pair, A64_MEM_OFFSET},
	{0x3b800000, 0x29800000, decode_pair, A64_MEM_PRE},
	{0x3b200c00, 0x38000000, decode_unscaled, A64_MEM_OFFSET},
	{0x3b200c00, 0x38000400, decode_indexed, A64_MEM_POST},
	{0x3b200c00, 0x38000800, decode_unprivileged, A64_MEM_OFFSET},
	{0x3b200c00, 0x38000c00, decode_indexed, A64_MEM_PRE},
	{0x3f200c00, 0x38200000, decode_atomic, A64_MEM_OFFSET},
	{0x3b200c00, 0x38200800, decode_register_offset, A64_MEM_OFFSET},
	{0x3b000000, 0x39000000, decode_unsigned, A64_MEM_OFFSET},
	{0xffffffe0, 0xd50b7420, decode_zva, A64_MEM_OFFSET},
};

bool a64_ldst_decode(uint32_t insn, struct a64_mem_op *op)
{
	memset(op, 0, sizeof(*op));
	for (unsigned i = 0; i < ARRAY_COUNT(encodings); i++) {
		if ((insn & encodings[i].mask) != encodings[i].value)
			continue;
		op->mode = encodings[i].mode;
		op->rt = bits(insn, 4, 0);
		op->rn = bits(insn, 9, 5);
		return encodings[i].decode(insn, op);
	}
	return false;
}

unsigned a64_ldst_bytes(const struct a64_mem_op *op)
{
	switch (op->kind) {
	case A64_MEM_LOAD_STRUCT:
	case A64_MEM_STORE_STRUCT:
		return op->size * op->lanes * op->rpt * op->selem;
	case A64_MEM_ZERO:
	case A64_MEM_PREFETCH:
		return 0;
	default:
		return op->size * op->count;
	}
}
