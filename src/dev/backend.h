/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host side of components: what stands behind "||" in an object. A back end is a component of class
 * DEV_BACKEND whose `backend_ops` is the table of its class below. The instance of the back end is
 * `dev->backend` of the component it serves, and `backend->owner` points back.
 */
#ifndef DEV_BACKEND_H
#define DEV_BACKEND_H

#include "dev/component.h"

#include <sys/uio.h>

/* ---- memory: host pages behind RAM ---- */
struct backend_mem_ops {
	/* Allocate @size bytes, zeroed and page aligned; released by the back end's fini(). */
	uint8_t *(*alloc)(struct dev *be, uint64_t size, struct err *e);
};

/* ---- characters: stdio, file, pty, socket, null ---- */
struct char_client {
	struct dev *dev; /* the model; callbacks run with its lock held, in the loop's thread */
	/* How many bytes the model can take now (0: ask again after backend_char_ops.resume). */
	size_t (*can_receive)(struct dev *d);
	void (*receive)(struct dev *d, const uint8_t *data, size_t len);
	/* BREAK from the terminal (Ctrl-A b). May be NULL. */
	void (*brk)(struct dev *d);
};
struct backend_char_ops {
	/* Called once from the model's init(). */
	void (*attach)(struct dev *be, const struct char_client *client);
	/* Queue bytes; never blocks. Returns how many were taken; when less than @len the sink is
	 * slow: the bytes not taken may be dropped or retried. Caller holds the model's lock. */
	size_t (*write)(struct dev *be, const uint8_t *data, size_t len);
	/* The model can receive again. Caller holds the model's lock. */
	void (*resume)(struct dev *be);
};

/* ---- blocks ---- */
enum block_op { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH, BLOCK_DISCARD, BLOCK_WRITE_ZEROES };
struct block_req {
	enum block_op op;
	uint64_t offset;	 /* bytes */
	uint64_t len;		 /* bytes; discard and write-zeroes */
	const struct iovec *iov; /* read and write; the caller keeps it until done */
	int iov_count;
	/* Called from a worker thread without any lock held; @result is 0 or a negative errno. */
	void (*done)(struct block_req *r, int result);
	/* Set by the back end before done(): the same thread completes another request right after
	 * this one, so telling the guest may wait. */
	bool more;
	struct block_req *next; /* the back end's, after submit */
};
struct backend_block_ops {
	uint64_t (*size)(struct dev *be); /* bytes */
	bool (*read_only)(struct dev *be);
	/* Start a request; never blocks; completions in any order. A flush covers every write that
	 * was done before it was submitted. The caller has checked the range. */
	void (*submit)(struct dev *be, struct block_req *r);
	/* Submit several at once, in order. */
	void (*submit_batch)(struct dev *be, struct block_req *first);
	/* Wait until nothing is in flight (reset, fini). No lock held. */
	void (*drain)(struct dev *be);
};

/* ---- network ---- */
struct net_client {
	struct dev *dev;
	/* A frame for the guest, in a back-end thread, no lock held; false: no room now, the frame
	 * is dropped or kept by the back end until resume(). */
	bool (*receive)(struct dev *d, const uint8_t *frame, size_t len);
};
struct backend_net_ops {
	/* From the model's init(). NULL detaches (fini): afterwards receive() is not running and will
	 * not be called. */
	void (*attach)(struct dev *be, const struct net_client *client);
	/* A frame from the guest. Any thread, without the model's lock; never blocks for long. */
	void (*send)(struct dev *be, const struct iovec *iov, int iov_count);
	/* There is room again. Any thread. */
	void (*resume)(struct dev *be);
};

/* ---- randomness ---- */
struct backend_rng_ops {
	/* Fill @buf; never blocks. Any thread. */
	void (*fill)(struct dev *be, void *buf, size_t len);
};

#endif
