/* Training on a live cluster: what a step waits for, what it never makes up, what it leaves behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/live_env.h"
#include "control/trainer.h"

#include "fakes/loop_fakes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MINUS_ONE = 1, AS_IT_IS, PLUS_ONE, DOUBLE = 6 }; /* of the wide set */
enum { TARGETS = 2, SAID = 8, STEP_MS = 30000 };

typedef struct World {
	Clock clock;
	FakeMetrics metrics;
	FakeActuator actuator[TARGETS];
	FakeSide side;
	FakeSink sink;
	Policy *policy[TARGETS];
	Loop *loop[TARGETS];
	Fleet *fleet;
	LiveEnvConfig config;
	Env *env;
	EnvBuf buf;
	size_t n;
	int waits, stop_at;                    /* which wait answers ERR_CLOSED; 0: none */
	void (*on_wait)(struct World *world);  /* what happens in the cluster meanwhile */
	int n_said;
	char said[SAID][200];
} World;

static int wait_until(void *arg, int64_t until_ms)
{
	World *w = arg;
	w->waits++;
	w->clock.now_ms = until_ms;
	if (w->on_wait)
		w->on_wait(w);
	return w->waits == w->stop_at ? ERR_CLOSED : 0;
}

static void say(void *arg, const char *text)
{
	World *w = arg;
	if (w->n_said < SAID)
		(void) snprintf(w->said[w->n_said++], sizeof *w->said, "%s", text);
}

static void open_loop(World *w, size_t i, ObsKind kind)
{
	Error err = { 0 };
	ObsSpec observation = { kind, 1, 0 };
	ActionSet actions = kind == OBS_SEED ? ACTIONS_THREE : ACTIONS_WIDE; /* as train has it */
	assert_int_equal(live_policy_new(observation, actions, .3f, &w->policy[i]), 0);
	fake_actuator_init(&w->actuator[i], 3);
	LoopConfig config = {
		.target = { .namespace_ = "shop", .min_replicas = 1, .max_replicas = 5, .latency_soft_ms = 250, .latency_hard_ms = 500 },
		.metrics = &w->metrics.metrics, .actuator = &w->actuator[i].actuator, .cluster = &w->side.cluster,
		.policy = w->policy[i], .observation = observation, .clock = &w->clock, .sink = &w->sink.sink,
		.interval_ms = STEP_MS, .context = "test",
	};
	(void) snprintf(config.target.name, sizeof config.target.name, "web%zu", i);
	rails_config_default(&config.rails);
	config.rails.stabilise_ms = 0;
	state_config_default(&config.states);
	config.states.fallback_after = 1000000;
	assert_int_equal(loop_new(&config, &w->loop[i], &err), 0);
}

static World *world_new(size_t n, ObsKind kind)
{
	World *w = calloc(1, sizeof *w);
	assert_non_null(w);
	w->n = n;
	clock_init_fake(&w->clock, 1700000000000);
	fake_metrics_init(&w->metrics);
	fake_side_init(&w->side);
	fake_sink_init(&w->sink);
	for (size_t i = 0; i < n; i++)
		open_loop(w, i, kind);
	Error err = { 0 };
	assert_int_equal(fleet_new(w->loop, n, &w->fleet, &err), 0);
	w->config = (LiveEnvConfig) { .loops = w->loop, .n_loops = n, .episode_steps = 200 };
	reward_slo_default(&w->config.slo);
	return w;
}

/* Up to the first observation. */
static void world_open(World *w)
{
	Error err = { 0 };
	EnvSpec spec;
	assert_int_equal(live_env_new(&w->config, &w->env, &err), 0);
	live_env_host(w->env, &(LiveHost) { wait_until, say, w });
	w->env->ops->spec(w->env, &spec);
	assert_int_equal(env_buf_init(&w->buf, w->n, &spec), 0);
	assert_int_equal(w->env->ops->reset(w->env, 1, &w->buf), 0);
	assert_int_equal(w->env->ops->look(w->env, &w->buf), 0);
}

static void world_free(World *w)
{
	env_buf_done(&w->buf);
	env_free(w->env);
	fleet_free(w->fleet);
	for (size_t i = 0; i < w->n; i++) {
		loop_free(w->loop[i]);
		policy_free(w->policy[i]);
	}
	free(w);
}

static int step(World *w, int32_t action)
{
	for (size_t i = 0; i < w->n; i++)
		w->buf.action[i] = action;
	return w->env->ops->step(w->env, 0, w->n, &w->buf);
}

static void a_step_writes_waits_an_interval_and_sees(void **state)
{
	(void) state;
	World *w = world_new(1, OBS_SEED);
	world_open(w);
	assert_int_equal(w->waits, 0);
	int64_t before_ms = w->clock.now_ms;
	assert_int_equal(step(w, ACTION_UP), 0);
	assert_int_equal(w->clock.now_ms - before_ms, STEP_MS);
	assert_int_equal(w->actuator[0].replicas, 4);
	assert_float_equal(w->buf.obs[0], 30, 1e-4); /* .3 cores, percent of one */
	assert_float_equal(w->buf.obs[2], 4, 0);
	assert_float_equal(w->buf.obs[3], 120, 0);
	assert_float_equal(w->buf.reward[0], .06f + .7f, 1e-6); /* the thesis's, within soft */
	assert_false(w->buf.truncated[0] || w->buf.terminated[0] || w->buf.info[0].is_refused);
	assert_int_equal(w->buf.info[0].replicas, 4);
	const Record *row = fake_sink_last(&w->sink, RECORD_DECISION);
	assert_int_equal(row->u.decision.decision.action, ACTION_UP);
	assert_string_equal(row->u.decision.policy, "in training");
	world_free(w);
}

static void guard_rails_are_on_and_in_the_mask(void **state)
{
	(void) state;
	World *w = world_new(1, OBS_SEED);
	world_open(w);
	assert_int_equal(step(w, ACTION_UP), 0);
	assert_int_equal(w->buf.mask[ACTION_DOWN], 0); /* the cooldown of an up: 60 s */
	assert_int_equal(step(w, ACTION_DOWN), 0);     /* drawn without a mask: nothing is written */
	assert_int_equal(w->actuator[0].n_writes, 1);
	assert_int_equal(w->actuator[0].replicas, 4);
	world_free(w);
}

static void deployments_step_side_by_side(void **state)
{
	(void) state;
	World *w = world_new(2, OBS_TREND);
	w->config.is_slo = true;
	world_open(w);
	int64_t before_ms = w->clock.now_ms;
	w->buf.action[0] = PLUS_ONE;
	w->buf.action[1] = AS_IT_IS;
	assert_int_equal(w->env->ops->step(w->env, 0, 2, &w->buf), 0);
	assert_int_equal(w->clock.now_ms - before_ms, STEP_MS); /* for both together */
	assert_int_equal(w->actuator[0].replicas, 4);
	assert_int_equal(w->actuator[1].replicas, 3);
	assert_float_equal(w->buf.reward[0], -(.3 * 4 / 5 + .003), 1e-6);
	assert_float_equal(w->buf.reward[1], -(.3 * 3 / 5), 1e-6);
	assert_int_equal(w->env->ops->step(w->env, 0, 1, &w->buf), ERR_INVALID);
	world_free(w);
}

static void wide_actions_move_as_many_pods_as_the_rails_leave(void **state)
{
	(void) state;
	World *w = world_new(1, OBS_TREND);
	w->config.is_slo = true;
	w->actuator[0].replicas = 2;
	world_open(w);
	assert_int_equal(w->buf.mask[AS_IT_IS], 1);
	assert_int_equal(w->buf.mask[DOUBLE], 1);
	assert_int_equal(step(w, DOUBLE), 0);
	assert_int_equal(w->actuator[0].replicas, 4);
	const Record *row = fake_sink_last(&w->sink, RECORD_DECISION);
	assert_int_equal(row->u.decision.decision.action, ACTION_UP); /* records speak of directions */
	assert_int_equal(row->u.decision.decision.raw, 4);
	assert_int_equal(w->buf.mask[DOUBLE], 0);    /* eight of at most five */
	assert_int_equal(w->buf.mask[MINUS_ONE], 0); /* the cooldown of an up */
	assert_int_equal(step(w, MINUS_ONE), 0);
	assert_int_equal(w->actuator[0].replicas, 4);
	world_free(w);
}

static void a_slow_interval_costs_what_the_yardstick_counts(void **state)
{
	(void) state;
	World *w = world_new(1, OBS_TREND);
	w->config.is_slo = true;
	world_open(w);
	w->metrics.sample.latency_ms = 600;
	assert_int_equal(step(w, AS_IT_IS), 0);
	assert_float_equal(w->buf.reward[0], -(.3 * 3 / 5 + 2), 1e-6); /* over soft and over hard */
	assert_false(w->buf.terminated[0]);
	w->metrics.sample.latency_ms = 300;
	assert_int_equal(step(w, AS_IT_IS), 0);
	assert_float_equal(w->buf.reward[0], -(.3 * 3 / 5 + 1), 1e-6);
	world_free(w);
}

/* ---- what is not known ---- */

static void back_at_the_third_wait(World *w)
{
	if (w->waits == 1)
		w->metrics.code = ERR_UNREACHABLE;
	if (w->waits == 3) {
		w->metrics.code = 0;
		w->metrics.sample.latency_ms = 300;
	}
}

static void an_outage_is_waited_out_and_ends_the_episode(void **state)
{
	(void) state;
	World *w = world_new(1, OBS_SEED);
	w->on_wait = back_at_the_third_wait;
	world_open(w);
	assert_int_equal(step(w, ACTION_UP), 0);
	assert_int_equal(w->waits, 3);
	assert_int_equal(w->actuator[0].n_writes, 1); /* the action's own */
	assert_true(w->buf.truncated[0]);
	assert_false(w->buf.terminated[0]);
	assert_float_equal(w->buf.reward[0], .06f + .7f * .8f, 1e-6); /* of the interval that was seen */
	assert_memory_equal(w->buf.final_obs, w->buf.obs, 5 * sizeof(float));
	assert_float_equal(w->buf.final_obs[3], 300, 0);
	assert_non_null(strstr(w->said[0], "web0"));
	assert_non_null(strstr(w->said[0], "MetricsMissing"));
	assert_string_equal(w->said[w->n_said - 1], ""); /* it goes on */
	world_free(w);
}

static void a_value_is_gone_for_one_wait(World *w)
{
	w->metrics.sample.valid = w->waits == 1 ? SAMPLE_ALL & ~SAMPLE_LATENCY : SAMPLE_ALL;
	w->metrics.sample.latency_ms = w->waits == 1 ? 0 : 120;
}

static void a_missing_value_is_no_number(void **state)
{
	(void) state;
	World *w = world_new(1, OBS_SEED);
	w->on_wait = a_value_is_gone_for_one_wait;
	world_open(w);
	assert_int_equal(step(w, ACTION_KEEP), 0);
	assert_int_equal(w->waits, 2);
	assert_float_equal(w->buf.obs[3], 120, 0);
	assert_true(w->buf.truncated[0]);
	world_free(w);
}

static void api_goes_away(World *w)
{
	w->actuator[0].get_code = w->waits == 1 ? ERR_UNREACHABLE : 0;
}

static void an_api_that_is_away_is_waited_for(void **state)
{
	(void) state;
	World *w = world_new(2, OBS_SEED);
	w->on_wait = api_goes_away;
	world_open(w);
	assert_int_equal(step(w, ACTION_UP), 0);
	assert_true(w->buf.truncated[0] && w->buf.truncated[1]); /* they step together */
	assert_int_equal(w->actuator[1].n_writes, 1);
	world_free(w);
}

static void a_refused_write_is_data(void **state)
{
	(void) state;
	World *w = world_new(1, OBS_SEED);
	world_open(w);
	w->actuator[0].conflicts = 1; /* somebody sets 2 meanwhile */
	w->actuator[0].moves_to = 2;
	assert_int_equal(step(w, ACTION_UP), 0);
	assert_int_equal(w->actuator[0].replicas, 2);
	assert_true(w->buf.info[0].is_refused);
	assert_float_equal(w->buf.obs[2], 2, 0);
	assert_float_equal(w->buf.reward[0], .18f + .7f, 1e-6);
	assert_false(w->buf.truncated[0]);
	w->actuator[0].set_code = ERR_FORBIDDEN;
	assert_int_equal(step(w, ACTION_UP), 0);
	assert_true(w->buf.info[0].is_refused);
	world_free(w);
}

static void an_hpa_comes_and_goes(World *w)
{
	(void) snprintf(w->side.facts.owner, sizeof w->side.facts.owner, "%s", w->waits <= 2 ? "HorizontalPodAutoscaler shop/web" : "");
}

static void another_autoscaler_stops_the_training(void **state)
{
	(void) state;
	World *w = world_new(1, OBS_SEED);
	world_open(w);
	w->on_wait = an_hpa_comes_and_goes;
	assert_int_equal(step(w, ACTION_KEEP), 0);
	assert_int_equal(w->waits, 4); /* its own, two with the HPA, one more without it before it counts as gone */
	assert_int_equal(w->actuator[0].n_writes, 0);
	assert_non_null(strstr(w->said[0], "Conflict"));
	assert_true(w->buf.truncated[0]);
	world_free(w);
}

/* ---- ends ---- */

static void leads_again(World *w)
{
	w->side.leads = true;
}

static void a_lost_lease_refuses_the_write(void **state)
{
	(void) state;
	World *w = world_new(1, OBS_SEED);
	world_open(w);
	w->side.leads = false;
	w->on_wait = leads_again;
	assert_int_equal(step(w, ACTION_UP), 0);
	assert_int_equal(w->actuator[0].n_writes, 0);
	assert_true(w->buf.info[0].is_refused);
	world_free(w);
}

static void a_stop_does_not_wait_for_the_interval(void **state)
{
	(void) state;
	World *w = world_new(1, OBS_SEED);
	world_open(w);
	w->stop_at = 1;
	assert_int_equal(step(w, ACTION_KEEP), ERR_CLOSED);
	w->metrics.code = ERR_UNREACHABLE;
	w->stop_at = 3;
	assert_int_equal(step(w, ACTION_KEEP), ERR_CLOSED); /* in an outage too */
	assert_string_equal(live_env_spent(w->env), "");
	world_free(w);
}

static void budgets_end_it(void **state)
{
	(void) state;
	World *w = world_new(2, OBS_SEED);
	w->config.max_hours = 1;
	world_open(w);
	int n = 0;
	while (!step(w, ACTION_KEEP))
		n++;
	assert_int_equal(n, 3600 * 1000 / STEP_MS - 1);
	assert_string_equal(live_env_spent(w->env), "--max-hours 1 are spent");
	assert_int_equal(w->env->ops->look(w->env, &w->buf), ERR_CLOSED);
	world_free(w);
	w = world_new(2, OBS_SEED);
	w->config.max_pod_hours = 1;
	world_open(w);
	for (n = 0; !step(w, ACTION_KEEP); n++)
		;
	assert_int_equal(n, 3600 * 1000 / STEP_MS / 6 - 1); /* two Deployments of three pods */
	assert_non_null(strstr(live_env_spent(w->env), "--max-pod-hours"));
	world_free(w);
}

static void episodes_end_by_their_length_and_go_on_after_a_restart(void **state)
{
	(void) state;
	World *w = world_new(1, OBS_SEED);
	w->config.episode_steps = 5;
	w->config.max_hours = 1;
	world_open(w);
	for (int i = 0; i < 3; i++)
		assert_int_equal(step(w, ACTION_KEEP), 0);
	size_t size = w->env->ops->state_size(w->env);
	void *saved = malloc(size);
	assert_non_null(saved);
	w->env->ops->snapshot(w->env, saved);
	Error err = { 0 };
	Env *again = NULL;
	assert_int_equal(live_env_new(&w->config, &again, &err), 0);
	live_env_host(again, &(LiveHost) { wait_until, say, w });
	assert_int_equal(again->ops->restore(again, saved, size - 1), ERR_INVALID);
	assert_int_equal(again->ops->restore(again, saved, size), 0);
	env_free(w->env);
	w->env = again;
	w->clock.now_ms += 3600 * 1000; /* away: neither budget nor episode count it */
	assert_int_equal(again->ops->look(again, &w->buf), 0);
	assert_int_equal(step(w, ACTION_KEEP), 0);
	assert_false(w->buf.truncated[0]);
	assert_int_equal(step(w, ACTION_KEEP), 0);
	assert_true(w->buf.truncated[0]);
	int n = 5;
	while (!step(w, ACTION_KEEP))
		n++;
	assert_int_equal(n, 3600 * 1000 / STEP_MS - 1);
	free(saved);
	world_free(w);
}

static void evaluation_leaves_the_episode_as_it_was(void **state)
{
	(void) state;
	World *w = world_new(1, OBS_SEED);
	w->config.episode_steps = 3;
	world_open(w);
	assert_int_equal(step(w, ACTION_KEEP), 0);
	live_env_aside(w->env, true);
	for (int i = 0; i < 3; i++)
		assert_int_equal(step(w, ACTION_KEEP), 0);
	assert_true(w->buf.truncated[0]);
	live_env_aside(w->env, false);
	assert_int_equal(step(w, ACTION_KEEP), 0);
	assert_false(w->buf.truncated[0]);
	assert_int_equal(step(w, ACTION_KEEP), 0);
	assert_true(w->buf.truncated[0]);
	world_free(w);
}

/* ---- the trainer on it ---- */

typedef struct Course {
	World *world;
	Trainer *trainer;
	int updates, evals, ends;
	int64_t steps;
	RunStatus status;
	bool has_best;
} Course;

static void on_event(void *arg, const TrainEvent *event)
{
	Course *course = arg;
	course->updates += event->kind == TRAIN_EVENT_UPDATE;
	course->evals += event->kind == TRAIN_EVENT_EVAL;
	course->ends += event->kind == TRAIN_EVENT_END;
	if (event->kind != TRAIN_EVENT_END)
		return;
	course->steps = event->steps;
	course->status = event->status;
	course->has_best = event->best_model != NULL;
}

/* A training of `steps` in rollouts of 4, on the world's clock, which waits for nothing. */
static void train(Course *course, TrainerConfig *config, const char *folder, const char *resume, int64_t steps)
{
	World *w = course->world;
	Error err = { 0 };
	*config = (TrainerConfig) {
		.live = w->env, .total_steps = steps, .eval_every = 8, .eval_episodes = 1, .name = "live", .clock = &w->clock,
		.sink = &w->sink.sink, .on_event = on_event, .arg = course, .resume_path = resume,
		.info = { .obs_version = OBS_SEED, .interval_s = STEP_MS / 1000.0f, .max_replicas = 5 },
	};
	ppo_config_default(&config->ppo);
	config->ppo.n_steps = config->ppo.batch_size = 4;
	config->ppo.use_masks = true;
	config->sim.interval_s = STEP_MS / 1000.0f;
	(void) snprintf(config->model_path, sizeof config->model_path, "%s/model.safetensors", folder);
	(void) snprintf(config->best_path, sizeof config->best_path, "%s/best.safetensors", folder);
	(void) snprintf(config->checkpoint_path, sizeof config->checkpoint_path, "%s/last.ckpt", folder);
	if (trainer_new(config, &course->trainer, &err) || trainer_start(course->trainer, &err))
		fail_msg("%s", err.text);
}

static void end_course(Course *course)
{
	for (bool is_over = false; !is_over;) {
		const TrainView *view = snap_acquire(trainer_views(course->trainer));
		is_over = view->phase >= TRAIN_DONE;
		snap_release(view);
		(void) usleep(1000);
	}
	trainer_stop(course->trainer);
	trainer_free(course->trainer);
}

static void training_checkpoints_each_rollout_and_goes_on_in_the_middle_of_an_episode(void **state)
{
	(void) state;
	char folder[] = "/tmp/maestro-live-XXXXXX", checkpoint[80];
	assert_non_null(mkdtemp(folder));
	(void) snprintf(checkpoint, sizeof checkpoint, "%s/last.ckpt", folder);
	World *w = world_new(1, OBS_SEED);
	w->config.episode_steps = 10;
	world_open(w);
	Course course = { .world = w };
	TrainerConfig config;
	train(&course, &config, folder, NULL, 8);
	end_course(&course);
	assert_int_equal(course.updates, 2);
	assert_int_equal(course.evals, 1);
	assert_int_equal(course.status, RUN_DONE);
	assert_true(course.has_best);
	int checkpoints = 0;
	for (int64_t i = 0; i < w->sink.n; i++)
		checkpoints += w->sink.record[i % FAKE_RECORDS].kind == RECORD_CHECKPOINT && !strcmp(w->sink.record[i % FAKE_RECORDS].u.checkpoint.kind, "last");
	assert_int_equal(checkpoints, 4); /* at the start, after each rollout, at the end */
	int64_t steps = 0;
	Error err;
	assert_int_equal(trainer_checkpoint_steps(checkpoint, &steps, &err), 0);
	assert_int_equal(steps, 8);

	Env *again; /* another process */
	assert_int_equal(live_env_new(&w->config, &again, &err), 0);
	env_free(w->env);
	w->env = again;
	Course rest = { .world = w };
	train(&rest, &config, folder, checkpoint, 12);
	end_course(&rest);
	assert_int_equal(rest.updates, 1);
	assert_int_equal(rest.steps, 12);
	const Record *update = fake_sink_last(&w->sink, RECORD_UPDATE);
	assert_float_equal(update->u.update.value[TRAIN_EP_LEN_MEAN], 10, 1e-9); /* eight steps of it were before */
	world_free(w);
	(void) snprintf(checkpoint, sizeof checkpoint, "rm -r %s", folder);
	assert_int_equal(system(checkpoint), 0);
}

static void training_that_has_spent_its_budget_ends_well(void **state)
{
	(void) state;
	char folder[] = "/tmp/maestro-live-XXXXXX", command[80];
	assert_non_null(mkdtemp(folder));
	World *w = world_new(1, OBS_SEED);
	w->config.max_hours = 6. * STEP_MS / 3.6e6; /* six steps: a rollout and a half */
	world_open(w);
	Course course = { .world = w };
	TrainerConfig config;
	train(&course, &config, folder, NULL, 800);
	end_course(&course);
	assert_int_equal(course.updates, 1);
	assert_int_equal(course.status, RUN_DONE);
	assert_int_equal(course.steps, 4);
	assert_int_equal(access(config.model_path, R_OK), 0);
	world_free(w);
	(void) snprintf(command, sizeof command, "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

static void training_that_is_stopped_keeps_the_last_rollout(void **state)
{
	(void) state;
	char folder[] = "/tmp/maestro-live-XXXXXX", command[80], checkpoint[80];
	assert_non_null(mkdtemp(folder));
	(void) snprintf(checkpoint, sizeof checkpoint, "%s/last.ckpt", folder);
	World *w = world_new(1, OBS_SEED);
	world_open(w);
	w->metrics.code = ERR_UNREACHABLE; /* it waits for ever, until somebody stops it */
	Course course = { .world = w };
	TrainerConfig config;
	train(&course, &config, folder, NULL, 800);
	trainer_stop(course.trainer);
	assert_int_equal(course.status, RUN_STOPPED);
	int64_t steps = -1;
	Error err;
	assert_int_equal(trainer_checkpoint_steps(checkpoint, &steps, &err), 0);
	assert_int_equal(steps, 0);
	trainer_free(course.trainer);
	world_free(w);
	(void) snprintf(command, sizeof command, "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_writes_waits_an_interval_and_sees),
		cmocka_unit_test(guard_rails_are_on_and_in_the_mask),
		cmocka_unit_test(deployments_step_side_by_side),
		cmocka_unit_test(wide_actions_move_as_many_pods_as_the_rails_leave),
		cmocka_unit_test(a_slow_interval_costs_what_the_yardstick_counts),
		cmocka_unit_test(an_outage_is_waited_out_and_ends_the_episode),
		cmocka_unit_test(a_missing_value_is_no_number),
		cmocka_unit_test(an_api_that_is_away_is_waited_for),
		cmocka_unit_test(a_refused_write_is_data),
		cmocka_unit_test(another_autoscaler_stops_the_training),
		cmocka_unit_test(a_lost_lease_refuses_the_write),
		cmocka_unit_test(a_stop_does_not_wait_for_the_interval),
		cmocka_unit_test(budgets_end_it),
		cmocka_unit_test(episodes_end_by_their_length_and_go_on_after_a_restart),
		cmocka_unit_test(evaluation_leaves_the_episode_as_it_was),
		cmocka_unit_test(training_checkpoints_each_rollout_and_goes_on_in_the_middle_of_an_episode),
		cmocka_unit_test(training_that_has_spent_its_budget_ends_well),
		cmocka_unit_test(training_that_is_stopped_keeps_the_last_rollout),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
