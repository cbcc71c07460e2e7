// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const kinds[JUDGE_KINDS] = {"done",	     "undefined", "SIGSEGV", "SIGBUS",
					       "breakpoint", "timeout",	  "wild"};

/* Of a case that ran to its end, PC is not known. */
bool judge_differ(const struct judge_case *c, const struct judge_answer *a,
		  const struct judge_answer *b)
{
	struct judge_result x = a->r, y = b->r;

	x.state.fpcr &= ~JUDGE_FPCR_AARCH32;
	y.state.fpcr &= ~JUDGE_FPCR_AARCH32;
	if (x.kind == JUDGE_DONE)
		x.state.pc = y.state.pc = 0;
	return memcmp(&x, &y, sizeof(x)) != 0 ||
	       memcmp(a->changed, b->changed, x.changed_bytes) != 0;
}

static void disassemble(FILE *f, const struct judge_case *c)
{
	char path[] = "/tmp/judge-XXXXXX", command[200], line[200];
	int fd = mkstemp(path);
	FILE *p;

	if (fd < 0)
		return;
	if (write(fd, c->word, c->count * 4) < 0)
		perror(path);
	close(fd);
	snprintf(command, sizeof(command),
		 "PATH=$PATH:/usr/bin; $(command -v aarch64-linux-gnu-objdump || echo objdump) "
		 "-D -b binary -m aarch64 %s 2>&1",
		 path);
	p = popen(command, "r");
	for (unsigned i = 0; p && fgets(line, sizeof(line), p);)
		if (strstr(line, ":\t") && i < c->count)
			fprintf(f, "    %-16s %s", a64_rows[a64_decode(c->word[i++])].name,
				strstr(line, ":\t") + 2);
	if (p)
		pclose(p);
	unlink(path);
}

static void print_x(FILE *f, const struct judge_state *s, unsigned n)
{
	if (n < 31)
		fprintf(f, "    x%-2u %016" PRIx64 "\n", n, s->x[n]);
	else
		fprintf(f, "    sp  %016" PRIx64 "\n", s->sp);
}

/* The registers that a word may name. */
static void print_operands(FILE *f, const struct judge_case *c)
{
	const struct judge_state *s = &c->state;
	uint32_t w = c->word[c->count - 1], named = 0;

	named |= 1u << (w & 31) | 1u << (w >> 5 & 31) | 1u << (w >> 16 & 31) | 1u << (w >> 10 & 31);
	fprintf(f, "  before: nzcv %" PRIx64 " fpcr %" PRIx64 " fpsr %" PRIx64 "\n", s->nzcv >> 28,
		s->fpcr, s->fpsr);
	for (unsigned n = 0; n < 32; n++) {
		if (!(named >> n & 1))
			continue;
		print_x(f, s, n);
		fprintf(f, "    v%-2u %016" PRIx64 " %016" PRIx64 "\n", n, s->v[n][1], s->v[n][0]);
	}
}

static void print_64(FILE *f, const char *name, uint64_t a, uint64_t b)
{
	if (a != b)
		fprintf(f, "    %-4s %016" PRIx64 "  reference %016" PRIx64 "\n", name, a, b);
}

static void print_memory(FILE *f, const char *name, const struct judge_answer *a)
{
	fprintf(f, "    %s memory from %#llx:", name, JUDGE_SCRATCH + a->r.changed);
	for (unsigned i = 0; i < a->r.changed_bytes && i < 64; i++)
		fprintf(f, "%s%02x", i % 8 ? "" : " ", a->changed[i]);
	fprintf(f, "\n");
}

static void print_registers(FILE *f, const struct judge_state *a, const struct judge_state *b)
{
	char name[8];

	for (unsigned n = 0; n < 31; n++) {
		snprintf(name, sizeof(name), "x%u", n);
		print_64(f, name, a->x[n], b->x[n]);
	}
	print_64(f, "sp", a->sp, b->sp);
	print_64(f, "nzcv", a->nzcv >> 28, b->nzcv >> 28);
	print_64(f, "fpcr", a->fpcr, b->fpcr);
	print_64(f, "fpsr", a->fpsr, b->fpsr);
	for (unsigned n = 0; n < 32; n++)
		if (memcmp(a->v[n], b->v[n], 16) != 0)
			fprintf(f,
				"    v%-2u  %016" PRIx64 " %016" PRIx64 "  reference %016" PRIx64
				" %016" PRIx64 "\n",
				n, a->v[n][1], a->v[n][0], b->v[n][1], b->v[n][0]);
}

void judge_print(FILE *f, const struct judge_case *c, const struct judge_answer *soft,
		 const struct judge_answer *reference)
{
	const struct judge_result *a = &soft->r, *b = &reference->r;

	fprintf(f, "mismatch in %s, word %08x, at %#llx\n",
		a64_rows[a64_decode(c->word[c->count - 1])].name, c->word[c->count - 1],
		JUDGE_CODE + c->slot * JUDGE_SLOT_BYTES + JUDGE_PROLOGUE_BYTES);
	disassemble(f, c);
	print_operands(f, c);
	fprintf(f, "  after: %s, reference %s\n", kinds[a->kind % JUDGE_KINDS],
		kinds[b->kind % JUDGE_KINDS]);
	if (a->kind != JUDGE_DONE || b->kind != JUDGE_DONE)
		print_64(f, "pc", a->state.pc, b->state.pc);
	print_registers(f, &a->state, &b->state);
	if (a->changed_bytes != b->changed_bytes ||
	    memcmp(soft->changed, reference->changed, a->changed_bytes) != 0) {
		print_memory(f, "here:     ", soft);
		print_memory(f, "reference:", reference);
	}
}

void judge_print_stats(FILE *f, const struct judge_stat stats[A64_OP_COUNT])
{
	for (enum a64_op op = 0; op < A64_OP_COUNT; op++) {
		const struct judge_stat *s = &stats[op];

		fprintf(f, "row %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
			a64_rows[op].name, s->compared, s->undefined, s->mismatches, s->left_out,
			s->wild);
	}
}
