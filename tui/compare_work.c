/* See compare_work.h. */
#include "tui/compare_work.h"

#include "base/snap.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct CompareWork {
	pthread_t thread;
	int wake_fd;
	atomic_bool is_done, is_unwanted;
	CompareView view;     /* the thread's until is_done */
	ArchiveAnswer answer;
};

static void *work_main(void *arg)
{
	CompareWork *work = arg;
	compare_resample(&work->view, &work->answer, COMPARE_REPS_MANY, &work->is_unwanted);
	atomic_store(&work->is_done, true);
	if (work->wake_fd >= 0)
		wake_signal(&(Wake) { work->wake_fd });
	return NULL;
}

CompareWork *compare_work_new(const CompareView *view, const ArchiveAnswer *answer, int wake_fd)
{
	CompareWork *work = calloc(1, sizeof *work);
	sigset_t all, before;
	if (!work)
		return NULL;
	work->wake_fd = wake_fd;
	work->view = *view;
	work->answer = *answer;
	(void) sigfillset(&all); /* signals are the screen's */
	(void) pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&work->thread, NULL, work_main, work);
	(void) pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code) {
		free(work);
		return NULL;
	}
	return work;
}

bool compare_work_is_done(const CompareWork *work)
{
	return atomic_load(&work->is_done);
}

/* Answer, runs, grouping and baseline are never written once the thread runs: they may be read here. */
bool compare_work_is_of(const CompareWork *work, const CompareView *view, const ArchiveAnswer *answer)
{
	const CompareView *of = &work->view;
	return work->answer.query_id == answer->query_id && of->n_ids == view->n_ids && !memcmp(of->id, view->id, (size_t) view->n_ids * sizeof *view->id) && of->n == view->n &&
	       of->is_single == view->is_single && of->baseline == view->baseline;
}

void compare_work_take(const CompareWork *work, CompareView *view)
{
	const CompareView *of = &work->view;
	view->reps = COMPARE_REPS_MANY;
	view->rule.iqm = of->rule.iqm;
	for (int e = 0; e < view->n; e++) {
		view->entry[e].iqm = of->entry[e].iqm;
		view->entry[e].difference = of->entry[e].difference;
		view->entry[e].p_greater = of->entry[e].p_greater;
		view->entry[e].better = of->entry[e].better;
		view->entry[e].over_rule = of->entry[e].over_rule;
	}
}

void compare_work_free(CompareWork *work)
{
	if (!work)
		return;
	atomic_store(&work->is_unwanted, true);
	(void) pthread_join(work->thread, NULL);
	free(work);
}
