/* `maestro load`: options, SIGINT and the report of cluster/load.h. */
#include "cmd/cmd.h"
#include "cmd/opts.h"

#include "base/json.h"
#include "cluster/load.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct LoadOptions {
	OptList url;
	double rps, duration_s, timeout_s;
	int32_t connections;
	int64_t seed;
	bool keep_alive, json;
} LoadOptions;

#define OPTION(name, kind, field, lo, hi, arg, help) \
	{ name, 0, kind, offsetof(LoadOptions, field), lo, hi, arg, help, false }
static const Opt OPTIONS[] = {
	OPTION("url", OPT_LIST, url, 0, 0, "URL", "where to send GETs; given several times: in turn"),
	OPTION("rps", OPT_DOUBLE, rps, .001, 1e5, "R", "mean arrivals a second, Poisson (10)"),
	OPTION("duration", OPT_DURATION, duration_s, .001, 1e7, "TIME", "how long (10s)"),
	OPTION("timeout", OPT_DURATION, timeout_s, .001, 3600, "TIME", "of one request (10s)"),
	OPTION("connections", OPT_INT, connections, 1, 10000, "N", "requests under way at once (500)"),
	OPTION("keep-alive", OPT_FLAG, keep_alive, 0, 0, NULL, "reuse connections instead of one a request"),
	OPTION("seed", OPT_INT64, seed, 0, 0, "N", "of the arrivals (by time)"),
	OPTION("json", OPT_FLAG, json, 0, 0, NULL, "the report as one JSON object"),
	{ .name = NULL },
};

static const OptCommand COMMAND = {
	.usage = "load --url URL --rps R --duration TIME [options]",
	.summary = "Open-loop load: requests are sent at their times whatever the answers do, and latency counts from then.",
	.opt = OPTIONS,
};

/* What a signal handler may touch: lock-free atomics. */
static atomic_bool stop_now;
static atomic_int by_signal;

static void on_signal(int number)
{
	atomic_store(&by_signal, number);
	atomic_store(&stop_now, true);
}

static void print_json(const LoadReport *r)
{
	static const struct {
		const char *key;
		double q;
	} quantiles[] = { { "p50_ms", .5 }, { "p95_ms", .95 }, { "p99_ms", .99 } };
	Json *root = json_new_object();
	json_add_int(root, "sent", r->sent);
	json_add_int(root, "ok", r->ok);
	json_add_int(root, "errors", r->bad_status + r->timeouts + r->unreachable);
	json_add_int(root, "bad_status", r->bad_status);
	json_add_int(root, "timeouts", r->timeouts);
	json_add_int(root, "unreachable", r->unreachable);
	json_add_int(root, "unsent", r->unsent);
	json_add_number(root, "elapsed_s", r->elapsed_s);
	json_add_number(root, "achieved_rps", r->elapsed_s > 0.0 ? (double) r->ok / r->elapsed_s : NAN);
	for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
		json_add_number(root, quantiles[i].key, latency_quantile(&r->latency, quantiles[i].q));
	json_add_number(root, "mean_ms", r->latency.n > 0 ? r->latency.sum_ms / (double) r->latency.n : NAN);
	json_add_number(root, "max_ms", r->latency.n > 0 ? r->latency.max_ms : NAN);
	char *text = json_print(root);
	if (text)
		printf("%s\n", text);
	free(text);
	json_free(root);
}

static void print_text(const LoadReport *r)
{
	const LatencyHistogram *h = &r->latency;
	printf("sent %lld in %.1f s: ok %lld (%.2f/s), other status %lld, timeouts %lld, unreachable %lld, never sent %lld\n",
	       (long long) r->sent, r->elapsed_s, (long long) r->ok, r->elapsed_s > 0.0 ? (double) r->ok / r->elapsed_s : 0.0,
	       (long long) r->bad_status, (long long) r->timeouts, (long long) r->unreachable, (long long) r->unsent);
	if (h->n > 0)
		printf("latency from the intended time, ms: p50 %.1f  p95 %.1f  p99 %.1f  max %.1f  mean %.1f\n",
		       latency_quantile(h, .5), latency_quantile(h, .95), latency_quantile(h, .99), h->max_ms,
		       h->sum_ms / (double) h->n);
}

int cmd_load(int argc, char **argv)
{
	LoadOptions options = {
		.rps = 10.0, .duration_s = 10.0, .timeout_s = 10.0, .connections = 500, .seed = (int64_t) time(NULL),
	};
	int words = 0;
	int code = opts_parse(&COMMAND, argc, argv, &options, &words);
	if (code)
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	if (options.url.n == 0)
		return cmd_fail(ERR_USAGE, &(Error) { .text = "no URL; give --url http://HOST:PORT/" });
	const LoadConfig config = {
		.url = options.url.item,
		.n_urls = options.url.n,
		.rps = options.rps,
		.duration_s = options.duration_s,
		.timeout_ms = (int64_t) (options.timeout_s * 1e3),
		.connections = (size_t) options.connections,
		.keep_alive = options.keep_alive,
		.seed = (uint64_t) options.seed,
		.stop = &stop_now,
	};
	(void) signal(SIGINT, on_signal);
	(void) signal(SIGTERM, on_signal);
	LoadReport report;
	Error err = { 0 };
	code = load_run(&config, &report, &err);
	if (code)
		return cmd_fail(code, &err);
	if (options.json)
		print_json(&report);
	else
		print_text(&report);
	int number = atomic_load(&by_signal);
	if (number)
		return 128 + number;
	if (report.ok == 0 && report.sent > 0)
		return cmd_fail(ERR_FAILED, &(Error) { .text = "not one request was answered well" });
	return 0;
}
