/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/run_values_devices.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "manager/cmd/options.h"
#include "manager/runtime/devices.h"
#include "manager/runtime/secrets.h"
#include "store/base/cleanup.h"
#include "store/base/path.h"

#define SECRET_MODE 0444 /* as in Docker and Podman */

/* --- devices --- */

static bool is_access(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len < 4 && text[strspn(text, "rwm")] == '\0';
}

/* Takes the device's texts over. */
static int add_device(const struct spec_device *device, const char *access,
		      struct isolation *isolation, struct err *err)
{
	struct spec_device *devices =
		reallocarray(isolation->devices, isolation->ndevices + 1, sizeof(*devices));
	struct spec_device_rule *rules;

	if (devices)
		isolation->devices = devices;
	rules = reallocarray(isolation->rules, isolation->nrules + 1, sizeof(*rules));
	if (rules)
		isolation->rules = rules;
	if (!devices || !rules) {
		free(device->path);
		free(device->source);
		return option_no_memory(err);
	}
	devices[isolation->ndevices++] = *device;
	rules[isolation->nrules] = (struct spec_device_rule){
		.allow = true,
		.type = device->type,
		.major = device->major,
		.minor = device->minor,
	};
	snprintf(rules[isolation->nrules++].access, sizeof(rules->access), "%s", access);
	return 0;
}

static int add_directory(const struct cmd_option *option, const char *host, const char *inside,
			 const char *access, struct isolation *isolation, struct err *err)
{
	struct device_list list = { NULL, 0 };
	int rc = devices_of_directory(host, inside, &list, err);

	if (rc < 0)
		return err_wrap(err, "--%s", option->name);
	if (list.count == 0)
		rc = err_set(err, ERR_USAGE, ENODEV, "--%s: no device is in %s", option->name,
			     host);
	for (size_t i = 0; rc == 0 && i < list.count; i++) {
		rc = add_device(&list.devices[i], access, isolation, err);
		list.devices[i].path = list.devices[i].source = NULL;
	}
	device_list_release(&list);
	return rc;
}

static int add_host_device(const struct cmd_option *option, const char *host, const char *inside,
			   const char *access, struct isolation *isolation, struct err *err)
{
	struct spec_device device = { .path = NULL };
	struct stat st;

	if (stat(host, &st) < 0)
		return err_sys(err, errno, "--%s: %s", option->name, host);
	if (S_ISDIR(st.st_mode))
		return add_directory(option, host, inside, access, isolation, err);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(err, ERR_USAGE, ENODEV, "--%s: %s is no device", option->name, host);
	device = (struct spec_device){
		.path = strdup(inside),
		.source = strdup(host),
		.type = S_ISBLK(st.st_mode) ? 'b' : 'c',
		.major = major(st.st_rdev),
		.minor = minor(st.st_rdev),
		.file_mode = st.st_mode & 0777,
		.uid = st.st_uid,
		.gid = st.st_gid,
	};
	if (!device.path || !device.source) {
		free(device.path);
		free(device.source);
		return option_no_memory(err);
	}
	return add_device(&device, access, isolation, err);
}

int run_value_device(const struct cmd_option *option, const char *value,
		     struct isolation *isolation, struct err *err)
{
	AUTO_FREE char *copy = strdup(value);
	char *parts[3] = { NULL, NULL, NULL };
	char *rest = copy;
	const char *access = "rwm";
	size_t n = 0;

	if (!copy)
		return option_no_memory(err);
	while (rest && n < 3)
		parts[n++] = strsep(&rest, ":");
	if (rest || parts[0][0] != '/')
		return option_bad_value(option, "HOST[:PATH][:rwm] with an absolute path", value,
					err);
	if (n > 1 && is_access(parts[n - 1]))
		access = parts[--n];
	else if (n == 3)
		return option_bad_value(option, "HOST[:PATH][:rwm]", value, err);
	if (n > 1 && parts[1][0] != '/')
		return option_bad_value(option, "HOST[:PATH][:rwm]", value, err);
	return add_host_device(option, parts[0], n > 1 ? parts[1] : parts[0], access, isolation,
			       err);
}

/* --- secrets --- */

static int take_id(const char *text, uid_t *out)
{
	char *end;
	unsigned long number;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (*end || errno || number >= UINT32_MAX)
		return -EINVAL;
	*out = (uid_t)number;
	return 0;
}

static int take_mode(const char *text, mode_t *out)
{
	char *end;
	unsigned long mode;

	if (*text < '0' || *text > '7')
		return -EINVAL;
	mode = strtoul(text, &end, 8);
	if (*end || mode > 0777)
		return -EINVAL;
	*out = (mode_t)mode;
	return 0;
}

static int replace(char **field, const char *text, struct err *err)
{
	free(*field);
	*field = strdup(text);
	return *field ? 0 : option_no_memory(err);
}

/* One "key=value" of it; what has no key is the source. */
static int take_word(const struct cmd_option *option, const char *value, char *word,
		     struct spec_secret *secret, struct err *err)
{
	char *text = strchr(word, '=');
	int rc = -EINVAL;

	if (!text)
		return secret->source ? option_bad_value(option, "KEY=VALUE with commas between",
							 value, err) :
					replace(&secret->source, word, err);
	*text++ = '\0';
	if (strcmp(word, "source") == 0 || strcmp(word, "src") == 0)
		return replace(&secret->source, text, err);
	if (strcmp(word, "target") == 0)
		return replace(&secret->target, text, err);
	if (strcmp(word, "uid") == 0)
		rc = take_id(text, &secret->uid);
	else if (strcmp(word, "gid") == 0)
		rc = take_id(text, &secret->gid);
	else if (strcmp(word, "mode") == 0)
		rc = take_mode(text, &secret->mode);
	else if (strcmp(word, "type") == 0 && strcmp(text, "mount") == 0)
		rc = 0;
	else if (strcmp(word, "type") == 0)
		return err_set(err, ERR_UNSUPPORTED, ENOTSUP,
			       "--%s: a secret is a file, and in no environment: %s", option->name,
			       value);
	return rc < 0 ? option_bad_value(option, "source=FILE[,target=NAME][,uid=][,gid=][,mode=]",
					 value, err) :
			0;
}

/* The source absolute, the target below SECRETS_DIR unless it is. */
static int complete(const struct cmd_option *option, const char *value, struct spec_secret *secret,
		    struct err *err)
{
	const char *name;
	char *source, *target;
	struct stat st;

	if (!secret->source || !*secret->source)
		return option_bad_value(option, "source=FILE", value, err);
	source = realpath(secret->source, NULL);
	if (!source)
		return err_sys(err, errno, "--%s: %s", option->name, secret->source);
	free(secret->source);
	secret->source = source;
	if (stat(source, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_USAGE, EINVAL, "--%s: %s is not a regular file",
			       option->name, source);
	if (st.st_size > SECRET_MAX)
		return err_set(err, ERR_USAGE, EFBIG, "--%s: %s is longer than %d bytes",
			       option->name, source, SECRET_MAX);
	if (secret->target && secret->target[0] == '/') {
		path_normalise(secret->target);
		if (path_is_within(secret->target, "/proc"))
			return err_set(err, ERR_USAGE, EINVAL,
				       "--%s: every container has its own /proc: %s", option->name,
				       value);
		if (secret->target[1])
			return 0;
	}
	name = secret->target ? secret->target : strrchr(source, '/') + 1;
	if (!*name || *name == '.' || strchr(name, '/'))
		return option_bad_value(option, "target=NAME, or an absolute path", value, err);
	if (asprintf(&target, SECRETS_DIR "/%s", name) < 0)
		return option_no_memory(err);
	free(secret->target);
	secret->target = target;
	return 0;
}

static int parse_secret(const struct cmd_option *option, const char *value,
			struct spec_secret *secret, struct err *err)
{
	AUTO_FREE char *copy = strdup(value);
	char *rest = copy;
	int rc = copy ? 0 : option_no_memory(err);

	while (rc == 0 && rest)
		rc = take_word(option, value, strsep(&rest, ","), secret, err);
	return rc < 0 ? rc : complete(option, value, secret, err);
}

int run_value_secret(const struct cmd_option *option, const char *value,
		     struct isolation *isolation, struct err *err)
{
	struct spec_secret secret = { .mode = SECRET_MODE };
	struct spec_secret *secrets = NULL;
	int rc = parse_secret(option, value, &secret, err);

	for (size_t i = 0; rc == 0 && i < isolation->nsecrets; i++)
		if (strcmp(isolation->secrets[i].target, secret.target) == 0)
			rc = err_set(err, ERR_USAGE, EEXIST, "--%s: %s is there twice",
				     option->name, secret.target);
	if (rc == 0) {
		secrets =
			reallocarray(isolation->secrets, isolation->nsecrets + 1, sizeof(*secrets));
		if (!secrets)
			rc = option_no_memory(err);
	}
	if (rc < 0 || !secrets) {
		free(secret.source);
		free(secret.target);
		return rc;
	}
	isolation->secrets = secrets;
	secrets[isolation->nsecrets++] = secret;
	return 0;
}
