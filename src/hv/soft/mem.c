/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data accesses that the inline functions of cpu.h do not carry out themselves: TLB misses, pages that
 * are no plain memory, alignment checks, unprivileged and big-endian accesses. Arm ARM (DDI 0487),
 * B2.8 "Endian support", B2.5 "Alignment support", D8 for the order of faults.
 *
 * An access that crosses a page is two halves, both translated before the first byte moves. If one half
 * is no memory, nothing can carry out the whole: it takes the alignment fault of Device memory, even if
 * the guest has mapped the device as Normal.
 *
 * Numbers lie in memory as on the host, which is little-endian like every host of this engine.
 */
#include "hv/soft/sys.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "memory is in the host's byte order");

static unsigned page_offset(uint64_t va)
{
	return va & (SOFT_PAGE - 1);
}

static bool crosses(uint64_t va, unsigned bytes)
{
	return page_offset(va) > SOFT_PAGE - bytes;
}

/* The address space ends with 2^64: what follows is at 0. */
static uint64_t next_page(uint64_t va)
{
	return (va | (SOFT_PAGE - 1)) + 1;
}

static bool is_memory(const struct soft_tlb_entry *e, enum soft_access access)
{
	return e->host && (access == SOFT_READ || e->writable);
}

static uint8_t *host_of(const struct soft_tlb_entry *e, uint64_t va)
{
	return (uint8_t *)(uintptr_t)(va + e->addend);
}

/* One load or store instruction for an aligned number: other CPUs see all of it or nothing. */
static void copy(void *to, const void *from, unsigned bytes)
{
	switch (bytes) {
	case 1:
		memcpy(to, from, 1);
		break;
	case 2:
		memcpy(to, from, 2);
		break;
	case 4:
		memcpy(to, from, 4);
		break;
	case 8:
		memcpy(to, from, 8);
		break;
	default:
		memcpy(to, from, bytes);
	}
}

/* Where the bytes of an access are: one or two pages. */
struct span {
	uint8_t *host[2];
	unsigned bytes[2];
};

/* The page of @va; checks what only the translation tells. */
static struct soft_tlb_entry *translate(struct soft_cpu *c, uint64_t va, bool misaligned,
					enum soft_access access, unsigned flags)
{
	struct soft_tlb_entry *e = soft_translate(c, va, access, flags);

	if (e && e->device && misaligned) {
		soft_device_alignment(c, e, va, access == SOFT_WRITE);
		return NULL;
	}
	return e;
}

/* Is a watchpoint's exception taken? */
static bool watched(struct soft_cpu *c, uint64_t va, unsigned bytes, bool is_write, unsigned flags)
{
	return c->sys->debug.watchpoints &&
	       soft_watch_slow(c, va, bytes, is_write, flags & SOFT_MEM_UNPRIV, false);
}

static bool find_crossing(struct soft_cpu *c, uint64_t va, unsigned bytes, enum soft_access access,
			  unsigned flags, struct span *s)
{
	uint64_t at[2] = {va, next_page(va)};

	s->bytes[0] = SOFT_PAGE - page_offset(va);
	s->bytes[1] = bytes - s->bytes[0];
	for (unsigned i = 0; i < 2; i++) {
		struct soft_tlb_entry *e = translate(c, at[i], true, access, flags);

		if (!e)
			return false;
		if (!is_memory(e, access)) {
			soft_raise_alignment(c, va, access == SOFT_WRITE);
			return false;
		}
		s->host[i] = host_of(e, at[i]);
	}
	return !watched(c, va, bytes, access == SOFT_WRITE, flags);
}

/* @raw: the first bytes of a store, in the order of memory. A device sees them so, too. */
static bool find(struct soft_cpu *c, uint64_t va, unsigned bytes, enum soft_access access,
		 unsigned flags, uint64_t raw, struct span *s)
{
	bool misaligned = va & (bytes - 1);
	struct soft_tlb_entry *e;

	if (flags & SOFT_MEM_ISV)
		flags |= (unsigned)__builtin_ctz(bytes) << SOFT_MEM_SIZE_SHIFT;

	if (misaligned && (c->align_check || flags & SOFT_MEM_ALIGNED)) {
		soft_raise_alignment(c, va, access == SOFT_WRITE);
		return false;
	}
	if (crosses(va, bytes))
		return find_crossing(c, va, bytes, access, flags, s);
	e = translate(c, va, misaligned, access, flags);
	if (!e || watched(c, va, bytes, access == SOFT_WRITE, flags))
		return false;
	if (!is_memory(e, access)) {
		soft_device(c, va, e->pa | page_offset(va), bytes, access == SOFT_WRITE,
			    flags | (e->secure ? SOFT_MEM_SECURE : 0), raw);
		return false;
	}
	s->host[0] = host_of(e, va);
	s->bytes[0] = bytes;
	s->bytes[1] = 0;
	return true;
}

/* @data: the bytes in the order of memory. */
static bool read_bytes(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned flags, void *data)
{
	struct span s;

	if (!find(c, va, bytes, SOFT_READ, flags, 0, &s))
		return false;
	copy(data, s.host[0], s.bytes[0]);
	if (s.bytes[1])
		copy((uint8_t *)data + s.bytes[0], s.host[1], s.bytes[1]);
	return true;
}

static bool write_bytes(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned flags,
			const uint64_t *data)
{
	struct span s;

	if (!find(c, va, bytes, SOFT_WRITE, flags, *data, &s))
		return false;
	copy(s.host[0], data, s.bytes[0]);
	if (s.bytes[1])
		copy(s.host[1], (const uint8_t *)data + s.bytes[0], s.bytes[1]);
	return true;
}

/* Memory that the fast path leaves alone for what is not the matter here: it is Device memory, as all is while
 * the MMU is off, or SCTLR_ELx.A is set, or the byte order is the other one. NULL: look closer. */
static inline uint8_t *quick(const struct soft_cpu *c, uint64_t va, unsigned bytes,
			     enum soft_access access, unsigned flags)
{
	const struct soft_tlb_entry *e = &c->tlb[va >> SOFT_PAGE_BITS & ((1 << SOFT_TLB_BITS) - 1)];

	/* The same page, and aligned. */
	if ((va ^ e->page) & ~(uint64_t)(SOFT_PAGE - bytes) ||
	    e->context != c->context[va >> 55 & 1] || !bit(e->direct, access) ||
	    flags & SOFT_MEM_UNPRIV)
		return NULL;
	return host_of(e, va);
}

/* The low @bytes of @v, which is zero-extended, reversed. */
static uint64_t reversed(uint64_t v, unsigned bytes)
{
	return __builtin_bswap64(v) >> (64 - bytes * 8);
}

bool soft_read_slow(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned flags,
		    uint64_t *value)
{
	const uint8_t *p = quick(c, va, bytes, SOFT_READ, flags);
	uint64_t raw = 0;

	if (p)
		copy(&raw, p, bytes);
	else if (!read_bytes(c, va, bytes, flags, &raw))
		return false;
	*value = c->big_endian ? reversed(raw, bytes) : raw;
	return true;
}

bool soft_write_slow(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned flags,
		     uint64_t value)
{
	uint64_t raw = c->big_endian ? reversed(value, bytes) : value & ~0ULL >> (64 - bytes * 8);
	uint8_t *p = quick(c, va, bytes, SOFT_WRITE, flags);

	if (p) {
		copy(p, &raw, bytes);
		return true;
	}
	return write_bytes(c, va, bytes, flags, &raw);
}

bool soft_read16(struct soft_cpu *c, uint64_t va, unsigned flags, uint64_t value[2])
{
	const void *p = soft_tlb_hit(c, va, 16, SOFT_READ);
	uint64_t raw[2];

	if (p && !flags) {
		memcpy(value, p, 16);
		return true;
	}
	if (!read_bytes(c, va, 16, flags, raw))
		return false;
	value[0] = c->big_endian ? __builtin_bswap64(raw[1]) : raw[0];
	value[1] = c->big_endian ? __builtin_bswap64(raw[0]) : raw[1];
	return true;
}

bool soft_write16(struct soft_cpu *c, uint64_t va, unsigned flags, const uint64_t value[2])
{
	void *p = soft_tlb_hit(c, va, 16, SOFT_WRITE);
	uint64_t raw[2];

	if (p && !flags) {
		memcpy(p, value, 16);
		return true;
	}
	raw[0] = c->big_endian ? __builtin_bswap64(value[1]) : value[0];
	raw[1] = c->big_endian ? __builtin_bswap64(value[0]) : value[1];
	return write_bytes(c, va, 16, flags, raw);
}

void *soft_host(struct soft_cpu *c, uint64_t va, unsigned bytes, bool write, unsigned flags)
{
	enum soft_access access = write ? SOFT_WRITE : SOFT_READ;
	void *p = soft_tlb_hit(c, va, bytes, access);
	struct span s;

	if (p && !(va & (bytes - 1)) && !(flags & SOFT_MEM_UNPRIV))
		return p;
	if (!find(c, va, bytes, access, flags | SOFT_MEM_ALIGNED, 0, &s))
		return NULL;
	return s.host[0];
}

bool soft_probe_write(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned flags)
{
	return soft_translate(c, va, SOFT_WRITE, flags) &&
	       (!crosses(va, bytes) || soft_translate(c, next_page(va), SOFT_WRITE, flags)) &&
	       !watched(c, va, bytes, true, flags);
}
