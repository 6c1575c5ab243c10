/* See live_load.h. */
#include "cmd/live_load.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONNECTIONS = 500, TIMEOUT_MS = 10000 };
static const double FOR_EVER_S = 1e7;

struct LiveLoad {
	LoadProgress progress; /* first */
	LiveLoadConfig config;
	pthread_t thread;
	atomic_bool stops;
	pthread_mutex_t lock;
	LoadReport shown;      /* under the lock */
	LoadReport report;     /* the thread's */
};

static double length_s(const Trace *trace)
{
	return (double) trace->n * trace->step_s;
}

static double peak_of(const LiveLoadConfig *config, size_t i)
{
	return config->peak_rps > 0 ? config->peak_rps : config->trace[i].peak_rps;
}

static double rate_at(void *arg, double t_s)
{
	const LiveLoadConfig *c = &((const LiveLoad *) arg)->config;
	double at_s = (c->from_s + t_s) * c->compression, all_s = 0;
	size_t i = 0;
	for (size_t k = 0; k < c->n_traces; k++)
		all_s += length_s(&c->trace[k]);
	at_s -= all_s * (double) (int64_t) (at_s / all_s);
	for (; i + 1 < c->n_traces && at_s >= length_s(&c->trace[i]); i++)
		at_s -= length_s(&c->trace[i]);
	return peak_of(c, i) * trace_rate(&c->trace[i], at_s);
}

static void show(LoadProgress *progress, double elapsed_s, const LoadReport *so_far, size_t under_way)
{
	LiveLoad *load = (LiveLoad *) progress;
	(void) elapsed_s;
	(void) under_way;
	(void) pthread_mutex_lock(&load->lock);
	load->shown = *so_far;
	(void) pthread_mutex_unlock(&load->lock);
}

static void *load_main(void *arg)
{
	LiveLoad *load = arg;
	const LiveLoadConfig *c = &load->config;
	double most = 0;
	for (size_t i = 0; i < c->n_traces; i++)
		most = peak_of(c, i) > most ? peak_of(c, i) : most;
	const LoadConfig config = {
		.url = c->url->item, .n_urls = c->url->n, .rps = most, .rate = rate_at, .context = load, .duration_s = FOR_EVER_S,
		.timeout_ms = TIMEOUT_MS, .connections = CONNECTIONS, .seed = c->seed, .stop = &load->stops, .progress = &load->progress,
	};
	Error err = { 0 };
	if (load_run(&config, &load->report, &err))
		(void) fprintf(stderr, "maestro: the load has ended: %s\n", err.text);
	return NULL;
}

int live_load_start(const LiveLoadConfig *config, LiveLoad **ret_load, Error *err)
{
	for (size_t i = 0; i < config->n_traces; i++)
		if (!(peak_of(config, i) > 0))
			return error_set(err, ERR_USAGE, "trace %s does not say its peak_rps; give --peak-rps", config->trace[i].name);
	LiveLoad *load = calloc(1, sizeof *load);
	if (!load)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	load->config = *config;
	load->progress.tell = show;
	(void) pthread_mutex_init(&load->lock, NULL);
	if (pthread_create(&load->thread, NULL, load_main, load)) {
		(void) pthread_mutex_destroy(&load->lock);
		free(load);
		return error_set(err, ERR_NOMEM, "the load's thread does not start");
	}
	*ret_load = load;
	return 0;
}

void live_load_report(LiveLoad *load, LoadReport *ret_report)
{
	(void) pthread_mutex_lock(&load->lock);
	*ret_report = load->shown;
	(void) pthread_mutex_unlock(&load->lock);
}

void live_load_stop(LiveLoad *load)
{
	if (!load)
		return;
	atomic_store(&load->stops, true);
	(void) pthread_join(load->thread, NULL);
	(void) pthread_mutex_destroy(&load->lock);
	free(load);
}
