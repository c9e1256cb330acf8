/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_FSCK_RUN_H
#define CMAN_STORE_FSCK_RUN_H

/* The parts of one run of store_fsck(), for the fsck_*.c. */

#include "store/base/strv.h"
#include "store/db.h"
#include "store/fsck.h"

struct fsck {
	struct store *store;
	const struct fsck_options *options;
	struct fsck_result result;
	char **bad_blobs; /* digests of those that are not there or not what they should be */
};

/* Tell one. `outcome` NULL: nothing can be done. */
void fsck_fault(struct fsck *run, bool repaired, const char *outcome, const char *object,
		const char *problem, ...) __attribute__((format(printf, 5, 6)));

/* What an interrupted command has left, and whether it was removed now. */
void fsck_leftover(struct fsck *run, bool removed, const char *outcome, const char *object,
		   const char *problem);

/* -EINTR when somebody wants it to end. */
int fsck_poll(struct fsck *run, struct err *err);

/* "pull again: NAME, NAME" for what the images of `sql`, which gives names, have lost. */
int fsck_advise(struct fsck *run, const char *sql, const struct db_arg *args, char **out,
		struct err *err);

/* False, and told, where a row of `table` is called by something else than a digest. */
bool fsck_is_digest(struct fsck *run, const char *table, const char *text);

int fsck_blobs(struct fsck *run, struct err *err);
int fsck_layers(struct fsck *run, struct err *err);
int fsck_images(struct fsck *run, struct err *err);
int fsck_volumes(struct fsck *run, struct err *err);
int fsck_entries(struct fsck *run, struct err *err);

#endif
