/* See predict_body.h. */
#include "serve/predict_body.h"

#include "base/json.h"
#include "decide/observation.h"

#include <math.h>

static int read_number(const Json *value, const char *name, float *ret, Error *err)
{
	double number;
	if (!value)
		return error_set(err, ERR_INVALID, "%s is missing", name);
	if (!json_number(value, &number) || !isfinite((float) number))
		return error_set(err, ERR_INVALID, "%s is not a finite number", name);
	*ret = (float) number;
	return 0;
}

static int read_keys(const PredictInput *input, const Json *root, PredictBody *ret, Error *err)
{
	if (!input->is_seed)
		return error_set(err, ERR_INVALID, "this model takes \"observation\": an array of %d numbers", (int) input->dim);
	for (int32_t i = 0; i < input->dim; i++) {
		const char *name = observation_feature(OBS_SEED, i);
		int code = read_number(json_get(root, name), name, &ret->x[i], err);
		if (code)
			return code;
	}
	return 0;
}

static int read_vector(const PredictInput *input, const Json *vector, PredictBody *ret, Error *err)
{
	if (!json_is_array(vector) || json_len(vector) != (size_t) input->dim)
		return error_set(err, ERR_INVALID, "observation is not an array of %d numbers", (int) input->dim);
	int32_t i = 0;
	for (const Json *item = json_first(vector); item; item = json_next(item), i++) {
		int code = read_number(item, "a number of observation", &ret->x[i], err);
		if (code)
			return code;
	}
	return 0;
}

static int read_mask(const PredictInput *input, const Json *mask, PredictBody *ret, Error *err)
{
	ret->mask = (1u << input->n_actions) - 1;
	if (!mask)
		return 0;
	uint32_t bits = 0;
	int32_t i = 0;
	for (const Json *item = json_is_array(mask) ? json_first(mask) : NULL; item; item = json_next(item), i++) {
		int64_t number;
		bool flag;
		if (json_int(item, &number) && (number == 0 || number == 1))
			flag = number == 1;
		else if (!json_bool(item, &flag))
			break;
		bits |= flag && i < 32 ? 1u << i : 0u;
	}
	if (i != input->n_actions || json_len(mask) != (size_t) i)
		return error_set(err, ERR_INVALID, "mask is not an array of %d times 0 or 1", (int) input->n_actions);
	if (!bits)
		return error_set(err, ERR_INVALID, "mask forbids every action");
	ret->mask = bits;
	return 0;
}

int predict_body_read(const PredictInput *input, const char *text, size_t len, PredictBody *ret, Error *err)
{
	Json *root = NULL;
	int code = json_parse(text, len, &root, err);
	if (code)
		return ERR_INVALID;
	const Json *vector = json_get(root, "observation");
	if (!json_is_object(root))
		code = error_set(err, ERR_INVALID, "the body is not a JSON object");
	else
		code = vector ? read_vector(input, vector, ret, err) : read_keys(input, root, ret, err);
	if (!code)
		code = read_mask(input, json_get(root, "mask"), ret, err);
	json_free(root);
	return code;
}
