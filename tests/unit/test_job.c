/* Indexed Jobs: what is asked of the API, and what is read out of its answers. */
#include "cluster/job.h"

#include "base/mem.h"
#include "fakes/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT = 8192 };

typedef struct World { /* an API with one Job, its pods and their logs */
	int status;                /* of every answer */
	const char *job, *pods;    /* bodies; NULL: {} */
	const char *log;
	char method[16], path[256], query[256], body[TEXT]; /* of the last request */
	FakeServer *server;
	Clock clock;
	KubeConfig config;
	KubeClient *client;
	Error err;
} World;

static void handle(void *context, const FakeRequest *request, FakeReply *reply)
{
	World *w = context;
	(void) snprintf(w->method, sizeof w->method, "%s", request->method);
	(void) snprintf(w->path, sizeof w->path, "%s", request->path);
	(void) snprintf(w->query, sizeof w->query, "%s", request->query);
	(void) snprintf(w->body, sizeof w->body, "%s", request->body);
	bool is_log = strstr(request->path, "/log"), is_pods = strstr(request->path, "/pods");
	const char *body = is_log ? w->log : is_pods ? w->pods : w->job;
	reply->status = w->status;
	reply->body = fake_text("%s", body ? body : "{}");
}

static void begin(World *w)
{
	*w = (World) { .status = 200 };
	w->server = fake_server_start(handle, w);
	clock_init_system(&w->clock);
	w->config.server = strdup(fake_server_url(w->server));
	assert_int_equal(kube_client_new(&w->config, &w->clock, &w->client, &w->err), 0);
}

static void end(World *w)
{
	kube_client_free(w->client);
	kubeconfig_done(&w->config);
	fake_server_stop(w->server);
}

static int create(World *w)
{
	static const char *const args[] = { "trial", "[[\"--seed\",\"1\"]]", NULL };
	const JobConfig config = {
		.namespace_ = "ml", .name = "maestro-train-1", .image = "maestro:1", .cpu = "2", .memory = "1Gi", .n = 4, .arg = args, .retries = 3,
		.keep_s = 600,
	};
	return job_create(w->client, &config, &w->err);
}

static const Json *at(const Json *root, const char *path)
{
	const Json *value = json_get(root, path);
	if (!value)
		fail_msg("no %s", path);
	return value;
}

static int64_t number(const Json *root, const char *path)
{
	int64_t value = -1;
	assert_true(json_int(at(root, path), &value));
	return value;
}

/* ---- what is written ---- */

static void a_job_has_an_index_a_training_and_outlives_evictions(void **state)
{
	(void) state;
	World w;
	Json *job = NULL;
	begin(&w);
	assert_int_equal(create(&w), 0);
	assert_string_equal(w.method, "POST");
	assert_string_equal(w.path, "/apis/batch/v1/namespaces/ml/jobs");
	assert_string_equal(w.query, "fieldValidation=Strict");
	assert_int_equal(json_parse(w.body, strlen(w.body), &job, &w.err), 0);
	assert_string_equal(json_string(at(job, "metadata.name")), "maestro-train-1");
	assert_string_equal(json_string(at(job, "spec.completionMode")), "Indexed");
	assert_int_equal(number(job, "spec.completions"), 4);
	assert_int_equal(number(job, "spec.parallelism"), 4);
	assert_int_equal(number(job, "spec.backoffLimitPerIndex"), 3);
	assert_int_equal(number(job, "spec.ttlSecondsAfterFinished"), 600);
	const Json *rule = json_first(at(job, "spec.podFailurePolicy.rules"));
	assert_string_equal(json_string(at(rule, "action")), "Ignore");
	assert_string_equal(json_string(at(json_first(at(rule, "onPodConditions")), "type")), "DisruptionTarget");
	rule = json_next(rule); /* wrong options and bad data are not tried again */
	assert_string_equal(json_string(at(rule, "action")), "FailIndex");
	assert_non_null(strstr(w.body, "{\"containerName\":\"training\",\"operator\":\"In\",\"values\":[2,5]}"));
	const Json *container = json_first(at(job, "spec.template.spec.containers"));
	assert_string_equal(json_string(at(container, "image")), "maestro:1");
	assert_string_equal(json_string(at(container, "resources.limits.cpu")), "2");
	assert_string_equal(json_string(at(container, "resources.requests.memory")), "1Gi");
	const Json *word = json_first(at(container, "args"));
	assert_string_equal(json_string(word), "trial");
	assert_string_equal(json_string(json_next(word)), "[[\"--seed\",\"1\"]]");
	json_free(job);
	end(&w);
}

/* As the restricted Pod Security Standard asks, or an enforcing namespace takes no pod of it. */
static void its_pods_have_no_rights(void **state)
{
	(void) state;
	World w;
	begin(&w);
	assert_int_equal(create(&w), 0);
	static const char *const parts[] = { "\"runAsNonRoot\":true", "\"type\":\"RuntimeDefault\"", "\"allowPrivilegeEscalation\":false",
		"\"readOnlyRootFilesystem\":true", "\"drop\":[\"ALL\"]", "\"automountServiceAccountToken\":false", "\"restartPolicy\":\"Never\"",
		"\"sidecar.istio.io/inject\":\"false\"", "\"linkerd.io/inject\":\"disabled\"" };
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (!strstr(w.body, parts[i]))
			fail_msg("%s is not in %s", parts[i], w.body);
	end(&w);
}

static void what_the_api_refuses_is_said(void **state)
{
	(void) state;
	static const struct { int status, code; } cases[] = { { 409, ERR_CONFLICT }, { 403, ERR_FORBIDDEN }, { 422, ERR_INVALID }, { 500, ERR_HTTP } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		World w;
		begin(&w);
		w.status = cases[i].status;
		assert_int_equal(create(&w), cases[i].code);
		assert_non_null(strstr(w.err.text, "job ml/maestro-train-1"));
		end(&w);
	}
}

/* ---- what is read ---- */

#define POD(name, index, phase) \
	"{\"metadata\":{\"name\":\"" name "\",\"annotations\":{\"batch.kubernetes.io/job-completion-index\":\"" index "\"}},\"status\":{\"phase\":\"" phase "\"}}"

static JobView look(World *w)
{
	JobView view;
	assert_int_equal(job_look(w->client, "ml", "j", &view, &w->err), 0);
	return view;
}

static void an_index_is_its_best_pod_and_counts_its_failures(void **state)
{
	(void) state;
	World w;
	begin(&w);
	w.job = "{\"spec\":{\"completions\":5},\"status\":{}}";
	w.pods = "{\"items\":[" POD("a", "0", "Failed") "," POD("b", "0", "Succeeded") "," POD("c", "1", "Succeeded") "," POD("d", "1", "Failed") ","
	         POD("e", "2", "Failed") "," POD("f", "2", "Running") "," POD("g", "3", "Failed") "," POD("h", "9", "Running") "," POD("i", "-1", "Running")
	         ",{\"metadata\":{\"name\":\"of nobody\"}}]}";
	JobView view = look(&w);
	assert_int_equal(view.n, 5);
	assert_false(view.is_over);
	static const struct { JobPhase phase; const char *pod; int failures; } want[] = {
		{ JOB_SUCCEEDED, "b", 1 }, { JOB_SUCCEEDED, "c", 1 }, { JOB_RUNNING, "f", 1 }, { JOB_FAILED, "g", 1 }, { JOB_PENDING, "", 0 },
	};
	for (int i = 0; i < 5; i++) {
		assert_int_equal(view.index[i].phase, want[i].phase);
		assert_string_equal(view.index[i].pod, want[i].pod);
		assert_int_equal(view.index[i].failures, want[i].failures);
	}
	assert_string_equal(w.query, "labelSelector=batch.kubernetes.io/job-name=j");
	end(&w);
}

static void a_pod_that_does_not_start_says_what_it_waits_for(void **state)
{
	(void) state;
#define WAITING(index, reason, message) \
	"{\"metadata\":{\"name\":\"p\",\"annotations\":{\"batch.kubernetes.io/job-completion-index\":\"" index "\"}},\"spec\":{\"containers\":[{\"image\":\"maestro:1\"}]}," \
	"\"status\":{\"phase\":\"Pending\",\"containerStatuses\":[{\"state\":{\"waiting\":{\"reason\":\"" reason "\",\"message\":\"" message "\"}}}]}}"
	World w;
	begin(&w);
	w.job = "{\"spec\":{\"completions\":6},\"status\":{}}";
	w.pods = "{\"items\":[" WAITING("0", "ErrImagePull", "failed to pull") "," WAITING("1", "ImagePullBackOff", "back-off") "," WAITING("2", "ContainerCreating", "") ","
	         WAITING("3", "CreateContainerConfigError", "secret \\\"x\\\" not found") "," POD("e", "4", "Running") ","
	         "{\"metadata\":{\"name\":\"u\",\"annotations\":{\"batch.kubernetes.io/job-completion-index\":\"5\"}},\"status\":{\"phase\":\"Pending\",\"conditions\":"
	         "[{\"type\":\"PodScheduled\",\"status\":\"False\",\"reason\":\"Unschedulable\",\"message\":\"0/1 nodes are available: 1 Insufficient cpu.\"}]}}]}";
	JobView view = look(&w);
	assert_string_equal(view.index[0].waits_for, "the image maestro:1 cannot be had there");
	assert_string_equal(view.index[1].waits_for, view.index[0].waits_for); /* the two come by turns */
	assert_string_equal(view.index[2].waits_for, "");
	assert_string_equal(view.index[3].waits_for, "CreateContainerConfigError: secret \"x\" not found");
	assert_string_equal(view.index[4].waits_for, "");
	assert_string_equal(view.index[5].waits_for, "Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.");
	end(&w);
}

static void a_job_that_is_over_says_why(void **state)
{
	(void) state;
	World w;
	begin(&w);
	w.job = "{\"spec\":{\"completions\":2},\"status\":{\"conditions\":[{\"type\":\"Complete\",\"status\":\"False\"},"
	        "{\"type\":\"FailureTarget\",\"status\":\"True\"}]}}";
	assert_false(look(&w).is_over); /* pods of it still end */
	w.job = "{\"spec\":{\"completions\":2},\"status\":{\"conditions\":[{\"type\":\"Failed\",\"status\":\"True\",\"message\":\"Job has failed indexes\"}]}}";
	JobView view = look(&w);
	assert_true(view.is_over);
	assert_string_equal(view.why, "Job has failed indexes");
	w.job = "{\"spec\":{\"completions\":2},\"status\":{\"conditions\":[{\"type\":\"Complete\",\"status\":\"True\"}]}}";
	view = look(&w);
	assert_true(view.is_over);
	assert_string_equal(view.why, "");
	w.job = "{\"spec\":{\"completions\":100000}}"; /* of somebody else */
	assert_int_equal(look(&w).n, JOB_INDICES_MAX);
	end(&w);
}

static void a_job_that_is_gone_is_an_error(void **state)
{
	(void) state;
	World w;
	JobView view = { .n = 7 };
	begin(&w);
	w.status = 404;
	assert_int_equal(job_look(w.client, "ml", "j", &view, &w.err), ERR_NOT_FOUND);
	assert_int_equal(view.n, 7); /* untouched */
	end(&w);
}

static void logs_come_whole_or_by_their_last_line(void **state)
{
	(void) state;
	World w;
	StrBuf text = { 0 };
	begin(&w);
	w.log = "{\"event\":\"start\"}\nmaestro-result end\n";
	assert_int_equal(job_log(w.client, "ml", "p-0", &text, &w.err), 0);
	assert_string_equal(text.data, w.log);
	assert_string_equal(w.path, "/api/v1/namespaces/ml/pods/p-0/log");
	strbuf_clear(&text);
	assert_int_equal(job_last_line(w.client, "ml", "p-0", &text, &w.err), 0);
	assert_string_equal(w.query, "container=training&tailLines=1");
	w.status = 404; /* the pod is gone, and its log with it */
	assert_int_equal(job_log(w.client, "ml", "p-0", &text, &w.err), ERR_NOT_FOUND);
	assert_non_null(strstr(w.err.text, "log of pod ml/p-0"));
	strbuf_done(&text);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_has_an_index_a_training_and_outlives_evictions),
		cmocka_unit_test(its_pods_have_no_rights),
		cmocka_unit_test(what_the_api_refuses_is_said),
		cmocka_unit_test(an_index_is_its_best_pod_and_counts_its_failures),
		cmocka_unit_test(a_pod_that_does_not_start_says_what_it_waits_for),
		cmocka_unit_test(a_job_that_is_over_says_why),
		cmocka_unit_test(a_job_that_is_gone_is_an_error),
		cmocka_unit_test(logs_come_whole_or_by_their_last_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
