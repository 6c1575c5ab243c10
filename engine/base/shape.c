/* The tables of shape.h, and the walk over them in both directions. */
#include "base/shape.h"

#include "base/archive.h"
#include "base/mem.h"
#include "base/view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows of the struct that T stands for. */
#define SIZE(name) sizeof(((T *) 0)->name)
#define ONE(type, name) { #name, SHAPE_##type, offsetof(T, name), SIZE(name), 1, NULL, NULL, 0 }
#define ENUM(name, count) { #name, SHAPE_U32, offsetof(T, name), SIZE(name), 1, NULL, NULL, count }
#define ARRAY(type, name, count) \
	{ #name, SHAPE_##type, offsetof(T, name), SIZE(name[0]), SIZE(name) / SIZE(name[0]), count, NULL, 0 }
#define INNER(name, shape) { #name, SHAPE_STRUCT, offsetof(T, name), SIZE(name), 1, NULL, &shape, 0 }
#define INNERS(name, count, shape) \
	{ #name, SHAPE_STRUCT, offsetof(T, name), SIZE(name[0]), SIZE(name) / SIZE(name[0]), count, &shape, 0 }
#define SHAPE(name, rows) const Shape name = { rows, sizeof rows / sizeof *rows }

#define T CommandAnswer
static const ShapeRow ANSWER[] = {
	ONE(I64, id), ONE(I32, code), ONE(TEXT, text),
};
static SHAPE(answer_shape, ANSWER);
#undef T

#define T CommandAnswers
static const ShapeRow ANSWERS[] = {
	ONE(I32, n), INNERS(answer, "n", answer_shape),
};
static SHAPE(answers_shape, ANSWERS);
#undef T

#define T TrainPoint
static const ShapeRow POINT[] = {
	ONE(I64, steps), ARRAY(F32, value, NULL), ONE(F32, env_least), ONE(F32, env_middle), ONE(F32, env_most),
};
static SHAPE(point_shape, POINT);
#undef T

#define T EvalPoint
static const ShapeRow EVAL[] = {
	ONE(I64, steps), ONE(F32, mean_reward), ONE(F32, std_reward), ONE(F32, mean_ep_length),
	ONE(BOOL, is_best),
};
static SHAPE(eval_shape, EVAL);
#undef T

#define T TrainTick
static const ShapeRow TICK[] = {
	ONE(I64, steps), ONE(TEXT, label),
};
static SHAPE(tick_shape, TICK);
#undef T

#define T EpisodeView
static const ShapeRow EPISODE[] = {
	ONE(I32, n), ONE(F64, reward), ARRAY(I16, replicas, "n"),
};
static SHAPE(episode_shape, EPISODE);
#undef T

#define T TrainView
static const ShapeRow TRAIN[] = {
	ONE(I64, run_id), ONE(TEXT, name), ONE(TEXT, traffic), ONE(I64, seed), ENUM(phase, TRAIN_FAILED + 1),
	ONE(TEXT, trouble), ONE(I64, update), ONE(I64, n_updates), ONE(I64, steps), ONE(I64, total_steps),
	ONE(F64, wall_s), ONE(F64, steps_per_s), ONE(F64, eta_s), ARRAY(F64, now, NULL), ONE(I32, n_envs), ONE(I32, n_points),
	ONE(I64, stride), INNERS(point, "n_points", point_shape), ONE(I32, n_evals),
	INNERS(eval, "n_evals", eval_shape), ONE(I32, n_ticks), INNERS(tick, "n_ticks", tick_shape),
	INNER(last_eval, episode_shape), INNER(last_eval_hpa, episode_shape), ARRAY(F64, time_share, NULL),
	ONE(I64, checkpoint_steps), ONE(I64, checkpoint_wall_ms), ONE(TEXT, checkpoint_path),
	ONE(TEXT, saved_path), ONE(I64, sink_dropped), INNER(answers, answers_shape),
};
SHAPE(shape_train, TRAIN);
#undef T

#define T Target
static const ShapeRow TARGET[] = {
	ONE(TEXT, namespace_), ONE(TEXT, name), ONE(I32, min_replicas), ONE(I32, max_replicas),
	ONE(F32, latency_soft_ms), ONE(F32, latency_hard_ms),
};
static SHAPE(target_shape, TARGET);
#undef T

#define T Sample
static const ShapeRow SAMPLE[] = {
	ONE(I64, wall_ms), ONE(U32, valid), ARRAY(I64, age_ms, NULL), ONE(F64, cpu_cores), ONE(F64, mem_bytes),
	ONE(F64, latency_ms), ONE(F64, rps), ONE(I32, replicas), ONE(I32, ready), ONE(F64, cpu_request_cores),
	ONE(F64, mem_limit_bytes), ONE(TEXT, missing),
};
static SHAPE(sample_shape, SAMPLE);
#undef T

#define T Decision
static const ShapeRow DECISION[] = {
	ONE(I32, action), ONE(I32, n_actions), ARRAY(F32, probability, "n_actions"), ONE(F32, value),
	ONE(I32, raw), ONE(I32, desired), ONE(I32, hpa), ONE(U32, guards), ENUM(state, STATE_COUNT), ENUM(reason, REASON_COUNT),
	ONE(BOOL, is_applied), ONE(TEXT, detail),
};
static SHAPE(decision_shape, DECISION);
#undef T

#define T DecisionRow
static const ShapeRow ROW[] = {
	ONE(I64, wall_ms), ONE(TEXT, who), INNER(sample, sample_shape), INNER(decision, decision_shape),
	ONE(I64, write_us),
};
static SHAPE(row_shape, ROW);
#undef T

#define T HistoryPoint
static const ShapeRow HISTORY[] = {
	ONE(I64, wall_ms), ONE(F32, latency_ms), ONE(F32, rps), ONE(F32, cpu_cores), ONE(F32, mem_bytes),
	ONE(I16, replicas), ONE(I16, ready), ONE(I16, hpa),
};
static SHAPE(history_shape, HISTORY);
#undef T

#define T SourceHealth
static const ShapeRow HEALTH[] = {
	ONE(BOOL, is_known), ONE(BOOL, is_ok), ONE(F32, duration_ms), ONE(I64, good_wall_ms), ONE(TEXT, text),
};
static SHAPE(health_shape, HEALTH);
#undef T

#define T Condition
static const ShapeRow CONDITION[] = {
	ONE(I32, status), ONE(TEXT, reason), ONE(TEXT, message), ONE(I64, since_wall_ms),
};
static SHAPE(condition_shape, CONDITION);
#undef T

#define T PodView
static const ShapeRow POD[] = {
	ONE(TEXT, name), ONE(BOOL, is_ready), ONE(BOOL, is_going), ONE(F32, cpu_cores), ONE(F32, cpu_request_cores), ONE(I64, age_ms),
};
static SHAPE(pod_shape, POD);
#undef T

#define T LiveView
static const ShapeRow LIVE[] = {
	ONE(I64, run_id), ONE(TEXT, context), INNER(target, target_shape), ENUM(state, STATE_COUNT),
	ENUM(state_reason, REASON_COUNT), ONE(TEXT, state_detail), ONE(TEXT, policy), ONE(I64, policy_steps),
	ONE(BOOL, is_simulated), ONE(BOOL, is_readonly), ONE(I64, wall_ms), ONE(F64, speed),
	ONE(F32, interval_s), ONE(I64, next_decision_wall_ms), ONE(I64, cycles), INNER(last, row_shape),
	ONE(I32, n_rows), INNERS(row, "n_rows", row_shape), ONE(I32, n_history),
	INNERS(history, "n_history", history_shape), ONE(I32, manual_replicas), ONE(I64, manual_until_wall_ms),
	ONE(TEXT, manual_who), INNER(metrics, health_shape), INNER(api, health_shape),
	INNER(model, health_shape), ONE(F64, pod_hours),
	ONE(F64, slo_total_s), ONE(F64, slo_good_s), ONE(I64, sink_dropped), INNER(answers, answers_shape),
	ONE(TEXT, owner), INNERS(condition, NULL, condition_shape), ARRAY(I64, duration_us, NULL),
	ONE(I32, n_pods), INNERS(pod, "n_pods", pod_shape), ONE(I32, obs_dim), ARRAY(F32, obs, "obs_dim"),
};
SHAPE(shape_live, LIVE);
#undef T

#define T EpisodeFigures
static const ShapeRow FIGURES[] = {
	ONE(F64, reward), ONE(F64, v_pct), ONE(F64, pod_hours), ONE(F64, flips), ONE(F64, p95_ms),
};
static SHAPE(figures_shape, FIGURES);
#undef T

#define T RunRow
static const ShapeRow RUN[] = {
	ONE(I64, id), ENUM(kind, RUN_KIND_COUNT), ENUM(status, RUN_STATUS_COUNT), ONE(TEXT, name), ONE(TEXT, policy), ONE(I64, seed),
	ONE(I64, start_ms), ONE(I64, end_ms), ONE(I64, steps), ONE(F64, ep_rew_mean), ONE(F64, ep_len_mean),
	ONE(F64, eval_mean), ONE(F64, eval_std), ONE(U32, group), ONE(TEXT, tags), ONE(TEXT, note), ONE(BOOL, is_locked),
	ONE(I64, deleted_ms), ONE(TEXT, host), INNER(last, figures_shape),
};
static SHAPE(run_shape, RUN);
#undef T

#define T RunGroup
static const ShapeRow GROUP[] = { ONE(I32, n), ONE(I32, n_seeds), ARRAY(I64, id, "n"), ONE(F64, iqm), ONE(F64, lo), ONE(F64, hi), ONE(I32, mixed), ONE(F64, mean_steps) };
static SHAPE(group_shape, GROUP);
#undef T

#define T ArchiveCheckpoint
static const ShapeRow CHECKPOINT[] = {
	ONE(I64, steps), ONE(I64, wall_ms), ONE(I64, size_bytes), ONE(TEXT, kind), ONE(TEXT, path),
};
static SHAPE(checkpoint_shape, CHECKPOINT);
#undef T

#define T ArchiveDecision
static const ShapeRow PAST[] = {
	ONE(I64, wall_ms), ONE(I32, replicas), ONE(I32, desired), ONE(F32, latency_ms), ONE(F32, rps), ONE(TEXT, reason),
	ONE(BOOL, is_applied),
};
static SHAPE(past_shape, PAST);
#undef T

#define T CompareRun
static const ShapeRow COMPARED[] = {
	INNER(row, run_shape), ONE(TEXT, trace), ONE(F64, last_eval), INNER(eval, figures_shape), INNER(hpa, figures_shape),
	ONE(I32, n_points), ARRAY(I64, steps, "n_points"), ARRAY(I64, wall_ms, "n_points"), ARRAY(F32, reward, "n_points"),
	INNERS(episode, "n_points", figures_shape), ONE(I32, episode_steps), ONE(TEXT, config),
};
static SHAPE(compared_shape, COMPARED);
#undef T

#define T ArchiveEvent
static const ShapeRow EVENT[] = {
	ONE(I64, wall_ms), ONE(I64, run_id), ENUM(level, EVENT_LEVELS), ONE(TEXT, source), ONE(TEXT, text),
};
static SHAPE(event_shape, EVENT);
#undef T

#define T ArchiveResult
static const ShapeRow RESULT[] = {
	ONE(TEXT, policy), ONE(F64, lambda), ONE(I32, replays), ONE(F64, v_pct), ONE(F64, v_worst_pct), ONE(F64, pod_hours),
	ONE(F64, soft_s), ONE(F64, hard_s),
};
static SHAPE(result_shape, RESULT);
#undef T

#define T ArchiveAnswer
static const ShapeRow ARCHIVE[] = {
	ENUM(ask, ARCHIVE_ASK_COUNT), ONE(I32, code), ONE(TEXT, text), ONE(I32, fault_col), ONE(I64, total),
	ONE(I64, matched), ONE(I32, n_rows),
	INNERS(row, "n_rows", run_shape), ONE(I32, n_groups), INNERS(group, "n_groups", group_shape), ONE(I32, n_checkpoints),
	INNERS(checkpoint, "n_checkpoints", checkpoint_shape), ONE(TEXT, saved_path), ONE(I32, n_points), ARRAY(I64, point_steps, "n_points"),
	ARRAY(F32, point_rew, "n_points"), ARRAY(F32, point_len, "n_points"), ONE(I32, n_decisions),
	INNERS(decision, "n_decisions", past_shape), ONE(I32, n_results), INNERS(result, "n_results", result_shape), ONE(TEXT, config), ONE(I32, n_compared),
	INNERS(compared, "n_compared", compared_shape), ONE(I32, n_events), INNERS(event, "n_events", event_shape),
	ONE(I32, n_past), INNERS(past, "n_past", history_shape), ONE(I64, past_first_ms),
};
SHAPE(shape_archive, ARCHIVE);
#undef T

/* ---- the walk ---- */

/* Elements in use: all, or what the count field before says, within the array. */
static size_t count_of(const Shape *shape, const ShapeRow *row, const void *data)
{
	for (size_t i = 0; row->count && i < shape->n_rows; i++) {
		if (strcmp(shape->row[i].name, row->count) != 0)
			continue;
		int32_t n;
		memcpy(&n, (const char *) data + shape->row[i].offset, sizeof n);
		return n < 0 ? 0 : (size_t) n < row->n ? (size_t) n : row->n;
	}
	return row->n;
}

/* Nine digits give a float back whole; all of its double's would only make recordings twice as long. */
static double short_float(float value)
{
	char text[32];
	(void) snprintf(text, sizeof text, "%.9g", (double) value);
	return strtod(text, NULL);
}

static void write_one(const ShapeRow *row, const void *at, const char *key, Json *to)
{
	switch (row->type) {
	case SHAPE_BOOL: json_add_bool(to, key, *(const bool *) at); break;
	case SHAPE_I16: json_add_int(to, key, *(const int16_t *) at); break;
	case SHAPE_I32: json_add_int(to, key, *(const int32_t *) at); break;
	case SHAPE_U32: json_add_int(to, key, *(const uint32_t *) at); break;
	case SHAPE_I64: json_add_int(to, key, *(const int64_t *) at); break;
	case SHAPE_F32: json_add_number(to, key, short_float(*(const float *) at)); break;
	case SHAPE_F64: json_add_number(to, key, *(const double *) at); break;
	case SHAPE_TEXT: json_add_string(to, key, at); break;
	case SHAPE_STRUCT: shape_write(row->shape, at, json_add_object(to, key)); break;
	}
}

void shape_write(const Shape *shape, const void *data, Json *object)
{
	for (size_t i = 0; i < shape->n_rows; i++) {
		const ShapeRow *row = &shape->row[i];
		const char *at = (const char *) data + row->offset;
		if (row->n == 1) {
			write_one(row, at, row->name, object);
			continue;
		}
		Json *array = json_add_array(object, row->name);
		size_t n = count_of(shape, row, data);
		for (size_t k = 0; k < n; k++)
			write_one(row, at + k * row->size, NULL, array);
	}
}

static void read_int(const ShapeRow *row, void *at, const Json *value)
{
	ShapeType type = row->type;
	int64_t n;
	if (!json_int(value, &n) || (row->below && (n < 0 || n >= row->below)))
		return;
	if (type == SHAPE_I16)
		*(int16_t *) at = (int16_t) n;
	else if (type == SHAPE_I64)
		*(int64_t *) at = n;
	else if (type == SHAPE_U32)
		*(uint32_t *) at = (uint32_t) n;
	else
		*(int32_t *) at = (int32_t) n;
}

static void read_one(const ShapeRow *row, void *at, const Json *value)
{
	double number = NAN;
	switch (row->type) {
	case SHAPE_BOOL: (void) json_bool(value, at); break;
	case SHAPE_F32:
	case SHAPE_F64:
		if (value && !json_number(value, &number) && !json_is_null(value))
			break;
		if (row->type == SHAPE_F32)
			*(float *) at = (float) number;
		else
			*(double *) at = number;
		break;
	case SHAPE_TEXT:
		if (json_string(value))
			str_copy(at, row->size, json_string(value));
		break;
	case SHAPE_STRUCT: shape_read(row->shape, at, value); break;
	default: read_int(row, at, value); break;
	}
}

static void keep_counts(const Shape *shape, void *data)
{
	for (size_t i = 0; i < shape->n_rows; i++) {
		const ShapeRow *row = &shape->row[i];
		for (size_t k = 0; row->count && k < i; k++) {
			if (strcmp(shape->row[k].name, row->count) != 0)
				continue;
			int32_t n = (int32_t) count_of(shape, row, data);
			memcpy((char *) data + shape->row[k].offset, &n, sizeof n);
		}
	}
}

void shape_read(const Shape *shape, void *data, const Json *object)
{
	for (size_t i = 0; i < shape->n_rows; i++) {
		const ShapeRow *row = &shape->row[i];
		const Json *value = json_get(object, row->name);
		char *at = (char *) data + row->offset;
		if (row->n == 1) {
			read_one(row, at, value);
			continue;
		}
		size_t k = 0;
		for (const Json *child = json_first(value); child && k < row->n; child = json_next(child), k++)
			read_one(row, at + k * row->size, child);
		for (size_t n = count_of(shape, row, data); k < n; k++)
			read_one(row, at + k * row->size, NULL);
	}
	keep_counts(shape, data);
}

#define T PolicyInput
static const ShapeRow INPUT[] = {
	ONE(TEXT, name), ONE(TEXT, meaning), ONE(F32, now), ONE(F32, lo), ONE(F32, hi), ONE(F32, seen_lo), ONE(F32, seen_hi), ONE(F32, effect),
};
static SHAPE(input_shape, INPUT);
#undef T

#define T PolicyView
static const ShapeRow POLICY[] = {
	ONE(I32, code), ONE(TEXT, text), ONE(TEXT, policy), ONE(I64, steps), ONE(BOOL, is_rule), ONE(I32, n_inputs),
	INNERS(input, "n_inputs", input_shape), ENUM(x, OBS_MAX), ENUM(y, OBS_MAX), ENUM(nx, POLICY_COLS + 1),
	ENUM(ny, POLICY_ROWS + 1), ONE(I32, n_cells), ARRAY(F32, up, "n_cells"), ARRAY(F32, keep, "n_cells"),
	ARRAY(F32, down, "n_cells"), ARRAY(F32, value, "n_cells"), ARRAY(I16, hpa, "n_cells"), ARRAY(I16, here, "n_cells"),
	ARRAY(I32, flag, "n_cells"), ARRAY(F32, p_now, NULL), ONE(I32, hpa_now), ONE(I32, flip_input), ONE(F32, flip_value),
};
SHAPE(shape_policy, POLICY);
#undef T
