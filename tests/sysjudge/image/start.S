/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry at EL3, the MMU off; the vectors of all levels; the way into and out of a scenario.
 *
 * Vectors of EL1 and EL2 are one SMC each: they touch no register, and EL3 finds all that the exception left
 * there. TPIDR_EL3, TPIDR_EL2 and TPIDRRO_EL0 belong to the vectors of EL3.
 */
#include "layout.h"

	.section .text.header, "ax"
	.globl	entry, parameters
entry:
	b	1f
	.balign	32
parameters:			/* the driver fills them in: see struct parameters */
	.quad	0x6567647561737973, 1, 10, 7, 0, 0, 0, 0
1:	mov	x0, #0
	ldr	x1, =image_start
	ldr	x2, =image_end
2:	ldp	x3, x4, [x0], #16
	stp	x3, x4, [x1], #16
	cmp	x1, x2
	b.lo	2b
	ldr	x1, =bss_start
	ldr	x2, =bss_end
3:	cmp	x1, x2
	b.hs	4f
	stp	xzr, xzr, [x1], #16
	b	3b
4:	ldr	x0, =main_stack
	mov	sp, x0
	ldr	x0, =main
	br	x0
	.ltorg

/* ---- vectors; copied to FIX ---- */

	.text
	.balign	0x800
	.globl	vectors_start, vectors_end
vectors_start:
	.macro	lower level
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	.balign	0x80
	smc	#(SMC_VECTOR + \level * 16 + \n)
	b	.
	.endr
	.endm
	lower	1
	.balign	0x800
	lower	2
	.balign	0x800
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	.balign	0x80
	msr	tpidr_el3, x0
	mov	x0, #\n
	b	to_harness
	.endr
to_harness:
	msr	tpidr_el2, x1
	mrs	x1, sctlr_el3
	msr	tpidrro_el0, x1
	mov	x1, #0x1830		/* RES1 and I; not M */
	movk	x1, #0x30c5, lsl #16
	msr	sctlr_el3, x1
	isb
	ldr	x1, context_address
	str	x0, [x1, #CTX_VECTOR]
	stp	x2, x3, [x1, #16]
	stp	x4, x5, [x1, #32]
	stp	x6, x7, [x1, #48]
	stp	x8, x9, [x1, #64]
	stp	x10, x11, [x1, #80]
	stp	x12, x13, [x1, #96]
	stp	x14, x15, [x1, #112]
	stp	x16, x17, [x1, #128]
	stp	x18, x19, [x1, #144]
	stp	x20, x21, [x1, #160]
	stp	x22, x23, [x1, #176]
	stp	x24, x25, [x1, #192]
	stp	x26, x27, [x1, #208]
	stp	x28, x29, [x1, #224]
	mov	x2, sp
	stp	x30, x2, [x1, #240]
	mrs	x2, tpidr_el3
	mrs	x3, tpidr_el2
	stp	x2, x3, [x1]
	mrs	x2, tpidrro_el0
	str	x2, [x1, #CTX_SCTLR]
	ldr	x2, handler_address
	ldr	x3, stack_address
	mov	sp, x3
	br	x2

/* void resume(struct context *): ERET into the scenario; SPSR_EL3 and ELR_EL3 are set. */
resume_code:
	mov	x1, x0
	ldp	x30, x2, [x1, #240]
	mov	sp, x2
	ldp	x28, x29, [x1, #224]
	ldp	x26, x27, [x1, #208]
	ldp	x24, x25, [x1, #192]
	ldp	x22, x23, [x1, #176]
	ldp	x20, x21, [x1, #160]
	ldp	x18, x19, [x1, #144]
	ldp	x16, x17, [x1, #128]
	ldp	x14, x15, [x1, #112]
	ldp	x12, x13, [x1, #96]
	ldp	x10, x11, [x1, #80]
	ldp	x8, x9, [x1, #64]
	ldp	x6, x7, [x1, #48]
	ldp	x4, x5, [x1, #32]
	ldp	x2, x3, [x1, #16]
	ldp	x0, x1, [x1]
	msr	tpidr_el3, x0
	mov	x0, #0
	msr	tpidr_el2, x1
	ldr	x1, context_address
	ldr	x0, [x1, #CTX_SCTLR]
	mrs	x1, tpidr_el2
	msr	sctlr_el3, x0
	isb
	mrs	x0, tpidr_el3
	eret
	.balign	8
context_address:
	.quad	context
handler_address:
	.quad	on_exception
stack_address:
	.quad	stack_top
vectors_end:

	.globl	resume
resume:
	ldr	x1, =resume_code
	ldr	x2, =vectors_start
	sub	x1, x1, x2
	ldr	x2, =FIX
	add	x1, x1, x2
	br	x1

/* void scenario_enter(struct context *): the first resume(); returns when leave() is called. */
	.globl	scenario_enter, leave
scenario_enter:
	stp	x29, x30, [sp, #-112]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	ldr	x1, =saved_sp
	mov	x2, sp
	str	x2, [x1]
	b	resume
leave:
	ldr	x1, =saved_sp
	ldr	x2, [x1]
	mov	sp, x2
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #112
	ret
	.ltorg

	.bss
	.balign	16
	.skip	16384
main_stack:
	.skip	16384
stack_top:
saved_sp:
	.skip	16
