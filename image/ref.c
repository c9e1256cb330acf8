/* SPDX-License-Identifier: Apache-2.0 */
#include "image/ref.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/begins.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"

#define NAME_MAX_LEN 255 /* of [registry/]path, as in distribution/reference */
#define TAG_MAX_LEN 128
#define DIGEST_MIN_HEX 32
#define ID_HEX 64

void ref_release(struct ref *ref)
{
	cleanup_free(&ref->registry);
	cleanup_free(&ref->repository);
	cleanup_free(&ref->tag);
	cleanup_free(&ref->digest);
}

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool ref_is_written_as_reference(const char *word)
{
	return strpbrk(word, "/:@") != NULL;
}

/* [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)* */
static bool is_path_component(const char *s, size_t len)
{
	size_t i = 0;

	while (i < len) {
		size_t run = i;

		while (i < len && is_lower_alnum(s[i]))
			i++;
		if (i == run)
			return false;
		if (i == len)
			return true;
		if (s[i] == '-') {
			while (i < len && s[i] == '-')
				i++;
		} else if (s[i] == '_') {
			i += i + 1 < len && s[i + 1] == '_' ? 2 : 1;
		} else if (s[i] == '.') {
			i++;
		} else {
			return false;
		}
	}
	return false;
}

/* Digits only, after the colon of host:port. */
static bool is_port(const char *s, size_t len)
{
	if (len == 0 || len > 5)
		return false;
	return strspn(s, "0123456789") >= len;
}

/* [a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.…)*(:port)? or [IPv6](:port)? */
static bool is_registry(const char *s, size_t len)
{
	const char *colon;
	size_t host = len;

	if (len > 0 && s[0] == '[') {
		const char *end = memchr(s, ']', len);

		if (!end || strspn(s + 1, "0123456789abcdefABCDEF:") != (size_t)(end - s - 1))
			return false;
		host = (size_t)(end - s) + 1;
		return host > 2 &&
		       (host == len || (s[host] == ':' && is_port(s + host + 1, len - host - 1)));
	}
	colon = memchr(s, ':', len);
	if (colon) {
		host = (size_t)(colon - s);
		if (!is_port(colon + 1, len - host - 1))
			return false;
	}
	if (host == 0)
		return false;
	for (size_t i = 0; i < host; i++) {
		bool edge = i == 0 || i + 1 == host || s[i - 1] == '.' || s[i + 1] == '.';

		if (s[i] == '.' ? edge && (i == 0 || i + 1 == host || s[i - 1] == '.') :
				  !is_alnum(s[i]) && (s[i] != '-' || edge))
			return false;
	}
	return true;
}

static bool has_upper(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] >= 'A' && s[i] <= 'Z')
			return true;
	return false;
}

/* How much of a name is its registry; 0: none of it. */
static size_t registry_len(const char *s, size_t len)
{
	const char *slash = memchr(s, '/', len);
	size_t first;

	if (!slash)
		return 0;
	first = (size_t)(slash - s);
	if (memchr(s, '.', first) || memchr(s, ':', first) || has_upper(s, first) ||
	    (first == strlen("localhost") && memcmp(s, "localhost", first) == 0))
		return first;
	return 0;
}

static bool is_name(const char *s, size_t len)
{
	size_t registry = registry_len(s, len);

	if (len == 0 || len > NAME_MAX_LEN)
		return false;
	if (registry > 0) {
		if (!is_registry(s, registry))
			return false;
		s += registry + 1;
		len -= registry + 1;
	}
	for (;;) {
		const char *slash = memchr(s, '/', len);
		size_t component = slash ? (size_t)(slash - s) : len;

		if (!is_path_component(s, component))
			return false;
		if (!slash)
			return true;
		s += component + 1;
		len -= component + 1;
	}
}

static bool is_tag(const char *s, size_t len)
{
	if (len == 0 || len > TAG_MAX_LEN || s[0] == '.' || s[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(s[i]) && s[i] != '_' && s[i] != '.' && s[i] != '-')
			return false;
	return true;
}

/* algorithm:hex, of which sha256 has a fixed length. */
static bool is_digest(const char *s)
{
	const char *colon = strchr(s, ':');
	size_t hex;

	if (!colon || colon == s)
		return false;
	for (const char *p = s; p < colon; p++)
		if (!is_alnum(*p) && !(p > s && p + 1 < colon && strchr("+._-", *p)))
			return false;
	for (hex = 0; is_hex(colon[1 + hex]); hex++)
		;
	if (colon[1 + hex] != '\0' || hex < DIGEST_MIN_HEX)
		return false;
	return !begins_with(s, "sha256:") || hex == 64;
}

static int invalid(const char *word, const char *why, struct err *err)
{
	err_set(err, ERR_INVALID, EINVAL, "invalid image name '%s': %s", word, why);
	return err_hint(err, "a name is [registry/]path[:tag][@digest], the path in lower case: "
			     "ubuntu-base:24.04");
}

/* Where the parts are, as lengths of `word`: name, then ":tag" or nothing, then "@digest" or
 * nothing. */
struct parts {
	size_t name;
	size_t tagged; /* name with its tag */
};

static int split(const char *word, struct parts *out, struct err *err)
{
	const char *at = strchr(word, '@');
	size_t len = at ? (size_t)(at - word) : strlen(word);
	size_t name = len;

	if (len == 0)
		return invalid(word, "it is empty", err);
	if (strstr(word, "://"))
		return invalid(word, "it has a scheme, which is no part of a name", err);
	if (at && !is_digest(at + 1))
		return invalid(word, "what follows '@' is not a digest", err);
	/* A colon after the last slash begins the tag; one before it is a port. */
	for (size_t i = len; i > 0 && word[i - 1] != '/'; i--)
		if (word[i - 1] == ':')
			name = i - 1;
	if (name < len && !is_tag(word + name + 1, len - name - 1))
		return invalid(word, "what follows ':' is not a tag", err);
	if (name > NAME_MAX_LEN)
		return invalid(word, "it is too long", err);
	if (!is_name(word, name))
		return invalid(word, "it has characters or separators that a name cannot have",
			       err);
	if (name == ID_HEX && strspn(word, "0123456789abcdef") >= name)
		return invalid(word, "64 hexadecimal digits are the ID of an image", err);
	*out = (struct parts){ .name = name, .tagged = len };
	return 0;
}

int ref_parse(const char *word, struct ref *out, struct err *err)
{
	AUTO_REF struct ref ref = REF_INIT;
	struct parts parts;
	size_t registry;
	int r = split(word, &parts, err);

	if (r < 0)
		return r;
	registry = registry_len(word, parts.name);
	if (registry > 0) {
		ref.registry = strndup(word, registry);
		ref.repository = strndup(word + registry + 1, parts.name - registry - 1);
	} else {
		ref.repository = strndup(word, parts.name);
	}
	if (parts.tagged > parts.name)
		ref.tag = strndup(word + parts.name + 1, parts.tagged - parts.name - 1);
	if (word[parts.tagged] == '@')
		ref.digest = strdup(word + parts.tagged + 1);
	if (!ref.repository || (registry > 0 && !ref.registry) ||
	    (parts.tagged > parts.name && !ref.tag) || (word[parts.tagged] == '@' && !ref.digest))
		return err_sys(err, ENOMEM, "image name");
	*out = ref;
	ref = (struct ref)REF_INIT;
	return 0;
}

int ref_format_as(const struct ref *ref, const char *tag, const char *digest, char **out,
		  struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT;
	char *result;

	if (ref->registry)
		buf_addf(&text, "%s/", ref->registry);
	buf_addstr(&text, ref->repository);
	if (tag)
		buf_addf(&text, ":%s", tag);
	if (digest)
		buf_addf(&text, "@%s", digest);
	result = buf_steal(&text);
	if (!result)
		return err_sys(err, ENOMEM, "image name");
	*out = result;
	return 0;
}

int ref_format(const struct ref *ref, char **out, struct err *err)
{
	return ref_format_as(ref, ref->tag, ref->digest, out, err);
}

int ref_normalize(const char *word, char **out, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT;
	struct parts parts;
	char *result;
	int r = split(word, &parts, err);

	if (r < 0)
		return r;
	buf_addstr(&text, word);
	if (parts.tagged == parts.name && word[parts.tagged] != '@')
		buf_addstr(&text, ":latest");
	result = buf_steal(&text);
	if (!result)
		return err_sys(err, ENOMEM, "image name");
	*out = result;
	return 0;
}

bool ref_is_tag(const char *text)
{
	return is_tag(text, strlen(text));
}
