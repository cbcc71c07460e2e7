/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtio devices: split virtqueues and the MMIO transport.
 *
 * Source: Virtual I/O Device (VIRTIO) Version 1.2, OASIS, in the comments "virtio"; section 2.7
 * (split virtqueues), 4.2 (virtio over MMIO), and their legacy subsections.
 *
 * Composition: every virtio device is a component whose instance begins with a `struct virtio`; its
 * MMIO slot, interrupt and queues come from here, the device adds a `struct virtio_ops`.
 *
 * Locks and threads: everything below is guarded by the instance's lock (dev.lock) and is called
 * with it held, except virtio_init(), virtio_fini() and virtio_dt(). Device work that outlives a call
 * (requests in worker threads) is counted with virtio_begin() and virtio_end(); a reset stops the
 * queues and waits, with the lock released, until that count is zero. So once the guest's write of 0
 * to Status has returned, nothing of the time before it touches guest memory.
 *
 * Hostile guests: an index, length, address or chain that breaks the rules stops the queue for good:
 * virtio_broken() sets DEVICE_NEEDS_RESET and the device ignores its queues until it is reset.
 */
#ifndef DEV_VIRTIO_VIRTIO_H
#define DEV_VIRTIO_VIRTIO_H

#include "dev/component.h"

#include <sys/uio.h>

struct virtio;

/* Device IDs, virtio 5. */
enum virtio_id {
	VIRTIO_ID_NONE = 0,
	VIRTIO_ID_NET = 1,
	VIRTIO_ID_BLOCK = 2,
	VIRTIO_ID_CONSOLE = 3,
	VIRTIO_ID_RNG = 4,
};

/* Status bits, virtio 2.1. */
enum virtio_status {
	VIRTIO_S_ACKNOWLEDGE = 1,
	VIRTIO_S_DRIVER = 2,
	VIRTIO_S_DRIVER_OK = 4,
	VIRTIO_S_FEATURES_OK = 8,
	VIRTIO_S_NEEDS_RESET = 64,
	VIRTIO_S_FAILED = 128,
};

/* Features of transport and queues, virtio 6 and 6.3. */
#define VIRTIO_F_NOTIFY_ON_EMPTY (1ULL << 24) /* legacy; not offered */
#define VIRTIO_F_ANY_LAYOUT	 (1ULL << 27) /* legacy */
#define VIRTIO_F_INDIRECT_DESC	 (1ULL << 28)
#define VIRTIO_F_EVENT_IDX	 (1ULL << 29)
#define VIRTIO_F_VERSION_1	 (1ULL << 32)

/* ---- virtqueues (queue.c) ---- */

#define VIRTQ_SIZE_MAX 1024

/* A descriptor chain, translated. The device-readable part comes first in @iov. Parts that are
 * adjacent in host memory are joined and empty ones left out, so that no iov is empty. */
struct virtq_chain {
	struct iovec *iov; /* set by the owner, as is iov_max */
	unsigned iov_max;
	unsigned out_count; /* iov[0 .. out_count): the device reads */
	unsigned in_count;  /* iov[out_count .. out_count + in_count): the device writes */
	uint64_t out_len, in_len;
	uint32_t generation; /* of the queue when the chain was taken */
	uint16_t head;
};

struct virtq {
	/* Set by the driver through the transport. */
	uint64_t QueueDesc, QueueDriver, QueueDevice;
	uint32_t QueueNum;
	uint32_t QueueAlign, QueuePFN; /* legacy */
	uint16_t last_avail;	       /* index of the next available entry to take */
	uint16_t used_idx;	       /* index of the next used entry to fill in */
	bool QueueReady;

	/* Of the device. */
	uint16_t size_max; /* QueueNumMax; 0: the queue does not exist */

	/* Derived while QueueReady. The memory stays mapped as long as the address space. */
	const uint8_t *desc;
	uint16_t *avail;
	uint8_t *used;
	uint16_t published;  /* used index the guest can see */
	uint16_t in_flight;  /* chains taken and not returned */
	uint32_t generation; /* changes whenever the queue stops: chains of before are stale */
};

/* Map the rings at the addresses in @q and start the queue with index 0. False, after a
 * virtio_broken(), if an address is misaligned or not in RAM. */
bool virtq_start(struct virtio *v, struct virtq *q);
/* Stop the queue; chains that are in flight become stale. Keeps the driver's settings. */
void virtq_stop(struct virtq *q);

/* Take the next available chain. False if there is none, the queue does not run, or the driver broke
 * a rule (then after a virtio_broken()). Every descriptor is read exactly once. */
bool virtq_pop(struct virtio *v, struct virtq *q, struct virtq_chain *c);
/* Give back the chain taken last as if it had never been taken; only right after virtq_pop(). */
void virtq_unpop(struct virtq *q, const struct virtq_chain *c);
/* Return a chain, @written bytes of its device-writable part filled in. The guest sees it at the next
 * virtq_publish(). A stale chain has no effect. */
void virtq_push(struct virtq *q, const struct virtq_chain *c, uint32_t written);
/* Make all returned chains visible and interrupt the guest if it wants that. */
void virtq_publish(struct virtio *v, struct virtq *q);

/* Ask the driver not to notify (advisory), while the device looks at the queue anyway. */
void virtq_quiet(struct virtio *v, struct virtq *q);
/* Ask for a notification of whatever becomes available from now on; true if a chain is there already,
 * which the driver might not announce: look again. */
bool virtq_listen(struct virtio *v, struct virtq *q);
/* True if a chain is available. */
bool virtq_pending(const struct virtq *q);

/* Scatter-gather helpers. Copy up to @len bytes from or to the list, starting at byte @offset; return
 * the number of bytes copied. */
size_t iov_read(const struct iovec *iov, unsigned count, size_t offset, void *buf, size_t len);
size_t iov_write(const struct iovec *iov, unsigned count, size_t offset, const void *buf,
		 size_t len);
/* Fill @out (room for @max) with bytes [offset, offset + len) of the list; the count of entries. The
 * range must lie within the list and @max be at least @count. */
unsigned iov_slice(const struct iovec *iov, unsigned count, size_t offset, size_t len,
		   struct iovec *out, unsigned max);

/* ---- devices and the MMIO transport (mmio.c) ---- */

#define VIRTIO_QUEUE_MAX 2

struct virtio_ops {
	enum virtio_id id;
	unsigned queue_count;
	uint16_t queue_size[VIRTIO_QUEUE_MAX];
	uint32_t config_size; /* bytes of v->config, at most 0x100 */
	/* The driver notified queue @q, or has just set DRIVER_OK. Must not block. */
	void (*notify)(struct virtio *v, unsigned q);
	/* Status was written with 0, or the machine is reset: queues are stopped and nothing is in
	 * flight. May be NULL. */
	void (*reset)(struct virtio *v);
	/* The queues have just been stopped and what is in flight will be waited for: wake threads
	 * that might wait for the guest. May be NULL. */
	void (*stop)(struct virtio *v);
};

struct virtio {
	struct dev dev;
	/* properties */
	uint64_t address;
	struct irq irq;
	bool legacy;

	const struct virtio_ops *ops;
	uint64_t features_offered; /* by the device and the transport */
	uint8_t config[0x100];	   /* device configuration, little endian */

	/* Registers, virtio 4.2.2 and 4.2.4. */
	uint64_t DriverFeatures;
	uint32_t DeviceFeaturesSel, DriverFeaturesSel, QueueSel, GuestPageSize;
	uint32_t InterruptStatus, Status, ConfigGeneration;
	struct virtq vq[VIRTIO_QUEUE_MAX];

	pthread_cond_t idle; /* in_flight became 0, or a reset has ended */
	unsigned in_flight;
	bool resetting; /* somebody waits for in_flight == 0 */
	bool broken;	/* the driver broke a rule; queues stay untouched until reset */
	bool initialized;
	/* Statistics. */
	uint64_t notifications, interrupts;
};

/* Properties, regions and state every virtio device has; the device's own struct must begin with its
 * struct virtio. */
#define VIRTIO_PROPS VIRTIO_PROPS_LEGACY("false")
#define VIRTIO_PROPS_LEGACY(legacy_default)                                                        \
	{.name = "address",                                                                        \
	 .kind = PROP_U64,                                                                         \
	 .offset = offsetof(struct virtio, address),                                               \
	 .required = true,                                                                         \
	 .help = "address of the MMIO slot (0x200 bytes)"},                                        \
		{.name = "irq",                                                                    \
		 .kind = PROP_IRQ,                                                                 \
		 .offset = offsetof(struct virtio, irq),                                           \
		 .help = "interrupt output"},                                                      \
	{                                                                                          \
		.name = "legacy", .kind = PROP_BOOL, .offset = offsetof(struct virtio, legacy),    \
		.def = legacy_default,                                                             \
		.help = "virtio-mmio version 1, for guests older than virtio 1.0"                  \
	}
extern const struct dev_region virtio_regions[];
extern const struct dev_state virtio_state[];

/* From the device's init() and fini(). @features: those of the device; the transport adds its own. */
int virtio_init(struct virtio *v, const struct virtio_ops *ops, uint64_t features, struct err *e);
/* Stops the queues and waits for what is in flight. Accepts a half-built instance. */
void virtio_fini(struct virtio *v);
/* For the component's reset, dt and stats members. */
void virtio_reset(struct dev *d);
int virtio_dt(struct dev *d, struct dt *dt);
void virtio_stats(struct dev *d, void *json_object);

/* The driver broke a rule; @why is for the log. Sets DEVICE_NEEDS_RESET. */
void virtio_broken(struct virtio *v, const char *why);
/* May the device use its queues? */
bool virtio_running(const struct virtio *v);
/* The driver accepted all of @feature. */
static inline bool virtio_has(const struct virtio *v, uint64_t feature)
{
	return (v->DriverFeatures & feature) == feature;
}
/* Raise the used-buffer interrupt (queue.c decides whether). */
void virtio_interrupt(struct virtio *v);
/* v->config was changed by the device. */
void virtio_config_changed(struct virtio *v);

/* Work that outlives the call, from here to virtio_end(). */
static inline void virtio_begin(struct virtio *v)
{
	v->in_flight++;
}
void virtio_end(struct virtio *v);

#endif
