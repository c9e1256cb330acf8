/* SPDX-License-Identifier: Apache-2.0 */
#include "image/parse.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "image/config.h"
#include "image/parse_stage.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/strv.h"
#include "store/json.h"

void parse_session_end(struct parse_session *session)
{
	int saved = errno;

	cleanup_close(&session->fd);
	stage_end(&session->stage);
	*session = (struct parse_session)PARSE_SESSION_INIT;
	errno = saved;
}

/* A document takes milliseconds. Whoever has taken the stage over cannot hold us up for ever. */
#define ANSWER_TIMEOUT_S 30

static int limit_wait(int fd, struct err *err)
{
	const struct timeval limit = { .tv_sec = ANSWER_TIMEOUT_S };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return err_sys(err, errno, "cannot talk to the parse stage");
	return 0;
}

static int start(struct parse_session *session, struct err *err)
{
	int sockets[2], fds[PARSE_NFDS] = { -1, -1, -1, -1 };
	const struct stage_options options = {
		.fds = fds,
		.nfds = PARSE_NFDS,
		.parent_death_signal = SIGKILL,
	};
	AUTO_CLOSE int theirs = -1;

	if (session->stage.pid > 0)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
		return err_sys(err, errno, "cannot talk to the parse stage");
	session->fd = sockets[0];
	theirs = sockets[1];
	fds[PARSE_FD] = theirs;
	if (limit_wait(session->fd, err) < 0)
		return err_code(err);
	return stage_spawn("cman-parse", &options, &session->stage, err);
}

/* When an exchange that begins now has to be at its end: byte by byte it could last for ever. */
static int64_t deadline(void)
{
	return clock_monotonic_ns() + ANSWER_TIMEOUT_S * NS_PER_S;
}

static int receive_all(int fd, void *data, size_t len, int64_t until_ns)
{
	char *at = data;

	while (len > 0) {
		ssize_t n = recv(fd, at, len, 0);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -EPIPE;
		if (clock_monotonic_ns() > until_ns)
			return -ETIMEDOUT;
		at += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int send_all(int fd, const void *data, size_t len, int64_t until_ns)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (clock_monotonic_ns() > until_ns)
			return -ETIMEDOUT;
		at += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* The stage reads all of a document before it answers: neither waits for the other's reading. */
static int exchange(struct parse_session *session, const struct parse_job *job, const void *bytes,
		    struct parse_answer *answer, void **elements, struct err *err)
{
	AUTO_FREE char *all = NULL;
	int64_t until_ns = deadline();
	size_t size;
	int r;

	if (send_all(session->fd, job, sizeof(*job), until_ns) < 0 ||
	    send_all(session->fd, bytes, (size_t)job->len, until_ns) < 0 ||
	    receive_all(session->fd, answer, sizeof(*answer), until_ns) < 0)
		return err_set(err, ERR_SYS, EIO, "the parse stage gave no answer");
	r = parse_answer_check((enum parse_document)job->document, answer, err);
	if (r != 0 || answer->failed)
		return r;
	size = (size_t)answer->count *
	       parse_element_size((enum parse_document)job->document, answer->kind);
	all = malloc(size ? size : 1);
	if (!all)
		return err_sys(err, ENOMEM, "cannot take what was parsed");
	if (receive_all(session->fd, all, size, until_ns) < 0)
		return err_set(err, ERR_SYS, EIO, "the parse stage gave no answer");
	r = parse_elements_check((enum parse_document)job->document, answer, all, err);
	if (r == 0)
		*elements = STEAL_PTR(all);
	return r;
}

/* `elements` is to be freed; there are answer->count. */
static int ask(struct parse_session *session, enum parse_document document, const char *media_type,
	       const void *bytes, size_t len, struct parse_answer *answer, void **elements,
	       struct err *err)
{
	struct parse_job job;
	int r;

	if (len > JSON_MAX_BYTES)
		return err_set(err, ERR_INVALID, EFBIG, "the document is larger than %u bytes",
			       JSON_MAX_BYTES);
	memset(&job, 0, sizeof(job));
	job.document = document;
	job.len = (int64_t)len;
	/* A type that is malformed is as good as none. */
	if (media_type)
		media_type_set(job.media_type, media_type);
	r = start(session, err);
	if (r == 0)
		r = exchange(session, &job, bytes, answer, elements, err);
	if (r != 0) {
		parse_session_end(session);
		return r;
	}
	if (answer->failed) {
		*err = answer->err;
		return err_negative(err_code(err));
	}
	return 0;
}

/* --- manifests and indexes --- */

void parsed_manifest_release(struct parsed_manifest *manifest)
{
	free(manifest->entries);
	free(manifest->layers);
	*manifest = (struct parsed_manifest)PARSED_MANIFEST_INIT;
}

/* What is there for people to choose from, each once. */
static int nothing_for(const struct platform *want, const struct parsed_manifest *manifest,
		       struct err *err)
{
	char name[PLATFORM_TEXT_MAX];
	AUTO_BUF struct buf list = BUF_INIT;

	buf_addstr(&list, ", ");
	for (size_t i = 0; i < manifest->nentries; i++) {
		const struct platform *platform = &manifest->entries[i].platform;
		char item[PLATFORM_TEXT_MAX + 4], text[PLATFORM_TEXT_MAX];

		if (!platform->os[0] || strcmp(platform->os, "unknown") == 0)
			continue;
		snprintf(item, sizeof(item), ", %s, ", platform_format(platform, text));
		if (!buf_failed(&list) && !strstr(list.data, item))
			buf_addstr(&list, item + 2);
	}
	if (buf_failed(&list))
		return err_sys(err, ENOMEM, "cannot choose an image");
	if (list.len <= 2)
		return err_set(err, ERR_UNSUPPORTED, ENOTSUP, "there is no image in it for %s",
			       platform_format(want, name));
	list.data[list.len - 2] = '\0';
	err_set(err, ERR_UNSUPPORTED, ENOTSUP, "there is no image for %s, but for %s",
		platform_format(want, name), list.data + 2);
	return err_hint(err, "choose one of them with --platform");
}

/* Of an entry that does not tell its platform: better than nothing, as its configuration will. */
#define UNTOLD_DISTANCE 1000

int index_entry_distance(const struct index_entry *entry, const struct platform *want)
{
	enum media_kind kind = media_kind(entry->descriptor.media_type);

	if (kind != MEDIA_MANIFEST && kind != MEDIA_INDEX)
		return -1;
	if (!entry->platform.os[0])
		return UNTOLD_DISTANCE;
	return platform_distance(want, &entry->platform);
}

static int choose(struct parsed_manifest *manifest, const struct platform *want, struct err *err)
{
	int best = -1;

	for (size_t i = 0; i < manifest->nentries; i++) {
		int distance = index_entry_distance(&manifest->entries[i], want);

		if (distance >= 0 && (best < 0 || distance < best)) {
			best = distance;
			manifest->chosen = i;
		}
	}
	return best < 0 ? nothing_for(want, manifest, err) : 0;
}

static int parse_as(enum parse_document document, struct parse_session *session, const void *bytes,
		    size_t len, const char *media_type, const struct platform *want,
		    struct parsed_manifest *out, struct err *err)
{
	AUTO_PARSED_MANIFEST struct parsed_manifest manifest = PARSED_MANIFEST_INIT;
	struct parse_answer answer;
	void *elements = NULL;
	int r = ask(session, document, media_type, bytes, len, &answer, &elements, err);

	if (r != 0)
		return r;
	manifest.kind = (enum media_kind)answer.kind;
	memcpy(manifest.media_type, answer.media_type, sizeof(manifest.media_type));
	if (manifest.kind == MEDIA_INDEX) {
		manifest.entries = elements;
		manifest.nentries = (size_t)answer.count;
		if (want)
			r = choose(&manifest, want, err);
	} else {
		manifest.config = answer.config;
		manifest.layers = elements;
		manifest.nlayers = (size_t)answer.count;
	}
	if (r < 0)
		return r;
	*out = manifest;
	manifest = (struct parsed_manifest)PARSED_MANIFEST_INIT;
	return 0;
}

int parse_manifest(struct parse_session *session, const void *bytes, size_t len,
		   const char *media_type, const struct platform *want, struct parsed_manifest *out,
		   struct err *err)
{
	return parse_as(PARSE_MANIFEST, session, bytes, len, media_type, want, out, err);
}

int parse_any_manifest(struct parse_session *session, const void *bytes, size_t len,
		       const char *media_type, struct parsed_manifest *out, struct err *err)
{
	return parse_as(PARSE_ANY_MANIFEST, session, bytes, len, media_type, NULL, out, err);
}

/* --- the other documents --- */

void parsed_config_release(struct parsed_config *config)
{
	free(config->diff_ids);
	free(config->flat);
	*config = (struct parsed_config)PARSED_CONFIG_INIT;
}

int parse_image_config(struct parse_session *session, const void *bytes, size_t len,
		       struct parsed_config *out, struct err *err)
{
	AUTO_PARSED_CONFIG struct parsed_config parsed = PARSED_CONFIG_INIT;
	AUTO_IMAGE_CONFIG struct image_config config = IMAGE_CONFIG_INIT;
	struct flat root = FLAT_INIT;
	struct parse_answer answer;
	void *form = NULL;
	int r = ask(session, PARSE_CONFIG, NULL, bytes, len, &answer, &form, err);

	if (r != 0)
		return r;
	parsed.flat = form;
	parsed.flat_len = (size_t)answer.count;
	r = flat_open(form, parsed.flat_len, &root, err);
	if (r == 0)
		r = image_config_read(&root, &config, err);
	if (r == 0)
		r = image_config_read_layers(&root, &parsed.diff_ids, &parsed.ndiff_ids, err);
	if (r < 0)
		return r;
	parsed.platform = config.platform;
	*out = parsed;
	parsed = (struct parsed_config)PARSED_CONFIG_INIT;
	return 0;
}

int parse_tags(struct parse_session *session, const void *bytes, size_t len, char ***out,
	       struct err *err)
{
	struct parse_answer answer;
	AUTO_FREE void *elements = NULL;
	char **tags;
	int r = ask(session, PARSE_TAGS, NULL, bytes, len, &answer, &elements, err);

	if (r != 0)
		return r;
	tags = calloc((size_t)answer.count + 1, sizeof(*tags));
	for (int64_t i = 0; tags && i < answer.count; i++) {
		tags[i] = strdup((char *)elements + i * PARSE_TAG_MAX);
		if (!tags[i]) {
			strv_free(tags);
			tags = NULL;
		}
	}
	if (!tags)
		return err_sys(err, ENOMEM, "cannot keep the tags");
	*out = tags;
	return 0;
}

int parse_oci_layout(struct parse_session *session, const void *bytes, size_t len, struct err *err)
{
	struct parse_answer answer;
	AUTO_FREE void *elements = NULL;

	return ask(session, PARSE_LAYOUT, NULL, bytes, len, &answer, &elements, err);
}

void parsed_archive_release(struct parsed_archive *archive)
{
	free(archive->lines);
	*archive = (struct parsed_archive)PARSED_ARCHIVE_INIT;
}

int parse_archive(struct parse_session *session, const void *bytes, size_t len,
		  struct parsed_archive *out, struct err *err)
{
	struct parse_answer answer;
	void *elements = NULL;
	int r = ask(session, PARSE_ARCHIVE, NULL, bytes, len, &answer, &elements, err);

	if (r != 0)
		return r;
	out->lines = elements;
	out->nlines = (size_t)answer.count;
	return 0;
}
