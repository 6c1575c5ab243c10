/* The tables of shape.h, and the walk over them in both directions. */
#include "tui/shape.h"

#include "base/archive.h"
#include "base/mem.h"
#include "base/view.h"

#include <math.h>
#include <string.h>

#define FIELD(type, T, name) { #name, type, offsetof(T, name), sizeof(((T *) 0)->name), 1, NULL, NULL }
#define ARRAY(type, T, name, count) \
	{ #name, type, offsetof(T, name), sizeof(((T *) 0)->name[0]), sizeof(((T *) 0)->name) / sizeof(((T *) 0)->name[0]), count, NULL }
#define INNER(T, name, table) { #name, SHAPE_STRUCT, offsetof(T, name), sizeof(((T *) 0)->name), 1, NULL, &table }
#define INNERS(T, name, count, table) \
	{ #name, SHAPE_STRUCT, offsetof(T, name), sizeof(((T *) 0)->name[0]), sizeof(((T *) 0)->name) / sizeof(((T *) 0)->name[0]), \
	  count, &table }
#define SHAPE(name, rows) const Shape name = { rows, sizeof rows / sizeof *rows }

static const ShapeRow ANSWER[] = {
	FIELD(SHAPE_I64, CommandAnswer, id), FIELD(SHAPE_I32, CommandAnswer, code), FIELD(SHAPE_TEXT, CommandAnswer, text),
};
static SHAPE(answer_shape, ANSWER);
static const ShapeRow ANSWERS[] = {
	FIELD(SHAPE_I32, CommandAnswers, n), INNERS(CommandAnswers, answer, "n", answer_shape),
};
static SHAPE(answers_shape, ANSWERS);

static const ShapeRow POINT[] = { FIELD(SHAPE_I64, TrainPoint, steps), ARRAY(SHAPE_F32, TrainPoint, value, NULL) };
static SHAPE(point_shape, POINT);
static const ShapeRow EVAL[] = {
	FIELD(SHAPE_I64, EvalPoint, steps), FIELD(SHAPE_F32, EvalPoint, mean_reward), FIELD(SHAPE_F32, EvalPoint, std_reward),
	FIELD(SHAPE_F32, EvalPoint, mean_ep_length), FIELD(SHAPE_BOOL, EvalPoint, is_best),
};
static SHAPE(eval_shape, EVAL);
static const ShapeRow TICK[] = { FIELD(SHAPE_I64, TrainTick, steps), FIELD(SHAPE_TEXT, TrainTick, label) };
static SHAPE(tick_shape, TICK);
static const ShapeRow EPISODE[] = {
	FIELD(SHAPE_I32, EpisodeView, n), FIELD(SHAPE_F64, EpisodeView, reward), ARRAY(SHAPE_I16, EpisodeView, replicas, "n"),
};
static SHAPE(episode_shape, EPISODE);

static const ShapeRow TRAIN[] = {
	FIELD(SHAPE_I64, TrainView, run_id), FIELD(SHAPE_TEXT, TrainView, name), FIELD(SHAPE_TEXT, TrainView, traffic),
	FIELD(SHAPE_I64, TrainView, seed), FIELD(SHAPE_U32, TrainView, phase), FIELD(SHAPE_TEXT, TrainView, trouble),
	FIELD(SHAPE_I64, TrainView, update), FIELD(SHAPE_I64, TrainView, n_updates), FIELD(SHAPE_I64, TrainView, steps),
	FIELD(SHAPE_I64, TrainView, total_steps), FIELD(SHAPE_F64, TrainView, wall_s), FIELD(SHAPE_F64, TrainView, steps_per_s),
	FIELD(SHAPE_F64, TrainView, eta_s), ARRAY(SHAPE_F64, TrainView, now, NULL), FIELD(SHAPE_I32, TrainView, n_points),
	FIELD(SHAPE_I64, TrainView, stride), INNERS(TrainView, point, "n_points", point_shape),
	FIELD(SHAPE_I32, TrainView, n_evals), INNERS(TrainView, eval, "n_evals", eval_shape),
	FIELD(SHAPE_I32, TrainView, n_ticks), INNERS(TrainView, tick, "n_ticks", tick_shape),
	INNER(TrainView, last_eval, episode_shape), INNER(TrainView, last_eval_hpa, episode_shape),
	ARRAY(SHAPE_F64, TrainView, time_share, NULL), FIELD(SHAPE_I64, TrainView, checkpoint_steps),
	FIELD(SHAPE_I64, TrainView, checkpoint_wall_ms), FIELD(SHAPE_TEXT, TrainView, checkpoint_path),
	FIELD(SHAPE_I64, TrainView, sink_dropped), INNER(TrainView, answers, answers_shape),
};
SHAPE(shape_train, TRAIN);

static const ShapeRow TARGET[] = {
	FIELD(SHAPE_TEXT, Target, namespace_), FIELD(SHAPE_TEXT, Target, name), FIELD(SHAPE_I32, Target, min_replicas),
	FIELD(SHAPE_I32, Target, max_replicas), FIELD(SHAPE_F32, Target, latency_soft_ms), FIELD(SHAPE_F32, Target, latency_hard_ms),
};
static SHAPE(target_shape, TARGET);
static const ShapeRow SAMPLE[] = {
	FIELD(SHAPE_I64, Sample, wall_ms), FIELD(SHAPE_U32, Sample, valid), ARRAY(SHAPE_I64, Sample, age_ms, NULL),
	FIELD(SHAPE_F64, Sample, cpu_cores), FIELD(SHAPE_F64, Sample, mem_bytes), FIELD(SHAPE_F64, Sample, latency_ms),
	FIELD(SHAPE_F64, Sample, rps), FIELD(SHAPE_I32, Sample, replicas), FIELD(SHAPE_I32, Sample, ready),
	FIELD(SHAPE_F64, Sample, cpu_request_cores), FIELD(SHAPE_F64, Sample, mem_limit_bytes), FIELD(SHAPE_TEXT, Sample, missing),
};
static SHAPE(sample_shape, SAMPLE);
static const ShapeRow DECISION[] = {
	FIELD(SHAPE_I32, Decision, action), FIELD(SHAPE_I32, Decision, n_actions), ARRAY(SHAPE_F32, Decision, probability, "n_actions"),
	FIELD(SHAPE_F32, Decision, value), FIELD(SHAPE_I32, Decision, raw), FIELD(SHAPE_I32, Decision, desired),
	FIELD(SHAPE_I32, Decision, hpa), FIELD(SHAPE_U32, Decision, guards), FIELD(SHAPE_U32, Decision, state),
	FIELD(SHAPE_U32, Decision, reason), FIELD(SHAPE_BOOL, Decision, is_applied), FIELD(SHAPE_TEXT, Decision, detail),
};
static SHAPE(decision_shape, DECISION);
static const ShapeRow ROW[] = {
	FIELD(SHAPE_I64, DecisionRow, wall_ms), FIELD(SHAPE_TEXT, DecisionRow, who), INNER(DecisionRow, sample, sample_shape),
	INNER(DecisionRow, decision, decision_shape), FIELD(SHAPE_I64, DecisionRow, write_us),
};
static SHAPE(row_shape, ROW);
static const ShapeRow HISTORY[] = {
	FIELD(SHAPE_I64, HistoryPoint, wall_ms), FIELD(SHAPE_F32, HistoryPoint, latency_ms), FIELD(SHAPE_F32, HistoryPoint, rps),
	FIELD(SHAPE_F32, HistoryPoint, cpu_cores), FIELD(SHAPE_F32, HistoryPoint, mem_bytes), FIELD(SHAPE_I16, HistoryPoint, replicas),
	FIELD(SHAPE_I16, HistoryPoint, ready), FIELD(SHAPE_I16, HistoryPoint, hpa),
};
static SHAPE(history_shape, HISTORY);
static const ShapeRow HEALTH[] = {
	FIELD(SHAPE_BOOL, SourceHealth, is_known), FIELD(SHAPE_BOOL, SourceHealth, is_ok), FIELD(SHAPE_F32, SourceHealth, duration_ms),
	FIELD(SHAPE_I64, SourceHealth, good_wall_ms), FIELD(SHAPE_TEXT, SourceHealth, text),
};
static SHAPE(health_shape, HEALTH);

static const ShapeRow LIVE[] = {
	FIELD(SHAPE_I64, LiveView, run_id), FIELD(SHAPE_TEXT, LiveView, context), INNER(LiveView, target, target_shape),
	FIELD(SHAPE_U32, LiveView, state), FIELD(SHAPE_U32, LiveView, state_reason), FIELD(SHAPE_TEXT, LiveView, state_detail),
	FIELD(SHAPE_TEXT, LiveView, policy), FIELD(SHAPE_I64, LiveView, policy_steps), FIELD(SHAPE_BOOL, LiveView, is_simulated),
	FIELD(SHAPE_BOOL, LiveView, is_readonly), FIELD(SHAPE_I64, LiveView, wall_ms), FIELD(SHAPE_F64, LiveView, speed),
	FIELD(SHAPE_F32, LiveView, interval_s), FIELD(SHAPE_I64, LiveView, next_decision_wall_ms), FIELD(SHAPE_I64, LiveView, cycles),
	INNER(LiveView, last, row_shape), FIELD(SHAPE_I32, LiveView, n_rows), INNERS(LiveView, row, "n_rows", row_shape),
	FIELD(SHAPE_I32, LiveView, n_history), INNERS(LiveView, history, "n_history", history_shape),
	FIELD(SHAPE_I32, LiveView, manual_replicas), FIELD(SHAPE_I64, LiveView, manual_until_wall_ms),
	FIELD(SHAPE_TEXT, LiveView, manual_who), INNER(LiveView, metrics, health_shape), INNER(LiveView, api, health_shape),
	INNER(LiveView, model, health_shape), FIELD(SHAPE_F64, LiveView, pod_hours),
	FIELD(SHAPE_F64, LiveView, pod_hours_hpa_opinion), FIELD(SHAPE_F64, LiveView, slo_total_s),
	FIELD(SHAPE_F64, LiveView, slo_good_s), FIELD(SHAPE_I64, LiveView, sink_dropped), INNER(LiveView, answers, answers_shape),
};
SHAPE(shape_live, LIVE);

static const ShapeRow RUN[] = {
	FIELD(SHAPE_I64, RunRow, id), FIELD(SHAPE_U32, RunRow, kind), FIELD(SHAPE_U32, RunRow, status), FIELD(SHAPE_TEXT, RunRow, name),
	FIELD(SHAPE_TEXT, RunRow, policy), FIELD(SHAPE_I64, RunRow, seed), FIELD(SHAPE_I64, RunRow, start_ms),
	FIELD(SHAPE_I64, RunRow, end_ms), FIELD(SHAPE_I64, RunRow, steps), FIELD(SHAPE_F64, RunRow, ep_rew_mean),
	FIELD(SHAPE_F64, RunRow, ep_len_mean), FIELD(SHAPE_F64, RunRow, eval_mean), FIELD(SHAPE_F64, RunRow, eval_std),
};
static SHAPE(run_shape, RUN);
static const ShapeRow ARCHIVE[] = {
	FIELD(SHAPE_U32, ArchiveAnswer, ask), FIELD(SHAPE_I32, ArchiveAnswer, code), FIELD(SHAPE_TEXT, ArchiveAnswer, text),
	FIELD(SHAPE_I64, ArchiveAnswer, total), FIELD(SHAPE_I32, ArchiveAnswer, n_rows), INNERS(ArchiveAnswer, row, "n_rows", run_shape),
	FIELD(SHAPE_I32, ArchiveAnswer, n_points), ARRAY(SHAPE_I64, ArchiveAnswer, point_steps, "n_points"),
	ARRAY(SHAPE_F32, ArchiveAnswer, point_rew, "n_points"), ARRAY(SHAPE_F32, ArchiveAnswer, point_len, "n_points"),
	FIELD(SHAPE_TEXT, ArchiveAnswer, config),
};
SHAPE(shape_archive, ARCHIVE);

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

static void write_one(const ShapeRow *row, const void *at, const char *key, Json *to)
{
	switch (row->type) {
	case SHAPE_BOOL: json_add_bool(to, key, *(const bool *) at); break;
	case SHAPE_I16: json_add_int(to, key, *(const int16_t *) at); break;
	case SHAPE_I32: json_add_int(to, key, *(const int32_t *) at); break;
	case SHAPE_U32: json_add_int(to, key, *(const uint32_t *) at); break;
	case SHAPE_I64: json_add_int(to, key, *(const int64_t *) at); break;
	case SHAPE_F32: json_add_number(to, key, (double) *(const float *) at); break;
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

static void read_int(ShapeType type, void *at, const Json *value)
{
	int64_t n;
	if (!json_int(value, &n))
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
		if (!json_number(value, &number) && !json_is_null(value))
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
	default: read_int(row->type, at, value); break;
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
	}
	keep_counts(shape, data);
}
