/* See evaluate_report.h. */
#include "cmd/evaluate_report.h"

#include "base/json.h"
#include "cmd/cells.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- NDJSON ---- */

static int print_line(Json *object)
{
	int code = cells_print_object(object, false);
	if (code)
		return code;
	(void) putchar('\n');
	(void) fflush(stdout);
	return cells_written();
}

static int print_cell(const Contest *contest, int32_t f, int32_t t, int32_t seed)
{
	const ContestConfig *c = &contest->config;
	const Path *path = contest_path(contest, f, t);
	const double *cell = contest_cell(contest, f, t, path->best[0], seed);
	char text[SETTING_TEXT];
	Json *line = json_new_object();
	json_add_string(line, "policy", c->family[f].word);
	json_add_string(line, "trace", c->trace[t].name);
	json_add_int(line, "seed", seed);
	for (int k = 0; k < FIGURE_COUNT; k++)
		json_add_number(line, figure_key((Figure) k), cell[k]);
	family_describe(&c->family[f], &c->arena, path->setting[path->best[0]], text);
	json_add_string(line, "settings", text[0] ? text : NULL);
	json_add_number(line, "lambda", c->lambda[0]);
	return print_line(line);
}

static void add_span(Json *to, const char *key, const Span *span)
{
	Json *object = json_add_object(to, key);
	json_add_number(object, "iqm", span->iqm);
	json_add_number(object, "lo", span->lo);
	json_add_number(object, "hi", span->hi);
	json_add_number(object, "traces_lo", span->traces_lo);
	json_add_number(object, "traces_hi", span->traces_hi);
}

static int print_summary(const Contest *contest, int32_t f, int32_t lambda)
{
	const ContestConfig *c = &contest->config;
	Json *line = json_new_object();
	json_add_string(line, "policy", c->family[f].word);
	json_add_bool(line, "summary", true);
	json_add_number(line, "lambda", c->lambda[lambda]);
	json_add_int(line, "traces", c->n_traces);
	json_add_int(line, "seeds", c->seeds);
	json_add_int(line, "settings_tried", family_settings(&c->family[f], &c->arena));
	int code = 0;
	for (int k = 0; k < FIGURE_COUNT && !code; k++) {
		Span span;
		code = summary_figure(contest, f, lambda, (Figure) k, &span);
		if (!code)
			add_span(line, figure_key((Figure) k), &span);
	}
	if (code)
		json_free(line);
	return code ? code : print_line(line);
}

static void add_group(Json *to, const VersusGroup *group)
{
	add_span(to, "v_change_at_equal_pod_hours", &group->v_change);
	add_span(to, "pod_hours_ratio_at_equal_v", &group->pod_hours_ratio);
	json_add_number(to, "pod_hours_ratio_median", group->pod_hours_median);
	json_add_number(to, "pod_hours_ratio_worst_trace", group->pod_hours_worst);
	json_add_number(to, "v_change_worst_trace", group->worst_change);
}

static int print_versus(const Contest *contest, int32_t f, int32_t against, int32_t lambda)
{
	const ContestConfig *c = &contest->config;
	VersusSummary v;
	int code = summary_versus(contest, f, against, lambda, &v);
	if (code)
		return code;
	Json *line = json_new_object();
	json_add_string(line, "versus", c->family[against].word);
	json_add_string(line, "policy", c->family[f].word);
	json_add_bool(line, "paired", true);
	json_add_number(line, "lambda", c->lambda[lambda]);
	add_group(line, &v.group[GROUP_ALL]);
	Json *better = json_add_object(line, "probability_of_improvement");
	json_add_number(better, "p", v.improvement.mean);
	json_add_number(better, "lo", v.improvement.lo);
	json_add_number(better, "hi", v.improvement.hi);
	json_add_number(line, "cheapest_point_taken", v.cheapest);
	json_add_number(line, "dearest_point_taken", v.dearest);
	json_add_number(line, "v_unreached", v.unreached);
	Json *by_trace = json_add_object(line, "v_change_by_trace");
	for (int32_t t = 0; t < c->n_traces; t++)
		json_add_number(by_trace, c->trace[t].name, v.trace_change[t]);
	for (int g = GROUP_ALL + 1; g < GROUPS; g++)
		if (group_size(contest, (Group) g))
			add_group(json_add_object(line, group_name((Group) g)), &v.group[g]);
	versus_done(&v);
	return print_line(line);
}

/* The settings that tuning put on a family's path, means over seeds. */
static int print_front(const Contest *contest, int32_t f, int32_t t)
{
	const ContestConfig *c = &contest->config;
	const Path *path = contest_path(contest, f, t);
	Json *line = json_new_object();
	json_add_string(line, "front", c->family[f].word);
	json_add_string(line, "trace", c->trace[t].name);
	Json *points = json_add_array(line, "points");
	for (int32_t k = 0; k < path->n; k++) {
		char text[SETTING_TEXT];
		double pod_hours = 0, v = 0;
		for (int32_t i = 0; i < c->seeds; i++) {
			pod_hours += contest_cell(contest, f, t, k, i)[FIGURE_POD_HOURS] / c->seeds;
			v += contest_cell(contest, f, t, k, i)[FIGURE_V_PCT] / c->seeds;
		}
		family_describe(&c->family[f], &c->arena, path->setting[k], text);
		Json *point = json_add_object(points, NULL);
		json_add_string(point, "settings", text[0] ? text : NULL);
		json_add_number(point, "pod_hours", pod_hours);
		json_add_number(point, "v_pct", v);
	}
	return print_line(line);
}

/* What a rail does to a model. */
static int print_rail(const Contest *contest, int32_t f, int row)
{
	const RailEffect *rail = &contest->rail[f * (1 + GUARD_COUNT) + row];
	if (!rail->is_there)
		return 0;
	Json *line = json_new_object();
	json_add_string(line, "rails", contest->config.family[f].word);
	json_add_string(line, "without", row ? guard_text((Guard) (row - 1)) : NULL);
	json_add_number(line, "v_pct", rail->v_pct);
	json_add_number(line, "pod_hours", rail->pod_hours);
	json_add_number(line, "decisions_changed", row ? rail->share : NAN);
	return print_line(line);
}

int evaluate_print_json(const Contest *contest)
{
	const ContestConfig *c = &contest->config;
	int code = 0;
	for (int32_t f = 0; f < c->n_families && !code; f++)
		for (int32_t t = 0; t < c->n_traces && !code; t++)
			for (int32_t i = 0; i < c->seeds && !code; i++)
				code = print_cell(contest, f, t, i);
	for (int32_t f = 0; f < c->n_families && !code; f++)
		for (int32_t t = 0; t < c->n_traces && !code; t++)
			code = print_front(contest, f, t);
	for (int32_t f = 0; f < c->n_families && !code; f++)
		for (int32_t l = 0; l < c->n_lambdas && !code; l++)
			code = print_summary(contest, f, l);
	for (int32_t f = 0; f < c->n_families && contest->rail && !code; f++)
		for (int row = 0; row < 1 + GUARD_COUNT && !code; row++)
			code = print_rail(contest, f, row);
	for (int32_t l = 0; l < c->n_lambdas && !code; l++)
		for (int32_t against = 0; against < c->n_families && !code; against++)
			for (int32_t f = 0; f < c->n_families && !code; f++)
				if (f != against)
					code = print_versus(contest, f, against, l);
	return code;
}

/* ---- a table ---- */

static const Figure COLUMNS[] = { FIGURE_V_PCT, FIGURE_POD_HOURS, FIGURE_SLO_SOFT_S, FIGURE_SLO_S, FIGURE_SLO_FRAC, FIGURE_ACTIONS,
	FIGURE_REVERSALS_10M, FIGURE_RECOVERY, FIGURE_LEAD, FIGURE_COST };
enum { N_COLUMNS = sizeof COLUMNS / sizeof *COLUMNS };

/* A name is never cut: two of them differ at their ends only. */
static int column_width(int k)
{
	int length = (int) strlen(figure_key(COLUMNS[k]));
	return length > 9 ? length : 9;
}

static int print_figures(const Contest *contest)
{
	const ContestConfig *c = &contest->config;
	int code = 0;
	printf("%-28s", "interquartile means");
	for (int k = 0; k < N_COLUMNS; k++)
		printf(" %*s", column_width(k), figure_key(COLUMNS[k]));
	printf("\n");
	for (int32_t f = 0; f < c->n_families && !code; f++) {
		printf("%-28.28s", c->family[f].word);
		for (int k = 0; k < N_COLUMNS && !code; k++) {
			Span span;
			code = summary_figure(contest, f, 0, COLUMNS[k], &span);
			if (isnan(span.iqm))
				printf(" %*s", column_width(k), "-");
			else
				printf(" %*.*f", column_width(k), figure_decimals(COLUMNS[k]), span.iqm);
		}
		printf("\n");
	}
	return code;
}

/* The calibrated rule where it takes part, else the first policy. */
static int32_t reference_of(const ContestConfig *c)
{
	for (int32_t f = 0; f < c->n_families; f++)
		if (c->family[f].kind->is_reference)
			return f;
	return 0;
}

/* Of one trace there is no interval over traces. */
static void print_interval(const char *format, double lo, double hi)
{
	if (isnan(lo) || isnan(hi))
		printf(" [-]");
	else
		printf(format, lo, hi);
}

static void print_group(const char *word, double lambda, Group group, const VersusGroup *v)
{
	printf("%-28.28s lambda %-4g %-6s %+6.1f %%", word, lambda, group_name(group), 100 * v->v_change.iqm);
	print_interval(" [%+.1f, %+.1f]", 100 * v->v_change.lo, 100 * v->v_change.hi);
	print_interval(" [%+.1f, %+.1f]", 100 * v->v_change.traces_lo, 100 * v->v_change.traces_hi);
	printf(" %+7.1f   x %.3f", 100 * v->worst_change, v->pod_hours_ratio.iqm);
	print_interval(" [%.3f, %.3f]", v->pod_hours_ratio.traces_lo, v->pod_hours_ratio.traces_hi);
	printf(" worst %.3f\n", v->pod_hours_worst);
}

static int print_comparison(const Contest *contest, int32_t against)
{
	const ContestConfig *c = &contest->config;
	int code = 0;
	printf("\nagainst %s, at its pod-hours: change of V, 95 %% interval over seeds, over traces too, worst trace; pod-hours at its V\n",
	       c->family[against].word);
	for (int32_t l = 0; l < c->n_lambdas && !code; l++)
		for (int32_t f = 0; f < c->n_families && !code; f++) {
			VersusSummary v;
			if (f == against)
				continue;
			code = summary_versus(contest, f, against, l, &v);
			for (int g = 0; g < GROUPS && !code; g++)
				if (group_size(contest, (Group) g))
					print_group(c->family[f].word, c->lambda[l], (Group) g, &v.group[g]);
			versus_done(&v);
		}
	return code;
}

int evaluate_print_table(const Contest *contest)
{
	const ContestConfig *c = &contest->config;
	printf("%d traces, last %.0f %% of each, %d seeds, lambda %g, %s level; V: percent of time with p95 over soft, plus over hard once more\n\n",
	       c->n_traces, 100 * (1 - c->report_from), c->seeds, c->lambda[0], c->arena.sim.level == SIM_FLUID ? "fluid" : "request");
	int code = print_figures(contest);
	if (!code && c->n_families > 1)
		code = print_comparison(contest, reference_of(c));
	(void) fflush(stdout);
	return code ? code : cells_written();
}
