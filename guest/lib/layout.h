/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers shared by C and assembly. */
#ifndef GUEST_LAYOUT_H
#define GUEST_LAYOUT_H

#define STACK_SIZE 16384
#define CPU_STACK  0   /* offset in struct cpu */
#define FRAME_SIZE 288 /* struct frame, padded */

#endif
