/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/pack_notes.h"

#include "store/base/log.h"

static const char *plural(int64_t count)
{
	return count == 1 ? "" : "s";
}

void pack_notes_print(const struct pack_result *result)
{
	if (result->sockets > 0)
		log_warn("%lld socket%s left out: no archive can hold one",
			 (long long)result->sockets, plural(result->sockets));
	if (result->attributes > 0)
		log_warn("%lld access control list%s or attribute%s left out",
			 (long long)result->attributes, plural(result->attributes),
			 plural(result->attributes));
	if (result->kernel > 0)
		log_warn("%lld file system%s of the kernel (/proc, /sys) left out",
			 (long long)result->kernel, plural(result->kernel));
	if (result->changed > 0)
		log_warn("%lld file%s changed while being read, the first: /%s",
			 (long long)result->changed, plural(result->changed), result->changed_path);
	if (result->vanished > 0)
		log_warn("%lld file%s vanished before being read", (long long)result->vanished,
			 plural(result->vanished));
}
