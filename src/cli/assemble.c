/* SPDX-License-Identifier: Apache-2.0 */
/* A machine that is built to be looked at: no back end, no host files but those behind memory. */
#include "cli/cli.h"

#include "dev/cpu.h"
#include "pe/set.h"

#include <errno.h>

int cli_assemble(struct cli_machine *m, struct board *b, uint64_t seed, struct err *e)
{
	const struct dev *cpu;
	int r;

	*m = (struct cli_machine){.host = {.mem = mem_space_create(), .seed = seed}};
	r = board_build(b, &m->host, e);
	cpu = r ? NULL : board_dev(b, board_find_class(b, DEV_CPU, 0));
	if (!cpu)
		return r ? r : -EINVAL;
	m->host.pes = pe_set_create(cpu_count(cpu), cpu_els(cpu));
	if (cpu_model(cpu))
		pe_set_model(m->host.pes, cpu_model(cpu));
	return board_map(b, e);
}

void cli_take_apart(struct cli_machine *m, struct board *b)
{
	board_destroy_devs(b);
	if (m->host.pes)
		pe_set_destroy(m->host.pes);
	mem_space_destroy(m->host.mem);
}
