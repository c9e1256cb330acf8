/* SPDX-License-Identifier: Apache-2.0 */
#include "image/config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/strv.h"
#include "store/json.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

void image_config_release(struct image_config *config)
{
	strv_free(config->env);
	strv_free(config->entrypoint);
	strv_free(config->cmd);
	free(config->working_dir);
	free(config->user);
	free(config->stop_signal);
	free(config->architecture);
	json_decref(config->labels);
	json_decref(config->volumes);
	json_decref(config->exposed_ports);
	json_decref(config->healthcheck);
	*config = (struct image_config)IMAGE_CONFIG_INIT;
}

/* A member that is a string; empty counts as missing, as in Docker's own files. */
static int take_string(const json_t *object, const char *key, char **out, struct err *err)
{
	const char *text = NULL;
	int r = json_get_string(object, key, &text, err);

	if (r < 0)
		return r;
	if (!text || text[0] == '\0')
		return 0;
	*out = strdup(text);
	return *out ? 0 : err_sys(err, ENOMEM, "%s", key);
}

static int check_env(char *const *env, struct err *err)
{
	for (size_t i = 0; i < strv_len(env); i++)
		if (env[i][0] == '=' || !strchr(env[i], '='))
			return err_set(err, ERR_INVALID, EINVAL,
				       "config.Env: '%s' is not written KEY=VALUE", env[i]);
	return 0;
}

/* A member that is an object; *out is a reference to it. */
static int take_object(const json_t *object, const char *key, json_t **out, struct err *err)
{
	json_t *member = NULL;
	int r = json_get_object(object, key, &member, err);

	if (r == 0)
		*out = json_incref(member);
	return r;
}

static int check_labels(json_t *labels, struct err *err)
{
	const char *key;
	json_t *value;

	json_object_foreach (labels, key, value)
		if (!json_is_string(value))
			return err_set(err, ERR_INVALID, EINVAL,
				       "config.Labels: \"%s\" is not a string", key);
	return 0;
}

static int check_healthcheck(const json_t *healthcheck, struct err *err)
{
	static const char *const numbers[] = { "Interval", "Timeout", "StartPeriod",
					       "StartInterval", "Retries" };
	AUTO_STRV char **test = NULL;
	int r = json_get_strv(healthcheck, "Test", &test, err);

	for (size_t i = 0; r == 0 && i < sizeof(numbers) / sizeof(*numbers); i++) {
		int64_t number = 0;

		r = json_get_int(healthcheck, numbers[i], &number, err);
		if (r == 0 && number < 0)
			r = err_set(err, ERR_INVALID, EINVAL, "\"%s\" is negative", numbers[i]);
	}
	return r < 0 ? err_wrap(err, "config.Healthcheck") : 0;
}

/* What is not for the program itself. */
static int read_more_members(const json_t *object, struct image_config *config, struct err *err)
{
	int r = take_object(object, "Labels", &config->labels, err);

	if (r == 0)
		r = check_labels(config->labels, err);
	if (r == 0)
		r = take_object(object, "Volumes", &config->volumes, err);
	if (r == 0)
		r = take_object(object, "ExposedPorts", &config->exposed_ports, err);
	if (r == 0)
		r = take_object(object, "Healthcheck", &config->healthcheck, err);
	if (r == 0 && config->healthcheck)
		r = check_healthcheck(config->healthcheck, err);
	return r;
}

static int read_members(const json_t *root, struct image_config *config, struct err *err)
{
	json_t *object = NULL;
	int r;

	r = take_string(root, "architecture", &config->architecture, err);
	if (r < 0)
		return r;
	r = json_get_object(root, "config", &object, err);
	if (r < 0 || !object)
		return r;
	r = json_get_strv(object, "Env", &config->env, err);
	if (r == 0)
		r = check_env(config->env, err);
	if (r == 0)
		r = json_get_strv(object, "Entrypoint", &config->entrypoint, err);
	if (r == 0)
		r = json_get_strv(object, "Cmd", &config->cmd, err);
	if (r == 0)
		r = take_string(object, "WorkingDir", &config->working_dir, err);
	if (r == 0)
		r = take_string(object, "User", &config->user, err);
	if (r == 0)
		r = take_string(object, "StopSignal", &config->stop_signal, err);
	return r < 0 ? r : read_more_members(object, config, err);
}

int image_config_read(const json_t *root, struct image_config *out, struct err *err)
{
	AUTO_IMAGE_CONFIG struct image_config config = IMAGE_CONFIG_INIT;
	int r;

	if (!json_is_object(root))
		return err_set(err, ERR_INVALID, EINVAL, "image configuration: not a JSON object");
	r = read_members(root, &config, err);
	if (r < 0)
		return err_wrap(err, "image configuration");
	*out = config;
	config = (struct image_config)IMAGE_CONFIG_INIT;
	return 0;
}

int image_config_parse(const char *json, struct image_config *out, struct err *err)
{
	AUTO_JSON json_t *root = NULL;
	int r = json_parse("image configuration", json, strlen(json), &root, err);

	return r < 0 ? r : image_config_read(root, out, err);
}

int image_config_for_rootfs(const char *architecture, const char *diff_id, const char *shell,
			    char **out, struct err *err)
{
	AUTO_JSON json_t *root = NULL;

	root = json_pack("{s:s, s:s, s:{s:[s], s:[s]}, s:{s:s, s:[s+]}, s:[{s:s, s:s}]}",
			 "architecture", architecture, "os", "linux", "config", "Env", DEFAULT_PATH,
			 "Cmd", shell, "rootfs", "type", "layers", "diff_ids", "sha256:", diff_id,
			 "history", "created_by", "cman pull", "comment",
			 "root file system archive");
	if (!root)
		return err_sys(err, ENOMEM, "image configuration");
	return json_print(root, false, out, err);
}
