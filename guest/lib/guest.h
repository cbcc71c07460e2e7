/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Support for bare-metal guests at EL1 on a board with the memory map of QEMU's `virt`. They begin where the machine
 * does; levels.c makes something of that.
 *
 * A guest defines guest_main(). It reports with ok() and friends; at the end the totals are printed and
 * the machine is switched off. Only the first CPU prints.
 */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include "lib/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No symbol is looked up through a GOT. */
#pragma GCC visibility push(hidden)

#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- the board ---- */

enum {
	GICD_BASE = 0x08000000,
	GICC_BASE = 0x08010000,
	GICR_BASE = 0x080a0000,
	UART_BASE = 0x09000000,
	RTC_BASE = 0x09010000,
	FW_CFG_BASE = 0x09020000,
	HOLE_BASE = 0x0b000000, /* nothing there */
	FLASH_BASE = 0x04000000,
	RAM_BASE = 0x40000000,
	PPI_PTIMER = 30,
	PPI_VTIMER = 27,
	SPURIOUS = 1023,
	MAX_CPUS = 8,
};

/* EL0's view of memory, once the MMU is on: RAM and devices with access from EL0. */
#define USER_RAM_BASE	 0x200000000ULL
#define USER_DEVICE_BASE 0x240000000ULL

#define mrs(reg)                                                                                   \
	({                                                                                         \
		uint64_t mrs_value;                                                                \
		asm volatile("mrs %0, " reg : "=r"(mrs_value)::"memory");                          \
		mrs_value;                                                                         \
	})
#define msr(reg, v) asm volatile("msr " reg ", %0" ::"r"((uint64_t)(v)) : "memory")
#define isb()	    asm volatile("isb" ::: "memory")
#define dsb()	    asm volatile("dsb sy" ::: "memory")
#define wfi()	    asm volatile("wfi" ::: "memory")
#define wfe()	    asm volatile("wfe" ::: "memory")
#define sev()	    asm volatile("dsb sy; sev" ::: "memory")
#define irq_on()    asm volatile("msr daifclr, #2" ::: "memory")
#define irq_off()   asm volatile("msr daifset, #2" ::: "memory")

static inline uint32_t read32(uint64_t a)
{
	uint32_t v;

	asm volatile("ldr %w0, [%1]" : "=r"(v) : "r"(a) : "memory");
	return v;
}

static inline void write32(uint64_t a, uint32_t v)
{
	asm volatile("str %w0, [%1]" ::"r"(v), "r"(a) : "memory");
}

static inline uint64_t read64(uint64_t a)
{
	uint64_t v;

	asm volatile("ldr %0, [%1]" : "=r"(v) : "r"(a) : "memory");
	return v;
}

static inline void write64(uint64_t a, uint64_t v)
{
	asm volatile("str %0, [%1]" ::"r"(v), "r"(a) : "memory");
}

static inline void write8(uint64_t a, uint8_t v)
{
	asm volatile("strb %w0, [%1]" ::"r"(v), "r"(a) : "memory");
}

/* ---- start ---- */

extern const void *guest_dtb;
extern const char guest_name[]; /* defined by the guest */
void guest_main(void);
void guest_start(const void *dtb);
void guest_finish(void) __attribute__((noreturn));
/* How to switch the machine off where there is no PSCI. */
extern void (*guest_off)(void);

/* ---- report ---- */

void print(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* %s %d %u %x %lx %lu %c */
/* One line "ok NAME" or "not ok NAME: DETAIL". Returns @good. */
bool ok(bool good, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool ok_eq(uint64_t got, uint64_t want, const char *name);
/* A comment line. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- CPUs and exceptions ---- */

struct frame {
	uint64_t x[31];
	uint64_t elr, spsr, esr, far;
};

struct trap {
	unsigned vector; /* 0..15: sync, IRQ, FIQ, SError of SP0, SPx, lower A64, lower A32 */
	uint64_t elr, spsr, esr, far;
	uint64_t x[31];
};

struct cpu {
	uint64_t stack; /* CPU_STACK */
	unsigned number;
	uint64_t mpidr;
	void (*fn)(void *arg);
	void *arg;
	bool mmu;
	volatile unsigned finished; /* fn has returned */
	bool expecting;
	uint64_t resume_sp;
	struct trap trap;
	void (*irq)(unsigned intid);
	volatile unsigned irqs;
} __attribute__((aligned(128)));

extern struct cpu cpus[MAX_CPUS];
extern unsigned cpu_count;

static inline struct cpu *this_cpu(void)
{
	struct cpu *c;

	asm volatile("mrs %0, tpidr_el1" : "=r"(c));
	return c;
}

typedef void trap_fn(uint64_t arg);

/* Run fn(arg) at EL1 and see whether it takes a synchronous exception; it is described in *t. */
bool trap_el1(trap_fn *fn, uint64_t arg, struct trap *t);
/* The same at EL0 (MMU on). There is no way back but an exception. @fn must be self-contained. */
void trap_el0(trap_fn *fn, uint64_t arg, struct trap *t);
/* At the level and with the PSTATE of @spsr, at the address @fn as it is. */
bool trap_at(trap_fn *fn, uint64_t arg, uint64_t spsr, struct trap *t);
uint64_t user_address(const void *p);

/* ---- MMU: flat map, 0-1 GiB Device-nGnRnE, RAM Normal write-back ---- */

void mmu_on(void);
void mmu_off(void);
/* Make written code executable everywhere. */
void code_sync(const void *start, size_t len);
/* Clean and invalidate to the point of coherency: data shared with a CPU whose MMU is off. */
void cache_flush(const void *start, size_t len);

/* ---- PSCI ---- */

enum psci {
	PSCI_VERSION = 0x84000000,
	PSCI_CPU_SUSPEND = 0xc4000001,
	PSCI_CPU_OFF = 0x84000002,
	PSCI_CPU_ON = 0xc4000003,
	PSCI_AFFINITY_INFO = 0xc4000004,
	PSCI_MIGRATE_INFO_TYPE = 0x84000006,
	PSCI_SYSTEM_OFF = 0x84000008,
	PSCI_SYSTEM_RESET = 0x84000009,
	PSCI_FEATURES = 0x8400000a,
};

void smccc_hvc(uint64_t x[18]);
void smccc_smc(uint64_t x[18]);
int64_t psci(uint32_t function, uint64_t a, uint64_t b, uint64_t c);

extern char secondary_entry[];
/* Start CPU @n with fn(arg) on its own stack; it goes off when fn returns. */
int64_t cpu_start(unsigned n, void (*fn)(void *arg), void *arg);
/* Wait (bounded) until its fn has returned and AFFINITY_INFO says OFF. */
bool cpu_wait_off(unsigned n);

/* ---- GIC ---- */

extern unsigned gic_version; /* 2 or 3 */
void gic_init(void);	     /* distributor; first CPU */
void gic_init_cpu(void);     /* everything is group 1, priority mask open */
void gic_enable(unsigned intid);
void gic_disable(unsigned intid);
void gic_send_sgi(unsigned cpu, unsigned intid);
unsigned gic_ack(void);
void gic_eoi(unsigned intid);
uint64_t gic_redist(void); /* RD_base of this CPU; GICv3 */

/* ---- time ---- */

uint64_t ticks(void);
uint64_t ticks_per_us(void);
void delay_us(unsigned us);
/* Wait until *flag >= want, at most @us. */
bool wait_for(volatile unsigned *flag, unsigned want, unsigned us);

/* ---- device tree ---- */

bool dt_compatible(const char *compatible);
unsigned dt_cpus(uint64_t *mpidr, unsigned max);
/* Does a word of /chosen/bootargs begin like this? */
bool dt_bootargs(const char *word);

#endif
