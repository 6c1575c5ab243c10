/* `maestro suggestion-server` as a process: an action where everything is there, 503 and no action where anything is not. */
#include "tests/fakes/child.h"
#include "tests/fakes/fake_cluster.h"

#include "base/http.h"
#include "base/json.h"
#include "decide/observation.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct Fixture {
	FakeCluster cluster;
	Child child;
	HttpClient *client;
	HttpResponse response;
	Json *json; /* of the last answer */
} Fixture;

static void begin(Fixture *f)
{
	*f = (Fixture) { 0 };
	fake_cluster_start(&f->cluster);
	const char *url = fake_cluster_url(&f->cluster);
	f->child = child_start((const char *const[]) { "suggestion-server", "--listen", "127.0.0.1:0", "--model-url", url, "--prometheus", url,
	                                               "--kubeconfig", f->cluster.kubeconfig, NULL });
	assert_int_equal(http_client_new(NULL, &f->client, NULL), 0);
}

static void end(Fixture *f)
{
	assert_int_equal(child_end(&f->child, SIGTERM), 128 + SIGTERM);
	http_client_free(f->client);
	http_response_done(&f->response);
	json_free(f->json);
	fake_cluster_stop(&f->cluster);
}

static int get(Fixture *f, const char *path)
{
	char url[256];
	Error err = { 0 };
	(void) snprintf(url, sizeof url, "http://127.0.0.1:%d%s", f->child.port, path);
	if (http_request(f->client, &(HttpRequest) { .method = "GET", .url = url, .timeout_ms = 20000 }, &f->response, &err))
		fail_msg("%s", err.text);
	json_free(f->json);
	f->json = NULL;
	(void) json_parse(f->response.body.data, f->response.body.len, &f->json, NULL);
	return f->response.status;
}

static const char SUGGESTION[] = "/suggestion?deployment=web&namespace=shop";

/* 503 whose error names word, and nothing that could be taken for an action. */
static void assert_none(Fixture *f, const char *word)
{
	assert_int_equal(get(f, SUGGESTION), 503);
	assert_null(json_get(f->json, "action"));
	const char *text = json_string_or(f->json, "error", "");
	if (!strstr(text, word))
		fail_msg("the error \"%s\" does not name %s", text, word);
}

static void suggestion_is_the_models_action(void **state)
{
	Fixture f;
	(void) state;
	begin(&f);
	assert_int_equal(get(&f, SUGGESTION), 200);
	assert_int_equal(json_int_or(f.json, "action", -1), 2);
	assert_true(json_is_null(json_get(f.json, "interval_s"))); /* it does not say */
	assert_int_equal(get(&f, "/suggest?deployment=web&namespace=shop"), 200);
	assert_int_equal(get(&f, "/suggest?deployment=web"), 200); /* the context's namespace */
	/* a server of the thesis's contract is given its five keys, by CONTROL F.1 */
	Json *asked = NULL;
	assert_int_equal(json_parse(f.cluster.asked, strlen(f.cluster.asked), &asked, NULL), 0);
	assert_float_equal(json_number_or(asked, "cpu_usage", -1), 30, 1e-4);
	assert_float_equal(json_number_or(asked, "memory_usage", -1), .125, 1e-6);
	assert_float_equal(json_number_or(asked, "replicas", -1), 2, 0);
	assert_float_equal(json_number_or(asked, "latency", -1), 200, 0);
	assert_float_equal(json_number_or(asked, "rps", -1), 100, 0);
	json_free(asked);
	end(&f);
}

static void no_action_is_made_up(void **state)
{
	Fixture f;
	(void) state;
	begin(&f);
	atomic_store(&f.cluster.missing, "container_cpu");
	assert_none(&f, "cpu");
	atomic_store(&f.cluster.missing, "_bucket");
	assert_none(&f, "p95");
	atomic_store(&f.cluster.missing, NULL);
	atomic_store(&f.cluster.prometheus_status, 500);
	assert_none(&f, "500");
	atomic_store(&f.cluster.prometheus_status, 200);
	atomic_store(&f.cluster.model_status, 500);
	assert_none(&f, "model server");
	atomic_store(&f.cluster.model_status, 200);
	atomic_store(&f.cluster.model_delay_ms, 1500); /* slower than an inference may be */
	assert_none(&f, "timed out");
	atomic_store(&f.cluster.model_delay_ms, 0);
	static const char *const nonsense[] = { "{\"action\":3}", "{\"action\":-1}", "{\"action\":\"2\"}", "{\"action\":1.5}", "{}", "2", "<html>", "" };
	for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
		atomic_store(&f.cluster.model_answer, nonsense[i]);
		assert_none(&f, "no action");
	}
	atomic_store(&f.cluster.forbidden, "/deployments");
	assert_none(&f, "403");
	atomic_store(&f.cluster.forbidden, NULL);
	assert_int_equal(get(&f, "/suggestion?deployment=nosuch&namespace=shop"), 503);
	assert_null(json_get(f.json, "action"));
	/* a word that is missing is the asker's mistake */
	assert_int_equal(get(&f, "/suggestion"), 400);
	assert_int_equal(get(&f, "/suggestion?deployment=web&max=0"), 400);
	atomic_store(&f.cluster.model_answer, "{\"action\":0}");
	assert_int_equal(get(&f, SUGGESTION), 200);
	assert_int_equal(json_int_or(f.json, "action", -1), 0);
	end(&f);
}

static Json *asked_vector(Fixture *f, const char *path)
{
	Json *asked = NULL;
	assert_int_equal(get(f, path), 200);
	assert_int_equal(json_parse(f->cluster.asked, strlen(f->cluster.asked), &asked, NULL), 0);
	return asked;
}

static double nth(const Json *array, int n)
{
	double value = -99;
	const Json *item = json_first(array);
	while (item && n-- > 0)
		item = json_next(item);
	(void) json_number(item, &value);
	return value;
}

/* A wide answer is read by its choice: at 2 pods +100 % is 4, which stands beside the contract's direction. */
static void a_wide_choice_says_how_many_pods_are_wanted(void **state)
{
	Fixture f;
	(void) state;
	begin(&f);
	atomic_store(&f.cluster.model_about, "{\"sha256\":\"ab\",\"observation\":\"trend\",\"observation_version\":2,\"inputs\":36,\"interval_s\":15,"
	                                     "\"actions\":\"wide\",\"max_replicas\":10,\"rate_window_s\":60,\"latency_window_s\":60}");
	atomic_store(&f.cluster.model_answer, "{\"action\":2,\"choice\":6}");
	Json *asked = asked_vector(&f, SUGGESTION);
	assert_int_equal(json_len(json_get(asked, "mask")), 7);
	assert_float_equal(nth(json_get(asked, "mask"), 4), 0, 0); /* +25 % of two is +1 */
	assert_int_equal(json_int_or(f.json, "action", -1), 2);
	assert_int_equal(json_int_or(f.json, "wanted", -1), 4);
	assert_int_equal(json_int_or(f.json, "interval_s", -1), 15);
	json_free(asked);
	atomic_store(&f.cluster.model_answer, "{\"action\":0,\"choice\":6}");
	assert_none(&f, "no choice");
	atomic_store(&f.cluster.model_answer, "{\"action\":2}");
	assert_none(&f, "no choice");
	end(&f);
}

static void a_trend_model_gets_its_vector_and_mask(void **state)
{
	Fixture f;
	(void) state;
	begin(&f);
	atomic_store(&f.cluster.model_about, "{\"sha256\":\"ab\",\"observation\":\"trend\",\"observation_version\":2,\"inputs\":36,\"interval_s\":15,"
	                                     "\"max_replicas\":10,\"rate_window_s\":60,\"latency_window_s\":60}");
	Json *first = asked_vector(&f, SUGGESTION);
	assert_int_equal(json_len(json_get(first, "observation")), 36);
	assert_int_equal(json_len(json_get(first, "mask")), 3);
	assert_float_equal(nth(json_get(first, "mask"), 2), 1, 0);
	assert_float_equal(nth(json_get(first, "observation"), 14), .2, 1e-6); /* spec/max: the model's 10 */
	/* asked again within the interval, it is the same moment and not the next one */
	Json *again = asked_vector(&f, SUGGESTION);
	for (int i = 0; i < 36; i++)
		if (i != 6 && i != 7 && i != 8 && i != 9 && i != 26) /* the clock's */
			assert_float_equal(nth(json_get(first, "observation"), i), nth(json_get(again, "observation"), i), 1e-6);
	/* the mask forbids an up at the maximum, whoever says what it is; an action against it is no action */
	atomic_store(&f.cluster.model_answer, "{\"action\":1}");
	Json *full = asked_vector(&f, "/suggestion?deployment=web&namespace=shop&max=2");
	assert_float_equal(nth(json_get(full, "mask"), 2), 0, 0);
	atomic_store(&f.cluster.annotations, "\"maestro.io/min-replicas\":\"2\"");
	Json *least = asked_vector(&f, SUGGESTION);
	assert_float_equal(nth(json_get(least, "mask"), 0), 0, 0);
	atomic_store(&f.cluster.model_answer, "{\"action\":0}");
	assert_none(&f, "mask");
	json_free(first);
	json_free(again);
	json_free(full);
	json_free(least);
	/* an observation that this build does not build is refused, not guessed */
	atomic_store(&f.cluster.model_about, "{\"observation_version\":9,\"inputs\":7}");
	assert_none(&f, "observation version 9");
	end(&f);
}

/* CONTROL B.4 over two servers: what is unlike the training goes along with the action, by name, and which model it was. */
static void an_input_unlike_the_training_is_named(void **state)
{
	static const char *const rows[] = { "mean", "var", "min", "max" };
	Fixture f;
	(void) state;
	begin(&f);
	StrBuf about = { 0 };
	strbuf_addf(&about, "{\"sha256\":\"ab\",\"observation_version\":2,\"inputs\":36,\"interval_s\":15,\"max_replicas\":10,\"trained_on\":{");
	for (int r = 0; r < 4; r++) {
		strbuf_addf(&about, "%s\"%s\":[", r ? "," : "", rows[r]);
		for (int i = 0; i < 36; i++) /* all were seen but spec/max: that was never over .1, and is .2 */
			strbuf_addf(&about, "%s%g", i ? "," : "", r == 1 ? 1e6 : r == 3 ? i == 14 ? .1 : 1e6 : r == 2 && i != 14 ? -1e6 : 0);
		strbuf_addf(&about, "]");
	}
	strbuf_addf(&about, "}}");
	atomic_store(&f.cluster.model_about, about.data);
	assert_int_equal(get(&f, SUGGESTION), 200);
	assert_string_equal(json_string_or(f.json, "model", ""), "ab");
	assert_string_equal(json_string_or(f.json, "outside", ""), observation_feature(OBS_TREND, 14));
	end(&f);
	strbuf_done(&about);
}

static void metrics_are_clean(void **state)
{
	Fixture f;
	(void) state;
	begin(&f);
	assert_int_equal(get(&f, SUGGESTION), 200);
	assert_int_equal(get(&f, "/readyz"), 200);
	assert_int_equal(get(&f, "/metrics"), 200);
	assert_non_null(strstr(f.response.body.data, "maestro_suggestions_total{answer=\"2\"} 1\n"));
	if (system("command -v promtool >/dev/null") == 0) {
		FILE *tool = popen("promtool check metrics 2>&1", "w");
		assert_non_null(tool);
		(void) fwrite(f.response.body.data, 1, f.response.body.len, tool);
		assert_int_equal(pclose(tool), 0);
	}
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suggestion_is_the_models_action),
		cmocka_unit_test(no_action_is_made_up),
		cmocka_unit_test(a_wide_choice_says_how_many_pods_are_wanted),
		cmocka_unit_test(a_trend_model_gets_its_vector_and_mask),
		cmocka_unit_test(an_input_unlike_the_training_is_named),
		cmocka_unit_test(metrics_are_clean),
	};
	if (http_global_init())
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	http_global_done();
	return failed;
}
