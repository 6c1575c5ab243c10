/* Durations counted into buckets of 1 ms to 16 s, each twice the one before (CONTROL B.8). Any number of threads. */
#ifndef MAESTRO_BASE_HISTOGRAM_H
#define MAESTRO_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

enum { HISTOGRAM_BOUNDS = 15 };
typedef struct Histogram {                          /* zeroed: empty */
	_Atomic uint64_t bucket[HISTOGRAM_BOUNDS + 1]; /* not cumulative; the last is +Inf */
	_Atomic int64_t sum_us;
} Histogram;

static inline void histogram_note(Histogram *histogram, int64_t us)
{
	int b = 0;
	while (b < HISTOGRAM_BOUNDS && us > INT64_C(1000) << b)
		b++;
	atomic_fetch_add_explicit(&histogram->bucket[b], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&histogram->sum_us, us, memory_order_relaxed);
}

#endif
