/* See simlive.h. */
#include "cmd/simlive.h"

#include "base/json.h"
#include "base/mem.h"
#include "control/evaluate.h"
#include "decide/hpa.h"

#include <stdlib.h>

static const double INTERVAL_SHOWN_S = 2; /* real seconds that one interval takes at speed 1 */

/* Settings that are options elsewhere have the options' names. */
static char *config_json(const SimLiveConfig *config, const LoopConfig *loop)
{
	Json *object = json_new_object();
	json_add_string(object, "policy", config->policy->label);
	json_add_string(object, "context", loop->context);
	json_add_int(object, "seed", (int64_t) config->seed);
	json_add_string(object, "traffic", config->traffic ? config->traffic : "constant");
	json_add_string(object, "service", config->service);
	if (config->faults && config->faults->n) {
		Json *faults = json_add_array(object, "fault");
		for (size_t i = 0; i < config->faults->n; i++)
			json_add_string(faults, NULL, config->faults->item[i]);
	}
	json_add_int(object, "min-replicas", loop->target.min_replicas);
	json_add_int(object, "max-replicas", loop->target.max_replicas);
	json_add_number(object, "latency-soft", (double) loop->target.latency_soft_ms);
	json_add_number(object, "latency-hard", (double) loop->target.latency_hard_ms);
	json_add_int(object, "interval-ms", loop->interval_ms);
	json_add_number(object, "speed", config->speed);
	json_add_string(object, "rails", loop->rails.off ? "seed" : "all");
	json_add_number(object, "scale-down-window", (double) loop->rails.stabilise_ms / 1000);
	char *text = json_print(object);
	json_free(object);
	return text;
}

static int begin_run(SimLive *live, const SimLiveConfig *config, LoopConfig *loop, Error *err)
{
	char *json = config_json(config, loop);
	RunStart start = { .kind = RUN_CONTROL, .name = "live-sim", .seed = config->seed, .config_json = json };
	int code = json ? live->sink->ops->run_begin(live->sink, &start, &live->run_id, err) : error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	free(json);
	loop->run_id = live->run_id;
	return code;
}

static int build(SimLive *live, const SimLiveConfig *config, LoopConfig *loop, Error *err)
{
	int code = sim_target_new(config->sim, config->seed, clock_wall_ms(&live->clock), &live->sim, err);
	if (code)
		return code;
	HpaConfig rule;
	hpa_config_default(&rule);
	if (hpa_policy_new(&rule, &live->hpa))
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	code = begin_run(live, config, loop, err);
	if (code)
		return code;
	loop->metrics = sim_target_metrics(live->sim);
	loop->actuator = sim_target_actuator(live->sim);
	loop->hpa = live->hpa;
	return loop_new(loop, &live->loop, err);
}

int simlive_open(SimLive *live, Session *session, const SimLiveConfig *config, Error *err)
{
	*live = (SimLive) { .session = session, .sink = config->is_unrecorded ? sink_null() : session->sink };
	double speed = config->speed * (double) config->sim->interval_s / INTERVAL_SHOWN_S;
	clock_init_scaled(&live->clock, speed);
	LoopConfig loop = {
		.policy = config->policy,
		.policy_steps = config->policy_steps,
		.observation = sim_obs_spec(config->sim),
		.clock = &live->clock,
		.sink = live->sink,
		.wake = &session->wake,
		.interval_ms = (int64_t) (config->sim->interval_s * 1000),
		.context = "simulator",
		.is_simulated = true,
		.speed = speed,
	};
	if (config->policy->obs_version > 0) { /* what a model asks to see, whatever the simulation trains on */
		loop.observation.kind = (ObsKind) config->policy->obs_version;
		loop.observation.stack = config->policy->obs_stack > 1 ? config->policy->obs_stack : 1;
	}
	rails_config_default(&loop.rails);
	loop.rails.stabilise_ms = 0;
	evaluate_target(config->sim, &loop.target);
	int code = build(live, config, &loop, err);
	if (code)
		simlive_close(live);
	return code;
}

int simlive_start(SimLive *live, Error *err)
{
	int code = loop_start(live->loop, err);
	if (code)
		simlive_close(live);
	return code;
}

void simlive_close(SimLive *live)
{
	if (!live->session)
		return;
	loop_stop(live->loop);
	if (live->run_id) {
		Record record = {
			.kind = RECORD_RUN_END,
			.run_id = live->run_id,
			.wall_ms = clock_wall_ms(&live->session->clock),
			.u.run_end = RUN_DONE,
		};
		live->sink->ops->write(live->sink, &record);
	}
	loop_free(live->loop);
	policy_free(live->hpa);
	sim_target_free(live->sim);
	*live = (SimLive) { 0 };
}
