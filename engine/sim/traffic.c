/*
 * See traffic.h. A kind is a row: its keys with their defaults, and the function that fills the rates. Levels are in
 * parts of the peak; the trace is scaled so that its largest rate is 1.
 *
 * Random kinds: onoff is a Markov-modulated Poisson process of two states (the simulator makes the arrivals of the rate
 * Poisson); noise is fractional Gaussian noise, exact by the recursion of Durbin and Levinson (Hosking 1984).
 */
#include "sim/traffic.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 8, ROWS_MAX = 200000, STAGES_MAX = 64 };

typedef struct Key {
	const char *name;
	double value, min, max;
} Key;

typedef struct Stage {
	double seconds, target;
} Stage;

typedef struct Shape { /* what a kind's function is given */
	double value[KEYS];  /* of its keys */
	double step_s;
	size_t n;
	double *rate;
	Rng rng;
	Stage stage[STAGES_MAX];
	int n_stages;
} Shape;

typedef struct Kind {
	const char *name, *what;
	Key key[KEYS];
	double length_s, step_s;
	int (*fill)(Shape *shape);
} Kind;

static double time_at(const Shape *shape, size_t i)
{
	return (double) i * shape->step_s;
}

static int fill_constant(Shape *shape)
{
	for (size_t i = 0; i < shape->n; i++)
		shape->rate[i] = 1.0;
	return 0;
}

static int fill_step(Shape *shape) /* period, low */
{
	for (size_t i = 0; i < shape->n; i++)
		shape->rate[i] = fmod(time_at(shape, i), shape->value[0]) < .5 * shape->value[0] ? shape->value[1] : 1.0;
	return 0;
}

static int fill_ramp(Shape *shape) /* rise, hold, fall, rest, low */
{
	const double *v = shape->value;
	double period = v[0] + v[1] + v[2] + v[3];
	for (size_t i = 0; i < shape->n; i++) {
		double t = fmod(time_at(shape, i), period), up = fmin(t / fmax(v[0], 1e-9), 1.0);
		double down = fmin(fmax((t - v[0] - v[1]) / fmax(v[2], 1e-9), 0.0), 1.0);
		shape->rate[i] = v[4] + (1.0 - v[4]) * (up - down);
	}
	return 0;
}

/* Bumps over a base, one in each slot of `every`, at a random place in it: up over `rise`, flat, down over `decay`. */
static void add_bumps(Shape *shape, double every, double rise, double hold, double decay, double (*height)(Shape *shape))
{
	double length = (double) shape->n * shape->step_s, whole = rise + hold + decay;
	for (double slot = 0.0; slot + every <= length + 1e-9; slot += every) {
		double start = slot + fmax(every - whole, 0.0) * rng_uniform(&shape->rng), top = height(shape);
		for (size_t i = (size_t) (start / shape->step_s); i < shape->n && time_at(shape, i) < start + whole; i++) {
			double t = time_at(shape, i) - start, up = fmin(fmax(t / fmax(rise, 1e-9), 0.0), 1.0);
			double down = fmin(fmax((t - rise - hold) / fmax(decay, 1e-9), 0.0), 1.0);
			shape->rate[i] += top * (up - down);
		}
	}
}

static double height_of_spike(Shape *shape)
{
	return 1.0 - shape->value[4];
}

static int fill_spike(Shape *shape) /* every, rise, hold, decay, base */
{
	const double *v = shape->value;
	for (size_t i = 0; i < shape->n; i++)
		shape->rate[i] = v[4];
	add_bumps(shape, v[0], v[1], v[2], v[3], height_of_spike);
	return 0;
}

static int fill_diurnal(Shape *shape) /* period, low, second, noise */
{
	const double *v = shape->value;
	double state = 0.0, keep = exp(-shape->step_s / 600.0);
	for (size_t i = 0; i < shape->n; i++) {
		double phase = 2.0 * M_PI * fmod(time_at(shape, i), v[0]) / v[0];
		double wave = (1.0 - cos(phase) + v[2] * (1.0 - cos(2.0 * phase - 1.0))) / (2.0 + 2.0 * v[2]);
		state = keep * state + sqrt(1.0 - keep * keep) * rng_normal(&shape->rng);
		shape->rate[i] = fmax(v[1] + (1.0 - v[1]) * wave, 0.0) * fmax(1.0 + v[3] * state, 0.0);
	}
	return 0;
}

/* Twice to ten times the calm rate, each as likely in the logarithm. */
static double height_of_flash(Shape *shape)
{
	return exp(log(2.0) + log(5.0) * rng_uniform(&shape->rng)) - 1.0;
}

static int fill_flash(Shape *shape) /* every, rise, hold, decay */
{
	const double *v = shape->value;
	double state = 0.0, keep = exp(-shape->step_s / 600.0);
	for (size_t i = 0; i < shape->n; i++) {
		state = keep * state + sqrt(1.0 - keep * keep) * rng_normal(&shape->rng);
		shape->rate[i] = fmax(1.0 + .1 * state, 0.0);
	}
	add_bumps(shape, v[0], v[1], v[2], v[3], height_of_flash);
	return 0;
}

static int fill_onoff(Shape *shape) /* on, off, low */
{
	bool is_on = false;
	double until = 0.0;
	for (size_t i = 0; i < shape->n; i++) {
		while (time_at(shape, i) >= until) {
			is_on = !is_on;
			until += shape->value[is_on ? 0 : 1] * rng_exponential(&shape->rng);
		}
		shape->rate[i] = is_on ? 1.0 : shape->value[2];
	}
	return 0;
}

/* Autocovariance of fractional Gaussian noise of deviation 1. */
static double fractional(double lag, double hurst)
{
	return .5 * (pow(lag + 1.0, 2.0 * hurst) - 2.0 * pow(lag, 2.0 * hurst) + pow(fabs(lag - 1.0), 2.0 * hurst));
}

static int fill_noise(Shape *shape) /* hurst, deviation */
{
	size_t n = shape->n;
	double *weight = mem_block(n, sizeof *weight), *last = mem_block(n, sizeof *last), *x = mem_block(n, sizeof *x);
	double variance = 1.0;
	bool is_there = weight && last && x;
	if (is_there)
		x[0] = rng_normal(&shape->rng);
	for (size_t i = 1; i < n && is_there; i++) {
		double reflection = fractional((double) i, shape->value[0]), mean = 0.0;
		memcpy(last, weight, (i - 1) * sizeof *weight);
		for (size_t j = 0; j + 1 < i; j++)
			reflection -= last[j] * fractional((double) (i - 1 - j), shape->value[0]);
		reflection /= variance;
		for (size_t j = 0; j + 1 < i; j++)
			weight[j] = last[j] - reflection * last[i - 2 - j];
		weight[i - 1] = reflection;
		variance *= 1.0 - reflection * reflection;
		for (size_t j = 0; j < i; j++)
			mean += weight[j] * x[i - 1 - j];
		x[i] = mean + sqrt(variance) * rng_normal(&shape->rng);
	}
	for (size_t i = 0; i < n && is_there; i++)
		shape->rate[i] = fmax(1.0 + shape->value[1] * x[i], 0.0);
	free(weight);
	free(last);
	free(x);
	return is_there ? 0 : ERR_NOMEM;
}

/* k6's: from the target before to this one, linearly, over the stage's duration; the first starts at 0. */
static int fill_stages(Shape *shape)
{
	double start = 0.0, from = 0.0;
	int k = 0;
	for (size_t i = 0; i < shape->n; i++) {
		double t = time_at(shape, i);
		while (k < shape->n_stages - 1 && t >= start + shape->stage[k].seconds) {
			start += shape->stage[k].seconds;
			from = shape->stage[k++].target;
		}
		shape->rate[i] = from + (shape->stage[k].target - from) * fmin((t - start) / shape->stage[k].seconds, 1.0);
	}
	return 0;
}

#define DAY 86400.0
static const Kind KINDS[] = { /* name, what, keys with default and bounds, length and step in s */
	{ "constant", "the peak, always", { { 0 } }, 3600, 60, fill_constant },
	{ "step", "between low and the peak, half of the period each",
	  { { "period", 3600, 20, DAY }, { "low", .3, 0, 1 } }, 43200, 5, fill_step },
	{ "ramp", "up, hold, down, rest", { { "rise", 1200, 0, DAY }, { "hold", 600, 0, DAY }, { "fall", 1200, 0, DAY },
	  { "rest", 600, 0, DAY }, { "low", .1, 0, 1 } }, 43200, 5, fill_ramp },
	{ "spike", "one to the peak in every slot, at a random place in it", { { "every", 1800, 60, DAY }, { "rise", 30, 0, DAY },
	  { "hold", 120, 0, DAY }, { "decay", 180, 0, DAY }, { "base", .25, 0, 1 } }, 43200, 5, fill_spike },
	{ "diurnal", "a day's two harmonics, and noise", { { "period", DAY, 60, 30 * DAY }, { "low", .15, 0, 1 },
	  { "second", .4, 0, 10 }, { "noise", .05, 0, 1 } }, 7 * DAY, 60, fill_diurnal },
	{ "flash", "flash crowds of 2 to 10 times the calm rate", { { "every", 7200, 60, DAY }, { "rise", 60, 0, DAY },
	  { "hold", 120, 0, DAY }, { "decay", 900, 0, DAY } }, 2 * DAY, 10, fill_flash },
	{ "onoff", "two states with exponential stays (Markov-modulated Poisson)", { { "on", 180, 1, DAY },
	  { "off", 420, 1, DAY }, { "low", .2, 0, 1 } }, DAY, 5, fill_onoff },
	{ "noise", "fractional Gaussian noise around a mean", { { "hurst", .8, .5, .99 }, { "deviation", .25, 0, 2 } },
	  DAY, 20, fill_noise },
	{ "stages", "k6's DURATION:TARGET in a row, targets are virtual users who think for 1 s; open=1: requests a second",
	  { { "think", 1, 0, 3600 }, { "open", 0, 0, 1 } }, 0, 5, fill_stages },
};
enum { N_KINDS = sizeof KINDS / sizeof *KINDS };
static const char STAGES_DEFAULT[] = "5m:100,30m:100,5m:0";

/* ---- reading a spec ---- */

/* A number, or a time with its unit in seconds; the text after it, NULL where there is none. */
static const char *read_value(const char *text, double *ret)
{
	static const struct {
		const char *unit;
		double seconds;
	} units[] = { { "ms", .001 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", DAY } };
	char *end;
	double value = strtod(text, &end);
	if (end == text || !isfinite(value))
		return NULL;
	*ret = value;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (!strncmp(end, units[i].unit, strlen(units[i].unit))) {
			*ret = value * units[i].seconds;
			return end + strlen(units[i].unit);
		}
	return end;
}

static int at_most_40(size_t len)
{
	return len < 40 ? (int) len : 40;
}

static int bad(Error *err, const Kind *kind, const char *item, const char *what)
{
	return error_set(err, ERR_USAGE, "traffic %s: \"%.*s\": %s", kind->name, at_most_40(strcspn(item, ",")), item, what);
}

static int read_stage(const Kind *kind, const char *item, Shape *shape, Error *err)
{
	Stage *stage = &shape->stage[shape->n_stages];
	if (shape->n_stages == STAGES_MAX)
		return bad(err, kind, item, "a stage too many");
	const char *end = read_value(item, &stage->seconds);
	end = end && *end == ':' ? read_value(end + 1, &stage->target) : NULL;
	if (!end || (*end && *end != ',') || !(stage->seconds > 0.0 && stage->target >= 0.0))
		return bad(err, kind, item, "write DURATION:TARGET, as 5m:100");
	shape->n_stages++;
	return 0;
}

static int read_key(const Kind *kind, const char *item, Shape *shape, double *length_s, double *step_s, Error *err)
{
	size_t len = strcspn(item, "=");
	char known[160] = "";
	double value;
	const char *end = read_value(item + len + 1, &value);
	if (!end || (*end && *end != ','))
		return bad(err, kind, item, "the value is not a number or a time");
	if (len == 6 && !strncmp(item, "length", 6))
		return value >= 60.0 && value <= 365.0 * DAY ? (*length_s = value, 0) : bad(err, kind, item, "must be 1m to 365d");
	if (len == 4 && !strncmp(item, "step", 4))
		return value >= 1.0 && value <= 3600.0 ? (*step_s = value, 0) : bad(err, kind, item, "must be 1s to 1h");
	for (int k = 0; k < KEYS && kind->key[k].name; k++) {
		const Key *key = &kind->key[k];
		if (strlen(key->name) == len && !strncmp(key->name, item, len)) {
			if (!(value >= key->min && value <= key->max))
				return error_set(err, ERR_USAGE, "traffic %s: %s is %g, must be %g to %g", kind->name, key->name, value,
				                 key->min, key->max);
			shape->value[k] = value;
			return 0;
		}
		(void) snprintf(known + strlen(known), sizeof known - strlen(known), "%s, ", key->name);
	}
	return error_set(err, ERR_USAGE, "traffic %s: no key \"%.*s\"; it has %slength, step", kind->name, at_most_40(len),
	                 item, known);
}

static int read_items(const Kind *kind, const char *items, Shape *shape, double *length_s, double *step_s, Error *err)
{
	for (const char *item = items; item && *item;) {
		size_t len = strcspn(item, ",");
		bool is_key = memchr(item, '=', len) != NULL;
		int code = is_key ? read_key(kind, item, shape, length_s, step_s, err)
			: kind->fill == fill_stages ? read_stage(kind, item, shape, err) : bad(err, kind, item, "write key=value");
		if (code)
			return code;
		item += len + (item[len] == ',');
	}
	return 0;
}

static const Kind *find_kind(const char *spec, Error *err)
{
	size_t len = strcspn(spec, ":");
	char known[128] = "";
	for (int i = 0; i < N_KINDS; i++) {
		if (strlen(KINDS[i].name) == len && !strncmp(KINDS[i].name, spec, len))
			return &KINDS[i];
		(void) snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "", KINDS[i].name);
	}
	(void) error_set(err, ERR_USAGE, "traffic \"%.*s\" is not known; there are %s", at_most_40(len), spec, known);
	return NULL;
}

/* ---- making it ---- */

static int scale_to_peak(const Kind *kind, Shape *shape, Traffic *traffic, Error *err)
{
	double peak = 0.0;
	for (size_t i = 0; i < shape->n; i++)
		peak = fmax(peak, shape->rate[i]);
	if (!(peak > 0.0))
		return error_set(err, ERR_USAGE, "traffic %s: every rate is 0", kind->name);
	for (size_t i = 0; i < shape->n; i++)
		shape->rate[i] /= peak;
	traffic->trace.peak_rps = kind->fill == fill_stages ? peak : 0.0;
	traffic->peak = traffic->trace.peak_rps;
	return 0;
}

static int make(const Kind *kind, Shape *shape, double length_s, double step_s, Traffic *traffic, Error *err)
{
	double rows = ceil(length_s / step_s);
	double most = kind->fill == fill_noise ? ROWS_MAX / 10 : ROWS_MAX; /* its time grows with the square */
	if (!(rows >= 2.0 && rows <= most))
		return error_set(err, ERR_USAGE, "traffic %s: %g rows of %g s; must be 2 to %g", kind->name, rows, step_s, most);
	shape->n = (size_t) rows;
	shape->step_s = step_s;
	shape->rate = malloc(shape->n * sizeof *shape->rate);
	int code = shape->rate ? kind->fill(shape) : ERR_NOMEM;
	if (code)
		(void) error_set(err, code, "traffic %s: %s", kind->name, err_text(code));
	else
		code = scale_to_peak(kind, shape, traffic, err);
	if (code) {
		free(shape->rate);
		return code;
	}
	traffic->trace.rate = shape->rate;
	traffic->trace.n = shape->n;
	traffic->trace.step_s = step_s;
	str_copy(traffic->trace.name, sizeof traffic->trace.name, kind->name);
	return 0;
}

/* Without stages the default ones; the trace is as long as they are. */
static int settle_stages(const Kind *kind, Shape *shape, Traffic *traffic, double *length_s, Error *err)
{
	double step_s, whole_s = 0.0;
	int code = shape->n_stages ? 0 : read_items(kind, STAGES_DEFAULT, shape, length_s, &step_s, err);
	for (int k = 0; k < shape->n_stages; k++)
		whole_s += shape->stage[k].seconds;
	if (*length_s <= 0.0)
		*length_s = whole_s;
	traffic->think_s = shape->value[1] > 0.0 ? 0.0 : fmax(shape->value[0], 1e-3);
	return code;
}

int traffic_make(const char *spec, uint64_t seed, Traffic *ret_traffic, Error *err)
{
	Shape shape = { .n = 0 };
	Traffic traffic = { .think_s = 0.0 };
	const Kind *kind = find_kind(spec, err);
	if (!kind)
		return ERR_USAGE;
	double length_s = kind->length_s, step_s = kind->step_s;
	for (int k = 0; k < KEYS; k++)
		shape.value[k] = kind->key[k].value;
	rng_init(&shape.rng, seed, UINT32_MAX, RNG_TRAFFIC); /* an id that no environment has */
	const char *items = strchr(spec, ':');
	int code = read_items(kind, items ? items + 1 : "", &shape, &length_s, &step_s, err);
	if (!code && kind->fill == fill_stages)
		code = settle_stages(kind, &shape, &traffic, &length_s, err);
	if (!code)
		code = make(kind, &shape, length_s, step_s, &traffic, err);
	if (!code)
		*ret_traffic = traffic;
	return code;
}
