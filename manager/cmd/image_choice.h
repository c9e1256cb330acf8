/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_IMAGE_CHOICE_H
#define CMAN_MANAGER_CMD_IMAGE_CHOICE_H

/*
 * Which image `cman run` takes, and which words are then the command:
 *
 *	--image IMAGE		that one, and all words are the command
 *	the first word		when it names a local image, or is written as a reference (has '/',
 *				':' or '@' and does not begin as a path does)
 *	else			the default image, and all words are the command
 *
 * An image that is written as a reference, given by --image, or is the default, is pulled as --pull
 * says. A bare first word is never pulled on a guess.
 */

#include <stdbool.h>

#include "image/document.h"
#include "image/platform.h"
#include "store/base/err.h"
#include "store/images.h"
#include "store/store.h"

struct image_choice {
	struct image_record image;
	struct image_document document; /* the image's configuration */
	char *reference;		/* what the record calls it: the reference, normalised */
	char *const *command;		/* the words left */
	bool is_default; /* nobody named it: the first word may be an image mistyped */
};

#define IMAGE_CHOICE_INIT                        \
	{                                        \
		.document = IMAGE_DOCUMENT_INIT, \
	}
#define AUTO_IMAGE_CHOICE __attribute__((cleanup(image_choice_release)))
void image_choice_release(struct image_choice *choice);

/* --pull. */
enum pull_policy {
	PULL_MISSING, /* what is not here */
	PULL_ALWAYS,  /* also what is here, if its registry has another by now */
	PULL_NEWER,   /* the same, but what is here will do where the registry cannot be asked */
	PULL_NEVER,
};

/* What --pull takes; the option's help. */
#define PULL_POLICIES "missing|always|newer|never"
/* ERR_USAGE. */
int pull_policy_parse(const char *value, enum pull_policy *out, struct err *err);

/* A program's, and no reference. */
bool image_word_is_path(const char *word);

struct image_wish {
	const char *given; /* of --image, or NULL */
	enum pull_policy pull;
	bool quiet;		  /* a pull shows nothing */
	struct platform platform; /* of --platform; not told: what is here, or this machine's */
};

/*
 * `words` ends with NULL. As image_find and image_pull fail; ERR_NOT_FOUND also where what is here
 * is for another platform than was asked for and cannot be pulled.
 */
int image_choose(struct store *store, const struct image_wish *wish, char *const *words,
		 struct image_choice *out, struct err *err);

#endif
