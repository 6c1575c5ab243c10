/*
 * What completes in a pod under processor sharing while its number in the pod moves far from the settled one: how old it is.
 *
 * In the fluid limit every request in the pod advances alike, V' = departures/n in mean demands a second (the virtual time of
 * server.c). Of those that came in [s, s + ds] what completes now had a demand of V(now) - V(s), so its weight is
 * arrivals(s) f(V(now) - V(s)), f the density of demands; the age's distribution is the sum of these weights. For exponential
 * demands it is the survival of the requests that are there, exp(-integral of arrivals/n).
 *
 * Where more are in the pod than are served at once, those behind wait in their order: a request enters when as many have come
 * after it as wait, its age is that wait and its time in service, and V' = departures/(served at once).
 *
 * It knows nothing of the chance in n, so it holds in overload and in its drain, where n is large and moves by itself; near a
 * settled load the table's own distribution is better.
 */
#include "sim/core.h"

#include <math.h>

enum { STEPS = 96 };
static const float ALL = .9995f;

/* Of demands, at so many means. */
static float below(double cv, float means)
{
	if (means <= 0.0f)
		return 0.0f;
	if (cv == 1.0)
		return 1.0f - expf(-means);
	if (cv <= 0.0)
		return means >= 1.0f ? 1.0f : 0.0f;
	double variance = log(1.0 + cv * cv);
	return (float) (.5 * erfc(-(log((double) means) + .5 * variance) / sqrt(2.0 * variance)));
}

typedef struct Step { /* back in time: from age to age + length, from means to means + more of virtual time */
	float age, length, means, more;
	float per;   /* arrivals in it over `more` */
	float sum;   /* weights of the younger ones */
	float weight, wait; /* its own; s that those who enter service in it have waited */
} Step;

typedef struct Ages {
	Step step[STEPS + 1];
	int32_t n;
	float all, left, left_per_s; /* weights, those older than the steps, and how fast these thin out */
	bool has_wait;
} Ages;

/* Seconds over which the last `waiting` came before the entry `at`, of which `age` are behind it. */
static float wait_of(const SimModel *model, const AgeingPast *past, int32_t at, int32_t age, float waiting)
{
	float dt = (float) model->dt, later = past->history[at * model->columns + COLUMN_ACCEPTED], low = later - waiting, wait = 0.0f;
	for (; age > 0; age--, wait += dt) {
		at = at ? at - 1 : model->depth - 1;
		float here = past->history[at * model->columns + COLUMN_ACCEPTED];
		if (here <= low)
			return wait + dt * (later > here ? (later - low) / (later - here) : 0.0f);
		later = here;
	}
	return wait;
}

static bool add_step(double cv, Ages *ages, float length, float n, float accepted, float served, float wait)
{
	const Step *last = ages->n ? &ages->step[ages->n - 1] : NULL;
	Step step = { .length = length, .wait = wait, .more = fmaxf(served / fmaxf(n, 1e-3f), 1e-6f), .sum = ages->all };
	if (last) {
		step.age = last->age + last->length;
		step.means = last->means + last->more;
	}
	float before = below(cv, step.means), after = below(cv, step.means + step.more);
	step.per = accepted / step.more;
	step.weight = step.per * (after - before);
	ages->all += step.weight;
	ages->has_wait |= wait > 0.0f;
	ages->step[ages->n++] = step;
	return after < ALL && ages->n <= STEPS;
}

static void fill(const SimModel *model, const AgeingPast *past, Ages *ages)
{
	double cv = model->config.service.service_cv;
	float dt = (float) model->dt;
	float most = model->response->concurrency, wait = 0.0f;
	int32_t at = past->at, left = past->age;
	if (past->n > most)
		wait = wait_of(model, past, at, left, past->n - most);
	bool goes_on = add_step(cv, ages, .5f * dt, fminf(past->n, most), .5f * (wait > 0.0f ? past->served : past->accepted),
	                        .5f * past->served, wait);
	const float *later = past->history + at * model->columns, *here = later;
	for (; left > 0 && goes_on; left--, later = here) {
		at = at ? at - 1 : model->depth - 1;
		here = past->history + at * model->columns;
		float n = .5f * past->scale * (later[COLUMN_N] + here[COLUMN_N]), served = later[COLUMN_SERVED] - here[COLUMN_SERVED];
		wait = n > most ? wait_of(model, past, at, left - 1, n - most) : 0.0f;
		goes_on = add_step(cv, ages, dt, fminf(n, most), wait > 0.0f ? served : later[COLUMN_ACCEPTED] - here[COLUMN_ACCEPTED], served,
		                   wait);
	}
	const Step *last = &ages->step[ages->n - 1];
	ages->left = past->is_whole ? fminf(past->scale * here[COLUMN_N], most) * (1.0f - below(cv, last->means + last->more)) : 0.0f;
	ages->left_per_s = last->more / last->length;
	ages->all += ages->left;
}

static float over(double cv, const Ages *ages, int32_t *from, float age)
{
	while (*from < ages->n && age >= ages->step[*from].age + ages->step[*from].length)
		++*from;
	const Step *last = &ages->step[ages->n - 1];
	if (*from == ages->n)
		return ages->left / ages->all * expf(-fminf((age - last->age - last->length) * ages->left_per_s, 80.0f));
	const Step *step = &ages->step[*from];
	float part = (age - step->age) / step->length, first = below(cv, step->means);
	return 1.0f - (step->sum + step->per * (below(cv, step->means + part * step->more) - first)) / ages->all;
}

/* With waits, ages do not rise with the steps; inside one they are taken as even. */
static float over_waiting(const Ages *ages, float age)
{
	const Step *last = &ages->step[ages->n - 1];
	float beyond = age - last->age - last->length - last->wait;
	float sum = ages->left * (beyond > 0.0f ? expf(-fminf(beyond * ages->left_per_s, 80.0f)) : 1.0f);
	for (int32_t k = 0; k < ages->n; k++) {
		const Step *step = &ages->step[k];
		float part = (age - step->age - step->wait) / step->length;
		sum += step->weight * (1.0f - fminf(fmaxf(part, 0.0f), 1.0f));
	}
	return sum / ages->all;
}

bool ageing_hazards(const SimModel *model, const AgeingPast *past, float *ret_hazard)
{
	const Response *r = model->response;
	double cv = model->config.service.service_cv;
	Ages ages = { .n = 0 };
	fill(model, past, &ages);
	if (!(ages.all > 1e-6f))
		return false;
	float fixed = (float) model->config.service.net_delay;
	int32_t from = 0;
	for (int32_t p = 0; p < r->n_points; p++) {
		if (p && r->point[p] < r->point[p - 1])
			from = 0; /* the limits stand behind the bounds */
		float age = fmaxf(r->point[p] - fixed, 0.0f);
		float left = isinf(age) ? 0.0f : ages.has_wait ? over_waiting(&ages, age) : over(cv, &ages, &from, age);
		ret_hazard[p] = left > HAZARD_OVER ? fmaxf(-logf(left), 0.0f) : HAZARD_MAX;
	}
	return true;
}
