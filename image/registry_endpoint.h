/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_REGISTRY_ENDPOINT_H
#define CMAN_IMAGE_REGISTRY_ENDPOINT_H

/* What image/registry.c and image/registry_push.c share: one place where a repository is. */

#include <stdatomic.h>
#include <stdbool.h>

#include "image/registries.h"
#include "image/registry.h"
#include "image/registry_certs.h"

struct endpoint {
	const struct registry_place *place;
	struct registry_certs certs;
	struct credentials creds; /* found; --creds are in the options */
	char *scope;		  /* "repository:library/nginx:pull" */
	struct fetch_tls tls;
	atomic_bool plain_http; /* an answer came so */
	atomic_bool gone;	/* could not be reached: a mirror is not asked again */
};

struct registry {
	struct registry_options options;
	struct fetch_options mirror_fetch; /* as the options say, but with less patience */
	struct registry_places places;
	struct endpoint *endpoints; /* as many as places; the last is the registry itself */
};

/* The registry itself. */
struct endpoint *registry_itself(const struct registry *registry);

/* "https://host/v2/" and what the format says; NULL: no memory. To be freed. */
char *endpoint_url(const struct endpoint *endpoint, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Whether `url` leads to the endpoint's host: nobody else gets to know who we are. */
bool endpoint_is_own(const struct endpoint *endpoint, const char *url);

/* A request for `url`, with who we are if the URL is the endpoint's own. */
struct fetch_request endpoint_request(const struct registry *registry,
				      const struct endpoint *endpoint, enum fetch_method method,
				      const char *url);

/*
 * fetch_url() without a body to read, or with one into `sink`. Remembers how the endpoint is spoken
 * to, and says what can be done where it is refused.
 */
int endpoint_fetch(struct registry *registry, struct endpoint *endpoint,
		   const struct fetch_request *request, const struct fetch_sink *sink,
		   struct fetch_reply *reply, struct err *err);

/* fetch_small(), the same. */
int endpoint_fetch_small(struct registry *registry, struct endpoint *endpoint,
			 const struct fetch_request *request, size_t max, struct buf *out,
			 struct fetch_reply *reply, struct err *err);

#endif
