/*
 * One simulated Deployment behind the interfaces of a cluster: Metrics that let its time pass, an Actuator that sets
 * its replicas. It is a row of the same core as the training environments.
 */
#include "base/mem.h"
#include "sim/history.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct SimTarget {
	Metrics metrics;     /* first: the Metrics is the target */
	Actuator actuator;
	SimModel model;
	SimRow *row;
	PodSample *list;     /* [lanes] */
	int64_t start_ms;    /* wall time at simulated time 0 */
	int64_t version;     /* of the scale */
	EnvInfo info;
	Served served;       /* since time 0, up to the last fetch */
};

static SimTarget *of_actuator(Actuator *actuator)
{
	return (SimTarget *) (void *) ((char *) actuator - offsetof(SimTarget, actuator));
}

static int64_t age_ms(double now_s, double since_s)
{
	return llround(1000.0 * (now_s - since_s));
}

/* metrics-server's view: the rate between the last two of cAdvisor's samples, stamped with the later. */
static void fill_usage(const SimTarget *sim, const SimView *view, int32_t i, PodSample *ret)
{
	const SimModel *model = &sim->model;
	const SimRow *row = sim->row;
	const Pod *pod = &view->pod[i];
	if (pod->n_stamps < 2)
		return;
	int32_t last = scrape_stamp(model, row, view, i, 0), before = scrape_stamp(model, row, view, i, 1);
	if ((int32_t) row->tick - before >= model->depth)
		return;
	ret->has_usage = true;
	ret->window_ms = (last - before) * model->dt_ms;
	ret->sample_age_ms = (row->tick - last) * model->dt_ms;
	double used = scrape_counted(model, row, view, pod, last, COLUMN_CPU_S) -
	              scrape_counted(model, row, view, pod, before, COLUMN_CPU_S);
	ret->usage_m = llround(1e6 * used / (double) ret->window_ms);
}

static PodSample list_pod(const SimTarget *sim, const SimView *view, int32_t i, double now_s)
{
	const Pod *pod = &view->pod[i];
	bool is_running = pod->ready_s - (double) pod->running <= now_s, is_ready = pod->ready_s <= now_s;
	double created_s = pod->ready_s - (double) pod->created;
	PodSample sample = {
		.phase = is_running ? POD_RUNNING : POD_PENDING,
		.ready = is_ready ? READY_TRUE : READY_FALSE,
		.is_deleting = pod->deleted_s <= now_s,
		.has_start_time = true,
		.has_request = true,
		.start_age_ms = age_ms(now_s, created_s),
		.ready_age_ms = age_ms(now_s, is_ready ? pod->ready_s : created_s),
		.request_m = llround(1000.0 * sim->model.config.service.cpu_request),
	};
	fill_usage(sim, view, i, &sample);
	return sample;
}

static size_t list_pods(SimTarget *sim, const SimView *view, double now_s)
{
	size_t n = 0;
	for (int32_t k = 0; k < sim->row->n_used; k++)
		if (view->pod[view->order[k]].state == LANE_POD)
			sim->list[n++] = list_pod(sim, view, view->order[k], now_s);
	return n;
}

static int target_fetch(Metrics *metrics, const Target *target, size_t n, int64_t now_ms, Sample *ret_sample,
                        Error *err)
{
	SimTarget *sim = (SimTarget *) metrics;
	(void) target; /* every name means the one Deployment that there is */
	int64_t tick = (now_ms - sim->start_ms) / sim->model.dt_ms;
	if (now_ms < sim->start_ms || tick < sim->row->tick)
		return error_set(err, ERR_INVALID, "simulated time cannot go back to %lld ms", (long long) now_ms);
	SimView view = core_view(&sim->model, sim->row);
	sim->row->totals = (StepTotals) { 0 };
	sim->row->chaos.seen = sim->row->chaos.active;
	sim->row->oom_kills = 0;
	core_run(&sim->model, sim->row, &view, (int32_t) (tick - sim->row->tick));
	double now_s = core_now_s(&sim->model, sim->row);
	core_info(&sim->model, sim->row, core_ready(&sim->model, sim->row, &view), &sim->info);
	core_add_served(&sim->served, &sim->row->totals);
	Sample sample;
	scrape_query(&sim->model, sim->row, &view, now_s, &sample);
	world_blur(drawn_of(&sim->model, sim->row), sim->row, &sample);
	sample.wall_ms = now_ms;
	sample.pods = sim->list;
	sample.n_pods = list_pods(sim, &view, now_s);
	for (size_t i = 0; i < n; i++)
		ret_sample[i] = sample;
	return 0;
}

static void fill_scale(const SimTarget *sim, Scale *ret_scale)
{
	*ret_scale = (Scale) { .replicas = sim->row->replicas, .uid = "sim" };
	ret_scale->status_replicas = sim->row->alive;
	(void) snprintf(ret_scale->resource_version, sizeof ret_scale->resource_version, "%lld", (long long) sim->version);
}

static int target_get_scale(Actuator *actuator, const Target *target, Scale *ret_scale, Error *err)
{
	(void) target;
	(void) err;
	fill_scale(of_actuator(actuator), ret_scale);
	return 0;
}

static int target_set_scale(Actuator *actuator, const Target *target, const Scale *want, Scale *ret_scale, Error *err)
{
	SimTarget *sim = of_actuator(actuator);
	(void) target;
	if (chaos_is_on(&sim->row->chaos, CHAOS_API_REFUSED))
		return error_set(err, ERR_UNREACHABLE, "simulated deployment: scale: connection refused");
	Scale now;
	fill_scale(sim, &now);
	if (want->resource_version[0] && strcmp(want->resource_version, now.resource_version) != 0)
		return error_set(err, ERR_CONFLICT, "simulated deployment: scale: changed since resourceVersion %s, now %s",
		                 want->resource_version, now.resource_version);
	if (want->replicas < 0 || want->replicas > sim->model.lanes / 2)
		return error_set(err, ERR_INVALID, "simulated deployment: scale: %d replicas, must be 0 to %d", want->replicas,
		                 sim->model.lanes / 2);
	if (want->replicas != sim->row->replicas)
		sim->version++;
	sim->row->replicas = want->replicas;
	if (ret_scale)
		fill_scale(sim, ret_scale);
	return 0;
}

/* The SimTarget owns both faces; freeing one of them alone does nothing. */
static void metrics_keep(Metrics *metrics)
{
	(void) metrics;
}

static void actuator_keep(Actuator *actuator)
{
	(void) actuator;
}

static const MetricsOps METRICS = { "sim", target_fetch, metrics_keep, NULL };
static const ActuatorOps ACTUATOR = { "sim", target_get_scale, target_set_scale, actuator_keep };

void sim_target_restart(SimTarget *sim, uint64_t seed, int64_t start_wall_ms)
{
	sim->start_ms = start_wall_ms;
	sim->version = 1;
	sim->served = (Served) { 0 };
	core_reset(&sim->model, sim->row, seed, 0, 0);
	const SimView view = core_view(&sim->model, sim->row);
	core_info(&sim->model, sim->row, core_ready(&sim->model, sim->row, &view), &sim->info);
}

int sim_target_new(const SimConfig *config, uint64_t seed, int64_t start_wall_ms, SimTarget **ret, Error *err)
{
	SimTarget *sim = mem_block(1, sizeof *sim);
	if (!sim)
		return error_set(err, ERR_NOMEM, "simulator: out of memory");
	sim->metrics.ops = &METRICS;
	sim->actuator.ops = &ACTUATOR;
	int code = core_model_init(&sim->model, config, err);
	if (code)
		goto fail;
	sim->row = mem_block(1, sim->model.row_bytes);
	sim->list = mem_block((size_t) sim->model.lanes, sizeof *sim->list);
	if (!sim->row || !sim->list) {
		code = error_set(err, ERR_NOMEM, "simulator: out of memory");
		goto fail;
	}
	sim_target_restart(sim, seed, start_wall_ms);
	*ret = sim;
	return 0;
fail:
	sim_target_free(sim);
	return code;
}

void sim_target_free(SimTarget *sim)
{
	if (!sim)
		return;
	core_model_done(&sim->model);
	free(sim->row);
	free(sim->list);
	free(sim);
}

Metrics *sim_target_metrics(SimTarget *sim)
{
	return &sim->metrics;
}

Actuator *sim_target_actuator(SimTarget *sim)
{
	return &sim->actuator;
}

void sim_target_info(const SimTarget *sim, EnvInfo *ret_info)
{
	*ret_info = sim->info;
}

const Target *sim_target_target(const SimTarget *sim)
{
	return core_view(&sim->model, sim->row).target;
}

double sim_target_quantile_ms(const SimTarget *sim, double q)
{
	return core_quantile_ms(&sim->model, &sim->served, q);
}

double sim_target_rate(const SimTarget *sim, double t_s)
{
	const SimModel *model = &sim->model;
	const SimRow *row = sim->row;
	if (t_s >= 0.0 || !model->config.trace)
		return core_rate(model, row, t_s);
	double along = row->trace_from_s + row->trace_start_s + t_s * row->compression;
	return along < 0.0 ? NAN : row->traffic_scale * model->peak_rps * trace_rate(&model->config.trace[row->trace], along);
}

double sim_target_pod_capacity(const SimTarget *sim)
{
	return sim->model.pod_capacity;
}

void sim_target_past(const SimTarget *sim, ObsSpec spec, Observer *ret)
{
	core_observe_past(&sim->model, sim->row, sim_target_target(sim), spec, ret);
}
