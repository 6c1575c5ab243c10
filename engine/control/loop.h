/*
 * The observe-infer-act loop of a target (CONTROL B.1): the same code over a simulated service and over a cluster.
 *
 *     gates - observe - validate - policy - guard rails - write - record - sleep to the next multiple of the interval
 *
 * A Loop is one target: what it remembers, shows (LiveView) and is told (Commands). A Fleet runs the cycles of any number of
 * Loops on one thread, with one fetch a source and one inference a policy for all whose turn it is. A Loop that is in no other
 * fleet is one of its own.
 *
 * No failure ever scales down: without a valid sample, a policy's answer and the present scale nothing is written.
 */
#ifndef MAESTRO_CONTROL_LOOP_H
#define MAESTRO_CONTROL_LOOP_H

#include "base/actuator.h"
#include "base/clock.h"
#include "base/cluster.h"
#include "base/command.h"
#include "base/metrics.h"
#include "base/policy.h"
#include "base/sink.h"
#include "base/snap.h"
#include "base/view.h"
#include "control/state.h"
#include "decide/observation.h"
#include "decide/rails.h"

typedef struct LoopSettings { /* what may change while a loop runs */
	Target target;            /* bounds and limits; who it is stays */
	int64_t interval_ms;
	int64_t stabilise_ms;     /* of the rails */
} LoopSettings;

typedef struct LoopConfig { /* all pointers are lent for the life of the loop; those that loops share are used by one thread */
	Target target;
	Metrics *metrics;
	Actuator *actuator;
	Cluster *cluster;         /* NULL: none, as over the simulator */
	Policy *policy;           /* loops may share one that remembers nothing */
	Policy *hpa;              /* the opinion beside each decision, and the fallback; NULL: none */
	ObsSpec observation;      /* of interval_s 0: the loop's */
	Clock *clock;
	Sink *sink;
	Wake *wake;               /* signalled with each snapshot; NULL: nobody waits */
	int64_t run_id;
	int64_t interval_ms;
	char context[64];         /* "simulator", or the kubeconfig's context */
	bool is_simulated;
	double speed;             /* target seconds a real second */
	RailsConfig rails;        /* is_dry_run is Shadow: decides and records, never writes */
	StateConfig states;       /* zeroed: the defaults */
	int64_t adds_only_ms;     /* so long after a model first acted a down needs the HPA rule's word too (CONTROL B.3); 0: never */
	int64_t model_age_ms;     /* since the policy's model first acted on the target, by an earlier process; 0: it is new */
	RailsPredictor *p95_ms;   /* of a fitted service; NULL: none */
	void *p95_arg;
	bool is_readonly;         /* refuses overrides too */
	int64_t manual_ttl_ms;    /* of an override that does not say; 0: 600 s */
	int64_t (*policy_steps)(const Policy *policy); /* of a policy in training; NULL: a file's */
	/* Settings anew from a look at the annotations; false keeps the old ones. May be NULL. */
	bool (*settle)(void *arg, const TargetFacts *facts, LoopSettings *settings, Error *err);
	/* Called on the loop's thread after each cycle; may be NULL. */
	void (*on_cycle)(void *arg, const LiveView *view);
	void *arg;                /* of both */
} LoopConfig;

typedef struct Loop Loop;

/* Does not start anything. ERR_USAGE names the setting; ERR_NOMEM. */
int loop_new(const LoopConfig *config, Loop **ret_loop, Error *err);
void loop_free(Loop *loop); /* accepts NULL; after the stop of the thread that runs it */

/* What the target did before this process: a change of its replicas, age_ms ago. Oldest first, before the first cycle. */
void loop_remember(Loop *loop, int64_t age_ms, int32_t from, int32_t to);

/* The loop on a thread of its own, until loop_stop, which finishes the write in flight. Not for one in a fleet. */
int loop_start(Loop *loop, Error *err);
void loop_stop(Loop *loop);

/* Queues a command; ERR_BUSY, ERR_CLOSED, ERR_NOMEM. Any thread once the loop or its fleet has been started; never waits. */
int loop_send(Loop *loop, const Command *command);
/* Of LiveView. */
SnapBus *loop_views(Loop *loop);
/* What it was made of. */
const LoopConfig *loop_config(const Loop *loop);

/* ---- many targets ---- */

typedef struct Fleet Fleet;
/* Takes n loops that were not started; they stay the caller's. ERR_NOMEM. */
int fleet_new(Loop *const *loops, size_t n, Fleet **ret_fleet, Error *err);
void fleet_free(Fleet *fleet); /* before its loops; accepts NULL */
/* One cycle of all of them on the caller's thread (`run --once`). 0, or why the first that could not, did not decide or write; its view
 * says the same. Not after fleet_start. */
int fleet_once(Fleet *fleet, Error *err);
/* The same in two halves, for who decides in between (live_env.h): up to the observation, and from the policy's answer on. Commands are
 * then served by fleet_serve, which does not wait. */
void fleet_observe(Fleet *fleet);
void fleet_act(Fleet *fleet);
void fleet_serve(Fleet *fleet);
int fleet_start(Fleet *fleet, Error *err);
void fleet_stop(Fleet *fleet);

#endif
