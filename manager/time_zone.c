/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/time_zone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manager/container_tree.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define ZONES "/usr/share/zoneinfo"
#define LOCAL "local"
/* No dots: nothing in the name leads elsewhere. */
#define ZONE_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/"
#define ZONE_MAX (1u << 20)
#define NAME_LENGTH_MAX 100

static int no_zone(const char *name, const char *where, struct err *err)
{
	err_set(err, ERR_INVALID, ENOENT, "--tz: no time zone %.100s in " ZONES "%s", name, where);
	return err_hint(err,
			"names are such as Europe/Berlin; the zones come with the package tzdata");
}

static int no_local(struct err *err)
{
	return err_set(err, ERR_INVALID, ENOENT, "--tz local: the host has no /etc/localtime");
}

/* Below `root`; false where there is no such file, or it is none of a zone. */
static bool read_below(int root, const char *path, char **text, size_t *len)
{
	struct err missing = ERR_INIT;

	if (root < 0 || fd_read_in_root(root, path, ZONE_MAX, text, len, &missing) < 0)
		return false;
	if (*len >= 4 && memcmp(*text, "TZif", 4) == 0)
		return true;
	free(*text);
	*text = NULL;
	return false;
}

static bool read_host(const char *path, char **text, size_t *len)
{
	AUTO_CLOSE int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return read_below(root, path, text, len);
}

static bool read_own(const struct spec *spec, const char *path, char **text, size_t *len)
{
	struct err missing = ERR_INIT;
	AUTO_CLOSE int root = -1;

	if (spec->root_path)
		root = open(spec->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	else if (container_tree_below(spec, &root, &missing) < 0)
		return false;
	return read_below(root, path, text, len);
}

int time_zone_check(const char *name, struct err *err)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if (strcmp(name, LOCAL) == 0)
		return read_host("/etc/localtime", &text, &len) ? 0 : no_local(err);
	if (!name[0] || name[0] == '/' || name[strspn(name, ZONE_CHARACTERS)] ||
	    strlen(name) > NAME_LENGTH_MAX)
		return no_zone(name, "", err);
	return 0;
}

int time_zone_read(const char *name, const struct spec *spec, char **text, size_t *len,
		   struct err *err)
{
	char path[sizeof(ZONES) + 1 + NAME_LENGTH_MAX];

	if (time_zone_check(name, err) < 0)
		return err_code(err);
	if (strcmp(name, LOCAL) == 0)
		return read_host("/etc/localtime", text, len) ? 0 : no_local(err);
	snprintf(path, sizeof(path), ZONES "/%s", name);
	if (read_host(path, text, len) || read_own(spec, path, text, len))
		return 0;
	return no_zone(name,
		       spec->root_path ? ", neither of the host nor of the directory" :
					 ", neither of the host nor of the image",
		       err);
}
