/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of images. Names lie in the order of IDs, and images in that of time: to have SQLite
 * look up the names of each image took longer than all else. So they are read first, all in one
 * pass, and found in memory.
 */
#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/db.h"
#include "store/images.h"
#include "store/store.h"

/* At first, of address space: a page of it is taken when it is written to. */
#define NAMES_MIN 1024
#define TEXT_MIN (64u << 10)

/* The digits of an ID, which are compared eight at a time. */
struct id {
	uint64_t words[DIGEST_HEX_LEN / sizeof(uint64_t)];
};

struct name {
	struct id id;
	size_t at; /* in names.text: the name, and its digest or "" */
};

struct names {
	struct buf text;
	struct name *list; /* sorted by ID, then by name */
	size_t n, capacity;
};

static void names_release(struct names *names)
{
	buf_release(&names->text);
	cleanup_free(&names->list);
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot list images");
}

static int read_id(sqlite3_stmt *stmt, int column, struct id *out, struct err *err)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	if (!text)
		return no_memory(err);
	if (sqlite3_column_bytes(stmt, column) != DIGEST_HEX_LEN)
		return err_set(err, ERR_CORRUPT, EBADMSG, "%s is damaged: an image has the ID %s",
			       sqlite3_db_filename(sqlite3_db_handle(stmt), "main"), text);
	memcpy(out->words, text, sizeof(out->words));
	return 0;
}

/* As numbers they are in the order of the texts. */
static uint64_t first_of(const struct id *id)
{
	return be64toh(id->words[0]);
}

static bool is_same(const struct id *a, const struct id *b)
{
	uint64_t differ = 0;

	for (size_t i = 0; i < sizeof(a->words) / sizeof(a->words[0]); i++)
		differ |= a->words[i] ^ b->words[i];
	return differ == 0;
}

/* With its NUL; null is "". */
static void add_text(struct buf *buf, sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	if (text)
		buf_add(buf, text, (size_t)sqlite3_column_bytes(stmt, column) + 1);
	else
		buf_add(buf, "", 1);
}

static int add_name(struct names *names, sqlite3_stmt *stmt, bool brief, struct err *err)
{
	struct name *name;

	if (names->n == names->capacity) {
		size_t capacity = names->capacity ? 2 * names->capacity : NAMES_MIN;
		struct name *list = reallocarray(names->list, capacity, sizeof(*list));

		if (!list)
			return no_memory(err);
		names->list = list;
		names->capacity = capacity;
	}
	name = &names->list[names->n++];
	name->at = names->text.len;
	add_text(&names->text, stmt, 1);
	if (brief)
		buf_add(&names->text, "", 1);
	else
		add_text(&names->text, stmt, 2);
	return buf_failed(&names->text) ? no_memory(err) : read_id(stmt, 0, &name->id, err);
}

static int read_names(struct store *store, bool brief, struct names *names, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	/* From an index that has all of it, in this order. */
	int r = db_prepare(store->db,
			   brief ? "SELECT image_id, name FROM image_name"
				   " ORDER BY image_id, name" :
				   "SELECT image_id, name, digest FROM image_name"
				   " ORDER BY image_id, name",
			   NULL, &stmt, err);

	buf_reserve(&names->text, TEXT_MIN);
	while (r == 0 && (r = db_step(stmt, err)) > 0)
		r = add_name(names, stmt, brief, err);
	return r;
}

/* The first of those whose IDs begin as this one, or come after it. */
static size_t find_first(const struct names *names, const struct id *id)
{
	const uint64_t wanted = first_of(id);
	size_t low = 0, n = names->n;

	while (n > 0) {
		size_t half = n / 2;

		if (first_of(&names->list[low + half].id) < wanted) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return low;
}

/* The rows of one image: of each name, or one without. */
static int list_image(const struct names *names, const struct id *id, struct image_row *row,
		      image_row_visit *visit, void *data, struct err *err)
{
	bool named = false;
	int r = 0;

	for (size_t i = find_first(names, id); r == 0 && i < names->n; i++) {
		const struct name *name = &names->list[i];

		if (name->id.words[0] != id->words[0])
			break;
		if (!is_same(&name->id, id))
			continue;
		named = true;
		row->name = names->text.data + name->at;
		row->digest = row->name + strlen(row->name) + 1;
		if (row->digest[0] == '\0')
			row->digest = NULL;
		r = visit(row, data, err);
	}
	return r == 0 && !named ? visit(row, data, err) : r;
}

/* From the row that `stmt` is at. */
static int list_images(sqlite3_stmt *stmt, bool brief, const struct names *names,
		       image_row_visit *visit, void *data, struct err *err)
{
	struct id id;
	int r;

	do {
		struct image_row row = {
			.id = (const char *)sqlite3_column_text(stmt, 0),
			.created_ns = sqlite3_column_int64(stmt, 1),
			.size = sqlite3_column_int64(stmt, 2),
		};

		if (!brief) {
			row.source = (const char *)sqlite3_column_text(stmt, 3);
			row.source_digest = (const char *)sqlite3_column_text(stmt, 4);
		}
		r = read_id(stmt, 0, &id, err);
		if (r == 0)
			r = list_image(names, &id, &row, visit, data, err);
	} while (r == 0 && (r = db_step(stmt, err)) > 0);
	return r;
}

static int list(struct store *store, bool brief, image_row_visit *visit, void *data,
		struct err *err)
{
	__attribute__((cleanup(names_release))) struct names names = { 0 };
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(store->db,
			   brief ? "SELECT id, created_ns, size FROM image"
				   " ORDER BY created_ns DESC, id DESC" :
				   "SELECT id, created_ns, size, source, source_digest FROM image"
				   " ORDER BY created_ns DESC, id DESC",
			   NULL, &stmt, err);

	/* The first step begins the transaction in which all of it is read. */
	if (r == 0)
		r = db_step(stmt, err);
	if (r <= 0)
		return r;
	r = read_names(store, brief, &names, err);
	return r < 0 ? r : list_images(stmt, brief, &names, visit, data, err);
}

int image_list(struct store *store, image_row_visit *visit, void *data, struct err *err)
{
	return list(store, false, visit, data, err);
}

int image_list_brief(struct store *store, image_row_visit *visit, void *data, struct err *err)
{
	return list(store, true, visit, data, err);
}
