/*
 * Watches the Deployments and pods of some namespaces into a cache (CONTROL C), on a thread of its own: a list, then a watch from
 * its resourceVersion with bookmarks, ended by the server after 5 to 10 minutes; 410 lists again; what drops comes back with a
 * back-off of .8 s x 2 up to 30 s, full jitter. While a stream is down, readers of its part of the cache are told so.
 *
 * Versions are opaque. A line may be long and come in any pieces; what is not known in it is passed over.
 */
#ifndef MAESTRO_CLUSTER_WATCH_H
#define MAESTRO_CLUSTER_WATCH_H

#include "cluster/cache.h"

typedef struct WatchConfig {
	const KubeConfig *kube;    /* copied from */
	Clock *clock;              /* the machine's; lent */
	KubeBudget *budget;        /* lent; NULL: one of its own */
	Telemetry *telemetry;      /* lent; NULL: nobody counts */
	KubeCache *cache;          /* lent */
	const char *const *namespace_; /* [n] lent for the call */
	size_t n;
	int64_t backoff_ms;        /* the first; 0: 800 */
} WatchConfig;

typedef struct Watch Watch;
int watch_start(const WatchConfig *config, Watch **ret_watch, Error *err);
void watch_stop(Watch *watch); /* accepts NULL */

#endif
