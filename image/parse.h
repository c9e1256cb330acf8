/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PARSE_H
#define CMAN_IMAGE_PARSE_H

/*
 * Foreign JSON → checked structs. The documents of images are parsed by the stage cman-parse
 * (image/parse_stage.h): a process without files, network and capabilities. Its answers are flat
 * structs, and are checked here once more, because it has read foreign bytes.
 *
 *	AUTO_PARSE_SESSION struct parse_session session = PARSE_SESSION_INIT;
 *
 *	parse_manifest(&session, bytes, len, media_type, &platform, &manifest, err);
 *	parse_image_config(&session, …);
 *
 * The stage is started by the first call and serves all that follow. A session is for one thread
 * at a time; it does not matter for which. A stage that died is started anew by the next call.
 *
 * All fail with ERR_INVALID ("manifest: line 3 column 7: …", "manifest: \"layers\" is not an
 * array"), which the caller wraps with the name of its object, and ERR_UNSUPPORTED. Texts hold
 * foreign characters: they are escaped where they are printed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/descriptor.h"
#include "image/platform.h"
#include "store/base/err.h"
#include "store/base/stage.h"

/* Limits, beside the 4 MiB and 64 levels of store/json.h. */
#define PARSE_MAX_LAYERS 127   /* Docker's; overlayfs takes some more */
#define PARSE_MAX_ENTRIES 2048 /* of an index */
#define PARSE_MAX_TAGS 100000  /* on one page of a list */
#define PARSE_MAX_LINES 16384  /* of the manifest.json of a docker-archive, see below */
#define PARSE_NAME_MAX 512     /* bytes of a name in an annotation, with its NUL */
#define PARSE_TAG_MAX 129      /* bytes of a tag, with its NUL */
#define PARSE_PATH_MAX 1024    /* bytes of a path or name in a docker-archive, with its NUL */

struct parse_session {
	struct stage_child stage; /* pid 0: none runs */
	int fd;			  /* stream socket to it */
};

#define PARSE_SESSION_INIT \
	{                  \
		.fd = -1   \
	}
#define AUTO_PARSE_SESSION __attribute__((cleanup(parse_session_end)))
/* Kill the stage. The session can be used again. */
void parse_session_end(struct parse_session *session);

/* --- manifests and indexes --- */

/* One of the images of an index. */
struct index_entry {
	struct descriptor descriptor;
	struct platform platform; /* os "": not told */
	/* Annotations, as an index.json has them; "" where there is none. */
	char image_name[PARSE_NAME_MAX]; /* io.containerd.image.name: a full name */
	char ref_name[PARSE_NAME_MAX];	 /* org.opencontainers.image.ref.name: a tag or a name */
};

struct parsed_manifest {
	enum media_kind kind;		 /* MEDIA_INDEX or MEDIA_MANIFEST */
	char media_type[MEDIA_TYPE_MAX]; /* what it is, also where neither it nor the server says */
	/* MEDIA_INDEX */
	struct index_entry *entries;
	size_t nentries;
	size_t chosen; /* for the platform that was asked for */
	/* MEDIA_MANIFEST */
	struct descriptor config;
	struct descriptor *layers; /* bottom first; media_compression() tells how to unpack */
	size_t nlayers;
};

#define PARSED_MANIFEST_INIT \
	{                    \
		0            \
	}
#define AUTO_PARSED_MANIFEST __attribute__((cleanup(parsed_manifest_release)))
void parsed_manifest_release(struct parsed_manifest *manifest);

/*
 * A manifest or an index (image-spec manifest.md and image-index.md; Docker schema 2).
 * `media_type`: what the server or the descriptor calls it; NULL or "" where nobody did. With `want`, `chosen` is
 * the entry that does best there; an image that is for no platform (an attestation) is never it.
 *
 * ERR_UNSUPPORTED: schema 1; a layer that is encrypted, foreign or of an unknown type; no image but
 * an artifact; nothing for `want`, with the platforms there are.
 * An entry may be an index itself: the caller goes down, at most PARSE_MAX_NESTING times.
 */
#define PARSE_MAX_NESTING 4
int parse_manifest(struct parse_session *session, const void *bytes, size_t len,
		   const char *media_type, const struct platform *want, struct parsed_manifest *out,
		   struct err *err);

/*
 * The same, with a configuration and layers of any type: an artifact, the attestations in an index.
 * For those who hand it on and do not look into it. `chosen` is not set.
 */
int parse_any_manifest(struct parse_session *session, const void *bytes, size_t len,
		       const char *media_type, struct parsed_manifest *out, struct err *err);

/*
 * How well an entry does where `want` was asked for, as platform_distance(); one that does not tell
 * its platform is behind all that do. Negative: not at all, or it is no image.
 */
int index_entry_distance(const struct index_entry *entry, const struct platform *want);

/* --- configurations --- */

struct parsed_config {
	struct platform platform;
	char (*diff_ids)[DIGEST_HEX_LEN + 1]; /* bottom first */
	size_t ndiff_ids;
	char *flat; /* all of the document (store/flat.h): what is kept for all later uses */
	size_t flat_len;
};

#define PARSED_CONFIG_INIT \
	{                  \
		0          \
	}
#define AUTO_PARSED_CONFIG __attribute__((cleanup(parsed_config_release)))
void parsed_config_release(struct parsed_config *config);

/*
 * An image configuration (image-spec config.md). All that `run` will take from it is right, too
 * (image/config.h). At least one layer. This is the only time that its JSON is parsed: whoever
 * needs something of it later reads the flat form (image/document.h).
 */
int parse_image_config(struct parse_session *session, const void *bytes, size_t len,
		       struct parsed_config *out, struct err *err);

/* --- lists of tags --- */

/* What GET /v2/NAME/tags/list gives (distribution-spec, "Listing Tags"). NULL-terminated, to be
 * freed with strv_free(); every one is a tag by the grammar. */
int parse_tags(struct parse_session *session, const void *bytes, size_t len, char ***out,
	       struct err *err);

/* --- archives --- */

/* The file `oci-layout` (image-spec image-layout.md). ERR_UNSUPPORTED for an unknown version. */
int parse_oci_layout(struct parse_session *session, const void *bytes, size_t len, struct err *err);

/* The manifest.json of a docker-archive, flat: each image is a line ARCHIVE_CONFIG, and then its
 * others in order. */
enum archive_line_kind { ARCHIVE_CONFIG = 1, ARCHIVE_TAG, ARCHIVE_LAYER };

struct archive_line {
	int64_t kind;
	/* ARCHIVE_TAG: a name of the image; else a path in the archive, which may lead anywhere:
	 * to be resolved beneath the archive only. Not empty. */
	char text[PARSE_PATH_MAX];
};

struct parsed_archive {
	struct archive_line *lines;
	size_t nlines;
};

#define PARSED_ARCHIVE_INIT \
	{                   \
		0           \
	}
#define AUTO_PARSED_ARCHIVE __attribute__((cleanup(parsed_archive_release)))
void parsed_archive_release(struct parsed_archive *archive);

/* At least one image; every one has a configuration and at most PARSE_MAX_LAYERS layers. */
int parse_archive(struct parse_session *session, const void *bytes, size_t len,
		  struct parsed_archive *out, struct err *err);

#endif
