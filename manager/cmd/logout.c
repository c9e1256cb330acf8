/* SPDX-License-Identifier: Apache-2.0 */
/* logout: forget who one is at a registry. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "image/credentials_file.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/options.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"

#define DEFAULT_REGISTRY "docker.io"

static int logout_all(struct err *err)
{
	size_t forgotten = 0;

	if (credentials_forget(NULL, &forgotten, err) < 0)
		return -1;
	printf("logged out of %zu %s\n", forgotten, forgotten == 1 ? "registry" : "registries");
	return 0;
}

/* Another file, of Podman's say, may still have some. */
static void tell_of_others(const char *registry)
{
	AUTO_CREDENTIALS struct credentials left = CREDENTIALS_INIT;
	struct err ignored = ERR_INIT;

	if (credentials_find(registry, NULL, &left, &ignored) == 0 && left.from)
		log_warn("%s has credentials for %s, and is left as it is", left.from, registry);
}

static int logout_of(const char *word, struct err *err)
{
	AUTO_FREE char *registry = credentials_key_meaning(word);
	size_t forgotten = 0;

	if (!registry)
		return err_sys(err, ENOMEM, "cannot log out");
	if (credentials_forget(registry, &forgotten, err) < 0)
		return -1;
	tell_of_others(registry);
	if (forgotten == 0)
		return err_set(err, ERR_NOT_FOUND, ENOENT, "not logged in to %s", registry);
	printf("logged out of %s\n", registry);
	return 0;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	bool all = false;
	int rc;

	(void)app;
	options_begin(&parse, &cmd_logout, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0)
		all = true;
	if (rc < 0 || options_operands(&parse, 0, all ? 0 : 1, err) < 0)
		return -1;
	rc = all ? logout_all(err) :
		   logout_of(parse.next < argc ? argv[parse.next] : DEFAULT_REGISTRY, err);
	return rc < 0 ? -1 : 0;
}

const struct cmd cmd_logout = {
	.name = "logout",
	.group = CMD_GROUP_IMAGES,
	.operands = "[OPTIONS] [REGISTRY]",
	.summary = "forget the credentials of a registry",
	.details = "REGISTRY is HOST[:PORT], docker.io without it.",
	.options =
		(const struct cmd_option[]){
			{ 'a', "all", NULL, "of all registries" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
