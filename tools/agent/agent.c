/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first process of the Arm host that tools/armhost boots. It mounts what programs expect,
 * loads the modules of /modules/order, shares directories by 9p as told by /etc/armhost and then
 * runs commands, one connection each, in a process of its own (see serve()).
 *
 * Wire format, both ways: type (1 byte), length (4 bytes, little endian), payload. The client
 * starts with the 64 characters of the token and a START frame.
 *   to the agent:   S start, i standard input, e its end, s signal (1 byte), w rows and columns
 *   to the client:  r ready, o standard output, 2 standard error, a input taken (u32),
 *                   x ended (u32: wait status)
 * The client may have INPUT_WINDOW bytes of input outstanding, so that signals never wait behind
 * input that the command does not read.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORT 5600
#define TOKEN_LEN 64
#define INPUT_WINDOW (256 * 1024)
#define CHUNK (64 * 1024)
#define OUT_LIMIT (512 * 1024)
#define START_MAX (4 * 1024 * 1024)
#define HEADER 5

static void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("armhost-agent: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputs("\n", stderr);
	va_end(ap);
	if (getpid() == 1)
		reboot(RB_POWER_OFF);
	_exit(1);
}

/* ---- setting up the host ------------------------------------------------------------------ */

static void make_dirs(const char *path)
{
	char buf[PATH_MAX];
	char *p;

	snprintf(buf, sizeof(buf), "%s", path);
	for (p = buf + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		mkdir(buf, 0755);
		*p = '/';
	}
	mkdir(buf, 0755);
}

static void mount_or_die(const char *what, const char *where, const char *type,
			 unsigned long flags, const char *data)
{
	make_dirs(where);
	if (mount(what, where, type, flags, data))
		die("mount %s (%s) on %s: %s", what, type, where, strerror(errno));
}

static void mount_system(void)
{
	mount_or_die("proc", "/proc", "proc", 0, "");
	mount_or_die("sysfs", "/sys", "sysfs", 0, "");
	mount_or_die("dev", "/dev", "devtmpfs", 0, "");
	mount_or_die("devpts", "/dev/pts", "devpts", 0, "ptmxmode=0666,mode=0620,gid=5");
	mount_or_die("shm", "/dev/shm", "tmpfs", 0, "mode=1777");
	mount_or_die("tmp", "/tmp", "tmpfs", 0, "mode=1777");
	mount_or_die("run", "/run", "tmpfs", 0, "mode=0755");
	if (symlink("/proc/self/fd", "/dev/fd") || symlink("/proc/self/fd/0", "/dev/stdin") ||
	    symlink("/proc/self/fd/1", "/dev/stdout") || symlink("/proc/self/fd/2", "/dev/stderr"))
		fprintf(stderr, "armhost-agent: /dev/fd: %s\n", strerror(errno));
}

static void load_modules(void)
{
	char line[PATH_MAX];
	FILE *f = fopen("/modules/order", "re");

	while (f && fgets(line, sizeof(line), f)) {
		int fd;

		line[strcspn(line, "\n")] = 0;
		fd = open(line, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0)) {
			if (errno != EEXIST)
				fprintf(stderr, "armhost-agent: %s: %s\n", line, strerror(errno));
		}
		if (fd >= 0)
			close(fd);
		unlink(line);
	}
	if (f)
		fclose(f);
}

static void interface_up(int s, const char *name, const char *address)
{
	struct ifreq r = { 0 };
	struct sockaddr_in a = { .sin_family = AF_INET };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	inet_pton(AF_INET, address, &a.sin_addr);
	memcpy(&r.ifr_addr, &a, sizeof(a));
	if (ioctl(s, SIOCSIFADDR, &r))
		die("%s: cannot set the address: %s", name, strerror(errno));
	inet_pton(AF_INET, name[0] == 'l' ? "255.0.0.0" : "255.255.255.0", &a.sin_addr);
	memcpy(&r.ifr_netmask, &a, sizeof(a));
	ioctl(s, SIOCSIFNETMASK, &r);
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(s, SIOCSIFFLAGS, &r))
		die("%s: cannot start: %s", name, strerror(errno));
}

/* Returns the listening socket. */
static int start_network(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct sockaddr_in gw = { .sin_family = AF_INET, .sin_port = htons(9) };
	int u = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	interface_up(u, "lo", "127.0.0.1");
	interface_up(u, "eth0", "10.0.2.15");
	inet_pton(AF_INET, "10.0.2.2", &gw.sin_addr);
	/* Something has to be sent before the other side knows our hardware address. */
	sendto(u, "", 1, 0, (struct sockaddr *)&gw, sizeof(gw));
	close(u);
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	inet_pton(AF_INET, "10.0.2.15", &a.sin_addr);
	if (bind(s, (struct sockaddr *)&a, sizeof(a)) || listen(s, 64))
		die("cannot listen: %s", strerror(errno));
	return s;
}

static char *state_dir;
static char token[TOKEN_LEN + 1];

/* Lines of /etc/armhost: "share TAG OPTIONS PATH", "state PATH". */
static void mount_shares(void)
{
	char line[PATH_MAX * 2], tag[64], options[256], data[512];
	FILE *f = fopen("/etc/armhost", "re");

	if (!f)
		die("/etc/armhost: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		int at = 0;

		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, "state ", 6)) {
			state_dir = strdup(line + 6);
		} else if (sscanf(line, "share %63s %255s %n", tag, options, &at) == 2) {
			snprintf(data, sizeof(data), "trans=virtio,version=9p2000.L,msize=512000,%s",
				 options);
			mount_or_die(tag, line + at, "9p", 0, data);
		}
	}
	fclose(f);
}

static void read_token(void)
{
	char path[PATH_MAX + 16];
	FILE *f;

	if (!state_dir)
		die("/etc/armhost: no state directory");
	snprintf(path, sizeof(path), "%s/token", state_dir);
	f = fopen(path, "re");
	if (!f || fread(token, 1, TOKEN_LEN, f) != TOKEN_LEN)
		die("%s: no token", path);
	fclose(f);
}

static void tell_ready(void)
{
	char path[PATH_MAX + 16];
	int fd;

	snprintf(path, sizeof(path), "%s/ready", state_dir);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

/* ---- one command -------------------------------------------------------------------------- */

struct command {
	char *cwd, **env, **argv;
	unsigned int tty;	/* bit n: descriptor n is the pseudo terminal; 0, 3 or 7 */
	struct winsize size;
	mode_t mask;
};

struct session {
	int sock, signals;
	int in, out[2];		/* our ends; -1 when closed; out[]: standard output and error */
	int master;		/* of the pseudo terminal, or -1 */
	pid_t pid;
	int status;
	bool ended, gone, in_eof;	/* command ended; client gone; no further input */
	uint8_t *head;			/* frame being received */
	size_t head_len, head_size;
	uint8_t input[INPUT_WINDOW];
	size_t in_start, in_len;
	uint8_t *output;
	size_t out_start, out_len;
};

static void put_u32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t get_u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

#define OUT_SIZE (OUT_LIMIT + 4 * (CHUNK + HEADER) + 4096)

static uint8_t *out_room(struct session *s, size_t len)
{
	if (s->out_start && s->out_start + s->out_len + len > OUT_SIZE) {
		memmove(s->output, s->output + s->out_start, s->out_len);
		s->out_start = 0;
	}
	if (s->out_len + len > OUT_SIZE)
		return NULL;
	return s->output + s->out_start + s->out_len;
}

static void queue_frame(struct session *s, char type, const void *data, uint32_t len)
{
	uint8_t *p = out_room(s, HEADER + len);

	if (!p)
		return;
	p[0] = (uint8_t)type;
	put_u32(p + 1, len);
	memcpy(p + HEADER, data, len);
	s->out_len += HEADER + len;
}

static void queue_u32(struct session *s, char type, uint32_t value)
{
	uint8_t b[4];

	put_u32(b, value);
	queue_frame(s, type, b, 4);
}

static void flush_output(struct session *s)
{
	while (s->out_len && !s->gone) {
		ssize_t n = send(s->sock, s->output + s->out_start, s->out_len,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			s->gone = true;
			return;
		}
		s->out_start += (size_t)n;
		s->out_len -= (size_t)n;
	}
	if (!s->out_len)
		s->out_start = 0;
}

/* Reads exactly len bytes; only before the command runs. */
static void read_all(int fd, void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len) {
		ssize_t n = recv(fd, p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(1);
		p += n;
		len -= (size_t)n;
	}
}

static void set_clock(const char *text)
{
	struct timespec now, want = { .tv_sec = atoll(text) };

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec < want.tv_sec - 1 || now.tv_sec > want.tv_sec + 1)
		clock_settime(CLOCK_REALTIME, &want);
}

/* The START frame: settings, an empty string, environment, an empty string, arguments. */
static void parse_start(struct command *c, char *p, size_t len)
{
	char *end = p + len;
	size_t n = 0;

	c->env = calloc(len + 1, sizeof(char *));
	c->argv = calloc(len + 1, sizeof(char *));
	if (!len || end[-1] || !c->env || !c->argv)
		_exit(1);
	for (; p < end && *p; p += strlen(p) + 1) {
		if (!strncmp(p, "cwd=", 4))
			c->cwd = p + 4;
		else if (!strncmp(p, "tty=", 4))
			c->tty = (unsigned int)atoi(p + 4);
		else if (!strncmp(p, "rows=", 5))
			c->size.ws_row = (unsigned short)atoi(p + 5);
		else if (!strncmp(p, "cols=", 5))
			c->size.ws_col = (unsigned short)atoi(p + 5);
		else if (!strncmp(p, "umask=", 6))
			c->mask = (mode_t)atoi(p + 6);
		else if (!strncmp(p, "time=", 5))
			set_clock(p + 5);
	}
	for (p++; p < end && *p; p += strlen(p) + 1)
		c->env[n++] = p;
	for (n = 0, p++; p < end; p += strlen(p) + 1)
		c->argv[n++] = p;
	if (!n)
		_exit(1);
}

static void __attribute__((noreturn)) run_child(struct command *c, const int fds[3], int slave)
{
	sigset_t none;
	int fd, err;

	setsid();
	if (slave >= 0)
		ioctl(slave, TIOCSCTTY, 0);
	for (int i = 0; i < 3; i++)
		dup2(fds[i], i);
	syscall(SYS_close_range, 3, ~0U, 0);
	for (int i = 1; i < 65; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	fd = open("/proc/self/oom_score_adj", O_WRONLY);
	if (fd >= 0) {
		if (write(fd, "0", 1) != 1)
			fprintf(stderr, "armhost: oom_score_adj: %s\n", strerror(errno));
		close(fd);
	}
	umask(c->mask);
	if (chdir(c->cwd ? c->cwd : "/")) {
		fprintf(stderr, "armhost: %s: %s\n", c->cwd, strerror(errno));
		_exit(126);
	}
	environ = c->env;
	execvp(c->argv[0], c->argv);
	err = errno;
	fprintf(stderr, "armhost: %s: %s\n", c->argv[0], strerror(err));
	_exit(err == ENOENT ? 127 : 126);
}

static void start_command(struct session *s, struct command *c)
{
	int slave = -1, fds[3], theirs[3], p[2];

	s->master = -1;
	if (c->tty && openpty(&s->master, &slave, NULL, NULL, &c->size))
		die("openpty: %s", strerror(errno));
	for (int i = 0; i < 3; i++) {
		if (c->tty & (1U << i)) {
			theirs[i] = slave;
			fds[i] = s->master;
			continue;
		}
		if (pipe2(p, O_CLOEXEC))
			die("pipe: %s", strerror(errno));
		theirs[i] = i ? p[1] : p[0];
		fds[i] = i ? p[0] : p[1];
		fcntl(fds[i], F_SETPIPE_SZ, 256 * 1024);
	}
	s->pid = fork();
	if (s->pid < 0)
		die("fork: %s", strerror(errno));
	if (!s->pid)
		run_child(c, theirs, slave);
	for (int i = 0; i < 3; i++) {
		if (!(c->tty & (1U << i)))
			close(theirs[i]);
		fcntl(fds[i], F_SETFL, O_NONBLOCK);
	}
	if (slave >= 0)
		close(slave);
	s->in = fds[0];
	s->out[0] = fds[1];
	s->out[1] = c->tty & 4 ? -1 : fds[2];
}

static void signal_command(struct session *s, int sig)
{
	pid_t group = s->master >= 0 ? tcgetpgrp(s->master) : -1;

	if (s->ended)
		return;
	if (group > 0 && group != s->pid)
		kill(-group, sig);
	if (kill(-s->pid, sig))
		kill(s->pid, sig);
}

static void take_frame(struct session *s, char type, const uint8_t *data, size_t len)
{
	struct winsize size = { 0 };

	switch (type) {
	case 'i':
		if (len > sizeof(s->input) - s->in_len) {
			s->gone = true;
			return;
		}
		if (s->in < 0 || s->in_eof) {
			queue_u32(s, 'a', (uint32_t)len);
			return;
		}
		memmove(s->input, s->input + s->in_start, s->in_len);
		s->in_start = 0;
		memcpy(s->input + s->in_len, data, len);
		s->in_len += len;
		break;
	case 'e':
		s->in_eof = true;
		break;
	case 's':
		if (len == 1)
			signal_command(s, data[0]);
		break;
	case 'w':
		if (len == 4 && s->master >= 0) {
			size.ws_row = (unsigned short)(data[0] | data[1] << 8);
			size.ws_col = (unsigned short)(data[2] | data[3] << 8);
			ioctl(s->master, TIOCSWINSZ, &size);
		}
		break;
	default:
		s->gone = true;
	}
}

static void receive(struct session *s)
{
	ssize_t n = recv(s->sock, s->head + s->head_len, s->head_size - s->head_len, MSG_DONTWAIT);
	size_t at = 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		s->gone = true;
		return;
	}
	s->head_len += (size_t)n;
	while (!s->gone && s->head_len - at >= HEADER) {
		size_t len = get_u32(s->head + at + 1);

		if (len > CHUNK) {
			s->gone = true;
			return;
		}
		if (s->head_len - at < HEADER + len)
			break;
		take_frame(s, (char)s->head[at], s->head + at + HEADER, len);
		at += HEADER + len;
	}
	memmove(s->head, s->head + at, s->head_len - at);
	s->head_len -= at;
}

static void feed_input(struct session *s)
{
	while (s->in >= 0 && s->in_len) {
		ssize_t n = write(s->in, s->input + s->in_start, s->in_len);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {	/* nobody reads any more: swallow it */
			n = (ssize_t)s->in_len;
			s->in_eof = true;
		}
		queue_u32(s, 'a', (uint32_t)n);
		s->in_start += (size_t)n;
		s->in_len -= (size_t)n;
	}
	if (s->in >= 0 && s->in_eof && !s->in_len) {
		if (s->in == s->master) {
			if (write(s->in, "\004", 1) < 0)
				fprintf(stderr, "armhost-agent: end of file is lost\n");
		} else {
			close(s->in);
		}
		s->in = -1;
	}
}

/* Passes on what is there; returns false when there is nothing more at present. */
static bool read_output(struct session *s, int which)
{
	uint8_t *p;
	ssize_t n;

	if (s->out[which] < 0 || s->out_len > OUT_LIMIT)
		return s->out[which] >= 0;
	p = out_room(s, HEADER + CHUNK);
	if (!p)
		return true;
	n = read(s->out[which], p + HEADER, CHUNK);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0) {
		if (s->out[which] != s->master)
			close(s->out[which]);
		s->out[which] = -1;
		return false;
	}
	p[0] = which ? '2' : 'o';
	put_u32(p + 1, (uint32_t)n);
	s->out_len += HEADER + (size_t)n;
	return true;
}

static void reap(struct session *s)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info))
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->pid) {
			s->ended = true;
			s->status = status;
		}
	}
}

/* Ends all that the command left behind: as subreaper we are the parent of every orphan. */
static void kill_descendants(void)
{
	char path[64], pids[8192];

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	for (int round = 0; round < 1000; round++) {
		char *p = pids;
		ssize_t n;
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		bool any = false;

		if (fd < 0)
			return;
		n = read(fd, pids, sizeof(pids) - 1);
		close(fd);
		pids[n > 0 ? n : 0] = 0;
		for (char *q; *p; p = q) {
			pid_t pid = (pid_t)strtol(p, &q, 10);

			if (q == p)
				break;
			kill(pid, SIGKILL);
			any = true;
		}
		if (!any)
			return;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (round)
			usleep(2000);
	}
}

static void poll_once(struct session *s, int timeout)
{
	struct pollfd p[5] = {
		{ .fd = s->gone ? -1 : s->sock, .events = POLLIN },
		{ .fd = s->signals, .events = POLLIN },
		{ .fd = s->in, .events = POLLOUT },
		{ .fd = s->out_len > OUT_LIMIT ? -1 : s->out[0], .events = POLLIN },
		{ .fd = s->out_len > OUT_LIMIT ? -1 : s->out[1], .events = POLLIN },
	};

	if (s->out_len)
		p[0].events |= POLLOUT;
	if (!s->in_len && !s->in_eof)
		p[2].fd = -1;
	if (poll(p, 5, timeout) < 0)
		return;
	if (p[0].revents & (POLLIN | POLLHUP | POLLERR))
		receive(s);
	if (p[1].revents)
		reap(s);
	feed_input(s);
	for (int i = 0; i < 2; i++)
		if (p[3 + i].revents)
			read_output(s, i);
	flush_output(s);
}

/* After the command's end: everything it wrote lies in the pipes and is passed on. */
static void drain(struct session *s)
{
	bool more = true;

	for (int late = 0; s->master >= 0 && late < 20; late++) {
		if (s->out[0] != s->master)
			break;
		poll_once(s, 5);	/* terminals deliver a little later */
	}
	while (more && !s->gone) {
		more = read_output(s, 0);
		more |= read_output(s, 1);
		flush_output(s);
		if (s->out_len > OUT_LIMIT)
			poll_once(s, 1000);
	}
}

static void finish(struct session *s)
{
	uint8_t byte[256];
	struct pollfd p = { .fd = s->sock, .events = POLLIN };

	queue_u32(s, 'x', (uint32_t)s->status);
	while (s->out_len && !s->gone) {
		struct pollfd w = { .fd = s->sock, .events = POLLOUT };

		if (poll(&w, 1, 600 * 1000) <= 0)
			return;
		flush_output(s);
	}
	shutdown(s->sock, SHUT_WR);
	/* Closing with unread input would reset the connection and lose output. */
	while (poll(&p, 1, 10000) > 0 && recv(s->sock, byte, sizeof(byte), 0) > 0)
		;
}

static void authenticate(int sock)
{
	char got[TOKEN_LEN];
	struct timeval limit = { .tv_sec = 20 };
	unsigned int diff = 0;

	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	read_all(sock, got, TOKEN_LEN);
	for (int i = 0; i < TOKEN_LEN; i++)
		diff |= (unsigned int)(got[i] ^ token[i]);
	if (diff)
		_exit(1);
}

/* One connection: one command. */
static void __attribute__((noreturn)) serve(int sock)
{
	struct session *s = calloc(1, sizeof(*s));
	struct command c = { .mask = 022 };
	uint8_t header[HEADER];
	uint32_t len;
	char *start;
	sigset_t set;
	int one = 1;

	setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	authenticate(sock);
	read_all(sock, header, HEADER);
	len = get_u32(header + 1);
	start = len <= START_MAX ? malloc(len + 1) : NULL;
	if (header[0] != 'S' || !start || !s)
		_exit(1);
	read_all(sock, start, len);
	parse_start(&c, start, len);

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	s->sock = sock;
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s->head_size = 2 * (CHUNK + HEADER);
	s->head = malloc(s->head_size);
	s->output = malloc(OUT_SIZE);
	if (s->signals < 0 || !s->head || !s->output)
		_exit(1);
	queue_frame(s, 'r', "", 0);
	flush_output(s);
	start_command(s, &c);
	while (!s->ended && !s->gone)
		poll_once(s, -1);
	if (s->gone && !s->ended) {
		signal_command(s, SIGHUP);
		for (int i = 0; i < 20 && !s->ended; i++) {
			poll_once(s, 100);
			for (int j = 0; j < 2; j++)
				s->out_len = 0;
		}
	}
	if (!s->gone)
		drain(s);
	kill_descendants();
	if (!s->gone)
		finish(s);
	_exit(0);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fprintf(stderr, "armhost-agent: %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

int main(void)
{
	struct pollfd p = { .events = POLLIN };
	int listener;

	if (getpid() != 1) {
		fputs("armhost-agent: this is the first process of an Arm host\n", stderr);
		return 2;
	}
	umask(0);
	mount_system();
	load_modules();
	mount_shares();
	read_token();
	listener = start_network();
	write_text("/proc/self/oom_score_adj", "-1000");
	if (sethostname("armhost", 7))
		fprintf(stderr, "armhost-agent: sethostname: %s\n", strerror(errno));
	tell_ready();
	p.fd = listener;
	for (;;) {
		int sock = -1;

		if (poll(&p, 1, 1000) > 0)
			sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (sock < 0)
			continue;
		if (fork() == 0) {
			close(listener);
			serve(sock);
		}
		close(sock);
	}
}
