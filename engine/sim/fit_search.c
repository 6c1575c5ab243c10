/*
 * The most likely point. A coarse grid over everything finds where to look; the best of each family (exponential or lognormal, so many
 * threads, processor sharing or one after the other, with a limit or without) is improved by Fisher scoring on ever longer predictions;
 * then each part of the best point is tried against its rivals and its default, to see whether the data tell it at all.
 */
#include "sim/fit_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FAMILIES_MAX = 128, GRID_REQUESTS = 2500, SHORT_REQUESTS = 8000, MIDDLE_REQUESTS = 30000, LONG_REQUESTS = 100000, FIRST = 16, SECOND = 8, THIRD = 4, FINALISTS = 2 };

/* Twice the log-likelihood between two points above which the data tell them apart (chi-square of one degree at 95 %). */
static const double APART = 3.84;

/* What a search simulates for each bin, as seen; for the progress bar alone. */
static const double SEARCH_REQUESTS = 2.6e7;

/* A limit above this part of the threads is none. */
static const double NO_LIMIT = .97;

static const double STEP[AXES] = { [AXIS_DEMAND] = .03, [AXIS_CV] = .06, [AXIS_OVERHEAD] = 0, [AXIS_DELAY] = 0, [AXIS_LIMIT] = .03 };
static const int THREADS[] = { 1, 2, 4 };
static const int THREADS_TRIED[] = { 1, 2, 3, 4, 6, 8, 16 };
static const int CONCURRENCY[] = { 1, 2, 4, 8, 16, 32, 64, 128 };
enum { N_THREADS = sizeof THREADS / sizeof *THREADS, N_CONCURRENCY = sizeof CONCURRENCY / sizeof *CONCURRENCY,
       N_TRIED = sizeof THREADS_TRIED / sizeof *THREADS_TRIED };

static size_t scaled(const FitLoad *load, size_t requests)
{
	size_t n = (size_t) ((double) requests * load->options->effort);
	return n < 300 ? 300 : n;
}

/* ---- Fisher scoring ---- */

typedef struct Scoring {
	bool is_free[AXES];
	double score[AXES], info[AXES][AXES];
	double chi, degrees; /* Pearson's, of the shares */
} Scoring;

static double step_of(const FitPoint *point, int axis)
{
	double demand = exp(point->x[AXIS_DEMAND]);
	if (axis == AXIS_OVERHEAD || axis == AXIS_DELAY)
		return .015 * demand;
	return STEP[axis];
}

static FitPoint moved(const FitPoint *point, int axis, double by)
{
	FitPoint other = *point;
	other.x[axis] += by;
	if (axis == AXIS_CV)
		other.x[axis] = fmax(other.x[axis], .02);
	if (axis == AXIS_CV && fabs(other.x[axis] - 1.0) < 1e-6)
		other.x[axis] = 1.0 + 1e-5; /* exactly 1 is the exponential */
	if (axis == AXIS_OVERHEAD)
		other.x[axis] = fmin(fmax(other.x[axis], 0.0), .9 * exp(other.x[AXIS_DEMAND]));
	if (axis == AXIS_DELAY)
		other.x[axis] = fmax(other.x[axis], 0.0);
	if (axis == AXIS_LIMIT)
		other.x[axis] = fmin(other.x[axis], log(.999 * other.threads));
	return other;
}

/* Score and information of one bin, by central differences of its shares. A bucket that is empty here and not at a step's end tells no
 * more than it does there. */
static void add_bin(FitLoad *load, const FitPoint *point, size_t i, size_t requests, Scoring *s)
{
	double share[FIT_BOUNDS + 1], slope[AXES][FIT_BOUNDS + 1], low_share[FIT_BOUNDS + 1], mean[AXES][FIT_BOUNDS + 1];
	const FitBin *bin = &load->bin[i];
	double weight = fit_weight(bin, requests);
	fit_predict(load, point, bin, i, requests, share);
	for (int a = 0; a < AXES; a++) {
		if (!s->is_free[a])
			continue;
		double step = step_of(point, a);
		FitPoint low = moved(point, a, -step), high = moved(point, a, step);
		fit_predict(load, &low, bin, i, requests, low_share);
		fit_predict(load, &high, bin, i, requests, slope[a]);
		for (size_t b = 0; b <= load->n_bounds; b++)
			mean[a][b] = .5 * (slope[a][b] + low_share[b]);
		for (size_t b = 0; b <= load->n_bounds; b++)
			slope[a][b] = (slope[a][b] - low_share[b]) / (high.x[a] - low.x[a]);
	}
	for (size_t b = 0; b <= load->n_bounds; b++) {
		double off = bin->share[b] - share[b];
		if (share[b] * bin->requests > 5.0) {
			s->chi += weight * off * off / share[b];
			s->degrees += 1.0;
		}
		for (int j = 0; j < AXES; j++)
			for (int l = 0; l < AXES && s->is_free[j]; l++)
				s->info[j][l] += s->is_free[l] ? weight * slope[j][b] * slope[l][b] / fmax(share[b], fmax(mean[j][b], mean[l][b])) : 0.0;
		for (int j = 0; j < AXES; j++)
			s->score[j] += s->is_free[j] ? weight * off / fmax(share[b], mean[j][b]) * slope[j][b] : 0.0;
	}
	s->degrees -= 1.0;
}

static void derive(FitLoad *load, const FitPoint *point, size_t requests, Scoring *s)
{
	double precision = load->demand / load->demand_se;
	memset(s->score, 0, sizeof s->score);
	memset(s->info, 0, sizeof s->info);
	s->chi = s->degrees = 0.0;
	for (size_t i = 0; i < load->n_bins; i++)
		add_bin(load, point, i, requests, s);
	s->score[AXIS_DEMAND] += (log(load->demand) - point->x[AXIS_DEMAND]) * precision * precision;
	s->info[AXIS_DEMAND][AXIS_DEMAND] += precision * precision;
}

/* Solves (info + damping x its diagonal) x = b over the free axes, by Gauss and Jordan; false: singular. ret_inverse may be NULL. */
static bool solve(const Scoring *s, double damping, double x[AXES], double ret_inverse[AXES][AXES])
{
	double m[AXES][2 * AXES] = { { 0 } };
	for (int i = 0; i < AXES; i++) {
		for (int j = 0; j < AXES; j++)
			m[i][j] = s->is_free[i] && s->is_free[j] ? s->info[i][j] : 0.0;
		m[i][i] = s->is_free[i] ? m[i][i] * (1.0 + damping) : 1.0;
		m[i][AXES + i] = 1.0;
	}
	for (int c = 0; c < AXES; c++) {
		int best = c;
		for (int r = c + 1; r < AXES; r++)
			best = fabs(m[r][c]) > fabs(m[best][c]) ? r : best;
		if (fabs(m[best][c]) < 1e-12)
			return false;
		for (int k = 0; k < 2 * AXES; k++) {
			double swap = m[c][k];
			m[c][k] = m[best][k];
			m[best][k] = swap;
		}
		for (int r = 0; r < AXES; r++) {
			double factor = r == c ? 0.0 : m[r][c] / m[c][c];
			for (int k = 0; k < 2 * AXES && factor != 0.0; k++)
				m[r][k] -= factor * m[c][k];
		}
	}
	for (int i = 0; i < AXES; i++) {
		x[i] = 0.0;
		for (int j = 0; j < AXES; j++) {
			double inverse = m[i][AXES + j] / m[i][i];
			x[i] += s->is_free[j] ? inverse * s->score[j] : 0.0;
			if (ret_inverse)
				ret_inverse[i][j] = inverse;
		}
	}
	return true;
}

static void free_axes(const FitPoint *point, const bool *is_held, Scoring *s)
{
	for (int a = 0; a < AXES; a++)
		s->is_free[a] = !is_held[a];
	s->is_free[AXIS_CV] &= point->shape == SHAPE_LOGNORMAL;
	s->is_free[AXIS_LIMIT] &= point->is_limited;
}

/* Up to `steps` steps uphill; the likelihood it ends with. */
static double climb(FitLoad *load, FitPoint *point, const bool *is_held, size_t requests, int steps)
{
	double best = fit_likelihood(load, point, requests), damping = .01;
	Scoring s = { 0 };
	free_axes(point, is_held, &s);
	for (int i = 0; i < steps && !load->is_cancelled; i++) {
		double by[AXES];
		bool is_better = false;
		derive(load, point, requests, &s);
		for (int tries = 0; tries < 4 && !is_better; tries++, damping = damping * 10.0 + 1e-3) {
			FitPoint next = *point;
			if (!solve(&s, damping, by, NULL))
				continue;
			for (int a = 0; a < AXES; a++)
				if (s.is_free[a])
					next = moved(&next, a, fmax(fmin(by[a], 10.0 * step_of(point, a)), -10.0 * step_of(point, a)));
			double value = fit_likelihood(load, &next, requests);
			is_better = value > best + 1e-3;
			if (!is_better)
				continue;
			*point = next;
			best = value;
			damping *= .02;
		}
		if (!is_better)
			break;
	}
	return best;
}

/* ---- the grid ---- */

typedef struct Candidate {
	FitPoint point;
	double likelihood;
} Candidate;

static int by_likelihood(const void *a, const void *b)
{
	double x = ((const Candidate *) a)->likelihood, y = ((const Candidate *) b)->likelihood;
	return (x < y) - (x > y);
}

/* The delay moves a distribution as a whole, so the grid takes what explains the fastest requests best. */
static double try_delays(FitLoad *load, FitPoint *point, size_t requests)
{
	static const double part[] = { 0.0, .02, .1, .5, 2.0 };
	double demand = exp(point->x[AXIS_DEMAND]), best = -INFINITY, best_delay = 0.0;
	for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
		point->x[AXIS_DELAY] = part[i] * demand;
		double value = fit_likelihood(load, point, requests);
		if (value > best) {
			best = value;
			best_delay = point->x[AXIS_DELAY];
		} else if (i > 1) {
			break;
		}
	}
	point->x[AXIS_DELAY] = best_delay;
	return best;
}

static FitPoint start_point(const FitLoad *load)
{
	Service standard;
	service_default(&standard);
	FitPoint point = { .threads = 1, .concurrency = (int) standard.concurrency, .shape = SHAPE_EXPONENTIAL };
	point.x[AXIS_DEMAND] = log(load->demand);
	point.x[AXIS_CV] = 1.0;
	point.x[AXIS_OVERHEAD] = fmin(standard.service_overhead, .1 * load->demand);
	return point;
}

/* The best of a family over its limits, shapes being its own. */
static Candidate best_of_family(FitLoad *load, FitPoint point, double told_limit, size_t requests)
{
	static const double CVS[] = { .3, .7, 1.7 }, OVERHEADS[] = { 0, .12, .3 };
	enum { LIMITS = 5 };
	Candidate best = { .point = point, .likelihood = -INFINITY };
	double low = fmax(.9 * load->used_cores, .02), high = .9 * point.threads;
	int n_limits = !point.is_limited ? 1 : !isnan(told_limit) ? 1 : LIMITS;
	int n_cvs = sizeof CVS / sizeof *CVS;
	if (point.is_limited && isnan(told_limit) && low >= high)
		low = .95 * high;
	for (int l = 0; l < n_limits; l++)
		for (int c = 0; c < n_cvs; c++) {
			FitPoint at = point;
			double part = n_limits > 1 ? (double) l / (n_limits - 1) : 0.0;
			if (point.is_limited)
				at.x[AXIS_LIMIT] = !isnan(told_limit) ? log(told_limit) : log(low) + part * log(high / low);
			if (point.shape == SHAPE_LOGNORMAL)
				at.x[AXIS_CV] = CVS[c];
			else if (c)
				at.x[AXIS_OVERHEAD] = OVERHEADS[c] * load->demand;
			double value = try_delays(load, &at, requests);
			if (value > best.likelihood)
				best = (Candidate) { at, value };
		}
	return best;
}

/* Over every other bin. */
static size_t search_grid(FitLoad *load, double told_limit, Candidate *family)
{
	size_t n = 0, requests = scaled(load, GRID_REQUESTS);
	const FitPoint start = start_point(load);
	for (int kind = 0; kind < 8 * N_THREADS; kind++) {
		FitPoint point = start;
		point.threads = THREADS[kind / 8];
		point.is_limited = kind & 1;
		point.concurrency = kind & 2 ? point.threads : start.concurrency;
		point.shape = kind & 4 ? SHAPE_LOGNORMAL : SHAPE_EXPONENTIAL;
		bool is_known = !isnan(told_limit) && point.is_limited != (told_limit > 0.0 && told_limit < point.threads);
		if (point.threads < .9 * load->used_cores || is_known)
			continue;
		if (load->is_cancelled)
			return n;
		family[n++] = best_of_family(load, point, told_limit, requests);
	}
	/* another balancer begins where the random one did best */
	for (size_t i = 0, n_random = n; i < n_random && fit_mean_pods(load) >= 1.5; i++)
		for (int b = SIM_ROUND_ROBIN; b <= SIM_LEAST; b++) {
			family[n] = family[i];
			family[n].point.balance = (SimBalance) b;
			family[n].likelihood = fit_likelihood(load, &family[n].point, requests);
			n++;
		}
	qsort(family, n, sizeof *family, by_likelihood);
	return n;
}

/* ---- what the data tell ---- */

static void hold_default(FitFound *found, int axis)
{
	found->has_axis[axis] = false;
	found->se[axis] = NAN;
}

/* Standard errors at the point, and the dispersion that is left. False: the information is singular. */
static bool fill_errors(FitLoad *load, FitFound *found, const bool *is_held, size_t requests)
{
	double by[AXES], inverse[AXES][AXES];
	Scoring s = { 0 };
	free_axes(&found->point, is_held, &s);
	derive(load, &found->point, requests, &s);
	found->dispersion = s.degrees > 0.0 ? s.chi / s.degrees : NAN;
	bool is_regular = solve(&s, 0.0, by, inverse);
	double factor = fmax(found->dispersion, 1.0);
	for (int a = 0; a < AXES; a++)
		found->se[a] = is_regular && s.is_free[a] ? sqrt(fmax(inverse[a][a], 0.0) * factor) : NAN;
	return is_regular;
}

/* Sets the axes that the data hardly tell to their defaults, where these are as likely. */
static void drop_untold(FitLoad *load, FitFound *found, bool *is_held, size_t requests)
{
	Service standard;
	service_default(&standard);
	const double value[AXES] = { [AXIS_CV] = standard.service_cv, [AXIS_OVERHEAD] = standard.service_overhead,
		[AXIS_DELAY] = standard.net_delay };
	double demand = exp(found->point.x[AXIS_DEMAND]);
	const double needed[AXES] = { [AXIS_CV] = .3, [AXIS_OVERHEAD] = .03 * demand, [AXIS_DELAY] = .1 * demand };
	for (int a = AXIS_OVERHEAD; a <= AXIS_DELAY; a++) {
		found->has_axis[a] = found->se[a] < fmax(needed[a], .25 * found->point.x[a]);
		if (found->has_axis[a] || is_held[a])
			continue;
		FitPoint fixed = found->point;
		fixed.x[a] = fmin(value[a], .5 * demand);
		is_held[a] = true;
		double with = climb(load, &fixed, is_held, requests, 2), without = fit_likelihood(load, &found->point, requests);
		if (2.0 * (without - with) > APART) { /* badly known, but not the default */
			found->has_axis[a] = true;
			is_held[a] = false;
			continue;
		}
		found->point = fixed;
		(void) fill_errors(load, found, is_held, requests);
		hold_default(found, a);
	}
}

/* Twice the loss of likelihood of a rival against the best; improved a little where that may decide. */
static double loss_of(FitLoad *load, FitPoint *rival, const bool *is_held, double best, size_t requests)
{
	double loss = 2.0 * (best - fit_likelihood(load, rival, requests));
	bool is_open = loss > .5 * APART && loss < 100.0 * APART;
	return is_open ? 2.0 * (best - climb(load, rival, is_held, requests, 2)) : loss;
}

typedef struct Counting { /* one of the point's counts, tried */
	size_t field;          /* in FitPoint */
	const int *rivals;
	int n, standard;
	int low, high;         /* of those as likely as the point's own */
	FitPoint best, at_standard;
	double least_loss;     /* the best rival's; below 0 it is better than the point's own */
	bool is_standard_likely;
} Counting;

static int *count_in(FitPoint *point, size_t field)
{
	return (int *) (void *) ((char *) point + field);
}

static void try_rivals(FitLoad *load, FitFound *found, const bool *is_held, size_t requests, Counting *c)
{
	int own = c->low = c->high = *count_in(&found->point, c->field);
	double likelihood = fit_likelihood(load, &found->point, requests);
	c->best = c->at_standard = found->point;
	c->least_loss = 0.0;
	c->is_standard_likely = own == c->standard;
	for (int i = 0; i < c->n && !load->is_cancelled; i++) {
		FitPoint rival = found->point;
		*count_in(&rival, c->field) = c->rivals[i];
		if (c->rivals[i] == own || rival.threads < .9 * load->used_cores)
			continue;
		if (rival.is_limited)
			rival = moved(&rival, AXIS_LIMIT, 0.0);
		double loss = loss_of(load, &rival, is_held, likelihood, requests);
		if (loss < c->least_loss) {
			c->least_loss = loss;
			c->best = rival;
		}
		if (loss > APART)
			continue;
		c->low = c->rivals[i] < c->low ? c->rivals[i] : c->low;
		c->high = c->rivals[i] > c->high ? c->rivals[i] : c->high;
		if (c->rivals[i] == c->standard) {
			c->at_standard = rival;
			c->is_standard_likely = true;
		}
	}
}

/* A count against its rivals, and against theirs where one is better: told if none is as likely; else the default if it is among
 * them. */
static bool try_count(FitLoad *load, FitFound *found, Counting count, const bool *is_held, size_t requests, double *ret_se)
{
	try_rivals(load, found, is_held, requests, &count);
	for (int moves = 0; moves < 3 && count.least_loss < -APART; moves++) {
		found->point = count.best;
		(void) climb(load, &found->point, is_held, requests, 2);
		try_rivals(load, found, is_held, requests, &count);
	}
	*ret_se = .5 * (count.high - count.low);
	if (count.low == count.high || !count.is_standard_likely)
		return true; /* within its error */
	found->point = count.at_standard;
	return false;
}

static void try_balance(FitLoad *load, FitFound *found, const bool *is_held, size_t requests)
{
	double loss[3] = { 0 }, best;
	FitPoint rival[3];
	if (fit_mean_pods(load) < 1.5)
		return; /* one pod needs no balancer */
	best = fit_likelihood(load, &found->point, requests);
	int winner = SIM_RANDOM, likely = 0;
	for (int b = SIM_RANDOM; b <= SIM_LEAST; b++) {
		rival[b] = found->point;
		rival[b].balance = (SimBalance) b;
		loss[b] = 2.0 * (best - climb(load, &rival[b], is_held, requests, 4));
		winner = loss[b] < loss[winner] ? b : winner;
	}
	for (int b = SIM_RANDOM; b <= SIM_LEAST; b++)
		likely += loss[b] - loss[winner] <= APART;
	found->has_balance = likely == 1 || loss[SIM_RANDOM] - loss[winner] > APART; /* that it is not the default, at least */
	if (loss[SIM_RANDOM] - loss[winner] > APART)
		found->point = rival[winner];
	else
		found->point = rival[SIM_RANDOM];
}

/* A limit is told if it is sharp, or if its absence is. */
static void try_limit(FitLoad *load, FitFound *found, bool *is_held, size_t requests)
{
	Service standard;
	service_default(&standard);
	if (found->point.is_limited && found->point.x[AXIS_LIMIT] > log(NO_LIMIT * found->point.threads)) {
		found->point.is_limited = false;
		(void) climb(load, &found->point, is_held, requests, 2);
	}
	FitPoint rival = found->point;
	double best = fit_likelihood(load, &found->point, requests), loss;
	if (found->point.is_limited && found->se[AXIS_LIMIT] < .15) {
		rival.is_limited = false;
		loss = loss_of(load, &rival, is_held, best, requests);
		found->has_axis[AXIS_LIMIT] = loss > APART;
		if (found->has_axis[AXIS_LIMIT])
			return;
	}
	/* the default: is it as likely? */
	rival = found->point;
	rival.is_limited = true;
	rival.x[AXIS_LIMIT] = log(standard.cpu_limit);
	bool was_held = is_held[AXIS_LIMIT];
	is_held[AXIS_LIMIT] = true;
	loss = standard.cpu_limit < .95 * load->used_cores ? INFINITY : loss_of(load, &rival, is_held, best, requests);
	is_held[AXIS_LIMIT] = was_held;
	found->has_axis[AXIS_LIMIT] = loss > APART;
	if (!found->has_axis[AXIS_LIMIT]) {
		found->point = rival;
		is_held[AXIS_LIMIT] = true;
	}
}

static void settle(FitLoad *load, double told_limit, bool *is_held, FitFound *found)
{
	size_t middle = scaled(load, MIDDLE_REQUESTS), length = scaled(load, LONG_REQUESTS);
	const Counting threads = { .field = offsetof(FitPoint, threads), .rivals = THREADS_TRIED, .n = N_TRIED, .standard = 1 };
	const Counting concurrency = { .field = offsetof(FitPoint, concurrency), .rivals = CONCURRENCY, .n = N_CONCURRENCY, .standard = 128 };
	found->has_concurrency = try_count(load, found, concurrency, is_held, middle, &found->concurrency_se);
	found->has_threads = try_count(load, found, threads, is_held, middle, &found->threads_se);
	try_balance(load, found, is_held, middle);
	(void) fill_errors(load, found, is_held, length);
	if (isnan(told_limit))
		try_limit(load, found, is_held, middle);
	(void) fill_errors(load, found, is_held, length);
	found->has_axis[AXIS_DEMAND] = true;
	drop_untold(load, found, is_held, middle);
	(void) climb(load, &found->point, is_held, length, 3);
	(void) fill_errors(load, found, is_held, length);
	if (found->point.shape != SHAPE_LOGNORMAL) { /* the error of cv: as if it could be any */
		FitFound as_lognormal = *found;
		as_lognormal.point.shape = SHAPE_LOGNORMAL;
		as_lognormal.point.x[AXIS_CV] = 1.0 + 1e-5;
		(void) fill_errors(load, &as_lognormal, is_held, length);
		found->se[AXIS_CV] = as_lognormal.se[AXIS_CV];
	}
	found->has_axis[AXIS_CV] = found->se[AXIS_CV] < .3;
}

/* The best `most` of the families climb, and are sorted anew. */
static void improve(FitLoad *load, Candidate *family, size_t *n, size_t most, const bool *is_held, size_t requests, int steps)
{
	*n = *n < most ? *n : most;
	for (size_t i = 0; i < *n; i++)
		family[i].likelihood = climb(load, &family[i].point, is_held, requests, steps);
	qsort(family, *n, sizeof *family, by_likelihood);
}

int fit_search(FitLoad *load, double told_limit, FitFound *ret, Error *err)
{
	Candidate family[FAMILIES_MAX];
	bool is_held[AXES] = { [AXIS_LIMIT] = !isnan(told_limit) };
	load->of_all = SEARCH_REQUESTS * (double) load->n_bins * load->options->effort;
	load->stride = 2;
	size_t n = search_grid(load, told_limit, family);
	improve(load, family, &n, FIRST, is_held, scaled(load, GRID_REQUESTS), 3);
	load->stride = 1;
	improve(load, family, &n, SECOND, is_held, scaled(load, SHORT_REQUESTS), 3);
	improve(load, family, &n, THIRD, is_held, scaled(load, MIDDLE_REQUESTS), 2);
	improve(load, family, &n, FINALISTS, is_held, scaled(load, LONG_REQUESTS), 2);
	*ret = (FitFound) { .point = family[0].point };
	settle(load, told_limit, is_held, ret);
	return load->is_cancelled ? error_set(err, ERR_CANCELLED, "fit: cancelled") : 0;
}
