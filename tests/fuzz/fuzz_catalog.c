/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a catalog: refused, or everything in it can be looked up. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>

#include "image/catalog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(const struct catalog *catalog, const char *word, const char *machine)
{
	AUTO_CATALOG_SOURCE struct catalog_source source = CATALOG_SOURCE_INIT;
	struct err err = ERR_INIT;

	if (catalog_find(catalog, word, machine, &source, &err) < 0)
		return;
	assert(source.version && source.directory && source.checksums && source.pattern &&
	       source.known);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_CATALOG struct catalog catalog = CATALOG_INIT;
	struct err err = ERR_INIT;
	const char *name, *version;
	json_t *entry, *names;
	char word[256];

	if (catalog_add(&catalog, "fuzz", (const char *)data, size, &err) < 0)
		return 0;
	json_object_foreach (catalog.entries, name, entry) {
		look_up(&catalog, name, "x86_64");
		json_object_foreach (json_object_get(entry, "versions"), version, names) {
			assert(json_is_array(names));
			snprintf(word, sizeof(word), "%s:%s", name, version);
			look_up(&catalog, word, "aarch64");
		}
	}
	return 0;
}
