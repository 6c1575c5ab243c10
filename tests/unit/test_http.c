/* The HTTP client against a server that misbehaves on purpose. */
#include "base/http.h"

#include "fakes/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct Script {
	FakeReply reply;
	char method[16], path[128], query[256], headers[2048], body[256];
} Script;

static void handle(void *context, const FakeRequest *request, FakeReply *reply)
{
	Script *script = context;
	str_copy(script->method, sizeof script->method, request->method);
	str_copy(script->path, sizeof script->path, request->path);
	str_copy(script->query, sizeof script->query, request->query);
	str_copy(script->headers, sizeof script->headers, request->headers);
	str_copy(script->body, sizeof script->body, request->body);
	const char *content_type = reply->content_type;
	*reply = script->reply;
	reply->status = reply->status ? reply->status : 200;
	reply->content_type = content_type;
	reply->body = script->reply.body ? fake_text("%s", script->reply.body) : NULL;
}

typedef struct Fixture {
	Script script;
	FakeServer *server;
	HttpClient *client;
	HttpResponse response;
	Error err;
	StrBuf url;
} Fixture;

static void begin(Fixture *f)
{
	*f = (Fixture) { 0 };
	f->server = fake_server_start(handle, &f->script);
	assert_int_equal(http_client_new(NULL, &f->client, &f->err), 0);
}

static void end(Fixture *f)
{
	http_response_done(&f->response);
	strbuf_done(&f->url);
	http_client_free(f->client);
	fake_server_stop(f->server);
}

static int get(Fixture *f, const char *path, HttpRequest request)
{
	strbuf_clear(&f->url);
	strbuf_addf(&f->url, "%s%s", fake_server_url(f->server), path);
	request.method = request.method ? request.method : "GET";
	request.url = f->url.data;
	f->err = (Error) { 0 };
	return http_request(f->client, &request, &f->response, &f->err);
}

static void http_gives_any_status_and_body(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.script.reply = (FakeReply) { .status = 418, .body = (char[]) { "short and stout" } };
	assert_int_equal(get(&f, "/pot", (HttpRequest) { 0 }), 0);
	assert_int_equal(f.response.status, 418);
	assert_string_equal(f.response.body.data, "short and stout");
	assert_int_equal(f.response.retry_after_s, -1);
	assert_non_null(strstr(f.script.headers, "User-Agent: maestro/"));
	assert_non_null(strstr(f.script.headers, "(linux/amd64) controller"));
	end(&f);
}

static void http_sends_method_body_type_and_token(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	HttpRequest put = { .method = "PUT", .content_type = "application/json", .body = "{\"a\":1}", .body_len = 7, .bearer = "tok" };
	assert_int_equal(get(&f, "/x", put), 0);
	assert_string_equal(f.script.method, "PUT");
	assert_string_equal(f.script.body, "{\"a\":1}");
	assert_non_null(strstr(f.script.headers, "Content-Type: application/json"));
	assert_non_null(strstr(f.script.headers, "Authorization: Bearer tok"));
	assert_null(strstr(f.script.headers, "Expect"));
	/* nothing of it is left in the next request */
	assert_int_equal(get(&f, "/y", (HttpRequest) { 0 }), 0);
	assert_string_equal(f.script.method, "GET");
	assert_string_equal(f.script.body, "");
	assert_null(strstr(f.script.headers, "Authorization"));
	end(&f);
}

static void http_keeps_one_connection(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	for (int i = 0; i < 20; i++)
		assert_int_equal(get(&f, "/", (HttpRequest) { 0 }), 0);
	assert_int_equal(fake_server_requests(f.server), 20);
	assert_int_equal(fake_server_connections(f.server), 1);
	end(&f);
}

static void http_times_out_by_its_deadline(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.script.reply.delay_ms = 300;
	assert_int_equal(get(&f, "/slow", (HttpRequest) { .timeout_ms = 30 }), ERR_TIMEOUT);
	assert_non_null(strstr(f.err.text, "/slow"));
	end(&f);
}

static void http_stops_a_body_past_its_maximum(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.script.reply = (FakeReply) { .fault = FAKE_ENDLESS, .body = (char[]) { "x" } };
	assert_int_equal(get(&f, "/endless", (HttpRequest) { .max_body = 100000 }), ERR_INVALID);
	assert_non_null(strstr(f.err.text, "larger than 100000 bytes"));
	assert_true(f.response.body.size <= 400000);
	f.script.reply = (FakeReply) { .body = (char[]) { "0123456789" } };
	assert_int_equal(get(&f, "/exact", (HttpRequest) { .max_body = 10 }), 0);
	assert_int_equal(get(&f, "/one-more", (HttpRequest) { .max_body = 9 }), ERR_INVALID);
	end(&f);
}

static void http_tells_half_a_body_and_a_reset_apart(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.script.reply = (FakeReply) { .fault = FAKE_TRUNCATE, .body = (char[]) { "first half second half" } };
	assert_int_equal(get(&f, "/", (HttpRequest) { 0 }), ERR_PARSE);
	assert_string_equal(f.response.body.data, "first half ");
	f.script.reply = (FakeReply) { .fault = FAKE_RESET };
	assert_int_equal(get(&f, "/", (HttpRequest) { 0 }), ERR_UNREACHABLE);
	end(&f);
}

static void http_names_host_and_cause_but_no_secret(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	HttpRequest request = { .method = "GET", .url = "http://user:hunter2@127.0.0.1:1/api?key=hunter3", .bearer = "hunter4" };
	assert_int_equal(http_request(f.client, &request, &f.response, &f.err), ERR_UNREACHABLE);
	assert_non_null(strstr(f.err.text, "http://127.0.0.1:1/api"));
	assert_null(strstr(f.err.text, "hunter"));
	request.url = "ftp://user:hunter2@127.0.0.1/";
	assert_int_equal(http_request(f.client, &request, &f.response, &f.err), ERR_INVALID);
	assert_null(strstr(f.err.text, "hunter"));
	request.url = "file:///etc/passwd";
	assert_int_equal(http_request(f.client, &request, &f.response, &f.err), ERR_INVALID);
	request.url = fake_server_url(f.server);
	request.bearer = "hunter4\r\nX-Evil: 1";
	assert_int_equal(http_request(f.client, &request, &f.response, &f.err), ERR_INVALID);
	assert_null(strstr(f.err.text, "hunter"));
	end(&f);
}

static void http_strikes_out_credentials_that_are_said_back(void **state)
{
	(void) state;
	static const char *const header[] = { "X-Scope-OrgID: team-of-ours", "authorization: Basic aHVudGVyMjpodW50ZXIy", "X-Api-Key: hunter5-hunter5", NULL };
	Fixture f;
	begin(&f);
	f.script.reply = (FakeReply) { .status = 401, .body = (char[]) { "you sent: Bearer hunter4-hunter4, hunter4-hunter4; "
	                               "Basic aHVudGVyMjpodW50ZXIy; team-of-ours; hunter5-hunter5" } };
	assert_int_equal(get(&f, "/", (HttpRequest) { .bearer = "hunter4-hunter4", .header = header }), 0);
	assert_string_equal(f.response.body.data, "you sent: Bearer ***************, ***************; Basic ********************; team-of-ours; ***************");
	f.script.reply = (FakeReply) { .fault = FAKE_TRUNCATE, .body = (char[]) { "hunter4-hunter4!" } };
	assert_int_equal(get(&f, "/", (HttpRequest) { .bearer = "hunter4-hunter4" }), ERR_PARSE);
	assert_string_equal(f.response.body.data, "********");
	end(&f);
}

static void collect(void *arg, size_t slot, int status, const char *data, size_t len)
{
	(void) slot, (void) status;
	strbuf_add(arg, data, len);
}

/* Plays a stream until it ends or has brought a megabyte. */
static void play_stream(HttpStreams *streams, const char *url, StrBuf *got)
{
	HttpStreamEnd done;
	Error err = { 0 };
	size_t n = 0;
	strbuf_clear(got);
	assert_int_equal(http_stream_open(streams, 0, url, "hunter4-hunter4", 1000, &err), 0);
	while (!n && got->len < 1000000)
		assert_int_equal(http_streams_poll(streams, 1000, &done, 1, &n), 0);
	http_stream_close(streams, 0);
}

/* The parts of the endless answer end anywhere, also within the token. */
static void streams_strike_out_a_token_that_is_said_back(void **state)
{
	(void) state;
	static const char shown[] = "{\"a\":1} hunter4 ***************\n";
	Fixture f;
	begin(&f);
	HttpStreams *streams;
	StrBuf got = { 0 };
	f.script.reply = (FakeReply) { .fault = FAKE_ENDLESS, .body = (char[]) { "{\"a\":1} hunter4 hunter4-hunter4\n" } };
	assert_int_equal(http_streams_new(NULL, 1, collect, &got, &streams, &f.err), 0);
	play_stream(streams, fake_server_url(f.server), &got);
	for (size_t i = 0; i < got.len; i++)
		assert_int_equal(got.data[i], shown[i % (sizeof shown - 1)]);
	f.script.reply = (FakeReply) { .fault = FAKE_TRUNCATE, .body = (char[]) { "hunter4-hunter4!" } };
	play_stream(streams, fake_server_url(f.server), &got);
	assert_string_equal(got.data, "********");
	f.script.reply = (FakeReply) { .status = 401, .body = (char[]) { "no hunter" } }; /* a beginning too short to be one */
	play_stream(streams, fake_server_url(f.server), &got);
	assert_string_equal(got.data, "no hunter");
	http_streams_free(streams);
	strbuf_done(&got);
	end(&f);
}

static void http_does_not_follow_redirects(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.script.reply = (FakeReply) { .status = 302, .headers = "Location: /elsewhere\r\n" };
	assert_int_equal(get(&f, "/here", (HttpRequest) { 0 }), 0);
	assert_int_equal(f.response.status, 302);
	assert_int_equal(fake_server_requests(f.server), 1);
	end(&f);
}

static void http_reads_retry_after(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.script.reply = (FakeReply) { .status = 429, .headers = "Retry-After: 7\r\n" };
	assert_int_equal(get(&f, "/", (HttpRequest) { 0 }), 0);
	assert_int_equal(f.response.retry_after_s, 7);
	end(&f);
}

static void http_passes_a_proxy_by_for_this_machine(void **state)
{
	(void) state;
	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	Fixture f;
	begin(&f);
	assert_int_equal(get(&f, "/", (HttpRequest) { 0 }), 0);
	/* another host goes through it, and the proxy of this test refuses */
	HttpRequest away = { .method = "GET", .url = "http://192.0.2.1/", .timeout_ms = 500 };
	assert_int_equal(http_request(f.client, &away, &f.response, &f.err), ERR_UNREACHABLE);
	assert_non_null(strstr(f.err.text, "port 1"));
	end(&f);
	assert_int_equal(unsetenv("http_proxy"), 0);
}

static void http_escape_leaves_only_unreserved_characters(void **state)
{
	(void) state;
	StrBuf text = { 0 };
	http_escape(&text, "sum(a{b=\"c d\"})~x.Y_9-é");
	assert_string_equal(text.data, "sum%28a%7Bb%3D%22c%20d%22%7D%29~x.Y_9-%C3%A9");
	strbuf_done(&text);
}

static void http_pool_finishes_all_and_tells_failures(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	HttpPool *pool;
	HttpDone done[8];
	bool seen[9] = { false };
	size_t n, total = 0;
	assert_int_equal(http_pool_new(9, true, 2000, &pool, &f.err), 0);
	for (int64_t tag = 0; tag < 8; tag++)
		assert_int_equal(http_pool_start(pool, fake_server_url(f.server), tag, &f.err), 0);
	assert_int_equal(http_pool_start(pool, "http://127.0.0.1:1/", 8, &f.err), 0);
	assert_int_equal(http_pool_start(pool, fake_server_url(f.server), 9, &f.err), ERR_BUSY);
	assert_int_equal(http_pool_under_way(pool), 9);
	while (total < 9) {
		assert_int_equal(http_pool_poll(pool, 1000, done, 8, &n), 0);
		for (size_t i = 0; i < n; i++) {
			assert_false(seen[done[i].tag]);
			seen[done[i].tag] = true;
			assert_int_equal(done[i].status, done[i].tag == 8 ? 0 : 200);
			assert_int_equal(done[i].code, done[i].tag == 8 ? ERR_UNREACHABLE : 0);
		}
		total += n;
	}
	assert_int_equal(http_pool_under_way(pool), 0);
	assert_int_equal(fake_server_requests(f.server), 8);
	http_pool_free(pool);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_gives_any_status_and_body),
		cmocka_unit_test(http_sends_method_body_type_and_token),
		cmocka_unit_test(http_keeps_one_connection),
		cmocka_unit_test(http_times_out_by_its_deadline),
		cmocka_unit_test(http_stops_a_body_past_its_maximum),
		cmocka_unit_test(http_tells_half_a_body_and_a_reset_apart),
		cmocka_unit_test(http_names_host_and_cause_but_no_secret),
		cmocka_unit_test(http_strikes_out_credentials_that_are_said_back),
		cmocka_unit_test(streams_strike_out_a_token_that_is_said_back),
		cmocka_unit_test(http_does_not_follow_redirects),
		cmocka_unit_test(http_reads_retry_after),
		cmocka_unit_test(http_passes_a_proxy_by_for_this_machine),
		cmocka_unit_test(http_escape_leaves_only_unreserved_characters),
		cmocka_unit_test(http_pool_finishes_all_and_tells_failures),
	};
	assert_int_equal(http_global_init(), 0);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	http_global_done();
	return failed;
}
