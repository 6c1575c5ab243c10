/*
 * Domain randomisation (CONTROL F.6): a training's episodes take place in one of a number of worlds, each drawn from the
 * configuration's and prepared once: a response table costs half a second, a row that changes worlds nothing. What needs no
 * table (start-up, traffic, price) is drawn per episode by core.c from the same configuration's SimVary.
 *
 * A corner of the space, services both slower and more erratic than most, is kept apart: no training draws from it.
 */
#include "sim/chance.h"
#include "sim/core.h"

#include <math.h>

/* Service time over the configuration's, and its coefficient of variation, from where the corner begins. */
static const double CORNER_MEAN = 1.4, CORNER_CV = 1.3;

enum { WORLD_TRIES = 32 };

static double between(Rng *rng, double least, double most)
{
	return least + (most - least) * rng_uniform(rng);
}

static double log_between(Rng *rng, double least, double most)
{
	return least * pow(most / least, rng_uniform(rng));
}

static void draw_service(Rng *rng, Service *s)
{
	static const double limits[] = { 0.0, .25, .5, 1.0 };
	s->cpu_limit = limits[rng_below(rng, 4)];
	s->cpu_request = s->cpu_limit > 0.0 ? s->cpu_limit : s->threads;
	s->warm_factor = between(rng, 1.0, 3.0);
	s->warm_time = between(rng, 10.0, 60.0);
	s->start_cached = .95;
	s->start_pull_mean *= 3.0;
	s->retries = fmax(between(rng, -.3, .3), 0.0);
	s->neighbour = between(rng, 0.0, fmin(1.0, .5 * s->node_cpu));
}

/* A scrape interval that sub-steps fit into and that leaves a window two scrapes. */
static void draw_metrics(Rng *rng, SimConfig *config)
{
	static const double scrapes[] = { 5.0, 15.0, 30.0 };
	double drawn = scrapes[rng_below(rng, 3)], parts = drawn / (double) config->substep_s;
	double window = fmin((double) config->latency_window_s, config->service.rate_window);
	if (parts >= 1.0 && fabs(parts - floor(parts + .5)) < 1e-6 && 2.0 * drawn <= window)
		config->service.scrape_interval = drawn;
	config->metric_noise = between(rng, 0.0, .1);
	config->metric_missing = between(rng, 0.0, .05);
}

void sim_world(const SimConfig *config, int32_t k, SimConfig *ret)
{
	Rng rng;
	bool is_corner;
	rng_init(&rng, config->vary.worlds_seed, (uint32_t) k, RNG_PARAMETERS);
	*ret = *config;
	do {
		double times = log_between(&rng, .5, 2.0), cv = sqrt(log_between(&rng, .2, 4.0));
		ret->service.service_mean = times * config->service.service_mean;
		ret->service.service_cv = cv;
		is_corner = times >= CORNER_MEAN && cv >= CORNER_CV;
	} while (is_corner != config->vary.is_corner);
	draw_service(&rng, &ret->service);
	draw_metrics(&rng, ret);
	ret->vary.worlds = 0;
}

/*
 * The least that an idle pod's p95 can be: that of the demands, at the pace of one core or of the quota (a request begins with a period's
 * at the best, and has the next one's at once). A table is not worth its half second where this is over the limit already.
 */
double world_idle_least_s(const Service *s)
{
	static const double Z95 = 1.6448536269514722, EXP95 = 2.995732273553991;
	double variance = log(1.0 + s->service_cv * s->service_cv);
	double times = s->service_cv == 0.0 ? 1.0 : s->service_cv == 1.0 ? EXP95 : exp(Z95 * sqrt(variance) - .5 * variance);
	double demand = s->service_mean * times + s->service_overhead, least = demand / fmin(s->threads, 1.0);
	if (s->cpu_limit > 0.0 && s->cpu_limit < s->threads)
		least = fmax(least, demand / s->cpu_limit - 2.0 * s->cfs_period);
	return least + s->net_delay;
}

static bool is_hopeless(const Service *service, double latency_ms)
{
	static const double CHANCE = 1.1; /* that a table is measured with: more than it is ever off */
	return 1e3 * world_idle_least_s(service) > CHANCE * latency_ms;
}

/* Where even an idle pod is slower than the limit there is nothing to learn: another world takes the place of such a one. */
static void another_world(const SimConfig *config, int32_t k, int32_t i, SimConfig *ret)
{
	enum { WORLDS_MOST = 256 };
	sim_world(config, k + i * WORLDS_MOST, ret);
}

int sim_world_able(const SimConfig *config, int32_t k, double latency_ms, SimConfig *ret)
{
	double capacity_rps = 0.0;
	for (int32_t i = 0; i < WORLD_TRIES && capacity_rps <= 0.0; i++) {
		another_world(config, k, i, ret);
		if (is_hopeless(&ret->service, latency_ms))
			continue;
		capacity_rps = sim_capacity_rps(&ret->service, 1, latency_ms);
		if (isnan(capacity_rps))
			return ERR_NOMEM;
	}
	return capacity_rps > 0.0 ? 0 : ERR_INVALID;
}

int world_model(const SimConfig *config, int32_t k, SimModel *ret, Error *err)
{
	SimConfig world;
	int code = ERR_INVALID;
	double soft_ms = core_soft_ms(config);
	int32_t hopeless = 0;
	if (config->vary.worlds <= 0)
		return core_model_init(ret, config, err);
	for (int32_t i = 0; i < WORLD_TRIES && code == ERR_INVALID; i++) {
		another_world(config, k, i, &world);
		if (config->peak_rps <= 0.0 && is_hopeless(&world.service, soft_ms)) /* with a peak rate it is nobody's concern */
			hopeless++;
		else
			code = core_model_init(ret, &world, err);
	}
	return hopeless < WORLD_TRIES ? code
		: error_set(err, code, "simulator: of %d services about this one none has an idle p95 under %g ms; raise the soft limit or set the peak rate",
		            WORLD_TRIES, soft_ms);
}

int32_t world_of(int32_t worlds, uint64_t seed, uint32_t id, uint32_t episode)
{
	const uint32_t key[] = { (uint32_t) seed, (uint32_t) (seed >> 32) }, counter[] = { UINT32_MAX, episode, id, RNG_PARAMETERS };
	uint32_t word[4];
	if (worlds <= 1)
		return 0;
	rng_philox(counter, key, word);
	return (int32_t) ((uint64_t) word[0] * (uint64_t) worlds >> 32);
}

void world_blur(const Drawn *drawn, const SimRow *row, Sample *sample)
{
	if (drawn->noise <= 0.0 && drawn->missing <= 0.0)
		return;
	double *value[] = { &sample->cpu_cores, &sample->mem_bytes, &sample->latency_ms, &sample->rps };
	const uint32_t key[] = { (uint32_t) row->seed, (uint32_t) (row->seed >> 32) };
	for (uint32_t i = 0; i < sizeof value / sizeof *value; i++) {
		const uint32_t counter[] = { (uint32_t) row->tick << 4 | i, row->episode, row->id ^ 0x80000000u, RNG_METRICS };
		uint32_t word[4];
		rng_philox(counter, key, word);
		*value[i] *= fmax(1.0 + drawn->noise * (double) chance_normal(word[0]), .1);
		if ((word[1] + .5) / 4294967296.0 < drawn->missing)
			sample->valid &= ~(1u << i);
	}
}
