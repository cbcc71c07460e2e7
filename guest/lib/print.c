/* SPDX-License-Identifier: Apache-2.0 */
/* Output on the PL011 (no flow control: the models take every character), and the totals. */
#include "lib/guest.h"

#include <stdarg.h>

static unsigned passed, failed;

static void put(char c)
{
	if (c == '\n')
		write32(UART_BASE, '\r');
	write32(UART_BASE, (uint8_t)c);
}

static void put_string(const char *s)
{
	while (*s)
		put(*s++);
}

static void put_number(uint64_t v, unsigned base)
{
	char digits[24], *p = digits + sizeof(digits);

	*--p = '\0';
	do {
		*--p = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	put_string(p);
}

static void put_decimal(int64_t v)
{
	if (v < 0)
		put('-');
	put_number(v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10);
}

static void vprint(const char *fmt, va_list ap)
{
	for (; *fmt; fmt++) {
		bool wide = false;

		if (*fmt != '%') {
			put(*fmt);
			continue;
		}
		while (*++fmt == 'l')
			wide = true;
		switch (*fmt) {
		case 's':
			put_string(va_arg(ap, const char *));
			break;
		case 'c':
			put((char)va_arg(ap, int));
			break;
		case 'd':
			put_decimal(wide ? va_arg(ap, int64_t) : va_arg(ap, int));
			break;
		case 'u':
			put_number(wide ? va_arg(ap, uint64_t) : va_arg(ap, unsigned), 10);
			break;
		case 'x':
			put_number(wide ? va_arg(ap, uint64_t) : va_arg(ap, unsigned), 16);
			break;
		default:
			put(*fmt);
		}
	}
}

void print(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint(fmt, ap);
	va_end(ap);
}

bool ok(bool good, const char *name, const char *fmt, ...)
{
	va_list ap;

	if (good)
		passed++;
	else
		failed++;
	print("%sok %s", good ? "" : "not ", name);
	if (!good) {
		put_string(": ");
		va_start(ap, fmt);
		vprint(fmt, ap);
		va_end(ap);
	}
	put('\n');
	return good;
}

bool ok_eq(uint64_t got, uint64_t want, const char *name)
{
	return ok(got == want, name, "0x%lx, not 0x%lx", got, want);
}

void note(const char *fmt, ...)
{
	va_list ap;

	put_string("# ");
	va_start(ap, fmt);
	vprint(fmt, ap);
	va_end(ap);
	put('\n');
}

void (*guest_off)(void);

void guest_finish(void)
{
	print("guest: %u passed, %u failed\n", passed, failed);
	if (guest_off)
		guest_off();
	psci(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (;;)
		wfi();
}
