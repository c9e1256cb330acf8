/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/choice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/strv.h"
#include "store/store.h"

#define CIDFILE_MAX 4096

void choice_release(struct choice *choice)
{
	filters_release(&choice->filters);
	strv_free(choice->ids);
	*choice = (struct choice)CHOICE_INIT;
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot keep the names");
}

/* As run --cidfile writes it: the first line. */
static int add_cidfile(struct choice *choice, const char *path, struct err *err)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if (fd_read_file(AT_FDCWD, path, CIDFILE_MAX, &text, &len, err) < 0)
		return err_wrap(err, "--cidfile");
	text[strcspn(text, "\r\n")] = '\0';
	if (text[0] == '\0')
		return err_set(err, ERR_INVALID, EINVAL, "--cidfile: there is no ID in %s", path);
	return strv_add(&choice->ids, text) < 0 ? no_memory(err) : 0;
}

int choice_option(struct choice *choice, const struct cmd_option *option, const char *value,
		  struct err *err)
{
	int rc = 0;

	if (strcmp(option->name, "all") == 0)
		choice->all = true;
	else if (strcmp(option->name, "latest") == 0)
		choice->latest = true;
	else if (strcmp(option->name, "filter") == 0)
		rc = filters_add(&choice->filters, value, err);
	else if (strcmp(option->name, "cidfile") == 0)
		rc = add_cidfile(choice, value, err);
	else
		return 0;
	return rc < 0 ? rc : 1;
}

struct walk {
	const struct choice *choice;
	unsigned states;
	char ***out;
};

static int visit(const struct container_record *record, void *data, struct err *err)
{
	const struct walk *walk = data;

	/* The newest comes first. */
	if (walk->choice->latest)
		return strv_add(walk->out, record->name) < 0 ? no_memory(err) : 1;
	if (!(walk->states & CHOICE_STATE(record->state)) ||
	    !filters_match(&walk->choice->filters, record))
		return 0;
	return strv_add(walk->out, record->name) < 0 ? no_memory(err) : 0;
}

static int find_some(const struct choice *choice, struct app *app, unsigned states, char ***out,
		     struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct filters filters = choice->filters; /* shared, and bound to this store */
	struct walk walk = { choice, states, out };
	int rc = store_open(app->root, &store, err);

	if (rc == 0)
		rc = filters_bind(&filters, &store, err);

	if (rc == 0)
		rc = container_each(&store, visit, &walk, err);
	if (rc < 0)
		return rc;
	if (choice->latest && !*out)
		return err_set(err, ERR_NOT_FOUND, ENOENT, "there is no container");
	return 0;
}

static int check(const struct choice *choice, const struct cmd *cmd, int n, struct err *err)
{
	bool among_all = choice->all || choice->latest || choice->filters.n > 0;

	if (among_all && (n > 0 || choice->ids))
		return err_set(err, ERR_USAGE, EINVAL,
			       "%s: names do not go with --all, --latest and --filter", cmd->name);
	if (choice->latest && (choice->all || choice->filters.n > 0))
		return err_set(err, ERR_USAGE, EINVAL,
			       "%s: --latest does not go with --all and --filter", cmd->name);
	if (!among_all && n == 0 && !choice->ids)
		return err_set(err, ERR_USAGE, EINVAL, "%s: too few operands", cmd->name);
	return 0;
}

int choice_resolve(const struct choice *choice, struct app *app, const struct cmd *cmd,
		   char *const *operands, int n, unsigned states, char ***out, struct err *err)
{
	AUTO_STRV char **names = NULL;
	int rc = check(choice, cmd, n, err);

	if (rc == 0 && (choice->all || choice->latest || choice->filters.n > 0))
		rc = find_some(choice, app, states, &names, err);
	for (int i = 0; i < n && rc == 0; i++)
		if (strv_add(&names, operands[i]) < 0)
			rc = no_memory(err);
	if (rc == 0 && choice->ids && strv_extend(&names, choice->ids) < 0)
		rc = no_memory(err);
	if (rc < 0)
		return rc;
	*out = STEAL_PTR(names);
	return 0;
}
