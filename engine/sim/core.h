/*
 * The core under both faces of the simulator (sim_env.c, sim_target.c): one simulated Deployment, advanced in
 * sub-steps. Order inside a sub-step: traffic, life cycle, queues and counters (SIM section 1); what was scraped is
 * worked out when it is asked for.
 *
 * A SimModel is what all rows share, read-only. A row is one flat block of bytes: a SimRow, then the arrays that a
 * SimView points at. Copying the block is a snapshot.
 *
 * Pods that are in one and the same state form a cohort, advanced once for them all. What they count goes into one
 * history: the counters of the mean pod in the endpoints, at the end of each sub-step, as far back as a window can reach. A
 * pod's own counters are the mean pod's between its coming into the endpoints and its leaving; so a scrape is no more than a
 * sub-step's number, pods may change cohorts at any time, and the sum over the pods is what was counted. Only differences of
 * counters count: they are floats, and go back to zero before they lose digits.
 */
#ifndef MAESTRO_SIM_CORE_H
#define MAESTRO_SIM_CORE_H

#include "base/rng.h"
#include "decide/rails.h"
#include "sim/chaos_row.h"
#include "sim/response.h"
#include "sim/server.h"
#include "sim/sim.h"

enum { /* of the history: the mean pod's requests now, then its counters */
	COLUMN_N, COLUMN_CPU_S, COLUMN_ACCEPTED, COLUMN_SERVED, COLUMN_ERROR,
	COLUMN_WITHIN, /* served within each point, in the response's order */
};

enum { HOUSE_PARTS = 256, COHORTS = 7 };

#define NO_NODE_S 1e6 /* a pending pod is ready so much later */

typedef enum LaneState { LANE_FREE, LANE_POD, LANE_GONE } LaneState;

typedef struct Drawn { /* of an episode along the axes of vary.h; a model's: the config's own */
	float capacity, backend_s, interval_s;
	int32_t nodes, scrape_ticks, delay_ticks, substeps, min_replicas, max_replicas;
	double boot_cv, missing, noise, retries;
	double trend_a_day, flash, flash_rise_s, flash_at_s;
} Drawn;

enum { LATE_SIGNALS = 4 };

typedef struct Late { /* what Prometheus knew at the end of a sub-step */
	double cpu_cores, mem_bytes, latency_ms, rps;
	uint32_t valid;
	int32_t age_ms[LATE_SIGNALS];
} Late;

typedef struct SimModel {
	SimConfig config;
	Response *response;
	double dt;
	int64_t dt_ms;
	int32_t warm_ticks;    /* sub-steps before time 0 that fill every window */
	Drawn drawn;           /* of an episode where nothing is drawn */
	int32_t late_ticks;    /* > 0: the most by which metrics are late */
	int32_t latency_ticks, rate_ticks; /* of the windows: those in (now - range, now] */
	int32_t lanes, cohorts; /* per row */
	int32_t stamps;        /* cAdvisor's, kept per lane */
	int32_t columns, depth; /* of the history: numbers an entry, and entries */
	int32_t house_every, house_jitter; /* cAdvisor's interval and jitter, in HOUSE_PARTS of a sub-step */
	int64_t latency_window_ms, rate_window_ms, keep_ms;
	double pod_capacity;   /* rps of one pod at the soft limit */
	double peak_rps;
	bool has_chaos;        /* faults may come */
	double traffic_now;    /* times what an episode's traffic is: a person's, while it trains */
	int32_t trace_now;     /* the trace of every episode that begins; -1: as each draws */
	bool may_oom;          /* a pod can reach its memory limit by itself */
	bool may_contend;      /* a node's pods can want more than it has */
	int32_t node_room;     /* pods of a node */
	bool is_wide;          /* response_has_wide() */
	Target target;         /* what observation and reward look at */
	RailsConfig rails;     /* where config.has_rails */
	size_t pods_at, cohorts_at, history_at, kept_at, stamps_at, order_at, live_at; /* in a row, bytes */
	size_t target_at, observer_at, rails_at, faults_at, discrete_at, servers_at, jobs_at, conns_at; /* 0: there is none */
	size_t drawn_at, late_at;
	uint32_t jobs;         /* a server has memory for; 0 at the fluid level */
	size_t row_bytes;
} SimModel;

typedef struct StepTotals { /* since the start of a control step, for EnvInfo */
	float served, dropped, offered, cpu_s, pod_s, time_s;
	float within[POINTS];  /* served at or under each point, in the response's order */
} StepTotals;

typedef struct Load {
	float rate_rps;        /* offered */
	float open, ghosts;    /* pods in the endpoints, and those that are there no more */
	float pace;
} Load;

typedef struct Weather { /* of a sub-step: what follows from the load alone, and stays while that does */
	Load load;
	float rate, rho;       /* of one of these pods */
	float sd, per_mean;    /* of the arrivals */
	float keep, fresh;     /* of the AR(1) */
	float per, times, third; /* of the frailty: its variance, 1 over it, and what the noise is multiplied with */
} Weather;

typedef struct Change { /* of one pod over a sub-step */
	float n, served, dropped, cores, accepted;
	Place middle;          /* where its mean n lies */
} Change;

typedef struct SimRow {
	uint64_t seed;
	uint32_t id, episode;
	int32_t step;          /* of the episode */
	int32_t replicas;      /* asked for */
	int32_t n_used;        /* lanes in view.order */
	int32_t n_live;        /* cohorts in view.live */
	int32_t alive, present; /* pods not deleted; pods that exist */
	int32_t at;            /* where the history has the present */
	float noise;           /* AR(1) state, deviation 1 */
	float kept_load, kept_stretch; /* that view.kept is for; 0: none; below: kept so many sub-steps, of ages at n = kept_load */
	int64_t tick;          /* sub-steps since time 0; negative while warming up */
	double next_event_s;   /* until then no pod changes by itself */
	double served;         /* by the mean pod, ever */
	double trace_start_s, trace_from_s, trace_span_s; /* where the episode begins in the window, and the window */
	float quiet_from_s, quiet_part; /* from when on the traffic is but a part; INFINITY: never */
	double compression, traffic_scale; /* trace seconds a second, negative when it runs backwards; of peak_rps */
	double boot_scale;     /* of the service's boot times */
	double sojourn_s;      /* of a request, in the last sub-step: what a closed loop waits for */
	double again_rps;      /* tries that follow failed ones */
	int64_t lived;         /* control steps of all its episodes */
	float pace;            /* of all its pods' work: 1, or less under faults and where nodes are crowded */
	float cpu_share;       /* of the CPU time that the pods would use, what they get */
	float busy_cores;      /* that they wanted in the last sub-step */
	int16_t trace;         /* of config.trace[] */
	uint8_t world;         /* whose model it lives by */
	int8_t direction;      /* of the last change of replicas; 0: none yet */
	int32_t nodes;         /* there are now */
	int32_t pending;       /* pods without a node, since */
	double pending_s;
	int64_t wall_start_ms; /* of time 0, for the calendar */
	double violations;     /* sum of reward_violation since it was asked for */
	int16_t oom_kills;     /* since the start of a control step */
	uint8_t mask;          /* of the last observation */
	Chaos chaos;
	int32_t change_step;
	float reward_scale;    /* by the price */
	float limit_scale;     /* of the memory limit that is told, over the service's */
	int32_t judged;        /* intervals in violations */
	float last[4];         /* last known value of each signal but the replicas, in the order of the SAMPLE_ bits */
	Rng lifecycle;
	Weather weather;
	float steady_n;        /* of the oldest cohort, where it stays in this weather; < 0: not known */
	int32_t steady_ticks;  /* that it has; for so long as a window that view.kept is for the present weather too */
	Change steady;
	StepTotals totals;
} SimRow;

typedef struct Pod {
	double ready_s, deleted_s; /* INFINITY: not yet */
	float created, running, listen; /* s before it is ready */
	float served_before;   /* by the mean pod, until it was ready */
	int32_t gone_tick;     /* INT32_MAX: not yet */
	int32_t scrape_tick;   /* of its next scrape */
	uint32_t house_at;     /* cAdvisor's next visit in HOUSE_PARTS of a sub-step, modulo 2^32 */
	uint32_t chance;       /* of its own: state of the visits' jitter */
	int16_t cohort;        /* -1: has taken no traffic yet, or is gone */
	uint8_t state : 2;     /* LaneState */
	uint8_t : 1;
	uint8_t restarts : 5;  /* of its container */
	uint8_t n_stamps, stamp; /* kept, and where the newest is */
} Pod;

typedef struct Cohort {
	double listen_s;       /* means over its pods */
	double ready_s, out_s; /* in the endpoints from, to */
	float n;               /* requests in each pod */
	float share;           /* of the sub-step, while it takes traffic */
	int32_t pods;          /* 0: free */
	int32_t since_tick;    /* sub-step at which it began */
} Cohort;

typedef struct Counts { /* of a sub-step, sums over the pods */
	float n, cpu_s, accepted, served, dropped;
	float open;            /* pods in the endpoints, in parts of the sub-step */
	float live;            /* pods with traffic or some left */
	float busy_cores;      /* that they would use with nodes of their own */
	float within[POINTS];
} Counts;

typedef struct Discrete { /* of the request level, besides a server for each cohort */
	Rng arrivals, demands, balancer;
	Sizes sizes;
	double to_arrival;     /* until the next one, in mean times between arrivals */
	uint32_t turn;         /* of round robin */
} Discrete;

typedef struct Conn {  /* of a client, at the request level with keepalive */
	double until_s;
	int32_t cohort, since_tick; /* the pod that it is pinned to */
} Conn;

typedef struct SimView {
	Pod *pod;              /* [lanes] */
	Cohort *cohort;        /* [cohorts] */
	float *history;        /* [depth][columns], a ring */
	float *kept;           /* [points] hazards of the oldest cohort, where it lags */
	int16_t *stamp;        /* [lanes][stamps] sub-steps of cAdvisor's samples modulo 2^16, rings */
	int16_t *order;        /* [lanes] used lanes, oldest pod first */
	int16_t *live;         /* [cohorts] those with pods, oldest first */
	const Target *target;  /* the model's, or one with this episode's start-up and price */
	Observer *observer;    /* of observations that have a past */
	RailsHistory *rails;   /* where config.has_rails */
	ChaosFaults *faults;   /* where model.has_chaos */
	Discrete *discrete;    /* at the request level */
	Server *server;        /* [cohorts] */
	Job *job;              /* [cohorts][jobs] */
	Conn *conn;            /* [keepalive_conns] */
} SimView;

/* core.c */

/* ERR_INVALID names the setting; ERR_NOMEM. */
int core_model_init(SimModel *model, const SimConfig *config, Error *err);
void core_model_done(SimModel *model);
/* The soft limit, or the default one where it is off. */
double core_soft_ms(const SimConfig *config);
SimView core_view(const SimModel *model, SimRow *row);
/* To time 0 of an episode: streams set, starting replicas ready, windows full. */
void core_reset(const SimModel *model, SimRow *row, uint64_t seed, uint32_t id, uint32_t episode);
/* An observer that has read the trace's hour before the episode, as one on a cluster reads Prometheus. */
void core_observe_past(const SimModel *model, const SimRow *row, const Target *target, ObsSpec spec, Observer *ret);
/* So many sub-steps, one after the other. */
void core_run(const SimModel *model, SimRow *row, const SimView *view, int32_t ticks);
/* What happened since the totals were cleared. */
void core_info(const SimModel *model, const SimRow *row, int32_t ready, EnvInfo *ret_info);
/* Pods that take traffic now. */
int32_t core_ready(const SimModel *model, const SimRow *row, const SimView *view);
/* What was served in many steps: single precision would lose digits. */
typedef struct Served {
	double all;
	double within[POINTS]; /* as of StepTotals */
} Served;

/* Adds a step. */
void core_add_served(Served *to, const StepTotals *totals);
/* The q-quantile of its latencies, ms; NAN without any. */
double core_quantile_ms(const SimModel *model, const Served *served, double q);
static inline double core_now_s(const SimModel *model, const SimRow *row)
{
	return (double) row->tick * model->dt;
}
/* Offered requests a second at t_s of the episode; before 0 that of 0. */
double core_rate(const SimModel *model, const SimRow *row, double t_s);

/* pods.c: creates and deletes pods towards row->replicas, ends those that are drained, frees lanes; to be called where
 * row->next_event_s has come or row->replicas changed. */
void pods_update(const SimModel *model, SimRow *row, const SimView *view, double now_s);
/* `count` pods that have been ready and warm for an hour, with n requests in each. */
void pods_add_settled(const SimModel *model, SimRow *row, const SimView *view, int32_t count, float n);
static inline bool pod_is_ready(const Pod *pod, double now_s)
{
	return pod->state == LANE_POD && pod->ready_s <= now_s && pod->deleted_s > now_s;
}

/* The k-th pod of those not deleted, counted around, is lost with what is in it. False: there is none. */
bool pods_kill(const SimModel *model, SimRow *row, const SimView *view, uint32_t k, double now_s);
/* All pods of one of the nodes are lost, and still counted as alive: how many. */
int32_t pods_lose_node(const SimModel *model, SimRow *row, const SimView *view, uint32_t node, double now_s);

/* A pod's container is killed with what is in it, and runs again after delay_s and its boot. */
void pods_restart(const SimModel *model, SimRow *row, const SimView *view, int32_t lane, double delay_s, double now_s);

/* nodes.c */

/* Pods that all nodes together hold. */
static inline int32_t nodes_room(const SimModel *model, const SimRow *row)
{
	return row->nodes * model->node_room;
}
static inline bool pod_is_pending(const Pod *pod, double now_s) /* no node has room for it */
{
	return pod->state == LANE_POD && pod->ready_s > now_s + .5 * NO_NODE_S;
}
/* Takes from the row's pace and cpu_share what its nodes have not. */
void nodes_contend(const SimModel *model, SimRow *row);
/* Kills what is over its memory limit. */
void memory_tick(const SimModel *model, SimRow *row, const SimView *view, double now_s);
/* A pod's working set, with n requests in it. */
static inline double memory_of(const SimModel *model, const SimRow *row, const Pod *pod, double n)
{
	const Service *s = &model->config.service;
	double bytes = s->mem_base_bytes + (double) row->chaos.mem_bytes, served = row->served - (double) pod->served_before;
	if (pod->cohort >= 0)
		bytes += s->mem_inflight_bytes * n + s->mem_leak_bytes * (served > 0.0 ? served : 0.0);
	return bytes;
}

/* vary.c */

/* Whether any axis is drawn anew for an episode. */
bool vary_has_any(const SimConfig *config);
/* ERR_INVALID: ranges that the rest of the configuration has no room for. */
int vary_check(const SimConfig *config, Error *err);
/* Bounds over all episodes. */
int32_t vary_most_replicas(const SimConfig *config);
double vary_scrape_s(const SimConfig *config, bool is_longest);
int32_t vary_delay_ticks(const SimConfig *config);
/* What an episode without any axis has; what this one draws. */
void vary_none(const SimModel *model, Drawn *ret);
void vary_draw(const SimModel *model, SimRow *row);
static inline const Drawn *drawn_of(const SimModel *model, const SimRow *row)
{
	return model->drawn_at ? (const void *) ((const char *) row + model->drawn_at) : &model->drawn;
}
/* Sets the row's pace and cpu_share of this sub-step. */
static inline void nodes_tick(const SimModel *model, SimRow *row)
{
	row->pace = row->chaos.speed * drawn_of(model, row)->capacity;
	row->cpu_share = row->chaos.cpu_share;
	if (model->may_contend)
		nodes_contend(model, row);
}
/* Times the traffic at t_s of the episode. */
double vary_traffic(const Drawn *drawn, double t_s);
/* Keeps what Prometheus knows now; puts what it knew a delay ago in place of the present. Where model.late_ticks > 0. */
void vary_keep_sample(const SimModel *model, SimRow *row, const SimView *view);
void vary_delay(const SimModel *model, SimRow *row, Sample *sample);

/* worlds.c */

/* Of the configuration itself, or of the k-th of its worlds. */
int world_model(const SimConfig *config, int32_t k, SimModel *ret, Error *err);
/* No idle pod's p95 is less. */
double world_idle_least_s(const Service *service);
/* The world of an episode. */
int32_t world_of(int32_t worlds, uint64_t seed, uint32_t id, uint32_t episode);
/* Noise on what is measured, and gaps. */
void world_blur(const Drawn *drawn, const SimRow *row, Sample *sample);

/* chaos.c */

/* Nothing strikes. */
void chaos_reset(const SimModel *model, SimRow *row);
/* Faults that begin and end now. */
void chaos_tick(const SimModel *model, SimRow *row, const SimView *view, double now_s);
/* A fault begins now, whatever was planned; view->faults is there. */
void chaos_begin(const SimModel *model, SimRow *row, const SimView *view, const ChaosPlan *fault, double now_s);
/* All that go on end now. */
void chaos_end(const SimModel *model, SimRow *row, const SimView *view);
/* Pods that get requests and are not there. */
static inline int32_t chaos_ghosts(const SimRow *row)
{
	return row->tick < row->chaos.missed ? row->chaos.ghosts : 0;
}

/* cohort.c */

/* A pod begins to take traffic, with n requests: with others that do so now, else in a cohort of its own. */
void cohort_join(const SimModel *model, SimRow *row, const SimView *view, int32_t lane, float n);
/* A pod is deleted at now_s and goes its own way. False where there is no room for one more state. */
bool cohort_part(const SimModel *model, SimRow *row, const SimView *view, int32_t lane, double now_s);
/* A pod is gone. */
void cohort_leave(SimRow *row, const SimView *view, int32_t lane);
/* All pods of a cohort go over to another one in the same state. */
void cohort_merge(SimRow *row, const SimView *view, int32_t from, int32_t to);

/* chance.h: words for the sub-steps to come, two a block. */
typedef struct Dice {
	uint32_t first;        /* block in word[], of BLOCKS; whose words are there if has_any */
	bool has_any;
	uint32_t word[4][RNG_BLOCKS];
} Dice;

/* fluid.c: queues and counters over [now_s, now_s + dt] at rate_rps offered. */
void fluid_tick(const SimModel *model, SimRow *row, const SimView *view, Dice *dice, double now_s, double rate_rps);

/* discrete.c: the same by single requests. */
void discrete_tick(const SimModel *model, SimRow *row, const SimView *view, double now_s, double rate_rps);
void discrete_reset(const SimModel *model, SimRow *row, const SimView *view);
/* A new cohort's server, with n requests in it. */
void discrete_open(const SimModel *model, const SimRow *row, const SimView *view, int32_t index, float n);

/* scrape.c */

/* What Prometheus answers now. Brings cAdvisor's visits up to the present. */
void scrape_query(const SimModel *model, SimRow *row, const SimView *view, double now_s, Sample *ret_sample);
/* The sub-step of cAdvisor's newest sample of a pod, or of one so many before it. */
int32_t scrape_stamp(const SimModel *model, const SimRow *row, const SimView *view, int32_t lane, int32_t before);
/* A pod's counter at a sub-step, less something that is the same for all sub-steps. */
double scrape_counted(const SimModel *model, const SimRow *row, const SimView *view, const Pod *pod, int32_t tick,
                      int32_t column);

#endif
