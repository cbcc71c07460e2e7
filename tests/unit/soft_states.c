// SPDX-License-Identifier: Apache-2.0
#include "soft_states.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* SplitMix64 */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static uint64_t next(uint64_t *s)
{
	return mix(*s += 0x9e3779b97f4a7c15);
}

/* Zeros, denormals, limits, infinities, NaNs, and numbers near powers of two that matter. */
static uint64_t special(unsigned size, unsigned n)
{
	static const int8_t power[] = {0,  0,  0,  1,  1,  -1, 2,  7,  8,   15,
				       16, 30, 31, 32, 62, 63, 64, -8, -14, -24};
	unsigned f = size == 64 ? 52 : size == 32 ? 23 : 10;
	unsigned ones = (1U << (size - 1 - f)) - 1;
	uint64_t frac = (1ULL << f) - 1, top = (uint64_t)ones << f, half = 1ULL << (f - 1);
	uint64_t fixed[] = {0,	     1,	  frac,	      half,	      1ULL << f,
			    top - 1, top, top | half, top | half | 5, top | 1ULL << 3,
			    1,	     0};
	int e;

	if (n < 12)
		return fixed[n];
	e = (int)(ones >> 1) + power[(n - 12) % ARRAY_COUNT(power)];
	e = e < 1 ? 1 : e > (int)ones - 1 ? (int)ones - 1 : e;
	return (uint64_t)e << f | (n % 3 == 0 ? 0 : n % 3 == 1 ? half : frac);
}

static uint64_t element(uint64_t *s, unsigned size)
{
	uint64_t r = next(s), any = next(s) & (~0ULL >> (64 - size));
	unsigned f = size == 64 ? 52 : size == 32 ? 23 : 10;
	unsigned bias = (1U << (size - 2 - f)) - 1;

	if ((r & 15) < 8)
		return special(size, (r >> 8) % 52) | (r >> 4 & 1) << (size - 1);
	if ((r & 15) < 13) /* of like magnitude */
		return (any & ((1ULL << f) - 1)) | (uint64_t)(bias - 3 + (r >> 8) % 8) << f |
		       (r >> 4 & 1) << (size - 1);
	return any;
}

static uint64_t general(uint64_t *s)
{
	static const uint64_t fixed[] = {0,	     1,		 ~0ULL,	     1ULL << 63,
					 ~0ULL >> 1, 0x80000000, 0x7fffffff, 0xffffffff};
	uint64_t r = next(s), any = next(s);

	if ((r & 7) < 3)
		return fixed[r >> 8 & 7];
	return (r & 7) < 6 ? any : any >> (r >> 8 & 63);
}

void soft_state(struct soft_rig *r, unsigned n)
{
	unsigned size = n % 3 == 0 ? 64 : n % 3 == 1 ? 32 : 16;
	uint64_t s = mix(n + 1);

	for (unsigned i = 0; i < 4; i++)
		r->c.x[i] = general(&s);
	for (unsigned i = 0; i < 8; i++) {
		uint64_t v = 0;

		for (unsigned lo = 0; lo < 64; lo += size)
			v |= element(&s, size) << lo;
		r->c.v[i / 2].d[i % 2] = v;
	}
	r->c.nzcv = (uint32_t)next(&s) & 0xf0000000;
	r->c.fp.fpcr = (uint32_t)(next(&s) & next(&s)) & 0x07c80000; /* AHP DN FZ RMode FZ16 */
	if (n < 64)
		r->c.fp.fpcr = 0;
	r->c.fp.fpsr = 0;
	r->c.sp = 0x6080100;
	r->c.pc = SOFT_RIG_PC;
}

uint64_t soft_state_digest(struct soft_rig *r, uint32_t word)
{
	uint64_t h = 0;

	for (unsigned n = 0; n < SOFT_STATES; n++) {
		soft_state(r, n);
		assert_int_equal(soft_rig_run(r, word), SOFT_RIG_OK);
		for (unsigned i = 0; i < 4; i++)
			h = mix(h ^ r->c.x[i]);
		for (unsigned i = 0; i < 8; i++)
			h = mix(h ^ r->c.v[i / 2].d[i % 2]);
		h = mix(h ^ r->c.sp);
		h = mix(h ^ ((uint64_t)r->c.nzcv << 32 | r->c.fp.fpsr));
	}
	return h;
}

void soft_check_digests(const struct soft_digest *list, unsigned count)
{
	struct soft_rig *r = soft_rig_make();
	unsigned failed = 0;

	for (unsigned i = 0; i < count; i++) {
		if (soft_state_digest(r, list[i].word) == list[i].digest)
			continue;
		print_error("%08x %s: another result\n", list[i].word, list[i].text);
		failed++;
	}
	soft_rig_drop(r);
	assert_int_equal(failed, 0);
}

void soft_check_traps(const struct soft_digest *list, unsigned count)
{
	struct soft_rig *r = soft_rig_make(), *before = soft_rig_make();

	r->fp_off = true;
	for (unsigned i = 0; i < count; i++) {
		soft_state(r, 70 + i % 100);
		soft_state(before, 70 + i % 100);
		assert_int_equal(soft_rig_run(r, list[i].word), SOFT_RIG_FP_TRAP);
		assert_memory_equal(r->c.x, before->c.x, sizeof(r->c.x));
		assert_memory_equal(r->c.v, before->c.v, sizeof(r->c.v));
		assert_int_equal(r->c.nzcv, before->c.nzcv);
		assert_int_equal(r->c.fp.fpsr, 0);
	}
	soft_rig_drop(before);
	soft_rig_drop(r);
}
