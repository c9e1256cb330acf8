/* SPDX-License-Identifier: Apache-2.0 */
#include "image/catalog.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "image/json_files.h"
#include "store/base/begins.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/json.h"

#define SYSTEM_DIR "/etc/cman/catalog.d"

extern const char catalog_builtin[], catalog_builtin_end[]; /* catalog_blob.S */

void catalog_release(struct catalog *catalog)
{
	json_decref(catalog->entries);
	catalog->entries = NULL;
}

void catalog_source_release(struct catalog_source *source)
{
	free(source->version);
	free(source->directory);
	free(source->checksums);
	free(source->pattern);
	free(source->known);
	*source = (struct catalog_source)CATALOG_SOURCE_INIT;
}

/* A string that has to be there. */
static int require_string(const json_t *entry, const char *key, const char **out, struct err *err)
{
	const char *text = NULL;
	int r = json_get_string(entry, key, &text, err);

	if (r < 0)
		return r;
	if (!text || text[0] == '\0')
		return err_set(err, ERR_INVALID, EINVAL, "%s: is missing", key);
	*out = text;
	return 0;
}

static int require_object(const json_t *entry, const char *key, json_t **out, struct err *err)
{
	json_t *object = NULL;
	int r = json_get_object(entry, key, &object, err);

	if (r < 0)
		return r;
	if (!object)
		return err_set(err, ERR_INVALID, EINVAL, "%s: is missing", key);
	*out = object;
	return 0;
}

static int check_names(const char *key, json_t *object, bool lists, struct err *err)
{
	const char *name;
	json_t *value, *alias;
	size_t i;

	json_object_foreach (object, name, value) {
		if (lists ? !json_is_array(value) : !json_is_string(value))
			return err_set(err, ERR_INVALID, EINVAL, "%s.%s: is not %s", key, name,
				       lists ? "a list of names" : "a string");
		if (!lists)
			continue;
		json_array_foreach (value, i, alias)
			if (!json_is_string(alias))
				return err_set(err, ERR_INVALID, EINVAL,
					       "%s.%s: is not a list of names", key, name);
	}
	return 0;
}

static int check_entry(const json_t *entry, struct err *err)
{
	const char *directory = NULL, *text;
	json_t *object = NULL;
	int r;

	if (!json_is_object(entry))
		return err_set(err, ERR_INVALID, EINVAL, "is not an object");
	r = require_string(entry, "directory", &directory, err);
	if (r == 0 &&
	    ((!begins_with(directory, "https://") && !begins_with(directory, "http://")) ||
	     directory[strlen(directory) - 1] != '/'))
		r = err_set(err, ERR_INVALID, EINVAL,
			    "directory: is not a http:// or https:// URL with a slash at its end");
	if (r == 0)
		r = require_string(entry, "checksums", &text, err);
	if (r == 0)
		r = require_string(entry, "file", &text, err);
	if (r == 0)
		r = require_string(entry, "default", &text, err);
	if (r == 0)
		r = require_object(entry, "architectures", &object, err);
	if (r == 0)
		r = check_names("architectures", object, false, err);
	if (r == 0)
		r = require_object(entry, "versions", &object, err);
	if (r == 0)
		r = check_names("versions", object, true, err);
	return r;
}

int catalog_add(struct catalog *catalog, const char *name, const char *text, size_t len,
		struct err *err)
{
	AUTO_JSON json_t *document = NULL;
	const char *key;
	json_t *entry;
	int r;

	r = json_parse(name, text, len, &document, err);
	if (r < 0)
		return r;
	if (!json_is_object(document))
		return err_set(err, ERR_INVALID, EINVAL, "%s: is not a JSON object", name);
	if (!catalog->entries)
		catalog->entries = json_object();
	json_object_foreach (document, key, entry) {
		r = check_entry(entry, err);
		if (r < 0)
			return err_wrap(err, "%s: %s", name, key), r;
	}
	if (json_object_update_missing(catalog->entries, document) != 0)
		return err_sys(err, ENOMEM, "%s", name);
	return 0;
}

static int add_file(const char *path, const char *text, size_t len, void *data, struct err *err)
{
	return catalog_add(data, path, text, len, err);
}

int catalog_load(const char *override, struct catalog *out, struct err *err)
{
	AUTO_CATALOG struct catalog catalog = CATALOG_INIT;
	int r = 0;

	if (override && override[0] != '\0')
		r = json_files_read(override, false, add_file, &catalog, err);
	if (r == 0)
		r = json_files_read(SYSTEM_DIR, true, add_file, &catalog, err);
	if (r == 0)
		r = catalog_add(&catalog, "built-in catalog", catalog_builtin,
				(size_t)(catalog_builtin_end - catalog_builtin), err);
	if (r < 0)
		return err_wrap(err, "catalog"), r;
	*out = catalog;
	catalog.entries = NULL;
	return 0;
}

/* "a, b, c" of the keys of an object. */
static char *list_keys(json_t *object)
{
	AUTO_BUF struct buf text = BUF_INIT;
	const char *key;
	json_t *value;

	json_object_foreach (object, key, value) {
		(void)value;
		buf_addf(&text, "%s%s", text.len ? ", " : "", key);
	}
	return buf_steal(&text);
}

/* The listed version that `word` is or is another name of; borrowed. NULL: none. */
static const char *find_version(const json_t *entry, const char *word)
{
	json_t *versions = json_object_get(entry, "versions"), *aliases, *alias;
	const char *version;
	size_t i;

	if (word[0] == '\0' || strcmp(word, "latest") == 0)
		return json_string_value(json_object_get(entry, "default"));
	json_object_foreach (versions, version, aliases) {
		if (strcmp(version, word) == 0)
			return version;
		json_array_foreach (aliases, i, alias)
			if (strcmp(json_string_value(alias), word) == 0)
				return version;
	}
	return NULL;
}

/* `template` with {version} and {arch} filled in. */
static char *expand(const char *template, const char *version, const char *arch)
{
	AUTO_BUF struct buf text = BUF_INIT;

	while (*template != '\0') {
		if (begins_with(template, "{version}")) {
			buf_addstr(&text, version);
			template += 9;
		} else if (begins_with(template, "{arch}")) {
			buf_addstr(&text, arch);
			template += 6;
		} else {
			buf_addch(&text, *template ++);
		}
	}
	return buf_steal(&text);
}

static int fill(const json_t *entry, const char *version, const char *arch,
		struct catalog_source *out, struct err *err)
{
	AUTO_CATALOG_SOURCE struct catalog_source source = CATALOG_SOURCE_INIT;

	source.version = strdup(version);
	source.directory =
		expand(json_string_value(json_object_get(entry, "directory")), version, arch);
	source.checksums = strdup(json_string_value(json_object_get(entry, "checksums")));
	source.pattern = expand(json_string_value(json_object_get(entry, "file")), version, arch);
	source.known = list_keys(json_object_get(entry, "versions"));
	if (!source.version || !source.directory || !source.checksums || !source.pattern ||
	    !source.known)
		return err_sys(err, ENOMEM, "catalog");
	*out = source;
	source = (struct catalog_source)CATALOG_SOURCE_INIT;
	return 0;
}

static int no_entry(const struct catalog *catalog, const char *name, struct err *err)
{
	AUTO_FREE char *known = list_keys(catalog->entries);

	err_set(err, ERR_NOT_FOUND, ENOENT, "%s: there is no such name in the catalog", name);
	return err_hint(err,
			"the catalog has: %s; a URL or the path of a tarball can be given as well",
			known ? known : "");
}

bool catalog_has(const struct catalog *catalog, const char *word)
{
	return json_object_getn(catalog->entries, word, strcspn(word, ":")) != NULL;
}

int catalog_find(const struct catalog *catalog, const char *word, const char *machine,
		 struct catalog_source *out, struct err *err)
{
	const char *colon = strchr(word, ':'), *wanted = colon ? colon + 1 : "", *version, *arch;
	AUTO_FREE char *name = strndup(word, colon ? (size_t)(colon - word) : strlen(word));
	const json_t *entry;

	if (!name)
		return err_sys(err, ENOMEM, "catalog");
	entry = json_object_get(catalog->entries, name);
	if (!entry)
		return no_entry(catalog, name, err);
	version = find_version(entry, wanted);
	if (!version) {
		AUTO_FREE char *known = list_keys(json_object_get(entry, "versions"));

		err_set(err, ERR_NOT_FOUND, ENOENT, "%s: the catalog has no version '%s'", name,
			wanted);
		return err_hint(err, "it has: %s; more can be put into " SYSTEM_DIR,
				known ? known : "");
	}
	arch = json_string_value(json_object_get(json_object_get(entry, "architectures"), machine));
	if (!arch)
		return err_set(err, ERR_UNSUPPORTED, ENOENT, "%s: is not published for %s machines",
			       name, machine);
	return fill(entry, version, arch, out, err);
}
