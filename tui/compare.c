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
		if (entry->n > 1)
			(void) snprintf(entry->name, sizeof entry->name, "%.48s (%d seeds)", row->name, entry->n);
		else
			(void) snprintf(entry->name, sizeof entry->name, "%.48s #%lld", row->name, (long long) row->id);
	}
}

/* ---- figures ---- */

static void add_figures(EpisodeFigures *sum, int *n, const EpisodeFigures *f)
{
	if (isnan(f->pod_hours))
		return;
	double *to[] = { &sum->reward, &sum->v_pct, &sum->pod_hours, &sum->flips, &sum->p95_ms };
	const double from[] = { f->reward, f->v_pct, f->pod_hours, f->flips, f->p95_ms };
	for (size_t i = 0; i < sizeof to / sizeof *to; i++)
		*to[i] += from[i];
	++*n;
}

static EpisodeFigures mean_figures(const CompareEntry *entry, const ArchiveAnswer *answer, bool of_rule)
{
	EpisodeFigures sum = { 0 };
	int n = 0;
	for (int i = 0; i < entry->n; i++) {
		const CompareRun *run = &answer->compared[entry->run[i]];
		add_figures(&sum, &n, of_rule ? &run->hpa : &run->eval);
	}
	if (!n)
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

static Values values_of(const CompareEntry *entry, const ArchiveAnswer *answer, Which which)
{
	Values v = { .n = 0 };
	bool is_taken[ARCHIVE_COMPARE] = { false };
	for (int i = 0; i < entry->n; i++) {
		if (is_taken[i])
			continue;
		size_t before = v.n;
		for (int k = i; k < entry->n; k++) {
			const CompareRun *run = &answer->compared[entry->run[k]];
			if (is_taken[k] || strcmp(run->trace, answer->compared[entry->run[i]].trace) != 0)
				continue;
			is_taken[k] = true;
			double x = value_of(run, which);
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

static double reward_at(const CompareRun *run, double x, CompareAxis axis)
{
	for (int i = 0; i + 1 < run->n_points; i++) {
		double x0 = x_at(run, i, axis), x1 = x_at(run, i + 1, axis);
		if (!(x >= x0 && x <= x1))
			continue;
		double t = x1 > x0 ? (x - x0) / (x1 - x0) : 0;
		return (double) run->reward[i] + t * (double) (run->reward[i + 1] - run->reward[i]);
	}
	return NAN;
}

static void make_curve(CompareEntry *entry, const ArchiveAnswer *answer, CompareAxis axis)
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
		double y[ARCHIVE_COMPARE], x = first + (last - first) * p / (COMPARE_POINTS - 1);
		size_t n = 0;
		for (int i = 0; i < entry->n; i++) {
			double reward = reward_at(&answer->compared[entry->run[i]], x, axis);
			if (!isnan(reward))
				y[n++] = reward;
		}
		if (!n)
			continue;
		qsort(y, n, sizeof *y, by_value);
		int at = entry->n_points++;
		entry->x[at] = x;
		entry->middle[at] = boot_iqm(y, n);
		entry->lo[at] = y[0];
		entry->hi[at] = y[n - 1];
	}
}

void compare_set_axis(CompareView *view, const ArchiveAnswer *answer, CompareAxis axis)
{
	view->axis = axis;
	for (int e = 0; e < view->n; e++)
		make_curve(&view->entry[e], answer, axis);
}

double compare_at(const CompareEntry *entry, double x)
{
	for (int i = 0; i + 1 < entry->n_points; i++) {
		if (!(x >= entry->x[i] && x <= entry->x[i + 1]))
			continue;
		double width = entry->x[i + 1] - entry->x[i], t = width > 0 ? (x - entry->x[i]) / width : 0;
		return entry->middle[i] + t * (entry->middle[i + 1] - entry->middle[i]);
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
	compare_resample(view, answer, reps, NULL);
	for (int e = 0; e < view->n; e++)
		make_curve(&view->entry[e], answer, view->axis);
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
		(void) snprintf(text, size, "%c better than %s: not shown (n=%d, no interval)", entry->letter, name, entry->n);
	else
		(void) snprintf(text, size, "%c better than %s: %s (%+.2f [%+.2f %+.2f])", entry->letter, name,
		                d->lo > 0 ? "yes" : d->hi < 0 ? "no, worse" : "not shown", d->value, d->lo, d->hi);
}
