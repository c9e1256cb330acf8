/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_HTTP_URL_H
#define CMAN_IMAGE_HTTP_URL_H

/* URLs of http and https, by libcurl's parser: what it connects to is what is decided about. */

#include <stdbool.h>
#include <stddef.h>

#define HTTP_ORIGIN_MAX 320

/*
 * "https://host:443", lower case, the port always named: who a credential belongs to. False where
 * `url` is none of http or https or cannot be taken apart; `out` is then "".
 */
bool http_url_origin(const char *url, char out[HTTP_ORIGIN_MAX]);

/* The host, lower case, an IPv6 address in brackets. False as above. */
bool http_url_host(const char *url, char out[HTTP_ORIGIN_MAX]);

/* Whether the host is this machine: localhost, 127.0.0.0/8, ::1. */
bool http_url_is_loopback(const char *url);

/* `reference` as it is meant in an answer of `base` (RFC 3986, 5). False: cannot be, or too long.
 */
bool http_url_resolve(const char *base, const char *reference, char *out, size_t size);

/*
 * The same over plain http. *has_port: a port was written, and is the one to use; without one it
 * is another than before.
 */
bool http_url_to_plain(const char *url, char *out, size_t size, bool *has_port);

/* `text` with what is not unreserved as %XX. False: does not fit. */
bool http_url_encode(const char *text, char *out, size_t size);

#endif
