/* SPDX-License-Identifier: Apache-2.0 */
#include "util/log.h"

#include "util/bits.h"
#include "util/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

bool log_enabled[LOG_CHANNEL_COUNT] = {
#define LOG_CHANNEL(name, on, help) on,
#include "util/log.def"
#undef LOG_CHANNEL
};

static const struct {
	const char *name, *help;
} channels[LOG_CHANNEL_COUNT] = {
#define LOG_CHANNEL(name, on, help) {#name, help},
#include "util/log.def"
#undef LOG_CHANNEL
};

static FILE *target; /* NULL: stderr. Set before threads exist. */

const char *log_channel_name(enum log_channel chan)
{
	return channels[chan].name;
}

const char *log_channel_help(enum log_channel chan)
{
	return channels[chan].help;
}

void log_write(enum log_channel chan, const char *fmt, ...)
{
	char line[512];
	struct timespec t;
	size_t n;
	va_list ap;

	clock_gettime(CLOCK_MONOTONIC, &t);
	n = snprintf(line, sizeof(line), "[%5lld.%06ld] %s: ", (long long)t.tv_sec,
		     t.tv_nsec / 1000, channels[chan].name);
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	if (line[n - 1] != '\n')
		line[n++] = '\n';
	/* One call: lines of several threads do not mix. */
	fwrite(line, 1, n, target ? target : stderr);
	fflush(target ? target : stderr);
}

static void set_all(bool on)
{
	for (unsigned i = 0; i < LOG_CHANNEL_COUNT; i++)
		log_enabled[i] = on;
}

static int set_one(const char *name, size_t len, struct err *e)
{
	bool on = *name != '-';
	int r;

	if (!on) {
		name++;
		len--;
	}
	if (len == 3 && !strncmp(name, "all", 3)) {
		set_all(on);
		return 0;
	}
	for (unsigned i = 0; i < LOG_CHANNEL_COUNT; i++) {
		if (strlen(channels[i].name) == len && !strncmp(channels[i].name, name, len)) {
			log_enabled[i] = on;
			return 0;
		}
	}
	r = err_set(e, -EINVAL, "--log", "there is no log channel \"%.*s\"", (int)len, name);
	err_hint(e, "`obverse list log` shows the channels; \"all\" means all of them");
	return r;
}

int log_set(const char *list, struct err *e)
{
	int result = 0;

	while (*list) {
		size_t len = strcspn(list, ",");
		int r = len ? set_one(list, len, e) : 0;

		result = result ? result : r;
		list += len + (list[len] == ',');
	}
	return result;
}

int log_open(const char *path, struct err *e)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return err_set(e, -errno, "--log-file", "cannot write %s: %s", path,
			       strerror(errno));
	if (target)
		fclose(target);
	target = f;
	return 0;
}
