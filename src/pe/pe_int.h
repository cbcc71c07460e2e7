/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/pe. */
#ifndef PE_PE_INT_H
#define PE_PE_INT_H

#include "arm/regime.h"
#include "intercept/intercept.h"
#include "mem/mem.h"
#include "pe/pe.h"
#include "pe/set.h"

#include <pthread.h>
#include <stdatomic.h>

enum { PE_MAX = 8, PE_TIMER_LISTENERS = 4, PE_ID_FIELDS = 16, PE_UNWATCHED = 8 };

enum pe_power { PE_OFF, PE_ON_PENDING, PE_ON };

/* Another thread wants to know a register: asked and answered under set->lock, answered by the PE's thread. */
struct pe_question {
	enum { PE_NO_QUESTION, PE_ASKED, PE_ANSWERED } state;
	uint32_t id;
	uint64_t value;
	int result;
};

/* Executions per site, keyed by PC and slot; open addressing, grown by its PE alone. */
struct site_table {
	struct pe_site *site;
	size_t capacity, count;
};

struct cached_reg {
	bool valid;
	uint64_t value;
};

struct pe {
	struct pe_set *set;
	unsigned number;
	uint64_t mpidr;
	char name[8];

	/* Owned by the PE's thread. */
	struct hv_vcpu *vcpu;
	struct cached_reg pc, pstate; /* between two runs */
	struct pe_stats stats;
	struct site_table sites;
	struct pe_stages stages;
	uint32_t timer_levels;
	unsigned lines_applied; /* what the vCPU has been given of `lines` */
	struct {
		bool known;
		uint64_t mmfr1, pfr1;
	} id;
	uint8_t begin_el; /* where code begins */
	uint64_t wait_ns; /* of the last HV_EXIT_WAIT */
	struct pe_entry wake_entry;
	bool down;     /* CPU_SUSPEND to a power-down state: begins at `wake_entry` when it wakes */
	bool stepping; /* a lifted site is being executed natively */
	bool step_mmu_on; /* SCTLR_EL1.M before the step */
	uint64_t step_gpa;
	struct pe_site step_site;
	struct arm_stage2 stage2; /* of pe_regime() */

	atomic_uint lines; /* levels of the interrupt lines, bit n: enum hv_line */

	/* Under set->lock; the PE also looks at `power` without. */
	_Atomic(enum pe_power) power;
	struct pe_entry entry; /* ON_PENDING: where it begins */
	bool parked;	       /* not in the guest and not going there */
	bool reset;	       /* bring the vCPU to reset before anything else */
	bool failed;	       /* has been reported */
	struct pe_question question;
	pthread_t thread;
	bool thread_started;
	bool vcpu_ready; /* vcpu may be kicked */
	int start_result;
	struct err *start_err;
};

struct pe_handler {
	uint16_t sysreg;
	const struct pe_sysreg_ops *ops;
	void *opaque;
};

struct pe_id_field {
	uint16_t sysreg;
	unsigned hi, lo;
	uint64_t value;
};

struct pe_set {
	struct pe_set_config cfg;
	unsigned count;
	uint32_t els;
	struct pe *pe;
	const struct arm_model *model; /* the core that they show; NULL: the back end's */
	uint64_t mpidr_bits;	       /* of MPIDR_EL1, besides the affinity: MT */

	/* lock guards the power states and pausing. It is never held while a device's lock is taken.
	 * `changed` is broadcast on every change of what it guards. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	atomic_bool attention; /* PEs must look at the state before entering the guest */
	bool stopping;
	bool held; /* until a reset */
	bool paused;
	const void *pauser; /* who holds the pause: a struct pe, or the set itself */

	struct intercept *ic;
	bool settled;	 /* regime.c */
	bool tables_new; /* the MMU controls were written since the tables were last searched */
	unsigned table_changes;
	uint64_t searched[PE_MAX]; /* tables of the upper half that have been */
	unsigned searched_count;
	/* Instruction-cache maintenance that was let run: regime.c. */
	unsigned code_events;		  /* since anything else was looked at */
	uint64_t unwatched[PE_UNWATCHED]; /* sites given back for the time being */
	unsigned unwatched_count;
	atomic_ullong first_run_ns;
	bool stages; /* are told apart */
	struct hv_watch watch;
	struct stage_machine stage;
	struct pe_turns turns; /* only `hash` is kept */

	struct pe_handler *handlers; /* sorted by sysreg */
	unsigned handler_count;
	struct pe_id_field id_field[PE_ID_FIELDS];
	unsigned id_field_count;
	struct {
		pe_timer_fn *fn;
		void *opaque;
	} timer[PE_TIMER_LISTENERS];
	unsigned timer_count;
};

/* ---- registers: a failure of the back end ends the run of this PE (reported once) ---- */

uint64_t pe_get(struct pe *pe, uint32_t id);
/* False if the back end does not show it. Not for REG_PC and REG_PSTATE, whose values may wait here. */
bool pe_try_get(struct pe *pe, uint32_t id, uint64_t *value);
void pe_put(struct pe *pe, uint32_t id, uint64_t value);
/* X0..X30; 31 reads as zero and ignores writes. */
uint64_t pe_get_x(struct pe *pe, unsigned n);
void pe_put_x(struct pe *pe, unsigned n, uint64_t value);
void pe_failed(struct pe *pe, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
unsigned pe_el(struct pe *pe);
/* What decides about exceptions and translation. */
struct arm_route pe_route(struct pe *pe);
/* The instruction at the PC has been carried out: on to @pc, or to the next one. */
void pe_go(struct pe *pe, uint64_t pc);
void pe_skip(struct pe *pe);
/* Bring the vCPU to reset. Any step in progress is over. */
void pe_reset_vcpu(struct pe *pe);
/* start.c: code begins at @entry, the vCPU being in reset. */
void pe_begin(struct pe *pe, const struct pe_entry *entry);
/* HV_EXIT_WAKE: CPU_SUSPEND is over. */
void pe_wake(struct pe *pe);
/* Out of the guest until CPU_ON or a reset. */
void pe_off(struct pe *pe);

/* Take a synchronous exception to ELel with this syndrome; PC is the preferred return address. */
void pe_inject_at(struct pe *pe, unsigned el, uint32_t esr, uint64_t far);
/* ... to the level that takes what the current one does, which is... */
void pe_inject(struct pe *pe, uint32_t esr, uint64_t far);
void pe_inject_undef(struct pe *pe);
unsigned pe_sync_target(struct pe *pe);

/* pe_set_get_reg(): tell what somebody wants to know. Under set->lock. */
void pe_answer(struct pe *pe);
/* Out of the guest, soon. Under set->lock. */
void pe_kick(struct pe *pe);

/* ---- pausing from a PE's thread: all other PEs stay outside the guest in between ---- */
/* False, and no pause: the set was reset while the PE waited. Whatever it was about to do concerned a
 * guest that is no more. */
bool pe_pause(struct pe *pe) __attribute__((warn_unused_result));
void pe_resume(struct pe *pe);

/* ---- turns, on a virtual clock ---- */
int lockstep_create(struct pe *pe, struct err *e); /* lockstep.c */
/* Instead of waiting until it may run: false, it may not. */
bool pe_take_turn(struct pe *pe);
void pe_leave_turn(struct pe *pe);

/* ---- parts of the exit loop ---- */
/* Into the guest, and what comes of it. */
enum hv_exit_kind pe_run_once(struct pe *pe);
void pe_exit(struct pe *pe, const struct hv_exit *x); /* exit.c */
void pe_let_back_end_intercept(struct pe_set *s);     /* exit.c; if it can */
void pe_timers(struct pe *pe, uint32_t levels);	      /* exit.c; tell listeners what changed */
/* sysreg.c: the register that an MRS or MSR names; is it one of identification? */
uint16_t pe_sysreg_of(uint32_t word);
bool pe_is_id_register(uint16_t sysreg);
/* Put what pe_id_field() has asked for into the registers, where the back end intercepts without patching: it then
 * shows them by itself. */
void pe_put_id_fields(struct pe *pe);
/* Say what the core that the board shows is without on this host. */
void pe_report_core(struct pe *pe);
void pe_psci(struct pe *pe, bool is_smc);	      /* psci.c; PC after the instruction */
void pe_sysreg(struct pe *pe, uint32_t word);	      /* sysreg.c; PC at the MRS or MSR */
void pe_mmio(struct pe *pe, const struct hv_exit *x); /* mmio.c */
void pe_dabt(struct pe *pe, const struct hv_exit *x); /* mmio.c */

/* ---- regime.c: finding code ---- */
/* Translation at the current level, as the PE's registers have it now; valid until the next call. No descriptors are
 * updated. pe_translate_fetch() does not check permissions. */
struct arm_regime pe_regime(struct pe *pe);
bool pe_translate_fetch(struct pe *pe, uint64_t va, uint64_t *gpa);
void regime_begin(struct pe *pe, uint64_t pc);
void regime_branch(struct pe *pe, const struct pe_site *site);
void regime_watch(struct pe *pe, const struct pe_site *site);
/* Whose is the BRK at the PC, which EL0 has executed and whose immediate is a slot's? */
enum regime_brk {
	REGIME_BRK_GUEST,
	REGIME_BRK_PATCH,
	REGIME_BRK_GONE, /* a patch, given back since: execute what is there now */
};
enum regime_brk regime_el0_brk(struct pe *pe, uint16_t imm);
void regime_stepped(struct pe *pe);
void regime_reset(struct pe_set *s);

/* stages.c: what the stages of the boot cost; nothing without pe_set_count_stages() */
void stages_begin(struct pe *pe, uint64_t pc);
void stages_intercepted(struct pe *pe, uint32_t word, uint64_t pc);
void stages_exit(struct pe *pe, enum hv_exit_kind kind);
/* The PE's thread has something else to do for a while. */
void stages_pause(struct pe *pe);
void stages_resume(struct pe *pe);

/* sites.c */
struct pe_site *site_count(struct site_table *t, uint64_t pc, const struct intercept_slot *slot);
/* The guest was reset: what sites have taught counts from now on. */
void sites_rebase(struct site_table *t);
void site_table_free(struct site_table *t);

#endif
