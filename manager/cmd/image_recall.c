/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/image_recall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager/cmd/recall.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/texts.h"
#include "store/prefix.h"

#define MAGIC "cman image choice 2"
#define FILE_MAX_BYTES (1u << 20)
#define LAYERS_MAX 512
#define KIND "choice"
#define FILES 64

/* What was asked: by which of the three ways of image_choose(), and for what. */
static void add_question(struct buf *buf, const struct image_wish *wish, char *const *words)
{
	if (wish->given)
		buf_addf(buf, "given %s", wish->given);
	else if (words[0] && !image_word_is_path(words[0]))
		buf_addf(buf, "word %s", words[0]);
	else
		buf_addstr(buf, "default");
}

/* --- a file: texts, each with its end, and a document behind its length --- */

static void add_document(struct buf *buf, const struct image_document *document)
{
	char count[24];

	snprintf(count, sizeof(count), "%zu", document->len);
	texts_add(buf, count);
	buf_add(buf, document->form, document->len);
}

static bool next_copy(struct texts *texts, char **out)
{
	const char *text = texts_next(texts);

	*out = text ? strdup(text) : NULL;
	return *out;
}

static bool next_is(struct texts *texts, const char *expected)
{
	const char *text = texts_next(texts);

	return text && strcmp(text, expected) == 0;
}

static bool read_document(struct texts *texts, struct image_document *out)
{
	const char *count = texts_next(texts);
	size_t len = count ? strtoul(count, NULL, 10) : 0;
	struct err ignored = ERR_INIT;

	if (len > (size_t)(texts->end - texts->at))
		return false;
	out->form = malloc(len + 1);
	if (!out->form)
		return false;
	memcpy(out->form, texts->at, len);
	out->len = len;
	texts->at += len;
	return flat_open(out->form, len, &out->root, &ignored) == 0;
}

static bool read_layers(struct texts *texts, struct image_record *image)
{
	const char *count = texts_next(texts);
	unsigned long n = count ? strtoul(count, NULL, 10) : LAYERS_MAX + 1;

	if (n > LAYERS_MAX)
		return false;
	image->layers = calloc(n + 1, sizeof(*image->layers));
	for (; image->layers && image->nlayers < n; image->nlayers++) {
		struct image_layer *layer = &image->layers[image->nlayers];
		const char *tree = texts_next(texts);

		if (!tree || !prefix_is_one(tree, DIGEST_HEX_LEN) ||
		    strlen(tree) >= sizeof(layer->tree))
			return false;
		strcpy(layer->tree, tree);
	}
	return image->layers;
}

static bool read_choice(struct texts *texts, const char *question, struct image_choice *out)
{
	const char *id, *is_default;

	if (!next_is(texts, MAGIC) || !next_is(texts, question))
		return false;
	is_default = texts_next(texts);
	id = texts_next(texts);
	if (!is_default || !id || strlen(id) >= sizeof(out->image.id))
		return false;
	out->is_default = is_default[0] == 'd';
	strcpy(out->image.id, id);
	return next_copy(texts, &out->reference) && read_document(texts, &out->document) &&
	       read_layers(texts, &out->image) && texts->at == texts->end;
}

bool image_recall(const struct store *store, const struct image_wish *wish, char *const *words,
		  struct image_choice *out)
{
	AUTO_IMAGE_CHOICE struct image_choice choice = IMAGE_CHOICE_INIT;
	AUTO_BUF struct buf question = BUF_INIT;
	AUTO_FREE char *text = NULL;
	struct err missing = ERR_INIT;
	char name[RECALL_NAME_SIZE];
	size_t len;

	if (wish->platform.os[0] || wish->pull == PULL_ALWAYS || wish->pull == PULL_NEWER)
		return false;
	add_question(&question, wish, words);
	if (buf_failed(&question))
		return false;
	recall_name(KIND, FILES, question.data, question.len, name);
	if (fd_read_file(store->run_fd, name, FILE_MAX_BYTES, &text, &len, &missing) < 0)
		return false;

	struct texts texts = { text, text + len };

	if (!read_choice(&texts, question.data, &choice))
		return false;
	choice.command = wish->given || choice.is_default ? words : words + 1;
	*out = choice;
	choice = (struct image_choice)IMAGE_CHOICE_INIT;
	return true;
}

void image_remember(const struct store *store, const struct image_wish *wish, char *const *words,
		    const struct image_choice *choice)
{
	AUTO_BUF struct buf question = BUF_INIT;
	AUTO_BUF struct buf buf = BUF_INIT;
	struct err ignored = ERR_INIT;
	char name[RECALL_NAME_SIZE];
	char count[16];

	if (wish->platform.os[0] || choice->image.nlayers > LAYERS_MAX)
		return;
	add_question(&question, wish, words);
	if (buf_failed(&question))
		return;
	recall_name(KIND, FILES, question.data, question.len, name);
	snprintf(count, sizeof(count), "%zu", choice->image.nlayers);
	texts_add(&buf, MAGIC);
	texts_add(&buf, question.data);
	texts_add(&buf, choice->is_default ? "default" : "named");
	texts_add(&buf, choice->image.id);
	texts_add(&buf, choice->reference);
	add_document(&buf, &choice->document);
	texts_add(&buf, count);
	for (size_t i = 0; i < choice->image.nlayers; i++)
		texts_add(&buf, choice->image.layers[i].tree);
	if (!buf_failed(&buf) && buf.len <= FILE_MAX_BYTES)
		(void)fd_replace_file(store->run_fd, name, 0600, buf.data, buf.len, false,
				      &ignored);
}

bool image_choice_equal(const struct image_choice *a, const struct image_choice *b)
{
	bool equal = a->is_default == b->is_default && strcmp(a->image.id, b->image.id) == 0 &&
		     strcmp(a->reference, b->reference) == 0 &&
		     a->document.len == b->document.len &&
		     memcmp(a->document.form, b->document.form, a->document.len) == 0 &&
		     a->image.nlayers == b->image.nlayers;

	for (size_t i = 0; equal && i < a->image.nlayers; i++)
		equal = strcmp(a->image.layers[i].tree, b->image.layers[i].tree) == 0;
	return equal;
}
