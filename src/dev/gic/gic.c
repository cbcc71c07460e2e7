/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Common part of the GIC models. Arm IHI 0069H (GICv3/v4) 4.1 "Interrupt lifecycle", 4.7 "Interrupt
 * grouping", 4.8 "Interrupt prioritization"; Arm IHI 0048B (GICv2) chapter 3.
 *
 * Where two interrupts have the same priority the lower INTID goes first; the architecture leaves
 * that open.
 */
#include "dev/gic/gic.h"

#include "dev/component.h"
#include "pe/pe.h"
#include "util/err.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

uint32_t gic_group_bits(const struct gic *g, unsigned row, enum gic_group grp)
{
	const struct gic_irqs *i = &g->irqs;

	switch (grp) {
	case GIC_G0:
		return ~i->group[row] & ~i->grpmod[row];
	case GIC_G1S:
		return ~i->group[row] & i->grpmod[row];
	default:
		return i->group[row];
	}
}

enum gic_group gic_group_of(const struct gic *g, unsigned pe, unsigned intid)
{
	unsigned row = gic_row(pe, intid / 32);
	uint32_t b = 1U << intid % 32;

	if (g->irqs.group[row] & b)
		return GIC_G1NS;
	return g->irqs.grpmod[row] & b ? GIC_G1S : GIC_G0;
}

int gic_check(const struct dev *d, uint32_t spis, struct err *e)
{
	int r;

	if (spis && spis % 32 == 0 && spis <= GIC_SPI_MAX)
		return 0;
	r = err_set(e, -EINVAL, d->where, "%s: spis=%u is not a multiple of 32", d->name, spis);
	err_hint(e, "it can be 32, 64 ... %d", GIC_SPI_MAX);
	return r;
}

int gic_init(struct gic *g, struct dev *d, uint32_t spis, struct err *e)
{
	if (!d->host->pes)
		return err_set(e, -EINVAL, d->where, "%s: no PEs", d->name);
	g->pe_count = pe_count(d->host->pes);
	g->words = 1 + spis / 32;
	if (!g->pe_count || g->pe_count > GIC_PE_MAX)
		return err_set(e, -EINVAL, d->where, "%s: %u PEs, but it serves 1 to %d", d->name,
			       g->pe_count, GIC_PE_MAX);
	return 0;
}

void gic_reset(struct gic *g)
{
	struct gic_irqs *i = &g->irqs;

	memset(i->group, 0, sizeof(i->group));
	memset(i->grpmod, 0, sizeof(i->grpmod));
	memset(i->enable, 0, sizeof(i->enable));
	memset(i->latch, 0, sizeof(i->latch));
	memset(i->active, 0, sizeof(i->active));
	memset(i->edge, 0, sizeof(i->edge));
	memset(i->prio, 0, sizeof(i->prio));
	for (unsigned p = 0; p < GIC_PE_MAX; p++) {
		i->edge[gic_row(p, 0)] = 0xffff; /* SGIs */
		memset(&g->pe[p], 0, sizeof(g->pe[p]));
		g->pe[p].route[0] = ~0U;
		g->pe[p].hppi = GIC_SPURIOUS;
		g->pe[p].hppi_prio = GIC_PRIO_IDLE;
	}
}

void gic_hand_over(struct gic *g)
{
	memset(g->irqs.group, 0xff, sizeof(g->irqs.group));
	memset(g->irqs.grpmod, 0, sizeof(g->irqs.grpmod));
}

/* ---- the cache ---- */

static uint32_t ready_bits(const struct gic *g, unsigned pe, unsigned word)
{
	const struct gic_irqs *i = &g->irqs;
	unsigned row = gic_row(pe, word);
	uint32_t r = gic_pending(i, row) & i->enable[row] & ~i->active[row] & g->pe[pe].route[word];
	uint32_t enabled = 0;

	if (!r)
		return 0;
	for (enum gic_group grp = 0; grp < GIC_GROUPS; grp++)
		if (g->pe[pe].groups & 1U << grp)
			enabled |= gic_group_bits(g, row, grp);
	return r & enabled;
}

/* Let the interrupts @b of @word compete with the best one so far. */
static void compete(const struct gic *g, unsigned pe, unsigned word, uint32_t b, uint16_t *best,
		    uint8_t *best_prio)
{
	const uint8_t *prio = &g->irqs.prio[gic_row(pe, word) * 32];

	for (; b; b &= b - 1) {
		unsigned n = (unsigned)__builtin_ctz(b);
		unsigned intid = word * 32 + n;

		if (prio[n] > *best_prio || (prio[n] == *best_prio && intid > *best))
			continue;
		*best = (uint16_t)intid;
		*best_prio = prio[n];
	}
}

static void reselect(struct gic *g, unsigned pe)
{
	struct gic_pe *p = &g->pe[pe];

	p->hppi = GIC_SPURIOUS;
	p->hppi_prio = GIC_PRIO_IDLE;
	for (uint32_t w = p->ready_words; w; w &= w - 1) {
		unsigned word = (unsigned)__builtin_ctz(w);

		compete(g, pe, word, p->ready[word], &p->hppi, &p->hppi_prio);
	}
}

static bool refresh_pe(struct gic *g, unsigned pe, unsigned word)
{
	struct gic_pe *p = &g->pe[pe];
	uint32_t now = ready_bits(g, pe, word);
	uint32_t was = p->ready[word];

	if (now == was)
		return false;
	p->ready[word] = now;
	p->ready_words = (p->ready_words & ~(1U << word)) | (uint32_t)(now != 0) << word;
	if (p->hppi / 32 == word && (was & ~now & 1U << p->hppi % 32))
		reselect(g, pe);
	else
		compete(g, pe, word, now & ~was, &p->hppi, &p->hppi_prio);
	return true;
}

unsigned gic_refresh(struct gic *g, unsigned pe, unsigned word)
{
	unsigned changed = 0;

	if (word == 0)
		return (unsigned)refresh_pe(g, pe, 0) << pe;
	for (unsigned p = 0; p < g->pe_count; p++)
		changed |= (unsigned)refresh_pe(g, p, word) << p;
	return changed;
}

unsigned gic_refresh_all(struct gic *g)
{
	unsigned changed = 0;

	for (unsigned p = 0; p < g->pe_count; p++)
		for (unsigned w = 0; w < g->words; w++)
			changed |= (unsigned)refresh_pe(g, p, w) << p;
	return changed;
}

unsigned gic_refresh_prio(struct gic *g, unsigned pe, unsigned word)
{
	unsigned changed = 0;

	for (unsigned p = 0; p < g->pe_count; p++) {
		if ((word == 0 && p != pe) || !g->pe[p].ready[word])
			continue;
		reselect(g, p);
		changed |= 1U << p;
	}
	return changed;
}

void gic_reselect_all(struct gic *g)
{
	for (unsigned p = 0; p < g->pe_count; p++)
		reselect(g, p);
}

/* ---- life of an interrupt ---- */

bool gic_input_decode(const struct gic *g, uint32_t input, unsigned *pe, unsigned *intid)
{
	uint32_t ppi = input - GIC_INPUT_PPI;

	if (input < GIC_INPUT_PPI) {
		*pe = 0;
		*intid = 32 + input;
		return *intid < 32 * g->words;
	}
	*pe = ppi / IRQ_PPI_STRIDE;
	*intid = 16 + ppi % IRQ_PPI_STRIDE;
	return *pe < g->pe_count && *intid < 32;
}

void gic_input(struct gic *g, unsigned pe, unsigned intid, bool level)
{
	struct gic_irqs *i = &g->irqs;
	unsigned row = gic_row(pe, intid / 32);
	uint32_t b = 1U << intid % 32;

	if (((i->level[row] & b) != 0) == level)
		return;
	i->level[row] ^= b;
	if (level)
		i->latch[row] |= b & i->edge[row];
}

uint8_t gic_running(const struct gic_pe *p)
{
	uint32_t apr = p->apr[GIC_G0] | p->apr[GIC_G1S] | p->apr[GIC_G1NS];

	return apr ? (uint8_t)(__builtin_ctz(apr) * 8) : GIC_PRIO_IDLE;
}

bool gic_running_group(const struct gic_pe *p, enum gic_group *grp)
{
	uint32_t apr = p->apr[GIC_G0] | p->apr[GIC_G1S] | p->apr[GIC_G1NS];
	uint32_t lowest = apr & -apr;

	for (*grp = GIC_G0; *grp < GIC_GROUPS; ++*grp)
		if (p->apr[*grp] & lowest)
			return true;
	return false;
}

void gic_activate(struct gic *g, unsigned pe, uint8_t group_mask)
{
	struct gic_pe *p = &g->pe[pe];
	unsigned intid = p->hppi;
	unsigned row = gic_row(pe, intid / 32);
	uint32_t b = 1U << intid % 32;

	p->apr[gic_group_of(g, pe, intid)] |= 1U << (p->hppi_prio & group_mask) / 8;
	g->irqs.latch[row] &= ~b;
	g->irqs.active[row] |= b;
}

void gic_deactivate(struct gic *g, unsigned pe, unsigned intid)
{
	g->irqs.active[gic_row(pe, intid / 32)] &= ~(1U << intid % 32);
}

/* ---- registers that look the same everywhere ---- */

enum bits_op { BITS_NONE, BITS_ASSIGN, BITS_SET, BITS_CLEAR };
static const struct {
	enum bits_op op;
	size_t array;
} bits_regs[GIC_BITS_COUNT] = {
	[GIC_IGROUPR] = {BITS_ASSIGN, offsetof(struct gic_irqs, group)},
	[GIC_ISENABLER] = {BITS_SET, offsetof(struct gic_irqs, enable)},
	[GIC_ICENABLER] = {BITS_CLEAR, offsetof(struct gic_irqs, enable)},
	[GIC_ISPENDR] = {BITS_SET, offsetof(struct gic_irqs, latch)},
	[GIC_ICPENDR] = {BITS_CLEAR, offsetof(struct gic_irqs, latch)},
	[GIC_ISACTIVER] = {BITS_SET, offsetof(struct gic_irqs, active)},
	[GIC_ICACTIVER] = {BITS_CLEAR, offsetof(struct gic_irqs, active)},
	[GIC_IGRPMODR] = {BITS_ASSIGN, offsetof(struct gic_irqs, grpmod)},
};

bool gic_is_bits(uint64_t offset)
{
	return offset / 0x80 < GIC_BITS_COUNT && bits_regs[offset / 0x80].op != BITS_NONE;
}

uint32_t gic_bits_read(const struct gic *g, unsigned row, enum gic_bits reg, uint32_t open)
{
	const uint32_t *array = (const void *)((const char *)&g->irqs + bits_regs[reg].array);

	if (reg == GIC_ISPENDR || reg == GIC_ICPENDR)
		return gic_pending(&g->irqs, row) & open;
	return array[row] & open;
}

void gic_bits_write(struct gic *g, unsigned row, enum gic_bits reg, uint32_t value, uint32_t open)
{
	uint32_t *array = (void *)((char *)&g->irqs + bits_regs[reg].array);

	if (bits_regs[reg].op == BITS_SET)
		array[row] |= value & open;
	else if (bits_regs[reg].op == BITS_CLEAR)
		array[row] &= ~(value & open);
	else
		array[row] = (array[row] & ~open) | (value & open);
}

uint32_t gic_icfgr_read(const struct gic *g, unsigned row, unsigned half, uint32_t open)
{
	uint32_t edge = (g->irqs.edge[row] & open) >> half * 16;
	uint32_t v = 0;

	for (unsigned n = 0; n < 16; n++)
		v |= (edge >> n & 1) << (2 * n + 1);
	return v;
}

void gic_icfgr_write(struct gic *g, unsigned row, unsigned half, uint32_t value, uint32_t open)
{
	uint32_t edge = 0;

	open &= 0xffffU << half * 16;
	for (unsigned n = 0; n < 16; n++)
		edge |= (value >> (2 * n + 1) & 1) << (half * 16 + n);
	g->irqs.edge[row] = (g->irqs.edge[row] & ~open) | (edge & open);
}

uint32_t gic_prio_read(struct gic *g, unsigned pe, unsigned intid, unsigned size, uint32_t open,
		       bool ns)
{
	uint32_t value = 0;

	for (unsigned n = 0; n < size; n++) {
		uint8_t prio = *gic_prio(g, pe, intid + n);

		if (open >> (intid + n) % 32 & 1)
			value |= (uint32_t)(ns ? gic_prio_to_ns(prio) : prio) << 8 * n;
	}
	return value;
}

void gic_prio_write(struct gic *g, unsigned pe, unsigned intid, unsigned size, uint32_t value,
		    uint32_t open, bool ns)
{
	for (unsigned n = 0; n < size; n++) {
		uint8_t prio = (uint8_t)(value >> 8 * n);

		if (open >> (intid + n) % 32 & 1)
			*gic_prio(g, pe, intid + n) = ns ? gic_prio_from_ns(prio)
							 : prio & GIC_PRIO_MASK;
	}
}
