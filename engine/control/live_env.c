/*
 * See live_env.h. One of the loop's files: it reads what the cycles gathered.
 */
#include "control/live_env.h"

#include "base/rng.h"
#include "control/loop_internal.h"
#include "decide/actions.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the policy that answers with the learner's action ---- */

typedef struct LivePolicy {
	Policy base;
	int32_t action; /* of its set; ACTION_NONE: the number stays */
} LivePolicy;

static int decide(Policy *policy, const Observation *obs, size_t n, Decision *ret)
{
	static const Reason reasons[ACTION_COUNT] = { REASON_POLICY_DOWN, REASON_POLICY_KEEP, REASON_POLICY_UP };
	int32_t action = ((const LivePolicy *) policy)->action;
	int32_t direction = action == ACTION_NONE ? ACTION_KEEP : actions_direction(policy->actions, action);
	for (size_t i = 0; i < n; i++) {
		int32_t replicas = obs[i].sample->replicas;
		ret[i] = (Decision) {
			.action = direction, .value = NAN, .hpa = -1, .reason = reasons[direction], .is_wide = policy->actions == ACTIONS_WIDE,
			.raw = action == ACTION_NONE ? replicas : actions_wish(policy->actions, action, replicas),
		};
	}
	return 0;
}

static void live_policy_free(Policy *policy)
{
	free(policy);
}

int live_policy_new(ObsSpec observation, ActionSet actions, float pod_price, Policy **ret_policy)
{
	static const PolicyOps ops = { .name = "training", .decide = decide, .free = live_policy_free };
	LivePolicy *policy = calloc(1, sizeof *policy);
	if (!policy)
		return ERR_NOMEM;
	policy->base = (Policy) {
		.ops = &ops, .label = "in training", .obs_version = (int32_t) observation.kind, .obs_stack = observation.stack,
		.pod_price = pod_price, .has_rails = true, .actions = actions,
	};
	policy->action = ACTION_NONE;
	*ret_policy = &policy->base;
	return 0;
}

/* ---- rows ---- */

typedef struct LiveRow { /* its bytes are the snapshot's */
	Rng chaos;
	int32_t step;          /* of the episode */
	int32_t direction;     /* of the last change; 0: none yet */
	int32_t since_change;  /* steps */
} LiveRow;

typedef struct LiveMove { /* what became of the action under way */
	int32_t direction;
	bool is_refused;
} LiveMove;

typedef struct LiveEnv {
	Env env;
	LiveEnvConfig config;
	LiveHost host;
	Fleet *fleet;
	LiveRow *row, *aside;  /* [n] each */
	LiveMove *move;        /* [n] */
	int64_t next_ms;       /* monotonic, of the next observation */
	int64_t charged_ms;    /* monotonic, up to which the budget is charged; 0: nothing yet */
	double spent_s, pod_s; /* of the budget; in the snapshot */
	bool is_seen;          /* the loops' last observation has not been answered */
	bool is_aside;         /* others play: without faults of ours */
	char spent[96];
} LiveEnv;

static Clock *clock_of(const LiveEnv *live)
{
	return live->config.loops[0]->config.clock;
}

static int64_t interval_ms(const LiveEnv *live)
{
	return live->config.loops[0]->config.interval_ms;
}

static ActionSet actions_of(const LiveEnv *live)
{
	return live->config.loops[0]->config.policy->actions;
}

static void set_action(const LiveEnv *live, size_t i, int32_t action)
{
	((LivePolicy *) live->config.loops[i]->config.policy)->action = action;
}

/* ---- the budget ---- */

/* Charges what has passed since the last call with the pods that the last cycle saw. ERR_CLOSED: all is spent. */
static int charge(LiveEnv *live)
{
	const LiveEnvConfig *config = &live->config;
	int64_t now_ms = clock_mono_ms(clock_of(live));
	double s = live->charged_ms ? (double) (now_ms - live->charged_ms) / 1000.0 : 0.0;
	live->charged_ms = now_ms;
	live->spent_s += s;
	for (size_t i = 0; i < config->n_loops; i++)
		live->pod_s += s * (config->loops[i]->cycle.has_scale ? config->loops[i]->cycle.scale.replicas : 0);
	if (config->max_hours > 0.0 && live->spent_s >= config->max_hours * 3600.0)
		(void) snprintf(live->spent, sizeof live->spent, "--max-hours %g are spent", config->max_hours);
	else if (config->max_pod_hours > 0.0 && live->pod_s >= config->max_pod_hours * 3600.0)
		(void) snprintf(live->spent, sizeof live->spent, "--max-pod-hours %g are spent", config->max_pod_hours);
	return live->spent[0] ? ERR_CLOSED : 0;
}

const char *live_env_spent(const Env *env)
{
	return ((const LiveEnv *) env)->spent;
}

/* ---- seeing ---- */

/* To the next multiple of the interval; one that has passed is skipped. */
static int wait_interval(LiveEnv *live)
{
	int64_t now_ms = clock_mono_ms(clock_of(live)), step_ms = interval_ms(live);
	live->next_ms += ((now_ms > live->next_ms ? now_ms - live->next_ms : 0) / step_ms + 1) * step_ms;
	for (size_t i = 0; i < live->env.n; i++) {
		Loop *loop = live->config.loops[i];
		loop->view.next_decision_wall_ms = clock_wall_ms(loop->config.clock) + live->next_ms - now_ms;
		loop_publish(loop);
	}
	int code = live->host.wait(live->host.arg, live->next_ms);
	int spent = charge(live);
	return code ? code : spent;
}

static const Loop *first_unseen(const LiveEnv *live)
{
	for (size_t i = 0; i < live->env.n; i++) {
		const Cycle *cycle = &live->config.loops[i]->cycle;
		if (!cycle->is_observed || cycle->gate != STATE_ACTIVE)
			return live->config.loops[i];
	}
	return NULL;
}

static void say_unseen(const LiveEnv *live, const Loop *loop)
{
	const Cycle *cycle = &loop->cycle;
	const char *why = cycle->error.code ? cycle->error.text : cycle->decision.detail;
	char text[200];
	(void) snprintf(text, sizeof text, "waits: %.40s: %s%s%.120s", loop->config.target.name,
	                cycle->gate != STATE_ACTIVE ? state_text(cycle->gate) : reason_text(cycle->decision.reason), why[0] ? ": " : "", why);
	live->host.say(live->host.arg, text);
}

/* Observes until all rows can be seen; replicas stay as they are meanwhile. *ret_waited: intervals more than the step's own. */
static int see(LiveEnv *live, int32_t *ret_waited)
{
	for (*ret_waited = 0;; ++*ret_waited) {
		fleet_observe(live->fleet);
		const Loop *unseen = first_unseen(live);
		if (!unseen)
			break;
		say_unseen(live, unseen);
		for (size_t i = 0; i < live->env.n; i++)
			set_action(live, i, ACTION_NONE);
		fleet_act(live->fleet); /* records what holds each of them */
		int code = wait_interval(live);
		if (code)
			return code;
	}
	if (*ret_waited)
		live->host.say(live->host.arg, "");
	live->is_seen = true;
	return 0;
}

static void write_row(const LiveEnv *live, size_t i, const EnvBuf *buf)
{
	const Observation *obs = &live->config.loops[i]->cycle.obs;
	size_t n_actions = (size_t) actions_count(actions_of(live));
	memcpy(buf->obs + i * (size_t) obs->dim, obs->x, (size_t) obs->dim * sizeof *buf->obs);
	for (size_t a = 0; buf->mask && a < n_actions; a++)
		buf->mask[i * n_actions + a] = !obs->mask || obs->mask >> a & 1u;
}

static int env_look(Env *env, EnvBuf *buf)
{
	LiveEnv *live = (LiveEnv *) env;
	int64_t now_ms = clock_mono_ms(clock_of(live));
	bool is_old = !live->is_seen || now_ms - live->config.loops[0]->cycle.start_ms > interval_ms(live) / 2;
	int code = live->spent[0] ? ERR_CLOSED : 0;
	if (!code && is_old) {
		int32_t waited;
		live->next_ms = now_ms;
		code = charge(live);
		if (!code)
			code = see(live, &waited);
	}
	for (size_t i = 0; i < env->n && !code; i++)
		write_row(live, i, buf);
	return code;
}

/* ---- a step ---- */

static void make_faults(LiveEnv *live)
{
	const LiveFaults *faults = &live->config.faults;
	for (size_t i = 0; i < live->env.n && faults->begin && live->config.chaos_rate > 0.0 && !live->is_aside; i++) {
		Rng *rng = &live->row[i].chaos;
		bool is_due = rng_uniform(rng) < live->config.chaos_rate;
		uint32_t draw = rng_u32(rng);
		const Target *target = &live->config.loops[i]->config.target;
		Error err = { 0 };
		if (is_due && !faults->look(faults->arg, target) && faults->begin(faults->arg, target, draw, &err))
			live->host.say(live->host.arg, err.text);
	}
}

static void act(LiveEnv *live, const EnvBuf *buf)
{
	for (size_t i = 0; i < live->env.n; i++)
		set_action(live, i, buf->action[i]);
	fleet_act(live->fleet);
	live->is_seen = false;
	for (size_t i = 0; i < live->env.n; i++) {
		const Cycle *cycle = &live->config.loops[i]->cycle;
		int32_t change = cycle->decision.is_applied ? cycle->decision.desired - cycle->scale.replicas : 0;
		bool asks = actions_direction(actions_of(live), buf->action[i]) != ACTION_KEEP;
		bool is_held = cycle->decision.state != STATE_ACTIVE && asks;
		live->move[i] = (LiveMove) { (change > 0) - (change < 0), cycle->has_failed_write || is_held };
	}
}

static float slow_share(float limit_ms, double latency_ms)
{
	return limit_ms > 0.0f && latency_ms > (double) limit_ms ? 1.0f : 0.0f;
}

static EnvInfo info_of(const LiveEnv *live, size_t i)
{
	const Loop *loop = live->config.loops[i];
	const Target *target = &loop->config.target;
	const Sample *sample = &loop->cycle.sample;
	const LiveFaults *faults = &live->config.faults;
	bool has_latency = sample->valid & SAMPLE_LATENCY;
	double latency_ms = has_latency ? sample->latency_ms : 0.0;
	return (EnvInfo) {
		.p95_ms = has_latency ? (float) latency_ms : NAN,
		.rps = (float) sample->rps,
		.cpu_cores = sample->valid & SAMPLE_CPU ? (float) sample->cpu_cores : NAN,
		.slow_soft = slow_share(target->latency_soft_ms, latency_ms),
		.slow_hard = slow_share(target->latency_hard_ms, latency_ms),
		.chaos = faults->look ? faults->look(faults->arg, target) : 0,
		.pod_s = (float) loop->cycle.scale.replicas * (float) interval_ms(live) / 1000.0f,
		.replicas = loop->cycle.scale.replicas,
		.ready = sample->ready,
		.is_refused = live->move[i].is_refused,
	};
}

static float reward_of(LiveEnv *live, size_t i, const EnvInfo *info, bool *ret_terminated)
{
	const Loop *loop = live->config.loops[i];
	const Target *target = &loop->config.target;
	LiveRow *row = &live->row[i];
	int32_t direction = live->move[i].direction;
	float since_s = (float) row->since_change * (float) interval_ms(live) / 1000.0f;
	const SloStep step = {
		.pod_price = target->pod_price,
		.pods = (float) info->replicas / (float) target->max_replicas,
		.slow_soft = info->slow_soft,
		.slow_hard = info->slow_hard,
		.has_changed = direction != 0,
		.has_reversed = direction && direction == -row->direction && since_s <= REWARD_REVERSAL_S,
	};
	row->direction = direction ? direction : row->direction;
	row->since_change = direction ? 1 : row->since_change + 1;
	*ret_terminated = false;
	return live->config.is_slo ? reward_slo(&live->config.slo, &step)
	                           : reward_seed(target, info->replicas, isnan(info->p95_ms) ? 0.0f : info->p95_ms, ret_terminated);
}

static void finish_row(LiveEnv *live, size_t i, bool is_cut, EnvBuf *buf)
{
	size_t dim = (size_t) live->config.loops[i]->cycle.obs.dim;
	EnvInfo info = info_of(live, i);
	bool is_terminated;
	buf->reward[i] = reward_of(live, i, &info, &is_terminated);
	bool is_over = ++live->row[i].step >= live->config.episode_steps || is_cut;
	buf->terminated[i] = is_terminated;
	buf->truncated[i] = is_over && !is_terminated;
	if (buf->info)
		buf->info[i] = info;
	write_row(live, i, buf);
	if (!is_terminated && !is_over)
		return;
	memcpy(buf->final_obs + i * dim, buf->obs + i * dim, dim * sizeof *buf->obs); /* the next episode begins where this one ended */
	live->row[i].step = 0;
}

static int env_step(Env *env, size_t first, size_t count, EnvBuf *buf)
{
	LiveEnv *live = (LiveEnv *) env;
	if (first || count != env->n)
		return ERR_INVALID; /* the interval is waited for once */
	make_faults(live);
	act(live, buf);
	int32_t waited = 0;
	int code = wait_interval(live);
	bool is_late = clock_mono_ms(clock_of(live)) - live->next_ms > interval_ms(live); /* somebody paused it, or the machine slept */
	if (!code)
		code = see(live, &waited);
	for (size_t i = 0; i < env->n && !code; i++)
		finish_row(live, i, waited > 0 || is_late, buf);
	return code;
}

static void env_spec(const Env *env, EnvSpec *ret_spec)
{
	const LiveEnv *live = (const LiveEnv *) env;
	*ret_spec = (EnvSpec) {
		.obs_dim = observer_dim(live->config.loops[0]->config.observation),
		.n_actions = actions_count(actions_of(live)),
		.episode_steps = live->config.episode_steps,
		.interval_s = (float) interval_ms(live) / 1000.0f,
	};
}

/* Nothing is asked of the cluster yet: the first look does. */
static int env_reset(Env *env, uint64_t seed, EnvBuf *buf)
{
	LiveEnv *live = (LiveEnv *) env;
	(void) buf;
	for (size_t i = 0; i < env->n; i++) {
		live->row[i] = (LiveRow) { 0 };
		rng_init(&live->row[i].chaos, seed, (uint32_t) i, RNG_CHAOS);
	}
	return 0;
}

/* ---- snapshot: the budget, then the rows. What the loops know they find again in Prometheus, the store and the API. ---- */

static size_t env_state_size(const Env *env)
{
	return 2 * sizeof(double) + env->n * sizeof(LiveRow);
}

static void env_snapshot(const Env *env, void *state)
{
	const LiveEnv *live = (const LiveEnv *) env;
	const double budget[2] = { live->spent_s, live->pod_s };
	memcpy(state, budget, sizeof budget);
	memcpy((char *) state + sizeof budget, live->row, env->n * sizeof *live->row);
}

static int env_restore(Env *env, const void *state, size_t size)
{
	LiveEnv *live = (LiveEnv *) env;
	double budget[2];
	if (size != env_state_size(env))
		return ERR_INVALID;
	memcpy(budget, state, sizeof budget);
	live->spent_s = budget[0];
	live->pod_s = budget[1];
	memcpy(live->row, (const char *) state + sizeof budget, env->n * sizeof *live->row);
	return 0;
}

/* ---- life ---- */

static void env_done(Env *env)
{
	LiveEnv *live = (LiveEnv *) env;
	free(live->row);
	free(live->aside);
	free(live->move);
	free(live);
}

int live_env_new(const LiveEnvConfig *config, Env **ret_env, Error *err)
{
	static const EnvOps ops = {
		.name = "live", .spec = env_spec, .reset = env_reset, .step = env_step, .state_size = env_state_size,
		.snapshot = env_snapshot, .restore = env_restore, .look = env_look, .free = env_done,
	};
	if (!config->n_loops)
		return error_set(err, ERR_USAGE, "no target to train on");
	LiveEnv *live = calloc(1, sizeof *live);
	if (!live)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	live->env = (Env) { &ops, config->n_loops };
	live->config = *config;
	live->fleet = config->loops[0]->fleet;
	live->row = calloc(config->n_loops, sizeof *live->row);
	live->aside = calloc(config->n_loops, sizeof *live->aside);
	live->move = calloc(config->n_loops, sizeof *live->move);
	if (!live->row || !live->aside || !live->move) {
		env_done(&live->env);
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	*ret_env = &live->env;
	return 0;
}

void live_env_host(Env *env, const LiveHost *host)
{
	((LiveEnv *) env)->host = *host;
}

void live_env_serve(Env *env)
{
	fleet_serve(((LiveEnv *) env)->fleet);
}

void live_env_aside(Env *env, bool is_aside)
{
	LiveEnv *live = (LiveEnv *) env;
	live->is_aside = is_aside;
	memcpy(is_aside ? live->aside : live->row, is_aside ? live->row : live->aside, env->n * sizeof *live->row);
	for (size_t i = 0; i < env->n && is_aside; i++)
		live->row[i].step = 0;
}
