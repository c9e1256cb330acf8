/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fsck_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/sha256.h"
#include "store/collect.h"
#include "store/draft_name.h"
#include "store/store.h"

/* Images whose manifests name the blob ?1, or that a manifest ?1 is of. */
#define NAMES_OF_BLOB                                                                      \
	"SELECT DISTINCT ifnull(min(image_name.name), substr(image.id, 1, 12)) FROM image" \
	" LEFT JOIN image_name ON image_name.image_id = image.id"                          \
	" WHERE image.id IN (SELECT image_id FROM manifest WHERE digest = ?1"              \
	"  OR digest IN (SELECT manifest FROM manifest_blob WHERE digest = ?1))"           \
	" GROUP BY image.id ORDER BY 1"

/* What is wrong with one; "" where nothing. */
static int examine(struct fsck *run, const char *digest, int64_t size, char problem[160],
		   struct err *err)
{
	AUTO_CLOSE int fd = openat(run->store->blobs_fd, digest,
				   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char actual[DIGEST_HEX_LEN + 1];
	struct stat st;
	int r;

	problem[0] = '\0';
	if (fd < 0 && (errno == ENOENT || errno == ELOOP)) {
		strcpy(problem, errno == ENOENT ? "it is missing" : "it is no regular file");
		return 0;
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot read blob sha256:%s", digest);
	if (!S_ISREG(st.st_mode)) {
		strcpy(problem, "it is no regular file");
	} else if (st.st_size != size) {
		snprintf(problem, 160, "it has %lld bytes and should have %lld",
			 (long long)st.st_size, (long long)size);
	} else if (!run->options->quick) {
		r = sha256_fd(fd, actual);
		if (r == -EIO)
			strcpy(problem, "it cannot be read: Input/output error");
		else if (r < 0)
			return err_sys(err, -r, "cannot read blob sha256:%s", digest);
		else if (strcmp(actual, digest) != 0)
			snprintf(problem, 160, "its content is that of sha256:%s", actual);
	}
	return 0;
}

/* The content, where the database has it: an image's config. *out stays NULL where not. */
static int find_copy(struct fsck *run, const char *digest, char **out, struct err *err)
{
	AUTO_STRV char **configs = NULL;
	char actual[DIGEST_HEX_LEN + 1];
	int r = db_list_texts(run->store->db, "SELECT config FROM image WHERE id = ?1",
			      DB_ARGS(DB_TEXT(digest)), &configs, err);

	if (r < 0 || !configs || sha256_hex(configs[0], strlen(configs[0]), actual) < 0 ||
	    strcmp(actual, digest) != 0)
		return r;
	*out = strdup(configs[0]);
	return *out ? 0 : err_sys(err, ENOMEM, "cannot check the store");
}

/* A pull takes what is there for good: what is not goes, so that it is fetched again. */
static int drop_file(struct fsck *run, const char *digest, struct err *err)
{
	struct store *store = run->store;
	char trash[48];
	int r = draft_name(trash, sizeof(trash), TRASH_PREFIX);

	if (r < 0)
		return err_sys(err, -r, "cannot remove blob sha256:%s", digest);
	if (renameat(store->blobs_fd, digest, store->tmp_fd, trash) < 0)
		return errno == ENOENT ?
			       0 :
			       err_sys(err, errno, "cannot remove blob sha256:%s", digest);
	return fd_remove_tree(store->tmp_fd, trash, err);
}

struct subject {
	const char *digest;
	char object[DIGEST_HEX_LEN + 16];
	char problem[160];
	char *copy;   /* of its content, from elsewhere; NULL: there is none */
	char *advice; /* what a person can do who needs it */
	bool named;   /* an image needs it */
};

static void subject_release(struct subject *subject)
{
	cleanup_free(&subject->copy);
	cleanup_free(&subject->advice);
}

static int subject_read(struct fsck *run, struct subject *subject, struct err *err)
{
	const struct db_arg *args = DB_ARGS(DB_TEXT(subject->digest));
	int64_t named = 0;
	int r = db_query_int(run->store->db,
			     "SELECT EXISTS (SELECT 1 FROM manifest WHERE digest = ?1)"
			     " OR EXISTS (SELECT 1 FROM manifest_blob WHERE digest = ?1)",
			     args, 0, &named, err);

	snprintf(subject->object, sizeof(subject->object), "blob sha256:%s", subject->digest);
	subject->named = named;
	if (r == 0 && named)
		r = find_copy(run, subject->digest, &subject->copy, err);
	if (r == 0 && named)
		r = fsck_advise(run, NAMES_OF_BLOB, args, &subject->advice, err);
	return r;
}

static int forget(struct fsck *run, const struct subject *subject, struct err *err)
{
	int r = db_run(run->store->db, "DELETE FROM blob WHERE digest = ?1",
		       DB_ARGS(DB_TEXT(subject->digest)), err);

	if (r == 0)
		r = collect_file(run->store, COLLECT_BLOBS, subject->digest, err);
	if (r == 0)
		fsck_fault(run, true, "removed, as no image needs it", subject->object, "%s",
			   subject->problem);
	return r;
}

static int write_anew(struct fsck *run, const struct subject *subject, struct err *err)
{
	char digest[DIGEST_HEX_LEN + 1];
	int r = drop_file(run, subject->digest, err);

	if (r == 0)
		r = blob_put(run->store, subject->copy, strlen(subject->copy), digest, err);
	if (r == 0)
		fsck_fault(run, true, "written anew", subject->object, "%s", subject->problem);
	return r;
}

static int tell(struct fsck *run, const struct subject *subject, struct err *err)
{
	const char *outcome = subject->copy  ? "cman fsck --repair writes it anew" :
			      subject->named ? subject->advice :
					       "cman fsck --repair removes it: no image needs it";
	int r = run->options->repair ? drop_file(run, subject->digest, err) : 0;

	if (r < 0)
		return r;
	fsck_fault(run, false, outcome, subject->object, "%s", subject->problem);
	return strv_add(&run->bad_blobs, subject->digest) < 0 ?
		       err_sys(err, ENOMEM, "cannot check the store") :
		       0;
}

static int check_blob(struct fsck *run, const char *digest, struct err *err)
{
	struct subject subject __attribute__((cleanup(subject_release))) = { .digest = digest };
	int64_t size = 0;
	int r = db_query_int(run->store->db, "SELECT size FROM blob WHERE digest = ?1",
			     DB_ARGS(DB_TEXT(digest)), -1, &size, err);

	if (r < 0 || size < 0) /* gone with its image meanwhile */
		return r;
	run->result.blobs++;
	r = examine(run, digest, size, subject.problem, err);
	if (r < 0 || !subject.problem[0])
		return r;
	r = subject_read(run, &subject, err);
	if (r < 0)
		return r;
	if (run->options->repair && !subject.named)
		return forget(run, &subject, err);
	if (run->options->repair && subject.copy)
		return write_anew(run, &subject, err);
	return tell(run, &subject, err);
}

int fsck_blobs(struct fsck *run, struct err *err)
{
	AUTO_STRV char **digests = NULL;
	int r = db_list_texts(run->store->db, "SELECT digest FROM blob", NULL, &digests, err);

	for (size_t i = 0; r == 0 && digests && digests[i]; i++) {
		r = fsck_poll(run, err);
		if (r == 0 && fsck_is_digest(run, "blob", digests[i]))
			r = check_blob(run, digests[i], err);
	}
	return r;
}
