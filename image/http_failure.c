/* SPDX-License-Identifier: Apache-2.0 */
#include "image/http_failure.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

/* libcrypto has a type of the name of one of our error kinds. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/x509_vfy.h>
#undef ERR_STATE

#include "store/base/buf.h"
#include "store/json.h"

#define MESSAGE_MAX 400

bool http_failure_is_transient(const struct http_transfer *transfer, CURLcode code)
{
	long os_errno = 0;

	if (transfer->err.kind != ERR_NONE)
		return false;
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
		return os_errno != 0 && !transfer->tls.peer->no_tls;
	default:
		return false;
	}
}

static int not_trusted(const struct http_transfer *transfer, const char *why, struct err *err)
{
	long verified = X509_V_OK;

	err_set(err, ERR_NETWORK, EKEYREJECTED, "the server cannot be trusted: %s", why);
	curl_easy_getinfo(transfer->curl, CURLINFO_SSL_VERIFYRESULT, &verified);
	/* The chain has no error of its own: it is the name. */
	if (verified == X509_V_OK || verified == X509_V_ERR_UNSPECIFIED)
		return err_hint(err, "its certificate is good, but for other hosts");
	return err_hint(err, "if it has a certificate authority of its own, name that by --cacert");
}

int http_failure(const struct http_transfer *transfer, CURLcode code, struct err *err)
{
	const char *why = transfer->why[0] ? transfer->why : curl_easy_strerror(code);

	if (transfer->err.kind != ERR_NONE) {
		*err = transfer->err;
		return err_code(err);
	}
	switch (code) {
	case CURLE_OUT_OF_MEMORY:
		return err_sys(err, ENOMEM, "cannot fetch");
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		return err_set(err, ERR_INVALID, EINVAL, "%s", why);
	case CURLE_SSL_CACERT_BADFILE:
		return err_set(err, ERR_INVALID, EINVAL,
			       "the certificates to trust cannot be used: %s", why);
	case CURLE_SSL_CERTPROBLEM:
		return err_set(err, ERR_INVALID, EINVAL,
			       "the client certificate cannot be used: %s", why);
	case CURLE_SEND_FAIL_REWIND: /* libcurl would have sent it again */
		return err_set(err, ERR_NETWORK, ECONNRESET,
			       "the server closed the connection before all was sent");
	case CURLE_PEER_FAILED_VERIFICATION:
		if (!transfer->tls.identity->cacert.data &&
		    http_trust_explains(transfer->tls.trust, err))
			return err_code(err);
		return not_trusted(transfer, why, err);
	default:
		if (code == CURLE_SSL_CONNECT_ERROR && transfer->tls.peer->no_tls) {
			err_set(err, ERR_NETWORK, EPROTO, "the server speaks no TLS");
			return err_hint(err, "http is spoken to a registry if --insecure or "
					     "cman-registries(5) says so");
		}
		return err_set(err, ERR_NETWORK, ECOMM, "%s", why);
	}
}

/* "MANIFEST_UNKNOWN" as words. */
static void add_code(struct buf *to, const char *code)
{
	for (; *code; code++)
		buf_addch(to, *code == '_' ? ' ' : (char)tolower((unsigned char)*code));
}

static const char *string_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && text[0] ? text : NULL;
}

static void describe(const json_t *root, struct buf *text)
{
	static const char *const keys[] = { "message", "details", "error_description", "error" };
	const json_t *first = json_array_get(json_object_get(root, "errors"), 0);
	const char *code = string_of(first, "code"), *message = string_of(first, "message");

	for (size_t i = 0; !code && !message && i < sizeof(keys) / sizeof(keys[0]); i++)
		message = string_of(root, keys[i]);
	if (code)
		add_code(text, code);
	if (message && text->len > 0 && !buf_failed(text)) {
		if (strcasecmp(message, text->data) == 0)
			return;
		buf_addstr(text, ": ");
	}
	if (message)
		buf_addstr(text, message);
}

void http_failure_text(const char *json, size_t len, char *out, size_t size)
{
	AUTO_JSON json_t *root = NULL;
	AUTO_BUF struct buf raw = BUF_INIT;
	AUTO_BUF struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;
	size_t end;

	out[0] = '\0';
	if (json_parse("answer", json, len, &root, &ignored) < 0)
		return;
	describe(root, &raw);
	if (raw.len == 0 || buf_failed(&raw))
		return;
	buf_add_escaped(&text, raw.data, raw.len < MESSAGE_MAX ? raw.len : MESSAGE_MAX);
	if (buf_failed(&text))
		return;
	end = text.len < size - 1 ? text.len : size - 1;
	/* Not in the middle of a character. */
	while (end > 0 && end < text.len && ((unsigned char)text.data[end] & 0xc0) == 0x80)
		end--;
	memcpy(out, text.data, end);
	out[end] = '\0';
}
