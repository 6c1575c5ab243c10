/*
 * CPU to burn, within what a container's limit would allow.
 */
#ifndef MAESTRO_SERVE_BURN_H
#define MAESTRO_SERVE_BURN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The rule of the kernel's CFS bandwidth control, as a container runtime sets it: limit x 100 ms of CPU in each period
 * of 100 ms, for all threads together; who asks for more sleeps until the next period. */
typedef struct Quota {
	pthread_mutex_t lock;
	int64_t limit_us;      /* a period; 0: without limit */
	int64_t period;        /* number of the present one */
	int64_t used_us;       /* of it */
} Quota;

void quota_init(Quota *quota, double limit_cores);
void quota_done(Quota *quota);

/* Uses seconds of this thread's CPU time (CLOCK_THREAD_CPUTIME_ID), so that a busy machine makes it slower and not
 * cheaper. False: *stop became true meanwhile, looked at every millisecond of work; NULL: nothing ends it. */
bool burn_cpu(double seconds, Quota *quota, const atomic_bool *stop);

#endif
