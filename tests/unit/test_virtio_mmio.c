// SPDX-License-Identifier: Apache-2.0
/* The MMIO transport: registers of both versions, negotiation, reset while work is in flight. */
#include "virtio_rig.h"

#include "dev/dt.h"
#include "util/bits.h"
#include "util/err.h"

#include <endian.h>
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct component virtio_mmio_component;

#define F_DEVICE (1ULL << 3)

/* A device that only counts, and holds a chain in flight on request. */
struct fake {
	struct virtio v;
	unsigned notified[2], resets;
	bool take;
	struct virtq_chain chain;
	struct iovec iov[16];
};

static void fake_notify(struct virtio *v, unsigned q)
{
	struct fake *f = (struct fake *)v;

	f->notified[q]++;
	if (f->take && virtq_pop(v, &v->vq[q], &f->chain))
		virtio_begin(v);
}

static void fake_reset(struct virtio *v)
{
	((struct fake *)v)->resets++;
}

static const struct virtio_ops fake_ops = {
	.id = VIRTIO_ID_CONSOLE,
	.queue_count = 2,
	.queue_size = {64, 16},
	.config_size = 10,
	.notify = fake_notify,
	.reset = fake_reset,
};

static int fake_init(struct dev *d, struct err *e)
{
	struct fake *f = (struct fake *)d;

	f->chain.iov = f->iov;
	f->chain.iov_max = ARRAY_COUNT(f->iov);
	memcpy(f->v.config, "0123456789", 10);
	return virtio_init(&f->v, &fake_ops, F_DEVICE, e);
}

static void fake_fini(struct dev *d)
{
	virtio_fini((struct virtio *)d);
}

static const struct prop fake_props[] = {VIRTIO_PROPS, {.name = NULL}};

static const struct component fake_component = {
	.type = "FAKE",
	.cls = DEV_DEVICE,
	.size = sizeof(struct fake),
	.props = fake_props,
	.regions = virtio_regions,
	.state = virtio_state,
	.init = fake_init,
	.reset = virtio_reset,
	.fini = fake_fini,
};

static struct rig *create(const struct component *c, const char *legacy)
{
	const char *const set[] = {"address=0xa000000", legacy, NULL};
	struct rig *r = calloc(1, sizeof(*r));
	struct err e = ERR_INIT;

	assert_true(rig_create(r, c, NULL, set, &e));
	return r;
}

static int setup(void **state)
{
	*state = create(&fake_component, "legacy=false");
	return 0;
}

static int setup_legacy(void **state)
{
	*state = create(&fake_component, "legacy=true");
	return 0;
}

static int setup_slot(void **state)
{
	*state = create(&virtio_mmio_component, NULL);
	return 0;
}

static int teardown(void **state)
{
	rig_destroy(*state);
	free(*state);
	return 0;
}

static struct fake *fake_of(struct rig *r)
{
	return (struct fake *)r->dev;
}

static uint64_t read_size(struct rig *r, uint64_t reg, unsigned size)
{
	uint64_t v = ~0ULL;

	assert_int_equal(mem_read(r->mem, RIG_SLOT + reg, size, &v, (struct mem_attrs){.pe = 0}),
			 MEM_OK);
	return v;
}

static void test_identity(void **state)
{
	struct rig *r = *state;

	assert_int_equal(rig_read(r, REG_MagicValue), 0x74726976);
	assert_int_equal(rig_read(r, REG_Version), 2);
	assert_int_equal(rig_read(r, REG_DeviceID), 3);
	assert_int_not_equal(rig_read(r, REG_VendorID), 0);
	assert_int_equal(rig_features(r), F_DEVICE | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX |
						  VIRTIO_F_VERSION_1);
	rig_write(r, REG_DeviceFeaturesSel, 2);
	assert_int_equal(rig_read(r, REG_DeviceFeatures), 0);
	assert_int_equal(rig_read(r, REG_SHMLenLow), UINT32_MAX);
	assert_int_equal(rig_read(r, REG_Status), 0);
	assert_int_equal(rig_read(r, REG_QueueNumMax), 64);
	rig_write(r, REG_QueueSel, 1);
	assert_int_equal(rig_read(r, REG_QueueNumMax), 16);
	rig_write(r, REG_QueueSel, 2);
	assert_int_equal(rig_read(r, REG_QueueNumMax), 0);
	rig_write(r, REG_QueueSel, UINT32_MAX);
	assert_int_equal(rig_read(r, REG_QueueNumMax), 0);
	rig_write(r, REG_QueueReady, 1);
	assert_int_equal(rig_read(r, REG_QueueReady), 0);
}

static void test_features(void **state)
{
	struct rig *r = *state;

	assert_true(rig_negotiate(r, F_DEVICE) & VIRTIO_S_FEATURES_OK);
	/* Not offered. */
	assert_false(rig_negotiate(r, 1) & VIRTIO_S_FEATURES_OK);
	assert_false(rig_negotiate(r, 1ULL << 63) & VIRTIO_S_FEATURES_OK);
	/* Fixed once accepted. */
	rig_negotiate(r, 0);
	rig_write(r, REG_DriverFeaturesSel, 0);
	rig_write(r, REG_DriverFeatures, F_DEVICE);
	assert_false(virtio_has(&fake_of(r)->v, F_DEVICE));
	/* VERSION_1 is a must. */
	rig_write(r, REG_Status, 0);
	rig_write(r, REG_Status, 3);
	rig_write(r, REG_Status, 11);
	assert_int_equal(rig_read(r, REG_Status), 3);
}

static void test_status(void **state)
{
	struct rig *r = *state;
	unsigned resets = fake_of(r)->resets;

	/* No way to DRIVER_OK without FEATURES_OK, none to queues either. */
	rig_write(r, REG_Status, 3);
	rig_write(r, REG_QueueReady, 1);
	assert_int_equal(rig_read(r, REG_QueueReady), 0);
	rig_write(r, REG_Status, 7);
	assert_int_equal(rig_read(r, REG_Status), 3);
	/* Bits stay; NEEDS_RESET is the device's alone. */
	rig_write(r, REG_Status, 1);
	assert_int_equal(rig_read(r, REG_Status), 3);
	rig_write(r, REG_Status, 3 | VIRTIO_S_NEEDS_RESET);
	assert_int_equal(rig_read(r, REG_Status), 3);
	rig_write(r, REG_Status, 0x100); /* only the low byte counts */
	assert_int_equal(rig_read(r, REG_Status), 0);
	assert_int_equal(fake_of(r)->resets, resets + 1);
}

static void test_notify(void **state)
{
	struct rig *r = *state;
	struct fake *f = fake_of(r);

	rig_notify(r, 0); /* too early */
	rig_start(r, 0, 8);
	/* DRIVER_OK makes the device look at both queues. */
	assert_int_equal(f->notified[0], 1);
	assert_int_equal(f->notified[1], 1);
	rig_notify(r, 1);
	assert_int_equal(f->notified[1], 2);
	rig_notify(r, 2);
	rig_notify(r, UINT32_MAX);
	rig_write(r, REG_QueueSel, 1);
	rig_write(r, REG_QueueReady, 0);
	assert_int_equal(rig_read(r, REG_QueueReady), 0);
	rig_notify(r, 1);
	assert_int_equal(f->notified[1], 2);
}

static void test_ready_is_locked(void **state)
{
	struct rig *r = *state;
	struct virtq *q = &fake_of(r)->v.vq[0];
	uint64_t desc;

	rig_start(r, 0, 8);
	desc = q->QueueDesc;
	rig_write(r, REG_QueueNum, 32);
	rig_write(r, REG_QueueDescLow, 0);
	assert_int_equal(q->QueueNum, 8);
	assert_int_equal(q->QueueDesc, desc);
}

static void test_reset_values(void **state)
{
	struct rig *r = *state;
	struct virtio *v = &fake_of(r)->v;

	rig_start(r, F_DEVICE, 8);
	dev_lock(&v->dev);
	virtio_interrupt(v);
	dev_unlock(&v->dev);
	assert_int_equal(rig_read(r, REG_InterruptStatus), 1);
	assert_true(v->irq.level || !v->irq.sink);
	rig_write(r, REG_Status, 0);
	assert_int_equal(rig_read(r, REG_Status), 0);
	assert_int_equal(rig_read(r, REG_InterruptStatus), 0);
	assert_false(v->irq.level);
	assert_int_equal(v->DriverFeatures, 0);
	assert_int_equal(v->vq[0].QueueNum, 64);
	assert_int_equal(v->vq[0].QueueDesc, 0);
	assert_false(v->vq[0].QueueReady);
}

static void test_interrupt_status(void **state)
{
	struct rig *r = *state;
	struct virtio *v = &fake_of(r)->v;

	rig_start(r, 0, 8);
	dev_lock(&v->dev);
	virtio_interrupt(v);
	virtio_config_changed(v);
	dev_unlock(&v->dev);
	assert_int_equal(rig_read(r, REG_InterruptStatus), 3);
	rig_write(r, REG_InterruptACK, 1);
	assert_int_equal(rig_read(r, REG_InterruptStatus), 2);
	rig_write(r, REG_InterruptACK, UINT32_MAX);
	assert_int_equal(rig_read(r, REG_InterruptStatus), 0);
}

static void test_config(void **state)
{
	struct rig *r = *state;
	struct virtio *v = &fake_of(r)->v;
	uint32_t generation = rig_read(r, REG_ConfigGeneration);

	assert_int_equal(read_size(r, REG_Config, 1), '0');
	assert_int_equal(read_size(r, REG_Config + 9, 1), '9');
	assert_int_equal(read_size(r, REG_Config + 2, 2), '2' | '3' << 8);
	assert_int_equal(read_size(r, REG_Config + 4, 4), 0x37363534);
	assert_int_equal(read_size(r, REG_Config + 8, 2), '8' | '9' << 8);
	assert_int_equal(read_size(r, REG_Config + 8, 4), 0); /* partly beyond its end */
	assert_int_equal(read_size(r, REG_Config + 0xfc, 4), 0);
	rig_write(r, REG_Config, 0);
	assert_int_equal(read_size(r, REG_Config, 1), '0');
	/* Registers are 32 bits wide only. */
	assert_int_equal(read_size(r, REG_MagicValue, 2), 0);
	assert_int_equal(read_size(r, REG_MagicValue + 1, 1), 0);
	dev_lock(&v->dev);
	virtio_config_changed(v);
	dev_unlock(&v->dev);
	assert_int_equal(rig_read(r, REG_ConfigGeneration), generation + 1);
	assert_int_equal(rig_read(r, REG_InterruptStatus), 0); /* no driver yet */
}

static void *finish_later(void *opaque)
{
	struct rig *r = opaque;
	struct fake *f = fake_of(r);

	usleep(20000);
	dev_lock(&f->v.dev);
	virtq_push(&f->v.vq[0], &f->chain, 1);
	virtq_publish(&f->v, &f->v.vq[0]);
	f->take = false;
	virtio_end(&f->v);
	dev_unlock(&f->v.dev);
	return NULL;
}

/* Stop the device by @reg = 0 with a chain in flight: the write returns after the chain is done, and
 * the chain leaves no trace. */
static void stop_in_flight(struct rig *r, uint64_t reg)
{
	struct fake *f = fake_of(r);
	uint16_t *used;
	pthread_t t;

	rig_start(r, 0, 8);
	used = rig_ptr(r, r->ring[0].used);
	rig_desc(r, r->ring[0].desc, 0, RIG_DATA, 8, DESC_WRITE, 0);
	rig_offer(r, 0, 0);
	f->take = true;
	rig_notify(r, 0);
	assert_int_equal(f->v.in_flight, 1);
	assert_int_equal(pthread_create(&t, NULL, finish_later, r), 0);
	rig_write(r, reg, 0);
	assert_false(f->take);
	assert_int_equal(used[1], 0);
	assert_int_equal(rig_read(r, REG_InterruptStatus), 0);
	pthread_join(t, NULL);
}

static void test_reset_waits(void **state)
{
	stop_in_flight(*state, REG_Status);
	assert_int_equal(rig_read(*state, REG_Status), 0);
}

static void test_queue_stop_waits(void **state)
{
	struct rig *r = *state;
	unsigned notified;

	stop_in_flight(r, REG_QueueReady);
	assert_int_equal(rig_read(r, REG_QueueReady), 0);
	/* The other queue goes on. */
	notified = fake_of(r)->notified[1];
	rig_notify(r, 1);
	assert_int_equal(fake_of(r)->notified[1], notified + 1);
}

static void *reset_too(void *opaque)
{
	rig_write(opaque, REG_Status, 0);
	return NULL;
}

static void test_two_resets(void **state)
{
	struct rig *r = *state;
	struct fake *f = fake_of(r);
	pthread_t t[3];

	rig_start(r, 0, 8);
	rig_desc(r, r->ring[0].desc, 0, RIG_DATA, 8, DESC_WRITE, 0);
	rig_offer(r, 0, 0);
	f->take = true;
	rig_notify(r, 0);
	pthread_create(&t[0], NULL, reset_too, r);
	pthread_create(&t[1], NULL, reset_too, r);
	pthread_create(&t[2], NULL, finish_later, r);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(rig_read(r, REG_Status), 0);
	rig_start(r, 0, 8);
	assert_true(rig_read(r, REG_Status) & VIRTIO_S_DRIVER_OK);
}

/* ---- legacy ---- */

static void legacy_queue(struct rig *r, uint32_t page, uint32_t align, uint64_t base, uint32_t num)
{
	rig_write(r, REG_GuestPageSize, page);
	rig_write(r, REG_QueueSel, 0);
	rig_write(r, REG_QueueNum, num);
	rig_write(r, REG_QueueAlign, align);
	rig_write(r, REG_QueuePFN, (uint32_t)(base / (page ? page : 1)));
}

static void test_legacy(void **state)
{
	struct rig *r = *state;
	struct fake *f = fake_of(r);
	struct virtq *q = &f->v.vq[0];

	assert_int_equal(rig_read(r, REG_Version), 1);
	assert_int_equal(rig_features(r), F_DEVICE | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX |
						  VIRTIO_F_ANY_LAYOUT);
	rig_write(r, REG_Status, 3);
	rig_write(r, REG_DriverFeatures, F_DEVICE | 1);
	assert_int_equal(f->v.DriverFeatures, F_DEVICE);
	legacy_queue(r, 4096, 4096, RIG_RING, 64);
	assert_true(q->QueueReady);
	assert_int_equal(rig_read(r, REG_QueuePFN), RIG_RING / 4096);
	assert_int_equal(q->QueueDriver, RIG_RING + 64 * 16);
	assert_int_equal(q->QueueDevice, RIG_RING + 0x1000);
	/* Legacy drivers may use queues before DRIVER_OK. */
	rig_notify(r, 0);
	assert_int_equal(f->notified[0], 1);
	rig_write(r, REG_QueuePFN, 0);
	assert_false(q->QueueReady);
	assert_int_equal(rig_read(r, REG_QueuePFN), 0);
	legacy_queue(r, 65536, 64, RIG_RAM + 0x10000, 16);
	assert_int_equal(q->QueueDevice, align_up(RIG_RAM + 0x10000 + 256 + 38, 64));
	rig_write(r, REG_Status, 7);
	assert_int_equal(rig_read(r, REG_Status), 7);
	rig_write(r, REG_Status, 0);
	assert_int_equal(rig_read(r, REG_QueuePFN), 0);
}

static void test_legacy_bad(void **state)
{
	struct rig *r = *state;
	struct virtq *q = &fake_of(r)->v.vq[0];

	legacy_queue(r, 0, 4096, 0x1234, 8);
	assert_false(q->QueueReady);
	legacy_queue(r, 4095, 4096, RIG_RING, 8);
	assert_false(q->QueueReady);
	legacy_queue(r, 4096, 0, RIG_RING, 8);
	assert_false(q->QueueReady);
	legacy_queue(r, 4096, 48, RIG_RING, 8);
	assert_false(q->QueueReady);
	legacy_queue(r, 4096, 4096, 0x1000, 8);
	assert_false(q->QueueReady);
	rig_write(r, REG_Status, 0);
	legacy_queue(r, 0x80000000, 0x80000000, RIG_RAM, 8);
	rig_write(r, REG_QueuePFN, UINT32_MAX);
	assert_false(q->QueueReady);
	/* Broken without NEEDS_RESET, which legacy does not know. */
	assert_false(rig_read(r, REG_Status) & VIRTIO_S_NEEDS_RESET);
	rig_write(r, REG_Status, 0);
	legacy_queue(r, 4096, 4096, RIG_RING, 8);
	assert_true(q->QueueReady);
	/* Modern registers do not exist. */
	rig_write(r, REG_QueueReady, 0);
	assert_true(q->QueueReady);
	assert_int_equal(rig_read(r, REG_QueueReady), 0);
}

/* As in QEMU's virt machine. */
static void test_empty_slot(void **state)
{
	struct rig *r = *state;

	assert_int_equal(rig_read(r, REG_MagicValue), 0x74726976);
	assert_int_equal(rig_read(r, REG_Version), 1);
	assert_int_equal(rig_read(r, REG_DeviceID), 0);
	for (uint64_t reg = 0; reg < 0x200; reg += 4) {
		rig_write(r, reg, UINT32_MAX);
		if (reg >= REG_DeviceFeatures)
			assert_int_equal(rig_read(r, reg), 0);
	}
}

/* ---- device tree ---- */

static unsigned spi_cells(const struct dev *sink, const struct irq *w, uint32_t cells[4])
{
	cells[0] = 0;
	cells[1] = w->number;
	cells[2] = w->dt_flags;
	return 3;
}

static void ignore_input(struct dev *d, uint32_t input, bool level)
{
}

static const struct dev_irq_in sink_inputs[] = {
	{.kind = "spi", .first = 0, .count = 64, .dt_cells = spi_cells},
	{.kind = NULL},
};

static const struct component sink_component = {
	.type = "SINK",
	.cls = DEV_DEVICE,
	.size = sizeof(struct dev),
	.irq_in = sink_inputs,
	.irq_input = ignore_input,
};

static void test_dt(void **state)
{
	static const uint32_t reg[4] = {0, 0x0a000000, 0, 0x200}, irq[3] = {0, 16, 1};
	struct rig *r = *state;
	struct dev *sink = dev_create(&sink_component, "gic", "test", &r->host);
	struct dt dt = {.fdt = malloc(4096)};
	const fdt32_t *p;
	int node, len;

	sink->phandle = 1;
	fake_of(r)->v.irq = (struct irq){
		.sink = sink, .kind = "spi", .number = 16, .dt_flags = IRQ_TYPE_LEVEL_HIGH};
	assert_int_equal(fdt_create_empty_tree(dt.fdt, 4096), 0);
	assert_int_equal(virtio_dt(r->dev, &dt), 0);
	assert_int_equal(dt.error, 0);
	node = fdt_path_offset(dt.fdt, "/virtio_mmio@a000000");
	assert_true(node > 0);
	assert_string_equal(fdt_getprop(dt.fdt, node, "compatible", NULL), "virtio,mmio");
	assert_non_null(fdt_getprop(dt.fdt, node, "dma-coherent", NULL));
	p = fdt_getprop(dt.fdt, node, "reg", &len);
	assert_int_equal(len, sizeof(reg));
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(fdt32_to_cpu(p[i]), reg[i]);
	p = fdt_getprop(dt.fdt, node, "interrupts", &len);
	assert_int_equal(len, sizeof(irq));
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(fdt32_to_cpu(p[i]), irq[i]);
	fake_of(r)->v.irq.sink = NULL;
	dev_destroy(sink);
	free(dt.fdt);
}

/* Every register with odd values, at every moment: just no crash, and the device comes back. */
static void test_hammer(void **state)
{
	static const uint32_t values[] = {0, 1, 2, 3, 7, 11, 15, 0x40000000, 0xffffffff};
	struct rig *r = *state;

	srand(2);
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t reg = (unsigned)rand() % 0x200 & ~3u;

		if (rand() & 1)
			rig_write(r, reg, values[(unsigned)rand() % ARRAY_COUNT(values)]);
		else
			rig_read(r, reg);
	}
	rig_start(r, 0, 8);
	assert_true(rig_read(r, REG_Status) & VIRTIO_S_DRIVER_OK);
}

#define TEST(f)	       cmocka_unit_test_setup_teardown(f, setup, teardown)
#define TEST_LEGACY(f) cmocka_unit_test_setup_teardown(f, setup_legacy, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_identity),
		TEST(test_features),
		TEST(test_status),
		TEST(test_notify),
		TEST(test_ready_is_locked),
		TEST(test_reset_values),
		TEST(test_interrupt_status),
		TEST(test_config),
		TEST(test_reset_waits),
		TEST(test_queue_stop_waits),
		TEST(test_two_resets),
		TEST(test_hammer),
		TEST(test_dt),
		TEST_LEGACY(test_legacy),
		TEST_LEGACY(test_legacy_bad),
		cmocka_unit_test_setup_teardown(test_empty_slot, setup_slot, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
