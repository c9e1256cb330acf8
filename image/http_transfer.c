/* SPDX-License-Identifier: Apache-2.0 */
#include "image/http_transfer.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "image/url.h"

/* A buffer of so many bytes there is only while the transfer runs. */
#define BUFFER_SIZE (256L << 10)
#define UPLOAD_BUFFER_SIZE (256L << 10)
#define DISCARD_MAX (1 << 20) /* of a body nobody wants: cheaper than a new connection */

/* --- the answer --- */

static size_t on_header(char *line, size_t size, size_t count, void *data)
{
	struct http_transfer *transfer = data;

	http_head_line(&transfer->head, line, size * count);
	return size * count;
}

bool http_transfer_has_body(const struct http_transfer *transfer)
{
	int status = transfer->head.status;

	return transfer->body_wanted && (status == 200 || status == 206);
}

static bool tell_head(struct http_transfer *transfer)
{
	if (transfer->head_told)
		return true;
	transfer->head_told = true;
	return transfer->on_head(transfer, transfer->data) >= 0;
}

/* Write what the pipe takes. Less than `len`: it is full. -1: failed. */
static ssize_t hand_on(struct http_transfer *transfer, const char *bytes, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(transfer->body, bytes + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			err_sys(&transfer->err, errno, "cannot hand on what was received");
			return -1;
		}
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/*
 * After a pause libcurl gives the same bytes again, perhaps in other pieces: those that went into
 * the pipe before it was full are passed over.
 */
static size_t take_body(struct http_transfer *transfer, const char *bytes, size_t len)
{
	size_t known = transfer->written < len ? transfer->written : len;
	ssize_t n = hand_on(transfer, bytes + known, len - known);

	if (n < 0)
		return 0;
	if (known + (size_t)n < len) {
		transfer->written = known + (size_t)n;
		transfer->body_paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	transfer->written -= known;
	return len;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
	struct http_transfer *transfer = data;
	size_t len = size * count;
	size_t room = HTTP_TEXT_MAX - transfer->text.len;

	if (http_transfer_has_body(transfer)) {
		if (!tell_head(transfer) || transfer->refused)
			return 0;
		return take_body(transfer, bytes, len);
	}
	buf_add(&transfer->text, bytes, len < room ? len : room);
	transfer->discarded += len < room ? 0 : (int64_t)(len - room);
	transfer->refused = transfer->discarded > DISCARD_MAX;
	return transfer->refused ? 0 : len;
}

/* --- the upload --- */

static bool has_input(int fd)
{
	struct pollfd wait = { fd, POLLIN, 0 };

	return poll(&wait, 1, 0) != 0;
}

static size_t on_read(char *bytes, size_t size, size_t count, void *data)
{
	struct http_transfer *transfer = data;
	struct http_upload *upload = transfer->upload;
	size_t len = size * count;
	ssize_t n;

	if (upload->size >= 0 && (int64_t)len > upload->size - upload->sent)
		len = (size_t)(upload->size - upload->sent);
	if (len == 0)
		return 0;
	if (!upload->seeks && !has_input(upload->fd)) {
		transfer->upload_paused = true;
		return CURL_READFUNC_PAUSE;
	}
	do
		n = upload->seeks ? pread(upload->fd, bytes, len, upload->from + upload->sent) :
				    read(upload->fd, bytes, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		err_sys(&transfer->err, errno, "cannot read what is to be sent");
	else if (n == 0 && upload->size >= 0)
		err_set(&transfer->err, ERR_SYS, EIO,
			"what is to be sent ends after %" PRId64 " of %" PRId64 " bytes",
			upload->sent, upload->size);
	if (transfer->err.kind != ERR_NONE)
		return CURL_READFUNC_ABORT;
	upload->sent += n;
	return (size_t)n;
}

/* libcurl repeats a request on a new connection where the server had closed the kept one. */
static int on_seek(void *data, curl_off_t offset, int origin)
{
	struct http_transfer *transfer = data;
	struct http_upload *upload = transfer->upload;

	if (origin != SEEK_SET || (!upload->seeks && upload->sent != offset))
		return CURL_SEEKFUNC_CANTSEEK;
	upload->sent = offset;
	return CURL_SEEKFUNC_OK;
}

/* What a PATCH adds must not be added twice: how much of it has arrived nobody here knows. */
static int on_seek_once(void *data, curl_off_t offset, int origin)
{
	const struct http_transfer *transfer = data;

	return origin == SEEK_SET && transfer->upload->sent == offset ? CURL_SEEKFUNC_OK :
									CURL_SEEKFUNC_FAIL;
}

/* --- the request --- */

static bool add_header(struct http_transfer *transfer, const char *name, const char *value)
{
	AUTO_BUF struct buf line = BUF_INIT;
	struct curl_slist *longer;

	/* Without a value: the header that libcurl would send by itself is left out. */
	buf_addf(&line, value[0] ? "%s: %s" : "%s:", name, value);
	longer = buf_failed(&line) ? NULL : curl_slist_append(transfer->headers, line.data);
	if (longer)
		transfer->headers = longer;
	return longer;
}

static bool add_range(struct http_transfer *transfer, const struct http_exchange *exchange)
{
	const struct http_upload *upload = transfer->upload;
	char text[64];

	if (exchange->offset > 0) {
		snprintf(text, sizeof(text), "bytes=%" PRId64 "-", exchange->offset);
		return add_header(transfer, "Range", text) &&
		       (!exchange->validator[0] ||
			add_header(transfer, "If-Range", exchange->validator));
	}
	if (exchange->upload_offset >= 0 && upload->fd >= 0 && upload->size > 0) {
		/* As the distribution specification writes it, without unit and total. */
		snprintf(text, sizeof(text), "%" PRId64 "-%" PRId64, exchange->upload_offset,
			 exchange->upload_offset + upload->size - 1);
		return add_header(transfer, "Content-Range", text);
	}
	return true;
}

static bool make_headers(struct http_transfer *transfer, const struct http_exchange *exchange)
{
	const char *type =
		exchange->content_type[0] ? exchange->content_type : "application/octet-stream";
	bool sends = exchange->method != FETCH_GET && exchange->method != FETCH_HEAD;

	if (exchange->form)
		type = "application/x-www-form-urlencoded";
	return (!exchange->accept[0] || add_header(transfer, "Accept", exchange->accept)) &&
	       (!exchange->authorization ||
		add_header(transfer, "Authorization", exchange->authorization)) &&
	       (!sends || add_header(transfer, "Content-Type",
				     exchange->form || transfer->upload->fd >= 0 ? type : "")) &&
	       add_range(transfer, exchange) &&
	       /* Waiting for leave to send costs a second where the server knows no such thing. */
	       add_header(transfer, "Expect", "");
}

static CURLcode set_method(struct http_transfer *transfer, const struct http_exchange *exchange)
{
	static const char *const names[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" };
	const struct http_upload *upload = transfer->upload;
	CURL *curl = transfer->curl;

	if (exchange->method == FETCH_GET)
		return CURLE_OK;
	if (exchange->method == FETCH_HEAD)
		return curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	if (exchange->form) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(exchange->form));
		return curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, exchange->form);
	}
	if (upload->fd >= 0) {
		curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_SIZE);
		curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)upload->size);
		curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(curl, CURLOPT_READDATA, transfer);
		curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION,
				 exchange->method == FETCH_PATCH ? on_seek_once : on_seek);
		curl_easy_setopt(curl, CURLOPT_SEEKDATA, transfer);
	} else if (exchange->method != FETCH_DELETE) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, 0L);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
	}
	return curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, names[exchange->method]);
}

static CURLcode set_options(struct http_transfer *transfer, const struct http_exchange *exchange)
{
	CURL *curl = transfer->curl;
	CURLcode code;

	curl_easy_setopt(curl, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->why);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "cman");
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, BUFFER_SIZE);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)exchange->connect_timeout_s);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	/* What is for the server is not for the proxy on the way. */
	curl_easy_setopt(curl, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	curl_easy_setopt(curl, CURLOPT_PROXY, exchange->proxy);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, exchange->no_proxy);
	code = set_method(transfer, exchange);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_HTTPHEADER, transfer->headers);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_URL, exchange->url);
	return code;
}

int http_transfer_begin(struct http_transfer *transfer, const struct http_exchange *exchange,
			struct err *err)
{
	CURLcode code;

	http_head_reset(&transfer->head);
	buf_reset(&transfer->text);
	transfer->offset = exchange->offset;
	transfer->head_told = transfer->refused = false;
	transfer->body_paused = transfer->upload_paused = false;
	transfer->written = 0;
	transfer->discarded = 0;
	transfer->err = (struct err)ERR_INIT;
	transfer->why[0] = '\0';
	transfer->upload->sent = 0;
	transfer->curl = curl_easy_init();
	if (!transfer->curl || !make_headers(transfer, exchange))
		return err_sys(err, ENOMEM, "cannot fetch");
	code = set_options(transfer, exchange);
	if (code != CURLE_OK)
		return err_set(err, ERR_SYS, EIO, "libcurl: %s", curl_easy_strerror(code));
	return http_tls_apply(&transfer->tls, transfer->curl, err);
}

void http_transfer_continue(struct http_transfer *transfer)
{
	if (!transfer->body_paused && !transfer->upload_paused)
		return;
	transfer->body_paused = transfer->upload_paused = false;
	curl_easy_pause(transfer->curl, CURLPAUSE_CONT);
}

void http_transfer_end(struct http_transfer *transfer, CURLM *multi)
{
	if (transfer->curl) {
		curl_multi_remove_handle(multi, transfer->curl);
		curl_easy_cleanup(transfer->curl);
	}
	transfer->curl = NULL;
	curl_slist_free_all(transfer->headers);
	transfer->headers = NULL;
	buf_release(&transfer->text);
}
