/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/volume_options.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "store/json.h"

static int check_type(const char *type, struct err *err)
{
	if (strcmp(type, "none") == 0 || type[0] == '\0')
		return 0;
	err_set(err, ERR_USAGE, EINVAL, "type=%s: volumes of file systems are not supported", type);
	if (strcmp(type, "tmpfs") == 0)
		return err_hint(err, "for files in memory: cman run --tmpfs /PATH or "
				     "--mount type=tmpfs,dst=/PATH");
	return err_hint(err, "mount it on the host, and name the directory: "
			     "--opt type=none --opt o=bind --opt device=/DIR");
}

static int check_words(const char *words, bool *bind, struct err *err)
{
	while (*words) {
		size_t len = strcspn(words, ",");

		if ((len == 4 && memcmp(words, "bind", 4) == 0) ||
		    (len == 5 && memcmp(words, "rbind", 5) == 0)) {
			*bind = true;
		} else {
			err_set(err, ERR_USAGE, EINVAL, "o=%.*s: only bind is supported", (int)len,
				words);
			return err_hint(err, "ro, noexec and others are said where it is mounted: "
					     "cman run -v NAME:/PATH:ro");
		}
		words += len + (words[len] == ',');
	}
	return 0;
}

static int check_device(const char *device, bool bind, struct err *err)
{
	if (!device && !bind)
		return 0;
	if (!device || !bind) {
		err_set(err, ERR_USAGE, EINVAL, "%s without %s", device ? "device=" : "o=bind",
			device ? "o=bind" : "device=");
		return err_hint(err, "a directory of the host as a volume: "
				     "--opt type=none --opt o=bind --opt device=/DIR");
	}
	if (device[0] != '/')
		return err_set(err, ERR_USAGE, EINVAL, "device=%s: not an absolute path", device);
	return 0;
}

int volume_options_check(const json_t *options, struct err *err)
{
	const char *key, *device = NULL;
	bool bind = false;
	json_t *value;
	int r = 0;

	json_object_foreach ((json_t *)options, key, value) {
		const char *text = json_string_value(value);

		if (strcmp(key, "type") == 0) {
			r = check_type(text, err);
		} else if (strcmp(key, "o") == 0) {
			r = check_words(text, &bind, err);
		} else if (strcmp(key, "device") == 0) {
			device = text;
		} else {
			r = err_set(err, ERR_USAGE, EINVAL, "no such option of volumes: %s", key);
			err_hint(err, "there are type, o and device, as of Docker's driver local");
		}
		if (r < 0)
			return r;
	}
	return check_device(device, bind, err);
}

int volume_options_device(const char *text, char **device, struct err *err)
{
	AUTO_JSON json_t *options = NULL;
	const char *path = NULL;
	int r;

	*device = NULL;
	if (!text)
		return 0;
	r = json_parse("options of the volume", text, strlen(text), &options, err);
	if (r == 0)
		r = json_get_string(options, "device", &path, err);
	if (r < 0 || !path)
		return r;
	*device = strdup(path);
	return *device ? 0 : err_sys(err, ENOMEM, "cannot read the options of the volume");
}
