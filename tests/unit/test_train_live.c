/* `maestro train --env live` as a process: whatever ends it, the Deployment is as it was before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fakes/live_process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The thesis's observation and reward at a step a second, in rollouts of two. */
static void start(LiveProcess *w, const char *option, const char *value)
{
	const char *const args[] = { "train", "--env", "live", "--deployment", "shop/web", "--no-lease", "--preset", "seed", "--latency-soft", "250",
		"--latency-hard", "500", "--max-replicas", "5", "--interval", "1s", "--n-steps", "2", "--batch-size", "2", "--steps", "4", "--headless", option,
		value, NULL };
	live_process_start(w, args);
}

static void wait_log(LiveProcess *w, const char *text)
{
	assert_true(live_process_says(w, text));
}

static void assert_home(LiveProcess *w)
{
	assert_int_equal(atomic_load(&w->cluster.replicas), 2);
	assert_int_equal(atomic_load(&w->cluster.note), -1);
}

static void a_signal_puts_the_replicas_back(void **state)
{
	(void) state;
	static const int numbers[] = { SIGTERM, SIGINT };
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		LiveProcess w;
		live_process_init(&w);
		start(&w, NULL, NULL);
		wait_log(&w, "2 / 4 steps");
		assert_int_equal(atomic_load(&w.cluster.note), 2); /* for whoever comes after a kill -9 */
		atomic_store(&w.cluster.replicas, 4);
		(void) kill(w.pid, numbers[i]);
		assert_int_equal(live_process_ended(&w), 128 + numbers[i]);
		assert_home(&w);
		live_process_done(&w);
	}
}

static void an_error_after_the_note_puts_them_back(void **state)
{
	(void) state;
	LiveProcess w;
	live_process_init(&w);
	start(&w, "--tensorboard", "/dev/null/none"); /* found out when all else is open */
	assert_int_not_equal(live_process_ended(&w), 0);
	wait_log(&w, "is back at 2 replicas");
	assert_home(&w);
	live_process_done(&w);
}

/* One that trains is killed, and leaves 4 replicas where 2 were. */
static void be_killed(LiveProcess *w)
{
	start(w, NULL, NULL);
	wait_log(w, "2 / 4 steps");
	(void) kill(w->pid, SIGKILL);
	assert_int_equal(live_process_ended(w), 128 + SIGKILL);
	assert_int_equal(atomic_load(&w->cluster.note), 2);
	atomic_store(&w->cluster.replicas, 4);
}

/* Not resumed: whoever trains there next finds the note, and goes back to what was there before the first one. */
static void after_a_killed_one_any_other_puts_them_back(void **state)
{
	(void) state;
	LiveProcess w;
	live_process_init(&w);
	be_killed(&w);
	start(&w, "--max-hours", "0.0005"); /* two seconds: a good end too */
	assert_int_equal(live_process_ended(&w), 0);
	wait_log(&w, "was ended before it put back 2 replicas");
	wait_log(&w, "--max-hours 0.0005 are spent");
	assert_home(&w);
	live_process_done(&w);
}

static void faults_without_chaos_mesh_are_off_and_said(void **state)
{
	(void) state;
	LiveProcess w;
	live_process_init(&w);
	start(&w, "--chaos", "0.5");
	assert_int_equal(live_process_ended(&w), 0);
	wait_log(&w, "--chaos is off: Chaos Mesh is not in this cluster");
	wait_log(&w, "4 / 4 steps");
	assert_home(&w);
	live_process_done(&w);
}

static void a_killed_one_is_resumed_and_puts_them_back(void **state)
{
	(void) state;
	LiveProcess w;
	live_process_init(&w);
	be_killed(&w);
	atomic_store(&w.cluster.prometheus_status, 500); /* and its Prometheus is away when it comes back */
	start(&w, "--resume", "1");
	wait_log(&w, "was ended before it put back 2 replicas");
	wait_log(&w, "waits: web: MetricsMissing");
	atomic_store(&w.cluster.prometheus_status, 200);
	assert_int_equal(live_process_ended(&w), 0);
	wait_log(&w, "4 / 4 steps");
	assert_int_equal(atomic_load(&w.cluster.replicas), 2);
	assert_int_equal(atomic_load(&w.cluster.note), -1);
	live_process_done(&w);
}

static void a_spent_budget_is_a_good_end(void **state)
{
	(void) state;
	LiveProcess w;
	live_process_init(&w);
	start(&w, "--max-pod-hours", "0.001"); /* not two steps of two pods */
	assert_int_equal(live_process_ended(&w), 0);
	wait_log(&w, "--max-pod-hours 0.001 are spent");
	assert_int_equal(atomic_load(&w.cluster.replicas), 2);
	live_process_done(&w);
}

/* The usual way: what the simulator taught goes on live, with the actions that it was taught, through the windows that it knows. */
static void the_shipped_model_goes_on_live(void **state)
{
	(void) state;
	LiveProcess w;
	live_process_init(&w);
	start(&w, "--preset=default", "--from=default");
	wait_log(&w, "2 / 4 steps");
	(void) kill(w.pid, SIGTERM);
	assert_int_equal(live_process_ended(&w), 128 + SIGTERM);
	start(&w, "--resume", "1"); /* knows them without being told */
	assert_int_equal(live_process_ended(&w), 0);
	wait_log(&w, "4 / 4 steps");
	assert_int_equal(atomic_load(&w.cluster.note), -1);
	char command[800];
	(void) snprintf(command, sizeof command, "%s model inspect --model %s/runs/1/model.safetensors | grep -c '^interval_s *1$\\|window_s *35$' | grep -qx 3", w.program, w.dir);
	assert_int_equal(system(command), 0);
	live_process_done(&w);
}

static void count_first(void *arg, const FakeRequest *request)
{
	if (strstr(request->path, "/leases/maestro-for-cart"))
		(void) atomic_fetch_add((_Atomic int *) arg, 1);
}

/* The other Deployment is somebody else's: until both can be had it has neither. */
static void of_two_it_takes_both_or_none(void **state)
{
	(void) state;
	static const char *_Atomic cart[1][2] = { { "/apis/apps/v1/namespaces/shop/deployments/cart",
		"{\"metadata\":{\"name\":\"cart\",\"namespace\":\"shop\",\"uid\":\"v\",\"resourceVersion\":\"7\"},\"spec\":{\"replicas\":2,\"selector\":"
		"{\"matchLabels\":{\"app\":\"cart\"}},\"template\":{\"spec\":{\"containers\":[{\"resources\":{}}]}}}}" } };
	static _Atomic int asked;
	LiveProcess w;
	live_process_init(&w);
	w.cluster.has_leases = true;
	w.cluster.extra = cart;
	w.cluster.n_extra = 1;
	w.cluster.arg = &asked;
	w.cluster.on_request = count_first;
	fake_server_lock(w.cluster.server);
	fake_leases_hold(&w.cluster.leases, "shop", "maestro-for-web", "laptop_1");
	fake_server_unlock(w.cluster.server);
	start(&w, "--deployment=shop/cart", "--lease");
	wait_log(&w, "laptop_1 has the Lease shop/maestro-for-web: this process stands by");
	for (int n = atomic_load(&asked) + 2; atomic_load(&asked) < n;)
		(void) usleep(20000);
	fake_server_lock(w.cluster.server);
	for (int i = 0; i < FAKE_LEASES; i++)
		assert_true(!strstr(w.cluster.leases.lease[i].name, "cart") || strstr(w.cluster.leases.lease[i].spec, "\"holderIdentity\":\"\""));
	fake_server_unlock(w.cluster.server);
	assert_int_equal(atomic_load(&w.cluster.note), -1);
	(void) kill(w.pid, SIGTERM);
	assert_int_equal(live_process_ended(&w), 128 + SIGTERM);
	live_process_done(&w);
}

/* What it is told to do instead are options that it has. */
static void without_the_right_to_a_lease_it_says_so_in_its_own_words(void **state)
{
	(void) state;
	LiveProcess w;
	live_process_init(&w);
	w.cluster.has_leases = true;
	w.cluster.forbidden = "/leases";
	start(&w, "--lease", NULL);
	wait_log(&w, "(manifests/rbac.yaml), or act without by --no-lease");
	(void) kill(w.pid, SIGTERM);
	assert_int_equal(live_process_ended(&w), 128 + SIGTERM);
	live_process_done(&w);
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
		LiveProcess w;
		live_process_init(&w);
		start(&w, cases[i].option, cases[i].value);
		assert_int_equal(live_process_ended(&w), cases[i].status);
		wait_log(&w, cases[i].says);
		assert_int_equal(atomic_load(&w.cluster.note), -1);
		assert_int_equal(atomic_load(&w.cluster.writes), 0);
		live_process_done(&w);
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
		cmocka_unit_test(of_two_it_takes_both_or_none),
		cmocka_unit_test(without_the_right_to_a_lease_it_says_so_in_its_own_words),
		cmocka_unit_test(without_what_it_needs_nothing_is_touched),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
