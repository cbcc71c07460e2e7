/* SPDX-License-Identifier: Apache-2.0 */
/* A GICv3 for unit tests, and an oracle that finds the highest priority pending interrupts the slow
 * way. */
#ifndef TESTS_GICV3_RIG_H
#define TESTS_GICV3_RIG_H

#include "gic_rig.h"

#include "dev/gic/gicv3_int.h"

/* Who executes an MRS or MSR: exception level, + 4 if Secure (at EL3: !SCR_EL3.NS). */
enum {
	NS_EL1 = 1,
	S_EL1 = 1 | 4,
	NS_EL2 = 2,
	EL3 = 3 | 4,
	EL3_NS = 3,
	FIQ_TO_EL3 = 8, /* added to one of them: SCR_EL3.FIQ, IRQ */
	IRQ_TO_EL3 = 16,
};
struct pe_access gicv3_access(unsigned pe, unsigned world);

uint64_t gicv3_icc(struct gic_rig *r, unsigned pe, unsigned world, uint16_t sysreg);
void gicv3_set_icc(struct gic_rig *r, unsigned pe, unsigned world, uint16_t sysreg, uint64_t v);

void gicv3_make(struct gic_rig *r, unsigned pes, unsigned highest_el, bool security);
/* Reset, then as Linux sets it up: everything in group 1 and enabled. */
void gicv3_fresh(struct gic_rig *r);
/* Two Security states: SPI 40 is group 0, 41 group 1 Secure, 42 group 1 Non-secure; all enabled and
 * open. */
void gicv3_make_secure(struct gic_rig *r, unsigned pes);

/* The model agrees with the oracle: what is ready, the HPPI, the lines. */
void gicv3_check(struct gic_rig *r);

#endif
