/* See stress.h. */
#include "serve/stress.h"

#include <stdlib.h>
#include <time.h>

enum { SLICE_MS = 100 };

typedef struct Worker {
	Stress *stress;
	int number;
	pthread_t thread;
} Worker;

struct Stress {
	Quota *quota;
	pthread_mutex_t lock; /* of the three below */
	pthread_cond_t changed;
	int workers, load_pct;
	int64_t until_ms;
	atomic_bool is_stopping;
	int n_started;
	Worker worker[STRESS_WORKERS_MAX];
};

static int64_t now_ms(void)
{
	struct timespec t;
	(void) clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits until it is this worker's turn; the load. 0: the end. */
static int wait_for_turn(Worker *worker)
{
	Stress *stress = worker->stress;
	(void) pthread_mutex_lock(&stress->lock);
	while (!atomic_load(&stress->is_stopping) && (worker->number >= stress->workers || now_ms() >= stress->until_ms))
		(void) pthread_cond_wait(&stress->changed, &stress->lock);
	int load_pct = atomic_load(&stress->is_stopping) ? 0 : stress->load_pct;
	(void) pthread_mutex_unlock(&stress->lock);
	return load_pct;
}

static void *work(void *arg)
{
	Worker *worker = arg;
	for (int load_pct; (load_pct = wait_for_turn(worker)) > 0;) {
		(void) burn_cpu(SLICE_MS * load_pct / 1e5, worker->stress->quota, &worker->stress->is_stopping);
		long rest_ms = SLICE_MS * (100 - load_pct) / 100;
		(void) nanosleep(&(struct timespec) { 0, rest_ms * 1000000 }, NULL);
	}
	return NULL;
}

bool stress_set(Stress *stress, int workers, int load_pct, int seconds)
{
	if (workers < 1 || workers > STRESS_WORKERS_MAX || load_pct < 0 || load_pct > 100 || seconds < 0 || seconds > STRESS_S_MAX)
		return false;
	(void) pthread_mutex_lock(&stress->lock);
	stress->workers = load_pct ? workers : 0;
	stress->load_pct = load_pct;
	stress->until_ms = now_ms() + seconds * INT64_C(1000);
	(void) pthread_cond_broadcast(&stress->changed);
	(void) pthread_mutex_unlock(&stress->lock);
	return true;
}

int stress_new(Quota *quota, Stress **ret_stress, Error *err)
{
	Stress *stress = calloc(1, sizeof *stress);
	if (!stress)
		return error_set(err, ERR_NOMEM, "out of memory");
	stress->quota = quota;
	(void) pthread_mutex_init(&stress->lock, NULL);
	(void) pthread_cond_init(&stress->changed, NULL);
	for (; stress->n_started < STRESS_WORKERS_MAX; stress->n_started++) {
		Worker *worker = &stress->worker[stress->n_started];
		*worker = (Worker) { .stress = stress, .number = stress->n_started };
		if (!pthread_create(&worker->thread, NULL, work, worker))
			continue;
		stress_free(stress);
		return error_set(err, ERR_NOMEM, "cannot start a thread");
	}
	*ret_stress = stress;
	return 0;
}

void stress_free(Stress *stress)
{
	if (!stress)
		return;
	(void) pthread_mutex_lock(&stress->lock);
	atomic_store(&stress->is_stopping, true);
	(void) pthread_cond_broadcast(&stress->changed);
	(void) pthread_mutex_unlock(&stress->lock);
	for (int i = 0; i < stress->n_started; i++)
		(void) pthread_join(stress->worker[i].thread, NULL);
	(void) pthread_cond_destroy(&stress->changed);
	(void) pthread_mutex_destroy(&stress->lock);
	free(stress);
}
