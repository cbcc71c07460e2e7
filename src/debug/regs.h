/* SPDX-License-Identifier: Apache-2.0 */
/* Registers for people: by name, with their fields. */
#ifndef DEBUG_REGS_H
#define DEBUG_REGS_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

/* Register id (arm/reg.h) of a name in any case: X0 to X30, PC, PSTATE, FPCR, every system register of the
 * Arm ARM, and S<op0>_<op1>_C<n>_C<m>_<op2>. */
bool regs_find(const char *name, uint32_t *id);
/* The fields of the system register @id with @value, as "NAME=VALUE" from the highest down, without those that
 * are zero; nothing for registers without fields. */
void regs_fields(struct buf *out, uint32_t id, uint64_t value);

#endif
