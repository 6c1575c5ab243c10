/* A Ppo's bytes: the same with any number of threads, and of a run that was interrupted. */
#include "fakes/ppo_rig.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static StrBuf state_after(Trainer *trainer, int updates)
{
	StrBuf bytes = { 0 };
	double value[TRAIN_METRIC_COUNT];
	for (int i = 0; i < updates; i++)
		update(trainer->ppo, value);
	assert_int_equal(ppo_snapshot(trainer->ppo, &bytes, NULL), 0);
	return bytes;
}

static void same_seed_gives_same_bytes_with_any_number_of_threads(void **state)
{
	(void) state;
	StrBuf first = { 0 };
	for (int32_t n_threads = 1; n_threads <= 5; n_threads++) {
		PpoConfig config;
		cart_config(&config);
		config.n_threads = n_threads;
		Trainer trainer = start(&config);
		StrBuf bytes = state_after(&trainer, 4);
		if (!first.data) {
			first = bytes;
		} else {
			assert_int_equal(bytes.len, first.len);
			assert_memory_equal(bytes.data, first.data, first.len);
			strbuf_done(&bytes);
		}
		stop(&trainer);
	}
	PpoConfig other;
	cart_config(&other);
	other.seed = 10;
	Trainer trainer = start(&other);
	StrBuf bytes = state_after(&trainer, 4);
	assert_memory_not_equal(bytes.data, first.data, first.len);
	strbuf_done(&bytes);
	strbuf_done(&first);
	stop(&trainer);
}

/* One environment, as the thesis has: the second thread only learns. Several shapes, the shared one without a second thread. */
static void policy_and_value_on_two_threads_give_the_bytes_of_one(void **state)
{
	(void) state;
	const NetConfig shape[] = {
		{ .depth = 2, .width = { 64, 64 } },
		{ .depth = 1, .width = { 9 }, .has_value_arch = true, .value_depth = 2, .value_width = { 40, 7 } },
		{ .depth = 1, .width = { 8 }, .shared_depth = 1, .shared_width = { 16 }, .activation = ACTIVATION_RELU },
	};
	for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
		StrBuf bytes[2];
		for (int32_t k = 0; k < 2; k++) {
			PpoConfig config;
			cart_config(&config);
			config.net = shape[i];
			config.n_envs = 1;
			config.n_threads = k + 1;
			Trainer trainer = start(&config);
			bytes[k] = state_after(&trainer, 12);
			stop(&trainer);
		}
		assert_int_equal(bytes[0].len, bytes[1].len);
		assert_memory_equal(bytes[0].data, bytes[1].data, bytes[0].len);
		strbuf_done(&bytes[0]);
		strbuf_done(&bytes[1]);
	}
}

static void restored_run_equals_the_uninterrupted_one(void **state)
{
	(void) state;
	PpoConfig config;
	cart_config(&config);
	Trainer whole = start(&config);
	StrBuf middle = state_after(&whole, 3), end = state_after(&whole, 3);
	Trainer resumed = start(&config);
	assert_int_equal(ppo_restore(resumed.ppo, middle.data, middle.len, NULL), 0);
	assert_int_equal(ppo_steps(resumed.ppo), 3 * 500);
	StrBuf again = state_after(&resumed, 3);
	assert_int_equal(again.len, end.len);
	assert_memory_equal(again.data, end.data, end.len);
	strbuf_done(&middle);
	strbuf_done(&end);
	strbuf_done(&again);
	stop(&whole);
	stop(&resumed);
}

static void restore_refuses_other_configurations_and_damage(void **state)
{
	(void) state;
	PpoConfig config, other;
	Error err = { 0 };
	cart_config(&config);
	other = config;
	other.net.width[1] = 32;
	Trainer trainer = start(&config), stranger = start(&other);
	StrBuf bytes = state_after(&trainer, 1), untouched = state_after(&stranger, 0);
	assert_int_equal(ppo_restore(stranger.ppo, bytes.data, bytes.len, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "another configuration"));
	StrBuf after = state_after(&stranger, 0);
	assert_memory_equal(after.data, untouched.data, untouched.len);
	assert_int_equal(ppo_restore(trainer.ppo, bytes.data, bytes.len - 1, &err), ERR_BAD_MODEL);
	assert_int_equal(ppo_restore(trainer.ppo, bytes.data, 10, &err), ERR_BAD_MODEL);
	bytes.data[bytes.len / 2] ^= 1;
	assert_int_equal(ppo_restore(trainer.ppo, bytes.data, bytes.len, &err), ERR_BAD_MODEL);
	assert_non_null(strstr(err.text, "damaged"));
	strbuf_done(&bytes);
	strbuf_done(&untouched);
	strbuf_done(&after);
	stop(&trainer);
	stop(&stranger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_seed_gives_same_bytes_with_any_number_of_threads),
		cmocka_unit_test(policy_and_value_on_two_threads_give_the_bytes_of_one),
		cmocka_unit_test(restored_run_equals_the_uninterrupted_one),
		cmocka_unit_test(restore_refuses_other_configurations_and_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
