/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads and stores of one or two registers: C6.2 and C7.2 of the Arm ARM (DDI 0487), LDR, STR, LDP and
 * STP with all their forms. A row per size and form: sizes are constants here, and what is left of each
 * is an addition, a look into the TLB and a move.
 *
 * CONSTRAINED UNPREDICTABLE, as the functions below come out: a load with write-back to the register it
 * loads leaves the address there (UNKNOWN is allowed); a store with write-back of its base stores the
 * old value; LDP of one general register twice leaves the first value, of one SIMD&FP register the second.
 * QEMU does the same.
 */
#include "hv/soft/cpu.h"

#include <string.h>

#define ALWAYS static inline __attribute__((always_inline))

enum form { IMM, UNSCALED, POST, PRE, REG, LIT, OFF /* pairs */ };

enum extend { ZERO, SIGN_W, SIGN_X };

struct address {
	uint64_t va, back; /* back: new value of the base register */
};

ALWAYS uint64_t imm9(uint32_t w)
{
	return sign_extend(a64_imm9(w), 9);
}

/* ExtendReg(): bits 15:13 are UXTW, LSL (UXTX), SXTW, SXTX. */
ALWAYS uint64_t register_offset(const struct soft_cpu *c, uint32_t w, unsigned scale)
{
	uint64_t m = soft_x(c, a64_Rm(w));
	unsigned option = a64_option(w);

	if (option == 2)
		m = (uint32_t)m;
	else if (option == 6)
		m = (int32_t)m;
	return a64_S12(w) ? m << scale : m;
}

/* False: the base is SP and misaligned. */
ALWAYS bool find_address(struct soft_cpu *c, uint32_t w, enum form form, unsigned scale,
			 struct address *a)
{
	unsigned rn = a64_Rn(w);
	uint64_t base;

	if (form == LIT) {
		a->va = c->pc + (uint64_t)sign_extend(a64_imm19(w), 19) * 4;
		return true;
	}
	if (!soft_check_sp(c, rn))
		return false;
	base = soft_xsp(c, rn);
	switch (form) {
	case IMM:
		a->va = base + ((uint64_t)a64_imm12(w) << scale);
		break;
	case UNSCALED:
		a->va = base + imm9(w);
		break;
	case REG:
		a->va = base + register_offset(c, w, scale);
		break;
	case PRE:
		a->va = a->back = base + imm9(w);
		break;
	default: /* POST */
		a->va = base;
		a->back = base + imm9(w);
	}
	return true;
}

ALWAYS bool writes_back(enum form form)
{
	return form == POST || form == PRE;
}

/* The syndrome that an abort reports: loads and stores of one register without write-back. */
ALWAYS unsigned syndrome(uint32_t w, enum form form, unsigned scale, enum extend extend)
{
	bool dst64 = extend == SIGN_X || (extend == ZERO && scale == 3);

	if (writes_back(form))
		return 0;
	return SOFT_MEM_ISV | (extend == ZERO ? 0 : SOFT_MEM_SIGN) | (dst64 ? SOFT_MEM_DST64 : 0) |
	       a64_Rt(w) << SOFT_MEM_RT_SHIFT;
}

ALWAYS uint64_t extended(uint64_t v, unsigned scale, enum extend extend)
{
	if (extend == ZERO)
		return v;
	v = sign_extend(v, 8U << scale);
	return extend == SIGN_X ? v : (uint32_t)v;
}

/* ---- one general register ---- */

ALWAYS void ldr(struct soft_cpu *c, uint32_t w, enum form form, unsigned scale, enum extend extend)
{
	struct address a;
	uint64_t v;

	if (!find_address(c, w, form, scale, &a) ||
	    !soft_read(c, a.va, 1U << scale, syndrome(w, form, scale, extend), &v))
		return;
	soft_set_x(c, a64_Rt(w), extended(v, scale, extend));
	if (writes_back(form))
		soft_set_xsp(c, a64_Rn(w), a.back);
}

ALWAYS void str(struct soft_cpu *c, uint32_t w, enum form form, unsigned scale)
{
	struct address a;

	if (!find_address(c, w, form, scale, &a) ||
	    !soft_write(c, a.va, 1U << scale, syndrome(w, form, scale, ZERO), soft_x(c, a64_Rt(w))))
		return;
	if (writes_back(form))
		soft_set_xsp(c, a64_Rn(w), a.back);
}

/* ---- one SIMD&FP register ---- */

ALWAYS bool read_v(struct soft_cpu *c, uint64_t va, unsigned scale, union soft_v *v)
{
	const void *p = soft_tlb_hit(c, va, 1U << scale, SOFT_READ);

	v->d[1] = 0;
	if (scale < 4)
		return soft_read(c, va, 1U << scale, 0, &v->d[0]);
	if (!p)
		return soft_read16(c, va, 0, v->d);
	memcpy(v, p, 16);
	return true;
}

ALWAYS bool write_v(struct soft_cpu *c, uint64_t va, unsigned scale, const union soft_v *v)
{
	void *p = soft_tlb_hit(c, va, 1U << scale, SOFT_WRITE);

	if (scale < 4)
		return soft_write(c, va, 1U << scale, 0, v->d[0]);
	if (!p)
		return soft_write16(c, va, 0, v->d);
	memcpy(p, v, 16);
	return true;
}

ALWAYS void ldr_v(struct soft_cpu *c, uint32_t w, enum form form, unsigned scale)
{
	struct address a;
	union soft_v v;

	if (!soft_fp_check(c) || !find_address(c, w, form, scale, &a) ||
	    !read_v(c, a.va, scale, &v))
		return;
	c->v[a64_Rt(w)] = v;
	if (writes_back(form))
		soft_set_xsp(c, a64_Rn(w), a.back);
}

ALWAYS void str_v(struct soft_cpu *c, uint32_t w, enum form form, unsigned scale)
{
	struct address a;

	if (!soft_fp_check(c) || !find_address(c, w, form, scale, &a) ||
	    !write_v(c, a.va, scale, &c->v[a64_Rt(w)]))
		return;
	if (writes_back(form))
		soft_set_xsp(c, a64_Rn(w), a.back);
}

/* The same code for every way to form an address. */
#define FORM(row, form, access, ...)                                                               \
	void soft_##row(struct soft_cpu *c, uint32_t w)                                            \
	{                                                                                          \
		access(c, w, form, __VA_ARGS__);                                                   \
	}
#define FORMS(name, ...)                                                                           \
	FORM(name##_imm, IMM, __VA_ARGS__)                                                         \
	FORM(name##_unscaled, UNSCALED, __VA_ARGS__)                                               \
	FORM(name##_post, POST, __VA_ARGS__)                                                       \
	FORM(name##_pre, PRE, __VA_ARGS__)                                                         \
	FORM(name##_reg, REG, __VA_ARGS__)

FORMS(STRB, str, 0)
FORMS(LDRB, ldr, 0, ZERO)
FORMS(LDRSB_X, ldr, 0, SIGN_X)
FORMS(LDRSB_W, ldr, 0, SIGN_W)
FORMS(STRH, str, 1)
FORMS(LDRH, ldr, 1, ZERO)
FORMS(LDRSH_X, ldr, 1, SIGN_X)
FORMS(LDRSH_W, ldr, 1, SIGN_W)
FORMS(STR_W, str, 2)
FORMS(LDR_W, ldr, 2, ZERO)
FORMS(LDRSW, ldr, 2, SIGN_X)
FORMS(STR_X, str, 3)
FORMS(LDR_X, ldr, 3, ZERO)
FORM(LDR_W_lit, LIT, ldr, 2, ZERO)
FORM(LDRSW_lit, LIT, ldr, 2, SIGN_X)
FORM(LDR_X_lit, LIT, ldr, 3, ZERO)

FORMS(STR_B, str_v, 0)
FORMS(LDR_B, ldr_v, 0)
FORMS(STR_H, str_v, 1)
FORMS(LDR_H, ldr_v, 1)
FORMS(STR_S, str_v, 2)
FORMS(LDR_S, ldr_v, 2)
FORMS(STR_D, str_v, 3)
FORMS(LDR_D, ldr_v, 3)
FORMS(STR_Q, str_v, 4)
FORMS(LDR_Q, ldr_v, 4)
FORM(LDR_S_lit, LIT, ldr_v, 2)
FORM(LDR_D_lit, LIT, ldr_v, 3)
FORM(LDR_Q_lit, LIT, ldr_v, 4)

/* ---- prefetch: a hint; its address is not even formed, so it finds no fault ---- */

void soft_PRFM_imm(struct soft_cpu *c, uint32_t w)
{
}

void soft_PRFM_unscaled(struct soft_cpu *c, uint32_t w)
{
}

void soft_PRFM_reg(struct soft_cpu *c, uint32_t w)
{
}

void soft_PRFM_lit(struct soft_cpu *c, uint32_t w)
{
}

/* ---- unprivileged ---- */

/* AArch64.IsUnprivAccessPriv(): EL1 and a host have an unprivileged view, and UAO makes these instructions ordinary
 * ones. */
static unsigned unprivileged(const struct soft_cpu *c)
{
	bool has_user = soft_el(c) == 1 || (soft_el(c) == 2 && c->el2_host);

	return has_user && !bit(c->pstate, 23) ? SOFT_MEM_UNPRIV : 0;
}

static void ldtr(struct soft_cpu *c, uint32_t w, enum extend extend)
{
	unsigned scale = a64_ldsize(w);
	struct address a;
	uint64_t v;

	if (!find_address(c, w, UNSCALED, scale, &a) ||
	    !soft_read(c, a.va, 1U << scale, syndrome(w, UNSCALED, scale, extend) | unprivileged(c),
		       &v))
		return;
	soft_set_x(c, a64_Rt(w), extended(v, scale, extend));
}

void soft_LDTR(struct soft_cpu *c, uint32_t w)
{
	ldtr(c, w, ZERO);
}

void soft_LDTRS_X(struct soft_cpu *c, uint32_t w)
{
	ldtr(c, w, SIGN_X);
}

void soft_LDTRS_W(struct soft_cpu *c, uint32_t w)
{
	ldtr(c, w, SIGN_W);
}

void soft_STTR(struct soft_cpu *c, uint32_t w)
{
	unsigned scale = a64_ldsize(w);
	struct address a;

	if (!find_address(c, w, UNSCALED, scale, &a))
		return;
	soft_write(c, a.va, 1U << scale, syndrome(w, UNSCALED, scale, ZERO) | unprivileged(c),
		   soft_x(c, a64_Rt(w)));
}

/* ---- pairs ---- */

ALWAYS bool find_pair(struct soft_cpu *c, uint32_t w, enum form form, unsigned scale,
		      struct address *a)
{
	uint64_t offset = (uint64_t)sign_extend(a64_imm7(w), 7) << scale;
	unsigned rn = a64_Rn(w);

	if (!soft_check_sp(c, rn))
		return false;
	a->va = soft_xsp(c, rn);
	a->back = a->va + offset;
	if (form != POST)
		a->va = a->back;
	return true;
}

/* The second store must not fault after the first. The alignment check of SCTLR_ELx.A comes before
 * whatever the probe finds. */
static bool probe_pair(struct soft_cpu *c, uint64_t va, unsigned bytes)
{
	if (c->align_check && va & (bytes - 1)) {
		soft_raise_alignment(c, va, true);
		return false;
	}
	return (va & (SOFT_PAGE - 1)) + 2UL * bytes <= SOFT_PAGE ||
	       soft_probe_write(c, va, 2 * bytes, 0);
}

ALWAYS bool read_pair(struct soft_cpu *c, uint64_t va, unsigned bytes, uint64_t v[2])
{
	const char *p = soft_tlb_hit(c, va, 2 * bytes, SOFT_READ);

	if (!p)
		return soft_read(c, va, bytes, 0, &v[0]) &&
		       soft_read(c, va + bytes, bytes, 0, &v[1]);
	v[0] = v[1] = 0;
	memcpy(&v[0], p, bytes);
	memcpy(&v[1], p + bytes, bytes);
	return true;
}

ALWAYS bool write_pair(struct soft_cpu *c, uint64_t va, unsigned bytes, uint64_t v0, uint64_t v1)
{
	char *p = soft_tlb_hit(c, va, 2 * bytes, SOFT_WRITE);

	if (!p)
		return probe_pair(c, va, bytes) && soft_write(c, va, bytes, 0, v0) &&
		       soft_write(c, va + bytes, bytes, 0, v1);
	memcpy(p, &v0, bytes);
	memcpy(p + bytes, &v1, bytes);
	return true;
}

ALWAYS void ldp(struct soft_cpu *c, uint32_t w, enum form form, unsigned scale, enum extend extend)
{
	struct address a;
	uint64_t v[2];

	if (!find_pair(c, w, form, scale, &a) || !read_pair(c, a.va, 1U << scale, v))
		return;
	soft_set_x(c, a64_Rt2(w), extended(v[1], scale, extend));
	soft_set_x(c, a64_Rt(w), extended(v[0], scale, extend));
	if (form != OFF)
		soft_set_xsp(c, a64_Rn(w), a.back);
}

ALWAYS void stp(struct soft_cpu *c, uint32_t w, enum form form, unsigned scale)
{
	struct address a;

	if (!find_pair(c, w, form, scale, &a) ||
	    !write_pair(c, a.va, 1U << scale, soft_x(c, a64_Rt(w)), soft_x(c, a64_Rt2(w))))
		return;
	if (form != OFF)
		soft_set_xsp(c, a64_Rn(w), a.back);
}

ALWAYS void ldp_v(struct soft_cpu *c, uint32_t w, enum form form, unsigned scale)
{
	struct address a;
	union soft_v v0, v1;

	if (!soft_fp_check(c) || !find_pair(c, w, form, scale, &a) ||
	    !read_v(c, a.va, scale, &v0) || !read_v(c, a.va + (1U << scale), scale, &v1))
		return;
	c->v[a64_Rt(w)] = v0;
	c->v[a64_Rt2(w)] = v1;
	if (form != OFF)
		soft_set_xsp(c, a64_Rn(w), a.back);
}

ALWAYS void stp_v(struct soft_cpu *c, uint32_t w, enum form form, unsigned scale)
{
	unsigned bytes = 1U << scale;
	struct address a;

	if (!soft_fp_check(c) || !find_pair(c, w, form, scale, &a) ||
	    (!soft_tlb_hit(c, a.va, 2 * bytes, SOFT_WRITE) && !probe_pair(c, a.va, bytes)) ||
	    !write_v(c, a.va, scale, &c->v[a64_Rt(w)]) ||
	    !write_v(c, a.va + bytes, scale, &c->v[a64_Rt2(w)]))
		return;
	if (form != OFF)
		soft_set_xsp(c, a64_Rn(w), a.back);
}

#define PAIRS(name, ...)                                                                           \
	FORM(name##_off, OFF, __VA_ARGS__)                                                         \
	FORM(name##_post, POST, __VA_ARGS__)                                                       \
	FORM(name##_pre, PRE, __VA_ARGS__)

PAIRS(STP_W, stp, 2)
PAIRS(LDP_W, ldp, 2, ZERO)
PAIRS(LDPSW, ldp, 2, SIGN_X)
PAIRS(STP_X, stp, 3)
PAIRS(LDP_X, ldp, 3, ZERO)
PAIRS(STP_S, stp_v, 2)
PAIRS(LDP_S, ldp_v, 2)
PAIRS(STP_D, stp_v, 3)
PAIRS(LDP_D, ldp_v, 3)
PAIRS(STP_Q, stp_v, 4)
PAIRS(LDP_Q, ldp_v, 4)
