/* See compare.h. */
#include "tui/compare.h"

#include "base/json.h"
#include "base/mem.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEED = 20211 };

static const EpisodeFigures NONE = { NAN, NAN, NAN, NAN, NAN };

static int by_value(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;
	return (x > y) - (x < y);
}

/* ---- grouping ---- */

static bool is_alike(const CompareView *view, const CompareRun *a, const CompareRun *b)
{
	return !view->is_single && a->row.group && a->row.group == b->row.group;
}

static int count_seeds(const CompareEntry *entry, const ArchiveAnswer *answer)
{
	int n = 0;
	for (int i = 0; i < entry->n; i++) {
		int k = 0;
		while (k < i && answer->compared[entry->run[k]].row.seed != answer->compared[entry->run[i]].row.seed)
			k++;
		n += k == i;
	}
	return n;
}

static void group_runs(CompareView *view, const ArchiveAnswer *answer)
{
	view->n = 0;
	for (int r = 0; r < answer->n_compared; r++) {
		const CompareRun *run = &answer->compared[r];
		int e = 0;
		while (e < view->n && !is_alike(view, &answer->compared[view->entry[e].run[0]], run))
			e++;
		if (e == COMPARE_ENTRIES)
			continue;
		CompareEntry *entry = &view->entry[e];
		if (e == view->n) {
			*entry = (CompareEntry) { .letter = (char) ('A' + e) };
			view->n++;
		}
		entry->run[entry->n++] = r;
	}
	for (int e = 0; e < view->n; e++) {
		CompareEntry *entry = &view->entry[e];
		const RunRow *row = &answer->compared[entry->run[0]].row;
		entry->n_seeds = count_seeds(entry, answer);
		if (entry->n_seeds > 1)
			(void) snprintf(entry->name, sizeof entry->name, "%.48s (%d seeds)", row->name, entry->n_seeds);
		else if (entry->n > 1)
			(void) snprintf(entry->name, sizeof entry->name, "%.48s (%d runs, one seed)", row->name, entry->n);
		else
			(void) snprintf(entry->name, sizeof entry->name, "%.48s #%lld", row->name, (long long) row->id);
	}
}

/* ---- figures ---- */

static bool is_same_trace(const CompareRun *a, const CompareRun *b)
{
	return !strcmp(a->trace, b->trace);
}

static const EpisodeFigures *figures_of(const CompareRun *run, bool of_rule)
{
	return of_rule ? &run->hpa : &run->eval;
}

/* Of the entry's runs with figures, those of one trace and seed with this one. */
static int count_alike(const CompareEntry *entry, const ArchiveAnswer *answer, const CompareRun *of, bool of_rule)
{
	int n = 0;
	for (int i = 0; i < entry->n; i++) {
		const CompareRun *run = &answer->compared[entry->run[i]];
		n += !isnan(figures_of(run, of_rule)->pod_hours) && run->row.seed == of->row.seed && is_same_trace(run, of);
	}
	return n;
}

static void add_figures(EpisodeFigures *sum, double weight, const EpisodeFigures *f)
{
	double *to[] = { &sum->reward, &sum->v_pct, &sum->pod_hours, &sum->flips, &sum->p95_ms };
	const double from[] = { f->reward, f->v_pct, f->pod_hours, f->flips, f->p95_ms };
	for (size_t i = 0; i < sizeof to / sizeof *to; i++)
		*to[i] += weight * from[i];
}

/* Runs of one trace and seed are one draw: together they weigh one. */
static EpisodeFigures mean_figures(const CompareEntry *entry, const ArchiveAnswer *answer, bool of_rule)
{
	EpisodeFigures sum = { 0 };
	double n = 0;
	for (int i = 0; i < entry->n; i++) {
		const CompareRun *run = &answer->compared[entry->run[i]];
		const EpisodeFigures *figures = figures_of(run, of_rule);
		if (isnan(figures->pod_hours))
			continue;
		double weight = 1.0 / count_alike(entry, answer, run, of_rule);
		add_figures(&sum, weight, figures);
		n += weight;
	}
	if (!(n > 0))
		return NONE;
	return (EpisodeFigures) { sum.reward / n, sum.v_pct / n, sum.pod_hours / n, sum.flips / n, sum.p95_ms / n };
}

typedef enum Which { LAST_EVAL, LAST_EPISODE, OVER_RULE, OF_RULE } Which;

static double value_of(const CompareRun *run, Which which)
{
	switch (which) {
	case LAST_EPISODE: return run->eval.reward;
	case OVER_RULE: return run->eval.reward - run->hpa.reward;
	case OF_RULE: return run->hpa.reward;
	default: return run->last_eval;
	}
}

/* Values by trace, known ones alone. */
typedef struct Values {
	double x[ARCHIVE_COMPARE];
	size_t stratum[ARCHIVE_COMPARE], n_strata, n;
} Values;

/* The mean over the runs of one trace and seed, which are one draw and not several; those are taken. */
static double value_of_seed(const CompareEntry *entry, const ArchiveAnswer *answer, Which which, int first, bool *is_taken)
{
	const CompareRun *of = &answer->compared[entry->run[first]];
	double sum = 0;
	int n = 0;
	for (int i = first; i < entry->n; i++) {
		const CompareRun *run = &answer->compared[entry->run[i]];
		if (is_taken[i] || run->row.seed != of->row.seed || !is_same_trace(run, of))
			continue;
		is_taken[i] = true;
		double x = value_of(run, which);
		sum += isnan(x) ? 0 : x;
		n += !isnan(x);
	}
	return n ? sum / n : (double) NAN;
}

static Values values_of(const CompareEntry *entry, const ArchiveAnswer *answer, Which which)
{
	Values v = { .n = 0 };
	bool is_taken[ARCHIVE_COMPARE] = { false };
	for (int i = 0; i < entry->n; i++) {
		const CompareRun *first = &answer->compared[entry->run[i]];
		size_t before = v.n;
		for (int k = is_taken[i] ? entry->n : i; k < entry->n; k++) {
			if (is_taken[k] || !is_same_trace(&answer->compared[entry->run[k]], first))
				continue;
			double x = value_of_seed(entry, answer, which, k, is_taken);
			if (!isnan(x))
				v.x[v.n++] = x;
		}
		if (v.n > before)
			v.stratum[v.n_strata++] = v.n - before;
	}
	return v;
}

static BootSample sample_of(const Values *v)
{
	return (BootSample) { v->x, v->stratum, v->n_strata };
}

static void aggregate(CompareEntry *entry, const ArchiveAnswer *answer, Which which, size_t reps)
{
	Rng rng;
	rng_init(&rng, SEED, (uint32_t) entry->letter, RNG_BOOTSTRAP);
	Values v = values_of(entry, answer, which);
	BootSample sample = sample_of(&v);
	if (boot_estimate(&sample, reps, boot_draw, &rng, &entry->iqm))
		entry->iqm = (Estimate) { NAN, NAN, NAN };
	qsort(v.x, v.n, sizeof *v.x, by_value);
	entry->median = v.n ? boot_quantile(v.x, v.n, .5) : (double) NAN;
	entry->worst = v.n ? v.x[0] : (double) NAN;
	entry->mean = mean_figures(entry, answer, which == OF_RULE);
}

/* The probability of improvement on the rule, whose episodes are of the same traffic as the entry's. */
static void set_over_rule(CompareEntry *entry, uint32_t e, const ArchiveAnswer *answer, size_t reps)
{
	Rng rng;
	Values a = values_of(entry, answer, LAST_EPISODE), h = values_of(entry, answer, OF_RULE);
	BootSample sa = sample_of(&a), sh = sample_of(&h);
	rng_init(&rng, SEED + 2, e, RNG_BOOTSTRAP);
	entry->over_rule = (Estimate) { NAN, NAN, NAN };
	if (a.n && a.n == h.n)
		(void) boot_better(&sa, &sh, reps, boot_draw, &rng, &entry->over_rule);
}

/* Against the baseline; the baseline against the rule, each run on its own traffic. */
static void set_difference(CompareView *view, int e, const ArchiveAnswer *answer, size_t reps)
{
	Rng rng;
	CompareEntry *entry = &view->entry[e];
	rng_init(&rng, SEED + 1, (uint32_t) e, RNG_BOOTSTRAP);
	entry->p_greater = NAN;
	entry->better = (Estimate) { NAN, NAN, NAN };
	Values a = values_of(entry, answer, e == view->baseline ? OVER_RULE : LAST_EVAL);
	BootSample sa = sample_of(&a);
	if (e == view->baseline) {
		(void) boot_estimate(&sa, reps, boot_draw, &rng, &entry->difference);
		return;
	}
	Values b = values_of(&view->entry[view->baseline], answer, LAST_EVAL);
	BootSample sb = sample_of(&b);
	(void) boot_difference(&sa, &sb, reps, boot_draw, &rng, &entry->difference, &entry->p_greater);
	rng_init(&rng, SEED + 1, (uint32_t) e, RNG_BOOTSTRAP); /* the same resamples */
	(void) boot_better(&sa, &sb, reps, boot_draw, &rng, &entry->better);
}

void compare_resample(CompareView *view, const ArchiveAnswer *answer, size_t reps, const atomic_bool *is_unwanted)
{
	aggregate(&view->rule, answer, OF_RULE, reps);
	for (int e = 0; e < view->n && !(is_unwanted && atomic_load(is_unwanted)); e++) {
		aggregate(&view->entry[e], answer, LAST_EVAL, reps);
		set_difference(view, e, answer, reps);
		set_over_rule(&view->entry[e], (uint32_t) e, answer, reps);
	}
}

/* ---- curves ---- */

static double x_at(const CompareRun *run, int i, CompareAxis axis)
{
	switch (axis) {
	case AXIS_WALL: return (double) run->wall_ms[i] / 1000;
	case AXIS_EPISODES: return run->episode_steps > 0 ? (double) run->steps[i] / run->episode_steps : (double) NAN;
	case AXIS_SHARE: return 100 * (double) run->steps[i] / (double) run->steps[run->n_points - 1];
	default: return (double) run->steps[i];
	}
}

static double figure_at(const CompareRun *run, int i, CompareFigure figure)
{
	const EpisodeFigures *f = &run->episode[i];
	switch (figure) {
	case FIGURE_VIOLATION: return f->v_pct;
	case FIGURE_HOURS: return f->pod_hours;
	case FIGURE_FLIPS: return f->flips;
	case FIGURE_P95: return f->p95_ms;
	default: return (double) run->reward[i];
	}
}

/* Between two points; beside one that is not known, only at the other itself. */
static double between(double y0, double y1, double t)
{
	return t <= 0 ? y0 : t >= 1 ? y1 : y0 + t * (y1 - y0);
}

static double run_at(const CompareRun *run, CompareFigure figure, double x, CompareAxis axis)
{
	for (int i = 0; i + 1 < run->n_points; i++) {
		double x0 = x_at(run, i, axis), x1 = x_at(run, i + 1, axis);
		if (x >= x0 && x <= x1)
			return between(figure_at(run, i, figure), figure_at(run, i + 1, figure), x1 > x0 ? (x - x0) / (x1 - x0) : 0);
	}
	return NAN;
}

static void make_point(CompareEntry *entry, int at, CompareFigure figure, const ArchiveAnswer *answer, CompareAxis axis)
{
	CompareCurve *curve = &entry->curve[figure];
	double y[ARCHIVE_COMPARE];
	size_t n = 0;
	for (int i = 0; i < entry->n; i++) {
		double value = run_at(&answer->compared[entry->run[i]], figure, entry->x[at], axis);
		if (!isnan(value))
			y[n++] = value;
	}
	qsort(y, n, sizeof *y, by_value);
	curve->middle[at] = n ? boot_iqm(y, n) : (double) NAN;
	curve->lo[at] = n ? y[0] : (double) NAN;
	curve->hi[at] = n ? y[n - 1] : (double) NAN;
}

static void make_curves(CompareEntry *entry, const ArchiveAnswer *answer, CompareAxis axis)
{
	double first = INFINITY, last = 0;
	entry->n_points = 0;
	for (int i = 0; i < entry->n; i++) {
		const CompareRun *run = &answer->compared[entry->run[i]];
		if (run->n_points < 2)
			continue;
		first = fmin(first, x_at(run, 0, axis));
		last = fmax(last, x_at(run, run->n_points - 1, axis));
	}
	if (!(last > first))
		return;
	for (int p = 0; p < COMPARE_POINTS; p++) {
		int at = entry->n_points++;
		entry->x[at] = p == COMPARE_POINTS - 1 ? last : first + (last - first) * p / (COMPARE_POINTS - 1); /* no rounding past the end */
		for (CompareFigure figure = 0; figure < FIGURE_COUNT; figure++)
			make_point(entry, at, figure, answer, axis);
	}
}

void compare_set_axis(CompareView *view, const ArchiveAnswer *answer, CompareAxis axis)
{
	view->axis = axis;
	for (int e = 0; e < view->n; e++)
		make_curves(&view->entry[e], answer, axis);
}

double compare_at(const CompareEntry *entry, CompareFigure figure, double x)
{
	const double *y = entry->curve[figure].middle;
	for (int i = 0; i + 1 < entry->n_points; i++) {
		double x0 = entry->x[i], x1 = entry->x[i + 1];
		if (x >= x0 && x <= x1)
			return between(y[i], y[i + 1], x1 > x0 ? (x - x0) / (x1 - x0) : 0);
	}
	return NAN;
}

/* ---- options ---- */

static CompareDiff *key_of(CompareView *view, const char *key)
{
	for (int i = 0; i < view->n_keys; i++)
		if (!strcmp(view->diff[i].key, key))
			return &view->diff[i];
	if (view->n_keys == COMPARE_KEYS)
		return NULL;
	CompareDiff *diff = &view->diff[view->n_keys++];
	*diff = (CompareDiff) { .differs = false };
	str_copy(diff->key, sizeof diff->key, key);
	return diff;
}

/* Entries of several runs have several seeds; that of one is an option like others. */
static void read_config(CompareView *view, int e, const char *config)
{
	Json *root = NULL;
	if (json_parse(config, strlen(config), &root, NULL))
		return;
	for (const Json *m = json_first(root); m; m = json_next(m)) {
		CompareDiff *diff = json_is_null(m) || (!view->is_single && !strcmp(json_key(m), "seed")) ? NULL : key_of(view, json_key(m));
		char *text = diff && !json_string(m) ? json_print(m) : NULL;
		const char *value = json_string(m) ? json_string(m) : text ? text : "?";
		const char *slash = strrchr(value, '/');
		if (diff)
			str_copy(diff->value[e], sizeof diff->value[e], slash ? slash + 1 : value);
		free(text);
	}
	json_free(root);
}

/* What is no option and may still make the difference; of several runs all that they have. */
static void add_origin(CompareView *view, int e, const ArchiveAnswer *answer, const char *key, size_t at)
{
	const CompareEntry *entry = &view->entry[e];
	for (int i = 0; i < entry->n; i++) {
		const char *value = (const char *) &answer->compared[entry->run[i]] + at;
		CompareDiff *diff = value[0] ? key_of(view, key) : NULL;
		size_t len = diff ? strlen(diff->value[e]) : 0;
		if (diff && !strstr(diff->value[e], value))
			(void) snprintf(diff->value[e] + len, sizeof diff->value[e] - len, "%s%s", len ? " " : "", value);
	}
}

static void make_diff(CompareView *view, const ArchiveAnswer *answer)
{
	view->n_keys = view->n_differ = 0;
	for (int e = 0; e < view->n; e++) {
		read_config(view, e, answer->compared[view->entry[e].run[0]].config);
		add_origin(view, e, answer, "host", offsetof(CompareRun, row.host));
	}
	for (int k = 0; k < view->n_keys; k++) {
		for (int e = 1; e < view->n; e++)
			view->diff[k].differs |= strcmp(view->diff[k].value[e], view->diff[k].value[0]) != 0;
		view->n_differ += view->diff[k].differs;
	}
}

/* ---- all ---- */

/* Runs on unlike traffic have no common ground. */
static void refuse_unequal(CompareView *view, const ArchiveAnswer *answer)
{
	view->refusal[0] = '\0';
	for (int r = 1; r < answer->n_compared && !view->refusal[0]; r++)
		if (strcmp(answer->compared[r].trace, answer->compared[0].trace) != 0)
			(void) snprintf(view->refusal, sizeof view->refusal, "no aggregate: run %lld is on %.40s, run %lld on %.40s",
			                (long long) answer->compared[0].row.id, answer->compared[0].trace,
			                (long long) answer->compared[r].row.id, answer->compared[r].trace);
}

static void keep_hidden(CompareView *view, const bool *was_hidden, int n_before)
{
	for (int e = 0; e < view->n && n_before == view->n; e++)
		view->entry[e].is_hidden = was_hidden[e];
}

void compare_build(CompareView *view, const ArchiveAnswer *answer)
{
	bool was_hidden[COMPARE_ENTRIES];
	int n_before = view->n;
	size_t reps = view->reps ? view->reps : COMPARE_REPS;
	for (int e = 0; e < n_before; e++)
		was_hidden[e] = view->entry[e].is_hidden;
	group_runs(view, answer);
	keep_hidden(view, was_hidden, n_before);
	view->baseline = view->baseline < view->n ? view->baseline : 0;
	view->selected = view->selected < view->n ? view->selected : 0;
	refuse_unequal(view, answer);
	view->rule = (CompareEntry) { .letter = 'H', .name = "HPA rule" };
	for (int r = 0; r < answer->n_compared; r++)
		if (!isnan(answer->compared[r].hpa.reward))
			view->rule.run[view->rule.n++] = r;
	view->rule.n_seeds = count_seeds(&view->rule, answer);
	compare_resample(view, answer, reps, NULL);
	for (int e = 0; e < view->n; e++)
		make_curves(&view->entry[e], answer, view->axis);
	make_diff(view, answer);
}

void compare_verdict(const CompareView *view, int i, char *text, size_t size)
{
	const CompareEntry *entry = &view->entry[i];
	const Estimate *d = &entry->difference;
	char other = i == view->baseline ? 'H' : view->entry[view->baseline].letter;
	const char *name = i == view->baseline ? "HPA" : (char[2]) { other, '\0' };
	if (isnan(d->value))
		(void) snprintf(text, size, "%c better than %s: ? nothing to compare", entry->letter, name);
	else if (isnan(d->lo))
		(void) snprintf(text, size, "%c better than %s: not shown (n=%d, no interval)", entry->letter, name, entry->n_seeds);
	else
		(void) snprintf(text, size, "%c better than %s: %s (%+.2f [%+.2f %+.2f])", entry->letter, name,
		                d->lo > 0 ? "yes" : d->hi < 0 ? "no, worse" : "not shown", d->value, d->lo, d->hi);
}
