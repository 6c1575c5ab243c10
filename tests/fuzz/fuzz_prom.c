/* A reply of Prometheus, over HTTP as it comes: rows of numbers, or an error. */
#include "fuzz.h"
#include "cluster/prom_query.h"
#include "../fakes/http_server.h"

#include <stdlib.h>
#include <string.h>

static void reply_with(void *context, const FakeRequest *request, FakeReply *reply)
{
	(void) request;
	reply->body = strdup(context);
	if (!reply->body)
		abort();
}

void fuzz_prom(const char *bytes, size_t len)
{
	Error err = { 0 };
	StrBuf text = { 0 };
	PromRows rows = { 0 };
	PromQuery query = { 0 };
	strbuf_add(&text, bytes, len);
	FakeServer *server = fake_server_start(reply_with, text.data);
	EndpointConfig config = { .url = fake_server_url(server) };
	if (endpoint_open(&config, &query.endpoint, &err))
		abort();
	int code = prom_query(&query, "up", 0, 20000, &rows, &err);
	fuzz_check(code, &err);
	for (size_t i = 0; !code && i < rows.n; i++)
		if (!memchr(rows.row[i].pod, '\0', sizeof rows.row[i].pod))
			abort();
	prom_query_done(&query);
	prom_rows_done(&rows);
	endpoint_close(query.endpoint);
	fake_server_stop(server);
	strbuf_done(&text);
}

void seed_prom(StrBuf *to)
{
	strbuf_addf(to, "%s", "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{\"pod\":\"web-1\",\"a\":\"b\"},"
	            "\"value\":[1732636800.123,\"0.5\"]},{\"metric\":{},\"value\":[1732636800,\"NaN\"]}]}}");
}
