/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A back end for unit tests: executes nothing. A test queues the exits each vCPU is to report, with
 * the registers as the guest would have left them, and afterwards looks at what was called.
 *
 * It is in no list of back ends; a test creates its VM through hv_fake_ops itself. With nothing queued
 * run() blocks, as a guest in WFI does, until the vCPU is kicked; after wait_for_interrupt() it does so
 * whatever is queued, until a line is high. Every function here may be called
 * from any thread; access to registers through hv_fake_ops from any but the vCPU's own ends the process.
 */
#ifndef HV_FAKE_FAKE_H
#define HV_FAKE_FAKE_H

#include "hv/hv.h"

extern const struct hv_ops hv_fake_ops;

enum { FAKE_VCPUS = 8, FAKE_EXITS = 256, FAKE_CALLS = 1024, FAKE_REGS = 128, FAKE_MAPS = 64 };

struct fake_reg {
	uint32_t id;
	uint64_t value;
};

/* Queue an exit of vCPU @index, which need not exist yet. @regs (at most 8) are set just before it is
 * reported. */
void fake_queue(struct hv_vm *vm, unsigned index, const struct hv_exit *exit,
		const struct fake_reg *regs, unsigned reg_count);
/* Wait until vCPU @index has used up its queue and blocks in run(). False after 10 s. */
bool fake_wait_idle(struct hv_vm *vm, unsigned index);

/* Registers: 0 if never written. */
uint64_t fake_get(struct hv_vm *vm, unsigned index, uint32_t id);
void fake_set(struct hv_vm *vm, unsigned index, uint32_t id, uint64_t value);
void fake_set_timers(struct hv_vm *vm, unsigned index, uint32_t levels);

enum fake_what {
	FAKE_RUN, /* a: kind of the exit it ended with */
	FAKE_KICK,
	FAKE_MMIO_DONE, /* a: value */
	FAKE_MMIO_ABORT,
	FAKE_IRQ,   /* a: line, b: level */
	FAKE_DEBUG, /* a: flags */
	FAKE_RESET,
	FAKE_WAIT,
};

struct fake_call {
	enum fake_what what;
	uint64_t a, b;
};

/* Copy the calls of one sort made on vCPU @index, in order, at most @max; returns how many there
 * were (not counting those beyond FAKE_CALLS). */
unsigned fake_calls(struct hv_vm *vm, unsigned index, enum fake_what what, struct fake_call *out,
		    unsigned max);

struct fake_map {
	uint64_t gpa, len;
	void *host;
	unsigned prot;
};

/* The mapping that holds @gpa, or false. */
bool fake_mapping(struct hv_vm *vm, uint64_t gpa, struct fake_map *out);

#endif
