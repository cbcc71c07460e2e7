/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images: Linux has the header of Documentation/arch/arm64/booting.rst; U-Boot begins with a branch and the same three
 * words behind it, or with that header (doc/arch/arm64.rst), and has its version as text; EDK2 is a firmware volume
 * (UEFI Platform Initialization Specification, volume 3, 3.2.1), or begins with a branch to one, perhaps in that header.
 */
#include "pe/stage.h"

#include "arm/insn.h"
#include "util/bits.h"

#include <string.h>

enum {
	MAGIC = 56, /* of the header of Linux */
	FV_MAGIC = 40,
	IMAGE_MIN = 4096,
	IMAGE_MAX = 256 << 20,
	TEXT_MAX = 4 << 20, /* of U-Boot: so much is searched for its version */
	CHUNK = 4096,
	ALIGNED = 2 << 20, /* as Linux is placed */
	GRAIN = 64 << 10,  /* ... at least */
	GRAINS = 1024,	   /* so many are looked at for the beginning of an image */
	FAILURES_MAX = 16,
	UPPER = 55,
};

const char *stage_name(enum stage s)
{
	static const char *const names[STAGE_COUNT] = {
		[STAGE_NONE] = "none",	[STAGE_BL1] = "bl1",	 [STAGE_BL2] = "bl2",
		[STAGE_BL31] = "bl31",	[STAGE_OPTEE] = "optee", [STAGE_U_BOOT] = "u-boot",
		[STAGE_EDK2] = "edk2",	[STAGE_LINUX] = "linux", [STAGE_SECURE_EL1] = "s-el1",
		[STAGE_EL2] = "ns-el2", [STAGE_EL1] = "ns-el1",
	};

	return names[s];
}

/* ---- images ---- */

struct image {
	const struct stage_memory *mem;
	uint64_t pa, size;
	bool secure;
	uint8_t head[64];
};

static uint64_t le64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* False: nothing that is known begins there. */
static bool open_image(struct image *i, const struct stage_memory *mem, uint64_t pa, bool secure)
{
	*i = (struct image){.mem = mem, .pa = pa, .secure = secure};
	if (!mem->read(mem->opaque, pa, i->head, sizeof(i->head), secure))
		return false;
	i->size = le64(&i->head[16]);
	return true;
}

static bool has_size(const struct image *i)
{
	return i->size >= IMAGE_MIN && i->size <= IMAGE_MAX;
}

static bool is_linux(const struct image *i)
{
	return !memcmp(&i->head[MAGIC], "ARM\x64", 4) && has_size(i);
}

static bool has_text(const struct image *i, const char *text)
{
	uint64_t end = i->size < TEXT_MAX ? i->size : TEXT_MAX;
	uint8_t buf[CHUNK + 16];
	size_t len = strlen(text);

	for (uint64_t at = 0; at < end; at += CHUNK) {
		uint64_t n = end - at < sizeof(buf) ? end - at : sizeof(buf);

		if (!i->mem->read(i->mem->opaque, i->pa + at, buf, n, i->secure))
			return false;
		if (memmem(buf, n, text, len))
			return true;
	}
	return false;
}

static uint32_t word_at(const struct image *i, unsigned offset)
{
	uint32_t word;

	memcpy(&word, &i->head[offset], sizeof(word));
	return word;
}

static bool begins_with_branch(const struct image *i)
{
	return word_at(i, 0) >> 26 == 5; /* B */
}

static bool is_u_boot(const struct image *i)
{
	return (begins_with_branch(i) || is_linux(i)) && has_size(i) && has_text(i, "U-Boot 20");
}

static bool is_volume(const struct image *i, uint64_t pa)
{
	uint8_t magic[4];

	return i->mem->read(i->mem->opaque, pa + FV_MAGIC, magic, 4, i->secure) &&
	       !memcmp(magic, "_FVH", 4);
}

static bool is_edk2(const struct image *i)
{
	uint64_t target;

	if (is_volume(i, i->pa))
		return true;
	for (unsigned at = 0; at < 8; at += 4) {
		if (insn_branch_target(word_at(i, at), i->pa + at, &target) && is_volume(i, target))
			return true;
	}
	return false;
}

static enum stage recognise(const struct stage_memory *mem, uint64_t pa, bool secure)
{
	struct image i;

	if (!open_image(&i, mem, pa, secure))
		return STAGE_NONE;
	if (is_u_boot(&i))
		return STAGE_U_BOOT;
	if (is_edk2(&i))
		return STAGE_EDK2;
	return is_linux(&i) ? STAGE_LINUX : STAGE_NONE;
}

/* Is this inside of a Linux? */
static bool inside_linux(const struct stage_memory *mem, uint64_t pa)
{
	uint64_t base = pa & ~(uint64_t)(GRAIN - 1);
	struct image i;

	for (unsigned n = 0; n < GRAINS; n++, base -= GRAIN) {
		if (!open_image(&i, mem, base, false))
			return false;
		if (is_linux(&i) && pa - base < i.size)
			return recognise(mem, base, false) == STAGE_LINUX;
		if (!base)
			break;
	}
	return false;
}

/* ---- worlds ---- */

static enum stage at_el3(struct stage_pe *pe, const struct stage_memory *mem,
			 const struct hv_place *p)
{
	uint64_t memory = mem->which(mem->opaque, p->pa);
	enum stage s;

	if (pe->el3 == STAGE_NONE) {
		pe->reset_memory = memory;
		s = recognise(mem, p->pa, true);
		return s == STAGE_NONE ? STAGE_BL1 : s;
	}
	if (pe->el3 != STAGE_BL1 && pe->el3 != STAGE_BL31)
		return pe->el3;
	return memory == pe->reset_memory ? STAGE_BL1 : STAGE_BL31;
}

static enum stage at_secure(const struct stage_pe *pe)
{
	if (pe->secure != STAGE_NONE && pe->secure_by == pe->el3)
		return pe->secure;
	return pe->el3 == STAGE_BL1    ? STAGE_BL2
	       : pe->el3 == STAGE_BL31 ? STAGE_OPTEE
				       : STAGE_SECURE_EL1;
}

static bool is_firmware(enum stage el3)
{
	return el3 == STAGE_BL1 || el3 == STAGE_BL31;
}

/* The first time that this PE is there. */
static enum stage first_normal(const struct stage_machine *m, const struct stage_pe *pe,
			       const struct stage_memory *mem, const struct hv_place *p)
{
	enum stage s = atomic_load(&m->normal);

	if (s == STAGE_NONE)
		s = recognise(mem, p->pa, false);
	if (s == STAGE_NONE && pe->el3 != STAGE_NONE && !is_firmware(pe->el3))
		s = pe->el3;
	if (s == STAGE_NONE)
		s = p->el == 2 ? STAGE_EL2 : STAGE_EL1;
	return s;
}

static bool is_os_start(const struct stage_pe *pe, const struct hv_place *p)
{
	return bit(p->va, UPPER) || (pe->normal_el == 2 && p->el == 1);
}

static enum stage at_normal(const struct stage_machine *m, struct stage_pe *pe,
			    const struct stage_memory *mem, const struct hv_place *p)
{
	if (pe->normal == STAGE_NONE)
		return first_normal(m, pe, mem, p);
	if (pe->normal == STAGE_LINUX || pe->failures >= FAILURES_MAX)
		return pe->normal;
	if (!(p->pa & (ALIGNED - 1)) && recognise(mem, p->pa, false) == STAGE_LINUX)
		return STAGE_LINUX;
	if (!is_os_start(pe, p))
		return pe->normal;
	if (inside_linux(mem, p->pa))
		return STAGE_LINUX;
	pe->failures++;
	return pe->normal;
}

static bool may_become_another(const struct stage_pe *pe)
{
	return pe->now == STAGE_BL1 ||
	       (pe->now == pe->normal && pe->now != STAGE_LINUX && pe->failures < FAILURES_MAX);
}

bool stage_at(struct stage_machine *m, struct stage_pe *pe, const struct stage_memory *mem,
	      const struct hv_place *p)
{
	if (p->el == 3) {
		pe->now = pe->el3 = at_el3(pe, mem, p);
	} else if (p->secure) {
		pe->now = pe->secure = at_secure(pe);
		pe->secure_by = pe->el3;
	} else {
		pe->now = pe->normal = at_normal(m, pe, mem, p);
		pe->normal_el = p->el;
		if (atomic_load(&m->normal) != pe->now)
			atomic_store(&m->normal, pe->now);
	}
	return may_become_another(pe);
}
