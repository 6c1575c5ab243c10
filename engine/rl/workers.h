/*
 * Threads that run one function together: run k of n gets its number. The caller's thread is number 0, the others
 * wait on a condition between the runs.
 */
#ifndef MAESTRO_RL_WORKERS_H
#define MAESTRO_RL_WORKERS_H

#include <stddef.h>

typedef struct Workers Workers;
typedef void WorkersRun(void *arg, size_t k);

/* n >= 1. ERR_NOMEM, ERR_FAILED when a thread cannot be had. */
int workers_new(size_t n, Workers **ret_workers);
/* Joins the threads. Accepts NULL. */
void workers_free(Workers *workers);
/* Runs run(arg, k) for every k and returns when all are through. No allocation. */
void workers_run(Workers *workers, WorkersRun *run, void *arg);

#endif
