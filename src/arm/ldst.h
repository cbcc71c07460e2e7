/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads and stores that have to be carried out by software.
 *
 * A data abort tells what it wanted (ISS.ISV) only for an access of one general register without
 * write-back. Everything else that hits a device is decoded here from its instruction word and
 * executed by calls to its surroundings.
 *
 * Pure: no state, no allocation, no I/O of its own. Any thread.
 */
#ifndef ARM_LDST_H
#define ARM_LDST_H

#include <stdbool.h>
#include <stdint.h>

enum a64_mem_kind {
	A64_MEM_LOAD,
	A64_MEM_STORE,
	A64_MEM_LOAD_EXCL,
	A64_MEM_STORE_EXCL,
	A64_MEM_ATOMIC, /* LDADD...SWP: `atomic` says which */
	A64_MEM_CAS,	/* CAS, CASP */
	A64_MEM_LOAD_STRUCT,
	A64_MEM_STORE_STRUCT,
	A64_MEM_ZERO,	  /* DC ZVA */
	A64_MEM_PREFETCH, /* PRFM: no access */
};

enum a64_mem_mode { A64_MEM_OFFSET, A64_MEM_PRE, A64_MEM_POST, A64_MEM_LITERAL };

/* In the order of the opc field of "Atomic memory operations"; SWP has its own encoding. */
enum a64_mem_atomic {
	A64_ATOMIC_ADD,
	A64_ATOMIC_CLR,
	A64_ATOMIC_EOR,
	A64_ATOMIC_SET,
	A64_ATOMIC_SMAX,
	A64_ATOMIC_SMIN,
	A64_ATOMIC_UMAX,
	A64_ATOMIC_UMIN,
	A64_ATOMIC_SWP,
};

struct a64_mem_op {
	enum a64_mem_kind kind;
	enum a64_mem_mode mode;
	enum a64_mem_atomic atomic;
	uint8_t size;  /* bytes per element: 1, 2, 4, 8, 16 */
	uint8_t count; /* registers with one element each: 1, 2; structures: see below */
	uint8_t rt;    /* first register transferred */
	uint8_t rt2;   /* second, count 2 */
	uint8_t rs;    /* status of STXR, operand of atomics, comparand of CAS */
	uint8_t rn;    /* base; 31 is SP. DC ZVA: the address, 31 is XZR */
	uint8_t rm;    /* offset register if `rm_used`; 31 is XZR */
	bool rm_used;
	uint8_t extend; /* option field: 2 UXTW, 3 LSL, 6 SXTW, 7 SXTX */
	uint8_t shift;	/* left shift of the extended rm */
	int64_t imm;	/* offset if not `rm_used`; literal: relative to the PC */
	bool vector;	/* rt and rt2 are V registers */
	bool sign;	/* loads: sign-extend... */
	bool dst64;	/* ...to 64 bits; otherwise to 32 */
	bool acquire;
	bool release;
	bool unpriv; /* LDTR, STTR: access as EL0 */
	/* Structures: for each of `rpt` groups of `selem` registers, `lanes` elements per register. */
	uint8_t rpt;
	uint8_t selem;
	uint8_t lanes;
	uint8_t index;	/* first lane; 0 for multiple structures */
	bool single;	/* LD1 {V.B}[i]...: the other lanes stay */
	bool replicate; /* LD1R...LD4R */
	bool q;		/* 128-bit registers */
};

/* False: not an instruction handled here (not a load or store; UNDEFINED; SVE, SME, MTE, MOPS, LS64,
 * LSE128, RCpc3, LDRAA/LDRAB). */
bool a64_ldst_decode(uint32_t insn, struct a64_mem_op *op);

/* Bytes of memory touched; for DC ZVA 0 (the context says). */
unsigned a64_ldst_bytes(const struct a64_mem_op *op);

struct a64_ldst_ctx {
	void *opaque;
	uint64_t (*get_x)(void *opaque, unsigned n); /* 0..30; 31 is the current SP */
	void (*set_x)(void *opaque, unsigned n, uint64_t value);
	void (*get_v)(void *opaque, unsigned n, uint64_t value[2]);
	void (*set_v)(void *opaque, unsigned n, const uint64_t value[2]);
	/* @size is 1, 2, 4 or 8; @addr is virtual and may be unaligned. False: abort. */
	bool (*read)(void *opaque, uint64_t addr, unsigned size, uint64_t *value);
	bool (*write)(void *opaque, uint64_t addr, unsigned size, uint64_t value);
	/* Does a store-exclusive to @addr pass its monitors? False: nothing is stored, status 1. */
	bool (*exclusive_store)(void *opaque, uint64_t addr, unsigned size);
	uint64_t pc;	    /* of the instruction */
	unsigned zva_bytes; /* block of DC ZVA, from DCZID_EL0.BS; 8..2048 */
	bool big_endian;    /* SCTLR_ELx.EE, or E0E */
	/* Set by an abort. */
	uint64_t fault_addr;
	bool fault_write;
};

enum a64_ldst_result {
	A64_LDST_OK,
	A64_LDST_ABORT, /* fault_addr and fault_write are set; no register has changed */
};

/*
 * Carry out @op: accesses in architectural order, 16-byte elements as two of 8, low address first;
 * then destination registers and write-back. The PC is the caller's. Alignment (of the SP, of
 * exclusive and atomic accesses, of accesses to Device memory) is not checked: such faults have
 * priority over those that lead here.
 */
enum a64_ldst_result a64_ldst_execute(const struct a64_mem_op *op, struct a64_ldst_ctx *ctx);

/* Address of the first access. */
uint64_t a64_ldst_address(const struct a64_mem_op *op, const struct a64_ldst_ctx *ctx);

#endif
