/* SPDX-License-Identifier: Apache-2.0 */
/* What the compiler calls by itself. */
#include "lib/guest.h"

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);

/* Not to be turned into calls of themselves. */
#define PLAIN __attribute__((optimize("no-tree-loop-distribute-patterns")))

PLAIN void *memcpy(void *to, const void *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
	return to;
}

PLAIN void *memset(void *to, int c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = (uint8_t)c;
	return to;
}
