/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses to addresses without memory. With a syndrome the back end moves the value; without one
 * the instruction is fetched, decoded and carried out here.
 *
 * Left out: alignment faults, which come before what leads here; TCR_ELx.E0PD, which concerns the half of the
 * address space and so was checked by the hardware; hardware updates of access flag and dirty state for the
 * second page of an access.
 */
#include "pe/pe_int.h"

#include "arm/exc.h"
#include "arm/ldst.h"
#include "arm/sysreg.h"
#include "util/bits.h"
#include "util/log.h"

#define ESR_WNR	  (1U << 6)
#define ESR_S1PTW 7

static struct mem_attrs attrs_of(const struct pe *pe, bool secure)
{
	return (struct mem_attrs){.pe = pe->number, .secure = secure};
}

static void log_miss(struct pe *pe, uint64_t ipa, unsigned size, bool is_write)
{
	LOG(mem, "%s: nothing answers a %u-byte %s at 0x%llx", pe->name, size,
	    is_write ? "write" : "read", (unsigned long long)ipa);
}

/* Synchronous external abort, to the level that takes it. Back ends may leave out WnR, and some KVM versions
 * write ones into the upper half of ESR_EL1. @far: NULL if the back end knows it. */
static void abort_access(struct pe *pe, bool is_write, const uint64_t *far)
{
	static const uint16_t esrs[] = {SYS_ESR_EL1, SYS_ESR_EL1, SYS_ESR_EL2, SYS_ESR_EL3};
	static const uint16_t fars[] = {SYS_FAR_EL1, SYS_FAR_EL1, SYS_FAR_EL2, SYS_FAR_EL3};
	uint32_t esr;
	unsigned el;

	pe->stats.aborts++;
	if (pe->set->cfg.hv->mmio_abort(pe->vcpu)) {
		pe_failed(pe, "cannot give an external abort");
		return;
	}
	pe->pstate.valid = pe->pc.valid = false;
	el = pe_el(pe);
	esr = pe_get(pe, REG_SYS(esrs[el]));
	pe_put(pe, REG_SYS(esrs[el]), is_write ? esr | ESR_WNR : esr & ~ESR_WNR);
	if (far)
		pe_put(pe, REG_SYS(fars[el]), *far);
}

void pe_mmio(struct pe *pe, const struct hv_exit *x)
{
	const struct pe_set_config *cfg = &pe->set->cfg;
	struct mem_attrs attrs = attrs_of(pe, x->mmio.secure);
	uint64_t value = x->mmio.value;
	enum mem_result r;

	r = x->mmio.is_write ? mem_write(cfg->mem, x->mmio.ipa, x->mmio.size, value, attrs)
			     : mem_read(cfg->mem, x->mmio.ipa, x->mmio.size, &value, attrs);
	if (r == MEM_OK) {
		cfg->hv->mmio_done(pe->vcpu, value);
		return;
	}
	log_miss(pe, x->mmio.ipa, x->mmio.size, x->mmio.is_write);
	abort_access(pe, x->mmio.is_write, NULL);
}

/* ---- without syndrome ---- */

/* The instruction that is carried out. The hardware has checked the access that led here; others of the same
 * instruction, in another page or of another kind, and tables that were changed meanwhile are for us. */
struct access {
	struct pe *pe;
	struct arm_route route;
	struct arm_regime regime;
	uint64_t pstate;
	bool as_user; /* by EL0, or by LDTR and STTR as such */
	bool atomic;  /* its reads need the right to write as well */
	/* What ended it. */
	uint64_t far;
	bool faulted; /* translation did, and `xlat` tells why; otherwise nothing answered */
	struct arm_xlat xlat;
	bool is_write;
};

static uint32_t sp_register(struct pe *pe)
{
	static const uint32_t sp[] = {REG_SP_EL0, REG_SP_EL1, REG_SP_EL2, REG_SP_EL3};
	uint64_t pstate = pe_get(pe, REG_PSTATE);

	return sp[pstate & ARM_PSTATE_SP ? bits(pstate, 3, 2) : 0];
}

static uint64_t get_x(void *opaque, unsigned n)
{
	struct pe *pe = ((struct access *)opaque)->pe;

	return pe_get(pe, n == 31 ? sp_register(pe) : REG_X(n));
}

static void set_x(void *opaque, unsigned n, uint64_t value)
{
	struct pe *pe = ((struct access *)opaque)->pe;

	pe_put(pe, n == 31 ? sp_register(pe) : REG_X(n), value);
}

static void get_v(void *opaque, unsigned n, uint64_t value[2])
{
	struct pe *pe = ((struct access *)opaque)->pe;

	if (pe->set->cfg.hv->get_vreg(pe->vcpu, n, value))
		pe_failed(pe, "cannot read V%u", n);
}

static void set_v(void *opaque, unsigned n, const uint64_t value[2])
{
	struct pe *pe = ((struct access *)opaque)->pe;

	if (pe->set->cfg.hv->set_vreg(pe->vcpu, n, value))
		pe_failed(pe, "cannot write V%u", n);
}

static bool failed(struct access *a, uint64_t va, bool is_write)
{
	a->far = va;
	a->is_write = is_write;
	return false;
}

static bool translate_for(struct access *a, uint64_t va, bool is_write)
{
	const struct arm_access wanted = {
		.need = is_write ? ARM_PROT_WRITE : ARM_PROT_READ,
		.user = a->as_user,
		.pan = a->pstate & ARM_PSTATE_PAN,
	};

	if (arm_translate(&a->regime, &wanted, va, &a->xlat) == ARM_WALK_OK)
		return true;
	a->faulted = true;
	return failed(a, va, is_write);
}

static bool translate(struct access *a, uint64_t va, bool is_write, uint64_t *gpa,
		      struct mem_attrs *attrs)
{
	if (!translate_for(a, va, is_write) || (a->atomic && !translate_for(a, va, true)))
		return false;
	*gpa = a->xlat.pa;
	*attrs = attrs_of(a->pe, !a->xlat.ns);
	return true;
}

static bool crosses_page(uint64_t va, unsigned size)
{
	return va % 4096 + size > 4096;
}

static bool read_mem(void *opaque, uint64_t va, unsigned size, uint64_t *value)
{
	struct access *a = opaque;
	struct mem_attrs attrs;
	uint64_t gpa, byte;

	if (crosses_page(va, size)) {
		*value = 0;
		for (unsigned i = 0; i < size; i++) {
			if (!read_mem(a, va + i, 1, &byte))
				return false;
			*value |= byte << 8 * i;
		}
		return true;
	}
	if (!translate(a, va, false, &gpa, &attrs))
		return false;
	return mem_read(a->pe->set->cfg.mem, gpa, size, value, attrs) == MEM_OK ||
	       failed(a, va, false);
}

static bool write_mem(void *opaque, uint64_t va, unsigned size, uint64_t value)
{
	struct access *a = opaque;
	struct mem_attrs attrs;
	uint64_t gpa;

	if (crosses_page(va, size)) {
		for (unsigned i = 0; i < size; i++) {
			if (!write_mem(a, va + i, 1, bits(value, 8 * i + 7, 8 * i)))
				return false;
		}
		return true;
	}
	if (!translate(a, va, true, &gpa, &attrs))
		return false;
	return mem_write(a->pe->set->cfg.mem, gpa, size, value, attrs) == MEM_OK ||
	       failed(a, va, true);
}

/* Device memory has no global monitor to lose: a store-exclusive to it succeeds, as QEMU has it. */
static bool exclusive_store(void *opaque, uint64_t va, unsigned size)
{
	return true;
}

static bool fetch(struct access *a, uint64_t pc, uint32_t *word)
{
	struct arm_xlat x;

	return arm_walk(&a->regime, pc, &x) == ARM_WALK_OK &&
	       mem_copy_from_as(a->pe->set->cfg.mem, x.pa, word, sizeof(*word),
				attrs_of(a->pe, !x.ns)) == MEM_OK;
}

static void fill_context(struct access *a, struct a64_ldst_ctx *c)
{
	struct pe *pe = a->pe;

	*c = (struct a64_ldst_ctx){
		.opaque = a,
		.get_x = get_x,
		.set_x = set_x,
		.get_v = get_v,
		.set_v = set_v,
		.read = read_mem,
		.write = write_mem,
		.exclusive_store = exclusive_store,
		.pc = pe_get(pe, REG_PC),
		.zva_bytes = pe->set->cfg.caps->zva_bytes,
		.big_endian = arm_regime_big_endian(&a->regime, a->route.el),
	};
}

static void note_instruction(struct access *a, const struct a64_mem_op *op)
{
	a->as_user = arm_access_is_user(&a->route, a->pstate, op->unpriv);
	a->atomic = op->kind == A64_MEM_ATOMIC || op->kind == A64_MEM_CAS;
}

static void take_fault(const struct access *a)
{
	unsigned target = arm_abort_target(&a->route, &a->xlat);
	uint32_t esr = arm_esr_dabt(a->route.el, target, a->xlat.fsc, a->is_write, false) |
		       (uint32_t)a->xlat.fault_on_walk << ESR_S1PTW;

	if (a->xlat.fault_stage2 && target == 2)
		pe_put(a->pe, REG_SYS(SYS_HPFAR_EL2), arm_abort_hpfar(&a->xlat));
	pe_inject_at(a->pe, target, esr, a->far);
}

static void end_access(const struct access *a, const struct hv_exit *x, unsigned bytes)
{
	if (a->faulted) {
		take_fault(a);
		return;
	}
	log_miss(a->pe, x->dabt.ipa, bytes, a->is_write);
	abort_access(a->pe, a->is_write, &a->far);
}

void pe_dabt(struct pe *pe, const struct hv_exit *x)
{
	uint64_t pc = pe_get(pe, REG_PC);
	struct a64_ldst_ctx c;
	struct a64_mem_op op;
	struct access a;
	uint32_t word = 0;

	if (x->dabt.is_cache) { /* cache maintenance of nothing: nothing to do */
		pe_skip(pe);
		return;
	}
	a = (struct access){.pe = pe,
			    .route = pe_route(pe),
			    .regime = pe_regime(pe),
			    .pstate = pe_get(pe, REG_PSTATE)};
	if (!fetch(&a, pc, &word) || !a64_ldst_decode(word, &op)) {
		guest_unimp(pe->name, "instruction 0x%08x at 0x%llx on device address 0x%llx", word,
			    (unsigned long long)pc, (unsigned long long)x->dabt.ipa);
		abort_access(pe, x->dabt.is_write, NULL);
		return;
	}
	note_instruction(&a, &op);
	fill_context(&a, &c);
	if (a64_ldst_execute(&op, &c) == A64_LDST_OK)
		pe_skip(pe);
	else
		end_access(&a, x, a64_ldst_bytes(&op));
}
