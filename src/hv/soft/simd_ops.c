// SPDX-License-Identifier: Apache-2.0
/*
 * Integer operations on the elements of Advanced SIMD registers. Arm ARM (DDI 0487), the instructions' pages
 * in C7.2, and the shared pseudocode SatQ().
 */
#include "hv/soft/simd_ops.h"

/* Elements come zero-extended; of the result the low bits count. @d is the destination's old element. */
typedef uint64_t element_fn(unsigned bits, uint64_t d, uint64_t a, uint64_t b, uint32_t *fpsr);

/* Inlined with a constant size and function: most become vector instructions of the host. */
static inline __attribute__((always_inline)) void each(unsigned size, union soft_v *restrict d,
						       const union soft_v *restrict n,
						       const union soft_v *restrict m,
						       uint32_t *restrict fpsr, element_fn *fn)
{
	switch (size) {
	case 0:
		for (unsigned i = 0; i < 16; i++)
			d->b[i] = (uint8_t)fn(8, d->b[i], n->b[i], m->b[i], fpsr);
		break;
	case 1:
		for (unsigned i = 0; i < 8; i++)
			d->h[i] = (uint16_t)fn(16, d->h[i], n->h[i], m->h[i], fpsr);
		break;
	case 2:
		for (unsigned i = 0; i < 4; i++)
			d->s[i] = (uint32_t)fn(32, d->s[i], n->s[i], m->s[i], fpsr);
		break;
	default:
		for (unsigned i = 0; i < 2; i++)
			d->d[i] = fn(64, d->d[i], n->d[i], m->d[i], fpsr);
	}
}

/* simd_NAME(), of elements by @expr. */
#define ELEMENTS(name, expr)                                                                       \
	static inline uint64_t name(unsigned bits, uint64_t d, uint64_t a, uint64_t b,             \
				    uint32_t *fpsr)                                                \
	{                                                                                          \
		return expr;                                                                       \
	}                                                                                          \
	void simd_##name(unsigned size, union soft_v *restrict d, const union soft_v *restrict n,  \
			 const union soft_v *restrict m, uint32_t *restrict fpsr)                  \
	{                                                                                          \
		each(size, d, n, m, fpsr, name);                                                   \
	}

static inline int64_t sign(unsigned bits, uint64_t v)
{
	return (int64_t)(v << (64 - bits)) >> (64 - bits);
}

static inline uint64_t zero(unsigned bits, uint64_t v)
{
	return v << (64 - bits) >> (64 - bits);
}

/* ---- arithmetic modulo 2^bits ---- */

static inline uint64_t carryless(uint64_t a, uint64_t b)
{
	uint64_t product = 0;

	for (unsigned i = 0; i < 8; i++)
		product ^= -(b >> i & 1) & a << i;
	return product;
}

ELEMENTS(add, a + b)
ELEMENTS(sub, a - b)
ELEMENTS(mul, a *b)
ELEMENTS(mla, d + a * b)
ELEMENTS(mls, d - a * b)
ELEMENTS(pmul, carryless(a, b))

/* No carry gets lost: elements of 32 bits at most. */
ELEMENTS(shadd, (uint64_t)((sign(bits, a) + sign(bits, b)) >> 1))
ELEMENTS(uhadd, (a + b) >> 1)
ELEMENTS(srhadd, (uint64_t)((sign(bits, a) + sign(bits, b) + 1) >> 1))
ELEMENTS(urhadd, (a + b + 1) >> 1)
ELEMENTS(shsub, (uint64_t)((sign(bits, a) - sign(bits, b)) >> 1))
ELEMENTS(uhsub, (a - b) >> 1)

/* ---- comparisons: all ones or zero ---- */

ELEMENTS(cmgt, -(uint64_t)(sign(bits, a) > sign(bits, b)))
ELEMENTS(cmhi, -(uint64_t)(a > b))
ELEMENTS(cmge, -(uint64_t)(sign(bits, a) >= sign(bits, b)))
ELEMENTS(cmhs, -(uint64_t)(a >= b))
ELEMENTS(cmeq, -(uint64_t)(a == b))
ELEMENTS(cmtst, -(uint64_t)((a & b) != 0))

ELEMENTS(smax, sign(bits, a) > sign(bits, b) ? a : b)
ELEMENTS(umax, a > b ? a : b)
ELEMENTS(smin, sign(bits, a) < sign(bits, b) ? a : b)
ELEMENTS(umin, a < b ? a : b)
ELEMENTS(sabd, sign(bits, a) > sign(bits, b) ? a - b : b - a)
ELEMENTS(uabd, a > b ? a - b : b - a)
ELEMENTS(saba, d + sabd(bits, d, a, b, fpsr))
ELEMENTS(uaba, d + uabd(bits, d, a, b, fpsr))

/* ---- saturating addition and subtraction: with the elements at the top of 64 bits ---- */

static inline uint64_t saturated(bool to_negative, uint32_t *fpsr)
{
	*fpsr |= FPSR_QC;
	return to_negative ? (uint64_t)INT64_MIN : INT64_MAX;
}

static inline uint64_t add_signed(unsigned bits, uint64_t a, uint64_t b, uint32_t *fpsr)
{
	int64_t x = (int64_t)(a << (64 - bits)), y = (int64_t)(b << (64 - bits)), sum;

	if (__builtin_add_overflow(x, y, &sum))
		return saturated(x < 0, fpsr) >> (64 - bits);
	return (uint64_t)sum >> (64 - bits);
}

static inline uint64_t sub_signed(unsigned bits, uint64_t a, uint64_t b, uint32_t *fpsr)
{
	int64_t x = (int64_t)(a << (64 - bits)), y = (int64_t)(b << (64 - bits)), difference;

	if (__builtin_sub_overflow(x, y, &difference))
		return saturated(x < 0, fpsr) >> (64 - bits);
	return (uint64_t)difference >> (64 - bits);
}

static inline uint64_t add_unsigned(unsigned bits, uint64_t a, uint64_t b, uint32_t *fpsr)
{
	uint64_t sum;

	if (!__builtin_add_overflow(a << (64 - bits), b << (64 - bits), &sum))
		return sum >> (64 - bits);
	*fpsr |= FPSR_QC;
	return UINT64_MAX;
}

static inline uint64_t sub_unsigned(uint64_t a, uint64_t b, uint32_t *fpsr)
{
	if (a >= b)
		return a - b;
	*fpsr |= FPSR_QC;
	return 0;
}

ELEMENTS(sqadd, add_signed(bits, a, b, fpsr))
ELEMENTS(uqadd, add_unsigned(bits, a, b, fpsr))
ELEMENTS(sqsub, sub_signed(bits, a, b, fpsr))
ELEMENTS(uqsub, sub_unsigned(a, b, fpsr))

/* ---- shifts by a register: the signed low byte, to the left if positive ---- */

static inline uint64_t right_signed(unsigned bits, uint64_t a, unsigned n, bool round)
{
	int64_t x = sign(bits, a);

	if (n > 63)
		return round ? 0 : (uint64_t)(x >> 63);
	return (uint64_t)(x >> n) + (round ? x >> (n - 1) & 1 : 0);
}

static inline uint64_t right_unsigned(uint64_t a, unsigned n, bool round)
{
	uint64_t half = round && n <= 64 ? a >> (n - 1) & 1 : 0;

	return (n > 63 ? 0 : a >> n) + half;
}

static inline uint64_t left_signed(unsigned bits, uint64_t a, unsigned n, uint32_t *fpsr)
{
	int64_t x = sign(bits, a);
	int64_t y = n < bits ? sign(bits, (uint64_t)x << n) : 0;

	if (n < bits ? y >> n == x : x == 0)
		return (uint64_t)y;
	return saturated(x < 0, fpsr) >> (64 - bits);
}

static inline uint64_t left_unsigned(unsigned bits, uint64_t a, unsigned n, uint32_t *fpsr)
{
	uint64_t y = n < bits ? zero(bits, a << n) : 0;

	if (n < bits ? y >> n == a : a == 0)
		return y;
	*fpsr |= FPSR_QC;
	return UINT64_MAX;
}

static inline uint64_t shift_signed(unsigned bits, uint64_t a, uint64_t b, bool round,
				    bool saturate, uint32_t *fpsr)
{
	int n = (int8_t)b;

	if (n < 0)
		return right_signed(bits, a, (unsigned)-n, round);
	if (saturate)
		return left_signed(bits, a, (unsigned)n, fpsr);
	return n > 63 ? 0 : a << n;
}

static inline uint64_t shift_unsigned(unsigned bits, uint64_t a, uint64_t b, bool round,
				      bool saturate, uint32_t *fpsr)
{
	int n = (int8_t)b;

	if (n < 0)
		return right_unsigned(a, (unsigned)-n, round);
	if (saturate)
		return left_unsigned(bits, a, (unsigned)n, fpsr);
	return n > 63 ? 0 : a << n;
}

ELEMENTS(sshl, shift_signed(bits, a, b, false, false, fpsr))
ELEMENTS(ushl, shift_unsigned(bits, a, b, false, false, fpsr))
ELEMENTS(srshl, shift_signed(bits, a, b, true, false, fpsr))
ELEMENTS(urshl, shift_unsigned(bits, a, b, true, false, fpsr))
ELEMENTS(sqshl, shift_signed(bits, a, b, false, true, fpsr))
ELEMENTS(uqshl, shift_unsigned(bits, a, b, false, true, fpsr))
ELEMENTS(sqrshl, shift_signed(bits, a, b, true, true, fpsr))
ELEMENTS(uqrshl, shift_unsigned(bits, a, b, true, true, fpsr))

/* ---- saturating multiplication ---- */

/* Of the high half of twice v. With v instead of 2v, 64 bits are enough for elements of 32. */
static inline uint64_t high_half(unsigned bits, int64_t v, uint32_t *fpsr)
{
	v >>= bits - 1;
	if (sign(bits, (uint64_t)v) == v)
		return (uint64_t)v;
	return saturated(v < 0, fpsr) >> (64 - bits);
}

/* d and the product a * b, and a half to round, for high_half(). Sizes are 16 and 32 bits; 8 and 64 are
 * there for each() only, hence the unsigned arithmetic. */
static inline int64_t product(unsigned bits, uint64_t a, uint64_t b)
{
	return (int64_t)((uint64_t)sign(bits, a) * (uint64_t)sign(bits, b));
}

static inline int64_t rounded(unsigned bits, uint64_t d, int64_t v)
{
	uint64_t addend = (uint64_t)sign(bits, d) << (bits - 1);

	return (int64_t)(addend + (uint64_t)v + (1ULL << (bits - 2)));
}

ELEMENTS(sqdmulh, high_half(bits, product(bits, a, b), fpsr))
ELEMENTS(sqrdmulh, high_half(bits, rounded(bits, 0, product(bits, a, b)), fpsr))
ELEMENTS(sqrdmlah, high_half(bits, rounded(bits, d, product(bits, a, b)), fpsr))
ELEMENTS(sqrdmlsh, high_half(bits, rounded(bits, d, -product(bits, a, b)), fpsr))

/* Only the square of the smallest value is too large. */
static inline uint64_t doubled(unsigned bits, uint64_t a, uint64_t b, uint32_t *fpsr)
{
	uint64_t p = a * b;

	return add_signed(bits, p, p, fpsr);
}

ELEMENTS(sqdmull, doubled(bits, a, b, fpsr))
ELEMENTS(sqdmlal, add_signed(bits, d, doubled(bits, a, b, fpsr), fpsr))
ELEMENTS(sqdmlsl, sub_signed(bits, d, doubled(bits, a, b, fpsr), fpsr))

/* ---- others ---- */

void simd_sdot(unsigned size, union soft_v *restrict d, const union soft_v *restrict n,
	       const union soft_v *restrict m, uint32_t *restrict fpsr)
{
	for (unsigned i = 0; i < 16; i++)
		d->s[i / 4] += (uint32_t)((int8_t)n->b[i] * (int8_t)m->b[i]);
}

void simd_udot(unsigned size, union soft_v *restrict d, const union soft_v *restrict n,
	       const union soft_v *restrict m, uint32_t *restrict fpsr)
{
	for (unsigned i = 0; i < 16; i++)
		d->s[i / 4] += (uint32_t)n->b[i] * m->b[i];
}

union soft_v simd_replicate(unsigned size, uint64_t v)
{
	static const uint64_t every[] = {0x0101010101010101, 0x0001000100010001, 0x100000001, 1};
	uint64_t half = zero(8U << size, v) * every[size];

	return (union soft_v){.d = {half, half}};
}
