/* See kube.h. Requests: credentials, the answer's code and Status as an error. kube_objects.c reads the objects. */
#include "cluster/kube.h"

#include "base/http.h"
#include "cluster/kube_count.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_AGE_MS = 60000, TOKEN_BYTES = 1 << 16, TIMEOUT_MS = 5000, QUIET_MAX_S = 300 };

struct KubeClient {
	HttpClient *http;
	HttpResponse response;
	StrBuf url;
	Clock *clock;
	Telemetry *telemetry;     /* NULL: nobody counts */
	char *server;
	char *token_file;         /* NULL: the token stays as it is */
	StrBuf token;             /* empty: none */
	int64_t token_read_ms;    /* monotonic */
	int64_t quiet_until_ms;   /* monotonic: the API asked for silence until then */
};

static int read_token(KubeClient *client, Error *err)
{
	int code = mem_read_file(client->token_file, TOKEN_BYTES, &client->token, err);
	if (code)
		return code;
	while (client->token.len > 0 && isspace((unsigned char) client->token.data[client->token.len - 1]))
		client->token.data[--client->token.len] = '\0';
	client->token_read_ms = clock_mono_ms(client->clock);
	return client->token.len > 0 ? 0 : error_set(err, ERR_INVALID, "%s: the token file is empty", client->token_file);
}

int kube_client_new(const KubeConfig *config, Clock *clock, KubeClient **ret_client, Error *err)
{
	KubeClient *client = calloc(1, sizeof *client);
	if (!client)
		return error_set(err, ERR_NOMEM, "out of memory");
	const HttpTls tls = { config->ca_pem, config->cert_pem, config->key_pem, config->insecure };
	client->clock = clock;
	client->server = strdup(config->server);
	client->token_file = config->token_file ? strdup(config->token_file) : NULL;
	int code = http_client_new(&tls, &client->http, err);
	if (!code && (!client->server || (config->token_file && !client->token_file)))
		code = error_set(err, ERR_NOMEM, "out of memory");
	if (!code && client->token_file)
		code = read_token(client, err);
	else if (!code && config->token)
		strbuf_add(&client->token, config->token, strlen(config->token));
	if (!code && client->token.failed)
		code = error_set(err, ERR_NOMEM, "out of memory");
	if (code)
		kube_client_free(client);
	else
		*ret_client = client;
	return code;
}

void kube_client_count(KubeClient *client, Telemetry *telemetry)
{
	client->telemetry = telemetry;
}

void kube_client_free(KubeClient *client)
{
	if (!client)
		return;
	http_client_free(client->http);
	http_response_done(&client->response);
	strbuf_done(&client->url);
	if (client->token.data)
		explicit_bzero(client->token.data, client->token.size);
	strbuf_done(&client->token);
	free(client->token_file);
	free(client->server);
	free(client);
}

/* ---- answers ---- */

static const struct {
	int status, code;
} CODES[] = {
	{ 400, ERR_INVALID },  { 401, ERR_UNAUTHORIZED }, { 403, ERR_FORBIDDEN }, { 404, ERR_NOT_FOUND },
	{ 409, ERR_CONFLICT }, { 415, ERR_INVALID },      { 422, ERR_INVALID },
	{ 504, ERR_TIMEOUT },
};

static int code_of(int status)
{
	for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++)
		if (CODES[i].status == status)
			return CODES[i].code;
	return ERR_HTTP;
}

/* "deployment shop/cart: scale: 403 forbidden: User ..." out of a Status object, or with an excerpt of what came. */
static int answer_failed(KubeClient *client, const char *what, Error *err)
{
	const HttpResponse *response = &client->response;
	Json *status = NULL;
	char reason[48];
	int code = code_of(response->status);
	if (err)
		*err = (Error) { .http_status = response->status };
	(void) json_parse(response->body.data, response->body.len, &status, NULL);
	str_copy(reason, sizeof reason, json_string_or(status, "reason", err_text(code)));
	for (char *at = reason; *at; at++)
		*at = (char) tolower((unsigned char) *at);
	const char *message = json_string_or(status, "message", NULL);
	if (message)
		code = error_set(err, code, "%s: %d %s: %s", what, response->status, reason, message);
	else
		code = error_set(err, code, "%s: %d %s: \"%.60s\"", what, response->status, reason, response->body.data);
	json_free(status);
	return code;
}

static int send_once(KubeClient *client, const char *what, const HttpRequest *request, Error *err)
{
	Error cause = { 0 };
	int code = http_request(client->http, request, &client->response, &cause);
	kube_count(client->telemetry, request->method, request->url + strlen(client->server), code ? 0 : client->response.status);
	if (code)
		return error_set(err, code, "%s: %s", what, cause.text);
	const HttpResponse *response = &client->response;
	if ((response->status == 429 || response->status == 503) && response->retry_after_s > 0)
		client->quiet_until_ms = clock_mono_ms(client->clock) +
		                         (response->retry_after_s < QUIET_MAX_S ? response->retry_after_s : QUIET_MAX_S) * 1000;
	return 0;
}

static int prepare(KubeClient *client, const char *what, const char *path, Error *err)
{
	int64_t now_ms = clock_mono_ms(client->clock);
	if (now_ms < client->quiet_until_ms)
		return error_set(err, ERR_HTTP, "%s: not sent: the API asked for %lld s more of silence", what,
		                 (long long) ((client->quiet_until_ms - now_ms + 999) / 1000));
	strbuf_clear(&client->url);
	strbuf_addf(&client->url, "%s%s", client->server, path);
	if (client->url.failed)
		return error_set(err, ERR_NOMEM, "%s: out of memory", what);
	if (client->token_file && now_ms - client->token_read_ms >= TOKEN_AGE_MS)
		return read_token(client, err);
	return 0;
}

int kube_request(KubeClient *client, const char *what, const char *method, const char *path, const char *body,
                 Json **ret_json, Error *err)
{
	int code = prepare(client, what, path, err);
	if (code)
		return code;
	HttpRequest request = {
		.method = method,
		.url = client->url.data,
		.content_type = !strcmp(method, "PATCH") ? "application/merge-patch+json" : "application/json",
		.body = body,
		.body_len = body ? strlen(body) : 0,
		.bearer = client->token.len > 0 ? client->token.data : NULL,
		.timeout_ms = TIMEOUT_MS,
	};
	code = send_once(client, what, &request, err);
	if (!code && client->response.status == 401 && client->token_file) {
		code = read_token(client, err);
		request.bearer = client->token.data;
		if (!code)
			code = send_once(client, what, &request, err);
	}
	if (code)
		return code;
	if (client->response.status < 200 || client->response.status > 299)
		return answer_failed(client, what, err);
	if (!ret_json)
		return 0;
	Error cause = { 0 };
	code = json_parse(client->response.body.data, client->response.body.len, ret_json, &cause);
	return code ? error_set(err, code, "%s: %s", what, cause.text) : 0;
}
