/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses to addresses without memory. With a syndrome the back end moves the value; without one
 * the instruction is fetched, decoded and carried out here.
 */
#include "pe/pe_int.h"

#include "arm/ldst.h"
#include "arm/sysreg.h"
#include "util/bits.h"
#include "util/log.h"

#define SCTLR_EL1_E0E 24
#define SCTLR_EL1_EE  25
#define ESR_WNR	      (1U << 6)

static struct mem_attrs attrs_of(const struct pe *pe)
{
	return (struct mem_attrs){.pe = pe->number};
}

static void log_miss(struct pe *pe, uint64_t ipa, unsigned size, bool is_write)
{
	LOG(mem, "%s: nothing answers a %u-byte %s at 0x%llx", pe->name, size,
	    is_write ? "write" : "read", (unsigned long long)ipa);
}

/* Synchronous external abort. Back ends may leave out WnR, and some KVM versions write ones into the
 * upper half of ESR_EL1. */
static void abort_access(struct pe *pe, bool is_write)
{
	uint32_t esr;

	pe->stats.aborts++;
	if (pe->set->cfg.hv->mmio_abort(pe->vcpu)) {
		pe_failed(pe, "cannot give an external abort");
		return;
	}
	esr = pe_get(pe, REG_SYS(SYS_ESR_EL1));
	pe_put(pe, REG_SYS(SYS_ESR_EL1), is_write ? esr | ESR_WNR : esr & ~ESR_WNR);
}

void pe_mmio(struct pe *pe, const struct hv_exit *x)
{
	const struct pe_set_config *cfg = &pe->set->cfg;
	uint64_t value = x->mmio.value;
	enum mem_result r;

	r = x->mmio.is_write ? mem_write(cfg->mem, x->mmio.ipa, x->mmio.size, value, attrs_of(pe))
			     : mem_read(cfg->mem, x->mmio.ipa, x->mmio.size, &value, attrs_of(pe));
	if (r == MEM_OK) {
		cfg->hv->mmio_done(pe->vcpu, value);
		return;
	}
	log_miss(pe, x->mmio.ipa, x->mmio.size, x->mmio.is_write);
	abort_access(pe, x->mmio.is_write);
}

/* ---- without syndrome ---- */

static unsigned sp_register(struct pe *pe)
{
	uint64_t pstate = pe_get(pe, REG_PSTATE);

	return bits(pstate, 3, 2) && bit(pstate, 0) ? REG_SP_EL1 : REG_SP_EL0;
}

static uint64_t get_x(void *opaque, unsigned n)
{
	struct pe *pe = opaque;

	return pe_get(pe, n == 31 ? sp_register(pe) : REG_X(n));
}

static void set_x(void *opaque, unsigned n, uint64_t value)
{
	struct pe *pe = opaque;

	pe_put(pe, n == 31 ? sp_register(pe) : REG_X(n), value);
}

static void get_v(void *opaque, unsigned n, uint64_t value[2])
{
	struct pe *pe = opaque;

	if (pe->set->cfg.hv->get_vreg(pe->vcpu, n, value))
		pe_failed(pe, "cannot read V%u", n);
}

static void set_v(void *opaque, unsigned n, const uint64_t value[2])
{
	struct pe *pe = opaque;

	if (pe->set->cfg.hv->set_vreg(pe->vcpu, n, value))
		pe_failed(pe, "cannot write V%u", n);
}

static bool read_mem(void *opaque, uint64_t va, unsigned size, uint64_t *value)
{
	struct pe *pe = opaque;
	uint64_t gpa;

	return pe_translate_data(pe, va, &gpa) &&
	       mem_read(pe->set->cfg.mem, gpa, size, value, attrs_of(pe)) == MEM_OK;
}

static bool write_mem(void *opaque, uint64_t va, unsigned size, uint64_t value)
{
	struct pe *pe = opaque;
	uint64_t gpa;

	return pe_translate_data(pe, va, &gpa) &&
	       mem_write(pe->set->cfg.mem, gpa, size, value, attrs_of(pe)) == MEM_OK;
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

static void fill_context(struct pe *pe, struct a64_ldst_ctx *c)
{
	uint64_t sctlr = pe_get(pe, REG_SYS(SYS_SCTLR_EL1));

	*c = (struct a64_ldst_ctx){
		.opaque = pe,
		.get_x = get_x,
		.set_x = set_x,
		.get_v = get_v,
		.set_v = set_v,
		.read = read_mem,
		.write = write_mem,
		.exclusive_store = exclusive_store,
		.pc = pe_get(pe, REG_PC),
		.zva_bytes = pe->set->cfg.caps->zva_bytes,
		.big_endian = bit(sctlr, pe_el(pe) ? SCTLR_EL1_EE : SCTLR_EL1_E0E),
	};
}

void pe_dabt(struct pe *pe, const struct hv_exit *x)
{
	struct a64_ldst_ctx c;
	struct a64_mem_op op;
	uint32_t word = 0;

	if (x->dabt.is_cache) { /* cache maintenance of nothing: nothing to do */
		pe_skip(pe);
		return;
	}
	fill_context(pe, &c);
	if (!fetch(pe, c.pc, &word) || !a64_ldst_decode(word, &op)) {
		guest_unimp(pe->name, "instruction 0x%08x at 0x%llx on device address 0x%llx", word,
			    (unsigned long long)c.pc, (unsigned long long)x->dabt.ipa);
		abort_access(pe, x->dabt.is_write);
		return;
	}
	if (a64_ldst_execute(&op, &c) == A64_LDST_OK) {
		pe_skip(pe);
		return;
	}
	log_miss(pe, x->dabt.ipa, a64_ldst_bytes(&op), c.fault_write);
	abort_access(pe, c.fault_write);
}
