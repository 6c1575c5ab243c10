/*
 * rate() and histogram_quantile() of Prometheus 2.x (promql/functions.go, promql/quantile.go), to the last digit:
 * extrapolation to the window's ends, counter resets, no rate below zero.
 *
 * A series is a ring of samples. Series that were scraped together (the buckets of one pod) share their time stamps, so
 * what depends on these alone is worked out once for them all. The window is (now - range, now], left-open as in
 * Prometheus 3; 2.x takes in a sample at exactly now - range too.
 */
#ifndef MAESTRO_SIM_PROMQL_H
#define MAESTRO_SIM_PROMQL_H

#include <stdbool.h>
#include <stdint.h>

typedef struct RateWindow {
	int32_t first, last;  /* indices into the ring */
	int32_t n, size;      /* samples in the window, of the ring */
	double sampled_s, mean_s; /* first to last, and between neighbours */
	double start_s, end_s; /* from the window's ends to the first and last sample */
	double range_s;
	bool may_reset;       /* look for decreases */
	bool is_old;          /* the counters' zero is not in sight */
} RateWindow;

/* Seconds that samples stand for: up to the window's ends, or by half an interval where an end is far. */
static inline double rate_reach(double sampled_s, double mean_s, double start_s, double end_s)
{
	double near_s = mean_s * 1.1, half_s = mean_s / 2.0;
	return sampled_s + (start_s < near_s ? start_s : half_s) + (end_s < near_s ? end_s : half_s);
}

/* What all series of a window share in rate_value(), where nothing was reset. */
typedef struct RateTerms {
	double sampled_s, start_s, near_s, half_s;
	double after_s;       /* sampled, and what the end adds */
	double per_s;         /* 1 / (sampled x range) */
} RateTerms;

static inline RateTerms rate_terms(const RateWindow *window)
{
	double near_s = 1.1 * window->mean_s, half_s = .5 * window->mean_s;
	return (RateTerms) {
		.sampled_s = window->sampled_s, .start_s = window->start_s, .near_s = near_s, .half_s = half_s,
		.after_s = window->sampled_s + (window->end_s < near_s ? window->end_s : half_s),
		.per_s = 1.0 / (window->sampled_s * window->range_s),
	};
}

/* The rate of a counter that was `first` at the first sample and grew by `increase`: without a division or a branch. */
static inline double rate_term(const RateTerms *terms, double first, double increase)
{
	double to_start = terms->start_s * increase, to_zero = terms->sampled_s * first;
	to_start = to_zero < to_start ? to_zero : to_start;
	to_start = to_start < terms->near_s * increase ? to_start : terms->half_s * increase;
	return (terms->after_s * increase + to_start) * terms->per_s;
}

/* t_ms is a ring of `size` with its oldest sample at `head` and `len` of them. False with less than two samples in the
 * window: no data. */
bool rate_window(const int64_t *t_ms, int32_t size, int32_t head, int32_t len, int64_t now_ms, int64_t range_ms,
                 RateWindow *ret);

/* Increase a second of the series whose sample i is value[i * stride]. */
double rate_value(const RateWindow *window, const double *value, int32_t stride);

/* Adds to sum[k] the rate of each of `n` series that lie side by side in every sample of `stride` values. */
void rate_add(const RateWindow *window, const double *value, int32_t stride, int32_t n, double *restrict sum);

/* rate[b] counts at or under bound[b] (rising, the last INFINITY; at least 2). NAN without observations. */
double histogram_quantile(double q, const double *bound, const double *rate, int32_t n);

#endif
