/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exclusive, ordered and atomic loads and stores of general registers: C6.2 of the Arm ARM (DDI 0487),
 * B2.12 "Synchronization and semaphores".
 *
 * A load-exclusive remembers address and value; a store-exclusive of the same address and size is a host
 * compare-and-swap of that value, so it also succeeds if others have stored the same value in between.
 * The address is virtual: whoever changes the translation between the two (and returns by ERET) ends
 * the monitor as well. Every atomic access is sequentially consistent on the host, whatever acquire and
 * release bits the instruction has.
 *
 * Values are handled as they lie in memory (raw) where two of them make up one access: register by
 * register, the first at the lower address, each in the guest's byte order.
 *
 * CONSTRAINED UNPREDICTABLE, as the functions below come out: STXR with Rs = Rt or Rs = Rn stores the old
 * value at the old address and then writes the status; LDXP of one register twice leaves the second
 * value; a store-exclusive of another size or address than the load's fails.
 */
#include "hv/soft/atomic.h"
#include "hv/soft/cpu.h"

/* To and from the guest's byte order. */
static uint64_t swapped(const struct soft_cpu *c, uint64_t v, unsigned bytes)
{
	return c->big_endian ? __builtin_bswap64(v) >> (64 - bytes * 8) : v;
}

static uint64_t truncated(uint64_t v, unsigned bytes)
{
	return v & ~0ULL >> (64 - bytes * 8);
}

static bool find_base(struct soft_cpu *c, uint32_t w, uint64_t *va)
{
	unsigned rn = a64_Rn(w);

	if (!soft_check_sp(c, rn))
		return false;
	*va = soft_xsp(c, rn);
	return true;
}

/* Two registers of @bytes as they lie in memory: 8 bytes as one number, 16 as two. */
static void pack(const struct soft_cpu *c, unsigned r0, unsigned r1, unsigned bytes,
		 uint64_t raw[2])
{
	raw[0] = swapped(c, truncated(soft_x(c, r0), bytes), bytes);
	raw[1] = swapped(c, truncated(soft_x(c, r1), bytes), bytes);
	if (bytes == 4)
		raw[0] |= raw[1] << 32;
}

static void unpack(struct soft_cpu *c, unsigned r0, unsigned r1, unsigned bytes,
		   const uint64_t raw[2])
{
	uint64_t second = bytes == 4 ? raw[0] >> 32 : raw[1];

	soft_set_x(c, r0, swapped(c, truncated(raw[0], bytes), bytes));
	soft_set_x(c, r1, swapped(c, second, bytes));
}

/* ---- load and store exclusive ---- */

/* A tag is no part of the address (D8.8). */
static uint64_t without_tag(const struct soft_cpu *c, uint64_t va)
{
	return va & c->tbi_mask[va >> 55 & 1];
}

/* @raw[1] is set with 16 bytes: two accesses, which are one only if the store-exclusive succeeds. */
static bool load_exclusive(struct soft_cpu *c, uint64_t va, unsigned bytes, uint64_t raw[2])
{
	const uint64_t *p = soft_host(c, va, bytes, false, SOFT_MEM_ALIGNED);

	if (!p)
		return false;
	raw[0] = atomic_get(p, bytes);
	raw[1] = bytes == 16 ? atomic_get(p + 1, 8) : 0;
	c->excl_valid = true;
	c->excl_addr = without_tag(c, va);
	c->excl_size = bytes;
	c->excl_value[0] = raw[0];
	c->excl_value[1] = raw[1];
	return true;
}

static void ldxr(struct soft_cpu *c, uint32_t w)
{
	unsigned bytes = 1U << a64_ldsize(w);
	uint64_t va, raw[2];

	if (find_base(c, w, &va) && load_exclusive(c, va, bytes, raw))
		soft_set_x(c, a64_Rt(w), swapped(c, raw[0], bytes));
}

static void ldxp(struct soft_cpu *c, uint32_t w)
{
	unsigned bytes = 4U << a64_sz30(w);
	uint64_t va, raw[2];

	if (find_base(c, w, &va) && load_exclusive(c, va, 2 * bytes, raw))
		unpack(c, a64_Rt(w), a64_Rt2(w), bytes, raw);
}

static bool monitor_passes(const struct soft_cpu *c, uint64_t va, unsigned bytes)
{
	return c->excl_valid && c->excl_addr == without_tag(c, va) && c->excl_size == bytes;
}

/* AArch64.ExclusiveMonitorsPass(): alignment first; the translation only if the monitor passes. */
static void store_exclusive(struct soft_cpu *c, uint32_t w, uint64_t va, unsigned bytes,
			    const uint64_t raw[2])
{
	bool done = false;
	void *p;

	if (va & (bytes - 1)) {
		soft_raise_alignment(c, va, true);
		return;
	}
	if (monitor_passes(c, va, bytes)) {
		p = soft_host(c, va, bytes, true, SOFT_MEM_ALIGNED);
		if (!p)
			return;
		done = bytes == 16 ? atomic_cas16(p, c->excl_value, raw)
				   : atomic_cas(p, bytes, &c->excl_value[0], raw[0]);
	}
	c->excl_valid = false;
	soft_set_x(c, a64_Rs(w), !done);
}

static void stxr(struct soft_cpu *c, uint32_t w)
{
	unsigned bytes = 1U << a64_ldsize(w);
	uint64_t va, raw[2] = {swapped(c, truncated(soft_x(c, a64_Rt(w)), bytes), bytes), 0};

	if (find_base(c, w, &va))
		store_exclusive(c, w, va, bytes, raw);
}

static void stxp(struct soft_cpu *c, uint32_t w)
{
	unsigned bytes = 4U << a64_sz30(w);
	uint64_t va, raw[2];

	pack(c, a64_Rt(w), a64_Rt2(w), bytes, raw);
	if (find_base(c, w, &va))
		store_exclusive(c, w, va, 2 * bytes, raw);
}

void soft_LDXR(struct soft_cpu *c, uint32_t w)
{
	ldxr(c, w);
}

void soft_LDAXR(struct soft_cpu *c, uint32_t w)
{
	ldxr(c, w);
}

void soft_LDXP(struct soft_cpu *c, uint32_t w)
{
	ldxp(c, w);
}

void soft_LDAXP(struct soft_cpu *c, uint32_t w)
{
	ldxp(c, w);
}

void soft_STXR(struct soft_cpu *c, uint32_t w)
{
	stxr(c, w);
}

void soft_STLXR(struct soft_cpu *c, uint32_t w)
{
	stxr(c, w);
}

void soft_STXP(struct soft_cpu *c, uint32_t w)
{
	stxp(c, w);
}

void soft_STLXP(struct soft_cpu *c, uint32_t w)
{
	stxp(c, w);
}

void soft_CLREX(struct soft_cpu *c, uint32_t w)
{
	c->excl_valid = false;
}

/* ---- load acquire, store release ---- */

static unsigned ordered_flags(uint32_t w, unsigned scale, bool sign, bool dst64)
{
	return SOFT_MEM_ALIGNED | SOFT_MEM_ISV | SOFT_MEM_AR | (sign ? SOFT_MEM_SIGN : 0) |
	       (dst64 || scale == 3 ? SOFT_MEM_DST64 : 0) | a64_Rt(w) << SOFT_MEM_RT_SHIFT;
}

static bool read_ordered(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned flags,
			 uint64_t *value)
{
	const void *p = soft_tlb_hit(c, va, bytes, SOFT_READ);

	if (p && !(va & (bytes - 1))) {
		*value = atomic_get(p, bytes);
		return true;
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!soft_read_slow(c, va, bytes, flags, value))
		return false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return true;
}

static bool write_ordered(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned flags,
			  uint64_t value)
{
	void *p = soft_tlb_hit(c, va, bytes, SOFT_WRITE);

	if (p && !(va & (bytes - 1))) {
		atomic_put(p, bytes, value);
		return true;
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!soft_write_slow(c, va, bytes, flags, value))
		return false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return true;
}

static void ldar(struct soft_cpu *c, uint32_t w, uint64_t offset, bool sign, bool dst64)
{
	unsigned scale = a64_ldsize(w);
	uint64_t va, v;

	if (!find_base(c, w, &va) ||
	    !read_ordered(c, va + offset, 1U << scale, ordered_flags(w, scale, sign, dst64), &v))
		return;
	if (sign)
		v = sign_extend(v, 8U << scale);
	if (sign && !dst64)
		v = (uint32_t)v;
	soft_set_x(c, a64_Rt(w), v);
}

static void stlr(struct soft_cpu *c, uint32_t w, uint64_t offset)
{
	unsigned scale = a64_ldsize(w);
	uint64_t va;

	if (find_base(c, w, &va))
		write_ordered(c, va + offset, 1U << scale, ordered_flags(w, scale, false, false),
			      soft_x(c, a64_Rt(w)));
}

void soft_LDAR(struct soft_cpu *c, uint32_t w)
{
	ldar(c, w, 0, false, false);
}

void soft_LDLAR(struct soft_cpu *c, uint32_t w)
{
	ldar(c, w, 0, false, false);
}

void soft_LDAPR(struct soft_cpu *c, uint32_t w)
{
	ldar(c, w, 0, false, false);
}

void soft_STLR(struct soft_cpu *c, uint32_t w)
{
	stlr(c, w, 0);
}

void soft_STLLR(struct soft_cpu *c, uint32_t w)
{
	stlr(c, w, 0);
}

void soft_LDAPUR(struct soft_cpu *c, uint32_t w)
{
	ldar(c, w, sign_extend(a64_imm9(w), 9), false, false);
}

void soft_LDAPURS_X(struct soft_cpu *c, uint32_t w)
{
	ldar(c, w, sign_extend(a64_imm9(w), 9), true, true);
}

void soft_LDAPURS_W(struct soft_cpu *c, uint32_t w)
{
	ldar(c, w, sign_extend(a64_imm9(w), 9), true, false);
}

void soft_STLUR(struct soft_cpu *c, uint32_t w)
{
	stlr(c, w, sign_extend(a64_imm9(w), 9));
}

/* ---- compare and swap, read-modify-write ---- */

/* Memory to read and write. A fault of the read is reported as one: ISS.WnR of a data abort. */
static void *find_atomic(struct soft_cpu *c, uint32_t w, unsigned bytes)
{
	uint64_t va;
	void *p;

	if (!find_base(c, w, &va))
		return NULL;
	p = soft_tlb_hit(c, va, bytes, SOFT_WRITE);
	/* Stage 2 can make memory that is only written. */
	if (p && soft_tlb_hit(c, va, bytes, SOFT_READ) && !(va & (bytes - 1)))
		return p;
	if (!soft_host(c, va, bytes, false, SOFT_MEM_ALIGNED))
		return NULL;
	return soft_host(c, va, bytes, true, SOFT_MEM_ALIGNED);
}

void soft_CAS(struct soft_cpu *c, uint32_t w)
{
	unsigned bytes = 1U << a64_ldsize(w), rs = a64_Rs(w);
	uint64_t old = swapped(c, truncated(soft_x(c, rs), bytes), bytes);
	void *p = find_atomic(c, w, bytes);

	if (!p)
		return;
	atomic_cas(p, bytes, &old, swapped(c, truncated(soft_x(c, a64_Rt(w)), bytes), bytes));
	soft_set_x(c, rs, swapped(c, old, bytes));
}

void soft_CASP(struct soft_cpu *c, uint32_t w)
{
	unsigned bytes = 4U << a64_sz30(w), rs = a64_Rs(w), rt = a64_Rt(w);
	uint64_t old[2], new[2];
	void *p;

	if ((rs | rt) & 1) {
		soft_undefined(c);
		return;
	}
	p = find_atomic(c, w, 2 * bytes);
	if (!p)
		return;
	pack(c, rs, rs + 1, bytes, old);
	pack(c, rt, rt + 1, bytes, new);
	if (bytes == 8)
		atomic_cas16(p, old, new);
	else
		atomic_cas(p, 8, &old[0], new[0]);
	unpack(c, rs, rs + 1, bytes, old);
}

typedef uint64_t modify_fn(uint64_t old, uint64_t operand, unsigned bytes);

/* Numbers of the guest in, number of the guest out; only the low @bytes of the result count. */
static inline __attribute__((always_inline)) void modify(struct soft_cpu *c, uint32_t w,
							 modify_fn *fn)
{
	unsigned bytes = 1U << a64_ldsize(w);
	uint64_t raw, old, operand = truncated(soft_x(c, a64_Rs(w)), bytes);
	void *p = find_atomic(c, w, bytes);

	if (!p)
		return;
	raw = atomic_get(p, bytes);
	do { /* ends when no other CPU is faster */
		old = swapped(c, raw, bytes);
	} while (!atomic_cas(p, bytes, &raw,
			     swapped(c, truncated(fn(old, operand, bytes), bytes), bytes)));
	soft_set_x(c, a64_Rt(w), old);
}

static bool less(uint64_t a, uint64_t b, unsigned bytes)
{
	return sign_extend(a, bytes * 8) < sign_extend(b, bytes * 8);
}

static uint64_t add(uint64_t old, uint64_t operand, unsigned bytes)
{
	return old + operand;
}

static uint64_t clear(uint64_t old, uint64_t operand, unsigned bytes)
{
	return old & ~operand;
}

static uint64_t exclusive_or(uint64_t old, uint64_t operand, unsigned bytes)
{
	return old ^ operand;
}

static uint64_t set(uint64_t old, uint64_t operand, unsigned bytes)
{
	return old | operand;
}

static uint64_t signed_max(uint64_t old, uint64_t operand, unsigned bytes)
{
	return less(old, operand, bytes) ? operand : old;
}

static uint64_t signed_min(uint64_t old, uint64_t operand, unsigned bytes)
{
	return less(old, operand, bytes) ? old : operand;
}

static uint64_t unsigned_max(uint64_t old, uint64_t operand, unsigned bytes)
{
	return old < operand ? operand : old;
}

static uint64_t unsigned_min(uint64_t old, uint64_t operand, unsigned bytes)
{
	return old < operand ? old : operand;
}

static uint64_t replace(uint64_t old, uint64_t operand, unsigned bytes)
{
	return operand;
}

void soft_LDADD(struct soft_cpu *c, uint32_t w)
{
	modify(c, w, add);
}

void soft_LDCLR(struct soft_cpu *c, uint32_t w)
{
	modify(c, w, clear);
}

void soft_LDEOR(struct soft_cpu *c, uint32_t w)
{
	modify(c, w, exclusive_or);
}

void soft_LDSET(struct soft_cpu *c, uint32_t w)
{
	modify(c, w, set);
}

void soft_LDSMAX(struct soft_cpu *c, uint32_t w)
{
	modify(c, w, signed_max);
}

void soft_LDSMIN(struct soft_cpu *c, uint32_t w)
{
	modify(c, w, signed_min);
}

void soft_LDUMAX(struct soft_cpu *c, uint32_t w)
{
	modify(c, w, unsigned_max);
}

void soft_LDUMIN(struct soft_cpu *c, uint32_t w)
{
	modify(c, w, unsigned_min);
}

void soft_SWP(struct soft_cpu *c, uint32_t w)
{
	modify(c, w, replace);
}
