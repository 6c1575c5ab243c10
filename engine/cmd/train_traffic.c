/* See train_traffic.h. */
#include "cmd/train_traffic.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static int open_mix(TrainTraffic *traffic, Error *err)
{
	int code = 0;
	for (size_t i = 0; trace_builtin_name(i) && !code; i++) {
		code = trace_open(trace_builtin_name(i), &traffic->trace[traffic->n], err);
		traffic->n += !code;
	}
	return code;
}

static int open_traces(const OptList *list, TrainTraffic *traffic, Error *err)
{
	int code = 0;
	for (size_t i = 0; i < list->n && !code; i++) {
		code = trace_open(list->item[i], &traffic->trace[traffic->n], err);
		traffic->n += !code;
	}
	return code;
}

static void lend(SimConfig *sim, const Trace *trace, size_t n)
{
	sim->trace = trace;
	sim->n_traces = n;
}

/* One made-up shape: a draw to train on, another held out, each whole. */
static int open_shape(const TrainOptions *o, TrainTraffic *traffic, TrainerConfig *config, Error *err)
{
	SimConfig *sim[2] = { &config->sim, &config->eval_sim };
	Trace *to[2] = { &traffic->trace[0], &traffic->held_out };
	for (int i = 0; i < 2; i++) {
		Traffic made;
		int code = traffic_make(o->traffic, (uint64_t) o->seed + ((uint64_t) i << 32), &made, err);
		if (code)
			return code;
		*to[i] = made.trace;
		lend(sim[i], to[i], 1);
		sim[i]->window_from = 0;
		sim[i]->window_to = 1;
		sim[i]->think_s = made.think_s;
		if (o->peak_rps <= 0)
			sim[i]->peak_rps = made.peak;
	}
	traffic->n = 1;
	str_copy(config->traffic, sizeof config->traffic, o->traffic);
	return 0;
}

int train_traffic_open(const TrainOptions *o, TrainTraffic *traffic, TrainerConfig *config, Error *err)
{
	*traffic = (TrainTraffic) { 0 };
	if (o->traffic && o->trace.n)
		return error_set(err, ERR_USAGE, "--trace and --traffic: one of them");
	if (o->traffic && strcmp(o->traffic, "mix") != 0)
		return open_shape(o, traffic, config, err);
	bool is_mix = !o->trace.n && (o->traffic || !strcmp(o->preset, "default"));
	str_copy(config->traffic, sizeof config->traffic, "constant");
	int code = is_mix ? open_mix(traffic, err) : open_traces(&o->trace, traffic, err);
	if (code || !traffic->n)
		return code;
	lend(&config->sim, traffic->trace, traffic->n);
	lend(&config->eval_sim, traffic->trace, traffic->n);
	if (traffic->n == 1)
		str_copy(config->traffic, sizeof config->traffic, traffic->trace[0].name);
	else
		(void) snprintf(config->traffic, sizeof config->traffic, is_mix ? "mix of %zu traces" : "%zu traces", traffic->n);
	return 0;
}

void train_traffic_close(TrainTraffic *traffic)
{
	for (size_t i = 0; i < traffic->n; i++)
		trace_done(&traffic->trace[i]);
	trace_done(&traffic->held_out);
}
