/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/labels.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/strv.h"
#include "store/base/utf8.h"
#include "store/json.h"

#define LABEL_FILE_MAX (4u << 20)

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot keep the labels");
}

int labels_add(const struct cmd_option *option, const char *value, char ***labels, struct err *err)
{
	AUTO_FREE char *whole = NULL;

	if (value[0] == '\0' || value[0] == '=')
		return err_set(err, ERR_USAGE, EINVAL, "--%s: not KEY=VALUE: %s", option->name,
			       value);
	if (!utf8_is_valid(value))
		return err_set(err, ERR_USAGE, EILSEQ, "--%s: not UTF-8: %s", option->name, value);
	if (asprintf(&whole, "%s%s", value, strchr(value, '=') ? "" : "=") < 0)
		return no_memory(err);
	return strv_set_env(labels, whole) < 0 ? no_memory(err) : 0;
}

int labels_add_file(const struct cmd_option *option, const char *path, char ***labels,
		    struct err *err)
{
	AUTO_FREE char *text = NULL;
	char *rest = NULL;
	size_t len;
	int rc = fd_read_file(AT_FDCWD, path, LABEL_FILE_MAX, &text, &len, err);

	if (rc < 0)
		return err_wrap(err, "--%s", option->name);
	if (memchr(text, '\0', len))
		return err_set(err, ERR_INVALID, EINVAL, "--%s: %s: a NUL byte", option->name,
			       path);
	for (char *line = strtok_r(text, "\r\n", &rest); rc == 0 && line;
	     line = strtok_r(NULL, "\r\n", &rest)) {
		line += strspn(line, " \t");
		if (*line && *line != '#')
			rc = labels_add(option, line, labels, err);
	}
	return rc;
}

int labels_print(const struct image_config *image, char *const *labels, char **out, struct err *err)
{
	AUTO_JSON json_t *all = NULL;

	if (image->nlabels == 0 && (!labels || !*labels))
		return 0;
	all = json_object();
	if (!all)
		return no_memory(err);
	for (size_t i = 0; i < image->nlabels; i++)
		if (json_object_set_new(all, image->labels[i].key,
					json_string(image->labels[i].value)) < 0)
			return no_memory(err);
	for (; labels && *labels; labels++) {
		const char *equals = strchr(*labels, '=');
		AUTO_FREE char *key = strndup(*labels, (size_t)(equals - *labels));

		if (!key || json_object_set_new(all, key, json_string(equals + 1)) < 0)
			return no_memory(err);
	}
	return json_print(all, false, out, err);
}
