/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal Obverse was started on, or its standard input and output if they are pipes or files.
 *
 * On a terminal the guest gets every key; Ctrl-A begins a command of ours, with the letters that QEMU's
 * users know. The terminal's settings are restored by fini(), or by whatever kills the process.
 */
#include "dev/backend/char-io.h"

#include "host/terminal.h"
#include "util/buf.h"
#include "util/err.h"

#include <errno.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { CTRL_A = 1, BACKSPACE = 8, DELETE = 127, DRAIN_MS = 2000, LINE_MAX_LEN = 256 };

struct char_stdio {
	struct dev dev;
	struct char_io io;
	bool raw;
	struct termios saved;
	bool escaped;		 /* Ctrl-A has been typed */
	bool monitor;		 /* keys go to the monitor's line */
	char line[LINE_MAX_LEN]; /* being typed */
	size_t line_len;
	struct buf lines; /* typed, each with its NUL; the loop's thread only */
};

static void say(struct char_stdio *s, const char *text)
{
	char_io_write(&s->io, (const uint8_t *)text, strlen(text));
}

static const char help[] = "\r\n"
			   "Ctrl-A h    this help\r\n"
			   "Ctrl-A x    end Obverse\r\n"
			   "Ctrl-A c    switch between the guest and the monitor\r\n"
			   "Ctrl-A b    send a break\r\n"
			   "Ctrl-A Ctrl-A    send Ctrl-A\r\n";

/* ---- monitor ---- */

static void prompt(struct char_stdio *s)
{
	say(s, "(obverse) ");
}

static void toggle_monitor(struct char_stdio *s)
{
	s->monitor = !s->monitor && s->dev.host->monitor;
	s->line_len = 0;
	say(s, "\r\n");
	if (s->monitor)
		prompt(s);
}

/* The monitor's answers have plain newlines. */
static void set_output_processing(const struct char_stdio *s, bool on)
{
	struct termios t = s->saved;

	cfmakeraw(&t);
	if (on)
		t.c_oflag = s->saved.c_oflag;
	if (s->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &t);
}

/* Lines are executed in a call of their own, since the model's lock is held while keys arrive. */
static void run_lines(void *opaque)
{
	struct char_stdio *s = opaque;
	struct buf lines = s->lines;

	s->lines = (struct buf)BUF_INIT;
	if (!lines.len) /* an earlier call did them all */
		return;
	char_io_drain(&s->io, DRAIN_MS);
	set_output_processing(s, true);
	for (size_t at = 0; at < lines.len; at += strlen(lines.data + at) + 1)
		s->dev.host->monitor(s->dev.host->opaque, lines.data + at, STDOUT_FILENO);
	set_output_processing(s, false);
	buf_free(&lines);
	if (s->monitor)
		prompt(s);
}

static void end_line(struct char_stdio *s)
{
	s->line[s->line_len] = '\0';
	buf_add(&s->lines, s->line, s->line_len + 1);
	s->line_len = 0;
	say(s, "\r\n");
	loop_defer(s->dev.host->loop, run_lines, s);
}

static void monitor_key(struct char_stdio *s, uint8_t c)
{
	char echo[2] = {(char)c, 0};

	if (c == '\r' || c == '\n') {
		end_line(s);
	} else if (c == BACKSPACE || c == DELETE) {
		if (s->line_len) {
			s->line_len--;
			say(s, "\b \b");
		}
	} else if (c >= ' ' && c < DELETE && s->line_len < LINE_MAX_LEN - 1) {
		s->line[s->line_len++] = (char)c;
		say(s, echo);
	}
}

/* ---- keys ---- */

/* A key after Ctrl-A. True: it is for the guest after all. */
static bool command_key(struct char_stdio *s, uint8_t c)
{
	const struct dev_host *host = s->dev.host;

	switch (c) {
	case CTRL_A:
		return true;
	case 'x':
	case 'X':
		say(s, "\r\nobverse: ended by the user\r\n");
		host->power_off(host->opaque, "user quit");
		return false;
	case 'c':
	case 'C':
		toggle_monitor(s);
		return false;
	case 'b':
	case 'B':
		if (s->io.client.brk)
			s->io.client.brk(s->io.client.dev);
		return false;
	case 'h':
	case 'H':
	case '?':
		say(s, help);
		return false;
	default:
		return false;
	}
}

static size_t stdio_filter(struct dev *be, uint8_t *data, size_t len)
{
	struct char_stdio *s = (struct char_stdio *)be;
	size_t out = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = data[i];

		if (s->escaped) {
			s->escaped = false;
			if (!command_key(s, c))
				continue;
		} else if (c == CTRL_A) {
			s->escaped = true;
			continue;
		}
		if (s->monitor)
			monitor_key(s, c);
		else
			data[out++] = c;
	}
	return out;
}

/* ---- back end ---- */

static void stdio_attach(struct dev *be, const struct char_client *client)
{
	char_io_attach(&((struct char_stdio *)be)->io, client);
}

static size_t stdio_write(struct dev *be, const uint8_t *data, size_t len)
{
	return char_io_write(&((struct char_stdio *)be)->io, data, len);
}

static void stdio_resume(struct dev *be)
{
	char_io_resume(&((struct char_stdio *)be)->io);
}

static void stdio_running(struct dev *d, bool run)
{
	struct char_stdio *s = (struct char_stdio *)d;
	struct termios t;

	if (run && isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &s->saved)) {
		t = s->saved;
		cfmakeraw(&t);
		terminal_guard(STDIN_FILENO, &s->saved);
		s->raw = !tcsetattr(STDIN_FILENO, TCSANOW, &t);
		s->io.filter = s->raw ? stdio_filter : NULL;
	} else if (!run && s->raw) {
		tcsetattr(STDIN_FILENO, TCSANOW, &s->saved);
		terminal_unguard();
		s->raw = false;
	}
}

static int stdio_init(struct dev *d, struct err *e)
{
	struct char_stdio *s = (struct char_stdio *)d;

	char_io_init(&s->io, d);
	char_io_open(&s->io, STDIN_FILENO, STDOUT_FILENO);
	return 0;
}

static void stdio_fini(struct dev *d)
{
	struct char_stdio *s = (struct char_stdio *)d;

	char_io_drain(&s->io, DRAIN_MS);
	char_io_fini(&s->io);
	buf_free(&s->lines);
	stdio_running(d, false);
	/* Descriptors are shared with whoever started us: leave them as they usually are. */
	char_io_blocking(STDIN_FILENO);
	char_io_blocking(STDOUT_FILENO);
}

static const struct backend_char_ops stdio_ops = {
	.attach = stdio_attach, .write = stdio_write, .resume = stdio_resume};

const struct component char_stdio_component = {
	.type = "stdio",
	.doc = "the terminal Obverse runs on",
	.cls = DEV_BACKEND,
	.size = sizeof(struct char_stdio),
	.backend = BACKEND_CHAR,
	.backend_ops = &stdio_ops,
	.exclusive = true,
	.init = stdio_init,
	.fini = stdio_fini,
	.running = stdio_running,
};
