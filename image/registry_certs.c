/* SPDX-License-Identifier: Apache-2.0 */
#include "image/registry_certs.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"

void registry_certs_release(struct registry_certs *certs)
{
	cleanup_free(&certs->cacert);
	cleanup_free(&certs->cert);
	cleanup_free(&certs->key);
	*certs = (struct registry_certs)REGISTRY_CERTS_INIT;
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "certificates");
}

/* directory/name with another suffix. */
static int make_path(const char *directory, const char *name, const char *suffix, char **out,
		     struct err *err)
{
	const char *dot = strrchr(name, '.');
	AUTO_BUF struct buf path = BUF_INIT;

	buf_addf(&path, "%s/%.*s%s", directory, dot ? (int)(dot - name) : (int)strlen(name), name,
		 suffix);
	*out = buf_steal(&path);
	return *out ? 0 : no_memory(err);
}

static bool ends_in(const char *name, const char *suffix)
{
	const char *dot = strrchr(name, '.');

	return name[0] != '.' && dot && strcmp(dot, suffix) == 0;
}

/* The one that is better: the usual name, else the first of the alphabet. */
static const char *better(const char *name, const char *best, const char *usual)
{
	if (!best || strcmp(name, usual) == 0)
		return name;
	return strcmp(best, usual) != 0 && strcmp(name, best) < 0 ? name : best;
}

static int read_directory(const char *path, DIR *directory, struct registry_certs *certs,
			  struct err *err)
{
	AUTO_FREE char *ca = NULL;
	AUTO_FREE char *cert = NULL;
	struct dirent *entry;
	int r = 0;

	while ((entry = readdir(directory))) {
		bool is_ca = ends_in(entry->d_name, ".crt");
		char **best = is_ca ? &ca : &cert;

		if (!is_ca && !ends_in(entry->d_name, ".cert"))
			continue;
		if (better(entry->d_name, *best, is_ca ? "ca.crt" : "client.cert") == *best)
			continue;
		free(*best);
		*best = strdup(entry->d_name);
		if (!*best)
			return no_memory(err);
	}
	if (ca)
		r = make_path(path, ca, ".crt", &certs->cacert, err);
	if (r == 0 && cert)
		r = make_path(path, cert, ".cert", &certs->cert, err);
	if (r == 0 && cert)
		r = make_path(path, cert, ".key", &certs->key, err);
	if (r == 0 && cert && access(certs->key, F_OK) < 0) {
		err_set(err, ERR_INVALID, ENOENT, "%s: there is no key to it", certs->cert);
		return err_hint(err, "the key is to be %s", certs->key);
	}
	return r;
}

int registry_certs_find(const char *host, struct registry_certs *out, struct err *err)
{
	const char *own = getenv("CMAN_CERTS");
	const char *const usual[] = { "/etc/cman/certs.d", "/etc/docker/certs.d", NULL };
	const char *const named[] = { own, NULL };
	struct registry_certs certs = REGISTRY_CERTS_INIT;

	for (const char *const *place = own && *own ? named : usual; *place; place++) {
		AUTO_CLOSEDIR DIR *directory = NULL;
		AUTO_BUF struct buf path = BUF_INIT;
		int r;

		buf_addf(&path, "%s/%s", *place, host);
		if (buf_failed(&path))
			return no_memory(err);
		directory = opendir(path.data);
		if (!directory && (errno == ENOENT || errno == ENOTDIR))
			continue;
		if (!directory)
			return err_sys(err, errno, "%s", path.data);
		r = read_directory(path.data, directory, &certs, err);
		if (r < 0) {
			registry_certs_release(&certs);
			return r;
		}
		*out = certs;
		return 0;
	}
	return 0;
}
