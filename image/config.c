/* SPDX-License-Identifier: Apache-2.0 */
#include "image/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/descriptor.h"
#include "image/parse.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"

void image_config_release(struct image_config *config)
{
	strv_free(config->env);
	strv_free(config->entrypoint);
	strv_free(config->cmd);
	free(config->working_dir);
	free(config->user);
	free(config->stop_signal);
	for (size_t i = 0; i < config->nlabels; i++) {
		free(config->labels[i].key);
		free(config->labels[i].value);
	}
	free(config->labels);
	strv_free(config->volumes);
	strv_free(config->exposed_ports);
	strv_free(config->healthcheck.test);
	*config = (struct image_config)IMAGE_CONFIG_INIT;
}

/* --- members --- */

/* A member that is a string; empty counts as missing, as in Docker's own files. */
static int take_string(const struct flat *object, const char *key, char **out, struct err *err)
{
	const char *text = NULL;
	int r = flat_get_string(object, key, &text, err);

	if (r < 0)
		return r;
	if (!text || text[0] == '\0')
		return 0;
	*out = strdup(text);
	return *out ? 0 : err_sys(err, ENOMEM, "%s", key);
}

static int check_env(char *const *env, struct err *err)
{
	for (; env && *env; env++)
		if (**env == '=' || !strchr(*env, '='))
			return err_set(err, ERR_INVALID, EINVAL,
				       "config.Env: '%s' is not written KEY=VALUE", *env);
	return 0;
}

static int take_labels(const struct flat *object, struct image_config *config, struct err *err)
{
	struct flat labels = FLAT_INIT, value;
	const char *key, *text;
	size_t n = 0;
	int r = flat_get_object(object, "Labels", &labels, err);

	if (r == 0)
		r = flat_count(&labels, &n, err);
	if (r < 0 || n == 0)
		return r;
	config->labels = calloc(n, sizeof(*config->labels));
	if (!config->labels)
		return err_sys(err, ENOMEM, "Labels");
	while ((r = flat_next_member(&labels, &key, &value, err)) > 0) {
		struct image_label *label = &config->labels[config->nlabels++];

		text = flat_string(&value);
		if (!text)
			return err_set(err, ERR_INVALID, EINVAL,
				       "config.Labels: \"%s\" is not a string", key);
		label->key = strdup(key);
		label->value = strdup(text);
		if (!label->key || !label->value)
			return err_sys(err, ENOMEM, "Labels");
	}
	return r;
}

/* The keys of an object, whose values say nothing. */
static int take_keys(const struct flat *object, const char *key, char ***out, struct err *err)
{
	struct flat member = FLAT_INIT, value;
	const char *name;
	size_t n = 0, i = 0;
	int r = flat_get_object(object, key, &member, err);

	if (r == 0)
		r = flat_count(&member, &n, err);
	if (r < 0 || n == 0)
		return r;
	*out = calloc(n + 1, sizeof(**out));
	if (!*out)
		return err_sys(err, ENOMEM, "%s", key);
	while ((r = flat_next_member(&member, &name, &value, err)) > 0) {
		(*out)[i] = strdup(name);
		if (!(*out)[i++])
			return err_sys(err, ENOMEM, "%s", key);
	}
	return r;
}

static int take_healthcheck(const struct flat *object, struct image_healthcheck *out,
			    struct err *err)
{
	const struct {
		const char *key;
		int64_t *number;
	} numbers[] = {
		{ "Interval", &out->interval_ns },
		{ "Timeout", &out->timeout_ns },
		{ "StartPeriod", &out->start_period_ns },
		{ "StartInterval", &out->start_interval_ns },
		{ "Retries", &out->retries },
	};
	struct flat healthcheck = FLAT_INIT;
	int r = flat_get_object(object, "Healthcheck", &healthcheck, err);

	if (r < 0 || healthcheck.kind == FLAT_NULL)
		return r;
	r = flat_get_strv(&healthcheck, "Test", &out->test, err);
	for (size_t i = 0; r == 0 && i < sizeof(numbers) / sizeof(*numbers); i++) {
		r = flat_get_int(&healthcheck, numbers[i].key, numbers[i].number, err);
		if (r == 0 && *numbers[i].number < 0)
			r = err_set(err, ERR_INVALID, EINVAL, "\"%s\" is negative", numbers[i].key);
	}
	return r < 0 ? err_wrap(err, "config.Healthcheck") : 0;
}

/* What is not for the program itself. */
static int take_more(const struct flat *object, struct image_config *config, struct err *err)
{
	int r = take_labels(object, config, err);

	if (r == 0)
		r = take_keys(object, "Volumes", &config->volumes, err);
	if (r == 0)
		r = take_keys(object, "ExposedPorts", &config->exposed_ports, err);
	return r < 0 ? r : take_healthcheck(object, &config->healthcheck, err);
}

static int take_config(const struct flat *root, struct image_config *config, struct err *err)
{
	struct flat object = FLAT_INIT;
	int r = flat_get_object(root, "config", &object, err);

	if (r < 0 || object.kind == FLAT_NULL)
		return r;
	r = flat_get_strv(&object, "Env", &config->env, err);
	if (r == 0)
		r = check_env(config->env, err);
	if (r == 0)
		r = flat_get_strv(&object, "Entrypoint", &config->entrypoint, err);
	if (r == 0)
		r = flat_get_strv(&object, "Cmd", &config->cmd, err);
	if (r == 0)
		r = take_string(&object, "WorkingDir", &config->working_dir, err);
	if (r == 0)
		r = take_string(&object, "User", &config->user, err);
	if (r == 0)
		r = take_string(&object, "StopSignal", &config->stop_signal, err);
	return r < 0 ? r : take_more(&object, config, err);
}

static int take_platform(const struct flat *root, struct platform *out, struct err *err)
{
	const char *os = "linux", *architecture = NULL, *variant = NULL;
	int r = flat_get_string(root, "os", &os, err);

	if (r == 0)
		r = flat_get_string(root, "architecture", &architecture, err);
	if (r == 0)
		r = flat_get_string(root, "variant", &variant, err);
	if (r < 0)
		return r;
	/* Early ones tell nothing; they are all for the same. */
	if (!architecture || !architecture[0])
		architecture = "amd64";
	if (!platform_set(out, os[0] ? os : "linux", architecture, variant))
		return err_set(err, ERR_INVALID, EINVAL, "its platform is malformed");
	return 0;
}

int image_config_read(const struct flat *root, struct image_config *out, struct err *err)
{
	AUTO_IMAGE_CONFIG struct image_config config = IMAGE_CONFIG_INIT;
	int r;

	if (root->kind != FLAT_OBJECT)
		return err_set(err, ERR_INVALID, EINVAL, "image configuration: not a JSON object");
	r = take_config(root, &config, err);
	if (r == 0)
		r = take_platform(root, &config.platform, err);
	if (r < 0)
		return err_wrap(err, "image configuration");
	*out = config;
	config = (struct image_config)IMAGE_CONFIG_INIT;
	return 0;
}

/* --- layers --- */

static int find_diff_ids(const struct flat *root, struct flat *ids, struct err *err)
{
	struct flat rootfs = FLAT_INIT;
	const char *type = "layers";
	int r = flat_get_object(root, "rootfs", &rootfs, err);

	if (r < 0)
		return r;
	if (rootfs.kind == FLAT_NULL)
		return err_set(err, ERR_INVALID, EINVAL, "\"rootfs\" is missing");
	r = flat_get_string(&rootfs, "type", &type, err);
	if (r == 0)
		r = flat_get_array(&rootfs, "diff_ids", ids, err);
	if (r == 0 && strcmp(type, "layers") != 0)
		r = err_set(err, ERR_UNSUPPORTED, ENOTSUP, "its type is not known: %.100s", type);
	return r < 0 ? err_wrap(err, "\"rootfs\"") : 0;
}

static int take_diff_id(const struct flat *value, size_t i, char out[DIGEST_HEX_LEN + 1],
			struct err *err)
{
	const char *text = flat_string(value);

	if (!text)
		return err_set(err, ERR_INVALID, EINVAL,
			       "\"diff_ids\": element %zu is not a string", i);
	return digest_parse(text, out, err) < 0 ? err_wrap(err, "\"diff_ids\"") : 0;
}

static int take_diff_ids(struct flat ids, char (*out)[DIGEST_HEX_LEN + 1], size_t *n,
			 struct err *err)
{
	struct flat value;
	size_t i = 0;
	int r;

	while ((r = flat_next(&ids, &value, err)) > 0) {
		if (i == PARSE_MAX_LAYERS)
			return err_set(err, ERR_INVALID, E2BIG, "it has more than %d layers",
				       PARSE_MAX_LAYERS);
		r = take_diff_id(&value, i, out[i], err);
		if (r < 0)
			return r;
		i++;
	}
	if (r < 0)
		return r;
	if (i == 0)
		return err_set(err, ERR_UNSUPPORTED, ENOTSUP, "there is no layer in it");
	*n = i;
	return 0;
}

int image_config_read_layers(const struct flat *root, char (**out)[DIGEST_HEX_LEN + 1], size_t *n,
			     struct err *err)
{
	char(*found)[DIGEST_HEX_LEN + 1] = NULL;
	struct flat ids = FLAT_INIT;
	int r = find_diff_ids(root, &ids, err);

	if (r == 0) {
		found = calloc(PARSE_MAX_LAYERS, sizeof(*found));
		r = found ? take_diff_ids(ids, found, n, err) :
			    err_sys(err, ENOMEM, "cannot keep the layers");
		if (r < 0)
			err_wrap(err, "\"rootfs\"");
	}
	if (r < 0) {
		free(found);
		return err_wrap(err, "image configuration");
	}
	*out = found;
	return 0;
}
