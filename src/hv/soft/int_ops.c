// SPDX-License-Identifier: Apache-2.0
/*
 * Integer data processing with one to three sources: bit counts and reversals, variable shifts,
 * division, CRC32, multiplication. Arm ARM (DDI 0487), C4.1.95.
 */
#include "hv/soft/cpu.h"

static inline uint64_t rn(const struct soft_cpu *c, uint32_t w)
{
	return soft_x(c, a64_Rn(w));
}

static inline uint64_t rm(const struct soft_cpu *c, uint32_t w)
{
	return soft_x(c, a64_Rm(w));
}

static inline void set_rd(struct soft_cpu *c, uint32_t w, uint64_t v)
{
	soft_set_x(c, a64_Rd(w), a64_sf(w) ? v : (uint32_t)v);
}

/* ---- one source ---- */

static inline uint64_t swap_in(uint64_t v, unsigned n, uint64_t lower)
{
	return (v >> n & lower) | (v & lower) << n;
}

void soft_RBIT(struct soft_cpu *c, uint32_t w)
{
	uint64_t v = __builtin_bswap64(rn(c, w));

	v = swap_in(v, 4, 0x0f0f0f0f0f0f0f0f);
	v = swap_in(v, 2, 0x3333333333333333);
	v = swap_in(v, 1, 0x5555555555555555);
	set_rd(c, w, a64_sf(w) ? v : v >> 32);
}

void soft_REV16(struct soft_cpu *c, uint32_t w)
{
	set_rd(c, w, swap_in(rn(c, w), 8, 0x00ff00ff00ff00ff));
}

void soft_REV_w(struct soft_cpu *c, uint32_t w)
{
	soft_set_x(c, a64_Rd(w), __builtin_bswap32((uint32_t)rn(c, w)));
}

void soft_REV32(struct soft_cpu *c, uint32_t w)
{
	uint64_t v = __builtin_bswap64(rn(c, w));

	soft_set_x(c, a64_Rd(w), v >> 32 | v << 32);
}

void soft_REV_x(struct soft_cpu *c, uint32_t w)
{
	soft_set_x(c, a64_Rd(w), __builtin_bswap64(rn(c, w)));
}

static inline uint64_t leading_zeros(uint64_t v)
{
	return v ? (unsigned)__builtin_clzll(v) : 64;
}

void soft_CLZ(struct soft_cpu *c, uint32_t w)
{
	uint64_t v = rn(c, w);

	soft_set_x(c, a64_Rd(w), a64_sf(w) ? leading_zeros(v) : leading_zeros((uint32_t)v) - 32);
}

/* The copies of the sign bit below it. */
void soft_CLS(struct soft_cpu *c, uint32_t w)
{
	int64_t v = (int64_t)rn(c, w);

	if (!a64_sf(w))
		v = (int32_t)v;
	soft_set_x(c, a64_Rd(w), leading_zeros((uint64_t)(v ^ v >> 63)) - (a64_sf(w) ? 1 : 33));
}

/* ---- two sources ---- */

void soft_UDIV(struct soft_cpu *c, uint32_t w)
{
	uint64_t n = rn(c, w), m = rm(c, w);

	if (!a64_sf(w)) {
		n = (uint32_t)n;
		m = (uint32_t)m;
	}
	soft_set_x(c, a64_Rd(w), m ? n / m : 0);
}

void soft_SDIV(struct soft_cpu *c, uint32_t w)
{
	int64_t n = (int64_t)rn(c, w), m = (int64_t)rm(c, w);

	if (!a64_sf(w)) {
		n = (int32_t)n;
		m = (int32_t)m;
	}
	/* The most negative number by -1 overflows to itself. */
	if (m == -1)
		set_rd(c, w, -(uint64_t)n);
	else
		set_rd(c, w, m ? (uint64_t)(n / m) : 0);
}

static inline unsigned amount(const struct soft_cpu *c, uint32_t w)
{
	return rm(c, w) & (a64_sf(w) ? 63 : 31);
}

void soft_LSLV(struct soft_cpu *c, uint32_t w)
{
	set_rd(c, w, rn(c, w) << amount(c, w));
}

void soft_LSRV(struct soft_cpu *c, uint32_t w)
{
	uint64_t v = rn(c, w);

	soft_set_x(c, a64_Rd(w), (a64_sf(w) ? v : (uint32_t)v) >> amount(c, w));
}

void soft_ASRV(struct soft_cpu *c, uint32_t w)
{
	int64_t v = (int64_t)rn(c, w);

	set_rd(c, w, (uint64_t)((a64_sf(w) ? v : (int32_t)v) >> amount(c, w)));
}

void soft_RORV(struct soft_cpu *c, uint32_t w)
{
	uint64_t v = rn(c, w);
	unsigned n = amount(c, w);

	if (!a64_sf(w))
		v = v << 32 | (uint32_t)v;
	set_rd(c, w, v >> n | v << (-n & 63));
}

/* The remainders of all 4-bit values by a polynomial, bit-reversed. */
static const uint32_t crc32_table[16] = {
	0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
	0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
	0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};
static const uint32_t crc32c_table[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
	0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

/* No inversion before or after: software does it. */
static inline void crc(struct soft_cpu *c, uint32_t w, const uint32_t *table, unsigned bytes)
{
	uint32_t r = (uint32_t)rn(c, w);
	uint64_t v = rm(c, w);

	for (unsigned i = 0; i < bytes; i++, v >>= 8) {
		r ^= v & 0xff;
		r = table[r & 15] ^ r >> 4;
		r = table[r & 15] ^ r >> 4;
	}
	soft_set_x(c, a64_Rd(w), r);
}

void soft_CRC32B(struct soft_cpu *c, uint32_t w)
{
	crc(c, w, crc32_table, 1);
}

void soft_CRC32H(struct soft_cpu *c, uint32_t w)
{
	crc(c, w, crc32_table, 2);
}

void soft_CRC32W(struct soft_cpu *c, uint32_t w)
{
	crc(c, w, crc32_table, 4);
}

void soft_CRC32X(struct soft_cpu *c, uint32_t w)
{
	crc(c, w, crc32_table, 8);
}

void soft_CRC32CB(struct soft_cpu *c, uint32_t w)
{
	crc(c, w, crc32c_table, 1);
}

void soft_CRC32CH(struct soft_cpu *c, uint32_t w)
{
	crc(c, w, crc32c_table, 2);
}

void soft_CRC32CW(struct soft_cpu *c, uint32_t w)
{
	crc(c, w, crc32c_table, 4);
}

void soft_CRC32CX(struct soft_cpu *c, uint32_t w)
{
	crc(c, w, crc32c_table, 8);
}

/* ---- three sources ---- */

static inline uint64_t ra(const struct soft_cpu *c, uint32_t w)
{
	return soft_x(c, a64_Ra(w));
}

static inline uint64_t signed_product(const struct soft_cpu *c, uint32_t w)
{
	return (uint64_t)((int64_t)(int32_t)rn(c, w) * (int32_t)rm(c, w));
}

static inline uint64_t unsigned_product(const struct soft_cpu *c, uint32_t w)
{
	return (rn(c, w) & 0xffffffff) * (rm(c, w) & 0xffffffff);
}

void soft_MADD(struct soft_cpu *c, uint32_t w)
{
	set_rd(c, w, ra(c, w) + rn(c, w) * rm(c, w));
}

void soft_MSUB(struct soft_cpu *c, uint32_t w)
{
	set_rd(c, w, ra(c, w) - rn(c, w) * rm(c, w));
}

void soft_SMADDL(struct soft_cpu *c, uint32_t w)
{
	soft_set_x(c, a64_Rd(w), ra(c, w) + signed_product(c, w));
}

void soft_SMSUBL(struct soft_cpu *c, uint32_t w)
{
	soft_set_x(c, a64_Rd(w), ra(c, w) - signed_product(c, w));
}

void soft_UMADDL(struct soft_cpu *c, uint32_t w)
{
	soft_set_x(c, a64_Rd(w), ra(c, w) + unsigned_product(c, w));
}

void soft_UMSUBL(struct soft_cpu *c, uint32_t w)
{
	soft_set_x(c, a64_Rd(w), ra(c, w) - unsigned_product(c, w));
}

void soft_SMULH(struct soft_cpu *c, uint32_t w)
{
	__int128_t product = (__int128_t)(int64_t)rn(c, w) * (int64_t)rm(c, w);

	soft_set_x(c, a64_Rd(w), (uint64_t)(product >> 64));
}

void soft_UMULH(struct soft_cpu *c, uint32_t w)
{
	__uint128_t product = (__uint128_t)rn(c, w) * rm(c, w);

	soft_set_x(c, a64_Rd(w), (uint64_t)(product >> 64));
}
