/* The replicas that live Deployments had before a command moved them, and the way back (cluster/home.h). */
#ifndef MAESTRO_CMD_LIVE_HOME_H
#define MAESTRO_CMD_LIVE_HOME_H

#include "cluster/home.h"
#include "control/loop.h"

typedef struct LiveHome {
	Target target;
	int32_t replicas;
	bool is_noted;
} LiveHome;

typedef struct LiveHomes {
	LiveHome *home; /* [n] */
	size_t n;
} LiveHomes;

/* Whether a request that failed so may do better soon: an API that is away, starting, or asks for silence. */
bool live_passes(int code);
/* Notes each, and says where an earlier command was ended before it could put its number back. Those of home_note. */
int live_homes_note(KubeClient *kube, const Target *target, size_t n, LiveHomes *homes, Error *err);
/* Puts all back; waits a while for an API that is away, and says what came of each. Frees. */
void live_homes_return(KubeClient *kube, LiveHomes *homes);

#endif
