// SPDX-License-Identifier: Apache-2.0
/*
 * Advanced SIMD that moves elements about without looking at them: copy, permute, extract, table lookup,
 * modified immediate. Arm ARM (DDI 0487), C4.1.96, and the instructions' pages in C7.2.
 */
#include "hv/soft/fp_lane.h"

/* ---- elements: of 8 << log2 bits ---- */

static uint64_t element(const union soft_v *v, unsigned log2, unsigned i)
{
	return log2 ? lane_get(v, 8U << log2, i) : v->b[i];
}

static void set_element(union soft_v *v, unsigned log2, unsigned i, uint64_t value)
{
	if (log2)
		lane_set(v, 8U << log2, i, value);
	else
		v->b[i] = (uint8_t)value;
}

/* Replicate() */
static uint64_t replicate(uint64_t value, unsigned log2)
{
	static const uint64_t every[] = {0x0101010101010101, 0x0001000100010001, 0x100000001, 1};

	return (value & ~0ULL >> (64 - (8U << log2))) * every[log2];
}

/* The vector is 64 or 128 bits long; the rest of the register becomes zero. */
static void set_both(struct soft_cpu *c, uint32_t w, uint64_t low, uint64_t high)
{
	union soft_v *d = &c->v[a64_Rd(w)];

	d->d[0] = low;
	d->d[1] = a64_Q(w) ? high : 0;
}

/* ---- copy ---- */

/* imm5: the element's index, a one, and as many zeros as its size has. Four or more for no valid size. */
static unsigned log2_of(uint32_t w)
{
	return (unsigned)__builtin_ctz(a64_imm5(w) | 16);
}

static unsigned index_of(uint32_t w)
{
	return a64_imm5(w) >> (log2_of(w) + 1);
}

/* Whether to go on: the encoding is allocated, and FP is not trapped. */
static bool copy_check(struct soft_cpu *c, bool allocated)
{
	if (!allocated)
		soft_undefined(c);
	return allocated && soft_fp_check(c);
}

void soft_DUP_e(struct soft_cpu *c, uint32_t w)
{
	unsigned log2 = log2_of(w);
	uint64_t value;

	if (!copy_check(c, log2 < 3 + a64_Q(w)))
		return;
	value = replicate(element(&c->v[a64_Rn(w)], log2, index_of(w)), log2);
	set_both(c, w, value, value);
}

void soft_DUP_s(struct soft_cpu *c, uint32_t w)
{
	unsigned log2 = log2_of(w);

	if (copy_check(c, log2 < 4))
		scalar_set(c, a64_Rd(w), 8U << log2, element(&c->v[a64_Rn(w)], log2, index_of(w)));
}

void soft_DUP_g(struct soft_cpu *c, uint32_t w)
{
	unsigned log2 = log2_of(w);
	uint64_t value;

	if (!copy_check(c, log2 < 3 + a64_Q(w)))
		return;
	value = replicate(soft_x(c, a64_Rn(w)), log2);
	set_both(c, w, value, value);
}

void soft_SMOV(struct soft_cpu *c, uint32_t w)
{
	unsigned log2 = log2_of(w);
	uint64_t value;

	if (!copy_check(c, log2 < 2 + a64_Q(w)))
		return;
	value = (uint64_t)sign_extend(element(&c->v[a64_Rn(w)], log2, index_of(w)), 8U << log2);
	soft_set_x(c, a64_Rd(w), a64_Q(w) ? value : (uint32_t)value);
}

/* X registers are for 64-bit elements only. */
void soft_UMOV(struct soft_cpu *c, uint32_t w)
{
	unsigned log2 = log2_of(w);

	if (copy_check(c, a64_Q(w) ? log2 == 3 : log2 < 3))
		soft_set_x(c, a64_Rd(w), element(&c->v[a64_Rn(w)], log2, index_of(w)));
}

void soft_INS_g(struct soft_cpu *c, uint32_t w)
{
	unsigned log2 = log2_of(w);

	if (copy_check(c, log2 < 4))
		set_element(&c->v[a64_Rd(w)], log2, index_of(w), soft_x(c, a64_Rn(w)));
}

void soft_INS_e(struct soft_cpu *c, uint32_t w)
{
	unsigned log2 = log2_of(w);

	if (copy_check(c, log2 < 4))
		set_element(&c->v[a64_Rd(w)], log2, index_of(w),
			    element(&c->v[a64_Rn(w)], log2, a64_imm4_11(w) >> log2));
}

/* ---- permute ---- */

/* Where the result's element i of @count comes from: 0 to count-1 is Vn, count to 2*count-1 is Vm. */
typedef unsigned permute_fn(unsigned i, unsigned count, unsigned part);

static unsigned unzip(unsigned i, unsigned count, unsigned part)
{
	return 2 * i + part;
}

static unsigned transpose(unsigned i, unsigned count, unsigned part)
{
	return (i & 1) * count + (i & ~1U) + part;
}

static unsigned zip(unsigned i, unsigned count, unsigned part)
{
	return (i & 1) * count + i / 2 + part * count / 2;
}

static inline void permute(struct soft_cpu *c, uint32_t w, permute_fn *fn)
{
	const union soft_v *n = &c->v[a64_Rn(w)], *m = &c->v[a64_Rm(w)];
	unsigned log2 = a64_size(w), count = (8U << a64_Q(w)) >> log2;
	union soft_v d = {0};

	if (!copy_check(c, log2 < 3 + a64_Q(w)))
		return;
	for (unsigned i = 0; i < count; i++) {
		unsigned from = fn(i, count, a64_part14(w));

		set_element(&d, log2, i, element(from < count ? n : m, log2, from & (count - 1)));
	}
	c->v[a64_Rd(w)] = d;
}

SOFT_FP_ROW(UZP, permute(c, w, unzip))
SOFT_FP_ROW(TRN, permute(c, w, transpose))
SOFT_FP_ROW(ZIP, permute(c, w, zip))

/* ---- extract ---- */

void soft_EXT(struct soft_cpu *c, uint32_t w)
{
	const union soft_v *n = &c->v[a64_Rn(w)], *m = &c->v[a64_Rm(w)];
	unsigned size = a64_Q(w) ? 128 : 64, lo = 8 * a64_imm4_11(w);
	union soft_v d;

	if (!copy_check(c, lo < size))
		return;
	if (size == 64)
		d.q = (uint64_t)(((__uint128_t)m->d[0] << 64 | n->d[0]) >> lo);
	else
		d.q = lo ? n->q >> lo | m->q << (128 - lo) : n->q;
	c->v[a64_Rd(w)] = d;
}

/* ---- table lookup ---- */

/* Up to four registers, with V0 after V31. An index beyond them leaves what @d has. */
static void lookup(struct soft_cpu *c, uint32_t w, union soft_v d)
{
	const union soft_v m = c->v[a64_Rm(w)];
	unsigned bytes = 16 * (a64_len13(w) + 1);

	for (unsigned i = 0; i < 16; i++)
		if (m.b[i] < bytes)
			d.b[i] = c->v[(a64_Rn(w) + m.b[i] / 16) % 32].b[m.b[i] % 16];
	set_both(c, w, d.d[0], d.d[1]);
}

void soft_TBL(struct soft_cpu *c, uint32_t w)
{
	if (soft_fp_check(c))
		lookup(c, w, (union soft_v){0});
}

void soft_TBX(struct soft_cpu *c, uint32_t w)
{
	if (soft_fp_check(c))
		lookup(c, w, c->v[a64_Rd(w)]);
}

/* ---- modified immediate ---- */

static unsigned immediate8(uint32_t w)
{
	return a64_abc(w) << 5 | a64_defgh(w);
}

/* One bit of @imm for each byte. */
static uint64_t byte_mask(unsigned imm)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < 8; i++)
		if (bit(imm, i))
			mask |= 0xffULL << 8 * i;
	return mask;
}

/* AdvSIMDExpandImm(), before the inversion that MVNI and BIC have. */
static uint64_t expand(uint32_t w)
{
	unsigned imm = immediate8(w), cmode = a64_cmode(w);

	switch (cmode >> 1) {
	case 4:
	case 5:
		return replicate((uint64_t)imm << (cmode & 2 ? 8 : 0), 1);
	case 6: /* shifting ones in */
		return replicate(cmode & 1 ? imm << 16 | 0xffff : imm << 8 | 0xff, 2);
	case 7:
		if (cmode & 1)
			return a64_op29(w) ? lane_immediate(64, imm)
					   : replicate(lane_immediate(32, imm), 2);
		return a64_op29(w) ? byte_mask(imm) : replicate(imm, 0);
	default:
		return replicate((uint64_t)imm << 8 * (cmode >> 1), 2);
	}
}

void soft_MOVI(struct soft_cpu *c, uint32_t w)
{
	unsigned cmode = a64_cmode(w);
	uint64_t value = expand(w);

	/* FMOV has no 1D. */
	if (!copy_check(c, cmode != 15 || !a64_op29(w) || a64_Q(w)))
		return;
	if (a64_op29(w) && cmode < 14)
		value = ~value;
	set_both(c, w, value, value);
}

void soft_FMOV_vi_h(struct soft_cpu *c, uint32_t w)
{
	uint64_t value = replicate(lane_immediate(16, immediate8(w)), 1);

	if (soft_fp_check(c))
		set_both(c, w, value, value);
}

/* ORR and BIC */
static void or_or_clear(struct soft_cpu *c, uint32_t w)
{
	const union soft_v d = c->v[a64_Rd(w)];
	uint64_t value = expand(w);

	if (!soft_fp_check(c))
		return;
	if (a64_op29(w))
		set_both(c, w, d.d[0] & ~value, d.d[1] & ~value);
	else
		set_both(c, w, d.d[0] | value, d.d[1] | value);
}

SOFT_FP_ROW(ORR_vi32, or_or_clear(c, w))
SOFT_FP_ROW(ORR_vi16, or_or_clear(c, w))
