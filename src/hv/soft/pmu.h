/* SPDX-License-Identifier: Apache-2.0 */
/* Performance monitors of the `soft` engine. */
#ifndef SOFT_PMU_H
#define SOFT_PMU_H

#include <stdbool.h>
#include <stdint.h>

struct soft_cpu;

/* ID_AA64DFR0_EL1.PMUVer: PMUv3. */
enum { SOFT_PMU_ID = 1 << 8 };

/* Registers that are more than storage. False: another one. */
bool soft_pmu_read(struct soft_cpu *c, uint16_t code, uint64_t *v);
bool soft_pmu_write(struct soft_cpu *c, uint16_t code, uint64_t v);

#endif
