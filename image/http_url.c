/* SPDX-License-Identifier: Apache-2.0 */
#include "image/http_url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "image/url.h"

static void release(CURLU **handle)
{
	curl_url_cleanup(*handle);
}

#define AUTO_CURLU __attribute__((cleanup(release)))

static CURLU *parse(const char *url)
{
	CURLU *handle = curl_url();

	if (handle && curl_url_set(handle, CURLUPART_URL, url, 0) != CURLUE_OK) {
		curl_url_cleanup(handle);
		return NULL;
	}
	return handle;
}

static bool get(CURLU *handle, CURLUPart part, unsigned int flags, char *out, size_t size)
{
	char *text = NULL;
	bool fits;

	if (curl_url_get(handle, part, &text, flags) != CURLUE_OK)
		return false;
	fits = strlen(text) < size;
	if (fits)
		memcpy(out, text, strlen(text) + 1);
	curl_free(text);
	return fits;
}

static void lower(char *text)
{
	for (; *text; text++)
		*text = (char)tolower((unsigned char)*text);
}

bool http_url_host(const char *url, char out[HTTP_ORIGIN_MAX])
{
	AUTO_CURLU CURLU *handle = url_is(url, "http") || url_is(url, "https") ? parse(url) : NULL;
	size_t len;

	out[0] = '\0';
	if (!handle || !get(handle, CURLUPART_HOST, 0, out, 256))
		return false;
	lower(out);
	/* The root's dot makes no other host. */
	len = strlen(out);
	if (len > 1 && out[len - 1] == '.')
		out[len - 1] = '\0';
	return true;
}

bool http_url_origin(const char *url, char out[HTTP_ORIGIN_MAX])
{
	AUTO_CURLU CURLU *handle = parse(url);
	char host[HTTP_ORIGIN_MAX], port[8];

	out[0] = '\0';
	if (!handle || !http_url_host(url, host) ||
	    !get(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof(port)))
		return false;
	snprintf(out, HTTP_ORIGIN_MAX, "%s://%.256s:%s", url_is(url, "https") ? "https" : "http",
		 host, port);
	return true;
}

bool http_url_is_loopback(const char *url)
{
	char host[HTTP_ORIGIN_MAX];
	struct in_addr address;

	if (!http_url_host(url, host))
		return false;
	if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

bool http_url_resolve(const char *base, const char *reference, char *out, size_t size)
{
	AUTO_CURLU CURLU *handle = parse(base);

	return handle && curl_url_set(handle, CURLUPART_URL, reference, 0) == CURLUE_OK &&
	       get(handle, CURLUPART_URL, 0, out, size);
}

bool http_url_to_plain(const char *url, char *out, size_t size, bool *has_port)
{
	AUTO_CURLU CURLU *handle = parse(url);
	char port[8];

	if (!handle)
		return false;
	*has_port = get(handle, CURLUPART_PORT, 0, port, sizeof(port));
	return curl_url_set(handle, CURLUPART_SCHEME, "http", 0) == CURLUE_OK &&
	       get(handle, CURLUPART_URL, 0, out, size);
}

bool http_url_encode(const char *text, char *out, size_t size)
{
	size_t len = 0;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = isalnum(c) || strchr("-._~", c);

		if (len + (plain ? 1 : 3) >= size)
			return false;
		if (plain)
			out[len++] = (char)c;
		else
			len += (size_t)snprintf(out + len, 4, "%%%02X", c);
	}
	out[len] = '\0';
	return true;
}
