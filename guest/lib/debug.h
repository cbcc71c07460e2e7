/* SPDX-License-Identifier: Apache-2.0 */
/* What the guests debug, step and unpriv share: run a few instructions and look at the exception that ends them. */
#ifndef GUEST_DEBUG_H
#define GUEST_DEBUG_H

#include "lib/guest.h"

#define MDSCR_SS  1ULL
#define MDSCR_KDE (1ULL << 13)
#define MDSCR_MDE (1ULL << 15)
#define SPSR_SS	  (1ULL << 21)
#define SPSR_EL0  0x1c0ULL /* D is clear */
#define SPSR_EL1  0x1c5ULL
#define D_MASKED  0x200ULL

/* DBGBCR, DBGWCR */
#define E_EL0	     (2ULL << 1 | 1)
#define E_EL1	     (1ULL << 1 | 1)
#define BAS_INSN     (0xfULL << 5)
#define BAS(n)	     ((uint64_t)(n) << 5)
#define LOAD	     (1ULL << 3)
#define STORE	     (2ULL << 3)
#define LINKED_TO(n) (1ULL << 20 | (uint64_t)(n) << 16)
#define MASK(n)	     ((uint64_t)(n) << 24)

#define ESR_BREAK    0xc2000022ULL /* from a lower level; from the same: with bit 26 */
#define ESR_STEP     0xca000022ULL
#define ESR_WATCH    0xd2000022ULL
#define ESR_SAME     (1ULL << 26)
#define ISV	     (1ULL << 24)
#define EX	     (1ULL << 6)
#define WNR	     (1ULL << 6)

#define FRAGMENT(symbol, code)                                                                     \
	void symbol(uint64_t arg);                                                                 \
	asm(".pushsection .text\n.balign 4\n.globl " #symbol "\n" #symbol ":\n" code               \
	    "\n\tsvc #0x77\n\tret\n.popsection\n")

/* At EL0 they end in SVC #0x77, at EL1 too: an exception in any case. */
#define ESR_END 0x56000077ULL

static inline uint64_t address(const void *p, uint64_t spsr)
{
	return spsr & 4 ? (uint64_t)p : user_address(p);
}

/* MDSCR_EL1 is written before each run: some hosts clear MDE when a masked breakpoint is met. */
static uint64_t mdscr;

/* fn(arg) with this SPSR: which exception ends it? */
static inline void run(trap_fn *fn, uint64_t arg, uint64_t spsr, struct trap *t)
{
	msr("mdscr_el1", mdscr);
	isb();
	trap_at((trap_fn *)address((void *)fn, spsr), arg, spsr, t);
}

static inline void expect(const char *what, trap_fn *fn, uint64_t arg, uint64_t spsr, uint64_t esr,
			  unsigned instruction)
{
	uint64_t elr = address((void *)fn, spsr) + 4 * instruction;
	struct trap t;

	if (spsr & 4 && esr != ESR_END && esr >> 26 != 0x3c && esr >> 26 != 0x15)
		esr |= ESR_SAME;
	run(fn, arg, spsr, &t);
	ok((uint32_t)t.esr == (uint32_t)esr && (esr == ESR_END || t.elr == elr), what,
	   "%s: ESR 0x%lx, not 0x%lx; ELR 0x%lx, not 0x%lx", spsr & 4 ? "EL1" : "EL0", t.esr, esr,
	   t.elr, elr);
}

static inline void debug_off(void)
{
	mdscr = 0;
	msr("mdscr_el1", 0);
	msr("dbgbcr0_el1", 0);
	msr("dbgbcr1_el1", 0);
	msr("dbgwcr0_el1", 0);
	msr("dbgwcr1_el1", 0);
	isb();
}

static inline void set_break(trap_fn *fn, unsigned instruction, uint64_t spsr, uint64_t control)
{
	msr("dbgbvr0_el1", address((void *)fn, spsr) + 4 * instruction);
	msr("dbgbcr0_el1", control);
	isb();
}

static inline void watch(uint64_t at, uint64_t control)
{
	msr("dbgwvr0_el1", at);
	msr("dbgwcr0_el1", control);
	isb();
}

/* @far 0: no exception. */
static inline void expect_watch(const char *what, trap_fn *fn, uint64_t arg, uint64_t far,
				uint64_t iss, uint64_t spsr)
{
	struct trap t;

	expect(what, fn, arg, spsr, far ? ESR_WATCH | iss : ESR_END, 0);
	run(fn, arg, spsr, &t);
	if (far && t.far != far)
		ok(false, what, "FAR 0x%lx, not 0x%lx", t.far, far);
}

#endif
