/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads and stores of structures: LD1-LD4, ST1-ST4 and LD1R-LD4R of C7.2 of the Arm ARM (DDI 0487).
 *
 * Elements go through a buffer in the order of memory, each as a little-endian number: a load changes
 * registers after all of it was read, a store finds out first that all of it can be written.
 */
#include "hv/soft/cpu.h"

#include <string.h>

enum { MOST = 64 }; /* bytes: four registers */

static bool find_base(struct soft_cpu *c, uint32_t w, uint64_t *va)
{
	unsigned rn = a64_Rn(w);

	if (!soft_fp_check(c) || !soft_check_sp(c, rn))
		return false;
	*va = soft_xsp(c, rn);
	return true;
}

static void write_back(struct soft_cpu *c, uint32_t w, uint64_t va, unsigned bytes)
{
	unsigned rm = a64_Rm(w);

	soft_set_xsp(c, a64_Rn(w), va + (rm == 31 ? bytes : c->x[rm]));
}

static bool read_elements(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned scale,
			  uint8_t *buf)
{
	const void *p = soft_tlb_hit(c, va, bytes, SOFT_READ);
	uint64_t v;

	if (p) {
		memcpy(buf, p, bytes);
		return true;
	}
	for (unsigned at = 0; at < bytes; at += 1U << scale) {
		if (!soft_read(c, va + at, 1U << scale, 0, &v))
			return false;
		memcpy(buf + at, &v, 1U << scale);
	}
	return true;
}

/* The alignment check of SCTLR_ELx.A comes before what the probe may find. */
static bool probe(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned scale)
{
	if (c->align_check && va & ((1U << scale) - 1)) {
		soft_raise_alignment(c, va, true);
		return false;
	}
	return (va & (SOFT_PAGE - 1)) + bytes <= SOFT_PAGE || soft_probe_write(c, va, bytes, 0);
}

static bool write_elements(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned scale,
			   const uint8_t *buf)
{
	void *p = soft_tlb_hit(c, va, bytes, SOFT_WRITE);
	uint64_t v = 0;

	if (p) {
		memcpy(p, buf, bytes);
		return true;
	}
	if (!probe(c, va, bytes, scale))
		return false;
	for (unsigned at = 0; at < bytes; at += 1U << scale) {
		memcpy(&v, buf + at, 1U << scale);
		if (!soft_write(c, va + at, 1U << scale, 0, v))
			return false;
	}
	return true;
}

static void copy_element(void *to, const void *from, unsigned scale)
{
	switch (scale) {
	case 0:
		memcpy(to, from, 1);
		break;
	case 1:
		memcpy(to, from, 2);
		break;
	case 2:
		memcpy(to, from, 4);
		break;
	default:
		memcpy(to, from, 8);
	}
}

/* ---- multiple structures ---- */

/* What the instruction moves: `rpt` times a structure array of `selem` registers each. */
struct shape {
	uint8_t rpt, selem;
	uint8_t scale;	   /* of an element */
	uint8_t bytes_reg; /* of a register: 8, 16 */
	uint8_t bytes;
};

/* False: unallocated. By opcode, bits 15:12. */
static bool find_shape(uint32_t w, struct shape *s)
{
	static const struct {
		uint8_t rpt, selem;
	} opcodes[16] = {
		[0] = {1, 4}, [2] = {4, 1}, [4] = {1, 3},  [6] = {3, 1},
		[7] = {1, 1}, [8] = {1, 2}, [10] = {2, 1},
	};
	unsigned op = a64_op12(w);

	s->rpt = opcodes[op].rpt;
	s->selem = opcodes[op].selem;
	s->scale = a64_size10(w);
	s->bytes_reg = 8U << a64_Q(w);
	s->bytes = s->rpt * s->selem * s->bytes_reg;
	return s->rpt && (s->scale < 3 || a64_Q(w) || s->selem == 1);
}

/* Elements of the registers from @t on, in the order of memory. They wrap from V31 to V0. Without
 * interleaving, the size of elements makes no difference. */
static void move_elements(struct soft_cpu *c, unsigned t, const struct shape *s, uint8_t *buf,
			  bool load)
{
	unsigned scale = s->selem == 1 ? 3 : s->scale, size = 1U << scale;

	for (unsigned r = 0; r < s->rpt; r++) {
		for (unsigned at = 0; at < s->bytes_reg; at += size) {
			for (unsigned i = 0; i < s->selem; i++, buf += size) {
				uint8_t *e = c->v[(t + r + i) & 31].b + at;

				copy_element(load ? e : buf, load ? buf : e, scale);
			}
		}
	}
}

static bool load_multiple(struct soft_cpu *c, uint32_t w, struct shape *s, uint64_t *va)
{
	uint8_t buf[MOST];

	if (!find_shape(w, s)) {
		soft_undefined(c);
		return false;
	}
	if (!find_base(c, w, va) || !read_elements(c, *va, s->bytes, s->scale, buf))
		return false;
	for (unsigned i = 0; i < s->rpt * s->selem; i++)
		c->v[(a64_Rt(w) + i) & 31].d[1] = 0;
	move_elements(c, a64_Rt(w), s, buf, true);
	return true;
}

static bool store_multiple(struct soft_cpu *c, uint32_t w, struct shape *s, uint64_t *va)
{
	uint8_t buf[MOST];

	if (!find_shape(w, s)) {
		soft_undefined(c);
		return false;
	}
	if (!find_base(c, w, va))
		return false;
	move_elements(c, a64_Rt(w), s, buf, false);
	return write_elements(c, *va, s->bytes, s->scale, buf);
}

void soft_LDn_mult(struct soft_cpu *c, uint32_t w)
{
	struct shape s;
	uint64_t va;

	load_multiple(c, w, &s, &va);
}

void soft_LDn_mult_post(struct soft_cpu *c, uint32_t w)
{
	struct shape s;
	uint64_t va;

	if (load_multiple(c, w, &s, &va))
		write_back(c, w, va, s.bytes);
}

void soft_STn_mult(struct soft_cpu *c, uint32_t w)
{
	struct shape s;
	uint64_t va;

	store_multiple(c, w, &s, &va);
}

void soft_STn_mult_post(struct soft_cpu *c, uint32_t w)
{
	struct shape s;
	uint64_t va;

	if (store_multiple(c, w, &s, &va))
		write_back(c, w, va, s.bytes);
}

/* ---- single structure ---- */

struct lane {
	uint8_t selem, scale, index;
	uint8_t bytes; /* of the structure */
};

/* False: unallocated. Element size and index out of opcode, Q, S and size. */
static bool find_lane(uint32_t w, struct lane *l)
{
	unsigned op = a64_op13(w), size = a64_size10(w);
	unsigned index = a64_Q(w) << 3 | a64_S12(w) << 2 | size;

	l->scale = op >> 1;
	l->selem = ((op & 1) << 1 | a64_R21(w)) + 1;
	if (l->scale == 1 && size & 1)
		return false;
	if (l->scale == 2 && (size & 2 || (size == 1 && a64_S12(w))))
		return false;
	if (l->scale == 2 && size == 1)
		l->scale = 3;
	l->index = index >> l->scale;
	l->bytes = l->selem << l->scale;
	return true;
}

static bool load_single(struct soft_cpu *c, uint32_t w, struct lane *l, uint64_t *va)
{
	uint8_t buf[MOST];

	if (!find_lane(w, l)) {
		soft_undefined(c);
		return false;
	}
	if (!find_base(c, w, va) || !read_elements(c, *va, l->bytes, l->scale, buf))
		return false;
	for (unsigned i = 0; i < l->selem; i++)
		copy_element(c->v[(a64_Rt(w) + i) & 31].b + (l->index << l->scale),
			     buf + (i << l->scale), l->scale);
	return true;
}

static bool store_single(struct soft_cpu *c, uint32_t w, struct lane *l, uint64_t *va)
{
	uint8_t buf[MOST];

	if (!find_lane(w, l)) {
		soft_undefined(c);
		return false;
	}
	if (!find_base(c, w, va))
		return false;
	for (unsigned i = 0; i < l->selem; i++)
		copy_element(buf + (i << l->scale),
			     c->v[(a64_Rt(w) + i) & 31].b + (l->index << l->scale), l->scale);
	return write_elements(c, *va, l->bytes, l->scale, buf);
}

void soft_LDn_single(struct soft_cpu *c, uint32_t w)
{
	struct lane l;
	uint64_t va;

	load_single(c, w, &l, &va);
}

void soft_LDn_single_post(struct soft_cpu *c, uint32_t w)
{
	struct lane l;
	uint64_t va;

	if (load_single(c, w, &l, &va))
		write_back(c, w, va, l.bytes);
}

void soft_STn_single(struct soft_cpu *c, uint32_t w)
{
	struct lane l;
	uint64_t va;

	store_single(c, w, &l, &va);
}

void soft_STn_single_post(struct soft_cpu *c, uint32_t w)
{
	struct lane l;
	uint64_t va;

	if (store_single(c, w, &l, &va))
		write_back(c, w, va, l.bytes);
}

/* ---- load and replicate ---- */

static bool load_replicate(struct soft_cpu *c, uint32_t w, unsigned *bytes, uint64_t *va)
{
	unsigned scale = a64_size10(w), selem = (a64_n13(w) << 1 | a64_R21(w)) + 1;
	uint8_t buf[MOST];

	*bytes = selem << scale;
	if (!find_base(c, w, va) || !read_elements(c, *va, *bytes, scale, buf))
		return false;
	for (unsigned i = 0; i < selem; i++) {
		union soft_v *v = &c->v[(a64_Rt(w) + i) & 31];

		v->d[1] = 0;
		for (unsigned at = 0; at < 8U << a64_Q(w); at += 1U << scale)
			copy_element(v->b + at, buf + (i << scale), scale);
	}
	return true;
}

void soft_LDnR(struct soft_cpu *c, uint32_t w)
{
	unsigned bytes;
	uint64_t va;

	load_replicate(c, w, &bytes, &va);
}

void soft_LDnR_post(struct soft_cpu *c, uint32_t w)
{
	unsigned bytes;
	uint64_t va;

	if (load_replicate(c, w, &bytes, &va))
		write_back(c, w, va, bytes);
}
