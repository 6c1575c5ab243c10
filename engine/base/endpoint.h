/*
 * A service that we ask over HTTP: its URL and what it wants of us (bearer token, user and password, client certificate, extra
 * headers). Secrets and certificates come from files, which are read again every minute and upon 401, or when it does not connect;
 * one that is bad leaves what was. No secret is in an error, a log or an argument list.
 */
#ifndef MAESTRO_BASE_ENDPOINT_H
#define MAESTRO_BASE_ENDPOINT_H

#include "base/http.h"

enum { ENDPOINT_HEADERS_MAX = 16 };

typedef struct EndpointConfig { /* NULL: not given; all lent for the endpoint's life */
	const char *url;                    /* "http://host:9090/prefix"; slashes at its end are dropped */
	const char *bearer_file;            /* Authorization: Bearer */
	const char *own_token_file;         /* X-Maestro-Token: of a server of ours behind a proxy that takes Authorization for itself */
	const char *user, *password_file;   /* basic authentication */
	const char *ca_file;                /* instead of the system's authorities */
	const char *cert_file, *key_file;   /* client certificate */
	const char *header[ENDPOINT_HEADERS_MAX]; /* "X-Scope-OrgID: team" */
	size_t n_headers;
} EndpointConfig;

typedef struct Endpoint Endpoint; /* one connection; one thread at a time */

/* Does not connect. ERR_IO (a file, named), ERR_INVALID (URL, header, half a pair), ERR_NOMEM. */
int endpoint_open(const EndpointConfig *config, Endpoint **ret_endpoint, Error *err);
void endpoint_close(Endpoint *endpoint); /* accepts NULL */
const char *endpoint_url(const Endpoint *endpoint);

/* As http_request, of the endpoint's URL with path behind it ("/api/v1/query?..."). request's url and headers are set here. */
int endpoint_request(Endpoint *endpoint, const char *path, HttpRequest request, HttpResponse *response, Error *err);

#endif
