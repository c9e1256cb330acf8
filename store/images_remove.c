/* SPDX-License-Identifier: Apache-2.0 */
#include "store/images.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/strv.h"
#include "store/change.h"
#include "store/collect.h"
#include "store/db.h"
#include "store/hold.h"
#include "store/images_find.h"
#include "store/images_manifest.h"
#include "store/images_sql.h"
#include "store/reserve.h"
#include "store/store.h"

#define MAX_LISTED 3 /* names in an error */

/* What one call does; told to the caller only after the commit. */
struct removal {
	char id[DIGEST_HEX_LEN + 1];
	char *name;   /* NULL: an ID was given */
	char **names; /* that are removed */
	bool image;   /* the image goes, too */
};

static void removal_release(struct removal *rm)
{
	cleanup_free(&rm->name);
	strv_release(&rm->names);
}

static int fail_in_use(const struct removal *rm, const char *what, char *const *users,
		       struct err *err)
{
	AUTO_BUF struct buf list = BUF_INIT;
	size_t count = strv_len(users);

	buf_add_some(&list, users, MAX_LISTED);
	if (buf_failed(&list))
		return err_sys(err, ENOMEM, "cannot remove image %s", what);
	err_set(err, ERR_STATE, EBUSY, "image %s is in use by container%s %s", what,
		count > 1 ? "s" : "", list.data);
	if (rm->name)
		return err_hint(err, "remove %s first, or just the name with: cman rmi -f %s",
				count > 1 ? "these containers" : "the container", what);
	return err_hint(err, "remove %s first: cman rm %s",
			count > 1 ? "these containers" : "the container", users[0]);
}

static int fail_mounted(const char *what, struct err *err)
{
	err_set(err, ERR_STATE, EBUSY, "image %s is mounted", what);
	return err_hint(err, "unmount it first: cman image unmount %s", what);
}

bool image_is_mounted(struct store *store, const char *id)
{
	char path[sizeof("images/") + DIGEST_HEX_LEN];

	snprintf(path, sizeof(path), "images/%s", id);
	return faccessat(store->run_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int fail_names(const char *what, char *const *names, struct err *err)
{
	AUTO_BUF struct buf list = BUF_INIT;

	buf_add_some(&list, names, MAX_LISTED);
	if (buf_failed(&list))
		return err_sys(err, ENOMEM, "cannot remove image %s", what);
	err_set(err, ERR_STATE, EBUSY, "image %s has several names: %s", what, list.data);
	return err_hint(err, "remove it with all of them: cman rmi -f %s", what);
}

/* Decide what goes. The write lock is held. */
static int plan(struct store *store, const char *what, bool force, struct removal *rm,
		struct err *err)
{
	AUTO_STRV char **all_names = NULL;
	AUTO_STRV char **users = NULL;
	int r = image_find_id(store, what, rm->id, &rm->name, err);

	if (r == 0)
		r = db_list_texts(store->db,
				  "SELECT name FROM image_name WHERE image_id = ?1 ORDER BY name",
				  DB_ARGS(DB_TEXT(rm->id)), &all_names, err);
	if (r == 0)
		r = db_list_texts(store->db,
				  "SELECT name FROM container WHERE image_id = ?1 ORDER BY name",
				  DB_ARGS(DB_TEXT(rm->id)), &users, err);
	if (r < 0)
		return r;
	if (rm->name && strv_len(all_names) > 1)
		return strv_add(&rm->names, rm->name) < 0 ?
			       err_sys(err, ENOMEM, "cannot remove image %s", what) :
			       0;
	if (image_is_mounted(store, rm->id))
		return fail_mounted(what, err);
	if (users && !force)
		return fail_in_use(rm, what, users, err);
	if (strv_len(all_names) > 1 && !force)
		return fail_names(what, all_names, err);
	rm->names = STEAL_PTR(all_names);
	rm->image = !users;
	/* An ID without a name to remove: force has nothing that it could do. */
	if (users && !rm->names)
		return fail_in_use(rm, what, users, err);
	return 0;
}

static int delete_name(struct store *store, const char *name, struct err *err)
{
	const struct change_step untag =
		CHANGE_EVENT(IMAGE_EVENT_UNTAG, DB_TEXT(name), DB_INT(clock_now_ns()));
	const struct change_step delete =
		CHANGE_RECORD("DELETE FROM image_name WHERE name = ?1", DB_TEXT(name));
	int r = change_run(store, CHANGE_STEPS(untag, delete), err);

	return r < 0 ? r : 0;
}

/* Manifests and image_layer rows go with it. Its names have gone before. */
static int delete_image(struct store *store, const char *id, struct err *err)
{
	const struct change_step gone =
		CHANGE_EVENT(IMAGE_EVENT_DELETE, DB_TEXT(id), DB_INT(clock_now_ns()));
	const struct change_step delete =
		CHANGE_RECORD("DELETE FROM image WHERE id = ?1", DB_TEXT(id));
	int r = change_run(store, CHANGE_STEPS(gone, delete), err);

	return r < 0 ? r : 0;
}

static int delete_rows(struct store *store, const char *what, bool force, struct removal *rm,
		       struct err *err)
{
	AUTO_TX sqlite3 *tx = NULL;
	int r = db_begin(store->db, &tx, err);

	if (r == 0)
		r = plan(store, what, force, rm, err);
	for (size_t i = 0; r == 0 && rm->names && rm->names[i]; i++)
		r = delete_name(store, rm->names[i], err);
	if (r == 0 && rm->image)
		r = delete_image(store, rm->id, err);
	else if (r == 0)
		r = image_manifest_prune(store, rm->id, err);
	return r < 0 ? r : db_commit(&tx, err);
}

/* What only this image needed. Where somebody is making an image, a later sweep does it. */
static int take_files_away(struct store *store, struct err *err)
{
	AUTO_CLOSE int alone = -1;
	int r = store_hold_alone(store, &alone, err);

	if (r == -EAGAIN) {
		*err = (struct err)ERR_INIT;
		return 0;
	}
	if (r == 0)
		r = collect_unnamed(store, COLLECT_LAYERS, 0, NULL, err);
	return r < 0 ? r : collect_unnamed(store, COLLECT_BLOBS, 0, NULL, err);
}

int image_remove(struct store *store, const char *name_or_id, bool force, image_removed *removed,
		 void *data, struct err *err)
{
	__attribute__((cleanup(removal_release))) struct removal rm = { 0 };
	struct err later = ERR_INIT;
	int r = delete_rows(store, name_or_id, force, &rm, err);
	int trash;

	/* On a full disk, too, or nobody could ever clear it. */
	if (r == -ENOSPC && reserve_spend(store->root_fd)) {
		*err = (struct err)ERR_INIT;
		removal_release(&rm);
		rm = (struct removal){ 0 };
		r = delete_rows(store, name_or_id, force, &rm, err);
	}
	if (r < 0)
		return r;
	for (size_t i = 0; rm.names && rm.names[i]; i++)
		removed(rm.names[i], false, data);
	if (rm.image)
		removed(rm.id, true, data);
	r = take_files_away(store, err);
	/* What was taken away makes room even where the rest could not be. */
	trash = collect_trash(store, r < 0 ? &later : err);
	return r < 0 ? r : trash;
}
