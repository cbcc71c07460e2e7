/* SPDX-License-Identifier: Apache-2.0 */
#include "debug/monitor.h"

#include "debug/regs.h"
#include "debug/stats.h"
#include "dev/gpio-keys.h"
#include "host/clock.h"
#include "util/bits.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/symtab.h"
#include "vm/vm.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct monitor {
	struct vm *vm;
	struct buf out;
	const struct symtab *symbols;
	const char *arg;
};

typedef void command_fn(struct monitor *m);

/* Registers are read with the PEs stopped; leave them as they were. */
static bool stop_for_a_moment(struct vm *vm)
{
	bool was_running = !vm->paused;

	vm_pause(vm);
	return was_running;
}

static void cmd_quit(struct monitor *m)
{
	vm_quit(m->vm);
}

static void cmd_reset(struct monitor *m)
{
	vm_request_reset(m->vm, "monitor: system_reset");
}

static void cmd_powerdown(struct monitor *m)
{
	unsigned count;
	struct dev *const *d = board_devs(m->vm->board, &count);

	for (unsigned i = 0; i < count; i++) {
		if (gpio_keys_press(d[i], GPIO_KEYS_POWEROFF))
			return;
	}
	buf_str(&m->out, "this board has no power key (a GPIO-KEYS object)\n");
}

static void cmd_stop(struct monitor *m)
{
	vm_pause(m->vm);
}

static void cmd_cont(struct monitor *m)
{
	vm_resume(m->vm);
}

static void info_status(struct monitor *m)
{
	struct vm *vm = m->vm;

	buf_fmt(&m->out, "%s on %s (%s), %.3f s\n", vm->paused ? "stopped" : "running",
		vm->hv->name, vm->caps.host, (double)(clock_mono_ns() - vm->start_ns) / NS_PER_S);
}

static uint64_t reg(struct vm *vm, unsigned pe, uint32_t id)
{
	uint64_t v = 0;

	pe_set_get_reg(vm->pes, pe, id, &v);
	return v;
}

static void one_cpu(struct monitor *m, unsigned i)
{
	uint64_t pc = reg(m->vm, i, REG_PC);
	uint64_t offset;
	const char *name = m->symbols ? symtab_find(m->symbols, pc, &offset) : NULL;

	buf_fmt(&m->out, "pe%u: MPIDR 0x%llx %s, EL%u, PC 0x%016llx", i,
		(unsigned long long)pe_mpidr(m->vm->pes, i), pe_set_power_state(m->vm->pes, i),
		(unsigned)bits(reg(m->vm, i, REG_PSTATE), 3, 2), (unsigned long long)pc);
	if (name)
		buf_fmt(&m->out, " (%s+0x%llx)", name, (unsigned long long)offset);
	buf_str(&m->out, "\n");
}

static void info_cpus(struct monitor *m)
{
	bool resume = stop_for_a_moment(m->vm);

	for (unsigned i = 0; i < pe_count(m->vm->pes); i++)
		one_cpu(m, i);
	if (resume)
		vm_resume(m->vm);
}

static const struct {
	const char *name;
	uint32_t id;
} shown[] = {
	{"PC", REG_PC},
	{"PSTATE", REG_PSTATE},
	{"SP_EL0", REG_SP_EL0},
	{"SP_EL1", REG_SP_EL1},
	{"ELR_EL1", REG_ELR_EL1},
	{"SPSR_EL1", REG_SPSR_EL1},
	{"ESR_EL1", REG_SYS(SYSREG(3, 0, 5, 2, 0))},
	{"FAR_EL1", REG_SYS(SYSREG(3, 0, 6, 0, 0))},
	{"VBAR_EL1", REG_SYS(SYSREG(3, 0, 12, 0, 0))},
	{"SCTLR_EL1", REG_SYS(SYSREG(3, 0, 1, 0, 0))},
	{"TTBR0_EL1", REG_SYS(SYSREG(3, 0, 2, 0, 0))},
	{"TTBR1_EL1", REG_SYS(SYSREG(3, 0, 2, 0, 1))},
	{"TCR_EL1", REG_SYS(SYSREG(3, 0, 2, 0, 2))},
	{"MAIR_EL1", REG_SYS(SYSREG(3, 0, 10, 2, 0))},
};

static void one_cpu_regs(struct monitor *m, unsigned i)
{
	buf_fmt(&m->out, "pe%u:\n", i);
	for (unsigned n = 0; n <= 30; n++)
		buf_fmt(&m->out, " X%-8u %016llx%s", n, (unsigned long long)reg(m->vm, i, REG_X(n)),
			n % 3 == 2 ? "\n" : "");
	buf_str(&m->out, "\n");
	for (unsigned n = 0; n < ARRAY_COUNT(shown); n++)
		buf_fmt(&m->out, " %-9s %016llx%s", shown[n].name,
			(unsigned long long)reg(m->vm, i, shown[n].id), n % 3 == 2 ? "\n" : "");
	buf_str(&m->out, "\n");
}

static void info_registers(struct monitor *m)
{
	bool resume = stop_for_a_moment(m->vm);

	for (unsigned i = 0; i < pe_count(m->vm->pes); i++)
		one_cpu_regs(m, i);
	if (resume)
		vm_resume(m->vm);
}

static void show_reg(struct monitor *m, unsigned pe, const char *name, uint32_t id)
{
	struct buf fields = BUF_INIT;
	uint64_t v = 0;

	if (pe_set_get_reg(m->vm->pes, pe, id, &v)) {
		buf_fmt(&m->out, "pe%u %s: cannot be read: the PE or %s does not have it\n", pe,
			name, m->vm->hv->name);
		return;
	}
	regs_fields(&fields, id, v);
	buf_fmt(&m->out, "pe%u %s 0x%016llx%s%s\n", pe, name, (unsigned long long)v,
		fields.len ? "  " : "", fields.len ? fields.data : "");
	buf_free(&fields);
}

/* reg NAME...: of every PE. */
static void cmd_reg(struct monitor *m)
{
	bool resume = stop_for_a_moment(m->vm);
	const char *p = m->arg;

	if (!*p)
		buf_str(&m->out, "usage: reg NAME... (X0, PC, SCTLR_EL1, ...)\n");
	while (*p) {
		char name[40];
		size_t len = strcspn(p, " \t");
		uint32_t id;

		snprintf(name, sizeof(name), "%.*s", (int)len, p);
		p += len + strspn(p + len, " \t");
		if (!regs_find(name, &id))
			buf_fmt(&m->out, "there is no register \"%s\"\n", name);
		else
			for (unsigned i = 0; i < pe_count(m->vm->pes); i++)
				show_reg(m, i, name, id);
	}
	if (resume)
		vm_resume(m->vm);
}

static void info_mtree(struct monitor *m)
{
	static const char *const kinds[] = {"RAM", "ROM", "MMIO"};
	size_t count;
	struct mem_region *const *r = mem_regions(m->vm->mem, &count);

	for (size_t i = 0; i < count; i++)
		buf_fmt(&m->out, "0x%010llx-0x%010llx %-4s %s\n", (unsigned long long)r[i]->base,
			(unsigned long long)(r[i]->base + r[i]->size - 1), kinds[r[i]->kind],
			r[i]->name);
}

static void info_intercepts(struct monitor *m)
{
	struct intercept_counts c;

	pe_set_intercept_counts(m->vm->pes, &c);
	buf_fmt(&m->out, "%u sites patched, %u slots, %llu words scanned, %llu given back\n",
		c.sites, c.slots, (unsigned long long)c.words_scanned,
		(unsigned long long)c.restores);
}

static void cmd_stats(struct monitor *m)
{
	struct err e = ERR_INIT;
	bool resume = stop_for_a_moment(m->vm);

	if (!*m->arg)
		buf_str(&m->out, "usage: stats FILE\n");
	else if (stats_write(m->vm, m->arg, m->symbols, &e))
		buf_fmt(&m->out, "%s\n", e.items[0].text);
	err_free(&e);
	if (resume)
		vm_resume(m->vm);
}

struct command {
	const char *name;
	command_fn *fn;
	const char *help;
};

static const struct command infos[] = {
	{"status", info_status, "is it running, on what, for how long"},
	{"cpus", info_cpus, "the PEs: state, level, PC"},
	{"registers", info_registers, "general and EL1 registers of all PEs"},
	{"mtree", info_mtree, "the address map"},
	{"intercepts", info_intercepts, "patched sites and slots"},
};

static command_fn cmd_help, cmd_info;

static const struct command commands[] = {
	{"help", cmd_help, "this list"},
	{"info", cmd_info, "info WHAT: see below"},
	{"stop", cmd_stop, "stop the PEs"},
	{"cont", cmd_cont, "let them go on"},
	{"reg", cmd_reg, "reg NAME...: any register by its name, with its fields"},
	{"stats", cmd_stats, "stats FILE: write the statistics so far, as JSON"},
	{"system_powerdown", cmd_powerdown, "press the power key"},
	{"system_reset", cmd_reset, "reset the machine"},
	{"quit", cmd_quit, "end Obverse at once"},
};

static void list(struct monitor *m, const char *prefix, const struct command *c, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		buf_fmt(&m->out, "%s%-18s %s\n", prefix, c[i].name, c[i].help);
}

static void cmd_help(struct monitor *m)
{
	list(m, "", commands, ARRAY_COUNT(commands));
	list(m, "info ", infos, ARRAY_COUNT(infos));
}

/* Run the command whose name, or an unambiguous beginning of it, @line starts with. */
static bool dispatch(struct monitor *m, const struct command *c, unsigned count, const char *line)
{
	size_t len = strcspn(line, " \t");
	const struct command *found = NULL;

	for (unsigned i = 0; i < count; i++) {
		if (strncmp(c[i].name, line, len))
			continue;
		if (found && strlen(c[i].name) != len)
			return false;
		found = &c[i];
		if (strlen(c[i].name) == len)
			break;
	}
	if (!found)
		return false;
	m->arg = line + len + strspn(line + len, " \t");
	found->fn(m);
	return true;
}

static void cmd_info(struct monitor *m)
{
	if (!*m->arg || !dispatch(m, infos, ARRAY_COUNT(infos), m->arg))
		list(m, "info ", infos, ARRAY_COUNT(infos));
}

static void send_all(int fd, const char *s, size_t len)
{
	while (len) {
		ssize_t n = write(fd, s, len);

		if (n <= 0)
			return; /* a terminal that does not take it loses it */
		s += n;
		len -= n;
	}
}

void monitor_line(struct vm *vm, const char *line, int fd, const struct symtab *symbols)
{
	struct monitor m = {.vm = vm, .out = BUF_INIT, .symbols = symbols, .arg = ""};

	line += strspn(line, " \t");
	if (*line && !dispatch(&m, commands, ARRAY_COUNT(commands), line))
		buf_str(&m.out, "unknown or ambiguous command; try help\n");
	if (m.out.len)
		send_all(fd, m.out.data, m.out.len);
	buf_free(&m.out);
}
