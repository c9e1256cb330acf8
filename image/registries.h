/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_REGISTRIES_H
#define CMAN_IMAGE_REGISTRIES_H

/*
 * cman-registries(5): where images are, as the administrator wants it. A JSON object:
 *
 *   "default":     "docker.io"        what a name without a registry means; "": nothing
 *   "short-names": { "fedora": "registry.fedoraproject.org/fedora", … }
 *   "registries":  { "docker.io": { "mirrors": ["mirror.example:5000/hub"], "insecure": false },
 *                    "localhost:5000/team": { … } }
 *
 * A key of "registries" is a registry or a registry and the beginning of a repository, in whole
 * components; the longest that fits applies. What follows it is asked for below each mirror.
 *
 * Files are read from CMAN_REGISTRIES (a file, or a directory of *.json) in place of
 * /etc/cman/registries.d/, then the short names that are built in. The first that has a member or
 * a key wins.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "image/ref.h"
#include "store/base/err.h"

struct registries {
	json_t *short_names;
	json_t *registries;
	char *default_registry; /* "": none; NULL: no file says */
};

#define REGISTRIES_INIT \
	{               \
		0       \
	}
#define AUTO_REGISTRIES __attribute__((cleanup(registries_release)))
void registries_release(struct registries *registries);

/* All that applies. `override`: CMAN_REGISTRIES or NULL. ERR_INVALID naming file and member. */
int registries_load(const char *override, struct registries *out, struct err *err);

/* Add one document; what is there stays. `name` is for messages. ERR_INVALID, nothing added. */
int registries_add(struct registries *registries, const char *name, const char *text, size_t len,
		   struct err *err);

/*
 * What `ref` means in full: a short name is replaced, a registry that is missing becomes the
 * default one, and a one-component repository of docker.io gets library/. Tag and digest are kept;
 * without both the tag is "latest". ERR_INVALID where there is no default registry.
 */
int registries_qualify(const struct registries *registries, const struct ref *ref, struct ref *out,
		       struct err *err);

/* Where one repository can be had. */
struct registry_place {
	char *registry; /* host[:port] as people write it: what credentials are kept for */
	char *host;	/* host[:port] to connect to: another one for docker.io */
	char *repository;
	bool insecure; /* written down: http is as good, and nobody has to vouch for https */
	bool loopback; /* this machine: http where no https is spoken */
	bool mirror;
};

struct registry_places {
	struct registry_place *places; /* mirrors in their order, then the registry itself */
	size_t count;
};

#define REGISTRY_PLACES_INIT \
	{                    \
		0            \
	}
#define AUTO_REGISTRY_PLACES __attribute__((cleanup(registry_places_release)))
void registry_places_release(struct registry_places *places);

/* The places of a qualified reference (tag and digest do not matter). At least one. */
int registries_places(const struct registries *registries, const struct ref *ref,
		      struct registry_places *out, struct err *err);

/* Whether host[:port] is this machine: localhost, 127.0.0.0/8 or [::1]. */
bool registry_is_loopback(const char *host);

#endif
