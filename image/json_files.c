/* SPDX-License-Identifier: Apache-2.0 */
#include "image/json_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

static int read_file(const char *path, json_files_add *add, void *data, struct err *err)
{
	AUTO_FREE char *text = NULL;
	size_t len;
	int r = fd_read_file(AT_FDCWD, path, JSON_FILES_MAX, &text, &len, err);

	return r < 0 ? r : add(path, text, len, data, err);
}

static int is_json_file(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot && strcmp(dot, ".json") == 0;
}

static int read_dir(const char *path, json_files_add *add, void *data, struct err *err)
{
	struct dirent **list;
	int r = 0, n = scandir(path, &list, is_json_file, alphasort);

	if (n < 0)
		return err_sys(err, errno, "%s", path);
	for (int i = 0; i < n; i++) {
		AUTO_BUF struct buf file = BUF_INIT;

		buf_addf(&file, "%s/%s", path, list[i]->d_name);
		free(list[i]);
		if (r == 0)
			r = buf_failed(&file) ? err_sys(err, ENOMEM, "%s", path) :
						read_file(file.data, add, data, err);
	}
	free(list);
	return r;
}

int json_files_read(const char *path, bool optional, json_files_add *add, void *data,
		    struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno == ENOENT && optional)
			return 0;
		return err_sys(err, errno, "%s", path);
	}
	return S_ISDIR(st.st_mode) ? read_dir(path, add, data, err) :
				     read_file(path, add, data, err);
}
