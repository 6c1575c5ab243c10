/* `maestro train --env live` as a process: whatever ends it, the Deployment is as it was before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fakes/fake_cluster.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS = 48, WAIT_MS = 30000, LOOK_MS = 20 };

typedef struct World {
	FakeCluster cluster;
	char dir[64], db[96], log[96], program[512];
	pid_t pid;
} World;

static void begin(World *w)
{
	const char *build = getenv("MAESTRO_TEST_BUILD");
	*w = (World) { .dir = "/tmp/maestro-train-live-XXXXXX" };
	assert_non_null(mkdtemp(w->dir));
	(void) snprintf(w->db, sizeof w->db, "%s/maestro.db", w->dir);
	(void) snprintf(w->log, sizeof w->log, "%s/log", w->dir);
	(void) snprintf(w->program, sizeof w->program, "%s/maestro", build ? build : "build");
	fake_cluster_start(&w->cluster);
}

static void end(World *w)
{
	char command[96];
	fake_cluster_stop(&w->cluster);
	(void) snprintf(command, sizeof command, "rm -r %s", w->dir);
	assert_int_equal(system(command), 0);
}

/* The thesis's observation and reward at a step a second, in rollouts of two. */
static void start(World *w, const char *option, const char *value)
{
	const char *const args[ARGS] = { w->program, "train", "--env", "live", "--deployment", "shop/web", "--kubeconfig", w->cluster.kubeconfig,
		"--prometheus", fake_cluster_url(&w->cluster), "--no-leader-elect", "--preset", "seed", "--latency-soft", "250", "--latency-hard", "500",
		"--max-replicas", "5", "--interval", "1s", "--n-steps", "2", "--batch-size", "2", "--steps", "4", "--db", w->db, "--headless", option, value };
	w->pid = fork();
	assert_true(w->pid >= 0);
	if (w->pid)
		return;
	int fd = open(w->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	(void) dup2(fd, 1);
	(void) dup2(fd, 2);
	(void) execv(w->program, (char *const *) (uintptr_t) args);
	_exit(127);
}

/* The exit status, 128 + n where signal n ended it. */
static int ended(World *w)
{
	int status;
	assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void wait_log(World *w, const char *text)
{
	StrBuf log = { 0 };
	bool is_there = false;
	for (int ms = 0; ms < WAIT_MS && !is_there; ms += LOOK_MS) {
		(void) usleep(LOOK_MS * 1000);
		strbuf_clear(&log);
		is_there = !mem_read_file(w->log, 1 << 20, &log, NULL) && log.data && strstr(log.data, text);
	}
	if (!is_there)
		print_error("no \"%s\" in: %s\n", text, log.data ? log.data : "");
	strbuf_done(&log);
	assert_true(is_there);
}

static void assert_home(World *w)
{
	assert_int_equal(atomic_load(&w->cluster.replicas), 2);
	assert_int_equal(atomic_load(&w->cluster.note), -1);
}

static void a_signal_puts_the_replicas_back(void **state)
{
	(void) state;
	static const int numbers[] = { SIGTERM, SIGINT };
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		World w;
		begin(&w);
		start(&w, NULL, NULL);
		wait_log(&w, "2 / 4 steps");
		assert_int_equal(atomic_load(&w.cluster.note), 2); /* for whoever comes after a kill -9 */
		atomic_store(&w.cluster.replicas, 4);
		(void) kill(w.pid, numbers[i]);
		assert_int_equal(ended(&w), 128 + numbers[i]);
		assert_home(&w);
		end(&w);
	}
}

static void an_error_after_the_note_puts_them_back(void **state)
{
	(void) state;
	World w;
	begin(&w);
	start(&w, "--tensorboard", "/dev/null/none"); /* found out when all else is open */
	assert_int_not_equal(ended(&w), 0);
	wait_log(&w, "is back at 2 replicas");
	assert_home(&w);
	end(&w);
}

/* Not resumed: whoever trains there next finds the note, and goes back to what was there before the first one. */
static void after_a_killed_one_any_other_puts_them_back(void **state)
{
	(void) state;
	World w;
	begin(&w);
	start(&w, NULL, NULL);
	wait_log(&w, "2 / 4 steps");
	(void) kill(w.pid, SIGKILL);
	assert_int_equal(ended(&w), 128 + SIGKILL);
	atomic_store(&w.cluster.replicas, 4);
	start(&w, "--max-hours", "0.0005"); /* two seconds: a good end too */
	assert_int_equal(ended(&w), 0);
	wait_log(&w, "was ended before it put back 2 replicas");
	wait_log(&w, "--max-hours 0.0005 are spent");
	assert_home(&w);
	end(&w);
}

static void faults_without_chaos_mesh_are_off_and_said(void **state)
{
	(void) state;
	World w;
	begin(&w);
	start(&w, "--chaos", "0.5");
	assert_int_equal(ended(&w), 0);
	wait_log(&w, "--chaos is off: Chaos Mesh is not in this cluster");
	wait_log(&w, "4 / 4 steps");
	assert_home(&w);
	end(&w);
}

static void a_killed_one_is_resumed_and_puts_them_back(void **state)
{
	(void) state;
	World w;
	begin(&w);
	start(&w, NULL, NULL);
	wait_log(&w, "2 / 4 steps");
	(void) kill(w.pid, SIGKILL);
	assert_int_equal(ended(&w), 128 + SIGKILL);
	assert_int_equal(atomic_load(&w.cluster.note), 2);
	atomic_store(&w.cluster.replicas, 4);
	atomic_store(&w.cluster.prometheus_status, 500); /* and its Prometheus is away when it comes back */
	start(&w, "--resume", "1");
	wait_log(&w, "was ended before it put back 2 replicas");
	wait_log(&w, "waits: web: MetricsMissing");
	atomic_store(&w.cluster.prometheus_status, 200);
	assert_int_equal(ended(&w), 0);
	wait_log(&w, "4 / 4 steps");
	assert_int_equal(atomic_load(&w.cluster.replicas), 2);
	assert_int_equal(atomic_load(&w.cluster.note), -1);
	end(&w);
}

static void a_spent_budget_is_a_good_end(void **state)
{
	(void) state;
	World w;
	begin(&w);
	start(&w, "--max-pod-hours", "0.001"); /* not two steps of two pods */
	assert_int_equal(ended(&w), 0);
	wait_log(&w, "--max-pod-hours 0.001 are spent");
	assert_int_equal(atomic_load(&w.cluster.replicas), 2);
	end(&w);
}

/* The usual way: what the simulator taught goes on live, with the actions that it was taught, through the windows that it knows. */
static void the_shipped_model_goes_on_live(void **state)
{
	(void) state;
	World w;
	begin(&w);
	start(&w, "--preset=default", "--from=default");
	wait_log(&w, "2 / 4 steps");
	(void) kill(w.pid, SIGTERM);
	assert_int_equal(ended(&w), 128 + SIGTERM);
	start(&w, "--resume", "1"); /* knows them without being told */
	assert_int_equal(ended(&w), 0);
	wait_log(&w, "4 / 4 steps");
	assert_int_equal(atomic_load(&w.cluster.note), -1);
	char command[800];
	(void) snprintf(command, sizeof command, "%s model inspect --model %s/runs/1/model.safetensors | grep -c '^interval_s *1$\\|window_s *35$' | grep -qx 3", w.program, w.dir);
	assert_int_equal(system(command), 0);
	end(&w);
}

static void without_what_it_needs_nothing_is_touched(void **state)
{
	(void) state;
	static const struct { const char *option, *value, *says; int status; } cases[] = {
		{ "--reward", "slo-lagrange", "slo-lagrange needs", 2 },
		{ "--seeds", "3", "one seed at a time", 2 },
		{ "--chaos-by", "magic", "write mesh or builtin", 2 },
		{ "--load-url", "http://127.0.0.1:1/", "name the traffic", 2 },
		{ "--envs", "3", "one for each of the 1 Deployments", 2 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		World w;
		begin(&w);
		start(&w, cases[i].option, cases[i].value);
		assert_int_equal(ended(&w), cases[i].status);
		wait_log(&w, cases[i].says);
		assert_int_equal(atomic_load(&w.cluster.note), -1);
		assert_int_equal(atomic_load(&w.cluster.writes), 0);
		end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_puts_the_replicas_back),
		cmocka_unit_test(an_error_after_the_note_puts_them_back),
		cmocka_unit_test(after_a_killed_one_any_other_puts_them_back),
		cmocka_unit_test(faults_without_chaos_mesh_are_off_and_said),
		cmocka_unit_test(a_killed_one_is_resumed_and_puts_them_back),
		cmocka_unit_test(a_spent_budget_is_a_good_end),
		cmocka_unit_test(the_shipped_model_goes_on_live),
		cmocka_unit_test(without_what_it_needs_nothing_is_touched),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
