// SPDX-License-Identifier: Apache-2.0
/*
 * Virtio over MMIO, virtio 1.2 section 4.2: version 2, and the legacy version 1 (4.2.4). Also the
 * empty slot (VIRTIO-MMIO), whose DeviceID is 0.
 *
 * Stricter than a driver would notice: bits of Status are never cleared but by reset; features are
 * fixed once FEATURES_OK is set; a queue cannot be set up before that.
 *
 * Left out: shared memory regions (read as absent), VIRTIO_F_RING_RESET, VIRTIO_F_NOTIFICATION_DATA.
 */
#include "dev/dt.h"
#include "dev/virtio/virtio.h"

#include "util/bits.h"
#include "util/log.h"

#include <endian.h>
#include <jansson.h>
#include <string.h>

enum {
	MagicValue = 0x000,
	Version = 0x004,
	DeviceID = 0x008,
	VendorID = 0x00c,
	DeviceFeatures = 0x010,
	DeviceFeaturesSel = 0x014,
	DriverFeatures = 0x020,
	DriverFeaturesSel = 0x024,
	GuestPageSize = 0x028, /* legacy */
	QueueSel = 0x030,
	QueueNumMax = 0x034,
	QueueNum = 0x038,
	QueueAlign = 0x03c, /* legacy */
	QueuePFN = 0x040,   /* legacy */
	QueueReady = 0x044,
	QueueNotify = 0x050,
	InterruptStatus = 0x060,
	InterruptACK = 0x064,
	Status = 0x070,
	QueueDescLow = 0x080,
	QueueDescHigh = 0x084,
	QueueDriverLow = 0x090,
	QueueDriverHigh = 0x094,
	QueueDeviceLow = 0x0a0,
	QueueDeviceHigh = 0x0a4,
	SHMSel = 0x0ac,
	SHMLenLow = 0x0b0,
	SHMLenHigh = 0x0b4,
	SHMBaseLow = 0x0b8,
	SHMBaseHigh = 0x0bc,
	ConfigGeneration = 0x0fc,
	Config = 0x100,
	SLOT_SIZE = 0x200,
};

#define MAGIC  0x74726976u /* "virt" */
#define VENDOR 0x5256424fu /* "OBVR" */

enum { INT_USED = 1, INT_CONFIG = 2 };

#define STATE(reg)                                                                                 \
	{                                                                                          \
		.name = #reg, .offset = offsetof(struct virtio, reg), .size = 4                    \
	}
/* What a queue holds is reset by code, its values depend on the device. */
#define QUEUE_STATE(n, reg, bytes)                                                                 \
	{                                                                                          \
		.name = #reg #n, .offset = offsetof(struct virtio, vq[n].reg), .size = bytes,      \
		.keep = true                                                                       \
	}
#define QUEUE_STATES(n)                                                                            \
	QUEUE_STATE(n, QueueNum, 4), QUEUE_STATE(n, QueueAlign, 4), QUEUE_STATE(n, QueuePFN, 4),   \
		QUEUE_STATE(n, QueueReady, 1), QUEUE_STATE(n, QueueDesc, 8),                       \
		QUEUE_STATE(n, QueueDriver, 8), QUEUE_STATE(n, QueueDevice, 8),                    \
		QUEUE_STATE(n, last_avail, 2), QUEUE_STATE(n, used_idx, 2)

const struct dev_state virtio_state[] = {
	STATE(DeviceFeaturesSel),
	STATE(DriverFeaturesSel),
	{.name = "DriverFeatures", .offset = offsetof(struct virtio, DriverFeatures), .size = 8},
	STATE(QueueSel),
	STATE(GuestPageSize),
	STATE(InterruptStatus),
	STATE(Status),
	{.name = "ConfigGeneration",
	 .offset = offsetof(struct virtio, ConfigGeneration),
	 .size = 4,
	 .keep = true},
	QUEUE_STATES(0),
	QUEUE_STATES(1),
	{.name = NULL},
};

/* ---- interrupts ---- */

static void update_irq(struct virtio *v)
{
	irq_set(&v->irq, v->InterruptStatus != 0);
}

void virtio_interrupt(struct virtio *v)
{
	v->interrupts++;
	v->InterruptStatus |= INT_USED;
	update_irq(v);
}

void virtio_config_changed(struct virtio *v)
{
	v->ConfigGeneration++;
	if (!(v->Status & VIRTIO_S_DRIVER_OK))
		return;
	v->InterruptStatus |= INT_CONFIG;
	update_irq(v);
}

void virtio_broken(struct virtio *v, const char *why)
{
	guest_error(v->dev.name, "%s", why);
	if (v->broken)
		return;
	v->broken = true;
	if (v->legacy)
		return;
	/* virtio 2.1.2: with DRIVER_OK set, the driver is told by a configuration change. */
	v->Status |= VIRTIO_S_NEEDS_RESET;
	virtio_config_changed(v);
}

/* ---- life ---- */

bool virtio_running(const struct virtio *v)
{
	if (v->broken || v->resetting)
		return false;
	/* Legacy drivers use the queues before they set DRIVER_OK (virtio 3.1.2). */
	return v->legacy || v->Status & VIRTIO_S_DRIVER_OK;
}

void virtio_end(struct virtio *v)
{
	if (!--v->in_flight)
		pthread_cond_broadcast(&v->idle);
}

static void notify_all(struct virtio *v)
{
	for (unsigned i = 0; i < v->ops->queue_count; i++)
		if (v->vq[i].QueueReady && virtio_running(v))
			v->ops->notify(v, i);
}

/* Wait, with the lock released, until no work is in flight. Whoever comes second waits for the
 * first; false for them. On true the caller owns the wait and ends it with end_quiesce(). */
static bool quiesce(struct virtio *v)
{
	if (v->resetting) {
		while (v->resetting)
			pthread_cond_wait(&v->idle, &v->dev.lock);
		return false;
	}
	v->resetting = true;
	if (v->ops->stop)
		v->ops->stop(v);
	while (v->in_flight)
		pthread_cond_wait(&v->idle, &v->dev.lock);
	return true;
}

static void end_quiesce(struct virtio *v)
{
	v->resetting = false;
	pthread_cond_broadcast(&v->idle);
}

static void reset_queue(struct virtq *q)
{
	q->QueueDesc = q->QueueDriver = q->QueueDevice = 0;
	q->QueueNum = q->size_max;
	q->QueueAlign = q->QueuePFN = 0;
	q->last_avail = q->used_idx = q->published = 0;
}

static void device_reset(struct virtio *v)
{
	for (unsigned i = 0; i < VIRTIO_QUEUE_MAX; i++)
		virtq_stop(&v->vq[i]);
	if (!quiesce(v))
		return;
	for (unsigned i = 0; i < VIRTIO_QUEUE_MAX; i++)
		reset_queue(&v->vq[i]);
	dev_state_reset(&v->dev);
	v->broken = false;
	if (v->ops->reset)
		v->ops->reset(v);
	update_irq(v);
	end_quiesce(v);
}

/* virtio 4.2.2.2: after QueueReady is written with 0 the queue's memory is the driver's again. */
static void stop_queue(struct virtio *v, struct virtq *q)
{
	virtq_stop(q);
	if (!quiesce(v))
		return;
	end_quiesce(v);
	notify_all(v); /* the other queues may have been notified meanwhile */
}

int virtio_init(struct virtio *v, const struct virtio_ops *ops, uint64_t features, struct err *e)
{
	v->ops = ops;
	v->features_offered = features | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX |
			      (v->legacy ? VIRTIO_F_ANY_LAYOUT : VIRTIO_F_VERSION_1);
	if (!ops->id)
		v->features_offered = 0;
	for (unsigned i = 0; i < ops->queue_count; i++)
		v->vq[i].size_max = ops->queue_size[i];
	pthread_cond_init(&v->idle, NULL);
	v->initialized = true;
	return 0;
}

void virtio_fini(struct virtio *v)
{
	if (!v->initialized)
		return;
	dev_lock(&v->dev);
	for (unsigned i = 0; i < VIRTIO_QUEUE_MAX; i++)
		virtq_stop(&v->vq[i]);
	quiesce(v);
	dev_unlock(&v->dev);
	pthread_cond_destroy(&v->idle);
	v->initialized = false;
}

void virtio_reset(struct dev *d)
{
	device_reset(container_of(d, struct virtio, dev));
}

/* ---- queue registers ---- */

/* The selected queue; NULL if it does not exist. */
static struct virtq *selected(struct virtio *v)
{
	return v->QueueSel < v->ops->queue_count ? &v->vq[v->QueueSel] : NULL;
}

static void set_low(uint64_t *reg, uint32_t value)
{
	*reg = bits_set(*reg, 31, 0, value);
}

static void set_high(uint64_t *reg, uint32_t value)
{
	*reg = bits_set(*reg, 63, 32, value);
}

static void write_queue_ready(struct virtio *v, struct virtq *q, uint32_t value)
{
	if (!(value & 1)) {
		if (q->QueueReady)
			stop_queue(v, q);
		return;
	}
	if (!(v->Status & VIRTIO_S_FEATURES_OK)) {
		guest_error(v->dev.name, "QueueReady before FEATURES_OK");
		return;
	}
	if (!q->QueueReady)
		virtq_start(v, q);
}

/* Legacy layout, virtio 2.7.2: one contiguous area, the used ring aligned to QueueAlign. */
static void write_queue_pfn(struct virtio *v, struct virtq *q, uint32_t pfn)
{
	uint64_t base = (uint64_t)pfn * v->GuestPageSize;
	uint64_t num = q->QueueNum;

	if (!pfn) {
		q->QueuePFN = 0;
		if (q->QueueReady)
			stop_queue(v, q);
		return;
	}
	if (q->QueueReady || !v->GuestPageSize || !q->QueueAlign) {
		guest_error(v->dev.name, "QueuePFN while in use, or without GuestPageSize and "
					 "QueueAlign");
		return;
	}
	q->QueuePFN = pfn;
	q->QueueDesc = base;
	q->QueueDriver = base + 16 * num;
	q->QueueDevice = align_up(q->QueueDriver + 2 * (3 + num), q->QueueAlign);
	virtq_start(v, q);
}

static uint32_t pow2_or_0(struct virtio *v, const char *reg, uint32_t value)
{
	if (is_pow2(value))
		return value;
	guest_error(v->dev.name, "%s 0x%x is not a power of two", reg, value);
	return 0;
}

/* Registers that both versions have, and those of version 2. False: no such register. */
static bool write_queue(struct virtio *v, struct virtq *q, uint64_t offset, uint32_t value)
{
	if (q->QueueReady && offset != QueueReady) {
		guest_error(v->dev.name, "queue register 0x%x written while QueueReady",
			    (unsigned)offset);
		return true;
	}
	switch (offset) {
	case QueueNum:
		q->QueueNum = value;
		return true;
	case QueueReady:
		write_queue_ready(v, q, value);
		return true;
	case QueueDescLow:
		set_low(&q->QueueDesc, value);
		return true;
	case QueueDescHigh:
		set_high(&q->QueueDesc, value);
		return true;
	case QueueDriverLow:
		set_low(&q->QueueDriver, value);
		return true;
	case QueueDriverHigh:
		set_high(&q->QueueDriver, value);
		return true;
	case QueueDeviceLow:
		set_low(&q->QueueDevice, value);
		return true;
	case QueueDeviceHigh:
		set_high(&q->QueueDevice, value);
		return true;
	}
	return false;
}

static bool write_legacy(struct virtio *v, uint64_t offset, uint32_t value)
{
	struct virtq *q = selected(v);

	switch (offset) {
	case GuestPageSize:
		v->GuestPageSize = pow2_or_0(v, "GuestPageSize", value);
		return true;
	case QueueNum:
		return q && write_queue(v, q, offset, value);
	case QueueAlign:
		if (q && !q->QueueReady)
			q->QueueAlign = pow2_or_0(v, "QueueAlign", value);
		return true;
	case QueuePFN:
		if (q)
			write_queue_pfn(v, q, value);
		return true;
	}
	return false;
}

/* ---- other registers ---- */

static void write_features(struct virtio *v, uint32_t value)
{
	uint64_t f = v->DriverFeatures;

	if (v->Status & VIRTIO_S_FEATURES_OK && !v->legacy) {
		guest_error(v->dev.name, "DriverFeatures written after FEATURES_OK");
		return;
	}
	if (v->DriverFeaturesSel == 0)
		set_low(&f, value);
	else if (v->DriverFeaturesSel == 1)
		set_high(&f, value);
	/* Legacy has no way to refuse: what was not offered is dropped. */
	v->DriverFeatures = v->legacy ? f & v->features_offered : f;
}

/* virtio 2.2.2 and 6.2: a subset of what was offered, and VERSION_1. */
static bool features_acceptable(const struct virtio *v)
{
	return !(v->DriverFeatures & ~v->features_offered) && virtio_has(v, VIRTIO_F_VERSION_1);
}

static void write_status(struct virtio *v, uint32_t value)
{
	uint32_t set = value & 0xff & ~(v->Status | VIRTIO_S_NEEDS_RESET);

	if (!(value & 0xff)) {
		device_reset(v);
		return;
	}
	if (v->Status & ~value & ~VIRTIO_S_NEEDS_RESET)
		guest_error(v->dev.name, "Status bits cleared without reset");
	if (!v->legacy && set & VIRTIO_S_FEATURES_OK && !features_acceptable(v)) {
		guest_error(v->dev.name, "features 0x%llx are not acceptable",
			    (unsigned long long)v->DriverFeatures);
		set &= ~VIRTIO_S_FEATURES_OK;
	}
	if (!v->legacy && set & VIRTIO_S_DRIVER_OK && !((v->Status | set) & VIRTIO_S_FEATURES_OK)) {
		guest_error(v->dev.name, "DRIVER_OK without FEATURES_OK");
		set &= ~VIRTIO_S_DRIVER_OK;
	}
	v->Status |= set;
	if (set & VIRTIO_S_DRIVER_OK)
		notify_all(v);
}

static void write_notify(struct virtio *v, uint32_t value)
{
	if (value >= v->ops->queue_count || !v->vq[value].QueueReady || !virtio_running(v)) {
		guest_error(v->dev.name, "notification of queue %u, which does not run", value);
		return;
	}
	v->notifications++;
	v->ops->notify(v, value);
}

static uint32_t read_queue(struct virtio *v, uint64_t offset)
{
	const struct virtq *q = selected(v);

	if (!q)
		return 0;
	switch (offset) {
	case QueueNumMax:
		return q->size_max;
	case QueueReady:
		return !v->legacy && q->QueueReady;
	case QueuePFN:
		return v->legacy ? q->QueuePFN : 0;
	}
	return 0;
}

static uint32_t read_register(struct virtio *v, uint64_t offset)
{
	switch (offset) {
	case MagicValue:
		return MAGIC;
	case Version:
		return v->legacy ? 1 : 2;
	case DeviceID:
		return v->ops->id;
	case VendorID:
		return VENDOR;
	case DeviceFeatures:
		return v->DeviceFeaturesSel > 1
			       ? 0
			       : (uint32_t)(v->features_offered >> (32 * v->DeviceFeaturesSel));
	case QueueNumMax:
	case QueuePFN:
	case QueueReady:
		return read_queue(v, offset);
	case InterruptStatus:
		return v->InterruptStatus;
	case Status:
		return v->Status;
	case SHMLenLow:
	case SHMLenHigh:
	case SHMBaseLow:
	case SHMBaseHigh:
		return v->ops->id ? UINT32_MAX : 0; /* virtio 4.2.2.1: no such region */
	case ConfigGeneration:
		return v->ConfigGeneration;
	}
	guest_error(v->dev.name, "read of write-only or reserved register 0x%x", (unsigned)offset);
	return 0;
}

static void write_register(struct virtio *v, uint64_t offset, uint32_t value)
{
	struct virtq *q;

	switch (offset) {
	case DeviceFeaturesSel:
		v->DeviceFeaturesSel = value;
		return;
	case DriverFeatures:
		write_features(v, value);
		return;
	case DriverFeaturesSel:
		v->DriverFeaturesSel = value;
		return;
	case QueueSel:
		v->QueueSel = value;
		return;
	case QueueNotify:
		write_notify(v, value);
		return;
	case InterruptACK:
		v->InterruptStatus &= ~value;
		update_irq(v);
		return;
	case Status:
		write_status(v, value);
		return;
	case SHMSel:
		return;
	}
	q = selected(v);
	if (v->legacy ? write_legacy(v, offset, value) : q && write_queue(v, q, offset, value))
		return;
	guest_error(v->dev.name, "write of read-only or reserved register 0x%x", (unsigned)offset);
}

/* ---- accesses ---- */

static uint32_t read_config(struct virtio *v, uint64_t offset, unsigned size)
{
	uint32_t value = 0;

	if (offset + size > v->ops->config_size) {
		guest_error(v->dev.name, "read of configuration 0x%x is out of range",
			    (unsigned)offset);
		return 0;
	}
	memcpy(&value, v->config + offset, size);
	return le32toh(value);
}

static enum mem_result slot_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value,
				 struct mem_attrs attrs)
{
	struct virtio *v = opaque;

	*value = 0;
	if (!v->ops->id && offset >= DeviceFeatures)
		return MEM_OK;
	if (offset >= Config)
		*value = read_config(v, offset - Config, size);
	else if (size == 4)
		*value = read_register(v, offset);
	else
		guest_error(v->dev.name, "register 0x%x read with %u bytes", (unsigned)offset,
			    size);
	return MEM_OK;
}

static enum mem_result slot_write(void *opaque, uint64_t offset, unsigned size, uint64_t value,
				  struct mem_attrs attrs)
{
	struct virtio *v = opaque;

	if (!v->ops->id)
		return MEM_OK;
	/* While another CPU waits for its reset only that may be joined. */
	if (v->resetting && offset != Status)
		return MEM_OK;
	if (offset >= Config || size != 4)
		guest_error(v->dev.name, "write of 0x%x with %u bytes is ignored", (unsigned)offset,
			    size);
	else
		write_register(v, offset, value);
	return MEM_OK;
}

const struct dev_region virtio_regions[] = {
	{.address_offset = offsetof(struct virtio, address),
	 .size = SLOT_SIZE,
	 .min_width = 1,
	 .max_width = 4,
	 .read = slot_read,
	 .write = slot_write},
	{.read = NULL},
};

int virtio_dt(struct dev *d, struct dt *dt)
{
	struct virtio *v = container_of(d, struct virtio, dev);
	int node = dt_node(dt, "virtio_mmio", &v->address);

	/* As the slots of QEMU's virt board: an interrupt is announced by an edge. */
	v->irq.dt_flags = IRQ_TYPE_EDGE_RISING;
	dt_str(dt, node, "compatible", "virtio,mmio");
	dt_reg_of(dt, node, d);
	dt_irq(dt, node, &v->irq);
	dt_empty(dt, node, "dma-coherent");
	dt_phandle(dt, node, d);
	return 0;
}

void virtio_stats(struct dev *d, void *json_object)
{
	struct virtio *v = container_of(d, struct virtio, dev);

	json_object_set_new(json_object, "notifications",
			    json_integer((json_int_t)v->notifications));
	json_object_set_new(json_object, "interrupts", json_integer((json_int_t)v->interrupts));
}

/* ---- the empty slot: version 1, as the slots of QEMU's virt machine have it ---- */

static const struct virtio_ops slot_ops = {.id = VIRTIO_ID_NONE};

static int slot_init(struct dev *d, struct err *e)
{
	return virtio_init(container_of(d, struct virtio, dev), &slot_ops, 0, e);
}

static void slot_fini(struct dev *d)
{
	virtio_fini(container_of(d, struct virtio, dev));
}

static const struct prop slot_props[] = {VIRTIO_PROPS_LEGACY("true"), {.name = NULL}};

const struct component virtio_mmio_component = {
	.type = "VIRTIO-MMIO",
	.doc = "virtio-mmio slot without a device",
	.cls = DEV_DEVICE,
	.size = sizeof(struct virtio),
	.props = slot_props,
	.regions = virtio_regions,
	.state = virtio_state,
	.init = slot_init,
	.reset = virtio_reset,
	.fini = slot_fini,
	.dt = virtio_dt,
	.stats = virtio_stats,
};
