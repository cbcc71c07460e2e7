/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the judge and its reference, arm64-run, say to each other: records in the order of bytes of a
 * little-endian machine, over a pair of pipes.
 *
 * The reference begins with struct judge_hello. Then, any number of times: struct judge_batch and its cases
 * go to the reference, struct judge_batch and as many results, each followed by its changed bytes, come
 * back. End of file ends the reference.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include <stdint.h>

#define JUDGE_MAGIC 0x4a554447u

/*
 * Addresses, the same on both sides. The code of a case is in a slot: two words that load the last
 * registers, the words of the case, and branches to the way out. Two pages of memory are there for the
 * instructions, with nothing mapped around them; they begin with the same contents in every case.
 *
 * All this, and the reference program itself, is where few random addresses lead.
 */
#define JUDGE_PROGRAM	  0x2a00400000ull /* the reference's text and data */
#define JUDGE_PROGRAM_END 0x2a02000000ull
#define JUDGE_CODE	  0x2a06000000ull
#define JUDGE_SCRATCH	  0x2a06080000ull

enum {
	JUDGE_SLOT_BYTES = 128,
	JUDGE_SLOTS = 2048,
	JUDGE_CODE_BYTES = JUDGE_SLOTS * JUDGE_SLOT_BYTES,
	JUDGE_PROLOGUE_BYTES = 8,
	JUDGE_SCRATCH_BYTES = 2 * 4096,
	JUDGE_MAX_WORDS = 16,
	JUDGE_MAX_BATCH = 8192,
};

/* FPCR.Stride and Len: kept by PEs that have AArch32, without an effect, else RES0; not compared. */
#define JUDGE_FPCR_AARCH32 0x370000ull

struct judge_state {
	uint64_t x[31];
	uint64_t sp;
	uint64_t v[32][2];
	uint64_t nzcv; /* bits 31:28 */
	uint64_t fpcr, fpsr;
	uint64_t pc; /* of results: where the fault is; else unused */
};

struct judge_case {
	struct judge_state state;
	uint32_t slot, count;
	uint32_t word[JUDGE_MAX_WORDS];
};

enum judge_kind {
	JUDGE_DONE, /* ran to the end of the words */
	JUDGE_ILL,
	JUDGE_SEGV,
	JUDGE_BUS,
	JUDGE_TRAP,
	JUDGE_TIMEOUT,
	JUDGE_WILD, /* touched code, which the two sides do not have in common: not to be compared */
	JUDGE_KINDS
};

struct judge_result {
	struct judge_state state;
	uint32_t kind;
	uint32_t changed, changed_bytes; /* scratch memory: first offset, length; 8-byte steps */
	uint32_t reserved;
	uint64_t hash; /* of all the scratch memory */
};

struct judge_hello {
	uint32_t magic;
	uint16_t sp_align_check; /* SP as a base has to be aligned */
	uint16_t defined_only;	 /* it need not notice that a word is UNDEFINED */
	uint64_t hwcap, hwcap2;
	uint64_t fpcr, fpsr; /* the bits that have an effect, the flags that are set */
};

struct judge_batch {
	uint32_t magic, count;
};

/* SplitMix64. */
static inline uint64_t judge_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

/* The contents of the scratch memory: random, with some zeros, ones and small numbers. */
static inline uint64_t judge_fill(unsigned index)
{
	switch (index % 8) {
	case 2:
		return 0;
	case 5:
		return judge_mix(index) & 0x0000000300000005;
	case 7:
		return judge_mix(index) | 0xffff0000ff00ff00;
	default:
		return judge_mix(index);
	}
}

static inline uint64_t judge_hash(const uint64_t *memory)
{
	uint64_t h = 0;

	for (unsigned i = 0; i < JUDGE_SCRATCH_BYTES / 8; i++)
		h = (h ^ memory[i]) * 0x100000001b3 + (h >> 47);
	return h;
}

#endif
