/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code at any level, seen from the highest one (EL2 or EL3): it ends in an exception, at whichever level; that level's
 * vectors note it in `event` and go back to the top.
 */
#ifndef GUEST_BELOW_H
#define GUEST_BELOW_H

#include "lib/guest.h"

enum { NOTHING = 0xffe };

/* What the vectors write; the offsets are in the code of below.c. */
struct event {
	uint64_t level, vector, esr, elr, spsr, far, hpfar, x0, pan;
	uint64_t top, by_wfi, saved_sp; /* `top` is to be set first, */
	uint64_t has_pan;		/* and this for `pan` */
};
extern struct event event;
void run_below(uint64_t spsr, trap_fn *fn, uint64_t arg);
/* The same, with the old event gone. */
void run_spsr(uint64_t spsr, trap_fn *fn, uint64_t arg);
extern char levels_vectors_el1[], levels_vectors_el2[], levels_vectors_el3[];

/* What runs; SVC #NOTHING if it took no exception. */
#define FRAGMENT(symbol, code)                                                                     \
	void symbol(uint64_t arg);                                                                 \
	asm(".pushsection .text\n.balign 4\n.globl " #symbol "\n" #symbol ":\n" code               \
	    "\n\tsvc #0xffe\n.popsection\n")

#define BIT(n) (1ULL << (n))
#define EC(n)  ((uint64_t)(n) << 26 | 1 << 25)

enum { SYNC, IRQ, FIQ, SERROR };

#endif
