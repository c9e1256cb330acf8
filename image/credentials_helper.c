/* SPDX-License-Identifier: Apache-2.0 */
#include "image/credentials_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/secret.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/json.h"

#define OUTPUT_MAX (1u << 20)
/* As the user name: the secret is an identity token. */
#define TOKEN_USER "<token>"
/* What every helper says when it has none. */
#define NOT_FOUND "credentials not found"

static int check_name(const char *helper, struct err *err)
{
	if (*helper && strspn(helper, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-") == strlen(helper))
		return 0;
	return err_set(err, ERR_INVALID, EINVAL, "\"%s\" is no name of a credential helper",
		       helper);
}

/* Start it with `input` on its standard input and `output` on its standard output. Signals that
 * are blocked while a pull runs are its own to handle. */
static int start(const char *program, const char *action, int input, int output, pid_t *pid)
{
	char *const argv[] = { (char *)program, (char *)action, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int r;

	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGXFSZ);
	r = posix_spawn_file_actions_init(&files);
	if (r != 0)
		return -r;
	r = posix_spawnattr_init(&attributes);
	if (r == 0) {
		if ((r = posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO)) == 0 &&
		    (r = posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO)) == 0 &&
		    (r = posix_spawnattr_setsigmask(&attributes, &none)) == 0 &&
		    (r = posix_spawnattr_setsigdefault(&attributes, &defaults)) == 0 &&
		    (r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK |
								       POSIX_SPAWN_SETSIGDEF)) == 0)
			r = posix_spawnp(pid, program, &files, &attributes, argv, environ);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&files);
	return -r;
}

static int read_output(int fd, struct buf *output, struct err *err)
{
	char chunk[4096];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot read what it prints");
		if (output->len + (size_t)n > OUTPUT_MAX)
			return err_set(err, ERR_INVALID, EFBIG, "prints more than 1 MiB");
		buf_add(output, chunk, (size_t)n);
	}
	explicit_bzero(chunk, sizeof(chunk));
	buf_addstr(output, "");
	return buf_failed(output) ? err_sys(err, ENOMEM, "cannot read what it prints") : 0;
}

/* *failed: it ended with a status but 0; what it said is in `output`. */
static int run_program(const char *program, const char *action, const char *input,
		       struct buf *output, bool *failed, struct err *err)
{
	AUTO_CLOSE int in = -1;
	AUTO_CLOSE int out = -1;
	int pipe_fds[2], status, r;
	pid_t pid = -1;

	r = fd_from_memory("credentials", input, strlen(input), &in, err);
	if (r < 0)
		return r;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	out = pipe_fds[0];
	r = start(program, action, in, pipe_fds[1], &pid);
	close(pipe_fds[1]);
	if (r < 0) {
		err_sys(err, -r, "cannot run it");
		return err_hint(err, "the file of credentials names it as credential helper");
	}
	r = read_output(out, output, err);
	if (r < 0 && pid > 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, errno, "cannot wait for it");
	*failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	return r;
}

/* *found false: it has nothing for what it was asked. Other failures are errors with its words. */
static int run(const char *helper, const char *action, const char *input, struct buf *output,
	       bool *found, struct err *err)
{
	AUTO_BUF struct buf program = BUF_INIT;
	bool failed = false;
	int r = check_name(helper, err);

	if (r < 0)
		return r;
	buf_addf(&program, "docker-credential-%s", helper);
	if (buf_failed(&program))
		return err_sys(err, ENOMEM, "credential helper");
	r = run_program(program.data, action, input, output, &failed, err);
	if (r < 0)
		return err_wrap(err, "%s", program.data);
	*found = !failed;
	if (!failed || strstr(output->data, NOT_FOUND))
		return 0;
	return err_set(err, ERR_STATE, EIO, "%s: %.*s", program.data,
		       (int)strcspn(output->data, "\n"),
		       output->data[0] ? output->data : "failed without a word");
}

static int take(const json_t *answer, struct credentials *out, struct err *err)
{
	const char *user = NULL, *secret = NULL;
	int r = json_get_string(answer, "Username", &user, err);

	if (r == 0)
		r = json_get_string(answer, "Secret", &secret, err);
	if (r < 0)
		return r;
	if (!user || !secret)
		return err_set(err, ERR_INVALID, EINVAL, "Username or Secret is missing");
	if (strcmp(user, TOKEN_USER) == 0) {
		out->identity_token = strdup(secret);
	} else {
		out->user = strdup(user);
		out->password = strdup(secret);
	}
	return out->identity_token || (out->user && out->password) ?
		       0 :
		       err_sys(err, ENOMEM, "credential helper");
}

int credentials_helper_get(const char *helper, const char *server, struct credentials *out,
			   bool *found, struct err *err)
{
	AUTO_CREDENTIALS struct credentials credentials = CREDENTIALS_INIT;
	AUTO_SECRET_BUF struct buf output = BUF_INIT;
	AUTO_JSON json_t *answer = NULL;
	int r = run(helper, "get", server, &output, found, err);

	if (r < 0 || !*found)
		return r;
	r = json_parse("answer", output.data, output.len, &answer, err);
	if (r == 0)
		r = take(answer, &credentials, err);
	if (r < 0)
		return err_wrap(err, "docker-credential-%s", helper);
	*out = credentials;
	credentials = (struct credentials)CREDENTIALS_INIT;
	return 0;
}

int credentials_helper_store(const char *helper, const char *server,
			     const struct credentials *credentials, struct err *err)
{
	AUTO_SECRET_BUF struct buf output = BUF_INIT;
	AUTO_SECRET char *text = NULL;
	AUTO_JSON json_t *input = NULL;
	const char *secret =
		credentials->identity_token ? credentials->identity_token : credentials->password;
	bool done;
	int r;

	input = json_pack("{s:s, s:s, s:s}", "ServerURL", server, "Username",
			  credentials->identity_token ? TOKEN_USER : credentials->user, "Secret",
			  secret);
	if (!input)
		return err_set(err, ERR_INVALID, EINVAL,
			       "user name or password is not UTF-8: a credential helper cannot "
			       "take it");
	r = json_print(input, false, &text, err);
	if (r == 0)
		r = run(helper, "store", text, &output, &done, err);
	return r;
}

int credentials_helper_erase(const char *helper, const char *server, bool *found, struct err *err)
{
	AUTO_SECRET_BUF struct buf output = BUF_INIT;

	return run(helper, "erase", server, &output, found, err);
}

int credentials_helper_list(const char *helper, char ***out, struct err *err)
{
	AUTO_SECRET_BUF struct buf output = BUF_INIT;
	AUTO_JSON json_t *answer = NULL;
	AUTO_STRV char **servers = NULL;
	const char *server;
	json_t *user;
	bool found;
	int r = run(helper, "list", "", &output, &found, err);

	if (r < 0 || !found)
		return r;
	r = json_parse("answer", output.data, output.len, &answer, err);
	if (r < 0)
		return err_wrap(err, "docker-credential-%s", helper);
	json_object_foreach (answer, server, user) {
		(void)user;
		if (strv_add(&servers, server) < 0)
			return err_sys(err, ENOMEM, "docker-credential-%s", helper);
	}
	*out = STEAL_PTR(servers);
	return 0;
}
