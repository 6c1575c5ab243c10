/*
 * Many resamples of a comparison, on a thread of their own: a screen goes on being drawn while they are made. One job at a time, on
 * copies; nothing is shared with the screen but whether it has ended.
 */
#ifndef MAESTRO_TUI_COMPARE_WORK_H
#define MAESTRO_TUI_COMPARE_WORK_H

#include "tui/compare.h"

typedef struct CompareWork CompareWork;

/* Begins with COMPARE_REPS_MANY what view compares. wake_fd (an eventfd, or -1) is signalled at the end. NULL: no memory, or no thread. */
CompareWork *compare_work_new(const CompareView *view, const ArchiveAnswer *answer, int wake_fd);
bool compare_work_is_done(const CompareWork *work);
/* Whether the job is of what view compares now, by the same answer. */
bool compare_work_is_of(const CompareWork *work, const CompareView *view, const ArchiveAnswer *answer);
/* Puts the intervals of a job that is done and is of this view into it. */
void compare_work_take(const CompareWork *work, CompareView *view);
/* Cuts it short and waits for that, at most for those of one entry. Accepts NULL. */
void compare_work_free(CompareWork *work);

#endif
