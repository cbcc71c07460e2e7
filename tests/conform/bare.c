/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A conformance guest on a bare vCPU: the least machine that lets `answers` speak, through hv.h and without anything
 * of Obverse's in between, to see what the back end itself answers.
 *
 * usage: bare NAME[,OPTIONS] GUEST.img BOARD.dtb
 *
 * RAM, and a UART that takes characters. Calls that exit are answered with a number of our own; BRK goes back to the guest; a
 * system register that exits by itself (HV_EXIT_INTERCEPT) is given to the guest as if trapped, EC 0x18.
 */
#include "arm/exc.h"
#include "arm/sysreg.h"
#include "hv/hv.h"
#include "util/bits.h"
#include "util/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { RAM_SIZE = 64 << 20, IMAGE_AT = 2 << 20, DTB_AT = 48 << 20 };
#define RAM_BASE  0x40000000ULL
#define UART_BASE 0x09000000ULL
#define EXITED	  0xe817ULL /* an answer that no host gives */

struct machine {
	const struct hv_ops *hv;
	struct hv_vm *vm;
	struct hv_vcpu *cpu;
	uint8_t *ram;
	char line[8]; /* its beginning */
	size_t length;
	unsigned totals; /* lines "guest: ": the first one and the last */
};

static uint64_t get(struct machine *m, uint32_t id)
{
	uint64_t value = 0;

	m->hv->get_reg(m->cpu, id, &value);
	return value;
}

static void set(struct machine *m, uint32_t id, uint64_t value)
{
	m->hv->set_reg(m->cpu, id, value);
}

static void uart(struct machine *m, char c)
{
	putchar(c);
	if (c == '\n') {
		m->totals += m->length >= 7 && !strncmp(m->line, "guest: ", 7);
		m->length = 0;
		return;
	}
	if (m->length < sizeof(m->line) - 1)
		m->line[m->length] = c;
	m->length++;
}

static void inject(struct machine *m, uint32_t esr)
{
	struct arm_exc exc = {.kind = ARM_EXC_SYNC, .target_el = 1, .esr = esr};
	struct arm_exc_env env = {.vbar = get(m, REG_SYS(SYS_VBAR_EL1)),
				  .sctlr = get(m, REG_SYS(SYS_SCTLR_EL1))};
	struct arm_exc_entry in;

	arm_take_exception(&exc, &env, get(m, REG_PSTATE), get(m, REG_PC), &in);
	set(m, REG_ELR_EL1, in.elr);
	set(m, REG_SPSR_EL1, in.spsr);
	set(m, REG_SYS(SYS_ESR_EL1), in.esr);
	set(m, REG_PSTATE, in.pstate);
	set(m, REG_PC, in.pc);
}

/* ---- exits ---- */

static void mmio(struct machine *m, const struct hv_exit *x)
{
	if (x->mmio.is_write && x->mmio.ipa == UART_BASE)
		uart(m, (char)x->mmio.value);
	m->hv->mmio_done(m->cpu, 0);
}

static uint32_t trap_of(uint32_t word)
{
	uint16_t code = SYSREG(bits(word, 20, 19), bits(word, 18, 16), bits(word, 15, 12),
			       bits(word, 11, 8), bits(word, 7, 5));

	return arm_esr_sysreg(code, bits(word, 4, 0), bit(word, 21));
}

/* False: the end. */
static bool handle(struct machine *m, const struct hv_exit *x)
{
	switch (x->kind) {
	case HV_EXIT_KICK:
		break;
	case HV_EXIT_MMIO:
		mmio(m, x);
		break;
	case HV_EXIT_BRK:
		inject(m, arm_esr_brk(x->brk.imm));
		break;
	case HV_EXIT_INTERCEPT:
		inject(m, trap_of(x->intercept.word));
		break;
	case HV_EXIT_HVC:
	case HV_EXIT_SMC:
		set(m, REG_X(0), EXITED);
		break;
	default:
		fprintf(stderr, "bare: exit %d at 0x%llx %s\n", x->kind,
			(unsigned long long)get(m, REG_PC),
			x->kind == HV_EXIT_FAIL ? x->fail.text : "");
		return false;
	}
	return m->totals < 2;
}

/* ---- set-up ---- */

static bool load(struct machine *m, const char *path, size_t at, size_t room)
{
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(m->ram + at, 1, room, f) : 0;

	if (f)
		fclose(f);
	if (!n)
		fprintf(stderr, "bare: cannot read %s\n", path);
	return n;
}

static bool create(struct machine *m, char *name, struct err *e)
{
	char *options = strchr(name, ',');
	struct hv_caps caps;

	if (options)
		*options++ = '\0';
	m->hv = hv_find(name);
	if (!m->hv || m->hv->probe(options, &caps, e))
		return false;
	return !m->hv->vm_create(
		       &(struct hv_vm_config){.options = options,
					      .ipa_bits = caps.ipa_bits < 40 ? caps.ipa_bits : 40,
					      .els = 3},
		       &m->vm, e) &&
	       !m->hv->mem_map(m->vm, RAM_BASE, m->ram, RAM_SIZE, HV_READ | HV_WRITE | HV_EXEC) &&
	       !m->hv->vcpu_create(m->vm, 0, &m->cpu, e);
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct machine m = {0};
	struct hv_exit x;

	if (argc != 4) {
		fprintf(stderr, "usage: bare NAME[,OPTIONS] GUEST.img BOARD.dtb\n");
		return 2;
	}
	m.ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (m.ram == MAP_FAILED || !load(&m, argv[2], IMAGE_AT, DTB_AT - IMAGE_AT) ||
	    !load(&m, argv[3], DTB_AT, RAM_SIZE - DTB_AT))
		return 1;
	if (!create(&m, argv[1], &e)) {
		err_print(&e, stderr);
		return 1;
	}
	set(&m, REG_PC, RAM_BASE + IMAGE_AT);
	set(&m, REG_X(0), RAM_BASE + DTB_AT);
	do {
		m.hv->run(m.cpu, &x);
	} while (handle(&m, &x));
	m.hv->vcpu_destroy(m.cpu);
	m.hv->vm_destroy(m.vm);
	munmap(m.ram, RAM_SIZE);
	err_free(&e);
	return m.totals == 2 ? 0 : 1;
}
