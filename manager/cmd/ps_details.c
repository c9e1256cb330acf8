/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/ps_details.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "manager/cmd/human.h"
#include "manager/runtime/spec.h"
#include "manager/tree_size.h"
#include "store/base/cleanup.h"
#include "store/images.h"
#include "store/json.h"
#include "store/store.h"

static json_t *parse_labels(const char *labels)
{
	struct err ignored = ERR_INIT;
	json_t *object = NULL;

	if (labels && json_parse("labels", labels, strlen(labels), &object, &ignored) < 0)
		return NULL;
	return object;
}

void ps_add_labels(struct buf *out, const char *labels)
{
	AUTO_JSON json_t *object = parse_labels(labels);
	bool first = true;
	const char *key;
	json_t *value;

	json_object_foreach (object, key, value) {
		buf_addf(out, "%s%s=", first ? "" : ",", key);
		if (json_is_string(value))
			buf_add(out, json_string_value(value), json_string_length(value));
		first = false;
	}
}

bool ps_has_label(const char *labels, const char *wanted)
{
	AUTO_JSON json_t *object = parse_labels(labels);
	size_t len = strcspn(wanted, "=");
	const char *key;
	json_t *value;

	json_object_foreach (object, key, value)
		if (strlen(key) == len && memcmp(key, wanted, len) == 0)
			return wanted[len] == '\0' ||
			       (json_is_string(value) &&
				strcmp(json_string_value(value), wanted + len + 1) == 0);
	return false;
}

/* Files that every container gets from its own directory are nobody's wish. */
static bool is_wished(const struct spec_mount *mount)
{
	static const char *const own[] = { "/etc/hostname", "/etc/hosts", "/etc/resolv.conf" };

	if (strcmp(mount->type, "bind") != 0 || !mount->source)
		return false;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(mount->destination, own[i]) == 0 &&
		    strstr(mount->source, "/containers/"))
			return false;
	return true;
}

/* A volume's files are in ROOT/volumes/NAME/_data: NAME is what people know. */
static void name_of(const struct spec_mount *mount, const char **name, size_t *len)
{
	static const char above[] = "/volumes/", below[] = "/_data";
	const char *volume = strstr(mount->source, above);
	const char *end = strrchr(mount->source, '/');

	*name = mount->source;
	*len = strlen(mount->source);
	if (volume && end && end > volume + strlen(above) && strcmp(end, below) == 0) {
		*name = volume + strlen(above);
		*len = (size_t)(end - *name);
	}
}

void ps_add_mounts(struct buf *out, const struct spec *spec)
{
	bool first = true;

	for (size_t i = 0; i < spec->nmounts; i++) {
		const char *name;
		size_t len;

		if (!is_wished(&spec->mounts[i]))
			continue;
		name_of(&spec->mounts[i], &name, &len);
		buf_addstr(out, first ? "" : ",");
		buf_add(out, name, len);
		first = false;
	}
}

bool ps_has_mount(const struct spec *spec, const char *what)
{
	for (size_t i = 0; i < spec->nmounts; i++) {
		const struct spec_mount *mount = &spec->mounts[i];
		const char *name;
		size_t len;

		if (!is_wished(mount))
			continue;
		name_of(mount, &name, &len);
		if (strcmp(mount->source, what) == 0 || strcmp(mount->destination, what) == 0 ||
		    (strlen(what) == len && memcmp(name, what, len) == 0))
			return true;
	}
	return false;
}

void ps_add_network(struct buf *out, const struct spec *spec)
{
	const struct spec_join *join = &spec->joins[spec_namespace_index(SPEC_NS_NETWORK)];

	if (join->container)
		buf_addf(out, "container:%s", join->container);
	else if (join->path)
		buf_addf(out, "ns:%s", join->path);
	else
		buf_addstr(out, spec->namespaces & SPEC_NS_NETWORK ? "none" : "host");
}

bool ps_has_network(const struct spec *spec, const char *what)
{
	const struct spec_join *join = &spec->joins[spec_namespace_index(SPEC_NS_NETWORK)];
	AUTO_BUF struct buf network = BUF_INIT;

	ps_add_network(&network, spec);
	if (buf_failed(&network))
		return false;
	if (join->container && strlen(what) > strlen("container:"))
		return strncmp(network.data, what, strlen(what)) == 0;
	return strcmp(network.data, what) == 0;
}

bool ps_sizes(struct store *store, const struct container_record *record, int64_t *written,
	      int64_t *all)
{
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	struct err ignored = ERR_INIT;
	AUTO_CLOSE int dir = -1;
	AUTO_CLOSE int upper = -1;

	*all = -1;
	if (container_dir_open(store, record->id, &dir, &ignored) < 0)
		return false;
	upper = openat(dir, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (upper < 0 || tree_size(upper, written, &ignored) < 0)
		return false;
	if (record->image_id && image_find(store, record->image_id, &image, &ignored) == 0)
		*all = *written + image.size;
	return true;
}

void ps_add_size(struct buf *out, struct store *store, const struct container_record *record)
{
	char text[HUMAN_MAX];
	int64_t written, all;

	if (!ps_sizes(store, record, &written, &all))
		return;
	human_size(written, text);
	buf_addstr(out, text);
	if (all < 0)
		return;
	human_size(all, text);
	buf_addf(out, " (virtual %s)", text);
}
