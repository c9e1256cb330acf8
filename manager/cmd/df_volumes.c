/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/df_volumes.h"

#include "manager/cmd/human.h"
#include "manager/tree_size.h"
#include "store/base/cleanup.h"
#include "store/volumes.h"

enum field { NAME, CONTAINERS, SIZE, NFIELDS };

const struct format_field df_volume_fields[] = {
	[NAME] = { "Name", "VOLUME NAME", FORMAT_COLUMN },
	[CONTAINERS] = { "Containers", "CONTAINERS", FORMAT_COLUMN | FORMAT_RAW },
	[SIZE] = { "Size", "SIZE", FORMAT_COLUMN },
	[NFIELDS] = { NULL, NULL, 0 },
};

struct walk {
	struct store *store;
	struct volumes_usage usage;
	struct format *format; /* NULL: only the sums */
};

static int visit(const struct volume_record *record, void *data, struct err *err)
{
	struct walk *walk = data;
	char containers[24], size[HUMAN_MAX];
	const char *values[NFIELDS] = { 0 };
	struct err missing = ERR_INIT;
	AUTO_CLOSE int dir_fd = -1;
	int64_t bytes = 0;

	/* One that has lost its directory takes nothing; fsck tells of it. */
	if (volume_dir_open(walk->store, record->name, &dir_fd, &missing) == 0 &&
	    tree_size(dir_fd, &bytes, err) < 0)
		return err_wrap(err, "volume %s", record->name);
	walk->usage.volumes++;
	walk->usage.used += record->containers > 0;
	walk->usage.bytes += bytes;
	walk->usage.used_bytes += record->containers > 0 ? bytes : 0;
	if (!walk->format)
		return 0;
	human_number(record->containers, containers);
	human_size(bytes, size);
	values[NAME] = record->name;
	values[CONTAINERS] = containers;
	values[SIZE] = size;
	format_row(walk->format, values);
	return 0;
}

int df_volumes(struct store *store, struct volumes_usage *out, struct err *err)
{
	struct walk walk = { .store = store };
	int r = volume_each(store, visit, &walk, err);

	if (r == 0)
		*out = walk.usage;
	return r;
}

int df_volumes_list(struct store *store, struct format *format, struct err *err)
{
	struct walk walk = { .store = store, .format = format };

	return volume_each(store, visit, &walk, err);
}
