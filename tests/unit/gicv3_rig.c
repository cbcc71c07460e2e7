// SPDX-License-Identifier: Apache-2.0
#include "gicv3_rig.h"

#include "arm/sysreg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

extern const struct component gicv3_component;

struct pe_access gicv3_access(unsigned pe, unsigned world)
{
	uint64_t scr = (world & 4 ? 0 : 1) | (world & FIQ_TO_EL3 ? 4 : 0) |
		       (world & IRQ_TO_EL3 ? 2 : 0);

	return (struct pe_access){.pe = pe, .el = world & 3, .secure = world & 4, .scr_el3 = scr};
}

uint64_t gicv3_icc(struct gic_rig *r, unsigned pe, unsigned world, uint16_t sysreg)
{
	struct pe_access a = gicv3_access(pe, world);
	uint64_t v = 0;

	assert_true(gic_pes_mrs(r->pes, &a, sysreg, &v));
	return v;
}

void gicv3_set_icc(struct gic_rig *r, unsigned pe, unsigned world, uint16_t sysreg, uint64_t v)
{
	struct pe_access a = gicv3_access(pe, world);

	assert_true(gic_pes_msr(r->pes, &a, sysreg, v));
}

void gicv3_make(struct gic_rig *r, unsigned pes, unsigned highest_el, bool security)
{
	static const char *const two[] = {"security=true", NULL};

	gic_rig_make(r, &gicv3_component, pes, highest_el, security ? two : NULL);
}

/* As Linux sets it up: everything in group 1 and enabled. */
void gicv3_fresh(struct gic_rig *r)
{
	dev_reset(r->dev);
	gic_write(r, GIC_RIG_DIST, 4, 2, 0, false);
	for (unsigned w = 1; w < 9; w++) {
		gic_write(r, gic_reg(r, 0, w * 32, 0x080, 1), 4, ~0U, 0, false);
		gic_write(r, gic_reg(r, 0, w * 32, 0x100, 1), 4, ~0U, 0, false);
	}
	for (unsigned pe = 0; pe < pe_count(r->pes); pe++) {
		gic_write(r, gic_reg(r, pe, 0, 0x080, 1), 4, ~0U, pe, false);
		gic_write(r, gic_reg(r, pe, 0, 0x100, 1), 4, ~0U, pe, false);
		gicv3_set_icc(r, pe, NS_EL1, SYS_ICC_PMR_EL1, 0xff);
		gicv3_set_icc(r, pe, NS_EL1, SYS_ICC_IGRPEN1_EL1, 1);
	}
}

/* SPI 40 is group 0, 41 group 1 Secure, 42 group 1 Non-secure; all enabled and open. */
void gicv3_make_secure(struct gic_rig *r, unsigned pes)
{
	gicv3_make(r, pes, 3, true);
	gic_write(r, GIC_RIG_DIST, 4, 7, 0, true);
	gic_write(r, gic_reg(r, 0, 40, 0x080, 1), 4, 1 << 10, 0, true);
	gic_write(r, gic_reg(r, 0, 40, 0xd00, 1), 4, 1 << 9, 0, true);
	gic_write(r, gic_reg(r, 0, 40, 0x100, 1), 4, 7 << 8, 0, true);
	for (unsigned pe = 0; pe < pes; pe++) {
		gicv3_set_icc(r, pe, EL3, SYS_ICC_PMR_EL1, 0xff);
		gicv3_set_icc(r, pe, EL3, SYS_ICC_IGRPEN0_EL1, 1);
		gicv3_set_icc(r, pe, EL3, SYS_ICC_IGRPEN1_EL3, 3);
	}
}

/* ---- the oracle ---- */

static bool routed(const struct gicv3 *g, unsigned pe, unsigned intid, unsigned group)
{
	uint64_t to;
	unsigned here = 0, open = 0;

	if (intid < 32)
		return true;
	to = g->irouter[intid - 32];
	if (!(to & GICD_IROUTER_IRM))
		return g->pe[pe].affinity == to;
	/* 1 of N: the model's choice, if it is a possible one. */
	for (unsigned p = 0; p < g->core.pe_count; p++) {
		bool can = g->core.pe[p].groups & group;

		open += can;
		here += can && g->core.pe[p].route[intid / 32] >> intid % 32 & 1;
	}
	assert_int_equal(here, open ? 1 : 0);
	return g->core.pe[pe].route[intid / 32] >> intid % 32 & 1;
}

static bool candidate(const struct gicv3 *g, unsigned pe, unsigned intid)
{
	unsigned row = intid < 32 ? pe : GIC_PE_MAX + intid / 32 - 1;
	uint32_t b = 1U << intid % 32;
	const struct gic_irqs *i = &g->core.irqs;
	bool pending = (i->latch[row] & b) || ((i->level[row] & b) && !(i->edge[row] & b));
	bool ds = g->ctlr & 0x40;
	unsigned grp;

	if (!pending || !(i->enable[row] & b) || (i->active[row] & b))
		return false;
	if (i->group[row] & b)
		grp = GIC_G1NS;
	else
		grp = !ds && (i->grpmod[row] & b) ? GIC_G1S : GIC_G0;
	if (!g->pe[pe].grpen[grp] || !(g->ctlr & (grp == GIC_G0 ? 1 : grp == GIC_G1NS ? 2 : 4)))
		return false;
	return routed(g, pe, intid, 1U << grp);
}

static int line_of_group(const struct gicv3 *g, unsigned grp)
{
	bool two = !(g->ctlr & 0x40);

	if (grp == GIC_G0)
		return HV_FIQ;
	if (grp == GIC_G1S && two)
		return g->el3 ? HV_G1S : HV_FIQ;
	return two && g->el3 ? HV_G1NS : HV_IRQ;
}

static void check_lines(struct gic_rig *r, unsigned pe, unsigned best, unsigned prio)
{
	struct gicv3 *g = gicv3_of(r->dev);
	const struct gicv3_pe *p = &g->pe[pe];
	int line = -1;

	if (best != 1023) {
		unsigned grp = gic_group_of(&g->core, pe, best);
		unsigned bpr = p->bpr[grp] - (grp == GIC_G1NS);
		unsigned run = 0xff;

		if ((grp == GIC_G1S && p->ctlr[GICV3_S] & 1) ||
		    (grp == GIC_G1NS && p->ctlr[GICV3_NS] & 1))
			bpr = p->bpr[GIC_G0];
		for (int n = 31; n >= 0; n--)
			for (unsigned k = 0; k < 3; k++)
				if (g->core.pe[pe].apr[k] >> n & 1)
					run = (unsigned)n * 8;
		if (prio < p->pmr && (run == 0xff || prio >> (bpr + 1) < run >> (bpr + 1)))
			line = line_of_group(g, grp);
	}
	for (int l = 0; l < HV_VIRQ; l++)
		assert_int_equal(gic_pes_line(r->pes, pe, (enum hv_line)l), l == line);
}

void gicv3_check(struct gic_rig *r)
{
	struct gicv3 *g = gicv3_of(r->dev);

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
