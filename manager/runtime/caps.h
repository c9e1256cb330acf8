/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_CAPS_H
#define CMAN_MANAGER_RUNTIME_CAPS_H

/*
 * Names of capabilities (capabilities(7)); the numbers are the kernel's interface,
 * linux/capability.h.
 */

/* "CAP_SYS_ADMIN", "sys_admin", in any case → its number, or -EINVAL. */
int capability_from_name(const char *name);

/* 21 → "CAP_SYS_ADMIN"; NULL for a number that has no name here. */
const char *capability_name(int capability);

#endif
