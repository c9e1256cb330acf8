/* SPDX-License-Identifier: Apache-2.0 */
#include "image/fetcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/fetch_stage.h"
#include "image/trust.h"
#include "store/base/cleanup.h"

#define PIPE_SIZE (1 << 20) /* what an ordinary user may ask for; less is fine */

void fetcher_release(struct fetcher *fetcher)
{
	cleanup_close(&fetcher->body);
	cleanup_close(&fetcher->control);
	if (fetcher->child.pid > 0) {
		kill(fetcher->child.pid, SIGKILL); /* not reaped yet: the number is still its own */
		while (waitpid(fetcher->child.pid, NULL, 0) < 0 && errno == EINTR)
			;
		cleanup_close(&fetcher->child.pidfd);
	}
}

static int start_stage(struct fetcher *fetcher, int trust, struct err *err)
{
	AUTO_CLOSE int body = -1;
	AUTO_CLOSE int control = -1;
	int pipes[2], sockets[2], fds[FETCH_NFDS] = { -1, -1, -1, -1, -1 };
	const struct stage_options options = {
		.fds = fds,
		.nfds = FETCH_NFDS,
		.parent_death_signal = SIGKILL,
	};

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	fetcher->body = pipes[0];
	body = pipes[1];
	fcntl(body, F_SETPIPE_SZ, PIPE_SIZE);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return err_sys(err, errno, "cannot talk to the fetch stage");
	fetcher->control = sockets[0];
	control = sockets[1];
	fds[FETCH_FD_BODY] = body;
	fds[FETCH_FD_CONTROL] = control;
	fds[FETCH_FD_TRUST] = trust;
	return stage_spawn("cman-fetch", &options, &fetcher->child, err);
}

/*
 * curl's own rule: http_proxy only in lower case, because CGI programs get HTTP_PROXY from
 * clients.
 */
static const char *proxy_of(const char *url)
{
	const char *names[] = { "http_proxy", NULL, "all_proxy", "ALL_PROXY" };

	if (strncasecmp(url, "https:", 6) == 0) {
		names[0] = "https_proxy";
		names[1] = "HTTPS_PROXY";
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = names[i] ? getenv(names[i]) : NULL;

		if (value && value[0] != '\0')
			return value;
	}
	return "";
}

static bool copy_text(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len >= size)
		return false;
	memcpy(out, text, len + 1);
	return true;
}

static int send_job(const struct fetcher *fetcher, const struct fetcher_request *request,
		    struct err *err)
{
	const char *no_proxy = getenv("no_proxy") ? getenv("no_proxy") : getenv("NO_PROXY");
	struct fetch_job job;

	memset(&job, 0, sizeof(job));
	job.offset = request->offset;
	job.connect_timeout_s = request->connect_timeout_s;
	if (!copy_text(job.url, sizeof(job.url), request->url))
		return err_set(err, ERR_INVALID, ENAMETOOLONG, "the URL is longer than %d bytes",
			       FETCH_URL_MAX - 1);
	if (!copy_text(job.proxy, sizeof(job.proxy), proxy_of(request->url)) ||
	    !copy_text(job.no_proxy, sizeof(job.no_proxy), no_proxy ? no_proxy : ""))
		return err_set(err, ERR_INVALID, ENAMETOOLONG,
			       "a proxy setting in the environment is longer than %d bytes",
			       FETCH_PROXY_MAX - 1);
	if (request->offset > 0 &&
	    !copy_text(job.validator, sizeof(job.validator), request->validator))
		return err_set(err, ERR_INVALID, ENAMETOOLONG, "the kept validator is too long");
	if (send(fetcher->control, &job, sizeof(job), MSG_NOSIGNAL) != sizeof(job))
		return err_sys(err, errno, "cannot talk to the fetch stage");
	return 0;
}

int fetcher_start(struct fetcher *fetcher, const struct fetcher_request *request, struct err *err)
{
	AUTO_CLOSE int trust = -1;
	int r = trust_open(request->cacert, &trust, err);

	if (r == 0)
		r = start_stage(fetcher, trust, err);
	return r < 0 ? r : send_job(fetcher, request, err);
}
