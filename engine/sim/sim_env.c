/*
 * The simulator as a batch of training environments: rows of core.h behind the Env interface.
 *
 * A step is: action, a control interval of sub-steps, query, observation, reward; at the end of an episode also the
 * reset to the next. Rows share nothing that is written, so disjoint ranges may be stepped side by side.
 */
#include "base/mem.h"
#include "decide/actions.h"
#include "decide/reward.h"
#include "sim/core.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct SimEnv {
	Env env;
	SimModel *model;     /* [worlds] */
	int32_t worlds;
	size_t row_bytes;    /* the largest of theirs */
	size_t obs_dim;      /* floats of a row's observation, a critic's hints among them */
	unsigned char *rows; /* [n] of row_bytes */
	uint64_t mark;       /* of the configuration: a snapshot of another one is refused */
} SimEnv;

/* What a critic is told is coming: rates so many intervals ahead. */
static const float AHEAD[] = { .5f, 1, 1.5f, 2, 3, 4, 5, 6, 8, 10, 14, 20 };
enum { HINTS = sizeof AHEAD / sizeof *AHEAD };

static SimRow *row_at(const SimEnv *sim, size_t i)
{
	return (SimRow *) (void *) (sim->rows + i * sim->row_bytes);
}

static const SimModel *model_of(const SimEnv *sim, const SimRow *row)
{
	return &sim->model[row->world];
}

/* To the start of an episode, in its world. */
static void reset_row(const SimEnv *sim, SimRow *row, uint64_t seed, uint32_t id, uint32_t episode)
{
	int32_t world = world_of(sim->worlds, seed, id, episode);
	core_reset(&sim->model[world], row, seed, id, episode);
	row->world = (uint8_t) world;
}

/* None where users think: what they ask for is not known before what they were answered. */
static int32_t hint_dim(const SimConfig *config)
{
	return config->has_hints && config->think_s <= 0.0 ? HINTS : 0;
}

static int32_t obs_dim(const SimConfig *config)
{
	return observer_dim(sim_obs_spec(config)) + hint_dim(config);
}

static void env_spec(const Env *env, EnvSpec *ret_spec)
{
	const SimConfig *config = &((const SimEnv *) env)->model->config;
	*ret_spec = (EnvSpec) {
		.obs_dim = obs_dim(config),
		.hint_dim = hint_dim(config),
		.n_actions = actions_count(config->actions),
		.episode_steps = config->episode_steps,
		.interval_s = config->interval_s,
	};
}

/* A value that Prometheus does not have stays what it was last; without traffic there is no latency to remember. Of what can be
 * imputed, the observation itself says that it is missing. */
static void fill_missing(const SimModel *model, SimRow *row, Sample *sample)
{
	uint32_t imputed = model->config.observation == OBS_TREND ? SAMPLE_CPU | SAMPLE_MEM : 0;
	double *value[] = { &sample->cpu_cores, &sample->mem_bytes, &sample->latency_ms, &sample->rps };
	bool is_idle = (sample->valid & SAMPLE_RPS) && sample->rps <= 0.0;
	for (int i = 0; i < (int) (sizeof value / sizeof *value); i++) {
		if (sample->valid & (1u << i))
			row->last[i] = (float) *value[i];
		else if (!(imputed & 1u << i) && ((1u << i) != SAMPLE_LATENCY || !is_idle))
			sample->valid |= 1u << i;
		*value[i] = sample->valid & (1u << i) ? (double) row->last[i] : 0.0;
	}
}

/* What the guard rails leave of the actions, which from now on remember this interval. */
static uint32_t rails_left(const SimModel *model, const SimRow *row, const SimView *view, const Sample *sample)
{
	const RailsInput in = {
		.config = &model->rails,
		.history = view->rails,
		.target = view->target,
		.sample = sample,
		.now_ms = row->tick * model->dt_ms,
		.current = row->replicas,
		.raw = row->replicas,
		.hpa = -1,
		.is_three_action = model->config.actions == ACTIONS_THREE,
	};
	uint32_t mask = rails_mask(&in, model->config.actions);
	rails_note_cycle(view->rails, &in);
	return mask;
}

/* Traffic that is coming, in parts of what the pods asked for take. It comes whatever is done, so a critic that knows it blames no action
 * for it, and the policy's gradient keeps its mean (Mao et al. 2019, input-dependent baselines). */
static void write_hints(const SimModel *model, const SimRow *row, const SimView *view, float *ret)
{
	static const double MOST = 5.0;
	double now_s = core_now_s(model, row), interval_s = (double) drawn_of(model, row)->interval_s;
	double capacity = (double) view->target->pod_capacity_rps * (row->replicas > 0 ? row->replicas : 1);
	for (int32_t k = 0; k < hint_dim(&model->config); k++)
		ret[k] = capacity > 0.0 ? (float) fmin(core_rate(model, row, now_s + (double) AHEAD[k] * interval_s) / capacity, MOST) : 0.0f;
}

typedef struct Seen {
	float latency_ms; /* as it stands in the observation */
	int32_t ready;    /* pods that take traffic, whatever the observation says of them */
} Seen;

/* Writes the observation of row i as it stands. */
static int observe(const SimEnv *sim, size_t i, const SimView *view, const EnvBuf *buf, Seen *ret_seen)
{
	SimRow *row = row_at(sim, i);
	const SimModel *model = model_of(sim, row);
	Sample sample;
	Observation observation;
	scrape_query(model, row, view, core_now_s(model, row), &sample);
	ret_seen->ready = sample.ready;
	if (model->late_ticks)
		vary_delay(model, row, &sample);
	const Drawn *drawn = drawn_of(model, row);
	world_blur(drawn, row, &sample);
	fill_missing(model, row, &sample);
	sample.wall_ms += row->wall_start_ms;
	int code = view->observer ? observer_step(view->observer, view->target, &sample, &observation, NULL)
		: observation_build(model->config.observation, view->target, &sample, &observation, NULL);
	if (code)
		return code;
	const SimConfig *c = &model->config;
	float *obs = buf->obs + i * sim->obs_dim;
	memcpy(obs, observation.x, (size_t) observation.dim * sizeof *obs);
	write_hints(model, row, view, obs + observation.dim);
	int32_t n_actions = actions_count(c->actions);
	uint32_t mask = c->terminate_at_bounds ? ~0u : actions_mask(c->actions, row->replicas, drawn->min_replicas, drawn->max_replicas);
	if (c->has_rails)
		mask &= rails_left(model, row, view, &sample);
	row->mask = (uint8_t) mask;
	if (buf->mask)
		for (int32_t a = 0; a < n_actions; a++)
			buf->mask[i * (size_t) n_actions + (size_t) a] = mask >> a & 1u;
	ret_seen->latency_ms = (float) sample.latency_ms;
	return 0;
}

/* At an episode's start, which nothing is paid for. */
static int observe_first(const SimEnv *sim, size_t i, const EnvBuf *buf)
{
	Seen seen;
	SimRow *row = row_at(sim, i);
	SimView view = core_view(model_of(sim, row), row);
	return observe(sim, i, &view, buf, &seen);
}

static int env_reset(Env *env, uint64_t seed, EnvBuf *buf)
{
	SimEnv *sim = (SimEnv *) env;
	int code = 0;
	for (size_t i = 0; i < env->n && !code; i++) {
		reset_row(sim, row_at(sim, i), seed, (uint32_t) i, 0);
		code = observe_first(sim, i, buf);
	}
	return code;
}

/* A rail that bars an action leaves the number as it is. False when that ends the episode. */
static bool act(const SimModel *model, SimRow *row, const SimView *view, int32_t action)
{
	int32_t wanted = actions_wish(model->config.actions, action, row->replicas);
	const Drawn *drawn = drawn_of(model, row);
	/* without a branch: a policy that explores cannot be foreseen */
	bool is_within = (wanted >= drawn->min_replicas) & (wanted <= drawn->max_replicas);
	bool is_heard = is_within & !chaos_is_on(&row->chaos, CHAOS_API_REFUSED) & (row->mask >> action & 1);
	if (view->rails && is_heard)
		(void) rails_note_change(view->rails, &model->rails, row->tick * model->dt_ms, row->replicas, wanted);
	row->replicas = is_heard ? wanted : row->replicas;
	return is_within | !model->config.terminate_at_bounds;
}

/* What the interval since the action was worth. before: replicas before it. */
static float slo_of(const SimModel *model, SimRow *row, const SimView *view, int32_t before, const EnvInfo *info)
{
	int32_t direction = (row->replicas > before) - (row->replicas < before);
	SloStep step = {
		.pod_price = view->target->pod_price,
		.pods = (float) row->replicas / (float) drawn_of(model, row)->max_replicas,
		.slow_soft = info->slow_soft,
		.slow_hard = info->slow_hard,
		.has_changed = direction != 0,
	};
	if (direction) {
		float since_s = (float) (row->step - row->change_step) * drawn_of(model, row)->interval_s;
		step.has_reversed = direction == -row->direction && since_s <= REWARD_REVERSAL_S;
		row->direction = (int8_t) direction;
		row->change_step = row->step;
	}
	row->violations += (double) reward_violation(&model->config.slo, &step);
	row->judged++;
	return row->reward_scale * reward_slo(&model->config.slo, &step);
}

static int end_episode(SimEnv *sim, size_t i, EnvBuf *buf)
{
	size_t dim = sim->obs_dim;
	SimRow *row = row_at(sim, i);
	memcpy(buf->final_obs + i * dim, buf->obs + i * dim, dim * sizeof *buf->obs);
	int64_t lived = row->lived;
	double violations = row->violations;
	int32_t judged = row->judged;
	reset_row(sim, row, row->seed, row->id, row->episode + 1);
	row->violations = violations; /* these go on over episodes */
	row->judged = judged;
	row->lived = lived;
	return observe_first(sim, i, buf);
}

static int step_row(SimEnv *sim, size_t i, EnvBuf *buf)
{
	SimRow *row = row_at(sim, i);
	const SimModel *model = model_of(sim, row);
	row->chaos.seen = row->chaos.active;
	row->oom_kills = 0;
	row->lived++;
	int32_t before = row->replicas;
	SimView view = core_view(model, row);
	row->totals = (StepTotals) { 0 };
	bool is_within = act(model, row, &view, buf->action[i]), is_terminated = !is_within;
	core_run(model, row, &view, drawn_of(model, row)->substeps);
	row->step++;
	Seen seen;
	EnvInfo info;
	int code = observe(sim, i, &view, buf, &seen);
	if (code)
		return code;
	core_info(model, row, seen.ready, &info);
	buf->reward[i] = !is_within ? -1.0f
		: model->config.reward == SIM_REWARD_SLO ? slo_of(model, row, &view, before, &info)
		: reward_seed(view.target, row->replicas, seen.latency_ms, &is_terminated);
	bool is_over = row->step >= model->config.episode_steps;
	buf->terminated[i] = is_terminated;
	buf->truncated[i] = is_over && !is_terminated;
	if (buf->info)
		buf->info[i] = info;
	return is_terminated || is_over ? end_episode(sim, i, buf) : 0;
}

static int env_step(Env *env, size_t first, size_t count, EnvBuf *buf)
{
	int code = 0;
	for (size_t i = first; i < first + count && !code; i++)
		code = step_row((SimEnv *) env, i, buf);
	return code;
}

/* ---- snapshot: what it is of, then the rows ---- */

typedef struct Head { /* no padding: its bytes are the snapshot's */
	uint32_t mark[2];
	float violation_cost, traffic_now;
	int16_t trace_now, has_chaos;
} Head;

static size_t rows_size(const SimEnv *sim)
{
	return sim->env.n * sim->row_bytes;
}

static size_t env_state_size(const Env *env)
{
	return sizeof(Head) + rows_size((const SimEnv *) env);
}

static void env_snapshot(const Env *env, void *state)
{
	const SimEnv *sim = (const SimEnv *) env;
	const SimModel *model = sim->model;
	Head head = { .violation_cost = model->config.slo.violation, .traffic_now = (float) model->traffic_now,
		.trace_now = (int16_t) model->trace_now, .has_chaos = model->has_chaos };
	memcpy(head.mark, &sim->mark, sizeof head.mark);
	memcpy(state, &head, sizeof head);
	memcpy((unsigned char *) state + sizeof head, sim->rows, rows_size(sim));
}

static int env_restore(Env *env, const void *state, size_t size)
{
	SimEnv *sim = (SimEnv *) env;
	Head head;
	if (size != env_state_size(env))
		return ERR_INVALID;
	memcpy(&head, state, sizeof head);
	if (memcmp(head.mark, &sim->mark, sizeof head.mark) != 0)
		return ERR_INVALID;
	sim_env_set_violation_cost(env, head.violation_cost);
	for (int32_t k = 0; k < sim->worlds; k++) {
		sim->model[k].traffic_now = (double) head.traffic_now;
		sim->model[k].trace_now = head.trace_now;
		sim->model[k].has_chaos = head.has_chaos;
	}
	memcpy(sim->rows, (const unsigned char *) state + sizeof head, rows_size(sim));
	return 0;
}

/* ---- a budget of violations ---- */

double sim_env_violations(Env *env)
{
	SimEnv *sim = (SimEnv *) env;
	double sum = 0.0, judged = 0.0;
	for (size_t i = 0; i < env->n; i++) {
		SimRow *row = row_at(sim, i);
		sum += row->violations;
		judged += row->judged;
		row->violations = 0.0;
		row->judged = 0;
	}
	return judged > 0.0 ? sum / judged : (double) NAN;
}

void sim_env_set_violation_cost(Env *env, float cost)
{
	SimEnv *sim = (SimEnv *) env;
	for (int32_t k = 0; k < sim->worlds; k++)
		sim->model[k].config.slo.violation = cost;
}

float sim_env_violation_cost(const Env *env)
{
	return ((const SimEnv *) env)->model->config.slo.violation;
}

/* ---- what a person changes ---- */

int sim_env_set_traffic(Env *env, double scale, int32_t trace)
{
	SimEnv *sim = (SimEnv *) env;
	const SimConfig *config = &sim->model->config;
	int32_t traces = !config->trace ? 0 : config->n_traces ? (int32_t) config->n_traces : 1;
	if (!(scale > 0.0 && scale <= 100.0) || trace < -1 || trace >= traces)
		return ERR_INVALID;
	scale = (double) (float) scale; /* as a snapshot keeps it */
	double times = scale / sim->model->traffic_now;
	for (int32_t k = 0; k < sim->worlds; k++) {
		sim->model[k].traffic_now = scale;
		sim->model[k].trace_now = trace;
	}
	for (size_t i = 0; i < env->n; i++)
		row_at(sim, i)->traffic_scale *= times;
	return 0;
}

void sim_env_traffic(const Env *env, double *ret_scale, int32_t *ret_trace)
{
	const SimModel *model = ((const SimEnv *) env)->model;
	*ret_scale = model->traffic_now;
	*ret_trace = model->trace_now;
}

int sim_env_fault(Env *env, const ChaosPlan *fault)
{
	SimEnv *sim = (SimEnv *) env;
	if (!sim->model->faults_at)
		return ERR_INVALID;
	for (int32_t k = 0; k < sim->worlds; k++)
		sim->model[k].has_chaos = true;
	for (size_t i = 0; i < env->n; i++) {
		SimRow *row = row_at(sim, i);
		const SimModel *model = model_of(sim, row);
		SimView view = core_view(model, row);
		if (fault)
			chaos_begin(model, row, &view, fault, core_now_s(model, row));
		else
			chaos_end(model, row, &view);
	}
	return 0;
}

static uint64_t mark_bytes(uint64_t mark, const void *data, size_t len)
{
	for (size_t i = 0; i < len; i++) /* FNV-1a */
		mark = (mark ^ ((const unsigned char *) data)[i]) * UINT64_C(1099511628211);
	return mark;
}

static uint64_t mark_of(const SimModel *model)
{
	const SimConfig *c = &model->config;
	const double value[] = {
		c->window_from, c->window_to, c->compression, model->peak_rps, c->random_start, (double) c->interval_s,
		(double) c->substep_s, c->episode_steps, c->min_replicas, c->max_replicas, (double) c->latency_soft_ms,
		(double) c->latency_hard_ms, (double) c->latency_window_s, c->terminate_at_bounds, c->start, c->observation,
		c->level, c->balance, c->stack, c->reward, (double) c->pod_price, (double) c->slo.violation, (double) c->slo.kappa,
		(double) c->slo.change, (double) c->slo.reversal, c->slo.is_plain, c->has_rails, c->vary.startup_min_s, c->vary.startup_max_s,
		c->vary.level_min, c->vary.level_max, c->vary.compression_max, c->vary.price_min, c->vary.price_max, c->vary.price_even,
		c->vary.quiet, c->vary.mirrors, c->vary.turns_clock, c->vary.worlds, (double) c->vary.worlds_seed, c->vary.is_corner, c->metric_noise,
		c->metric_missing, c->think_s, c->chaos_rate,
		c->chaos_rate > 0.0 ? (double) c->chaos_steps : 0.0, c->n_plans, /* without chaos a run can go on for longer */
	};
	uint64_t mark = mark_bytes(UINT64_C(14695981039346656037), &c->service, sizeof c->service);
	mark += (uint64_t) c->actions + (uint64_t) hint_dim(c);
	mark = c->vary.memory_max > 0.0 ? mark_bytes(mark, &c->vary.memory_min, 2 * sizeof(double)) : mark;
	for (int32_t i = 0; i < SIM_AXES; i++)
		if (c->vary.axis[i].is_on) {
			const double axis[] = { i, c->vary.axis[i].low, c->vary.axis[i].high };
			mark = mark_bytes(mark, axis, sizeof axis);
		}
	mark = mark_bytes(mark, value, sizeof value);
	for (int32_t i = 0; i < c->n_plans; i++) {
		const double plan[] = { c->plan[i].kind, c->plan[i].at_s, c->plan[i].every_s, c->plan[i].for_s, c->plan[i].size };
		mark = mark_bytes(mark, plan, sizeof plan);
	}
	for (size_t i = 0; c->trace && i < (c->n_traces ? c->n_traces : 1); i++)
		mark = mark_bytes(mark, c->trace[i].rate, c->trace[i].n * sizeof *c->trace[i].rate);
	return mark;
}

static void sim_env_free(Env *env)
{
	SimEnv *sim = (SimEnv *) env;
	for (int32_t k = 0; k < sim->worlds; k++)
		core_model_done(&sim->model[k]);
	free(sim->model);
	free(sim->rows);
	free(sim);
}

static const EnvOps OPS = {
	.name = "sim", .spec = env_spec, .reset = env_reset, .step = env_step,
	.state_size = env_state_size, .snapshot = env_snapshot, .restore = env_restore, .free = sim_env_free,
};

void sim_config_default(SimConfig *config)
{
	*config = (SimConfig) {
		.window_to = 1.0, .compression = 1.0, .interval_s = 30.0f, .substep_s = 5.0f, .episode_steps = 200,
		.min_replicas = 1, .max_replicas = 15, .latency_window_s = 60.0f, .observation = OBS_SEED,
		.stack = 1, .pod_price = .3f,
	};
	reward_slo_default(&config->slo);
	service_default(&config->service);
}

double sim_capacity_rps(const Service *service, int32_t replicas, double latency_ms)
{
	Response *response;
	if (response_new(service, 1.0, 0.0, 0.0, &response))
		return NAN;
	double rate = replicas * response_capacity(response, latency_ms * 1e-3);
	response_free(response);
	return rate;
}

/* Its worlds' models, in sim, with the largest of their rows. */
static int make_models(SimEnv *sim, const SimConfig *config, Error *err)
{
	int32_t worlds = config->vary.worlds > 0 ? config->vary.worlds : 1;
	sim->model = mem_block((size_t) worlds, sizeof *sim->model);
	if (!sim->model)
		return error_set(err, ERR_NOMEM, "simulator: out of memory");
	for (int32_t k = 0; k < worlds; k++) {
		int code = world_model(config, k, &sim->model[k], err);
		if (code)
			return code;
		sim->worlds = k + 1;
		sim->mark = (sim->mark ^ mark_of(&sim->model[k])) * UINT64_C(1099511628211);
		if (sim->model[k].row_bytes > sim->row_bytes)
			sim->row_bytes = sim->model[k].row_bytes;
	}
	sim->obs_dim = (size_t) obs_dim(&sim->model->config);
	return 0;
}

int sim_env_new(const SimConfig *config, size_t n, Env **ret_env, Error *err)
{
	SimEnv *sim = mem_block(1, sizeof *sim);
	if (!sim)
		return error_set(err, ERR_NOMEM, "simulator: out of memory");
	sim->env = (Env) { &OPS, n };
	int code = make_models(sim, config, err);
	if (!code && !(sim->rows = mem_block(n, sim->row_bytes)))
		code = error_set(err, ERR_NOMEM, "simulator: no memory for %zu environments of %zu bytes", n, sim->row_bytes);
	if (code) {
		sim_env_free(&sim->env);
		return code;
	}
	*ret_env = &sim->env;
	return 0;
}
