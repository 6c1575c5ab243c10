/* `maestro evaluate --env live` as a process: whatever ends it, no HorizontalPodAutoscaler of it goes on scaling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fakes/live_process.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 30000, LOOK_MS = 20 };

typedef struct World {
	LiveProcess process;
	_Atomic int made, removed; /* HorizontalPodAutoscalers */
	_Atomic int removed_first; /* before any was made */
	char trace[96];
} World;

static void look(void *arg, const FakeRequest *request)
{
	World *w = arg;
	if (!strstr(request->path, "/horizontalpodautoscalers"))
		return;
	if (!strcmp(request->method, "POST"))
		w->made++;
	if (strcmp(request->method, "DELETE"))
		return;
	w->removed++;
	w->removed_first += !w->made && strstr(request->path, "/maestro-evaluate-web") != NULL;
}

static void begin(World *w)
{
	static const char flat[] = "# peak_rps: 5\nt_s,rps\n0,5\n10,5\n20,5\n30,5\n";
	static const char *_Atomic has_metrics[][2] = { { "/apis/metrics.k8s.io/v1beta1", "{}" } };
	*w = (World) { 0 };
	live_process_init(&w->process);
	(void) snprintf(w->trace, sizeof w->trace, "%s/flat.csv", w->process.dir);
	assert_int_equal(mem_write_file(w->trace, flat, sizeof flat - 1, NULL), 0);
	FakeCluster *cluster = &w->process.cluster;
	cluster->extra = has_metrics;
	cluster->n_extra = 1;
	cluster->arg = w;
	cluster->on_request = look;
}

static void start(World *w)
{
	const char *const args[] = { "evaluate", "--env", "live", "--deployment", "shop/web", "--load-url", fake_cluster_url(&w->process.cluster), "--trace",
		w->trace, "--policy", "hpa", "--max-replicas", "5", "--latency-soft", "250", "--latency-hard", "500", "--interval", "1s", "--metric-window", "5s",
		"--seeds", "1", NULL };
	live_process_start(&w->process, args);
}

static void a_signal_removes_the_hpa_and_puts_the_replicas_back(void **state)
{
	(void) state;
	World w;
	begin(&w);
	start(&w);
	for (int ms = 0; ms < WAIT_MS && !atomic_load(&w.made); ms += LOOK_MS)
		(void) usleep(LOOK_MS * 1000);
	assert_int_equal(atomic_load(&w.made), 1);
	assert_int_equal(atomic_load(&w.removed_first), 2); /* at the start, what a killed one left: a conflict for every policy; and before its own */
	FakeCluster *cluster = &w.process.cluster;
	assert_int_equal(atomic_load(&cluster->note), 2);
	atomic_store(&cluster->replicas, 4); /* the HPA's doing */
	int removed = atomic_load(&w.removed);
	(void) kill(w.process.pid, SIGTERM);
	assert_int_equal(live_process_ended(&w.process), 128 + SIGTERM);
	assert_true(atomic_load(&w.removed) > removed);
	assert_int_equal(atomic_load(&cluster->replicas), 2);
	assert_int_equal(atomic_load(&cluster->note), -1);
	live_process_done(&w.process);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_removes_the_hpa_and_puts_the_replicas_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
