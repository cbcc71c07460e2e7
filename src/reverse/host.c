/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the guest is not to be told because the host's vCPUs do not have it: the instructions and the translation of
 * native code are theirs. All else that the ID registers tell of is soft's own.
 */
#include "reverse/reverse_int.h"

#include "arm/feature.h"
#include "arm/model.h"
#include "util/bits.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/log.h"

#define CTR_DIC (1ULL << 29)

#define PFR0	0xff00000000ff0000 /* CSV3, CSV2, AdvSIMD, FP */
#define PFR1	0x00000000000000f0 /* SSBS */
#define MMFR0	0x00000000fff000ff /* TGran4, TGran64, TGran16, ASIDBits, PARange */
#define MMFR1	0x0000000000f0f00f /* PAN, HPDS, HAFDBS */
#define MMFR2	0x00000000000000ff /* UAO, CnP */

static const struct soft_limit limits[] = {
	{SYS_ID_AA64PFR0_EL1, 0, PFR0},	  {SYS_ID_AA64PFR1_EL1, 0, PFR1},
	{SYS_ID_AA64ISAR0_EL1, 0, ~0ULL}, {SYS_ID_AA64ISAR1_EL1, 0, ~0ULL},
	{SYS_ID_AA64ISAR2_EL1, 0, ~0ULL}, {SYS_ID_AA64MMFR0_EL1, 0, MMFR0},
	{SYS_ID_AA64MMFR1_EL1, 0, MMFR1}, {SYS_ID_AA64MMFR2_EL1, 0, MMFR2},
};
_Static_assert(ARRAY_COUNT(limits) == REVERSE_LIMITS, "struct reverse has room for them");

/* Features that the core would have here, and the host has not. "max" promises nothing. */
static void report(const struct arm_features *before, const struct arm_features *after,
		   const struct arm_model *model)
{
	struct buf names = {0};

	for (unsigned f = 0; f < ARM_FEAT_COUNT; f++) {
		if (arm_has(before, f) && !arm_has(after, f))
			buf_fmt(&names, " FEAT_%s", arm_feature_name(f));
	}
	if (names.len && model && !arm_model_is_whole(model))
		LOG(vm, "%s without%.*s, which this host's CPUs do not have", arm_model_name(model),
		    (int)names.len, names.data);
	else if (names.len)
		LOG(hv, "the host's CPUs do not have%.*s", (int)names.len, names.data);
	buf_free(&names);
}

/* A vCPU that is only asked: of those that run, the first exists too late. */
static int ask(struct reverse *r, struct hv_vm *vm, struct err *e)
{
	struct hv_vcpu *v;
	int error = r->inner->vcpu_create(vm, 0, &v, e);

	if (error)
		return error;
	for (unsigned i = 0; i < ARRAY_COUNT(limits); i++) {
		r->limit[i] = limits[i];
		/* One that it does not show has no fields that KVM would let a guest see. */
		if (r->inner->get_reg(v, REG_SYS(limits[i].code), &r->limit[i].has))
			r->limit[i].has = 0;
	}
	if (r->inner->get_reg(v, REG_SYS(SYS_CTR_EL0), &r->ctr))
		r->ctr = 0;
	r->inner->vcpu_destroy(v);
	return 0;
}

int host_limits(struct reverse *r, struct err *e)
{
	struct hv_vm_config cfg = {
		.options = r->options, .ipa_bits = r->ipa_bits, .els = 3, .host_counter = true};
	struct arm_features before = r->soft->features;
	struct hv_caps caps;
	struct hv_vm *vm;
	int error = r->inner->probe(r->options, &caps, e);

	if (!error)
		error = r->inner->vm_create(&cfg, &vm, e);
	if (error)
		return error;
	error = ask(r, vm, e);
	r->inner->vm_destroy(vm);
	if (error)
		return error;
	/* What EL0 reads natively is the host's. But copies of code are an instruction cache that has to be
	 * invalidated. */
	soft_limit(r->soft, &(struct soft_host){.limits = r->limit,
						.count = REVERSE_LIMITS,
						.ctr = r->ctr & ~CTR_DIC,
						.zva_bytes = caps.zva_bytes});
	report(&before, &r->soft->features, r->soft->model);
	return 0;
}
