/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration of one layer more: image/config_change.h. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "image/config_change.h"
#include "store/json.h"

#define TIME_MAX 64

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot make the configuration");
}

/* RFC 3339, in nanoseconds, as Go prints it. */
static int print_now(char out[TIME_MAX], struct err *err)
{
	char seconds[32];
	struct timespec now;
	struct tm tm;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0 || !gmtime_r(&now.tv_sec, &tm) ||
	    strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return err_sys(err, errno, "cannot tell the time");
	snprintf(out, TIME_MAX, "%s.%09ldZ", seconds, now.tv_nsec);
	return 0;
}

/* Steps that made a layer. */
static size_t count_layers(const json_t *history)
{
	size_t i, n = 0;
	json_t *step;

	json_array_foreach (history, i, step)
		n += !json_is_true(json_object_get(step, "empty_layer"));
	return n;
}

/* The array `key`, made where it is missing; NULL: there is something else. */
static json_t *array_of(json_t *object, const char *key)
{
	json_t *array = json_object_get(object, key);

	if (json_is_array(array))
		return array;
	if ((array && !json_is_null(array)) || json_object_set_new(object, key, json_array()) < 0)
		return NULL;
	return json_object_get(object, key);
}

static int add_step(json_t *history, const char *created, const struct config_step *step,
		    struct err *err)
{
	json_t *entry =
		json_pack("{s:s, s:s*, s:s*, s:s*}", "created", created, "created_by",
			  step->created_by, "author", step->author, "comment", step->comment);

	if (!entry)
		return err_set(err, ERR_INVALID, EILSEQ, "the author or the message is not UTF-8");
	return json_array_append_new(history, entry) < 0 ? no_memory(err) : 0;
}

/* What Docker noted of the parent's making says nothing of this one. */
static void forget_parent(json_t *root)
{
	static const char *const members[] = { "container",	 "container_config",
					       "docker_version", "id",
					       "parent",	 "moby.buildkit.cache.v0",
					       "author" };

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		json_object_del(root, members[i]);
}

int config_add_layer(json_t *root, size_t nlayers, const char *diff_id,
		     const struct config_step *step, struct err *err)
{
	json_t *rootfs = json_object_get(root, "rootfs");
	json_t *diff_ids = json_is_object(rootfs) ? array_of(rootfs, "diff_ids") : NULL;
	json_t *history = json_is_object(root) ? array_of(root, "history") : NULL;
	char now[TIME_MAX];
	int r = print_now(now, err);

	if (r < 0)
		return r;
	if (!diff_ids || !history)
		return err_set(err, ERR_INVALID, EINVAL,
			       "the configuration of its image has no rootfs or no history");
	forget_parent(root);
	while (count_layers(history) < nlayers)
		if (json_array_append_new(history, json_pack("{s:s}", "comment", "not told")) < 0)
			return no_memory(err);
	if (json_array_append_new(diff_ids, json_sprintf("sha256:%s", diff_id)) < 0 ||
	    json_object_set_new(root, "created", json_string(now)) < 0 ||
	    (step->author && json_object_set_new(root, "author", json_string(step->author)) < 0))
		return no_memory(err);
	return add_step(history, now, step, err);
}
