/* The trainer on a live environment: checkpoints, budgets, and a training that goes on in the middle of an episode. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/trainer.h"
#include "fakes/live_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Course {
	LiveWorld *world;
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
	LiveWorld *w = course->world;
	Error err = { 0 };
	*config = (TrainerConfig) {
		.live = w->env, .total_steps = steps, .eval_every = 8, .eval_episodes = 1, .name = "live", .clock = &w->clock,
		.sink = &w->sink.sink, .on_event = on_event, .arg = course, .resume_path = resume,
		.info = { .obs_version = OBS_SEED, .interval_s = LIVE_STEP_MS / 1000.0f, .max_replicas = 5 },
	};
	ppo_config_default(&config->ppo);
	config->ppo.n_steps = config->ppo.batch_size = 4;
	config->ppo.use_masks = true;
	config->sim.interval_s = LIVE_STEP_MS / 1000.0f;
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
	LiveWorld *w = live_world_new(1, OBS_SEED);
	w->config.episode_steps = 10;
	live_world_open(w);
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
	live_world_free(w);
	(void) snprintf(checkpoint, sizeof checkpoint, "rm -r %s", folder);
	assert_int_equal(system(checkpoint), 0);
}

static void training_that_has_spent_its_budget_ends_well(void **state)
{
	(void) state;
	char folder[] = "/tmp/maestro-live-XXXXXX", command[80];
	assert_non_null(mkdtemp(folder));
	LiveWorld *w = live_world_new(1, OBS_SEED);
	w->config.max_hours = 6. * LIVE_STEP_MS / 3.6e6; /* six steps: a rollout and a half */
	live_world_open(w);
	Course course = { .world = w };
	TrainerConfig config;
	train(&course, &config, folder, NULL, 800);
	end_course(&course);
	assert_int_equal(course.updates, 1);
	assert_int_equal(course.status, RUN_DONE);
	assert_int_equal(course.steps, 4);
	assert_int_equal(access(config.model_path, R_OK), 0);
	live_world_free(w);
	(void) snprintf(command, sizeof command, "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

static void training_that_is_stopped_keeps_the_last_rollout(void **state)
{
	(void) state;
	char folder[] = "/tmp/maestro-live-XXXXXX", command[80], checkpoint[80];
	assert_non_null(mkdtemp(folder));
	(void) snprintf(checkpoint, sizeof checkpoint, "%s/last.ckpt", folder);
	LiveWorld *w = live_world_new(1, OBS_SEED);
	live_world_open(w);
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
	live_world_free(w);
	(void) snprintf(command, sizeof command, "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(training_checkpoints_each_rollout_and_goes_on_in_the_middle_of_an_episode),
		cmocka_unit_test(training_that_has_spent_its_budget_ends_well),
		cmocka_unit_test(training_that_is_stopped_keeps_the_last_rollout),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
