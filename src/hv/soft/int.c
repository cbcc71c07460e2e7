// SPDX-License-Identifier: Apache-2.0
/*
 * Integer data processing with immediate and register operands, but for the multiplications,
 * divisions and bit counts of int_ops.c. Arm ARM (DDI 0487), C4.1.92 and C4.1.95.
 */
#include "hv/soft/flags.h"

/* A result of 32 bits clears the upper half of the register. */
static inline uint64_t cut(uint32_t w, uint64_t v)
{
	return a64_sf(w) ? v : (uint32_t)v;
}

static inline void set_rd(struct soft_cpu *c, uint32_t w, uint64_t v)
{
	soft_set_x(c, a64_Rd(w), cut(w, v));
}

static inline void set_rd_sp(struct soft_cpu *c, uint32_t w, uint64_t v)
{
	soft_set_xsp(c, a64_Rd(w), cut(w, v));
}

static inline void set_nz(struct soft_cpu *c, uint32_t w, uint64_t v)
{
	c->nzcv = ((uint32_t)(a64_sf(w) ? v >> 32 : v) & SOFT_N) | (v ? 0 : SOFT_Z);
}

/* ---- operands ---- */

/* ShiftReg(); only logical instructions have ROR. False: UNDEFINED. */
static inline bool shifted(struct soft_cpu *c, uint32_t w, uint64_t *value)
{
	uint64_t v = soft_x(c, a64_Rm(w));
	unsigned n = a64_imm6(w);

	*value = v;
	if (!n)
		return true;
	if (!a64_sf(w)) {
		if (n >= 32) {
			soft_undefined(c);
			return false;
		}
		v = (uint32_t)v;
	}
	switch (a64_shift(w)) {
	case 0:
		*value = v << n;
		break;
	case 1:
		*value = v >> n;
		break;
	case 2:
		*value = (uint64_t)((a64_sf(w) ? (int64_t)v : (int32_t)v) >> n);
		break;
	default:
		*value = a64_sf(w) ? v >> n | v << (64 - n) : v >> n | v << (32 - n);
	}
	return true;
}

/* ExtendReg(). False: UNDEFINED. */
static inline bool extended(struct soft_cpu *c, uint32_t w, uint64_t *value)
{
	unsigned option = a64_option(w), drop = 64 - (8U << (option & 3));
	uint64_t v = soft_x(c, a64_Rm(w)) << drop;

	if (a64_imm3(w) > 4) {
		soft_undefined(c);
		return false;
	}
	*value = (option & 4 ? (uint64_t)((int64_t)v >> drop) : v >> drop) << a64_imm3(w);
	return true;
}

/*
 * DecodeBitMasks() of a logical immediate: an element of 2^len bits with imms + 1 of them set,
 * rotated by immr and repeated. Rotating all 64 bits rotates every element. False: UNDEFINED.
 */
static inline bool bit_mask(struct soft_cpu *c, uint32_t w, uint64_t *value)
{
	static const uint64_t repeat[] = {0,
					  0x5555555555555555,
					  0x1111111111111111,
					  0x0101010101010101,
					  0x0001000100010001,
					  0x0000000100000001,
					  1};
	unsigned size = a64_N22(w) << 6 | (~a64_imms(w) & 0x3f);
	unsigned len = 31 - (unsigned)__builtin_clz(size | 1), levels = (1U << len) - 1;
	unsigned s = a64_imms(w) & levels, r = a64_immr(w) & levels;

	if (len < 1 || s == levels || (a64_N22(w) && !a64_sf(w))) {
		soft_undefined(c);
		return false;
	}

	uint64_t v = (~0ULL >> (63 - s)) * repeat[len];

	*value = v >> r | v << (-r & 63);
	return true;
}

static inline uint64_t imm12(uint32_t w)
{
	return (uint64_t)a64_imm12(w) << (a64_sh(w) ? 12 : 0);
}

/* ---- addition ---- */

void soft_ADR(struct soft_cpu *c, uint32_t w)
{
	uint64_t offset = (uint64_t)sign_extend(a64_immhi(w) << 2 | a64_immlo(w), 21);

	soft_set_x(c, a64_Rd(w), c->pc + offset);
}

void soft_ADRP(struct soft_cpu *c, uint32_t w)
{
	uint64_t offset = (uint64_t)sign_extend(a64_immhi(w) << 2 | a64_immlo(w), 21);

	soft_set_x(c, a64_Rd(w), align_down(c->pc, 4096) + (offset << 12));
}

void soft_ADD_imm(struct soft_cpu *c, uint32_t w)
{
	set_rd_sp(c, w, soft_xsp(c, a64_Rn(w)) + imm12(w));
}

void soft_ADDS_imm(struct soft_cpu *c, uint32_t w)
{
	uint64_t v = soft_add_flags(c, a64_sf(w), soft_xsp(c, a64_Rn(w)), imm12(w), 0);

	soft_set_x(c, a64_Rd(w), v);
}

void soft_SUB_imm(struct soft_cpu *c, uint32_t w)
{
	set_rd_sp(c, w, soft_xsp(c, a64_Rn(w)) - imm12(w));
}

void soft_SUBS_imm(struct soft_cpu *c, uint32_t w)
{
	uint64_t v = soft_add_flags(c, a64_sf(w), soft_xsp(c, a64_Rn(w)), ~imm12(w), 1);

	soft_set_x(c, a64_Rd(w), v);
}

void soft_ADD_reg(struct soft_cpu *c, uint32_t w)
{
	uint64_t m;

	if (shifted(c, w, &m))
		set_rd(c, w, soft_x(c, a64_Rn(w)) + m);
}

void soft_SUB_reg(struct soft_cpu *c, uint32_t w)
{
	uint64_t m;

	if (shifted(c, w, &m))
		set_rd(c, w, soft_x(c, a64_Rn(w)) - m);
}

void soft_ADDS_reg(struct soft_cpu *c, uint32_t w)
{
	uint64_t n = soft_x(c, a64_Rn(w)), m;

	if (shifted(c, w, &m))
		soft_set_x(c, a64_Rd(w), soft_add_flags(c, a64_sf(w), n, m, 0));
}

void soft_SUBS_reg(struct soft_cpu *c, uint32_t w)
{
	uint64_t n = soft_x(c, a64_Rn(w)), m;

	if (shifted(c, w, &m))
		soft_set_x(c, a64_Rd(w), soft_add_flags(c, a64_sf(w), n, ~m, 1));
}

void soft_ADD_ext(struct soft_cpu *c, uint32_t w)
{
	uint64_t m;

	if (extended(c, w, &m))
		set_rd_sp(c, w, soft_xsp(c, a64_Rn(w)) + m);
}

void soft_SUB_ext(struct soft_cpu *c, uint32_t w)
{
	uint64_t m;

	if (extended(c, w, &m))
		set_rd_sp(c, w, soft_xsp(c, a64_Rn(w)) - m);
}

void soft_ADDS_ext(struct soft_cpu *c, uint32_t w)
{
	uint64_t n = soft_xsp(c, a64_Rn(w)), m;

	if (extended(c, w, &m))
		soft_set_x(c, a64_Rd(w), soft_add_flags(c, a64_sf(w), n, m, 0));
}

void soft_SUBS_ext(struct soft_cpu *c, uint32_t w)
{
	uint64_t n = soft_xsp(c, a64_Rn(w)), m;

	if (extended(c, w, &m))
		soft_set_x(c, a64_Rd(w), soft_add_flags(c, a64_sf(w), n, ~m, 1));
}

static inline bool carry(const struct soft_cpu *c)
{
	return c->nzcv & SOFT_C;
}

void soft_ADC(struct soft_cpu *c, uint32_t w)
{
	set_rd(c, w, soft_x(c, a64_Rn(w)) + soft_x(c, a64_Rm(w)) + carry(c));
}

void soft_SBC(struct soft_cpu *c, uint32_t w)
{
	set_rd(c, w, soft_x(c, a64_Rn(w)) + ~soft_x(c, a64_Rm(w)) + carry(c));
}

void soft_ADCS(struct soft_cpu *c, uint32_t w)
{
	uint64_t n = soft_x(c, a64_Rn(w)), m = soft_x(c, a64_Rm(w));

	soft_set_x(c, a64_Rd(w), soft_add_flags(c, a64_sf(w), n, m, carry(c)));
}

void soft_SBCS(struct soft_cpu *c, uint32_t w)
{
	uint64_t n = soft_x(c, a64_Rn(w)), m = soft_x(c, a64_Rm(w));

	soft_set_x(c, a64_Rd(w), soft_add_flags(c, a64_sf(w), n, ~m, carry(c)));
}

/* ---- logic ---- */

void soft_AND_imm(struct soft_cpu *c, uint32_t w)
{
	uint64_t m;

	if (bit_mask(c, w, &m))
		set_rd_sp(c, w, soft_x(c, a64_Rn(w)) & m);
}

void soft_ORR_imm(struct soft_cpu *c, uint32_t w)
{
	uint64_t m;

	if (bit_mask(c, w, &m))
		set_rd_sp(c, w, soft_x(c, a64_Rn(w)) | m);
}

void soft_EOR_imm(struct soft_cpu *c, uint32_t w)
{
	uint64_t m;

	if (bit_mask(c, w, &m))
		set_rd_sp(c, w, soft_x(c, a64_Rn(w)) ^ m);
}

static inline void set_rd_nz(struct soft_cpu *c, uint32_t w, uint64_t v)
{
	v = cut(w, v);
	set_nz(c, w, v);
	soft_set_x(c, a64_Rd(w), v);
}

void soft_ANDS_imm(struct soft_cpu *c, uint32_t w)
{
	uint64_t m;

	if (bit_mask(c, w, &m))
		set_rd_nz(c, w, soft_x(c, a64_Rn(w)) & m);
}

void soft_AND_reg(struct soft_cpu *c, uint32_t w)
{
	uint64_t m;

	if (shifted(c, w, &m))
		set_rd(c, w, soft_x(c, a64_Rn(w)) & m);
}

void soft_BIC_reg(struct soft_cpu *c, uint32_t w)
{
	uint64_t m;

	if (shifted(c, w, &m))
		set_rd(c, w, soft_x(c, a64_Rn(w)) & ~m);
}

void soft_ORR_reg(struct soft_cpu *c, uint32_t w)
{
	uint64_t m;

	if (shifted(c, w, &m))
		set_rd(c, w, soft_x(c, a64_Rn(w)) | m);
}

void soft_ORN_reg(struct soft_cpu *c, uint32_t w)
{
	uint64_t m;

	if (shifted(c, w, &m))
		set_rd(c, w, soft_x(c, a64_Rn(w)) | ~m);
}

void soft_EOR_reg(struct soft_cpu *c, uint32_t w)
{
	uint64_t m;

	if (shifted(c, w, &m))
		set_rd(c, w, soft_x(c, a64_Rn(w)) ^ m);
}

void soft_EON_reg(struct soft_cpu *c, uint32_t w)
{
	uint64_t m;

	if (shifted(c, w, &m))
		set_rd(c, w, soft_x(c, a64_Rn(w)) ^ ~m);
}

void soft_ANDS_reg(struct soft_cpu *c, uint32_t w)
{
	uint64_t m;

	if (shifted(c, w, &m))
		set_rd_nz(c, w, soft_x(c, a64_Rn(w)) & m);
}

void soft_BICS_reg(struct soft_cpu *c, uint32_t w)
{
	uint64_t m;

	if (shifted(c, w, &m))
		set_rd_nz(c, w, soft_x(c, a64_Rn(w)) & ~m);
}

/* ---- moves and bit fields ---- */

/* hw beyond 32 bits: UNDEFINED. */
static inline bool move_ok(struct soft_cpu *c, uint32_t w)
{
	if (a64_hw(w) < 2 || a64_sf(w))
		return true;
	soft_undefined(c);
	return false;
}

static inline uint64_t move_value(uint32_t w)
{
	return (uint64_t)a64_imm16(w) << (16 * a64_hw(w));
}

void soft_MOVZ(struct soft_cpu *c, uint32_t w)
{
	if (move_ok(c, w))
		soft_set_x(c, a64_Rd(w), move_value(w));
}

void soft_MOVN(struct soft_cpu *c, uint32_t w)
{
	if (move_ok(c, w))
		set_rd(c, w, ~move_value(w));
}

void soft_MOVK(struct soft_cpu *c, uint32_t w)
{
	uint64_t v = soft_x(c, a64_Rd(w));
	unsigned lo = 16 * a64_hw(w);

	if (move_ok(c, w))
		set_rd(c, w, bits_set(v, lo + 15, lo, a64_imm16(w)));
}

static inline bool field_ok(struct soft_cpu *c, uint32_t w)
{
	if (a64_N22(w) == a64_sf(w) && (a64_sf(w) || !((a64_immr(w) | a64_imms(w)) & 32)))
		return true;
	soft_undefined(c);
	return false;
}

/* Left shift of a bit field that goes up (imms < immr). */
static inline unsigned field_shift(uint32_t w)
{
	return (a64_sf(w) ? 64 : 32) - a64_immr(w);
}

void soft_UBFM(struct soft_cpu *c, uint32_t w)
{
	uint64_t v = soft_x(c, a64_Rn(w));
	unsigned r = a64_immr(w), s = a64_imms(w);

	if (!field_ok(c, w))
		return;
	v = s >= r ? bits(v, s, r) : bits(v, s, 0) << field_shift(w);
	soft_set_x(c, a64_Rd(w), v);
}

void soft_SBFM(struct soft_cpu *c, uint32_t w)
{
	uint64_t v = soft_x(c, a64_Rn(w));
	unsigned r = a64_immr(w), s = a64_imms(w);

	if (!field_ok(c, w))
		return;
	v = (uint64_t)sign_extend(v, s + 1);
	set_rd(c, w, s >= r ? (uint64_t)((int64_t)v >> r) : v << field_shift(w));
}

void soft_BFM(struct soft_cpu *c, uint32_t w)
{
	uint64_t v = soft_x(c, a64_Rn(w)), d = soft_x(c, a64_Rd(w));
	unsigned r = a64_immr(w), s = a64_imms(w);

	if (!field_ok(c, w))
		return;
	if (s >= r)
		d = bits_set(d, s - r, 0, v >> r);
	else
		d = bits_set(d, s + field_shift(w), field_shift(w), v);
	set_rd(c, w, d);
}

void soft_EXTR(struct soft_cpu *c, uint32_t w)
{
	uint64_t n = soft_x(c, a64_Rn(w)), m = soft_x(c, a64_Rm(w));
	unsigned lsb = a64_imms(w);

	if (a64_N22(w) != a64_sf(w) || (!a64_sf(w) && lsb >= 32)) {
		soft_undefined(c);
		return;
	}
	if (!a64_sf(w))
		m = n << 32 | (uint32_t)m;
	else if (lsb)
		m = n << (64 - lsb) | m >> lsb;
	set_rd(c, w, a64_sf(w) ? m : m >> lsb);
}

/* ---- conditions and flags ---- */

void soft_CSEL(struct soft_cpu *c, uint32_t w)
{
	set_rd(c, w, soft_x(c, soft_condition(c, a64_cond(w)) ? a64_Rn(w) : a64_Rm(w)));
}

void soft_CSINC(struct soft_cpu *c, uint32_t w)
{
	bool holds = soft_condition(c, a64_cond(w));

	set_rd(c, w, holds ? soft_x(c, a64_Rn(w)) : soft_x(c, a64_Rm(w)) + 1);
}

void soft_CSINV(struct soft_cpu *c, uint32_t w)
{
	bool holds = soft_condition(c, a64_cond(w));

	set_rd(c, w, holds ? soft_x(c, a64_Rn(w)) : ~soft_x(c, a64_Rm(w)));
}

void soft_CSNEG(struct soft_cpu *c, uint32_t w)
{
	bool holds = soft_condition(c, a64_cond(w));

	set_rd(c, w, holds ? soft_x(c, a64_Rn(w)) : -soft_x(c, a64_Rm(w)));
}

static inline void compare_if(struct soft_cpu *c, uint32_t w, uint64_t b, bool carry_in)
{
	if (soft_condition(c, a64_cond(w)))
		soft_add_flags(c, a64_sf(w), soft_x(c, a64_Rn(w)), b, carry_in);
	else
		c->nzcv = a64_nzcv(w) << 28;
}

void soft_CCMN_reg(struct soft_cpu *c, uint32_t w)
{
	compare_if(c, w, soft_x(c, a64_Rm(w)), 0);
}

void soft_CCMP_reg(struct soft_cpu *c, uint32_t w)
{
	compare_if(c, w, ~soft_x(c, a64_Rm(w)), 1);
}

void soft_CCMN_imm(struct soft_cpu *c, uint32_t w)
{
	compare_if(c, w, a64_imm5(w), 0);
}

void soft_CCMP_imm(struct soft_cpu *c, uint32_t w)
{
	compare_if(c, w, ~(uint64_t)a64_imm5(w), 1);
}

void soft_RMIF(struct soft_cpu *c, uint32_t w)
{
	uint64_t v = soft_x(c, a64_Rn(w));
	unsigned r = a64_imm6_15(w);
	uint32_t mask = a64_mask4(w) << 28;

	v = v >> r | v << (-r & 63);
	c->nzcv = (c->nzcv & ~mask) | ((uint32_t)v << 28 & mask);
}

static inline void set_flags_of(struct soft_cpu *c, uint32_t w, unsigned width)
{
	uint32_t v = (uint32_t)soft_x(c, a64_Rn(w)), top = v << (32 - width);

	c->nzcv = (top & SOFT_N) | (top ? 0 : SOFT_Z) | (c->nzcv & SOFT_C) |
		  (bit(v, width) != bit(v, width - 1) ? SOFT_V : 0);
}

void soft_SETF8(struct soft_cpu *c, uint32_t w)
{
	set_flags_of(c, w, 8);
}

void soft_SETF16(struct soft_cpu *c, uint32_t w)
{
	set_flags_of(c, w, 16);
}

void soft_CFINV(struct soft_cpu *c, uint32_t w)
{
	c->nzcv ^= SOFT_C;
}

void soft_XAFLAG(struct soft_cpu *c, uint32_t w)
{
	bool z = c->nzcv & SOFT_Z, carries = carry(c);

	c->nzcv = (!carries && !z ? SOFT_N : 0) | (z && carries ? SOFT_Z : 0) |
		  (carries || z ? SOFT_C : 0) | (!carries && z ? SOFT_V : 0);
}

void soft_AXFLAG(struct soft_cpu *c, uint32_t w)
{
	bool z = c->nzcv & SOFT_Z, v = c->nzcv & SOFT_V;

	c->nzcv = (z || v ? SOFT_Z : 0) | (carry(c) && !v ? SOFT_C : 0);
}
