/* SPDX-License-Identifier: Apache-2.0 */
/* A device tree as source text (Devicetree Specification v0.4, chapter 6). The types of properties are
 * not in the tree: what can be read as strings is written so, then cells, then bytes. */
#include "cli/cli.h"

#include <ctype.h>
#include <libfdt.h>
#include <string.h>

static void indent(int depth, FILE *to)
{
	for (; depth > 0; depth--)
		fputc('\t', to);
}

/* NUL-terminated, printable, no empty strings but a single one. */
static bool is_strings(const char *v, int len)
{
	if (len < 1 || v[len - 1] || (len > 1 && !v[0]))
		return false;
	for (int i = 0; i < len; i++)
		if (!isprint((unsigned char)v[i]) && (v[i] || (i && !v[i - 1])))
			return false;
	return true;
}

static void print_strings(const char *v, int len, FILE *to)
{
	const char *end = v + len;

	for (const char *s = v; s < end; s += strlen(s) + 1) {
		fputs(s == v ? "\"" : ", \"", to);
		for (const char *c = s; *c; c++)
			fprintf(to, strchr("\"\\", *c) ? "\\%c" : "%c", *c);
		fputc('"', to);
	}
}

static void print_value(const void *value, int len, FILE *to)
{
	const uint8_t *b = value;

	if (is_strings(value, len)) {
		print_strings(value, len, to);
	} else if (len % 4 == 0) {
		for (int i = 0; i < len; i += 4)
			fprintf(to, "%s0x%x", i ? " " : "<",
				(unsigned)b[i] << 24 | b[i + 1] << 16 | b[i + 2] << 8 | b[i + 3]);
		fputc('>', to);
	} else {
		for (int i = 0; i < len; i++)
			fprintf(to, "%s%02x", i ? " " : "[", b[i]);
		fputc(']', to);
	}
}

static void print_node(const void *fdt, int node, int depth, FILE *to)
{
	int p, child, len;
	bool first = true;

	indent(depth, to);
	fprintf(to, "%s {\n", depth ? fdt_get_name(fdt, node, NULL) : "/");
	fdt_for_each_property_offset(p, fdt, node)
	{
		const char *name;
		const void *value = fdt_getprop_by_offset(fdt, p, &name, &len);

		indent(depth + 1, to);
		fputs(name, to);
		if (len > 0) {
			fputs(" = ", to);
			print_value(value, len, to);
		}
		fputs(";\n", to);
		first = false;
	}
	fdt_for_each_subnode(child, fdt, node)
	{
		if (!first)
			fputc('\n', to);
		first = false;
		print_node(fdt, child, depth + 1, to);
	}
	indent(depth, to);
	fputs("};\n", to);
}

void cli_print_dts(const void *fdt, FILE *to)
{
	fputs("/dts-v1/;\n\n", to);
	print_node(fdt, 0, 0, to);
}
