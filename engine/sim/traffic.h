/*
 * Made-up traffic: shapes by name and parameters, "spike:every=20m,rise=30s,base=.25", as a trace that the simulator then
 * replays like a recorded one: scaled to a peak, compressed in time, from a random start, split into a part to train on
 * and one held out. Shapes that are not random repeat over the trace's length; random ones are one long draw of a seed.
 */
#ifndef MAESTRO_SIM_TRAFFIC_H
#define MAESTRO_SIM_TRAFFIC_H

#include "sim/trace.h"

#include <stdint.h>

typedef struct Traffic {
	Trace trace;     /* freed by trace_done */
	double peak;     /* at the trace's 1: rps, or virtual users; 0: as the simulator's configuration says */
	double think_s;  /* > 0: virtual users who think so long between requests (closed loop) */
} Traffic;

/*
 * spec is NAME[:key=value,...]; times are 15s, 5m, 2h, 1d. `stages` takes k6's
 * DURATION:TARGET in a row. ERR_USAGE names what is wrong and what there is; ERR_NOMEM.
 */
int traffic_make(const char *spec, uint64_t seed, Traffic *ret_traffic, Error *err);

#endif
