/* SPDX-License-Identifier: Apache-2.0 */
/* info: what cman finds on this host, and what it keeps. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/human.h"
#include "manager/cmd/object_print.h"
#include "manager/cmd/options.h"
#include "manager/cmd/version.h"
#include "manager/runtime/cgroup_host.h"
#include "manager/runtime/processors.h"
#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/containers.h"
#include "store/json.h"
#include "store/store.h"
#include "store/usage.h"

#define FILE_MAX (64 << 10)

/* The first line of a file of the host, or NULL; to be freed. */
static char *read_line(int dir, const char *path)
{
	char text[FILE_MAX];

	if (fd_read_text(dir, path, text, sizeof(text)) <= 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return strdup(text);
}

/* os-release(5): PRETTY_NAME="…"; to be freed. */
static char *operating_system(void)
{
	static const char *const files[] = { "/etc/os-release", "/usr/lib/os-release" };
	char line[512];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		AUTO_FCLOSE FILE *file = fopen(files[i], "re");

		while (file && fgets(line, sizeof(line), file)) {
			char *name = line + strlen("PRETTY_NAME=");

			if (!begins_with(line, "PRETTY_NAME="))
				continue;
			name += *name == '"' || *name == '\'';
			name[strcspn(name, "\"'\n")] = '\0';
			return strdup(name);
		}
	}
	return strdup("Linux");
}

static void set_text(json_t *object, const char *key, char *text)
{
	json_object_set_new(object, key, text ? json_string(text) : json_null());
	free(text);
}

static void add_host(json_t *out)
{
	struct sysinfo memory = { 0 };
	struct utsname host;

	if (uname(&host) < 0 || sysinfo(&memory) < 0)
		return;
	json_object_set_new(out, "Name", json_string(host.nodename));
	set_text(out, "OperatingSystem", operating_system());
	json_object_set_new(out, "KernelVersion", json_string(host.release));
	json_object_set_new(out, "Architecture", json_string(host.machine));
	json_object_set_new(out, "NCPU", json_integer(processors_online()));
	json_object_set_new(out, "MemTotal",
			    json_integer((json_int_t)memory.totalram * memory.mem_unit));
}

/* Words parted by blanks. */
static void add_words(json_t *array, const char *text)
{
	while (text && *(text += strspn(text, " \n"))) {
		size_t len = strcspn(text, " \n");

		json_array_append_new(array, json_stringn(text, len));
		text += len;
	}
}

/* /proc/cgroups: name, hierarchy (0: none of v1), number of groups, whether it is enabled. */
static void add_v1_controllers(json_t *array)
{
	AUTO_FCLOSE FILE *file = fopen("/proc/cgroups", "re");
	char line[256], name[64];
	int hierarchy, enabled;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %d %*d %d", name, &hierarchy, &enabled) == 3 &&
		    hierarchy != 0 && enabled)
			json_array_append_new(array, json_string(name));
}

static int add_cgroups(json_t *out, struct err *err)
{
	AUTO_CGROUP_HOST struct cgroup_host host = CGROUP_HOST_INIT;
	json_t *v1, *v2;
	const char *version = "none";
	int rc = cgroup_host_find(&host, err);

	if (rc < 0)
		return rc;
	v1 = json_array();
	v2 = json_array();
	if (host.v2_root >= 0) {
		AUTO_FREE char *names = read_line(host.v2_root, "cgroup.controllers");

		add_words(v2, names);
	}
	if (host.v1_dir >= 0)
		add_v1_controllers(v1);
	if (host.v2_root >= 0 && json_array_size(v1) > 0)
		version = "1 and 2";
	else if (host.v2_root >= 0)
		version = "2";
	else if (host.v1_dir >= 0)
		version = "1";
	json_object_set_new(out, "CgroupVersion", json_string(version));
	json_object_set_new(out, "CgroupControllers", v2);
	json_object_set_new(out, "CgroupV1Controllers", v1);
	return 0;
}

static bool says_yes(const char *path)
{
	AUTO_FREE char *line = read_line(AT_FDCWD, path);

	return line && line[0] == 'Y';
}

/* Docker's names of them. */
static void add_security(json_t *out)
{
	json_t *array = json_array();

	if (access("/proc/sys/kernel/seccomp/actions_avail", F_OK) == 0)
		json_array_append_new(array, json_string("seccomp"));
	if (says_yes("/sys/module/apparmor/parameters/enabled"))
		json_array_append_new(array, json_string("apparmor"));
	if (access("/sys/fs/selinux/enforce", F_OK) == 0)
		json_array_append_new(array, json_string("selinux"));
	if (access("/proc/self/ns/user", F_OK) == 0)
		json_array_append_new(array, json_string("userns"));
	if (access("/proc/self/ns/cgroup", F_OK) == 0)
		json_array_append_new(array, json_string("cgroupns"));
	json_object_set_new(out, "SecurityOptions", array);
}

/* --- what is kept --- */

struct counts {
	int all, running, paused, other;
};

static int count(const struct container_record *record, void *data, struct err *err)
{
	struct counts *counts = data;

	(void)err;
	counts->all++;
	if (record->state == CONTAINER_RUNNING || record->state == CONTAINER_RESTARTING)
		counts->running++;
	else if (record->state == CONTAINER_PAUSED)
		counts->paused++;
	else
		counts->other++;
	return 0;
}

static int add_kept(struct store *store, json_t *out, struct err *err)
{
	struct counts counts = { 0 };
	struct usage usage = { 0 };
	struct statvfs fs;
	int rc = container_each(store, count, &counts, err);

	if (rc == 0)
		rc = store_usage(store, &usage, err);
	if (rc < 0)
		return rc;
	json_object_set_new(out, "Containers", json_integer(counts.all));
	json_object_set_new(out, "ContainersRunning", json_integer(counts.running));
	json_object_set_new(out, "ContainersPaused", json_integer(counts.paused));
	json_object_set_new(out, "ContainersStopped", json_integer(counts.other));
	json_object_set_new(out, "Images", json_integer(usage.images));
	json_object_set_new(out, "LayerBytes", json_integer(usage.layer_bytes));
	json_object_set_new(out, "BlobBytes", json_integer(usage.blob_bytes));
	json_object_set_new(out, "RootDir", json_string(store->root));
	json_object_set_new(out, "RunDir", json_string(store->run));
	if (fstatvfs(store->root_fd, &fs) == 0) {
		json_object_set_new(
			out, "RootBytes",
			json_integer((json_int_t)fs.f_blocks * (json_int_t)fs.f_frsize));
		json_object_set_new(
			out, "RootFreeBytes",
			json_integer((json_int_t)fs.f_bavail * (json_int_t)fs.f_frsize));
	}
	json_object_set_new(out, "Driver", json_string("overlay"));
	return 0;
}

static const struct object_line lines[] = {
	{ "Version", "cman", OBJECT_PLAIN },
	{ "Name", "host", OBJECT_PLAIN },
	{ "OperatingSystem", "system", OBJECT_PLAIN },
	{ "KernelVersion", "kernel", OBJECT_PLAIN },
	{ "Architecture", "machine", OBJECT_PLAIN },
	{ "NCPU", "CPUs", OBJECT_PLAIN },
	{ "MemTotal", "memory", OBJECT_SIZE },
	{ "CgroupVersion", "cgroups", OBJECT_PLAIN },
	{ "CgroupControllers", "  of v2", OBJECT_PLAIN },
	{ "CgroupV1Controllers", "  of v1", OBJECT_PLAIN },
	{ "SecurityOptions", "security", OBJECT_PLAIN },
	{ "RootDir", "root", OBJECT_PLAIN },
	{ "RunDir", "run-time files", OBJECT_PLAIN },
	{ "RootBytes", "  disk", OBJECT_SIZE },
	{ "RootFreeBytes", "  free", OBJECT_SIZE },
	{ "Driver", "file system", OBJECT_PLAIN },
	{ "Containers", "containers", OBJECT_PLAIN },
	{ "ContainersRunning", "  running", OBJECT_PLAIN },
	{ "ContainersPaused", "  paused", OBJECT_PLAIN },
	{ "ContainersStopped", "  stopped", OBJECT_PLAIN },
	{ "Images", "images", OBJECT_PLAIN },
	{ "LayerBytes", "  layers", OBJECT_SIZE },
	{ "BlobBytes", "  blobs", OBJECT_SIZE },
	{ NULL, NULL, OBJECT_PLAIN },
};

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_JSON json_t *info = json_object();
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value, *format = NULL;
	int rc;

	options_begin(&parse, &cmd_info, argc, argv);
	while ((rc = options_next(&parse, &option, &value, err)) > 0)
		format = value;
	if (rc < 0 || options_operands(&parse, 0, 0, err) < 0)
		return -1;
	if (!info)
		return err_sys(err, ENOMEM, "cannot collect what is known");
	json_object_set_new(info, "Version", json_string(cman_version));
	add_host(info);
	if (add_cgroups(info, err) < 0)
		return -1;
	add_security(info);
	if (store_open(app->root, &store, err) < 0 || add_kept(&store, info, err) < 0)
		return -1;
	return object_print(info, lines, format, err);
}

const struct cmd cmd_info = {
	.name = "info",
	.group = CMD_GROUP_CMAN,
	.operands = "[OPTIONS]",
	.summary = "print what is known of the host, and what cman keeps",
	.details =
		"Fields for --format, most as Docker calls them: Version Name OperatingSystem "
		"KernelVersion Architecture NCPU MemTotal CgroupVersion CgroupControllers "
		"CgroupV1Controllers SecurityOptions Containers ContainersRunning ContainersPaused "
		"ContainersStopped Images LayerBytes BlobBytes RootDir RunDir RootBytes "
		"RootFreeBytes Driver.",
	.options =
		(const struct cmd_option[]){
			{ 'f', "format", "FORMAT", "json, or a template such as '{{.NCPU}}'" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
