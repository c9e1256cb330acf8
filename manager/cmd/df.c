/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/df_volumes.h"
#include "manager/cmd/format.h"
#include "manager/cmd/human.h"
#include "manager/cmd/options.h"
#include "manager/cmd/status.h"
#include "manager/tree_size.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/containers.h"
#include "store/usage.h"

#define SHORT_ID_LEN 12

struct df {
	struct store store;
	struct format_request request;
	struct format *format; /* of the list that is being made */
	bool verbose;
	int64_t now_ns;
	/* of containers */
	int64_t containers, live, bytes, live_bytes;
};

static void df_release(struct df *df)
{
	format_release(&df->format);
	store_close(&df->store);
}

static const char *size_or_null(int64_t bytes, char text[HUMAN_MAX])
{
	human_size(bytes, text);
	return text;
}

/* --- containers --- */

enum container_field { C_ID, C_NAME, C_IMAGE, C_STATUS, C_WRITTEN, C_LOGS, C_SIZE, C_NFIELDS };

static const struct format_field container_fields[] = {
	[C_ID] = { "ID", "CONTAINER ID", FORMAT_COLUMN },
	[C_NAME] = { "Name", "NAME", FORMAT_COLUMN | FORMAT_CUT },
	[C_IMAGE] = { "Image", "IMAGE", FORMAT_COLUMN | FORMAT_CUT },
	[C_STATUS] = { "Status", "STATUS", FORMAT_COLUMN },
	[C_WRITTEN] = { "Written", "WRITTEN", FORMAT_COLUMN },
	[C_LOGS] = { "Logs", "LOGS", FORMAT_COLUMN },
	[C_SIZE] = { "Size", "SIZE", FORMAT_COLUMN },
	[C_NFIELDS] = { NULL, NULL, 0 },
};

/* What is not there takes no room. */
static int size_below(int dir_fd, const char *name, int64_t *bytes, struct err *err)
{
	AUTO_CLOSE int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? 0 : tree_size(fd, bytes, err);
}

static int64_t log_size(int dir_fd)
{
	static const char *const files[] = { "log.db", "log.db-wal" };
	int64_t bytes = 0;
	struct stat st;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (fstatat(dir_fd, files[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			bytes += st.st_size;
	return bytes;
}

static void add_container_row(struct df *df, const struct container_record *record, int64_t written,
			      int64_t logs, int64_t all)
{
	char id[CONTAINER_ID_LEN + 1], status[STATUS_MAX];
	char sizes[3][HUMAN_MAX];
	const char *values[C_NFIELDS] = { 0 };

	memcpy(id, record->id, sizeof(id));
	if (!format_wants_full(df->format))
		id[SHORT_ID_LEN] = '\0';
	values[C_ID] = id;
	values[C_NAME] = record->name;
	values[C_IMAGE] = record->image;
	values[C_STATUS] = status_text(record, df->now_ns, status);
	values[C_WRITTEN] = size_or_null(written, sizes[0]);
	values[C_LOGS] = size_or_null(logs, sizes[1]);
	values[C_SIZE] = size_or_null(all, sizes[2]);
	format_row(df->format, values);
}

static int visit_container(const struct container_record *record, void *data, struct err *err)
{
	struct df *df = data;
	AUTO_CLOSE int dir_fd = -1;
	struct err missing = ERR_INIT;
	int64_t written = 0, all = 0, logs = 0;
	bool live = status_is_live(record->state);
	int r = container_dir_open(&df->store, record->id, &dir_fd, &missing);

	/* One that is just coming or going takes nothing. */
	if (r == 0) {
		r = size_below(dir_fd, "upper", &written, err);
		if (r == 0)
			r = tree_size(dir_fd, &all, err);
		if (r < 0)
			return err_wrap(err, "container %s", record->name);
		logs = log_size(dir_fd);
	}
	df->containers++;
	df->live += live;
	df->bytes += all;
	df->live_bytes += live ? all : 0;
	if (df->verbose)
		add_container_row(df, record, written, logs, all);
	return 0;
}

/* --- images --- */

enum image_field {
	I_ID,
	I_NAME,
	I_CREATED,
	I_SIZE,
	I_SHARED,
	I_UNIQUE,
	I_LAYERS,
	I_BLOBS,
	I_CONTAINERS,
	I_NFIELDS
};

static const struct format_field image_fields[] = {
	[I_ID] = { "ID", "IMAGE ID", FORMAT_COLUMN },
	[I_NAME] = { "Name", "NAME", FORMAT_COLUMN | FORMAT_CUT },
	[I_CREATED] = { "CreatedSince", "CREATED", FORMAT_COLUMN },
	[I_SIZE] = { "Size", "SIZE", FORMAT_COLUMN },
	[I_SHARED] = { "SharedSize", "SHARED", FORMAT_COLUMN },
	[I_UNIQUE] = { "UniqueSize", "UNIQUE", FORMAT_COLUMN },
	[I_LAYERS] = { "LayerSize", "LAYERS", FORMAT_COLUMN },
	[I_BLOBS] = { "BlobSize", "BLOBS", FORMAT_COLUMN },
	[I_CONTAINERS] = { "Containers", "CONTAINERS", FORMAT_COLUMN | FORMAT_RAW },
	[I_NFIELDS] = { NULL, NULL, 0 },
};

static int visit_image(const struct image_usage *usage, void *data, struct err *err)
{
	struct df *df = data;
	const int64_t size = usage->layer_bytes + usage->blob_bytes;
	char id[65], since[HUMAN_MAX + 8], containers[24];
	char sizes[5][HUMAN_MAX];
	const char *values[I_NFIELDS] = { 0 };

	(void)err;
	snprintf(id, sizeof(id), "%.*s", format_wants_full(df->format) ? 64 : SHORT_ID_LEN,
		 usage->id);
	human_number(usage->containers, containers);
	values[I_ID] = id;
	values[I_NAME] = usage->name;
	values[I_CREATED] = status_ago(df->now_ns - usage->created_ns, since);
	values[I_SIZE] = size_or_null(size, sizes[0]);
	values[I_SHARED] = size_or_null(usage->shared_bytes, sizes[1]);
	values[I_UNIQUE] = size_or_null(size - usage->shared_bytes, sizes[2]);
	values[I_LAYERS] = size_or_null(usage->layer_bytes, sizes[3]);
	values[I_BLOBS] = size_or_null(usage->blob_bytes, sizes[4]);
	values[I_CONTAINERS] = containers;
	format_row(df->format, values);
	return 0;
}

/* --- the sums --- */

enum field { TYPE, TOTAL, ACTIVE, SIZE, RECLAIMABLE, BYTES, RECLAIMABLE_BYTES, NFIELDS };

static const struct format_field fields[] = {
	[TYPE] = { "Type", "TYPE", FORMAT_COLUMN },
	[TOTAL] = { "TotalCount", "TOTAL", FORMAT_COLUMN | FORMAT_RAW },
	[ACTIVE] = { "Active", "ACTIVE", FORMAT_COLUMN | FORMAT_RAW },
	[SIZE] = { "Size", "SIZE", FORMAT_COLUMN },
	[RECLAIMABLE] = { "Reclaimable", "RECLAIMABLE", FORMAT_COLUMN },
	[BYTES] = { "Bytes", "BYTES", FORMAT_RAW },
	[RECLAIMABLE_BYTES] = { "ReclaimableBytes", "RECLAIMABLE BYTES", FORMAT_RAW },
	[NFIELDS] = { NULL, NULL, 0 },
};

static void add_sum(struct df *df, const char *type, int64_t total, int64_t active, int64_t bytes,
		    int64_t reclaimable)
{
	char numbers[4][24], size[HUMAN_MAX], part[HUMAN_MAX + 8], percent[8];
	const char *values[NFIELDS] = { 0 };

	human_number(total, numbers[0]);
	human_number(active, numbers[1]);
	human_number(bytes, numbers[2]);
	human_number(reclaimable, numbers[3]);
	human_size(reclaimable, part);
	snprintf(percent, sizeof(percent), " (%d%%)",
		 bytes > 0 ? (int)((double)reclaimable * 100 / (double)bytes) : 0);
	if (bytes > 0)
		strcat(part, percent);
	values[TYPE] = type;
	values[TOTAL] = numbers[0];
	values[ACTIVE] = numbers[1];
	values[SIZE] = size_or_null(bytes, size);
	values[RECLAIMABLE] = part;
	values[BYTES] = numbers[2];
	values[RECLAIMABLE_BYTES] = numbers[3];
	format_row(df->format, values);
}

static int print_sums(struct df *df, struct err *err)
{
	struct usage usage = { 0 };
	struct volumes_usage volumes = { 0 };
	int r = container_each(&df->store, visit_container, df, err);

	if (r == 0)
		r = store_usage(&df->store, &usage, err);
	if (r == 0)
		r = df_volumes(&df->store, &volumes, err);
	if (r == 0)
		r = format_new(fields, &df->request, &df->format, err);
	if (r < 0)
		return r;
	add_sum(df, "Images", usage.images, usage.used_images, usage.layer_bytes + usage.blob_bytes,
		usage.reclaimable_bytes);
	add_sum(df, "Containers", df->containers, df->live, df->bytes, df->bytes - df->live_bytes);
	add_sum(df, "Volumes", volumes.volumes, volumes.used, volumes.bytes,
		volumes.bytes - volumes.used_bytes);
	add_sum(df, "Downloads", usage.downloads, usage.held_downloads, usage.download_bytes,
		usage.download_bytes - usage.held_bytes);
	return format_print(df->format, stdout, err);
}

/* --- each of them --- */

static int begin_list(struct df *df, const char *title, const struct format_field *list,
		      struct err *err)
{
	format_release(&df->format);
	df->format = NULL;
	fputs(title, stdout);
	return format_new(list, &df->request, &df->format, err);
}

static int print_each(struct df *df, struct err *err)
{
	int r = begin_list(df, "Images:\n", image_fields, err);

	if (r == 0)
		r = image_usage_each(&df->store, visit_image, df, err);
	if (r == 0)
		r = format_print(df->format, stdout, err);
	if (r == 0)
		r = begin_list(df, "\nContainers:\n", container_fields, err);
	if (r == 0)
		r = container_each(&df->store, visit_container, df, err);
	if (r == 0)
		r = format_print(df->format, stdout, err);
	if (r == 0)
		r = begin_list(df, "\nVolumes:\n", df_volume_fields, err);
	if (r == 0)
		r = df_volumes_list(&df->store, df->format, err);
	return r < 0 ? r : format_print(df->format, stdout, err);
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	__attribute__((cleanup(df_release))) struct df df = { .store = STORE_INIT };
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_df, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		if (option->letter == 'v')
			df.verbose = true;
		else if (strcmp(option->name, "format") == 0)
			df.request.format = value;
		else
			df.request.no_trunc = true;
	}
	if (rc < 0 || options_operands(&parse, 0, 0, err) < 0)
		return -1;
	if (df.verbose && df.request.format) {
		err_set(err, ERR_USAGE, EINVAL, "df: --format is for the sums, without -v");
		return -1;
	}
	df.request.width = format_terminal_width(STDOUT_FILENO);
	df.now_ns = clock_now_ns();
	if (store_open(app->root, &df.store, err) < 0)
		return -1;
	rc = df.verbose ? print_each(&df, err) : print_sums(&df, err);
	return rc < 0 ? -1 : 0;
}

const struct cmd cmd_df = {
	.name = "df",
	.group = CMD_GROUP_IMAGES,
	.operands = "[OPTIONS]",
	.summary = "show what images, containers and volumes take on disk",
	.details =
		"Images are counted with their unpacked layers and with their blobs as published; "
		"what several of them share counts once, and what no container needs is "
		"reclaimable: `cman prune -a`. With -v each image, container and volume has a line.\n\n"
		"A template is text with {{.Field}}, {{json .}} and what else Go's have (see TEMPLATES "
		"in cman(1)); 'table' before it gives it headings, and columns at its tabs (\\t). "
		"Fields: Type TotalCount Active "
		"Size Reclaimable Bytes ReclaimableBytes.",
	.options =
		(const struct cmd_option[]){
			{ 0, "format", "FORMAT", "json, 'table TEMPLATE', or a template" },
			{ 0, "no-trunc", NULL, "cut nothing, and show whole IDs" },
			{ 'v', "verbose", NULL, "each image, container and volume" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
