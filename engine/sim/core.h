/*
 * The core under both faces of the simulator (sim_env.c, sim_target.c): one simulated Deployment, advanced in
 * sub-steps. Order inside a sub-step: traffic, life cycle, queues and counters (SIM section 1); what was scraped is
 * worked out when it is asked for.
 *
 * A SimModel is what all rows share, read-only. A row is one flat block of bytes: a SimRow, then the arrays that a
 * SimView points at. Copying the block is a snapshot.
 *
 * Pods that are in one and the same state form a cohort: one queue, one set of counters, advanced once for them all. Its
 * counters are kept at the end of each sub-step, over as long as a window can reach; so a scrape is no more than a sub-step's
 * number, and a pod that is gone still counts in a rate() through the history of its last cohort. Only differences of
 * counters count, once their zero is out of sight: they are floats, and go back to zero before they lose digits.
 */
#ifndef MAESTRO_SIM_CORE_H
#define MAESTRO_SIM_CORE_H

#include "base/rng.h"
#include "decide/rails.h"
#include "sim/response.h"
#include "sim/server.h"
#include "sim/sim.h"

enum { /* of a cohort's history, a pod's: its requests now, then counters */
	COLUMN_N, COLUMN_CPU_S, COLUMN_ACCEPTED, COLUMN_SERVED, COLUMN_ERROR,
	COLUMN_WITHIN, /* served within each point, in the response's order */
};

enum { JITTERS = 16 /* draws of one Philox block */, HOUSE_PARTS = 256, COHORTS = 16 };

typedef enum LaneState { LANE_FREE, LANE_POD, LANE_GONE } LaneState;

typedef struct SimModel {
	SimConfig config;
	Response *response;
	double dt;
	int64_t dt_ms;
	int32_t substeps;      /* of a control step */
	int32_t warm_ticks;    /* sub-steps before time 0 that fill every window */
	int32_t scrape_ticks;
	int32_t latency_ticks, rate_ticks; /* of the windows: those in (now - range, now] */
	int32_t lanes, cohorts; /* per row */
	int32_t stamps;        /* cAdvisor's, kept per lane */
	int32_t columns, depth; /* of a cohort's history: numbers an entry, and entries */
	int32_t house_every, house_jitter; /* cAdvisor's interval and jitter, in HOUSE_PARTS of a sub-step */
	int64_t latency_window_ms, rate_window_ms, keep_ms;
	double pod_capacity;   /* rps of one pod at the soft limit */
	double peak_rps;
	bool is_wide;          /* fluid_has_wide() */
	Target target;         /* what observation and reward look at */
	RailsConfig rails;     /* where config.has_rails */
	size_t pods_at, cohorts_at, history_at, stamps_at, order_at, live_at, discrete_at, servers_at, jobs_at; /* in a row, bytes */
	uint32_t jobs;         /* a server has memory for; 0 at the fluid level */
	size_t row_bytes;
} SimModel;

typedef struct StepTotals { /* since the start of a control step, for EnvInfo */
	double served, dropped, offered, cpu_s, pod_s, time_s;
	float within[POINTS];  /* served at or under each point, in the response's order */
} StepTotals;

typedef struct SimRow {
	uint64_t seed;
	uint32_t id, episode;
	int32_t step;          /* of the episode */
	int32_t replicas;      /* asked for */
	int32_t n_used;        /* lanes in view.order */
	int32_t n_live;        /* cohorts in view.live */
	int32_t alive, present; /* pods not deleted; pods that exist */
	int32_t at;            /* where the histories have the present */
	uint32_t serial;       /* of the next pod */
	int64_t tick;          /* sub-steps since time 0; negative while warming up */
	double next_event_s;   /* until then no pod changes by itself */
	int32_t trace;         /* of config.trace[] */
	double trace_start_s, trace_from_s, trace_span_s; /* where the episode begins in the window, and the window */
	double compression, traffic_scale; /* trace seconds a second, negative when it runs backwards; of peak_rps */
	double boot_scale;     /* of the service's boot times */
	double sojourn_s;      /* of a request, in the last sub-step: what a closed loop waits for */
	double again_rps;      /* tries that follow failed ones */
	int64_t wall_start_ms; /* of time 0, for the calendar */
	Target target;         /* the model's, with this episode's start-up and price */
	Observer observer;
	RailsHistory rails;
	uint32_t mask;         /* of the last observation */
	int32_t direction;     /* of the last change of replicas; 0: none yet */
	int32_t change_step;
	float noise;           /* AR(1) state, deviation 1 */
	uint32_t chance[4];    /* Philox block of this sub-step and its neighbour */
	double last[SAMPLE_FIELDS]; /* last known value of each signal, in the order of the SAMPLE_ bits */
	Rng lifecycle;
	StepTotals totals;
} SimRow;

typedef struct Pod {
	double created_s, running_s, listen_s, ready_s, deleted_s, gone_s; /* INFINITY: not yet */
	int64_t house_at;      /* cAdvisor's next visit, in HOUSE_PARTS of a sub-step */
	double served_apart;   /* its own completions less its cohort's: it was elsewhere before */
	int32_t state;         /* LaneState */
	int32_t cohort;        /* -1: has taken no traffic yet */
	int32_t listen_tick, gone_tick; /* scraped from, to */
	int32_t scrape_tick;   /* of its next scrape */
	int32_t house_stamp;   /* sub-step of cAdvisor's last visit */
	int32_t n_stamps, stamp; /* kept, and where the newest is */
	uint32_t serial, n_jitter;
	uint8_t jitter[JITTERS];
} Pod;

typedef struct Cohort {
	double listen_s;       /* means over its pods */
	double ready_s, out_s; /* in the endpoints from, to */
	float n;               /* requests in each pod */
	float share;           /* of the sub-step, while it takes traffic */
	double served;         /* by each, ever */
	int32_t pods;          /* 0: closed, or free where nothing refers to it */
	int32_t refs;          /* lanes that look at its history */
	int32_t crowd;         /* pods, those of its twins included */
	int32_t twin;          /* live cohort in the same state; -1: none */
	int64_t since;         /* sub-step at which its history begins */
	bool is_old;           /* its counters' zero is not in the history any more */
	int64_t twin_since;
	float kept_load, kept_stretch; /* that its hazards are for; 0: none */
	float hazard[POINTS];
} Cohort;

typedef struct Discrete { /* of the request level, besides a server for each cohort */
	Rng arrivals, demands, balancer;
	Sizes sizes;
	double to_arrival;     /* until the next one, in mean times between arrivals */
	uint32_t turn;         /* of round robin */
} Discrete;

typedef struct SimView {
	Pod *pod;              /* [lanes] */
	Cohort *cohort;        /* [cohorts] */
	float *history;        /* [cohorts][depth][columns] */
	int32_t *stamp;        /* [lanes][stamps] sub-steps of cAdvisor's samples, a ring */
	int32_t *order;        /* [lanes] used lanes, oldest pod first */
	int32_t *live;         /* [cohorts] those with pods, oldest first */
	Discrete *discrete;    /* at the request level */
	Server *server;        /* [cohorts] */
	Job *job;              /* [cohorts][jobs] */
} SimView;

/* core.c */

/* ERR_INVALID names the setting; ERR_NOMEM. */
int core_model_init(SimModel *model, const SimConfig *config, Error *err);
void core_model_done(SimModel *model);
SimView core_view(const SimModel *model, SimRow *row);
/* To time 0 of an episode: streams set, starting replicas ready, windows full. */
void core_reset(const SimModel *model, SimRow *row, uint64_t seed, uint32_t id, uint32_t episode);
/* One sub-step. */
void core_tick(const SimModel *model, SimRow *row, const SimView *view);
/* What happened since the totals were cleared. */
void core_info(const SimModel *model, const SimRow *row, const SimView *view, EnvInfo *ret_info);
static inline double core_now_s(const SimModel *model, const SimRow *row)
{
	return (double) row->tick * model->dt;
}
/* Offered requests a second at t_s of the episode; before 0 that of 0. */
double core_rate(const SimModel *model, const SimRow *row, double t_s);

/* pods.c: creates and deletes pods towards row->replicas, ends those that are drained, frees lanes. */
void pods_update(const SimModel *model, SimRow *row, const SimView *view, double now_s);
/* `count` pods that have been ready and warm for an hour, with n requests in each. */
void pods_add_settled(const SimModel *model, SimRow *row, const SimView *view, int32_t count, float n);
static inline bool pod_is_ready(const Pod *pod, double now_s)
{
	return pod->state == LANE_POD && pod->ready_s <= now_s && pod->deleted_s > now_s;
}

/* cohort.c */

/* A pod begins to take traffic, with n requests: with others that do so now, else in a cohort of its own. */
void cohort_join(const SimModel *model, SimRow *row, const SimView *view, int32_t lane, float n);
/* A pod is deleted at now_s and goes its own way. False where there is no room for one more state. */
bool cohort_part(const SimModel *model, SimRow *row, const SimView *view, int32_t lane, double now_s);
/* A pod is gone; its history stays. */
void cohort_leave(SimRow *row, const SimView *view, int32_t lane);
/* A lane looks at its cohort's history no more. */
void cohort_forget(const SimView *view, int32_t lane);
/* All pods of a cohort go over to its twin. */
void cohort_merge(SimRow *row, const SimView *view, int32_t index);
/* Takes a cohort's counters back to zero in the entry `at`: only differences count from now on. */
void cohort_rebase(const SimModel *model, const SimView *view, int32_t index, int32_t at);
/* Entries of a history; the one of a sub-step not older than depth, which is all zeros before it began. */
static inline float *cohort_history(const SimModel *model, const SimView *view, int32_t index)
{
	return view->history + (size_t) index * (size_t) (model->depth * model->columns);
}
static inline int32_t cohort_entry(const SimModel *model, const SimRow *row, const Cohort *cohort, int64_t tick)
{
	int32_t at = row->at - (int32_t) (row->tick - (tick > cohort->since ? tick : cohort->since));
	return at < 0 ? at + model->depth : at;
}

/* fluid.c: queues and counters over [now_s, now_s + dt] at rate_rps offered. */
void fluid_tick(const SimModel *model, SimRow *row, const SimView *view, double now_s, double rate_rps);

/* Whether this machine has the wider registers. */
bool fluid_has_wide(void);

/* discrete.c: the same by single requests. */
void discrete_tick(const SimModel *model, SimRow *row, const SimView *view, double now_s, double rate_rps);
void discrete_reset(const SimModel *model, SimRow *row, const SimView *view);
/* A new cohort's server, with n requests in it. */
void discrete_open(const SimModel *model, const SimRow *row, const SimView *view, int32_t index, float n);

/* scrape.c: what Prometheus answers now. Brings cAdvisor's visits up to the present. */
void scrape_query(const SimModel *model, SimRow *row, const SimView *view, double now_s, Sample *ret_sample);

#endif
