/* SPDX-License-Identifier: Apache-2.0 */
#include "image/http_trust.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* libcrypto has a type of the name of one of our error kinds. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#undef ERR_STATE

#include "image/trust.h"
#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define FILE_MAX (16u << 20)
#define CERTS_MAX 10000
/* libcrypto's own, for the use of programs. */
#define TRUST_INDEX 0

struct http_trust_cert {
	unsigned char *der;
	long len;
	X509_NAME *subject;
};

/* --- what is in the file --- */

/*
 * The subject of a certificate (RFC 5280, 4.1): in Certificate and TBSCertificate, behind the
 * optional version, serial number, signature algorithm, issuer and validity. NULL: is none.
 */
static X509_NAME *find_subject(const unsigned char *der, long size)
{
	const unsigned char *at = der, *end;
	long len;
	int tag, class;

	for (int i = 0; i < 2; i++) {
		if (ASN1_get_object(&at, &len, &tag, &class, der + size - at) & 0x81 ||
		    tag != V_ASN1_SEQUENCE)
			return NULL;
	}
	end = at + len;
	for (int skip = 4; at < end;) {
		const unsigned char *begin = at;

		if (ASN1_get_object(&at, &len, &tag, &class, end - at) & 0x81)
			return NULL;
		if (class != V_ASN1_CONTEXT_SPECIFIC && skip-- == 0)
			return d2i_X509_NAME(NULL, &begin, at + len - begin);
		at += len;
	}
	return NULL;
}

/* Base64 to bytes. Returns their number, or -1. */
static long decode(const char *text, size_t len, unsigned char *out)
{
	EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
	int done = 0, rest = 0;
	bool ok = false;

	if (ctx) {
		EVP_DecodeInit(ctx);
		ok = EVP_DecodeUpdate(ctx, out, &done, (const unsigned char *)text, (int)len) >=
			     0 &&
		     EVP_DecodeFinal(ctx, out + done, &rest) >= 0;
	}
	EVP_ENCODE_CTX_free(ctx);
	return ok ? done + rest : -1;
}

/* What cannot be read is passed over: another one may be the one that is needed. */
static int add_cert(struct http_trust *trust, const char *text, size_t len, struct err *err)
{
	struct http_trust_cert cert = { .der = malloc(len + 1) };

	if (!cert.der)
		return err_sys(err, ENOMEM, "cannot read the certificates");
	cert.len = decode(text, len, cert.der);
	if (cert.len > 0)
		cert.subject = find_subject(cert.der, cert.len);
	if (!cert.subject) {
		free(cert.der);
		return 0;
	}
	if (trust->count % 64 == 0) {
		struct http_trust_cert *more =
			realloc(trust->certs, (trust->count + 64) * sizeof(*more));

		if (!more) {
			free(cert.der);
			X509_NAME_free(cert.subject);
			return err_sys(err, ENOMEM, "cannot read the certificates");
		}
		trust->certs = more;
	}
	trust->certs[trust->count++] = cert;
	return 0;
}

/* RFC 7468; "TRUSTED CERTIFICATE" is libcrypto's own and begins with the same bytes. */
static int add_file(struct http_trust *trust, const char *text, struct err *err)
{
	static const char *const names[] = { "CERTIFICATE-----", "TRUSTED CERTIFICATE-----",
					     "X509 CERTIFICATE-----" };

	while ((text = strstr(text, "-----BEGIN ")) && trust->count < CERTS_MAX) {
		const char *begin = NULL, *end;
		int r;

		text += strlen("-----BEGIN ");
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !begin; i++)
			if (begins_with(text, names[i]))
				begin = text + strlen(names[i]);
		/* The next line of this form; that of another begin belongs to what has no end. */
		end = begin ? strstr(begin, "-----") : NULL;
		if (!end || !begins_with(end, "-----END "))
			continue;
		r = add_cert(trust, begin, (size_t)(end - begin), err);
		if (r < 0)
			return r;
		text = end;
	}
	ERR_clear_error();
	if (trust->count == 0)
		return err_set(err, ERR_INVALID, EINVAL,
			       "the certificates to trust cannot be used: there are none in PEM");
	return 0;
}

static int load(struct http_trust *trust, struct err *err)
{
	AUTO_FREE char *text = NULL;
	size_t len;
	int r;

	r = fd_read_open_file(trust->fd, "the certificates", FILE_MAX, &text, &len, err);
	close(STEAL_FD(trust->fd));
	return r < 0 ? r : add_file(trust, text, err);
}

/* --- what a chain asks for --- */

static void take_in(X509_STORE *store, const X509_NAME *name)
{
	struct http_trust *trust = X509_STORE_get_ex_data(store, TRUST_INDEX);

	if (trust->fd >= 0)
		load(trust, &trust->err);
	for (size_t i = 0; i < trust->count; i++) {
		const struct http_trust_cert *cert = &trust->certs[i];
		const unsigned char *der = cert->der;
		X509 *parsed;

		if (X509_NAME_cmp(cert->subject, name) != 0)
			continue;
		parsed = d2i_X509(NULL, &der, cert->len);
		if (parsed)
			X509_STORE_add_cert(store, parsed);
		X509_free(parsed);
	}
}

/* X509_STORE_set_get_issuer(3), then libcrypto's own way. */
static int get_issuer(X509 **issuer, X509_STORE_CTX *ctx, X509 *cert)
{
	take_in(X509_STORE_CTX_get0_store(ctx), X509_get_issuer_name(cert));
	return X509_STORE_CTX_get1_issuer(issuer, ctx, cert);
}

static STACK_OF(X509) * lookup_certs(X509_STORE_CTX *ctx, const X509_NAME *name)
{
	take_in(X509_STORE_CTX_get0_store(ctx), name);
	return X509_STORE_CTX_get1_certs(ctx, name);
}

bool http_trust_add(struct http_trust *trust, void *store)
{
	if (X509_STORE_set_ex_data(store, TRUST_INDEX, trust) != 1)
		return false;
	X509_STORE_set_get_issuer(store, get_issuer);
	X509_STORE_set_lookup_certs(store, lookup_certs);
	return true;
}

bool http_trust_explains(const struct http_trust *trust, struct err *err)
{
	if (trust->err.kind != ERR_NONE)
		*err = trust->err;
	else if (trust->fd < 0 && trust->count == 0)
		trust_missing(err);
	else
		return false;
	return true;
}
