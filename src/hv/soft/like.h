/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standing in for a hypervisor: with els=1 the engine's CPUs behave, as far as hv.h shows it, like the vCPUs of a
 * certain hypervisor with a certain back end on it. Constant data and pure functions, but for those that are
 * given a CPU: in its own thread.
 */
#ifndef SOFT_LIKE_H
#define SOFT_LIKE_H

#include "hv/soft/cpu.h"

struct hv_caps;

enum soft_like_host {
	SOFT_LIKE_KVM61_VHE,
	SOFT_LIKE_KVM61_NVHE,
	SOFT_LIKE_KVM612,
	SOFT_LIKE_HVF,
	SOFT_LIKE_COUNT
};

/* What becomes of an instruction. */
enum soft_like_does {
	LIKE_NATIVE,   /* what the CPU does */
	LIKE_UNDEF,    /* UNDEFINED, taken to EL1 */
	LIKE_RAZ_WI,   /* reads as zero, writes are ignored */
	LIKE_WI,       /* reads natively, writes are ignored; an operation is ignored */
	LIKE_RO,       /* reads natively, writes are UNDEFINED */
	LIKE_STORED,   /* reads what was written, without further effect */
	LIKE_SPURIOUS, /* reads INTID 1023, writes are ignored */
	LIKE_SRE,      /* reads 7, writes are ignored */
	LIKE_RPR,      /* reads 0xff, the idle priority */
	LIKE_EXIT,     /* from EL1: HV_EXIT_INTERCEPT */
	LIKE_KERNEL, /* a call that the host's kernel answers itself; SMCCC_VERSION, else "not supported" */
	LIKE_REFUSED,	/* ... x0 = -1 and nothing else */
	LIKE_FILTERED,	/* ... those of the Arm architecture calls; others exit */
	LIKE_SWALLOWED, /* ... those that the framework keeps; others exit */
	LIKE_DOES_COUNT
};

/* (word & mask) == value, first match; all are system instructions, HVC or SMC. */
struct soft_like_row {
	const char *name;
	uint32_t value, mask;
	uint8_t does[SOFT_LIKE_COUNT]; /* enum soft_like_does */
	const char *reason;
};

struct soft_like {
	const char *name; /* of the option */
	const char *doc;
	enum soft_like_host host;
	bool step_lost;	  /* the guest's MDSCR_EL1.SS has no effect while its BRKs exit */
	bool timers_rise; /* a timer output that falls ends no run() */
	bool hides_cntp;  /* CNTP_* cannot be had from outside */
	bool undef_icc, sysreg_traps, stage2_exec, views, smccc_exits, dcache_coherent_off;
	unsigned ipa_bits, page_size;
};

extern const char soft_like_default[];
/* "kvm61-vhe, ...": for messages. */
extern const char soft_like_names[];
/* NULL: none has this name. */
const struct soft_like *soft_like_find(const char *name);
const struct soft_like_row *soft_like_rows(unsigned *count);
/* NULL: natively. */
const struct soft_like_row *soft_like_match(uint32_t word);

/* Overwrite those capabilities that are the hypervisor's. */
void soft_like_caps(const struct soft_like *l, struct hv_caps *caps);
/* Values after a reset that are the hypervisor's, and fields of ID registers; @reg by enum sysreg_index. */
void soft_like_reset(const struct soft_like *l, uint64_t *reg);
/* The function that carries out a word which is @native on the CPU. */
soft_fn *soft_like_function(const struct soft_like *l, uint32_t word, soft_fn *native);

/* Do debug exceptions go to the hypervisor (MDCR_EL2.TDE)? */
bool soft_like_has_debug(const struct soft_cpu *c);
/* One did: exit. @ec: enum arm_ec from a lower level. */
void soft_like_debug(struct soft_cpu *c, unsigned ec, uint32_t iss, uint64_t far);

#endif
