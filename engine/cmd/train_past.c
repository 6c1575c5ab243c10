/* See train_past.h. */
#include "cmd/train_past.h"

#include "base/mem.h"
#include "storage/db.h"
#include "storage/run_folder.h"
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

enum { CHANGES_MAX = 1000 };

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
	long long id = (long long) past->run_id;
	int code = runs_get(db, past->run_id, &row, &config, err);
	if (!code && row.kind != RUN_TRAIN)
		code = error_set(err, ERR_USAGE, "run %lld is no training", id);
	if (!code)
		code = json_parse(config.data, config.len, &past->config, err);
	if (!code && !strcmp(json_string_or(past->config, "env", "sim"), "live") && past->is_fork)
		code = error_set(err, ERR_USAGE, "run %lld trained on a cluster, whose state is in no checkpoint; --from its model file starts with "
		                 "its policy", id);
	if (!code)
		code = runs_part(db, past->run_id, PART_INTERVENTIONS, take_change, past, err);
	past->steps = row.steps;
	strbuf_done(&config);
	return code;
}

/* Opens the store, reads the run. The caller closes. */
static int read_past(const TrainPastRead *read, int64_t run_id, TrainPast *past, struct sqlite3 **ret_db, Error *err)
{
	past->run_id = run_id;
	past->change = calloc(CHANGES_MAX + 1, sizeof *past->change);
	if (!past->change)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	int code = db_open_existing(read->db, read->clock, ret_db, err);
	if (code)
		return code;
	run_folder_find(*ret_db, read->db, run_id, past->folder, sizeof past->folder);
	return read_run(*ret_db, past, err);
}

static int refuse_running(struct sqlite3 *db, int64_t run_id, Error *err)
{
	RunRow row;
	int code = runs_get(db, run_id, &row, NULL, err);
	return code || row.status != RUN_RUNNING ? code : error_set(err, ERR_REFUSED, "run %lld is still running", (long long) run_id);
}

void train_past_done(TrainPast *past)
{
	json_free(past->config);
	free(past->change);
	*past = (TrainPast) { 0 };
}

static void take_checkpoint(TrainPast *past, const RecordCheckpoint *checkpoint)
{
	str_copy(past->checkpoint, sizeof past->checkpoint, checkpoint->path);
	past->checkpoint_steps = checkpoint->steps;
}

/* ---- --resume ---- */

int train_past_resume(const TrainPastRead *read, TrainOptions *options, TrainPast *ret_past, Error *err)
{
	struct sqlite3 *db = NULL;
	RecordCheckpoint checkpoint;
	long long id = (long long) options->resume;
	*ret_past = (TrainPast) { 0 };
	int code = read_past(read, id, ret_past, &db, err);
	if (!code)
		code = refuse_running(db, id, err);
	if (!code)
		code = runs_last_checkpoint(db, id, &checkpoint, err);
	db_close(db);
	if (!code) /* a process that was killed may have had no time for the newer file's row; what goes on is the file */
		code = trainer_checkpoint_steps(checkpoint.path, &checkpoint.steps, err);
	if (code)
		return code;
	take_checkpoint(ret_past, &checkpoint);
	train_options_load(options, ret_past->config, ret_past->last_steps);
	int64_t steps = options->sim.steps;
	if (train_options_again(options, read->argc, read->argv))
		return ERR_USAGE; /* said already */
	if (checkpoint.steps >= options->sim.steps)
		return error_set(err, ERR_USAGE, "run %lld is complete at %lld steps; --steps N with a larger N trains it further", id,
		                 (long long) checkpoint.steps);
	if (options->sim.steps == steps)
		return 0;
	TrainChange change = { .steps = checkpoint.steps, .param = PARAM_STEPS }; /* like one by hand */
	(void) snprintf(change.from, sizeof change.from, "%lld", (long long) steps);
	(void) snprintf(change.to, sizeof change.to, "%lld", (long long) options->sim.steps);
	str_copy(change.who, sizeof change.who, read->who);
	ret_past->change[ret_past->n_changes++] = change;
	return 0;
}

/* ---- --replay ---- */

/* All is as it was; only where files go, and how it is shown, may be said anew. */
static int check_same(const TrainOptions *was, const TrainOptions *is, int64_t run_id, Error *err)
{
	TrainOptions free_to_differ = *is;
	free_to_differ.out = was->out;
	free_to_differ.name = was->name;
	char *a = train_options_json(was), *b = train_options_json(&free_to_differ);
	int code = !a || !b ? error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM)) : strcmp(a, b) == 0 ? 0
		: error_set(err, ERR_USAGE, "--replay repeats run %lld as it was; --from %lld forks it, and changes settings", (long long) run_id,
		            (long long) run_id);
	free(a);
	free(b);
	return code;
}

int train_past_repeat(const TrainPastRead *read, TrainOptions *options, TrainPast *ret_past, Error *err)
{
	struct sqlite3 *db = NULL;
	RecordCheckpoint start, last;
	Error none;
	int64_t id = options->replay;
	*ret_past = (TrainPast) { 0 };
	int code = read_past(read, id, ret_past, &db, err);
	if (!code)
		code = refuse_running(db, id, err);
	if (!code && !runs_checkpoint(db, id, "start", -1, &start, &none)) { /* it was a fork itself */
		take_checkpoint(ret_past, &start);
		ret_past->is_fork = true;
	}
	if (!code && !runs_last_checkpoint(db, id, &last, &none) && last.steps > ret_past->steps)
		ret_past->steps = last.steps; /* it ended with a rollout that gave no update, since the loss was not finite */
	db_close(db);
	if (code)
		return code;
	if (!strcmp(json_string_or(ret_past->config, "env", "sim"), "live"))
		return error_set(err, ERR_USAGE, "run %lld trained on a cluster, which does nothing twice", (long long) id);
	TrainOptions was, is;
	train_options_load(&was, ret_past->config, ret_past->first_steps);
	is = was;
	is.out = NULL; /* not over the other run's file */
	if (train_options_again(&is, read->argc, read->argv))
		return ERR_USAGE;
	*options = is;
	for (int32_t i = 0; i < ret_past->n_changes; i++)
		ret_past->change[i].is_recorded = false;
	return check_same(&was, &is, id, err);
}

bool train_past_is_same(const TrainPast *past, const char *model_path)
{
	enum { MODEL_MAX = 1 << 28 };
	StrBuf was = { 0 }, is = { 0 };
	Error err;
	char path[4500];
	const char *out = json_string_or(past->config, "out", NULL);
	(void) snprintf(path, sizeof path, "%s/model.safetensors", past->folder);
	bool is_read = !mem_read_file(out ? out : path, MODEL_MAX, &was, &err) && !mem_read_file(model_path, MODEL_MAX, &is, &err);
	bool is_alike = is_read && was.len == is.len && !memcmp(was.data, is.data, is.len);
	(void) fprintf(stderr, is_alike ? "maestro: run %lld, repeated: the same model, byte for byte\n"
	               : is_read ? "maestro: run %lld, repeated: another model; the machine, the libraries or the program are not the same\n"
	                         : "maestro: run %lld, repeated; it left no model to compare with\n", (long long) past->run_id);
	strbuf_done(&was);
	strbuf_done(&is);
	return is_alike || !is_read;
}

/* ---- --from RUN@STEPS ---- */

static bool parse_run(const char *from, int64_t *ret_run, int64_t *ret_steps)
{
	char *end;
	*ret_run = strtoll(from, &end, 10);
	*ret_steps = -1;
	if (end == from || *ret_run < 1)
		return false;
	if (*end == '@' && end[1] >= '0' && end[1] <= '9')
		*ret_steps = strtoll(end + 1, &end, 10);
	return !*end;
}

bool train_past_is_run(const char *from)
{
	int64_t run, steps;
	return from && parse_run(from, &run, &steps);
}

/* What was changed by hand before the checkpoint is the fork's own setting; traffic and faults are in the checkpoint. */
static void put_changes(TrainPast *past, TrainOptions *options)
{
	for (int32_t i = 0; i < past->n_changes; i++) {
		const TrainChange *change = &past->change[i];
		if (change->steps >= past->checkpoint_steps)
			continue;
		if (change->param == PARAM_LEARNING_RATE) {
			bool is_linear = !strncmp(options->learning_rate, "lin_", 4);
			(void) snprintf(past->lr, sizeof past->lr, "%s%.48s", is_linear ? "lin_" : "", change->to);
			options->learning_rate = past->lr;
		} else if (change->param == PARAM_CLIP_RANGE) {
			bool is_linear = !strncmp(options->clip_range, "lin_", 4);
			(void) snprintf(past->clip, sizeof past->clip, "%s%.48s", is_linear ? "lin_" : "", change->to);
			options->clip_range = past->clip;
		} else if (change->param == PARAM_ENT_COEF) {
			options->ent_coef = strtod(change->to, NULL);
		}
	}
}

static void say_differences(const TrainPast *past, const TrainOptions *was, const TrainOptions *is)
{
	Json *a = NULL, *b = NULL;
	char *texts[2] = { train_options_json(was), train_options_json(is) };
	Error err;
	if (!texts[0] || !texts[1] || json_parse(texts[0], strlen(texts[0]), &a, &err) || json_parse(texts[1], strlen(texts[1]), &b, &err))
		goto out;
	(void) fprintf(stderr, "maestro: forks run %lld at %lld steps", (long long) past->run_id, (long long) past->checkpoint_steps);
	for (const Json *item = json_first(b); item; item = json_next(item)) {
		char *from = json_print(json_get(a, json_key(item))), *to = json_print(item);
		if (strcmp(json_key(item), "from") != 0 && strcmp(json_key(item), "out") != 0 && from && to && strcmp(from, to) != 0)
			(void) fprintf(stderr, "; %s %s -> %s", json_key(item), from, to);
		free(from);
		free(to);
	}
	(void) fprintf(stderr, "\n");
out:
	json_free(a);
	json_free(b);
	free(texts[0]);
	free(texts[1]);
}

static int find_fork(struct sqlite3 *db, const char *store, TrainPast *past, int64_t steps, Error *err)
{
	RecordCheckpoint found;
	int64_t in_file = -1;
	Error none;
	int code = steps < 0 || runs_checkpoint(db, past->run_id, "kept", steps, &found, &none)
		? runs_checkpoint(db, past->run_id, "last", -1, &found, err) : 0;
	if (!code)
		code = trainer_checkpoint_steps(found.path, &in_file, err);
	if (!code && steps >= 0 && in_file != steps)
		code = error_set(err, ERR_NOT_FOUND, "run %lld has no checkpoint at %lld steps; maestro runs show %lld --db %s lists the kept ones",
		                 (long long) past->run_id, (long long) steps, (long long) past->run_id, store);
	if (code)
		return code;
	found.steps = in_file;
	take_checkpoint(past, &found);
	return 0;
}

int train_past_fork(const TrainPastRead *read, TrainOptions *options, TrainPast *ret_past, Error *err)
{
	struct sqlite3 *db = NULL;
	int64_t run, steps;
	*ret_past = (TrainPast) { .is_fork = true };
	(void) parse_run(options->from, &run, &steps);
	int code = read_past(read, run, ret_past, &db, err);
	if (!code)
		code = find_fork(db, read->db, ret_past, steps, err);
	db_close(db);
	if (code)
		return code;
	TrainOptions was;
	train_options_load(&was, ret_past->config, ret_past->last_steps);
	put_changes(ret_past, &was);
	*options = was;
	options->out = NULL;
	if (train_options_again(options, read->argc, read->argv))
		return ERR_USAGE;
	(void) snprintf(ret_past->from, sizeof ret_past->from, "%lld@%lld", (long long) run, (long long) ret_past->checkpoint_steps);
	options->from = ret_past->from;
	ret_past->n_changes = 0; /* they are the other run's */
	if (ret_past->checkpoint_steps >= options->sim.steps)
		return error_set(err, ERR_USAGE, "run %lld is at %lld steps there; --steps N with a larger N goes further", (long long) run,
		                 (long long) ret_past->checkpoint_steps);
	say_differences(ret_past, &was, options);
	return 0;
}

int train_past_keep(TrainPast *past, const char *path, Error *err)
{
	enum { CHECKPOINT_MAX = 1 << 30 };
	StrBuf file = { 0 };
	int code = mem_read_file(past->checkpoint, CHECKPOINT_MAX, &file, err);
	if (!code)
		code = mem_write_file(path, file.data, file.len, err);
	strbuf_done(&file);
	if (!code)
		str_copy(past->checkpoint, sizeof past->checkpoint, path);
	return code;
}
