/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diversions: what the vectors of a managed view carry out themselves, without an exit. Most system registers are
 * storage for the level that accesses them; what they mean concerns others, or comes to bear when the level is left. So
 * the bank has a copy of them. A handler of a few instructions, one for each MRS or MSR word that has a slot, reads or
 * writes that, and the new values are given to soft as soon as the guest is left (divert_settle()).
 *
 * A write that would have a consequence here and now - it changes one of the entry's `hot` bits - goes the long way, as
 * does everything while entries are trapped (bank.slow). The timers of lower levels can be written while interrupts are
 * masked; as an unmasking is not noticed then, its bank is looked at every DIVERT_TIMER_NS.
 */
#ifndef REVERSE_DIVERT_H
#define REVERSE_DIVERT_H

#include "arm/reg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIVERT_TIMER_NS 1000000

struct bank;
struct soft_cpu;
struct stub;
struct hidden;
struct hv_vm;

enum {
	DIVERT_ENTRIES = 192,
	DIVERT_LEVELS = 4,
	DIVERT_PAGES = 32, /* of handlers */
	DIVERT_LOOKED_UP = 256,
};

/* As the handlers know it. */
struct divert_entry {
	uint64_t value;
	uint64_t writable, fixed; /* a write of x gives (x & writable) | fixed */
	uint64_t hot;
	uint64_t dirty; /* not 0: written since the last divert_settle() */
};

/* What AT has found out lately, for its handler. */
struct divert_at {
	uint64_t key; /* 0: nothing */
	uint64_t par;
};

/* What there is to a register besides its value. */
enum divert_kind {
	DIVERT_STORAGE,
	DIVERT_COUNTER,
	DIVERT_TIMER,
	DIVERT_TIMER_CTL,
	DIVERT_VIRTUAL_CTL,
	DIVERT_ISR,
};

struct divert {
	bool on;
	uint32_t *handler; /* words; the first one is none */
	uint64_t handler_gpa;
	unsigned used;
	uint16_t *action[DIVERT_LEVELS]; /* by slot: where its handler begins; 0: it has none */
	uint64_t action_gpa[DIVERT_LEVELS];
	unsigned count;
	struct {
		uint16_t code;
		uint8_t read, write; /* bit n: at ELn */
		uint8_t own;	     /* level that the register rules, ... */
		bool constant;	     /* while the PE runs */
		enum divert_kind kind;
		uint64_t hot; /* ... by these bits */
	} row[DIVERT_ENTRIES];
	unsigned scr, isr; /* entries of SCR_EL3 and ISR_EL1, if they are there */
	bool known[];	   /* by slot */
};

/* NULL: no memory for it. @vm: its features say which registers there are. */
struct divert *divert_create(struct hidden *h, const struct hv_vm *vm, bool on);
/* Pages of a level's table of actions. */
unsigned divert_action_pages(void);
/* Soft has carried out this instruction in a managed view, with the operand @x. */
void divert_note(const struct divert *d, struct soft_cpu *c, struct bank *b, uint32_t word,
		 uint64_t x);
/* Translations have changed. */
void divert_forget(struct bank *b);
/* Make handlers for the word of @slot, once. */
void divert_slot(struct divert *d, const struct stub *stub, unsigned slot, uint32_t word);
/* The bank from soft's registers, for the current level. */
void divert_push(const struct divert *d, struct soft_cpu *c, struct bank *b);
/* What depends on the state of interrupt lines. */
void divert_update(const struct divert *d, struct soft_cpu *c, struct bank *b);
/* Soft's registers from the bank. */
void divert_settle(const struct divert *d, struct soft_cpu *c, struct bank *b);

#endif
