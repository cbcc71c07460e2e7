/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address translation by software, both stages: VMSAv8-64 of the Arm ARM (DDI 0487), chapter D8.
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

/* Stage 2 of the Non-secure regime EL1&0. */
struct arm_stage2 {
	uint64_t vtcr, vttbr;
	bool big_endian; /* SCTLR_EL2.EE */
	bool xnx;	 /* FEAT_XNX: XN has two bits */
	bool ptw;	 /* HCR_EL2.PTW: no tables of stage 1 in Device memory */
};

struct arm_regime {
	enum arm_regime_kind kind;
	uint64_t sctlr;
	uint64_t tcr;
	uint64_t ttbr[2];  /* [1]: ARM_REGIME_EL10 only */
	uint64_t mair;	   /* 0 if nobody wants to know attributes */
	uint8_t pa_bits;   /* implemented (ID_AA64MMFR0_EL1.PARange), 32..52; 0 counts as 48 */
	bool no_granule16; /* 16 KiB is not implemented: 4 KiB is what it stands for */
	bool secure;	   /* in Secure state: the NS bits count */
	bool sif;	   /* SCR_EL3.SIF: Secure state executes nothing from Non-secure memory */
	bool dc;	   /* HCR_EL2.DC: Normal memory while stage 1 is off */
	const struct arm_stage2 *stage2; /* NULL: none, or off */
	/* 8 aligned bytes of physical memory as a little-endian number. False: external abort. */
	bool (*read)(void *opaque, uint64_t pa, bool secure, uint64_t *value);
	/* The same bytes from @old to @value, atomically. False: they are not @old any more. */
	bool (*update)(void *opaque, uint64_t pa, bool secure, uint64_t old, uint64_t value);
	void *opaque;
};

enum arm_prot {
	ARM_PROT_READ = 1,
	ARM_PROT_WRITE = 2,
	ARM_PROT_EXEC = 4,
};

/* What arm_translate() is to check and to do. */
struct arm_access {
	enum arm_prot need;
	bool user;	/* with the rights of EL0 */
	bool pan;	/* PSTATE.PAN counts */
	bool no_update; /* write no descriptors: AT */
	bool stage1_only; /* stop at the intermediate physical address; tables do go through stage 2 */
};

struct arm_xlat {
	uint64_t pa; /* of the address asked for */
	uint64_t
		va_base; /* the page or block it lies in (the contiguous bit is not looked at), of both stages */
	uint64_t pa_base;
	uint64_t size;	      /* the smaller one of both stages */
	uint64_t stage1_size; /* maintenance of TLBs by address means this one */
	uint8_t priv;	    /* enum arm_prot: at the regime's privileged level, PSTATE.PAN aside */
	uint8_t user;	    /* at EL0 */
	bool pan_denies;    /* PSTATE.PAN keeps the privileged level from data */
	bool clean;	    /* the first write has to mark it dirty, or would have to */
	uint8_t attr_index; /* into MAIR_ELx; meaningless while the MMU is off */
	uint8_t attr;	    /* memory attributes, as a field of MAIR_ELx */
	uint8_t stage1_attr;
	uint8_t sh;
	bool ng;	    /* not global */
	bool ns;	    /* output in the Non-secure space */
	bool fault_stage2;  /* the fault is one of stage 2, for... */
	bool fault_on_walk; /* ...a table of stage 1 (ISS.S1PTW) */
	uint64_t ipa;	    /* with fault_stage2: what stage 2 was to translate */
	int8_t level;	    /* of the leaf of stage 1, -1..3; where the fault is */
	uint8_t fsc;	    /* fault status code, level included, if the walk failed */
	uint64_t desc;	    /* last descriptor read, as a number */
};

enum walk_result {
	ARM_WALK_OK,
	ARM_WALK_TRANSLATION,
	ARM_WALK_ADDRESS_SIZE,
	ARM_WALK_ACCESS_FLAG,
	ARM_WALK_PERMISSION, /* arm_translate() */
	ARM_WALK_EXTERNAL,   /* a table could not be read */
	ARM_WALK_STOPPED,    /* arm_walk_exec(): the callback said so */
	ARM_WALK_BUDGET,     /* arm_walk_exec(): more descriptors than allowed */
};

/* Translate. Permissions are reported, not checked. On a fault @out has only what tells of it.
 * Hardware updates of the access flag and dirty state count as done, but are not written. */
enum walk_result arm_walk(const struct arm_regime *r, uint64_t va, struct arm_xlat *out);

/* Translate for an access, in the order of the architecture: permissions are checked, and descriptors updated,
 * if the regime has an update(). */
enum walk_result arm_translate(const struct arm_regime *r, const struct arm_access *a, uint64_t va,
			       struct arm_xlat *out);

/* Rights (enum arm_prot) of one way to look at it. */
static inline uint8_t arm_xlat_prot(const struct arm_xlat *x, bool user, bool pan)
{
	if (user)
		return x->user;
	return pan && x->pan_denies ? x->priv & ARM_PROT_EXEC : x->priv;
}

/* One leaf that the privileged level may execute; `pa` and `va_base` are those of its start. False:
 * stop. */
typedef bool arm_walk_fn(void *opaque, const struct arm_xlat *leaf);

/* Enumerate those leaves, of both halves, in order of address within each. Unreadable tables and
 * faulting descriptors are passed over. @budget bounds the descriptors read: tables may be shared or
 * lead back to themselves. With the MMU off there are none. */
enum walk_result arm_walk_exec(const struct arm_regime *r, uint64_t budget, arm_walk_fn *fn,
			       void *opaque);

#endif
