/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processing elements, as the rest of the machine sees them: interrupt lines in, timer lines out,
 * system registers that belong to a device (the GIC CPU interface). PEs are numbered 0..count-1;
 * that number, not MPIDR, is what devices use.
 */
#ifndef PE_PE_H
#define PE_PE_H

#include "hv/hv.h"

#include <stdbool.h>
#include <stdint.h>

struct pe_set;

/* Who executes the MRS or MSR, and what may stand in the way. Registers of levels that are not there are 0. */
struct pe_access {
	unsigned pe;
	uint8_t el;
	bool secure; /* at EL3: !SCR_EL3.NS, as it chooses banked registers */
	uint64_t scr_el3, hcr_el2;
	uint64_t actlr_el3, actlr_el2; /* for IMPLEMENTATION DEFINED registers only */
};

enum pe_sysreg_result {
	PE_SYSREG_OK,
	PE_SYSREG_UNDEF,    /* the access is UNDEFINED */
	PE_SYSREG_TRAP_EL2, /* trapped, EC 0x18 */
	PE_SYSREG_TRAP_EL3,
};

/* Called in the PE's thread without locks. */
struct pe_sysreg_ops {
	enum pe_sysreg_result (*read)(void *opaque, const struct pe_access *a, uint16_t sysreg,
				      uint64_t *value);
	enum pe_sysreg_result (*write)(void *opaque, const struct pe_access *a, uint16_t sysreg,
				       uint64_t value);
};

unsigned pe_count(const struct pe_set *s);
/* MPIDR_EL1 affinity fields of PE @n (Aff3 in bits 39:32, as in the register). */
uint64_t pe_mpidr(const struct pe_set *s, unsigned n);
/* Highest exception level of the PEs, 1 to 3; with 3 they have a Secure state. */
unsigned pe_highest_el(const struct pe_set *s);
/* All of them, bit n: ELn. */
uint32_t pe_els(const struct pe_set *s);

/* Drive an interrupt line of a PE. Any thread; never blocks; wakes the PE. */
void pe_irq(struct pe_set *s, unsigned n, enum hv_line line, bool level);

/* A device implements system register @sysreg (arm/reg.h SYSREG()) of all PEs. Before start. */
void pe_sysreg_add(struct pe_set *s, uint16_t sysreg, const struct pe_sysreg_ops *ops,
		   void *opaque);

/* Output of a PE's timer: called in the PE's thread whenever the level changes. Before start. */
typedef void pe_timer_fn(void *opaque, unsigned pe, enum hv_timer timer, bool level);
void pe_timer_listen(struct pe_set *s, pe_timer_fn *fn, void *opaque);

/* ID_AA64PFR0_EL1.GIC and similar: force field bits<hi:lo> of an ID register as the guest sees it.
 * Before start. */
void pe_id_field(struct pe_set *s, uint16_t sysreg, unsigned hi, unsigned lo, uint64_t value);

#endif
