/*
 * Plays the policies of stored runs on one trace, side by side, on a thread of its own: the console asks and goes on.
 */
#ifndef MAESTRO_CONTROL_REPLAYER_H
#define MAESTRO_CONTROL_REPLAYER_H

#include "base/err.h"
#include "base/snap.h"
#include "base/view.h"

/* Plays entry i of the query into the view, whose name and limits the entry 0 fills in; i = query->n is the HPA rule. On the replayer's
 * thread. What fails is said in entry i's why; ERR_*: nothing can be played, and why. */
typedef int ReplayPlay(void *arg, const ReplayQuery *query, int32_t i, ReplayView *view, Error *err);

typedef struct Replayer Replayer;

/* wake (lent) is signalled with each entry. ERR_NOMEM. */
int replayer_new(ReplayPlay *play, void *arg, Wake *wake, Replayer **ret_replayer);
/* Waits for the episode under way. Accepts NULL. */
void replayer_free(Replayer *replayer);
/* Queues one; what is being played for an older question is cut short. ERR_BUSY. */
int replayer_ask(Replayer *replayer, const ReplayQuery *query, int64_t *ret_query_id);
/* Of ReplayView. */
SnapBus *replayer_views(Replayer *replayer);

#endif
