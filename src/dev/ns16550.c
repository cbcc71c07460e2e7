/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UART with the registers of the National Semiconductor PC16550D (data sheet of June 1995), as SoCs have
 * it: registers at a stride, the interrupt not gated by OUT2.
 *
 * Bytes leave at once, at no particular baud rate; when the back end takes no more, they wait in the
 * transmit FIFO and THRE stays low. The modem inputs say that the other side is ready. Left out: DMA modes,
 * parity and framing errors (a break is delivered), the receive timeout's time (it is over at once).
 */
#include "dev/backend.h"
#include "dev/component.h"
#include "dev/dt.h"
#include "util/bits.h"
#include "util/err.h"
#include "util/log.h"

#include <errno.h>

enum { FIFO_SIZE = 16, REG_COUNT = 8, RETRY_NS = 5000000 };

/* Registers (8.0, table II); DLL and DLM in place of the first two while LCR.DLAB. */
enum { RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };

enum { IER_ERBFI = 1, IER_ETBEI = 2, IER_ELSI = 4, IER_EDSSI = 8, IER_MASK = 15 };
enum { IIR_MODEM = 0, IIR_NONE = 1, IIR_THRE = 2, IIR_DATA = 4, IIR_LINE = 6, IIR_TIMEOUT = 12 };
enum { IIR_FIFOS = 0xc0 };
enum { FCR_ENABLE = 1, FCR_CLEAR_RX = 2, FCR_CLEAR_TX = 4 };
enum { LCR_DLAB = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 16, MCR_MASK = 31 };
enum { LSR_DR = 1, LSR_OE = 2, LSR_BI = 0x10, LSR_THRE = 0x20, LSR_TEMT = 0x40, LSR_FIFO = 0x80 };
enum { LSR_ERRORS = 0x1e };
enum { MSR_TERI = 4, MSR_CTS = 16, MSR_DSR = 32, MSR_RI = 64, MSR_DCD = 128 };

struct fifo {
	uint16_t data[FIFO_SIZE]; /* the errors of a byte, as in LSR, above it */
	uint32_t head, count;
};

struct ns16550 {
	struct dev dev;
	uint64_t address;
	bool secure;
	struct irq irq;
	struct clk clock;
	uint32_t reg_shift, reg_io_width;
	struct fifo rx, tx;
	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	uint8_t errors;		/* of LSR, until it is read */
	uint8_t msr;		/* as last looked at, with the changes since it was read */
	bool thre_pending;	/* the transmitter has become empty and nobody has noticed */
	struct dev_timer retry; /* the back end was full */
};

/* ---- FIFOs ---- */

static unsigned depth(const struct ns16550 *s)
{
	return s->fcr & FCR_ENABLE ? FIFO_SIZE : 1;
}

static void push(struct fifo *f, uint16_t v)
{
	f->data[(f->head + f->count++) % FIFO_SIZE] = v;
}

static uint16_t first(const struct fifo *f)
{
	return f->data[f->head % FIFO_SIZE];
}

static uint16_t pop(struct fifo *f)
{
	uint16_t v = first(f);

	f->head = (f->head + 1) % FIFO_SIZE;
	f->count--;
	return v;
}

/* An error shows in LSR when its byte comes to the top (8.6.3). */
static void look_at_top(struct ns16550 *s)
{
	if (s->rx.count)
		s->errors |= first(&s->rx) >> 8;
}

static unsigned trigger(const struct ns16550 *s)
{
	static const uint8_t levels[4] = {1, 4, 8, 14};

	return depth(s) == 1 ? 1 : levels[s->fcr >> 6];
}

/* ---- interrupts ---- */

/* The source of highest priority (table V). */
static uint8_t source(const struct ns16550 *s)
{
	if ((s->ier & IER_ELSI) && s->errors)
		return IIR_LINE;
	if ((s->ier & IER_ERBFI) && s->rx.count)
		return s->rx.count >= trigger(s) ? IIR_DATA : IIR_TIMEOUT;
	if ((s->ier & IER_ETBEI) && s->thre_pending)
		return IIR_THRE;
	if ((s->ier & IER_EDSSI) && (s->msr & 15))
		return IIR_MODEM;
	return IIR_NONE;
}

static void update(struct ns16550 *s)
{
	irq_set(&s->irq, source(s) != IIR_NONE);
}

/* ---- modem lines ---- */

static uint8_t modem_inputs(const struct ns16550 *s)
{
	if (!(s->mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	return (s->mcr & MCR_RTS ? MSR_CTS : 0) | (s->mcr & MCR_DTR ? MSR_DSR : 0) |
	       (s->mcr & MCR_OUT1 ? MSR_RI : 0) | (s->mcr & MCR_OUT2 ? MSR_DCD : 0);
}

/* Changes are kept in the lower half; of RI only its end counts. */
static void look_at_modem(struct ns16550 *s)
{
	uint8_t now = modem_inputs(s);
	uint8_t changed = (now ^ s->msr) >> 4;

	if (now & MSR_RI)
		changed &= ~MSR_TERI;
	s->msr = now | (s->msr & 15) | changed;
}

/* ---- sending ---- */

static void receive_one(struct ns16550 *s, uint16_t v);

static void flush(struct ns16550 *s)
{
	const struct backend_char_ops *ops = s->dev.backend->c->backend_ops;
	bool any = s->tx.count;

	while (s->tx.count) {
		uint8_t c = (uint8_t)first(&s->tx);

		if (s->mcr & MCR_LOOP)
			receive_one(s, c);
		else if (!ops->write(s->dev.backend, &c, 1))
			break;
		pop(&s->tx);
	}
	if (s->tx.count)
		dev_timer_arm(&s->retry, dev_now_ns(&s->dev) + RETRY_NS);
	else if (any)
		s->thre_pending = true;
	update(s);
}

static void on_retry(struct dev *d, void *opaque)
{
	flush((struct ns16550 *)d);
}

static void send(struct ns16550 *s, uint8_t c)
{
	if (s->tx.count >= depth(s)) {
		guest_error(s->dev.name, "transmit FIFO overflow");
		return;
	}
	if (s->dev.host->console_byte)
		s->dev.host->console_byte(s->dev.host->opaque);
	push(&s->tx, c);
	s->thre_pending = false;
	flush(s);
}

/* ---- receiving ---- */

static void receive_one(struct ns16550 *s, uint16_t v)
{
	if (s->rx.count >=
	    depth(s)) { /* the character is lost; without FIFOs, the older one (8.4) */
		s->errors |= LSR_OE;
		if (depth(s) != 1)
			return;
		pop(&s->rx);
	}
	push(&s->rx, v);
	if (s->rx.count == 1)
		look_at_top(s);
}

static size_t can_receive(struct dev *d)
{
	struct ns16550 *s = (struct ns16550 *)d;

	return s->mcr & MCR_LOOP ? 0 : depth(s) - s->rx.count;
}

static void receive(struct dev *d, const uint8_t *data, size_t len)
{
	struct ns16550 *s = (struct ns16550 *)d;

	for (size_t i = 0; i < len; i++)
		receive_one(s, data[i]);
	update(s);
}

static void on_break(struct dev *d)
{
	struct ns16550 *s = (struct ns16550 *)d;

	if (!(s->mcr & MCR_LOOP))
		receive_one(s, LSR_BI << 8);
	update(s);
}

/* There may be room where there was none. */
static void resume(struct ns16550 *s)
{
	const struct backend_char_ops *ops = s->dev.backend->c->backend_ops;

	ops->resume(s->dev.backend);
}

static uint8_t read_data(struct ns16550 *s)
{
	uint8_t v;

	if (!s->rx.count)
		return 0;
	v = (uint8_t)pop(&s->rx);
	look_at_top(s);
	update(s);
	resume(s);
	return v;
}

/* ---- registers ---- */

static uint8_t line_status(const struct ns16550 *s)
{
	uint8_t v = s->errors | (s->rx.count ? LSR_DR : 0);

	if (!s->tx.count)
		v |= LSR_THRE | LSR_TEMT;
	for (unsigned i = 0; depth(s) != 1 && i < s->rx.count; i++)
		v |= s->rx.data[(s->rx.head + i) % FIFO_SIZE] >> 8 ? LSR_FIFO : 0;
	return v;
}

/* Reading clears the errors. The one of the top byte has been seen then. */
static uint8_t read_line_status(struct ns16550 *s)
{
	uint8_t v = line_status(s);

	s->errors = 0;
	if (s->rx.count)
		s->rx.data[s->rx.head % FIFO_SIZE] &= 0xff;
	update(s);
	return v;
}

static uint8_t read_modem_status(struct ns16550 *s)
{
	uint8_t v = s->msr;

	s->msr &= ~15;
	update(s);
	return v;
}

/* Reading clears THRE if that is what is told (table V). */
static uint8_t read_source(struct ns16550 *s)
{
	uint8_t v = source(s);

	if (v == IIR_THRE)
		s->thre_pending = false;
	update(s);
	return v | (s->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

static uint8_t read_register(struct ns16550 *s, unsigned reg)
{
	bool dlab = s->lcr & LCR_DLAB;

	switch (reg) {
	case RBR_THR:
		return dlab ? s->dll : read_data(s);
	case IER:
		return dlab ? s->dlm : s->ier;
	case IIR_FCR:
		return read_source(s);
	case LCR:
		return s->lcr;
	case MCR:
		return s->mcr;
	case LSR:
		return read_line_status(s);
	case MSR:
		return read_modem_status(s);
	default:
		return s->scr;
	}
}

/* Enabling the interrupt of an empty transmitter raises it. */
static void write_ier(struct ns16550 *s, uint8_t v)
{
	if ((v & ~s->ier & IER_ETBEI) && !s->tx.count)
		s->thre_pending = true;
	s->ier = v & IER_MASK;
}

/* Switching the FIFOs empties them; the other bits count only if FCR0 is written as 1 (8.3). On hardware,
 * what the guest has sent would be on its way by now, so that is kept but for an explicit clear. */
static void write_fcr(struct ns16550 *s, uint8_t v)
{
	bool switched = (v ^ s->fcr) & FCR_ENABLE;

	if (!(v & FCR_ENABLE))
		v = 0;
	if (switched || (v & FCR_CLEAR_RX)) {
		s->rx.count = 0;
		s->errors = 0;
	}
	if ((v & FCR_CLEAR_TX) && s->tx.count) {
		s->tx.count = 0;
		s->thre_pending = true;
	}
	s->fcr = v & 0xc9;
	resume(s);
}

static void write_mcr(struct ns16550 *s, uint8_t v)
{
	s->mcr = v & MCR_MASK;
	look_at_modem(s);
	resume(s);
}

static void write_register(struct ns16550 *s, unsigned reg, uint8_t v)
{
	bool dlab = s->lcr & LCR_DLAB;

	switch (reg) {
	case RBR_THR:
		if (dlab)
			s->dll = v;
		else
			send(s, v);
		break;
	case IER:
		if (dlab)
			s->dlm = v;
		else
			write_ier(s, v);
		break;
	case IIR_FCR:
		write_fcr(s, v);
		break;
	case LCR:
		s->lcr = v;
		break;
	case MCR:
		write_mcr(s, v);
		break;
	case SCR:
		s->scr = v;
		break;
	default: /* the status registers: for factory tests only */
		guest_error(s->dev.name, "write of a status register");
	}
	update(s);
}

/* A register is the lowest byte of its place. */
static enum mem_result ns16550_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value,
				    struct mem_attrs attrs)
{
	struct ns16550 *s = opaque;

	if (offset & ((1U << s->reg_shift) - 1))
		guest_error(s->dev.name, "read between registers, at offset 0x%x",
			    (unsigned)offset);
	else
		*value = read_register(s, offset >> s->reg_shift);
	return MEM_OK;
}

static enum mem_result ns16550_write(void *opaque, uint64_t offset, unsigned size, uint64_t value,
				     struct mem_attrs attrs)
{
	struct ns16550 *s = opaque;

	if (offset & ((1U << s->reg_shift) - 1))
		guest_error(s->dev.name, "write between registers, at offset 0x%x",
			    (unsigned)offset);
	else
		write_register(s, offset >> s->reg_shift, (uint8_t)value);
	return MEM_OK;
}

/* ---- component ---- */

static uint64_t region_size(const struct dev *d)
{
	return (uint64_t)REG_COUNT << ((const struct ns16550 *)d)->reg_shift;
}

static int ns16550_init(struct dev *d, struct err *e)
{
	struct ns16550 *s = (struct ns16550 *)d;
	const struct backend_char_ops *ops = d->backend->c->backend_ops;
	struct char_client client = {
		.dev = d, .can_receive = can_receive, .receive = receive, .brk = on_break};
	int r;

	if (!is_pow2(s->reg_io_width) || s->reg_io_width > 1U << s->reg_shift) {
		r = err_set(e, -EINVAL, d->where,
			    "%s: registers %u bytes wide do not fit at a stride of %u", d->name,
			    s->reg_io_width, 1U << s->reg_shift);
		err_hint(e, "reg_io_width is 1, 2 or 4; reg_shift=2 makes room for all of them");
		return r;
	}
	dev_timer_init(&s->retry, d, on_retry, NULL);
	ops->attach(d->backend, &client);
	return 0;
}

static void ns16550_reset(struct dev *d)
{
	struct ns16550 *s = (struct ns16550 *)d;

	dev_state_reset(d);
	s->msr = modem_inputs(s);
	update(s);
	resume(s);
}

static void ns16550_fini(struct dev *d)
{
	dev_timer_fini(&((struct ns16550 *)d)->retry);
}

/* Binding: serial/8250.yaml. */
static int ns16550_dt(struct dev *d, struct dt *dt)
{
	struct ns16550 *s = (struct ns16550 *)d;
	int n = dt_node(dt, "serial", &s->address);

	dt_str(dt, n, "compatible", "ns16550a");
	dt_reg_of(dt, n, d);
	dt_u32(dt, n, "reg-shift", s->reg_shift);
	dt_u32(dt, n, "reg-io-width", s->reg_io_width);
	dt_u32(dt, n, "clock-frequency", clk_hz(&s->clock));
	dt_irq(dt, n, &s->irq);
	if (s->secure)
		dt_secure(dt, n);
	return 0;
}

#define PROP(n, k, field_, ...)                                                                    \
	{                                                                                          \
		.name = n, .kind = k, .offset = offsetof(struct ns16550, field_), __VA_ARGS__      \
	}
static const struct prop ns16550_props[] = {
	PROP("address", PROP_U64, address, .required = true, .help = "first physical address"),
	PROP("irq", PROP_IRQ, irq, .help = "INTR: spi:N@gic"),
	PROP("clock", PROP_CLOCK, clock, .required = true,
	     .help = "XIN, 16 times what baud rates are divided from"),
	PROP("reg_shift", PROP_U32, reg_shift, .def = "0", .max = 4,
	     .help = "registers are 2^N bytes apart"),
	PROP("reg_io_width", PROP_U32, reg_io_width, .def = "1", .min = 1, .max = 4,
	     .help = "bytes of an access that the device tree asks for: 1, 2 or 4"),
	PROP("secure", PROP_BOOL, secure, .def = "false", .help = "absent from the normal world"),
	{.name = NULL},
};

static const struct dev_region ns16550_regions[] = {
	{.address_offset = offsetof(struct ns16550, address),
	 .size_fn = region_size,
	 .secure_offset = offsetof(struct ns16550, secure),
	 .min_width = 1,
	 .max_width = 4,
	 .read = ns16550_read,
	 .write = ns16550_write},
	{.read = NULL},
};

#define REG(n, field_, bytes, ...)                                                                 \
	{                                                                                          \
		.name = n, .offset = offsetof(struct ns16550, field_), .size = bytes, __VA_ARGS__  \
	}
static const struct dev_state ns16550_state[] = {
	REG("IER", ier, 1),
	REG("FCR", fcr, 1),
	REG("LCR", lcr, 1),
	REG("MCR", mcr, 1),
	REG("LSR-errors", errors, 1),
	REG("MSR", msr, 1),
	REG("SCR", scr, 1, .keep = true),
	REG("DLL", dll, 1, .keep = true),
	REG("DLM", dlm, 1, .keep = true),
	REG("THRE-pending", thre_pending, 1),
	REG("rx-head", rx.head, 4),
	REG("rx-count", rx.count, 4),
	REG("rx-data", rx.data, 2, .count = FIFO_SIZE, .keep = true),
	REG("tx-head", tx.head, 4, .keep = true),
	REG("tx-count", tx.count, 4, .keep = true),
	REG("tx-data", tx.data, 2, .count = FIFO_SIZE, .keep = true),
	{.name = NULL},
};

const struct component ns16550_component = {
	.type = "NS16550",
	.doc = "UART compatible with the PC's",
	.size = sizeof(struct ns16550),
	.props = ns16550_props,
	.regions = ns16550_regions,
	.state = ns16550_state,
	.backend = BACKEND_CHAR,
	.default_backend = "null",
	.init = ns16550_init,
	.reset = ns16550_reset,
	.fini = ns16550_fini,
	.dt = ns16550_dt,
};
