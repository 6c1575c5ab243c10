/* The restricted unpickler: what Python wrote is understood, everything else is refused by name, nothing is executed. */
#include "rl/pickle.h"
#include "rl/pickle_write.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Of a dict, or of a call's items. */
static const PickleValue *get(const PickleValue *dict, const char *key)
{
	if (!dict || (dict->kind != PICKLE_DICT && dict->kind != PICKLE_CALL))
		return NULL;
	for (const PickleItem *item = dict->first; item; item = item->next->next) {
		const char *name = pickle_string(item->value);
		if (name && !strcmp(name, key))
			return item->next->value;
	}
	return NULL;
}

static const char *const GLOBALS[] = { "collections.OrderedDict", "torch.nn.modules.activation.ReLU", NULL };

#define BYTES(text) text, sizeof text - 1

/* pickle.dumps({"a": [1, -2, 70000], "b": (True, None, 0.5), "c": OrderedDict(x=3)}, protocol=2) of Python 3.11 */
static const char PROTOCOL_2[] =
	"\x80\x02}q\x00(X\x01\x00\x00\x00" "aq\x01]q\x02(K\x01J\xfe\xff\xff\xffJp\x11\x01\x00" "eX\x01\x00\x00\x00" "bq\x03\x88N"
	"G?\xe0\x00\x00\x00\x00\x00\x00\x87q\x04X\x01\x00\x00\x00" "cq\x05" "ccollections\nOrderedDict\nq\x06)Rq\x07X\x01\x00\x00"
	"\x00xq\x08K\x03su.";
/* pickle.dumps({"activation_fn": torch.nn.ReLU}, protocol=4) */
static const char PROTOCOL_4[] =
	"\x80\x04\x95\x3b\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x0d" "activation_fn\x94\x8c\x1btorch.nn.modules.activation\x94"
	"\x8c\x04ReLU\x94\x93\x94s.";

static void pickle_of_protocol_2_is_read(void **state)
{
	(void) state;
	Pickle *pickle = NULL;
	Error err = { 0 };
	if (pickle_parse(BYTES(PROTOCOL_2), GLOBALS, &pickle, &err))
		fail_msg("%s", err.text);
	const PickleValue *root = pickle_root(pickle), *list = get(root, "a"), *tuple = get(root, "b");
	int64_t value;
	assert_true(pickle_int(pickle_at(list, 0), &value) && value == 1);
	assert_true(pickle_int(pickle_at(list, 1), &value) && value == -2);
	assert_true(pickle_int(pickle_at(list, 2), &value) && value == 70000);
	assert_null(pickle_at(list, 3));
	assert_int_equal(pickle_at(tuple, 0)->kind, PICKLE_BOOL);
	assert_int_equal(pickle_at(tuple, 1)->kind, PICKLE_NONE);
	assert_true(pickle_at(tuple, 2)->number == 0.5);
	assert_true(pickle_is_call(get(root, "c"), "collections.OrderedDict"));
	assert_true(pickle_int(get(get(root, "c"), "x"), &value) && value == 3);
	assert_null(get(root, "d"));
	pickle_free(pickle);
}

static void pickle_of_protocol_4_is_read(void **state)
{
	(void) state;
	Pickle *pickle = NULL;
	Error err = { 0 };
	if (pickle_parse(BYTES(PROTOCOL_4), GLOBALS, &pickle, &err))
		fail_msg("%s", err.text);
	assert_true(pickle_is_global(get(pickle_root(pickle), "activation_fn"), "torch.nn.modules.activation.ReLU"));
	pickle_free(pickle);
}

static void assert_refused(const char *bytes, size_t len, const char *word)
{
	Pickle *pickle = NULL;
	Error err = { 0 };
	assert_int_equal(pickle_parse(bytes, len, GLOBALS, &pickle, &err), ERR_BAD_MODEL);
	assert_null(pickle);
	if (!strstr(err.text, word))
		fail_msg("\"%s\" does not say %s", err.text, word);
}

static void what_is_not_data_is_refused_by_name(void **state)
{
	(void) state;
	assert_refused(BYTES("\x80\x02" "cposix\nsystem\nX\x02\x00\x00\x00idq\x00\x85R."), "posix.system");
	assert_refused(BYTES("\x80\x04\x8c\x08" "builtins\x8c\x04" "eval\x93."), "builtins.eval");
	assert_refused(BYTES("\x80\x02" "ios\nsystem\n."), "opcode 0x69");
	assert_refused(BYTES("\x80\x02K\x01K\x02\x85R."), "a call of what is no global");
	assert_refused(BYTES("\x80\x02}q\x00" "b."), "a state without its object");
	assert_refused(BYTES("\x80\x02K\x01K\x02."), "more or less than one value");
	assert_refused(BYTES("\x80\x02."), "more or less than one value");
	assert_refused(BYTES("\x80\x02h\x05."), "a memo that was never set");
	assert_refused(BYTES("\x80\x02r\xff\xff\xff\xff."), "a memo out of range");
	assert_refused(BYTES("\x80\x02K\x01r\xff\xff\xff\xff."), "a memo out of range");
	assert_refused(BYTES("\x80\x02X\xff\xff\xff\xff" "abc."), "cut short");
	assert_refused(BYTES("\x80\x02](K\x01."), "more or less than one value");
	assert_refused(BYTES("\x80\x02t."), "without its mark");
	assert_refused(BYTES("\x80\x02}(K\x01u."), "items for what has none");
	assert_refused(BYTES("\x80\x02K\x01(K\x01" "e."), "items for what has none");
}

static void a_pickle_cut_anywhere_is_refused(void **state)
{
	(void) state;
	for (size_t len = 0; len + 1 < sizeof PROTOCOL_2; len++) {
		char *bytes = malloc(len + 1); /* of its own, so that a read past the end shows */
		assert_non_null(bytes);
		memcpy(bytes, PROTOCOL_2, len);
		assert_refused(bytes, len, "pickle: ");
		free(bytes);
	}
}

static void walk(const PickleValue *value, int depth)
{
	if (!value || depth > 8)
		return;
	for (const PickleItem *item = value->first; item; item = item->next)
		walk(item->value, depth + 1);
	walk(value->args, depth + 1);
}

static void changed_pickles_are_refused_or_read(void **state)
{
	(void) state;
	Rng rng;
	rng_init(&rng, 3, 0, RNG_EVAL);
	for (int round = 0; round < 30000; round++) {
		char bytes[sizeof PROTOCOL_2 - 1];
		memcpy(bytes, PROTOCOL_2, sizeof bytes);
		for (uint32_t i = 0; i <= rng_below(&rng, 3); i++)
			bytes[rng_below(&rng, sizeof bytes)] =
				round % 2 ? (char) rng_u32(&rng) : PROTOCOL_2[rng_below(&rng, sizeof bytes)];
		Pickle *pickle = NULL;
		Error err = { 0 };
		int code = pickle_parse(bytes, sizeof bytes, GLOBALS, &pickle, &err);
		assert_true(code == 0 || (code == ERR_BAD_MODEL && err.text[0]));
		if (!code)
			walk(pickle_root(pickle), 0);
		pickle_free(pickle);
	}
}

static void what_is_written_reads_back(void **state)
{
	(void) state;
	StrBuf out = { 0 };
	Pickle *pickle = NULL;
	int64_t value;
	pickle_op(&out, PICKLE_BEGIN PICKLE_DICT_EMPTY PICKLE_MARK);
	pickle_put_string(&out, "n");
	pickle_put_int(&out, -5);
	pickle_put_string(&out, "x");
	pickle_put_float(&out, -0.1);
	pickle_put_string(&out, "g");
	pickle_put_global(&out, "collections", "OrderedDict");
	pickle_op(&out, PICKLE_DICT_ITEMS PICKLE_END);
	assert_int_equal(pickle_parse(out.data, out.len, GLOBALS, &pickle, NULL), 0);
	assert_true(pickle_int(get(pickle_root(pickle), "n"), &value) && value == -5);
	assert_true(get(pickle_root(pickle), "x")->number == -0.1);
	assert_true(pickle_is_global(get(pickle_root(pickle), "g"), GLOBALS[0]));
	pickle_free(pickle);
	strbuf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pickle_of_protocol_2_is_read),
		cmocka_unit_test(pickle_of_protocol_4_is_read),
		cmocka_unit_test(what_is_not_data_is_refused_by_name),
		cmocka_unit_test(a_pickle_cut_anywhere_is_refused),
		cmocka_unit_test(changed_pickles_are_refused_or_read),
		cmocka_unit_test(what_is_written_reads_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
