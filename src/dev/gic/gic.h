/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every generation of the GIC has in common: the state of each interrupt, the choice of the
 * highest priority pending interrupt (HPPI) of each PE, and the active priorities.
 *
 * State is kept in *rows* of 32 interrupts, one bit each. INTIDs 0-31 (SGIs and PPIs) exist once
 * per PE, so the private row of PE n is row n; the rows of the SPIs follow. A *word* counts INTIDs
 * as one PE sees them: word 0 is its private row, word w holds INTIDs 32w..32w+31.
 *
 * Per PE there is a cache: which interrupts could be signalled (`ready`), and the best of them.
 * Whoever changes the state of a row, a route or a group enable calls gic_refresh() for it; then the
 * caches are right again.
 *
 * Nothing here locks; the owner's dev.lock is held.
 */
#ifndef DEV_GIC_GIC_H
#define DEV_GIC_GIC_H

#include <stdbool.h>
#include <stdint.h>

enum {
	GIC_PE_MAX = 8,
	GIC_WORDS = 32,
	GIC_ROWS = GIC_PE_MAX + GIC_WORDS - 1,
	GIC_SPI_MAX = 960, /* a multiple of 32; 1020-1023 are special INTIDs */
	GIC_SPURIOUS = 1023,
	GIC_PRIO_MASK = 0xf8, /* 5 bits of priority, as QEMU's and KVM's */
	GIC_PRIO_IDLE = 0xff,
	GIC_BPR_MIN = 2, /* all 5 bits are group priority */
	/* irq_in: flat input number of PPI 0 (INTID 16) of PE 0 */
	GIC_INPUT_SPI = 0,
	GIC_INPUT_PPI = 1024,
};

enum gic_group { GIC_G0, GIC_G1S, GIC_G1NS, GIC_GROUPS };

struct gic_irqs {
	uint32_t group[GIC_ROWS];  /* IGROUPR */
	uint32_t grpmod[GIC_ROWS]; /* IGRPMODR; 0 where there is none */
	uint32_t enable[GIC_ROWS];
	uint32_t latch[GIC_ROWS]; /* pending by an edge or by software */
	uint32_t level[GIC_ROWS]; /* input wires as they are */
	uint32_t active[GIC_ROWS];
	uint32_t edge[GIC_ROWS]; /* 1: edge triggered */
	uint8_t prio[GIC_ROWS * 32];
};

struct gic_pe {
	uint32_t route[GIC_WORDS]; /* SPIs that go to this PE; word 0 is all ones */
	uint32_t apr[GIC_GROUPS];  /* active priorities, bit n: priority 8n */
	uint8_t groups;		   /* bit gic_group: enabled in distributor and CPU interface */
	/* The cache. */
	uint32_t ready_words; /* bit w: ready[w] != 0 */
	uint32_t ready[GIC_WORDS];
	uint16_t hppi; /* INTID, GIC_SPURIOUS: none */
	uint8_t hppi_prio;
};

struct gic {
	struct gic_irqs irqs;
	struct gic_pe pe[GIC_PE_MAX];
	unsigned pe_count;
	unsigned words; /* 1 + SPIs / 32 */
};

static inline unsigned gic_row(unsigned pe, unsigned word)
{
	return word ? GIC_PE_MAX + word - 1 : pe;
}

static inline uint32_t gic_pending(const struct gic_irqs *i, unsigned row)
{
	return i->latch[row] | (i->level[row] & ~i->edge[row]);
}

static inline uint8_t *gic_prio(struct gic *g, unsigned pe, unsigned intid)
{
	return &g->irqs.prio[gic_row(pe, intid / 32) * 32 + intid % 32];
}

/* Interrupts of a row that belong to @grp. */
uint32_t gic_group_bits(const struct gic *g, unsigned row, enum gic_group grp);
enum gic_group gic_group_of(const struct gic *g, unsigned pe, unsigned intid);

struct dev;
struct err;

/* Is @spis, the property of @d, a multiple of 32? */
int gic_check(const struct dev *d, uint32_t spis, struct err *e);
/* Take the number of PEs from @d's host and check it; @spis has been checked. */
int gic_init(struct gic *g, struct dev *d, uint32_t spis, struct err *e);

/* Priority, latch and active state of every interrupt, routes and active priorities as after a
 * reset. The levels of the wires stay: they belong to their sources. */
void gic_reset(struct gic *g);

/* Every interrupt becomes Non-secure group 1, as firmware leaves it; the caller refreshes. */
void gic_hand_over(struct gic *g);

/* Bring the caches up to date after a change in @word (word 0: of PE @pe only). Returns the set of
 * PEs whose HPPI may be another one now. */
unsigned gic_refresh(struct gic *g, unsigned pe, unsigned word);
/* Every word: after a change of gic_pe.groups. */
unsigned gic_refresh_all(struct gic *g);
/* After a change of the priority of an interrupt of @word. */
unsigned gic_refresh_prio(struct gic *g, unsigned pe, unsigned word);
/* Choose the HPPI of every PE anew. */
void gic_reselect_all(struct gic *g);

/* The interrupt behind an input of the component; false: there is none. */
bool gic_input_decode(const struct gic *g, uint32_t input, unsigned *pe, unsigned *intid);
/* Level of the wire of one interrupt. The caller refreshes, here and below. */
void gic_input(struct gic *g, unsigned pe, unsigned intid, bool level);

/* Priority of what is running, GIC_PRIO_IDLE if nothing is. */
uint8_t gic_running(const struct gic_pe *p);
/* Group that gic_running() belongs to; false: nothing is running. */
bool gic_running_group(const struct gic_pe *p, enum gic_group *grp);
/* Would the HPPI be signalled, given priority mask and the mask of its group priority bits? */
static inline bool gic_preempts(const struct gic_pe *p, uint8_t pmr, uint8_t group_mask)
{
	uint8_t run;

	if (p->hppi == GIC_SPURIOUS || p->hppi_prio >= pmr)
		return false;
	run = gic_running(p);
	return run == GIC_PRIO_IDLE || (p->hppi_prio & group_mask) < (run & group_mask);
}
/* Acknowledge the HPPI of PE @pe: active priority set, pending to active. */
void gic_activate(struct gic *g, unsigned pe, uint8_t group_mask);
void gic_deactivate(struct gic *g, unsigned pe, unsigned intid);
/* Drop the highest active priority of a group. */
static inline void gic_drop(struct gic_pe *p, enum gic_group grp)
{
	p->apr[grp] &= p->apr[grp] - 1;
}

/* Mask of the group priority bits for a binary point (BPR0's meaning). */
static inline uint8_t gic_group_mask(unsigned bpr)
{
	return (uint8_t)(~0U << (bpr + 1));
}

/* What a Non-secure reader sees of a priority where there are two Security states, and back. */
static inline uint8_t gic_prio_to_ns(uint8_t prio)
{
	return prio & 0x80 ? (uint8_t)(prio << 1) : 0;
}

static inline uint8_t gic_prio_from_ns(uint8_t prio)
{
	return (0x80 | prio >> 1) & GIC_PRIO_MASK;
}

/* Registers that are the same in every frame. @open: the interrupts of the row that the access may
 * see; of others it reads zero and writes nothing. The caller refreshes. */

/* One bit per interrupt. Values are offsets in the distributor / 0x80. */
enum gic_bits {
	GIC_IGROUPR = 0x080 / 0x80,
	GIC_ISENABLER = 0x100 / 0x80,
	GIC_ICENABLER = 0x180 / 0x80,
	GIC_ISPENDR = 0x200 / 0x80,
	GIC_ICPENDR = 0x280 / 0x80,
	GIC_ISACTIVER = 0x300 / 0x80,
	GIC_ICACTIVER = 0x380 / 0x80,
	GIC_IGRPMODR = 0xd00 / 0x80,
	GIC_BITS_COUNT,
};
/* Is the register at @offset of the distributor one of them? */
bool gic_is_bits(uint64_t offset);
uint32_t gic_bits_read(const struct gic *g, unsigned row, enum gic_bits reg, uint32_t open);
void gic_bits_write(struct gic *g, unsigned row, enum gic_bits reg, uint32_t value, uint32_t open);

/* ICFGR: 16 interrupts, bit 2n+1 is the edge bit of the n-th. @half: lower or upper 16 of the row. */
uint32_t gic_icfgr_read(const struct gic *g, unsigned row, unsigned half, uint32_t open);
void gic_icfgr_write(struct gic *g, unsigned row, unsigned half, uint32_t value, uint32_t open);

/* IPRIORITYR of INTIDs @intid.., @size bytes (1, 2 or 4). @ns: in the Non-secure view. */
uint32_t gic_prio_read(struct gic *g, unsigned pe, unsigned intid, unsigned size, uint32_t open,
		       bool ns);
void gic_prio_write(struct gic *g, unsigned pe, unsigned intid, unsigned size, uint32_t value,
		    uint32_t open, bool ns);

/* Entries of a state table (struct dev_state) for the member @core of @type. Rows are the private
 * ones of each PE, then the SPIs. */
#define GIC_STATE_ROWS(type, core, n, member, k)                                                   \
	{                                                                                          \
		.name = n, .offset = offsetof(type, core.irqs.member), .size = 4,                  \
		.count = GIC_ROWS, .keep = k                                                       \
	}
#define GIC_STATE(type, core)                                                                      \
	GIC_STATE_ROWS(type, core, "IGROUPR", group, false),                                       \
		GIC_STATE_ROWS(type, core, "IGRPMODR", grpmod, false),                             \
		GIC_STATE_ROWS(type, core, "ISENABLER", enable, false),                            \
		GIC_STATE_ROWS(type, core, "ISPENDR", latch, false),                               \
		GIC_STATE_ROWS(type, core, "input", level, true),                                  \
		GIC_STATE_ROWS(type, core, "ISACTIVER", active, false),                            \
		GIC_STATE_ROWS(type, core, "ICFGR", edge, false),                                  \
	{                                                                                          \
		.name = "IPRIORITYR", .offset = offsetof(type, core.irqs.prio), .size = 1,         \
		.count = GIC_ROWS * 32                                                             \
	}

#endif
