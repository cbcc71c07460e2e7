/* SPDX-License-Identifier: Apache-2.0 */
/* GICv3 as far as it is needed: SGIs made pending by hand, and the timer that ends a scenario that hangs. IHI 0069. */
#include "image.h"

enum {
	GICD = 0x08000000,
	GICR = 0x080a0000,
	GICR_SGI = GICR + 0x10000,
	GICD_CTLR = 0,
	GICR_WAKER = 0x14,
	IGROUPR0 = 0x80,
	ISENABLER0 = 0x100,
	ISPENDR0 = 0x200,
	ICPENDR0 = 0x280,
	IPRIORITYR = 0x400,
	IGRPMODR0 = 0xd00,
	ESCAPE = 30, /* the Non-secure physical timer's, here in group 0 */
};

static volatile uint32_t *reg(uint64_t a)
{
	return (volatile uint32_t *)a;
}

/* SGIs 0 to 3: group 0. 4 to 7: Secure group 1. 8 to 11: Non-secure group 1. */
void gic_init(void)
{
	*reg(GICD + GICD_CTLR) = 1 << 5 | 1 << 4; /* ARE for both */
	*reg(GICD + GICD_CTLR) = 1 << 5 | 1 << 4 | 7;
	*reg(GICR + GICR_WAKER) = 0;
	*reg(GICR_SGI + IGROUPR0) = 0xf00;
	*reg(GICR_SGI + IGRPMODR0) = 0x0f0;
	for (unsigned i = 0; i < 8; i++)
		*reg(GICR_SGI + IPRIORITYR + 4 * i) = 0x40404040;
	*reg(GICR_SGI + ISENABLER0) = 0xfff | 1 << ESCAPE;
	WRITE(S3_6_C12_C12_5, 15); /* ICC_SRE_EL3 */
	WRITE(scr_el3, 0x431);
	asm volatile("isb");
	WRITE(S3_4_C12_C9_5, 15);  /* ICC_SRE_EL2 */
	WRITE(S3_0_C12_C12_5, 7);  /* ICC_SRE_EL1 */
	WRITE(S3_0_C4_C6_0, 0xff); /* ICC_PMR_EL1 */
	WRITE(S3_0_C12_C12_6, 1);  /* ICC_IGRPEN0_EL1 */
	WRITE(S3_6_C12_C12_7, 3);  /* ICC_IGRPEN1_EL3 */
	asm volatile("isb");
}

void gic_pend(uint32_t sgis)
{
	*reg(GICR_SGI + ISPENDR0) = sgis;
}

uint32_t gic_pending(void)
{
	return *reg(GICR_SGI + ISPENDR0);
}

void gic_clear(void)
{
	*reg(GICR_SGI + ICPENDR0) = 0xffff;
	asm volatile("dsb sy");
}

void arm_escape(void)
{
	uint64_t us = parameters.timeout ? parameters.timeout : 100000;

	WRITE(cntp_tval_el0, READ(cntfrq_el0) / 1000000 * us);
	WRITE(cntp_ctl_el0, 1);
}

bool escape_pending(void)
{
	return READ(cntp_ctl_el0) & 4;
}

void disarm_escape(void)
{
	WRITE(cntp_ctl_el0, 0);
}
