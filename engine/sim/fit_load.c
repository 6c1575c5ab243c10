/*
 * From rows to what the latencies are compared by: the demand of a request by regression of cpu over requests, and the latency
 * counts of intervals of like load of a pod.
 */
#include "sim/fit_inside.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MIN = 20, LAGS = 4 };
static const double ERRORS_MAX = .01; /* share of 5xx above which an interval's latencies are not of service alone */

/* ---- regression ---- */

/*
 * Errors by Newey and West (1987): residuals of neighbours go together, since counters move at their own times.
 */
FitLine fit_line(const double *x, const double *y, size_t n)
{
	double mx = 0.0, my = 0.0, sxx = 0.0, sxy = 0.0;
	for (size_t i = 0; i < n; i++) {
		mx += x[i] / (double) n;
		my += y[i] / (double) n;
	}
	for (size_t i = 0; i < n; i++) {
		sxx += (x[i] - mx) * (x[i] - mx);
		sxy += (x[i] - mx) * (y[i] - my);
	}
	FitLine line = { .slope = sxx > 0.0 ? sxy / sxx : 0.0 };
	line.at_zero = my - line.slope * mx;
	double v_slope = 0.0, v_mean = 0.0;
	for (size_t lag = 0; lag <= LAGS && lag < n; lag++) {
		double weight = (lag ? 2.0 : 1.0) * (1.0 - (double) lag / (LAGS + 1));
		for (size_t i = lag; i < n; i++) {
			double a = y[i] - line.at_zero - line.slope * x[i], b = y[i - lag] - line.at_zero - line.slope * x[i - lag];
			v_slope += weight * a * b * (x[i] - mx) * (x[i - lag] - mx);
			v_mean += weight * a * b;
		}
	}
	line.slope_se = sxx > 0.0 ? sqrt(fmax(v_slope, 0.0)) / sxx : INFINITY;
	line.at_zero_se = hypot(sqrt(fmax(v_mean, 0.0)) / (double) n, mx * line.slope_se);
	return line;
}

/* The cpu of a pod is idle + demand x served; the idle part is left out unless it is there beyond doubt. */
bool fit_cpu(const FitData *data, size_t first, size_t last, double *ret_demand, double *ret_se, double *ret_idle)
{
	double *x = malloc((last - first) * sizeof *x), *y = malloc((last - first) * sizeof *y);
	size_t n = 0;
	double served = 0.0, cpu = 0.0;
	for (size_t i = first; x && y && i < last; i++) {
		const FitRow *row = &data->row[i];
		double failed = isnan(row->error_rps) ? 0.0 : row->error_rps;
		if (isnan(row->rps) || isnan(row->cpu_cores) || !(row->ready >= 1.0))
			continue;
		x[n] = (row->rps - failed) / row->ready;
		y[n] = row->cpu_cores / row->ready;
		served += x[n];
		cpu += y[n++];
	}
	bool is_there = n >= 3 && served > 0.0 && cpu > 0.0;
	if (is_there) {
		FitLine line = fit_line(x, y, n);
		bool has_idle = line.at_zero > 2.0 * line.at_zero_se && line.slope > 0.0 && line.slope_se < .1 * line.slope;
		*ret_demand = has_idle ? line.slope : cpu / served;
		*ret_se = line.slope_se;
		*ret_idle = has_idle ? line.at_zero : 0.0;
		if (!has_idle) { /* through the origin: the error of a ratio */
			double sum = 0.0;
			for (size_t lag = 0; lag <= LAGS && lag < n; lag++)
				for (size_t i = lag; i < n; i++)
					sum += (lag ? 2.0 : 1.0) * (1.0 - (double) lag / (LAGS + 1)) * (y[i] - *ret_demand * x[i]) *
					       (y[i - lag] - *ret_demand * x[i - lag]);
			*ret_se = sqrt(fmax(sum, 0.0)) / served;
		}
		*ret_se = fmax(*ret_se, 1e-3 * *ret_demand);
	}
	free(x);
	free(y);
	return is_there;
}

/* ---- bins ---- */

static bool is_whole(const FitData *data, const FitRow *row)
{
	bool has_counts = data->n_bounds > 0 && row->within[data->n_bounds] > 0.0;
	for (size_t b = 0; b < data->n_bounds && has_counts; b++)
		has_counts = !isnan(row->within[b]);
	double failed = isnan(row->error_rps) ? 0.0 : row->error_rps;
	return has_counts && row->rps > 0.0 && row->ready >= 1.0 && failed <= ERRORS_MAX * row->rps;
}

bool fit_row_is_steady(const FitData *data, size_t i, size_t from, size_t to)
{
	const FitRow *row = &data->row[i];
	if (!is_whole(data, row))
		return false;
	size_t low = i > from ? i - 1 : i, high = i + 1 < to ? i + 1 : i;
	for (size_t k = low; k <= high; k++)
		if (!(fabs(data->row[k].ready - row->ready) < .25) || data->row[k].restarts > row->restarts ||
		    data->row[k].restarts < row->restarts)
			return false;
	return true;
}

typedef struct Steady { /* a usable row */
	size_t i;
	double rate; /* at a pod, smoothed over its neighbours: a short interval's own is half chance */
} Steady;

static int by_rate(const void *a, const void *b)
{
	double x = ((const Steady *) a)->rate, y = ((const Steady *) b)->rate;
	return (x > y) - (x < y);
}

static size_t list_steady(const FitData *data, size_t first, size_t last, Steady *steady)
{
	size_t n = 0;
	for (size_t i = first; i < last; i++) {
		if (!fit_row_is_steady(data, i, first, last))
			continue;
		double sum = 0.0, weight = 0.0;
		for (size_t k = i > first ? i - 1 : i; k <= i + 1 && k < last; k++)
			if (is_whole(data, &data->row[k])) {
				sum += data->row[k].rps;
				weight += data->row[k].ready;
			}
		steady[n++] = (Steady) { i, sum / weight };
	}
	qsort(steady, n, sizeof *steady, by_rate);
	return n;
}

static double count_of(const FitData *data, const FitRow *row, size_t b)
{
	return fmax(row->within[b] - (b ? row->within[b - 1] : 0.0), 0.0) * data->step_s;
}

static double residual(const FitData *data, const Steady *steady, const FitBin *bin, size_t b)
{
	const FitRow *row = &data->row[steady->i];
	return count_of(data, row, b) - row->within[data->n_bounds] * data->step_s * bin->share[b];
}

/*
 * Variance of the bin's counts over a multinomial's. A queue outlives an interval, so neighbours in time go together (Newey and
 * West 1987). steady is in the order of time.
 */
static double dispersion_of(const FitData *data, const Steady *steady, size_t n, const FitBin *bin)
{
	double over = 0.0, degrees = 0.0;
	for (size_t b = 0; b <= data->n_bounds; b++) {
		double sum = 0.0, want = bin->requests * bin->share[b] * (1.0 - bin->share[b]);
		if (want < 10.0)
			continue;
		for (size_t r = 0; r < n; r++) {
			double own = residual(data, &steady[r], bin, b);
			sum += own * own;
			for (size_t s = r + 1; s < n && steady[s].i - steady[r].i <= LAGS; s++)
				sum += 2.0 * (1.0 - (double) (steady[s].i - steady[r].i) / (LAGS + 1)) * own * residual(data, &steady[s], bin, b);
		}
		over += sum / want;
		degrees += 1.0;
	}
	degrees *= n > 1 ? 1.0 - 1.0 / (double) n : 0.0;
	return degrees > 0.0 ? fmax(over / degrees, 1.0) : 4.0;
}

/* A few intervals tell a variance badly: each bin's is the mean with its neighbours' in load. */
static void smooth_dispersions(FitLoad *load)
{
	double own[FIT_BINS];
	for (size_t i = 0; i < load->n_bins; i++)
		own[i] = load->bin[i].dispersion;
	for (size_t i = 0; i < load->n_bins; i++) {
		double sum = 0.0, n = 0.0;
		for (size_t k = i ? i - 1 : 0; k <= i + 1 && k < load->n_bins; k++, n += 1.0)
			sum += own[k];
		load->bin[i].dispersion = fmax(own[i], sum / n);
	}
}

static int by_time(const void *a, const void *b)
{
	size_t x = ((const Steady *) a)->i, y = ((const Steady *) b)->i;
	return (x > y) - (x < y);
}

static void fill_bin(const FitData *data, Steady *steady, size_t n, FitBin *bin)
{
	qsort(steady, n, sizeof *steady, by_time);
	*bin = (FitBin) { 0 };
	for (size_t r = 0; r < n; r++) {
		const FitRow *row = &data->row[steady[r].i];
		double all = row->within[data->n_bounds] * data->step_s;
		bin->requests += all;
		bin->rate += all * steady[r].rate;
		bin->spread += all * steady[r].rate * steady[r].rate;
		bin->pods += all * row->ready;
		for (size_t b = 0; b <= data->n_bounds; b++)
			bin->share[b] += count_of(data, row, b);
	}
	double all = 0.0;
	for (size_t b = 0; b <= data->n_bounds; b++)
		all += bin->share[b];
	for (size_t b = 0; b <= data->n_bounds; b++)
		bin->share[b] /= all;
	bin->rate /= bin->requests;
	bin->spread = sqrt(fmax(bin->spread / bin->requests - bin->rate * bin->rate, 0.0));
	bin->pods /= bin->requests;
	bin->dispersion = dispersion_of(data, steady, n, bin);
}

static int falling(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;
	return (x < y) - (x > y);
}

/* Most cores that a pod used, but for one interval in fifty: counters that move late show too much now and then. */
static double most_used(const FitData *data, size_t first, size_t last, double *room)
{
	size_t n = 0;
	for (size_t i = first; i < last; i++)
		if (data->row[i].ready >= 1.0 && !isnan(data->row[i].cpu_cores))
			room[n++] = data->row[i].cpu_cores / data->row[i].ready;
	qsort(room, n, sizeof *room, falling);
	return n ? room[n / 50] : 0.0;
}

/* The standard normal's quantile within 4.5e-4 (Abramowitz and Stegun 26.2.23). */
static double normal_quantile(double u)
{
	double t = sqrt(-2.0 * log(u < .5 ? u : 1.0 - u));
	double z = t - (2.515517 + t * (.802853 + t * .010328)) / (1.0 + t * (1.432788 + t * (.189269 + t * .001308)));
	return u < .5 ? -z : z;
}

/* A number from each of FIT_DRAWS parts of (0, 1), in a chance order: all of them together are distributed all but
 * exactly, and neighbours as if each were drawn for itself. */
static int draw_strata(Rng *rng, float *ret_u)
{
	uint32_t *order = malloc(FIT_DRAWS * sizeof *order);
	if (!order)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < FIT_DRAWS; i++)
		order[i] = i;
	rng_shuffle(rng, order, FIT_DRAWS);
	for (uint32_t i = 0; i < FIT_DRAWS; i++)
		ret_u[i] = ((float) order[i] + (float) rng_uniform(rng) * .999f + .0005f) / FIT_DRAWS;
	free(order);
	return 0;
}

static int make_draws(FitLoad *load)
{
	load->gap = mem_block(FIT_DRAWS, sizeof *load->gap);
	load->normal = mem_block(FIT_DRAWS, sizeof *load->normal);
	load->exponential = mem_block(FIT_DRAWS, sizeof *load->exponential);
	Rng arrivals, sizes;
	rng_init(&arrivals, load->options->seed, 0, RNG_ARRIVALS);
	rng_init(&sizes, load->options->seed, 0, RNG_SIZES);
	if (!load->gap || !load->normal || !load->exponential || draw_strata(&arrivals, load->gap) ||
	    draw_strata(&sizes, load->exponential))
		return ERR_NOMEM;
	for (size_t i = 0; i < FIT_DRAWS; i++) {
		double u = (double) load->exponential[i];
		load->gap[i] = (float) -log((double) load->gap[i]);
		load->normal[i] = (float) normal_quantile(u);
		load->exponential[i] = (float) -log1p(-u);
	}
	return 0;
}

int fit_load_init(FitLoad *load, const FitData *data, size_t first, size_t last, const FitOptions *options, Error *err)
{
	double idle;
	*load = (FitLoad) { .n_bounds = data->n_bounds, .bound_ms = data->bound_ms, .options = options, .stride = 1 };
	if (last < first + ROWS_MIN)
		return error_set(err, ERR_NO_DATA, "fit: %zu intervals, must be %d", last - first, ROWS_MIN);
	if (!fit_cpu(data, first, last, &load->demand, &load->demand_se, &idle))
		return error_set(err, ERR_NO_DATA, "fit: no intervals with requests, cpu and ready pods known at once");
	Steady *steady = malloc((last - first) * sizeof *steady);
	double *room = malloc((last - first) * sizeof *room);
	Service standard;
	service_default(&standard);
	load->job = mem_block(FIT_PODS * (size_t) server_jobs(&standard), sizeof *load->job);
	int code = steady && room && load->job ? make_draws(load) : ERR_NOMEM;
	if (code) {
		(void) error_set(err, code, "out of memory");
		goto out;
	}
	size_t n = list_steady(data, first, last, steady);
	if (n < ROWS_MIN) {
		code = error_set(err, ERR_NO_DATA, "fit: %zu intervals with latencies and a steady number of ready pods, must be %d", n,
		                 ROWS_MIN);
		goto out;
	}
	load->used_cores = most_used(data, first, last, room);
	load->n_bins = n / 4 < FIT_BINS ? n / 4 : FIT_BINS;
	for (size_t b = 0; b < load->n_bins; b++) {
		size_t from = n * b / load->n_bins, to = n * (b + 1) / load->n_bins;
		fill_bin(data, steady + from, to - from, &load->bin[b]);
	}
	smooth_dispersions(load);
out:
	free(steady);
	free(room);
	return code;
}

double fit_mean_pods(const FitLoad *load)
{
	double pods = 0.0;
	for (size_t i = 0; i < load->n_bins; i++)
		pods += load->bin[i].pods / (double) load->n_bins;
	return pods;
}

void fit_load_done(FitLoad *load)
{
	free(load->gap);
	free(load->normal);
	free(load->exponential);
	free(load->job);
	*load = (FitLoad) { 0 };
}
