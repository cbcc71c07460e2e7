/* SPDX-License-Identifier: Apache-2.0 */
/* obverse run BOARD */
#include "cli/cli.h"

#include "debug/monitor.h"
#include "debug/stats.h"
#include "util/bits.h"
#include "util/parse.h"
#include "util/symtab.h"
#include "util/xalloc.h"
#include "vm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct run {
	struct cli_board common;
	struct vm_config cfg;
	char *hv; /* name and, behind a NUL, options */
	const char *stats_path;
	bool summary;
	char *summary_text;
	struct symtab *symbols;
	struct err err;
};

/* ---- options ---- */

static int opt_hv(void *ctx, const char *value, const char *where, struct err *e)
{
	struct run *r = ctx;
	char *comma;

	free(r->hv);
	r->hv = xstrdup(value);
	comma = strchr(r->hv, ',');
	if (comma)
		*comma = '\0';
	r->cfg.hv = r->hv;
	r->cfg.hv_options = comma ? comma + 1 : NULL;
	return 0;
}

static int opt_timeout(void *ctx, const char *value, const char *where, struct err *e)
{
	struct run *r = ctx;

	if (!parse_duration(value, &r->cfg.timeout_ns) && r->cfg.timeout_ns)
		return 0;
	err_set(e, -EINVAL, where, "\"%s\" is not a duration", value);
	err_hint(e, "seconds, or with a unit: 90, 1.5s, 500ms, 2m");
	return -EINVAL;
}

/* A place that cannot be written to is better found before the run. */
static int opt_stats(void *ctx, const char *value, const char *where, struct err *e)
{
	int fd = open(value, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0)
		return err_set(e, -errno, where, "cannot write %s: %s", value, strerror(errno));
	close(fd);
	((struct run *)ctx)->stats_path = value;
	return 0;
}

static int opt_summary(void *ctx, const char *value, const char *where, struct err *e)
{
	((struct run *)ctx)->summary = true;
	return 0;
}

static int opt_intercept(void *ctx, const char *value, const char *where, struct err *e)
{
	static const char *const names[] = {[HV_STRATEGY_DIVERT] = "divert",
					    [HV_STRATEGY_RECODE] = "recode",
					    [HV_STRATEGY_BRK] = "brk"};

	for (unsigned i = 0; i < ARRAY_COUNT(names); i++) {
		if (!strcmp(value, names[i])) {
			((struct run *)ctx)->cfg.strategy = (enum hv_strategy)i;
			return 0;
		}
	}
	err_set(e, -EINVAL, where, "\"%s\" is not a way to intercept", value);
	err_hint(e, "brk, recode or divert");
	return -EINVAL;
}

static int opt_no_reboot(void *ctx, const char *value, const char *where, struct err *e)
{
	((struct run *)ctx)->cfg.no_reboot = true;
	return 0;
}

static int opt_symbols(void *ctx, const char *value, const char *where, struct err *e)
{
	struct run *r = ctx;

	symtab_free(r->symbols);
	r->symbols = symtab_load(value, e);
	return r->symbols ? 0 : -EINVAL;
}

static int opt_deterministic(void *ctx, const char *value, const char *where, struct err *e)
{
	((struct run *)ctx)->cfg.deterministic = true;
	return 0;
}

static const struct option run_options[] = {
	{"hv", "NAME[,OPTIONS]", "execution back end: auto, kvm, soft (obverse list\nbackends)",
	 opt_hv, false},
	{"timeout", "DURATION", "end after a time; seconds without a unit (ms, s, m, h)",
	 opt_timeout, false},
	{"stats", "FILE", "write statistics as JSON at the end", opt_stats, false},
	{"summary", NULL, "at the end, a table of what each stage of the boot cost", opt_summary,
	 false},
	{"intercept", "brk|recode|divert",
	 "what EL1-only vCPUs do about instructions of other levels: leave the\nguest for each, "
	 "leave out "
	 "those without effect, and (the default)\ncarry out the simplest in the guest",
	 opt_intercept, false},
	{"symbols", "FILE", "names for addresses in reports: ELF file or System.map", opt_symbols,
	 false},
	{"deterministic", NULL,
	 "two runs execute the same: one thread, and time from the\nnumber of instructions (--hv "
	 "soft)",
	 opt_deterministic, false},
	{"no-reboot", NULL, "end when the guest resets or panics", opt_no_reboot, false},
	{0},
};

/* ---- running ---- */

static void report(void *opaque, const struct vm *vm)
{
	struct run *r = opaque;

	if (r->stats_path)
		stats_write(vm, r->stats_path, r->symbols, &r->err);
	if (r->summary)
		r->summary_text = stats_summary(vm);
}

static void monitor(void *opaque, struct vm *vm, const char *line, int fd)
{
	monitor_line(vm, line, fd, ((struct run *)opaque)->symbols);
}

static int status_of(enum vm_end end, int signal, const struct err *e)
{
	static const int status[] = {
		[VM_END_POWEROFF] = CLI_OK,
		[VM_END_RESET] = CLI_RESET,
		[VM_END_TIMEOUT] = CLI_TIMEOUT,
		[VM_END_QUIT] = CLI_OK,
		[VM_END_SIGNAL] = CLI_SIGNAL,
		[VM_END_CONFIG] = CLI_BAD_CONFIG,
		[VM_END_HOST_FAILURE] = CLI_HOST_FAILURE,
	};

	if (end == VM_END_SIGNAL)
		return CLI_SIGNAL + signal;
	return status[end] == CLI_OK && err_any(e) ? CLI_HOST_FAILURE : status[end];
}

static int run_board(struct run *r, uint64_t start_ns)
{
	enum vm_end end;
	int signal = 0;

	r->cfg.start_ns = start_ns;
	r->cfg.seed = r->common.seed;
	r->cfg.opaque = r;
	r->cfg.report = report;
	r->cfg.stages = r->stats_path || r->summary;
	r->cfg.monitor = monitor;
	end = vm_run(r->common.board, &r->cfg, &signal, &r->err);
	if (r->summary_text) /* now that the terminal is as it was */
		fputs(r->summary_text, stderr);
	return status_of(end, signal, &r->err);
}

static int run(int argc, char **argv, uint64_t start_ns)
{
	struct run r = {.err = ERR_INIT};
	int status;

	if (!cli_open_board(&command_run, &r.common, argc, argv, &status)) {
		status = run_board(&r, start_ns);
		board_destroy(r.common.board);
	}
	symtab_free(r.symbols);
	free(r.hv);
	free(r.summary_text);
	return cli_fail(&r.err, status);
}

static const struct option *const tables[] = {run_options, cli_board_options, NULL};

const struct command command_run = {
	.name = "run",
	.usage = "BOARD [OPTION...]",
	.doc = "run a machine",
	.options = tables,
	.run = run,
};
