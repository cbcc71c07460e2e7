// SPDX-License-Identifier: Apache-2.0
/*
 * The scalar floating-point group: Arm ARM (DDI 0487), C4.1.96 "Floating-point data processing" to
 * "Conversion between floating-point and integer", and the instructions' pages in C7.2.
 */
#include "hv/soft/flags.h"
#include "hv/soft/fp_lane.h"

/* ---- one source ---- */

static void round_int(struct soft_cpu *c, uint32_t w, unsigned size, enum fp_rounding mode,
		      bool exact)
{
	scalar1(c, w, size, lane_round_int, &(struct lane_arg){.mode = mode, .exact = exact});
}

SOFT_FP_ROW(FMOV, scalar1(c, w, lane_size(w), lane_copy, NULL))
SOFT_FP_ROW(FMOV_h, scalar1(c, w, 16, lane_copy, NULL))
SOFT_FP_ROW(FABS, scalar1(c, w, lane_size(w), lane_abs, NULL))
SOFT_FP_ROW(FABS_h, scalar1(c, w, 16, lane_abs, NULL))
SOFT_FP_ROW(FNEG, scalar1(c, w, lane_size(w), lane_neg, NULL))
SOFT_FP_ROW(FNEG_h, scalar1(c, w, 16, lane_neg, NULL))
SOFT_FP_ROW(FSQRT, scalar1(c, w, lane_size(w), lane_sqrt, NULL))
SOFT_FP_ROW(FSQRT_h, scalar1(c, w, 16, lane_sqrt, NULL))
SOFT_FP_ROW(FRINT, round_int(c, w, lane_size(w), a64_rmode15(w), false))
SOFT_FP_ROW(FRINT_h, round_int(c, w, 16, a64_rmode15(w), false))
SOFT_FP_ROW(FRINTA, round_int(c, w, lane_size(w), FP_TIEAWAY, false))
SOFT_FP_ROW(FRINTA_h, round_int(c, w, 16, FP_TIEAWAY, false))
SOFT_FP_ROW(FRINTX, round_int(c, w, lane_size(w), fp_rounding_mode(&c->fp), true))
SOFT_FP_ROW(FRINTX_h, round_int(c, w, 16, fp_rounding_mode(&c->fp), true))
SOFT_FP_ROW(FRINTI, round_int(c, w, lane_size(w), fp_rounding_mode(&c->fp), false))
SOFT_FP_ROW(FRINTI_h, round_int(c, w, 16, fp_rounding_mode(&c->fp), false))

void soft_FRINT32_64(struct soft_cpu *c, uint32_t w)
{
	struct lane_arg g = {.mode = a64_exact15(w) ? fp_rounding_mode(&c->fp) : FP_TOZERO,
			     .width = a64_is64_16(w) ? 64 : 32};

	scalar1(c, w, lane_size(w), lane_round_int_n, &g);
}

enum { SINGLE, DOUBLE, HALF = 3 }; /* ftype */

void soft_FCVT(struct soft_cpu *c, uint32_t w)
{
	static const uint8_t size[] = {[SINGLE] = 32, [DOUBLE] = 64, [HALF] = 16};
	unsigned from = a64_ftype(w), to = a64_opc15(w);
	uint64_t v;

	if (from == to) {
		soft_undefined(c);
		return;
	}
	if (!soft_fp_check(c))
		return;
	v = scalar_get(c, a64_Rn(w), size[from]);
	if (from == SINGLE)
		v = to == DOUBLE ? fp32_to_fp64((uint32_t)v, &c->fp)
				 : fp32_to_fp16((uint32_t)v, &c->fp);
	else if (from == DOUBLE)
		v = to == SINGLE ? fp64_to_fp32(v, &c->fp) : fp64_to_fp16(v, &c->fp);
	else
		v = to == SINGLE ? fp16_to_fp32((uint16_t)v, &c->fp)
				 : fp16_to_fp64((uint16_t)v, &c->fp);
	scalar_set(c, a64_Rd(w), size[to], v);
}

/* ---- two and three sources ---- */

static uint64_t negated_product(unsigned size, uint64_t a, uint64_t b, struct fp_env *e)
{
	return lane_neg(size, lane_mul(size, a, b, e), NULL, e);
}

SOFT_FP_ROW(FMUL, scalar2(c, w, lane_size(w), lane_mul))
SOFT_FP_ROW(FMUL_h, scalar2(c, w, 16, lane_mul))
SOFT_FP_ROW(FDIV, scalar2(c, w, lane_size(w), lane_div))
SOFT_FP_ROW(FDIV_h, scalar2(c, w, 16, lane_div))
SOFT_FP_ROW(FADD, scalar2(c, w, lane_size(w), lane_add))
SOFT_FP_ROW(FADD_h, scalar2(c, w, 16, lane_add))
SOFT_FP_ROW(FSUB, scalar2(c, w, lane_size(w), lane_sub))
SOFT_FP_ROW(FSUB_h, scalar2(c, w, 16, lane_sub))
SOFT_FP_ROW(FMAX, scalar2(c, w, lane_size(w), lane_max))
SOFT_FP_ROW(FMAX_h, scalar2(c, w, 16, lane_max))
SOFT_FP_ROW(FMIN, scalar2(c, w, lane_size(w), lane_min))
SOFT_FP_ROW(FMIN_h, scalar2(c, w, 16, lane_min))
SOFT_FP_ROW(FMAXNM, scalar2(c, w, lane_size(w), lane_maxnum))
SOFT_FP_ROW(FMAXNM_h, scalar2(c, w, 16, lane_maxnum))
SOFT_FP_ROW(FMINNM, scalar2(c, w, lane_size(w), lane_minnum))
SOFT_FP_ROW(FMINNM_h, scalar2(c, w, 16, lane_minnum))
SOFT_FP_ROW(FNMUL, scalar2(c, w, lane_size(w), negated_product))
SOFT_FP_ROW(FNMUL_h, scalar2(c, w, 16, negated_product))

static inline void multiply_add(struct soft_cpu *c, uint32_t w, unsigned size, bool negate_addend,
				bool negate_product)
{
	uint64_t sign = 1ULL << (size - 1);
	uint64_t a = scalar_get(c, a64_Ra(w), size), n = scalar_get(c, a64_Rn(w), size);

	if (!soft_fp_check(c))
		return;
	a ^= negate_addend ? sign : 0;
	n ^= negate_product ? sign : 0;
	a = lane_muladd(size, a, n, scalar_get(c, a64_Rm(w), size), &c->fp);
	scalar_set(c, a64_Rd(w), size, a);
}

SOFT_FP_ROW(FMADD, multiply_add(c, w, lane_size(w), false, false))
SOFT_FP_ROW(FMADD_h, multiply_add(c, w, 16, false, false))
SOFT_FP_ROW(FMSUB, multiply_add(c, w, lane_size(w), false, true))
SOFT_FP_ROW(FMSUB_h, multiply_add(c, w, 16, false, true))
SOFT_FP_ROW(FNMADD, multiply_add(c, w, lane_size(w), true, true))
SOFT_FP_ROW(FNMADD_h, multiply_add(c, w, 16, true, true))
SOFT_FP_ROW(FNMSUB, multiply_add(c, w, lane_size(w), true, false))
SOFT_FP_ROW(FNMSUB_h, multiply_add(c, w, 16, true, false))

/* ---- comparison, selection, immediates ---- */

static void set_flags(struct soft_cpu *c, uint32_t w, unsigned size, uint64_t b)
{
	uint64_t a = scalar_get(c, a64_Rn(w), size);
	bool signal = a64_signal4(w);
	unsigned nzcv;

	if (size == 64)
		nzcv = fp64_compare(a, b, signal, &c->fp);
	else if (size == 32)
		nzcv = fp32_compare((uint32_t)a, (uint32_t)b, signal, &c->fp);
	else
		nzcv = fp16_compare((uint16_t)a, (uint16_t)b, signal, &c->fp);
	c->nzcv = nzcv << 28;
}

static void compare(struct soft_cpu *c, uint32_t w, unsigned size)
{
	if (soft_fp_check(c))
		set_flags(c, w, size, a64_zero3(w) ? 0 : scalar_get(c, a64_Rm(w), size));
}

static void compare_if(struct soft_cpu *c, uint32_t w, unsigned size)
{
	if (!soft_fp_check(c))
		return;
	if (soft_condition(c, a64_cond(w)))
		set_flags(c, w, size, scalar_get(c, a64_Rm(w), size));
	else
		c->nzcv = a64_nzcv(w) << 28;
}

static void select_if(struct soft_cpu *c, uint32_t w, unsigned size)
{
	unsigned from = soft_condition(c, a64_cond(w)) ? a64_Rn(w) : a64_Rm(w);

	if (soft_fp_check(c))
		scalar_set(c, a64_Rd(w), size, scalar_get(c, from, size));
}

static void immediate(struct soft_cpu *c, uint32_t w, unsigned size)
{
	if (soft_fp_check(c))
		scalar_set(c, a64_Rd(w), size, lane_immediate(size, a64_imm8_13(w)));
}

SOFT_FP_ROW(FCMP, compare(c, w, lane_size(w)))
SOFT_FP_ROW(FCMP_h, compare(c, w, 16))
SOFT_FP_ROW(FCCMP, compare_if(c, w, lane_size(w)))
SOFT_FP_ROW(FCCMP_h, compare_if(c, w, 16))
SOFT_FP_ROW(FCSEL, select_if(c, w, lane_size(w)))
SOFT_FP_ROW(FCSEL_h, select_if(c, w, 16))
SOFT_FP_ROW(FMOV_imm, immediate(c, w, lane_size(w)))
SOFT_FP_ROW(FMOV_imm_h, immediate(c, w, 16))

/* ---- from and to general registers ---- */

static void to_general(struct soft_cpu *c, uint32_t w, unsigned size, enum fp_rounding mode,
		       bool is_unsigned, unsigned fbits)
{
	struct lane_arg g = {.mode = mode,
			     .is_unsigned = is_unsigned,
			     .fbits = (uint8_t)fbits,
			     .width = a64_sf(w) ? 64 : 32};

	if (soft_fp_check(c))
		soft_set_x(c, a64_Rd(w),
			   lane_to_fixed(size, scalar_get(c, a64_Rn(w), size), &g, &c->fp));
}

static void from_general(struct soft_cpu *c, uint32_t w, unsigned size, bool is_unsigned,
			 unsigned fbits)
{
	struct lane_arg g = {.mode = fp_rounding_mode(&c->fp),
			     .is_unsigned = is_unsigned,
			     .fbits = (uint8_t)fbits,
			     .width = a64_sf(w) ? 64 : 32};

	if (soft_fp_check(c))
		scalar_set(c, a64_Rd(w), size,
			   lane_from_fixed(size, soft_x(c, a64_Rn(w)), &g, &c->fp));
}

/* More fraction bits than the register has: UNDEFINED. */
static bool scale_ok(struct soft_cpu *c, uint32_t w)
{
	if (a64_sf(w) || a64_scale(w) >= 32)
		return true;
	soft_undefined(c);
	return false;
}

static void to_fixed(struct soft_cpu *c, uint32_t w, unsigned size, bool is_unsigned)
{
	if (scale_ok(c, w))
		to_general(c, w, size, FP_TOZERO, is_unsigned, 64 - a64_scale(w));
}

static void from_fixed(struct soft_cpu *c, uint32_t w, unsigned size, bool is_unsigned)
{
	if (scale_ok(c, w))
		from_general(c, w, size, is_unsigned, 64 - a64_scale(w));
}

SOFT_FP_ROW(SCVTF_fix, from_fixed(c, w, lane_size(w), false))
SOFT_FP_ROW(SCVTF_fix_h, from_fixed(c, w, 16, false))
SOFT_FP_ROW(UCVTF_fix, from_fixed(c, w, lane_size(w), true))
SOFT_FP_ROW(UCVTF_fix_h, from_fixed(c, w, 16, true))
SOFT_FP_ROW(FCVTZS_fix, to_fixed(c, w, lane_size(w), false))
SOFT_FP_ROW(FCVTZS_fix_h, to_fixed(c, w, 16, false))
SOFT_FP_ROW(FCVTZU_fix, to_fixed(c, w, lane_size(w), true))
SOFT_FP_ROW(FCVTZU_fix_h, to_fixed(c, w, 16, true))
SOFT_FP_ROW(FCVTS, to_general(c, w, lane_size(w), a64_rmode(w), false, 0))
SOFT_FP_ROW(FCVTS_h, to_general(c, w, 16, a64_rmode(w), false, 0))
SOFT_FP_ROW(FCVTU, to_general(c, w, lane_size(w), a64_rmode(w), true, 0))
SOFT_FP_ROW(FCVTU_h, to_general(c, w, 16, a64_rmode(w), true, 0))
SOFT_FP_ROW(SCVTF, from_general(c, w, lane_size(w), false, 0))
SOFT_FP_ROW(SCVTF_h, from_general(c, w, 16, false, 0))
SOFT_FP_ROW(UCVTF, from_general(c, w, lane_size(w), true, 0))
SOFT_FP_ROW(UCVTF_h, from_general(c, w, 16, true, 0))
SOFT_FP_ROW(FCVTAS, to_general(c, w, lane_size(w), FP_TIEAWAY, false, 0))
SOFT_FP_ROW(FCVTAS_h, to_general(c, w, 16, FP_TIEAWAY, false, 0))
SOFT_FP_ROW(FCVTAU, to_general(c, w, lane_size(w), FP_TIEAWAY, true, 0))
SOFT_FP_ROW(FCVTAU_h, to_general(c, w, 16, FP_TIEAWAY, true, 0))

void soft_FJCVTZS(struct soft_cpu *c, uint32_t w)
{
	bool exact;

	if (!soft_fp_check(c))
		return;
	soft_set_x(c, a64_Rd(w), fp64_to_int32_js(c->v[a64_Rn(w)].d[0], &exact, &c->fp));
	c->nzcv = exact ? SOFT_Z : 0;
}

static void move_out(struct soft_cpu *c, uint32_t w, unsigned size, unsigned i)
{
	if (soft_fp_check(c))
		soft_set_x(c, a64_Rd(w), lane_get(&c->v[a64_Rn(w)], size, i));
}

static void move_in(struct soft_cpu *c, uint32_t w, unsigned size)
{
	if (soft_fp_check(c))
		scalar_set(c, a64_Rd(w), size, soft_x(c, a64_Rn(w)));
}

SOFT_FP_ROW(FMOV_ws, move_out(c, w, 32, 0))
SOFT_FP_ROW(FMOV_sw, move_in(c, w, 32))
SOFT_FP_ROW(FMOV_xd, move_out(c, w, 64, 0))
SOFT_FP_ROW(FMOV_dx, move_in(c, w, 64))
SOFT_FP_ROW(FMOV_xv, move_out(c, w, 64, 1))
SOFT_FP_ROW(FMOV_xh, move_out(c, w, 16, 0))
SOFT_FP_ROW(FMOV_hx, move_in(c, w, 16))

/* The lower half stays. */
void soft_FMOV_vx(struct soft_cpu *c, uint32_t w)
{
	if (soft_fp_check(c))
		c->v[a64_Rd(w)].d[1] = soft_x(c, a64_Rn(w));
}
