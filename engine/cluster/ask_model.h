/*
 * A policy behind HTTP, asked for one observation at a time: maestro's model server, or another of the thesis's contract.
 */
#ifndef MAESTRO_CLUSTER_ASK_MODEL_H
#define MAESTRO_CLUSTER_ASK_MODEL_H

#include "base/endpoint.h"
#include "decide/observation.h"

typedef struct RemoteModel { /* what it says of itself; a server without GET /model takes the five keys of `seed` */
	ObsSpec spec;                          /* interval_s: a usual one where it does not say */
	bool has_interval;                     /* it says */
	float rate_window_s, latency_window_s; /* 0: not said */
	int32_t max_replicas;                  /* 0: not said */
	float pod_price;                       /* that it is asked at where nobody says another; 0: it has no such input */
	ActionSet actions;                     /* that its answers choose from */
	bool takes_vector;                     /* {"observation": [...], "mask": [...]} */
	char sha256[65];                       /* "": not said */
	ObsStats trained_on;                   /* dim 0: not said */
} RemoteModel;

/* ERR_UNREACHABLE and the like; ERR_BAD_MODEL: an observation that this build does not know. */
int remote_model_describe(Endpoint *endpoint, RemoteModel *ret, Error *err);
/* Fills action, probability, raw and is_wide of *ret. ERR_BAD_MODEL: what came is no action, or one that the mask forbids; ERR_HTTP (the
 * server's own words), ERR_UNREACHABLE, ERR_TIMEOUT. */
int remote_model_ask(Endpoint *endpoint, const RemoteModel *model, const Observation *obs, Decision *ret, Error *err);

/* {"action": 0|1|2, "probabilities": [...]} of an answer with status 200, or {"error": ...} of another; what it asks for at so many
 * replicas now: "wanted", or "choice" of a wide set, or else one pod. */
int remote_action_read(const HttpResponse *response, const char *who, ActionSet actions, int32_t replicas, Decision *ret, Error *err);

#endif
