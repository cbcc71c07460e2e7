/* SPDX-License-Identifier: Apache-2.0 */
/* GICv2 (IHI 0048) and GICv3 (IHI 0069) as a guest without a security extension sees them. */
#include "lib/guest.h"

enum {
	GICD_CTLR = 0x000,
	GICD_TYPER = 0x004,
	GICD_IGROUPR = 0x080,
	GICD_ISENABLER = 0x100,
	GICD_ICENABLER = 0x180,
	GICD_IPRIORITYR = 0x400,
	GICD_ITARGETSR = 0x800,
	GICD_SGIR = 0xf00,
	GICD_IROUTER = 0x6000,
	GICC_CTLR = 0x0,
	GICC_PMR = 0x4,
	GICC_IAR = 0xc,
	GICC_EOIR = 0x10,
	GICR_TYPER = 0x8,
	GICR_WAKER = 0x14,
	GICR_SGI = 0x10000,
	GICR_STRIDE = 0x20000,
	PRIORITY = 0xa0,
};

unsigned gic_version;
static unsigned v2_ack[MAX_CPUS]; /* GICC_IAR with the source CPU of an SGI, for GICC_EOIR */

#define ICC_PMR_EL1	"S3_0_C4_C6_0"
#define ICC_IAR1_EL1	"S3_0_C12_C12_0"
#define ICC_EOIR1_EL1	"S3_0_C12_C12_1"
#define ICC_SRE_EL1	"S3_0_C12_C12_5"
#define ICC_IGRPEN1_EL1 "S3_0_C12_C12_7"
#define ICC_SGI1R_EL1	"S3_0_C12_C11_5"

uint64_t gic_redist(void)
{
	uint64_t m = this_cpu()->mpidr, affinity = (m >> 32 & 0xff) << 24 | (m & 0xffffff);
	uint64_t r = GICR_BASE;

	for (;; r += GICR_STRIDE) {
		uint64_t typer = read64(r + GICR_TYPER);

		if (typer >> 32 == affinity || typer & 1 << 4) /* Last */
			return r;
	}
}

void gic_init(void)
{
	unsigned lines = 32 * ((read32(GICD_BASE + GICD_TYPER) & 31) + 1);

	write32(GICD_BASE + GICD_CTLR, 0);
	for (unsigned i = 32; i < lines; i += 32) {
		write32(GICD_BASE + GICD_ICENABLER + i / 8, ~0U);
		write32(GICD_BASE + GICD_IGROUPR + i / 8, gic_version == 3 ? ~0U : 0);
	}
	for (unsigned i = 32; i < lines; i += 4)
		write32(GICD_BASE + GICD_IPRIORITYR + i, PRIORITY * 0x01010101U);
	/* v3: ARE, both groups; v2: group 0, the only one that can be taken as IRQ without more. */
	write32(GICD_BASE + GICD_CTLR, gic_version == 3 ? 0x13 : 1);
}

static void init_cpu_v3(void)
{
	uint64_t r = gic_redist();

	write32(r + GICR_WAKER, 0);
	while (read32(r + GICR_WAKER) & 4)
		;
	write32(r + GICR_SGI + GICD_IGROUPR, ~0U);
	write32(r + GICR_SGI + GICD_ICENABLER, 0xffff0000);
	write32(r + GICR_SGI + GICD_ISENABLER, 0xffff);
	for (unsigned i = 0; i < 32; i += 4)
		write32(r + GICR_SGI + GICD_IPRIORITYR + i, PRIORITY * 0x01010101U);
	msr(ICC_SRE_EL1, mrs(ICC_SRE_EL1) | 1);
	isb();
	msr(ICC_PMR_EL1, 0xf0);
	msr(ICC_IGRPEN1_EL1, 1);
	isb();
}

void gic_init_cpu(void)
{
	if (gic_version == 3) {
		init_cpu_v3();
		return;
	}
	for (unsigned i = 0; i < 32; i += 4)
		write32(GICD_BASE + GICD_IPRIORITYR + i, PRIORITY * 0x01010101U);
	write32(GICC_BASE + GICC_PMR, 0xf0);
	write32(GICC_BASE + GICC_CTLR, 1);
}

static void set_enable(unsigned intid, unsigned reg)
{
	uint64_t base = gic_version == 3 && intid < 32 ? gic_redist() + GICR_SGI : GICD_BASE;

	write32(base + reg + intid / 32 * 4, 1U << intid % 32);
}

void gic_enable(unsigned intid)
{
	if (intid >= 32 && gic_version == 3)
		write64(GICD_BASE + GICD_IROUTER + 8 * intid, this_cpu()->mpidr & 0xff00ffffff);
	else if (intid >= 32)
		write8(GICD_BASE + GICD_ITARGETSR + intid, (uint8_t)(1 << this_cpu()->number));
	set_enable(intid, GICD_ISENABLER);
}

void gic_disable(unsigned intid)
{
	set_enable(intid, GICD_ICENABLER);
}

void gic_send_sgi(unsigned cpu, unsigned intid)
{
	uint64_t m = cpus[cpu].mpidr;

	dsb();
	if (gic_version == 2) {
		write32(GICD_BASE + GICD_SGIR, 1U << (16 + cpu) | intid);
		return;
	}
	msr(ICC_SGI1R_EL1, (m >> 32 & 0xff) << 48 | (m >> 16 & 0xff) << 32 | (m >> 8 & 0xff) << 16 |
				   (uint64_t)intid << 24 | 1ULL << (m & 15));
	isb();
}

unsigned gic_ack(void)
{
	unsigned *v = &v2_ack[this_cpu()->number];

	if (gic_version == 3) {
		unsigned intid = (unsigned)mrs(ICC_IAR1_EL1) & 0xffffff;

		dsb();
		return intid;
	}
	*v = read32(GICC_BASE + GICC_IAR);
	return *v & 0x3ff;
}

void gic_eoi(unsigned intid)
{
	if (gic_version == 3) {
		msr(ICC_EOIR1_EL1, intid);
		isb();
		return;
	}
	write32(GICC_BASE + GICC_EOIR, v2_ack[this_cpu()->number]);
}
