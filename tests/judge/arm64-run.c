// SPDX-License-Identifier: Apache-2.0
/*
 * The reference of the random-instruction comparison: an arm64 Linux program that executes what it is given
 * (judge.h) on the processor it runs on, a real one or qemu-aarch64's, and says what became of it.
 *
 * Registers: TPIDR_EL0 holds x30 for a moment on the way out, so that no register is lost. C code runs with
 * glibc's value in it.
 */
#include "judge.h"

#include <asm/sigcontext.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

/* Used by the assembly. */
extern struct judge_state judge_out;
extern uint64_t judge_host[32];
void judge_enter(const struct judge_state *in, uint64_t slot);
void judge_exit(void);
void judge_back(void);

struct judge_state judge_out;
uint64_t judge_host[32];

#define X(n)	 #n
#define S(n)	 X(n)
#define OFF_SP	 248
#define OFF_V	 256
#define OFF_NZCV 768
#define OFF_FPCR 776
#define OFF_FPSR 784
_Static_assert(offsetof(struct judge_state, sp) == OFF_SP, "");
_Static_assert(offsetof(struct judge_state, v) == OFF_V, "");
_Static_assert(offsetof(struct judge_state, nzcv) == OFF_NZCV, "");
_Static_assert(offsetof(struct judge_state, fpcr) == OFF_FPCR, "");
_Static_assert(offsetof(struct judge_state, fpsr) == OFF_FPSR, "");

/* clang-format off */
#define PAIRS_V(op, base) \
	op " q0, q1, [" base ", #0]\n" op " q2, q3, [" base ", #32]\n" \
	op " q4, q5, [" base ", #64]\n" op " q6, q7, [" base ", #96]\n" \
	op " q8, q9, [" base ", #128]\n" op " q10, q11, [" base ", #160]\n" \
	op " q12, q13, [" base ", #192]\n" op " q14, q15, [" base ", #224]\n" \
	op " q16, q17, [" base ", #256]\n" op " q18, q19, [" base ", #288]\n" \
	op " q20, q21, [" base ", #320]\n" op " q22, q23, [" base ", #352]\n" \
	op " q24, q25, [" base ", #384]\n" op " q26, q27, [" base ", #416]\n" \
	op " q28, q29, [" base ", #448]\n" op " q30, q31, [" base ", #480]\n"

asm(".text\n.align 4\n"
	".globl judge_enter\n"
	"judge_enter:\n"
	"	adrp x2, judge_host\n"
	"	add x2, x2, :lo12:judge_host\n"
	"	stp x19, x20, [x2, #0]\n"
	"	stp x21, x22, [x2, #16]\n"
	"	stp x23, x24, [x2, #32]\n"
	"	stp x25, x26, [x2, #48]\n"
	"	stp x27, x28, [x2, #64]\n"
	"	stp x29, x30, [x2, #80]\n"
	"	mov x3, sp\n"
	"	mrs x4, tpidr_el0\n"
	"	stp x3, x4, [x2, #96]\n"
	"	stp d8, d9, [x2, #112]\n"
	"	stp d10, d11, [x2, #128]\n"
	"	stp d12, d13, [x2, #144]\n"
	"	stp d14, d15, [x2, #160]\n"
	"	mov x30, x0\n"
	"	mov x17, x1\n"
	"	clrex\n"
	"	ldr x3, [x30, #" S(OFF_NZCV) "]\n"
	"	msr nzcv, x3\n"
	"	ldr x3, [x30, #" S(OFF_FPCR) "]\n"
	"	msr fpcr, x3\n"
	"	ldr x3, [x30, #" S(OFF_FPSR) "]\n"
	"	msr fpsr, x3\n"
	"	ldr x3, [x30, #" S(OFF_SP) "]\n"
	"	mov sp, x3\n"
	"	add x3, x30, #" S(OFF_V) "\n"
		PAIRS_V("ldp", "x3")
	"	ldp x0, x1, [x30, #0]\n"
	"	ldp x2, x3, [x30, #16]\n"
	"	ldp x4, x5, [x30, #32]\n"
	"	ldp x6, x7, [x30, #48]\n"
	"	ldp x8, x9, [x30, #64]\n"
	"	ldp x10, x11, [x30, #80]\n"
	"	ldp x12, x13, [x30, #96]\n"
	"	ldp x14, x15, [x30, #112]\n"
	"	ldp x18, x19, [x30, #144]\n"
	"	ldp x20, x21, [x30, #160]\n"
	"	ldp x22, x23, [x30, #176]\n"
	"	ldp x24, x25, [x30, #192]\n"
	"	ldp x26, x27, [x30, #208]\n"
	"	ldp x28, x29, [x30, #224]\n"
	"	br x17\n"
	".globl judge_exit\n"
	"judge_exit:\n"
	"	msr tpidr_el0, x30\n"
	"	adrp x30, judge_out\n"
	"	add x30, x30, :lo12:judge_out\n"
	"	stp x0, x1, [x30, #0]\n"
	"	stp x2, x3, [x30, #16]\n"
	"	stp x4, x5, [x30, #32]\n"
	"	stp x6, x7, [x30, #48]\n"
	"	stp x8, x9, [x30, #64]\n"
	"	stp x10, x11, [x30, #80]\n"
	"	stp x12, x13, [x30, #96]\n"
	"	stp x14, x15, [x30, #112]\n"
	"	stp x16, x17, [x30, #128]\n"
	"	stp x18, x19, [x30, #144]\n"
	"	stp x20, x21, [x30, #160]\n"
	"	stp x22, x23, [x30, #176]\n"
	"	stp x24, x25, [x30, #192]\n"
	"	stp x26, x27, [x30, #208]\n"
	"	stp x28, x29, [x30, #224]\n"
	"	mrs x0, tpidr_el0\n"
	"	mov x1, sp\n"
	"	stp x0, x1, [x30, #240]\n"
	"	mrs x0, nzcv\n"
	"	str x0, [x30, #" S(OFF_NZCV) "]\n"
	"	mrs x0, fpcr\n"
	"	str x0, [x30, #" S(OFF_FPCR) "]\n"
	"	mrs x0, fpsr\n"
	"	str x0, [x30, #" S(OFF_FPSR) "]\n"
	"	add x0, x30, #" S(OFF_V) "\n"
		PAIRS_V("stp", "x0")
	".globl judge_back\n"
	"judge_back:\n"
	"	adrp x2, judge_host\n"
	"	add x2, x2, :lo12:judge_host\n"
	"	ldp x19, x20, [x2, #0]\n"
	"	ldp x21, x22, [x2, #16]\n"
	"	ldp x23, x24, [x2, #32]\n"
	"	ldp x25, x26, [x2, #48]\n"
	"	ldp x27, x28, [x2, #64]\n"
	"	ldp x29, x30, [x2, #80]\n"
	"	ldp x3, x4, [x2, #96]\n"
	"	mov sp, x3\n"
	"	msr tpidr_el0, x4\n"
	"	ldp d8, d9, [x2, #112]\n"
	"	ldp d10, d11, [x2, #128]\n"
	"	ldp d12, d13, [x2, #144]\n"
	"	ldp d14, d15, [x2, #160]\n"
	"	msr fpcr, xzr\n"
	"	ret\n");
/* clang-format on */

static uint64_t pristine[JUDGE_SCRATCH_BYTES / 8];
static uint64_t pristine_hash;
static volatile bool running;
static volatile uint64_t serial, seen_serial;
static volatile uint32_t fault_kind;

static void die(const char *what)
{
	fprintf(stderr, "arm64-run: %s: %s\n", what, strerror(errno));
	_exit(3);
}

static void take_fp(const mcontext_t *m)
{
	const struct _aarch64_ctx *h = (const void *)m->__reserved;

	for (; h->magic; h = (const void *)((const char *)h + h->size)) {
		const struct fpsimd_context *f = (const void *)h;

		if (h->magic != FPSIMD_MAGIC)
			continue;
		memcpy(judge_out.v, f->vregs, sizeof(judge_out.v));
		judge_out.fpcr = f->fpcr;
		judge_out.fpsr = f->fpsr;
	}
}

/* The state at the fault becomes the result; go on in judge_back. */
static void leave(mcontext_t *m, uint32_t kind)
{
	for (unsigned i = 0; i < 31; i++)
		judge_out.x[i] = m->regs[i];
	judge_out.sp = m->sp;
	judge_out.pc = m->pc;
	judge_out.nzcv = m->pstate & 0xf0000000;
	take_fp(m);
	fault_kind = kind;
	running = false;
	m->pc = (uint64_t)(uintptr_t)judge_back;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	uint32_t kind = sig == SIGILL	 ? JUDGE_ILL
			: sig == SIGSEGV ? JUDGE_SEGV
			: sig == SIGBUS	 ? JUDGE_BUS
					 : JUDGE_TRAP;

	if (!running) {
		static const char text[] = "arm64-run: a fault of its own\n";

		if (write(2, text, sizeof(text) - 1) < 0)
			_exit(5);
		_exit(4);
	}
	leave(&u->uc_mcontext, kind);
}

static void on_alarm(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	uint64_t pc = u->uc_mcontext.pc;

	/* Not on the way in or out. */
	if (running && seen_serial == serial && pc - JUDGE_CODE < JUDGE_CODE_BYTES)
		leave(&u->uc_mcontext, JUDGE_TIMEOUT);
	seen_serial = serial;
}

static void catch_signals(void)
{
	static const int faults[] = {SIGILL, SIGSEGV, SIGBUS, SIGTRAP};
	stack_t stack = {.ss_size = 65536};
	struct sigaction a = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	struct itimerval timer = {{0, 100000}, {0, 100000}};

	stack.ss_sp = malloc(stack.ss_size);
	if (!stack.ss_sp || sigaltstack(&stack, NULL))
		die("sigaltstack");
	sigaddset(&a.sa_mask, SIGVTALRM);
	for (unsigned i = 0; i < 4; i++)
		if (sigaction(faults[i], &a, NULL))
			die("sigaction");
	a.sa_sigaction = on_alarm;
	a.sa_flags |= SA_RESTART;
	if (sigaction(SIGVTALRM, &a, NULL) || setitimer(ITIMER_VIRTUAL, &timer, NULL))
		die("SIGVTALRM");
}

static void map(uint64_t at, size_t bytes)
{
	void *want = (void *)(uintptr_t)at;

	if (mmap(want, bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != want)
		die("mmap");
}

static void write_code(const struct judge_case *c)
{
	uint32_t *at = (uint32_t *)(uintptr_t)(JUDGE_CODE + c->slot * JUDGE_SLOT_BYTES);

	at[0] = 0xa94847d0; /* ldp x16, x17, [x30, #128] */
	at[1] = 0xf9407bde; /* ldr x30, [x30, #240] */
	for (unsigned i = 2; i < JUDGE_SLOT_BYTES / 4; i++) {
		int64_t offset = ((char *)judge_exit - (char *)&at[i]) / 4;

		at[i] = i - 2 < c->count ? c->word[i - 2] : 0x14000000 | (offset & 0x3ffffff);
	}
}

static void write_codes(const struct judge_case *cases, unsigned count)
{
	char *code = (char *)(uintptr_t)JUDGE_CODE;

	if (mprotect(code, JUDGE_CODE_BYTES, PROT_READ | PROT_WRITE))
		die("mprotect");
	for (unsigned i = 0; i < count; i++)
		write_code(&cases[i]);
	__builtin___clear_cache(code, code + JUDGE_CODE_BYTES);
	if (mprotect(code, JUDGE_CODE_BYTES, PROT_READ | PROT_EXEC))
		die("mprotect");
}

static void run(const struct judge_case *c)
{
	serial++;
	fault_kind = JUDGE_DONE;
	judge_out.pc = 0;
	running = true;
	judge_enter(&c->state, JUDGE_CODE + c->slot * JUDGE_SLOT_BYTES);
	running = false;
}

/* Fill @r and restore the memory; returns the changed bytes. */
static void take(struct judge_result *r, unsigned char *changed)
{
	uint64_t *memory = (uint64_t *)(uintptr_t)JUDGE_SCRATCH;
	unsigned first = 0, end = JUDGE_SCRATCH_BYTES / 8;

	memset(r, 0, sizeof(*r));
	r->state = judge_out;
	r->kind = fault_kind;
	while (first < end && memory[first] == pristine[first])
		first++;
	while (end > first && memory[end - 1] == pristine[end - 1])
		end--;
	r->changed = first * 8;
	r->changed_bytes = (end - first) * 8;
	r->hash = pristine_hash;
	if (!r->changed_bytes)
		return;
	r->hash = judge_hash(memory);
	memcpy(changed, memory + first, r->changed_bytes);
	memcpy(memory + first, pristine + first, r->changed_bytes);
}

static bool read_all(void *to, size_t bytes)
{
	return fread(to, 1, bytes, stdin) == bytes;
}

static void write_all(const void *from, size_t bytes)
{
	if (fwrite(from, 1, bytes, stdout) != bytes)
		die("write");
}

static void batch(struct judge_case *cases, uint32_t count)
{
	struct judge_batch b = {JUDGE_MAGIC, count};
	static unsigned char changed[JUDGE_SCRATCH_BYTES];
	struct judge_result r;

	/* A store to a wild address: rather begin anew. */
	if (judge_hash(pristine) != pristine_hash)
		die("own memory changed");
	write_codes(cases, count);
	write_all(&b, sizeof(b));
	for (uint32_t i = 0; i < count; i++) {
		run(&cases[i]);
		take(&r, changed);
		write_all(&r, sizeof(r));
		write_all(changed, r.changed_bytes);
	}
	if (fflush(stdout))
		die("write");
}

/* Does a load with SP misaligned fault? */
static bool sp_is_checked(void)
{
	static struct judge_case c = {
		.state = {.sp = JUDGE_SCRATCH + 8}, .count = 1, .word = {0xf94003e0}};

	write_codes(&c, 1);
	run(&c);
	return fault_kind == JUDGE_BUS;
}

static void hello(void)
{
	struct judge_hello h = {.magic = JUDGE_MAGIC};

	h.sp_align_check = sp_is_checked();
	h.hwcap = getauxval(AT_HWCAP);
	h.hwcap2 = getauxval(AT_HWCAP2);
	h.fpcr = h.fpsr = UINT64_MAX;
	write_all(&h, sizeof(h));
	fflush(stdout);
}

int main(void)
{
	struct judge_case *cases = calloc(JUDGE_MAX_BATCH, sizeof(*cases));
	struct judge_batch b;

	if (!cases)
		die("memory");
	map(JUDGE_CODE, JUDGE_CODE_BYTES);
	map(JUDGE_SCRATCH, JUDGE_SCRATCH_BYTES);
	for (unsigned i = 0; i < JUDGE_SCRATCH_BYTES / 8; i++)
		pristine[i] = judge_fill(i);
	memcpy((void *)(uintptr_t)JUDGE_SCRATCH, pristine, sizeof(pristine));
	pristine_hash = judge_hash(pristine);
	setvbuf(stdin, NULL, _IOFBF, 1 << 20);
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	catch_signals();
	hello();
	while (read_all(&b, sizeof(b))) {
		if (b.magic != JUDGE_MAGIC || b.count > JUDGE_MAX_BATCH ||
		    !read_all(cases, b.count * sizeof(*cases)))
			die("bad batch");
		batch(cases, b.count);
	}
	return 0;
}
