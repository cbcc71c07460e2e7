/* SPDX-License-Identifier: Apache-2.0 */
#include "util/buf.h"

#include "util/xalloc.h"

#include <stdlib.h>
#include <string.h>

static void reserve(struct buf *b, size_t more)
{
	size_t need = b->len + more + 1;

	CHECK(need > b->len);
	if (need <= b->cap)
		return;
	b->cap = need > 2 * b->cap ? need : 2 * b->cap;
	b->data = xrealloc(b->data, b->cap, 1);
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	reserve(b, len);
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	buf_str(b, s);
	free(s);
}

void buf_free(struct buf *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}

char *buf_take(struct buf *b)
{
	char *s;

	reserve(b, 0);
	s = b->data;
	s[b->len] = '\0';
	memset(b, 0, sizeof(*b));
	return s;
}
