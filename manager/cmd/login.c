/* SPDX-License-Identifier: Apache-2.0 */
/* login: who one is at a registry, checked there and kept. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "image/credentials_file.h"
#include "image/registry.h"
#include "image/secret.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/options.h"
#include "manager/cmd/prompt.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/log.h"

#define PASSWORD_MAX (64u << 10)
#define DEFAULT_REGISTRY "docker.io"

struct login {
	struct credentials credentials;
	char *registry; /* host[:port] */
	const char *cacert;
	bool insecure;
	bool from_stdin;
};

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot log in");
}

/* --- what was typed --- */

static int set_secret(char **out, const char *value, struct err *err)
{
	secret_release(out);
	*out = strdup(value);
	return *out ? 0 : no_memory(err);
}

/* A host as people write it, also with a scheme. */
static int set_registry(struct login *login, const char *word, struct err *err)
{
	AUTO_BUF struct buf name = BUF_INIT;
	AUTO_REF struct ref ref = REF_INIT;
	struct err ignored = ERR_INIT;

	login->registry = credentials_key_meaning(word);
	if (!login->registry)
		return no_memory(err);
	buf_addf(&name, "%s/x", login->registry);
	if (buf_failed(&name))
		return no_memory(err);
	if (ref_parse(name.data, &ref, &ignored) == 0 && ref.registry &&
	    strcmp(ref.registry, login->registry) == 0)
		return 0;
	err_set(err, ERR_USAGE, EINVAL, "%s: is no registry", word);
	return err_hint(err, "a registry is HOST[:PORT], HOST with a dot or localhost");
}

static int read_password(struct login *login, struct err *err)
{
	AUTO_SECRET_BUF struct buf text = BUF_INIT;
	char chunk[4096];
	ssize_t n;

	while ((n = read(STDIN_FILENO, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot read the password");
		if (text.len + (size_t)n > PASSWORD_MAX)
			return err_set(err, ERR_USAGE, EFBIG, "the password is longer than 64 KiB");
		buf_add(&text, chunk, (size_t)n);
	}
	explicit_bzero(chunk, sizeof(chunk));
	if (buf_failed(&text))
		return no_memory(err);
	/* The end of the line is `echo`'s, and not the password's. */
	if (text.len > 0 && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	if (text.len > 0 && text.data[text.len - 1] == '\r')
		text.data[--text.len] = '\0';
	if (text.len == 0 || strlen(text.data) != text.len)
		return err_set(err, ERR_USAGE, EINVAL, "standard input holds no password");
	return set_secret(&login->credentials.password, text.data, err);
}

/* The name that is kept for this registry, as what Enter means. */
static int ask_user(struct login *login, struct err *err)
{
	AUTO_CREDENTIALS struct credentials known = CREDENTIALS_INIT;
	AUTO_BUF struct buf question = BUF_INIT;
	AUTO_FREE char *answer = NULL;
	struct err ignored = ERR_INIT;
	const char *user;
	int r;

	(void)credentials_find(login->registry, NULL, &known, &ignored);
	buf_addstr(&question, "User name");
	if (known.user) {
		buf_addstr(&question, " (");
		buf_add_escaped(&question, known.user, strlen(known.user));
		buf_addstr(&question, ")");
	}
	buf_addstr(&question, ": ");
	if (buf_failed(&question))
		return no_memory(err);
	r = prompt_line(question.data, &answer, err);
	if (r < 0 && err->kind == ERR_STATE && err->num == ENOTTY) {
		err_set(err, ERR_USAGE, EINVAL, "no user name is given, and no terminal to ask at");
		return err_hint(err, "-u USER --password-stdin");
	}
	if (r < 0)
		return r;
	user = *answer ? answer : known.user;
	if (!user)
		return err_set(err, ERR_USAGE, EINVAL, "no user name is given");
	return set_secret(&login->credentials.user, user, err);
}

static int ask_password(struct login *login, struct err *err)
{
	int r = prompt_password("Password: ", &login->credentials.password, err);

	if (r < 0 && err->kind == ERR_STATE && err->num == ENOTTY) {
		err_set(err, ERR_USAGE, EINVAL, "no password is given, and no terminal to ask at");
		return err_hint(err, "give it on standard input: --password-stdin");
	}
	if (r == 0 && login->credentials.password[0] == '\0')
		return err_set(err, ERR_USAGE, EINVAL, "no password is given");
	return r;
}

static int complete(struct login *login, struct err *err)
{
	int r = 0;

	if (login->from_stdin && login->credentials.password)
		return err_set(err, ERR_USAGE, EINVAL,
			       "--password and --password-stdin exclude each other");
	if (login->from_stdin && !login->credentials.user)
		return err_set(err, ERR_USAGE, EINVAL, "--password-stdin needs --username");
	if (login->credentials.password)
		log_warn("a password on the command line can be seen by everybody on this machine "
			 "(ps); --password-stdin hides it");
	if (!login->credentials.user)
		r = ask_user(login, err);
	if (r == 0 && strchr(login->credentials.user, ':'))
		r = err_set(err, ERR_USAGE, EINVAL, "a user name has no colon");
	if (r == 0 && login->from_stdin)
		r = read_password(login, err);
	else if (r == 0 && !login->credentials.password)
		r = ask_password(login, err);
	return r;
}

/* --- the registry's word --- */

static int check(const struct login *login, struct err *err)
{
	AUTO_INTERRUPT struct interrupt interrupt = INTERRUPT_INIT;
	AUTO_FETCH_SESSION struct fetch_session session = FETCH_SESSION_INIT;
	AUTO_REGISTRY struct registry *registry = NULL;
	/* A person waits, and can try again. */
	const struct fetch_options fetch = { .retries = 1,
					     .stall_timeout_s = FETCH_DEFAULT_STALL_S };
	const struct registry_options options = {
		.session = &session,
		.fetch = &fetch,
		.interrupt = &interrupt,
		.creds = &login->credentials,
		.cacert = login->cacert,
		.insecure = login->insecure,
	};
	const struct ref ref = { .registry = login->registry, .repository = (char *)"x" };
	int r = interrupt_begin(&interrupt, err);

	if (r == 0)
		r = fetch_session_start(&session, err);
	if (r == 0)
		r = registry_open(&ref, &options, &registry, err);
	if (r == 0)
		r = registry_check(registry, err);
	if (r == -EACCES) {
		err_set(err, ERR_NETWORK, EACCES, "%s does not take this user name and password",
			login->registry);
		return err_hint(err,
				"many registries want an access token in place of the password");
	}
	return r;
}

static int keep(const struct login *login, struct err *err)
{
	AUTO_CREDENTIALS_KEPT struct credentials_kept kept = { 0 };
	AUTO_BUF struct buf line = BUF_INIT;
	int r = credentials_keep(login->registry, &login->credentials, &kept, err);

	if (r < 0)
		return r;
	if (kept.in_file)
		log_warn("the password is kept in %s, not encrypted; a credential helper would "
			 "(cman-login(1))",
			 kept.where);
	buf_addf(&line, "logged in to %s as ", login->registry);
	buf_add_escaped(&line, login->credentials.user, strlen(login->credentials.user));
	if (buf_failed(&line))
		return no_memory(err);
	printf("%s\n", line.data);
	return 0;
}

/* --- the command --- */

static int take_option(struct login *login, const struct cmd_option *option, const char *value,
		       struct err *err)
{
	if (strcmp(option->name, "username") == 0)
		return set_secret(&login->credentials.user, value, err);
	if (strcmp(option->name, "password") == 0)
		return set_secret(&login->credentials.password, value, err);
	if (strcmp(option->name, "password-stdin") == 0)
		login->from_stdin = true;
	else if (strcmp(option->name, "cacert") == 0)
		login->cacert = value;
	else
		login->insecure = true;
	return 0;
}

static void login_release(struct login *login)
{
	credentials_release(&login->credentials);
	free(login->registry);
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	__attribute__((cleanup(login_release))) struct login login = { 0 };
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc;

	(void)app;
	options_begin(&parse, &cmd_login, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0)
		if (take_option(&login, option, value, err) < 0)
			return -1;
	if (rc < 0 || options_operands(&parse, 0, 1, err) < 0)
		return -1;
	rc = set_registry(&login, parse.next < argc ? argv[parse.next] : DEFAULT_REGISTRY, err);
	if (rc == 0)
		rc = complete(&login, err);
	if (rc == 0)
		rc = check(&login, err);
	if (rc == 0)
		rc = keep(&login, err);
	return rc < 0 ? -1 : 0;
}

const struct cmd cmd_login = {
	.name = "login",
	.group = CMD_GROUP_IMAGES,
	.operands = "[OPTIONS] [REGISTRY]",
	.summary = "log in to a registry",
	.details =
		"REGISTRY is HOST[:PORT], docker.io without it. User name and password are asked for "
		"at the terminal where they are not given. They are kept once the registry has taken "
		"them: with the credential helper that the file of credentials names, else in that "
		"file, which is Docker's (~/.docker/config.json, DOCKER_CONFIG) or what "
		"CMAN_AUTH_FILE names.",
	.options =
		(const struct cmd_option[]){
			{ 'u', "username", "USER", "user name" },
			{ 'p', "password", "PASS",
			  "password; others can see it: --password-stdin" },
			{ 0, "password-stdin", NULL, "read the password from standard input" },
			{ 0, "cacert", "FILE", "certificates to trust, PEM" },
			{ 0, "insecure", NULL, "take any certificate of the registry, or http" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
