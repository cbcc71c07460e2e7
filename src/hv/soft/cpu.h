/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State of one CPU of the `soft` engine, and what the code of the instructions is written with.
 *
 * An instruction is one function, soft_NAME() for row NAME of the tables in arm/a64/. It is called with
 * c->pc at the instruction and c->next_pc after it, and leaves the CPU as the architecture says. A function
 * that finds a fault calls one of the soft_raise functions (or an access function that did so returned
 * false) and returns at once; it has then changed no register that the architecture keeps.
 *
 * Everything here belongs to the CPU's own thread, except where said.
 */
#ifndef SOFT_CPU_H
#define SOFT_CPU_H

#include "arm/a64.h"
#include "arm/fp/fp.h"
#include "util/bits.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct soft_cpu;
typedef void soft_fn(struct soft_cpu *c, uint32_t w);

/* ---- registers ---- */

union soft_v {
	uint64_t d[2];
	uint32_t s[4];
	uint16_t h[8];
	uint8_t b[16];
	__uint128_t q;
};

enum soft_access { SOFT_READ, SOFT_WRITE, SOFT_EXEC, SOFT_ACCESS_COUNT };

/* How an access looks at the address space; also the index of its TLB. */
enum soft_view {
	SOFT_VIEW_USER,	    /* EL0, LDTR and STTR */
	SOFT_VIEW_PRIV,	    /* the privileged level */
	SOFT_VIEW_PRIV_PAN, /* ... with PSTATE.PAN */
	SOFT_VIEW_COUNT
};

enum { SOFT_PAGE_BITS = 12, SOFT_PAGE = 1 << SOFT_PAGE_BITS, SOFT_TLB_BITS = 10 };

/*
 * 4 KiB of virtual address space, whatever the granule is. tag[] is the address of the page if plain
 * accesses of that kind can go straight to memory. If not, it is an address that belongs into another slot
 * of the TLB, so that no address at all compares equal.
 */
struct soft_tlb_entry {
	uint64_t tag[SOFT_ACCESS_COUNT];
	uint64_t addend;  /* host address - virtual address */
	uint64_t context; /* soft_cpu.context[] of the half of the address space */
	/* For the slow path: the page as it was translated. */
	uint8_t prot; /* enum arm_prot that this view has */
	uint8_t direct; /* bit n: enum soft_access n can go to memory once it is known to be aligned */
	uint8_t size_bits;	    /* log2 of the page or block of stage 1 */
	bool device, device_stage1; /* ... by stage 1 alone */
	bool host, writable;	    /* memory; that may be written */
	bool secure;		    /* pa is Secure */
	uint64_t page, pa;
};

struct soft_cpu {
	uint64_t x[31];
	uint64_t sp; /* the current one; sp_el[] holds the others */
	uint64_t pc, next_pc;
	uint32_t nzcv;	 /* in bits 31:28 */
	uint64_t pstate; /* all else, in the layout of SPSR_ELx */
	union soft_v v[32];
	struct fp_env fp; /* FPCR, FPSR */

	/* Any bit: soft_poll() before the next instruction. */
	atomic_uint event;
	int32_t budget; /* instructions until the timers are looked at */

	/* Where instructions come from: va & ~0xfff, and host address of that page. 1: unknown. */
	uint64_t fetch_page;
	const uint8_t *fetch_host;

	struct soft_tlb_entry *tlb; /* of the current level's view */
	uint64_t context[2];
	uint64_t tbi_mask[2]; /* bits of an address that count, by bit 55 */
	bool el2_upper;	      /* at EL2, with HCR_EL2.E2H: addresses have an upper half; */
	bool el2_host;	      /* ... and with TGE: EL0 is in the same regime */

	/* Local exclusive monitor. */
	bool excl_valid;
	uint8_t excl_size; /* bytes: 1, 2, 4, 8, 16 */
	uint64_t excl_addr;
	uint64_t excl_value[2];

	bool big_endian; /* data accesses of the current level */
	bool align_check;
	bool sp_align_check;
	bool fp_trapped; /* FP&SIMD instructions of the current level are, or... */
	bool fp_elsewhere; /* ... v[] and fp are not up to date: soft_fp_check() sees to it */

	struct soft_sys *sys; /* system registers, MMU, timers, exits: sys.h */
};

/* n 31 is XZR. */
static inline uint64_t soft_x(const struct soft_cpu *c, unsigned n)
{
	return n == 31 ? 0 : c->x[n];
}

static inline void soft_set_x(struct soft_cpu *c, unsigned n, uint64_t value)
{
	if (n != 31)
		c->x[n] = value;
}

/* n 31 is SP. */
static inline uint64_t soft_xsp(const struct soft_cpu *c, unsigned n)
{
	return n == 31 ? c->sp : c->x[n];
}

static inline void soft_set_xsp(struct soft_cpu *c, unsigned n, uint64_t value)
{
	if (n == 31)
		c->sp = value;
	else
		c->x[n] = value;
}

static inline unsigned soft_el(const struct soft_cpu *c)
{
	return c->pstate >> 2 & 3;
}

/* AArch64.BranchAddr(): a tag does not get into PC. EL2 and EL3 have a lower range only. */
static inline uint64_t soft_branch_address(const struct soft_cpu *c, uint64_t target)
{
	bool upper = bit(target, 55);
	uint64_t mask = c->tbi_mask[upper];

	return upper && (soft_el(c) < 2 || c->el2_upper) ? target | ~mask : target & mask;
}

/* ---- exceptions: set next_pc to the vector ---- */

void soft_undefined(struct soft_cpu *c);
void soft_raise_svc(struct soft_cpu *c, uint16_t imm);
void soft_raise_brk(struct soft_cpu *c, uint16_t imm);
void soft_raise_alignment(struct soft_cpu *c, uint64_t va, bool is_write);
void soft_raise_sp_alignment(struct soft_cpu *c);
void soft_raise_pc_alignment(struct soft_cpu *c, uint64_t pc);

/* May FP&SIMD registers be used (CPACR_EL1.FPEN, CPTR_EL2, CPTR_EL3)? If not, the exception was taken.
 * Every instruction that touches V registers, FPCR or FPSR calls it first. */
bool soft_fp_check(struct soft_cpu *c);

/* ---- memory ----
 *
 * Addresses are virtual, with a tag byte if the guest has one. Sizes are 1, 2, 4, 8 or 16 bytes. False: a
 * fault was taken, or the access is to a device and has to be carried out elsewhere; return at once with nothing
 * changed. Values are in the guest's view (byte order applied), zero-extended.
 */

/* Flags of an access. */
enum soft_mem_flags {
	SOFT_MEM_UNPRIV = 1,  /* LDTR, STTR */
	SOFT_MEM_ALIGNED = 2, /* alignment is checked always: exclusive, acquire, release, atomic */
	/* The access has a syndrome (ISS.ISV): one general register, no write-back. */
	SOFT_MEM_ISV = 4,
	SOFT_MEM_SIGN = 8,     /* with ISV: sign-extend... */
	SOFT_MEM_DST64 = 16,   /* with ISV: ...to 64 bits, else 32 */
	SOFT_MEM_AR = 32,      /* with ISV: acquire or release */
	SOFT_MEM_CACHE = 64,   /* cache maintenance */
	SOFT_MEM_RT_SHIFT = 8, /* with ISV: the register */
	/* Filled in on the way: log2 of the size, with ISV; the Secure physical address space. */
	SOFT_MEM_SIZE_SHIFT = 13,
	SOFT_MEM_SECURE = 1 << 16,
};

/* Slow paths; the instructions use the inline functions below. */
bool soft_read_slow(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned flags,
		    uint64_t *value);
bool soft_write_slow(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned flags,
		     uint64_t value);

/* Host address of naturally aligned [va, va+bytes) for an atomic access; writable if @write. NULL as false. A
 * misaligned address takes the alignment fault. The caller sees to the byte order (c->big_endian). */
void *soft_host(struct soft_cpu *c, uint64_t va, unsigned bytes, bool write, unsigned flags);

/* Check that [va, va+bytes) can be written (an instruction with several stores). @bytes up to 4096. */
bool soft_probe_write(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned flags);

static inline void *soft_tlb_hit(const struct soft_cpu *c, uint64_t va, unsigned bytes,
				 enum soft_access access)
{
	const struct soft_tlb_entry *e = &c->tlb[va >> SOFT_PAGE_BITS & ((1 << SOFT_TLB_BITS) - 1)];

	/* One comparison for the page and for lying inside it. */
	if ((va ^ e->tag[access]) > (uint64_t)SOFT_PAGE - bytes ||
	    e->context != c->context[va >> 55 & 1])
		return NULL;
	return (void *)(uintptr_t)(va + e->addend);
}

#define SOFT_MEM_ACCESSORS(bytes, type)                                                            \
	static inline bool soft_read##bytes(struct soft_cpu *c, uint64_t va, unsigned flags,       \
					    uint64_t *value)                                       \
	{                                                                                          \
		const void *p = soft_tlb_hit(c, va, bytes, SOFT_READ);                             \
		type t;                                                                            \
                                                                                                   \
		if (__builtin_expect(!p || flags & 3, 0))                                          \
			return soft_read_slow(c, va, bytes, flags, value);                         \
		__builtin_memcpy(&t, p, bytes);                                                    \
		*value = t;                                                                        \
		return true;                                                                       \
	}                                                                                          \
	static inline bool soft_write##bytes(struct soft_cpu *c, uint64_t va, unsigned flags,      \
					     uint64_t value)                                       \
	{                                                                                          \
		void *p = soft_tlb_hit(c, va, bytes, SOFT_WRITE);                                  \
		type t = value;                                                                    \
                                                                                                   \
		if (__builtin_expect(!p || flags & 3, 0))                                          \
			return soft_write_slow(c, va, bytes, flags, value);                        \
		__builtin_memcpy(p, &t, bytes);                                                    \
		return true;                                                                       \
	}

SOFT_MEM_ACCESSORS(1, uint8_t)
SOFT_MEM_ACCESSORS(2, uint16_t)
SOFT_MEM_ACCESSORS(4, uint32_t)
SOFT_MEM_ACCESSORS(8, uint64_t)
#undef SOFT_MEM_ACCESSORS

static inline bool soft_read(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned flags,
			     uint64_t *value)
{
	switch (bytes) {
	case 1:
		return soft_read1(c, va, flags, value);
	case 2:
		return soft_read2(c, va, flags, value);
	case 4:
		return soft_read4(c, va, flags, value);
	default:
		return soft_read8(c, va, flags, value);
	}
}

static inline bool soft_write(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned flags,
			      uint64_t value)
{
	switch (bytes) {
	case 1:
		return soft_write1(c, va, flags, value);
	case 2:
		return soft_write2(c, va, flags, value);
	case 4:
		return soft_write4(c, va, flags, value);
	default:
		return soft_write8(c, va, flags, value);
	}
}

/* 16 bytes of one register, or two registers of 8: value[0] at the lower address (little-endian guests). */
bool soft_read16(struct soft_cpu *c, uint64_t va, unsigned flags, uint64_t value[2]);
bool soft_write16(struct soft_cpu *c, uint64_t va, unsigned flags, const uint64_t value[2]);

/* SP as a base must be 16-byte aligned when SCTLR_ELx.SA says so. False: the exception was taken. */
static inline bool soft_check_sp(struct soft_cpu *c, unsigned rn)
{
	if (__builtin_expect(rn == 31 && c->sp & 15 && c->sp_align_check, 0)) {
		soft_raise_sp_alignment(c);
		return false;
	}
	return true;
}

/* ---- the table of all instructions ---- */

#define A64_OP(name) soft_fn soft_##name;
A64_OPS(A64_OP)
#undef A64_OP

#endif
