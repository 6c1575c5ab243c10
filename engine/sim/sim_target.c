/*
 * One simulated Deployment behind the interfaces of a cluster: Metrics that let its time pass, an Actuator that sets
 * its replicas. It is a row of the same core as the training environments.
 */
#include "base/mem.h"
#include "sim/core.h"

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
static void fill_usage(const SimModel *model, const Pods *pods, int32_t i, double now_s, PodSample *pod)
{
	if (pods->cpu_len[i] < 2)
		return;
	int32_t ring = model->ring, last = (pods->cpu_head[i] + pods->cpu_len[i] - 1) % ring;
	int32_t before = (last + ring - 1) % ring;
	const int64_t *t_ms = &pods->cpu_t_ms[i * ring];
	const double *cpu = &pods->cpu_sample[i * ring];
	pod->has_usage = true;
	pod->window_ms = t_ms[last] - t_ms[before];
	pod->sample_age_ms = llround(1000.0 * now_s) - t_ms[last];
	pod->usage_m = llround(1000.0 * (cpu[last] - cpu[before]) / (1e-3 * (double) pod->window_ms));
}

static PodSample list_pod(const SimModel *model, const Pods *pods, int32_t i, double now_s)
{
	bool is_running = pods->running_s[i] <= now_s, is_ready = pods->ready_s[i] <= now_s;
	PodSample pod = {
		.phase = is_running ? POD_RUNNING : POD_PENDING,
		.ready = is_ready ? READY_TRUE : READY_FALSE,
		.is_deleting = pods->deleted_s[i] <= now_s,
		.has_start_time = true,
		.has_request = true,
		.start_age_ms = age_ms(now_s, pods->created_s[i]),
		.ready_age_ms = age_ms(now_s, is_ready ? pods->ready_s[i] : pods->created_s[i]),
		.request_m = llround(1000.0 * model->config.service.cpu_request),
	};
	fill_usage(model, pods, i, now_s, &pod);
	return pod;
}

static size_t list_pods(SimTarget *sim, const Pods *pods, double now_s)
{
	size_t n = 0;
	for (int32_t k = 0; k < sim->row->n_used; k++)
		if (pods->state[pods->order[k]] == LANE_POD)
			sim->list[n++] = list_pod(&sim->model, pods, pods->order[k], now_s);
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
	Pods pods = core_pods(&sim->model, sim->row);
	sim->row->totals = (StepTotals) { 0 };
	while (sim->row->tick < tick)
		core_tick(&sim->model, sim->row, &pods);
	double now_s = core_now_s(&sim->model, sim->row);
	core_info(&sim->model, sim->row, &pods, &sim->info);
	Sample sample;
	scrape_query(&sim->model, sim->row, &pods, now_s, &sample);
	sample.wall_ms = now_ms;
	sample.pods = sim->list;
	sample.n_pods = list_pods(sim, &pods, now_s);
	for (size_t i = 0; i < n; i++)
		ret_sample[i] = sample;
	return 0;
}

static void fill_scale(const SimTarget *sim, Scale *ret_scale)
{
	*ret_scale = (Scale) { .replicas = sim->row->replicas, .uid = "sim" };
	const Pods pods = core_pods(&sim->model, sim->row);
	double now_s = core_now_s(&sim->model, sim->row);
	for (int32_t k = 0; k < sim->row->n_used; k++) {
		int32_t i = pods.order[k];
		ret_scale->status_replicas += pods.state[i] == LANE_POD && pods.deleted_s[i] > now_s;
	}
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

static const MetricsOps METRICS = { "sim", target_fetch, metrics_keep };
static const ActuatorOps ACTUATOR = { "sim", target_get_scale, target_set_scale, actuator_keep };

int sim_target_new(const SimConfig *config, uint64_t seed, int64_t start_wall_ms, SimTarget **ret, Error *err)
{
	SimTarget *sim = mem_block(1, sizeof *sim);
	if (!sim)
		return error_set(err, ERR_NOMEM, "simulator: out of memory");
	sim->metrics.ops = &METRICS;
	sim->actuator.ops = &ACTUATOR;
	sim->start_ms = start_wall_ms;
	sim->version = 1;
	int code = core_model_init(&sim->model, config, err);
	if (code)
		goto fail;
	sim->row = mem_block(1, sim->model.row_bytes);
	sim->list = mem_block((size_t) sim->model.lanes, sizeof *sim->list);
	if (!sim->row || !sim->list) {
		code = error_set(err, ERR_NOMEM, "simulator: out of memory");
		goto fail;
	}
	core_reset(&sim->model, sim->row, seed, 0, 0);
	const Pods pods = core_pods(&sim->model, sim->row);
	core_info(&sim->model, sim->row, &pods, &sim->info);
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
