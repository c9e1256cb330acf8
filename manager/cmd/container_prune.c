/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/container_prune.h"

#include <errno.h>
#include <string.h>

#include "manager/cmd/key_values.h"
#include "manager/cmd/removed.h"
#include "manager/lifecycle.h"
#include "manager/tree_size.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/strv.h"
#include "store/json.h"

#define YOUNG_NS INT64_C(60000000000)

struct prune {
	int64_t before_ns, now_ns;
	char *const *labels;
	char **ids;
};

static bool has_labels(const struct container_record *record, char *const *wanted)
{
	AUTO_JSON json_t *labels = NULL;
	struct err ignored = ERR_INIT;

	if (wanted && *wanted && record->labels)
		(void)json_parse("labels", record->labels, strlen(record->labels), &labels,
				 &ignored);
	for (; wanted && *wanted; wanted++)
		if (!key_values_match(labels, *wanted))
			return false;
	return true;
}

static int collect(const struct container_record *record, void *data, struct err *err)
{
	struct prune *prune = data;

	if ((record->state != CONTAINER_EXITED && record->state != CONTAINER_CREATED) ||
	    (record->state == CONTAINER_CREATED && prune->now_ns - record->created_ns < YOUNG_NS) ||
	    record->created_ns >= prune->before_ns || !has_labels(record, prune->labels))
		return 0;
	return strv_add(&prune->ids, record->id) < 0 ?
		       err_sys(err, ENOMEM, "cannot list containers") :
		       0;
}

/* One that somebody has started or removed since it was listed is left alone. */
static int prune_one(struct store *store, const char *id, int64_t *bytes, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	struct err one = ERR_INIT, unknown = ERR_INIT;
	AUTO_CLOSE int dir_fd = -1;
	int64_t size = 0;
	int r = lifecycle_find(store, id, &record, &one);

	if (r == 0 && container_dir_open(store, id, &dir_fd, &unknown) == 0)
		(void)tree_size(dir_fd, &size, &unknown);
	if (r == 0)
		r = lifecycle_remove(store, &record, 0, &one);
	if (r < 0 && (one.kind == ERR_STATE || one.kind == ERR_NOT_FOUND))
		return 0;
	if (r < 0) {
		*err = one;
		return r;
	}
	removed_print(id, true, NULL);
	*bytes += size;
	return 0;
}

int container_prune(struct store *store, int64_t before_ns, char *const *labels, int64_t *bytes,
		    struct err *err)
{
	struct prune prune = { .before_ns = before_ns, .now_ns = clock_now_ns(), .labels = labels };
	int r = container_each(store, collect, &prune, err);

	for (size_t i = 0; r == 0 && prune.ids && prune.ids[i]; i++)
		r = prune_one(store, prune.ids[i], bytes, err);
	strv_free(prune.ids);
	return r;
}
