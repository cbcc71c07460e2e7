// SPDX-License-Identifier: Apache-2.0
/* The network device on a loopback back end, and on the user-mode network; entropy and console. */
#include "virtio_rig.h"

#include "util/bits.h"
#include "util/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct component virtio_net_component, virtio_rng_component, virtio_console_component;
extern const struct component user_component, random_component;

#define F_MAC	    (1ULL << 5)
#define F_MRG_RXBUF (1ULL << 15)
#define F_STATUS    (1ULL << 16)
#define ALL	    (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | F_MAC | F_MRG_RXBUF | F_STATUS)

enum { RX, TX, NUM = 32, HEADER = 12 };

/* ---- a back end that sends everything back and counts ---- */

struct loopback {
	struct dev dev;
	struct net_client client;
	unsigned sent, refused, resumed; /* atomic */
	uint8_t last[2048];
	size_t last_len;
	bool echo;
};

static void loopback_attach(struct dev *be, const struct net_client *client)
{
	((struct loopback *)be)->client = client ? *client : (struct net_client){.dev = NULL};
}

static void loopback_send(struct dev *be, const struct iovec *iov, int count)
{
	struct loopback *l = (struct loopback *)be;

	l->last_len = iov_read(iov, (unsigned)count, 0, l->last, sizeof(l->last));
	if (l->echo && !l->client.receive(l->client.dev, l->last, l->last_len))
		__atomic_add_fetch(&l->refused, 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&l->sent, 1, __ATOMIC_SEQ_CST);
}

static void loopback_resume(struct dev *be)
{
	__atomic_add_fetch(&((struct loopback *)be)->resumed, 1, __ATOMIC_SEQ_CST);
}

static const struct backend_net_ops loopback_ops = {
	.attach = loopback_attach,
	.send = loopback_send,
	.resume = loopback_resume,
};

static const struct component loopback_component = {
	.type = "loopback",
	.cls = DEV_BACKEND,
	.size = sizeof(struct loopback),
	.backend = BACKEND_NET,
	.backend_ops = &loopback_ops,
};

static const char *const no_set[] = {"address=0xa000000", NULL};

static struct loopback *loopback_of(struct rig *r)
{
	return (struct loopback *)r->backend;
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct err e = ERR_INIT;

	assert_true(rig_create(r, &virtio_net_component, &loopback_component, no_set, &e));
	loopback_of(r)->echo = true;
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	rig_destroy(*state);
	free(*state);
	return 0;
}

static uint64_t tx_at(unsigned n)
{
	return RIG_DATA + 2048 * n;
}

static uint64_t rx_at(unsigned n)
{
	return RIG_DATA + 0x40000 + 2048 * n;
}

static void offer_rx(struct rig *r, unsigned n, uint32_t len)
{
	rig_desc(r, r->ring[RX].desc, n, rx_at(n), len, DESC_WRITE, 0);
	rig_offer(r, RX, (uint16_t)n);
}

/* A frame of @len bytes of value @fill. */
static void send_frame(struct rig *r, unsigned n, uint8_t fill, uint32_t len)
{
	memset(rig_ptr(r, tx_at(n)), 0, HEADER);
	memset(rig_ptr(r, tx_at(n) + HEADER), fill, len);
	rig_desc(r, r->ring[TX].desc, n, tx_at(n), HEADER + len, 0, 0);
	rig_offer(r, TX, (uint16_t)n);
	rig_notify(r, TX);
}

static bool receive_frame(struct rig *r, uint8_t fill, size_t len)
{
	struct loopback *l = loopback_of(r);
	uint8_t frame[4096];

	memset(frame, fill, len);
	return l->client.receive(l->client.dev, frame, len);
}

static void test_config(void **state)
{
	struct rig *r = *state;

	assert_int_equal(rig_read(r, REG_DeviceID), 1);
	assert_int_equal(rig_read(r, REG_Config), 0x12005452);
	assert_int_equal(rig_read(r, REG_Config + 4), 1 << 16 | 0x5634);
	assert_int_equal(rig_features(r) & (F_MAC | F_MRG_RXBUF | F_STATUS),
			 F_MAC | F_MRG_RXBUF | F_STATUS);
}

static void test_echo(void **state)
{
	struct rig *r = *state;
	uint32_t len;

	rig_start(r, ALL, NUM);
	for (unsigned i = 0; i < 500; i++) {
		uint8_t *p = rig_ptr(r, rx_at(i % NUM));
		uint32_t size = 60 + i;

		offer_rx(r, i % NUM, 2048);
		send_frame(r, i % NUM, (uint8_t)i, size);
		assert_true(rig_used(r, TX, NULL, NULL));
		assert_true(rig_used(r, RX, NULL, &len));
		assert_int_equal(len, HEADER + size);
		assert_int_equal(p[10], 1); /* num_buffers */
		assert_int_equal(p[HEADER], (uint8_t)i);
		assert_int_equal(p[HEADER + size - 1], (uint8_t)i);
	}
}

static void test_merge(void **state)
{
	struct rig *r = *state;
	uint32_t len, total = 0;

	rig_start(r, ALL, NUM);
	for (unsigned i = 0; i < 4; i++)
		offer_rx(r, i, 500);
	/* Three buffers for a frame of 1400 bytes. */
	assert_true(receive_frame(r, 9, 1400));
	for (unsigned i = 0; i < 3; i++) {
		assert_true(rig_used_now(r, RX, NULL, &len));
		total += len;
	}
	assert_int_equal(total, 1400 + HEADER);
	assert_false(rig_used_now(r, RX, NULL, NULL));
	assert_int_equal(((uint8_t *)rig_ptr(r, rx_at(0)))[10], 3);
	/* One is left, too small for the next: it is kept for later. */
	assert_false(receive_frame(r, 8, 1400));
	assert_false(rig_used_now(r, RX, NULL, NULL));
	assert_true(receive_frame(r, 7, 100));
	assert_true(rig_used_now(r, RX, NULL, &len));
	assert_int_equal(len, HEADER + 100);
}

static void test_back_pressure(void **state)
{
	struct rig *r = *state;
	struct loopback *l = loopback_of(r);
	uint16_t *event;

	rig_start(r, ALL, NUM);
	event = (uint16_t *)rig_ptr(r, r->ring[RX].used) + 2 + 4 * NUM;
	assert_false(receive_frame(r, 1, 100));
	assert_int_equal(l->resumed, 0);
	assert_int_equal(*event, 0); /* a notification is wanted for the next buffer */
	offer_rx(r, 0, 500);
	rig_notify(r, RX);
	assert_int_equal(l->resumed, 1);
	rig_notify(r, RX); /* nothing is waiting any more */
	assert_int_equal(l->resumed, 1);
	/* Not enough yet: the wish is for what comes after the buffer that is there. */
	assert_false(receive_frame(r, 1, 1000));
	assert_int_equal(*event, 1);
	offer_rx(r, 1, 1000);
	rig_notify(r, RX);
	assert_int_equal(l->resumed, 2);
	assert_true(receive_frame(r, 1, 1000));
}

static void test_no_merge(void **state)
{
	struct rig *r = *state;

	rig_start(r, VIRTIO_F_EVENT_IDX, NUM);
	offer_rx(r, 0, 500);
	assert_true(receive_frame(r, 1, 1000)); /* does not fit: lost */
	assert_false(rig_used_now(r, RX, NULL, NULL));
	assert_true(receive_frame(r, 1, 488));
	assert_true(rig_used_now(r, RX, NULL, NULL));
	assert_false(receive_frame(r, 1, 488));
}

static void test_no_driver(void **state)
{
	struct rig *r = *state;

	assert_true(receive_frame(r, 1, 100)); /* lost, not kept */
	rig_start(r, ALL, NUM);
	assert_false(receive_frame(r, 1, 100));
	rig_write(r, REG_Status, 0); /* what is kept goes away */
	assert_int_equal(loopback_of(r)->resumed, 1);
	assert_true(receive_frame(r, 1, 100));
}

static void test_bad_frames(void **state)
{
	struct rig *r = *state;
	struct loopback *l = loopback_of(r);

	rig_start(r, ALL, NUM);
	/* Header only, runt, larger than any frame: dropped, returned, not broken. */
	send_frame(r, 0, 0, 0);
	assert_true(rig_used(r, TX, NULL, NULL));
	send_frame(r, 1, 0, 13);
	assert_true(rig_used(r, TX, NULL, NULL));
	rig_desc(r, r->ring[TX].desc, 2, RIG_DATA, 80000, 0, 0);
	rig_offer(r, TX, 2);
	rig_notify(r, TX);
	assert_true(rig_used(r, TX, NULL, NULL));
	assert_int_equal(__atomic_load_n(&l->sent, __ATOMIC_SEQ_CST), 0);
	send_frame(r, 3, 5, 14);
	assert_true(rig_used(r, TX, NULL, NULL));
	assert_int_equal(__atomic_load_n(&l->sent, __ATOMIC_SEQ_CST), 1);
	/* A receive buffer without room for the header breaks the device. */
	offer_rx(r, 0, 4);
	assert_true(receive_frame(r, 1, 100));
	assert_true(rig_read(r, REG_Status) & VIRTIO_S_NEEDS_RESET);
	rig_start(r, ALL, NUM);
	send_frame(r, 3, 5, 14);
	assert_true(rig_used(r, TX, NULL, NULL));
}

static void test_reset_while_sending(void **state)
{
	struct rig *r = *state;

	for (unsigned round = 0; round < 100; round++) {
		rig_start(r, ALL, NUM);
		for (unsigned i = 0; i < NUM; i++) {
			offer_rx(r, i, 2048);
			send_frame(r, i, (uint8_t)i, 1000);
		}
		rig_write(r, REG_Status, 0);
		memset(r->ram, 0x11, RIG_RAM_SIZE);
		for (unsigned i = 0; i < RIG_RAM_SIZE; i += 1024)
			assert_int_equal(r->ram[i], 0x11);
	}
}

/* Legacy without MRG_RXBUF: the header has no num_buffers. */
static void test_legacy_header(void **state)
{
	const char *const set[] = {"address=0xa000000", "legacy=true", NULL};
	struct err e = ERR_INIT;
	uint32_t len;
	struct rig r;

	assert_true(rig_create(&r, &virtio_net_component, &loopback_component, set, &e));
	rig_start(&r, F_MAC, NUM);
	offer_rx(&r, 0, 2048);
	assert_true(receive_frame(&r, 6, 100));
	assert_true(rig_used_now(&r, RX, NULL, &len));
	assert_int_equal(len, 110);
	assert_int_equal(((uint8_t *)rig_ptr(&r, rx_at(0)))[9], 0);
	assert_int_equal(((uint8_t *)rig_ptr(&r, rx_at(0)))[10], 6);
	send_frame(&r, 0, 7, 98); /* which is 100 bytes of frame here */
	assert_true(rig_used(&r, TX, NULL, NULL));
	assert_int_equal(loopback_of(&r)->last_len, 100);
	rig_destroy(&r);
}

static void test_bad_mac(void **state)
{
	static const char *const bad[] = {"mac=52:54:00:12:34", "mac=53:54:00:12:34:56", "mac=x",
					  "mac=52:54:00:12:34:56:78"};

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		const char *const set[] = {bad[i], NULL};
		struct err e = ERR_INIT;
		struct rig r;

		assert_false(rig_create(&r, &virtio_net_component, &loopback_component, set, &e));
		assert_non_null(strstr(e.items[0].text, "mac"));
		err_free(&e);
		rig_destroy(&r);
	}
}

/* ---- user-mode network ---- */

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static unsigned checksum(const uint8_t *p, unsigned len)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < len; i += 2)
		sum += (unsigned)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static const uint8_t guest_mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

static void send_bytes(struct rig *r, const uint8_t *frame, uint32_t len)
{
	send_frame(r, 0, 0, len);
	assert_true(rig_used(r, TX, NULL, NULL));
	memcpy(rig_ptr(r, tx_at(0) + HEADER), frame, len);
	rig_offer(r, TX, 0);
	rig_notify(r, TX);
	assert_true(rig_used(r, TX, NULL, NULL));
}

/* The next frame for the guest that has @type at byte 12 and @proto at byte 23. */
static const uint8_t *wait_frame(struct rig *r, unsigned type, unsigned proto)
{
	uint32_t head;

	for (unsigned i = 0; i < 16; i++) {
		const uint8_t *f;

		assert_true(rig_used(r, RX, &head, NULL));
		f = (uint8_t *)rig_ptr(r, rx_at(head)) + HEADER;
		if ((unsigned)(f[12] << 8 | f[13]) == type && (!proto || f[23] == proto))
			return f;
	}
	return NULL;
}

/* Ask 10.0.2.2 for its address and ping it: all answered inside libslirp. */
static void test_user_ping(void **state)
{
	uint8_t arp[42] = {0}, ping[42 + 16] = {0};
	struct err e = ERR_INIT;
	const uint8_t *f;
	struct rig r;

	assert_true(rig_create(&r, &virtio_net_component, &user_component, no_set, &e));
	rig_start(&r, ALL, NUM);
	for (unsigned i = 0; i < NUM; i++)
		offer_rx(&r, i, 2048);
	memset(arp, 0xff, 6);
	memcpy(arp + 6, guest_mac, 6);
	memcpy(arp + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
	memcpy(arp + 22, guest_mac, 6);
	memcpy(arp + 28, "\x0a\x00\x02\x0f", 4);
	memcpy(arp + 38, "\x0a\x00\x02\x02", 4);
	send_bytes(&r, arp, sizeof(arp));
	f = wait_frame(&r, 0x0806, 0);
	assert_non_null(f);
	assert_int_equal(f[21], 2); /* reply */
	assert_memory_equal(f + 28, "\x0a\x00\x02\x02", 4);
	memcpy(ping, f + 6, 6);
	memcpy(ping + 6, guest_mac, 6);
	put16(ping + 12, 0x0800);
	ping[14] = 0x45;
	put16(ping + 16, 44);
	ping[22] = 64;
	ping[23] = 1;
	memcpy(ping + 26, "\x0a\x00\x02\x0f\x0a\x00\x02\x02", 8);
	put16(ping + 24, checksum(ping + 14, 20));
	ping[34] = 8;
	memcpy(ping + 38, "\x12\x34\x00\x01hello, gateway!", 19);
	put16(ping + 36, checksum(ping + 34, 24));
	send_bytes(&r, ping, sizeof(ping));
	f = wait_frame(&r, 0x0800, 1);
	assert_non_null(f);
	assert_int_equal(f[34], 0); /* echo reply */
	assert_memory_equal(f + 38, ping + 38, 20);
	rig_destroy(&r);
}

static void expect_refused(const struct component *be, const char *set1, const char *text)
{
	const char *const set[] = {"address=0xa000000", set1, NULL};
	struct err e = ERR_INIT;
	struct rig r;

	assert_false(rig_create(&r, &virtio_net_component, be, set, &e));
	assert_non_null(strstr(e.items[0].text, text));
	assert_non_null(e.items[0].hint);
	err_free(&e);
	rig_destroy(&r);
}

static void test_user_bad(void **state)
{
	expect_refused(&user_component, "|net=10.0.2", "IPv4");
	expect_refused(&user_component, "|net=10.0.2.0/30", "IPv4");
	expect_refused(&user_component, "|net=10.0.2.0/x", "IPv4");
	expect_refused(&user_component, "|hostfwd=tcp:2222-:22", "hostfwd");
	expect_refused(&user_component, "|hostfwd=sctp::2222-:22", "hostfwd");
	expect_refused(&user_component, "|hostfwd=tcp::0-:22", "hostfwd");
	expect_refused(&user_component, "|hostfwd=tcp::22-:99999", "hostfwd");
	expect_refused(&user_component, "|hostfwd=tcp:1.2.3:22-:9", "hostfwd");
	/* An address that is not this host's. */
	expect_refused(&user_component, "|hostfwd=tcp:192.0.2.1:22-:9", "listen");
}

/* ---- entropy ---- */

static void test_rng(void **state)
{
	static const char *const set[] = {"address=0xa000000", "|seed=5", NULL};
	struct err e = ERR_INIT;
	uint32_t len, zero = 0;
	struct rig r;

	assert_true(rig_create(&r, &virtio_rng_component, &random_component, set, &e));
	rig_start(&r, VIRTIO_F_EVENT_IDX, NUM);
	rig_desc(&r, r.ring[0].desc, 0, RIG_DATA, 100, DESC_NEXT | DESC_WRITE, 1);
	rig_desc(&r, r.ring[0].desc, 1, RIG_DATA + 0x1000, 0x10000, DESC_WRITE, 0);
	rig_offer(&r, 0, 0);
	rig_notify(&r, 0);
	assert_true(rig_used_now(&r, 0, NULL, &len));
	assert_int_equal(len, 1024);
	for (unsigned i = 0; i < 100; i++)
		zero += !*(uint8_t *)rig_ptr(&r, RIG_DATA + i);
	assert_true(zero < 10);
	assert_int_not_equal(*(uint64_t *)rig_ptr(&r, RIG_DATA + 0x1000), 0);
	/* Nothing beyond what is reported. */
	assert_int_equal(*(uint64_t *)rig_ptr(&r, RIG_DATA + 0x1000 + 928), 0);
	/* Nothing writable: returned empty. */
	rig_desc(&r, r.ring[0].desc, 0, RIG_DATA, 100, 0, 0);
	rig_offer(&r, 0, 0);
	rig_notify(&r, 0);
	assert_true(rig_used_now(&r, 0, NULL, &len));
	assert_int_equal(len, 0);
	rig_destroy(&r);
}

/* ---- console ---- */

struct fake_char {
	struct dev dev;
	struct char_client client;
	char out[256];
	size_t out_len, room;
	unsigned resumed;
};

static void char_attach(struct dev *be, const struct char_client *client)
{
	((struct fake_char *)be)->client = *client;
}

static size_t char_write(struct dev *be, const uint8_t *data, size_t len)
{
	struct fake_char *f = (struct fake_char *)be;

	if (len > f->room)
		len = f->room;
	memcpy(f->out + f->out_len, data, len);
	f->out_len += len;
	f->room -= len;
	return len;
}

static void char_resume(struct dev *be)
{
	((struct fake_char *)be)->resumed++;
}

static const struct backend_char_ops char_ops = {
	.attach = char_attach, .write = char_write, .resume = char_resume};

static const struct component char_component = {
	.type = "fakechar",
	.cls = DEV_BACKEND,
	.size = sizeof(struct fake_char),
	.backend = BACKEND_CHAR,
	.backend_ops = &char_ops,
};

static size_t can_receive(struct fake_char *f)
{
	size_t n;

	dev_lock(f->client.dev);
	n = f->client.can_receive(f->client.dev);
	dev_unlock(f->client.dev);
	return n;
}

static void type_text(struct fake_char *f, const char *text)
{
	dev_lock(f->client.dev);
	f->client.receive(f->client.dev, (const uint8_t *)text, strlen(text));
	dev_unlock(f->client.dev);
}

static void test_console(void **state)
{
	struct err e = ERR_INIT;
	struct fake_char *f;
	uint32_t len;
	struct rig r;

	assert_true(rig_create(&r, &virtio_console_component, &char_component, no_set, &e));
	f = (struct fake_char *)r.backend;
	f->room = 16;
	rig_start(&r, VIRTIO_F_EVENT_IDX, NUM);
	/* Output in two pieces. */
	memcpy(rig_ptr(&r, RIG_DATA), "hello, world", 12);
	rig_desc(&r, r.ring[TX].desc, 0, RIG_DATA, 7, DESC_NEXT, 1);
	rig_desc(&r, r.ring[TX].desc, 1, RIG_DATA + 7, 5, 0, 0);
	rig_offer(&r, TX, 0);
	rig_notify(&r, TX);
	assert_true(rig_used_now(&r, TX, NULL, NULL));
	assert_memory_equal(f->out, "hello, world", 12);
	/* A slow sink holds the buffer back. */
	rig_offer(&r, TX, 0);
	rig_notify(&r, TX);
	assert_int_equal(f->out_len, 16);
	assert_false(rig_used_now(&r, TX, NULL, NULL));
	/* Input. */
	assert_int_equal(can_receive(f), 0);
	rig_desc(&r, r.ring[RX].desc, 0, RIG_DATA + 0x1000, 4, DESC_WRITE, 0);
	rig_desc(&r, r.ring[RX].desc, 1, RIG_DATA + 0x2000, 4, DESC_WRITE, 0);
	rig_offer(&r, RX, 0);
	rig_offer(&r, RX, 1);
	rig_notify(&r, RX);
	assert_int_equal(f->resumed, 2); /* DRIVER_OK and now */
	assert_int_equal(can_receive(f), 4);
	type_text(f, "abcdef");
	assert_true(rig_used_now(&r, RX, NULL, &len));
	assert_int_equal(len, 4);
	assert_true(rig_used_now(&r, RX, NULL, &len));
	assert_int_equal(len, 2);
	assert_memory_equal(rig_ptr(&r, RIG_DATA + 0x1000), "abcd", 4);
	assert_int_equal(can_receive(f), 0);
	type_text(f, "lost"); /* more than it said it can take */
	/* Reset with output held back. */
	rig_write(&r, REG_Status, 0);
	assert_int_equal(can_receive(f), 0);
	rig_destroy(&r);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_config),
		TEST(test_echo),
		TEST(test_merge),
		TEST(test_back_pressure),
		TEST(test_no_merge),
		TEST(test_no_driver),
		TEST(test_bad_frames),
		TEST(test_reset_while_sending),
		cmocka_unit_test(test_legacy_header),
		cmocka_unit_test(test_bad_mac),
		cmocka_unit_test(test_user_ping),
		cmocka_unit_test(test_user_bad),
		cmocka_unit_test(test_rng),
		cmocka_unit_test(test_console),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
