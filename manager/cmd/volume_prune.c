/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/volume_prune.h"

#include <errno.h>

#include "manager/cmd/removed.h"
#include "manager/tree_size.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"

struct prune {
	bool all;
	const struct volume_filters *filters;
	char **names;
};

static int collect(const struct volume_record *record, void *data, struct err *err)
{
	struct prune *prune = data;

	if (record->containers > 0 || !(prune->all || record->anonymous) ||
	    !volume_filters_match(prune->filters, record))
		return 0;
	return strv_add(&prune->names, record->name) < 0 ?
		       err_sys(err, ENOMEM, "cannot list volumes") :
		       0;
}

/* One that somebody has come to use, or has removed, since it was listed is left alone. */
static int prune_one(struct store *store, const char *name, int64_t *bytes, struct err *err)
{
	struct err one = ERR_INIT, unknown = ERR_INIT;
	AUTO_CLOSE int dir_fd = -1;
	int64_t size = 0;

	if (volume_dir_open(store, name, &dir_fd, &unknown) == 0)
		(void)tree_size(dir_fd, &size, &unknown);
	if (volume_remove(store, name, &one) < 0) {
		if (one.kind == ERR_STATE || one.kind == ERR_NOT_FOUND)
			return 0;
		*err = one;
		return err_code(err);
	}
	removed_print(name, true, NULL);
	*bytes += size;
	return 0;
}

int volume_prune(struct store *store, bool all, const struct volume_filters *filters,
		 int64_t *bytes, struct err *err)
{
	struct prune prune = { .all = all, .filters = filters };
	int r = volume_each(store, collect, &prune, err);

	for (size_t i = 0; r == 0 && prune.names && prune.names[i]; i++)
		r = prune_one(store, prune.names[i], bytes, err);
	strv_free(prune.names);
	return r;
}
