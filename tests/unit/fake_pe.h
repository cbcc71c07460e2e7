/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PEs without vCPUs, for unit tests of devices: implements pe/pe.h at link time. Interrupt lines are
 * recorded, system registers are read and written as if by a PE, timer outputs are fired by the test.
 * Thread-safe only where pe.h is: pe_irq() and fake_pe_line().
 */
#ifndef TESTS_FAKE_PE_H
#define TESTS_FAKE_PE_H

#include "pe/pe.h"

/* @count at most 8. PE n has affinity 0.0.0.n. */
struct pe_set *fake_pe_create(unsigned count, unsigned highest_el);
void fake_pe_destroy(struct pe_set *s);

/* The level last set, and how often the line went high. */
bool fake_pe_line(const struct pe_set *s, unsigned n, enum hv_line line);
unsigned fake_pe_rises(const struct pe_set *s, unsigned n, enum hv_line line);

/* MRS and MSR; false: UNDEFINED, also when no device has the register. */
bool fake_pe_sysreg_read(struct pe_set *s, const struct pe_access *a, uint16_t sysreg,
			 uint64_t *value);
bool fake_pe_sysreg_write(struct pe_set *s, const struct pe_access *a, uint16_t sysreg,
			  uint64_t value);

/* The timer's output changes; every listener is told. */
void fake_pe_timer(struct pe_set *s, unsigned n, enum hv_timer timer, bool level);

/* Bits that pe_id_field() forced on ID register @sysreg: *mask says which. */
uint64_t fake_pe_id(const struct pe_set *s, uint16_t sysreg, uint64_t *mask);

#endif
