/*
 * Looks at the policies of loops from all sides, on a thread of its own: heat map over two inputs, what each input does,
 * the nearest change of mind, and the HPA rule beside it. It asks copies; no loop waits.
 */
#ifndef MAESTRO_CONTROL_INSPECTOR_H
#define MAESTRO_CONTROL_INSPECTOR_H

#include "base/snap.h"
#include "base/view.h"
#include "control/loop.h"

typedef struct Inspector Inspector;

/* loops (lent) outlive it. wake (lent) is signalled with each answer. ERR_NOMEM. */
int inspector_new(Loop *const *loops, int n_loops, Wake *wake, Inspector **ret_inspector);
void inspector_free(Inspector *inspector); /* accepts NULL */
/* Queues a look. ERR_BUSY. */
int inspector_ask(Inspector *inspector, const PolicyQuery *query, int64_t *ret_query_id);
/* Of PolicyView. */
SnapBus *inspector_views(Inspector *inspector);

/* One look, on the caller's thread: fills view from a policy of one's own, the target, its newest view and the inputs'
 * names. rule (may be NULL) is an HPA rule of one's own. */
void inspector_look(const PolicyQuery *query, Policy *policy, Policy *rule, ObsSpec spec, const LiveView *live, PolicyView *view);

#endif
