/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: a board of arbitrary lines, and one assignment, backend and slot from its last
 * line, checked. Boards that pass are built: instances with their properties, wires and order.
 *
 * Lines with "include" or a path are left out: the input must not read files of the host.
 */
#include "board/board.h"
#include "pe/set.h"
#include "util/err.h"
#include "util/xalloc.h"

#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool touches_host(const char *line)
{
	return strstr(line, "include") || strstr(line, "path") || strstr(line, "image");
}

static void add_lines(struct board *b, char *text, struct err *e)
{
	const char *last = "";
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n"))) {
		if (!touches_host(line))
			board_line(b, line, "line", e);
		last = line;
	}
	if (touches_host(last))
		return;
	board_set(b, last, "--set", e);
	board_set_backend(b, "uart0", last, "--serial", e);
	board_plug(b, "VIRTIO-MMIO", last, "--drive", e);
}

/* Not initialised: memory of the sizes in the input would be allocated. */
static void build(struct board *b, struct err *e)
{
	struct dev_host host = {.mem = mem_space_create(), .seed = 1, .pes = pe_set_create(1, 3)};

	board_build(b, &host, e);
	board_destroy_devs(b);
	pe_set_destroy(host.pes);
	mem_space_destroy(host.mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct board *b = board_create();
	struct err e = ERR_INIT;
	char *text = xstrndup((const char *)data, size < INPUT_MAX ? size : INPUT_MAX);

	add_lines(b, text, &e);
	if (!board_check(b, &e) && !err_any(&e))
		build(b, &e);
	err_free(&e);
	board_destroy(b);
	free(text);
	return 0;
}
