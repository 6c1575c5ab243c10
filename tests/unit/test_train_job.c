/* `maestro train --seeds --on kubernetes` as a process, against an API that plays the Job: what a real pod's log brings home. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fakes/http_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct World {
	FakeServer *server;
	bool is_there;             /* the Job */
	bool has_failed;           /* index 1, for good */
	bool has_no_pods;          /* any more */
	bool is_another;           /* of the same name: that one was deleted */
	_Atomic int waits;         /* so many looks find index 1 without its image */
	char asked[8192];          /* the Job as it was written */
	StrBuf log[2];             /* of each index's pod */
	char dir[64], program[512];
	StrBuf said;               /* by the last command */
} World;

static void answer_pods(World *w, FakeReply *reply)
{
	static const char pod[] = "{\"metadata\":{\"name\":\"p-%d\",\"annotations\":{\"batch.kubernetes.io/job-completion-index\":\"%d\"}},"
		"\"status\":{\"phase\":\"%s\"}}";
	static const char waiting[] = "{\"metadata\":{\"name\":\"p-1\",\"annotations\":{\"batch.kubernetes.io/job-completion-index\":\"1\"}},"
		"\"spec\":{\"containers\":[{\"image\":\"maestro:9\"}]},\"status\":{\"phase\":\"Pending\",\"containerStatuses\":[{\"state\":{\"waiting\":{\"reason\":\"ErrImagePull\"}}}]}}";
	char first[256], second[512];
	bool is_waiting = w->waits > 0;
	w->waits -= is_waiting;
	(void) snprintf(first, sizeof first, pod, 0, 0, "Succeeded");
	if (is_waiting)
		(void) snprintf(second, sizeof second, "%s", waiting);
	else
		(void) snprintf(second, sizeof second, pod, 1, 1, w->has_failed ? "Failed" : "Succeeded");
	reply->body = w->has_no_pods ? fake_text("{\"items\":[]}") : fake_text("{\"items\":[%s,%s]}", first, second);
}

static void answer_job(World *w, const FakeRequest *request, FakeReply *reply)
{
	bool is_new = !strcmp(request->method, "POST");
	reply->status = is_new && w->is_there ? 409 : is_new ? 201 : 200;
	w->is_there = true;
	if (is_new)
		(void) snprintf(w->asked, sizeof w->asked, "%s", request->body);
	bool is_over = !w->waits;
	reply->body = fake_text("{\"metadata\":{\"uid\":\"%s\"},\"spec\":{\"completions\":2},\"status\":{\"conditions\":[{\"type\":\"%s\",\"status\":\"%s\",\"message\":\"%s\"}]}}",
	                        w->is_another ? "6f2c-2" : "6f2c-1", w->has_failed ? "Failed" : "Complete", is_over ? "True" : "False", w->has_failed ? "Job has failed indexes" : "");
}

static void handle(void *context, const FakeRequest *request, FakeReply *reply)
{
	World *w = context;
	const char *at = strstr(request->path, "/pods/p-");
	if (at)
		reply->body = fake_text("%s", w->log[at[8] == '1'].data);
	else if (strstr(request->path, "/pods"))
		answer_pods(w, reply);
	else
		answer_job(w, request, reply);
}

/* Runs it with its output into the folder. The exit status. Only meanwhile is the world the server's. */
static int run(World *w, const char *args)
{
	char command[1400], path[96];
	(void) snprintf(path, sizeof path, "%s/out", w->dir);
	(void) snprintf(command, sizeof command, "cd %s && %s %s >out 2>&1", w->dir, w->program, args);
	if (w->server)
		fake_server_unlock(w->server);
	int status = system(command);
	if (w->server)
		fake_server_lock(w->server);
	strbuf_clear(&w->said);
	assert_int_equal(mem_read_file(path, 1 << 24, &w->said, NULL), 0);
	return status == -1 ? -1 : status >> 8;
}

/* What pods of two seeds print, by the command that they run. */
static void begin(World *w)
{
	const char *build = getenv("MAESTRO_TEST_BUILD");
	char text[600];
	*w = (World) { .dir = "/tmp/maestro-train-job-XXXXXX" };
	assert_non_null(mkdtemp(w->dir));
	assert_non_null(realpath(build ? build : "build", text));
	(void) snprintf(w->program, sizeof w->program, "%.480s/maestro", text);
	for (int i = 0; i < 2; i++) {
		(void) snprintf(text, sizeof text, "trial '[[\"--preset\",\"seed\",\"--steps\",\"2048\",\"--eval-every\",\"1024\",\"--eval-episodes\",\"1\",\"--seed\",\"%d\"]]' "
		                "--index 0 --db pod%d.db", 5 + i, i);
		assert_int_equal(run(w, text), 0);
		strbuf_add(&w->log[i], w->said.data, w->said.len);
		strbuf_add(&w->log[i], "", 1);
	}
	w->server = fake_server_start(handle, w);
	fake_server_lock(w->server);
	(void) snprintf(text, sizeof text, "%s/kubeconfig", w->dir);
	FILE *file = fopen(text, "w");
	assert_non_null(file);
	(void) fprintf(file, "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
	               "users: [{name: u, user: {}}]\nclusters: [{name: k, cluster: {server: \"%s\"}}]\n", fake_server_url(w->server));
	assert_int_equal(fclose(file), 0);
}

static void end(World *w)
{
	char command[96];
	fake_server_unlock(w->server);
	fake_server_stop(w->server);
	for (int i = 0; i < 2; i++)
		strbuf_done(&w->log[i]);
	strbuf_done(&w->said);
	(void) snprintf(command, sizeof command, "rm -r %s", w->dir);
	assert_int_equal(system(command), 0);
}

static int train(World *w)
{
	return run(w, "train --preset seed --steps 2048 --seeds 2 --seed 5 --on kubernetes --kubeconfig kubeconfig --db home.db");
}

static int n_said(const World *w, const char *text)
{
	int n = 0;
	for (const char *at = w->said.data; at && (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

static void assert_said(const World *w, const char *text)
{
	if (!n_said(w, text))
		fail_msg("no \"%s\" in: %.2000s", text, w->said.data ? w->said.data : "");
}

static void runs_and_models_come_home_once(void **state)
{
	(void) state;
	World w;
	begin(&w);
	assert_int_equal(train(&w), 0);
	assert_said(&w, "is written");
	assert_said(&w, "index 0: run 1\n");
	assert_said(&w, "index 1: run 2\n");
	assert_int_equal(run(&w, "runs list --db home.db --json"), 0);
	assert_int_equal(n_said(&w, "\"status\":\"done\""), 2);
	assert_int_equal(run(&w, "model inspect --model home.runs/2/model.safetensors"), 0);
	assert_int_equal(train(&w), 0); /* the same again */
	assert_said(&w, "is there: this follows it");
	assert_int_equal(n_said(&w, "imported before"), 2);
	assert_int_equal(run(&w, "runs list --db home.db --json"), 0);
	assert_int_equal(n_said(&w, "\"status\":\"done\""), 2);
	end(&w);
}

static void a_pod_that_is_gone_has_its_run_in_the_store(void **state)
{
	(void) state;
	World w;
	begin(&w);
	assert_int_equal(train(&w), 0);
	char *was = strdup(strstr(w.said.data, "seed 6"));
	w.has_no_pods = true;
	assert_int_equal(train(&w), 0);
	assert_said(&w, "index 0: run 1, imported before its pod was gone\n");
	assert_said(&w, "index 1: run 2, imported before its pod was gone\n");
	assert_int_equal(n_said(&w, "2048 steps done, best mean reward "), 2);
	char *end_line = strstr(was, "2048 steps done"); /* reward and file as before */
	assert_non_null(end_line);
	end_line[strcspn(end_line, "\n")] = '\0';
	assert_said(&w, end_line);
	free(was);
	w.is_another = true;
	assert_int_not_equal(train(&w), 0); /* what an earlier Job of that name gave is not this one's */
	assert_said(&w, "index 0: its pod is gone");
	w.is_another = false;
	assert_int_equal(run(&w, "runs delete 2 --db home.db"), 0);
	assert_int_not_equal(train(&w), 0); /* what a person threw away is not there */
	assert_said(&w, "index 1: its pod is gone");
	assert_int_equal(run(&w, "runs restore 2 --db home.db") | run(&w, "runs list --db home.db"), 0);
	char command[128];
	(void) snprintf(command, sizeof command, "rm %s/home.runs/2/model.safetensors", w.dir);
	assert_int_equal(system(command), 0);
	assert_int_not_equal(train(&w), 0); /* nor is a run without its model a result */
	assert_said(&w, "index 0: run 1, imported before its pod was gone\n");
	assert_said(&w, "index 1: its pod is gone");
	end(&w);
}

static void an_index_that_failed_for_good_leaves_the_others(void **state)
{
	(void) state;
	World w;
	begin(&w);
	w.has_failed = true;
	strbuf_clear(&w.log[1]);
	strbuf_addf(&w.log[1], "maestro: no\033[2J\302\233 option\n"); /* whatever a pod prints, it does not draw on this terminal */
	assert_int_not_equal(train(&w), 0);
	assert_said(&w, "index 0: run 1\n");
	assert_said(&w, "index 1: Job has failed indexes");
	assert_said(&w, "its last pod said: maestro: no?[2J? option\n");
	assert_int_equal(run(&w, "runs list --db home.db --json"), 0);
	assert_int_equal(n_said(&w, "\"status\":\"done\""), 1);
	end(&w);
}

static void what_a_pod_waits_for_is_said(void **state)
{
	(void) state;
	World w;
	begin(&w);
	w.waits = 2;
	assert_int_equal(train(&w), 0);
	assert_int_equal(n_said(&w, "1 of 2 are here, 0 running; index 1 waits: the image maestro:9 cannot be had there"), 1); /* of two looks */
	assert_said(&w, "index 1: run 2\n");
	end(&w);
}

static void a_pod_gets_the_environments_settings(void **state)
{
	(void) state;
	World w;
	begin(&w);
	assert_int_equal(setenv("MAESTRO_N_EPOCHS", "3", 1) | setenv("MAESTRO_STEPS", "77", 1) | setenv("MAESTRO_GLYPHS", "ascii", 1), 0);
	assert_int_equal(train(&w), 0);
	assert_int_equal(unsetenv("MAESTRO_N_EPOCHS") | unsetenv("MAESTRO_STEPS") | unsetenv("MAESTRO_GLYPHS"), 0);
	assert_non_null(strstr(w.asked, "--n-epochs=3"));
	assert_null(strstr(w.asked, "77"));    /* the command line has another */
	assert_null(strstr(w.asked, "ascii")); /* of this terminal */
	end(&w);
}

static void a_damaged_log_is_no_run(void **state)
{
	(void) state;
	World w;
	begin(&w);
	char *result = strstr(w.log[1].data, "maestro-result ");
	assert_non_null(result);
	result[200] = result[200] == 'A' ? 'B' : 'A'; /* within the archive */
	assert_int_equal(train(&w), 5);
	assert_said(&w, "index 1, pod p-1");
	assert_int_equal(run(&w, "runs list --db home.db --json"), 0);
	assert_int_equal(n_said(&w, "\"status\":\"done\""), 1);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_and_models_come_home_once),
		cmocka_unit_test(a_pod_that_is_gone_has_its_run_in_the_store),
		cmocka_unit_test(an_index_that_failed_for_good_leaves_the_others),
		cmocka_unit_test(what_a_pod_waits_for_is_said),
		cmocka_unit_test(a_pod_gets_the_environments_settings),
		cmocka_unit_test(a_damaged_log_is_no_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
