/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostic log with channels (log.def). Thread-safe; a disabled channel costs one load.
 * Lines go to stderr, or to the file given by log_open().
 */
#ifndef UTIL_LOG_H
#define UTIL_LOG_H

#include <stdbool.h>

enum log_channel {
#define LOG_CHANNEL(name, on, help) LOG_##name,
#include "util/log.def"
#undef LOG_CHANNEL
	LOG_CHANNEL_COUNT
};

extern bool log_enabled[LOG_CHANNEL_COUNT];

struct err;

/* One line (no newline at its end needed) on a channel: LOG(irq, "SPI %u raised", n). */
#define LOG(chan, ...)                                                                             \
	do {                                                                                       \
		if (__builtin_expect(log_enabled[LOG_##chan], 0))                                  \
			log_write(LOG_##chan, __VA_ARGS__);                                        \
	} while (0)

/* The guest broke a rule; @who is the component's or PE's name (a const char *). */
#define guest_error(who, fmt, ...) LOG(guest_error, "%s: " fmt, (who), ##__VA_ARGS__)
/* The guest asked for something that is not modelled. */
#define guest_unimp(who, fmt, ...) LOG(unimp, "%s: " fmt, (who), ##__VA_ARGS__)

void log_write(enum log_channel chan, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Enable the channels of a comma-separated list; "all" and "-name" are understood.
 * An unknown name is put on @e and -EINVAL returned. */
int log_set(const char *list, struct err *e);

/* Send the log to @path instead of stderr. */
int log_open(const char *path, struct err *e);

const char *log_channel_name(enum log_channel chan);
const char *log_channel_help(enum log_channel chan);

#endif
