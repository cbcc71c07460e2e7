// SPDX-License-Identifier: Apache-2.0
/* Random state. FPCR and FPSR: Arm ARM (DDI 0487) C5.2. */
#include "random.h"

#include <string.h>

#define FPCR_BITS (1u << 26 | 1u << 25 | 1u << 24 | 3u << 22 | 1u << 19) /* AHP DN FZ RMode FZ16 */
#define FPSR_BITS (1u << 27 | 1u << 7 | 0x1fu)

uint64_t judge_random_x(struct judge_random *r)
{
	uint64_t v = judge_u64(r);

	switch (judge_below(r, 12)) {
	case 0:
		return v & 0xff;
	case 1:
		return -(v & 0xff);
	case 2:
		return (1ull << (v & 63)) + (v >> 8 & 3) - 1;
	case 3:
		return v & 0xffffffff;
	case 4:
		return 0;
	case 5:
		return v & 1 ? UINT64_MAX : UINT32_MAX;
	case 6:
		return (v & 2 ? 0x80000000ull : 1ull << 63) - (v & 1);
	case 7:
		return v & judge_u64(r) & judge_u64(r);
	default:
		return v;
	}
}

/* One floating-point number of @bits with @mantissa bits of fraction. */
static uint64_t special_fp(struct judge_random *r, unsigned bits, unsigned mantissa)
{
	uint64_t v = judge_u64(r), sign = (v & 1) << (bits - 1);
	uint64_t fraction = (1ull << mantissa) - 1,
		 exponent_max = (1ull << (bits - 1 - mantissa)) - 1;
	uint64_t bias = exponent_max >> 1, exponent, some = v >> 8 & fraction;

	switch (judge_below(r, 16)) {
	case 0:
		return sign;
	case 1:
		return sign | exponent_max << mantissa;
	case 2: /* NaN, quiet or signalling */
		return sign | exponent_max << mantissa | some;
	case 3:
		return sign | exponent_max << mantissa | 1ull << (v >> 1 & 7) |
		       (v >> 4 & 1) << (mantissa - 1);
	case 4: /* denormal */
		return sign | some >> (judge_below(r, mantissa));
	case 5:
		return sign | ((v & 2) ? fraction : 1);
	case 6: /* smallest and largest normal numbers */
		return sign | (v & 2 ? 1ull << mantissa : (exponent_max << mantissa) - 1);
	case 7:
		return sign | bias << mantissa;
	case 8: /* an integer or nearly one */
		exponent = bias + judge_below(r, mantissa < bias ? mantissa + 2 : (unsigned)bias);
		return sign | exponent << mantissa |
		       (some & ~(fraction >> judge_below(r, mantissa)));
	case 9: /* around the limits of integers */
		exponent = bias + (15u << judge_below(r, 3)) + judge_below(r, 5);
		return sign | (exponent & exponent_max) << mantissa | (v & 2 ? 0 : some);
	case 10:
		exponent = bias - 2 + judge_below(r, 5);
		return sign | exponent << mantissa | some;
	case 11: /* near the smallest: results are denormal */
		return sign | (uint64_t)judge_below(r, mantissa) << mantissa | some;
	default:
		return v >> (64 - bits);
	}
}

static uint64_t lanes_fp(struct judge_random *r, unsigned bits, unsigned mantissa)
{
	uint64_t v = 0;

	for (unsigned at = 0; at < 64; at += bits)
		v |= special_fp(r, bits, mantissa) << at;
	return v;
}

/* Lanes of 8 to 64 bits, each small, extreme or random. */
static uint64_t lanes_int(struct judge_random *r, unsigned bits)
{
	uint64_t v = 0, mask = bits == 64 ? UINT64_MAX : (1ull << bits) - 1;

	for (unsigned at = 0; at < 64; at += bits) {
		uint64_t lane = judge_u64(r);

		switch (judge_below(r, 6)) {
		case 0:
			lane = (lane & 15) - 8;
			break;
		case 1:
			lane = (1ull << (bits - 1)) - (lane & 1);
			break;
		case 2:
			lane = lane & 1 ? 0 : UINT64_MAX;
			break;
		default:
			break;
		}
		v |= (lane & mask) << at;
	}
	return v;
}

static uint64_t random_d(struct judge_random *r, unsigned layout)
{
	switch (layout) {
	case 0:
	case 1:
		return lanes_fp(r, 64, 52);
	case 2:
	case 3:
		return lanes_fp(r, 32, 23);
	case 4:
	case 5:
		return lanes_fp(r, 16, 10);
	case 6:
	case 7:
	case 8:
	case 9:
		return lanes_int(r, 8u << (layout - 6));
	case 10:
		return UINT64_MAX;
	case 11:
		return 0;
	default:
		return judge_u64(r);
	}
}

enum { LAYOUTS = 13 };

static void random_v(struct judge_random *r, struct judge_state *s)
{
	bool uniform = judge_one_in(r, 2);
	unsigned layout = judge_below(r, 10);

	for (unsigned i = 0; i < 32; i++) {
		for (unsigned half = 0; half < 2; half++)
			s->v[i][half] = random_d(r, uniform ? layout : judge_below(r, LAYOUTS));
	}
	/* Some that are equal, opposite, or next to each other. */
	for (unsigned n = 0; n < 8 && uniform; n++) {
		unsigned to = judge_below(r, 32), from = judge_below(r, 32);
		uint64_t change = n & 1 ? 0 : 1ull << judge_below(r, 64);

		s->v[to][0] = s->v[from][0] ^ change;
		s->v[to][1] = s->v[from][1] ^ change;
	}
}

void judge_random_state(struct judge_random *r, struct judge_state *s)
{
	memset(s, 0, sizeof(*s));
	for (unsigned i = 0; i < 31; i++)
		s->x[i] = judge_random_x(r);
	s->sp = judge_random_x(r) & ~15ull;
	random_v(r, s);
	s->nzcv = judge_u64(r) & 0xf0000000;
	s->fpcr = judge_one_in(r, 2) ? 0 : judge_u64(r) & FPCR_BITS;
	s->fpsr = judge_one_in(r, 2) ? 0 : judge_u64(r) & FPSR_BITS;
}
