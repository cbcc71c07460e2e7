/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Self-hosted debug of the `soft` engine: breakpoints, watchpoints, software step. Arm ARM (DDI 0487), D2.
 *
 * Nothing of it costs anything while no breakpoint or watchpoint is enabled: a page with a watchpoint
 * has no entry that the fast path of accesses would find, instructions of a page with a breakpoint are fetched
 * one by one, and software step looks before every instruction only while MDSCR_EL1.SS is 1.
 */
#ifndef SOFT_DEBUG_H
#define SOFT_DEBUG_H

#include "hv/soft/cpu.h"

enum { SOFT_BREAKPOINTS = 6, SOFT_WATCHPOINTS = 4, SOFT_CONTEXT_BREAKPOINTS = 2 };

/* What ID_AA64DFR0_EL1 says of it: CTX_CMPs, WRPs, BRPs. */
#define SOFT_DEBUG_ID                                                                              \
	((SOFT_CONTEXT_BREAKPOINTS - 1ULL) << 28 | (SOFT_WATCHPOINTS - 1ULL) << 20 |               \
	 (SOFT_BREAKPOINTS - 1ULL) << 12)

struct soft_debug {
	/* Bits: those that can match somewhere. */
	uint8_t breakpoints, watchpoints;
	/* An instruction is being stepped; its PSTATE.SS is still 1. */
	bool stepping;
	/* The step exception that follows: an instruction was stepped, a load-exclusive. */
	bool stepped, stepped_exclusive;
};

/* A register of a breakpoint or watchpoint that does not exist: UNDEFINED. */
bool soft_debug_missing(uint16_t code);
/* DBGBVR, DBGBCR, DBGWVR, DBGWCR, MDSCR_EL1 or the OS lock has been written. */
void soft_debug_changed(struct soft_cpu *c);
static inline bool soft_debug_is_register(uint16_t code)
{
	return code >> 14 == 2 && !(code >> 11 & 7);
}

/* The level that debug exceptions are taken to, from EL0 and EL1: ELd. */
unsigned soft_debug_target(const struct soft_cpu *c);
/* PSTATE.SS after an exception return to @spsr, whose level is valid if @legal: DebugExceptionReturnSS(). */
bool soft_debug_return_ss(const struct soft_cpu *c, uint64_t spsr, bool legal);

/* ---- fetching ---- */
/* Does the 4 KiB page of @va have breakpoints? */
bool soft_break_page(const struct soft_cpu *c, uint64_t va);
/* A breakpoint on the instruction at PC? True: the exception was taken. */
bool soft_break(struct soft_cpu *c);

/* ---- data accesses ---- */
bool soft_watch_page(const struct soft_cpu *c, uint64_t va);
/* To be called when [va, va + bytes) has been translated. True: the exception was taken. @is_cache: DC. */
bool soft_watch_slow(struct soft_cpu *c, uint64_t va, unsigned bytes, bool is_write, bool unpriv,
		     bool is_cache);

/* ---- software step ---- */
/* Before an instruction, with event STEP: true: an exception was taken. */
bool soft_step_begin(struct soft_cpu *c);
/* The instruction before has been carried out. */
void soft_step_end(struct soft_cpu *c);
/* An exception is taken with preferred return address @pc; PSTATE.SS is as it is to go to SPSR_ELx. */
void soft_step_exception(struct soft_cpu *c, uint64_t pc);

#endif
