/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/web_server.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CONNECTIONS 64

struct web_connection {
	struct web_server *server;
	int fd;
	SSL *ssl; /* NULL: none */
	pthread_t thread;
};

struct web_server {
	int fd, port;
	web_handler *handler;
	void *data;
	SSL_CTX *tls;
	pthread_t thread;
	pthread_mutex_t lock;
	struct web_connection connections[MAX_CONNECTIONS];
	int count;
	bool stopped;
	char directory[64], certificate[96], client[96];
	char log[65536];
};

/* --- TLS --- */

static X509 *make_certificate(EVP_PKEY *key, const char *name, const char *san, X509 *issuer,
			      EVP_PKEY *issuer_key)
{
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), issuer ? 2 : 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
				   0);
	X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : subject);
	X509V3_set_ctx(&context, issuer ? issuer : cert, cert, NULL, NULL, 0);
	if (san) {
		extension = X509V3_EXT_conf_nid(NULL, &context, NID_subject_alt_name, san);
		X509_add_ext(cert, extension, -1);
		X509_EXTENSION_free(extension);
	}
	if (!issuer) {
		extension = X509V3_EXT_conf_nid(NULL, &context, NID_basic_constraints,
						"critical,CA:TRUE");
		X509_add_ext(cert, extension, -1);
		X509_EXTENSION_free(extension);
	}
	if (X509_sign(cert, issuer_key ? issuer_key : key, EVP_sha256()) == 0)
		errx(1, "cannot sign a certificate");
	return cert;
}

static void write_pem(const char *path, X509 *cert, EVP_PKEY *key)
{
	FILE *file = fopen(path, "w");

	if (!file || !PEM_write_X509(file, cert) ||
	    (key && !PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL)) ||
	    fclose(file) != 0)
		err(1, "%s", path);
}

static void start_tls(struct web_server *server, const char *host)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *client_key = EVP_EC_gen("P-256");
	char name[128], san[160];
	X509 *cert, *client;

	/* Names of their own: certificates of one name are taken for each other. */
	snprintf(name, sizeof(name), "%s authority %d", host, server->port);
	snprintf(san, sizeof(san), "%s:%s", host[0] >= '0' && host[0] <= '9' ? "IP" : "DNS", host);
	cert = make_certificate(key, name, san, NULL, NULL);
	client = make_certificate(client_key, "client", NULL, cert, key);
	snprintf(server->certificate, sizeof(server->certificate), "%s/ca.pem", server->directory);
	snprintf(server->client, sizeof(server->client), "%s/client.pem", server->directory);
	write_pem(server->certificate, cert, NULL);
	write_pem(server->client, client, client_key);
	server->tls = SSL_CTX_new(TLS_server_method());
	if (!server->tls || SSL_CTX_use_certificate(server->tls, cert) != 1 ||
	    SSL_CTX_use_PrivateKey(server->tls, key) != 1 ||
	    SSL_CTX_load_verify_file(server->tls, server->certificate) != 1)
		errx(1, "cannot set up TLS");
	SSL_CTX_set_verify(server->tls, SSL_VERIFY_PEER, NULL);
	X509_free(cert);
	X509_free(client);
	EVP_PKEY_free(key);
	EVP_PKEY_free(client_key);
}

/* --- one connection --- */

static int get(struct web_connection *connection, char *byte)
{
	if (connection->ssl)
		return SSL_read(connection->ssl, byte, 1) == 1;
	return read(connection->fd, byte, 1) == 1;
}

void web_write(struct web_connection *connection, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = connection->ssl ? SSL_write(connection->ssl, at, (int)len) :
					      send(connection->fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		at += n;
		len -= (size_t)n;
	}
}

void web_printf(struct web_connection *connection, const char *format, ...)
{
	char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vasprintf(&text, format, ap);
	va_end(ap);
	if (len >= 0)
		web_write(connection, text, (size_t)len);
	free(text);
}

bool web_has_client(struct web_connection *connection)
{
	return connection->ssl && SSL_get0_peer_certificate(connection->ssl);
}

void web_garbage(struct web_connection *connection)
{
	send(connection->fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, MSG_NOSIGNAL);
}

/* What one side has to say is passed to the other. */
static bool pass(int from, int to)
{
	char bytes[4096];
	ssize_t n = read(from, bytes, sizeof(bytes));

	return n > 0 && send(to, bytes, (size_t)n, MSG_NOSIGNAL) == n;
}

void web_tunnel(struct web_connection *connection, int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd sides[] = { { connection->fd, POLLIN, 0 }, { fd, POLLIN, 0 } };
	bool open;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	open = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	while (open && poll(sides, 2, -1) > 0)
		open = (!sides[0].revents || pass(connection->fd, fd)) &&
		       (!sides[1].revents || pass(fd, connection->fd));
	close(fd);
}

static void note(struct web_server *server, const char *text)
{
	size_t len;

	pthread_mutex_lock(&server->lock);
	len = strlen(server->log);
	snprintf(server->log + len, sizeof(server->log) - len, "%s", text);
	pthread_mutex_unlock(&server->lock);
}

void web_note(struct web_connection *connection, const char *text)
{
	note(connection->server, text);
}

const char *web_field(const struct web_request *request, const char *name, char *out, size_t size)
{
	const char *line = request->head;
	size_t len = strlen(name);

	out[0] = '\0';
	while ((line = strchr(line, '\n'))) {
		line++;
		if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
			line += len + 1;
			line += strspn(line, " ");
			snprintf(out, size, "%.*s", (int)strcspn(line, "\r\n"), line);
			break;
		}
	}
	return out;
}

static bool read_head(struct web_connection *connection, struct web_request *request)
{
	size_t len = 0;

	while (len < sizeof(request->head) - 1 && get(connection, request->head + len)) {
		request->head[++len] = '\0';
		/* As servers do when a line is no HTTP, such as the begin of TLS. */
		if (request->head[len - 1] == '\n' && request->head[0] < 'A') {
			web_printf(connection, "HTTP/1.1 400 Bad Request\r\n\r\n");
			return false;
		}
		if (len >= 4 && memcmp(request->head + len - 4, "\r\n\r\n", 4) == 0)
			return sscanf(request->head, "%15s %4095s", request->method,
				      request->target) == 2;
	}
	return false;
}

static bool add_body(struct web_connection *connection, struct web_request *request, size_t more)
{
	request->body = realloc(request->body, request->body_len + more + 1);
	if (!request->body)
		return false;
	while (more > 0 && get(connection, request->body + request->body_len))
		request->body_len++, more--;
	request->body[request->body_len] = '\0';
	return more == 0;
}

static bool read_line(struct web_connection *connection, char *out, size_t size)
{
	size_t len = 0;

	while (len < size - 1 && get(connection, out + len))
		if (out[len++] == '\n') {
			out[len] = '\0';
			return true;
		}
	return false;
}

static bool read_body(struct web_connection *connection, struct web_request *request)
{
	char value[64], line[64];
	size_t size;

	if (!add_body(connection, request, 0))
		return false;
	if (strcmp(web_field(request, "Transfer-Encoding", value, sizeof(value)), "chunked") != 0)
		return add_body(connection, request,
				strtoul(web_field(request, "Content-Length", value, sizeof(value)),
					NULL, 10));
	do {
		if (!read_line(connection, line, sizeof(line)))
			return false;
		size = strtoul(line, NULL, 16);
		if (!add_body(connection, request, size) ||
		    !read_line(connection, line, sizeof(line)))
			return false;
	} while (size > 0);
	return true;
}

static bool serve(struct web_connection *connection, int number)
{
	struct web_request *request = calloc(1, sizeof(*request));
	struct web_server *server = connection->server;
	bool more = request && read_head(connection, request);

	if (more) {
		request->number = number;
		/* A line ends with the next: the client may look as soon as it is answered. */
		note(server, server->log[0] ? "\n" : "");
		note(server, request->method);
		note(server, " ");
		note(server, request->target);
		more = read_body(connection, request);
		if (more)
			more = server->handler(connection, request, server->data);
	}
	if (request)
		free(request->body);
	free(request);
	return more;
}

static void *run_connection(void *data)
{
	struct web_connection *connection = data;
	int number = 1;

	if (connection->server->tls) {
		connection->ssl = SSL_new(connection->server->tls);
		SSL_set_fd(connection->ssl, connection->fd);
		if (SSL_accept(connection->ssl) != 1) {
			shutdown(connection->fd, SHUT_RDWR);
			return NULL;
		}
	}
	while (serve(connection, number))
		number++;
	shutdown(connection->fd, SHUT_RDWR);
	return NULL;
}

/* --- the server --- */

static void *run(void *data)
{
	struct web_server *server = data;

	for (;;) {
		int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC), one = 1;
		struct web_connection *connection;

		if (fd < 0)
			return NULL;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		pthread_mutex_lock(&server->lock);
		if (server->stopped || server->count == MAX_CONNECTIONS) {
			close(fd);
		} else {
			connection = &server->connections[server->count++];
			*connection = (struct web_connection){ .server = server, .fd = fd };
			if (pthread_create(&connection->thread, NULL, run_connection, connection))
				errx(1, "cannot start a thread");
		}
		pthread_mutex_unlock(&server->lock);
	}
}

struct web_server *web_start(const char *host, web_handler *handler, void *data)
{
	struct web_server *server = calloc(1, sizeof(*server));
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);

	if (!server)
		err(1, "web_start");
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->handler = handler;
	server->data = data;
	pthread_mutex_init(&server->lock, NULL);
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server->fd < 0 || bind(server->fd, (struct sockaddr *)&address, len) < 0 ||
	    listen(server->fd, 64) < 0 ||
	    getsockname(server->fd, (struct sockaddr *)&address, &len) < 0)
		err(1, "cannot listen");
	server->port = ntohs(address.sin_port);
	snprintf(server->directory, sizeof(server->directory), "/tmp/cman-web.XXXXXX");
	if (!mkdtemp(server->directory))
		err(1, "%s", server->directory);
	if (host)
		start_tls(server, host);
	if (pthread_create(&server->thread, NULL, run, server))
		errx(1, "cannot start a thread");
	return server;
}

void web_stop(struct web_server *server)
{
	pthread_mutex_lock(&server->lock);
	server->stopped = true;
	for (int i = 0; i < server->count; i++)
		shutdown(server->connections[i].fd, SHUT_RDWR);
	pthread_mutex_unlock(&server->lock);
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	for (int i = 0; i < server->count; i++) {
		pthread_join(server->connections[i].thread, NULL);
		SSL_free(server->connections[i].ssl);
		close(server->connections[i].fd);
	}
	close(server->fd);
	SSL_CTX_free(server->tls);
	if (server->certificate[0]) {
		unlink(server->certificate);
		unlink(server->client);
	}
	rmdir(server->directory);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

int web_port(const struct web_server *server)
{
	return server->port;
}

const char *web_certificate(const struct web_server *server)
{
	return server->certificate;
}

const char *web_client(const struct web_server *server)
{
	return server->client;
}

void web_log(struct web_server *server, char *out, size_t size)
{
	pthread_mutex_lock(&server->lock);
	snprintf(out, size, "%s%s", server->log, server->log[0] ? "\n" : "");
	pthread_mutex_unlock(&server->lock);
}

int web_connections(struct web_server *server)
{
	int count;

	pthread_mutex_lock(&server->lock);
	count = server->count;
	pthread_mutex_unlock(&server->lock);
	return count;
}
