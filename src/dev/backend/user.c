// SPDX-License-Identifier: Apache-2.0
/*
 * Network back end: user-mode network through libslirp. The guest sits behind a NAT gateway that
 * lives in this process; nothing on the host needs privileges.
 *
 * In the guest's network N: gateway N.2 (answers ping itself), name server N.3 (forwards to the
 * host's), DHCP gives N.15.
 *
 * libslirp is not thread-safe: `lock` is held around every call into it. It is taken before the
 * model's lock, never after, for libslirp delivers frames from inside its calls. A thread polls
 * libslirp's sockets; frames of the guest come in on the model's thread.
 *
 * Left out: IPv6, TFTP, guestfwd.
 */
#include "dev/backend.h"

#include "host/clock.h"
#include "host/thread.h"
#include "util/err.h"
#include "util/log.h"
#include "util/parse.h"
#include "util/xalloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <slirp/libslirp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	FRAMES_MAX = 1024, /* held back for a slow guest; beyond that, lost as in any router */
	FRAME_SIZE_MAX = 65536 + 18,
	HOST_GATEWAY = 2,
	HOST_DNS = 3,
	HOST_DHCP = 15,
	POLL_MS_MAX = 1000,
};

struct frame {
	struct frame *next;
	size_t len;
	uint8_t data[];
};

struct user {
	struct dev dev;
	/* properties */
	const char *net;
	const char *hostfwd;
	bool restricted;

	Slirp *slirp;
	struct net_client client;
	struct in_addr network, mask;
	pthread_mutex_t lock; /* around libslirp; guards all below and client */
	pthread_t thread;
	bool thread_running, stop, ready;
	int wake_fd;
	bool woken;	    /* atomic: wake_fd is written and the thread has not seen it yet */
	struct pollfd *fds; /* fds[0] is wake_fd; only used by the thread */
	unsigned fd_count, fd_cap;
	struct frame *head, **tail;
	unsigned frame_count;
};

static struct user *user_of(struct dev *d)
{
	return (struct user *)d;
}

/* Async: from any thread, under any lock. */
static void wake(struct user *u)
{
	uint64_t one = 1;

	if (__atomic_exchange_n(&u->woken, true, __ATOMIC_SEQ_CST))
		return;
	/* Fails only if the counter is full, and then the thread wakes anyway. */
	if (write(u->wake_fd, &one, sizeof(one)) < 0)
		return;
}

/* ---- frames for the guest ---- */

static void keep_frame(struct user *u, const void *data, size_t len)
{
	struct frame *f;

	if (u->frame_count >= FRAMES_MAX) {
		LOG(net, "%s: the guest takes no frames, one is lost", u->dev.name);
		return;
	}
	f = xcalloc(1, sizeof(*f) + len);
	f->len = len;
	memcpy(f->data, data, len);
	*u->tail = f;
	u->tail = &f->next;
	u->frame_count++;
}

static void drop_first(struct user *u)
{
	struct frame *f = u->head;

	u->head = f->next;
	if (!u->head)
		u->tail = &u->head;
	u->frame_count--;
	free(f);
}

static void deliver(struct user *u)
{
	while (u->head && u->client.dev &&
	       u->client.receive(u->client.dev, u->head->data, u->head->len))
		drop_first(u);
}

static ssize_t send_packet(const void *data, size_t len, void *opaque)
{
	struct user *u = opaque;

	if (!u->client.dev)
		return (ssize_t)len;
	if (u->head || !u->client.receive(u->client.dev, data, len))
		keep_frame(u, data, len);
	return (ssize_t)len;
}

/* ---- what libslirp wants ---- */

static void slirp_guest_error(const char *msg, void *opaque)
{
	struct user *u = opaque;

	guest_error(u->dev.name, "%s", msg);
}

static int64_t slirp_clock(void *opaque)
{
	return (int64_t)clock_mono_ns();
}

/* Timers serve IPv6 router advertisements only, which are off. */
static void *slirp_timer_create(SlirpTimerId id, void *cb_opaque, void *opaque)
{
	return NULL;
}

static void slirp_timer_destroy(void *timer, void *opaque)
{
}

static void slirp_timer_set(void *timer, int64_t expire_ms, void *opaque)
{
}

static void slirp_fd(int fd, void *opaque)
{
}

static void slirp_wake(void *opaque)
{
	wake(opaque);
}

static const SlirpCb slirp_callbacks = {
	.send_packet = send_packet,
	.guest_error = slirp_guest_error,
	.clock_get_ns = slirp_clock,
	.timer_free = slirp_timer_destroy,
	.timer_mod = slirp_timer_set,
	.register_poll_fd = slirp_fd,
	.unregister_poll_fd = slirp_fd,
	.notify = slirp_wake,
	.timer_new_opaque = slirp_timer_create,
};

/* ---- the thread ---- */

/* libslirp's and poll()'s bits. */
static const struct {
	int slirp;
	short host;
} poll_bits[] = {
	{SLIRP_POLL_IN, POLLIN},   {SLIRP_POLL_OUT, POLLOUT}, {SLIRP_POLL_PRI, POLLPRI},
	{SLIRP_POLL_ERR, POLLERR}, {SLIRP_POLL_HUP, POLLHUP},
};
enum { POLL_BIT_COUNT = sizeof(poll_bits) / sizeof(poll_bits[0]) };

static int add_poll(int fd, int events, void *opaque)
{
	struct user *u = opaque;
	struct pollfd *p;

	if (u->fd_count == u->fd_cap) {
		u->fd_cap = u->fd_cap ? 2 * u->fd_cap : 16;
		u->fds = xrealloc(u->fds, u->fd_cap, sizeof(*u->fds));
	}
	p = &u->fds[u->fd_count];
	*p = (struct pollfd){.fd = fd};
	for (unsigned i = 0; i < POLL_BIT_COUNT; i++)
		if (events & poll_bits[i].slirp)
			p->events |= poll_bits[i].host;
	return (int)u->fd_count++;
}

static int get_revents(int index, void *opaque)
{
	struct user *u = opaque;
	int events = 0;

	for (unsigned i = 0; i < POLL_BIT_COUNT; i++)
		if (u->fds[index].revents & poll_bits[i].host)
			events |= poll_bits[i].slirp;
	return events;
}

static void *poll_thread(void *opaque)
{
	struct user *u = opaque;
	uint64_t count;

	pthread_mutex_lock(&u->lock);
	while (!u->stop) {
		uint32_t timeout = POLL_MS_MAX;
		int n;

		u->fd_count = 0;
		add_poll(u->wake_fd, SLIRP_POLL_IN, u);
		slirp_pollfds_fill(u->slirp, &timeout, add_poll, u);
		pthread_mutex_unlock(&u->lock);
		n = poll(u->fds, u->fd_count, (int)timeout);
		pthread_mutex_lock(&u->lock);
		if (n > 0 && u->fds[0].revents && read(u->wake_fd, &count, sizeof(count)) < 0)
			LOG(net, "%s: %s", u->dev.name, strerror(errno));
		/* Before looking at anything: who wakes from here on is heard in the next round. */
		__atomic_store_n(&u->woken, false, __ATOMIC_SEQ_CST);
		deliver(u);
		slirp_pollfds_poll(u->slirp, n < 0, get_revents, u);
	}
	pthread_mutex_unlock(&u->lock);
	return NULL;
}

/* ---- operations ---- */

static void user_attach(struct dev *be, const struct net_client *client)
{
	struct user *u = user_of(be);

	pthread_mutex_lock(&u->lock);
	u->client = client ? *client : (struct net_client){.dev = NULL};
	pthread_mutex_unlock(&u->lock);
}

static void user_send(struct dev *be, const struct iovec *iov, int iov_count)
{
	struct user *u = user_of(be);
	uint8_t frame[FRAME_SIZE_MAX];
	size_t len = 0;

	for (int i = 0; i < iov_count; i++) {
		if (iov[i].iov_len > sizeof(frame) - len)
			return;
		memcpy(frame + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	pthread_mutex_lock(&u->lock);
	slirp_input(u->slirp, frame, (int)len);
	pthread_mutex_unlock(&u->lock);
	/* There may be new sockets to poll, or data for old ones. */
	wake(u);
}

static void user_resume(struct dev *be)
{
	wake(user_of(be));
}

/* ---- configuration ---- */

static struct in_addr host_number(const struct user *u, uint32_t number)
{
	return (struct in_addr){.s_addr = u->network.s_addr | htonl(number)};
}

static int parse_net(struct user *u, struct err *e)
{
	char text[INET_ADDRSTRLEN];
	const char *slash = strchr(u->net, '/');
	uint64_t prefix = 24;
	size_t len = slash ? (size_t)(slash - u->net) : strlen(u->net);

	if (len < sizeof(text)) {
		memcpy(text, u->net, len);
		text[len] = 0;
		/* The network must have room for the host numbers above. */
		if (inet_pton(AF_INET, text, &u->network) == 1 &&
		    (!slash || !parse_u64(slash + 1, &prefix)) && prefix >= 8 && prefix <= 27) {
			u->mask.s_addr = htonl(~0u << (32 - prefix));
			u->network.s_addr &= u->mask.s_addr;
			return 0;
		}
	}
	err_set(e, -EINVAL, u->dev.where, "net \"%s\" is not an IPv4 network", u->net);
	err_hint(e, "for example net=10.0.2.0/24; the prefix is 8 to 27 bits");
	return -EINVAL;
}

/* "[ADDRESS]:PORT" up to @end; an empty address leaves *@address. */
static bool parse_endpoint(const char *s, const char *end, struct in_addr *address, int *port)
{
	const char *colon = memchr(s, ':', (size_t)(end - s));
	char text[INET_ADDRSTRLEN], digits[8];
	uint64_t number;

	if (!colon || colon - s >= (ptrdiff_t)sizeof(text) ||
	    end - colon - 1 >= (ptrdiff_t)sizeof(digits))
		return false;
	memcpy(text, s, (size_t)(colon - s));
	text[colon - s] = 0;
	memcpy(digits, colon + 1, (size_t)(end - colon - 1));
	digits[end - colon - 1] = 0;
	if (*text && inet_pton(AF_INET, text, address) != 1)
		return false;
	if (parse_u64(digits, &number) || number < 1 || number > 65535)
		return false;
	*port = (int)number;
	return true;
}

/* One "tcp:[HOSTADDR]:PORT-[GUESTADDR]:PORT". */
static int add_forward(struct user *u, const char *s, const char *end, struct err *e)
{
	struct in_addr host = {.s_addr = htonl(INADDR_ANY)};
	struct in_addr guest = host_number(u, HOST_DHCP);
	const char *dash = memchr(s, '-', (size_t)(end - s));
	bool udp = !strncmp(s, "udp:", 4);
	int host_port, guest_port;

	if ((!udp && strncmp(s, "tcp:", 4)) || !dash ||
	    !parse_endpoint(s + 4, dash, &host, &host_port) ||
	    !parse_endpoint(dash + 1, end, &guest, &guest_port)) {
		err_set(e, -EINVAL, u->dev.where, "hostfwd \"%.*s\" is not understood",
			(int)(end - s), s);
		err_hint(e, "for example hostfwd=tcp:127.0.0.1:2222-:22");
		return -EINVAL;
	}
	if (slirp_add_hostfwd(u->slirp, udp, host, host_port, guest, guest_port)) {
		int error = errno;

		err_set(e, -error, u->dev.where, "cannot listen on port %d for hostfwd: %s",
			host_port, strerror(error));
		err_hint(e, "choose another port of the host");
		return -error;
	}
	return 0;
}

static int add_forwards(struct user *u, struct err *e)
{
	int ret = 0;

	for (const char *s = u->hostfwd; s && *s;) {
		const char *end = s + strcspn(s, ",");
		int r = add_forward(u, s, end, e);

		ret = ret ? ret : r;
		s = *end ? end + 1 : end;
	}
	return ret;
}

static Slirp *create_slirp(struct user *u)
{
	SlirpConfig cfg = {
		.version = SLIRP_CONFIG_VERSION_MAX,
		.restricted = u->restricted,
		.in_enabled = true,
		.vnetwork = u->network,
		.vnetmask = u->mask,
		.vhost = host_number(u, HOST_GATEWAY),
		.vnameserver = host_number(u, HOST_DNS),
		.vdhcp_start = host_number(u, HOST_DHCP),
	};

	return slirp_new(&cfg, &slirp_callbacks, u);
}

static int user_init(struct dev *d, struct err *e)
{
	struct user *u = user_of(d);
	int ret;

	u->tail = &u->head;
	pthread_mutex_init(&u->lock, NULL);
	u->ready = true;
	u->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (u->wake_fd < 0)
		return err_set(e, -errno, d->where, "no event descriptor: %s", strerror(errno));
	ret = parse_net(u, e);
	if (ret)
		return ret;
	u->slirp = create_slirp(u);
	if (!u->slirp)
		return err_set(e, -EIO, d->where, "libslirp refuses the configuration");
	ret = add_forwards(u, e);
	if (ret)
		return ret;
	ret = thread_start(&u->thread, "user-net", poll_thread, u);
	if (ret)
		return err_set(e, ret, d->where, "cannot start a thread: %s", strerror(-ret));
	u->thread_running = true;
	return 0;
}

static void user_fini(struct dev *d)
{
	struct user *u = user_of(d);

	if (!u->ready)
		return;
	if (u->thread_running) {
		pthread_mutex_lock(&u->lock);
		u->stop = true;
		pthread_mutex_unlock(&u->lock);
		wake(u);
		pthread_join(u->thread, NULL);
		u->thread_running = false;
	}
	u->client.dev = NULL;
	if (u->slirp)
		slirp_cleanup(u->slirp);
	while (u->head)
		drop_first(u);
	free(u->fds);
	if (u->wake_fd >= 0)
		close(u->wake_fd);
	pthread_mutex_destroy(&u->lock);
	u->ready = false;
}

static const struct backend_net_ops user_ops = {
	.attach = user_attach,
	.send = user_send,
	.resume = user_resume,
};

static const struct prop user_props[] = {
	{.name = "net",
	 .kind = PROP_STR,
	 .offset = offsetof(struct user, net),
	 .def = "10.0.2.0/24",
	 .help = "the guest's IPv4 network"},
	{.name = "hostfwd",
	 .kind = PROP_STR,
	 .offset = offsetof(struct user, hostfwd),
	 .help = "ports of the host that lead to the guest, comma-separated: "
		 "tcp:127.0.0.1:2222-:22"},
	{.name = "restrict",
	 .kind = PROP_BOOL,
	 .offset = offsetof(struct user, restricted),
	 .def = "false",
	 .help = "keep the guest from the host and its network, except for hostfwd"},
	{.name = NULL},
};

const struct component user_component = {
	.type = "user",
	.doc = "user-mode network: NAT, DHCP and DNS without privileges",
	.cls = DEV_BACKEND,
	.size = sizeof(struct user),
	.props = user_props,
	.backend = BACKEND_NET,
	.backend_ops = &user_ops,
	.init = user_init,
	.fini = user_fini,
};
