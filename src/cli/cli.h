/* SPDX-License-Identifier: Apache-2.0 */
/* Subcommands. Only files of this folder print to the user or decide the exit status. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "board/board.h"
#include "cli/options.h"
#include "util/err.h"

#include <stdint.h>

/* Exit status; 124 and 128+n as timeout(1) and shells have them. */
enum cli_status {
	CLI_OK = 0,
	CLI_HOST_FAILURE = 1,
	CLI_BAD_CONFIG = 2, /* usage, board, files, host not able */
	CLI_RESET = 3,	    /* guest reset or panic with --no-reboot */
	CLI_TIMEOUT = 124,
	CLI_SIGNAL = 128, /* + number of the signal */
};

struct command {
	const char *name;
	const char *usage; /* behind the name */
	const char *doc;   /* one line */
	const struct option *const *options;
	int (*run)(int argc, char **argv, uint64_t start_ns);
};

extern const struct command command_check, command_dtb, command_list, command_run;

/* Print the usage and options of a command; returns CLI_OK. */
int cli_command_help(const struct command *c);
/* Print errors to stderr, free them, return @status. */
int cli_fail(struct err *e, int status);

/* ---- options that change the board (board_options.c) ---- */

/* First member of the context that these options' functions are given. */
struct cli_board {
	struct board *board;
	uint64_t seed; /* --seed */
	unsigned serial_count, flash_count;
};

extern const struct option cli_board_options[];

/* Parse the arguments of @c, load the board that is its only operand, apply all options to @ctx (a
 * struct cli_board and more), check the result. 0; else the command ends with *@status, all having been
 * printed. */
int cli_open_board(const struct command *c, struct cli_board *ctx, int argc, char **argv,
		   int *status);

/* ---- a board built, but not run (assemble.c) ---- */

struct cli_machine {
	struct dev_host host;
};

int cli_assemble(struct cli_machine *m, struct board *b, uint64_t seed, struct err *e);
void cli_take_apart(struct cli_machine *m, struct board *b);

/* ---- dts.c ---- */

/* Print a device tree as source text. */
void cli_print_dts(const void *fdt, FILE *to);

#endif
