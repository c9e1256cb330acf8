/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PARSE_STAGE_H
#define CMAN_IMAGE_PARSE_STAGE_H

/*
 * What the stage cman-parse and its parent say to each other. Descriptor of the stage: 3, a stream
 * socket. In: a struct parse_job and its bytes; out: a struct parse_answer and its elements; and
 * so on until the end of file.
 */

#include <stddef.h>
#include <stdint.h>

#include "image/descriptor.h"
#include "store/base/err.h"

#define PARSE_FD 3
#define PARSE_NFDS 4

enum parse_document {
	PARSE_MANIFEST = 1,
	PARSE_CONFIG,
	PARSE_TAGS,
	PARSE_LAYOUT,
	PARSE_ARCHIVE,
	PARSE_ANY_MANIFEST, /* answered as PARSE_MANIFEST is */
};

struct parse_job {
	int64_t document;
	int64_t len;			 /* bytes that follow */
	char media_type[MEDIA_TYPE_MAX]; /* of a manifest: what others call it; "" */
};

/*
 * Foreign to its reader: the stage has parsed foreign bytes. parse_answer_check() comes first,
 * and parse_elements_check() before an element is looked at.
 */
struct parse_answer {
	int64_t failed; /* bool: err is set, and nothing else */
	struct err err;
	int64_t kind;			 /* PARSE_MANIFEST: enum media_kind */
	char media_type[MEDIA_TYPE_MAX]; /* PARSE_MANIFEST */
	struct descriptor config;	 /* PARSE_MANIFEST, of MEDIA_MANIFEST */
	int64_t count;			 /* elements that follow, see parse_element_size() */
};

/*
 * PARSE_MANIFEST: struct index_entry or, of MEDIA_MANIFEST, struct descriptor; PARSE_CONFIG: a
 * byte of its flat form; PARSE_TAGS: char[PARSE_TAG_MAX]; PARSE_ARCHIVE: struct archive_line;
 * PARSE_LAYOUT: 0, there are none.
 */
size_t parse_element_size(enum parse_document document, int64_t kind);

/* End the texts of an error, and refuse what cannot be. 0 or ERR_INVALID. */
int parse_answer_check(enum parse_document document, struct parse_answer *answer, struct err *err);

/* Refuse elements that cannot be. `answer` has been checked; there are answer->count. */
int parse_elements_check(enum parse_document document, const struct parse_answer *answer,
			 const void *elements, struct err *err);

int parse_stage_main(void);

#endif
