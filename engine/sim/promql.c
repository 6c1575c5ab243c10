/* See promql.h. */
#include "sim/promql.h"

#include <math.h>

/* Of n samples from first_ms to last_ms, no resets; the caller sets first, last and size. False with less than two: no data. */
static bool window_at(int32_t n, int64_t first_ms, int64_t last_ms, int64_t now_ms, int64_t range_ms, RateWindow *ret)
{
	if (n < 2)
		return false;
	double sampled_s = (double) (last_ms - first_ms) / 1000.0;
	*ret = (RateWindow) {
		.n = n,
		.sampled_s = sampled_s,
		.mean_s = sampled_s / (double) (n - 1),
		.start_s = (double) (first_ms - (now_ms - range_ms)) / 1000.0,
		.end_s = (double) (now_ms - last_ms) / 1000.0,
		.range_s = (double) range_ms / 1000.0,
	};
	return true;
}

bool rate_window(const int64_t *t_ms, int32_t size, int32_t head, int32_t len, int64_t now_ms, int64_t range_ms,
                 RateWindow *ret)
{
	int32_t n = 0, first = 0, last = 0;
	for (int32_t back = len - 1; back >= 0; back--) { /* from the newest */
		int32_t i = head + back;
		if (i >= size)
			i -= size;
		if (t_ms[i] > now_ms)
			continue;
		if (t_ms[i] <= now_ms - range_ms)
			break;
		if (!n++)
			last = i;
		first = i;
	}
	if (!window_at(n, t_ms[first], t_ms[last], now_ms, range_ms, ret))
		return false;
	ret->first = first;
	ret->last = last;
	ret->size = size;
	ret->may_reset = true;
	return true;
}

/* What a counter had reached before each restart in the window. */
static double lost_to_resets(const RateWindow *window, const double *value, int32_t stride)
{
	double lost = 0.0, previous = value[window->first * stride];
	for (int32_t k = 1, i = window->first; k < window->n; k++) {
		if (++i == window->size)
			i = 0;
		double current = value[i * stride];
		if (current < previous)
			lost += previous;
		previous = current;
	}
	return lost;
}

double rate_value(const RateWindow *window, const double *value, int32_t stride)
{
	double first = value[window->first * stride];
	double increase = value[window->last * stride] - first;
	if (window->may_reset)
		increase += lost_to_resets(window, value, stride);
	double to_start = window->start_s;
	if (increase > 0.0 && first >= 0.0) { /* a counter was not below zero before its first sample */
		double to_zero = window->sampled_s * (first / increase);
		if (to_zero < to_start)
			to_start = to_zero;
	}
	double reach = rate_reach(window->sampled_s, window->mean_s, to_start, window->end_s);
	return increase * (reach / window->sampled_s / window->range_s);
}

static void add_young(const RateWindow *window, const double *first, const double *last, int32_t n, double *restrict sum)
{
	RateTerms terms = rate_terms(window);
	for (int32_t k = 0; k < n; k++)
		sum[k] += rate_term(&terms, first[k], last[k] - first[k]);
}

void rate_add(const RateWindow *window, const double *value, int32_t stride, int32_t n, double *restrict sum)
{
	const double *first = &value[window->first * stride], *last = &value[window->last * stride];
	double sampled_s = window->sampled_s;
	if (window->may_reset) {
		for (int32_t k = 0; k < n; k++)
			sum[k] += rate_value(window, value + k, stride);
	} else if (!window->is_old) {
		add_young(window, first, last, n, sum);
	} else {
		double per_s = rate_reach(sampled_s, window->mean_s, window->start_s, window->end_s) / (sampled_s * window->range_s);
		for (int32_t k = 0; k < n; k++)
			sum[k] += (last[k] - first[k]) * per_s;
	}
}

/* The largest of n and 0, by four that do not wait for one another. */
static double most_of(const double *value, int32_t n)
{
	double most[4] = { 0 };
	int32_t i = 0;
	for (; i + 4 <= n; i += 4)
		for (int32_t k = 0; k < 4; k++)
			most[k] = value[i + k] > most[k] ? value[i + k] : most[k];
	for (; i < n; i++)
		most[0] = value[i] > most[0] ? value[i] : most[0];
	double low = most[1] > most[0] ? most[1] : most[0], high = most[3] > most[2] ? most[3] : most[2];
	return high > low ? high : low;
}

double histogram_quantile(double q, const double *bound, const double *rate, int32_t n)
{
	/* Scrapes of several series at several times may not be monotonic over the bounds; Prometheus takes the largest
	 * count so far. */
	double total = most_of(rate, n);
	if (!(total > 0.0))
		return NAN;
	/* The largest count so far reaches the rank where a count does for the first time: no bucket waits for the one before. */
	double rank = q * total;
	int32_t b = n - 1;
	for (int32_t k = n - 2; k >= 0; k--)
		b = rate[k] >= rank ? k : b;
	b = rank > 0.0 ? b : 0;
	if (b == n - 1)
		return bound[n - 2];
	double below = most_of(rate, b), count = rate[b] > below ? rate[b] : below;
	double start = b ? bound[b - 1] : 0.0;
	return start + (bound[b] - start) * ((rank - below) / (count - below));
}
