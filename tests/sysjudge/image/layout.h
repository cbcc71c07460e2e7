/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that C, assembly and the driver share. */
#ifndef LAYOUT_H
#define LAYOUT_H

/* Physical addresses, and virtual ones of the first two in every regime. */
#define FIX	    0x42000000 /* vectors: EL1, EL2, EL3, each 0x800 bytes */
#define CODE	    0x42010000 /* the scenario's instructions */
#define DATA	    0x42100000 /* 16 frames of 64 KiB */
#define TABLES	    0x42400000 /* translation tables */

#define VECTORS_EL1 (FIX + 0x000)
#define VECTORS_EL2 (FIX + 0x800)
#define VECTORS_EL3 (FIX + 0x1000)

/* Immediates of SMC: who calls EL3. */
#define SMC_VECTOR  0x4000 /* + level * 16 + vector: an exception of EL1 or EL2 */
#define SMC_END	    0x5000 /* the end of the scenario */
#define SMC_CHANGE  0x6000 /* + n: change a descriptor, with the maintenance it takes */
#define SMC_PENDING 0x7000 /* + n: make interrupts pending */

/* struct context */
#define CTX_X	   0
#define CTX_SP	   248
#define CTX_SCTLR  256
#define CTX_VECTOR 264
#define CTX_SIZE   272

#endif
