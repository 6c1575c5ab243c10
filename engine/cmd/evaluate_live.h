/*
 * `maestro evaluate --env live`: a trace replayed against a live Deployment for each policy in turn. The word hpa is the cluster's own
 * HorizontalPodAutoscaler there, which is made for its plays and removed; where the cluster serves no metrics.k8s.io, it is our rule.
 * What is measured is what the users got: p95 and slow requests by the load generator, pods by the API.
 */
#ifndef MAESTRO_CMD_EVALUATE_LIVE_H
#define MAESTRO_CMD_EVALUATE_LIVE_H

#include "cmd/evaluate_opts.h"
#include "cmd/session.h"

/* ERR_USAGE, ERR_REFUSED, what a request failed with, ERR_CANCELLED. Replicas are back, the HPA gone, whatever it answers. */
int evaluate_live(const EvaluateOptions *options, const ContestConfig *config, Session *session, const volatile sig_atomic_t *stop,
                  Contest *ret_contest, Error *err);

#endif
