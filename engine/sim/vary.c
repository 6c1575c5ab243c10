/* See vary.h. A row of the table is an axis; a row of the simulator has what it drew as a Drawn. */
#include "sim/core.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum Draw { DRAW_EVEN, DRAW_LOG, DRAW_WHOLE, DRAW_TICKS /* a whole number of sub-steps */ } Draw;

static const struct {
	const char *name;
	Draw draw;
	double least, most;     /* that a range may span */
	double low, high;       /* the usual one */
	const char *range, *help;
} AXIS[SIM_AXES] = {
	[AXIS_CAPACITY] = { "capacity", DRAW_LOG, .1, 10, .7, 1.3, ".7:1.3", "speed of the pods, over what the model says" },
	[AXIS_STARTUP_SPREAD] = { "startup-spread", DRAW_LOG, 1, 20, 1, 4, "1:4", "start of the slowest pod in 100 over the median" },
	[AXIS_NODES] = { "nodes", DRAW_WHOLE, 1, 1000, 1, 3, "1:3", "of the cluster; pods beyond stay Pending" },
	[AXIS_SCRAPE] = { "scrape", DRAW_TICKS, .1, 300, 5, 30, "5:30", "s between scrapes, two of them in every window" },
	[AXIS_METRIC_DELAY] = { "metric-delay", DRAW_TICKS, 0, 600, 5, 60, "5:60", "s by which what is measured is old when it is seen" },
	[AXIS_METRIC_MISSING] = { "metric-missing", DRAW_EVEN, 0, .9, 0, .05, "0:.05", "chance that a metric is not there" },
	[AXIS_METRIC_NOISE] = { "metric-noise", DRAW_EVEN, 0, 1, 0, .1, "0:.1", "deviation of a metric over its value" },
	[AXIS_TREND] = { "trend", DRAW_EVEN, -20, 20, -.5, .5, "-.5:.5", "of the traffic, part a day" },
	[AXIS_FLASH] = { "flash", DRAW_LOG, 1, 100, 2, 10, "2:10", "times the traffic at the top of a flash crowd, one an episode" },
	[AXIS_FLASH_RISE] = { "flash-rise", DRAW_LOG, 1, 3600, 10, 600, "10:600", "s until there (60)" },
	[AXIS_RETRIES] = { "retries", DRAW_EVEN, 0, .95, 0, .3, "0:.3", "tries more that a failed request causes" },
	[AXIS_BACKEND] = { "backend", DRAW_LOG, .0001, 60, .005, .1, ".005:.1", "s that each request waits for another service" },
	[AXIS_INTERVAL] = { "interval", DRAW_TICKS, 1, 600, 10, 60, "10:60", "s between decisions" },
	[AXIS_MIN] = { "min", DRAW_WHOLE, 1, 1000, 1, 3, "1:3", "least replicas" },
	[AXIS_MAX] = { "max", DRAW_WHOLE, 1, 1000, 5, 15, "5:15", "most replicas" },
};

/* Axes that SimVary has besides. */
static const struct {
	const char *name;
	size_t low_at, high_at;
	double least, most, low, high;
	const char *range, *help;
} OLDER[] = {
	{ "startup", offsetof(SimVary, startup_min_s), offsetof(SimVary, startup_max_s), .5, 3600, 5, 120, "5:120", "s from a pod's creation to ready, median" },
	{ "price", offsetof(SimVary, price_min), offsetof(SimVary, price_max), .001, 1000, .05, 3, ".05:3", "of pods (--pod-price)" },
	{ "memory", offsetof(SimVary, memory_min), offsetof(SimVary, memory_max), .001, 1, .03, .9, ".03:.9", "an idle pod's share of the limit that is told" },
};
enum { OLDERS = sizeof OLDER / sizeof *OLDER };

const char *sim_vary_axis(int i, const char **ret_range, const char **ret_help)
{
	if (i < 0 || i >= SIM_AXES + OLDERS)
		return NULL;
	*ret_range = i < SIM_AXES ? AXIS[i].range : OLDER[i - SIM_AXES].range;
	*ret_help = i < SIM_AXES ? AXIS[i].help : OLDER[i - SIM_AXES].help;
	return i < SIM_AXES ? AXIS[i].name : OLDER[i - SIM_AXES].name;
}

/* ---- what a person writes ---- */

/* "LO:HI" up to a comma or the end, where it leaves *at. */
static bool read_range(const char **at, double *ret_low, double *ret_high)
{
	char *end;
	*ret_low = strtod(*at, &end);
	if (end == *at || *end != ':')
		return false;
	const char *second = end + 1;
	*ret_high = strtod(second, &end);
	if (end == second || (*end && *end != ','))
		return false;
	*at = end;
	return true;
}

/* The usual range where the configuration has room for it. */
static SimRange usual(int axis, const SimConfig *config)
{
	SimRange range = { true, AXIS[axis].low, AXIS[axis].high };
	double window = fmin((double) config->latency_window_s, config->service.rate_window);
	if (axis == AXIS_SCRAPE)
		range.high = fmin(range.high, .5 * window);
	if (axis == AXIS_MIN || axis == AXIS_MAX) {
		range.low = fmin(range.low, config->max_replicas);
		range.high = fmin(axis == AXIS_MIN ? range.high : INFINITY, config->max_replicas);
	}
	if (axis == AXIS_MAX)
		range.low = fmin(fmax(range.low, config->min_replicas), range.high);
	return range;
}

static int unknown(const char *word, size_t len, Error *err)
{
	char known[300] = "";
	const char *range, *help, *name;
	for (int i = 0; (name = sim_vary_axis(i, &range, &help)); i++)
		(void) snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "", name);
	return error_set(err, ERR_USAGE, "--vary: no axis \"%.*s\"; there are %s", (int) (len < 30 ? len : 30), word, known);
}

static bool is_word(const char *name, const char *word, size_t len)
{
	return strlen(name) == len && !strncmp(name, word, len);
}

/* Sets an axis; range NULL: its usual one. */
static int set_axis(int i, const SimRange *range, SimConfig *config, Error *err)
{
	bool is_new = i < SIM_AXES;
	double least = is_new ? AXIS[i].least : OLDER[i - SIM_AXES].least, most = is_new ? AXIS[i].most : OLDER[i - SIM_AXES].most;
	const char *name = is_new ? AXIS[i].name : OLDER[i - SIM_AXES].name;
	if (range && !(range->low >= least && range->high <= most && range->low <= range->high))
		return error_set(err, ERR_USAGE, "--vary %s=%g:%g must rise within %g:%g", name, range->low, range->high, least, most);
	if (is_new) {
		config->vary.axis[i] = range ? *range : usual(i, config);
		return 0;
	}
	const double low = range ? range->low : OLDER[i - SIM_AXES].low, high = range ? range->high : OLDER[i - SIM_AXES].high;
	memcpy((char *) &config->vary + OLDER[i - SIM_AXES].low_at, &low, sizeof low);
	memcpy((char *) &config->vary + OLDER[i - SIM_AXES].high_at, &high, sizeof high);
	return 0;
}

int sim_vary_parse(const char *text, SimConfig *config, Error *err)
{
	int code = 0;
	for (const char *at = text; *at && !code; at += *at == ',') {
		size_t len = strcspn(at, "=,");
		const char *word = at, *range_text, *help;
		bool is_all = is_word("all", word, len), is_known = is_all;
		SimRange range = { .is_on = true };
		at += len;
		bool has_range = *at == '=';
		if (has_range && (is_all || (at++, !read_range(&at, &range.low, &range.high))))
			return error_set(err, ERR_USAGE, "--vary %.40s: write AXIS or AXIS=LO:HI, several with commas", word);
		for (int i = 0; i < SIM_AXES + OLDERS && !code; i++) {
			bool is_meant = is_all ? i < SIM_AXES : is_word(sim_vary_axis(i, &range_text, &help), word, len);
			is_known |= is_meant;
			if (is_meant)
				code = set_axis(i, has_range ? &range : NULL, config, err);
		}
		if (!is_known)
			return unknown(word, len, err);
	}
	return code;
}

/* ---- a model's ---- */

bool vary_has_any(const SimConfig *config)
{
	bool is_any = false;
	for (int i = 0; i < SIM_AXES; i++)
		is_any |= config->vary.axis[i].is_on;
	return is_any;
}

/* The least or the most of an axis in a model; `own` where it is off. */
static double bound_of(const SimConfig *config, SimAxis axis, bool is_high, double own)
{
	const SimRange *range = &config->vary.axis[axis];
	return !range->is_on ? own : is_high ? range->high : range->low;
}

int vary_check(const SimConfig *c, Error *err)
{
	double window = fmin((double) c->latency_window_s, c->service.rate_window);
	double scrape = bound_of(c, AXIS_SCRAPE, true, c->service.scrape_interval);
	if (c->vary.axis[AXIS_SCRAPE].is_on && 2.0 * scrape > window)
		return error_set(err, ERR_INVALID, "--vary scrape: up to %g s leaves a window of %g s without two scrapes (--rate-window)", scrape, window);
	for (int i = 0; i < SIM_AXES; i++) {
		const SimRange *range = &c->vary.axis[i];
		double dt = (double) c->substep_s;
		if (range->is_on && AXIS[i].draw == DRAW_TICKS && floor(range->high / dt + 1e-9) < fmax(ceil(range->low / dt - 1e-9), i == AXIS_METRIC_DELAY ? 0 : 1))
			return error_set(err, ERR_INVALID, "--vary %s=%g:%g holds no multiple of the sub-step, %g s", AXIS[i].name, range->low, range->high, dt);
	}
	if (bound_of(c, AXIS_MIN, true, c->min_replicas) > bound_of(c, AXIS_MAX, false, c->max_replicas))
		return error_set(err, ERR_INVALID, "--vary min: up to %g is above max from %g", bound_of(c, AXIS_MIN, true, c->min_replicas),
		                 bound_of(c, AXIS_MAX, false, c->max_replicas));
	return 0;
}

int32_t vary_most_replicas(const SimConfig *config)
{
	return (int32_t) fmax(bound_of(config, AXIS_MAX, true, config->max_replicas), config->max_replicas);
}

double vary_scrape_s(const SimConfig *config, bool is_longest)
{
	double own = config->service.scrape_interval, bound = bound_of(config, AXIS_SCRAPE, is_longest, own);
	return is_longest ? fmax(bound, own) : fmin(fmax(bound, (double) config->substep_s), own);
}

int32_t vary_delay_ticks(const SimConfig *config)
{
	return (int32_t) floor(bound_of(config, AXIS_METRIC_DELAY, true, 0.0) / (double) config->substep_s + 1e-9);
}

void vary_none(const SimModel *model, Drawn *ret)
{
	const SimConfig *c = &model->config;
	*ret = (Drawn) { .capacity = 1.0f, .boot_cv = c->service.start_boot_cv, .nodes = (int32_t) c->service.nodes,
		.scrape_ticks = (int32_t) lround(c->service.scrape_interval / model->dt), .missing = c->metric_missing, .noise = c->metric_noise,
		.flash = 1.0, .retries = c->service.retries, .substeps = (int32_t) lround((double) c->interval_s / model->dt),
		.interval_s = c->interval_s, .min_replicas = c->min_replicas, .max_replicas = c->max_replicas };
}

/* ---- an episode's ---- */

/* An axis's place in its range, 0..1. Episodes' numbers are far below where these words are. */
static double word_of(const SimRow *row, uint32_t word)
{
	const uint32_t key[] = { (uint32_t) row->seed, (uint32_t) (row->seed >> 32) };
	const uint32_t counter[] = { UINT32_MAX - 1 - word, row->episode, row->id, RNG_PARAMETERS };
	uint32_t ret[4];
	rng_philox(counter, key, ret);
	return (ret[0] + .5) / 4294967296.0;
}

static double value_of(const SimModel *model, const SimRow *row, SimAxis axis, double own)
{
	SimRange range = model->config.vary.axis[axis];
	if (!range.is_on)
		return own;
	double u = word_of(row, (uint32_t) axis);
	if (AXIS[axis].draw == DRAW_LOG)
		return range.low * pow(range.high / range.low, u);
	if (AXIS[axis].draw == DRAW_EVEN)
		return range.low + u * (range.high - range.low);
	double unit = AXIS[axis].draw == DRAW_TICKS ? model->dt : 1.0, least = ceil(range.low / unit - 1e-9), most = floor(range.high / unit + 1e-9);
	least = axis == AXIS_METRIC_DELAY ? least : fmax(least, 1.0);
	return unit * fmin(least + floor(u * (most - least + 1.0)), most);
}

/* The coefficient of variation of a lognormal time, of which one in 100 takes so many medians. */
static double cv_of_spread(double spread)
{
	static const double P99 = 2.3263478740408408;
	double sigma = log(spread) / P99;
	return sqrt(expm1(sigma * sigma));
}

void vary_draw(const SimModel *model, SimRow *row)
{
	Drawn *d = (void *) ((char *) row + model->drawn_at), none = model->drawn;
	*d = none;
	d->capacity = (float) value_of(model, row, AXIS_CAPACITY, (double) none.capacity);
	if (model->config.vary.axis[AXIS_STARTUP_SPREAD].is_on)
		d->boot_cv = cv_of_spread(value_of(model, row, AXIS_STARTUP_SPREAD, 1.0));
	d->nodes = (int32_t) value_of(model, row, AXIS_NODES, none.nodes);
	d->scrape_ticks = (int32_t) lround(value_of(model, row, AXIS_SCRAPE, none.scrape_ticks * model->dt) / model->dt);
	d->delay_ticks = (int32_t) lround(value_of(model, row, AXIS_METRIC_DELAY, 0.0) / model->dt);
	d->missing = value_of(model, row, AXIS_METRIC_MISSING, none.missing);
	d->noise = value_of(model, row, AXIS_METRIC_NOISE, none.noise);
	d->trend_a_day = value_of(model, row, AXIS_TREND, 0.0);
	d->flash = value_of(model, row, AXIS_FLASH, none.flash);
	d->flash_rise_s = value_of(model, row, AXIS_FLASH_RISE, 60.0);
	d->retries = value_of(model, row, AXIS_RETRIES, none.retries);
	d->backend_s = (float) value_of(model, row, AXIS_BACKEND, 0.0);
	d->interval_s = (float) value_of(model, row, AXIS_INTERVAL, (double) none.interval_s);
	d->substeps = (int32_t) lround((double) d->interval_s / model->dt);
	d->min_replicas = (int32_t) value_of(model, row, AXIS_MIN, none.min_replicas);
	d->max_replicas = (int32_t) value_of(model, row, AXIS_MAX, none.max_replicas);
	d->flash_at_s = word_of(row, SIM_AXES) * model->config.episode_steps * (double) d->interval_s;
}

/* A flash crowd rises in a line, stays as long as it rose, and leaves in twice that time. */
double vary_traffic(const Drawn *d, double t_s)
{
	double times = fmax(1.0 + d->trend_a_day * t_s / 86400.0, 0.0), since = (t_s - d->flash_at_s) / d->flash_rise_s;
	double part = since < 1.0 ? since : since < 2.0 ? 1.0 : .5 * (4.0 - since);
	return part > 0.0 ? times * (1.0 + (d->flash - 1.0) * part) : times;
}

/* ---- metrics that come late ---- */

static Late *late_of(const SimModel *model, SimRow *row, int64_t tick)
{
	Late *ring = (void *) ((char *) row + model->late_at);
	int64_t size = model->late_ticks + 1, at = tick % size;
	return &ring[at < 0 ? at + size : at];
}

void vary_keep_sample(const SimModel *model, SimRow *row, const SimView *view)
{
	Sample sample;
	if (row->tick < -(int64_t) model->late_ticks)
		return;
	scrape_query(model, row, view, core_now_s(model, row), &sample);
	Late *late = late_of(model, row, row->tick);
	*late = (Late) { .cpu_cores = sample.cpu_cores, .mem_bytes = sample.mem_bytes, .latency_ms = sample.latency_ms, .rps = sample.rps,
		.valid = sample.valid };
	for (int i = 0; i < LATE_SIGNALS; i++)
		late->age_ms[i] = (int32_t) sample.age_ms[i];
}

void vary_delay(const SimModel *model, SimRow *row, Sample *sample)
{
	const Drawn *d = drawn_of(model, row);
	if (!d->delay_ticks)
		return;
	const uint32_t metrics = (1u << LATE_SIGNALS) - 1;
	const Late *late = late_of(model, row, row->tick - d->delay_ticks);
	sample->cpu_cores = late->cpu_cores;
	sample->mem_bytes = late->mem_bytes;
	sample->latency_ms = late->latency_ms;
	sample->rps = late->rps;
	sample->valid = (sample->valid & ~metrics) | (late->valid & metrics);
	for (int i = 0; i < LATE_SIGNALS; i++)
		sample->age_ms[i] = late->age_ms[i] + d->delay_ticks * model->dt_ms;
}
