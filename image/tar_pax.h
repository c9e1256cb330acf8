/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_TAR_PAX_H
#define CMAN_IMAGE_TAR_PAX_H

/* Numbers and records as tar headers have them. Strict: nothing is guessed, nothing passed over. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* A field of a header: octal digits, or base 256 as GNU writes it. */
bool tar_number(const unsigned char *field, size_t len, int64_t *out);

/* Decimal digits only. */
bool tar_decimal(const char *text, size_t len, int64_t *out);

/* Seconds with any number of decimals, maybe negative; rounded down, tv_nsec is never negative. */
bool tar_time(const char *text, size_t len, struct timespec *out);

struct tar_record {
	const char *key;
	size_t key_len;
	const char *value;
	size_t value_len;
};

/*
 * The record "LENGTH KEY=VALUE\n" at *text, of which *left bytes are left; both are moved behind
 * it. False for anything else.
 */
bool tar_record(const char **text, size_t *left, struct tar_record *out);

#endif
