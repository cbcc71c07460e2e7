/* SPDX-License-Identifier: Apache-2.0 */
/* Output to the PL011 of the board. */
#include "image.h"

#include <stdarg.h>

enum { UART = 0x09000000, DR = 0, FR = 0x18, FR_TXFF = 1 << 5 };

static void put(char c)
{
	while (*(volatile uint32_t *)(UART + FR) & FR_TXFF)
		;
	*(volatile uint32_t *)(UART + DR) = (uint8_t)c;
}

static void number(uint64_t v, unsigned base)
{
	char text[24];
	unsigned n = 0;

	do {
		text[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (n)
		put(text[--n]);
}

static void one(char kind, va_list *args)
{
	if (kind == 'x')
		number(va_arg(*args, uint64_t), 16);
	else if (kind == 'u')
		number(va_arg(*args, unsigned), 10);
	else if (kind == 's')
		for (const char *s = va_arg(*args, const char *); *s; s++)
			put(*s);
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	for (; *format; format++) {
		if (*format == '%')
			one(*++format, &args);
		else
			put(*format);
	}
	va_end(args);
}
