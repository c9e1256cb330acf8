/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a server's challenge: what comes out can be sent on in a URL, and a token server is
 * asked only where one is named.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "image/challenge.h"
#include "image/http_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t max)
{
	size_t len = strlen(text);

	assert(len < max);
	for (size_t i = 0; i < len; i++)
		assert(text[i] >= ' ' && text[i] <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct http_credentials who = { "user", "password", "", "", "a b" };
	AUTO_BUF struct buf form = BUF_INIT;
	struct challenge challenge;
	struct err err = ERR_INIT;
	char url[FETCH_URL_MAX];

	challenge_parse((const char *)data, size, &challenge);
	assert(challenge.bearer == (challenge.realm[0] != '\0'));
	check_text(challenge.realm, sizeof(challenge.realm));
	check_text(challenge.service, sizeof(challenge.service));
	check_text(challenge.scope, sizeof(challenge.scope));
	if (challenge.bearer && http_token_request(&challenge, &who, url, &form, &err) == 0)
		assert(strncmp(url, challenge.realm, strlen(challenge.realm)) == 0);
	return 0;
}
