// SPDX-License-Identifier: Apache-2.0
/*
 * Cryptographic instructions: examples of the standards, computed with the instructions as software does it,
 * and recorded results.
 */
#include "soft_states.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct soft_digest list[] = {
#include "soft_crypto_digests.def"
};

static int setup(void **state)
{
	*state = soft_rig_make();
	return 0;
}

static int teardown(void **state)
{
	soft_rig_drop(*state);
	return 0;
}

static void recorded_results(void **state)
{
	soft_check_digests(list, ARRAY_COUNT(list));
}

static void traps_change_nothing(void **state)
{
	soft_check_traps(list, ARRAY_COUNT(list));
}

/* ---- what the examples are computed with ---- */

typedef union soft_v vec;

static const vec zero;

/* V0 after @word with V0, V1, V2 and V3 as given. */
static vec op4(struct soft_rig *r, uint32_t word, vec d, vec n, vec m, vec a)
{
	r->c.v[0] = d;
	r->c.v[1] = n;
	r->c.v[2] = m;
	r->c.v[3] = a;
	assert_int_equal(soft_rig_run(r, word), SOFT_RIG_OK);
	return r->c.v[0];
}

static vec op(struct soft_rig *r, uint32_t word, vec d, vec n, vec m)
{
	return op4(r, word, d, n, m, zero);
}

static vec add32(vec a, vec b)
{
	for (unsigned i = 0; i < 4; i++)
		a.s[i] += b.s[i];
	return a;
}

static vec add64(vec a, vec b)
{
	a.d[0] += b.d[0];
	a.d[1] += b.d[1];
	return a;
}

static vec eor(vec a, vec b)
{
	a.q ^= b.q;
	return a;
}

/* EXT: 16 bytes of @high:@low from byte @at. */
static vec ext(vec low, vec high, unsigned at)
{
	vec d;

	memcpy(d.b, low.b + at, 16 - at);
	memcpy(d.b + 16 - at, high.b, at);
	return d;
}

static vec words(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	return (vec){.s = {a, b, c, d}};
}

/* The block of the message "abc" in 32-bit words. */
static void abc(vec w[4])
{
	memset(w, 0, 4 * sizeof(*w));
	w[0].s[0] = 0x61626380;
	w[3].s[3] = 24;
}

/* ---- AES: FIPS 197, appendix C.1 ---- */

#define AESE   0x4e284820 /* aese v0.16b, v1.16b */
#define AESD   0x4e285820
#define AESMC  0x4e286820
#define AESIMC 0x4e287820

/* Section 5.2. SubBytes of four equal columns is SubWord. */
static void aes128_expand(struct soft_rig *r, vec keys[11])
{
	uint32_t rcon = 1;

	for (unsigned i = 1; i <= 10; i++) {
		uint32_t t = keys[i - 1].s[3];
		vec sub = op(r, AESE, words(t, t, t, t), zero, zero);

		t = (sub.s[0] >> 8 | sub.s[0] << 24) ^ rcon;
		for (unsigned k = 0; k < 4; k++)
			t = keys[i].s[k] = keys[i - 1].s[k] ^ t;
		rcon = rcon << 1 ^ (rcon >> 7) * 0x11b;
	}
}

static void aes_example(void **state)
{
	static const vec cipher = {.b = {0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30, 0xd8, 0xcd,
					 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a}};
	struct soft_rig *r = *state;
	vec keys[11], v, plain;

	for (unsigned i = 0; i < 16; i++) {
		keys[0].b[i] = (uint8_t)i;
		plain.b[i] = (uint8_t)(i * 0x11);
	}
	aes128_expand(r, keys);
	v = plain;
	for (unsigned i = 0; i < 9; i++)
		v = op(r, AESMC, zero, op(r, AESE, v, keys[i], zero), zero);
	v = eor(op(r, AESE, v, keys[9], zero), keys[10]);
	assert_memory_equal(v.b, cipher.b, 16);
	for (unsigned i = 10; i > 1; i--) {
		vec key = i == 10 ? keys[i] : op(r, AESIMC, zero, keys[i], zero);

		v = op(r, AESIMC, zero, op(r, AESD, v, key, zero), zero);
	}
	v = eor(op(r, AESD, v, op(r, AESIMC, zero, keys[1], zero), zero), keys[0]);
	assert_memory_equal(v.b, plain.b, 16);
}

/* ---- SHA-1 ---- */

#define SHA1C	0x5e020020 /* sha1c q0, s1, v2.4s */
#define SHA1P	0x5e021020
#define SHA1M	0x5e022020
#define SHA1SU0 0x5e023020
#define SHA1H	0x5e280820 /* sha1h s0, s1 */
#define SHA1SU1 0x5e281820

static void sha1_example(void **state)
{
	static const struct {
		uint32_t word, k;
	} part[] = {
		{SHA1C, 0x5a827999}, {SHA1P, 0x6ed9eba1}, {SHA1M, 0x8f1bbcdc}, {SHA1P, 0xca62c1d6}};
	const vec initial = words(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
	struct soft_rig *r = *state;
	vec w[4], v = initial, e = words(0xc3d2e1f0, 0, 0, 0);

	abc(w);
	for (unsigned i = 0; i < 20; i++) {
		uint32_t k = part[i / 5].k;
		vec next = op(r, SHA1H, zero, v, zero);

		v = op(r, part[i / 5].word, v, e, add32(w[i % 4], words(k, k, k, k)));
		e = next;
		w[i % 4] = op(r, SHA1SU0, w[i % 4], w[(i + 1) % 4], w[(i + 2) % 4]);
		w[i % 4] = op(r, SHA1SU1, w[i % 4], w[(i + 3) % 4], zero);
	}
	v = add32(v, initial);
	assert_int_equal(v.s[0], 0xa9993e36);
	assert_int_equal(v.s[1], 0x4706816a);
	assert_int_equal(v.s[2], 0xba3e2571);
	assert_int_equal(v.s[3], 0x7850c26c);
	assert_int_equal(e.s[0] + 0xc3d2e1f0, 0x9cd0d89d);
}

/* ---- SHA-2: the constants of SHA-256 are the upper halves of those of SHA-512 ---- */

#define SHA256H	  0x5e024020 /* sha256h q0, q1, v2.4s */
#define SHA256H2  0x5e025020
#define SHA256SU1 0x5e026020
#define SHA256SU0 0x5e282820 /* sha256su0 v0.4s, v1.4s */
#define SHA512H	  0xce628020 /* sha512h q0, q1, v2.2d */
#define SHA512H2  0xce628420
#define SHA512SU1 0xce628820
#define SHA512SU0 0xcec08020 /* sha512su0 v0.2d, v1.2d */

static const uint64_t sha512_initial[8] = {
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
	0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};
static const uint64_t sha512_k[80] = {
	0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
	0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
	0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
	0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
	0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
	0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
	0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
	0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
	0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
	0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
	0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
	0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
	0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
	0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
	0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
	0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
	0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
	0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
	0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
	0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

static vec upper_halves(const uint64_t *p)
{
	return words((uint32_t)(p[0] >> 32), (uint32_t)(p[1] >> 32), (uint32_t)(p[2] >> 32),
		     (uint32_t)(p[3] >> 32));
}

static void sha256_example(void **state)
{
	static const uint32_t want[] = {0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
					0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad};
	struct soft_rig *r = *state;
	vec w[4], x = upper_halves(sha512_initial), y = upper_halves(sha512_initial + 4);

	abc(w);
	for (unsigned i = 0; i < 16; i++) {
		vec t = add32(w[i % 4], upper_halves(sha512_k + 4 * i)), old = x;

		x = op(r, SHA256H, x, y, t);
		y = op(r, SHA256H2, y, old, t);
		w[i % 4] = op(r, SHA256SU0, w[i % 4], w[(i + 1) % 4], zero);
		w[i % 4] = op(r, SHA256SU1, w[i % 4], w[(i + 2) % 4], w[(i + 3) % 4]);
	}
	x = add32(x, upper_halves(sha512_initial));
	y = add32(y, upper_halves(sha512_initial + 4));
	assert_memory_equal(x.s, want, 16);
	assert_memory_equal(y.s, want + 4, 16);
}

/* Two rounds. @v: ab, cd, ef, gh, the first letter in the low half. */
static void sha512_rounds(struct soft_rig *r, vec v[4], vec t)
{
	vec sum, new;

	t = ext(t, t, 8);
	sum = op(r, SHA512H, add64(v[3], t), ext(v[2], v[3], 8), ext(v[1], v[2], 8));
	new = op(r, SHA512H2, sum, v[1], v[0]);
	v[3] = v[2];
	v[2] = add64(v[1], sum);
	v[1] = v[0];
	v[0] = new;
}

static void sha512_example(void **state)
{
	static const uint64_t want[] = {0xddaf35a193617aba, 0xcc417349ae204131, 0x12e6fa4e89a97ea2,
					0x0a9eeee64b55d39a, 0x2192992a274fc1a8, 0x36ba3c23a3feebbd,
					0x454d4423643ce80e, 0x2a9ac94fa54ca49f};
	struct soft_rig *r = *state;
	vec w[8] = {{.d = {0x6162638000000000, 0}}, [7] = {.d = {0, 24}}}, v[4], initial[4];

	memcpy(initial, sha512_initial, sizeof(initial));
	memcpy(v, initial, sizeof(v));
	for (unsigned i = 0; i < 40; i++) {
		vec *at = &w[i % 8], mid = ext(w[(i + 4) % 8], w[(i + 5) % 8], 8);

		sha512_rounds(r, v, add64(*at, (vec){.d = {sha512_k[2 * i], sha512_k[2 * i + 1]}}));
		*at = op(r, SHA512SU0, *at, w[(i + 1) % 8], zero);
		*at = op(r, SHA512SU1, *at, w[(i + 7) % 8], mid);
	}
	for (unsigned i = 0; i < 4; i++) {
		v[i] = add64(v[i], initial[i]);
		assert_memory_equal(v[i].d, want + 2 * i, 16);
	}
}

/* ---- SM3: GB/T 32905, example 1 ---- */

#define SM3SS1	  0xce420c20 /* sm3ss1 v0.4s, v1.4s, v2.4s, v3.4s */
#define SM3TT1A	  0xce428020 /* sm3tt1a v0.4s, v1.4s, v2.s[0] */
#define SM3TT1B	  0xce428420
#define SM3TT2A	  0xce428820
#define SM3TT2B	  0xce428c20
#define SM3PARTW1 0xce62c020 /* sm3partw1 v0.4s, v1.4s, v2.4s */
#define SM3PARTW2 0xce62c420

/* Round @i. @a is A to D, @e is E to H, the first letter in element 3. */
static void sm3_round(struct soft_rig *r, unsigned i, vec *a, vec *e, vec w, vec w4)
{
	uint32_t t = i < 16 ? 0x79cc4519 : 0x7a879d8a, element = i % 4 << 12;
	vec rotated = words(0, 0, 0, t << i % 32 | (uint32_t)((uint64_t)t >> (32 - i % 32)));
	vec ss1 = op4(r, SM3SS1, zero, *a, rotated, *e);

	*a = op(r, (i < 16 ? SM3TT1A : SM3TT1B) | element, *a, ss1, eor(w, w4));
	*e = op(r, (i < 16 ? SM3TT2A : SM3TT2B) | element, *e, ss1, w);
}

static void sm3_example(void **state)
{
	const vec a0 = words(0xda8a0600, 0x172442d7, 0x4914b2b9, 0x7380166f);
	const vec e0 = words(0xb0fb0e4e, 0xe38dee4d, 0x163138aa, 0xa96f30bc);
	const vec want_a = words(0xdc10e4e2, 0xd1f2d46b, 0x62eeedd9, 0x66c7f0f4);
	const vec want_e = words(0x8f4ba8e0, 0x297da02b, 0x5cf2f7a2, 0x4167c487);
	struct soft_rig *r = *state;
	vec w[4], a = a0, e = e0;

	abc(w);
	for (unsigned i = 0; i < 64; i += 4) {
		vec next = op(r, SM3PARTW1, ext(w[1], w[2], 12), w[0], w[3]);

		next = op(r, SM3PARTW2, next, ext(w[2], w[3], 8), ext(w[0], w[1], 12));
		for (unsigned k = 0; k < 4; k++)
			sm3_round(r, i + k, &a, &e, w[0], w[1]);
		memmove(w, w + 1, 3 * sizeof(*w));
		w[3] = next;
	}
	a = eor(a, a0);
	e = eor(e, e0);
	assert_memory_equal(a.s, want_a.s, 16);
	assert_memory_equal(e.s, want_e.s, 16);
}

/* ---- SM4: GB/T 32907, example 1; the key is the plain text ---- */

#define SM4E	0xcec08420 /* sm4e v0.4s, v1.4s */
#define SM4EKEY 0xce62c820 /* sm4ekey v0.4s, v1.4s, v2.4s */

/* CK: bytes of (4 i + j) * 7. */
static uint32_t sm4_ck(unsigned i)
{
	uint32_t v = 0;

	for (unsigned j = 0; j < 4; j++)
		v = v << 8 | ((4 * i + j) * 7 & 255);
	return v;
}

static vec reverse(vec v)
{
	return words(v.s[3], v.s[2], v.s[1], v.s[0]);
}

static void sm4_example(void **state)
{
	const vec plain = words(0x01234567, 0x89abcdef, 0xfedcba98, 0x76543210);
	const vec cipher = words(0x681edf34, 0xd206965e, 0x86b3e94f, 0x536e4246);
	struct soft_rig *r = *state;
	vec keys[8], v = eor(plain, words(0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc));

	for (unsigned i = 0; i < 8; i++)
		v = keys[i] = op(r, SM4EKEY, zero, v,
				 words(sm4_ck(4 * i), sm4_ck(4 * i + 1), sm4_ck(4 * i + 2),
				       sm4_ck(4 * i + 3)));
	v = plain;
	for (unsigned i = 0; i < 8; i++)
		v = op(r, SM4E, v, keys[i], zero);
	v = reverse(v);
	assert_memory_equal(v.s, cipher.s, 16);
	for (unsigned i = 8; i-- > 0;)
		v = op(r, SM4E, v, reverse(keys[i]), zero);
	v = reverse(v);
	assert_memory_equal(v.s, plain.s, 16);
}

/* ---- SHA-3: FIPS 202, SHA3-256 of the empty message ---- */

#define EOR3 0xce020c20 /* eor3 v0.16b, v1.16b, v2.16b, v3.16b */
#define BCAX 0xce220c20
#define RAX1 0xce628c20 /* rax1 v0.2d, v1.2d, v2.2d */
#define XAR  0xce820020 /* xar v0.2d, v1.2d, v2.2d, #0 */

/* Section 3.2.5: rc() */
static uint64_t keccak_constant(unsigned round)
{
	uint64_t v = 0;
	uint32_t lfsr = 1;

	for (unsigned t = 0; t < 7 * round; t++)
		lfsr = lfsr << 1 ^ (lfsr >> 7) * 0x171;
	for (unsigned j = 0; j < 7; j++) {
		v |= (uint64_t)(lfsr & 1) << ((1 << j) - 1);
		lfsr = lfsr << 1 ^ (lfsr >> 7) * 0x171;
	}
	return v;
}

/* Lane x, y is a[5 * y + x], in both halves of the register. */
static void keccak_round(struct soft_rig *r, vec a[25], unsigned round)
{
	vec c[5], d[5], b[25];
	unsigned x = 1, y = 0, t;

	for (unsigned i = 0; i < 5; i++)
		c[i] = op4(r, EOR3, zero, op4(r, EOR3, zero, a[i], a[i + 5], a[i + 10]), a[i + 15],
			   a[i + 20]);
	for (unsigned i = 0; i < 5; i++)
		d[i] = op(r, RAX1, zero, c[(i + 4) % 5], c[(i + 1) % 5]);
	b[0] = eor(a[0], d[0]);
	for (unsigned i = 0; i < 24; i++) {
		unsigned left = (i + 1) * (i + 2) / 2 % 64;

		t = (2 * x + 3 * y) % 5;
		b[5 * t + y] = op(r, XAR | (64 - left) % 64 << 10, zero, a[5 * y + x], d[x]);
		x = y;
		y = t;
	}
	for (unsigned i = 0; i < 25; i++) {
		unsigned row = i / 5 * 5;

		a[i] = op4(r, BCAX, zero, b[i], b[row + (i + 2) % 5], b[row + (i + 1) % 5]);
	}
	a[0].d[0] ^= keccak_constant(round);
	a[0].d[1] ^= keccak_constant(round);
}

static void sha3_example(void **state)
{
	static const uint8_t want[32] = {0xa7, 0xff, 0xc6, 0xf8, 0xbf, 0x1e, 0xd7, 0x66,
					 0x51, 0xc1, 0x47, 0x56, 0xa0, 0x61, 0xd6, 0x62,
					 0xf5, 0x80, 0xff, 0x4d, 0xe4, 0x3b, 0x49, 0xfa,
					 0x82, 0xd8, 0x0a, 0x4b, 0x80, 0xf8, 0x43, 0x4a};
	struct soft_rig *r = *state;
	vec a[25] = {{.d = {6, 6}}, [16] = {.d = {1ULL << 63, 1ULL << 63}}};

	for (unsigned i = 0; i < 24; i++)
		keccak_round(r, a, i);
	for (unsigned i = 0; i < 4; i++) {
		assert_memory_equal(&a[i].d[0], want + 8 * i, 8);
		assert_memory_equal(&a[i].d[1], want + 8 * i, 8);
	}
}

/* An operand may be the destination, too. */
static void operands_may_be_the_destination(void **state)
{
	static const uint32_t three[] = {SHA1C,	    SHA1SU0,   SHA256H,	  SHA256H2, SHA256SU1,
					 SHA512H,   SHA512H2,  SHA512SU1, SM3TT1A,  SM3TT2B,
					 SM3PARTW1, SM3PARTW2, SM4EKEY,	  RAX1,	    XAR};
	static const uint32_t two[] = {AESE, AESD, AESMC, SHA1H, SHA1SU1, SHA512SU0, SM4E};
	unsigned count = ARRAY_COUNT(three);
	struct soft_rig *r = *state;

	for (unsigned i = 0; i < count + ARRAY_COUNT(two); i++) {
		uint32_t word = i < count ? three[i] : two[i - count];
		vec v, want;

		soft_state(r, i);
		v = r->c.v[0];
		want = op(r, word, v, v, v);
		r->c.v[0] = v;
		word &= i < count ? ~(31U << 16 | 31 << 5) : ~(31U << 5);
		assert_int_equal(soft_rig_run(r, word), SOFT_RIG_OK);
		assert_memory_equal(&r->c.v[0], &want, 16);
	}
}

/* Neighbours of what is allocated. */
static void undefined_words(void **state)
{
	static const uint32_t unallocated[] = {
		0x4e288820, /* AES, opcode 01000 */
		0x4e684820, /* aese, size 01 */
		0x5e027020, /* three-register SHA, opcode 111 */
		0x5e420020, /* sha1c, size 01 */
		0x5e283820, /* two-register SHA, opcode 00011 */
		0xcec08820, /* two-register SHA 512, opcode 10 */
		0xce62cc20, /* three-register SHA 512, O 1, opcode 11 */
		0xce62ac20, /* rax1 with bit 13 */
		0xce620020, /* four-register, Op0 11 */
		0xce42c020, /* sm3tt1a with bit 14 */
	};
	struct soft_rig *r = *state;

	r->fp_off = true; /* UNDEFINED comes first */
	for (unsigned i = 0; i < ARRAY_COUNT(unallocated); i++)
		assert_int_equal(soft_rig_run(r, unallocated[i]), SOFT_RIG_UNDEFINED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_results),
		cmocka_unit_test(traps_change_nothing),
		cmocka_unit_test_setup_teardown(aes_example, setup, teardown),
		cmocka_unit_test_setup_teardown(sha1_example, setup, teardown),
		cmocka_unit_test_setup_teardown(sha256_example, setup, teardown),
		cmocka_unit_test_setup_teardown(sha512_example, setup, teardown),
		cmocka_unit_test_setup_teardown(sha3_example, setup, teardown),
		cmocka_unit_test_setup_teardown(sm3_example, setup, teardown),
		cmocka_unit_test_setup_teardown(sm4_example, setup, teardown),
		cmocka_unit_test_setup_teardown(operands_may_be_the_destination, setup, teardown),
		cmocka_unit_test_setup_teardown(undefined_words, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
