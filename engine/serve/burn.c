/* See burn.h. CPU is taken from the quota in slices, and a slice is burnt in loops of arithmetic between two looks at
 * the clock. */
#include "serve/burn.h"

#include <time.h>

enum { PERIOD_US = 100000, SLICE_US = 1000 };

void quota_init(Quota *quota, double limit_cores)
{
	*quota = (Quota) { .limit_us = (int64_t) (limit_cores * PERIOD_US) };
	(void) pthread_mutex_init(&quota->lock, NULL);
}

void quota_done(Quota *quota)
{
	(void) pthread_mutex_destroy(&quota->lock);
}

static int64_t read_us(clockid_t id)
{
	struct timespec t;
	(void) clock_gettime(id, &t);
	return (int64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Takes us from the present period, false when it has not that much left. The part of a slice past the limit is lent
 * by the next period, so that a limit below one slice still gets its share. */
static bool take(Quota *quota, int64_t us, int64_t *ret_wait_us)
{
	int64_t now_us = read_us(CLOCK_MONOTONIC), period = now_us / PERIOD_US;
	(void) pthread_mutex_lock(&quota->lock);
	if (period > quota->period) {
		int64_t debt_us = quota->used_us - quota->limit_us * (period - quota->period);
		quota->used_us = debt_us > 0 ? debt_us : 0;
		quota->period = period;
	}
	bool is_granted = quota->used_us < quota->limit_us;
	if (is_granted)
		quota->used_us += us;
	(void) pthread_mutex_unlock(&quota->lock);
	*ret_wait_us = (period + 1) * PERIOD_US - now_us;
	return is_granted;
}

static void burn_slice(int64_t us)
{
	volatile double sink = 1.0;
	int64_t until_us = read_us(CLOCK_THREAD_CPUTIME_ID) + us;
	while (read_us(CLOCK_THREAD_CPUTIME_ID) < until_us)
		for (int i = 0; i < 200; i++)
			sink = sink * 1.0000001 + 1e-9;
}

bool burn_cpu(double seconds, Quota *quota, const atomic_bool *stop)
{
	for (int64_t left_us = (int64_t) (seconds * 1e6); left_us > 0;) {
		int64_t slice_us = left_us < SLICE_US ? left_us : SLICE_US, wait_us;
		if (stop && atomic_load_explicit(stop, memory_order_relaxed))
			return false;
		if (quota->limit_us > 0 && !take(quota, slice_us, &wait_us)) {
			(void) nanosleep(&(struct timespec) { wait_us / 1000000, wait_us % 1000000 * 1000 }, NULL);
			continue;
		}
		burn_slice(slice_us);
		left_us -= slice_us;
	}
	return true;
}
