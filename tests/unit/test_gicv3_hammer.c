// SPDX-License-Identifier: Apache-2.0
/* GICv3: random accesses and wires, compared with the oracle after each. */
#include "gicv3_rig.h"

#include "arm/sysreg.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void hammer_mmio(struct gic_rig *r, struct gic_rng *g)
{
	static const uint16_t common[] = {0x080, 0x100, 0x100, 0x180, 0x200, 0x280,
					  0x300, 0x380, 0x400, 0xc00, 0xd00, 0xe00};
	unsigned pes = pe_count(r->pes), pe = gic_random(g) % pes;
	unsigned size = 1U << gic_random(g) % 4;
	bool secure = gic_random(g) % 2;
	uint32_t n = gic_random(g);
	uint64_t gpa;

	switch (gic_random(g) % 8) {
	case 0:
		gpa = GIC_RIG_DIST + gic_random(g) % 0x10000;
		break;
	case 1:
		gpa = GIC_RIG_REDIST + gic_random(g) % (pes * 0x20000);
		break;
	case 2:
		gpa = GIC_RIG_DIST + 0x6000 + gic_random(g) % 288 * 8;
		size = 8;
		break;
	case 3:
		gpa = GIC_RIG_DIST + gic_random(g) % 2 * 0x40;
		size = 4;
		break;
	case 4:
		gpa = gic_reg(r, pe, gic_random(g) % 288, 0x400, 8);
		break;
	default:
		gpa = gic_reg(r, pe, n % 64, common[n / 64 % ARRAY_COUNT(common)], 1);
		size = 4;
		break;
	}
	gpa &= ~(uint64_t)(size - 1);
	if (gic_random(g) % 3 == 0)
		gic_read(r, gpa, size, pe, secure);
	else if (size == 8)
		gic_write(r, gpa, 8, gic_random(g) % 4 ? gic_random(g) % 9 : 1ULL << 31, pe,
			  secure);
	else
		gic_write(r, gpa, size, gic_sparse(g) >> (32 - 8 * size), pe, secure);
}

/* What IAR gave is active and runs; what EOIR ended is gone. */
static void hammer_ack(struct gic_rig *r, struct gic_rng *g, struct pe_access *a)
{
	uint16_t iar = gic_random(g) % 2 ? SYS_ICC_IAR1_EL1 : SYS_ICC_IAR0_EL1;
	struct gic_pe *s = &gicv3_of(r->dev)->core.pe[a->pe];
	uint8_t before = gic_running(s);
	uint64_t intid;

	assert_true(gic_pes_mrs(r->pes, a, iar, &intid));
	if (intid >= 1020)
		return;
	assert_true(gic_running(s) < before);
	assert_true(gic_get_bit(r, a->pe, (unsigned)intid, 0x300, true));
	if (gic_random(g) % 4)
		gic_pes_msr(r->pes, a,
			    iar == SYS_ICC_IAR0_EL1 ? SYS_ICC_EOIR0_EL1 : SYS_ICC_EOIR1_EL1, intid);
}

static void hammer_sysreg(struct gic_rig *r, struct gic_rng *g)
{
	static const uint16_t regs[] = {
		SYS_ICC_PMR_EL1,   SYS_ICC_PMR_EL1,	SYS_ICC_EOIR0_EL1,   SYS_ICC_EOIR1_EL1,
		SYS_ICC_DIR_EL1,   SYS_ICC_BPR0_EL1,	SYS_ICC_BPR1_EL1,    SYS_ICC_CTLR_EL1,
		SYS_ICC_CTLR_EL3,  SYS_ICC_IGRPEN0_EL1, SYS_ICC_IGRPEN1_EL1, SYS_ICC_IGRPEN1_EL3,
		SYS_ICC_AP0R0_EL1, SYS_ICC_AP1R0_EL1,	SYS_ICC_SGI0R_EL1,   SYS_ICC_SGI1R_EL1,
		SYS_ICC_SGI1R_EL1, SYS_ICC_ASGI1R_EL1,	SYS_ICC_RPR_EL1,     SYS_ICC_HPPIR0_EL1,
		SYS_ICC_SRE_EL1,   SYS_ICC_HPPIR1_EL1};
	struct pe_access a = {.pe = gic_random(g) % pe_count(r->pes)};
	uint64_t v = gic_sparse(g);
	uint16_t reg = regs[gic_random(g) % ARRAY_COUNT(regs)];

	v |= (uint64_t)(gic_sparse(g) & 0x1ff) << 32;
	a.el = (uint8_t)(1 + gic_random(g) % 3);
	a.secure = gic_random(g) % 2;
	a.scr_el3 = gic_random(g) & gic_random(g) & 6;
	if (gic_random(g) % 4 == 0) {
		struct pe_access free = a;

		free.scr_el3 = 0;
		hammer_ack(r, g, &free);
	}
	if (reg == SYS_ICC_AP0R0_EL1 || reg == SYS_ICC_AP1R0_EL1)
		v = gic_random(g) % 2 ? 0 : v;
	if (reg == SYS_ICC_PMR_EL1 || reg == SYS_ICC_IGRPEN1_EL3)
		v |= gic_random(g) % 4 ? 0xf3 : 0;
	if (reg == SYS_ICC_DIR_EL1)
		v = gic_random(g) % 300;
	if (gic_random(g) % 2)
		gic_pes_mrs(r->pes, &a, reg, &v);
	else
		gic_pes_msr(r->pes, &a, reg, v);
}

static void hammer(unsigned pes, unsigned el, bool security, uint64_t seed)
{
	struct gic_rng g = {seed};
	struct gic_rig r;

	gicv3_make(&r, pes, el, security);
	gicv3_fresh(&r);
	for (unsigned n = 0; n < 4000; n++) {
		uint32_t dice = gic_random(&g) % 64;

		if (dice < 20)
			hammer_mmio(&r, &g);
		else if (dice < 40)
			hammer_sysreg(&r, &g);
		else
			gic_random_wire(&r, &g);
		if (gic_random(&g) % 2048 == 0)
			dev_reset(r.dev);
		if (gic_random(&g) % 256 == 0)
			gic_write(&r, GIC_RIG_DIST, 4, gic_random(&g) % 8 | 7, 0, true);
		gicv3_check(&r);
	}
	gic_rig_drop(&r);
}

static void test_hammer(void **state)
{
	hammer(1, 1, false, 1);
	hammer(8, 1, false, 2);
	hammer(2, 3, true, 3);
	hammer(3, 3, true, 4);
	hammer(4, 3, false, 5);
	hammer(2, 1, true, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hammer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
