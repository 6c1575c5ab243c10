/* Traffic that a command sends to a live service while it does something else: the rates of traces, open loop, on a thread of its own. */
#ifndef MAESTRO_CMD_LIVE_LOAD_H
#define MAESTRO_CMD_LIVE_LOAD_H

#include "cluster/load.h"
#include "cmd/opts.h"
#include "sim/trace.h"

typedef struct LiveLoadConfig { /* lent for its life */
	const OptList *url;
	const Trace *trace;  /* [n_traces] one after the other, and again */
	size_t n_traces;
	double peak_rps;     /* of each; 0: its own */
	double compression;  /* seconds of the traces a second */
	double from_s;       /* seconds of load that have been before */
	uint64_t seed;
} LiveLoadConfig;

typedef struct LiveLoad LiveLoad;
/* ERR_USAGE: a trace that does not say its peak; ERR_NOMEM. */
int live_load_start(const LiveLoadConfig *config, LiveLoad **ret_load, Error *err);
/* All so far, about a second old. Any thread. */
void live_load_report(LiveLoad *load, LoadReport *ret_report);
/* Ends it. Accepts NULL. */
void live_load_stop(LiveLoad *load);

#endif
