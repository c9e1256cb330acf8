/* SPDX-License-Identifier: Apache-2.0 */
/* A blob on its way into a registry: distribution-spec, "Pushing blobs". */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "image/registry_endpoint.h"
#include "store/base/cleanup.h"

#define FIRST_PAUSE_MS 500
#define MAX_PAUSE_MS 30000
#define SMALLEST_CHUNK (4 << 20)
#define FIRST_CHUNK (64 << 20)

struct session {
	struct registry *registry;
	struct endpoint *endpoint;
	const struct registry_upload *upload;
	char *location; /* where it goes on; NULL: nothing was begun */
	int64_t offset; /* how far the registry has it */
	int64_t chunk;	/* the most bytes to send at once */
	bool done;
	bool again;	  /* it was complete once, and refused */
	int64_t furthest; /* the most bytes that it had at any time */
	int failures;	  /* since then */
};

static void session_release(struct session *session)
{
	free(session->location);
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot push");
}

static bool is_final(int r)
{
	return r == -EINTR || r == -ECANCELED || r == -ENOMEM;
}

/* What an upload's URL has behind its path is for the registry alone, and long. */
static void shorten(struct err *err)
{
	char *query = strstr(err->text, "/blobs/uploads/");
	char *end;

	query = query ? strchr(query, '?') : NULL;
	end = query ? strchr(query, ' ') : NULL;
	if (!end)
		return;
	if (end[-1] == ':')
		end--;
	memmove(query, end, strlen(end) + 1);
}

static bool has_prefix(const char *text, const char *prefix)
{
	return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

/* Each answer says where the next request goes. A registry behind a proxy may take itself for one
 * without TLS; what was begun with TLS does not go to anybody else without it. */
static int take_location(struct session *session, const struct fetch_reply *reply, struct err *err)
{
	const struct endpoint *endpoint = session->endpoint;
	const char *host = endpoint->place->host, *url = reply->location;
	bool downgrade = has_prefix(url, "http://") && !endpoint->plain_http;
	AUTO_BUF struct buf text = BUF_INIT;
	char *location;
	bool own;

	if (url[0] == '\0')
		return 0;
	own = downgrade && has_prefix(url + strlen("http://"), host) &&
	      url[strlen("http://") + strlen(host)] == '/';
	if (downgrade && !own && !endpoint->tls.insecure)
		return err_set(err, ERR_INVALID, EPROTO,
			       "%s wants the upload at a host without TLS: %s",
			       endpoint->place->registry, url);
	buf_addf(&text, "%s%s", own ? "https://" : "", own ? url + strlen("http://") : url);
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

	if (r < 0)
		shorten(err);
	return r < 0 ? r : take_location(session, reply, err);
}

/* --- the steps --- */

static int begin(struct session *session, struct fetch_reply *reply, struct err *err)
{
	struct endpoint *endpoint = session->endpoint;
	AUTO_FREE char *url =
		endpoint_url(endpoint, "%s/blobs/uploads/", endpoint->place->repository);
	struct fetch_request request;
	int r;

	if (!url)
		return no_memory(err);
	session->offset = 0;
	request = endpoint_request(session->registry, endpoint, FETCH_POST, url);
	r = ask(session, &request, reply, err);
	if (r == 0 && !session->location)
		r = err_set(err, ERR_INVALID, EPROTO,
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
	if (is_final(r)) {
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

static int send_part(struct session *session, struct fetch_reply *reply, struct err *err)
{
	const struct registry_upload *upload = session->upload;
	int64_t rest = upload->size - session->offset, after;
	struct fetch_request request = endpoint_request(session->registry, session->endpoint,
							FETCH_PATCH, session->location);
	AUTO_CLOSE int fd = -1;
	int r = upload->open(session->offset, &fd, upload->data, err);

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

static int finish(struct session *session, struct fetch_reply *reply, struct err *err)
{
	const char *digest = session->upload->digest;
	AUTO_BUF struct buf url = BUF_INIT;
	char theirs[DIGEST_HEX_LEN + 1];
	struct err ignored = ERR_INIT;
	struct fetch_request request;
	int r;

	buf_addf(&url, "%s%cdigest=sha256:%s", session->location,
		 strchr(session->location, '?') ? '&' : '?', digest);
	if (buf_failed(&url))
		return no_memory(err);
	request = endpoint_request(session->registry, session->endpoint, FETCH_PUT, url.data);
	r = endpoint_fetch(session->registry, session->endpoint, &request, NULL, reply, err);
	if (r == 0 && digest_parse(reply->digest, theirs, &ignored) == 0 &&
	    strcmp(theirs, digest) != 0)
		return err_set(err, ERR_CORRUPT, EBADMSG,
			       "the registry keeps another blob than it was sent: sha256:%s",
			       theirs);
	if (r < 0)
		shorten(err);
	session->done = r == 0;
	return r;
}

static int step(struct session *session, struct fetch_reply *reply, struct err *err)
{
	reply->status = 0;
	if (!session->location)
		return begin(session, reply, err);
	if (session->offset < session->upload->size)
		return send_part(session, reply, err);
	return finish(session, reply, err);
}

/* --- when one has failed --- */

/* Of refusals, only those of an upload that is not as the registry thinks can be mended. */
static bool is_worth_another(const struct fetch_reply *reply, const struct err *err)
{
	if (err->kind != ERR_NETWORK && !(err->kind == ERR_NOT_FOUND && reply->status == 404))
		return false;
	return reply->status < 400 || reply->status >= 500 || reply->status == 404 ||
	       reply->status == 408 || reply->status == 416 || reply->status == 429;
}

/* Ask how far it got; an upload that it does not know, or says nothing of, is begun anew. */
static int find_offset(struct session *session, struct err *err)
{
	struct err failure = ERR_INIT;
	struct fetch_request request;
	struct fetch_reply reply;
	int r;

	if (!session->location)
		return 0;
	request = endpoint_request(session->registry, session->endpoint, FETCH_GET,
				   session->location);
	/* Not of interest for its body: 204 is what it answers. */
	r = ask(session, &request, &reply, &failure);
	if (is_final(r)) {
		*err = failure;
		return r;
	}
	/* "0-0" is said of no byte and of one. */
	if (r == 0 && reply.range_end > 0 && reply.range_end < session->upload->size) {
		session->offset = reply.range_end + 1;
		return 0;
	}
	free(session->location);
	session->location = NULL;
	return 0;
}

static int wait_a_little(const struct session *session, const struct err *why, struct err *err)
{
	const struct registry_options *options = &session->registry->options;
	AUTO_BUF struct buf text = BUF_INIT;
	int pause = FIRST_PAUSE_MS;

	for (int i = 1; i < session->failures && pause < MAX_PAUSE_MS; i++)
		pause *= 2;
	buf_addf(&text, "%s; trying again in %.1f s", why->text, pause / 1000.0);
	if (options->fetch->notice && !buf_failed(&text))
		options->fetch->notice(text.data, options->fetch->data);
	return interrupt_poll(options->interrupt, -1, 0, pause, err);
}

/* 0 when it is worth another try, from where it has got. */
static int recover(struct session *session, const struct fetch_reply *reply, int r,
		   const struct err *why, struct err *err)
{
	bool has = false;

	if (reply->status == 413 && session->chunk > SMALLEST_CHUNK) {
		session->chunk = session->chunk > FIRST_CHUNK ? FIRST_CHUNK : session->chunk / 4;
		return find_offset(session, err);
	}
	/* What it has is not what was sent: a connection on the way has spoilt it. */
	if (reply->status == 400 && session->offset == session->upload->size && !session->again) {
		session->again = true;
		free(session->location);
		session->location = NULL;
		return 0;
	}
	if (is_final(r) || !is_worth_another(reply, why) ||
	    ++session->failures > session->registry->options.fetch->retries) {
		*err = *why;
		return r;
	}
	r = wait_a_little(session, why, err);
	if (r < 0)
		return r;
	/* The answer may have been lost, and not what it was to say. */
	if (session->location && session->offset == session->upload->size) {
		r = registry_has_blob(session->registry, session->upload->digest, &has, err);
		session->done = has;
		if (r < 0 || has)
			return r;
	}
	return find_offset(session, err);
}

static int send_all(struct session *session, struct err *err)
{
	while (!session->done) {
		struct err failure = ERR_INIT;
		struct fetch_reply reply;
		int r = step(session, &reply, &failure);

		if (r < 0)
			r = recover(session, &reply, r, &failure, err);
		if (r < 0)
			return r;
		if (session->offset > session->furthest) {
			session->furthest = session->offset;
			session->failures = 0;
		}
	}
	return 0;
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
	return send_all(&session, err);
}
