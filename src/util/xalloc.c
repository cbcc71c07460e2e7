/* SPDX-License-Identifier: Apache-2.0 */
#include "util/xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *checked(void *p)
{
	if (p)
		return p;
	fputs("obverse: the host is out of memory\n", stderr);
	abort();
}

void *xcalloc(size_t n, size_t size)
{
	return checked(calloc(n ? n : 1, size ? size : 1));
}

void *xpages(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p = checked(aligned_alloc(page, (size + page - 1) & ~(page - 1)));

	return memset(p, 0, size);
}

void *xrealloc(void *p, size_t n, size_t size)
{
	return checked(reallocarray(p, n ? n : 1, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return checked(strdup(s));
}

char *xstrndup(const char *s, size_t n)
{
	return checked(strndup(s, n));
}

char *xvasprintf(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	return checked(s);
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

void check_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "obverse: internal error: %s at %s:%d\n", expr, file, line);
	abort();
}
