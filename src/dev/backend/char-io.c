/* SPDX-License-Identifier: Apache-2.0 */
#include "dev/backend/char-io.h"

#include "host/clock.h"
#include "util/log.h"
#include "util/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- output ---- */

/* Under the back end's lock: write what the descriptor takes. False: it is gone. */
static bool push_out(struct char_io *io)
{
	while (io->count) {
		size_t part = CHAR_QUEUE_SIZE - io->head;
		ssize_t n;

		part = part < io->count ? part : io->count;
		n = write(io->out, io->queue + io->head, part);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0)
			return false;
		io->head = (io->head + n) % CHAR_QUEUE_SIZE;
		io->count -= n;
	}
	return true;
}

/* Nobody will read it any more. */
static void drop(struct char_io *io)
{
	io->head = 0;
	io->count = 0;
}

/* A machine with a clock of its own must not notice that the reader is slow. */
static void hold_clock(struct char_io *io)
{
	struct virtual_clock *clock = io->be->host->clock;
	bool holds = clock && io->count;

	if (holds == io->holds)
		return;
	if (holds)
		clock_hold(clock);
	else
		clock_release(clock);
	io->holds = holds;
}

/* How much the queue takes now: with a clock, as if it had been empty at this time. */
static size_t output_room(struct char_io *io)
{
	const struct virtual_clock *clock = io->be->host->clock;
	size_t used = io->count;

	if (clock && io->taken_ns != clock->ns) {
		io->taken_ns = clock->ns;
		io->taken = 0;
	}
	if (clock && io->taken > used)
		used = io->taken;
	return CHAR_QUEUE_SIZE - used;
}

static void on_writable(void *opaque, int fd, unsigned events)
{
	struct char_io *io = opaque;

	dev_lock(io->be);
	if (io->out >= 0 && ((events & LOOP_HUP) || !push_out(io)))
		drop(io);
	if (!io->count && io->out_watch) {
		struct loop_fd *w = io->out_watch;

		io->out_watch = NULL;
		loop_fd_del(w);
	}
	hold_clock(io);
	dev_unlock(io->be);
}

static void enqueue(struct char_io *io, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		io->queue[(io->head + io->count++) % CHAR_QUEUE_SIZE] = data[i];
}

size_t char_io_write(struct char_io *io, const uint8_t *data, size_t len)
{
	size_t room;

	dev_lock(io->be);
	if (io->out < 0) { /* nobody listens: as a serial line without a cable */
		dev_unlock(io->be);
		return len;
	}
	room = output_room(io);
	len = len < room ? len : room;
	io->taken += len;
	enqueue(io, data, len);
	if (!push_out(io)) {
		LOG(dev, "%s: output is lost: %s", io->be->name, strerror(errno));
		drop(io);
	}
	if (io->count && !io->out_watch)
		io->out_watch = loop_fd_add(io->be->host->loop, io->out, LOOP_OUT, on_writable, io);
	hold_clock(io);
	dev_unlock(io->be);
	return len;
}

void char_io_drain(struct char_io *io, int ms)
{
	uint64_t end = clock_mono_ns() + (uint64_t)ms * 1000000;

	dev_lock(io->be);
	while (io->out >= 0 && io->count && clock_mono_ns() < end) {
		struct pollfd p = {.fd = io->out, .events = POLLOUT};

		if (!push_out(io))
			drop(io);
		if (io->count)
			poll(&p, 1, 50);
	}
	hold_clock(io);
	dev_unlock(io->be);
}

/* ---- input ---- */

static loop_fd_fn on_readable;

/* The functions of this part run with the model's lock held, but for on_readable(). */

static void watch_input(struct char_io *io)
{
	if (io->in >= 0 && io->client.dev && !io->in_watch)
		io->in_watch = loop_fd_add(io->be->host->loop, io->in, LOOP_IN, on_readable, io);
}

static void forget_input(struct char_io *io)
{
	loop_fd_del(io->in_watch); /* from its own callback: does not wait */
	io->in_watch = NULL;
}

/* How much to read. */
static size_t input_room(const struct char_io *io)
{
	size_t room;

	if (io->filter)
		return CHAR_INPUT_MAX;
	room = io->client.can_receive(io->client.dev);
	room -= io->pending_count < room ? io->pending_count : room;
	return room < CHAR_INPUT_MAX ? room : CHAR_INPUT_MAX;
}

/* Give the model what it has room for. */
static void deliver(struct char_io *io)
{
	size_t room = io->client.can_receive(io->client.dev);
	size_t n = io->pending_count < room ? io->pending_count : room;
	uint8_t part[CHAR_PENDING_MAX];

	if (!n)
		return;
	/* Out of the list first: receive() may lead back here through char_io_resume(). */
	memcpy(part, io->pending, n);
	io->pending_count -= n;
	memmove(io->pending, io->pending + n, io->pending_count);
	io->client.receive(io->client.dev, part, n);
}

static void accept_input(struct char_io *io, uint8_t *data, size_t len)
{
	size_t room;

	if (io->filter)
		len = io->filter(io->be, data, len);
	room = CHAR_PENDING_MAX - io->pending_count;
	len = len < room ? len : room; /* a keyboard nobody reads: the rest is lost, as in life */
	memcpy(io->pending + io->pending_count, data, len);
	io->pending_count += len;
	deliver(io);
}

/* Until char_io_resume(). */
static void pause_input(struct char_io *io)
{
	io->in_paused = true;
	if (io->hangup)
		loop_fd_set(io->in_watch, 0);
	else /* even without events it would report, over and over, that the other side has closed */
		forget_input(io);
}

/* False: there will be no more. */
static bool read_input(struct char_io *io, int fd, bool hung_up)
{
	uint8_t data[CHAR_INPUT_MAX];
	size_t room = input_room(io);
	ssize_t n;

	if (!room && !(hung_up && io->hangup)) {
		pause_input(io);
		return true;
	}
	/* Who has left shall not keep the next one waiting until the guest reads: take the rest now. */
	n = read(fd, data, room ? room : sizeof(data));
	if (n > 0) {
		accept_input(io, data, n);
		return true;
	}
	if (n < 0)
		return !hung_up && (errno == EAGAIN || errno == EINTR);
	if (hung_up || !io->hangup)
		return false;
	loop_fd_set(io->in_watch, 0); /* half closed: it may still listen */
	return true;
}

static void on_readable(void *opaque, int fd, unsigned events)
{
	struct char_io *io = opaque;
	struct dev *model = io->client.dev;
	const struct virtual_clock *clock = io->be->host->clock;
	bool ended;

	if (clock && clock_held(clock)) /* at its times, or never */
		return;
	dev_lock(model);
	ended = io->in_watch && !read_input(io, fd, events & LOOP_HUP);
	if (ended)
		forget_input(io);
	dev_unlock(model);
	if (ended && io->hangup)
		io->hangup(io->be);
}

void char_io_resume(struct char_io *io)
{
	if (io->pending_count)
		deliver(io);
	if (!io->in_paused)
		return;
	io->in_paused = false;
	if (io->in_watch)
		loop_fd_set(io->in_watch, LOOP_IN);
	else
		watch_input(io);
}

/* ---- life ---- */

static void set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0)
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

void char_io_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0)
		fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

void char_io_init(struct char_io *io, struct dev *be)
{
	io->be = be;
	io->in = -1;
	io->out = -1;
	io->queue = xcalloc(1, CHAR_QUEUE_SIZE);
}

void char_io_open(struct char_io *io, int in, int out)
{
	struct dev *model = io->client.dev;
	struct loop_fd *old_in, *old_out;

	if (in >= 0)
		set_nonblocking(in);
	if (out >= 0)
		set_nonblocking(out);
	if (model)
		dev_lock(model);
	dev_lock(io->be);
	old_in = io->in_watch;
	old_out = io->out_watch;
	io->in_watch = NULL;
	io->out_watch = NULL;
	io->in_paused = false;
	io->in = in;
	io->out = out;
	drop(io);
	hold_clock(io);
	watch_input(io);
	dev_unlock(io->be);
	if (model)
		dev_unlock(model);
	loop_fd_del(old_in);
	loop_fd_del(old_out);
}

void char_io_attach(struct char_io *io, const struct char_client *client)
{
	io->client = *client;
	watch_input(io);
}

void char_io_fini(struct char_io *io)
{
	if (!io->be)
		return;
	io->client.dev = NULL; /* it is gone before its back end */
	char_io_open(io, -1, -1);
	free(io->queue);
	io->queue = NULL;
}
