/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 1 translation: Arm ARM (DDI 0487), D8.2 to D8.4, and the pseudocode AArch64.S1Walk.
 *
 * 4, 16 and 64 KiB granules; 52-bit addresses by FEAT_LPA (64 KiB) and FEAT_LPA2 (TCR_ELx.DS).
 * Not modelled: permission indirection and overlays (FEAT_S1PIE, FEAT_S1POE), 128-bit descriptors
 * (FEAT_D128), FEAT_E0PD and NFD (they only take rights from EL0), TBID (a PC never carries a tag
 * then), FEAT_RME.
 */
#include "arm/walk.h"

#include "arm/exc.h"
#include "util/bits.h"

#include <string.h>

/* One of a regime's halves, in a form that no longer depends on the kind of register. */
struct range {
	uint64_t ttbr;
	uint64_t va_top;    /* bits above the input range, as they must be */
	unsigned tsz;	    /* TxSZ */
	unsigned granule;   /* log2 */
	unsigned stride;    /* index bits of a full table */
	unsigned oa_bits;   /* output address size */
	int start;	    /* first level; -1..3 */
	unsigned max_block; /* lowest level that may hold blocks */
	unsigned sh;	    /* DS: shareability of everything */
	bool tbi;
	bool disabled; /* EPDn */
	bool ds;       /* FEAT_LPA2 layout of descriptors */
	bool high_oa;  /* FEAT_LPA: bits 51:48 of addresses stand in descriptors... */
	bool lpa;      /* ...and in the TTBR */
	bool hpd;      /* no permissions in tables */
	bool ha, hd;   /* hardware management of access flag and dirty state */
};

struct table_attrs {
	bool ns, read_only, no_user, uxn, pxn;
};

static unsigned ps_bits(unsigned ps)
{
	static const uint8_t sizes[8] = {32, 36, 40, 42, 44, 48, 52, 52};

	return sizes[ps & 7];
}

static unsigned tg0_granule(unsigned tg)
{
	static const uint8_t granules[4] = {12, 16, 14, 0};

	return granules[tg];
}

static unsigned tg1_granule(unsigned tg)
{
	static const uint8_t granules[4] = {0, 14, 12, 16};

	return granules[tg];
}

static void range_el10(const struct arm_regime *r, bool upper, struct range *g)
{
	uint64_t tcr = r->tcr;

	g->tsz = upper ? bits(tcr, 21, 16) : bits(tcr, 5, 0);
	g->granule = upper ? tg1_granule(bits(tcr, 31, 30)) : tg0_granule(bits(tcr, 15, 14));
	g->sh = upper ? bits(tcr, 29, 28) : bits(tcr, 13, 12);
	g->disabled = bit(tcr, upper ? 23 : 7);
	g->tbi = bit(tcr, upper ? 38 : 37);
	g->hpd = bit(tcr, upper ? 42 : 41);
	g->oa_bits = ps_bits(bits(tcr, 34, 32));
	g->ha = bit(tcr, 39);
	g->hd = bit(tcr, 40);
	g->ds = bit(tcr, 59);
}

static void range_single(const struct arm_regime *r, struct range *g)
{
	uint64_t tcr = r->tcr;

	g->tsz = bits(tcr, 5, 0);
	g->granule = tg0_granule(bits(tcr, 15, 14));
	g->sh = bits(tcr, 13, 12);
	g->tbi = bit(tcr, 20);
	g->hpd = bit(tcr, 24);
	g->oa_bits = ps_bits(bits(tcr, 18, 16));
	g->ha = bit(tcr, 21);
	g->hd = bit(tcr, 22);
	g->ds = bit(tcr, 32);
}

static unsigned pa_bits(const struct arm_regime *r)
{
	return r->pa_bits ? r->pa_bits : 48;
}

/* Geometry of a half. False: it has none that could translate (reserved values). */
static bool range_init(const struct arm_regime *r, bool upper, struct range *g)
{
	unsigned min_tsz, input;

	memset(g, 0, sizeof(*g));
	g->ttbr = r->ttbr[upper];
	if (r->kind == ARM_REGIME_EL10)
		range_el10(r, upper, g);
	else
		range_single(r, g);
	if (!g->granule)
		return false;
	g->ds = g->ds && g->granule != 16;
	g->high_oa = g->granule == 16 && pa_bits(r) == 52;
	g->lpa = g->high_oa && g->oa_bits == 52;
	if (!g->ds && !g->lpa && g->oa_bits > 48)
		g->oa_bits = 48;
	if (pa_bits(r) < g->oa_bits)
		g->oa_bits = pa_bits(r);
	min_tsz = g->ds || g->granule == 16 ? 12 : 16;
	if (g->tsz < min_tsz || g->tsz > (g->granule == 16 ? 47 : 48))
		return false;
	input = 64 - g->tsz;
	g->stride = g->granule - 3;
	g->start = 4 - (int)((input - g->granule + g->stride - 1) / g->stride);
	g->max_block = g->granule == 12 ? !g->ds : g->granule == 14 ? 2 - g->ds : 2 - g->high_oa;
	g->va_top = upper ? ~0ULL << input : 0;
	return true;
}

static unsigned level_shift(const struct range *g, int level)
{
	return g->granule + g->stride * (unsigned)(3 - level);
}

static unsigned index_bits(const struct range *g, int level)
{
	return level == g->start ? 64 - g->tsz - level_shift(g, level) : g->stride;
}

/* Address field of a TTBR or table or leaf descriptor, above @low. */
static uint64_t address_field(const struct range *g, uint64_t v, unsigned low, bool is_ttbr)
{
	uint64_t a = align_down(bits(v, 47, 0), 1ULL << low);

	if (is_ttbr && (g->ds || g->lpa))
		return a | bits(v, 5, 2) << 48;
	if (!is_ttbr && g->high_oa)
		return a | bits(v, 15, 12) << 48;
	if (!is_ttbr && g->ds)
		return a | bits(v, 49, 48) << 48 | bits(v, 9, 8) << 50;
	return a;
}

static uint64_t table_base(const struct range *g)
{
	unsigned low = index_bits(g, g->start) + 3;

	/* With the upper address bits in 5:2 a table is aligned to 64 bytes at least. */
	if ((g->ds || g->lpa) && low < 6)
		low = 6;
	return address_field(g, g->ttbr, low, true);
}

static bool too_large(const struct range *g, uint64_t pa)
{
	return pa >> g->oa_bits;
}

static bool read_desc(const struct arm_regime *r, uint64_t pa, uint64_t *desc)
{
	if (!r->read(r->opaque, pa, desc))
		return false;
	if (bit(r->sctlr, 25)) /* EE */
		*desc = __builtin_bswap64(*desc);
	return true;
}

enum desc_kind { DESC_INVALID, DESC_TABLE, DESC_LEAF };

static enum desc_kind desc_kind(const struct range *g, int level, uint64_t desc)
{
	if (!(desc & 1))
		return DESC_INVALID;
	if (level == 3)
		return desc & 2 ? DESC_LEAF : DESC_INVALID;
	if (desc & 2)
		return DESC_TABLE;
	return level >= (int)g->max_block ? DESC_LEAF : DESC_INVALID;
}

static void add_table_attrs(const struct range *g, uint64_t desc, struct table_attrs *t)
{
	t->ns |= bit(desc, 63);
	if (g->hpd)
		return;
	t->read_only |= bit(desc, 62);
	t->no_user |= bit(desc, 61);
	t->uxn |= bit(desc, 60);
	t->pxn |= bit(desc, 59);
}

/* D8.4 "Memory access control", direct permissions. EL0 may execute what it may not read. */
static void permissions(const struct arm_regime *r, const struct range *g, uint64_t desc,
			const struct table_attrs *t, struct arm_xlat *out)
{
	bool two = r->kind == ARM_REGIME_EL10, wxn = bit(r->sctlr, 19);
	bool dirty_managed = g->hd && bit(desc, 51);
	bool pw = (!bit(desc, 7) || dirty_managed) && !t->read_only;
	bool ur = two && bit(desc, 6) && !t->no_user, uw = ur && pw;
	bool uxn = bit(desc, 54) || t->uxn;
	bool pxn = two ? bit(desc, 53) || t->pxn || uw : uxn;
	bool px = !pxn && !(wxn && pw), ux = two && !uxn && !(wxn && uw);

	out->priv = ARM_PROT_READ | (pw ? ARM_PROT_WRITE : 0) | (px ? ARM_PROT_EXEC : 0);
	out->user = (ur ? ARM_PROT_READ : 0) | (uw ? ARM_PROT_WRITE : 0) | (ux ? ARM_PROT_EXEC : 0);
}

static enum walk_result leaf(const struct arm_regime *r, const struct range *g, int level,
			     uint64_t desc, const struct table_attrs *t, uint64_t va,
			     struct arm_xlat *out)
{
	unsigned shift = level_shift(g, level);

	out->size = 1ULL << shift;
	out->pa_base = address_field(g, desc, shift, false);
	out->va_base = align_down(va, out->size);
	out->pa = out->pa_base + (va - out->va_base);
	if (too_large(g, out->pa_base))
		return ARM_WALK_ADDRESS_SIZE;
	if (!bit(desc, 10) && !g->ha)
		return ARM_WALK_ACCESS_FLAG;
	out->attr_index = bits(desc, 4, 2);
	out->ns = bit(desc, 5) || t->ns;
	out->sh = g->ds ? g->sh : bits(desc, 9, 8);
	out->ng = r->kind == ARM_REGIME_EL10 && bit(desc, 11);
	permissions(r, g, desc, t, out);
	return ARM_WALK_OK;
}

static enum walk_result failed(struct arm_xlat *out, enum walk_result result)
{
	/* Codes of level -1 do not follow the pattern of the others. */
	static const struct {
		uint8_t level0, below;
	} codes[] = {
		[ARM_WALK_TRANSLATION] = {ARM_FSC_TRANSLATION, 0x2b},
		[ARM_WALK_ADDRESS_SIZE] = {ARM_FSC_ADDRESS_SIZE, 0x29},
		[ARM_WALK_ACCESS_FLAG] = {ARM_FSC_ACCESS_FLAG, ARM_FSC_ACCESS_FLAG},
		[ARM_WALK_EXTERNAL] = {ARM_FSC_EXTERNAL_WALK, 0x13},
	};

	if (result == ARM_WALK_OK)
		return result;
	out->fsc = out->level < 0 ? codes[result].below
				  : codes[result].level0 + (uint8_t)out->level;
	return result;
}

static enum walk_result walk_tables(const struct arm_regime *r, const struct range *g, uint64_t va,
				    struct arm_xlat *out)
{
	struct table_attrs attrs = {0};
	uint64_t base = table_base(g);

	if (too_large(g, base)) /* reported at level 0, whatever the first level is */
		return ARM_WALK_ADDRESS_SIZE;
	for (int level = g->start;; level++) {
		unsigned shift = level_shift(g, level);
		uint64_t index = bits(va >> shift, index_bits(g, level) - 1, 0);

		out->level = (int8_t)level;
		out->desc_pa = base + index * 8;
		out->big_endian = bit(r->sctlr, 25);
		if (!read_desc(r, base + index * 8, &out->desc))
			return ARM_WALK_EXTERNAL;
		switch (desc_kind(g, level, out->desc)) {
		case DESC_INVALID:
			return ARM_WALK_TRANSLATION;
		case DESC_LEAF:
			return leaf(r, g, level, out->desc, &attrs, va, out);
		case DESC_TABLE: /* never at level 3 */
			add_table_attrs(g, out->desc, &attrs);
			base = address_field(g, out->desc, g->granule, false);
		}
		if (too_large(g, base))
			return ARM_WALK_ADDRESS_SIZE;
	}
}

static enum walk_result walk_off(const struct arm_regime *r, uint64_t va, struct arm_xlat *out)
{
	uint64_t a = va;
	unsigned tbi = r->kind != ARM_REGIME_EL10 ? 20 : bit(va, 55) ? 38 : 37;

	/* AArch64.S1DisabledOutput: the tag is dropped also while translation is off. */
	if (bit(r->tcr, tbi))
		a = bits(va, 55, 0);
	if (a >> pa_bits(r))
		return ARM_WALK_ADDRESS_SIZE;
	out->pa = a;
	out->pa_base = align_down(a, 4096);
	out->va_base = align_down(va, 4096);
	out->size = 4096;
	out->priv = out->user = ARM_PROT_READ | ARM_PROT_WRITE | ARM_PROT_EXEC;
	out->sh = 2;
	return ARM_WALK_OK;
}

enum walk_result arm_walk(const struct arm_regime *r, uint64_t va, struct arm_xlat *out)
{
	bool two = r->kind == ARM_REGIME_EL10, upper = two && bit(va, 55);
	uint64_t canonical = va;
	struct range g;

	memset(out, 0, sizeof(*out));
	if (!bit(r->sctlr, 0))
		return failed(out, walk_off(r, va, out));
	if (!range_init(r, upper, &g) || g.disabled)
		return failed(out, ARM_WALK_TRANSLATION);
	if (g.tbi)
		canonical = upper ? va | 0xffULL << 56 : bits(va, 55, 0);
	if ((canonical & ~0ULL << (64 - g.tsz)) != g.va_top)
		return failed(out, ARM_WALK_TRANSLATION);
	return failed(out, walk_tables(r, &g, canonical, out));
}

/* ---- enumeration ---- */

struct visit {
	const struct arm_regime *r;
	const struct range *g;
	uint64_t *budget;
	arm_walk_fn *fn;
	void *opaque;
};

static enum walk_result visit_leaf(const struct visit *v, int level, uint64_t desc,
				   const struct table_attrs *t, uint64_t va)
{
	struct arm_xlat x = {.level = (int8_t)level, .desc = desc};

	if (leaf(v->r, v->g, level, desc, t, va, &x) != ARM_WALK_OK || !(x.priv & ARM_PROT_EXEC))
		return ARM_WALK_OK;
	return v->fn(v->opaque, &x) ? ARM_WALK_OK : ARM_WALK_STOPPED;
}

/* Recursion is at most five levels deep. */
static enum walk_result visit_table(const struct visit *v, int level, uint64_t base,
				    const struct table_attrs *attrs, uint64_t va)
{
	uint64_t entries = 1ULL << index_bits(v->g, level);
	enum walk_result result = ARM_WALK_OK;

	if (too_large(v->g, base))
		return ARM_WALK_OK;
	for (uint64_t i = 0; i < entries && result == ARM_WALK_OK; i++) {
		uint64_t here = va | i << level_shift(v->g, level), desc;
		struct table_attrs below = *attrs;

		if (!*v->budget)
			return ARM_WALK_BUDGET;
		--*v->budget;
		if (!read_desc(v->r, base + i * 8, &desc))
			return ARM_WALK_OK;
		switch (desc_kind(v->g, level, desc)) {
		case DESC_INVALID:
			break;
		case DESC_LEAF:
			result = visit_leaf(v, level, desc, attrs, here);
			break;
		case DESC_TABLE:
			add_table_attrs(v->g, desc, &below);
			if (v->r->kind == ARM_REGIME_EL10 ? below.pxn : below.uxn)
				break;
			result = visit_table(v, level + 1,
					     address_field(v->g, desc, v->g->granule, false),
					     &below, here);
		}
	}
	return result;
}

enum walk_result arm_walk_exec(const struct arm_regime *r, uint64_t budget, arm_walk_fn *fn,
			       void *opaque)
{
	unsigned halves = r->kind == ARM_REGIME_EL10 ? 2 : 1;
	enum walk_result result = ARM_WALK_OK;

	if (!bit(r->sctlr, 0))
		return ARM_WALK_OK;
	for (unsigned half = 0; half < halves && result == ARM_WALK_OK; half++) {
		struct table_attrs none = {0};
		struct range g;
		struct visit v = {r, &g, &budget, fn, opaque};

		if (!range_init(r, half, &g) || g.disabled)
			continue;
		result = visit_table(&v, g.start, table_base(&g), &none, g.va_top);
	}
	return result;
}
