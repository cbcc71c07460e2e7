/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TrustZone: what the normal world gets of secure memory, secure flash and secure devices, by every kind of access: the
 * synchronous external abort that a TZC-400 or a TZPC gives, at the right level, and nothing else. The Secure world gets
 * at both. Runs from EL3.
 *
 * Syndromes: Arm ARM (DDI 0487), ESR_ELx, "ISS encoding for an exception from a Data Abort".
 */
#include "lib/below.h"

const char guest_name[] = "secure";

#define SECRAM	      0x0e000000ULL
#define SECRET	      (SECRAM + 0x1000)
#define SECURE_CODE   (SECRAM + 0x2000)
#define SECURE_TABLES (SECRAM + 0x4000)
#define SECURE_UART   0x09040000ULL
#define SECURE_FLASH  0x00000040ULL
/* What EL0 may access, and execute in RAM: the same again. */
#define USER	0x80000000ULL
#define UPPER	0xffffff8000000000ULL
#define PATTERN 0x5ec4e75ec4e70123ULL

/* ---- what is done; X0: the address ---- */

/* With everything that the assembler knows; rows say what the CPU needs. */
asm(".arch armv8.4-a+lse+rcpc+simd");

/* A few instructions before: a back end may have another way to execute the first ones after an exception return. */
#define ACCESS(symbol, code)                                                                       \
	void symbol(uint64_t arg);                                                                 \
	asm(".pushsection .text\n.balign 4\n.rept 8\nnop\n.endr\n.globl " #symbol "\n" #symbol     \
	    ":\n" code "\n\tsvc #0xffe\n.popsection\n")
enum { RUN_UP = 8 * 4 };

ACCESS(ldrb, "ldrb w0, [x0]");
ACCESS(ldrsb, "ldrsb x0, [x0]");
ACCESS(ldrh, "ldrh w0, [x0]");
ACCESS(ldrsh, "ldrsh w0, [x0]");
ACCESS(ldr_w, "ldr w0, [x0]");
ACCESS(ldrsw, "ldrsw x0, [x0]");
ACCESS(ldr_x, "ldr x0, [x0]");
ACCESS(ldur, "ldur x0, [x0, #1]");
ACCESS(ldr_post, "ldr x1, [x0], #8");
ACCESS(ldr_pre, "ldr x1, [x0, #8]!");
ACCESS(ldp, "ldp x1, x2, [x0]");
ACCESS(ldp_pre, "ldp x1, x2, [x0, #16]!");
ACCESS(ldpsw, "ldpsw x1, x2, [x0]");
ACCESS(ldnp, "ldnp x1, x2, [x0]");
ACCESS(ldr_s, "ldr s0, [x0]");
ACCESS(ldr_q, "ldr q0, [x0]");
ACCESS(ldp_q, "ldp q0, q1, [x0]");
ACCESS(ld1, "ld1 {v0.16b-v3.16b}, [x0]");
ACCESS(ld3_post, "ld3 {v0.4s-v2.4s}, [x0], #48");
ACCESS(ld1r, "ld1r {v0.2d}, [x0]");
ACCESS(ldtr, "ldtr x0, [x0]");
ACCESS(ldtrb, "ldtrb w0, [x0]");
ACCESS(ldxr, "ldxr x0, [x0]");
ACCESS(ldaxrb, "ldaxrb w0, [x0]");
ACCESS(ldxp, "ldxp x1, x2, [x0]");
ACCESS(ldar, "ldar x0, [x0]");
ACCESS(ldapr, "ldapr x0, [x0]");

ACCESS(strb, "strb wzr, [x0]");
ACCESS(strh, "strh wzr, [x0]");
ACCESS(str_w, "str wzr, [x0]");
ACCESS(str_x, "str xzr, [x0]");
ACCESS(stur, "stur xzr, [x0, #3]");
ACCESS(str_post, "str xzr, [x0], #8");
ACCESS(str_pre, "str xzr, [x0, #8]!");
ACCESS(stp, "stp xzr, xzr, [x0]");
ACCESS(stp_post, "stp xzr, xzr, [x0], #16");
ACCESS(stnp, "stnp xzr, xzr, [x0]");
ACCESS(str_q, "str q0, [x0]");
ACCESS(stp_q, "stp q0, q1, [x0]");
ACCESS(st1, "st1 {v0.16b-v3.16b}, [x0]");
ACCESS(st4_post, "st4 {v0.4s-v3.4s}, [x0], #64");
ACCESS(st1_lane, "st1 {v0.h}[3], [x0]");
ACCESS(sttr, "sttr xzr, [x0]");
ACCESS(sttrh, "sttrh wzr, [x0]");
ACCESS(stlr, "stlr xzr, [x0]");
ACCESS(dc_zva, "dc zva, x0");

ACCESS(ldadd, "ldadd x1, x2, [x0]");
ACCESS(swp, "swpal x1, x2, [x0]");
ACCESS(cas, "casal x1, x2, [x0]");
ACCESS(casp, "casp x2, x3, x4, x5, [x0]");
ACCESS(stset, "stset x1, [x0]");
ACCESS(ldclrb, "ldclrb w1, w2, [x0]");

ACCESS(prfm, "prfm pldl1keep, [x0]");
ACCESS(prfm_store, "prfm pstl1strm, [x0]");
ACCESS(dc_cvac, "dc cvac, x0");
ACCESS(dc_cvau, "dc cvau, x0");
ACCESS(dc_civac, "dc civac, x0");
ACCESS(dc_ivac, "dc ivac, x0");
ACCESS(ic_ivau, "ic ivau, x0");
ACCESS(at_read, "at s1e1r, x0");
ACCESS(at_write, "at s1e1w, x0");
ACCESS(jump, "br x0");

enum kind { LOAD, STORE, NONE, FETCH };
/* Not at EL0; needs FEAT_LSE, FEAT_LRCPC; needs Normal memory; accesses as EL0. */
enum { P = 1, LSE = 2, RCPC = 4, N = 8, U = 16 };

static const struct row {
	const char *what;
	trap_fn *fn;
	enum kind kind;
	unsigned flags;
} rows[] = {
#define ROW(fn, kind, flags)                                                                       \
	{                                                                                          \
#fn, fn, kind, flags                                                               \
	}
	ROW(ldrb, LOAD, 0),	    ROW(ldrsb, LOAD, 0),       ROW(ldrh, LOAD, 0),
	ROW(ldrsh, LOAD, 0),	    ROW(ldr_w, LOAD, 0),       ROW(ldrsw, LOAD, 0),
	ROW(ldr_x, LOAD, 0),	    ROW(ldur, LOAD, N),	       ROW(ldr_post, LOAD, 0),
	ROW(ldr_pre, LOAD, 0),	    ROW(ldp, LOAD, 0),	       ROW(ldp_pre, LOAD, 0),
	ROW(ldpsw, LOAD, 0),	    ROW(ldnp, LOAD, 0),	       ROW(ldr_s, LOAD, 0),
	ROW(ldr_q, LOAD, 0),	    ROW(ldp_q, LOAD, 0),       ROW(ld1, LOAD, 0),
	ROW(ld3_post, LOAD, 0),	    ROW(ld1r, LOAD, 0),	       ROW(ldtr, LOAD, U),
	ROW(ldtrb, LOAD, U),	    ROW(ldxr, LOAD, N),	       ROW(ldaxrb, LOAD, N),
	ROW(ldxp, LOAD, N),	    ROW(ldar, LOAD, 0),	       ROW(ldapr, LOAD, RCPC),
	ROW(strb, STORE, 0),	    ROW(strh, STORE, 0),       ROW(str_w, STORE, 0),
	ROW(str_x, STORE, 0),	    ROW(stur, STORE, N),       ROW(str_post, STORE, 0),
	ROW(str_pre, STORE, 0),	    ROW(stp, STORE, 0),	       ROW(stp_post, STORE, 0),
	ROW(stnp, STORE, 0),	    ROW(str_q, STORE, 0),      ROW(stp_q, STORE, 0),
	ROW(st1, STORE, 0),	    ROW(st4_post, STORE, 0),   ROW(st1_lane, STORE, 0),
	ROW(sttr, STORE, U),	    ROW(sttrh, STORE, U),      ROW(stlr, STORE, 0),
	ROW(dc_zva, STORE, N),	    ROW(ldadd, LOAD, LSE | N), ROW(swp, LOAD, LSE | N),
	ROW(cas, LOAD, LSE | N),    ROW(casp, LOAD, LSE | N),  ROW(stset, LOAD, LSE | N),
	ROW(ldclrb, LOAD, LSE | N), ROW(prfm, NONE, 0),	       ROW(prfm_store, NONE, 0),
	ROW(dc_cvac, NONE, 0),	    ROW(dc_cvau, NONE, 0),     ROW(dc_civac, NONE, 0),
	ROW(dc_ivac, NONE, P),	    ROW(ic_ivau, NONE, 0),     ROW(at_read, NONE, P),
	ROW(at_write, NONE, P),	    ROW(jump, FETCH, 0),
};

/* ---- who does it ---- */

#define SCR_NS	  BIT(0)
#define SCR_EA	  BIT(3)
#define SCR_BASE  (3 << 4 | BIT(8) | BIT(10))
#define HCR_BASE  BIT(31)
#define HCR_TEA	  BIT(37)
#define SCTLR_MMU (BIT(0) | BIT(2) | BIT(12))
/* RES1; DZE, UCT, nTWI, nTWE, UMA, UCI */
#define SCTLR_1	 (0x30500800ULL | BIT(14) | BIT(15) | BIT(16) | BIT(18) | BIT(9) | BIT(26))
#define SCTLR_23 0x30c50830ULL
#define TCR_12	 (25 | 1 << 8 | 1 << 10 | 3 << 12) /* 39 bits, 4 KiB, write-back, inner shareable */

static const struct actor {
	const char *name;
	unsigned el;
	uint64_t scr;
	bool mmu;
	bool ns_tables; /* Secure state with NS = 1 in its descriptors */
} actors[] = {
	{"EL2", 2, SCR_NS, true, false},
	{"EL2, MMU off", 2, SCR_NS, false, false},
	{"EL1", 1, SCR_NS, true, false},
	{"EL1, MMU off", 1, SCR_NS, false, false},
	{"EL0", 0, SCR_NS, true, false},
	{"EL0, MMU off", 0, SCR_NS, false, false},
	{"Secure EL1, NS memory", 1, 0, true, true},
	{"EL3, NS memory", 3, 0, true, true},
	{"Secure EL1", 1, 0, true, false},
	{"Secure EL1, MMU off", 1, 0, false, false},
	{"Secure EL0", 0, 0, true, false},
	{"EL3", 3, 0, true, false},
	{"EL3, MMU off", 3, 0, false, false},
};

static bool is_denied(const struct actor *a)
{
	return a->scr & SCR_NS || a->ns_tables;
}

/* ---- tables ---- */

enum { ENTRIES = 512, MAIR_NORMAL = 0, MAIR_DEVICE = 1, NS = 1 << 5, AP_EL0 = 1 << 6 };

#define BLOCK (1ULL | 1 << 10 | 3 << 8)
#define TABLE 3ULL

/* Flat, and once more for EL0 at USER. */
struct tables {
	uint64_t l1[ENTRIES], l2[2][ENTRIES];
};
static struct tables tables[2] __attribute__((aligned(4096))); /* [1]: NS */

static bool is_device(uint64_t pa)
{
	return pa >= 0x08000000 && (pa < SECRAM || pa >= SECRAM + 0x1000000);
}

static void make_tables(struct tables *t, uint64_t flags)
{
	for (unsigned user = 0; user < 2; user++) {
		uint64_t ap = user ? AP_EL0 : 0;

		for (uint64_t i = 0; i < ENTRIES; i++)
			t->l2[user][i] = i << 21 | BLOCK | ap | flags |
					 (is_device(i << 21) ? MAIR_DEVICE : MAIR_NORMAL) << 2;
		t->l1[2 * user] = (uint64_t)t->l2[user] | TABLE;
		t->l1[2 * user + 1] = RAM_BASE | BLOCK | ap | flags;
	}
}

/* ---- running ---- */

/* There is no EL2 while SCR_EL3.NS is 0, and its TLBI is UNDEFINED. */
static void tlbi_all(const struct actor *a)
{
	asm volatile("dsb sy\n tlbi alle1\n tlbi alle3" ::: "memory");
	if (a->scr & SCR_NS)
		asm volatile("tlbi alle2" ::: "memory");
	asm volatile("dsb sy\n isb" ::: "memory");
}

static void controls(const struct actor *a, uint64_t scr, uint64_t hcr)
{
	uint64_t mmu = a->mmu ? SCTLR_MMU : 0, ttbr = (uint64_t)tables[a->ns_tables].l1;

	/* From EL3 the registers of EL1 and EL2 can be written in either state. */
	msr("scr_el3", SCR_BASE | a->scr | scr);
	isb();
	msr("hcr_el2", HCR_BASE | hcr);
	msr("ttbr0_el1", ttbr);
	msr("ttbr0_el2", ttbr);
	msr("ttbr0_el3", ttbr);
	msr("sctlr_el1", SCTLR_1 | mmu);
	msr("sctlr_el2", SCTLR_23 | mmu);
	tlbi_all(a);
	msr("sctlr_el3", SCTLR_23 | (a->el == 3 ? mmu : 0));
	isb();
}

static void run_as(const struct actor *a, uint64_t scr, uint64_t hcr, trap_fn *fn, uint64_t va)
{
	uint64_t at = (uint64_t)fn + (a->el == 0 && a->mmu ? USER : 0);

	controls(a, scr, hcr);
	run_spsr(0x3c0 | a->el << 2 | (a->el != 0), (trap_fn *)(at - RUN_UP), va);
	msr("sctlr_el3", SCTLR_23);
	isb();
	event.elr -= at;
}

static unsigned vector_of(unsigned from, unsigned to)
{
	return from < to ? 8 : 4;
}

static uint64_t abort_esr(enum kind kind, unsigned from, unsigned to, unsigned fsc)
{
	unsigned ec = kind == FETCH ? 0x20 : 0x24;

	return EC(ec | (from == to)) | (kind == STORE) << 6 | fsc;
}

static char text[96];

static const char *name(const struct actor *a, const char *what)
{
	char *p = text;

	for (const char *s = a->name; *s; s++)
		*p++ = *s;
	*p++ = ':';
	*p++ = ' ';
	for (const char *s = what; *s && p < text + sizeof(text) - 1; s++)
		*p++ = *s;
	*p = '\0';
	return text;
}

/* The event is that abort. */
static bool was_abort(enum kind kind, unsigned from, unsigned to, unsigned fsc, uint64_t far)
{
	uint64_t elr = kind == FETCH ? far : 0;

	if (kind == FETCH) /* elr is relative to the fragment */
		elr = event.elr;
	return event.level == to && event.vector == vector_of(from, to) &&
	       event.esr == abort_esr(kind, from, to, fsc) && event.far == far &&
	       event.elr == elr && (event.spsr >> 2 & 3) == from;
}

static void report(bool good, const char *what)
{
	ok(good, what, "EL%lu vector %lu ESR 0x%lx FAR 0x%lx ELR +0x%lx SPSR 0x%lx X0 0x%lx",
	   event.level, event.vector, event.esr, event.far, event.elr, event.spsr, event.x0);
}

static void fill(void)
{
	for (unsigned i = 0; i < 64; i++)
		write64(SECRET + 8 * i, PATTERN);
}

static bool untouched(void)
{
	for (unsigned i = 0; i < 64; i++) {
		if (read64(SECRET + 8 * i) != PATTERN)
			return false;
	}
	return true;
}

/* The level that takes what is synchronous from there. */
static unsigned taker(const struct actor *a)
{
	return a->el ? a->el : 1;
}

static bool has(unsigned flags)
{
	if (flags & LSE && (mrs("id_aa64isar0_el1") >> 20 & 15) < 2)
		return false;
	return !(flags & RCPC) || mrs("id_aa64isar1_el1") >> 20 & 15;
}

static bool applies(const struct row *r, const struct actor *a)
{
	if (!has(r->flags) || (r->flags & P && a->el == 0))
		return false;
	return !(r->flags & N && !a->mmu);
}

/* At EL1 with the MMU on: what EL0 might access, too. */
static uint64_t address(const struct row *r, const struct actor *a, uint64_t pa)
{
	bool user = a->mmu && (a->el == 0 || (r->flags & U && a->el == 1));

	return pa + (user ? USER : 0);
}

/* Of an access that begins beside X0. */
static uint64_t offset_of(const struct row *r)
{
	return r->fn == ldur			      ? 1
	       : r->fn == stur			      ? 3
	       : r->fn == ldr_pre || r->fn == str_pre ? 8
	       : r->fn == ldp_pre		      ? 16
						      : 0;
}

static void deny(const struct actor *a, const struct row *r)
{
	uint64_t va = address(r, a, SECRET);
	bool good;

	run_as(a, 0, 0, r->fn, va);
	if (r->kind == NONE)
		good = event.esr == (EC(0x15) | NOTHING);
	else
		good = was_abort(r->kind, a->el, taker(a), 0x10, va + offset_of(r)) &&
		       event.x0 == va;
	report(good && untouched(), name(a, r->what));
	fill();
}

static void permit(const struct actor *a, const struct row *r)
{
	uint64_t va = address(r, a, r->kind == FETCH ? SECURE_CODE : SECRET);

	run_as(a, 0, 0, r->fn, va);
	report(event.esr == (EC(0x15) | NOTHING), name(a, r->what));
	if (r->fn == ldr_x)
		ok_eq(event.x0, PATTERN, name(a, "reads the secret"));
	if (r->fn == str_x)
		ok_eq(read64(SECRET), 0, name(a, "writes the secret"));
	fill();
}

static void test_actor(const struct actor *a)
{
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (!applies(&rows[i], a))
			continue;
		if (is_denied(a))
			deny(a, &rows[i]);
		else
			permit(a, &rows[i]);
	}
}

/* ---- other things that are secure ---- */

static const struct place {
	const char *name;
	uint64_t pa;
	trap_fn *fn;
	enum kind kind;
} places[] = {
	{"secure UART", SECURE_UART + 0x18, ldr_w, LOAD},
	{"secure UART, DR", SECURE_UART, str_w, STORE},
	{"secure flash", SECURE_FLASH, ldr_x, LOAD},
	{"code in secure flash", SECURE_FLASH, jump, FETCH},
	{"end of secure RAM", SECRAM + 0xfffff8, ldr_x, LOAD},
};

static void test_places(const struct actor *a)
{
	for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
		const struct place *p = &places[i];
		uint64_t va = p->pa + (a->el == 0 && a->mmu ? USER : 0);

		if (is_denied(a)) {
			run_as(a, 0, 0, p->fn, va);
			report(was_abort(p->kind, a->el, taker(a), 0x10, va), name(a, p->name));
		} else if (p->kind == LOAD) {
			run_as(a, 0, 0, p->fn, va);
			report(event.esr == (EC(0x15) | NOTHING), name(a, p->name));
		}
	}
}

/* ---- routing ---- */

static const struct actor *actor(const char *which)
{
	for (size_t i = 0; i < ARRAY_COUNT(actors); i++) {
		const char *a = actors[i].name, *b = which;

		while (*a && *a == *b)
			a++, b++;
		if (!*a && !*b)
			return &actors[i];
	}
	return NULL;
}

static void route(const char *who, uint64_t scr, uint64_t hcr, trap_fn *fn, enum kind kind,
		  unsigned level, const char *what)
{
	const struct actor *a = actor(who);
	uint64_t va = SECRET + (a->el == 0 ? USER : 0);

	run_as(a, scr, hcr, fn, va);
	report(was_abort(kind, a->el, level, 0x10, va), what);
}

static void test_routing(void)
{
	route("EL1", SCR_EA, 0, ldr_x, LOAD, 3, "load at EL1, SCR_EL3.EA");
	route("EL1", SCR_EA, 0, stp_q, STORE, 3, "store at EL1, SCR_EL3.EA");
	route("EL1", SCR_EA, 0, jump, FETCH, 3, "fetch at EL1, SCR_EL3.EA");
	route("EL0", SCR_EA, 0, str_x, STORE, 3, "store at EL0, SCR_EL3.EA");
	route("EL2", SCR_EA, 0, ldr_q, LOAD, 3, "load at EL2, SCR_EL3.EA");
	route("EL2", SCR_EA, 0, jump, FETCH, 3, "fetch at EL2, SCR_EL3.EA");
	route("Secure EL1, NS memory", SCR_EA, 0, ldr_x, LOAD, 3, "load at Secure EL1, SCR_EL3.EA");
	if (!(mrs("id_aa64pfr0_el1") >> 28 & 15)) /* FEAT_RAS */
		return;
	route("EL1", 0, HCR_TEA, ldr_x, LOAD, 2, "load at EL1, HCR_EL2.TEA");
	route("EL0", 0, HCR_TEA, jump, FETCH, 2, "fetch at EL0, HCR_EL2.TEA");
	route("EL1", SCR_EA, HCR_TEA, ldr_x, LOAD, 3, "load at EL1, SCR_EL3.EA and HCR_EL2.TEA");
}

/* ---- tables in secure memory ---- */

enum { FSC_WALK_1 = 0x15, CM = 1 << 8, WNR = 1 << 6, EC_DABT = 0x25 };

static void walk(trap_fn *fn, enum kind kind, uint64_t scr, uint64_t more, unsigned level,
		 const char *what)
{
	const struct actor *a = actor("EL1");
	uint64_t esr = abort_esr(kind, 1, level, FSC_WALK_1) | more;

	msr("ttbr1_el1", SECURE_TABLES);
	run_as(a, scr, 0, fn, UPPER);
	report(event.level == level && event.esr == esr && event.far == UPPER, what);
}

/* Some emulated CPUs carry out cache maintenance by doing nothing at all. */
static bool dc_translates(void)
{
	static uint64_t nothing[ENTRIES] __attribute__((aligned(4096)));

	msr("ttbr1_el1", (uint64_t)nothing);
	run_as(actor("EL1"), 0, 0, dc_civac, UPPER);
	return event.esr >> 26 == EC_DABT;
}

/* Tables that are good, but not for the normal world to read. */
static void test_walks(void)
{
	const struct actor *a = actor("EL2");

	for (unsigned i = 0; i < ENTRIES; i++)
		write64(SECURE_TABLES + 8 * i, RAM_BASE | BLOCK);
	walk(ldr_x, LOAD, 0, 0, 1, "load through tables in secure memory");
	walk(str_x, STORE, 0, 0, 1, "store through tables in secure memory");
	walk(jump, FETCH, 0, 0, 1, "fetch through tables in secure memory");
	if (dc_translates())
		walk(dc_civac, LOAD, 0, CM | WNR, 1, "DC CIVAC through tables in secure memory");
	else
		note("DC CIVAC does not translate here");
	walk(at_read, LOAD, 0, CM | WNR, 1, "AT through tables in secure memory");
	walk(ldr_x, LOAD, SCR_EA, 0, 3, "load through tables in secure memory, SCR_EL3.EA");
	controls(a, SCR_EA, 0);
	msr("ttbr0_el2", SECURE_TABLES);
	tlbi_all(a);
	run_spsr(0x3c9, (trap_fn *)ldr_x, RAM_BASE);
	report(event.level == 3 && event.esr == abort_esr(FETCH, 2, 3, FSC_WALK_1),
	       "EL2 on tables in secure memory, SCR_EL3.EA");
}

/* ---- */

static void off(void)
{
	write32(0x090b0400, 1);
	write32(0x090b0004, 0);
	write32(0x090b0004, 1);
}

static void begin(void)
{
	event.top = 3;
	ok_eq(mrs("currentel") >> 2, 3, "begins at EL3");
	guest_off = off;
	msr("cptr_el3", 0);
	msr("mdcr_el3", 0);
	msr("vbar_el3", levels_vectors_el3);
	msr("scr_el3", SCR_BASE | SCR_NS);
	isb();
	msr("vbar_el2", levels_vectors_el2);
	msr("vbar_el1", levels_vectors_el1);
	msr("cptr_el2", 0x33ff);
	msr("mdcr_el2", 0);
	msr("cnthctl_el2", 3);
	msr("vttbr_el2", 0);
	msr("cpacr_el1", 3 << 20);
	msr("mair_el1", 0x00ff);
	msr("mair_el2", 0x00ff);
	msr("mair_el3", 0x00ff);
	msr("tcr_el1", TCR_12 | 25 << 16 | 1 << 24 | 1 << 26 | 3 << 28 | 2ULL << 30 | 1ULL << 32);
	msr("tcr_el2", TCR_12 | 1 << 16 | 1ULL << 31 | 1 << 23);
	msr("tcr_el3", TCR_12 | 1 << 16 | 1ULL << 31 | 1 << 23);
	make_tables(&tables[0], 0);
	make_tables(&tables[1], NS);
	fill();
	write32(SECURE_CODE, 0xd4000001 | NOTHING << 5); /* SVC */
}

void guest_main(void)
{
	begin();
	for (size_t i = 0; i < ARRAY_COUNT(actors); i++) {
		test_actor(&actors[i]);
		test_places(&actors[i]);
	}
	test_routing();
	test_walks();
}
