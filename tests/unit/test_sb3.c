/*
 * Stable-Baselines3's zips: a real one gives torch's numbers, one that we wrote gives back the net, and everything that is not
 * a PPO with MlpPolicy is refused by name.
 */
#include "rl/io_sb3.h"
#include "rl/io_torch.h"
#include "rl/pickle_write.h"
#include "rl/zip.h"

#include "base/base64.h"
#include "base/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static StrBuf read_fixture(const char *path)
{
	StrBuf bytes = { 0 };
	Error err = { 0 };
	if (mem_read_file(path, 1 << 20, &bytes, &err))
		fail_msg("%s", err.text);
	return bytes;
}

static StrBuf fixture_zip(void)
{
	return read_fixture("tests/fixtures/sb3_ppo_seedlike.zip");
}

static double number_at(const Json *array, size_t i)
{
	double value = NAN;
	const Json *at = json_first(array);
	while (at && i-- > 0)
		at = json_next(at);
	(void) json_number(at, &value);
	return value;
}

static void zip_of_sb3_gives_the_numbers_of_torch(void **state)
{
	(void) state;
	StrBuf bytes = fixture_zip(), text = read_fixture("tests/fixtures/sb3_ppo_seedlike.json");
	Net *net = NULL;
	ModelInfo info;
	Json *want = NULL;
	Error err = { 0 };
	if (sb3_read(bytes.data, bytes.len, &net, &info, &err))
		fail_msg("%s", err.text);
	assert_int_equal(json_parse(text.data, text.len, &want, NULL), 0);
	assert_int_equal(info.steps, 20480);
	assert_non_null(strstr(info.train_json, "\"n-steps\":1024"));
	float *scratch = mem_block(net_scratch_floats(net, 1), sizeof *scratch), obs[5], logits[3], value;
	const Json *row = json_first(json_get(want, "obs")), *wanted = json_first(json_get(want, "logits"));
	const Json *values = json_first(json_get(want, "value")), *actions = json_first(json_get(want, "action"));
	size_t n = 0;
	for (; row; row = json_next(row), wanted = json_next(wanted), values = json_next(values),
	     actions = json_next(actions), n++) {
		double want_value = 0;
		int64_t action = 0;
		for (size_t i = 0; i < 5; i++)
			obs[i] = (float) number_at(row, i);
		net_forward(net, obs, 1, logits, &value, scratch);
		for (size_t i = 0; i < 3; i++)
			assert_true(fabs((double) logits[i] - number_at(wanted, i)) < 1e-4);
		assert_true(json_number(values, &want_value) && fabs((double) value - want_value) < 1e-4 * fabs(want_value));
		assert_true(json_int(actions, &action));
		for (size_t i = 0; i < 3; i++)
			assert_true(logits[i] <= logits[action]);
	}
	assert_int_equal(n, 1000);
	free(scratch);
	json_free(want);
	net_free(net);
	strbuf_done(&bytes);
	strbuf_done(&text);
}

static Net *random_net(void)
{
	NetConfig config = { .obs_dim = 6, .n_actions = 4, .depth = 3, .width = { 24, 8, 17 }, .activation = ACTIVATION_RELU,
			     .has_value_arch = true, .value_depth = 1, .value_width = { 40 } };
	Net *net = NULL;
	Rng rng;
	assert_int_equal(net_new(&config, &net, NULL), 0);
	rng_init(&rng, 5, 0, RNG_INIT);
	assert_int_equal(net_init_orthogonal(net, &rng), 0);
	return net;
}

static const ModelInfo INFO = { .steps = 123, .train_json = "{\"gamma\":0.5,\"n-steps\":256,\"learning-rate\":0.001}" };

static Net *write_and_read(const Net *net, ModelInfo *ret_info)
{
	StrBuf bytes = { 0 };
	Net *again = NULL;
	Error err = { 0 };
	assert_int_equal(sb3_write(net, &INFO, &bytes), 0);
	if (sb3_read(bytes.data, bytes.len, &again, ret_info, &err))
		fail_msg("%s", err.text);
	strbuf_done(&bytes);
	return again;
}

static void net_written_as_a_zip_reads_back(void **state)
{
	(void) state;
	NetTensor ours[NET_TENSORS_MAX], theirs[NET_TENSORS_MAX];
	ModelInfo info;
	Net *net = random_net(), *again = write_and_read(net, &info);
	size_t count = net_tensors(net, ours, NET_TENSORS_MAX);
	assert_int_equal(net_tensors(again, theirs, NET_TENSORS_MAX), count);
	for (size_t t = 0; t < count; t++) {
		assert_int_equal(ours[t].rows, theirs[t].rows);
		assert_int_equal(ours[t].cols, theirs[t].cols);
		assert_memory_equal(ours[t].data, theirs[t].data,
				    (size_t) ours[t].rows * (size_t) (ours[t].cols ? ours[t].cols : 1) * sizeof(float));
	}
	assert_int_equal(net_config(again)->activation, ACTIVATION_RELU);
	assert_int_equal(info.steps, 123);
	assert_non_null(strstr(info.train_json, "\"gamma\":0.5"));
	assert_non_null(strstr(info.train_json, "\"n-steps\":256"));
	net_free(net);
	net_free(again);
}

static void normalisation_is_folded_into_the_first_layers(void **state)
{
	(void) state;
	const double mean[6] = { 100, -3, 0, .5, 2000, 1 }, var[6] = { 2500, 1, .04, 9, 1e6, .25 };
	const float obs[6] = { 180, -2.5f, .1f, 4, 1500, 1.7f };
	float logits[2][4], value[2];
	ModelInfo info;
	Net *net = random_net();
	net_set_normalisation(net, mean, var, 1000);
	Net *again = write_and_read(net, &info);
	float *scratch = mem_block(net_scratch_floats(net, 1), sizeof *scratch);
	net_forward(net, obs, 1, logits[0], &value[0], scratch);
	net_forward(again, obs, 1, logits[1], &value[1], scratch);
	assert_false(net_is_normalised(again));
	for (size_t a = 0; a < 4; a++)
		assert_true(fabs((double) (logits[0][a] - logits[1][a])) < 1e-5);
	assert_true(fabs((double) (value[0] - value[1])) < 1e-4);
	free(scratch);
	net_free(net);
	net_free(again);
}

/* ---- what is refused ---- */

static void assert_refused(const char *bytes, size_t len, const char *word)
{
	Net *net = NULL;
	ModelInfo info;
	Error err = { 0 };
	char *copy = malloc(len + 1); /* of its own, so that a read past the end shows */
	assert_non_null(copy);
	memcpy(copy, bytes, len);
	int code = sb3_read(copy, len, &net, &info, &err);
	free(copy);
	if (code != ERR_BAD_MODEL)
		fail_msg("code %d, wanted a refusal that says %s", code, word);
	assert_null(net);
	if (!strstr(err.text, word))
		fail_msg("\"%s\" does not say %s", err.text, word);
}

/* The archive with one member's bytes replaced, its checksum made right again. */
static StrBuf with_member(const StrBuf *archive, const char *name, const char *data, size_t len)
{
	StrBuf out = { 0 }, scratch = { 0 };
	ZipWriter writer;
	Zip zip;
	ZipCursor cursor = { 0 };
	ZipEntry entry;
	assert_int_equal(zip_open(archive->data, archive->len, &zip, NULL), 0);
	zip_begin(&writer, &out);
	while (zip_next(&zip, &cursor, &entry)) {
		char own[64];
		const char *bytes;
		(void) snprintf(own, sizeof own, "%.*s", (int) entry.name_len, entry.name);
		assert_int_equal(zip_read(&entry, 1 << 20, &scratch, &bytes, NULL), 0);
		bool is_it = !strcmp(own, name);
		zip_add(&writer, own, is_it ? data : bytes, is_it ? len : entry.size);
	}
	assert_int_equal(zip_end(&writer), 0);
	return out;
}

static StrBuf member(const StrBuf *archive, const char *name)
{
	StrBuf out = { 0 }, scratch = { 0 };
	Zip zip;
	ZipEntry entry;
	const char *bytes;
	assert_int_equal(zip_open(archive->data, archive->len, &zip, NULL), 0);
	assert_true(zip_find(&zip, name, &entry));
	assert_int_equal(zip_read(&entry, 1 << 20, &scratch, &bytes, NULL), 0);
	strbuf_add(&out, bytes, entry.size);
	return out;
}

/* data with `from` replaced by `to`, in a zip around it. */
static void refuse_data(const char *from, const char *to, const char *word)
{
	StrBuf archive = fixture_zip(), data = member(&archive, "data"), changed = { 0 };
	char *at = strstr(data.data, from);
	if (!at)
		fail_msg("no %s in data", from);
	strbuf_add(&changed, data.data, (size_t) (at - data.data));
	strbuf_addf(&changed, "%s%s", to, at + strlen(from));
	StrBuf bytes = with_member(&archive, "data", changed.data, changed.len);
	assert_refused(bytes.data, bytes.len, word);
	strbuf_done(&bytes);
	strbuf_done(&changed);
	strbuf_done(&data);
	strbuf_done(&archive);
}

/* policy_kwargs of one key and a class. */
static void refuse_kwarg(const char *key, const char *module, const char *class, const char *word)
{
	StrBuf pickle = { 0 }, text = { 0 };
	pickle_op(&pickle, PICKLE_BEGIN PICKLE_DICT_EMPTY PICKLE_MARK);
	pickle_put_string(&pickle, key);
	pickle_put_global(&pickle, module, class);
	pickle_op(&pickle, PICKLE_DICT_ITEMS PICKLE_END);
	strbuf_addf(&text, "\"policy_kwargs\": {\":type:\": \"<class 'dict'>\", \":serialized:\": \"");
	base64_encode(pickle.data, pickle.len, &text);
	strbuf_addf(&text, "\"}");
	refuse_data("\"policy_kwargs\": {}", text.data, word);
	strbuf_done(&pickle);
	strbuf_done(&text);
}

static void other_policies_are_refused_by_name(void **state)
{
	(void) state;
	refuse_data("\"clip_range\"", "\"clip_rang\"", "not a PPO");
	refuse_data("spaces.discrete.Discrete", "spaces.box.Box", "action space <class 'gymnasium.spaces.box.Box'>");
	refuse_data("\"start\": \"0\"", "\"start\": \"-1\"", "only Discrete from 0");
	refuse_data("spaces.box.Box", "spaces.dict.Dict", "observation space <class 'gymnasium.spaces.dict.Dict'>");
	refuse_data("\"use_sde\": false", "\"use_sde\": true", "use_sde");
	/* cloudpickle.dumps(ActorCriticCnnPolicy) */
	refuse_data("gAWVOwAAAAAAAACMIXN0YWJsZV9iYXNlbGluZXMzLmNvbW1vbi5wb2xpY2llc5SMEUFjdG9yQ3JpdGljUG9saWN5lJOULg==",
		    "gAWVPgAAAAAAAACMIXN0YWJsZV9iYXNlbGluZXMzLmNvbW1vbi5wb2xpY2llc5SMFEFjdG9yQ3JpdGljQ25uUG9saWN5lJOULg==",
		    "ActorCriticCnnPolicy");
	refuse_data("\"policy_kwargs\": {}", "\"policy_kwargs\": {\"lstm_hidden_size\": 64}", "lstm_hidden_size");
	refuse_data("\"policy_kwargs\": {}", "\"policy_kwargs\": {\":serialized:\": \"!\"}", "policy_kwargs: not base64");
	refuse_kwarg("activation_fn", "torch.nn.modules.activation", "ELU", "torch.nn.modules.activation.ELU");
	refuse_kwarg("activation_fn", "torch.optim.adam", "Adam", "activation_fn is neither Tanh nor ReLU");
	refuse_kwarg("features_extractor_class", "stable_baselines3.common.torch_layers", "NatureCNN", "NatureCNN");
	refuse_kwarg("optimizer_class", "os", "system", "os.system");
}

/* policy.pth with the bytes `from` of its pickle replaced by as many others. */
static void refuse_policy(const char *from, const char *to, size_t len, const char *word)
{
	StrBuf archive = fixture_zip(), policy = member(&archive, "policy.pth"), pickle = member(&policy, "archive/data.pkl");
	char *at = memmem(pickle.data, pickle.len, from, len);
	if (!at)
		fail_msg("no %s in the pickle", from);
	memcpy(at, to, len);
	StrBuf changed = with_member(&policy, "archive/data.pkl", pickle.data, pickle.len);
	StrBuf bytes = with_member(&archive, "policy.pth", changed.data, changed.len);
	assert_refused(bytes.data, bytes.len, word);
	strbuf_done(&bytes);
	strbuf_done(&changed);
	strbuf_done(&pickle);
	strbuf_done(&policy);
	strbuf_done(&archive);
}

static void other_tensors_are_refused_by_name(void **state)
{
	(void) state;
	refuse_policy("FloatStorage", "HalfpStorage", 12, "torch.HalfpStorage");
	refuse_policy("mlp_extractor.policy_net.0.bias", "mlp_extractor.shared_net.0.bias", 31, "shared_net.0.bias");
	refuse_policy("torch._utils\n_rebuild_tensor_v2", "torch._utils\n_rebuild_tensor_v9", 31, "_rebuild_tensor_v9");
	refuse_policy("K\x40K\x05\x86", "K\x40K\x06\x86", 5, "policy_net.0.weight"); /* 64 x 6 of 320 elements */
	refuse_policy("K\x40K\x05\x86", "K\x05K\x40\x86", 5, "policy_net.0.weight"); /* strides past the end */
	refuse_policy("K\x40K\x05\x86", "K\x20K\x05\x86", 5, "policy_net.0");        /* fewer than the next layer has */
	refuse_policy("K\x00K\x40K\x05\x86", "K\x01K\x40K\x05\x86", 7, "policy_net.0.weight"); /* offset */
	refuse_policy("M\x40\x01tq", "M\x41\x01tq", 5, "321 elements in 1280 bytes");
}

static void absurd_shapes_take_no_memory(void **state)
{
	(void) state;
	StrBuf pickle = { 0 }, policy = { 0 }, archive = fixture_zip();
	float zero = 0.0f;
	NetTensor tensor = { .name = "action_net.weight", .rows = 1 << 30, .cols = 1, .data = &zero };
	ZipWriter writer;
	/* torch_write's own pickle, around a storage of four bytes that the pickle calls 2^30 elements */
	pickle_op(&pickle, PICKLE_BEGIN PICKLE_DICT_EMPTY PICKLE_MARK);
	pickle_put_string(&pickle, tensor.name);
	pickle_put_global(&pickle, "torch._utils", "_rebuild_tensor_v2");
	pickle_op(&pickle, PICKLE_MARK PICKLE_MARK);
	pickle_put_string(&pickle, "storage");
	pickle_put_global(&pickle, "torch", "FloatStorage");
	pickle_put_string(&pickle, "0");
	pickle_put_string(&pickle, "cpu");
	pickle_put_int(&pickle, 1);
	pickle_op(&pickle, PICKLE_TUPLE_END PICKLE_PERSID);
	pickle_put_int(&pickle, 0);
	pickle_put_int(&pickle, tensor.rows);
	pickle_put_int(&pickle, tensor.rows);
	pickle_op(&pickle, PICKLE_TUPLE_2);
	pickle_put_int(&pickle, 0); /* strides of 0: every element is the first */
	pickle_put_int(&pickle, 0);
	pickle_op(&pickle, PICKLE_TUPLE_2 PICKLE_NO PICKLE_DICT_EMPTY PICKLE_TUPLE_END PICKLE_REDUCE);
	pickle_op(&pickle, PICKLE_DICT_ITEMS PICKLE_END);
	zip_begin(&writer, &policy);
	zip_add(&writer, "archive/data.pkl", pickle.data, pickle.len);
	zip_add(&writer, "archive/data/0", (const char *) &zero, sizeof zero);
	assert_int_equal(zip_end(&writer), 0);
	StrBuf bytes = with_member(&archive, "policy.pth", policy.data, policy.len);
	assert_refused(bytes.data, bytes.len, "action_net.weight");
	strbuf_done(&bytes);
	strbuf_done(&policy);
	strbuf_done(&pickle);
	strbuf_done(&archive);
}

static void a_value_that_is_not_finite_is_refused(void **state)
{
	(void) state;
	StrBuf bytes = { 0 };
	NetTensor tensor[NET_TENSORS_MAX];
	Net *net = random_net();
	assert_true(net_tensors(net, tensor, NET_TENSORS_MAX) > 0);
	tensor[2].data[1] = INFINITY;
	assert_int_equal(sb3_write(net, &INFO, &bytes), 0);
	assert_refused(bytes.data, bytes.len, "policy_net.2.weight: value 1 is not finite");
	strbuf_done(&bytes);
	net_free(net);
}

static void a_zip_cut_short_anywhere_is_refused(void **state)
{
	(void) state;
	StrBuf bytes = fixture_zip();
	for (size_t len = 0; len < bytes.len; len += 512)
		assert_refused(bytes.data, len, "");
	assert_refused(bytes.data, bytes.len - 1, "cut short");
	strbuf_done(&bytes);
}

static void try_bytes(const char *bytes, size_t len)
{
	Net *net = NULL;
	ModelInfo info;
	Error err = { 0 };
	int code = sb3_read(bytes, len, &net, &info, &err);
	assert_true(code == 0 || (code == ERR_BAD_MODEL && err.text[0]));
	net_free(net);
}

/* Changed bytes of the whole, and of the two members that are parsed, their checksums made right again. */
static void changed_zips_are_refused_or_read(void **state)
{
	(void) state;
	StrBuf archive = { 0 };
	Net *net = random_net();
	Rng rng;
	rng_init(&rng, 2, 0, RNG_EVAL);
	assert_int_equal(sb3_write(net, &INFO, &archive), 0);
	StrBuf data = member(&archive, "data"), policy = member(&archive, "policy.pth");
	StrBuf pickle = member(&policy, "archive/data.pkl");
	for (int round = 0; round < 3000; round++) {
		StrBuf *part = round % 3 == 0 ? &archive : round % 3 == 1 ? &data : &pickle;
		size_t at = rng_below(&rng, (uint32_t) part->len);
		char before = part->data[at];
		part->data[at] = (char) rng_u32(&rng);
		if (part == &archive) {
			try_bytes(archive.data, archive.len);
		} else {
			StrBuf changed = with_member(&policy, "archive/data.pkl", pickle.data, pickle.len);
			StrBuf first = with_member(&archive, "data", data.data, data.len);
			StrBuf bytes = with_member(&first, "policy.pth", changed.data, changed.len);
			try_bytes(bytes.data, bytes.len);
			strbuf_done(&bytes);
			strbuf_done(&first);
			strbuf_done(&changed);
		}
		part->data[at] = before;
	}
	strbuf_done(&pickle);
	strbuf_done(&policy);
	strbuf_done(&data);
	strbuf_done(&archive);
	net_free(net);
}

static void random_bytes_behind_the_signature_are_refused(void **state)
{
	(void) state;
	char noise[4096];
	Rng rng;
	rng_init(&rng, 1, 0, RNG_EVAL);
	for (int round = 0; round < 50; round++) {
		for (size_t i = 0; i < sizeof noise; i++)
			noise[i] = (char) rng_u32(&rng);
		memcpy(noise, "PK\3\4", 4);
		if (round % 2)
			memcpy(noise + sizeof noise - 22, "PK\5\6\0\0\0\0\1\0\1\0\x30\0\0\0\0\1\0\0\0\0", 22);
		assert_true(sb3_is(noise, sizeof noise));
		assert_refused(noise, sizeof noise, "zip");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zip_of_sb3_gives_the_numbers_of_torch),
		cmocka_unit_test(net_written_as_a_zip_reads_back),
		cmocka_unit_test(normalisation_is_folded_into_the_first_layers),
		cmocka_unit_test(other_policies_are_refused_by_name),
		cmocka_unit_test(other_tensors_are_refused_by_name),
		cmocka_unit_test(absurd_shapes_take_no_memory),
		cmocka_unit_test(a_value_that_is_not_finite_is_refused),
		cmocka_unit_test(a_zip_cut_short_anywhere_is_refused),
		cmocka_unit_test(changed_zips_are_refused_or_read),
		cmocka_unit_test(random_bytes_behind_the_signature_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
