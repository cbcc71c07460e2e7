/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page faults of managed views: what soft's translation says goes into the shadow, narrowed where a page is executed
 * from a copy or is no memory.
 */
#include "reverse/reverse_int.h"

#include "util/bits.h"

enum {
	AROUND_BITS = 18, /* log2 of the bytes that are mapped along with a page */
	READS_MAX = 8,
};

enum { VA_BITS = 48 };

#define NOWHERE ~0ULL

/* The address as it is in the shadow; NOWHERE: not in there. */
static uint64_t shadow_va(const struct soft_cpu *c, uint64_t va)
{
	uint64_t upper = ~0ULL << VA_BITS;
	bool half = bit(va, 55);

	va = half ? va | ~c->tbi_mask[1] : va & c->tbi_mask[0];
	if ((va & upper) != (half ? upper : 0) || va >= REVERSE_UPPER)
		return NOWHERE;
	return va;
}

static uint8_t *host_page(const struct soft_tlb_entry *e)
{
	return (uint8_t *)(uintptr_t)(e->page + e->addend);
}

/* Everybody else's shadows and TLBs are to be empty before this goes on. */
static void others_forget(struct reverse_pe *p)
{
	struct hv_vm *vm = p->r->soft;

	for (unsigned i = 0; i < SOFT_MAX_CPUS; i++) {
		struct hv_vcpu *v = __atomic_load_n(&vm->cpu[i], __ATOMIC_ACQUIRE);

		if (v && v != p->soft)
			soft_tlb_request(v, NULL);
	}
	soft_dsb(&p->soft->c);
}

static void forget(struct reverse_pe *p, uint64_t pa)
{
	for (unsigned i = 0; i < VIEW_COUNT; i++) {
		if (p->view[i].vcpu)
			shadow_forget(&p->view[i].shadow, pa, pa);
	}
	others_forget(p);
}

static enum shadow_attr attr_of(const struct soft_tlb_entry *e)
{
	return e->device ? SHADOW_DEVICE : SHADOW_NORMAL;
}

/* A page of code can be read, but not written without notice. */
static unsigned data_prot(struct reverse_pe *p, const struct soft_tlb_entry *e, const uint8_t *host)
{
	return e->prot & ARM_PROT_WRITE && e->writable && !code_is_active(&p->r->code, host)
		       ? SHADOW_WRITE
		       : SHADOW_READ;
}

/* What is one block in stage 1 may be many pages in stage 2. */
static bool has_stage2(const struct reverse_pe *p, const struct view *w)
{
	return w->kind == VIEW_EL1NS &&
	       soft_hcr(&p->soft->c) & (1ULL << ARM_HCR_VM | 1ULL << ARM_HCR_DC);
}

/* Neighbours of @e in the same block of the guest's tables and the same memory, as far as they are plain. */
static void fill_around(struct reverse_pe *p, struct view *w, const struct soft_tlb_entry *e,
			uint64_t va)
{
	uint64_t len = e->size_bits < AROUND_BITS ? 1ULL << e->size_bits : 1 << AROUND_BITS;
	uint64_t first = va & ~(len - 1);
	const struct soft_region *r = soft_find_region(p->r->soft, e->pa, e->secure);

	for (uint64_t at = first; r && at - first < len; at += REVERSE_PAGE) {
		uint64_t pa = e->pa + (at - va), offset = pa - r->gpa;

		if (at == va || offset >= r->len || r->len - offset < REVERSE_PAGE ||
		    shadow_allows(&w->shadow, at, false))
			continue;
		if (!shadow_map(&w->shadow, at, pa, data_prot(p, e, r->host + offset), attr_of(e),
				e->size_bits))
			return;
	}
}

static bool fill_device(struct reverse_pe *p, struct view *w, const struct soft_tlb_entry *e,
			uint64_t va)
{
	const struct hidden *h = &p->r->hidden;

	/* The exit says whose address space it is by the view. */
	if (e->secure != view_is_secure(w->kind) || e->pa >> p->r->ipa_bits ||
	    e->pa - h->gpa < REVERSE_HIDDEN || e->pa == p->r->exit_gpa)
		return false;
	return shadow_map(&w->shadow, va, e->pa,
			  e->prot & ARM_PROT_WRITE ? SHADOW_WRITE : SHADOW_READ, SHADOW_DEVICE,
			  e->size_bits);
}

/* Code is read as data: by soft, from the original, or if that goes on the page becomes one of data for now. */
static bool read_code(struct view *w, uint64_t page)
{
	if (!shadow_is_xonly(&w->shadow, page))
		return false;
	w->reads = w->read_page == page ? w->reads + 1 : 0;
	w->read_page = page;
	if (w->reads < READS_MAX)
		return false;
	w->reads = 0;
	return true;
}

bool fill_data(struct reverse_pe *p, struct view *w, uint64_t va, bool write)
{
	struct soft_cpu *c = &p->soft->c;
	const struct soft_tlb_entry *e;
	uint64_t at = shadow_va(c, va);

	if (at == NOWHERE)
		return false;
	at &= ~(uint64_t)(REVERSE_PAGE - 1);
	/* A second fault: an access with the rights of EL0, one that crosses pages, one to code as data. */
	if (shadow_allows(&w->shadow, at, write) && (write || !read_code(w, at)))
		return false;
	e = soft_look_up(c, va, write ? SOFT_WRITE : SOFT_READ);
	if (!e)
		return false;
	if (!e->host)
		return fill_device(p, w, e, at);
	if (write && (!e->writable || code_is_active(&p->r->code, host_page(e))))
		return false;
	if (!reverse_memory_ready(p->r, w->kind, e->pa))
		return false;
	if (!shadow_map(&w->shadow, at, e->pa, data_prot(p, e, host_page(e)), attr_of(e),
			e->size_bits))
		return true; /* all over again */
	if (e->size_bits > REVERSE_PAGE_BITS && !has_stage2(p, w))
		fill_around(p, w, e, at);
	return true;
}

bool fill_code(struct reverse_pe *p, struct view *w, uint64_t va)
{
	struct soft_cpu *c = &p->soft->c;
	uint64_t at = shadow_va(c, va) & ~(uint64_t)(REVERSE_PAGE - 1), gpa;
	const struct soft_tlb_entry *e;
	bool activated, patched;

	if (shadow_va(c, va) == NOWHERE || va & 3)
		return false;
	e = soft_look_up(c, va, SOFT_EXEC);
	if (!e || !e->host)
		return false;
	gpa = code_get(&p->r->code, host_page(e), &activated, &patched);
	if (activated)
		forget(p, e->pa);
	if (!gpa)
		return false;
	shadow_map(&w->shadow, at, gpa, SHADOW_EXEC | (patched && p->r->pan ? SHADOW_XONLY : 0),
		   SHADOW_NORMAL, e->size_bits);
	p->stats.code_faults++;
	soft_watch_code(c, va);
	return true;
}

/* Before soft writes at @va: pages that may be code. What a look-up leaves in the guest's tables, the write leaves, too. */
void fill_before_write(struct reverse_pe *p, uint64_t va, unsigned bytes)
{
	uint64_t at[] = {va, va + bytes - 1};

	for (unsigned i = 0; i < ARRAY_COUNT(p->written); i++) {
		const struct soft_tlb_entry *e = NULL;

		if (!i || (at[0] ^ at[1]) >> REVERSE_PAGE_BITS)
			e = soft_look_up(&p->soft->c, at[i], SOFT_WRITE);
		p->written[i] = e && e->host && e->writable ? host_page(e) : NULL;
	}
}

void fill_after_write(struct reverse_pe *p)
{
	for (unsigned i = 0; i < ARRAY_COUNT(p->written); i++) {
		uint64_t gone = p->written[i] ? code_written(&p->r->code, p->written[i]) : 0;

		if (gone)
			forget(p, gone);
	}
}
