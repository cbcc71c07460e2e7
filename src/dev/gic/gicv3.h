/* SPDX-License-Identifier: Apache-2.0 */
/* GICv3: what PEs with more than one Security state tell it. */
#ifndef DEV_GIC_GICV3_H
#define DEV_GIC_GICV3_H

#include <stdbool.h>
#include <stdint.h>

struct dev;

/*
 * State of a PE that decides whether a group is signalled as IRQ or as FIQ (IHI 0069H 4.6.2) and
 * what Non-secure accesses to priorities see (4.8.1): exception level, Security state and
 * SCR_EL3.FIQ. Call it when one of them changes; takes the GIC's lock. At EL3 @secure is
 * !SCR_EL3.NS, also in `struct pe_access` of the ICC_* registers: it chooses the bank.
 * Until the first call a PE is at its highest level, Secure if that is EL3. Reset keeps it.
 */
void gicv3_set_pe_state(struct dev *d, unsigned pe, uint8_t el, bool secure, bool scr_fiq);

#endif
