/* SPDX-License-Identifier: Apache-2.0 */
/* System registers by name: SYS_<name> is the SYSREG() code of arm/reg.h (sysreg.def). */
#ifndef ARM_SYSREG_H
#define ARM_SYSREG_H

#include "arm/reg.h"

enum arm_sysreg {
#define SYSREG_DEF(name, op0, op1, crn, crm, op2) SYS_##name = SYSREG(op0, op1, crn, crm, op2),
#include "arm/sysreg.def"
#undef SYSREG_DEF
};

#endif
