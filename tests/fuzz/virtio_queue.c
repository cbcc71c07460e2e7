/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: a hostile driver. The input is a program that writes to the MMIO slot and to the
 * memory of each virtio device in turn; the devices work on the result. First byte: which device,
 * and which version of the transport.
 *
 * Every input starts from a device that a well-behaved driver has brought up (unless it asks for a
 * bare one), so that rings and chains are reached at once.
 */
#include "virtio_rig.h"

#include "util/bits.h"
#include "util/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct component virtio_blk_component, virtio_net_component, virtio_console_component,
	virtio_rng_component;
extern const struct component rawfile_component, random_component;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- back ends without effect on the host ---- */

struct fake_net {
	struct dev dev;
	struct net_client client;
};

static void net_attach(struct dev *be, const struct net_client *client)
{
	((struct fake_net *)be)->client = client ? *client : (struct net_client){.dev = NULL};
}

/* What is sent comes back, so that the receive side is reached as well. */
static void net_send(struct dev *be, const struct iovec *iov, int count)
{
	struct fake_net *f = (struct fake_net *)be;
	uint8_t frame[4096];
	size_t len = iov_read(iov, (unsigned)count, 0, frame, sizeof(frame));

	if (f->client.dev)
		f->client.receive(f->client.dev, frame, len);
}

static void net_resume(struct dev *be)
{
}

static const struct backend_net_ops net_ops = {
	.attach = net_attach, .send = net_send, .resume = net_resume};

static const struct component net_component = {
	.type = "net",
	.cls = DEV_BACKEND,
	.size = sizeof(struct fake_net),
	.backend = BACKEND_NET,
	.backend_ops = &net_ops,
};

struct fake_char {
	struct dev dev;
	struct char_client client;
};

static void char_attach(struct dev *be, const struct char_client *client)
{
	((struct fake_char *)be)->client = *client;
}

static size_t char_write(struct dev *be, const uint8_t *p, size_t len)
{
	return len > 4096 ? 4096 : len;
}

/* The driver has room: type something. Called with the model's lock held. */
static void char_resume(struct dev *be)
{
	const struct char_client *c = &((struct fake_char *)be)->client;
	size_t room = c->can_receive(c->dev);

	if (room)
		c->receive(c->dev, (const uint8_t *)"typed text", room < 10 ? room : 10);
}

static const struct backend_char_ops char_ops = {
	.attach = char_attach, .write = char_write, .resume = char_resume};

static const struct component char_component = {
	.type = "char",
	.cls = DEV_BACKEND,
	.size = sizeof(struct fake_char),
	.backend = BACKEND_CHAR,
	.backend_ops = &char_ops,
};

/* ---- the program ---- */

struct input {
	const uint8_t *p;
	size_t left;
};

static uint32_t take(struct input *in, unsigned bytes)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < bytes && in->left; i++, in->left--)
		v |= (uint32_t)*in->p++ << (8 * i);
	return v;
}

/* An address: mostly in RAM, sometimes anything. */
static uint64_t take_address(struct input *in)
{
	uint32_t v = take(in, 3);

	return v >> 23 ? (uint64_t)v << 20 | v : RIG_RAM + (v & (RIG_RAM_SIZE - 1));
}

static void step(struct rig *r, struct input *in)
{
	uint32_t op = take(in, 1);
	unsigned q = (op >> 7) & 1;
	uint64_t address, value;
	uint16_t flags;

	switch (op & 7) {
	case 0: /* any register or configuration byte, any width */
		address = RIG_SLOT + take(in, 2) % 0x200;
		mem_write(r->mem, address & ~3ULL, 1u << ((op >> 3) & 3), take(in, 4),
			  (struct mem_attrs){.pe = 0});
		break;
	case 1:
		mem_read(r->mem, RIG_SLOT + take(in, 2) % 0x200, 1u << ((op >> 3) & 3), &value,
			 (struct mem_attrs){.pe = 0});
		break;
	case 2: /* a descriptor of the queue, or of an indirect table */
		flags = (uint16_t)(op >> 3 & 7);
		address = take_address(in);
		rig_desc(r, op & 0x40 ? RIG_TABLE : RIG_RING + q * RIG_RING_STRIDE,
			 take(in, 1) & 63, address, take(in, 2), flags, (uint16_t)take(in, 1));
		break;
	case 3: /* a word of memory, rings included */
		value = take(in, 3) % (RIG_RAM_SIZE - 4);
		*(uint16_t *)(void *)(r->ram + (value & ~1ULL)) = (uint16_t)take(in, 2);
		break;
	case 4: /* something a driver would do: header, buffer, status */
		for (unsigned i = 0; i < 16; i += 8)
			*(uint64_t *)rig_ptr(r, RIG_TABLE + 0x1000 + i) = take(in, 1);
		value = take(in, 2);
		rig_desc(r, RIG_RING + q * RIG_RING_STRIDE, 0, RIG_TABLE + 0x1000, 16, DESC_NEXT,
			 1);
		rig_desc(r, RIG_RING + q * RIG_RING_STRIDE, 1, RIG_DATA, (uint32_t)value,
			 DESC_NEXT | (op >> 3 & DESC_WRITE), 2);
		rig_desc(r, RIG_RING + q * RIG_RING_STRIDE, 2, RIG_DATA + (value & 0xfffe), 1,
			 op >> 5 & DESC_WRITE, 0);
		/* fall through */
	case 5:
		if (r->ring[q].num)
			rig_offer(r, q, (uint16_t)take(in, 1));
		break;
	case 6:
		rig_notify(r, q);
		break;
	case 7:
		if (op >> 3 & 1)
			rig_start(r, take(in, 4) & (uint32_t)rig_features(r), 8);
		break;
	}
}

static const struct {
	const struct component *device, *backend;
} pairs[] = {
	{&virtio_blk_component, &rawfile_component},
	{&virtio_net_component, &net_component},
	{&virtio_console_component, &char_component},
	{&virtio_rng_component, &random_component},
};

static void die(const char *what)
{
	fprintf(stderr, "cannot set up: %s\n", what);
	abort();
}

static void create(struct rig *r, unsigned which, bool legacy)
{
	char image[] = "/tmp/obverse-fuzz-XXXXXX", path[64];
	const char *set[] = {legacy ? "legacy=true" : "legacy=false", NULL, NULL};
	struct err e = ERR_INIT;
	int fd = mkstemp(image);

	if (fd < 0 || ftruncate(fd, 64 << 10))
		die(image);
	close(fd);
	snprintf(path, sizeof(path), "|path=%s", image);
	if (pairs[which].backend == &rawfile_component)
		set[1] = path;
	if (!rig_create(r, pairs[which].device, pairs[which].backend, set, &e))
		die(err_any(&e) ? e.items[0].text : "?");
	unlink(image);
}

/* The devices are made once, and reset before each input. */
static struct rig *rig_for(unsigned which, bool legacy)
{
	static struct rig *rigs[2][ARRAY_COUNT(pairs)];
	struct rig **r = &rigs[legacy][which];

	if (!*r) {
		*r = calloc(1, sizeof(**r));
		create(*r, which, legacy);
	}
	dev_reset((*r)->dev);
	memset((*r)->ram, 0, RIG_RAM_SIZE);
	memset((*r)->ring, 0, sizeof((*r)->ring));
	return *r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	uint32_t how = take(&in, 1);
	struct rig *r = rig_for(how & 3, how & 4);

	if (!(how & 8))
		rig_start(r, rig_features(r), 8);
	for (unsigned i = 0; in.left && i < 200; i++)
		step(r, &in);
	dev_reset(r->dev);
	return 0;
}
