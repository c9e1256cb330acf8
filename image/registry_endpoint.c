/* SPDX-License-Identifier: Apache-2.0 */
#include "image/registry_endpoint.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct endpoint *registry_itself(const struct registry *registry)
{
	return &registry->endpoints[registry->places.count - 1];
}

/* Those to show there; members are NULL where there are none. */
static const struct credentials *credentials_for(const struct registry *registry,
						 const struct endpoint *endpoint)
{
	return registry->options.creds && !endpoint->place->mirror ? registry->options.creds :
								     &endpoint->creds;
}

char *endpoint_url(const struct endpoint *endpoint, const char *format, ...)
{
	AUTO_BUF struct buf url = BUF_INIT;
	char path[FETCH_URL_MAX];
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(path, sizeof(path), format, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= sizeof(path))
		return NULL;
	buf_addf(&url, "%s://%s/v2/%s", endpoint->plain_http ? "http" : "https",
		 endpoint->place->host, path);
	return buf_steal(&url);
}

bool endpoint_is_own(const struct endpoint *endpoint, const char *url)
{
	const char *scheme = endpoint->plain_http ? "http://" : "https://";
	size_t len = strlen(scheme), host = strlen(endpoint->place->host);

	return strncasecmp(url, scheme, len) == 0 &&
	       strncasecmp(url + len, endpoint->place->host, host) == 0 &&
	       (url[len + host] == '/' || url[len + host] == '\0');
}

struct fetch_request endpoint_request(const struct registry *registry,
				      const struct endpoint *endpoint, enum fetch_method method,
				      const char *url)
{
	const struct credentials *creds = credentials_for(registry, endpoint);
	struct fetch_request request = { .method = method, .url = url, .upload_fd = -1 };

	if (!endpoint_is_own(endpoint, url)) {
		/* Certificates that nobody vouches for are good there, too: that was asked for. */
		request.tls.insecure = endpoint->tls.insecure;
		request.tls.cacert = registry->options.cacert;
		return request;
	}
	request.tls = endpoint->tls;
	request.auth = (struct fetch_auth){
		.user = creds->user,
		.password = creds->password,
		.identity_token = creds->identity_token,
		.registry_token = creds->registry_token,
		.scope = endpoint->scope,
	};
	return request;
}

/* What a person can do about a refusal. */
static int advise(const struct registry *registry, const struct endpoint *endpoint, int r,
		  struct err *err)
{
	const struct credentials *creds = credentials_for(registry, endpoint);

	if (r != -EACCES || err->hint[0] != '\0')
		return r;
	if (creds->from)
		return err_hint(err,
				"the credentials of %s were shown; log in as somebody else "
				"with: cman login %s",
				creds->from, endpoint->place->registry);
	return err_hint(err, "there is no such repository, or one has to log in: cman login %s",
			endpoint->place->registry);
}

static const struct fetch_options *patience(const struct registry *registry,
					    const struct endpoint *endpoint)
{
	return endpoint->place->mirror ? &registry->mirror_fetch : registry->options.fetch;
}

static int learn(const struct registry *registry, struct endpoint *endpoint,
		 const struct fetch_request *request, const struct fetch_reply *reply, int r,
		 struct err *err)
{
	if (!endpoint_is_own(endpoint, request->url))
		return r;
	if (reply->status != 0 && reply->plain_http)
		endpoint->plain_http = true;
	if (r < 0 && reply->status == 0 && err->kind == ERR_NETWORK)
		endpoint->gone = true;
	return r < 0 ? advise(registry, endpoint, r, err) : 0;
}

int endpoint_fetch(struct registry *registry, struct endpoint *endpoint,
		   const struct fetch_request *request, const struct fetch_sink *sink,
		   struct fetch_reply *reply, struct err *err)
{
	int r;

	reply->status = 0;
	r = fetch_url(registry->options.session, request, patience(registry, endpoint), sink,
		      registry->options.interrupt, reply, err);
	return learn(registry, endpoint, request, reply, r, err);
}

int endpoint_fetch_small(struct registry *registry, struct endpoint *endpoint,
			 const struct fetch_request *request, size_t max, struct buf *out,
			 struct fetch_reply *reply, struct err *err)
{
	int r;

	reply->status = 0;
	r = fetch_small(registry->options.session, request, max, patience(registry, endpoint),
			registry->options.interrupt, out, reply, err);
	return learn(registry, endpoint, request, reply, r, err);
}
