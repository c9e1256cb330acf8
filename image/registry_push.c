/* SPDX-License-Identifier: Apache-2.0 */
/* Writing to a registry: distribution-spec, "Push". */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "image/registry_endpoint.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/sha256.h"

#define FIRST_PAUSE_MS 500
#define MAX_PAUSE_MS 30000
#define SMALLEST_CHUNK (4 << 20)
#define FIRST_CHUNK (64 << 20)

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot push");
}

int registry_has_blob(struct registry *registry, const char *digest, bool *has, struct err *err)
{
	struct endpoint *endpoint = registry_itself(registry);
	AUTO_FREE char *url =
		endpoint_url(endpoint, "%s/blobs/sha256:%s", endpoint->place->repository, digest);
	struct fetch_request request;
	struct err failure = ERR_INIT;
	struct fetch_reply reply;
	int r;

	if (!url)
		return no_memory(err);
	request = endpoint_request(registry, endpoint, FETCH_HEAD, url);
	r = endpoint_fetch(registry, endpoint, &request, NULL, &reply, &failure);
	if (r < 0 && reply.status != 404) {
		*err = failure;
		return r;
	}
	*has = r == 0;
	return 0;
}

/* --- an upload that was begun --- */

struct session {
	struct registry *registry;
	struct endpoint *endpoint;
	const struct registry_upload *upload;
	char *location; /* where it goes on; NULL: nothing was begun */
	int64_t offset; /* how far the registry has it */
	int64_t chunk;	/* the most bytes to send at once */
};

static void session_release(struct session *session)
{
	free(session->location);
}

/* Each answer says where the next request goes. A registry behind a proxy may take itself for one
 * without TLS. */
static int take_location(struct session *session, const struct fetch_reply *reply, struct err *err)
{
	const char *host = session->endpoint->place->host;
	size_t len = strlen("http://");
	AUTO_BUF struct buf text = BUF_INIT;
	char *location;

	if (reply->location[0] == '\0')
		return 0;
	if (!session->endpoint->plain_http && strncasecmp(reply->location, "http://", len) == 0 &&
	    strncasecmp(reply->location + len, host, strlen(host)) == 0 &&
	    reply->location[len + strlen(host)] == '/')
		buf_addf(&text, "https://%s", reply->location + len);
	else
		buf_addstr(&text, reply->location);
	location = buf_steal(&text);
	if (!location)
		return no_memory(err);
	free(session->location);
	session->location = location;
	return 0;
}

static int ask(struct session *session, struct fetch_request *request, struct fetch_reply *reply,
	       struct err *err)
{
	int r = endpoint_fetch(session->registry, session->endpoint, request, NULL, reply, err);

	return r < 0 ? r : take_location(session, reply, err);
}

static int begin(struct session *session, struct err *err)
{
	struct endpoint *endpoint = session->endpoint;
	AUTO_FREE char *url =
		endpoint_url(endpoint, "%s/blobs/uploads/", endpoint->place->repository);
	struct fetch_request request;
	struct fetch_reply reply;
	int r;

	if (!url)
		return no_memory(err);
	free(session->location);
	session->location = NULL;
	session->offset = 0;
	request = endpoint_request(session->registry, endpoint, FETCH_POST, url);
	r = ask(session, &request, &reply, err);
	if (r == 0 && !session->location)
		r = err_set(err, ERR_NETWORK, EPROTO,
			    "%s: the registry did not say where to upload to", url);
	return r;
}

/* The registry may have a blob in another repository: 1 when it took it from there. Where it did
 * not, it may have begun an upload. A refusal is nothing to speak of. */
static int mount_from(struct session *session, const char *from, struct err *err)
{
	struct endpoint *endpoint = session->endpoint;
	AUTO_FREE char *url =
		endpoint_url(endpoint, "%s/blobs/uploads/?mount=sha256:%s&from=%s",
			     endpoint->place->repository, session->upload->digest, from);
	AUTO_BUF struct buf scope = BUF_INIT;
	struct err refused = ERR_INIT;
	struct fetch_request request;
	struct fetch_reply reply;
	int r;

	buf_addf(&scope, "%s repository:%s:pull", endpoint->scope, from);
	if (!url || buf_failed(&scope))
		return no_memory(err);
	request = endpoint_request(session->registry, endpoint, FETCH_POST, url);
	request.auth.scope = scope.data;
	r = ask(session, &request, &reply, &refused);
	if (r == -EINTR || r == -ECANCELED) {
		*err = refused;
		return r;
	}
	return r == 0 && reply.status == 201;
}

/* What has been sent of this part, on top of what was there before it. */
static void on_sent(int64_t bytes, void *data)
{
	const struct session *session = data;

	if (session->upload->progress)
		session->upload->progress(session->offset + bytes, session->upload->data);
}

/* Send the next part. */
static int send_part(struct session *session, struct fetch_reply *reply, struct err *err)
{
	const struct registry_upload *upload = session->upload;
	int64_t rest = upload->size - session->offset;
	struct fetch_request request = endpoint_request(session->registry, session->endpoint,
							FETCH_PATCH, session->location);
	AUTO_CLOSE int fd = -1;
	int64_t after;
	int r;

	reply->status = 0;
	r = upload->open(session->offset, &fd, upload->data, err);
	if (r < 0)
		return r;
	request.upload_fd = fd;
	request.upload_size = rest < session->chunk ? rest : session->chunk;
	/* A whole blob at once goes without it, as not all registries expect it. */
	request.has_range = request.upload_size < upload->size;
	request.upload_offset = session->offset;
	request.sent = on_sent;
	request.data = session;
	r = ask(session, &request, reply, err);
	if (r < 0)
		return r;
	after = session->offset + request.upload_size;
	/* It says what it has; that may be less than what it was sent. */
	if (reply->range_end > 0 && reply->range_end + 1 < after)
		after = reply->range_end + 1;
	if (after <= session->offset)
		return err_set(err, ERR_NETWORK, EPROTO,
			       "the registry took nothing of what it was sent");
	session->offset = after;
	on_sent(0, session);
	return 0;
}

/* Ask how far it got; an upload that it does not know (or says nothing of) is begun anew. */
static int find_offset(struct session *session, struct err *err)
{
	struct fetch_request request = endpoint_request(session->registry, session->endpoint,
							FETCH_GET, session->location);
	struct err failure = ERR_INIT;
	struct fetch_reply reply;
	/* Not of interest for its body: 204 is what it answers. */
	int r = endpoint_fetch(session->registry, session->endpoint, &request, NULL, &reply,
			       &failure);

	if (r == -EINTR || r == -ECANCELED) {
		*err = failure;
		return r;
	}
	/* "0-0" is said of no byte and of one. */
	if (r < 0 || reply.range_end <= 0 || reply.range_end >= session->upload->size)
		return begin(session, err);
	r = take_location(session, &reply, err);
	session->offset = reply.range_end + 1;
	return r;
}

/* A part could not be sent. 0 when it is worth another try. */
static int after_failure(struct session *session, const struct fetch_reply *reply, int *failures,
			 int r, struct err *err)
{
	const struct registry_options *options = &session->registry->options;
	struct err ignored = ERR_INIT;
	int pause = FIRST_PAUSE_MS;

	if (r == -EINTR || r == -ECANCELED || err->kind != ERR_NETWORK)
		return r;
	if (reply->status == 413 && session->chunk > SMALLEST_CHUNK) {
		session->chunk = session->chunk > FIRST_CHUNK ? FIRST_CHUNK : session->chunk / 4;
		return find_offset(session, err);
	}
	/* Of refusals, only those of a part that does not fit what is there can be mended. */
	if (reply->status >= 400 && reply->status < 500 && reply->status != 416 &&
	    reply->status != 404 && reply->status != 408 && reply->status != 429)
		return r;
	if (++*failures > options->fetch->retries)
		return r;
	for (int i = 1; i < *failures && pause < MAX_PAUSE_MS; i++)
		pause *= 2;
	if (options->fetch->notice) {
		AUTO_BUF struct buf text = BUF_INIT;

		buf_addf(&text, "%s; trying again in %.1f s", err->text, pause / 1000.0);
		if (!buf_failed(&text))
			options->fetch->notice(text.data, options->fetch->data);
	}
	r = interrupt_poll(options->interrupt, -1, 0, pause, &ignored);
	if (r < 0) {
		*err = ignored;
		return r;
	}
	return find_offset(session, err);
}

static int send_all(struct session *session, struct err *err)
{
	int64_t furthest = 0;
	int failures = 0;

	while (session->offset < session->upload->size) {
		struct err failure = ERR_INIT;
		struct fetch_reply reply;
		int r = send_part(session, &reply, &failure);

		if (r < 0)
			r = after_failure(session, &reply, &failures, r, &failure);
		if (r < 0) {
			*err = failure;
			return r;
		}
		if (session->offset > furthest) {
			furthest = session->offset;
			failures = 0;
		}
	}
	return 0;
}

static int finish(struct session *session, struct err *err)
{
	const char *digest = session->upload->digest;
	AUTO_BUF struct buf url = BUF_INIT;
	struct err failure = ERR_INIT;
	struct fetch_request request;
	struct fetch_reply reply;
	bool has = false;
	int r;

	buf_addf(&url, "%s%cdigest=sha256:%s", session->location,
		 strchr(session->location, '?') ? '&' : '?', digest);
	if (buf_failed(&url))
		return no_memory(err);
	request = endpoint_request(session->registry, session->endpoint, FETCH_PUT, url.data);
	r = endpoint_fetch(session->registry, session->endpoint, &request, NULL, &reply, &failure);
	if (r == 0)
		return 0;
	/* The answer may have been lost, and not what it was to say. */
	if (r != -EINTR && r != -ECANCELED &&
	    registry_has_blob(session->registry, digest, &has, err) == 0 && has)
		return 0;
	*err = failure;
	return r;
}

int registry_upload_blob(struct registry *registry, const struct registry_upload *upload,
			 enum registry_uploaded *how, struct err *err)
{
	__attribute__((cleanup(session_release))) struct session session = {
		.registry = registry,
		.endpoint = registry_itself(registry),
		.upload = upload,
		.chunk = INT64_MAX,
	};
	bool has = false;
	int r = registry_has_blob(registry, upload->digest, &has, err);

	if (r < 0)
		return r;
	*how = has ? REGISTRY_HAD_IT : REGISTRY_MOUNTED;
	if (has)
		return 0;
	for (const char *const *from = upload->mount_from; from && *from; from++) {
		r = mount_from(&session, *from, err);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	*how = REGISTRY_UPLOADED;
	if (!session.location)
		r = begin(&session, err);
	if (r == 0)
		r = send_all(&session, err);
	return r < 0 ? r : finish(&session, err);
}

int registry_put_manifest(struct registry *registry, const char *reference, const void *bytes,
			  size_t len, const char *media_type, struct err *err)
{
	struct endpoint *endpoint = registry_itself(registry);
	AUTO_FREE char *url =
		endpoint_url(endpoint, "%s/manifests/%s", endpoint->place->repository, reference);
	char hex[SHA256_HEX_LEN + 1], theirs[SHA256_HEX_LEN + 1];
	struct err ignored = ERR_INIT;
	struct fetch_request request;
	struct fetch_reply reply;
	AUTO_CLOSE int fd = -1;
	int r;

	if (!url || sha256_hex(bytes, len, hex) < 0)
		return no_memory(err);
	r = fd_from_memory("manifest", bytes, len, &fd, err);
	if (r < 0)
		return r;
	request = endpoint_request(registry, endpoint, FETCH_PUT, url);
	request.content_type = media_type;
	request.upload_fd = fd;
	request.upload_size = (int64_t)len;
	r = endpoint_fetch(registry, endpoint, &request, NULL, &reply, err);
	if (r == 0 && digest_parse(reply.digest, theirs, &ignored) == 0 && strcmp(theirs, hex) != 0)
		r = err_set(err, ERR_CORRUPT, EBADMSG,
			    "the registry keeps another manifest than it was sent: sha256:%s",
			    theirs);
	return r;
}
