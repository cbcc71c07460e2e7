/* SPDX-License-Identifier: Apache-2.0 */
/* A GIC with its PEs, for unit tests; and scenarios that GICv2 and GICv3 must both play alike. */
#ifndef TESTS_GIC_RIG_H
#define TESTS_GIC_RIG_H

#include "dev/component.h"
#include "dev/gic/gic.h"
#include "gic_pes.h"

#define GIC_RIG_DIST   0x08000000ULL
#define GIC_RIG_CPU    0x08010000ULL
#define GIC_RIG_REDIST 0x080a0000ULL

struct gic_rig {
	struct dev_host host;
	struct pe_set *pes;
	struct mem_space *mem;
	struct dev *dev;
	bool v3;
};

/* @props: "name=value" ..., NULL; added to the addresses. Resets it. */
void gic_rig_make(struct gic_rig *r, const struct component *c, unsigned pes, unsigned highest_el,
		  const char *const *props);
void gic_rig_drop(struct gic_rig *r);

/* ---- MMIO ---- */

uint64_t gic_read(struct gic_rig *r, uint64_t gpa, unsigned size, unsigned pe, bool secure);
void gic_write(struct gic_rig *r, uint64_t gpa, unsigned size, uint64_t value, unsigned pe,
	       bool secure);
/* Address of the register at @offset of the distributor that has @intid: with 32 / @bits_per_intid
 * interrupts per 32 bits. GICv3: of the redistributor of @pe for private interrupts. */
uint64_t gic_reg(const struct gic_rig *r, unsigned pe, unsigned intid, unsigned offset,
		 unsigned bits_per_intid);
void gic_set_prio(struct gic_rig *r, unsigned pe, unsigned intid, uint8_t prio, bool secure);
uint8_t gic_get_prio(struct gic_rig *r, unsigned pe, unsigned intid, bool secure);
/* ISENABLER (0x100), ICENABLER (0x180), ISPENDR ..., one bit. */
void gic_set_bit(struct gic_rig *r, unsigned pe, unsigned intid, unsigned offset, bool secure);
bool gic_get_bit(struct gic_rig *r, unsigned pe, unsigned intid, unsigned offset, bool secure);
void gic_set_edge(struct gic_rig *r, unsigned pe, unsigned intid, bool edge);

/* ---- wires and lines ---- */

void gic_wire(struct gic_rig *r, unsigned pe, unsigned intid, bool level);
bool gic_irq(const struct gic_rig *r, unsigned pe);
bool gic_fiq(const struct gic_rig *r, unsigned pe);

/* ---- reproducible noise ---- */

struct gic_rng {
	uint64_t s; /* not 0 */
};
uint32_t gic_random(struct gic_rng *g);
/* Often one bit, few bits, or all. */
uint32_t gic_sparse(struct gic_rng *g);

/* Some wire goes high or low. */
void gic_random_wire(struct gic_rig *r, struct gic_rng *g);

/* ---- scenarios ---- */

/* How the generation under test does what a scenario asks for. */
struct gic_cpuif_ops {
	uint32_t (*ack)(struct gic_rig *r, unsigned pe);
	void (*eoi)(struct gic_rig *r, unsigned pe, uint32_t intid);
	void (*dir)(struct gic_rig *r, unsigned pe, uint32_t intid);
	void (*split)(struct gic_rig *r, unsigned pe, bool on);
	void (*pmr)(struct gic_rig *r, unsigned pe, uint8_t pmr);
	/* Group priority bits 7..@bpr+1. */
	void (*bpr)(struct gic_rig *r, unsigned pe, uint8_t bpr);
	uint32_t (*rpr)(struct gic_rig *r, unsigned pe);
	uint32_t (*hppi)(struct gic_rig *r, unsigned pe);
	/* SPI to PE @pe. */
	void (*route)(struct gic_rig *r, unsigned intid, unsigned pe);
	void (*sgi)(struct gic_rig *r, unsigned from, unsigned to, unsigned intid);
};
/* Play them all on a rig with 1 to 8 PEs and one Security state, all interrupts enabled in the
 * distributor, CPU interfaces open (PMR 0xff). @fresh puts it into that state. */
void gic_play_scenarios(struct gic_rig *r, const struct gic_cpuif_ops *ops,
			void (*fresh)(struct gic_rig *r));

#endif
