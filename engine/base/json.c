/* See json.h: a narrow door to cJSON. A Json is a cJSON under another name. */
#include "base/json.h"

#include "base/mem.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define EXACT_DIGITS INT64_C(1000000000000000)

static cJSON *raw(const Json *value)
{
	return (cJSON *) (uintptr_t) value;
}

static Json *wrap(cJSON *value)
{
	return (Json *) value;
}

int json_parse(const char *text, size_t len, Json **ret_root, Error *err)
{
	const char *end = text;
	cJSON *root = cJSON_ParseWithLengthOpts(text, len, &end, 0);
	if (!root) {
		size_t at = end >= text && (size_t) (end - text) <= len ? (size_t) (end - text) : 0;
		int shown = (int) (len - at < 24 ? len - at : 24);
		return error_set(err, ERR_PARSE, "not JSON at byte %zu of %zu, near \"%.*s\"", at, len, shown, text + at);
	}
	for (; end < text + len; end++)
		if (!memchr(" \t\r\n", *end, 4)) {
			cJSON_Delete(root);
			return error_set(err, ERR_PARSE, "text after the JSON value at byte %zu", (size_t) (end - text));
		}
	*ret_root = wrap(root);
	return 0;
}

void json_free(Json *root)
{
	cJSON_Delete(raw(root));
}

const Json *json_get(const Json *value, const char *path)
{
	const cJSON *at = raw(value);
	while (at) {
		const char *dot = strchr(path, '.');
		if (!dot)
			return wrap(cJSON_GetObjectItemCaseSensitive(at, path));
		char key[128];
		size_t len = (size_t) (dot - path);
		if (len >= sizeof key)
			return NULL;
		memcpy(key, path, len);
		key[len] = '\0';
		at = cJSON_GetObjectItemCaseSensitive(at, key);
		path = dot + 1;
	}
	return NULL;
}

const Json *json_first(const Json *value)
{
	return value && (json_is_array(value) || json_is_object(value)) ? wrap(raw(value)->child) : NULL;
}

const Json *json_next(const Json *child)
{
	return child ? wrap(raw(child)->next) : NULL;
}

const char *json_key(const Json *child)
{
	return child && raw(child)->string ? raw(child)->string : "";
}

size_t json_len(const Json *value)
{
	size_t n = 0;
	for (const Json *child = json_first(value); child; child = json_next(child))
		n++;
	return n;
}

bool json_is_array(const Json *value)
{
	return cJSON_IsArray(raw(value));
}

bool json_is_object(const Json *value)
{
	return cJSON_IsObject(raw(value));
}

bool json_is_null(const Json *value)
{
	return cJSON_IsNull(raw(value));
}

bool json_number(const Json *value, double *ret)
{
	if (!cJSON_IsNumber(raw(value)))
		return false;
	*ret = raw(value)->valuedouble;
	return true;
}

bool json_int(const Json *value, int64_t *ret)
{
	double number;
	if (!json_number(value, &number) || floor(number) != number || fabs(number) > 9007199254740992.0)
		return false;
	*ret = (int64_t) number;
	return true;
}

bool json_bool(const Json *value, bool *ret)
{
	if (!cJSON_IsBool(raw(value)))
		return false;
	*ret = cJSON_IsTrue(raw(value));
	return true;
}

const char *json_string(const Json *value)
{
	return cJSON_IsString(raw(value)) ? raw(value)->valuestring : NULL;
}

const char *json_string_or(const Json *value, const char *path, const char *otherwise)
{
	const char *string = json_string(json_get(value, path));
	return string ? string : otherwise;
}

double json_number_or(const Json *value, const char *path, double otherwise)
{
	(void) json_number(json_get(value, path), &otherwise);
	return otherwise;
}

int64_t json_int_or(const Json *value, const char *path, int64_t otherwise)
{
	(void) json_int(json_get(value, path), &otherwise);
	return otherwise;
}

Json *json_new_object(void)
{
	return wrap(cJSON_CreateObject());
}

Json *json_new_array(void)
{
	return wrap(cJSON_CreateArray());
}

/* False when value could not be added; it is freed then, and the tree is marked so that it does not print: what is half built
 * must not be taken for the whole (a scale without its replicas reads as 0). */
static bool add(Json *to, const char *key, Json *value)
{
	if (!to || !value || !(key ? cJSON_AddItemToObject(raw(to), key, raw(value)) : cJSON_AddItemToArray(raw(to), raw(value)))) {
		cJSON_Delete(raw(value));
		if (to)
			raw(to)->type = cJSON_Invalid;
		return false;
	}
	return true;
}

void json_add(Json *to, const char *key, Json *value)
{
	(void) add(to, key, value);
}

void json_add_number(Json *to, const char *key, double value)
{
	json_add(to, key, wrap(isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull()));
}

void json_add_int(Json *to, const char *key, int64_t value)
{
	char digits[24]; /* cJSON prints 15 of a number's digits, which is not all of a large integer's */
	bool is_short = value > -EXACT_DIGITS && value < EXACT_DIGITS;
	(void) snprintf(digits, sizeof digits, "%" PRId64, value);
	json_add(to, key, wrap(is_short ? cJSON_CreateNumber((double) value) : cJSON_CreateRaw(digits)));
}

void json_add_bool(Json *to, const char *key, bool value)
{
	json_add(to, key, wrap(cJSON_CreateBool(value)));
}

void json_add_string(Json *to, const char *key, const char *value)
{
	json_add(to, key, wrap(value ? cJSON_CreateString(value) : cJSON_CreateNull()));
}

void json_add_null(Json *to, const char *key)
{
	json_add(to, key, wrap(cJSON_CreateNull()));
}

Json *json_add_object(Json *to, const char *key)
{
	Json *object = json_new_object();
	return add(to, key, object) ? object : NULL;
}

Json *json_add_array(Json *to, const char *key)
{
	Json *array = json_new_array();
	return add(to, key, array) ? array : NULL;
}

Json *json_detach_first(Json *from)
{
	return json_first(from) ? wrap(cJSON_DetachItemViaPointer(raw(from), raw(from)->child)) : NULL;
}

char *json_print(const Json *value)
{
	return value ? cJSON_PrintUnformatted(raw(value)) : NULL;
}
