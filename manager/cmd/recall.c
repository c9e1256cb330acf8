/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/recall.h"

#include <stdio.h>

#include "store/base/fnv.h"

void recall_name(const char *kind, uint32_t nfiles, const char *question, size_t len,
		 char name[RECALL_NAME_SIZE])
{
	unsigned at = (unsigned)(fnv_add(FNV_INIT, question, len) % nfiles);

	snprintf(name, RECALL_NAME_SIZE, "%.12s-%03x", kind, at & 0xfff);
}
