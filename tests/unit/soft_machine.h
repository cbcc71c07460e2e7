/* SPDX-License-Identifier: Apache-2.0 */
/* The whole soft engine with one CPU and its memory, as tests of its system level use it, without pe. */
#ifndef TESTS_SOFT_MACHINE_H
#define TESTS_SOFT_MACHINE_H

#include "arm/sysreg.h"
#include "hv/hv.h"
#include "hv/soft/soft.h"
#include "util/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct machine {
	struct hv_vm *vm;
	struct hv_vcpu *cpu;
	uint8_t *ram;
	struct hv_exit exit; /* of the last run */
};

static const struct hv_ops *const ops = &hv_soft_ops;

static inline void set(struct machine *m, uint32_t id, uint64_t value)
{
	assert_int_equal(ops->set_reg(m->cpu, id, value), 0);
}

static inline uint64_t get(struct machine *m, uint32_t id)
{
	uint64_t value = 0;

	assert_int_equal(ops->get_reg(m->cpu, id, &value), 0);
	return value;
}

#define SET(m, name, value) set(m, REG_SYS(SYS_##name), value)
#define GET(m, name)	    get(m, REG_SYS(SYS_##name))

static inline void put(struct machine *m, unsigned offset, uint32_t word)
{
	memcpy(m->ram + offset, &word, 4);
}

/* @size bytes of zeros at @base, and a CPU. */
static inline void machine_create(struct machine *m, const struct hv_vm_config *config,
				  uint64_t base, size_t size)
{
	struct err e = {0};

	m->ram = aligned_alloc(65536, size);
	assert_non_null(m->ram);
	memset(m->ram, 0, size);
	assert_int_equal(ops->vm_create(config, &m->vm, &e), 0);
	assert_int_equal(ops->mem_map(m->vm, base, m->ram, size, HV_READ | HV_WRITE | HV_EXEC), 0);
	assert_int_equal(ops->vcpu_create(m->vm, 0, &m->cpu, &e), 0);
}

static inline void machine_destroy(struct machine *m)
{
	ops->vcpu_destroy(m->cpu);
	ops->vm_destroy(m->vm);
	free(m->ram);
}

#endif
