/*
 * The core under both faces of the simulator (sim_env.c, sim_target.c): one simulated Deployment, advanced in
 * sub-steps. Order inside a sub-step: traffic, life cycle, queues, counters, scrapes (SIM section 1).
 *
 * A SimModel is what all rows share, read-only. A row is one flat block of bytes: a SimRow, then the pods' arrays, each
 * over the lanes (a lane a pod, padded to 16). Copying the block is a snapshot. core_pods() gives typed views into it.
 *
 * A lane outlives its pod until no window can reach its samples, since a pod that is gone still counts in a rate().
 */
#ifndef MAESTRO_SIM_CORE_H
#define MAESTRO_SIM_CORE_H

#include "base/rng.h"
#include "sim/response.h"
#include "sim/sim.h"

enum {
	/* of a pod, side by side: the buckets, requests by code, CPU seconds, completions */
	COUNTER_OK = BUCKETS, COUNTER_ERROR, COUNTER_CPU_S, COUNTER_SERVED, COUNTERS,
	ARRIVAL_RING = 64, /* sub-steps of accepted arrivals that the lag rule can look back */
};

typedef enum LaneState { LANE_FREE, LANE_POD, LANE_GONE } LaneState;

typedef struct SimModel {
	SimConfig config;
	Response *response;
	double dt;
	int64_t dt_ms;
	int32_t substeps;      /* of a control step */
	int32_t warm_ticks;    /* sub-steps before time 0 that fill every window */
	int32_t scrape_ticks;
	int32_t lanes, ring;   /* per row; samples kept per lane */
	int64_t latency_window_ms, rate_window_ms, keep_ms;
	double pod_capacity;   /* rps of one pod at the soft limit */
	double peak_rps;
	double trace_from_s, trace_span_s; /* what episodes may use */
	Target target;         /* what observation and reward look at */
	size_t row_bytes;
} SimModel;

typedef struct StepTotals { /* since the start of a control step, for EnvInfo */
	double served, dropped, offered, cpu_s, pod_s, time_s;
	double within[POINTS]; /* served at or under each point */
} StepTotals;

typedef struct SimRow {
	uint64_t seed;
	uint32_t id, episode;
	int32_t step;          /* of the episode */
	int32_t replicas;      /* asked for */
	int32_t n_used;        /* lanes in pods.order */
	int64_t tick;          /* sub-steps since time 0; negative while warming up */
	double trace_start_s;
	double noise;          /* AR(1) state, deviation 1 */
	double last[SAMPLE_FIELDS]; /* last known value of each signal, in the order of the SAMPLE_ bits */
	Rng arrivals, sizes, lifecycle, metrics;
	StepTotals totals;
} SimRow;

typedef struct Pods {
	int32_t *order;        /* [lanes] used lanes, oldest pod first */
	int32_t *state;        /* LaneState */
	double *n;             /* requests in the pod */
	double *created_s, *running_s, *listen_s, *ready_s, *deleted_s, *gone_s; /* times; INFINITY: not yet */
	double *share;         /* of the sub-step, while it takes traffic */
	double *counter;       /* [lanes][COUNTERS] */
	float *arrived;        /* [lanes][ARRIVAL_RING] accepted, by tick */
	/* cAdvisor's copy, and the scraped samples: rings of `ring` */
	double *house_next_s, *house_cpu_s, *house_mem;
	int64_t *house_ms, *scrape_tick;
	int32_t *head, *len, *cpu_head, *cpu_len;
	int64_t *t_ms, *cpu_t_ms; /* [lanes][ring] */
	double *sample;        /* [lanes][ring][COUNTERS] */
	double *cpu_sample;    /* [lanes][ring] */
	double *mem_sample;
	int64_t *mem_ms;
} Pods;

/* core.c */

/* ERR_INVALID names the setting; ERR_NOMEM. */
int core_model_init(SimModel *model, const SimConfig *config, Error *err);
void core_model_done(SimModel *model);
Pods core_pods(const SimModel *model, SimRow *row);
/* To time 0 of an episode: streams set, starting replicas ready, windows full. */
void core_reset(const SimModel *model, SimRow *row, uint64_t seed, uint32_t id, uint32_t episode);
/* One sub-step. */
void core_tick(const SimModel *model, SimRow *row, Pods *pods);
/* What happened since the totals were cleared. */
void core_info(const SimModel *model, const SimRow *row, const Pods *pods, EnvInfo *ret_info);
double core_now_s(const SimModel *model, const SimRow *row);
/* Offered requests a second at t_s of the episode; before 0 that of 0. */
double core_rate(const SimModel *model, const SimRow *row, double t_s);

/* pods.c: creates and deletes pods towards row->replicas, ends those that are drained, frees lanes. */
void pods_update(const SimModel *model, SimRow *row, Pods *pods, double now_s);
/* A pod that has been ready and warm for an hour, with n requests in it. */
void pods_add_settled(const SimModel *model, SimRow *row, Pods *pods, double n);
static inline bool pod_is_ready(const Pods *pods, int32_t lane, double now_s)
{
	return pods->state[lane] == LANE_POD && pods->ready_s[lane] <= now_s && pods->deleted_s[lane] > now_s;
}

/* fluid.c: queues and counters over [now_s, now_s + dt] at rate_rps offered. */
void fluid_tick(const SimModel *model, SimRow *row, Pods *pods, double now_s, double rate_rps);

/* scrape.c: housekeeping and scrapes due at now_s; what Prometheus answers then. */
void scrape_tick(const SimModel *model, SimRow *row, Pods *pods, double now_s);
void scrape_query(const SimModel *model, const SimRow *row, const Pods *pods, double now_s, Sample *ret_sample);

#endif
