/* SPDX-License-Identifier: Apache-2.0 */
/* Translation tables and caches. Tables are built once, with the MMU off, by the first CPU. */
#include "lib/guest.h"

enum { GIB_SHIFT = 30, LINE = 16 /* not larger than any CPU's; more work, never too little */ };

#define BLOCK	    1ULL
#define ATTR(n)	    ((uint64_t)(n) << 2)
#define USER	    (1ULL << 6)
#define INNER	    (3ULL << 8)
#define AF	    (1ULL << 10)
#define PXN	    (1ULL << 53)
#define UXN	    (1ULL << 54)
#define SCTLR_M_C_I (1ULL << 0 | 1ULL << 2 | 1ULL << 12)

static uint64_t table[512] __attribute__((aligned(4096))); /* level 1: 1 GiB each */
extern char image_start[], image_end[];

static void build_tables(void)
{
	const uint64_t ram = BLOCK | AF | INNER | ATTR(1), device = BLOCK | AF | ATTR(0);

	table[0] = 0ULL << GIB_SHIFT | device | PXN | UXN;
	for (uint64_t i = 1; i < 4; i++)
		table[i] = i << GIB_SHIFT | ram | UXN;
	table[USER_RAM_BASE >> GIB_SHIFT] = 1ULL << GIB_SHIFT | ram | USER | PXN;
	table[USER_DEVICE_BASE >> GIB_SHIFT] = 0ULL << GIB_SHIFT | device | USER | PXN;
}

void cache_flush(const void *start, size_t len)
{
	for (uint64_t a = (uint64_t)start & ~(LINE - 1ULL); a < (uint64_t)start + len; a += LINE)
		asm volatile("dc civac, %0" ::"r"(a) : "memory");
	dsb();
}

void code_sync(const void *start, size_t len)
{
	uint64_t first = (uint64_t)start & ~(LINE - 1ULL), end = (uint64_t)start + len;

	for (uint64_t a = first; a < end; a += LINE)
		asm volatile("dc cvau, %0" ::"r"(a) : "memory");
	asm volatile("dsb ish" ::: "memory");
	for (uint64_t a = first; a < end; a += LINE)
		asm volatile("ic ivau, %0" ::"r"(a) : "memory");
	asm volatile("dsb ish; isb" ::: "memory");
}

void mmu_on(void)
{
	uint64_t parange = mrs("id_aa64mmfr0_el1") & 7;

	if (!table[0])
		build_tables();
	if (this_cpu()->number == 0)
		cache_flush(image_start, (size_t)(image_end - image_start));
	msr("mair_el1", 0xff00);
	msr("tcr_el1", 25ULL | 1ULL << 8 | 1ULL << 10 | 3ULL << 12 | 1ULL << 23 | parange << 32);
	msr("ttbr0_el1", (uint64_t)table);
	isb();
	asm volatile("tlbi vmalle1; dsb nsh; isb" ::: "memory");
	msr("sctlr_el1", mrs("sctlr_el1") | SCTLR_M_C_I);
	isb();
}

void mmu_off(void)
{
	cache_flush(image_start, (size_t)(image_end - image_start));
	msr("sctlr_el1", mrs("sctlr_el1") & ~SCTLR_M_C_I);
	isb();
	cache_flush(image_start, (size_t)(image_end - image_start));
}
