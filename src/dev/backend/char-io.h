/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the character back ends share: non-blocking input and output on descriptors, with a bounded queue
 * behind slow outputs.
 *
 * Locks: the model's guards the input side, the back end's (dev.lock) the output side; the model's is
 * taken first. Back ends change descriptors in the loop's thread.
 */
#ifndef DEV_BACKEND_CHAR_IO_H
#define DEV_BACKEND_CHAR_IO_H

#include "dev/backend.h"

enum { CHAR_QUEUE_SIZE = 1 << 20, CHAR_INPUT_MAX = 64, CHAR_PENDING_MAX = 4096 };

struct char_io {
	struct dev *be;
	struct char_client client; /* client.dev NULL: nobody attached yet */
	int in, out;		   /* descriptors, not owned; -1: none */
	struct loop_fd *in_watch, *out_watch;
	bool in_paused; /* the model had no room */
	/* Ring of bytes not yet written. */
	uint8_t *queue;
	size_t head, count;
	/* On a virtual clock, which is held while the queue is not empty: what it took at that time. */
	bool holds;
	uint64_t taken_ns;
	size_t taken;
	/* Called for each chunk of input before it goes to the model; may shorten or rewrite it in place and
	 * returns its new length. With the model's lock held. May be NULL. With a filter, input is read even
	 * while the model cannot take any, so that the user's commands are heard. */
	size_t (*filter)(struct dev *be, uint8_t *data, size_t len);
	/* The other side is gone; in the loop's thread, without locks. May be NULL: then the end of the
	 * input is the end of it, without any more ado. */
	void (*hangup)(struct dev *be);
	/* Input the model has no room for yet. */
	uint8_t pending[CHAR_PENDING_MAX];
	size_t pending_count;
};

void char_io_init(struct char_io *io, struct dev *be);
/* Use these descriptors from now on; -1 takes them away. In and out may be the same. Without locks. */
void char_io_open(struct char_io *io, int in, int out);
void char_io_attach(struct char_io *io, const struct char_client *client);
size_t char_io_write(struct char_io *io, const uint8_t *data, size_t len);
void char_io_resume(struct char_io *io);
/* Write out what is queued, waiting up to @ms for a slow reader. Without locks. */
void char_io_drain(struct char_io *io, int ms);
void char_io_fini(struct char_io *io);
/* Undo the non-blocking mode of a descriptor that outlives us. */
void char_io_blocking(int fd);

#endif
