/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Emit A64 instructions of the vectors and handlers. Arm ARM (DDI 0487), C6.2. Unless they say another, the base is
 * the bank, in X30; offsets are: multiples of 8, below 32768 for one register, below 512 for a pair.
 */
#ifndef REVERSE_EMIT_H
#define REVERSE_EMIT_H

#include <stddef.h>
#include <stdint.h>

enum { EMIT_SP = 31, EMIT_ZR = 31, EMIT_BANK = 30 };

struct emitter {
	uint32_t *code;
	uint32_t at, end; /* words */
	uint64_t base;	  /* address of code[0] */
};

void emit(struct emitter *e, uint32_t word);
/* @reg: SYSREG() */
void emit_mrs(struct emitter *e, unsigned rt, uint16_t reg);
void emit_msr(struct emitter *e, uint16_t reg, unsigned rt);
void emit_ldp(struct emitter *e, unsigned rt, unsigned rt2, size_t offset);
void emit_stp(struct emitter *e, unsigned rt, unsigned rt2, size_t offset);
void emit_ldr(struct emitter *e, unsigned rt, size_t offset);
void emit_ldr_from(struct emitter *e, unsigned rt, unsigned base, size_t offset);
void emit_str(struct emitter *e, unsigned rt, size_t offset);
/* MOV (register), not of SP */
void emit_mov(struct emitter *e, unsigned rd, unsigned rm);
/* B to an address */
void emit_b(struct emitter *e, uint64_t to);

/* Branches ahead within the code: their target is where the emitter is when emit_land() is called. */
uint32_t emit_ahead(struct emitter *e, uint32_t word); /* B.cond, CBZ, CBNZ without offset */
void emit_land(struct emitter *e, uint32_t branch);

#endif
