/* SPDX-License-Identifier: Apache-2.0 */
#include "image/url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/base/begins.h"
#include "store/base/buf.h"

bool url_has_scheme(const char *text)
{
	size_t len = 0;

	if (!isalpha((unsigned char)text[0]))
		return false;
	while (isalnum((unsigned char)text[len]) || (text[len] != '\0' && strchr("+-.", text[len])))
		len++;
	return begins_with(text + len, "://");
}

bool url_is(const char *text, const char *scheme)
{
	size_t len = strlen(scheme);

	return strncasecmp(text, scheme, len) == 0 && begins_with(text + len, "://");
}

char *url_without_password(const char *url)
{
	AUTO_BUF struct buf text = BUF_INIT;
	const char *authority = strstr(url, "://"), *end, *at, *colon;

	if (authority) {
		authority += 3;
		end = authority + strcspn(authority, "/?#");
		at = memrchr(authority, '@', (size_t)(end - authority));
		colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
		if (colon) {
			buf_add(&text, url, (size_t)(colon + 1 - url));
			buf_addstr(&text, "***");
			url = at;
		}
	}
	buf_addstr(&text, url);
	return buf_steal(&text);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *url_file_path(const char *url)
{
	AUTO_BUF struct buf path = BUF_INIT;
	const char *p = strstr(url, "://");

	if (!p)
		return NULL;
	p += 3;
	if (strncasecmp(p, "localhost/", 10) == 0)
		p += 9;
	if (*p != '/')
		return NULL;
	while (*p != '\0') {
		int high = p[0] == '%' ? hex_value(p[1]) : -1;
		int low = high >= 0 ? hex_value(p[2]) : -1;

		if (low < 0) {
			buf_addch(&path, *p++);
			continue;
		}
		if (high == 0 && low == 0)
			return NULL;
		buf_addch(&path, (char)(high << 4 | low));
		p += 3;
	}
	return buf_steal(&path);
}
