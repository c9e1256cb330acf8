/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/version.h"

#include <archive.h>
#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <seccomp.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <zlib.h>
#include <zstd.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/format.h"
#include "manager/cmd/options.h"
#include "manager/cmd/text.h"
#include "store/base/buf.h"

const char cman_version[] = CMAN_VERSION;

#define LIBRARIES 8

/* The version out of "libarchive 3.6.2" or "OpenSSL/3.0.15". */
static void after_name(const char *text, char out[32])
{
	const char *version = text + strcspn(text, " /");

	version += strspn(version, " /");
	snprintf(out, 32, "%.*s", (int)strcspn(version, " "), version);
}

struct library {
	const char *name;
	char version[32];
};

static void libraries(struct library out[LIBRARIES])
{
	const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
	const struct scmp_version *seccomp = seccomp_version();
	struct library *library = out;

	*library = (struct library){ .name = "SQLite" };
	snprintf(library++->version, 32, "%s", sqlite3_libversion());
	*library = (struct library){ .name = "libcurl" };
	snprintf(library++->version, 32, "%s", curl->version);
	*library = (struct library){ .name = "OpenSSL" };
	after_name(curl->ssl_version ? curl->ssl_version : "", library++->version);
	*library = (struct library){ .name = "libarchive" };
	after_name(archive_version_string(), library++->version);
	*library = (struct library){ .name = "zstd" };
	snprintf(library++->version, 32, "%s", ZSTD_versionString());
	*library = (struct library){ .name = "zlib" };
	snprintf(library++->version, 32, "%s", zlibVersion());
	*library = (struct library){ .name = "jansson" };
	snprintf(library++->version, 32, "%s", jansson_version_str());
	*library = (struct library){ .name = "libseccomp" };
	snprintf(library++->version, 32, "%u.%u.%u", seccomp->major, seccomp->minor,
		 seccomp->micro);
}

static void add_text(struct buf *out, const struct library *list, const struct utsname *host)
{
	buf_addf(out, "%-12s%s\n", "cman", cman_version);
	for (size_t i = 0; i < LIBRARIES; i++)
		buf_addf(out, "%-12s%s\n", list[i].name, list[i].version);
	buf_addf(out, "%-12s", "kernel");
	buf_add_escaped(out, host->release, strlen(host->release));
	buf_addf(out, " %s\n", host->machine);
}

static void add_member(struct buf *out, const char *before, const char *name, const char *value)
{
	buf_addf(out, "%s\"%s\":", before, name);
	text_add_json(out, value, strlen(value));
}

static void add_json(struct buf *out, const struct library *list, const struct utsname *host)
{
	add_member(out, "{", "Version", cman_version);
	buf_addstr(out, ",\"Libraries\":");
	for (size_t i = 0; i < LIBRARIES; i++)
		add_member(out, i == 0 ? "{" : ",", list[i].name, list[i].version);
	add_member(out, "},", "Kernel", host->release);
	add_member(out, ",", "Machine", host->machine);
	buf_addstr(out, "}\n");
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_BUF struct buf out = BUF_INIT;
	struct library list[LIBRARIES];
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	struct utsname host;
	bool json = false;
	int rc;

	(void)app;
	options_begin(&parse, &cmd_version, argc, argv);
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		json = strcmp(value, "json") == 0;
		if (!json)
			return err_set(err, ERR_USAGE, EINVAL, "--format: not json: %s", value);
	}
	if (rc < 0 || options_operands(&parse, 0, 0, err) < 0)
		return -1;
	if (uname(&host) < 0)
		return err_sys(err, errno, "cannot ask for the kernel's version");
	libraries(list);
	if (json)
		add_json(&out, list, &host);
	else
		add_text(&out, list, &host);
	if (buf_failed(&out))
		return err_sys(err, ENOMEM, "cannot print the version");
	fwrite(out.data, 1, out.len, stdout);
	return 0;
}

const struct cmd cmd_version = {
	.name = "version",
	.group = CMD_GROUP_CMAN,
	.operands = "[OPTIONS]",
	.summary = "print the versions of cman, its libraries and the kernel",
	.options =
		(const struct cmd_option[]){
			{ 0, "format", "FORMAT", "json" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
