/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/etc_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manager/spec_build.h"
#include "manager/time_zone.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/strv.h"

#define HOST_FILE_MAX (1u << 20)

struct target {
	int dir_fd;
	const char *dir;
	struct spec *spec;
};

void etc_options_release(struct etc_options *options)
{
	strv_free(options->hosts);
	strv_free(options->servers);
	strv_free(options->search);
	strv_free(options->dns_options);
	*options = (struct etc_options){ 0 };
}

static bool is_mounted_by_user(const struct spec *spec, const char *path)
{
	for (size_t i = 0; i < spec->nmounts; i++) {
		if (strcmp(spec->mounts[i].destination, path) == 0 ||
		    strcmp(spec->mounts[i].destination, "/etc") == 0)
			return true;
	}
	return false;
}

static int add_file(const struct target *target, const char *name, const char *text, size_t len,
		    struct err *err)
{
	AUTO_CLOSE int fd = -1;
	AUTO_FREE char *source = NULL;
	char path[32];
	int rc;

	snprintf(path, sizeof(path), "/etc/%s", name);
	if (is_mounted_by_user(target->spec, path))
		return 0;
	fd = openat(target->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0644);
	/* Every user inside reads it, whatever the umask here is. */
	if (fd < 0 || fchmod(fd, 0644) < 0)
		return err_sys(err, errno, "cannot create %s/%s", target->dir, name);
	rc = fd_write_all(fd, text, len);
	if (rc < 0)
		return err_sys(err, -rc, "cannot write %s/%s", target->dir, name);
	if (asprintf(&source, "%s/%s", target->dir, name) < 0)
		return err_sys(err, ENOMEM, "cannot mount %s", path);
	return spec_add_mount(target->spec, path, "bind", source,
			      target->spec->root_readonly ? "bind,rprivate,ro" : "bind,rprivate",
			      err);
}

static int add_buffer(const struct target *target, const char *name, struct buf *buf,
		      struct err *err)
{
	if (buf_failed(buf))
		return err_sys(err, ENOMEM, "cannot make /etc/%s", name);
	return add_file(target, name, buf->data, buf->len, err);
}

/* Appends it. A host without that file is no reason to fail. */
static void read_host_file(const char *path, struct buf *out)
{
	AUTO_FREE char *text = NULL;
	struct err missing = ERR_INIT;
	size_t len;

	if (fd_read_file(AT_FDCWD, path, HOST_FILE_MAX, &text, &len, &missing) == 0)
		buf_add(out, text, len);
}

/* --- hosts --- */

static void add_own_names(const struct spec *spec, struct buf *out)
{
	buf_addf(out, "127.0.0.1\tlocalhost\n"
		      "::1\tlocalhost ip6-localhost ip6-loopback\n");
	/* All of 127.0.0.0/8 is the loopback; Debian's place for the own name is 127.0.1.1. */
	if (spec->domainname)
		buf_addf(out, "127.0.1.1\t%s.%s %s\n", spec->hostname, spec->domainname,
			 spec->hostname);
	else
		buf_addf(out, "127.0.1.1\t%s\n", spec->hostname);
}

static int add_hosts(const struct target *target, const struct etc_options *options,
		     struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT;

	if (target->spec->namespaces & SPEC_NS_NETWORK)
		add_own_names(target->spec, &text);
	else
		read_host_file("/etc/hosts", &text);
	if (text.len && text.data[text.len - 1] != '\n')
		buf_addch(&text, '\n');
	for (char *const *line = options->hosts; line && *line; line++)
		buf_addf(&text, "%s\n", *line);
	return text.len ? add_buffer(target, "hosts", &text, err) : 0;
}

/* --- resolv.conf --- */

static bool is_directive(const char *line, const char *word)
{
	size_t len = strlen(word);

	return strncmp(line, word, len) == 0 && (line[len] == ' ' || line[len] == '\t');
}

/* What of the host's was not replaced. */
static void keep_host_lines(const struct etc_options *options, const char *text, struct buf *out)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (!(options->servers && is_directive(text, "nameserver")) &&
		    !(options->search &&
		      (is_directive(text, "search") || is_directive(text, "domain"))) &&
		    !(options->dns_options && is_directive(text, "options")))
			buf_addf(out, "%.*s\n", (int)len, text);
		text += len + (text[len] != '\0');
	}
}

static void add_words(const char *directive, char *const *words, struct buf *out)
{
	buf_addf(out, "%s", directive);
	for (; *words; words++)
		buf_addf(out, " %s", *words);
	buf_addch(out, '\n');
}

/* A network that is none of the container's own leads where the host's leads, or may. */
static bool has_host_names(const struct spec *spec)
{
	return !(spec->namespaces & SPEC_NS_NETWORK) ||
	       spec->joins[spec_namespace_index(SPEC_NS_NETWORK)].path;
}

static int add_resolver(const struct target *target, const struct etc_options *options,
			struct err *err)
{
	bool asked = options->servers || options->search || options->dns_options;
	AUTO_BUF struct buf host = BUF_INIT;
	AUTO_BUF struct buf text = BUF_INIT;

	if (has_host_names(target->spec)) {
		read_host_file("/etc/resolv.conf", &host);
		buf_addch(&host, '\0');
		if (!buf_failed(&host))
			keep_host_lines(options, host.data, &text);
	}
	for (char *const *server = options->servers; server && *server; server++)
		buf_addf(&text, "nameserver %s\n", *server);
	if (options->search && strcmp(options->search[0], ".") != 0)
		add_words("search", options->search, &text);
	if (options->dns_options)
		add_words("options", options->dns_options, &text);
	return asked || text.len ? add_buffer(target, "resolv.conf", &text, err) : 0;
}

/* --- localtime --- */

static int add_localtime(const struct target *target, const struct etc_options *options,
			 struct err *err)
{
	AUTO_FREE char *text = NULL;
	size_t len;
	int rc;

	if (!options->timezone)
		return 0;
	rc = time_zone_read(options->timezone, target->spec, &text, &len, err);
	return rc < 0 ? rc : add_file(target, "localtime", text, len, err);
}

int etc_files_create(int dir_fd, const char *dir, const struct etc_options *options,
		     struct spec *spec, struct err *err)
{
	const struct target target = { .dir_fd = dir_fd, .dir = dir, .spec = spec };
	char text[512];
	int len = snprintf(text, sizeof(text), "%s\n", spec->hostname);
	int rc = add_file(&target, "hostname", text, (size_t)len, err);

	if (rc == 0)
		rc = add_hosts(&target, options, err);
	if (rc == 0)
		rc = add_resolver(&target, options, err);
	return rc < 0 ? rc : add_localtime(&target, options, err);
}
