/* See train_past.h. */
#include "cmd/train_past.h"

#include "base/mem.h"
#include "storage/db.h"
#include "storage/runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const RunCell *cell, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(cell[i].name, name))
			return cell[i].text ? cell[i].text : "";
	return "";
}

/* A row of interventions; those that change nothing that is learnt (pause, resume) are left out. */
static int take_change(void *context, const RunCell *cell, size_t n)
{
	TrainPast *past = context;
	TrainParam param = train_param_find(text_of(cell, n, "what"));
	if (param == PARAM_COUNT)
		return 0;
	if (past->n_changes == CHANGES_MAX)
		return ERR_NOMEM;
	TrainChange *change = &past->change[past->n_changes++];
	*change = (TrainChange) { .param = param, .is_recorded = true };
	for (size_t i = 0; i < n; i++)
		if (!strcmp(cell[i].name, "steps"))
			change->steps = cell[i].integer;
	str_copy(change->to, sizeof change->to, text_of(cell, n, "to"));
	str_copy(change->who, sizeof change->who, text_of(cell, n, "who"));
	if (param == PARAM_STEPS && !past->first_steps)
		past->first_steps = strtoll(text_of(cell, n, "from"), NULL, 10);
	if (param == PARAM_STEPS)
		past->last_steps = strtoll(change->to, NULL, 10);
	return 0;
}

static int read_run(struct sqlite3 *db, TrainPast *past, Error *err)
{
	RunRow row;
	StrBuf config = { 0 };
	RecordCheckpoint checkpoint;
	long long id = (long long) past->run_id;
	int code = runs_get(db, past->run_id, &row, &config, err);
	if (!code && row.kind != RUN_TRAIN)
		code = error_set(err, ERR_USAGE, "run %lld is no training", id);
	if (!code && row.status == RUN_RUNNING)
		code = error_set(err, ERR_REFUSED, "run %lld is still running", id);
	if (!code)
		code = json_parse(config.data, config.len, &past->config, err);
	if (!code)
		code = runs_part(db, past->run_id, PART_INTERVENTIONS, take_change, past, err);
	past->status = row.status;
	past->steps = row.steps;
	Error none;
	if (!code && !runs_last_checkpoint(db, past->run_id, &checkpoint, &none)) {
		str_copy(past->checkpoint, sizeof past->checkpoint, checkpoint.path);
		past->checkpoint_steps = checkpoint.steps;
	}
	strbuf_done(&config);
	return code;
}

int train_past_read(const char *path, Clock *clock, int64_t run_id, TrainPast *ret_past, Error *err)
{
	struct sqlite3 *db = NULL;
	*ret_past = (TrainPast) { .run_id = run_id, .change = calloc(CHANGES_MAX + 1, sizeof *ret_past->change) };
	int code = ret_past->change ? db_open_existing(path, clock, &db, err) : error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	if (!code)
		code = read_run(db, ret_past, err);
	db_close(db);
	return code;
}

void train_past_done(TrainPast *past)
{
	json_free(past->config);
	free(past->change);
	*past = (TrainPast) { 0 };
}

int train_past_change(TrainPast *past, const TrainChange *change, Error *err)
{
	if (past->n_changes > CHANGES_MAX)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	past->change[past->n_changes++] = *change;
	return 0;
}
