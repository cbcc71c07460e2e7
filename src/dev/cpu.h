/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEV_CPU_H
#define DEV_CPU_H

#include <stdbool.h>
#include <stdint.h>

struct arm_model;
struct dev;

/* How many PEs the board's CPU object stands for. */
unsigned cpu_count(const struct dev *cpu);
/* Their exception levels, bit n: ELn. */
uint32_t cpu_els(const struct dev *cpu);
/* The core that they show; NULL: the host's own. */
const struct arm_model *cpu_model(const struct dev *cpu);

#endif
