/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/mount_values.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manager/cmd/options.h"
#include "manager/cmd/suggest.h"
#include "store/base/begins.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/path.h"
#include "store/base/strv.h"
#include "store/volumes.h"

/* --- parts of a value --- */

int mount_value_destination(const struct cmd_option *option, char *path, const char *value,
			    const struct wanted_mounts *mounts, struct err *err)
{
	if (path[0] != '/')
		return err_set(err, ERR_USAGE, 0, "--%s: the path inside is not absolute: %s",
			       option->name, value);
	path_normalise(path);
	if (strcmp(path, "/") == 0)
		return err_set(err, ERR_USAGE, 0, "--%s: it cannot be mounted over /: %s",
			       option->name, value);
	if (wanted_mounts_cover(mounts, path))
		return err_set(err, ERR_USAGE, 0, "--%s: two things cannot be mounted on %s: %s",
			       option->name, path, value);
	return 0;
}

bool mount_value_is_path(const char *text)
{
	return text[0] == '/' || strcmp(text, ".") == 0 || strcmp(text, "..") == 0 ||
	       begins_with(text, "./") || begins_with(text, "../");
}

/* `path` made absolute, and without "./", but no look at what it names. To be freed. */
static int make_absolute(const char *path, char **out, struct err *err)
{
	AUTO_FREE char *cwd = NULL;
	char *text = NULL;

	if (path[0] == '/') {
		text = strdup(path);
	} else {
		cwd = getcwd(NULL, 0);
		if (!cwd)
			return err_sys(err, errno, "cannot read the working directory");
		while (path[0] == '.' && (path[1] == '/' || !path[1]))
			path += 1 + strspn(path + 1, "/");
		if (!*path)
			text = STEAL_PTR(cwd);
		else if (asprintf(&text, "%s/%s", cwd[1] ? cwd : "", path) < 0)
			text = NULL;
	}
	if (!text)
		return option_no_memory(err);
	*out = text;
	return 0;
}

int mount_value_source(const struct cmd_option *option, const char *path, char **out,
		       struct err *err)
{
	AUTO_FREE char *absolute = NULL;
	struct stat st;
	int r = make_absolute(path, &absolute, err);

	if (r < 0)
		return r;
	if (stat(absolute, &st) < 0) {
		err_sys(err, errno, "--%s: %s", option->name, absolute);
		if (err->num == ENOENT)
			err_hint(err, "make it first: mkdir -p %.200s", absolute);
		return err_code(err);
	}
	*out = STEAL_PTR(absolute);
	return 0;
}

int mount_value_name(const struct cmd_option *option, const char *name, struct err *err)
{
	if (volume_name_is_valid(name))
		return 0;
	option_bad_value(option, "the name of a volume, nor a path", name, err);
	if (strchr(name, '/'))
		return err_hint(err, "for a directory of the host: ./%.100s", name);
	return err_hint(err,
			"names have up to %d letters, digits, '_', '.' and '-', a letter or digit "
			"first; paths begin with / or ./",
			VOLUME_NAME_MAX);
}

static const char *const propagations[] = {
	"private", "rprivate", "shared", "rshared", "slave", "rslave",
};

const char *mount_value_propagation(const char *word)
{
	static const char none[] = "";
	struct suggest suggest;

	suggest_begin(&suggest, word, strlen(word));
	for (size_t i = 0; i < sizeof(propagations) / sizeof(propagations[0]); i++) {
		if (strcmp(propagations[i], word) == 0)
			return NULL;
		suggest_offer(&suggest, propagations[i]);
	}
	return suggest_best(&suggest) ? suggest_best(&suggest) : none;
}

/* --- the options of -v --- */

/* What each word of them is. */
enum word_kind {
	WORD_MODE,
	WORD_PROPAGATION,
	WORD_ATTRIBUTE,
	WORD_BIND,
	WORD_NOCOPY,
	WORD_NOTHING
};

static const struct word {
	const char *name;
	enum word_kind kind;
} words[] = {
	{ "ro", WORD_MODE },
	{ "rw", WORD_MODE },
	{ "private", WORD_PROPAGATION },
	{ "rprivate", WORD_PROPAGATION },
	{ "shared", WORD_PROPAGATION },
	{ "rshared", WORD_PROPAGATION },
	{ "slave", WORD_PROPAGATION },
	{ "rslave", WORD_PROPAGATION },
	{ "nocopy", WORD_NOCOPY },
	{ "copy", WORD_NOTHING },
	{ "bind", WORD_BIND },
	{ "rbind", WORD_BIND },
	{ "exec", WORD_ATTRIBUTE },
	{ "noexec", WORD_ATTRIBUTE },
	{ "suid", WORD_ATTRIBUTE },
	{ "nosuid", WORD_ATTRIBUTE },
	{ "dev", WORD_ATTRIBUTE },
	{ "nodev", WORD_ATTRIBUTE },
	/* Of consequence on Macs only, says Docker. */
	{ "cached", WORD_NOTHING },
	{ "consistent", WORD_NOTHING },
	{ "delegated", WORD_NOTHING },
};

/* What others have and cman has not. */
static const struct {
	const char *name, *text, *hint;
} refused[] = {
	{ "z", "files are not labelled for SELinux",
	  "leave it out; where SELinux confines containers, chcon -Rt container_file_t labels them" },
	{ "Z", "files are not labelled for SELinux",
	  "leave it out; where SELinux confines containers, chcon -Rt container_file_t labels them" },
	{ "O", "a directory of the host cannot be the lower layer of an overlay",
	  "mount it with ro, or mount a copy of it" },
	{ "U", "the owner of files is not changed", "change it first: chown -R USER:GROUP DIR" },
	{ "idmap", "IDs of files are not mapped", "leave it out" },
};

struct parsed {
	const char *mode, *propagation;
	bool nocopy, shallow_bind;
	struct buf attributes;
};

static int unknown_word(const struct cmd_option *option, const char *name, struct err *err)
{
	struct suggest suggest;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (strcmp(refused[i].name, name) == 0) {
			err_set(err, ERR_USAGE, EINVAL, "--%s: %s: %s", option->name, name,
				refused[i].text);
			return err_hint(err, "%s", refused[i].hint);
		}
	suggest_begin(&suggest, name, strlen(name));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		suggest_offer(&suggest, words[i].name);
	err_set(err, ERR_USAGE, EINVAL, "--%s: unknown option: %s", option->name, name);
	return suggest_best(&suggest) ? err_hint(err, "did you mean %s?", suggest_best(&suggest)) :
					err_hint(err, "such as ro, nocopy, noexec, rslave");
}

/* One of a kind. */
static int set_once(const struct cmd_option *option, const char **place, const char *name,
		    struct err *err)
{
	if (*place)
		return err_set(err, ERR_USAGE, EINVAL, "--%s: both %s and %s", option->name, *place,
			       name);
	*place = name;
	return 0;
}

static int take_word(const struct cmd_option *option, const char *name, struct parsed *out,
		     struct err *err)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].name, name) != 0)
			continue;
		switch (words[i].kind) {
		case WORD_MODE:
			return set_once(option, &out->mode, words[i].name, err);
		case WORD_PROPAGATION:
			return set_once(option, &out->propagation, words[i].name, err);
		case WORD_ATTRIBUTE:
			buf_addf(&out->attributes, ",%s", name);
			return 0;
		case WORD_BIND:
			out->shallow_bind = strcmp(name, "bind") == 0;
			return 0;
		case WORD_NOCOPY:
			out->nocopy = true;
			return 0;
		case WORD_NOTHING:
			return 0;
		}
	}
	return unknown_word(option, name, err);
}

/* What makes no sense for the one kind or the other. */
static int check_kind(const struct cmd_option *option, const struct parsed *parsed,
		      enum container_mount_kind kind, const char *value, struct err *err)
{
	if (kind == MOUNT_OF_HOST && parsed->nocopy)
		return err_set(err, ERR_USAGE, EINVAL, "--%s: nocopy is for volumes: %s",
			       option->name, value);
	if (kind == MOUNT_OF_VOLUME && parsed->propagation)
		return err_set(err, ERR_USAGE, EINVAL,
			       "--%s: %s is for directories of the host: %s", option->name,
			       parsed->propagation, value);
	return 0;
}

static int take_words(const struct cmd_option *option, char *text, const char *value,
		      struct container_mount *mount, struct err *err)
{
	struct parsed parsed = { 0 };
	char *rest = NULL;
	int rc = 0;

	for (char *word = text ? strtok_r(text, ",", &rest) : NULL; rc == 0 && word;
	     word = strtok_r(NULL, ",", &rest))
		rc = take_word(option, word, &parsed, err);
	if (rc == 0)
		rc = check_kind(option, &parsed, mount->kind, value, err);
	mount->nocopy = parsed.nocopy;
	if (rc == 0 &&
	    (buf_failed(&parsed.attributes) ||
	     asprintf(&mount->options, "%s,%s%s%s%s", parsed.shallow_bind ? "bind" : "rbind",
		      parsed.propagation ? parsed.propagation : "rprivate", parsed.mode ? "," : "",
		      parsed.mode ? parsed.mode : "",
		      parsed.attributes.len > 0 ? parsed.attributes.data : "") < 0)) {
		mount->options = NULL;
		rc = option_no_memory(err);
	}
	buf_release(&parsed.attributes);
	return rc;
}

/* --- -v, --tmpfs, --volumes-from --- */

/* "SRC:DST:OPTIONS", in place: what is missing is NULL. */
static int split(const struct cmd_option *option, char *text, const char *value, char **source,
		 char **destination, char **words_of, struct err *err)
{
	char *parts[3] = { text, NULL, NULL };
	size_t n = 1;

	for (char *colon = strchr(text, ':'); colon; colon = strchr(colon, ':')) {
		*colon++ = '\0';
		if (n == 3)
			return option_bad_value(option, "[SRC:]DST[:OPTIONS]", value, err);
		parts[n++] = colon;
	}
	for (size_t i = 0; i < n; i++)
		if (parts[i][0] == '\0')
			return option_bad_value(option, "[SRC:]DST[:OPTIONS]", value, err);
	*source = n > 1 ? parts[0] : NULL;
	*destination = n > 1 ? parts[1] : parts[0];
	*words_of = parts[2];
	return 0;
}

int run_value_volume(const struct cmd_option *option, const char *value,
		     struct wanted_mounts *mounts, struct err *err)
{
	AUTO_CONTAINER_MOUNT struct container_mount mount = { .kind = MOUNT_OF_VOLUME };
	AUTO_FREE char *text = strdup(value);
	char *source = NULL, *destination = text, *words_of = NULL;
	int rc;

	if (!text)
		return option_no_memory(err);
	rc = split(option, text, value, &source, &destination, &words_of, err);
	if (rc == 0)
		rc = mount_value_destination(option, destination, value, mounts, err);
	if (rc < 0)
		return rc;
	if (source && mount_value_is_path(source)) {
		mount.kind = MOUNT_OF_HOST;
		rc = mount_value_source(option, source, &mount.source, err);
	} else if (source) {
		rc = mount_value_name(option, source, err);
		if (rc == 0 && !(mount.source = strdup(source)))
			rc = option_no_memory(err);
	}
	if (rc == 0)
		rc = take_words(option, words_of, value, &mount, err);
	if (rc == 0 && !(mount.destination = strdup(destination)))
		rc = option_no_memory(err);
	return rc < 0 ? rc : wanted_mounts_add(mounts, &mount, err);
}

int run_value_tmpfs(const struct cmd_option *option, const char *value,
		    struct wanted_mounts *mounts, struct err *err)
{
	AUTO_CONTAINER_MOUNT struct container_mount mount = { .kind = MOUNT_OF_MEMORY };
	const char *colon = strchr(value, ':');
	int rc;

	mount.destination = colon ? strndup(value, (size_t)(colon - value)) : strdup(value);
	/* Docker's default; what was given comes later and wins. */
	if (!mount.destination ||
	    asprintf(&mount.options, "nosuid,nodev,noexec%s%s", colon && colon[1] ? "," : "",
		     colon ? colon + 1 : "") < 0) {
		mount.options = NULL;
		return option_no_memory(err);
	}
	rc = mount_value_destination(option, mount.destination, value, mounts, err);
	return rc < 0 ? rc : wanted_mounts_add(mounts, &mount, err);
}

int run_value_volumes_from(const struct cmd_option *option, const char *value, char ***names,
			   struct err *err)
{
	const char *colon = strchr(value, ':');

	if (value[0] == '\0' || colon == value ||
	    (colon && strcmp(colon, ":ro") != 0 && strcmp(colon, ":rw") != 0))
		return option_bad_value(option, "CONTAINER[:ro|:rw]", value, err);
	return strv_add(names, value) < 0 ? option_no_memory(err) : 0;
}
