/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Character back end for unit tests of serial ports: records what the port sends, and types what the test
 * says. A port is expected to take at most what it said it could.
 */
#ifndef TESTS_FAKE_CHAR_H
#define TESTS_FAKE_CHAR_H

#include "fixture.h"

#include "dev/backend.h"

enum { FAKE_CHAR_SIZE = 65536 };

struct fake_char {
	struct dev dev;
	struct char_client client;
	char out[FAKE_CHAR_SIZE + 1]; /* NUL-terminated */
	size_t out_len;
	size_t room;	   /* bytes it will still take; FAKE_CHAR_SIZE at first */
	const char *typed; /* what has not been taken by the port */
};

extern const struct component fake_char_component;

struct fake_char *fake_char(struct fixture *f);
/* @text must live on; what the port has no room for follows when it asks for more. */
void fake_char_type(struct fixture *f, const char *text);
void fake_char_break(struct fixture *f);
/* Everything sent since the last call. */
void fake_char_expect(struct fixture *f, const char *text);

#endif
