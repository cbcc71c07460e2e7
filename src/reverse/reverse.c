/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the back end: soft's, with another way to run. */
#include "reverse/reverse_int.h"

#include "hv/soft/soft.h"
#include "util/bits.h"
#include "util/err.h"
#include "util/log.h"
#include "util/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void reverse_caps(const struct hv_caps *inner, struct hv_caps *caps)
{
	struct hv_caps c;
	struct err e = ERR_INIT;

	hv_soft_ops.probe(NULL, &c, &e);
	err_free(&e);
	c.max_vcpus = inner->max_vcpus < c.max_vcpus ? inner->max_vcpus : c.max_vcpus;
	c.ipa_bits = inner->ipa_bits;
	c.page_size = inner->page_size;
	c.zva_bytes = inner->zva_bytes;
	c.counter_hz = inner->counter_hz;
	c.maps_devices = inner->maps_devices;
	c.virtual_time = false;
	memcpy(c.host, inner->host, sizeof(c.host));
	*caps = c;
}

/* ---- VM ---- */

static void vm_destroy(struct hv_vm *soft)
{
	struct reverse *r = soft ? reverse_of(soft) : NULL;

	if (!r)
		return;
	deadline_stop(r);
	for (unsigned i = 0; i < VIEW_COUNT; i++) {
		if (r->vm[i])
			r->inner->vm_destroy(r->vm[i]);
	}
	if (r->hidden.host)
		munmap(r->hidden.host, REVERSE_HIDDEN);
	code_fini(&r->code);
	search_fini(r);
	ptimer_fini(r);
	free(r->divert);
	pthread_mutex_destroy(&r->hidden.lock);
	pthread_mutex_destroy(&r->lock);
	hv_soft_ops.vm_destroy(soft);
	free(r->options);
	free(r);
}

static uint32_t original(void *opaque, uint32_t word)
{
	const struct reverse *r = opaque;

	return code_original(&r->code, word);
}

/* Hidden memory, at the end of the physical address space, and below it the page of exits. */
static int set_up_hidden(struct reverse *r, enum hv_strategy strategy, struct err *e)
{
	void *p = mmap(NULL, REVERSE_HIDDEN, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint32_t *stub;

	pthread_mutex_init(&r->hidden.lock, NULL);
	if (p == MAP_FAILED)
		return err_set(e, -errno, "--hv", "no memory for translation tables: %s",
			       strerror(errno));
	r->hidden.host = p;
	r->hidden.gpa = (1ULL << r->ipa_bits) - REVERSE_HIDDEN;
	r->exit_gpa = r->hidden.gpa - REVERSE_PAGE;
	stub = hidden_page(&r->hidden, &r->stub_gpa);
	r->stub = stub_emit(stub);
	r->divert = divert_create(&r->hidden, r->soft, strategy == HV_STRATEGY_DIVERT);
	if (!r->divert)
		return err_set(e, -ENOMEM, "--hv", "no memory for diversions");
	r->code.divert = r->divert;
	r->code.recode = strategy != HV_STRATEGY_BRK;
	r->code.stub = &r->stub;
	return 0;
}

static int vm_create(const struct hv_vm_config *cfg, struct hv_vm **out, struct err *e)
{
	struct hv_vm_config soft = {.ipa_bits = cfg->ipa_bits,
				    .els = cfg->els,
				    .model = cfg->model,
				    .watch = cfg->watch,
				    .host_counter = true};
	struct reverse *r = xcalloc(1, sizeof(*r));
	int error = hv_soft_ops.vm_create(&soft, &r->soft, e);

	if (error) {
		free(r);
		return error;
	}
	r->inner = cfg->inner;
	r->options = cfg->options ? xstrdup(cfg->options) : NULL;
	r->ipa_bits = cfg->ipa_bits;
	pthread_mutex_init(&r->lock, NULL);
	search_init(r);
	code_init(&r->code, &r->hidden);
	r->soft->hooks_opaque = r;
	r->soft->original = original;
	r->soft->notify = reverse_notify;
	r->soft->fetch_fp = view_fp_to_soft;
	error = deadline_start(r);
	if (error)
		err_set(e, error, "--hv", "cannot create a thread: %s", strerror(-error));
	if (!error)
		error = host_limits(r, e);
	if (!error)
		error = set_up_hidden(r, cfg->strategy, e);
	if (error)
		vm_destroy(r->soft);
	else
		*out = r->soft;
	return error;
}

/* ---- memory ---- */

static int map_in(struct reverse *r, enum view_kind kind, unsigned n)
{
	int error = r->inner->mem_map(r->vm[kind], r->regions[n].gpa, r->regions[n].host,
				      r->regions[n].len, r->regions[n].prot & ~(unsigned)HV_SECURE);

	if (!error)
		r->regions[n].views |= 1U << kind;
	return error;
}

/* Managed views get memory when they first name it. To soft the registers of a device are no memory, so their shadows
 * have them already. */
static bool is_due(enum view_kind kind, unsigned prot)
{
	return view_sees(kind, prot) && (kind >= VIEW_MANAGED || prot & HV_DEVICE);
}

int reverse_map_all(struct reverse *r, enum view_kind kind)
{
	int error = 0;

	for (unsigned n = 0; n < SOFT_REGIONS && !error; n++) {
		if (r->regions[n].len && is_due(kind, r->regions[n].prot))
			error = map_in(r, kind, n);
	}
	return error;
}

bool reverse_memory_ready(struct reverse *r, enum view_kind kind, uint64_t pa)
{
	bool ready = false;

	pthread_mutex_lock(&r->lock);
	for (unsigned n = 0; n < SOFT_REGIONS && !ready; n++) {
		if (pa - r->regions[n].gpa < r->regions[n].len &&
		    view_sees(kind, r->regions[n].prot))
			ready = bit(r->regions[n].views, kind) || !map_in(r, kind, n);
	}
	pthread_mutex_unlock(&r->lock);
	return ready;
}

/* What is executed from copies does not name the addresses that come or go. */
static void forget_copies(struct reverse *r, const void *host, uint64_t len)
{
	if (!code_is_active_within(&r->code, host, len))
		return;
	for (unsigned i = 0; i < SOFT_MAX_CPUS; i++) {
		struct hv_vcpu *v = __atomic_load_n(&r->soft->cpu[i], __ATOMIC_ACQUIRE);

		if (v)
			soft_tlb_request(v, NULL);
	}
}

static int mem_map(struct hv_vm *soft, uint64_t gpa, void *host, uint64_t len, unsigned prot)
{
	struct reverse *r = reverse_of(soft);
	unsigned n = 0;
	int error;

	if (gpa + len > r->exit_gpa)
		return -ERANGE;
	pthread_mutex_lock(&r->lock);
	while (n < SOFT_REGIONS && r->regions[n].len)
		n++;
	error = n < SOFT_REGIONS ? 0 : -ENOSPC;
	if (!error && !(prot & HV_DEVICE))
		error = hv_soft_ops.mem_map(soft, gpa, host, len, prot);
	if (!error) {
		r->regions[n].gpa = gpa;
		r->regions[n].len = len;
		r->regions[n].host = host;
		r->regions[n].prot = prot;
		r->regions[n].views = 0;
		for (enum view_kind i = 0; i < VIEW_COUNT && !error; i++) {
			if (r->vm[i] && is_due(i, prot))
				error = map_in(r, i, n);
		}
	}
	pthread_mutex_unlock(&r->lock);
	return error;
}

static int mem_unmap(struct hv_vm *soft, uint64_t gpa, uint64_t len)
{
	struct reverse *r = reverse_of(soft);
	int error = -ENOENT;

	pthread_mutex_lock(&r->lock);
	for (unsigned n = 0; n < SOFT_REGIONS; n++) {
		if (r->regions[n].len != len || r->regions[n].gpa != gpa)
			continue;
		r->regions[n].len = 0;
		for (unsigned i = 0; i < VIEW_COUNT; i++) {
			if (bit(r->regions[n].views, i))
				r->inner->mem_unmap(r->vm[i], gpa, len);
		}
		error = 0;
		if (r->regions[n].prot & HV_DEVICE)
			break;
		error = hv_soft_ops.mem_unmap(soft, gpa, len);
		forget_copies(r, r->regions[n].host, len);
		break;
	}
	pthread_mutex_unlock(&r->lock);
	return error;
}

static void set_intercept(struct hv_vm *soft, hv_wants_fn *wants, void *opaque)
{
	hv_soft_ops.set_intercept(soft, wants, opaque);
}

static void smc_exits(struct hv_vm *soft, bool exits)
{
	hv_soft_ops.smc_exits(soft, exits);
}

/* ---- vCPU ---- */

static int vcpu_reset(struct hv_vcpu *v)
{
	int error = hv_soft_ops.vcpu_reset(v);

	view_reset(reverse_pe(v));
	return error;
}

static int vcpu_create(struct hv_vm *soft, unsigned index, struct hv_vcpu **out, struct err *e)
{
	struct reverse *r = reverse_of(soft);
	int error = hv_soft_ops.vcpu_create(soft, index, out, e);

	if (error)
		return error;
	r->pe[index].r = r;
	r->pe[index].soft = *out;
	return vcpu_reset(*out);
}

static void vcpu_destroy(struct hv_vcpu *v)
{
	struct reverse_pe *p = reverse_pe(v);

	deadline_set(p, 0, NULL);
	LOG(hv,
	    "reverse: pe%u: %llu entries, %llu page faults, %llu pages of code, %llu instructions "
	    "by soft, %llu MMIO, "
	    "%llu kicks",
	    v->s.index, (unsigned long long)p->stats.entries, (unsigned long long)p->stats.faults,
	    (unsigned long long)p->stats.code_faults, (unsigned long long)p->stats.steps,
	    (unsigned long long)p->stats.mmio, (unsigned long long)p->stats.kicks);
	pthread_mutex_lock(&p->r->lock); /* whoever searches may be about to kick it */
	view_destroy(p);
	pthread_mutex_unlock(&p->r->lock);
	hv_soft_ops.vcpu_destroy(v);
}

static int wait_for_interrupt(struct hv_vcpu *v)
{
	return hv_soft_ops.wait_for_interrupt(v);
}

static void kick(struct hv_vcpu *v)
{
	hv_soft_ops.kick(v);
}

/* ---- after an MMIO exit ---- */

static int mmio_done(struct hv_vcpu *v, uint64_t value)
{
	struct reverse_pe *p = reverse_pe(v);

	if (!p->mmio)
		return hv_soft_ops.mmio_done(v, value);
	p->mmio = false;
	return p->r->inner->mmio_done(p->at->vcpu, value);
}

/* A native system takes the abort in its vCPU, unless it is for a higher level. */
static bool takes_abort(const struct reverse_pe *p)
{
	struct arm_route r = soft_route(&p->soft->c);

	return view_is_native(p->at) && arm_route_external_abort(&r, false) == 1;
}

/* Otherwise nobody is to see what the vCPU makes of it: soft carries out the instruction, which aborts again. */
static int mmio_abort(struct hv_vcpu *v)
{
	struct reverse_pe *p = reverse_pe(v);
	struct view *w = p->at;
	int error;

	if (!p->mmio)
		return hv_soft_ops.mmio_abort(v);
	p->mmio = false;
	if (takes_abort(p))
		return p->r->inner->mmio_abort(w->vcpu);
	view_pull(p);
	error = p->r->inner->mmio_abort(w->vcpu);
	w->known = false;
	p->step = p->access = true;
	return error;
}

/* ---- registers ---- */

/* During an MMIO exit the inner vCPU has the state and must keep it; and the few registers that are asked for when a
 * native view is left need not bring all others along. */
static bool is_live(const struct reverse_pe *p, uint32_t id, bool write)
{
	bool native = p->place == IN_VCPU && view_is_native(p->at);

	if (REG_CLASS(id) == REG_CLASS_X || id == REG_PC)
		return p->mmio || native;
	return native && !write && id == REG_PSTATE;
}

/* Not moved between views and soft. */
static bool is_soft(uint32_t id)
{
	return REG_CLASS(id) == REG_CLASS_SYS && !native_has(REG_NUMBER(id));
}

static int get_reg(struct hv_vcpu *v, uint32_t id, uint64_t *value)
{
	struct reverse_pe *p = reverse_pe(v);

	if (is_live(p, id, false))
		return p->r->inner->get_reg(p->at->vcpu, id, value);
	if (!p->mmio && !is_soft(id))
		view_pull(p);
	if (id == REG_FPCR || id == REG_FPSR)
		view_move_fp(p, NULL);
	return hv_soft_ops.get_reg(v, id, value);
}

static int set_reg(struct hv_vcpu *v, uint32_t id, uint64_t value)
{
	struct reverse_pe *p = reverse_pe(v);

	if (is_live(p, id, true))
		return p->r->inner->set_reg(p->at->vcpu, id, value);
	if (!p->mmio)
		view_pull(p);
	if (id == REG_FPCR || id == REG_FPSR)
		view_move_fp(p, NULL);
	if (REG_CLASS(id) == REG_CLASS_SYS)
		view_forget_constants(p);
	return hv_soft_ops.set_reg(v, id, value);
}

static int get_vreg(struct hv_vcpu *v, unsigned n, uint64_t value[2])
{
	view_move_fp(reverse_pe(v), NULL);
	return hv_soft_ops.get_vreg(v, n, value);
}

static int set_vreg(struct hv_vcpu *v, unsigned n, const uint64_t value[2])
{
	view_move_fp(reverse_pe(v), NULL);
	return hv_soft_ops.set_vreg(v, n, value);
}

static int irq(struct hv_vcpu *v, enum hv_line line, bool level)
{
	return hv_soft_ops.irq(v, line, level);
}

static uint32_t timer_levels(struct hv_vcpu *v)
{
	return hv_soft_ops.timer_levels(v);
}

static int debug(struct hv_vcpu *v, unsigned flags)
{
	view_pull(reverse_pe(v));
	return hv_soft_ops.debug(v, flags);
}

static int probe(const char *options, struct hv_caps *caps, struct err *e)
{
	return err_set(e, -EINVAL, "--hv", "not a back end of its own");
}

const struct hv_ops hv_reverse_ops = {
	.name = "reverse",
	.doc = "all exception levels on a back end that has EL1 and EL0",
	.probe = probe,
	.vm_create = vm_create,
	.vm_destroy = vm_destroy,
	.set_intercept = set_intercept,
	.smc_exits = smc_exits,
	.mem_map = mem_map,
	.mem_unmap = mem_unmap,
	.vcpu_create = vcpu_create,
	.vcpu_destroy = vcpu_destroy,
	.vcpu_reset = vcpu_reset,
	.run = reverse_run,
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
