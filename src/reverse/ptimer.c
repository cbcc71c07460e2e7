/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CNTP_* of the vCPU of a native view, where the back end does not show them (KVM before Linux 6.4): the vCPU itself
 * executes a few instructions that move them, with its MMU off, in a page that the guest can see at most. Registers that
 * it needs for that have been saved by the caller or are given back.
 */
#include "reverse/reverse_int.h"

#include "host/icache.h"
#include "util/log.h"

#include <errno.h>
#include <sys/mman.h>

enum {
	PAGE_BYTES = 64 << 10, /* of any host */
	FETCH = 0,	       /* words from the beginning */
	STORE = 4,
	TRIES = 1000,
	EL1H_MASKED = 0x3c5,
};

#define SCTLR_EL1 SYSREG(3, 0, 1, 0, 0)

static const uint32_t code[] = {
	[FETCH] = 0xd53be220, /* MRS X0, CNTP_CTL_EL0 */
	0xd53be241,	      /* MRS X1, CNTP_CVAL_EL0 */
	0xd4200000,	      /* BRK #0 */
	[STORE] = 0xd51be241, /* MSR CNTP_CVAL_EL0, X1 */
	0xd51be220,	      /* MSR CNTP_CTL_EL0, X0 */
	ISB,
	0xd4200000,
};

int ptimer_set_up(struct reverse *r)
{
	uint32_t *p;

	if (r->ptimer_code)
		return 0;
	p = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -errno;
	for (unsigned i = 0; i < ARRAY_COUNT(code); i++)
		p[i] = code[i];
	host_icache_sync(p, sizeof(code));
	host_dcache_flush_poc(p, sizeof(code));
	r->ptimer_code = p;
	/* In other views hidden memory is there. */
	return r->inner->mem_map(r->vm[VIEW_OS_NS], r->hidden.gpa, p, PAGE_BYTES,
				 HV_READ | HV_EXEC);
}

void ptimer_fini(struct reverse *r)
{
	if (r->ptimer_code)
		munmap(r->ptimer_code, PAGE_BYTES);
}

static int execute(struct reverse_pe *p, struct view *w, unsigned word)
{
	const struct hv_ops *hv = p->r->inner;
	struct hv_exit x = {0};

	if (hv->set_reg(w->vcpu, REG_SYS(SCTLR_EL1), PTIMER_SCTLR) ||
	    hv->set_reg(w->vcpu, REG_PSTATE, EL1H_MASKED) ||
	    hv->set_reg(w->vcpu, REG_PC, p->r->hidden.gpa + 4ULL * word))
		return -EIO;
	/* Kicks are not lost: what they were for is in soft_cpu.event. */
	for (unsigned i = 0; i < TRIES; i++) {
		hv->run(w->vcpu, &x);
		if (x.kind != HV_EXIT_KICK)
			break;
	}
	return x.kind == HV_EXIT_BRK ? 0 : -EIO;
}

int ptimer_fetch(struct reverse_pe *p, struct view *w, uint64_t *ctl, uint64_t *cval)
{
	int error = execute(p, w, FETCH);

	if (!error)
		error = p->r->inner->get_reg(w->vcpu, REG_X(0), ctl);
	if (!error)
		error = p->r->inner->get_reg(w->vcpu, REG_X(1), cval);
	if (error)
		LOG(hv, "reverse: the physical timer cannot be read");
	return error;
}

int ptimer_store(struct reverse_pe *p, struct view *w, uint64_t ctl, uint64_t cval)
{
	int error = p->r->inner->set_reg(w->vcpu, REG_X(0), ctl);

	if (!error)
		error = p->r->inner->set_reg(w->vcpu, REG_X(1), cval);
	if (!error)
		error = execute(p, w, STORE);
	if (error)
		LOG(hv, "reverse: the physical timer cannot be written");
	return error;
}
