/* SPDX-License-Identifier: Apache-2.0 */
/* image: the group of commands on images that have no short name: mount, unmount. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/names.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/operands.h"
#include "manager/cmd/options.h"
#include "manager/image_mount.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"

/* --- mount --- */

static int mount_one(struct store *store, const char *operand, const void *data,
		     char answer[ANSWER_MAX], struct err *err)
{
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	AUTO_FREE char *path = NULL;
	int rc = image_lookup(store, operand, &image, err);

	(void)data;
	if (rc < 0)
		return rc;
	if (image_mount(store, &image, &path, err) < 0)
		return err_wrap(err, "%s", operand);
	if (snprintf(answer, ANSWER_MAX, "%s", path) >= ANSWER_MAX)
		return err_set(err, ERR_UNSUPPORTED, ENAMETOOLONG, "%s: mounted on %s", operand,
			       path);
	return 0;
}

/* A line as of /proc/mounts: what, and where. */
static int print_mount(const char *id, const char *path, void *data, struct err *err)
{
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	AUTO_BUF struct buf line = BUF_INIT;
	struct err ignored = ERR_INIT;
	const char *name = id;

	if (image_find(data, id, &image, &ignored) == 0 && image.nnames > 0)
		name = image.names[0].name;
	buf_add_escaped(&line, name, strlen(name));
	buf_addch(&line, '\t');
	buf_add_escaped(&line, path, strlen(path));
	if (buf_failed(&line))
		return err_sys(err, ENOMEM, "cannot list mounts");
	puts(line.data);
	return 0;
}

static int run_mount(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;

	options_begin(&parse, &cmd_image_mount, argc, argv);
	if (options_next(&parse, &option, &value, err) < 0)
		return -1;
	if (parse.next < argc)
		return operands_each(app, argv + parse.next, argc - parse.next, mount_one, NULL,
				     err);
	if (store_open(app->root, &store, err) < 0 ||
	    image_mount_each(&store, print_mount, &store, err) < 0)
		return -1;
	return 0;
}

const struct cmd cmd_image_mount = {
	.name = "image mount",
	.group = CMD_GROUP_IMAGES,
	.operands = "[IMAGE...]",
	.summary = "show the files of images in directories of the host",
	.details =
		"The path of each is printed; an image that is mounted already stays where it is. "
		"Nobody can write there, and devices and set-user-ID programs have no effect. An image "
		"cannot be removed while it is mounted. Without operands: what is mounted.",
	.run = run_mount,
};

/* --- unmount --- */

static int unmount_one(struct store *store, const char *operand, const void *data,
		       char answer[ANSWER_MAX], struct err *err)
{
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	int rc = image_lookup(store, operand, &image, err);

	(void)data;
	(void)answer;
	if (rc < 0)
		return rc;
	return image_unmount(store, image.id, err) < 0 ? err_wrap(err, "%s", operand) : 0;
}

static int collect(const char *id, const char *path, void *data, struct err *err)
{
	char ***ids = data;

	(void)path;
	return strv_add(ids, id) < 0 ? err_sys(err, ENOMEM, "cannot list mounts") : 0;
}

/* By ID: also what is left of an image that is gone. */
static int unmount_id(struct store *store, const char *operand, const void *data,
		      char answer[ANSWER_MAX], struct err *err)
{
	(void)data;
	(void)answer;
	return image_unmount(store, operand, err) < 0 ? err_wrap(err, "%.12s", operand) : 0;
}

static int unmount_all(struct app *app, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_STRV char **ids = NULL;

	if (store_open(app->root, &store, err) < 0 ||
	    image_mount_each(&store, collect, &ids, err) < 0)
		return -1;
	store_close(&store);
	return operands_each(app, ids, (int)strv_len(ids), unmount_id, NULL, err);
}

static int run_unmount(struct app *app, int argc, char **argv, struct err *err)
{
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	bool all = false;
	int rc;

	options_begin(&parse, &cmd_image_unmount, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0)
		all = true;
	if (rc < 0 || options_operands(&parse, all ? 0 : 1, all ? 0 : -1, err) < 0)
		return -1;
	if (all)
		return unmount_all(app, err);
	return operands_each(app, argv + parse.next, argc - parse.next, unmount_one, NULL, err);
}

const struct cmd cmd_image_unmount = {
	.name = "image unmount",
	.group = CMD_GROUP_IMAGES,
	.operands = "[OPTIONS] IMAGE...",
	.summary = "end what `cman image mount` began",
	.options =
		(const struct cmd_option[]){
			{ 'a', "all", NULL, "all that are mounted" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run_unmount,
};

/* --- the group --- */

const struct cmd cmd_image = {
	.name = "image",
	.group = CMD_GROUP_IMAGES,
	.operands = "COMMAND [ARG...]",
	.summary = "show the files of an image: mount, unmount",
	.run = command_group_run,
	.subcommands = (const struct cmd *const[]){ &cmd_image_mount, &cmd_image_unmount, NULL },
};
