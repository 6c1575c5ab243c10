/* See numbers.h. */
#include "tests/fakes/numbers.h"

#include <string.h>

const Json *member_of(const Json *object, const char *key)
{
	for (const Json *at = json_first(object); at; at = json_next(at))
		if (json_key(at) && !strcmp(json_key(at), key))
			return at;
	return NULL;
}

static bool read_flat(const Json *value, size_t n, double *ret, size_t *at)
{
	bool truth;
	if (json_is_array(value)) {
		for (const Json *child = json_first(value); child; child = json_next(child))
			if (!read_flat(child, n, ret, at))
				return false;
		return true;
	}
	if (*at >= n)
		return false;
	if (json_bool(value, &truth))
		ret[(*at)++] = truth;
	else if (json_number(value, &ret[*at]))
		(*at)++;
	else
		return false;
	return true;
}

bool read_numbers(const Json *value, size_t n, double *ret)
{
	size_t at = 0;
	return json_is_array(value) && read_flat(value, n, ret, &at) && at == n;
}
