/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_HTTP_FAILURE_H
#define CMAN_IMAGE_HTTP_FAILURE_H

/* What failures of libcurl and of servers mean for a person, and for another attempt. */

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "image/http_transfer.h"
#include "store/base/err.h"

/* Whether the same may go better next time. */
bool http_failure_is_transient(const struct http_transfer *transfer, CURLcode code);

/* ERR_NETWORK, ERR_INVALID, ERR_UNSUPPORTED, or what the transfer itself ran into. */
int http_failure(const struct http_transfer *transfer, CURLcode code, struct err *err);

/*
 * What a registry or token server says of a failure, {"errors":[{"code":…,"message":…}]} and kin,
 * as one line for a person: "denied: requested access to the resource is denied". "": nothing.
 */
void http_failure_text(const char *json, size_t len, char *out, size_t size);

#endif
