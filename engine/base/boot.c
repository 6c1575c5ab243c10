/* See boot.h. */
#include "base/boot.h"

#include "base/err.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t boot_draw(void *rng, size_t n)
{
	return rng_below(rng, (uint32_t) n);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;
	return (x > y) - (x < y);
}

/* Of sorted values. */
static double middle_mean(const double *x, size_t n)
{
	size_t cut = n / 4;
	double sum = 0;
	for (size_t i = cut; i < n - cut; i++)
		sum += x[i];
	return n ? sum / (double) (n - 2 * cut) : (double) NAN;
}

static size_t count(const BootSample *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n_strata; i++)
		n += s->stratum[i];
	return n;
}

double boot_iqm(const double *x, size_t n)
{
	double *sorted = malloc((n ? n : 1) * sizeof *sorted);
	if (!sorted)
		return NAN;
	memcpy(sorted, x, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, by_value);
	double mean = middle_mean(sorted, n);
	free(sorted);
	return mean;
}

double boot_quantile(const double *sorted, size_t n, double q)
{
	double at = q * (double) (n - 1);
	size_t i = (size_t) at;
	return i + 1 < n ? sorted[i] + (at - (double) i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

/* The values of one resample; answers how many. */
static size_t draw_values(const BootSample *s, BootDraw draw, void *state, double *ret)
{
	size_t base = 0, n = 0;
	for (size_t k = 0; k < s->n_strata; base += s->stratum[k++])
		for (size_t i = 0; i < s->stratum[k]; i++)
			ret[n++] = s->x[base + draw(state, s->stratum[k])];
	return n;
}

/* One resample's IQM; scratch holds all values. */
static double resample(const BootSample *s, BootDraw draw, void *state, double *scratch)
{
	size_t n = draw_values(s, draw, state, scratch);
	qsort(scratch, n, sizeof *scratch, by_value);
	return middle_mean(scratch, n);
}

static void bounds(double *value, size_t reps, Estimate *ret)
{
	qsort(value, reps, sizeof *value, by_value);
	ret->lo = boot_quantile(value, reps, .025);
	ret->hi = boot_quantile(value, reps, .975);
}

int boot_estimate(const BootSample *a, size_t reps, BootDraw draw, void *state, Estimate *ret)
{
	size_t n = count(a);
	*ret = (Estimate) { boot_iqm(a->x, n), NAN, NAN };
	if (n < BOOT_LEAST)
		return 0;
	double *value = malloc((reps + n) * sizeof *value);
	if (!value)
		return ERR_NOMEM;
	for (size_t r = 0; r < reps; r++)
		value[r] = resample(a, draw, state, value + reps);
	bounds(value, reps, ret);
	free(value);
	return 0;
}

int boot_difference(const BootSample *a, const BootSample *b, size_t reps, BootDraw draw, void *state, Estimate *ret,
                    double *ret_p_greater)
{
	size_t na = count(a), nb = count(b), most = na > nb ? na : nb;
	*ret = (Estimate) { boot_iqm(a->x, na) - boot_iqm(b->x, nb), NAN, NAN };
	*ret_p_greater = NAN;
	if (na < BOOT_LEAST || nb < BOOT_LEAST)
		return 0;
	double *value = malloc((reps + most) * sizeof *value), greater = 0;
	if (!value)
		return ERR_NOMEM;
	for (size_t r = 0; r < reps; r++) {
		double x = resample(a, draw, state, value + reps), y = resample(b, draw, state, value + reps);
		value[r] = x - y;
		greater += x > y ? 1 : x < y ? 0 : .5;
	}
	bounds(value, reps, ret);
	*ret_p_greater = greater / (double) reps;
	free(value);
	return 0;
}

/* Of all pairs, how many a wins. */
static double share_won(const double *a, size_t na, const double *b, size_t nb)
{
	double won = 0;
	for (size_t i = 0; i < na; i++)
		for (size_t k = 0; k < nb; k++)
			won += a[i] > b[k] ? 1 : a[i] < b[k] ? 0 : .5;
	return na && nb ? won / (double) (na * nb) : (double) NAN;
}

int boot_better(const BootSample *a, const BootSample *b, size_t reps, BootDraw draw, void *state, Estimate *ret)
{
	size_t na = count(a), nb = count(b);
	*ret = (Estimate) { share_won(a->x, na, b->x, nb), NAN, NAN };
	if (na < BOOT_LEAST || nb < BOOT_LEAST)
		return 0;
	double *value = malloc((reps + na + nb) * sizeof *value);
	if (!value)
		return ERR_NOMEM;
	double *x = value + reps, *y = x + na;
	for (size_t r = 0; r < reps; r++) {
		(void) draw_values(a, draw, state, x);
		(void) draw_values(b, draw, state, y);
		value[r] = share_won(x, na, y, nb);
	}
	bounds(value, reps, ret);
	free(value);
	return 0;
}
