/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry as an arm64 Linux Image (Documentation/arch/arm64/booting.rst): EL1, MMU off, x0 = device
 * tree. Relocates itself, clears .bss and calls guest_start(dtb).
 */
#include "lib/layout.h"

	.section .text.header, "ax"
	.globl	image_header
image_header:
	b	entry
	.long	0
	.quad	0		/* text_offset */
	/* image_size: guest.ld puts it here */

	.section .text.header2, "ax"
	.quad	0xa		/* little-endian, 4 KiB pages, placed anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

entry:
	mov	x19, x0
	adrp	x0, image_start
	add	x0, x0, :lo12:image_start
	/* R_AARCH64_RELATIVE only: *(base + r_offset) = base + r_addend */
	adrp	x1, rela_start
	add	x1, x1, :lo12:rela_start
	adrp	x2, rela_end
	add	x2, x2, :lo12:rela_end
1:	cmp	x1, x2
	b.hs	2f
	ldr	x3, [x1]
	ldr	x4, [x1, #16]
	add	x4, x4, x0
	str	x4, [x0, x3]
	add	x1, x1, #24
	b	1b
2:	adrp	x1, bss_start
	add	x1, x1, :lo12:bss_start
	adrp	x2, bss_end
	add	x2, x2, :lo12:bss_end
3:	cmp	x1, x2
	b.hs	4f
	stp	xzr, xzr, [x1], #16
	b	3b
4:	adrp	x0, cpus
	add	x0, x0, :lo12:cpus
	bl	cpu_setup
	mov	x0, x19
	bl	guest_start
5:	wfi
	b	5b

/* x0: this CPU's struct cpu. Sets stack, vectors, FP access; keeps x19. */
cpu_setup:
	msr	tpidr_el1, x0
	ldr	x1, [x0, #CPU_STACK]
	cbnz	x1, 1f
	/* The first CPU's is not filled in yet. */
	adrp	x1, stacks + STACK_SIZE
	add	x1, x1, :lo12:(stacks + STACK_SIZE)
1:	msr	spsel, #1
	mov	sp, x1
	adrp	x1, vectors
	add	x1, x1, :lo12:vectors
	msr	vbar_el1, x1
	mov	x1, #3 << 20		/* CPACR_EL1.FPEN */
	msr	cpacr_el1, x1
	isb
	ret

/* Entry of CPU_ON: x0 = struct cpu. */
	.globl	secondary_entry
secondary_entry:
	mov	x19, x0
	bl	cpu_setup
	mov	x0, x19
	bl	secondary_start
1:	wfi
	b	1b

/* ---- exceptions ---- */

	.macro	vector n
	.balign	0x80
	sub	sp, sp, #FRAME_SIZE
	stp	x0, x1, [sp]
	mov	x1, #\n
	b	exception_entry
	.endm

	.text
	.balign	0x800
	.globl	vectors
vectors:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vector	\n
	.endr

exception_entry:
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	mrs	x2, elr_el1
	stp	x30, x2, [sp, #240]
	mrs	x2, spsr_el1
	mrs	x3, esr_el1
	stp	x2, x3, [sp, #256]
	mrs	x2, far_el1
	str	x2, [sp, #272]
	mov	x0, sp
	bl	exception
	ldr	x2, [sp, #256]
	msr	spsr_el1, x2
	ldp	x30, x2, [sp, #240]
	msr	elr_el1, x2
	ldp	x28, x29, [sp, #224]
	ldp	x26, x27, [sp, #208]
	ldp	x24, x25, [sp, #192]
	ldp	x22, x23, [sp, #176]
	ldp	x20, x21, [sp, #160]
	ldp	x18, x19, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp]
	add	sp, sp, #FRAME_SIZE
	eret

/* bool trap_enter(void *fn, uint64_t arg, uint64_t spsr, uint64_t *resume_sp)
 * Runs fn(arg) at the level of @spsr; false if it returned (EL1 only), true if trap_leave() was
 * called by the exception handler. */
	.globl	trap_enter
trap_enter:
	sub	sp, sp, #112
	stp	x19, x20, [sp]
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	mrs	x4, daif
	str	x4, [sp, #96]
	mov	x4, sp
	str	x4, [x3]
	msr	elr_el1, x0
	msr	spsr_el1, x2
	mov	x0, x1
	adr	x30, 1f
	eret
1:	mov	x0, #0
	b	trap_restore

/* void trap_leave(uint64_t resume_sp) */
	.globl	trap_leave
trap_leave:
	mov	sp, x0
	mov	x0, #1
trap_restore:
	ldr	x4, [sp, #96]
	msr	daif, x4
	ldp	x19, x20, [sp]
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	add	sp, sp, #112
	ret

/* uint64_t smccc_hvc(uint64_t x[18]): loads x0..x17, HVC #0, stores them; so for smc. */
	.macro	conduit name, insn
	.globl	\name
\name:
	str	x0, [sp, #-16]!
	mov	x18, x0
	ldp	x16, x17, [x18, #128]
	ldp	x14, x15, [x18, #112]
	ldp	x12, x13, [x18, #96]
	ldp	x10, x11, [x18, #80]
	ldp	x8, x9, [x18, #64]
	ldp	x6, x7, [x18, #48]
	ldp	x4, x5, [x18, #32]
	ldp	x2, x3, [x18, #16]
	ldp	x0, x1, [x18]
	\insn	#0
	ldr	x18, [sp], #16
	stp	x16, x17, [x18, #128]
	stp	x14, x15, [x18, #112]
	stp	x12, x13, [x18, #96]
	stp	x10, x11, [x18, #80]
	stp	x8, x9, [x18, #64]
	stp	x6, x7, [x18, #48]
	stp	x4, x5, [x18, #32]
	stp	x2, x3, [x18, #16]
	stp	x0, x1, [x18]
	ret
	.endm
	conduit	smccc_hvc, hvc
	conduit	smccc_smc, smc
