/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_CHALLENGE_H
#define CMAN_IMAGE_CHALLENGE_H

/*
 * What a server asks for by WWW-Authenticate (RFC 9110, 11.6.1), as far as registries do: Basic,
 * and Bearer with the parameters of the distribution project's token protocol. Pure: other schemes
 * and what is malformed are passed over.
 */

#include <stdbool.h>
#include <stddef.h>

#define CHALLENGE_REALM_MAX 2048
#define CHALLENGE_SERVICE_MAX 512
#define CHALLENGE_SCOPE_MAX 2048

struct challenge {
	bool basic;
	bool bearer;			     /* realm is not empty */
	char realm[CHALLENGE_REALM_MAX];     /* URL of the token server */
	char service[CHALLENGE_SERVICE_MAX]; /* "": not told */
	char scope[CHALLENGE_SCOPE_MAX];     /* several with a space between; "": not told */
};

/* `text`: the field's value; several fields are joined by commas. The first of each scheme counts.
 */
void challenge_parse(const char *text, size_t len, struct challenge *out);

#endif
