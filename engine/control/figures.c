/* See figures.h. One pass a measure over the steps: they are few enough, and each stays readable. */
#include "control/figures.h"

#include "control/measures.h"

#include <math.h>

static const struct {
	const char *key;
	int decimals;
} TABLE[FIGURE_COUNT] = {
#define ROW(name, key, decimals) { key, decimals },
	FIGURE_TABLE(ROW)
#undef ROW
};

enum { SETTLED_S = 60, FLAP_S = 600, RAMP_PODS = 2, RAMP_END_S = 1800, RAMP_BEFORE_S = 300, EVENTS_MAX = 4096 };
static const double RAMP_PART = .2;

const char *figure_key(Figure figure)
{
	return TABLE[figure].key;
}

int figure_decimals(Figure figure)
{
	return TABLE[figure].decimals;
}

static int32_t demand_at(const FiguresInput *in, int32_t t)
{
	int32_t d = in->step[t].demand;
	return d < in->min_replicas ? in->min_replicas : d > in->max_replicas ? in->max_replicas : d;
}

static bool is_over(const EvalStep *step, double limit_ms)
{
	return limit_ms > 0 && (double) step->p95_ms > limit_ms; /* NAN: no traffic, nothing over */
}

static void add_limits(const FiguresInput *in, double *f)
{
	double soft = 0, hard = 0, slow = 0, all = 0, p95 = 0, worst = 0;
	int32_t known = 0;
	for (int32_t t = 0; t < in->n; t++) {
		const EvalStep *s = &in->step[t];
		double requests = isfinite(s->rps) ? (double) s->rps * in->interval_s : 0;
		soft += is_over(s, in->soft_ms) ? in->interval_s : 0;
		hard += is_over(s, in->hard_ms) ? in->interval_s : 0;
		slow += (double) s->slow_hard * requests;
		all += requests;
		if (isfinite(s->p95_ms)) {
			p95 += (double) s->p95_ms;
			worst = fmax(worst, (double) s->p95_ms);
			known++;
		}
	}
	double total = in->n * in->interval_s;
	f[FIGURE_SLO_S] = in->hard_ms > 0 ? hard : NAN;
	f[FIGURE_SLO_SOFT_S] = in->soft_ms > 0 ? soft : NAN;
	f[FIGURE_SLO_FRAC] = in->hard_ms > 0 && all > 0 ? slow / all : NAN;
	f[FIGURE_V_HOURS] = (f[FIGURE_SLO_S] + f[FIGURE_SLO_SOFT_S]) / 3600;
	f[FIGURE_V_PCT] = 100 * 3600 * f[FIGURE_V_HOURS] / total;
	f[FIGURE_P95_MEAN] = known ? p95 / known : NAN;
	f[FIGURE_P95_MAX] = known ? worst : NAN;
}

static void add_changes(const FiguresInput *in, double *f)
{
	int32_t last = in->first_replicas, direction = 0;
	double changed_s = -INFINITY, actions = 0, reversals = 0, quick = 0;
	for (int32_t t = 0; t < in->n; t++) {
		int32_t now = in->step[t].replicas;
		if (now == last)
			continue;
		int32_t to = now > last ? 1 : -1;
		bool is_reversed = direction && to != direction;
		double at_s = t * in->interval_s;
		actions += 1;
		reversals += is_reversed;
		quick += is_reversed && at_s - changed_s <= FLAP_S;
		direction = to;
		changed_s = at_s;
		last = now;
	}
	f[FIGURE_ACTIONS] = actions;
	f[FIGURE_REVERSALS] = reversals;
	f[FIGURE_REVERSALS_10M] = quick;
}

static int sign(int32_t x)
{
	return (x > 0) - (x < 0);
}

static void add_elasticity(const FiguresInput *in, double *f)
{
	double under = 0, over = 0, under_part = 0, over_part = 0, under_time = 0, over_time = 0, unstable = 0, pods = 0;
	for (int32_t t = 0; t < in->n; t++) {
		int32_t d = demand_at(in, t), s = in->step[t].ready;
		int32_t lack = d > s ? d - s : 0, spare = s > d ? s - d : 0;
		pods += (double) in->step[t].pod_s;
		under += lack;
		over += spare;
		under_part += (double) lack / d;
		over_part += (double) spare / d;
		under_time += lack > 0;
		over_time += spare > 0;
		if (t)
			unstable += sign(s - in->step[t - 1].ready) != sign(d - demand_at(in, t - 1));
	}
	double n = in->n;
	f[FIGURE_POD_HOURS] = pods / 3600;
	f[FIGURE_UNDER] = under * in->interval_s / 3600;
	f[FIGURE_OVER] = over * in->interval_s / 3600;
	f[FIGURE_THETA_U] = 100 * under_part / n;
	f[FIGURE_THETA_O] = 100 * over_part / n;
	f[FIGURE_TAU_U] = 100 * under_time / n;
	f[FIGURE_TAU_O] = 100 * over_time / n;
	f[FIGURE_INSTABILITY] = in->n > 1 ? 100 * unstable / (n - 1) : NAN;
}

/* Where V is: a lack of pods, what it leaves in the queues, or chance within an interval. */
static void add_causes(const FiguresInput *in, double *f)
{
	double v[3] = { 0 }, lacked_s = -INFINITY;
	for (int32_t t = 0; t < in->n; t++) {
		const EvalStep *s = &in->step[t];
		double at_s = t * in->interval_s;
		bool lacks = demand_at(in, t) > s->ready;
		lacked_s = lacks ? at_s : lacked_s;
		v[lacks ? 0 : at_s - lacked_s <= SETTLED_S ? 1 : 2] += is_over(s, in->soft_ms) + is_over(s, in->hard_ms);
	}
	for (int i = 0; i < 3; i++)
		f[FIGURE_V_SHORT + i] = in->soft_ms > 0 && in->hard_ms > 0 ? 100 * v[i] / in->n : NAN;
}

static void add_recovery(const FiguresInput *in, double *f)
{
	double time[EVENTS_MAX], worst = NAN, open = 0;
	int32_t n = 0, settled = (int32_t) ceil(SETTLED_S / in->interval_s);
	for (int32_t t = 0; t < in->n; t++) {
		if (!is_over(&in->step[t], in->soft_ms))
			continue;
		int32_t start = t, last = t;
		while (t < in->n && t - last <= settled) {
			if (is_over(&in->step[t], in->soft_ms))
				last = t;
			t++;
		}
		bool is_censored = t == in->n && t - last <= settled;
		double took = ((is_censored ? in->n : last + 1) - start) * in->interval_s;
		open += is_censored;
		worst = fmax(took, worst); /* the other one where one is NAN */
		if (n < EVENTS_MAX)
			time[n++] = took;
	}
	f[FIGURE_RECOVERY] = median_of(time, (size_t) n);
	f[FIGURE_RECOVERY_MAX] = worst;
	f[FIGURE_UNRECOVERED] = open;
}

static int32_t change_at(const FiguresInput *in, int32_t t)
{
	return in->step[t].replicas - (t ? in->step[t - 1].replicas : in->first_replicas);
}

/* Seconds from the first scale-up of those that led up to `needed` without a scale-down between, not before `from`; without one, to
 * the first after it (negative), or to `end`. */
static double lead_of(const FiguresInput *in, int32_t from, int32_t needed, int32_t end)
{
	int32_t up = -1;
	for (int32_t t = needed; t >= from && change_at(in, t) >= 0; t--)
		if (change_at(in, t) > 0)
			up = t;
	if (up < 0)
		for (up = needed + 1; up < end && change_at(in, up) <= 0; up++)
			;
	return (needed - up) * in->interval_s;
}

static int32_t least_ready(const FiguresInput *in, int32_t from, int32_t to)
{
	int32_t least = in->step[to].ready;
	for (int32_t t = from; t < to; t++)
		least = in->step[t].ready < least ? in->step[t].ready : least;
	return least;
}

int32_t figures_leads(const FiguresInput *in, double *ret_lead_s, int32_t room)
{
	int32_t n = 0, trough = 0, quiet = (int32_t) (RAMP_END_S / in->interval_s), before = (int32_t) (RAMP_BEFORE_S / in->interval_s);
	for (int32_t t = 1; t < in->n; t++) {
		int32_t low = demand_at(in, trough), d = demand_at(in, t);
		if (d <= low) {
			trough = t;
			continue;
		}
		if (d - low < fmax(RAMP_PODS, RAMP_PART * low))
			continue;
		int32_t from = trough > before ? trough - before : 0, ready = least_ready(in, from, trough);
		int32_t peak = t, needed = -1, end = trough + 1;
		for (; end < in->n && end - peak <= quiet; end++) { /* until it falls, or has risen no more for long */
			int32_t now = demand_at(in, end);
			if (needed < 0 && now > ready)
				needed = end;
			if (now > demand_at(in, peak))
				peak = end;
			if (end > peak && demand_at(in, peak) - now >= RAMP_PODS)
				break;
		}
		if (needed >= 0 && n < room)
			ret_lead_s[n++] = lead_of(in, from, needed, end);
		trough = t = end < in->n ? end : in->n - 1;
	}
	return n;
}

static void add_leads(const FiguresInput *in, double *f)
{
	double lead[EVENTS_MAX], ahead = 0;
	int32_t n = figures_leads(in, lead, EVENTS_MAX);
	for (int32_t i = 0; i < n; i++)
		ahead += lead[i] > 0;
	f[FIGURE_RAMPS] = n;
	f[FIGURE_LEAD] = median_of(lead, (size_t) n);
	f[FIGURE_LEAD_SHARE] = n ? ahead / n : NAN;
}

void figures_of_use(const FiguresInput *in, double ret[FIGURE_COUNT])
{
	for (int i = 0; i < FIGURE_COUNT; i++)
		ret[i] = NAN;
	add_limits(in, ret);
	add_elasticity(in, ret);
}

void figures_of(const FiguresInput *in, double ret[FIGURE_COUNT])
{
	figures_of_use(in, ret);
	add_changes(in, ret);
	add_causes(in, ret);
	add_recovery(in, ret);
	add_leads(in, ret);
	ret[FIGURE_STEPS] = in->n;
	ret[FIGURE_COST] = ret[FIGURE_POD_HOURS] + in->lambda * ret[FIGURE_SLO_S] / 3600;
}
