/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/fake/fake.h"

#include "util/xalloc.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEP_REGS = 8, IDLE_TIMEOUT_S = 10 };

struct step {
	struct hv_exit exit;
	struct fake_reg regs[STEP_REGS];
	unsigned reg_count;
};

struct hv_vcpu {
	struct hv_vm *vm;
	bool exists, idle, kicked;
	bool waiting;	/* for a line */
	unsigned lines; /* bit n: enum hv_line */
	pthread_t owner;
	uint32_t timers;
	struct step steps[FAKE_EXITS];
	unsigned step_count, next_step;
	struct fake_reg regs[FAKE_REGS];
	unsigned reg_count;
	uint64_t v[32][2];
	struct fake_call calls[FAKE_CALLS];
	unsigned call_count;
};

/* `lock` guards everything; `changed` is broadcast on kicks, queued exits and idleness. */
struct hv_vm {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct hv_vcpu vcpu[FAKE_VCPUS];
	struct fake_map maps[FAKE_MAPS];
	unsigned map_count;
};

static struct hv_vcpu *lock_vcpu(struct hv_vm *vm, unsigned index)
{
	CHECK(index < FAKE_VCPUS);
	pthread_mutex_lock(&vm->lock);
	return &vm->vcpu[index];
}

static void record(struct hv_vcpu *c, enum fake_what what, uint64_t a, uint64_t b)
{
	if (c->call_count < FAKE_CALLS)
		c->calls[c->call_count++] = (struct fake_call){what, a, b};
}

static void record_locked(struct hv_vcpu *c, enum fake_what what, uint64_t a, uint64_t b)
{
	pthread_mutex_lock(&c->vm->lock);
	record(c, what, a, b);
	pthread_mutex_unlock(&c->vm->lock);
}

static uint64_t *find_reg(struct hv_vcpu *c, uint32_t id, bool create)
{
	for (unsigned i = 0; i < c->reg_count; i++) {
		if (c->regs[i].id == id)
			return &c->regs[i].value;
	}
	if (!create)
		return NULL;
	CHECK(c->reg_count < FAKE_REGS);
	c->regs[c->reg_count] = (struct fake_reg){id, 0};
	return &c->regs[c->reg_count++].value;
}

/* ---- the test's side ---- */

void fake_queue(struct hv_vm *vm, unsigned index, const struct hv_exit *exit,
		const struct fake_reg *regs, unsigned reg_count)
{
	struct hv_vcpu *c = lock_vcpu(vm, index);
	struct step *s = &c->steps[c->step_count];

	CHECK(c->step_count < FAKE_EXITS && reg_count <= STEP_REGS);
	c->step_count++;
	s->exit = *exit;
	s->reg_count = reg_count;
	if (reg_count)
		memcpy(s->regs, regs, reg_count * sizeof(*regs));
	c->idle = false;
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->lock);
}

bool fake_wait_idle(struct hv_vm *vm, unsigned index)
{
	struct hv_vcpu *c = lock_vcpu(vm, index);
	struct timespec until;
	int r = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += IDLE_TIMEOUT_S;
	while (!c->idle && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&vm->changed, &vm->lock, &until);
	pthread_mutex_unlock(&vm->lock);
	return r != ETIMEDOUT;
}

uint64_t fake_get(struct hv_vm *vm, unsigned index, uint32_t id)
{
	const uint64_t *r = find_reg(lock_vcpu(vm, index), id, false);
	uint64_t value = r ? *r : 0;

	pthread_mutex_unlock(&vm->lock);
	return value;
}

void fake_set(struct hv_vm *vm, unsigned index, uint32_t id, uint64_t value)
{
	*find_reg(lock_vcpu(vm, index), id, true) = value;
	pthread_mutex_unlock(&vm->lock);
}

void fake_set_timers(struct hv_vm *vm, unsigned index, uint32_t levels)
{
	lock_vcpu(vm, index)->timers = levels;
	pthread_mutex_unlock(&vm->lock);
}

unsigned fake_calls(struct hv_vm *vm, unsigned index, enum fake_what what, struct fake_call *out,
		    unsigned max)
{
	struct hv_vcpu *c = lock_vcpu(vm, index);
	unsigned n = 0;

	for (unsigned i = 0; i < c->call_count; i++) {
		if (c->calls[i].what != what)
			continue;
		if (n < max)
			out[n] = c->calls[i];
		n++;
	}
	pthread_mutex_unlock(&vm->lock);
	return n;
}

bool fake_mapping(struct hv_vm *vm, uint64_t gpa, struct fake_map *out)
{
	bool found = false;

	pthread_mutex_lock(&vm->lock);
	for (unsigned i = 0; i < vm->map_count && !found; i++) {
		found = gpa - vm->maps[i].gpa < vm->maps[i].len;
		if (found)
			*out = vm->maps[i];
	}
	pthread_mutex_unlock(&vm->lock);
	return found;
}

/* ---- struct hv_ops ---- */

static int probe(const char *options, struct hv_caps *caps, struct err *e)
{
	*caps = (struct hv_caps){
		.native_els = 3,
		.max_vcpus = FAKE_VCPUS,
		.ipa_bits = 40,
		.page_size = 4096,
		.undef_icc = true,
		.smccc_exits = true,
		.wait_for_interrupt = true,
		.dcache_coherent_off = true,
		.zva_bytes = 64,
		.counter_hz = 62500000,
	};
	snprintf(caps->host, sizeof(caps->host), "fake");
	return 0;
}

static int vm_create(const struct hv_vm_config *cfg, struct hv_vm **out, struct err *e)
{
	struct hv_vm *vm = xcalloc(1, sizeof(*vm));

	pthread_mutex_init(&vm->lock, NULL);
	pthread_cond_init(&vm->changed, NULL);
	for (unsigned i = 0; i < FAKE_VCPUS; i++)
		vm->vcpu[i].vm = vm;
	*out = vm;
	return 0;
}

static void vm_destroy(struct hv_vm *vm)
{
	if (!vm)
		return;
	pthread_cond_destroy(&vm->changed);
	pthread_mutex_destroy(&vm->lock);
	free(vm);
}

static int mem_map(struct hv_vm *vm, uint64_t gpa, void *host, uint64_t len, unsigned prot)
{
	int r = -ENOSPC;

	if ((gpa | len | (uintptr_t)host) & 4095 || !len || gpa + len < gpa)
		return -EINVAL;
	pthread_mutex_lock(&vm->lock);
	if (vm->map_count < FAKE_MAPS) {
		vm->maps[vm->map_count++] = (struct fake_map){gpa, len, host, prot};
		r = 0;
	}
	pthread_mutex_unlock(&vm->lock);
	return r;
}

static int mem_unmap(struct hv_vm *vm, uint64_t gpa, uint64_t len)
{
	int r = -ENOENT;

	pthread_mutex_lock(&vm->lock);
	for (unsigned i = 0; i < vm->map_count && r; i++) {
		if (vm->maps[i].gpa != gpa || vm->maps[i].len != len)
			continue;
		vm->maps[i] = vm->maps[--vm->map_count];
		r = 0;
	}
	pthread_mutex_unlock(&vm->lock);
	return r;
}

static int vcpu_create(struct hv_vm *vm, unsigned index, struct hv_vcpu **out, struct err *e)
{
	struct hv_vcpu *c;
	int r = 0;

	if (index >= FAKE_VCPUS)
		return -EINVAL;
	c = lock_vcpu(vm, index);
	if (c->exists)
		r = -EEXIST;
	c->exists = true;
	c->owner = pthread_self();
	*find_reg(c, REG_PSTATE, true) = 0x3c5; /* EL1h, DAIF masked */
	pthread_mutex_unlock(&vm->lock);
	*out = c;
	return r;
}

static void vcpu_destroy(struct hv_vcpu *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->vm->lock);
	c->exists = false;
	pthread_mutex_unlock(&c->vm->lock);
}

/* Some back ends do not work otherwise. */
static void check_thread(const struct hv_vcpu *c)
{
	CHECK(pthread_equal(c->owner, pthread_self()));
}

static int vcpu_reset(struct hv_vcpu *c)
{
	pthread_mutex_lock(&c->vm->lock);
	record(c, FAKE_RESET, 0, 0);
	c->waiting = false;
	c->reg_count = 0;
	memset(c->v, 0, sizeof(c->v));
	*find_reg(c, REG_PSTATE, true) = 0x3c5;
	pthread_mutex_unlock(&c->vm->lock);
	return 0;
}

static void report_next(struct hv_vcpu *c, struct hv_exit *exit)
{
	const struct step *s = &c->steps[c->next_step++];

	for (unsigned i = 0; i < s->reg_count; i++)
		*find_reg(c, s->regs[i].id, true) = s->regs[i].value;
	*exit = s->exit;
}

static bool has_exit(const struct hv_vcpu *c)
{
	return c->kicked || (c->waiting ? c->lines != 0 : c->next_step < c->step_count);
}

static void run(struct hv_vcpu *c, struct hv_exit *exit)
{
	pthread_mutex_lock(&c->vm->lock);
	while (!has_exit(c)) {
		c->idle = true;
		pthread_cond_broadcast(&c->vm->changed);
		pthread_cond_wait(&c->vm->changed, &c->vm->lock);
	}
	c->idle = false;
	if (c->kicked)
		*exit = (struct hv_exit){.kind = HV_EXIT_KICK};
	else if (c->waiting)
		*exit = (struct hv_exit){.kind = HV_EXIT_WAKE};
	else
		report_next(c, exit);
	c->waiting = c->waiting && c->kicked;
	c->kicked = false;
	record(c, FAKE_RUN, exit->kind, 0);
	pthread_mutex_unlock(&c->vm->lock);
}

static int wait_for_interrupt(struct hv_vcpu *c)
{
	check_thread(c);
	pthread_mutex_lock(&c->vm->lock);
	record(c, FAKE_WAIT, 0, 0);
	c->waiting = true;
	pthread_mutex_unlock(&c->vm->lock);
	return 0;
}

static void kick(struct hv_vcpu *c)
{
	pthread_mutex_lock(&c->vm->lock);
	record(c, FAKE_KICK, 0, 0);
	c->kicked = true;
	c->idle = false;
	pthread_cond_broadcast(&c->vm->changed);
	pthread_mutex_unlock(&c->vm->lock);
}

static int mmio_done(struct hv_vcpu *c, uint64_t value)
{
	record_locked(c, FAKE_MMIO_DONE, value, 0);
	return 0;
}

static int mmio_abort(struct hv_vcpu *c)
{
	record_locked(c, FAKE_MMIO_ABORT, 0, 0);
	return 0;
}

static int get_reg(struct hv_vcpu *c, uint32_t id, uint64_t *value)
{
	const uint64_t *r;

	check_thread(c);
	pthread_mutex_lock(&c->vm->lock);
	r = find_reg(c, id, false);
	*value = r ? *r : 0;
	pthread_mutex_unlock(&c->vm->lock);
	return 0;
}

static int set_reg(struct hv_vcpu *c, uint32_t id, uint64_t value)
{
	check_thread(c);
	pthread_mutex_lock(&c->vm->lock);
	*find_reg(c, id, true) = value;
	pthread_mutex_unlock(&c->vm->lock);
	return 0;
}

static int get_vreg(struct hv_vcpu *c, unsigned n, uint64_t value[2])
{
	CHECK(n < 32);
	memcpy(value, c->v[n], sizeof(c->v[n]));
	return 0;
}

static int set_vreg(struct hv_vcpu *c, unsigned n, const uint64_t value[2])
{
	CHECK(n < 32);
	memcpy(c->v[n], value, sizeof(c->v[n]));
	return 0;
}

static int irq(struct hv_vcpu *c, enum hv_line line, bool level)
{
	pthread_mutex_lock(&c->vm->lock);
	record(c, FAKE_IRQ, line, level);
	c->lines = (c->lines & ~(1U << line)) | (unsigned)level << line;
	pthread_cond_broadcast(&c->vm->changed);
	pthread_mutex_unlock(&c->vm->lock);
	return 0;
}

static uint32_t timer_levels(struct hv_vcpu *c)
{
	uint32_t levels;

	pthread_mutex_lock(&c->vm->lock);
	levels = c->timers;
	pthread_mutex_unlock(&c->vm->lock);
	return levels;
}

static int debug(struct hv_vcpu *c, unsigned flags)
{
	record_locked(c, FAKE_DEBUG, flags, 0);
	return 0;
}

const struct hv_ops hv_fake_ops = {
	.name = "fake",
	.doc = "scripted exits, for unit tests",
	.probe = probe,
	.vm_create = vm_create,
	.vm_destroy = vm_destroy,
	.mem_map = mem_map,
	.mem_unmap = mem_unmap,
	.vcpu_create = vcpu_create,
	.vcpu_destroy = vcpu_destroy,
	.vcpu_reset = vcpu_reset,
	.run = run,
	.wait_for_interrupt = wait_for_interrupt,
	.kick = kick,
	.mmio_done = mmio_done,
	.mmio_abort = mmio_abort,
	.get_reg = get_reg,
	.set_reg = set_reg,
	.get_vreg = get_vreg,
	.set_vreg = set_vreg,
	.irq = irq,
	.timer_levels = timer_levels,
	.debug = debug,
};
