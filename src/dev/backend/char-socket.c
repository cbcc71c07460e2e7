/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Unix socket that listens: one client at a time, the next one waits in the queue of the socket. What the
 * guest sends while there is none is lost, as on a line without a cable.
 */
#include "dev/backend/char-io.h"

#include "host/clock.h"
#include "util/err.h"
#include "util/log.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { DRAIN_MS = 2000, BACKLOG = 4 };

#define RETRY_NS (NS_PER_S / 4)

struct char_socket {
	struct dev dev;
	struct char_io io;
	const char *path;
	int listener, client; /* -1: none */
	bool bound;
	struct loop_fd *watch; /* of the listener; without events while there is a client */
	struct loop_timer retry;
	bool warned; /* that accept() fails */
};

/* ---- coming and going; in the loop's thread ---- */

/* The host is out of something, and the client still waits: it would be reported at once again. */
static bool lasts(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void back_off(struct char_socket *s)
{
	if (!s->warned)
		LOG(vm, "%s: cannot accept a client at %s: %s; it has to wait", s->dev.name,
		    s->path, strerror(errno));
	s->warned = true;
	loop_fd_set(s->watch, 0);
	loop_timer_arm(&s->retry, clock_mono_ns() + RETRY_NS);
}

static void on_retry(void *opaque)
{
	struct char_socket *s = opaque;

	if (s->client < 0)
		loop_fd_set(s->watch, LOOP_IN);
}

static void on_connect(void *opaque, int fd, unsigned events)
{
	struct char_socket *s = opaque;

	s->client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (s->client < 0) {
		if (lasts(errno))
			back_off(s);
		return;
	}
	s->warned = false;
	loop_fd_set(s->watch, 0);
	char_io_open(&s->io, s->client, s->client);
}

static void on_hangup(struct dev *be)
{
	struct char_socket *s = (struct char_socket *)be;

	char_io_open(&s->io, -1, -1);
	close(s->client);
	s->client = -1;
	loop_fd_set(s->watch, LOOP_IN);
}

/* ---- back end ---- */

static void socket_attach(struct dev *be, const struct char_client *client)
{
	char_io_attach(&((struct char_socket *)be)->io, client);
}

static size_t socket_write(struct dev *be, const uint8_t *data, size_t len)
{
	return char_io_write(&((struct char_socket *)be)->io, data, len);
}

static void socket_resume(struct dev *be)
{
	char_io_resume(&((struct char_socket *)be)->io);
}

/* Is it a socket that nobody listens to any more? */
static bool is_left_over(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;
	bool dead = false;

	if (fd >= 0 && !lstat(a->sun_path, &st) && S_ISSOCK(st.st_mode))
		dead = connect(fd, (const struct sockaddr *)a, sizeof(*a)) && errno == ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	return dead;
}

static int bind_to(int fd, const struct sockaddr_un *a)
{
	int r = bind(fd, (const struct sockaddr *)a, sizeof(*a));

	if (!r || errno != EADDRINUSE)
		return r;
	if (is_left_over(a) && !unlink(a->sun_path))
		return bind(fd, (const struct sockaddr *)a, sizeof(*a));
	errno = EADDRINUSE;
	return -1;
}

static int start_listening(struct char_socket *s, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int r;

	if (strlen(s->path) >= sizeof(a.sun_path)) {
		r = err_set(e, -ENAMETOOLONG, s->dev.where, "%s is too long for a socket", s->path);
		err_hint(e, "at most %zu bytes", sizeof(a.sun_path) - 1);
		return r;
	}
	strcpy(a.sun_path, s->path);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->listener >= 0 && !bind_to(s->listener, &a)) {
		s->bound = true;
		if (!listen(s->listener, BACKLOG))
			return 0;
	}
	r = err_set(e, -errno, s->dev.where, "cannot listen at %s: %s", s->path, strerror(errno));
	err_hint(e, "give a name that is free, in a directory you may write to");
	return r;
}

static int socket_init(struct dev *d, struct err *e)
{
	struct char_socket *s = (struct char_socket *)d;
	int r;

	s->listener = -1;
	s->client = -1;
	char_io_init(&s->io, d);
	s->io.hangup = on_hangup;
	loop_timer_init(&s->retry, d->host->loop, on_retry, s);
	r = start_listening(s, e);
	if (!r)
		s->watch = loop_fd_add(d->host->loop, s->listener, LOOP_IN, on_connect, s);
	return r;
}

static void socket_fini(struct dev *d)
{
	struct char_socket *s = (struct char_socket *)d;

	char_io_drain(&s->io, DRAIN_MS);
	char_io_fini(&s->io);
	loop_timer_fini(&s->retry);
	loop_fd_del(s->watch);
	if (s->client >= 0)
		close(s->client);
	if (s->listener >= 0)
		close(s->listener);
	if (s->bound)
		unlink(s->path);
}

static const struct prop socket_props[] = {
	{.name = "path",
	 .kind = PROP_PATH,
	 .offset = offsetof(struct char_socket, path),
	 .required = true,
	 .help = "name of the socket"},
	{.name = NULL},
};

static const struct backend_char_ops socket_ops = {
	.attach = socket_attach, .write = socket_write, .resume = socket_resume};

const struct component char_socket_component = {
	.type = "socket",
	.doc = "Unix socket that listens",
	.cls = DEV_BACKEND,
	.size = sizeof(struct char_socket),
	.props = socket_props,
	.backend = BACKEND_CHAR,
	.backend_ops = &socket_ops,
	.init = socket_init,
	.fini = socket_fini,
};
