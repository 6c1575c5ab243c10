/* See train_report.h. */
#include "cmd/train_report.h"

#include "base/json.h"
#include "cmd/policies.h"
#include "control/evaluate.h"
#include "control/measures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_EVERY_MS = 1000, TABLE_EPISODES = 20, RESAMPLES = 10000 };

/* ---- NDJSON ---- */

static void print_line(TrainReport *report, Json *object)
{
	char *text = json_print(object);
	json_free(object);
	if (text)
		(void) fprintf(report->out, "%s\n", text);
	free(text);
	(void) fflush(report->out);
}

static Json *event_object(const char *event)
{
	Json *object = json_new_object();
	json_add_string(object, "event", event);
	return object;
}

/* The contract's figures of an update, then those beyond it. */
static void json_update(TrainReport *report, const RecordUpdate *update)
{
	Json *object = event_object("update");
	json_add_int(object, "steps", update->steps);
	for (int i = 0; i < TRAIN_METRIC_COUNT; i++)
		json_add_number(object, train_metric_name((TrainMetric) i), update->value[i]);
	print_line(report, object);
}

static void json_eval(TrainReport *report, const RecordEval *eval)
{
	Json *object = event_object("eval");
	json_add_int(object, "steps", eval->steps);
	json_add_number(object, "mean_reward", eval->mean_reward);
	json_add_number(object, "std_reward", eval->std_reward);
	json_add_number(object, "mean_ep_length", eval->mean_ep_length);
	json_add_bool(object, "best", eval->is_best);
	print_line(report, object);
}

static void json_end(TrainReport *report, const TrainEvent *end)
{
	Json *object = event_object("end");
	json_add_int(object, "run", report->run_id);
	json_add_int(object, "steps", end->steps);
	json_add_number(object, "wall_s", end->wall_s);
	json_add_number(object, "steps_per_s", end->steps_per_s);
	json_add_string(object, "model", end->model);
	json_add_string(object, "best_model", end->best_model);
	json_add_string(object, "status", run_status_text(end->status));
	print_line(report, object);
}

/* ---- progress lines ---- */

static void text_update(TrainReport *report, const RecordUpdate *update)
{
	int64_t now = clock_mono_ms(report->clock);
	bool is_last = update->steps >= report->total_steps;
	double share = fmin(1, (double) update->steps / (double) report->total_steps);
	if (report->last_line_ms && now - report->last_line_ms < LINE_EVERY_MS && !is_last)
		return;
	report->last_line_ms = now;
	char reward[24] = "      ?", length[24] = "     ?"; /* before the first episode's end */
	if (!isnan(update->value[TRAIN_EP_REW_MEAN]))
		(void) snprintf(reward, sizeof reward, "%7.2f", update->value[TRAIN_EP_REW_MEAN]);
	if (!isnan(update->value[TRAIN_EP_LEN_MEAN]))
		(void) snprintf(length, sizeof length, "%6.1f", update->value[TRAIN_EP_LEN_MEAN]);
	(void) fprintf(report->out, "%9lld / %lld steps  %3.0f %%  ep_rew_mean %s  ep_len_mean %s  entropy %.3f  expl. var. %5.2f  %.0f steps/s\n",
	               (long long) update->steps, (long long) report->total_steps, 100 * share, reward, length, -update->value[TRAIN_ENTROPY_LOSS],
	               update->value[TRAIN_EXPLAINED_VARIANCE], update->value[TRAIN_STEPS_PER_S]);
	(void) fflush(report->out);
}

static void text_eval(TrainReport *report, const RecordEval *eval)
{
	(void) fprintf(report->out, "%9lld evaluation: mean reward %.2f +- %.2f over %d held-out episodes%s\n",
	               (long long) eval->steps, eval->mean_reward, eval->std_reward, eval->n_episodes,
	               eval->is_best ? "  (best)" : "");
	(void) fflush(report->out);
}

static void text_end(TrainReport *report, const TrainEvent *end)
{
	(void) fprintf(report->out, "run %lld %s: %lld steps in %.1f s, %.0f steps/s\n", (long long) report->run_id,
	               run_status_text(end->status), (long long) end->steps, end->wall_s, end->steps_per_s);
	if (end->model)
		(void) fprintf(report->out, "model       %s\n", end->model);
	if (end->best_model)
		(void) fprintf(report->out, "best model  %s\n", end->best_model);
	(void) fflush(report->out);
}

void train_report_start(TrainReport *report, const TrainerConfig *config)
{
	if (!report->is_json) {
		(void) fprintf(report->out, "run %lld \"%s\": %lld steps on %s, %d environments, seed %llu\n",
		               (long long) report->run_id, config->name, (long long) config->total_steps, config->traffic,
		               config->ppo.n_envs, (unsigned long long) config->ppo.seed);
		(void) fflush(report->out);
		return;
	}
	Json *object = event_object("start");
	json_add_int(object, "run", report->run_id);
	json_add_string(object, "name", config->name);
	json_add_string(object, "traffic", config->traffic);
	json_add_int(object, "seed", (int64_t) config->ppo.seed);
	json_add_int(object, "steps", config->total_steps);
	json_add_int(object, "envs", config->ppo.n_envs);
	print_line(report, object);
}

void train_report_event(TrainReport *report, const TrainEvent *event)
{
	switch (event->kind) {
	case TRAIN_EVENT_UPDATE:
		(report->is_json ? json_update : text_update)(report, event->update);
		break;
	case TRAIN_EVENT_EVAL:
		(report->is_json ? json_eval : text_eval)(report, event->eval);
		break;
	case TRAIN_EVENT_TROUBLE:
		(void) fprintf(stderr, "maestro: %s\n", event->trouble);
		break;
	case TRAIN_EVENT_END:
		if (event->status == RUN_FAILED)
			(void) fprintf(stderr, "maestro: training stopped: %s\n", event->trouble);
		(report->is_json ? json_end : text_end)(report, event);
		break;
	}
}

/* ---- the final table ---- */

typedef struct Measure { /* a column */
	const char *title, *unit;
	double (*value)(const EvalEpisode *episode);
	int decimals;
} Measure;

static double of_reward(const EvalEpisode *e) { return e->reward; }
static double of_v(const EvalEpisode *e) { return e->v_pct; }
static double of_soft(const EvalEpisode *e) { return e->soft_s; }
static double of_hard(const EvalEpisode *e) { return e->hard_s; }
static double of_pods(const EvalEpisode *e) { return e->pod_hours; }
static double of_actions(const EvalEpisode *e) { return e->scale_actions; }
static double of_reversals(const EvalEpisode *e) { return e->reversals; }

static const Measure MEASURES[] = {
	{ "return", "", of_reward, 1 },
	{ "V", "% of time", of_v, 2 },
	{ "over soft", "s", of_soft, 0 },
	{ "over hard", "s", of_hard, 0 },
	{ "pod-hours", "h", of_pods, 2 },
	{ "changes", "", of_actions, 1 },
	{ "reversals", "", of_reversals, 1 },
};
enum { N_MEASURES = sizeof MEASURES / sizeof *MEASURES };

static void print_means(FILE *out, const char *who, const EvalEpisode *episodes)
{
	(void) fprintf(out, "%-15s", who);
	for (size_t m = 0; m < N_MEASURES; m++) {
		double x[TABLE_EPISODES];
		for (int i = 0; i < TABLE_EPISODES; i++)
			x[i] = MEASURES[m].value(&episodes[i]);
		double mean = mean_of(x, TABLE_EPISODES);
		if (isfinite(mean))
			(void) fprintf(out, " %10.*f", MEASURES[m].decimals, mean);
		else
			(void) fprintf(out, " %10s", "off");
	}
	(void) fprintf(out, "\n");
}

/* Mean and interval of the paired differences: the same traffic under both. */
static int print_differences(FILE *out, const EvalEpisode *ours, const EvalEpisode *hpa)
{
	Interval interval[N_MEASURES];
	for (size_t m = 0; m < N_MEASURES; m++) {
		double x[TABLE_EPISODES];
		for (int i = 0; i < TABLE_EPISODES; i++)
			x[i] = MEASURES[m].value(&ours[i]) - MEASURES[m].value(&hpa[i]);
		if (bootstrap_mean(x, TABLE_EPISODES, 1, RESAMPLES, &interval[m]))
			return ERR_NOMEM;
	}
	const char *rows[] = { "difference", "95 % from", "95 % to" };
	for (size_t r = 0; r < 3; r++) {
		(void) fprintf(out, "%-15s", rows[r]);
		for (size_t m = 0; m < N_MEASURES; m++) {
			double value = r == 0 ? interval[m].mean : r == 1 ? interval[m].lo : interval[m].hi;
			if (isfinite(value))
				(void) fprintf(out, " %+10.*f", MEASURES[m].decimals, value);
			else
				(void) fprintf(out, " %10s", "off");
		}
		(void) fprintf(out, "\n");
	}
	return 0;
}

static int print_table(FILE *out, const TrainerConfig *config, const char *who, const EvalEpisode *ours, const EvalEpisode *hpa)
{
	(void) fprintf(out, "\nheld-out traffic: last third of %s, %d episodes of %.0f min, means\n%-15s", config->traffic,
	               TABLE_EPISODES, config->eval_sim.episode_steps * (double) config->eval_sim.interval_s / 60, "");
	for (size_t m = 0; m < N_MEASURES; m++)
		(void) fprintf(out, " %10s", MEASURES[m].title);
	(void) fprintf(out, "\n%-15s", "");
	for (size_t m = 0; m < N_MEASURES; m++)
		(void) fprintf(out, " %10s", MEASURES[m].unit);
	(void) fprintf(out, "\n");
	print_means(out, who, ours);
	print_means(out, "hpa (cpu 80 %)", hpa);
	int code = print_differences(out, ours, hpa);
	(void) fprintf(out, "V: seconds with p95 over soft, plus those over hard once more, in percent of the time. This HPA is the plain\n"
	                    "80 %% rule, not a calibrated one: being better than it proves little.\n");
	(void) fflush(out);
	return code;
}

int train_report_table(TrainReport *report, const TrainerConfig *config, const char *model_path, Error *err)
{
	const char *words[] = { model_path, "hpa" };
	SimConfig sim = config->eval_sim;
	if (sim.window_from > 0 && sim.window_to < 1) { /* that part chose the best model */
		sim.window_from = sim.window_to;
		sim.window_to = 1;
	}
	EvalEpisode *episodes = calloc(2 * TABLE_EPISODES, sizeof *episodes);
	int code = episodes ? 0 : error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	for (int i = 0; i < 2 && !code; i++) {
		Policy *policy = NULL;
		ModelInfo info;
		code = policy_open(words[i], &policy, &info, err);
		if (!code)
			code = evaluate_policy(&sim, config->ppo.seed + 1, TABLE_EPISODES, policy,
			                       episodes + i * TABLE_EPISODES, err);
		policy_free(policy);
	}
	if (!code && print_table(report->out, config, strcmp(model_path, config->best_path) ? "last model" : "best model", episodes, episodes + TABLE_EPISODES))
		code = error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	free(episodes);
	return code;
}
