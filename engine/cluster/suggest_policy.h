/* A policy that asks a suggestion server (GET /suggestion): the thesis's controller. */
#ifndef MAESTRO_CLUSTER_SUGGEST_POLICY_H
#define MAESTRO_CLUSTER_SUGGEST_POLICY_H

#include "base/clock.h"
#include "base/endpoint.h"
#include "base/policy.h"
#include "base/telemetry.h"

typedef struct SuggestPolicyConfig { /* lent for the policy's life */
	EndpointConfig server;
	Clock *clock;           /* of the durations counted; NULL: not counted */
	Telemetry *telemetry;   /* NULL: nobody counts */
} SuggestPolicyConfig;

/* Does not ask yet. ERR_INVALID, ERR_IO, ERR_NOMEM. decide fails with what came instead of an action (ERR_HTTP: the server's 503,
 * ERR_BAD_MODEL: no action, ERR_UNREACHABLE, ERR_TIMEOUT) and says it in Policy.trouble. */
int suggest_policy_new(const SuggestPolicyConfig *config, Policy **ret_policy, Error *err);

#endif
