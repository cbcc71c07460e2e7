/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signal handlers have no argument, so what they need is file-scope state; like the terminal it is about,
 * there is one per process. Only async-signal-safe functions are called in the handler (POSIX.1-2017,
 * 2.4.3): tcsetattr(), sigaction(), raise().
 */
#include "host/terminal.h"

#include "util/bits.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS, SIGQUIT};

static struct {
	atomic_bool on;
	int fd;
	struct termios settings;
	struct sigaction before[ARRAY_COUNT(fatal)];
} guard;

/* The instruction that has failed runs again when the handler returns, and fails again. */
static bool comes_again(int signal, const siginfo_t *info)
{
	return info->si_code > 0 &&
	       (signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE);
}

/* The second time it comes to whom it would have come to without us. */
static void on_fatal(int signal, siginfo_t *info, void *context)
{
	int error = errno;

	if (atomic_exchange(&guard.on, false))
		tcsetattr(guard.fd, TCSANOW, &guard.settings);
	for (unsigned i = 0; i < ARRAY_COUNT(fatal); i++)
		if (fatal[i] == signal)
			sigaction(signal, &guard.before[i], NULL);
	if (!comes_again(signal, info))
		raise(signal); /* blocked until we return */
	errno = error;
}

void terminal_guard(int fd, const struct termios *settings)
{
	struct sigaction ours = {.sa_sigaction = on_fatal, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	terminal_unguard();
	guard.fd = fd;
	guard.settings = *settings;
	sigemptyset(&ours.sa_mask);
	sigaddset(&ours.sa_mask, SIGTTOU); /* so that tcsetattr() works in the background */
	for (unsigned i = 0; i < ARRAY_COUNT(fatal); i++) {
		sigaction(fatal[i], NULL, &guard.before[i]);
		if (guard.before[i].sa_handler != SIG_IGN)
			sigaction(fatal[i], &ours, NULL);
	}
	atomic_store(&guard.on, true);
}

void terminal_unguard(void)
{
	if (!atomic_exchange(&guard.on, false))
		return;
	for (unsigned i = 0; i < ARRAY_COUNT(fatal); i++)
		sigaction(fatal[i], &guard.before[i], NULL);
}
