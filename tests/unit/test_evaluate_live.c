/* `maestro evaluate --env live` as a process: whatever ends it, no HorizontalPodAutoscaler of it goes on scaling. */
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

enum { ARGS = 40, WAIT_MS = 30000, LOOK_MS = 20 };

typedef struct World {
	FakeCluster cluster;
	_Atomic int made, removed; /* HorizontalPodAutoscalers */
	_Atomic int removed_first; /* before any was made */
	char dir[64], db[96], log[96], trace[96], program[512];
	pid_t pid;
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
	static const char *const _Atomic has_metrics[][2] = { { "/apis/metrics.k8s.io/v1beta1", "{}" } };
	const char *build = getenv("MAESTRO_TEST_BUILD");
	*w = (World) { .dir = "/tmp/maestro-evaluate-live-XXXXXX" };
	assert_non_null(mkdtemp(w->dir));
	(void) snprintf(w->db, sizeof w->db, "%s/maestro.db", w->dir);
	(void) snprintf(w->log, sizeof w->log, "%s/log", w->dir);
	(void) snprintf(w->trace, sizeof w->trace, "%s/flat.csv", w->dir);
	(void) snprintf(w->program, sizeof w->program, "%s/maestro", build ? build : "build");
	assert_int_equal(mem_write_file(w->trace, "# peak_rps: 5\nt_s,rps\n0,5\n10,5\n20,5\n30,5\n", 43, NULL), 0);
	fake_cluster_start(&w->cluster);
	w->cluster.extra = (const char *_Atomic (*)[2]) (uintptr_t) has_metrics;
	w->cluster.n_extra = 1;
	w->cluster.on_request = look;
	w->cluster.arg = w;
}

static void end(World *w)
{
	char command[96];
	fake_cluster_stop(&w->cluster);
	(void) snprintf(command, sizeof command, "rm -r %s", w->dir);
	assert_int_equal(system(command), 0);
}

static void start(World *w)
{
	const char *const args[ARGS] = { w->program, "evaluate", "--env", "live", "--deployment", "shop/web", "--kubeconfig", w->cluster.kubeconfig,
		"--prometheus", fake_cluster_url(&w->cluster), "--load-url", fake_cluster_url(&w->cluster), "--trace", w->trace, "--policy", "hpa",
		"--max-replicas", "5", "--latency-soft", "250", "--latency-hard", "500", "--interval", "1s", "--metric-window", "5s", "--seeds", "1",
		"--db", w->db };
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

static void wait_made(World *w, int n)
{
	StrBuf log = { 0 };
	for (int ms = 0; ms < WAIT_MS && atomic_load(&w->made) < n; ms += LOOK_MS)
		(void) usleep(LOOK_MS * 1000);
	if (atomic_load(&w->made) < n && !mem_read_file(w->log, 1 << 20, &log, NULL))
		fail_msg("no HorizontalPodAutoscaler was made: %s", log.data ? log.data : "");
	strbuf_done(&log);
}

static void a_signal_removes_the_hpa_and_puts_the_replicas_back(void **state)
{
	(void) state;
	World w;
	begin(&w);
	start(&w);
	wait_made(&w, 1);
	assert_int_equal(atomic_load(&w.removed_first), 2); /* at the start, what a killed one left: a conflict for every policy; and before its own */
	assert_int_equal(atomic_load(&w.cluster.note), 2);
	atomic_store(&w.cluster.replicas, 4); /* the HPA's doing */
	int removed = atomic_load(&w.removed);
	(void) kill(w.pid, SIGTERM);
	assert_int_equal(ended(&w), 128 + SIGTERM);
	assert_true(atomic_load(&w.removed) > removed);
	assert_int_equal(atomic_load(&w.cluster.replicas), 2);
	assert_int_equal(atomic_load(&w.cluster.note), -1);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_removes_the_hpa_and_puts_the_replicas_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
