/* SPDX-License-Identifier: Apache-2.0 */
#include "util/err.h"

#include "util/xalloc.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int err_set(struct err *e, int code, const char *where, const char *fmt, ...)
{
	struct err_item *item;
	va_list ap;

	if (!e)
		return code;
	e->items = xrealloc(e->items, e->count + 1, sizeof(*e->items));
	item = &e->items[e->count++];
	item->code = code;
	item->where = where ? xstrdup(where) : NULL;
	item->hint = NULL;
	va_start(ap, fmt);
	item->text = xvasprintf(fmt, ap);
	va_end(ap);
	return code;
}

void err_hint(struct err *e, const char *fmt, ...)
{
	struct err_item *item;
	va_list ap;

	if (!err_any(e))
		return;
	item = &e->items[e->count - 1];
	free(item->hint);
	va_start(ap, fmt);
	item->hint = xvasprintf(fmt, ap);
	va_end(ap);
}

void err_move(struct err *to, struct err *from)
{
	if (!to || !err_any(from)) {
		err_free(from);
		return;
	}
	to->items = xrealloc(to->items, to->count + from->count, sizeof(*to->items));
	memcpy(&to->items[to->count], from->items, from->count * sizeof(*to->items));
	to->count += from->count;
	free(from->items);
	*from = (struct err)ERR_INIT;
}

bool err_any(const struct err *e)
{
	return e && e->count;
}

int err_code(const struct err *e)
{
	return err_any(e) ? e->items[0].code : 0;
}

void err_print(const struct err *e, FILE *to)
{
	for (int i = 0; e && i < e->count; i++) {
		const struct err_item *item = &e->items[i];

		fprintf(to, "obverse: %s%s%s\n", item->where ? item->where : "",
			item->where ? ": " : "", item->text);
		if (item->hint)
			fprintf(to, "    hint: %s\n", item->hint);
	}
}

void err_free(struct err *e)
{
	if (!e)
		return;
	for (int i = 0; i < e->count; i++) {
		free(e->items[i].where);
		free(e->items[i].text);
		free(e->items[i].hint);
	}
	free(e->items);
	e->items = NULL;
	e->count = 0;
}
