/* See evaluate_markdown.h. Every section is a function that appends; what is not known is a dash. */
#include "cmd/evaluate_markdown.h"

#include "base/version.h"

#include <math.h>
#include <string.h>

typedef struct Page {
	const Contest *contest;
	StrBuf *to;
	int code;
} Page;

static void add_number(Page *p, double value, int decimals)
{
	if (isnan(value))
		strbuf_addf(p->to, "-");
	else
		strbuf_addf(p->to, "%.*f", decimals, value);
}

static void add_span(Page *p, const Span *span, double scale, int decimals)
{
	add_number(p, scale * span->iqm, decimals);
	if (isnan(span->lo) && isnan(span->traces_lo))
		return;
	strbuf_addf(p->to, " [");
	add_number(p, scale * (isnan(span->traces_lo) ? span->lo : span->traces_lo), decimals);
	strbuf_addf(p->to, ", ");
	add_number(p, scale * (isnan(span->traces_hi) ? span->hi : span->traces_hi), decimals);
	strbuf_addf(p->to, "]");
}

static void add_protocol(Page *p)
{
	const ContestConfig *c = &p->contest->config;
	const SimConfig *sim = &c->arena.sim;
	strbuf_addf(p->to, "# Evaluation\n\nmaestro %s, %s level. %d traces, the last %.0f %% of each; every family tuned on the half before that. ",
	            MAESTRO_VERSION, sim->level == SIM_FLUID ? "fluid" : "request", c->n_traces, 100 * (1 - c->report_from));
	strbuf_addf(p->to, "%d replays of each%s, the same traffic for every policy. Decisions every %g s, starts of %.0f s in the median, soft limit "
	            "%g ms, hard limit %g ms, %d to %d replicas, %.2f rps a pod at the soft limit. ", c->seeds,
	            c->span_s > 0 ? " (pieces of it)" : "", (double) sim->interval_s, c->arena.startup_s, (double) sim->latency_soft_ms,
	            (double) sim->latency_hard_ms, sim->min_replicas, sim->max_replicas, c->arena.pod_capacity_rps);
	if (sim->n_plans)
		strbuf_addf(p->to, "With %d kinds of faults. ", (int) sim->n_plans);
	strbuf_addf(p->to, "V is the time with p95 over soft, plus that over hard once more, in percent: v_short while demand exceeds "
	            "what is ready, v_drain in the minute behind, v_enough with as many pods as the demand asks for. Figures are interquartile means; intervals "
	            "are of 95 %%, by bootstrap over traces and seeds where there are several traces, else over seeds.\n");
}

static const Figure FIGURES[] = { FIGURE_V_PCT, FIGURE_V_SHORT, FIGURE_V_DRAIN, FIGURE_V_ENOUGH, FIGURE_POD_HOURS,
	FIGURE_SLO_FRAC, FIGURE_P99, FIGURE_ACTIONS, FIGURE_REVERSALS_10M, FIGURE_RECOVERY,
	FIGURE_THETA_U, FIGURE_THETA_O, FIGURE_INSTABILITY, FIGURE_LEAD, FIGURE_LEAD_SHARE, FIGURE_COST, FIGURE_REGRET };

static void add_figures(Page *p)
{
	const ContestConfig *c = &p->contest->config;
	size_t n = sizeof FIGURES / sizeof *FIGURES;
	strbuf_addf(p->to, "\n## Figures\n\nEach policy at the settings that tuning found for lambda %g, trace by trace.\n\n| policy | settings tried |",
	            c->lambda[0]);
	for (size_t k = 0; k < n; k++)
		strbuf_addf(p->to, " %s |", figure_key(FIGURES[k]));
	strbuf_addf(p->to, "\n|---|---:|");
	for (size_t k = 0; k < n; k++)
		strbuf_addf(p->to, "---:|");
	for (int32_t f = 0; f < c->n_families; f++) {
		strbuf_addf(p->to, "\n| %s | %d |", c->family[f].name, family_settings(&c->family[f], &c->arena));
		for (size_t k = 0; k < n && !p->code; k++) {
			Span span;
			p->code = summary_figure(p->contest, f, 0, FIGURES[k], &span);
			strbuf_addf(p->to, " ");
			add_span(p, &span, 1, figure_decimals(FIGURES[k]));
			strbuf_addf(p->to, " |");
		}
	}
	strbuf_addf(p->to, "\n");
}

static void add_versus_rows(Page *p, int32_t f, int32_t against, int32_t lambda)
{
	const ContestConfig *c = &p->contest->config;
	VersusSummary v;
	p->code = summary_versus(p->contest, f, against, lambda, &v);
	for (int g = 0; g < GROUPS && !p->code; g++) {
		if (!group_size(p->contest, (Group) g))
			continue;
		const VersusGroup *of = &v.group[g];
		strbuf_addf(p->to, "| %s | %g | %s | ", c->family[f].name, c->lambda[lambda], group_name((Group) g));
		add_span(p, &of->v_change, 100, 1);
		strbuf_addf(p->to, " | ");
		add_number(p, 100 * of->worst_change, 1);
		strbuf_addf(p->to, " | ");
		add_span(p, &of->pod_hours_ratio, 1, 3);
		strbuf_addf(p->to, " | %.3f | %.3f | ", of->pod_hours_median, of->pod_hours_worst);
		if (g == GROUP_ALL)
			strbuf_addf(p->to, "%.0f %% | %.0f %% | %.2f [%.2f, %.2f]", 100 * v.unreached, 100 * v.cheapest, v.improvement.mean, v.improvement.lo, v.improvement.hi);
		strbuf_addf(p->to, g == GROUP_ALL ? " |\n" : "| | |\n");
	}
	if (!p->code)
		versus_done(&v);
}

static void add_versus(Page *p, int32_t against)
{
	const ContestConfig *c = &p->contest->config;
	strbuf_addf(p->to, "\n## Against %s\n\nAlong each policy's front, at the settings of %s for lambda. Change of V in percent at equal pod-hours: "
	            "below 0 is better. Pod-hours at equal V: below 1 is better; where no setting violates so "
	            "little, all replicas all the time stand for it (unreached says in how many of the replays). "
	            "Too dear: the replays in which even its cheapest setting costs more, so that V is compared there. P: the probability that a replay costs less, by pod-hours + lambda "
	            "V-hours.\n\n", c->family[against].name, c->family[against].name);
	strbuf_addf(p->to, "| policy | lambda | traffic | change of V, %% | worst trace | pod-hours at equal V | median trace | worst trace | unreached | too dear | P |\n"
	            "|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
	for (int32_t f = 0; f < c->n_families; f++)
		for (int32_t l = 0; l < c->n_lambdas && f != against && !p->code; l++)
			add_versus_rows(p, f, against, l);
}

static void add_traces(Page *p, int32_t against)
{
	const ContestConfig *c = &p->contest->config;
	strbuf_addf(p->to, "\n## Trace by trace\n\nChange of V in percent at the pod-hours of %s, lambda %g, means over replays; in brackets its pod-hours "
	            "at equal V.\n\n| trace | traffic | V of %s | pod-hours |", c->family[against].name, c->lambda[0],
	            c->family[against].name);
	for (int32_t f = 0; f < c->n_families; f++)
		if (f != against)
			strbuf_addf(p->to, " %s |", c->family[f].name);
	strbuf_addf(p->to, "\n|---|---|---:|---:|");
	for (int32_t f = 1; f < c->n_families; f++)
		strbuf_addf(p->to, "---:|");
	strbuf_addf(p->to, "\n");
	VersusSummary v[CONTEST_FAMILIES] = { { .v_change = NULL } };
	for (int32_t f = 0; f < c->n_families && !p->code; f++)
		p->code = summary_versus(p->contest, f, against, 0, &v[f]);
	for (int32_t t = 0; t < c->n_traces && !p->code; t++) {
		double own[2] = { 0, 0 };
		for (int32_t i = 0; i < c->seeds; i++) {
			const double *cell = contest_cell(p->contest, against, t, contest_path(p->contest, against, t)->best[0], i);
			own[0] += cell[FIGURE_V_PCT] / c->seeds;
			own[1] += cell[FIGURE_POD_HOURS] / c->seeds;
		}
		strbuf_addf(p->to, "| %s | %s | %.2f | %.1f |", c->trace[t].name, group_has(p->contest, GROUP_BURSTY, t) ? "bursty" : "smooth", own[0], own[1]);
		for (int32_t f = 0; f < c->n_families; f++)
			if (f != against)
				strbuf_addf(p->to, " %+.1f (%.3f) |", 100 * v[f].trace_change[t], v[f].trace_ratio[t]);
		strbuf_addf(p->to, "\n");
	}
	for (int32_t f = 0; f < c->n_families; f++)
		versus_done(&v[f]);
}

/* What a reader must not have to search for. */
static void add_losses(Page *p, int32_t against)
{
	const ContestConfig *c = &p->contest->config;
	const char *rival = c->family[against].name;
	strbuf_addf(p->to, "\n## Where it loses\n\n");
	for (int32_t f = 0; f < c->n_families && !p->code; f++) {
		if (f == against || c->family[f].kind->is_bound)
			continue;
		for (int32_t l = 0; l < c->n_lambdas && !p->code; l++) {
			VersusSummary v;
			int32_t lost = 0;
			p->code = summary_versus(p->contest, f, against, l, &v);
			if (p->code)
				return;
			strbuf_addf(p->to, "- **%s**, lambda %g: ", c->family[f].name, c->lambda[l]);
			for (int32_t t = 0; t < c->n_traces; t++)
				if (v.trace_change[t] > 0)
					strbuf_addf(p->to, "%s%s %+.1f %%", lost++ ? ", " : "more violation at equal pod-hours on ", c->trace[t].name,
					            100 * v.trace_change[t]);
			if (!lost)
				strbuf_addf(p->to, "on no trace more violation at equal pod-hours");
			for (int g = 0; g < GROUPS; g++) {
				const Span *span = &v.group[g].v_change;
				if (group_size(p->contest, (Group) g) && !(span->traces_hi < 0))
					strbuf_addf(p->to, "; %s traffic: %s %s", group_name((Group) g),
					            span->traces_lo > 0 ? "worse than" : "not shown to be better than", rival);
			}
			if (v.cheapest > 0)
				strbuf_addf(p->to, "; in %.0f %% of the replays even its cheapest setting costs more than %s, and its violation is that of "
				            "more pods", 100 * v.cheapest, rival);
			if (v.group[GROUP_ALL].pod_hours_median > 1 || v.group[GROUP_ALL].pod_hours_worst > 1.15)
				strbuf_addf(p->to, "; **use %s**: its violation costs %.2f x the pod-hours in the median, %.2f x on the worst trace", rival,
				            v.group[GROUP_ALL].pod_hours_median, v.group[GROUP_ALL].pod_hours_worst);
			strbuf_addf(p->to, ".\n");
			versus_done(&v);
		}
	}
}

static void add_choices(Page *p)
{
	const ContestConfig *c = &p->contest->config;
	bool has_choice = false;
	for (int32_t f = 0; f < c->n_families; f++)
		has_choice = has_choice || !c->family[f].kind->open;
	if (!has_choice)
		return;
	strbuf_addf(p->to, "\n## The choice of family\n\nBy the tuning part alone, rolling over its quarters, at the calibrated rule's pod-hours, "
	            "where its violation is less by 5 %% at least.\n\n");
	for (int32_t t = 0; t < c->n_traces; t++)
		strbuf_addf(p->to, "- %s: %s\n", c->trace[t].name, p->contest->choice[t] < 0 ? "none" : c->family[p->contest->choice[t]].name);
}

static void add_rails(Page *p)
{
	const ContestConfig *c = &p->contest->config;
	if (!p->contest->rail)
		return;
	strbuf_addf(p->to, "\n## Guard rails\n\nEach model at its settings for lambda %g, with one rail switched off at a time; and the share of decisions that "
	            "the rail would change if the model did not know of it. Means over traces and replays.\n\n| policy | without | V, %% | pod-hours | decisions "
	            "changed, %% |\n|---|---|---:|---:|---:|\n", c->lambda[0]);
	for (int32_t f = 0; f < c->n_families; f++)
		for (int row = 0; row < 1 + GUARD_COUNT; row++) {
			const RailEffect *rail = &p->contest->rail[f * (1 + GUARD_COUNT) + row];
			if (!rail->is_there)
				continue;
			strbuf_addf(p->to, "| %s | %s | %.3f | %.2f | ", c->family[f].name, row ? guard_text((Guard) (row - 1)) : "(all on)", rail->v_pct,
			            rail->pod_hours);
			add_number(p, row ? 100 * rail->share : NAN, 2);
			strbuf_addf(p->to, " |\n");
		}
}

/* Share of the cells whose change of V is at or under each bound. */
static void add_profile(Page *p, int32_t against)
{
	static const double tau[] = { -.75, -.5, -.35, -.25, -.15, -.05, 0, .05, .15, .25, .5, 1 };
	enum { N = sizeof tau / sizeof *tau };
	const ContestConfig *c = &p->contest->config;
	strbuf_addf(p->to, "\n## Performance profile\n\nShare of the replays whose change of V against %s, at equal pod-hours and lambda %g, is at or under "
	            "so many percent.\n\n| policy |", c->family[against].name, c->lambda[0]);
	for (int k = 0; k < N; k++)
		strbuf_addf(p->to, " %+.0f |", 100 * tau[k]);
	strbuf_addf(p->to, "\n|---|");
	for (int k = 0; k < N; k++)
		strbuf_addf(p->to, "---:|");
	for (int32_t f = 0; f < c->n_families && !p->code; f++) {
		double share[N];
		VersusSummary v;
		if (f == against)
			continue;
		p->code = summary_versus(p->contest, f, against, 0, &v);
		if (p->code)
			return;
		performance_profile(v.v_change, (size_t) (c->n_traces * c->seeds), tau, N, share);
		strbuf_addf(p->to, "\n| %s |", c->family[f].name);
		for (int k = 0; k < N; k++)
			strbuf_addf(p->to, " %.2f |", share[k]);
		versus_done(&v);
	}
	strbuf_addf(p->to, "\n");
}

static void add_fronts(Page *p, const char *picture)
{
	const ContestConfig *c = &p->contest->config;
	strbuf_addf(p->to, "\n## Fronts\n\n");
	if (picture)
		strbuf_addf(p->to, "![Violation against pod-hours, a panel a trace](%s)\n\nA large dot is what tuning chose for lambda %g.\n\n", picture, c->lambda[0]);
	for (int32_t t = 0; t < c->n_traces; t++) {
		strbuf_addf(p->to, "<details><summary>%s</summary>\n\n| policy | settings | pod-hours | V, %% |\n|---|---|---:|---:|\n", c->trace[t].name);
		for (int32_t f = 0; f < c->n_families; f++) {
			const Path *path = contest_path(p->contest, f, t);
			for (int32_t k = 0; k < path->n; k++) {
				char text[SETTING_TEXT];
				double pod_hours = 0, v = 0;
				for (int32_t i = 0; i < c->seeds; i++) {
					pod_hours += contest_cell(p->contest, f, t, k, i)[FIGURE_POD_HOURS] / c->seeds;
					v += contest_cell(p->contest, f, t, k, i)[FIGURE_V_PCT] / c->seeds;
				}
				family_describe(&c->family[f], &c->arena, path->setting[k], text);
				strbuf_addf(p->to, "| %s | %s%s | %.1f | %.3f |\n", c->family[f].name, text, k == path->best[0] ? " (chosen)" : "", pod_hours, v);
			}
		}
		strbuf_addf(p->to, "\n</details>\n\n");
	}
}

/* The families that others are held against: the calibrated rule, the model-based one, the bound. */
static bool is_rival(const FamilyKind *kind)
{
	return kind->is_reference || kind->is_bound || !strcmp(kind->word, "model-based");
}

int evaluate_markdown(const Contest *contest, const char *picture, StrBuf *to)
{
	const ContestConfig *c = &contest->config;
	Page page = { .contest = contest, .to = to };
	int32_t reference = 0;
	for (int32_t f = c->n_families - 1; f >= 0; f--)
		reference = c->family[f].kind->is_reference ? f : reference;
	add_protocol(&page);
	add_figures(&page);
	for (int32_t f = 0; f < c->n_families; f++)
		if (c->n_families > 1 && (f == reference || is_rival(c->family[f].kind)))
			add_versus(&page, f);
	if (c->n_families > 1) {
		add_traces(&page, reference);
		add_losses(&page, reference);
		add_choices(&page);
		add_profile(&page, reference);
	}
	add_rails(&page);
	add_fronts(&page, picture);
	return page.code ? page.code : to->failed ? ERR_NOMEM : 0;
}
