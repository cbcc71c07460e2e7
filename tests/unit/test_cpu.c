/* SPDX-License-Identifier: Apache-2.0 */
/* What belongs to the PEs: CPU, generic timer, clocks. */
#include "fake_pe.h"
#include "fixture.h"

#include "arm/model.h"
#include "arm/sysreg.h"
#include "dev/cpu.h"
#include "dev/dt.h"
#include "util/bits.h"

#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

extern const struct component cpu_component, arm_timer_component, fixed_clock_component;

struct tree {
	uint8_t fdt[8192];
	struct dt dt;
};

static void describe(struct fixture *f, struct tree *t)
{
	t->dt = (struct dt){.fdt = t->fdt};
	assert_int_equal(fdt_create_empty_tree(t->fdt, sizeof(t->fdt)), 0);
	assert_int_equal(f->dev->c->dt(f->dev, &t->dt), 0);
	assert_int_equal(t->dt.error, 0);
}

static uint32_t cell(const struct tree *t, const char *path, const char *prop, unsigned i)
{
	int len;
	const fdt32_t *p = fdt_getprop(t->fdt, fdt_path_offset(t->fdt, path), prop, &len);

	assert_true(p && len > (int)(4 * i));
	return fdt32_to_cpu(p[i]);
}

static const char *text(const struct tree *t, const char *path, const char *prop)
{
	int len;

	return fdt_getprop(t->fdt, fdt_path_offset(t->fdt, path), prop, &len);
}

static void make(struct fixture *f, const struct component *c, const struct fixture_prop *props,
		 unsigned pes)
{
	fixture_make(f, c, props);
	f->host.pes = fake_pe_create(pes, 1);
	assert_int_equal(fixture_start(f), 0);
}

static void drop(struct fixture *f)
{
	fake_pe_destroy(f->host.pes);
	fixture_drop(f);
}

/* ---- CPU ---- */

static void test_cpu(void **state)
{
	static const struct fixture_prop props[] = {{"count", "8"}, {"method", "smc"}, {0}};
	struct fixture f;
	struct tree t;

	make(&f, &cpu_component, props, 8);
	assert_int_equal(cpu_count(f.dev), 8);
	describe(&f, &t);
	assert_int_equal(cell(&t, "/cpus", "#address-cells", 0), 1);
	assert_int_equal(cell(&t, "/cpus/cpu@7", "reg", 0), 7);
	assert_string_equal(text(&t, "/cpus/cpu@0", "enable-method"), "psci");
	assert_string_equal(text(&t, "/psci", "method"), "smc");
	assert_string_equal(text(&t, "/psci", "compatible"), "arm,psci-1.0");
	assert_int_equal(cell(&t, "/psci", "cpu_on", 0), 0xc4000003);
	drop(&f);
}

/* With EL3, PSCI is for firmware to provide, and to describe. */
static void test_cpu_el3(void **state)
{
	static const struct fixture_prop props[] = {{"el2", "true"}, {"el3", "true"}, {0}};
	struct fixture f;
	struct tree t;

	make(&f, &cpu_component, props, 1);
	assert_int_equal(cpu_els(f.dev), 0xf);
	describe(&f, &t);
	assert_int_equal(cell(&t, "/cpus/cpu@0", "reg", 0), 0);
	assert_null(text(&t, "/cpus/cpu@0", "enable-method"));
	assert_true(fdt_path_offset(t.fdt, "/psci") < 0);
	drop(&f);
}

static void test_cpu_model(void **state)
{
	static const struct fixture_prop a57[] = {{"model", "cortex-a57"}, {"count", "2"}, {0}};
	static const struct fixture_prop max[] = {{"model", "max"}, {0}};
	const uint16_t cpuectlr = SYSREG(3, 1, 15, 2, 1), l2ctlr = SYSREG(3, 1, 11, 0, 2);
	struct pe_access pe0 = {.pe = 0, .el = 3}, pe1 = {.pe = 1, .el = 3};
	struct fixture f;
	struct tree t;
	uint64_t v;

	make(&f, &cpu_component, a57, 2);
	assert_string_equal(arm_model_name(cpu_model(f.dev)), "cortex-a57");
	assert_true(fake_pe_sysreg_read(f.host.pes, &pe0, l2ctlr, &v));
	assert_int_equal(v, 1 << 24);
	assert_true(fake_pe_sysreg_write(f.host.pes, &pe1, cpuectlr, 0x40));
	assert_true(fake_pe_sysreg_read(f.host.pes, &pe0, cpuectlr, &v));
	assert_int_equal(v, 0x1b00000000);
	assert_true(fake_pe_sysreg_read(f.host.pes, &pe1, cpuectlr, &v));
	assert_int_equal(v, 0x40);
	dev_reset(f.dev);
	assert_true(fake_pe_sysreg_read(f.host.pes, &pe1, cpuectlr, &v));
	assert_int_equal(v, 0x1b00000000);
	describe(&f, &t);
	assert_string_equal(text(&t, "/cpus/cpu@1", "compatible"), "arm,cortex-a57");
	assert_false(fake_pe_sysreg_write(f.host.pes, &pe1, SYSREG(3, 1, 15, 3, 0), 1)); /* CBAR */
	drop(&f);

	make(&f, &cpu_component, max, 1);
	assert_string_equal(arm_model_name(cpu_model(f.dev)), "max");
	describe(&f, &t);
	assert_string_equal(text(&t, "/cpus/cpu@0", "compatible"), "arm,armv8");
	assert_false(fake_pe_sysreg_read(f.host.pes, &pe0, cpuectlr, &v));
	drop(&f);

	make(&f, &cpu_component, NULL, 1);
	assert_null(cpu_model(f.dev));
	assert_false(fake_pe_sysreg_read(f.host.pes, &pe0, cpuectlr, &v));
	drop(&f);
}

/* Who may write a register of the core: the level of its name, and what ACTLR_EL2 and ACTLR_EL3 let through. */
static void test_cpu_actlr(void **state)
{
	enum { ECTLR = 2 }; /* its bit */
	static const struct {
		const char *el2, *el3;
		struct pe_access a;
		bool allowed;
	} rows[] = {
		{"true", "true", {.el = 3}, true},
		{"true", "true", {.el = 2}, false},
		{"true", "true", {.el = 2, .actlr_el3 = ECTLR}, true},
		{"true", "true", {.el = 2, .actlr_el3 = ~(uint64_t)ECTLR}, false},
		{"true", "true", {.el = 1, .actlr_el3 = ECTLR}, false},
		{"true", "true", {.el = 1, .actlr_el2 = ECTLR}, false},
		{"true", "true", {.el = 1, .actlr_el2 = ECTLR, .actlr_el3 = ECTLR}, true},
		{"true", "true", {.el = 1, .secure = true, .actlr_el3 = ECTLR}, true},
		{"true", "false", {.el = 2}, true},
		{"true", "false", {.el = 1}, false},
		{"false", "false", {.el = 1}, true},
		{"false", "false", {.el = 0}, false},
	};
	const uint16_t cpuectlr = SYSREG(3, 1, 15, 2, 1);
	uint64_t v;

	for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
		struct fixture_prop props[] = {
			{"model", "cortex-a53"}, {"el2", rows[i].el2}, {"el3", rows[i].el3}, {0}};
		struct fixture f;

		v = 0;
		make(&f, &cpu_component, props, 1);
		assert_int_equal(fake_pe_sysreg_write(f.host.pes, &rows[i].a, cpuectlr, 7),
				 rows[i].allowed);
		assert_int_equal(fake_pe_sysreg_read(f.host.pes, &rows[i].a, cpuectlr, &v),
				 rows[i].a.el > 0);
		assert_int_equal(v, rows[i].allowed ? 7 : 0);
		drop(&f);
	}
}

static void test_cpu_count_refused(void **state)
{
	static const char *const bad[] = {"0", "9", "-1", "many"};
	const struct prop *p = component_prop(&cpu_component, "count");
	struct fixture f;

	fixture_make(&f, &cpu_component, NULL);
	for (unsigned i = 0; i < 4; i++)
		assert_true(dev_set(f.dev, p, bad[i], "test", NULL) < 0);
	assert_int_equal(cpu_count(f.dev), 1);
	fixture_drop(&f);
}

/* ---- timer ---- */

static const struct fixture_prop wires[] = {
	{"sec_irq", "13"}, {"phys_irq", "14"}, {"virt_irq", "11"}, {"hyp_irq", "10"}, {0}};

static void test_timer(void **state)
{
	struct fixture f;

	make(&f, &arm_timer_component, wires, 8);
	fake_pe_timer(f.host.pes, 0, HV_TIMER_VIRT, true);
	assert_true(fixture_level(&f, 11));
	fake_pe_timer(f.host.pes, 7, HV_TIMER_PHYS, true);
	assert_true(fixture_level(&f, 7 * 32 + 14));
	assert_false(fixture_level(&f, 14));
	fake_pe_timer(f.host.pes, 7, HV_TIMER_PHYS, true); /* a repeat is none */
	assert_int_equal(fixture_input(&f, 7 * 32 + 14).rises, 1);
	fake_pe_timer(f.host.pes, 0, HV_TIMER_VIRT, false);
	assert_false(fixture_level(&f, 11));
	for (unsigned n = 0; n < HV_TIMER_COUNT; n++)
		fake_pe_timer(f.host.pes, 1, (enum hv_timer)n, true);
	for (unsigned n = 10; n <= 14; n++) /* the EL2 virtual timer is not wired */
		assert_int_equal(fixture_level(&f, 32 + n), n != 12);
	dev_reset(f.dev);
	assert_false(fixture_level(&f, 7 * 32 + 14));
	assert_false(fixture_level(&f, 32 + 10));
	drop(&f);
}

static void test_timer_dt(void **state)
{
	static const uint32_t order[] = {13, 14, 11, 10};
	struct fixture f;
	struct tree t;

	make(&f, &arm_timer_component, wires, 1);
	describe(&f, &t);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(cell(&t, "/timer", "interrupts", 2 * i), order[i]);
	assert_string_equal(text(&t, "/timer", "compatible"), "arm,armv8-timer");
	assert_non_null(text(&t, "/timer", "always-on"));
	drop(&f);
}

static void test_timer_of_vhe(void **state)
{
	static const struct fixture_prop five[] = {{"sec_irq", "13"},	   {"phys_irq", "14"},
						   {"virt_irq", "11"},	   {"hyp_irq", "10"},
						   {"hyp_virt_irq", "12"}, {0}};
	struct fixture f;
	struct tree t;

	make(&f, &arm_timer_component, five, 2);
	fake_pe_timer(f.host.pes, 1, HV_TIMER_HYP_VIRT, true);
	assert_true(fixture_level(&f, 32 + 12));
	describe(&f, &t);
	assert_int_equal(cell(&t, "/timer", "interrupts", 8), 12);
	drop(&f);
}

/* ---- clock ---- */

static void test_clock(void **state)
{
	static const struct fixture_prop props[] = {{"frequency", "24MHz"}, {0}};
	struct fixture f;
	struct clk clk;
	struct tree t;

	make(&f, &fixed_clock_component, props, 1);
	clk.source = f.dev;
	assert_int_equal(clk_hz(&clk), 24000000);
	clk.source = NULL;
	assert_int_equal(clk_hz(&clk), 0);
	describe(&f, &t);
	assert_int_equal(cell(&t, "/dut", "clock-frequency", 0), 24000000);
	assert_int_equal(cell(&t, "/dut", "#clock-cells", 0), 0);
	assert_int_equal(cell(&t, "/dut", "phandle", 0), f.dev->phandle);
	drop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpu_actlr),
		cmocka_unit_test(test_cpu_el3),
		cmocka_unit_test(test_cpu_model),
		cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_cpu_count_refused),
		cmocka_unit_test(test_timer),
		cmocka_unit_test(test_timer_dt),
		cmocka_unit_test(test_timer_of_vhe),
		cmocka_unit_test(test_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
