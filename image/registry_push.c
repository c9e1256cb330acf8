/* SPDX-License-Identifier: Apache-2.0 */
/* Writing to a registry: distribution-spec, "Push". */
#include <errno.h>
#include <string.h>

#include "image/registry_endpoint.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/sha256.h"

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
