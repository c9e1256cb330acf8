/* SPDX-License-Identifier: Apache-2.0 */
#include "image/registry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/registry_endpoint.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"
#include "store/base/sha256.h"

/* A mirror that does not answer is not worth the wait. */
#define MIRROR_RETRIES 1
#define TAGS_MAX_BYTES JSON_MAX_BYTES
#define TAGS_PER_PAGE 1000

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "registry");
}

/* --- open --- */

void registry_close(struct registry **registry)
{
	struct registry *r = *registry;

	if (!r)
		return;
	for (size_t i = 0; r->endpoints && i < r->places.count; i++) {
		registry_certs_release(&r->endpoints[i].certs);
		credentials_release(&r->endpoints[i].creds);
		free(r->endpoints[i].scope);
	}
	free(r->endpoints);
	registry_places_release(&r->places);
	free(r);
	*registry = NULL;
}

static int find_certs(struct endpoint *endpoint, struct err *err)
{
	const struct registry_place *place = endpoint->place;
	int r = registry_certs_find(place->host, &endpoint->certs, err);

	if (r == 0 && !endpoint->certs.cacert && !endpoint->certs.cert &&
	    strcmp(place->host, place->registry) != 0)
		r = registry_certs_find(place->registry, &endpoint->certs, err);
	return r;
}

static int endpoint_open(const struct registry *registry, struct endpoint *endpoint,
			 struct err *err)
{
	const struct registry_options *options = &registry->options;
	const struct registry_place *place = endpoint->place;
	AUTO_BUF struct buf scope = BUF_INIT;
	int r = find_certs(endpoint, err);

	if (r == 0 && (!options->creds || place->mirror))
		r = credentials_find(place->registry, place->repository, &endpoint->creds, err);
	if (r < 0)
		return r;
	buf_addf(&scope, "repository:%s:pull%s", place->repository,
		 options->push && !place->mirror ? ",push" : "");
	endpoint->scope = buf_steal(&scope);
	if (!endpoint->scope)
		return no_memory(err);
	endpoint->tls = (struct fetch_tls){
		.cacert = options->cacert ? options->cacert : endpoint->certs.cacert,
		.cert = endpoint->certs.cert,
		.key = endpoint->certs.key,
		.insecure = place->insecure || (options->insecure && !place->mirror),
	};
	endpoint->tls.plain_http_fallback = endpoint->tls.insecure || place->loopback;
	return 0;
}

static int find_places(const struct ref *ref, struct registry_places *out, struct err *err)
{
	AUTO_REGISTRIES struct registries registries = REGISTRIES_INIT;
	int r = registries_load(getenv("CMAN_REGISTRIES"), &registries, err);

	return r < 0 ? r : registries_places(&registries, ref, out, err);
}

int registry_open(const struct ref *ref, const struct registry_options *options,
		  struct registry **out, struct err *err)
{
	AUTO_REGISTRY struct registry *registry = calloc(1, sizeof(*registry));
	int r;

	if (!registry)
		return no_memory(err);
	registry->options = *options;
	registry->mirror_fetch = *options->fetch;
	if (registry->mirror_fetch.retries > MIRROR_RETRIES)
		registry->mirror_fetch.retries = MIRROR_RETRIES;
	r = find_places(ref, &registry->places, err);
	if (r < 0)
		return r;
	registry->endpoints = calloc(registry->places.count, sizeof(*registry->endpoints));
	if (!registry->endpoints)
		return no_memory(err);
	for (size_t i = 0; i < registry->places.count; i++)
		registry->endpoints[i].place = &registry->places.places[i];
	/* What is written goes to the registry itself; what is read then has to come from it. */
	for (size_t i = 0; options->push && i + 1 < registry->places.count; i++)
		registry->endpoints[i].gone = true;
	for (size_t i = 0; r == 0 && i < registry->places.count; i++)
		if (!registry->endpoints[i].gone)
			r = endpoint_open(registry, &registry->endpoints[i], err);
	if (r < 0)
		return r;
	*out = registry;
	registry = NULL;
	return 0;
}

/* --- one place after the other --- */

struct question {
	/* Ask one endpoint. */
	int (*ask)(struct registry *registry, struct endpoint *endpoint, void *data,
		   struct err *err);
	void *data;
	bool document; /* the whole answer is judged here: one that is wrong is none */
};

/* Whether another place may do better. A failure of our own side it cannot mend. */
static bool gives_way(const struct question *question, int r, const struct err *err)
{
	if (r == -EINTR || r == -ECANCELED)
		return false;
	switch (err->kind) {
	case ERR_NETWORK:
	case ERR_NOT_FOUND:
		return true;
	case ERR_CORRUPT:
	case ERR_INVALID:
	case ERR_UNSUPPORTED:
		return question->document;
	default:
		return false;
	}
}

static int ask_in_turn(struct registry *registry, const struct question *question, struct err *err)
{
	size_t last = registry->places.count - 1;
	int r;

	for (size_t i = 0; i < last; i++) {
		struct endpoint *mirror = &registry->endpoints[i];
		struct err failure = ERR_INIT;

		if (mirror->gone)
			continue;
		r = question->ask(registry, mirror, question->data, &failure);
		if (r == 0)
			return 0;
		if (!gives_way(question, r, &failure)) {
			*err = failure;
			return r;
		}
		if (log_get_level() >= LOG_INFO)
			log_write(LOG_INFO, "mirror %s: %s; asking %s", mirror->place->host,
				  failure.text, registry->endpoints[i + 1].place->host);
	}
	return question->ask(registry, &registry->endpoints[last], question->data, err);
}

/* --- manifests --- */

struct manifest_question {
	const char *reference;
	struct buf *bytes; /* NULL: only what it is */
	struct registry_manifest *out;
};

static int check_reference(const char *reference, struct err *err)
{
	char hex[DIGEST_HEX_LEN + 1];

	return strchr(reference, ':') ? digest_parse(reference, hex, err) : 0;
}

static int no_manifest(const struct endpoint *endpoint, const char *reference, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, ENOENT, "%s/%s has no %s %s", endpoint->place->registry,
		       endpoint->place->repository, strchr(reference, ':') ? "image" : "tag",
		       reference);
}

/* What the answer says of the manifest. */
static int describe(const struct fetch_reply *reply, struct registry_manifest *out, struct err *err)
{
	char hex[DIGEST_HEX_LEN + 1];
	struct err ignored = ERR_INIT;

	if (media_kind(reply->content_type) == MEDIA_SCHEMA1) {
		err_set(err, ERR_UNSUPPORTED, EPROTONOSUPPORT,
			"it is kept in schema 1, a format that was given up because its content "
			"cannot be verified");
		return err_hint(err, "push it anew with a version of Docker since 1.10");
	}
	/* The page of a proxy or of a hotel. */
	if (strcmp(reply->content_type, "text/html") == 0)
		return err_set(err, ERR_INVALID, EPROTO,
			       "the server answered with a web page (text/html) in place of a "
			       "manifest");
	*out = (struct registry_manifest){ .size = reply->total };
	if (digest_parse(reply->digest, hex, &ignored) == 0)
		snprintf(out->digest, sizeof(out->digest), "sha256:%s", hex);
	if (!media_type_set(out->media_type, reply->content_type))
		out->media_type[0] = '\0';
	return 0;
}

/* The bytes are what was asked for, or what the answer says that they are. */
static int verify(const char *reference, const struct buf *bytes, struct registry_manifest *out,
		  struct err *err)
{
	char hex[SHA256_HEX_LEN + 1], digest[sizeof(out->digest)];
	const char *expected = strchr(reference, ':') ? reference : out->digest;

	if (sha256_hex(bytes->data, bytes->len, hex) < 0)
		return no_memory(err);
	snprintf(digest, sizeof(digest), "sha256:%s", hex);
	if (expected[0] && strcmp(expected, digest) != 0)
		return err_set(err, ERR_CORRUPT, EBADMSG,
			       "checksum mismatch of the manifest: expected %s, got %s", expected,
			       digest);
	strcpy(out->digest, digest);
	out->size = (int64_t)bytes->len;
	return 0;
}

static int ask_manifest(struct registry *registry, struct endpoint *endpoint, void *data,
			struct err *err)
{
	const struct manifest_question *question = data;
	AUTO_FREE char *url = endpoint_url(endpoint, "%s/manifests/%s", endpoint->place->repository,
					   question->reference);
	struct registry_manifest manifest;
	struct fetch_request request;
	struct fetch_reply reply;
	int r;

	if (!url)
		return no_memory(err);
	request =
		endpoint_request(registry, endpoint, question->bytes ? FETCH_GET : FETCH_HEAD, url);
	request.accept = MEDIA_ACCEPT_MANIFESTS;
	if (question->bytes) {
		buf_reset(question->bytes);
		r = endpoint_fetch_small(registry, endpoint, &request, JSON_MAX_BYTES,
					 question->bytes, &reply, err);
	} else {
		r = endpoint_fetch(registry, endpoint, &request, NULL, &reply, err);
	}
	if (r < 0 && reply.status == 404)
		return no_manifest(endpoint, question->reference, err);
	/* Some do without HEAD, and only a GET has a body that says why it is refused. */
	if (r < 0 && !question->bytes &&
	    ((reply.status >= 400 && reply.status < 500 && reply.status != 429) ||
	     reply.status == 501)) {
		AUTO_BUF struct buf bytes = BUF_INIT;
		struct manifest_question whole = { question->reference, &bytes, question->out };

		return ask_manifest(registry, endpoint, &whole, err);
	}
	if (r == 0)
		r = describe(&reply, &manifest, err);
	if (r == 0 && question->bytes)
		r = verify(question->reference, question->bytes, &manifest, err);
	if (r == 0)
		*question->out = manifest;
	return r;
}

int registry_head(struct registry *registry, const char *reference, struct registry_manifest *out,
		  struct err *err)
{
	struct manifest_question question = { reference, NULL, out };
	const struct question asked = { ask_manifest, &question, true };
	int r = check_reference(reference, err);

	return r < 0 ? r : ask_in_turn(registry, &asked, err);
}

int registry_manifest(struct registry *registry, const char *reference, struct buf *bytes,
		      struct registry_manifest *out, struct err *err)
{
	struct manifest_question question = { reference, bytes, out };
	const struct question asked = { ask_manifest, &question, true };
	int r = check_reference(reference, err);

	return r < 0 ? r : ask_in_turn(registry, &asked, err);
}

/* --- blobs --- */

struct blob_question {
	const char *digest;
	const struct fetch_sink *sink;
};

static int ask_blob(struct registry *registry, struct endpoint *endpoint, void *data,
		    struct err *err)
{
	const struct blob_question *question = data;
	AUTO_FREE char *url = endpoint_url(endpoint, "%s/blobs/sha256:%s",
					   endpoint->place->repository, question->digest);
	struct fetch_request request;
	struct fetch_reply reply;

	if (!url)
		return no_memory(err);
	request = endpoint_request(registry, endpoint, FETCH_GET, url);
	return endpoint_fetch(registry, endpoint, &request, question->sink, &reply, err);
}

int registry_blob(struct registry *registry, const char *digest, const struct fetch_sink *sink,
		  struct err *err)
{
	struct blob_question question = { digest, sink };
	const struct question asked = { ask_blob, &question, false };

	return ask_in_turn(registry, &asked, err);
}

/* --- tags, and the registry as a whole --- */

struct tags_question {
	const char *next;
	struct buf *json;
	char **more;
};

static int ask_tags(struct registry *registry, struct endpoint *endpoint, void *data,
		    struct err *err)
{
	const struct tags_question *question = data;
	AUTO_FREE char *url = question->next ?
				      strdup(question->next) :
				      endpoint_url(endpoint, "%s/tags/list?n=%d",
						   endpoint->place->repository, TAGS_PER_PAGE);
	AUTO_FREE char *more = NULL;
	struct fetch_request request;
	struct fetch_reply reply;
	int r;

	if (!url)
		return no_memory(err);
	request = endpoint_request(registry, endpoint, FETCH_GET, url);
	request.accept = "application/json";
	buf_reset(question->json);
	r = endpoint_fetch_small(registry, endpoint, &request, TAGS_MAX_BYTES, question->json,
				 &reply, err);
	if (r < 0)
		return r;
	if (reply.link[0] != '\0' && strcmp(reply.link, url) != 0) {
		more = strdup(reply.link);
		if (!more)
			return no_memory(err);
	}
	*question->more = STEAL_PTR(more);
	return 0;
}

/* The registry itself first: a mirror need not have all. */
static int ask_for_tags(struct registry *registry, struct tags_question *tags, struct err *err)
{
	const struct question question = { ask_tags, tags, true };
	int r = ask_tags(registry, registry_itself(registry), tags, err);

	for (size_t i = 0; i + 1 < registry->places.count; i++) {
		struct err failure = ERR_INIT;

		if (r == 0 || !gives_way(&question, r, err))
			break;
		if (ask_tags(registry, &registry->endpoints[i], tags, &failure) == 0)
			return 0;
	}
	return r;
}

int registry_tags(struct registry *registry, const char *next, struct buf *json, char **more,
		  struct err *err)
{
	struct tags_question question = { next, json, more };

	if (!next)
		return ask_for_tags(registry, &question, err);
	/* The pages of a list are of one place. */
	for (size_t i = 0; i < registry->places.count; i++)
		if (endpoint_is_own(&registry->endpoints[i], next))
			return ask_tags(registry, &registry->endpoints[i], &question, err);
	return err_set(err, ERR_INVALID, EPROTO, "the list of tags goes on at another host: %s",
		       next);
}

int registry_check(struct registry *registry, struct err *err)
{
	struct endpoint *endpoint = registry_itself(registry);
	AUTO_FREE char *url = endpoint_url(endpoint, "%s", "");
	AUTO_BUF struct buf ignored = BUF_INIT;
	struct fetch_request request;
	struct fetch_reply reply;

	if (!url)
		return no_memory(err);
	request = endpoint_request(registry, endpoint, FETCH_GET, url);
	request.auth.scope = NULL;
	return endpoint_fetch_small(registry, endpoint, &request, JSON_MAX_BYTES, &ignored, &reply,
				    err);
}
