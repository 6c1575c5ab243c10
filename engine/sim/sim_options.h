/*
 * The environment that a training has, by the options of `maestro train`: rows of an option table, the presets' figures, and what they
 * mean for the simulator. The command line and the C interface (sim_abi.h) share them, so that both simulate the same to the bit.
 */
#ifndef MAESTRO_SIM_SIM_OPTIONS_H
#define MAESTRO_SIM_SIM_OPTIONS_H

#include "base/option.h"
#include "base/sink.h"
#include "sim/service_file.h"
#include "sim/traffic.h"

typedef struct SimOptions {
	const char *preset, *traffic, *service, *lb, *bounds, *level, *observation, *actions, *reward;
	OptList trace, vary;
	int64_t steps, seed;   /* of the whole training, which faults come by; of its worlds and made-up traffic */
	int32_t envs, randomise, min_replicas, max_replicas, stack, episode_steps;
	double chaos, peak_rps, latency_soft_ms, latency_hard_ms, interval_s, rate_window_s, pod_price, startup_s;
} SimOptions;

#define SIM_OPTION(type, name, kind, field, lo, hi, arg, help) { name, 0, kind, offsetof(type, field), lo, hi, arg, help, true }

/* Rows of an option table whose struct holds a SimOptions at `at`. */
#define SIM_OPTIONS_TRAFFIC(type, at) \
	SIM_OPTION(type, "preset", OPT_STRING, at.preset, 0, 0, "NAME", "default, or seed (the thesis's figures, limits off)"), \
	SIM_OPTION(type, "trace", OPT_LIST, at.trace, 0, 0, "FILE", "request rates to replay: CSV t_s,rps, or the name of a compiled-in trace; repeatable"), \
	SIM_OPTION(type, "service", OPT_STRING, at.service, 0, 0, "FILE", "the service to simulate, as maestro fit writes it (else the built-in one)"), \
	SIM_OPTION(type, "traffic", OPT_STRING, at.traffic, 0, 0, "NAME", "made-up traffic instead: mix (the default: all compiled-in traces), constant, step, ramp, spike, diurnal, flash, onoff, noise, stages; NAME:key=value,..."), \
	SIM_OPTION(type, "randomise", OPT_INT, at.randomise, 0, 256, "K", "services about the given one, each episode in one of them; 0: off"), \
	SIM_OPTION(type, "vary", OPT_LIST, at.vary, 0, 0, "AXIS=LO:HI", "what episodes draw besides, or otherwise: several with commas, AXIS alone by its usual range; all; maestro train --vary help lists them"), \
	SIM_OPTION(type, "lb", OPT_STRING, at.lb, 0, 0, "WHAT", "requests go to pods at random, rr or least (of two); the last two with --level request"), \
	SIM_OPTION(type, "chaos", OPT_DOUBLE, at.chaos, 0, 1, "RATE", "faults a step and environment; none in the first fifth of training, then rising (live: from the start)")
#define SIM_OPTIONS_STEPS(type, at) \
	SIM_OPTION(type, "steps", OPT_INT64, at.steps, 1, 1e12, "N", "environment steps in all"), \
	SIM_OPTION(type, "envs", OPT_INT, at.envs, 1, 65536, "N", "environments side by side"), \
	SIM_OPTION(type, "seed", OPT_INT64, at.seed, 0, 9e15, "N", "same seed, same bytes")
#define SIM_OPTIONS_WORLD(type, at) \
	SIM_OPTION(type, "peak-rps", OPT_DOUBLE, at.peak_rps, 0, 1e9, "R", "rate at the trace's peak; 0: the demand there is .8 x max (live: the trace's own)"), \
	SIM_OPTION(type, "latency-soft", OPT_DOUBLE, at.latency_soft_ms, -1, 1e7, "MS", "soft limit of p95; -1: off"), \
	SIM_OPTION(type, "latency-hard", OPT_DOUBLE, at.latency_hard_ms, -1, 1e7, "MS", "hard limit of p95; -1: off"), \
	SIM_OPTION(type, "min-replicas", OPT_INT, at.min_replicas, 1, 10000, "N", "least replicas"), \
	SIM_OPTION(type, "max-replicas", OPT_INT, at.max_replicas, 1, 10000, "N", "most replicas (live: else the annotation)"), \
	SIM_OPTION(type, "interval", OPT_DURATION, at.interval_s, 1, 3600, "TIME", "between decisions: 15s, 1m (live: else the interval of --from, 30s)"), \
	SIM_OPTION(type, "bounds", OPT_STRING, at.bounds, 0, 0, "WHAT", "noop, or terminate: an action past a bound ends the episode with -1"), \
	SIM_OPTION(type, "level", OPT_STRING, at.level, 0, 0, "WHAT", "of the simulator: fluid (fast), or request (every request an event)"), \
	SIM_OPTION(type, "observation", OPT_STRING, at.observation, 0, 0, "WHAT", "seed (the thesis's five numbers), or trend (what traffic and pods are about to do)"), \
	SIM_OPTION(type, "actions", OPT_STRING, at.actions, 0, 0, "WHAT", "three (a pod down, none, a pod up), or wide: also -25, +25, +50 and +100 percent; else those of --from, wide for trend"), \
	SIM_OPTION(type, "rate-window", OPT_DURATION, at.rate_window_s, 10, 3600, "TIME", "of trend's cpu, rps and p95: of rate() in its queries"), \
	SIM_OPTION(type, "stack", OPT_INT, at.stack, 1, TREND_STACK_MAX, "K", "of trend: some of its numbers of the last K-1 intervals as well"), \
	SIM_OPTION(type, "reward", OPT_STRING, at.reward, 0, 0, "WHAT", "seed, slo (pods at a price against slow requests), or slo-lagrange (a budget for them)"), \
	SIM_OPTION(type, "pod-price", OPT_DOUBLE, at.pod_price, .001, 1000, "A", "of all pods for an interval, a slow interval being 1; trained from .05 to 3, this is the model's own")
#define SIM_OPTIONS_STARTUP(type, at) \
	SIM_OPTION(type, "startup", OPT_DURATION, at.startup_s, 0, 3600, "TIME", "median from a pod's creation to ready; 0: the service's, and 5 s to 2 min in training")
#define SIM_OPTIONS_EPISODE(type, at) \
	SIM_OPTION(type, "episode-steps", OPT_INT, at.episode_steps, 2, EPISODE_STEPS_MAX, "N", "steps of an episode (200)")

/* What both presets have. */
void sim_options_default(SimOptions *ret_options);
/* What the named one has besides. ERR_USAGE lists the names. */
int sim_options_preset(SimOptions *options, const char *preset, Error *err);

/*
 * The environments to train in, and those that the run's evaluations are of: other parts of the traces, without faults, the service as it
 * is. The first third of each trace trains, the middle one chooses the best model, the last is for the table at the end and for
 * `maestro evaluate`; of the thesis's preset two thirds train and the last evaluates. Traffic comes by sim_traffic_open. service NULL:
 * the default one. ret_note says what is done otherwise than the file says; "": nothing. ERR_USAGE.
 */
int sim_options_apply(const SimOptions *options, const ServiceFile *service, SimConfig *ret_train, SimConfig *ret_held_out,
                      Error *ret_note, Error *err);

enum { SIM_TRACES_MAX = TRACES_BUILT_IN_MAX };

typedef struct SimTraffic {
	Trace trace[SIM_TRACES_MAX]; /* to train on, a part each; the rest is held out */
	size_t n;
	Trace held_out;              /* of made-up traffic: another draw of it */
	char name[64];
} SimTraffic;

/*
 * Opens what the options name and lends it to both. Without trace and traffic the preset `default` has the mix, every compiled-in trace
 * (made-up shapes beside them were tried, and made it worse on the wild ones); `seed` has constant traffic. To be closed after a failure
 * too. ERR_USAGE, ERR_IO, ERR_INVALID, ERR_NOMEM.
 */
int sim_traffic_open(const SimOptions *options, SimTraffic *ret_traffic, SimConfig *train, SimConfig *held_out, Error *err);
void sim_traffic_close(SimTraffic *traffic);

#endif
