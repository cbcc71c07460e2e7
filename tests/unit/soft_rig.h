/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One CPU of the soft engine without the engine: the test doubles of what hv/soft/cpu.h declares, over a
 * flat memory, and a way to carry out single words. The test links the files of the instructions it uses.
 */
#ifndef TESTS_SOFT_RIG_H
#define TESTS_SOFT_RIG_H

#include "hv/soft/cpu.h"

enum { SOFT_RIG_MEM = 0x10000000, SOFT_RIG_MEM_SIZE = 8192, SOFT_RIG_PC = 0x400000 };

enum soft_rig_event {
	SOFT_RIG_OK,
	SOFT_RIG_UNDEFINED,
	SOFT_RIG_SVC, /* arg: imm */
	SOFT_RIG_BRK, /* arg: imm */
	SOFT_RIG_ALIGNMENT,
	SOFT_RIG_SP_ALIGNMENT,
	SOFT_RIG_PC_ALIGNMENT,
	SOFT_RIG_ABORT, /* arg: address */
	SOFT_RIG_FP_TRAP,
};

struct soft_rig {
	struct soft_cpu c;
	struct soft_tlb_entry tlb[1 << SOFT_TLB_BITS]; /* empty: all goes the slow way */
	uint8_t mem[SOFT_RIG_MEM_SIZE];
	uint64_t abort_at; /* an access to this byte aborts; 0: none */
	bool fp_off;	   /* soft_fp_check() takes the trap */
	enum soft_rig_event event;
	uint64_t arg;
	unsigned flags; /* enum soft_mem_flags of the last access */
};

struct soft_rig *soft_rig_make(void);
void soft_rig_drop(struct soft_rig *r);
/* Accesses inside a page of the memory go straight there, as with a filled TLB; aborts are not seen then. */
void soft_rig_fill_tlb(struct soft_rig *r);

/* Carry out one word at PC; PC moves on unless an exception was taken. No row or no code: UNDEFINED. */
enum soft_rig_event soft_rig_run(struct soft_rig *r, uint32_t word);

#endif
