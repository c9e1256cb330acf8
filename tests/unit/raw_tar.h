/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_TESTS_RAW_TAR_H
#define CMAN_TESTS_RAW_TAR_H

/* Archives written block by block, right or wrong, as no library would. */

#include <stddef.h>
#include <stdint.h>

#include "store/base/buf.h"

#define RAW_BLOCK 512

/* Add a header and return it until the next call: to be spoilt, and then summed up again. */
unsigned char *raw_header(struct buf *out, const char *name, char type, int64_t size);
void raw_sum(unsigned char *header);

/* Add bytes and fill the last block. */
void raw_data(struct buf *out, const void *data, size_t len);

/* A header and its data. */
void raw_file(struct buf *out, const char *name, const char *data);

/* The record of a pax header; a pax header of this text; of one record. */
void raw_record(struct buf *out, const char *key, const void *value, size_t len);
void raw_pax_text(struct buf *out, const char *text, size_t len);
void raw_pax(struct buf *out, const char *key, const void *value, size_t len);

/* The marker of the end. */
void raw_end(struct buf *out);

#endif
