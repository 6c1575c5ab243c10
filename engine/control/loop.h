/*
 * The observe-infer-act loop of one target (CONTROL B.1): the same code over a simulated service and over a cluster.
 *
 *     gates - sample - observation - policy - guard rails - write - record - sleep to the next multiple of the interval
 *
 * The loop owns its Metrics, Actuator and Policy from start to stop; everybody else reads its snapshots (LiveView) and sends
 * Commands. No failure ever scales down: without a valid sample, a policy's answer and the present scale nothing is written.
 */
#ifndef MAESTRO_CONTROL_LOOP_H
#define MAESTRO_CONTROL_LOOP_H

#include "base/actuator.h"
#include "base/clock.h"
#include "base/command.h"
#include "base/metrics.h"
#include "base/policy.h"
#include "base/sink.h"
#include "base/snap.h"
#include "base/view.h"
#include "decide/observation.h"
#include "decide/rails.h"

typedef struct LoopConfig { /* all pointers are lent for the life of the loop */
	Target target;
	Metrics *metrics;
	Actuator *actuator;
	Policy *policy;
	Policy *hpa;              /* the opinion beside each decision; NULL: none */
	ObsKind observation;
	Clock *clock;
	Sink *sink;
	Wake *wake;               /* signalled with each snapshot; NULL: nobody waits */
	int64_t run_id;
	int64_t interval_ms;
	char context[64];         /* "simulator", or the kubeconfig's context */
	bool is_simulated;
	double speed;             /* target seconds a real second */
	RailsConfig rails;        /* is_dry_run is Shadow: decides and records, never writes */
	bool is_readonly;         /* refuses overrides too */
	int64_t (*policy_steps)(const Policy *policy); /* of a policy in training; NULL: a file's */
	/* Called on the loop's thread after each cycle; may be NULL. */
	void (*on_cycle)(void *arg, const LiveView *view);
	void *arg;
} LoopConfig;

typedef struct Loop Loop;

/* Does not start anything. ERR_INVALID names the setting; ERR_NOMEM. */
int loop_new(const LoopConfig *config, Loop **ret_loop, Error *err);
void loop_free(Loop *loop); /* accepts NULL; after loop_stop */

/* One cycle on the caller's thread (`run --once`). 0, or why nothing could be decided or written; the view says the same.
 * Not after loop_start. */
int loop_once(Loop *loop, Error *err);

/* The loop on a thread of its own, until loop_stop, which finishes the write in flight. */
int loop_start(Loop *loop, Error *err);
void loop_stop(Loop *loop);

/* Queues a command; ERR_BUSY, ERR_CLOSED. Any thread, never waits. */
int loop_send(Loop *loop, const Command *command);
/* Of LiveView. */
SnapBus *loop_views(Loop *loop);

#endif
