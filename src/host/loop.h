/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event loop: file descriptors, timers and deferred calls, all served by the one thread that is in
 * loop_run(). Every function may be called from any thread unless it says otherwise; callbacks run
 * in the loop's thread with no loop lock held, so they may call back into the loop.
 */
#ifndef HOST_LOOP_H
#define HOST_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_fd;
struct virtual_clock;

enum loop_events {
	LOOP_IN = 1 << 0,
	LOOP_OUT = 1 << 1,
	LOOP_HUP = 1 << 2, /* reported only: hang-up or error */
};

typedef void loop_fd_fn(void *opaque, int fd, unsigned events);
typedef void loop_fn(void *opaque);

/* NULL and errno when the host is out of descriptors. */
struct loop *loop_create(void);
/* No thread may be in loop_run(). Registered descriptors are not closed. */
void loop_destroy(struct loop *l);
/* The clock of machine timers, which fire in loop_run_due() then; it must outlive them. Before the first timer
 * is armed, and deferred calls run only there. Without it machine timers are ordinary ones. */
void loop_set_clock(struct loop *l, const struct virtual_clock *c);

/* Watch @fd; it stays the caller's. @events may be 0 (only hang-up). */
struct loop_fd *loop_fd_add(struct loop *l, int fd, unsigned events, loop_fd_fn *fn, void *opaque);
void loop_fd_set(struct loop_fd *f, unsigned events);
/* After this returns, the callback is not running (unless this is called from the callback itself)
 * and will not run again. */
void loop_fd_del(struct loop_fd *f);

/* One-shot timer, embedded by its owner; set up with loop_timer_init() before any other use. */
struct loop_timer {
	struct loop *loop;
	loop_fn *fn;
	void *opaque;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC, or the machine's time; meaningful while armed */
	bool armed;
	bool machine;
	unsigned heap_index;
};
void loop_timer_init(struct loop_timer *t, struct loop *l, loop_fn *fn, void *opaque);
/* A timer of the machine's time. */
void loop_timer_init_machine(struct loop_timer *t, struct loop *l, loop_fn *fn, void *opaque);
/* (Re-)arm for an absolute time of its clock; a time in the past fires at once. */
void loop_timer_arm(struct loop_timer *t, uint64_t deadline_ns);
/* Disarm. The callback may be about to run in the loop's thread: owners check their own state under
 * their own lock. */
void loop_timer_cancel(struct loop_timer *t);
/* Disarm and wait until a running callback has returned. Do not hold a lock the callback takes. */
void loop_timer_fini(struct loop_timer *t);

/* Run @fn(@opaque) once in the loop's thread, in order of the calls. What has not run when the loop stops
 * is kept for the next loop_run(); loop_destroy() drops it. */
void loop_defer(struct loop *l, loop_fn *fn, void *opaque);

/* Serve events until loop_stop(). Returns at once if stop was asked for before. */
void loop_run(struct loop *l);
/* One round of it: serve what is due, after a sleep until something is if @sleep. False: stop was asked for. */
bool loop_poll(struct loop *l, bool sleep);
/* Only deferred calls and machine timers that are due by loop_set_clock()'s clock: what a machine may notice.
 * Never sleeps. */
void loop_run_due(struct loop *l);
/* When the next machine timer is due, UINT64_MAX: none. With loop_set_clock() only. */
uint64_t loop_next_machine_ns(struct loop *l);
/* Stop has been asked for, and loop_run() or loop_poll() has not answered yet. */
bool loop_stopping(const struct loop *l);
/* Async-signal-safe. */
void loop_stop(struct loop *l);

#endif
