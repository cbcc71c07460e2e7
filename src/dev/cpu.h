/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEV_CPU_H
#define DEV_CPU_H

#include <stdbool.h>
#include <stdint.h>

struct dev;

/* How many PEs the board's CPU object stands for. */
unsigned cpu_count(const struct dev *cpu);
/* Their exception levels, bit n: ELn. */
uint32_t cpu_els(const struct dev *cpu);
/* Do they show the host's own core? */
bool cpu_is_host(const struct dev *cpu);

#endif
