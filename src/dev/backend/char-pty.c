/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pseudo-terminal, for programs such as screen and minicom. Its name is logged, and can be had as a
 * symbolic link.
 *
 * What the guest sends while nobody has it open is lost, as on a line without a cable. That somebody
 * opens it is not an event of the master side, so we look now and then.
 */
#include "dev/backend/char-io.h"

#include "host/clock.h"
#include "util/err.h"
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum { DRAIN_MS = 2000, LOOK_NS = 200000000, NAME_LEN = 128 };

struct char_pty {
	struct dev dev;
	struct char_io io;
	const char *link;
	int master;
	char name[NAME_LEN]; /* of the other side */
	bool linked;
	struct loop_timer look;
};

/* ---- coming and going; in the loop's thread ---- */

static void look_again(struct char_pty *p)
{
	loop_timer_arm(&p->look, clock_mono_ns() + LOOK_NS);
}

static void on_look(void *opaque)
{
	struct char_pty *p = opaque;
	struct pollfd f = {.fd = p->master, .events = POLLIN};

	/* Somebody may have come, typed and gone already. */
	if (poll(&f, 1, 0) < 0 || ((f.revents & (POLLHUP | POLLERR)) && !(f.revents & POLLIN)))
		look_again(p);
	else
		char_io_open(&p->io, p->master, p->master);
}

static void on_hangup(struct dev *be)
{
	struct char_pty *p = (struct char_pty *)be;

	char_io_open(&p->io, -1, -1);
	look_again(p);
}

/* ---- back end ---- */

static void pty_attach(struct dev *be, const struct char_client *client)
{
	char_io_attach(&((struct char_pty *)be)->io, client);
}

static size_t pty_write(struct dev *be, const uint8_t *data, size_t len)
{
	return char_io_write(&((struct char_pty *)be)->io, data, len);
}

static void pty_resume(struct dev *be)
{
	char_io_resume(&((struct char_pty *)be)->io);
}

/* The line passes every byte; opened and closed once, the master side tells that nobody has it. */
static int make_raw(const char *name)
{
	int fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios t;
	int r;

	if (fd < 0)
		return -1;
	r = tcgetattr(fd, &t);
	cfmakeraw(&t);
	r = r ? r : tcsetattr(fd, TCSANOW, &t);
	close(fd);
	return r;
}

static int open_pair(struct char_pty *p, struct err *e)
{
	p->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (p->master < 0 || grantpt(p->master) || unlockpt(p->master) ||
	    ptsname_r(p->master, p->name, sizeof(p->name)) || make_raw(p->name))
		return err_set(e, -errno, p->dev.where, "%s: cannot make a pseudo-terminal: %s",
			       p->dev.name, strerror(errno));
	return 0;
}

/* A link that an earlier run left is replaced, any other file is not. */
static int make_link(struct char_pty *p, struct err *e)
{
	struct stat st;
	int r;

	if (!lstat(p->link, &st) && S_ISLNK(st.st_mode))
		unlink(p->link);
	if (!symlink(p->name, p->link)) {
		p->linked = true;
		return 0;
	}
	r = err_set(e, -errno, p->dev.where, "cannot make the link %s: %s", p->link,
		    strerror(errno));
	err_hint(e, "give a name that is free, in a directory you may write to");
	return r;
}

static int pty_init(struct dev *d, struct err *e)
{
	struct char_pty *p = (struct char_pty *)d;
	int r;

	p->master = -1;
	char_io_init(&p->io, d);
	p->io.hangup = on_hangup;
	loop_timer_init(&p->look, d->host->loop, on_look, p);
	r = open_pair(p, e);
	if (!r && p->link)
		r = make_link(p, e);
	if (r)
		return r;
	LOG(vm, "%s: serial line at %s", d->name, p->name);
	look_again(p);
	return 0;
}

static void remove_link(const struct char_pty *p)
{
	char target[NAME_LEN] = {0};

	if (p->linked && readlink(p->link, target, sizeof(target) - 1) > 0 &&
	    !strcmp(target, p->name))
		unlink(p->link);
}

static void pty_fini(struct dev *d)
{
	struct char_pty *p = (struct char_pty *)d;

	char_io_drain(&p->io, DRAIN_MS);
	loop_timer_fini(&p->look);
	char_io_fini(&p->io);
	remove_link(p);
	if (p->master >= 0)
		close(p->master);
}

static const struct prop pty_props[] = {
	{.name = "link",
	 .kind = PROP_PATH,
	 .offset = offsetof(struct char_pty, link),
	 .help = "symbolic link to make to the terminal, removed at the end"},
	{.name = NULL},
};

static const struct backend_char_ops pty_ops = {
	.attach = pty_attach, .write = pty_write, .resume = pty_resume};

const struct component char_pty_component = {
	.type = "pty",
	.doc = "pseudo-terminal of the host",
	.cls = DEV_BACKEND,
	.size = sizeof(struct char_pty),
	.props = pty_props,
	.backend = BACKEND_CHAR,
	.backend_ops = &pty_ops,
	.init = pty_init,
	.fini = pty_fini,
};
