// SPDX-License-Identifier: Apache-2.0
/* Starting helper threads. */
#include "host/thread.h"

#include <signal.h>

int thread_start(pthread_t *t, const char *name, void *(*fn)(void *opaque), void *opaque)
{
	sigset_t all, old;
	int ret;

	/* The mask is inherited: blocked around the creation, no signal can slip in. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(t, NULL, fn, opaque);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ret)
		return -ret;
	pthread_setname_np(*t, name);
	return 0;
}
