/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 1 address translation by software: VMSAv8-64 of the Arm ARM (DDI 0487), chapter D8.
 *
 * Pure: memory is read through a callback. Any thread. What a guest puts into its registers and
 * tables can make a walk fail, never run on or read outside what the callback offers.
 */
#ifndef ARM_WALK_H
#define ARM_WALK_H

#include <stdbool.h>
#include <stdint.h>

enum arm_regime_kind {
	ARM_REGIME_EL10, /* EL1&0, and EL2&0 (registers in the layout of TCR_EL1) */
	ARM_REGIME_EL2,	 /* EL2 without host extensions */
	ARM_REGIME_EL3,
};

struct arm_regime {
	enum arm_regime_kind kind;
	uint64_t sctlr;
	uint64_t tcr;
	uint64_t ttbr[2]; /* [1]: ARM_REGIME_EL10 only */
	uint8_t pa_bits;  /* implemented (ID_AA64MMFR0_EL1.PARange), 32..52; 0 counts as 48 */
	/* 8 aligned bytes of physical memory as a little-endian number. False: external abort. */
	bool (*read)(void *opaque, uint64_t pa, uint64_t *value);
	void *opaque;
};

enum arm_prot {
	ARM_PROT_READ = 1,
	ARM_PROT_WRITE = 2,
	ARM_PROT_EXEC = 4,
};

struct arm_xlat {
	uint64_t pa;	  /* of the address asked for */
	uint64_t va_base; /* the page or block it lies in (the contiguous bit is not looked at) */
	uint64_t pa_base;
	uint64_t size;
	uint8_t priv;	    /* enum arm_prot: at the regime's privileged level, PSTATE.PAN aside */
	uint8_t user;	    /* at EL0 */
	uint8_t attr_index; /* into MAIR_ELx; meaningless while the MMU is off */
	uint8_t sh;
	bool ng;	  /* not global */
	bool ns;	  /* the NS bits: output in the Non-secure space */
	int8_t level;	  /* of the leaf, -1..3; where the fault is */
	uint8_t fsc;	  /* fault status code, level included, if the walk failed */
	uint64_t desc;	  /* last descriptor read, as a number */
	uint64_t desc_pa; /* where it stands; 0: none was read */
	bool big_endian;  /* ... and how */
};

enum walk_result {
	ARM_WALK_OK,
	ARM_WALK_TRANSLATION,
	ARM_WALK_ADDRESS_SIZE,
	ARM_WALK_ACCESS_FLAG,
	ARM_WALK_EXTERNAL, /* a table could not be read */
	ARM_WALK_STOPPED,  /* arm_walk_exec(): the callback said so */
	ARM_WALK_BUDGET,   /* arm_walk_exec(): more descriptors than allowed */
};

/* Translate. Permissions are reported, not checked. On a fault @out has level, fsc and desc only.
 * Hardware updates of the access flag and dirty state count as done, but are not written. */
enum walk_result arm_walk(const struct arm_regime *r, uint64_t va, struct arm_xlat *out);

/* One leaf that the privileged level may execute; `pa` and `va_base` are those of its start. False:
 * stop. */
typedef bool arm_walk_fn(void *opaque, const struct arm_xlat *leaf);

/* Enumerate those leaves, of both halves, in order of address within each. Unreadable tables and
 * faulting descriptors are passed over. @budget bounds the descriptors read: tables may be shared or
 * lead back to themselves. With the MMU off there are none. */
enum walk_result arm_walk_exec(const struct arm_regime *r, uint64_t budget, arm_walk_fn *fn,
			       void *opaque);

#endif
