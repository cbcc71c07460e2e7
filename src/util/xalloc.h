/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation of small host structures; failure ends the program with a message (the size is never
 * under the guest's control). Guest memory and anything sized by input uses mmap/calloc and checks. */
#ifndef UTIL_XALLOC_H
#define UTIL_XALLOC_H

#include <stdarg.h>
#include <stddef.h>

void *xcalloc(size_t n, size_t size);
/* Zeroed, in pages of the host of its own; for free(). */
void *xpages(size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap);

/* Internal inconsistency: print the expression and place, abort. Never on external input. */
#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (__builtin_expect(!(cond), 0))                                                  \
			check_failed(#cond, __FILE__, __LINE__);                                   \
	} while (0)
void check_failed(const char *expr, const char *file, int line) __attribute__((noreturn));

#endif
