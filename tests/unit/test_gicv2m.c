// SPDX-License-Identifier: Apache-2.0
/* The MSI frame, in front of a GICv2. */
#include "gic_rig.h"

#include "dev/dt.h"
#include "util/bits.h"
#include "util/err.h"

#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

extern const struct component gicv2_component;
extern const struct component gicv2m_component;

static uint32_t ack(struct gic_rig *r)
{
	return (uint32_t)gic_read(r, GIC_RIG_CPU + 0xc, 4, 0, false);
}

static void eoi(struct gic_rig *r, uint32_t intid)
{
	gic_write(r, GIC_RIG_CPU + 0x10, 4, intid, 0, false);
}

static void fresh(struct gic_rig *r)
{
	gic_write(r, GIC_RIG_DIST, 4, 1, 0, false);
	for (unsigned w = 1; w < 9; w++)
		gic_write(r, gic_reg(r, 0, w * 32, 0x100, 1), 4, ~0U, 0, false);
	gic_write(r, GIC_RIG_CPU + 4, 4, 0xff, 0, false);
	gic_write(r, GIC_RIG_CPU, 4, 1, 0, false);
}

#define FRAME 0x08020000ULL

static struct dev *make_frame(struct gic_rig *r, struct mem_space *s, struct dev_host *host,
			      const char *first, unsigned number, struct err *e, int *result)
{
	struct dev *d;
	const struct prop *p;
	struct irq wire = {.sink = r->dev, .input = number, .kind = first, .number = number};

	*host = (struct dev_host){.mem = s, .pes = r->pes};
	d = dev_create(&gicv2m_component, "v2m", "test:2", host);
	assert_int_equal(dev_defaults(d, NULL), 0);
	p = component_prop(d->c, "address");
	assert_int_equal(dev_set(d, p, "0x08020000", "test:2", NULL), 0);
	p = component_prop(d->c, "irq");
	memcpy((char *)d + p->offset, &wire, sizeof(wire));
	*result = dev_map(d, e);
	mem_freeze(s);
	if (!*result)
		*result = dev_init(d, e);
	return d;
}

static void msi(struct mem_space *s, uint64_t offset, unsigned size, uint32_t value)
{
	struct mem_attrs dma = {.dma = true};

	assert_int_equal(mem_write(s, FRAME + offset, size, value, dma), MEM_OK);
}

static void test_msi_frame(void **state)
{
	struct mem_space *s = mem_space_create();
	struct mem_attrs pe = {.pe = 0};
	struct dev_host host;
	struct gic_rig r;
	struct dev *frame;
	uint64_t v;
	int result;

	gic_rig_make(&r, &gicv2_component, 1, 1, NULL);
	fresh(&r);
	frame = make_frame(&r, s, &host, "spi", 80, NULL, &result);
	assert_int_equal(result, 0);
	assert_int_equal(mem_read(s, FRAME + 8, 4, &v, pe), MEM_OK);
	assert_int_equal(v, 112 << 16 | 64);
	assert_int_equal(mem_read(s, FRAME + 0xfcc, 4, &v, pe), MEM_OK);
	assert_int_equal(v, 0x43b);
	assert_int_equal(mem_read(s, FRAME + 0x40, 4, &v, pe), MEM_OK);
	assert_int_equal(v, 0);
	for (unsigned n = 32; n < 288; n++)
		gic_set_edge(&r, 0, n, true);
	/* not of this frame, or no MSI */
	msi(s, 0x40, 4, 111);
	msi(s, 0x40, 4, 176);
	msi(s, 0x40, 4, 0);
	msi(s, 0x40, 1, 112);
	msi(s, 0x44, 4, 112);
	msi(s, 0x08, 4, 112);
	assert_false(gic_irq(&r, 0));
	msi(s, 0x40, 4, 175);
	assert_int_equal(ack(&r), 175);
	msi(s, 0x40, 2, 175); /* again while active */
	eoi(&r, 175);
	assert_int_equal(ack(&r), 175);
	eoi(&r, 175);
	msi(s, 0x40, 4, 112);
	assert_int_equal(ack(&r), 112);
	dev_destroy(frame);
	mem_space_destroy(s);
	gic_rig_drop(&r);
}

static void test_msi_refused(void **state)
{
	static const struct {
		const char *kind;
		unsigned number;
	} table[] = {{"ppi", 3}, {"spi", 193}, {"spi", 959}};
	struct gic_rig r;

	gic_rig_make(&r, &gicv2_component, 1, 1, NULL);
	for (unsigned n = 0; n < ARRAY_COUNT(table); n++) {
		struct mem_space *s = mem_space_create();
		struct err e = ERR_INIT;
		struct dev_host host;
		struct dev *d;
		int result;

		d = make_frame(&r, s, &host, table[n].kind, table[n].number, &e, &result);
		assert_true(result < 0);
		assert_true(err_any(&e));
		err_free(&e);
		dev_destroy(d);
		mem_space_destroy(s);
	}
	gic_rig_drop(&r);
}

static bool has_node(const void *fdt, const char *path, const char *compatible)
{
	int node = fdt_path_offset(fdt, path);

	return node >= 0 && !fdt_node_check_compatible(fdt, node, compatible);
}

/* The frame's node is a child of the controller's, which must come first. */
static void test_dt(void **state)
{
	struct mem_space *s = mem_space_create();
	struct dev_host host;
	struct gic_rig r;
	struct dev *frame;
	char fdt[4096];
	struct dt dt = {.fdt = fdt};
	int result;

	gic_rig_make(&r, &gicv2_component, 2, 1, NULL);
	frame = make_frame(&r, s, &host, "spi", 80, NULL, &result);
	r.dev->phandle = 1;
	frame->phandle = 2;
	assert_int_equal(fdt_create_empty_tree(fdt, sizeof(fdt)), 0);
	assert_int_equal(frame->c->dt(frame, &dt), -FDT_ERR_NOTFOUND);
	dt.error = 0;
	assert_int_equal(r.dev->c->dt(r.dev, &dt), 0);
	assert_int_equal(frame->c->dt(frame, &dt), 0);
	assert_true(has_node(fdt, "/intc@8000000", "arm,cortex-a15-gic"));
	assert_true(has_node(fdt, "/intc@8000000/v2m@8020000", "arm,gic-v2m-frame"));
	dev_destroy(frame);
	mem_space_destroy(s);
	gic_rig_drop(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_msi_frame),
		cmocka_unit_test(test_msi_refused),
		cmocka_unit_test(test_dt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
