// SPDX-License-Identifier: Apache-2.0
/*
 * Network device, virtio 1.2 section 5.1: one receive and one transmit queue.
 *
 * Frames of the guest are sent by a thread of the device, without its lock: a back end may answer at
 * once by calling receive(). Received frames are copied in the back end's thread; without room for
 * one, receive() refuses it, and the driver's next notification of the queue resumes the back end.
 *
 * Left out: offloads (checksum, segmentation), control queue, several queue pairs.
 */
#include "dev/backend.h"
#include "dev/virtio/virtio.h"

#include "host/thread.h"
#include "util/bits.h"
#include "util/err.h"
#include "util/log.h"

#include <endian.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define F_MAC	    (1ULL << 5)
#define F_MRG_RXBUF (1ULL << 15)
#define F_STATUS    (1ULL << 16)

enum { RX, TX };
enum {
	QUEUE_SIZE = 256,
	IOV_COUNT = QUEUE_SIZE + 2,
	FRAME_MAX = 65535 + 18, /* IP packet, Ethernet header with VLAN tag */
	FRAME_MIN = 14,
	MERGE_MAX = 64, /* buffers that one frame may take */
	PUBLISH_EVERY = 16,
	STATUS_LINK_UP = 1,
};

/* 5.1.6; without VERSION_1 and MRG_RXBUF the last field is missing. */
struct header {
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset;
	uint16_t num_buffers;
};
enum { HEADER_SIZE = sizeof(struct header), LEGACY_HEADER_SIZE = HEADER_SIZE - 2 };

struct config {
	uint8_t mac[6];
	uint16_t status;
};

struct net {
	struct virtio v;
	const char *mac; /* property */

	const struct backend_net_ops *ops;
	pthread_t thread;
	bool thread_running, stop;
	bool kicked;	     /* the transmit queue wants to be looked at */
	pthread_cond_t kick; /* kicked or stop; with dev.lock */
	bool rx_refused;     /* the back end waits for resume() */
	struct virtq_chain tx, rx, rx_first;
	struct iovec tx_iov[IOV_COUNT], rx_iov[IOV_COUNT], rx_first_iov[IOV_COUNT];
	/* Statistics. */
	uint64_t tx_frames, rx_frames, rx_refusals;
};

static struct net *net_of(struct dev *d)
{
	return container_of(d, struct net, v.dev);
}

static size_t header_size(const struct net *n)
{
	return virtio_has(&n->v, VIRTIO_F_VERSION_1) || virtio_has(&n->v, F_MRG_RXBUF)
		       ? HEADER_SIZE
		       : LEGACY_HEADER_SIZE;
}

/* ---- transmit ---- */

/* Send n->tx; the lock is released meanwhile. */
static void send_chain(struct net *n)
{
	struct virtq_chain *c = &n->tx;
	size_t header = header_size(n);
	unsigned count;

	if (c->out_len < header + FRAME_MIN || c->out_len > header + FRAME_MAX) {
		guest_error(n->v.dev.name, "frame of %llu bytes, header included, is dropped",
			    (unsigned long long)c->out_len);
		virtq_push(&n->v.vq[TX], c, 0);
		return;
	}
	count = iov_slice(c->iov, c->out_count, header, c->out_len - header, c->iov, IOV_COUNT);
	n->tx_frames++;
	virtio_begin(&n->v);
	dev_unlock(&n->v.dev);
	n->ops->send(n->v.dev.backend, c->iov, (int)count);
	dev_lock(&n->v.dev);
	virtq_push(&n->v.vq[TX], c, 0);
	virtio_end(&n->v);
}

static void send_all(struct net *n)
{
	struct virtq *q = &n->v.vq[TX];
	unsigned sent = 0;

	do {
		virtq_quiet(&n->v, q);
		while (!n->stop && virtq_pop(&n->v, q, &n->tx)) {
			send_chain(n);
			if (!(++sent % PUBLISH_EVERY))
				virtq_publish(&n->v, q);
		}
		virtq_publish(&n->v, q);
	} while (!n->stop && virtq_listen(&n->v, q));
}

static void *tx_thread(void *opaque)
{
	struct net *n = opaque;

	dev_lock(&n->v.dev);
	while (!n->stop) {
		if (!n->kicked) {
			pthread_cond_wait(&n->kick, &n->v.dev.lock);
			continue;
		}
		n->kicked = false;
		send_all(n);
	}
	dev_unlock(&n->v.dev);
	return NULL;
}

/* ---- receive ---- */

/* What is taken for one frame, so that it can be given back. */
struct taken {
	struct virtq_chain chain[MERGE_MAX]; /* their iov is not valid any more */
	uint32_t written[MERGE_MAX];
	unsigned count;
};

static bool take_buffer(struct net *n, struct taken *t)
{
	struct virtq_chain *c = t->count ? &n->rx : &n->rx_first;

	if (t->count == MERGE_MAX || !virtq_pop(&n->v, &n->v.vq[RX], c))
		return false;
	t->chain[t->count] = *c;
	t->written[t->count++] = 0;
	return true;
}

/* Copy header and frame to as many buffers as it takes. */
static bool place_frame(struct net *n, struct taken *t, const uint8_t *frame, size_t len)
{
	size_t header = header_size(n), skip = header, done = 0;
	struct virtq_chain *c;
	struct header h = {0};
	size_t max = virtio_has(&n->v, F_MRG_RXBUF) ? MERGE_MAX : 1;

	while (done < len && t->count < max && take_buffer(n, t)) {
		c = t->count == 1 ? &n->rx_first : &n->rx;
		if (t->count == 1 && c->in_len < header) {
			virtio_broken(&n->v, "receive buffer is smaller than the header");
			return false;
		}
		size_t copied = iov_write(c->iov + c->out_count, c->in_count, skip, frame + done,
					  len - done);
		t->written[t->count - 1] = (uint32_t)(skip + copied);
		done += copied;
		skip = 0;
	}
	if (done < len)
		return false;
	h.num_buffers = htole16((uint16_t)t->count);
	c = &n->rx_first;
	iov_write(c->iov + c->out_count, c->in_count, 0, &h, header);
	return true;
}

static bool receive_locked(struct net *n, const uint8_t *frame, size_t len)
{
	struct virtq *q = &n->v.vq[RX];
	struct taken t = {.count = 0};

	if (!q->QueueReady || !virtio_running(&n->v) || len > FRAME_MAX)
		return true; /* nobody there: lost, as on a wire */
	if (place_frame(n, &t, frame, len)) {
		for (unsigned i = 0; i < t.count; i++)
			virtq_push(q, &t.chain[i], t.written[i]);
		n->rx_frames++;
		virtq_publish(&n->v, q);
		return true;
	}
	while (t.count)
		virtq_unpop(q, &t.chain[--t.count]);
	if (n->v.broken)
		return true;
	if (!virtio_has(&n->v, F_MRG_RXBUF) && virtq_pending(q)) {
		guest_error(n->v.dev.name, "receive buffer is too small, frame is dropped");
		return true;
	}
	return false;
}

static bool receive(struct dev *d, const uint8_t *frame, size_t len)
{
	struct net *n = net_of(d);
	bool taken;

	dev_lock(d);
	virtq_quiet(&n->v, &n->v.vq[RX]);
	taken = receive_locked(n, frame, len);
	/* What became available before virtq_listen() is enough or not; of more we are told. */
	if (!taken && virtq_listen(&n->v, &n->v.vq[RX]))
		taken = receive_locked(n, frame, len);
	if (!taken) {
		n->rx_refused = true;
		n->rx_refusals++;
	}
	dev_unlock(d);
	return taken;
}

/* ---- component ---- */

static void resume(struct net *n)
{
	if (!n->rx_refused)
		return;
	n->rx_refused = false;
	n->ops->resume(n->v.dev.backend);
}

static void net_notify(struct virtio *v, unsigned q)
{
	struct net *n = container_of(v, struct net, v);

	if (q == RX) {
		resume(n);
		return;
	}
	n->kicked = true;
	pthread_cond_signal(&n->kick);
}

/* What the back end holds back is for the old driver: it comes and is dropped. */
static void net_stopped(struct virtio *v)
{
	resume(container_of(v, struct net, v));
}

static const struct virtio_ops net_ops = {
	.id = VIRTIO_ID_NET,
	.queue_count = 2,
	.queue_size = {QUEUE_SIZE, QUEUE_SIZE},
	.config_size = sizeof(struct config),
	.notify = net_notify,
	.stop = net_stopped,
};

static int fill_config(struct net *n, struct err *e)
{
	const struct dev *d = &n->v.dev;
	struct config c = {.status = htole16(STATUS_LINK_UP)};
	unsigned m[6];
	int end = 0;

	if (sscanf(n->mac, "%2x:%2x:%2x:%2x:%2x:%2x%n", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5],
		   &end) != 6 ||
	    n->mac[end] || m[0] & 1) {
		err_set(e, -EINVAL, d->where, "%s: mac \"%s\" is not the address of one station",
			d->name, n->mac);
		err_hint(e, "for example mac=52:54:00:12:34:56");
		return -EINVAL;
	}
	for (unsigned i = 0; i < 6; i++)
		c.mac[i] = (uint8_t)m[i];
	memcpy(n->v.config, &c, sizeof(c));
	return 0;
}

static void set_iov(struct virtq_chain *c, struct iovec *iov)
{
	c->iov = iov;
	c->iov_max = IOV_COUNT;
}

static int net_init(struct dev *d, struct err *e)
{
	struct net *n = net_of(d);
	struct net_client client = {.dev = d, .receive = receive};
	int ret;

	if (!d->backend)
		return err_set(e, -EINVAL, d->where, "%s has no network behind it", d->name);
	ret = fill_config(n, e);
	if (ret)
		return ret;
	set_iov(&n->tx, n->tx_iov);
	set_iov(&n->rx, n->rx_iov);
	set_iov(&n->rx_first, n->rx_first_iov);
	ret = virtio_init(&n->v, &net_ops, F_MAC | F_STATUS | F_MRG_RXBUF, e);
	if (ret)
		return ret;
	pthread_cond_init(&n->kick, NULL);
	ret = thread_start(&n->thread, "virtio-net", tx_thread, n);
	if (ret)
		return err_set(e, ret, d->where, "cannot start a thread: %s", strerror(-ret));
	n->thread_running = true;
	n->ops = d->backend->c->backend_ops;
	n->ops->attach(d->backend, &client);
	return 0;
}

static void net_fini(struct dev *d)
{
	struct net *n = net_of(d);

	if (n->ops)
		n->ops->attach(d->backend, NULL);
	if (n->thread_running) {
		dev_lock(d);
		n->stop = true;
		pthread_cond_signal(&n->kick);
		dev_unlock(d);
		pthread_join(n->thread, NULL);
		pthread_cond_destroy(&n->kick);
		n->thread_running = false;
	}
	n->rx_refused = false;
	virtio_fini(&n->v);
}

static void net_stats(struct dev *d, void *json_object)
{
	struct net *n = net_of(d);

	virtio_stats(d, json_object);
	json_object_set_new(json_object, "tx_frames", json_integer((json_int_t)n->tx_frames));
	json_object_set_new(json_object, "rx_frames", json_integer((json_int_t)n->rx_frames));
	json_object_set_new(json_object, "rx_refusals", json_integer((json_int_t)n->rx_refusals));
}

static const struct prop net_props[] = {
	VIRTIO_PROPS,
	{.name = "mac",
	 .kind = PROP_STR,
	 .offset = offsetof(struct net, mac),
	 .def = "52:54:00:12:34:56",
	 .help = "Ethernet address of the guest"},
	{.name = NULL},
};

const struct component virtio_net_component = {
	.type = "VIRTIO-NET",
	.doc = "virtio network device",
	.cls = DEV_DEVICE,
	.size = sizeof(struct net),
	.props = net_props,
	.regions = virtio_regions,
	.state = virtio_state,
	.backend = BACKEND_NET,
	.default_backend = "user",
	.init = net_init,
	.reset = virtio_reset,
	.fini = net_fini,
	.dt = virtio_dt,
	.stats = net_stats,
};
