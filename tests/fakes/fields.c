/* See fields.h. */
#include "fields.h"

#include <math.h>
#include <string.h>

enum { FIELDS_MAX = 64 }; /* bits of seen */

static void fail(const Fields *fields, const char *key, const char *what)
{
	if (!fields->err->code)
		(void) error_set(fields->err, ERR_INVALID, "%s: field \"%s\": %s", fields->where, key, what);
}

Fields fields_of(const Json *object, const Json *defaults, const char *where, Error *err)
{
	Fields fields = { .object = object, .defaults = defaults, .where = where, .err = err };
	if (!err->code && !json_is_object(object))
		(void) error_set(err, ERR_INVALID, "%s: not an object", where);
	if (!err->code && json_len(object) > FIELDS_MAX)
		(void) error_set(err, ERR_INVALID, "%s: more than %d fields", where, (int) FIELDS_MAX);
	return fields;
}

bool fields_has(const Fields *fields, const char *key)
{
	return json_get(fields->object, key) != NULL;
}

const Json *fields_value(Fields *fields, const char *key)
{
	if (fields->err->code)
		return NULL;
	int i = 0;
	for (const Json *child = json_first(fields->object); child; child = json_next(child), i++)
		if (!strcmp(json_key(child), key)) {
			fields->seen |= UINT64_C(1) << i;
			return child;
		}
	return json_get(fields->defaults, key);
}

int64_t fields_int(Fields *fields, const char *key, int64_t lo, int64_t hi)
{
	int64_t value;
	if (!json_int(fields_value(fields, key), &value)) {
		fail(fields, key, "a whole number is wanted");
		return 0;
	}
	if (value < lo || value > hi)
		fail(fields, key, "out of range");
	return value;
}

int32_t fields_i32(Fields *fields, const char *key, int32_t lo)
{
	int64_t value = fields_int(fields, key, lo, INT32_MAX);
	return fields->err->code ? 0 : (int32_t) value;
}

double fields_number(Fields *fields, const char *key)
{
	double value = 0;
	if (!json_number(fields_value(fields, key), &value))
		fail(fields, key, "a number is wanted");
	return value;
}

int64_t fields_ms(Fields *fields, const char *key)
{
	double ms = fields_number(fields, key) * 1000.0;
	if (ms == floor(ms) && fabs(ms) <= 9e15)
		return (int64_t) ms;
	fail(fields, key, "seconds of whole milliseconds are wanted");
	return 0;
}

bool fields_bool(Fields *fields, const char *key)
{
	bool value = false;
	if (!json_bool(fields_value(fields, key), &value))
		fail(fields, key, "true or false is wanted");
	return value;
}

const char *fields_text(Fields *fields, const char *key)
{
	const char *text = json_string(fields_value(fields, key));
	if (!text)
		fail(fields, key, "a string is wanted");
	return text ? text : "";
}

int fields_word(Fields *fields, const char *key, const char *const *word, int n)
{
	const char *text = fields_text(fields, key);
	for (int i = 0; i < n; i++)
		if (!strcmp(text, word[i]))
			return i;
	fail(fields, key, "not a word of its list");
	return 0;
}

const Json *fields_list(Fields *fields, const char *key)
{
	const Json *list = fields_value(fields, key);
	if (!list || json_is_array(list))
		return list;
	fail(fields, key, "an array is wanted");
	return NULL;
}

void fields_end(const Fields *fields)
{
	int i = 0;
	for (const Json *child = json_first(fields->object); child && !fields->err->code; child = json_next(child), i++)
		if (!(fields->seen >> i & 1))
			fail(fields, json_key(child), "not known here");
}
