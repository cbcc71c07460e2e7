/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cryptographic instructions of the Arm ARM (DDI 0487, C7.2) compute. Arrays are registers,
 * element 0 first; @d is Vd, read and written, @n is Vn, @m is Vm, which must not overlap @d.
 *
 * Pure; any thread. Tables make the time depend on the data, as it does in any emulator.
 */
#ifndef ARM_CRYPTO_H
#define ARM_CRYPTO_H

#include <stdint.h>

typedef void crypto_bytes_fn(uint8_t d[16], const uint8_t n[16]);
typedef void crypto_words_fn(uint32_t d[4], const uint32_t n[4], const uint32_t m[4]);
typedef void crypto_doubles_fn(uint64_t d[2], const uint64_t n[2], const uint64_t m[2]);

/* FIPS 197: a round's two halves and their inverses. The MixColumns do not read @d. */
crypto_bytes_fn crypto_aese, crypto_aesd, crypto_aesmc, crypto_aesimc;

/* FIPS 180-4. Of two registers only: @m is not read. SHA1C, P and M have Sn in n[0]. */
crypto_words_fn crypto_sha1c, crypto_sha1p, crypto_sha1m, crypto_sha1su0;
crypto_words_fn crypto_sha1h, crypto_sha1su1;
crypto_words_fn crypto_sha256h, crypto_sha256h2, crypto_sha256su0, crypto_sha256su1;
crypto_doubles_fn crypto_sha512h, crypto_sha512h2, crypto_sha512su0, crypto_sha512su1;

/* GB/T 32905. SM3TT has the element of Vm in m[0]. */
crypto_words_fn crypto_sm3tt1a, crypto_sm3tt1b, crypto_sm3tt2a, crypto_sm3tt2b;
crypto_words_fn crypto_sm3partw1, crypto_sm3partw2;
uint32_t crypto_sm3ss1(uint32_t n, uint32_t m, uint32_t a); /* of elements 3 */

/* GB/T 32907. SM4E does not read @m; SM4EKEY does not read @d. */
crypto_words_fn crypto_sm4e, crypto_sm4ekey;

#endif
