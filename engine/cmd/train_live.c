/* See train_live.h. */
#include "cmd/train_live.h"

#include "base/mem.h"
#include "cluster/chaos_mesh.h"
#include "cluster/home.h"
#include "cluster/load.h"
#include "control/live_env.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOAD_CONNECTIONS = 500, LOAD_TIMEOUT_MS = 10000, RETURN_TRIES = 30 };
static const double FOR_EVER_S = 1e7;

typedef struct Home { /* of a target, to be put back */
	Target target;
	int32_t replicas;
	bool is_noted;
} Home;

struct TrainLive {
	TrainLiveConfig config;
	Runner *runner;
	KubeClient *kube;      /* of the main thread, and in between of the trainer's for faults; without a cache */
	ChaosMesh *mesh;
	Env *env;
	Home *home;            /* [n_homes] */
	size_t n_homes;
	pthread_t load;
	bool has_load;
	atomic_bool stops_load;
	double load_from_s;
	char owner[160];
};

int train_live_check(const TrainOptions *o, Error *err)
{
	if (!o->run.deployment.n)
		return error_set(err, ERR_USAGE, "--env live: --deployment NAMESPACE/NAME is missing");
	if (!strcmp(o->reward, "slo-lagrange"))
		return error_set(err, ERR_USAGE, "--env live: --reward slo-lagrange needs the share of slow requests, which only the simulator tells; "
		                 "write slo or seed");
	if (o->chaos_by && strcmp(o->chaos_by, "mesh") && strcmp(o->chaos_by, "builtin"))
		return error_set(err, ERR_USAGE, "--chaos-by %.40s: write mesh or builtin", o->chaos_by);
	if (o->load_url.n && !o->trace.n && !o->traffic)
		return error_set(err, ERR_USAGE, "--load-url: name the traffic with --trace or --traffic");
	return 0;
}

/* ---- load ---- */

/* The traces one after the other, from where the run is. */
static double rate_at(void *arg, double t_s)
{
	const TrainLive *live = arg;
	const TrainTraffic *traffic = live->config.traffic;
	const TrainOptions *o = live->config.options;
	double at_s = (live->load_from_s + t_s) * o->compression, all_s = 0;
	for (size_t i = 0; i < traffic->n; i++)
		all_s += (double) traffic->trace[i].n * traffic->trace[i].step_s;
	at_s -= all_s * (double) (int64_t) (at_s / all_s);
	for (size_t i = 0; i < traffic->n; i++) {
		const Trace *trace = &traffic->trace[i];
		double length_s = (double) trace->n * trace->step_s;
		if (at_s < length_s || i + 1 == traffic->n)
			return (o->peak_rps > 0 ? o->peak_rps : trace->peak_rps) * trace_rate(trace, at_s);
		at_s -= length_s;
	}
	return 0;
}

static void *load_main(void *arg)
{
	TrainLive *live = arg;
	const TrainOptions *o = live->config.options;
	double most = o->peak_rps;
	for (size_t i = 0; i < live->config.traffic->n && o->peak_rps <= 0; i++)
		most = live->config.traffic->trace[i].peak_rps > most ? live->config.traffic->trace[i].peak_rps : most;
	const LoadConfig load = {
		.url = o->load_url.item, .n_urls = o->load_url.n, .rps = most, .rate = rate_at, .context = live, .duration_s = FOR_EVER_S,
		.timeout_ms = LOAD_TIMEOUT_MS, .connections = LOAD_CONNECTIONS, .seed = (uint64_t) o->seed, .stop = &live->stops_load,
	};
	LoadReport *report = calloc(1, sizeof *report); /* its histogram is large for a stack */
	Error err = { 0 };
	int code = report ? load_run(&load, report, &err) : ERR_NOMEM;
	if (code)
		(void) fprintf(stderr, "maestro: the load ended: %s\n", err.text[0] ? err.text : err_text(code));
	else
		(void) fprintf(stderr, "maestro: load: %lld requests sent, %lld answered\n", (long long) report->sent, (long long) report->ok);
	free(report);
	return NULL;
}

static int start_load(TrainLive *live, Error *err)
{
	const TrainOptions *o = live->config.options;
	for (size_t i = 0; i < live->config.traffic->n; i++)
		if (o->peak_rps <= 0 && !(live->config.traffic->trace[i].peak_rps > 0))
			return error_set(err, ERR_USAGE, "the trace does not say its peak_rps; give --peak-rps");
	live->load_from_s = (double) live->config.steps_done / (double) live->env->n * o->interval_s;
	if (pthread_create(&live->load, NULL, load_main, live))
		return error_set(err, ERR_NOMEM, "the load's thread does not start");
	live->has_load = true;
	return 0;
}

/* ---- faults ---- */

/* What the simulator calls them, in EnvInfo.chaos. */
static uint32_t as_simulated(uint32_t faults)
{
	static const ChaosKind kinds[MESH_FAULTS] = {
		[MESH_CPU_HALF] = CHAOS_CPU_STRESS, [MESH_CPU_FULL] = CHAOS_CPU_STRESS, [MESH_POD_KILL] = CHAOS_POD_KILL,
		[MESH_DELAY] = CHAOS_NETWORK_DELAY, [MESH_LOSS] = CHAOS_NETWORK_LOSS,
	};
	uint32_t bits = 0;
	for (uint32_t i = 0; i < MESH_FAULTS; i++)
		bits |= faults >> i & 1u ? 1u << kinds[i] : 0;
	return bits;
}

static uint32_t look_for_faults(void *arg, const Target *target)
{
	return as_simulated(chaos_mesh_look(((TrainLive *) arg)->mesh, target));
}

static int begin_fault(void *arg, const Target *target, uint32_t draw, Error *err)
{
	TrainLive *live = arg;
	const TrainOptions *o = live->config.options;
	bool is_builtin = o->chaos_by && !strcmp(o->chaos_by, "builtin");
	uint32_t n = !is_builtin ? MESH_FAULTS : MESH_POD_KILL + 1; /* the network's are Chaos Mesh's alone */
	MeshFault fault = is_builtin && !o->load_url.n ? MESH_POD_KILL : (MeshFault) (draw % n);
	int64_t before = chaos_mesh_begun(live->mesh);
	int code = chaos_mesh_begin(live->mesh, target, fault, draw / n, err);
	if (chaos_mesh_begun(live->mesh) > before)
		(void) fprintf(stderr, "maestro: %s/%s: %s begins\n", target->namespace_, target->name, mesh_fault_text(fault));
	return code;
}

static int open_faults(TrainLive *live, Error *err)
{
	const TrainOptions *o = live->config.options;
	const ChaosMeshConfig config = {
		.kube = live->kube, .clock = &live->config.session->clock, .owner = live->owner,
		.is_builtin = o->chaos_by && !strcmp(o->chaos_by, "builtin"), .stress_url = o->load_url.n ? o->load_url.item[0] : NULL,
	};
	int code = chaos_mesh_new(&config, &live->mesh, err);
	for (size_t i = 0; i < live->n_homes && !code; i++)
		code = chaos_mesh_prepare(live->mesh, &live->home[i].target, err);
	if (code != ERR_NOT_FOUND && !(code && o->chaos <= 0))
		return code;
	if (o->chaos > 0) /* without a wish for faults nobody asks whether there could be some */
		(void) fprintf(stderr, "maestro: --chaos is off: Chaos Mesh is not in this cluster (%s)\n", err->text);
	chaos_mesh_free(live->mesh);
	live->mesh = NULL;
	return 0;
}

/* ---- replicas as they were ---- */

static int note_homes(TrainLive *live, Error *err)
{
	size_t n;
	Loop *const *loops = runner_loops(live->runner, &n);
	live->home = calloc(n, sizeof *live->home);
	if (!live->home)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	for (size_t i = 0; i < n; i++) {
		Home *home = &live->home[live->n_homes++];
		bool was_left = false;
		home->target = loop_config(loops[i])->target;
		int code = home_note(live->kube, &home->target, &home->replicas, &was_left, err);
		if (code)
			return code;
		home->is_noted = true;
		if (was_left)
			(void) fprintf(stderr, "maestro: %s/%s: an earlier training was ended before it put back %d replicas; this one will\n",
			               home->target.namespace_, home->target.name, home->replicas);
	}
	return 0;
}

/* An API that is away is waited for a while. Who cannot be reached keeps the note on the Deployment. */
static void put_back(TrainLive *live)
{
	for (size_t i = 0; i < live->n_homes; i++) {
		const Home *home = &live->home[i];
		Error err = { 0 };
		int code = home->is_noted ? home_return(live->kube, &home->target, home->replicas, &err) : 0;
		for (int k = 0; (code == ERR_UNREACHABLE || code == ERR_TIMEOUT) && k < RETURN_TRIES && home->is_noted; k++) {
			struct timespec second = { 1, 0 };
			(void) nanosleep(&second, NULL);
			code = home_return(live->kube, &home->target, home->replicas, &err);
		}
		if (code)
			(void) fprintf(stderr, "maestro: %s/%s was not put back to %d replicas: %s; the next training there does it, or kubectl scale\n",
			               home->target.namespace_, home->target.name, home->replicas, err.text);
		else if (home->is_noted)
			(void) fprintf(stderr, "maestro: %s/%s is back at %d replicas\n", home->target.namespace_, home->target.name, home->replicas);
	}
}

/* ---- life ---- */

static int make_policy(void *arg, const Target *target, Policy **ret_policy, Error *err)
{
	const TrainLive *live = arg;
	const SimConfig *sim = &live->config.trainer->sim;
	(void) target;
	int code = live_policy_new(sim_obs_spec(sim), sim->pod_price, ret_policy);
	return code ? error_set(err, code, "%s", err_text(code)) : 0;
}

/* The training's settings as those of a process that acts. */
static void fill_run_options(TrainOptions *o)
{
	RunOptions *run = &o->run;
	run->min_replicas = o->min_replicas;
	run->max_replicas = o->max_replicas;
	run->interval_s = o->interval_s;
	run->latency_soft_ms = o->latency_soft_ms;
	run->latency_hard_ms = o->latency_hard_ms;
	run->pod_price = o->pod_price;
	run->policy = "in training";
	run->scale_down_window_s = 0; /* as of an evaluated model: what guards that one guards this one */
	run->fallback_after = INT32_MAX; /* what cannot be seen is waited for */
}

static int open_env(TrainLive *live, Error *err)
{
	const TrainerConfig *trainer = live->config.trainer;
	const TrainOptions *o = live->config.options;
	LiveEnvConfig config = {
		.is_slo = trainer->sim.reward == SIM_REWARD_SLO, .slo = trainer->sim.slo, .episode_steps = trainer->sim.episode_steps,
		.max_hours = o->max_hours, .max_pod_hours = o->max_pod_hours,
	};
	config.loops = runner_loops(live->runner, &config.n_loops);
	if (live->mesh) {
		config.chaos_rate = o->chaos;
		config.faults = (LiveFaults) { begin_fault, look_for_faults, live };
	}
	if (config.n_loops != (size_t) trainer->ppo.n_envs)
		return error_set(err, ERR_USAGE, "--envs %d: a live training has one for each of the %zu Deployments", trainer->ppo.n_envs, config.n_loops);
	return live_env_new(&config, &live->env, err);
}

static int open_all(TrainLive *live, Error *err)
{
	const TrainLiveConfig *config = &live->config;
	const RunnerConfig runner = {
		.options = &config->options->run, .session = config->session, .policy_new = make_policy, .arg = live,
		.metric_window_s = config->options->metric_window_s,
	};
	int code = runner_open(&runner, &live->runner, err);
	if (!code)
		code = kube_client_new(runner_kubeconfig(live->runner), &config->session->clock, &live->kube, err);
	if (!code)
		code = note_homes(live, err);
	if (!code)
		code = open_faults(live, err);
	if (!code)
		code = open_env(live, err);
	return code || !config->options->load_url.n ? code : start_load(live, err);
}

int train_live_open(const TrainLiveConfig *config, TrainLive **ret_live, Error *err)
{
	TrainLive *live = calloc(1, sizeof *live);
	if (!live)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	live->config = *config;
	fill_run_options(config->options);
	char identity[128];
	lease_identity(identity, sizeof identity);
	(void) snprintf(live->owner, sizeof live->owner, "run %lld of %.120s", (long long) config->trainer->run_id, identity);
	int code = open_all(live, err);
	if (code) {
		train_live_close(live, RUN_FAILED);
		return code;
	}
	*ret_live = live;
	return 0;
}

Env *train_live_env(TrainLive *live)
{
	return live->env;
}

Loop *const *train_live_loops(const TrainLive *live, size_t *ret_n)
{
	return runner_loops(live->runner, ret_n);
}

const char *train_live_spent(const TrainLive *live)
{
	return live_env_spent(live->env);
}

void train_live_close(TrainLive *live, RunStatus status)
{
	if (!live)
		return;
	atomic_store(&live->stops_load, true);
	if (live->has_load)
		(void) pthread_join(live->load, NULL);
	chaos_mesh_free(live->mesh);
	put_back(live);
	if (live->runner)
		runner_note_end(live->runner, status);
	env_free(live->env);
	kube_client_free(live->kube);
	runner_close(live->runner);
	free(live->home);
	free(live);
}
