/* SPDX-License-Identifier: Apache-2.0 */
/* obverse check BOARD */
#include "cli/cli.h"

static int run(int argc, char **argv, uint64_t start_ns)
{
	struct cli_board ctx = {0};
	struct cli_machine m;
	struct err e = ERR_INIT;
	unsigned count;
	int status;

	if (cli_open_board(&command_check, &ctx, argc, argv, &status))
		return status;
	cli_assemble(&m, ctx.board, ctx.seed, &e);
	board_devs(ctx.board, &count);
	status = err_any(&e) ? cli_fail(&e, CLI_BAD_CONFIG) : CLI_OK;
	if (!status)
		printf("%u objects, no mistakes found\n", count);
	cli_take_apart(&m, ctx.board);
	board_destroy(ctx.board);
	return status;
}

static const struct option *const tables[] = {cli_board_options, NULL};

const struct command command_check = {
	.name = "check",
	.usage = "BOARD [OPTION...]",
	.doc = "look for mistakes in a board",
	.options = tables,
	.run = run,
};
