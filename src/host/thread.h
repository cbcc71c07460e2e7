/* SPDX-License-Identifier: Apache-2.0 */
/* Starting helper threads. */
#ifndef HOST_THREAD_H
#define HOST_THREAD_H

#include <pthread.h>

/* Start a thread with every signal blocked, so that signals meant for the main thread or a vCPU
 * never interrupt it. @name: at most 15 characters. Returns 0 or a negative errno. */
int thread_start(pthread_t *t, const char *name, void *(*fn)(void *opaque), void *opaque);

#endif
