/* SPDX-License-Identifier: Apache-2.0 */
#include "host/icache.h"

#include <stdint.h>

void host_icache_sync(void *p, size_t len)
{
	__builtin___clear_cache((char *)p, (char *)p + len);
}

void host_dcache_flush_poc(void *p, size_t len)
{
	uint64_t ctr, line;
	uintptr_t a, end = (uintptr_t)p + len;

	__asm__("mrs %0, ctr_el0" : "=r"(ctr));
	line = 4ULL << (ctr >> 16 & 15); /* CTR_EL0.DminLine, in words */
	for (a = (uintptr_t)p & ~(line - 1); a < end; a += line)
		__asm__ volatile("dc civac, %0" : : "r"(a) : "memory");
	__asm__ volatile("dsb ish" : : : "memory");
}
