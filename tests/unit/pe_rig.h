/* SPDX-License-Identifier: Apache-2.0 */
/* Three PEs on a back end that only plays back exits, with 64 KiB of RAM and a device of one register. */
#ifndef TESTS_PE_RIG_H
#define TESTS_PE_RIG_H

#include "arm/exc.h"
#include "arm/smccc.h"
#include "hv/fake/fake.h"
#include "mem/mem.h"
#include "pe/set.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
	PES = 3,
	BASE = 0x40000000,
	SIZE = 0x10000,
	DEVICE = 0x9000000,
	VBAR = BASE + 0x8000,
	EL1H = 0x3c5,
	EL0T = 0,
	HVC = 0xd4000002,
	BR_X1 = 0xd61f0020,
	UNKNOWN_REG = 0x42,
};

struct rig {
	struct mem_space *mem;
	struct mem_region ram, device;
	pthread_mutex_t device_lock;
	uint32_t *word;
	struct hv_ops ops;
	struct hv_caps caps;
	struct hv_vm *vm;
	struct pe_set *s;
	struct pe_entry entry;
	atomic_uint offs, resets, failures;
	_Atomic(const char *) what;
	atomic_uint timer_calls[HV_TIMER_COUNT][2];
	atomic_ullong device_value, written;
	atomic_uint access_pe;
	bool device_holds;	 /* a write to the device asks for a reset */
	struct pe_access access; /* of a system register */
	struct mem_attrs attrs;	 /* of the device */
};

/* For cmocka: *state is the rig. The PEs are not started; @r->entry and @r->word may be changed before. */
int rig_setup(void **state);
/* PEs with EL2 and EL3. */
int rig_setup_levels(void **state);
int rig_teardown(void **state);
void rig_start(struct rig *r);

uint64_t rig_reg(struct rig *r, unsigned pe, uint32_t id);
uint64_t rig_x(struct rig *r, unsigned pe, unsigned n);
/* How often a PE has been in the guest. */
unsigned rig_runs(struct rig *r, unsigned pe);

/* PSCI calls; rig_call() is by PE 0, which stays on, and returns X0. */
void rig_queue_call(struct rig *r, unsigned pe, uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3);
int64_t rig_call(struct rig *r, uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3);
/* Until PE @n is seen off by PE 0; some seconds at most. */
void rig_wait_off(struct rig *r, unsigned n);

/* A BRK exit with VBAR_EL1 = VBAR. */
void rig_queue_brk(struct rig *r, unsigned pe, uint16_t imm, uint64_t pc, uint64_t pstate);
/* PE 0 executes the patched word @n. */
void rig_execute(struct rig *r, unsigned n, uint64_t pstate);
void rig_kick_once(struct rig *r, unsigned pe);
void rig_nap(void);

/* PE 0 has taken an exception to the vector at VBAR + @offset. */
void rig_assert_exception(struct rig *r, uint64_t offset, uint32_t esr, uint64_t elr,
			  uint64_t spsr);

#endif
