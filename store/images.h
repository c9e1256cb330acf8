/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_IMAGES_H
#define CMAN_STORE_IMAGES_H

/*
 * Images: a config and ordered layers, under an ID (the digest of the config JSON: sha256 hex),
 * with any number of names (references). Names are stored as image/names.h completes them. One
 * image may have several manifests, as registries may keep its layers compressed differently.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/blobs.h"

struct store;

struct image_layer {
	char diff_id[DIGEST_HEX_LEN + 1]; /* sha256 of the uncompressed tar, hex */
	char tree[DIGEST_HEX_LEN + 1];	  /* its directory below layers/, see layers.h */
	int64_t size; /* bytes of the unpacked regular files; -1 in image_put(): as is known */
};

struct image_name {
	char *name;
	char *digest; /* "sha256:…" of what a registry calls so: name@digest gets it again; NULL */
};

struct image_record {
	char id[DIGEST_HEX_LEN + 1];
	/*
	 * For image_put(), which takes it as it is; what finds an image leaves it out, as the JSON
	 * is foreign, and long: see images_flat.h.
	 */
	const char *config;
	const char *flat; /* its flat form; NULL: made when it is first needed */
	size_t flat_len;
	char *source;		    /* where it was pulled from: a URL or path, for inspect */
	char *source_digest;	    /* "sha256:…" of the file as published */
	int64_t created_ns;	    /* when this store got it */
	int64_t size;		    /* of all layers, unpacked; -1 in image_put(): their sum */
	struct image_layer *layers; /* bottom first */
	size_t nlayers;
	struct image_name *names; /* sorted */
	size_t nnames;
};

#define IMAGE_RECORD_INIT \
	{                 \
		0         \
	}
#define AUTO_IMAGE_RECORD __attribute__((cleanup(image_record_release)))
void image_record_release(struct image_record *record);
bool image_has_name(const struct image_record *record, const char *name);

/* A descriptor of image-spec descriptor.md. */
struct image_blob {
	char digest[DIGEST_HEX_LEN + 1];
	int64_t size;
	char *media_type;
};

struct image_manifest {
	char digest[DIGEST_HEX_LEN + 1]; /* of the manifest's own blob */
	char *media_type;
	struct image_blob *blobs; /* the config, then the layers, bottom first */
	size_t nblobs;
};

#define IMAGE_MANIFEST_INIT \
	{                   \
		0           \
	}
#define AUTO_IMAGE_MANIFEST __attribute__((cleanup(image_manifest_release)))
void image_manifest_release(struct image_manifest *manifest);

/*
 * Insert image, layers and manifest (present ones are kept) and move the name `name` to it, in one
 * transaction: before it the image does not exist, after it the image is whole, also after a power
 * cut. All layers and all blobs of the manifest, itself included, must be on disk
 * (layer_draft_commit(), blob_draft_commit()): ERR_NOT_FOUND where one was removed meanwhile, which
 * store_hold() prevents. `manifest` NULL: none, as of images that versions before 2 made. `name`
 * NULL: the image stays or becomes nameless. `published`: image_name.digest, NULL where no registry
 * said one. `names`, `nnames` of the record are not looked at. An image that loses its last name so
 * stays, nameless. ERR_CORRUPT where it is here with other layers or another flat form. Main
 * thread; takes a sync of the file system.
 */
int image_put(struct store *store, const struct image_record *image,
	      const struct image_manifest *manifest, const char *name, const char *published,
	      struct err *err);

/*
 * Give the image one more name, with the manifest that image_manifest_get() finds; whose name it
 * was loses it. As image_find() fails.
 */
int image_tag(struct store *store, const char *name_or_id, const char *name, struct err *err);

/*
 * What was pulled or made under the name, else the newest manifest of the image; found as
 * image_find() does. ERR_NOT_FOUND for an image of a version before 2, with a hint to pull again.
 */
int image_manifest_get(struct store *store, const char *name_or_id, struct image_manifest *out,
		       struct err *err);

/*
 * Find by name (as written, then with ":latest" added), full ID ("sha256:" allowed) or unambiguous
 * ID prefix of at least 4 digits. ERR_NOT_FOUND "no such image: X", ERR_AMBIGUOUS with up to three.
 */
int image_find(struct store *store, const char *name_or_id, struct image_record *out,
	       struct err *err);

/*
 * *whole: all that the image needs is on disk: its layers, and the blobs of the manifest that
 * image_manifest_get() finds. Images of versions before 2 are not. As image_find() fails.
 */
int image_is_whole(struct store *store, const char *name_or_id, bool *whole, struct err *err);

/* Newest first, else as container_each(). */
typedef int image_visit(const struct image_record *record, void *data, struct err *err);
int image_each(struct store *store, image_visit *visit, void *data, struct err *err);

/*
 * What a list of images shows, without configs and layers: a row for each name, those of an image
 * together and sorted, images newest first. Strings are the visitor's until it returns.
 */
struct image_row {
	const char *id;
	const char *name;   /* NULL: the image has none */
	const char *digest; /* of the name, as in struct image_name; NULL */
	const char *source;
	const char *source_digest;
	int64_t created_ns;
	int64_t size;
};
typedef int image_row_visit(const struct image_row *row, void *data, struct err *err);
int image_list(struct store *store, image_row_visit *visit, void *data, struct err *err);
/* Without sources and digests: less has to be read. */
int image_list_brief(struct store *store, image_row_visit *visit, void *data, struct err *err);

/* Whether `cman image mount` shows the image with the full ID `id` somewhere. */
bool image_is_mounted(struct store *store, const char *id);

/*
 * Given a name of several, remove just that. Given the last name or an ID, remove the image with
 * its name; ERR_STATE with the names where an ID has several and `force` is not given, and with
 * those of the containers that use the image. With `force` the names of
 * such an image are removed nevertheless, and it stays without one. So does one that is mounted,
 * which <run>/images/<id>/ tells; there force changes nothing. Layers and blobs that no other
 * image has are removed from disk after the commit, or by a later store_sweep() where somebody who
 * is making an image (store_hold()) might be about to use them. `removed` is called after the
 * commit, once for each name (deleted false) and for the ID (deleted true), even where removing a
 * layer then fails.
 */
typedef void image_removed(const char *what, bool deleted, void *data);
int image_remove(struct store *store, const char *name_or_id, bool force, image_removed *removed,
		 void *data, struct err *err);

#endif
