/* See predict_body.h. */
#include "serve/predict_body.h"

#include "base/json.h"
#include "decide/observation.h"

#include <math.h>
#include <string.h>

/* ---- the usual body, without a tree ---- */

enum { DIGITS_MAX = 15 }; /* exact in a double */

typedef struct Scan {
	const char *at, *end;
} Scan;

static void scan_space(Scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
		s->at++;
}

static bool scan_char(Scan *s, char c)
{
	scan_space(s);
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

/* At most so many digits, behind those of *value. How many there are. */
static int scan_digits(Scan *s, int most, int64_t *value)
{
	int n = 0;
	for (; n < most && s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++, n++)
		*value = *value * 10 + (*s->at - '0');
	return n;
}

/* -12.5: few enough digits that they and the power of ten are exact, and one division rounds as strtod does. */
static bool scan_number(Scan *s, float *ret)
{
	static const double powers[DIGITS_MAX + 1] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
	bool is_negative = scan_char(s, '-');
	const char *first = s->at;
	int64_t value = 0;
	int whole = scan_digits(s, DIGITS_MAX, &value), part = 0;
	if (!whole || (whole > 1 && *first == '0'))
		return false;
	if (s->at < s->end && *s->at == '.') {
		s->at++;
		part = scan_digits(s, DIGITS_MAX - whole, &value);
		if (!part)
			return false;
	} /* more digits, or an exponent, are none of what may follow */
	double number = (double) value / powers[part];
	*ret = (float) (is_negative ? -number : number);
	return true;
}

/* {"cpu_usage":30,...}: each of the model's keys once and nothing else. False: it is something else, right or wrong. */
static bool scan_keys(const PredictInput *input, const char *text, size_t len, float *x)
{
	Scan s = { text, text + len };
	uint32_t seen = 0, all = (1u << input->dim % 32) - 1;
	if (input->dim >= 32 || !scan_char(&s, '{'))
		return false;
	do {
		if (!scan_char(&s, '"'))
			return false;
		const char *name = s.at, *quote = memchr(name, '"', (size_t) (s.end - name));
		size_t name_len = quote ? (size_t) (quote - name) : 0;
		int32_t i = 0;
		while (i < input->dim && (strlen(observation_feature(OBS_SEED, i)) != name_len || memcmp(observation_feature(OBS_SEED, i), name, name_len) != 0))
			i++;
		if (!quote || i == input->dim || seen >> i & 1u)
			return false;
		seen |= 1u << i;
		s.at = quote + 1;
		if (!scan_char(&s, ':') || !scan_number(&s, &x[i]))
			return false;
	} while (scan_char(&s, ','));
	bool ok = scan_char(&s, '}') && seen == all;
	scan_space(&s);
	return ok && s.at == s.end;
}

/* ---- any body ---- */

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
	ret->mask = (1u << input->n_actions) - 1;
	if (input->is_seed && scan_keys(input, text, len, ret->x))
		return 0;
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
