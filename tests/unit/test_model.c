/* Model files: what is written reads back, what is broken is refused; and a net as a policy. */
#include "rl/io_safetensors.h"
#include "rl/model.h"

#include "base/mem.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static Net *random_net(uint64_t seed, int32_t obs_dim, int32_t n_actions)
{
	NetConfig config = { .obs_dim = obs_dim, .n_actions = n_actions, .depth = 2, .width = { 24, 8 } };
	Net *net = NULL;
	Rng rng;
	assert_int_equal(net_new(&config, &net, NULL), 0);
	rng_init(&rng, seed, 0, RNG_INIT);
	assert_int_equal(net_init_orthogonal(net, &rng), 0);
	return net;
}

static const ModelInfo INFO = {
	.obs_version = 1,
	.interval_s = 30.0f,
	.latency_soft_ms = 250.1f,
	.latency_hard_ms = -1.0f,
	.max_replicas = 15,
	.steps = 20480,
	.train_json = "{\"gamma\":0.99,\"trace\":\"a \\\"b\\\"\"}",
};

static int set_up(void **state)
{
	char *path = calloc(1, 64);
	assert_non_null(path);
	(void) snprintf(path, 64, "/tmp/test_model_%ld.tmp", (long) getpid());
	*state = path;
	return 0;
}

static int tear_down(void **state)
{
	(void) unlink(*state);
	free(*state);
	return 0;
}

static void assert_like(Net *a, Net *b)
{
	NetTensor ours[NET_TENSORS_MAX], theirs[NET_TENSORS_MAX];
	size_t count = net_tensors(a, ours, NET_TENSORS_MAX);
	assert_int_equal(net_tensors(b, theirs, NET_TENSORS_MAX), count);
	for (size_t t = 0; t < count; t++) {
		assert_int_equal(ours[t].rows, theirs[t].rows);
		assert_int_equal(ours[t].cols, theirs[t].cols);
		assert_memory_equal(ours[t].data, theirs[t].data,
				    (size_t) ours[t].rows * (size_t) (ours[t].cols ? ours[t].cols : 1) * sizeof(float));
	}
}

static void model_reads_back_as_it_was_written(void **state)
{
	const double mean[5] = { 1.0 / 3.0, -2e-17, 3e10, 0.1, 5.0 }, var[5] = { 1, 2, 3, 1e-9, 0.1 };
	Net *net = random_net(1, 5, 3), *again = NULL;
	ModelInfo info;
	net_set_normalisation(net, mean, var, 20480.0001);
	assert_int_equal(model_save(*state, net, &INFO, NULL), 0);
	assert_int_equal(model_load(*state, &again, &info, NULL), 0);
	assert_like(net, again);
	assert_true(net_is_normalised(again) && net_norm_count(again) == 20480.0001);
	assert_memory_equal(net_norm_mean(again), mean, sizeof mean);
	assert_memory_equal(net_norm_var(again), var, sizeof var);
	assert_int_equal(info.obs_version, 1);
	assert_true(info.interval_s == 30.0f && info.latency_soft_ms == 250.1f && info.latency_hard_ms == -1.0f);
	assert_int_equal(info.max_replicas, 15);
	assert_int_equal(info.steps, 20480);
	assert_string_equal(info.train_json, INFO.train_json);
	net_free(net);
	net_free(again);
}

static void like_models_are_like_files(void **state)
{
	StrBuf first = { 0 }, second = { 0 };
	Net *net = random_net(1, 5, 3), *copy = net_clone(net);
	assert_int_equal(model_save(*state, net, &INFO, NULL), 0);
	assert_int_equal(mem_read_file(*state, 1 << 20, &first, NULL), 0);
	assert_int_equal(model_save(*state, copy, &INFO, NULL), 0);
	assert_int_equal(mem_read_file(*state, 1 << 20, &second, NULL), 0);
	assert_int_equal(first.len, second.len);
	assert_memory_equal(first.data, second.data, first.len);
	strbuf_done(&first);
	strbuf_done(&second);
	net_free(net);
	net_free(copy);
}

static void assert_refused(const char *path, const char *bytes, size_t len, const char *word)
{
	Net *net = NULL;
	ModelInfo info;
	Error err = { 0 };
	assert_int_equal(mem_write_file(path, bytes, len, NULL), 0);
	assert_int_equal(model_load(path, &net, &info, &err), ERR_BAD_MODEL);
	assert_null(net);
	assert_non_null(strstr(err.text, path));
	if (word && !strstr(err.text, word))
		fail_msg("\"%s\" does not say %s", err.text, word);
}

static StrBuf good_bytes(const char *path)
{
	StrBuf bytes = { 0 };
	Net *net = random_net(1, 5, 3);
	assert_int_equal(model_save(path, net, &INFO, NULL), 0);
	assert_int_equal(mem_read_file(path, 1 << 20, &bytes, NULL), 0);
	net_free(net);
	return bytes;
}

static void model_cut_short_anywhere_is_refused(void **state)
{
	StrBuf bytes = good_bytes(*state);
	for (size_t len = 0; len < bytes.len; len += 512)
		assert_refused(*state, bytes.data, len, NULL);
	assert_refused(*state, bytes.data, bytes.len - 1, "data_offsets");
	strbuf_add(&bytes, "x", 1);
	assert_refused(*state, bytes.data, bytes.len, "the data");
	strbuf_done(&bytes);
}

static void random_bytes_are_refused(void **state)
{
	char noise[2000];
	Rng rng;
	rng_init(&rng, 1, 0, RNG_EVAL);
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < sizeof noise; i++)
			noise[i] = (char) rng_u32(&rng);
		if (round % 2) /* past the check of the length */
			memcpy(noise, "\x40\0\0\0\0\0\0\0{", 9);
		assert_refused(*state, noise, sizeof noise, NULL);
	}
}

/* Any one byte of the header changed: refused, or read as a model; never a crash (the sanitizers watch). */
static void model_with_a_changed_header_never_crashes(void **state)
{
	StrBuf bytes = good_bytes(*state);
	size_t header = 8 + (size_t) (unsigned char) bytes.data[0] + ((size_t) (unsigned char) bytes.data[1] << 8);
	Rng rng;
	rng_init(&rng, 2, 0, RNG_EVAL);
	for (int round = 0; round < 400; round++) {
		SafeFile file;
		size_t at = rng_below(&rng, (uint32_t) header);
		char before = bytes.data[at];
		bytes.data[at] = (char) rng_u32(&rng);
		int code = safetensors_open(bytes.data, bytes.len, &file, NULL);
		assert_true(code == 0 || code == ERR_BAD_MODEL);
		if (!code)
			safetensors_close(&file);
		bytes.data[at] = before;
	}
	strbuf_done(&bytes);
}

static void refuse_text(const char *path, const char *header, size_t data_len, const char *word)
{
	StrBuf bytes = { 0 };
	size_t len = strlen(header);
	const char length[8] = { (char) (len & 0xff), (char) (len >> 8), 0 };
	strbuf_add(&bytes, length, 8);
	strbuf_add(&bytes, header, len);
	for (size_t i = 0; i < data_len; i++)
		strbuf_add(&bytes, "\0", 1);
	assert_refused(path, bytes.data, bytes.len, word);
	strbuf_done(&bytes);
}

static void bad_models_are_refused_by_name(void **state)
{
	const char *path = *state;
	refuse_text(path, "[1]", 0, "not an object");
	refuse_text(path, "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8, "F64");
	refuse_text(path, "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1],\"data_offsets\":[0,4]}}", 4, "shape");
	refuse_text(path, "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "size");
	refuse_text(path, "{\"a\":{\"dtype\":\"F32\",\"shape\":[1e9,1e9],\"data_offsets\":[0,4]}}", 4, "data_offsets");
	refuse_text(path, "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "data_offsets");
	refuse_text(path, "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 4, "data_offsets");
	refuse_text(path, "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
		    "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "twice");
	refuse_text(path, "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
		    "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 8, "overlap");
	refuse_text(path, "{}", 4, "the data");
	refuse_text(path, "{}", 0, "format");
	refuse_text(path, "{\"__metadata__\":{\"format\":\"maestro-policy-1\"}}", 0, "obs_version");
}

static void model_with_a_value_that_is_not_finite_is_refused(void **state)
{
	NetTensor tensor[NET_TENSORS_MAX];
	StrBuf bytes = { 0 };
	Net *net = random_net(1, 5, 3);
	size_t count = net_tensors(net, tensor, NET_TENSORS_MAX);
	tensor[count - 2].data[3] = NAN;
	assert_int_equal(model_save(*state, net, &INFO, NULL), 0);
	assert_int_equal(mem_read_file(*state, 1 << 20, &bytes, NULL), 0);
	assert_refused(*state, bytes.data, bytes.len, "value_net.weight");
	strbuf_done(&bytes);
	net_free(net);
}

static void absent_model_says_so(void **state)
{
	(void) state;
	Net *net = NULL;
	ModelInfo info;
	Error err = { 0 };
	assert_int_equal(model_load("/nonexistent/model.safetensors", &net, &info, &err), ERR_IO);
	assert_non_null(strstr(err.text, "/nonexistent/model.safetensors"));
}

/* ---- as a policy ---- */

/* Logits are the biases of the action head: all weights 0. */
static Net *constant_net(float down, float keep, float up)
{
	NetConfig config = { .obs_dim = 5, .n_actions = 3 };
	NetTensor tensor[NET_TENSORS_MAX];
	Net *net = NULL;
	assert_int_equal(net_new(&config, &net, NULL), 0);
	assert_int_equal(net_tensors(net, tensor, NET_TENSORS_MAX), 4);
	tensor[1].data[0] = down;
	tensor[1].data[1] = keep;
	tensor[1].data[2] = up;
	tensor[3].data[0] = 7.0f;
	net_pack(net);
	return net;
}

static Policy *policy_of(Net *net)
{
	Policy *policy = NULL;
	assert_int_equal(model_policy_new(net, &INFO, "model:x", &policy), 0);
	return policy;
}

static void policy_takes_the_most_likely_allowed_action(void **state)
{
	(void) state;
	Sample sample = { .valid = SAMPLE_ALL, .replicas = 4 };
	Observation obs = { .dim = 5, .sample = &sample };
	Decision decision = { 0 };
	Policy *policy = policy_of(constant_net(0.0f, 1.0f, 2.0f));
	assert_string_equal(policy->label, "model:x");
	assert_true(policy->interval_s == 30.0f && policy->obs_version == 1);
	assert_int_equal(policy->ops->decide(policy, &obs, 1, &decision), 0);
	assert_int_equal(decision.action, ACTION_UP);
	assert_int_equal(decision.raw, 5);
	assert_int_equal(decision.reason, REASON_POLICY_UP);
	assert_true(fabs((double) decision.probability[2] - exp(2) / (1 + exp(1) + exp(2))) < 1e-6);
	assert_true(decision.value == 7.0f && decision.n_actions == 3);
	obs.mask = 1u << ACTION_DOWN | 1u << ACTION_KEEP; /* at max */
	assert_int_equal(policy->ops->decide(policy, &obs, 1, &decision), 0);
	assert_int_equal(decision.action, ACTION_KEEP);
	assert_int_equal(decision.raw, 4);
	assert_true(decision.probability[2] == 0.0f);
	policy_free(policy);
}

static void policy_never_makes_up_an_action(void **state)
{
	(void) state;
	Sample sample = { .valid = SAMPLE_ALL, .replicas = 4 }, unknown = { .valid = SAMPLE_CPU };
	Observation obs = { .dim = 5, .sample = &sample };
	Decision decision = { .action = ACTION_NONE };
	Policy *policy = policy_of(constant_net(0.0f, NAN, 2.0f));
	assert_int_equal(policy->ops->decide(policy, &obs, 1, &decision), ERR_NONFINITE);
	model_policy_swap(policy, constant_net(1.0f, 0.0f, 0.0f), 99, "");
	obs.dim = 6;
	assert_int_equal(policy->ops->decide(policy, &obs, 1, &decision), ERR_BAD_MODEL);
	obs.dim = 5;
	obs.sample = &unknown;
	assert_int_equal(policy->ops->decide(policy, &obs, 1, &decision), ERR_NO_DATA);
	assert_int_equal(decision.action, ACTION_NONE);
	policy_free(policy);
	assert_int_equal(model_policy_new(random_net(1, 5, 2), &INFO, "", &policy), ERR_BAD_MODEL);
}

static void policy_decides_many_as_one_by_one(void **state)
{
	(void) state;
	enum { MANY = 37 };
	Sample sample = { .valid = SAMPLE_ALL, .replicas = 2 };
	Observation obs[MANY] = { 0 };
	Decision all[MANY] = { 0 }, one = { 0 };
	Rng rng;
	rng_init(&rng, 8, 0, RNG_EVAL);
	Policy *policy = policy_of(random_net(6, 5, 3));
	for (int i = 0; i < MANY; i++) {
		obs[i] = (Observation) { .dim = 5, .sample = &sample };
		for (int o = 0; o < 5; o++)
			obs[i].x[o] = (float) rng_normal(&rng);
	}
	assert_int_equal(policy->ops->decide(policy, obs, MANY, all), 0);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(policy->ops->decide(policy, &obs[i], 1, &one), 0);
		assert_int_equal(one.action, all[i].action);
		assert_memory_equal(one.probability, all[i].probability, sizeof one.probability);
	}
	policy_free(policy);
}

typedef struct Swapper {
	Policy *policy;
	atomic_bool is_over;
} Swapper;

static void *swap_often(void *arg)
{
	Swapper *swapper = arg;
	for (int64_t i = 1; i <= 300; i++)
		model_policy_swap(swapper->policy, i % 2 ? constant_net(5, 0, 0) : constant_net(0, 0, 5), i, "");
	atomic_store(&swapper->is_over, true);
	return NULL;
}

static void policy_swaps_its_net_while_it_decides(void **state)
{
	(void) state;
	Sample sample = { .valid = SAMPLE_ALL, .replicas = 4 };
	Observation obs = { .dim = 5, .sample = &sample };
	Decision decision = { 0 };
	Swapper swapper = { .policy = policy_of(constant_net(0, 0, 5)) };
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, swap_often, &swapper), 0);
	while (!atomic_load(&swapper.is_over)) {
		assert_int_equal(swapper.policy->ops->decide(swapper.policy, &obs, 1, &decision), 0);
		assert_true(decision.action == ACTION_UP || decision.action == ACTION_DOWN);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(swapper.policy->ops->decide(swapper.policy, &obs, 1, &decision), 0);
	assert_int_equal(decision.action, ACTION_UP); /* the last one's */
	assert_int_equal(model_policy_steps(swapper.policy), 300);
	policy_free(swapper.policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(model_reads_back_as_it_was_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(like_models_are_like_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(model_cut_short_anywhere_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(random_bytes_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(model_with_a_changed_header_never_crashes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bad_models_are_refused_by_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(model_with_a_value_that_is_not_finite_is_refused, set_up, tear_down),
		cmocka_unit_test(absent_model_says_so),
		cmocka_unit_test(policy_takes_the_most_likely_allowed_action),
		cmocka_unit_test(policy_never_makes_up_an_action),
		cmocka_unit_test(policy_decides_many_as_one_by_one),
		cmocka_unit_test(policy_swaps_its_net_while_it_decides),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
