/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/recall.h"

#include <stdio.h>

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
void recall_name(const char *kind, uint32_t nfiles, const char *question, size_t len,
		 char name[RECALL_NAME_SIZE])
{
	uint32_t hash = 2166136261;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)question[i]) * 16777619;
	snprintf(name, RECALL_NAME_SIZE, "%.12s-%03x", kind, hash % nfiles & 0xfff);
}
