// SPDX-License-Identifier: Apache-2.0
/*
 * A reference for the judge (judge.h) made of VIXL's simulator: single words that only compute, such as
 * floating point. VIXL has no cumulative flags, no flush to zero, no rounding mode but to nearest and no
 * alternative half precision; the judge is told so.
 */
#include "judge.h"

#include <aarch64/decoder-aarch64.h>
#include <aarch64/simulator-aarch64.h>

#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>
#include <vector>

using namespace vixl::aarch64;

enum : uint64_t {
	FPCR_DN = 1u << 25,
	/* AES to SHA2, CRC32, LSE, half precision, RDM, JSCVT, FCMA, LRCPC, DotProd, FHM, LRCPC2, FlagM. */
	HWCAP = 0x7fbu | 0x7000u | 1u << 15 | 1u << 20 | 1u << 23 | 1u << 26 | 1u << 27,
	HWCAP2 = 1u << 8, /* FRINTTS */
};

static sigjmp_buf unallocated;

/* What VIXL does at a word that it finds UNDEFINED. */
static void on_abort(int)
{
	siglongjmp(unallocated, 1);
}

struct machine {
	Decoder decoder;
	Simulator sim;
	uint64_t pristine_hash;

	explicit machine(FILE *log) : sim(&decoder, log)
	{
		std::vector<uint64_t> memory(JUDGE_SCRATCH_BYTES / 8);

		for (size_t i = 0; i < memory.size(); i++)
			memory[i] = judge_fill(i);
		pristine_hash = judge_hash(memory.data());
	}
};

static void load(machine *m, const judge_state *s)
{
	for (unsigned i = 0; i < 31; i++)
		m->sim.WriteXRegister(i, s->x[i], Simulator::NoRegLog);
	m->sim.WriteSp(s->sp);
	for (unsigned i = 0; i < 32; i++) {
		Simulator::qreg_t q;

		memcpy(&q, s->v[i], sizeof(q));
		m->sim.WriteVRegister(i, q, Simulator::NoRegLog);
	}
	m->sim.ReadNzcv().SetRawValue(s->nzcv);
	m->sim.ReadFpcr().SetRawValue(s->fpcr);
}

static void save(machine *m, judge_state *s)
{
	for (unsigned i = 0; i < 31; i++)
		s->x[i] = m->sim.ReadXRegister(i);
	s->sp = m->sim.ReadXRegister(31, Reg31IsStackPointer);
	for (unsigned i = 0; i < 32; i++) {
		Simulator::qreg_t q = m->sim.ReadQRegister(i);

		memcpy(s->v[i], &q, sizeof(q));
	}
	s->nzcv = m->sim.ReadNzcv().GetRawValue();
	s->fpcr = m->sim.ReadFpcr().GetRawValue();
}

static void run(machine *m, const judge_case *c, judge_result *r)
{
	uint32_t code[2] = {c->word[0], 0xd503201f};

	memset(r, 0, sizeof(*r));
	load(m, &c->state);
	m->sim.WritePc(reinterpret_cast<const Instruction *>(code), Simulator::NoBranchLog);
	if (sigsetjmp(unallocated, 1) == 0) {
		m->sim.ExecuteInstruction();
		r->kind = JUDGE_DONE;
	} else {
		r->kind = JUDGE_ILL;
		r->state.pc = JUDGE_CODE + c->slot * JUDGE_SLOT_BYTES + JUDGE_PROLOGUE_BYTES;
	}
	save(m, &r->state);
	r->changed = JUDGE_SCRATCH_BYTES;
	r->hash = m->pristine_hash;
}

static void send(FILE *to, const void *data, size_t bytes)
{
	if (fwrite(data, 1, bytes, to) != bytes)
		exit(3);
}

static bool batch(machine *m, FILE *to, std::vector<judge_case> *cases)
{
	judge_batch b;

	if (fread(&b, sizeof(b), 1, stdin) != 1)
		return false;
	if (b.magic != JUDGE_MAGIC || b.count > JUDGE_MAX_BATCH ||
	    fread(cases->data(), sizeof(judge_case), b.count, stdin) != b.count)
		exit(3);
	send(to, &b, sizeof(b));
	for (uint32_t i = 0; i < b.count; i++) {
		judge_result r;

		run(m, &(*cases)[i], &r);
		send(to, &r, sizeof(r));
	}
	return fflush(to) == 0;
}

int main()
{
	/* VIXL writes to the standard output before it aborts. */
	FILE *to = fdopen(dup(1), "w"), *log = fopen("/dev/null", "w");
	std::vector<judge_case> cases(JUDGE_MAX_BATCH);
	judge_hello h = {};

	if (!to || !log || dup2(fileno(log), 1) < 0)
		return 3;
	machine m(log);
	struct sigaction a = {};

	a.sa_handler = on_abort;
	a.sa_flags = SA_NODEFER;
	sigaction(SIGABRT, &a, nullptr);
	h.magic = JUDGE_MAGIC;
	h.hwcap = HWCAP;
	h.hwcap2 = HWCAP2;
	h.defined_only = true;
	h.fpcr = FPCR_DN;
	send(to, &h, sizeof(h));
	fflush(to);
	while (batch(&m, to, &cases))
		;
	return 0;
}
