/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address translation: Arm ARM (DDI 0487), D8.2 to D8.6, and the pseudocode AArch64.FullTranslate,
 * AArch64.S1Walk, AArch64.S2Walk.
 *
 * 4, 16 and 64 KiB granules; 52-bit addresses by FEAT_LPA (64 KiB) and FEAT_LPA2 (TCR_ELx.DS).
 * Not modelled: Secure stage 2 (FEAT_SEL2), attributes forced by stage 2 (FEAT_S2FWB), permission indirection and overlays (FEAT_S1PIE, FEAT_S1POE), 128-bit descriptors
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

/* A descriptor in memory. */
struct place {
	uint64_t pa;
	bool secure, big_endian;
};

/* What stage 2 makes of an intermediate physical address. */
struct stage2 {
	uint64_t pa, size;
	uint8_t priv, user; /* enum arm_prot */
	uint8_t mem_attr, sh;
	bool clean;
	int8_t level;
};

/* Descriptors that others change all the time: so often is begun again. */
enum { TRIES = 1000, SCTLR_EPAN = 57 };

/* Inside this file: a descriptor is not any more what it was. */
#define WALK_CHANGED ARM_WALK_BUDGET

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
	g->hd = g->ha && bit(tcr, 40);
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
	g->hd = g->ha && bit(tcr, 22);
	g->ds = bit(tcr, 32);
}

static unsigned pa_bits(const struct arm_regime *r)
{
	return r->pa_bits ? r->pa_bits : 48;
}

/* Address sizes and levels, when the registers' fields are there. False: it has none that could translate
 * (reserved values). */
static bool range_sizes(const struct arm_regime *r, struct range *g, unsigned max_tsz)
{
	if (!g->granule)
		return false;
	if (r->no_granule16 && g->granule == 14)
		g->granule = 12;
	g->ds = g->ds && g->granule != 16;
	g->high_oa = g->granule == 16 && pa_bits(r) == 52;
	g->lpa = g->high_oa && g->oa_bits == 52;
	if (!g->ds && !g->lpa && g->oa_bits > 48)
		g->oa_bits = 48;
	if (pa_bits(r) < g->oa_bits)
		g->oa_bits = pa_bits(r);
	if (g->tsz < (g->ds || g->granule == 16 ? 12 : 16) || g->tsz > max_tsz)
		return false;
	g->stride = g->granule - 3;
	g->max_block = g->granule == 12 ? !g->ds : g->granule == 14 ? 2 - g->ds : 2 - g->high_oa;
	return true;
}

/* Geometry of a half. */
static bool range_init(const struct arm_regime *r, bool upper, struct range *g)
{
	unsigned input;

	memset(g, 0, sizeof(*g));
	g->ttbr = r->ttbr[upper];
	if (r->kind == ARM_REGIME_EL10)
		range_el10(r, upper, g);
	else
		range_single(r, g);
	if (!range_sizes(r, g, g->granule == 16 ? 47 : 48))
		return false;
	input = 64 - g->tsz;
	g->start = 4 - (int)((input - g->granule + g->stride - 1) / g->stride);
	g->va_top = upper ? ~0ULL << input : 0;
	return true;
}

/* VTCR_EL2.SL0: first level, and the size of physical addresses that a long one needs. */
static bool stage2_start(const struct arm_regime *r, unsigned sl0, struct range *g)
{
	static const struct {
		int8_t level;
		uint8_t min_pa;
	} starts[2][3] = {
		{{2, 0}, {1, 0}, {0, 44}}, /* 4 KiB */
		{{3, 0}, {2, 0}, {1, 42}},
	};
	bool large = g->granule != 12;
	int index;

	if (sl0 > 2 || pa_bits(r) < starts[large][sl0].min_pa)
		return false;
	g->start = starts[large][sl0].level;
	/* Up to 16 tables may stand side by side at the first level. */
	index = (int)(64 - g->tsz - g->granule) - (int)g->stride * (3 - g->start);
	return index >= 1 && index <= (int)g->stride + 4;
}

static bool range_stage2(const struct arm_regime *r, struct range *g)
{
	uint64_t vtcr = r->stage2->vtcr;

	memset(g, 0, sizeof(*g));
	g->ttbr = r->stage2->vttbr & ~1ULL; /* CnP */
	g->tsz = bits(vtcr, 5, 0);
	g->granule = tg0_granule(bits(vtcr, 15, 14));
	g->oa_bits = ps_bits(bits(vtcr, 18, 16));
	g->ha = bit(vtcr, 21);
	g->hd = g->ha && bit(vtcr, 22);
	return range_sizes(r, g, 39) && stage2_start(r, bits(vtcr, 7, 6), g);
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

static bool read_desc(const struct arm_regime *r, const struct place *p, uint64_t *desc)
{
	if (!r->read(r->opaque, p->pa, p->secure, desc))
		return false;
	if (p->big_endian)
		*desc = __builtin_bswap64(*desc);
	return true;
}

/* False: the walk must begin again. */
static bool write_desc(const struct arm_regime *r, const struct place *p, uint64_t old,
		       uint64_t desc)
{
	if (old == desc)
		return true;
	if (p->big_endian) {
		old = __builtin_bswap64(old);
		desc = __builtin_bswap64(desc);
	}
	return r->update(r->opaque, p->pa, p->secure, old, desc);
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

/* ---- stage 2 ---- */

static void stage2_leaf(const struct arm_regime *r, const struct range *g, uint64_t desc,
			struct stage2 *o)
{
	unsigned xn = bits(desc, 54, 53);
	bool managed = g->hd && bit(desc, 51);
	uint8_t data = (bit(desc, 6) ? ARM_PROT_READ : 0) |
		       (bit(desc, 7) || managed ? ARM_PROT_WRITE : 0);

	if (!r->stage2->xnx)
		xn &= 2;
	o->priv = data | (xn == 0 || xn == 3 ? ARM_PROT_EXEC : 0);
	o->user = data | (xn <= 1 ? ARM_PROT_EXEC : 0);
	o->mem_attr = bits(desc, 5, 2);
	o->sh = bits(desc, 9, 8);
	o->clean = managed && !bit(desc, 7);
}

static uint64_t stage2_updated(const struct range *g, uint64_t desc, enum arm_prot need)
{
	if (g->ha)
		desc |= 1ULL << 10;
	if (g->hd && bit(desc, 51) && need & ARM_PROT_WRITE)
		desc |= 1ULL << 7;
	return desc;
}

/* The leaf of @ipa and where it stands. */
static enum walk_result stage2_tables(const struct arm_regime *r, const struct range *g,
				      uint64_t ipa, struct place *p, uint64_t *desc,
				      struct stage2 *o)
{
	uint64_t base = table_base(g);

	p->big_endian = r->stage2->big_endian;
	p->secure = false;
	for (int level = g->start;; level++) {
		unsigned shift = level_shift(g, level);
		enum desc_kind kind;

		if (too_large(g, base))
			return ARM_WALK_ADDRESS_SIZE;
		o->level = (int8_t)level;
		p->pa = base + bits(ipa >> shift, index_bits(g, level) - 1, 0) * 8;
		if (!read_desc(r, p, desc))
			return ARM_WALK_EXTERNAL;
		kind = desc_kind(g, level, *desc);
		if (kind == DESC_INVALID)
			return ARM_WALK_TRANSLATION;
		base = address_field(g, *desc, kind == DESC_LEAF ? shift : g->granule, false);
		if (kind == DESC_TABLE) /* never at level 3 */
			continue;
		o->size = 1ULL << shift;
		o->pa = base + (ipa & (o->size - 1));
		return too_large(g, base) ? ARM_WALK_ADDRESS_SIZE : ARM_WALK_OK;
	}
}

/* @need: 0 checks and changes nothing. @update: descriptors may be written. */
static enum walk_result stage2(const struct arm_regime *r, uint64_t ipa, enum arm_prot need,
			       bool user, bool update, struct stage2 *o)
{
	enum walk_result result;
	struct place p;
	struct range g;
	uint64_t desc, updated;

	memset(o, 0, sizeof(*o));
	if (!range_stage2(r, &g) || ipa >> (64 - g.tsz))
		return ARM_WALK_TRANSLATION;
	result = stage2_tables(r, &g, ipa, &p, &desc, o);
	if (result != ARM_WALK_OK)
		return result;
	if (!bit(desc, 10) && !g.ha)
		return ARM_WALK_ACCESS_FLAG;
	stage2_leaf(r, &g, desc, o);
	if (need & ~(user ? o->user : o->priv))
		return ARM_WALK_PERMISSION;
	if (!update || !need)
		return ARM_WALK_OK;
	updated = stage2_updated(&g, desc, need);
	if (!write_desc(r, &p, desc, updated))
		return WALK_CHANGED;
	stage2_leaf(r, &g, updated, o);
	return ARM_WALK_OK;
}

static bool stage2_is_device(uint8_t mem_attr)
{
	return !(mem_attr & 0xc);
}

static enum walk_result stage2_failed(struct arm_xlat *out, const struct stage2 *o, uint64_t ipa,
				      bool on_walk, enum walk_result result)
{
	out->fault_stage2 = true;
	out->fault_on_walk = on_walk;
	out->ipa = ipa;
	out->level = o->level;
	return result;
}

/* One half of a field of MAIR_ELx, and of stage 2's attributes: the weaker of the two cacheabilities, with
 * the allocation hints of stage 1. */
static unsigned combine_cache(unsigned s1, unsigned s2)
{
	enum { NON_CACHEABLE = 1, WRITE_THROUGH = 2, MAIR_NC = 4, MAIR_WB_TRANSIENT = 4 };

	if (s1 == MAIR_NC || s2 <= NON_CACHEABLE)
		return MAIR_NC;
	if (s2 == WRITE_THROUGH)
		return s1 & ~(unsigned)MAIR_WB_TRANSIENT;
	return s1;
}

/* D8.6 "Combining stage 1 and stage 2 memory type attributes". */
static uint8_t combine_attr(uint8_t s1, uint8_t s2)
{
	bool d1 = !(s1 & 0xf0), d2 = stage2_is_device(s2);
	unsigned t1 = s1 & 0xc, t2 = s2 << 2 & 0xc;

	if (d1 && d2)
		return t1 < t2 ? t1 : t2;
	if (d1 || d2)
		return d1 ? s1 : t2;
	return combine_cache(s1 >> 4, s2 >> 2) << 4 | combine_cache(s1 & 0xf, s2 & 3);
}

enum { SH_OUTER = 2, SH_INNER = 3, ATTR_NC = 0x44 };

static uint8_t combine_sh(uint8_t attr, uint8_t s1, uint8_t s2)
{
	if (!(attr & 0xf0) || attr == ATTR_NC || s1 == SH_OUTER || s2 == SH_OUTER)
		return SH_OUTER;
	return s1 | s2 ? SH_INNER : 0;
}

static void combine(struct arm_xlat *out, const struct stage2 *o, uint64_t va)
{
	if (o->size < out->size)
		out->size = o->size;
	out->pa = o->pa;
	out->pa_base = align_down(o->pa, out->size);
	out->va_base = align_down(va, out->size);
	out->priv &= o->priv;
	out->user &= o->user;
	out->attr = combine_attr(out->attr, o->mem_attr);
	out->sh = combine_sh(out->attr, out->sh, o->sh);
	out->clean |= o->clean;
}

/* ---- stage 1 ---- */

/* The rest of a stage 1 walk's parameters, and the leaf that it finds. */
struct stage1 {
	const struct arm_regime *r;
	const struct arm_access *a;
	const struct range *g;
	uint64_t leaf_ipa;
	bool leaf_secure;
};

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
	bool ns_data = r->secure && r->sif && out->ns;
	bool px = !pxn && !(wxn && pw) && !ns_data, ux = two && !uxn && !(wxn && uw) && !ns_data;

	out->priv = ARM_PROT_READ | (pw ? ARM_PROT_WRITE : 0) | (px ? ARM_PROT_EXEC : 0);
	out->user = (ur ? ARM_PROT_READ : 0) | (uw ? ARM_PROT_WRITE : 0) | (ux ? ARM_PROT_EXEC : 0);
	out->pan_denies = ur || (bit(r->sctlr, SCTLR_EPAN) && ux); /* FEAT_PAN3 */
	out->clean = dirty_managed && bit(desc, 7);
}

static enum walk_result leaf(const struct arm_regime *r, const struct range *g, int level,
			     uint64_t desc, const struct table_attrs *t, uint64_t va,
			     struct arm_xlat *out)
{
	unsigned shift = level_shift(g, level);

	out->size = out->stage1_size = 1ULL << shift;
	out->pa_base = address_field(g, desc, shift, false);
	out->va_base = align_down(va, out->size);
	out->pa = out->pa_base + (va - out->va_base);
	if (too_large(g, out->pa_base))
		return ARM_WALK_ADDRESS_SIZE;
	if (!bit(desc, 10) && !g->ha)
		return ARM_WALK_ACCESS_FLAG;
	out->attr_index = bits(desc, 4, 2);
	out->attr = out->stage1_attr = (uint8_t)(r->mair >> (out->attr_index * 8));
	out->ns = !r->secure || bit(desc, 5) || t->ns;
	out->sh = g->ds ? g->sh : bits(desc, 9, 8);
	/* A Secure regime's pages that Non-secure tables describe are never global. */
	out->ng = r->kind == ARM_REGIME_EL10 && (bit(desc, 11) || (r->secure && t->ns));
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
		[ARM_WALK_PERMISSION] = {ARM_FSC_PERMISSION, ARM_FSC_PERMISSION},
		[ARM_WALK_EXTERNAL] = {ARM_FSC_EXTERNAL_WALK, 0x13},
	};

	if (result == ARM_WALK_OK)
		return result;
	out->fsc = out->level < 0 ? codes[result].below
				  : codes[result].level0 + (uint8_t)out->level;
	return result;
}

/* Where a descriptor stands that stage 1 has at @ipa. */
static enum walk_result table_place(const struct stage1 *s, uint64_t ipa, bool secure, bool write,
				    struct place *p, struct arm_xlat *out)
{
	const struct arm_regime *r = s->r;
	enum walk_result result;
	struct stage2 o;

	*p = (struct place){ipa, secure, bit(r->sctlr, 25)};
	if (!r->stage2)
		return ARM_WALK_OK;
	result = stage2(r, ipa, write ? ARM_PROT_READ | ARM_PROT_WRITE : ARM_PROT_READ, false,
			r->update && !s->a->no_update, &o);
	if (result == ARM_WALK_OK && r->stage2->ptw && stage2_is_device(o.mem_attr))
		result = ARM_WALK_PERMISSION;
	if (result != ARM_WALK_OK)
		return stage2_failed(out, &o, ipa, true, result);
	p->pa = o.pa;
	return ARM_WALK_OK;
}

static enum walk_result walk_tables(struct stage1 *s, uint64_t va, struct table_attrs *attrs,
				    struct arm_xlat *out)
{
	const struct range *g = s->g;
	uint64_t base = table_base(g);
	bool secure = s->r->secure;
	enum walk_result result;
	struct place p;

	if (too_large(g, base)) /* reported at level 0, whatever the first level is */
		return ARM_WALK_ADDRESS_SIZE;
	for (int level = g->start;; level++) {
		unsigned shift = level_shift(g, level);
		uint64_t index = bits(va >> shift, index_bits(g, level) - 1, 0);

		s->leaf_ipa = base + index * 8;
		s->leaf_secure = secure;
		result = table_place(s, s->leaf_ipa, secure, false, &p, out);
		if (result != ARM_WALK_OK)
			return result;
		out->level = (int8_t)level;
		if (!read_desc(s->r, &p, &out->desc))
			return ARM_WALK_EXTERNAL;
		switch (desc_kind(g, level, out->desc)) {
		case DESC_INVALID:
			return ARM_WALK_TRANSLATION;
		case DESC_LEAF:
			return leaf(s->r, g, level, out->desc, attrs, va, out);
		case DESC_TABLE: /* never at level 3 */
			add_table_attrs(g, out->desc, attrs);
			secure &= !bit(out->desc, 63);
			base = address_field(g, out->desc, g->granule, false);
		}
		if (too_large(g, base))
			return ARM_WALK_ADDRESS_SIZE;
	}
}

/* D8.5 "Hardware updates to the translation tables". */
static enum walk_result update_leaf(struct stage1 *s, const struct table_attrs *t,
				    struct arm_xlat *out)
{
	uint64_t desc = out->desc;
	enum walk_result result;
	struct place p;

	if (s->g->ha)
		desc |= 1ULL << 10;
	if (s->g->hd && bit(desc, 51) && s->a->need & ARM_PROT_WRITE)
		desc &= ~(1ULL << 7);
	if (desc == out->desc)
		return ARM_WALK_OK;
	result = table_place(s, s->leaf_ipa, s->leaf_secure, true, &p, out);
	if (result != ARM_WALK_OK)
		return result;
	if (!write_desc(s->r, &p, out->desc, desc))
		return WALK_CHANGED;
	out->desc = desc;
	permissions(s->r, s->g, desc, t, out);
	return ARM_WALK_OK;
}

/* AArch64.S1DisabledOutput. */
static enum walk_result walk_off(const struct arm_regime *r, uint64_t va, struct arm_xlat *out)
{
	uint64_t a = va;
	unsigned tbi = r->kind != ARM_REGIME_EL10 ? 20 : bit(va, 55) ? 38 : 37;

	/* The tag is dropped also while translation is off. */
	if (bit(r->tcr, tbi))
		a = bits(va, 55, 0);
	if (a >> pa_bits(r))
		return ARM_WALK_ADDRESS_SIZE;
	out->pa = a;
	out->pa_base = align_down(a, 4096);
	out->va_base = align_down(va, 4096);
	out->size = out->stage1_size = 4096;
	out->priv = out->user = ARM_PROT_READ | ARM_PROT_WRITE | ARM_PROT_EXEC;
	out->attr = out->stage1_attr = r->dc ? 0xff : 0;
	out->sh = r->dc ? 0 : SH_OUTER;
	out->ns = !r->secure;
	return ARM_WALK_OK;
}

static enum walk_result walk_on(const struct arm_regime *r, const struct arm_access *a, uint64_t va,
				struct arm_xlat *out)
{
	bool two = r->kind == ARM_REGIME_EL10, upper = two && bit(va, 55);
	struct table_attrs attrs = {0};
	uint64_t canonical = va;
	enum walk_result result;
	struct range g;
	struct stage1 s = {.r = r, .a = a, .g = &g};

	if (!range_init(r, upper, &g) || g.disabled)
		return ARM_WALK_TRANSLATION;
	if (g.tbi)
		canonical = upper ? va | 0xffULL << 56 : bits(va, 55, 0);
	if ((canonical & ~0ULL << (64 - g.tsz)) != g.va_top)
		return ARM_WALK_TRANSLATION;
	result = walk_tables(&s, canonical, &attrs, out);
	if (result != ARM_WALK_OK || !a->need)
		return result;
	if (a->need & ~arm_xlat_prot(out, a->user, a->pan))
		return ARM_WALK_PERMISSION;
	return r->update && !a->no_update ? update_leaf(&s, &attrs, out) : ARM_WALK_OK;
}

static enum walk_result translate(const struct arm_regime *r, const struct arm_access *a,
				  uint64_t va, struct arm_xlat *out)
{
	enum walk_result result;
	struct stage2 o;

	memset(out, 0, sizeof(*out));
	result = bit(r->sctlr, 0) ? walk_on(r, a, va, out) : walk_off(r, va, out);
	if (result != ARM_WALK_OK || !r->stage2 || a->stage1_only)
		return result;
	result = stage2(r, out->pa, a->need, a->user, r->update && !a->no_update, &o);
	if (result != ARM_WALK_OK)
		return stage2_failed(out, &o, out->pa, false, result);
	combine(out, &o, va);
	return ARM_WALK_OK;
}

enum walk_result arm_translate(const struct arm_regime *r, const struct arm_access *a, uint64_t va,
			       struct arm_xlat *out)
{
	for (unsigned i = 0; i < TRIES; i++) {
		enum walk_result result = translate(r, a, va, out);

		if (result != WALK_CHANGED)
			return failed(out, result);
	}
	return failed(out, ARM_WALK_EXTERNAL);
}

enum walk_result arm_walk(const struct arm_regime *r, uint64_t va, struct arm_xlat *out)
{
	static const struct arm_access any;

	return arm_translate(r, &any, va, out);
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
	struct place p = {0, v->r->secure && !attrs->ns, bit(v->r->sctlr, 25)};
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
		p.pa = base + i * 8;
		if (!read_desc(v->r, &p, &desc))
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
