// SPDX-License-Identifier: Apache-2.0
/*
 * Network back end: a tap interface of the Linux host. Frames are exchanged without virtio-net
 * header, so without offloads.
 *
 * A thread reads frames; while the guest has no room it keeps the one it has and leaves the others
 * in the kernel's queue, which drops what does not fit.
 */
#include "dev/backend.h"

#include "host/thread.h"
#include "util/err.h"
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TUN_DEVICE "/dev/net/tun"

enum { FRAME_SIZE_MAX = 65536 + 18, BATCH = 64 };

struct tap {
	struct dev dev;
	const char *ifname; /* property */

	int fd, wake_fd;
	pthread_mutex_t lock; /* around receive(), guards client; taken before the model's lock */
	struct net_client client;
	pthread_t thread;
	bool thread_running, ready;
	bool stop; /* atomic */
	/* Of the thread: the frame that waits for room. */
	size_t held;
	uint8_t frame[FRAME_SIZE_MAX];
};

static struct tap *tap_of(struct dev *d)
{
	return (struct tap *)d;
}

static void wake(struct tap *t)
{
	uint64_t one = 1;

	/* Fails only if the counter is full, and then the thread wakes anyway. */
	if (write(t->wake_fd, &one, sizeof(one)) < 0)
		return;
}

/* Hand over the held frame; false if the guest has no room. */
static bool deliver(struct tap *t)
{
	bool taken = true;

	if (!t->held)
		return true;
	pthread_mutex_lock(&t->lock);
	if (t->client.dev)
		taken = t->client.receive(t->client.dev, t->frame, t->held);
	pthread_mutex_unlock(&t->lock);
	if (taken)
		t->held = 0;
	return taken;
}

static void receive_batch(struct tap *t)
{
	for (unsigned i = 0; i < BATCH && deliver(t); i++) {
		ssize_t n = read(t->fd, t->frame, sizeof(t->frame));

		if (n <= 0)
			return;
		t->held = (size_t)n;
	}
}

static void *poll_thread(void *opaque)
{
	struct tap *t = opaque;
	uint64_t count;

	while (!__atomic_load_n(&t->stop, __ATOMIC_ACQUIRE)) {
		struct pollfd fds[2] = {
			{.fd = t->wake_fd, .events = POLLIN},
			/* With a frame in hand only resume() is of interest. */
			{.fd = t->held ? -1 : t->fd, .events = POLLIN},
		};

		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[0].revents && read(t->wake_fd, &count, sizeof(count)) < 0)
			LOG(net, "%s: %s", t->dev.name, strerror(errno));
		if (fds[1].revents & (POLLERR | POLLHUP | POLLNVAL) && !(fds[1].revents & POLLIN)) {
			LOG(vm, "%s: the interface is gone, network stops", t->dev.name);
			break;
		}
		receive_batch(t);
	}
	return NULL;
}

static void tap_attach(struct dev *be, const struct net_client *client)
{
	struct tap *t = tap_of(be);

	pthread_mutex_lock(&t->lock);
	t->client = client ? *client : (struct net_client){.dev = NULL};
	pthread_mutex_unlock(&t->lock);
	wake(t);
}

static void tap_send(struct dev *be, const struct iovec *iov, int iov_count)
{
	struct tap *t = tap_of(be);

	/* A full queue or an interface that is down loses the frame, as a wire would. */
	if (writev(t->fd, iov, iov_count) < 0)
		LOG(net, "%s: frame lost: %s", t->dev.name, strerror(errno));
}

static void tap_resume(struct dev *be)
{
	wake(tap_of(be));
}

static int open_tap(struct tap *t, struct err *e)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int error;

	if (strlen(t->ifname) >= sizeof(ifr.ifr_name))
		return err_set(e, -EINVAL, t->dev.where,
			       "ifname \"%s\" is longer than 15 characters", t->ifname);
	t->fd = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (t->fd < 0) {
		error = errno;
		err_set(e, -error, t->dev.where, "cannot open " TUN_DEVICE ": %s", strerror(error));
		err_hint(e, error == ENOENT || error == ENODEV || error == ENXIO
				    ? "load the driver: modprobe tun"
				    : "give your user access to it, or use the back end \"user\"");
		return -error;
	}
	strcpy(ifr.ifr_name, t->ifname);
	if (!ioctl(t->fd, TUNSETIFF, &ifr))
		return 0;
	error = errno;
	err_set(e, -error, t->dev.where, "cannot attach to tap interface %s: %s", t->ifname,
		strerror(error));
	if (error == EPERM)
		err_hint(e,
			 "as root, once: ip tuntap add dev %s mode tap user USER && "
			 "ip link set %s up",
			 t->ifname, t->ifname);
	else if (error == EBUSY)
		err_hint(e, "another machine uses it; give each its own interface");
	return -error;
}

static int tap_init(struct dev *d, struct err *e)
{
	struct tap *t = tap_of(d);
	int ret;

	t->fd = -1;
	pthread_mutex_init(&t->lock, NULL);
	t->ready = true;
	t->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (t->wake_fd < 0)
		return err_set(e, -errno, d->where, "no event descriptor: %s", strerror(errno));
	ret = open_tap(t, e);
	if (ret)
		return ret;
	ret = thread_start(&t->thread, "tap", poll_thread, t);
	if (ret)
		return err_set(e, ret, d->where, "cannot start a thread: %s", strerror(-ret));
	t->thread_running = true;
	return 0;
}

static void tap_fini(struct dev *d)
{
	struct tap *t = tap_of(d);

	if (!t->ready)
		return;
	if (t->thread_running) {
		__atomic_store_n(&t->stop, true, __ATOMIC_RELEASE);
		wake(t);
		pthread_join(t->thread, NULL);
		t->thread_running = false;
	}
	if (t->fd >= 0)
		close(t->fd);
	if (t->wake_fd >= 0)
		close(t->wake_fd);
	pthread_mutex_destroy(&t->lock);
	t->ready = false;
}

static const struct backend_net_ops tap_ops = {
	.attach = tap_attach,
	.send = tap_send,
	.resume = tap_resume,
};

static const struct prop tap_props[] = {
	{.name = "ifname",
	 .kind = PROP_STR,
	 .offset = offsetof(struct tap, ifname),
	 .def = "tap0",
	 .help = "name of the host's tap interface"},
	{.name = NULL},
};

const struct component tap_component = {
	.type = "tap",
	.doc = "network through a tap interface of the host",
	.cls = DEV_BACKEND,
	.size = sizeof(struct tap),
	.props = tap_props,
	.backend = BACKEND_NET,
	.backend_ops = &tap_ops,
	.init = tap_init,
	.fini = tap_fini,
};
