// SPDX-License-Identifier: Apache-2.0
#include "virtio_rig.h"

#include "util/err.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool set_props(struct dev *d, const char *const *set, bool backend, struct err *e)
{
	char name[32];

	for (; set && *set; set++) {
		const char *text = *set, *equals;
		const struct prop *p;

		if ((*text == '|') != backend)
			continue;
		text += backend;
		equals = strchr(text, '=');
		memcpy(name, text, (size_t)(equals - text));
		name[equals - text] = 0;
		p = component_prop(d->c, name);
		if (!p || dev_set(d, p, equals + 1, "test", e))
			return false;
	}
	return true;
}

static struct dev *create(struct rig *r, const struct component *c, const char *const *set,
			  bool backend, struct err *e, bool *ok)
{
	struct dev *d = dev_create(c, c->type, "test", &r->host);

	*ok = !dev_defaults(d, e) && set_props(d, set, backend, e);
	return d;
}

bool rig_create(struct rig *r, const struct component *c, const struct component *be,
		const char *const *set, struct err *e)
{
	return rig_create_on(r, NULL, c, be, set, e);
}

bool rig_create_on(struct rig *r, struct virtual_clock *clock, const struct component *c,
		   const struct component *be, const char *const *set, struct err *e)
{
	bool ok, be_ok = true;

	memset(r, 0, sizeof(*r));
	r->mem = mem_space_create();
	r->ram = aligned_alloc(4096, RIG_RAM_SIZE);
	memset(r->ram, 0, RIG_RAM_SIZE);
	r->ram_region = (struct mem_region){.name = "ram",
					    .base = RIG_RAM,
					    .size = RIG_RAM_SIZE,
					    .kind = MEM_RAM,
					    .host = r->ram};
	r->secret = aligned_alloc(4096, RIG_SECRET_SIZE);
	memset(r->secret, 0x5e, RIG_SECRET_SIZE);
	r->secret_region = (struct mem_region){.name = "secret",
					       .base = RIG_SECRET,
					       .size = RIG_SECRET_SIZE,
					       .kind = MEM_RAM,
					       .secure_only = true,
					       .host = r->secret};
	r->host.mem = r->mem;
	r->host.loop = loop_create();
	r->host.clock = clock;
	loop_set_clock(r->host.loop, clock);
	r->dev = create(r, c, set, false, e, &ok);
	((struct virtio *)r->dev)->address = RIG_SLOT;
	if (be) {
		r->backend = create(r, be, set, true, e, &be_ok);
		r->dev->backend = r->backend;
		r->backend->owner = r->dev;
	}
	if (!ok || !be_ok || mem_add(r->mem, &r->ram_region, e) ||
	    mem_add(r->mem, &r->secret_region, e) || dev_map(r->dev, e))
		return false;
	mem_freeze(r->mem);
	if ((be && dev_init(r->backend, e)) || dev_init(r->dev, e))
		return false;
	dev_reset(r->dev);
	return true;
}

void rig_destroy(struct rig *r)
{
	dev_destroy(r->dev);
	if (r->backend)
		dev_destroy(r->backend);
	mem_space_destroy(r->mem);
	loop_destroy(r->host.loop);
	free(r->ram);
	free(r->secret);
}

uint32_t rig_read(struct rig *r, uint64_t reg)
{
	uint64_t value = 0;

	mem_read(r->mem, RIG_SLOT + reg, 4, &value, (struct mem_attrs){.pe = 0});
	return (uint32_t)value;
}

void rig_write(struct rig *r, uint64_t reg, uint32_t value)
{
	mem_write(r->mem, RIG_SLOT + reg, 4, value, (struct mem_attrs){.pe = 0});
}

uint64_t rig_features(struct rig *r)
{
	uint64_t f;

	rig_write(r, REG_DeviceFeaturesSel, 1);
	f = (uint64_t)rig_read(r, REG_DeviceFeatures) << 32;
	rig_write(r, REG_DeviceFeaturesSel, 0);
	return f | rig_read(r, REG_DeviceFeatures);
}

uint32_t rig_negotiate(struct rig *r, uint64_t features)
{
	features |= VIRTIO_F_VERSION_1;
	rig_write(r, REG_Status, 0);
	rig_write(r, REG_Status, VIRTIO_S_ACKNOWLEDGE);
	rig_write(r, REG_Status, VIRTIO_S_ACKNOWLEDGE | VIRTIO_S_DRIVER);
	rig_write(r, REG_DriverFeaturesSel, 0);
	rig_write(r, REG_DriverFeatures, (uint32_t)features);
	rig_write(r, REG_DriverFeaturesSel, 1);
	rig_write(r, REG_DriverFeatures, (uint32_t)(features >> 32));
	rig_write(r, REG_Status, VIRTIO_S_ACKNOWLEDGE | VIRTIO_S_DRIVER | VIRTIO_S_FEATURES_OK);
	return rig_read(r, REG_Status);
}

static void write_address(struct rig *r, uint64_t reg, uint64_t gpa)
{
	rig_write(r, reg, (uint32_t)gpa);
	rig_write(r, reg + 4, (uint32_t)(gpa >> 32));
}

/* Version 1: one area, whose parts follow each other. */
static void legacy_queue(struct rig *r, struct rig_ring *ring)
{
	ring->avail = ring->desc + 16 * (uint64_t)ring->num;
	rig_write(r, REG_GuestPageSize, 4096);
	rig_write(r, REG_QueueNum, ring->num);
	rig_write(r, REG_QueueAlign, 0x2000);
	ring->used = ((ring->avail + 6 + 2 * (uint64_t)ring->num) | 0x1fff) + 1;
	rig_write(r, REG_QueuePFN, (uint32_t)(ring->desc / 4096));
}

void rig_queue(struct rig *r, unsigned q, uint16_t num)
{
	struct rig_ring *ring = &r->ring[q];

	*ring = (struct rig_ring){.num = num, .index = q};
	ring->desc = RIG_RING + (uint64_t)q * RIG_RING_STRIDE;
	ring->avail = ring->desc + 0x1000;
	ring->used = ring->desc + 0x2000;
	memset(rig_ptr(r, ring->desc), 0, RIG_RING_STRIDE);
	rig_write(r, REG_QueueSel, q);
	if (rig_read(r, REG_Version) == 1) {
		legacy_queue(r, ring);
		return;
	}
	rig_write(r, REG_QueueNum, num);
	write_address(r, REG_QueueDescLow, ring->desc);
	write_address(r, REG_QueueDriverLow, ring->avail);
	write_address(r, REG_QueueDeviceLow, ring->used);
	rig_write(r, REG_QueueReady, 1);
}

void rig_start(struct rig *r, uint64_t features, uint16_t num)
{
	uint32_t status = rig_negotiate(r, features);

	for (unsigned q = 0; q < VIRTIO_QUEUE_MAX; q++) {
		rig_write(r, REG_QueueSel, q);
		if (rig_read(r, REG_QueueNumMax))
			rig_queue(r, q, num);
	}
	rig_write(r, REG_QueueSel, 0);
	rig_write(r, REG_Status, status | VIRTIO_S_DRIVER_OK);
}

void *rig_ptr(struct rig *r, uint64_t gpa)
{
	return r->ram + (gpa - RIG_RAM);
}

void rig_desc(struct rig *r, uint64_t table, unsigned n, uint64_t addr, uint32_t len,
	      uint16_t flags, uint16_t next)
{
	uint8_t *p = rig_ptr(r, table + 16 * (uint64_t)n);

	addr = htole64(addr);
	len = htole32(len);
	flags = htole16(flags);
	next = htole16(next);
	memcpy(p, &addr, 8);
	memcpy(p + 8, &len, 4);
	memcpy(p + 12, &flags, 2);
	memcpy(p + 14, &next, 2);
}

void rig_offer(struct rig *r, unsigned q, uint16_t head)
{
	struct rig_ring *ring = &r->ring[q];
	uint16_t *avail = rig_ptr(r, ring->avail);

	avail[2 + ring->avail_idx % ring->num] = htole16(head);
	ring->avail_idx++;
	__atomic_store_n(&avail[1], htole16(ring->avail_idx), __ATOMIC_SEQ_CST);
}

void rig_notify(struct rig *r, unsigned q)
{
	rig_write(r, REG_QueueNotify, q);
}

bool rig_used_now(struct rig *r, unsigned q, uint32_t *head, uint32_t *len)
{
	struct rig_ring *ring = &r->ring[q];
	uint16_t *used = rig_ptr(r, ring->used);
	uint32_t entry[2];

	if (le16toh(__atomic_load_n(&used[1], __ATOMIC_ACQUIRE)) == ring->last_used)
		return false;
	memcpy(entry, (uint8_t *)used + 4 + 8 * (ring->last_used % ring->num), 8);
	ring->last_used++;
	if (head)
		*head = le32toh(entry[0]);
	if (len)
		*len = le32toh(entry[1]);
	return true;
}

bool rig_used(struct rig *r, unsigned q, uint32_t *head, uint32_t *len)
{
	for (unsigned i = 0; i < 50000; i++) {
		if (rig_used_now(r, q, head, len))
			return true;
		usleep(i < 100 ? 1 : 100);
	}
	return false;
}
