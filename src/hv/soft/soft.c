/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Back end `soft`: an AArch64 CPU of our own, for any host.
 *
 * Options (--hv soft,NAME=VALUE,...): els=1 stands in for an ordinary hypervisor, whose vCPU has EL1 and EL0
 * only and knows nothing of interception, so that guest code is patched as there; like=NAME says for which one, and
 * core=NAME on which CPU.
 */
#include "hv/soft/soft.h"

#include "arm/model.h"
#include "host/clock.h"
#include "host/counter.h"
#include "hv/soft/sys.h"
#include "util/bits.h"
#include "util/err.h"
#include "util/xalloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define CNTP_CTL_EL0  SYSREG(3, 3, 14, 2, 1)
#define CNTP_CVAL_EL0 SYSREG(3, 3, 14, 2, 2)

/* ---- probing ---- */

struct options {
	const struct soft_like *like; /* NULL: the whole CPU */
	const struct arm_model *core; /* NULL: the engine's own */
};

enum { OPTIONS_MAX = 127 };

static int bad_like(const char *name, struct err *e)
{
	int r = err_set(e, -EINVAL, "--hv", "soft has no stand-in for \"%s\"", name);

	err_hint(e, "like= is one of %s", soft_like_names);
	return r;
}

static int bad_option(const char *option, struct err *e)
{
	int r = err_set(e, -EINVAL, "--hv", "soft does not know the option \"%s\"", option);

	err_hint(e, "options of soft: core=NAME; els=1, and with that like=NAME, one of %s",
		 soft_like_names);
	return r;
}

static int bad_core(const char *name, struct err *e)
{
	int r = err_set(e, -EINVAL, "--hv", "soft does not know the core \"%s\"", name);

	err_hint(
		e,
		"core= is one of cortex-a53, cortex-a57, cortex-a72, cortex-a76, neoverse-n1, max");
	return r;
}

static int parse_options(const char *text, struct options *o, struct err *e)
{
	char copy[OPTIONS_MAX + 1], *rest = copy, *option;
	const char *like = NULL, *core = NULL;
	bool els1 = false;

	*o = (struct options){0};
	if (!text || !*text)
		return 0;
	snprintf(copy, sizeof(copy), "%s", text);
	while ((option = strsep(&rest, ","))) {
		if (!strcmp(option, "els=1"))
			els1 = true;
		else if (!strncmp(option, "like=", 5))
			like = option + 5;
		else if (!strncmp(option, "core=", 5))
			core = option + 5;
		else
			return bad_option(option, e);
	}
	if (like && !els1)
		return err_set(e, -EINVAL, "--hv", "soft: like=%s needs els=1 as well", like);
	if (els1)
		o->like = soft_like_find(like ? like : soft_like_default);
	if (core && !(o->core = arm_model_find(core)))
		return bad_core(core, e);
	return els1 && !o->like ? bad_like(like, e) : 0;
}

static int soft_probe(const char *text, struct hv_caps *caps, struct err *e)
{
	struct options o;
	struct utsname u;
	int r = parse_options(text, &o, e);

	if (r)
		return r;
	memset(caps, 0, sizeof(*caps));
	uname(&u);
	caps->native_els = 0xf;
	caps->max_vcpus = SOFT_MAX_CPUS;
	caps->ipa_bits = 48;
	caps->page_size = SOFT_PAGE;
	caps->stage2_exec = true;
	caps->views = true;
	caps->sysreg_traps = true;
	caps->undef_icc = true;
	caps->smccc_exits = true;
	caps->translate_intercept = true;
	caps->dcache_coherent_off = true;
	caps->wait_for_interrupt = true;
	caps->virtual_time = true;
	caps->zva_bytes = 64;
	caps->counter_hz = SOFT_COUNTER_HZ;
	if (o.like)
		soft_like_caps(o.like, caps);
	snprintf(caps->host, sizeof(caps->host), "%.20s %.40s, %.20s%s%s", u.sysname, u.release,
		 u.machine, o.like ? ", like " : "", o.like ? o.like->doc : "");
	return 0;
}

/* ---- VM ---- */

static int soft_vm_create(const struct hv_vm_config *cfg, struct hv_vm **out, struct err *e)
{
	struct options o;
	struct hv_vm *vm;
	int r = parse_options(cfg->options, &o, e);

	if (r)
		return r;
	vm = xcalloc(1, sizeof(*vm));
	vm->els1 = o.like;
	vm->like = o.like;
	vm->els = cfg->els;
	vm->highest_el = cfg->els & 1 << 3 ? 3 : cfg->els & 1 << 2 ? 2 : 1;
	vm->ipa_bits = cfg->ipa_bits;
	vm->clock = cfg->clock;
	vm->start_ns = clock_now_ns(vm->clock);
	vm->model = cfg->model && !o.like ? cfg->model : o.core; /* a host has its own */
	vm->host_counter = cfg->host_counter;
	vm->watch = cfg->watch;
	pthread_mutex_init(&vm->lock, NULL);
	soft_sysreg_init(vm);
	*out = vm;
	return 0;
}

static void soft_vm_destroy(struct hv_vm *vm)
{
	if (!vm)
		return;
	pthread_mutex_destroy(&vm->lock);
	free(vm);
}

static void soft_set_intercept(struct hv_vm *vm, hv_wants_fn *wants, void *opaque)
{
	vm->wants = wants;
	vm->wants_opaque = opaque;
}

static void soft_smc_exits(struct hv_vm *vm, bool exits)
{
	vm->smc_exits = exits;
}

/* The map has changed: no CPU may go on using what it remembers of it. */
static void forget_translations(struct hv_vm *vm, uint64_t gpa, uint64_t len)
{
	const struct soft_tlbi t = {.by_pa = true, .first_pa = gpa, .last_pa = gpa + len - 1};

	for (unsigned i = 0; i < SOFT_MAX_CPUS; i++) {
		if (vm->cpu[i])
			soft_tlb_request(vm->cpu[i], &t);
	}
}

/* Readers take no lock: a region is complete before the count covers it, and one that goes gets length 0
 * before anything else about it changes. Its memory stays, as hv.h demands of the caller. */
static int soft_mem_map(struct hv_vm *vm, uint64_t gpa, void *host, uint64_t len, unsigned prot)
{
	unsigned i;
	int r = -ENOSPC;

	pthread_mutex_lock(&vm->lock);
	for (i = 0; i < vm->region_count; i++) {
		if (!vm->regions[i].len)
			break;
	}
	if (i < SOFT_REGIONS) {
		struct soft_region *n = &vm->regions[i];

		n->gpa = gpa;
		n->host = host;
		n->writable = prot & HV_WRITE;
		n->secure = prot & HV_SECURE;
		__atomic_store_n(&n->len, len, __ATOMIC_RELEASE);
		if (i == vm->region_count)
			__atomic_store_n(&vm->region_count, i + 1, __ATOMIC_RELEASE);
		forget_translations(vm, gpa, len);
		r = 0;
	}
	pthread_mutex_unlock(&vm->lock);
	return r;
}

static int soft_mem_unmap(struct hv_vm *vm, uint64_t gpa, uint64_t len)
{
	int r = -ENOENT;

	pthread_mutex_lock(&vm->lock);
	for (unsigned i = 0; i < vm->region_count; i++) {
		if (vm->regions[i].gpa != gpa || vm->regions[i].len != len)
			continue;
		__atomic_store_n(&vm->regions[i].len, 0, __ATOMIC_RELEASE);
		forget_translations(vm, gpa, len);
		r = 0;
		break;
	}
	pthread_mutex_unlock(&vm->lock);
	return r;
}

/* ---- vCPU ---- */

static int soft_vcpu_reset(struct hv_vcpu *v)
{
	struct soft_cpu *c = &v->c;

	memset(c->x, 0, sizeof(c->x));
	memset(c->v, 0, sizeof(c->v));
	memset(v->s.sp_el, 0, sizeof(v->s.sp_el));
	c->sp = 0;
	c->pc = c->next_pc = 0;
	c->fp = (struct fp_env){0};
	c->excl_valid = false;
	c->nzcv = 0;
	c->pstate = ARM_PSTATE_DAIF | (uint64_t)v->s.vm->highest_el << 2 | ARM_PSTATE_SP;
	v->s.mmio.pending = false;
	v->s.waiting = false;
	v->s.asleep = false;
	v->s.lines = 0;
	v->s.timer_levels = 0;
	v->s.deadline_ns = 0;
	v->s.upper_ng = false;
	v->s.watch_code = v->s.vm->watch;
	soft_sysreg_reset(c);
	if (v->s.vm->host_counter)
		SOFT_REG(c, CNTFRQ_EL0) = host_counter_hz();
	soft_tlb_flush(c);
	soft_mmu_changed(c);
	return 0;
}

static int soft_vcpu_create(struct hv_vm *vm, unsigned index, struct hv_vcpu **out, struct err *e)
{
	pthread_condattr_t monotonic;
	struct hv_vcpu *v;

	if (index >= SOFT_MAX_CPUS)
		return err_set(e, -EINVAL, "--smp", "soft has at most %d CPUs", SOFT_MAX_CPUS);
	v = xcalloc(1, sizeof(*v));
	v->c.sys = &v->s;
	v->s.moved_first = ~0ULL;
	v->s.vm = vm;
	v->s.index = index;
	v->s.debug_flags = HV_DEBUG_BRK; /* as hypervisors are asked to */
	pthread_mutex_init(&v->s.lock, NULL);
	pthread_mutex_init(&v->s.flush_lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&v->s.wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	soft_decode_reset(&v->c);
	soft_vcpu_reset(v);
	pthread_mutex_lock(&vm->lock);
	__atomic_store_n(&vm->cpu[index], v, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&vm->lock);
	*out = v;
	return 0;
}

static void soft_vcpu_destroy(struct hv_vcpu *v)
{
	if (!v)
		return;
	pthread_mutex_lock(&v->s.vm->lock);
	v->s.vm->cpu[v->s.index] = NULL;
	pthread_mutex_unlock(&v->s.vm->lock);
	pthread_cond_destroy(&v->s.wake);
	pthread_mutex_destroy(&v->s.lock);
	pthread_mutex_destroy(&v->s.flush_lock);
	free(v);
}

static int soft_wait_for_interrupt(struct hv_vcpu *v)
{
	v->s.waiting = true;
	return 0;
}

/* ---- after an MMIO exit ---- */

static uint64_t extended(const struct hv_vcpu *v, uint64_t value)
{
	unsigned width = v->s.mmio.size * 8;

	if (width < 64)
		value &= (1ULL << width) - 1;
	if (v->s.mmio.sign)
		value = (uint64_t)sign_extend(value, width);
	return v->s.mmio.dst64 ? value : (uint32_t)value;
}

static int soft_mmio_done(struct hv_vcpu *v, uint64_t value)
{
	if (!v->s.mmio.pending)
		return -EINVAL;
	v->s.mmio.pending = false;
	if (!v->s.mmio.is_write) {
		if (v->c.big_endian)
			value = __builtin_bswap64(value) >> (64 - v->s.mmio.size * 8);
		soft_set_x(&v->c, v->s.mmio.rt, extended(v, value));
	}
	v->c.pc += 4;
	return 0;
}

static int soft_mmio_abort(struct hv_vcpu *v)
{
	struct soft_cpu *c = &v->c;

	v->s.mmio.pending = false;
	soft_external_abort(c, v->s.mmio.va, v->s.mmio.is_write);
	c->pc = c->next_pc;
	return 0;
}

/* ---- registers ---- */

static uint64_t *banked_sp(struct hv_vcpu *v, unsigned el)
{
	unsigned current = v->c.pstate & 1 ? soft_el(&v->c) : 0;

	return el == current ? &v->c.sp : &v->s.sp_el[el];
}

static uint64_t *core_reg(struct hv_vcpu *v, uint32_t id)
{
	switch (id) {
	case REG_PC:
		return &v->c.pc;
	case REG_SP_EL0:
		return banked_sp(v, 0);
	case REG_SP_EL1:
		return banked_sp(v, 1);
	case REG_SP_EL2:
		return banked_sp(v, 2);
	case REG_SP_EL3:
		return banked_sp(v, 3);
	case REG_ELR_EL1:
		return &SOFT_REG(&v->c, ELR_EL1);
	case REG_SPSR_EL1:
		return &SOFT_REG(&v->c, SPSR_EL1);
	default:
		return NULL;
	}
}

static int get_core(struct hv_vcpu *v, uint32_t id, uint64_t *value)
{
	const uint64_t *r = core_reg(v, id);

	if (r)
		*value = *r;
	else if (id == REG_PSTATE)
		*value = soft_get_pstate(&v->c);
	else if (id == REG_FPSR)
		*value = v->c.fp.fpsr;
	else if (id == REG_FPCR)
		*value = v->c.fp.fpcr;
	else
		return -ENOENT;
	return 0;
}

static int set_core(struct hv_vcpu *v, uint32_t id, uint64_t value)
{
	uint64_t *r = core_reg(v, id);

	if (r)
		*r = value;
	else if (id == REG_PSTATE)
		soft_set_pstate(&v->c, value);
	else if (id == REG_FPSR)
		v->c.fp.fpsr = value;
	else if (id == REG_FPCR)
		v->c.fp.fpcr = value;
	else
		return -ENOENT;
	return 0;
}

/* Some things that a CPU has, its hypervisor does not show. */
static bool is_hidden(const struct hv_vcpu *v, uint32_t id)
{
	const struct soft_like *like = v->s.vm->like;

	return like && like->hides_cntp &&
	       (id == REG_SYS(CNTP_CTL_EL0) || id == REG_SYS(CNTP_CVAL_EL0));
}

static int soft_get_reg(struct hv_vcpu *v, uint32_t id, uint64_t *value)
{
	if (is_hidden(v, id))
		return -ENOENT;
	switch (REG_CLASS(id)) {
	case REG_CLASS_X:
		if (REG_NUMBER(id) > 30)
			return -ENOENT;
		*value = v->c.x[REG_NUMBER(id)];
		return 0;
	case REG_CLASS_CORE:
		return get_core(v, id, value);
	default:
		return soft_sysreg_get(&v->c, REG_NUMBER(id), value);
	}
}

static int soft_set_reg(struct hv_vcpu *v, uint32_t id, uint64_t value)
{
	if (is_hidden(v, id))
		return -ENOENT;
	switch (REG_CLASS(id)) {
	case REG_CLASS_X:
		if (REG_NUMBER(id) > 30)
			return -ENOENT;
		v->c.x[REG_NUMBER(id)] = value;
		return 0;
	case REG_CLASS_CORE:
		return set_core(v, id, value);
	default:
		return soft_sysreg_set(&v->c, REG_NUMBER(id), value);
	}
}

static int soft_get_vreg(struct hv_vcpu *v, unsigned n, uint64_t value[2])
{
	memcpy(value, v->c.v[n & 31].d, 16);
	return 0;
}

static int soft_set_vreg(struct hv_vcpu *v, unsigned n, const uint64_t value[2])
{
	memcpy(v->c.v[n & 31].d, value, 16);
	return 0;
}

/* ---- lines, timers, debugging: in the vCPU's thread ---- */

static int soft_irq(struct hv_vcpu *v, enum hv_line line, bool level)
{
	unsigned mask = 1U << line;

	v->s.lines = level ? v->s.lines | mask : v->s.lines & ~mask;
	soft_event(&v->c, SOFT_EVENT_LINE);
	return 0;
}

static uint32_t soft_timer_levels(struct hv_vcpu *v)
{
	return v->s.timer_levels;
}

static int soft_debug(struct hv_vcpu *v, unsigned flags)
{
	v->s.debug_flags = flags;
	soft_event(&v->c, SOFT_EVENT_STEP);
	return 0;
}

const struct hv_ops hv_soft_ops = {
	.name = "soft",
	.doc = "an AArch64 CPU in software, on any host; els=1: in place of a hypervisor, "
	       "like=kvm61-vhe, kvm61-nvhe, kvm612 or hvf; core=NAME: the CPU",
	.probe = soft_probe,
	.vm_create = soft_vm_create,
	.vm_destroy = soft_vm_destroy,
	.set_intercept = soft_set_intercept,
	.smc_exits = soft_smc_exits,
	.mem_map = soft_mem_map,
	.mem_unmap = soft_mem_unmap,
	.vcpu_create = soft_vcpu_create,
	.vcpu_destroy = soft_vcpu_destroy,
	.vcpu_reset = soft_vcpu_reset,
	.run = soft_run,
	.wait_for_interrupt = soft_wait_for_interrupt,
	.set_turn = soft_set_turn,
	.instructions = soft_instructions,
	.kick = soft_kick,
	.mmio_done = soft_mmio_done,
	.mmio_abort = soft_mmio_abort,
	.get_reg = soft_get_reg,
	.set_reg = soft_set_reg,
	.get_vreg = soft_get_vreg,
	.set_vreg = soft_set_vreg,
	.irq = soft_irq,
	.timer_levels = soft_timer_levels,
	.debug = soft_debug,
};
