/* SPDX-License-Identifier: Apache-2.0 */
#include "image/parse_stage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/config.h"
#include "image/confine.h"
#include "image/parse.h"
#include "image/parse_documents.h"
#include "image/ref.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/json.h"

/* What JSON_MAX_VALUES objects take, and their text, and the answer. */
#define MAX_MEMORY (128LL << 20)
#define MAX_FILES (PARSE_NFDS + 1) /* Landlock's rules take one */

/* Memory is shared with nobody, so that all there is to do is to read, to write and to end. */
static const char *const system_calls[] = {
	"read",		"write", "brk",	       "munmap",	  "mremap", "madvise",
	"rt_sigreturn", "exit",	 "exit_group", "restart_syscall", NULL
};

static const struct confinement confinement = {
	.memory = MAX_MEMORY,
	.descriptors = MAX_FILES,
	.system_calls = system_calls,
};

/* `why`: not all rights could be given up, so that nothing is parsed; NULL: they are. */
static int answer_job(const struct parse_job *job, const char *bytes, const struct err *why)
{
	AUTO_BUF struct buf elements = BUF_INIT;
	struct parse_answer answer;
	int r = -1;

	/* Whole, because all of it is sent. */
	memset(&answer, 0, sizeof(answer));
	if (why)
		answer.err = *why;
	else
		r = parse_document((enum parse_document)job->document, job->media_type, bytes,
				   (size_t)job->len, &answer, &elements, &answer.err);
	if (r < 0) {
		answer.failed = 1;
		answer.count = 0;
		buf_reset(&elements);
	}
	r = fd_write_all(PARSE_FD, &answer, sizeof(answer));
	return r == 0 && elements.len > 0 ? fd_write_all(PARSE_FD, elements.data, elements.len) : r;
}

int parse_stage_main(void)
{
	struct err err = ERR_INIT;
	/* Nothing of a document is read before this is done. */
	const struct err *why = confine_all(&confinement, &err) < 0 ? &err : NULL;
	struct parse_job job;

	while (fd_read_all(PARSE_FD, &job, sizeof(job)) == sizeof(job)) {
		AUTO_FREE char *bytes = NULL;

		if (job.len < 0 || job.len > JSON_MAX_BYTES)
			return 1;
		job.media_type[MEDIA_TYPE_MAX - 1] = '\0';
		bytes = malloc((size_t)job.len + 1);
		if (!bytes || fd_read_all(PARSE_FD, bytes, (size_t)job.len) != job.len)
			return 1;
		bytes[job.len] = '\0';
		if (answer_job(&job, bytes, why) < 0)
			return 1;
	}
	return 0;
}

/* --- the parent's check --- */

size_t parse_element_size(enum parse_document document, int64_t kind)
{
	switch (document) {
	case PARSE_MANIFEST:
	case PARSE_ANY_MANIFEST:
		return kind == MEDIA_INDEX ? sizeof(struct index_entry) : sizeof(struct descriptor);
	case PARSE_CONFIG:
		return 1;
	case PARSE_TAGS:
		return PARSE_TAG_MAX;
	case PARSE_ARCHIVE:
		return sizeof(struct archive_line);
	default:
		return 0;
	}
}

static int nonsense(struct err *err)
{
	return err_set(err, ERR_INVALID, EPROTO, "the parse stage sent nonsense");
}

static bool is_platform(const struct platform *platform)
{
	struct platform again;

	return memchr(platform->os, '\0', PLATFORM_WORD_MAX) &&
	       memchr(platform->architecture, '\0', PLATFORM_WORD_MAX) &&
	       memchr(platform->variant, '\0', PLATFORM_WORD_MAX) &&
	       platform_set(&again, platform->os, platform->architecture, platform->variant) &&
	       memcmp(&again, platform, sizeof(again)) == 0;
}

static bool is_count(enum parse_document document, int64_t kind, int64_t count)
{
	switch (document) {
	case PARSE_MANIFEST:
	case PARSE_ANY_MANIFEST:
		return count >= 0 &&
		       count <= (kind == MEDIA_INDEX ? PARSE_MAX_ENTRIES : PARSE_MAX_LAYERS);
	case PARSE_CONFIG:
		return count >= 1 && count <= FLAT_MAX_BYTES;
	case PARSE_TAGS:
		return count >= 0 && count <= PARSE_MAX_TAGS;
	case PARSE_ARCHIVE:
		return count >= 1 && count <= PARSE_MAX_LINES;
	default:
		return count == 0;
	}
}

static bool is_manifest(const struct parse_answer *answer)
{
	if (!memchr(answer->media_type, '\0', MEDIA_TYPE_MAX) ||
	    (int64_t)media_kind(answer->media_type) != answer->kind)
		return false;
	return answer->kind == MEDIA_INDEX ||
	       (answer->kind == MEDIA_MANIFEST && descriptor_is_valid(&answer->config));
}

int parse_answer_check(enum parse_document document, struct parse_answer *answer, struct err *err)
{
	bool possible = err_received(&answer->err);

	if (answer->failed)
		return possible && answer->count == 0 ? 0 : nonsense(err);
	if (!is_count(document, answer->kind, answer->count) ||
	    ((document == PARSE_MANIFEST || document == PARSE_ANY_MANIFEST) &&
	     !is_manifest(answer)))
		return nonsense(err);
	return 0;
}

static bool is_entry(const struct index_entry *entry)
{
	return descriptor_is_valid(&entry->descriptor) && is_platform(&entry->platform) &&
	       memchr(entry->image_name, '\0', PARSE_NAME_MAX) &&
	       memchr(entry->ref_name, '\0', PARSE_NAME_MAX);
}

static bool is_layer(enum parse_document document, const struct descriptor *layer)
{
	return descriptor_is_valid(layer) &&
	       (document == PARSE_ANY_MANIFEST || media_kind(layer->media_type) == MEDIA_LAYER);
}

/* Within an image the configuration comes first. */
static bool is_line(const struct archive_line *line, bool first)
{
	return line->kind >= ARCHIVE_CONFIG && line->kind <= ARCHIVE_LAYER &&
	       (!first || line->kind == ARCHIVE_CONFIG) && line->text[0] &&
	       memchr(line->text, '\0', PARSE_PATH_MAX);
}

static bool is_element(enum parse_document document, int64_t kind, const char *element, bool first)
{
	switch (document) {
	case PARSE_MANIFEST:
	case PARSE_ANY_MANIFEST:
		return kind == MEDIA_INDEX ? is_entry((const struct index_entry *)element) :
					     is_layer(document, (const struct descriptor *)element);
	case PARSE_TAGS:
		return memchr(element, '\0', PARSE_TAG_MAX) && ref_is_tag(element);
	case PARSE_ARCHIVE:
		return is_line((const struct archive_line *)element, first);
	default:
		return false;
	}
}

/* The form is right, and says what the stage has to find in it. */
static bool is_config(const void *form, size_t len)
{
	AUTO_IMAGE_CONFIG struct image_config config = IMAGE_CONFIG_INIT;
	AUTO_FREE char(*diff_ids)[DIGEST_HEX_LEN + 1] = NULL;
	struct flat root = FLAT_INIT;
	struct err ignored = ERR_INIT;
	size_t n;

	return flat_check(form, len, &ignored) == 0 && flat_open(form, len, &root, &ignored) == 0 &&
	       image_config_read(&root, &config, &ignored) == 0 &&
	       image_config_read_layers(&root, &diff_ids, &n, &ignored) == 0;
}

int parse_elements_check(enum parse_document document, const struct parse_answer *answer,
			 const void *elements, struct err *err)
{
	size_t size = parse_element_size(document, answer->kind);

	if (document == PARSE_CONFIG)
		return is_config(elements, (size_t)answer->count) ? 0 : nonsense(err);
	for (int64_t i = 0; i < answer->count; i++)
		if (!is_element(document, answer->kind, (const char *)elements + (size_t)i * size,
				i == 0))
			return nonsense(err);
	return 0;
}
