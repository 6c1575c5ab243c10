/* See forecast.h. */
#include "decide/forecast.h"

#include <math.h>
#include <stdbool.h>

static const double LEVEL_GAIN = .3, TREND_GAIN = .05, DAMPING = .97;    /* of holt, an interval of 15 s */
static const double BASE_S = 86400, SEASON_GAIN = .4, CARRY_S = 1800; /* of seasonal: the base moves in a day, a bin once a day */
static const double LOSS_GAIN = .01, RESIDUAL_GAIN = .005;
static const int64_t DAY_MS = 86400000;

static const char *const NAMES[FORECASTERS + 1] = { "last", "line 4", "line 20", "holt", "seasonal", "best" };

const char *forecaster_name(Forecaster forecaster)
{
	return NAMES[forecaster];
}

void forecast_init(Forecast *f, double interval_s, double horizon_s, double quantile)
{
	double steps = ceil(horizon_s / interval_s - 1e-9);
	*f = (Forecast) { .quantile = quantile, .interval_s = interval_s };
	f->horizon = steps < 1 ? 1 : steps > FORECAST_HORIZON_MAX ? FORECAST_HORIZON_MAX : (int32_t) steps;
	for (int k = 0; k < FORECASTERS; k++) {
		f->loss[k] = NAN;
		for (int32_t i = 0; i < FORECAST_HORIZON_MAX; i++)
			f->made[k][i] = NAN;
	}
}

static int32_t bin_of(int64_t wall_ms)
{
	int64_t into = wall_ms % DAY_MS;
	return (int32_t) ((into < 0 ? into + DAY_MS : into) * FORECAST_BINS / DAY_MS);
}

/* Value k intervals ago. */
static double past_at(const Forecast *f, int32_t k)
{
	return f->past[(f->n - 1 - k) % FORECAST_PAST];
}

static double line(const Forecast *f, int32_t window, double ahead)
{
	int32_t n = f->n < window ? (int32_t) f->n : window;
	double mean_t = .5 * (n - 1), mean = 0, top = 0, bottom = 0;
	for (int32_t k = 0; k < n; k++)
		mean += past_at(f, n - 1 - k) / n;
	for (int32_t k = 0; k < n; k++) {
		top += (k - mean_t) * (past_at(f, n - 1 - k) - mean);
		bottom += (k - mean_t) * (k - mean_t);
	}
	return mean + (bottom > 0 ? top / bottom : 0) * (n - 1 - mean_t + ahead);
}

/* Sum of the first powers of the damping: how far a damped trend goes. */
static double reach(double steps)
{
	return DAMPING * (1 - pow(DAMPING, steps)) / (1 - DAMPING);
}

/* What is above or below the profile now goes on for a while. */
static double seasonal(const Forecast *f)
{
	double ahead_s = f->interval_s * f->horizon;
	int32_t then = bin_of(f->wall_ms + (int64_t) (1e3 * ahead_s));
	if (!f->seen[then] || !f->seen[f->bin])
		return NAN;
	return f->base + f->season[then] + exp(-ahead_s / CARRY_S) * (f->level - f->base - f->season[f->bin]);
}

static double mean_forecast(const Forecast *f, int which)
{
	switch (which) {
	case FORECAST_LAST: return past_at(f, 0);
	case FORECAST_LINE_4: return line(f, 4, f->horizon);
	case FORECAST_LINE_20: return line(f, 20, f->horizon);
	case FORECAST_HOLT: return f->level + f->trend * reach(f->horizon);
	default: return seasonal(f);
	}
}

static void learn_levels(Forecast *f, double value)
{
	if (f->n == 1) {
		f->level = value;
		return;
	}
	double before = f->level;
	f->level = (1 - LEVEL_GAIN) * (f->level + DAMPING * f->trend) + LEVEL_GAIN * value;
	f->trend = (1 - TREND_GAIN) * DAMPING * f->trend + TREND_GAIN * (f->level - before);
}

/* The profile of a bin is what is left of its values without the base, at first all of it. */
static void learn_season(Forecast *f, int32_t bin, double value)
{
	bool is_entered = bin != f->bin || f->n == 1;
	double base_gain = fmax(f->interval_s / BASE_S, 1.0 / (double) f->n), per_bin = fmax(86400.0 / FORECAST_BINS / f->interval_s, 1);
	f->seen[bin] += is_entered;
	f->base += base_gain * (value - f->base - (f->seen[bin] > 1 ? f->season[bin] : 0));
	double gain = f->seen[bin] > 1 ? SEASON_GAIN / per_bin : is_entered ? 1 : 1 / per_bin;
	f->season[bin] += gain * (value - f->base - f->season[bin]);
	f->bin = bin;
}

/* What was forecast for now is judged by now. */
static void judge(Forecast *f, double value)
{
	for (int k = 0; k < FORECASTERS; k++) {
		double made = f->made[k][f->n % f->horizon];
		if (isnan(made))
			continue;
		double error = value - made, over = error - f->residual[k], size = fabs(error);
		double loss = over > 0 ? f->quantile * over : (f->quantile - 1) * over;
		bool is_first = isnan(f->loss[k]);
		f->loss[k] = is_first ? loss : f->loss[k] + LOSS_GAIN * (loss - f->loss[k]);
		f->scale[k] = is_first ? size : f->scale[k] + LOSS_GAIN * (size - f->scale[k]);
		f->residual[k] += RESIDUAL_GAIN * f->scale[k] * (over > 0 ? f->quantile : f->quantile - 1);
	}
}

void forecast_push(Forecast *f, int64_t wall_ms, double value)
{
	judge(f, value);
	f->past[f->n % FORECAST_PAST] = value;
	f->n++;
	f->wall_ms = wall_ms;
	learn_levels(f, value);
	learn_season(f, bin_of(wall_ms), value);
	for (int k = 0; k < FORECASTERS; k++)
		f->made[k][(f->n - 1 + f->horizon) % f->horizon] = mean_forecast(f, k);
}

double forecast_upper(const Forecast *f, Forecaster which, Forecaster *ret_used)
{
	if (!f->n)
		return NAN;
	int use = which == FORECAST_BEST ? FORECAST_LAST : (int) which;
	for (int k = 0; which == FORECAST_BEST && k < FORECASTERS; k++)
		if (f->loss[k] < f->loss[use]) /* never true of what was not judged */
			use = k;
	double mean = mean_forecast(f, use);
	if (isnan(mean)) {
		use = FORECAST_LAST;
		mean = mean_forecast(f, use);
	}
	if (ret_used)
		*ret_used = (Forecaster) use;
	return fmax(mean + f->residual[use], 0);
}
