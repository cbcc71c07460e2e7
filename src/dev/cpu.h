/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEV_CPU_H
#define DEV_CPU_H

struct dev;

/* How many PEs the board's CPU object stands for. */
unsigned cpu_count(const struct dev *cpu);

#endif
