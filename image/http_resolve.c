/* SPDX-License-Identifier: Apache-2.0 */
#include "image/http_resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/base/cleanup.h"

/* Belongs to the thread, which outlives a caller that wants no answer any more. */
struct question {
	int fd;
	char host[];
};

static void *ask(void *data)
{
	struct question *question = data;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int code = getaddrinfo(question->host, NULL, &hints, &found);
	ssize_t n;

	if (code == 0)
		freeaddrinfo(found);
	do
		n = write(question->fd, &code, sizeof(code));
	while (n < 0 && errno == EINTR);
	close(question->fd);
	free(question);
	return NULL;
}

bool http_lookup_start(struct http_lookup *lookup, const char *host)
{
	size_t len = strlen(host) + 1;
	struct question *question = malloc(sizeof(*question) + len);
	pthread_t thread;
	int pipes[2];

	if (!question)
		return false;
	memcpy(question->host, host, len);
	if (pipe2(pipes, O_CLOEXEC) < 0) {
		free(question);
		return false;
	}
	question->fd = pipes[1];
	if (pthread_create(&thread, NULL, ask, question) != 0) {
		close(pipes[0]);
		close(pipes[1]);
		free(question);
		return false;
	}
	pthread_detach(thread);
	lookup->fd = pipes[0];
	return true;
}

bool http_lookup_is_transient(struct http_lookup *lookup)
{
	int code = EAI_AGAIN;
	ssize_t n = read(lookup->fd, &code, sizeof(code));

	http_lookup_release(lookup);
	if (n != sizeof(code))
		return true;
	switch (code) {
	case EAI_NONAME:
#ifdef EAI_NODATA
	case EAI_NODATA:
#endif
	case EAI_FAIL:
	case EAI_FAMILY:
		return false;
	default: /* or it is there now */
		return true;
	}
}

void http_lookup_release(struct http_lookup *lookup)
{
	cleanup_close(&lookup->fd);
}
