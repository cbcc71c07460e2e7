/* SPDX-License-Identifier: Apache-2.0 */
/* Character back ends, with a model that records what arrives. */
#include "fixture.h"

#include "dev/backend.h"
#include "dev/backend/char-io.h"
#include "host/clock.h"
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct component char_file_component, char_null_component, char_pty_component,
	char_socket_component, char_stdio_component;

enum { WAIT_MS = 2000, GOT_MAX = 16384, BIG = CHAR_QUEUE_SIZE + (4 << 20) };

/* ---- the model ---- */

struct model {
	struct dev dev;
	size_t room; /* what it can take now */
	size_t got_len;
	char got[GOT_MAX];
	unsigned breaks;
};

static size_t can_receive(struct dev *d)
{
	return ((struct model *)d)->room;
}

static void receive(struct dev *d, const uint8_t *data, size_t len)
{
	struct model *m = (struct model *)d;

	assert_true(len && len <= m->room);
	assert_true(len <= GOT_MAX - m->got_len);
	memcpy(m->got + m->got_len, data, len);
	m->got_len += len;
	m->room -= len;
}

static void on_break(struct dev *d)
{
	((struct model *)d)->breaks++;
}

static const struct backend_char_ops *ops_of(struct dev *be)
{
	return be->c->backend_ops;
}

static int model_init(struct dev *d, struct err *e)
{
	struct char_client client = {
		.dev = d, .can_receive = can_receive, .receive = receive, .brk = on_break};

	((struct model *)d)->room = GOT_MAX;
	ops_of(d->backend)->attach(d->backend, &client);
	return 0;
}

static const struct component model_component = {
	.type = "MODEL", .size = sizeof(struct model), .init = model_init};

/* ---- the rig ---- */

struct rig {
	struct fixture f;
	struct model *m;
	char dir[64];
	char path[128]; /* in dir */
};

static void rig_make(struct rig *r)
{
	strcpy(r->dir, "/tmp/obverse-char-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->path, sizeof(r->path), "%s/line", r->dir);
	fixture_make(&r->f, &model_component, NULL);
	r->m = (struct model *)r->f.dev;
}

static void rig_backend(struct rig *r, const struct component *c, const char *prop,
			const char *prop2, const char *value2)
{
	const struct fixture_prop props[] = {{prop, r->path}, {prop2, value2}, {0}};

	fixture_backend(&r->f, c, props);
}

static void rig_start(struct rig *r, const struct component *c, const char *prop)
{
	rig_make(r);
	rig_backend(r, c, prop, NULL, NULL);
	assert_int_equal(fixture_start(&r->f), 0);
}

static void rig_drop(struct rig *r)
{
	fixture_drop(&r->f);
	unlink(r->path);
	assert_int_equal(rmdir(r->dir), 0);
}

static size_t out(struct rig *r, const void *data, size_t len)
{
	size_t n;

	dev_lock(r->f.dev);
	n = ops_of(r->f.backend)->write(r->f.backend, data, len);
	dev_unlock(r->f.dev);
	return n;
}

static void say(struct rig *r, const char *text)
{
	assert_int_equal(out(r, text, strlen(text)), strlen(text));
}

static void give_room(struct rig *r, size_t room)
{
	dev_lock(r->f.dev);
	r->m->room = room;
	ops_of(r->f.backend)->resume(r->f.backend);
	dev_unlock(r->f.dev);
}

struct want {
	struct rig *r;
	const char *text;
};

static bool has_got(void *opaque)
{
	struct want *w = opaque;

	return w->r->m->got_len >= strlen(w->text);
}

static void expect_input(struct rig *r, const char *text)
{
	struct want w = {r, text};

	fixture_run_until(&r->f, has_got, &w, WAIT_MS);
	assert_int_equal(r->m->got_len, strlen(text));
	assert_memory_equal(r->m->got, text, strlen(text));
	r->m->got_len = 0;
}

struct peer {
	int fd;
	size_t want, len;
	char *data;
	bool ended;
};

static bool peer_read(void *opaque)
{
	struct peer *p = opaque;
	ssize_t n = read(p->fd, p->data + p->len, p->want - p->len);

	if (n > 0)
		p->len += n;
	p->ended = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
	return p->ended || p->len == p->want;
}

/* Read exactly @want bytes from our end, serving the loop meanwhile. */
static char *peer_take(struct rig *r, int fd, size_t want)
{
	struct peer p = {.fd = fd, .want = want, .data = calloc(1, want + 1)};

	assert_non_null(p.data);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	fixture_run_until(&r->f, peer_read, &p, WAIT_MS);
	assert_int_equal(p.len, want);
	return p.data;
}

static void expect_output(struct rig *r, int fd, const char *text)
{
	char *got = peer_take(r, fd, strlen(text));

	assert_string_equal(got, text);
	free(got);
}

static void type(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* ---- file ---- */

static void expect_file(const char *path, const char *text)
{
	char got[256] = {0};
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_int_equal(fread(got, 1, sizeof(got) - 1, f), strlen(text));
	assert_string_equal(got, text);
	fclose(f);
}

static void run_file(struct rig *r, const char *append, const char *text)
{
	rig_backend(r, &char_file_component, "path", "append", append);
	assert_int_equal(fixture_start(&r->f), 0);
	say(r, text);
	fixture_drop(&r->f);
	fixture_make(&r->f, &model_component, NULL);
	r->m = (struct model *)r->f.dev;
}

static void test_file(void **state)
{
	struct rig r;

	rig_make(&r);
	run_file(&r, "false", "first");
	expect_file(r.path, "first");
	run_file(&r, "true", " second");
	expect_file(r.path, "first second");
	run_file(&r, "false", "3");
	expect_file(r.path, "3");
	rig_drop(&r);
}

static void test_file_refused(void **state)
{
	struct rig r;

	rig_make(&r);
	strcat(r.path, "/missing/file");
	rig_backend(&r, &char_file_component, "path", NULL, NULL);
	assert_int_equal(fixture_start(&r.f), -ENOENT);
	assert_non_null(strstr(r.f.err.items[0].text, "/missing/file"));
	rig_drop(&r);
}

/* ---- socket ---- */

static int dial(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	strcpy(a.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* Output is lost before the client has been accepted. */
static int dial_and_wait(struct rig *r)
{
	int fd = dial(r->path);

	fixture_run(&r->f, 5);
	return fd;
}

static void test_socket(void **state)
{
	struct rig r;
	int fd;

	rig_start(&r, &char_socket_component, "path");
	say(&r, "nobody hears");
	fd = dial_and_wait(&r);
	say(&r, "hello");
	expect_output(&r, fd, "hello");
	type(fd, "typed");
	expect_input(&r, "typed");
	close(fd);
	fixture_drop(&r.f);
	assert_int_equal(access(r.path, F_OK), -1);
	assert_int_equal(rmdir(r.dir), 0);
}

/* Neither loses nor repeats what a model cannot take at once. */
static void test_socket_flow(void **state)
{
	struct rig r;
	int fd;

	rig_start(&r, &char_socket_component, "path");
	r.m->room = 3;
	fd = dial(r.path);
	type(fd, "abcdefghij");
	fixture_run(&r.f, 5);
	expect_input(&r, "abc");
	give_room(&r, 1);
	expect_input(&r, "d");
	give_room(&r, 0);
	fixture_run(&r.f, 5);
	assert_int_equal(r.m->got_len, 0);
	give_room(&r, 100);
	expect_input(&r, "efghij");
	close(fd);
	rig_drop(&r);
}

/* A slow reader: the queue fills, the model is told, and all that was taken arrives. */
static void test_socket_slow(void **state)
{
	struct rig r;
	char *data = malloc(BIG), *got;
	size_t taken = 0, n;
	int fd;

	for (size_t i = 0; i < BIG; i++)
		data[i] = (char)(i * 7 + (i >> 8));
	rig_start(&r, &char_socket_component, "path");
	fd = dial_and_wait(&r);
	do {
		n = out(&r, data + taken, 100000);
		taken += n;
		assert_true(taken < BIG - 100000);
	} while (n == 100000);
	assert_int_equal(out(&r, data + taken, 10), 0);
	assert_true(taken >= CHAR_QUEUE_SIZE);
	got = peer_take(&r, fd, taken);
	assert_memory_equal(got, data, taken);
	assert_int_equal(out(&r, data, 10), 10);
	free(got);
	free(data);
	close(fd);
	rig_drop(&r);
}

static bool released(void *opaque)
{
	return !clock_held(opaque);
}

/* Where the machine has its own clock, it gets on as if the reader had no part in it: the clock stands still. */
static void test_slow_reader_holds_clock(void **state)
{
	struct virtual_clock clock = {.ns = 5};
	struct rig r;
	char *data = calloc(1, CHAR_QUEUE_SIZE);
	int fd;

	rig_make(&r);
	r.f.host.clock = &clock;
	rig_backend(&r, &char_socket_component, "path", NULL, NULL);
	assert_int_equal(fixture_start(&r.f), 0);
	fd = dial_and_wait(&r);
	assert_int_equal(out(&r, "x", 1), 1);
	assert_false(clock_held(&clock));
	clock.ns++;
	assert_int_equal(out(&r, data, CHAR_QUEUE_SIZE - 10), CHAR_QUEUE_SIZE - 10);
	assert_true(clock_held(&clock));
	assert_int_equal(out(&r, data, 20), 10); /* however much of it the socket took */
	type(fd, "abc");
	fixture_run(&r.f, 5);
	assert_int_equal(r.m->got_len, 0);
	free(peer_take(&r, fd, CHAR_QUEUE_SIZE + 1));
	fixture_run_until(&r.f, released, &clock, WAIT_MS);
	assert_false(clock_held(&clock));
	expect_input(&r, "abc");
	clock.ns++;
	assert_int_equal(out(&r, data, CHAR_QUEUE_SIZE), CHAR_QUEUE_SIZE);
	assert_true(clock_held(&clock));
	close(fd); /* nobody there to wait for */
	fixture_run_until(&r.f, released, &clock, WAIT_MS);
	assert_false(clock_held(&clock));
	free(data);
	rig_drop(&r);
}

/* One at a time: the second waits until the first has gone. */
static void test_socket_next(void **state)
{
	struct rig r;
	int first, second;

	rig_start(&r, &char_socket_component, "path");
	first = dial_and_wait(&r);
	second = dial_and_wait(&r);
	type(second, "2");
	say(&r, "one");
	expect_output(&r, first, "one");
	assert_int_equal(r.m->got_len, 0);
	close(first);
	expect_input(&r, "2");
	say(&r, "two");
	expect_output(&r, second, "two");
	close(second);
	rig_drop(&r);
}

/* A client that has gone does not block the line, even if the guest does not read what it typed. */
static void test_socket_unread(void **state)
{
	struct rig r;
	int fd;

	rig_start(&r, &char_socket_component, "path");
	r.m->room = 0;
	fd = dial_and_wait(&r);
	type(fd, "left ");
	close(fd);
	fixture_run(&r.f, 5);
	fd = dial_and_wait(&r);
	say(&r, "again");
	expect_output(&r, fd, "again");
	type(fd, "behind");
	fixture_run(&r.f, 5);
	give_room(&r, 100);
	expect_input(&r, "left behind");
	close(fd);
	rig_drop(&r);
}

/* echo text | nc -U: has nothing more to say, but listens. */
static void test_socket_half_closed(void **state)
{
	struct rig r;
	int fd;

	rig_start(&r, &char_socket_component, "path");
	fd = dial(r.path);
	type(fd, "text");
	shutdown(fd, SHUT_WR);
	expect_input(&r, "text");
	fixture_run(&r.f, 5);
	say(&r, "answer");
	expect_output(&r, fd, "answer");
	close(fd);
	fixture_run(&r.f, 5);
	fd = dial(r.path);
	type(fd, "next");
	expect_input(&r, "next");
	close(fd);
	rig_drop(&r);
}

/* Number of lines of a file. */
static unsigned line_count(const char *path)
{
	FILE *f = fopen(path, "r");
	unsigned n = 0;
	int c;

	assert_non_null(f);
	while ((c = fgetc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

/* Descriptors from the lowest free one on cannot be had; the limit that was. */
static struct rlimit no_descriptors(void)
{
	int lowest = dup(STDIN_FILENO);
	struct rlimit was, now;

	assert_true(lowest >= 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	now = was;
	now.rlim_cur = lowest;
	close(lowest);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	return was;
}

/* Without a descriptor for it the client waits; the loop does not spin, and it is said once. */
static void test_socket_no_descriptors(void **state)
{
	char log[] = "/tmp/obverse-char-log-XXXXXX";
	struct rlimit was;
	struct rig r;
	uint64_t cpu_ns;
	int fd;

	rig_start(&r, &char_socket_component, "path");
	close(mkstemp(log));
	assert_int_equal(log_open(log, NULL), 0);
	fd = dial(r.path);
	was = no_descriptors();
	cpu_ns = clock_cpu_ns();
	fixture_run(&r.f, 150);
	assert_true(clock_cpu_ns() - cpu_ns < 75 * NS_PER_S / 1000);
	fixture_run(&r.f, 450);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(log_open("/dev/stderr", NULL), 0);
	assert_int_equal(line_count(log), 1);
	unlink(log);
	type(fd, "at last");
	expect_input(&r, "at last");
	close(fd);
	rig_drop(&r);
}

static void test_socket_places(void **state)
{
	struct rig r, other;
	int fd;

	rig_make(&r); /* a file that is no socket stays */
	fd = open(r.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	type(fd, "precious");
	close(fd);
	rig_backend(&r, &char_socket_component, "path", NULL, NULL);
	assert_int_equal(fixture_start(&r.f), -EADDRINUSE);
	expect_file(r.path, "precious");
	rig_drop(&r);

	rig_start(&r, &char_socket_component, "path"); /* in use by another */
	rig_make(&other);
	rmdir(other.dir);
	strcpy(other.path, r.path);
	rig_backend(&other, &char_socket_component, "path", NULL, NULL);
	assert_int_equal(fixture_start(&other.f), -EADDRINUSE);
	fixture_drop(&other.f);
	fd = dial(r.path); /* and still there */
	close(fd);
	rig_drop(&r);

	rig_make(&r);
	memset(r.path + strlen(r.path), 'x', 110 - strlen(r.path));
	r.path[110] = '\0';
	rig_backend(&r, &char_socket_component, "path", NULL, NULL);
	assert_int_equal(fixture_start(&r.f), -ENAMETOOLONG);
	rig_drop(&r);
}

/* What a killed run left is replaced. */
static void test_socket_left_over(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int old = socket(AF_UNIX, SOCK_STREAM, 0);
	struct rig r;
	int fd;

	rig_make(&r);
	strcpy(a.sun_path, r.path);
	assert_int_equal(bind(old, (struct sockaddr *)&a, sizeof(a)), 0);
	close(old);
	rig_backend(&r, &char_socket_component, "path", NULL, NULL);
	assert_int_equal(fixture_start(&r.f), 0);
	fd = dial(r.path);
	type(fd, "x");
	expect_input(&r, "x");
	close(fd);
	rig_drop(&r);
}

/* ---- pty ---- */

static bool link_gone(const char *path)
{
	struct stat st;

	return lstat(path, &st) && errno == ENOENT;
}

static void test_pty(void **state)
{
	struct rig r;
	int fd;

	rig_start(&r, &char_pty_component, "link");
	say(&r, "nobody hears");
	fd = open(r.path, O_RDWR | O_NOCTTY);
	assert_true(fd >= 0);
	type(fd, "typed\r\x03");
	expect_input(&r, "typed\r\x03"); /* every byte as it is */
	say(&r, "out\n");
	expect_output(&r, fd, "out\n");
	close(fd);
	fixture_run(&r.f, 5);
	say(&r, "nobody hears");
	fd = open(r.path, O_RDWR | O_NOCTTY);
	type(fd, "again");
	expect_input(&r, "again");
	say(&r, "there");
	expect_output(&r, fd, "there");
	fixture_drop(&r.f);
	close(fd);
	assert_true(link_gone(r.path));
	assert_int_equal(rmdir(r.dir), 0);
}

/* echo text >PTY: gone before we look. */
static void test_pty_short_visit(void **state)
{
	struct rig r;
	int fd;

	rig_start(&r, &char_pty_component, "link");
	fd = open(r.path, O_RDWR | O_NOCTTY);
	type(fd, "short");
	close(fd);
	expect_input(&r, "short");
	rig_drop(&r);
}

static void test_pty_link(void **state)
{
	struct rig r;
	int fd;

	rig_make(&r);
	assert_int_equal(symlink("/nowhere", r.path), 0);
	rig_backend(&r, &char_pty_component, "link", NULL, NULL);
	assert_int_equal(fixture_start(&r.f), 0);
	fixture_drop(&r.f);
	assert_true(link_gone(r.path));
	rmdir(r.dir);

	rig_make(&r);
	fd = open(r.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	type(fd, "precious");
	close(fd);
	rig_backend(&r, &char_pty_component, "link", NULL, NULL);
	assert_int_equal(fixture_start(&r.f), -EEXIST);
	fixture_drop(&r.f);
	expect_file(r.path, "precious");
	unlink(r.path);
	rmdir(r.dir);
}

/* ---- stdio ---- */

struct terminal {
	int saved_in, saved_out;
	int in, out; /* our ends: what the user types, what the user sees */
	struct termios before;
};

static void replace_stdio(struct terminal *t, int in, int out_fd)
{
	fflush(stdout);
	t->saved_in = dup(STDIN_FILENO);
	t->saved_out = dup(STDOUT_FILENO);
	dup2(in, STDIN_FILENO);
	dup2(out_fd, STDOUT_FILENO);
	close(in);
	if (out_fd != in)
		close(out_fd);
}

static void terminal_open(struct terminal *t)
{
	int slave;

	assert_int_equal(openpty(&t->in, &slave, NULL, NULL, NULL), 0);
	t->out = t->in;
	assert_int_equal(tcgetattr(slave, &t->before), 0);
	replace_stdio(t, slave, slave);
}

static void terminal_close(struct terminal *t)
{
	dup2(t->saved_in, STDIN_FILENO);
	dup2(t->saved_out, STDOUT_FILENO);
	close(t->saved_in);
	close(t->saved_out);
	close(t->in);
	if (t->out != t->in)
		close(t->out);
}

static char monitor_got[1024];

static void monitor(void *opaque, const char *line, int fd)
{
	strcat(monitor_got, line);
	strcat(monitor_got, ";");
	type(fd, "fine\n");
}

static void stdio_start(struct rig *r)
{
	rig_make(r);
	monitor_got[0] = '\0';
	r->f.host.monitor = monitor;
	fixture_backend(&r->f, &char_stdio_component, NULL);
	assert_int_equal(fixture_start(&r->f), 0);
	r->f.backend->c->running(r->f.backend, true);
}

static void stdio_stop(struct rig *r)
{
	r->f.backend->c->running(r->f.backend, false);
	rig_drop(r);
}

static void test_terminal_keys(void **state)
{
	struct terminal t;
	struct termios now;
	struct rig r;

	terminal_open(&t);
	stdio_start(&r);
	type(t.in, "a\x03\x01\x01"
		   "b\x01z\r");
	expect_input(&r, "a\x03\x01"
			 "b\r"); /* Ctrl-C is the guest's; an unknown command is dropped */
	type(t.in, "\x01"
		   "b");
	fixture_run(&r.f, 5);
	assert_int_equal(r.m->breaks, 1);
	say(&r, "raw\n");
	expect_output(&r, t.out, "raw\n");
	r.m->room = 0; /* commands are heard even while the guest does not read */
	type(t.in, "lost? ");
	type(t.in, "\x01x");
	fixture_run(&r.f, 5);
	assert_int_equal(r.f.power_offs, 1);
	give_room(&r, 100);
	expect_input(&r, "lost? ");
	r.f.backend->c->running(r.f.backend, false);
	assert_int_equal(tcgetattr(STDIN_FILENO, &now), 0);
	assert_int_equal(now.c_lflag, t.before.c_lflag);
	assert_int_equal(now.c_oflag, t.before.c_oflag);
	assert_int_equal(now.c_iflag, t.before.c_iflag);
	rig_drop(&r);
	assert_false(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK);
	terminal_close(&t);
}

static bool is_raw(void)
{
	struct termios now;

	return !tcgetattr(STDIN_FILENO, &now) && !(now.c_lflag & (ICANON | ECHO));
}

/* A write to what may only be looked at: a fault of the processor's, not of kill(). */
static void fault(void)
{
	char *p = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*(volatile char *)p = 1;
}

/* In a process of its own; does not return. */
static void die_raw(int sig, bool faulting)
{
	struct rlimit none = {0};
	struct rig r;

	setrlimit(RLIMIT_CORE, &none);
	signal(sig, SIG_DFL); /* the sanitizer's handler would end the process its own way */
	stdio_start(&r);
	if (!is_raw() || rmdir(r.dir))
		_exit(1);
	if (faulting)
		fault();
	else if (sig == SIGABRT)
		abort();
	else
		raise(sig);
	_exit(2);
}

/* The terminal is as it was, and the signal has had its usual effect. */
static void test_terminal_killed(void **state)
{
	static const struct {
		int sig;
		bool faulting;
	} ways[] = {{SIGABRT, false}, {SIGSEGV, true}, {SIGSEGV, false}, {SIGTRAP, false}};
	struct terminal t;
	struct termios now;

	terminal_open(&t);
	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		pid_t child = fork();
		int status = 0;

		if (!child)
			die_raw(ways[i].sig, ways[i].faulting);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), ways[i].sig);
		assert_int_equal(tcgetattr(STDIN_FILENO, &now), 0);
		assert_int_equal(now.c_lflag, t.before.c_lflag);
		assert_int_equal(now.c_iflag, t.before.c_iflag);
	}
	terminal_close(&t);
}

/* Handlers of others are there again afterwards; what is ignored stays so. */
static void test_terminal_handlers(void **state)
{
	struct sigaction before, now;
	struct terminal t;
	struct rig r;

	terminal_open(&t);
	signal(SIGQUIT, SIG_IGN);
	sigaction(SIGSEGV, NULL, &before);
	stdio_start(&r);
	sigaction(SIGSEGV, NULL, &now);
	assert_ptr_not_equal(now.sa_sigaction, before.sa_sigaction);
	raise(SIGQUIT);
	assert_true(is_raw());
	stdio_stop(&r);
	sigaction(SIGSEGV, NULL, &now);
	assert_ptr_equal(now.sa_sigaction, before.sa_sigaction);
	signal(SIGQUIT, SIG_DFL);
	terminal_close(&t);
}

static void test_terminal_monitor(void **state)
{
	struct terminal t;
	struct rig r;

	terminal_open(&t);
	stdio_start(&r);
	type(t.in, "\x01"
		   "cinfx\x7fo\rsecond\r");
	expect_output(&r, t.out,
		      "\r\n(obverse) infx\b \bo\r\nsecond\r\nfine\r\nfine\r\n(obverse) ");
	assert_string_equal(monitor_got, "info;second;");
	type(t.in, "\x01"
		   "cguest");
	expect_input(&r, "guest");
	assert_string_equal(monitor_got, "info;second;");
	stdio_stop(&r);
	terminal_close(&t);
}

/* Longer lines than fit, more input than the guest reads. */
static void test_terminal_flood(void **state)
{
	struct terminal t;
	struct rig r;
	char text[1024];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	terminal_open(&t);
	stdio_start(&r);
	type(t.in, "\x01"
		   "c");
	type(t.in, text);
	type(t.in, "\r\x01"
		   "c");
	fixture_run(&r.f, 20);
	assert_int_equal(strlen(monitor_got), 256);
	r.m->room = 0;
	for (unsigned i = 0; i < 10; i++) {
		type(t.in, text);
		fixture_run(&r.f, 10);
	}
	r.m->got_len = 0;
	give_room(&r, GOT_MAX);
	assert_int_equal(r.m->got_len, CHAR_PENDING_MAX);
	stdio_stop(&r);
	terminal_close(&t);
}

/* Pipes and files: no commands, the end of input is no event, nothing is lost at the end. */
static void test_stdio_pipe(void **state)
{
	char big[100000], got[4096];
	int in[2], output[2];
	struct terminal t;
	size_t seen = 0;
	struct rig r;
	ssize_t n;
	int status = -1;
	pid_t child;

	assert_int_equal(pipe(in) | pipe(output), 0);
	replace_stdio(&t, in[0], output[1]);
	t.in = in[1];
	t.out = output[0];
	stdio_start(&r);
	type(t.in, "\x01xtext");
	expect_input(&r, "\x01xtext");
	close(t.in);
	fixture_run(&r.f, 5);
	assert_int_equal(r.f.power_offs, 0);
	memset(big, 'o', sizeof(big)); /* more than a pipe holds */
	assert_int_equal(out(&r, big, 60000), 60000);
	assert_int_equal(out(&r, big, 40000), 40000);
	child = fork();
	if (!child) {
		while (seen < sizeof(big) && (n = read(t.out, got, sizeof(got))) > 0)
			seen += n;
		_exit(seen == sizeof(big) ? 0 : 1);
	}
	stdio_stop(&r); /* drains */
	t.in = open("/dev/null", O_RDONLY);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	terminal_close(&t);
}

static void test_stdio_dev_null(void **state)
{
	struct terminal t;
	struct rig r;

	t.in = open("/dev/null", O_RDWR);
	t.out = dup(t.in);
	replace_stdio(&t, dup(t.in), dup(t.in));
	stdio_start(&r);
	say(&r, "unheard");
	fixture_run(&r.f, 5);
	stdio_stop(&r);
	terminal_close(&t);
}

static void test_null(void **state)
{
	struct rig r;

	rig_make(&r);
	fixture_backend(&r.f, &char_null_component, NULL);
	assert_int_equal(fixture_start(&r.f), 0);
	say(&r, "unheard");
	give_room(&r, 1);
	rig_drop(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_file_refused),
		cmocka_unit_test(test_socket),
		cmocka_unit_test(test_socket_flow),
		cmocka_unit_test(test_socket_slow),
		cmocka_unit_test(test_slow_reader_holds_clock),
		cmocka_unit_test(test_socket_next),
		cmocka_unit_test(test_socket_unread),
		cmocka_unit_test(test_socket_half_closed),
		cmocka_unit_test(test_socket_no_descriptors),
		cmocka_unit_test(test_socket_places),
		cmocka_unit_test(test_socket_left_over),
		cmocka_unit_test(test_pty),
		cmocka_unit_test(test_pty_short_visit),
		cmocka_unit_test(test_pty_link),
		cmocka_unit_test(test_terminal_keys),
		cmocka_unit_test(test_terminal_killed),
		cmocka_unit_test(test_terminal_handlers),
		cmocka_unit_test(test_terminal_monitor),
		cmocka_unit_test(test_terminal_flood),
		cmocka_unit_test(test_stdio_pipe),
		cmocka_unit_test(test_stdio_dev_null),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
