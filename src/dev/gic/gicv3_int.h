/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the GICv3 model share. */
#ifndef DEV_GIC_GICV3_INT_H
#define DEV_GIC_GICV3_INT_H

#include "dev/component.h"
#include "dev/gic/gic.h"
#include "pe/pe.h"

enum {
	/* GICD_CTLR as Secure software sees it; kept in this layout. */
	GICD_CTLR_ENABLE_G0 = 1 << 0,
	GICD_CTLR_ENABLE_G1NS = 1 << 1,
	GICD_CTLR_ENABLE_G1S = 1 << 2,
	GICD_CTLR_ARE_S = 1 << 4, /* ARE with one Security state */
	GICD_CTLR_ARE_NS = 1 << 5,
	GICD_CTLR_DS = 1 << 6,

	GICR_WAKER_PROCESSOR_SLEEP = 1 << 1,
	GICR_WAKER_CHILDREN_ASLEEP = 1 << 2,

	ICC_CTLR_CBPR = 1 << 0,
	ICC_CTLR_EOIMODE = 1 << 1,

	GICD_SIZE = 0x10000,
	GICR_STRIDE = 0x20000, /* RD_base and SGI_base of one PE */
	GICV3_IIDR = 0x43b,    /* implementer Arm, as QEMU's */
};
#define GICD_IROUTER_IRM (1ULL << 31)
#define GICV3_AFFINITY	 0xff00ffffffULL

/* GICD_NSACR's field, and GICR_NSACR's: from this value on it allows... */
enum gicv3_nsacr_level {
	GICV3_NSACR_PEND = 1,
	GICV3_NSACR_CLEAR = 2,
	GICV3_NSACR_ROUTE = 3,
	GICV3_NSACR_NEVER = 4,
};

/* Banks of the registers that exist once per Security state. */
enum gicv3_bank { GICV3_S, GICV3_NS, GICV3_BANKS };

enum { GICV3_PHYSICAL = 1 << HV_IRQ | 1 << HV_FIQ | 1 << HV_G1S | 1 << HV_G1NS };

enum {
	GICV3_LRS = 4,
	GICV3_MAINTENANCE = 25, /* PPI 9, as on all of Arm's boards */
};

/* One PE's virtual CPU interface; spelled as the ICH_* registers. */
struct gicv3_virt {
	uint32_t hcr, vmcr;
	uint32_t apr[2];
	uint64_t lr[GICV3_LRS];
	uint8_t maintenance; /* its interrupt, as driven */
};

/* One PE's CPU interface and the rest of its redistributor. */
struct gicv3_pe {
	uint64_t affinity;
	uint32_t waker; /* GICR_WAKER */
	uint32_t nsacr; /* GICR_NSACR */
	uint8_t pmr;
	uint8_t bpr[GIC_GROUPS];
	uint8_t grpen[GIC_GROUPS];
	uint8_t ctlr[GICV3_BANKS]; /* CBPR and EOImode of ICC_CTLR_EL1 */
	uint8_t eoimode_el3;
	uint8_t lines; /* outputs as driven, bit n: enum hv_line */
	struct gicv3_virt virt;
};

struct gicv3;
struct icc_reg;

struct icc_binding {
	struct gicv3 *g;
	const struct icc_reg *reg;
};
enum { ICC_REGS = 24 };

struct gicv3 {
	struct dev dev;
	/* properties */
	uint64_t dist_base, redist_base;
	uint32_t spis;
	bool security, root;
	bool el2, el3; /* the PEs have them */

	struct gic core;
	uint32_t ctlr; /* GICD_CTLR */
	uint64_t irouter[GIC_SPI_MAX];
	uint32_t nsacr[GIC_SPI_MAX / 16];
	uint32_t any[GIC_WORDS]; /* SPIs with IROUTER.IRM: 1 of N */
	struct gicv3_pe pe[GIC_PE_MAX];
	struct icc_binding icc[ICC_REGS];
};

static inline struct gicv3 *gicv3_of(struct dev *d)
{
	return (struct gicv3 *)d;
}

static inline bool gicv3_ds(const struct gicv3 *g)
{
	return g->ctlr & GICD_CTLR_DS;
}

/* ---- gicv3.c ---- */

/* After a change of @word (0: of PE @pe): routing 1 of N, caches, interrupt lines. */
void gicv3_refresh(struct gicv3 *g, unsigned pe, unsigned word);
/* After a change of a group enable, in the distributor or a CPU interface. */
void gicv3_refresh_groups(struct gicv3 *g);
/* Drive those lines of a PE that are in @which, as @lines says. */
void gicv3_drive(struct gicv3 *g, unsigned pe, uint8_t lines, uint8_t which);
/* Drive the physical interrupt lines of the PEs in @pes, where they changed. */
void gicv3_signal(struct gicv3 *g, unsigned pes);
/* Direct an SPI as its GICD_IROUTER says. The caller refreshes its word. */
void gicv3_route(struct gicv3 *g, unsigned intid);
/* Its field of GICD_NSACR or GICR_NSACR. */
unsigned gicv3_nsacr(const struct gicv3 *g, unsigned pe, unsigned intid);
/* Interrupts of a word that the access may see. @level: from which NSACR value on those of the other
 * world, too. */
uint32_t gicv3_visible(const struct gicv3 *g, unsigned pe, unsigned word, bool secure,
		       enum gicv3_nsacr_level level);

/* Registers that the distributor has for SPIs and each redistributor for its PE. */
struct gicv3_at {
	unsigned pe, word;
	bool secure;
};
/* @offset 0x80..0x3ff and 0xd00: one bit per interrupt; @at.word is used, not the offset's. False:
 * not such a register. */
bool gicv3_bits_read(struct gicv3 *g, struct gicv3_at at, uint64_t offset, uint32_t *value);
bool gicv3_bits_write(struct gicv3 *g, struct gicv3_at at, uint64_t offset, uint32_t value);
/* IPRIORITYR of INTIDs @intid.. , @size bytes. */
uint32_t gicv3_prio_read(struct gicv3 *g, unsigned pe, unsigned intid, unsigned size, bool secure);
void gicv3_prio_write(struct gicv3 *g, unsigned pe, unsigned intid, unsigned size, uint32_t value,
		      bool secure);
/* The identification registers at 0xffd0..0xfffc of a frame. @part: PIDR0. */
uint32_t gicv3_id_read(uint64_t offset, uint8_t part);

/* ---- the frames and the CPU interface ---- */

mem_read_fn gicv3_dist_read, gicv3_redist_read;
mem_write_fn gicv3_dist_write, gicv3_redist_write;
void gicv3_cpuif_init(struct gicv3 *g);
void gicv3_cpuif_reset(struct gicv3 *g);
/* ---- the virtual CPU interface ---- */

/* What may keep EL1 and EL2 from an ICC_* register. */
enum icc_traps { TRAP_NEVER, TRAP_G0, TRAP_G1, TRAP_COMMON, TRAP_SGI };
/* Is an access to such a register the virtual interface's, or trapped to EL2? */
enum gicv3_virt_path { GICV3_VIRT_NO, GICV3_VIRT_YES, GICV3_VIRT_TRAP };
enum gicv3_virt_path gicv3_virt_path(const struct gicv3 *g, const struct pe_access *a,
				     enum icc_traps traps, uint16_t sysreg);
/* YES: carry it out; takes the lock. */
enum pe_sysreg_result gicv3_virt_icv(struct gicv3 *g, const struct pe_access *a, uint16_t sysreg,
				     bool is_read, uint64_t *value);
void gicv3_virt_init(struct gicv3 *g);
void gicv3_virt_reset(struct gicv3 *g);
/* Drive its outputs: virtual interrupts and the maintenance interrupt. */
void gicv3_virt_update(struct gicv3 *g, unsigned pe);
/* Mask of the group priority bits for the HPPI's group of a PE. */
uint8_t gicv3_hppi_mask(const struct gicv3 *g, unsigned pe);

#endif
