/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/operands.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "manager/cmd/report.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define AT_ONCE 32

/* What came of one operand; from a child it comes through a pipe. */
struct outcome {
	int rc;
	char answer[ANSWER_MAX];
	struct err err;
};

static void act(struct store *store, const char *operand, operand_action *action, const void *data,
		struct outcome *out)
{
	*out = (struct outcome){ .err = ERR_INIT };
	if (snprintf(out->answer, sizeof(out->answer), "%s", operand) >= ANSWER_MAX)
		out->rc =
			err_set(&out->err, ERR_NOT_FOUND, ENOENT, "no such container: %s", operand);
	else
		out->rc = action(store, operand, data, out->answer, &out->err);
}

/* Returns the exit status as it is now, after this outcome. */
static int tell(const struct outcome *outcome, int status)
{
	AUTO_BUF struct buf line = BUF_INIT;

	if (outcome->rc < 0) {
		report_error(&outcome->err);
		return EXIT_CMAN;
	}
	buf_add_escaped(&line, outcome->answer, strlen(outcome->answer));
	buf_addch(&line, '\n');
	if (!buf_failed(&line))
		fwrite(line.data, 1, line.len, stdout);
	fflush(stdout); /* who watches sees it when it happens; main looks at ferror */
	return status;
}

int operands_each(struct app *app, char *const *operands, int n, operand_action *action,
		  const void *data, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	int status = 0;

	if (store_open(app->root, &store, err) < 0)
		return err_code(err);
	for (int i = 0; i < n; i++) {
		struct outcome outcome;

		act(&store, operands[i], action, data, &outcome);
		status = tell(&outcome, status);
	}
	return status;
}

struct worker {
	pid_t pid;
	int fd; /* an outcome comes out of it */
};

/* In the child: a database connection must not be carried through fork(2), so it opens its own. */
static _Noreturn void work(struct app *app, const char *operand, operand_action *action,
			   const void *data, int fd)
{
	struct store store = STORE_INIT;
	struct outcome outcome = { .err = ERR_INIT };

	/* Interrupted together with the parent, and never left behind by it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	outcome.rc = store_open(app->root, &store, &outcome.err);
	if (outcome.rc == 0)
		act(&store, operand, action, data, &outcome);
	store_close(&store);
	_exit(fd_write_all(fd, &outcome, sizeof(outcome)) < 0);
}

static int start_worker(struct app *app, const char *operand, operand_action *action,
			const void *data, struct worker *out, struct err *err)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	pid = fork();
	if (pid < 0) {
		err_sys(err, errno, "cannot start a process");
		close(fds[0]);
		close(fds[1]);
		return err_code(err);
	}
	if (pid == 0) {
		close(fds[0]);
		work(app, operand, action, data, fds[1]);
	}
	close(fds[1]);
	*out = (struct worker){ pid, fds[0] };
	return 0;
}

static void end_worker(struct worker *worker, const char *operand, struct outcome *out)
{
	ssize_t len = fd_read_all(worker->fd, out, sizeof(*out));

	close(worker->fd);
	while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (len == (ssize_t)sizeof(*out))
		return;
	*out = (struct outcome){ .err = ERR_INIT };
	out->rc = err_set(&out->err, ERR_SYS, ECHILD, "%s: the process for it was killed", operand);
}

int operands_at_once(struct app *app, char *const *operands, int n, operand_action *action,
		     const void *data, struct err *err)
{
	struct worker workers[AT_ONCE];
	int begun = 0;
	int done = 0;
	int status = 0;

	if (n == 1)
		return operands_each(app, operands, n, action, data, err);
	fflush(stdout);
	while (done < n) {
		struct outcome outcome;

		while (begun < n && begun - done < AT_ONCE) {
			struct worker *worker = &workers[begun % AT_ONCE];

			if (start_worker(app, operands[begun], action, data, worker, err) < 0)
				break;
			begun++;
		}
		if (begun == done) /* not even one process can be had: err says why */
			return err_code(err);
		end_worker(&workers[done % AT_ONCE], operands[done], &outcome);
		status = tell(&outcome, status);
		done++;
	}
	return status;
}
