/* SPDX-License-Identifier: Apache-2.0 */
/* PEs that only have what an interrupt controller sees of them: implements pe/pe.h. */
#ifndef TESTS_GIC_PES_H
#define TESTS_GIC_PES_H

#include "pe/pe.h"

/* As the PE would carry it out. */
enum pe_sysreg_result gic_pes_try_mrs(struct pe_set *s, const struct pe_access *a, uint16_t sysreg,
				      uint64_t *value);
enum pe_sysreg_result gic_pes_try_msr(struct pe_set *s, const struct pe_access *a, uint16_t sysreg,
				      uint64_t value);
struct pe_set *gic_pes_create(unsigned count, unsigned highest_el);
void gic_pes_destroy(struct pe_set *s);
/* Level of an interrupt line as last driven. */
bool gic_pes_line(const struct pe_set *s, unsigned n, enum hv_line line);
/* Calls of pe_irq() since creation. */
unsigned gic_pes_line_changes(const struct pe_set *s);
/* What was given to pe_id_field() for this field, -1 for nothing. */
int gic_pes_id_field(const struct pe_set *s, uint16_t sysreg, unsigned hi, unsigned lo);
/* MRS and MSR; false: UNDEFINED. */
bool gic_pes_mrs(struct pe_set *s, const struct pe_access *a, uint16_t sysreg, uint64_t *value);
bool gic_pes_msr(struct pe_set *s, const struct pe_access *a, uint16_t sysreg, uint64_t value);

#endif
