/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_FNV_H
#define CMAN_STORE_BASE_FNV_H

/*
 * FNV-1a of 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/): it finds torn and stale files,
 * and spreads names. It is no bar to who forges: of what can be foreign, sha256.h.
 */

#include <stddef.h>
#include <stdint.h>

#define FNV_INIT UINT64_C(0xcbf29ce484222325)

/* The hash of what `hash` is of, followed by these bytes. */
static inline uint64_t fnv_add(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++)
		/* NOLINTNEXTLINE(clang-analyzer-core.*): sees no bytes in an array of numbers */
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

#endif
