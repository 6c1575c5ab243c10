/*
 * See pair.h. Each side writes one line and watches the other's: `posted` counts jobs handed over, `done` jobs returned.
 * Between sessions the thread sleeps on a condition; within one it watches, and after some time without news naps between
 * looks, longer each time, so that no wake-up is needed and none can be lost. A job is handed over only while it watches. A
 * caller that waited much longer than its own part took does without the thread for twice as many jobs as the last time.
 */
#include "rl/pair.h"

#include "base/err.h"
#include "base/sched.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	LINE = 2 * 64,         /* and its neighbour, which comes along */
	LOOKS = 64,            /* between two looks at the clock: a microsecond or two */
	WATCH_NS = 400000,     /* after a job, before a nap: a rollout's blocks come further apart than a minibatch */
	GLANCE_NS = 10000,     /* between two naps */
	NAP_NS = 20000, LONGEST_NAP_NS = 1000000,
	GRACE_NS = 100000,     /* that a job may take longer than twice the caller's part */
	ALONE = 16, LONGEST_ALONE = 4096, /* jobs */
};

struct Pair {
	_Alignas(LINE) _Atomic uint32_t posted; /* the caller's line: a job's message fits beside its number */
	_Atomic uint32_t session;               /* odd: open */
	char in[PAIR_BYTES];
	_Alignas(LINE) _Atomic uint32_t done;   /* the thread's line */
	_Atomic uint32_t watching;              /* the session in which it watches; 0: it sleeps or naps */
	char out[PAIR_BYTES];
	_Alignas(LINE) PairRun *run;            /* of the job; seldom another one */
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t news;
	bool has_thread, is_closing;
	bool is_aside;                          /* its thread lets others go first */
	_Alignas(LINE) uint32_t alone, next_alone; /* jobs without the thread: left, and after it is late again */
	int64_t posted_ns;                         /* when */
};

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static int64_t now_ns(void)
{
	struct timespec now;
	(void) clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

static void nap(int64_t ns)
{
	(void) nanosleep(&(struct timespec) { .tv_nsec = ns }, NULL);
}

static uint32_t session_of(Pair *pair)
{
	return atomic_load_explicit(&pair->session, memory_order_acquire);
}

/* The session that is open, once one is; 0: the pair is at its end. */
static uint32_t next_session(Pair *pair, bool *is_aside)
{
	(void) pthread_mutex_lock(&pair->lock);
	for (;; (void) pthread_cond_wait(&pair->news, &pair->lock)) {
		if (pair->is_aside && !*is_aside)
			sched_step_aside();
		*is_aside = pair->is_aside;
		if (pair->is_closing || session_of(pair) % 2)
			break;
	}
	uint32_t session = pair->is_closing ? 0 : session_of(pair);
	(void) pthread_mutex_unlock(&pair->lock);
	return session;
}

/* True: a job has come; false: the session is over. */
static bool next_job(Pair *pair, uint32_t session, uint32_t done)
{
	int64_t nap_ns = NAP_NS, watch_ns = WATCH_NS, until = 0;
	for (uint32_t looks = 0;; looks++, relax()) {
		if (atomic_load_explicit(&pair->posted, memory_order_acquire) != done)
			return true;
		if (session_of(pair) != session)
			return false;
		if (looks % LOOKS != LOOKS - 1)
			continue;
		int64_t now = now_ns();
		until = until ? until : now + watch_ns;
		if (now < until)
			continue;
		atomic_store_explicit(&pair->watching, 0, memory_order_release);
		nap(nap_ns);
		nap_ns = nap_ns < LONGEST_NAP_NS ? 2 * nap_ns : LONGEST_NAP_NS;
		watch_ns = GLANCE_NS;
		until = 0;
		atomic_store_explicit(&pair->watching, session, memory_order_release);
	}
}

static void *work(void *arg)
{
	Pair *pair = arg;
	uint32_t session, done = 0;
	bool is_aside = false;
	while ((session = next_session(pair, &is_aside))) {
		atomic_store_explicit(&pair->watching, session, memory_order_release);
		while (next_job(pair, session, done)) {
			pair->run(pair->arg, pair->in, pair->out);
			atomic_store_explicit(&pair->done, ++done, memory_order_release);
		}
	}
	return NULL;
}

int pair_new(bool has_thread, Pair **ret_pair)
{
	Pair *pair = aligned_alloc(LINE, sizeof *pair);
	if (!pair)
		return ERR_NOMEM;
	*pair = (Pair) { .next_alone = ALONE };
	(void) pthread_mutex_init(&pair->lock, NULL);
	(void) pthread_cond_init(&pair->news, NULL);
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
	(void) pthread_cond_signal(&pair->news);
	(void) pthread_mutex_unlock(&pair->lock);
	if (pair->has_thread)
		(void) pthread_join(pair->thread, NULL);
	(void) pthread_cond_destroy(&pair->news);
	(void) pthread_mutex_destroy(&pair->lock);
	free(pair);
}

void pair_step_aside(Pair *pair)
{
	(void) pthread_mutex_lock(&pair->lock);
	pair->is_aside = true;
	(void) pthread_cond_signal(&pair->news);
	(void) pthread_mutex_unlock(&pair->lock);
}

void pair_open(Pair *pair)
{
	if (!pair->has_thread || session_of(pair) % 2)
		return;
	(void) pthread_mutex_lock(&pair->lock);
	atomic_store_explicit(&pair->session, session_of(pair) + 1, memory_order_release);
	(void) pthread_cond_signal(&pair->news);
	(void) pthread_mutex_unlock(&pair->lock);
}

void pair_close(Pair *pair)
{
	uint32_t session = session_of(pair);
	if (session % 2)
		atomic_store_explicit(&pair->session, session + 1, memory_order_release);
}

bool pair_post(Pair *pair, PairRun *run, void *arg, const void *in)
{
	uint32_t session = session_of(pair);
	if (session % 2 == 0)
		return false;
	if (pair->alone > 0) {
		pair->alone--;
		return false;
	}
	if (atomic_load_explicit(&pair->watching, memory_order_acquire) != session)
		return false;
	if (pair->run != run || pair->arg != arg) {
		pair->run = run;
		pair->arg = arg;
	}
	memcpy(pair->in, in, PAIR_BYTES);
	pair->posted_ns = now_ns();
	atomic_store_explicit(&pair->posted, atomic_load_explicit(&pair->posted, memory_order_relaxed) + 1,
			      memory_order_release);
	return true;
}

static bool is_done(Pair *pair)
{
	return atomic_load_explicit(&pair->done, memory_order_acquire) == atomic_load_explicit(&pair->posted, memory_order_relaxed);
}

void pair_wait(Pair *pair, void *out)
{
	int64_t begin = now_ns(), until = begin + (begin - pair->posted_ns) + GRACE_NS;
	bool is_late = false;
	for (uint32_t looks = 1; !is_late && !is_done(pair); looks++, relax())
		is_late = looks % LOOKS == 0 && now_ns() > until;
	if (is_late) { /* the other core has other work */
		while (!is_done(pair))
			nap(NAP_NS);
		pair->alone = pair->next_alone;
		pair->next_alone = pair->next_alone < LONGEST_ALONE ? 2 * pair->next_alone : LONGEST_ALONE;
	} else {
		pair->next_alone -= pair->next_alone > ALONE;
	}
	memcpy(out, pair->out, PAIR_BYTES);
}
