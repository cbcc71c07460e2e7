// SPDX-License-Identifier: Apache-2.0
/* GICv3's virtual CPU interface, from both sides: what EL2 puts into list registers, EL1 acknowledges and ends. */
#include "gicv3_rig.h"

#include "arm/route.h"
#include "arm/sysreg.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define IMO	(1ULL << ARM_HCR_IMO)
#define FMO	(1ULL << ARM_HCR_FMO)
#define PENDING (1ULL << 62)
#define ACTIVE	(1ULL << 63)
#define HW	(1ULL << 61)
#define GROUP1	(1ULL << 60)
#define EOI_IRQ (1ULL << 41)
#define PRIO(p) ((uint64_t)(p) << 48)

enum { EN = 1, UIE = 2, NPIE = 8, TC = 1 << 10, TALL0 = 1 << 11, TALL1 = 1 << 12, TDIR = 1 << 14 };

static uint64_t hcr; /* HCR_EL2 */

static enum pe_sysreg_result try(struct gic_rig *r, unsigned el, uint16_t reg, bool read,
				 uint64_t *v)
{
	struct pe_access a = gicv3_access(0, el);

	a.hcr_el2 = hcr;
	return read ? gic_pes_try_mrs(r->pes, &a, reg, v) : gic_pes_try_msr(r->pes, &a, reg, *v);
}

static uint64_t get(struct gic_rig *r, unsigned el, uint16_t reg)
{
	uint64_t v = 0;

	assert_int_equal(try(r, el, reg, true, &v), PE_SYSREG_OK);
	return v;
}

static void set(struct gic_rig *r, unsigned el, uint16_t reg, uint64_t v)
{
	assert_int_equal(try(r, el, reg, false, &v), PE_SYSREG_OK);
}

static bool line(struct gic_rig *r, enum hv_line l)
{
	return gic_pes_line(r->pes, 0, l);
}

/* EL1 has everything open; interrupts are virtual. */
static void make(struct gic_rig *r)
{
	gicv3_make(r, 1, 2, false);
	gicv3_fresh(r);
	hcr = IMO | FMO;
	set(r, 2, SYS_ICH_HCR_EL2, EN);
	set(r, 1, SYS_ICC_PMR_EL1, 0xf0);
	set(r, 1, SYS_ICC_IGRPEN0_EL1, 1);
	set(r, 1, SYS_ICC_IGRPEN1_EL1, 1);
}

static void test_life(void **state)
{
	struct gic_rig r;

	make(&r);
	assert_int_equal(get(&r, 2, SYS_ICH_VTR_EL2) & 0x1f, GICV3_LRS - 1);
	assert_int_equal(get(&r, 2, SYS_ICH_ELRSR_EL2), 0xf);
	set(&r, 2, SYS_ICH_LR0_EL2, PENDING | GROUP1 | PRIO(0xa0) | 27);
	assert_true(line(&r, HV_VIRQ));
	assert_false(line(&r, HV_VFIQ));
	assert_false(line(&r, HV_IRQ));
	assert_int_equal(get(&r, 1, SYS_ICC_HPPIR1_EL1), 27);
	assert_int_equal(get(&r, 1, SYS_ICC_HPPIR0_EL1), 1023);
	assert_int_equal(get(&r, 1, SYS_ICC_IAR0_EL1), 1023);
	assert_int_equal(get(&r, 1, SYS_ICC_IAR1_EL1), 27);
	assert_false(line(&r, HV_VIRQ));
	assert_int_equal(get(&r, 1, SYS_ICC_RPR_EL1), 0xa0);
	assert_int_equal(get(&r, 2, SYS_ICH_AP1R0_EL2), 1 << (0xa0 >> 3));
	assert_int_equal(get(&r, 2, SYS_ICH_LR0_EL2), ACTIVE | GROUP1 | PRIO(0xa0) | 27);
	assert_int_equal(get(&r, 2, SYS_ICH_ELRSR_EL2), 0xe);
	set(&r, 1, SYS_ICC_EOIR1_EL1, 27);
	assert_int_equal(get(&r, 1, SYS_ICC_RPR_EL1), 0xff);
	assert_int_equal(get(&r, 2, SYS_ICH_LR0_EL2), GROUP1 | PRIO(0xa0) | 27);
	assert_int_equal(get(&r, 1, SYS_ICC_IAR1_EL1), 1023);
	gic_rig_drop(&r);
}

/* Priorities: the highest first, preemption by group priority, PMR, group 0 as FIQ. */
static void test_priorities(void **state)
{
	struct gic_rig r;

	make(&r);
	set(&r, 2, SYS_ICH_LR0_EL2, PENDING | GROUP1 | PRIO(0xa0) | 33);
	set(&r, 2, SYS_ICH_LR2_EL2, PENDING | GROUP1 | PRIO(0x80) | 34);
	assert_int_equal(get(&r, 1, SYS_ICC_IAR1_EL1), 34);
	assert_false(line(&r, HV_VIRQ));
	set(&r, 2, SYS_ICH_LR3_EL2, PENDING | PRIO(0x40) | 35);
	assert_true(line(&r, HV_VFIQ));
	set(&r, 1, SYS_ICC_BPR0_EL1, 7); /* no preemption by group 0 */
	assert_false(line(&r, HV_VFIQ));
	set(&r, 1, SYS_ICC_BPR0_EL1, 0);
	assert_int_equal(get(&r, 1, SYS_ICC_BPR0_EL1), 2);
	assert_int_equal(get(&r, 1, SYS_ICC_IAR0_EL1), 35);
	assert_int_equal(get(&r, 1, SYS_ICC_RPR_EL1), 0x40);
	set(&r, 1, SYS_ICC_EOIR0_EL1, 35);
	set(&r, 1, SYS_ICC_EOIR1_EL1, 34);
	assert_true(line(&r, HV_VIRQ));
	set(&r, 1, SYS_ICC_PMR_EL1, 0xa0);
	assert_false(line(&r, HV_VIRQ));
	assert_int_equal(get(&r, 1, SYS_ICC_IAR1_EL1), 1023);
	set(&r, 1, SYS_ICC_PMR_EL1, 0xff);
	assert_int_equal(get(&r, 1, SYS_ICC_PMR_EL1), 0xf8);
	set(&r, 1, SYS_ICC_IGRPEN1_EL1, 0);
	assert_false(line(&r, HV_VIRQ));
	set(&r, 1, SYS_ICC_IGRPEN1_EL1, 1);
	assert_true(line(&r, HV_VIRQ));
	set(&r, 2, SYS_ICH_HCR_EL2, 0);
	assert_false(line(&r, HV_VIRQ));
	assert_int_equal(get(&r, 2, SYS_ICH_VMCR_EL2) >> 24, 0xf8);
	gic_rig_drop(&r);
}

/* An interrupt with HW stands for a physical one, which ends with it; EOImode 1 ends in two steps. */
static void test_hardware(void **state)
{
	struct gic_rig r;

	make(&r);
	hcr = 0;
	gic_wire(&r, 0, 40, true);
	assert_int_equal(get(&r, 2, SYS_ICC_IAR1_EL1), 40);
	assert_true(gic_get_bit(&r, 0, 40, 0x300, false));
	hcr = IMO | FMO;
	set(&r, 2, SYS_ICH_LR1_EL2, PENDING | GROUP1 | HW | PRIO(0x20) | 40ULL << 32 | 50);
	set(&r, 1, SYS_ICC_CTLR_EL1, 2);
	assert_int_equal(get(&r, 1, SYS_ICC_CTLR_EL1) & 3, 2);
	assert_int_equal(get(&r, 1, SYS_ICC_IAR1_EL1), 50);
	set(&r, 1, SYS_ICC_EOIR1_EL1, 50);
	assert_true(gic_get_bit(&r, 0, 40, 0x300, false));
	set(&r, 1, SYS_ICC_DIR_EL1, 50);
	assert_false(gic_get_bit(&r, 0, 40, 0x300, false));
	assert_int_equal(get(&r, 2, SYS_ICH_LR1_EL2) >> 62, 0);
	set(&r, 1, SYS_ICC_DIR_EL1, 51); /* nowhere */
	assert_int_equal(get(&r, 2, SYS_ICH_HCR_EL2), EN | 1ULL << 27);
	/* a physical INTID that is not there */
	set(&r, 2, SYS_ICH_LR1_EL2, ACTIVE | GROUP1 | HW | 1022ULL << 32 | 50);
	set(&r, 1, SYS_ICC_DIR_EL1, 50);
	assert_int_equal(get(&r, 2, SYS_ICH_LR1_EL2) >> 62, 0);
	gic_rig_drop(&r);
}

static bool maintenance(struct gic_rig *r)
{
	return gic_get_bit(r, 0, GICV3_MAINTENANCE, 0x200, false);
}

static void test_maintenance(void **state)
{
	struct gic_rig r;

	make(&r);
	assert_false(maintenance(&r));
	set(&r, 2, SYS_ICH_LR0_EL2, PENDING | GROUP1 | EOI_IRQ | 60);
	assert_int_equal(get(&r, 1, SYS_ICC_IAR1_EL1), 60);
	assert_int_equal(get(&r, 2, SYS_ICH_MISR_EL2), 0);
	set(&r, 1, SYS_ICC_EOIR1_EL1, 60);
	assert_int_equal(get(&r, 2, SYS_ICH_EISR_EL2), 1);
	assert_int_equal(get(&r, 2, SYS_ICH_ELRSR_EL2), 0xe);
	assert_int_equal(get(&r, 2, SYS_ICH_MISR_EL2), 1);
	assert_true(maintenance(&r));
	assert_true(line(&r, HV_IRQ));
	set(&r, 2, SYS_ICH_LR0_EL2, 0);
	assert_false(maintenance(&r));
	set(&r, 2, SYS_ICH_HCR_EL2, EN | UIE | NPIE);
	assert_int_equal(get(&r, 2, SYS_ICH_MISR_EL2), 2 | 8);
	set(&r, 2, SYS_ICH_LR0_EL2, PENDING | GROUP1 | 60);
	set(&r, 2, SYS_ICH_LR1_EL2, ACTIVE | GROUP1 | 61);
	assert_int_equal(get(&r, 2, SYS_ICH_MISR_EL2), 0);
	set(&r, 2, SYS_ICH_HCR_EL2, EN | 0xf0);
	assert_int_equal(get(&r, 2, SYS_ICH_MISR_EL2), 0x10 | 0x40); /* both groups are enabled */
	set(&r, 1, SYS_ICC_IGRPEN0_EL1, 0);
	assert_int_equal(get(&r, 2, SYS_ICH_MISR_EL2), 0x20 | 0x40);
	dev_reset(r.dev);
	assert_false(maintenance(&r));
	assert_int_equal(get(&r, 2, SYS_ICH_LR1_EL2), 0);
	gic_rig_drop(&r);
}

/* Whose a register of EL1 is. */
static void test_paths(void **state)
{
	static const struct {
		uint64_t hcr, ich;
		uint16_t reg;
		bool read;
		int result; /* -1: the virtual one's */
	} cases[] = {
		{0, TALL1, SYS_ICC_IAR1_EL1, true, PE_SYSREG_TRAP_EL2},
		{IMO, TALL1, SYS_ICC_EOIR1_EL1, false, PE_SYSREG_TRAP_EL2},
		{IMO, TALL0, SYS_ICC_IAR0_EL1, true, PE_SYSREG_TRAP_EL2},
		{IMO, TC, SYS_ICC_PMR_EL1, true, PE_SYSREG_TRAP_EL2},
		{0, TDIR, SYS_ICC_DIR_EL1, false, PE_SYSREG_TRAP_EL2},
		{IMO, 0, SYS_ICC_SGI1R_EL1, false, PE_SYSREG_TRAP_EL2},
		{FMO, 0, SYS_ICC_SGI1R_EL1, false, PE_SYSREG_TRAP_EL2},
		{0, 0, SYS_ICC_SGI1R_EL1, false, PE_SYSREG_OK},
		{IMO, 0, SYS_ICC_SRE_EL1, true, PE_SYSREG_OK},
		{IMO, 0, SYS_ICC_IAR1_EL1, false, PE_SYSREG_UNDEF},
		{IMO, 0, SYS_ICC_PMR_EL1, true, -1},
		{FMO, 0, SYS_ICC_PMR_EL1, true, -1},
		{0, 0, SYS_ICC_PMR_EL1, true, PE_SYSREG_OK},
	};
	struct gic_rig r;

	make(&r);
	hcr = 0;
	set(&r, 1, SYS_ICC_PMR_EL1, 0x88);
	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
		bool pmr = cases[i].reg == SYS_ICC_PMR_EL1;
		uint64_t v = 0;

		set(&r, 2, SYS_ICH_HCR_EL2, cases[i].ich);
		hcr = cases[i].hcr;
		assert_int_equal(try(&r, 1, cases[i].reg, cases[i].read, &v),
				 cases[i].result < 0 ? PE_SYSREG_OK : cases[i].result);
		if (pmr && cases[i].result <= 0)
			assert_int_equal(v, cases[i].result < 0 ? 0xf0 : 0x88);
	}
	set(&r, 2, SYS_ICH_HCR_EL2, TALL1);
	assert_int_equal(get(&r, 2, SYS_ICC_IAR1_EL1), 1023); /* EL2 has its own */
	gic_rig_drop(&r);
}

static void test_without_el2(void **state)
{
	struct gic_rig r;
	uint64_t v = 0;

	gicv3_make(&r, 1, 1, false);
	hcr = 0;
	assert_int_equal(try(&r, 1, SYS_ICH_HCR_EL2, true, &v), PE_SYSREG_UNDEF);
	gic_rig_drop(&r);
	make(&r);
	assert_int_equal(try(&r, 1, SYS_ICH_HCR_EL2, true, &v), PE_SYSREG_UNDEF);
	assert_int_equal(try(&r, 2, SYS_ICH_MISR_EL2, false, &v), PE_SYSREG_UNDEF);
	gic_rig_drop(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),	 cmocka_unit_test(test_priorities),
		cmocka_unit_test(test_hardware), cmocka_unit_test(test_maintenance),
		cmocka_unit_test(test_paths),	 cmocka_unit_test(test_without_el2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
