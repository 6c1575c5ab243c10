/*
 * See pair.h. Each side writes one line and watches the other's: `posted` counts jobs handed over, `done` jobs returned.
 * Between sessions the thread sleeps on a condition; within one it watches, and after some microseconds without news naps
 * between looks, so that no wake-up is needed and none can be lost. A caller that had to nap over a job does without the
 * thread for twice as many sessions as the last time.
 */
#include "rl/pair.h"

#include "base/err.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE = 64, LOOKS = 2000, NAP_NS = 50000, LONGEST_ALONE = 64 }; /* LOOKS: some 50 us */

struct Pair {
	_Alignas(LINE) _Atomic uint32_t posted; /* the caller's line */
	_Atomic uint32_t session;               /* odd: open */
	char in[PAIR_BYTES];
	_Alignas(LINE) _Atomic uint32_t done;   /* the thread's line */
	_Atomic uint32_t joined;                /* the session in which it watches */
	char out[PAIR_BYTES];
	_Alignas(LINE) PairRun *run;
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t opened;
	bool has_thread, is_closing;
	uint32_t alone, next_alone;             /* sessions without the thread: left, and after the next nap */
};

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* Between two looks; *looks counts them. */
static void rest(uint32_t *looks)
{
	if (++*looks < LOOKS)
		relax();
	else
		(void) nanosleep(&(struct timespec) { .tv_nsec = NAP_NS }, NULL);
}

static uint32_t session_of(Pair *pair)
{
	return atomic_load_explicit(&pair->session, memory_order_acquire);
}

/* The session that is open, once one is; 0: the pair is at its end. */
static uint32_t next_session(Pair *pair)
{
	(void) pthread_mutex_lock(&pair->lock);
	while (!pair->is_closing && session_of(pair) % 2 == 0)
		(void) pthread_cond_wait(&pair->opened, &pair->lock);
	uint32_t session = pair->is_closing ? 0 : session_of(pair);
	(void) pthread_mutex_unlock(&pair->lock);
	return session;
}

/* True: a job has come; false: the session is over. */
static bool next_job(Pair *pair, uint32_t session, uint32_t done)
{
	for (uint32_t looks = 0;; rest(&looks)) {
		if (atomic_load_explicit(&pair->posted, memory_order_acquire) != done)
			return true;
		if (session_of(pair) != session)
			return false;
	}
}

static void *work(void *arg)
{
	Pair *pair = arg;
	uint32_t session, done = 0;
	while ((session = next_session(pair))) {
		atomic_store_explicit(&pair->joined, session, memory_order_release);
		while (next_job(pair, session, done)) {
			pair->run(pair->arg, pair->in, pair->out);
			atomic_store_explicit(&pair->done, ++done, memory_order_release);
		}
	}
	return NULL;
}

int pair_new(bool has_thread, PairRun *run, void *arg, Pair **ret_pair)
{
	Pair *pair = aligned_alloc(LINE, sizeof *pair);
	if (!pair)
		return ERR_NOMEM;
	*pair = (Pair) { .run = run, .arg = arg, .next_alone = 1 };
	(void) pthread_mutex_init(&pair->lock, NULL);
	(void) pthread_cond_init(&pair->opened, NULL);
	if (has_thread && pthread_create(&pair->thread, NULL, work, pair)) {
		pair_free(pair);
		return ERR_FAILED;
	}
	pair->has_thread = has_thread;
	*ret_pair = pair;
	return 0;
}

void pair_free(Pair *pair)
{
	if (!pair)
		return;
	(void) pthread_mutex_lock(&pair->lock);
	pair->is_closing = true;
	(void) pthread_cond_signal(&pair->opened);
	(void) pthread_mutex_unlock(&pair->lock);
	if (pair->has_thread)
		(void) pthread_join(pair->thread, NULL);
	(void) pthread_cond_destroy(&pair->opened);
	(void) pthread_mutex_destroy(&pair->lock);
	free(pair);
}

void pair_open(Pair *pair)
{
	if (!pair->has_thread)
		return;
	if (pair->alone > 0) {
		pair->alone--;
		return;
	}
	(void) pthread_mutex_lock(&pair->lock);
	atomic_store_explicit(&pair->session, session_of(pair) + 1, memory_order_release);
	(void) pthread_cond_signal(&pair->opened);
	(void) pthread_mutex_unlock(&pair->lock);
}

void pair_close(Pair *pair)
{
	uint32_t session = session_of(pair);
	if (session % 2)
		atomic_store_explicit(&pair->session, session + 1, memory_order_release);
}

bool pair_post(Pair *pair, const void *in)
{
	uint32_t session = session_of(pair);
	if (session % 2 == 0 || atomic_load_explicit(&pair->joined, memory_order_acquire) != session)
		return false;
	memcpy(pair->in, in, PAIR_BYTES);
	atomic_store_explicit(&pair->posted, atomic_load_explicit(&pair->posted, memory_order_relaxed) + 1,
			      memory_order_release);
	return true;
}

void pair_wait(Pair *pair, void *out)
{
	uint32_t posted = atomic_load_explicit(&pair->posted, memory_order_relaxed), looks = 0;
	while (atomic_load_explicit(&pair->done, memory_order_acquire) != posted)
		rest(&looks);
	memcpy(out, pair->out, PAIR_BYTES);
	if (looks < LOOKS) {
		pair->next_alone -= pair->next_alone > 1;
		return;
	}
	pair_close(pair); /* the other core has other work */
	pair->alone = pair->next_alone;
	pair->next_alone = pair->next_alone < LONGEST_ALONE ? 2 * pair->next_alone : LONGEST_ALONE;
}
