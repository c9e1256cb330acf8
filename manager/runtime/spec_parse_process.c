/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "manager/runtime/caps.h"
#include "manager/runtime/spec_names.h"
#include "manager/runtime/spec_take.h"
#include "store/base/strv.h"

static int parse_gids(const json_t *json, struct spec_user *user, struct err *err)
{
	json_t *array = NULL;
	json_t *entry;
	size_t i;
	int result = json_get_array(json, "additionalGids", &array, err);

	if (result < 0 || !array || json_array_size(array) == 0)
		return result;
	if (json_array_size(array) > NGROUPS_MAX)
		return spec_invalid(err, "additionalGids", "has too many entries");
	user->additional_gids = calloc(json_array_size(array), sizeof(gid_t));
	if (!user->additional_gids)
		return spec_no_memory(err);
	json_array_foreach (array, i, entry) {
		json_int_t value = json_integer_value(entry);

		if (!json_is_integer(entry) || value < 0 || value >= UINT32_MAX)
			return spec_invalid(err, "additionalGids",
					    "has an entry that is no group ID");
		user->additional_gids[user->nadditional_gids++] = (gid_t)value;
	}
	return 0;
}

static int parse_user(const json_t *process, struct spec_user *user, struct err *err)
{
	json_t *json = NULL;
	int result = json_get_object(process, "user", &json, err);

	if (result < 0 || !json)
		return result;
	result = spec_take_id(json, "uid", &user->uid, err);
	if (result == 0)
		result = spec_take_id(json, "gid", &user->gid, err);
	if (result == 0)
		result = spec_take_mode(json, "umask", &user->umask, err);
	return result < 0 ? result : parse_gids(json, user, err);
}

static int parse_capability_set(const json_t *json, const char *key, uint64_t *out, struct err *err)
{
	AUTO_STRV char **names = NULL;
	uint64_t set = 0;
	int result = json_get_strv(json, key, &names, err);

	for (size_t i = 0; result == 0 && names && names[i]; i++) {
		int number = capability_from_name(names[i]);

		if (number < 0)
			return err_set(err, ERR_INVALID, EINVAL, "%s: unknown capability %.64s",
				       key, names[i]);
		set |= UINT64_C(1) << number;
	}
	*out = set;
	return result;
}

static int parse_capabilities(const json_t *process, struct spec_capabilities *sets,
			      struct err *err)
{
	json_t *json = NULL;
	int result = json_get_object(process, "capabilities", &json, err);

	if (result < 0 || !json)
		return result;
	result = parse_capability_set(json, "bounding", &sets->bounding, err);
	if (result == 0)
		result = parse_capability_set(json, "effective", &sets->effective, err);
	if (result == 0)
		result = parse_capability_set(json, "inheritable", &sets->inheritable, err);
	if (result == 0)
		result = parse_capability_set(json, "permitted", &sets->permitted, err);
	if (result == 0)
		result = parse_capability_set(json, "ambient", &sets->ambient, err);
	return result;
}

/* -1 stands for no limit: the specification's 2^64 - 1 is beyond what jansson reads. */
static int take_limit(const json_t *json, const char *key, uint64_t *out, struct err *err)
{
	int64_t value = -1;
	int result = spec_take_number(json, key, -1, INT64_MAX, &value, err);

	if (result == 0)
		*out = value < 0 ? UINT64_MAX : (uint64_t)value;
	return result;
}

static int parse_rlimits(const json_t *json, struct spec_process *process, struct err *err)
{
	json_t *array;
	json_t *entry;
	size_t i;
	int result = spec_take_array(json, "rlimits", sizeof(*process->rlimits), &array,
				     (void **)&process->rlimits, err);

	json_array_foreach (array, i, entry) {
		struct spec_rlimit *limit = &process->rlimits[process->nrlimits++];
		const struct spec_name *name;
		const char *type = "";

		result = json_get_string(entry, "type", &type, err);
		name = spec_name_find(spec_rlimit_names, type);
		if (result == 0 && !name)
			return err_set(err, ERR_INVALID, EINVAL, "rlimits: unknown type \"%.64s\"",
				       type);
		if (result == 0)
			result = take_limit(entry, "hard", &limit->hard, err);
		if (result == 0)
			result = take_limit(entry, "soft", &limit->soft, err);
		if (result < 0)
			return err_wrap(err, "rlimits");
		limit->resource = (int)name->value;
	}
	return result;
}

static int parse_oom_score_adj(const json_t *json, struct spec_process *process, struct err *err)
{
	int64_t value = 0;
	int result = spec_take_number(json, "oomScoreAdj", -1000, 1000, &value, err);

	process->oom_score_adj = (int)value;
	process->has_oom_score_adj = json_is_integer(json_object_get(json, "oomScoreAdj"));
	return result;
}

static int parse_console_size(const json_t *json, struct spec_process *process, struct err *err)
{
	json_t *size = NULL;
	int64_t rows = 0, cols = 0;
	int result = json_get_object(json, "consoleSize", &size, err);

	if (result < 0 || !size)
		return result;
	result = spec_take_number(size, "height", 0, UINT16_MAX, &rows, err);
	if (result == 0)
		result = spec_take_number(size, "width", 0, UINT16_MAX, &cols, err);
	process->rows = (uint16_t)rows;
	process->cols = (uint16_t)cols;
	return result;
}

int spec_parse_process(const json_t *root, struct spec_process *process, struct err *err)
{
	json_t *json = NULL;
	int result = json_get_object(root, "process", &json, err);

	process->user.umask = 022;
	if (result < 0 || !json)
		return result;
	result = json_get_bool(json, "terminal", &process->terminal, err);
	if (result == 0)
		result = parse_console_size(json, process, err);
	if (result == 0)
		result = parse_user(json, &process->user, err);
	if (result == 0)
		result = json_get_strv(json, "args", &process->args, err);
	if (result == 0)
		result = json_get_strv(json, "env", &process->env, err);
	if (result == 0)
		result = spec_take_string(json, "cwd", &process->cwd, err);
	if (result == 0)
		result = parse_capabilities(json, &process->capabilities, err);
	if (result == 0)
		result = parse_rlimits(json, process, err);
	if (result == 0)
		result = json_get_bool(json, "noNewPrivileges", &process->no_new_privileges, err);
	if (result == 0)
		result = parse_oom_score_adj(json, process, err);
	return result < 0 ? err_wrap(err, "process") : 0;
}
