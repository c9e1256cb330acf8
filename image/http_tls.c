/* SPDX-License-Identifier: Apache-2.0 */
#include "image/http_tls.h"

#include <errno.h>
#include <stdlib.h>

/* libcrypto has a type of the name of one of our error kinds. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#undef ERR_STATE

#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define MAX_TRUST (16u << 20)
#define LAST_RECORD_TYPE 24 /* heartbeat, RFC 6520 */

void http_trust_release(struct http_trust *trust)
{
	X509_STORE_free(trust->store);
	cleanup_close(&trust->fd);
	trust->store = NULL;
	trust->fd = -1;
}

static int parse(X509_STORE *store, const char *pem, size_t len, struct err *err)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	size_t count = 0;
	X509 *cert;

	if (!bio)
		return err_sys(err, ENOMEM, "cannot read the certificates");
	while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		count += X509_STORE_add_cert(store, cert) == 1;
		X509_free(cert);
	}
	BIO_free(bio);
	ERR_clear_error(); /* the last is always "no start line" */
	if (count == 0)
		return err_set(err, ERR_INVALID, EINVAL,
			       "the certificates to trust cannot be used: there are none in PEM");
	return 0;
}

static int load(struct http_trust *trust, struct err *err)
{
	AUTO_FREE char *pem = NULL;
	X509_STORE *store;
	size_t len;
	int r;

	if (trust->store || trust->fd < 0)
		return 0;
	r = fd_read_open_file(trust->fd, "the certificates", MAX_TRUST, &pem, &len, err);
	if (r < 0)
		return r;
	store = X509_STORE_new();
	if (!store)
		return err_sys(err, ENOMEM, "cannot read the certificates");
	r = parse(store, pem, len, err);
	if (r < 0) {
		X509_STORE_free(store);
		return r;
	}
	close(STEAL_FD(trust->fd));
	trust->store = store;
	return 0;
}

/* Add the system's to what libcurl has loaded of the job's. */
static bool add_all(X509_STORE *to, X509_STORE *from)
{
	STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(from);

	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		X509 *cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));

		if (cert && X509_STORE_add_cert(to, cert) != 1)
			return false;
	}
	return true;
}

/* SSL_CTX_set_msg_callback(3): the header of a record is seen before it is judged. */
static void on_message(int write, int version, int type, const void *bytes, size_t len, SSL *ssl,
		       void *data)
{
	const unsigned char *header = bytes;
	struct http_tls *tls = data;

	(void)version;
	(void)ssl;
	if (!write && type == SSL3_RT_HEADER && len >= 2 &&
	    (header[0] < SSL3_RT_CHANGE_CIPHER_SPEC || header[0] > LAST_RECORD_TYPE ||
	     header[1] != SSL3_VERSION_MAJOR))
		tls->no_tls = true;
}

/* Called when libcurl has prepared a connection, and never for http. */
static CURLcode on_context(CURL *curl, void *context, void *data)
{
	struct http_tls *tls = data;
	bool verify = !(tls->own && tls->identity->insecure);
	bool own_only = tls->own && tls->identity->cacert.data;

	(void)curl;
	SSL_CTX_set_msg_callback(context, on_message);
	SSL_CTX_set_msg_callback_arg(context, tls);
	if (!verify || own_only)
		return CURLE_OK;
	if (load(tls->trust, tls->err) < 0)
		return CURLE_SSL_CACERT_BADFILE;
	if (!tls->trust->store)
		tls->no_trust = !tls->identity->cacert.data;
	else if (!tls->identity->cacert.data)
		SSL_CTX_set1_cert_store(context, tls->trust->store);
	else if (!add_all(SSL_CTX_get_cert_store(context), tls->trust->store))
		return CURLE_OUT_OF_MEMORY;
	return CURLE_OK;
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
