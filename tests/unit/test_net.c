/* The net against a forward pass written out in double, its names against SB3's, its first weights against theory. */
#include "rl/net.h"

#include "base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 65 };

static Net *random_net_of(const NetConfig *config)
{
	NetTensor tensor[NET_TENSORS_MAX];
	Net *net = NULL;
	Rng rng;
	assert_int_equal(net_new(config, &net, NULL), 0);
	rng_init(&rng, 3, 0, RNG_INIT);
	size_t count = net_tensors(net, tensor, NET_TENSORS_MAX);
	for (size_t t = 0; t < count; t++)
		for (int32_t i = 0; i < tensor[t].rows * (tensor[t].cols ? tensor[t].cols : 1); i++)
			tensor[t].data[i] = 0.3f * (float) rng_normal(&rng);
	net_pack(net);
	return net;
}

static Net *random_net(int32_t obs_dim, int32_t n_actions, int32_t depth, const int32_t *width, Activation activation)
{
	NetConfig config = { .obs_dim = obs_dim, .n_actions = n_actions, .depth = depth, .activation = activation };
	for (int32_t i = 0; i < depth; i++)
		config.width[i] = width[i];
	return random_net_of(&config);
}

/* y = act(W x + b), from the tensors as SB3 would hold them. */
static void plain_layer(const NetTensor *weight, bool is_head, Activation activation, const double *x, double *y)
{
	for (int32_t j = 0; j < weight->rows; j++) {
		y[j] = (double) weight[1].data[j];
		for (int32_t k = 0; k < weight->cols; k++)
			y[j] += (double) weight->data[j * weight->cols + k] * x[k];
		if (!is_head)
			y[j] = activation == ACTIVATION_TANH ? tanh(y[j]) : fmax(0.0, y[j]);
	}
}

static void plain_forward(Net *net, const double *x, double *ret_logits, double *ret_value)
{
	const NetConfig *config = net_config(net);
	NetTensor tensor[NET_TENSORS_MAX];
	size_t count = net_tensors(net, tensor, NET_TENSORS_MAX), t = 0;
	const size_t depth[] = { (size_t) config->depth,
				 (size_t) (config->has_value_arch ? config->value_depth : config->depth) };
	double turn[2][NET_WIDTH_MAX];
	for (size_t trunk = 0; trunk < 2; trunk++) {
		const double *in = x;
		for (size_t i = 0; i < depth[trunk]; i++, t += 2) {
			plain_layer(&tensor[t], false, config->activation, in, turn[i % 2]);
			in = turn[i % 2];
		}
		plain_layer(&tensor[count - 4 + 2 * trunk], true, config->activation, in, trunk ? ret_value : ret_logits);
	}
}

static void check_forward(Net *net)
{
	const NetConfig *config = net_config(net);
	size_t dim = (size_t) config->obs_dim, n_actions = (size_t) config->n_actions;
	float *obs = mem_block(ROWS * dim, sizeof *obs), *logits = mem_block(ROWS * n_actions, sizeof *logits);
	float *scratch = mem_block(net_scratch_floats(net, ROWS), sizeof *scratch), value[ROWS], one_value;
	double x[NET_WIDTH_MAX], want_logits[NET_WIDTH_MAX], want_value;
	float one_logits[NET_WIDTH_MAX];
	Rng rng;
	rng_init(&rng, 4, 0, RNG_INIT);
	for (size_t i = 0; i < ROWS * dim; i++)
		obs[i] = (float) rng_normal(&rng);
	net_forward(net, obs, ROWS, logits, value, scratch);
	for (size_t b = 0; b < ROWS; b++) {
		for (size_t o = 0; o < dim; o++)
			x[o] = (double) obs[b * dim + o];
		plain_forward(net, x, want_logits, &want_value);
		for (size_t a = 0; a < n_actions; a++)
			assert_true(fabs(want_logits[a] - (double) logits[b * n_actions + a]) < 1e-5);
		assert_true(fabs(want_value - (double) value[b]) < 1e-5);
		net_forward(net, obs + b * dim, 1, one_logits, &one_value, scratch);
		assert_memory_equal(one_logits, logits + b * n_actions, n_actions * sizeof(float));
		assert_memory_equal(&one_value, &value[b], sizeof(float));
	}
	free(obs);
	free(logits);
	free(scratch);
	net_free(net);
}

static void net_forward_is_the_plain_formula_and_a_batch_is_its_rows(void **state)
{
	(void) state;
	check_forward(random_net(5, 3, 2, (int32_t[]) { 64, 64 }, ACTIVATION_TANH));
	check_forward(random_net(7, 2, 3, (int32_t[]) { 7, 65, 1 }, ACTIVATION_RELU));
	check_forward(random_net(64, 20, 1, (int32_t[]) { 33 }, ACTIVATION_TANH));
	check_forward(random_net(4, 2, 0, NULL, ACTIVATION_TANH));
	const NetConfig apart = { .obs_dim = 5, .n_actions = 3, .depth = 1, .width = { 20 }, .has_value_arch = true,
				  .value_depth = 3, .value_width = { 70, 9, 33 } };
	check_forward(random_net_of(&apart));
}

static void net_tensors_have_the_names_and_order_of_sb3(void **state)
{
	(void) state;
	static const struct {
		const char *name;
		int32_t rows, cols;
	} want[] = {
		{ "mlp_extractor.policy_net.0.weight", 16, 5 }, { "mlp_extractor.policy_net.0.bias", 16, 0 },
		{ "mlp_extractor.policy_net.2.weight", 8, 16 }, { "mlp_extractor.policy_net.2.bias", 8, 0 },
		{ "mlp_extractor.value_net.0.weight", 16, 5 }, { "mlp_extractor.value_net.0.bias", 16, 0 },
		{ "mlp_extractor.value_net.2.weight", 8, 16 }, { "mlp_extractor.value_net.2.bias", 8, 0 },
		{ "action_net.weight", 3, 8 }, { "action_net.bias", 3, 0 },
		{ "value_net.weight", 1, 8 }, { "value_net.bias", 1, 0 },
	};
	NetTensor tensor[NET_TENSORS_MAX];
	Net *net = random_net(5, 3, 2, (int32_t[]) { 16, 8 }, ACTIVATION_TANH);
	assert_int_equal(net_tensors(net, tensor, NET_TENSORS_MAX), sizeof want / sizeof *want);
	for (size_t t = 0; t < sizeof want / sizeof *want; t++) {
		assert_string_equal(tensor[t].name, want[t].name);
		assert_int_equal(tensor[t].rows, want[t].rows);
		assert_int_equal(tensor[t].cols, want[t].cols);
	}
	net_free(net);
}

/* The shorter side's vectors have the gain as length and are at right angles. */
static void check_orthogonal(const NetTensor *tensor, double gain)
{
	int32_t rows = tensor->rows, cols = tensor->cols, n = rows < cols ? rows : cols;
	for (int32_t i = 0; i < n; i++)
		for (int32_t j = 0; j <= i; j++) {
			double dot = 0.0;
			for (int32_t k = 0; k < (rows < cols ? cols : rows); k++)
				dot += rows < cols
					? (double) tensor->data[i * cols + k] * (double) tensor->data[j * cols + k]
					: (double) tensor->data[k * cols + i] * (double) tensor->data[k * cols + j];
			assert_true(fabs(dot - (i == j ? gain * gain : 0.0)) < 1e-5);
		}
}

static void net_starts_orthogonal_with_sb3s_gains(void **state)
{
	(void) state;
	NetTensor tensor[NET_TENSORS_MAX];
	Rng rng;
	Net *net = random_net(5, 3, 2, (int32_t[]) { 64, 32 }, ACTIVATION_TANH);
	rng_init(&rng, 1, 0, RNG_INIT);
	assert_int_equal(net_init_orthogonal(net, &rng), 0);
	size_t count = net_tensors(net, tensor, NET_TENSORS_MAX);
	for (size_t t = 0; t < count; t += 2) {
		bool is_action = !strncmp(tensor[t].name, "action_net", 10);
		check_orthogonal(&tensor[t], is_action ? 0.01 : !strncmp(tensor[t].name, "value_net", 9) ? 1.0 : sqrt(2.0));
		for (int32_t i = 0; i < tensor[t + 1].rows; i++)
			assert_true(tensor[t + 1].data[i] == 0.0f);
	}
	net_free(net);
}

static void net_normalises_and_clips_its_observations(void **state)
{
	(void) state;
	const double mean[2] = { 100.0, -1.0 }, var[2] = { 400.0, 0.25 };
	const float raw[3][2] = { { 140.0f, -1.5f }, { 100000.0f, -1.0f }, { 100.0f, -100.0f } };
	const double seen[3][2] = { { 2.0, -1.0 }, { 10.0, 0.0 }, { 0.0, -10.0 } };
	Net *net = random_net(2, 3, 1, (int32_t[]) { 8 }, ACTIVATION_TANH);
	float *scratch = mem_block(net_scratch_floats(net, 3), sizeof *scratch), logits[9];
	double want[3], value;
	assert_false(net_is_normalised(net));
	net_set_normalisation(net, mean, var, 10.0);
	assert_true(net_is_normalised(net));
	Net *copy = net_clone(net);
	assert_non_null(copy);
	net_forward(copy, raw[0], 3, logits, NULL, scratch);
	for (size_t b = 0; b < 3; b++) {
		plain_forward(net, seen[b], want, &value);
		for (size_t a = 0; a < 3; a++)
			assert_true(fabs(want[a] - (double) logits[3 * b + a]) < 1e-5);
	}
	free(scratch);
	net_free(copy);
	net_free(net);
}

/* Five inputs, of which the policy sees three; row by row with other hints, then the copy with none. */
static void hints_are_the_values_alone_and_a_copy_has_them_at_their_mean(void **state)
{
	(void) state;
	const double mean[5] = { 1.0, 0.0, -1.0, 30.0, 4.0 }, var[5] = { 4.0, 1.0, 0.25, 9.0, 16.0 };
	const float raw[3][5] = { { 2.0f, 0.5f, -1.2f, 30.0f, 4.0f }, { 2.0f, 0.5f, -1.2f, 36.0f, 4.0f }, { 2.0f, 0.5f, -1.2f, 30.0f, -4.0f } };
	Net *net = random_net_of(&(NetConfig) { .obs_dim = 5, .hint_dim = 2, .n_actions = 3, .depth = 2, .width = { 8, 8 } });
	float *scratch = mem_block(net_scratch_floats(net, 3), sizeof *scratch), logits[4][3], value[4];
	net_set_normalisation(net, mean, var, 10.0);
	net_set_range(net, mean, var);
	Net *copy = net_clone(net);
	assert_non_null(copy);
	assert_int_equal(net_config(copy)->obs_dim, 3);
	assert_int_equal(net_config(copy)->hint_dim, 0);
	assert_memory_equal(net_range_max(copy), var, 3 * sizeof *var);
	net_forward(net, raw[0], 3, logits[0], value, scratch);
	net_forward(copy, raw[0], 1, logits[3], &value[3], scratch);
	for (size_t b = 1; b < 4; b++)
		assert_memory_equal(logits[b], logits[0], sizeof logits[0]);
	assert_true(fabsf(value[1] - value[0]) > 1e-3f && fabsf(value[2] - value[0]) > 1e-3f);
	assert_true(fabsf(value[3] - value[0]) < 1e-6f);
	free(scratch);
	net_free(copy);
	net_free(net);
}

static void net_new_names_the_bad_setting(void **state)
{
	(void) state;
	Net *net = NULL;
	Error err = { 0 };
	const NetConfig bad[] = {
		{ .obs_dim = 0, .n_actions = 3 },
		{ .obs_dim = 5, .n_actions = 0 },
		{ .obs_dim = 5, .n_actions = 3, .depth = NET_DEPTH_MAX + 1 },
		{ .obs_dim = 5, .n_actions = 3, .depth = 1, .width = { 2000 } },
		{ .obs_dim = 5, .n_actions = 3, .has_value_arch = true, .value_depth = -1 },
		{ .obs_dim = 5, .n_actions = 3, .activation = (Activation) 7 },
		{ .obs_dim = 5, .n_actions = 3, .hint_dim = 5 },
		{ .obs_dim = 5, .n_actions = 3, .hint_dim = 1, .shared_depth = 1, .shared_width = { 4 } },
	};
	static const char *const NAMES[] = { "obs_dim", "n_actions", "depth", "width", "value", "activation", "hint_dim", "hint_dim" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(net_new(&bad[i], &net, &err), ERR_INVALID);
		assert_non_null(strstr(err.text, NAMES[i]));
		assert_null(net);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(net_forward_is_the_plain_formula_and_a_batch_is_its_rows),
		cmocka_unit_test(net_tensors_have_the_names_and_order_of_sb3),
		cmocka_unit_test(net_starts_orthogonal_with_sb3s_gains),
		cmocka_unit_test(net_normalises_and_clips_its_observations),
		cmocka_unit_test(hints_are_the_values_alone_and_a_copy_has_them_at_their_mean),
		cmocka_unit_test(net_new_names_the_bad_setting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
