/* SPDX-License-Identifier: Apache-2.0 */
/* Termination signals as events of a loop. */
#ifndef HOST_SIGNALS_H
#define HOST_SIGNALS_H

#include "host/loop.h"

struct signals;

typedef void signals_fn(void *opaque, int signal);

/* From now on SIGINT, SIGTERM and SIGHUP call @fn in the loop's thread; SIGPIPE is ignored. Call before threads
 * are created: they inherit the blocked signals. NULL and errno on failure. */
struct signals *signals_watch(struct loop *l, signals_fn *fn, void *opaque);
/* As it was before. */
void signals_unwatch(struct signals *s);

#endif
