// SPDX-License-Identifier: Apache-2.0
/*
 * Console device with a single port, virtio 1.2 section 5.3.
 *
 * Output is written in the notifying thread: drivers (Linux' hvc among them) spin until it is taken.
 * A slow sink or a flood of output goes on from a timer, so that no vCPU is held up.
 *
 * Left out: VIRTIO_CONSOLE_F_SIZE, F_MULTIPORT, F_EMERG_WRITE.
 */
#include "dev/backend.h"
#include "dev/virtio/virtio.h"

#include "util/bits.h"
#include "util/err.h"

#include <errno.h>

enum { RX, TX };
enum {
	QUEUE_SIZE = 128,
	IOV_COUNT = QUEUE_SIZE + 2,
	OUTPUT_BUDGET = 64 << 10, /* bytes at a time */
	CHAIN_COST = 64,	  /* what a chain counts beside its bytes */
	RETRY_NS = 2000000,
	CONFIG_SIZE = 12,
};

/* One direction: the chain in progress. */
struct port {
	bool busy; /* chain is valid */
	struct virtq_chain chain;
	struct iovec iov[IOV_COUNT];
};

struct console {
	struct virtio v;
	const struct backend_char_ops *ops;
	struct dev_timer retry;
	struct port rx, tx;
	size_t tx_done; /* bytes of tx.chain already written */
};

static struct console *console_of(struct dev *d)
{
	return container_of(d, struct console, v.dev);
}

/* Have a chain in progress; false if none is available, then the driver will notify. */
static bool need_chain(struct console *c, struct port *p, unsigned n)
{
	struct virtq *q = &c->v.vq[n];

	if (p->busy)
		return true;
	virtq_quiet(&c->v, q);
	do {
		p->busy = virtq_pop(&c->v, q, &p->chain);
	} while (!p->busy && virtq_listen(&c->v, q));
	return p->busy;
}

static void finish_chain(struct console *c, struct port *p, unsigned n, uint32_t written)
{
	virtq_push(&c->v.vq[n], &p->chain, written);
	p->busy = false;
}

/* ---- output ---- */

/* Write what is contiguous; false if the sink took less than offered. */
static bool write_part(struct console *c, size_t *budget)
{
	struct virtq_chain *chain = &c->tx.chain;
	size_t left = chain->out_len - c->tx_done, n;
	struct iovec part;

	if (!iov_slice(chain->iov, chain->out_count, c->tx_done, left < *budget ? left : *budget,
		       &part, 1))
		return false;
	n = c->ops->write(c->v.dev.backend, part.iov_base, part.iov_len);
	c->tx_done += n;
	*budget -= n;
	return n == part.iov_len;
}

static void output(struct console *c)
{
	size_t budget = OUTPUT_BUDGET;
	bool slow = false;

	while (budget && !slow && need_chain(c, &c->tx, TX)) {
		if (c->tx_done < c->tx.chain.out_len) {
			slow = !write_part(c, &budget);
			continue;
		}
		budget -= budget < CHAIN_COST ? budget : CHAIN_COST;
		c->tx_done = 0;
		finish_chain(c, &c->tx, TX, 0);
	}
	virtq_publish(&c->v, &c->v.vq[TX]);
	if (slow || !budget)
		dev_timer_arm(&c->retry, dev_now_ns(&c->v.dev) + RETRY_NS);
}

static void retry_fired(struct dev *d, void *opaque)
{
	output(console_of(d));
}

/* ---- input ---- */

static size_t can_receive(struct dev *d)
{
	struct console *c = console_of(d);

	return need_chain(c, &c->rx, RX) ? c->rx.chain.in_len : 0;
}

static void receive(struct dev *d, const uint8_t *data, size_t len)
{
	struct console *c = console_of(d);
	struct virtq_chain *chain = &c->rx.chain;

	while (len && need_chain(c, &c->rx, RX)) {
		size_t n = iov_write(chain->iov + chain->out_count, chain->in_count, 0, data, len);

		data += n;
		len -= n;
		finish_chain(c, &c->rx, RX, (uint32_t)n);
	}
	virtq_publish(&c->v, &c->v.vq[RX]);
}

/* ---- component ---- */

static void console_notify(struct virtio *v, unsigned q)
{
	struct console *c = container_of(v, struct console, v);

	if (q == RX)
		c->ops->resume(v->dev.backend);
	else if (!c->retry.deadline_ns)
		output(c);
}

static void console_stopped(struct virtio *v)
{
	struct console *c = container_of(v, struct console, v);

	c->rx.busy = c->tx.busy = false;
	c->tx_done = 0;
	dev_timer_cancel(&c->retry);
}

static const struct virtio_ops console_ops = {
	.id = VIRTIO_ID_CONSOLE,
	.queue_count = 2,
	.queue_size = {QUEUE_SIZE, QUEUE_SIZE},
	.config_size = CONFIG_SIZE,
	.notify = console_notify,
	.stop = console_stopped,
};

static int console_init(struct dev *d, struct err *e)
{
	struct console *c = console_of(d);
	struct char_client client = {.dev = d, .can_receive = can_receive, .receive = receive};
	int ret;

	if (!d->backend)
		return err_set(e, -EINVAL, d->where, "%s has no character back end", d->name);
	c->ops = d->backend->c->backend_ops;
	c->rx.chain.iov = c->rx.iov;
	c->tx.chain.iov = c->tx.iov;
	c->rx.chain.iov_max = c->tx.chain.iov_max = IOV_COUNT;
	dev_timer_init(&c->retry, d, retry_fired, NULL);
	ret = virtio_init(&c->v, &console_ops, 0, e);
	if (!ret)
		c->ops->attach(d->backend, &client);
	return ret;
}

static void console_fini(struct dev *d)
{
	struct console *c = console_of(d);

	if (c->retry.dev)
		dev_timer_fini(&c->retry);
	virtio_fini(&c->v);
}

static const struct prop console_props[] = {VIRTIO_PROPS, {.name = NULL}};

const struct component virtio_console_component = {
	.type = "VIRTIO-CONSOLE",
	.doc = "virtio console",
	.cls = DEV_DEVICE,
	.size = sizeof(struct console),
	.props = console_props,
	.regions = virtio_regions,
	.state = virtio_state,
	.backend = BACKEND_CHAR,
	.default_backend = "null",
	.init = console_init,
	.reset = virtio_reset,
	.fini = console_fini,
	.dt = virtio_dt,
	.stats = virtio_stats,
};
