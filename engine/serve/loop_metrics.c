/*
 * See loop_metrics.h. Samples of a metric stand together in the text, so a metric is a row of a table: name, type, help, and a
 * function that adds one target's samples.
 */
#include "serve/loop_metrics.h"

#include "control/decision_line.h"
#include "decide/observation.h"
#include "serve/exposition.h"

#include <math.h>
#include <string.h>

typedef struct Series { /* what a row's function adds to */
	StrBuf *to;
	const char *name;
	const LiveView *view;
	const LoopMetrics *metrics;
	int64_t now_ms;
} Series;

/* One sample with up to two labels besides the target's; NAN: not known, no sample. */
static void add(const Series *s, const char *label, const char *word, const char *label2, const char *word2, double value)
{
	if (isnan(value))
		return;
	strbuf_addf(s->to, "%s{%s", s->name, s->metrics->labels);
	StrBuf more = { 0 };
	if (label)
		exposition_label(&more, label, word);
	if (label2)
		exposition_label(&more, label2, word2);
	strbuf_addf(s->to, "%s%s} %.10g\n", more.len ? "," : "", more.len ? more.data : "", value);
	strbuf_done(&more);
}

static double known(const LiveView *view, uint32_t bit, double value)
{
	return view->last.sample.valid & bit ? value : (double) NAN;
}

static double count(int32_t n)
{
	return n < 0 ? (double) NAN : n;
}

/* ---- gauges ---- */

static void replicas(const Series *s)
{
	const Sample *sample = &s->view->last.sample;
	const Decision *decision = &s->view->last.decision;
	add(s, "kind", "spec", NULL, NULL, known(s->view, SAMPLE_REPLICAS, sample->replicas));
	add(s, "kind", "ready", NULL, NULL, known(s->view, SAMPLE_REPLICAS, sample->ready));
	add(s, "kind", "desired", NULL, NULL, count(decision->desired));
	add(s, "kind", "hpa", NULL, NULL, count(decision->hpa));
}

static void bounds(const Series *s)
{
	add(s, "bound", "min", NULL, NULL, s->view->target.min_replicas);
	add(s, "bound", "max", NULL, NULL, s->view->target.max_replicas);
}

static void observation(const Series *s)
{
	const Sample *sample = &s->view->last.sample;
	const double value[OBS_SEED_DIM] = {
		known(s->view, SAMPLE_CPU, sample->cpu_cores * 100), decision_memory_ratio(sample), known(s->view, SAMPLE_REPLICAS, sample->replicas),
		known(s->view, SAMPLE_LATENCY, sample->latency_ms), known(s->view, SAMPLE_RPS, sample->rps),
	};
	for (int32_t i = 0; i < OBS_SEED_DIM; i++)
		add(s, "feature", observation_feature(OBS_SEED, i), NULL, NULL, value[i]);
}

static void sample_age(const Series *s)
{
	static const char *const names[4] = { "cpu", "memory", "latency", "rps" };
	for (int v = 0; v < 4; v++) {
		int64_t newest_ms = atomic_load(&s->metrics->newest_ms[v]);
		add(s, "metric", names[v], NULL, NULL, newest_ms ? (double) (s->now_ms - newest_ms) / 1e3 : (double) NAN);
	}
}

static void state(const Series *s)
{
	for (int i = 0; i < STATE_COUNT; i++)
		add(s, "state", state_text((TargetState) i), NULL, NULL, s->view->state == (TargetState) i);
}

static const char *const ACTIONS[] = { "none", "down", "keep", "up" };

static void probability(const Series *s)
{
	const Decision *decision = &s->view->last.decision;
	for (int32_t a = 0; a < decision->n_actions && a < ACTION_COUNT; a++)
		add(s, "action", ACTIONS[a + 1], NULL, NULL, (double) decision->probability[a]);
}

static void slo_limit(const Series *s)
{
	const Target *target = &s->view->target;
	add(s, "limit", "soft", NULL, NULL, target->latency_soft_ms > 0 ? (double) target->latency_soft_ms / 1e3 : (double) NAN);
	add(s, "limit", "hard", NULL, NULL, target->latency_hard_ms > 0 ? (double) target->latency_hard_ms / 1e3 : (double) NAN);
}

/* ---- counters ---- */

static void decisions(const Series *s)
{
	StrBuf policy = { 0 };
	exposition_label(&policy, "policy", s->view->policy);
	for (int a = 0; a < 4; a++)
		for (int applied = 0; applied < 2; applied++)
			if (s->view->counters.decisions[a][applied] > 0)
				strbuf_addf(s->to, "%s{%s,%s,action=\"%s\",applied=\"%s\"} %lld\n", s->name, s->metrics->labels, policy.data,
				            ACTIONS[a], applied ? "true" : "false", (long long) s->view->counters.decisions[a][applied]);
	strbuf_done(&policy);
}

static void scales(const Series *s)
{
	for (int up = 0; up < 2; up++)
		for (int failed = 0; failed < 2; failed++)
			add(s, "direction", up ? "up" : "down", "outcome", failed ? "failed" : "ok", (double) s->view->counters.scales[up][failed]);
}

static void guards(const Series *s)
{
	for (int g = 0; g < GUARD_COUNT; g++)
		if (s->view->counters.guards[g] > 0)
			add(s, "guard", guard_text((Guard) g), NULL, NULL, (double) s->view->counters.guards[g]);
}

static void by_reason(const Series *s, const int64_t *n)
{
	for (int r = 0; r < REASON_COUNT; r++)
		if (n[r] > 0)
			add(s, "reason", reason_text((Reason) r), NULL, NULL, (double) n[r]);
}

static void holds(const Series *s)
{
	by_reason(s, s->view->counters.holds);
}

static void fallbacks(const Series *s)
{
	by_reason(s, s->view->counters.fallbacks);
}

static void violations(const Series *s)
{
	add(s, "limit", "soft", NULL, NULL, s->view->counters.soft_s);
	add(s, "limit", "hard", NULL, NULL, s->view->counters.hard_s);
}

static void pod_seconds(const Series *s)
{
	add(s, NULL, NULL, NULL, NULL, s->view->pod_hours * 3600);
}

static void reversals(const Series *s)
{
	add(s, NULL, NULL, NULL, NULL, (double) s->view->counters.reversals);
}

/* ---- histograms ---- */

static void cycle_duration(const Series *s)
{
	exposition_histogram(s->to, s->name, s->metrics->labels, &s->metrics->cycle);
}

static void inference_duration(const Series *s)
{
	exposition_histogram(s->to, s->name, s->metrics->labels, &s->metrics->inference);
}

static void write_duration(const Series *s)
{
	exposition_histogram(s->to, s->name, s->metrics->labels, &s->metrics->write);
}

static void model_info(const Series *s)
{
	StrBuf labels = { 0 };
	if (s->view->model_sha256[0]) {
		exposition_label(&labels, "sha256", s->view->model_sha256);
		exposition_label(&labels, "name", s->view->policy);
		exposition_label(&labels, "observation", s->view->obs_version ? observation_version_name(s->view->obs_version) : "");
		strbuf_addf(s->to, "%s{%s,%s} 1\n", s->name, s->metrics->labels, labels.data ? labels.data : "");
	}
	strbuf_done(&labels);
}

static const struct {
	const char *name, *type, *help;
	void (*write)(const Series *s);
} METRICS[] = {
	{ "maestro_replicas", "gauge", "Replicas: asked for, ready, wanted by the last decision, wanted by the HPA rule.", replicas },
	{ "maestro_replicas_bound", "gauge", "Between which the target is scaled.", bounds },
	{ "maestro_observation", "gauge", "The last observation: cpu in percent of a core, memory as a ratio, latency in ms.", observation },
	{ "maestro_sample_age_seconds", "gauge", "Age of the newest sample of a metric.", sample_age },
	{ "maestro_state", "gauge", "1 for the state that the target is in.", state },
	{ "maestro_action_probability", "gauge", "Of the last decision.", probability },
	{ "maestro_slo_limit_seconds", "gauge", "Latency limits of the target.", slo_limit },
	{ "maestro_model_info", "gauge", "The model that decides for the target; always 1.", model_info },
	{ "maestro_decisions_total", "counter", "Cycles by what was decided and whether it was written.", decisions },
	{ "maestro_scale_total", "counter", "Writes of the scale.", scales },
	{ "maestro_guard_total", "counter", "Decisions that a guard rail changed.", guards },
	{ "maestro_hold_total", "counter", "Cycles held because data, model or API failed.", holds },
	{ "maestro_fallback_total", "counter", "Cycles decided by the HPA rule in the policy's place.", fallbacks },
	{ "maestro_slo_violation_seconds_total", "counter", "Time with p95 over a limit.", violations },
	{ "maestro_pod_seconds_total", "counter", "Pods times the time that they were asked for.", pod_seconds },
	{ "maestro_reversals_total", "counter", "Changes of the direction of scaling.", reversals },
	{ "maestro_cycle_duration_seconds", "histogram", "Time of a whole cycle.", cycle_duration },
	{ "maestro_inference_duration_seconds", "histogram", "Time until the policy had answered.", inference_duration },
	{ "maestro_write_duration_seconds", "histogram", "Time of writing a scale.", write_duration },
};

static void note(Histogram *histogram, int64_t us)
{
	if (us >= 0)
		histogram_note(histogram, us);
}

void loop_metrics_note(LoopMetrics *metrics, const LiveView *view)
{
	static const uint32_t bits[4] = { SAMPLE_CPU, SAMPLE_MEM, SAMPLE_LATENCY, SAMPLE_RPS };
	const Sample *sample = &view->last.sample;
	note(&metrics->inference, view->duration_us[1]);
	note(&metrics->write, view->duration_us[2]);
	note(&metrics->cycle, view->duration_us[3]);
	for (int v = 0; v < 4; v++)
		if (sample->valid & bits[v])
			atomic_store(&metrics->newest_ms[v], sample->wall_ms - sample->age_ms[v]);
}

void loop_metrics_write(StrBuf *to, const LiveView *const *view, const LoopMetrics *metrics, size_t n, int64_t now_wall_ms)
{
	for (size_t m = 0; m < sizeof METRICS / sizeof *METRICS; m++) {
		size_t head_at = to->len;
		exposition_head(to, METRICS[m].name, METRICS[m].type, METRICS[m].help);
		size_t body_at = to->len;
		for (size_t i = 0; i < n; i++)
			if (view[i])
				METRICS[m].write(&(Series) { to, METRICS[m].name, view[i], &metrics[i], now_wall_ms });
		if (to->len == body_at && to->data) { /* no sample: no head either */
			to->len = head_at;
			to->data[head_at] = '\0';
		}
	}
}
