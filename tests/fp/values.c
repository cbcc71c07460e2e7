/* SPDX-License-Identifier: Apache-2.0 */
#include "values.h"

#include <stdbool.h>
#include <string.h>

struct layout {
	unsigned width, frac;
	int bias;
};

static struct layout layout_of(unsigned width)
{
	switch (width) {
	case 16:
		return (struct layout){16, 10, 15};
	case 32:
		return (struct layout){32, 23, 127};
	default:
		return (struct layout){64, 52, 1023};
	}
}

/* An exponent and the high and low end of its fraction field. */
struct spot {
	int exp;       /* unbiased; BELOW, ABOVE: the exponent field of zero and of infinity */
	unsigned high; /* the two highest fraction bits */
	int low;       /* added to the fraction */
	bool few;
};

enum { BELOW = -100000, ABOVE = 100000, BOTTOM = -50000, TOP = 50000 };

static const struct spot spots[] = {
	{BELOW, 0, 0, true}, /* zero */
	{BELOW, 0, 1, true}, /* denormals */
	{BELOW, 0, 2, false},  {BELOW, 0, 3, false},	  {BELOW, 1, 0, false},
	{BELOW, 1, -1, false}, {BELOW, 2, 0, true},	  {BELOW, 2, -1, false},
	{BOTTOM, 0, -1, true}, {BOTTOM, 0, 0, true},	  {BOTTOM, 0, 1, false},
	{BOTTOM, 2, 0, false}, {BOTTOM + 1, 0, 0, false}, {BOTTOM + 1, 0, -1, true},
	{-2, 1, 0, false},     {-1, 0, -1, false},	  {-1, 0, 0, true}, /* a half */
	{-1, 0, 1, false},     {0, 0, -1, true},	  {0, 0, 0, true},
	{0, 0, 1, true},       {0, 1, 1, false},	  {0, 2, 0, true}, /* 1.5 */
	{1, 0, 0, false},      {1, 1, 0, false},	  {1, 2, 0, false},
	{5, 3, 0, false},      {15, 0, -1, false},	  {15, 0, 0, false},
	{16, 0, 0, false},     {31, 0, -1, false},	  {31, 0, 0, false},
	{31, 0, 1, false},     {32, 0, -1, false},	  {32, 0, 0, false},
	{63, 0, -1, false},    {63, 0, 0, false},	  {64, 0, -1, false},
	{64, 0, 0, false},     {TOP - 1, 0, 0, false},	  {TOP, 0, 0, true},
	{TOP, 2, 0, false},    {ABOVE, 0, -1, true},	  {ABOVE, 0, 0, true}, /* infinity */
	{ABOVE, 0, 1, true},						       /* signalling NaNs */
	{ABOVE, 1, 5, false},  {ABOVE, 2, 0, true},			       /* the default NaN */
	{ABOVE, 2, 7, true},   {ABOVE, 3, 0, false},
};

static bool place(struct layout l, const struct spot *s, uint64_t *v)
{
	int field;

	if (s->exp == BELOW)
		field = 0;
	else if (s->exp == ABOVE)
		field = 2 * l.bias + 1;
	else if (s->exp < BOTTOM / 2)
		field = 1 + s->exp - BOTTOM;
	else if (s->exp > TOP / 2)
		field = 2 * l.bias + s->exp - TOP;
	else
		field = s->exp + l.bias;
	if (field < 0 || field > 2 * l.bias + 1)
		return false;
	*v = ((uint64_t)field << l.frac) + ((uint64_t)s->high << (l.frac - 2)) + (uint64_t)s->low;
	return true;
}

size_t special_values(unsigned width, int few, uint64_t *v)
{
	struct layout l = layout_of(width);
	size_t n = 0;

	for (size_t i = 0; i < sizeof(spots) / sizeof(*spots); i++) {
		if ((few && !spots[i].few) || !place(l, &spots[i], &v[n]))
			continue;
		v[n + 1] = v[n] | 1ULL << (l.width - 1);
		n += 2;
	}
	return n;
}

size_t special_integers(unsigned width, uint64_t *v)
{
	uint64_t ones = ~0ULL >> (64 - width);
	size_t n = 0;

	v[n++] = 0;
	for (unsigned i = 0; i < width; i++) {
		v[n++] = 1ULL << i;
		v[n++] = (1ULL << i) + 1;
		v[n++] = ones ^ 1ULL << i;
	}
	v[n++] = ones;
	return n;
}

/* xorshift64* (G. Marsaglia, S. Vigna) */
uint64_t random_bits(struct random *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * 0x2545f4914f6cdd1dULL;
}

void random_init(struct random *r, uint64_t seed)
{
	static const unsigned widths[] = {16, 32, 64};

	memset(r, 0, sizeof(*r));
	r->state = seed * 0x9e3779b97f4a7c15ULL + 1;
	for (unsigned i = 0; i < 3; i++)
		r->special_count[i] = special_values(widths[i], 0, r->special[i]);
}

static unsigned below(struct random *r, unsigned n)
{
	return (unsigned)((random_bits(r) >> 32) * n >> 32);
}

/* Bits of which long runs are equal, few are set, or any. */
static uint64_t random_fraction(struct random *r, unsigned width)
{
	uint64_t any = random_bits(r), ones = (1ULL << width) - 1;
	unsigned a = below(r, width), b = below(r, width);

	switch (below(r, 8)) {
	case 0:
		return 0;
	case 1:
		return ones >> a << b & ones;
	case 2:
		return (1ULL << a | 1ULL << b) & ones;
	case 3:
		return ones ^ (1ULL << a | 1ULL << b);
	case 4:
		return any & ones & ~0ULL << a;
	default:
		return any & ones;
	}
}

static int clamp(int v, int low, int high)
{
	return v < low ? low : v > high ? high : v;
}

/* An unbiased exponent so that with @partner (of a product, quotient or sum) something happens. */
static int random_exponent(struct random *r, struct layout l, int partner)
{
	int spread = (int)below(r, 2 * l.frac + 8) - (int)l.frac - 4;

	switch (below(r, 8)) {
	case 0:
		return 1 - l.bias + spread - partner; /* the product is about to underflow */
	case 1:
		return l.bias - partner + spread / 4; /* to overflow */
	case 2:
		return partner - l.bias + spread / 4; /* so the quotient */
	case 3:
		return partner + l.bias + spread;
	case 4:
		return partner + spread; /* a sum that cancels, or loses its lowest bits */
	case 5:
		return partner + spread / 8;
	case 6:
		return spread;
	default:
		return (int)below(r, 2 * (unsigned)l.bias + 2) - l.bias;
	}
}

static uint64_t random_value(struct random *r, struct layout l, int partner, int *exp)
{
	uint64_t sign = random_bits(r) >> 63 << (l.width - 1);
	unsigned which = l.width == 16 ? 0 : l.width == 32 ? 1 : 2;

	*exp = clamp(random_exponent(r, l, partner), -l.bias, l.bias);
	if (!below(r, 64))
		return r->special[which][below(r, (unsigned)r->special_count[which])];
	return sign | (uint64_t)(*exp + l.bias) << l.frac | random_fraction(r, l.frac);
}

void random_operands(struct random *r, unsigned width, unsigned width_rest, unsigned count,
		     uint64_t *v)
{
	struct layout l = layout_of(width), rest = layout_of(width_rest);
	int a, b, c;

	switch (count) {
	case 1:
		v[0] = random_value(r, l, (int)below(r, 3) - 1, &a);
		break;
	case 2:
		v[0] = random_value(r, l, 0, &a);
		v[1] = random_value(r, l, a, &b);
		if (!below(r, 32)) /* equal, or nearly so */
			v[1] = v[0] ^ (random_bits(r) & (1ULL << (l.width - 1) | 3));
		break;
	default: /* v[0] + v[1] * v[2] */
		v[1] = random_value(r, rest, 0, &a);
		v[2] = random_value(r, rest, a, &b);
		v[0] = random_value(r, l, a + b, &c);
	}
}

uint64_t random_integer(struct random *r)
{
	uint64_t v = random_fraction(r, 63) << 1 | random_bits(r) >> 63;

	return v >> below(r, 64) ^ (below(r, 2) ? 0 : ~0ULL);
}
