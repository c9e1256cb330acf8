/* SPDX-License-Identifier: Apache-2.0 */
/* cp: files into and out of containers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/options.h"
#include "manager/cmd/pack_notes.h"
#include "manager/container_copy.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"

enum { OPT_ARCHIVE, OPT_FOLLOW, OPT_QUIET, OPT_END };

static const struct cmd_option option_table[] = {
	[OPT_ARCHIVE] = { 'a', "archive", NULL, "keep owners, set-ID bits and devices" },
	[OPT_FOLLOW] = { 'L', "follow-link", NULL, "copy what SRC leads to, if it is a symlink" },
	[OPT_QUIET] = { 'q', "quiet", NULL, "say nothing of what was left out" },
	[OPT_END] = { 0, NULL, NULL, NULL },
};

/* What of an operand has to be kept. */
struct parts {
	char *container, *path;
};

static void parts_release(struct parts *parts)
{
	free(parts->container);
	free(parts->path);
}

/* As Docker tells them apart: a path of the host begins with "/" or ".", or has no colon. */
static bool is_of_container(const char *word)
{
	return word[0] != '/' && word[0] != '.' && strchr(word, ':');
}

static int take_end(const char *word, struct copy_end *out, struct parts *parts, struct err *err)
{
	const char *colon = strchr(word, ':');

	*out = (struct copy_end){ .kind = COPY_HOST, .word = word, .path = word };
	if (word[0] == '\0')
		return err_set(err, ERR_USAGE, EINVAL, "cp: an empty word is no path");
	if (strcmp(word, "-") == 0) {
		out->kind = COPY_STREAM;
		return 0;
	}
	if (!is_of_container(word))
		return 0;
	if (colon == word || colon[1] == '\0')
		return err_set(err, ERR_USAGE, EINVAL, "cp: not CONTAINER:PATH: %s", word);
	parts->container = strndup(word, (size_t)(colon - word));
	/* The root is where a path of a container begins. */
	if (asprintf(&parts->path, "%s%s", colon[1] == '/' ? "" : "/", colon + 1) < 0)
		parts->path = NULL;
	if (!parts->container || !parts->path)
		return err_sys(err, ENOMEM, "cannot copy");
	out->kind = COPY_CONTAINER;
	out->container = parts->container;
	out->path = parts->path;
	return 0;
}

static int check(const struct copy_request *request, struct err *err)
{
	const struct copy_end *from = &request->from, *to = &request->to;

	if (from->kind != COPY_CONTAINER && to->kind != COPY_CONTAINER) {
		err_set(err, ERR_USAGE, EINVAL, "cp: neither %s nor %s is in a container",
			from->word, to->word);
		return err_hint(err, "CONTAINER:PATH is; cp(1) copies what is not");
	}
	if (to->kind == COPY_STREAM && isatty(STDOUT_FILENO)) {
		err_set(err, ERR_USAGE, EINVAL, "cp: an archive is nothing for a terminal");
		return err_hint(err, "redirect it");
	}
	if (from->kind == COPY_STREAM && isatty(STDIN_FILENO)) {
		err_set(err, ERR_USAGE, EINVAL, "cp: stdin is a terminal, and no archive");
		return err_hint(err, "redirect it");
	}
	return 0;
}

static void tell(int64_t count, const char *one, const char *many)
{
	if (count == 1)
		log_warn("%s", one);
	else if (count > 1)
		log_warn("%lld %s", (long long)count, many);
}

static void print_notes(const struct copy_result *result)
{
	const struct unpack_result *unpacked = &result->unpacked;

	pack_notes_print(&result->packed);
	tell(unpacked->devices, "1 device left out", "devices left out");
	tell(unpacked->sockets, "1 socket left out", "sockets left out");
	tell(unpacked->attributes, "1 file capability or attribute left out",
	     "file capabilities or attributes left out");
}

static int copy(struct app *app, const char *from, const char *to, struct copy_request *request,
		struct copy_result *result, struct err *err)
{
	struct parts source __attribute__((cleanup(parts_release))) = { 0 };
	struct parts target __attribute__((cleanup(parts_release))) = { 0 };
	AUTO_STORE struct store store = STORE_INIT;
	int rc = take_end(from, &request->from, &source, err);

	if (rc == 0)
		rc = take_end(to, &request->to, &target, err);
	if (rc == 0)
		rc = check(request, err);
	if (rc == 0)
		rc = store_open(app->root, &store, err);
	if (rc == 0)
		rc = container_copy(&store, request, result, err);
	return rc;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	struct copy_request request = { 0 };
	const struct cmd_option *option;
	struct option_parse parse;
	struct copy_result result = { 0 };
	const char *value;
	bool quiet = false;
	int rc;

	options_begin(&parse, &cmd_cp, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		request.archive |= option - option_table == OPT_ARCHIVE;
		request.follow |= option - option_table == OPT_FOLLOW;
		quiet |= option - option_table == OPT_QUIET;
	}
	if (rc < 0 || options_operands(&parse, 2, 2, err) < 0 ||
	    copy(app, argv[parse.next], argv[parse.next + 1], &request, &result, err) < 0)
		return -1;
	if (!quiet)
		print_notes(&result);
	return 0;
}

const struct cmd cmd_cp = {
	.name = "cp",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] [CONTAINER:]SRC|- [CONTAINER:]DEST|-",
	.summary = "copy files into and out of containers",
	.details =
		"At least one of both is in a container, which need not run. A directory is copied with "
		"all that is in it; SRC/. is what is in it, without itself. Into a DEST that is a "
		"directory it is copied under its own name, else it is called DEST. Directories become "
		"one with those that are there, files are replaced.\n\n"
		"\"-\" is a tar archive: on standard output of SRC, on standard input to be unpacked "
		"in the directory DEST.\n\n"
		"Without -a, what is copied into a container belongs to its root, and what is copied out "
		"to who does it; set-user-ID and set-group-ID bits, file capabilities and devices stay "
		"behind.",
	.options = option_table,
	.run = run,
};
