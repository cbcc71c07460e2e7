/* SPDX-License-Identifier: Apache-2.0 */
/* Clock wires: a reference to a clock source component. */
#ifndef DEV_CLK_H
#define DEV_CLK_H

#include <stdint.h>

struct dev;

struct clk {
	struct dev *source; /* NULL: not connected */
};

/* Frequency in Hz, 0 if not connected. */
uint64_t clk_hz(const struct clk *c);

#endif
