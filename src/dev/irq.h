/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupt wires. The source owns a `struct irq` per output; the board points it at an input of a
 * sink. Level semantics: a source says high or low; the sink decides what edge means.
 *
 * Locks: irq_set() takes the sink's lock. It is called with the source's own lock held, so wires
 * must not form a cycle; the board checks that.
 */
#ifndef DEV_IRQ_H
#define DEV_IRQ_H

#include <stdbool.h>
#include <stdint.h>

struct dev;

struct irq {
	struct dev *sink;  /* NULL: not connected */
	uint32_t input;	   /* the sink's flat number of its input */
	const char *kind;  /* as the user wrote it: "spi", "ppi", "gpio" ... */
	uint32_t number;   /* number within the kind */
	uint32_t dt_flags; /* IRQ_TYPE_* of the device-tree binding; 4 = level high */
	bool level;	   /* last level set, so that repeats cost nothing */
};

enum { IRQ_TYPE_EDGE_RISING = 1, IRQ_TYPE_EDGE_FALLING = 2, IRQ_TYPE_LEVEL_HIGH = 4 };

/* Drive the wire. Repeating a level is cheap and has no effect. */
void irq_set(struct irq *w, bool level);
/* Per-PE inputs (kind "ppi"): the sink's flat number is first + pe * IRQ_PPI_STRIDE + number. A wire
 * as configured stands for PE 0; this gives the wire of PE @pe. */
#define IRQ_PPI_STRIDE 32
static inline struct irq irq_of_pe(const struct irq *w, unsigned pe)
{
	struct irq r = *w;

	r.input += pe * IRQ_PPI_STRIDE;
	r.level = false;
	return r;
}

static inline void irq_pulse(struct irq *w)
{
	irq_set(w, true);
	irq_set(w, false);
}

#endif
