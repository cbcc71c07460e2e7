/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of errors for the user.
 *
 * A `struct err` collects every mistake found, so that a user sees all of them at once. Each item
 * names a place ("virt.board:12:8", "--drive"), says what is wrong and, as a hint, what to do.
 * Only for mistakes of the user and failures of the host; what a guest does wrong has its
 * architected effect and a guest_error() log line instead.
 *
 * Not thread-safe: one list belongs to one thread. A NULL list is allowed everywhere and drops
 * what it is given.
 */
#ifndef UTIL_ERR_H
#define UTIL_ERR_H

#include <stdbool.h>
#include <stdio.h>

struct err_item {
	int code;    /* a negative errno */
	char *where; /* place, or NULL */
	char *text;
	char *hint; /* what to do, or NULL */
};

struct err {
	struct err_item *items;
	int count;
};

#define ERR_INIT                                                                                   \
	{                                                                                          \
		.items = NULL, .count = 0                                                          \
	}

/* Append an item. @code is a negative errno and is returned, so `return err_set(e, -EINVAL, ...)`
 * is the idiom. @where may be NULL; strings are copied. */
int err_set(struct err *e, int code, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Attach a hint (replacing an earlier one) to the last item. No item: no effect. */
void err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Append all items of @from, which is left empty. Either may be NULL. */
void err_move(struct err *to, struct err *from);

/* True if the list holds an item. */
bool err_any(const struct err *e);

/* Code of the first item, 0 if there is none. */
int err_code(const struct err *e);

/* Print every item: "obverse: WHERE: TEXT" and, indented on the next line, "hint: HINT". */
void err_print(const struct err *e, FILE *to);

/* Release the items and leave an empty list. */
void err_free(struct err *e);

#endif
