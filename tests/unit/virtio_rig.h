/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtio device with 1 MiB of RAM, 64 KiB that only the Secure world has, and the driver's side of its
 * queues, for tests and fuzzing.
 * The driver's side goes through mem_read() and mem_write() as a PE would.
 */
#ifndef TESTS_VIRTIO_RIG_H
#define TESTS_VIRTIO_RIG_H

#include "dev/backend.h"
#include "dev/virtio/virtio.h"

enum {
	RIG_RAM = 0x40000000,
	RIG_RAM_SIZE = 1 << 20,
	RIG_SLOT = 0x0a000000,
	RIG_SECRET = 0x0e000000, /* RAM of the Secure world */
	RIG_SECRET_SIZE = 1 << 16,
	/* Where rig_start() puts queue n: descriptors, then both rings. */
	RIG_RING = RIG_RAM + 0x2000,
	RIG_RING_STRIDE = 0x4000,
	RIG_TABLE = RIG_RAM + 0x10000, /* for indirect tables */
	RIG_DATA = RIG_RAM + 0x20000,  /* for buffers, to the end of RAM */
};

/* MMIO registers the tests name. */
enum {
	REG_MagicValue = 0x000,
	REG_Version = 0x004,
	REG_DeviceID = 0x008,
	REG_VendorID = 0x00c,
	REG_DeviceFeatures = 0x010,
	REG_DeviceFeaturesSel = 0x014,
	REG_DriverFeatures = 0x020,
	REG_DriverFeaturesSel = 0x024,
	REG_GuestPageSize = 0x028,
	REG_QueueSel = 0x030,
	REG_QueueNumMax = 0x034,
	REG_QueueNum = 0x038,
	REG_QueueAlign = 0x03c,
	REG_QueuePFN = 0x040,
	REG_QueueReady = 0x044,
	REG_QueueNotify = 0x050,
	REG_InterruptStatus = 0x060,
	REG_InterruptACK = 0x064,
	REG_Status = 0x070,
	REG_QueueDescLow = 0x080,
	REG_QueueDriverLow = 0x090,
	REG_QueueDeviceLow = 0x0a0,
	REG_SHMLenLow = 0x0b0,
	REG_ConfigGeneration = 0x0fc,
	REG_Config = 0x100,
};

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };

struct rig_ring {
	uint64_t desc, avail, used;
	uint16_t num, avail_idx, last_used;
	unsigned index; /* of the queue */
};

struct rig {
	struct mem_space *mem;
	uint8_t *ram, *secret;
	struct mem_region ram_region, secret_region;
	struct dev_host host;
	struct dev *dev, *backend;
	struct rig_ring ring[VIRTIO_QUEUE_MAX];
};

/* Create device and, unless @be is NULL, back end. @set: "prop=value" strings ending with NULL, those
 * of the back end begin with '|'. On failure the messages are on @e and false is returned; call
 * rig_destroy() in any case. */
bool rig_create(struct rig *r, const struct component *c, const struct component *be,
		const char *const *set, struct err *e);
/* The same for a machine with this clock. */
bool rig_create_on(struct rig *r, struct virtual_clock *clock, const struct component *c,
		   const struct component *be, const char *const *set, struct err *e);
void rig_destroy(struct rig *r);

uint32_t rig_read(struct rig *r, uint64_t reg);
void rig_write(struct rig *r, uint64_t reg, uint32_t value);
uint64_t rig_features(struct rig *r); /* offered */
/* Status up to FEATURES_OK with @features (VERSION_1 is added); the resulting Status. */
uint32_t rig_negotiate(struct rig *r, uint64_t features);
/* Set up queue @q with @num entries in the usual place. */
void rig_queue(struct rig *r, unsigned q, uint16_t num);
/* rig_negotiate(), all existing queues with @num entries, DRIVER_OK. */
void rig_start(struct rig *r, uint64_t features, uint16_t num);

/* Memory at a guest address. */
void *rig_ptr(struct rig *r, uint64_t gpa);
/* Write descriptor @n of the table at @table. */
void rig_desc(struct rig *r, uint64_t table, unsigned n, uint64_t addr, uint32_t len,
	      uint16_t flags, uint16_t next);
/* Make the chain at @head available; no notification. */
void rig_offer(struct rig *r, unsigned q, uint16_t head);
void rig_notify(struct rig *r, unsigned q);
/* Wait for the next used entry, at most 5 s. */
bool rig_used(struct rig *r, unsigned q, uint32_t *head, uint32_t *len);
/* The next used entry if it is there. */
bool rig_used_now(struct rig *r, unsigned q, uint32_t *head, uint32_t *len);

#endif
