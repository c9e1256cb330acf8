/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_FSCK_H
#define CMAN_STORE_FSCK_H

/*
 * Whether all that the store keeps is what it should be: the database in itself, its rows against
 * files and directories, configs and blobs against their digests, flat forms against the configs
 * that they were made from, layers against the blobs that they were unpacked from, volumes against
 * their directories, and the other way round files that no row names.
 *
 * A check holds the store as who makes images does (store_hold()): pulls go on beside it, and
 * nothing that is only about to be named counts as a fault. A repair has the store alone: it is
 * refused while somebody is making an image, and who wants to begin waits. Containers may come and
 * go meanwhile; what one that is created or runs is mounted on is never exchanged.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/blobs.h"
#include "store/layers.h"

struct store;

/* Something that is not as it should be. Text may hold names from images: escape it. */
struct fsck_fault {
	const char *object;  /* "layer 0fa78541fde5", "blob sha256:…", "image NAME" */
	const char *problem; /* "its directory is missing" */
	const char *outcome; /* what was done, or what a person can do; NULL: nothing */
	bool repaired;
	/* What an interrupted command has left: it takes room, but nothing is damaged. */
	bool is_leftover;
};

struct fsck_layer {
	const char *tree; /* its directory, which may be missing */
	const char *diff_id;
	const char *blob;	  /* the digest of a blob that it can be unpacked from */
	const char *const *below; /* trees of the layers below it, uppermost first */
	size_t nbelow;
};

struct fsck_options {
	bool repair;
	bool quick; /* rows, names and sizes only: no content is read */

	/* Called for each fault, and each leftover. */
	void (*fault)(const struct fsck_fault *fault, void *data);

	/*
	 * The image floor's part. Unpack the layer's blob into a draft, which the caller commits or
	 * aborts, and compare it with the tree, where that is there: *same, else `difference` names
	 * the first entry that is other. ERR_CORRUPT or ERR_INVALID where the blob does not give
	 * this layer; any other failure ends the check.
	 */
	int (*unpack)(struct store *store, const struct fsck_layer *layer,
		      struct layer_draft *draft, bool *same, char difference[512], void *data,
		      struct err *err);

	/*
	 * The image floor's part, too: the flat form of a configuration, to be freed. ERR_INVALID
	 * or ERR_UNSUPPORTED where it has none; any other failure ends the check. NULL: forms are
	 * not looked at.
	 */
	int (*flatten)(const char *config, size_t config_len, char **form, size_t *len, void *data,
		       struct err *err);

	/* Between two objects: a failure (-EINTR) ends the check. */
	int (*poll)(void *data, struct err *err);
	void *data;
};

struct fsck_result {
	int64_t images, layers, blobs, containers, volumes; /* that were looked at */
	int64_t unverified; /* layers without a blob that they could be compared with */
	int64_t faults, repaired;
	int64_t leftovers; /* which are no faults; one that a repair cannot remove is a fault */
	bool is_whole;	   /* everything was looked at */
};

/*
 * Fails where it could not be done: ERR_STATE where a repair would have to wait. That there are
 * faults is no failure. *out is filled in any case: is_whole together with a failure says that all
 * was checked, and that what interrupted commands have left in tmp/ could not be removed then.
 */
int store_fsck(struct store *store, const struct fsck_options *options, struct fsck_result *out,
	       struct err *err);

#endif
