/* SPDX-License-Identifier: Apache-2.0 */
#include "image/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

static const char *const places[] = {
	"/etc/ssl/certs/ca-certificates.crt", /* Debian, Ubuntu, Arch, Gentoo, Alpine */
	"/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL and kin, Amazon Linux */
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* newer of these */
	"/etc/ssl/ca-bundle.pem",			     /* openSUSE */
	"/var/lib/ca-certificates/ca-bundle.pem",	     /* openSUSE, SLE */
	"/etc/ssl/certs/ca-bundle.crt",			     /* NixOS */
	"/etc/ssl/cert.pem",				     /* Alpine, Void, OpenWrt */
	"/etc/pki/tls/cacert.pem",			     /* OpenELEC */
	"/etc/certs/ca-certificates.crt",		     /* Solus */
	"/usr/share/ca-certs/ca-certificates.crt",
	"/usr/share/ssl/cert.pem",
	NULL,
};

static int open_pem(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

int trust_open(const char *cacert, int *fd, struct err *err)
{
	const char *named = cacert ? cacert : getenv("SSL_CERT_FILE");

	*fd = -1;
	if (named && named[0] != '\0') {
		*fd = open_pem(named);
		return *fd < 0 ? err_sys(err, errno, "cannot open the certificates %s", named) : 0;
	}
	for (const char *const *place = places; *place && *fd < 0; place++)
		*fd = open_pem(*place);
	return 0;
}

int trust_missing(struct err *err)
{
	err_set(err, ERR_UNSUPPORTED, ENOENT, "there are no certificates to verify the server by");
	return err_hint(err, "install the package ca-certificates, or name a PEM file by --cacert "
			     "or SSL_CERT_FILE");
}
