/*
 * How well a fitted service foretells intervals that it has not seen, and how well it could: an interval of few requests has a p95 of
 * its own, so the errors stand beside those that the fitted service's own intervals would have at the same rates.
 */
#include "sim/fit_inside.h"

#include <math.h>
#include <stdlib.h>

enum { CHECK_REQUESTS = 40000, CHANCE_REQUESTS = 400000 };

/* The q-quantile of counts, as histogram_quantile(): linear inside a bucket. */
static double quantile_ms(const FitData *data, const double *within, double q)
{
	double all = within[data->n_bounds], before = 0.0, low = 0.0;
	for (size_t b = 0; b < data->n_bounds; b++) {
		if (within[b] >= q * all)
			return low + (data->bound_ms[b] - low) * (q * all - before) / (within[b] - before);
		before = within[b];
		low = data->bound_ms[b];
	}
	return low;
}

typedef struct Grid { /* predictions at loads that span the rows' */
	double rate[FIT_BINS];
	double within[FIT_BINS][FIT_BOUNDS + 1];
} Grid;

static void make_grid(FitLoad *load, const FitPoint *point, double low, double high, Grid *grid)
{
	for (int i = 0; i < FIT_BINS; i++) {
		FitBin bin = load->bin[load->n_bins / 2];
		bin.spread = 0.0;
		bin.rate = grid->rate[i] = low + (high - low) * i / (FIT_BINS - 1);
		fit_predict(load, point, &bin, 0, (size_t) (CHECK_REQUESTS * fmax(load->options->effort, .1)), grid->within[i]);
		for (size_t b = 1; b <= load->n_bounds; b++)
			grid->within[i][b] += grid->within[i][b - 1];
	}
}

static double predicted_ms(const FitData *data, const Grid *grid, double rate, double q)
{
	double within[FIT_BOUNDS + 1];
	int i = 0;
	while (i < FIT_BINS - 2 && rate > grid->rate[i + 1])
		i++;
	double span = grid->rate[i + 1] - grid->rate[i], part = span > 0.0 ? (rate - grid->rate[i]) / span : 0.0;
	for (size_t b = 0; b <= data->n_bounds; b++)
		within[b] = grid->within[i][b] + part * (grid->within[i + 1][b] - grid->within[i][b]);
	return quantile_ms(data, within, q);
}

static int rising(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;
	return (x > y) - (x < y);
}

static double sorted_quantile(double *x, size_t n, double q)
{
	qsort(x, n, sizeof *x, rising);
	return n ? x[(size_t) (q * (double) (n - 1) + .5)] : NAN;
}

/* Rates of the steady rows from..to span this. */
static size_t span_of(const FitData *data, size_t from, size_t to, double *ret_low, double *ret_high, double *ret_requests)
{
	size_t n = 0;
	*ret_low = INFINITY;
	*ret_high = *ret_requests = 0.0;
	for (size_t i = from; i < to; i++) {
		if (!fit_row_is_steady(data, i, from, to))
			continue;
		double rate = data->row[i].rps / data->row[i].ready;
		*ret_low = fmin(*ret_low, rate);
		*ret_high = fmax(*ret_high, rate);
		*ret_requests += data->row[i].rps * data->step_s;
		n++;
	}
	return n;
}

typedef struct Errors { /* of intervals, relative */
	double *p50, *p95, *cpu;
	size_t n, n_cpu;
} Errors;

static void note(const FitData *data, const Grid *grid, double rate, const double *within, Errors *to)
{
	to->p50[to->n] = fabs(predicted_ms(data, grid, rate, .5) / quantile_ms(data, within, .5) - 1.0);
	to->p95[to->n++] = fabs(predicted_ms(data, grid, rate, .95) / quantile_ms(data, within, .95) - 1.0);
}

static bool errors_init(Errors *errors, size_t n)
{
	*errors = (Errors) { malloc(n * sizeof(double)), malloc(n * sizeof(double)), malloc(n * sizeof(double)), 0, 0 };
	return errors->p50 && errors->p95 && errors->cpu;
}

static void errors_done(Errors *errors)
{
	free(errors->p50);
	free(errors->p95);
	free(errors->cpu);
}

/* Every so-manieth interval as the fitted service would have shown it, after one at the rate before. */
static void play_own(FitLoad *load, const FitData *data, size_t from, const FitPoint *point, const Grid *grid, size_t stride, Errors *to)
{
	double demand = exp(point->x[AXIS_DEMAND]);
	size_t k = 0;
	for (size_t i = from; i < data->n; i++) {
		const FitRow *row = &data->row[i];
		double within[FIT_BOUNDS + 1], cpu_s, rate = row->rps / row->ready;
		if (!fit_row_is_steady(data, i, from, data->n) || k++ % stride)
			continue;
		double before = i > from && row[-1].rps > 0.0 && row[-1].ready >= 1.0 ? row[-1].rps / row[-1].ready : rate;
		fit_play(load, point, &(FitPlay) { before, rate, data->step_s, (size_t) lround(row->ready), (uint32_t) i }, within, &cpu_s);
		if (within[data->n_bounds] <= 0.0)
			continue;
		/* its own count tells the rate, as the row's did */
		note(data, grid, within[data->n_bounds] / data->step_s / row->ready, within, to);
		if (cpu_s > 0.0)
			to->cpu[to->n_cpu++] = fabs(demand * within[data->n_bounds] / cpu_s - 1.0);
	}
}

static void check_rows(const FitData *data, size_t from, const FitPoint *point, const Grid *grid, Errors *to)
{
	double demand = exp(point->x[AXIS_DEMAND]);
	for (size_t i = from; i < data->n; i++) {
		const FitRow *row = &data->row[i];
		if (!isnan(row->rps) && row->cpu_cores > 0.0)
			to->cpu[to->n_cpu++] = fabs(demand * row->rps / row->cpu_cores - 1.0);
		if (fit_row_is_steady(data, i, from, data->n))
			note(data, grid, row->rps / row->ready, row->within, to);
	}
}

int fit_check(FitLoad *load, const FitData *data, size_t from, const FitPoint *point, ServiceFit *fit)
{
	double low, high, requests;
	Errors seen = { 0 }, own = { 0 };
	Grid *grid = malloc(sizeof *grid);
	size_t steady = span_of(data, from, data->n, &low, &high, &requests);
	bool has_memory = errors_init(&seen, data->n) && errors_init(&own, data->n) && grid;
	if (has_memory && steady) {
		make_grid(load, point, low, high, grid);
		play_own(load, data, from, point, grid, 1 + (size_t) (2.0 * requests / (CHANCE_REQUESTS * fmax(load->options->effort, .1))), &own);
	}
	if (has_memory) {
		check_rows(data, from, point, grid, &seen);
		fit->held_out = (double) seen.n;
		fit->p50_error = sorted_quantile(seen.p50, seen.n, .5);
		fit->p95_error_p90 = sorted_quantile(seen.p95, seen.n, .9);
		fit->p95_error = sorted_quantile(seen.p95, seen.n, .5);
		fit->cpu_error = sorted_quantile(seen.cpu, seen.n_cpu, .5);
		fit->p50_chance = sorted_quantile(own.p50, own.n, .5);
		fit->p95_chance = sorted_quantile(own.p95, own.n, .5);
		fit->cpu_chance = sorted_quantile(own.cpu, own.n_cpu, .5);
	}
	errors_done(&seen);
	errors_done(&own);
	free(grid);
	return has_memory ? 0 : ERR_NOMEM;
}
