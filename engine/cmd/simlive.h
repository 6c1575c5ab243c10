/* The Live screen's stand-in for a cluster: one simulated Deployment under the real loop, on a faster clock. */
#ifndef MAESTRO_CMD_SIMLIVE_H
#define MAESTRO_CMD_SIMLIVE_H

#include "base/option.h"
#include "cmd/session.h"
#include "control/loop.h"
#include "sim/sim.h"

typedef struct SimLiveConfig { /* pointers are lent for the life of the SimLive */
	const SimConfig *sim;
	Policy *policy;
	int64_t (*policy_steps)(const Policy *policy); /* NULL: a file's, or a rule */
	uint64_t seed;
	double speed;            /* 1: an interval every 2 s */
	const char *traffic, *service; /* as given, for the store; NULL: constant, and the built-in one */
	const OptList *faults;   /* the same; may be NULL */
	bool is_unrecorded;      /* nothing of it goes to the store */
} SimLiveConfig;

typedef struct SimLive {
	Session *session;
	Sink *sink;  /* the session's, or none */
	Clock clock; /* of the simulated cluster */
	SimTarget *sim;
	Policy *hpa;
	Loop *loop;
	int64_t run_id;
} SimLive;

/* Makes the loop, as a run of its own in the store, and then starts it on its thread. What fails leaves it closed. */
int simlive_open(SimLive *live, Session *session, const SimLiveConfig *config, Error *err);
int simlive_start(SimLive *live, Error *err);
/* Stops it and ends the run. Accepts one that was not opened (zeroed). */
void simlive_close(SimLive *live);

#endif
