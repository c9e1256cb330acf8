/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_REGISTRY_H
#define CMAN_IMAGE_REGISTRY_H

/*
 * One repository of a registry, by distribution-spec 1.1. Reading tries the mirrors first; one
 * that fails or has not what is asked for gives way to the next, and is not asked again once it
 * could not be reached. Writing goes to the registry itself.
 *
 * Blobs can be fetched and uploaded by several threads at once; all else is for one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "image/credentials.h"
#include "image/descriptor.h"
#include "image/fetch.h"
#include "image/interrupt.h"
#include "image/ref.h"
#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/json.h"

struct registry;

struct registry_options {
	struct fetch_session *session;
	const struct fetch_options *fetch; /* retries, stall, notice */
	const struct interrupt *interrupt;
	const struct credentials *creds; /* --creds; NULL: image/credentials.h */
	const char *cacert;		 /* --cacert; NULL: certs.d, then the system's */
	bool insecure;			 /* --insecure, of this registry and none of its mirrors */
	bool push;			 /* ask for the right to write as well */
};

/*
 * `ref` is qualified (name_qualify()); what it has for tag and digest does not matter. All that
 * `options` points to has to stay. Nothing is sent yet.
 */
int registry_open(const struct ref *ref, const struct registry_options *options,
		  struct registry **out, struct err *err);
void registry_close(struct registry **registry); /* NULL is none */
#define AUTO_REGISTRY __attribute__((cleanup(registry_close)))

struct registry_manifest {
	char digest[72];		 /* "sha256:…"; "" where a HEAD did not say */
	char media_type[MEDIA_TYPE_MAX]; /* of the answer's Content-Type; "": it has none */
	int64_t size;			 /* -1: not told */
};

/*
 * What `reference` (a tag or digest) means now, by one HEAD. ERR_NOT_FOUND; ERR_UNSUPPORTED for a
 * schema 1 manifest; ERR_NETWORK with EACCES where credentials are missing or refused.
 */
int registry_head(struct registry *registry, const char *reference, struct registry_manifest *out,
		  struct err *err);

/*
 * The bytes of a manifest or index, at most JSON_MAX_BYTES, checked against the digest that
 * was asked for or that the registry told. ERR_CORRUPT. They are foreign: image/parse.h reads them.
 */
int registry_manifest(struct registry *registry, const char *reference, struct buf *bytes,
		      struct registry_manifest *out, struct err *err);

/*
 * The bytes of the blob `digest` (64 hex digits) into `sink`, which verifies them. Any thread.
 */
int registry_blob(struct registry *registry, const char *digest, const struct fetch_sink *sink,
		  struct err *err);

/*
 * A page of the list of tags, as JSON for parse_tags(). `next`: NULL for the first, then what *more
 * was set to; *more becomes NULL after the last, else is to be freed.
 */
int registry_tags(struct registry *registry, const char *next, struct buf *json, char **more,
		  struct err *err);

/* Whether the registry answers and takes the credentials: GET /v2/. */
int registry_check(struct registry *registry, struct err *err);

/* --- writing --- */

/* Whether the repository has the blob `digest` (64 hex digits). Any thread. */
int registry_has_blob(struct registry *registry, const char *digest, bool *has, struct err *err);

/* Told from the uploading thread: bytes that the registry has so far. */
typedef void registry_progress(int64_t done, void *data);

struct registry_upload {
	const char *digest; /* 64 hex digits */
	int64_t size;
	/* The bytes from `offset` on as a descriptor (a file positioned there, or a pipe), which
	 * registry_upload_blob() closes. Called again with another offset to resume. */
	int (*open)(int64_t offset, int *fd, void *data, struct err *err);
	registry_progress *progress; /* may be NULL */
	void *data;
	const char *const
		*mount_from; /* repositories of the same registry that may have it; NULL */
};

enum registry_uploaded {
	REGISTRY_UPLOADED,
	REGISTRY_MOUNTED, /* taken from another repository */
	REGISTRY_HAD_IT,
};

/*
 * Make the repository have a blob: nothing where it has, a mount where another one has, else an
 * upload, resumed from where the registry says it got. Any thread.
 */
int registry_upload_blob(struct registry *registry, const struct registry_upload *upload,
			 enum registry_uploaded *how, struct err *err);

/* Put a manifest under a tag or its digest, after all that it names. */
int registry_put_manifest(struct registry *registry, const char *reference, const void *bytes,
			  size_t len, const char *media_type, struct err *err);

#endif
