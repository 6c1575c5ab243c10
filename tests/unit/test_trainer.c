/* The trainer where a loss is not finite: the last good checkpoint stays, and the training can be gone on with from there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "control/trainer.h"
#include "fakes/loop_fakes.h"
#include "rl/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENVS = 4, N_STEPS = 64, UPDATE = ENVS * N_STEPS, GOOD = 2 * UPDATE };

typedef struct Course {
	Clock clock; /* a million times as fast: a checkpoint is due after each update */
	FakeSink sink;
	Trainer *trainer;
	TrainerConfig config;
	TrainChange crowd; /* traffic a hundredfold, and each slow request costs 1e38 */
	int64_t eval_every;
	const char *best; /* name of the best policy's file; NULL: the usual one */
	int updates;
	RunStatus status;
	char folder[40], trouble[200];
} Course;

static void on_event(void *arg, const TrainEvent *event)
{
	Course *course = arg;
	course->updates += event->kind == TRAIN_EVENT_UPDATE;
	if (event->kind == TRAIN_EVENT_END) {
		course->status = event->status;
		(void) snprintf(course->trouble, sizeof course->trouble, "%s", event->trouble);
	}
}

static void begin(Course *course, bool has_console, bool is_sick, const char *resume, int64_t steps)
{
	Error err = { 0 };
	TrainerConfig *config = &course->config;
	clock_init_scaled(&course->clock, 1e6);
	fake_sink_init(&course->sink);
	course->crowd = (TrainChange) { .steps = GOOD, .param = PARAM_TRAFFIC, .to = "x100", .who = "test" };
	*config = (TrainerConfig) {
		.total_steps = steps, .eval_episodes = 1, .eval_every = course->eval_every, .name = "sick", .clock = &course->clock, .sink = &course->sink.sink,
		.on_event = on_event, .arg = course, .resume_path = resume, .has_console = has_console,
		.change = is_sick ? &course->crowd : NULL, .n_changes = is_sick,
		.info = { .obs_version = OBS_SEED, .interval_s = 30.0f, .max_replicas = 15 },
	};
	ppo_config_default(&config->ppo);
	config->ppo.n_envs = ENVS;
	config->ppo.n_steps = N_STEPS;
	config->ppo.batch_size = UPDATE;
	sim_config_default(&config->sim);
	config->sim.peak_rps = 1;
	config->sim.latency_soft_ms = 5000.0f;
	config->sim.latency_hard_ms = 10000.0f;
	config->sim.start = SIM_START_DEMAND;
	config->sim.max_replicas = 2;
	config->sim.reward = SIM_REWARD_SLO;
	config->sim.slo.violation = 1e38f;
	config->eval_sim = config->sim;
	(void) snprintf(config->model_path, sizeof config->model_path, "%s/model.safetensors", course->folder);
	(void) snprintf(config->best_path, sizeof config->best_path, "%s/%s", course->folder, course->best ? course->best : "best.safetensors");
	(void) snprintf(config->checkpoint_path, sizeof config->checkpoint_path, "%s/last.ckpt", course->folder);
	if (trainer_new(config, &course->trainer, &err) || trainer_start(course->trainer, &err))
		fail_msg("%s", err.text);
}

static void wait_for(const Course *course, TrainPhase phase)
{
	for (bool is_there = false; !is_there; (void) usleep(1000)) {
		const TrainView *view = snap_acquire(trainer_views(course->trainer));
		is_there = view->phase >= phase;
		snap_release(view);
	}
}

static void end(Course *course)
{
	trainer_stop(course->trainer);
	trainer_free(course->trainer);
}

static void make_folder(Course *course)
{
	*course = (Course) { .folder = "/tmp/maestro-trainer-XXXXXX" };
	assert_non_null(mkdtemp(course->folder));
}

static const TrainView *ended_view(const Course *course)
{
	return snap_acquire(trainer_views(course->trainer));
}

static void remove_folder(const Course *course)
{
	char command[64];
	(void) snprintf(command, sizeof command, "rm -r %s", course->folder);
	assert_int_equal(system(command), 0);
}

static int64_t steps_of(const Course *course)
{
	int64_t steps = -1;
	Error err;
	assert_int_equal(trainer_checkpoint_steps(course->config.checkpoint_path, &steps, &err), 0);
	return steps;
}

static void a_loss_that_is_not_finite_leaves_the_last_good_checkpoint(void **state)
{
	(void) state;
	Course course, rest, whole;
	make_folder(&course);
	begin(&course, false, true, NULL, 100 * UPDATE);
	wait_for(&course, TRAIN_DONE);
	end(&course);
	assert_int_equal(course.status, RUN_FAILED);
	assert_non_null(strstr(course.trouble, "mlp_extractor."));
	assert_non_null(strstr(course.trouble, "not finite"));
	assert_int_equal(course.updates, 2);
	assert_int_equal(steps_of(&course), GOOD);
	assert_int_not_equal(access(course.config.model_path, F_OK), 0);

	rest = course; /* the crowd does not come again */
	rest.updates = 0;
	begin(&rest, false, false, course.config.checkpoint_path, 2 * GOOD);
	wait_for(&rest, TRAIN_DONE);
	end(&rest);
	assert_int_equal(rest.status, RUN_DONE);
	assert_int_equal(rest.updates, 2);
	make_folder(&whole);
	begin(&whole, false, false, NULL, 2 * GOOD);
	wait_for(&whole, TRAIN_DONE);
	end(&whole);
	StrBuf a = { 0 }, b = { 0 };
	assert_int_equal(mem_read_file(rest.config.model_path, 1 << 20, &a, NULL), 0);
	assert_int_equal(mem_read_file(whole.config.model_path, 1 << 20, &b, NULL), 0);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	strbuf_done(&a);
	strbuf_done(&b);
	remove_folder(&course);
	remove_folder(&whole);
}

static void who_leaves_while_it_is_paused_keeps_a_net_that_is_finite(void **state)
{
	(void) state;
	Course course;
	ModelInfo info;
	Net *net = NULL;
	Error err;
	make_folder(&course);
	begin(&course, true, true, NULL, 100 * UPDATE);
	wait_for(&course, TRAIN_PAUSED);
	end(&course);
	assert_int_equal(course.status, RUN_STOPPED);
	assert_true(steps_of(&course) >= GOOD);
	assert_int_equal(model_load(course.config.model_path, &net, &info, &err), 0); /* it refuses what is not finite */
	net_free(net);
	remove_folder(&course);
}

static void the_best_policy_is_on_the_disk_and_recorded_when_a_run_ends(void **state)
{
	(void) state;
	Course course;
	make_folder(&course);
	course.eval_every = GOOD;
	begin(&course, false, false, NULL, GOOD);
	wait_for(&course, TRAIN_DONE);
	const TrainView *view = ended_view(&course);
	assert_string_equal(view->saved_path, course.config.best_path);
	snap_release(view);
	end(&course);
	assert_int_equal(course.status, RUN_DONE);
	StrBuf best = { 0 }, model = { 0 };
	assert_int_equal(mem_read_file(course.config.best_path, 1 << 20, &best, NULL), 0);
	assert_int_equal(mem_read_file(course.config.model_path, 1 << 20, &model, NULL), 0);
	assert_int_equal(best.len, model.len); /* of the same step */
	assert_memory_equal(best.data, model.data, model.len);
	strbuf_done(&best);
	strbuf_done(&model);
	int found = 0;
	for (int64_t i = 0; i < course.sink.n && i < FAKE_RECORDS; i++) {
		const Record *record = &course.sink.record[i];
		bool is_best = record->kind == RECORD_CHECKPOINT && !strcmp(record->u.checkpoint.kind, "best");
		found += is_best && record->u.checkpoint.steps == GOOD && !strcmp(record->u.checkpoint.path, course.config.best_path);
	}
	assert_int_equal(found, 1);
	remove_folder(&course);
}

/* Of each environment the last episode, from the first that has ended on; without an evaluation the last policy is the one that is kept. */
static void the_view_has_the_rewards_of_the_environments(void **state)
{
	(void) state;
	Course course;
	make_folder(&course);
	begin(&course, false, false, NULL, 12 * UPDATE);
	wait_for(&course, TRAIN_DONE);
	const TrainView *view = ended_view(&course);
	const TrainPoint *first = &view->point[0], *last = &view->point[view->n_points - 1];
	assert_int_equal(view->n_envs, ENVS);
	assert_true(isnan(first->env_least) && isnan(first->env_middle) && isnan(first->env_most));
	assert_true(last->env_least < last->env_middle && last->env_middle < last->env_most); /* each has traffic of its own */
	assert_string_equal(view->saved_path, course.config.model_path);
	snap_release(view);
	end(&course);
	remove_folder(&course);
}

static void a_best_policy_that_cannot_be_written_ends_the_run_by_name(void **state)
{
	(void) state;
	for (int64_t updates = 2; updates <= 4; updates += 2) { /* at the last step, and before */
		Course course;
		make_folder(&course);
		course.eval_every = GOOD;
		course.best = "nowhere/best.safetensors";
		begin(&course, false, false, NULL, updates * UPDATE);
		wait_for(&course, TRAIN_DONE);
		end(&course);
		assert_int_equal(course.status, RUN_FAILED);
		assert_non_null(strstr(course.trouble, "nowhere/best.safetensors"));
		assert_in_range(course.updates, 2, 3); /* at the latest after the update that it went beside */
		remove_folder(&course);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_loss_that_is_not_finite_leaves_the_last_good_checkpoint),
		cmocka_unit_test(who_leaves_while_it_is_paused_keeps_a_net_that_is_finite),
		cmocka_unit_test(the_best_policy_is_on_the_disk_and_recorded_when_a_run_ends),
		cmocka_unit_test(the_view_has_the_rewards_of_the_environments),
		cmocka_unit_test(a_best_policy_that_cannot_be_written_ends_the_run_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
