/* See front.h. */
#include "control/front.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static int by_pod_hours(const void *a, const void *b)
{
	const FrontPoint *x = a, *y = b;
	if (x->pod_hours < y->pod_hours || x->pod_hours > y->pod_hours)
		return x->pod_hours < y->pod_hours ? -1 : 1;
	return (x->v > y->v) - (x->v < y->v);
}

void front_of(const FrontPoint *point, size_t n, double floor, Front *ret)
{
	size_t block[FRONT_MAX], n_blocks = 0; /* points pooled so far: how many in each block */
	double level[FRONT_MAX];               /* and its mean of ln(v + floor) */
	*ret = (Front) { .floor = floor };
	for (size_t i = 0; i < n && ret->n < FRONT_MAX; i++)
		if (isfinite(point[i].pod_hours) && isfinite(point[i].v))
			ret->point[ret->n++] = point[i];
	qsort(ret->point, ret->n, sizeof *ret->point, by_pod_hours);
	for (size_t i = 0; i < ret->n; i++) {
		block[n_blocks] = 1;
		level[n_blocks++] = log(ret->point[i].v + floor);
		while (n_blocks > 1 && level[n_blocks - 1] > level[n_blocks - 2]) {
			double a = (double) block[n_blocks - 2], b = (double) block[n_blocks - 1];
			level[n_blocks - 2] = (a * level[n_blocks - 2] + b * level[n_blocks - 1]) / (a + b);
			block[n_blocks - 2] += block[n_blocks - 1];
			n_blocks--;
		}
	}
	for (size_t k = 0, i = 0; k < n_blocks; i += block[k++])
		for (size_t j = 0; j < block[k] && block[k] > 1; j++) /* a point alone stays to the bit: exp(log(v)) may be above v */
			ret->point[i + j].v = exp(level[k]) - floor;
}

static void say(int *ret_is_beyond, int what)
{
	if (ret_is_beyond)
		*ret_is_beyond = what;
}

double front_v_at(const Front *front, double pod_hours, int *ret_is_beyond)
{
	const FrontPoint *p = front->point;
	say(ret_is_beyond, 0);
	if (!front->n || isnan(pod_hours))
		return NAN;
	if (pod_hours <= p[0].pod_hours) {
		say(ret_is_beyond, pod_hours < p[0].pod_hours ? -1 : 0);
		return p[0].v;
	}
	for (size_t i = 1; i < front->n; i++)
		if (pod_hours <= p[i].pod_hours) {
			double part = (pod_hours - p[i - 1].pod_hours) / (p[i].pod_hours - p[i - 1].pod_hours);
			double low = log(p[i - 1].v + front->floor), high = log(p[i].v + front->floor);
			return exp(low + part * (high - low)) - front->floor;
		}
	say(ret_is_beyond, 1);
	return p[front->n - 1].v;
}

double front_pod_hours_at(const Front *front, double v, double most, int *ret_is_beyond)
{
	const FrontPoint *p = front->point;
	say(ret_is_beyond, 0);
	if (!front->n || isnan(v))
		return NAN;
	if (p[0].v <= v) {
		say(ret_is_beyond, p[0].v < v ? -1 : 0);
		return p[0].pod_hours;
	}
	for (size_t i = 1; i < front->n; i++)
		if (p[i].v <= v) {
			double low = log(p[i - 1].v + front->floor), high = log(p[i].v + front->floor);
			double part = (log(v + front->floor) - low) / (high - low);
			return p[i - 1].pod_hours + part * (p[i].pod_hours - p[i - 1].pod_hours);
		}
	say(ret_is_beyond, 1);
	return fmax(most, p[front->n - 1].pod_hours);
}

int32_t front_best(const double *pod_hours, const double *v_hours, size_t n, double lambda)
{
	int32_t best = -1;
	double least = INFINITY;
	for (size_t i = 0; i < n; i++) {
		double cost = pod_hours[i] + lambda * v_hours[i];
		if (cost < least) { /* never true of NAN */
			least = cost;
			best = (int32_t) i;
		}
	}
	return best;
}

size_t front_path(const double *pod_hours, const double *v_hours, size_t n, int32_t *ret_setting, size_t room)
{
	enum { A_DECADE = 12, DECADES = 4 };
	size_t found = 0;
	for (int k = 0; k <= A_DECADE * DECADES; k++) {
		int32_t best = front_best(pod_hours, v_hours, n, .1 * pow(10.0, (double) k / A_DECADE));
		bool is_new = best >= 0;
		for (size_t i = 0; i < found; i++)
			is_new = is_new && ret_setting[i] != best;
		if (is_new && found < room)
			ret_setting[found++] = best;
	}
	return found;
}
