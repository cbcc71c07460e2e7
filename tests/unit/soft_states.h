/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of single instructions by digest: every instruction is carried out from the same SOFT_STATES
 * states, and a hash of what all of them became is compared with one recorded on qemu-aarch64 by
 * tests/unit/soft-record, which makes the same states. V0-V3, X0-X3, SP, NZCV, FPCR and FPSR take part.
 */
#ifndef TESTS_SOFT_STATES_H
#define TESTS_SOFT_STATES_H

#include "soft_rig.h"

enum { SOFT_STATES = 256 };

struct soft_digest {
	const char *text; /* assembly */
	uint32_t word;
	uint64_t digest;
};

/* State @n into @r, all other registers as they are. */
void soft_state(struct soft_rig *r, unsigned n);
uint64_t soft_state_digest(struct soft_rig *r, uint32_t word);
/* Compare all; a difference fails the test after all have been seen. */
void soft_check_digests(const struct soft_digest *list, unsigned count);
/* With FP trapped, each takes the trap and changes nothing. */
void soft_check_traps(const struct soft_digest *list, unsigned count);

#endif
