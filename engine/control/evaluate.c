/* See evaluate.h. */
#include "control/evaluate.h"

#include "base/mem.h"
#include "base/rng.h"
#include "decide/rails.h"
#include "decide/reward.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

static const int64_t START_MS = 1600000000000; /* any fixed moment: rules use differences only */

typedef struct Run { /* one episode under way */
	const SimConfig *config;
	Target target;
	SimTarget *sim;
	Policy *policy;
	const EvalOptions *options;
	int64_t now_ms;
	RailsConfig rails;
	RailsHistory history;
	Sample sample;
	Observer observer;
	int32_t replicas;
	uint32_t guards;       /* of the decision at the step's start */
	int32_t last_direction; /* of the last change; 0: none yet */
	int32_t change_step;
	SloStep slo;            /* of the step under way */
	bool has_ended;
	EvalEpisode *out;
} Run;

uint64_t evaluate_seed(uint64_t seed, int32_t i)
{
	Rng rng;
	rng_init(&rng, seed, (uint32_t) i, RNG_EVAL);
	uint64_t high = rng_u32(&rng);
	return high << 32 | rng_u32(&rng);
}

void evaluate_target(const SimConfig *config, Target *ret_target)
{
	double soft_ms = config->latency_soft_ms > 0.0f ? (double) config->latency_soft_ms : 250.0; /* as the simulator has it */
	sim_target_of(config, sim_capacity_rps(&config->service, 1, soft_ms), ret_target);
}

/* The number that the policy and the rails want; untouched where there is no observation. */
static int wanted(Run *run, int32_t *ret_desired, Error *err)
{
	Observation obs;
	Decision decision = { 0 };
	RailsOutcome outcome = { 0 };
	if (observer_step(&run->observer, &run->target, &run->sample, &obs, NULL))
		return 0;
	bool is_wide = run->policy->actions == ACTIONS_WIDE;
	RailsInput in = {
		.config = &run->rails,
		.history = &run->history,
		.target = &run->target,
		.sample = &run->sample,
		.now_ms = run->now_ms,
		.current = run->replicas,
		.hpa = -1,
		.is_three_action = !is_wide,
	};
	int code = 0;
	if (run->options->counts_rails) {
		code = run->policy->ops->decide(run->policy, &obs, 1, &decision);
		in.raw = decision.raw;
		if (!code)
			rails_apply(&in, &outcome);
		run->guards = outcome.guards;
		decision = (Decision) { 0 };
	}
	if (run->config->has_rails)
		obs.mask = rails_mask(&in, run->policy->actions);
	code = run->policy->ops->decide(run->policy, &obs, 1, &decision);
	if (code == ERR_NO_DATA)
		return 0;
	if (code)
		return error_set(err, code, "policy %s: %s", run->policy->label, err_text(code));
	in.raw = decision.raw;
	in.is_three_action = decision.n_actions == ACTION_COUNT && !decision.is_wide;
	rails_apply(&in, &outcome);
	rails_note_cycle(&run->history, &in);
	if (!run->options->counts_rails)
		run->guards = outcome.guards;
	*ret_desired = outcome.desired;
	return 0;
}

static int scale_to(Run *run, int32_t desired, Error *err)
{
	run->slo = (SloStep) { .pod_price = run->target.pod_price };
	if (desired == run->replicas)
		return 0;
	Actuator *actuator = sim_target_actuator(run->sim);
	int code = actuator->ops->set_scale(actuator, &run->target, &(Scale) { .replicas = desired }, NULL, err);
	if (code)
		return code == ERR_UNREACHABLE ? 0 : code; /* a fault refuses writes for a while: the policy will ask again */
	int32_t direction = desired > run->replicas ? 1 : -1;
	run->out->scale_actions++;
	run->out->reversals += run->last_direction && direction != run->last_direction;
	run->slo.has_changed = true;
	run->slo.has_reversed = run->last_direction == -direction &&
		(float) (run->out->steps - run->change_step) * run->config->interval_s <= REWARD_REVERSAL_S;
	run->change_step = run->out->steps;
	run->last_direction = direction;
	(void) rails_note_change(&run->history, &run->rails, run->now_ms, run->replicas, desired);
	run->replicas = desired;
	return 0;
}

static void add_measures(Run *run)
{
	EvalEpisode *out = run->out;
	EnvInfo info;
	sim_target_info(run->sim, &info);
	double dt = run->config->interval_s;
	run->slo.pods = (float) run->replicas / (float) run->target.max_replicas;
	run->slo.slow_soft = info.slow_soft;
	run->slo.slow_hard = info.slow_hard;
	if (info.p95_ms > run->target.latency_soft_ms)
		out->soft_s += dt;
	if (info.p95_ms > run->target.latency_hard_ms)
		out->hard_s += dt;
	out->pod_hours += (double) info.pod_s / 3600;
	if (isfinite(info.p95_ms))
		out->p95_ms_max = fmax(out->p95_ms_max, (double) info.p95_ms);
	if (out->steps < EPISODE_STEPS_MAX) {
		out->replicas[out->steps] = (int16_t) run->replicas;
		out->latency_ms[out->steps] = info.p95_ms;
		out->rps[out->steps] = info.rps;
	}
	if (out->steps < run->options->room)
		run->options->step[out->steps] = (EvalStep) {
			.p95_ms = info.p95_ms, .rps = info.rps, .slow_soft = info.slow_soft, .slow_hard = info.slow_hard,
			.pod_s = info.pod_s, .replicas = (int16_t) run->replicas, .ready = (int16_t) info.ready,
			.demand = (int16_t) (info.demand < INT16_MAX ? info.demand : INT16_MAX), .guards = run->guards,
		};
	out->steps++;
}

static void add_reward(Run *run)
{
	if (run->has_ended)
		return;
	float latency = run->sample.valid & SAMPLE_LATENCY ? (float) run->sample.latency_ms : 0; /* no traffic, no latency */
	run->out->length++;
	if (run->config->reward == SIM_REWARD_SLO) {
		run->out->reward += (double) reward_slo(&run->config->slo, &run->slo);
		return;
	}
	run->out->reward += (double) reward_seed(&run->target, run->replicas, latency, &run->has_ended);
}

static int fetch(Run *run, Error *err)
{
	Metrics *metrics = sim_target_metrics(run->sim);
	return metrics->ops->fetch(metrics, &run->target, 1, run->now_ms, &run->sample, err);
}

static int step(Run *run, Error *err)
{
	int32_t desired = run->replicas;
	run->guards = 0;
	int code = wanted(run, &desired, err);
	if (!code)
		code = scale_to(run, desired, err);
	if (code)
		return code;
	run->now_ms += (int64_t) lrintf(run->config->interval_s * 1000);
	code = fetch(run, err);
	if (code)
		return code;
	add_measures(run);
	add_reward(run);
	return 0;
}

static void finish(Run *run)
{
	EvalEpisode *out = run->out;
	double total_s = out->steps * (double) run->config->interval_s;
	if (run->target.latency_soft_ms <= 0)
		out->soft_s = NAN;
	if (run->target.latency_hard_ms <= 0)
		out->hard_s = NAN;
	out->v_pct = 100 * (out->soft_s + out->hard_s) / total_s;
}

/* *sim is made where it is NULL and started anew where it is not: its tables serve any number of episodes. */
static int play_in(SimTarget **sim, const SimConfig *config, uint64_t seed, Policy *policy, const EvalOptions *options,
                   EvalEpisode *ret, EvalQuantiles *ret_quantiles, Error *err)
{
	*ret = (EvalEpisode) { 0 };
	Run run = { .config = config, .policy = policy, .options = options, .now_ms = START_MS, .out = ret };
	bool is_model = policy->obs_version > 0;
	ObsSpec spec = sim_obs_spec(config);
	if (is_model)
		spec = (ObsSpec) { (ObsKind) policy->obs_version, policy->obs_stack > 1 ? policy->obs_stack : 1, config->interval_s };
	rails_config_default(&run.rails);
	run.rails.off = options->rails_off;
	if (!is_model) /* a rule of others is measured bare */
		run.rails.off = RAILS_OFF_SEED;
	else if (config->has_rails)
		run.rails.stabilise_ms = 0;
	else /* the thesis's policies within their bounds */
		run.rails.off = RAILS_OFF_SEED & ~RAIL(STEP_LIMIT);
	int code = 0;
	if (*sim)
		sim_target_restart(*sim, seed, START_MS);
	else
		code = sim_target_new(config, seed, START_MS, sim, err);
	if (code)
		return code;
	run.sim = *sim;
	run.target = *sim_target_target(run.sim);
	sim_target_past(run.sim, spec, &run.observer);
	if (policy->ops->reset)
		policy->ops->reset(policy);
	code = fetch(&run, err);
	run.replicas = ret->first_replicas = run.sample.replicas;
	rails_history_init(&run.history, run.now_ms, run.replicas);
	if (!code && options->begin)
		code = options->begin(options->arg, policy, run.sim, run.now_ms);
	for (int32_t t = 0; t < config->episode_steps && !code; t++)
		code = step(&run, err);
	finish(&run);
	if (ret_quantiles)
		*ret_quantiles = (EvalQuantiles) { sim_target_quantile_ms(run.sim, .95), sim_target_quantile_ms(run.sim, .99) };
	return code;
}

int evaluate_play(const SimConfig *config, uint64_t seed, Policy *policy, const EvalOptions *options, EvalEpisode *ret,
                  EvalQuantiles *ret_quantiles, Error *err)
{
	SimTarget *sim = NULL;
	int code = play_in(&sim, config, seed, policy, options, ret, ret_quantiles, err);
	sim_target_free(sim);
	return code;
}

int evaluate_episode(const SimConfig *config, uint64_t seed, Policy *policy, EvalEpisode *ret, Error *err)
{
	return evaluate_play(config, seed, policy, &(EvalOptions) { 0 }, ret, NULL, err);
}

typedef struct Share { /* of the episodes: first, first + 2, ... */
	const SimConfig *config;
	uint64_t seed;
	int32_t first, n;
	Policy *policy;
	EvalEpisode *ret;
	int code;
	Error err;
} Share;

static void *play(void *arg)
{
	Share *share = arg;
	SimTarget *sim = NULL;
	for (int32_t i = share->first; i < share->n && !share->code; i += 2)
		share->code = play_in(&sim, share->config, evaluate_seed(share->seed, i), share->policy, &(EvalOptions) { 0 },
		                      &share->ret[i], NULL, &share->err);
	sim_target_free(sim);
	return NULL;
}

int evaluate_policies(const SimConfig *config, uint64_t seed, int32_t n, Policy *const policy[2], EvalEpisode *ret, Error *err)
{
	Share share[2];
	pthread_t thread;
	for (int32_t k = 0; k < 2; k++)
		share[k] = (Share) { .config = config, .seed = seed, .first = k, .n = n, .policy = policy[k], .ret = ret };
	bool is_apart = n > 1 && !pthread_create(&thread, NULL, play, &share[1]);
	(void) play(&share[0]);
	if (is_apart)
		(void) pthread_join(thread, NULL);
	else
		(void) play(&share[1]);
	const Share *failed = share[0].code ? &share[0] : &share[1];
	return failed->code ? error_set(err, failed->code, "%s", failed->err.text) : 0;
}

int evaluate_policy(const SimConfig *config, uint64_t seed, int32_t n, Policy *policy, EvalEpisode *ret, Error *err)
{
	SimTarget *sim = NULL;
	int code = 0;
	for (int32_t i = 0; i < n && !code; i++)
		code = play_in(&sim, config, evaluate_seed(seed, i), policy, &(EvalOptions) { 0 }, &ret[i], NULL, err);
	sim_target_free(sim);
	return code;
}
