/* See core.h: the model, layout of a row, reset, the order of a sub-step. */
#include "sim/core.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

enum { LANES_LEAST = 16, WORD = 8, LAG_TICKS = 240 };

/* ---- layout ---- */

static size_t take(size_t *used, size_t bytes)
{
	size_t at = *used;
	*used += (bytes + WORD - 1) / WORD * WORD;
	return at;
}

static bool has_own_target(const SimConfig *config)
{
	return config->vary.startup_max_s > 0.0 || config->vary.price_min > 0.0 || config->vary.memory_max > 0.0 ||
	       vary_has_any(config);
}

static void lay_out(SimModel *model)
{
	size_t lanes = (size_t) model->lanes, cohorts = (size_t) model->cohorts, used = 0;
	(void) take(&used, sizeof(SimRow));
	model->pods_at = take(&used, lanes * sizeof(Pod));
	model->cohorts_at = take(&used, cohorts * sizeof(Cohort));
	model->order_at = take(&used, lanes * sizeof(int16_t));
	model->live_at = take(&used, cohorts * sizeof(int16_t));
	model->stamps_at = take(&used, lanes * (size_t) model->stamps * sizeof(int16_t));
	model->kept_at = take(&used, (size_t) model->response->n_points * sizeof(float));
	model->history_at = take(&used, (size_t) (model->depth * model->columns) * sizeof(float));
	if (has_own_target(&model->config))
		model->target_at = take(&used, sizeof(Target));
	if (model->config.observation != OBS_SEED)
		model->observer_at = take(&used, sizeof(Observer));
	if (model->config.has_rails)
		model->rails_at = take(&used, sizeof(RailsHistory));
	if (model->has_chaos || model->config.takes_faults)
		model->faults_at = take(&used, sizeof(ChaosFaults));
	if (vary_has_any(&model->config))
		model->drawn_at = take(&used, sizeof(Drawn));
	if (model->late_ticks)
		model->late_at = take(&used, (size_t) (model->late_ticks + 1) * sizeof(Late));
	if (model->jobs) {
		model->discrete_at = take(&used, sizeof(Discrete));
		model->servers_at = take(&used, cohorts * sizeof(Server));
		model->jobs_at = take(&used, cohorts * model->jobs * sizeof(Job));
		model->conns_at = take(&used, (size_t) model->config.service.keepalive_conns * sizeof(Conn));
	}
	model->row_bytes = used;
}

SimView core_view(const SimModel *model, SimRow *row)
{
	char *base = (char *) row;
	return (SimView) {
		.target = model->target_at ? (void *) (base + model->target_at) : &model->target,
		.observer = model->observer_at ? (void *) (base + model->observer_at) : NULL,
		.faults = model->faults_at ? (void *) (base + model->faults_at) : NULL,
		.rails = model->rails_at ? (void *) (base + model->rails_at) : NULL,
		.pod = (void *) (base + model->pods_at), .cohort = (void *) (base + model->cohorts_at),
		.history = (void *) (base + model->history_at), .kept = (void *) (base + model->kept_at), .stamp = (void *) (base + model->stamps_at),
		.order = (void *) (base + model->order_at), .live = (void *) (base + model->live_at),
		.discrete = (void *) (base + model->discrete_at), .server = (void *) (base + model->servers_at),
		.job = (void *) (base + model->jobs_at), .conn = (void *) (base + model->conns_at),
	};
}

/* ---- model ---- */

static bool divides(double part, double whole)
{
	double times = whole / part;
	return times >= 1.0 - 1e-9 && fabs(times - floor(times + .5)) < 1e-6;
}

static int check(const SimConfig *c, Error *err)
{
	int code = service_check(&c->service, err);
	if (code)
		return code;
	if (c->min_replicas < 1 || c->max_replicas < c->min_replicas || c->max_replicas > 1000)
		return error_set(err, ERR_INVALID, "simulator: replicas %d to %d, must be 1 <= min <= max <= 1000",
		                 c->min_replicas, c->max_replicas);
	if (!(c->substep_s >= .1f) || !divides((double) c->substep_s, (double) c->interval_s) ||
	    !divides((double) c->substep_s, c->service.scrape_interval))
		return error_set(err, ERR_INVALID,
		                 "simulator: substep of %g s must be .1 s or more and divide interval, %g s, and scrape_interval, %g s",
		                 (double) c->substep_s, (double) c->interval_s, c->service.scrape_interval);
	if (!((double) c->latency_window_s >= 2.0 * c->service.scrape_interval) || c->latency_window_s > 3600.0f)
		return error_set(err, ERR_INVALID, "simulator: latency window of %g s, must be two scrapes (%g s) to 3600 s",
		                 (double) c->latency_window_s, 2.0 * c->service.scrape_interval);
	if (c->level == SIM_FLUID && c->balance != SIM_RANDOM)
		return error_set(err, ERR_INVALID, "simulator: the fluid level balances at random; other rules need the request level");
	if (!(c->window_from >= 0.0 && c->window_to <= 1.0 && c->window_from < c->window_to))
		return error_set(err, ERR_INVALID, "simulator: window %g to %g, must rise within 0..1", c->window_from,
		                 c->window_to);
	if (!(c->chaos_rate >= 0.0 && c->chaos_rate <= 1.0) || c->n_plans < 0 || c->n_plans > CHAOS_PLANS)
		return error_set(err, ERR_INVALID, "simulator: chaos rate of %g with %d plans, must be 0 to 1 with 0 to %d", c->chaos_rate,
		                 c->n_plans, CHAOS_PLANS);
	if (c->vary.worlds < 0 || c->vary.worlds > 256 || !(c->metric_noise >= 0.0 && c->metric_noise <= 1.0) ||
	    !(c->metric_missing >= 0.0 && c->metric_missing < 1.0))
		return error_set(err, ERR_INVALID, "simulator: %d worlds, metric noise %g, missing %g; must be 0 to 256, 0 to 1, 0 to below 1",
		                 c->vary.worlds, c->metric_noise, c->metric_missing);
	if (!(c->think_s >= 0.0 && c->think_s <= 3600.0))
		return error_set(err, ERR_INVALID, "simulator: think time of %g s, must be 0 to 3600", c->think_s);
	if (!(c->compression >= 1.0 && c->compression <= 60.0))
		return error_set(err, ERR_INVALID, "simulator: compression is %g, must be 1 to 60", c->compression);
	if ((code = vary_check(c, err)))
		return code;
	if (c->stack < 0 || c->stack > TREND_STACK_MAX)
		return error_set(err, ERR_INVALID, "simulator: stack is %d, must be 1 to %d", c->stack, TREND_STACK_MAX);
	if (!(c->peak_rps >= 0.0 && c->peak_rps <= 1e9) || c->episode_steps < 1)
		return error_set(err, ERR_INVALID, "simulator: peak of %g rps and %d steps, must be >= 0 and >= 1", c->peak_rps,
		                 c->episode_steps);
	return 0;
}

double core_soft_ms(const SimConfig *config)
{
	return config->latency_soft_ms > 0.0f ? (double) config->latency_soft_ms : 250.0;
}

ObsSpec sim_obs_spec(const SimConfig *config)
{
	return (ObsSpec) { config->observation, config->stack > 1 ? config->stack : 1, config->interval_s };
}

void sim_target_of(const SimConfig *config, double pod_capacity_rps, Target *ret_target)
{
	*ret_target = (Target) {
		.namespace_ = "default",
		.name = "sim",
		.min_replicas = config->min_replicas,
		.max_replicas = config->max_replicas,
		.latency_soft_ms = config->latency_soft_ms,
		.latency_hard_ms = config->latency_hard_ms,
		.pod_capacity_rps = (float) pod_capacity_rps,
		.startup_s = (float) service_startup_p90_s(&config->service),
		.pod_price = config->pod_price,
	};
}

static int set_traffic(SimModel *model, Error *err)
{
	const SimConfig *c = &model->config;
	model->pod_capacity = response_capacity(model->response, core_soft_ms(c) * 1e-3);
	model->peak_rps = c->peak_rps > 0.0 ? c->peak_rps : .8 * c->max_replicas * model->pod_capacity;
	if (c->think_s > 0.0 && c->peak_rps <= 0.0) /* users: a round takes the think time and an easy request's */
		model->peak_rps *= c->think_s + service_demand_s(&c->service);
	if (model->peak_rps <= 0.0)
		return error_set(err, ERR_INVALID,
		                 "simulator: even an idle pod's p95 is over %g ms; raise the soft limit or set the peak rate",
		                 core_soft_ms(c));
	return 0;
}

/* A sample in a window carries the counters of when it was taken; and a full pod's oldest request has come so long ago. */
static int32_t depth_of(const SimModel *model)
{
	const Response *r = model->response;
	int32_t window = model->latency_ticks > model->rate_ticks ? model->latency_ticks : model->rate_ticks;
	int32_t lag = (int32_t) fmin(ceil((double) (r->n_max / r->mu) / model->dt), LAG_TICKS) + 1;
	return (window > lag ? window : lag) + 1;
}

int core_model_init(SimModel *model, const SimConfig *config, Error *err)
{
	*model = (SimModel) { .config = *config };
	int code = check(config, err);
	if (code)
		return code;
	code = response_new(&config->service, (double) config->substep_s, (double) config->latency_soft_ms,
	                    (double) config->latency_hard_ms, &model->response);
	if (code)
		return error_set(err, code, "simulator: response table: %s", err_text(code));
	code = set_traffic(model, err);
	if (code) {
		core_model_done(model);
		return code;
	}
	const Service *s = &config->service;
	double window = fmax((double) config->latency_window_s, s->rate_window);
	model->is_wide = response_has_wide();
	model->dt = (double) config->substep_s;
	model->dt_ms = llround(1000.0 * model->dt);
	vary_none(model, &model->drawn);
	model->late_ticks = vary_delay_ticks(config);
	model->latency_window_ms = llround(1000.0 * (double) config->latency_window_s);
	model->rate_window_ms = llround(1000.0 * s->rate_window);
	model->keep_ms = llround(1000.0 * window);
	model->warm_ticks = (int32_t) ceil((window + 2.0 * vary_scrape_s(config, true) + s->cadvisor_interval + s->cadvisor_jitter) /
	                                   model->dt) + model->late_ticks;
	model->latency_ticks = (int32_t) ((model->latency_window_ms + model->dt_ms - 1) / model->dt_ms);
	model->rate_ticks = (int32_t) ((model->rate_window_ms + model->dt_ms - 1) / model->dt_ms);
	model->house_every = (int32_t) lround(HOUSE_PARTS * s->cadvisor_interval / model->dt);
	model->house_jitter = (int32_t) lround(HOUSE_PARTS * s->cadvisor_jitter / model->dt);
	model->depth = depth_of(model);
	model->stamps = (int32_t) ceil(s->rate_window / vary_scrape_s(config, false)) + 1;
	model->columns = COLUMN_WITHIN + model->response->n_points;
	int32_t most = vary_most_replicas(config);
	model->lanes = 2 * most > LANES_LEAST ? 2 * most : LANES_LEAST;
	model->jobs = config->level == SIM_REQUEST ? server_jobs(s) : 0;
	model->cohorts = COHORTS < model->lanes && !model->jobs ? COHORTS : model->lanes;
	sim_target_of(config, model->pod_capacity, &model->target);
	model->node_room = (int32_t) fmax(fmin(floor(s->node_cpu / s->cpu_request + 1e-9),
	                                       floor(s->node_mem_bytes / s->mem_limit_bytes + 1e-9)), 1.0);
	model->may_contend = model->node_room * service_cores(s) > s->node_cpu - s->neighbour;
	model->may_oom = s->mem_leak_bytes > 0.0 ||
	                 s->mem_base_bytes + s->mem_inflight_bytes * (s->concurrency + s->queue_max) > s->mem_limit_bytes;
	model->has_chaos = config->chaos_rate > 0.0 || config->n_plans > 0;
	model->traffic_now = 1.0;
	model->trace_now = -1;
	rails_config_default(&model->rails);
	model->rails.stabilise_ms = 0; /* an evaluated model's */
	lay_out(model);
	return 0;
}

void core_model_done(SimModel *model)
{
	response_free(model->response);
	model->response = NULL;
}

/* ---- a row ---- */

/* What the trace has, or the constant rate. */
static double trace_rps(const SimModel *model, const SimRow *row, double t_s)
{
	if (!model->config.trace)
		return row->traffic_scale * model->peak_rps;
	const Trace *trace = &model->config.trace[row->trace];
	double span = row->trace_span_s, along = row->trace_start_s + (t_s > 0.0 ? t_s : 0.0) * row->compression;
	if (model->config.vary.mirrors) { /* back and forth */
		along = fmod(fabs(along), 2.0 * span);
		along = along > span ? 2.0 * span - along : along;
	} else if (along >= span)
		along = fmod(along, span);
	double part = t_s < (double) row->quiet_from_s ? 1.0 : (double) row->quiet_part;
	return part * row->traffic_scale * model->peak_rps * trace_rate(trace, row->trace_from_s + along);
}

double core_rate(const SimModel *model, const SimRow *row, double t_s)
{
	double rate = trace_rps(model, row, t_s);
	return model->drawn_at ? rate * vary_traffic(drawn_of(model, row), t_s) : rate;
}

/*
 * What is offered when users think between requests and try again after failures. A user's round is think + sojourn, so
 * V of them make V/(think + sojourn) requests a second; the sojourn is what Little's law gives for the sub-step before.
 */
static double offered_rps(const SimModel *model, const SimRow *row, double rate)
{
	if (model->config.think_s > 0.0)
		rate /= model->config.think_s + row->sojourn_s;
	return rate + row->again_rps;
}

/* An episode's draws are a stream's own stretch: where it starts does not depend on how the one before went. */
static void stream_init(Rng *rng, const SimRow *row, RngStream stream)
{
	rng_init(rng, row->seed, row->id, stream);
	rng->counter[1] = row->episode;
}

/* Log-uniform; the fallback where there is nothing to draw. */
static double draw(Rng *rng, double least, double most, double fallback)
{
	return least > 0.0 && most >= least ? least * pow(most / least, rng_uniform(rng)) : fallback;
}

/* Scales the episode's traffic so that its mean needs `pods`, but its peak no more than a little over max. */
static void set_level(const SimModel *model, SimRow *row, double pods)
{
	static const double MOST_AT_PEAK = 1.2;
	const SimConfig *c = &model->config;
	const Drawn *d = drawn_of(model, row);
	double sum = 0.0, peak = 0.0;
	for (int32_t step = 0; step < c->episode_steps; step++) {
		double rate = offered_rps(model, row, trace_rps(model, row, step * (double) d->interval_s));
		sum += rate;
		peak = fmax(peak, rate);
	}
	if (peak <= 0.0)
		return;
	double by_mean = pods * model->pod_capacity * c->episode_steps / sum;
	double by_peak = MOST_AT_PEAK * d->max_replicas * model->pod_capacity / peak;
	row->traffic_scale *= fmin(by_mean, by_peak);
}

static void choose_traffic(const SimModel *model, SimRow *row)
{
	const SimConfig *c = &model->config;
	const SimVary *vary = &c->vary;
	const Drawn *d = drawn_of(model, row);
	row->compression = c->compression;
	row->traffic_scale = c->peak_rps > 0.0 ? 1.0 : (double) d->max_replicas / c->max_replicas; /* the peak goes by what there may be */
	row->quiet_from_s = INFINITY;
	if (!c->trace) {
		row->traffic_scale *= model->traffic_now;
		return;
	}
	Rng traffic;
	stream_init(&traffic, row, RNG_TRAFFIC);
	/* multiples of the golden ratio spread any number of rows evenly, and row i's place depends on i alone */
	double part = c->random_start ? rng_uniform(&traffic) : fmod(row->id * .6180339887498949, 1.0);
	if (c->n_traces > 1)
		row->trace = (int16_t) rng_below(&traffic, (uint32_t) c->n_traces);
	if (model->trace_now >= 0)
		row->trace = (int16_t) model->trace_now;
	if (vary->compression_max > c->compression)
		row->compression = draw(&traffic, c->compression, vary->compression_max, c->compression);
	const Trace *trace = &c->trace[row->trace];
	double length = (double) trace->n * trace->step_s;
	row->trace_from_s = c->window_from * length;
	row->trace_span_s = (c->window_to - c->window_from) * length;
	double episode_s = c->episode_steps * (double) d->interval_s * row->compression;
	double room = row->trace_span_s > episode_s ? row->trace_span_s - episode_s : row->trace_span_s;
	row->trace_start_s = part * room;
	if (vary->mirrors && rng_below(&traffic, 2)) { /* from the end of that stretch to its start */
		row->trace_start_s += episode_s;
		row->compression = -row->compression;
	}
	if (vary->level_max > 0.0 && rng_below(&traffic, 2))
		set_level(model, row, draw(&traffic, vary->level_min, vary->level_max, 1.0));
	row->traffic_scale *= model->traffic_now;
	if (vary->turns_clock)
		row->wall_start_ms = rng_below(&traffic, 7 * 86400) * INT64_C(1000);
	if (vary->quiet > 0.0 && rng_uniform(&traffic) < vary->quiet) {
		row->quiet_from_s = (float) (.7 * rng_uniform(&traffic) * c->episode_steps * (double) d->interval_s);
		row->quiet_part = (float) draw(&traffic, .002, .1, 0.0);
	}
}

static void choose_service(const SimModel *model, SimRow *row)
{
	const SimConfig *c = &model->config;
	const SimVary *vary = &c->vary;
	row->boot_scale = 1.0;
	row->reward_scale = 1.0f;
	row->limit_scale = 1.0f;
	if (!model->target_at)
		return;
	Service service = c->service;
	const Drawn *d = drawn_of(model, row);
	Target *target = (void *) ((char *) row + model->target_at);
	Rng parameters;
	stream_init(&parameters, row, RNG_PARAMETERS);
	*target = model->target;
	target->min_replicas = d->min_replicas;
	target->max_replicas = d->max_replicas;
	service.start_boot_cv = d->boot_cv;
	if (vary->startup_max_s > 0.0 || vary->axis[AXIS_STARTUP_SPREAD].is_on) {
		service_set_startup(&service, draw(&parameters, vary->startup_min_s, vary->startup_max_s, service_startup_median_s(&c->service)));
		row->boot_scale = service.start_boot_mean / c->service.start_boot_mean;
		target->startup_s = (float) service_startup_p90_s(&service);
	}
	target->pod_price = (float) draw(&parameters, vary->price_min, vary->price_max, (double) c->pod_price);
	row->reward_scale = (float) pow((double) target->pod_price / .4, -vary->price_even);
	/* what is used stays what it was, so that the limit has no say in what the pods do */
	double told = c->service.mem_base_bytes / c->service.mem_limit_bytes;
	row->limit_scale = (float) (told / draw(&parameters, vary->memory_min, vary->memory_max, told));
}

static int32_t start_replicas(const SimModel *model, SimRow *row)
{
	const SimConfig *c = &model->config;
	const Drawn *d = drawn_of(model, row);
	if (c->start == SIM_START_RANDOM)
		return d->min_replicas + (int32_t) rng_below(&row->lifecycle, (uint32_t) (d->max_replicas - d->min_replicas + 1));
	double want = c->start == SIM_START_ONE ? 1.0 : ceil(offered_rps(model, row, core_rate(model, row, 0.0)) / model->pod_capacity);
	return (int32_t) fmin(fmax(want, d->min_replicas), d->max_replicas);
}

/* The rate `back` seconds before the episode, where the trace has one; NAN. Training stays inside its part of it. */
static double rate_before(const SimModel *model, const SimRow *row, double back_s)
{
	const SimConfig *c = &model->config;
	double times = model->drawn_at ? vary_traffic(drawn_of(model, row), -back_s) : 1.0;
	if (!c->trace)
		return times * row->traffic_scale * model->peak_rps;
	double along = row->trace_start_s - back_s * row->compression, from = c->vary.mirrors ? 0.0 : -row->trace_from_s;
	if (along < from || (along > row->trace_span_s && c->vary.mirrors))
		return NAN;
	return times * row->traffic_scale * model->peak_rps * trace_rate(&c->trace[row->trace], row->trace_from_s + along);
}

void core_observe_past(const SimModel *model, const SimRow *row, const Target *target, ObsSpec spec, Observer *ret)
{
	float rps[TREND_HISTORY];
	int32_t n = 0;
	observer_init(ret, spec);
	if (spec.kind != OBS_TREND || model->config.think_s > 0.0)
		return;
	Rng noise;
	stream_init(&noise, row, RNG_METRICS);
	while (n < TREND_HISTORY) { /* newest first; counted over the window of rate() */
		double rate = rate_before(model, row, n * (double) spec.interval_s);
		if (isnan(rate))
			break;
		rate += sqrt(fmax(rate, 0.0) / model->config.service.rate_window) * rng_normal(&noise);
		rps[TREND_HISTORY - ++n] = rate > 0.0 ? (float) rate : 0.0f;
	}
	trend_fill(&ret->trend, target, spec.interval_s, rps + TREND_HISTORY - n, n);
}

void core_reset(const SimModel *model, SimRow *row, uint64_t seed, uint32_t id, uint32_t episode)
{
	memset(row, 0, model->history_at + (size_t) (model->depth * model->columns) * sizeof(float));
	row->seed = seed;
	row->id = id;
	row->episode = episode;
	row->tick = -model->warm_ticks;
	stream_init(&row->lifecycle, row, RNG_LIFECYCLE);
	if (model->drawn_at)
		vary_draw(model, row);
	choose_traffic(model, row);
	choose_service(model, row);
	chaos_reset(model, row);
	row->nodes = drawn_of(model, row)->nodes;
	row->pace = row->cpu_share = 1.0f;
	row->replicas = start_replicas(model, row);
	/* before anything was measured, the least favourable that a client can see */
	row->last[2] = (float) (1e3 * model->config.service.client_timeout);
	SimView view = core_view(model, row);
	ObsSpec spec = sim_obs_spec(&model->config);
	spec.interval_s = drawn_of(model, row)->interval_s;
	if (view.observer)
		core_observe_past(model, row, view.target, spec, view.observer);
	if (model->jobs)
		discrete_reset(model, row, &view);
	float rho = (float) offered_rps(model, row, core_rate(model, row, 0.0)) / ((float) row->replicas * model->response->mu);
	pods_add_settled(model, row, &view, row->replicas, response_settled(model->response, rho));
	core_run(model, row, &view, model->warm_ticks);
	row->totals = (StepTotals) { 0 };
	if (view.rails)
		rails_history_init(view.rails, 0, row->replicas);
}

static void note_outcome(const SimModel *model, SimRow *row, const SimView *view, const StepTotals *before)
{
	const StepTotals *t = &row->totals;
	double served = (double) (t->served - before->served), in_pods = 0.0;
	int32_t timeout = model->response->bounds + AFTER_TIMEOUT;
	double in_time = (double) (t->within[timeout] - before->within[timeout]);
	double failed = (double) (t->dropped - before->dropped) + fmax(served - in_time, 0.0);
	for (int32_t k = 0; k < row->n_live; k++)
		in_pods += view->cohort[view->live[k]].pods * (double) view->cohort[view->live[k]].n;
	/* where nothing comes out, waiting goes on */
	row->sojourn_s = served > 0.0 ? in_pods * model->dt / served : row->sojourn_s + (in_pods > 0.0 ? model->dt : 0.0);
	row->sojourn_s = fmin(row->sojourn_s, model->config.service.client_timeout);
	row->again_rps = drawn_of(model, row)->retries * failed / model->dt;
}

static inline void tick(const SimModel *model, SimRow *row, const SimView *view, Dice *dice)
{
	double now = core_now_s(model, row);
	if (model->has_chaos)
		chaos_tick(model, row, view, now);
	nodes_tick(model, row);
	if (row->tick >= 0 && (model->may_oom || row->chaos.mem_bytes > 0.0f))
		memory_tick(model, row, view, now);
	if (now >= row->next_event_s || row->alive != row->replicas)
		pods_update(model, row, view, now);
	bool has_echo = model->config.think_s > 0.0 || drawn_of(model, row)->retries > 0.0;
	StepTotals before;
	if (has_echo)
		before = row->totals;
	double rate = offered_rps(model, row, core_rate(model, row, now + .5 * model->dt));
	if (model->jobs)
		discrete_tick(model, row, view, now, rate);
	else
		fluid_tick(model, row, view, dice, now, rate);
	if (has_echo)
		note_outcome(model, row, view, &before);
	row->tick++;
	row->at = row->at + 1 < model->depth ? row->at + 1 : 0;
	if (model->late_ticks)
		vary_keep_sample(model, row, view);
}

void core_run(const SimModel *model, SimRow *row, const SimView *view, int32_t ticks)
{
	Dice dice = { .has_any = false };
	for (; ticks > 0; ticks--)
		tick(model, row, view, &dice);
}

/* ---- what happened ---- */

/* Between two bounds the logarithm of the surviving share is taken as linear: exact for an exponential tail. */
double core_quantile_ms(const SimModel *model, const Served *served, double q)
{
	const Response *response = model->response;
	double all = served->all;
	if (!(all > 1e-9))
		return NAN;
	int b = 0;
	while (b < response->bounds && served->within[b] < q * all)
		b++;
	if (b == response->bounds)
		return 1e3 * response->point_s[b - 1];
	double low = b ? response->point_s[b - 1] : 0.0, high = response->point_s[b];
	double low_over = b ? 1.0 - served->within[b - 1] / all : 1.0;
	double over = fmax(1.0 - served->within[b] / all, 1e-6);
	return 1e3 * (low + (high - low) * log(low_over / (1.0 - q)) / log(low_over / over));
}

void core_add_served(Served *to, const StepTotals *totals)
{
	to->all += (double) totals->served;
	for (int p = 0; p < POINTS; p++)
		to->within[p] += (double) totals->within[p];
}

/* The same of one step, in single precision. */
static float p95_ms_of(const Response *response, const float *within, float all)
{
	if (!(all > 1e-9f))
		return NAN;
	int b = 0;
	while (b < response->bounds && within[b] < .95f * all)
		b++;
	if (b == response->bounds)
		return 1e3f * response->point[b - 1];
	float low = b ? response->point[b - 1] : 0.0f, high = response->point[b];
	float low_over = b ? 1.0f - within[b - 1] / all : 1.0f;
	float over = fmaxf(1.0f - within[b] / all, 1e-6f);
	return 1e3f * (low + (high - low) * log2f(low_over / .05f) / log2f(low_over / over));
}

int32_t core_ready(const SimModel *model, const SimRow *row, const SimView *view)
{
	int32_t ready = 0;
	for (int32_t k = 0; k < row->n_used; k++)
		ready += pod_is_ready(&view->pod[view->order[k]], core_now_s(model, row));
	return ready;
}

void core_info(const SimModel *model, const SimRow *row, int32_t ready, EnvInfo *ret_info)
{
	const StepTotals *t = &row->totals;
	float all = t->served + t->dropped, per_all = all > 0.0f ? 1.0f / all : 0.0f;
	float per_s = t->time_s > 0.0f ? 1.0f / t->time_s : NAN, demand = 0.0f;
	const float *after = &t->within[model->response->bounds];
	if (model->pod_capacity > 0.0 && t->time_s > 0.0f)
		demand = fmaxf(ceilf(t->offered * per_s / (float) model->pod_capacity), 1.0f);
	*ret_info = (EnvInfo) {
		.p95_ms = p95_ms_of(model->response, t->within, t->served),
		.rps = t->offered * per_s,
		.cpu_cores = t->cpu_s * per_s,
		.slow_soft = (t->served - after[AFTER_SOFT] + t->dropped) * per_all,
		.slow_hard = (t->served - after[AFTER_HARD] + t->dropped) * per_all,
		.pod_s = t->pod_s,
		.chaos = row->chaos.seen,
		.oom_kills = row->oom_kills,
		.replicas = row->replicas,
		.ready = ready,
		.demand = (int32_t) demand,
	};
}
