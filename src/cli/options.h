/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command-line options from tables. The same table parses, and prints the help. Options are first
 * collected (every mistake is reported), then carried out in the order given.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

struct err;

/* @where names the option for messages ("--serial", "-vobj 2") and lives as long as the program's
 * arguments are needed. Returns 0 or a negative errno with a message. */
typedef int option_fn(void *ctx, const char *value, const char *where, struct err *e);

struct option {
	const char *name; /* without dashes; NULL ends the table */
	const char *arg;  /* name of the value in the help; NULL: takes none */
	const char *help; /* lines separated by '\n' */
	option_fn *fn;
	bool single_dash; /* written -name (--name is understood, too) */
};

struct option_given {
	const struct option *option;
	const char *value;
	char *where;
};

struct options {
	const struct option *const *tables; /* NULL-terminated */
	struct option_given *given;
	unsigned given_count;
	const char *operand[4]; /* what is not an option */
	unsigned operand_count;
	bool help;
};

/* @argv: arguments behind the subcommand. Free with options_free(), also after an error. */
int options_parse(struct options *o, const struct option *const *tables, int argc, char **argv,
		  struct err *e);
/* Call the functions of the options given; all of them, even if some fail. */
int options_apply(const struct options *o, void *ctx, struct err *e);
bool options_has(const struct options *o, const char *name);
void options_free(struct options *o);

void options_help(const struct option *const *tables, FILE *to);

#endif
