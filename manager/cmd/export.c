/* SPDX-License-Identifier: Apache-2.0 */
/* export: the files of a container as a tar archive. */
#include <errno.h>

#include "image/interrupt.h"
#include "image/pack.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/options.h"
#include "manager/cmd/output.h"
#include "manager/cmd/pack_notes.h"
#include "manager/container_tree.h"
#include "manager/lifecycle.h"
#include "store/base/cleanup.h"

static int open_tree(struct app *app, const char *name, int *mount, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_SPEC struct spec spec = SPEC_INIT;
	int rc = store_open(app->root, &store, err);

	if (rc == 0)
		rc = lifecycle_find(&store, name, &record, err);
	if (rc == 0)
		rc = lifecycle_load_spec(&store, record.id, &spec, err);
	if (rc == 0 && container_tree_merged(&record, &spec, mount, err) < 0)
		rc = err_wrap(err, "%s", record.name);
	return rc;
}

static int write_archive(int mount, struct output *output, struct pack_result *result,
			 struct err *err)
{
	const struct pack_request request = {
		.kind = PACK_TREE,
		.mount_fd = mount,
		.compression = COMPRESSION_NONE,
	};
	AUTO_INTERRUPT struct interrupt interrupt = INTERRUPT_INIT;
	AUTO_PACK struct pack pack = PACK_INIT;
	int rc = interrupt_begin(&interrupt, err);

	if (rc == 0)
		rc = pack_start(&pack, &request, err);
	if (rc == 0)
		rc = output_copy(output, pack.fd, &interrupt, err);
	return rc < 0 ? pack_explain(&pack, rc, err) : pack_finish(&pack, result, err);
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_OUTPUT struct output output = OUTPUT_INIT;
	struct pack_result result;
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value, *path = NULL, *name;
	AUTO_CLOSE int mount = -1;
	int rc;

	options_begin(&parse, &cmd_export, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0)
		path = value;
	if (rc < 0 || options_operands(&parse, 1, 1, err) < 0)
		return -1;
	name = argv[parse.next];
	if (open_tree(app, name, &mount, err) < 0 ||
	    output_open(&output, path, cmd_export.name, err) < 0)
		return -1;
	rc = write_archive(mount, &output, &result, err);
	if (rc == 0)
		rc = output_finish(&output, err);
	if (rc < 0) {
		if (err->num != EINTR)
			err_wrap(err, "%s", name);
		return -1;
	}
	pack_notes_print(&result);
	return 0;
}

const struct cmd cmd_export = {
	.name = "export",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] CONTAINER",
	.summary = "write a container's files to a tar archive",
	.details =
		"All that the container sees, whether it runs or not, but what is mounted in it: no "
		"volumes, no /proc. `cman import` makes an image of it. A container that runs goes on "
		"meanwhile: files that it writes to just then are filled up or cut to the size that they "
		"had, which is told on stderr.",
	.options =
		(const struct cmd_option[]){
			{ 'o', "output", "FILE", "write to FILE, and not to standard output" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
