// SPDX-License-Identifier: Apache-2.0
/* GICv2: scenarios, SGIs with sources, targets, Security Extensions, and a hammer
 * against an oracle that finds the highest priority pending interrupt the slow way. */
#include "gic_rig.h"

#include "dev/gic/gicv2_int.h"
#include "util/bits.h"
#include "util/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

extern const struct component gicv2_component;

enum {
	CTLR = 0x00,
	PMR = 0x04,
	BPR = 0x08,
	IAR = 0x0c,
	EOIR = 0x10,
	RPR = 0x14,
	HPPIR = 0x18,
	ABPR = 0x1c,
	AIAR = 0x20,
	AEOIR = 0x24,
	AHPPIR = 0x28,
	APR0 = 0xd0,
	NSAPR0 = 0xe0,
	IIDR = 0xfc,
	DIR = 0x1000,
};

static const bool NS = false, S = true;

static uint32_t icc(struct gic_rig *r, unsigned pe, unsigned reg, bool secure)
{
	return (uint32_t)gic_read(r, GIC_RIG_CPU + reg, 4, pe, secure);
}

static void set_icc(struct gic_rig *r, unsigned pe, unsigned reg, uint32_t v, bool secure)
{
	gic_write(r, GIC_RIG_CPU + reg, 4, v, pe, secure);
}

static struct gicv2 *gic_of(struct gic_rig *r)
{
	return (struct gicv2 *)r->dev;
}

static void make(struct gic_rig *r, unsigned pes, bool security)
{
	static const char *const two[] = {"security=true", NULL};

	gic_rig_make(r, &gicv2_component, pes, 1, security ? two : NULL);
}

/* ---- the oracle ---- */

static bool candidate(const struct gicv2 *g, unsigned pe, unsigned intid)
{
	const struct gic_irqs *i = &g->core.irqs;
	unsigned row = intid < 32 ? pe : GIC_PE_MAX + intid / 32 - 1;
	uint32_t b = 1U << intid % 32;
	uint32_t enable = i->group[row] & b ? 2 : 1;
	bool pending = (i->latch[row] & b) || ((i->level[row] & b) && !(i->edge[row] & b));

	if (intid < 16)
		pending = g->pe[pe].sgi_source[intid];
	if (!pending || !(i->enable[row] & b) || (i->active[row] & b))
		return false;
	if (!(g->ctlr & g->pe[pe].ctlr & enable))
		return false;
	return intid < 32 || g->core.pe_count == 1 || g->targets[intid - 32] >> pe & 1;
}

static void check_lines(struct gic_rig *r, unsigned pe, unsigned best, unsigned prio)
{
	struct gicv2 *g = gic_of(r);
	const struct gicv2_pe *p = &g->pe[pe];
	bool signalled = false, fiq = false;

	if (best != 1023) {
		bool group1 = gic_group_of(&g->core, pe, best) != GIC_G0;
		unsigned bpr = group1 && !(p->ctlr & 0x10) ? p->abpr - 1U : p->bpr;
		unsigned run = 0xff;

		for (int n = 31; n >= 0; n--)
			if ((g->core.pe[pe].apr[GIC_G0] | g->core.pe[pe].apr[GIC_G1NS]) >> n & 1)
				run = (unsigned)n * 8;
		signalled = prio < p->pmr && (run == 0xff || prio >> (bpr + 1) < run >> (bpr + 1));
		fiq = !group1 && p->ctlr & 8;
	}
	assert_int_equal(gic_irq(r, pe), signalled && !fiq);
	assert_int_equal(gic_fiq(r, pe), signalled && fiq);
}

static void check(struct gic_rig *r)
{
	struct gicv2 *g = gic_of(r);

	for (unsigned pe = 0; pe < g->core.pe_count; pe++) {
		unsigned best = 1023, prio = 0xff;

		for (unsigned n = 0; n < 32 + g->spis; n++) {
			uint8_t p =
				g->core.irqs.prio[(n < 32 ? pe * 32 : GIC_PE_MAX * 32 - 32) + n];
			bool c = candidate(g, pe, n);

			assert_int_equal(g->core.pe[pe].ready[n / 32] >> n % 32 & 1, c);
			if (c && p < prio) {
				best = n;
				prio = p;
			}
		}
		assert_int_equal(g->core.pe[pe].hppi, best);
		assert_int_equal(g->core.pe[pe].hppi_prio, prio);
		check_lines(r, pe, best, prio);
	}
}

/* ---- scenarios without Security Extensions ---- */

static uint32_t v2_ack(struct gic_rig *r, unsigned pe)
{
	return icc(r, pe, IAR, NS);
}

static void v2_eoi(struct gic_rig *r, unsigned pe, uint32_t intid)
{
	set_icc(r, pe, EOIR, intid, NS);
	check(r);
}

static void v2_dir(struct gic_rig *r, unsigned pe, uint32_t intid)
{
	set_icc(r, pe, DIR, intid, NS);
	check(r);
}

static void v2_split(struct gic_rig *r, unsigned pe, bool on)
{
	set_icc(r, pe, CTLR, on ? 0x201 : 1, NS);
}

static void v2_pmr(struct gic_rig *r, unsigned pe, uint8_t pmr)
{
	set_icc(r, pe, PMR, pmr, NS);
}

static void v2_bpr(struct gic_rig *r, unsigned pe, uint8_t bpr)
{
	set_icc(r, pe, BPR, bpr, NS);
}

static uint32_t v2_rpr(struct gic_rig *r, unsigned pe)
{
	return icc(r, pe, RPR, NS);
}

static uint32_t v2_hppi(struct gic_rig *r, unsigned pe)
{
	return icc(r, pe, HPPIR, NS);
}

static void v2_route(struct gic_rig *r, unsigned intid, unsigned pe)
{
	gic_write(r, GIC_RIG_DIST + 0x800 + intid, 1, 1U << pe, 0, false);
}

static void v2_sgi(struct gic_rig *r, unsigned from, unsigned to, unsigned intid)
{
	gic_write(r, GIC_RIG_DIST + 0xf00, 4, 1U << (16 + to) | intid, from, false);
}

static const struct gic_cpuif_ops v2_ops = {v2_ack, v2_eoi, v2_dir,  v2_split, v2_pmr,
					    v2_bpr, v2_rpr, v2_hppi, v2_route, v2_sgi};

/* As Linux sets it up: everything in group 0 and enabled. */
static void fresh(struct gic_rig *r)
{
	dev_reset(r->dev);
	gic_write(r, GIC_RIG_DIST, 4, 1, 0, true);
	for (unsigned n = 32; n < 288; n += 4)
		gic_write(r, GIC_RIG_DIST + 0x800 + n, 4, 0x01010101, 0, true);
	for (unsigned w = 1; w < 9; w++)
		gic_write(r, gic_reg(r, 0, w * 32, 0x100, 1), 4, ~0U, 0, true);
	for (unsigned pe = 0; pe < pe_count(r->pes); pe++) {
		gic_write(r, GIC_RIG_DIST + 0x100, 4, ~0U, pe, true);
		set_icc(r, pe, PMR, 0xff, S);
		set_icc(r, pe, CTLR, 1, S);
	}
	check(r);
}

static void test_scenarios(void **state)
{
	for (unsigned pes = 1; pes <= 8; pes++) {
		struct gic_rig r;

		make(&r, pes, false);
		gic_play_scenarios(&r, &v2_ops, fresh);
		check(&r);
		gic_rig_drop(&r);
	}
}

/* ---- registers ---- */

static void test_identification(void **state)
{
	struct gic_rig r;

	make(&r, 8, false);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 4, 4, 0, NS), 8 | 7 << 5);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 8, 4, 0, NS), 0x0200143b);
	assert_int_equal(icc(&r, 0, IIDR, NS), 0x0202143b);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0xfe8, 4, 0, NS), 0x2b);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0xffc, 4, 0, NS), 0xb1);
	gic_rig_drop(&r);
	make(&r, 1, true);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 4, 4, 0, NS), 8 | 1 << 10);
	gic_rig_drop(&r);
}

static void test_reserved(void **state)
{
	static const uint16_t offsets[] = {0x00c, 0x0a4, 0x124, 0x1a4, 0x224, 0x2a4, 0x324,
					   0x3a4, 0x520, 0x920, 0xc48, 0xd00, 0xe00, 0xf00};
	struct gic_rig r;

	make(&r, 2, false);
	fresh(&r);
	for (unsigned n = 0; n < ARRAY_COUNT(offsets); n++) {
		gic_write(&r, GIC_RIG_DIST + offsets[n], 4, 0xff00ff00, 0, NS);
		assert_int_equal(gic_read(&r, GIC_RIG_DIST + offsets[n], 4, 0, NS), 0);
	}
	for (unsigned n = 0x2c; n < 0xd0; n += 4) {
		set_icc(&r, 0, n, ~0U, NS);
		assert_int_equal(icc(&r, 0, n, NS), 0);
	}
	/* narrow accesses where there are none; the acknowledge must not happen */
	gic_wire(&r, 0, 40, true);
	assert_int_equal(gic_read(&r, GIC_RIG_CPU + IAR, 1, 0, NS), 0);
	assert_int_equal(gic_read(&r, GIC_RIG_CPU + IAR, 2, 0, NS), 0);
	assert_false(gic_get_bit(&r, 0, 40, 0x300, NS));
	gic_write(&r, GIC_RIG_DIST + 0x184, 2, 0xffff, 0, NS);
	assert_true(gic_irq(&r, 0));
	/* SGIs: always enabled, edge, not to be written by ISPENDR */
	gic_write(&r, GIC_RIG_DIST + 0x180, 4, ~0U, 0, NS);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0x100, 4, 0, NS), 0xffff);
	gic_write(&r, GIC_RIG_DIST + 0x200, 4, ~0U, 0, NS);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0x200, 4, 0, NS), 0xffff0000);
	gic_write(&r, GIC_RIG_DIST + 0xc00, 4, 0, 0, NS);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0xc00, 4, 0, NS), 0xaaaaaaaa);
	check(&r);
	gic_rig_drop(&r);
}

/* A device or a PE that does not exist has no bank. */
static void test_strangers(void **state)
{
	struct mem_attrs dma = {.dma = true}, pe = {.pe = 2};
	struct gic_rig r;
	uint64_t v;

	make(&r, 2, false);
	assert_int_equal(mem_read(r.mem, GIC_RIG_DIST, 4, &v, dma), MEM_ERROR);
	assert_int_equal(mem_write(r.mem, GIC_RIG_DIST, 4, 0, dma), MEM_ERROR);
	assert_int_equal(mem_read(r.mem, GIC_RIG_CPU + IAR, 4, &v, dma), MEM_ERROR);
	assert_int_equal(mem_write(r.mem, GIC_RIG_CPU + EOIR, 4, 0, pe), MEM_ERROR);
	assert_int_equal(mem_read(r.mem, GIC_RIG_DIST, 4, &v, pe), MEM_ERROR);
	assert_int_equal(mem_read(r.mem, GIC_RIG_CPU + 0x2000, 4, &v, pe), MEM_UNHANDLED);
	gic_rig_drop(&r);
}

static void test_targets(void **state)
{
	uint64_t reg = GIC_RIG_DIST + 0x800;
	struct gic_rig r;

	make(&r, 3, false);
	fresh(&r);
	for (unsigned pe = 0; pe < 3; pe++) {
		gic_write(&r, reg, 4, ~0U, pe, NS);
		assert_int_equal(gic_read(&r, reg, 4, pe, NS), 0x01010101U << pe);
		assert_int_equal(gic_read(&r, reg + 31, 1, pe, NS), 1U << pe);
	}
	gic_write(&r, reg + 40, 4, 0xff020100, 0, NS);
	assert_int_equal(gic_read(&r, reg + 40, 4, 0, NS), 0x07020100);
	assert_int_equal(gic_read(&r, reg + 43, 1, 0, NS), 7);
	/* nobody; then several: all are told, one takes it */
	gic_wire(&r, 0, 40, true);
	gic_wire(&r, 0, 43, true);
	check(&r);
	for (unsigned pe = 0; pe < 3; pe++)
		assert_true(gic_irq(&r, pe));
	assert_int_equal(v2_ack(&r, 1), 43);
	for (unsigned pe = 0; pe < 3; pe++)
		assert_false(gic_irq(&r, pe));
	assert_int_equal(v2_ack(&r, 0), 1023);
	check(&r);
	gic_rig_drop(&r);
	/* one PE: RAZ/WI, everything goes there */
	make(&r, 1, false);
	fresh(&r);
	gic_write(&r, reg + 40, 4, 0x02020202, 0, NS);
	assert_int_equal(gic_read(&r, reg + 40, 4, 0, NS), 0);
	assert_int_equal(gic_read(&r, reg, 4, 0, NS), 0);
	gic_wire(&r, 0, 40, true);
	assert_true(gic_irq(&r, 0));
	gic_rig_drop(&r);
}

/* ---- SGIs ---- */

static void test_sgi_sources(void **state)
{
	struct gic_rig r;

	make(&r, 4, false);
	fresh(&r);
	v2_sgi(&r, 3, 0, 5);
	v2_sgi(&r, 1, 0, 5);
	v2_sgi(&r, 1, 0, 5); /* once per source */
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0xf14, 4, 0, NS), 0x0a00);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0xf25, 1, 0, NS), 0x0a);
	assert_int_equal(icc(&r, 0, HPPIR, NS), 5 | 1 << 10);
	assert_int_equal(v2_ack(&r, 0), 5 | 1 << 10);
	assert_true(gic_get_bit(&r, 0, 5, 0x200, NS)); /* active and pending */
	assert_true(gic_get_bit(&r, 0, 5, 0x300, NS));
	assert_int_equal(v2_ack(&r, 0), 1023);
	v2_eoi(&r, 0, 5 | 1 << 10);
	assert_int_equal(v2_ack(&r, 0), 5 | 3 << 10);
	v2_eoi(&r, 0, 5 | 3 << 10);
	assert_int_equal(v2_ack(&r, 0), 1023);
	/* set and cleared by software */
	gic_write(&r, GIC_RIG_DIST + 0xf26, 1, 0xff, 2, NS);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0xf14, 4, 2, NS), 0x0f0000);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0xf14, 4, 0, NS), 0);
	gic_write(&r, GIC_RIG_DIST + 0xf14, 4, 0x070000, 2, NS);
	assert_int_equal(v2_ack(&r, 2), 6 | 3 << 10);
	gic_write(&r, GIC_RIG_DIST + 0xf16, 1, 0xff, 2, NS);
	v2_eoi(&r, 2, 6 | 3 << 10);
	assert_false(gic_irq(&r, 2));
	gic_rig_drop(&r);
}

static void test_sgi_filters(void **state)
{
	/* GICD_SGIR written by PE 1 of 4, who gets it */
	static const struct {
		uint32_t sgir;
		uint8_t pes;
	} table[] = {
		{0x000f0002, 0xf}, {0x00f00002, 0x0}, {0x00050002, 0x5},
		{0x00000002, 0x0}, {0x01000002, 0xd}, {0x01ff0002, 0xd},
		{0x02000002, 0x2}, {0x02ff0002, 0x2}, {0x03ff0002, 0x0},
	};
	struct gic_rig r;

	make(&r, 4, false);
	for (unsigned n = 0; n < ARRAY_COUNT(table); n++) {
		fresh(&r);
		gic_write(&r, GIC_RIG_DIST + 0xf00, 4, table[n].sgir, 1, NS);
		check(&r);
		for (unsigned pe = 0; pe < 4; pe++)
			assert_int_equal(v2_ack(&r, pe),
					 table[n].pes >> pe & 1 ? 2 | 1 << 10 : 1023);
	}
	gic_rig_drop(&r);
}

/* ---- groups without Security Extensions ---- */

static void test_groups(void **state)
{
	struct gic_rig r;

	make(&r, 1, false);
	fresh(&r);
	gic_write(&r, GIC_RIG_DIST, 4, 3, 0, NS);
	gic_write(&r, gic_reg(&r, 0, 40, 0x080, 1), 4, 1 << 9, 0, NS); /* 41: group 1 */
	set_icc(&r, 0, CTLR, 3, NS);
	gic_wire(&r, 0, 40, true);
	assert_true(gic_irq(&r, 0));
	set_icc(&r, 0, CTLR, 0xb, NS); /* FIQEn */
	assert_true(gic_fiq(&r, 0));
	assert_false(gic_irq(&r, 0));
	assert_int_equal(icc(&r, 0, AHPPIR, NS), 1023);
	assert_int_equal(icc(&r, 0, AIAR, NS), 1023);
	gic_wire(&r, 0, 40, false);
	gic_wire(&r, 0, 41, true);
	assert_true(gic_irq(&r, 0));
	assert_int_equal(icc(&r, 0, HPPIR, NS), 1022);
	assert_int_equal(icc(&r, 0, IAR, NS), 1022);
	assert_int_equal(icc(&r, 0, AHPPIR, NS), 41);
	assert_int_equal(icc(&r, 0, AIAR, NS), 41);
	assert_int_equal(icc(&r, 0, NSAPR0, NS), 1);
	assert_int_equal(icc(&r, 0, APR0, NS), 0);
	set_icc(&r, 0, AEOIR, 41, NS);
	assert_int_equal(icc(&r, 0, NSAPR0, NS), 0);
	set_icc(&r, 0, CTLR, 0xf, NS); /* AckCtl */
	assert_int_equal(icc(&r, 0, HPPIR, NS), 41);
	assert_int_equal(icc(&r, 0, IAR, NS), 41);
	set_icc(&r, 0, EOIR, 41, NS);
	assert_int_equal(icc(&r, 0, RPR, NS), 0xff);
	/* binary points; CBPR */
	set_icc(&r, 0, BPR, 0, NS);
	set_icc(&r, 0, ABPR, 0, NS);
	assert_int_equal(icc(&r, 0, BPR, NS), 2);
	assert_int_equal(icc(&r, 0, ABPR, NS), 3);
	set_icc(&r, 0, ABPR, 7, NS);
	gic_set_prio(&r, 0, 41, 0xb8, NS);
	assert_int_equal(icc(&r, 0, IAR, NS), 41);
	assert_int_equal(icc(&r, 0, RPR, NS), 0x80);
	set_icc(&r, 0, EOIR, 41, NS);
	set_icc(&r, 0, CTLR, 0x1f, NS);
	assert_int_equal(icc(&r, 0, IAR, NS), 41);
	assert_int_equal(icc(&r, 0, RPR, NS), 0xb8);
	check(&r);
	gic_rig_drop(&r);
}

/* ---- Security Extensions ---- */

/* 40 is group 0, 41 group 1; both enabled, interfaces open. */
static void make_secure(struct gic_rig *r, unsigned pes)
{
	make(r, pes, true);
	fresh(r);
	gic_write(r, GIC_RIG_DIST, 4, 3, 0, S);
	gic_write(r, gic_reg(r, 0, 40, 0x080, 1), 4, 1 << 9, 0, S);
	for (unsigned pe = 0; pe < pes; pe++)
		set_icc(r, pe, CTLR, 0xb, S);
	check(r);
}

/* Without firmware Non-secure software gets its interrupts all the same, on every PE; at a reset firmware gets them. */
static void test_hand_over(void **state)
{
	struct gic_rig r;

	make(&r, 2, true);
	for (unsigned handed = 0; handed < 2; handed++) {
		dev_reset(r.dev);
		if (handed)
			r.dev->c->hand_over(r.dev);
		gic_write(&r, GIC_RIG_DIST, 4, 1, 0, NS);
		gic_write(&r, gic_reg(&r, 0, 40, 0x100, 1), 4, 1 << 8, 0, NS);
		gic_write(&r, gic_reg(&r, 0, 40, 0x800, 8), 1, 2, 0, NS);
		for (unsigned pe = 0; pe < 2; pe++) {
			set_icc(&r, pe, CTLR, 1, NS);
			set_icc(&r, pe, PMR, 0xf0, NS);
			gic_write(&r, gic_reg(&r, pe, 27, 0x100, 1), 4, 1 << 27, pe, NS);
		}
		gic_wire(&r, 0, 27, true);
		gic_wire(&r, 1, 40, true);
		assert_int_equal(gic_irq(&r, 0), handed);
		assert_int_equal(gic_irq(&r, 1), handed);
		assert_int_equal(icc(&r, 0, IAR, NS), handed ? 27 : 1023);
		assert_int_equal(icc(&r, 1, IAR, NS), handed ? 40 : 1023);
		assert_int_equal(icc(&r, 0, PMR, NS), handed ? 0xf0 : 0);
	}
	gic_rig_drop(&r);
}

static void test_secure_ack(void **state)
{
	struct gic_rig r;

	make_secure(&r, 1);
	gic_wire(&r, 0, 40, true);
	assert_true(gic_fiq(&r, 0));
	assert_int_equal(icc(&r, 0, HPPIR, NS), 1023);
	assert_int_equal(icc(&r, 0, IAR, NS), 1023);
	assert_int_equal(icc(&r, 0, AIAR, NS), 1023);
	assert_int_equal(icc(&r, 0, AIAR, S), 1023);
	assert_int_equal(icc(&r, 0, IAR, S), 40);
	set_icc(&r, 0, EOIR, 40, NS);
	set_icc(&r, 0, AEOIR, 40, NS);
	set_icc(&r, 0, AEOIR, 40, S);
	assert_true(gic_get_bit(&r, 0, 40, 0x300, S));
	set_icc(&r, 0, EOIR, 40, S);
	assert_false(gic_get_bit(&r, 0, 40, 0x300, S));
	gic_wire(&r, 0, 40, false);
	gic_wire(&r, 0, 41, true);
	assert_true(gic_irq(&r, 0));
	assert_int_equal(icc(&r, 0, IAR, S), 1022);
	assert_int_equal(icc(&r, 0, AIAR, NS), 1023);
	assert_int_equal(icc(&r, 0, IAR, NS), 41);
	set_icc(&r, 0, EOIR, 41, NS);
	assert_int_equal(icc(&r, 0, AIAR, S), 41);
	set_icc(&r, 0, AEOIR, 41, S);
	assert_int_equal(icc(&r, 0, RPR, S), 0xff);
	check(&r);
	gic_rig_drop(&r);
}

static void test_ns_view(void **state)
{
	struct gic_rig r;
	uint64_t reg;

	make_secure(&r, 2);
	gic_wire(&r, 0, 40, true);
	gic_wire(&r, 0, 41, true);
	for (unsigned offset = 0x080; offset < 0x400; offset += 0x80) {
		uint32_t secure, ns;

		reg = gic_reg(&r, 0, 40, offset, 1);
		secure = (uint32_t)gic_read(&r, reg, 4, 0, S);
		ns = (uint32_t)gic_read(&r, reg, 4, 0, NS);
		assert_int_equal(ns, offset == 0x080 ? 0 : secure & 1 << 9);
		if (offset != 0x080 && offset != 0x180)
			continue;
		gic_write(&r, reg, 4, ~0U, 0, NS);
		assert_int_equal(gic_read(&r, reg, 4, 0, S),
				 offset == 0x080 ? 1 << 9 : secure & ~(1U << 9));
	}
	gic_write(&r, GIC_RIG_DIST + 0x828, 4, 0x02020202, 0, NS);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0x828, 4, 0, S), 0x01010201);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0x828, 4, 0, NS), 0x0200);
	gic_write(&r, gic_reg(&r, 0, 40, 0xc00, 2), 4, ~0U, 0, NS);
	assert_int_equal(gic_read(&r, gic_reg(&r, 0, 40, 0xc00, 2), 4, 0, S), 2 << 18);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST, 4, 0, NS), 1);
	gic_write(&r, GIC_RIG_DIST, 4, ~1U, 0, NS);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST, 4, 0, S), 1);
	/* CTLR of the CPU interface: its own bits, moved */
	set_icc(&r, 0, CTLR, ~0U, NS);
	assert_int_equal(icc(&r, 0, CTLR, NS), 0x261);
	assert_int_equal(icc(&r, 0, CTLR, S), 0x58b);
	set_icc(&r, 0, CTLR, ~0U, S);
	assert_int_equal(icc(&r, 0, CTLR, S), 0x7ff);
	set_icc(&r, 0, CTLR, 0, NS);
	assert_int_equal(icc(&r, 0, CTLR, S), 0x27d);
	check(&r);
	gic_rig_drop(&r);
}

static void test_ns_priorities(void **state)
{
	struct gic_rig r;

	make_secure(&r, 1);
	gic_set_prio(&r, 0, 40, 0x40, NS);
	assert_int_equal(gic_get_prio(&r, 0, 40, S), 0);
	gic_set_prio(&r, 0, 41, 0x40, NS);
	assert_int_equal(gic_get_prio(&r, 0, 41, S), 0xa0);
	assert_int_equal(gic_get_prio(&r, 0, 41, NS), 0x40);
	assert_int_equal(icc(&r, 0, PMR, NS), 0xf0);
	set_icc(&r, 0, PMR, 0x40, NS);
	assert_int_equal(icc(&r, 0, PMR, S), 0xa0);
	set_icc(&r, 0, PMR, 0x78, S);
	set_icc(&r, 0, PMR, 0xff, NS);
	assert_int_equal(icc(&r, 0, PMR, S), 0x78);
	assert_int_equal(icc(&r, 0, PMR, NS), 0);
	set_icc(&r, 0, PMR, 0xff, S);
	/* running priority and its bits */
	gic_wire(&r, 0, 41, true);
	assert_int_equal(icc(&r, 0, IAR, NS), 41);
	assert_int_equal(icc(&r, 0, RPR, NS), 0x40);
	assert_int_equal(icc(&r, 0, RPR, S), 0xa0);
	assert_int_equal(icc(&r, 0, APR0, NS), 1 << 4);
	assert_int_equal(icc(&r, 0, NSAPR0, S), 1 << 20);
	assert_int_equal(icc(&r, 0, NSAPR0, NS), 0);
	set_icc(&r, 0, NSAPR0, 0, NS);
	set_icc(&r, 0, APR0, 2, NS);
	assert_int_equal(icc(&r, 0, NSAPR0, S), 1 << 17);
	set_icc(&r, 0, APR0, 1, S);
	assert_int_equal(icc(&r, 0, RPR, NS), 0);
	set_icc(&r, 0, APR0, 0, S);
	set_icc(&r, 0, NSAPR0, 0, S);
	assert_int_equal(icc(&r, 0, RPR, NS), 0xff);
	/* binary points */
	set_icc(&r, 0, BPR, 5, NS);
	assert_int_equal(icc(&r, 0, BPR, NS), 5);
	assert_int_equal(icc(&r, 0, ABPR, S), 5);
	assert_int_equal(icc(&r, 0, ABPR, NS), 0);
	set_icc(&r, 0, ABPR, 7, NS);
	assert_int_equal(icc(&r, 0, BPR, S), 2);
	set_icc(&r, 0, CTLR, 0x1b, S);
	assert_int_equal(icc(&r, 0, BPR, NS), 3);
	set_icc(&r, 0, BPR, 6, NS);
	assert_int_equal(icc(&r, 0, ABPR, S), 5);
	set_icc(&r, 0, BPR, 7, S);
	assert_int_equal(icc(&r, 0, BPR, NS), 7);
	check(&r);
	gic_rig_drop(&r);
}

static void test_secure_sgis(void **state)
{
	/* SGI 0 is group 0, SGI 1 group 1 */
	static const struct {
		bool secure;
		uint32_t nsatt;
		uint8_t raised;
	} table[] = {{true, 0, 1}, {true, 1 << 15, 2}, {false, 0, 2}, {false, 1 << 15, 2}};
	struct gic_rig r;

	make_secure(&r, 2);
	gic_write(&r, GIC_RIG_DIST + 0x080, 4, 2, 1, S);
	for (unsigned n = 0; n < ARRAY_COUNT(table); n++) {
		for (unsigned sgi = 0; sgi < 2; sgi++)
			gic_write(&r, GIC_RIG_DIST + 0xf00, 4, 2 << 16 | sgi | table[n].nsatt, 0,
				  table[n].secure);
		assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0x200, 4, 1, S), table[n].raised);
		gic_write(&r, GIC_RIG_DIST + 0xf10, 4, ~0U, 1, NS);
		assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0x200, 4, 1, S), table[n].raised & 1);
		gic_write(&r, GIC_RIG_DIST + 0xf10, 4, ~0U, 1, S);
		assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0x200, 4, 1, S), 0);
	}
	gic_write(&r, GIC_RIG_DIST + 0xf20, 4, ~0U, 1, NS);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0x200, 4, 1, S), 2);
	check(&r);
	gic_rig_drop(&r);
}

static void test_reset(void **state)
{
	struct gic_rig r;

	make(&r, 2, false);
	fresh(&r);
	v2_sgi(&r, 0, 1, 3);
	gic_wire(&r, 0, 40, true);
	assert_true(gic_irq(&r, 0));
	assert_true(gic_irq(&r, 1));
	dev_reset(r.dev);
	assert_false(gic_irq(&r, 0));
	assert_false(gic_irq(&r, 1));
	check(&r);
	fresh(&r);
	assert_true(gic_irq(&r, 0));
	assert_false(gic_irq(&r, 1));
	/* caches after somebody else has written the state */
	gic_set_prio(&r, 0, 40, 0xf0, NS);
	gic_set_prio(&r, 0, 41, 0x80, NS);
	gic_set_prio(&r, 0, 42, 0x40, NS);
	gic_wire(&r, 0, 41, true);
	gic_wire(&r, 0, 42, true);
	gic_of(&r)->core.irqs.prio[GIC_PE_MAX * 32 + 9] = 0x10;
	gic_of(&r)->targets[8] = 2;
	gic_of(&r)->core.irqs.prio[(GIC_PE_MAX + 0) * 32 + 8] = 0x80;
	r.dev->c->running(r.dev, false);
	r.dev->c->running(r.dev, true);
	check(&r);
	assert_true(gic_irq(&r, 1));
	gic_rig_drop(&r);
}

/* ---- the hammer ---- */

static uint64_t random_dist(struct gic_rig *r, struct gic_rng *g, unsigned pe)
{
	static const uint16_t bits_regs[] = {0x080, 0x100, 0x100, 0x180,
					     0x200, 0x280, 0x300, 0x380};

	uint32_t n = gic_random(g);

	switch (gic_random(g) % 8) {
	case 0:
		return GIC_RIG_DIST + gic_random(g) % 0x1000;
	case 1:
		return GIC_RIG_DIST;
	case 2:
		return gic_reg(r, pe, n % 96, n / 128 % 2 ? 0x400 : 0x800, 8);
	case 3:
		return GIC_RIG_DIST + 0xf00 + gic_random(g) % 0x30;
	case 4:
		return GIC_RIG_DIST + 0xf00;
	default:
		return gic_reg(r, pe, n % 64, bits_regs[n / 64 % ARRAY_COUNT(bits_regs)], 1);
	}
}

static void hammer_mmio(struct gic_rig *r, struct gic_rng *g)
{
	unsigned pe = gic_random(g) % pe_count(r->pes);
	unsigned size = gic_random(g) % 4 ? 4 : 1U << gic_random(g) % 4;
	uint64_t gpa = random_dist(r, g, pe) & ~(uint64_t)(size - 1);
	bool secure = gic_random(g) % 2;

	if (gic_random(g) % 3 == 0)
		gic_read(r, gpa, size, pe, secure);
	else
		gic_write(r, gpa, size, gic_sparse(g), pe, secure);
}

static void hammer_cpuif(struct gic_rig *r, struct gic_rng *g)
{
	static const uint16_t regs[] = {CTLR, PMR,    BPR, RPR,	   HPPIR, ABPR, AEOIR,
					APR0, NSAPR0, DIR, AHPPIR, EOIR,  PMR,	0x30};
	unsigned pe = gic_random(g) % pe_count(r->pes);
	unsigned reg = regs[gic_random(g) % ARRAY_COUNT(regs)];
	bool secure = gic_random(g) % 2, alias = gic_random(g) % 4 == 0;
	struct gic_pe *s = &gic_of(r)->core.pe[pe];
	uint8_t before = gic_running(s);
	uint32_t iar, v = gic_sparse(g);

	if (gic_random(g) % 3 == 0) {
		iar = icc(r, pe, alias ? AIAR : IAR, secure);
		if ((iar & 0x3ff) < 1020) {
			assert_true(gic_running(s) < before);
			assert_true(gic_get_bit(r, pe, iar & 0x3ff, 0x300, true));
			if (gic_random(g) % 4)
				set_icc(r, pe, alias ? AEOIR : EOIR, iar, secure);
		}
	}
	if (reg == CTLR || reg == PMR)
		v |= gic_random(g) % 4 ? 0xf3 : 0;
	if (reg == APR0 || reg == NSAPR0)
		v = gic_random(g) % 2 ? 0 : v;
	if (reg == DIR)
		v = gic_random(g) % 300;
	if (gic_random(g) % 2)
		icc(r, pe, reg, secure);
	else
		set_icc(r, pe, reg, v, secure);
}

static void hammer(unsigned pes, bool security, uint64_t seed)
{
	struct gic_rng g = {seed};
	struct gic_rig r;

	make(&r, pes, security);
	fresh(&r);
	for (unsigned n = 0; n < 4000; n++) {
		uint32_t dice = gic_random(&g) % 64;

		if (dice < 20)
			hammer_mmio(&r, &g);
		else if (dice < 40)
			hammer_cpuif(&r, &g);
		else
			gic_random_wire(&r, &g);
		if (gic_random(&g) % 256 == 0)
			gic_write(&r, GIC_RIG_DIST, 4, 3, 0, true);
		if (gic_random(&g) % 2048 == 0)
			dev_reset(r.dev);
		check(&r);
	}
	gic_rig_drop(&r);
}

static void test_hammer(void **state)
{
	hammer(1, false, 1);
	hammer(8, false, 2);
	hammer(2, true, 3);
	hammer(4, true, 4);
	hammer(1, true, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenarios),   cmocka_unit_test(test_identification),
		cmocka_unit_test(test_reserved),    cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_targets),	    cmocka_unit_test(test_sgi_sources),
		cmocka_unit_test(test_sgi_filters), cmocka_unit_test(test_groups),
		cmocka_unit_test(test_hand_over),   cmocka_unit_test(test_secure_ack),
		cmocka_unit_test(test_ns_view),	    cmocka_unit_test(test_ns_priorities),
		cmocka_unit_test(test_secure_sgis), cmocka_unit_test(test_reset),
		cmocka_unit_test(test_hammer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
