/* See endpoint.h. */
#include "base/endpoint.h"

#include "base/base64.h"
#include "base/sha256.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { FILE_MAX = 1 << 20, SECRET_MAX = 64 << 10, READ_AGAIN_S = 60 };

struct Endpoint {
	EndpointConfig config;
	HttpClient *http;
	char *base;                 /* the URL without slashes at its end */
	StrBuf url, authorization, own_token; /* a header's line; empty: none */
	const char *header[ENDPOINT_HEADERS_MAX + 3]; /* ends with NULL */
	time_t read_s;              /* monotonic: of the secrets */
	char tls[SHA256_HEX];       /* hash of the files that http was made from */
};

static time_t now_s(void)
{
	struct timespec t;
	(void) clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static int read_secret(const char *path, StrBuf *ret, Error *err)
{
	int code = mem_read_file(path, SECRET_MAX, ret, err);
	while (!code && ret->len > 0 && isspace((unsigned char) ret->data[ret->len - 1]))
		ret->data[--ret->len] = '\0';
	return code || ret->len > 0 ? code : error_set(err, ERR_INVALID, "%s: empty", path);
}

/* line becomes the header's; it is taken. */
static void set_line(StrBuf *header, StrBuf *line)
{
	strbuf_wipe(header);
	*header = *line;
	*line = (StrBuf) { 0 };
}

static void list_headers(Endpoint *endpoint)
{
	size_t n = endpoint->config.n_headers;
	if (endpoint->authorization.len > 0)
		endpoint->header[n++] = endpoint->authorization.data;
	if (endpoint->own_token.len > 0)
		endpoint->header[n++] = endpoint->own_token.data;
	endpoint->header[n] = NULL;
}

/* On failure the headers of before stay. */
static int read_secrets(Endpoint *endpoint, Error *err)
{
	const EndpointConfig *config = &endpoint->config;
	StrBuf secret = { 0 }, pair = { 0 }, line = { 0 }, own = { 0 };
	int code = 0;
	if (config->bearer_file) {
		code = read_secret(config->bearer_file, &secret, err);
		if (!code)
			strbuf_addf(&line, "Authorization: Bearer %s", secret.data);
	} else if (config->user) {
		code = read_secret(config->password_file, &secret, err);
		if (!code)
			strbuf_addf(&pair, "%s:%s", config->user, secret.data);
		if (!code) {
			strbuf_addf(&line, "Authorization: Basic ");
			base64_encode(pair.data, pair.len, &line);
		}
	}
	strbuf_wipe(&secret);
	if (!code && config->own_token_file) {
		code = read_secret(config->own_token_file, &secret, err);
		if (!code)
			strbuf_addf(&own, "X-Maestro-Token: %s", secret.data);
	}
	endpoint->read_s = now_s();
	if (!code && (pair.failed || line.failed || own.failed))
		code = error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	if (!code) {
		set_line(&endpoint->authorization, &line);
		set_line(&endpoint->own_token, &own);
	}
	list_headers(endpoint);
	strbuf_wipe(&secret);
	strbuf_wipe(&pair);
	strbuf_wipe(&line);
	strbuf_wipe(&own);
	return code;
}

static int check(const EndpointConfig *config, Error *err)
{
	if (!config->url || (strncasecmp(config->url, "http://", 7) && strncasecmp(config->url, "https://", 8)))
		return error_set(err, ERR_INVALID, "%s: not an http:// or https:// URL", config->url && !strchr(config->url, '@') ? config->url : "the URL");
	if (!config->user != !config->password_file)
		return error_set(err, ERR_INVALID, "a user needs a password file, and a password file a user");
	if (!config->cert_file != !config->key_file)
		return error_set(err, ERR_INVALID, "a client certificate needs its key, and a key its certificate");
	if (config->bearer_file && config->user)
		return error_set(err, ERR_INVALID, "a bearer token or a user, not both");
	for (size_t i = 0; i < config->n_headers; i++)
		if (!strchr(config->header[i], ':') || config->header[i][0] == ':')
			return error_set(err, ERR_INVALID, "a header is written \"Name: value\"");
	return 0;
}

static void hash_tls(const StrBuf part[3], char hash[SHA256_HEX])
{
	char parts[3 * SHA256_HEX];
	for (size_t i = 0; i < 3; i++)
		sha256_hex(part[i].data, part[i].len, parts + i * SHA256_HEX);
	sha256_hex(parts, sizeof parts, hash);
}

/* From the files as they are now; the one before stays where they are the same, or bad. */
static int make_client(Endpoint *endpoint, Error *err)
{
	const EndpointConfig *config = &endpoint->config;
	const char *const path[3] = { config->ca_file, config->cert_file, config->key_file };
	StrBuf part[3] = { { 0 } };
	char hash[SHA256_HEX] = "";
	HttpClient *http = NULL;
	int code = 0;
	for (size_t i = 0; i < 3 && !code; i++)
		code = path[i] ? mem_read_file(path[i], FILE_MAX, &part[i], err) : 0;
	hash_tls(part, hash);
	if (!code && (!endpoint->http || strcmp(hash, endpoint->tls) != 0)) {
		const HttpTls tls = { part[0].data, part[1].data, part[2].data, false };
		code = http_client_new(&tls, &http, err);
	}
	if (http) {
		http_client_free(endpoint->http);
		endpoint->http = http;
		memcpy(endpoint->tls, hash, sizeof hash);
	}
	for (size_t i = 0; i < 3; i++)
		strbuf_wipe(&part[i]);
	return code;
}

int endpoint_open(const EndpointConfig *config, Endpoint **ret_endpoint, Error *err)
{
	int code = check(config, err);
	if (code)
		return code;
	Endpoint *endpoint = calloc(1, sizeof *endpoint);
	if (!endpoint || !(endpoint->base = strdup(config->url))) {
		free(endpoint);
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	for (size_t len = strlen(endpoint->base); len > 0 && endpoint->base[len - 1] == '/'; len--)
		endpoint->base[len - 1] = '\0';
	endpoint->config = *config;
	memcpy(endpoint->header, config->header, config->n_headers * sizeof *config->header);
	code = make_client(endpoint, err);
	if (!code)
		code = read_secrets(endpoint, err);
	if (code)
		endpoint_close(endpoint);
	else
		*ret_endpoint = endpoint;
	return code;
}

void endpoint_close(Endpoint *endpoint)
{
	if (!endpoint)
		return;
	http_client_free(endpoint->http);
	strbuf_done(&endpoint->url);
	strbuf_wipe(&endpoint->authorization);
	strbuf_wipe(&endpoint->own_token);
	free(endpoint->base);
	free(endpoint);
}

const char *endpoint_url(const Endpoint *endpoint)
{
	return endpoint->base;
}

/* Whether the TLS files are others than those of the connection, which now is one with them. */
static bool is_renewed(Endpoint *endpoint)
{
	char before[SHA256_HEX];
	memcpy(before, endpoint->tls, sizeof before);
	return !make_client(endpoint, NULL) && strcmp(before, endpoint->tls) != 0;
}

int endpoint_request(Endpoint *endpoint, const char *path, HttpRequest request, HttpResponse *response, Error *err)
{
	if (now_s() - endpoint->read_s >= READ_AGAIN_S) {
		(void) read_secrets(endpoint, NULL);
		(void) make_client(endpoint, NULL);
	}
	strbuf_clear(&endpoint->url);
	strbuf_addf(&endpoint->url, "%s%s", endpoint->base, path);
	if (endpoint->url.failed)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	request.url = endpoint->url.data;
	request.header = endpoint->header;
	int code = http_request(endpoint->http, &request, response, err);
	if (code == ERR_UNREACHABLE && is_renewed(endpoint)) /* a certificate of before, perhaps */
		code = http_request(endpoint->http, &request, response, err);
	bool has_secret = endpoint->authorization.len > 0 || endpoint->own_token.len > 0;
	if (!code && response->status == 401 && has_secret && !read_secrets(endpoint, NULL))
		code = http_request(endpoint->http, &request, response, err);
	return code;
}
