/* SPDX-License-Identifier: Apache-2.0 */
/* Making written code visible to instruction fetch. */
#ifndef HOST_ICACHE_H
#define HOST_ICACHE_H

#include <stddef.h>

/* Clean [p, p+len) to the point of unification and invalidate the I-cache there, in the inner
 * shareable domain (Arm ARM B2.2.5 "Concurrent modification and execution of instructions"). No-op
 * on hosts whose caches need nothing. */
void host_icache_sync(void *p, size_t len);

/* Clean and invalidate [p, p+len) to the point of coherency: before reading what a guest wrote, and
 * after writing what a guest reads, with its caches off on a host without FEAT_S2FWB. */
void host_dcache_flush_poc(void *p, size_t len);

#endif
