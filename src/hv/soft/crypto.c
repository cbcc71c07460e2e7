// SPDX-License-Identifier: Apache-2.0
/*
 * Cryptographic instructions: Arm ARM (DDI 0487), C4.1.96, and the instructions' pages in C7.2. What they
 * compute is in arm/crypto.h.
 */
#include "arm/crypto.h"
#include "hv/soft/cpu.h"

#define SOFT_CRYPTO_ROW(name, call)                                                                \
	void soft_##name(struct soft_cpu *c, uint32_t w)                                           \
	{                                                                                          \
		call;                                                                              \
	}

/* Vd may be any of the operands, too: those are copies. */
static void on_bytes(struct soft_cpu *c, uint32_t w, crypto_bytes_fn *fn)
{
	const union soft_v n = c->v[a64_Rn(w)];

	if (soft_fp_check(c))
		fn(c->v[a64_Rd(w)].b, n.b);
}

static void on_words(struct soft_cpu *c, uint32_t w, crypto_words_fn *fn)
{
	const union soft_v n = c->v[a64_Rn(w)], m = c->v[a64_Rm(w)];

	if (soft_fp_check(c))
		fn(c->v[a64_Rd(w)].s, n.s, m.s);
}

static void on_doubles(struct soft_cpu *c, uint32_t w, crypto_doubles_fn *fn)
{
	const union soft_v n = c->v[a64_Rn(w)], m = c->v[a64_Rm(w)];

	if (soft_fp_check(c))
		fn(c->v[a64_Rd(w)].d, n.d, m.d);
}

SOFT_CRYPTO_ROW(AESE, on_bytes(c, w, crypto_aese))
SOFT_CRYPTO_ROW(AESD, on_bytes(c, w, crypto_aesd))
SOFT_CRYPTO_ROW(AESMC, on_bytes(c, w, crypto_aesmc))
SOFT_CRYPTO_ROW(AESIMC, on_bytes(c, w, crypto_aesimc))

SOFT_CRYPTO_ROW(SHA1C, on_words(c, w, crypto_sha1c))
SOFT_CRYPTO_ROW(SHA1P, on_words(c, w, crypto_sha1p))
SOFT_CRYPTO_ROW(SHA1M, on_words(c, w, crypto_sha1m))
SOFT_CRYPTO_ROW(SHA1H, on_words(c, w, crypto_sha1h))
SOFT_CRYPTO_ROW(SHA1SU0, on_words(c, w, crypto_sha1su0))
SOFT_CRYPTO_ROW(SHA1SU1, on_words(c, w, crypto_sha1su1))

SOFT_CRYPTO_ROW(SHA256H, on_words(c, w, crypto_sha256h))
SOFT_CRYPTO_ROW(SHA256H2, on_words(c, w, crypto_sha256h2))
SOFT_CRYPTO_ROW(SHA256SU0, on_words(c, w, crypto_sha256su0))
SOFT_CRYPTO_ROW(SHA256SU1, on_words(c, w, crypto_sha256su1))

SOFT_CRYPTO_ROW(SHA512H, on_doubles(c, w, crypto_sha512h))
SOFT_CRYPTO_ROW(SHA512H2, on_doubles(c, w, crypto_sha512h2))
SOFT_CRYPTO_ROW(SHA512SU0, on_doubles(c, w, crypto_sha512su0))
SOFT_CRYPTO_ROW(SHA512SU1, on_doubles(c, w, crypto_sha512su1))

/* ---- FEAT_SHA3 ---- */

void soft_EOR3(struct soft_cpu *c, uint32_t w)
{
	if (soft_fp_check(c))
		c->v[a64_Rd(w)].q = c->v[a64_Rn(w)].q ^ c->v[a64_Rm(w)].q ^ c->v[a64_Ra(w)].q;
}

void soft_BCAX(struct soft_cpu *c, uint32_t w)
{
	if (soft_fp_check(c))
		c->v[a64_Rd(w)].q = c->v[a64_Rn(w)].q ^ (c->v[a64_Rm(w)].q & ~c->v[a64_Ra(w)].q);
}

static uint64_t rotate_right(uint64_t v, unsigned n)
{
	return n ? v >> n | v << (64 - n) : v;
}

void soft_RAX1(struct soft_cpu *c, uint32_t w)
{
	const union soft_v *n = &c->v[a64_Rn(w)], *m = &c->v[a64_Rm(w)];
	union soft_v *d = &c->v[a64_Rd(w)];

	if (!soft_fp_check(c))
		return;
	for (unsigned i = 0; i < 2; i++)
		d->d[i] = n->d[i] ^ rotate_right(m->d[i], 63);
}

void soft_XAR(struct soft_cpu *c, uint32_t w)
{
	const union soft_v *n = &c->v[a64_Rn(w)], *m = &c->v[a64_Rm(w)];
	union soft_v *d = &c->v[a64_Rd(w)];

	if (!soft_fp_check(c))
		return;
	for (unsigned i = 0; i < 2; i++)
		d->d[i] = rotate_right(n->d[i] ^ m->d[i], a64_imm6(w));
}

/* ---- FEAT_SM3, FEAT_SM4 ---- */

void soft_SM3SS1(struct soft_cpu *c, uint32_t w)
{
	uint32_t n = c->v[a64_Rn(w)].s[3], m = c->v[a64_Rm(w)].s[3], a = c->v[a64_Ra(w)].s[3];

	if (soft_fp_check(c))
		c->v[a64_Rd(w)] = (union soft_v){.s = {0, 0, 0, crypto_sm3ss1(n, m, a)}};
}

/* Of Vm, only one element. */
static void by_element(struct soft_cpu *c, uint32_t w, crypto_words_fn *fn)
{
	const union soft_v n = c->v[a64_Rn(w)];
	const uint32_t m[4] = {c->v[a64_Rm(w)].s[a64_imm2_12(w)]};

	if (soft_fp_check(c))
		fn(c->v[a64_Rd(w)].s, n.s, m);
}

SOFT_CRYPTO_ROW(SM3TT1A, by_element(c, w, crypto_sm3tt1a))
SOFT_CRYPTO_ROW(SM3TT1B, by_element(c, w, crypto_sm3tt1b))
SOFT_CRYPTO_ROW(SM3TT2A, by_element(c, w, crypto_sm3tt2a))
SOFT_CRYPTO_ROW(SM3TT2B, by_element(c, w, crypto_sm3tt2b))
SOFT_CRYPTO_ROW(SM3PARTW1, on_words(c, w, crypto_sm3partw1))
SOFT_CRYPTO_ROW(SM3PARTW2, on_words(c, w, crypto_sm3partw2))

SOFT_CRYPTO_ROW(SM4E, on_words(c, w, crypto_sm4e))
SOFT_CRYPTO_ROW(SM4EKEY, on_words(c, w, crypto_sm4ekey))
