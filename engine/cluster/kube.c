/* See kube.h. Requests: credentials, the answer's code and Status as an error. kube_objects.c reads the objects. */
#include "cluster/kube.h"

#include "base/http.h"
#include "cluster/kube_count.h"
#include "cluster/kube_tls.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOKEN_AGE_MS = 60000, TOKEN_BYTES = 1 << 16, TIMEOUT_MS = 5000, QUIET_MAX_S = 300 };
static const double PER_S = 5, BURST = 10;

struct KubeBudget { /* a bucket of tokens */
	pthread_mutex_t lock;
	Clock *clock;
	double per_s, burst, tokens;
	int64_t at_ms;
};

struct KubeClient {
	HttpClient *http;
	HttpResponse response;
	StrBuf url;
	Clock *clock;
	Telemetry *telemetry;     /* NULL: nobody counts */
	KubeBudget *own_budget, *budget; /* the one in use; NULL: none */
	struct KubeCache *cache;
	char *server;
	KubeTls tls;
	int64_t tls_read_ms;      /* monotonic: of its files */
	bool is_readonly;         /* the one gate of --readonly */
	char *token_file;         /* NULL: the token stays as it is */
	ExecPlugin *exec;         /* lent; NULL: none */
	StrBuf token;             /* empty: none */
	int64_t token_read_ms;    /* monotonic */
	int64_t quiet_until_ms;   /* monotonic: the API asked for silence until then */
};

/* ---- the budget ---- */

int kube_budget_new(double per_s, double burst, Clock *clock, KubeBudget **ret_budget, Error *err)
{
	KubeBudget *budget = calloc(1, sizeof *budget);
	if (!budget)
		return error_set(err, ERR_NOMEM, "out of memory");
	*budget = (KubeBudget) { .clock = clock, .per_s = per_s, .burst = burst, .tokens = burst, .at_ms = clock_mono_ms(clock) };
	(void) pthread_mutex_init(&budget->lock, NULL);
	*ret_budget = budget;
	return 0;
}

void kube_budget_free(KubeBudget *budget)
{
	if (!budget)
		return;
	(void) pthread_mutex_destroy(&budget->lock);
	free(budget);
}

/* Takes a token, at once or ahead of time. Answers how long to wait for it, in ms; -1: too long, and none was taken. */
static int64_t budget_take(KubeBudget *budget, int64_t most_ms)
{
	(void) pthread_mutex_lock(&budget->lock);
	int64_t now_ms = clock_mono_ms(budget->clock);
	double tokens = budget->tokens + (double) (now_ms - budget->at_ms) / 1000 * budget->per_s;
	budget->tokens = tokens < budget->burst ? tokens : budget->burst;
	budget->at_ms = now_ms;
	int64_t wait_ms = budget->tokens >= 1 ? 0 : (int64_t) ((1 - budget->tokens) / budget->per_s * 1000) + 1;
	if (wait_ms <= most_ms)
		budget->tokens -= 1;
	(void) pthread_mutex_unlock(&budget->lock);
	return wait_ms <= most_ms ? wait_ms : -1;
}

static int wait_turn(KubeClient *client, const char *what, Error *err)
{
	if (!client->budget)
		return 0;
	int64_t wait_ms = budget_take(client->budget, TIMEOUT_MS);
	if (wait_ms < 0)
		return error_set(err, ERR_BUSY, "%s: not sent: too many requests are waiting for their turn", what);
	if (wait_ms > 0)
		(void) usleep((useconds_t) clock_wait_ms(client->clock, clock_mono_ms(client->clock) + wait_ms) * 1000);
	return 0;
}

void kube_client_budget(KubeClient *client, KubeBudget *budget)
{
	client->budget = budget;
}

void kube_client_cache(KubeClient *client, struct KubeCache *cache)
{
	client->cache = cache;
}

struct KubeCache *kube_client_cached(const KubeClient *client)
{
	return client->cache;
}

/* ---- credentials ---- */

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

/* The plugin's token, and a new connection where it gives another certificate. */
static int ask_plugin(KubeClient *client, bool is_refused, Error *err)
{
	ExecCredential got = { 0 };
	int code = exec_plugin_get(client->exec, client->clock, is_refused, &got, err);
	if (code)
		return code;
	strbuf_clear(&client->token);
	if (got.token)
		strbuf_add(&client->token, got.token, strlen(got.token));
	if (got.cert_pem) {
		char *pem[KUBE_TLS_PARTS] = { [KUBE_CERT] = got.cert_pem, [KUBE_KEY] = got.key_pem };
		got.cert_pem = got.key_pem = NULL;
		code = kube_tls_take(&client->tls, pem, &client->http, err);
	}
	client->token_read_ms = clock_mono_ms(client->clock);
	exec_credential_done(&got);
	return code ? code : client->token.failed ? error_set(err, ERR_NOMEM, "out of memory") : 0;
}

/* From where it comes, if it comes from anywhere. */
static int renew(KubeClient *client, bool is_refused, Error *err)
{
	return client->exec ? ask_plugin(client, is_refused, err) : client->token_file ? read_token(client, err) : 0;
}

/* Authorities, certificate and key from their files, if they are of files. True: they are others now. */
static bool renew_tls(KubeClient *client)
{
	uint64_t before = client->tls.version;
	client->tls_read_ms = clock_mono_ms(client->clock);
	(void) kube_tls_read(&client->tls, &client->http, NULL);
	return client->tls.version != before;
}

static char *copy(const char *text, bool *failed)
{
	char *mine = text ? strdup(text) : NULL;
	*failed |= text && !mine;
	return mine;
}

int kube_client_new(const KubeConfig *config, Clock *clock, KubeClient **ret_client, Error *err)
{
	KubeClient *client = calloc(1, sizeof *client);
	if (!client)
		return error_set(err, ERR_NOMEM, "out of memory");
	bool failed = false;
	client->clock = clock;
	client->tls_read_ms = clock_mono_ms(clock);
	client->is_readonly = config->is_readonly;
	client->exec = config->exec;
	client->server = copy(config->server, &failed);
	client->token_file = copy(config->token_file, &failed);
	int code = kube_tls_init(&client->tls, config, &client->http, err);
	if (!code && failed)
		code = error_set(err, ERR_NOMEM, "out of memory");
	if (!code)
		code = kube_budget_new(PER_S, BURST, clock, &client->own_budget, err);
	client->budget = client->own_budget;
	if (!code && config->token && !client->token_file)
		strbuf_add(&client->token, config->token, strlen(config->token));
	if (!code)
		code = renew(client, false, err);
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
	strbuf_wipe(&client->token);
	kube_budget_free(client->own_budget);
	free(client->token_file);
	kube_tls_done(&client->tls);
	free(client->server);
	free(client);
}

const char *kube_client_server(const KubeClient *client)
{
	return client->server;
}

int kube_client_token(KubeClient *client, bool is_refused, const char **ret_token, Error *err)
{
	bool is_old = clock_mono_ms(client->clock) - client->token_read_ms >= TOKEN_AGE_MS;
	int code = is_old || is_refused ? renew(client, is_refused, err) : 0;
	*ret_token = client->token.len > 0 ? client->token.data : "";
	return code;
}

uint64_t kube_client_tls(KubeClient *client, bool has_failed, HttpTls *ret_tls)
{
	if (has_failed || clock_mono_ms(client->clock) - client->tls_read_ms >= TOKEN_AGE_MS)
		(void) renew_tls(client);
	*ret_tls = kube_tls_now(&client->tls);
	return client->tls.version;
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
	int code = 0;
	if (now_ms - client->tls_read_ms >= TOKEN_AGE_MS)
		(void) renew_tls(client);
	if (now_ms - client->token_read_ms >= TOKEN_AGE_MS)
		code = renew(client, false, err);
	return code ? code : wait_turn(client, what, err);
}

static int ask(KubeClient *client, const char *what, HttpRequest *request, const char *path, Json **ret_json, Error *err)
{
	if (client->is_readonly && strcmp(request->method, "GET"))
		return error_set(err, ERR_REFUSED, "%s: read-only: %s is not sent", what, request->method);
	int code = prepare(client, what, path, err);
	if (code)
		return code;
	request->url = client->url.data;
	request->body_len = request->body ? strlen(request->body) : 0;
	request->bearer = client->token.len > 0 ? client->token.data : NULL;
	request->timeout_ms = TIMEOUT_MS;
	code = send_once(client, what, request, err);
	if (code == ERR_UNREACHABLE && renew_tls(client)) /* an authority of before, perhaps */
		code = send_once(client, what, request, err);
	if (!code && client->response.status == 401 && (client->token_file || client->exec)) {
		code = renew(client, true, err);
		request->bearer = client->token.len > 0 ? client->token.data : NULL;
		if (!code)
			code = send_once(client, what, request, err);
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

int kube_request(KubeClient *client, const char *what, const char *method, const char *path, const char *body,
                 Json **ret_json, Error *err)
{
	HttpRequest request = {
		.method = method,
		.content_type = !strcmp(method, "PATCH") ? "application/merge-patch+json" : "application/json",
		.body = body,
	};
	return ask(client, what, &request, path, ret_json, err);
}

int kube_read_text(KubeClient *client, const char *what, const char *path, StrBuf *ret_text, Error *err)
{
	HttpRequest request = { .method = "GET" };
	int code = ask(client, what, &request, path, NULL, err);
	if (!code && client->response.body.len)
		strbuf_add(ret_text, client->response.body.data, client->response.body.len);
	return !code && ret_text->failed ? error_set(err, ERR_NOMEM, "%s: out of memory", what) : code;
}

int kube_apply(KubeClient *client, const char *what, const char *path, const char *body, Error *err)
{
	HttpRequest request = { .method = "PATCH", .content_type = "application/apply-patch+yaml", .body = body };
	StrBuf full = { 0 };
	strbuf_addf(&full, "%s?fieldManager=maestro&force=false", path);
	int code = full.failed ? error_set(err, ERR_NOMEM, "out of memory") : ask(client, what, &request, full.data, NULL, err);
	strbuf_done(&full);
	return code;
}
