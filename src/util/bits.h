/* SPDX-License-Identifier: Apache-2.0 */
/* Bit fields and alignment. */
#ifndef UTIL_BITS_H
#define UTIL_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_COUNT(a)			(sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* Bits @hi..@lo of @v, as the Arm ARM writes v<hi:lo>. hi-lo < 63 or the whole word. */
static inline uint64_t bits(uint64_t v, unsigned hi, unsigned lo)
{
	return (v >> lo) & (~0ULL >> (63 - (hi - lo)));
}

static inline bool bit(uint64_t v, unsigned n)
{
	return (v >> n) & 1;
}

/* @v with bits @hi..@lo replaced by @f. */
static inline uint64_t bits_set(uint64_t v, unsigned hi, unsigned lo, uint64_t f)
{
	uint64_t m = (~0ULL >> (63 - (hi - lo))) << lo;

	return (v & ~m) | ((f << lo) & m);
}

static inline int64_t sign_extend(uint64_t v, unsigned width)
{
	return (int64_t)(v << (64 - width)) >> (64 - width);
}

static inline uint64_t align_down(uint64_t v, uint64_t a)
{
	return v & ~(a - 1);
}

static inline uint64_t align_up(uint64_t v, uint64_t a)
{
	return (v + a - 1) & ~(a - 1);
}

static inline bool is_pow2(uint64_t v)
{
	return v && !(v & (v - 1));
}

#endif
