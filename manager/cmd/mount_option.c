/* SPDX-License-Identifier: Apache-2.0 */
/* --mount type=TYPE,KEY=VALUE,…, with Docker's keys; a line of CSV, as there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "manager/cmd/key_values.h"
#include "manager/cmd/mount_values.h"
#include "manager/cmd/options.h"
#include "manager/cmd/suggest.h"
#include "manager/volume_options.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

enum recursion { RECURSION_ENABLED, RECURSION_DISABLED, RECURSION_WRITABLE, RECURSION_READONLY };

struct parsed {
	const struct cmd_option *option;
	const char *value; /* all of it, for messages */
	bool has_kind;
	enum container_mount_kind kind;
	char *source, *destination;
	bool read_only, create_source;
	char *propagation;
	enum recursion recursion;
	bool nocopy;
	char *subpath;
	json_t *labels, *driver_options;
	int64_t size;
	int mode; /* of a tmpfs; -1: not given */
};

static void parsed_release(struct parsed *parsed)
{
	free(parsed->source);
	free(parsed->destination);
	free(parsed->propagation);
	free(parsed->subpath);
	json_decref(parsed->labels);
	json_decref(parsed->driver_options);
}

static int fail(const struct parsed *parsed, struct err *err, const char *key, const char *what,
		const char *text)
{
	return err_set(err, ERR_USAGE, EINVAL, "--%s: %s: %s: %s", parsed->option->name, key, what,
		       text);
}

/* --- values of keys --- */

static int take_text(char **out, const char *text, struct err *err)
{
	free(*out);
	*out = strdup(text);
	return *out ? 0 : option_no_memory(err);
}

/* A key alone is true. */
static int take_bool(const struct parsed *parsed, const char *key, const char *text, bool *out,
		     struct err *err)
{
	static const char *const yes[] = { "true", "1", "" };
	static const char *const no[] = { "false", "0" };

	for (size_t i = 0; i < 3; i++)
		if (strcmp(text, yes[i]) == 0)
			return *out = true, 0;
	for (size_t i = 0; i < 2; i++)
		if (strcmp(text, no[i]) == 0)
			return *out = false, 0;
	return fail(parsed, err, key, "neither true nor false", text);
}

static int take_type(struct parsed *parsed, const char *key, const char *text, struct err *err)
{
	parsed->has_kind = true;
	for (int kind = MOUNT_OF_HOST; kind <= MOUNT_OF_MEMORY; kind++)
		if (strcmp(container_mount_kind_name((enum container_mount_kind)kind), text) == 0) {
			parsed->kind = (enum container_mount_kind)kind;
			return 0;
		}
	fail(parsed, err, key, "not bind, volume or tmpfs", text);
	if (strcmp(text, "image") == 0)
		return err_hint(err, "cman image mount IMAGE tells a directory that can be bound");
	return err_code(err);
}

static int take_source(struct parsed *parsed, const char *key, const char *text, struct err *err)
{
	(void)key;
	return take_text(&parsed->source, text, err);
}

static int take_destination(struct parsed *parsed, const char *key, const char *text,
			    struct err *err)
{
	(void)key;
	return take_text(&parsed->destination, text, err);
}

static int take_read_only(struct parsed *parsed, const char *key, const char *text, struct err *err)
{
	return take_bool(parsed, key, text, &parsed->read_only, err);
}

/* Of consequence on Macs only, says Docker. */
static int take_consistency(struct parsed *parsed, const char *key, const char *text,
			    struct err *err)
{
	static const char *const known[] = { "default", "consistent", "cached", "delegated" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], text) == 0)
			return 0;
	return fail(parsed, err, key, "not default, consistent, cached or delegated", text);
}

static int take_propagation(struct parsed *parsed, const char *key, const char *text,
			    struct err *err)
{
	const char *nearest = mount_value_propagation(text);

	if (!nearest)
		return take_text(&parsed->propagation, text, err);
	fail(parsed, err, key, "not a propagation", text);
	return nearest[0] ? err_hint(err, "did you mean %s?", nearest) :
			    err_hint(err, "private, shared or slave, or with r before it");
}

static int take_non_recursive(struct parsed *parsed, const char *key, const char *text,
			      struct err *err)
{
	bool alone = false;
	int rc = take_bool(parsed, key, text, &alone, err);

	parsed->recursion = alone ? RECURSION_DISABLED : RECURSION_ENABLED;
	return rc;
}

static int take_recursive(struct parsed *parsed, const char *key, const char *text, struct err *err)
{
	static const char *const names[] = {
		[RECURSION_ENABLED] = "enabled",
		[RECURSION_DISABLED] = "disabled",
		[RECURSION_WRITABLE] = "writable",
		[RECURSION_READONLY] = "readonly",
	};

	for (int i = RECURSION_ENABLED; i <= RECURSION_READONLY; i++)
		if (strcmp(names[i], text) == 0) {
			parsed->recursion = (enum recursion)i;
			return 0;
		}
	return fail(parsed, err, key, "not enabled, disabled, writable or readonly", text);
}

static int take_create_source(struct parsed *parsed, const char *key, const char *text,
			      struct err *err)
{
	return take_bool(parsed, key, text, &parsed->create_source, err);
}

static int take_nocopy(struct parsed *parsed, const char *key, const char *text, struct err *err)
{
	return take_bool(parsed, key, text, &parsed->nocopy, err);
}

static int take_subpath(struct parsed *parsed, const char *key, const char *text, struct err *err)
{
	if (text[0] == '/' || text[0] == '\0')
		return fail(parsed, err, key, "not a path relative to the volume", text);
	return take_text(&parsed->subpath, text, err);
}

static int take_label(struct parsed *parsed, const char *key, const char *text, struct err *err)
{
	if (text[0] == '\0' || text[0] == '=')
		return fail(parsed, err, key, "not KEY=VALUE", text);
	return key_values_add(&parsed->labels, text, err);
}

static int take_driver_option(struct parsed *parsed, const char *key, const char *text,
			      struct err *err)
{
	if (!strchr(text, '=') || text[0] == '=')
		return fail(parsed, err, key, "not KEY=VALUE", text);
	return key_values_add(&parsed->driver_options, text, err);
}

static int take_driver(struct parsed *parsed, const char *key, const char *text, struct err *err)
{
	return strcmp(text, "local") == 0 ? 0 : fail(parsed, err, key, "there is only local", text);
}

static int take_size(struct parsed *parsed, const char *key, const char *text, struct err *err)
{
	const struct cmd_option named = { 0, key, NULL, NULL };
	int rc = option_size(&named, text, &parsed->size, err);

	return rc < 0 ? fail(parsed, err, key, "not a size", text) : 0;
}

static int take_mode(struct parsed *parsed, const char *key, const char *text, struct err *err)
{
	char *end = NULL;
	long mode = strtol(text, &end, 8);

	if (text[0] < '0' || text[0] > '7' || *end || mode > 07777)
		return fail(parsed, err, key, "not an octal mode", text);
	parsed->mode = (int)mode;
	return 0;
}

static int refuse_relabel(struct parsed *parsed, const char *key, const char *text, struct err *err)
{
	fail(parsed, err, key, "files are not labelled for SELinux", text);
	return err_hint(err, "leave it out; where SELinux confines containers, "
			     "chcon -Rt container_file_t labels them");
}

static int refuse_owner(struct parsed *parsed, const char *key, const char *text, struct err *err)
{
	fail(parsed, err, key, "the owner of files is not changed", text);
	return err_hint(err, "change it first: chown -R USER:GROUP DIR");
}

/* --- keys --- */

#define BIND (1u << MOUNT_OF_HOST)
#define VOLUME (1u << MOUNT_OF_VOLUME)
#define TMPFS (1u << MOUNT_OF_MEMORY)
#define ANY (BIND | VOLUME | TMPFS)

static const struct key {
	const char *name;
	unsigned kinds; /* that it is for */
	int (*take)(struct parsed *parsed, const char *key, const char *text, struct err *err);
} keys[] = {
	{ "type", ANY, take_type },
	{ "source", BIND | VOLUME, take_source },
	{ "src", BIND | VOLUME, take_source },
	{ "destination", ANY, take_destination },
	{ "dst", ANY, take_destination },
	{ "target", ANY, take_destination },
	{ "readonly", ANY, take_read_only },
	{ "ro", ANY, take_read_only },
	{ "consistency", ANY, take_consistency },
	{ "bind-propagation", BIND, take_propagation },
	{ "bind-nonrecursive", BIND, take_non_recursive },
	{ "bind-recursive", BIND, take_recursive },
	{ "bind-create-src", BIND, take_create_source },
	{ "volume-nocopy", VOLUME, take_nocopy },
	{ "volume-label", VOLUME, take_label },
	{ "volume-driver", VOLUME, take_driver },
	{ "volume-opt", VOLUME, take_driver_option },
	{ "volume-subpath", VOLUME, take_subpath },
	{ "tmpfs-size", TMPFS, take_size },
	{ "tmpfs-mode", TMPFS, take_mode },
	{ "relabel", ANY, refuse_relabel },
	{ "U", ANY, refuse_owner },
	{ "chown", ANY, refuse_owner },
};
#define NKEYS (sizeof(keys) / sizeof(keys[0]))

static const struct key *find_key(const struct parsed *parsed, const char *name, struct err *err)
{
	struct suggest suggest;

	suggest_begin(&suggest, name, strlen(name));
	for (size_t i = 0; i < NKEYS; i++) {
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
		suggest_offer(&suggest, keys[i].name);
	}
	err_set(err, ERR_USAGE, EINVAL, "--%s: unknown key: %s", parsed->option->name, name);
	if (suggest_best(&suggest))
		err_hint(err, "did you mean %s?", suggest_best(&suggest));
	else
		err_hint(err, "such as type, source, target, readonly");
	return NULL;
}

/*
 * The next field of the line, in place: up to a comma, or within double quotes, of which two stand
 * for one. NULL at the end, and, with *text unchanged, where quotes do not end.
 */
static char *next_field(char **text)
{
	char *start = *text, *from = start, *to = start;

	if (!start)
		return NULL;
	if (*from != '"') {
		*text = strchr(start, ',');
		if (*text)
			*(*text)++ = '\0';
		return start;
	}
	for (from++; *from && (*from != '"' || from[1] == '"'); *to++ = *from++)
		from += *from == '"';
	if (*from != '"' || (from[1] && from[1] != ','))
		return NULL;
	*text = from[1] ? from + 2 : NULL;
	*to = '\0';
	return start;
}

/* `used`: by their place in the table, those that were given. */
static int parse_fields(struct parsed *parsed, char *text, const struct key *used[NKEYS],
			struct err *err)
{
	char *field;

	while ((field = next_field(&text))) {
		char *equals = strchr(field, '=');
		const struct key *key;
		int rc;

		if (equals)
			*equals = '\0';
		key = find_key(parsed, field, err);
		if (!key)
			return err_code(err);
		rc = key->take(parsed, field, equals ? equals + 1 : "", err);
		if (rc < 0)
			return rc;
		used[key - keys] = key;
	}
	return text ? err_set(err, ERR_USAGE, EINVAL, "--%s: a quote that does not end: %s",
			      parsed->option->name, parsed->value) :
		      0;
}

static int check_keys(const struct parsed *parsed, const struct key *const used[NKEYS],
		      struct err *err)
{
	const char *type = container_mount_kind_name(parsed->kind);

	for (size_t i = 0; i < NKEYS; i++)
		if (used[i] && !(used[i]->kinds & (1u << parsed->kind))) {
			err_set(err, ERR_USAGE, EINVAL, "--%s: %s is not for type=%s: %s",
				parsed->option->name, used[i]->name, type, parsed->value);
			return parsed->has_kind ?
				       err_code(err) :
				       err_hint(err, "without a type it is a volume: type=bind, "
						     "type=tmpfs");
		}
	if (!parsed->destination)
		return err_set(err, ERR_USAGE, EINVAL, "--%s: no target=PATH: %s",
			       parsed->option->name, parsed->value);
	if (parsed->kind == MOUNT_OF_HOST && !parsed->source)
		return err_set(err, ERR_USAGE, EINVAL, "--%s: no source=PATH: %s",
			       parsed->option->name, parsed->value);
	if (parsed->subpath && !parsed->source)
		return err_set(err, ERR_USAGE, EINVAL, "--%s: volume-subpath of a new volume: %s",
			       parsed->option->name, parsed->value);
	if (parsed->recursion == RECURSION_READONLY && !parsed->read_only)
		return err_set(err, ERR_USAGE, EINVAL,
			       "--%s: bind-recursive=readonly without readonly: %s",
			       parsed->option->name, parsed->value);
	return 0;
}

/* --- what comes of it --- */

static int make_source(const struct parsed *parsed, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	struct stat st;

	if (stat(parsed->source, &st) == 0 || errno != ENOENT)
		return 0;
	return fd_ensure_dir_path(parsed->source, 0755, &fd, err);
}

static int build_host(const struct parsed *parsed, struct container_mount *mount, struct err *err)
{
	const bool alone = parsed->recursion == RECURSION_DISABLED;
	int rc = 0;

	if (!mount_value_is_path(parsed->source))
		return err_set(err, ERR_USAGE, EINVAL, "--%s: the source is no path: %s",
			       parsed->option->name, parsed->value);
	if (parsed->create_source)
		rc = make_source(parsed, err);
	if (rc == 0)
		rc = mount_value_source(parsed->option, parsed->source, &mount->source, err);
	if (rc < 0)
		return rc;
	mount->shallow = parsed->recursion == RECURSION_WRITABLE;
	if (asprintf(&mount->options, "%s,%s%s", alone ? "bind" : "rbind",
		     parsed->propagation ? parsed->propagation : "rprivate",
		     parsed->read_only ? ",ro" : "") < 0) {
		mount->options = NULL;
		return option_no_memory(err);
	}
	return 0;
}

static int build_volume(struct parsed *parsed, struct container_mount *mount, struct err *err)
{
	if (parsed->source && mount_value_name(parsed->option, parsed->source, err) < 0)
		return err_code(err);
	if (volume_options_check(parsed->driver_options, err) < 0)
		return err_wrap(err, "--%s: volume-opt", parsed->option->name);
	mount->source = STEAL_PTR(parsed->source);
	mount->subpath = STEAL_PTR(parsed->subpath);
	mount->labels = STEAL_PTR(parsed->labels);
	mount->driver_options = STEAL_PTR(parsed->driver_options);
	mount->nocopy = parsed->nocopy;
	mount->options = strdup(parsed->read_only ? "rbind,rprivate,ro" : "rbind,rprivate");
	return mount->options ? 0 : option_no_memory(err);
}

static int build_memory(const struct parsed *parsed, struct container_mount *mount, struct err *err)
{
	char size[32] = "", mode[32] = "";

	if (parsed->size > 0)
		snprintf(size, sizeof(size), ",size=%lld", (long long)parsed->size);
	if (parsed->mode >= 0)
		snprintf(mode, sizeof(mode), ",mode=%o", (unsigned)parsed->mode);
	if (asprintf(&mount->options, "nosuid,nodev,noexec%s%s%s", parsed->read_only ? ",ro" : "",
		     size, mode) < 0) {
		mount->options = NULL;
		return option_no_memory(err);
	}
	return 0;
}

int run_value_mount(const struct cmd_option *option, const char *value,
		    struct wanted_mounts *mounts, struct err *err)
{
	struct parsed parsed __attribute__((cleanup(parsed_release))) = {
		.option = option,
		.value = value,
		.kind = MOUNT_OF_VOLUME,
		.mode = -1,
	};
	AUTO_CONTAINER_MOUNT struct container_mount mount = CONTAINER_MOUNT_INIT;
	const struct key *used[NKEYS] = { NULL };
	AUTO_FREE char *text = strdup(value);
	int rc = text ? parse_fields(&parsed, text, used, err) : option_no_memory(err);

	if (rc == 0)
		rc = check_keys(&parsed, used, err);
	if (rc == 0)
		rc = mount_value_destination(option, parsed.destination, value, mounts, err);
	if (rc < 0)
		return rc;
	mount.kind = parsed.kind;
	mount.destination = STEAL_PTR(parsed.destination);
	switch (parsed.kind) {
	case MOUNT_OF_HOST:
		rc = build_host(&parsed, &mount, err);
		break;
	case MOUNT_OF_VOLUME:
		rc = build_volume(&parsed, &mount, err);
		break;
	case MOUNT_OF_MEMORY:
		rc = build_memory(&parsed, &mount, err);
		break;
	}
	return rc < 0 ? rc : wanted_mounts_add(mounts, &mount, err);
}
