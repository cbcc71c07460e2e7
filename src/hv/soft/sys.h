/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system side of a CPU of the `soft` engine: what is behind struct soft_cpu, and the functions its files
 * share. Instructions use cpu.h only.
 */
#ifndef SOFT_SYS_H
#define SOFT_SYS_H

#include "arm/exc.h"
#include "arm/regime.h"
#include "arm/route.h"
#include "arm/sysreg.h"
#include "arm/trap.h"
#include "arm/walk.h"
#include "hv/hv.h"
#include "hv/soft/cpu.h"
#include "hv/soft/debug.h"
#include "hv/soft/like.h"

#include <pthread.h>

enum {
	SOFT_MAX_CPUS = 8,
	SOFT_REGIONS = 256,
	SOFT_COUNTER_HZ =
		62500000, /* as QEMU's; firmware for its boards writes this into CNTFRQ_EL0 */
	SOFT_NS_PER_INSTRUCTION = 1, /* on a virtual clock */
	SOFT_FOREVER_NS =
		1000000000, /* without an event; the host's time is looked at now and then */
	SOFT_POLL = 2000,   /* instructions between two looks at the timers */
	SOFT_DECODE_BITS = 14,
	SOFT_MMU_CONFIGS = 16,
	SOFT_TLBI_RING = 16,
	SOFT_TWO_LAYOUTS = 5,
};

/* Bits of soft_cpu.event. */
enum {
	SOFT_EVENT_KICK = 1,  /* hv_kick() */
	SOFT_EVENT_LINE = 2,  /* an interrupt line or mask has changed */
	SOFT_EVENT_EXIT = 4,  /* soft_sys.exit is filled */
	SOFT_EVENT_FLUSH = 8, /* another CPU or the memory map wants TLB entries to go */
	SOFT_EVENT_STEP = 16, /* look before every instruction: single step, PSTATE.IL */
	SOFT_EVENT_TIME = 32, /* look at the timers now */
};

/* A word seen before. One per word, whatever its address: nothing to invalidate when code changes. */
struct soft_decoded {
	uint32_t word;
	uint8_t trap; /* bit n: the interception policy wants it at ELn */
	soft_fn *fn;
};

struct soft_region {
	uint64_t gpa, len;
	uint8_t *host;
	bool writable;
	bool secure; /* not in the Non-secure address space */
};

/* What may change translation without any TLBI; entries belong to one. */
struct soft_mmu_config {
	uint64_t sctlr, tcr, mair;
};

/* Entries that TLB maintenance takes. */
enum { SOFT_GONE = 16 };

struct soft_tlbi {
	uint64_t context, mask; /* of soft_tlb_entry.context */
	uint64_t va;
	bool by_va;
	bool by_pa; /* all that lead to these addresses, and no others */
	uint64_t first_pa, last_pa;
};

/* What limits the core, for src/reverse, which has a host's CPU execute code. */
struct soft_limit {
	uint16_t code;	      /* of an ID register */
	uint64_t has, fields; /* fields that are no more than here */
};

struct soft_host {
	const struct soft_limit *limits;
	unsigned count;
	uint64_t ctr;	    /* CTR_EL0; 0: unknown */
	unsigned zva_bytes; /* block of DC ZVA */
};

struct hv_vm {
	uint32_t els; /* bit n: ELn */
	unsigned highest_el;
	bool smc_exits; /* although there is EL3 */
	bool els1; /* stand in for an ordinary hypervisor: EL1 and EL0, patches instead of interception */
	const struct soft_like *like; /* ... for which one; NULL: none */
	struct virtual_clock *clock;  /* NULL: the host's time */
	uint64_t start_ns;
	bool host_counter;
	const struct hv_watch *watch; /* or NULL */
	unsigned ipa_bits;
	const struct arm_model *model; /* NULL: the engine's own core */
	struct arm_features features;
	struct soft_host host; /* none: .zva_bytes is 0 */
	/* What follows from the features: */
	uint64_t pstate_bits; /* of SPSR_ELx that PSTATE has */
	uint64_t fpcr_bits;
	uint8_t pa_bits;
	uint16_t zva_bytes;
	bool no_granule16;		   /* 16 KiB */
	const struct sysreg_desc *sysregs; /* sysreg_table() */
	uint16_t sysreg_place[1 << 15];	   /* by code & 0x7fff: place in it + 1 */
	uint8_t sysreg_group[1 << 15];	   /* the same: enum arm_trap_group */
	struct sysreg_masks sysreg_masks[2][SYSREG_INDEX_COUNT]; /* by HCR_EL2.E2H */
	hv_wants_fn *wants;					 /* interception policy */
	void *wants_opaque;

	/* For src/reverse, which has another back end execute what need not be emulated; NULL otherwise. */
	uint32_t (*original)(void *opaque, uint32_t word); /* of a word that may be a patch */
	void (*notify)(struct hv_vcpu *v);    /* soft_cpu.event has been set by another thread */
	void (*fetch_fp)(struct soft_cpu *c); /* FP&SIMD registers are wanted that are elsewhere */
	void *hooks_opaque;

	pthread_mutex_t lock; /* guards writers of regions and cpu[] */
	struct soft_region regions[SOFT_REGIONS];
	unsigned region_count;
	struct hv_vcpu *cpu[SOFT_MAX_CPUS];
};

struct soft_sys {
	struct hv_vm *vm;
	unsigned index;
	uint64_t reg[SYSREG_INDEX_COUNT];
	uint64_t sp_el[4];
	/* Registers with another layout while HCR_EL2.E2H is 1: what was written, and which layout reg[] has. */
	uint64_t written[SOFT_TWO_LAYOUTS];
	bool written_e2h;

	struct soft_tlb_entry tlb[SOFT_VIEW_COUNT][1 << SOFT_TLB_BITS];
	/* Where in the lower and the upper half pages out of larger blocks are, and the largest size: TLBI by
	 * address must find all pages of its block. */
	struct {
		uint64_t first, last;
		unsigned size_bits;
	} large[2];
	bool upper_ng; /* non-global pages seen in the upper half: its context has the ASID, too */
	struct soft_mmu_config config[SOFT_MMU_CONFIGS];
	uint8_t config_count, config_of[4]; /* ... in use by the registers of ELn */

	struct soft_decoded decoded[1 << SOFT_DECODE_BITS];

	struct hv_exit exit;
	struct {
		bool pending;
		uint8_t rt, size;
		bool is_write, sign, dst64;
		uint64_t va;
	} mmio;
	unsigned debug_flags; /* enum hv_debug */
	struct soft_debug debug;
	bool step_done;
	bool waiting;	 /* wait_for_interrupt(): run() sleeps */
	bool watch_code; /* vm->watch wants to know which pages of code are executed */

	unsigned lines;	       /* interrupt lines, bit n: enum hv_line */
	uint32_t timer_levels; /* as of the last exit */
	uint64_t deadline_ns;  /* next timer, 0: none */

	/* On a virtual clock. */
	int32_t stint;	   /* soft_cpu.budget as of when the clock was last moved on */
	uint64_t executed; /* instructions, up to then */
	uint64_t turn_end_ns;
	bool asleep; /* in WFI or WFE, at most until: */
	uint64_t sleep_end_ns;

	/* Under `lock`: sleeping in WFI, WFE. */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool event_register;	 /* SEV, WFE */
	uint64_t wfe_pc, wfe_ns; /* where the last WFE waited, and how long; 0: it did not */

	/* TLB maintenance by others: requests and how many of them have been carried out. What they are is
	 * under flush_lock; more than fit mean everything. */
	atomic_uint flush_wanted, flush_done;
	/* Since somebody who wants to know cleared this entries have gone: of regimes; by address, of one; and those that lead to these addresses, none
	 * if the first is behind the last. */
	uint32_t flushed; /* bit n: of soft_context_regime() n */
	struct soft_gone {
		unsigned regime;
		uint64_t va;
	} gone[SOFT_GONE];
	unsigned gone_count;
	uint64_t moved_first, moved_last;
	pthread_mutex_t flush_lock;
	struct soft_tlbi flush[SOFT_TLBI_RING];
	unsigned flush_count;
	atomic_bool in_guest;
};

struct hv_vcpu {
	struct soft_cpu c;
	struct soft_sys s;
};

/* Value of a system register that is plain storage. */
#define SOFT_REG(c, name) ((c)->sys->reg[SYSREG_IX_##name])

/* What decides about exceptions. */
static inline struct arm_route soft_route(const struct soft_cpu *c)
{
	return (struct arm_route){.els = (uint8_t)c->sys->vm->els,
				  .el = (uint8_t)soft_el(c),
				  .scr_el3 = SOFT_REG(c, SCR_EL3),
				  .hcr_el2 = SOFT_REG(c, HCR_EL2)};
}

static inline bool soft_have_el(const struct soft_cpu *c, unsigned el)
{
	return c->sys->vm->els >> el & 1;
}

static inline bool soft_secure_below_el3(const struct soft_cpu *c)
{
	struct arm_route r = soft_route(c);

	return arm_secure_below_el3(&r);
}

static inline bool soft_el2_enabled(const struct soft_cpu *c)
{
	return soft_have_el(c, 2) && !soft_secure_below_el3(c);
}

/* HCR_EL2 where EL2 is enabled, else 0. */
static inline uint64_t soft_hcr(const struct soft_cpu *c)
{
	return soft_el2_enabled(c) ? SOFT_REG(c, HCR_EL2) : 0;
}

/* ---- registers of the level @el; EL0 counts as EL1 ---- */
uint64_t soft_sctlr(const struct soft_cpu *c, unsigned el);
/* SCTLR_ELx of the regime that the CPU is in: in a host EL0's is EL2's. */
uint64_t soft_current_sctlr(const struct soft_cpu *c);

/* ---- exception.c ---- */
/* What a trap function of arm/route.h has found: take it, with the syndrome @esr if it is a trap. False: NONE. */
bool soft_take_trap(struct soft_cpu *c, struct arm_trap trap, uint64_t esr);
/* Take an exception. @pc: the preferred return address. */
void soft_take(struct soft_cpu *c, enum arm_exc_kind kind, unsigned target_el, uint64_t esr,
	       uint64_t far, uint64_t pc);
/* To the level that takes synchronous exceptions from the current one. */
void soft_take_sync(struct soft_cpu *c, uint64_t esr, uint64_t far, uint64_t pc);
unsigned soft_sync_target(const struct soft_cpu *c);
/* The interrupt lines, where group 1 interrupts are IRQs or FIQs as the current level and Security state say. */
unsigned soft_lines(const struct soft_cpu *c);
/* ISR_EL1 */
uint64_t soft_isr(const struct soft_cpu *c);
/* Is there any interrupt, physical or virtual, that might be taken? */
static inline bool soft_interrupt_pending(const struct soft_cpu *c)
{
	const uint64_t virtual = 1 << ARM_HCR_VI | 1 << ARM_HCR_VF | 1 << ARM_HCR_VSE;

	return c->sys->lines || SOFT_REG(c, HCR_EL2) & virtual;
}
/* Is an unmasked interrupt waiting? Then take it. */
bool soft_interrupts(struct soft_cpu *c);
/* Would an interrupt wake the CPU from WFI (masked or not)? */
bool soft_interrupt_waiting(const struct soft_cpu *c);
void soft_eret(struct soft_cpu *c);
/* All of PSTATE but NZCV, and NZCV from bits 31:28; banked SP and what hangs on the level follow. */
void soft_set_pstate(struct soft_cpu *c, uint64_t pstate);
uint64_t soft_get_pstate(const struct soft_cpu *c);
/* Are FP&SIMD instructions of the current level trapped or UNDEFINED? */
bool soft_fp_is_trapped(const struct soft_cpu *c);
/* SCTLR, TCR, TTBR, HCR, SCR ... or the level has changed: recompute what is derived from them. */
void soft_context_changed(struct soft_cpu *c);

/* ---- mmu.c ---- */
/* The translation of @va for this access, permissions checked. NULL: the fault was taken. */
struct soft_tlb_entry *soft_translate(struct soft_cpu *c, uint64_t va, enum soft_access access,
				      unsigned flags);
/* The same without consequences: NULL, there is a fault to be taken. */
const struct soft_tlb_entry *soft_look_up(struct soft_cpu *c, uint64_t va, enum soft_access access);
/* The memory at a physical address; NULL: none. */
const struct soft_region *soft_find_region(const struct hv_vm *vm, uint64_t pa, bool secure);
/* The page of c->pc into fetch_page and fetch_host. False: an exception was taken, or an exit is due. */
bool soft_fetch_page(struct soft_cpu *c);
/* The regime that the level @el uses; EL1 and EL0 are those of EL0 in a host (HCR_EL2.{E2H,TGE} = {1,1}), too. */
enum arm_translation soft_regime_of(const struct soft_cpu *c, unsigned el);
/* The context of entries of a regime, and which of its bits tell regimes, Security states and VMIDs apart. */
uint64_t soft_context_of(const struct soft_cpu *c, enum arm_translation regime);
#define SOFT_CONTEXT_ASID   0xffffULL
#define SOFT_CONTEXT_VMID   (0xffffULL << 16)
#define SOFT_CONTEXT_REGIME (0x1fULL << 32) /* with the Security state */
static inline unsigned soft_context_regime(uint64_t context)
{
	return context >> 32 & 0x1f;
}
/* All entries of EL1&0, in the current Security state. */
void soft_tlb_flush_el10(struct soft_cpu *c);
uint64_t soft_context_id(const struct soft_cpu *c, unsigned half);
/* SCTLR_ELx, TCR_ELx or MAIR_ELx has been written. */
void soft_mmu_changed(struct soft_cpu *c);
/* arm_walk_exec() of the regime of EL1&0. */
enum walk_result soft_walk_exec(struct soft_cpu *c, uint64_t budget, arm_walk_fn *fn, void *opaque);
/* arm_walk() of it. */
enum walk_result soft_walk_el10(struct soft_cpu *c, uint64_t va, struct arm_xlat *out);
/* Synchronous external abort for a data access. */
void soft_external_abort(struct soft_cpu *c, uint64_t va, bool is_write);
/* Misaligned access to memory that is Device by one of the stages. */
void soft_device_alignment(struct soft_cpu *c, const struct soft_tlb_entry *e, uint64_t va,
			   bool is_write);
/* AT: PAR_EL1, or an exception. @el: whose regime; @both: stage 2, too. */
void soft_at(struct soft_cpu *c, uint64_t va, unsigned el, const struct arm_access *a);

/* ---- watch.c ---- */
/* The level whose tables the CPU uses. */
unsigned soft_ruling_el(const struct soft_cpu *c);
/* With vm->watch: the CPU has come from there to another level, and goes on at @pc. */
void soft_watch_level(struct soft_cpu *c, unsigned from, uint64_t pc);
/* If watch_code: the page at @pc is going to be executed. */
void soft_watch_code(struct soft_cpu *c, uint64_t pc);

/* ---- tlb.c ---- */
void soft_tlb_invalidate(struct soft_tlb_entry *e, unsigned index);
void soft_tlb_flush(struct soft_cpu *c);
void soft_tlb_flush_some(struct soft_cpu *c, const struct soft_tlbi *t);
/* All CPUs of the VM, this one included; the others have done it when soft_dsb() returns. */
void soft_tlb_flush_all_cpus(struct soft_cpu *c, const struct soft_tlbi *t);
void soft_dsb(struct soft_cpu *c);
/* Leave a request with a CPU; @t NULL: everything. Any thread. */
void soft_tlb_request(struct hv_vcpu *v, const struct soft_tlbi *t);
/* Carry out what others have asked for. */
void soft_flush_requests(struct soft_cpu *c);

/* ---- mmu_ops.c ---- */
/* Is the SYS instruction @code a TLBI or AT of this level, or of one below? */
bool soft_mmu_op_exists(const struct soft_cpu *c, uint16_t code);
/* ... carry it out, with operand @x. */
void soft_mmu_op(struct soft_cpu *c, uint16_t code, uint64_t x);

/* An access to something that is no memory: exit for it. */
void soft_device(struct soft_cpu *c, uint64_t va, uint64_t pa, unsigned bytes, bool write,
		 unsigned flags, uint64_t value);

/* ---- timer.c ---- */
uint64_t soft_counter(const struct soft_cpu *c);	 /* CNTPCT_EL0 */
uint64_t soft_counter_virtual(const struct soft_cpu *c); /* CNTVCT_EL0 at the current level */
uint64_t soft_counter_offset(const struct soft_cpu *c);	 /* CNTPCT_EL0 - CNTVCT_EL0 there */
/* Levels of the timers' outputs now; sets deadline_ns. */
uint32_t soft_timers(struct soft_cpu *c);
bool soft_timer_read(struct soft_cpu *c, uint16_t code, uint64_t *value);
bool soft_timer_write(struct soft_cpu *c, uint16_t code, uint64_t value);

/* ---- identity.c ---- */
void soft_sysreg_init(struct hv_vm *vm);
void soft_sysreg_reset(struct soft_cpu *c);

/* The core has no more than @host, whose limits must stay. Before the first CPU. */
void soft_limit(struct hv_vm *vm, const struct soft_host *host);

/* ---- layout.c ---- */
/* A register with two layouts is written, also from outside. False: it has one. */
bool soft_layouts_write(struct soft_cpu *c, const struct sysreg_desc *d, uint64_t value);
/* The bits that MRS shows besides those of soft_sys.reg[]. */
uint64_t soft_layouts_hidden(const struct soft_cpu *c, const struct sysreg_desc *d);
/* What MSR does to any register's storage. */
struct sysreg_masks soft_layouts_masks(const struct soft_cpu *c, const struct sysreg_desc *d);
/* HCR_EL2 has been written. */
void soft_layouts_switch(struct soft_cpu *c);
void soft_layouts_reset(struct soft_cpu *c);

/* ---- sysreg.c ---- */
/* As the back end's get_reg and set_reg see it: no access checks. */
int soft_sysreg_get(struct soft_cpu *c, uint16_t code, uint64_t *value);
int soft_sysreg_set(struct soft_cpu *c, uint16_t code, uint64_t value);
/* What MRS gives at the current level if it is allowed to; what MSR there can change. */
uint64_t soft_sysreg_value(struct soft_cpu *c, uint16_t code);
struct sysreg_masks soft_sysreg_masks(const struct soft_cpu *c, uint16_t code);

/* ---- turn.c; but for the first, with hv_vm.clock only ---- */
/* Time that the timers go by. */
uint64_t soft_now_ns(const struct soft_cpu *c);
/* The instructions executed become time of the clock. */
void soft_settle(struct soft_cpu *c);
/* The budget until the next timer or the end of the turn. False: the turn is over. */
bool soft_turn_budget(struct soft_cpu *c);
void soft_set_turn(struct hv_vcpu *v, uint64_t end_ns);
uint64_t soft_instructions(struct hv_vcpu *v);
/* Leave the turn and wait until @end_ns at the latest (WFE), or UINT64_MAX (WFI). */
void soft_fall_asleep(struct soft_cpu *c, uint64_t end_ns);
bool soft_still_asleep(struct soft_cpu *c);
/* When a CPU that waits must be looked at again. */
uint64_t soft_wait_end(const struct soft_cpu *c);

/* ---- run.c ---- */
/* Leave the guest with soft_sys.exit. @stay: PC stays at the instruction. */
struct hv_exit *soft_exit(struct soft_cpu *c, enum hv_exit_kind kind, bool stay);
void soft_run(struct hv_vcpu *v, struct hv_exit *x);
/* One instruction, or what is due before it (an exception that is taken, TLB maintenance for others...). @word: which
 * is known to be this one; 0: it is fetched. */
enum soft_stepped {
	SOFT_WENT_ON,
	SOFT_LEFT, /* with soft_sys.exit */
};
enum soft_stepped soft_step_word(struct soft_cpu *c, uint32_t word);
void soft_kick(struct hv_vcpu *v);
void soft_wake(struct soft_cpu *c);
/* Sleep until an event, at most until the next timer or @max_ns (SOFT_FOREVER_NS). */
void soft_sleep(struct soft_cpu *c, uint64_t max_ns);
void soft_decode_reset(struct soft_cpu *c);

static inline void soft_event(struct soft_cpu *c, unsigned events)
{
	atomic_fetch_or_explicit(&c->event, events, memory_order_release);
}

/* ---- dispatch.c ---- */
/* The function of a word, soft_UNDEFINED() if it needs a feature that is not there. */
soft_fn *soft_function(const struct arm_features *f, uint32_t word);

#endif
