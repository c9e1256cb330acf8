/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_KERNEL_H
#define CMAN_MANAGER_RUNTIME_KERNEL_H

/* Which release of Linux this is (uname(2)). */

#include <stdbool.h>

#include "store/base/err.h"

struct kernel_release {
	unsigned major, minor;
};

/* The numbers that a release such as "6.1.0-18-amd64" begins with; -EINVAL. */
int kernel_parse_release(const char *text, struct kernel_release *out);

/* That of the running kernel. ERR_UNSUPPORTED where it has no such numbers. */
int kernel_get_release(struct kernel_release *out, struct err *err);

bool kernel_is_at_least(const struct kernel_release *release, unsigned major, unsigned minor);

/* ERR_UNSUPPORTED for a kernel before 5.11, the first one that containers can be made on. */
int kernel_check(struct err *err);

#endif
