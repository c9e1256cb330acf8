/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/ps_sort.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "manager/cmd/ps_details.h"
#include "manager/cmd/status.h"

struct ps_sort_row {
	char id[CONTAINER_ID_LEN + 1];
	char *text;	/* of a field that is text */
	int64_t number; /* of one that is a number */
	size_t came;
};

struct ps_sort_field {
	const char *name;
	const char *also; /* as podman calls it */
	/* One of the two. Text is borrowed from the record. */
	const char *(*text)(const struct container_record *record);
	int64_t (*number)(const struct container_record *record);
	bool size;
};

static const char *name_of(const struct container_record *record)
{
	return record->name;
}

static const char *image_of(const struct container_record *record)
{
	return record->image;
}

static const char *command_of(const struct container_record *record)
{
	return record->command;
}

static const char *id_of(const struct container_record *record)
{
	return record->id;
}

static const char *status_of(const struct container_record *record)
{
	return container_state_name(record->state);
}

static int64_t created_of(const struct container_record *record)
{
	return record->created_ns;
}

static int64_t age_of(const struct container_record *record)
{
	return -record->created_ns;
}

static int64_t started_of(const struct container_record *record)
{
	return record->started_ns;
}

static int64_t finished_of(const struct container_record *record)
{
	return record->finished_ns;
}

/* One that has not ended has none, and comes first. */
static int64_t exited_of(const struct container_record *record)
{
	return record->state == CONTAINER_EXITED ? record->exit_code : -1;
}

static int64_t pid_of(const struct container_record *record)
{
	return status_is_live(record->state) ? record->pid : 0;
}

static int64_t restarts_of(const struct container_record *record)
{
	return record->restart_count;
}

static const struct ps_sort_field fields[] = {
	{ "name", "names", name_of, NULL, false },
	{ "image", "image", image_of, NULL, false },
	{ "command", "command", command_of, NULL, false },
	{ "id", "id", id_of, NULL, false },
	{ "created", "createdat", NULL, created_of, false },
	{ "runningfor", "runningfor", NULL, age_of, false },
	{ "started", "startedat", NULL, started_of, false },
	{ "finished", "finishedat", NULL, finished_of, false },
	{ "status", "state", status_of, NULL, false },
	{ "exited", "exitcode", NULL, exited_of, false },
	{ "pid", "pid", NULL, pid_of, false },
	{ "size", "size", NULL, NULL, true },
	{ "restarts", "restarts", NULL, restarts_of, false },
};

int ps_sort_parse(const char *text, struct ps_sort *out, struct err *err)
{
	const char *name = *text == '-' ? text + 1 : text;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcasecmp(fields[i].name, name) == 0 ||
		    strcasecmp(fields[i].also, name) == 0) {
			out->field = &fields[i];
			out->descending = *text == '-';
			return 0;
		}
	err_set(err, ERR_USAGE, EINVAL, "--sort: not a field to sort by: %s", text);
	return err_hint(err, "fields: " PS_SORT_FIELDS "; -FIELD is from the last to the first");
}

void ps_sort_reset(struct ps_sort *sort)
{
	for (size_t i = 0; i < sort->n; i++)
		free(sort->rows[i].text);
	sort->n = 0;
}

void ps_sort_release(struct ps_sort *sort)
{
	ps_sort_reset(sort);
	free(sort->rows);
	*sort = (struct ps_sort)PS_SORT_INIT;
}

int ps_sort_add(struct ps_sort *sort, struct store *store, const struct container_record *record,
		struct err *err)
{
	const struct ps_sort_field *field = sort->field;
	struct ps_sort_row row = { .came = sort->n };
	const char *text = field->text ? field->text(record) : NULL;
	int64_t all;

	if (sort->n == sort->cap) {
		size_t cap = sort->cap ? 2 * sort->cap : 64;
		struct ps_sort_row *rows = reallocarray(sort->rows, cap, sizeof(*rows));

		if (!rows)
			return err_sys(err, ENOMEM, "cannot sort the containers");
		sort->rows = rows;
		sort->cap = cap;
	}
	memcpy(row.id, record->id, sizeof(row.id));
	if (field->number)
		row.number = field->number(record);
	if (field->size && !ps_sizes(store, record, &row.number, &all))
		row.number = -1;
	if (field->text) {
		row.text = strdup(text ? text : "");
		if (!row.text)
			return err_sys(err, ENOMEM, "cannot sort the containers");
	}
	sort->rows[sort->n++] = row;
	return 0;
}

static int compare(const void *one, const void *other, void *data)
{
	const struct ps_sort_row *a = one, *b = other;
	const struct ps_sort *sort = data;
	int order = a->text ? strcmp(a->text, b->text) :
			      (a->number > b->number) - (a->number < b->number);

	if (order == 0)
		return (a->came > b->came) - (a->came < b->came);
	return sort->descending ? -order : order;
}

void ps_sort_finish(struct ps_sort *sort)
{
	if (sort->n > 1)
		qsort_r(sort->rows, sort->n, sizeof(*sort->rows), compare, sort);
}

const char *ps_sort_id(const struct ps_sort *sort, size_t i)
{
	return sort->rows[i].id;
}
