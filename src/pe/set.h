/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's set of PEs: creation, start, stop, reset, pause, statistics. For src/vm and src/debug;
 * devices use pe.h.
 */
#ifndef PE_SET_H
#define PE_SET_H

#include "intercept/intercept.h"
#include "pe/pe.h"
#include "pe/stage.h"

struct arm_model;
struct err;
struct loop;
struct mem_space;
struct pe;

struct pe_set_config {
	const struct hv_ops *hv;
	const struct hv_caps *caps;
	struct hv_vm *vm;
	struct mem_space *mem;
	/* NULL: every PE has a thread, and time is the host's. Else (caps.virtual_time) pe_set_run() has all PEs take
	 * turns; @loop is what it serves, with the same clock. */
	struct virtual_clock *clock;
	struct loop *loop;
	void *opaque; /* for the callbacks, which are called in a PE's thread without locks */
	void (*power_off)(void *opaque, const char *what);
	void (*reset)(void *opaque, const char *what);
	/* A PE cannot go on: a failure of the host or of Obverse. */
	void (*failed)(void *opaque, unsigned pe, const char *text);
};

/* @count PEs, all off, with levels @els (bit n: ELn). The configuration may be given later, before start. */
struct pe_set *pe_set_create(unsigned count, uint32_t els);
/* They show this core: their MPIDR_EL1 is as its are. Before devices ask. */
void pe_set_model(struct pe_set *s, const struct arm_model *m);
void pe_set_configure(struct pe_set *s, const struct pe_set_config *cfg);
void pe_set_destroy(struct pe_set *s);

/* Where PE 0 begins after start and after each reset. @code..@code_end: the image loaded there. @at_reset: as
 * after a reset, at the highest level; with EL3 all PEs do, and PSCI is what runs there. Else at the highest Non-secure
 * level. */
struct pe_entry {
	uint64_t pc;
	uint64_t x[4];
	uint64_t code, code_end;
	bool at_reset;
};

/* Create the vCPUs and threads; PE 0 runs from @entry. */
int pe_set_start(struct pe_set *s, const struct pe_entry *entry, struct err *e);
/* With a virtual clock: run the machine, and serve the loop, until loop_stop(). */
void pe_set_run(struct pe_set *s);
/* End all threads. Idempotent. Not from a PE's thread. */
void pe_set_stop(struct pe_set *s);

/* Stop every PE outside the guest; nests not. pe_set_reset() is called between the two and brings all PEs to
 * reset, PE 0 to @entry. From any thread but a PE's. */
void pe_set_pause(struct pe_set *s);
void pe_set_resume(struct pe_set *s);
void pe_set_reset(struct pe_set *s, const struct pe_entry *entry);
/* The machine is to end or to be reset: no PE executes any more until pe_set_reset(), not even the one whose access
 * asked for it, once that is done. From any thread; does not wait. */
void pe_set_hold(struct pe_set *s);

/* ---- reports; valid while paused or stopped ---- */

struct pe_site {
	uint64_t pc;
	uint32_t word;
	const struct policy_row *row;
	uint64_t count;
	uint64_t base; /* count at the last reset */
};

struct pe_stats {
	uint64_t exits[HV_EXIT_COUNT];
	uint64_t cpu_ns; /* of the PE's thread, if it has one */
	uint64_t aborts; /* external aborts given */
	uint64_t interceptions;
	const struct pe_site *sites;
	size_t site_count;
};

/* Of one stage of the boot (pe/stage.h). */
struct pe_stage {
	uint64_t first_ns; /* when it was entered, clock_mono_ns(); 0: never */
	uint64_t wall_ns, cpu_ns;
	uint64_t entries;
	uint64_t exits[HV_EXIT_COUNT], inner[HV_INNER_COUNT];
	uint64_t interceptions;
	uint64_t early_exits[HV_EXIT_COUNT], early_inner[HV_INNER_COUNT]; /* `early`, as below */
	uint8_t el;
	bool secure;
};

/* An instruction that was intercepted, without the register it names; 0: any. */
struct pe_stage_word {
	uint32_t word;
	uint8_t stage;
	uint64_t count;
	uint64_t
		early; /* ... before the PE came to the Non-secure world, for those that begin at EL3 */
};

struct pe_stages {
	struct stage_pe at;
	uint64_t normal_ns; /* when the PE first came to the Non-secure world */
	bool more;	    /* it can be told by where the PE is intercepted */
	bool running;	    /* its time counts, from: */
	uint64_t wall_ns, cpu_ns;
	struct pe_stage stage[STAGE_COUNT];
	struct pe_stage_word *word; /* open addressing; unused ones have count 0 */
	size_t capacity, used;
};

/* Tell stages apart from now on, before the start; for hv_vm_config. */
const struct hv_watch *pe_set_count_stages(struct pe_set *s);
/* NULL: they are not. */
const struct pe_stages *pe_set_stages(const struct pe_set *s, unsigned n);

void pe_set_stats(const struct pe_set *s, unsigned n, struct pe_stats *out);
/* Of a machine on a virtual clock. Same hash: the same has been executed. */
struct pe_turns {
	uint64_t instructions, ns, hash;
};

/* False: it is not. */
bool pe_set_turns(const struct pe_set *s, struct pe_turns *out);
void pe_set_intercept_counts(const struct pe_set *s, struct intercept_counts *c);
/* Time of the first guest instruction (clock_mono_ns()), 0 if none ran. */
uint64_t pe_set_first_run_ns(const struct pe_set *s);
/* Register of a PE, which tells it in its own thread, between two runs. From any thread but a PE's, save that
 * one that holds the pause may ask another. -ENODEV: the PE has not begun, or has ended. */
int pe_set_get_reg(struct pe_set *s, unsigned n, uint32_t id, uint64_t *value);
/* "running", "off", ... */
const char *pe_set_power_state(const struct pe_set *s, unsigned n);

#endif
