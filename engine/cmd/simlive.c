/* See simlive.h. */
#include "cmd/simlive.h"

#include "base/mem.h"
#include "control/evaluate.h"
#include "decide/hpa.h"

#include <stdio.h>

static const double INTERVAL_SHOWN_S = 2; /* real seconds that one interval takes at speed 1 */

static int build(SimLive *live, const SimLiveConfig *config, LoopConfig *loop, Error *err)
{
	int code = sim_target_new(config->sim, config->seed, clock_wall_ms(&live->clock), &live->sim, err);
	if (code)
		return code;
	HpaConfig rule;
	hpa_config_default(&rule);
	if (hpa_policy_new(&rule, &live->hpa))
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	RunStart start = { .kind = RUN_CONTROL, .seed = config->seed, .config_json = config->config_json };
	(void) snprintf(start.name, sizeof start.name, "live-sim");
	code = live->sink->ops->run_begin(live->sink, &start, &live->run_id, err);
	if (code)
		return code;
	loop->metrics = sim_target_metrics(live->sim);
	loop->actuator = sim_target_actuator(live->sim);
	loop->hpa = live->hpa;
	loop->run_id = live->run_id;
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
