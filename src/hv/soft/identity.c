/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System registers after a reset, those of identification first of all, and what the features that they tell of make
 * of a VM. A core that the board chooses (arm/model.h) shows no more than is here.
 */
#include "arm/model.h"
#include "hv/soft/pmu.h"
#include "hv/soft/sys.h"

#include "util/bits.h"
#include "util/xalloc.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	uint16_t index;
	uint64_t value;
} model[] = {
	{SYSREG_IX_CNTFRQ_EL0, SOFT_COUNTER_HZ},
	{SYSREG_IX_OSLSR_EL1, 0x0a}, /* OS lock implemented, and set */

	/* Identification: a core of no maker, Armv8.2-A without AArch32. D24.2 of each register. */
	{SYSREG_IX_MIDR_EL1, 0x000f0b50},
	{SYSREG_IX_MPIDR_EL1, 1ULL << 31},
	{SYSREG_IX_CTR_EL0, 0xb444c004}, /* IDC, DIC: code is read from memory each time */
	{SYSREG_IX_DCZID_EL0, 4},
	{SYSREG_IX_ID_AA64PFR0_EL1, 0x1100000000110011}, /* CSV3, CSV2, half precision */
	{SYSREG_IX_ID_AA64PFR1_EL1, 0x20},		 /* SSBS, with its instructions */
	{SYSREG_IX_ID_AA64DFR0_EL1, 6 | SOFT_DEBUG_ID | SOFT_PMU_ID},
	/* FlagM, FHM, DP, SM4, SM3, SHA3, RDM, Atomics, CRC32, SHA2, SHA1, AES */
	{SYSREG_IX_ID_AA64ISAR0_EL1, 0x0011111110212120},
	/* LRCPC2, FCMA, JSCVT, DPB */
	{SYSREG_IX_ID_AA64ISAR1_EL1, 0x0000000000211001},
	/* 48 bits, 16-bit ASIDs, mixed endian, all granules */
	{SYSREG_IX_ID_AA64MMFR0_EL1, 0x0000000000100125},
	/* HAFDBS with dirty state, 16-bit VMIDs, HPDS2, PAN2, XNX */
	{SYSREG_IX_ID_AA64MMFR1_EL1, 0x0000000010202022},
	{SYSREG_IX_ID_AA64MMFR2_EL1, 0x11}, /* UAO, CnP */
};

enum { ID_AA64MMFR1_VH = 1 << 8, ID_AA64MMFR0_SNSMEM = 1 << 12 };

static void confine(const struct soft_host *host, bool has_model, uint64_t *reg)
{
	uint64_t *ctr = &reg[SYSREG_IX_CTR_EL0];

	for (unsigned i = 0; i < host->count; i++) {
		const struct soft_limit *l = &host->limits[i];
		uint64_t *r = &reg[sysreg_lookup(l->code)->index];

		*r = (arm_id_lesser(l->code, *r, l->has) & l->fields) | (*r & ~l->fields);
	}
	if (host->ctr)
		*ctr = has_model ? arm_ctr_lesser(*ctr, host->ctr) : host->ctr;
	if (host->zva_bytes)
		reg[SYSREG_IX_DCZID_EL0] = (uint64_t)__builtin_ctz(host->zva_bytes) - 2;
}

static void fill_registers(const struct hv_vm *vm, uint64_t *reg)
{
	size_t n;
	const struct sysreg_desc *d = sysreg_table(&n);

	memset(reg, 0, SYSREG_INDEX_COUNT * sizeof(*reg));
	for (size_t i = 0; i < n; i++) {
		if (d[i].index < SYSREG_INDEX_COUNT && d[i].target == SYS_NONE)
			reg[d[i].index] = sysreg_reset_value(&d[i], &vm->features);
	}
	for (size_t i = 0; i < ARRAY_COUNT(model); i++)
		reg[model[i].index] = model[i].value;
	for (unsigned el = 2; el <= 3; el++) /* ID_AA64PFR0_EL1.EL2, EL3 */
		reg[SYSREG_IX_ID_AA64PFR0_EL1] |= (uint64_t)bit(vm->els, el) << el * 4;
	if (bit(vm->els, 2))
		reg[SYSREG_IX_ID_AA64MMFR1_EL1] |= ID_AA64MMFR1_VH;
	if (bit(vm->els, 3))
		reg[SYSREG_IX_ID_AA64MMFR0_EL1] |= ID_AA64MMFR0_SNSMEM;
	if (vm->model)
		arm_model_apply(vm->model, reg);
	confine(&vm->host, vm->model, reg);
	if (bit(vm->els, 2)) {
		reg[SYSREG_IX_VPIDR_EL2] = reg[SYSREG_IX_MIDR_EL1];
		reg[SYSREG_IX_VMPIDR_EL2] = reg[SYSREG_IX_MPIDR_EL1];
	}
	if (vm->like)
		soft_like_reset(vm->like, reg);
}

/* PSTATE has no AArch32, DIT, MTE, NMI; BTYPE is RES0 without FEAT_BTI. */
static void settle_features(struct hv_vm *vm, const uint64_t *reg)
{
	static const uint8_t pa_bits[] = {32, 36, 40, 42, 44, 48};
	static const struct {
		enum arm_feature feature;
		uint64_t bits;
	} optional[] = {
		{ARM_FEAT_DIT, ARM_PSTATE_DIT},
		{ARM_FEAT_UAO, ARM_PSTATE_UAO},
		{ARM_FEAT_PAN, ARM_PSTATE_PAN},
		{ARM_FEAT_SSBS, ARM_PSTATE_SSBS},
	};
	uint64_t mmfr0 = reg[SYSREG_IX_ID_AA64MMFR0_EL1];

	vm->pstate_bits = ARM_PSTATE_NZCV | ARM_PSTATE_SS | ARM_PSTATE_IL | ARM_PSTATE_DAIF | 0x1f;
	for (unsigned i = 0; i < ARRAY_COUNT(optional); i++) {
		if (arm_has(&vm->features, optional[i].feature))
			vm->pstate_bits |= optional[i].bits;
	}
	vm->fpcr_bits = FPCR_AHP | FPCR_DN | FPCR_FZ | FPCR_RMODE;
	if (arm_has(&vm->features, ARM_FEAT_FP16))
		vm->fpcr_bits |= FPCR_FZ16;
	vm->pa_bits = pa_bits[sysreg_get(mmfr0, SYSF_ID_AA64MMFR0_EL1_PARange)];
	vm->zva_bytes = (uint16_t)(4U << sysreg_get(reg[SYSREG_IX_DCZID_EL0], SYSF_DCZID_EL0_BS));
	vm->no_granule16 = !sysreg_get(mmfr0, SYSF_ID_AA64MMFR0_EL1_TGran16);
}

/* What a core does not define in them is RES0. */
static void confine_actlr(struct hv_vm *vm)
{
	static const uint16_t registers[] = {SYSREG_IX_ACTLR_EL2, SYSREG_IX_ACTLR_EL3};

	vm->sysreg_masks[0][SYSREG_IX_ACTLR_EL1].writable = 0;
	for (unsigned i = 0; i < ARRAY_COUNT(registers); i++)
		vm->sysreg_masks[0][registers[i]].writable = arm_model_actlr(vm->model);
}

void soft_sysreg_init(struct hv_vm *vm)
{
	uint64_t *reg = xcalloc(SYSREG_INDEX_COUNT, sizeof(*reg));
	size_t n;
	const struct sysreg_desc *d = sysreg_table(&n);

	vm->sysregs = d;
	fill_registers(vm, reg);
	arm_features_from_id(&vm->features, reg);
	settle_features(vm, reg);
	free(reg);
	for (size_t i = 0; i < n; i++) {
		vm->sysreg_place[d[i].code & 0x7fff] = i + 1;
		for (unsigned e2h = 0;
		     e2h < 2 && d[i].index < SYSREG_INDEX_COUNT && d[i].target == SYS_NONE; e2h++)
			vm->sysreg_masks[e2h][d[i].index] = sysreg_masks(&d[i], &vm->features, e2h);
	}
	for (unsigned i = 0; i < ARRAY_COUNT(vm->sysreg_group); i++)
		vm->sysreg_group[i] = (uint8_t)arm_trap_group((uint16_t)(i | 0x8000));
	if (vm->model)
		confine_actlr(vm);
}

void soft_limit(struct hv_vm *vm, const struct soft_host *host)
{
	vm->host = *host;
	soft_sysreg_init(vm);
}

void soft_sysreg_reset(struct soft_cpu *c)
{
	fill_registers(c->sys->vm, c->sys->reg);
	soft_layouts_reset(c);
	soft_debug_changed(c);
}
