/* SPDX-License-Identifier: Apache-2.0 */
/* obverse dtb BOARD */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum format { FORMAT_AUTO, FORMAT_DTB, FORMAT_DTS };

struct dtb {
	struct cli_board common;
	const char *output;
	enum format format;
};

static int opt_output(void *ctx, const char *value, const char *where, struct err *e)
{
	((struct dtb *)ctx)->output = value;
	return 0;
}

static int opt_format(void *ctx, const char *value, const char *where, struct err *e)
{
	struct dtb *d = ctx;

	d->format = !strcmp(value, "dtb")   ? FORMAT_DTB
		    : !strcmp(value, "dts") ? FORMAT_DTS
					    : FORMAT_AUTO;
	if (d->format != FORMAT_AUTO)
		return 0;
	err_set(e, -EINVAL, where, "there is no format \"%s\"", value);
	err_hint(e, "it can be dtb or dts");
	return -EINVAL;
}

static bool ends_with_dts(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && !strcmp(name + len - 4, ".dts");
}

/* Text for people: terminals, and files that are named so. */
static bool as_text(const struct dtb *d)
{
	if (d->format != FORMAT_AUTO)
		return d->format == FORMAT_DTS;
	return d->output ? ends_with_dts(d->output) : isatty(STDOUT_FILENO);
}

static int write_out(const struct dtb *d, const void *fdt, size_t size, struct err *e)
{
	FILE *to = d->output ? fopen(d->output, "we") : stdout;
	bool ok;

	if (!to)
		return err_set(e, -errno, "-o", "cannot write %s: %s", d->output, strerror(errno));
	if (as_text(d))
		cli_print_dts(fdt, to);
	else
		fwrite(fdt, size, 1, to);
	ok = !ferror(to) && !fflush(to);
	if (d->output)
		ok = !fclose(to) && ok;
	return ok ? 0 : err_set(e, -EIO, "-o", "cannot write the device tree: %s", strerror(errno));
}

static int run(int argc, char **argv, uint64_t start_ns)
{
	struct dtb d = {.format = FORMAT_AUTO};
	struct cli_machine m;
	struct err e = ERR_INIT;
	void *fdt = NULL;
	size_t size;
	int status;

	if (cli_open_board(&command_dtb, &d.common, argc, argv, &status))
		return status;
	if (!cli_assemble(&m, d.common.board, d.common.seed, &e))
		fdt = board_dtb(d.common.board, &size, &e);
	status = fdt ? CLI_OK : CLI_BAD_CONFIG;
	if (fdt && write_out(&d, fdt, size, &e))
		status = CLI_HOST_FAILURE;
	free(fdt);
	cli_take_apart(&m, d.common.board);
	board_destroy(d.common.board);
	return cli_fail(&e, status);
}

static const struct option dtb_options[] = {
	{"o", "FILE", "write to a file; one that ends in .dts gets source text", opt_output, true},
	{"format", "FORMAT",
	 "dtb: binary; dts: source text. Without it: text on a\nterminal, else binary", opt_format,
	 false},
	{0},
};

static const struct option *const tables[] = {dtb_options, cli_board_options, NULL};

const struct command command_dtb = {
	.name = "dtb",
	.usage = "BOARD [OPTION...]",
	.doc = "print the device tree that a guest would be given",
	.options = tables,
	.run = run,
};
