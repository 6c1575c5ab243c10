/*
 * Checkpoints and model files. A checkpoint is a line of JSON (what the trainer counts) and behind it the Ppo's own snapshot;
 * both are written whole or not at all (mem_write_file), and a checkpoint is read again before it counts.
 */
#include "control/trainer_internal.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SETTLE_MS = 200, SETTLE_LIVE_MS = 2000 };
static const char MAGIC[] = "maestro-checkpoint-1 ";
static const size_t CHECKPOINT_MAX = 1u << 30;

static void add_header(const Trainer *trainer, StrBuf *file)
{
	Json *head = json_new_object();
	json_add_int(head, "steps", ppo_steps(trainer->ppo));
	json_add_int(head, "updates", trainer->updates);
	json_add_int(head, "next_eval", trainer->next_eval);
	json_add_int(head, "changes", trainer->changes);
	if (trainer->has_best)
		json_add_number(head, "best_reward", trainer->best_reward);
	char *line = json_print(head);
	json_free(head);
	if (line)
		strbuf_addf(file, "%s%s\n", MAGIC, line);
	else
		file->failed = true;
	free(line);
}

static int read_header(const char *path, const StrBuf *file, Json **ret_head, size_t *ret_body, Error *err)
{
	const char *end = file->len ? memchr(file->data, '\n', file->len) : NULL;
	size_t start = sizeof MAGIC - 1;
	if (!end || (size_t) (end - file->data) < start || memcmp(file->data, MAGIC, start))
		return error_set(err, ERR_BAD_MODEL, "%s: not a checkpoint of this program", path);
	Error why;
	if (json_parse(file->data + start, (size_t) (end - file->data) - start, ret_head, &why))
		return error_set(err, ERR_BAD_MODEL, "%s: header: %s", path, why.text);
	*ret_body = (size_t) (end - file->data) + 1;
	return 0;
}

/* ERR_BAD_MODEL where it is too large to be one. */
static int read_checkpoint(const char *path, StrBuf *file, Json **ret_head, size_t *ret_body, Error *err)
{
	int code = mem_read_file(path, CHECKPOINT_MAX, file, err);
	if (code == ERR_INVALID)
		code = error_set(err, ERR_BAD_MODEL, "%s: larger than any checkpoint", path);
	return code ? code : read_header(path, file, ret_head, ret_body, err);
}

/* Reads the file back: only what can be read again counts as saved. */
static int verify(const char *path, const StrBuf *wrote, Error *err)
{
	StrBuf file = { 0 };
	int code = mem_read_file(path, CHECKPOINT_MAX, &file, err);
	if (!code && (file.len != wrote->len || memcmp(file.data, wrote->data, file.len)))
		code = error_set(err, ERR_IO, "%s: reads back differently", path);
	strbuf_done(&file);
	return code;
}

static void note(Trainer *trainer, const char *path, const char *kind)
{
	TrainView *view = &trainer->view;
	trainer->last_checkpoint_ms = clock_mono_ms(trainer->config.clock);
	view->checkpoint_steps = ppo_steps(trainer->ppo);
	view->checkpoint_wall_ms = clock_wall_ms(trainer->config.clock);
	str_copy(view->checkpoint_path, sizeof view->checkpoint_path, path);
	Record record = trainer_record(trainer, RECORD_CHECKPOINT);
	record.u.checkpoint.steps = view->checkpoint_steps;
	str_copy(record.u.checkpoint.path, sizeof record.u.checkpoint.path, path);
	str_copy(record.u.checkpoint.kind, sizeof record.u.checkpoint.kind, kind);
	trainer->config.sink->ops->write(trainer->config.sink, &record);
}

/* What was before a checkpoint is in the store before it counts: a run that is killed then goes on from it without a gap. A store that is
 * in trouble is not waited for. */
static void settle(Trainer *trainer)
{
	Error none;
	Sink *sink = trainer->config.sink;
	(void) sink->ops->commit(sink, trainer->config.live ? SETTLE_LIVE_MS : SETTLE_MS, &none);
}

static int save(Trainer *trainer, const char *path, const char *kind, Error *err)
{
	StrBuf state = { 0 }, file = { 0 };
	int code = ppo_snapshot(trainer->ppo, &state, err);
	if (!code) {
		add_header(trainer, &file);
		strbuf_add(&file, state.data, state.len);
		if (file.failed)
			code = error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	if (!code)
		code = trainer_settle_best(trainer, err); /* its header says that there is one */
	if (!code)
		settle(trainer);
	if (!code)
		code = mem_write_file(path, file.data, file.len, err);
	if (!code)
		code = verify(path, &file, err);
	if (!code)
		note(trainer, path, kind);
	strbuf_done(&state);
	strbuf_done(&file);
	return code;
}

int trainer_save_checkpoint(Trainer *trainer, Error *err)
{
	return save(trainer, trainer->config.checkpoint_path, "last", err);
}

int trainer_keep_checkpoint(Trainer *trainer, Error *err)
{
	char path[sizeof trainer->config.checkpoint_path];
	const char *last = trainer->config.checkpoint_path, *slash = strrchr(last, '/');
	int folder = slash ? (int) (slash + 1 - last) : 0;
	(void) snprintf(path, sizeof path, "%.*sckpt-%lld.ckpt", folder < 460 ? folder : 460, last, (long long) ppo_steps(trainer->ppo));
	return save(trainer, path, "kept", err);
}

int trainer_load_checkpoint(Trainer *trainer, const char *path, Error *err)
{
	StrBuf file = { 0 };
	Json *head = NULL;
	size_t body = 0;
	Error why = { 0 };
	int code = read_checkpoint(path, &file, &head, &body, err);
	if (!code && (code = ppo_restore(trainer->ppo, file.data + body, file.len - body, &why)))
		code = error_set(err, code, "%.120s: %.120s", path, why.text);
	if (!code) {
		trainer->updates = json_int_or(head, "updates", 0);
		trainer->next_eval = json_int_or(head, "next_eval", trainer->config.eval_every);
		trainer->changes = (int32_t) json_int_or(head, "changes", 0);
		trainer->row0_is_partial = true;
		trainer->has_best = json_number(json_get(head, "best_reward"), &trainer->best_reward);
	}
	if (code == ERR_INVALID && trainer->config.is_fork)
		code = error_set(err, ERR_INVALID, "a fork may differ in learning rate, entropy, clip ranges, steps, evaluation and name, since its "
		                 "state goes on; --from MODEL takes the policy alone");
	if (!code && trainer->config.is_fork) {
		ppo_take_rates(trainer->ppo, &trainer->config.ppo);
		trainer->changes = 0;
		trainer->has_best = false; /* its file is the other run's */
	}
	json_free(head);
	strbuf_done(&file);
	return code;
}

int trainer_checkpoint_steps(const char *path, int64_t *ret_steps, Error *err)
{
	StrBuf file = { 0 };
	Json *head = NULL;
	size_t body;
	int code = read_checkpoint(path, &file, &head, &body, err);
	if (!code && !json_int(json_get(head, "steps"), ret_steps))
		code = error_set(err, ERR_BAD_MODEL, "%s: header has no steps", path);
	json_free(head);
	strbuf_done(&file);
	return code;
}

int trainer_save_model(const Trainer *trainer, const char *path, Error *err)
{
	ModelInfo info = trainer->config.info;
	info.steps = ppo_steps(trainer->ppo);
	return model_save(path, ppo_net(trainer->ppo), &info, err);
}
