/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PLATFORM_H
#define CMAN_IMAGE_PLATFORM_H

/*
 * Platforms as the platform object of image-spec image-index.md has them: Go's names of operating
 * systems and architectures, and a variant of the architecture. Kept in one spelling: lower case,
 * aarch64 is arm64, the variant is "" where it is what the architecture means by itself (amd64 v1,
 * arm64 v8), and is always there for arm (v7 where nothing is said).
 */

#include <stdbool.h>

#include "store/base/err.h"

#define PLATFORM_WORD_MAX 32

struct platform {
	char os[PLATFORM_WORD_MAX]; /* "": not told, and so the two others */
	char architecture[PLATFORM_WORD_MAX];
	char variant[PLATFORM_WORD_MAX];
};

/* "linux/arm64/v8" and a NUL fit. */
#define PLATFORM_TEXT_MAX (3 * PLATFORM_WORD_MAX)

/*
 * What --platform takes: os/architecture[/variant], or the architecture alone, where the operating
 * system is linux. ERR_INVALID naming what is no platform.
 */
int platform_parse(const char *text, struct platform *out, struct err *err);

/* The spelling described above, of what a document says. False: one word is too long or has other
 * characters than letters, digits and "._-"; then *out is untouched. NULL is "". */
bool platform_set(struct platform *out, const char *os, const char *architecture,
		  const char *variant);

/* "linux/arm/v7"; "unknown" where nothing is told. */
const char *platform_format(const struct platform *platform, char text[PLATFORM_TEXT_MAX]);

/* Where this runs: with the variant that its processor has (amd64: v2, v3, v4; arm: v5 to v8). */
int platform_host(struct platform *out, struct err *err);

/*
 * How well `have` does where `want` was asked for: 0 is the same, more is worse, negative: not at
 * all. As containerd: lower variants of the same architecture (arm v7 takes v6 and v5, arm64 v9.x
 * takes v8.(x+5)), then 32-bit ones that such a processor can run (amd64: 386; arm64: arm).
 */
int platform_distance(const struct platform *want, const struct platform *have);

#endif
