/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fsck.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/fsck_run.h"
#include "store/hold.h"
#include "store/prefix.h"
#include "store/store.h"
#include "store/sweep.h"

#define MAX_NAMES 5 /* images that an advice names */

void fsck_fault(struct fsck *run, bool repaired, const char *outcome, const char *object,
		const char *problem, ...)
{
	struct fsck_fault fault = { .object = object, .outcome = outcome, .repaired = repaired };
	char text[1024];
	va_list ap;

	va_start(ap, problem);
	vsnprintf(text, sizeof(text), problem, ap);
	va_end(ap);
	fault.problem = text;
	run->result.faults++;
	run->result.repaired += repaired;
	run->options->fault(&fault, run->options->data);
}

void fsck_leftover(struct fsck *run, bool removed, const char *outcome, const char *object,
		   const char *problem)
{
	const struct fsck_fault fault = {
		.object = object,
		.problem = problem,
		.outcome = outcome,
		.repaired = removed,
		.is_leftover = true,
	};

	run->result.leftovers++;
	run->options->fault(&fault, run->options->data);
}

int fsck_poll(struct fsck *run, struct err *err)
{
	return run->options->poll ? run->options->poll(run->options->data, err) : 0;
}

int fsck_advise(struct fsck *run, const char *sql, const struct db_arg *args, char **out,
		struct err *err)
{
	AUTO_STRV char **names = NULL;
	AUTO_BUF struct buf text = BUF_INIT;
	int r = db_list_texts(run->store->db, sql, args, &names, err);

	if (r < 0)
		return r;
	buf_addstr(&text, "pull again: ");
	buf_add_some(&text, names, MAX_NAMES);
	*out = buf_steal(&text);
	return *out ? 0 : err_sys(err, ENOMEM, "cannot check the store");
}

/* What is no digest is no file name of ours either: it might lead anywhere. */
bool fsck_is_digest(struct fsck *run, const char *table, const char *text)
{
	if (prefix_is_one(text, DIGEST_HEX_LEN))
		return true;
	fsck_fault(run, false, NULL, "database", "a row of %s is called %.80s, which is no digest",
		   table, text);
	return false;
}

/* --- the database itself --- */

static int check_integrity(struct fsck *run, struct err *err)
{
	AUTO_STRV char **lines = NULL;
	int r = db_list_texts(run->store->db,
			      run->options->quick ? "PRAGMA quick_check(20)" :
						    "PRAGMA integrity_check(20)",
			      NULL, &lines, err);

	for (size_t i = 0; r == 0 && lines && lines[i]; i++)
		if (strcmp(lines[i], "ok") != 0)
			fsck_fault(run, false, "save what it holds: sqlite3 cman.db .recover",
				   "database", "%s", lines[i]);
	return r;
}

static int check_references(struct fsck *run, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(run->store->db,
			   "SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check"
			   " GROUP BY \"table\", parent",
			   NULL, &stmt, err);

	while (r >= 0 && (r = db_step(stmt, err)) > 0)
		fsck_fault(run, false, NULL, "database",
			   "%d rows of %s name rows of %s that are not there",
			   sqlite3_column_int(stmt, 2), (const char *)sqlite3_column_text(stmt, 0),
			   (const char *)sqlite3_column_text(stmt, 1));
	return r;
}

/* --- all --- */

static int hold(struct fsck *run, int *fd, struct err *err)
{
	int r;

	if (!run->options->repair)
		return store_hold(run->store, fd, err);
	r = store_hold_alone(run->store, fd, err);
	return r == -EAGAIN ? err_hint(err, "try again when it is done") : r;
}

static int check(struct fsck *run, struct err *err)
{
	int r = check_integrity(run, err);

	if (r == 0)
		r = check_references(run, err);
	if (r == 0)
		r = fsck_blobs(run, err);
	if (r == 0)
		r = fsck_layers(run, err);
	if (r == 0)
		r = fsck_images(run, err);
	if (r == 0)
		r = fsck_volumes(run, err);
	return r < 0 ? r : fsck_entries(run, err);
}

int store_fsck(struct store *store, const struct fsck_options *options, struct fsck_result *out,
	       struct err *err)
{
	struct fsck run = { .store = store, .options = options };
	int held = -1;
	int r = hold(&run, &held, err);

	if (r == 0)
		r = db_keep_pages(store->db, err);
	if (r == 0)
		r = check(&run, err);
	strv_release(&run.bad_blobs);
	cleanup_close(&held);
	run.result.is_whole = r == 0;
	*out = run.result;
	/* What interrupted commands have left in tmp/ is no fault, and goes with a repair. */
	return r == 0 && options->repair ? store_sweep(store, err) : r;
}
