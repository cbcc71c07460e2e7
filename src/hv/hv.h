/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Execution back ends.
 *
 * A back end runs vCPUs. What it can do is a table of facts (struct hv_caps), asked by the layers
 * above; which back end it is, is never asked. Exits are architectural events; registers are named
 * by architectural ids (arm/reg.h).
 *
 * Threads: a vCPU is created, run and accessed by one thread, its own; hv_kick() and hv_irq() may be
 * called from any thread, hv_kick() also from a signal handler. VM functions may be called from any
 * thread while no vCPU of the VM is being created.
 *
 * Errors: functions that return int return 0 or a negative errno; those with a struct err explain
 * themselves to the user.
 */
#ifndef HV_HV_H
#define HV_HV_H

#include "arm/reg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arm_model;
struct err;
struct virtual_clock;
struct hv_vm;
struct hv_vcpu;

struct hv_caps {
	uint32_t native_els; /* bit n: ELn is executed natively */
	unsigned max_vcpus;
	unsigned ipa_bits;  /* largest guest physical address space */
	unsigned page_size; /* granule of mem_map, bytes */
	bool stage2_exec;   /* execute permission per page in stage 2 */
	bool views;	    /* several VMs, each with its own TLB tag and memory map */
	bool sysreg_traps;  /* system-register traps reach us */
	bool undef_icc;	    /* ICC_* at EL1 is UNDEFINED (else: silently wrong) when unpatched */
	bool smccc_exits;   /* HVC and SMC (outside the reserved ranges) exit by themselves */
	bool translate_intercept; /* the back end asks the interception policy itself */
	bool dcache_coherent_off; /* guest accesses with caches off are coherent (FEAT_S2FWB) */
	bool maps_devices;	  /* mem_map() with HV_DEVICE is worth it: an exit costs more than keeping pages right */
	bool wait_for_interrupt;  /* has the function of this name */
	bool virtual_time;	  /* runs on a virtual clock: hv_vm_config.clock, turns */
	unsigned hw_breakpoints;
	unsigned hw_watchpoints;
	unsigned zva_bytes; /* block of DC ZVA, as the guest's DCZID_EL0 shows it */
	uint64_t counter_hz;
	char host[128]; /* "Linux 6.12.107+deb13-arm64, VHE" for reports */
};

enum hv_exit_kind {
	HV_EXIT_KICK,	   /* hv_kick() or a host signal; also: a timer line changed */
	HV_EXIT_MMIO,	   /* access with syndrome to an address without memory */
	HV_EXIT_DABT,	   /* access without syndrome there; PC at the instruction */
	HV_EXIT_BRK,	   /* BRK, PC at the instruction */
	HV_EXIT_HVC,	   /* PC after the instruction */
	HV_EXIT_SMC,	   /* PC after the instruction */
	HV_EXIT_STEP,	   /* single step done */
	HV_EXIT_HWBP,	   /* hardware breakpoint, PC at the instruction */
	HV_EXIT_WATCH,	   /* watchpoint, PC at the instruction */
	HV_EXIT_INTERCEPT, /* a word that set_intercept()'s function wants; PC at it */
	HV_EXIT_WAKE,	   /* the wait that wait_for_interrupt() began is over */
	HV_EXIT_TURN,	   /* the time of set_turn() has come */
	HV_EXIT_WAIT,	   /* on a virtual clock: the vCPU waits (WFI, WFE, wait_for_interrupt()) */
	HV_EXIT_SYSTEM,	   /* the host's own PSCI was called: a call that nobody caught */
	HV_EXIT_FAIL,	   /* the back end cannot go on; `fail` says why */
	HV_EXIT_COUNT
};

enum hv_system { HV_SYSTEM_OFF, HV_SYSTEM_RESET };

struct hv_exit {
	enum hv_exit_kind kind;
	union {
		struct {
			uint64_t ipa;
			uint64_t value; /* writes */
			uint8_t size;	/* 1, 2, 4, 8 */
			bool is_write;
			bool secure; /* to the Secure physical address space */
		} mmio;
		struct {
			uint64_t ipa;
			bool is_write;
			bool is_cache; /* cache maintenance */
			bool secure;   /* as above */
		} dabt;
		struct {
			uint16_t imm;
		} brk;
		struct {
			uint64_t far;
			bool is_write;
		} watch;
		struct {
			uint32_t word;
		} intercept;
		struct {
			uint64_t until_ns; /* no use to run it before, unless a line rises or
					      another vCPU has run; UINT64_MAX: never */
		} wait;
		struct {
			enum hv_system what;
		} system;
		struct {
			int error; /* negative errno */
			char text[160];
		} fail;
	};
};

/*
 * Interrupt lines into a vCPU. A vCPU with EL3 decides itself how it takes a group 1 interrupt, by where it is
 * then (IHI 0069H 4.6.2): HV_G1S is an IRQ in Secure state, HV_G1NS one in Non-secure state; elsewhere, and at
 * EL3, they are FIQs. HV_VIRQ and HV_VFIQ: virtual interrupts, besides HCR_EL2.VI and VF; with EL2 only.
 */
enum hv_line { HV_IRQ, HV_FIQ, HV_G1S, HV_G1NS, HV_VIRQ, HV_VFIQ, HV_LINE_COUNT };
/* CNTV, CNTP, CNTHP, CNTPS, CNTHV (the last with FEAT_VHE). */
enum hv_timer {
	HV_TIMER_VIRT,
	HV_TIMER_PHYS,
	HV_TIMER_HYP,
	HV_TIMER_SEC,
	HV_TIMER_HYP_VIRT,
	HV_TIMER_COUNT
};
/* HV_SECURE: not in the Non-secure physical address space. HV_DEVICE: registers of a device as they read now, no
 * memory. */
enum hv_prot { HV_READ = 1, HV_WRITE = 2, HV_EXEC = 4, HV_SECURE = 8, HV_DEVICE = 16 };
enum hv_debug { HV_DEBUG_BRK = 1, HV_DEBUG_STEP = 2 };

/* Where a vCPU executes. */
struct hv_place {
	uint64_t va, pa;
	uint8_t el;  /* 1 to 3; EL0 counts as the level whose tables it uses */
	bool secure; /* at EL3 always */
};

/* Exits of the back end below, of which run() does not return. */
enum hv_inner {
	HV_INNER_TABLE, /* a page came into a shadow table */
	HV_INNER_CODE,	/* ... to be executed */
	HV_INNER_READ,	/* a read that the shadow cannot do was carried out, */
	HV_INNER_WRITE, /* ... a write, to a page of code in most cases */
	HV_INNER_FP,	/* FP&SIMD registers were moved */
	HV_INNER_LINE,	/* an interrupt came */
	HV_INNER_KICK,
	HV_INNER_COUNT
};

/* Somebody who keeps statistics. Called in the vCPU's thread, in run(); not to touch the vCPU. */
struct hv_watch {
	void *opaque;
	/* It has come to another level or Security state, or, as long as the answer is true, to another page of
	 * code. */
	bool (*place)(void *opaque, unsigned vcpu, const struct hv_place *place);
	/* An instruction had to be carried out for the vCPU, at the cost of an exit of the back end below. */
	void (*carried_out)(void *opaque, unsigned vcpu, uint32_t word);
	void (*inner)(void *opaque, unsigned vcpu, enum hv_inner kind);
};

struct hv_ops;

/* What a back end on top of another does about instructions that must not run natively, the cheapest first: leaves out
 * those that have no effect, carries out the simplest in the vCPU, or has each of them exit. Each does what is below it as
 * well. */
enum hv_strategy { HV_STRATEGY_DIVERT, HV_STRATEGY_RECODE, HV_STRATEGY_BRK };

struct hv_vm_config {
	const char *options; /* what --hv says after the name; NULL: nothing */
	unsigned ipa_bits;
	uint32_t
		els; /* exception levels of the PEs, bit n: ELn; 0 and 1 always, and only of caps.native_els */
	/* The core that PEs show; NULL: the back end's own. Of use to those that intercept without patching. */
	const struct arm_model *model;
	const struct hv_ops *inner; /* for a back end on top of another; `options` are that one's */
	enum hv_strategy strategy;
	const struct hv_watch *watch; /* told by back ends with EL2 or EL3; NULL: nobody */
	bool host_counter;	      /* CNTPCT_EL0 and CNTVCT_EL0 are host_counter() */
	/* With caps.virtual_time, or NULL: time of this clock, which vCPUs move on by what they execute. One
	 * thread runs all of them, in turns; nobody sleeps in run(). */
	struct virtual_clock *clock;
};

/* Levels at which instruction word @word is intercepted, bit n: ELn. Any thread; the answer for a word is
 * always the same. */
typedef uint8_t hv_wants_fn(void *opaque, uint32_t word);

struct hv_ops {
	const char *name;
	const char *doc;

	/* Can this host run it, with these options (NULL: none)? Fills @caps. -ENODEV/-EACCES/... with an
	 * explanation and remedy. */
	int (*probe)(const char *options, struct hv_caps *caps, struct err *e);

	int (*vm_create)(const struct hv_vm_config *cfg, struct hv_vm **vm, struct err *e);
	void (*vm_destroy)(struct hv_vm *vm);
	/* With caps.translate_intercept only: words for which @wants says so exit. Before the first
	 * vCPU. */
	void (*set_intercept)(struct hv_vm *vm, hv_wants_fn *wants, void *opaque);
	/* PEs with EL3 only: there is no firmware, SMC that EL3 would take exits. NULL: the back end has no EL3. While no
	 * vCPU runs. */
	void (*smc_exits)(struct hv_vm *vm, bool exits);
	/* Back guest-physical [gpa, gpa+len) by host memory; page aligned, no overlap. @prot without
	 * HV_WRITE: writes exit as MMIO/DABT. */
	int (*mem_map)(struct hv_vm *vm, uint64_t gpa, void *host, uint64_t len, unsigned prot);
	int (*mem_unmap)(struct hv_vm *vm, uint64_t gpa, uint64_t len);

	/* In the thread that will run it. At the highest level, with its own SP, DAIF masked, everything else as after a reset. */
	int (*vcpu_create)(struct hv_vm *vm, unsigned index, struct hv_vcpu **vcpu, struct err *e);
	void (*vcpu_destroy)(struct hv_vcpu *vcpu);
	/* Back to the state after vcpu_create(). */
	int (*vcpu_reset)(struct hv_vcpu *vcpu);

	/* Run until an exit. Before it returns, everything pending from the last exit (MMIO
	 * completion) has been carried out. */
	void (*run)(struct hv_vcpu *vcpu, struct hv_exit *exit);
	/* From now on run() does not execute the guest but waits as WFI does, timers and kicks included,
	 * until an interrupt line is high; that run() returns HV_EXIT_WAKE, and the next one executes.
	 * Ended by vcpu_reset(), too. NULL without caps.wait_for_interrupt. */
	int (*wait_for_interrupt)(struct hv_vcpu *vcpu);
	/* With a virtual clock only. Run() returns HV_EXIT_TURN as soon as it is @end_ns, to the instruction;
	 * needed before the first run(). */
	void (*set_turn)(struct hv_vcpu *vcpu, uint64_t end_ns);
	/* How many instructions it has executed since vcpu_create(). */
	uint64_t (*instructions)(struct hv_vcpu *vcpu);
	/* Make a run() in progress, or the next one, return HV_EXIT_KICK soon. Sticky until then. */
	void (*kick)(struct hv_vcpu *vcpu);

	/* After HV_EXIT_MMIO, exactly once: for a read the value (zero-extended; the back end applies
	 * the instruction's sign extension), or an external abort. State read before this is as it was
	 * before the instruction, and after this as the architecture has it after the instruction. */
	int (*mmio_done)(struct hv_vcpu *vcpu, uint64_t value);
	int (*mmio_abort)(struct hv_vcpu *vcpu);

	int (*get_reg)(struct hv_vcpu *vcpu, uint32_t id, uint64_t *value);
	int (*set_reg)(struct hv_vcpu *vcpu, uint32_t id, uint64_t value);
	int (*get_vreg)(struct hv_vcpu *vcpu, unsigned n, uint64_t value[2]);
	int (*set_vreg)(struct hv_vcpu *vcpu, unsigned n, const uint64_t value[2]);

	/* Level of an interrupt line into the vCPU; wakes it from WFI. Any thread. */
	int (*irq)(struct hv_vcpu *vcpu, enum hv_line line, bool level);
	/* Output level of a timer as of the last exit, bit n = enum hv_timer. */
	uint32_t (*timer_levels)(struct hv_vcpu *vcpu);
	/* Bits of enum hv_debug. */
	int (*debug)(struct hv_vcpu *vcpu, unsigned flags);
};

/* All back ends compiled in, best first; NULL-terminated. */
extern const struct hv_ops *const hv_backends[];
const struct hv_ops *hv_find(const char *name);

#endif
