/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses to addresses without memory. With a syndrome the back end moves the value; without one
 * the instruction is fetched, decoded and carried out here.
 *
 * Left out: alignment faults, which come before what leads here; TCR_EL1.E0PD, which concerns the half of the
 * address space and so was checked by the hardware; hardware updates of access flag and dirty state for the
 * second page of an access.
 */
#include "pe/pe_int.h"

#include "arm/exc.h"
#include "arm/ldst.h"
#include "arm/sysreg.h"
#include "util/bits.h"
#include "util/log.h"

#define SCTLR_EL1_M    0
#define SCTLR_EL1_E0E  24
#define SCTLR_EL1_EE   25
#define SCTLR_EL1_EPAN 57
#define ESR_WNR	       (1U << 6)

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
	struct arm_regime regime;
	uint64_t pstate;
	struct mem_attrs attrs;
	bool as_user; /* by EL0, or by LDTR and STTR at EL1 */
	bool atomic;  /* its reads need the right to write as well */
	/* What ended it. */
	uint64_t far;
	bool stage1; /* a fault of stage 1 with status `fsc`; otherwise nothing answered */
	uint8_t fsc;
	bool is_write;
};

static unsigned sp_register(struct pe *pe)
{
	uint64_t pstate = pe_get(pe, REG_PSTATE);

	return bits(pstate, 3, 2) && bit(pstate, 0) ? REG_SP_EL1 : REG_SP_EL0;
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

static bool stage1_fault(struct access *a, uint64_t va, bool is_write, unsigned fsc)
{
	a->stage1 = true;
	a->fsc = fsc;
	return failed(a, va, is_write);
}

/* AArch64.S1CheckPermissions, data accesses. FEAT_PAN3 also guards what EL0 may only execute. */
static unsigned permissions(const struct access *a, const struct arm_xlat *x)
{
	unsigned guarded = ARM_PROT_READ |
			   (bit(a->regime.sctlr, SCTLR_EL1_EPAN) ? ARM_PROT_EXEC : 0);

	if (!bit(a->regime.sctlr, SCTLR_EL1_M))
		return ARM_PROT_READ | ARM_PROT_WRITE;
	if (a->as_user)
		return x->user;
	return a->pstate & ARM_PSTATE_PAN && x->user & guarded ? 0 : x->priv;
}

static bool translate(struct access *a, uint64_t va, bool is_write, uint64_t *gpa)
{
	struct arm_xlat x;
	unsigned have, needed = is_write ? ARM_PROT_WRITE : ARM_PROT_READ;

	if (arm_walk(&a->regime, va, &x) != ARM_WALK_OK)
		return stage1_fault(a, va, is_write, x.fsc);
	have = permissions(a, &x);
	if (!(have & needed))
		return stage1_fault(a, va, is_write, ARM_FSC_PERMISSION + x.level);
	if (a->atomic && !(have & ARM_PROT_WRITE))
		return stage1_fault(a, va, true, ARM_FSC_PERMISSION + x.level);
	*gpa = x.pa;
	return true;
}

static bool crosses_page(uint64_t va, unsigned size)
{
	return va % 4096 + size > 4096;
}

static bool read_mem(void *opaque, uint64_t va, unsigned size, uint64_t *value)
{
	struct access *a = opaque;
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
	if (!translate(a, va, false, &gpa))
		return false;
	return mem_read(a->pe->set->cfg.mem, gpa, size, value, a->attrs) == MEM_OK ||
	       failed(a, va, false);
}

static bool write_mem(void *opaque, uint64_t va, unsigned size, uint64_t value)
{
	struct access *a = opaque;
	uint64_t gpa;

	if (crosses_page(va, size)) {
		for (unsigned i = 0; i < size; i++) {
			if (!write_mem(a, va + i, 1, bits(value, 8 * i + 7, 8 * i)))
				return false;
		}
		return true;
	}
	if (!translate(a, va, true, &gpa))
		return false;
	return mem_write(a->pe->set->cfg.mem, gpa, size, value, a->attrs) == MEM_OK ||
	       failed(a, va, true);
}

/* Device memory has no global monitor to lose: a store-exclusive to it succeeds, as QEMU has it. */
static bool exclusive_store(void *opaque, uint64_t va, unsigned size)
{
	return true;
}

static bool fetch(struct pe *pe, uint64_t pc, uint32_t *word)
{
	uint64_t gpa;

	return pe_translate_fetch(pe, pc, &gpa) &&
	       mem_copy_from(pe->set->cfg.mem, gpa, word, 4) == MEM_OK;
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
		.big_endian = bit(a->regime.sctlr, pe_el(pe) ? SCTLR_EL1_EE : SCTLR_EL1_E0E),
	};
}

static void fill_access(struct access *a, struct pe *pe, const struct a64_mem_op *op, bool secure)
{
	*a = (struct access){.pe = pe,
			     .regime = pe_regime(pe),
			     .pstate = pe_get(pe, REG_PSTATE),
			     .attrs = attrs_of(pe, secure)};
	a->as_user = pe_el(pe) == 0 || (op->unpriv && !(a->pstate & ARM_PSTATE_UAO));
	a->atomic = op->kind == A64_MEM_ATOMIC || op->kind == A64_MEM_CAS;
}

static void end_access(const struct access *a, const struct hv_exit *x, unsigned bytes)
{
	struct pe *pe = a->pe;

	if (a->stage1) {
		pe_inject(pe,
			  arm_esr_dabt(pe_el(pe), pe_sync_target(pe), a->fsc, a->is_write, false),
			  a->far);
		return;
	}
	log_miss(pe, x->dabt.ipa, bytes, a->is_write);
	abort_access(pe, a->is_write, &a->far);
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
	if (!fetch(pe, pc, &word) || !a64_ldst_decode(word, &op)) {
		guest_unimp(pe->name, "instruction 0x%08x at 0x%llx on device address 0x%llx", word,
			    (unsigned long long)pc, (unsigned long long)x->dabt.ipa);
		abort_access(pe, x->dabt.is_write, NULL);
		return;
	}
	fill_access(&a, pe, &op, x->dabt.secure);
	fill_context(&a, &c);
	if (a64_ldst_execute(&op, &c) == A64_LDST_OK)
		pe_skip(pe);
	else
		end_access(&a, x, a64_ldst_bytes(&op));
}
