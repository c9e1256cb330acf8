/* SPDX-License-Identifier: Apache-2.0 */
#include "image/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "image/trust.h"
#include "image/verify.h"

#define MAX_REDIRECTS 10L
#define BUFFER_SIZE (256L << 10)

struct transfer {
	CURL *curl;
	const struct fetch_job *job;
	const struct http_trust *trust;
	const struct http_sink *sink;
	struct http_head head;
	bool head_told;
	bool refused; /* the body is not wanted */
	char why[CURL_ERROR_SIZE];
	struct err sink_err;
};

int http_init(struct err *err)
{
	/* libcurl would have libcrypto read openssl.cnf, which can name modules to load. */
	int r = verify_library_init(err);

	if (r == 0 && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		r = err_set(err, ERR_SYS, EIO, "cannot initialise libcurl");
	return r;
}

static size_t on_header(char *line, size_t size, size_t count, void *data)
{
	struct transfer *transfer = data;

	http_head_line(&transfer->head, line, size * count);
	return size * count;
}

/* The final response is known when its body begins, or when it ended without one. */
static int tell_head(struct transfer *transfer)
{
	const struct http_head *head = &transfer->head;
	struct err *err = &transfer->sink_err;
	struct fetch_event event;
	curl_off_t retry_after = 0;

	if (transfer->head_told)
		return 0;
	transfer->head_told = true;
	memset(&event, 0, sizeof(event));
	event.kind = FETCH_EVENT_HEAD;
	event.status = head->status;
	event.total = head->status == 200 ? head->length : head->range_total;
	snprintf(event.validator, sizeof(event.validator), "%s", http_head_validator(head));
	curl_easy_getinfo(transfer->curl, CURLINFO_RETRY_AFTER, &retry_after);
	event.retry_after_s = retry_after;
	if (head->status == 206 && head->range_first == transfer->job->offset)
		event.offset = head->range_first;
	/* Another part than was asked for: as if it could not be had. */
	if (head->status == 206 && event.offset == 0) {
		event.status = 416;
		event.total = -1;
	}
	transfer->refused = event.status != 200 && event.status != 206;
	return transfer->sink->head(&event, transfer->sink->data, err);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
	struct transfer *transfer = data;
	size_t len = size * count;

	if (tell_head(transfer) < 0 || transfer->refused)
		return 0;
	if (transfer->sink->body(bytes, len, transfer->sink->data, &transfer->sink_err) < 0)
		return 0;
	return len;
}

static struct curl_slist *request_headers(const struct fetch_job *job)
{
	char line[HTTP_VALIDATOR_MAX + 16];

	if (job->offset == 0)
		return NULL;
	snprintf(line, sizeof(line), "If-Range: %s", job->validator);
	return curl_slist_append(NULL, line);
}

static void set_trust(struct transfer *transfer)
{
	struct curl_blob blob = {
		.data = (void *)(uintptr_t)transfer->trust->pem,
		.len = transfer->trust->len,
		.flags = CURL_BLOB_NOCOPY,
	};

	/* Nothing of the host's is read by libcurl itself. */
	curl_easy_setopt(transfer->curl, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(transfer->curl, CURLOPT_CAPATH, NULL);
	if (transfer->trust->pem)
		curl_easy_setopt(transfer->curl, CURLOPT_CAINFO_BLOB, &blob);
}

static int set_options(struct transfer *transfer, struct curl_slist *headers, struct err *err)
{
	const struct fetch_job *job = transfer->job;
	CURL *curl = transfer->curl;
	bool secure = strncasecmp(job->url, "https:", 6) == 0;
	char range[32];
	CURLcode c;

	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->why);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "cman");
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, BUFFER_SIZE);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)job->connect_timeout_s);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, job->proxy);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, job->no_proxy);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	set_trust(transfer);
	if (job->offset > 0) {
		snprintf(range, sizeof(range), "%" PRId64 "-", job->offset);
		curl_easy_setopt(curl, CURLOPT_RANGE, range);
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	}
	c = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	if (c == CURLE_OK)
		c = curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR,
				     secure ? "https" : "http,https");
	if (c == CURLE_OK)
		c = curl_easy_setopt(curl, CURLOPT_URL, job->url);
	return c == CURLE_OK ? 0 : err_set(err, ERR_SYS, EIO, "libcurl: %s", curl_easy_strerror(c));
}

/* Failures that another attempt may not meet. */
static bool is_transient(const struct transfer *transfer, CURLcode code)
{
	long os_errno = 0;

	switch (code) {
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return true;
	case CURLE_SSL_CONNECT_ERROR: /* a reset during the handshake, or no TLS there at all */
		curl_easy_getinfo(transfer->curl, CURLINFO_OS_ERRNO, &os_errno);
		return os_errno != 0;
	default:
		return false;
	}
}

static int failed(const struct transfer *transfer, CURLcode code, struct err *err)
{
	const char *why = transfer->why[0] ? transfer->why : curl_easy_strerror(code);
	bool redirected = transfer->head.status >= 300 && transfer->head.status < 400;

	switch (code) {
	case CURLE_OUT_OF_MEMORY:
		return err_sys(err, ENOMEM, "cannot fetch");
	case CURLE_TOO_MANY_REDIRECTS:
		return err_set(err, ERR_NETWORK, ELOOP, "redirected more than %ld times",
			       MAX_REDIRECTS);
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		if (!redirected)
			return err_set(err, ERR_INVALID, EINVAL, "%s", why);
		return err_set(
			err, ERR_NETWORK, EPROTONOSUPPORT, "redirected to a URL that is not %s",
			strncasecmp(transfer->job->url, "https:", 6) == 0 ? "https://" :
									    "http:// or https://");
	case CURLE_SSL_CACERT_BADFILE:
		return err_set(err, ERR_INVALID, EINVAL,
			       "the certificates to trust cannot be used: %s", why);
	case CURLE_PEER_FAILED_VERIFICATION:
		if (!transfer->trust->pem)
			return trust_missing(err);
		err_set(err, ERR_NETWORK, EKEYREJECTED, "the server cannot be trusted: %s", why);
		return err_hint(
			err, "if it has a certificate authority of its own, name that by --cacert");
	default:
		return err_set(err, ERR_NETWORK, ECOMM, "%s", why);
	}
}

static int perform(struct transfer *transfer, bool *transient, struct err *err)
{
	CURLcode code = curl_easy_perform(transfer->curl);

	if (transfer->sink_err.kind == ERR_NONE && code == CURLE_OK && !transfer->head_told)
		tell_head(transfer);
	if (transfer->sink_err.kind != ERR_NONE) {
		*err = transfer->sink_err;
		return err_code(err);
	}
	if (code == CURLE_OK || transfer->refused)
		return 0;
	*transient = is_transient(transfer, code);
	return failed(transfer, code, err);
}

int http_get(const struct fetch_job *job, const struct http_trust *trust,
	     const struct http_sink *sink, bool *transient, struct err *err)
{
	struct transfer transfer = {
		.job = job, .trust = trust, .sink = sink, .sink_err = ERR_INIT
	};
	struct curl_slist *headers = request_headers(job);
	int r;

	*transient = false;
	http_head_reset(&transfer.head);
	transfer.curl = curl_easy_init();
	if (!transfer.curl || (job->offset > 0 && !headers))
		r = err_sys(err, ENOMEM, "cannot fetch");
	else
		r = set_options(&transfer, headers, err);
	if (r == 0)
		r = perform(&transfer, transient, err);
	curl_easy_cleanup(transfer.curl);
	curl_slist_free_all(headers);
	return r;
}
