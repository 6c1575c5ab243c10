/* The parameters that latencies do not tell of: memory, start-up, and what the cluster says itself. */
#include "sim/fit_inside.h"

#include <math.h>
#include <stdlib.h>

enum { STARTS_MIN = 5 };
static const double CACHED_S = 2.0;  /* from scheduled to running within it: the image was there */
static const double TICK_S = 1.0;    /* Kubernetes' times are whole seconds */

void fit_set(ServiceFile *file, const char *name, double value, double standard_error, FitOrigin source)
{
	int key = service_find(name);
	const ServiceParameter *row = &SERVICE_PARAMETER[key];
	*service_at(&file->service, key) = fmin(fmax(value, row->min), row->max);
	file->fit.source[key] = source;
	file->fit.standard_error[key] = standard_error;
}

static void unidentified(ServiceFile *file, const char *name)
{
	file->fit.source[service_find(name)] = FIT_UNIDENTIFIED;
}

/* ---- memory ---- */

/* The mean latency of a row, s, from its counts: each bucket's middle. */
static double mean_latency_s(const FitData *data, const FitRow *row)
{
	double sum = 0.0, before = 0.0, low = 0.0;
	for (size_t b = 0; b < data->n_bounds; b++) {
		sum += (row->within[b] - before) * .5 * (low + data->bound_ms[b]) * 1e-3;
		before = row->within[b];
		low = data->bound_ms[b];
	}
	return (sum + (row->within[data->n_bounds] - before) * low * 1e-3) / row->within[data->n_bounds];
}

typedef struct MemoryPoints {
	double *in_pod, *bytes; /* requests in a pod (Little 1961), memory of one */
	size_t n;
	double *served, *grown; /* by a pod between two rows of the same pods, and what its memory rose */
	size_t n_grown;
} MemoryPoints;

static void collect(const FitData *data, MemoryPoints *m)
{
	for (size_t i = 0; i < data->n; i++) {
		const FitRow *row = &data->row[i], *next = row + 1;
		if (!fit_row_is_steady(data, i, 0, data->n) || isnan(row->mem_bytes))
			continue;
		m->in_pod[m->n] = row->rps / row->ready * mean_latency_s(data, row);
		m->bytes[m->n++] = row->mem_bytes / row->ready;
		if (i + 1 == data->n || !fit_row_is_steady(data, i + 1, 0, data->n) || isnan(next->mem_bytes))
			continue;
		m->served[m->n_grown] = next->rps / next->ready * data->step_s;
		m->grown[m->n_grown++] = (next->mem_bytes - row->mem_bytes) / row->ready;
	}
}

/* Growth a request: only where it is there beyond doubt, for a cache that fills is no leak. */
static bool find_leak(const MemoryPoints *m, double *ret_leak, double *ret_se)
{
	double served = 0.0, grown = 0.0, square = 0.0;
	for (size_t i = 0; i < m->n_grown; i++) {
		served += m->served[i];
		grown += m->grown[i];
	}
	if (m->n_grown < 20 || served <= 0.0)
		return false;
	*ret_leak = grown / served;
	for (size_t i = 0; i < m->n_grown; i++) /* neighbours' noise cancels in a sum of differences: this is an upper bound */
		square += (m->grown[i] - *ret_leak * m->served[i]) * (m->grown[i] - *ret_leak * m->served[i]);
	*ret_se = sqrt(square) / served;
	return true;
}

void fit_memory(const FitData *data, ServiceFile *file)
{
	MemoryPoints m = { 0 };
	double leak = 0.0, leak_se = 0.0;
	m.in_pod = malloc(data->n * sizeof(double));
	m.bytes = malloc(data->n * sizeof(double));
	m.served = malloc(data->n * sizeof(double));
	m.grown = malloc(data->n * sizeof(double));
	if (m.in_pod && m.bytes && m.served && m.grown)
		collect(data, &m);
	bool has_leak = find_leak(&m, &leak, &leak_se) && fabs(leak) > 3.0 * leak_se && leak > 0.0;
	if (m.n >= 20 && !has_leak) {
		FitLine line = fit_line(m.in_pod, m.bytes, m.n);
		bool is_told = line.slope > 2.0 * line.slope_se;
		double sum = 0.0;
		for (size_t i = 0; i < m.n; i++)
			sum += m.bytes[i] / (double) m.n;
		fit_set(file, "mem_base_bytes", is_told ? line.at_zero : sum, line.at_zero_se, FIT_ESTIMATED);
		if (is_told)
			fit_set(file, "mem_inflight_bytes", line.slope, line.slope_se, FIT_ESTIMATED);
		else
			unidentified(file, "mem_inflight_bytes");
		fit_set(file, "mem_leak_bytes", 0.0, leak_se, m.n_grown < 20 ? FIT_UNIDENTIFIED : FIT_ESTIMATED);
	} else {
		if (has_leak)
			fit_set(file, "mem_leak_bytes", leak, leak_se, FIT_ESTIMATED);
		else
			unidentified(file, "mem_leak_bytes");
		unidentified(file, "mem_base_bytes");
		unidentified(file, "mem_inflight_bytes");
	}
	free(m.in_pod);
	free(m.bytes);
	free(m.served);
	free(m.grown);
}

/* ---- start-up ---- */

typedef struct Moments {
	double mean, variance;
	size_t n;
} Moments;

static void add(Moments *m, double value)
{
	double off = value - m->mean;
	m->n++;
	m->mean += off / (double) m->n;
	m->variance += off * (value - m->mean); /* a sum until moments_end() (Welford 1962) */
}

static void moments_end(Moments *m)
{
	m->variance = m->n > 1 ? m->variance / (double) (m->n - 1) : 0.0;
}

/* Mean and spread of a lognormal part, `known` being the variance that something else adds. */
static void set_lognormal(ServiceFile *file, const char *mean_name, const char *cv_name, const Moments *m, double shift,
                          double known)
{
	double mean = fmax(m->mean - shift, .1), variance = fmax(m->variance - known, 0.0), n = (double) m->n;
	fit_set(file, mean_name, mean, sqrt(m->variance / n), FIT_ESTIMATED);
	/* the error of a sample's deviation, as a normal's: sd / sqrt(2 (n - 1)) */
	double cv_se = sqrt(m->variance / (2.0 * (n - 1.0))) / mean;
	if (cv_se < .5)
		fit_set(file, cv_name, sqrt(variance) / mean, cv_se, FIT_ESTIMATED);
	else
		unidentified(file, cv_name);
}

static void set_sched(ServiceFile *file, const Moments *m)
{
	unidentified(file, "start_sched_min");
	unidentified(file, "start_sched_max");
	double spread = sqrt(3.0 * fmax(m->variance - TICK_S * TICK_S / 6.0, 0.0)); /* half the width of a uniform */
	if (m->n < STARTS_MIN || m->mean < TICK_S) /* shorter than the clock can tell */
		return;
	fit_set(file, "start_sched_min", fmax(m->mean - spread, 0.0), sqrt(m->variance / (double) m->n), FIT_ESTIMATED);
	fit_set(file, "start_sched_max", m->mean + spread, sqrt(m->variance / (double) m->n), FIT_ESTIMATED);
}

void fit_starts(const FitData *data, ServiceFile *file)
{
	Moments sched = { 0 }, pull = { 0 }, boot = { 0 };
	double cached = 0.0, seen = 0.0;
	const Service *s = &file->service;
	for (size_t i = 0; i < data->n_starts; i++) {
		const FitStart *start = &data->start[i];
		if (start->scheduled_s >= start->created_s)
			add(&sched, start->scheduled_s - start->created_s);
		if (start->running_s >= start->scheduled_s) {
			seen += 1.0;
			cached += start->running_s - start->scheduled_s <= CACHED_S;
			if (start->running_s - start->scheduled_s > CACHED_S)
				add(&pull, start->running_s - start->scheduled_s);
		}
		if (start->ready_s >= start->running_s)
			add(&boot, start->ready_s - start->running_s);
	}
	moments_end(&sched);
	moments_end(&pull);
	moments_end(&boot);
	static const char *const names[] = { "start_cached", "start_pull_mean", "start_pull_cv", "start_boot_mean", "start_boot_cv" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unidentified(file, names[i]);
	set_sched(file, &sched);
	if (seen >= STARTS_MIN)
		fit_set(file, "start_cached", cached / seen, sqrt(cached / seen * (1.0 - cached / seen) / seen) + .5 / seen, FIT_ESTIMATED);
	if (pull.n >= STARTS_MIN)
		set_lognormal(file, "start_pull_mean", "start_pull_cv", &pull, 0.0, TICK_S * TICK_S / 6.0);
	/* ready at the first probe after listening: half a period later on average */
	if (boot.n >= STARTS_MIN)
		set_lognormal(file, "start_boot_mean", "start_boot_cv", &boot, .5 * s->readiness_period,
		              s->readiness_period * s->readiness_period / 12.0 + TICK_S * TICK_S / 6.0);
}

/* ---- told ---- */

void fit_told(const FitData *data, ServiceFile *file)
{
	const struct {
		const char *name;
		double value;
	} told[] = {
		{ "scrape_interval", data->scrape_interval_s }, { "cpu_request", data->cpu_request },
		{ "mem_limit_bytes", data->mem_limit_bytes },
	};
	for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
		const ServiceParameter *row = &SERVICE_PARAMETER[service_find(told[i].name)];
		if (told[i].value >= row->min && told[i].value <= row->max)
			fit_set(file, told[i].name, told[i].value, NAN, FIT_READ);
		else
			unidentified(file, told[i].name);
	}
}
