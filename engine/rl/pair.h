/*
 * A second thread that works in step with the caller's, for jobs of microseconds: a job is a message to it and one back,
 * each a cache line, and nobody sleeps in between. It is a help, never a need: where it is not there in time, or the
 * machine lets it wait, the caller does the job itself, so which thread did a job must not show in its result.
 *
 *     pair_open                        many jobs will follow: the thread wakes up and joins
 *     has = pair_post(run, arg, &in)   true: the thread has the job
 *     ... the caller's own part ...
 *     has ? pair_wait(&out) : run(arg, in, out)
 *     pair_close
 */
#ifndef MAESTRO_RL_PAIR_H
#define MAESTRO_RL_PAIR_H

#include <stdbool.h>

enum { PAIR_BYTES = 48 }; /* of a message */

typedef struct Pair Pair;
typedef void PairRun(void *arg, const void *in, void *out); /* in and out: PAIR_BYTES, aligned to 8 */

/* has_thread false: every post is refused. ERR_NOMEM, ERR_FAILED when a thread cannot be had. */
int pair_new(bool has_thread, Pair **ret_pair);
/* Joins the thread. Accepts NULL. */
void pair_free(Pair *pair);

void pair_step_aside(Pair *pair); /* sched_step_aside, of its thread, between two sessions */
void pair_open(Pair *pair); /* nothing where it is open */
void pair_close(Pair *pair);
/* One job at a time: each that was taken is waited for before the next. */
bool pair_post(Pair *pair, PairRun *run, void *arg, const void *in);
void pair_wait(Pair *pair, void *out);

#endif
