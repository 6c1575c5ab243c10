/* See response.h. The rows are uniform in sqrt(n): fine where the pod is almost idle, 2 requests apart when full. */
#include "sim/response.h"

#include "base/mem.h"
#include "sim/table_cache.h"

#include <math.h>
#include <stdlib.h>

enum { TABLE_REQUESTS = 100000, TABLE_SEED = 1 };

const double BUCKET_MS[BUCKETS] = {
	.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000,
	INFINITY,
};

static double n_of_row(int32_t i)
{
	return (double) i * i / (ROOT_STEPS * ROOT_STEPS);
}

static inline __attribute__((always_inline)) void stretch_each(const Response *response, float load, float stretch,
                                                               float *restrict hazard)
{
	int32_t j = (int32_t) load, n = response->n_points;
	if (j > TABLE_LOADS - 2)
		j = TABLE_LOADS - 2;
	const float *restrict low = response->log_hazard[j], *restrict high = response->log_hazard[j + 1];
	float mix = load - (float) j, shift = LOG_STEPS * log2f(stretch);
	for (int32_t q = 0; q < response->n_finite; q++) {
		float x = response->point_log[q] - shift;
		x = x > 0.0f ? x : 0.0f;
		x = x < LOG_POINTS - 1.001f ? x : LOG_POINTS - 1.001f;
		int32_t k = (int32_t) x;
		float a = low[k] + mix * (high[k] - low[k]), b = low[k + 1] + mix * (high[k + 1] - low[k + 1]);
		hazard[q] = a + (x - (float) k) * (b - a);
	}
	for (int32_t q = response->n_finite; q < n; q++)
		hazard[q] = HAZARD_MAX;
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void stretch_wide(const Response *response, float load, float stretch, float *hazard)
{
	stretch_each(response, load, stretch, hazard);
}
#else
#define stretch_wide stretch_each
#endif

bool response_has_wide(void)
{
#ifdef __x86_64__
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
#else
	return false;
#endif
}

void response_stretch(const Response *response, float load, float stretch, float *ret_hazard)
{
	if (response->is_wide)
		stretch_wide(response, load, stretch, ret_hazard);
	else
		stretch_each(response, load, stretch, ret_hazard);
}

static float hazard_at(const float *low, const float *high, float mix, double t_s, double stretch)
{
	double x = t_s > 0.0 ? LOG_STEPS * (log2(t_s / stretch) - TIME_LOW) : 0.0;
	int32_t k = (int32_t) fmin(fmax(x, 0.0), LOG_POINTS - 2.0);
	float part = (float) fmin(fmax(x - k, 0.0), 1.0), a = low[k] + mix * (high[k] - low[k]);
	return a + part * (low[k + 1] + mix * (high[k + 1] - low[k + 1]) - a);
}

void response_delay(const Response *response, float load, float stretch, float delay_s, float loss, float *ret_hazard)
{
	const double again_s = .2;
	int32_t j = (int32_t) load < TABLE_LOADS - 2 ? (int32_t) load : TABLE_LOADS - 2;
	const float *low = response->log_hazard[j], *high = response->log_hazard[j + 1];
	float mix = load - (float) j;
	for (int p = 0; p < response->n_points; p++) {
		double t_s = response->point_s[p] - (double) delay_s;
		float once = hazard_at(low, high, mix, t_s, (double) stretch);
		float over = (1.0f - loss) * expf(-once);
		if (loss > 0.0f)
			over += loss * expf(-hazard_at(low, high, mix, t_s - again_s, (double) stretch));
		ret_hazard[p] = over > 1e-13f ? -logf(over) : HAZARD_MAX;
	}
}

/* P(sojourn <= t_s) at a place. */
static double cdf_at(const Response *response, Place place, double t_s)
{
	double part;
	int32_t bin = time_bin(t_s, &part);
	float load = place_mix(place, response->row[place.at].load, response->row[place.at + 1].load);
	int32_t j = (int32_t) load;
	if (j > TABLE_LOADS - 2)
		j = TABLE_LOADS - 2;
	const float *low = response->table.cdf[j], *high = response->table.cdf[j + 1];
	float mix = load - (float) j;
	float a = low[bin] + mix * (high[bin] - low[bin]);
	float b = low[bin + 1] + mix * (high[bin + 1] - low[bin + 1]);
	return (double) a + part * (double) (b - a);
}

double response_quantile(const Response *response, Place place, double q)
{
	int32_t low = 0, high = TIME_POINTS - 1;
	while (high - low > 1) {
		int32_t mid = (low + high) / 2;
		if (cdf_at(response, place, time_point(mid)) >= q)
			high = mid;
		else
			low = mid;
	}
	double t0 = time_point(low), t1 = time_point(high);
	double c0 = cdf_at(response, place, t0), c1 = cdf_at(response, place, t1);
	return c1 > c0 ? t0 + (t1 - t0) * (q - c0) / (c1 - c0) : t1;
}

double response_capacity(const Response *response, double latency_s)
{
	double low = 0.0, high = (double) response->n_max;
	if (response_quantile(response, response_place(response, (float) low), .95) > latency_s)
		return 0.0;
	for (int i = 0; i < 60; i++) {
		double mid = .5 * (low + high);
		if (response_quantile(response, response_place(response, (float) mid), .95) <= latency_s)
			low = mid;
		else
			high = mid;
	}
	Place place = response_place(response, (float) low);
	return (double) place_mix(place, response->row[place.at].rate, response->row[place.at + 1].rate);
}

/* Between two loads the rate is interpolated over n/(1+n), which is rho itself where the pod is an M/M/1 queue, and the
 * rest over n, which is 1/(1-rho) there. */
static double share(double n)
{
	return n / (1.0 + n);
}

static void fill_row(const Response *response, double n, ResponseRow *row)
{
	const ResponseTable *table = &response->table;
	int j = 0;
	while (j < TABLE_LOADS - 2 && n >= (double) table->n[j + 1])
		j++;
	double n0 = (double) table->n[j], n1 = (double) table->n[j + 1];
	if (n < n0) { /* almost idle: everything is in proportion to n */
		double part = n / n0;
		*row = (ResponseRow) { .accept = 1.0f, .rate = (float) (part * (double) table->x[0]),
			.cores = (float) (part * (double) table->cores[0]), .mean_s = table->mean_s[0] };
		return;
	}
	double part = fmin((n - n0) / (n1 - n0), 1.0);
	double over = fmin((share(n) - share(n0)) / (share(n1) - share(n0)), 1.0);
	Place at = { j, (float) part }, rate_at = { j, (float) over };
	row->accept = place_mix(at, table->accept[j], table->accept[j + 1]);
	row->rate = place_mix(rate_at, table->x[j], table->x[j + 1]);
	row->cores = place_mix(rate_at, table->cores[j], table->cores[j + 1]);
	row->mean_s = place_mix(at, table->mean_s[j], table->mean_s[j + 1]);
	row->load = (float) (j + part);
}

static float gain_of(double slope, double dt)
{
	return (float) (slope * dt > 1e-9 ? -expm1(-slope * dt) / slope : dt);
}

static float hazard_of(float over)
{
	if (over <= HAZARD_OVER)
		return HAZARD_MAX;
	float hazard = -logf(over);
	return hazard > 0.0f ? hazard : 0.0f;
}

static void fill_hazard(const Response *response, int32_t i, ResponseRow *row)
{
	Place at = i + 1 < response->n_rows ? (Place) { i, 0.0f } : (Place) { i - 1, 1.0f };
	for (int p = 0; p < POINTS; p++)
		row->hazard[p] = isinf(response->point_s[p]) ? HAZARD_MAX
			: hazard_of((float) (1.0 - cdf_at(response, at, response->point_s[p])));
}

static void fill_log_hazards(Response *response)
{
	for (int p = 0; p < POINTS; p++)
		response->point_log[p] = isinf(response->point_s[p]) ? LOG_POINTS :
		                         (float) (LOG_STEPS * (log2(response->point_s[p]) - TIME_LOW));
	for (int k = 0; k < LOG_POINTS; k++) {
		double part;
		int32_t bin = time_bin(exp2(TIME_LOW + (double) k / LOG_STEPS), &part);
		for (int j = 0; j < TABLE_LOADS; j++) {
			const float *cdf = response->table.cdf[j];
			double below = (double) cdf[bin] + part * (double) (cdf[bin + 1] - cdf[bin]);
			response->log_hazard[j][k] = k < LOG_POINTS - 1 ? hazard_of((float) (1.0 - below)) : HAZARD_MAX;
		}
	}
}

/* A bound below which no request is done, or above which none is, however full the pod, needs no point. */
static void choose_points(Response *response, double timeout_s, double soft_ms, double hard_ms)
{
	const float *idle = response->table.cdf[0], *full = response->table.cdf[TABLE_LOADS - 1];
	double part, most = 2.0; /* a lagging pod may stretch the fullest's distribution */
	int last = BUCKETS - 2;
	response->first = 0;
	while (response->first < last && idle[time_bin(BUCKET_MS[response->first] * 1e-3, &part) + 1] <= 0.0f)
		response->first++;
	while (last > response->first && full[time_bin(BUCKET_MS[last] * 1e-3 / most, &part)] >= 1.0f)
		last--;
	response->bounds = last - response->first + 1;
	response->n_points = (response->bounds + AFTER + SIDE_BY_SIDE - 1) / SIDE_BY_SIDE * SIDE_BY_SIDE;
	for (int p = 0; p < POINTS; p++)
		response->point_s[p] = p < response->bounds ? BUCKET_MS[response->first + p] * 1e-3 : INFINITY;
	int below = response->first - (response->first > 0), beyond = last + (last < BUCKETS - 2);
	response->n_buckets = beyond - below + 1;
	for (int b = 0; b < response->n_buckets; b++)
		response->bucket_ms[b] = BUCKET_MS[below + b];
	response->bucket_ms[response->n_buckets++] = INFINITY;
	double *after = &response->point_s[response->bounds];
	after[AFTER_TIMEOUT] = timeout_s;
	if (soft_ms > 0.0)
		after[AFTER_SOFT] = soft_ms * 1e-3;
	if (hard_ms > 0.0)
		after[AFTER_HARD] = hard_ms * 1e-3;
	for (int p = 0; p < POINTS; p++) {
		response->point[p] = (float) response->point_s[p];
		response->n_finite = isinf(response->point_s[p]) ? response->n_finite : p + 1;
	}
}

static void fill_rows(Response *response)
{
	for (int32_t i = 0; i < response->n_rows; i++)
		fill_row(response, n_of_row(i), &response->row[i]);
	for (int32_t i = 1; i < response->n_rows; i++) /* measured rates may dip by noise: the flow must settle */
		response->row[i].rate = fmaxf(response->row[i].rate, response->row[i - 1].rate);
	for (int32_t i = 0; i < response->n_rows; i++) {
		ResponseRow *row = &response->row[i];
		row->start = (float) ((double) i * i);
		row->per_width = (float) (1.0 / (2.0 * i + 1.0));
		int32_t to = i + 1 < response->n_rows ? i + 1 : i, from = to - 1;
		double slope = (double) (response->row[to].rate - response->row[from].rate) / (n_of_row(to) - n_of_row(from));
		row->slope = (float) slope;
		row->gain = gain_of(slope, response->dt);
		row->gain_small = gain_of(slope, response->dt / PIECES);
		fill_hazard(response, i, row);
	}
}

static void fill_settled(Response *response)
{
	const ResponseTable *table = &response->table;
	for (int i = 0, j = 0; i < LOAD_STEPS + 2; i++) {
		double rho = i * (2.0 / LOAD_STEPS);
		while (j < TABLE_LOADS - 2 && rho >= (double) table->rho[j + 1])
			j++;
		double rho0 = (double) table->rho[j], rho1 = (double) table->rho[j + 1];
		double n0 = (double) table->n[j], n1 = (double) table->n[j + 1];
		if (rho < rho0) {
			response->n_at[i] = (float) (n0 * rho / rho0);
			continue;
		}
		double over = share(n0) + (share(n1) - share(n0)) * (rho - rho0) / (rho1 - rho0);
		response->n_at[i] = (float) (over / (1.0 - over));
	}
}

/* P(demand > x mean ones); what every request has in common (overhead) is small and counted as in proportion. */
static double demand_over(const Service *service, double x)
{
	double variance = log1p(service->service_cv * service->service_cv);
	if (service->service_cv == 1.0)
		return exp(-x);
	if (variance <= 0.0)
		return x < 1.0 ? 1.0 : 0.0;
	return x > 0.0 ? .5 * erfc((log(x) + .5 * variance) / sqrt(2.0 * variance)) : 1.0;
}

/* E[1 - exp(-y B)]/y of a demand B of mean 1, as the integral of exp(-y x) P(B > x), over ln x. */
static double damped_mean(const Service *service, double y)
{
	enum { STEPS = 240 };
	static const double LOW = -12.0, HIGH = 12.0;
	double sum = 0.0, width = (HIGH - LOW) / STEPS;
	for (int i = 0; i < STEPS; i++) {
		double x = exp(LOW + (i + .5) * width);
		sum += width * x * exp(-y * x) * demand_over(service, x);
	}
	return sum;
}

/*
 * Shared among a growing number, small demands still get done: the number grows as z t with z = lambda (1 - E exp(-z B))
 * (Jean-Marie and Robert 1994), that is 1/rho = damped_mean(z S): at saturation 2/(1 + cv^2) of what an exponential demand makes.
 */
static void fill_growth(Response *response, const Service *service)
{
	double cv = service->service_cv, whole = damped_mean(service, 0.0); /* 1 but for the sum's error */
	response->is_even = cv == 1.0;
	response->rising = .64f * fminf((float) (2.0 / (1.0 + cv * cv)), 1.0f); /* with more for even demands the number is better, its p95 worse */
	response->growth[0] = (float) (2.0 / (1.0 + cv * cv));
	for (int i = 1; i < GROWTH_STEPS + 2; i++) {
		double rho = 1.0 + (double) i / GROWTH_STEPS, low = 0.0, high = 2.0 * rho;
		for (int k = 0; k < 40 && !response->is_even; k++) {
			double y = .5 * (low + high);
			*(damped_mean(service, y) * rho > whole ? &low : &high) = y;
		}
		response->growth[i] = response->is_even ? 1.0f : (float) (low / (rho - 1.0));
	}
}

static void fill_demand(Response *response, const Service *service)
{
	enum { FINE = 8 };
	response->demand_most = 0.0f;
	double had = 0.0, width = 1.0 / (DEMAND_STEPS * FINE);
	for (int i = 0; i < DEMAND_STEPS * DEMAND_MOST + 2; i++) {
		response->demand_below[i] = (float) (1.0 - demand_over(service, (double) i / DEMAND_STEPS));
		response->demand_had[i] = (float) had;
		if (response->demand_below[i] < .9999f)
			response->demand_most = (float) (i + 1) / DEMAND_STEPS;
		for (int k = 0; k < FINE; k++)
			had += width * demand_over(service, (double) i / DEMAND_STEPS + (k + .5) * width);
	}
}

/*
 * Sampling noise: a window's p95 of n requests varies by 4/((1-rho)^2 n) of its square (fitted to SIM 4.3's measured
 * table: n var is 6.5, 13.5, 47, 101, 432 at rho .3, .5, .7, .8, .9), as an AR(1) with the queue's relaxation time tau.
 * Its variance a pod then is 4/(rho (1+cv^2)) (tau/dt) (1-keep)/(1+keep), whatever the window.
 */
static void fill_noise(Response *response, const Service *service)
{
	double spread = 1.0 + service->service_cv * service->service_cv;
	double scale_s = spread * service_demand_s(service) / (double) response->cores;
	for (int i = 0; i < LOAD_STEPS + 2; i++) {
		double rho = fmax(i * (2.0 / LOAD_STEPS), .05);
		double tau = fmin(60.0, scale_s / fmax((1.0 - rho) * (1.0 - rho), 1e-6));
		double keep = exp(-response->dt / tau);
		double variance = 2.0 / (rho * spread) * tau / response->dt * (1.0 - keep) / (1.0 + keep);
		response->noise_keep[i] = (float) keep;
		response->noise_new[i] = (float) sqrt(1.0 - keep * keep);
		response->noise_sd[i] = (float) sqrt(fmin(variance, 1.0));
	}
}

static int take_table(Response *response, const Service *service)
{
	Service standard;
	service_default(&standard);
	if (table_is_shared(service, &standard)) {
		response->table = *table_default();
		return 0;
	}
	if (table_cache_read(service, TABLE_REQUESTS, TABLE_SEED, &response->table))
		return 0;
	int code = table_build_settled(service, TABLE_REQUESTS, TABLE_SEED, &response->table);
	if (!code)
		table_cache_write(service, TABLE_REQUESTS, TABLE_SEED, &response->table);
	return code;
}

int response_new(const Service *service, double dt, double soft_ms, double hard_ms, Response **ret_response)
{
	int code = ERR_NOMEM;
	Response *response = mem_block(1, sizeof *response);
	if (!response)
		return ERR_NOMEM;
	response->n_max = (float) (service->concurrency + service->queue_max);
	response->n_rows = (int32_t) ceil(sqrt((double) response->n_max) * ROOT_STEPS) + 2;
	response->cores = (float) service_cores(service);
	response->mu = (float) (service_cores(service) / service_demand_s(service));
	fill_growth(response, service);
	response->concurrency = (float) service->concurrency;
	response->dt = dt;
	response->is_wide = response_has_wide();
	response->row = mem_block((size_t) response->n_rows, sizeof *response->row);
	response->log_hazard = mem_block(TABLE_LOADS, sizeof *response->log_hazard);
	if (!response->row || !response->log_hazard)
		goto fail;
	code = take_table(response, service);
	if (code)
		goto fail;
	choose_points(response, service->client_timeout, soft_ms, hard_ms);
	fill_log_hazards(response);
	fill_rows(response);
	fill_settled(response);
	fill_demand(response, service);
	fill_noise(response, service);
	*ret_response = response;
	return 0;
fail:
	response_free(response);
	return code;
}

void response_free(Response *response)
{
	if (!response)
		return;
	free(response->row);
	free(response->log_hazard);
	free(response);
}
