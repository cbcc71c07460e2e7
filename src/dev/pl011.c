/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PrimeCell UART PL011, r1p5. Arm DDI 0183G.
 *
 * Bytes leave at once, at no particular baud rate; when the back end takes no more, they wait in the
 * transmit FIFO and the guest sees it fill. Left out: modem lines (all inactive but in loopback), IrDA, DMA,
 * parity and framing errors (a break is delivered).
 */
#include "dev/backend.h"
#include "dev/component.h"
#include "dev/dt.h"
#include "util/bits.h"
#include "util/log.h"

enum { FIFO_SIZE = 32, RETRY_NS = 5000000, READS_MIN = 16 };

/* Register offsets (3.2). */
enum {
	UARTDR = 0x000,
	UARTRSR = 0x004,
	UARTFR = 0x018,
	UARTILPR = 0x020,
	UARTIBRD = 0x024,
	UARTFBRD = 0x028,
	UARTLCR_H = 0x02c,
	UARTCR = 0x030,
	UARTIFLS = 0x034,
	UARTIMSC = 0x038,
	UARTRIS = 0x03c,
	UARTMIS = 0x040,
	UARTICR = 0x044,
	UARTDMACR = 0x048,
	UARTPeriphID0 = 0xfe0,
	SIZE = 0x1000,
};

enum {
	FR_RI = 1 << 8,
	FR_TXFE = 1 << 7,
	FR_RXFF = 1 << 6,
	FR_TXFF = 1 << 5,
	FR_RXFE = 1 << 4,
	FR_BUSY = 1 << 3,
	FR_DCD = 1 << 2,
	FR_DSR = 1 << 1,
	FR_CTS = 1 << 0,
};
enum {
	CR_UARTEN = 1 << 0,
	CR_LBE = 1 << 7,
	CR_TXE = 1 << 8,
	CR_RXE = 1 << 9,
	CR_DTR = 1 << 10,
	CR_RTS = 1 << 11,
	CR_OUT1 = 1 << 12,
	CR_OUT2 = 1 << 13,
	CR_RESET = CR_TXE | CR_RXE,
};
enum { LCR_FEN = 1 << 4 };
enum { INT_RX = 1 << 4, INT_TX = 1 << 5, INT_RT = 1 << 6, INT_BE = 1 << 9, INT_OE = 1 << 10 };
enum { DR_BE = 1 << 10, DR_OE = 1 << 11 };

struct fifo {
	uint16_t data[FIFO_SIZE];
	uint32_t head, count;
};

struct pl011 {
	struct dev dev;
	uint64_t address;
	bool secure;
	struct irq irq;
	struct clk uartclk, apb_pclk;
	struct fifo rx, tx;
	uint32_t rsr, ilpr, ibrd, fbrd, lcr_h, cr, ifls, imsc, ris, dmacr;
	struct dev_timer retry; /* the back end was full */
	bool overrun;
	uint32_t reads; /* since something was received */
};

/* ---- FIFOs ---- */

static unsigned depth(const struct pl011 *s)
{
	return s->lcr_h & LCR_FEN ? FIFO_SIZE : 1;
}

static void push(struct fifo *f, uint16_t v)
{
	f->data[(f->head + f->count++) % FIFO_SIZE] = v;
}

static uint16_t pop(struct fifo *f)
{
	uint16_t v = f->data[f->head % FIFO_SIZE];

	f->head = (f->head + 1) % FIFO_SIZE;
	f->count--;
	return v;
}

/* Fill levels of the FIFOs at which interrupts are raised, from the fields of UARTIFLS (3.3.9). */
static const uint8_t levels[8] = {4, 8, 16, 24, 28, 28, 28, 28};

static unsigned rx_trigger(const struct pl011 *s)
{
	return depth(s) == 1 ? 1 : levels[bits(s->ifls, 5, 3)];
}

static unsigned tx_trigger(const struct pl011 *s)
{
	return depth(s) == 1 ? 0 : levels[bits(s->ifls, 2, 0)];
}

/* ---- what is read without an exit ---- */

static uint32_t reg(const struct pl011 *s, uint64_t offset);

/* While nothing has been received no read has an effect, that of UARTDR included. Before something else can be read,
 * the page is gone; until then it says what was true before. */
static void show(struct pl011 *s)
{
	static const uint16_t registers[] = {UARTRSR,  UARTFR,	  UARTILPR, UARTIBRD,
					     UARTFBRD, UARTLCR_H, UARTCR,   UARTIFLS,
					     UARTIMSC, UARTRIS,	  UARTMIS,  UARTDMACR};
	struct mem_region *r = &s->dev.region[0];

	if (s->rx.count)
		s->reads = 0;
	if (s->reads < READS_MIN) {
		mem_set_direct(r, false);
		return;
	}
	for (unsigned i = 0; i < ARRAY_COUNT(registers); i++)
		mem_show(r, registers[i], reg(s, registers[i]));
	for (unsigned i = UARTPeriphID0; i < SIZE && !r->direct; i += 4)
		mem_show(r, i, reg(s, i));
	mem_set_direct(r, true);
}

/* A guest that polls: from now on it need not exit for that. */
static void count_read(struct pl011 *s)
{
	if (s->reads < READS_MIN && ++s->reads == READS_MIN)
		show(s);
}

/* ---- interrupts ---- */

static void update(struct pl011 *s)
{
	show(s);
	irq_set(&s->irq, s->ris & s->imsc);
}

/* The transmit interrupt follows the fill level going down through the trigger (2.8.3). */
static void tx_drained(struct pl011 *s)
{
	if (s->tx.count <= tx_trigger(s))
		s->ris |= INT_TX;
}

/* ---- sending ---- */

static void receive_one(struct pl011 *s, uint16_t v);

static void flush(struct pl011 *s)
{
	const struct backend_char_ops *ops = s->dev.backend->c->backend_ops;
	bool any = s->tx.count;

	while (s->tx.count) {
		uint8_t c = s->tx.data[s->tx.head % FIFO_SIZE];

		if (s->cr & CR_LBE)
			receive_one(s, c);
		else if (!ops->write(s->dev.backend, &c, 1))
			break;
		pop(&s->tx);
	}
	if (s->tx.count)
		dev_timer_arm(&s->retry, dev_now_ns(&s->dev) + RETRY_NS);
	if (any)
		tx_drained(s);
	update(s);
}

static void on_retry(struct dev *d, void *opaque)
{
	flush((struct pl011 *)d);
}

static void send(struct pl011 *s, uint8_t c)
{
	if (!(s->cr & CR_UARTEN) || !(s->cr & CR_TXE))
		guest_error(s->dev.name, "transmit while disabled");
	if (s->tx.count >= depth(s)) {
		guest_error(s->dev.name, "transmit FIFO overflow");
		return;
	}
	if (s->dev.host->console_byte)
		s->dev.host->console_byte(s->dev.host->opaque);
	push(&s->tx, c);
	s->ris &= ~INT_TX;
	flush(s);
}

/* ---- receiving ---- */

static void receive_one(struct pl011 *s, uint16_t v)
{
	if (s->rx.count >= depth(s)) {
		s->overrun = true;
		s->ris |= INT_OE;
		return;
	}
	if (s->overrun)
		v |= DR_OE;
	s->overrun = false;
	push(&s->rx, v);
	if (s->rx.count >= rx_trigger(s))
		s->ris |= INT_RX;
	/* The receive timeout (32 bit periods of silence) is over at once. */
	s->ris |= INT_RT;
	if (v & DR_BE)
		s->ris |= INT_BE;
}

static bool can_listen(const struct pl011 *s)
{
	return (s->cr & CR_UARTEN) && (s->cr & CR_RXE) && !(s->cr & CR_LBE);
}

static size_t can_receive(struct dev *d)
{
	struct pl011 *s = (struct pl011 *)d;

	return can_listen(s) ? depth(s) - s->rx.count : 0;
}

static void receive(struct dev *d, const uint8_t *data, size_t len)
{
	struct pl011 *s = (struct pl011 *)d;

	for (size_t i = 0; i < len; i++)
		receive_one(s, data[i]);
	update(s);
}

static void on_break(struct dev *d)
{
	struct pl011 *s = (struct pl011 *)d;

	if (can_listen(s))
		receive_one(s, DR_BE);
	update(s);
}

static uint32_t read_data(struct pl011 *s)
{
	const struct backend_char_ops *ops = s->dev.backend->c->backend_ops;
	uint32_t v;

	if (!s->rx.count)
		return 0;
	v = pop(&s->rx);
	s->rsr = v >> 8;
	if (s->rx.count < rx_trigger(s))
		s->ris &= ~INT_RX;
	if (!s->rx.count)
		s->ris &= ~INT_RT;
	update(s);
	ops->resume(s->dev.backend);
	return v;
}

/* ---- registers ---- */

/* In loopback the outputs lead to the inputs (2.4). */
static uint32_t modem_flags(const struct pl011 *s)
{
	if (!(s->cr & CR_LBE))
		return 0;
	return (s->cr & CR_RTS ? FR_CTS : 0) | (s->cr & CR_DTR ? FR_DSR : 0) |
	       (s->cr & CR_OUT1 ? FR_DCD : 0) | (s->cr & CR_OUT2 ? FR_RI : 0);
}

static uint32_t flags(const struct pl011 *s)
{
	uint32_t v = modem_flags(s);

	v |= s->rx.count ? 0 : FR_RXFE;
	v |= s->rx.count >= depth(s) ? FR_RXFF : 0;
	v |= s->tx.count ? FR_BUSY : FR_TXFE;
	v |= s->tx.count >= depth(s) ? FR_TXFF : 0;
	return v;
}

static uint32_t reg(const struct pl011 *s, uint64_t offset)
{
	static const uint8_t id[8] = {0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

	if (offset >= UARTPeriphID0 && offset < UARTPeriphID0 + 0x20)
		return id[(offset - UARTPeriphID0) / 4];
	switch (offset) {
	case UARTRSR:
		return s->rsr;
	case UARTFR:
		return flags(s);
	case UARTILPR:
		return s->ilpr;
	case UARTIBRD:
		return s->ibrd;
	case UARTFBRD:
		return s->fbrd;
	case UARTLCR_H:
		return s->lcr_h;
	case UARTCR:
		return s->cr;
	case UARTIFLS:
		return s->ifls;
	case UARTIMSC:
		return s->imsc;
	case UARTRIS:
		return s->ris;
	case UARTMIS:
		return s->ris & s->imsc;
	case UARTDMACR:
		return s->dmacr;
	default:
		guest_error(s->dev.name, "read of reserved offset 0x%x", (unsigned)offset);
		return 0;
	}
}

static enum mem_result pl011_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value,
				  struct mem_attrs attrs)
{
	struct pl011 *s = opaque;

	*value = offset == UARTDR ? read_data(s) : reg(s, offset);
	if (!s->rx.count)
		count_read(s);
	return MEM_OK;
}

static void write_lcr(struct pl011 *s, uint32_t v)
{
	const struct backend_char_ops *ops = s->dev.backend->c->backend_ops;
	bool switched = (s->lcr_h ^ v) & LCR_FEN;

	s->lcr_h = v & 0xff;
	if (!switched)
		return;
	/* Switching the FIFOs empties them (3.3.7). On hardware, what the guest has sent would be on its
	 * way by now, so that is kept. */
	s->rx.count = 0;
	s->ris &= ~(INT_RX | INT_RT);
	ops->resume(s->dev.backend);
}

static enum mem_result pl011_write(void *opaque, uint64_t offset, unsigned size, uint64_t value,
				   struct mem_attrs attrs)
{
	struct pl011 *s = opaque;
	const struct backend_char_ops *ops = s->dev.backend->c->backend_ops;

	switch (offset) {
	case UARTDR:
		send(s, value);
		break;
	case UARTRSR: /* UARTECR */
		s->rsr = 0;
		break;
	case UARTFR:
		break;
	case UARTILPR:
		s->ilpr = value & 0xff;
		break;
	case UARTIBRD:
		s->ibrd = value & 0xffff;
		break;
	case UARTFBRD:
		s->fbrd = value & 0x3f;
		break;
	case UARTLCR_H:
		write_lcr(s, value);
		break;
	case UARTCR:
		s->cr = value & 0xff87;
		ops->resume(s->dev.backend);
		break;
	case UARTIFLS:
		s->ifls = value & 0x3f;
		break;
	case UARTIMSC:
		s->imsc = value & 0x7ff;
		break;
	case UARTICR:
		s->ris &= ~value;
		break;
	case UARTDMACR:
		s->dmacr = value & 7;
		if (s->dmacr)
			guest_unimp(s->dev.name, "DMA");
		break;
	default:
		guest_error(s->dev.name, "write of reserved offset 0x%x", (unsigned)offset);
	}
	update(s);
	return MEM_OK;
}

/* ---- component ---- */

static int pl011_init(struct dev *d, struct err *e)
{
	static const struct char_client model = {
		.can_receive = can_receive, .receive = receive, .brk = on_break};
	const struct backend_char_ops *ops = d->backend->c->backend_ops;
	struct char_client client = model;

	dev_timer_init(&((struct pl011 *)d)->retry, d, on_retry, NULL);
	client.dev = d;
	ops->attach(d->backend, &client);
	return 0;
}

static void pl011_reset(struct dev *d)
{
	dev_state_reset(d);
	update((struct pl011 *)d);
}

static void pl011_fini(struct dev *d)
{
	dev_timer_fini(&((struct pl011 *)d)->retry);
}

static int pl011_dt(struct dev *d, struct dt *dt)
{
	struct pl011 *s = (struct pl011 *)d;
	const struct clk *clocks[] = {&s->uartclk, &s->apb_pclk};
	int n = dt_node(dt, "pl011", &s->address);

	dt_strs(dt, n, "compatible", "arm,pl011\0arm,primecell", 2);
	dt_reg_of(dt, n, d);
	dt_irq(dt, n, &s->irq);
	dt_clocks(dt, n, clocks, "uartclk\0apb_pclk", 2);
	if (s->secure)
		dt_secure(dt, n);
	return 0;
}

static const struct prop pl011_props[] = {
	{.name = "address",
	 .kind = PROP_U64,
	 .offset = offsetof(struct pl011, address),
	 .required = true,
	 .help = "first physical address (4 KiB)"},
	{.name = "irq",
	 .kind = PROP_IRQ,
	 .offset = offsetof(struct pl011, irq),
	 .help = "UARTINTR, all sources combined: spi:N@gic"},
	{.name = "uartclk",
	 .kind = PROP_CLOCK,
	 .offset = offsetof(struct pl011, uartclk),
	 .help = "UARTCLK, what baud rates are divided from"},
	{.name = "apb_pclk",
	 .kind = PROP_CLOCK,
	 .offset = offsetof(struct pl011, apb_pclk),
	 .help = "PCLK of the bus"},
	{.name = "secure",
	 .kind = PROP_BOOL,
	 .offset = offsetof(struct pl011, secure),
	 .def = "false",
	 .help = "absent from the normal world"},
	{0},
};

static const struct dev_region pl011_regions[] = {
	{.address_offset = offsetof(struct pl011, address),
	 .size = SIZE,
	 .shows = true,
	 .secure_offset = offsetof(struct pl011, secure),
	 .min_width = 1,
	 .read = pl011_read,
	 .write = pl011_write},
	{0},
};

#define REG(reg, field, value)                                                                     \
	{                                                                                          \
		.name = reg, .offset = offsetof(struct pl011, field), .size = 4, .reset = value    \
	}

static const struct dev_state pl011_state[] = {
	REG("UARTRSR", rsr, 0),
	REG("UARTILPR", ilpr, 0),
	REG("UARTIBRD", ibrd, 0),
	REG("UARTFBRD", fbrd, 0),
	REG("UARTLCR_H", lcr_h, 0),
	REG("UARTCR", cr, CR_RESET),
	REG("UARTIFLS", ifls, 0x12),
	REG("UARTIMSC", imsc, 0),
	REG("UARTRIS", ris, 0),
	REG("UARTDMACR", dmacr, 0),
	REG("rx-head", rx.head, 0),
	REG("rx-count", rx.count, 0),
	{.name = "tx-head", .offset = offsetof(struct pl011, tx.head), .size = 4, .keep = true},
	{.name = "tx-count", .offset = offsetof(struct pl011, tx.count), .size = 4, .keep = true},
	{.name = "rx-data",
	 .offset = offsetof(struct pl011, rx.data),
	 .size = 2,
	 .count = FIFO_SIZE,
	 .keep = true},
	{.name = "tx-data",
	 .offset = offsetof(struct pl011, tx.data),
	 .size = 2,
	 .count = FIFO_SIZE,
	 .keep = true},
	{.name = "overrun", .offset = offsetof(struct pl011, overrun), .size = 1},
	{.name = "reads", .offset = offsetof(struct pl011, reads), .size = 4},
	{0},
};

const struct component pl011_component = {
	.type = "PL011",
	.vendor = "ARM",
	.doc = "PrimeCell UART",
	.size = sizeof(struct pl011),
	.props = pl011_props,
	.regions = pl011_regions,
	.state = pl011_state,
	.backend = BACKEND_CHAR,
	.default_backend = "null",
	.init = pl011_init,
	.reset = pl011_reset,
	.fini = pl011_fini,
	.dt = pl011_dt,
};
