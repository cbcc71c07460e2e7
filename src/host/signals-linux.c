/* SPDX-License-Identifier: Apache-2.0 */
#include "host/signals.h"

#include "util/xalloc.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct signals {
	sigset_t old_mask;
	struct sigaction old_pipe;
	int fd;
	struct loop_fd *watch;
	signals_fn *fn;
	void *opaque;
};

static void on_signal(void *opaque, int fd, unsigned events)
{
	struct signals *s = opaque;
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) == sizeof(info))
		s->fn(s->opaque, info.ssi_signo);
}

struct signals *signals_watch(struct loop *l, signals_fn *fn, void *opaque)
{
	struct signals *s = xcalloc(1, sizeof(*s));
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t set;

	s->fn = fn;
	s->opaque = opaque;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->fd < 0) {
		free(s);
		return NULL;
	}
	pthread_sigmask(SIG_BLOCK, &set, &s->old_mask);
	sigaction(SIGPIPE, &ignore, &s->old_pipe);
	s->watch = loop_fd_add(l, s->fd, LOOP_IN, on_signal, s);
	return s;
}

void signals_unwatch(struct signals *s)
{
	if (!s)
		return;
	loop_fd_del(s->watch);
	close(s->fd);
	sigaction(SIGPIPE, &s->old_pipe, NULL);
	pthread_sigmask(SIG_SETMASK, &s->old_mask, NULL);
	free(s);
}
