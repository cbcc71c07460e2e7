/* SPDX-License-Identifier: Apache-2.0 */
/* Pseudo-random numbers (splitmix64), and the few functions of <string.h> that the compiler calls. */
#include "image.h"

static uint64_t state;

void seed_random(uint64_t seed)
{
	state = seed;
	state = random64(); /* not the sequence of the seed before, a little later */
}

bool known(enum known k)
{
	return parameters.known >> k & 1;
}

uint64_t random64(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

unsigned below(unsigned n)
{
	return (unsigned)((random64() >> 32) * n >> 32);
}

bool one_in(unsigned n)
{
	return below(n) == 0;
}

uint64_t pick(const uint64_t *values, size_t n)
{
	return values[below((unsigned)n)];
}

void *memset(void *p, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);

void *memset(void *p, int c, size_t n)
{
	volatile uint8_t *b = p;

	while (n--)
		*b++ = (uint8_t)c;
	return p;
}

void *memcpy(void *to, const void *from, size_t n)
{
	volatile uint8_t *t = to;
	const uint8_t *f = from;

	while (n--)
		*t++ = *f++;
	return to;
}
