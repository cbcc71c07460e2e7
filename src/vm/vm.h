/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One machine: built from a checked board, run on a back end until something ends it.
 */
#ifndef VM_VM_H
#define VM_VM_H

#include "board/board.h"
#include "host/clock.h"
#include "hv/hv.h"
#include "pe/set.h"

#include <stdbool.h>
#include <stdint.h>

struct vm;

enum vm_end {
	VM_END_POWEROFF, /* the guest powered off */
	VM_END_RESET,	 /* the guest asked for a reset, and no_reboot was given */
	VM_END_TIMEOUT,
	VM_END_QUIT,	     /* the user, Ctrl-A x or the monitor */
	VM_END_SIGNAL,	     /* SIGINT, SIGTERM or SIGHUP */
	VM_END_CONFIG,	     /* never ran: the board or an image is wrong; see the errors */
	VM_END_HOST_FAILURE, /* the back end or the host failed; see the errors */
};

struct vm_config {
	const char *hv;		/* NULL or "auto": the best that this host has */
	const char *hv_options; /* NULL: none */
	uint64_t timeout_ns;	/* 0: none */
	uint64_t seed;		/* 0: random */
	bool no_reboot;
	enum hv_strategy strategy;
	bool stages;	    /* statistics are wanted of each stage of the boot */
	bool deterministic; /* time is what is executed; without a seed, one that is always the same */
	uint64_t
		start_ns; /* when the process began, clock_mono_ns(); 0: when vm_run() was called */
	void *opaque;	  /* for the following */
	/* Called when the PEs have stopped and the devices still exist: reports. May be NULL. */
	void (*report)(void *opaque, const struct vm *vm);
	/* A line typed in the monitor (Ctrl-A c); the answer goes to @fd. In the main loop's thread. May be
	 * NULL. */
	void (*monitor)(void *opaque, struct vm *vm, const char *line, int fd);
};

/* Readable by reports and the monitor. */
struct vm {
	const struct vm_config *cfg;
	struct board *board;
	const struct hv_ops *hv;
	const struct hv_ops *inner; /* below `hv`, if that is on top of another; or NULL */
	struct hv_caps caps;
	struct hv_vm *hv_vm;
	struct mem_space *mem;
	struct loop *loop;
	struct virtual_clock clock; /* of a deterministic machine */
	struct pe_set *pes;
	struct dev_host host;
	struct pe_entry entry;
	enum vm_end end;
	int signal;  /* VM_END_SIGNAL */
	bool ending; /* atomic: the first reason to end wins */
	bool paused; /* by the monitor */
	unsigned resets;
	uint64_t start_ns;   /* clock_mono_ns() */
	uint64_t console_ns; /* first byte of console output; 0: none */
	uint64_t end_ns;
	struct loop_timer timeout;
	struct err *err;
	pthread_mutex_t err_lock;
};

/* Build, run, take apart. @b has passed board_check(). The caller's thread becomes the main loop. Returns how it ended;
 * @signal (may be NULL) gets the signal of VM_END_SIGNAL. */
enum vm_end vm_run(struct board *b, const struct vm_config *cfg, int *signal, struct err *e);

/* In words: "power-off", "timeout" ... */
const char *vm_end_name(enum vm_end end);

/* For the monitor, in the main loop's thread. */
void vm_quit(struct vm *vm);
void vm_request_reset(struct vm *vm, const char *what);
void vm_pause(struct vm *vm);
void vm_resume(struct vm *vm);

/* Choose a back end by name (NULL or "auto": the first that works here). */
const struct hv_ops *vm_pick_backend(const char *name, const char *options, struct hv_caps *caps,
				     struct err *e);

#endif
