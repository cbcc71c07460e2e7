/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts that never execute the guest's instructions: nothing to keep coherent. */
#include "host/icache.h"

void host_icache_sync(void *p, size_t len)
{
}

void host_dcache_flush_poc(void *p, size_t len)
{
}
