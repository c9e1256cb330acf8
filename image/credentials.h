/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_CREDENTIALS_H
#define CMAN_IMAGE_CREDENTIALS_H

/*
 * Who one is at a registry, in Docker's config.json: "auths" (base64 of user:password, or an
 * identity token), "credsStore" and "credHelpers" (programs docker-credential-NAME, by the
 * protocol of docker-credential-helpers). Podman's auth.json has the same format and may have
 * repositories as keys; the longest that fits applies.
 *
 * Only CMAN_AUTH_FILE is read where it is set. Else, the first that has something wins:
 * $DOCKER_CONFIG/config.json or ~/.docker/config.json, $REGISTRY_AUTH_FILE,
 * $XDG_RUNTIME_DIR/containers/auth.json (of root: /run/containers/0/auth.json),
 * ${XDG_CONFIG_HOME:-~/.config}/containers/auth.json. The first of these is written.
 */

#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"

struct credentials {
	char *user;
	char *password;
	char *identity_token; /* to get tokens with, in place of a password */
	char *registry_token; /* to be presented as it is */
	char *from;	      /* the file or helper it was found with, for messages */
};

#define CREDENTIALS_INIT \
	{                \
		0        \
	}
#define AUTO_CREDENTIALS __attribute__((cleanup(credentials_release)))
/* Overwrites what it frees. */
void credentials_release(struct credentials *credentials);

/* "USER:PASS" of --creds; both parts have to be there. ERR_USAGE, without the text in it. */
int credentials_parse(const char *pair, struct credentials *out, struct err *err);

/*
 * For a repository at host[:port]; `repository` may be NULL. All members stay NULL where nothing
 * is known. ERR_INVALID naming a file that is malformed; ERR_SYS where a helper cannot be run.
 */
int credentials_find(const char *registry, const char *repository, struct credentials *out,
		     struct err *err);

/*
 * As credentials_find() in one document, of which `name` is for messages. With `helpers` false
 * none is run. *found: there was something.
 */
int credentials_find_in(const char *name, const char *text, size_t len, const char *registry,
			const char *repository, bool helpers, struct credentials *out, bool *found,
			struct err *err);

struct credentials_kept {
	char *where;  /* path of the file, or name of the helper */
	bool in_file; /* where anyone who reads the file can read them */
};
void credentials_kept_release(struct credentials_kept *kept);
#define AUTO_CREDENTIALS_KEPT __attribute__((cleanup(credentials_kept_release)))

/*
 * Keep for `registry`: with the helper that the file names, or in the file (0600, replaced whole).
 */
int credentials_keep(const char *registry, const struct credentials *credentials,
		     struct credentials_kept *out, struct err *err);

/* Forget those of `registry` (NULL: of all). *forgotten: how many there were. */
int credentials_forget(const char *registry, size_t *forgotten, struct err *err);

#endif
