/* `maestro load`: options, the course of the load (a rate, a trace, stages of users), SIGINT, progress, and the report of
 * cluster/load.h. */
#include "cmd/cmd.h"
#include "cmd/opts.h"

#include "base/json.h"
#include "cluster/load.h"
#include "sim/trace.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct LoadOptions {
	OptList url;
	const char *trace, *stages;
	double rps, duration_s, timeout_s, think_s, compression;
	int32_t connections, vus;
	int64_t seed;
	bool keep_alive, json, is_open;
} LoadOptions;

enum { STAGES_MAX = 64, VUS_MAX = 20000 };

/* How the load runs over time: between stages along straight lines, or along a trace. */
typedef struct Course {
	LoadProgress progress; /* first */
	struct {
		double end_s, target;
	} stage[STAGES_MAX];
	size_t n_stages;
	double from;           /* before the first stage */
	Trace trace;
	double peak_rps, compression;
	double duration_s;
	bool is_closed;
} Course;

#define OPTION(name, kind, field, lo, hi, arg, help) \
	{ name, 0, kind, offsetof(LoadOptions, field), lo, hi, arg, help, false }
static const Opt OPTIONS[] = {
	OPTION("url", OPT_LIST, url, 0, 0, "URL", "where to send GETs; given several times: in turn"),
	OPTION("rps", OPT_DOUBLE, rps, .001, 1e5, "R", "mean arrivals a second, Poisson (10); with --trace, at its peak"),
	OPTION("trace", OPT_STRING, trace, 0, 0, "FILE", "arrivals at a trace's rates: CSV t_s,rps (its own peak, or --rps)"),
	OPTION("compression", OPT_DOUBLE, compression, .001, 1e5, "X", "seconds of the trace a second (1)"),
	OPTION("vus", OPT_INT, vus, 1, VUS_MAX, "N", "virtual users who wait for their answer: a closed loop, instead of --rps"),
	OPTION("think", OPT_DURATION, think_s, 0, 3600, "TIME", "a user's, between an answer and the next request (1s)"),
	OPTION("stages", OPT_STRING, stages, 0, 0, "LIST", "users over time, in straight lines: 5m:100,30m:100,5m:0 (from --vus, else 0)"),
	OPTION("open", OPT_FLAG, is_open, 0, 0, NULL, "the stages' numbers are arrivals a second, not users"),
	OPTION("duration", OPT_DURATION, duration_s, .001, 1e7, "TIME", "how long (10s; else what the stages or the trace take)"),
	OPTION("timeout", OPT_DURATION, timeout_s, .001, 3600, "TIME", "of one request (10s)"),
	OPTION("connections", OPT_INT, connections, 1, 10000, "N", "requests under way at once (500)"),
	OPTION("keep-alive", OPT_FLAG, keep_alive, 0, 0, NULL, "reuse connections instead of one a request"),
	OPTION("seed", OPT_INT64, seed, 0, 0, "N", "of the arrivals (by time)"),
	OPTION("json", OPT_FLAG, json, 0, 0, NULL, "the report as one JSON object"),
	{ .name = NULL },
};

const OptCommand LOAD_COMMAND = {
	.usage = "load --url URL [--rps R | --trace FILE | --vus N | --stages LIST] [options]",
	.summary = "Load on URLs. Open loop: requests are sent at their times whatever the answers do, and latency counts from then. Closed\n"
	           "loop: users wait for their answer, which hides overload.",
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

static void print_json(const LoadReport *r, bool is_closed)
{
	static const struct {
		const char *key;
		double q;
	} quantiles[] = { { "p50_ms", .5 }, { "p75_ms", .75 }, { "p90_ms", .9 }, { "p95_ms", .95 }, { "p99_ms", .99 }, { "p99_9_ms", .999 } };
	Json *root = json_new_object();
	json_add_string(root, "loop", is_closed ? "closed" : "open");
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

static void print_text(const LoadReport *r, bool is_closed)
{
	const LatencyHistogram *h = &r->latency;
	printf("sent %lld in %.1f s: ok %lld (%.2f/s), other status %lld, timeouts %lld, unreachable %lld, never sent %lld\n",
	       (long long) r->sent, r->elapsed_s, (long long) r->ok, r->elapsed_s > 0.0 ? (double) r->ok / r->elapsed_s : 0.0,
	       (long long) r->bad_status, (long long) r->timeouts, (long long) r->unreachable, (long long) r->unsent);
	if (h->n > 0)
		printf("latency from the %s, ms: p50 %.1f  p75 %.1f  p90 %.1f  p95 %.1f  p99 %.1f  p99.9 %.1f  max %.1f  mean %.1f\n",
		       is_closed ? "sending (a closed loop hides what waits for it)" : "intended time", latency_quantile(h, .5),
		       latency_quantile(h, .75), latency_quantile(h, .9), latency_quantile(h, .95), latency_quantile(h, .99),
		       latency_quantile(h, .999), h->max_ms, h->sum_ms / (double) h->n);
}

/* ---- the course ---- */

static double stage_value(void *context, double t_s)
{
	const Course *c = context;
	double begin_s = 0.0, from = c->from;
	for (size_t i = 0; i < c->n_stages; i++) {
		double length_s = c->stage[i].end_s - begin_s;
		if (t_s < c->stage[i].end_s)
			return from + (c->stage[i].target - from) * (t_s - begin_s) / length_s;
		begin_s = c->stage[i].end_s;
		from = c->stage[i].target;
	}
	return from;
}

static double trace_value(void *context, double t_s)
{
	const Course *c = context;
	return c->peak_rps * trace_rate(&c->trace, t_s * c->compression);
}

/* "5m:100,30m:100,5m:0" */
static int read_stages(const LoadOptions *options, Course *course, Error *err)
{
	char text[512];
	double end_s = 0.0;
	if (strlen(options->stages) >= sizeof text)
		return error_set(err, ERR_USAGE, "--stages: more than %zu characters", sizeof text - 1);
	(void) snprintf(text, sizeof text, "%s", options->stages);
	for (char *part = text, *next; part; part = next) {
		double length_s;
		char *colon = strchr(part, ':'), *end = NULL;
		next = strchr(part, ',');
		if (next)
			*next++ = '\0';
		if (colon)
			*colon = '\0';
		double target = colon ? strtod(colon + 1, &end) : NAN;
		if (!colon || end == colon + 1 || *end || !(target >= 0.0 && target <= (options->is_open ? 1e5 : VUS_MAX)) ||
		    !opts_duration(part, &length_s) || !(length_s > 0.0) || course->n_stages == STAGES_MAX)
			return error_set(err, ERR_USAGE, "--stages %.60s: write up to %d of TIME:NUMBER, as 5m:100,30m:100,5m:0", options->stages,
			                 STAGES_MAX);
		end_s += length_s;
		course->stage[course->n_stages].end_s = end_s;
		course->stage[course->n_stages++].target = target;
	}
	course->duration_s = end_s;
	return 0;
}

static int read_trace(const LoadOptions *options, Course *course, Error *err)
{
	int code = trace_load(options->trace, &course->trace, err);
	if (code)
		return code;
	course->peak_rps = options->rps > 0.0 ? options->rps : course->trace.peak_rps;
	course->compression = options->compression;
	course->duration_s = (double) course->trace.n * course->trace.step_s / options->compression;
	if (!(course->peak_rps > 0.0))
		return error_set(err, ERR_USAGE, "--trace %.80s: does not say its peak_rps; give --rps", options->trace);
	return 0;
}

static int read_course(const LoadOptions *o, Course *course, Error *err)
{
	int code = 0;
	course->is_closed = (o->vus || o->stages) && !o->is_open;
	if (o->trace && (o->stages || o->vus || o->is_open))
		return error_set(err, ERR_USAGE, "--trace is a course of its own: without --stages, --vus and --open");
	if (o->is_open && (!o->stages || o->vus))
		return error_set(err, ERR_USAGE, "--open is of --stages, and without --vus");
	if (o->rps > 0.0 && (o->stages || o->vus))
		return error_set(err, ERR_USAGE, "--rps is an open loop: without --stages and --vus");
	course->from = course->is_closed ? o->vus : 0.0;
	course->duration_s = 10.0;
	if (o->trace)
		code = read_trace(o, course, err);
	else if (o->stages)
		code = read_stages(o, course, err);
	if (!code && o->duration_s > 0.0)
		course->duration_s = o->duration_s;
	return code;
}

static void set_course(const LoadOptions *options, Course *course, LoadConfig *config)
{
	double most = course->from;
	for (size_t i = 0; i < course->n_stages; i++)
		most = fmax(most, course->stage[i].target);
	config->duration_s = course->duration_s;
	config->context = course;
	config->rps = options->rps > 0.0 ? options->rps : 10.0;
	if (course->is_closed) {
		config->vus_max = most < 1.0 ? 1 : (size_t) most;
		config->vus = stage_value;
		config->think_s = options->think_s;
	} else if (options->stages) {
		config->rps = fmax(most, 1e-3);
		config->rate = stage_value;
	} else if (options->trace) {
		config->rps = course->peak_rps;
		config->rate = trace_value;
	}
}

/* "  12 s of 40 s: 103.0/s, 1236 ok, 0 failed, 4 under way, p95 23 ms" over itself. */
static void show(LoadProgress *progress, double elapsed_s, const LoadReport *r, size_t under_way)
{
	const Course *course = (const Course *) progress;
	(void) fprintf(stderr, "\r%5.0f s of %.0f s: %.1f/s, %lld ok, %lld failed, %zu under way, p95 %.0f ms \033[K", elapsed_s, course->duration_s,
	               (double) r->ok / elapsed_s, (long long) r->ok, (long long) (r->bad_status + r->timeouts + r->unreachable), under_way,
	               r->latency.n ? latency_quantile(&r->latency, .95) : 0.0);
	(void) fflush(stderr);
}

static int run(const LoadOptions *options, Course *course, LoadReport *ret_report, Error *err)
{
	LoadConfig config = {
		.url = options->url.item,
		.n_urls = options->url.n,
		.timeout_ms = (int64_t) (options->timeout_s * 1e3),
		.connections = (size_t) options->connections,
		.keep_alive = options->keep_alive,
		.seed = (uint64_t) options->seed,
		.stop = &stop_now,
		.progress = isatty(STDERR_FILENO) ? &course->progress : NULL,
	};
	course->progress.tell = show;
	int code = read_course(options, course, err);
	if (code)
		return code;
	set_course(options, course, &config);
	code = load_run(&config, ret_report, err);
	if (config.progress)
		(void) fprintf(stderr, "\r\033[K");
	return code;
}

int cmd_load(int argc, char **argv)
{
	LoadOptions options = { .timeout_s = 10.0, .connections = 500, .think_s = 1.0, .compression = 1.0, .seed = (int64_t) time(NULL) };
	int words = 0;
	int code = opts_parse(&LOAD_COMMAND, argc, argv, &options, &words);
	if (code)
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	if (options.url.n == 0)
		return cmd_fail(ERR_USAGE, &(Error) { .text = "no URL; give --url http://HOST:PORT/" });
	(void) signal(SIGINT, on_signal);
	(void) signal(SIGTERM, on_signal);
	Course course = { 0 };
	LoadReport report;
	Error err = { 0 };
	code = run(&options, &course, &report, &err);
	trace_done(&course.trace);
	if (code)
		return cmd_fail(code, &err);
	if (options.json)
		print_json(&report, course.is_closed);
	else
		print_text(&report, course.is_closed);
	int number = atomic_load(&by_signal);
	if (number)
		return 128 + number;
	if (report.ok == 0 && report.sent > 0)
		return cmd_fail(ERR_FAILED, &(Error) { .text = "not one request was answered well" });
	return 0;
}
