/* See load.h. One thread: send what is due, let the pool move, take what is finished. */
#include "cluster/load.h"

#include "base/http.h"
#include "base/rng.h"

#include <math.h>
#include <time.h>

enum { DONE_MAX = 64, WAIT_MAX_MS = 100 };
static const double GROWTH = 1.01;
static const double FIRST_MS = 1e-3;

typedef struct Load {
	const LoadConfig *config;
	LoadReport *report;
	HttpPool *pool;
	Rng rng;
	int64_t start_us, end_us; /* requests are due in between */
	double next_us;           /* when the next one is */
	size_t turn;
} Load;

/* ---- the histogram ---- */

void latency_add(LatencyHistogram *histogram, double ms)
{
	double at = ms > FIRST_MS ? log(ms / FIRST_MS) / log(GROWTH) : 0.0;
	size_t b = at < LOAD_BUCKETS - 1 ? (size_t) at : LOAD_BUCKETS - 1;
	histogram->count[b]++;
	histogram->n++;
	histogram->sum_ms += ms;
	histogram->max_ms = fmax(histogram->max_ms, ms);
}

double latency_quantile(const LatencyHistogram *histogram, double q)
{
	if (histogram->n == 0)
		return NAN;
	uint64_t rank = (uint64_t) ceil(q * (double) histogram->n), seen = 0;
	size_t b = 0;
	while (b < LOAD_BUCKETS - 1 && (seen += histogram->count[b]) < (rank ? rank : 1))
		b++;
	return fmin(FIRST_MS * pow(GROWTH, (double) b + .5), histogram->max_ms);
}

/* ---- the load ---- */

static int64_t now_us(void)
{
	struct timespec t;
	(void) clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void plan_next(Load *load)
{
	load->next_us += rng_exponential(&load->rng) * 1e6 / load->config->rps;
}

static bool is_due(const Load *load, int64_t until_us)
{
	return load->next_us < (double) load->end_us && load->next_us <= (double) until_us;
}

static int send_due(Load *load, Error *err)
{
	while (is_due(load, now_us())) {
		const char *url = load->config->url[load->turn % load->config->n_urls];
		int code = http_pool_start(load->pool, url, (int64_t) load->next_us, err);
		if (code == ERR_BUSY)
			return 0; /* it stays due, and its latency grows */
		if (code)
			return code;
		load->turn++;
		load->report->sent++;
		plan_next(load);
	}
	return 0;
}

static void take(Load *load, const HttpDone *done, int64_t at_us)
{
	LoadReport *report = load->report;
	if (done->code == ERR_TIMEOUT)
		report->timeouts++;
	else if (done->code)
		report->unreachable++;
	else if (done->status >= 200 && done->status < 400)
		report->ok++;
	else
		report->bad_status++;
	if (!done->code || done->code == ERR_TIMEOUT)
		latency_add(&report->latency, (double) (at_us - done->tag) / 1e3);
}

/* Milliseconds to the next thing to do, rounded up: a request may leave up to 1 ms late, which its latency includes. */
static int wait_ms(const Load *load, int64_t last_us)
{
	int64_t now = now_us();
	double until_us = load->next_us < (double) load->end_us ? load->next_us : (double) last_us;
	double ms = ceil((until_us - (double) now) / 1e3);
	return ms < 1.0 ? 1 : ms > WAIT_MAX_MS ? WAIT_MAX_MS : (int) ms;
}

static int drive(Load *load, Error *err)
{
	HttpDone done[DONE_MAX];
	int64_t last_us = load->end_us + load->config->timeout_ms * 1000, now = load->start_us;
	while (now < last_us && !atomic_load(load->config->stop)) {
		size_t n;
		int code = send_due(load, err);
		if (code)
			return code;
		if (now >= load->end_us && http_pool_under_way(load->pool) == 0)
			break;
		do {
			code = http_pool_poll(load->pool, wait_ms(load, last_us), done, DONE_MAX, &n);
			now = now_us();
			for (size_t i = 0; !code && i < n; i++)
				take(load, &done[i], now);
		} while (!code && n == DONE_MAX);
		if (code)
			return error_set(err, code, "waiting for answers failed");
	}
	return 0;
}

int load_run(const LoadConfig *config, LoadReport *ret_report, Error *err)
{
	LoadReport report = { 0 };
	Load load = { .config = config, .report = &report };
	int code = http_pool_new(config->connections, config->keep_alive, config->timeout_ms, &load.pool, err);
	if (code)
		return code;
	rng_init(&load.rng, config->seed, 0, RNG_LOAD);
	load.start_us = now_us();
	load.end_us = load.start_us + (int64_t) (config->duration_s * 1e6);
	load.next_us = (double) load.start_us;
	plan_next(&load);
	code = drive(&load, err);
	int64_t now = now_us();
	for (; is_due(&load, now); plan_next(&load))
		report.unsent++;
	/* cut off by a signal: neither answered nor failed */
	report.sent -= (int64_t) http_pool_under_way(load.pool);
	report.elapsed_s = (double) (now - load.start_us) / 1e6;
	http_pool_free(load.pool);
	if (!code)
		*ret_report = report;
	return code;
}
