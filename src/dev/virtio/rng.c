// SPDX-License-Identifier: Apache-2.0
/*
 * Entropy device, virtio 1.2 section 5.4. Buffers are filled in the notifying thread, at most
 * CHUNK bytes each and a bounded number at a time; what a driver adds beyond that is served from a
 * timer.
 */
#include "dev/backend.h"
#include "dev/virtio/virtio.h"

#include "util/bits.h"
#include "util/err.h"

#include <errno.h>
#include <string.h>

enum { QUEUE_SIZE = 64, CHUNK = 1024, REST_NS = 1000000 };

struct rng {
	struct virtio v;
	const struct backend_rng_ops *ops;
	struct dev_timer rest;
	struct virtq_chain chain;
	struct iovec iov[QUEUE_SIZE + 2];
};

static struct rng *rng_of(struct dev *d)
{
	return container_of(d, struct rng, v.dev);
}

static void fill(struct rng *r)
{
	struct virtq_chain *c = &r->chain;
	uint8_t bytes[CHUNK];
	size_t len = c->in_len < CHUNK ? c->in_len : CHUNK;

	r->ops->fill(r->v.dev.backend, bytes, len);
	iov_write(c->iov + c->out_count, c->in_count, 0, bytes, len);
	virtq_push(&r->v.vq[0], c, (uint32_t)len);
}

static void serve(struct rng *r)
{
	struct virtq *q = &r->v.vq[0];
	unsigned left = QUEUE_SIZE;

	do {
		virtq_quiet(&r->v, q);
		while (left && virtq_pop(&r->v, q, &r->chain)) {
			left--;
			fill(r);
		}
		virtq_publish(&r->v, q);
	} while (left && virtq_listen(&r->v, q));
	if (!left)
		dev_timer_arm(&r->rest, dev_now_ns(&r->v.dev) + REST_NS);
}

static void rng_notify(struct virtio *v, unsigned q)
{
	struct rng *r = container_of(v, struct rng, v);

	if (!r->rest.deadline_ns)
		serve(r);
}

static void rest_fired(struct dev *d, void *opaque)
{
	serve(rng_of(d));
}

static void rng_stopped(struct virtio *v)
{
	dev_timer_cancel(&container_of(v, struct rng, v)->rest);
}

static const struct virtio_ops rng_ops = {
	.id = VIRTIO_ID_RNG,
	.queue_count = 1,
	.queue_size = {QUEUE_SIZE},
	.notify = rng_notify,
	.stop = rng_stopped,
};

static int rng_init(struct dev *d, struct err *e)
{
	struct rng *r = rng_of(d);

	if (!d->backend)
		return err_set(e, -EINVAL, d->where, "%s has no source of randomness", d->name);
	r->ops = d->backend->c->backend_ops;
	r->chain.iov = r->iov;
	r->chain.iov_max = ARRAY_COUNT(r->iov);
	dev_timer_init(&r->rest, d, rest_fired, NULL);
	return virtio_init(&r->v, &rng_ops, 0, e);
}

static void rng_fini(struct dev *d)
{
	struct rng *r = rng_of(d);

	if (r->rest.dev)
		dev_timer_fini(&r->rest);
	virtio_fini(&r->v);
}

static const struct prop rng_props[] = {VIRTIO_PROPS, {.name = NULL}};

const struct component virtio_rng_component = {
	.type = "VIRTIO-RNG",
	.doc = "virtio entropy device",
	.cls = DEV_DEVICE,
	.size = sizeof(struct rng),
	.props = rng_props,
	.regions = virtio_regions,
	.state = virtio_state,
	.backend = BACKEND_RNG,
	.default_backend = "random",
	.init = rng_init,
	.reset = virtio_reset,
	.fini = rng_fini,
	.dt = virtio_dt,
	.stats = virtio_stats,
};
