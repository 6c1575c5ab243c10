/*
 * `maestro trial ARGS`: what a pod of an Indexed Job runs. ARGS is a JSON array with the words of `maestro train` for each index; the
 * index is the pod's own. Its lines are train's, and behind them comes the result (trial_result.h).
 */
#include "cmd/cmd.h"
#include "cmd/opts.h"
#include "cmd/session.h"
#include "cmd/train_child.h"
#include "cmd/trial_result.h"

#include "base/json.h"
#include "base/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MOST = 256 << 20 };

typedef struct TrialOptions {
	const char *db;
	int32_t index;
} TrialOptions;

static const Opt OPTIONS[] = {
	{ "index", 0, OPT_INT, offsetof(TrialOptions, index), 0, 1000000, "I", "which of them; else JOB_COMPLETION_INDEX", false },
	{ "db", 0, OPT_STRING, offsetof(TrialOptions, db), 0, 0, "FILE", "the run store", false },
	{ 0 },
};

const OptCommand TRIAL_COMMAND = {
	"trial ARGS [options]",
	"Runs one of several trainings, and sends its run and models home through stdout. `train --seeds` and `tune` with --on\n"
	"kubernetes write a Job of it. ARGS is a JSON array of arrays of train's words.",
	OPTIONS, 1,
};

static void print_line(void *arg, size_t i, const char *line)
{
	(void) arg, (void) i;
	puts(line);
	(void) fflush(stdout);
}

static int add_words(TrainChild *child, const Json *trials, int32_t index, Error *err)
{
	const Json *trial = json_first(trials);
	for (int32_t i = 0; i < index && trial; i++)
		trial = json_next(trial);
	if (index < 0 || !json_is_array(trial))
		return error_set(err, ERR_USAGE, "trial: there is no training %d in the list", index);
	for (const Json *word = json_first(trial); word; word = json_next(word)) {
		if (!json_string(word) || child->n_args + 3 >= CHILD_ARGS)
			return error_set(err, ERR_USAGE, "trial: training %d is no list of words", index);
		train_child_add(child, json_string(word), NULL);
	}
	return 0;
}

/* What `runs export` prints, by a file beside the store, since a pod may write nowhere else. */
static int export_run(const char *db, int64_t run, StrBuf *ret, Error *err)
{
	char path[600], id[24];
	(void) snprintf(path, sizeof path, "%.500s.run.json", db);
	(void) snprintf(id, sizeof id, "%lld", (long long) run);
	char *argv[] = { (char *) "runs", (char *) "export", id, (char *) "--format", (char *) "json", (char *) "--db", (char *) (uintptr_t) db, NULL };
	(void) fflush(stdout);
	int was = dup(STDOUT_FILENO), fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	int status = was < 0 || fd < 0 || dup2(fd, STDOUT_FILENO) < 0 ? 1 : cmd_runs(7, argv);
	(void) fflush(stdout);
	if (was >= 0 && dup2(was, STDOUT_FILENO) < 0)
		status = 1;
	(void) close(was);
	(void) close(fd);
	int code = status ? error_set(err, ERR_STORE, "trial: run %s cannot be exported", id) : mem_read_file(path, FILE_MOST, ret, err);
	(void) unlink(path);
	return code;
}

static int send_home(const TrainChild *child, const char *db, Error *err)
{
	StrBuf file[TRIAL_FILES] = { 0 }, lines = { 0 };
	int code = export_run(db, child->run, &file[0], err);
	if (!code && child->model[0])
		code = mem_read_file(child->model, FILE_MOST, &file[1], err);
	if (!code && child->best_model[0])
		code = mem_read_file(child->best_model, FILE_MOST, &file[2], err);
	if (!code)
		code = trial_result_write(file, &lines, err);
	if (!code && fwrite(lines.data, 1, lines.len, stdout) != lines.len)
		code = error_set(err, ERR_IO, "trial: the result cannot be written");
	for (int i = 0; i < TRIAL_FILES; i++)
		strbuf_done(&file[i]);
	strbuf_done(&lines);
	return code;
}

static int run_trial(const TrialOptions *o, const Json *trials)
{
	Error err = { 0 };
	char db[512];
	TrainChild *child = calloc(1, sizeof *child);
	int code = child ? add_words(child, trials, o->index, &err) : error_set(&err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	cmd_db_path(o->db, db, sizeof db);
	if (!code) {
		train_child_add(child, "--db", db);
		session_catch_signals();
	}
	int status = code ? cmd_fail(code, &err) : train_children(child, 1, 1, print_line, NULL);
	if (!status && (code = send_home(child, db, &err)) != 0)
		status = cmd_fail(code, &err);
	free(child);
	return status;
}

int cmd_trial(int argc, char **argv)
{
	const char *index = getenv("JOB_COMPLETION_INDEX");
	TrialOptions o = { .index = index ? (int32_t) strtol(index, NULL, 10) : -1 };
	int words = 0;
	Json *trials = NULL;
	Error err = { 0 };
	int code = opts_parse(&TRIAL_COMMAND, argc, argv, &o, &words);
	if (code)
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	if (!words || json_parse(argv[1], strlen(argv[1]), &trials, &err)) {
		(void) fprintf(stderr, "maestro: trial: ARGS is no JSON array; see maestro trial --help\n");
		return err_exit_status(ERR_USAGE);
	}
	int status = run_trial(&o, trials);
	json_free(trials);
	return status;
}
