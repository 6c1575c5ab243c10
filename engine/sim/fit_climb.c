/*
 * Fisher scoring: uphill from a point by the score and the information of its predictions, and the standard errors that the
 * information gives.
 */
#include "sim/fit_inside.h"

#include <math.h>
#include <string.h>

static const double STEP[AXES] = { [AXIS_DEMAND] = .03, [AXIS_CV] = .06, [AXIS_LIMIT] = .03 }; /* the others' go with the demand */

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

FitPoint fit_moved(const FitPoint *point, int axis, double by)
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
		FitPoint low = fit_moved(point, a, -step), high = fit_moved(point, a, step);
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

double fit_climb(FitLoad *load, FitPoint *point, const bool *is_held, size_t requests, int steps)
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
					next = fit_moved(&next, a, fmax(fmin(by[a], 10.0 * step_of(point, a)), -10.0 * step_of(point, a)));
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

void fit_errors(FitLoad *load, FitFound *found, const bool *is_held, size_t requests)
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
}
