/* SPDX-License-Identifier: Apache-2.0 */
#include "image/http_tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libcrypto has a type of the name of one of our error kinds. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/ssl.h>
#undef ERR_STATE

#define LAST_RECORD_TYPE 24 /* heartbeat, RFC 6520 */

struct http_peer *http_peers_get(struct http_peers *peers, const char *origin)
{
	struct http_peer *peer;

	for (peer = peers->first; peer; peer = peer->next)
		if (strcmp(peer->origin, origin) == 0)
			return peer;
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return NULL;
	snprintf(peer->origin, sizeof(peer->origin), "%s", origin);
	peer->next = peers->first;
	peers->first = peer;
	return peer;
}

/* SSL_CTX_set_msg_callback(3): the header of a record is seen before it is judged. */
static void on_message(int write, int version, int type, const void *bytes, size_t len, SSL *ssl,
		       void *data)
{
	const unsigned char *header = bytes;
	struct http_peer *peer = data;

	(void)version;
	(void)ssl;
	if (!write && type == SSL3_RT_HEADER && len >= 2 &&
	    (header[0] < SSL3_RT_CHANGE_CIPHER_SPEC || header[0] > LAST_RECORD_TYPE ||
	     header[1] != SSL3_VERSION_MAJOR))
		peer->no_tls = true;
}

/* Called when libcurl has prepared a connection, and never for http. */
static CURLcode on_context(CURL *curl, void *context, void *data)
{
	struct http_tls *tls = data;
	bool verify = !(tls->own && tls->identity->insecure);
	bool own_only = tls->own && tls->identity->cacert.data;

	(void)curl;
	SSL_CTX_set_msg_callback(context, on_message);
	SSL_CTX_set_msg_callback_arg(context, tls->peer);
	if (!verify || own_only)
		return CURLE_OK;
	/* Beside what libcurl has loaded of the job's. */
	return http_trust_add(tls->trust, SSL_CTX_get_cert_store(context)) ? CURLE_OK :
									     CURLE_OUT_OF_MEMORY;
}

static CURLcode set_blob(CURL *curl, CURLoption option, const struct http_pem *pem, size_t len,
			 unsigned int flags)
{
	struct curl_blob blob = { .data = pem->data, .len = len, .flags = flags };

	return pem->data ? curl_easy_setopt(curl, option, &blob) : CURLE_OK;
}

int http_tls_apply(struct http_tls *tls, CURL *curl, struct err *err)
{
	const struct http_identity *identity = tls->identity;
	bool insecure = tls->own && identity->insecure;
	CURLcode code;

	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, insecure ? 0L : 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, insecure ? 0L : 2L);
	/* Nothing of the host's is read by libcurl itself. */
	curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	/*
	 * libcurl uses a connection again where these options are equal. What was verified by more
	 * than the job's own certificates must not pass for verified by these alone: the NUL at
	 * the end makes another text of them, and means nothing.
	 */
	code = set_blob(curl, CURLOPT_CAINFO_BLOB, &identity->cacert,
			identity->cacert.len + (tls->own ? 0 : 1), CURL_BLOB_NOCOPY);
	if (code == CURLE_OK && tls->own)
		code = set_blob(curl, CURLOPT_SSLCERT_BLOB, &identity->cert, identity->cert.len,
				CURL_BLOB_NOCOPY);
	if (code == CURLE_OK && tls->own)
		code = set_blob(curl, CURLOPT_SSLKEY_BLOB,
				identity->key.data ? &identity->key : &identity->cert,
				identity->key.data ? identity->key.len : identity->cert.len,
				CURL_BLOB_NOCOPY);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, on_context);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, tls);
	return code == CURLE_OK ?
		       0 :
		       err_set(err, ERR_SYS, EIO, "libcurl: %s", curl_easy_strerror(code));
}
