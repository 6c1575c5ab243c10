/* See train_live.h. */
#include "cmd/train_live.h"

#include "base/mem.h"
#include "cluster/chaos_mesh.h"
#include "cmd/live_home.h"
#include "cmd/live_load.h"
#include "control/live_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_S = 2 };

struct TrainLive {
	TrainLiveConfig config;
	Runner *runner;
	KubeClient *kube;      /* of the main thread, and in between of the trainer's for faults; without a cache */
	ChaosMesh *mesh;
	Env *env;
	LiveHomes homes;
	LiveLoad *load;
	char owner[160];
};

int train_live_check(const TrainOptions *o, Error *err)
{
	if (!o->run.deployment.n)
		return error_set(err, ERR_USAGE, "--env live: --deployment NAMESPACE/NAME is missing");
	if (o->seeds > 1)
		return error_set(err, ERR_USAGE, "--env live: one seed at a time, since there is one service");
	if (!strcmp(o->sim.reward, "slo-lagrange"))
		return error_set(err, ERR_USAGE, "--env live: --reward slo-lagrange needs the share of slow requests, which only the simulator tells; "
		                 "write slo or seed");
	if (o->chaos_by && strcmp(o->chaos_by, "mesh") && strcmp(o->chaos_by, "builtin"))
		return error_set(err, ERR_USAGE, "--chaos-by %.40s: write mesh or builtin", o->chaos_by);
	if (!o->load_url.n && (o->sim.trace.n || o->sim.traffic))
		(void) fprintf(stderr, "maestro: --%s is not sent: without --load-url the traffic is what others send\n", o->sim.trace.n ? "trace" : "traffic");
	if (o->load_url.n && !o->sim.trace.n && !o->sim.traffic)
		return error_set(err, ERR_USAGE, "--load-url: name the traffic with --trace or --traffic");
	return 0;
}

static int start_load(TrainLive *live, Error *err)
{
	const TrainOptions *o = live->config.options;
	const LiveLoadConfig load = {
		.url = &o->load_url, .trace = live->config.traffic->trace, .n_traces = live->config.traffic->n, .peak_rps = o->sim.peak_rps,
		.compression = o->compression, .from_s = (double) live->config.steps_done / (double) live->env->n * o->sim.interval_s,
		.seed = (uint64_t) o->sim.seed,
	};
	return live_load_start(&load, &live->load, err);
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
	chaos_mesh_free(live->mesh); /* of a try before */
	live->mesh = NULL;
	int code = chaos_mesh_new(&config, &live->mesh, err);
	for (size_t i = 0; i < live->homes.n && !code; i++)
		code = chaos_mesh_prepare(live->mesh, &live->homes.home[i].target, err);
	if (code != ERR_NOT_FOUND && !(code && o->sim.chaos <= 0))
		return code; /* 0 too */
	if (o->sim.chaos > 0) /* without a wish for faults nobody asks whether there could be some */
		(void) fprintf(stderr, "maestro: --chaos is off: Chaos Mesh is not in this cluster (%s)\n", err->text);
	chaos_mesh_free(live->mesh);
	live->mesh = NULL;
	return 0;
}

/* Who does not lead has nothing to note and nothing to put back. > 0: the signal that ended the wait. */
static int wait_for_lease(TrainLive *live)
{
	int signal_number = 0;
	while (!runner_leads(live->runner) && signal_number <= 0)
		signal_number = session_sleep(1);
	return signal_number > 0 ? signal_number : 0;
}

static int note_homes(TrainLive *live, Error *err)
{
	size_t n;
	Loop *const *loops = runner_loops(live->runner, &n);
	Target *target = calloc(n, sizeof *target);
	if (!target)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	for (size_t i = 0; i < n; i++)
		target[i] = loop_config(loops[i])->target;
	int code = live_homes_note(live->kube, target, n, &live->homes, err);
	free(target);
	return code;
}

/* ---- life ---- */

static int make_policy(void *arg, const Target *target, Policy **ret_policy, Error *err)
{
	const TrainLive *live = arg;
	const SimConfig *sim = &live->config.trainer->sim;
	(void) target;
	int code = live_policy_new(sim_obs_spec(sim), sim->actions, sim->pod_price, ret_policy);
	return code ? error_set(err, code, "%s", err_text(code)) : 0;
}

/* The training's settings as those of a process that acts. */
static void fill_run_options(TrainOptions *o)
{
	RunOptions *run = &o->run;
	run->min_replicas = o->sim.min_replicas;
	run->max_replicas = o->sim.max_replicas;
	run->interval_s = o->sim.interval_s;
	run->latency_soft_ms = o->sim.latency_soft_ms;
	run->latency_hard_ms = o->sim.latency_hard_ms;
	run->pod_price = o->sim.pod_price;
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
		config.chaos_rate = o->sim.chaos;
		config.faults = (LiveFaults) { begin_fault, look_for_faults, live };
	}
	if (config.n_loops != (size_t) trainer->ppo.n_envs)
		return error_set(err, ERR_USAGE, "--envs %d: a live training has one for each of the %zu Deployments", trainer->ppo.n_envs, config.n_loops);
	return live_env_new(&config, &live->env, err);
}

/* What an API that is away or still starting refuses is tried again. > 0: the signal that ended the wait. */
static int patiently(TrainLive *live, int (*work)(TrainLive *live, Error *err), Error *err)
{
	for (;;) {
		int code = work(live, err);
		if (!live_passes(code))
			return code;
		(void) fprintf(stderr, "maestro: %s; trying again in %d s\n", err->text, RETRY_S);
		int signal_number = session_sleep(RETRY_S);
		if (signal_number > 0)
			return signal_number;
	}
}

static int open_all(TrainLive *live, Error *err)
{
	const TrainLiveConfig *config = &live->config;
	const RunnerConfig runner = {
		.options = &config->options->run, .command = "train", .session = config->session, .policy_new = make_policy, .arg = live,
		.is_trainer = true, .metric_window_s = config->options->metric_window_s,
	};
	int code = runner_open(&runner, &live->runner, err);
	if (!code)
		code = kube_client_new(runner_kubeconfig(live->runner), &config->session->clock, &live->kube, err);
	if (!code)
		code = wait_for_lease(live);
	if (!code)
		code = patiently(live, note_homes, err);
	if (!code)
		code = patiently(live, open_faults, err);
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
	live_load_stop(live->load);
	chaos_mesh_end(live->mesh);
	live_homes_return(live->kube, &live->homes);
	chaos_mesh_free(live->mesh); /* what an API that was away has kept: the homes have waited for it */
	if (live->runner)
		runner_note_end(live->runner, status);
	env_free(live->env);
	kube_client_free(live->kube);
	runner_close(live->runner);
	free(live);
}
