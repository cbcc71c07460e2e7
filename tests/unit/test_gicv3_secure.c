// SPDX-License-Identifier: Apache-2.0
/* GICv3 with two Security states: who sees, gets and changes what. */
#include "gicv3_rig.h"

#include "arm/sysreg.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Which of the two exceptions a group 1 interrupt is, the PE decides. */
static void test_secure_lines(void **state)
{
	static const enum hv_line lines[] = {HV_FIQ, HV_G1S, HV_G1NS};
	struct gic_rig r;

	gicv3_make_secure(&r, 1);
	for (unsigned n = 0; n < 3; n++) {
		gic_wire(&r, 0, 40 + n, true);
		for (unsigned l = 0; l < HV_LINE_COUNT; l++)
			assert_int_equal(gic_pes_line(r.pes, 0, (enum hv_line)l), l == lines[n]);
		gic_wire(&r, 0, 40 + n, false);
		assert_false(gic_pes_line(r.pes, 0, lines[n]));
	}
	/* one that changes its group changes its line */
	gic_wire(&r, 0, 42, true);
	gic_write(&r, gic_reg(&r, 0, 42, 0x080, 1), 4, 0, 0, true);
	assert_true(gic_fiq(&r, 0));
	assert_false(gic_pes_line(r.pes, 0, HV_G1NS));
	gicv3_check(&r);
	/* reset lowers them all */
	dev_reset(r.dev);
	assert_false(gic_fiq(&r, 0));
	gicv3_check(&r);
	gic_rig_drop(&r);
}

/* Without firmware Non-secure software gets its interrupts all the same, on every PE; at a reset firmware gets them. */
static void test_hand_over(void **state)
{
	struct gic_rig r;

	gicv3_make(&r, 2, 3, true);
	for (unsigned handed = 0; handed < 2; handed++) {
		dev_reset(r.dev);
		if (handed)
			r.dev->c->hand_over(r.dev);
		gic_write(&r, GIC_RIG_DIST, 4, 2, 0, false);
		gic_write(&r, gic_reg(&r, 0, 40, 0x100, 1), 4, 1 << 8, 0, false);
		for (unsigned pe = 0; pe < 2; pe++) {
			gicv3_set_icc(&r, pe, NS_EL1, SYS_ICC_PMR_EL1, 0xf0);
			gicv3_set_icc(&r, pe, NS_EL1, SYS_ICC_IGRPEN1_EL1, 1);
		}
		gic_write(&r, gic_reg(&r, 1, 27, 0x100, 1), 4, 1 << 27, 1, false);
		gic_wire(&r, 0, 40, true);
		gic_wire(&r, 1, 27, true);
		gicv3_check(&r);
		assert_int_equal(gic_pes_line(r.pes, 0, HV_G1NS), handed);
		assert_int_equal(gic_pes_line(r.pes, 1, HV_G1NS), handed);
		assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_IAR1_EL1), handed ? 40 : 1023);
	}
	gic_rig_drop(&r);
}

/* SCR_EL3.FIQ and IRQ keep the lower levels from the registers of group 0 and of group 1, both together from the
 * others. */
static void test_traps(void **state)
{
	static const struct {
		uint16_t reg;
		bool write, fiq, irq, both;
	} table[] = {
		{SYS_ICC_IAR0_EL1, false, true, false, true},
		{SYS_ICC_EOIR0_EL1, true, true, false, true},
		{SYS_ICC_IGRPEN0_EL1, false, true, false, true},
		{SYS_ICC_IAR1_EL1, false, false, true, true},
		{SYS_ICC_AP1R0_EL1, true, false, true, true},
		{SYS_ICC_PMR_EL1, false, false, false, true},
		{SYS_ICC_CTLR_EL1, true, false, false, true},
		{SYS_ICC_SGI1R_EL1, true, false, false, true},
		{SYS_ICC_SRE_EL1, false, false, false, false},
	};
	static const unsigned worlds[] = {NS_EL1, S_EL1, NS_EL2};
	struct gic_rig r;

	gicv3_make_secure(&r, 1);
	for (unsigned n = 0; n < ARRAY_COUNT(table); n++) {
		for (unsigned k = 0; k < 4 * ARRAY_COUNT(worlds); k++) {
			unsigned to_el3 = k % 4 * FIQ_TO_EL3;
			struct pe_access a = gicv3_access(0, worlds[k / 4] | to_el3);
			bool trapped = k % 4 == 1   ? table[n].fiq
				       : k % 4 == 2 ? table[n].irq
						    : k % 4 == 3 && table[n].both;
			uint64_t v = 0;

			assert_int_equal(table[n].write
						 ? gic_pes_try_msr(r.pes, &a, table[n].reg, 0)
						 : gic_pes_try_mrs(r.pes, &a, table[n].reg, &v),
					 trapped ? PE_SYSREG_TRAP_EL3 : PE_SYSREG_OK);
			a.el = 3;
			assert_int_equal(table[n].write
						 ? gic_pes_try_msr(r.pes, &a, table[n].reg, 0)
						 : gic_pes_try_mrs(r.pes, &a, table[n].reg, &v),
					 PE_SYSREG_OK);
		}
	}
	gic_rig_drop(&r);
}

/* Registers of higher levels, of the wrong direction, and ICC_SRE_EL2 where EL2 is not enabled. */
static void test_undefined(void **state)
{
	static const struct {
		unsigned world;
		uint16_t reg;
		bool write, ok;
	} table[] = {
		{NS_EL1, SYS_ICC_SRE_EL2, false, false}, {NS_EL2, SYS_ICC_SRE_EL2, false, true},
		{EL3, SYS_ICC_SRE_EL2, false, false},	 {EL3_NS, SYS_ICC_SRE_EL2, true, true},
		{NS_EL2, SYS_ICC_SRE_EL3, false, false}, {EL3, SYS_ICC_SRE_EL3, true, true},
		{NS_EL2, SYS_ICC_CTLR_EL3, true, false}, {EL3, SYS_ICC_IAR1_EL1, true, false},
		{EL3, SYS_ICC_EOIR1_EL1, false, false},	 {0, SYS_ICC_PMR_EL1, false, false},
	};
	struct gic_rig r;

	gicv3_make_secure(&r, 1);
	for (unsigned n = 0; n < ARRAY_COUNT(table); n++) {
		struct pe_access a = gicv3_access(0, table[n].world);
		uint64_t v = 0;

		assert_int_equal(table[n].write ? gic_pes_try_msr(r.pes, &a, table[n].reg, 0)
						: gic_pes_try_mrs(r.pes, &a, table[n].reg, &v),
				 table[n].ok ? PE_SYSREG_OK : PE_SYSREG_UNDEF);
	}
	gic_rig_drop(&r);
}

static void test_secure_ack(void **state)
{
	/* pending INTID; IAR0 and IAR1 from NS EL1, S-EL1, EL3 */
	static const uint16_t table[][7] = {
		{40, 1023, 1023, 40, 1023, 40, 1023},
		{41, 1023, 1023, 1023, 41, 1020, 41},
		{42, 1023, 42, 1023, 1023, 1021, 42},
	};
	static const unsigned worlds[] = {NS_EL1, S_EL1, EL3};
	static const uint16_t iar[] = {SYS_ICC_IAR0_EL1, SYS_ICC_IAR1_EL1};
	static const uint16_t hppir[] = {SYS_ICC_HPPIR0_EL1, SYS_ICC_HPPIR1_EL1};
	static const uint16_t eoir[] = {SYS_ICC_EOIR0_EL1, SYS_ICC_EOIR1_EL1};
	struct gic_rig r;

	gicv3_make_secure(&r, 1);
	for (unsigned n = 0; n < ARRAY_COUNT(table); n++) {
		gic_wire(&r, 0, table[n][0], true);
		for (unsigned k = 0; k < 6; k++) {
			unsigned w = worlds[k / 2], want = table[n][1 + k];

			assert_int_equal(gicv3_icc(&r, 0, w, hppir[k % 2]), want);
			assert_int_equal(gicv3_icc(&r, 0, w, iar[k % 2]), want);
			assert_int_equal(gic_get_bit(&r, 0, table[n][0], 0x300, true), want < 1020);
			if (want < 1020)
				gicv3_set_icc(&r, 0, w, eoir[k % 2], want);
			assert_false(gic_get_bit(&r, 0, table[n][0], 0x300, true));
			gicv3_check(&r);
		}
		gic_wire(&r, 0, table[n][0], false);
	}
	gic_rig_drop(&r);
}

/* The Non-secure world can neither see, nor set, nor end what belongs to the Secure one. */
static void test_ns_view(void **state)
{
	static const uint16_t bit_regs[] = {0x080, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380};
	struct gic_rig r;
	uint64_t reg;

	gicv3_make_secure(&r, 1);
	gic_wire(&r, 0, 40, true);
	gic_wire(&r, 0, 41, true);
	gic_wire(&r, 0, 42, true);
	for (unsigned n = 0; n < ARRAY_COUNT(bit_regs); n++) {
		uint32_t secure, ns;

		reg = gic_reg(&r, 0, 40, bit_regs[n], 1);
		secure = (uint32_t)gic_read(&r, reg, 4, 0, true);
		ns = (uint32_t)gic_read(&r, reg, 4, 0, false);
		assert_int_equal(ns, n == 0 ? 0 : secure & 1 << 10);
	}
	reg = gic_reg(&r, 0, 40, 0x180, 1);
	gic_write(&r, reg, 4, ~0U, 0, false);
	assert_int_equal(gic_read(&r, reg, 4, 0, true), 3 << 8);
	gic_write(&r, gic_reg(&r, 0, 40, 0x100, 1), 4, ~0U, 0, false);
	assert_int_equal(gic_read(&r, reg, 4, 0, true), 7 << 8);
	gic_write(&r, gic_reg(&r, 0, 40, 0x080, 1), 4, ~0U, 0, false);
	gic_write(&r, gic_reg(&r, 0, 40, 0xd00, 1), 4, ~0U, 0, false);
	assert_int_equal(gic_read(&r, gic_reg(&r, 0, 40, 0x080, 1), 4, 0, true), 1 << 10);
	assert_int_equal(gic_read(&r, gic_reg(&r, 0, 40, 0xd00, 1), 4, 0, true), 1 << 9);
	gic_write(&r, gic_reg(&r, 0, 40, 0xc00, 2), 4, ~0U, 0, false);
	assert_int_equal(gic_read(&r, gic_reg(&r, 0, 40, 0xc00, 2), 4, 0, true), 2 << 20);
	reg = GIC_RIG_DIST + 0x6000;
	gic_write(&r, reg + 40 * 8, 8, 1ULL << 31, 0, false);
	gic_write(&r, reg + 42 * 8, 8, 1ULL << 31, 0, false);
	assert_true(gic_read(&r, reg + 40 * 8, 8, 0, true) == 0);
	assert_true(gic_read(&r, reg + 42 * 8, 8, 0, true) == 1ULL << 31);
	/* end and deactivation */
	assert_int_equal(gicv3_icc(&r, 0, S_EL1, SYS_ICC_IAR0_EL1), 40);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_EOIR0_EL1, 40);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_EOIR1_EL1, 40);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_CTLR_EL1, 2);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_DIR_EL1, 40);
	assert_true(gic_get_bit(&r, 0, 40, 0x300, true));
	assert_int_equal(gicv3_icc(&r, 0, EL3, SYS_ICC_RPR_EL1), 0);
	gicv3_check(&r);
	gic_rig_drop(&r);
}

static void test_ns_priorities(void **state)
{
	struct gic_rig r;

	gicv3_make_secure(&r, 1);
	/* IPRIORITYR */
	gic_set_prio(&r, 0, 40, 0x40, false);
	assert_int_equal(gic_get_prio(&r, 0, 40, true), 0);
	gic_set_prio(&r, 0, 42, 0x40, false);
	assert_int_equal(gic_get_prio(&r, 0, 42, true), 0xa0);
	assert_int_equal(gic_get_prio(&r, 0, 42, false), 0x40);
	gic_set_prio(&r, 0, 42, 0x58, true);
	assert_int_equal(gic_get_prio(&r, 0, 42, false), 0);
	gic_set_prio(&r, 0, 42, 0xff, false);
	assert_int_equal(gic_get_prio(&r, 0, 42, true), 0xf8);
	assert_int_equal(gic_get_prio(&r, 0, 42, false), 0xf0);
	/* ICC_PMR_EL1 with SCR_EL3.FIQ = 1 */
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1 | FIQ_TO_EL3, SYS_ICC_PMR_EL1), 0xf0);
	gicv3_set_icc(&r, 0, NS_EL1 | FIQ_TO_EL3, SYS_ICC_PMR_EL1, 0x40);
	assert_int_equal(gicv3_icc(&r, 0, EL3, SYS_ICC_PMR_EL1), 0xa0);
	gicv3_set_icc(&r, 0, EL3, SYS_ICC_PMR_EL1, 0x70);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1 | FIQ_TO_EL3, SYS_ICC_PMR_EL1), 0);
	gicv3_set_icc(&r, 0, NS_EL1 | FIQ_TO_EL3, SYS_ICC_PMR_EL1, 0xff);
	assert_int_equal(gicv3_icc(&r, 0, EL3, SYS_ICC_PMR_EL1), 0x70);
	/* and with SCR_EL3.FIQ = 0 */
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_PMR_EL1), 0x70);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_PMR_EL1, 0xf8);
	/* ICC_RPR_EL1 */
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1 | FIQ_TO_EL3, SYS_ICC_RPR_EL1), 0xff);
	gic_set_prio(&r, 0, 42, 0x40, false);
	gic_wire(&r, 0, 42, true);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1 | FIQ_TO_EL3, SYS_ICC_IAR1_EL1), 42);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1 | FIQ_TO_EL3, SYS_ICC_RPR_EL1), 0x40);
	assert_int_equal(gicv3_icc(&r, 0, EL3, SYS_ICC_RPR_EL1), 0xa0);
	gic_set_prio(&r, 0, 40, 0x10, true);
	gic_wire(&r, 0, 40, true);
	assert_int_equal(gicv3_icc(&r, 0, EL3, SYS_ICC_IAR0_EL1), 40);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1 | FIQ_TO_EL3, SYS_ICC_RPR_EL1), 0);
	gicv3_check(&r);
	gic_rig_drop(&r);
}

static void test_banked(void **state)
{
	struct gic_rig r;

	gicv3_make_secure(&r, 1);
	assert_int_equal(gicv3_icc(&r, 0, S_EL1, SYS_ICC_BPR1_EL1), 2);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_BPR1_EL1), 3);
	gicv3_set_icc(&r, 0, EL3, SYS_ICC_BPR1_EL1, 4);
	gicv3_set_icc(&r, 0, EL3_NS, SYS_ICC_BPR1_EL1, 6);
	assert_int_equal(gicv3_icc(&r, 0, S_EL1, SYS_ICC_BPR1_EL1), 4);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_BPR1_EL1), 6);
	gicv3_set_icc(&r, 0, S_EL1, SYS_ICC_AP1R0_EL1, 1);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_AP1R0_EL1, 0x10000);
	assert_int_equal(gicv3_icc(&r, 0, S_EL1, SYS_ICC_AP1R0_EL1), 1);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_AP1R0_EL1), 0x10000);
	/* IGRPEN1_EL3 is both */
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_IGRPEN1_EL1, 0);
	assert_int_equal(gicv3_icc(&r, 0, EL3, SYS_ICC_IGRPEN1_EL3), 2);
	assert_int_equal(gicv3_icc(&r, 0, S_EL1, SYS_ICC_IGRPEN1_EL1), 1);
	/* ICC_CTLR_EL3: CBPR is for EL3 alone, EOImode an alias */
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_CTLR_EL1, 3);
	assert_int_equal(gicv3_icc(&r, 0, EL3, SYS_ICC_CTLR_EL3) & 0x1f, 0x10);
	gicv3_set_icc(&r, 0, EL3, SYS_ICC_CTLR_EL3, 0x0f);
	assert_int_equal(gicv3_icc(&r, 0, EL3, SYS_ICC_CTLR_EL3) & 0x1f, 0x0f);
	assert_int_equal(gicv3_icc(&r, 0, S_EL1, SYS_ICC_CTLR_EL1) & 3, 3);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_CTLR_EL1) & 3, 1);
	/* CBPR Secure: BPR1 is BPR0; Non-secure: BPR0 + 1, read-only except for EL3 */
	gicv3_set_icc(&r, 0, S_EL1, SYS_ICC_BPR1_EL1, 5);
	assert_int_equal(gicv3_icc(&r, 0, S_EL1, SYS_ICC_BPR0_EL1), 5);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_BPR1_EL1, 3);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_BPR1_EL1), 6);
	assert_int_equal(gicv3_icc(&r, 0, EL3_NS, SYS_ICC_BPR1_EL1), 6);
	gicv3_set_icc(&r, 0, EL3_NS, SYS_ICC_BPR1_EL1, 4);
	assert_int_equal(gicv3_icc(&r, 0, EL3_NS, SYS_ICC_BPR1_EL1), 4);
	/* GICD_CTLR, GICD_TYPER, GICR_WAKER */
	assert_int_equal(gic_read(&r, GIC_RIG_DIST, 4, 0, true), 0x37);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST, 4, 0, false), 0x12);
	gic_write(&r, GIC_RIG_DIST, 4, ~2U, 0, false);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST, 4, 0, true), 0x35);
	assert_true(gic_read(&r, GIC_RIG_DIST + 4, 4, 0, false) & 1 << 10);
	gic_write(&r, GIC_RIG_REDIST + 0x14, 4, 0, 0, false);
	assert_int_equal(gic_read(&r, GIC_RIG_REDIST + 0x14, 4, 0, false), 0);
	assert_int_equal(gic_read(&r, GIC_RIG_REDIST + 0x14, 4, 0, true), 6);
	gicv3_check(&r);
	gic_rig_drop(&r);
}

/* ICC_CTLR_EL3.EOImode_EL3 is EL3's own. */
static void test_eoimode_el3(void **state)
{
	struct gic_rig r;

	gicv3_make_secure(&r, 1);
	gicv3_set_icc(&r, 0, EL3, SYS_ICC_CTLR_EL3, 4);
	gic_wire(&r, 0, 40, true);
	assert_int_equal(gicv3_icc(&r, 0, EL3, SYS_ICC_IAR0_EL1), 40);
	gicv3_set_icc(&r, 0, EL3, SYS_ICC_EOIR0_EL1, 40);
	assert_true(gic_get_bit(&r, 0, 40, 0x300, true));
	gicv3_set_icc(&r, 0, S_EL1, SYS_ICC_DIR_EL1, 40); /* not split there */
	assert_true(gic_get_bit(&r, 0, 40, 0x300, true));
	gicv3_set_icc(&r, 0, EL3, SYS_ICC_DIR_EL1, 40);
	assert_false(gic_get_bit(&r, 0, 40, 0x300, true));
	gicv3_set_icc(&r, 0, EL3, SYS_ICC_CTLR_EL3, 8); /* EOImode_EL1S */
	assert_int_equal(gicv3_icc(&r, 0, S_EL1, SYS_ICC_IAR0_EL1), 40);
	gicv3_set_icc(&r, 0, S_EL1, SYS_ICC_EOIR0_EL1, 40);
	assert_true(gic_get_bit(&r, 0, 40, 0x300, true));
	gicv3_check(&r);
	gic_rig_drop(&r);
}

/* GICD_CTLR.DS set by Secure software: from then on one Security state, until reset. */
static void test_set_ds(void **state)
{
	struct gic_rig r;

	gicv3_make_secure(&r, 1);
	gic_wire(&r, 0, 41, true);
	gic_write(&r, GIC_RIG_DIST, 4, 0x47, 0, false);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST, 4, 0, true) & 0x40, 0);
	gic_write(&r, GIC_RIG_DIST, 4, 0x47, 0, true);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST, 4, 0, false), 0x53);
	gic_write(&r, GIC_RIG_DIST, 4, 0x03, 0, true);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST, 4, 0, true), 0x53);
	gicv3_check(&r);
	assert_int_equal(gicv3_icc(&r, 0, NS_EL1, SYS_ICC_IAR0_EL1), 41); /* group 0 now */
	gic_write(&r, gic_reg(&r, 0, 40, 0xd00, 1), 4, ~0U, 0, true);
	assert_int_equal(gic_read(&r, gic_reg(&r, 0, 40, 0xd00, 1), 4, 0, true), 0);
	gicv3_check(&r);
	dev_reset(r.dev);
	assert_int_equal(gic_read(&r, GIC_RIG_DIST, 4, 0, true), 0x30);
	gic_rig_drop(&r);
}

static void test_nsacr(void **state)
{
	uint64_t nsacr = GIC_RIG_DIST + 0xe00 + 40 / 16 * 4;
	struct gic_rig r;

	gicv3_make_secure(&r, 1);
	gic_write(&r, nsacr, 4, ~0U, 0, false);
	assert_int_equal(gic_read(&r, nsacr, 4, 0, true), 0);
	for (unsigned level = 0; level < 4; level++) {
		gic_write(&r, nsacr, 4, level << 16, 0, true); /* INTID 40 */
		gic_write(&r, gic_reg(&r, 0, 40, 0x280, 1), 4, 1 << 8, 0, true);
		gic_set_bit(&r, 0, 40, 0x200, false);
		assert_int_equal(gic_get_bit(&r, 0, 40, 0x200, true), level >= 1);
		gic_set_bit(&r, 0, 40, 0x280, false);
		assert_int_equal(gic_get_bit(&r, 0, 40, 0x200, true), level == 1);
		gic_write(&r, GIC_RIG_DIST + 0x6000 + 40 * 8, 8, level, 0, false);
		assert_int_equal(gic_read(&r, GIC_RIG_DIST + 0x6000 + 40 * 8, 8, 0, true),
				 level == 3 ? 3 : 0);
		gic_set_bit(&r, 0, 40, 0x180, false);
		assert_true(gic_get_bit(&r, 0, 40, 0x100, true));
	}
	gic_write(&r, nsacr, 4, 0, 0, true);
	gic_write(&r, GIC_RIG_DIST + 0x40, 4, 41, 0, false);
	assert_false(gic_get_bit(&r, 0, 41, 0x200, true));
	gic_write(&r, GIC_RIG_DIST + 0x50, 4, 41, 0, false);
	assert_false(gic_get_bit(&r, 0, 41, 0x200, true));
	gic_write(&r, GIC_RIG_DIST + 0x50, 4, 41, 0, true);
	assert_true(gic_get_bit(&r, 0, 41, 0x200, true));
	gicv3_check(&r);
	gic_rig_drop(&r);
}

/* Who can raise an SGI of which group: SGI 0 is group 0, 1 group 1 Secure, 2 group 1 Non-secure. */
static void test_secure_sgis(void **state)
{
	static const struct {
		unsigned world, nsacr;
		uint16_t reg;
		uint8_t raised; /* bit n: SGI n */
	} table[] = {
		{S_EL1, 0, SYS_ICC_SGI0R_EL1, 1},   {S_EL1, 0, SYS_ICC_SGI1R_EL1, 3},
		{S_EL1, 0, SYS_ICC_ASGI1R_EL1, 4},  {NS_EL1, 0, SYS_ICC_SGI0R_EL1, 0},
		{NS_EL1, 0, SYS_ICC_SGI1R_EL1, 4},  {NS_EL1, 0, SYS_ICC_ASGI1R_EL1, 0},
		{NS_EL1, 1, SYS_ICC_SGI0R_EL1, 1},  {NS_EL1, 1, SYS_ICC_SGI1R_EL1, 4},
		{NS_EL1, 1, SYS_ICC_ASGI1R_EL1, 1}, {NS_EL1, 2, SYS_ICC_ASGI1R_EL1, 3},
	};
	struct gic_rig r;
	uint64_t sgi_base = GIC_RIG_REDIST + 0x20000 + 0x10000;

	gicv3_make_secure(&r, 2);
	gic_write(&r, sgi_base + 0x80, 4, 4, 0, true);
	gic_write(&r, sgi_base + 0xd00, 4, 2, 0, true);
	for (unsigned n = 0; n < ARRAY_COUNT(table); n++) {
		gic_write(&r, sgi_base + 0xe00, 4, 0x55555555 * table[n].nsacr, 0, true);
		gic_write(&r, sgi_base + 0x280, 4, ~0U, 0, true);
		for (unsigned k = 0; k < 3; k++)
			gicv3_set_icc(&r, 0, table[n].world, table[n].reg, (uint64_t)k << 24 | 2);
		assert_int_equal(gic_read(&r, sgi_base + 0x200, 4, 0, true), table[n].raised);
		assert_int_equal(gic_read(&r, sgi_base + 0x200, 4, 0, false) & 4,
				 table[n].raised & 4);
	}
	gicv3_check(&r);
	gic_rig_drop(&r);
}

/* A PE without EL3 below a GIC with two Security states: it is Non-secure. */
static void test_no_el3(void **state)
{
	struct gic_rig r;

	gicv3_make(&r, 1, 1, true);
	gic_write(&r, GIC_RIG_DIST, 4, 2, 0, false);
	gic_write(&r, gic_reg(&r, 0, 40, 0x080, 1), 4, 1 << 10, 0, true);
	gic_set_bit(&r, 0, 42, 0x100, false);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_IGRPEN1_EL1, 1);
	gicv3_set_icc(&r, 0, NS_EL1, SYS_ICC_PMR_EL1, 0xff);
	gic_wire(&r, 0, 42, true);
	assert_true(gic_irq(&r, 0));
	gicv3_check(&r);
	gic_rig_drop(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hand_over),     cmocka_unit_test(test_secure_lines),
		cmocka_unit_test(test_traps),	      cmocka_unit_test(test_undefined),
		cmocka_unit_test(test_secure_ack),    cmocka_unit_test(test_ns_view),
		cmocka_unit_test(test_ns_priorities), cmocka_unit_test(test_banked),
		cmocka_unit_test(test_set_ds),	      cmocka_unit_test(test_eoimode_el3),
		cmocka_unit_test(test_nsacr),	      cmocka_unit_test(test_secure_sgis),
		cmocka_unit_test(test_no_el3),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
