/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers and register values, from a seed. */
#ifndef JUDGE_RANDOM_H
#define JUDGE_RANDOM_H

#include "judge.h"

#include <stdbool.h>

#define JUDGE_FPCR_FZ (1ull << 24 | 1ull << 19) /* FZ, FZ16 */

struct judge_random {
	uint64_t s;
};

static inline uint64_t judge_u64(struct judge_random *r)
{
	r->s += 0x9e3779b97f4a7c15;
	return judge_mix(r->s);
}

/* Below @n, which is small. */
static inline unsigned judge_below(struct judge_random *r, unsigned n)
{
	return (judge_u64(r) >> 32) * n >> 32;
}

static inline bool judge_one_in(struct judge_random *r, unsigned n)
{
	return judge_below(r, n) == 0;
}

/* General registers: random, small, negative, next to powers of two and to limits. */
uint64_t judge_random_x(struct judge_random *r);

/* All registers, FPCR and FPSR; PC is 0. V registers are full of special values. */
void judge_random_state(struct judge_random *r, struct judge_state *s);

#endif
