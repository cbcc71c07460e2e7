/* SPDX-License-Identifier: Apache-2.0 */
#include "reverse/emit.h"

#include "arm/reg.h"
#include "util/xalloc.h"

void emit(struct emitter *e, uint32_t word)
{
	CHECK(e->at < e->end);
	e->code[e->at++] = word;
}

void emit_mrs(struct emitter *e, unsigned rt, uint16_t reg)
{
	emit(e, 0xd5300000 | (reg & 0x7fffU) << 5 | rt);
}

void emit_msr(struct emitter *e, uint16_t reg, unsigned rt)
{
	emit(e, 0xd5100000 | (reg & 0x7fffU) << 5 | rt);
}

void emit_stp(struct emitter *e, unsigned rt, unsigned rt2, size_t offset)
{
	emit(e, 0xa9000000 | (uint32_t)offset / 8 << 15 | rt2 << 10 | EMIT_BANK << 5 | rt);
}

void emit_ldp(struct emitter *e, unsigned rt, unsigned rt2, size_t offset)
{
	emit(e, 0xa9400000 | (uint32_t)offset / 8 << 15 | rt2 << 10 | EMIT_BANK << 5 | rt);
}

void emit_str(struct emitter *e, unsigned rt, size_t offset)
{
	emit(e, 0xf9000000 | (uint32_t)offset / 8 << 10 | EMIT_BANK << 5 | rt);
}

void emit_ldr_from(struct emitter *e, unsigned rt, unsigned base, size_t offset)
{
	emit(e, 0xf9400000 | (uint32_t)offset / 8 << 10 | base << 5 | rt);
}

void emit_ldr(struct emitter *e, unsigned rt, size_t offset)
{
	emit_ldr_from(e, rt, EMIT_BANK, offset);
}

void emit_mov(struct emitter *e, unsigned rd, unsigned rm)
{
	emit(e, 0xaa0003e0 | rm << 16 | rd);
}

void emit_b(struct emitter *e, uint64_t to)
{
	uint64_t from = e->base + e->at * sizeof(uint32_t);

	emit(e, 0x14000000 | (uint32_t)((to - from) / 4 & 0x3ffffff));
}

uint32_t emit_ahead(struct emitter *e, uint32_t word)
{
	emit(e, word);
	return e->at - 1;
}

void emit_land(struct emitter *e, uint32_t branch)
{
	e->code[branch] |= (e->at - branch) << 5; /* imm19 */
}
