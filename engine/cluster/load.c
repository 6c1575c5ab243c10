/*
 * See load.h. One thread: send what is due, let the pool move, take what is finished. A closed loop's users are not told apart: those that
 * think stand in a ring in the order in which they will be done, since all think equally long.
 */
#include "cluster/load.h"

#include "base/http.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
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
	double next_us;           /* open loop: when the next one is */
	int64_t *thinking;        /* [vus_max] closed loop: when they will be done, a ring */
	size_t first, n_thinking;
	size_t users;             /* that are there: thinking, or waiting for an answer */
	int64_t told_us;          /* last progress */
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

static double second(const Load *load, double at_us)
{
	return (at_us - (double) load->start_us) / 1e6;
}

/* Arrivals at a rate that changes are those at its highest, of which each is kept with the present rate's part of it (Lewis and Shedler
 * 1979). */
static void plan_next(Load *load)
{
	const LoadConfig *config = load->config;
	do
		load->next_us += rng_exponential(&load->rng) * 1e6 / config->rps;
	while (config->rate && load->next_us < (double) load->end_us &&
	       rng_uniform(&load->rng) * config->rps > config->rate(config->context, second(load, load->next_us)));
}

static bool is_due(const Load *load, int64_t until_us)
{
	return load->next_us < (double) load->end_us && load->next_us <= (double) until_us;
}

/* ERR_BUSY: no connection is free. */
static int send_one(Load *load, int64_t due_us, Error *err)
{
	int code = http_pool_start(load->pool, load->config->url[load->turn % load->config->n_urls], due_us, err);
	if (!code) {
		load->turn++;
		load->report->sent++;
	}
	return code;
}

static int send_arrivals(Load *load, Error *err)
{
	while (is_due(load, now_us())) {
		int code = send_one(load, (int64_t) load->next_us, err);
		if (code == ERR_BUSY)
			return 0; /* it stays due, and its latency grows */
		if (code)
			return code;
		plan_next(load);
	}
	return 0;
}

/* ---- users ---- */

static size_t users_wanted(const Load *load, int64_t at_us)
{
	const LoadConfig *config = load->config;
	if (at_us >= load->end_us)
		return 0;
	double wanted = config->vus ? config->vus(config->context, second(load, (double) at_us)) : (double) config->vus_max;
	return wanted > 0.0 ? (size_t) fmin(round(wanted), (double) config->vus_max) : 0;
}

static void think(Load *load, int64_t until_us)
{
	load->thinking[(load->first + load->n_thinking++) % load->config->vus_max] = until_us;
}

/* Users who are done with thinking ask, new ones ask at once, and those who are too many go. */
static int send_users(Load *load, Error *err)
{
	int64_t at_us = now_us();
	size_t wanted = users_wanted(load, at_us);
	int code = 0;
	while (!code && load->n_thinking > 0 && (load->thinking[load->first] <= at_us || at_us >= load->end_us)) {
		load->first = (load->first + 1) % load->config->vus_max;
		load->n_thinking--;
		if (load->users > wanted)
			load->users--;
		else
			code = send_one(load, at_us, err);
	}
	for (; !code && load->users < wanted; load->users++)
		code = send_one(load, at_us, err);
	return code;
}

/* The first users come spread over a time of thinking, not all at once. */
static int begin_users(Load *load)
{
	size_t n = load->config->vus_max;
	load->thinking = calloc(n, sizeof *load->thinking);
	if (!load->thinking)
		return ERR_NOMEM;
	load->users = users_wanted(load, load->start_us);
	for (size_t i = 0; i < load->users; i++)
		think(load, load->start_us + (int64_t) (1e6 * load->config->think_s * (double) i / (double) load->users));
	return 0;
}

/* ---- both ---- */

static int send_due(Load *load, Error *err)
{
	return load->config->vus_max ? send_users(load, err) : send_arrivals(load, err);
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
	if (load->config->vus_max)
		think(load, at_us + (int64_t) (1e6 * load->config->think_s));
}

/* Milliseconds to the next thing to do, rounded up: a request may leave up to 1 ms late, which its latency includes. */
static int wait_ms(const Load *load, int64_t last_us)
{
	int64_t now = now_us();
	double until_us = load->next_us < (double) load->end_us ? load->next_us : (double) last_us;
	if (load->config->vus_max)
		until_us = load->n_thinking ? (double) load->thinking[load->first] : (double) last_us;
	double ms = ceil((until_us - (double) now) / 1e3);
	return ms < 1.0 ? 1 : ms > WAIT_MAX_MS ? WAIT_MAX_MS : (int) ms;
}

static void tell(Load *load, int64_t at_us)
{
	LoadProgress *progress = load->config->progress;
	if (!progress || at_us - load->told_us < 1000000)
		return;
	load->told_us = at_us;
	progress->tell(progress, second(load, (double) at_us), load->report, http_pool_under_way(load->pool));
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
		tell(load, now);
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
	int code = http_pool_new(config->vus_max ? config->vus_max : config->connections, config->keep_alive, config->timeout_ms, &load.pool, err);
	if (code)
		return code;
	rng_init(&load.rng, config->seed, 0, RNG_LOAD);
	load.start_us = now_us();
	load.end_us = load.start_us + (int64_t) (config->duration_s * 1e6);
	load.next_us = config->vus_max ? INFINITY : (double) load.start_us;
	load.told_us = load.start_us;
	if (!config->vus_max)
		plan_next(&load);
	else if (begin_users(&load))
		code = error_set(err, ERR_NOMEM, "out of memory");
	if (!code)
		code = drive(&load, err);
	int64_t now = now_us();
	for (; is_due(&load, now); plan_next(&load))
		report.unsent++;
	/* cut off by a signal: neither answered nor failed */
	report.sent -= (int64_t) http_pool_under_way(load.pool);
	report.elapsed_s = (double) (now - load.start_us) / 1e6;
	http_pool_free(load.pool);
	free(load.thinking);
	if (!code)
		*ret_report = report;
	return code;
}
