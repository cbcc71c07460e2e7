/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include "host/clock.h"
#include "obverse-config.h"
#include "util/bits.h"
#include "util/nearest.h"

#include <errno.h>
#include <string.h>

static const struct command *const commands[] = {
	&command_run,
	&command_dtb,
	&command_check,
	&command_list,
};

int cli_fail(struct err *e, int status)
{
	fflush(stdout);
	err_print(e, stderr);
	err_free(e);
	return status;
}

int cli_command_help(const struct command *c)
{
	printf("usage: obverse %s %s\n\n%s\n", c->name, c->usage, c->doc);
	printf("\noptions:\n");
	options_help(c->options, stdout);
	return CLI_OK;
}

static void help(FILE *to)
{
	fprintf(to, "usage: obverse COMMAND [ARGUMENT...]\n\n"
		    "Runs Arm software on a simulated board, on the host's own cores.\n\n"
		    "commands:\n");
	for (unsigned i = 0; i < ARRAY_COUNT(commands); i++)
		fprintf(to, "  %-10s%s\n", commands[i]->name, commands[i]->doc);
	fprintf(to, "  %-10s%s\n  %-10s%s\n", "version", "print the version", "help",
		"explain a command: obverse help COMMAND");
	fprintf(to, "\nexample: obverse run virt --kernel Image --append \"console=ttyAMA0\"\n");
}

static int version(void)
{
	printf("obverse " OBVERSE_VERSION "\n");
	return CLI_OK;
}

static const struct command *find(const char *name)
{
	for (unsigned i = 0; i < ARRAY_COUNT(commands); i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int unknown(const char *name)
{
	struct nearest n = nearest_start(name);
	struct err e = ERR_INIT;

	for (unsigned i = 0; i < ARRAY_COUNT(commands); i++)
		nearest_offer(&n, commands[i]->name);
	err_set(&e, -EINVAL, NULL, "there is no command \"%s\"", name);
	if (n.best)
		err_hint(&e, "did you mean \"%s\"?", n.best);
	else
		err_hint(&e, "`obverse help` shows the commands");
	return cli_fail(&e, CLI_BAD_CONFIG);
}

static bool is(const char *arg, const char *word, const char *option)
{
	return !strcmp(arg, word) || !strcmp(arg, option);
}

int main(int argc, char **argv)
{
	uint64_t start_ns = clock_mono_ns();
	const struct command *c;

	if (argc < 2) {
		help(stderr);
		return CLI_BAD_CONFIG;
	}
	if (is(argv[1], "version", "--version"))
		return version();
	if (is(argv[1], "help", "--help") || !strcmp(argv[1], "-h")) {
		c = argc > 2 ? find(argv[2]) : NULL;
		if (argc > 2)
			return c ? cli_command_help(c) : unknown(argv[2]);
		help(stdout);
		return CLI_OK;
	}
	c = find(argv[1]);
	return c ? c->run(argc - 2, argv + 2, start_ns) : unknown(argv[1]);
}
