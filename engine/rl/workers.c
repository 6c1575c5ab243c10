/* See workers.h. A run is a number that goes up; a thread that has done the newest waits for the next. */
#include "rl/workers.h"

#include "base/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct Worker {
	Workers *workers;
	size_t k;
	pthread_t thread;
} Worker;

struct Workers {
	pthread_mutex_t lock;
	pthread_cond_t begin, end;
	WorkersRun *run; /* of the present run */
	void *arg;
	uint64_t runs;   /* begun so far */
	size_t busy;     /* threads not through with it */
	bool is_closing;
	size_t started;  /* threads, the caller's not counted */
	size_t n;
	Worker worker[];
};

static void *work(void *arg)
{
	Worker *worker = arg;
	Workers *workers = worker->workers;
	uint64_t done = 0;
	(void) pthread_mutex_lock(&workers->lock);
	for (;;) {
		while (workers->runs == done && !workers->is_closing)
			(void) pthread_cond_wait(&workers->begin, &workers->lock);
		if (workers->is_closing)
			break;
		done = workers->runs;
		WorkersRun *run = workers->run;
		void *run_arg = workers->arg;
		(void) pthread_mutex_unlock(&workers->lock);
		run(run_arg, worker->k);
		(void) pthread_mutex_lock(&workers->lock);
		if (--workers->busy == 0)
			(void) pthread_cond_signal(&workers->end);
	}
	(void) pthread_mutex_unlock(&workers->lock);
	return NULL;
}

int workers_new(size_t n, Workers **ret_workers)
{
	Workers *workers = calloc(1, sizeof *workers + n * sizeof workers->worker[0]);
	if (!workers)
		return ERR_NOMEM;
	workers->n = n;
	(void) pthread_mutex_init(&workers->lock, NULL);
	(void) pthread_cond_init(&workers->begin, NULL);
	(void) pthread_cond_init(&workers->end, NULL);
	for (size_t k = 1; k < n; k++) {
		Worker *worker = &workers->worker[k];
		*worker = (Worker) { .workers = workers, .k = k };
		if (pthread_create(&worker->thread, NULL, work, worker)) {
			workers_free(workers);
			return ERR_FAILED;
		}
		workers->started++;
	}
	*ret_workers = workers;
	return 0;
}

void workers_free(Workers *workers)
{
	if (!workers)
		return;
	(void) pthread_mutex_lock(&workers->lock);
	workers->is_closing = true;
	(void) pthread_cond_broadcast(&workers->begin);
	(void) pthread_mutex_unlock(&workers->lock);
	for (size_t k = 1; k <= workers->started; k++)
		(void) pthread_join(workers->worker[k].thread, NULL);
	(void) pthread_cond_destroy(&workers->end);
	(void) pthread_cond_destroy(&workers->begin);
	(void) pthread_mutex_destroy(&workers->lock);
	free(workers);
}

void workers_run(Workers *workers, WorkersRun *run, void *arg)
{
	(void) pthread_mutex_lock(&workers->lock);
	workers->run = run;
	workers->arg = arg;
	workers->busy = workers->n - 1;
	workers->runs++;
	(void) pthread_cond_broadcast(&workers->begin);
	(void) pthread_mutex_unlock(&workers->lock);
	run(arg, 0);
	(void) pthread_mutex_lock(&workers->lock);
	while (workers->busy > 0)
		(void) pthread_cond_wait(&workers->end, &workers->lock);
	(void) pthread_mutex_unlock(&workers->lock);
}
