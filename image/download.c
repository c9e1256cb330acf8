/* SPDX-License-Identifier: Apache-2.0 */
#include "image/download.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

int download_claim(struct download *download, struct err *err)
{
	return partial_open(download->options->store, download->key, &download->intake->partial,
			    err);
}

static void notice(const struct download *download, const char *text)
{
	if (download->notice)
		download->notice(text, download->options->data);
}

static bool is_addressed(const struct download *download)
{
	return download->size >= 0;
}

static int64_t resume(const char **validator, void *data)
{
	const struct download *download = data;
	const struct partial *partial = &download->intake->partial;

	if (is_addressed(download)) {
		*validator = "";
		return partial->size;
	}
	if (!partial->validator || partial->size == 0)
		return 0;
	*validator = partial->validator;
	return partial->size;
}

static int go_on(struct download *download, int64_t offset, struct err *err)
{
	char text[64];

	if (download->intake->size >= offset)
		return 0; /* of this process: all of it has been unpacked */
	snprintf(text, sizeof(text), "going on from byte %" PRId64, offset);
	notice(download, text);
	download->resumed = true;
	return intake_write_kept(download->intake, err);
}

static int begin(int64_t offset, int64_t total, const char *validator, void *data, struct err *err)
{
	struct download *download = data;
	struct intake *intake = download->intake;
	int r = 0;

	if (is_addressed(download) && total >= 0 && total != download->size)
		return err_set(err, ERR_CORRUPT, EBADMSG,
			       "has %" PRId64 " bytes where its manifest says %" PRId64, total,
			       download->size);
	download->total = total;
	if (offset > 0)
		return go_on(download, offset, err);
	if (intake->size > 0)
		r = intake_begin(intake, download->options, err);
	if (r == 0 && intake->partial.size > 0)
		r = partial_truncate(&intake->partial, err);
	if (r == 0 && !is_addressed(download))
		r = partial_set_validator(download->options->store, &intake->partial,
					  validator[0] ? validator : NULL, err);
	return r;
}

static int receive(const void *bytes, size_t len, void *data, struct err *err)
{
	const struct download *download = data;
	struct intake *intake = download->intake;

	if (is_addressed(download) && (int64_t)len > download->size - intake->size)
		return err_set(err, ERR_CORRUPT, EBADMSG,
			       "has more than the %" PRId64 " bytes that its manifest says",
			       download->size);
	return intake_write(intake, bytes, len, err);
}

static int run_once(struct download *download, struct err *err)
{
	const struct fetch_sink sink = { resume, begin, receive, download };
	struct intake *intake = download->intake;
	int r = intake_begin(intake, download->options, err);

	if (r == 0 && is_addressed(download) && intake->partial.size > download->size)
		r = partial_truncate(&intake->partial, err);
	if (r < 0)
		return r;
	/* All of it came before an earlier process was killed: nothing has to be asked for. */
	if (is_addressed(download) && intake->partial.size == download->size)
		r = go_on(download, download->size, err);
	else
		r = download->fetch(&sink, download->data, err);
	return r < 0 ? r : intake_finish(intake, err);
}

/* Whether the bytes are at fault, not the way to them. */
static bool blames_bytes(const struct err *err)
{
	return err->kind == ERR_CORRUPT || err->kind == ERR_INVALID;
}

/* Forget the bytes, or keep them for a later resume where `why` allows. */
static void give_up(struct download *download, const struct err *why)
{
	struct partial *partial = &download->intake->partial;
	struct err ignored = ERR_INIT;

	/* On a full disk, they are in the way of whatever the user does next. */
	if (blames_bytes(why) || why->num == ENOSPC || why->num == EDQUOT || partial->size == 0 ||
	    (!is_addressed(download) && !partial->validator))
		partial_discard(download->options->store, partial, &ignored);
	intake_release(download->intake);
}

int download_run(struct download *download, struct err *err)
{
	int r;

	download->resumed = false;
	r = run_once(download, err);
	if (r < 0 && download->resumed && blames_bytes(err)) {
		notice(download, "what was downloaded before is of no use: starting over");
		*err = (struct err)ERR_INIT;
		r = partial_truncate(&download->intake->partial, err);
		if (r == 0)
			r = run_once(download, err);
	}
	if (r < 0)
		give_up(download, err);
	return r;
}

void download_forget(struct store *store, const char *key)
{
	struct partial partial = PARTIAL_INIT;
	struct err ignored = ERR_INIT;

	if (partial_open(store, key, &partial, &ignored) == 0)
		(void)partial_discard(store, &partial, &ignored);
}
