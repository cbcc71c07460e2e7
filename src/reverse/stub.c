/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands at VBAR_EL1 of a managed view: save the general registers and what says what happened, leave the guest,
 * and, when it is entered again, load them and return from the exception. Arm ARM (DDI 0487): vectors D1.3.1, encodings
 * C6.2.
 *
 * TPIDR_EL1 points at the bank, TPIDRRO_EL0 is for scratch: in a managed view the guest gets at neither. X30 is the
 * bank all the way.
 */
#include "reverse/reverse_int.h"

#include "util/xalloc.h"

#include <string.h>

enum { VECTORS = 16, VECTOR_WORDS = 0x80 / 4, SP = 31, ZR = 31, BANK = 30 };

#define TPIDR_EL1   SYSREG(3, 0, 13, 0, 4)
#define TPIDRRO_EL0 SYSREG(3, 3, 13, 0, 3)
#define ELR_EL1	    SYSREG(3, 0, 4, 0, 1)
#define SPSR_EL1    SYSREG(3, 0, 4, 0, 0)
#define SP_EL0	    SYSREG(3, 0, 4, 1, 0)
#define ESR_EL1	    SYSREG(3, 0, 5, 2, 0)
#define FAR_EL1	    SYSREG(3, 0, 6, 0, 0)

struct emitter {
	uint32_t *code;
	uint32_t at; /* words */
};

static void emit(struct emitter *e, uint32_t word)
{
	CHECK(e->at < STUB_WORDS);
	e->code[e->at++] = word;
}

static void mrs(struct emitter *e, unsigned rt, uint16_t reg)
{
	emit(e, 0xd5300000 | (reg & 0x7fffU) << 5 | rt);
}

static void msr(struct emitter *e, uint16_t reg, unsigned rt)
{
	emit(e, 0xd5100000 | (reg & 0x7fffU) << 5 | rt);
}

/* Offsets are multiples of 8. */
static void stp(struct emitter *e, unsigned rt, unsigned rt2, size_t offset)
{
	emit(e, 0xa9000000 | (uint32_t)offset / 8 << 15 | rt2 << 10 | BANK << 5 | rt);
}

static void ldp(struct emitter *e, unsigned rt, unsigned rt2, size_t offset)
{
	emit(e, 0xa9400000 | (uint32_t)offset / 8 << 15 | rt2 << 10 | BANK << 5 | rt);
}

static void str(struct emitter *e, unsigned rt, size_t offset)
{
	emit(e, 0xf9000000 | (uint32_t)offset / 8 << 10 | BANK << 5 | rt);
}

static void ldr(struct emitter *e, unsigned rt, size_t offset)
{
	emit(e, 0xf9400000 | (uint32_t)offset / 8 << 10 | BANK << 5 | rt);
}

#define AT(field) offsetof(struct bank, field)

static void vector(struct emitter *e, unsigned n, uint32_t save)
{
	e->at = n * VECTOR_WORDS;
	msr(e, TPIDRRO_EL0, 30);
	mrs(e, BANK, TPIDR_EL1);
	stp(e, 0, 1, AT(x));
	emit(e, 0xd2800000 | n << 5); /* MOV X0, #n */
	emit(e, 0x14000000 | ((save - e->at) & 0x3ffffff));
}

static void save(struct emitter *e)
{
	for (unsigned n = 2; n < 30; n += 2)
		stp(e, n, n + 1, AT(x) + n * 8);
	mrs(e, 1, TPIDRRO_EL0);
	str(e, 1, AT(x[30]));
	mrs(e, 1, ELR_EL1);
	mrs(e, 2, SPSR_EL1);
	stp(e, 1, 2, AT(pc));
	mrs(e, 1, SP_EL0);
	emit(e, 0x91000002 | SP << 5); /* MOV X2, SP */
	stp(e, 1, 2, AT(sp_el0));
	mrs(e, 1, ESR_EL1);
	mrs(e, 2, FAR_EL1);
	stp(e, 1, 2, AT(esr));
	str(e, 0, AT(vector));
	ldr(e, 1, AT(exit_va));
}

static void load(struct emitter *e)
{
	ldr(e, 1, AT(tlb_stale));
	emit(e, 0xb4000001 | 5 << 5); /* CBZ X1, over the next four */
	emit(e, 0xd508871f);	      /* TLBI VMALLE1 */
	emit(e, 0xd503379f);	      /* DSB NSH */
	emit(e, 0xd5033fdf);	      /* ISB */
	str(e, ZR, AT(tlb_stale));
	ldp(e, 1, 2, AT(pc));
	msr(e, ELR_EL1, 1);
	msr(e, SPSR_EL1, 2);
	ldp(e, 1, 2, AT(sp_el0));
	msr(e, SP_EL0, 1);
	emit(e, 0x9100005f); /* MOV SP, X2 */
	for (unsigned n = 0; n < 30; n += 2)
		ldp(e, n, n + 1, AT(x) + n * 8);
	ldr(e, BANK, AT(x[30]));
	emit(e, 0xd69f03e0); /* ERET */
}

struct stub stub_emit(uint32_t code[STUB_WORDS])
{
	struct emitter e = {.code = code};
	struct stub s;

	memset(code, 0, REVERSE_PAGE); /* UDF */
	for (unsigned n = 0; n < VECTORS; n++)
		vector(&e, n, VECTORS * VECTOR_WORDS);
	e.at = VECTORS * VECTOR_WORDS;
	save(&e);
	s.exit = e.at * 4;
	emit(&e, 0xb9000020); /* STR W0, [X1] */
	s.resume = e.at * 4;
	load(&e);
	s.end = e.at * 4;
	return s;
}
