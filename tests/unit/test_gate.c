/* What follows from the evaluation that a model file carries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cmd/policies.h"
#include "control/gate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char FOR_HPA[] = "{\"chosen\":\"hpa\",\"hpa\":{\"cpu_pct\":45,\"down_window_s\":60},\"pod_price\":0.5,"
	"\"pod_hours_ratio\":{\"median\":1.08,\"worst\":1.3}}";
static const char FOR_MODEL[] = "{\"chosen\":\"model\",\"hpa\":{\"cpu_pct\":45,\"down_window_s\":60},\"pod_price\":0.5,"
	"\"pod_hours_ratio\":{\"median\":0.9,\"worst\":1.1}}";

static ModelInfo info_with(const char *evaluation)
{
	ModelInfo info = { .obs_version = 1, .interval_s = 15, .rate_window_s = 60, .latency_window_s = 60, .max_replicas = 15 };
	str_copy(info.train_json, sizeof info.train_json, "{}");
	str_copy(info.evaluation_json, sizeof info.evaluation_json, evaluation);
	return info;
}

static void finding_is_read(void **state)
{
	(void) state;
	Gate gate;
	ModelInfo info = info_with("");
	assert_int_equal(gate_read(&info, &gate, NULL), 0);
	assert_int_equal(gate.verdict, GATE_MISSING);
	info = info_with(FOR_HPA);
	assert_int_equal(gate_read(&info, &gate, NULL), 0);
	assert_int_equal(gate.verdict, GATE_HPA);
	assert_int_equal(gate.hpa_cpu_pct, 45);
	assert_true(gate.hpa_down_window_s == 60);
	assert_non_null(strstr(gate.text, "1.08"));
}

/* An evaluation that cannot be read is no permission to act. */
static void nonsense_is_a_bad_model(void **state)
{
	(void) state;
	static const char *const bad[] = { "nonsense", "{}", "{\"chosen\":\"model\"}", "{\"chosen\":\"me\",\"hpa\":{\"cpu_pct\":45,\"down_window_s\":60}}",
		"{\"chosen\":\"hpa\",\"hpa\":{\"cpu_pct\":0,\"down_window_s\":60}}" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		Gate gate;
		Error err;
		ModelInfo info = info_with(bad[i]);
		assert_int_equal(gate_read(&info, &gate, &err), ERR_BAD_MODEL);
		assert_int_equal(gate.verdict, GATE_MISSING);
	}
}

static void the_measure_is_pod_hours_at_equal_violation(void **state)
{
	(void) state;
	VersusSummary versus = { .group[GROUP_ALL] = { .pod_hours_median = 1, .pod_hours_worst = 1.15 } };
	assert_int_equal(gate_judge(&versus), GATE_MODEL);
	versus.group[GROUP_ALL].pod_hours_median = 1.01;
	assert_int_equal(gate_judge(&versus), GATE_HPA);
	versus.group[GROUP_ALL] = (VersusGroup) { .pod_hours_median = .9, .pod_hours_worst = 1.16 };
	assert_int_equal(gate_judge(&versus), GATE_HPA);
	versus.group[GROUP_ALL] = (VersusGroup) { .pod_hours_median = NAN, .pod_hours_worst = NAN };
	assert_int_equal(gate_judge(&versus), GATE_HPA); /* unknown is not good enough */
}

static void write_model(const char *path, const char *evaluation)
{
	Net *net = NULL;
	const NetConfig config = { .obs_dim = 5, .n_actions = 3, .depth = 1, .width = { 4 } };
	ModelInfo info = info_with(evaluation);
	assert_int_equal(net_new(&config, &net, NULL), 0);
	assert_int_equal(model_save(path, net, &info, NULL), 0);
	net_free(net);
}

/* What the gate answers of a file, and its rule's label, "" where the model acts. */
static int gate_of(const char *path, char label[64], char said[320])
{
	Policy *model = NULL, *rule = NULL;
	ModelInfo info;
	Error err = { 0 };
	assert_int_equal(policy_open(path, &model, &info, &err), 0);
	assert_string_equal(model->ops->name, "model");
	int code = policy_gate(&info, path, model, &rule, said, 320, &err);
	if (code)
		str_copy(said, 320, err.text);
	str_copy(label, 64, rule ? rule->label : "");
	policy_free(rule);
	policy_free(model);
	return code;
}

/* A file's finding decides what `run` acts by: nothing, the rule at its tuned settings, the model. */
static void run_obeys_the_file(void **state)
{
	(void) state;
	char path[] = "/tmp/maestro-gate-XXXXXX", said[320], label[64];
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	(void) close(fd);
	write_model(path, "");
	assert_int_equal(gate_of(path, label, said), ERR_REFUSED);
	assert_string_equal(label, "");
	assert_non_null(strstr(said, "--force"));
	write_model(path, FOR_HPA);
	assert_int_equal(gate_of(path, label, said), 0);
	assert_string_equal(label, "hpa:cpu=45");
	assert_non_null(strstr(said, "HPA rule acts"));
	write_model(path, FOR_MODEL);
	assert_int_equal(gate_of(path, label, said), 0);
	assert_string_equal(label, "");
	assert_string_equal(said, "");
	(void) unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finding_is_read),
		cmocka_unit_test(nonsense_is_a_bad_model),
		cmocka_unit_test(the_measure_is_pod_hours_at_equal_violation),
		cmocka_unit_test(run_obeys_the_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
