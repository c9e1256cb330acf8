/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_REF_H
#define CMAN_IMAGE_REF_H

/*
 * References: [registry/]repository[:tag][@digest], by the grammar of distribution/reference. The
 * part before the first slash is a registry (host, IPv4 or [IPv6] address, each with or without
 * :port) where it cannot be anything else: it has a dot, a colon or an upper-case letter, or is
 * "localhost". What a reference without a registry means is said by image/names.h.
 */

#include <stdbool.h>

#include "store/base/err.h"

struct ref {
	char *registry;	  /* host[:port]; NULL: none was written */
	char *repository; /* "library/nginx" */
	char *tag;	  /* NULL: none */
	char *digest;	  /* "sha256:" and lower-case hex; NULL: none */
};

#define REF_INIT  \
	{         \
		0 \
	}
#define AUTO_REF __attribute__((cleanup(ref_release)))
void ref_release(struct ref *ref);

/*
 * Take `word` apart. ERR_INVALID where it does not fit the grammar, or is 64 hex digits, which are
 * the ID of an image and never a name.
 */
int ref_parse(const char *word, struct ref *out, struct err *err);

/* Put together again: what ref_parse() reads. To be freed. */
int ref_format(const struct ref *ref, char **out, struct err *err);

/* A reference as above with another tag or digest; both may be NULL. To be freed. */
int ref_format_as(const struct ref *ref, const char *tag, const char *digest, char **out,
		  struct err *err);

/* Whether `word` is written as a reference: has '/', ':' or '@'. */
bool ref_is_written_as_reference(const char *word);

/* Check the grammar and add ":latest" where no tag or digest is. To be freed. ERR_INVALID. */
int ref_normalize(const char *word, char **out, struct err *err);

/* Whether `text` can be a tag. */
bool ref_is_tag(const char *text);

#endif
