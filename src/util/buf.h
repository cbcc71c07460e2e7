/* SPDX-License-Identifier: Apache-2.0 */
/* Growable byte and string buffer. Always NUL-terminated after data[len]. Aborts when the host is
 * out of memory (xalloc.h), so no function here fails. */
#ifndef UTIL_BUF_H
#define UTIL_BUF_H

#include <stddef.h>

struct buf {
	char *data;
	size_t len;
	size_t cap;
};

#define BUF_INIT                                                                                   \
	{                                                                                          \
		.data = NULL, .len = 0, .cap = 0                                                   \
	}

void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_free(struct buf *b);
/* Hand over the string (never NULL; caller frees) and empty the buffer. */
char *buf_take(struct buf *b);

#endif
