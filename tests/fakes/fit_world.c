/* See fit_world.h. */
#include "fit_world.h"

#include "sim/core.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRACE_ROWS = 400 };

static void need(int code, const Error *err)
{
	if (code) {
		(void) fprintf(stderr, "fit_world: %s\n", err->text);
		abort();
	}
}

/* A raised cosine from low to high, as parts of the peak. */
static void make_trace(const FitWorld *world, Trace *trace)
{
	*trace = (Trace) { .name = "wave", .n = TRACE_ROWS, .step_s = world->period_s / TRACE_ROWS };
	trace->rate = malloc(TRACE_ROWS * sizeof *trace->rate);
	for (int i = 0; i < TRACE_ROWS; i++) {
		double part = .5 - .5 * cos(6.283185307179586 * i / TRACE_ROWS);
		trace->rate[i] = (world->low + (world->high - world->low) * part) / world->high;
	}
}

static void take_row(const SimModel *model, const SimRow *row, double t_s, double ready, FitData *data)
{
	const StepTotals *t = &row->totals;
	const Response *r = model->response;
	FitRow *to = fit_data_add(data, t_s);
	to->rps = (t->served + t->dropped) / t->time_s;
	to->error_rps = t->dropped / t->time_s;
	to->cpu_cores = t->cpu_s / t->time_s;
	to->ready = ready;
	to->restarts = 0.0;
	for (size_t b = 0; b < data->n_bounds; b++) {
		int p = (int) b - r->first;
		double part = p < 0 ? 0.0 : p < r->bounds ? (double) t->within[p] : t->served;
		to->within[b] = (part + t->dropped) / t->time_s;
	}
	to->within[data->n_bounds] = (t->served + t->dropped) / t->time_s;
}

void fit_world_make(const FitWorld *world, FitData *data)
{
	SimConfig config;
	SimModel model;
	Trace trace;
	Error err = { 0 };
	make_trace(world, &trace);
	sim_config_default(&config);
	config.service = world->service;
	config.level = SIM_REQUEST;
	config.balance = world->balance;
	config.trace = &trace;
	config.peak_rps = world->high * world->pods * service_cores(&world->service) / service_demand_s(&world->service);
	config.interval_s = (float) world->step_s;
	config.substep_s = 5.0f;
	config.max_replicas = world->pods + 1;
	config.min_replicas = world->pods;
	config.start = SIM_START_ONE;
	need(core_model_init(&model, &config, &err), &err);
	SimRow *row = aligned_alloc(64, (model.row_bytes + 63) / 64 * 64);
	core_reset(&model, row, world->seed, 0, 0);
	SimView view = core_view(&model, row);
	fit_data_init(data);
	data->step_s = world->step_s;
	data->n_bounds = BUCKETS - 1;
	memcpy(data->bound_ms, BUCKET_MS, data->n_bounds * sizeof *data->bound_ms);
	for (size_t i = 0; i < world->rows; i++) {
		EnvInfo info;
		row->replicas = world->pods + (i >= world->rows / 2);
		row->totals = (StepTotals) { 0 };
		core_run(&model, row, &view, model.drawn.substeps);
		core_info(&model, row, core_ready(&model, row, &view), &info);
		take_row(&model, row, (double) (i + 1) * world->step_s, info.ready, data);
	}
	free(row);
	free(trace.rate);
	core_model_done(&model);
}
