/* SPDX-License-Identifier: Apache-2.0 */
#include "store/draft_name.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>

int draft_name(char *out, size_t size, const char *prefix)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -errno;
	snprintf(out, size, "%s%016llx", prefix, (unsigned long long)random);
	return 0;
}
