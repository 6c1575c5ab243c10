/* Plausible views, the same on every call: what tests and screenshots of the console are drawn from. */
#ifndef MAESTRO_TESTS_VIEWS_H
#define MAESTRO_TESTS_VIEWS_H

#include "base/archive.h"
#include "base/view.h"

enum { VIEWS_WALL_MS_HIGH = 1795 }; /* x 10^9 ms: November 2026 */

/* A training run of 2 M steps, done to progress 0..1. */
void views_fill_train(TrainView *view, double progress);
/* A simulated target with n_history cycles of 15 s behind it. */
void views_fill_live(LiveView *view, int32_t n_history);
void views_fill_runs(ArchiveAnswer *answer);
void views_fill_run(ArchiveAnswer *answer, int64_t id);
/* So many runs side by side: the first half of one configuration, the rest of another. */
void views_fill_pair(ArchiveAnswer *answer, const int64_t *id, int n);
void views_fill_log(ArchiveAnswer *answer);
/* Target i of a cluster, each in a state of its own. */
void views_fill_target(LiveView *view, int i);
void views_fill_policy(PolicyView *view);
int64_t views_wall_ms(void);

#endif
