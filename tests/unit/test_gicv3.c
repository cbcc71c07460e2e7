// SPDX-License-Identifier: Apache-2.0
/* GICv3 with one Security state: scenarios, registers, SGIs, routing. */
#include "gicv3_rig.h"

#include "arm/sysreg.h"
#include "dev/dt.h"
#include "util/bits.h"
#include "util/err.h"

#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

extern const struct component gicv3_component;

/* ---- scenarios with one Security state ---- */

static uint32_t v3_ack(struct gic_rig *r, unsigned pe)
{
	return (uint32_t)gicv3_icc(r, pe, NS_EL1, SYS_ICC_IAR1_EL1);
}

static void v3_eoi(struct gic_rig *r, unsigned pe, uint32_t intid)
{
	gicv3_set_icc(r, pe, NS_EL1, SYS_ICC_EOIR1_EL1, intid);
	gicv3_check(r);
}

static void v3_dir(struct gic_rig *r, unsigned pe, uint32_t intid)
{
	gicv3_set_icc(r, pe, NS_EL1, SYS_ICC_DIR_EL1, intid);
	gicv3_check(r);
}

static void v3_split(struct gic_rig *r, unsigned pe, bool on)
{
	gicv3_set_icc(r, pe, NS_EL1, SYS_ICC_CTLR_EL1, on ? 2 : 0);
}

static void v3_pmr(struct gic_rig *r, unsigned pe, uint8_t pmr)
{
	gicv3_set_icc(r, pe, NS_EL1, SYS_ICC_PMR_EL1, pmr);
}

static void v3_bpr(struct gic_rig *r, unsigned pe, uint8_t bpr)
{
	gicv3_set_icc(r, pe, NS_EL1, SYS_ICC_BPR1_EL1, bpr + 1U);
}

static uint32_t v3_rpr(struct gic_rig *r, unsigned pe)
{
	return (uint32_t)gicv3_icc(r, pe, NS_EL1, SYS_ICC_RPR_EL1);
}

static uint32_t v3_hppi(struct gic_rig *r, unsigned pe)
{
	return (uint32_t)gicv3_icc(r, pe, NS_EL1, SYS_ICC_HPPIR1_EL1);
}

static void v3_route(struct gic_rig *r, unsigned intid, unsigned pe)
{
	gic_write(r, GIC_RIG_DIST + 0x6000 + intid * 8, 8, pe, 0, false);
}

static void v3_sgi(struct gic_rig *r, unsigned from, unsigned to, unsigned intid)
{
	gicv3_set_icc(r, from, NS_EL1, SYS_ICC_SGI1R_EL1, (uint64_t)intid << 24 | 1ULL << to);
}

static const struct gic_cpuif_ops v3_ops = {v3_ack, v3_eoi, v3_dir,  v3_split, v3_pmr,
					    v3_bpr, v3_rpr, v3_hppi, v3_route, v3_sgi};

static void test_scenarios(void **state)
{
	for (unsigned pes = 1; pes <= 8; pes++) {
		struct gic_rig r;

		gicv3_make(&r, pes, 1, false);
		gic_play_scenarios(&r, &v3_ops, gicv3_fresh);
		gicv3_check(&r);
		gic_rig_drop(&r);
	}
}

/* ---- registers ---- */

static void test_identification(void **state)
{
	static const char *const most[] = {"spis=960", NULL};
	struct gic_rig r;

	gicv3_make(&r, 3, 1, false);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 4, 4, 0, false), 8 | 9 << 19 | 1 << 24);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 8, 4, 0, false), 0x43b);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST, 4, 0, false), 0x50);
	for (unsigned pe = 0; pe < 3; pe++) {
		uint64_t rd = GIC_RIG_REDIST + pe * 0x20000;

		assert_int_equal(gic_read(&r, rd + 8, 8, 0, false),
				 (uint64_t)pe << 32 | pe << 8 | (pe == 2) << 4);
		assert_int_equal(gic_read(&r, rd + 12, 4, 0, false), pe);
		assert_int_equal(gic_read(&r, rd + 0xffe8, 4, 0, false), 0x3b);
		assert_int_equal(gic_read(&r, rd + 0xffe0, 4, 0, false), 0x93);
		assert_int_equal(gic_read(&r, rd + 0x14, 4, 0, false), 6);
		gic_write(&r, rd + 0x14, 4, 0, 0, false);
		assert_int_equal(gic_read(&r, rd + 0x14, 4, 0, false), 0);
		gic_write(&r, rd + 0x14, 4, 2, 0, false);
		assert_int_equal(gic_read(&r, rd + 0x14, 4, 0, false), 6);
	}
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0xffe0, 4, 0, false), 0x92);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0xffe8, 4, 0, false), 0x3b);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0xfffc, 4, 0, false), 0xb1);
	gic_rig_drop(&r);
	gic_rig_make(&r, &gicv3_component, 1, 3, most);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 4, 4, 0, false) & 0x1f, 30);
	assert_int_equal(gicv3_icc(&r, 0, EL3, SYS_ICC_SRE_EL3), 0xf);
	assert_int_equal(gicv3_icc(&r, 0, EL3_NS, SYS_ICC_SRE_EL2), 0xf);
	assert_int_equal(gicv3_icc(&r, 0, EL3, SYS_ICC_SRE_EL1), 7);
	gic_rig_drop(&r);
}

/* Beyond the implemented SPIs, reserved places, odd sizes: zero, no effect. */
static void test_reserved(void **state)
{
	static const uint16_t offsets[] = {0x0a4, 0x124, 0x1a4,	 0x224,	 0x2a4,	 0x324,	 0x3a4,
					   0x520, 0x800, 0x820,	 0xc48,	 0xd24,	 0xe48,	 0xf00,
					   0xf10, 0xf20, 0x6000, 0x60f8, 0x6900, 0x7ff8, 0x30};
	struct gic_rig r;

	gicv3_make(&r, 1, 1, false);
	gicv3_fresh(&r);
	for (unsigned n = 0; n < ARRAY_COUNT(offsets); n++) {
		gic_write(&r, GIC_RIG_DIST + offsets[n], 4, ~0U, 0, false);
		assert_int_equal(gic_read(&r, GIC_RIG_DIST + offsets[n], 4, 0, false), 0);
	}
	gic_write(&r, GIC_RIG_DIST + 0x100, 4, ~0U, 0, false);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0x100, 4, 0, false), 0);
	gic_write(&r, GIC_RIG_DIST + 0x104, 2, 0, 0, false);
	gic_write(&r, GIC_RIG_DIST + 0x180, 8, ~0ULL, 0, false);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0x104, 4, 0, false), ~0U);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0x104, 1, 0, false), 0);
	gic_write(&r, GIC_RIG_REDIST + 0x10c00, 4, 0, 0, false);
	assert_int_equal(gic_read(&r, GIC_RIG_REDIST + 0x10c00, 4, 0, false), 0xaaaaaaaa);
	gicv3_check(&r);
	gic_rig_drop(&r);
}

static void test_undefined(void **state)
{
	struct pe_access el1 = {.el = 1}, el2 = {.el = 2}, stranger = {.pe = 7, .el = 1};
	struct gic_rig r;
	uint64_t v;

	gicv3_make(&r, 2, 1, false);
	assert_false(gic_pes_mrs(r.pes, &el1, SYS_ICC_EOIR1_EL1, &v));
	assert_false(gic_pes_mrs(r.pes, &el1, SYS_ICC_SGI1R_EL1, &v));
	assert_false(gic_pes_msr(r.pes, &el1, SYS_ICC_IAR1_EL1, 0));
	assert_false(gic_pes_msr(r.pes, &el1, SYS_ICC_RPR_EL1, 0));
	assert_false(gic_pes_mrs(r.pes, &el1, SYS_ICC_SRE_EL2, &v));
	assert_false(gic_pes_mrs(r.pes, &el2, SYS_ICC_CTLR_EL3, &v));
	assert_false(gic_pes_mrs(r.pes, &el2, SYS_ICC_SRE_EL3, &v));
	assert_false(gic_pes_msr(r.pes, &el2, SYS_ICC_IGRPEN1_EL3, 0));
	assert_false(gic_pes_mrs(r.pes, &el1, SYS_ICC_AP1R1_EL1, &v));
	assert_false(gic_pes_mrs(r.pes, &stranger, SYS_ICC_PMR_EL1, &v));
	gic_rig_drop(&r);
}

static void test_ctlr_and_bpr(void **state)
{
	struct gic_rig r;

	gicv3_make(&r, 1, 1, false);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_CTLR_EL1), 4 << 8 | 1 << 15);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_BPR0_EL1), 2);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_BPR1_EL1), 3);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_BPR0_EL1, 0);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_BPR1_EL1, 0);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_BPR0_EL1), 2);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_BPR1_EL1), 3);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_BPR1_EL1, ~0ULL);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_BPR1_EL1), 7);
	/* CBPR: BPR1 shows BPR0 + 1 and cannot be written. */
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_CTLR_EL1, ~0ULL);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_CTLR_EL1), 3 | 4 << 8 | 1 << 15);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_BPR1_EL1, 6);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_BPR1_EL1), 3);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_BPR0_EL1, 7);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_BPR1_EL1), 7);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_CTLR_EL1, 0);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_BPR1_EL1), 7);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_AP1R0_EL1, 0x100);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_RPR_EL1), 0x40);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_AP1R0_EL1), 0x100);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_AP0R0_EL1), 0);
	gic_rig_drop(&r);
}

/* One Security state: group 0 is FIQ, group 1 is IRQ; each is acknowledged with its own register. */
static void test_groups(void **state)
{
	struct gic_rig r;

	gicv3_make(&r, 1, 1, false);
	gicv3_fresh(&r);
	gic_write(&r, GIC_RIG_DIST, 4, 3, 0, false);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_IGRPEN0_EL1, 1);
	gic_wire(&r, 0, 40, true);
	gic_write(&r, gic_reg(&r, 0, 40, 0x080, 1), 4, ~0U ^ 0x100, 0, false);
	assert_true(gic_fiq(&r, 0));
	assert_false(gic_irq(&r, 0));
	gicv3_check(&r);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_IAR1_EL1), 1023);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_HPPIR1_EL1), 1023);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_HPPIR0_EL1), 40);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_IAR0_EL1), 40);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_EOIR1_EL1, 40); /* the wrong one: nothing */
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_RPR_EL1), 0);
	gic_wire(&r, 0, 40, false);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_EOIR0_EL1, 40);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_RPR_EL1), 0xff);
	/* A closed group does not hide the other one. */
	gic_set_prio(&r, 0, 41, 0x10, false);
	gic_wire(&r, 0, 40, true);
	gic_wire(&r, 0, 41, true);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_HPPIR0_EL1), 40);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_IGRPEN0_EL1, 0);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_HPPIR1_EL1), 41);
	gic_write(&r, GIC_RIG_DIST, 4, 1, 0, false);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_HPPIR1_EL1), 1023);
	gicv3_check(&r);
	gic_rig_drop(&r);
}

static void test_reset(void **state)
{
	struct gic_rig r;

	gicv3_make(&r, 2, 1, false);
	gicv3_fresh(&r);
	gic_wire(&r, 1, 27, true);
	assert_true(gic_irq(&r, 1));
	dev_reset(r.dev);
	assert_false(gic_irq(&r, 1));
	assert_false(gic_get_bit(&r, 1, 27, 0x100, false));
	assert_true(gic_get_bit(&r, 1, 27, 0x200, false)); /* the wire is still high */
	gicv3_fresh(&r);
	assert_true(gic_irq(&r, 1));
	gic_rig_drop(&r);
}

/* The caches are rebuilt when somebody else has written the state. */
static void test_restored(void **state)
{
	struct gic_rig r;

	gicv3_make(&r, 2, 1, false);
	gicv3_fresh(&r);
	gic_set_prio(&r, 0, 41, 0x80, false);
	gic_set_prio(&r, 0, 42, 0x40, false);
	gic_wire(&r, 0, 41, true);
	gic_wire(&r, 0, 42, true);
	gicv3_of(r.dev)->core.irqs.latch[gic_row(0, 1)] = 0x100;
	gicv3_of(r.dev)->irouter[8] = 1;
	gicv3_of(r.dev)->core.irqs.prio[gic_row(0, 1) * 32 + 9] = 0;
	r.dev->c->running(r.dev, false);
	assert_int_equal(v3_hppi(&r, 0), 42);
	assert_false(gic_irq(&r, 1));
	r.dev->c->running(r.dev, true);
	gicv3_check(&r);
	assert_int_equal(v3_hppi(&r, 0), 41);
	assert_true(gic_irq(&r, 1));
	gic_rig_drop(&r);
}

/* The lines are driven only when they change. */
static void test_line_changes(void **state)
{
	struct gic_rig r;
	unsigned before;

	gicv3_make(&r, 2, 1, false);
	assert_int_equal(gic_pes_id_field(r.pes, SYS_ID_AA64PFR0_EL1, 27, 24), 1);
	gicv3_fresh(&r);
	before = gic_pes_line_changes(r.pes);
	gic_wire(&r, 0, 40, true);
	gic_wire(&r, 0, 41, true);
	gic_wire(&r, 0, 41, false);
	gic_set_prio(&r, 0, 40, 0x80, false);
	v3_pmr(&r, 0, 0xf8);
	v3_hppi(&r, 0);
	assert_int_equal(gic_pes_line_changes(r.pes), before + 1);
	assert_int_equal(v3_ack(&r, 0), 40);
	assert_int_equal(gic_pes_line_changes(r.pes), before + 2);
	gic_wire(&r, 0, 40, false);
	v3_eoi(&r, 0, 40);
	assert_int_equal(gic_pes_line_changes(r.pes), before + 2);
	gic_rig_drop(&r);
}

/* ---- SGIs and routing ---- */

static void test_sgi_targets(void **state)
{
	struct gic_rig r;

	gicv3_make(&r, 8, 1, false);
	gicv3_fresh(&r);
	gicv3_set_icc(&r, 2, NS_EL1, SYS_ICC_SGI1R_EL1, 7ULL << 24 | 0xffa5);
	for (unsigned pe = 0; pe < 8; pe++)
		assert_int_equal(v3_ack(&r, pe), 0xa5 >> pe & 1 ? 7 : 1023);
	for (unsigned pe = 0; pe < 8; pe++)
		if (0xa5 >> pe & 1)
			v3_eoi(&r, pe, 7);
	/* everyone else, whatever the list says */
	gicv3_set_icc(&r, 2, NS_EL1, SYS_ICC_SGI1R_EL1, 1ULL << 40 | 15ULL << 24);
	for (unsigned pe = 0; pe < 8; pe++)
		assert_int_equal(gic_irq(&r, pe), pe != 2);
	for (unsigned pe = 0; pe < 8; pe++)
		assert_int_equal(v3_ack(&r, pe), pe == 2 ? 1023 : 15);
	for (unsigned pe = 0; pe < 8; pe++)
		v3_eoi(&r, pe, 15);
	/* other clusters and the upper ranges of Aff0 are not there */
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_SGI1R_EL1, 1ULL << 16 | 0xff);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_SGI1R_EL1, 1ULL << 32 | 0xff);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_SGI1R_EL1, 1ULL << 48 | 0xff);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_SGI1R_EL1, 1ULL << 44 | 0xff);
	for (unsigned pe = 0; pe < 8; pe++)
		assert_false(gic_irq(&r, pe));
	/* a group 1 request does not raise a group 0 SGI, and the reverse */
	gic_write(&r, gic_reg(&r, 3, 0, 0x080, 1), 4, 0xfffffffe, 3, false);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_SGI1R_EL1, 1 << 3);
	assert_false(gic_get_bit(&r, 3, 0, 0x200, false));
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_SGI0R_EL1, 3 << 3);
	assert_true(gic_get_bit(&r, 3, 0, 0x200, false));
	assert_false(gic_get_bit(&r, 4, 0, 0x200, false));
	gicv3_check(&r);
	gic_rig_drop(&r);
}

static void test_irouter(void **state)
{
	uint64_t reg = GIC_RIG_DIST + 0x6000 + 40 * 8;
	struct gic_rig r;

	gicv3_make(&r, 4, 1, false);
	gicv3_fresh(&r);
	gic_wire(&r, 0, 40, true);
	gic_write(&r, reg, 8, ~0ULL, 0, false);
	assert_true(gic_read(&r, reg, 8, 0, false) == 0xff80ffffffULL);
	gic_write(&r, reg, 8, 0, 0, false);
	gic_write(&r, reg, 4, 3, 0, false);
	assert_true(gic_irq(&r, 3));
	gic_write(&r, reg + 4, 4, 1, 0, false); /* Aff3 = 1: nobody */
	assert_int_equal(gic_read(&r, reg + 4, 4, 0, false), 1);
	assert_true(gic_read(&r, reg, 8, 0, false) == 0x100000003ULL);
	assert_false(gic_irq(&r, 3));
	gicv3_check(&r);
	gic_write(&r, reg + 4, 4, 0, 0, false);
	assert_true(gic_irq(&r, 3));
	gic_rig_drop(&r);
}

static unsigned irq_set_of(const struct gic_rig *r)
{
	unsigned s = 0;

	for (unsigned pe = 0; pe < pe_count(r->pes); pe++)
		s |= (unsigned)gic_irq(r, pe) << pe;
	return s;
}

/* 1 of N: one PE gets it, and one that is free. */
static void test_1ofn(void **state)
{
	struct gic_rig r;

	gicv3_make(&r, 3, 1, false);
	gicv3_fresh(&r);
	for (unsigned n = 40; n < 43; n++)
		gic_write(&r, GIC_RIG_DIST + 0x6000 + n * 8, 8, 1ULL << 31, 0, false);
	gic_wire(&r, 0, 40, true);
	assert_int_equal(irq_set_of(&r), 1);
	assert_int_equal(v3_ack(&r, 1), 1023);
	assert_int_equal(v3_ack(&r, 0), 40);
	gic_wire(&r, 0, 41, true);
	assert_int_equal(irq_set_of(&r), 2);
	/* the PE closes its group before it takes it */
	gicv3_set_icc(&r, 1, NS_EL1, SYS_ICC_IGRPEN1_EL1, 0);
	assert_int_equal(irq_set_of(&r), 4);
	gicv3_check(&r);
	assert_int_equal(v3_ack(&r, 2), 41);
	gicv3_set_icc(&r, 2, NS_EL1, SYS_ICC_IGRPEN1_EL1, 0);
	v3_eoi(&r, 2, 41); /* high still: moves on to PE 0, which is busy */
	gicv3_check(&r);
	assert_int_equal(irq_set_of(&r), 0);
	gic_wire(&r, 0, 40, false);
	v3_eoi(&r, 0, 40);
	assert_int_equal(irq_set_of(&r), 1);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_IGRPEN1_EL1, 0);
	assert_int_equal(irq_set_of(&r), 0);
	gicv3_check(&r);
	gicv3_set_icc(&r, 1, NS_EL1, SYS_ICC_IGRPEN1_EL1, 1);
	assert_int_equal(irq_set_of(&r), 2);
	gicv3_check(&r);
	/* one that was PE 1's alone and is pending there becomes 1 of N */
	gic_write(&r, GIC_RIG_DIST + 0x6000 + 50 * 8, 8, 1, 0, false);
	gic_set_prio(&r, 0, 41, 0xf0, false);
	gic_wire(&r, 0, 50, true);
	gic_write(&r, GIC_RIG_DIST + 0x6000 + 50 * 8, 8, 1ULL << 31, 0, false);
	gicv3_check(&r);
	assert_int_equal(v3_ack(&r, 1), 50);
	gic_rig_drop(&r);
}

static void test_messages(void **state)
{
	struct gic_rig r;

	gicv3_make(&r, 1, 1, false);
	gicv3_fresh(&r);
	gic_set_edge(&r, 0, 40, true);
	gic_write(&r, GIC_RIG_DIST + 0x40, 4, 40, 0, false);
	assert_int_equal(v3_ack(&r, 0), 40);
	v3_eoi(&r, 0, 40);
	assert_false(gic_irq(&r, 0));
	gic_write(&r, GIC_RIG_DIST + 0x40, 2, 40, 0, false);
	assert_true(gic_irq(&r, 0));
	gic_write(&r, GIC_RIG_DIST + 0x48, 4, 40, 0, false);
	assert_false(gic_irq(&r, 0));
	/* a level stays until it is cleared */
	gic_write(&r, GIC_RIG_DIST + 0x40, 4, 41, 0, false);
	assert_int_equal(v3_ack(&r, 0), 41);
	v3_eoi(&r, 0, 41);
	assert_true(gic_irq(&r, 0));
	gic_write(&r, GIC_RIG_DIST + 0x48, 4, 41, 0, false);
	assert_false(gic_irq(&r, 0));
	/* the Secure ones are not there, nor are these INTIDs */
	gic_write(&r, GIC_RIG_DIST + 0x50, 4, 40, 0, true);
	gic_write(&r, GIC_RIG_DIST + 0x40, 4, 27, 0, false);
	gic_write(&r, GIC_RIG_DIST + 0x40, 4, 288, 0, false);
	gic_write(&r, GIC_RIG_DIST + 0x40, 4, ~0U, 0, false);
	assert_false(gic_irq(&r, 0));
	gicv3_check(&r);
	gic_rig_drop(&r);
}

/* ---- device tree ---- */

static void test_dt(void **state)
{
	struct irq spi = {.kind = "spi", .number = 1, .dt_flags = IRQ_TYPE_LEVEL_HIGH};
	struct irq ppi = {.kind = "ppi", .number = 11, .dt_flags = IRQ_TYPE_EDGE_RISING};
	uint32_t reg[8] = {0, 0x08000000, 0, 0x10000, 0, 0x080a0000, 0, 0x60000};
	const struct dev_irq_in *in;
	uint32_t cells[4];
	struct gic_rig r;
	char fdt[4096];
	struct dt dt = {.fdt = fdt};
	const fdt32_t *got;
	int len;

	gicv3_make(&r, 3, 1, false);
	r.dev->phandle = 7;
	assert_int_equal(fdt_create_empty_tree(fdt, sizeof(fdt)), 0);
	assert_int_equal(r.dev->c->dt(r.dev, &dt), 0);
	assert_int_equal(fdt_node_offset_by_phandle(fdt, 7), fdt_path_offset(fdt, "/intc@8000000"));
	got = fdt_getprop(fdt, fdt_path_offset(fdt, "/intc@8000000"), "reg", &len);
	assert_int_equal(len, sizeof(reg));
	for (unsigned n = 0; n < ARRAY_COUNT(reg); n++)
		assert_int_equal(fdt32_to_cpu(got[n]), reg[n]);
	in = r.dev->c->irq_in;
	assert_int_equal(in->dt_cells(r.dev, &spi, cells), 3);
	assert_true(cells[0] == 0 && cells[1] == 1 && cells[2] == 4);
	assert_int_equal(in->dt_cells(r.dev, &ppi, cells), 3);
	assert_true(cells[0] == 1 && cells[1] == 11 && cells[2] == 1);
	gic_rig_drop(&r);
}

/* ---- bad configuration ---- */

static void refuse(unsigned pes, const char *spis)
{
	struct dev_host host = {.pes = pes ? gic_pes_create(pes, 1) : NULL};
	struct dev *d = dev_create(&gicv3_component, "gic", "test:1", &host);
	struct err e = ERR_INIT;

	assert_int_equal(dev_defaults(d, NULL), 0);
	assert_int_equal(dev_set(d, component_prop(d->c, "spis"), spis, "test:1", &e), 0);
	assert_true(dev_init(d, &e) < 0);
	assert_true(err_any(&e));
	err_free(&e);
	dev_destroy(d);
	if (pes)
		gic_pes_destroy(host.pes);
}

static void test_refused(void **state)
{
	refuse(0, "256");
	refuse(9, "256");
	refuse(1, "40");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenarios),    cmocka_unit_test(test_identification),
		cmocka_unit_test(test_reserved),     cmocka_unit_test(test_undefined),
		cmocka_unit_test(test_ctlr_and_bpr), cmocka_unit_test(test_groups),
		cmocka_unit_test(test_reset),	     cmocka_unit_test(test_restored),
		cmocka_unit_test(test_line_changes), cmocka_unit_test(test_sgi_targets),
		cmocka_unit_test(test_irouter),	     cmocka_unit_test(test_1ofn),
		cmocka_unit_test(test_messages),     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_dt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
