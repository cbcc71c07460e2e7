/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rare side of packing and unpacking: zeros, denormals, infinities, NaNs and overflow.
 * Arm ARM (DDI 0487), appendix J1, shared/functions/float: FPUnpackBase, FPRoundBase, FPProcessNaN.
 */
#include "arm/fp/num.h"

static struct fp_num unpack_denormal(const struct fp_format *f, struct fp_num n, uint64_t frac)
{
	unsigned shift = (unsigned)__builtin_clzll(frac) - (63 - FP_SIG_TOP);

	n.kind = KIND_FINITE;
	n.sig = frac << shift;
	n.exp = 1 - f->bias + (FP_SIG_TOP - f->frac_bits) - (int)shift;
	return n;
}

/* The exponent field is all zeros or all ones. */
struct fp_num fp_unpack_special(const struct fp_format *f, uint64_t op, struct fp_env *env)
{
	uint64_t frac = op & fp_frac_mask(f);
	struct fp_num n = {.kind = KIND_ZERO, .sign = fp_sign(f, op)};

	if (op >> f->frac_bits & 1) {
		if (f->alternative) {
			n.kind = KIND_FINITE;
			n.sig = frac << (FP_SIG_TOP - f->frac_bits) | 1ULL << FP_SIG_TOP;
			n.exp = f->exp_mask - f->bias;
		} else if (frac) {
			n.kind = frac & fp_quiet_bit(f) ? KIND_QNAN : KIND_SNAN;
		} else {
			n.kind = KIND_INF;
		}
		return n;
	}
	if (!frac)
		return n;
	if (env->fpcr & f->flush) {
		env->fpsr |= f->flush_flag;
		return n;
	}
	return unpack_denormal(f, n, frac);
}

uint64_t fp_overflow(const struct fp_format *f, bool sign, enum fp_rounding mode,
		     struct fp_env *env)
{
	bool to_infinity = mode == FP_TIEEVEN || mode == FP_TIEAWAY ||
			   mode == (sign ? FP_NEGINF : FP_POSINF);

	if (f->alternative) {
		env->fpsr |= FPSR_IOC;
		return fp_zero(f, sign) | (fp_zero(f, true) - 1);
	}
	env->fpsr |= FPSR_OFC | FPSR_IXC;
	return fp_infinity(f, sign) - !to_infinity;
}

uint64_t fp_process_nan(const struct fp_format *f, uint64_t op, struct fp_env *env)
{
	if (fp_is_snan(f, op))
		env->fpsr |= FPSR_IOC;
	return env->fpcr & FPCR_DN ? fp_default_nan(f) : op | fp_quiet_bit(f);
}

uint64_t fp_process_nans(const struct fp_format *f, uint64_t op1, uint64_t op2, struct fp_env *env)
{
	return fp_process_nans3(f, op1, op2, op2, env);
}

/* The first signalling NaN in the order of the operands, else the first quiet one. */
uint64_t fp_process_nans3(const struct fp_format *f, uint64_t op1, uint64_t op2, uint64_t op3,
			  struct fp_env *env)
{
	const uint64_t ops[] = {op1, op2, op3};

	for (unsigned i = 0; i < 3; i++) {
		if (fp_is_snan(f, ops[i]))
			return fp_process_nan(f, ops[i], env);
	}
	for (unsigned i = 0; i < 2; i++) {
		if (fp_is_nan(f, ops[i]))
			return fp_process_nan(f, ops[i], env);
	}
	return fp_process_nan(f, op3, env);
}
