/* SPDX-License-Identifier: Apache-2.0 */
#include "dev/clk.h"

#include "dev/component.h"

uint64_t clk_hz(const struct clk *c)
{
	return c->source && c->source->c->clk_rate ? c->source->c->clk_rate(c->source) : 0;
}
