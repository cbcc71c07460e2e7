/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs one virtual machine monitor on the Arm host for tools/bench and says when things happened.
 *
 * Its output is one record per line: "first SECONDS" (the first byte of the console), "line SECONDS
 * TEXT" (a whole line of it), "rss KIB RAM_KIB" and "exit STATUS SECONDS" (128 + number for a signal,
 * 124 for a timeout). Seconds are CLOCK_MONOTONIC since just before fork(); built statically, so that
 * it needs nothing of the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STATUS_TIMEOUT = 124, STATUS_FAILED = 125, STATUS_NO_COMMAND = 127, GRACE_MS = 5000 };

struct run {
	double timeout_s;
	const char *rss_at; /* a line with this text: look at the memory */
	unsigned long ram_kib;
	char **command;
	pid_t pid;
	int output;
	struct timespec start;
	bool any;
	char line[4096];
	size_t len;
};

static double elapsed(const struct run *r)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec - r->start.tv_sec + (t.tv_nsec - r->start.tv_nsec) / 1e9;
}

/* ---- memory ---- */

/* Neighbouring mappings of the same object, taken together: madvise() splits them. */
struct span {
	unsigned long start, end, rss_kib;
	char what[160];
};

struct memory {
	unsigned long ram_size_kib, rss_kib, ram_kib;
	struct span span;
};

static void end_span(struct memory *m)
{
	if ((m->span.end - m->span.start) / 1024 >= m->ram_size_kib)
		m->ram_kib += m->span.rss_kib;
	m->span.rss_kib = 0;
}

static void smaps_line(struct memory *m, const char *line)
{
	unsigned long start, end, kib;
	char what[160] = "";

	if (sscanf(line, "%lx-%lx %*s %*s %159[^\n]", &start, &end, what) >= 2) {
		if (start != m->span.end || strcmp(what, m->span.what)) {
			end_span(m);
			m->span.start = start;
			memcpy(m->span.what, what, sizeof(what));
		}
		m->span.end = end;
	} else if (sscanf(line, "Rss: %lu kB", &kib) == 1) {
		m->rss_kib += kib;
		m->span.rss_kib += kib;
	}
}

/* Guest RAM is what is mapped in one piece of at least its size. */
static void report_memory(const struct run *r)
{
	struct memory m = {.ram_size_kib = r->ram_kib};
	char path[64], line[512];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)r->pid);
	f = fopen(path, "r");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		smaps_line(&m, line);
	end_span(&m);
	fclose(f);
	printf("rss %lu %lu\n", m.rss_kib, m.ram_kib);
}

/* ---- the console ---- */

static void end_line(struct run *r, double now)
{
	while (r->len && r->line[r->len - 1] == '\r')
		r->len--;
	r->line[r->len] = '\0';
	printf("line %.6f %s\n", now, r->line);
	if (r->rss_at && strstr(r->line, r->rss_at)) {
		report_memory(r);
		r->rss_at = NULL;
	}
	fflush(stdout);
	r->len = 0;
}

static void take(struct run *r, const char *data, size_t len)
{
	double now = elapsed(r);

	if (!r->any)
		printf("first %.6f\n", now);
	r->any = true;
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n')
			end_line(r, now);
		else if (r->len < sizeof(r->line) - 1)
			r->line[r->len++] = data[i];
	}
}

/* Until the end of the output; false after the timeout. */
static bool follow(struct run *r)
{
	struct pollfd p = {.fd = r->output, .events = POLLIN};
	char data[4096];

	for (;;) {
		double left = r->timeout_s - elapsed(r);
		ssize_t n;

		if (left <= 0)
			return false;
		if (poll(&p, 1, (int)(left * 1000) + 1) <= 0)
			continue;
		n = read(r->output, data, sizeof(data));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		take(r, data, (size_t)n);
	}
	if (r->len)
		end_line(r, elapsed(r));
	return true;
}

/* ---- the process ---- */

static int spawn(struct run *r)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC))
		return -errno;
	clock_gettime(CLOCK_MONOTONIC, &r->start);
	r->pid = fork();
	if (r->pid < 0)
		return -errno;
	if (!r->pid) {
		int null = open("/dev/null", O_RDONLY);

		dup2(null, STDIN_FILENO);
		dup2(fd[1], STDOUT_FILENO);
		dup2(fd[1], STDERR_FILENO);
		execvp(r->command[0], r->command);
		_exit(STATUS_NO_COMMAND);
	}
	close(fd[1]);
	r->output = fd[0];
	return 0;
}

static bool reap(pid_t pid, int *status, unsigned patience_ms)
{
	for (unsigned ms = 0; waitpid(pid, status, WNOHANG) == 0; ms++) {
		if (ms >= patience_ms)
			return false;
		usleep(1000);
	}
	return true;
}

/* The status in the shell's manner. */
static int finish(struct run *r, bool in_time)
{
	int status = 0;

	if (in_time && !reap(r->pid, &status, GRACE_MS))
		in_time = false;
	if (!in_time) {
		kill(r->pid, SIGTERM);
		if (!reap(r->pid, &status, GRACE_MS)) {
			kill(r->pid, SIGKILL);
			waitpid(r->pid, &status, 0);
		}
		return STATUS_TIMEOUT;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int usage(void)
{
	fputs("usage: bench-run [--timeout S] [--rss-at TEXT --ram MIB] -- COMMAND [ARGUMENT...]\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"timeout", required_argument, NULL, 't'},
						{"rss-at", required_argument, NULL, 'r'},
						{"ram", required_argument, NULL, 'm'},
						{0}};
	struct run r = {.timeout_s = 60, .ram_kib = 1};
	int c, status;

	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (c == 't')
			r.timeout_s = strtod(optarg, NULL);
		else if (c == 'r')
			r.rss_at = optarg;
		else if (c == 'm')
			r.ram_kib = strtoul(optarg, NULL, 10) * 1024;
		else
			return usage();
	}
	r.command = argv + optind;
	if (!r.command[0])
		return usage();
	if (spawn(&r)) {
		perror("bench-run");
		return STATUS_FAILED;
	}
	status = finish(&r, follow(&r));
	printf("exit %d %.6f\n", status, elapsed(&r));
	return 0;
}
