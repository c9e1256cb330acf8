/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/image_choice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/document.h"
#include "image/names.h"
#include "image/pull.h"
#include "image/ref.h"
#include "manager/cmd/progress.h"
#include "manager/config.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"

/* Where there is something else that will do, nobody wants to wait long. */
#define NEWER_RETRIES 1

void image_choice_release(struct image_choice *choice)
{
	image_record_release(&choice->image);
	image_document_release(&choice->document);
	free(choice->reference);
	*choice = (struct image_choice)IMAGE_CHOICE_INIT;
}

/* No reference begins like this, but a program's path does. */
bool image_word_is_path(const char *word)
{
	return word[0] == '/' || word[0] == '.';
}

int pull_policy_parse(const char *value, enum pull_policy *out, struct err *err)
{
	static const char *const names[] = {
		[PULL_MISSING] = "missing",
		[PULL_ALWAYS] = "always",
		[PULL_NEWER] = "newer",
		[PULL_NEVER] = "never",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(value, names[i]) == 0) {
			*out = (enum pull_policy)i;
			return 0;
		}
	}
	return err_set(err, ERR_USAGE, EINVAL, "--pull: not one of " PULL_POLICIES ": %s", value);
}

/* `retries` as in image/pull.h. */
static int pull(struct store *store, const char *name, const struct image_wish *wish, int retries,
		struct image_record *out, struct err *err)
{
	AUTO_CONFIG struct config config = CONFIG_INIT;
	struct pull_request request = {
		.source = name,
		.platform = wish->platform.os[0] ? &wish->platform : NULL,
		.limits = &config.limits,
		.retries = retries,
	};
	struct progress progress;
	int rc = config_load(&config, err);

	if (rc < 0)
		return rc;
	progress_begin(&progress, wish->quiet ? PROGRESS_NONE : PROGRESS_AUTO);
	rc = image_pull(store, &request, &progress.ui, out, err);
	progress_end(&progress);
	return rc;
}

/* What is here under the name, if it is for the platform that was asked for. */
static int lookup(struct store *store, const char *name, const struct image_wish *wish,
		  struct image_record *out, struct err *err)
{
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	AUTO_IMAGE_CONFIG struct image_config config = IMAGE_CONFIG_INIT;
	char wanted[PLATFORM_TEXT_MAX], found[PLATFORM_TEXT_MAX];
	int rc = image_lookup(store, name, &image, err);

	if (rc == 0 && wish->platform.os[0])
		rc = image_document_config(store, image.id, &config, err);
	if (rc < 0)
		return rc;
	if (wish->platform.os[0] && platform_distance(&wish->platform, &config.platform) < 0) {
		platform_format(&wish->platform, wanted);
		err_set(err, ERR_NOT_FOUND, ENOENT, "%s: it is here for %s, and not for %s", name,
			platform_format(&config.platform, found), wanted);
		return err_hint(err, "get that one: cman pull --platform %s %.80s", wanted, name);
	}
	*out = image;
	image = (struct image_record)IMAGE_RECORD_INIT;
	return 0;
}

/* What is here, unless the registry can be asked and has another. */
static int pull_newer(struct store *store, const char *name, const struct image_wish *wish,
		      struct image_record *out, struct err *err)
{
	struct err why = ERR_INIT;
	int rc = pull(store, name, wish, NEWER_RETRIES, out, &why);

	if (rc == 0)
		return 0;
	if (why.kind == ERR_NETWORK && lookup(store, name, wish, out, err) == 0) {
		log_warn("%s; taking what is here", why.text);
		return 0;
	}
	*err = why;
	return rc;
}

static int find_or_pull(struct store *store, const char *name, const struct image_wish *wish,
			struct image_record *out, struct err *err)
{
	int rc;

	if (wish->pull == PULL_ALWAYS)
		return pull(store, name, wish, 0, out, err);
	if (wish->pull == PULL_NEWER)
		return pull_newer(store, name, wish, out, err);
	rc = lookup(store, name, wish, out, err);
	if (rc == 0 || err->kind != ERR_NOT_FOUND || wish->pull == PULL_NEVER)
		return rc;
	*err = (struct err)ERR_INIT;
	return pull(store, name, wish, 0, out, err);
}

/* The name the image goes by: what was asked for, completed, if that is a name of it. */
static int name_of(const struct image_record *image, const char *asked, char **out, struct err *err)
{
	AUTO_FREE char *normal = NULL;
	AUTO_FREE char *full = NULL;
	AUTO_REF struct ref ref = REF_INIT;
	struct err ignored = ERR_INIT;
	const char *name = image->nnames > 0 ? image->names[0].name : image->id;

	if (ref_normalize(asked, &normal, &ignored) == 0 && image_has_name(image, normal))
		name = normal;
	else if (name_qualify(asked, &ref, &ignored) == 0 &&
		 ref_format(&ref, &full, &ignored) == 0 && image_has_name(image, full))
		name = full;
	*out = strdup(name);
	return *out ? 0 : err_sys(err, ENOMEM, "cannot choose an image");
}

static int take(struct image_choice *choice, const char *asked, char *const *command,
		struct err *err)
{
	choice->command = command;
	return name_of(&choice->image, asked, &choice->reference, err);
}

static int take_default(struct store *store, const struct image_wish *wish, char *const *words,
			struct image_choice *choice, struct err *err)
{
	AUTO_CONFIG struct config config = CONFIG_INIT;
	int rc = config_load(&config, err);

	choice->is_default = true;
	if (rc < 0)
		return rc;
	/* Nobody typed its name. */
	if (find_or_pull(store, config.default_image, wish, &choice->image, err) < 0)
		return err_wrap(err, "default image");
	return take(choice, config.default_image, words, err);
}

/* Returns 1 when the first word is no image. */
static int take_first_word(struct store *store, const struct image_wish *wish, char *const *words,
			   struct image_choice *choice, struct err *err)
{
	bool is_reference = ref_is_written_as_reference(words[0]);
	struct err missing = ERR_INIT;
	int rc;

	if (image_word_is_path(words[0]))
		return 1;
	if (is_reference) {
		rc = find_or_pull(store, words[0], wish, &choice->image, err);
		return rc < 0 ? rc : take(choice, words[0], words + 1, err);
	}
	rc = image_lookup(store, words[0], &choice->image, &missing);
	if (rc < 0 && missing.kind == ERR_NOT_FOUND)
		return 1;
	if (rc < 0) {
		*err = missing;
		return rc;
	}
	image_record_release(&choice->image);
	if (wish->pull == PULL_ALWAYS || wish->pull == PULL_NEWER)
		rc = find_or_pull(store, words[0], wish, &choice->image, err);
	else
		rc = lookup(store, words[0], wish, &choice->image, err);
	return rc < 0 ? rc : take(choice, words[0], words + 1, err);
}

int image_choose(struct store *store, const struct image_wish *wish, char *const *words,
		 struct image_choice *out, struct err *err)
{
	AUTO_IMAGE_CHOICE struct image_choice choice = IMAGE_CHOICE_INIT;
	int rc = 1;

	if (wish->given) {
		rc = find_or_pull(store, wish->given, wish, &choice.image, err);
		if (rc == 0)
			rc = take(&choice, wish->given, words, err);
	} else if (words[0]) {
		rc = take_first_word(store, wish, words, &choice, err);
	}
	if (rc == 1)
		rc = take_default(store, wish, words, &choice, err);
	if (rc == 0)
		rc = image_document_get(store, choice.image.id, &choice.document, err);
	if (rc < 0)
		return rc;
	*out = choice;
	choice = (struct image_choice)IMAGE_CHOICE_INIT;
	return 0;
}
