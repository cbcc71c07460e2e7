/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is running: which stage of the boot, told without symbols from where PEs go and what is in memory there.
 *
 *   EL3          what begins at reset is BL1; EL3 code in other memory after that, BL31
 *   Secure EL1   BL2 if BL1 enters it, OP-TEE if BL31 does
 *   Non-secure   by the image: U-Boot and EDK2 when they are entered, Linux when its first instruction is executed,
 *                or, if something else started it in a way of its own (the EFI stub), when it leaves EL2, or executes
 *                in the upper half of the address space
 *
 * What is recognised by nothing counts for what started it, or has a general name. Pure but for the memory read.
 */
#ifndef PE_STAGE_H
#define PE_STAGE_H

#include "hv/hv.h"

#include <stdatomic.h>

enum stage {
	STAGE_NONE,
	STAGE_BL1,
	STAGE_BL2,
	STAGE_BL31,
	STAGE_OPTEE,
	STAGE_U_BOOT,
	STAGE_EDK2,
	STAGE_LINUX,
	STAGE_SECURE_EL1,
	STAGE_EL2,
	STAGE_EL1,
	STAGE_COUNT
};

/* As in reports: "bl1", "u-boot" ... */
const char *stage_name(enum stage s);

struct stage_memory {
	void *opaque;
	/* False: it is not all memory. */
	bool (*read)(void *opaque, uint64_t pa, void *buf, uint64_t len, bool secure);
	/* Which memory is there: the same number for all of a flash or RAM. */
	uint64_t (*which)(void *opaque, uint64_t pa);
};

/* Of the machine; zero is where to begin. */
struct stage_machine {
	_Atomic(enum stage) normal; /* in the Non-secure world */
};

/* Of one PE; zero: at reset. */
struct stage_pe {
	enum stage now, el3, secure, normal;
	enum stage secure_by;  /* the one at EL3 that entered `secure` */
	uint64_t reset_memory; /* which() of where EL3 began */
	uint8_t normal_el;     /* where it was last, in Non-secure state */
	uint8_t failures;      /* searches that found nothing */
};

/* The PE goes there: pe->now. True: it should be told of new pages of code, too. */
bool stage_at(struct stage_machine *m, struct stage_pe *pe, const struct stage_memory *mem,
	      const struct hv_place *p);

#endif
