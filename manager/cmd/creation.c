/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/creation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/document.h"
#include "manager/cmd/id_file.h"
#include "manager/cmd/labels.h"
#include "manager/cmd/ps_details.h"
#include "manager/cmd/text.h"
#include "manager/joined.h"
#include "manager/lifecycle.h"
#include "manager/mount_plan.h"
#include "manager/names.h"
#include "manager/spec_build.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/log.h"
#include "store/base/strv.h"

#define NAME_ATTEMPTS 16

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot create the container");
}

/* What runs, as the record keeps it: a JSON array. */
static int print_command(char *const *args, char **out, struct err *err)
{
	AUTO_BUF struct buf buf = BUF_INIT;

	buf_addch(&buf, '[');
	for (size_t i = 0; args[i]; i++) {
		if (i > 0)
			buf_addch(&buf, ',');
		text_add_json(&buf, args[i], strlen(args[i]));
	}
	buf_addch(&buf, ']');
	*out = buf_steal(&buf);
	return *out ? 0 : no_memory(err);
}

/* What ps says of it, for good: so that it need not read the spec. */
static int note_for_lists(const struct spec *spec, struct container_record *out, struct err *err)
{
	AUTO_BUF struct buf mounts = BUF_INIT, network = BUF_INIT;

	ps_add_mounts(&mounts, spec);
	ps_add_network(&network, spec);
	out->mounts = buf_steal(&mounts);
	out->network = buf_steal(&network);
	return out->mounts && out->network ? 0 : no_memory(err);
}

static int make_record(const struct run_options *options, const struct image_choice *choice,
		       const struct spec *spec, struct container_record *out, struct err *err)
{
	out->state = CONTAINER_CREATED;
	out->created_ns = clock_now_ns();
	out->auto_remove = options->auto_remove;
	out->tty = options->tty;
	out->stop_signal = spec->stop_signal;
	out->stop_timeout_s = options->stop_timeout_s;
	out->restart = options->restart;
	out->restart_max = options->restart_max;
	out->exit_code = -1;
	out->image = strdup(options->rootfs ? options->rootfs : choice->reference);
	out->image_id = options->rootfs ? NULL : strdup(choice->image.id);
	if (!out->image || (!out->image_id && !options->rootfs))
		return no_memory(err);
	if (note_for_lists(spec, out, err) < 0)
		return err_code(err);
	return print_command(spec->process.args, &out->command, err);
}

static int list_layers(const struct image_record *image, char ***out, struct err *err)
{
	AUTO_STRV char **layers = NULL;

	for (size_t i = 0; i < image->nlayers; i++) {
		if (strv_add(&layers, image->layers[i].tree) < 0)
			return no_memory(err);
	}
	*out = STEAL_PTR(layers);
	return 0;
}

static int hint_at_replace(struct err *err)
{
	char hint[sizeof(err->hint)];

	memcpy(hint, err->hint, sizeof(hint));
	return err_hint(err, "%s, or take its place: --replace", hint);
}

/* Insert it under the name given, or, NULL, under one that is free. */
static int with_name(struct store *store, struct creation *creation, const char *given,
		     int (*insert)(struct store *store, struct creation *creation, struct err *err),
		     struct err *err)
{
	struct container_record *record = creation->record;
	int rc;

	for (int attempt = 0;; attempt++) {
		char made_up[CONTAINER_NAME_MAX + 1];

		rc = given ? 0 : name_generate(attempt, made_up, err);
		if (rc < 0)
			return rc;
		free(record->name);
		record->name = strdup(given ? given : made_up);
		if (!record->name)
			return no_memory(err);
		rc = insert(store, creation, err);
		if (rc < 0 && given && err->kind == ERR_EXISTS)
			return hint_at_replace(err);
		if (rc == 0 || given || err->kind != ERR_EXISTS || attempt == NAME_ATTEMPTS)
			return rc;
		*err = (struct err)ERR_INIT;
	}
}

static struct create_request request_of(const struct creation *creation)
{
	static char *const none[] = { NULL };

	return (struct create_request){
		.record = creation->record,
		.spec = creation->spec,
		.layers = creation->layers ? creation->layers : none,
		.etc = &creation->options->container.isolation.etc,
		.volumes = creation->mounts.volumes,
		.nvolumes = creation->mounts.nvolumes,
	};
}

void creation_release(struct creation *creation)
{
	mount_plan_release(&creation->mounts);
	strv_free(creation->layers);
	free(creation->hostname);
	*creation = (struct creation)CREATION_INIT;
}

bool creation_asks_records(const struct run_options *options)
{
	const struct container_options *container = &options->container;
	bool asks = container->volumes_from || options->cidfile || options->replace;

	for (size_t i = 0; i < SPEC_NS_COUNT; i++)
		asks |= container->isolation.shares[i].mode == SHARE_CONTAINER;
	for (size_t i = 0; i < container->mounts.n; i++)
		asks |= container->mounts.list[i].kind == MOUNT_OF_VOLUME;
	return asks;
}

int creation_plan(struct store *store, struct run_options *options,
		  const struct image_choice *choice, struct container_record *record,
		  struct spec *spec, struct creation *out, struct err *err)
{
	AUTO_IMAGE_CONFIG struct image_config config = IMAGE_CONFIG_INIT;
	struct creation *creation = out;
	int rc = 0;

	*creation = (struct creation){ .options = options, .record = record, .spec = spec };
	options->container.command = options->rootfs ? options->words : choice->command;
	if (!options->rootfs)
		rc = image_config_read(&choice->document.root, &config, err);
	if (rc == 0)
		rc = joined_resolve(store, &options->container.isolation, &creation->hostname, err);
	if (creation->hostname)
		options->container.hostname = creation->hostname;
	if (rc == 0)
		rc = mount_plan_make(store, &config, &options->container, &creation->mounts, err);
	if (rc == 0)
		rc = spec_build(&config, &options->container, record->id, spec, err);
	if (rc == 0)
		rc = make_record(options, choice, spec, record, err);
	if (rc == 0)
		rc = labels_print(&config, options->labels, &record->labels, err);
	if (rc == 0)
		rc = list_layers(&choice->image, &creation->layers, err);
	if (rc < 0)
		return rc;
	spec->root_path = options->rootfs;
	options->rootfs = NULL;
	return 0;
}

static int make(struct store *store, struct creation *creation, struct err *err)
{
	struct create_request request = request_of(creation);

	return lifecycle_create(store, &request, err);
}

/* What it is called until it takes the place of the one that has its name. */
static const char *name_meanwhile(const struct creation *creation, char out[CONTAINER_NAME_MAX + 1])
{
	const struct run_options *options = creation->options;

	if (!options->replace)
		return options->name;
	snprintf(out, CONTAINER_NAME_MAX + 1, "%.*s-%.12s", CONTAINER_NAME_MAX - 13, options->name,
		 creation->record->id);
	return out;
}

/* What is left to be done once it is there. */
static int finish(struct store *store, struct creation *creation, struct err *err)
{
	const struct run_options *options = creation->options;
	struct container_record *record = creation->record;
	int rc;

	if (options->cidfile && id_file_write_id(options->cidfile, record->id, err) < 0)
		return err_code(err);
	if (!options->replace)
		return 0;
	/* Last: whatever failed before, the other container is as it was. */
	rc = lifecycle_replace(store, record, creation->spec, options->name, err);
	if (rc < 0 && options->cidfile)
		(void)unlink(options->cidfile);
	return rc;
}

int creation_make(struct store *store, struct creation *creation, struct err *err)
{
	char name[CONTAINER_NAME_MAX + 1];
	struct create_request request;
	int rc = with_name(store, creation, name_meanwhile(creation, name), make, err);

	if (rc < 0 || finish(store, creation, err) == 0)
		return rc;
	request = request_of(creation);
	lifecycle_take_back(store, &request);
	return err_code(err);
}

int creation_prepare(struct store *store, struct creation *creation, struct err *err)
{
	struct create_request request = request_of(creation);

	return lifecycle_prepare(store, &request, err);
}

static int insert_created(struct store *store, struct creation *creation, struct err *err)
{
	return lifecycle_record(store, creation->record, false, err);
}

static int insert_started(struct store *store, struct creation *creation, struct err *err)
{
	return lifecycle_record(store, creation->record, true, err);
}

int creation_record(struct store *store, struct creation *creation, bool is_started,
		    struct err *err)
{
	int rc = lifecycle_keep_spec(store, creation->record->id, creation->spec, err);

	if (rc < 0)
		return rc;
	return with_name(store, creation, creation->options->name,
			 is_started ? insert_started : insert_created, err);
}
