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
#include "manager/cmd/object_print.h"
#include "manager/cmd/options.h"
#include "store/json.h"

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

static const struct object_line lines[] = {
	{ "Version", "cman", OBJECT_PLAIN },  { "Libraries", "", OBJECT_MEMBERS },
	{ "Kernel", "kernel", OBJECT_PLAIN }, { "Machine", "machine", OBJECT_PLAIN },
	{ NULL, NULL, OBJECT_PLAIN },
};

static json_t *describe(const struct utsname *host)
{
	struct library list[LIBRARIES];
	json_t *all = json_object();
	json_t *names = json_object();

	libraries(list);
	for (size_t i = 0; i < LIBRARIES; i++)
		json_object_set_new(names, list[i].name, json_string(list[i].version));
	json_object_set_new(all, "Version", json_string(cman_version));
	json_object_set_new(all, "Libraries", names);
	json_object_set_new(all, "Kernel", json_string(host->release));
	json_object_set_new(all, "Machine", json_string(host->machine));
	return all;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_JSON json_t *all = NULL;
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value, *format = NULL;
	struct utsname host;
	int rc;

	(void)app;
	options_begin(&parse, &cmd_version, argc, argv);
	while ((rc = options_next(&parse, &option, &value, err)) > 0)
		format = value;
	if (rc < 0 || options_operands(&parse, 0, 0, err) < 0)
		return -1;
	if (uname(&host) < 0)
		return err_sys(err, errno, "cannot ask for the kernel's version");
	all = describe(&host);
	if (!all)
		return err_sys(err, ENOMEM, "cannot print the version");
	return object_print(all, lines, format, err);
}

const struct cmd cmd_version = {
	.name = "version",
	.group = CMD_GROUP_CMAN,
	.operands = "[OPTIONS]",
	.summary = "print the versions of cman, its libraries and the kernel",
	.options =
		(const struct cmd_option[]){
			{ 'f', "format", "FORMAT", "json, or a template such as '{{.Version}}'" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
