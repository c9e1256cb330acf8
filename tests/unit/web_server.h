/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_TESTS_UNIT_WEB_SERVER_H
#define CMAN_TESTS_UNIT_WEB_SERVER_H

/*
 * An HTTP server on loopback in a thread of the test, whose answers the test makes up. It keeps
 * connections open and writes down what it was asked.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct web_request {
	char method[16];
	char target[4096];
	char head[65536]; /* all lines of it */
	char *body;	  /* NUL-terminated */
	size_t body_len;
	int number; /* of this connection's requests, from 1 */
};

struct web_server;
struct web_connection;

/* Answer by web_printf() and web_write(); false: close the connection. */
typedef bool web_handler(struct web_connection *connection, const struct web_request *request,
			 void *data);

/*
 * Listen on 127.0.0.1; `host` (such as "localhost") is what its certificate is for, NULL: no TLS.
 * The certificate is its own authority.
 */
struct web_server *web_start(const char *host, web_handler *handler, void *data);
void web_stop(struct web_server *server);

int web_port(const struct web_server *server);
/* The path of its certificate in PEM, in a directory for temporary files. */
const char *web_certificate(const struct web_server *server);
/* The path of certificate and key of a client, made by the same authority. */
const char *web_client(const struct web_server *server);

/* What was asked so far, "GET /path\n" a line with what the handler has web_note()d behind. */
void web_log(struct web_server *server, char *out, size_t size);
int web_connections(struct web_server *server);

void web_note(struct web_connection *connection, const char *text);
void web_printf(struct web_connection *connection, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void web_write(struct web_connection *connection, const void *data, size_t len);
/* Bytes that are no TLS, on a connection that speaks it. */
void web_garbage(struct web_connection *connection);
/* Be a tunnel to a port of this machine, until one side ends. */
void web_tunnel(struct web_connection *connection, int port);
/* Whether the client has shown a certificate. */
bool web_has_client(struct web_connection *connection);

/* The value of a field, "" where there is none. */
const char *web_field(const struct web_request *request, const char *name, char *out, size_t size);

#endif
