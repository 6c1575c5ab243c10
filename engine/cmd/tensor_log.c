/* See tensor_log.h. */
#include "cmd/tensor_log.h"

#include "storage/runs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const METRICS[] = { "rollout/ep_rew_mean", "eval/mean_reward", NULL }; /* beside hyper-parameters */

/* SB3's tag: its logger's section and the figure's name. */
static const char *tag_of(TrainMetric metric, char tag[64])
{
	const char *name = metric == TRAIN_STEPS_PER_S ? "fps" : train_metric_name(metric);
	(void) snprintf(tag, 64, "%s/%s", train_metric_section(metric), name);
	return tag;
}

static void write_hparams(TbWriter *writer, double wall_s, const char *config_json)
{
	Json *config = NULL;
	if (config_json && !json_parse(config_json, strlen(config_json), &config, NULL))
		tb_hparams(writer, wall_s, config, METRICS);
	json_free(config);
}

/* ---- live ---- */

static double wall_s(const TensorLog *log)
{
	return (double) clock_wall_ms(log->clock) / 1000;
}

static void flush(TensorLog *log)
{
	Error err;
	if (!tb_flush(log->writer, &err) || log->has_failed)
		return;
	log->has_failed = true;
	(void) fprintf(stderr, "maestro: --tensorboard: %s; training goes on\n", err.text);
}

int tensor_log_open(TensorLog *log, const char *folder, Clock *clock, const char *config_json, Error *err)
{
	*log = (TensorLog) { .clock = clock };
	int code = tb_open(folder, wall_s(log), &log->writer, err);
	if (code)
		return code;
	write_hparams(log->writer, wall_s(log), config_json);
	return tb_flush(log->writer, err);
}

void tensor_log_close(TensorLog *log)
{
	tb_close(log->writer);
	log->writer = NULL;
}

static void write_update(TensorLog *log, const RecordUpdate *update)
{
	char tag[64];
	for (int m = 0; m < TRAIN_METRIC_COUNT; m++)
		tb_scalar(log->writer, tag_of((TrainMetric) m, tag), wall_s(log), update->steps, update->value[m]);
}

static void write_weights(TensorLog *log, const Net *net, int64_t steps)
{
	NetTensor tensor[NET_TENSORS_MAX];
	Net *copy = net_clone(net); /* since net_tensors lends them for writing */
	size_t count = copy ? net_tensors(copy, tensor, NET_TENSORS_MAX) : 0;
	for (size_t t = 0; t < count; t++)
		tb_histogram(log->writer, tensor[t].name, wall_s(log), steps, tensor[t].data,
		             (size_t) tensor[t].rows * (size_t) (tensor[t].cols ? tensor[t].cols : 1));
	net_free(copy);
}

void tensor_log_event(TensorLog *log, const TrainEvent *event)
{
	switch (event->kind) {
	case TRAIN_EVENT_UPDATE:
		write_update(log, event->update);
		break;
	case TRAIN_EVENT_EVAL:
		tb_scalar(log->writer, "eval/mean_reward", wall_s(log), event->eval->steps, event->eval->mean_reward);
		tb_scalar(log->writer, "eval/mean_ep_length", wall_s(log), event->eval->steps, event->eval->mean_ep_length);
		write_weights(log, event->net, event->eval->steps);
		break;
	case TRAIN_EVENT_END:
		write_weights(log, event->net, event->steps);
		break;
	case TRAIN_EVENT_TROUBLE:
		return;
	}
	flush(log);
}

/* ---- from the store ---- */

typedef struct Row { /* a row's place, read before its figures */
	int64_t steps;
	double wall_s;
} Row;

static Row place_of(const RunCell *cell, size_t n)
{
	Row row = { 0 };
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(cell[i].name, "steps"))
			row.steps = cell[i].integer;
		if (cell[i].kind == CELL_TIME)
			row.wall_s = (double) cell[i].integer / 1000;
	}
	return row;
}

static int export_update(void *context, const RunCell *cell, size_t n)
{
	TbWriter *writer = context;
	Row row = place_of(cell, n);
	char tag[64];
	for (size_t i = 0; i < n; i++)
		for (int m = 0; m < TRAIN_METRIC_COUNT; m++)
			if (cell[i].kind == CELL_REAL && !strcmp(cell[i].name, train_metric_name((TrainMetric) m)))
				tb_scalar(writer, tag_of((TrainMetric) m, tag), row.wall_s, row.steps, cell[i].real);
	return 0;
}

static int export_eval(void *context, const RunCell *cell, size_t n)
{
	static const char *const NAMES[] = { "mean_reward", "mean_ep_length" };
	TbWriter *writer = context;
	Row row = place_of(cell, n);
	char tag[64];
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < 2; k++)
			if (cell[i].kind == CELL_REAL && !strcmp(cell[i].name, NAMES[k])) {
				(void) snprintf(tag, sizeof tag, "eval/%s", NAMES[k]);
				tb_scalar(writer, tag, row.wall_s, row.steps, cell[i].real);
			}
	return 0;
}

int tensor_log_export(struct sqlite3 *db, int64_t run, const char *folder, Error *err)
{
	RunRow row;
	StrBuf config = { 0 };
	TbWriter *writer = NULL;
	int code = runs_get(db, run, &row, &config, err);
	if (!code && row.kind != RUN_TRAIN)
		code = error_set(err, ERR_USAGE, "run %lld is no training; export it as csv or json", (long long) run);
	if (!code)
		code = tb_open(folder, (double) row.start_ms / 1000, &writer, err);
	if (!code) {
		write_hparams(writer, (double) row.start_ms / 1000, config.data);
		code = runs_part(db, run, PART_UPDATES, export_update, writer, err);
	}
	if (!code)
		code = runs_part(db, run, PART_EVALS, export_eval, writer, err);
	if (!code)
		code = tb_flush(writer, err);
	tb_close(writer);
	strbuf_done(&config);
	return code;
}
