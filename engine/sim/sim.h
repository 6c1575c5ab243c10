/*
 * The embedded simulator of one Kubernetes web service under scaling, as the rest of the house uses it: a batch of
 * training environments, or one simulated Deployment behind the same Metrics and Actuator as a cluster's.
 */
#ifndef MAESTRO_SIM_SIM_H
#define MAESTRO_SIM_SIM_H

#include "base/actuator.h"
#include "base/env.h"
#include "base/metrics.h"
#include "decide/observation.h"
#include "decide/reward.h"
#include "sim/chaos.h"
#include "sim/service.h"
#include "sim/trace.h"
#include "sim/vary.h"

typedef enum SimStart { /* replicas at the start of an episode */
	SIM_START_ONE,      /* the thesis's: 1 */
	SIM_START_DEMAND,   /* as many as the traffic at that moment needs, ready */
	SIM_START_RANDOM,   /* uniform in [min, max], ready: explores when training */
} SimStart;

typedef enum SimLevel {
	SIM_FLUID,          /* mean numbers in the pods and a response table: fast */
	SIM_REQUEST,        /* every request is an event */
} SimLevel;

typedef enum SimBalance { /* of requests over pods; the fluid level has SIM_RANDOM alone */
	SIM_RANDOM,         /* kube-proxy with iptables */
	SIM_ROUND_ROBIN,    /* ipvs rr */
	SIM_LEAST,          /* the less loaded of two: a mesh */
} SimBalance;

typedef enum SimReward { SIM_REWARD_SEED, SIM_REWARD_SLO } SimReward;

typedef struct SimVary { /* what each training episode draws, log-uniform between two bounds; both 0: the config's own */
	double startup_min_s, startup_max_s; /* median from a pod's creation to ready */
	double level_min, level_max;         /* mean demand over the episode in pods, in every other episode; the rest keep peak_rps */
	double compression_max;              /* from the config's own up to here */
	double price_min, price_max;         /* pod price */
	double price_even;                   /* rewards are scaled by (price/.4)^-this, so that dear episodes do not drown cheap ones */
	double memory_min, memory_max;       /* an idle pod's share of its memory limit, as the policy sees it */
	double quiet;                        /* share of episodes whose traffic all but ends at some time */
	bool mirrors;                        /* traces run either way, and turn at the window's ends */
	int32_t worlds;                      /* services that episodes draw from, about the config's own; 0: that alone */
	uint64_t worlds_seed;
	bool is_corner;                      /* worlds are of the corner that training leaves out */
	bool turns_clock;                    /* an episode begins at any time of the week */
	SimRange axis[SIM_AXES];             /* what each episode draws besides (vary.h) */
} SimVary;

typedef struct SimConfig {
	Service service;
	const Trace *trace;      /* lent for the life of what is made from it; NULL: constant traffic at peak_rps */
	size_t n_traces;         /* at trace, of which each episode draws one; 0 counts as 1 */
	SimVary vary;
	double window_from, window_to; /* part of the trace that episodes may use, 0..1 */
	double compression;      /* trace seconds a simulated second, 1..60 */
	double peak_rps;         /* at the trace's peak; 0: the demand at the peak is .8 x max */
	double think_s;          /* > 0: the traffic counts users who think so long between requests (closed loop); 0: requests */
	bool random_start;       /* episodes begin anywhere in the window; else at its start, row i shifted evenly */
	double metric_noise;     /* of each metric, deviation over its value */
	double metric_missing;   /* chance that one is not there when it is asked for */
	double chaos_rate;       /* of a fault of any kind, a control step */
	int64_t chaos_steps;     /* > 0: of an environment's training, of which the first fifth is calm and the rate then rises */
	bool takes_faults;       /* sim_env_fault may be called */
	ChaosPlan plan[CHAOS_PLANS]; /* faults at fixed times */
	int32_t n_plans;
	float interval_s;        /* control interval, 30 */
	float substep_s;         /* 5 for training, 1 for evaluation; divides the interval */
	int32_t episode_steps;   /* 200 */
	int32_t min_replicas, max_replicas; /* 1, 15 */
	float latency_soft_ms, latency_hard_ms; /* <= 0: off */
	float latency_window_s;  /* of the p95 query: 300 in the thesis, else 60 */
	bool terminate_at_bounds; /* the thesis's other rule: an action past a bound ends the episode with -1 */
	SimStart start;
	SimLevel level;
	SimBalance balance;
	ObsKind observation;
	ActionSet actions;
	int32_t stack;           /* of trend; 0 counts as 1 */
	bool has_hints;          /* the observation ends with the traffic that is coming, for a critic (EnvSpec.hint_dim) */
	bool has_rails;          /* the batch passes the guard rails of serving a model with an evaluation; the mask is theirs */
	SimReward reward;
	SloWeights slo;
	float pod_price;         /* a of reward slo, and the policy's input */
} SimConfig;

/* Default service, constant traffic, SIM's defaults, limits off. */
void sim_config_default(SimConfig *config);

/* Largest rate at which `replicas` pods keep the steady p95 at or under latency_ms, by the response table. NAN without
 * memory; 0 where even an idle pod is slower. */
double sim_capacity_rps(const Service *service, int32_t replicas, double latency_ms);

/* What a policy on this config sees. */
ObsSpec sim_obs_spec(const SimConfig *config);
/* The Deployment that it stands for: default/sim with the config's bounds, limits, price, and what its service model says. */
void sim_target_of(const SimConfig *config, double pod_capacity_rps, Target *ret_target);

/* The k-th of the worlds that config->vary draws: another service, measured otherwise. */
void sim_world(const SimConfig *config, int32_t k, SimConfig *ret);
/* The same, or one in its place where even an idle pod is slower than latency_ms. ERR_NOMEM; ERR_INVALID: none is faster. */
int sim_world_able(const SimConfig *config, int32_t k, double latency_ms, SimConfig *ret);

/*
 * n environments with the reward and observation of the thesis. Row i's bytes depend on (seed, i) alone. Response
 * tables that are not built in are made here (half a second each). ERR_INVALID names the setting; ERR_NOMEM.
 */
int sim_env_new(const SimConfig *config, size_t n, Env **ret_env, Error *err);

/* For a budget of violations (reward slo-lagrange): their mean over the intervals since the last call, NAN before there were any, and
 * what one costs from now on (SloWeights.violation), which is part of the snapshot. Not while the environments are stepped. */
double sim_env_violations(Env *env);
void sim_env_set_violation_cost(Env *env, float cost);
float sim_env_violation_cost(const Env *env);

/*
 * What a person changes while it trains; part of the snapshot, and not while the environments are stepped.
 *
 * traffic: scale times what each episode's is, from now on; trace: of the config's, for each episode that begins from now on, -1: as
 * each draws. ERR_INVALID: scale not in 0..100, no such trace.
 */
int sim_env_set_traffic(Env *env, double scale, int32_t trace);
void sim_env_traffic(const Env *env, double *ret_scale, int32_t *ret_trace);
/* A fault begins in every environment (its times at_s and every_s are not looked at); NULL: all that go on end. ERR_INVALID where the
 * config does not take faults. */
int sim_env_fault(Env *env, const ChaosPlan *fault);

/* ---- one simulated Deployment ---- */

typedef struct SimTarget SimTarget;

/* Simulated time starts at start_wall_ms. Not thread-safe: one loop owns it. The same config and seed give the same
 * arrivals whatever its replicas do (common random numbers). */
int sim_target_new(const SimConfig *config, uint64_t seed, int64_t start_wall_ms, SimTarget **ret, Error *err);
/* The same simulation from its start, with another seed: what new with that seed would give, without making its tables anew. */
void sim_target_restart(SimTarget *sim, uint64_t seed, int64_t start_wall_ms);
void sim_target_free(SimTarget *sim);
/* Lent. fetch advances the simulation to its now_ms (never back) and answers what Prometheus would have known then,
 * with the pod list of the HPA; set_scale takes effect from there on. */
Metrics *sim_target_metrics(SimTarget *sim);
Actuator *sim_target_actuator(SimTarget *sim);
/* An observer that has read the hour of traffic before time 0, where the trace has it. */
void sim_target_past(const SimTarget *sim, ObsSpec spec, Observer *ret);
/* Lent: what it stands for. */
const Target *sim_target_target(const SimTarget *sim);
/* What really happened between the last two fetches. */
void sim_target_info(const SimTarget *sim, EnvInfo *ret_info);
/* The q-quantile of the latency of all requests since time 0, ms; NAN without any. */
double sim_target_quantile_ms(const SimTarget *sim, double q);
/* Requests a second offered on average at time t_s of the simulation, the future included: for a clairvoyant, and for the history
 * that a policy would have read from Prometheus (t_s < 0: the part of the trace before the window). */
double sim_target_rate(const SimTarget *sim, double t_s);
/* Largest rate at which one pod keeps the steady p95 at the soft limit. */
double sim_target_pod_capacity(const SimTarget *sim);

#endif
