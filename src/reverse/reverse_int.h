/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to src/reverse.
 *
 * Each translation regime whose code is executed natively has a view: a VM of the inner back end with a vCPU for each
 * PE. In a *managed* view EL1 of that vCPU belongs to Obverse:
 *
 *  - Stage 1 is a shadow table (shadow.c), filled page by page from what soft's translation says. The lower half is the
 *    guest's; in the upper half are the vectors and the bank.
 *  - Code is executed from copies (code.c), in which every instruction that must not run natively is a BRK.
 *  - Every exception ends in the stub (stub.c), which saves the general registers to the bank and leaves the guest.
 *
 * In a *native* view the guest has EL1 and EL0 to itself: its own tables, vectors and registers (native.c). Sensitive
 * instructions are patched in the guest's memory, on pages that its tables make executable.
 *
 * So the state is in one of three places (enum reverse_place). Whoever wants it in soft's CPU calls view_pull().
 *
 * The memory for tables, banks and copies is hidden: it lies above the board's addresses, and only shadow tables name it.
 */
#ifndef REVERSE_REVERSE_INT_H
#define REVERSE_REVERSE_INT_H

#include "hv/soft/sys.h"
#include "intercept/slots.h"
#include "reverse/divert.h"
#include "reverse/reverse.h"

#include <pthread.h>

enum {
	REVERSE_PAGE_BITS = 12,
	REVERSE_PAGE = 1 << REVERSE_PAGE_BITS,
	REVERSE_HIDDEN = 64 << 20, /* bytes */
	REVERSE_TABLES = 1024,	   /* pages of tables of one shadow */
	REVERSE_SEARCHED = 16,
	REVERSE_RANGES = 64,
	REVERSE_WATCHED = 128,
	CODE_WINDOW = 12, /* words from TLB maintenance to its barrier */
};

/* ---- addresses of Obverse's own in a managed view: the top 2 MiB, which no system uses (pointers there could be
 * mistaken for error numbers) ---- */

#define REVERSE_UPPER	 0xffffffffffe00000ULL
#define REVERSE_VECTORS	 (REVERSE_UPPER + 0 * REVERSE_PAGE)
#define REVERSE_EXIT	 (REVERSE_UPPER + 1 * REVERSE_PAGE)
#define REVERSE_BANK	 (REVERSE_UPPER + 2 * REVERSE_PAGE)
#define REVERSE_HANDLERS (REVERSE_UPPER + 16 * REVERSE_PAGE)
#define REVERSE_ACTIONS	 (REVERSE_UPPER + 64 * REVERSE_PAGE)

enum { BANK_PAGES = 3 };

/* Shared with the stub and the handlers, which know the offsets. */
struct bank {
	uint64_t x[31];
	uint64_t pc, pstate; /* ELR_EL1, SPSR_EL1 */
	uint64_t sp_el0, sp_elx;
	uint64_t esr, far;
	uint64_t vector;    /* number, 0 to 15 */
	uint64_t exit_va;   /* REVERSE_EXIT */
	uint64_t tlb_stale; /* in: invalidate the view's TLB */

	/* See divert.h. */
	uint64_t actions_va, handlers_va;
	uint64_t slow;	   /* in: handlers must not be used */
	uint64_t diverted; /* how many have run */
	uint64_t dirty;	   /* not 0: some entry is, */
	uint64_t timers;   /* ... of a timer */
	bool constants_known;
	struct divert_entry entry[DIVERT_ENTRIES];
	struct divert_at at[DIVERT_LOOKED_UP];
};

_Static_assert(sizeof(struct bank) <= BANK_PAGES * REVERSE_PAGE, "the bank fits in its pages");

/* ---- stub.c ---- */

enum { STUB_WORDS = REVERSE_PAGE / 4 };

/* Offsets in the page of the vectors. */
struct stub {
	uint32_t save;	 /* X0: number of the vector; X0 to X3 are saved, X30: the bank */
	uint32_t exit;	 /* the store that leaves the guest */
	uint32_t resume; /* X30: the bank */
	uint32_t end;	 /* of what is done after that */
	uint32_t sync;
	uint32_t finish; /* end of a handler that has done its work */
	uint32_t slow;	 /* ... that cannot do it */
};

/* The code of the vectors; the same for all views. */
struct stub stub_emit(uint32_t code[STUB_WORDS]);

/* Where in the stub or a handler an interrupted vCPU is. */
enum stub_where {
	STUB_OUTSIDE,
	STUB_SAVING, /* nothing has happened yet that counts */
	STUB_LOADING,
};
enum stub_where stub_where(const struct stub *s, uint64_t pc);
/* While SAVING: bit n: Xn is in the bank (X0 to X3), or in TPIDRRO_EL0 (X30); the others are in the vCPU. */
uint32_t stub_saved(uint64_t pc);

/* ---- host.c ---- */
struct reverse;
enum { REVERSE_LIMITS = 8 };
/* Find out what the host's vCPUs have, and let soft have no more; says what the board's core is without. */
int host_limits(struct reverse *r, struct err *e);

/* ---- hidden.c: memory that the guest does not know of ---- */

struct hidden {
	pthread_mutex_t lock;
	uint8_t *host;
	uint64_t gpa;
	uint32_t used; /* pages; they are never given back */
};

/* A page, zero; NULL: there are no more. Its address for the guest. */
void *hidden_page(struct hidden *h, uint64_t *gpa);
/* Several, one behind the other. */
void *hidden_pages(struct hidden *h, unsigned count, uint64_t *gpa);

/* ---- code.c: copies of code ---- */

struct code_page {
	const uint8_t *original;
	uint32_t *copy;	  /* NULL: there could be none */
	uint64_t gpa;	  /* of the copy */
	uint32_t *seen;	  /* the original as of when the copy was made */
	bool ok;	  /* there was a slot for each word */
	unsigned patched; /* words in which the copy differs */
	bool active;	  /* executed from the copy: nobody may write the original unseen */
	unsigned writes;  /* since it became active */
};

struct code {
	pthread_mutex_t lock;
	struct hidden *hidden;
	struct slots slots;
	struct divert *divert; /* NULL: none */
	bool recode;	       /* leave out what has no effect */
	const struct stub *stub;
	struct code_page *page; /* open addressing by `original` */
	size_t capacity, count;
	atomic_ulong scanned, patched; /* words, for statistics */
};

void code_init(struct code *c, struct hidden *h);
void code_fini(struct code *c);
/* Where the copy of the page at @original is, up to date and active; 0: there can be none. Sets *activated if it was not
 * active before, *patched if it differs from the original. */
uint64_t code_get(struct code *c, const uint8_t *original, bool *activated, bool *patched);
bool code_is_active(struct code *c, const uint8_t *original);
/* The original has been written. If nobody may execute the copy as before, it is returned where that was: the page has
 * been written too often and is active no more, or differs now from its copy. Else 0. */
uint64_t code_written(struct code *c, const uint8_t *original);
/* This original, or all (NULL), may have been written by somebody unseen. */
void code_refresh(struct code *c, const uint8_t *original);
/* Patch a page in place, for native views. @window is carried from page to page: words in which a barrier is looked for
 * after TLB maintenance. Returns how many words are to be patched, and are with @write. */
unsigned code_patch(struct code *c, uint8_t *page, unsigned *window, bool write);
/* A patch at this word is not needed any more. */
void code_lift(struct code *c, uint32_t *at);
/* Is any of this memory executed from copies? */
bool code_is_active_within(struct code *c, const uint8_t *first, uint64_t len);
/* Of a word that may be a patch, perhaps one that the guest has copied. */
uint32_t code_original(const struct code *c, uint32_t word);

/* sensitive.c: must this word not be executed natively in a managed view; in a native one? */
bool sensitive(uint32_t word);
bool sensitive_to_os(uint32_t word);
/* Maintenance of the mappings that a system has for itself, of all ASIDs; the barrier that makes it count. */
bool is_kernel_tlbi(uint32_t word);
#define ISB 0xd5033fdfU

/* ---- shadow.c ---- */

enum shadow_attr { SHADOW_NORMAL, SHADOW_DEVICE };
/* XONLY: data accesses of EL1 fault as long as PSTATE.PAN is 1, because EL0 could read the page. */
enum shadow_prot { SHADOW_READ = 0, SHADOW_WRITE = 1, SHADOW_EXEC = 2, SHADOW_XONLY = 4 };
enum { SHADOW_OWN = 5 };

/* Obverse's own pages, in the top 2 MiB. */
struct shadow_own {
	uint64_t va, pa;
	unsigned pages, prot;
	enum shadow_attr attr;
};

struct shadow {
	struct hidden *hidden;
	const void *tlb;     /* of soft_cpu, which depends on PSTATE.PAN, and... */
	uint64_t context[2]; /* of soft_cpu that it was filled for */
	struct {
		uint64_t *host;
		uint64_t gpa;
		bool leaf;
	} table[REVERSE_TABLES]; /* used ones first; [0] and [1]: the roots of the lower and the upper half */
	unsigned count, allocated;
	struct shadow_own own[SHADOW_OWN];
	uint64_t large_first,
		large_last; /* blocks of the guest beyond 2 MiB from which there are pages */
	bool stale;	    /* entries have gone that the TLB may hold */
};

/* With Obverse's pages in place. False: no memory. */
bool shadow_init(struct shadow *s, struct hidden *h, const struct shadow_own own[SHADOW_OWN]);
void shadow_flush(struct shadow *s);
/* Map a page that is part of a block of the guest of 2^@size_bits bytes. False: no tables left; the shadow is empty now. */
bool shadow_map(struct shadow *s, uint64_t va, uint64_t pa, unsigned prot, enum shadow_attr attr,
		unsigned size_bits);
/* Can code be executed there, and not be read? */
bool shadow_is_xonly(const struct shadow *s, uint64_t va);
/* Does it allow this already? */
bool shadow_allows(const struct shadow *s, uint64_t va, bool write);
/* No mapping any more from the guest's block with @va (bit 55 says which half). */
void shadow_forget_va(struct shadow *s, uint64_t va);
/* No mapping of the pages from @first to @last any more. */
void shadow_forget(struct shadow *s, uint64_t first, uint64_t last);

/* ---- views ---- */

struct reverse_pe;

enum view_kind {
	VIEW_EL3,
	VIEW_EL2,
	VIEW_EL1S,
	VIEW_EL1NS,
	VIEW_MANAGED, /* those before this */
	VIEW_OS_NS = VIEW_MANAGED,
	VIEW_COUNT
};

enum { NATIVE_REGS = 40 };

/* Where the state of a PE is. */
enum reverse_place {
	IN_SOFT,
	IN_BANK, /* of its view; the vCPU stands in the stub */
	IN_VCPU, /* of its view */
};

struct view {
	enum view_kind kind;
	struct hv_vcpu *vcpu; /* of the inner back end; NULL: not made yet */
	struct bank *bank;
	struct shadow shadow;
	uint64_t sctlr, tcr, cpacr; /* as the vCPU has them */
	uint64_t read_page;	    /* of code, the last one that was read as data, ... */
	unsigned reads;		    /* ... so often in a row */
	unsigned lines;		    /* as the vCPU has them */
	bool in_stub;		    /* the vCPU is about to load the bank */

	/* Native views: what the vCPU has, as of when the state was moved last. */
	bool known;
	bool hides_cntp;
	uint64_t x[31], reg[NATIVE_REGS];
};

struct reverse_stats {
	uint64_t entries, mmio, faults, steps, kicks, code_faults;
};

/* One PE; soft_sys.vm->hooks_opaque leads to the array. */
struct reverse_pe {
	struct hv_vcpu *soft;
	struct reverse *r;
	struct view view[VIEW_COUNT];
	struct view *at; /* where the state is, but for IN_SOFT */
	enum reverse_place place;
	bool step;   /* soft has to carry out the instruction at the PC */
	bool access; /* ... for what it accesses */
	bool writes; /* ... and writes at: */
	uint64_t far;
	const uint8_t *written[2]; /* pages */
	unsigned linger;	   /* so many more instructions by soft */
	uint32_t word;		   /* ... which is this one; 0: it has to be fetched */
	bool mmio;		   /* the inner vCPU waits for the end of an access */
	uint64_t unsettled;	   /* tables whose code cannot be told from data */
	bool tlb_dirty;		   /* EL1 has run natively, with TLB maintenance of its own */
	struct view *fp;	   /* whose vCPU has the FP registers; NULL: soft */
	_Atomic(struct hv_vcpu *) running;	/* inner vCPU that may be in the guest */
	uint64_t deadline_ns, look_ns;		/* as deadline.c knows them; under its lock, */
	_Atomic(const struct bank *) looked_at; /* ...but this is written under it only */
	struct reverse_stats stats;
};

/* Tables of a native system that have been searched for code. */
struct searched {
	uint64_t tables; /* TTBR1_EL1 */
	uint64_t epoch;
	struct searched_range {
		uint64_t va, pa, len;
	} range[REVERSE_RANGES]; /* what was executable the first time... */
	unsigned ranges;
	bool gone;     /* ... of which some is not any more: it may come back with other contents */
	uint64_t late; /* a hash of what is executable besides */
};

/* A barrier at which a system is looked at again. */
struct watched {
	uint64_t pc;
	unsigned patience; /* so many more times without news */
};

struct reverse {
	const struct hv_ops *inner;
	char *options;
	unsigned ipa_bits;
	struct hv_vm *soft;
	struct hv_vm *vm[VIEW_COUNT];
	struct {
		struct searched *searched[REVERSE_SEARCHED];
		unsigned next;
		struct watched watched[REVERSE_WATCHED];
		unsigned oldest;   /* of these */
		atomic_bool doubt; /* there may be another system than the one that was searched */
		uint64_t epoch;	   /* of doubts */
		uint64_t looks, searches, found; /* for code that came later */
	} os;					 /* under `lock` */
	pthread_mutex_t lock; /* guards the making of views, and regions[]; outside of `patching` */
	pthread_rwlock_t patching; /* held for reading by what runs natively */
	struct hidden hidden;
	uint32_t *ptimer_code; /* NULL: not needed */
	struct code code;
	struct stub stub;
	struct divert *divert;
	uint64_t stub_gpa, exit_gpa;
	atomic_bool pan; /* the host's vCPUs have PSTATE.PAN */
	struct soft_limit limit[REVERSE_LIMITS];
	uint64_t ctr; /* CTR_EL0 of the host; 0: not known */
	struct {
		uint64_t gpa, len;
		void *host;
		unsigned prot;
		unsigned views; /* bit n: it is mapped in the VM of view n */
	} regions[SOFT_REGIONS];
	struct reverse_pe pe[SOFT_MAX_CPUS];

	/* deadline.c */
	pthread_t thread;
	bool thread_started, thread_stop;
	pthread_mutex_t deadline_lock;
	uint64_t deadline_next; /* that the thread waits for */
	pthread_cond_t deadline_changed;
};

static inline struct reverse *reverse_of(const struct hv_vm *soft)
{
	return soft->hooks_opaque;
}

static inline struct reverse_pe *reverse_pe(struct hv_vcpu *soft)
{
	return &reverse_of(soft->s.vm)->pe[soft->s.index];
}

/* ---- reverse.c ---- */

/* Is the memory at this address mapped in the VM of a view, or can it be now? Native views have all from the start. A
 * region that comes and goes, as flash does while it is programmed, is dear to map. */
bool reverse_memory_ready(struct reverse *r, enum view_kind kind, uint64_t pa);
/* All that a new VM of a view has to have. Under r->lock. */
int reverse_map_all(struct reverse *r, enum view_kind kind);

/* ---- view.c ---- */

/* The view of the PE's regime; NULL: soft executes. The state is in soft. */
struct view *view_of_pe(struct reverse_pe *p);
bool view_sees(enum view_kind kind, unsigned prot);
static inline bool view_is_secure(enum view_kind kind)
{
	return kind == VIEW_EL3 || kind == VIEW_EL1S;
}

/* The vCPU of a view, made if need be, in the PE's thread. 0 or a negative errno. */
int view_ready(struct reverse_pe *p, struct view *w);
/* Have the state in soft. */
void view_pull(struct reverse_pe *p);
/* Have it where the vCPU of the view can go on. */
void view_push(struct reverse_pe *p, struct view *w);
/* The guest was interrupted; its state may be in two places. */
void view_interrupted(struct reverse_pe *p, struct view *w);
/* System registers that have been written in the guest are soft's as well. */
void view_settle(struct reverse_pe *p, struct view *w);
/* Constants have changed. */
void view_forget_constants(struct reverse_pe *p);
/* FP&SIMD registers to a view, or to soft (NULL). */
void view_move_fp(struct reverse_pe *p, struct view *to);
/* After a reset of soft's CPU. */
void view_reset(struct reverse_pe *p);
void view_destroy(struct reverse_pe *p);
/* FP&SIMD registers are wanted by soft. */
void view_fp_to_soft(struct soft_cpu *c);

/* ---- native.c ---- */

static inline bool view_is_native(const struct view *w)
{
	return w->kind >= VIEW_MANAGED;
}

/* ---- search.c: the code of native systems ---- */
/* Is all code of the system patched whose tables are in use? Searches them if need be. */
bool search_done(struct reverse_pe *p);
/* A native view has come to a watched barrier at @pc: there may be new code. */
void search_again(struct reverse_pe *p, struct view *w, uint64_t pc);
void search_init(struct reverse *r);
void search_fini(struct reverse *r);

/* May EL1 and EL0 run natively as things are? Looks for code first, where there may be new. */
bool native_possible(struct reverse_pe *p);
int native_set_up(struct reverse_pe *p, struct view *w);
void native_pull(struct reverse_pe *p, struct view *w);
void native_push(struct reverse_pe *p, struct view *w);
/* Is this register in the vCPU while a native view has the state? */
bool native_has(uint16_t sysreg);
enum native_next { NATIVE_GO_ON, NATIVE_EXIT, NATIVE_PULL };
/* soft_cpu.event is set. EXIT: with @x; PULL: soft has to see to it. */
enum native_next native_events(struct reverse_pe *p, struct view *w, struct hv_exit *x);
/* The view has been left. False: with @x. */
bool native_leave(struct reverse_pe *p, struct view *w, struct hv_exit *x);
/* What may raise an IRQ or FIQ at the vCPU. */
void view_push_lines(struct reverse_pe *p, struct view *w);

/* ---- ptimer.c: CNTP_* that the back end hides ---- */
/* Under r->lock. */
int ptimer_set_up(struct reverse *r);
void ptimer_fini(struct reverse *r);
#define PTIMER_SCTLR 0x30d01804ULL /* RES1, I, C */
/* PC and PSTATE are lost, X0 is *ctl, X1 *cval and SCTLR_EL1 PTIMER_SCTLR then. */
int ptimer_fetch(struct reverse_pe *p, struct view *w, uint64_t *ctl, uint64_t *cval);
int ptimer_store(struct reverse_pe *p, struct view *w, uint64_t ctl, uint64_t cval);

/* ---- fill.c: page faults of managed views ---- */
/* False: soft has to carry out the instruction. */
bool fill_data(struct reverse_pe *p, struct view *w, uint64_t va, bool write);
bool fill_code(struct reverse_pe *p, struct view *w, uint64_t va);
/* Around a write by soft of @bytes at @va, where fill_data() said no. */
void fill_before_write(struct reverse_pe *p, uint64_t va, unsigned bytes);
void fill_after_write(struct reverse_pe *p);

/* ---- run.c ---- */
void reverse_run(struct hv_vcpu *v, struct hv_exit *x);
/* For statistics. */
void reverse_watch(struct reverse_pe *p, enum hv_inner kind);
/* soft_cpu.event is set: out of the guest. Any thread. */
void reverse_notify(struct hv_vcpu *v);

/* ---- deadline.c: timers that must end what runs natively ---- */
int deadline_start(struct reverse *r);
void deadline_stop(struct reverse *r);
/* @ns: CLOCK_MONOTONIC, 0: none. @look_at: whose timers may be written by handlers; NULL: nobody's. */
void deadline_set(struct reverse_pe *p, uint64_t ns, const struct bank *look_at);

#endif
