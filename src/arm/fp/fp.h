/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floating point, bit for bit as AArch64 does it: the shared/functions/float pseudocode of the Arm
 * ARM (DDI 0487), appendix J1, for half, single and double precision. Integer arithmetic only; the
 * host's floating-point unit and its modes are not used.
 *
 * Values are their encodings. FPCR is read, cumulative exception bits are ORed into FPSR; nothing
 * else is touched. Trapped exceptions are not implemented (the trap enable bits are RAZ), nor are
 * FEAT_AFP (FPCR.AH, FIZ, NEP) and FEAT_RPRES.
 *
 * Pure; any thread that owns the fp_env.
 */
#ifndef ARM_FP_FP_H
#define ARM_FP_FP_H

#include <stdbool.h>
#include <stdint.h>

#define FPCR_AHP	 (1U << 26)
#define FPCR_DN		 (1U << 25)
#define FPCR_FZ		 (1U << 24)
#define FPCR_RMODE_SHIFT 22
#define FPCR_RMODE	 (3U << FPCR_RMODE_SHIFT)
#define FPCR_FZ16	 (1U << 19)

#define FPSR_QC		 (1U << 27)
#define FPSR_IDC	 (1U << 7)
#define FPSR_IXC	 (1U << 4)
#define FPSR_UFC	 (1U << 3)
#define FPSR_OFC	 (1U << 2)
#define FPSR_DZC	 (1U << 1)
#define FPSR_IOC	 (1U << 0)

struct fp_env {
	uint32_t fpcr;
	uint32_t fpsr;
};

/* The first four as in FPCR.RMode. */
enum fp_rounding {
	FP_TIEEVEN,
	FP_POSINF,
	FP_NEGINF,
	FP_TOZERO,
	FP_TIEAWAY,
	FP_ODD,
};

/* FPRoundingMode(): the mode FPCR asks for. */
static inline enum fp_rounding fp_rounding_mode(const struct fp_env *env)
{
	return (enum fp_rounding)(env->fpcr >> FPCR_RMODE_SHIFT & 3);
}

/*
 * The functions of one precision, fp16_..., fp32_... and fp64_...: T is the type of an encoding.
 *
 * add sub mul mulx div	    FPAdd FPSub FPMul FPMulX FPDiv
 * sqrt			    FPSqrt
 * muladd		    FPMulAdd: addend + a * b, rounded once
 * max min maxnum minnum    FPMax FPMin FPMaxNum FPMinNum
 * recps rsqrts		    FPRecipStepFused 2 - a * b, FPRSqrtStepFused (3 - a * b) / 2
 * recpe rsqrte recpx	    FPRecipEstimate FPRSqrtEstimate FPRecpX
 * compare		    FPCompare: the new PSTATE.NZCV in bits 3:0; signal_nans as FCMPE does
 * eq ge gt		    FPCompareEQ FPCompareGE FPCompareGT
 * round_int		    FPRoundInt; exact: signal Inexact, as FRINTX does
 * to_fixed		    FPToFixed: width 16, 32 or 64, fbits 0..64; the result zero-extended
 * from_fixed		    FixedToFP of the low `width` (1..64) bits of the operand
 * abs neg		    FPAbs FPNeg
 */
#define FP_DECLARE(n, T)                                                                           \
	T fp##n##_add(T a, T b, struct fp_env *env);                                               \
	T fp##n##_sub(T a, T b, struct fp_env *env);                                               \
	T fp##n##_mul(T a, T b, struct fp_env *env);                                               \
	T fp##n##_mulx(T a, T b, struct fp_env *env);                                              \
	T fp##n##_div(T a, T b, struct fp_env *env);                                               \
	T fp##n##_sqrt(T a, struct fp_env *env);                                                   \
	T fp##n##_muladd(T addend, T a, T b, struct fp_env *env);                                  \
	T fp##n##_max(T a, T b, struct fp_env *env);                                               \
	T fp##n##_min(T a, T b, struct fp_env *env);                                               \
	T fp##n##_maxnum(T a, T b, struct fp_env *env);                                            \
	T fp##n##_minnum(T a, T b, struct fp_env *env);                                            \
	T fp##n##_recps(T a, T b, struct fp_env *env);                                             \
	T fp##n##_rsqrts(T a, T b, struct fp_env *env);                                            \
	T fp##n##_recpe(T a, struct fp_env *env);                                                  \
	T fp##n##_rsqrte(T a, struct fp_env *env);                                                 \
	T fp##n##_recpx(T a, struct fp_env *env);                                                  \
	unsigned fp##n##_compare(T a, T b, bool signal_nans, struct fp_env *env);                  \
	bool fp##n##_eq(T a, T b, struct fp_env *env);                                             \
	bool fp##n##_ge(T a, T b, struct fp_env *env);                                             \
	bool fp##n##_gt(T a, T b, struct fp_env *env);                                             \
	T fp##n##_round_int(T a, enum fp_rounding mode, bool exact, struct fp_env *env);           \
	uint64_t fp##n##_to_fixed(T a, unsigned fbits, bool is_unsigned, unsigned width,           \
				  enum fp_rounding mode, struct fp_env *env);                      \
	T fp##n##_from_fixed(uint64_t a, unsigned fbits, bool is_unsigned, unsigned width,         \
			     enum fp_rounding mode, struct fp_env *env);                           \
	static inline T fp##n##_abs(T a)                                                           \
	{                                                                                          \
		return (T)(a & ~((T)1 << ((n)-1)));                                                \
	}                                                                                          \
	static inline T fp##n##_neg(T a)                                                           \
	{                                                                                          \
		return (T)(a ^ ((T)1 << ((n)-1)));                                                 \
	}

FP_DECLARE(16, uint16_t)
FP_DECLARE(32, uint32_t)
FP_DECLARE(64, uint64_t)

/* FPRoundIntN (FRINT32x, FRINT64x): to an integer that fits `width`, 32 or 64. */
uint32_t fp32_round_int_n(uint32_t a, enum fp_rounding mode, unsigned width, struct fp_env *env);
uint64_t fp64_round_int_n(uint64_t a, enum fp_rounding mode, unsigned width, struct fp_env *env);

/* FPMulAddH (FMLAL): addend + a * b, the factors in half precision. */
uint32_t fp32_muladd_h(uint32_t addend, uint16_t a, uint16_t b, struct fp_env *env);

/* FPConvert, in the rounding mode of FPCR. Half precision is as FPCR.AHP says. */
uint32_t fp16_to_fp32(uint16_t a, struct fp_env *env);
uint64_t fp16_to_fp64(uint16_t a, struct fp_env *env);
uint16_t fp32_to_fp16(uint32_t a, struct fp_env *env);
uint64_t fp32_to_fp64(uint32_t a, struct fp_env *env);
uint16_t fp64_to_fp16(uint64_t a, struct fp_env *env);
uint32_t fp64_to_fp32(uint64_t a, struct fp_env *env);

/* FPConvert with FPRounding_ODD (FCVTXN). */
uint32_t fp64_to_fp32_odd(uint64_t a, struct fp_env *env);

/* FPToFixedJS (FJCVTZS). `exact` becomes PSTATE.Z; N, C and V are 0. */
uint32_t fp64_to_int32_js(uint64_t a, bool *exact, struct fp_env *env);

/* UnsignedRecipEstimate, UnsignedRSqrtEstimate (URECPE, URSQRTE). */
uint32_t fp_unsigned_recpe(uint32_t a);
uint32_t fp_unsigned_rsqrte(uint32_t a);

#endif
