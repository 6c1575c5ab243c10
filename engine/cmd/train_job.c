/* See train_job.h. What a pod sends home is trial_result.h's. */
#include "cmd/train_job.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "cluster/job.h"
#include "cmd/cmd.h"
#include "cmd/live_home.h"
#include "cmd/session.h"
#include "cmd/trial_result.h"
#include "storage/db.h"
#include "storage/import.h"
#include "storage/run_folder.h"
#include "storage/runs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_S = 2, SAY_S = 30 /* how often, where steps alone have moved */, EMPTY_LOOKS = 10, RETRIES = 3, KEEP_S = 86400, NAME = 40, ORIGIN = 64 };

typedef struct JobFollow {
	const TrainOptions *options;
	TrainChild *child;
	size_t n;
	TrainChildLine *on_line;
	void *arg;
	bool is_home[JOB_INDICES_MAX];
	char name[NAME], uid[40], db_path[4096]; /* uid: as it was looked at last */
	const char *namespace_;
	Clock clock;
	struct sqlite3 *db;
	KubeConfig kubeconfig;
	KubeClient *kube;
	char said[400];        /* of its progress, but for the steps */
	int64_t said_ms;
	int n_empty;           /* looks in a row that found no pod at all */
	bool is_failing;       /* and it was said */
} JobFollow;

/* ---- what goes into a pod ---- */

char **train_job_argv(int argc, char **argv, int *ret_argc)
{
	return opts_with_environment(TRAIN_COMMAND.opt, argc, argv, ret_argc);
}

void train_job_copy(TrainChild *child, int argc, char **argv, const char *const *without)
{
	static const char *const own[] = { "--on", "--image", "--pod-cpu", "--pod-memory", "--db", "--kubeconfig", "--context", "--namespace", "-n", NULL };
	const char *all[32];
	size_t n = 0;
	for (size_t i = 0; own[i]; i++)
		all[n++] = own[i];
	for (size_t i = 0; without[i] && n + 1 < sizeof all / sizeof *all; i++)
		all[n++] = without[i];
	all[n] = NULL;
	train_child_copy(child, argc, argv, all);
}

static int refuse(const char *what, const char *why)
{
	(void) fprintf(stderr, "maestro: train: --on kubernetes: %s: %s\n", what, why);
	return ERR_USAGE;
}

int train_job_check(const TrainOptions *o, bool *ret_is_job)
{
	static const char here[] = "a pod has no files of this machine; a fitted service or trace goes into the image";
	*ret_is_job = !strcmp(o->on, "kubernetes");
	if (!*ret_is_job && strcmp(o->on, "local")) {
		(void) fprintf(stderr, "maestro: train: --on %.40s: write local or kubernetes\n", o->on);
		return ERR_USAGE;
	}
	if (!*ret_is_job)
		return 0;
	for (size_t i = 0; i < o->sim.trace.n; i++)
		if (!access(o->sim.trace.item[i], F_OK))
			return refuse(o->sim.trace.item[i], here);
	if (o->sim.service && !access(o->sim.service, F_OK))
		return refuse(o->sim.service, here);
	if (o->from && !access(o->from, F_OK))
		return refuse(o->from, here);
	if (o->out || o->tensorboard)
		return refuse(o->out ? "--out" : "--tensorboard", "models come home beside their runs; runs export --format tensorboard makes event files");
	if (o->resume || o->replay || strcmp(o->env, "sim"))
		return refuse("--resume, --replay, --env live", "only new trainings on the simulator");
	return 0;
}

size_t train_job_threads(const TrainOptions *o)
{
	char *end;
	long cores = strtol(o->pod_cpu, &end, 10);
	return *end || cores < 1 ? 1 : cores > 64 ? 64 : (size_t) cores;
}

static char *trials_json(const TrainChild *child, size_t n)
{
	Json *all = json_new_array();
	for (size_t i = 0; i < n; i++) {
		Json *words = json_new_array();
		for (size_t k = 0; k < child[i].n_args; k++)
			json_add_string(words, NULL, child[i].arg[k]);
		json_add(all, NULL, words);
	}
	char *text = json_print(all);
	json_free(all);
	return text;
}

/* The same trainings have the same name, so that the same command follows the Job that it wrote before. */
static int create(JobFollow *f, Error *err)
{
	const TrainOptions *o = f->options;
	StrBuf all = { 0 };
	char hex[SHA256_HEX];
	char *trials = trials_json(f->child, f->n);
	strbuf_addf(&all, "%s %s", o->image, trials ? trials : "");
	if (!trials || all.failed)
		return free(trials), strbuf_done(&all), error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	sha256_hex(all.data, all.len, hex);
	(void) snprintf(f->name, sizeof f->name, "maestro-train-%.12s", hex);
	const char *const arg[] = { "trial", trials, NULL };
	const JobConfig config = {
		.namespace_ = f->namespace_, .name = f->name, .image = o->image, .cpu = o->pod_cpu, .memory = o->pod_memory, .n = (int) f->n,
		.arg = arg, .retries = RETRIES, .keep_s = KEEP_S,
	};
	int code = job_create(f->kube, &config, err);
	if (!code || code == ERR_CONFLICT)
		(void) fprintf(stderr, "maestro: job %s/%s %s\n", f->namespace_, f->name, code ? "is there: this follows it" : "is written");
	free(trials);
	strbuf_done(&all);
	return code == ERR_CONFLICT ? 0 : code;
}

/* ---- what comes home ---- */

/* The models of a run stand where a training of this machine would have put them. */
static int save_models(const JobFollow *f, TrainChild *child, const StrBuf file[TRIAL_FILES], Error *err)
{
	char folder[512];
	int code = run_folder_make(f->db_path, child->run, folder, sizeof folder, err);
	char *const path[TRIAL_FILES] = { NULL, child->model, child->best_model };
	for (int i = 1; i < TRIAL_FILES && !code; i++) {
		path[i][0] = '\0';
		if (!file[i].len)
			continue;
		(void) snprintf(path[i], sizeof child->model, "%.480s/%s", folder, TRIAL_FILE[i]);
		code = mem_write_file(path[i], file[i].data, file[i].len, err);
	}
	return code;
}

/* As the store keeps it of a run: of this very Job, not of one that had its name before. "": the Job has not said who it is. */
static void name_origin(const JobFollow *f, size_t i, char origin[ORIGIN])
{
	origin[0] = '\0';
	if (f->uid[0])
		(void) snprintf(origin, ORIGIN, "job %s/%zu", f->uid, i);
}

static int import_result(const JobFollow *f, size_t i, const char *log, bool *ret_is_new, Error *err)
{
	TrainChild *child = &f->child[i];
	char origin[ORIGIN];
	StrBuf file[TRIAL_FILES] = { 0 };
	Json *run = NULL;
	int code = trial_result_read(log, file, err);
	if (!code)
		code = json_parse(file[0].data, file[0].len, &run, err);
	if (!code)
		code = import_run(f->db, run, &child->run, ret_is_new, err);
	if (!code)
		code = save_models(f, child, file, err);
	name_origin(f, i, origin);
	if (!code && origin[0]) /* last: what is found by it is whole */
		code = import_note_origin(f->db, child->run, origin, err);
	json_free(run);
	for (int k = 0; k < TRIAL_FILES; k++)
		strbuf_done(&file[k]);
	return code;
}

/* With the number and the files of this store. */
static void hand_out_end(const JobFollow *f, size_t i)
{
	const TrainChild *child = &f->child[i];
	Json *end = json_new_object();
	json_add_string(end, "event", "end");
	json_add_int(end, "run", child->run);
	json_add_int(end, "steps", child->steps);
	json_add_string(end, "model", child->model[0] ? child->model : NULL);
	json_add_string(end, "best_model", child->best_model[0] ? child->best_model : NULL);
	char *text = json_print(end);
	if (text && f->on_line)
		f->on_line(f->arg, i, text);
	free(text);
	json_free(end);
}

/* Its lines as if it had run here. */
static void hand_out(const JobFollow *f, size_t i, const char *line)
{
	if (strstr(line, "\"event\":\"end\""))
		hand_out_end(f, i);
	else if (f->on_line && !strstr(line, "\"event\":\"start\""))
		f->on_line(f->arg, i, line);
}

/* Once for what the lines say, and again when the run has its number here. */
static void read_lines(const JobFollow *f, size_t i, char *log, bool hands_out)
{
	for (char *at = log, *next; at && *at; at = next) {
		next = strchr(at, '\n');
		if (next)
			*next = '\0';
		if (*at == '{' && hands_out)
			hand_out(f, i, at);
		else if (*at == '{')
			train_child_note(&f->child[i], at);
		if (next)
			*next++ = '\n';
	}
}

static int bring_home(JobFollow *f, size_t i, const char *pod, Error *err)
{
	StrBuf log = { 0 };
	bool is_new = false;
	TrainChild *child = &f->child[i];
	int code = job_log(f->kube, f->namespace_, pod, &log, err);
	if (code)
		return strbuf_done(&log), code;
	if (log.data)
		read_lines(f, i, log.data, false);
	code = import_result(f, i, log.data ? log.data : "", &is_new, err);
	f->is_home[i] = true; /* or never: the pod has no other */
	child->status = code ? err_exit_status(code) : 0;
	if (code)
		(void) fprintf(stderr, "maestro: job %s, index %zu, pod %s: %s\n", f->name, i, pod, err->text);
	else
		(void) fprintf(stderr, "maestro: job %s, index %zu: run %lld%s\n", f->name, i, (long long) child->run, is_new ? "" : ", imported before");
	if (!code)
		read_lines(f, i, log.data, true);
	strbuf_done(&log);
	return 0;
}

/* RunCellFn: an evaluation. */
static int note_eval(void *context, const RunCell *cell, size_t n)
{
	TrainChild *child = context;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(cell[i].name, "mean_reward") && cell[i].kind == CELL_REAL)
			train_child_note_reward(child, cell[i].real);
	return 0;
}

static void find_model(const JobFollow *f, int64_t run, const char *name, char *path, size_t size)
{
	char folder[512];
	run_folder_find(f->db, f->db_path, run, folder, sizeof folder);
	(void) snprintf(path, size, "%.480s/%s", folder, name);
	if (access(path, R_OK))
		path[0] = '\0';
}

/* Of an index whose pod is gone: an earlier call may have brought its run home. */
static void look_into_store(JobFollow *f, size_t i)
{
	TrainChild *child = &f->child[i];
	RunRow row;
	char origin[ORIGIN];
	name_origin(f, i, origin);
	int64_t run;
	if (!origin[0] || import_find(f->db, origin, &run, NULL) || runs_get(f->db, run, &row, NULL, NULL))
		return;
	find_model(f, run, TRIAL_FILE[1], child->model, sizeof child->model);
	find_model(f, run, TRIAL_FILE[2], child->best_model, sizeof child->best_model);
	if (!child->model[0] || runs_part(f->db, run, PART_EVALS, note_eval, child, NULL))
		return;
	child->run = run;
	child->steps = row.steps;
	child->status = 0;
	f->is_home[i] = true;
	(void) fprintf(stderr, "maestro: job %s, index %zu: run %lld, imported before its pod was gone\n", f->name, i, (long long) run);
	hand_out_end(f, i);
}

/* ---- following ---- */

/* Steps of a pod that runs, by its last line; 0 where that does not say. */
static int64_t steps_of(JobFollow *f, const char *pod)
{
	StrBuf line = { 0 };
	Json *root = NULL;
	int64_t steps = 0;
	if (!job_last_line(f->kube, f->namespace_, pod, &line, NULL) && line.data && !json_parse(line.data, line.len, &root, NULL))
		steps = json_int_or(root, "steps", 0);
	json_free(root);
	strbuf_done(&line);
	return steps;
}

/* What keeps the first of those that do not start; a Job whose pods nobody makes says so in its events alone. */
static const char *what_it_waits_for(JobFollow *f, const JobView *view, char text[240])
{
	bool has_pod = false;
	text[0] = '\0';
	for (int i = 0; i < view->n; i++) {
		const JobIndex *index = &view->index[i];
		has_pod |= index->pod[0] || f->is_home[i];
		if (index->waits_for[0] && !text[0])
			(void) snprintf(text, 240, "; index %d waits: %s", i, index->waits_for);
	}
	f->n_empty = has_pod ? 0 : f->n_empty + 1;
	if (f->n_empty >= EMPTY_LOOKS)
		(void) snprintf(text, 240, "; there are no pods: kubectl describe job %s -n %.120s says why", f->name, f->namespace_);
	return text;
}

static void say_progress(JobFollow *f, const JobView *view)
{
	int running = 0, home = 0, failures = 0;
	int64_t steps = 0, now_ms = clock_mono_ms(&f->clock);
	char text[sizeof f->said], failed[40] = "", at[60] = "", waits[240];
	for (int i = 0; i < view->n; i++) {
		home += f->is_home[i];
		failures += view->index[i].failures;
		running += view->index[i].phase == JOB_RUNNING;
	}
	if (failures)
		(void) snprintf(failed, sizeof failed, ", %d pod%s failed", failures, failures > 1 ? "s" : "");
	(void) snprintf(text, sizeof text, "%d of %d are here, %d running%s%s", home, view->n, running, failed, what_it_waits_for(f, view, waits));
	if (!strcmp(text, f->said) && (!running || now_ms - f->said_ms < SAY_S * 1000))
		return;
	for (int i = 0; i < view->n && view->n <= 8; i++) /* a request each */
		steps += view->index[i].phase == JOB_RUNNING ? steps_of(f, view->index[i].pod) : 0;
	if (steps)
		(void) snprintf(at, sizeof at, ", those at %lld steps together", (long long) steps);
	(void) fprintf(stderr, "maestro: job %s: %s%s\n", f->name, text, at);
	str_copy(f->said, sizeof f->said, text);
	f->said_ms = now_ms;
}

/* The first line of a pod's log, which is anybody's, as a terminal may be shown it. */
static const char *first_line(char *text)
{
	text[strcspn(text, "\n")] = '\0';
	utf8_make_plain(text);
	return text;
}

/* Of an index that gave nothing: the Job's reason, and what its last pod said at its end. */
static void say_lost(JobFollow *f, int i, const JobView *view)
{
	StrBuf line = { 0 };
	const JobIndex *index = &view->index[i];
	if (!view->why[0]) {
		(void) fprintf(stderr, "maestro: job %s, index %d: its pod is gone, and its log with it; kubectl delete job makes room for a new one\n", f->name, i);
		return;
	}
	bool has_said = index->phase == JOB_FAILED && !job_last_line(f->kube, f->namespace_, index->pod, &line, NULL) && line.data && line.data[0] != '{';
	const char *said = has_said ? first_line(line.data) : "";
	(void) fprintf(stderr, "maestro: job %s, index %d: %s%s%s\n", f->name, i, view->why, *said ? "; its last pod said: " : "", said);
	strbuf_done(&line);
}

/* One look: what has ended since comes home. *ret_is_over: nothing more will. */
static int look(JobFollow *f, bool *ret_is_over, Error *err)
{
	JobView view = { 0 };
	bool is_all = true;
	int code = job_look(f->kube, f->namespace_, f->name, &view, err);
	if (!code)
		str_copy(f->uid, sizeof f->uid, view.uid);
	for (int i = 0; i < (int) f->n && !code; i++) {
		if (!f->is_home[i] && view.index[i].phase == JOB_SUCCEEDED)
			code = bring_home(f, (size_t) i, view.index[i].pod, err);
		is_all &= f->is_home[i];
	}
	if (code)
		return code;
	for (int i = 0; view.is_over && i < (int) f->n; i++)
		if (!f->is_home[i] && !view.index[i].pod[0])
			look_into_store(f, (size_t) i);
	say_progress(f, &view);
	*ret_is_over = is_all || view.is_over;
	for (int i = 0; view.is_over && i < view.n; i++)
		if (!f->is_home[i])
			say_lost(f, i, &view);
	return 0;
}

/* An API that is away is waited for. > 0: a signal. */
static int follow(JobFollow *f, Error *err)
{
	for (bool is_over = false; !is_over;) {
		int code = look(f, &is_over, err);
		bool passes = live_passes(code) || code == ERR_UNAUTHORIZED;
		if (code && !passes)
			return code;
		if (code && !f->is_failing)
			(void) fprintf(stderr, "maestro: %s; trying again\n", err->text);
		f->is_failing = code != 0;
		int signal_number = is_over ? 0 : session_sleep(LOOK_S);
		if (signal_number) {
			(void) fprintf(stderr, "maestro: job %s/%s goes on by itself; the same command follows it again, kubectl delete job %s -n %s ends it\n",
			               f->namespace_, f->name, f->name, f->namespace_);
			return signal_number;
		}
	}
	return 0;
}

static int open_all(JobFollow *f, Error *err)
{
	const TrainOptions *o = f->options;
	clock_init_system(&f->clock);
	cmd_db_path(o->db, f->db_path, sizeof f->db_path);
	int code = kubeconfig_load(o->run.kubeconfig, o->run.context, &f->kubeconfig, err);
	if (!code)
		code = kube_client_new(&f->kubeconfig, &f->clock, &f->kube, err);
	if (!code)
		code = db_open(f->db_path, &f->clock, &f->db, err);
	f->namespace_ = o->run.namespace_ ? o->run.namespace_ : f->kubeconfig.namespace_;
	return code;
}

int train_job(const TrainOptions *options, TrainChild *child, size_t n, TrainChildLine *on_line, void *arg)
{
	Error err = { 0 };
	if (train_children_check(child, n))
		return err_exit_status(ERR_USAGE);
	JobFollow *f = calloc(1, sizeof *f);
	if (!f)
		return err_exit_status(ERR_NOMEM);
	*f = (JobFollow) { .options = options, .child = child, .n = n, .on_line = on_line, .arg = arg };
	for (size_t i = 0; i < n; i++) {
		child[i].mean_reward = child[i].best_reward = NAN;
		child[i].status = -1;
	}
	int code = open_all(f, &err);
	if (!code)
		code = create(f, &err);
	if (!code)
		code = follow(f, &err);
	int status = code > 0 ? 128 + code : code ? cmd_fail(code, &err) : train_children_status(child, n);
	db_close(f->db);
	kube_client_free(f->kube);
	kubeconfig_done(&f->kubeconfig);
	free(f);
	return status;
}
